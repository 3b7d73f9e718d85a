//! Two JPEG files with different pictures and one MD5.
//!
//! ```text
//! prefix       SOI, JFIF header, a comment that reaches into the second colliding block
//! blocks       … its byte 56: the header of a comment, whose length differs by 128 between the two files
//! padding      up to where the shorter comment ends
//! 128 bytes    the header of a further comment, a nonce; the longer comment ends behind them
//! picture 1    cut into pieces of less than 64 KiB between its scans
//! picture 2
//! ```
//!
//! The file with the longer comment shows picture 1, behind whose end mark nothing is read. In the file with the shorter comment
//! picture 1 is itself hidden in comments. No comment is longer than 65,533 bytes; therefore each cut in picture 1 is a comment of
//! picture 1, in which the next comment of the other file begins. A progressive JPEG can be cut between its scans, and has as many
//! as needed.

use image::{RgbImage, imageops};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::blocks::CollidingBlocks;
use super::search::{Pair, Shape};

/// The longest segment, its length field counted and its marker not.
const LONGEST_SEGMENT: usize = 0xffff;

/// The header of a comment, without its length.
const COMMENT: [u8; 2] = [0xff, 0xfe];

/// By how much the lengths of the two comments differ.
const STEP: usize = 128;

/// Where in the two blocks the length of the switching comment stands.
const LENGTH_AT: usize = 64 + 58;

/// What bytes 56 to 59 of the second block must be: the header of a comment whose length is 256 to 511.
///
/// Of the length's second byte the highest bit is what differs.
pub const SHAPE: Shape = Shape { mask: 0x00ff_ffff, value: u32::from_le_bytes([0xff, 0xfe, 1, 0]) };

/// The length of the switching comment in these blocks.
pub fn length(blocks: &[u8; 128]) -> u16 {
    u16::from_be_bytes([blocks[LENGTH_AT], blocks[LENGTH_AT + 1]])
}

/// The bytes before the blocks: a start of image, a JFIF header, and a comment that ends where the switching comment begins.
///
/// `filler` is part of the comment, and decides the chaining value.
#[must_use]
pub fn prefix(filler: u64) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..20].copy_from_slice(&[0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
    bytes[20..22].copy_from_slice(&COMMENT);
    // From its length field on to byte 56 of the second block.
    bytes[22..24].copy_from_slice(&[0, 64 - 22 + 64 + 56]);
    bytes[56..].copy_from_slice(&filler.to_be_bytes());
    bytes
}

/// A picture as a JPEG stream without start of image and JFIF header, and how it was made.
struct Stream {
    /// The pieces between which it can be cut; the end mark is in the last.
    pieces: Vec<Vec<u8>>,
    made: Made,
}

/// How a picture was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The quality of the JPEG, 1 to 100.
    pub quality: u8,
}

/// Two files with one MD5.
pub struct Files {
    /// Shows the first picture.
    pub first: Vec<u8>,
    /// Shows the second picture.
    pub second: Vec<u8>,
    /// How the two pictures were written.
    pub made: [Made; 2],
}

/// Why two pictures cannot be joined.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JoinError {
    /// A side has no pixels or more than a JPEG can have.
    #[error("a side of a picture is longer than 65,535 pixels, or a picture is empty")]
    Dimensions,
    /// The encoder failed.
    #[error("a picture cannot be written as JPEG")]
    Encoder,
}

/// Joins two pictures behind colliding blocks. `nonce` makes the files' hash a fresh one.
pub(super) fn join(blocks: &CollidingBlocks, first: &RgbImage, second: &RgbImage, nonce: u64) -> Result<Files, JoinError> {
    // The smaller picture is the one that is cut.
    let swapped = pixels(first) > pixels(second);
    let (cut, whole) = if swapped { (second, first) } else { (first, second) };
    let cut = in_pieces(cut)?;
    let whole = encode(whole, QUALITIES[0], None)?;
    let rest = suffix(blocks, &cut.pieces, &whole.pieces.concat(), nonce);
    let [long, short] = blocks.beginnings().map(|beginning| [&beginning[..], &rest].concat());
    let (mut files, mut made) = ([long, short], [cut.made, whole.made]);
    if swapped {
        files.reverse();
        made.reverse();
    }
    let [first, second] = files;
    Ok(Files { first, second, made })
}

fn pixels(picture: &RgbImage) -> u64 {
    u64::from(picture.width()) * u64::from(picture.height())
}

