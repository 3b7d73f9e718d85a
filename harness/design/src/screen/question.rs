//! Questions.

use lacuna_model::ItemIx;

use lacuna_inference::routes::RouteIx;

/// Index of a question.
pub(super) type QuestionIx = u32;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// In the hands of the pools of its route.
    Pooled,
    /// To be asked alone: in the queue of a channel.
    Queued,
    /// Asked alone; a probe is under way or not yet judged.
    Asked,
    /// Answered for every recipient.
    Answered,
    /// Asked often enough, or nobody is left to ask through.
    GivenUp,
}

/// An item on an arm: in a conversation for one recipient, in a group for all at once.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub item: ItemIx,
    pub route: RouteIx,
    /// Which sender of the route asks next.
    pub turn: u16,
    /// Outcomes still missing of the probe under way.
    pub open: u16,
    /// Sends alone that the platform may have taken.
    pub attempts: u32,
    /// The hunt that waits for what becomes of it, alone.
    pub hunt: Option<u32>,
    pub stage: Stage,
    /// Only what it does alone answers it: it was cleared in a pool and is audited, or pools are no longer believed.
    pub alone: bool,
    /// An earlier run found it blocked for somebody: it is asked alone from the start.
    pub known: bool,
    /// What is thought of its class has learned from it.
    pub learned: bool,
}
