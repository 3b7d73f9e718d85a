//! The search as a state machine: a question, its answer, the next question.

use std::collections::BTreeSet;
use std::ops::Range;

use super::breaking::{At, Component, broken, contains, hitting_sets};
use super::chain::{Chain, Move, Sought, Terms};
use super::channel::Channel;
use super::memo::Memo;
use super::prior::Prior;
use super::report::{Answer, Findings, Found, Kind, Options, Question, Start, Status};
use super::rule::{Enough, Rule, all_in};
use super::text::{Span, Text};

/// Ways of breaking all rules that are gone through at most; texts of many rules with many components have more.
const MOST_HITTING_SETS: usize = 512;
/// Before a broken text was searched: the probability that a drop of it means another rule and not a loss, per unit of loss.
const ANOTHER_RULE: f64 = 0.2;
/// The rate at which drops of a part may be losses that are taken for drops of the whole.
const CARRIED_ERROR: f64 = 1e-6;
/// The probability that a delivery of a text with a rule in it is a leak and not a lifted block.
const LEAK_AFTER_ALL: f64 = 0.1;

/// A question that was asked so often and decides nothing never will: the filter does not act on all that it matches.
const MOST_OFTEN: u32 = 16;

/// What an open question is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum For {
    /// The chain.
    Chain,
    /// The order of a rule.
    Order(usize),
    /// Something that is read off the memo.
    Memo,
}

/// What a chain is looking at.
#[derive(Clone, Debug)]
enum Place {
    /// The text with these components broken so; none for the text as it is.
    Broken(BTreeSet<Component>, At),
    /// A question in which a rule was delivered.
    Passing(usize),
    /// The parts of a rule that turned out not to be minimal.
    Inside(usize),
}

enum Plan {
    Ask(Kind, Vec<Span>, For),
    Chain(Place, Vec<Span>),
    End(Status),
}

/// The search in one text.
#[derive(Clone, Debug)]
pub struct Search {
    text: Text,
    prior: Prior,
    options: Options,
    /// What convicts a combination, and what shows that less of it does not do.
    enough: Enough,
    memo: Memo,
    rules: Vec<Rule>,
    /// Known rules in the text that are not settled.
    known: Vec<Vec<Span>>,
    /// Listed rules in the text, by those that are to be tried together.
    listed: Vec<Vec<Vec<Span>>>,
    chain: Option<(Place, Chain)>,
    /// Ways of breaking the text in which nothing is left to find.
    cleared: BTreeSet<(BTreeSet<Component>, At)>,
    /// Questions delivered although they hold a rule, and the rule.
    passing: Vec<(usize, Vec<Span>)>,
    open: Option<(Question, Vec<Span>, For)>,
    asked: u32,
    status: Status,
    non_monotone: bool,
}

impl Search {
    /// A search in a text that was blocked as a whole (or passes as a whole, see [`Start`]).
    #[must_use]
    pub fn new(text: &str, prior: &Prior, options: &Options) -> Self {
        let text = Text::new(text);
        let in_text = |rule: &Vec<String>| {
            let mut spans = rule.iter().map(|component| text.last_occurrence(component)).collect::<Option<Vec<Span>>>()?;
            spans.sort();
            Some(spans).filter(|spans| !spans.is_empty())
        };
        let known: Vec<Vec<Span>> = options.known.iter().filter_map(in_text).collect();
        let listed: Vec<Vec<Span>> = options.listed.iter().filter_map(in_text).filter(|rule| !known.contains(rule)).collect();
        let mut memo = Memo::default();
        memo.add(vec![text.whole()], options.start == Start::Blocked);
        let (loss, leak) = (options.loss.clamp(1e-9, 0.9), options.leak.clamp(1e-9, 0.9));
        let enough =
            Enough { dropped: repeats(options.false_positive_rate, loss), delivered: repeats(options.false_positive_rate, leak) };
        Self {
            prior: prior.clone(),
            options: Options { loss, leak, ..options.clone() },
            enough,
            memo,
            rules: Vec::new(),
            known,
            listed: if listed.is_empty() { Vec::new() } else { vec![listed] },
            chain: None,
            cleared: BTreeSet::new(),
            passing: Vec::new(),
            open: None,
            asked: 0,
            status: if text.len() == 0 { Status::Nothing } else { Status::Open },
            non_monotone: false,
            text,
        }
    }

