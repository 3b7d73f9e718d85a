//! The searches in pools, as far as they concern questions; and what the checks on pools lead to.

use lacuna_inference::evidence::Evidence;
use lacuna_inference::tally::Tallies;
use lacuna_model::{AccountIx, ItemIx, Outcome, ProbeId, Study, Timestamp, Unit, Verdict};
use libm::log;

use super::Screen;
use super::checks::Check;
use super::pools::{Answer, HuntIx, Next};
use super::question::{QuestionIx, Stage};
use lacuna_inference::routes::RouteIx;

impl Screen {
    /// A message of a hunt has an outcome for one more recipient.
    #[expect(clippy::too_many_arguments, reason = "the fold's state is its arguments")]
    pub(super) fn hunt_concluded(
        &mut self,
        route: RouteIx,
        hunt: HuntIx,
        probe: ProbeId,
        at: Timestamp,
        study: &Study,
        evidence: &Evidence,
        tallies: &Tallies,
    ) {
        let state = self.pooling[route as usize].as_mut().and_then(|pooled| pooled.pools.hunt_mut(hunt));
        let Some(state) = state else {
            // The route has gone back to single items; what it clears is seen when they are asked.
            return;
        };
        state.open = state.open.saturating_sub(1);
        if state.open > 0 {
            return;
        }
        let message = state.message.clone();
        let answer = self.answer(route, message[0], probe, evidence);
        if let Some(pooled) = &mut self.pooling[route as usize] {
            pooled.pools.answered(hunt, answer);
            pooled.checks.parts_pass |= answer == Answer::Passed;
        }
        for question in message {
            // Of several sends each may have reached other recipients, and together all.
            self.clear(question, study, tallies);
            if answer == Answer::Passed {
                self.ask_alone(question, at, study, tallies);
            }
        }
        self.proceed(route, hunt, at, study, tallies);
    }

    /// What became of a message, over all recipients that can be reached.
    fn answer(&self, route: RouteIx, question: QuestionIx, probe: ProbeId, evidence: &Evidence) -> Answer {
        let mut answer = Answer::Passed;
        let mut reached = false;
        for recipient in &self.routes[route as usize].recipients {
            if self.is_out_of_reach(question, *recipient) {
                continue;
            }
            reached = true;
            match evidence.outcome(probe, *recipient) {
                Some(Outcome::Delivered) => {}
                Some(Outcome::DeliveredLate | Outcome::Dropped | Outcome::Refused | Outcome::Altered | Outcome::Retracted) => {
                    return Answer::Caught;
                }
                _ => answer = Answer::Nothing,
            }
        }
        if reached { answer } else { Answer::Nothing }
    }

    /// Lets a hunt take its next step.
    fn proceed(&mut self, route: RouteIx, hunt: HuntIx, at: Timestamp, study: &Study, tallies: &Tallies) {
        let ln_loss = self.ln_loss(route, tallies);
        // Late arrivals may have cleared what was searched.
        let searched = self.pooling[route as usize].as_ref().map(|pooled| pooled.pools.searched(hunt)).unwrap_or_default();
        for question in searched {
            self.clear(question, study, tallies);
        }
        let Some(mut pooled) = self.pooling[route as usize].take() else { return };
        let class_of = |question: QuestionIx| pooled.priors.class_of(self.questions[question as usize].item);
        let passes = |question: QuestionIx| {
            let stage = self.questions[question as usize].stage;
            matches!(stage, Stage::Answered | Stage::GivenUp)
                || stage != Stage::Pooled && self.is_answered(question, study, tallies)
        };
        let combined = |content: &[QuestionIx]| {
            let items: Vec<ItemIx> = content.iter().map(|question| self.questions[*question as usize].item).collect();
            let it = &self.routes[route as usize];
            it.recipients.iter().any(|recipient| tallies.combination(it.arm, *recipient, &items) == Some(true))
        };
        let next = pooled.pools.proceed(hunt, &pooled.priors, class_of, passes, combined, ln_loss);
        let failed = pooled.pools.decodes_badly();
        self.pooling[route as usize] = Some(pooled);
        match next {
            Next::Message | Next::Over => {}
            Next::Alone(question) => {
                self.questions[question as usize].hunt = Some(hunt);
                if self.questions[question as usize].stage == Stage::Pooled {
                    self.ask_alone(question, at, study, tallies);
                } else if self.is_suspect(question, tallies) {
                    // It was dropped alone already: that is what was dropped here too, and nothing more is asked for the hunt's sake.
                    self.tell_hunt(question, at, study, tallies);
                }
            }
            Next::GiveUp(questions) => {
                for question in questions {
                    self.ask_alone(question, at, study, tallies);
                }
            }
        }
        if failed {
            self.leave_pools(route, at, study, tallies);
        }
    }

