//! The engine against platforms that answer in ways the simulator does not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lacuna_design::{Command, Engine};
use lacuna_inference::verdicts;
use lacuna_model::study::{Channel, DecisionRule, DesignKind, Pacing, Pooling, Prior, Safety, TextRules, Watch};
use lacuna_model::{
    Account, AccountCondition, AccountIx, Arm, ArmIx, ChannelIx, ContentKind, Deadline, Decision, Duration, EntrySequence, Fact,
    Item, Observation, ObservationKind, PlatformMessageId, Probe, Role, SendResult, StopReason, Study, Timestamp, Venue, VenueIx,
    VenueKind, Verdict,
};

/// Two senders, one recipient, conversations.
fn study(candidates: usize, max_messages: u64) -> Study {
    let account = |id: &str| Account {
        id: id.into(),
        registered_in: "CA".parse().unwrap(),
        located_in: "CA".parse().unwrap(),
        client: None,
    };
    let item = |(role, number): (Role, usize)| Item {
        id: format!("{}-{number}", role.as_str()).as_str().into(),
        role,
        kind: ContentKind::Text,
        file: None,
        message: format!("{} {number}", role.as_str()).into(),
        category: String::new(),
        language: String::new(),
        prior: Prior::default(),
    };
    let controls = (0..20).map(|number| (Role::Control, number));
    let candidates = (0..candidates).map(|number| (Role::Candidate, number));
    let recipient = AccountIx(2);
    let senders = [AccountIx(0), AccountIx(1)];
    let venue = |sender: AccountIx| Venue {
        id: format!("{}-r", sender.0).as_str().into(),
        kind: VenueKind::Direct,
        members: vec![sender, recipient],
        existing: None,
    };
    let channel = |sender: AccountIx| Channel { arm: ArmIx(0), sender, venue: VenueIx(sender.0), recipients: vec![recipient] };
    Study {
        name: "engine".to_owned(),
        question: String::new(),
        design: DesignKind::Screen,
        seed: 1,
        adapter: "simulator".to_owned(),
        accounts: ["s", "t", "r"].map(account).to_vec(),
        venues: senders.map(venue).to_vec(),
        arms: vec![Arm {
            id: "arm".into(),
            venue: VenueKind::Direct,
            senders: senders.to_vec(),
            recipients: vec![recipient],
            channels: vec![ChannelIx(0), ChannelIx(1)],
        }],
        channels: senders.map(channel).to_vec(),
        items: controls.chain(candidates).map(item).collect(),
        text: TextRules::default(),
        decision: DecisionRule {
            false_positive_rate: 1e-3,
            false_discovery_rate: 1e-2,
            max_probes_per_item: 12,
            pooling: Pooling::Off,
            replicates: None,
        },
        watch: Watch { grace: Some(Duration::from_secs(1)), late: Duration::from_secs(1), bracket_messages: 4 },
        pacing: Pacing { min_gap: Duration::ZERO, in_flight: 1, confirm_after: Duration::ZERO, cool_off: Duration::ZERO },
        safety: Safety { max_messages, max_messages_per_account_per_day: max_messages, stop_after_sanctions: 2 },
        isolation: None,
        mechanism: None,
        exposure: None,
        corpora: Vec::new(),
        earlier: None,
    }
}

/// What happens after a message was handed over: the answer after a wait, and the arrival after another, if any.
struct Reaction {
    answer: Option<(Duration, SendResult)>,
    arrival: Option<Duration>,
}

fn well() -> Reaction {
    let answer = SendResult::Accepted { platform_id: None };
    Reaction { answer: Some((Duration::from_millis(1), answer)), arrival: Some(Duration::from_millis(20)) }
}

fn answered(result: SendResult) -> Reaction {
    Reaction { answer: Some((Duration::from_millis(1), result)), arrival: None }
}

fn refused() -> Reaction {
    answered(SendResult::Refused { notice: "no".to_owned() })
}

struct Driver {
    engine: Engine,
    now: Timestamp,
    entries: u64,
    sent: u64,
    events: BTreeMap<(Timestamp, u64), Fact>,
    timers: BTreeSet<(Timestamp, Deadline)>,
    finished: bool,
}

