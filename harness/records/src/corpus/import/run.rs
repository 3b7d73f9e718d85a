//! The import itself.

use std::collections::HashMap;
use std::path::Path;

use lacuna_model::{Location, Problem};
use sha2::{Digest as _, Sha256};

use super::super::characters::{normal_form, shown};
use super::super::head::{is_corpus_id, is_language_tag};
use super::super::load::hexadecimal;
use super::super::table::{MAX_CELL_BYTES, MAX_COLUMNS, MAX_ROWS, Row, Rows, read_bounded};
use super::columns::Columns;
use super::decode::decode;
use super::options::{Change, ImportError, ImportOptions, ImportReport, JoinerChoice};
use super::values::{DayOrder, day, day_order, language_tag};
use super::wording::{Wording, wording};
use super::write::{NOTE_SEPARATOR, NewItem, write};

/// The category of rows that state none.
const NO_CATEGORY: &str = "uncategorised";
/// With more rows refused or merged, the list is not what it was taken for. Keeps the report within bounds.
const MAX_REPORTED_ROWS: usize = 100_000;

/// Makes a corpus folder `out` of a list: a table (`.csv`, `.tsv`) with a header, or plain text with one rule a line.
///
/// Every row becomes an item, is merged into an earlier one with the same text in normal form, or is refused; the report
/// names each of the latter two with its line. What a corpus has no column for stands in an item's notes, and so does the
/// row's text where it was changed. Ids are derived from the normal form alone, so that a longer list gives the same
/// items the same ids.
pub fn import(list: &Path, out: &Path, options: &ImportOptions) -> Result<ImportReport, ImportError> {
    check_options(options)?;
    if out.symlink_metadata().is_ok() {
        return Err(ImportError::OutExists(out.to_owned()));
    }
    let unreadable = |reason: String| ImportError::Unreadable { path: list.to_owned(), reason };
    let bytes = read_bounded(list).map_err(unreadable)?;
    let decoded = decode(list, &bytes, options.encoding.as_deref())?;
    let (columns, rows) = table(list, &decoded.text, options)?;
    let is_table = list_delimiter(list).is_some();
    let mut importer = Importer::new(list, options, columns, &rows);
    decoded.encoding.name().clone_into(&mut importer.report.encoding);
    importer.report.byte_order_mark = decoded.byte_order_mark;
    importer.report.text_column = is_table.then(|| importer.columns.names[importer.columns.text].clone());
    for row in &rows {
        importer.take(row);
        if importer.report.refused.len() + importer.report.merged.len() > MAX_REPORTED_ROWS {
            return Err(unreadable(format!(
                "has more than {MAX_REPORTED_ROWS} rows that repeat others or cannot be taken; check its encoding and the text column"
            )));
        }
    }
    let Importer { items, mut report, .. } = importer;
    report.items = items.len();
    if items.is_empty() {
        let first = report.refused.first().map(ToString::to_string).unwrap_or_default();
        return Err(ImportError::NothingTaken { path: list.to_owned(), rows: report.rows, first });
    }
    let version = format!("sha256-{}", &hexadecimal(&Sha256::digest(&bytes))[..16]);
    write(out, options, &version, options.joiner != JoinerChoice::None, &items)?;
    Ok(report)
}

fn check_options(options: &ImportOptions) -> Result<(), ImportError> {
    let wrong =
        |option, value: &str, fix: &str| Err(ImportError::Option { option, value: value.to_owned(), fix: fix.to_owned() });
    if !is_corpus_id(&options.id) {
        return wrong("id", &options.id, "use small letters, digits and hyphens, at most 64");
    }
    for (option, value) in [("title", &options.title), ("licence", &options.licence)] {
        if value.is_empty() {
            return wrong(option, value, "it must not be empty");
        }
    }
    match &options.language {
        Some(tag) if !is_language_tag(tag) => wrong("language", tag, "write it like zh-Hans, en or mul"),
        _ => Ok(()),
    }
}

fn list_delimiter(list: &Path) -> Option<u8> {
    let extension = list.extension()?;
    if extension.eq_ignore_ascii_case("csv") {
        Some(b',')
    } else if extension.eq_ignore_ascii_case("tsv") {
        Some(b'\t')
    } else {
        None
    }
}