    /// The next question; `None` at the end. Until it is answered, the same one.
    pub fn next_question(&mut self) -> Option<Question> {
        while self.status == Status::Open && self.open.is_none() {
            let next = match &mut self.chain {
                Some((_, chain)) => match chain.advance(&self.memo) {
                    Move::Ask(fragments) => {
                        let kind = match chain.sought {
                            Sought::Lifting => Kind::Lifting,
                            Sought::Blocking if chain.asks_alone() => Kind::Alone,
                            Sought::Blocking => Kind::Cut,
                        };
                        Some((kind, fragments, For::Chain))
                    }
                    Move::Found(components) => {
                        self.chain_found(components);
                        None
                    }
                    Move::Absent => {
                        self.chain_absent();
                        None
                    }
                },
                None => match self.plan() {
                    Plan::Ask(kind, fragments, purpose) => Some((kind, fragments, purpose)),
                    Plan::Chain(place, pieces) => {
                        self.start_chain(place, &pieces);
                        None
                    }
                    Plan::End(status) => {
                        self.status = status;
                        None
                    }
                },
            };
            if let Some((kind, fragments, purpose)) = next {
                let answers = self.memo.of(&fragments);
                if self.asked >= self.options.budget
                    || answers.dropped + answers.delivered >= MOST_OFTEN.max(4 * self.enough.dropped)
                {
                    self.status = Status::Exhausted;
                } else {
                    let question = Question { number: self.asked + 1, kind, fragments: self.bytes(&fragments) };
                    self.open = Some((question, fragments, purpose));
                }
            }
        }
        self.open.as_ref().map(|(question, ..)| question.clone())
    }

    /// Takes in the answer to the open question. An answer to anything else is refused: `false`.
    pub fn answer(&mut self, question: &Question, answer: Answer) -> bool {
        if self.open.as_ref().is_none_or(|(open, ..)| open != question) {
            return false;
        }
        let Some((_, fragments, purpose)) = self.open.take() else { return false };
        self.asked += 1;
        let dropped = answer == Answer::Dropped;
        if let For::Order(rule) = purpose {
            let reversed = &mut self.rules[rule].reversed;
            if dropped { reversed.dropped += 1 } else { reversed.delivered += 1 }
        } else {
            self.memo.add(fragments, dropped);
        }
        if let (For::Chain, Some((_, chain))) = (purpose, &mut self.chain) {
            chain.answer(dropped);
        }
        true
    }

    /// Takes in an answer to a question of another search in the same text, of another recipient or an earlier run, say, where it
    /// holds for this one as well. It carries over where answers do; a replay must take it in at the same place.
    pub fn learn(&mut self, question: &Question, answer: Answer) -> bool {
        let spans: Option<Vec<Span>> = question.fragments.iter().map(|range| self.text.span_of(range)).collect();
        let Some(spans) = spans.filter(|_| question.kind != Kind::Order) else { return false };
        self.memo.add(spans, answer == Answer::Dropped);
        self.reopen();
        true
    }

    /// A rule that arrives alone is none: what was believed to be explained by it is sought anew.
    fn reopen(&mut self) {
        if self.chain.is_some() || self.open.is_some() || !matches!(self.status, Status::Complete | Status::First) {
            return;
        }
        let before = self.rules.len();
        let (memo, enough) = (&self.memo, self.enough);
        self.rules.retain(|rule| memo.of(&rule.components).delivered < enough.delivered);
        if self.rules.len() < before {
            self.cleared.clear();
            self.passing.clear();
            self.status = Status::Open;
        }
    }

