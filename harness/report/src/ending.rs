//! How a run ended, for what is told to a CI service.

/// How a command that runs an experiment ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending<'a> {
    /// Everything that could be decided is.
    Done,
    /// Nothing can be concluded.
    Inconclusive,
    /// A safety rule stopped it.
    Safety,
    /// The researcher stopped it.
    Interrupted,
    /// The harness or what it was given was at fault: the sentences that say how, one or more.
    Failed(&'a [String]),
}

impl Ending<'_> {
    /// In words, for a heading.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Inconclusive => "nothing can be concluded",
            Self::Safety => "stopped by a safety rule",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "failed",
        }
    }
}
