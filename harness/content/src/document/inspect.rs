//! What is recorded of a document. Nothing of it is opened: formats are told by their frame, and what is inside stays there.

use super::{Format, zip};
use crate::hash::{md5_hex, sha256_hex};

/// The longest document that is looked at, in bytes.
pub const LARGEST: u64 = 50 << 20;
/// Readers look for the marks of a PDF in so many bytes at either end (PDF Reference 1.7, appendix H, notes 13 and 18).
const PDF_SLACK: usize = 1024;

/// Why a file is not taken for a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
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
    /// It is in none of the formats.
    #[error("is no PDF, no DOCX and no text in UTF-8")]
    UnknownFormat,
    /// It ends before its end mark.
    #[error("is a {format} that ends too early")]
    Truncated {
        /// Its format.
        format: Format,
    },
}

/// What is recorded of a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inspection {
    /// Its format, as its bytes say.
    pub format: Format,
    /// Its length in bytes.
    pub bytes: u64,
    /// MD5 in hexadecimal.
    pub md5: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// Says what is recorded of a file of at most `limit` bytes.
pub fn inspect(bytes: &[u8], limit: u64) -> Result<Inspection, DocumentError> {
    let length = bytes.len() as u64;
    if length == 0 {
        return Err(DocumentError::Empty);
    }
    if length > limit {
        return Err(DocumentError::TooLong { bytes: length, limit });
    }
    let format = format_of(bytes)?;
    Ok(Inspection { format, bytes: length, md5: md5_hex(bytes), sha256: sha256_hex(bytes) })
}

fn format_of(bytes: &[u8]) -> Result<Format, DocumentError> {
    let head = bytes.get(..PDF_SLACK).unwrap_or(bytes);
    if holds(head, b"%PDF-") {
        let tail = bytes.get(bytes.len().saturating_sub(PDF_SLACK)..).unwrap_or(bytes);
        return if holds(tail, b"%%EOF") { Ok(Format::Pdf) } else { Err(DocumentError::Truncated { format: Format::Pdf }) };
    }
    if bytes.starts_with(b"PK\x03\x04") {
        let names = zip::names(bytes).ok_or(DocumentError::Truncated { format: Format::Docx })?;
        let is_document = names.contains(&&b"[Content_Types].xml"[..]) && names.iter().any(|name| name.starts_with(b"word/"));
        return if is_document { Ok(Format::Docx) } else { Err(DocumentError::UnknownFormat) };
    }
    let is_text = |text: &str| !text.chars().any(|character| character.is_control() && !matches!(character, '\t' | '\n' | '\r'));
    match std::str::from_utf8(bytes) {
        Ok(text) if is_text(text) => Ok(Format::Txt),
        _ => Err(DocumentError::UnknownFormat),
    }
}

fn holds(bytes: &[u8], mark: &[u8]) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark)
}
