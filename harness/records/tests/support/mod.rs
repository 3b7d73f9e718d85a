//! A small study, and strategies for the entries of its journals.
#![allow(dead_code, reason = "each test binary uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here is a failure of the test")]

pub mod texts;

use std::sync::Arc;

use lacuna_model::study::{DecisionRule, DesignKind, Pacing, Pooling, Prior, Safety, TextRules, Watch};
use lacuna_model::{
    Account, AccountCondition, AccountIx, Arm, ArmIx, Build, Channel, ChannelIx, ContentKind, Cursor, Deadline, Decision,
    Duration, Entry, Excerpt, Fact, FileFacts, FileFormat, Invocation, Item, ItemIx, Observation, ObservationKind,
    PlatformMessageId, Probe, ProbeId, Purpose, ReceivedFile, Recognised, Role, RunId, SearchIx, SearchPlan, SendResult, Signal,
    Source, StopReason, Study, Timestamp, Venue, VenueIx, VenueKind,
};
use lacuna_records::journal::{Encoder, Header, InputHash};
use proptest::prelude::*;

/// 2016-11-30T08:00:00Z
pub const START: Timestamp = Timestamp(1_480_492_800_000_000);

pub fn study() -> Study {
    let account = |id: &str, registered_in: &str, located_in: &str, client: Option<&str>| Account {
        id: id.into(),
        registered_in: registered_in.parse().unwrap(),
        located_in: located_in.parse().unwrap(),
        client: client.map(str::to_owned),
    };
    let item = |id: &str, role, message: &str| Item {
        id: id.into(),
        role,
        kind: ContentKind::Text,
        file: None,
        message: message.into(),
        category: "politics".to_owned(),
        language: "zh-CN".to_owned(),
        prior: Prior::default(),
    };
    Study {
        name: "example".to_owned(),
        question: "Which of these vanish on the way to accounts registered in CN?".to_owned(),
        design: DesignKind::Screen,
        seed: 20_161_130,
        adapter: "simulator".to_owned(),
        accounts: vec![
            account("intl-a", "CA", "CA", Some("test client, 1.0")),
            account("cn-a", "CN", "CN", None),
            account("intl-b", "CA", "DE", None),
        ],
        venues: vec![
            Venue {
                id: "group:g".into(),
                kind: VenueKind::Group,
                members: vec![AccountIx(0), AccountIx(1), AccountIx(2)],
                existing: None,
            },
            Venue {
                id: "direct:cn-a:intl-a".into(),
                kind: VenueKind::Direct,
                members: vec![AccountIx(0), AccountIx(1)],
                existing: Some("room \"7\"".to_owned()),
            },
        ],
        arms: vec![
            Arm {
                id: "g".into(),
                venue: VenueKind::Group,
                senders: vec![AccountIx(0)],
                recipients: vec![AccountIx(1), AccountIx(2)],
                channels: vec![ChannelIx(0)],
            },
            Arm {
                id: "d".into(),
                venue: VenueKind::Direct,
                senders: vec![AccountIx(0)],
                recipients: vec![AccountIx(1)],
                channels: vec![ChannelIx(1)],
            },
        ],
        channels: vec![
            Channel { arm: ArmIx(0), sender: AccountIx(0), venue: VenueIx(0), recipients: vec![AccountIx(1), AccountIx(2)] },
            Channel { arm: ArmIx(1), sender: AccountIx(0), venue: VenueIx(1), recipients: vec![AccountIx(1)] },
        ],
        items: vec![
            item("quickstart/1", Role::Candidate, "新疆 集中营"),
            item("quickstart/2", Role::Candidate, "=cmd, \"quoted\"\nand a new line"),
            item("controls/1", Role::Control, "今天天气很好"),
        ],
        text: TextRules::default(),
        decision: DecisionRule {
            false_positive_rate: 0.001,
            false_discovery_rate: 0.012_345_678_901_234_567,
            max_probes_per_item: 12,
            pooling: Pooling::Off,
            replicates: None,
        },
        watch: Watch { grace: None, late: Duration::from_secs(10), bracket_messages: 4 },
        pacing: Pacing { min_gap: Duration::ZERO, in_flight: 1, confirm_after: Duration::ZERO, cool_off: Duration::ZERO },
        safety: Safety { max_messages: 5_000, max_messages_per_account_per_day: 500, stop_after_sanctions: 1 },
        isolation: None,
        mechanism: None,
        exposure: None,
        corpora: Vec::new(),
        earlier: None,
    }
}

