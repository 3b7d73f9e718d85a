//! Writes the corpus folder of a rendering.

use std::fs;
use std::path::{Path, PathBuf};

use lacuna_content::image::{Area, FontIdentity, Inspection};

use super::super::import::{create, quoted};
use super::super::item::{Expected, TEXT_COLUMNS};
use super::options::{RenderError, RenderOptions};

/// The columns of `pictures.csv`: how each picture was made, and what it is.
const PICTURE_COLUMNS: [&str; 12] =
    ["item_id", "text", "style", "twin_of", "text_box", "nonce", "width", "height", "bytes", "md5", "sha256", "perceptual_hash"];

/// A picture that was made.
pub(super) struct NewPicture<'a> {
    pub(super) id: String,
    pub(super) text: &'a str,
    pub(super) language: &'a str,
    pub(super) category: &'a str,
    pub(super) expected: Option<Expected>,
    pub(super) style: &'static str,
    /// The item of which this is the harmless twin.
    pub(super) twin_of: Option<String>,
    pub(super) text_box: Area,
    pub(super) nonce: u64,
    pub(super) inspection: Inspection,
}

/// A corpus folder in the making.
pub(super) struct Folder {
    path: PathBuf,
    items: csv::Writer<Vec<u8>>,
    pictures: csv::Writer<Vec<u8>>,
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
        Ok(Self { path: path.to_owned(), items: table(&TEXT_COLUMNS)?, pictures: table(&PICTURE_COLUMNS)? })
    }

    pub(super) fn add(&mut self, picture: &NewPicture, bytes: &[u8]) -> Result<(), RenderError> {
        let file = format!("files/{}.png", picture.id);
        let path = self.path.join(&file);
        create(&path, bytes).map_err(|source| RenderError::Write { path, source })?;
        let is_twin = picture.twin_of.is_some();
        let category = match picture.category {
            _ if is_twin => "twin",
            "" => "uncategorised",
            category => category,
        };
        let expected = if is_twin { Some(Expected::Delivered) } else { picture.expected };
        let expected = expected.map_or("", Expected::as_str);
        let item = [&picture.id, "image", "", &file, picture.language, category, expected, "", "", ""];
        let failed = |path: &Path, error: csv::Error| RenderError::Write { path: path.to_owned(), source: error.into() };
        self.items.write_record(item).map_err(|error| failed(&self.path, error))?;
        let Inspection { width, height, bytes, md5, sha256, perceptual, .. } = &picture.inspection;
        let row: [&str; PICTURE_COLUMNS.len()] = [
            &picture.id,
            picture.text,
            picture.style,
            picture.twin_of.as_deref().unwrap_or_default(),
            &picture.text_box.to_string(),
            &picture.nonce.to_string(),
            &width.to_string(),
            &height.to_string(),
            &bytes.to_string(),
            md5,
            sha256,
            &perceptual.to_string(),
        ];
        self.pictures.write_record(row).map_err(|error| failed(&self.path, error))
    }

    /// Writes the tables and the head.
    pub(super) fn finish(self, options: &RenderOptions, fonts: &[FontIdentity]) -> Result<(), RenderError> {
        let Self { path, items, pictures } = self;
        let head = head(options, fonts);
        let into_bytes = |writer: csv::Writer<Vec<u8>>| writer.into_inner().map_err(csv::IntoInnerError::into_error);
        let files =
            [("pictures.csv", into_bytes(pictures)), ("items.csv", into_bytes(items)), ("corpus.toml", Ok(head.into_bytes()))];
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
    let source = format!("Rendered by lacuna {} with {}", env!("CARGO_PKG_VERSION"), fonts.join("; "));
    let version = format!("seed-{}", options.seed);
    let keys = [
        ("id", options.id.as_str()),
        ("title", &options.title),
        ("version", &version),
        ("licence", &options.licence),
        ("source", &source),
        ("citation", ""),
        ("language", "und"),
        ("content-warning", "Pictures of phrases of a list; what the list warns of holds for them."),
    ];
    keys.into_iter().map(|(key, value)| format!("{key} = {}\n", quoted(value))).collect()
}
