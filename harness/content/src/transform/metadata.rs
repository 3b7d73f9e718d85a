//! What stands in a picture file beside the pixels: Exif, XMP, comments. Read, taken out and put in without touching the pixels.
//!
//! PNG after the third edition of its specification (`eXIf`, `iTXt`, `tEXt`), JPEG after Exif 2.3 and the XMP specification part 3
//! (`APP1`, `COM`), WebP after RFC 9649 (`EXIF`, `XMP `, and a chunk of our own for comments, which that format lacks), GIF after
//! its version 89a (comments alone).

use image::metadata::Orientation;

use super::TransformError;
use super::spec::MetadataKind;
use crate::image::Format;
use crate::image::container::{PNG_SIGNATURE, color_table, jpeg_segment, png_chunks, riff_end, sub_blocks};

const JPEG_EXIF: &[u8] = b"Exif\0\0";
const JPEG_XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const PNG_XMP: &[u8] = b"XML:com.adobe.xmp";
/// A WebP chunk for comments. Readers skip chunks that they do not know.
const WEBP_COMMENT: &[u8; 4] = b"NOTE";
/// The longest JPEG segment without its length.
const JPEG_SEGMENT: usize = 65_533;

/// The metadata of a file that are carried from one to another. Colour profiles and the like are none.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Metadata {
    /// A TIFF structure.
    pub(super) exif: Option<Vec<u8>>,
    /// An XMP packet.
    pub(super) xmp: Option<Vec<u8>>,
    /// Comments, each with its keyword (PNG has one, elsewhere it is empty).
    pub(super) comments: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Metadata {
    pub(super) fn comment(text: &str) -> Self {
        Self { comments: vec![(Vec::new(), text.as_bytes().to_vec())], ..Self::default() }
    }

    fn take(&mut self, part: Part, payload: &[u8]) {
        match part {
            Part::Exif => drop(self.exif.get_or_insert_with(|| payload.to_vec())),
            Part::Xmp => drop(self.xmp.get_or_insert_with(|| payload.to_vec())),
            Part::Comment => self.comments.push((Vec::new(), payload.to_vec())),
            Part::Text => self.comments.extend(png_text(payload)),
            Part::Other | Part::Body => {}
        }
    }
}

/// What a piece of a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Exif,
    Xmp,
    Comment,
    /// PNG: keyword and text.
    Text,
    /// Metadata that are not carried along.
    Other,
    Body,
}

/// The pieces of a file in order, with where their payload stands in each. Together they are all of it up to the end of the
/// structure.
fn pieces(format: Format, bytes: &[u8]) -> Vec<(Part, &[u8], &[u8])> {
    match format {
        Format::Png => png_pieces(bytes),
        Format::Jpeg => jpeg_pieces(bytes),
        Format::WebP => webp_chunks(bytes),
        Format::Gif => gif_pieces(bytes),
    }
}

fn png_pieces(bytes: &[u8]) -> Vec<(Part, &[u8], &[u8])> {
    let mut at = PNG_SIGNATURE;
    let piece = |chunk: crate::image::container::Chunk| {
        let whole = bytes.get(at..chunk.end).unwrap_or_default();
        at = chunk.end;
        let payload = whole.get(8..whole.len().saturating_sub(4)).unwrap_or_default();
        let part = match &chunk.name {
            b"eXIf" => Part::Exif,
            b"iTXt" if payload.starts_with(PNG_XMP) && payload.get(PNG_XMP.len()) == Some(&0) => Part::Xmp,
            b"iTXt" | b"tEXt" => Part::Text,
            b"zTXt" | b"tIME" => Part::Other,
            _ => Part::Body,
        };
        let payload = match part {
            Part::Xmp => png_international(payload).map_or(&[][..], |(_, text)| text),
            Part::Text => whole.get(4..whole.len().saturating_sub(4)).unwrap_or_default(),
            _ => payload,
        };
        (part, whole, payload)
    };
    png_chunks(bytes).map(piece).collect()
}

/// Keyword and text of an uncompressed `iTXt` chunk.
fn png_international(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let (keyword, rest) = until_zero(payload)?;
    let rest = rest.strip_prefix(&[0, 0])?;
    let (_language, rest) = until_zero(rest)?;
    let (_translated, text) = until_zero(rest)?;
    Some((keyword, text))
}

