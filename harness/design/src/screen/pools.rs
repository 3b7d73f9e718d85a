//! Pools: several items in one message.
//!
//! A message that arrives clears all that is in it; one that is dropped is halved until one item is left, which is then asked
//! alone. Messages are filled until they are about as likely to be dropped as not, by what is thought of their items, so that each
//! answer tells most (generalised binary splitting: Sobel and Groll, Bell System Technical Journal 38, 1959; Hwang, Journal of the
//! American Statistical Association 67, 1972). When half of a set turns out to hold a blocked item, nothing is known any more of the
//! other half, and it goes back to those that wait.
//!
//! The search for what is blocked in one message is a *hunt*: a stack of sets that were dropped, each inside the one before.
//! A drop may have been a loss: where that is the likelier explanation, the set is sent again. A set of which every part passes was
//! lost once, or is a *combination*: it is sent again until it arrives, or has been dropped so often that it is one.

use std::collections::{BTreeMap, VecDeque};

use lacuna_model::{ItemIx, Study};
use libm::{expm1, log, log1p};
use rand::RngExt;
use rand_chacha::ChaCha12Rng;

pub(super) use super::hunt::{Answer, Hunt, HuntIx, Next, Step};
use super::hunt::{Level, half};
use super::prevalence::Prevalence;
use super::prior::{ClassIx, Priors};
use super::question::QuestionIx;

/// The most items in a message. Larger pools are dropped for accidental combinations of harmless words.
const LARGEST: usize = 70;

/// The most where all items share one topic, and so belong to the same rules.
const LARGEST_OF_ONE_TOPIC: usize = 8;

/// With fewer positive pools than this nothing is said of how many of them are combinations.
const FEWEST_POSITIVES: u32 = 20;

/// Messages first sent that may be open at once, before anything was answered.
const FIRST_WINDOW: u32 = 4;

/// And later.
const LARGEST_WINDOW: u32 = 256;

/// So often in a row a pool may be sent without an answer; then its items are asked alone.
const MOST_FRUITLESS: u32 = 6;

/// After so many drops in a row a message whose parts all pass is not sent again, whatever the evidence comes to.
const MOST_DROPS: u32 = 12;

/// The pools of one route.
#[derive(Debug)]
pub(super) struct Pools {
    /// What waits to be put into a message, by class.
    waiting: Vec<VecDeque<QuestionIx>>,
    hunts: BTreeMap<HuntIx, Hunt>,
    next_hunt: HuntIx,
    /// Hunts whose message may be sent.
    ready: VecDeque<HuntIx>,
    roots_open: u32,
    roots_judged: u32,
    largest: usize,
    /// Positive messages that were explained, and how many of them by a combination.
    positives: u32,
    combinations: u32,
    hopeless: bool,
    prevalence: Prevalence,
    random: ChaCha12Rng,
    /// Whether what waits is enough for a message, as far as it was looked at.
    enough: Option<bool>,
}

impl Pools {
    pub fn new(study: &Study, priors: &Priors, random: ChaCha12Rng) -> Self {
        Self {
            waiting: vec![VecDeque::new(); priors.classes()],
            hunts: BTreeMap::new(),
            next_hunt: 0,
            ready: VecDeque::new(),
            roots_open: 0,
            roots_judged: 0,
            largest: if is_one_topic(study) { LARGEST_OF_ONE_TOPIC } else { LARGEST },
            positives: 0,
            combinations: 0,
            hopeless: false,
            prevalence: Prevalence::new(),
            random,
            enough: None,
        }
    }

    pub fn wait(&mut self, class: ClassIx, question: QuestionIx) {
        self.waiting[usize::from(class)].push_back(question);
        self.enough = None;
    }

    pub fn hunt(&self, hunt: HuntIx) -> Option<&Hunt> {
        self.hunts.get(&hunt)
    }

    /// Everything that shared a message at the beginning of a hunt.
    pub fn searched(&self, hunt: HuntIx) -> Vec<QuestionIx> {
        let level = self.hunts.get(&hunt).and_then(|state| state.levels.first());
        level.map(|level| level.content.clone()).unwrap_or_default()
    }

