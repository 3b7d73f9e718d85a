//! What must hold after every run, whatever was sent and whatever went wrong.
//!
//! The checks read the journal. What they know of arrivals comes from the fold that `analyze` uses; everything else they
//! count for themselves, so that the engine is not checked by its own books.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use lacuna_design::{Command, Engine};
use lacuna_inference::evidence::{Change, Evidence};
use lacuna_model::{
    AccountIx, ChannelIx, Deadline, Decision, Entry, EntrySequence, Fact, Outcome, Probe, ProbeId, Purpose, Role, SendResult,
    StopReason, Timestamp,
};

use crate::run::Run;

/// After so many controls in vain a path may be given up, and a group goes on without that recipient.
const CONTROLS_UNTIL_DEAD: usize = 9;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// Every invariant that the run broke, one line each.
pub fn broken(run: &Run) -> Vec<String> {
    let mut watch = Watch::new(run);
    for (sequence, (at, entry)) in run.entries.iter().enumerate() {
        watch.entry(sequence, *at, entry);
    }
    watch.ended();
    let mut broken = watch.broken;
    broken.extend(replay(run, run.entries.len()).err());
    broken
}

/// A fresh engine, told the facts of the journal's first `length` entries, decides what the journal says. Returns the engine
/// and the decisions behind the last entry.
pub fn replay(run: &Run, length: usize) -> Result<(Engine, Vec<Decision>), String> {
    let mut engine = Engine::new(Arc::clone(&run.study));
    let mut expected: VecDeque<Decision> = VecDeque::new();
    let mut commands = Vec::new();
    for (sequence, (at, entry)) in run.entries[..length].iter().enumerate() {
        match entry {
            Entry::Fact(fact) => {
                engine.handle(EntrySequence(sequence as u64), *at, fact, &mut commands);
                expected.extend(commands.drain(..).filter_map(|command| match command {
                    Command::Decide(decision) => Some(decision),
                    _ => None,
                }));
            }
            Entry::Decision(decision) => {
                let replayed = expected.pop_front();
                if replayed.as_ref() != Some(decision) {
                    return Err(format!("entry {sequence}: the journal says {decision:?}, the replay {replayed:?}"));
                }
            }
        }
    }
    if length == run.entries.len() && !expected.is_empty() {
        return Err(format!("the replay decides what is not in the journal: {expected:?}"));
    }
    Ok((engine, expected.into()))
}

/// A message, as the journal tells it.
struct Sent {
    probe: Probe,
    planned: usize,
    epoch: u32,
    accepted: bool,
}

/// Follows a journal entry by entry.
struct Watch<'a> {
    run: &'a Run,
    evidence: Evidence,
    sent: Vec<Sent>,
    on_channel: Vec<Vec<usize>>,
    epoch: u32,
    /// For each recipient, the entries at which its sight was broken: gaps and epochs.
    blind_at: Vec<Vec<usize>>,
    /// When a message arrived: its entry.
    arrivals: BTreeMap<(ProbeId, AccountIx), usize>,
    /// When a missing message was called missing: its entry.
    dropped_at: BTreeMap<(ProbeId, AccountIx), (usize, Timestamp)>,
    in_flight: Vec<u16>,
    last_start: Vec<Option<Timestamp>>,
    rests_until: Vec<Timestamp>,
    per_day: BTreeMap<(AccountIx, i64), u64>,
    stopped: Option<StopReason>,
    broken: Vec<String>,
}

impl<'a> Watch<'a> {
    fn new(run: &'a Run) -> Self {
        let accounts = run.study.accounts.len();
        Self {
            run,
            evidence: Evidence::new(Arc::clone(&run.study)),
            sent: Vec::new(),
            on_channel: vec![Vec::new(); run.study.channels.len()],
            epoch: 0,
            blind_at: vec![Vec::new(); accounts],
            arrivals: BTreeMap::new(),
            dropped_at: BTreeMap::new(),
            in_flight: vec![0; accounts],
            last_start: vec![None; accounts],
            rests_until: vec![Timestamp(i64::MIN); accounts],
            per_day: BTreeMap::new(),
            stopped: None,
            broken: Vec::new(),
        }
    }

