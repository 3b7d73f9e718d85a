//! `design = "screen"`: which items are dropped?
//!
//! A *question* is an item on an arm: in a conversation for one recipient, in a group for all at once. The first delivery
//! answers it for a recipient, as does a refusal, a change or a retraction; a drop is asked again, later, alone, from the next
//! sender, until enough drops convict. Sends that say nothing (void, failed, of unknown fate) are replaced by fresh ones.
//!
//! With pools several items share a message, see [`pools`]: one that arrives answers the questions of all its items, and one that is
//! dropped leads to the items that have to be asked alone. Whether pools can be believed is looked at all the while, see [`checks`].
//! With replicates every item is sent so many times alone, whatever becomes of it.

mod ask;
mod checks;
mod hunt;
mod pools;
mod prevalence;
mod prior;
mod question;
mod queue;
mod search;

use std::collections::BTreeSet;

use lacuna_inference::tally::Tallies;
use lacuna_model::{AccountIx, ChannelIx, DesignKind, ItemIx, Pooling, Purpose, Role, Study, Timestamp};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;

use crate::random::generator;
use ask::Task;
pub(crate) use ask::{Ask, Supply};
use checks::{AUDITED, Checks};
use lacuna_inference::routes::{Route, RouteIx, route_of, routes};
use pools::Pools;
use prior::Priors;
use question::{Question, QuestionIx, Stage};
use queue::Queue;

/// The state of a screen.
#[derive(Debug)]
pub(crate) struct Screen {
    questions: Vec<Question>,
    routes: Vec<Route>,
    queues: Vec<Queue>,
    /// Per channel: its route.
    route_of: Vec<RouteIx>,
    /// Per route: its pools, where it has any.
    pooling: Vec<Option<Pooled>>,
    /// Canaries: they may cost an account, so they wait until no candidate is left to be asked.
    held: Vec<QuestionIx>,
    /// Per probe: what it asks; `None` for controls.
    asked: Vec<Option<Task>>,
    /// Paths on which nothing arrives any more: a recipient that only they reach is not waited for.
    silent: BTreeSet<(ChannelIx, AccountIx)>,
    /// Questions that are neither answered nor given up.
    unfinished: usize,
}

/// A route on which items share messages.
#[derive(Debug)]
struct Pooled {
    pools: Pools,
    priors: Priors,
    checks: Checks,
    /// Chooses audits and the company of spikes.
    random: ChaCha12Rng,
}

impl Screen {
    pub fn new(study: &Study) -> Self {
        let routes = routes(study);
        let route_of = route_of(study, &routes);
        let mut screen = Self {
            questions: Vec::new(),
            routes,
            queues: vec![Queue::default(); study.channels.len()],
            route_of,
            pooling: Vec::new(),
            held: Vec::new(),
            asked: Vec::new(),
            silent: BTreeSet::new(),
            unfinished: 0,
        };
        for route in 0..screen.routes.len() {
            screen.add_questions(study, route);
        }
        screen.unfinished = screen.questions.len();
        screen
    }

    /// The questions of one route, shuffled; dealt to the senders in turn, or left to the pools. Those about canaries are held.
    fn add_questions(&mut self, study: &Study, route: usize) {
        let Route { arm, channels, recipients } = &self.routes[route];
        let recipients_of = recipients;
        let recipients: Vec<&str> = recipients.iter().map(|recipient| study.account(*recipient).id.as_str()).collect();
        let named = |first: &str| {
            let mut names = vec![first, study.arm(*arm).id.as_str()];
            names.extend(&recipients);
            generator(study.seed, &names)
        };
        let mut random = named("screen");
        // Files are asked about by a design of their own.
        let is_own = matches!(study.design, DesignKind::Screen | DesignKind::Isolate);
        let is_due = |item: &ItemIx| study.earlier.as_ref().is_none_or(|earlier| !earlier.leaves_out(*item));
        let was_blocked = |item: ItemIx| {
            let earlier = study.earlier.as_ref();
            earlier.is_some_and(|earlier| recipients_of.iter().any(|it| earlier.was_blocked(item, *arm, *it)))
        };
        let mut order: Vec<ItemIx> = study.items_of(Role::Candidate).filter(|item| is_own && is_due(item)).collect();
        order.shuffle(&mut random);
        let mut canaries: Vec<ItemIx> = study.items_of(Role::Canary).collect();
        canaries.shuffle(&mut random);
        // A file has a message of its own.
        let has_files = study.items_of(Role::Candidate).any(|item| study.item(item).file.is_some());
        let with_pools = study.decision.pooling == Pooling::Auto && study.decision.replicates.is_none() && !has_files;
        let mut pooled = with_pools.then(|| {
            let priors = Priors::new(study);
            Pooled {
                pools: Pools::new(study, &priors, named("pools")),
                checks: Checks::default(),
                random: named("checks"),
                priors,
            }
        });
        let candidates = order.len();
        order.extend(canaries);
        for (turn, item) in order.into_iter().enumerate() {
            let question = QuestionIx::try_from(self.questions.len()).unwrap_or(QuestionIx::MAX);
            let canary = turn >= candidates;
            let mut stage = Stage::Queued;
            // What was blocked is likely to be blocked still, and would take its company along.
            let known = !canary && was_blocked(item);
            match &mut pooled {
                _ if canary => self.held.push(question),
                Some(pooled) if !known => {
                    stage = Stage::Pooled;
                    pooled.pools.wait(pooled.priors.class_of(item), question);
                }
                _ => self.queues[channels[turn % channels.len()].get()].push_fresh(question),
            }
            self.questions.push(Question {
                item,
                route: RouteIx::try_from(route).unwrap_or(RouteIx::MAX),
                turn: u16::try_from(turn % channels.len()).unwrap_or(0),
                open: 0,
                attempts: 0,
                hunt: None,
                stage,
                alone: known,
                known,
                learned: false,
            });
        }
        self.pooling.push(pooled);
    }

