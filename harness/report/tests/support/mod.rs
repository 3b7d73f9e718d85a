//! A small world to report on: a study, and a run of it told message by message.
#![allow(dead_code, reason = "each test binary uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here is a failure of the test")]

use std::sync::Arc;

use lacuna_inference::conclusion::{Conclusion, conclude};
use lacuna_inference::evidence::Evidence;
use lacuna_model::study::{DecisionRule, DesignKind, Pacing, Pooling, Prior, Safety, TextRules, Watch};
use lacuna_model::{
    Account, AccountCondition, AccountIx, Arm, ArmIx, Build, Channel, ChannelIx, ContentKind, Deadline, Decision, Duration,
    Entry, EntrySequence, Fact, Item, ItemIx, Observation, ObservationKind, PlatformMessageId, Probe, ProbeId, Purpose, Role,
    RunId, SendResult, Source, StopReason, Study, Timestamp, Venue, VenueIx, VenueKind,
};
use lacuna_report::pictures::Pictures;
use lacuna_report::{Deviation, Input, Registration, Report, Run, report};

/// 2016-11-30T08:00:00Z
pub const START: Timestamp = Timestamp(1_480_492_800_000_000);

/// The recipients of every arm: one registered in CN, one in DE.
pub const RECIPIENTS: [AccountIx; 2] = [AccountIx(1), AccountIx(2)];

pub fn item(id: &str, role: Role, category: &str, message: &str) -> Item {
    Item {
        id: id.into(),
        role,
        kind: ContentKind::Text,
        file: None,
        message: message.into(),
        category: category.to_owned(),
        language: String::new(),
        prior: Prior::default(),
    }
}

/// One group for each arm, the same sender, two recipients.
pub fn study(items: Vec<Item>, arms: u16) -> Study {
    let account = |id: &str, region: &str| Account {
        id: id.into(),
        registered_in: region.parse().unwrap(),
        located_in: region.parse().unwrap(),
        client: None,
    };
    let members = vec![AccountIx(0), AccountIx(1), AccountIx(2)];
    Study {
        name: "example".to_owned(),
        question: "Which of these vanish on the way to accounts registered in CN?".to_owned(),
        design: DesignKind::Screen,
        seed: 20_161_130,
        adapter: "simulator".to_owned(),
        accounts: vec![account("intl-a", "CA"), account("cn-a", "CN"), account("intl-b", "DE")],
        venues: (0..arms)
            .map(|arm| Venue {
                id: format!("group:{arm}").as_str().into(),
                kind: VenueKind::Group,
                members: members.clone(),
                existing: None,
            })
            .collect(),
        arms: (0..arms)
            .map(|arm| Arm {
                id: format!("group-{}", arm + 1).as_str().into(),
                venue: VenueKind::Group,
                senders: vec![AccountIx(0)],
                recipients: RECIPIENTS.to_vec(),
                channels: vec![ChannelIx(arm)],
            })
            .collect(),
        channels: (0..arms)
            .map(|arm| Channel { arm: ArmIx(arm), sender: AccountIx(0), venue: VenueIx(arm), recipients: RECIPIENTS.to_vec() })
            .collect(),
        items,
        text: TextRules::default(),
        decision: DecisionRule {
            false_positive_rate: 0.001,
            false_discovery_rate: 0.01,
            max_probes_per_item: 12,
            pooling: Pooling::Off,
            replicates: None,
        },
        watch: Watch { grace: Some(Duration::from_secs(2)), late: Duration::from_secs(10), bracket_messages: 4 },
        pacing: Pacing { min_gap: Duration::ZERO, in_flight: 1, confirm_after: Duration::ZERO, cool_off: Duration::ZERO },
        safety: Safety { max_messages: 5_000, max_messages_per_account_per_day: 500, stop_after_sanctions: 1 },
        isolation: None,
        mechanism: None,
        exposure: None,
        corpora: Vec::new(),
        earlier: None,
    }
}

