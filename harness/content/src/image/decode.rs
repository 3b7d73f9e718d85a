//! Decoding within limits. Every file is hostile: one that was received may have been made to exhaust whoever opens it.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, ImageError, RgbImage};

use super::container::{Structure, structure};
use super::format::other_kind;
use super::{Appearance, Format, PerceptualHash, perceptual_hash};
use crate::hash::{md5_hex, sha256_hex};

/// What a file may cost whoever opens it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The longest file, in bytes.
    pub bytes: u64,
    /// The most pixels, width times height.
    pub pixels: u64,
    /// The most memory that a decoder may take for itself, in bytes. Counted by the decoders as well as they can; what they do
    /// not count follows from `pixels`.
    pub memory: u64,
    /// The most scans of a progressive JPEG. Each costs a pass over the picture, and few bytes.
    pub scans: usize,
}

impl Default for Limits {
    /// 50 MiB, 40 megapixels (a telephone's largest pictures are about as large), 384 MiB, 100 scans (encoders write about 10).
    fn default() -> Self {
        Self { bytes: 50 << 20, pixels: 40_000_000, memory: 384 << 20, scans: 100 }
    }
}

/// Why a file is not taken for a picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It has no bytes.
    #[error("is empty")]
    Empty,
    /// It is longer than the limit.
    #[error("has {bytes} bytes, more than {limit}")]
    TooLong {
        /// Its length in bytes.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// It does not begin like any format that is read.
    #[error("is no PNG, JPEG, WebP or GIF{}", seems.map(|kind| format!(", but seems to be {kind}")).unwrap_or_default())]
    UnknownFormat {
        /// What it seems to be.
        seems: Option<&'static str>,
    },
    /// It has more pixels than the limit; nothing was decoded.
    #[error("has {width} × {height} pixels, more than {limit}")]
    TooManyPixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit on their product.
        limit: u64,
    },
    /// A progressive JPEG of more scans than any encoder writes.
    #[error("is a JPEG of {scans} scans, more than {limit}")]
    TooManyScans {
        /// How many.
        scans: usize,
        /// The limit.
        limit: usize,
    },
    /// Decoding it would take more memory than the limit.
    #[error("is a {format} that needs more memory than is allowed")]
    TooMuchMemory {
        /// Its format.
        format: Format,
    },
    /// It ends before its end mark.
    #[error("is a {format} that ends too early")]
    Truncated {
        /// Its format.
        format: Format,
    },
    /// Its content contradicts its format.
    #[error("is a broken {format}: {reason}")]
    Broken {
        /// Its format.
        format: Format,
        /// What the decoder found, on one line.
        reason: String,
    },
    /// A kind of picture that the format allows, but that is not read.
    #[error("is a {format} of a kind that is not read: {reason}")]
    Unsupported {
        /// Its format.
        format: Format,
        /// What the decoder says, on one line.
        reason: String,
    },
}

/// A picture that was decoded.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The format that its bytes have, whatever the file is called.
    pub format: Format,
    /// Whether it has several frames; `picture` is the first.
    pub animated: bool,
    /// Its pixels as they are shown: turned as its metadata says, what is transparent over white.
    pub picture: RgbImage,
}

/// What is recorded of a picture file.
#[derive(Clone, PartialEq, Debug)]
pub struct Inspection {
    /// Its format.
    pub format: Format,
    /// Width in pixels, as shown.
    pub width: u32,
    /// Height in pixels, as shown.
    pub height: u32,
    /// Whether it has several frames; the perceptual hash is that of the first.
    pub animated: bool,
    /// Its length in bytes.
    pub bytes: u64,
    /// MD5 in hexadecimal.
    pub md5: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// A short fingerprint of how it looks, for the record.
    pub perceptual: PerceptualHash,
    /// How it looks, for matching.
    pub appearance: Appearance,
}

