//! The fold over facts in the orders that only a real platform brings: answers behind arrivals, conditions behind answers.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use lacuna_inference::evidence::Evidence;
use lacuna_model::study::{Channel, DecisionRule, DesignKind, Pacing, Pooling, Prior, Safety, TextRules, Watch};
use lacuna_model::{
    Account, AccountCondition, AccountIx, Arm, ArmIx, ChannelIx, ContentKind, Deadline, Decision, Duration, EntrySequence, Fact,
    Item, ItemIx, Observation, ObservationKind, Outcome, PlatformMessageId, Probe, ProbeId, Purpose, Role, SendResult, Study,
    Timestamp, Venue, VenueIx, VenueKind,
};

const SENDER: AccountIx = AccountIx(0);
const RECIPIENT: AccountIx = AccountIx(1);

fn study() -> Arc<Study> {
    let account = |id: &str| Account {
        id: id.into(),
        registered_in: "CA".parse().unwrap(),
        located_in: "CA".parse().unwrap(),
        client: None,
    };
    let item = |id: &str, role| Item {
        id: id.into(),
        role,
        kind: ContentKind::Text,
        file: None,
        message: format!("the text of {id}").into(),
        category: String::new(),
        language: String::new(),
        prior: Prior::default(),
    };
    Arc::new(Study {
        name: "facts".to_owned(),
        question: String::new(),
        design: DesignKind::Screen,
        seed: 1,
        adapter: "simulator".to_owned(),
        accounts: vec![account("a"), account("b")],
        venues: vec![Venue { id: "a-b".into(), kind: VenueKind::Direct, members: vec![SENDER, RECIPIENT], existing: None }],
        arms: vec![Arm {
            id: "arm".into(),
            venue: VenueKind::Direct,
            senders: vec![SENDER],
            recipients: vec![RECIPIENT],
            channels: vec![ChannelIx(0)],
        }],
        channels: vec![Channel { arm: ArmIx(0), sender: SENDER, venue: VenueIx(0), recipients: vec![RECIPIENT] }],
        items: vec![item("control", Role::Control), item("candidate", Role::Candidate)],
        text: TextRules::default(),
        decision: DecisionRule {
            false_positive_rate: 1e-3,
            false_discovery_rate: 1e-2,
            max_probes_per_item: 12,
            pooling: Pooling::Off,
            replicates: None,
        },
        watch: Watch { grace: Some(Duration::from_secs(1)), late: Duration::from_secs(1), bracket_messages: 4 },
        pacing: Pacing { min_gap: Duration::ZERO, in_flight: 4, confirm_after: Duration::ZERO, cool_off: Duration::ZERO },
        safety: Safety { max_messages: 100, max_messages_per_account_per_day: 100, stop_after_sanctions: 1 },
        isolation: None,
        mechanism: None,
        exposure: None,
        corpora: Vec::new(),
        earlier: None,
    })
}

struct Story {
    evidence: Evidence,
    entries: u64,
    probes: u64,
}

impl Story {
    fn new() -> Self {
        let mut story = Self { evidence: Evidence::new(study()), entries: 0, probes: 0 };
        story.epoch(0);
        story
    }

    fn fact(&mut self, fact: &Fact) {
        self.entries += 1;
        let at = Timestamp(i64::try_from(self.entries).unwrap() * 1_000);
        self.evidence.apply_fact(EntrySequence(self.entries), at, fact, &mut Vec::new());
    }

    fn epoch(&mut self, epoch: u32) {
        self.fact(&Fact::EpochOpened { epoch, sent_today: vec![0, 0], resumed_by: None });
    }

    /// Plans and starts a probe.
    fn send(&mut self, item: ItemIx) -> ProbeId {
        let id = ProbeId(self.probes);
        self.probes += 1;
        let study = Arc::clone(self.evidence.study());
        let role = study.item(item).role;
        let probe = Probe {
            id,
            channel: ChannelIx(0),
            role,
            purpose: Purpose::Screen,
            attempt: 1,
            items: vec![item],
            carrier: None,
            excerpt: None,
        };
        let at = self.evidence.last_at();
        self.evidence.apply_decision(at, &Decision::ProbePlanned(probe));
        self.fact(&Fact::SendStarted { probe: id, text: Arc::clone(&study.item(item).message) });
        id
    }

    fn answer(&mut self, probe: ProbeId, result: SendResult) {
        self.fact(&Fact::SendResult { probe, result });
    }

    fn accept(&mut self, probe: ProbeId) {
        self.answer(probe, SendResult::Accepted { platform_id: Some(name(probe)) });
    }

    fn refuse(&mut self, probe: ProbeId) {
        self.answer(probe, SendResult::Refused { notice: "no".to_owned() });
    }

    fn see(&mut self, recipient: AccountIx, kind: ObservationKind, id: PlatformMessageId, text: Option<&str>) {
        self.fact(&Fact::Observed(Observation {
            recipient,
            sender: Some(SENDER),
            venue: Some(VenueIx(0)),
            kind,
            platform_id: Some(id),
            text: text.map(Into::into),
            file: None,
            cursor: None,
        }));
    }

    fn arrive(&mut self, probe: ProbeId) {
        let text = self.evidence.study().text_of(&self.evidence.probe(probe).probe.clone());
        self.see(RECIPIENT, ObservationKind::Message, name(probe), Some(&text));
    }

    fn outcome(&self, probe: ProbeId) -> Option<Outcome> {
        self.evidence.outcome(probe, RECIPIENT)
    }
}

fn name(probe: ProbeId) -> PlatformMessageId {
    PlatformMessageId(format!("m{}", probe.0).into())
}

const CONTROL: ItemIx = ItemIx(0);
const CANDIDATE: ItemIx = ItemIx(1);

