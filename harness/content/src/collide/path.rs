//! Differential paths: how the `Q` of two colliding messages differ, bit by bit and with signs.
//!
//! The paths are those of Wang and Yu, "How to Break MD5 and Other Hash Functions" (Eurocrypt 2005), tables 3 and 5. A row of a
//! path is one `Q[t]`: `x` if its highest bit differs between the messages (one way or the other: modulo 2³² it has no sign), and
//! then its bits, the highest first:
//!
//! | sign | the bit of the first message |
//! |---|---|
//! | `+` | is 0, and 1 in the second message |
//! | `-` | is 1, and 0 in the second message |
//! | `0` `1` | is that, in both messages |
//! | `^` `!` | equals, or differs from, the same bit of `Q[t-1]` |
//! | `.` | is free |

/// `Q[-3]` to `Q[25]`: so far conditions are stated. What comes behind is checked on the pair itself.
pub const LENGTH: usize = 29;

/// The place of `Q[t]` in an array that begins with `Q[-3]`.
pub const fn at(t: isize) -> usize {
    (t + 3).cast_unsigned()
}

/// A difference of two words, bit by bit.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Bits that are 0 in the first and 1 in the second message, but for the highest.
    pub plus: u32,
    /// Bits that are 1 in the first and 0 in the second message, but for the highest.
    pub minus: u32,
    /// Whether the highest bit differs.
    pub top: bool,
}

impl Difference {
    /// The difference of two words.
    pub const fn between(first: u32, second: u32) -> Self {
        let low = (first ^ second) & !(1 << 31);
        Self { plus: low & second, minus: low & first, top: (first ^ second) >> 31 == 1 }
    }

    /// The same with other signs.
    const fn negative(self) -> Self {
        Self { plus: self.minus, minus: self.plus, top: self.top }
    }

    /// The difference modulo 2³².
    pub fn modular(self) -> u32 {
        self.plus.wrapping_sub(self.minus).wrapping_add(u32::from(self.top) << 31)
    }

    /// Whether a bit differs.
    pub fn touches(self, bit: u32) -> bool {
        (self.plus | self.minus | u32::from(self.top) << 31) >> bit & 1 == 1
    }
}

/// A path through one block, with conditions that are wanted beside those that follow from it.
#[derive(Clone, Debug)]
pub struct Path {
    /// The differences of `Q[-3]` to `Q[25]`.
    pub differences: [Difference; LENGTH],
    /// The modular differences of the words of the message.
    pub words: [u32; 16],
    /// Bits of each `Q` that are given …
    pub fixed: [u32; LENGTH],
    /// … and what they are.
    pub value: [u32; LENGTH],
    /// Bits of `Q[t]` that equal those of `Q[t-1]`.
    pub same: [u32; LENGTH],
    /// Bits of `Q[t]` that differ from those of `Q[t-1]`.
    pub differ: [u32; LENGTH],
}

impl Path {
    /// Reads rows, of which the first is `Q[first]`; rows that are left out have neither differences nor conditions.
    fn read(first: isize, rows: &[&str], word_11: u32) -> Self {
        let mut path = Self {
            differences: [Difference::default(); LENGTH],
            words: [0; 16],
            fixed: [0; LENGTH],
            value: [0; LENGTH],
            same: [0; LENGTH],
            differ: [0; LENGTH],
        };
        path.words[4] = 1 << 31;
        path.words[11] = word_11;
        path.words[14] = 1 << 31;
        for (i, row) in (at(first)..LENGTH).zip(rows) {
            path.set(i, row);
        }
        path
    }

    /// Sets a row.
    pub fn set(&mut self, i: usize, row: &str) {
        let signs: Vec<char> = row.chars().filter(|sign| !sign.is_whitespace()).collect();
        let bits = |wanted: &str| {
            let bits = signs.iter().rev().zip(0..32).filter(|(sign, _)| wanted.contains(**sign));
            bits.fold(0, |word: u32, (_, bit)| word | 1 << bit)
        };
        self.differences[i] = Difference { plus: bits("+"), minus: bits("-"), top: signs.first() == Some(&'x') };
        (self.fixed[i], self.value[i]) = (bits("01"), bits("1"));
        (self.same[i], self.differ[i]) = (bits("^"), bits("!"));
    }
}

/// The first block, from equal chaining values. The conditions are not those of the paper: of several thousand sets that follow from
/// the path, it is the one that leaves the tunnels behind it the most bits, and `Q[5]` and `Q[6]` such that the rotations work.
pub fn first_block() -> Path {
    Path::read(3, &FIRST, 1 << 15)
}

/// The second block, which takes back what the first did to the chaining value. Its conditions depend on that value, and are
/// derived anew for each; so does how it begins ([`Path::beginnings`]).
pub fn second_block() -> Path {
    Path::read(5, &SECOND, (1u32 << 15).wrapping_neg())
}

