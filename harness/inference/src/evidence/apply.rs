//! One entry after the other.

use std::sync::Arc;

use lacuna_model::event::Observation;
use lacuna_model::{
    AccountIx, ChannelIx, Deadline, Decision, Entry, EntrySequence, Fact, MatchedBy, ObservationKind, Outcome, Probe, ProbeId,
    Role, SearchPlan, SendResult, SendState, Timestamp,
};

use super::record::{FileState, ProbeRecord, Slot, VoidCause};
use super::{Arrived, Change, Evidence, Seen, is_sanction, path_of};
use crate::matching::{Match, Recognition, Released, with_file};

/// So many edits, retractions and notices may wait for the message that they are about. It bounds what a hostile peer can
/// make a run keep and look through.
const EARLY_LIMIT: usize = 64;

impl Evidence {
    /// Takes one entry and adds what it changed to `changes`.
    pub fn apply(&mut self, sequence: EntrySequence, at: Timestamp, entry: &Entry, changes: &mut Vec<Change>) {
        match entry {
            Entry::Fact(fact) => self.apply_fact(sequence, at, fact, changes),
            Entry::Decision(decision) => self.apply_decision(at, decision),
        }
    }

    /// Takes one decision.
    pub fn apply_decision(&mut self, at: Timestamp, decision: &Decision) {
        self.last_at = at;
        match decision {
            Decision::ProbePlanned(probe) => self.planned(at, probe),
            Decision::SearchBegun(plan) => self.search_begun(plan),
            Decision::Stopped { .. } => {}
        }
    }

    /// Takes one fact and adds what it changed to `changes`.
    pub fn apply_fact(&mut self, sequence: EntrySequence, at: Timestamp, fact: &Fact, changes: &mut Vec<Change>) {
        self.last_at = at;
        match fact {
            Fact::EpochOpened { epoch, .. } => {
                self.epoch = *epoch;
                self.searches.open_epoch();
                self.abandon(at, changes);
                for account in (0u16..).map(AccountIx).take(self.study.accounts.len()) {
                    self.lost_sight(account, at, changes);
                }
            }
            Fact::SendStarted { probe, text } => self.started(at, *probe, text),
            Fact::SendResult { probe, result } => self.resolved(at, *probe, result, changes),
            Fact::Observed(observation) => self.observed(sequence, at, observation, changes),
            Fact::AccountState { account, condition, .. } if is_sanction(*condition) => self.punished(*account, at, changes),
            Fact::DeadlinePassed(Deadline::Grace { probe, recipient }) => self.grace_over(at, *probe, *recipient, changes),
            Fact::DeadlinePassed(Deadline::Settle { probe, recipient }) => {
                if self.outcome(*probe, *recipient) == Some(Outcome::Delivered) {
                    self.searches.settled(&self.probes[probe.get()].probe, *recipient);
                }
            }
            Fact::DeadlinePassed(Deadline::Listen) => self.listening_over(at, changes),
            Fact::Gap { account, .. } => {
                self.gaps[account.get()].push(at);
                self.lost_sight(*account, at, changes);
            }
            Fact::AccountState { .. }
            | Fact::DeadlinePassed(Deadline::Patience { .. } | Deadline::Wake { .. })
            | Fact::StopRequested => {}
        }
    }

    fn search_begun(&mut self, plan: &SearchPlan) {
        let asked = self.searches.probes_of(plan.arm, &plan.items).to_vec();
        let heard: Vec<(Probe, Outcome)> = asked
            .into_iter()
            .filter_map(|probe| Some((self.probe(probe).probe.clone(), self.outcome(probe, plan.recipient)?)))
            .collect();
        self.searches.begun(plan, heard.iter().map(|(probe, outcome)| (probe, *outcome)));
    }

