//! Writes the corpus folder of a rendering.

use std::fs;
use std::path::{Path, PathBuf};

use lacuna_content::image::{Area, FontIdentity};
use lacuna_model::FileFacts;

use super::super::import::{create, quoted};
use super::super::item::{COLUMNS, CorpusKind, Expected};
use super::options::{RenderAs, RenderError, RenderOptions};

/// The columns of `pictures.csv` or `documents.csv`: how each file was made, and what it is, as far as `items.csv` does not say it.
const FILE_COLUMNS: [&str; 10] =
    ["item_id", "style", "text_box", "nonce", "width", "height", "bytes", "md5", "sha256", "perceptual_hash"];

/// A file that was made.
pub(super) struct NewFile<'a> {
    pub(super) id: String,
    pub(super) kind: CorpusKind,
    /// The ending of its name.
    pub(super) extension: &'static str,
    pub(super) text: &'a str,
    pub(super) language: &'a str,
    pub(super) category: &'a str,
    pub(super) expected: Option<Expected>,
    /// The item of which this is the harmless twin.
    pub(super) twin_of: Option<String>,
    /// What a reader should know.
    pub(super) notes: String,
    /// Of a picture: its style, and where its letters are.
    pub(super) look: Option<(&'static str, Area)>,
    pub(super) nonce: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) facts: FileFacts,
}

/// A corpus folder in the making.
pub(super) struct Folder {
    path: PathBuf,
    items: csv::Writer<Vec<u8>>,
    files: csv::Writer<Vec<u8>>,
}

impl Folder {
    /// Makes the folder, which must not be there.
    pub(super) fn make(path: &Path) -> Result<Self, RenderError> {
        fs::create_dir(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => RenderError::OutExists(path.to_owned()),
            _ => RenderError::Write { path: path.to_owned(), source },
        })?;
        let failed = |source| RenderError::Write { path: path.to_owned(), source };
        fs::create_dir(path.join("files")).map_err(failed)?;
        let table = |columns: &[&str]| {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(columns).map(|()| writer).map_err(|error| failed(error.into()))
        };
        Ok(Self { path: path.to_owned(), items: table(&COLUMNS)?, files: table(&FILE_COLUMNS)? })
    }

    pub(super) fn add(&mut self, new: &NewFile) -> Result<(), RenderError> {
        let file = format!("files/{}.{}", new.id, new.extension);
        let path = self.path.join(&file);
        create(&path, &new.bytes).map_err(|source| RenderError::Write { path, source })?;
        let is_twin = new.twin_of.is_some();
        let category = match new.category {
            _ if is_twin => "twin",
            "" => "uncategorised",
            category => category,
        };
        let expected = if is_twin { Some(Expected::Delivered) } else { new.expected };
        let item = COLUMNS.map(|column| match column {
            "item_id" => new.id.as_str(),
            "kind" => new.kind.as_str(),
            "file" => &file,
            "language" => new.language,
            "category" => category,
            "expected" => expected.map_or("", Expected::as_str),
            "notes" => &new.notes,
            "text_in_file" => new.text,
            "twin_of" => new.twin_of.as_deref().unwrap_or_default(),
            _ => "",
        });
        let failed = |path: &Path, error: csv::Error| RenderError::Write { path: path.to_owned(), source: error.into() };
        self.items.write_record(item).map_err(|error| failed(&self.path, error))?;
        let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        let row: [&str; FILE_COLUMNS.len()] = [
            &new.id,
            new.look.map_or("", |(style, _)| style),
            &new.look.map(|(_, text_box)| text_box.to_string()).unwrap_or_default(),
            &new.nonce.to_string(),
            &number(new.facts.width),
            &number(new.facts.height),
            &new.facts.bytes.to_string(),
            &new.facts.md5,
            &new.facts.sha256,
            new.facts.perceptual_hash.as_deref().unwrap_or_default(),
        ];
        self.files.write_record(row).map_err(|error| failed(&self.path, error))
    }

    /// Writes the tables and the head.
    pub(super) fn finish(self, options: &RenderOptions, fonts: &[FontIdentity]) -> Result<(), RenderError> {
        let Self { path, items, files } = self;
        let head = head(options, fonts);
        let into_bytes = |writer: csv::Writer<Vec<u8>>| writer.into_inner().map_err(csv::IntoInnerError::into_error);
        let table = if matches!(options.kind, RenderAs::Pictures(_)) { "pictures.csv" } else { "documents.csv" };
        let files = [(table, into_bytes(files)), ("items.csv", into_bytes(items)), ("corpus.toml", Ok(head.into_bytes()))];
        for (name, bytes) in files {
            let path = path.join(name);
            bytes.and_then(|bytes| create(&path, &bytes)).map_err(|source| RenderError::Write { path, source })?;
        }
        Ok(())
    }
}

fn head(options: &RenderOptions, fonts: &[FontIdentity]) -> String {
    let named = |font: &FontIdentity| format!("{} (face {}, sha256 {})", font.family, font.face, font.sha256);
    let fonts: Vec<String> = fonts.iter().map(named).collect();
    let with = if fonts.is_empty() { String::new() } else { format!(" with {}", fonts.join("; ")) };
    let source = format!("Rendered by lacuna {}{with}", env!("CARGO_PKG_VERSION"));
    let version = format!("seed-{}", options.seed);
    let keys = [
        ("id", options.id.as_str()),
        ("title", &options.title),
        ("version", &version),
        ("licence", &options.licence),
        ("source", &source),
        ("citation", ""),
        ("language", "und"),
        ("content-warning", "Phrases of a list; what the list warns of holds for them."),
    ];
    let lines = keys.map(|(key, value)| format!("{key} = {}", quoted(value)));
    format!("{}\n", lines.join("\n"))
}
