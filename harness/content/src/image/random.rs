//! Seeded choices: a generator for each seed and name, as the engine has them.

use rand::SeedableRng as _;
use rand_chacha::ChaCha12Rng;
use sha2::{Digest as _, Sha256};

/// `ChaCha12`, seeded with SHA-256 of the seed (little-endian) and the names, each followed by a zero byte.
pub(crate) fn generator(seed: u64, names: &[&str]) -> ChaCha12Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    for name in names {
        hash.update(name.as_bytes());
        hash.update([0]);
    }
    ChaCha12Rng::from_seed(hash.finalize().into())
}
