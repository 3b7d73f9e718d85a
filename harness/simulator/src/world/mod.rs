//! The platform itself, without I/O and without a clock: accounts, venues, a policy that filters, and a network that
//! loses, delays, doubles and reorders.
//!
//! # What is promised
//!
//! - *Fates belong to paths.* A path is (sender, venue, recipient). Every random choice is drawn from a hash of
//!   (seed, path, how-manieth message of that path, purpose) and never in order of arrival, so the same messages on a path
//!   have the same fate whatever happens elsewhere. A message counts on a path once the platform took it up, that is, when
//!   it was accepted or refused by a rule; a message that met an outage, a rate limit or a suspension does not.
//! - *Names, not indices, are hashed*, so that the order in which accounts and venues were added does not matter. Of several
//!   venues of one kind with the same members the how-manieth counts.
//! - *The sender gets no delivery of its own message.*
//!
//! # What decides over a message
//!
//! In this order: an outage of kind `down`; the sender's suspension; the rate limit; membership; then the rules, for each
//! recipient the first that applies (all components in the text, no `unless` in it, the conditions hold, and the enforcement
//! draw falls below the share). `refuse` stops the message for everybody if it decides for any recipient, with one draw a
//! message; the other actions concern the recipient alone. Then suppression of the sender, an outage of kind `black-hole`,
//! and the network.

mod draws;
mod exchange;
mod files;
mod matching;
mod members;
mod network;
mod outages;
mod rules;
mod sanctions;
#[cfg(test)]
mod tests;

pub use exchange::{Delivery, MessageNumber, NOTICE_REFUSED, NOTICE_SUSPENDED, Submission, World};
pub use files::{DeliveredFile, Upload, finds};
pub use members::{AccountProfile, Member, Place};