pub fn header() -> Header {
    Header {
        run_id: RunId::new("20161130T080000Z-1"),
        engine_version: 1,
        lacuna_version: "0.1.0".to_owned(),
        build: None,
        overrides: None,
        opened_at: START,
        study: Arc::new(study()),
        inputs: vec![
            InputHash { kind: "experiment".to_owned(), path: "example.toml".to_owned(), sha256: "00".repeat(32) },
            InputHash { kind: "corpus".to_owned(), path: "../corpora/quickstart".to_owned(), sha256: "ab".repeat(32) },
        ],
        deviation: None,
    }
}

fn build(commit: &str) -> Build {
    Build {
        source: Some(Source { commit: commit.repeat(10), changed: commit == "c0de" }),
        rustc: "1.95.0 (0123abcde 2026-04-14)".to_owned(),
        target: "x86_64-unknown-linux-gnu".to_owned(),
    }
}

/// As [`header`], of a run with overrides.
pub fn header_with_build() -> Header {
    let overrides = ["watch.late=10s", "account.intl-a.secret=env:INTL_A", "question=\"哪些?\"", "seed=20161130"];
    Header { build: Some(build("c0de")), overrides: Some(overrides.map(str::to_owned).to_vec()), ..header() }
}

/// As [`example_entries`], of a run that another build went on with, and then one of which nothing is known.
pub fn resumed_entries() -> Vec<Entry> {
    let by = Invocation { lacuna_version: "0.2.0".to_owned(), build: Some(build("beef")), overrides: Vec::new() };
    let resumed = Fact::EpochOpened { epoch: 1, sent_today: vec![1, 3, 100], resumed_by: Some(Arc::new(by)) };
    let mut entries = example_entries();
    entries.extend([Entry::Fact(resumed), epoch(2)]);
    entries
}

fn invocation() -> impl Strategy<Value = Invocation> {
    let source = (text(), any::<bool>()).prop_map(|(commit, changed)| Source { commit, changed });
    let build =
        (proptest::option::of(source), text(), text()).prop_map(|(source, rustc, target)| Build { source, rustc, target });
    (text(), proptest::option::of(build), proptest::collection::vec(text(), 0..3))
        .prop_map(|(lacuna_version, build, overrides)| Invocation { lacuna_version, build, overrides })
}

pub fn epoch(epoch: u32) -> Entry {
    Entry::Fact(Fact::EpochOpened { epoch, sent_today: vec![0, 3, u64::from(epoch) * 100], resumed_by: None })
}

pub fn planned(id: u64, channel: u16, role: Role, items: &[u32]) -> Entry {
    Entry::Decision(Decision::ProbePlanned(Probe {
        id: ProbeId(id),
        channel: ChannelIx(channel),
        role,
        purpose: if role == Role::Control { Purpose::Bracket } else { Purpose::Screen },
        attempt: 1,
        items: items.iter().copied().map(ItemIx).collect(),
        carrier: None,
        excerpt: None,
    }))
}

pub fn started(id: u64, text: &str) -> Entry {
    Entry::Fact(Fact::SendStarted { probe: ProbeId(id), text: text.into() })
}

pub fn result(id: u64, result: SendResult) -> Entry {
    Entry::Fact(Fact::SendResult { probe: ProbeId(id), result })
}

pub fn accepted(platform_id: &str) -> SendResult {
    SendResult::Accepted { platform_id: Some(PlatformMessageId(platform_id.into())) }
}

pub fn observed(recipient: u16, venue: u16, platform_id: &str, text: &str) -> Entry {
    Entry::Fact(Fact::Observed(Observation {
        recipient: AccountIx(recipient),
        sender: Some(AccountIx(0)),
        venue: Some(VenueIx(venue)),
        kind: ObservationKind::Message,
        platform_id: Some(PlatformMessageId(platform_id.into())),
        text: Some(text.into()),
        file: None,
        cursor: Some(Cursor(platform_id.into())),
    }))
}

