#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use lacuna_inference::isolation::Status;
use lacuna_model::study::{DecisionRule, DesignKind, Pacing, Pooling, Prior, Safety, TextRules, Watch};
use lacuna_model::{Account, AccountIx, Arm, ArmIx, ContentKind, Duration, Item, ItemIx, Role, VenueKind};

use super::*;

const TEXT: &str = "a新疆b的集中营é,群发机 再教育";

fn study() -> Study {
    let account = |id: &str| Account {
        id: id.into(),
        registered_in: "CN".parse().unwrap(),
        located_in: "CN".parse().unwrap(),
        client: None,
    };
    let item = |id: &str, message: &str| Item {
        id: id.into(),
        role: Role::Candidate,
        kind: ContentKind::Text,
        file: None,
        message: message.into(),
        category: String::new(),
        language: String::new(),
        prior: Prior::default(),
    };
    Study {
        name: "example".to_owned(),
        question: String::new(),
        design: DesignKind::Isolate,
        seed: 0,
        adapter: "simulator".to_owned(),
        accounts: vec![account("a"), account("b")],
        venues: Vec::new(),
        arms: vec![Arm {
            id: "g".into(),
            venue: VenueKind::Group,
            senders: vec![AccountIx(0)],
            recipients: vec![AccountIx(1)],
            channels: Vec::new(),
        }],
        channels: Vec::new(),
        items: vec![item("news/1", TEXT), item("news/2", "=b")],
        text: TextRules::default(),
        decision: DecisionRule {
            false_positive_rate: 0.001,
            false_discovery_rate: 0.01,
            max_probes_per_item: 12,
            pooling: Pooling::Off,
            replicates: None,
        },
        watch: Watch { grace: None, late: Duration::ZERO, bracket_messages: 4 },
        pacing: Pacing { min_gap: Duration::ZERO, in_flight: 1, confirm_after: Duration::ZERO, cool_off: Duration::ZERO },
        safety: Safety { max_messages: 1, max_messages_per_account_per_day: 1, stop_after_sanctions: 1 },
        isolation: None,
        mechanism: None,
        exposure: None,
        corpora: Vec::new(),
        earlier: None,
    }
}

fn place(part: &str) -> Range<usize> {
    let start = TEXT.find(part).unwrap();
    start..start + part.len()
}

fn rule(components: &[&str], matching: Matching, certified: bool) -> RuleRecord {
    RuleRecord {
        components: components.iter().map(|part| place(part)).collect(),
        unless: Vec::new(),
        matching,
        signal: Signal::Dropped,
        alone: 4,
        blocked_alone: 3,
        e_value: Some(12_345.678),
        certified,
        rounds: 9,
    }
}

fn record(items: &[u32], rules: Vec<RuleRecord>) -> TextRecord {
    TextRecord {
        items: items.iter().copied().map(ItemIx).collect(),
        arm: ArmIx(0),
        recipient: AccountIx(1),
        text: Arc::from(TEXT),
        signal: Signal::Refused,
        status: Some(Status::Complete),
        rules,
        candidate: Vec::new(),
        window: None,
        non_monotone: false,
        messages: 31,
        rounds: 27,
    }
}

/// The cells of each row, from `signal` on, behind the item.
fn shown(records: &[(TextRecord, Option<u32>)]) -> String {
    let (study, table) = (study(), rules());
    let header: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let mut lines = vec![header.join(",")];
    for (record, combination) in records {
        let of = SearchedText { study: &study, record, combination: *combination, first_probe: Some(ProbeId(7)) };
        for row in RuleRow::rows(of) {
            let cells: Vec<String> = table.columns.iter().map(|column| (column.cell)(&row).as_str().to_owned()).collect();
            lines.push(cells.join(","));
        }
    }
    lines.join("\n")
}

#[test]
fn a_component_a_row_and_what_is_left_open() {
    let mut lifted = rule(&["集中营", "新疆"], Matching::Ordered, true);
    lifted.unless = vec![vec![place("群发机"), place("é")], vec![place("b")]];
    let mut told = rule(&["再教育"], Matching::Adjacent, false);
    (told.signal, told.e_value) = (Signal::Altered, None);
    let mut open = record(&[0], vec![rule(&["新疆", "再教育"], Matching::Unknown, true)]);
    (open.window, open.candidate) = (Some(place("的集中营é")), vec![place("集"), place("é")]);
    let mut not_searched = record(&[0], Vec::new());
    (not_searched.window, not_searched.status) = (Some(0..TEXT.len()), None);
    (not_searched.messages, not_searched.rounds) = (0, 0);
    let combination = record(&[0, 1], vec![rule(&["新疆"], Matching::AnyOrder, true)]);
    let nothing_left = record(&[0], Vec::new());
    insta::assert_snapshot!(shown(&[
        (record(&[0], vec![lifted, told]), None),
        (open, None),
        (not_searched, None),
        (combination, Some(3)),
        (nothing_left, None),
    ]));
}

#[test]
fn a_rule_has_one_id_in_every_text() {
    // Sorted, with the separator between them.
    assert_eq!(rule_id(["ab", "b"]), sha256_hex(b"ab\x1fb")[..12]);
    assert_eq!(rule_id(["b", "ab"]), rule_id(["ab", "b"]));
    assert_ne!(rule_id(["a", "bb"]), rule_id(["ab", "b"]));
    assert_ne!(rule_id(["abb"]), rule_id(["ab", "b"]));
}

#[test]
fn places_are_counted_in_characters_and_only_where_there_are_some() {
    assert_eq!(characters(TEXT, &place("新疆")), Some(1..3));
    assert_eq!(characters(TEXT, &place("é")), Some(8..9));
    assert_eq!(characters(TEXT, &(0..TEXT.len())), Some(0..TEXT.chars().count()));
    for nowhere in [2..4, 0..2, TEXT.len()..TEXT.len() + 1, usize::MAX - 1..usize::MAX] {
        assert_eq!(characters(TEXT, &nowhere), None, "{nowhere:?}");
    }
}
