//! A check of the paths: so many controls on each channel, and nothing else.
//!
//! Nothing is asked, so nothing needs a bracket. A channel sends its next control once the one before has arrived wherever somebody listens,
//! or once patience is over, and none is repeated before all were tried; pacing, budgets and safety rules are those of every run. The
//! check is over when all that was sent has arrived, or when receivers have listened as long as a run listens for what is late.

use std::collections::BTreeSet;
use std::sync::Arc;

use lacuna_model::{
    AccountIx, ChannelIx, DesignKind, Item, ItemFile, ItemIx, Outcome, Pooling, Probe, ProbeId, Purpose, Role, StopReason, Study,
    Timestamp,
};

use crate::channel::Need;
use crate::controls::Likeness;
use crate::engine::Engine;

/// What is checked, and how far it got.
#[derive(Debug)]
pub(crate) struct Check {
    /// Controls on each channel.
    messages: u32,
    /// What the k-th control of a channel is to look like: candidates from all over the list.
    likenesses: Vec<Likeness>,
    /// Whether each account is logged in.
    listens: Vec<bool>,
    /// Per channel: controls that were planned.
    planned: Vec<u32>,
    /// The researcher asked for an end.
    asked_to_stop: bool,
}

/// What a check may send: controls, but none whose file shares its MD5 with what is under test, since sending it would teach the
/// platform that hash.
#[must_use]
pub fn harmless(study: &Study) -> Vec<ItemIx> {
    let is_control = |item: &Item| item.role == Role::Control;
    let md5 = |item: &Item| item.file.as_ref().map(|file| Arc::clone(&file.facts.md5));
    let is_twin = |item: &Item| item.file.as_ref().is_some_and(|file| file.origin.same_md5_as.is_some());
    let tested: BTreeSet<_> = study.items.iter().filter(|item| !is_control(item) || is_twin(item)).filter_map(md5).collect();
    let is_harmless = |item: &Item| md5(item).is_none_or(|md5| !tested.contains(&md5));
    study.items_of(Role::Control).filter(|item| is_harmless(study.item(*item))).collect()
}

/// The study without anything that a check must not send, so that it cannot.
fn without_questions(study: &Study) -> Study {
    // What a file was made of is no longer there to be named.
    let bare = |file: &ItemFile| {
        let mut file = file.clone();
        (file.origin.base, file.origin.twin_of) = (None, None);
        Box::new(file)
    };
    let controls = harmless(study).into_iter().map(|item| study.item(item));
    let items = controls.map(|item| Item { file: item.file.as_deref().map(bare), ..item.clone() }).collect();
    let mut bare = Study { items, design: DesignKind::Screen, isolation: None, mechanism: None, exposure: None, ..study.clone() };
    bare.earlier = None;
    bare.decision.pooling = Pooling::Off;
    bare.decision.replicates = None;
    bare
}

/// What `messages` candidates look like, from all over the list.
fn likenesses(study: &Study, messages: u32) -> Vec<Likeness> {
    let candidates: Vec<ItemIx> = study.items_of(Role::Candidate).collect();
    let sent_alone = |item: ItemIx| Probe {
        id: ProbeId(0),
        channel: ChannelIx(0),
        role: Role::Candidate,
        purpose: Purpose::Screen,
        attempt: 1,
        items: vec![item],
        carrier: None,
        excerpt: None,
    };
    let places = (0..messages as usize).map(|turn| turn * candidates.len() / messages as usize);
    places.filter_map(|place| candidates.get(place)).map(|item| Likeness::of(&sent_alone(*item), study)).collect()
}

impl Engine {
    /// An engine that sends `messages` controls on each channel whose sender is logged in, with one recipient at least that is, and
    /// nothing else: its study has no other items. `listens` says of each account whether it is logged in.
    #[must_use]
    pub fn check(study: &Study, messages: u32, listens: Vec<bool>) -> Self {
        let mut engine = Self::new(Arc::new(without_questions(study)));
        let planned = vec![0; study.channels.len()];
        engine.check = Some(Check { messages, likenesses: likenesses(study, messages), listens, planned, asked_to_stop: false });
        engine
    }

