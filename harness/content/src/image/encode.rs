//! Writing pictures. The same pixels and settings give the same bytes.

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder as _, ImageError, RgbImage};

use super::Format;

/// Why a picture cannot be written: larger than the format allows, as good as never anything else.
#[derive(Debug, thiserror::Error)]
#[error("cannot be written as {format}: {reason}")]
pub struct EncodeError {
    /// The format.
    pub format: Format,
    /// What the encoder says.
    pub reason: String,
}

/// How a picture is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Encoding {
    /// PNG, compressed quickly.
    Png,
    /// JPEG, baseline, of a quality from 1 to 100.
    Jpeg(u8),
    /// WebP without loss.
    WebP,
    /// GIF, with at most 256 colours.
    Gif,
}

impl Encoding {
    /// The format of what it gives.
    #[must_use]
    pub const fn format(self) -> Format {
        match self {
            Self::Png => Format::Png,
            Self::Jpeg(_) => Format::Jpeg,
            Self::WebP => Format::WebP,
            Self::Gif => Format::Gif,
        }
    }

    /// Without loss of pixels, the usual quality where there is some.
    #[must_use]
    pub const fn usual(format: Format) -> Self {
        match format {
            Format::Png => Self::Png,
            Format::Jpeg => Self::Jpeg(90),
            Format::WebP => Self::WebP,
            Format::Gif => Self::Gif,
        }
    }
}

/// Writes a picture.
pub fn encode(picture: &RgbImage, encoding: Encoding) -> Result<Vec<u8>, EncodeError> {
    let failed = |error: ImageError| EncodeError { format: encoding.format(), reason: error.to_string() };
    let mut bytes = Vec::new();
    let (width, height) = picture.dimensions();
    let (pixels, color) = (picture.as_raw(), ExtendedColorType::Rgb8);
    match encoding {
        Encoding::Png => PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
            .write_image(pixels, width, height, color),
        Encoding::Jpeg(quality) => {
            JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100)).write_image(pixels, width, height, color)
        }
        Encoding::WebP => WebPEncoder::new_lossless(&mut bytes).write_image(pixels, width, height, color),
        Encoding::Gif => GifEncoder::new(&mut bytes).encode(pixels, width, height, color),
    }
    .map_err(failed)?;
    Ok(bytes)
}
