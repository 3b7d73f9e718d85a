//! The outer structure of picture files: chunks, segments, blocks. Read without decoding, so that a file can be refused before
//! anything large is allocated for it.
//!
//! PNG after ISO/IEC 15948, JPEG after ITU-T T.81 annex B, WebP after RFC 9649, GIF after the GIF89a specification.

use super::Format;

/// What the structure of a file says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Structure {
    /// Whether the structure is there up to its end mark.
    pub(super) complete: bool,
    /// Whether it has more than one frame.
    pub(super) animated: bool,
    /// JPEG: how many scans. Each is a pass of the decoder over the whole picture.
    pub(super) scans: usize,
    /// Where the structure ends; what follows is not part of the picture.
    pub(super) end: usize,
}

/// Reads the structure of a file of a known format.
pub(super) fn structure(format: Format, bytes: &[u8]) -> Structure {
    match format {
        Format::Png => png(bytes),
        Format::Jpeg => jpeg(bytes),
        Format::WebP => webp(bytes),
        Format::Gif => gif(bytes),
    }
}

/// A PNG chunk: its name, and where it ends with its checksum.
pub(crate) struct Chunk {
    pub(crate) name: [u8; 4],
    pub(crate) end: usize,
}

pub(crate) const PNG_SIGNATURE: usize = 8;

/// The whole chunks of a PNG file, in order, up to and with `IEND`.
pub(crate) fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk> + '_ {
    let mut at = PNG_SIGNATURE;
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let length = usize::try_from(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?)).ok()?;
        let name = *bytes.get(at + 4..)?.first_chunk()?;
        let end = at.checked_add(length)?.checked_add(12)?;
        if end > bytes.len() {
            return None;
        }
        at = end;
        ended = name == *b"IEND";
        Some(Chunk { name, end })
    })
}

fn png(bytes: &[u8]) -> Structure {
    let mut structure = Structure::default();
    for chunk in png_chunks(bytes) {
        structure.animated |= chunk.name == *b"acTL";
        structure.complete |= chunk.name == *b"IEND";
        structure.end = chunk.end;
    }
    structure
}

/// The marker and the bytes of the segment at `at`. Padding before the marker belongs to it.
pub(crate) fn jpeg_segment(bytes: &[u8], at: usize) -> Option<(u8, std::ops::Range<usize>)> {
    if *bytes.get(at)? != 0xFF {
        return None;
    }
    let padding = bytes.get(at..)?.iter().take_while(|byte| **byte == 0xFF).count();
    let marker = *bytes.get(at + padding)?;
    let head = at + padding + 1;
    if matches!(marker, 0x01 | 0xD0..=0xD9) {
        return Some((marker, at..head));
    }
    let length = usize::from(u16::from_be_bytes(*bytes.get(head..)?.first_chunk()?));
    let end = head.checked_add(length)?;
    (length >= 2 && end <= bytes.len()).then_some((marker, at..end))
}

fn jpeg(bytes: &[u8]) -> Structure {
    let mut structure = Structure { end: 2, ..Structure::default() };
    while let Some((marker, range)) = jpeg_segment(bytes, structure.end) {
        structure.end = range.end;
        match marker {
            0xD9 => {
                structure.complete = true;
                break;
            }
            0xDA => {
                structure.scans += 1;
                structure.end += entropy_coded(bytes.get(range.end..).unwrap_or_default());
            }
            _ => {}
        }
    }
    structure
}

/// How many bytes of entropy-coded data there are: up to the next marker that is neither a stuffed byte nor a restart.
fn entropy_coded(bytes: &[u8]) -> usize {
    let marker = bytes.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xD0..=0xD7 | 0xFF));
    marker.unwrap_or(bytes.len())
}

pub(crate) fn riff_end(bytes: &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?)).ok()?.checked_add(8)
}

fn webp(bytes: &[u8]) -> Structure {
    const ANIMATION_FLAG: u8 = 2;
    let declared = riff_end(bytes).unwrap_or(usize::MAX);
    // Some encoders leave out the last padding byte.
    let complete = declared <= bytes.len() + 1;
    let flags = bytes.get(20).copied().unwrap_or_default();
    let animated = bytes.get(12..16) == Some(b"VP8X") && flags & ANIMATION_FLAG != 0;
    Structure { complete, animated, scans: 0, end: declared.min(bytes.len()) }
}

fn gif(bytes: &[u8]) -> Structure {
    let mut structure = Structure::default();
    let (mut at, mut frames) = (13 + color_table(bytes.get(10)), 0_usize);
    loop {
        structure.end = at.min(bytes.len());
        structure.animated = frames > 1;
        let skipped = match bytes.get(at) {
            Some(0x3B) => {
                structure.complete = true;
                structure.end = at + 1;
                return structure;
            }
            Some(0x21) => sub_blocks(bytes, at + 2),
            Some(0x2C) => {
                frames += 1;
                sub_blocks(bytes, at + 11 + color_table(bytes.get(at + 9)))
            }
            _ => None,
        };
        match skipped {
            Some(next) => at = next,
            None => return structure,
        }
    }
}

/// The length of the colour table that a packed byte announces.
pub(crate) fn color_table(packed: Option<&u8>) -> usize {
    packed.map_or(0, |packed| if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) })
}

/// Where the sub-blocks that begin at `at` end.
pub(crate) fn sub_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}
