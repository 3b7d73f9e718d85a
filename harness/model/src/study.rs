//! A study: an experiment with its corpora, every name resolved to an index and every default filled in.
//!
//! It is written whole into the first entry of a journal, so that a run folder explains itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::event::Probe;
use crate::file::ItemFile;
use crate::ids::{AccountId, AccountIx, ArmId, ArmIx, ChannelIx, ItemId, ItemIx, RunId, VenueId, VenueIx};
use crate::outcome::Purpose;
use crate::region::CountryCode;
use crate::time::Duration;

/// Everything the engine may know. Built and checked by `records`; the fields are public because they are read
/// everywhere, and a study is never changed after it was built.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Study {
    /// The experiment's name, the folder of its runs.
    pub name: String,
    /// The question in the researcher's words; may be empty.
    pub question: String,
    /// Which design asks.
    pub design: DesignKind,
    /// The seed from which every random choice is derived, 0 to 2^63 - 1.
    pub seed: u64,
    /// The adapter's name.
    pub adapter: String,
    /// The accounts, in the order of the file.
    pub accounts: Vec<Account>,
    /// The venues, each with its members.
    pub venues: Vec<Venue>,
    /// The arms, in the order of the file.
    pub arms: Vec<Arm>,
    /// The channels: every (arm, sender, venue) that messages are sent on.
    pub channels: Vec<Channel>,
    /// The items of all corpora: candidates, controls, canaries.
    pub items: Vec<Item>,
    /// How the platform takes text.
    #[serde(default)]
    pub text: TextRules,
    /// `[decision]`
    pub decision: DecisionRule,
    /// `[watch]`
    pub watch: Watch,
    /// `[pacing]`
    pub pacing: Pacing,
    /// `[safety]`
    pub safety: Safety,
    /// What is asked about texts that do not arrive; `None` where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<IsolationRule>,
    /// How files are asked about; `None` where no design does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<MechanismRule>,
    /// What is exposed where; `None` where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<ExposureRule>,
    /// The corpora that the items are of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corpora: Vec<CorpusSource>,
    /// What a predecessor found; `None` where the experiment names none, or nothing was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Earlier>,
}

/// A corpus, as its `corpus.toml` describes it: what a reader of results has to name. Its hash is among the inputs of the journal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CorpusSource {
    /// What stands before the names of its items.
    pub id: String,
    /// The title for people.
    pub title: String,
    /// The version, in whatever way its author counts.
    pub version: String,
    /// The licence, best as an SPDX expression.
    pub licence: String,
}

/// What is known from the runs of a predecessor. It says what is asked, how, and how often, and convicts nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Earlier {
    /// The runs, the oldest first.
    pub runs: Vec<RunId>,
    /// Units that were delivered when they were last asked, in ascending order.
    pub delivered: Vec<EarlierUnit>,
    /// Units that were blocked in some way, in ascending order.
    pub blocked: Vec<EarlierUnit>,
    /// Items that are not asked in this run, because a change is not likely yet; in ascending order.
    pub not_due: Vec<ItemIx>,
}

/// A unit as a journal's first line writes it, without names: there may be many of them.
pub type EarlierUnit = (ItemIx, ArmIx, AccountIx);

impl Earlier {
    /// Whether an item is left out of the run.
    #[must_use]
    pub fn leaves_out(&self, item: ItemIx) -> bool {
        self.not_due.binary_search(&item).is_ok()
    }

    /// Whether an item was blocked for somebody.
    #[must_use]
    pub fn was_blocked(&self, item: ItemIx, arm: ArmIx, recipient: AccountIx) -> bool {
        self.blocked.binary_search(&(item, arm, recipient)).is_ok()
    }
}

/// How the mechanism of a file filter is asked about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MechanismRule {
    /// How long a platform is given to look at a file before the same bytes are sent again. A filter that takes longer is taken for none.
    pub wait: Duration,
    /// The most messages about one original, on one arm.
    pub max_messages_per_item: u32,
}

/// `[exposure]`: files of one MD5, one shown outside, the other sent inside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExposureRule {
    /// The arm on which the sensitive files are shown: none of its accounts is registered inside.
    pub outside: ArmIx,
    /// The arm on which their twins are sent.
    pub inside: ArmIx,
    /// After how long, in ascending order.
    pub delays: Vec<Duration>,
    /// The most pairs that are exposed.
    pub max_pairs: u32,
}

/// How a platform takes text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TextRules {
    /// What stands between the parts of one message: components of a combination, items of a pool.
    pub separator: Arc<str>,
    /// The longest text that the platform takes, in Unicode scalar values.
    pub longest: usize,
}

