//! What each account does next.

use std::collections::BTreeSet;
use std::sync::Arc;

use lacuna_model::{AccountIx, ChannelIx, Deadline, Decision, Probe, ProbeId, Purpose, Role, StopReason, Timestamp};
use rand::RngExt;

use crate::channel::Need;
use crate::command::Command;
use crate::controls::Likeness;
use crate::engine::{Engine, Phase};
use crate::screen::{Ask, Supply};

/// What an account could do on its channels.
#[derive(Default)]
struct Options {
    /// Channels that need a control now.
    controls: Vec<ChannelIx>,
    /// Channels that have questions ready, and how many.
    questions: Vec<(ChannelIx, usize)>,
    /// When something will be possible at the earliest.
    wake: Option<Timestamp>,
}

impl Options {
    fn later(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }
}

impl Engine {
    /// Lets every account take its next step that may have one, then looks whether the run is over.
    pub(crate) fn schedule(&mut self, at: Timestamp, commands: &mut Vec<Command>) {
        if self.run.phase != Phase::Open {
            return;
        }
        loop {
            while let Some(account) = self.dirty.pop_first() {
                self.advance(account, at, commands);
            }
            if !self.conclude(at, commands) {
                break;
            }
        }
    }

    fn advance(&mut self, account: AccountIx, at: Timestamp, commands: &mut Vec<Command>) {
        if self.run.stopped.is_some() {
            return;
        }
        self.bury(account, at, commands);
        while self.run.stopped.is_none() && self.accounts[account.get()].has_room(&self.study.pacing) {
            // The answer to its last message closes it.
            if self.accounts[account.get()].left_today(at, &self.study.safety) == 0 {
                return;
            }
            let ready_at = self.accounts[account.get()].ready_at();
            if ready_at > at {
                commands.push(Command::Arm { deadline: Deadline::Wake { account }, at: ready_at });
                return;
            }
            let options = self.options(account, at, commands);
            if let Some(channel) = self.neediest(&options.controls) {
                self.send_control(channel, at, commands);
            } else if let Some(channel) = self.choose(account, &options.questions) {
                let tail = self.channels[channel.get()].longest_tail(&self.evidence);
                if let Some(ask) = self.ask(channel, tail, at, commands) {
                    self.plan(channel, Some(&ask), at, commands);
                }
            } else {
                if let Some(wake) = options.wake {
                    commands.push(Command::Arm { deadline: Deadline::Wake { account }, at: wake });
                }
                return;
            }
        }
    }

    /// What a channel asks next: about items, then about texts, and last what the screen keeps for the end.
    fn ask(&mut self, channel: ChannelIx, tail: usize, at: Timestamp, commands: &mut Vec<Command>) -> Option<Ask> {
        if !matches!(self.screen.supply(channel, at, false), Supply::Ready(_))
            && matches!(self.texts(channel, at), Supply::Ready(_))
        {
            if let Some(plan) = self.isolation.next_plan(channel, at, &self.evidence, &self.tallies) {
                let decision = Decision::SearchBegun(plan);
                self.evidence.apply_decision(at, &decision);
                commands.push(Command::Decide(decision));
            }
            if let Some(inquiry) = self.isolation.next(channel, at, tail, &self.evidence) {
                return Some(inquiry.into());
            }
        }
        if let Some(ask) = self.mechanism.next(channel, tail).or_else(|| self.exposure.next(channel, at)) {
            return Some(Ask::of_file(ask, &self.study));
        }
        self.screen.next(channel, at, tail, &self.study, &self.tallies)
    }

    fn owes_twin(&self, channel: ChannelIx) -> bool {
        self.study.mechanism.is_some() && self.controls[channel.get()].owes_twin(self.likeness[channel.get()])
    }

    /// What a channel could ask now.
    fn supply(&mut self, channel: ChannelIx, at: Timestamp) -> Supply {
        // Looking leaves out what is over, and that counts here.
        let texts = self.texts(channel, at);
        let at_their_end = self.isolation.outstanding() == 0;
        self.screen
            .supply(channel, at, at_their_end)
            .and(texts)
            .and(self.mechanism.supply(channel, at))
            .and(self.exposure.supply(channel, at))
    }

    fn texts(&mut self, channel: ChannelIx, at: Timestamp) -> Supply {
        self.isolation.supply(channel, at, &self.evidence, &self.tallies)
    }

    /// Questions about files, and how many of them are open.
    pub(crate) fn files(&self) -> (usize, usize) {
        let ((cases, open), (trials, running)) = (self.mechanism.questions(), self.exposure.questions());
        (cases + trials, open + running)
    }

