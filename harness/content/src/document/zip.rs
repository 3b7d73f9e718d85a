//! ZIP archives without compression (PKWARE's APPNOTE, sections 4.3.7, 4.3.12 and 4.3.16), and the names in one that was received.
//! Times are fixed, so that the same parts give the same bytes.

/// 1 January 1980, the first day that the format knows.
const DATE: u16 = 1 << 5 | 1;
/// Version 2.0 of the format.
const VERSION: u16 = 20;
const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";
/// Length of the end record without a comment.
const END_LENGTH: usize = 22;
/// Entries of a received archive that are looked at. Documents have some dozens.
const MOST_ENTRIES: usize = 10_000;

/// An archive of the given parts, or nothing where one is larger than the format allows.
pub(super) fn archive(parts: &[(&str, Vec<u8>)]) -> Option<Vec<u8>> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in parts {
        let offset = u32::try_from(bytes.len()).ok()?;
        let description = description(name, content)?;
        bytes.extend_from_slice(LOCAL);
        bytes.extend_from_slice(&description);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(content);
        directory.extend_from_slice(CENTRAL);
        directory.extend_from_slice(&VERSION.to_le_bytes());
        directory.extend_from_slice(&description);
        // No comment, first disk, no attributes.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let count = u16::try_from(parts.len()).ok()?.to_le_bytes();
    let (start, length) = (u32::try_from(bytes.len()).ok()?, u32::try_from(directory.len()).ok()?);
    bytes.extend(directory);
    bytes.extend_from_slice(END);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&count);
    bytes.extend_from_slice(&count);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&start.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    Some(bytes)
}

/// What the local header and the directory both say of a part: version, flags, method (stored), time, checksum, lengths.
fn description(name: &str, content: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(content.len()).ok()?.to_le_bytes();
    let name_length = u16::try_from(name.len()).ok()?.to_le_bytes();
    let mut bytes = VERSION.to_le_bytes().to_vec();
    bytes.extend_from_slice(&[0; 6]);
    bytes.extend_from_slice(&DATE.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&name_length);
    bytes.extend_from_slice(&[0; 2]);
    Some(bytes)
}

/// The names in the directory of an archive, the first ten thousand; nothing where there is no directory, as in one that was cut
/// off. Nothing is unpacked.
pub(super) fn names(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let u16_at = |at: usize| bytes.get(at..)?.first_chunk().map(|bytes| usize::from(u16::from_le_bytes(*bytes)));
    let u32_at = |at: usize| usize::try_from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok();
    // A comment of up to 65,535 bytes may follow the record.
    let last = bytes.len().checked_sub(END_LENGTH)?;
    let earliest = last.saturating_sub(usize::from(u16::MAX));
    let end = (earliest..=last).rev().find(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(END)))?;
    let (count, mut at) = (u16_at(end + 10)?, u32_at(end + 16)?);
    let mut names = Vec::new();
    for _ in 0..count.min(MOST_ENTRIES) {
        if !bytes.get(at..)?.starts_with(CENTRAL) {
            return None;
        }
        let [name, extra, comment] = [u16_at(at + 28)?, u16_at(at + 30)?, u16_at(at + 32)?];
        names.push(bytes.get(at + 46..at + 46 + name)?);
        at += 46 + name + extra + comment;
    }
    Some(names)
}
