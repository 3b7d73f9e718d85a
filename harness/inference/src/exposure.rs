//! Is what accounts outside a region exchange enforced inside?
//!
//! A *pair* is a sensitive file and a harmless one with the same MD5. The sensitive file is shown outside; after a delay its harmless twin is sent
//! inside, for the first time. If it is dropped, the index inside was fed by the conversation outside: nothing in the twin itself could
//! have done that. Every trial takes a fresh pair.
//!
//! That is claimed only where four controls held:
//!
//! - the filter inside learns such content at all: a sensitive file of its own is dropped when its bytes are sent again (else
//!   `canary_delivered`);
//! - two harmless twins whose sensitive files were never shown arrive, and at most one harmless control is missing. A platform that drops most
//!   files of such pairs, but not all, for another reason can still be taken for one that surveils, where just its controls arrive;
//! - of a harmless pair, one of which was shown outside, the other arrives *with its own SHA-256* (else the platform stores one file for an
//!   MD5, `deduplicated`, or no MD5 survives it, `reencoded`);
//! - the path inside is alive, as for every outcome.
//!
//! # Evidence
//!
//! Without surveillance each twin is missing with a probability of at most p⁺, the bound on the loss. The e-value is over the trials with the longest
//! delay alone. The time that the index takes to learn is the delay from which on twins are dropped: all values are kept whose
//! likelihood is within a factor of 6.8 of the best (a likelihood-ratio interval, nominally 95 %).

use lacuna_model::{ArmIx, Duration, ExposureRule, ItemIx, Outcome, ProbeId, Reason, Role, Study, Timestamp};
use libm::log;

use crate::evidence::{Evidence, FileState};
use crate::mechanism::Showings;
use crate::sequential::{BlockDrops, STAKE_ON_PARTLY, ln_e_value};
use crate::tally::Tallies;

/// So many twins that arrive after the longest delay, and none that does not, show that nothing is enforced.
const ARRIVALS_TO_CLEAR: usize = 3;

/// So many harmless twins of what was never shown must arrive.
pub const UNEXPOSED_TO_ARRIVE: usize = 2;

/// An index that knows a file lets it pass so rarely.
const LETS_PASS: f64 = 0.001;

/// Half of the 95 % quantile of chi-square with one degree of freedom.
const WITHIN: f64 = 1.921;

/// A sensitive file and a harmless one with the same MD5, or two harmless ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    /// What is shown outside.
    pub shown: ItemIx,
    /// What is sent inside.
    pub twin: ItemIx,
}

/// The files of a study, by what they are for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trials {
    /// Sensitive files and their twins.
    pub pairs: Vec<Pair>,
    /// Twins whose sensitive file is never shown.
    pub unexposed: Vec<Pair>,
    /// Two harmless files.
    pub harmless: Vec<Pair>,
    /// Sensitive files of their own.
    pub singles: Vec<ItemIx>,
}

/// One in so many pairs is kept for twins that are never exposed.
const PAIRS_A_CONTROL: usize = 5;

impl Trials {
    /// What each file of a study is for. A file that is expected to be dropped is sensitive.
    #[must_use]
    pub fn of(study: &Study) -> Self {
        let mut trials = Self::default();
        let files = || (0..).map(ItemIx).zip(&study.items).filter(|(_, item)| item.role == Role::Candidate);
        let twin_of = |shown: ItemIx| {
            let is_twin =
                |item: &lacuna_model::Item| item.file.as_ref().is_some_and(|file| file.origin.same_md5_as == Some(shown));
            files().find(|(_, item)| is_twin(item)).map(|(index, _)| index)
        };
        let mut sensitive = 0;
        for (index, item) in files() {
            let Some(file) = &item.file else { continue };
            let is_sensitive = item.prior.expected_dropped == Some(true);
            match (file.origin.same_md5_as, twin_of(index)) {
                (None, Some(twin)) if is_sensitive => {
                    sensitive += 1;
                    let kept = sensitive % PAIRS_A_CONTROL == 2;
                    let pairs = if kept { &mut trials.unexposed } else { &mut trials.pairs };
                    pairs.push(Pair { shown: index, twin });
                }
                (None, Some(twin)) => trials.harmless.push(Pair { shown: index, twin }),
                (None, None) if is_sensitive => trials.singles.push(index),
                (Some(_), _) | (None, None) => {}
            }
        }
        trials
    }
}

