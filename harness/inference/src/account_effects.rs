//! What the platform seems to do to an account because of what it sent: inferred, never told.
//!
//! Both effects are looked for in *neutral* messages: controls, and items that arrived at least once on the same arm for the same
//! recipient (with `replicates`, controls alone: an item on which a filter acts now and then arrives too). What a filter does to an
//! item is not what it does to an account.
//!
//! **Suppression.** From some moment on nothing that a sender sends arrives anywhere, though it is accepted, and though messages of
//! others, sent later, arrive at the same recipients. Claimed where at least [`FEWEST_MISSING`] controls in a row are missing up to the end,
//! the chance of that by loss, `p⁺` to the power of their number and times the senders, is at most the false positive rate,
//! and the row is more than twice as long as any before it: losses that come in bursts show that earlier.
//!
//! **Carry-over.** After a message that the platform acted on, the next messages of the account fare worse. A *hit* is a send of an item
//! that never arrived for anybody it was sent to, and was missing or refused more than once. Of each hit only the first neutral message of the
//! sender behind it counts, so that one burst of losses is one loss. Claimed where so many of them are missing that the
//! binomial chance, at the upper 99 % bound of the loss of all other neutral messages of the sender, times the senders, is at
//! most the false positive rate.

use std::collections::{BTreeMap, BTreeSet};

use lacuna_model::{AccountIx, ChannelIx, ItemIx, ProbeId, Purpose, Role, SendState, Timestamp, Unit};
use libm::pow;

use crate::beta::cumulative;
use crate::evidence::Evidence;
use crate::intervals::upper_bound;
use crate::loss::FLOOR;
use crate::tally::{Tallies, Tally};

/// Fewer controls in a row are no suppression.
pub const FEWEST_MISSING: u32 = 5;

/// The bound of the loss may be wrong so often.
const BOUND_TAIL: f64 = 0.01;

/// What was inferred of an account.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AccountEffect {
    /// The sender.
    pub account: AccountIx,
    /// Since when: the first control of the row; the first hit behind which a message is missing.
    pub at: Timestamp,
    /// What, and from what.
    pub effect: Effect,
    /// The chance of as much or more without the effect, for any of the senders.
    pub chance: f64,
}

/// The effects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing that it sends arrives any more.
    Suppressed {
        /// Controls in a row that are missing.
        missing: u32,
        /// The longest row of neutral messages missing before that.
        longest_before: u32,
        /// Other senders whose later messages arrived at the same recipients.
        others: u32,
    },
    /// Messages right behind a hit go missing.
    CarryOver {
        /// Hits with a neutral message behind them.
        hits: u32,
        /// Of these messages, missing.
        missing: u32,
        /// All other neutral messages.
        elsewhere: u32,
        /// Of these, missing.
        missing_elsewhere: u32,
    },
}

impl Effect {
    /// As `accounts.csv` calls the event.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suppressed { .. } => "suppressed",
            Self::CarryOver { .. } => "carry_over",
        }
    }
}

/// One accepted message of a sender.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Message {
    probe: ProbeId,
    channel: ChannelIx,
    at: Timestamp,
    kind: Kind,
    /// Whether it arrived anywhere.
    arrived: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Control,
    /// Of items that pass.
    Neutral,
    /// Of an item that never does.
    Hit,
    /// Nothing is known of it.
    Other,
}

/// Every effect, by account; suppression before carry-over.
#[must_use]
pub fn derive(evidence: &Evidence, tallies: &Tallies) -> Vec<AccountEffect> {
    let study = evidence.study();
    let mut of_sender: BTreeMap<AccountIx, Vec<Message>> = BTreeMap::new();
    let mut listened: BTreeSet<ProbeId> = BTreeSet::new();
    // What was sent while nobody listened, nobody can have missed.
    listened.extend(evidence.outcomes().filter(|row| !row.not_listening).map(|row| row.probe));
    for record in evidence.probes() {
        let probe = &record.probe;
        let taken = matches!(record.send_state, Some(SendState::Accepted | SendState::Refused));
        if let (true, true, Some(at)) = (taken, listened.contains(&probe.id), record.started_at) {
            let channel = study.channel(probe.channel);
            let arrived = channel.recipients.iter().any(|it| evidence.arrived(probe.id, *it));
            let kind = kind(evidence, tallies, probe.id);
            let message = Message { probe: probe.id, channel: probe.channel, at, kind, arrived };
            of_sender.entry(channel.sender).or_default().push(message);
        }
    }
    let senders = of_sender.len() as f64;
    let mut effects = Vec::new();
    for (account, messages) in &of_sender {
        let most = study.decision.false_positive_rate;
        let found = [suppression(evidence, *account, messages, senders), carry_over(*account, messages, senders)];
        effects.extend(found.into_iter().flatten().filter(|effect| effect.chance <= most));
    }
    effects
}