    /// Whether the researcher asked for an end of the check before it came by itself: what is missing then was not waited for, whatever
    /// [`Self::stopped`] says.
    #[must_use]
    pub fn was_asked_to_stop(&self) -> bool {
        self.check.as_ref().is_some_and(|check| check.asked_to_stop)
    }

    /// Leaves out what cannot be checked.
    pub(crate) fn open_check(&mut self) {
        let Some(check) = &self.check else { return };
        for (channel, state) in self.study.channels.iter().zip(&mut self.channels) {
            if !check.listens(channel.sender) {
                state.close();
            }
            for recipient in channel.recipients.iter().filter(|recipient| !check.listens(**recipient)) {
                state.give_up(*recipient);
            }
        }
    }

    /// Controls that a check is to send in all.
    pub(crate) fn check_length(&self) -> Option<u64> {
        let check = self.check.as_ref()?;
        let open = (0..self.channels.len()).filter(|index| check.planned[*index] > 0 || !self.channels[*index].is_dead());
        Some(open.count() as u64 * u64::from(check.messages))
    }

    /// Why the check sends nothing more; `None` while something is to be sent.
    pub(crate) fn check_ends(&mut self, at: Timestamp) -> Option<StopReason> {
        let check = self.check.as_ref()?;
        if self.run.in_flight > 0 {
            return None;
        }
        let mut reason = StopReason::Finished;
        for (index, channel) in self.study.channels() {
            if !check.owes(index) || !check.listens(channel.sender) {
                continue;
            }
            if !self.channels[index.get()].is_dead() {
                return None;
            }
            if self.accounts[channel.sender.get()].left_today(at, &self.study.safety) == 0 {
                reason = StopReason::DailyBudget;
            }
        }
        Some(reason)
    }

    /// Whether this is a check, and everything that may have been sent has arrived wherever somebody listens. Behind a refusal the
    /// news of a sanction may come, so that it is listened for.
    pub(crate) fn has_heard_all(&self) -> bool {
        let Some(check) = &self.check else { return false };
        self.evidence.probes().iter().all(|record| {
            let recipients = &self.study.channel(record.probe.channel).recipients;
            recipients.iter().filter(|recipient| check.listens(**recipient)).all(|recipient| {
                let outcome = self.evidence.outcome(record.probe.id, *recipient);
                self.evidence.arrived(record.probe.id, *recipient)
                    || matches!(outcome, Some(Outcome::RateLimited | Outcome::SendFailed))
            })
        })
    }
}

impl Check {
    pub fn ask_to_stop(&mut self) {
        self.asked_to_stop = true;
    }

    fn listens(&self, account: AccountIx) -> bool {
        self.listens.get(account.get()).copied().unwrap_or(false)
    }

    fn owes(&self, channel: ChannelIx) -> bool {
        self.planned[channel.get()] < self.messages
    }

    /// What a channel needs.
    pub fn need(&self, channel: ChannelIx, next_control: impl FnOnce() -> Need) -> Need {
        if self.owes(channel) { next_control() } else { Need::Nothing }
    }

    /// The channel with the fewest controls so far, so that a budget that does not suffice for all is spent on all.
    pub fn neediest(&self, channels: &[ChannelIx]) -> Option<ChannelIx> {
        channels.iter().copied().min_by_key(|channel| self.planned[channel.get()])
    }

    /// The next control of a channel is sent: what it is to look like.
    pub fn plan(&mut self, channel: ChannelIx) -> Option<Likeness> {
        let planned = &mut self.planned[channel.get()];
        let likeness = self.likenesses.get(*planned as usize).copied();
        *planned += 1;
        likeness
    }
}