/// What became of a file that was sent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sent {
    /// The send.
    pub probe: ProbeId,
    /// When.
    pub at: Timestamp,
    /// What became of it; `None` while that is open.
    pub outcome: Option<Outcome>,
    /// In what state it arrived.
    pub state: Option<FileState>,
    /// The upper bound on the loss there and then.
    pub loss_upper: f64,
}

impl Sent {
    /// It was dropped, or taken away, or refused.
    #[must_use]
    pub const fn is_blocked(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Dropped | Outcome::Refused | Outcome::Retracted))
    }

    /// It arrived, changed or not.
    #[must_use]
    pub const fn has_arrived(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Delivered | Outcome::DeliveredLate | Outcome::Altered))
    }
}

/// What a trial is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TrialKind {
    /// A twin of what was shown outside.
    Exposed,
    /// A twin of what was never shown.
    Unexposed,
    /// Half of a harmless pair.
    Harmless,
    /// A sensitive file of its own, sent inside.
    Learning,
}

impl TrialKind {
    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exposed => "exposed",
            Self::Unexposed => "unexposed",
            Self::Harmless => "harmless",
            Self::Learning => "learning",
        }
    }
}

/// One send inside that says something, with what was shown before it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Trial {
    /// What it is for.
    pub kind: TrialKind,
    /// What was shown outside, or first sent inside.
    pub shown: Option<(ItemIx, Sent)>,
    /// What was sent inside then.
    pub item: ItemIx,
    /// What became of that.
    pub sent: Sent,
}

impl Trial {
    /// From the showing to the send.
    #[must_use]
    pub fn delay(&self) -> Option<Duration> {
        self.shown.map(|(_, shown)| self.sent.at - shown.at)
    }
}

/// The sends of one file on one arm, those that left, for the first recipient of each message: in a group the others are not looked at.
#[must_use]
pub fn sends(evidence: &Evidence, tallies: &Tallies, showings: &Showings, item: ItemIx, arm: ArmIx) -> Vec<Sent> {
    let sent = |probe: &ProbeId| {
        let record = evidence.probe(*probe);
        let at = record.started_at.unwrap_or(record.planned_at);
        // What was certainly not sent was not shown either.
        if matches!(record.send_state, Some(lacuna_model::SendState::Failed | lacuna_model::SendState::RateLimited)) {
            return None;
        }
        let recipient = *evidence.study().channel(record.probe.channel).recipients.first()?;
        Some(Sent {
            probe: *probe,
            at,
            outcome: evidence.outcome(*probe, recipient),
            state: evidence.file_state(*probe, recipient),
            loss_upper: tallies.loss_bound_at(arm, recipient, at),
        })
    };
    showings.probes(item, arm).iter().filter_map(sent).collect()
}

/// Every trial whose send inside left, in the order of the files.
#[must_use]
pub fn trials(evidence: &Evidence, tallies: &Tallies, showings: &Showings, rule: &ExposureRule, files: &Trials) -> Vec<Trial> {
    let inside = |item| sends(evidence, tallies, showings, item, rule.inside);
    let shown_outside = |item| sends(evidence, tallies, showings, item, rule.outside).into_iter().next();
    let mut trials = Vec::new();
    let mut paired = |kind, pairs: &[Pair]| {
        for pair in pairs {
            if let Some(sent) = inside(pair.twin).into_iter().next() {
                let shown = shown_outside(pair.shown).map(|shown| (pair.shown, shown));
                trials.push(Trial { kind, shown, item: pair.twin, sent });
            }
        }
    };
    paired(TrialKind::Exposed, &files.pairs);
    paired(TrialKind::Unexposed, &files.unexposed);
    paired(TrialKind::Harmless, &files.harmless);
    for item in &files.singles {
        let sent = inside(*item);
        let first = sent.first().copied();
        for again in sent {
            let shown = first.filter(|first| first.probe != again.probe).map(|first| (*item, first));
            trials.push(Trial { kind: TrialKind::Learning, shown, item: *item, sent: again });
        }
    }
    trials
}

