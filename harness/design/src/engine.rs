//! The fold over the facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lacuna_inference::evidence::{Change, Evidence};
use lacuna_inference::tally::Tallies;
use lacuna_model::{
    AccountCondition, AccountIx, ChannelIx, Deadline, Decision, DesignKind, Duration, EntrySequence, Fact, Outcome, ProbeId,
    Role, SendResult, StopReason, Study, Timestamp,
};
use rand_chacha::ChaCha12Rng;

use crate::account::SendingAccount;
use crate::channel::ChannelState;
use crate::check::Check;
use crate::command::{Command, Progress};
use crate::controls::{Controls, Likeness};
use crate::exposure::Exposure;
use crate::isolate::Isolation;
use crate::mechanism::Mechanism;
use crate::random::generator;
use crate::screen::Screen;

/// The engine. See the [crate](crate) for what it is and is not.
pub struct Engine {
    pub(crate) study: Arc<Study>,
    pub(crate) evidence: Evidence,
    pub(crate) tallies: Tallies,
    pub(crate) screen: Screen,
    pub(crate) isolation: Isolation,
    pub(crate) mechanism: Mechanism,
    pub(crate) exposure: Exposure,
    /// Nothing is asked: the paths are checked.
    pub(crate) check: Option<Check>,
    pub(crate) channels: Vec<ChannelState>,
    pub(crate) accounts: Vec<SendingAccount>,
    /// The channels on which each account sends.
    pub(crate) sends_on: Vec<Vec<ChannelIx>>,
    /// The controls of each channel.
    pub(crate) controls: Vec<Controls>,
    /// What the latest candidate of each channel looked like.
    pub(crate) likeness: Vec<Option<Likeness>>,
    /// Chooses among the channels of an account.
    pub(crate) choices: Vec<ChaCha12Rng>,
    /// The graces that are running, and until when.
    pub(crate) graces: BTreeMap<(ProbeId, AccountIx), Timestamp>,
    /// Accounts whose next step is to be considered.
    pub(crate) dirty: BTreeSet<AccountIx>,
    pub(crate) run: Run,
    changes: Vec<Change>,
}

/// Where the run as a whole stands.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub phase: Phase,
    pub stopped: Option<StopReason>,
    /// The researcher asked for an end, or late listening is over: only the answers that are under way are waited for.
    pub leaving: bool,
    /// Until when receivers listen, once nothing is sent any more.
    pub listen_until: Option<Timestamp>,
    pub sent: u64,
    pub controls: u64,
    pub in_flight: u64,
    pub last_sent_at: Timestamp,
    /// Something in texts was left to be searched when this was last looked at.
    pub texts_open: bool,
    /// When something that may still be taken away was last sent.
    pub last_item_at: Timestamp,
    pub sanctions: u32,
    /// An account's messages of the day are used up.
    pub day_spent: bool,
    /// Probes of candidates that are open for some recipient.
    pub open_candidates: u64,
    pub outcomes: [u64; Outcome::ALL.len()],
}

/// Whether there is anything to decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Phase {
    /// No epoch was opened yet.
    #[default]
    Waiting,
    /// Messages are sent, or receivers listen.
    Open,
    /// Nothing more will happen in this epoch.
    Finished,
}

impl Engine {
    /// An engine for a study. It does nothing before the first [`Fact::EpochOpened`].
    #[must_use]
    pub fn new(study: Arc<Study>) -> Self {
        let accounts = study.accounts.len();
        let mut sends_on = vec![Vec::new(); accounts];
        for (index, channel) in study.channels() {
            sends_on[channel.sender.get()].push(index);
        }
        let choice = |account: &lacuna_model::Account| generator(study.seed, &["choice", account.id.as_str()]);
        Self {
            evidence: Evidence::new(Arc::clone(&study)),
            tallies: Tallies::new(Arc::clone(&study)),
            screen: Screen::new(&study),
            isolation: Isolation::new(&study),
            mechanism: Mechanism::new(&study),
            exposure: Exposure::new(&study),
            check: None,
            channels: study.channels().map(|(index, _)| ChannelState::new(index, &study)).collect(),
            accounts: sends_on.iter().map(|channels: &Vec<_>| SendingAccount::new(channels.len() as u64)).collect(),
            controls: study.channels().map(|(index, _)| Controls::new(&study, index)).collect(),
            likeness: vec![None; study.channels.len()],
            choices: study.accounts.iter().map(choice).collect(),
            sends_on,
            graces: BTreeMap::new(),
            dirty: BTreeSet::new(),
            run: Run::default(),
            changes: Vec::new(),
            study,
        }
    }

