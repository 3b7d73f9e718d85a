//! What `lacuna compare` says of two runs between which the platform's rules changed, held against what did change.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_model::{ChangeKind, Role, Study, Unit, Verdict};
use lacuna_records::comparison::{Comparison, read};
use lacuna_records::predecessor::Predecessor;
use lacuna_runner::generated::{Changing, ChangingRules};
use lacuna_runner::truth::Truth;
use lacuna_runner::virtual_time::start_of;

use crate::invariants;
use crate::run::Run;

const SEEDS: u64 = 50;
const ITEMS: u32 = 300;
const WEEK: u64 = 7 * 86_400;
const ROLES: [Role; 3] = [Role::Control, Role::Candidate, Role::Canary];

/// Keeps a run beside the others of its experiment, under a name of its own.
fn keep(run: &Run, results: &Path) -> PathBuf {
    let folder = results.join(run.name().as_str());
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("journal.jsonl"), run.sealed_journal()).unwrap();
    folder
}

/// What the comparisons of all seeds come to.
#[derive(Default)]
struct Score {
    items: u32,
    items_found: u32,
    items_wrong: u32,
    /// Rows of units whose change is claimed, of the unit or of its item.
    rows: u32,
    rows_wrong: u32,
    units: u32,
    /// Units whose own change is certain.
    units_reported: u32,
    units_found: u32,
    messages: [u64; 2],
}

/// Compares two runs a week apart. `informed`: the second one knows the first.
fn compare(seed: u64, informed: bool, score: &mut Score) {
    let Changing { study, before, after, changed } = ChangingRules::new(seed, ITEMS).make();
    let results = tempfile::tempdir().unwrap();
    let first = Run::drive(&Arc::new(study.clone()), &before, &[]);
    let old = keep(&first, results.path());
    let mut later = Study { seed: seed + WEEK, ..study.clone() };
    if informed {
        let predecessor = Predecessor {
            written: PathBuf::from("runs"),
            runs: results.path().to_owned(),
            retest_above: 0.0,
            retest_sample: 0.0,
        };
        let now = start_of(later.seed);
        let found = predecessor.apply(&mut later, now);
        assert_eq!((found.inputs.len(), found.warnings), (1, Vec::<String>::new()), "seed {seed}");
    }
    let later = Arc::new(later);
    let second = Run::drive(&later, &after, &[]);
    assert_eq!(invariants::broken(&second), [""; 0], "seed {seed}");
    let new = keep(&second, results.path());
    score.messages[0] += first.messages(&ROLES);
    score.messages[1] += second.messages(&ROLES);

    let comparison = Comparison::of([new, old].iter().map(|run| read(run).unwrap().snapshot).collect()).unwrap();
    let (was, is) = (Truth::new(&study, &before), Truth::new(&later, &after));
    let mut named = BTreeSet::new();
    for record in &comparison.changes {
        let item =
            (0..).zip(&study.items).find(|(_, it)| it.id == record.unit.item).map(|(at, _)| lacuna_model::ItemIx(at)).unwrap();
        let arm =
            (0..).zip(&study.arms).find(|(_, it)| it.id == record.unit.path.arm).map(|(at, _)| lacuna_model::ArmIx(at)).unwrap();
        let accounts = (0..).zip(&study.accounts);
        let recipient = accounts
            .filter(|(_, it)| it.id == record.unit.path.recipient)
            .map(|(at, _)| lacuna_model::AccountIx(at))
            .next()
            .unwrap();
        let unit = Unit { item, arm, recipient };
        let expected = match (was.of(unit).verdict, is.of(unit).verdict) {
            (Verdict::Delivered, Verdict::Dropped) => ChangeKind::Blocked,
            (Verdict::Dropped, Verdict::Delivered) => ChangeKind::Unblocked,
            _ => ChangeKind::Unchanged,
        };
        let is_certain = !matches!(record.change, ChangeKind::Unchanged | ChangeKind::Undetermined | ChangeKind::NotComparable);
        score.units += u32::from(expected != ChangeKind::Unchanged);
        score.units_reported += u32::from(is_certain);
        score.units_found += u32::from(is_certain && record.change == expected);
        if record.is_claimed(comparison.false_discovery_rate) {
            named.insert(item);
            if record.apparent() != Some(expected) {
                score.rows_wrong += 1;
                println!("seed {seed}: {:?} is called {:?} instead of {expected}", record.unit, record.apparent());
            }
            score.rows += 1;
        }
    }
    score.items_wrong += u32::try_from(named.iter().filter(|item| !changed.contains(item)).count()).unwrap();
    score.items += u32::try_from(changed.len()).unwrap();
    score.items_found += u32::try_from(changed.iter().filter(|item| named.contains(item)).count()).unwrap();
}

#[test]
fn every_change_of_the_rules_is_reported_and_nothing_else() {
    for informed in [false, true] {
        let mut score = Score::default();
        for seed in 1..=SEEDS {
            compare(seed, informed, &mut score);
        }
        let Score { items, items_found, items_wrong, rows, rows_wrong, units, units_reported, units_found, messages } = score;
        println!(
            "the second run knows the first: {informed}; {SEEDS} seeds, {ITEMS} items: {items_found} of {items} changed items, {items_wrong} \
             others; {rows} rows, {rows_wrong} wrong; of {units} changed units {units_found} certain by themselves, and {} others; \
             messages of both runs {messages:?}",
            units_reported - units_found
        );
        assert_eq!(items, 15 * u32::try_from(SEEDS).unwrap());
        assert_eq!(items_found, items, "informed: {informed}");
        assert!(items_wrong * 100 <= items_found, "informed: {informed}: {items_wrong}");
        assert!(rows_wrong * 100 <= rows, "informed: {informed}: {rows_wrong} of {rows}");
        assert!(
            (units_reported - units_found) * 100 <= units_reported,
            "informed: {informed}: {units_found} of {units_reported}"
        );
    }
}
