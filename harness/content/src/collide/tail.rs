//! Steps 24 to 63, on several messages at once.
//!
//! Here the two messages do not differ until step 34, and after that only in the highest bits, if some bits agree. About one in
//! 2¹⁷ messages does what it must, so that this is where most of a search is spent; side by side, the compiler can use the
//! processor's wide registers.

use wide::u32x8;

use super::md5::{Block, K, rotation, step, word};

/// How many messages are looked at side by side.
const LANES: usize = 8;

const HIGHEST: u32 = 1 << 31;

/// Messages that are alike but for words 8, 9 and 12, and wait until there are enough of them.
pub struct Tail {
    /// The modular difference of word 11.
    difference: u32,
    /// `Q[24]` to `Q[21]`.
    state: [u32; 4],
    words: Block,
    waiting: usize,
    words_8: [u32; LANES],
    words_9: [u32; LANES],
    words_12: [u32; LANES],
}

impl Tail {
    /// For messages that step 24 finds in this state.
    pub const fn new(difference: u32, state: [u32; 4], words: &Block) -> Self {
        let none = [0; LANES];
        Self { difference, state, words: *words, waiting: 0, words_8: none, words_9: none, words_12: none }
    }

    /// Adds a message by its words 8, 9 and 12, and gives `found` those of which all steps go well.
    #[inline(always)]
    pub fn add(&mut self, words: [u32; 3], found: &mut dyn FnMut(&Block)) {
        let lane = self.waiting;
        [self.words_8[lane], self.words_9[lane], self.words_12[lane]] = words;
        self.waiting += 1;
        if self.waiting == LANES {
            self.flush(found);
        }
    }

    /// Looks at the messages that wait.
    pub fn flush(&mut self, found: &mut dyn FnMut(&Block)) {
        let mut lanes = Lanes {
            words: &self.words,
            words_8: self.words_8.into(),
            words_9: self.words_9.into(),
            words_12: self.words_12.into(),
            q: self.state.map(u32x8::splat),
            wrong: u32x8::ZERO,
        };
        lanes.steps_24_to_51(self.difference);
        let (wrong, q) = (lanes.wrong.to_array(), lanes.q.map(u32x8::to_array));
        for lane in (0..std::mem::take(&mut self.waiting)).filter(|lane| wrong[*lane] == 0) {
            let mut words = self.words;
            [words[8], words[9], words[12]] = [self.words_8[lane], self.words_9[lane], self.words_12[lane]];
            if ends_well(q.map(|lanes| lanes[lane]), &words) {
                found(&words);
            }
        }
    }
}

/// Messages side by side.
struct Lanes<'a> {
    words: &'a Block,
    words_8: u32x8,
    words_9: u32x8,
    words_12: u32x8,
    /// `Q[t]` to `Q[t-3]`.
    q: [u32x8; 4],
    /// Not 0 where something was not as it must be.
    wrong: u32x8,
}

impl Lanes<'_> {
    #[inline(always)]
    fn steps_24_to_51(&mut self, difference: u32) {
        macro_rules! steps {
            ($($t:literal)*) => { $(self.advance::<$t>(difference);)* };
        }
        steps!(24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51);
    }

    /// Step `T`; [`step`] on several messages.
    #[inline(always)]
    fn advance<const T: usize>(&mut self, difference: u32) {
        let [x, y, z, before] = self.q;
        if T >= 48 {
            self.wrong |= u32x8::splat(if is_odd_one(T) { HIGHEST } else { 0 }) ^ ((x ^ z) & u32x8::splat(HIGHEST));
        }
        let word = match word(T) {
            8 => self.words_8,
            9 => self.words_9,
            12 => self.words_12,
            other => u32x8::splat(self.words[other]),
        };
        let function = match T / 16 {
            1 => y ^ (z & (x ^ y)),
            2 => x ^ y ^ z,
            _ => y ^ (x | !z),
        };
        let sum = function + before + (u32x8::splat(K[T]) + word);
        let turned = rotate::<T>(sum);
        if T == 34 {
            // The difference of word 11 must become one of the highest bit alone.
            let other = rotate::<T>(sum + u32x8::splat(difference));
            self.wrong |= turned ^ other ^ u32x8::splat(HIGHEST);
        }
        self.q = [x + turned, x, y, z];
    }
}

#[inline(always)]
fn rotate<const T: usize>(sum: u32x8) -> u32x8 {
    (sum << rotation(T)) | (sum >> (32 - rotation(T)))
}

/// Whether the two messages stay together in step `t` from 48 on.
///
/// `Q[t]`, `Q[t-1]` and `Q[t-2]` differ in the highest bit. The function does so too if the first and the last agree there; with
/// `Q[t-3]` that cancels out. At 50 and 60 the word differs as well.
const fn stays_together(t: usize, q: [u32; 4]) -> bool {
    ((q[0] ^ q[2]) & HIGHEST == 0) != is_odd_one(t)
}

/// Whether word 4 or 14 is added in step `t`.
const fn is_odd_one(t: usize) -> bool {
    matches!(t, 50 | 60)
}

/// Steps 52 to 63 of one message.
fn ends_well(mut q: [u32; 4], words: &Block) -> bool {
    (52..64).all(|t| {
        let together = stays_together(t, q);
        q = [step(t, q, words[word(t)]), q[0], q[1], q[2]];
        together
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collide::md5::{START, function};

    #[test]
    fn side_by_side_is_the_same_as_one_by_one() {
        let words: Block = std::array::from_fn(|i| K[i]);
        let side = std::array::from_fn(|lane| K[20 + lane]);
        let mut lanes = Lanes {
            words: &words,
            words_8: side.into(),
            words_9: u32x8::splat(9),
            words_12: u32x8::splat(12),
            q: START.map(u32x8::splat),
            wrong: u32x8::ZERO,
        };
        lanes.steps_24_to_51(1 << 15);
        for (lane, word_8) in side.into_iter().enumerate() {
            let mut words = words;
            [words[8], words[9], words[12]] = [word_8, 9, 12];
            let (mut q, mut wrong) = (START, false);
            for t in 24..52 {
                if t == 34 {
                    let sum = function(t, q[0], q[1], q[2]).wrapping_add(q[3]).wrapping_add(K[t]).wrapping_add(words[11]);
                    wrong |= (sum.wrapping_add(1 << 15) ^ sum).rotate_left(rotation(t)) != HIGHEST;
                }
                wrong |= t >= 48 && !stays_together(t, q);
                q = [step(t, q, words[word(t)]), q[0], q[1], q[2]];
            }
            assert_eq!(lanes.q.map(|it| it.to_array()[lane]), q);
            assert_eq!(lanes.wrong.to_array()[lane] != 0, wrong);
        }
    }
}
