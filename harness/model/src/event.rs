//! Facts and decisions: what a journal consists of.
//!
//! A *fact* is something that happened. A *decision* is something that the engine chose because of the facts before it.
//! Outcomes and verdicts are neither: they are derived, and never journaled.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::file::ReceivedFile;
use crate::ids::{AccountIx, ArmIx, ChannelIx, ItemIx, ProbeId, SearchIx, VenueIx};
use crate::invocation::Invocation;
use crate::outcome::{Purpose, Signal};
use crate::study::Role;
use crate::time::Duration;

/// The name of a message on its platform, the same on both sides.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlatformMessageId(pub Arc<str>);

/// How far an account's stream of observations was read. Only the adapter that made it can read it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub Arc<str>);

/// One entry of a journal behind its header.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    /// Something happened.
    Fact(Fact),
    /// The engine chose.
    Decision(Decision),
}

/// Something that happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Fact {
    /// The accounts listen and the run starts (epoch 0) or goes on after a stop (1, 2, …). What was open is void.
    EpochOpened {
        /// Counted from 0.
        epoch: u32,
        /// What each account of the study had already sent on this UTC day, by the ledger.
        sent_today: Vec<u64>,
        /// With what the run was gone on with; `None` for epoch 0, which is begun by what the journal's first line names, and where it is
        /// not known.
        resumed_by: Option<Arc<Invocation>>,
    },
    /// A message was handed to the platform. On disk before the first byte leaves.
    SendStarted {
        /// The probe.
        probe: ProbeId,
        /// Exactly what was handed over.
        text: Arc<str>,
    },
    /// How the hand-over ended.
    SendResult {
        /// The probe.
        probe: ProbeId,
        /// How.
        result: SendResult,
    },
    /// A receiving session saw something.
    Observed(Observation),
    /// The condition of an account changed.
    AccountState {
        /// Which account.
        account: AccountIx,
        /// Its new condition.
        condition: AccountCondition,
        /// In the platform's words.
        detail: String,
    },
    /// A wait that the engine had asked for is over.
    DeadlinePassed(Deadline),
    /// A receiving session may have missed something.
    Gap {
        /// The account that was listening.
        account: AccountIx,
        /// Why.
        detail: String,
    },
    /// The researcher asked for an end (Ctrl-C).
    StopRequested,
}

/// How handing a message to the platform ended.
#[derive(Clone, PartialEq, Debug)]
pub enum SendResult {
    /// The platform told the sender that all is well.
    Accepted {
        /// The message's name, where the platform gives one that recipients see too.
        platform_id: Option<PlatformMessageId>,
    },
    /// The platform told the sender that it does not take the message.
    Refused {
        /// In its words.
        notice: String,
    },
    /// The account sends too fast.
    RateLimited {
        /// How long the platform asks to wait.
        retry_after: Duration,
    },
    /// Certain: nothing left.
    NotSent {
        /// Why.
        error: String,
    },
    /// The message may or may not have left.
    Unknown {
        /// Why.
        error: String,
    },
}

/// What a receiving session saw.
#[derive(Clone, PartialEq, Debug)]
pub struct Observation {
    /// Whose session.
    pub recipient: AccountIx,
    /// Who sent it; `None` for somebody who is not in the experiment, of whom nothing else is kept.
    pub sender: Option<AccountIx>,
    /// Where; `None` where the place is not in the experiment.
    pub venue: Option<VenueIx>,
    /// What kind of event.
    pub kind: ObservationKind,
    /// The message's name; for an edit or a retraction the name of the message that it is about.
    pub platform_id: Option<PlatformMessageId>,
    /// The text as it was received; `None` for strangers and for events without one.
    pub text: Option<Arc<str>>,
    /// The file that came with it.
    pub file: Option<ReceivedFile>,
    /// How far the stream was read after this.
    pub cursor: Option<Cursor>,
}

/// What kind of event a receiving session saw.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObservationKind {
    /// A message.
    Message,
    /// A message was replaced by another text.
    Edit,
    /// A message was taken away again.
    Retraction,
    /// A word from the platform.
    Notice,
    /// A message of the account's own, shown back to it.
    Echo,
}

impl ObservationKind {
    /// As `received.csv` writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Edit => "edit",
            Self::Retraction => "retraction",
            Self::Notice => "notice",
            Self::Echo => "echo",
        }
    }
}

