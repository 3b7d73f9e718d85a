//! The conditions on bits of `Q` under which a pair follows a path, derived from the path.
//!
//! At each step and bit the Boolean function must give the difference that the step needs; of all ways to give it, the one is taken
//! that costs the fewest conditions. What a table of "sufficient conditions" says (Wang and Yu 2005, Stevens 2006) follows so for
//! any path, and for chaining values as they are.

use super::md5::{Chaining, function, rotation, word};
use super::path::{Difference, LENGTH, Path, at};

/// Steps for which conditions are stated; behind them the messages do not differ for a while.
pub const STEPS: usize = 25;

/// What must hold for the `Q` of the first message, so that the pair follows a path.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// Bits of each `Q` that are given …
    pub fixed: [u32; LENGTH],
    /// … and what they are.
    pub value: [u32; LENGTH],
    /// Bits of `Q[t]` that equal those of `Q[t-1]`.
    pub same: [u32; LENGTH],
    /// Bits of `Q[t]` that differ from those of `Q[t-1]`.
    pub differ: [u32; LENGTH],
    /// The modular difference of the sum that step `t` rotates.
    sums: [u32; STEPS],
    /// The modular difference of `Q[t+1] - Q[t]`: what the sum's difference must become.
    turns: [u32; STEPS],
}

/// What it costs, the sum, and what it demands.
type Cheapest = (f64, u32, Vec<(u32, Demand)>);

impl Conditions {
    /// Whether `turned`, which is `Q[t+1] - Q[t]`, carries the difference of step `t` through the rotation.
    #[inline(always)]
    pub const fn turns(&self, t: usize, turned: u32) -> bool {
        let sum = turned.rotate_right(rotation(t)).wrapping_add(self.sums[t]);
        sum.rotate_left(rotation(t)) == turned.wrapping_add(self.turns[t])
    }

    /// Whether the bits of the `Q` at place `i` are as they must be, given the one before it.
    #[inline(always)]
    pub const fn holds(&self, i: usize, q: u32, before: u32) -> bool {
        ((q ^ self.value[i]) & self.fixed[i]) | ((q ^ before) & self.same[i]) | (!(q ^ before) & self.differ[i]) == 0
    }

    /// The `Q` at place `i`: its conditions fulfilled, and `free` elsewhere.
    #[inline(always)]
    pub const fn fulfil(&self, i: usize, free: u32, before: u32) -> u32 {
        (free & !self.bits(i)) | self.value[i] | (before & self.same[i]) | (!before & self.differ[i])
    }

    /// The bits of the `Q` at place `i` that have conditions.
    pub const fn bits(&self, i: usize) -> u32 {
        self.fixed[i] | self.same[i] | self.differ[i]
    }

    /// The bits of the `Q` at place `i` on which nothing depends but its own conditions: none of these, and no equation.
    pub const fn alone(&self, i: usize) -> u32 {
        !(self.bits(i) | self.same[i + 1] | self.differ[i + 1])
    }

    /// The bits of the `Q` at place `i` that can be set to `value` without breaking a condition.
    pub const fn open(&self, i: usize, value: bool) -> u32 {
        let given = if value { self.value[i] } else { self.fixed[i] & !self.value[i] };
        given | (self.alone(i) & !self.fixed[i])
    }

    /// Wants bits of the `Q` at place `i` to be `value`.
    pub const fn want(&mut self, i: usize, bits: u32, value: bool) {
        self.fixed[i] |= bits;
        if value {
            self.value[i] |= bits;
        }
    }

    /// Conditions under which a pair follows the path, or the step that cannot be followed.
    pub fn of(path: &Path) -> Result<Self, usize> {
        let mut it = Self::begin(path);
        it.follow_from(path, 0).map(|()| it)
    }