    pub fn hunt_mut(&mut self, hunt: HuntIx) -> Option<&mut Hunt> {
        self.hunts.get_mut(&hunt)
    }

    /// Nothing waits, and nothing is searched for.
    pub fn is_idle(&self) -> bool {
        self.hunts.is_empty() && self.waiting.iter().all(VecDeque::is_empty)
    }

    /// How many searches are under way.
    pub fn hunts(&self) -> usize {
        self.hunts.len()
    }

    /// Most of what is dropped is dropped for a combination: the items belong to the same rules, and pooling does not pay.
    pub fn decodes_badly(&self) -> bool {
        self.hopeless
    }

    /// How many items a message holds at the present share of blocked ones.
    pub fn usual_size(&self) -> usize {
        let size = -std::f64::consts::LN_2 / log1p(-self.prevalence.mean());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the largest")]
        let size = size.clamp(1.0, self.largest as f64) as usize;
        size
    }

    /// How many messages could be sent now: those of hunts, and perhaps a new one.
    pub fn supply(&mut self, priors: &Priors) -> usize {
        let window = (FIRST_WINDOW + self.roots_judged).min(LARGEST_WINDOW);
        self.ready.len() + usize::from(self.roots_open < window && self.is_enough(priors))
    }

    /// Whether what waits fills a message. Where it does not, and hunts may still give items back, it is worth waiting for them.
    fn is_enough(&mut self, priors: &Priors) -> bool {
        if let Some(enough) = self.enough {
            return enough;
        }
        let prevalence = self.prevalence.mean();
        let mut count = 0;
        let mut ln_pass = 0.0;
        for (class, waiting) in (0..).zip(&self.waiting) {
            let ln_one = log1p(-priors.chance(class, prevalence));
            let taken = waiting.len().min(self.largest);
            count += taken;
            ln_pass += ln_one * taken as f64;
        }
        let full = count >= self.largest || ln_pass <= -std::f64::consts::LN_2;
        let enough = count > 0 && (full || self.hunts.is_empty());
        self.enough = Some(enough);
        enough
    }

    /// The next hunt with a message to send; without one a new message is filled. `answered` says of a question whether it
    /// needs no asking any more.
    pub fn next(
        &mut self,
        priors: &Priors,
        study: &Study,
        item: impl Fn(QuestionIx) -> ItemIx,
        answered: impl Fn(QuestionIx) -> bool,
    ) -> Option<HuntIx> {
        while let Some(hunt) = self.ready.pop_front() {
            if self.hunts.contains_key(&hunt) {
                return Some(hunt);
            }
        }
        let message = self.fill(priors, study, item, answered);
        self.enough = None;
        if message.is_empty() {
            return None;
        }
        let hunt = self.next_hunt;
        self.next_hunt += 1;
        self.roots_open += 1;
        self.hunts.insert(hunt, Hunt { levels: Vec::new(), step: Step::Root, message, open: 0, fruitless: 0 });
        Some(hunt)
    }

    /// Takes from those that wait, the likeliest first, until the message is about as likely to be dropped as not. Of classes
    /// about as likely as each other it takes at random, so that topics are mixed.
    fn fill(
        &mut self,
        priors: &Priors,
        study: &Study,
        item: impl Fn(QuestionIx) -> ItemIx,
        answered: impl Fn(QuestionIx) -> bool,
    ) -> Vec<QuestionIx> {
        let prevalence = self.prevalence.mean();
        let chances: Vec<f64> = (0..).take(self.waiting.len()).map(|class| priors.chance(class, prevalence)).collect();
        let separator = study.text.separator.chars().count();
        let (mut message, mut length, mut ln_pass) = (Vec::new(), 0, 0.0_f64);
        while message.len() < self.largest {
            let Some(class) = self.draw_class(&chances) else { break };
            let Some(question) = self.waiting[class].front().copied() else { break };
            if answered(question) {
                self.waiting[class].pop_front();
                continue;
            }
            let with = ln_pass + log1p(-chances[class]);
            let half = -std::f64::consts::LN_2;
            let longer = length + separator + study.item(item(question)).message.chars().count();
            // Nearer to one half without it, or too long for the platform.
            if !message.is_empty() && (with + ln_pass < 2.0 * half || longer > study.text.longest) {
                break;
            }
            self.waiting[class].pop_front();
            message.push(question);
            (length, ln_pass) = (longer, with);
        }
        message
    }

