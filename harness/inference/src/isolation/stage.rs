//! The posterior over one component, given those found before it.
//!
//! Let C be the components found so far, and the text after the last of them begin at row `b`. The *atoms* are the spans (row i,
//! length L) that could be the next component, and "complete": C alone blocks. They are ordered: a later row is higher, at
//! the same row a shorter span is higher, "complete" is highest. The question of the *cut* (i, m) sends C, the m clusters
//! from i, and all that follows i without its first cluster. Where the next component is the atom whose row is the latest at which
//! the rest still blocks, and whose length is the least that does, that question hits exactly for the atoms not below the cut:
//! so one component is one alphabetic search, from the first question about where it begins to the last about where it ends.
//! Below all atoms lies "refuted": C is wrong, and none of the questions hits.
//!
//! An answer multiplies the atoms above its cut by one factor and those below by another. The posterior is therefore the
//! prior times a step function; prior mass above a cut is known in closed form, and no array over the text is ever updated.

use std::cmp::Ordering;

use super::channel::Channel;
use super::prior::Counts;
use super::weights::{Layer, Weights};

/// Lengths whose cuts are compared for the value of their certificate.
const LENGTHS_CONSIDERED: u32 = 48;

/// An atom, and at the same time the question that hits from this atom on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cut {
    /// The row where it begins; the number of rows for "complete".
    pub(crate) row: u32,
    /// Its length; 0 for "complete".
    pub(crate) length: u32,
}

impl Ord for Cut {
    fn cmp(&self, other: &Self) -> Ordering {
        self.row.cmp(&other.row).then(other.length.cmp(&self.length))
    }
}

impl PartialOrd for Cut {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The posterior over the next component.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// The components found before.
    pub(crate) found: Vec<Cut>,
    /// The first row where the next may begin.
    first: u32,
    /// Spans that end at or before this row lie inside a found component.
    covered: u32,
    /// Weight of the rows from `first` up to `covered` and all after.
    head: Vec<f64>,
    /// Whether this is the first component: only then the rule may have no other.
    may_be_alone: bool,
    /// Whether C is complete, beforehand.
    complete: f64,
    /// How many components are left, if not.
    left: Vec<f64>,
    /// P(refuted) when the stage was entered.
    pub(crate) doubt: f64,
    /// Log factor of "refuted" since.
    refuted: f64,
    /// The steps: `levels[j]` is the log factor of the atoms from `bounds[j - 1]` up to below `bounds[j]`.
    bounds: Vec<Cut>,
    levels: Vec<f64>,
    /// The atom that the search went on from.
    pub(crate) accepted: Option<Cut>,
    /// Cuts answered by a proof that they do not hit.
    pub(crate) denied: Vec<Cut>,
    /// Cuts whose answer followed from other answers.
    pub(crate) implied: Vec<Cut>,
    /// Positive answers to C alone.
    pub(crate) alone: u32,
}

/// The posterior at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Belief {
    pub(crate) refuted: f64,
    pub(crate) complete: f64,
    /// Probability above each bound (all levels above), one entry a level: mass of the levels above it.
    above: Vec<f64>,
    /// Probability of each level.
    mass: Vec<f64>,
    /// Factor from prior mass to probability in each level.
    factor: Vec<f64>,
}

impl Stage {
    pub(crate) fn new(found: Vec<Cut>, doubt: f64, counts: Counts, weights: &Weights, whole_may_do: bool) -> Self {
        let first = found.last().map_or(0, |last| last.row + 1);
        let covered = found.iter().map(|at| at.row + at.length).max().unwrap_or(0).min(weights.rows());
        let depth = found.len();
        let mut stage = Self {
            found,
            first,
            covered: covered.max(first),
            head: Vec::new(),
            may_be_alone: depth == 0,
            complete: 0.0,
            left: vec![1.0],
            doubt,
            refuted: 0.0,
            bounds: Vec::new(),
            levels: vec![0.0],
            accepted: None,
            denied: Vec::new(),
            implied: Vec::new(),
            alone: 0,
        };
        let mut sum = weights.several.after(stage.covered);
        let mut head = Vec::new();
        for row in (first..stage.covered).rev() {
            sum += stage.within(&weights.several, row, weights.limit(row));
            head.push(sum);
        }
        head.reverse();
        stage.head = head;
        let total = weights.several.after(0);
        let above = if total > 0.0 { (stage.total(weights) / total).clamp(0.0, 1.0) } else { 0.0 };
        let share = |layer: &Layer, atom: &Cut| {
            (layer.within(atom.row, atom.length) - layer.within(atom.row, atom.length - 1)) / layer.after(0)
        };
        let alone = stage
            .found
            .last()
            .map_or(1.0, |atom| (share(&weights.alone, atom) / share(&weights.several, atom)).clamp(0.02, 50.0));
        let (complete, left) = counts.after(depth, above, alone);
        stage.left = left;
        stage.complete = if whole_may_do { complete.clamp(1e-3, 1.0) } else { 0.0 };
        stage
    }

