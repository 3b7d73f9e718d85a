//! The searches of a run for what in its texts is blocked, as a fold.
//!
//! A [`Search`] (see [`crate::isolation`]) asks and takes answers; here is what stands between it and the journal. `search_begun`
//! begins one for a text, an arm and a recipient, `probe_planned` with an excerpt asks its question, and the outcome of that
//! probe for that recipient answers it. It is part of [`Evidence`](crate::evidence::Evidence), so that the engine and the analysis
//! see the same searches.
//!
//! - A message that arrived as it was sent is [`Answer::Delivered`]; one that was dropped, refused, changed or taken away is
//!   [`Answer::Dropped`], whatever the text's own signal: a message that holds a rule is caught, one way or another.
//! - An outcome that says nothing answers nothing, and the question is asked again. Nor does a drop where the text's signal is one that
//!   the platform *tells* (a refusal, a change, a retraction), unless it happens [`UNTOLD`] times: losses are not told.
//! - Where messages are taken away again, one counts as delivered when it was there for [`SearchPlan::settle`].
//! - A later revision is learned. A false drop in the history of a search shows by itself.
//! - Recipients of one message have a search each, one after the other: the second begins with everything that became of the first
//!   one's messages for its own recipient, and asks only what differs.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use lacuna_model::{
    AccountIx, ArmIx, Duration, Excerpt, ItemIx, Outcome, Probe, ProbeId, Purpose, SearchIx, SearchPlan, Signal, Study, Timestamp,
};

use crate::isolation::{Answer, Findings, Kind, Options, Prior, Question, Search};

/// Where the platform tells what it blocks, so many drops of one question are taken for a block all the same.
pub const UNTOLD: u32 = 3;

/// The share of messages that look blocked by chance where the platform tells what it blocks.
const TOLD_BY_CHANCE: f64 = 1e-6;

/// The searches of a run.
#[derive(Debug)]
pub struct Searches {
    study: Arc<Study>,
    /// What is known of rules beforehand; made when the first search begins.
    prior: Option<Prior>,
    all: Vec<TextSearch>,
    texts: BTreeMap<(ArmIx, Vec<ItemIx>), OfText>,
}

/// What was begun and asked about one text on one arm.
#[derive(Debug, Default)]
struct OfText {
    searches: Vec<SearchIx>,
    probes: Vec<ProbeId>,
}

/// One search: a text, on an arm, for a recipient.
#[derive(Debug)]
pub struct TextSearch {
    plan: SearchPlan,
    text: Arc<str>,
    search: Search,
    question: Option<Question>,
    under_way: Option<ProbeId>,
    /// When a combination that was sent alone was last found to be dropped.
    dropped_alone_at: Option<Timestamp>,
    /// Drops of the open question that were not told.
    untold: u32,
    messages: u32,
    budget: u32,
}

