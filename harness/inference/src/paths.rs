//! What became of the messages of each path, counted: what a check of the paths says.
//!
//! No verdict: a handful of messages says whether a path is alive and about how long it takes, and bounds no loss.

use std::sync::Arc;

use lacuna_model::{AccountIx, ChannelIx, Duration, ItemIx, Outcome, ProbeId, SendState};

use crate::evidence::Evidence;

/// Whether messages arrive on a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathState {
    /// One at least arrived.
    Alive,
    /// None arrived, and the platform sanctioned one of the two accounts.
    Sanctioned,
    /// The platform took messages, or may have, and none arrived before listening was cut short.
    CutShort,
    /// The platform took messages, or may have, and none arrived.
    Silent,
    /// The platform took none, and refused one at least.
    Refused,
    /// The platform took none, refused none, and told the sender to wait.
    RateLimited,
    /// None left.
    Failed,
    /// Nothing was sent.
    Unsent,
}

impl PathState {
    /// As the check's JSON writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Sanctioned => "sanctioned",
            Self::CutShort => "cut_short",
            Self::Silent => "silent",
            Self::Refused => "refused",
            Self::RateLimited => "rate_limited",
            Self::Failed => "failed",
            Self::Unsent => "unsent",
        }
    }
}

/// One path: a channel and one of its recipients. `sent` is the sum of `arrived` and of `lost` to `unknown`; `altered` and `retracted` are among `arrived`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathRecord {
    /// The channel.
    pub channel: ChannelIx,
    /// The recipient.
    pub recipient: AccountIx,
    /// Messages handed to the platform.
    pub sent: u64,
    /// Arrived, changed or not.
    pub arrived: u64,
    /// Arrived changed, or changed afterwards, and stayed.
    pub altered: u64,
    /// Arrived and taken away again while the recipient listened.
    pub retracted: u64,
    /// Taken by the platform and not seen by the recipient while it listened.
    pub lost: u64,
    /// Taken by the platform and still awaited when listening was cut short.
    pub awaited: u64,
    /// Not taken: the platform said so.
    pub refused: u64,
    /// Not taken: the sender was too fast.
    pub rate_limited: u64,
    /// Certainly never left.
    pub failed: u64,
    /// Nobody said whether it was taken, and it did not arrive.
    pub unknown: u64,
    /// From hand-over to arrival, the middle one (of an even number the mean of the two).
    pub median_delay: Option<Duration>,
    /// The longest of them.
    pub greatest_delay: Option<Duration>,
    /// What the platform, or whatever kept a message from leaving, said last.
    pub notice: Option<Arc<str>>,
    /// What was in the messages that did not arrive as they were sent, in the order of their first sends. What never left, what the sender
    /// was too fast for and what was still awaited says nothing about a message, and is not here.
    pub not_intact: Vec<ItemIx>,
    /// The account of the two that the platform sanctioned, the sender before the recipient.
    pub sanctioned: Option<AccountIx>,
    /// How long the recipient is known to have listened after the last message; `None` where there was none.
    pub listened: Option<Duration>,
    /// Listening was cut short: what is missing was not waited for.
    pub cut_short: bool,
}

impl PathRecord {
    /// Whether messages arrive.
    #[must_use]
    pub const fn state(&self) -> PathState {
        match self {
            Self { arrived: 1.., .. } => PathState::Alive,
            Self { sanctioned: Some(_), .. } => PathState::Sanctioned,
            Self { sent: 0, .. } => PathState::Unsent,
            Self { lost: 0, awaited: 0, unknown: 0, refused: 1.., .. } => PathState::Refused,
            Self { lost: 0, awaited: 0, unknown: 0, rate_limited: 1.., .. } => PathState::RateLimited,
            Self { lost: 0, awaited: 0, unknown: 0, .. } => PathState::Failed,
            Self { cut_short: true, .. } => PathState::CutShort,
            Self { .. } => PathState::Silent,
        }
    }