    fn planned(&mut self, at: Timestamp, probe: &Probe) {
        debug_assert_eq!(probe.id.get(), self.probes.len(), "probes are numbered in the order in which they were planned");
        let channel = self.study.channel(probe.channel);
        let sent = &mut self.sent[probe.channel.get()];
        self.probes.push(ProbeRecord {
            probe: probe.clone(),
            planned_at: at,
            started_at: None,
            resolved_at: None,
            send_state: None,
            platform_id: None,
            notice: None,
            epoch: self.epoch,
            place: sent.len(),
            first_slot: self.slots.len(),
        });
        sent.push(probe.id);
        self.searches.planned(probe);
        for recipient in &channel.recipients {
            self.slots.push(Slot::default());
            self.open[recipient.get()].insert(probe.id);
        }
    }

    fn started(&mut self, at: Timestamp, probe: ProbeId, text: &Arc<str>) {
        let Some(record) = self.probes.get_mut(probe.get()) else { return };
        record.started_at = Some(at);
        let file = record.probe.items.first().and_then(|item| self.study.item(*item).file.as_ref());
        let text = &file.map_or_else(|| Arc::clone(text), |file| with_file(text, &file.facts.sha256));
        let channel = self.study.channel(record.probe.channel);
        for recipient in &channel.recipients {
            self.matchers.entry((channel.sender, channel.venue, *recipient)).or_default().sent(probe, text);
        }
    }

    fn resolved(&mut self, at: Timestamp, probe: ProbeId, result: &SendResult, changes: &mut Vec<Change>) {
        let Some(record) = self.probes.get_mut(probe.get()) else { return };
        record.resolved_at = Some(at);
        let (channel, role) = (record.probe.channel, record.probe.role);
        let sender = self.study.channel(channel).sender;
        let (state, outcome) = match result {
            SendResult::Accepted { .. } => (SendState::Accepted, None),
            // What a sanctioned account is refused says nothing about the message.
            SendResult::Refused { .. } if self.sanctioned[sender.get()] => (SendState::Refused, Some(Outcome::SendFailed)),
            SendResult::Refused { .. } => (SendState::Refused, Some(Outcome::Refused)),
            SendResult::RateLimited { .. } => (SendState::RateLimited, Some(Outcome::RateLimited)),
            SendResult::NotSent { .. } => (SendState::Failed, Some(Outcome::SendFailed)),
            SendResult::Unknown { .. } => (SendState::UnknownSubmission, Some(Outcome::UnknownSubmission)),
        };
        record.send_state = Some(state);
        match result {
            SendResult::Accepted { platform_id } => record.platform_id.clone_from(platform_id),
            SendResult::Refused { notice } => record.notice = Some(notice.as_str().into()),
            SendResult::NotSent { error } | SendResult::Unknown { error } => record.notice = Some(error.as_str().into()),
            SendResult::RateLimited { .. } => {}
        }
        let platform_id = record.platform_id.clone();
        match state {
            SendState::Accepted => self.refused[channel.get()].clear(),
            SendState::Refused if role == Role::Control => self.unsay_refusals(at, channel, changes),
            SendState::Refused => self.refused[channel.get()].push(probe),
            SendState::RateLimited | SendState::Failed | SendState::UnknownSubmission => {}
        }
        let study = Arc::clone(&self.study);
        let channel = study.channel(self.probes[probe.get()].probe.channel);
        for recipient in &channel.recipients {
            if let Some(matcher) = self.matchers.get_mut(&(channel.sender, channel.venue, *recipient)) {
                let mut released = Vec::new();
                match state {
                    SendState::Accepted => matcher.accepted(probe, platform_id.as_ref(), &mut released),
                    SendState::UnknownSubmission => matcher.unacknowledged(probe, &mut released),
                    SendState::Refused | SendState::RateLimited | SendState::Failed => matcher.retire(probe, &mut released),
                }
                self.released(released, *recipient, changes);
            }
            if let Some(outcome) = outcome {
                self.conclude(at, probe, *recipient, outcome, changes);
            }
        }
        self.catch_up(changes);
    }

    /// The late answers of a matcher.
    fn released(&mut self, released: Vec<Released<Seen>>, recipient: AccountIx, changes: &mut Vec<Change>) {
        for Released { observation: seen, found } in released {
            match found {
                Some(found) => self.matched(seen, recipient, &found, changes),
                None => self.unmatched += 1,
            }
        }
    }

