//! What is claimed where items were sent together, where a canary arrives, and where a filter acts on a part of the sends.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::sync::Arc;

use lacuna_inference::combinations;
use lacuna_inference::evidence::{Change, Evidence};
use lacuna_inference::tally::Tallies;
use lacuna_model::{AccountIx, ArmIx, ItemIx, Outcome, Purpose, Role, Study, Unit, Verdict};
use support::{CANDIDATES, CONTROLS, RECIPIENTS, at_minute, plan, study_of};

const TO: AccountIx = RECIPIENTS[0];
const CONTROL: u32 = CONTROLS.start;

struct Sends {
    study: Arc<Study>,
    evidence: Evidence,
    tallies: Tallies,
    minute: i64,
}

impl Sends {
    /// Six candidates and three controls for one recipient, and a path on which five hundred controls arrived.
    fn new(replicates: Option<u32>) -> Self {
        let mut study = Arc::unwrap_or_clone(study_of(CANDIDATES.len(), CONTROLS.len(), &RECIPIENTS[..1]));
        study.decision.replicates = replicates;
        let study = Arc::new(study);
        let (evidence, tallies) = (Evidence::new(Arc::clone(&study)), Tallies::new(Arc::clone(&study)));
        let mut sends = Self { study, evidence, tallies, minute: 0 };
        for _ in 0..500 {
            sends.send(Role::Control, Purpose::Bracket, &[CONTROL], Outcome::Delivered);
        }
        sends
    }

    fn send(&mut self, role: Role, purpose: Purpose, items: &[u32], outcome: Outcome) {
        self.minute += 1;
        let items = items.iter().map(|item| ItemIx(*item)).collect();
        let probe = plan(&mut self.evidence, role, purpose, items, at_minute(self.minute));
        self.tallies.apply(&self.evidence, Change::Outcome { probe, recipient: TO, outcome, before: None });
    }

    fn ask(&mut self, purpose: Purpose, items: &[u32], outcome: Outcome) {
        self.send(Role::Candidate, purpose, items, outcome);
    }

    fn verdict(&mut self, item: u32) -> Option<Verdict> {
        let unit = Unit { item: ItemIx(item), arm: ArmIx(0), recipient: TO };
        self.tallies.settle();
        assert_eq!(self.tallies.verdict(unit), self.tallies.final_verdict(unit), "of {}", self.study.item(unit.item).id);
        self.tallies.final_verdict(unit)
    }

    fn combination(&self, items: &[u32]) -> Option<bool> {
        let items: Vec<ItemIx> = items.iter().map(|item| ItemIx(*item)).collect();
        self.tallies.combination(ArmIx(0), TO, &items)
    }
}

#[test]
fn a_pool_that_arrives_clears_what_nothing_speaks_against() {
    let mut sends = Sends::new(None);
    sends.ask(Purpose::Screen, &[0, 1, 2], Outcome::Delivered);
    assert_eq!(sends.verdict(0), Some(Verdict::Delivered));
    sends.ask(Purpose::Audit, &[0], Outcome::Dropped);
    assert_eq!(sends.verdict(0), None);
    sends.ask(Purpose::Confirm, &[0], Outcome::Delivered);
    assert_eq!(sends.verdict(0), Some(Verdict::Delivered));
    // An `unless` word in the pool let this one through.
    for _ in 0..4 {
        sends.ask(Purpose::Confirm, &[1], Outcome::Dropped);
    }
    assert_eq!(sends.verdict(1), Some(Verdict::Dropped));
}

#[test]
fn a_pool_never_convicts() {
    let mut sends = Sends::new(None);
    for _ in 0..10 {
        sends.ask(Purpose::Screen, &[0, 1], Outcome::Dropped);
    }
    sends.ask(Purpose::Confirm, &[0], Outcome::Dropped);
    assert_eq!((sends.verdict(0), sends.verdict(1)), (None, None));
}