impl Default for TextRules {
    fn default() -> Self {
        Self { separator: Arc::from(" "), longest: 10_000 }
    }
}

/// The design of an experiment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DesignKind {
    /// Which items are dropped?
    Screen,
    /// Which words of the texts that are dropped are to blame?
    Isolate,
    /// What of a file does a filter look at, and when?
    Mechanism,
    /// Is what accounts outside a region exchange enforced inside?
    Exposure,
}

impl DesignKind {
    /// Every design.
    pub const ALL: [Self; 4] = [Self::Screen, Self::Isolate, Self::Mechanism, Self::Exposure];

    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Isolate => "isolate",
            Self::Mechanism => "mechanism",
            Self::Exposure => "exposure",
        }
    }
}

/// What is asked about texts that do not arrive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IsolationRule {
    /// The most messages about one text, for one recipient.
    pub max_messages_per_text: u32,
    /// Rules of earlier lists and runs, each as its components: those that a text holds are tried first, and all of them teach
    /// what rules look like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Vec<Arc<str>>>,
}

/// An instrumented account that the researcher owns.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Account {
    /// Its pseudonym.
    pub id: AccountId,
    /// Where it was registered.
    pub registered_in: CountryCode,
    /// Where it connects from.
    pub located_in: CountryCode,
    /// The client it uses, as far as the researcher stated it.
    pub client: Option<String>,
}

/// What kind of place messages are exchanged in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VenueKind {
    /// A conversation of two accounts.
    Direct,
    /// A group conversation.
    Group,
    /// A feed: one account posts, the others follow.
    Feed,
}

impl VenueKind {
    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
            Self::Feed => "feed",
        }
    }
}

/// One place where messages are exchanged (a venue instance).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Venue {
    /// Unique in the study: for a conversation made of the two pseudonyms, for a group of the arm or the given room.
    pub id: VenueId,
    /// What it is.
    pub kind: VenueKind,
    /// Everybody in it; for a feed the owner comes first.
    pub members: Vec<AccountIx>,
    /// The existing room that the experiment named (`venue-id`), as the platform calls it; otherwise one is made.
    pub existing: Option<String>,
}

/// An arm: some senders, some recipients, one kind of venue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Arm {
    /// Its name.
    pub id: ArmId,
    /// The venue kind.
    pub venue: VenueKind,
    /// Probes rotate over them.
    pub senders: Vec<AccountIx>,
    /// Who should receive.
    pub recipients: Vec<AccountIx>,
    /// The arm's channels.
    pub channels: Vec<ChannelIx>,
}

/// What messages are sent on: one sender of one arm in one venue. In a group a message reaches all recipients of the
/// arm at once, in a conversation one. A *path* is a channel and one of its recipients.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Channel {
    /// The arm.
    pub arm: ArmIx,
    /// Who sends.
    pub sender: AccountIx,
    /// Where.
    pub venue: VenueIx,
    /// Whose receiving is measured, in the order of the arm.
    pub recipients: Vec<AccountIx>,
}

/// Why an item is sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Neutral, expected to arrive.
    Control,
    /// Under test.
    Candidate,
    /// Known to be dropped.
    Canary,
}

impl Role {
    /// As the CSV files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Candidate => "candidate",
            Self::Canary => "canary",
        }
    }
}

/// What a message consists of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentKind {
    /// Text alone.
    Text,
    /// A picture, with or without a caption.
    Image,
    /// A document, with or without a caption.
    Document,
}

impl ContentKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Text, Self::Image, Self::Document];

    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Document => "document",
        }
    }
}

/// An item of a corpus.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// `<corpus id>/<item_id>`.
    pub id: ItemId,
    /// Its role in this study.
    pub role: Role,
    /// What it consists of.
    pub kind: ContentKind,
    /// The message as it is sent; of a file its caption, which may be empty. For a keyword combination the components joined by the platform's separator.
    pub message: Arc<str>,
    /// The file that is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Box<ItemFile>>,
    /// The category that the corpus gives; may be empty.
    pub category: String,
    /// The language that the corpus gives; may be empty.
    pub language: String,
    /// What was known of it before this run.
    #[serde(default, skip_serializing_if = "Prior::is_empty")]
    pub prior: Prior,
}

/// What was known of an item before a run: it steers the order of questions, and never convicts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Prior {
    /// What the author of the corpus expects: `true` for dropped, `false` for delivered.
    pub expected_dropped: Option<bool>,
    /// Units of earlier runs in which it was blocked in some way.
    pub blocked_before: u32,
    /// Units of earlier runs in which it arrived, on arms where a filter was seen.
    pub passed_before: u32,
}