impl TextSearch {
    /// What it starts from.
    #[must_use]
    pub fn plan(&self) -> &SearchPlan {
        &self.plan
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// What is to be asked next; `None` at the end, and when its messages are used up.
    #[must_use]
    pub fn question(&self) -> Option<&Question> {
        self.question.as_ref().filter(|_| self.messages < self.budget || self.under_way.is_some())
    }

    /// The probe that asks the question, or sends a combination once more.
    #[must_use]
    pub fn under_way(&self) -> Option<ProbeId> {
        self.under_way
    }

    /// Messages that were planned for it.
    #[must_use]
    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// Whether it may still send something.
    #[must_use]
    pub fn has_budget(&self) -> bool {
        self.messages < self.budget
    }

    /// When a combination that was sent alone was last found to be dropped: it is confirmed a while later.
    #[must_use]
    pub fn dropped_alone_at(&self) -> Option<Timestamp> {
        self.dropped_alone_at
    }

    /// What it found.
    #[must_use]
    pub fn findings(&self) -> Findings {
        self.search.result()
    }

    fn told(&mut self, probe: &Probe, excerpt: &Excerpt, outcome: Outcome) {
        let answer = match outcome {
            Outcome::Delivered | Outcome::DeliveredLate => Some(Answer::Delivered),
            _ => Signal::of(outcome).map(|_| Answer::Dropped),
        };
        if self.under_way != Some(probe.id) {
            // A revision of what was answered already, or a message that another search sent.
            let says_nothing = outcome == Outcome::Dropped && self.plan.signal != Signal::Dropped;
            if let Some(answer) = answer.filter(|_| !says_nothing) {
                self.search.learn(&question_of(probe, excerpt), answer);
                if self.question.is_none() {
                    self.question = self.search.next_question();
                }
            }
            return;
        }
        match answer {
            Some(Answer::Delivered) if outcome == Outcome::Delivered && self.plan.settle > Duration::ZERO => return,
            Some(answer) if outcome == Outcome::Dropped && self.plan.signal != Signal::Dropped => {
                self.untold += 1;
                if self.untold >= UNTOLD {
                    self.answer(probe, excerpt, answer);
                }
            }
            Some(answer) => self.answer(probe, excerpt, answer),
            None => {}
        }
        self.under_way = None;
    }

    fn answer(&mut self, probe: &Probe, excerpt: &Excerpt, answer: Answer) {
        self.untold = 0;
        match self.question.take() {
            Some(question) if bytes(&question.fragments) == excerpt.fragments => {
                self.search.answer(&question, answer);
                self.question = self.search.next_question();
            }
            // A combination was sent once more.
            question => {
                self.search.learn(&question_of(probe, excerpt), answer);
                self.question = question.or_else(|| self.search.next_question());
            }
        }
    }
}

impl Searches {
    /// None yet.
    #[must_use]
    pub fn new(study: Arc<Study>) -> Self {
        Self { study, prior: None, all: Vec::new(), texts: BTreeMap::new() }
    }

    /// All of them, in the order in which they were begun.
    #[must_use]
    pub fn all(&self) -> &[TextSearch] {
        &self.all
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, search: SearchIx) -> Option<&TextSearch> {
        self.all.get(search.get())
    }

    /// The search in a text on an arm for a recipient.
    #[must_use]
    pub fn find(&self, arm: ArmIx, items: &[ItemIx], recipient: AccountIx) -> Option<SearchIx> {
        let of_text = self.texts.get(&(arm, items.to_vec()))?;
        of_text.searches.iter().copied().find(|search| self.all[search.get()].plan.recipient == recipient)
    }

    /// The searches in a text on an arm, for any recipient.
    pub fn in_text(&self, arm: ArmIx, items: &[ItemIx]) -> impl Iterator<Item = &TextSearch> {
        let of_text = self.texts.get(&(arm, items.to_vec()));
        of_text.into_iter().flat_map(|of_text| &of_text.searches).map(|search| &self.all[search.get()])
    }

    /// The probes with excerpts of a text on an arm, in the order in which they were planned, whichever search asked.
    #[must_use]
    pub fn probes_of(&self, arm: ArmIx, items: &[ItemIx]) -> &[ProbeId] {
        self.texts.get(&(arm, items.to_vec())).map_or(&[], |of_text| &of_text.probes)
    }