    pub(crate) fn top(weights: &Weights) -> Cut {
        Cut { row: weights.rows(), length: 0 }
    }

    /// The lowest cut: C and everything after.
    pub(crate) fn bottom(&self, weights: &Weights) -> Cut {
        if self.first < weights.rows() { Cut { row: self.first, length: weights.limit(self.first) } } else { Self::top(weights) }
    }

    fn within(&self, layer: &Layer, row: u32, length: u32) -> f64 {
        let all = layer.within(row, length);
        if row >= self.covered {
            return all;
        }
        (all - layer.within(row, length.min(self.covered - row))).max(0.0)
    }

    fn beyond_row(&self, weights: &Weights, row: u32) -> f64 {
        if row < self.covered { self.head[(row - self.first) as usize] } else { weights.several.after(row) }
    }

    fn total(&self, weights: &Weights) -> f64 {
        self.beyond_row(weights, self.first)
    }

    /// Prior mass of the atoms from a cut on, given that C is right. The components left are drawn from the spans; the next is
    /// the lowest of them.
    fn tail(&self, weights: &Weights, cut: Cut) -> f64 {
        if cut.row >= weights.rows() {
            return self.complete;
        }
        let weight = self.beyond_row(weights, cut.row + 1) + self.within(&weights.several, cut.row, cut.length);
        let share = (weight / self.total(weights)).clamp(0.0, 1.0);
        let lowest = if self.may_be_alone {
            let alone = &weights.alone;
            let weight = alone.after(cut.row + 1) + alone.within(cut.row, cut.length);
            let several = self.left[1..].iter().rev().fold(0.0, |sum, left| (sum + left) * share);
            self.left[0] * (weight / alone.after(0)).clamp(0.0, 1.0) + several * share
        } else {
            self.left.iter().rev().fold(0.0, |sum, left| (sum + left) * share)
        };
        self.complete + (1.0 - self.complete) * lowest
    }

    pub(crate) fn above(weights: &Weights, cut: Cut) -> Cut {
        if cut.length > 1 {
            Cut { row: cut.row, length: cut.length - 1 }
        } else if cut.row + 1 < weights.rows() {
            Cut { row: cut.row + 1, length: weights.limit(cut.row + 1) }
        } else {
            Self::top(weights)
        }
    }

    fn below(&self, weights: &Weights, cut: Cut) -> Option<Cut> {
        if cut.row < weights.rows() && cut.length < weights.limit(cut.row) {
            Some(Cut { row: cut.row, length: cut.length + 1 })
        } else if cut.row > self.first {
            Some(Cut { row: cut.row - 1, length: 1 })
        } else {
            None
        }
    }

    fn split(&mut self, cut: Cut) -> usize {
        match self.bounds.binary_search(&cut) {
            Ok(at) => at + 1,
            Err(at) => {
                self.bounds.insert(at, cut);
                let level = self.levels[at];
                self.levels.insert(at, level);
                at + 1
            }
        }
    }

    /// Takes in the answer to the question of a cut.
    pub(crate) fn update(&mut self, weights: &Weights, channel: Channel, cut: Cut, positive: bool) {
        let (hit, miss) = channel.log_likelihoods(positive);
        let from = self.split(cut);
        for (at, level) in self.levels.iter_mut().enumerate() {
            *level += if at >= from { hit } else { miss };
        }
        self.refuted += miss;
        if cut == Self::top(weights) && positive {
            self.alone += 1;
        }
        if !positive && !self.denied.contains(&cut) {
            self.denied.push(cut);
        }
    }

    /// Takes in how the search from an atom on went: the odds of all other atoms rise by `log_odds`.
    pub(crate) fn discredit(&mut self, weights: &Weights, atom: Cut, log_odds: f64) {
        let from = self.split(atom);
        let to = self.split(Self::above(weights, atom));
        for level in &mut self.levels[from..to] {
            *level -= log_odds;
        }
    }

