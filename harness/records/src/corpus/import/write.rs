//! Writes the corpus folder of an import.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::super::item::TEXT_COLUMNS;
use super::options::{ImportError, ImportOptions};
use super::wording::JOINER;

/// An item in the making. Its kind is text, it has no file and no expectation.
pub(super) struct NewItem {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) language: String,
    pub(super) category: String,
    pub(super) source_url: String,
    pub(super) date_added: String,
    pub(super) notes: Vec<String>,
}

/// Between the notes of an item.
pub(super) const NOTE_SEPARATOR: &str = " | ";

const CONTENT_WARNING: &str =
    "Taken from a list of filtered terms: political, religious and other material, some of it offensive or distressing.";

/// Makes the folder, which must not be there, and both files in it.
pub(super) fn write(
    out: &Path,
    options: &ImportOptions,
    version: &str,
    has_joiner: bool,
    items: &[NewItem],
) -> Result<(), ImportError> {
    fs::create_dir(out).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => ImportError::OutExists(out.to_owned()),
        _ => ImportError::Write { path: out.to_owned(), source },
    })?;
    let path = out.join("items.csv");
    table(items).and_then(|bytes| create(&path, &bytes)).map_err(|source| ImportError::Write { path, source })?;
    let path = out.join("corpus.toml");
    create(&path, head(options, version, has_joiner).as_bytes()).map_err(|source| ImportError::Write { path, source })
}

/// Writes a file that must not be there yet.
pub(in crate::corpus) fn create(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn table(items: &[NewItem]) -> std::io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(TEXT_COLUMNS)?;
    for item in items {
        let notes = item.notes.join(NOTE_SEPARATOR);
        let (language, category) = (&*item.language, &*item.category);
        writer.write_record([
            &*item.id,
            "text",
            &item.text,
            "",
            language,
            category,
            "",
            &item.source_url,
            &item.date_added,
            &notes,
        ])?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

fn head(options: &ImportOptions, version: &str, has_joiner: bool) -> String {
    let language = options.language.as_deref().unwrap_or("und");
    let mut keys = vec![
        ("id", &*options.id),
        ("title", &options.title),
        ("version", version),
        ("licence", &options.licence),
        ("source", &options.source),
        ("citation", ""),
        ("language", language),
        ("content-warning", CONTENT_WARNING),
    ];
    if has_joiner {
        keys.push(("component-joiner", JOINER));
    }
    let mut text = String::new();
    for (key, value) in keys {
        text.extend([
            key,
            " = ",
            &quoted(value),
            "
",
        ]);
    }
    text
}

/// A TOML basic string.
pub(in crate::corpus) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted.extend([format!("\\u{:04X}", u32::from(control))]),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
