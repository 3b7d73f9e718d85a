//! Questions, and where they can be asked.

use lacuna_model::{AccountIx, ArmIx, ChannelIx, ItemIx, Study, Unit};

/// Index of a question.
pub(super) type QuestionIx = u32;

/// Index of a route.
pub(super) type RouteIx = u32;

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
    /// What is thought of its class has learned from it.
    pub learned: bool,
}

/// Where a question can be asked: the channels of one arm, one per sender, that reach the same recipients.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub arm: ArmIx,
    pub channels: Vec<ChannelIx>,
    pub recipients: Vec<AccountIx>,
}

impl Route {
    /// What a question on this route is about.
    pub fn units(&self, item: ItemIx) -> impl Iterator<Item = Unit> + '_ {
        self.recipients.iter().map(move |recipient| Unit { item, arm: self.arm, recipient: *recipient })
    }
}

/// The channels of each arm, grouped by whom they reach.
pub(super) fn routes(study: &Study) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for (arm, it) in (0u16..).map(ArmIx).zip(&study.arms) {
        let first = routes.len();
        for channel in &it.channels {
            let recipients = &study.channel(*channel).recipients;
            match routes[first..].iter_mut().find(|route| route.recipients == *recipients) {
                Some(route) => route.channels.push(*channel),
                None => routes.push(Route { arm, channels: vec![*channel], recipients: recipients.clone() }),
            }
        }
    }
    routes
}