#[test]
fn what_was_never_answered_is_not_dropped_at_the_end_of_listening() {
    let mut story = Story::new();
    let before = story.send(CONTROL);
    let unanswered = story.send(CANDIDATE);
    let after = story.send(CONTROL);
    for probe in [before, after] {
        story.accept(probe);
        story.arrive(probe);
    }
    story.fact(&Fact::DeadlinePassed(Deadline::Listen));
    assert_eq!(story.outcome(unanswered), None);
}

#[test]
fn a_retraction_may_come_before_the_acknowledgement() {
    let mut story = Story::new();
    let probe = story.send(CANDIDATE);
    story.arrive(probe);
    story.see(RECIPIENT, ObservationKind::Retraction, name(probe), None);
    story.accept(probe);
    assert_eq!(story.outcome(probe), Some(Outcome::Retracted));
}

#[test]
fn a_retraction_may_overtake_its_message() {
    let mut story = Story::new();
    let probe = story.send(CANDIDATE);
    story.accept(probe);
    story.see(RECIPIENT, ObservationKind::Retraction, name(probe), None);
    story.arrive(probe);
    assert_eq!(story.outcome(probe), Some(Outcome::Retracted));
}

#[test]
fn what_was_taken_away_is_not_brought_back_by_an_edit() {
    let mut story = Story::new();
    let probe = story.send(CANDIDATE);
    story.accept(probe);
    story.arrive(probe);
    story.see(RECIPIENT, ObservationKind::Retraction, name(probe), None);
    story.see(RECIPIENT, ObservationKind::Edit, name(probe), Some(""));
    assert_eq!(story.outcome(probe), Some(Outcome::Retracted));
}

#[test]
fn a_notice_may_come_before_the_acknowledgement() {
    let mut story = Story::new();
    let probe = story.send(CANDIDATE);
    story.see(SENDER, ObservationKind::Notice, name(probe), Some("not here"));
    story.accept(probe);
    assert_eq!(story.outcome(probe), Some(Outcome::Refused));
    assert_eq!(story.evidence.probe(probe).notice.as_deref(), Some("not here"));
}

#[test]
fn many_words_about_unknown_messages_are_forgotten_the_oldest_first() {
    let mut story = Story::new();
    let probe = story.send(CANDIDATE);
    for number in 0..1_000 {
        story.see(RECIPIENT, ObservationKind::Retraction, PlatformMessageId(format!("x{number}").into()), None);
    }
    story.see(RECIPIENT, ObservationKind::Retraction, name(probe), None);
    story.accept(probe);
    story.arrive(probe);
    assert_eq!(story.outcome(probe), Some(Outcome::Retracted));
}

#[test]
fn a_sanction_told_behind_a_refusal_takes_it_back() {
    let mut story = Story::new();
    let early = story.send(CANDIDATE);
    story.refuse(early);
    let control = story.send(CONTROL);
    story.accept(control);
    let late = story.send(CANDIDATE);
    story.refuse(late);
    let condition = AccountCondition::Sanctioned;
    story.fact(&Fact::AccountState { account: SENDER, condition, detail: "suspended".to_owned() });
    assert_eq!(story.outcome(early), Some(Outcome::Refused), "a control was taken after it");
    assert_eq!(story.outcome(late), Some(Outcome::SendFailed));
}

#[test]
fn where_controls_are_refused_too_a_refusal_is_not_about_the_message() {
    let mut story = Story::new();
    let candidates = [story.send(CANDIDATE), story.send(CANDIDATE)];
    for probe in candidates {
        story.refuse(probe);
        assert_eq!(story.outcome(probe), Some(Outcome::Refused));
    }
    let control = story.send(CONTROL);
    story.refuse(control);
    for probe in candidates {
        assert_eq!(story.outcome(probe), Some(Outcome::SendFailed));
    }
}

#[test]
fn an_unanswered_send_of_an_earlier_epoch_holds_nothing_up() {
    let mut story = Story::new();
    story.send(CANDIDATE);
    story.epoch(1);
    // The platform tells the recipient names that it does not tell the sender.
    let probe = story.send(CONTROL);
    story.answer(probe, SendResult::Accepted { platform_id: None });
    let text = Arc::clone(&story.evidence.study().item(CONTROL).message);
    story.see(RECIPIENT, ObservationKind::Message, PlatformMessageId("other".into()), Some(&text));
    assert_eq!(story.outcome(probe), Some(Outcome::Delivered));
}

#[test]
fn a_send_of_unknown_fate_counts_for_nothing_whatever_is_told_of_it() {
    let mut story = Story::new();
    let probe = story.send(CANDIDATE);
    story.epoch(1);
    story.arrive(probe);
    story.see(RECIPIENT, ObservationKind::Retraction, name(probe), None);
    assert_eq!(story.outcome(probe), Some(Outcome::UnknownSubmission));
}

#[test]
fn where_controls_bounce_too_a_bounce_is_not_about_the_message() {
    let mut story = Story::new();
    let early = story.send(CANDIDATE);
    let control = story.send(CONTROL);
    let late = story.send(CANDIDATE);
    let last = story.send(CONTROL);
    for probe in [early, control, late, last] {
        story.accept(probe);
    }
    story.see(SENDER, ObservationKind::Notice, name(early), Some("no such server"));
    story.arrive(control);
    story.see(SENDER, ObservationKind::Notice, name(late), Some("no such server"));
    story.see(SENDER, ObservationKind::Notice, name(last), Some("no such server"));
    assert_eq!(story.outcome(early), Some(Outcome::Refused), "a control behind it arrived");
    assert_eq!(story.outcome(late), Some(Outcome::SendFailed));
}
