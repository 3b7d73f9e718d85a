//! The search for two different pairs of blocks that take a chaining value to the same one: an identical-prefix collision.
//!
//! The attack of Wang and Yu (2005) with the order of work of Stevens, "Fast Collision Attack on MD5" (2006), and tunnels as in
//! Klíma, "Tunnels in Hash Functions: MD5 Collisions Within a Minute" (2006). For a block:
//!
//! 1. `Q[3]` to `Q[16]` are drawn, each with its conditions fulfilled. That leaves the words 6 (or 7) to 15.
//! 2. What is left to choose gives the other words: `Q[17]` in the first block, where `Q[1]` and `Q[2]` are free; `Q[1]` and `Q[2]` in
//!    the second. It is drawn until `Q[17]` to `Q[21]` are as they must be.
//! 3. *Tunnels* change a few words such that this stays so. Bits of `Q[10]` where `Q[11]` is 0 change words 9, 10, 12 and 13, which is
//!    first seen in `Q[22]`; bits of `Q[4]` where `Q[5]` is 0 and `Q[6]` is 1 change words 3, 4 and 7, first seen in `Q[24]`;
//!    bits of `Q[9]` where `Q[10]` is 0 and `Q[11]` is 1 change words 8, 9 and 12, first seen in `Q[25]`.
//! 4. What is left are steps 24 to 63 ([`Tail`]), which nothing steers.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use sha2::{Digest, Sha256};

use super::conditions::Conditions;
use super::md5::{Block, Chaining, bytes, compress, function, step, word_between, words};
use super::path::{LENGTH, Path, at, first_block, second_block};
use super::tail::Tail;

/// `Q[-3]` to `Q[25]`.
type Q = [u32; LENGTH];

/// Two blocks, and two others that lead to the same chaining value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The blocks of the first message.
    pub first: [u8; 128],
    /// The blocks of the second message.
    pub second: [u8; 128],
}

impl Pair {
    /// The pair of which these are the first message's blocks.
    pub(super) fn of(first: [u8; 128]) -> Self {
        let (blocks, _) = first.as_chunks::<64>();
        let mut second = [0; 128];
        for ((to, from), path) in second.chunks_exact_mut(64).zip(blocks).zip([first_block(), second_block()]) {
            to.copy_from_slice(&bytes(&partner(&words(from), &path)));
        }
        Self { first, second }
    }
}

/// What word 14 (bytes 56 to 59) of the second block must look like in both messages: these bits of it, the lowest byte first. They
/// differ in the highest bit of byte 59.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// The bits that are given …
    pub mask: u32,
    /// … and what they are.
    pub value: u32,
}

impl Shape {
    /// Any second block.
    pub const ANY: Self = Self { mask: 0, value: 0 };

    /// A word of this shape, `free` where it may be anything.
    const fn fulfil(self, free: u32) -> u32 {
        (free & !self.mask) | (self.value & self.mask)
    }
}

/// Searches a pair behind a chaining value.
///
/// The same chaining value, seed and shape give the same pair, on every machine. `go_on` is asked every few milliseconds; if it says
/// no, there is no pair.
pub(super) fn search(chaining: Chaining, seed: u64, shape: Shape, go_on: &mut dyn FnMut() -> bool) -> Option<Pair> {
    let mut random = generator("blocks", seed);
    loop {
        let (first, path, conditions) = search_first(chaining, &mut random, go_on)?;
        let (mine, other) = (compress(chaining, &first), compress(chaining, &partner(&first, &first_block())));
        // Some chaining values cannot be undone in reasonable time; then another first block is tried.
        let second = Second { mine, other, path: &path, shape }.search(conditions, &mut random, go_on);
        if let Some(second) = second {
            let mut blocks = [0; 128];
            blocks[..64].copy_from_slice(&bytes(&first));
            blocks[64..].copy_from_slice(&bytes(&second));
            return Some(Pair::of(blocks));
        }
        if !go_on() {
            return None;
        }
    }
}

