//! Where a question can be asked.

use lacuna_model::{AccountIx, ArmIx, ChannelIx, ItemIx, Study, Unit};

/// Index of a route.
pub type RouteIx = u32;

/// Channels of one arm, one per sender, that reach the same recipients: what can be asked on one can be asked on each.
#[derive(Clone, Debug)]
pub struct Route {
    /// The arm.
    pub arm: ArmIx,
    /// One per sender.
    pub channels: Vec<ChannelIx>,
    /// Whom each of them reaches.
    pub recipients: Vec<AccountIx>,
}

impl Route {
    /// What a question on this route is about.
    pub fn units(&self, item: ItemIx) -> impl Iterator<Item = Unit> + '_ {
        self.recipients.iter().map(move |recipient| Unit { item, arm: self.arm, recipient: *recipient })
    }
}

/// Per channel of the study: its route.
#[must_use]
pub fn route_of(study: &Study, routes: &[Route]) -> Vec<RouteIx> {
    let mut route_of = vec![0; study.channels.len()];
    for (index, route) in (0..).zip(routes) {
        for channel in &route.channels {
            route_of[channel.get()] = index;
        }
    }
    route_of
}

/// The channels of each arm, grouped by whom they reach.
#[must_use]
pub fn routes(study: &Study) -> Vec<Route> {
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