fn kind(evidence: &Evidence, tallies: &Tallies, probe: ProbeId) -> Kind {
    let probe = &evidence.probe(probe).probe;
    if probe.role == Role::Control {
        return Kind::Control;
    }
    if probe.purpose == Purpose::Calibration || probe.excerpt.is_some() {
        return Kind::Other;
    }
    let channel = evidence.study().channel(probe.channel);
    let of = |item: ItemIx, recipient: AccountIx| tallies.of(Unit { item, arm: channel.arm, recipient });
    let arrived = |tally: &Tally| tally.passed() + tally.altered + tally.retracted + tally.pooled_delivered > 0;
    let mut all = probe.items.iter().flat_map(|item| channel.recipients.iter().map(|recipient| of(*item, *recipient)));
    if all.clone().all(|tally| arrived(&tally)) {
        // Sent so often, an item on which a filter acts now and then arrives as well.
        return if evidence.study().decision.replicates.is_some() { Kind::Other } else { Kind::Neutral };
    }
    let never = |tally: Tally| !arrived(&tally) && tally.dropped + tally.void + tally.refused > 1;
    if probe.items.len() == 1 && all.any(never) { Kind::Hit } else { Kind::Other }
}

fn suppression(evidence: &Evidence, account: AccountIx, messages: &[Message], senders: f64) -> Option<AccountEffect> {
    let from = messages.iter().rposition(|message| message.arrived).map_or(0, |last| last + 1);
    let (before, row) = messages.split_at(from);
    let mut missing = row.iter().filter(|message| message.kind == Kind::Control);
    let first = missing.next()?;
    let missing = 1 + u32::try_from(missing.count()).unwrap_or(u32::MAX);
    // A sender that was never heard of has no path to lose: it was not brought in, or the account never worked.
    let heard_before = before.iter().any(|message| message.arrived);
    let longest_before = longest_row(before);
    let others = u32::try_from(others_alive(evidence, account, first.probe, row).len()).unwrap_or(u32::MAX);
    if !heard_before || missing < FEWEST_MISSING || missing <= 2 * longest_before || others == 0 {
        return None;
    }
    let neutral = before.iter().filter(|message| matches!(message.kind, Kind::Control | Kind::Neutral));
    let (sends, losses) = neutral.fold((0, 0), |(sends, losses), it| (sends + 1, losses + u64::from(!it.arrived)));
    let loss = upper_bound(losses, sends, BOUND_TAIL).max(FLOOR);
    Some(AccountEffect {
        account,
        at: first.at,
        effect: Effect::Suppressed { missing, longest_before, others },
        chance: (senders * pow(loss, f64::from(missing))).min(1.0),
    })
}

/// The longest row of neutral messages that are missing, with nothing arriving in between.
fn longest_row(messages: &[Message]) -> u32 {
    let (mut longest, mut row) = (0, 0);
    for message in messages {
        if message.arrived {
            row = 0;
        } else if matches!(message.kind, Kind::Control | Kind::Neutral) {
            row += 1;
            longest = longest.max(row);
        }
    }
    longest
}

/// The other senders of whose messages one that was sent behind `first` arrived at a recipient that got none of the row.
fn others_alive(evidence: &Evidence, account: AccountIx, first: ProbeId, row: &[Message]) -> BTreeSet<AccountIx> {
    let study = evidence.study();
    let recipients: BTreeSet<AccountIx> = row
        .iter()
        .filter(|message| message.kind == Kind::Control)
        .flat_map(|message| &study.channel(evidence.probe(message.probe).probe.channel).recipients)
        .copied()
        .collect();
    let mut others = BTreeSet::new();
    for record in &evidence.probes()[first.get()..] {
        let channel = study.channel(record.probe.channel);
        let reached = || channel.recipients.iter().any(|it| recipients.contains(it) && evidence.arrived(record.probe.id, *it));
        if channel.sender != account && !others.contains(&channel.sender) && reached() {
            others.insert(channel.sender);
        }
    }
    others
}

