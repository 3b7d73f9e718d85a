//! A run with `design = "isolate"`: a platform that blocks for one recipient, and a driver that asks what the search asks.

use std::sync::Arc;

use lacuna_inference::evidence::Evidence;
use lacuna_inference::rules::wanting;
use lacuna_inference::searches::{TextSearch, excerpt_of, purpose_of};
use lacuna_inference::verdicts::tallies;
use lacuna_model::study::DesignKind;
use lacuna_model::{
    AccountCondition, AccountIx, ArmIx, ChannelIx, Deadline, Decision, Duration, Entry, EntrySequence, Excerpt, Fact,
    IsolationRule, ItemIx, Outcome, Probe, ProbeId, Purpose, Role, SearchIx, SearchPlan, Signal, StopReason, Study, Timestamp,
};
use lacuna_records::journal::Header;

use super::{START, accepted, epoch, header, observed, result, started, study};

/// The item in which something is searched.
pub const TEXT: ItemIx = ItemIx(1);
/// The control.
const CONTROL: ItemIx = ItemIx(2);
/// For whom the platform blocks, and for whom it does not.
pub const BLOCKED: AccountIx = AccountIx(1);
const OTHER: AccountIx = AccountIx(2);

/// The study of the other tests, isolating, with this text.
pub fn isolating(text: &str, max_messages_per_text: u32) -> Study {
    let mut study = study();
    study.design = DesignKind::Isolate;
    study.items[TEXT.get()].id = "news/1".into();
    study.items[TEXT.get()].message = text.into();
    let known = ["新疆", "集中营"].map(Arc::from).to_vec();
    study.isolation = Some(IsolationRule { max_messages_per_text, rules: vec![known] });
    study
}

/// The first line of such a run.
pub fn header_of(study: Study) -> Header {
    Header { study: Arc::new(study), ..header() }
}

/// A run under way.
struct Play<'p> {
    evidence: Evidence,
    entries: Vec<Entry>,
    next: u64,
    at: Timestamp,
    /// Whether the platform drops a text for [`BLOCKED`].
    is_blocked: &'p dyn Fn(&str) -> bool,
}

impl Play<'_> {
    fn push(&mut self, entry: Entry) {
        self.at = self.at + Duration(1_001);
        let sequence = EntrySequence(self.entries.len() as u64);
        self.evidence.apply(sequence, self.at, &entry, &mut Vec::new());
        self.entries.push(entry);
    }

    fn send(&mut self, role: Role, purpose: Purpose, item: ItemIx, excerpt: Option<Excerpt>) -> ProbeId {
        let id = ProbeId(self.next);
        self.next += 1;
        let probe = Probe { id, channel: ChannelIx(0), role, purpose, attempt: 1, items: vec![item], carrier: None, excerpt };
        let text = self.evidence.study().text_of(&probe);
        let name = format!("m{}", id.0);
        self.push(Entry::Decision(Decision::ProbePlanned(probe)));
        self.push(started(id.0, &text));
        self.push(result(id.0, accepted(&name)));
        self.push(observed(OTHER.0, 0, &name, &text));
        if !(self.is_blocked)(&text) {
            self.push(observed(BLOCKED.0, 0, &name, &text));
        }
        id
    }

    fn control(&mut self) {
        self.send(Role::Control, Purpose::Bracket, CONTROL, None);
    }

    /// Sends something between controls, and waits until it counts as dropped if it did not arrive.
    fn ask(&mut self, purpose: Purpose, excerpt: Option<Excerpt>) {
        let probe = self.send(Role::Candidate, purpose, TEXT, excerpt);
        self.control();
        if self.evidence.outcome(probe, BLOCKED) != Some(Outcome::Delivered) {
            self.push(Entry::Fact(Fact::DeadlinePassed(Deadline::Grace { probe, recipient: BLOCKED })));
        }
    }
}

/// Everything that happens, behind so many controls, until the search in the text has no more to ask, and what it found was sent
/// often enough.
pub fn played(study: &Study, controls: usize, is_blocked: &dyn Fn(&str) -> bool) -> Vec<Entry> {
    let evidence = Evidence::new(Arc::new(study.clone()));
    let mut play = Play { evidence, entries: Vec::new(), next: 0, at: START, is_blocked };
    for account in [0, 1, 2].map(AccountIx) {
        let condition = AccountCondition::Connected;
        play.push(Entry::Fact(Fact::AccountState { account, condition, detail: String::new() }));
    }
    play.push(epoch(0));
    for _ in 0..controls {
        play.control();
    }
    for purpose in [Purpose::Screen, Purpose::Confirm, Purpose::Confirm] {
        play.ask(purpose, None);
    }
    let search = SearchIx(0);
    play.push(Entry::Decision(Decision::SearchBegun(SearchPlan {
        search,
        items: vec![TEXT],
        arm: ArmIx(0),
        recipient: BLOCKED,
        signal: Signal::Dropped,
        loss_ppm: 10_000,
        settle: Duration::ZERO,
        known: study.isolation.iter().flat_map(|rule| rule.rules.clone()).collect(),
    })));
    while let Some(question) = play.evidence.searches().get(search).and_then(|search| search.question()).cloned() {
        play.ask(purpose_of(question.kind), Some(excerpt_of(search, &question.fragments)));
    }
    for _ in 0..20 {
        let wanting = wanting(&play.evidence, &tallies(&play.evidence));
        let Some((search, components)) = wanting.into_iter().next() else { break };
        if !play.evidence.searches().get(search).is_some_and(TextSearch::has_budget) {
            break;
        }
        play.ask(Purpose::Confirm, Some(excerpt_of(search, &components)));
    }
    play.push(Entry::Decision(Decision::Stopped { reason: StopReason::Finished }));
    play.push(Entry::Fact(Fact::DeadlinePassed(Deadline::Listen)));
    play.entries
}
