//! Comparing runs: what is a change, what cannot be compared, and which run is compared with which.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::collections::BTreeMap;

use lacuna_inference::company::Company;
use lacuna_inference::comparison::{
    ArmFacts, ChangeRecord, Conditions, Facts, LEAK, Observed, Party, PathKey, Snapshot, State, UnitKey, changes, lifetimes,
    retest,
};
use lacuna_inference::loss::LossBaseline;
use lacuna_model::{AccountId, ArmId, ChangeKind, ChangeReason, ItemId, RunId, Timestamp, VenueKind, Verdict};

const DAY: i64 = 86_400_000_000;
const ITEMS: u32 = 40;
const LEVEL: f64 = 0.01;

fn party(id: &str) -> Party {
    Party { id: AccountId::from(id), registered_in: "CN".parse().unwrap(), located_in: "CN".parse().unwrap(), client: None }
}

fn path(arm: &str) -> PathKey {
    PathKey { arm: ArmId::from(arm), recipient: AccountId::from("cn-a") }
}

fn unit(item: u32, arm: &str) -> UnitKey {
    UnitKey { item: ItemId::new(format!("list/{item}")), path: path(arm) }
}

fn seen(verdict: Verdict, sends: u32, day: i64) -> Observed {
    let is = |it: Verdict| if verdict == it { sends } else { 0 };
    let dropped = is(Verdict::Dropped);
    Observed {
        verdict,
        delivered: is(Verdict::Delivered),
        late: is(Verdict::Delayed),
        dropped,
        company: Company::default(),
        was_due: true,
        ln_e: f64::from(dropped) * 4.0,
        first_sent_at: Some(Timestamp(day * DAY)),
        last_sent_at: Some(Timestamp(day * DAY)),
    }
}

/// A run on two arms in which everything is delivered.
fn quiet(day: i64) -> Snapshot {
    let arms = ["direct", "group"];
    let arm = |venue| ArmFacts {
        venue,
        senders: vec![party("intl-a")],
        recipient: party("cn-a"),
        controls: LossBaseline { sends: 100, losses: 1 },
        conditions: Conditions { loss: 0.02, late: 0.02, leak: LEAK },
    };
    Snapshot {
        run: RunId::new(format!("run-{day:03}")),
        engine_version: 1,
        adapter: "simulator".to_owned(),
        pools: true,
        opened_at: Timestamp(day * DAY),
        false_discovery_rate: LEVEL,
        items: (0..ITEMS)
            .map(|item| {
                let facts = Facts { message: format!("text {item}").into(), file: None, category: "a".to_owned() };
                (ItemId::new(format!("list/{item}")), facts)
            })
            .collect(),
        paths: BTreeMap::from([(path("direct"), arm(VenueKind::Direct)), (path("group"), arm(VenueKind::Group))]),
        units: arms
            .iter()
            .flat_map(|arm| (0..ITEMS).map(move |item| (unit(item, arm), seen(Verdict::Delivered, 2, day))))
            .collect(),
    }
}

fn with(mut run: Snapshot, states: &[(u32, &str, Observed)]) -> Snapshot {
    for (item, arm, observed) in states {
        run.units.insert(unit(*item, arm), observed.clone());
    }
    run
}

fn of<'a>(records: &'a [ChangeRecord], item: u32, arm: &str) -> &'a ChangeRecord {
    records.iter().rev().find(|record| record.unit == unit(item, arm)).unwrap()
}

