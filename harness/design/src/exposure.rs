//! Files of one MD5: one shown outside, after a delay the other sent inside.
//!
//! What is claimed says [`lacuna_inference::exposure`]; here is only what is sent when. The controls and the first trials, all with the longest
//! delay, go on side by side. While the evidence does not suffice another pair is exposed; once what is shown outside turns out to be
//! enforced inside, pairs are spent on the delay from which on it is, halving what is still plausible.

use std::collections::BTreeSet;

use lacuna_inference::evidence::Evidence;
use lacuna_inference::exposure::{Pair, Sent, Surveillance, Trials, UNEXPOSED_TO_ARRIVE, judge, sends, trials};
use lacuna_inference::mechanism::Showings;
use lacuna_inference::tally::Tallies;
use lacuna_model::{
    ArmIx, ChannelIx, DesignKind, Duration, ExposureRule, ItemIx, Outcome, Probe, Purpose, Reason, Study, Timestamp,
};

use crate::mechanism::FileAsk;
use crate::screen::Supply;

/// So many pairs are exposed at first.
const FIRST_PAIRS: usize = 3;

/// So often a file that cannot be sent is tried.
const MOST_TRIES: usize = 8;

/// So many sensitive files of their own are tried inside.
const MOST_SINGLES: usize = 3;

/// A file that is to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Due {
    item: ItemIx,
    channel: ChannelIx,
    from: Timestamp,
    purpose: Purpose,
    attempt: u32,
}

/// The state of an exposure study.
#[derive(Debug, Default)]
pub(crate) struct Exposure {
    rule: Option<ExposureRule>,
    files: Trials,
    /// Pairs that were chosen, and the delay of each.
    exposed: Vec<(Pair, Duration)>,
    showings: Showings,
    due: Vec<Due>,
    open: BTreeSet<ChannelIx>,
    /// Trials and controls that are not over.
    unfinished: usize,
}

impl Exposure {
    pub fn new(study: &Study) -> Self {
        let rule = study.exposure.clone().filter(|_| study.design == DesignKind::Exposure);
        let files = if rule.is_some() { Trials::of(study) } else { Trials::default() };
        Self { unfinished: usize::from(rule.is_some()), rule, files, ..Self::default() }
    }

    /// A new epoch: all channels are tried again.
    pub fn open_epoch(&mut self, study: &Study, evidence: &Evidence, tallies: &Tallies) {
        if self.rule.is_some() {
            self.open = study.channels().map(|(index, _)| index).collect();
            self.look(study, evidence, tallies);
        }
    }

    /// Trials and controls, and how many of them are not over.
    pub fn questions(&self) -> (usize, usize) {
        let controls = if self.rule.is_some() { 3 } else { 0 };
        (self.exposed.len() + controls, self.unfinished)
    }

    /// A send was planned.
    pub fn planned(&mut self, study: &Study, probe: &Probe, evidence: &Evidence, tallies: &Tallies) {
        if self.rule.is_some() {
            self.showings.planned(study, probe);
            self.look(study, evidence, tallies);
        }
    }

    /// Something was answered.
    pub fn concluded(&mut self, study: &Study, evidence: &Evidence, tallies: &Tallies) {
        if self.rule.is_some() {
            self.look(study, evidence, tallies);
        }
    }

    /// Nothing can be asked on this channel any more.
    pub fn close(&mut self, channel: ChannelIx, study: &Study, evidence: &Evidence, tallies: &Tallies) {
        if self.open.remove(&channel) {
            self.look(study, evidence, tallies);
        }
    }

    /// What this channel could send now, or when it will have something.
    pub fn supply(&self, channel: ChannelIx, at: Timestamp) -> Supply {
        let own = || self.due.iter().filter(|due| due.channel == channel);
        let ready = own().filter(|due| due.from <= at).count();
        if ready > 0 {
            return Supply::Ready(ready);
        }
        own().map(|due| due.from).min().map_or(Supply::Nothing, Supply::Later)
    }

    /// What this channel sends: what is due longest.
    pub fn next(&mut self, channel: ChannelIx, at: Timestamp) -> Option<FileAsk> {
        let ready = |due: &&Due| due.channel == channel && due.from <= at;
        let Due { item, purpose, attempt, .. } = *self.due.iter().filter(ready).min_by_key(|due| due.from)?;
        Some(FileAsk { item, purpose, attempt })
    }

