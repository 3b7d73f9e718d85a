//! The rendering itself.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use lacuna_content::document::{self, NotInXml, PdfError};
use lacuna_content::file::{Measured, measure};
use lacuna_content::image::{
    Area, Distinct, EncodeError, Encoding, Rendered, Style, TypesetError, Typesetter, encode, render as draw,
};
use lacuna_model::{Location, Problem};
use sha2::{Digest as _, Sha256};

use super::super::characters::shown;
use super::super::head::is_corpus_id;
use super::super::item::CorpusKind;
use super::super::load::hexadecimal;
use super::super::table::read_at_most;
use super::list::{Phrase, phrases};
use super::options::{RenderAs, RenderError, RenderOptions, RenderReport};
use super::write::{Folder, NewFile};

/// The largest font file, in bytes. Collections for Chinese, Japanese and Korean have about 20 MB.
const MAX_FONT_BYTES: u64 = 200_000_000;
/// The shortest and the longest side of a picture, in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 64..=4096;
/// More files of one list are a mistake, and fill a disk.
const MAX_FILES: usize = 20_000;

/// Makes a corpus folder `out` of a list of phrases: of each phrase a picture in each style, or a document, and beside it its twin
/// where there is one. `pictures.csv` or `documents.csv` in the folder says how each was made.
pub fn render(list: &Path, out: &Path, options: &RenderOptions) -> Result<RenderReport, RenderError> {
    check_options(options)?;
    if out.symlink_metadata().is_ok() {
        return Err(RenderError::OutExists(out.to_owned()));
    }
    let phrases = phrases(list)?;
    let forms = forms(&options.kind);
    if phrases.len().saturating_mul(forms.len()) > MAX_FILES {
        let reason = format!("would make more than {MAX_FILES} files; divide it");
        return Err(RenderError::Unreadable { path: list.to_owned(), reason });
    }
    let mut typesetter = typesetter(options)?;
    if needs_fonts(&options.kind) {
        check_characters(list, &phrases, options, &mut typesetter)?;
    }
    let fonts: Vec<_> = typesetter.fonts().cloned().collect();
    let folder = Folder::make(out)?;
    let mut maker = Maker {
        options,
        typesetter,
        folder,
        distinct: Distinct::new(),
        kept: Vec::new(),
        too_near: Vec::new(),
        ids: HashSet::new(),
    };
    let mut report = RenderReport { phrases: phrases.len(), files: 0, twins: 0, fonts, too_near: Vec::new() };
    let mut problems = Vec::new();
    for phrase in &phrases {
        for form in &forms {
            match maker.make(phrase, *form)? {
                Ok(made) => {
                    report.files += usize::from(made >= 1);
                    report.twins += usize::from(made == 2);
                }
                Err(refusal) => problems.push(problem(list, phrase, &refusal)),
            }
        }
    }
    if !problems.is_empty() {
        // What was begun is not a corpus.
        fs::remove_dir_all(out).map_err(|source| RenderError::Write { path: out.to_owned(), source })?;
        return Err(RenderError::Phrases(problems));
    }
    report.too_near = maker.too_near;
    maker.folder.finish(options, &report.fonts)?;
    Ok(report)
}

/// What a file is made as.
#[derive(Clone, Copy)]
enum Form {
    Picture(Style),
    Document(document::Format),
}

impl Form {
    /// How it is called in the id of an item.
    const fn name(self) -> &'static str {
        match self {
            Self::Picture(style) => style.name,
            Self::Document(format) => format.as_str(),
        }
    }

    const fn kind(self) -> CorpusKind {
        match self {
            Self::Picture(_) => CorpusKind::Image,
            Self::Document(_) => CorpusKind::Document,
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Picture(_) => "png",
            Self::Document(format) => format.as_str(),
        }
    }
}

fn forms(kind: &RenderAs) -> Vec<Form> {
    match kind {
        RenderAs::Pictures(styles) => styles.iter().map(|style| Form::Picture(*style)).collect(),
        RenderAs::Document(format) => vec![Form::Document(*format)],
    }
}

fn needs_fonts(kind: &RenderAs) -> bool {
    matches!(kind, RenderAs::Pictures(_) | RenderAs::Document(document::Format::Pdf))
}

