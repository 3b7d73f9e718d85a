//! The files of a corpus: whether they can be sent, and pictures told apart.

use std::path::Path;

use lacuna_content::document::{self, DocumentError};
use lacuna_content::image::{DecodeError, Distinct, Format, Inspection, Limits, inspect};

use super::characters::shown;
use super::collector::Collector;
use super::item::CorpusKind;
use super::load::{Cells, check_file};
use super::table::read_at_most;

/// Pictures with a shorter side are not told apart once a platform has shrunk them.
const SHORTEST_SIDE: u32 = 32;
/// So many pictures are compared with each other; what is kept of each has 6 kB.
const MOST_COMPARED: usize = 20_000;

/// The files of a corpus, and the pictures among them that were looked at.
pub(super) struct Files<'a> {
    folder: &'a Path,
    limits: Limits,
    distinct: Distinct,
    /// The lines of the pictures in `distinct`.
    lines: Vec<usize>,
}

impl<'a> Files<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Self { folder, limits: Limits::default(), distinct: Distinct::new(), lines: Vec::new() }
    }

    /// Reports what is wrong with the file of a row. That it is there and inside the folder, every reader checks.
    pub(super) fn check(&mut self, cells: &Cells, problems: &mut Collector) {
        let file = cells.get("file");
        if file.is_empty() || check_file(self.folder, file).is_err() {
            return;
        }
        let path = self.folder.join(file);
        let found = match cells.get("kind") {
            kind if kind == CorpusKind::Image.as_str() => self.check_picture(cells, &path),
            kind if kind == CorpusKind::Document.as_str() => check_document(&path),
            _ => return,
        };
        for (message, fix) in found {
            problems.report((cells.line, 0), "file", format!("`{}` {message}", shown(file)), fix);
        }
    }

    fn check_picture(&mut self, cells: &Cells, path: &Path) -> Vec<(String, String)> {
        let bytes = match read_at_most(path, self.limits.bytes) {
            Ok(bytes) => bytes,
            Err(message) => return vec![(message, "use a smaller file".to_owned())],
        };
        let inspection = match inspect(&bytes, &self.limits) {
            Ok(inspection) => inspection,
            Err(error) => return vec![(error.to_string(), fix_of(&error).to_owned())],
        };
        let Inspection { format, width, height, animated, .. } = inspection;
        let mut found = Vec::new();
        if Format::of_extension(extension(path)) != Some(format) {
            let fix = format!("let its name end in .{}", format.extensions()[0]);
            found.push((format!("is a {format}, which its name does not say"), fix));
        }
        if animated {
            found.push(("moves; only its first frame is compared".to_owned(), "use a picture with one frame".to_owned()));
        }
        if width.min(height) < SHORTEST_SIDE {
            let message = format!("has {width} × {height} pixels, too few to be recognised");
            found.push((message, "use a picture of at least 32 × 32 pixels".to_owned()));
        }
        // Twins and what was made from another item are meant to look alike.
        let original = cells.get("base").is_empty() && cells.get("twin_of").is_empty();
        if original && self.lines.len() < MOST_COMPARED {
            match self.distinct.add(&inspection.appearance) {
                Ok(()) => self.lines.push(cells.line),
                Err(earlier) => {
                    let line = self.lines.get(earlier).copied().unwrap_or_default();
                    let message =
                        format!("looks too much like the picture of line {line} to be told apart once a platform re-encodes it");
                    found.push((message, "keep one of the two, or name the other as its base or twin_of".to_owned()));
                }
            }
        }
        found
    }
}

fn check_document(path: &Path) -> Vec<(String, String)> {
    let bytes = match read_at_most(path, document::LARGEST) {
        Ok(bytes) => bytes,
        Err(message) => return vec![(message, "use a smaller file".to_owned())],
    };
    match document::examine(&bytes, document::LARGEST) {
        Ok(format) if document::Format::of_extension(extension(path)) == Some(format) => Vec::new(),
        Ok(format) => {
            vec![(format!("is a {format}, which its name does not say"), format!("let its name end in .{format}"))]
        }
        Err(error) => {
            let fix = match error {
                DocumentError::Empty | DocumentError::Truncated { .. } => {
                    "take it from its source once more, or take the item out"
                }
                DocumentError::TooLong { .. } => "use a smaller file",
                DocumentError::UnknownFormat => "use a PDF, a DOCX or a text in UTF-8, or take the item out",
            };
            vec![(error.to_string(), fix.to_owned())]
        }
    }
}

fn extension(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

fn fix_of(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::Empty | DecodeError::Truncated { .. } => "take it from its source once more, or take the item out",
        DecodeError::TooLong { .. }
        | DecodeError::TooManyPixels { .. }
        | DecodeError::TooManyScans { .. }
        | DecodeError::TooMuchMemory { .. } => "use a smaller picture",
        DecodeError::UnknownFormat { .. } | DecodeError::Broken { .. } | DecodeError::Unsupported { .. } => {
            "use a PNG, JPEG, WebP or GIF that opens, or take the item out"
        }
    }
}
