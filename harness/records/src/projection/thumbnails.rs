//! What the files of a run look like, for its report: read from `files/`, decoded, made small.
//!
//! Which files, and how many bytes of thumbnails, is the report's to say; here is bounded what it costs to make them, because some of
//! the files may have been made to cost much.

use std::path::Path;
use std::sync::Arc;

use lacuna_content::image::{Encoding, Limits, decode, encode, thumbnail};
use lacuna_model::FileFacts;
use lacuna_report::pictures::{MOST_BYTES, Picture, Pictures, SIDE};

use crate::contents;

/// The quality of the thumbnails' JPEG: characters as small as they are then stay sharp.
const QUALITY: u8 = 80;
/// All pictures that are decoded for a report have at most so many pixels.
const MOST_PIXELS: u64 = 200_000_000;
/// What one file may cost.
const LIMITS: Limits = Limits { bytes: 20 << 20, pixels: 20_000_000, memory: 192 << 20, scans: 20 };

/// Thumbnails, and whether they are of what the journal names.
pub(super) struct Thumbnails {
    pub pictures: Pictures,
    /// A file is missing, or is not what its name says: what the page shows of it cannot be compared.
    pub damaged: bool,
}

/// The thumbnails of these files in the folder of contents, from the first on, as long as there is room.
pub(super) fn of(files: &Path, wanted: &[&FileFacts]) -> Thumbnails {
    let mut thumbnails = Thumbnails { pictures: Pictures::new(), damaged: false };
    let (mut pixels, mut bytes) = (0, 0);
    for facts in wanted {
        // Of a picture that could not be decoded when it was sent nobody knows how many pixels it has.
        let of_this = facts.width.zip(facts.height).map_or(LIMITS.pixels, |(width, height)| u64::from(width) * u64::from(height));
        if of_this <= LIMITS.pixels && pixels + of_this > MOST_PIXELS {
            break;
        }
        let picture = look(files, facts).unwrap_or_else(|Damaged| {
            thumbnails.damaged = true;
            Picture::Unknown("is missing, or is not what was sent".to_owned())
        });
        pixels += of_this.min(LIMITS.pixels);
        if let Picture::Thumbnail { jpeg, .. } = &picture {
            bytes += jpeg.len();
            if bytes > MOST_BYTES {
                break;
            }
        }
        thumbnails.pictures.insert(Arc::clone(&facts.sha256), picture);
    }
    thumbnails
}

/// A file is not there as the journal names it.
struct Damaged;

fn look(files: &Path, facts: &FileFacts) -> Result<Picture, Damaged> {
    if facts.bytes > LIMITS.bytes {
        return Ok(Picture::Unknown(format!("is too long to be shown ({} bytes)", facts.bytes)));
    }
    let bytes = contents::read(files, &facts.sha256, facts.bytes).map_err(|_| Damaged)?;
    let small = match decode(&bytes, &LIMITS) {
        Ok(decoded) => thumbnail(&decoded.picture, SIDE),
        Err(error) => return Ok(Picture::Unknown(error.to_string())),
    };
    let (width, height) = small.dimensions();
    Ok(match encode(&small, Encoding::Jpeg(QUALITY)) {
        Ok(jpeg) => Picture::Thumbnail { jpeg, width, height },
        Err(error) => Picture::Unknown(error.to_string()),
    })
}
