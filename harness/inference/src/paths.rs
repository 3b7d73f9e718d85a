//! What became of the messages of each path, counted: what a check of the paths says.
//!
//! No verdict: a handful of messages says whether a path is alive and about how long it takes, and bounds no loss.

use lacuna_model::{AccountIx, ChannelIx, Duration, Outcome, SendState};

use crate::evidence::Evidence;

/// Whether messages arrive on a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathState {
    /// One at least arrived.
    Alive,
    /// The platform took messages, or may have, and none arrived.
    Silent,
    /// The platform took none.
    Refused,
    /// Nothing was sent.
    Unsent,
}

impl PathState {
    /// As the check's JSON writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Silent => "silent",
            Self::Refused => "refused",
            Self::Unsent => "unsent",
        }
    }
}

/// One path: a channel and one of its recipients. `sent` is the sum of `arrived` to `unknown`; `altered` is among `arrived`.
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
    /// Arrived changed.
    pub altered: u64,
    /// Taken by the platform and not seen by the recipient while it listened.
    pub lost: u64,
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
    pub notice: Option<std::sync::Arc<str>>,
}

impl PathRecord {
    /// Whether messages arrive.
    #[must_use]
    pub const fn state(&self) -> PathState {
        match self {
            Self { arrived: 1.., .. } => PathState::Alive,
            Self { sent: 0, .. } => PathState::Unsent,
            Self { lost: 0, unknown: 0, .. } => PathState::Refused,
            Self { .. } => PathState::Silent,
        }
    }
}

/// Every path, in the order of the channels and of their recipients.
#[must_use]
pub fn paths(evidence: &Evidence) -> Vec<PathRecord> {
    let study = evidence.study();
    let all = study.channels().flat_map(|(index, channel)| channel.recipients.iter().map(move |recipient| (index, *recipient)));
    all.map(|(channel, recipient)| path(evidence, channel, recipient)).collect()
}

fn path(evidence: &Evidence, channel: ChannelIx, recipient: AccountIx) -> PathRecord {
    let mut record = PathRecord {
        channel,
        recipient,
        sent: 0,
        arrived: 0,
        altered: 0,
        lost: 0,
        refused: 0,
        rate_limited: 0,
        failed: 0,
        unknown: 0,
        median_delay: None,
        greatest_delay: None,
        notice: None,
    };
    let mut delays = Vec::new();
    for probe in evidence.sent_on(channel) {
        let sent = evidence.probe(*probe);
        let Some(started_at) = sent.started_at else { continue };
        record.sent += 1;
        if sent.notice.is_some() {
            record.notice.clone_from(&sent.notice);
        }
        let outcome = evidence.outcome(*probe, recipient);
        if let Some(arrived_at) = evidence.arrived_at(*probe, recipient) {
            record.arrived += 1;
            record.altered += u64::from(outcome == Some(Outcome::Altered));
            delays.push(arrived_at - started_at);
            continue;
        }
        let count = match (sent.send_state, outcome) {
            // Also where it was taken first and refused later.
            (Some(SendState::Refused), _) | (_, Some(Outcome::Refused)) => &mut record.refused,
            (Some(SendState::RateLimited), _) => &mut record.rate_limited,
            (Some(SendState::Failed), _) => &mut record.failed,
            (Some(SendState::UnknownSubmission) | None, _) => &mut record.unknown,
            (Some(SendState::Accepted), _) => &mut record.lost,
        };
        *count += 1;
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
