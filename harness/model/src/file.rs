//! Files: what is measured of their bytes, and what a corpus declares that a filter could find in them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::ItemIx;

/// What is measured of a file's bytes, and its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// The name under which it is sent, or was received; without folders.
    pub name: Arc<str>,
    /// By its first bytes, not by its name.
    pub format: FileFormat,
    /// Its length.
    pub bytes: u64,
    /// MD5 of its bytes, 32 lower-case hexadecimal digits.
    pub md5: Arc<str>,
    /// SHA-256 of its bytes, 64 lower-case hexadecimal digits.
    pub sha256: Arc<str>,
    /// Of a picture: pixels across, as shown. `None` where it could not be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Of a picture: pixels down, as shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Of a picture: its perceptual hash, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perceptual_hash: Option<Arc<str>>,
}

/// The format of a file, as its first bytes say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// GIF.
    Gif,
    /// PDF.
    Pdf,
    /// A word processor's document (Office Open XML).
    Docx,
    /// Plain text in UTF-8.
    Txt,
    /// Anything else.
    Other,
}

impl FileFormat {
    /// Every format.
    pub const ALL: [Self; 8] = [Self::Png, Self::Jpeg, Self::Webp, Self::Gif, Self::Pdf, Self::Docx, Self::Txt, Self::Other];

    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Txt => "txt",
            Self::Other => "other",
        }
    }

    /// As a media type (RFC 6838).
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Txt => "text/plain",
            Self::Other => "application/octet-stream",
        }
    }
}

/// The file of an item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemFile {
    /// What its bytes say.
    pub facts: FileFacts,
    /// What can be found in it.
    pub shown: Shown,
    /// How it came about.
    pub origin: Origin,
}

/// What a filter could find in a file, as the corpus declares it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The text that can be read in it; empty for none.
    pub text: Arc<str>,
    /// The text cannot be seen once the picture is made grey by this formula.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_from: Option<GrayFormula>,
    /// What it looks like: the id of the item whose look it has; empty where it looks like nothing that is known.
    pub look: Arc<str>,
    /// The text in its metadata; empty for none.
    pub metadata: Arc<str>,
}

/// How a colour is made a grey, from 0 to 255.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrayFormula {
    /// 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601).
    Luminosity,
    /// The mean of the three.
    Average,
    /// The mean of the largest and the smallest.
    Lightness,
}

impl GrayFormula {
    /// Every formula, in the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::Luminosity, Self::Average, Self::Lightness];

    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Luminosity => "luminosity",
            Self::Average => "average",
            Self::Lightness => "lightness",
        }
    }

    /// The shade of a colour (red, green, blue), rounded to the nearest.
    #[must_use]
    pub fn shade(self, [red, green, blue]: [u8; 3]) -> u8 {
        let [r, g, b] = [red, green, blue].map(u32::from);
        let shade = match self {
            Self::Luminosity => (299 * r + 587 * g + 114 * b + 500) / 1000,
            Self::Average => (2 * (r + g + b) + 3) / 6,
            Self::Lightness => (r.max(g).max(b) + r.min(g).min(b)).div_ceil(2),
        };
        u8::try_from(shade).unwrap_or(u8::MAX)
    }
}

/// How a file of a corpus came about.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The item that it was made from; `None` for an original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<ItemIx>,
    /// By which transform; empty for an original.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub transform: Arc<str>,
    /// Which of the copies with a hash of their own; 0 where there is one.
    #[serde(default)]
    pub variant: u32,
    /// The item whose benign twin it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin_of: Option<ItemIx>,
    /// An item with another file of the same MD5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_md5_as: Option<ItemIx>,
}

/// A file that was received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceivedFile {
    /// What its bytes say.
    pub facts: FileFacts,
    /// The item of the study that its bytes are, or that it looks like.
    pub recognised: Option<Recognised>,
}

/// Which item a received file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recognised {
    /// The item.
    pub item: ItemIx,
    /// How far its look is from that of the item, in hundredths of a grey level; `None` where the bytes are the same.
    pub distance: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formulas_of_grey() {
        assert_eq!(GrayFormula::ALL.map(|formula| formula.shade([255, 0, 0])), [76, 85, 128]);
        assert_eq!(GrayFormula::ALL.map(|formula| formula.shade([255, 255, 255])), [255, 255, 255]);
        assert_eq!(GrayFormula::ALL.map(|formula| formula.shade([10, 20, 40])), [19, 23, 25]);
    }
}