    /// What the path itself says, before any step is followed.
    fn begin(path: &Path) -> Self {
        let Path { differences, fixed, value, same, differ, .. } = *path;
        let mut it = Self { fixed, value, same, differ, sums: [0; STEPS], turns: [0; STEPS] };
        for (i, difference) in differences.iter().enumerate() {
            it.sign(i, *difference);
        }
        it
    }

    fn sign(&mut self, i: usize, difference: Difference) {
        self.want(i, difference.plus, false);
        self.want(i, difference.minus, true);
    }

    /// Adds the conditions of the steps from `first` on.
    fn follow_from(&mut self, path: &Path, first: usize) -> Result<(), usize> {
        for t in first..STEPS {
            self.follow(path, t).ok_or(t)?;
        }
        Ok(())
    }

    /// Conditions under which a pair follows the path from these chaining values, and the path: of several that begin differently
    /// ([`Path::beginnings`]) that with the fewest conditions. Nothing if none can be followed.
    pub fn from(path: &Path, first: Chaining, second: Chaining) -> Option<(Path, Self)> {
        let mut path = path.clone();
        for (i, register) in [0, 3, 2, 1].into_iter().enumerate() {
            path.differences[i] = Difference::between(first[register], second[register]);
            (path.fixed[i], path.value[i]) = (u32::MAX, first[register]);
        }
        let mut found = Found { best: None, looks: MOST_LOOKS };
        Self::begin(&path).branch(&mut path, 0, &mut found);
        found.best.map(|(_, path, conditions)| (path, conditions))
    }

    /// Follows step `t` with each of the differences that `Q[t+1]` may have, and so on.
    fn branch(&self, path: &mut Path, t: usize, found: &mut Found) {
        let beginnings = Path::beginnings(t + 1);
        for difference in &beginnings {
            let Some(looks) = found.looks.checked_sub(1) else { return };
            found.looks = looks;
            let mut it = self.clone();
            path.differences[t + 4] = *difference;
            it.sign(t + 4, *difference);
            if it.follow(path, t).is_some() {
                it.branch(path, t + 1, found);
            }
        }
        if beginnings.is_empty() {
            let mut it = self.clone();
            if it.follow_from(path, t).is_err() {
                return;
            }
            let count = (at(1)..LENGTH).map(|i| it.bits(i).count_ones()).sum();
            if found.best.as_ref().is_none_or(|(least, ..)| count < *least) {
                found.best = Some((count, path.clone(), it));
            }
            // The others are hardly better.
            found.looks = found.looks.min(LOOKS_BEHIND_FIRST);
        }
    }

    /// Turns equations of which one side is given into given bits; says whether all fits together.
    fn settle(&mut self) -> bool {
        let mut before = 0;
        loop {
            for i in 1..LENGTH {
                for (word, known) in [(i, i - 1), (i - 1, i)] {
                    let wrong = (self.value[word] ^ self.value[known] ^ self.differ[i]) & (self.same[i] | self.differ[i]);
                    if wrong & self.fixed[word] & self.fixed[known] != 0 {
                        return false;
                    }
                    let (equal, unequal) = (self.same[i] & self.fixed[known], self.differ[i] & self.fixed[known]);
                    self.fixed[word] |= equal | unequal;
                    self.value[word] |= (equal & self.value[known]) | (unequal & !self.value[known]);
                }
                let both = self.fixed[i] & self.fixed[i - 1];
                self.same[i] &= !both;
                self.differ[i] &= !both;
            }
            let now: u32 = self.fixed.iter().map(|bits| bits.count_ones()).sum();
            if now == before {
                return true;
            }
            before = now;
        }
    }