#[test]
fn changes_are_told_from_chance() {
    let dropped = |sends, day| seen(Verdict::Dropped, sends, day);
    let before =
        with(quiet(0), &[(1, "group", dropped(4, 0)), (2, "group", seen(Verdict::Refused, 1, 0)), (4, "group", dropped(4, 0))]);
    let after = with(
        quiet(7),
        &[
            (0, "group", dropped(4, 7)),
            (2, "group", seen(Verdict::Altered, 1, 7)),
            (3, "group", dropped(1, 7)),
            (4, "group", dropped(3, 7)),
        ],
    );
    let records = changes(&[before, after], LEVEL);
    assert_eq!(records.len(), 2 * ITEMS as usize);
    let said = |item| (of(&records, item, "group").change, of(&records, item, "group").reason);
    assert_eq!(said(0), (ChangeKind::Blocked, None));
    assert_eq!(said(1), (ChangeKind::Unblocked, None));
    assert_eq!(said(2), (ChangeKind::ChangedKind, None));
    // One drop is what loss does once in fifty sends.
    assert_eq!(said(3), (ChangeKind::Undetermined, Some(ChangeReason::TooLittleNow)));
    assert_eq!(of(&records, 3, "group").apparent(), Some(ChangeKind::Blocked));
    assert_eq!(said(4), (ChangeKind::Unchanged, None));
    let others = records.iter().filter(|it| it.change != ChangeKind::Unchanged).count();
    assert_eq!(others, 4);
    // What is claimed has a q-value at the level, and nothing else has.
    for record in &records {
        let is_change = matches!(record.change, ChangeKind::Blocked | ChangeKind::Unblocked | ChangeKind::ChangedKind);
        assert_eq!(is_change, record.q_value.is_some_and(|q_value| q_value <= LEVEL), "{record:?}");
    }
}

#[test]
fn runs_that_differ_in_more_than_time_are_not_compared() {
    let before = with(quiet(0), &[(1, "group", seen(Verdict::Dropped, 4, 0))]);
    let group = |change: fn(&mut ArmFacts)| {
        let mut after = quiet(7);
        change(after.paths.get_mut(&path("group")).unwrap());
        after
    };
    let cases: [(&str, Snapshot, ChangeReason); 8] = [
        ("engine", Snapshot { engine_version: 2, ..quiet(7) }, ChangeReason::EngineDiffers),
        ("adapter", Snapshot { adapter: "xmpp".to_owned(), ..quiet(7) }, ChangeReason::AdapterDiffers),
        ("client", group(|arm| arm.recipient.client = Some("9.0".to_owned())), ChangeReason::ClientDiffers),
        ("senders", group(|arm| arm.senders.push(party("intl-b"))), ChangeReason::ArmDiffers),
        ("region", group(|arm| arm.recipient.registered_in = "HK".parse().unwrap()), ChangeReason::ArmDiffers),
        ("loss", group(|arm| arm.controls = LossBaseline { sends: 100, losses: 30 }), ChangeReason::ControlLossDiffers),
        (
            "content",
            {
                let mut after = quiet(7);
                after.items.get_mut(&ItemId::from("list/1")).unwrap().message = "another text".into();
                after
            },
            ChangeReason::ContentDiffers,
        ),
        (
            "gone",
            {
                let mut after = quiet(7);
                after.units.remove(&unit(1, "group"));
                after
            },
            ChangeReason::NotInBoth,
        ),
    ];
    for (what, after, reason) in cases {
        let records = changes(&[before.clone(), after], LEVEL);
        let record = of(&records, 1, "group");
        assert_eq!((record.change, record.reason), (ChangeKind::NotComparable, Some(reason)), "{what}");
        assert!(!record.is_claimed(LEVEL), "{what}");
    }
    // A little more loss is not another platform.
    let records = changes(&[before, group(|arm| arm.controls = LossBaseline { sends: 100, losses: 5 })], LEVEL);
    assert_eq!(of(&records, 1, "group").change, ChangeKind::Unblocked);
}

#[test]
fn a_run_that_says_nothing_of_a_unit_is_looked_past() {
    let nothing = Observed { verdict: Verdict::Inconclusive, was_due: false, ..seen(Verdict::Inconclusive, 0, 7) };
    let runs =
        [with(quiet(0), &[(1, "group", seen(Verdict::Dropped, 4, 0))]), with(quiet(7), &[(1, "group", nothing)]), quiet(14)];
    let records = changes(&runs, LEVEL);
    let of_unit: Vec<_> = records.iter().filter(|record| record.unit == unit(1, "group")).collect();
    assert_eq!((of_unit[0].change, of_unit[0].reason), (ChangeKind::Undetermined, Some(ChangeReason::NotDue)));
    assert_eq!((of_unit[1].old, of_unit[1].new, of_unit[1].change), (0, 2, ChangeKind::Unblocked));
    // One interval of two weeks, in which it ended.
    let lives = lifetimes(&runs, &records, LEVEL);
    let blocked =
        lives.iter().find(|it| it.path == path("group") && it.category.is_none() && it.ended_by == ChangeKind::Unblocked);
    let blocked = blocked.unwrap();
    assert_eq!((blocked.intervals, blocked.ended), (1, 1));
    assert!((blocked.days - 14.0).abs() < 1e-9);
}