    /// Enters the stage again, with another doubt about what was found; the evidence about what follows is kept.
    pub(crate) fn reenter(&mut self, weights: &Weights, doubt: f64) {
        // The evidence about "refuted" went to the stage before when this one was left.
        let good = self.log_good(weights);
        self.doubt = doubt;
        self.refuted = good;
        self.accepted = None;
    }

    /// Log of the factor that the evidence gave to "C is right" as a whole.
    fn log_good(&self, weights: &Weights) -> f64 {
        let peak = self.levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = (0..self.levels.len()).map(|at| self.prior_mass(weights, at) * libm::exp(self.levels[at] - peak)).sum();
        peak + libm::log(sum.max(1e-300))
    }

    fn level_tail(&self, weights: &Weights, at: usize) -> f64 {
        if at == 0 { 1.0 } else { self.tail(weights, self.bounds[at - 1]) }
    }

    fn prior_mass(&self, weights: &Weights, at: usize) -> f64 {
        let upper = if at < self.bounds.len() { self.tail(weights, self.bounds[at]) } else { 0.0 };
        (self.level_tail(weights, at) - upper).max(1e-18)
    }

    pub(crate) fn belief(&self, weights: &Weights) -> Belief {
        let peak = self.levels.iter().copied().fold(self.refuted, f64::max);
        let good = 1.0 - self.doubt;
        let mut factor: Vec<f64> = self.levels.iter().map(|level| good * libm::exp(level - peak)).collect();
        let mut mass: Vec<f64> = factor.iter().enumerate().map(|(at, factor)| factor * self.prior_mass(weights, at)).collect();
        let mut refuted = self.doubt * libm::exp(self.refuted - peak);
        let total: f64 = refuted + mass.iter().sum::<f64>();
        refuted /= total;
        for value in factor.iter_mut().chain(mass.iter_mut()) {
            *value /= total;
        }
        let mut above = vec![0.0; mass.len()];
        for at in (0..mass.len().saturating_sub(1)).rev() {
            above[at] = above[at + 1] + mass[at + 1];
        }
        let complete = factor.last().copied().unwrap_or(0.0) * self.complete;
        Belief { refuted, complete, above, mass, factor }
    }

    /// Posterior probability that the question of a cut hits.
    pub(crate) fn hit(&self, weights: &Weights, belief: &Belief, cut: Cut) -> f64 {
        let at = self.bounds.partition_point(|bound| *bound <= cut);
        let upper = if at < self.bounds.len() { self.tail(weights, self.bounds[at]) } else { 0.0 };
        (belief.above[at] + belief.factor[at] * (self.tail(weights, cut) - upper)).min(belief.above[at] + belief.mass[at])
    }

    /// The atom in which the posterior, from the top down, reaches `share`; and its own probability.
    pub(crate) fn quantile(&self, weights: &Weights, belief: &Belief, share: f64) -> (Cut, f64) {
        let top = Self::top(weights);
        if belief.complete >= share || self.first >= weights.rows() {
            return (top, belief.complete);
        }
        // Rows: the last whose every atom and all above reach the share.
        let whole_row = |row: u32| self.hit(weights, belief, Cut { row, length: weights.limit(row) });
        let (mut low, mut high) = (self.first, weights.rows());
        while high - low > 1 {
            let middle = u32::midpoint(low, high);
            if whole_row(middle) >= share { low = middle } else { high = middle }
        }
        // Within it: the shortest length that does.
        let (mut short, mut long) = (0, weights.limit(low));
        while long - short > 1 {
            let middle = u32::midpoint(short, long);
            if self.hit(weights, belief, Cut { row: low, length: middle }) >= share { long = middle } else { short = middle }
        }
        let atom = Cut { row: low, length: long };
        (atom, self.mass(weights, belief, atom))
    }

    /// Posterior probability of one atom.
    pub(crate) fn mass(&self, weights: &Weights, belief: &Belief, atom: Cut) -> f64 {
        if atom == Self::top(weights) {
            return belief.complete;
        }
        (self.hit(weights, belief, atom) - self.hit(weights, belief, Self::above(weights, atom))).max(0.0)
    }