    /// Adds the conditions of step `t`; nothing if there is no way to follow it.
    fn follow(&mut self, path: &Path, t: usize) -> Option<()> {
        let differences = &path.differences;
        let i = t + 3;
        let turned = differences[i + 1].modular().wrapping_sub(differences[i].modular());
        let other = differences[i - 3].modular().wrapping_add(path.words[word(t)]);
        let mut best: Option<Cheapest> = None;
        for (sum, share) in sums_before(turned, rotation(t)) {
            let Some((cost, demands)) = self.cheapest(path, t, sum.wrapping_sub(other)) else { continue };
            let cost = cost - libm::log2(share);
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, sum, demands));
            }
        }
        let (_, sum, demands) = best?;
        (self.sums[t], self.turns[t]) = (sum, turned);
        for (bit, demand) in demands {
            match demand {
                Demand::Is(word, value) => self.want(i - word, 1 << bit, value),
                Demand::Agree(word, true) => self.same[i - word] |= 1 << bit,
                Demand::Agree(word, false) => self.differ[i - word] |= 1 << bit,
            }
        }
        // A later step sees only three words at once, so that equations must not wait.
        self.settle().then_some(())
    }

    /// The cheapest demands by which the function of step `t` gets the modular difference `wanted`, and what they cost: bit by bit
    /// from the lowest, for each carry.
    fn cheapest(&self, path: &Path, t: usize, wanted: u32) -> Option<(f64, Vec<(u32, Demand)>)> {
        type Reached = Option<(f64, Vec<(u32, Demand)>)>;
        let mut reached: [Reached; 3] = [None, Some((0.0, Vec::new())), None];
        for bit in 0..32 {
            let ways = self.ways(path, t, bit);
            let digit = i32::from(wanted >> bit & 1 == 1);
            let mut next: [Reached; 3] = [None, None, None];
            for (carry, state) in (-1..).zip(&reached) {
                let Some((cost, demands)) = state else { continue };
                for Way { difference, demands: more, price } in &ways {
                    let rest = carry + difference - digit;
                    if rest % 2 != 0 {
                        continue;
                    }
                    let place = &mut next[usize::try_from(rest / 2 + 1).ok()?];
                    if place.as_ref().is_none_or(|(least, _)| cost + price < *least) {
                        let all = demands.iter().copied().chain(more.iter().map(|demand| (bit, *demand)));
                        *place = Some((cost + price, all.collect()));
                    }
                }
            }
            reached = next;
        }
        reached.into_iter().flatten().min_by(|one, other| one.0.total_cmp(&other.0))
    }

    /// The ways in which a bit of the function of step `t` can differ, each with its cheapest demands.
    fn ways(&self, path: &Path, t: usize, bit: u32) -> Vec<Way> {
        let i = t + 3;
        if (0..3).all(|word| !path.differences[i - word].touches(bit)) {
            return vec![Way { difference: 0, demands: Vec::new(), price: 0.0 }];
        }
        let set = |words: &[u32; LENGTH], i: usize| words[i] >> bit & 1 == 1;
        let possible = |bits: [bool; 3]| {
            (0..3).all(|word| !set(&self.fixed, i - word) || set(&self.value, i - word) == bits[word])
                && (0..2).all(|word| {
                    let equal = bits[word] == bits[word + 1];
                    !(set(&self.same, i - word) && !equal || set(&self.differ, i - word) && equal)
                })
        };
        let difference = |bits: [bool; 3]| {
            let value = |it: [bool; 3]| i32::from(function(t, it[0].into(), it[1].into(), it[2].into()) & 1 == 1);
            let other = [0, 1, 2].map(|word| bits[word] ^ path.differences[i - word].touches(bit));
            let difference = value(other) - value(bits);
            // The highest bit has no sign.
            if bit == 31 { difference.abs() } else { difference }
        };
        let all: Vec<([bool; 3], i32)> = (0..8)
            .map(|it| [it & 1 == 1, it & 2 == 2, it & 4 == 4])
            .filter(|bits| possible(*bits))
            .map(|bits| (bits, difference(bits)))
            .collect();
        [-1, 0, 1].into_iter().filter_map(|difference| Way::cheapest(&all, difference)).collect()
    }
}

/// The best beginning so far: how many conditions it has, and what they are.
struct Found {
    best: Option<(u32, Path, Conditions)>,
    /// How many more are looked at.
    looks: u32,
}