/// Decodes a file and says what is recorded of it.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspection, DecodeError> {
    let decoded = decode(bytes, limits)?;
    Ok(Inspection {
        format: decoded.format,
        width: decoded.picture.width(),
        height: decoded.picture.height(),
        animated: decoded.animated,
        bytes: bytes.len() as u64,
        md5: md5_hex(bytes),
        sha256: sha256_hex(bytes),
        perceptual: perceptual_hash(&decoded.picture),
        appearance: Appearance::of(&decoded.picture),
    })
}

/// Decodes a file: its first frame, as it is shown.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, DecodeError> {
    let (format, structure) = examine(bytes, limits)?;
    let image = match format {
        Format::Png => {
            let png_limits = image_limits(limits);
            image_of(format, PngDecoder::with_limits(Cursor::new(bytes), png_limits), limits)
        }
        Format::Jpeg => image_of(format, JpegDecoder::new(Cursor::new(bytes)), limits),
        Format::WebP => image_of(format, WebPDecoder::new(Cursor::new(bytes)), limits),
        Format::Gif => image_of(format, GifDecoder::new(Cursor::new(bytes)), limits),
    }?;
    Ok(Decoded { format, animated: structure.animated, picture: over_white(image) })
}

/// What can be said before anything is decoded.
fn examine(bytes: &[u8], limits: &Limits) -> Result<(Format, Structure), DecodeError> {
    let length = bytes.len() as u64;
    if length == 0 {
        return Err(DecodeError::Empty);
    }
    if length > limits.bytes {
        return Err(DecodeError::TooLong { bytes: length, limit: limits.bytes });
    }
    let format = Format::of(bytes).ok_or_else(|| DecodeError::UnknownFormat { seems: other_kind(bytes) })?;
    let structure = structure(format, bytes);
    if structure.scans > limits.scans {
        return Err(DecodeError::TooManyScans { scans: structure.scans, limit: limits.scans });
    }
    if !structure.complete {
        return Err(DecodeError::Truncated { format });
    }
    Ok((format, structure))
}

fn image_limits(limits: &Limits) -> image::Limits {
    let mut image_limits = image::Limits::no_limits();
    image_limits.max_alloc = Some(limits.memory);
    image_limits
}

fn image_of<D: ImageDecoder>(
    format: Format,
    decoder: Result<D, ImageError>,
    limits: &Limits,
) -> Result<DynamicImage, DecodeError> {
    let refused = |error| refusal(format, &error);
    let mut decoder = decoder.map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.pixels {
        return Err(DecodeError::TooManyPixels { width, height, limit: limits.pixels });
    }
    if width == 0 || height == 0 {
        return Err(DecodeError::Broken { format, reason: "it has no pixels".to_owned() });
    }
    if decoder.total_bytes() > limits.memory {
        return Err(DecodeError::TooMuchMemory { format });
    }
    decoder.set_limits(image_limits(limits)).map_err(refused)?;
    // Metadata that cannot be read turns nothing.
    let orientation = decoder.orientation().ok();
    let mut image = DynamicImage::from_decoder(decoder).map_err(refused)?;
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok(image)
}

fn refusal(format: Format, error: &ImageError) -> DecodeError {
    let reason = one_line(&error.to_string());
    match error {
        ImageError::Limits(_) => DecodeError::TooMuchMemory { format },
        ImageError::Unsupported(_) => DecodeError::Unsupported { format, reason },
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => DecodeError::Truncated { format },
        _ => DecodeError::Broken { format, reason },
    }
}

/// What a decoder says, without what a hostile file could have put into it.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).take(LONGEST).collect()
}

/// What is transparent lies over white, as most platforms show it.
fn over_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    let mut flat = RgbImage::new(image.width(), image.height());
    for (to, from) in flat.pixels_mut().zip(image.pixels()) {
        let [channels @ .., alpha] = from.0;
        let alpha = u16::from(alpha);
        to.0 = channels.map(|channel| {
            let mixed = (u16::from(channel) * alpha + 255 * (255 - alpha) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        });
    }
    flat
}
