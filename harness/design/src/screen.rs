//! `design = "screen"`: which items are dropped?
//!
//! A *question* is an item on an arm: in a conversation for one recipient, in a group for all at once. The first delivery
//! answers it for a recipient, as does a refusal, a change or a retraction; a drop is asked again, later, from the next
//! sender, until enough drops convict. Sends that say nothing (void, failed, of unknown fate) are replaced by fresh ones.

use std::collections::BTreeSet;

use lacuna_inference::tally::Tallies;
use lacuna_model::{AccountIx, ArmIx, ChannelIx, ItemIx, Outcome, ProbeId, Purpose, Role, Study, Timestamp, Unit};
use rand::seq::SliceRandom;

use crate::random::generator;

/// Index of a question.
type QuestionIx = u32;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// In a queue.
    Queued,
    /// A probe is under way or not yet judged.
    Asked,
    /// Answered for every recipient.
    Answered,
    /// Asked often enough, or nobody is left to ask through.
    GivenUp,
}

#[derive(Clone, Debug)]
struct Question {
    item: ItemIx,
    /// Index into `routes`.
    route: u32,
    /// Which sender of the route asks next.
    turn: u32,
    /// Sends that the platform may have taken.
    attempts: u32,
    /// Outcomes still missing of the probe under way.
    open: u16,
    stage: Stage,
}

/// Where a question can be asked: the channels of one arm, one per sender, that reach the same recipients.
#[derive(Clone, Debug)]
struct Route {
    arm: ArmIx,
    channels: Vec<ChannelIx>,
}

/// The questions waiting on one channel.
#[derive(Clone, Debug, Default)]
struct Queue {
    /// Not yet asked, in seeded random order, the next one last.
    fresh: Vec<QuestionIx>,
    /// To be asked again, from a certain time on, and those of them whose time has come.
    later: BTreeSet<(Timestamp, u32, QuestionIx)>,
    due: BTreeSet<(Timestamp, u32, QuestionIx)>,
    closed: bool,
}

impl Queue {
    /// Moves what may be asked again by now. Each entry moves once, so that a long queue costs no more than a short one.
    fn turn_due(&mut self, at: Timestamp) {
        while let Some(entry) = self.later.first().copied().filter(|(from, _, _)| *from <= at) {
            self.later.remove(&entry);
            self.due.insert(entry);
        }
    }
}

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

/// What to send next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ask {
    pub item: ItemIx,
    pub role: Role,
    pub purpose: Purpose,
    pub attempt: u32,
    question: QuestionIx,
}

/// The state of a screen.
#[derive(Debug)]
pub(crate) struct Screen {
    questions: Vec<Question>,
    routes: Vec<Route>,
    queues: Vec<Queue>,
    /// Canaries: they may cost an account, so they wait until no candidate is left to be asked.
    held: Vec<QuestionIx>,
    /// Per probe: its question; `None` for controls.
    asked: Vec<Option<QuestionIx>>,
    /// Paths on which nothing arrives any more: a recipient that only they reach is not waited for.
    silent: BTreeSet<(ChannelIx, AccountIx)>,
    /// Questions that are neither answered nor given up.
    unfinished: usize,
    /// Tells entries of one queue with one time apart.
    ties: u32,
}

impl Screen {
    pub fn new(study: &Study) -> Self {
        let mut screen = Self {
            questions: Vec::new(),
            routes: routes(study),
            queues: vec![Queue::default(); study.channels.len()],
            held: Vec::new(),
            asked: Vec::new(),
            silent: BTreeSet::new(),
            unfinished: 0,
            ties: 0,
        };
        for route in 0..screen.routes.len() {
            screen.add_questions(study, route);
        }
        screen.unfinished = screen.questions.len();
        screen
    }

    /// The questions of one route, shuffled, dealt to the senders in turn; those about canaries are held.
    fn add_questions(&mut self, study: &Study, route: usize) {
        let Route { arm, channels } = &self.routes[route];
        let recipients: Vec<&str> =
            study.channel(channels[0]).recipients.iter().map(|recipient| study.account(*recipient).id.as_str()).collect();
        let mut names = vec!["screen", study.arm(*arm).id.as_str()];
        names.extend(recipients);
        let mut random = generator(study.seed, &names);
        let mut order: Vec<ItemIx> = study.items_of(Role::Candidate).collect();
        order.shuffle(&mut random);
        let mut canaries: Vec<ItemIx> = study.items_of(Role::Canary).collect();
        canaries.shuffle(&mut random);
        let candidates = order.len();
        order.extend(canaries);
        for (turn, item) in (0u32..).zip(order) {
            let question = u32::try_from(self.questions.len()).unwrap_or(u32::MAX);
            let channel = channels[turn as usize % channels.len()];
            self.questions.push(Question {
                item,
                route: u32::try_from(route).unwrap_or(u32::MAX),
                turn: turn % u32::try_from(channels.len()).unwrap_or(1),
                attempts: 0,
                open: 0,
                stage: Stage::Queued,
            });
            if (turn as usize) < candidates {
                self.queues[channel.get()].fresh.push(question);
            } else {
                self.held.push(question);
            }
        }
        for channel in channels {
            self.queues[channel.get()].fresh.reverse();
        }
    }