    /// What is known by now.
    #[must_use]
    pub fn result(&self) -> Findings {
        let rule = |rule: &Rule| Found {
            components: self.bytes(&rule.components),
            unless: rule.unless.iter().map(|combination| self.bytes(combination)).collect(),
            matching: rule.matching(&self.text, self.enough),
            dropped_alone: rule.dropped_alone(&self.memo),
            needed: rule.is_minimal(&self.memo, self.enough),
            certified: rule.certified(&self.memo, self.enough),
            messages: rule.messages,
        };
        let (candidate, window) = self.chain.as_ref().map_or((Vec::new(), None), |(_, chain)| chain.standing());
        Findings {
            status: self.status,
            rules: self.rules.iter().map(rule).collect(),
            messages: self.asked,
            non_monotone: self.non_monotone,
            candidate: self.bytes(&candidate),
            window: window.map(|span| self.text.bytes(span)),
        }
    }

    fn bytes(&self, fragments: &[Span]) -> Vec<Range<usize>> {
        fragments.iter().map(|span| self.text.bytes(*span)).collect()
    }

    /// What to do when no chain is running. Everything follows from the memo and the rules found.
    fn plan(&mut self) -> Plan {
        if let Some(plan) = self.try_known().or_else(|| self.try_listed()) {
            return plan;
        }
        self.mark_lifted();
        let passes = self.options.start == Start::Passes;
        if self.rules.is_empty() && !passes {
            return if self.cleared.contains(&(BTreeSet::new(), At::Border)) {
                Plan::End(Status::Nothing)
            } else {
                Plan::Chain(Place::Broken(BTreeSet::new(), At::Border), vec![self.text.whole()])
            };
        }
        for at in 0..self.rules.len() {
            if let Some(plan) = self.owed(at) {
                return plan;
            }
        }
        while let Some((at, question)) = self.passing.pop() {
            let rule = &self.rules[at];
            let explained = rule.unless.iter().any(|combination| all_in(&self.text, combination, &question));
            if !explained && rule.is_in(&self.text, &question) {
                return Plan::Chain(Place::Passing(at), question);
            }
        }
        if passes {
            let lifted = self.rules.iter().any(|rule| !rule.unless.is_empty());
            return Plan::End(if lifted { Status::Complete } else { Status::Nothing });
        }
        if self.options.all { self.look_for_more() } else { Plan::End(Status::First) }
    }

    /// Known rules, alone.
    fn try_known(&mut self) -> Option<Plan> {
        while let Some(rule) = self.known.first().cloned() {
            let answers = self.memo.of(&rule);
            let settled = answers.delivered >= self.enough.delivered
                || self.rules.iter().any(|found| all_in(&self.text, &found.components, &rule));
            if !settled && answers.dropped < self.enough.dropped {
                return Some(Plan::Ask(Kind::Alone, rule, For::Memo));
            }
            self.known.remove(0);
            if !settled {
                self.rules.push(Rule::new(rule, self.asked));
                if !self.options.all {
                    self.known.clear();
                    self.listed.clear();
                }
            }
        }
        None
    }

    /// Listed rules, many in one message: what arrives clears them all, and what is dropped is tried by halves.
    fn try_listed(&mut self) -> Option<Plan> {
        while let Some(mut together) = self.listed.pop() {
            together.retain(|rule| {
                let is_found = self.rules.iter().any(|found| all_in(&self.text, &found.components, rule));
                !is_found && !self.memo.delivered_around(rule, self.enough.delivered)
            });
            if together.len() < 2 {
                self.known.append(&mut together);
                if self.known.is_empty() {
                    continue;
                }
                return self.try_known();
            }
            let mut question: Vec<Span> = together.iter().flatten().copied().collect();
            question.sort();
            question.dedup();
            let answers = self.memo.of(&question);
            let length: u32 = question.iter().map(|span| span.len()).sum();
            if answers.dropped + answers.delivered == 0 && length <= self.text.len() {
                self.listed.push(together);
                return Some(Plan::Ask(Kind::Cut, question, For::Memo));
            }
            let other = together.split_off(together.len() / 2);
            self.listed.extend([other, together]);
        }
        None
    }