/// How many beginnings are looked at.
const MOST_LOOKS: u32 = 2000;

/// How many more when one was found.
const LOOKS_BEHIND_FIRST: u32 = 50;

/// A condition on one bit of the three words that a Boolean function joins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Demand {
    /// The bit of word 0 (`Q[t]`), 1 or 2 is this.
    Is(usize, bool),
    /// Words `n` and `n + 1` agree (or not).
    Agree(usize, bool),
}

impl Demand {
    const ALL: [Self; 10] = [
        Self::Is(0, false),
        Self::Is(0, true),
        Self::Is(1, false),
        Self::Is(1, true),
        Self::Is(2, false),
        Self::Is(2, true),
        Self::Agree(0, false),
        Self::Agree(0, true),
        Self::Agree(1, false),
        Self::Agree(1, true),
    ];

    const fn holds(self, bits: [bool; 3]) -> bool {
        match self {
            Self::Is(word, value) => bits[word] == value,
            Self::Agree(word, agree) => (bits[word] == bits[word + 1]) == agree,
        }
    }
}

/// A way to give a bit of the function a difference: its demands, and what they cost in bits.
struct Way {
    difference: i32,
    demands: Vec<Demand>,
    price: f64,
}

impl Way {
    /// The fewest demands, at most two, that leave only such of `all` (bits, and the difference that they make) as make this
    /// difference; of equally many, those that leave the most.
    fn cheapest(all: &[([bool; 3], i32)], difference: i32) -> Option<Self> {
        let way = |demands: &[Demand]| {
            let mut left = 0;
            for (_, other) in all.iter().filter(|(bits, _)| demands.iter().all(|demand| demand.holds(*bits))) {
                if *other != difference {
                    return None;
                }
                left += 1;
            }
            let price = libm::log2(all.len() as f64 / f64::from(left));
            (left > 0).then(|| Self { difference, demands: demands.to_vec(), price })
        };
        let cheaper = |one: &Self, other: &Self| one.price.total_cmp(&other.price);
        let single = || Demand::ALL.iter().filter_map(|demand| way(&[*demand])).min_by(cheaper);
        let pairs = || (1..Demand::ALL.len()).flat_map(|n| Demand::ALL[..n].iter().map(move |one| [*one, Demand::ALL[n]]));
        way(&[]).or_else(single).or_else(|| pairs().filter_map(|pair| way(&pair)).min_by(cheaper))
    }
}

/// The differences before a rotation that can become `turned` behind it, with the share of sums for which they do.
///
/// A sum is a high part of `rotation` bits above a low part, and the rotation swaps them. Behind it, a carry may go from one part to
/// the other that before went nowhere, and the other way round.
fn sums_before(turned: u32, rotation: u32) -> Vec<(u32, f64)> {
    let (low, high) = (1i64 << (32 - rotation), 1i64 << rotation);
    let mut sums: Vec<(u32, f64)> = Vec::new();
    for (carry, cut) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let sum = turned.rotate_right(rotation).wrapping_add(carry).wrapping_sub(cut << (32 - rotation));
        let (upper, lower) = (i64::from(sum) / low, i64::from(sum) % low);
        // The sum's low part overflows for a share of its values, and then, or else, its high part.
        let mut share = 0.0;
        for (over, of_low) in [(0, 1.0 - lower as f64 / low as f64), (1, lower as f64 / low as f64)] {
            let out = (upper + over) as f64 / high as f64;
            for (out, of_high) in [(0, 1.0 - out), (1, out)] {
                let behind = (lower - over * low) * high + (upper + over - out * high);
                if behind.rem_euclid(1 << 32) == i64::from(turned) {
                    share += of_low * of_high;
                }
            }
        }
        if share > 0.0 && sums.iter().all(|(known, _)| *known != sum) {
            sums.push((sum, share));
        }
    }
    sums
}
