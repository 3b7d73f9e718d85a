//! The prior laid over a text: how likely each span is to be a component.

use super::prior::{LONGER, LONGEST, Prior};
use super::text::{Class, Rows, Text, u32_of};

/// Where a span lies with respect to word borders: begins at one, ends at one, and how many are inside (none, one, more).
pub(crate) const PLACES: usize = 12;
/// Lengths that the law of places tells apart; longer ones are like the last.
pub(crate) const PLACED: usize = 6;

/// P(place | length) of components in dense scripts, by length 1 to 6 and longer. Measured on components of published rule
/// lists (2016–17) planted in newspaper text and segmented as here.
/// Order: neither border, only the end, only the beginning, both; in each: none inside, one, more.
const PLACES_DENSE: [[f64; PLACES]; PLACED] = [
    [0.003, 0.003, 0.003, 0.011, 0.003, 0.003, 0.029, 0.003, 0.003, 0.937, 0.003, 0.003],
    [0.001, 0.002, 0.001, 0.001, 0.023, 0.001, 0.001, 0.019, 0.001, 0.551, 0.398, 0.001],
    [0.001, 0.001, 0.001, 0.001, 0.005, 0.012, 0.001, 0.010, 0.017, 0.090, 0.470, 0.390],
    [0.001, 0.001, 0.001, 0.001, 0.001, 0.025, 0.001, 0.001, 0.005, 0.059, 0.632, 0.271],
    [0.001, 0.001, 0.001, 0.001, 0.001, 0.020, 0.002, 0.001, 0.011, 0.047, 0.133, 0.781],
    [0.001, 0.001, 0.001, 0.004, 0.001, 0.024, 0.003, 0.001, 0.006, 0.101, 0.020, 0.837],
];
/// In scripts with spaces components are words or phrases, now and then parts of words.
const PLACES_LETTERS: [f64; 4] = [0.02, 0.05, 0.05, 0.88];

/// Probability left to spans that hold or touch punctuation or begin or end in a space, where a clean span is 1.
const UNCLEAN: f64 = 0.02;
/// Mass that every span has at least, as a share of the whole: below it, rounding would swallow what the evidence says.
const FLOOR: f64 = 1e-12;

/// The probability that a component is one of a rule found before in the same text, where any of those is left.
const NEARBY: f64 = 0.25;
/// The probability that a component begins or ends with one of the commonest words of one cluster: 0.017 on the same lists and
/// text, and kept wider.
const COMMON_EDGE: f64 = 0.04;

pub(crate) fn place(text: &Text, at: u32, length: u32) -> usize {
    let span = super::text::Span::new(at, at + length);
    let sides = 2 * usize::from(text.is_border(at)) + usize::from(text.is_border(at + length));
    3 * sides + text.inner_borders(span).min(2) as usize
}

/// Cumulative weights of the spans over [`Rows`], for one kind of rule.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    width: u32,
    limits: Vec<u32>,
    /// `within[row * width + length - 1]`: the spans of a row up to a length.
    within: Vec<f64>,
    /// What a row has beyond `width`.
    beyond: Vec<f64>,
    /// The spans of this and all later rows; one more entry, 0, at the end.
    after: Vec<f64>,
}

/// The two kinds: a component among several, and one that is a rule by itself.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    pub(crate) several: Layer,
    pub(crate) alone: Layer,
}

impl Weights {
    pub(crate) fn new(text: &Text, rows: &Rows, prior: &Prior) -> Self {
        let dense_only = (0..rows.len()).all(|row| text.class(rows.at(row)) != Class::Letter);
        let width = u32_of(if dense_only { prior.dense.len() - 1 } else { LONGEST });
        let repeated = rows.repeated(text, width);
        let places = Places::new(text, rows, width, &repeated);
        let mut several = places.weights(text, rows, prior, &prior.dense, &repeated);
        let alone = places.weights(text, rows, prior, &prior.dense_alone, &repeated);
        add_terms(text, rows, prior, width, &repeated, &mut several);
        Self { several: Layer::new(rows, width, several), alone: Layer::new(rows, width, alone) }
    }

