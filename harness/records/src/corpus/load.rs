//! Reads a corpus folder for use: whatever keeps an item from being sent as it stands is a problem.

use std::collections::HashMap;
use std::path::{Component, Path};

use lacuna_model::Problem;
use sha2::{Digest as _, Sha256};

use super::characters::shown;
use super::collector::Collector;
use super::head::{self, Head};
use super::item::{COLUMNS, Corpus, CorpusItem, CorpusKind, Expected, REQUIRED_COLUMNS};
use super::kept::kept;
use super::table::{MAX_CELL_BYTES, MAX_ROWS, Row, Rows, read_bounded};

/// How many broken UTF-8 sequences of a file are listed one by one.
const MAX_BROKEN_SEQUENCES: usize = 20;

/// Reads `corpus.toml` and `items.csv` of a folder. There is a corpus only if there is no problem.
#[must_use]
pub fn load(folder: &Path) -> (Option<Corpus>, Vec<Problem>) {
    read(folder, |_, _, _| {})
}

/// Reads a corpus and shows each row that has the right number of cells to `inspect`: its line, its cells in the order
/// of [`COLUMNS`], its components.
pub(super) fn read(folder: &Path, mut inspect: impl FnMut(&Cells, &[String], &mut Collector)) -> (Option<Corpus>, Vec<Problem>) {
    let mut hasher = Sha256::new();
    let head_path = folder.join("corpus.toml");
    let mut head_problems = Collector::new(&head_path);
    let head = text_of(&head_path, &mut hasher, &mut head_problems).map(|text| head::read(&text, &mut head_problems));

    let items_path = folder.join("items.csv");
    let mut problems = Collector::new(&items_path);
    let empty = Head::new();
    let reader = ItemReader { folder, head: head.as_ref().unwrap_or(&empty) };
    let items = match text_of(&items_path, &mut hasher, &mut problems) {
        Some(text) => reader.items(&text, &mut problems, &mut inspect),
        None => Vec::new(),
    };

    let corpus = match head {
        Some(head) if head_problems.is_clean() && problems.is_clean() => Some(assemble(head, items, hasher)),
        _ => None,
    };
    let mut all = head_problems.finish();
    all.extend(problems.finish());
    (corpus, all)
}

fn assemble(mut head: Head, items: Vec<CorpusItem>, hasher: Sha256) -> Corpus {
    let mut take = |key| head.remove(key).unwrap_or_default();
    Corpus {
        id: take("id"),
        title: take("title"),
        version: take("version"),
        licence: take("licence"),
        source: take("source"),
        citation: take("citation"),
        language: take("language"),
        content_warning: take("content-warning"),
        component_joiner: head.remove("component-joiner"),
        sha256: hexadecimal(&hasher.finalize()),
        items,
    }
}

/// Small hexadecimal digits, two a byte.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The file's text. Broken UTF-8 is reported and replaced, so that the rest can be read.
fn text_of(path: &Path, hasher: &mut Sha256, problems: &mut Collector) -> Option<String> {
    let bytes = match read_bounded(path) {
        Ok(bytes) => bytes,
        Err(message) => {
            problems.report((0, 0), "", message, "");
            return None;
        }
    };
    hasher.update(&bytes);
    let bytes = if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        problems.report((1, 1), "", "begins with a byte order mark", "save it as UTF-8 without BOM");
        rest
    } else {
        &bytes[..]
    };
    let (mut offset, mut line, mut broken) = (0, 1, 0_usize);
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        offset += chunk.valid().len();
        line += chunk.valid().matches('\n').count();
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            broken += 1;
            if broken <= MAX_BROKEN_SEQUENCES {
                problems.report(
                    (line, 0),
                    "",
                    format!("is not UTF-8 at byte {offset}"),
                    "save it as UTF-8, or use `lacuna corpus import`",
                );
            }
            text.push(char::REPLACEMENT_CHARACTER);
            offset += chunk.invalid().len();
        }
    }
    if broken > MAX_BROKEN_SEQUENCES {
        problems.report((line, 0), "", format!("is not UTF-8 at {} more places", broken - MAX_BROKEN_SEQUENCES), "");
    }
    Some(text)
}

/// The cells of one row in the order of [`COLUMNS`].
pub(super) struct Cells {
    /// The line on which the row begins, from 1.
    pub(super) line: usize,
    cells: [String; COLUMNS.len()],
}

impl Cells {
    /// The cell of a column; empty for a column that the file does not have.
    pub(super) fn get(&self, column: &str) -> &str {
        COLUMNS.iter().position(|name| *name == column).map_or("", |index| &self.cells[index])
    }

    fn take(&mut self, column: &str) -> String {
        COLUMNS.iter().position(|name| *name == column).map_or_else(String::new, |index| std::mem::take(&mut self.cells[index]))
    }
}

struct ItemReader<'a> {
    folder: &'a Path,
    head: &'a Head,
}