    /// A class among the likeliest of which something waits, in proportion to how much.
    fn draw_class(&mut self, chances: &[f64]) -> Option<usize> {
        let waits = || self.waiting.iter().enumerate().filter(|(_, waiting)| !waiting.is_empty());
        let most = waits().map(|(class, _)| chances[class]).fold(0.0, f64::max);
        // Within a factor of two nobody can tell them apart.
        let alike = |class: usize| chances[class] * 2.0 >= most;
        let total: usize = waits().filter(|(class, _)| alike(*class)).map(|(_, waiting)| waiting.len()).sum();
        let mut only = waits().filter(|(class, _)| alike(*class)).map(|(class, _)| class);
        let first = only.next()?;
        if only.next().is_none() {
            return Some(first);
        }
        let mut draw = self.random.random_range(0..total as u64);
        for (class, waiting) in self.waiting.iter().enumerate() {
            let count = if alike(class) { waiting.len() as u64 } else { 0 };
            if draw < count {
                return Some(class);
            }
            draw -= count;
        }
        Some(first)
    }

    /// A message of one item is asked alone, by its question.
    pub fn dissolve_single(&mut self, hunt: HuntIx) -> Option<QuestionIx> {
        let message = &self.hunts.get(&hunt)?.message;
        let &[single] = message.as_slice() else { return None };
        self.hunts.remove(&hunt);
        self.roots_open -= 1;
        self.roots_judged += 1;
        self.enough = None;
        Some(single)
    }

    /// An item of which nothing else was known was asked alone.
    pub fn observe_single(&mut self, caught: bool) {
        self.prevalence.observe(1.0, caught);
        self.enough = None;
    }

    /// The message of a hunt was answered.
    pub fn answered(&mut self, hunt: HuntIx, answer: Answer) {
        self.enough = None;
        let Some(state) = self.hunts.get_mut(&hunt) else { return };
        if answer == Answer::Nothing {
            state.fruitless += 1;
            return;
        }
        state.fruitless = 0;
        let size = state.message.len() as f64;
        let caught = answer == Answer::Caught;
        match state.step {
            Step::Root => {
                self.roots_open -= 1;
                self.roots_judged += 1;
                self.prevalence.observe(size, caught);
            }
            Step::Part => {
                if let Some(level) = state.levels.last() {
                    self.prevalence.observe_part(size, level.suspects.len() as f64, caught);
                }
            }
            Step::Again | Step::Certificate | Step::Single(_) => {}
        }
        match (caught, state.levels.last_mut()) {
            (true, Some(level)) if level.content == state.message => level.drops += 1,
            (true, _) => {
                let content = state.message.clone();
                state.levels.push(Level { suspects: content.clone(), content, drops: 1 });
            }
            // It arrived after all: its drop was a loss.
            (false, Some(level)) if level.content == state.message => {
                state.levels.pop();
            }
            (false, _) => {}
        }
    }

