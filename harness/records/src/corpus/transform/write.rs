//! Writes the corpus folder of a transformation.

use std::fs;
use std::path::{Path, PathBuf};

use lacuna_content::image::FontIdentity;
use sha2::{Digest as _, Sha256};

use super::super::import::{create, quoted};
use super::super::item::{COLUMNS, Corpus, CorpusItem, Expected};
use super::super::load::hexadecimal;
use super::options::{TransformFailure, TransformOptions};

/// A corpus folder in the making.
pub(super) struct Folder {
    path: PathBuf,
    items: csv::Writer<Vec<u8>>,
}

impl Folder {
    /// Makes the folder, which must not be there.
    pub(super) fn make(path: &Path) -> Result<Self, TransformFailure> {
        fs::create_dir(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => TransformFailure::OutExists(path.to_owned()),
            _ => TransformFailure::Write { path: path.to_owned(), source },
        })?;
        let failed = |source| TransformFailure::Write { path: path.to_owned(), source };
        fs::create_dir(path.join("files")).map_err(failed)?;
        let mut items = csv::Writer::from_writer(Vec::new());
        items.write_record(COLUMNS).map_err(|error| failed(error.into()))?;
        Ok(Self { path: path.to_owned(), items })
    }

    /// Writes a file into a folder of its own, under the name under which it is to be sent, and its row.
    pub(super) fn add(&mut self, item: &CorpusItem, file_name: &str, bytes: &[u8]) -> Result<(), TransformFailure> {
        let folder = format!("files/{}", item.id);
        let file = format!("{folder}/{file_name}");
        let path = self.path.join(&file);
        let made = fs::create_dir(self.path.join(&folder)).and_then(|()| create(&path, bytes));
        made.map_err(|source| TransformFailure::Write { path, source })?;
        let variant = if item.variant == 0 { String::new() } else { item.variant.to_string() };
        let row: [&str; COLUMNS.len()] = [
            &item.id,
            item.kind.as_str(),
            &item.text,
            &file,
            &item.language,
            &item.category,
            item.expected.map_or("", Expected::as_str),
            &item.source_url,
            &item.date_added,
            &item.notes,
            &item.text_in_file,
            &item.metadata_in_file,
            &item.base,
            &item.transform,
            &variant,
            &item.twin_of,
            // The other file is not in this corpus.
            "",
        ];
        let failed = |error: csv::Error| TransformFailure::Write { path: self.path.clone(), source: error.into() };
        self.items.write_record(row).map_err(failed)
    }

    /// Writes the table and the head.
    pub(super) fn finish(
        self,
        options: &TransformOptions,
        corpus: &Corpus,
        fonts: &[FontIdentity],
    ) -> Result<(), TransformFailure> {
        let Self { path, items } = self;
        let items = items.into_inner().map_err(csv::IntoInnerError::into_error);
        for (name, bytes) in [("items.csv", items), ("corpus.toml", Ok(head(options, corpus, fonts).into_bytes()))] {
            let path = path.join(name);
            bytes.and_then(|bytes| create(&path, &bytes)).map_err(|source| TransformFailure::Write { path, source })?;
        }
        Ok(())
    }
}

fn head(options: &TransformOptions, corpus: &Corpus, fonts: &[FontIdentity]) -> String {
    let named = |font: &FontIdentity| format!("{} (face {}, sha256 {})", font.family, font.face, font.sha256);
    let fonts: Vec<String> = fonts.iter().map(named).collect();
    let with = if fonts.is_empty() { String::new() } else { format!(" with {}", fonts.join("; ")) };
    let Corpus { id, version, sha256, .. } = corpus;
    let lacuna = env!("CARGO_PKG_VERSION");
    let source = format!("Transformed by lacuna {lacuna} from the corpus {id}, version {version}, sha256 {sha256}{with}");
    let (title, version) = (format!("{}, transformed", corpus.title), format!("seed-{}", options.seed));
    let keys = [
        ("id", options.id.as_str()),
        ("title", &title),
        ("version", &version),
        ("licence", &corpus.licence),
        ("source", &source),
        ("citation", &corpus.citation),
        ("language", &corpus.language),
        ("content-warning", &corpus.content_warning),
    ];
    let lines: Vec<String> = keys.into_iter().map(|(key, value)| format!("{key} = {}\n", quoted(value))).collect();
    lines.concat()
}

/// An id from a hash of 80 bits: among a hundred thousand items the chance of one collision is below 1e-14.
pub(super) fn hashed_id(name: &str) -> String {
    let digest = hexadecimal(&Sha256::digest(name.as_bytes()));
    format!("t-{}", digest.get(..20).unwrap_or_default())
}

/// What makes the hash of a picture that is drawn its own.
pub(super) fn nonce(seed: u64, id: &str) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(id.as_bytes()).finalize();
    digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