fn table(list: &Path, text: &str, options: &ImportOptions) -> Result<(Columns, Vec<Row>), ImportError> {
    let unreadable = |reason: String| ImportError::Unreadable { path: list.to_owned(), reason };
    let (columns, rows) = if let Some(delimiter) = list_delimiter(list) {
        let mut rows = Rows::new(text, delimiter);
        let header = rows.next().ok_or_else(|| unreadable("is empty".to_owned()))?;
        let header = header.map_err(|error| unreadable(error.to_string()))?;
        if header.cells.len() > MAX_COLUMNS {
            return Err(unreadable(format!("has more than {MAX_COLUMNS} columns")));
        }
        let columns = Columns::find(list, &header.cells, options.text_column.as_deref())?;
        let rows = rows.take(MAX_ROWS + 1).collect::<Result<Vec<_>, _>>().map_err(|error| unreadable(error.to_string()))?;
        (columns, rows)
    } else if let Some(column) = &options.text_column {
        let fix = "plain text has no columns; name a table .csv or .tsv".to_owned();
        return Err(ImportError::Option { option: "text-column", value: column.clone(), fix });
    } else {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let rows = lines.map(|(line, text)| Row { line, cells: vec![text.to_owned()], quotes_balanced: true });
        (Columns::plain(), rows.take(MAX_ROWS + 1).collect())
    };
    if rows.len() > MAX_ROWS {
        return Err(unreadable(format!("has more than {MAX_ROWS} rows")));
    }
    Ok((columns, rows))
}

struct Importer<'a> {
    list: &'a Path,
    options: &'a ImportOptions,
    columns: Columns,
    day_order: DayOrder,
    items: Vec<NewItem>,
    /// The first item of each normal form, its line, and the length of its notes.
    by_form: HashMap<String, (usize, usize, usize)>,
    report: ImportReport,
}

impl<'a> Importer<'a> {
    fn new(list: &'a Path, options: &'a ImportOptions, columns: Columns, rows: &[Row]) -> Self {
        let dates = rows.iter().filter_map(|row| row.cells.get(columns.date?)).map(|date| date.trim());
        let day_order = day_order(dates);
        let report = ImportReport { rows: rows.len(), ..ImportReport::default() };
        Self { list, options, columns, day_order, items: Vec::new(), by_form: HashMap::new(), report }
    }

    fn problem(&self, line: usize, message: impl Into<String>, fix: &str) -> Problem {
        let location = Location { file: self.list.to_owned(), line, column: 0 };
        Problem { location, key: self.columns.names[self.columns.text].clone(), message: message.into(), fix: fix.to_owned() }
    }

    fn take(&mut self, row: &Row) {
        let line = row.line;
        match self.read(row) {
            Err((message, fix)) => {
                let problem = self.problem(line, message, fix);
                self.report.refused.push(problem);
            }
            Ok((wording, item)) => self.keep(line, &wording, item),
        }
    }

    fn read(&mut self, row: &Row) -> Result<(Wording, NewItem), (&'static str, &'static str)> {
        if !row.quotes_balanced {
            return Err(("a quote is opened and never closed", "close it; it may have swallowed the rows behind it"));
        }
        if row.cells.len() != self.columns.names.len() {
            return Err(("has more or fewer cells than the header", "put cells that hold a comma into quotes"));
        }
        if row.cells.iter().any(|cell| cell.len() > MAX_CELL_BYTES) {
            return Err(("has a cell of more than 1 MB", "shorten it"));
        }
        let listed = &row.cells[self.columns.text];
        let kind = cell(row, self.columns.kind).to_lowercase();
        let called_combination = (!kind.is_empty()).then(|| kind.starts_with("combo") || kind.starts_with("combination"));
        let wording = wording(listed, &self.options.joiner, called_combination)?;
        let text = wording.text();
        let mut changes = wording.changes.clone();
        let mut notes = Vec::new();
        if text != *listed {
            notes.push(format!("as listed: `{}`", shown(listed)));
        }
        let stated = cell(row, self.columns.language);
        let language = language_tag(stated).unwrap_or("").to_owned();
        if language.is_empty() && !stated.is_empty() {
            changes.insert(Change::LanguageUnknown);
            notes.push(self.note(row, self.columns.language));
        }
        let date = cell(row, self.columns.date);
        let (date_added, whole) = day(date, self.day_order).unwrap_or_default();
        if !date.is_empty() && !whole {
            if date_added.is_empty() {
                changes.insert(Change::DateUnclear);
            }
            notes.push(self.note(row, self.columns.date));
        }
        let mut source_url = cell(row, self.columns.source);
        if !source_url.is_empty() && !is_web_address(source_url) {
            notes.push(self.note(row, self.columns.source));
            source_url = "";
        }
        for column in (0..row.cells.len()).filter(|column| self.columns.goes_to_notes(*column)) {
            if !cell(row, Some(column)).is_empty() {
                notes.push(self.note(row, Some(column)));
            }
        }
        for change in changes {
            *self.report.changes.entry(change).or_default() += 1;
        }
        if joined_length(&notes) > MAX_CELL_BYTES {
            return Err(NOTES_TOO_LONG);
        }
        let category = Some(one_line(cell(row, self.columns.category))).filter(|category| !category.is_empty());
        let item = NewItem {
            id: String::new(),
            text,
            language,
            category: category.unwrap_or_else(|| NO_CATEGORY.to_owned()),
            source_url: source_url.to_owned(),
            date_added,
            notes,
        };
        Ok((wording, item))
    }