    /// The logarithm of the loss as it is best guessed, the worst of the recipients: it steers the search; what convicts is the bound.
    fn ln_loss(&self, route: RouteIx, tallies: &Tallies) -> f64 {
        let route = &self.routes[route as usize];
        let guess = |recipient: &AccountIx| {
            let seen = tallies.baseline(route.arm, *recipient);
            // One loss in forty until something is known.
            (seen.losses as f64 + 1.0) / (seen.sends as f64 + 40.0)
        };
        let worst = route.recipients.iter().map(guess).fold(0.0, f64::max);
        log(worst.clamp(1e-3, 0.5))
    }

    /// A question leaves the pools and is asked alone.
    pub(super) fn ask_alone(&mut self, question: QuestionIx, at: Timestamp, study: &Study, tallies: &Tallies) {
        if self.questions[question as usize].stage != Stage::Pooled {
            return;
        }
        if self.is_answered(question, study, tallies) {
            self.finish(question, Stage::Answered);
            return;
        }
        self.enqueue_again(question, at, study, tallies);
    }

    /// Whether something of what an item did alone speaks against it.
    pub(super) fn is_suspect(&self, index: QuestionIx, tallies: &Tallies) -> bool {
        self.route(index).units(self.questions[index as usize].item).any(|unit| {
            let tally = tallies.of(unit);
            tally.dropped > 0 || tally.signalled()
        })
    }

    /// What an item did alone, told to the hunt that waits for it.
    pub(super) fn tell_hunt(&mut self, index: QuestionIx, at: Timestamp, study: &Study, tallies: &Tallies) {
        let question = &self.questions[index as usize];
        let (route, hunt, stage) = (question.route, question.hunt, question.stage);
        let caught = self.is_suspect(index, tallies);
        let Some(hunt) = hunt else { return };
        let over = matches!(stage, Stage::Answered | Stage::GivenUp);
        if caught || stage == Stage::GivenUp {
            self.questions[index as usize].hunt = None;
            let Some(mut pooled) = self.pooling[route as usize].take() else { return };
            let class_of = |question: QuestionIx| pooled.priors.class_of(self.questions[question as usize].item);
            let passes = |question: QuestionIx| self.questions[question as usize].stage != Stage::Pooled;
            pooled.pools.explained(hunt, index, class_of, passes);
            self.pooling[route as usize] = Some(pooled);
        } else if over {
            self.questions[index as usize].hunt = None;
            if let Some(pooled) = &mut self.pooling[route as usize] {
                pooled.pools.single_passed(hunt);
            }
            self.proceed(route, hunt, at, study, tallies);
        }
    }

