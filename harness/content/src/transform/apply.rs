//! Doing what a spec says.

use image::RgbImage;
use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;

use super::TransformError;
use super::battery::kept_by;
use super::metadata::{self, Metadata};
use super::spec::{Spec, Step};
use super::{lettering, pixels};
use crate::image::random::generator;
use crate::image::{Area, Encoding, Format, Limits, Typesetter, decode, encode, freshen};

/// A picture file and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What the file is called, without folders.
    pub file_name: &'a str,
    /// What the picture says; empty if that is not known.
    pub text: &'a str,
    /// Where it says it, if that is known.
    pub text_box: Option<Area>,
}

/// What a file's hash follows from. Two that differ give different files.
#[derive(Clone, Copy, Debug)]
pub struct Freshness<'a> {
    /// The seed of the whole corpus.
    pub seed: u64,
    /// The item that is transformed.
    pub item: &'a str,
    /// Which of several results of the same transform, from 1.
    pub variant: u32,
}

/// What a transform gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: Format,
    /// What it is to be called, without folders.
    pub file_name: String,
    /// Where the text is, if there is one whose place is known.
    pub text_box: Option<Area>,
}

/// Transforms a picture file. What keeps only a part of the original takes the rest from `benign`, a harmless picture. The same arguments and
/// fonts give the same bytes.
pub fn transform(
    spec: &Spec,
    original: &Original<'_>,
    benign: &Original<'_>,
    typesetter: Option<&mut Typesetter>,
    freshness: Freshness<'_>,
) -> Result<Made, TransformError> {
    let written = spec.to_string();
    let variant = freshness.variant.to_string();
    let names = |step: &str| generator(freshness.seed, &["transform", freshness.item, &written, &variant, step]);
    let nonce = format!("{:032x}", names("nonce").random::<u128>());
    let mut work = Work {
        body: Body::File(original.bytes.to_vec()),
        format: format_of(original.bytes)?,
        file_name: original.file_name.to_owned(),
        text: Some(original.text).filter(|text| !text.trim().is_empty()),
        text_box: original.text_box,
        is_text_gone: false,
        nonce: &nonce,
        typesetter,
    };
    for (position, step) in spec.steps().iter().enumerate() {
        let mut random = names(&position.to_string());
        let before = (work.text.is_some(), work.text_box.is_some());
        work.step(*step, benign, &mut random).map_err(|error| match error {
            TransformError::NoText | TransformError::NoTextBox if work.is_text_gone => TransformError::Gone { step: *step },
            other => other,
        })?;
        if !kept_by(*step).text {
            (work.text, work.text_box) = (None, None);
        }
        work.is_text_gone |= before.0 && work.text.is_none() || before.1 && work.text_box.is_none();
    }
    work.finish()
}

fn format_of(bytes: &[u8]) -> Result<Format, TransformError> {
    match Format::of(bytes) {
        Some(format) => Ok(format),
        // Says what is wrong with it.
        None => Ok(decode(bytes, &Limits::default())?.format),
    }
}

/// A file, or a picture on the way to one.
enum Body {
    File(Vec<u8>),
    Picture(Box<RgbImage>, Encoding, Metadata),
}

/// What has been made so far.
struct Work<'a> {
    body: Body,
    format: Format,
    file_name: String,
    text: Option<&'a str>,
    text_box: Option<Area>,
    /// A step has taken the text away, or moved it.
    is_text_gone: bool,
    nonce: &'a str,
    typesetter: Option<&'a mut Typesetter>,
}