/// Keyword and text, in UTF-8, of a chunk with its name.
fn png_text(chunk: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (name, payload) = chunk.split_at_checked(4)?;
    if name == b"iTXt" {
        return png_international(payload).map(|(keyword, text)| (keyword.to_vec(), text.to_vec()));
    }
    let (keyword, text) = until_zero(payload)?;
    let latin_1: String = text.iter().copied().map(char::from).collect();
    Some((keyword.to_vec(), latin_1.into_bytes()))
}

fn until_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

fn jpeg_pieces(bytes: &[u8]) -> Vec<(Part, &[u8], &[u8])> {
    let mut pieces = Vec::new();
    let mut at = 2;
    while let Some((marker, range)) = jpeg_segment(bytes, at) {
        let whole = bytes.get(range.clone()).unwrap_or_default();
        // The marker may be padded; behind it stands the length.
        let padding = whole.iter().take_while(|byte| **byte == 0xFF).count();
        let payload = whole.get(padding + 3..).unwrap_or_default();
        let cut = |prefix: &[u8]| payload.get(prefix.len()..).unwrap_or_default();
        let (part, payload) = match marker {
            0xE1 if payload.starts_with(JPEG_EXIF) => (Part::Exif, cut(JPEG_EXIF)),
            0xE1 if payload.starts_with(JPEG_XMP) => (Part::Xmp, cut(JPEG_XMP)),
            0xFE => (Part::Comment, payload),
            // APP0 says how pixels are shaped, APP2 what colours mean, APP14 how they are coded.
            0xE1 | 0xE3..=0xED | 0xEF => (Part::Other, payload),
            _ => (Part::Body, payload),
        };
        // Metadata stand before the picture's data.
        if marker == 0xDA {
            break;
        }
        pieces.push((part, whole, payload));
        at = range.end;
    }
    pieces.push((Part::Body, bytes.get(at..).unwrap_or_default(), &[]));
    pieces
}

fn webp_chunks(bytes: &[u8]) -> Vec<(Part, &[u8], &[u8])> {
    let end = riff_end(bytes).unwrap_or_default().min(bytes.len());
    let mut pieces = Vec::new();
    let mut at = 12;
    while let Some(head) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>).filter(|_| at + 8 <= end) {
        let [a, b, c, d, length @ ..] = *head;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        let start = at + 8;
        let payload_end = start.saturating_add(length).min(end);
        let next = payload_end.saturating_add(length & 1).min(end);
        let part = match &[a, b, c, d] {
            b"EXIF" => Part::Exif,
            b"XMP " => Part::Xmp,
            WEBP_COMMENT => Part::Comment,
            _ => Part::Body,
        };
        pieces.push((part, bytes.get(at..next).unwrap_or_default(), bytes.get(start..payload_end).unwrap_or_default()));
        at = next;
    }
    pieces
}

fn gif_pieces(bytes: &[u8]) -> Vec<(Part, &[u8], &[u8])> {
    let mut pieces = Vec::new();
    let mut at = gif_head(bytes);
    loop {
        let (part, end) = match (bytes.get(at), bytes.get(at + 1)) {
            (Some(0x21), Some(0xFE)) => (Part::Comment, sub_blocks(bytes, at + 2)),
            // XMP is an application extension whose end is found as that of any other.
            (Some(0x21), Some(0xFF)) if bytes.get(at + 3..at + 14) == Some(b"XMP DataXMP") => {
                (Part::Other, sub_blocks(bytes, at + 2))
            }
            (Some(0x21), _) => (Part::Body, sub_blocks(bytes, at + 2)),
            (Some(0x2C), _) => (Part::Body, sub_blocks(bytes, at + 11 + color_table(bytes.get(at + 9)))),
            _ => {
                pieces.push((Part::Body, bytes.get(at..).unwrap_or_default(), &[][..]));
                return pieces;
            }
        };
        let Some(end) = end else {
            pieces.push((Part::Body, bytes.get(at..).unwrap_or_default(), &[]));
            return pieces;
        };
        let whole = bytes.get(at..end).unwrap_or_default();
        pieces.push((part, whole, whole.get(2..).unwrap_or_default()));
        at = end;
    }
}

/// Where the head of a GIF ends: signature, screen, global colours.
fn gif_head(bytes: &[u8]) -> usize {
    (13 + color_table(bytes.get(10))).min(bytes.len())
}

