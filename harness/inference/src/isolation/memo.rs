//! What has been asked, and what was answered.

use std::collections::BTreeMap;

use super::text::Span;

/// Answers to one question.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Answers {
    pub(crate) dropped: u32,
    pub(crate) delivered: u32,
    /// Whether it was delivered although it holds a rule: then it says nothing about its parts.
    pub(crate) lifted: bool,
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

    /// Whether this question would be delivered because one that holds all of it was, `times` times; where once is not enough, each
    /// drop of that one takes a delivery away.
    pub(crate) fn delivered_around(&self, question: &[Span], times: u32) -> bool {
        let proven = |answers: &Answers| answers.delivered >= if times > 1 { times + answers.dropped } else { times };
        self.asked.iter().any(|(asked, answers)| proven(answers) && !answers.lifted && holds(asked, question))
    }

    /// Drops of the question inside this one that was dropped most often.
    pub(crate) fn drops_inside(&self, question: &[Span]) -> u32 {
        let inside = self.asked.iter().filter(|(asked, answers)| answers.delivered == 0 && holds(question, asked));
        inside.map(|(_, answers)| answers.dropped).max().unwrap_or(0)
    }

    /// Questions that were delivered and not yet marked as lifted.
    pub(crate) fn delivered(&self) -> impl Iterator<Item = &Vec<Span>> {
        self.asked.iter().filter(|(_, answers)| answers.delivered > 0 && !answers.lifted).map(|(asked, _)| asked)
    }

    pub(crate) fn mark_lifted(&mut self, question: &[Span]) {
        if let Some(answers) = self.asked.get_mut(question) {
            answers.lifted = true;
        }
    }
}

/// Whether every fragment of `inner` lies in one of `outer`.
fn holds(outer: &[Span], inner: &[Span]) -> bool {
    inner.iter().all(|span| outer.iter().any(|of| of.covers(*span)))
}
