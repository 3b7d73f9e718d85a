//! Documents, bytes in and bytes out: a text as PDF, as a word processor's document or as plain text, and of which format one is
//! that was received.
//!
//! The same text, nonce and fonts give the same bytes. Another nonce gives other hashes and shows the same, but in plain text,
//! where nothing can hide.

mod docx;
mod examine;
mod pdf;
mod zip;

pub use docx::{NotInXml, docx};
pub use examine::{DocumentError, LARGEST, examine};
pub use pdf::{PdfError, pdf};

/// A document format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Format {
    /// Portable Document Format (ISO 32000).
    Pdf,
    /// Office Open XML, a word processor's document (ECMA-376).
    Docx,
    /// Plain text in UTF-8.
    Txt,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Pdf, Self::Docx, Self::Txt];

    /// Its name, as tables write it, and the usual ending of a file's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Txt => "txt",
        }
    }

    /// The format for which the ending of a file name stands, in capitals or not.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str().eq_ignore_ascii_case(extension))
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text as a plain file: the text, and behind an empty line the nonce in letters from a to p, which no filter takes for an
/// address or a number.
#[must_use]
pub fn txt(text: &str, nonce: u64) -> Vec<u8> {
    const LETTERS: &[u8; 16] = b"abcdefghijklmnop";
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte)]);
    let letters: String = nonce.to_be_bytes().iter().flat_map(|byte| [letter(byte >> 4), letter(byte & 15)]).collect();
    format!("{text}\n\n{letters}\n").into_bytes()
}