fn carry_over(account: AccountIx, messages: &[Message], senders: f64) -> Option<AccountEffect> {
    let (mut hits, mut missing, mut elsewhere, mut missing_elsewhere) = (0, 0, 0, 0);
    let mut since: Option<Timestamp> = None;
    // The hit whose next neutral message is still to come, and whether its consequences may still go on.
    let mut hit: Option<Timestamp> = None;
    let mut wake = false;
    // A path that is silent to the end lost more than what comes behind a hit.
    let mut last_arrival: BTreeMap<ChannelIx, ProbeId> = BTreeMap::new();
    last_arrival.extend(messages.iter().filter(|it| it.arrived).map(|it| (it.channel, it.probe)));
    let silent = |it: &Message| last_arrival.get(&it.channel).is_none_or(|last| *last < it.probe);
    for message in messages.iter().filter(|it| !silent(it)) {
        match message.kind {
            Kind::Hit => {
                hit = Some(message.at);
                wake = false;
            }
            Kind::Other => {}
            Kind::Control | Kind::Neutral => {
                let lost = u32::from(!message.arrived);
                if let Some(at) = hit.take() {
                    hits += 1;
                    missing += lost;
                    if lost == 1 {
                        since = since.or(Some(at));
                        wake = true;
                    }
                } else if wake && lost == 1 {
                    // The same row of losses: it counts once.
                } else {
                    wake = false;
                    elsewhere += 1;
                    missing_elsewhere += lost;
                }
            }
        }
    }
    let loss = upper_bound(u64::from(missing_elsewhere), u64::from(elsewhere), BOUND_TAIL).clamp(FLOOR, 1.0);
    // So many or more missing among the hits: a tail of the binomial distribution.
    let tail = cumulative(f64::from(missing), f64::from(hits - missing) + 1.0, loss);
    (missing > 1).then_some(AccountEffect {
        account,
        at: since?,
        effect: Effect::CarryOver { hits, missing, elsewhere, missing_elsewhere },
        chance: (senders * tail).min(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `c` a control, `n` a neutral item, `h` a hit; a capital one arrived.
    fn messages(text: &str) -> Vec<Message> {
        let message = |(place, letter): (i64, char)| Message {
            probe: ProbeId(place.unsigned_abs()),
            channel: ChannelIx(0),
            at: Timestamp(place),
            kind: match letter.to_ascii_lowercase() {
                'c' => Kind::Control,
                'n' => Kind::Neutral,
                _ => Kind::Hit,
            },
            arrived: letter.is_ascii_uppercase(),
        };
        (0..).zip(text.chars()).map(message).collect()
    }

    fn of(text: &str) -> Option<AccountEffect> {
        carry_over(AccountIx(0), &messages(text), 2.0)
    }

    #[test]
    fn the_message_behind_a_hit_tells() {
        let calm = "NNNNNCNNNNNCNNNNN".repeat(10);
        let Some(found) = of(&(calm.clone() + &"hccNNNNNN".repeat(6))) else { panic!("nothing found") };
        assert_eq!(found.effect, Effect::CarryOver { hits: 6, missing: 6, elsewhere: 206, missing_elsewhere: 0 });
        assert!(found.chance < 1e-9);
        assert_eq!(found.at, Timestamp(170));
        // Nothing behind the hits: nothing.
        assert_eq!(of(&(calm + &"hCNNNNN".repeat(6))), None);
    }

    #[test]
    fn losses_everywhere_are_no_carry_over() {
        let found = of(&"NnNNcNNhCNnNNhnNNNNnhcN".repeat(8));
        assert!(found.is_some_and(|it| it.chance > 1e-3), "{found:?}");
    }

    #[test]
    fn one_burst_is_one_loss() {
        // Two hits, both in the same row of losses: the second is counted, the row behind each is not.
        let text = "N".repeat(50) + "hcccccccc" + &"N".repeat(50);
        assert_eq!(of(&text), None);
    }

    #[test]
    fn the_longest_row_ends_where_something_arrives() {
        assert_eq!(longest_row(&messages("NccHccnNcC")), 3);
        assert_eq!(longest_row(&messages("NhhhN")), 0);
    }
}