/// What becomes of a message at a recipient.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Arrives,
    Vanishes,
    Altered,
}

/// A run, told message by message.
pub struct Story {
    pub evidence: Evidence,
    pub events: Vec<(Timestamp, Entry)>,
    /// What files look like.
    pub pictures: Pictures,
    now: Timestamp,
    sequence: u64,
    /// Steers delays: the same story has the same.
    turn: u64,
}

impl Story {
    pub fn of(study: Study) -> Self {
        let mut story = Self {
            evidence: Evidence::new(Arc::new(study)),
            events: Vec::new(),
            pictures: Pictures::new(),
            now: START,
            sequence: 0,
            turn: 1,
        };
        let accounts = story.evidence.study().accounts.len();
        story.tell(Entry::Fact(Fact::EpochOpened { epoch: 0, sent_today: vec![0; accounts], resumed_by: None }));
        story
    }

    pub fn tell(&mut self, entry: Entry) {
        self.now = self.now + Duration::from_millis(7);
        let event = !matches!(
            &entry,
            Entry::Fact(Fact::SendStarted { .. } | Fact::SendResult { .. } | Fact::Observed(_) | Fact::DeadlinePassed(_))
                | Entry::Decision(Decision::ProbePlanned(_))
        );
        self.evidence.apply(EntrySequence(self.sequence), self.now, &entry, &mut Vec::new());
        self.sequence += 1;
        if event {
            self.events.push((self.now, entry));
        }
    }

