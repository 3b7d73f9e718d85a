//! The rendering itself.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use lacuna_content::image::{
    Appearance, Encoding, Inspection, Limits, Rendered, Style, TypesetError, Typesetter, encode, inspect, render as draw,
    too_near,
};
use lacuna_model::{Location, Problem};
use sha2::{Digest as _, Sha256};

use super::super::characters::shown;
use super::super::head::is_corpus_id;
use super::super::load::hexadecimal;
use super::super::table::read_at_most;
use super::list::{Phrase, phrases};
use super::options::{RenderError, RenderOptions, RenderReport};
use super::write::{Folder, NewPicture};

/// The largest font file, in bytes. Collections for Chinese, Japanese and Korean have about 20 MB.
const MAX_FONT_BYTES: u64 = 200_000_000;
/// The shortest and the longest side of a picture, in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 64..=4096;
/// More pictures of one list are a mistake, and fill a disk.
const MAX_PICTURES: usize = 100_000;

/// Makes a corpus folder `out` of a list of phrases: each phrase in each style as a PNG, and beside it its twin where there is
/// one. `pictures.csv` in the folder says how each was made.
pub fn render(list: &Path, out: &Path, options: &RenderOptions) -> Result<RenderReport, RenderError> {
    check_options(options)?;
    if out.symlink_metadata().is_ok() {
        return Err(RenderError::OutExists(out.to_owned()));
    }
    let phrases = phrases(list)?;
    if phrases.len().saturating_mul(options.styles.len()) > MAX_PICTURES {
        let reason = format!("would make more than {MAX_PICTURES} pictures; divide it");
        return Err(RenderError::Unreadable { path: list.to_owned(), reason });
    }
    let mut typesetter = typesetter(options)?;
    check_characters(list, &phrases, options, &mut typesetter)?;
    let fonts: Vec<_> = typesetter.fonts().cloned().collect();
    let mut maker = Maker { options, typesetter, folder: Folder::make(out)?, seen: Vec::new(), ids: HashSet::new() };
    let mut report = RenderReport { phrases: phrases.len(), pictures: 0, twins: 0, fonts, too_near: Vec::new() };
    let mut problems = Vec::new();
    for phrase in &phrases {
        for style in &options.styles {
            match maker.make(phrase, *style)? {
                Ok(twin) => {
                    report.pictures += 1;
                    report.twins += usize::from(twin);
                }
                Err(error) => problems.push(problem(list, phrase, &error)),
            }
        }
    }
    if !problems.is_empty() {
        // What was begun is not a corpus.
        fs::remove_dir_all(out).map_err(|source| RenderError::Write { path: out.to_owned(), source })?;
        return Err(RenderError::Phrases(problems));
    }
    let appearances: Vec<&Appearance> = maker.seen.iter().map(|(_, appearance)| appearance).collect();
    let name = |index: usize| maker.seen.get(index).map(|(id, _)| id.clone()).unwrap_or_default();
    report.too_near = too_near(&appearances).into_iter().map(|(one, other)| (name(one), name(other))).collect();
    maker.folder.finish(options, &report.fonts)?;
    Ok(report)
}

fn check_options(options: &RenderOptions) -> Result<(), RenderError> {
    let wrong =
        |option, value: &str, fix: &str| Err(RenderError::Option { option, value: value.to_owned(), fix: fix.to_owned() });
    if !is_corpus_id(&options.id) {
        return wrong("id", &options.id, "use small letters, digits and hyphens, at most 64");
    }
    for (option, value) in [("title", &options.title), ("licence", &options.licence)] {
        if value.is_empty() {
            return wrong(option, value, "it must not be empty");
        }
    }
    let (width, height) = options.size;
    if !SIDES.contains(&width) || !SIDES.contains(&height) {
        return wrong("size", &format!("{width}x{height}"), "each side has from 64 to 4096 pixels");
    }
    Ok(())
}

fn typesetter(options: &RenderOptions) -> Result<Typesetter, RenderError> {
    let mut fonts = Vec::new();
    for font in &options.fonts {
        let unreadable = |reason| RenderError::Unreadable { path: font.path.clone(), reason };
        fonts.push((read_at_most(&font.path, MAX_FONT_BYTES).map_err(unreadable)?, font.face));
    }
    Typesetter::new(fonts).map_err(|(position, source)| {
        let path = options.fonts.get(position).map(|font| font.path.clone()).unwrap_or_default();
        RenderError::Font { path, source }
    })
}