    /// The platform punished an account. Answers and conditions come on different ways, so this is often told behind the
    /// refusals that it caused.
    fn punished(&mut self, account: AccountIx, at: Timestamp, changes: &mut Vec<Change>) {
        self.sanctioned[account.get()] = true;
        let study = Arc::clone(&self.study);
        for (channel, _) in study.channels().filter(|(_, channel)| channel.sender == account) {
            self.unsay_refusals(at, channel, changes);
        }
    }

    /// What was refused on a channel since its last accepted message was not refused because of what it says.
    fn unsay_refusals(&mut self, at: Timestamp, channel: ChannelIx, changes: &mut Vec<Change>) {
        let study = Arc::clone(&self.study);
        let refused = std::mem::take(&mut self.refused[channel.get()]);
        let bounced = std::mem::take(&mut self.bounced[channel.get()]);
        for probe in refused.into_iter().chain(bounced) {
            for recipient in &study.channel(channel).recipients {
                if self.outcome(probe, *recipient) == Some(Outcome::Refused) {
                    self.conclude(at, probe, *recipient, Outcome::SendFailed, changes);
                }
            }
        }
    }

    fn observed(&mut self, sequence: EntrySequence, at: Timestamp, observation: &Observation, changes: &mut Vec<Change>) {
        if observation.sender.is_none() && observation.kind == ObservationKind::Message {
            self.strangers += 1;
            return;
        }
        match observation.kind {
            ObservationKind::Message => {
                let (Some(path), Some(text)) = (path_of(observation), self.content_of(observation)) else {
                    self.unmatched += 1;
                    return;
                };
                let matcher = self.matchers.entry(path).or_default();
                let file = match &observation.file {
                    None => Arrived::Nothing,
                    Some(file) => file.recognised.map_or(Arrived::Unknown, Arrived::Known),
                };
                let seen = Seen { sequence, at, file };
                match matcher.observed(seen, observation.platform_id.as_ref(), &text) {
                    Recognition::Matched(found) => self.matched(seen, observation.recipient, &found, changes),
                    Recognition::Pending => {}
                    Recognition::Unexpected => self.unmatched += 1,
                }
            }
            ObservationKind::Edit | ObservationKind::Retraction | ObservationKind::Notice => {
                if !self.told_afterwards(at, observation, changes) {
                    if self.early.len() >= EARLY_LIMIT {
                        self.early.pop_front();
                    }
                    self.early.push_back((at, observation.clone()));
                }
                return;
            }
            ObservationKind::Echo => self.echoes[observation.recipient.get()] += 1,
        }
        self.catch_up(changes);
    }

    /// What a received message is compared by: its text, and its file under the hash of the item that it was recognised as.
    fn content_of(&self, observation: &Observation) -> Option<Arc<str>> {
        let Some(file) = &observation.file else { return observation.text.clone() };
        let recognised = file.recognised.and_then(|found| self.study.item(found.item).file.as_ref());
        let sha256 = recognised.map_or(&file.facts.sha256, |file| &file.facts.sha256);
        Some(with_file(observation.text.as_deref().unwrap_or_default(), sha256))
    }

    /// An edit, a retraction or a notice may be faster than the acknowledgement, or the message, that it is about: tries those
    /// again that found nothing.
    fn catch_up(&mut self, changes: &mut Vec<Change>) {
        for (at, observation) in std::mem::take(&mut self.early) {
            if !self.told_afterwards(at, &observation, changes) {
                self.early.push_back((at, observation));
            }
        }
    }

    /// Something is told about an earlier message. `false` if it is not known (yet) which one.
    fn told_afterwards(&mut self, at: Timestamp, observation: &Observation, changes: &mut Vec<Change>) -> bool {
        match observation.kind {
            ObservationKind::Notice => self.refused_afterwards(at, observation, changes),
            _ => self.changed_afterwards(at, observation, changes),
        }
    }