/// From `Q[3]`.
#[rustfmt::skip]
const FIRST: [&str; 22] = [
    ". ........ ....0... ....0... .0......", // 3
    ". ........ 0^^^1^^^ ^^^^1^^^ ^0......", // 4
    ". ^...1.0. 0-++++++ ++++++++ ++.000.1", // 5
    "x !^^^0^1^ +1111111 10111100 0-^111^1", // 6
    "x 0+++++-- -1111110 1111-+++ ++-+++++", // 7
    ". 00000001 -..-+++- +.0.0101 0100000+", // 8
    "x 11111011 ...10000 0.1^111- ++1111+-", // 9
    "x 01...... 0..11111 1.+-...0 01....11", // 10
    "x 0+...... ....0001 1^00...0 11....10", // 11
    "x 00....^^ ....-+++ +++1...- +.......", // 12
    "x 01....+- ....1111 111....0 0...1...", // 13
    "x 0.0...00 ....1011 111....1 1...1...", // 14
    "x ..1...01 ........ -....... ....+...", // 15
    "x ^.-..... ........ ........ ........", // 16
    "x ^....... ......0. ^....... ....^...", // 17
    "x ^.^..... ......1. ........ ........", // 18
    "x ^....... ......+. ........ ........", // 19
    "x ^....... ........ ........ ........", // 20
    "x ^....... ......^. ........ ........", // 21
    "x ^....... ........ ........ ........", // 22
    ". 0....... ........ ........ ........", // 23
    ". 1....... ........ ........ ........", // 24
];

/// From `Q[5]`: differences only.
#[rustfmt::skip]
const SECOND: [&str; 18] = [
    "x ........ ........ ...+---+ +-.....+", // 5
    "x ........ ..-+..-+ ........ ........", // 6
    "x ...-+... ........ ......-+ ++......", // 7
    "x .....-++ +.....-+ -....... ........", // 8
    "x ........ ........ ......+- --....+-", // 9
    "x ........ ........ ...+.... ........", // 10
    "x ........ ........ ........ ........", // 11
    "x ........ ....-+++ +++..... -.......", // 12
    "x .+------ ........ ........ ........", // 13
    "x ........ ........ ........ ........", // 14
    "x ........ ........ +....... ....+...", // 15
    "x ..-..... ........ ........ ........", // 16
    "x ........ ........ ........ ........", // 17
    "x ........ ........ ........ ........", // 18
    "x ........ ......+. ........ ........", // 19
    "x ........ ........ ........ ........", // 20
    "x ........ ........ ........ ........", // 21
    "x ........ ........ ........ ........", // 22
];

impl Path {
    /// The differences that `Q[t]` of the second block may have, for the first few `t`.
    ///
    /// The chaining value decides which of them can be followed. All but some of `Q[2]` are modulo 2³² what they are in the paper.
    pub fn beginnings(t: usize) -> Vec<Difference> {
        let top = Difference { plus: 0, minus: 0, top: true };
        let at_25 = |longest| (0..=longest).map(|length| power(25, length)).collect::<Vec<_>>();
        match t {
            1 => combine(top, &[&at_25(3)]),
            2 => {
                let at_11 = [Difference::default(), power(11, 0), power(11, 1), power(11, 0).negative(), power(11, 1).negative()];
                combine(top, &[&[power(5, 0), power(5, 1), power(5, 2)], &at_25(2), &at_11])
            }
            3 => {
                let [at_11, at_16] = [power(11, 1), power(16, 5)];
                combine(top, &[&[power(5, 0), power(5, 1), power(5, 2)], &[at_11], &[at_16], &at_25(5)])
            }
            4 => combine(
                top,
                &[&[Difference { plus: 0b1110, minus: 0b1_0000, top: false }], &[power(5, 0), power(5, 1)], &at_25(2)],
            ),
            _ => Vec::new(),
        }
    }
}

/// 2 to the power of `bit`, with a carry over `length` bits.
const fn power(bit: u32, length: u32) -> Difference {
    Difference { plus: 1 << (bit + length), minus: ((1 << length) - 1) << bit, top: false }
}

/// All ways to take one difference of each list and join it to `all`, where they do not overlap.
fn combine(all: Difference, lists: &[&[Difference]]) -> Vec<Difference> {
    lists.iter().fold(vec![all], |joined, list| {
        let pairs = joined.iter().flat_map(|one| list.iter().map(move |other| (*one, *other)));
        let apart = pairs.filter(|(one, other)| (one.plus | one.minus) & (other.plus | other.minus) == 0);
        apart
            .map(|(one, other)| Difference {
                plus: one.plus | other.plus,
                minus: one.minus | other.minus,
                top: one.top || other.top,
            })
            .collect()
    })
}
