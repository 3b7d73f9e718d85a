//! What to send next.

use lacuna_inference::evidence::Evidence;
use lacuna_inference::tally::Tallies;
use lacuna_model::{ChannelIx, Excerpt, ItemIx, Outcome, ProbeId, Purpose, Role, Study, Timestamp};
use rand::seq::{IndexedRandom, SliceRandom};

use super::checks::Check;
use super::pools::{HuntIx, Step};
use super::question::{QuestionIx, Stage};
use super::queue::Class;
use super::{Screen, purpose};
use crate::isolate::Inquiry;
use crate::mechanism::FileAsk;
use lacuna_inference::routes::RouteIx;

/// What a channel has to ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Supply {
    /// So many questions, now.
    Ready(usize),
    /// Something, from this time on.
    Later(Timestamp),
    /// Nothing for now.
    Nothing,
}

impl Supply {
    /// What two have together.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Ready(one), Self::Ready(other)) => Self::Ready(one + other),
            (Self::Ready(ready), _) | (_, Self::Ready(ready)) => Self::Ready(ready),
            (Self::Later(one), Self::Later(other)) => Self::Later(one.min(other)),
            (Self::Later(from), _) | (_, Self::Later(from)) => Self::Later(from),
            (Self::Nothing, Self::Nothing) => Self::Nothing,
        }
    }
}

/// Whose question a probe asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Task {
    /// An item, alone.
    Question(QuestionIx),
    /// Several items of one hunt.
    Hunt(RouteIx, HuntIx),
    /// Whether pools can be believed.
    Check(RouteIx),
    /// Nothing of the screen's: where in a text the block is, or what of a file is looked at.
    Elsewhere,
}

/// What to send next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ask {
    pub items: Vec<ItemIx>,
    pub role: Role,
    pub purpose: Purpose,
    pub attempt: u32,
    /// A control may stand before the item, so that not every send of it is the same text.
    pub carried: bool,
    /// Only these parts of the items' text.
    pub excerpt: Option<Excerpt>,
    task: Task,
}

impl Ask {
    /// A file.
    pub fn of_file(ask: FileAsk, study: &Study) -> Self {
        let FileAsk { item, purpose, attempt } = ask;
        let role = study.item(item).role;
        Self { items: vec![item], role, purpose, attempt, carried: false, excerpt: None, task: Task::Elsewhere }
    }
}

impl From<Inquiry> for Ask {
    fn from(inquiry: Inquiry) -> Self {
        let Inquiry { items, purpose, attempt, excerpt } = inquiry;
        Self { items, role: Role::Candidate, purpose, attempt, carried: false, excerpt: Some(excerpt), task: Task::Elsewhere }
    }
}

impl Screen {
    /// What this channel has to ask now; `with_last`: also what is better asked at the end.
    pub fn supply(&mut self, channel: ChannelIx, at: Timestamp, with_last: bool) -> Supply {
        let queue = &mut self.queues[channel.get()];
        queue.turn_due(at);
        let (alone, later) = (queue.ready(), queue.next_at(at));
        let last = queue.ready_last(at);
        let mut ready = alone;
        let mut exhausted = alone == 0;
        if let Some(pooled) = &mut self.pooling[self.route_of[channel.get()] as usize] {
            ready += pooled.pools.supply(&pooled.priors) + usize::from(pooled.checks.is_due());
            exhausted &= pooled.pools.is_idle() && pooled.checks.is_idle();
        }
        if ready == 0 && exhausted && with_last {
            ready = last;
        }
        match (ready, later) {
            (0, None) => Supply::Nothing,
            (0, Some(from)) => Supply::Later(from),
            (ready, _) => Supply::Ready(ready),
        }
    }

