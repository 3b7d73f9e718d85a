//! Which column of a table is what.

use std::path::Path;

use super::options::ImportError;

/// Names of columns that hold keywords, the surest first. Compared in small letters, with `_` for blanks and hyphens.
const TEXT: [&str; 16] = [
    "keyword_combination",
    "keyword_combinations",
    "keyword",
    "keywords",
    "censored_keyword",
    "blocked_keyword",
    "combination",
    "extenuating_combination",
    "word",
    "words",
    "phrase",
    "term",
    "rule",
    "isolation",
    "text",
    "result",
];
const LANGUAGE: [&str; 2] = ["language", "lang"];
const CATEGORY: [&str; 2] = ["category", "theme"];
const DATE: [&str; 6] = ["date_tested", "detected_on", "date_detected", "date_added", "tested_on", "date"];
const SOURCE: [&str; 6] = ["source_url", "url", "reference", "article_source", "link", "source"];
const KIND: [&str; 2] = ["keyword_type", "type"];

/// The places of the columns that a corpus has a place for. All others go to the notes.
pub(super) struct Columns {
    /// The names as the list writes them, without blanks at the ends.
    pub(super) names: Vec<String>,
    pub(super) text: usize,
    pub(super) language: Option<usize>,
    pub(super) category: Option<usize>,
    pub(super) date: Option<usize>,
    pub(super) source: Option<usize>,
    /// Says of each row whether it is a combination. It goes to the notes too.
    pub(super) kind: Option<usize>,
}

impl Columns {
    /// For plain text: one column.
    pub(super) fn plain() -> Self {
        Self { names: vec![String::new()], text: 0, language: None, category: None, date: None, source: None, kind: None }
    }

    pub(super) fn find(path: &Path, header: &[String], wanted: Option<&str>) -> Result<Self, ImportError> {
        let keys: Vec<String> = header.iter().map(|name| key(name)).collect();
        let first_of = |known: &[&str]| known.iter().find_map(|known| keys.iter().position(|key| key == known));
        let names: Vec<String> = (1..).zip(header).map(|(number, name)| named(number, name)).collect();
        let text = match wanted {
            Some(wanted) => keys.iter().position(|own| *own == key(wanted)).ok_or_else(|| ImportError::Option {
                option: "text-column",
                value: wanted.to_owned(),
                fix: format!("the columns are: {}", names.join(", ")),
            })?,
            None => {
                first_of(&TEXT).ok_or_else(|| ImportError::NoTextColumn { path: path.to_owned(), columns: names.join(", ") })?
            }
        };
        let other = |known: &[&str]| first_of(known).filter(|place| *place != text);
        Ok(Self {
            text,
            language: other(&LANGUAGE),
            category: other(&CATEGORY),
            date: other(&DATE),
            source: other(&SOURCE),
            kind: other(&KIND),
            names,
        })
    }

    /// Whether a column has no place of its own in a corpus.
    pub(super) fn goes_to_notes(&self, column: usize) -> bool {
        column != self.text && ![self.language, self.category, self.date, self.source].contains(&Some(column))
    }
}

fn key(name: &str) -> String {
    let small = name.trim().to_lowercase();
    small
        .split(|character: char| character.is_whitespace() || matches!(character, '-' | '_'))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}

fn named(number: usize, name: &str) -> String {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() { format!("column {number}") } else { name }
}
