//! Two PDF files of one page that show different pictures and have one MD5.
//!
//! The page is one JPEG, the first object of the file; it is joined as [`super::jpeg`] does it. What depends on it (width, height, length)
//! stands in objects behind it, so that the bytes before the blocks are the same for all files.

use std::fmt::Write as _;

use image::{Rgb, RgbImage, imageops};

use super::blocks::CollidingBlocks;
use super::jpeg::{self, Files, JoinError};

const HEADER: &str = "%PDF-1.4\n%";

const IMAGE: &str = "\n1 0 obj\n<</Type/XObject/Subtype/Image/Width 2 0 R/Height 3 0 R/ColorSpace/DeviceRGB/BitsPerComponent 8\
                     /Filter/DCTDecode/Length 4 0 R>>\nstream\n";

/// Where the JPEG begins.
const IMAGE_AT: usize = (HEADER.len() + IMAGE.len()).next_multiple_of(64);

/// The bytes before the blocks: the PDF's, in whole blocks, and those of the JPEG.
#[must_use]
pub fn prefix(filler: u64) -> Vec<u8> {
    let mut bytes = HEADER.as_bytes().to_vec();
    // A comment of bytes above 127, by which programs see that the file is not text.
    bytes.resize(IMAGE_AT - IMAGE.len(), 0xe2);
    bytes.extend(IMAGE.as_bytes());
    bytes.extend(jpeg::prefix(filler));
    bytes
}

/// Joins two pictures behind colliding blocks, each on a page of the same size. `nonce` makes the files' hash a fresh one.
pub(super) fn join(blocks: &CollidingBlocks, first: &RgbImage, second: &RgbImage, nonce: u64) -> Result<Files, JoinError> {
    let (width, height) = (first.width().max(second.width()), first.height().max(second.height()));
    let pages = [first, second].map(|picture| page(picture, width, height));
    let mut files = jpeg::join(blocks, &pages[0], &pages[1], nonce)?;
    // If one had to be made smaller, both must be.
    let size = files.made.map(|made| (made.width, made.height));
    if size[0] != size[1] {
        let (width, height) = size[0].min(size[1]);
        let pages = pages.map(|page| imageops::resize(&page, width, height, imageops::FilterType::Triangle));
        files = jpeg::join(blocks, &pages[0], &pages[1], nonce)?;
    }
    let made = files.made[0];
    let rest = rest(files.first.len() - IMAGE_AT, made.width, made.height);
    files.first.extend(&rest);
    files.second.extend(&rest);
    Ok(files)
}

/// The picture in the middle of a white page.
fn page(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    let mut page = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    let (left, top) = ((width - picture.width()) / 2, (height - picture.height()) / 2);
    imageops::replace(&mut page, picture, left.into(), top.into());
    page
}

/// What stands behind a JPEG of this length.
fn rest(length: usize, width: u32, height: u32) -> Vec<u8> {
    let content = format!("q {width} 0 0 {height} 0 0 cm /I Do Q");
    let objects = [
        width.to_string(),
        height.to_string(),
        length.to_string(),
        "<</Type/Catalog/Pages 6 0 R>>".to_owned(),
        "<</Type/Pages/Kids[7 0 R]/Count 1>>".to_owned(),
        format!("<</Type/Page/Parent 6 0 R/MediaBox[0 0 {width} {height}]/Contents 8 0 R/Resources<</XObject<</I 1 0 R>>>>>>"),
        format!("<</Length {}>>\nstream\n{content}\nendstream", content.len()),
    ];
    let start = IMAGE_AT + length;
    let mut bytes = b"\nendstream\nendobj\n".to_vec();
    let first = IMAGE_AT - IMAGE.len() + 1;
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n{first:010} 00000 n \n", objects.len() + 2);
    for (number, object) in (2..).zip(&objects) {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{:010} 00000 n ", start + bytes.len());
        bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    let table_at = start + bytes.len();
    bytes.extend(table.as_bytes());
    let trailer = format!("trailer\n<</Size {}/Root 5 0 R>>\nstartxref\n{table_at}\n%%EOF\n", objects.len() + 2);
    bytes.extend(trailer.as_bytes());
    bytes
}