/// What is claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Surveillance {
    /// What is shown outside is enforced inside.
    Surveilled,
    /// It is not, within the longest delay.
    NotSurveilled,
    /// Nothing can be said.
    Inconclusive(Reason),
}

impl Surveillance {
    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Surveilled => "surveilled",
            Self::NotSurveilled => "not_surveilled",
            Self::Inconclusive(_) => "inconclusive",
        }
    }
}

/// The claim of an exposure study.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ExposureRecord {
    /// What is claimed.
    pub claim: Surveillance,
    /// The logarithm of the e-value of the twins that were sent after the longest delay.
    pub ln_e: f64,
    /// Twins that count, and how many of them were blocked.
    pub twins: u32,
    /// Of these, blocked.
    pub blocked: u32,
    /// From which delay on twins are dropped lies above the first and at most at the second; `None` for no bound.
    pub learning: Option<(Duration, Option<Duration>)>,
}

/// What is claimed from these trials.
#[must_use]
pub fn judge(trials: &[Trial], rule: &ExposureRule, false_positive_rate: f64) -> ExposureRecord {
    let ln_least = -log(false_positive_rate);
    let of = |kind| trials.iter().filter(move |trial: &&Trial| trial.kind == kind);
    let longest = rule.delays.last().copied().unwrap_or(Duration::ZERO);
    let counted = |trial: &&Trial| trial.sent.is_blocked() || trial.sent.has_arrived();
    let exposed: Vec<&Trial> = of(TrialKind::Exposed).filter(|trial| trial.delay().is_some()).filter(counted).collect();
    let latest: Vec<&Trial> = exposed.iter().copied().filter(|trial| trial.delay() >= Some(longest)).collect();
    let ln_e = ln_e_of(latest.iter().map(|trial| &trial.sent));
    let blocked = latest.iter().filter(|trial| trial.sent.is_blocked()).count();
    let arrived = latest.len() - blocked;
    let learning = learning(&exposed);

    // What arrives says in what state; any harmless file on the path inside will do.
    let harmless: Vec<&Trial> = of(TrialKind::Harmless).filter(|trial| trial.sent.has_arrived()).collect();
    let state = |wanted: fn(FileState) -> bool| {
        let mut arrived = trials.iter().filter(|trial| trial.sent.has_arrived());
        arrived.any(|trial| trial.sent.state.is_some_and(wanted))
    };
    let learns = of(TrialKind::Learning).map(|trial| trial.item).collect::<std::collections::BTreeSet<_>>();
    let learns = learns.into_iter().any(|item| {
        let sends: Vec<Sent> = of(TrialKind::Learning).filter(|trial| trial.item == item).map(|trial| trial.sent).collect();
        is_learned(&sends, false_positive_rate)
    });
    let twins_arrived = of(TrialKind::Unexposed).filter(|trial| trial.sent.has_arrived()).count();
    // One harmless twin may be lost; a second one means that such files are dropped for a reason of their own.
    let controls = of(TrialKind::Unexposed).chain(of(TrialKind::Harmless));
    let controls_blocked = controls.filter(|trial| trial.sent.is_blocked()).count();
    let claim = if state(|state| matches!(state, FileState::Reencoded | FileState::Unknown)) {
        Surveillance::Inconclusive(Reason::Reencoded)
    } else if state(|state| matches!(state, FileState::Replaced(_))) {
        Surveillance::Inconclusive(Reason::Deduplicated)
    } else if !learns && of(TrialKind::Learning).all(|trial| !trial.sent.has_arrived()) {
        // Nothing passes, the first time either: there is nothing that could be learned.
        Surveillance::Inconclusive(Reason::ControlFailed)
    } else if !learns {
        Surveillance::Inconclusive(Reason::CanaryDelivered)
    } else if controls_blocked > 1
        || twins_arrived < UNEXPOSED_TO_ARRIVE
        || !harmless.iter().any(|trial| trial.sent.state == Some(FileState::Intact))
    {
        Surveillance::Inconclusive(Reason::ControlFailed)
    } else if blocked >= 2 && ln_e >= ln_least {
        Surveillance::Surveilled
    } else if arrived >= ARRIVALS_TO_CLEAR && ln_e < 0.0 {
        Surveillance::NotSurveilled
    } else {
        Surveillance::Inconclusive(Reason::BudgetExhausted)
    };
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let learning = learning.filter(|_| claim == Surveillance::Surveilled);
    ExposureRecord { claim, ln_e, twins: count(latest.len()), blocked: count(blocked), learning }
}

