//! Accounts and venues, and the dense indices that stand for them.

use lacuna_model::{AccountId, CountryCode, VenueKind};

use super::draws::Key;
use super::network::Path;
use super::rules::RuleMask;

/// An account of a [`World`](super::World), numbered from 0 in the order of adding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Member(pub u32);

impl Member {
    /// The number as an index.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

/// A venue of a [`World`](super::World), numbered from 0 in the order of adding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place(pub u32);

impl Place {
    /// The number as an index.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

/// What the platform knows of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountProfile {
    /// Its name on the platform; a rule's `sender` and `recipient` mean this.
    pub id: AccountId,
    /// Where it was registered.
    pub registered_in: CountryCode,
    /// Where it connects from. No rule asks for it yet.
    pub located_in: CountryCode,
}

/// An account with what was worked out about it in advance.
pub(super) struct AccountRecord {
    pub(super) profile: AccountProfile,
    /// The rules whose conditions on the sender it meets.
    pub(super) as_sender: RuleMask,
    /// The rules whose conditions on the recipient it meets.
    pub(super) as_recipient: RuleMask,
}

/// A venue as it was opened.
pub(super) struct Venue {
    pub(super) kind: VenueKind,
    pub(super) members: Vec<Member>,
    /// Which venue of this kind with these members it is, from 0.
    pub(super) ordinal: u32,
}

/// A venue with what was worked out about it in advance.
pub(super) struct VenueRecord {
    pub(super) venue: Venue,
    /// The rules whose conditions on the venue it meets.
    pub(super) rules: RuleMask,
    /// For each member, in the order of `members`, what it sends on; made at its first message.
    pub(super) channels: Vec<Option<Channel>>,
}

/// One sender in one venue: the paths to everybody else there. All of them have seen the same number of messages.
pub(super) struct Channel {
    /// For draws that are made once a message.
    pub(super) key: Key,
    /// Messages taken up so far.
    pub(super) sent: u64,
    /// One path for each other member.
    pub(super) paths: Vec<Path>,
}