/// A short run in which a bit of everything happens: every kind of entry, every kind of result.
pub fn example_entries() -> Vec<Entry> {
    let state = |account, condition, detail: &str| {
        Entry::Fact(Fact::AccountState { account: AccountIx(account), condition, detail: detail.to_owned() })
    };
    let deadline = |deadline| Entry::Fact(Fact::DeadlinePassed(deadline));
    let stranger = Observation {
        recipient: AccountIx(1),
        sender: None,
        venue: None,
        kind: ObservationKind::Message,
        platform_id: None,
        text: None,
        file: None,
        cursor: Some(Cursor("9".into())),
    };
    let retraction = Observation {
        recipient: AccountIx(2),
        sender: Some(AccountIx(0)),
        venue: Some(VenueIx(0)),
        kind: ObservationKind::Retraction,
        platform_id: Some(PlatformMessageId("m2".into())),
        text: None,
        file: None,
        cursor: None,
    };
    vec![
        state(0, AccountCondition::Connected, ""),
        state(1, AccountCondition::Connected, "again, after \"503\""),
        epoch(0),
        planned(0, 0, Role::Control, &[2]),
        started(0, "今天天气很好"),
        result(0, accepted("m1")),
        observed(1, 0, "m1", "今天天气很好"),
        observed(2, 0, "m1", "今天天气很好"),
        planned(1, 0, Role::Candidate, &[0]),
        started(1, "新疆 集中营"),
        result(1, accepted("m2")),
        observed(2, 0, "m2", "新疆 集中营"),
        planned(2, 0, Role::Control, &[2]),
        started(2, "今天天气很好"),
        result(2, SendResult::Accepted { platform_id: None }),
        observed(1, 0, "m3", "今天天气很好"),
        observed(2, 0, "m3", "今天天气很好"),
        deadline(Deadline::Grace { probe: ProbeId(1), recipient: AccountIx(1) }),
        deadline(Deadline::Patience { channel: ChannelIx(1) }),
        deadline(Deadline::Wake { account: AccountIx(0) }),
        planned(3, 1, Role::Candidate, &[1]),
        started(3, "=cmd, \"quoted\"\nand a new line"),
        result(3, SendResult::Refused { notice: "-not allowed".to_owned() }),
        planned(4, 1, Role::Candidate, &[0, 1]),
        started(4, "新疆 集中营 =cmd"),
        result(4, SendResult::RateLimited { retry_after: Duration::from_millis(1_500) }),
        planned(5, 1, Role::Candidate, &[0]),
        started(5, "新疆 集中营"),
        result(5, SendResult::NotSent { error: "connection refused".to_owned() }),
        planned(6, 1, Role::Candidate, &[0]),
        started(6, "新疆 集中营"),
        result(6, SendResult::Unknown { error: "the connection was lost".to_owned() }),
        Entry::Fact(Fact::Observed(stranger)),
        Entry::Fact(Fact::Observed(retraction)),
        Entry::Fact(Fact::Gap { account: AccountIx(1), detail: "the server lost its memory".to_owned() }),
        state(2, AccountCondition::Disconnected, "\u{0}\u{1f}\u{7f}\u{2028}\\"),
        state(0, AccountCondition::Sanctioned, "suspended"),
        planned(7, 1, Role::Candidate, &[1]),
        started(7, "=cmd, \"quoted\"\nand a new line"),
        Entry::Fact(Fact::StopRequested),
        Entry::Decision(Decision::Stopped { reason: StopReason::Requested }),
        deadline(Deadline::Listen),
    ]
}

/// The bytes of a journal with these entries, one each 1,001 microseconds, sealed with `exit_code` if there is one.
pub fn journal(entries: &[Entry], exit_code: Option<u8>) -> Vec<u8> {
    journal_of(&header(), entries, exit_code)
}

/// The same behind another first line.
pub fn journal_of(header: &Header, entries: &[Entry], exit_code: Option<u8>) -> Vec<u8> {
    let (mut encoder, mut bytes) = Encoder::new(header);
    let mut at = START;
    for entry in entries {
        at = at + Duration(1_001);
        encoder.append(at, entry, &mut bytes);
    }
    if let Some(exit_code) = exit_code {
        encoder.seal(at + Duration(5), exit_code, &mut bytes);
    }
    bytes
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[\"\\\\\u{0}-\u{1f}新,=\u{2028}]{0,12}", Just(String::new())]
}

