//! What goes in and what comes out of a search.

use std::ops::Range;

/// What became of a question. A question whose fate is void is simply asked again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The signal: dropped; or refused, masked, retracted, where that is what is searched for.
    Dropped,
    /// It arrived as it was sent.
    Delivered,
}

/// Why a question is asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A rule of an earlier list, or a combination found here, alone: its drops convict.
    Alone,
    /// A cut of the text.
    Cut,
    /// A combination without part of one component: delivered, it is a certificate.
    Certificate,
    /// A combination in the reverse order.
    Order,
    /// The text with what was found broken: whether there is more.
    Broken,
    /// A combination and part of a text in which it passes: what lifts the block.
    Lifting,
}

/// Fragments of the text to be sent in one message, joined by the platform's separator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The n-th of this search, from 1.
    pub number: u32,
    /// Why it is asked.
    pub kind: Kind,
    /// Byte ranges of whole grapheme clusters, in the order in which they are sent. They may overlap.
    pub fragments: Vec<Range<usize>>,
}

/// What a search begins with.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Start {
    /// The whole text is blocked.
    #[default]
    Blocked,
    /// The whole text passes although it holds a rule that blocks: what lifts it is sought.
    Passes,
}

/// How sure, and how far. Each switch is one of its own.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::struct_excessive_bools)]
pub struct Options {
    /// What became of the whole text.
    pub start: Start,
    /// Upper bound of the share of messages lost although nothing blocks them.
    pub loss: f64,
    /// Upper bound of the share of blocked messages that arrive all the same.
    pub leak: f64,
    /// Rate at which a combination that does not block may be called one.
    pub false_positive_rate: f64,
    /// Probability left to all other explanations.
    pub doubt: f64,
    /// Whether all rules in the text are sought, or only one.
    pub all: bool,
    /// Whether it is asked if the order of the components matters.
    pub order: bool,
    /// Whether it is asked of each of several rules if it blocks in the whole text too, the others broken: a rule that something
    /// else in the text lifts does not.
    pub exceptions: bool,
    /// Whether the components found are broken at their beginnings and again at their ends before a text counts as searched, so
    /// that a rule whose only occurrence overlaps one of them survives. Else they are broken once, at a word border.
    pub overlaps: bool,
    /// Most questions.
    pub budget: u32,
    /// Rules that are likely to be in force, such as those found in other texts of the same run: tried first, each alone, where the text
    /// holds them.
    pub known: Vec<Vec<String>>,
    /// Rules of earlier lists and runs: of those that the text holds many are tried in one message, and by halves where it is dropped.
    pub listed: Vec<Vec<String>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            start: Start::Blocked,
            loss: 0.001,
            leak: 1e-4,
            false_positive_rate: 0.001,
            doubt: 1e-4,
            all: true,
            order: true,
            exceptions: true,
            overlaps: false,
            budget: 1000,
            known: Vec::new(),
            listed: Vec::new(),
        }
    }
}

/// How the components of a rule must stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matching {
    /// In any order (of one word: as it is).
    AnyOrder,
    /// Only in the order of the text: in the reverse order it was delivered.
    Ordered,
    /// One component of several words that blocks only as written: the words apart were delivered.
    Adjacent,
    /// Several components, and their order was not asked about.
    Unknown,
}

/// One rule in a text.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// Its components in the order of the text, byte ranges.
    pub components: Vec<Range<usize>>,
    /// Combinations whose presence lifts the block, byte ranges in the text.
    pub unless: Vec<Vec<Range<usize>>>,
    /// How the components must stand.
    pub matching: Matching,
    /// Times that the combination was dropped alone.
    pub dropped_alone: u32,
    /// Whether something delivered shows for each component that it is needed, from its first character to its last.
    pub needed: bool,
    /// Whether the combination alone was dropped as often as the error rate asks, and something delivered shows for each
    /// component that it is needed, from its first character to its last.
    pub certified: bool,
    /// Questions asked when it was found.
    pub messages: u32,
}

/// How a search ended, or that it has not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Questions are left.
    Open,
    /// Every rule in the text is found: with each smallest way of breaking all of them, the text is delivered.
    Complete,
    /// One rule is found, and no more was asked for.
    First,
    /// Nothing in the text blocks; or, where it passes, nothing in it lifts a block.
    Nothing,
    /// The budget is spent.
    Exhausted,
}

/// What is known.
#[derive(Clone, PartialEq, Debug)]
pub struct Findings {
    /// How the search stands.
    pub status: Status,
    /// The rules.
    pub rules: Vec<Found>,
    /// Questions asked.
    pub messages: u32,
    /// A combination was blocked that passes inside a larger part of the text.
    pub non_monotone: bool,
    /// Components of a combination that the search was at when it ended: believed, not certified.
    pub candidate: Vec<Range<usize>>,
    /// Where the next component of that combination is.
    pub window: Option<Range<usize>>,
}