    /// A received message was recognised as this probe.
    fn matched(&mut self, Seen { sequence, at, file }: Seen, recipient: AccountIx, found: &Match, changes: &mut Vec<Change>) {
        if found.duplicate {
            return;
        }
        let Some(index) = self.slot_index(found.probe, recipient) else { return };
        let sent = self.probes[found.probe.get()].probe.items.first().copied();
        let slot = &mut self.slots[index];
        if slot.observed_at.is_some() {
            return;
        }
        slot.file = match file {
            Arrived::Nothing => None,
            Arrived::Unknown => Some(FileState::Unknown),
            Arrived::Known(it) if Some(it.item) != sent => Some(FileState::Replaced(it.item)),
            Arrived::Known(it) if it.distance.is_some() => Some(FileState::Reencoded),
            Arrived::Known(_) => Some(FileState::Intact),
        };
        slot.observed_at = Some(at);
        slot.received = Some(sequence);
        let by_look = found.matched_by != MatchedBy::PlatformId && slot.file == Some(FileState::Reencoded);
        slot.matched_by = Some(if by_look { MatchedBy::Perceptual } else { found.matched_by });
        let outcome = match slot.outcome {
            // What counts for nothing goes on to: on a path that was not provably alive, a late arrival cannot be told from a
            // message that was held. A fresh send settles it.
            Some(nothing @ (Outcome::UnknownSubmission | Outcome::Void)) => nothing,
            _ if found.altered => Outcome::Altered,
            Some(Outcome::Dropped) => Outcome::DeliveredLate,
            _ => Outcome::Delivered,
        };
        // The channel delivers what was sent later: what was refused before was refused because of what it says.
        self.bounced[self.probes[found.probe.get()].probe.channel.get()].retain(|refused| *refused > found.probe);
        changes.push(Change::Arrived { probe: found.probe, recipient });
        self.conclude(at, found.probe, recipient, outcome, changes);
    }

    /// An edit or a retraction names an earlier message.
    fn changed_afterwards(&mut self, at: Timestamp, observation: &Observation, changes: &mut Vec<Change>) -> bool {
        // Without a path or a name it will never be known which.
        let Some((path, platform_id)) = path_of(observation).zip(observation.platform_id.as_ref()) else { return true };
        let recipient = observation.recipient;
        let Some(probe) = self.matchers.get(&path).and_then(|matcher| matcher.named_send(platform_id)) else { return false };
        if !self.arrived(probe, recipient) {
            return false;
        }
        let outcome = match (observation.kind, self.outcome(probe, recipient)) {
            // A send of unknown fate counts for nothing, and what was taken away stays away.
            (_, Some(Outcome::UnknownSubmission)) | (ObservationKind::Edit, Some(Outcome::Retracted)) => return true,
            (ObservationKind::Retraction, _) => Outcome::Retracted,
            _ => Outcome::Altered,
        };
        self.conclude(at, probe, recipient, outcome, changes);
        true
    }

    /// The platform told the sender, after it had accepted the message, that it does not take it.
    fn refused_afterwards(&mut self, at: Timestamp, observation: &Observation, changes: &mut Vec<Change>) -> bool {
        let Some((venue, platform_id)) = observation.venue.zip(observation.platform_id.as_ref()) else { return true };
        let study = Arc::clone(&self.study);
        let sender = observation.recipient;
        let mut known = false;
        for (index, channel) in study.channels().filter(|(_, channel)| channel.sender == sender && channel.venue == venue) {
            for recipient in &channel.recipients {
                let matcher = self.matchers.get(&(sender, venue, *recipient));
                let Some(probe) = matcher.and_then(|matcher| matcher.named_send(platform_id)) else { continue };
                known = true;
                if self.slot_index(probe, *recipient).is_none() || self.arrived(probe, *recipient) {
                    continue;
                }
                let record = &mut self.probes[probe.get()];
                record.notice.clone_from(&observation.text);
                let is_control = record.probe.role == Role::Control;
                self.conclude(at, probe, *recipient, Outcome::Refused, changes);
                if is_control {
                    self.unsay_refusals(at, index, changes);
                } else if self.bounced[index.get()].last() != Some(&probe) {
                    self.bounced[index.get()].push(probe);
                }
            }
        }
        known
    }