fn name() -> impl Strategy<Value = Option<Arc<str>>> {
    proptest::option::of(text().prop_map(Arc::from))
}

fn send_result() -> impl Strategy<Value = SendResult> {
    prop_oneof![
        name().prop_map(|id| SendResult::Accepted { platform_id: id.map(PlatformMessageId) }),
        text().prop_map(|notice| SendResult::Refused { notice }),
        any::<i64>().prop_map(|us| SendResult::RateLimited { retry_after: Duration(us) }),
        text().prop_map(|error| SendResult::NotSent { error }),
        text().prop_map(|error| SendResult::Unknown { error }),
    ]
}

fn received_file() -> impl Strategy<Value = ReceivedFile> {
    let recognised = (0u32..3, proptest::option::of(any::<u32>()));
    let sides = (proptest::option::of(any::<u32>()), proptest::option::of(any::<u32>()));
    (text(), proptest::sample::select(FileFormat::ALL.to_vec()), any::<u64>(), sides, name(), proptest::option::of(recognised))
        .prop_map(|(name, format, bytes, (width, height), perceptual_hash, recognised)| ReceivedFile {
            facts: FileFacts {
                name: name.into(),
                format,
                bytes,
                md5: "d41d8cd98f00b204e9800998ecf8427e".into(),
                sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into(),
                width,
                height,
                perceptual_hash,
            },
            recognised: recognised.map(|(item, distance)| Recognised { item: ItemIx(item), distance }),
        })
}

fn observation() -> impl Strategy<Value = Observation> {
    let kind = prop_oneof![
        Just(ObservationKind::Message),
        Just(ObservationKind::Edit),
        Just(ObservationKind::Retraction),
        Just(ObservationKind::Notice),
        Just(ObservationKind::Echo)
    ];
    let place = (0u16..3, proptest::option::of(0u16..3), proptest::option::of(0u16..2));
    (place, kind, name(), name(), proptest::option::of(received_file()), name()).prop_map(
        |((recipient, sender, venue), kind, platform_id, text, file, cursor)| Observation {
            recipient: AccountIx(recipient),
            sender: sender.map(AccountIx),
            venue: venue.map(VenueIx),
            kind,
            platform_id: platform_id.map(PlatformMessageId),
            text,
            file,
            cursor: cursor.map(Cursor),
        },
    )
}

/// A search in any items of the study, for a recipient of the arm.
fn search_plan() -> impl Strategy<Value = SearchPlan> {
    let known = proptest::collection::vec(proptest::collection::vec(text().prop_map(Arc::from), 0..3), 0..3);
    let items = proptest::collection::vec((0u32..3).prop_map(ItemIx), 1..4);
    let path = prop_oneof![Just((0, 1)), Just((0, 2)), Just((1, 1))];
    (path, items, proptest::sample::select(Signal::ALL), any::<u32>(), any::<i64>(), known).prop_map(
        |((arm, recipient), items, signal, loss_ppm, settle, known)| SearchPlan {
            search: SearchIx(0),
            items,
            arm: ArmIx(arm),
            recipient: AccountIx(recipient),
            signal,
            loss_ppm,
            settle: Duration(settle),
            known,
        },
    )
}

