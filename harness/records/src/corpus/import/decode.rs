//! Bytes of a list to text.

use std::path::Path;

use encoding_rs::{BIG5, Encoding, GB18030, UTF_8};

use super::options::ImportError;

/// A list as text.
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) encoding: &'static Encoding,
    pub(super) byte_order_mark: bool,
}

/// Decodes by the given label, else by the byte order mark, else as UTF-8, else as GB18030 (which holds GB2312 and GBK),
/// else as Big5. Under a given label broken sequences become U+FFFD, and their rows are refused later.
pub(super) fn decode(path: &Path, bytes: &[u8], label: Option<&str>) -> Result<Decoded, ImportError> {
    let unreadable = |reason: &str| ImportError::Unreadable { path: path.to_owned(), reason: reason.to_owned() };
    let marked = Encoding::for_bom(bytes);
    let (encoding, mark_length) = match (label, marked) {
        (Some(label), _) => {
            let Some(encoding) = Encoding::for_label(label.as_bytes()) else {
                return Err(ImportError::Option {
                    option: "encoding",
                    value: label.to_owned(),
                    fix: "give a WHATWG label such as utf-8, gb18030, big5 or utf-16le".to_owned(),
                });
            };
            (encoding, marked.filter(|(found, _)| *found == encoding).map_or(0, |(_, length)| length))
        }
        (None, Some((encoding, length))) => (encoding, length),
        (None, None) => {
            let found = [UTF_8, GB18030, BIG5].into_iter().find(|encoding| fits(encoding, bytes));
            (found.ok_or_else(|| unreadable("is neither UTF-8 nor GB18030 nor Big5; name its encoding"))?, 0)
        }
    };
    let (text, _) = encoding.decode_without_bom_handling(&bytes[mark_length..]);
    Ok(Decoded { text: text.into_owned(), encoding, byte_order_mark: mark_length > 0 })
}

/// Whether the bytes are valid in an encoding. GB18030 puts into the private use area much of what another encoding means
/// otherwise, so such characters speak against it.
fn fits(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    let is_private = |character: char| matches!(character, '\u{E000}'..='\u{F8FF}');
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .is_some_and(|text| encoding != GB18030 || !text.contains(is_private))
}