    pub fn questions(&self) -> usize {
        self.questions.len()
    }

    /// Questions that are neither answered nor given up.
    pub fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// What is left to be done, canaries that wait included: questions, hunts, checks.
    pub fn outstanding(&self) -> usize {
        let pooled = self.pooling.iter().flatten();
        self.unfinished + pooled.map(|it| it.pools.hunts() + usize::from(!it.checks.is_idle())).sum::<usize>()
    }

    fn route(&self, question: QuestionIx) -> &Route {
        &self.routes[self.questions[question as usize].route as usize]
    }

    /// Answered, to be asked again, or given up.
    fn review(&mut self, index: QuestionIx, at: Timestamp, study: &Study, tallies: &Tallies) {
        if self.is_answered(index, study, tallies) {
            self.finish(index, Stage::Answered);
        } else if self.questions[index as usize].attempts >= most_attempts(study) {
            self.finish(index, Stage::GivenUp);
        } else {
            let from = self.not_before(index, at, study, tallies);
            self.enqueue_again(index, from, study, tallies);
        }
    }

    /// From when a question may be asked again: not soon after a drop, which may have been this moment.
    fn not_before(&self, index: QuestionIx, at: Timestamp, study: &Study, tallies: &Tallies) -> Timestamp {
        if self.own_drops(index, tallies) > 0 { at + study.pacing.confirm_after } else { at }
    }

    /// The most drops of the item alone, over the recipients.
    fn own_drops(&self, index: QuestionIx, tallies: &Tallies) -> u32 {
        let item = self.questions[index as usize].item;
        self.route(index).units(item).map(|unit| tallies.of(unit).dropped).max().unwrap_or(0)
    }

    /// Hands the question to the next sender whose channel is open; without one it is given up.
    fn enqueue_again(&mut self, index: QuestionIx, from: Timestamp, study: &Study, tallies: &Tallies) {
        let question = &self.questions[index as usize];
        let channels = &self.routes[question.route as usize].channels;
        let turns = (1..=channels.len()).map(|step| (usize::from(question.turn) + step) % channels.len());
        let Some(turn) = turns.into_iter().find(|turn| !self.queues[channels[*turn].get()].closed) else {
            self.finish(index, Stage::GivenUp);
            return;
        };
        let channel = channels[turn];
        let is_candidate = study.item(question.item).role == Role::Candidate;
        // How many drops it takes is known best at the end. Until then two leave little doubt, except that a few items must be
        // known to be dropped before others can be held against them.
        let wanted = self.pooling[question.route as usize].as_ref().is_some_and(|pooled| pooled.checks.wants_known());
        let last = is_candidate && study.decision.replicates.is_none() && !wanted && self.own_drops(index, tallies) >= 2;
        if study.decision.replicates.is_some() && is_candidate {
            // Every item once more before any is sent again.
            self.queues[channel.get()].push_fresh(index);
        } else if question.attempts == 0
            && is_candidate
            && question.alone
            && !question.known
            && self.pooling[question.route as usize].is_some()
        {
            self.queues[channel.get()].push_audit(index);
        } else {
            self.queues[channel.get()].push_again(index, from, last);
        }
        let question = &mut self.questions[index as usize];
        question.turn = u16::try_from(turn).unwrap_or(0);
        question.stage = Stage::Queued;
    }

    /// Nothing can be asked on this channel any more: its questions go to the other senders.
    pub fn close(&mut self, channel: ChannelIx, at: Timestamp, study: &Study, tallies: &Tallies) {
        let queue = &mut self.queues[channel.get()];
        queue.closed = true;
        for (from, index) in queue.drain(at) {
            self.enqueue_again(index, from, study, tallies);
        }
        let route = self.route_of[channel.get()] as usize;
        if self.routes[route].channels.iter().all(|channel| self.queues[channel.get()].closed)
            && let Some(pooled) = &mut self.pooling[route]
        {
            pooled.checks.stop();
            for index in pooled.pools.drain() {
                if self.questions[index as usize].stage == Stage::Pooled {
                    self.finish(index, Stage::GivenUp);
                }
            }
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
            if question.stage == Stage::GivenUp && question.attempts < most_attempts(study) {
                self.unfinished += 1;
                let index = QuestionIx::try_from(index).unwrap_or(QuestionIx::MAX);
                self.enqueue_again(index, self.not_before(index, at, study, tallies), study, tallies);
            }
        }
    }

