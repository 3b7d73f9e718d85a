//! What [`Evidence`](super::Evidence) keeps of a probe and of each of its recipients.

use std::sync::Arc;

use lacuna_model::{
    AccountIx, Duration, EntrySequence, ItemIx, MatchedBy, Outcome, PlatformMessageId, Probe, ProbeId, SendState, Timestamp,
};

/// One probe: one row of `sent.csv`.
#[derive(Clone, PartialEq, Debug)]
pub struct ProbeRecord {
    /// As it was planned.
    pub probe: Probe,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// When it was handed to the platform; `None` if it never was.
    pub started_at: Option<Timestamp>,
    /// When the platform answered.
    pub resolved_at: Option<Timestamp>,
    /// How the hand-over ended; `None` while it is under way.
    pub send_state: Option<SendState>,
    /// The message's name on the platform.
    pub platform_id: Option<PlatformMessageId>,
    /// What the platform said, or why the send failed.
    pub notice: Option<Arc<str>>,
    /// In which epoch it was planned.
    pub epoch: u32,
    /// Its place among the probes of its channel.
    pub(super) place: usize,
    /// Where its slots begin.
    pub(super) first_slot: usize,
}

impl ProbeRecord {
    /// Whether the platform took it.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.send_state == Some(SendState::Accepted)
    }

    /// Its place among the probes of its channel, from 0.
    #[must_use]
    pub fn place(&self) -> usize {
        self.place
    }
}

/// Why a probe ended as void.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum VoidCause {
    /// No bracket: the path was not provably alive.
    NoBracket,
    /// The recipient's stream had a gap, or the run was interrupted.
    Gap,
}

/// One probe for one recipient.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Slot {
    pub outcome: Option<Outcome>,
    pub first_outcome: Option<Outcome>,
    pub revised_at: Option<Timestamp>,
    pub matched_by: Option<MatchedBy>,
    pub received: Option<EntrySequence>,
    pub observed_at: Option<Timestamp>,
    pub bracket_before: Option<ProbeId>,
    pub bracket_after: Option<ProbeId>,
    pub void_cause: Option<VoidCause>,
    pub file: Option<FileState>,
}

/// In what state a file arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileState {
    /// Byte for byte as it was sent.
    Intact,
    /// It looks like what was sent, in other bytes.
    Reencoded,
    /// The file of another item came instead.
    Replaced(ItemIx),
    /// Nothing that was sent.
    Unknown,
}

/// What became of a probe for a recipient: one row of `outcomes.csv`.
#[derive(Clone, PartialEq, Debug)]
pub struct OutcomeRecord {
    /// The probe.
    pub probe: ProbeId,
    /// The recipient.
    pub recipient: AccountIx,
    /// What became of it, late arrivals and retractions included.
    pub outcome: Outcome,
    /// What it was called first.
    pub first_outcome: Outcome,
    /// When the outcome was last revised.
    pub revised_at: Option<Timestamp>,
    /// By what the received message was recognised.
    pub matched_by: Option<MatchedBy>,
    /// The journal entry that holds the received message.
    pub received_sequence: Option<EntrySequence>,
    /// The message before it that showed the path to be alive.
    pub bracket_before: Option<ProbeId>,
    /// The message after it that showed the path to be alive.
    pub bracket_after: Option<ProbeId>,
    /// When it was handed to the platform.
    pub sent_at: Option<Timestamp>,
    /// When it arrived.
    pub observed_at: Option<Timestamp>,
    /// Until when the recipient listened.
    pub listened_until: Option<Timestamp>,
    /// From hand-over to arrival.
    pub latency: Option<Duration>,
    /// It is void because the recipient was not listening.
    pub not_listening: bool,
    /// In what state its file arrived.
    pub file: Option<FileState>,
}
