//! From journal entries to outcomes: what became of every probe for every recipient.
//!
//! [`Evidence`] is a fold over the entries of a journal, facts and decisions alike. It asks nobody and decides nothing: the
//! engine uses it to know where it stands, `analyze` uses it to derive `outcomes.csv`, and both see the same outcomes
//! because there is only this one fold.
//!
//! The rule it keeps: **a message counts as dropped only if the path was alive around it.** When the grace of a missing
//! message is over, one of the [`bracket_messages`](lacuna_model::study::Watch::bracket_messages) messages accepted just before it
//! on the same path and one of those accepted just after it must have arrived; otherwise the outcome is void. A path is a
//! channel and one of its recipients; messages of another epoch, or from before a gap of the recipient, prove nothing. Nor
//! does a bracket inside which a control is missing too: a filter spares controls, an outage does not.
//!
//! Likewise **a refusal is about the message only if the channel takes others**: where the next control is refused too, or the
//! account turns out to be sanctioned, what was refused since the last accepted message counts as not sent.

mod apply;
mod record;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use lacuna_model::event::Observation;
use lacuna_model::{
    AccountCondition, AccountIx, ChannelIx, Duration, EntrySequence, ItemIx, Outcome, ProbeId, Recognised, Role, Study,
    Timestamp, VenueIx,
};

use crate::matching::Matcher;
use crate::searches::Searches;
pub use record::{FileState, OutcomeRecord, ProbeRecord};
use record::{Slot, VoidCause};

/// The path of a message as the platform sees it, whatever the arm: sender, venue, recipient.
type Path = (AccountIx, VenueIx, AccountIx);

/// Which observation waits for its acknowledgement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    sequence: EntrySequence,
    at: Timestamp,
    /// The file that came with it.
    file: Arrived,
}

/// What came with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Arrived {
    /// No file.
    Nothing,
    /// A file that is none of the study's.
    Unknown,
    /// The file of this item, or one that looks like it.
    Known(Recognised),
}

/// What an entry changed, for the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// The message arrived for the first time.
    Arrived {
        /// Which.
        probe: ProbeId,
        /// For whom.
        recipient: AccountIx,
    },
    /// The outcome of a probe for a recipient became known or was revised.
    Outcome {
        /// Which.
        probe: ProbeId,
        /// For whom.
        recipient: AccountIx,
        /// What it is now.
        outcome: Outcome,
        /// What it was before; `None` while open.
        before: Option<Outcome>,
    },
}

/// The fold. See the module's documentation.
pub struct Evidence {
    study: Arc<Study>,
    probes: Vec<ProbeRecord>,
    /// One per probe and recipient; a probe's slots stand together.
    slots: Vec<Slot>,
    /// The probes of each channel in the order in which they were planned.
    sent: Vec<Vec<ProbeId>>,
    matchers: BTreeMap<Path, Matcher<Seen>>,
    /// Probes without an outcome, by recipient.
    open: Vec<BTreeSet<ProbeId>>,
    /// For each recipient: from which probe on its stream is whole.
    whole_since: Vec<ProbeId>,
    /// For each recipient: when its stream had a gap.
    gaps: Vec<Vec<Timestamp>>,
    sanctioned: Vec<bool>,
    /// For each channel: what was refused on it since its last accepted message.
    refused: Vec<Vec<ProbeId>>,
    /// For each channel: what was accepted and then refused by a notice, and nothing later has arrived yet.
    bounced: Vec<Vec<ProbeId>>,
    /// Edits, retractions and notices about messages that are not known (yet).
    early: VecDeque<(Timestamp, Observation)>,
    strangers: u64,
    unmatched: u64,
    /// Messages of each account's own that were shown back to it.
    echoes: Vec<u64>,
    searches: Searches,
    epoch: u32,
    last_at: Timestamp,
}

impl Evidence {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(study: Arc<Study>) -> Self {
        let accounts = study.accounts.len();
        Self {
            sent: vec![Vec::new(); study.channels.len()],
            open: vec![BTreeSet::new(); accounts],
            whole_since: vec![ProbeId(0); accounts],
            gaps: vec![Vec::new(); accounts],
            sanctioned: vec![false; accounts],
            refused: vec![Vec::new(); study.channels.len()],
            bounced: vec![Vec::new(); study.channels.len()],
            early: VecDeque::new(),
            searches: Searches::new(Arc::clone(&study)),
            study,
            probes: Vec::new(),
            slots: Vec::new(),
            matchers: BTreeMap::new(),
            strangers: 0,
            unmatched: 0,
            echoes: vec![0; accounts],
            epoch: 0,
            last_at: Timestamp(0),
        }
    }

