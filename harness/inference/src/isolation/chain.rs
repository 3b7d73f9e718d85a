//! One combination, component by component.
//!
//! A stack of [`Stage`]s, one a component. The search goes on from an atom once it is likely enough *and* the question right
//! above it was denied: that denial is the certificate that the component cannot be made smaller on either side, and that the
//! combination without it does not do. Whether the atom's own cut really hits is left open: every later question holds the
//! component, so that a false positive shows by itself, as a growing belief that what was found is refuted. Then the search
//! goes back one stage, with the odds that the later stage gathered, and what was learned there is kept for a return.

use super::channel::Channel;
use super::memo::Memo;
use super::prior::{Counts, Prior};
use super::rule::Enough;
use super::stage::{Cut, Stage};
use super::text::{Rows, Span, Text};
use super::weights::Weights;

/// Probability of an atom at which the search goes on from it.
const ACCEPTANCE: f64 = 0.7;
/// What it is worth, in bits, that a denial would be a certificate.
const CERTIFICATE: f64 = 0.5;

/// The probability left to what is outside of the window, on either side: small beside that of a wrong prior.
const OUTSIDE: f64 = 1e-6;

/// A window ends this many clusters after the last place where the component may begin, if it is not known to be longer.
const WINDOW: u32 = 16;

/// What sort of combination is sought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sought {
    /// One whose presence blocks.
    Blocking,
    /// One whose presence lifts the block of the base.
    Lifting,
}

/// How sure a chain has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) channel: Channel,
    /// Positive answers to the combination alone.
    pub(crate) alone: u32,
    /// Probability left to all else.
    pub(crate) doubt: f64,
    /// The answers that prove a question to hit or not, where they carry over to others.
    pub(crate) carry: Enough,
}

/// What a chain does next.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Move {
    /// This question, please.
    Ask(Vec<Span>),
    /// The combination, in the order of the text. What shows that each component is needed has been asked by then.
    Found(Vec<Span>),
    /// There is none.
    Absent,
}

/// The search for one combination.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) sought: Sought,
    pub(crate) terms: Terms,
    counts: Counts,
    /// Sent with every question.
    pub(crate) base: Vec<Span>,
    rows: Rows,
    weights: Weights,
    stages: Vec<Stage>,
    /// Stages that were left.
    left: Vec<Stage>,
    pending: Option<Cut>,
}

impl Chain {
    pub(crate) fn new(
        text: &Text,
        pieces: &[Span],
        base: Vec<Span>,
        sought: Sought,
        prior: &Prior,
        terms: Terms,
        doubt: f64,
    ) -> Self {
        let rows = Rows::new(pieces);
        let weights = Weights::new(text, &rows, prior);
        let root = Stage::new(Vec::new(), doubt, prior.counts, &weights, false);
        Self { sought, terms, counts: prior.counts, base, rows, weights, stages: vec![root], left: Vec::new(), pending: None }
    }

    /// The next question, or the end.
    pub(crate) fn advance(&mut self, memo: &Memo) -> Move {
        loop {
            if let Some(cut) = self.pending {
                return Move::Ask(self.question(cut));
            }
            let depth = self.stages.len();
            let Some(stage) = self.stages.last() else { return Move::Absent };
            let belief = stage.belief(&self.weights);
            if belief.refuted > 0.5 {
                if depth > 1 {
                    self.go_back(belief.refuted);
                    continue;
                }
                // That there is nothing takes more than a prior and the answers about parts: the whole itself was denied.
                let whole = stage.bottom(&self.weights);
                if stage.denied.contains(&whole) && belief.refuted > 1.0 - self.terms.doubt {
                    return Move::Absent;
                }
                self.pending = Some(whole);
                continue;
            }
            let top = Stage::top(&self.weights);
            let (atom, probability) = stage.quantile(&self.weights, &belief, 0.5);
            let cut = if atom == top && probability > 0.5 && probability >= 1.0 - self.terms.doubt {
                if stage.alone >= self.terms.alone {
                    return Move::Found(self.components(&stage.found));
                }
                top
            } else if atom != top && probability >= ACCEPTANCE {
                let above = Stage::above(&self.weights, atom);
                if stage.denied.contains(&above) && stage.hit(&self.weights, &belief, above) <= self.terms.doubt {
                    self.go_on(atom, 1.0 - probability);
                    continue;
                }
                above
            } else {
                stage.best_cut(&self.weights, &belief, self.terms.channel, CERTIFICATE)
            };
            if !self.carry_over(cut, memo) {
                self.pending = Some(cut);
            }
        }
    }

