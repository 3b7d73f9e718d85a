//! A cell of a list to the components of an item.

use std::collections::BTreeSet;

use super::super::characters::without_invisible;
use super::options::{Change, JoinerChoice};

/// The joiner of every corpus that an import makes.
pub(super) const JOINER: &str = "+";

/// A cell as an item has it.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Wording {
    pub(super) components: Vec<String>,
    pub(super) changes: BTreeSet<Change>,
}

impl Wording {
    pub(super) fn text(&self) -> String {
        self.components.join(JOINER)
    }
}

/// Takes a cell apart. `called_combination` is what the list says of the row, if it says anything. The error is what is
/// wrong and how to mend it.
pub(super) fn wording(
    cell: &str,
    joiner: &JoinerChoice,
    called_combination: Option<bool>,
) -> Result<Wording, (&'static str, &'static str)> {
    let mut changes = BTreeSet::new();
    if cell.contains(char::REPLACEMENT_CHARACTER) {
        return Err(("holds bytes that are no text in this encoding", "name the right encoding, or mend the list"));
    }
    let visible = without_invisible(cell);
    if visible.len() != cell.len() {
        changes.insert(Change::InvisibleRemoved);
    }
    let printable: String = visible.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    if printable != visible {
        changes.insert(Change::ControlReplaced);
    }
    let text = printable.trim();
    if text.len() != printable.len() {
        changes.insert(Change::BlanksTrimmed);
    }
    if text.is_empty() {
        return Err(("is empty", "write the keyword, or remove the row"));
    }
    let mut components = Vec::new();
    for part in split(text, joiner, called_combination) {
        components.push(strip_wildcard(part.trim(), &mut changes).to_owned());
    }
    if components.iter().any(String::is_empty) {
        return Err(("has an empty component", "mend the row, or import without a joiner"));
    }
    if *joiner != JoinerChoice::None {
        if components.iter().any(|component| component.contains(JOINER)) {
            return Err(("holds a `+` that is no joiner", "import without a joiner, or rewrite the row"));
        }
        // With the wildcards gone, the text differs from the list's anyway.
        if components.len() > 1 && !changes.contains(&Change::WildcardStripped) && components.join(JOINER) != text {
            changes.insert(Change::JoinerRewritten);
        }
    }
    if called_combination == Some(true) && components.len() == 1 {
        changes.insert(Change::SingleCombination);
    }
    Ok(Wording { components, changes })
}

fn split<'a>(text: &'a str, joiner: &JoinerChoice, called_combination: Option<bool>) -> Vec<&'a str> {
    match joiner {
        JoinerChoice::None => vec![text],
        JoinerChoice::Given(joiner) if joiner.trim().is_empty() => text.split_whitespace().collect(),
        JoinerChoice::Given(joiner) => text.split(joiner.trim()).collect(),
        JoinerChoice::Auto if called_combination == Some(true) && !text.contains(JOINER) => text.split_whitespace().collect(),
        JoinerChoice::Auto => text.split(JOINER).collect(),
    }
}

/// `*X*` says that X is looked for anywhere in a text, which is so for every item of a corpus. Other stars are left.
fn strip_wildcard<'a>(component: &'a str, changes: &mut BTreeSet<Change>) -> &'a str {
    let inner = component.strip_prefix('*').and_then(|rest| rest.strip_suffix('*')).map(str::trim);
    match inner.filter(|inner| !inner.is_empty() && !inner.contains('*')) {
        Some(inner) => {
            changes.insert(Change::WildcardStripped);
            inner
        }
        None => component,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn auto(cell: &str) -> (String, Vec<Change>) {
        let wording = wording(cell, &JoinerChoice::Auto, None).unwrap();
        (wording.text(), wording.changes.into_iter().collect())
    }

    #[test]
    fn quirks_of_real_lists() {
        assert_eq!(auto("甲+乙"), ("甲+乙".to_owned(), vec![]));
        assert_eq!(auto("甲 + 乙"), ("甲+乙".to_owned(), vec![Change::JoinerRewritten]));
        assert_eq!(auto("two words"), ("two words".to_owned(), vec![]));
        assert_eq!(auto(" 甲 + 乙丙\u{3000}"), ("甲+乙丙".to_owned(), vec![Change::JoinerRewritten, Change::BlanksTrimmed]));
        assert_eq!(auto("*甲*"), ("甲".to_owned(), vec![Change::WildcardStripped]));
        assert_eq!(auto("***"), ("***".to_owned(), vec![]));
        assert_eq!(auto("a*b"), ("a*b".to_owned(), vec![]));
        assert_eq!(auto("甲\u{200B}乙"), ("甲乙".to_owned(), vec![Change::InvisibleRemoved]));
        assert_eq!(auto("甲\t乙\r"), ("甲 乙".to_owned(), vec![Change::BlanksTrimmed, Change::ControlReplaced]));
    }

    #[test]
    fn blanks_join_only_where_the_list_or_the_researcher_says_so() {
        let combination = |cell, called| wording(cell, &JoinerChoice::Auto, called).unwrap().text();
        assert_eq!(combination("甲  乙 丙", Some(true)), "甲+乙+丙");
        assert_eq!(combination("甲 乙", Some(false)), "甲 乙");
        assert_eq!(wording("甲 乙", &JoinerChoice::Given(" ".to_owned()), None).unwrap().text(), "甲+乙");
        assert_eq!(wording("甲;乙", &JoinerChoice::Given(";".to_owned()), None).unwrap().text(), "甲+乙");
        assert_eq!(wording("C++", &JoinerChoice::None, None).unwrap().components, ["C++"]);
        assert!(wording("甲", &JoinerChoice::Auto, Some(true)).unwrap().changes.contains(&Change::SingleCombination));
    }

    #[test]
    fn what_cannot_be_taken_is_refused() {
        for cell in ["", " ", "\u{200B}", "甲+", "+", "C++", "\u{FFFD}甲"] {
            assert!(wording(cell, &JoinerChoice::Auto, None).is_err(), "{cell:?}");
        }
        assert!(wording("甲+乙 丙", &JoinerChoice::Given(" ".to_owned()), None).is_err());
    }
}