/// Every phrase with characters that no font has, before anything is written.
fn check_characters(
    list: &Path,
    phrases: &[Phrase],
    options: &RenderOptions,
    typesetter: &mut Typesetter,
) -> Result<(), RenderError> {
    let mut problems = Vec::new();
    for phrase in phrases {
        for text in [Some(&phrase.text), twin_of(phrase, options)].into_iter().flatten() {
            let missing = typesetter.missing(text);
            if !missing.is_empty() {
                problems.push(problem(list, phrase, &TypesetError::MissingGlyphs { missing }));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(RenderError::Phrases(problems)) }
}

fn twin_of<'a>(phrase: &'a Phrase, options: &'a RenderOptions) -> Option<&'a String> {
    Some(&phrase.twin).filter(|twin| !twin.is_empty()).or(options.twin.as_ref())
}

fn problem(list: &Path, phrase: &Phrase, error: &TypesetError) -> Problem {
    let fix = match error {
        TypesetError::MissingGlyphs { .. } => {
            "add a font that has them with another --font, such as one of the Debian packages fonts-noto-cjk or fonts-noto-core"
        }
        TypesetError::TooLong { .. } => "shorten it, or make the pictures larger with --size",
        TypesetError::Blank => "write a phrase",
    };
    let file = if list.is_dir() { list.join("items.csv") } else { list.to_owned() };
    let location = Location { file, line: phrase.line, column: 0 };
    let message = format!("`{}`: {error}", shown(&phrase.text));
    Problem { location, key: "text".to_owned(), message, fix: fix.to_owned() }
}

struct Maker<'a> {
    options: &'a RenderOptions,
    typesetter: Typesetter,
    folder: Folder,
    /// The pictures that are no twins.
    seen: Vec<(String, Appearance)>,
    ids: HashSet<String>,
}

impl Maker<'_> {
    /// Draws a phrase in a style, and its twin; whether there is one.
    fn make(&mut self, phrase: &Phrase, style: Style) -> Result<Result<bool, TypesetError>, RenderError> {
        // 80 bits: among a hundred thousand items the chance of one collision is below 1e-14.
        let digest = hexadecimal(&Sha256::digest(phrase.text.as_bytes()));
        let id = format!("p-{}-{}", digest.get(..20).unwrap_or_default(), style.name);
        // A phrase that the list has twice is drawn once.
        if !self.ids.insert(id.clone()) {
            return Ok(Ok(false));
        }
        let twin = twin_of(phrase, self.options).cloned();
        if let Err(error) = self.draw(phrase, &phrase.text, style, id.clone(), None)? {
            return Ok(Err(error));
        }
        let Some(twin) = twin else { return Ok(Ok(false)) };
        let drawn = self.draw(phrase, &twin, style, format!("{id}-twin"), Some(id))?;
        Ok(drawn.map(|()| true))
    }

    fn draw(
        &mut self,
        phrase: &Phrase,
        text: &str,
        style: Style,
        id: String,
        twin_of: Option<String>,
    ) -> Result<Result<(), TypesetError>, RenderError> {
        let nonce = nonce(self.options.seed, &id);
        let Rendered { picture, text_box } = match draw(&mut self.typesetter, text, style, self.options.size, nonce) {
            Ok(rendered) => rendered,
            Err(error) => return Ok(Err(error)),
        };
        let unwritable = |reason: String| RenderError::Unreadable { path: id.clone().into(), reason };
        let bytes = encode(&picture, Encoding::Png).map_err(|error| unwritable(error.to_string()))?;
        let inspection: Inspection = inspect(&bytes, &Limits::default()).map_err(|error| unwritable(error.to_string()))?;
        // Twins are meant to look alike, and are sent as often as one likes.
        if twin_of.is_none() {
            self.seen.push((id.clone(), inspection.appearance.clone()));
        }
        let picture = NewPicture {
            id,
            text,
            language: &phrase.language,
            category: &phrase.category,
            expected: phrase.expected,
            style: style.name,
            twin_of,
            text_box,
            nonce,
            inspection,
        };
        self.folder.add(&picture, &bytes)?;
        Ok(Ok(()))
    }
}

/// What makes the hash of one file its own.
fn nonce(seed: u64, id: &str) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(id.as_bytes()).finalize();
    digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