    /// What a hunt does next. `passes` says of a question whether it is cleared, `combined` of what was sent whether it was dropped
    /// often enough to be a combination, and `ln_loss` is the logarithm of the loss as it is best guessed.
    pub fn proceed(
        &mut self,
        hunt: HuntIx,
        priors: &Priors,
        class_of: impl Fn(QuestionIx) -> ClassIx,
        passes: impl Fn(QuestionIx) -> bool,
        combined: impl Fn(&[QuestionIx]) -> bool,
        ln_loss: f64,
    ) -> Next {
        let Some(mut state) = self.hunts.remove(&hunt) else { return Next::Over };
        if state.fruitless > MOST_FRUITLESS {
            self.roots_open -= u32::from(state.step == Step::Root);
            let mut all = state.levels.first().map_or_else(|| state.message.clone(), |level| level.content.clone());
            all.retain(|question| !passes(*question));
            self.enough = None;
            return Next::GiveUp(all);
        }
        if state.fruitless > 0 {
            self.hunts.insert(hunt, state);
            self.ready.push_back(hunt);
            return Next::Message;
        }
        let prevalence = self.prevalence.mean();
        let ln_pass = |question: &QuestionIx| log1p(-priors.chance(class_of(*question), prevalence));
        let Some(level) = state.levels.last_mut() else {
            self.enough = None;
            return Next::Over;
        };
        level.suspects.retain(|question| !passes(*question));
        (state.step, state.message) = match level.suspects.as_slice() {
            [] if combined(&level.content) || level.drops >= MOST_DROPS => {
                self.positives += 1;
                self.combinations += 1;
                if self.positives >= FEWEST_POSITIVES && 20 * self.combinations > self.positives {
                    self.hopeless |= 2 * self.combinations > self.positives;
                    self.largest = (self.largest / 2).max(2);
                    (self.positives, self.combinations) = (0, 0);
                }
                self.release(&state, &class_of, &passes);
                return Next::Over;
            }
            [] => (Step::Certificate, level.content.clone()),
            &[single] => {
                state.step = Step::Single(single);
                self.hunts.insert(hunt, state);
                return Next::Alone(single);
            }
            suspects => {
                let none: f64 = suspects.iter().map(ln_pass).sum();
                // The odds that something in it is blocked, against a loss each time that it was dropped.
                let ln_odds = log(-expm1(none)) - none - f64::from(level.drops) * ln_loss;
                if ln_odds < 0.0 {
                    (Step::Again, suspects.to_vec())
                } else {
                    (Step::Part, suspects[..half(suspects, none, ln_pass)].to_vec())
                }
            }
        };
        // One item is never sent as a part: alone it is asked by its own question.
        if let (Step::Part | Step::Again, &[single]) = (state.step, state.message.as_slice()) {
            state.step = Step::Single(single);
            self.hunts.insert(hunt, state);
            return Next::Alone(single);
        }
        self.hunts.insert(hunt, state);
        self.ready.push_back(hunt);
        Next::Message
    }

    /// One item explains what was dropped: all that shared a message with it goes back to those that wait.
    pub fn explained(
        &mut self,
        hunt: HuntIx,
        by: QuestionIx,
        class_of: impl Fn(QuestionIx) -> ClassIx,
        passes: impl Fn(QuestionIx) -> bool,
    ) {
        if let Some(state) = self.hunts.remove(&hunt) {
            self.positives += 1;
            if let (Step::Single(single), Some(level)) = (state.step, state.levels.last())
                && single == by
                && level.suspects.len() > 1
            {
                self.prevalence.observe_part(1.0, level.suspects.len() as f64, true);
            }
            self.release(&state, class_of, |question| question == by || passes(question));
        }
    }

    /// One item passed alone, while a hunt asked for it.
    pub fn single_passed(&mut self, hunt: HuntIx) {
        if let Some(level) = self.hunts.get(&hunt).and_then(|state| state.levels.last())
            && level.suspects.len() > 1
        {
            self.prevalence.observe_part(1.0, level.suspects.len() as f64, false);
        }
    }

    fn release(&mut self, state: &Hunt, class_of: impl Fn(QuestionIx) -> ClassIx, passes: impl Fn(QuestionIx) -> bool) {
        // The outermost set holds all others.
        if let Some(level) = state.levels.first() {
            for question in level.suspects.iter().rev().filter(|question| !passes(**question)) {
                self.waiting[usize::from(class_of(*question))].push_front(*question);
            }
        }
        self.enough = None;
    }

    /// Gives everything up that is not answered: what waits, and what is searched for.
    pub fn drain(&mut self) -> Vec<QuestionIx> {
        let mut all: Vec<QuestionIx> = self.waiting.iter_mut().flat_map(std::mem::take).collect();
        for state in std::mem::take(&mut self.hunts).into_values() {
            all.extend(state.levels.into_iter().next().map_or(state.message, |level| level.content));
        }
        self.ready.clear();
        self.roots_open = 0;
        self.enough = None;
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Whether all candidates are of one category.
fn is_one_topic(study: &Study) -> bool {
    let mut categories = study.items_of(lacuna_model::Role::Candidate).map(|item| study.item(item).category.as_str());
    categories.next().is_some_and(|first| !first.is_empty() && categories.all(|category| category == first))
}