    /// What a rule is still owed: drops alone, its order, its certificates.
    fn owed(&self, at: usize) -> Option<Plan> {
        let rule = &self.rules[at];
        let tried = self.memo.of(&rule.components);
        let several = rule.components.len() > 1;
        if self.options.order && several && !rule.order_is_known(self.enough) {
            return Some(Plan::Ask(Kind::Order, rule.backwards(), For::Order(at)));
        }
        if rule.dropped_alone(&self.memo) < self.enough.dropped && tried.dropped + tried.delivered < 4 * self.enough.dropped {
            return Some(Plan::Ask(Kind::Alone, rule.components.clone(), For::Memo));
        }
        for component in 0..rule.components.len() {
            if rule.needs(component, &self.memo, self.enough.delivered) {
                continue;
            }
            let question = rule.without(component);
            // Delivered, and yet no proof: it holds a rule that something in it lifts, such as the separator.
            let answers = self.memo.of(&question);
            if answers.delivered >= self.enough.delivered + answers.dropped + 2 {
                continue;
            }
            if self.memo.of(&question).dropped < self.enough.dropped {
                return Some(Plan::Ask(Kind::Certificate, question, For::Memo));
            }
            if !rule.refined {
                return Some(Plan::Chain(Place::Inside(at), question));
            }
        }
        None
    }

    /// Questions that were delivered although they hold a rule say nothing about their parts, and ask what lifted it.
    fn mark_lifted(&mut self) {
        let mut lifted = Vec::new();
        for question in self.memo.delivered() {
            lifted.extend(
                (0..self.rules.len()).filter(|at| self.rules[*at].is_in(&self.text, question)).map(|at| (at, question.clone())),
            );
        }
        for (at, question) in lifted {
            self.memo.mark_lifted(&question);
            self.passing.push((at, question));
        }
    }

    /// The smallest way of breaking all rules in which the text was not yet seen to be delivered.
    fn look_for_more(&mut self) -> Plan {
        let rules: Vec<Vec<Component>> = self.rules.iter().map(|rule| rule.ids(&self.text)).collect();
        let Some(sets) = hitting_sets(&rules, MOST_HITTING_SETS) else { return Plan::End(Status::Exhausted) };
        let places: &[At] = if self.options.overlaps { &[At::Beginning, At::End] } else { &[At::Border] };
        for (set, place) in sets.iter().flat_map(|set| places.iter().map(move |place| (set, *place))) {
            if self.cleared.contains(&(set.clone(), place)) {
                continue;
            }
            let pieces = broken(&self.text, set, place);
            let answers = self.memo.of(&pieces);
            if pieces.is_empty() || self.memo.delivered_around(&pieces, self.enough.delivered) {
                self.cleared.insert((set.clone(), place));
            } else if answers.dropped > 0 {
                return Plan::Chain(Place::Broken(set.clone(), place), pieces);
            } else {
                return Plan::Ask(Kind::Broken, pieces, For::Memo);
            }
        }
        if self.options.exceptions
            && let Some(pieces) = self.each_by_itself()
        {
            return Plan::Ask(Kind::Broken, pieces, For::Memo);
        }
        Plan::End(Status::Complete)
    }