impl Driver {
    /// Runs to the end, which must come.
    fn run(study: Study, faults: Vec<(Duration, Fact)>, react: &mut dyn FnMut(u64, &Probe) -> Reaction) -> Self {
        let engine = Engine::new(Arc::new(study));
        let now = Timestamp(1_767_225_600_000_000);
        let (events, timers) = (BTreeMap::new(), BTreeSet::new());
        let mut driver = Self { engine, now, entries: 0, sent: 0, events, timers, finished: false };
        for (number, (after, fact)) in (0u64..).zip(faults) {
            driver.events.insert((now + after, number), fact);
        }
        driver.fact(&Fact::EpochOpened { epoch: 0, sent_today: Vec::new(), resumed_by: None }, react);
        while !driver.finished {
            let event = driver.events.first_key_value().map(|((at, _), _)| *at);
            let timer = driver.timers.first().map(|(at, _)| *at);
            let next = event.into_iter().chain(timer).min().expect("the engine waits for something that will happen");
            driver.now = driver.now.max(next);
            if event == Some(next) {
                let (_, fact) = driver.events.pop_first().unwrap();
                driver.fact(&fact, react);
            } else {
                let (_, deadline) = driver.timers.pop_first().unwrap();
                driver.fact(&Fact::DeadlinePassed(deadline), react);
            }
        }
        driver
    }

    fn fact(&mut self, fact: &Fact, react: &mut dyn FnMut(u64, &Probe) -> Reaction) {
        let mut commands = Vec::new();
        self.handle(fact, &mut commands);
        for command in commands {
            match command {
                Command::Decide(Decision::ProbePlanned(probe)) => self.send(&probe, react),
                Command::Decide(Decision::Stopped { .. } | Decision::SearchBegun(_)) => {}
                Command::Arm { deadline, at } => {
                    self.timers.retain(|(_, armed)| *armed != deadline);
                    self.timers.insert((at, deadline));
                }
                Command::Cancel(deadline) => self.timers.retain(|(_, armed)| *armed != deadline),
                Command::Finish => self.finished = true,
            }
        }
    }

    fn handle(&mut self, fact: &Fact, commands: &mut Vec<Command>) {
        self.entries += 1;
        self.engine.handle(EntrySequence(self.entries), self.now, fact, commands);
    }

    fn send(&mut self, probe: &Probe, react: &mut dyn FnMut(u64, &Probe) -> Reaction) {
        let text = self.engine.study().text_of(probe);
        let mut nothing = Vec::new();
        self.handle(&Fact::SendStarted { probe: probe.id, text: Arc::clone(&text) }, &mut nothing);
        assert!(nothing.is_empty());
        let id = PlatformMessageId(format!("m{}", probe.id.0).into());
        let reaction = react(self.sent, probe);
        self.sent += 1;
        let order = (1 << 32) + 2 * self.sent;
        if let Some((after, result)) = reaction.answer {
            let result = match result {
                SendResult::Accepted { .. } => SendResult::Accepted { platform_id: Some(id.clone()) },
                other => other,
            };
            self.events.insert((self.now + after, order), Fact::SendResult { probe: probe.id, result });
        }
        if let Some(after) = reaction.arrival {
            let channel = self.engine.study().channel(probe.channel).clone();
            let arrival = Observation {
                recipient: channel.recipients[0],
                sender: Some(channel.sender),
                venue: Some(channel.venue),
                kind: ObservationKind::Message,
                platform_id: Some(id),
                text: Some(text),
                file: None,
                cursor: None,
            };
            self.events.insert((self.now + after, order + 1), Fact::Observed(arrival));
        }
    }

    fn took(&self) -> Duration {
        self.now - Timestamp(1_767_225_600_000_000)
    }

    fn verdicts(&self) -> BTreeMap<Verdict, usize> {
        let mut counts = BTreeMap::new();
        for record in verdicts::derive(self.engine.evidence()) {
            *counts.entry(record.verdict).or_default() += 1;
        }
        counts
    }
}

