//! The phrases to draw: of a corpus, of a table, or one a line.

use std::path::Path;

use super::super::item::Expected;
use super::super::load::load;
use super::super::table::{MAX_ROWS, Rows, read_bounded};
use super::options::RenderError;

/// A phrase to draw.
pub(super) struct Phrase {
    /// The line on which it stands, from 1.
    pub(super) line: usize,
    pub(super) text: String,
    /// A harmless text of its own to draw beside it; empty for none.
    pub(super) twin: String,
    pub(super) language: String,
    pub(super) category: String,
    pub(super) expected: Option<Expected>,
}

/// Reads the phrases: a corpus folder, a table (`.csv`) with a column `text` and perhaps `twin`, `language` and `category`, or
/// plain text.
pub(super) fn phrases(list: &Path) -> Result<Vec<Phrase>, RenderError> {
    let unreadable = |reason: String| RenderError::Unreadable { path: list.to_owned(), reason };
    let phrases = if list.is_dir() {
        of_corpus(list)?
    } else {
        let bytes = read_bounded(list).map_err(unreadable)?;
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        let text = std::str::from_utf8(bytes)
            .map_err(|error| unreadable(format!("is not UTF-8 at byte {}; save it as UTF-8", error.valid_up_to())))?;
        let is_table = list.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_table { of_table(text).map_err(unreadable)? } else { of_lines(text) }
    };
    if phrases.is_empty() {
        return Err(unreadable("has no phrases".to_owned()));
    }
    Ok(phrases)
}

fn of_corpus(folder: &Path) -> Result<Vec<Phrase>, RenderError> {
    let (corpus, problems) = load(folder);
    let corpus = corpus.ok_or(RenderError::Phrases(problems))?;
    let drawable = corpus.items.into_iter().filter(|item| !item.text.trim().is_empty() && item.file.is_none());
    let phrase = |item: super::super::item::CorpusItem| Phrase {
        line: item.line,
        text: item.text,
        twin: String::new(),
        language: item.language,
        category: item.category,
        expected: item.expected,
    };
    Ok(drawable.map(phrase).collect())
}

fn of_table(text: &str) -> Result<Vec<Phrase>, String> {
    let mut rows = Rows::new(text, b',');
    let header = rows.next().ok_or("is empty")?.map_err(|error| error.to_string())?;
    let column = |name: &str| header.cells.iter().position(|cell| cell == name);
    let text_column = column("text").ok_or("has no column `text`; name the column of the phrases so")?;
    let others = ["twin", "language", "category"].map(column);
    let mut phrases = Vec::new();
    for row in rows.take(MAX_ROWS) {
        let row = row.map_err(|error| error.to_string())?;
        if !row.quotes_balanced || row.cells.len() != header.cells.len() {
            return Err(format!(
                "line {} has not as many cells as the header; put cells that hold a comma into quotes",
                row.line
            ));
        }
        let cell = |column: Option<usize>| column.and_then(|column| row.cells.get(column)).map_or("", |cell| cell.trim());
        let [twin, language, category] = others.map(|column| cell(column).to_owned());
        let text = cell(Some(text_column)).to_owned();
        if !text.is_empty() {
            phrases.push(Phrase { line: row.line, text, twin, language, category, expected: None });
        }
    }
    Ok(phrases)
}

fn of_lines(text: &str) -> Vec<Phrase> {
    let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty()).take(MAX_ROWS);
    let phrase = |(line, text): (usize, &str)| Phrase {
        line,
        text: text.to_owned(),
        twin: String::new(),
        language: String::new(),
        category: String::new(),
        expected: None,
    };
    lines.map(phrase).collect()
}