    /// The text with all rules broken but one, for one of which it is not known that it is blocked then.
    fn each_by_itself(&self) -> Option<Vec<Span>> {
        if self.rules.len() < 2 {
            return None;
        }
        let rules: Vec<Vec<Component>> = self.rules.iter().map(|rule| rule.ids(&self.text)).collect();
        rules.iter().enumerate().find_map(|(at, rule)| {
            let others: Vec<Vec<Component>> =
                rules.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, rule)| rule.clone()).collect();
            let spares =
                |set: &BTreeSet<Component>| !rule.iter().any(|component| set.iter().any(|broken| contains(component, broken)));
            let set = hitting_sets(&others, MOST_HITTING_SETS)?.into_iter().find(spares)?;
            let pieces = broken(&self.text, &set, At::Border);
            let answers = self.memo.of(&pieces);
            (self.rules[at].is_in(&self.text, &pieces) && answers.dropped + answers.delivered == 0).then_some(pieces)
        })
    }

    fn start_chain(&mut self, place: Place, pieces: &[Span]) {
        let (loss, leak) = (self.options.loss, self.options.leak);
        let near = self.rules.iter().flat_map(|rule| &rule.components).map(|span| self.text.str(*span).to_owned());
        let prior = self.prior.near(near.collect());
        let (base, sought, doubt) = match &place {
            Place::Broken(set, _) if set.is_empty() => (Vec::new(), Sought::Blocking, loss.min(0.5)),
            Place::Broken(..) | Place::Inside(_) => (Vec::new(), Sought::Blocking, loss / (loss + ANOTHER_RULE)),
            Place::Passing(rule) => (self.rules[*rule].components.clone(), Sought::Lifting, LEAK_AFTER_ALL),
        };
        let channel = match sought {
            Sought::Blocking => Channel::blocking(loss, leak),
            Sought::Lifting => Channel::lifting(loss, leak),
        };
        // Where the order is asked about, the drops in the reverse order convict as well.
        let alone = match sought {
            Sought::Blocking if !self.options.order => self.enough.dropped,
            Sought::Blocking | Sought::Lifting => 1,
        };
        let carry = Enough { dropped: repeats(CARRIED_ERROR, loss), delivered: self.enough.delivered };
        let terms = Terms { channel, alone, doubt: self.options.doubt, carry };
        self.chain = Some((place, Chain::new(&self.text, pieces, base, sought, &prior, terms, doubt)));
    }

    fn chain_found(&mut self, components: Vec<Span>) {
        let Some((place, _)) = self.chain.take() else { return };
        match place {
            Place::Passing(rule) => {
                self.non_monotone = true;
                if !components.is_empty() {
                    self.rules[rule].unless.push(components);
                }
            }
            Place::Inside(rule) => {
                self.rules.remove(rule);
                self.passing.clear();
                // What is left of it may be a rule that was found already, or part of others that are no smallest ones either.
                let text = &self.text;
                if !self.rules.iter().any(|rule| all_in(text, &rule.components, &components)) {
                    self.rules.retain(|rule| !all_in(text, &components, &rule.components));
                    self.rules.push(Rule { refined: true, ..Rule::new(components, self.asked) });
                }
            }
            Place::Broken(set, at) => {
                // A rule that another is part of is not minimal, and nothing new.
                if self.rules.iter().any(|rule| all_in(&self.text, &rule.components, &components)) {
                    self.cleared.insert((set, at));
                    return;
                }
                let text = &self.text;
                self.rules.retain(|rule| !all_in(text, &components, &rule.components));
                self.passing.clear();
                self.rules.push(Rule::new(components, self.asked));
            }
        }
    }

    fn chain_absent(&mut self) {
        match self.chain.take() {
            Some((Place::Broken(set, at), _)) => {
                self.cleared.insert((set, at));
            }
            Some((Place::Inside(rule), _)) => self.rules[rule].refined = true,
            Some((Place::Passing(_), _)) | None => {}
        }
    }
}

/// How often something that happens by chance with a probability must happen, to happen by chance less often than `rate`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn repeats(rate: f64, chance: f64) -> u32 {
    let times = libm::log(rate) / libm::log(chance);
    libm::ceil(times - 1e-9).clamp(1.0, 1e6) as u32
}