#[test]
fn a_pool_that_is_dropped_though_its_parts_pass_is_a_combination() {
    let mut sends = Sends::new(None);
    sends.ask(Purpose::Screen, &[0, 1, 2, 3], Outcome::Dropped);
    sends.ask(Purpose::Screen, &[0, 1], Outcome::Dropped);
    sends.ask(Purpose::Screen, &[2, 3], Outcome::Delivered);
    assert_eq!(sends.combination(&[0, 1]), None);
    sends.ask(Purpose::Screen, &[0], Outcome::Delivered);
    sends.ask(Purpose::Screen, &[1], Outcome::Delivered);
    // Dropped once and never again: as far as it is known, lost.
    assert_eq!(sends.tallies.baseline(ArmIx(0), TO).losses, 2);
    for _ in 0..2 {
        sends.ask(Purpose::Certificate, &[1, 0], Outcome::Dropped);
        sends.ask(Purpose::Certificate, &[0, 1, 2, 3], Outcome::Dropped);
    }
    assert_eq!(sends.tallies.baseline(ArmIx(0), TO).losses, 0);
    assert_eq!((sends.combination(&[0, 1]), sends.combination(&[2, 3])), (Some(true), Some(false)));
    sends.tallies.settle();
    let found = combinations::derive(&sends.evidence, &sends.tallies);
    assert_eq!(found.len(), 1, "what holds it is explained by it: {found:?}");
    assert_eq!((found[0].items.as_slice(), found[0].probes, found[0].dropped), ([ItemIx(0), ItemIx(1)].as_slice(), 3, 3));
    // One arrival, and it is none.
    sends.ask(Purpose::Certificate, &[0, 1], Outcome::Delivered);
    assert_eq!(sends.combination(&[0, 1]), Some(false));
}

#[test]
fn what_tries_the_filter_teaches_no_loss_and_clears_nothing() {
    let mut sends = Sends::new(None);
    let before = sends.tallies.baseline(ArmIx(0), TO);
    for outcome in [Outcome::Delivered, Outcome::Dropped] {
        sends.ask(Purpose::Spike, &[0, 1], outcome);
        sends.ask(Purpose::Calibration, &[0], outcome);
    }
    assert_eq!(sends.tallies.baseline(ArmIx(0), TO), before);
    assert_eq!((sends.verdict(0), sends.verdict(1)), (None, None));
}

#[test]
fn with_replicates_a_leaky_filter_is_inconsistent_and_teaches_no_loss() {
    let mut sends = Sends::new(Some(30));
    let share = |item: u32, delivered: u32, sends: &mut Sends| {
        for number in 0..30 {
            let outcome = if number * delivered % 30 < delivered { Outcome::Delivered } else { Outcome::Dropped };
            sends.ask(Purpose::Screen, &[item], outcome);
        }
    };
    share(0, 15, &mut sends);
    share(1, 29, &mut sends);
    share(2, 0, &mut sends);
    share(3, 24, &mut sends);
    let verdicts = [sends.verdict(0), sends.verdict(1), sends.verdict(2), sends.verdict(3)];
    let expected = [Verdict::Inconsistent, Verdict::Delivered, Verdict::Dropped, Verdict::Inconsistent];
    assert_eq!(verdicts, expected.map(Some));
    let baseline = sends.tallies.baseline(ArmIx(0), TO);
    assert_eq!((baseline.sends, baseline.losses), (500, 0));
}

#[test]
fn a_blocked_control_is_expelled_and_an_unlucky_one_is_not() {
    let mut sends = Sends::new(None);
    let expelled = |sends: &Sends, control: u32| sends.tallies.is_expelled(ItemIx(control), ArmIx(0));
    sends.send(Role::Control, Purpose::Bracket, &[CONTROL + 1], Outcome::Dropped);
    assert!(!expelled(&sends, CONTROL + 1));
    sends.send(Role::Control, Purpose::Bracket, &[CONTROL, CONTROL + 1], Outcome::Dropped);
    assert!(!expelled(&sends, CONTROL + 1), "which of the two it was dropped for is not known");
    sends.send(Role::Control, Purpose::Bracket, &[CONTROL + 1], Outcome::Dropped);
    assert!(expelled(&sends, CONTROL + 1) && !expelled(&sends, CONTROL));
    assert_eq!(sends.tallies.baseline(ArmIx(0), TO).losses, 3, "its losses stay");
    // Where a tenth is lost, two in a row are nothing special.
    for number in 0..1_000 {
        let outcome = if number % 10 == 0 { Outcome::Dropped } else { Outcome::Delivered };
        sends.send(Role::Control, Purpose::Bracket, &[CONTROL], outcome);
    }
    assert!(!expelled(&sends, CONTROL + 1));
}