/// One entry; the numbers of probes and searches are any, [`entries`] puts them in order.
fn entry() -> impl Strategy<Value = Entry> {
    let account = (0u16..3).prop_map(AccountIx);
    let channel = (0u16..2).prop_map(ChannelIx);
    let probe = any::<u64>().prop_map(ProbeId);
    let condition =
        prop_oneof![Just(AccountCondition::Connected), Just(AccountCondition::Disconnected), Just(AccountCondition::Sanctioned)];
    let deadline = prop_oneof![
        (probe.clone(), account.clone()).prop_map(|(probe, recipient)| Deadline::Grace { probe, recipient }),
        (probe.clone(), account.clone()).prop_map(|(probe, recipient)| Deadline::Settle { probe, recipient }),
        channel.clone().prop_map(|channel| Deadline::Patience { channel }),
        account.clone().prop_map(|account| Deadline::Wake { account }),
        Just(Deadline::Listen),
    ];
    let reason = prop_oneof![
        Just(StopReason::Finished),
        Just(StopReason::Requested),
        Just(StopReason::MessageBudget),
        Just(StopReason::DailyBudget),
        Just(StopReason::Sanction),
        Just(StopReason::NoPathAlive)
    ];
    let role = prop_oneof![Just(Role::Control), Just(Role::Candidate), Just(Role::Canary)];
    let planned = (
        channel,
        role,
        proptest::sample::select(Purpose::ALL),
        any::<u32>(),
        proptest::collection::vec(0u32..3, 0..4),
        proptest::option::of(0u32..3),
    )
        .prop_map(|(channel, role, purpose, attempt, items, carrier)| Probe {
            id: ProbeId(0),
            channel,
            role,
            purpose,
            attempt,
            items: items.into_iter().map(ItemIx).collect(),
            carrier: carrier.map(ItemIx),
            excerpt: None,
        });
    let fragment = prop_oneof![(0u32..24, 1u32..24), (any::<u32>(), 1u32..)].prop_map(|(start, length)| {
        let start = start.min(u32::MAX - 1);
        start..start.saturating_add(length)
    });
    let excerpt = (any::<u32>(), proptest::collection::vec(fragment, 0..4))
        .prop_map(|(search, fragments)| Excerpt { search: SearchIx(search), fragments });
    let asked = (planned.clone(), excerpt).prop_map(|(probe, excerpt)| Probe { excerpt: Some(excerpt), ..probe });
    prop_oneof![
        (any::<u32>(), proptest::collection::vec(any::<u64>(), 3), proptest::option::of(invocation())).prop_map(
            |(epoch, sent_today, by)| Entry::Fact(Fact::EpochOpened { epoch, sent_today, resumed_by: by.map(Arc::new) })
        ),
        (probe.clone(), text()).prop_map(|(probe, text)| Entry::Fact(Fact::SendStarted { probe, text: text.into() })),
        (probe, send_result()).prop_map(|(probe, result)| Entry::Fact(Fact::SendResult { probe, result })),
        observation().prop_map(|observation| Entry::Fact(Fact::Observed(observation))),
        (account.clone(), condition, text()).prop_map(|(account, condition, detail)| Entry::Fact(Fact::AccountState {
            account,
            condition,
            detail
        })),
        deadline.prop_map(|deadline| Entry::Fact(Fact::DeadlinePassed(deadline))),
        (account, text()).prop_map(|(account, detail)| Entry::Fact(Fact::Gap { account, detail })),
        Just(Entry::Fact(Fact::StopRequested)),
        planned.prop_map(|probe| Entry::Decision(Decision::ProbePlanned(probe))),
        asked.prop_map(|probe| Entry::Decision(Decision::ProbePlanned(probe))),
        search_plan().prop_map(|plan| Entry::Decision(Decision::SearchBegun(plan))),
        reason.prop_map(|reason| Entry::Decision(Decision::Stopped { reason })),
    ]
}

/// Entries as a journal may hold them: probes are planned and searches begun in order, and nothing is said of one before.
pub fn entries(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Entry>> {
    proptest::collection::vec(entry(), length).prop_map(|mut entries| {
        let (mut planned, mut begun) = (0, 0);
        entries.retain_mut(|entry| match entry {
            Entry::Decision(Decision::ProbePlanned(probe)) => {
                if let Some(excerpt) = &mut probe.excerpt {
                    excerpt.search.0 = excerpt.search.0.checked_rem(begun).unwrap_or(0);
                    if begun == 0 {
                        return false;
                    }
                }
                probe.id = ProbeId(planned);
                planned += 1;
                true
            }
            Entry::Decision(Decision::SearchBegun(plan)) => {
                plan.search = SearchIx(begun);
                begun += 1;
                true
            }
            Entry::Fact(
                Fact::SendStarted { probe, .. }
                | Fact::SendResult { probe, .. }
                | Fact::DeadlinePassed(Deadline::Grace { probe, .. } | Deadline::Settle { probe, .. }),
            ) => {
                probe.0 = probe.0.checked_rem(planned).unwrap_or(0);
                planned > 0
            }
            _ => true,
        });
        entries
    })
}
