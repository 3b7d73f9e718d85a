//! The search for what is blocked in one message.

use super::question::QuestionIx;

/// Index of a hunt.
pub(super) type HuntIx = u32;

/// What a hunt sends next, or waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Items about which nothing is known.
    Root,
    /// A part of what was dropped.
    Part,
    /// What was dropped, less what passes, because it was probably lost.
    Again,
    /// What was dropped although all its parts pass.
    Certificate,
    /// One item, alone: asked by its own question.
    Single(QuestionIx),
}

/// What became of a message with several items.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// It arrived as it was sent, for everybody.
    Passed,
    /// It did not, for somebody.
    Caught,
    /// Nothing is known.
    Nothing,
}

/// A set that was sent and dropped.
#[derive(Clone, Debug)]
pub(super) struct Level {
    /// Exactly what was sent.
    pub content: Vec<QuestionIx>,
    /// What of it is not cleared yet.
    pub suspects: Vec<QuestionIx>,
    pub drops: u32,
}

/// The search for what is blocked in one message.
#[derive(Clone, Debug)]
pub(super) struct Hunt {
    pub levels: Vec<Level>,
    pub step: Step,
    /// What is sent in this step.
    pub message: Vec<QuestionIx>,
    /// Outcomes still missing of the message under way.
    pub open: u16,
    pub fruitless: u32,
}

impl Hunt {
    /// The how-manieth send of this content.
    pub fn attempt(&self) -> u32 {
        match (self.step, self.levels.last()) {
            (Step::Again | Step::Certificate, Some(level)) if level.content == self.message => level.drops + 1,
            _ => self.fruitless + 1,
        }
    }
}

/// What follows from an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// The hunt has a message to send.
    Message,
    /// The hunt waits for one item, which is to be asked alone.
    Alone(QuestionIx),
    /// The hunt is over.
    Over,
    /// Nothing can be learned of this message: its items are to be asked alone.
    GiveUp(Vec<QuestionIx>),
}

/// How many of the suspects make the first part: about half of the chance that something is blocked. Of three one is taken, and
/// asked alone: it costs the same, and a drop is then its own.
pub(super) fn half(suspects: &[QuestionIx], none: f64, ln_pass: impl Fn(&QuestionIx) -> f64) -> usize {
    if suspects.len() <= 3 {
        return 1;
    }
    let mut sum = 0.0;
    for (count, question) in (1..).zip(suspects) {
        let next = sum + ln_pass(question);
        if next <= none / 2.0 {
            // The nearer of the two.
            let nearer = if none / 2.0 - next < sum - none / 2.0 { count } else { count - 1 };
            return nearer.clamp(1, suspects.len() - 1);
        }
        sum = next;
    }
    suspects.len() - 1
}
