//! The incremental matcher against what really happened on a simulated path.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may end by a panic")]

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lacuna_inference::matching::{Match, Matcher, Recognition, Released};
use lacuna_model::{MatchedBy, PlatformMessageId, ProbeId};
use proptest::prelude::*;

fn text(text: &str) -> Arc<str> {
    text.into()
}

fn id(name: &str) -> PlatformMessageId {
    PlatformMessageId(name.into())
}

/// A path whose answers are kept by the number of the observation.
#[derive(Default)]
struct Path {
    matcher: Matcher<usize>,
    answers: HashMap<usize, Option<Match>>,
    pending: HashSet<usize>,
    observations: usize,
}

impl Path {
    fn sent(&mut self, probe: u64, words: &str) {
        self.matcher.sent(ProbeId(probe), &text(words));
    }

    fn accepted(&mut self, probe: u64, name: Option<&str>) {
        let mut released = Vec::new();
        self.matcher.accepted(ProbeId(probe), name.map(id).as_ref(), &mut released);
        self.take(released);
    }

    fn retire(&mut self, probe: u64) {
        let mut released = Vec::new();
        self.matcher.retire(ProbeId(probe), &mut released);
        self.take(released);
    }

    fn finish(&mut self) {
        let mut released = Vec::new();
        self.matcher.finish(&mut released);
        self.take(released);
    }

    fn take(&mut self, released: Vec<Released<usize>>) {
        for Released { observation, found } in released {
            assert!(self.pending.remove(&observation), "released twice");
            self.answers.insert(observation, found);
        }
    }

    /// Returns the number of the observation.
    fn observed(&mut self, name: Option<&str>, words: &str) -> usize {
        let number = self.observations;
        self.observations += 1;
        match self.matcher.observed(number, name.map(id).as_ref(), &text(words)) {
            Recognition::Matched(found) => drop(self.answers.insert(number, Some(found))),
            Recognition::Unexpected => drop(self.answers.insert(number, None)),
            Recognition::Pending => drop(self.pending.insert(number)),
        }
        number
    }

    fn answer(&self, number: usize) -> Option<String> {
        self.answers.get(&number).map(|found| {
            found.map_or("unexpected".to_owned(), |found| {
                let mut line = format!("{} {}", found.probe.0, found.matched_by);
                if found.altered {
                    line.push_str(" altered");
                }
                if found.duplicate {
                    line.push_str(" duplicate");
                }
                line
            })
        })
    }

    #[track_caller]
    fn expect(&self, number: usize, answer: &str) {
        assert_eq!(self.answer(number).as_deref().unwrap_or("pending"), answer);
    }
}

#[test]
fn the_name_decides_whatever_the_text_says() {
    let mut path = Path::default();
    path.sent(1, "新疆");
    path.accepted(1, Some("a"));
    path.sent(2, "新疆");
    path.accepted(2, Some("b"));
    let second = path.observed(Some("b"), "新疆");
    let masked = path.observed(Some("a"), "**");
    let spaced = path.observed(Some("a"), " 新疆\u{200b}");
    let stranger = path.observed(Some("c"), "新疆");
    path.expect(second, "2 platform_id");
    path.expect(masked, "1 platform_id altered");
    path.expect(spaced, "1 platform_id duplicate");
    path.expect(stranger, "unexpected");
}

#[test]
fn an_arrival_may_come_before_its_acknowledgement() {
    let mut path = Path::default();
    path.sent(1, "a");
    path.sent(2, "a");
    let early = path.observed(Some("2"), "a");
    let again = path.observed(Some("2"), "a");
    path.expect(early, "pending");
    path.accepted(1, Some("1"));
    path.expect(early, "pending");
    path.accepted(2, Some("2"));
    path.expect(early, "2 platform_id");
    path.expect(again, "2 platform_id duplicate");
}

#[test]
fn a_name_waits_only_for_sends_that_were_started_before() {
    let mut path = Path::default();
    path.sent(1, "a");
    let stranger = path.observed(Some("x"), "a");
    path.sent(2, "a");
    path.expect(stranger, "pending");
    path.accepted(1, Some("1"));
    path.expect(stranger, "unexpected");
}

#[test]
fn a_send_without_an_acknowledgement_is_recognised_by_content() {
    let mut path = Path::default();
    path.sent(1, "a");
    path.accepted(1, Some("1"));
    path.sent(2, "a");
    let arrival = path.observed(Some("2"), "a");
    let mut released = Vec::new();
    path.matcher.unacknowledged(ProbeId(2), &mut released);
    path.take(released);
    let again = path.observed(Some("2"), "a");
    path.expect(arrival, "2 exact");
    path.expect(again, "2 platform_id duplicate");
    assert_eq!(path.matcher.named_send(&id("2")), Some(ProbeId(2)));
}

#[test]
fn content_is_asked_in_order() {
    let mut path = Path::default();
    for (probe, words) in
        [(1, "  天 气"), (2, "天 气"), (3, "天 气"), (4, "我们谈谈新疆集中营的事"), (5, "我们谈谈新疆教育营的事")]
    {
        path.sent(probe, words);
        path.accepted(probe, None);
    }
    let steps = [
        ("天 气", "2 exact"),
        ("天 气", "3 exact"),
        ("天\u{3000}气", "1 normalized"),
        ("天 气", "3 exact duplicate"),
        ("天\n气", "1 normalized duplicate"),
        ("我们谈谈新疆教***的事", "5 normalized altered"),
        ("我们谈谈***的事", "4 normalized altered"),
        ("我们谈谈***的事", "4 normalized altered duplicate"),
        ("别的话", "unexpected"),
    ];
    for (words, answer) in steps {
        let number = path.observed(None, words);
        path.expect(number, answer);
    }
}