impl ItemReader<'_> {
    fn items(
        &self,
        text: &str,
        problems: &mut Collector,
        inspect: &mut impl FnMut(&Cells, &[String], &mut Collector),
    ) -> Vec<CorpusItem> {
        let mut rows = Rows::new(text, b',');
        let Some(Ok(header)) = rows.next() else {
            problems.report((1, 0), "", "has no header", format!("begin with {}", COLUMNS.join(",")));
            return Vec::new();
        };
        let places = places(&header, problems);
        let mut items = Vec::new();
        let mut lines_of_ids = HashMap::new();
        for (index, row) in rows.enumerate() {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    problems.report((0, 0), "", error.to_string(), "");
                    break;
                }
            };
            if index == MAX_ROWS {
                problems.report((row.line, 0), "", format!("has more than {MAX_ROWS} rows"), "split it into several corpora");
                break;
            }
            let Some(cells) = arrange(row, &places, problems) else { continue };
            if let Some(first) = lines_of_ids.get(cells.get("item_id")) {
                let message = format!("`{}` is already the id of line {first}", shown(cells.get("item_id")));
                problems.report((cells.line, 0), "item_id", message, "give each item an id of its own");
            } else {
                lines_of_ids.insert(cells.get("item_id").to_owned(), cells.line);
            }
            let components = self.components(&cells);
            inspect(&cells, &components, problems);
            items.extend(self.item(cells, components, problems));
        }
        check_references(&items, problems);
        if items.is_empty() && problems.is_clean() {
            problems.report((0, 0), "", "has no items", "add a row for each item");
        }
        items
    }

    /// Only messages are combinations: a plus in a web address or a caption joins nothing.
    fn components(&self, cells: &Cells) -> Vec<String> {
        let text = cells.get("text");
        match self.head.get("component-joiner").filter(|joiner| !joiner.is_empty()) {
            _ if text.is_empty() => Vec::new(),
            Some(joiner) if cells.get("kind") == CorpusKind::Text.as_str() && text.contains(joiner.as_str()) => {
                text.split(joiner.as_str()).map(|component| component.trim().to_owned()).collect()
            }
            _ => vec![text.to_owned()],
        }
    }

    fn item(&self, mut cells: Cells, components: Vec<String>, problems: &mut Collector) -> Option<CorpusItem> {
        let at = (cells.line, 0);
        let id = cells.get("item_id");
        if !is_item_id(id) {
            let fix = "use letters, digits, `.`, `_` and `-`, at most 64, beginning with a letter or digit";
            problems.report(at, "item_id", format!("`{}` is no item id", shown(id)), fix);
        }
        let kind = CorpusKind::ALL.into_iter().find(|kind| kind.as_str() == cells.get("kind"));
        if kind.is_none() {
            let known = CorpusKind::ALL.map(CorpusKind::as_str).join(", ");
            problems.report(
                at,
                "kind",
                format!("`{}` is no kind of item", shown(cells.get("kind"))),
                format!("use one of {known}"),
            );
        }
        let expected = Expected::ALL.into_iter().find(|expected| expected.as_str() == cells.get("expected"));
        if expected.is_none() && !cells.get("expected").is_empty() {
            let message = format!("`{}` is no expectation", shown(cells.get("expected")));
            problems.report(at, "expected", message, "leave it empty, or write delivered or dropped");
        }
        let variant: Option<u32> = match cells.get("variant") {
            "" => Some(0),
            number => number.parse().ok(),
        };
        if variant.is_none() {
            let message = format!("`{}` is no number", shown(cells.get("variant")));
            problems.report(at, "variant", message, "count the copies from 1, or leave it empty");
        }
        if let Some(kind) = kind {
            self.check_content(kind, &cells, problems);
        }
        if components.iter().any(String::is_empty) {
            problems.report(
                at,
                "text",
                "has an empty component",
                "remove the joiner too many, or leave component-joiner out of corpus.toml",
            );
        }
        if let Some(control) =
            cells.get("text").chars().find(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
        {
            problems.report(at, "text", format!("holds the control character U+{:04X}", u32::from(control)), "remove it");
        }
        let language = match cells.take("language") {
            stated if !stated.is_empty() => stated,
            _ => self.head.get("language").cloned().unwrap_or_default(),
        };
        Some(CorpusItem {
            kind: kind?,
            id: cells.take("item_id"),
            text: cells.take("text"),
            components,
            file: Some(cells.take("file")).filter(|file| !file.is_empty()),
            language,
            category: cells.take("category"),
            expected,
            source_url: cells.take("source_url"),
            date_added: cells.take("date_added"),
            notes: cells.take("notes"),
            text_in_file: cells.take("text_in_file"),
            metadata_in_file: cells.take("metadata_in_file"),
            base: cells.take("base"),
            transform: cells.take("transform"),
            variant: variant.unwrap_or_default(),
            twin_of: cells.take("twin_of"),
            same_md5_as: cells.take("same_md5_as"),
            line: cells.line,
        })
    }

    fn check_content(&self, kind: CorpusKind, cells: &Cells, problems: &mut Collector) {
        let at = (cells.line, 0);
        let file = cells.get("file");
        match (kind.has_file(), file.is_empty()) {
            (true, true) => problems.report(
                at,
                "file",
                format!("an item of kind {} needs a file", kind.as_str()),
                "name it, relative to the corpus folder",
            ),
            (true, false) => {
                if let Err((message, fix)) = check_file(self.folder, file) {
                    problems.report(at, "file", format!("`{}` {message}", shown(file)), fix);
                }
            }
            (false, false) => problems.report(
                at,
                "file",
                format!("an item of kind {} sends no file", kind.as_str()),
                "empty the cell, or change the kind",
            ),
            (false, true) => {}
        }
        if !kind.has_file() && cells.get("text").trim().is_empty() {
            problems.report(at, "text", "is empty", "write the message");
        }
    }
}