    /// What is left to be done about items, texts and files.
    fn outstanding(&self) -> usize {
        self.screen.outstanding() + self.isolation.outstanding() + self.files().1
    }

    /// Gives up what cannot be used any more: accounts that are down or have no messages left, paths that stay silent.
    fn bury(&mut self, account: AccountIx, at: Timestamp, commands: &mut Vec<Command>) {
        let spent = self.is_spent(account, at);
        self.run.day_spent |= spent;
        let down = spent || self.accounts[account.get()].is_down();
        for channel in self.sends_on[account.get()].clone() {
            let state = &mut self.channels[channel.get()];
            if state.is_dead() {
                continue;
            }
            let silent = if down {
                state.close();
                self.study.channel(channel).recipients.clone()
            } else {
                state.bury_silent_paths(at, &self.study, &self.evidence)
            };
            for recipient in silent {
                self.silence(channel, recipient, at, commands);
            }
            if self.channels[channel.get()].is_dead() {
                self.screen.close(channel, at, &self.study, &self.tallies);
                self.isolation.close(channel);
                self.mechanism.close(channel, &self.evidence, &self.tallies);
                self.exposure.close(channel, &self.study, &self.evidence, &self.tallies);
                self.dirty
                    .extend(self.study.arm(self.study.channel(channel).arm).senders.iter().filter(|sender| **sender != account));
            }
        }
    }

    /// Whether the account's messages of the day are used up: none is left, or those that are left are kept for controls, and
    /// everything that it sent is judged and closed. Others then ask what it was to ask.
    fn is_spent(&mut self, account: AccountIx, at: Timestamp) -> bool {
        let state = &mut self.accounts[account.get()];
        match state.left_today(at, &self.study.safety) {
            0 => true,
            // A check has nothing to close.
            _ if self.check.is_some() => false,
            left if left > state.reserve() => false,
            _ => self.sends_on[account.get()].iter().all(|channel| self.channels[channel.get()].is_settled()),
        }
    }

    /// Nothing more is expected on a path: what is open on it is judged after a last grace.
    fn silence(&mut self, channel: ChannelIx, recipient: AccountIx, at: Timestamp, commands: &mut Vec<Command>) {
        self.screen.silenced(channel, recipient);
        self.isolation.silenced(channel, recipient);
        self.mechanism.silenced(channel, recipient, &self.evidence, &self.tallies);
        let until = at + self.channels[channel.get()].grace(&self.study);
        let open: Vec<ProbeId> =
            self.evidence.open_for(recipient).filter(|probe| self.evidence.probe(*probe).probe.channel == channel).collect();
        for probe in open {
            self.await_grace(probe, recipient, until, commands);
        }
    }

    fn options(&mut self, account: AccountIx, at: Timestamp, commands: &mut Vec<Command>) -> Options {
        let mut options = Options::default();
        let poor = self.accounts[account.get()].left_today(at, &self.study.safety) <= self.accounts[account.get()].reserve();
        let room = !poor && self.messages_left() > self.channels.len() as u64;
        let last = if poor { self.is_judged(account) } else { self.is_at_its_end(room) };
        for index in 0..self.sends_on[account.get()].len() {
            let channel = self.sends_on[account.get()][index];
            let supply = if room { self.supply(channel, at) } else { Supply::Nothing };
            let state = &self.channels[channel.get()];
            let need = match (&self.check, supply) {
                (Some(check), _) => check.need(channel, || state.next_control(at, &self.study, &self.evidence)),
                (None, Supply::Ready(_)) => state.need(at, &self.study, &self.evidence),
                (None, Supply::Later(_) | Supply::Nothing) => state.closing_need(at, &self.study, &self.evidence, last),
            };
            match (need, supply) {
                (Need::Control, _) => options.controls.push(channel),
                (Need::Patience(until), _) => {
                    commands.push(Command::Arm { deadline: Deadline::Patience { channel }, at: until });
                }
                (Need::Nothing, Supply::Ready(_)) if self.owes_twin(channel) => options.controls.push(channel),
                (Need::Nothing, Supply::Ready(count)) => options.questions.push((channel, count)),
                (_, Supply::Later(from)) => options.later(from),
                (Need::Nothing | Need::Answer | Need::Dead, _) => {}
            }
        }
        options
    }

    /// No candidate will be sent any more (unless the evidence turns), and everything sent is judged: time for the last controls.
    fn is_at_its_end(&self, room: bool) -> bool {
        self.run.open_candidates == 0 && (self.outstanding() == 0 || !room)
    }