/// Whether a search behind this chaining value is fast; one in two hundred is.
///
/// A path leads on behind a first block only if bit 25 of registers c and d is then 1 and 0. Of `Q[63]` and `Q[62]`, which are added
/// to them, this bit is 0 in nearly all first blocks, and what is below is random: so these two registers decide how likely it is.
/// Stevens (2006) gives such advice too.
pub(super) fn is_favourable(chaining: Chaining) -> bool {
    const BIT: u64 = 1 << 25;
    // How many of the 2^25 values of the lower bits lead to a 1 in bit 25.
    let ones = |it: u32| BIT - BIT.abs_diff(u64::from(it) % (2 * BIT));
    ones(chaining[2]) * (BIT - ones(chaining[3])) >= BIT * BIT / 10 * 9
}

/// `ChaCha12`, seeded with SHA-256 of a purpose and the seed (little-endian).
pub(super) fn generator(purpose: &str, seed: u64) -> ChaCha12Rng {
    let mut hash = Sha256::new();
    hash.update(b"MD5 collision\0");
    hash.update(purpose.as_bytes());
    hash.update([0]);
    hash.update(seed.to_le_bytes());
    ChaCha12Rng::from_seed(hash.finalize().into())
}

/// The block of the second message.
fn partner(block: &Block, path: &Path) -> Block {
    std::array::from_fn(|i| block[i].wrapping_add(path.words[i]))
}

/// `Q[-3]` to `Q[0]`, and zeros.
fn begin(chaining: Chaining) -> Q {
    let mut q = [0; LENGTH];
    q[..4].copy_from_slice(&[chaining[0], chaining[3], chaining[2], chaining[1]]);
    q
}

/// `Q[t]` to `Q[t-3]`.
#[inline(always)]
fn four(q: &Q, t: usize) -> [u32; 4] {
    [q[t + 3], q[t + 2], q[t + 1], q[t]]
}

/// The word that step `t` adds.
#[inline(always)]
fn word_of(q: &Q, t: usize) -> u32 {
    word_between(t, four(q, t), q[t + 4])
}

/// Takes step `t`, and says whether its `Q[t+1]` is as it must be.
#[inline(always)]
fn go(conditions: &Conditions, q: &mut Q, t: usize, word: u32) -> bool {
    q[t + 4] = step(t, four(q, t), word);
    conditions.holds(t + 4, q[t + 4], q[t + 3]) && turns(conditions, q, t)
}

/// Whether the rotation of step `t` is as it must be.
#[inline(always)]
fn turns(conditions: &Conditions, q: &Q, t: usize) -> bool {
    conditions.turns(t, q[t + 4].wrapping_sub(q[t + 3]))
}

/// The subsets of a set of bits, from the empty one.
#[inline(always)]
fn subsets(bits: u32) -> impl Iterator<Item = u32> {
    let mut next = Some(0u32);
    std::iter::from_fn(move || {
        let now = next?;
        let following = now.wrapping_sub(bits) & bits;
        next = (following != 0).then_some(following);
        Some(now)
    })
}

/// Bits that tunnels may change.
#[derive(Clone, Copy, Debug)]
struct Tunnels {
    q4: u32,
    q9: u32,
    q10: u32,
}

impl Tunnels {
    /// Adds the conditions that open the tunnels where nothing speaks against it: that of `Q[4]` at bits `wide` at most, and the others
    /// but for bits `narrow`.
    fn open(conditions: &mut Conditions, wide: u32, narrow: u32) -> Self {
        let q4 = conditions.alone(at(4)) & conditions.open(at(5), false) & conditions.open(at(6), true) & wide;
        conditions.want(at(5), q4, false);
        conditions.want(at(6), q4, true);
        let q9 = conditions.alone(at(9)) & conditions.open(at(10), false) & conditions.open(at(11), true) & !narrow;
        conditions.want(at(10), q9, false);
        conditions.want(at(11), q9, true);
        let q10 = conditions.alone(at(10)) & conditions.open(at(11), false) & !narrow;
        conditions.want(at(11), q10, false);
        Self { q4, q9, q10 }
    }
}

