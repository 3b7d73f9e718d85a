//! What has been asked, and what was answered.

use std::collections::BTreeMap;

use super::text::Span;

/// Answers to one question.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Answers {
    /// Times that it was dropped.
    pub dropped: u32,
    /// Times that it was delivered.
    pub delivered: u32,
}

/// All answers of a search so far. Where more text can only block more, they carry over between questions.
#[derive(Clone, Default, Debug)]
pub(crate) struct Memo {
    asked: BTreeMap<Vec<Span>, Answers>,
}

impl Memo {
    pub(crate) fn add(&mut self, question: Vec<Span>, dropped: bool) {
        let answers = self.asked.entry(question).or_default();
        if dropped { answers.dropped += 1 } else { answers.delivered += 1 }
    }

    pub(crate) fn of(&self, question: &[Span]) -> Answers {
        self.asked.get(question).copied().unwrap_or_default()
    }

    /// A delivered question that holds all of this one.
    pub(crate) fn delivered_around(&self, question: &[Span]) -> Option<&[Span]> {
        self.asked.iter().find(|(asked, answers)| answers.delivered > 0 && holds(asked, question)).map(|(asked, _)| asked.as_slice())
    }

    /// Drops of the question inside this one that was dropped most often.
    pub(crate) fn drops_inside(&self, question: &[Span]) -> u32 {
        let inside = self.asked.iter().filter(|(asked, answers)| answers.delivered == 0 && holds(question, asked));
        inside.map(|(_, answers)| answers.dropped).max().unwrap_or(0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Vec<Span>, &Answers)> {
        self.asked.iter()
    }
}

/// Whether every fragment of `inner` lies in one of `outer`.
pub(crate) fn holds(outer: &[Span], inner: &[Span]) -> bool {
    inner.iter().all(|span| outer.iter().any(|of| of.covers(*span)))
}
