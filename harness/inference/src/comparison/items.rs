//! Items that changed, whatever the arm and whoever the recipient.
//!
//! A rule mostly hits an item on several arms and for several recipients at once, each of which says it with sends of its own. That an item changed
//! *somewhere* can therefore be certain although no single unit of it is. The hypothesis is that no unit of the item changed. It is bet
//! against in both directions, "blocked now" and "no longer blocked", with half of the stake each. In one direction a unit has the smaller of
//! its two sides' e-values, so that it is one whether the unit passes in both runs or is blocked in both; units whose recipients are reached
//! by one message are averaged; and routes have sends of their own, of which each is bet on with half of what is at stake, as a rule need not hit
//! all of them: the product of (1 + e) / 2 is an e-value too (Vovk and Wang, Annals of Statistics 49 (2021)).

use std::collections::BTreeMap;

use lacuna_model::{AccountId, ArmId, ItemId, VenueKind, Verdict};
use libm::{exp, log, log1p};

use super::observed::{Conditions, Observed};
use super::snapshot::UnitKey;

/// Whom one message reaches: in a conversation one recipient, else everybody on the arm.
pub(super) type Route = (ArmId, Option<AccountId>);

/// Where the messages of a unit go.
pub(super) fn route(unit: &UnitKey, venue: VenueKind) -> Route {
    let recipient = (venue == VenueKind::Direct).then(|| unit.path.recipient.clone());
    (unit.path.arm.clone(), recipient)
}

/// The evidence for a change of one item in one newer run.
#[derive(Default)]
pub(super) struct ItemEvidence {
    /// Per route: the logarithms of its units' e-values, for "blocked now" and for "no longer blocked".
    routes: BTreeMap<Route, [Vec<f64>; 2]>,
}

impl ItemEvidence {
    /// Adds a unit that was seen in both runs, under these conditions.
    pub fn add(&mut self, route: Route, (before, were): (&Observed, Conditions), (after, are): (&Observed, Conditions)) {
        let told = |it: &Observed| matches!(it.verdict, Verdict::Refused | Verdict::Altered | Verdict::Retracted);
        let directions = if before.verdict != after.verdict && told(before) && told(after) {
            // What the platform says of itself is taken for what it is.
            [f64::INFINITY; 2]
        } else {
            [before.passing(were).min(after.blocked()), before.blocked().min(after.passing(are))]
        };
        let known = self.routes.entry(route).or_default();
        for (known, ln_e) in known.iter_mut().zip(directions) {
            known.push(ln_e);
        }
    }

    /// The logarithm of the item's e-value.
    pub fn ln_e(&self) -> f64 {
        // ln((1 + e) / 2), for an e that may be beyond what a number holds.
        let half = |ln_e: f64| if ln_e > 500.0 { ln_e } else { log1p(exp(ln_e)) } - core::f64::consts::LN_2;
        let several = self.routes.len() > 1;
        let direction = |place: usize| -> f64 {
            let routes = self.routes.values().map(|directions| mean(&directions[place]));
            routes.map(|ln_e| if several { half(ln_e) } else { ln_e }).sum()
        };
        mean(&[direction(0), direction(1)])
    }
}

/// The logarithm of the mean.
fn mean(ln_e: &[f64]) -> f64 {
    let greatest = ln_e.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if greatest.is_infinite() {
        return greatest;
    }
    greatest + log(ln_e.iter().map(|ln| exp(ln - greatest)).sum::<f64>() / ln_e.len() as f64)
}

/// An item, in a newer run.
pub(super) type ItemKey = (usize, ItemId);