    /// The next question: the cut whose answer says most. Among cuts that say about as much, one right above a likely atom is
    /// worth more: a denial there is at the same time the certificate that this atom cannot be made smaller.
    pub(crate) fn best_cut(&self, weights: &Weights, belief: &Belief, channel: Channel, bonus: f64) -> Cut {
        let best_hit = channel.best();
        let (start, _) = self.quantile(weights, belief, best_hit);
        let hit_of = |cut: Cut| self.hit(weights, belief, cut);
        let row_of =
            |row: u32| if row < weights.rows() { hit_of(Cut { row, length: weights.limit(row) }) } else { belief.complete };
        let mut best = (start, channel.information(hit_of(start)));
        let consider = |best: &mut (Cut, f64), atom: Cut| {
            let cut = Self::above(weights, atom);
            let hit = hit_of(cut);
            let certified = if self.denied.contains(&cut) { 0.0 } else { hit_of(atom) - hit };
            let worth = channel.information(hit) + bonus * certified;
            if worth > best.1 + 1e-12 {
                *best = (cut, worth);
            }
        };
        // The cuts above the atoms of one row, unless none of them can be better.
        let consider_row = |best: &mut (Cut, f64), row: u32, low: f64, high: f64| {
            let most = channel.information(best_hit.clamp(low, high)) + bonus * (high - low);
            if most > best.1 {
                for length in (1..=weights.limit(row).min(LENGTHS_CONSIDERED)).rev() {
                    consider(best, Cut { row, length });
                }
            }
        };
        if start == Self::top(weights) {
            if let Some(atom) = self.below(weights, start) {
                consider(&mut best, atom);
            }
            return best.0;
        }
        consider(&mut best, start);
        let mut high = row_of(start.row);
        for row in start.row..weights.rows() {
            let low = row_of(row + 1);
            consider_row(&mut best, row, low, high);
            if channel.information(low) + bonus * low < best.1 {
                break;
            }
            high = low;
        }
        let mut low = row_of(start.row);
        for row in (self.first..start.row).rev() {
            let high = row_of(row);
            consider_row(&mut best, row, low, high);
            if channel.information(high) + bonus * (1.0 - high) < best.1 {
                break;
            }
            low = high;
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::prior::Prior;
    use super::super::text::{Rows, Span, Text};
    use super::*;

    /// The posterior in closed form against one number an atom.
    #[test]
    fn the_step_function_is_the_posterior() {
        let text = Text::new("今天天气很好，我们去公园看花。abc def");
        let rows = Rows::new(&[Span::new(0, 9), Span::new(9, text.len())]);
        let prior = Prior::default().with_rules([vec!["公园", "天气"]]);
        let weights = Weights::new(&text, &rows, &prior);
        for found in [Vec::new(), vec![Cut { row: 2, length: 3 }], vec![Cut { row: 0, length: 2 }, Cut { row: 4, length: 2 }]] {
            let whole_may_do = !found.is_empty();
            let mut stage = Stage::new(found, 0.03, prior.counts, &weights, whole_may_do);
            let top = Stage::top(&weights);
            let mut atoms = vec![stage.bottom(&weights)];
            while let Some(last) = atoms.last().copied().filter(|last| *last != top) {
                atoms.push(Stage::above(&weights, last));
            }
            let tails: Vec<f64> = atoms.iter().map(|atom| stage.tail(&weights, *atom)).chain([0.0]).collect();
            assert!((tails[0] - 1.0).abs() < 1e-9 && tails.windows(2).all(|pair| pair[0] >= pair[1]), "{tails:?}");
            let mut masses: Vec<f64> = tails.windows(2).map(|pair| 0.97 * (pair[0] - pair[1])).collect();
            let mut refuted = 0.03;
            let channel = Channel::blocking(0.05, 0.01);
            for step in 0..12 {
                let at = (step * 37 + 11) % atoms.len();
                let positive = step % 3 != 0;
                stage.update(&weights, channel, atoms[at], positive);
                let (hit, miss) = channel.log_likelihoods(positive);
                for (atom, mass) in masses.iter_mut().enumerate() {
                    *mass *= libm::exp(if atom >= at { hit } else { miss });
                }
                refuted *= libm::exp(miss);
                let total: f64 = refuted + masses.iter().sum::<f64>();
                let belief = stage.belief(&weights);
                assert!((belief.refuted - refuted / total).abs() < 1e-6, "{} {}", belief.refuted, refuted / total);
                for (atom, cut) in atoms.iter().enumerate() {
                    let expected = masses[atom..].iter().sum::<f64>() / total;
                    let found = stage.hit(&weights, &belief, *cut);
                    assert!((found - expected).abs() < 1e-6, "step {step}, {cut:?}: {found} instead of {expected}");
                }
            }
        }
    }
}