    fn check(&mut self, holds: bool, message: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(message());
        }
    }

    fn entry(&mut self, sequence: usize, at: Timestamp, entry: &Entry) {
        if let Entry::Decision(Decision::ProbePlanned(probe)) = entry {
            self.planned(sequence, at, probe);
        }
        let mut changes = Vec::new();
        self.evidence.apply(EntrySequence(sequence as u64), at, entry, &mut changes);
        for change in changes {
            self.changed(sequence, at, change);
        }
        match entry {
            Entry::Decision(Decision::Stopped { reason }) => self.stopped = Some(*reason),
            Entry::Decision(Decision::ProbePlanned(_) | Decision::SearchBegun(_)) => {}
            Entry::Fact(fact) => self.fact(sequence, at, fact),
        }
    }

    fn fact(&mut self, sequence: usize, at: Timestamp, fact: &Fact) {
        match fact {
            Fact::EpochOpened { epoch, .. } => {
                self.epoch = *epoch;
                self.in_flight.fill(0);
                self.blind_at.iter_mut().for_each(|blind| blind.push(sequence));
                if self.stopped != Some(StopReason::Sanction) {
                    self.stopped = None;
                }
            }
            Fact::Gap { account, .. } => self.blind_at[account.get()].push(sequence),
            Fact::SendStarted { probe, .. } => self.started(at, *probe),
            Fact::SendResult { probe, result } => {
                let sender = self.sender(*probe);
                self.in_flight[sender.get()] -= 1;
                self.sent[probe.get()].accepted = matches!(result, SendResult::Accepted { .. });
            }
            _ => {}
        }
    }

    fn sender(&self, probe: ProbeId) -> AccountIx {
        self.run.study.channel(self.sent[probe.get()].probe.channel).sender
    }

    fn planned(&mut self, sequence: usize, at: Timestamp, probe: &Probe) {
        let study = Arc::clone(&self.run.study);
        let (expected, stopped, channel) = (self.sent.len(), self.stopped, probe.channel);
        self.check(probe.id.get() == expected, || format!("{} is planned as number {expected}", probe.id));
        self.check(stopped.is_none(), || format!("{} is sent after the stop ({stopped:?})", probe.id));
        let most = study.safety.max_messages;
        self.check((expected as u64) < most, || format!("{} exceeds the {most} messages of the run", probe.id));
        let length = study.text_of(probe).chars().count();
        self.check(length <= study.text.longest, || format!("{} has {length} characters", probe.id));
        let sender = study.channel(channel).sender;
        let today = self.per_day.entry((sender, at.0.div_euclid(MICROSECONDS_PER_DAY))).or_default();
        *today += 1;
        let (today, most) = (*today, study.safety.max_messages_per_account_per_day);
        self.check(today <= most, || format!("{} is message {today} of its sender on one day", probe.id));
        if probe.role != Role::Control {
            for recipient in &study.channel(channel).recipients {
                let alive = self.is_alive_or_given_up(channel, *recipient);
                self.check(alive, || format!("{} is sent before a control arrived at account {}", probe.id, recipient.0));
            }
            self.check_confirmation(at, probe);
        }
        // What was sent before, in a pool or in another epoch, may be in doubt again.
        let before = |it: &Sent| probe.items.iter().all(|item| it.probe.items.contains(item));
        if probe.role == Role::Candidate && probe.attempt == 1 && !self.sent.iter().any(before) {
            // What an interruption gives another chance comes behind the canaries of the epoch before it.
            let canary = self.sent.iter().any(|it| it.epoch == self.epoch && it.probe.role == Role::Canary);
            self.check(!canary, || format!("{}, a candidate, is first sent behind a canary", probe.id));
        }
        self.on_channel[channel.get()].push(self.sent.len());
        self.sent.push(Sent { probe: probe.clone(), planned: sequence, epoch: self.epoch, accepted: false });
    }

    /// Something sent on the path since its recipient was last blind arrived; or so many controls went missing that the path
    /// was given up.
    fn is_alive_or_given_up(&self, channel: ChannelIx, recipient: AccountIx) -> bool {
        let since = self.blind_at[recipient.get()].last().copied().unwrap_or(0);
        let of_path = || self.on_channel[channel.get()].iter().map(|index| &self.sent[*index]).filter(|it| it.planned > since);
        let arrived = of_path().any(|it| self.arrivals.contains_key(&(it.probe.id, recipient)));
        arrived || of_path().filter(|it| it.probe.role == Role::Control).count() >= CONTROLS_UNTIL_DEAD
    }

    /// A confirming send keeps its distance from the drop that it confirms.
    fn check_confirmation(&mut self, at: Timestamp, probe: &Probe) {
        let study = Arc::clone(&self.run.study);
        let arm = study.channel(probe.channel).arm;
        let recipients = &study.channel(probe.channel).recipients;
        if probe.purpose != Purpose::Confirm {
            return;
        }
        let same = |it: &ProbeId| {
            let other = &self.sent[it.get()].probe;
            other.items == probe.items && other.excerpt == probe.excerpt && study.channel(other.channel).arm == arm
        };
        let drops = self.dropped_at.iter().filter(|((id, recipient), _)| recipients.contains(recipient) && same(id));
        let latest = drops.map(|(_, (_, at))| *at).max();
        let kept = latest.is_none_or(|latest| at - latest >= study.pacing.confirm_after);
        self.check(kept, || format!("{} confirms too early", probe.id));
    }

    fn started(&mut self, at: Timestamp, probe: ProbeId) {
        let study = Arc::clone(&self.run.study);
        let sender = self.sender(probe).get();
        self.in_flight[sender] += 1;
        let (in_flight, most) = (self.in_flight[sender], study.pacing.in_flight);
        self.check(in_flight <= most, || format!("{probe} is unacknowledged send {in_flight} of its account"));
        let gap = self.last_start[sender].replace(at).map(|last| at - last);
        self.check(gap.is_none_or(|gap| gap >= study.pacing.min_gap), || format!("{probe} leaves {gap:?} after the one before"));
        let rested = at >= self.rests_until[sender];
        self.check(rested, || format!("{probe} leaves while its account rests after a drop"));
    }

    fn changed(&mut self, sequence: usize, at: Timestamp, change: Change) {
        match change {
            Change::Arrived { probe, recipient } => {
                self.arrivals.insert((probe, recipient), sequence);
            }
            Change::Outcome { probe, recipient, outcome, before: None } => {
                let candidate = self.sent[probe.get()].probe.role != Role::Control;
                if candidate && matches!(outcome, Outcome::Dropped | Outcome::Refused) {
                    let sender = self.sender(probe).get();
                    self.rests_until[sender] = self.rests_until[sender].max(at + self.run.study.pacing.cool_off);
                }
                if outcome == Outcome::Dropped {
                    self.dropped_at.insert((probe, recipient), (sequence, at));
                }
            }
            Change::Outcome { .. } => {}
        }
    }

    fn ended(&mut self) {
        self.check_brackets();
        let finished = self.stopped == Some(StopReason::Finished);
        if finished {
            for channel in 0..self.on_channel.len() {
                let of_channel = self.on_channel[channel].iter().rev().map(|index| &self.sent[*index]);
                let Some(last) = of_channel.clone().find(|it| it.accepted) else { continue };
                // An account that is sanctioned, has spent its day or cannot send any more cannot close its paths, and what an
                // interruption left open is void.
                let sender = self.sender(last.probe.id);
                let spent = |((account, _), sent): (&(AccountIx, i64), &u64)| {
                    *account == sender && *sent >= self.run.study.safety.max_messages_per_account_per_day
                };
                let latest = self.sent.iter().rev().find(|it| self.sender(it.probe.id) == sender);
                let is_down = latest.is_some_and(|it| !it.accepted);
                let excused =
                    is_down || self.evidence.sanctioned(sender) || last.epoch < self.epoch || self.per_day.iter().any(spent);
                let closed = last.probe.role == Role::Control || excused;
                self.check(closed, || format!("channel {channel} ends on a candidate"));
            }
        }
        let study = &self.run.study;
        let pairs: usize = self.sent.iter().map(|it| study.channel(it.probe.channel).recipients.len()).sum();
        let rows = self.evidence.outcomes().count();
        self.check(rows == pairs, || format!("{pairs} pairs of probe and recipient, {rows} outcomes"));
        let open = self.evidence.outcomes().filter(|it| self.evidence.outcome(it.probe, it.recipient).is_none()).count();
        let last = self.run.entries.last().map(|(_, entry)| entry);
        let listened = matches!(last, Some(Entry::Fact(Fact::DeadlinePassed(Deadline::Listen))));
        self.check(!listened || open == 0, || format!("{open} outcomes are open at the end"));
        self.check(self.stopped.is_some(), || format!("the run ended without a decision to stop, behind {last:?}"));
        let same = self.evidence.outcomes().eq(self.run.engine.evidence().outcomes());
        self.check(same, || "the journal gives other outcomes than the engine had".to_owned());
    }

    /// What was called dropped was so between two messages that arrived, near, in the same epoch, seen without a gap.
    fn check_brackets(&mut self) {
        let study = Arc::clone(&self.run.study);
        let rows: Vec<_> = self.evidence.outcomes().filter(|it| it.first_outcome == Outcome::Dropped).collect();
        for row in rows {
            let id = row.probe;
            let (Some(before), Some(after)) = (row.bracket_before, row.bracket_after) else {
                self.broken.push(format!("{id} is dropped without a bracket"));
                continue;
            };
            let Some((judged, _)) = self.dropped_at.get(&(id, row.recipient)).copied() else {
                self.broken.push(format!("nothing says when {id} was called dropped"));
                continue;
            };
            for side in [before, after] {
                let other = &self.sent[side.get()];
                let arrived = self.arrivals.get(&(side, row.recipient)).is_some_and(|arrival| *arrival < judged);
                let epochs = (other.epoch, self.sent[id.get()].epoch);
                self.check(arrived, || format!("{side} brackets {id} and had not arrived"));
                self.check(epochs.0 == epochs.1, || format!("{side} brackets {id} from another epoch"));
            }
            let in_order = before < id && id < after;
            self.check(in_order, || format!("{before} and {after} do not enclose {id}"));
            let channel = self.sent[id.get()].probe.channel;
            let places = &self.on_channel[channel.get()];
            let steps = |from: ProbeId, to: ProbeId| {
                places.iter().filter(|it| (from.get()..to.get()).contains(*it) && self.sent[**it].accepted).count()
            };
            // From the bracket to the probe: the accepted ones, the bracket or the probe itself among them.
            let reach = usize::from(study.watch.bracket_messages);
            let far = steps(before, id).max(steps(id, after));
            self.check(far <= reach, || format!("a bracket of {id} is {far} messages away"));
            let first = self.sent[before.get()].planned;
            let blind = self.blind_at[row.recipient.get()].iter().any(|it| (first..judged).contains(it));
            self.check(!blind, || format!("account {} was blind between the brackets of {id}", row.recipient.0));
        }
    }
}