    fn grace_over(&mut self, at: Timestamp, probe: ProbeId, recipient: AccountIx, changes: &mut Vec<Change>) {
        if self.slot(probe, recipient).is_none_or(|slot| slot.outcome.is_some()) {
            return;
        }
        let before = self.bracket(probe, recipient, false);
        let after = self.bracket(probe, recipient, true);
        let Some(index) = self.slot_index(probe, recipient) else { return };
        self.slots[index].bracket_before = before;
        self.slots[index].bracket_after = after;
        let enclosed =
            before.zip(after).is_some_and(|(before, after)| self.controls_arrived_between(before, after, probe, recipient));
        if enclosed {
            self.conclude(at, probe, recipient, Outcome::Dropped, changes);
        } else {
            self.slots[index].void_cause = Some(VoidCause::NoBracket);
            self.conclude(at, probe, recipient, Outcome::Void, changes);
        }
    }

    /// Late listening is over: whatever is open is judged by what is known. What was not answered stays open: whether it was
    /// sent is not known, so it cannot be missing.
    fn listening_over(&mut self, at: Timestamp, changes: &mut Vec<Change>) {
        for account in (0u16..).map(AccountIx).take(self.study.accounts.len()) {
            for probe in self.open[account.get()].clone() {
                if self.probe(probe).is_accepted() {
                    self.grace_over(at, probe, account, changes);
                }
            }
        }
    }

    /// A new epoch opens: a send that was on disk as started and never answered is of unknown fate; one that was only planned never left.
    fn abandon(&mut self, at: Timestamp, changes: &mut Vec<Change>) {
        for index in 0..self.probes.len() {
            let record = &mut self.probes[index];
            if record.send_state.is_some() {
                continue;
            }
            let (state, outcome) = match record.started_at {
                Some(_) => (SendState::UnknownSubmission, Outcome::UnknownSubmission),
                None => (SendState::Failed, Outcome::SendFailed),
            };
            record.send_state = Some(state);
            let probe = record.probe.id;
            let study = Arc::clone(&self.study);
            let channel = study.channel(self.probes[index].probe.channel);
            for recipient in &channel.recipients {
                // What had already arrived was certainly sent.
                if !self.arrived(probe, *recipient) {
                    self.conclude(at, probe, *recipient, outcome, changes);
                }
                // Nobody will tell its name any more: what waits for that is to wait no longer.
                let path = (channel.sender, channel.venue, *recipient);
                if let Some(matcher) = self.matchers.get_mut(&path) {
                    let mut released = Vec::new();
                    matcher.unacknowledged(probe, &mut released);
                    self.released(released, *recipient, changes);
                }
            }
        }
    }

    /// The recipient's stream is no longer whole: its open probes are void, and nothing before this moment brackets anything after.
    fn lost_sight(&mut self, recipient: AccountIx, at: Timestamp, changes: &mut Vec<Change>) {
        self.whole_since[recipient.get()] = ProbeId(self.probes.len() as u64);
        for probe in std::mem::take(&mut self.open[recipient.get()]) {
            if let Some(index) = self.slot_index(probe, recipient) {
                self.slots[index].void_cause = Some(VoidCause::Gap);
            }
            self.conclude(at, probe, recipient, Outcome::Void, changes);
        }
    }

    fn conclude(&mut self, at: Timestamp, probe: ProbeId, recipient: AccountIx, outcome: Outcome, changes: &mut Vec<Change>) {
        let Some(index) = self.slot_index(probe, recipient) else { return };
        let slot = &mut self.slots[index];
        let before = slot.outcome;
        if before == Some(outcome) {
            return;
        }
        slot.outcome = Some(outcome);
        if before.is_some() {
            slot.revised_at = Some(at);
        } else {
            slot.first_outcome = Some(outcome);
            self.open[recipient.get()].remove(&probe);
        }
        self.searches.told(at, &self.probes[probe.get()].probe, recipient, outcome);
        changes.push(Change::Outcome { probe, recipient, outcome, before });
    }
}