impl Work<'_> {
    fn step(&mut self, step: Step, benign: &Original<'_>, random: &mut ChaCha12Rng) -> Result<(), TransformError> {
        match step {
            Step::Fresh => {
                let bytes = self.file()?;
                self.body = Body::File(metadata::insert(self.format, &bytes, &Metadata::comment(self.nonce))?);
            }
            Step::Append => {
                let mut bytes = self.file()?;
                bytes.extend_from_slice(self.nonce.as_bytes());
                self.body = Body::File(bytes);
            }
            Step::Metadata(kind) => {
                let (bytes, text) = (self.file()?, self.text.ok_or(TransformError::NoText)?);
                self.body = Body::File(metadata::add(self.format, &bytes, kind, text)?);
            }
            Step::Strip => self.strip()?,
            Step::Rename => self.rename(),
            Step::Reencode(encoding) => {
                let (picture, metadata) = self.picture()?;
                // A GIF has room for comments alone, and a part of the metadata is none of them.
                let metadata = if encoding == Encoding::Gif { Metadata::default() } else { metadata };
                self.body = Body::Picture(picture, encoding, metadata);
                // Not only when all is done: what is lost here is lost for the next step.
                self.body = Body::File(self.file()?);
            }
            Step::OnlyMetadata => {
                let (_, metadata) = self.picture()?;
                let harmless = decode(benign.bytes, &Limits::default())?.picture;
                self.body = Body::Picture(Box::new(harmless), Encoding::usual(self.format), metadata);
                self.rename();
            }
            Step::OnlyFilename => {
                let harmless = decode(benign.bytes, &Limits::default())?.picture;
                self.body = Body::Picture(Box::new(harmless), Encoding::usual(self.format), Metadata::default());
            }
            Step::OnlyLook => {
                self.strip()?;
                self.rename();
                self.blank()?;
            }
            Step::Blank => self.blank()?,
            Step::Retypeset(hidden_from) => {
                self.draw(|typesetter, text, size| lettering::retypeset(typesetter, text, size, hidden_from, random))?;
            }
            Step::OnlyText(hidden_from) => {
                self.draw(|typesetter, text, size| lettering::retypeset(typesetter, text, size, hidden_from, random))?;
                self.anew();
            }
            Step::Blobs(tile) => {
                self.draw(|typesetter, text, size| lettering::blobs(typesetter, text, size, tile, random))?;
                self.anew();
            }
            Step::Split(half) => {
                self.draw(|typesetter, text, size| {
                    lettering::retypeset(typesetter, &lettering::half(text, half)?, size, None, random)
                })?;
                self.anew();
            }
            Step::Qr => {
                let (text, (picture, _)) = (self.text.ok_or(TransformError::NoText)?, self.picture()?);
                self.body =
                    Body::Picture(Box::new(lettering::qr(text, picture.dimensions())?), Encoding::Png, Metadata::default());
                self.anew();
            }
            other => self.pixels(other, random)?,
        }
        Ok(())
    }

    /// Transforms that see pixels alone.
    fn pixels(&mut self, step: Step, random: &mut ChaCha12Rng) -> Result<(), TransformError> {
        let (mut picture, metadata) = self.picture()?;
        let dimensions = picture.dimensions();
        match step {
            Step::LastBits => freshen(&mut picture, random.random()),
            Step::Resize(factor) => *picture = pixels::resize(&picture, factor)?,
            Step::Pad(side) => *picture = pixels::pad(&picture, side)?,
            Step::Crop(percent) => *picture = pixels::crop(&picture, percent),
            Step::Mirror => image::imageops::flip_horizontal_in_place(&mut *picture),
            Step::Rotate(degrees) => *picture = pixels::rotate(&picture, degrees)?,
            Step::Blur(deviation) => *picture = pixels::blur(&picture, deviation),
            Step::Noise(levels) => pixels::noise(&mut picture, levels, random),
            Step::Threshold => pixels::threshold(&mut picture),
            Step::Grayscale(formula) => pixels::grayscale(&mut picture, formula),
            Step::Invert => pixels::invert(&mut picture),
            Step::Duplicates(count) => *picture = pixels::duplicates(&picture, count)?,
            // The others do not come here.
            _ => {}
        }
        if picture.dimensions() != dimensions || matches!(step, Step::Mirror | Step::Rotate(_)) {
            self.text_box = None;
        }
        self.body = Body::Picture(picture, Encoding::usual(self.format), metadata);
        Ok(())
    }

    /// The picture and its metadata so far.
    fn picture(&mut self) -> Result<(Box<RgbImage>, Metadata), TransformError> {
        match std::mem::replace(&mut self.body, Body::File(Vec::new())) {
            Body::Picture(picture, _, metadata) => Ok((picture, metadata)),
            Body::File(bytes) => {
                let decoded = decode(&bytes, &Limits::default())?;
                let metadata = metadata::turned(metadata::read(decoded.format, &bytes));
                Ok((Box::new(decoded.picture), metadata))
            }
        }
    }

    /// The file so far. A format takes of the metadata what it has a place for.
    fn file(&mut self) -> Result<Vec<u8>, TransformError> {
        match std::mem::replace(&mut self.body, Body::File(Vec::new())) {
            Body::File(bytes) => Ok(bytes),
            Body::Picture(picture, encoding, metadata) => {
                self.format = encoding.format();
                Ok(metadata::insert(self.format, &encode(&picture, encoding)?, &metadata)?)
            }
        }
    }

    fn strip(&mut self) -> Result<(), TransformError> {
        let bytes = self.file()?;
        self.body = Body::File(metadata::strip(self.format, &bytes)?);
        Ok(())
    }

    fn blank(&mut self) -> Result<(), TransformError> {
        let (mut picture, metadata) = self.picture()?;
        let area = self.text_box.filter(|area| area.is_within(picture.width(), picture.height()));
        pixels::blank(&mut picture, area.ok_or(TransformError::NoTextBox)?);
        self.body = Body::Picture(picture, Encoding::usual(self.format), metadata);
        Ok(())
    }

    /// Draws the text anew on a canvas of the picture's size, without loss: colours mean something.
    fn draw(
        &mut self,
        draw: impl FnOnce(&mut Typesetter, &str, (u32, u32)) -> Result<(RgbImage, Area), TransformError>,
    ) -> Result<(), TransformError> {
        let (before, metadata) = self.picture()?;
        let text = self.text.ok_or(TransformError::NoText)?;
        let typesetter = self.typesetter.as_deref_mut().ok_or(TransformError::NoFont)?;
        let (picture, text_box) = draw(typesetter, text, before.dimensions())?;
        self.text_box = Some(text_box);
        self.body = Body::Picture(Box::new(picture), Encoding::Png, metadata);
        self.format = Format::Png;
        Ok(())
    }

    /// Nothing but the pixels.
    fn anew(&mut self) {
        if let Body::Picture(_, _, metadata) = &mut self.body {
            *metadata = Metadata::default();
        }
        self.rename();
    }

    /// A name as telephones give them.
    fn rename(&mut self) {
        let digits: String = self.nonce.chars().take(8).collect();
        let ending = self.format.extensions()[0];
        self.file_name = format!("img-{digits}.{ending}");
    }

    fn finish(mut self) -> Result<Made, TransformError> {
        let mut bytes = self.file()?;
        let nonce = self.nonce.as_bytes();
        if !bytes.windows(nonce.len()).any(|window| window == nonce) {
            bytes = metadata::insert(self.format, &bytes, &Metadata::comment(self.nonce))?;
        }
        let file_name = named(&self.file_name, self.format);
        Ok(Made { bytes, format: self.format, file_name, text_box: self.text_box })
    }
}

/// A file name with an ending that stands for a format.
fn named(file_name: &str, format: Format) -> String {
    match file_name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => match Format::of_extension(ending) {
            Some(stated) if stated == format => file_name.to_owned(),
            Some(_) => format!("{stem}.{}", format.extensions()[0]),
            None => format!("{file_name}.{}", format.extensions()[0]),
        },
        _ => format!("{file_name}.{}", format.extensions()[0]),
    }
}