    fn note(&self, row: &Row, column: Option<usize>) -> String {
        let name = column.map_or("", |column| self.columns.names[column].as_str());
        one_line(&format!("{name}: {}", cell(row, column)))
    }

    fn keep(&mut self, line: usize, wording: &Wording, mut item: NewItem) {
        let form = wording.components.iter().map(|component| normal_form(component)).collect::<Vec<_>>().join("\0");
        if let Some((first, first_line, noted)) = self.by_form.get_mut(&form) {
            let (first, first_line) = (*first, *first_line);
            let mut again = vec![format!("line {line} again: `{}`", shown(&item.text))];
            again.extend(Some(item.date_added).filter(|date| !date.is_empty()));
            again.extend(Some(item.source_url).filter(|url| !url.is_empty()));
            again.extend(item.notes);
            let again = again.join("; ");
            if *noted + again.len() + NOTE_SEPARATOR.len() > MAX_CELL_BYTES {
                let problem = self.problem(line, NOTES_TOO_LONG.0, NOTES_TOO_LONG.1);
                self.report.refused.push(problem);
                return;
            }
            *noted += again.len() + NOTE_SEPARATOR.len();
            self.items[first].notes.push(again);
            *self.report.components.entry(wording.components.len()).or_default() += 1;
            let message = format!("`{}` is the text of line {first_line} again", shown(&wording.text()));
            let problem = self.problem(line, message, "its row is kept in the notes of that item");
            self.report.merged.push(problem);
            return;
        }
        *self.report.components.entry(wording.components.len()).or_default() += 1;
        // 80 bits: among two million items the chance of one collision is below 1e-11.
        item.id = format!("k-{}", &hexadecimal(&Sha256::digest(form.as_bytes()))[..20]);
        self.by_form.insert(form, (self.items.len(), line, joined_length(&item.notes)));
        self.items.push(item);
    }
}

/// The cell of a row, without blanks at the ends; empty where there is none.
fn cell(row: &Row, column: Option<usize>) -> &str {
    column.and_then(|column| row.cells.get(column)).map_or("", |cell| cell.trim())
}

fn is_web_address(text: &str) -> bool {
    (text.starts_with("http://") || text.starts_with("https://")) && one_line(text) == text && !text.contains(' ')
}

/// What refuses a row whose remarks would not fit into a cell.
const NOTES_TOO_LONG: (&str, &str) = ("has more to note than a cell of 1 MB holds", "remove columns or repeated rows");

/// The length of all notes joined, at least.
fn joined_length(notes: &[String]) -> usize {
    notes.iter().map(|note| note.len() + NOTE_SEPARATOR.len()).sum()
}

/// Without what a note must not have: line breaks, tabs, hidden characters.
fn one_line(text: &str) -> String {
    let words = text.split(|character: char| character.is_whitespace() || character.is_control()).filter(|word| !word.is_empty());
    shown(&words.collect::<Vec<_>>().join(" "))
}
