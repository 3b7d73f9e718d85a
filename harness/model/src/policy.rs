//! What the simulator filters, and how bad its network is.

use serde::{Deserialize, Serialize};

use crate::file::GrayFormula;
use crate::ids::AccountId;
use crate::region::CountryCode;
use crate::study::VenueKind;
use crate::time::Duration;

/// A policy file, read and checked.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The rules; the first that acts on a message for a recipient decides.
    pub rules: Vec<Rule>,
    /// The network.
    pub network: Network,
    /// Limits and punishments; `None` means none.
    pub sanctions: Option<Sanctions>,
    /// When the platform is out of order, counted from its start.
    pub outages: Vec<Outage>,
    /// The rules about files; the first that acts on a file for a recipient decides, behind the rules about texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_rules: Vec<FileRule>,
    /// What the platform does to files that it delivers.
    #[serde(default)]
    pub files: FileHandling,
}

/// What a platform does to files that it delivers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FileHandling {
    /// Pictures are encoded anew: no recipient gets the bytes that were sent.
    pub reencode: bool,
    /// Of files with one MD5 the first is stored, and delivered for all.
    pub deduplicate: bool,
}

/// A rule about files.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FileRule {
    /// Its name.
    pub id: String,
    /// What it takes for sensitive.
    pub finds: Finds,
    /// How it acts.
    pub enforces: Enforces,
    /// With an index: how long after a file was sent its hash is known.
    pub learns_after: Duration,
    /// With an index: whose messages are analysed.
    pub analyses: Condition,
    /// Whom and where it acts upon.
    pub when: Condition,
    /// What happens to the message.
    pub action: Action,
    /// For `retract` and `hold`: how long after.
    pub after: Duration,
    /// The share of such messages on which it acts.
    pub enforcement: f64,
}

/// What a rule takes for sensitive: any part that is given suffices.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Finds {
    /// MD5 hashes of files, 32 lower-case hexadecimal digits.
    pub md5: Vec<String>,
    /// All of these stand in the text that can be read in the file.
    pub text: Vec<String>,
    /// How the picture is made grey before its text is read; `None` where colours are seen.
    pub gray: Option<GrayFormula>,
    /// It looks like one of these items, each with its corpus in front.
    pub similar_to: Vec<String>,
    /// One of these stands in its metadata.
    pub metadata: Vec<String>,
    /// One of these stands in its name.
    pub filename: Vec<String>,
}

/// How a rule about files acts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enforces {
    /// By an index of MD5 hashes, fed by analysis.
    Index,
    /// It looks into every file as it passes.
    AtOnce,
}

impl Enforces {
    /// As the policy file writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::AtOnce => "at-once",
        }
    }
}

/// One rule.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// Every component must occur in the text, in any order, overlaps allowed.
    pub all: Vec<String>,
    /// Any of these disables the rule.
    pub unless: Vec<String>,
    /// Whom and where it concerns; an empty condition holds always.
    pub when: Condition,
    /// What happens to the message.
    pub action: Action,
    /// For `retract` and `hold`: how long after.
    pub after: Duration,
    /// The share of matching messages on which it acts.
    pub enforcement: f64,
}

/// Whom and where a rule concerns. Each list is a choice; an empty list means anybody and anywhere; all lists must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Condition {
    /// Where the sender was registered.
    pub sender_registered_in: Vec<CountryCode>,
    /// Where the recipient was registered.
    pub recipient_registered_in: Vec<CountryCode>,
    /// The sender.
    pub sender: Vec<AccountId>,
    /// The recipient.
    pub recipient: Vec<AccountId>,
    /// The kind of venue.
    pub venue: Vec<VenueKind>,
    /// The group has at least one member registered in one of these.
    pub group_has_member_registered_in: Vec<CountryCode>,
}

impl Condition {
    /// Whether messages of this account are meant.
    #[must_use]
    pub fn admits_sender(&self, id: &AccountId, registered_in: CountryCode) -> bool {
        is_choice(&self.sender, id) && is_choice(&self.sender_registered_in, &registered_in)
    }

    /// Whether messages to this account are meant.
    #[must_use]
    pub fn admits_recipient(&self, id: &AccountId, registered_in: CountryCode) -> bool {
        is_choice(&self.recipient, id) && is_choice(&self.recipient_registered_in, &registered_in)
    }

    /// Whether messages in this venue are meant. `group-has-member-registered-in` holds in groups alone, and the sender is a member as
    /// well.
    #[must_use]
    pub fn admits_venue(&self, kind: VenueKind, mut members: impl Iterator<Item = CountryCode>) -> bool {
        let regions = &self.group_has_member_registered_in;
        is_choice(&self.venue, &kind)
            && (regions.is_empty() || kind == VenueKind::Group && members.any(|member| regions.contains(&member)))
    }
}

/// Without choices everything is one.
fn is_choice<T: PartialEq>(choices: &[T], value: &T) -> bool {
    choices.is_empty() || choices.contains(value)
}

/// What a rule does to a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The recipient never gets it; the sender is told that all is well.
    Drop,
    /// The sender is told that it is not taken; nobody gets it.
    Refuse,
    /// The recipient gets it with the components replaced by `***`.
    Mask,
    /// The recipient gets it, and it is taken away again.
    Retract,
    /// The recipient gets it later.
    Hold,
}

impl Action {
    /// As the policy file writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Refuse => "refuse",
            Self::Mask => "mask",
            Self::Retract => "retract",
            Self::Hold => "hold",
        }
    }
}

/// The network between the platform and its recipients.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Network {
    /// The share of deliveries that get lost.
    pub loss: f64,
    /// Mean messages per loss burst (Gilbert–Elliott); 1 means independent losses.
    pub burst_length: f64,
    /// Median of the delay.
    pub delay_median: Duration,
    /// 99th percentile of the delay (log-normal between the two).
    pub delay_p99: Duration,
    /// The share of deliveries that come twice.
    pub duplicate: f64,
    /// The share of deliveries that are overtaken by later ones.
    pub reorder: f64,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            loss: 0.0,
            burst_length: 1.0,
            delay_median: Duration::ZERO,
            delay_p99: Duration::ZERO,
            duplicate: 0.0,
            reorder: 0.0,
        }
    }
}

/// Limits and punishments.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Sanctions {
    /// After so many messages of an account that a rule acted on, everything it sends is silently dropped.
    pub suppress_after_hits: Option<u64>,
    /// After each message of an account that a rule acted on, so many of its next messages are silently dropped.
    #[serde(default)]
    pub carry_over_messages: Option<u64>,
    /// After so many messages of an account that a rule acted on, the account is suspended and told so.
    pub suspend_after_hits: Option<u64>,
    /// Messages an account may send per minute before it is told to wait.
    pub messages_per_minute: Option<u64>,
}

/// A stretch of time in which something does not work.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outage {
    /// From when, counted from the platform's start.
    pub from: Duration,
    /// How long.
    pub lasts: Duration,
    /// What does not work.
    pub kind: OutageKind,
    /// For `deaf`: which accounts; empty means all.
    pub accounts: Vec<AccountId>,
}

/// What does not work during an outage.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutageKind {
    /// Nothing can be sent: the sender sees a failure.
    Down,
    /// Everything is accepted and nothing is delivered.
    BlackHole,
    /// The named accounts receive nothing.
    Deaf,
}

impl OutageKind {
    /// As the policy file writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::BlackHole => "black-hole",
            Self::Deaf => "deaf",
        }
    }
}