/// Where each of [`COLUMNS`] stands in the file's header.
fn places(header: &Row, problems: &mut Collector) -> Vec<Option<usize>> {
    let at = (header.line, 0);
    let mut places = Vec::with_capacity(header.cells.len());
    for (index, name) in header.cells.iter().enumerate() {
        let place = COLUMNS.iter().position(|column| column == name);
        if place.is_none() {
            problems.report(at, &shown(name), "unknown column", format!("the columns are {}", COLUMNS.join(",")));
        } else if header.cells[..index].contains(name) {
            problems.report(at, name, "the column is there twice", "remove one of the two");
        }
        places.push(place);
    }
    for required in REQUIRED_COLUMNS.into_iter().filter(|required| !header.cells.iter().any(|name| name == required)) {
        problems.report(at, required, "the column is missing", "add it to the header and to each row");
    }
    places
}

fn arrange(row: Row, places: &[Option<usize>], problems: &mut Collector) -> Option<Cells> {
    let at = (row.line, 0);
    if !row.quotes_balanced {
        problems.report(at, "", "a quote is opened and never closed", "close it; inside a quoted cell write \"\" for a quote");
        return None;
    }
    if row.cells.len() != places.len() {
        let message = format!("has {} cells where the header has {}", row.cells.len(), places.len());
        problems.report(at, "", message, "put cells that hold a comma into quotes");
        return None;
    }
    let mut cells = Cells { line: row.line, cells: Default::default() };
    for (cell, place) in row.cells.into_iter().zip(places) {
        let Some(place) = *place else { continue };
        if cell.len() > MAX_CELL_BYTES {
            problems.report(at, COLUMNS[place], format!("the cell is larger than {} kB", MAX_CELL_BYTES / 1_000), "shorten it");
            return None;
        }
        cells.cells[place] = cell;
    }
    Some(cells)
}

/// What names another item must name one that is there, and not itself.
fn check_references(items: &[CorpusItem], problems: &mut Collector) {
    let bases: HashMap<&str, &str> = items.iter().map(|item| (item.id.as_str(), item.base.as_str())).collect();
    for item in items {
        for (column, named) in [("base", &item.base), ("twin_of", &item.twin_of), ("same_md5_as", &item.same_md5_as)] {
            if !named.is_empty() && (!bases.contains_key(named.as_str()) || *named == item.id) {
                let message = format!("`{}` is no other item of this corpus", shown(named));
                problems.report((item.line, 0), column, message, "name the id of an item of this table, or leave it empty");
            }
        }
        if let Some(other) = bases.get(item.base.as_str()).filter(|other| !other.is_empty()) {
            let message = format!("`{}` is itself made of `{}`", shown(&item.base), shown(other));
            problems.report((item.line, 0), "base", message, "name the original");
        }
        if kept(&item.transform).is_none() {
            let message = format!("`{}` is no transform", shown(&item.transform));
            problems.report(
                (item.line, 0),
                "transform",
                message,
                "write it as `lacuna corpus transform` does, or leave it empty",
            );
        }
    }
}

/// Letters, digits, `.`, `_`, `-`, at most 64, beginning with a letter or digit.
fn is_item_id(id: &str) -> bool {
    id.len() <= 64
        && id.starts_with(|first: char| first.is_ascii_alphanumeric())
        && id.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-'))
}

/// A regular file inside the folder, symbolic links followed.
pub(super) fn check_file(folder: &Path, file: &str) -> Result<(), (&'static str, &'static str)> {
    const LEAVES: (&str, &str) = ("leaves the corpus folder", "put the file into the corpus folder and name it relative to that");
    if file.contains('\\') || Path::new(file).components().any(|part| !matches!(part, Component::Normal(_))) {
        return Err(LEAVES);
    }
    let path = folder.join(file);
    match (folder.canonicalize(), path.canonicalize()) {
        (Ok(folder), Ok(path)) if !path.starts_with(&folder) => Err(LEAVES),
        (Ok(_), Ok(path)) if path.is_file() => Ok(()),
        _ => Err(("is no file in the corpus folder", "add the file, or correct its name")),
    }
}