/// What stands behind the blocks in both files.
fn suffix(blocks: &CollidingBlocks, cut: &[Vec<u8>], whole: &[u8], nonce: u64) -> Vec<u8> {
    let Pair { first, second } = &blocks.pair;
    let length = usize::from(length(first).min(length(second)));
    let mut bytes = vec![0; (LENGTH_AT + length).saturating_sub(first.len())];
    // Where the shorter comment ends: the first comment that hides the cut picture.
    let mut open = bytes.len();
    bytes.extend(COMMENT);
    bytes.extend([0; 2]);
    bytes.extend(nonce.to_be_bytes());
    bytes.resize(open + STEP, 0);
    for piece in cut {
        // A new comment is only begun if this one would grow too long with the piece and the header of the next.
        if bytes.len() - (open + 2) + piece.len() + 4 > LONGEST_SEGMENT {
            bytes.extend(COMMENT);
            bytes.extend([0, 6]);
            close(&mut bytes, open);
            open = bytes.len();
            bytes.extend(COMMENT);
            bytes.extend([0; 2]);
        }
        bytes.extend(piece);
    }
    close(&mut bytes, open);
    bytes.extend(whole);
    bytes
}

/// Gives the comment that begins at `open` its length: to the end of what is there.
fn close(bytes: &mut [u8], open: usize) {
    // `join` makes no pieces that are too long.
    let length = u16::try_from(bytes.len() - (open + 2)).unwrap_or(u16::MAX);
    bytes[open + 2..open + 4].copy_from_slice(&length.to_be_bytes());
}

/// The qualities that are tried, best first.
const QUALITIES: [u8; 3] = [90, 75, 50];

/// The numbers of scans a component that are tried. Decoders refuse files with more than about a hundred.
const SCANS: [u8; 3] = [4, 12, 33];

/// What fits between two cuts: less the nonce's 128 bytes, and a comment's header.
const LONGEST_PIECE: usize = LONGEST_SEGMENT - STEP - 8;

/// A picture in pieces that fit into comments: in the best quality that can be so written, and if none can, at half the size.
fn in_pieces(picture: &RgbImage) -> Result<Stream, JoinError> {
    let mut picture = std::borrow::Cow::Borrowed(picture);
    loop {
        for quality in QUALITIES {
            for scans in SCANS {
                let stream = encode(&picture, quality, Some(scans))?;
                if stream.pieces.iter().all(|piece| piece.len() <= LONGEST_PIECE) {
                    return Ok(stream);
                }
            }
        }
        let (width, height) = (picture.width().div_ceil(2), picture.height().div_ceil(2));
        picture = std::borrow::Cow::Owned(imageops::resize(&*picture, width, height, imageops::FilterType::Triangle));
    }
}

/// Writes a picture, progressive with so many scans a component, or else baseline and in one piece.
fn encode(picture: &RgbImage, quality: u8, scans: Option<u8>) -> Result<Stream, JoinError> {
    let (width, height) = (picture.width(), picture.height());
    let (Ok(columns), Ok(rows)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(JoinError::Dimensions);
    };
    if columns == 0 || rows == 0 {
        return Err(JoinError::Dimensions);
    }
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    // A baseline file with tables of its own would be written in a scan a component, which not every decoder reads.
    if let Some(scans) = scans {
        encoder.set_optimized_huffman_tables(true);
        encoder.set_progressive_scans(scans);
    }
    encoder.encode(picture.as_raw(), columns, rows, ColorType::Rgb).map_err(|_| JoinError::Encoder)?;
    let mut pieces = pieces(&bytes).ok_or(JoinError::Encoder)?;
    if scans.is_none() {
        pieces = vec![pieces.concat()];
    }
    Ok(Stream { pieces, made: Made { width, height, quality } })
}

/// Cuts a JPEG file before each scan, and leaves out its start of image and its JFIF header.
fn pieces(file: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut pieces = vec![Vec::new()];
    let mut at = 2;
    loop {
        let marker = *file.get(at + 1)?;
        match marker {
            0xd9 => {
                pieces.last_mut()?.extend(file.get(at..at + 2)?);
                return Some(pieces);
            }
            0xda => {
                let header = usize::from(u16::from_be_bytes([*file.get(at + 2)?, *file.get(at + 3)?])) + 2;
                // The scan goes on to the next marker that is neither a stuffed byte nor a restart.
                let data = file.get(at + header..)?;
                let ends = |two: &[u8]| two[0] == 0xff && !matches!(two[1], 0 | 0xd0..=0xd7);
                let end = at + header + data.windows(2).position(ends)?;
                pieces.push(file.get(at..end)?.to_vec());
                at = end;
            }
            _ => {
                let end = at + 2 + usize::from(u16::from_be_bytes([*file.get(at + 2)?, *file.get(at + 3)?]));
                if marker != 0xe0 {
                    pieces.last_mut()?.extend(file.get(at..end)?);
                }
                at = end;
            }
        }
    }
}