    /// Begins a search. `heard`: what became for its recipient of the messages that other searches sent of the same text.
    pub(crate) fn begun<'a>(&mut self, plan: &SearchPlan, heard: impl Iterator<Item = (&'a Probe, Outcome)>) {
        let study = &self.study;
        let rule = study.isolation.as_ref();
        let prior = self.prior.get_or_insert_with(|| {
            let rules = rule.map_or(&[][..], |rule| &rule.rules);
            let rules = rules.iter().map(|rule| rule.iter().map(|component| &**component));
            if rules.len() == 0 { Prior::default() } else { Prior::default().with_rules(rules) }
        });
        let budget = rule.map_or(0, |rule| rule.max_messages_per_text);
        let told = plan.signal != Signal::Dropped;
        let options = Options {
            loss: if told { TOLD_BY_CHANCE } else { f64::from(plan.loss_ppm) * 1e-6 },
            false_positive_rate: study.decision.false_positive_rate,
            budget,
            known: strings(&plan.known),
            listed: strings(rule.map_or(&[], |rule| &rule.rules)),
            ..Options::default()
        };
        let text = study.joined(&plan.items);
        let mut search = Search::new(&text, prior, &options);
        for (probe, outcome) in heard {
            let answer = match outcome {
                Outcome::Delivered | Outcome::DeliveredLate => Answer::Delivered,
                Outcome::Dropped if told => continue,
                _ if Signal::of(outcome).is_some() => Answer::Dropped,
                _ => continue,
            };
            if let Some(excerpt) = &probe.excerpt {
                search.learn(&question_of(probe, excerpt), answer);
            }
        }
        let question = search.next_question();
        let index = SearchIx(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.texts.entry((plan.arm, plan.items.clone())).or_default().searches.push(index);
        self.all.push(TextSearch {
            plan: plan.clone(),
            text,
            search,
            question,
            under_way: None,
            dropped_alone_at: None,
            untold: 0,
            messages: 0,
            budget,
        });
    }

    /// A probe was planned.
    pub(crate) fn planned(&mut self, probe: &Probe) {
        let Some(excerpt) = &probe.excerpt else { return };
        let arm = self.study.channel(probe.channel).arm;
        self.texts.entry((arm, probe.items.clone())).or_default().probes.push(probe.id);
        if let Some(search) = self.all.get_mut(excerpt.search.get()) {
            search.messages += 1;
            search.under_way = Some(probe.id);
        }
    }

    /// What became of a probe for a recipient, known for the first time or revised.
    pub(crate) fn told(&mut self, at: Timestamp, probe: &Probe, recipient: AccountIx, outcome: Outcome) {
        let Some(excerpt) = &probe.excerpt else { return };
        let arm = self.study.channel(probe.channel).arm;
        let Some(of_text) = self.texts.get(&(arm, probe.items.clone())) else { return };
        for search in &of_text.searches {
            let search = &mut self.all[search.get()];
            if search.plan.recipient == recipient {
                search.told(probe, excerpt, outcome);
            }
            if outcome == Outcome::Dropped && probe.purpose == Purpose::Confirm {
                search.dropped_alone_at = Some(at);
            }
        }
    }

    /// What arrived was there long enough.
    pub(crate) fn settled(&mut self, probe: &Probe, recipient: AccountIx) {
        let Some(excerpt) = &probe.excerpt else { return };
        let Some(search) = self.all.get_mut(excerpt.search.get()) else { return };
        if search.plan.recipient == recipient && search.under_way == Some(probe.id) {
            search.answer(probe, excerpt, Answer::Delivered);
            search.under_way = None;
        }
    }

    /// A new epoch: whatever was waited for is waited for no more.
    pub(crate) fn open_epoch(&mut self) {
        for search in &mut self.all {
            search.under_way = None;
        }
    }
}

fn strings(rules: &[Vec<Arc<str>>]) -> Vec<Vec<String>> {
    rules.iter().map(|rule| rule.iter().map(ToString::to_string).collect()).collect()
}

fn bytes(fragments: &[Range<usize>]) -> Vec<Range<u32>> {
    let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    fragments.iter().map(|range| byte(range.start)..byte(range.end)).collect()
}

/// The excerpt that asks a question.
#[must_use]
pub fn excerpt_of(search: SearchIx, fragments: &[Range<usize>]) -> Excerpt {
    Excerpt { search, fragments: bytes(fragments) }
}

/// What a probe is for that asks a question of this kind.
#[must_use]
pub fn purpose_of(kind: Kind) -> Purpose {
    match kind {
        Kind::Alone => Purpose::Confirm,
        Kind::Cut => Purpose::Cut,
        Kind::Certificate => Purpose::Certificate,
        Kind::Order => Purpose::Order,
        Kind::Broken => Purpose::Broken,
        Kind::Lifting => Purpose::Lifting,
    }
}

/// A probe as a question, for searches that did not ask it.
fn question_of(probe: &Probe, excerpt: &Excerpt) -> Question {
    let kind = match probe.purpose {
        Purpose::Confirm => Kind::Alone,
        Purpose::Certificate => Kind::Certificate,
        Purpose::Order => Kind::Order,
        Purpose::Broken => Kind::Broken,
        Purpose::Lifting => Kind::Lifting,
        _ => Kind::Cut,
    };
    let fragments = excerpt.fragments.iter().map(|range| range.start as usize..range.end as usize).collect();
    Question { number: 0, kind, fragments }
}
