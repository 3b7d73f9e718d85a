//! What changed from run to run: which items became blocked, are no longer blocked, or are blocked in another way.
//!
//! Two verdicts that differ are not yet a change. One of the two may be wrong: what is called dropped may only have been lost, and what
//! arrived may have slipped through a filter that acts as good as always. A change from a state *s* to a state *t* is therefore
//! claimed against two hypotheses at once, each with an e-value over the sends of the other run:
//!
//! - it was *t* before already: the older run's sends against *t* ([`against`](Observed::against));
//! - it is *s* still: the newer run's sends against *s*.
//!
//! A drop speaks against "passes" by its e-value ([`sequential`](crate::sequential)), an arrival against a filter by the share of messages that
//! such a filter lets through ([`Conditions::leak`]): at most one in a thousand, or more where a run has seen more. An arrival among other items counts
//! as one alone, unless something of them is convicted ([`company`](crate::company)). What the platform says itself (a refusal, an
//! alteration, a retraction) excludes every other state, as it does within a run.
//!
//! **Many units.** A false change of the first kind has its unit among those whose newer state is *t*, one of the second kind among
//! those whose older state was *s*. The false discovery rate is divided among these families (delivered or not, on either side: four at most),
//! and [`changes`] claims the R best changes, R as great as possible with every one of them at least
//! `families × family / (level × R)` on both sides. Which units form the family of one run is decided by the other run, so that the expected
//! share of false ones among all that are claimed is at most `level` (Wang and Ramdas, Journal of the Royal Statistical Society B 84
//! (2022), in each family).
//!
//! **Items.** A second list is of items that changed somewhere (`items`), and needs fewer sends; with it, items get three quarters of the level and units one.
//!
//! Runs are compared only where they differ in time alone: the same message, arm, clients, adapter and engine, and no demonstrable difference in
//! the loss of controls (`comparable`).

mod changes;
mod comparable;
mod items;
mod lifetimes;
mod observed;
mod retest;
mod snapshot;

pub use changes::{ChangeRecord, changes};
pub use lifetimes::{Lifetime, lifetimes};
pub(crate) use observed::against_a_filter;
pub use observed::{Conditions, LEAK, Observed};
pub use retest::{Retest, SHARE_OF_A_MESSAGE, State, USUAL_DAYS, retest};
pub use snapshot::{ArmFacts, Facts, Party, PathKey, Snapshot, UnitKey};
