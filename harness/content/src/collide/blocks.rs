//! Colliding blocks with what stands before them: found, or kept here with the seed that finds them again.

use image::RgbImage;
use rand::Rng as _;

use super::jpeg::{self, Files, JoinError};
use super::md5::chaining_behind;
use super::pdf;
use super::search::{Pair, generator, is_favourable, search};

/// What a pair of colliding blocks is part of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Container {
    /// A JPEG file.
    Jpeg,
    /// A PDF file of one page.
    Pdf,
}

impl Container {
    /// What stands before the blocks; `filler` is part of it and decides the chaining value.
    fn prefix(self, filler: u64) -> Vec<u8> {
        match self {
            Self::Jpeg => jpeg::prefix(filler).to_vec(),
            Self::Pdf => pdf::prefix(filler),
        }
    }

    /// What stands before the blocks that this seed finds.
    fn prefix_for(self, seed: u64) -> Vec<u8> {
        let mut random = generator("prefix", seed);
        loop {
            let prefix = self.prefix(random.next_u64());
            if is_favourable(chaining_behind(&prefix)) {
                return prefix;
            }
        }
    }
}

/// The beginning of a file, and two pairs of blocks behind it that lead to the same MD5.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CollidingBlocks {
    pub(super) container: Container,
    pub(super) prefix: Vec<u8>,
    pub(super) pair: Pair,
}

impl CollidingBlocks {
    /// Searches new ones. Container and seed decide what is found, on every machine.
    ///
    /// `go_on` is asked every few milliseconds; if it says no, nothing is found.
    #[must_use]
    pub fn search(container: Container, seed: u64, go_on: &mut dyn FnMut() -> bool) -> Option<Self> {
        let prefix = container.prefix_for(seed);
        let pair = search(chaining_behind(&prefix), seed, jpeg::SHAPE, go_on)?;
        Some(Self { container, prefix, pair })
    }

    /// Those that were found once and are kept in the program.
    #[must_use]
    pub fn kept(container: Container) -> Self {
        let kept = Kept::of(container);
        Self { container, prefix: container.prefix_for(kept.seed), pair: Pair::of(kept.blocks()) }
    }

    /// The seed with which [`Self::search`] finds the kept ones again.
    #[must_use]
    pub const fn kept_seed(container: Container) -> u64 {
        Kept::of(container).seed
    }

    /// What they are for.
    #[must_use]
    pub const fn container(&self) -> Container {
        self.container
    }

    /// The blocks alone.
    #[must_use]
    pub const fn pair(&self) -> &Pair {
        &self.pair
    }

    /// The two beginnings of files: different bytes, one MD5. The comment that begins in the first is the longer one.
    #[must_use]
    pub fn beginnings(&self) -> [Vec<u8>; 2] {
        let Pair { first, second } = &self.pair;
        let in_order = if jpeg::length(first) > jpeg::length(second) { [first, second] } else { [second, first] };
        in_order.map(|blocks| [&self.prefix[..], blocks].concat())
    }

    /// Joins two pictures: each of the two files shows one of them, and both have one MD5. `nonce` makes it a fresh one.
    pub fn join(&self, first: &RgbImage, second: &RgbImage, nonce: u64) -> Result<Files, JoinError> {
        match self.container {
            Container::Jpeg => jpeg::join(self, first, second, nonce),
            Container::Pdf => pdf::join(self, first, second, nonce),
        }
    }
}

/// Blocks as they are written down.
struct Kept {
    seed: u64,
    /// The blocks of the first message, in hexadecimal.
    blocks: [&'static str; 4],
}

impl Kept {
    const fn of(container: Container) -> Self {
        match container {
            Container::Jpeg => JPEG,
            Container::Pdf => PDF,
        }
    }

    fn blocks(&self) -> [u8; 128] {
        let mut digits = self.blocks.iter().flat_map(|line| line.chars()).filter_map(|digit| digit.to_digit(16));
        std::array::from_fn(|_| {
            let mut digit = || digits.next().and_then(|it| u8::try_from(it).ok()).unwrap_or(0);
            digit() << 4 | digit()
        })
    }
}

const JPEG: Kept = Kept {
    seed: 1,
    blocks: [
        "347a47b9be212fa030b7ba61b15bf927d6f4e2261c2900f38f057d9d6c3a33c6",
        "dd6c3306e903a1a2f63361b17fcf19d5f7beb82cf864ae744b186ef4d4c4b6f8",
        "e6f8db185e322b1e4a70be22b55ff195dd953686b0378b0a74cda475f32aae9d",
        "9187b3842b7449076e2cae5b83fcac7bd6acb97ddea63bc3fffe0117d37d7d35",
    ],
};

const PDF: Kept = Kept {
    seed: 1,
    blocks: [
        "488f685b3a5faa8cf35f1f4c39f8843db42f8a472bc7acbedea63c1537cd728b",
        "5dad3345e9618422e2125b74813b12540957075ce415b0bdd6139d7fde0364cc",
        "dd216d9d87d55c955443b65d1b360a3e10d6d5ffa892fa427ae82c57f399d5de",
        "1538b28d25321c4632e1dd828928d256c310168675dcd3befffe01d3209c7611",
    ],
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::collide::collision;

    #[test]
    fn the_kept_blocks_collide() {
        for container in [Container::Jpeg, Container::Pdf] {
            let kept = CollidingBlocks::kept(container);
            let files = kept.beginnings();
            let [first, second] = &files;
            let found = collision(first, second).unwrap();
            assert_eq!((found.first_difference % 64, first.len() % 64), (19, 0), "{container:?}");
            let [long, short] = files.each_ref().map(|file| &file[file.len() - 128..]);
            assert_eq!((&long[120..123], &short[120..123]), (&[0xff, 0xfe, 1][..], &[0xff, 0xfe, 1][..]));
            assert_eq!(long[123], short[123] + 128);
        }
    }
}