/// Whether a file passed, and its bytes were dropped from then on.
#[must_use]
pub fn is_learned(sends: &[Sent], false_positive_rate: f64) -> bool {
    let Some(last) = sends.iter().rposition(Sent::has_arrived) else { return false };
    let since = &sends[last + 1..];
    since.iter().filter(|sent| sent.is_blocked()).count() >= 2 && ln_e_of(since.iter()) >= -log(false_positive_rate)
}

fn ln_e_of<'a>(sent: impl Iterator<Item = &'a Sent> + Clone) -> f64 {
    let drops = sent.clone().filter(|sent| sent.is_blocked()).map(|sent| BlockDrops { drops: 1, loss_upper: sent.loss_upper });
    let arrivals = u32::try_from(sent.clone().filter(|sent| sent.has_arrived()).count()).unwrap_or(u32::MAX);
    let bound = sent.map(|sent| sent.loss_upper).fold(0.0, f64::max).min(0.999);
    ln_e_value(&drops, arrivals, bound, STAKE_ON_PARTLY)
}

/// Between which delays twins begin to be dropped.
fn learning(exposed: &[&Trial]) -> Option<(Duration, Option<Duration>)> {
    let mut seen: Vec<(Duration, bool, f64)> =
        exposed.iter().filter_map(|trial| Some((trial.delay()?, trial.sent.is_blocked(), trial.sent.loss_upper))).collect();
    seen.sort_unstable_by_key(|(delay, ..)| *delay);
    if !seen.iter().any(|(_, blocked, _)| *blocked) {
        return None;
    }
    // The index knows the file from the `from`-th delay on.
    let likelihood = |from: usize| -> f64 {
        let of = |(place, (_, blocked, loss)): (usize, &(Duration, bool, f64))| {
            let p = loss.clamp(0.001, 0.999);
            match (place >= from, blocked) {
                (true, true) => log(1.0 - LETS_PASS),
                (true, false) => log(LETS_PASS),
                (false, true) => log(p),
                (false, false) => log(1.0 - p),
            }
        };
        seen.iter().enumerate().map(of).sum()
    };
    let all: Vec<f64> = (0..=seen.len()).map(likelihood).collect();
    let best = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let plausible = || all.iter().enumerate().filter(|(_, it)| **it >= best - WITHIN).map(|(from, _)| from);
    let (first, last) = (plausible().min()?, plausible().max()?);
    // To the millisecond, outwards.
    let above = if first == 0 { Duration::ZERO } else { Duration::from_millis(seen[first - 1].0.as_millis()) };
    let at_most = seen.get(last).map(|(delay, ..)| Duration::from_millis(delay.as_millis() + 1));
    Some((above, at_most))
}

/// What is claimed of the whole run; `None` where nothing was exposed.
#[must_use]
pub fn derive(evidence: &Evidence, tallies: &Tallies) -> Option<(ExposureRecord, Vec<Trial>)> {
    let study = evidence.study();
    let rule = study.exposure.as_ref()?;
    let trials = trials(evidence, tallies, &Showings::of(evidence), rule, &Trials::of(study));
    Some((judge(&trials, rule, study.decision.false_positive_rate), trials))
}
