//! The hash chain over the lines of a journal.

use std::fmt;

use sha2::{Digest, Sha256};

const BEFORE: &[u8] = b",\"hash\":\"";
const AFTER: &[u8] = b"\"}";
const DIGITS: usize = 32;

/// The hash of one line and, through it, of everything before that line: the first 128 bits of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChainHash([u8; 16]);

impl ChainHash {
    /// What stands before the first line.
    pub const START: Self = Self([0; 16]);

    /// The hash of a line behind this one; `body` is the line up to its hash, without the closing brace.
    #[must_use]
    pub fn link(self, body: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(self.0).chain_update(body).chain_update(b"}").finalize();
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        Self(hash)
    }

    /// Appends `,"hash":"…"}` and the end of the line.
    pub(super) fn close_line(self, out: &mut Vec<u8>) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        out.extend_from_slice(BEFORE);
        for byte in self.0 {
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
        out.extend_from_slice(AFTER);
        out.push(b'\n');
    }

    /// Splits a line, without its end, into the part before the hash and the hash that it states.
    pub(super) fn split_line(line: &[u8]) -> Option<(&[u8], Self)> {
        let rest = line.strip_suffix(AFTER)?;
        let (rest, digits) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
        let body = rest.strip_suffix(BEFORE)?;
        let mut hash = [0; 16];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some((body, Self(hash)))
    }
}

/// Only lower case: otherwise a hash could be written in two ways, and a changed byte would go unseen.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_what_the_format_says() {
        // printf '\0%.0s' {1..16} | cat - <(printf '{"a":1}') | sha256sum
        let first = ChainHash::START.link(b"{\"a\":1");
        assert_eq!(first.to_string(), GOLDEN);
        assert_ne!(first.link(b"{\"a\":1"), first);
    }

    const GOLDEN: &str = "c5961791f82c7a925cef5b9fb7af1e2b";

    #[test]
    fn a_line_splits_into_what_was_closed() {
        let hash = ChainHash::START.link(b"{\"a\":1");
        let mut line = b"{\"a\":1".to_vec();
        hash.close_line(&mut line);
        assert_eq!(line.pop(), Some(b'\n'));
        assert_eq!(ChainHash::split_line(&line), Some((&b"{\"a\":1"[..], hash)));
        assert_eq!(ChainHash::split_line(&line.to_ascii_uppercase()), None);
        assert_eq!(ChainHash::split_line(b"{}"), None);
    }
}