impl Prior {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `[decision]`: what it takes to claim something.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DecisionRule {
    /// Per item, arm and recipient: how often an item that is not blocked may be called dropped.
    pub false_positive_rate: f64,
    /// Over the run: the expected share of false ones among all that is called dropped.
    pub false_discovery_rate: f64,
    /// How often an item is sent alone on an arm for one recipient before it is given up as inconclusive.
    pub max_probes_per_item: u32,
    /// Whether several items may share a message.
    #[serde(default)]
    pub pooling: Pooling,
    /// A fixed number of sends an item, without an early stop: enforcement rates instead of a screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicates: Option<u32>,
}

/// Whether several items may share a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Where it saves messages and the run shows nothing that speaks against it.
    Auto,
    /// Every item is sent singly.
    #[default]
    Off,
}

/// `[watch]`: how long to look.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Watch {
    /// Wait after the closing evidence. `None`: learned from the delays seen (`"auto"`).
    pub grace: Option<Duration>,
    /// Keep listening after the last send.
    pub late: Duration,
    /// How many messages on either side may serve as a bracket.
    pub bracket_messages: u16,
}

/// `[pacing]`: how fast an account may be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pacing {
    /// Between two sends of an account.
    pub min_gap: Duration,
    /// Unacknowledged sends of an account.
    pub in_flight: u16,
    /// A confirming send waits at least this long after the drop that it confirms.
    pub confirm_after: Duration,
    /// The rest of an account after a drop of a message of its own.
    pub cool_off: Duration,
}

/// `[safety]`: when to stop.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Safety {
    /// Messages of the whole run.
    pub max_messages: u64,
    /// Messages of an account on one UTC day, over all runs of the ledger.
    pub max_messages_per_account_per_day: u64,
    /// Sanctions (an account limited, suspended, logged out) after which the run stops.
    pub stop_after_sanctions: u32,
}

/// What a verdict is about: one item, on one arm, for one recipient.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// The item.
    pub item: ItemIx,
    /// The arm.
    pub arm: ArmIx,
    /// The recipient.
    pub recipient: AccountIx,
}

impl Study {
    /// The account behind an index.
    #[must_use]
    pub fn account(&self, account: AccountIx) -> &Account {
        &self.accounts[account.get()]
    }

    /// The arm behind an index.
    #[must_use]
    pub fn arm(&self, arm: ArmIx) -> &Arm {
        &self.arms[arm.get()]
    }

    /// The channel behind an index.
    #[must_use]
    pub fn channel(&self, channel: ChannelIx) -> &Channel {
        &self.channels[channel.get()]
    }

    /// The venue behind an index.
    #[must_use]
    pub fn venue(&self, venue: VenueIx) -> &Venue {
        &self.venues[venue.get()]
    }

    /// The item behind an index.
    #[must_use]
    pub fn item(&self, item: ItemIx) -> &Item {
        &self.items[item.get()]
    }

    /// What a probe's message says: its items, behind the carrier if it has one, with the platform's separator between them.
    /// A calibration of one item has the separator between its graphemes instead, an excerpt
    /// between its fragments.
    #[must_use]
    pub fn text_of(&self, probe: &Probe) -> Arc<str> {
        if let Some(excerpt) = &probe.excerpt {
            return excerpt.of(&self.joined(&probe.items), &self.text.separator).into();
        }
        let parts = probe.carrier.iter().chain(&probe.items).map(|item| &self.item(*item).message);
        match (probe.purpose, probe.items.as_slice()) {
            (Purpose::Calibration, [item]) => {
                let graphemes: Vec<&str> = self.item(*item).message.graphemes(true).collect();
                graphemes.join(&self.text.separator).into()
            }
            (_, [item]) if probe.carrier.is_none() => Arc::clone(&self.item(*item).message),
            _ => parts.map(|message| &**message).collect::<Vec<_>>().join(&self.text.separator).into(),
        }
    }

    /// Several items as one text, with the platform's separator between them.
    #[must_use]
    pub fn joined(&self, items: &[ItemIx]) -> Arc<str> {
        match items {
            [item] => Arc::clone(&self.item(*item).message),
            _ => items.iter().map(|item| &*self.item(*item).message).collect::<Vec<_>>().join(&self.text.separator).into(),
        }
    }

    /// The items of one role, in order.
    pub fn items_of(&self, role: Role) -> impl Iterator<Item = ItemIx> + '_ {
        (0u32..).zip(&self.items).filter(move |(_, item)| item.role == role).map(|(index, _)| ItemIx(index))
    }

    /// Every channel with its index.
    pub fn channels(&self) -> impl Iterator<Item = (ChannelIx, &Channel)> + '_ {
        (0u16..).map(ChannelIx).zip(&self.channels)
    }
}
