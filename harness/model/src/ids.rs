//! Identifiers: names that a person chose, and the dense indices that stand for them inside a run.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Takes the name as it was written; the readers of the files check its form.
            #[must_use]
            pub fn new(name: impl Into<Arc<str>>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl From<&str> for $type {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }
    };
}

name!(
    /// The pseudonym of an account. Results show nothing else of it.
    AccountId
);
name!(
    /// An arm of an experiment: some senders, some recipients, one venue.
    ArmId
);
name!(
    /// An item of a corpus, `<corpus id>/<item_id>` inside a run. Never reused.
    ItemId
);
name!(
    /// One place where messages are exchanged: a conversation, a group, a feed.
    VenueId
);
name!(
    /// One run, the name of its folder.
    RunId
);

macro_rules! index {
    ($(#[$doc:meta])* $type:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(pub $int);

        impl $type {
            /// The index into the table of a [`Study`](crate::Study).
            #[must_use]
            pub fn get(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(
    /// Index into `Study::accounts`.
    AccountIx(u16)
);
index!(
    /// Index into `Study::arms`.
    ArmIx(u16)
);
index!(
    /// Index into `Study::items`.
    ItemIx(u32)
);
index!(
    /// Index into `Study::venues`.
    VenueIx(u16)
);
index!(
    /// Index into `Study::channels`.
    ChannelIx(u16)
);

/// One send. Probes are numbered from 0 in the order in which they were planned; a number is never used twice in a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProbeId(pub u64);

impl ProbeId {
    /// The number as an index.
    #[must_use]
    pub fn get(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{:07}", self.0)
    }
}

/// One search for what in a text is blocked. Searches are numbered from 0 in the order in which they were begun.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SearchIx(pub u32);

impl SearchIx {
    /// The number as an index.
    #[must_use]
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

/// The place of an entry in the journal, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntrySequence(pub u64);