    /// What is to be sent, by what is known now.
    fn look(&mut self, study: &Study, evidence: &Evidence, tallies: &Tallies) {
        let Some(rule) = self.rule.clone() else { return };
        let channels = |arm: ArmIx| -> Vec<ChannelIx> {
            study.arm(arm).channels.iter().copied().filter(|channel| self.open.contains(channel)).collect()
        };
        let (outside, inside) = (channels(rule.outside), channels(rule.inside));
        let mut round =
            Round { evidence, tallies, showings: &self.showings, rule: &rule, outside, inside, due: Vec::new(), unfinished: 0 };
        if round.outside.is_empty() || round.inside.is_empty() {
            self.due.clear();
            self.unfinished = 0;
            return;
        }
        let longest = rule.delays.last().copied().unwrap_or(Duration::ZERO);
        round.singles(&self.files.singles, longest);
        round.until_they_arrive(&self.files.harmless, longest, true, 1);
        round.until_they_arrive(&self.files.unexposed, longest, false, UNEXPOSED_TO_ARRIVE);
        for (turn, (pair, delay)) in self.exposed.iter().enumerate() {
            round.trial(*pair, *delay, turn, true);
        }
        // One more pair, once all that were exposed are answered; at first several at once.
        let waiting = round.exposed_open(&self.exposed);
        let chosen = self.exposed.len();
        if let Some(pair) = self.files.pairs.get(chosen).copied()
            && chosen < rule.max_pairs as usize
            && (chosen < FIRST_PAIRS || waiting == 0)
            && let Some(delay) = round.next_delay(&self.files, study.decision.false_positive_rate, chosen, longest)
        {
            self.exposed.push((pair, delay));
            return self.look(study, evidence, tallies);
        }
        (self.due, self.unfinished) = (round.due, round.unfinished);
    }
}

/// One look at everything.
struct Round<'a> {
    evidence: &'a Evidence,
    tallies: &'a Tallies,
    showings: &'a Showings,
    rule: &'a ExposureRule,
    outside: Vec<ChannelIx>,
    inside: Vec<ChannelIx>,
    due: Vec<Due>,
    unfinished: usize,
}