/// The bytes of sub-blocks put together.
fn joined(mut blocks: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some((length, rest)) = blocks.split_first() {
        let Some((block, rest)) = rest.split_at_checked(usize::from(*length)).filter(|_| *length > 0) else { break };
        whole.extend_from_slice(block);
        blocks = rest;
    }
    whole
}

/// The metadata of a file.
pub(super) fn read(format: Format, bytes: &[u8]) -> Metadata {
    let mut metadata = Metadata::default();
    for (part, _, payload) in pieces(format, bytes) {
        match format {
            Format::Gif if part == Part::Comment => metadata.take(part, &joined(payload)),
            _ => metadata.take(part, payload),
        }
    }
    metadata
}

/// The file without its metadata, its pixels as they are shown untouched: if Exif turns them, that alone stays.
pub(super) fn strip(format: Format, bytes: &[u8]) -> Result<Vec<u8>, TransformError> {
    let orientation = orientation(&read(format, bytes));
    let stripped = without(format, bytes, |_| true);
    match orientation {
        Some(Orientation::NoTransforms) | None => Ok(stripped),
        Some(turned) => insert(format, &stripped, &Metadata { exif: Some(exif(turned, "")), ..Metadata::default() }),
    }
}

/// The file with a text as metadata of a kind, in place of what it had of that kind; comments are added to.
pub(super) fn add(format: Format, bytes: &[u8], kind: MetadataKind, text: &str) -> Result<Vec<u8>, TransformError> {
    let old = read(format, bytes);
    let (name, added) = match kind {
        MetadataKind::Exif => {
            let orientation = orientation(&old).unwrap_or(Orientation::NoTransforms);
            ("Exif", Metadata { exif: Some(exif(orientation, text)), ..Metadata::default() })
        }
        MetadataKind::Xmp => ("XMP", Metadata { xmp: Some(xmp(text)), ..Metadata::default() }),
        MetadataKind::Comment => return insert(format, bytes, &Metadata::comment(text)),
    };
    if format == Format::Gif {
        return Err(TransformError::NoPlace { format, kind: name });
    }
    let replaced = if kind == MetadataKind::Exif { Part::Exif } else { Part::Xmp };
    insert(format, &without(format, bytes, |part| part == replaced), &added)
}

fn orientation(metadata: &Metadata) -> Option<Orientation> {
    Orientation::from_exif_chunk(metadata.exif.as_deref()?)
}

/// What was turned as Exif says must not be turned again.
pub(super) fn turned(mut metadata: Metadata) -> Metadata {
    if let Some(exif) = &mut metadata.exif {
        let _ = Orientation::remove_from_exif_chunk(exif);
    }
    metadata
}

/// The file without the pieces that are metadata and of a part to be taken out.
fn without(format: Format, bytes: &[u8], taken_out: impl Fn(Part) -> bool) -> Vec<u8> {
    let kept = pieces(format, bytes).into_iter().filter(|(part, ..)| *part == Part::Body || !taken_out(*part));
    let head = match format {
        Format::Png => PNG_SIGNATURE,
        Format::Jpeg => 2,
        Format::WebP => 12,
        Format::Gif => gif_head(bytes),
    };
    let mut result = bytes.get(..head).unwrap_or_default().to_vec();
    kept.for_each(|(_, whole, _)| result.extend_from_slice(whole));
    if format == Format::WebP {
        webp_head(&mut result);
    }
    result
}

/// The file with metadata put in.
pub(super) fn insert(format: Format, bytes: &[u8], metadata: &Metadata) -> Result<Vec<u8>, TransformError> {
    if *metadata == Metadata::default() {
        return Ok(bytes.to_vec());
    }
    let mut added = Vec::new();
    let at = match format {
        Format::Png => {
            png_metadata(metadata, &mut added);
            // Behind the head.
            png_chunks(bytes).next().map_or(PNG_SIGNATURE, |chunk| chunk.end)
        }
        Format::Jpeg => {
            jpeg_metadata(metadata, &mut added)?;
            // Behind what must come first.
            jpeg_segment(bytes, 2).filter(|(marker, _)| *marker == 0xE0).map_or(2, |(_, range)| range.end)
        }
        Format::WebP => return webp_with(bytes, metadata),
        Format::Gif => {
            for (_, text) in &metadata.comments {
                added.extend_from_slice(&[0x21, 0xFE]);
                for block in text.chunks(255) {
                    added.push(u8::try_from(block.len()).unwrap_or(u8::MAX));
                    added.extend_from_slice(block);
                }
                added.push(0);
            }
            gif_head(bytes)
        }
    };
    let (before, behind) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    let mut result = [before, &added, behind].concat();
    // The version of 1987 knows no comments.
    if let (Format::Gif, Some(version)) = (format, result.get_mut(4)) {
        *version = b'9';
    }
    Ok(result)
}