    pub(crate) fn rows(&self) -> u32 {
        u32_of(self.several.limits.len())
    }

    pub(crate) fn limit(&self, row: u32) -> u32 {
        self.several.limits[row as usize]
    }
}

impl Layer {
    fn new(rows: &Rows, width: u32, weights: Vec<f64>) -> Self {
        let count = rows.len();
        let total: f64 = weights.iter().sum();
        let floor = if total > 0.0 { total * FLOOR } else { 1.0 };
        let long = (0..count).filter(|row| rows.limit(*row) > width).count();
        let beyond = |row: u32| if rows.limit(row) > width { (total + floor) * LONGER / long as f64 } else { 0.0 };
        let mut this = Self {
            width,
            within: weights,
            beyond: (0..count).map(beyond).collect(),
            after: vec![0.0; count as usize + 1],
            limits: (0..count).map(|row| rows.limit(row)).collect(),
        };
        for row in 0..count {
            let mut sum = 0.0;
            let begin = (row * width) as usize;
            for (at, weight) in this.within[begin..begin + width as usize].iter_mut().enumerate() {
                if u32_of(at) < rows.limit(row) {
                    sum += *weight + floor;
                }
                *weight = sum;
            }
        }
        for row in (0..count).rev() {
            this.after[row as usize] = this.after[row as usize + 1] + this.within(row, rows.limit(row));
        }
        this
    }

    /// The weight of all spans of a row up to `length`.
    pub(crate) fn within(&self, row: u32, length: u32) -> f64 {
        if length == 0 {
            return 0.0;
        }
        let begin = (row * self.width) as usize;
        if length <= self.width {
            return self.within[begin + length as usize - 1];
        }
        // Beyond the table, longer is less likely: P(length > l) falls as 1/l.
        let (width, limit, length) = (f64::from(self.width), f64::from(self.limits[row as usize]), f64::from(length));
        let share = (1.0 / width - 1.0 / length) / (1.0 / width - 1.0 / limit);
        self.within[begin + self.width as usize - 1] + self.beyond[row as usize] * share
    }

    /// The weight of all spans that begin at a row or later.
    pub(crate) fn after(&self, row: u32) -> f64 {
        self.after[row as usize]
    }
}

/// Lengths of the spans that have a weight of their own: those that do not occur again later.
fn lengths(rows: &Rows, width: u32, row: u32, repeated: &[u32]) -> std::ops::RangeInclusive<u32> {
    repeated[row as usize] + 1..=rows.limit(row).min(width)
}

/// Where the spans of a text lie, and how many of each length lie so.
struct Places {
    width: u32,
    /// By row and length; `u8::MAX` for what touches or holds punctuation, or begins or ends in a space.
    of: Vec<u8>,
    counted: Vec<u32>,
    clean: Vec<u32>,
    /// Shares of the two kinds of scripts.
    shares: [f64; 2],
}

impl Places {
    fn new(text: &Text, rows: &Rows, width: u32, repeated: &[u32]) -> Self {
        let stride = width as usize + 1;
        let mut this = Self {
            width,
            of: vec![u8::MAX; (rows.len() * width) as usize],
            counted: vec![0; 4 * stride * PLACES],
            clean: vec![0; 2 * stride],
            shares: [0.0, 0.0],
        };
        for row in 0..rows.len() {
            let at = rows.at(row);
            let dense = match text.class(at) {
                Class::Dense => true,
                Class::Letter => false,
                Class::Space | Class::Mark => continue,
            };
            // Of two texts of the same length, one in letters has about a fifth of the words.
            this.shares[usize::from(dense)] += if dense { 1.0 } else { 0.2 };
            for length in 1..=rows.limit(row).min(width) {
                let last = text.class(at + length - 1);
                if last == Class::Mark {
                    break;
                }
                if length > repeated[row as usize] && last != Class::Space {
                    let edge = text.is_common(at) || text.is_common(at + length - 1);
                    let place = place(text, at, length) + if edge { PLACES } else { 0 };
                    this.of[(row * width + length - 1) as usize] = u8::try_from(place).unwrap_or(0);
                    let cell = this.cell(dense, length);
                    this.counted[2 * cell * PLACES + place] += 1;
                    this.clean[cell] += 1;
                }
            }
        }
        let total: f64 = this.shares.iter().sum();
        this.shares = if total > 0.0 { this.shares.map(|share| share / total) } else { [1.0, 1.0] };
        this
    }