    /// Everything that the account sent is judged.
    fn is_judged(&self, account: AccountIx) -> bool {
        self.sends_on[account.get()].iter().all(|channel| self.channels[channel.get()].open_candidates() == 0)
    }

    fn messages_left(&self) -> u64 {
        self.study.safety.max_messages.saturating_sub(self.run.sent)
    }

    /// A channel, with a chance in proportion to the questions that it has ready.
    fn choose(&mut self, account: AccountIx, questions: &[(ChannelIx, usize)]) -> Option<ChannelIx> {
        let total: usize = questions.iter().map(|(_, count)| count).sum();
        if let [(only, _)] = questions {
            return Some(*only);
        }
        if total == 0 {
            return None;
        }
        let mut draw = self.choices[account.get()].random_range(0..total as u64);
        for (channel, count) in questions {
            if draw < *count as u64 {
                return Some(*channel);
            }
            draw -= *count as u64;
        }
        None
    }

    /// Which channel gets its control first.
    fn neediest(&self, controls: &[ChannelIx]) -> Option<ChannelIx> {
        match &self.check {
            Some(check) => check.neediest(controls),
            None => controls.first().copied(),
        }
    }

    fn send_control(&mut self, channel: ChannelIx, at: Timestamp, commands: &mut Vec<Command>) {
        if let Some(likeness) = self.check.as_mut().and_then(|check| check.plan(channel)) {
            self.likeness[channel.get()] = Some(likeness);
        }
        self.plan(channel, None, at, commands);
    }

    fn plan(&mut self, channel: ChannelIx, ask: Option<&Ask>, at: Timestamp, commands: &mut Vec<Command>) {
        if self.messages_left() == 0 {
            self.stop(at, StopReason::MessageBudget, commands);
            return;
        }
        let study = Arc::clone(&self.study);
        let id = ProbeId(self.evidence.probes().len() as u64);
        let recipients = study.channel(channel).recipients.len();
        let arm = study.channel(channel).arm;
        let tallies = &self.tallies;
        let expelled = |control| tallies.is_expelled(control, arm);
        let probe = if let Some(ask) = ask {
            self.run.open_candidates += recipients as u64;
            let carrier = match ask.items.as_slice() {
                &[item] if ask.carried => self.controls[channel.get()].carrier(item, ask.attempt, &study, expelled),
                _ => None,
            };
            let &Ask { role, purpose, attempt, .. } = ask;
            let (items, excerpt) = (ask.items.clone(), ask.excerpt.clone());
            let probe = Probe { id, channel, role, purpose, attempt, items, carrier, excerpt };
            self.likeness[channel.get()] = Some(Likeness::of(&probe, &study));
            probe
        } else {
            let alone = self.channels[channel.get()].misses_control(&self.evidence);
            let controls = &mut self.controls[channel.get()];
            // A check tries every control before it repeats one, also those that look like no candidate.
            let ahead = if self.check.is_some() { controls.ahead() } else { BTreeSet::new() };
            let left_out = |control| expelled(control) || ahead.contains(&control);
            let (items, attempt) = controls.next(self.likeness[channel.get()], alone, left_out);
            self.run.controls += 1;
            Probe { id, channel, role: Role::Control, purpose: Purpose::Bracket, attempt, items, carrier: None, excerpt: None }
        };
        self.run.sent += 1;
        self.run.in_flight += 1;
        self.run.last_sent_at = at;
        if ask.is_some_and(|ask| ask.excerpt.is_none()) {
            self.run.last_item_at = at;
        }
        self.accounts[study.channel(channel).sender.get()].planned(at, &study.pacing);
        self.channels[channel.get()].planned(at, &probe, recipients as u64);
        self.screen.planned(id, ask, recipients);
        let decision = Decision::ProbePlanned(probe);
        self.evidence.apply_decision(at, &decision);
        if let Decision::ProbePlanned(probe) = &decision {
            self.mechanism.planned(&self.study, probe);
            self.exposure.planned(&self.study, probe, &self.evidence, &self.tallies);
            self.dirty_elsewhere();
        }
        commands.push(Command::Decide(decision));
    }