    /// Only canaries are left, and they wait.
    pub fn holds_canaries(&self) -> bool {
        !self.held.is_empty() && self.outstanding() <= self.held.len()
    }

    /// Queues the canaries once they are all that is left. Returns whether there are any.
    pub fn release_canaries(&mut self, at: Timestamp, study: &Study, tallies: &Tallies) -> bool {
        if !self.holds_canaries() {
            return false;
        }
        for index in std::mem::take(&mut self.held) {
            self.enqueue_again(index, at, study, tallies);
        }
        true
    }

    /// Looks at everything answered or given up once more, now that the loss is known better, and queues what the evidence no
    /// longer decides. Returns how many.
    pub fn reconsider(&mut self, at: Timestamp, study: &Study, tallies: &Tallies) -> usize {
        let before = self.unfinished;
        for index in 0..self.questions.len() {
            let index = QuestionIx::try_from(index).unwrap_or(QuestionIx::MAX);
            let question = &self.questions[index as usize];
            let spent = question.attempts >= most_attempts(study);
            if question.stage == Stage::Answered && !spent && !self.is_answered(index, study, tallies) {
                self.unfinished += 1;
                self.enqueue_again(index, self.not_before(index, at, study, tallies), study, tallies);
            }
        }
        self.unfinished - before
    }

    /// Whether a question was given up before it had been asked as often as it may be.
    pub fn gave_up_early(&self, study: &Study) -> bool {
        let most = most_attempts(study);
        self.questions.iter().any(|question| question.stage == Stage::GivenUp && question.attempts < most)
    }

    fn finish(&mut self, index: QuestionIx, stage: Stage) {
        self.questions[index as usize].stage = stage;
        self.unfinished -= 1;
        if stage == Stage::Answered {
            self.learn(index, false);
        }
    }

    /// What is thought of the question's class learns from its first answer: that is in time, while convicting takes until the end.
    fn learn(&mut self, index: QuestionIx, blocked: bool) {
        let question = &mut self.questions[index as usize];
        // What an earlier run found blocked says nothing about those that it did not.
        if let (false, Some(pooled)) = (question.learned || question.known, &mut self.pooling[question.route as usize]) {
            question.learned = true;
            pooled.priors.learn(pooled.priors.class_of(question.item), blocked);
        }
    }

    /// A pool cleared the question: it is answered, and may be audited.
    fn clear(&mut self, index: QuestionIx, study: &Study, tallies: &Tallies) {
        if self.questions[index as usize].stage != Stage::Pooled || !self.is_answered(index, study, tallies) {
            return;
        }
        self.finish(index, Stage::Answered);
        let route = self.questions[index as usize].route as usize;
        let Some(pooled) = &mut self.pooling[route] else { return };
        pooled.checks.cleared.push(index);
        if pooled.random.random_bool(AUDITED) {
            self.unfinished += 1;
            self.questions[index as usize].alone = true;
            self.enqueue_again(index, Timestamp(0), study, tallies);
        }
    }

    fn is_answered(&self, index: QuestionIx, study: &Study, tallies: &Tallies) -> bool {
        let question = &self.questions[index as usize];
        let is_candidate = study.item(question.item).role == Role::Candidate;
        let replicates = study.decision.replicates.filter(|_| is_candidate);
        self.route(index).units(question.item).all(|unit| {
            if self.is_out_of_reach(index, unit.recipient) {
                return true;
            }
            match replicates {
                Some(replicates) => tallies.of(unit).counted() >= replicates,
                None => {
                    tallies.verdict(unit).is_some()
                        && !(question.alone && tallies.of(unit).counted() == 0)
                        && !tallies.awaits_confirmation(unit)
                }
            }
        })
    }

    /// Whether every channel of the question is closed or silent towards the recipient.
    fn is_out_of_reach(&self, index: QuestionIx, recipient: AccountIx) -> bool {
        if self.silent.is_empty() {
            return false;
        }
        let channels = &self.route(index).channels;
        channels.iter().all(|channel| self.queues[channel.get()].closed || self.silent.contains(&(*channel, recipient)))
    }
}

/// How often an item may be asked alone.
fn most_attempts(study: &Study) -> u32 {
    study.decision.max_probes_per_item.saturating_add(study.decision.replicates.unwrap_or(0))
}

/// Why an item is asked alone now.
fn purpose(question: &Question, audited: bool, drops: u32, study: &Study) -> Purpose {
    match (question.attempts, drops) {
        (0, _) if audited => Purpose::Audit,
        (0, _) if question.alone => Purpose::Retest,
        (0, _) => Purpose::Screen,
        _ if study.decision.replicates.is_some() => Purpose::Screen,
        (_, 1..) => Purpose::Confirm,
        (_, 0) => Purpose::Retest,
    }
}
