//! `corpus.toml`: flat text keys, each problem with line and column.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::characters::shown;
use super::collector::Collector;
use super::table::line_and_column;

/// One key of `corpus.toml`. Every value is text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeySpec {
    /// The key.
    pub key: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether its text may be empty.
    pub may_be_empty: bool,
    /// One sentence for the schema and for error messages.
    pub help: &'static str,
}

const fn required(key: &'static str, may_be_empty: bool, help: &'static str) -> KeySpec {
    KeySpec { key, required: true, may_be_empty, help }
}

/// The keys of `corpus.toml`.
pub const KEYS: [KeySpec; 9] = [
    required("id", false, "the name of the corpus: small letters, digits and hyphens, at most 64"),
    required("title", false, "the title for people"),
    required("version", false, "the version, changed whenever an item is"),
    required("licence", false, "the licence, best as an SPDX expression"),
    required("source", true, "where the items come from"),
    required("citation", true, "how to cite the corpus"),
    required("language", false, "the language of items that state none: a BCP 47 tag, mul for several, und for unknown"),
    required("content-warning", true, "what a reader should know before opening it"),
    KeySpec {
        key: "component-joiner",
        required: false,
        may_be_empty: false,
        help: "what stands between the components of a keyword combination in the text column",
    },
];

/// The values of `corpus.toml` by key.
pub(super) type Head = BTreeMap<&'static str, String>;

/// Reads what there is and reports the rest.
pub(super) fn read(text: &str, problems: &mut Collector) -> Head {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or((0, 0), |span| line_and_column(text, span.start));
        problems.report(at, "", error.message().lines().next().unwrap_or("no TOML"), "");
    }
    let mut head = Head::new();
    for (key, value) in table.get_ref() {
        let name: &str = key.get_ref();
        let at = line_and_column(text, key.span().start);
        let Some(spec) = KEYS.iter().find(|spec| spec.key == name) else {
            let known = KEYS.map(|spec| spec.key).join(", ");
            problems.report(at, &shown(name), "unknown key", format!("the keys are {known}"));
            continue;
        };
        if let Some(text) = value.get_ref().as_str() {
            if text.is_empty() && !spec.may_be_empty {
                problems.report(at, spec.key, "is empty", format!("give {}", spec.help));
            }
            head.insert(spec.key, text.to_owned());
        } else if !value.span().is_empty() {
            // An empty span stands where the syntax was broken, which is reported already.
            let at = line_and_column(text, value.span().start);
            let found = value.get_ref().type_str();
            problems.report(at, spec.key, format!("has the type {found}, not text"), "put the value into quotes");
        }
    }
    // Behind broken syntax a key may be there and not be seen.
    let is_missing = |spec: &&KeySpec| spec.required && !table.get_ref().iter().any(|(key, _)| key.get_ref() == spec.key);
    for spec in KEYS.iter().filter(is_missing).filter(|_| errors.is_empty()) {
        problems.report((0, 0), spec.key, "is missing", format!("add {} = \"…\": {}", spec.key, spec.help));
    }
    check_forms(&head, text, &table, problems);
    head
}

fn check_forms(head: &Head, text: &str, table: &toml::Spanned<DeTable<'_>>, problems: &mut Collector) {
    let at = |name: &str| {
        let found = table.get_ref().iter().find(|(key, _)| key.get_ref() == name);
        found.map_or((0, 0), |(_, value)| line_and_column(text, value.span().start))
    };
    if let Some(id) = head.get("id").filter(|id| !id.is_empty() && !is_corpus_id(id)) {
        let fix = "use small letters, digits and hyphens, at most 64, beginning with a letter or digit";
        problems.report(at("id"), "id", format!("`{}` is no corpus id", shown(id)), fix);
    }
    if let Some(tag) = head.get("language").filter(|tag| !tag.is_empty() && !is_language_tag(tag)) {
        problems.report(
            at("language"),
            "language",
            format!("`{}` is no BCP 47 tag", shown(tag)),
            "write it like zh-Hans, en or mul",
        );
    }
    if let Some(joiner) = head.get("component-joiner").filter(|joiner| !joiner.is_empty()) {
        let message = if joiner.trim().is_empty() {
            "consists of blanks alone"
        } else if joiner.trim() != joiner {
            "begins or ends with a blank; blanks around a joiner are ignored anyway"
        } else if joiner.chars().any(|character| character.is_control() || character.is_alphanumeric()) {
            "holds letters, digits or control characters"
        } else if joiner.chars().count() > 8 {
            "is longer than 8 characters"
        } else {
            return;
        };
        problems.report(at("component-joiner"), "component-joiner", message, "use a sign such as +");
    }
}

/// Small letters, digits and hyphens, at most 64, beginning with a letter or digit.
pub(super) fn is_corpus_id(id: &str) -> bool {
    id.len() <= 64
        && id.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && id.chars().all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-')
}

/// The form of a BCP 47 tag: a primary language of 2 to 8 letters, then parts of 1 to 8 letters and digits.
pub(super) fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    (2..=8).contains(&primary.len())
        && primary.chars().all(|character| character.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.chars().all(|character| character.is_ascii_alphanumeric()))
}