    /// A message did not arrive as it was sent.
    fn was_harmed(&mut self, evidence: &Evidence, probe: ProbeId) {
        for item in &evidence.probe(probe).probe.items {
            if !self.not_intact.contains(item) {
                self.not_intact.push(*item);
            }
        }
    }
}

/// Every path, in the order of the channels and of their recipients. `cut_short`: receivers did not listen to the end.
#[must_use]
pub fn paths(evidence: &Evidence, cut_short: bool) -> Vec<PathRecord> {
    let study = evidence.study();
    let all = study.channels().flat_map(|(index, channel)| channel.recipients.iter().map(move |recipient| (index, *recipient)));
    all.map(|(channel, recipient)| path(evidence, channel, recipient, cut_short)).collect()
}

fn path(evidence: &Evidence, channel: ChannelIx, recipient: AccountIx, cut_short: bool) -> PathRecord {
    let ends = [evidence.study().channel(channel).sender, recipient];
    let mut record = PathRecord {
        channel,
        recipient,
        sent: 0,
        arrived: 0,
        altered: 0,
        retracted: 0,
        lost: 0,
        awaited: 0,
        refused: 0,
        rate_limited: 0,
        failed: 0,
        unknown: 0,
        median_delay: None,
        greatest_delay: None,
        notice: None,
        not_intact: Vec::new(),
        sanctioned: ends.into_iter().find(|account| evidence.sanctioned(*account)),
        listened: None,
        cut_short,
    };
    let mut delays = Vec::new();
    for probe in evidence.sent_on(channel) {
        let sent = evidence.probe(*probe);
        let Some(started_at) = sent.started_at else { continue };
        record.sent += 1;
        record.listened = Some(evidence.listened_until(recipient, started_at) - started_at);
        if sent.notice.is_some() {
            record.notice.clone_from(&sent.notice);
        }
        let outcome = evidence.outcome(*probe, recipient);
        if let Some(arrived_at) = evidence.arrived_at(*probe, recipient) {
            record.arrived += 1;
            record.altered += u64::from(outcome == Some(Outcome::Altered));
            record.retracted += u64::from(outcome == Some(Outcome::Retracted));
            delays.push(arrived_at - started_at);
            if matches!(outcome, Some(Outcome::Altered | Outcome::Retracted)) {
                record.was_harmed(evidence, *probe);
            }
            continue;
        }
        let (count, harmed) = match (sent.send_state, outcome) {
            // Because of who sent it, not of what it says.
            (Some(SendState::Refused), Some(Outcome::SendFailed)) => (&mut record.refused, false),
            // Also where it was taken first and refused later.
            (Some(SendState::Refused), _) | (_, Some(Outcome::Refused)) => (&mut record.refused, true),
            (Some(SendState::RateLimited), _) => (&mut record.rate_limited, false),
            (Some(SendState::Failed), _) => (&mut record.failed, false),
            (Some(SendState::UnknownSubmission) | None, _) => (&mut record.unknown, !cut_short),
            (Some(SendState::Accepted), _) if cut_short => (&mut record.awaited, false),
            (Some(SendState::Accepted), _) => (&mut record.lost, true),
        };
        *count += 1;
        if harmed {
            record.was_harmed(evidence, *probe);
        }
    }
    delays.sort_unstable();
    record.greatest_delay = delays.last().copied();
    record.median_delay = middle(&delays);
    record
}

/// The median of sorted delays.
fn middle(delays: &[Duration]) -> Option<Duration> {
    let upper = *delays.get(delays.len() / 2)?;
    let lower = *delays.get(delays.len().saturating_sub(1) / 2)?;
    Some(Duration(i64::midpoint(lower.as_micros(), upper.as_micros())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let of = |micros: &[i64]| middle(&micros.iter().map(|it| Duration(*it)).collect::<Vec<_>>()).map(Duration::as_micros);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some(7));
        assert_eq!(of(&[1, 5]), Some(3));
        assert_eq!(of(&[1, 5, 100]), Some(5));
    }
}