fn png_metadata(metadata: &Metadata, to: &mut Vec<u8>) {
    if let Some(exif) = &metadata.exif {
        png_chunk(*b"eXIf", exif, to);
    }
    let xmp = metadata.xmp.iter().map(|xmp| (PNG_XMP, xmp));
    let comments = metadata.comments.iter().map(|(keyword, text)| match keyword.len() {
        1..=79 => (keyword.as_slice(), text),
        _ => (&b"Comment"[..], text),
    });
    for (keyword, text) in xmp.chain(comments) {
        // No compression, no language, no translated keyword.
        png_chunk(*b"iTXt", &[keyword, &[0, 0, 0, 0, 0], text].concat(), to);
    }
}

fn png_chunk(name: [u8; 4], payload: &[u8], to: &mut Vec<u8>) {
    let named = [&name, payload].concat();
    to.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
    to.extend_from_slice(&named);
    to.extend_from_slice(&crc32fast::hash(&named).to_be_bytes());
}

fn jpeg_metadata(metadata: &Metadata, to: &mut Vec<u8>) -> Result<(), TransformError> {
    let exif = metadata.exif.iter().map(|exif| (0xE1, JPEG_EXIF, exif));
    let xmp = metadata.xmp.iter().map(|xmp| (0xE1, JPEG_XMP, xmp));
    let comments = metadata.comments.iter().map(|(_, text)| (0xFE, &[][..], text));
    for (marker, prefix, payload) in exif.chain(xmp).chain(comments) {
        let length = prefix.len() + payload.len();
        if length > JPEG_SEGMENT {
            return Err(TransformError::LongMetadata { format: Format::Jpeg, bytes: length });
        }
        to.extend_from_slice(&[0xFF, marker]);
        to.extend_from_slice(&u16::try_from(length + 2).unwrap_or(u16::MAX).to_be_bytes());
        to.extend_from_slice(prefix);
        to.extend_from_slice(payload);
    }
    Ok(())
}

fn webp_with(bytes: &[u8], metadata: &Metadata) -> Result<Vec<u8>, TransformError> {
    let chunks = webp_chunks(bytes);
    let mut result = bytes.get(..12).unwrap_or_default().to_vec();
    if !chunks.iter().any(|(_, whole, _)| whole.starts_with(b"VP8X")) {
        let extended = chunks.first().and_then(|(_, whole, payload)| webp_extended(whole, payload));
        let unlike = || TransformError::NoPlace { format: Format::WebP, kind: "metadata" };
        webp_chunk(*b"VP8X", &extended.ok_or_else(unlike)?, &mut result);
    }
    for (part, whole, _) in &chunks {
        if *part == Part::Body {
            result.extend_from_slice(whole);
        }
    }
    let old = chunks.iter().filter(|(part, ..)| *part != Part::Body);
    let is_replaced = |part: Part| match part {
        Part::Exif => metadata.exif.is_some(),
        Part::Xmp => metadata.xmp.is_some(),
        _ => false,
    };
    old.filter(|(part, ..)| !is_replaced(*part)).for_each(|(_, whole, _)| result.extend_from_slice(whole));
    metadata.exif.iter().for_each(|exif| webp_chunk(*b"EXIF", exif, &mut result));
    metadata.xmp.iter().for_each(|xmp| webp_chunk(*b"XMP ", xmp, &mut result));
    metadata.comments.iter().for_each(|(_, text)| webp_chunk(*WEBP_COMMENT, text, &mut result));
    webp_head(&mut result);
    Ok(result)
}

fn webp_chunk(name: [u8; 4], payload: &[u8], to: &mut Vec<u8>) {
    to.extend_from_slice(&name);
    to.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    to.extend_from_slice(payload);
    if payload.len() % 2 == 1 {
        to.push(0);
    }
}

