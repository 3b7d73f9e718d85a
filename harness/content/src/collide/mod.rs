//! Two files with different pictures and one MD5.
//!
//! A platform that blocks files by their MD5 cannot tell such twins apart; a person can. If one of them is shown to a filter and then
//! the other is dropped, the filter knows nothing of it but its hash.
//!
//! [`CollidingBlocks`] join any two pictures in two JPEG or PDF files. One pair of blocks is kept for each format; others can be
//! searched. [`collision`] recognises twins.
//!
//! The blocks are an identical-prefix collision of MD5 after Wang and Yu, "How to Break MD5 and Other Hash Functions" (2005), Klíma,
//! "Tunnels in Hash Functions" (2006), and Stevens, "Fast Collision Attack on MD5" (2006).

mod blocks;
#[expect(clippy::inline_always, reason = "the inner loop of the search: a call costs as much as what it does")]
mod conditions;
mod jpeg;
#[expect(clippy::inline_always, clippy::many_single_char_names, reason = "RFC 1321's letters, in the inner loop of the search")]
mod md5;
mod path;
mod pdf;
#[expect(
    clippy::inline_always,
    clippy::needless_range_loop,
    reason = "the inner loop of the search, in which steps have numbers"
)]
mod search;
#[expect(clippy::inline_always, reason = "the inner loop of the search")]
mod tail;

pub use blocks::{CollidingBlocks, Container};
pub use jpeg::{Files, JoinError, Made};
pub use search::Pair;

use crate::hash::md5_hex;

/// Two different files with one MD5.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collision {
    /// Their MD5, in hexadecimal.
    pub md5: String,
    /// Where they first differ, in bytes from the start.
    pub first_difference: usize,
    /// How many bytes differ; what one file has more than the other counts as differing.
    pub differing_bytes: usize,
}

/// Whether two files are different and have one MD5.
#[must_use]
pub fn collision(first: &[u8], second: &[u8]) -> Option<Collision> {
    let common = first.len().min(second.len());
    let first_difference = first.iter().zip(second).position(|(one, other)| one != other);
    let first_difference = first_difference.or((first.len() != second.len()).then_some(common))?;
    let md5 = md5_hex(first);
    if md5 != md5_hex(second) {
        return None;
    }
    let differing = first.iter().zip(second).filter(|(one, other)| one != other).count();
    Some(Collision { md5, first_difference, differing_bytes: differing + first.len().max(second.len()) - common })
}