#[test]
fn what_is_retired_is_forgotten() {
    let mut path = Path::default();
    path.sent(1, "a");
    path.accepted(1, Some("1"));
    path.sent(2, "b");
    path.accepted(2, None);
    path.sent(3, "c");
    let waiting = path.observed(Some("x"), "b");
    path.retire(1);
    path.expect(waiting, "pending");
    path.retire(3);
    path.expect(waiting, "2 exact");
    path.retire(2);
    for (name, words) in [(Some("1"), "a"), (Some("x"), "b"), (None, "b"), (None, "c")] {
        let number = path.observed(name, words);
        path.expect(number, "unexpected");
    }
}

#[test]
fn what_waits_at_the_end_is_judged() {
    let mut path = Path::default();
    path.sent(1, "a");
    let arrival = path.observed(Some("1"), "a");
    path.finish();
    path.expect(arrival, "1 exact");
}

#[test]
fn a_flood_of_unknown_names_keeps_little() {
    let mut path = Path::default();
    path.sent(1, "a");
    for number in 0..5_000 {
        path.observed(Some(&format!("x{number}")), "a");
    }
    assert!(path.pending.len() <= 1_024);
    path.accepted(1, Some("1"));
    assert!(path.pending.is_empty());
    assert!(path.answers.values().all(Option::is_none));
}

/// One send of a random path.
#[derive(Clone, Debug)]
struct Fate {
    words: String,
    /// Acknowledged so long after it was sent.
    acknowledged: u32,
    /// Copies arrive so long after it was sent; none: lost.
    arrivals: Vec<u32>,
}

fn fates(most: usize) -> impl Strategy<Value = Vec<Fate>> {
    let fate = ("[ab]|a ", 1..40_u32, prop::collection::vec(1..60_u32, 0..3)).prop_map(|(words, acknowledged, arrivals)| Fate {
        words,
        acknowledged,
        arrivals,
    });
    prop::collection::vec(fate, 1..most)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Happening {
    Sent(usize),
    Acknowledged(usize),
    Arrived(usize),
}

fn schedule(fates: &[Fate]) -> Vec<Happening> {
    let mut events = Vec::new();
    for (index, fate) in fates.iter().enumerate() {
        let at = u32::try_from(index).unwrap() * 10;
        events.push((at, Happening::Sent(index)));
        events.push((at + fate.acknowledged, Happening::Acknowledged(index)));
        events.extend(fate.arrivals.iter().map(|after| (at + after, Happening::Arrived(index))));
    }
    events.sort_unstable();
    events.into_iter().map(|(_, event)| event).collect()
}

/// The size of the largest matching, by augmenting paths: `edges[o]` are the sends that observation `o` may be.
fn largest_matching(edges: &[Vec<usize>]) -> usize {
    fn augment(o: usize, edges: &[Vec<usize>], seen: &mut HashSet<usize>, owner: &mut HashMap<usize, usize>) -> bool {
        edges[o].iter().any(|&send| {
            seen.insert(send) && owner.get(&send).copied().is_none_or(|other| augment(other, edges, seen, owner)) && {
                owner.insert(send, o);
                true
            }
        })
    }
    let mut owner = HashMap::new();
    (0..edges.len()).filter(|&o| augment(o, edges, &mut HashSet::new(), &mut owner)).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Loss, duplication, reordering, few different texts: with names every answer is the truth.
    #[test]
    fn with_names_every_answer_is_the_truth(fates in fates(12)) {
        let mut path = Path::default();
        let mut truth = Vec::new();
        for event in schedule(&fates) {
            match event {
                Happening::Sent(index) => path.sent(index as u64, &fates[index].words),
                Happening::Acknowledged(index) => path.accepted(index as u64, Some(&format!("m{index}"))),
                Happening::Arrived(index) => {
                    truth.push(index);
                    path.observed(Some(&format!("m{index}")), &fates[index].words);
                }
            }
        }
        prop_assert!(path.pending.is_empty());
        let mut first = HashSet::new();
        for (number, index) in truth.into_iter().enumerate() {
            let found = path.answers[&number].expect("recognised");
            prop_assert_eq!(found.probe, ProbeId(index as u64));
            prop_assert_eq!(found.matched_by, MatchedBy::PlatformId);
            prop_assert_eq!(found.duplicate, !first.insert(index));
            prop_assert!(!found.altered);
        }
    }

    /// Without names no assignment that keeps to the order of events recognises more arrivals, and none is given away twice.
    #[test]
    fn without_names_as_many_as_possible_are_recognised(fates in fates(9), receiver_sees_names: bool) {
        let mut path = Path::default();
        let mut sent: Vec<usize> = Vec::new();
        let mut edges = Vec::new();
        for event in schedule(&fates) {
            match event {
                Happening::Sent(index) => {
                    path.sent(index as u64, &fates[index].words);
                    sent.push(index);
                }
                Happening::Acknowledged(index) => path.accepted(index as u64, None),
                Happening::Arrived(index) => {
                    let words = &fates[index].words;
                    edges.push(sent.iter().copied().filter(|s| fates[*s].words.trim() == words.trim()).collect::<Vec<_>>());
                    let name = format!("m{}", edges.len());
                    path.observed(receiver_sees_names.then_some(&name), words);
                }
            }
        }
        prop_assert!(path.pending.is_empty());
        let mut first = HashSet::new();
        for (number, allowed) in edges.iter().enumerate() {
            let found = path.answers[&number].expect("every text was sent before");
            prop_assert_eq!(found.duplicate, !first.insert(found.probe));
            prop_assert!(allowed.iter().any(|send| ProbeId(*send as u64) == found.probe));
        }
        prop_assert_eq!(first.len(), largest_matching(&edges));
    }
}