    /// The next question of a channel. `tail` is how many messages on it have not arrived (yet): behind some, what is likely to
    /// arrive comes first, so that candidates bracket each other and fewer controls are needed.
    pub fn next(&mut self, channel: ChannelIx, at: Timestamp, tail: usize, study: &Study, tallies: &Tallies) -> Option<Ask> {
        const AFTER_AN_ARRIVAL: [Class; 3] = [Class::Due, Class::Fresh, Class::Audit];
        const AFTER_SILENCE: [Class; 3] = [Class::Audit, Class::Fresh, Class::Due];
        self.queues[channel.get()].turn_due(at);
        let (before_pools, after_pools): (&[Class], &[Class]) =
            if tail == 0 { (&AFTER_AN_ARRIVAL[..1], &AFTER_AN_ARRIVAL[1..]) } else { (&AFTER_SILENCE[..1], &AFTER_SILENCE[1..]) };
        // Audits are kept for when something likely to arrive is wanted.
        let before_pools = if tail == 1 { &[] } else { before_pools };
        self.next_alone(before_pools, channel, at, study, tallies)
            .or_else(|| self.next_check(channel, study))
            .or_else(|| self.next_pool(channel, at, study, tallies))
            .or_else(|| self.next_alone(after_pools, channel, at, study, tallies))
            .or_else(|| self.next_alone(&[Class::Due, Class::Fresh, Class::Audit, Class::Last], channel, at, study, tallies))
    }

    fn next_alone(
        &mut self,
        classes: &[Class],
        channel: ChannelIx,
        at: Timestamp,
        study: &Study,
        tallies: &Tallies,
    ) -> Option<Ask> {
        for class in classes {
            while let Some(index) = self.queues[channel.get()].pop(*class, at) {
                // A late arrival may have answered it in the meantime.
                if self.is_answered(index, study, tallies) {
                    self.finish(index, Stage::Answered);
                    self.tell_hunt(index, at, study, tallies);
                    continue;
                }
                let drops = self.own_drops(index, tallies);
                let question = &self.questions[index as usize];
                // Only where messages of several parts were seen to arrive: else the carrier might be what is dropped.
                let parts_pass = self.pooling[question.route as usize].as_ref().is_some_and(|it| it.checks.parts_pass);
                let role = study.item(question.item).role;
                let audited = question.alone && !question.known && self.pooling[question.route as usize].is_some();
                let purpose = purpose(question, audited, drops, study);
                return Some(Ask {
                    items: vec![question.item],
                    role,
                    purpose,
                    attempt: question.attempts + 1,
                    carried: parts_pass && purpose == Purpose::Confirm && role == Role::Candidate,
                    excerpt: None,
                    task: Task::Question(index),
                });
            }
        }
        None
    }

    fn next_check(&mut self, channel: ChannelIx, study: &Study) -> Option<Ask> {
        let route = self.route_of[channel.get()];
        let pooled = self.pooling[route as usize].as_mut()?;
        let check = pooled.checks.next()?;
        let item = |question: &QuestionIx| self.questions[*question as usize].item;
        let (items, purpose) = match &check {
            Check::Calibration(known) => (vec![item(known)], Purpose::Calibration),
            Check::Spike(known) => {
                let company = pooled.pools.usual_size().saturating_sub(1).max(1);
                let mut items: Vec<ItemIx> = pooled.checks.cleared.sample(&mut pooled.random, company).map(item).collect();
                items.push(item(known));
                items.shuffle(&mut pooled.random);
                (shortened(items, item(known), study), Purpose::Spike)
            }
        };
        pooled.checks.under_way = Some((check, 0));
        Some(Ask { items, role: Role::Candidate, purpose, attempt: 1, carried: false, excerpt: None, task: Task::Check(route) })
    }

    fn next_pool(&mut self, channel: ChannelIx, at: Timestamp, study: &Study, tallies: &Tallies) -> Option<Ask> {
        let route = self.route_of[channel.get()];
        loop {
            let mut pooled = self.pooling[route as usize].take()?;
            let supply = pooled.pools.supply(&pooled.priors);
            let item = |question: QuestionIx| self.questions[question as usize].item;
            let answered = |question: QuestionIx| self.questions[question as usize].stage != Stage::Pooled;
            let hunt = if supply > 0 { pooled.pools.next(&pooled.priors, study, item, answered) } else { None };
            let single = hunt.and_then(|hunt| pooled.pools.dissolve_single(hunt));
            self.pooling[route as usize] = Some(pooled);
            let hunt = hunt?;
            if let Some(single) = single {
                // Where items are blocked so often that pools save nothing, each is asked alone.
                self.ask_alone(single, at, study, tallies);
                let ask = self.next_alone(&[Class::Due, Class::Fresh], channel, at, study, tallies);
                if ask.is_some() {
                    return ask;
                }
                continue;
            }
            let pooled = self.pooling[route as usize].as_mut()?;
            let Some(state) = pooled.pools.hunt(hunt) else { continue };
            let items: Vec<ItemIx> = state.message.iter().map(|question| self.questions[*question as usize].item).collect();
            let purpose = match state.step {
                Step::Root | Step::Part => Purpose::Screen,
                Step::Again | Step::Single(_) => Purpose::Retest,
                Step::Certificate => Purpose::Certificate,
            };
            let attempt = state.attempt();
            pooled.checks.count_message();
            let task = Task::Hunt(route, hunt);
            return Some(Ask { items, role: Role::Candidate, purpose, attempt, carried: false, excerpt: None, task });
        }
    }

