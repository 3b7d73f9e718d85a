//! The pictures of a contact sheet: which files a report shows, and how it is given what they look like.
//!
//! A report reads no files. It says which it would show, [`wanted`], and whoever can read them hands over thumbnails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::evidence::Evidence;
use lacuna_model::file::{FileFacts, FileFormat};
use lacuna_model::{ContentKind, ItemIx, Study};

use crate::figures::verdicts;

/// The most pictures of a page.
pub const MOST: usize = 240;
/// The most bytes that thumbnails have together, before they are written in base64, which adds a third.
pub const MOST_BYTES: usize = 1_500_000;
/// The longer side of a thumbnail, in pixels.
pub const SIDE: u32 = 160;

/// What a file looks like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Picture {
    /// A small picture.
    Thumbnail {
        /// As a JPEG.
        jpeg: Vec<u8>,
        /// Its width in pixels.
        width: u32,
        /// Its height in pixels.
        height: u32,
    },
    /// Nobody knows: why, as a fragment that follows the name of the file.
    Unknown(String),
}

/// What files look like, by their SHA-256. A file that is not in here is left out for want of room.
pub type Pictures = BTreeMap<Arc<str>, Picture>;

/// The files whose pictures the report of a run shows, those first that say most, each once and at most [`MOST`].
#[must_use]
pub fn wanted<'a>(evidence: &'a Evidence, conclusion: &Conclusion) -> Vec<&'a FileFacts> {
    let study = evidence.study();
    let items: Vec<ItemIx> = if let Some((_, trials)) = &conclusion.files.exposure {
        trials.iter().flat_map(|trial| trial.shown.map(|(item, _)| item).into_iter().chain([trial.item])).collect()
    } else if study.mechanism.is_some() {
        let records = &conclusion.files.mechanisms;
        // What is filtered is looked at first, and of that first the originals.
        let (filtered, others): (Vec<_>, Vec<_>) = records.iter().partition(|record| record.filtered == Some(true));
        let records = || filtered.iter().chain(&others);
        let made = records().flat_map(|record| record.cells.iter().map(|cell| cell.file));
        records().map(|record| record.base).chain(made).collect()
    } else {
        of_verdicts(study, conclusion)
    };
    let mut seen = BTreeSet::new();
    let facts = items.into_iter().filter_map(|item| study.item(item).file.as_deref()).map(|file| &file.facts);
    facts.filter(|facts| is_picture(facts.format) && seen.insert(&facts.sha256)).take(MOST).collect()
}

/// The items with pictures that have a verdict, findings first.
pub(crate) fn of_verdicts(study: &Study, conclusion: &Conclusion) -> Vec<ItemIx> {
    let mut lines = verdicts::lines(study, &conclusion.verdicts);
    lines.sort_by_key(|line| !line.is_finding());
    let items = lines.into_iter().flat_map(|line| line.items);
    items.filter(|item| study.item(*item).kind == ContentKind::Image && study.item(*item).file.is_some()).collect()
}

/// Whether a file of this format can be looked at.
pub(crate) const fn is_picture(format: FileFormat) -> bool {
    matches!(format, FileFormat::Png | FileFormat::Jpeg | FileFormat::Webp | FileFormat::Gif)
}

/// A JPEG as the address of a picture that is part of the page (RFC 2397).
pub(crate) fn address(jpeg: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg))
}