    pub fn wait(&mut self, length: Duration) {
        self.now = self.now + length;
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// One message of one item, and what becomes of it at each recipient.
    pub fn send(&mut self, arm: u16, item: ItemIx, fates: [Fate; 2]) -> ProbeId {
        let id = ProbeId(self.evidence.probes().len() as u64);
        let role = self.evidence.study().item(item).role;
        let purpose = if role == Role::Control { Purpose::Bracket } else { Purpose::Screen };
        let probe =
            Probe { id, channel: ChannelIx(arm), role, purpose, attempt: 1, items: vec![item], carrier: None, excerpt: None };
        let text = self.evidence.study().text_of(&probe);
        let platform_id = PlatformMessageId(format!("m{}", id.0).into());
        self.tell(Entry::Decision(Decision::ProbePlanned(probe)));
        self.tell(Entry::Fact(Fact::SendStarted { probe: id, text: Arc::clone(&text) }));
        let result = SendResult::Accepted { platform_id: Some(platform_id.clone()) };
        self.tell(Entry::Fact(Fact::SendResult { probe: id, result }));
        for (recipient, fate) in RECIPIENTS.into_iter().zip(fates) {
            // Delays of very different lengths, the same in every run of the story.
            self.turn = self.turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let delay = 1 << (self.turn >> 61);
            self.wait(Duration::from_millis(delay * 3));
            let text = match fate {
                Fate::Vanishes => continue,
                Fate::Arrives => Arc::clone(&text),
                Fate::Altered => "***".into(),
            };
            self.tell(Entry::Fact(Fact::Observed(Observation {
                recipient,
                sender: Some(AccountIx(0)),
                venue: Some(VenueIx(arm)),
                kind: ObservationKind::Message,
                platform_id: Some(platform_id.clone()),
                text: Some(text),
                file: None,
                cursor: None,
            })));
        }
        id
    }

    /// A control, the item, a control; and then what is missing has had its grace.
    pub fn ask(&mut self, arm: u16, item: ItemIx, control: ItemIx, fates: [Fate; 2]) {
        self.send(arm, control, [Fate::Arrives; 2]);
        let probe = self.send(arm, item, fates);
        self.send(arm, control, [Fate::Arrives; 2]);
        self.grace(probe, fates);
    }

    pub fn grace(&mut self, probe: ProbeId, fates: [Fate; 2]) {
        for (recipient, fate) in RECIPIENTS.into_iter().zip(fates) {
            if fate == Fate::Vanishes {
                self.tell(Entry::Fact(Fact::DeadlinePassed(Deadline::Grace { probe, recipient })));
            }
        }
    }

    pub fn condition(&mut self, account: AccountIx, condition: AccountCondition, detail: &str) {
        self.tell(Entry::Fact(Fact::AccountState { account, condition, detail: detail.to_owned() }));
    }

    pub fn gap(&mut self, account: AccountIx) {
        self.tell(Entry::Fact(Fact::Gap { account, detail: "the server lost its memory".to_owned() }));
    }

    pub fn stop(&mut self, reason: StopReason) {
        self.tell(Entry::Decision(Decision::Stopped { reason }));
    }

    pub fn conclude(&self) -> Conclusion {
        conclude(&self.evidence)
    }

    /// The report of the story, with a lock from which it departs.
    pub fn report(&self, conclusion: &Conclusion, words: &str) -> Report {
        self.with_run(words, |run| report(run, &self.evidence, conclusion, &self.pictures))
    }

    /// The facts of the story's run, with a lock from which it departs.
    pub fn with_run<T>(&self, words: &str, then: impl FnOnce(&Run<'_>) -> T) -> T {
        let id = RunId::new("20161130T080000Z-1");
        let inputs = [Input { kind: "corpus", path: words, sha256: "ab" }];
        let deviation = Deviation { kind: "stopped early", subject: "run", detail: words };
        let registration = Registration { lock: words, sha256: "cd", reason: Some(words), deviations: vec![deviation] };
        let source = Some(Source { commit: words.to_owned(), changed: true });
        let build = Build { source, rustc: words.to_owned(), target: words.to_owned() };
        let overrides = ["seed=7".to_owned(), words.to_owned()];
        let run = Run {
            id: &id,
            lacuna_version: "0.1.0",
            build: Some(&build),
            overrides: Some(&overrides),
            engine_version: 1,
            projection_version: 3,
            opened_at: START,
            sealed_at: Some(self.now + Duration::from_secs(10)),
            journal_hash: "0123456789abcdef0123456789abcdef",
            inputs: &inputs,
            registration: Some(&registration),
            events: &self.events,
        };
        then(&run)
    }
}

/// So many candidates in a few categories, every one in twenty blocked for the first recipient, two controls.
pub fn items(candidates: u32) -> Vec<Item> {
    const CATEGORIES: [&str; 5] = ["politics", "religion", "新闻", "weather", ""];
    let mut items: Vec<Item> = (0..candidates)
        .map(|nth| {
            let category = CATEGORIES[nth as usize % CATEGORIES.len()];
            item(&format!("words/{nth}"), Role::Candidate, category, &format!("keyword number {nth} 关键词"))
        })
        .collect();
    items.push(item("controls/1", Role::Control, "", "今天天气很好"));
    items.push(item("controls/2", Role::Control, "", "the weather is fine today"));
    items
}

/// A run over these items on so many arms: blocked ones are asked three times more.
pub fn screened(items: Vec<Item>, arms: u16, is_blocked: impl Fn(usize, u16) -> bool) -> Story {
    let of_role = |role| items.iter().zip(0u32..).filter(move |(it, _)| it.role == role).map(|(_, index)| ItemIx(index));
    let candidates: Vec<ItemIx> = of_role(Role::Candidate).collect();
    let control = of_role(Role::Control).next().unwrap();
    let mut story = Story::of(study(items, arms));
    for round in 0..4 {
        for (nth, item) in candidates.iter().enumerate() {
            for arm in 0..arms {
                let blocked = is_blocked(nth, arm);
                if blocked || round == 0 {
                    let fates = [if blocked { Fate::Vanishes } else { Fate::Arrives }, Fate::Arrives];
                    story.ask(arm, *item, control, fates);
                }
            }
        }
    }
    story
}