    /// The probe that asks was planned; probes of controls come with `None`.
    pub fn planned(&mut self, probe: ProbeId, ask: Option<&Ask>, recipients: usize) {
        debug_assert_eq!(probe.get(), self.asked.len(), "every probe is told");
        self.asked.push(ask.map(|ask| ask.task));
        let open = u16::try_from(recipients).unwrap_or(u16::MAX);
        match ask.map(|ask| ask.task) {
            None | Some(Task::Elsewhere) => {}
            Some(Task::Question(index)) => {
                let question = &mut self.questions[index as usize];
                question.stage = Stage::Asked;
                question.attempts += 1;
                question.open = open;
            }
            Some(Task::Hunt(route, hunt)) => {
                if let Some(state) = self.pooling[route as usize].as_mut().and_then(|it| it.pools.hunt_mut(hunt)) {
                    state.open = open;
                }
            }
            Some(Task::Check(route)) => {
                if let Some((_, missing)) = self.pooling[route as usize].as_mut().and_then(|it| it.checks.under_way.as_mut()) {
                    *missing = open;
                }
            }
        }
    }

    /// The first outcome of a probe for one of its recipients.
    pub fn concluded(
        &mut self,
        at: Timestamp,
        probe: ProbeId,
        outcome: Outcome,
        study: &Study,
        evidence: &Evidence,
        tallies: &Tallies,
    ) {
        match self.asked.get(probe.get()).copied().flatten() {
            None | Some(Task::Elsewhere) => {}
            Some(Task::Question(index)) => self.question_concluded(index, outcome, at, study, tallies),
            Some(Task::Hunt(route, hunt)) => self.hunt_concluded(route, hunt, probe, at, study, evidence, tallies),
            Some(Task::Check(route)) => self.check_concluded(route, probe, at, study, evidence, tallies),
        }
    }

    fn question_concluded(&mut self, index: QuestionIx, outcome: Outcome, at: Timestamp, study: &Study, tallies: &Tallies) {
        let question = &mut self.questions[index as usize];
        question.open = question.open.saturating_sub(1);
        if question.open > 0 || question.stage != Stage::Asked {
            return;
        }
        if matches!(outcome, Outcome::SendFailed | Outcome::RateLimited) {
            // Nothing reached the platform, so nothing was spent.
            question.attempts -= 1;
        } else if question.attempts == 1 && question.hunt.is_none() && !question.alone {
            let caught = !matches!(outcome, Outcome::Delivered | Outcome::DeliveredLate);
            if let (Some(pooled), false) = (&mut self.pooling[question.route as usize], outcome == Outcome::Void) {
                pooled.pools.observe_single(caught);
            }
        }
        if self.is_suspect(index, tallies) {
            self.learn(index, true);
        }
        self.review(index, at, study, tallies);
        self.tell_hunt(index, at, study, tallies);
        self.learn_of_pools(index, at, study, tallies);
    }
}

/// A spike's items, fewer where they would be too long for the platform; the known one stays.
fn shortened(mut items: Vec<ItemIx>, known: ItemIx, study: &Study) -> Vec<ItemIx> {
    let separator = study.text.separator.chars().count();
    let length = |items: &[ItemIx]| -> usize {
        items.iter().map(|item| study.item(*item).message.chars().count() + separator).sum::<usize>().saturating_sub(separator)
    };
    while items.len() > 1 && length(&items) > study.text.longest {
        let Some(place) = items.iter().rposition(|item| *item != known) else { break };
        items.remove(place);
    }
    items
}