    pub fn questions(&self) -> usize {
        self.questions.len()
    }

    pub fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// What this channel has to ask now.
    pub fn supply(&mut self, channel: ChannelIx, at: Timestamp) -> Supply {
        let queue = &mut self.queues[channel.get()];
        queue.turn_due(at);
        match (queue.due.len() + queue.fresh.len(), queue.later.first()) {
            (0, None) => Supply::Nothing,
            (0, Some((from, _, _))) => Supply::Later(*from),
            (ready, _) => Supply::Ready(ready),
        }
    }

    /// The next question of a channel: what is to be asked again comes first.
    pub fn next(&mut self, channel: ChannelIx, at: Timestamp, study: &Study, tallies: &Tallies) -> Option<Ask> {
        loop {
            let queue = &mut self.queues[channel.get()];
            queue.turn_due(at);
            let index = match queue.due.pop_first() {
                Some((_, _, index)) => index,
                None => queue.fresh.pop()?,
            };
            // A late arrival may have answered it in the meantime.
            if self.is_answered(index, study, tallies) {
                self.finish(index, Stage::Answered);
                continue;
            }
            let question = &self.questions[index as usize];
            let dropped = self.units(index, study).any(|unit| tallies.of(unit).dropped > 0);
            let purpose = match (question.attempts, dropped) {
                (0, _) => Purpose::Screen,
                (_, true) => Purpose::Confirm,
                (_, false) => Purpose::Retest,
            };
            let role = study.item(question.item).role;
            return Some(Ask { item: question.item, role, purpose, attempt: question.attempts + 1, question: index });
        }
    }

    /// The probe that asks was planned; probes of controls come with `None`.
    pub fn planned(&mut self, probe: ProbeId, ask: Option<Ask>, recipients: usize) {
        debug_assert_eq!(probe.get(), self.asked.len(), "every probe is told");
        self.asked.push(ask.map(|ask| ask.question));
        if let Some(ask) = ask {
            let question = &mut self.questions[ask.question as usize];
            question.stage = Stage::Asked;
            question.attempts += 1;
            question.open = u16::try_from(recipients).unwrap_or(u16::MAX);
        }
    }

    /// The first outcome of a probe for one of its recipients.
    pub fn concluded(&mut self, at: Timestamp, probe: ProbeId, outcome: Outcome, study: &Study, tallies: &Tallies) {
        let Some(index) = self.asked.get(probe.get()).copied().flatten() else { return };
        let question = &mut self.questions[index as usize];
        question.open = question.open.saturating_sub(1);
        if question.open > 0 || question.stage != Stage::Asked {
            return;
        }
        if matches!(outcome, Outcome::SendFailed | Outcome::RateLimited) {
            // Nothing reached the platform, so nothing was spent.
            question.attempts -= 1;
        }
        self.review(index, at, study, tallies);
    }

    /// Answered, to be asked again, or given up.
    fn review(&mut self, index: QuestionIx, at: Timestamp, study: &Study, tallies: &Tallies) {
        if self.is_answered(index, study, tallies) {
            self.finish(index, Stage::Answered);
            return;
        }
        let question = &self.questions[index as usize];
        if question.attempts >= study.decision.max_probes_per_item {
            self.finish(index, Stage::GivenUp);
            return;
        }
        let from = self.not_before(index, at, study, tallies);
        self.enqueue_again(index, from);
    }

    /// From when a question may be asked again: not soon after a drop, which may have been this moment.
    fn not_before(&self, index: QuestionIx, at: Timestamp, study: &Study, tallies: &Tallies) -> Timestamp {
        let dropped = self.units(index, study).any(|unit| tallies.of(unit).dropped > 0);
        if dropped { at + study.pacing.confirm_after } else { at }
    }

    /// Hands the question to the next sender whose channel is open; without one it is given up.
    fn enqueue_again(&mut self, index: QuestionIx, from: Timestamp) {
        let question = &self.questions[index as usize];
        let channels = &self.routes[question.route as usize].channels;
        let turns = (1..=channels.len()).map(|step| (question.turn as usize + step) % channels.len());
        let Some(turn) = turns.into_iter().find(|turn| !self.queues[channels[*turn].get()].closed) else {
            self.finish(index, Stage::GivenUp);
            return;
        };
        let channel = channels[turn];
        self.ties += 1;
        self.queues[channel.get()].later.insert((from, self.ties, index));
        let question = &mut self.questions[index as usize];
        question.turn = u32::try_from(turn).unwrap_or(0);
        question.stage = Stage::Queued;
    }

