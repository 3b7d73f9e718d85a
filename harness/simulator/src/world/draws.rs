//! Random choices as a function of what they are about.
//!
//! A key names a path or another thing that chances belong to: the first eight bytes of SHA-256 over a label, the seed and
//! the names involved. The n-th draw for a purpose is the n-th output of `SplitMix64` (Steele, Lea and Flood, "Fast splittable
//! pseudorandom number generators", OOPSLA 2014) started from that key and purpose. `SplitMix64` can be entered at any n, so
//! no state is kept.

use sha2::{Digest, Sha256};

/// The increment of `SplitMix64`: 2^64 divided by the golden ratio, made odd.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a number is drawn for. Each purpose has a sequence of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// Whether a rule acts; salted with the rule's own key.
    Enforcement(u64),
    /// The next state of the path's loss chain.
    Loss,
    /// The radius of the delay's normal deviate.
    DelayRadius,
    /// The angle of the delay's normal deviate.
    DelayAngle,
    /// Whether the delivery comes twice.
    Duplicate,
    /// The radius of the second copy's further delay.
    DuplicateRadius,
    /// The angle of the second copy's further delay.
    DuplicateAngle,
    /// Whether the delivery is held back.
    Reorder,
}

impl Purpose {
    const fn salt(self) -> u64 {
        match self {
            Self::Enforcement(rule) => rule,
            Self::Loss => 1,
            Self::DelayRadius => 2,
            Self::DelayAngle => 3,
            Self::Duplicate => 4,
            Self::DuplicateRadius => 5,
            Self::DuplicateAngle => 6,
            Self::Reorder => 7,
        }
    }
}

/// Names a thing that chances belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key(u64);

impl Key {
    /// From a label, the seed and names. Each part goes in with its length, so that no two lists of names run together.
    pub(super) fn new<'a>(label: &str, seed: u64, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        part(label.as_bytes());
        part(&seed.to_le_bytes());
        for name in names {
            part(name.as_bytes());
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(u64::from_le_bytes(first))
    }

    /// The key as a salt for [`Purpose::Enforcement`].
    pub(super) const fn as_salt(self) -> u64 {
        self.0
    }

    /// The `n`-th draw for a purpose, uniform in [0, 1), a multiple of 2^-53.
    pub(super) fn uniform(self, n: u64, purpose: Purpose) -> f64 {
        (self.bits(n, purpose) >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// The `n`-th draw for a purpose, all 64 bits.
    fn bits(self, n: u64, purpose: Purpose) -> u64 {
        let start = mix(self.0 ^ mix(purpose.salt()));
        mix(start.wrapping_add(GAMMA.wrapping_mul(n.wrapping_add(1))))
    }
}

/// The output function of `SplitMix64`.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The reference implementation's first outputs from the seed 1234567.
        let expected =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431_u64];
        let outputs = (1..=4).map(|n| mix(GAMMA.wrapping_mul(n).wrapping_add(1_234_567)));
        assert_eq!(outputs.collect::<Vec<_>>(), expected);
    }

    /// Results of earlier releases depend on these; a change here is a change of every simulated run.
    #[test]
    fn draws_are_golden() {
        let key = Key::new("lacuna simulator path 1", 20_161_130, ["intl-a", "group", "0", "cn-a", "cn-a", "intl-a"]);
        let purposes = [
            Purpose::Enforcement(99),
            Purpose::Loss,
            Purpose::DelayRadius,
            Purpose::DelayAngle,
            Purpose::Duplicate,
            Purpose::DuplicateRadius,
            Purpose::DuplicateAngle,
            Purpose::Reorder,
        ];
        let mut lines = vec![format!("key {:016x}", key.0)];
        lines.extend(purposes.map(|purpose| {
            let draws = [0, 1, 2, u64::MAX].map(|n| format!("{:016x}", key.bits(n, purpose)));
            format!("{purpose:?} {}", draws.join(" "))
        }));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn names_do_not_run_together() {
        assert_ne!(Key::new("x", 1, ["ab", "c"]), Key::new("x", 1, ["a", "bc"]));
        assert_ne!(Key::new("x", 1, ["a"]), Key::new("x", 1, ["a", ""]));
    }

    #[test]
    fn draws_lie_in_the_unit_interval_and_fill_it() {
        let key = Key::new("x", 1, []);
        let mut tenths = [0_u32; 10];
        for n in 0..100_000 {
            let draw = key.uniform(n, Purpose::Loss);
            assert!((0.0..1.0).contains(&draw));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9")]
            let tenth = (draw * 10.0) as usize;
            tenths[tenth] += 1;
        }
        // Five standard deviations around 10,000.
        assert!(tenths.iter().all(|count| (9_525..=10_475).contains(count)), "{tenths:?}");
    }
}