    /// The study that the journal is about.
    #[must_use]
    pub fn study(&self) -> &Arc<Study> {
        &self.study
    }

    /// The searches for what in texts is blocked.
    #[must_use]
    pub fn searches(&self) -> &Searches {
        &self.searches
    }

    /// Every probe in the order in which they were planned.
    #[must_use]
    pub fn probes(&self) -> &[ProbeRecord] {
        &self.probes
    }

    /// The items that a message carried, whatever became of it.
    #[must_use]
    pub fn items_sent(&self) -> BTreeSet<ItemIx> {
        let sent = self.probes.iter().filter(|record| record.started_at.is_some());
        sent.flat_map(|record| record.probe.items.iter().copied().chain(record.probe.carrier)).collect()
    }

    /// One probe.
    #[must_use]
    pub fn probe(&self, probe: ProbeId) -> &ProbeRecord {
        &self.probes[probe.get()]
    }

    /// The probes of a channel in the order in which they were planned.
    #[must_use]
    pub fn sent_on(&self, channel: ChannelIx) -> &[ProbeId] {
        &self.sent[channel.get()]
    }

    /// The outcome of a probe for a recipient of its channel; `None` while it is open.
    #[must_use]
    pub fn outcome(&self, probe: ProbeId, recipient: AccountIx) -> Option<Outcome> {
        self.slot(probe, recipient).and_then(|slot| slot.outcome)
    }

    /// Whether the message arrived at this recipient, on time or not, changed or not.
    #[must_use]
    pub fn arrived(&self, probe: ProbeId, recipient: AccountIx) -> bool {
        self.slot(probe, recipient).is_some_and(|slot| slot.observed_at.is_some())
    }

    /// When the message arrived at this recipient; `None` where it did not.
    #[must_use]
    pub fn arrived_at(&self, probe: ProbeId, recipient: AccountIx) -> Option<Timestamp> {
        self.slot(probe, recipient).and_then(|slot| slot.observed_at)
    }

    /// In what state its file arrived at this recipient; `None` where none did.
    #[must_use]
    pub fn file_state(&self, probe: ProbeId, recipient: AccountIx) -> Option<FileState> {
        self.slot(probe, recipient).and_then(|slot| slot.file)
    }

    /// How long the message was there before it was taken away from a recipient; `None` where it was not.
    #[must_use]
    pub fn retracted_after(&self, probe: ProbeId, recipient: AccountIx) -> Option<Duration> {
        let slot = self.slot(probe, recipient).filter(|slot| slot.outcome == Some(Outcome::Retracted))?;
        Some(slot.revised_at? - slot.observed_at?)
    }