    /// Takes in the answer to the question that is open.
    pub(crate) fn answer(&mut self, dropped: bool) {
        let positive = match self.sought {
            Sought::Blocking => dropped,
            Sought::Lifting => !dropped,
        };
        if let (Some(cut), Some(stage)) = (self.pending.take(), self.stages.last_mut()) {
            stage.update(&self.weights, self.terms.channel, cut, positive);
        }
    }

    /// Answers a question from other answers, where it follows from them.
    fn carry_over(&mut self, cut: Cut, memo: &Memo) -> bool {
        // Where a delivery is no proof, what carries over within a stage would be counted twice.
        if self.sought == Sought::Lifting || self.terms.carry.delivered > 1 {
            return false;
        }
        let question = self.question(cut);
        let alone = cut == Stage::top(&self.weights);
        let positive = if memo.delivered_around(&question, 1) {
            false
        } else if !alone && memo.drops_inside(&question) >= self.terms.carry.dropped {
            true
        } else {
            return false;
        };
        let Some(stage) = self.stages.last_mut() else { return false };
        if stage.implied.contains(&cut) {
            return false;
        }
        stage.implied.push(cut);
        stage.update(&self.weights, self.terms.channel, cut, positive);
        true
    }

    fn go_on(&mut self, atom: Cut, doubt: f64) {
        let Some(stage) = self.stages.last_mut() else { return };
        stage.accepted = Some(atom);
        let mut found = stage.found.clone();
        found.push(atom);
        let doubt = doubt.clamp(1e-9, 0.5);
        let next = if let Some(at) = self.left.iter().position(|left| left.found == found) {
            let mut again = self.left.swap_remove(at);
            again.reenter(&self.weights, doubt);
            again
        } else {
            Stage::new(found, doubt, self.counts, &self.weights, true)
        };
        self.stages.push(next);
    }

    fn go_back(&mut self, refuted: f64) {
        let (Some(stage), Some(before)) = (self.stages.pop(), self.stages.last_mut()) else { return };
        let odds = |p: f64| p / (1.0 - p).max(1e-12);
        let gained = libm::log(odds(refuted.min(1.0 - 1e-9)) / odds(stage.doubt));
        if let Some(atom) = before.accepted.take() {
            before.discredit(&self.weights, atom, gained);
        }
        self.left.push(stage);
    }

    fn components(&self, found: &[Cut]) -> Vec<Span> {
        found.iter().map(|atom| self.rows.span(atom.row, atom.length)).collect()
    }

    /// The fragments of a cut's question, in the order of the text.
    fn question(&self, cut: Cut) -> Vec<Span> {
        let found = self.stages.last().map(|stage| stage.found.as_slice()).unwrap_or_default();
        let mut fragments = self.base.clone();
        fragments.extend(self.components(found));
        if cut.row < self.rows.len() {
            if cut.length < self.rows.limit(cut.row) {
                fragments.push(self.rows.span(cut.row, cut.length));
                fragments.extend(self.rows.from(cut.row + 1));
            } else {
                fragments.extend(self.rows.from(cut.row));
            }
        }
        fragments
    }

    /// Whether the open question is the combination alone.
    pub(crate) fn asks_alone(&self) -> bool {
        self.pending == Some(Stage::top(&self.weights))
    }

    /// The components that the search stands on, and the part of the text where the next one is.
    pub(crate) fn standing(&self) -> (Vec<Span>, Option<Span>) {
        let Some(stage) = self.stages.last() else { return (Vec::new(), None) };
        let belief = stage.belief(&self.weights);
        let (low, _) = stage.quantile(&self.weights, &belief, 1.0 - OUTSIDE);
        let (high, _) = stage.quantile(&self.weights, &belief, OUTSIDE);
        let rows = self.rows.len();
        let window = (low.row < rows).then(|| {
            let start = self.rows.at(low.row);
            let end = if high.row < rows {
                self.rows.at(high.row) + self.rows.limit(high.row).min(high.length.max(WINDOW))
            } else {
                self.rows.at(rows - 1) + 1
            };
            Span::new(start, end.max(start + 1))
        });
        (self.components(&stage.found), window)
    }
}