#[test]
fn a_platform_that_refuses_everything_is_given_up_soon() {
    let driver = Driver::run(study(20, 5_000), Vec::new(), &mut |_, _| refused());
    assert!(driver.sent <= 20, "{} messages", driver.sent);
    assert_eq!(driver.engine.stopped(), Some(StopReason::NoPathAlive));
    assert_eq!(driver.verdicts(), BTreeMap::from([(Verdict::Inconclusive, 20)]));
}

#[test]
fn a_platform_that_refuses_everything_from_some_moment_on_refuses_no_item() {
    let driver = Driver::run(study(200, 5_000), Vec::new(), &mut |sent, _| if sent < 60 { well() } else { refused() });
    assert!(driver.sent <= 100, "{} messages", driver.sent);
    assert_eq!(driver.engine.stopped(), Some(StopReason::NoPathAlive));
    let verdicts = driver.verdicts();
    assert_eq!(verdicts.keys().copied().collect::<Vec<_>>(), [Verdict::Delivered, Verdict::Inconclusive]);
}

#[test]
fn what_was_refused_while_everything_was_is_asked_again() {
    let driver =
        Driver::run(study(200, 5_000), Vec::new(), &mut |sent, _| if (60..64).contains(&sent) { refused() } else { well() });
    assert_eq!(driver.engine.stopped(), Some(StopReason::Finished));
    assert_eq!(driver.verdicts(), BTreeMap::from([(Verdict::Delivered, 200)]));
}

#[test]
fn an_item_that_is_refused_costs_one_control() {
    let refuse = |probe: &Probe| probe.role == Role::Candidate && probe.items[0].0.is_multiple_of(2);
    let driver = Driver::run(study(100, 5_000), Vec::new(), &mut |_, probe| if refuse(probe) { refused() } else { well() });
    assert_eq!(driver.verdicts(), BTreeMap::from([(Verdict::Delivered, 50), (Verdict::Refused, 50)]));
    assert!(driver.sent < 160, "{} messages", driver.sent);
}

#[test]
fn a_platform_that_asks_to_slow_down_and_names_no_wait_is_not_hammered() {
    let limited = || answered(SendResult::RateLimited { retry_after: Duration::ZERO });
    let driver = Driver::run(study(20, 40), Vec::new(), &mut |_, _| limited());
    assert_eq!(driver.engine.stopped(), Some(StopReason::MessageBudget));
    assert!(driver.took() > Duration::from_secs(30), "{}", driver.took());
}

#[test]
fn the_end_of_listening_waits_for_answers_and_graces() {
    // Four under way at once; the last candidates are slow, and both accounts are sanctioned in the meantime.
    let mut study = study(200, 5_000);
    study.pacing.in_flight = 4;
    let sanction = |account| Fact::AccountState {
        account: AccountIx(account),
        condition: AccountCondition::Sanctioned,
        detail: String::new(),
    };
    let faults = (0..2).map(|account| (Duration::from_millis(300), sanction(account))).collect();
    let slow = |probe: &Probe| probe.role == Role::Candidate && probe.items[0].0.is_multiple_of(3);
    let driver = Driver::run(study, faults, &mut |_, probe| {
        let answer = SendResult::Accepted { platform_id: None };
        if slow(probe) {
            Reaction { answer: Some((Duration::from_secs(4), answer)), arrival: Some(Duration::from_secs(5)) }
        } else {
            well()
        }
    });
    assert_eq!(driver.engine.stopped(), Some(StopReason::Sanction));
    assert!(!driver.verdicts().contains_key(&Verdict::Dropped));
    let evidence = driver.engine.evidence();
    assert!(evidence.probes().iter().all(|record| record.send_state.is_some()), "an answer was not waited for");
    assert!(evidence.outcomes().all(|row| row.outcome != lacuna_model::Outcome::Dropped), "{:?}", driver.verdicts());
}

#[test]
fn many_questions_of_a_lost_sender_are_handed_over_quickly() {
    // The cost of a step does not grow with the queue.
    let sanction = Fact::AccountState { account: AccountIx(0), condition: AccountCondition::Sanctioned, detail: String::new() };
    let driver = Driver::run(study(40_000, 1_000_000), vec![(Duration::from_millis(100), sanction)], &mut |_, _| well());
    assert_eq!(driver.verdicts(), BTreeMap::from([(Verdict::Delivered, 40_000)]));
}
