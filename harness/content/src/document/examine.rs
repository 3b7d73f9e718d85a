//! Of which format a document is, and whether it is whole.

use super::{Format, zip};

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

/// The format of a file of at most `limit` bytes, told by its frame; what is inside stays unopened.
pub fn examine(bytes: &[u8], limit: u64) -> Result<Format, DocumentError> {
    let length = bytes.len() as u64;
    if length == 0 {
        return Err(DocumentError::Empty);
    }
    if length > limit {
        return Err(DocumentError::TooLong { bytes: length, limit });
    }
    let head = bytes.get(..PDF_SLACK).unwrap_or(bytes);
    if holds(head, b"%PDF-") {
        let tail = bytes.get(bytes.len().saturating_sub(PDF_SLACK)..).unwrap_or(bytes);
        // A font's table may end with the same mark, but not behind the word that says where the table of the file begins.
        let whole = holds(tail, b"startxref") && holds(tail, b"%%EOF");
        return if whole { Ok(Format::Pdf) } else { Err(DocumentError::Truncated { format: Format::Pdf }) };
    }
    if bytes.starts_with(b"PK\x03\x04") {
        let names = zip::names(bytes).ok_or(DocumentError::Truncated { format: Format::Docx })?;
        let is_document = names.contains(&&b"[Content_Types].xml"[..]) && names.iter().any(|name| name.starts_with(b"word/"));
        return if is_document { Ok(Format::Docx) } else { Err(DocumentError::UnknownFormat) };
    }
    let is_text = !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok();
    if is_text { Ok(Format::Txt) } else { Err(DocumentError::UnknownFormat) }
}

fn holds(bytes: &[u8], mark: &[u8]) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark)
}