/// Draws `Q[first]` to `Q[16]`, each as it must be, and word 14 in its shape.
fn draw(conditions: &Conditions, q: &mut Q, first: usize, shape: Shape, random: &mut ChaCha12Rng) -> bool {
    let mut one = |q: &mut Q, next: usize| {
        let (i, t) = (next + 3, next - 1);
        (0..if t == 14 { TRIES_OF_Q15 } else { TRIES }).any(|_| {
            let free = random.next_u32();
            q[i] = if t == 14 { step(t, four(q, t), shape.fulfil(free)) } else { conditions.fulfil(i, free, q[i - 1]) };
            conditions.holds(i, q[i], q[i - 1]) && (next == first || turns(conditions, q, t))
        })
    };
    // A word 14 of its shape seldom gives a `Q[15]` as it must be; for some of what comes before it, none does.
    (first..12).all(|next| one(q, next)) && (0..TRIES_OF_Q12).any(|_| (12..=15).all(|next| one(q, next))) && one(q, 16)
}

/// How often a `Q` is drawn until it is as it must be.
const TRIES: u32 = 1 << 12;

/// How often `Q[12]` is drawn for what comes before it …
const TRIES_OF_Q12: u32 = 1 << 6;

/// … and `Q[15]`.
const TRIES_OF_Q15: u32 = 1 << 9;

/// The first block, with the path and the conditions of the second.
fn search_first(
    chaining: Chaining,
    random: &mut ChaCha12Rng,
    go_on: &mut dyn FnMut() -> bool,
) -> Option<(Block, Path, Conditions)> {
    let path = first_block();
    let mut conditions = Conditions::of(&path).ok()?;
    let tunnels = Tunnels::open(&mut conditions, u32::MAX, 0);
    let conditions = &conditions;
    let mut found = None;
    while go_on() {
        let mut q = begin(chaining);
        q[at(1)] = random.next_u32();
        if !draw(conditions, &mut q, 3, Shape::ANY, random) {
            continue;
        }
        let mut words = [0; 16];
        words[0] = word_of(&q, 0);
        for t in 6..16 {
            words[t] = word_of(&q, t);
        }
        let mut solved = 0;
        for _ in 0..1 << 14 {
            q[at(17)] = conditions.fulfil(at(17), random.next_u32(), q[at(16)]);
            if !turns(conditions, &q, 16) {
                continue;
            }
            words[1] = word_of(&q, 16);
            let steps = [(17, words[6]), (18, words[11]), (19, words[0])];
            if !steps.into_iter().all(|(t, word)| go(conditions, &mut q, t, word)) {
                continue;
            }
            q[at(2)] = step(1, four(&q, 1), words[1]);
            words[5] = word_of(&q, 5);
            if !go(conditions, &mut q, 20, words[5]) {
                continue;
            }
            for t in 2..5 {
                words[t] = word_of(&q, t);
            }
            vary(conditions, tunnels, &q, &words, path.words[11], &mut |block| {
                if found.is_none() {
                    let (mine, other) = (compress(chaining, block), compress(chaining, &partner(block, &path)));
                    found = continuation(mine, other).map(|(path, conditions)| (*block, path, conditions));
                }
            });
            if found.is_some() {
                return found;
            }
            solved += 1;
            if solved == 16 {
                break;
            }
        }
    }
    None
}

/// The path of the second block with the fewest conditions; nothing if the first block did not end as it should, or if no path leads
/// on from there.
fn continuation(mine: Chaining, other: Chaining) -> Option<(Path, Conditions)> {
    const HIGH: u32 = 1 << 31;
    let difference: Chaining = std::array::from_fn(|i| other[i].wrapping_sub(mine[i]));
    if difference != [HIGH, HIGH | 1 << 25, HIGH | 1 << 25, HIGH | 1 << 25] {
        return None;
    }
    // All paths need this of the first step; most chaining values fail here.
    let [first, second] = [mine, other].map(|it| function(0, it[1], it[2], it[3]));
    if first ^ second != HIGH {
        return None;
    }
    Conditions::from(&second_block(), mine, other)
}