/// The condition of an account.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountCondition {
    /// Logged in and listening.
    Connected,
    /// The session is gone; the adapter tries to get it back.
    Disconnected,
    /// The platform limited, suspended or logged out the account.
    Sanctioned,
}

impl AccountCondition {
    /// As `accounts.csv` writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Sanctioned => "sanctioned",
        }
    }
}

/// A wait that the engine asked for, named by what it decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Deadline {
    /// The grace of one probe for one recipient: what has not arrived by now is missing.
    Grace {
        /// The probe.
        probe: ProbeId,
        /// The recipient.
        recipient: AccountIx,
    },
    /// A channel waited long enough for arrivals and may send a control.
    Patience {
        /// The channel.
        channel: ChannelIx,
    },
    /// An account may send again.
    Wake {
        /// The account.
        account: AccountIx,
    },
    /// What arrived was there for as long as messages need to be taken away again.
    Settle {
        /// The probe.
        probe: ProbeId,
        /// The recipient.
        recipient: AccountIx,
    },
    /// Late listening is over.
    Listen,
}

/// Something that the engine chose.
#[derive(Clone, PartialEq, Debug)]
pub enum Decision {
    /// Send this next.
    ProbePlanned(Probe),
    /// Look for what in a text is blocked.
    SearchBegun(SearchPlan),
    /// Send nothing more.
    Stopped {
        /// Why.
        reason: StopReason,
    },
}

/// One send, as it was planned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Probe {
    /// Its number.
    pub id: ProbeId,
    /// On which channel: arm, sender, venue, recipients.
    pub channel: ChannelIx,
    /// Why its items are sent.
    pub role: Role,
    /// What the send is for.
    pub purpose: Purpose,
    /// The how-manieth send of this item on this arm, from 1.
    pub attempt: u32,
    /// What it carries: one item alone, or several in one message.
    pub items: Vec<ItemIx>,
    /// A control that stands before an item that is sent alone, so that not every send of it is the same text.
    pub carrier: Option<ItemIx>,
    /// Only these parts of the items' text are sent.
    pub excerpt: Option<Excerpt>,
}

/// Parts of a text, sent in one message with the platform's separator between them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt {
    /// The search that asks.
    pub search: SearchIx,
    /// Byte ranges of the text of the probe's items, in the order in which they are sent. They may overlap.
    pub fragments: Vec<Range<u32>>,
}

impl Excerpt {
    /// The message: the fragments of this text. A range that is not one of whole characters of the text is left out.
    ///
    /// Between them stands the platform's separator; or the end of a line where the text holds the separator itself, which then might
    /// join two fragments to what stood in the text: `left` and `half` to `left half`.
    #[must_use]
    pub fn of(&self, text: &str, separator: &str) -> String {
        let separator = if text.contains(separator) { "\n" } else { separator };
        let part = |range: &Range<u32>| text.get(range.start as usize..range.end as usize);
        self.fragments.iter().filter_map(part).collect::<Vec<_>>().join(separator)
    }
}

/// What the search in one text, on one arm, for one recipient starts from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SearchPlan {
    /// Its number, from 0.
    pub search: SearchIx,
    /// The text: one item, or several that are blocked together.
    pub items: Vec<ItemIx>,
    /// On which arm.
    pub arm: ArmIx,
    /// For whom.
    pub recipient: AccountIx,
    /// How the text is blocked.
    pub signal: Signal,
    /// The share of messages lost that the order of the questions assumes, in parts per million.
    pub loss_ppm: u32,
    /// How long a message must have been there to count as delivered: longer than nothing only where messages are taken away again.
    pub settle: Duration,
    /// Rules, each as its components, that were found in this run and are in this text: tried before anything is searched.
    pub known: Vec<Vec<Arc<str>>>,
}

/// Why nothing more is sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Everything that could be decided is.
    Finished,
    /// The researcher asked for it; the run can be resumed.
    Requested,
    /// `[safety] max-messages` is used up.
    MessageBudget,
    /// An account's messages of the day are used up, and nothing can go on without it.
    DailyBudget,
    /// Too many accounts were sanctioned.
    Sanction,
    /// No path is alive any more.
    NoPathAlive,
}

impl StopReason {
    /// As the journal and the manifest write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Requested => "requested",
            Self::MessageBudget => "message_budget",
            Self::DailyBudget => "daily_budget",
            Self::Sanction => "sanction",
            Self::NoPathAlive => "no_path_alive",
        }
    }
}