impl Round<'_> {
    fn sent(&self, item: ItemIx, arm: ArmIx) -> Vec<Sent> {
        sends(self.evidence, self.tallies, self.showings, item, arm)
    }

    fn is_outside(&self, item: ItemIx, turn: usize, from: Timestamp) -> Due {
        let channel = self.outside[turn % self.outside.len()];
        Due { item, channel, from, purpose: Purpose::Exposure, attempt: 1 }
    }

    fn is_inside(&self, item: ItemIx, turn: usize, from: Timestamp, attempt: usize) -> Due {
        let channel = self.inside[turn % self.inside.len()];
        let purpose = if attempt > 1 { Purpose::Confirm } else { Purpose::Exposure };
        Due { item, channel, from, purpose, attempt: u32::try_from(attempt).unwrap_or(u32::MAX) }
    }

    /// One of its files cannot be sent, however often that is tried.
    fn is_hopeless(&self, pair: Pair) -> bool {
        let files = [(pair.shown, self.rule.outside), (pair.twin, self.rule.inside)];
        files
            .into_iter()
            .any(|(item, arm)| self.showings.probes(item, arm).len() >= MOST_TRIES && self.sent(item, arm).is_empty())
    }

    /// One pair: what is shown, and after the delay its twin. Whether it is over.
    fn trial(&mut self, pair: Pair, delay: Duration, turn: usize, shows: bool) -> bool {
        let twin = self.sent(pair.twin, self.rule.inside);
        if let Some(twin) = twin.first() {
            self.unfinished += usize::from(twin.outcome.is_none());
            return twin.outcome.is_some();
        }
        if self.is_hopeless(pair) {
            return true;
        }
        let outside = self.sent(pair.shown, self.rule.outside);
        let due = match outside.first() {
            _ if !shows => self.is_inside(pair.twin, turn, Timestamp(0), 1),
            None => self.is_outside(pair.shown, turn, Timestamp(0)),
            // Whether it was shown is not known.
            Some(sent) if sent.outcome == Some(Outcome::UnknownSubmission) => return true,
            Some(sent) => self.is_inside(pair.twin, turn, sent.at + delay, 1),
        };
        self.due.push(due);
        self.unfinished += 1;
        false
    }

    /// Pairs of a control, one after the other, until so many twins arrived.
    fn until_they_arrive(&mut self, pairs: &[Pair], delay: Duration, shows: bool, wanted: usize) {
        let mut arrived = 0;
        for (turn, pair) in pairs.iter().enumerate() {
            if !self.trial(*pair, delay, turn, shows) {
                return;
            }
            arrived += usize::from(self.sent(pair.twin, self.rule.inside).first().is_some_and(Sent::has_arrived));
            if arrived == wanted {
                return;
            }
        }
    }

    /// Sensitive files of their own, until one was learned inside.
    fn singles(&mut self, singles: &[ItemIx], longest: Duration) {
        for (turn, item) in singles.iter().take(MOST_SINGLES).enumerate() {
            let sent = self.sent(*item, self.rule.inside);
            let Some(last) = sent.last() else {
                if self.showings.probes(*item, self.rule.inside).len() >= MOST_TRIES {
                    continue;
                }
                self.due.push(self.is_inside(*item, turn, Timestamp(0), 1));
                self.unfinished += 1;
                return;
            };
            if last.outcome.is_none() {
                self.unfinished += 1;
                return;
            }
            let arrivals = sent.iter().filter(|sent| sent.has_arrived()).count();
            if arrivals == 0 {
                // Dropped at first, by chance or not: another one tells.
                continue;
            }
            let since = sent.iter().rev().take_while(|sent| !sent.has_arrived()).filter(|sent| sent.is_blocked()).count();
            if self.is_learned(&sent) {
                return;
            }
            // Twice as long once more, then the next.
            if since == 0 && arrivals >= 3 {
                continue;
            }
            let from = match (since, arrivals) {
                (0, 1) => sent[0].at + longest,
                (0, _) => sent[0].at + longest.times(2),
                _ => last.at,
            };
            self.due.push(self.is_inside(*item, turn, from, sent.len() + 1));
            self.unfinished += 1;
            return;
        }
    }

    fn is_learned(&self, sent: &[Sent]) -> bool {
        lacuna_inference::exposure::is_learned(sent, self.evidence.study().decision.false_positive_rate)
    }

    fn exposed_open(&self, exposed: &[(Pair, Duration)]) -> usize {
        let is_open = |(pair, _): &&(Pair, Duration)| {
            let shown = self.sent(pair.shown, self.rule.outside);
            let lost = shown.first().is_some_and(|shown| shown.outcome == Some(Outcome::UnknownSubmission));
            !lost
                && !self.is_hopeless(*pair)
                && self.sent(pair.twin, self.rule.inside).first().is_none_or(|twin| twin.outcome.is_none())
        };
        exposed.iter().filter(is_open).count()
    }

    fn seen(&self, files: &Trials) -> Vec<lacuna_inference::exposure::Trial> {
        trials(self.evidence, self.tallies, self.showings, self.rule, files)
    }

    /// The delay of the next pair; `None` if no further one says more.
    fn next_delay(&self, files: &Trials, false_positive_rate: f64, chosen: usize, longest: Duration) -> Option<Duration> {
        if chosen < FIRST_PAIRS {
            return Some(longest);
        }
        let record = judge(&self.seen(files), self.rule, false_positive_rate);
        match record.claim {
            Surveillance::NotSurveilled | Surveillance::Inconclusive(Reason::Reencoded | Reason::Deduplicated) => None,
            // The controls still go on; the pairs wait for them where they already say enough.
            Surveillance::Inconclusive(Reason::CanaryDelivered | Reason::ControlFailed) => {
                let undecided = record.ln_e < -libm::log(false_positive_rate) && record.blocked > 0;
                undecided.then_some(longest)
            }
            Surveillance::Inconclusive(_) => Some(longest),
            Surveillance::Surveilled => {
                let (above, at_most) = record.learning?;
                // A send is never quite as late as it was meant to be: the delay that it stands for is the one just below.
                let delays = &self.rule.delays;
                let dropped_from = at_most.and_then(|at_most| delays.iter().filter(|delay| **delay <= at_most).max());
                let plausible = |delay: &&Duration| **delay > above && dropped_from.is_none_or(|from| *delay < from);
                let between: Vec<&Duration> = delays.iter().filter(plausible).collect();
                between.get(between.len() / 2).copied().copied()
            }
        }
    }
}