    /// Nothing can be asked on this channel any more: its questions go to the other senders.
    pub fn close(&mut self, channel: ChannelIx, at: Timestamp) {
        let queue = &mut self.queues[channel.get()];
        queue.closed = true;
        let fresh = std::mem::take(&mut queue.fresh);
        let mut again = std::mem::take(&mut queue.due);
        again.append(&mut queue.later);
        for (from, index) in
            fresh.into_iter().rev().map(|index| (at, index)).chain(again.into_iter().map(|(from, _, index)| (from, index)))
        {
            self.enqueue_again(index, from);
        }
    }

    /// Nothing arrives on this path any more.
    pub fn silenced(&mut self, channel: ChannelIx, recipient: AccountIx) {
        self.silent.insert((channel, recipient));
    }

    /// Something arrived on this path.
    pub fn heard(&mut self, channel: ChannelIx, recipient: AccountIx) {
        if !self.silent.is_empty() {
            self.silent.remove(&(channel, recipient));
        }
    }

    /// A new epoch: all channels and paths are tried again, and with them what had been given up for want of one.
    pub fn open_epoch(&mut self, at: Timestamp, study: &Study, tallies: &Tallies) {
        self.silent.clear();
        for queue in &mut self.queues {
            queue.closed = false;
        }
        for index in 0..self.questions.len() {
            let question = &self.questions[index];
            if question.stage == Stage::GivenUp && question.attempts < study.decision.max_probes_per_item {
                self.unfinished += 1;
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                self.enqueue_again(index, self.not_before(index, at, study, tallies));
            }
        }
    }

    /// Queues the canaries once they are all that is left. Returns whether there are any.
    pub fn release_canaries(&mut self, at: Timestamp) -> bool {
        if self.held.is_empty() || self.unfinished > self.held.len() {
            return false;
        }
        for index in std::mem::take(&mut self.held) {
            self.enqueue_again(index, at);
        }
        true
    }

    /// Looks at everything answered or given up once more, now that the loss is known better, and queues what the evidence no
    /// longer decides. Returns how many.
    pub fn reconsider(&mut self, at: Timestamp, study: &Study, tallies: &Tallies) -> usize {
        let before = self.unfinished;
        for index in 0..self.questions.len() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let question = &self.questions[index as usize];
            let spent = question.attempts >= study.decision.max_probes_per_item;
            if question.stage == Stage::Answered && !spent && !self.is_answered(index, study, tallies) {
                self.unfinished += 1;
                self.enqueue_again(index, self.not_before(index, at, study, tallies));
            }
        }
        self.unfinished - before
    }

    /// Whether a question was given up before it had been asked as often as it may be.
    pub fn gave_up_early(&self, study: &Study) -> bool {
        let most = study.decision.max_probes_per_item;
        self.questions.iter().any(|question| question.stage == Stage::GivenUp && question.attempts < most)
    }

    fn finish(&mut self, index: QuestionIx, stage: Stage) {
        self.questions[index as usize].stage = stage;
        self.unfinished -= 1;
    }

    fn is_answered(&self, index: QuestionIx, study: &Study, tallies: &Tallies) -> bool {
        self.units(index, study).all(|unit| {
            if self.is_out_of_reach(index, unit.recipient) {
                return true;
            }
            tallies.verdict(unit).is_some()
        })
    }

    /// Whether every channel of the question is closed or silent towards the recipient.
    fn is_out_of_reach(&self, index: QuestionIx, recipient: AccountIx) -> bool {
        if self.silent.is_empty() {
            return false;
        }
        let channels = &self.routes[self.questions[index as usize].route as usize].channels;
        channels.iter().all(|channel| self.queues[channel.get()].closed || self.silent.contains(&(*channel, recipient)))
    }

    fn units<'a>(&'a self, index: QuestionIx, study: &'a Study) -> impl Iterator<Item = Unit> + 'a {
        let question = &self.questions[index as usize];
        let route = &self.routes[question.route as usize];
        let recipients = &study.channel(route.channels[0]).recipients;
        recipients.iter().map(move |recipient| Unit { item: question.item, arm: route.arm, recipient: *recipient })
    }
}

/// The channels of each arm, grouped by whom they reach.
fn routes(study: &Study) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for (arm, it) in (0u16..).map(ArmIx).zip(&study.arms) {
        let first = routes.len();
        for channel in &it.channels {
            let reaches = &study.channel(*channel).recipients;
            let same = |route: &&mut Route| study.channel(route.channels[0]).recipients == *reaches;
            match routes[first..].iter_mut().find(same) {
                Some(route) => route.channels.push(*channel),
                None => routes.push(Route { arm, channels: vec![*channel] }),
            }
        }
    }
    routes
}