    fn cell(&self, dense: bool, length: u32) -> usize {
        usize::from(dense) * (self.width as usize + 1) + length as usize
    }

    /// A weight for each row and length: each length's mass is shared out by place, then among the spans of that place.
    fn weights(&self, text: &Text, rows: &Rows, prior: &Prior, dense_law: &[f64], repeated: &[u32]) -> Vec<f64> {
        let mut weights = vec![0.0; self.of.len()];
        for row in 0..rows.len() {
            let dense = text.class(rows.at(row)) == Class::Dense;
            let law = if dense { dense_law } else { &prior.letters };
            let share = self.shares[usize::from(dense)];
            for length in lengths(rows, self.width, row, repeated) {
                let Some(by_length) = law.get(length as usize) else { break };
                let cell = self.cell(dense, length);
                let at = (row * self.width + length - 1) as usize;
                let flat = share * by_length / f64::from(self.clean[cell]).max(1.0);
                let place = usize::from(self.of[at]);
                weights[at] = if place >= 2 * PLACES {
                    flat * UNCLEAN * prior.escape
                } else if prior.borders {
                    let alike = f64::from(self.counted[2 * cell * PLACES + place]).max(1.0);
                    prior.escape * flat + (1.0 - prior.escape) * share * by_length * law_of_places(dense, length, place) / alike
                } else {
                    flat
                };
            }
        }
        weights
    }
}

fn law_of_places(dense: bool, length: u32, place: usize) -> f64 {
    let edge = if place >= PLACES { COMMON_EDGE } else { 1.0 - COMMON_EDGE };
    let place = place % PLACES;
    edge * if dense {
        let by_place = &PLACES_DENSE[(length as usize).clamp(1, PLACED) - 1];
        by_place[place]
    } else {
        // How many borders are inside a phrase follows from its length.
        PLACES_LETTERS[place / 3] / 3.0
    }
}

/// Gives the spans that stand in earlier lists, and components of rules found before, their shares of the mass.
fn add_terms(text: &Text, rows: &Rows, prior: &Prior, width: u32, repeated: &[u32], weights: &mut [f64]) {
    let mut listed = Vec::new();
    let mut nearby = Vec::new();
    if prior.terms.is_empty() && prior.nearby.is_empty() {
        return;
    }
    for row in 0..rows.len() {
        let first = text.str(rows.span(row, 1)).chars().next();
        let begins = first.is_some_and(|first| prior.beginnings.contains(&first));
        let near = prior.nearby.iter().any(|term| term.chars().next() == first);
        if !begins && !near {
            continue;
        }
        for length in lengths(rows, width, row, repeated) {
            let at = (row * width + length - 1) as usize;
            let span = text.str(rows.span(row, length));
            if let Some(rules) = prior.terms.get(span) {
                listed.push((at, libm::sqrt(*rules)));
            }
            if near && prior.nearby.iter().any(|term| term == span) {
                nearby.push((at, 1.0));
            }
        }
    }
    share_out(weights, &listed, prior.listed);
    share_out(weights, &nearby, NEARBY);
}

/// Moves a share of all mass to some spans.
fn share_out(weights: &mut [f64], spans: &[(usize, f64)], share: f64) {
    let parts: f64 = spans.iter().map(|(_, part)| part).sum();
    let total: f64 = weights.iter().sum();
    if parts <= 0.0 || total <= 0.0 {
        return;
    }
    for weight in weights.iter_mut() {
        *weight *= 1.0 - share;
    }
    for (at, part) in spans {
        weights[*at] += total * share * part / parts;
    }
}