/// What the second block follows.
struct Second<'a> {
    mine: Chaining,
    other: Chaining,
    path: &'a Path,
    shape: Shape,
}

/// How often is drawn to see whether it can be done at all.
const DRAWS_TO_TEST: u32 = 1000;

/// How often is drawn before the search is asked whether to go on.
const DRAWS_AT_ONCE: u32 = 100;

/// A second block is found among far fewer; else the chaining value is one that leads nowhere.
const MOST_BASES: u32 = 8000;

impl Second<'_> {
    /// `Q[1]` to `Q[16]`, each as it must be; nothing if that could not be done.
    fn draw(&self, conditions: &Conditions, shape: Shape, random: &mut ChaCha12Rng) -> Option<Q> {
        let mut q = begin(self.mine);
        q[at(1)] = conditions.fulfil(at(1), random.next_u32(), q[at(0)]);
        draw(conditions, &mut q, 2, shape, random).then_some(q)
    }

    fn search(&self, mut conditions: Conditions, random: &mut ChaCha12Rng, go_on: &mut dyn FnMut() -> bool) -> Option<Block> {
        // `Q[11] - Q[10]` must have a carry out of these bits, else the difference of step 10 is not rotated as it must be.
        const CARRY: u32 = 1 << 11;
        conditions.want(at(10), CARRY, true);
        conditions.want(at(11), CARRY, false);
        // What opens the tunnel of `Q[4]` can make the rotation of a step impossible.
        let (conditions, tunnels) = [u32::MAX, 0xffff, 0xffff << 16, 0].into_iter().find_map(|wide| {
            let mut conditions = conditions.clone();
            let tunnels = Tunnels { q10: 0, ..Tunnels::open(&mut conditions, wide, CARRY) };
            let works = (0..DRAWS_TO_TEST).any(|_| self.draw(&conditions, Shape::ANY, random).is_some());
            works.then_some((conditions, tunnels))
        })?;
        let conditions = &conditions;
        let mut found = None;
        let mut bases = 0;
        while bases < MOST_BASES && go_on() {
            let Some(mut q) = (0..DRAWS_AT_ONCE).find_map(|_| self.draw(conditions, self.shape, random)) else { continue };
            bases += 1;
            let mut words = [0; 16];
            for t in 6..16 {
                words[t] = word_of(&q, t);
            }
            for _ in 0..1 << 18 {
                q[at(1)] = conditions.fulfil(at(1), random.next_u32(), q[at(0)]);
                q[at(2)] = conditions.fulfil(at(2), random.next_u32(), q[at(1)]);
                if !(turns(conditions, &q, 0) && turns(conditions, &q, 1) && turns(conditions, &q, 2)) {
                    continue;
                }
                words[1] = word_of(&q, 1);
                let steps = [(16, words[1]), (17, words[6]), (18, words[11])];
                if !steps.into_iter().all(|(t, word)| go(conditions, &mut q, t, word)) {
                    continue;
                }
                words[0] = word_of(&q, 0);
                words[5] = word_of(&q, 5);
                if !(go(conditions, &mut q, 19, words[0]) && go(conditions, &mut q, 20, words[5])) {
                    continue;
                }
                for t in 2..5 {
                    words[t] = word_of(&q, t);
                }
                vary(conditions, tunnels, &q, &words, self.path.words[11], &mut |block| {
                    if compress(self.mine, block) == compress(self.other, &partner(block, self.path)) {
                        found = found.or(Some(*block));
                    }
                });
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }
}

/// Goes through the tunnels, given `Q` up to `Q[21]` and the difference of word 11, and gives `found` the blocks that go well to their end.
fn vary(c: &Conditions, tunnels: Tunnels, q: &Q, words: &Block, difference: u32, found: &mut dyn FnMut(&Block)) {
    let (mut q, mut words) = (*q, *words);
    let (q4, q9, q10) = (q[at(4)], q[at(9)], q[at(10)]);
    for change in subsets(tunnels.q10) {
        q[at(10)] = q10 ^ change;
        words[10] = word_of(&q, 10);
        if !(go(c, &mut q, 21, words[10]) && go(c, &mut q, 22, words[15])) {
            continue;
        }
        if !(turns(c, &q, 9) && turns(c, &q, 10)) {
            continue;
        }
        words[13] = word_of(&q, 13);
        for change in subsets(tunnels.q4) {
            q[at(4)] = q4 ^ change;
            words[4] = word_of(&q, 4);
            if !(go(c, &mut q, 23, words[4]) && turns(c, &q, 3) && turns(c, &q, 4)) {
                continue;
            }
            words[3] = word_of(&q, 3);
            words[7] = word_of(&q, 7);
            let mut tail = Tail::new(difference, four(&q, 24), &words);
            for change in subsets(tunnels.q9) {
                q[at(9)] = q9 ^ change;
                if !(turns(c, &q, 8) && turns(c, &q, 9)) {
                    continue;
                }
                tail.add([word_of(&q, 8), word_of(&q, 9), word_of(&q, 12)], found);
            }
            tail.flush(found);
            q[at(9)] = q9;
        }
        q[at(4)] = q4;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// Both messages' steps, from what was drawn for the first and the path's differences.
    fn follows(path: &Path, q: &Q, steps: std::ops::Range<usize>) -> bool {
        let other: Q = std::array::from_fn(|i| q[i].wrapping_add(path.differences[i].modular()));
        steps.into_iter().all(|t| {
            let word = word_of(q, t).wrapping_add(path.words[t]);
            step(t, four(&other, t), word) == other[t + 4]
        })
    }

    #[test]
    fn what_is_drawn_for_the_first_block_follows_the_path() {
        let path = first_block();
        let mut conditions = Conditions::of(&path).unwrap();
        let tunnels = Tunnels::open(&mut conditions, u32::MAX, 0);
        assert!(tunnels.q10.count_ones() >= 10, "{tunnels:?}");
        let mut random = generator("test", 1);
        let mut drawn = 0;
        while drawn < 20 {
            let mut q = begin([0; 4]);
            if draw(&conditions, &mut q, 3, Shape::ANY, &mut random) {
                drawn += 1;
                assert!(follows(&path, &q, 6..16));
            }
        }
    }

    #[test]
    fn what_is_drawn_for_the_second_block_follows_a_path_from_the_chaining_value() {
        let mut random = generator("test", 2);
        let mut continued = 0;
        while continued < 5 {
            // Bits that a path needs: the highest ones equal, and bit 25 of b, c, d as 0, 1, 0.
            let mut mine: Chaining = std::array::from_fn(|_| random.next_u32());
            mine = [mine[0], mine[1] & !(1 << 31 | 3 << 25), mine[2] & !(1 << 31) | 1 << 25, mine[3] & !(1 << 31 | 1 << 25)];
            let steps = [1 << 31, 1 << 31 | 1 << 25, 1 << 31 | 1 << 25, 1 << 31 | 1 << 25];
            let other: Chaining = std::array::from_fn(|i| mine[i].wrapping_add(steps[i]));
            let Some((path, conditions)) = continuation(mine, other) else { continue };
            continued += 1;
            let second = Second { mine, other, path: &path, shape: Shape::ANY };
            let q = (0..100_000).find_map(|_| second.draw(&conditions, Shape::ANY, &mut random)).unwrap();
            // Steps 0 and 1 are rotated right for some draws only.
            assert!(follows(&path, &q, 2..16));
        }
    }

    #[test]
    fn a_search_that_may_not_go_on_ends() {
        assert_eq!(search(super::super::md5::START, 1, Shape::ANY, &mut || false), None);
    }
}