    /// The probes planned before this one on the same channel that are still open for a recipient, the latest first.
    pub fn open_before(&self, probe: ProbeId, recipient: AccountIx) -> impl Iterator<Item = ProbeId> + '_ {
        let channel = self.probe(probe).probe.channel;
        let earlier = self.open[recipient.get()].range(..probe).rev().copied();
        earlier.filter(move |open| self.probe(*open).probe.channel == channel)
    }

    /// The probes that are still open for a recipient, the earliest first.
    pub fn open_for(&self, recipient: AccountIx) -> impl Iterator<Item = ProbeId> + '_ {
        self.open[recipient.get()].iter().copied()
    }

    /// How many messages of strangers came in. Nothing else of them is kept.
    #[must_use]
    pub fn strangers(&self) -> u64 {
        self.strangers
    }

    /// How many messages of the experiment's own accounts came in that no probe explains.
    #[must_use]
    pub fn unmatched(&self) -> u64 {
        self.unmatched
    }

    /// How many messages of the account's own were shown back to it.
    #[must_use]
    pub fn echoes(&self, account: AccountIx) -> u64 {
        self.echoes[account.get()]
    }

    /// Whether the platform sanctioned this account.
    #[must_use]
    pub fn sanctioned(&self, account: AccountIx) -> bool {
        self.sanctioned[account.get()]
    }

    /// The time of the last entry.
    #[must_use]
    pub fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// One row per probe and recipient, in the order of the probes and of the arm's recipients. What is still open is void.
    pub fn outcomes(&self) -> impl Iterator<Item = OutcomeRecord> + '_ {
        self.probes.iter().flatten_slots(self)
    }

    /// How long the recipient is known to have listened for a probe: until its next gap, or until the last entry.
    pub(crate) fn listened_until(&self, recipient: AccountIx, sent_at: Timestamp) -> Timestamp {
        let gaps = &self.gaps[recipient.get()];
        let next = gaps.partition_point(|gap| *gap < sent_at);
        gaps.get(next).copied().unwrap_or(self.last_at)
    }

    fn slot_index(&self, probe: ProbeId, recipient: AccountIx) -> Option<usize> {
        let record = self.probes.get(probe.get())?;
        let recipients = &self.study.channel(record.probe.channel).recipients;
        recipients.iter().position(|it| *it == recipient).map(|place| record.first_slot + place)
    }

    fn slot(&self, probe: ProbeId, recipient: AccountIx) -> Option<&Slot> {
        self.slot_index(probe, recipient).map(|index| &self.slots[index])
    }

    /// The nearest of the `bracket_messages` messages accepted just before (`false`) or just after (`true`) this one on the
    /// path that arrived.
    #[must_use]
    pub fn bracket(&self, probe: ProbeId, recipient: AccountIx, after: bool) -> Option<ProbeId> {
        let record = self.probe(probe);
        let sent = self.sent_on(record.probe.channel);
        let place = record.place;
        let reach = usize::from(self.study.watch.bracket_messages);
        let serves = |candidate: &ProbeId| {
            let other = self.probe(*candidate);
            other.is_accepted() && other.epoch == record.epoch && *candidate >= self.whole_since[recipient.get()]
        };
        let arrived = |candidate: &ProbeId| self.arrived(*candidate, recipient);
        if after {
            sent[place + 1..].iter().copied().filter(serves).take(reach).find(arrived)
        } else {
            sent[..place].iter().rev().copied().filter(serves).take(reach).find(arrived)
        }
    }

    /// Whether every control that the platform took between these two messages of a path arrived. The message in question may
    /// be such a control itself, which its own bracket must not hold against it: a lost control among candidates that arrive
    /// is what the loss is learned from.
    fn controls_arrived_between(&self, before: ProbeId, after: ProbeId, probe: ProbeId, recipient: AccountIx) -> bool {
        let (first, last) = (self.probe(before), self.probe(after));
        self.sent_on(first.probe.channel)[first.place + 1..last.place].iter().all(|between| {
            let record = self.probe(*between);
            *between == probe || record.probe.role != Role::Control || !record.is_accepted() || self.arrived(*between, recipient)
        })
    }

    fn outcome_row(&self, record: &ProbeRecord, recipient: AccountIx, slot: &Slot) -> OutcomeRecord {
        let sent_at = record.started_at;
        OutcomeRecord {
            probe: record.probe.id,
            recipient,
            outcome: slot.outcome.unwrap_or(Outcome::Void),
            first_outcome: slot.first_outcome.unwrap_or(Outcome::Void),
            revised_at: slot.revised_at,
            matched_by: slot.matched_by,
            received_sequence: slot.received,
            bracket_before: slot.bracket_before,
            bracket_after: slot.bracket_after,
            sent_at,
            observed_at: slot.observed_at,
            listened_until: sent_at.map(|sent_at| self.listened_until(recipient, sent_at)),
            latency: sent_at.zip(slot.observed_at).map(|(sent_at, observed_at)| observed_at - sent_at),
            not_listening: slot.void_cause == Some(VoidCause::Gap),
            file: slot.file,
        }
    }
}

/// Helper for [`Evidence::outcomes`], so that the iterator can be named.
trait FlattenSlots<'a>: Iterator<Item = &'a ProbeRecord> + Sized {
    fn flatten_slots(self, evidence: &'a Evidence) -> impl Iterator<Item = OutcomeRecord> + 'a;
}

impl<'a, I: Iterator<Item = &'a ProbeRecord> + 'a> FlattenSlots<'a> for I {
    fn flatten_slots(self, evidence: &'a Evidence) -> impl Iterator<Item = OutcomeRecord> + 'a {
        self.flat_map(move |record| {
            let recipients = &evidence.study.channel(record.probe.channel).recipients;
            recipients
                .iter()
                .zip(&evidence.slots[record.first_slot..])
                .map(move |(recipient, slot)| evidence.outcome_row(record, *recipient, slot))
        })
    }
}

/// Whether this account condition means that the platform punished the account.
fn is_sanction(condition: AccountCondition) -> bool {
    condition == AccountCondition::Sanctioned
}

/// The path on which an observation was made, where both ends and the place are in the experiment.
fn path_of(observation: &Observation) -> Option<Path> {
    Some((observation.sender?, observation.venue?, observation.recipient))
}