    /// A question that was asked alone tells whether pools can be believed, and gives the checks what they need.
    pub(super) fn learn_of_pools(&mut self, index: QuestionIx, at: Timestamp, study: &Study, tallies: &Tallies) {
        let question = &self.questions[index as usize];
        let (item, route) = (question.item, question.route);
        let judged = question.alone && !question.known && question.stage == Stage::Answered;
        let known = self.route(index).units(item).any(|unit| is_known(unit, tallies));
        let passes = !known && self.route(index).units(item).any(|unit| tallies.of(unit).passed() > 0);
        let Some(pooled) = &mut self.pooling[route as usize] else { return };
        if judged {
            pooled.checks.audited(known);
        }
        if passes {
            pooled.checks.forget(index);
        }
        if known {
            // Split by the separator it must still be a message that the platform takes.
            let text = &study.item(item).message;
            let separator = study.text.separator.chars().count();
            let length = text.chars().count();
            let can_be_split = length > 1 && length * (1 + separator) <= study.text.longest;
            pooled.checks.learn(index, can_be_split);
        }
        self.doubt_pools(route, at, study, tallies);
    }

    /// A check has an outcome for one more recipient.
    pub(super) fn check_concluded(
        &mut self,
        route: RouteIx,
        probe: ProbeId,
        at: Timestamp,
        study: &Study,
        evidence: &Evidence,
        tallies: &Tallies,
    ) {
        let Some(pooled) = &mut self.pooling[route as usize] else { return };
        let Some((_, open)) = &mut pooled.checks.under_way else { return };
        *open = open.saturating_sub(1);
        if *open > 0 {
            return;
        }
        let Some((check, _)) = pooled.checks.under_way.take() else { return };
        let (Check::Spike(known) | Check::Calibration(known)) = check;
        let item = self.questions[known as usize].item;
        // Only whom the known item is dropped for can tell.
        let outcomes: Vec<_> = self.routes[route as usize]
            .units(item)
            .filter(|unit| is_known(*unit, tallies))
            .filter_map(|unit| evidence.outcome(probe, unit.recipient))
            .collect();
        let arrived = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Delivered));
        // What is refused, altered or taken away did not pass either.
        let caught = [Outcome::Dropped, Outcome::Refused, Outcome::Altered, Outcome::Retracted, Outcome::DeliveredLate];
        let missing = outcomes.iter().any(|outcome| caught.contains(outcome));
        match &check {
            _ if !arrived && !missing => {
                let open = self.routes[route as usize].channels.iter().any(|it| !self.queues[it.get()].closed);
                if open && !outcomes.is_empty() {
                    pooled.checks.again(check);
                }
            }
            Check::Spike(known) => pooled.checks.spiked(*known, arrived),
            Check::Calibration(known) => pooled.checks.split(*known, arrived && !missing),
        }
        self.doubt_pools(route, at, study, tallies);
    }

    /// Leaves the pools where they cannot be believed.
    fn doubt_pools(&mut self, route: RouteIx, at: Timestamp, study: &Study, tallies: &Tallies) {
        let Some(pooled) = &self.pooling[route as usize] else { return };
        let leaks = pooled.checks.leaks();
        if !leaks && !pooled.checks.loses_separator() {
            return;
        }
        let cleared = pooled.checks.cleared.clone();
        self.leave_pools(route, at, study, tallies);
        if leaks {
            // What was cleared in a pool may be blocked all the same.
            for question in cleared {
                let state = &mut self.questions[question as usize];
                if state.stage == Stage::Answered && !state.alone {
                    state.alone = true;
                    self.unfinished += 1;
                    self.enqueue_again(question, at, study, tallies);
                }
            }
        }
    }

    /// From now on every item is asked alone.
    fn leave_pools(&mut self, route: RouteIx, at: Timestamp, study: &Study, tallies: &Tallies) {
        let Some(mut pooled) = self.pooling[route as usize].take() else { return };
        for question in pooled.pools.drain() {
            self.ask_alone(question, at, study, tallies);
        }
        for question in &mut self.questions {
            if question.route == route {
                question.hunt = None;
            }
        }
    }
}

/// Whether an item is dropped for certain, as far as the run can be, so that pools can be held against it.
fn is_known(unit: Unit, tallies: &Tallies) -> bool {
    tallies.verdict(unit) == Some(Verdict::Dropped)
}
