//! What is measured of a file, whatever it is and wherever it comes from.

use std::sync::Arc;

use lacuna_model::{FileFacts, FileFormat};

use crate::document::{self, DocumentError};
use crate::hash::{md5_hex, sha256_hex};
use crate::image::{Appearance, DecodeError, Format, Limits, inspect};

/// The longest file name that is kept, in bytes.
const LONGEST_NAME: usize = 255;

/// A file, measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What is written down of it.
    pub facts: FileFacts,
    /// Of a picture that can be decoded: what it is recognised by.
    pub appearance: Option<Appearance>,
    /// Why it is not taken for a picture; `None` where it is one, and where it does not begin like one.
    pub error: Option<DecodeError>,
}

/// Measures a file: hashes and length always, and of a picture that can be decoded within the limits what it looks like.
#[must_use]
pub fn measure(name: &str, bytes: &[u8]) -> Measured {
    let (format, mut appearance, mut error) = (format_of(bytes), None, None);
    let (mut width, mut height, mut perceptual_hash) = (None, None, None);
    if Format::of(bytes).is_some() {
        match inspect(bytes, &Limits::default()) {
            Ok(picture) => {
                (width, height) = (Some(picture.width), Some(picture.height));
                perceptual_hash = Some(Arc::from(picture.perceptual.to_string()));
                appearance = Some(picture.appearance);
            }
            Err(reason) => error = Some(reason),
        }
    }
    let facts = FileFacts {
        name: plain_name(name).into(),
        format,
        bytes: bytes.len() as u64,
        md5: md5_hex(bytes).into(),
        sha256: sha256_hex(bytes).into(),
        width,
        height,
        perceptual_hash,
    };
    Measured { facts, appearance, error }
}

/// The format of a file, as its bytes say; of one that is cut off, what it was.
#[must_use]
pub fn format_of(bytes: &[u8]) -> FileFormat {
    match Format::of(bytes) {
        Some(Format::Png) => FileFormat::Png,
        Some(Format::Jpeg) => FileFormat::Jpeg,
        Some(Format::WebP) => FileFormat::Webp,
        Some(Format::Gif) => FileFormat::Gif,
        None => match document::examine(bytes, u64::MAX) {
            Ok(format) | Err(DocumentError::Truncated { format }) => match format {
                document::Format::Pdf => FileFormat::Pdf,
                document::Format::Docx => FileFormat::Docx,
                document::Format::Txt => FileFormat::Txt,
            },
            Err(_) => FileFormat::Other,
        },
    }
}

/// The last part of a name, without control characters: a name that was received may lead out of a folder or deceive a terminal.
#[must_use]
pub fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut plain: String = last.chars().filter(|character| !character.is_control()).collect();
    plain.truncate(plain.floor_char_boundary(LONGEST_NAME));
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        let formats = [
            (&b"%PDF-1.4\n"[..], FileFormat::Pdf),
            (b"PK\x03\x04rest", FileFormat::Docx),
            ("\u{65b0}\u{7586}".as_bytes(), FileFormat::Txt),
            (b"\0\0", FileFormat::Other),
            (b"", FileFormat::Other),
            (b"\xFF\xD8\xFFcut", FileFormat::Jpeg),
        ];
        for (bytes, format) in formats {
            assert_eq!(measure("x", bytes).facts.format, format, "{bytes:?}");
        }
        assert!(measure("x.jpg", b"\xFF\xD8\xFFcut").error.is_some());
    }

    #[test]
    fn a_name_is_a_name() {
        for (name, plain) in [("../../etc/passwd", "passwd"), ("a\\b\u{7}.png", "b.png"), ("..", ".."), ("", "")] {
            assert_eq!(&*measure(name, b"").facts.name, plain);
        }
        assert_eq!(measure(&"\u{65b0}".repeat(100), b"").facts.name.len(), 255);
    }
}