    /// Ends the run if it is over. `true` if there is more to do after all.
    fn conclude(&mut self, at: Timestamp, commands: &mut Vec<Command>) -> bool {
        if self.run.stopped.is_some() {
            if (self.run.leaving || self.has_heard_all()) && self.run.in_flight == 0 {
                self.finish(commands);
            }
            return false;
        }
        if self.run.sanctions >= self.study.safety.stop_after_sanctions && self.run.sanctions > 0 {
            self.stop(at, StopReason::Sanction, commands);
            return false;
        }
        if self.check.is_some() {
            let ends = self.check_ends(at);
            if let Some(reason) = ends {
                self.stop(at, reason, commands);
            }
            return ends.is_some();
        }
        // Controls whose grace is running may still turn out lost, which raises the number of drops that it takes.
        if self.run.in_flight > 0 || self.run.open_candidates > 0 || !self.graces.is_empty() {
            return false;
        }
        let all_dead = self.channels.iter().all(crate::channel::ChannelState::is_dead);
        let texts = self.isolation.count(&self.evidence, &self.tallies) + self.files().1;
        let were_open = std::mem::replace(&mut self.run.texts_open, texts > 0);
        if were_open && texts == 0 {
            // What the screen kept for the end can be asked now.
            self.dirty.extend((0u16..).map(AccountIx).take(self.accounts.len()));
            return true;
        }
        // Whatever the candidates' evidence no longer decides comes before the canaries.
        let only_canaries = self.screen.holds_canaries() && texts == 0;
        if !all_dead && only_canaries && self.reconsiders(at) {
            return true;
        }
        if !all_dead && only_canaries && self.waits_for_retractions(at, commands) {
            return false;
        }
        if !all_dead && only_canaries && self.screen.release_canaries(at, &self.study, &self.tallies) {
            self.dirty.extend((0u16..).map(AccountIx).take(self.accounts.len()));
            return true;
        }
        if self.screen.outstanding() + texts > 0 && !all_dead {
            // An account without messages of the day is closed by itself; here only the messages of the run can be used up.
            let used_up = self.messages_left() <= self.channels.len() as u64;
            if used_up && !self.needs_last_controls(at, commands) {
                self.stop(at, StopReason::MessageBudget, commands);
            }
            return false;
        }
        if !all_dead && self.reconsiders(at) {
            return true;
        }
        if self.needs_last_controls(at, commands) {
            return false;
        }
        if !all_dead && self.waits_for_retractions(at, commands) {
            return false;
        }
        // Where others asked what an account could not ask any more, nothing is missing.
        let reason = match (all_dead, self.run.day_spent && (all_dead || self.screen.gave_up_early(&self.study))) {
            (_, true) => StopReason::DailyBudget,
            (true, false) => StopReason::NoPathAlive,
            (false, false) => StopReason::Finished,
        };
        self.stop(at, reason, commands);
        false
    }

    /// A text that arrived may still be taken away, and is searched then: as long as receivers listen for that, nothing is over.
    fn waits_for_retractions(&mut self, at: Timestamp, commands: &mut Vec<Command>) -> bool {
        let until = self.run.last_item_at + self.study.watch.late;
        let study = &self.study;
        let searches = study.isolation.is_some() || study.mechanism.is_some() || study.exposure.is_some();
        let waits = searches && at < until;
        if waits {
            commands.push(Command::Arm { deadline: Deadline::Wake { account: AccountIx(0) }, at: until });
        }
        waits
    }

    /// Whether something is asked again, now that what it takes is known exactly.
    fn reconsiders(&mut self, at: Timestamp) -> bool {
        self.tallies.settle();
        let again = self.screen.reconsider(at, &self.study, &self.tallies) > 0
            || self.isolation.hand_over(&self.study, &self.tallies)
            || self.isolation.reconsider(&self.evidence, &self.tallies)
            || self.mechanism.reconsider(&self.evidence, &self.tallies);
        if again {
            self.dirty.extend((0u16..).map(AccountIx).take(self.accounts.len()));
        }
        again
    }

    /// Sends the last control on every channel that ends on a candidate. `true` if one was sent.
    fn needs_last_controls(&mut self, at: Timestamp, commands: &mut Vec<Command>) -> bool {
        let mut sent = false;
        for index in (0..self.channels.len()).map(|index| ChannelIx(u16::try_from(index).unwrap_or(u16::MAX))) {
            let sender = self.study.channel(index).sender;
            let account = &mut self.accounts[sender.get()];
            if account.is_busy()
                || account.is_down()
                || account.left_today(at, &self.study.safety) == 0
                || self.messages_left() == 0
            {
                continue;
            }
            if self.channels[index.get()].closing_need(at, &self.study, &self.evidence, true) == Need::Control {
                if self.accounts[sender.get()].ready_at() > at {
                    let wake = self.accounts[sender.get()].ready_at();
                    commands.push(Command::Arm { deadline: Deadline::Wake { account: sender }, at: wake });
                } else {
                    self.send_control(index, at, commands);
                }
                sent = true;
            }
        }
        sent
    }
}