/// The payload of a `VP8X` chunk for the only chunk of a simple file: flags, then width and height, each less one.
fn webp_extended(whole: &[u8], payload: &[u8]) -> Option<[u8; 10]> {
    const ALPHA: u8 = 0x10;
    let (flags, width, height) = match whole.first_chunk::<4>()? {
        b"VP8L" => {
            let bits = u32::from_le_bytes(*payload.get(1..)?.first_chunk()?);
            (if bits >> 28 & 1 == 1 { ALPHA } else { 0 }, bits & 0x3FFF, bits >> 14 & 0x3FFF)
        }
        b"VP8 " => {
            let side = |at: usize| Some(u32::from(u16::from_le_bytes(*payload.get(at..)?.first_chunk()?)) & 0x3FFF);
            (0, side(6)?.checked_sub(1)?, side(8)?.checked_sub(1)?)
        }
        _ => return None,
    };
    let ([w0, w1, w2, _], [h0, h1, h2, _]) = (width.to_le_bytes(), height.to_le_bytes());
    Some([flags, 0, 0, 0, w0, w1, w2, h0, h1, h2])
}

/// Sets the length in the head, and the flags of what is there.
fn webp_head(bytes: &mut [u8]) {
    let (mut flags, mut place) = (0, None);
    let mut at = 12;
    for (part, whole, _) in webp_chunks_to_end(bytes) {
        match part {
            Part::Exif => flags |= 0x08,
            Part::Xmp => flags |= 0x04,
            _ if whole.starts_with(b"VP8X") => place = Some(at + 8),
            _ => {}
        }
        at += whole.len();
    }
    if let Some(byte) = place.and_then(|place| bytes.get_mut(place)) {
        *byte = *byte & !0x0C | flags;
    }
    let length = u32::try_from(bytes.len().saturating_sub(8)).unwrap_or(u32::MAX).to_le_bytes();
    if let Some(field) = bytes.get_mut(4..8) {
        field.copy_from_slice(&length);
    }
}

/// The chunks of a file whose head does not yet tell its length.
fn webp_chunks_to_end(bytes: &mut [u8]) -> Vec<(Part, &[u8], &[u8])> {
    let length = u32::try_from(bytes.len().saturating_sub(8)).unwrap_or(u32::MAX).to_le_bytes();
    if let Some(field) = bytes.get_mut(4..8) {
        field.copy_from_slice(&length);
    }
    webp_chunks(bytes)
}

/// A TIFF structure with an orientation and, unless the text is empty, `ImageDescription` (UTF-8, which is what readers take it for)
/// and `UserComment` (UTF-16).
fn exif(orientation: Orientation, text: &str) -> Vec<u8> {
    /// The most significant byte first; the directory follows.
    const HEAD: &[u8] = b"MM\0\x2A\0\0\0\x08";
    let description: Vec<u8> = text.bytes().chain([0]).collect();
    let comment: Vec<u8> = b"UNICODE\0".iter().copied().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let orientation = u32::from(orientation.to_exif()) << 16;
    let entry = |tag: u16, kind: u16, count: usize, value: u32| {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        [&tag.to_be_bytes()[..], &kind.to_be_bytes(), &count.to_be_bytes(), &value.to_be_bytes()].concat()
    };
    let directory = |entries: Vec<Vec<u8>>| {
        let count = u16::try_from(entries.len()).unwrap_or_default();
        [&count.to_be_bytes()[..], &entries.concat(), &[0; 4]].concat()
    };
    if text.is_empty() {
        return [HEAD, &directory(vec![entry(0x0112, 3, 1, orientation)])].concat();
    }
    // Behind the head: a directory of three entries, one of one entry, then the values that do not fit into four bytes.
    let (first, second) = (8 + 2 + 3 * 12 + 4, 2 + 12 + 4);
    let values = first + second;
    let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    // Values up to four bytes stand in the entry itself, which the padding makes needless.
    let description = if description.len() < 5 { [description, vec![0; 4]].concat() } else { description };
    let first_directory = directory(vec![
        entry(0x010E, 2, description.len(), at(values)),
        entry(0x0112, 3, 1, orientation),
        entry(0x8769, 4, 1, at(first)),
    ]);
    let second_directory = directory(vec![entry(0x9286, 7, comment.len(), at(values + description.len()))]);
    [HEAD, &first_directory, &second_directory, &description, &comment].concat()
}

/// An XMP packet with a text as description and keyword.
fn xmp(text: &str) -> Vec<u8> {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    format!(
        "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\
         <dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">{escaped}</rdf:li></rdf:Alt></dc:description>\
         <dc:subject><rdf:Bag><rdf:li>{escaped}</rdf:li></rdf:Bag></dc:subject>\
         </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>"
    )
    .into_bytes()
}