#[test]
fn items_that_change_often_are_due_sooner() {
    let state = |verdict, day| [(1, "group", seen(verdict, 4, day)), (1, "direct", seen(verdict, 4, day))];
    let runs = [
        with(quiet(0), &state(Verdict::Dropped, 0)),
        with(quiet(7), &state(Verdict::Delivered, 7)),
        with(quiet(14), &state(Verdict::Dropped, 14)),
        with(quiet(21), &state(Verdict::Delivered, 21)),
    ];
    let known = retest(&runs, Timestamp(28 * DAY));
    let (restless, quiet) = (known[&ItemId::from("list/1")], known[&ItemId::from("list/2")]);
    assert_eq!((restless.changes, quiet.changes), (3, 0));
    assert_eq!((restless.state, quiet.state), (State::Delivered, State::Delivered));
    assert!(restless.changed > 3.0 * quiet.changed, "{restless:?} {quiet:?}");
    assert!((restless.days - 7.0).abs() < 1e-9);
}

/// What shared its messages with something that lets it pass is dropped where it is asked alone, although nothing changed.
#[test]
fn what_arrived_in_company_alone_is_not_held_against_a_run_without_company() {
    let company = Company { arrived: true, missing: 0 };
    let together = Observed { company, ..seen(Verdict::Delivered, 0, 0) };
    let alone = Snapshot { pools: false, ..with(quiet(7), &[(1, "group", seen(Verdict::Dropped, 4, 7))]) };
    for (before, expected) in [
        (with(quiet(0), &[(1, "group", together)]), (ChangeKind::NotComparable, Some(ChangeReason::PoolingDiffers))),
        (quiet(0), (ChangeKind::Blocked, None)),
    ] {
        let records = changes(&[before, alone.clone()], LEVEL);
        let record = of(&records, 1, "group");
        assert_eq!((record.change, record.reason), expected);
        assert_eq!(record.is_claimed(LEVEL), expected.1.is_none());
    }
}

/// Against every hypothesis the e-value of the sends has an expectation of at most 1, whatever the true share is within it: summed over
/// all outcomes of so many sends, alone and in company.
#[test]
fn what_arrives_against_a_filter_is_an_e_value() {
    let conditions = Conditions { loss: 0.05, late: 0.1, leak: 0.01 };
    let chance = |arrived: u32, sends: u32, let_through: f64| {
        let choose = (0..arrived).fold(1.0, |product, k| product * f64::from(sends - k) / f64::from(k + 1));
        choose * f64::powi(let_through, arrived.cast_signed()) * f64::powi(1.0 - let_through, (sends - arrived).cast_signed())
    };
    for (alone, shared) in (0..=6u32).flat_map(|alone| (0..=4u32).map(move |shared| (alone, shared))) {
        for let_through in [0.0, 0.002, 0.01] {
            let mut expectation = 0.0;
            for (arrived, met) in (0..=alone).flat_map(|arrived| (0..=shared).map(move |met| (arrived, met))) {
                let company = Company { arrived: met > 0, missing: shared - met };
                let observed =
                    Observed { delivered: arrived, dropped: alone - arrived, company, ..seen(Verdict::Delivered, 0, 0) };
                expectation += chance(arrived, alone, let_through)
                    * chance(met, shared, let_through)
                    * observed.against(Verdict::Dropped, conditions).exp();
            }
            assert!(expectation <= 1.0 + 1e-9, "{alone} alone, {shared} shared, {let_through} let through: {expectation}");
        }
    }
}
