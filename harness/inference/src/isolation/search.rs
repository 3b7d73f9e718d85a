//! The search as a state machine: a question, its answer, the next question.

use std::ops::Range;

use super::chain::{Chain, Move, Sought, Terms};
use super::channel::Channel;
use super::memo::Memo;
use super::prior::Prior;
use super::text::{Span, Text};

/// What became of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The signal: dropped (or refused, masked, retracted).
    Dropped,
    /// It arrived as it was sent.
    Delivered,
}

/// Fragments of the text to be sent in one message, joined by the platform's separator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// Byte ranges of whole grapheme clusters, in the order in which they are sent. They may overlap.
    pub fragments: Vec<Range<usize>>,
}

/// How sure, and how far.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Options {
    /// Upper bound of the share of messages lost although nothing blocks them.
    pub loss: f64,
    /// Rate at which a combination that does not block may be called one.
    pub false_positive_rate: f64,
    /// Probability left to all other explanations.
    pub doubt: f64,
    /// Upper bound of the share of blocked messages that arrive all the same.
    pub leak: f64,
    /// Most questions.
    pub budget: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { loss: 0.001, false_positive_rate: 0.001, doubt: 1e-4, leak: 1e-4, budget: 500 }
    }
}

/// A search.
pub struct Search {
    text: Text,
    memo: Memo,
    chain: Chain,
    asked: u32,
    open: Option<Vec<Span>>,
    /// Found.
    pub found: Option<Vec<Range<usize>>>,
    budget: u32,
}

impl Search {
    /// A search.
    #[must_use]
    pub fn new(text: &str, prior: &Prior, options: &Options) -> Self {
        let text = Text::new(text);
        let loss = options.loss.max(1e-9);
        let ratio = libm::log(options.false_positive_rate) / libm::log(loss);
        let terms = Terms {
            channel: Channel::blocking(loss, options.leak),
            alone: (libm::ceil(ratio - 1e-9) as u32).max(1),
            doubt: options.doubt,
            proving: (libm::ceil(libm::log(1e-6) / libm::log(loss)) as u32).max(1),
        };
        let chain = Chain::new(&text, &[text.whole()], Vec::new(), Sought::Blocking, prior, terms, loss.min(0.5));
        Self { text, memo: Memo::default(), chain, asked: 0, open: None, found: None, budget: options.budget }
    }

    /// The next question; none at the end.
    pub fn next_question(&mut self) -> Option<Question> {
        if self.asked >= self.budget { return None; }
        match self.chain.advance(&self.memo) {
            Move::Ask(fragments) => {
                let question = Question { fragments: fragments.iter().map(|span| self.text.bytes(*span)).collect() };
                self.open = Some(fragments);
                Some(question)
            }
            Move::Found(spans, _) => {
                self.found = Some(spans.iter().map(|span| self.text.bytes(*span)).collect());
                None
            }
            Move::Absent => None,
        }
    }

    /// Answer.
    pub fn answer(&mut self, answer: Answer) {
        if let Some(open) = self.open.take() {
            self.asked += 1;
            self.memo.add(open, answer == Answer::Dropped);
            self.chain.answer(answer == Answer::Dropped);
        }
    }
}