    /// What the facts so far say.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The study.
    #[must_use]
    pub fn study(&self) -> &Arc<Study> {
        &self.study
    }

    /// Why nothing more is sent; `None` while the run goes on.
    #[must_use]
    pub fn stopped(&self) -> Option<StopReason> {
        self.run.stopped
    }

    /// Where the run stands, for people.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let (cases, open) = self.files();
        let mut questions = (self.screen.questions() + cases) as u64;
        let mut answered = questions - (self.screen.unfinished() + open) as u64;
        if let Some(controls) = self.check_length() {
            (questions, answered) = (controls, self.run.sent);
        }
        Progress {
            sent: self.run.sent,
            controls: self.run.controls,
            questions,
            answered,
            outcomes: self.run.outcomes,
            listening: self.run.stopped.is_some(),
        }
    }

    /// Takes one fact of the journal and adds to `commands` what follows from it.
    pub fn handle(&mut self, sequence: EntrySequence, at: Timestamp, fact: &Fact, commands: &mut Vec<Command>) {
        let mut changes = std::mem::take(&mut self.changes);
        changes.clear();
        self.evidence.apply_fact(sequence, at, fact, &mut changes);
        if let Fact::EpochOpened { sent_today, .. } = fact {
            self.open_epoch(at, sent_today, commands);
        }
        for change in &changes {
            self.changed(at, *change, commands);
        }
        self.changes = changes;
        match fact {
            Fact::EpochOpened { .. } | Fact::SendStarted { .. } | Fact::Observed(_) => {}
            Fact::SendResult { probe, result } => self.resolved(at, *probe, result, commands),
            Fact::AccountState { account, condition, .. } => self.conditioned(*account, *condition),
            Fact::DeadlinePassed(deadline) => self.deadline_passed(*deadline),
            Fact::Gap { account, .. } => self.lost_sight(*account),
            Fact::StopRequested => {
                self.run.leaving = true;
                self.check.iter_mut().for_each(Check::ask_to_stop);
                self.stop(at, StopReason::Requested, commands);
            }
        }
        self.schedule(at, commands);
    }

    fn open_epoch(&mut self, at: Timestamp, sent_today: &[u64], commands: &mut Vec<Command>) {
        let stopped = self.run.stopped.take();
        self.run.phase = Phase::Open;
        self.run.leaving = false;
        self.run.listen_until = None;
        self.run.in_flight = 0;
        self.run.day_spent = false;
        self.graces.clear();
        for channel in &mut self.channels {
            channel.open_epoch(&self.evidence);
        }
        self.open_check();
        let spent = sent_today.iter().copied().chain(std::iter::repeat(0));
        for (account, sent_today) in self.accounts.iter_mut().zip(spent) {
            account.open_epoch(at, sent_today);
        }
        self.screen.open_epoch(at, &self.study, &self.tallies);
        self.isolation.open_epoch(&self.study, &self.evidence, &self.tallies);
        self.mechanism.open_epoch(&self.study, &self.evidence, &self.tallies);
        self.exposure.open_epoch(&self.study, &self.evidence, &self.tallies);
        // A run that had been stopped for safety stays stopped, and listens to the end.
        if stopped == Some(StopReason::Sanction) {
            self.run.stopped = stopped;
            self.listen_on(at, commands);
        }
        self.dirty.extend((0u16..).map(AccountIx).take(self.accounts.len()));
    }

    fn changed(&mut self, at: Timestamp, change: Change, commands: &mut Vec<Command>) {
        match change {
            Change::Arrived { probe, recipient } => self.arrived(at, probe, recipient, commands),
            Change::Outcome { probe, recipient, outcome, before } => {
                self.tallies.apply(&self.evidence, change);
                self.count(outcome, before);
                let channel = self.evidence.probe(probe).probe.channel;
                if before.is_none() {
                    if self.graces.remove(&(probe, recipient)).is_some() {
                        commands.push(Command::Cancel(Deadline::Grace { probe, recipient }));
                    }
                    if self.evidence.probe(probe).probe.role != Role::Control {
                        self.run.open_candidates -= 1;
                        self.channels[channel.get()].concluded();
                        self.rest_after(at, channel, outcome);
                    }
                    let record = self.evidence.probe(probe);
                    if record.probe.role == Role::Control && record.probe.items.len() > 1 {
                        self.controls[channel.get()].told(matches!(outcome, Outcome::Delivered | Outcome::DeliveredLate));
                    }
                    self.screen.concluded(at, probe, outcome, &self.study, &self.evidence, &self.tallies);
                    self.dirty_route(channel);
                    if let Some(settle) = Isolation::settle(probe, recipient, &self.evidence) {
                        commands.push(Command::Arm { deadline: Deadline::Settle { probe, recipient }, at: at + settle });
                    }
                }
                let record = self.evidence.probe(probe);
                self.mechanism.concluded(&record.probe, &self.evidence, &self.tallies);
                self.exposure.concluded(&self.study, &self.evidence, &self.tallies);
                if record.probe.excerpt.is_none() && record.probe.role == Role::Candidate {
                    self.isolation.concluded(&record.probe.items, &self.study, &self.tallies);
                    self.dirty_route(record.probe.channel);
                }
                self.dirty_elsewhere();
            }
        }
    }

    fn count(&mut self, outcome: Outcome, before: Option<Outcome>) {
        for (place, it) in Outcome::ALL.iter().enumerate() {
            if *it == outcome {
                self.run.outcomes[place] += 1;
            }
            if Some(*it) == before {
                self.run.outcomes[place] -= 1;
            }
        }
    }

    /// Something arrived: the path is alive, and what is missing before it has its closing evidence.
    fn arrived(&mut self, at: Timestamp, probe: ProbeId, recipient: AccountIx, commands: &mut Vec<Command>) {
        let record = self.evidence.probe(probe);
        let index = record.probe.channel;
        let channel = &mut self.channels[index.get()];
        if let (Some(sent_at), Some(outcome)) = (record.started_at, self.evidence.outcome(probe, recipient))
            && ChannelState::teaches_delay(outcome)
        {
            channel.learn_delay(at - sent_at);
        }
        if !channel.arrived(&self.evidence, probe, recipient) {
            return;
        }
        self.screen.heard(index, recipient);
        self.isolation.heard(index, recipient);
        self.mechanism.heard(index, recipient, &self.evidence, &self.tallies);
        let until = at + self.channels[index.get()].grace(&self.study);
        let missing: Vec<ProbeId> = self.evidence.open_before(probe, recipient).collect();
        for missing in missing {
            self.await_grace(missing, recipient, until, commands);
        }
        self.dirty.insert(self.study.channel(index).sender);
    }

    pub(crate) fn await_grace(&mut self, probe: ProbeId, recipient: AccountIx, until: Timestamp, commands: &mut Vec<Command>) {
        // What is still being handed over is judged when its own answer is known.
        if !self.evidence.probe(probe).is_accepted() || self.graces.contains_key(&(probe, recipient)) {
            return;
        }
        self.graces.insert((probe, recipient), until);
        commands.push(Command::Arm { deadline: Deadline::Grace { probe, recipient }, at: until });
        // The end of listening cuts no grace short.
        if self.run.listen_until.is_some_and(|listen| listen < until) {
            self.run.listen_until = Some(until);
            commands.push(Command::Arm { deadline: Deadline::Listen, at: until });
        }
    }

    fn rest_after(&mut self, at: Timestamp, channel: ChannelIx, outcome: Outcome) {
        if matches!(outcome, Outcome::Dropped | Outcome::Refused) && self.study.pacing.cool_off > Duration::ZERO {
            self.accounts[self.study.channel(channel).sender.get()].cool_off(at + self.study.pacing.cool_off);
        }
    }

    fn resolved(&mut self, at: Timestamp, probe: ProbeId, result: &SendResult, commands: &mut Vec<Command>) {
        let channel = self.evidence.probe(probe).probe.channel;
        let sender = self.study.channel(channel).sender;
        self.run.in_flight = self.run.in_flight.saturating_sub(1);
        self.channels[channel.get()].resolved(&self.evidence.probe(probe).probe, result);
        self.accounts[sender.get()].resolved(at, result);
        self.dirty.insert(sender);
        // A later message may have been faster than this answer, and is the closing evidence already. On a path that was given
        // up none will come.
        if matches!(result, SendResult::Accepted { .. }) {
            let place = self.evidence.probe(probe).place();
            let until = at + self.channels[channel.get()].grace(&self.study);
            for recipient in self.study.channel(channel).recipients.clone() {
                let state = &self.channels[channel.get()];
                let decided = state.is_given_up(recipient) || state.latest(recipient).is_some_and(|latest| latest > place);
                if decided && self.evidence.outcome(probe, recipient).is_none() {
                    self.await_grace(probe, recipient, until, commands);
                }
            }
        }
    }

    fn conditioned(&mut self, account: AccountIx, condition: AccountCondition) {
        // An account that is told of its sanction twice was sanctioned once.
        if condition == AccountCondition::Sanctioned && !self.accounts[account.get()].is_sanctioned() {
            self.run.sanctions += 1;
            self.accounts[account.get()].sanction();
            self.dirty.insert(account);
        }
    }

    fn deadline_passed(&mut self, deadline: Deadline) {
        match deadline {
            Deadline::Grace { probe, recipient } => {
                self.graces.remove(&(probe, recipient));
            }
            Deadline::Patience { channel } => {
                self.dirty.insert(self.study.channel(channel).sender);
            }
            Deadline::Settle { probe, .. } => self.dirty_route(self.evidence.probe(probe).probe.channel),
            Deadline::Wake { account } => {
                self.dirty.insert(account);
            }
            // The answers that are under way are still waited for.
            Deadline::Listen => self.run.leaving = true,
        }
    }

    /// The recipient may have missed something: its paths must show anew that they are alive.
    fn lost_sight(&mut self, recipient: AccountIx) {
        for channel in &mut self.channels {
            channel.reopen(recipient, &self.evidence);
        }
        for (_, channel) in self.study.channels() {
            if channel.recipients.contains(&recipient) {
                self.dirty.insert(channel.sender);
            }
        }
    }

    /// What is sent on one arm may be what another waits for.
    pub(crate) fn dirty_elsewhere(&mut self) {
        if self.study.design == DesignKind::Exposure {
            self.dirty.extend((0u16..).map(AccountIx).take(self.accounts.len()));
        }
    }

    /// Everybody who could ask the same questions may have something to do.
    fn dirty_route(&mut self, channel: ChannelIx) {
        for sender in &self.study.arm(self.study.channel(channel).arm).senders {
            self.dirty.insert(*sender);
        }
    }

    pub(crate) fn stop(&mut self, at: Timestamp, reason: StopReason, commands: &mut Vec<Command>) {
        if self.run.stopped.is_some() {
            return;
        }
        self.run.stopped = Some(reason);
        let decision = Decision::Stopped { reason };
        self.evidence.apply_decision(at, &decision);
        commands.push(Command::Decide(decision));
        if reason != StopReason::Requested {
            self.listen_on(at, commands);
        }
    }

    /// Receivers listen for a while after the last send.
    fn listen_on(&mut self, at: Timestamp, commands: &mut Vec<Command>) {
        let listen = self.study.watch.late.max(self.study.watch.grace.unwrap_or(Duration::from_secs(2)));
        let graces = self.graces.values().copied().max().unwrap_or(at);
        let until = (self.run.last_sent_at + listen).max(at).max(graces);
        self.run.listen_until = Some(until);
        commands.push(Command::Arm { deadline: Deadline::Listen, at: until });
    }

    pub(crate) fn finish(&mut self, commands: &mut Vec<Command>) {
        if self.run.phase == Phase::Open {
            self.run.phase = Phase::Finished;
            commands.push(Command::Finish);
        }
    }
}
