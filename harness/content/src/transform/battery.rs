//! What each transform leaves to be seen, and what it means if the result is dropped or delivered: `battery.csv`.
//!
//! The table is measured, not assumed, where that can be done: docs/src/benchmarks.md has what a reader of text made of each.

use lacuna_model::GrayFormula;
use std::sync::LazyLock;

use super::spec::{Spec, Step, grayscale};

/// What of an original a filter could still go by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of the table")]
pub struct Kept {
    /// The bytes of the file, and with them its hash. No transform keeps them.
    pub bytes: bool,
    /// Every pixel, so that a hash of the decoded picture is what it was.
    pub pixels: bool,
    /// The text, as programs read it that read text in pictures (docs/src/benchmarks.md has what one of them read). People read more.
    pub text: bool,
    /// The shades of grey in which the text cannot be seen, in the order of [`GrayFormula::ALL`].
    pub hidden_from: [bool; 3],
    /// How it looks, to whoever compares luminance maps.
    pub look: bool,
    /// Exif, XMP and comments.
    pub metadata: bool,
    /// The file name without its ending.
    pub file_name: bool,
}

impl Kept {
    /// Of something that was not transformed.
    pub const ALL: Self =
        Self { bytes: true, pixels: true, text: true, hidden_from: [false; 3], look: true, metadata: true, file_name: true };

    /// Whether the text is hidden from whoever looks at a picture in those shades of grey.
    #[must_use]
    pub fn is_hidden_from(&self, formula: GrayFormula) -> bool {
        GrayFormula::ALL.into_iter().zip(self.hidden_from).any(|(known, hidden)| known == formula && hidden)
    }

    /// What is left of what is left.
    #[must_use]
    pub fn and(self, then: Self) -> Self {
        Self {
            bytes: self.bytes && then.bytes,
            pixels: self.pixels && then.pixels,
            text: self.text && then.text,
            hidden_from: std::array::from_fn(|formula| self.hidden_from[formula] || then.hidden_from[formula]),
            look: self.look && then.look,
            metadata: self.metadata && then.metadata,
            file_name: self.file_name && then.file_name,
        }
    }
}

/// A row of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The transform.
    pub spec: Spec,
    /// What it leaves.
    pub kept: Kept,
    /// What it means if the result is still dropped.
    pub dropped_means: String,
    /// What it means if the result is delivered.
    pub delivered_means: String,
    /// Where the idea comes from: the year of a study (docs/src/benchmarks.md names them), or `extension`.
    pub source: String,
}

/// The table as it is written.
pub const BATTERY: &str = include_str!("battery.csv");

/// The transforms that find a mechanism: a file of another hash, then what keeps one thing each.
pub const MECHANISM: [&str; 8] = [
    "fresh",
    "only-text",
    "only-look",
    "only-metadata",
    "only-filename",
    "only-text:luminosity",
    "only-text:average",
    "only-text:lightness",
];

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| BATTERY.lines().skip(1).filter_map(entry).collect());

/// The rows of the table, in order.
#[must_use]
pub fn battery() -> &'static [Entry] {
    &ENTRIES
}

fn entry(line: &str) -> Option<Entry> {
    let cells = cells(line);
    let [transform, bytes, pixels, text, hidden_from, look, metadata, file_name, dropped_means, delivered_means, source] =
        <[String; 11]>::try_from(cells).ok()?;
    let flag = |cell: &str| cell.parse::<bool>().ok();
    let hidden: Option<Vec<GrayFormula>> = hidden_from.split('|').filter(|name| !name.is_empty()).map(grayscale).collect();
    let hidden = hidden?;
    Some(Entry {
        spec: transform.parse().ok()?,
        kept: Kept {
            bytes: flag(&bytes)?,
            pixels: flag(&pixels)?,
            text: flag(&text)?,
            hidden_from: GrayFormula::ALL.map(|formula| hidden.contains(&formula)),
            look: flag(&look)?,
            metadata: flag(&metadata)?,
            file_name: flag(&file_name)?,
        },
        dropped_means,
        delivered_means,
        source,
    })
}

/// The cells of a line of CSV; no cell has a line break.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => {
                cells.iter_mut().next_back().into_iter().for_each(|cell| cell.push('"'));
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells.iter_mut().next_back().into_iter().for_each(|cell| cell.push(other)),
        }
    }
    cells
}

/// What a transform leaves: each step leaves what it leaves alone.
#[must_use]
pub fn kept(spec: &Spec) -> Kept {
    let mut all = Kept::ALL;
    for step in spec.steps() {
        // Grey is what hides the text, or what is left of it.
        let formula = match step {
            Step::Grayscale(formula) => Some(*formula),
            Step::Threshold => Some(GrayFormula::Luminosity),
            _ => None,
        };
        let vanishes = formula.is_some_and(|formula| all.is_hidden_from(formula));
        all = all.and(kept_by(*step));
        all.text &= !vanishes;
    }
    all
}

/// The text in a file's metadata behind a transform, where `before` stood in them before and `text` is what the picture says.
#[must_use]
pub fn metadata_text(spec: &Spec, before: &str, text: &str) -> String {
    let mut metadata = before.to_owned();
    for step in spec.steps() {
        match step {
            Step::Metadata(_) if metadata.is_empty() => text.clone_into(&mut metadata),
            Step::Metadata(_) => metadata = format!("{metadata} {text}"),
            other if !kept_by(*other).metadata => metadata.clear(),
            _ => {}
        }
    }
    metadata
}

/// What one step leaves, by its row. A dose between two of the table leaves what the stronger leaves; one that is stronger than all of
/// them is taken to leave neither text nor look.
pub(super) fn kept_by(step: Step) -> Kept {
    let rows = || battery().iter().filter_map(|entry| Some((*entry.spec.steps().first()?, entry.kept)));
    if let Some((_, kept)) = rows().find(|(row, _)| *row == step) {
        return kept;
    }
    let same_kind = || rows().filter(|(row, _)| row.name() == step.name());
    let Some(dose) = step.dose() else {
        // A quarter of a turn to the other side, another grey.
        return same_kind().find(|(row, _)| row.dose().is_none()).map_or(NOTHING, |(_, kept)| kept);
    };
    let stronger = same_kind().filter(|(row, _)| row.dose().is_some_and(|known| known >= dose));
    let weakest = stronger.min_by_key(|(row, _)| row.dose()).map(|(_, kept)| kept);
    let strongest = || same_kind().filter(|(row, _)| row.dose().is_some()).max_by_key(|(row, _)| row.dose());
    weakest.or_else(|| strongest().map(|(_, kept)| Kept { text: false, look: false, ..kept })).unwrap_or(NOTHING)
}

const NOTHING: Kept =
    Kept { bytes: false, pixels: false, text: false, hidden_from: [false; 3], look: false, metadata: false, file_name: false };
