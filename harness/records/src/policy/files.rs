//! `[[file-rule]]` and `[files]` of a policy file.

use std::ops::Bound::Included;

use lacuna_model::policy::{Action, Condition, Enforces, FileHandling, FileRule, Finds};
use lacuna_model::{Duration, GrayFormula};

use crate::toml_reader::{Cursor, Form, Key, Problems, Shape};

/// What may happen to a message with a file: there is no text in it to be masked.
const ACTIONS: [Action; 4] = [Action::Drop, Action::Refuse, Action::Retract, Action::Hold];
const ENFORCES: [Enforces; 2] = [Enforces::Index, Enforces::AtOnce];

pub(super) fn files_shape() -> Shape {
    Shape::new(vec![
        Key::with_default("reencode", Form::Boolean, "false", "pictures are encoded anew before they are delivered"),
        Key::with_default(
            "deduplicate",
            Form::Boolean,
            "false",
            "of files with one MD5 the first is stored, and delivered for all",
        ),
    ])
}

pub(super) fn rule_shape(when: &dyn Fn() -> Shape) -> Shape {
    let words = |name, help| Key::with_default(name, Form::list(Form::Component), "[]", help);
    Shape::new(vec![
        Key::required("id", Form::Name, "names the rule in results and messages"),
        words("md5", "MD5 hashes of files that are known from the start"),
        words("text", "components that all stand in the text that can be read in the file"),
        Key::optional(
            "gray",
            Form::choice(&GrayFormula::ALL.map(GrayFormula::as_str)),
            "how a picture is made grey before its text is read; without it colours are seen",
        ),
        words("similar-to", "items, each with its corpus in front, that the picture looks like"),
        words("metadata", "one of these stands in the metadata"),
        words("filename", "one of these stands in the file's name"),
        Key::with_default(
            "enforces",
            Form::Choice { of: ENFORCES.map(Enforces::as_str).to_vec(), reserved: &[] },
            "'index'",
            "index: files whose MD5 is known, by `md5` or because one was found to be sensitive when it was sent; at-once: every file, as \
             it passes",
        ),
        Key::with_default("learns-after", Form::Duration, "'0s'", "how long after a file was sent its hash is known"),
        Key::with_default(
            "analyses",
            Form::Table(when()),
            "{}",
            "whose messages are looked at to learn hashes; all lists must hold",
        ),
        Key::with_default("when", Form::Table(when()), "{}", "whom and where it acts upon; all lists must hold"),
        Key::with_default(
            "action",
            Form::Choice { of: ACTIONS.map(Action::as_str).to_vec(), reserved: &[] },
            "'drop'",
            "what happens to the message",
        ),
        Key::optional("after", Form::Duration, "how long after: for retract and hold, which need it"),
        Key::with_default(
            "enforcement",
            Form::Number((Included(0.0), Included(1.0))),
            "1.0",
            "the share of such messages on which it acts",
        ),
    ])
}

/// What the platform does to files.
pub(super) fn handling(table: &Cursor<'_>) -> Option<FileHandling> {
    Some(FileHandling { reencode: table.boolean("reencode")?.value, deduplicate: table.boolean("deduplicate")?.value })
}

/// One rule about files; `condition` reads who it concerns.
pub(super) fn rule(
    table: &Cursor<'_>,
    mut condition: impl FnMut(&Cursor<'_>) -> Condition,
    problems: &Problems,
) -> Option<FileRule> {
    let texts = |key: &str| -> Vec<String> { table.texts(key).into_iter().map(|text| text.value).collect() };
    for md5 in table.texts("md5") {
        let is_hash = md5.value.len() == 32 && md5.value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash {
            let message = format!("`{}` is no MD5", md5.value);
            table.report(&md5, &message, "write 32 hexadecimal digits, small letters", problems);
        }
    }
    let gray = table.text("gray");
    let finds = Finds {
        md5: texts("md5"),
        text: texts("text"),
        gray: gray.as_ref().and_then(|gray| GrayFormula::ALL.into_iter().find(|known| known.as_str() == gray.value)),
        similar_to: texts("similar-to"),
        metadata: texts("metadata"),
        filename: texts("filename"),
    };
    if finds == (Finds { gray: finds.gray, ..Finds::default() }) {
        table.report_missing("the rule finds nothing", "add `md5`, `text`, `similar-to`, `metadata` or `filename`", problems);
    }
    let word = |key: &str| table.text(key).map(|word| word.value).unwrap_or_default();
    let action = ACTIONS.into_iter().find(|known| known.as_str() == word("action"))?;
    let deferred = matches!(action, Action::Retract | Action::Hold);
    if deferred && !table.has("after") {
        let message = format!("`after` is missing: `{}` happens some time after", action.as_str());
        table.report_missing(&message, "add `after = \"5s\"`", problems);
    }
    Some(FileRule {
        id: table.text("id")?.value,
        finds,
        enforces: ENFORCES.into_iter().find(|known| known.as_str() == word("enforces"))?,
        learns_after: table.duration("learns-after")?.value,
        analyses: condition(&table.table("analyses")?),
        when: condition(&table.table("when")?),
        action,
        after: if deferred { table.duration("after")?.value } else { Duration::ZERO },
        enforcement: table.number("enforcement")?,
    })
}