/// Why a phrase cannot be made a file of.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Text(#[from] TypesetError),
    #[error(transparent)]
    Pdf(#[from] PdfError),
    #[error(transparent)]
    Docx(#[from] NotInXml),
    #[error(transparent)]
    Encode(#[from] EncodeError),
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
    if needs_fonts(&options.kind) && options.fonts.is_empty() {
        return wrong("font", "", "name a font file: pictures and PDF files hold the shapes of letters");
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
                problems.push(problem(list, phrase, &TypesetError::MissingGlyphs { missing }.into()));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(RenderError::Phrases(problems)) }
}

fn twin_of<'a>(phrase: &'a Phrase, options: &'a RenderOptions) -> Option<&'a String> {
    Some(&phrase.twin).filter(|twin| !twin.is_empty()).or(options.twin.as_ref())
}

fn problem(list: &Path, phrase: &Phrase, refusal: &Refusal) -> Problem {
    let fix = match refusal {
        Refusal::Text(error) | Refusal::Pdf(PdfError::Text(error)) => match error {
            TypesetError::MissingGlyphs { .. } => {
                "add a font that has them with another --font, such as one of the Debian packages fonts-noto-cjk or fonts-noto-core"
            }
            TypesetError::TooLong { .. } => "shorten it, or make the pictures larger with --size",
            TypesetError::Blank => "write a phrase",
        },
        Refusal::Pdf(PdfError::Font { .. }) => "use another font file",
        Refusal::Docx(_) => "remove the character",
        Refusal::Encode(_) => "make the pictures smaller with --size",
    };
    let file = if list.is_dir() { list.join("items.csv") } else { list.to_owned() };
    let location = Location { file, line: phrase.line, column: 0 };
    let message = format!("`{}`: {refusal}", shown(&phrase.text));
    Problem { location, key: "text".to_owned(), message, fix: fix.to_owned() }
}

struct Maker<'a> {
    options: &'a RenderOptions,
    typesetter: Typesetter,
    folder: Folder,
    /// The pictures that are no twins and can be told apart, and their items.
    distinct: Distinct,
    kept: Vec<String>,
    too_near: Vec<(String, String)>,
    ids: HashSet<String>,
}

impl Maker<'_> {
    /// Makes a file of a phrase, and its twin; how many were made.
    fn make(&mut self, phrase: &Phrase, form: Form) -> Result<Result<u8, Refusal>, RenderError> {
        // 80 bits: among a hundred thousand items the chance of one collision is below 1e-14.
        let digest = hexadecimal(&Sha256::digest(phrase.text.as_bytes()));
        let id = format!("p-{}-{}", digest.get(..20).unwrap_or_default(), form.name());
        // A phrase that the list has twice is rendered once.
        if !self.ids.insert(id.clone()) {
            return Ok(Ok(0));
        }
        let twin = twin_of(phrase, self.options).cloned();
        if let Err(refusal) = self.add(phrase, &phrase.text, form, id.clone(), None)? {
            return Ok(Err(refusal));
        }
        let Some(twin) = twin else { return Ok(Ok(1)) };
        let added = self.add(phrase, &twin, form, format!("{id}-twin"), Some(id))?;
        Ok(added.map(|()| 2))
    }

    fn add(
        &mut self,
        phrase: &Phrase,
        text: &str,
        form: Form,
        id: String,
        twin_of: Option<String>,
    ) -> Result<Result<(), Refusal>, RenderError> {
        let nonce = nonce(self.options.seed, &id);
        let (bytes, look) = match self.content(text, form, nonce) {
            Ok(content) => content,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Measured { facts, appearance, .. } = measure(&id, &bytes);
        let mut notes = String::new();
        // Twins are meant to look alike.
        if let Some(appearance) = appearance.filter(|_| twin_of.is_none()) {
            match self.distinct.add(&appearance).map_err(|earlier| self.kept.get(earlier).cloned().unwrap_or_default()) {
                Ok(()) => self.kept.push(id.clone()),
                Err(earlier) => {
                    notes = format!("looks too much like {earlier} to be told apart behind a platform that re-encodes");
                    self.too_near.push((id.clone(), earlier));
                }
            }
        }
        let new = NewFile {
            id,
            kind: form.kind(),
            extension: form.extension(),
            text,
            language: &phrase.language,
            category: &phrase.category,
            expected: phrase.expected,
            twin_of,
            notes,
            look,
            nonce,
            bytes,
            facts,
        };
        self.folder.add(&new)?;
        Ok(Ok(()))
    }

    /// The bytes of a file; of a picture also its style, and where its letters are.
    fn content(&mut self, text: &str, form: Form, nonce: u64) -> Result<Content, Refusal> {
        match form {
            Form::Picture(style) => {
                let Rendered { picture, text_box } = draw(&mut self.typesetter, text, style, self.options.size, nonce)?;
                Ok((encode(&picture, Encoding::Png)?, Some((style.name, text_box))))
            }
            Form::Document(document::Format::Pdf) => Ok((document::pdf(&mut self.typesetter, text, nonce)?, None)),
            Form::Document(document::Format::Docx) => Ok((document::docx(text, nonce)?, None)),
            Form::Document(document::Format::Txt) => Ok((document::txt(text, nonce), None)),
        }
    }
}

type Content = (Vec<u8>, Option<(&'static str, Area)>);

/// What makes the hash of one file its own.
fn nonce(seed: u64, id: &str) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(id.as_bytes()).finalize();
    digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
