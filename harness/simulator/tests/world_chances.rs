//! The chances that a world takes: how often, in what runs, and that they belong to paths.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use lacuna_model::policy::{Action, Condition, Network, Policy, Rule};
use lacuna_model::{AccountId, Duration, ObservationKind, Timestamp, VenueKind};
use lacuna_simulator::world::{AccountProfile, Delivery, Member, Place, World};
use proptest::prelude::*;

const START: Timestamp = Timestamp(1_700_000_000_000_000);

fn world(policy: &Policy, seed: u64, names: &[&str]) -> (World, Vec<Member>) {
    let mut world = World::new(policy, seed, START);
    let region = "CN".parse().unwrap();
    let account = |id: &&str| AccountProfile { id: AccountId::new(*id), registered_in: region, located_in: region };
    let members = names.iter().map(|id| world.add_account(account(id))).collect();
    (world, members)
}

/// Sends `count` messages a second apart on one path and says which arrived, and after how long.
fn arrivals(network: Network, seed: u64, count: i64) -> Vec<Option<Duration>> {
    let (mut world, members) = world(&Policy { network, ..Policy::default() }, seed, &["a", "b"]);
    let place = world.add_venue(VenueKind::Direct, &members);
    let mut arrived = vec![None; usize::try_from(count).unwrap()];
    let mut out = Vec::new();
    let text: Arc<str> = "x".into();
    for second in 0..count {
        world.submit(START + Duration::from_secs(second), members[0], place, &text);
    }
    world.deliver_due(Timestamp(i64::MAX), &mut out);
    for delivery in out {
        let n = usize::try_from(delivery.message.0).unwrap();
        let sent_at = START + Duration::from_secs(i64::try_from(n).unwrap());
        arrived[n].get_or_insert(delivery.at - sent_at);
    }
    arrived
}

/// The lengths of the runs of losses.
fn bursts(arrived: &[Option<Duration>]) -> Vec<usize> {
    arrived.chunk_by(|a, b| a.is_some() == b.is_some()).filter(|run| run[0].is_none()).map(<[_]>::len).collect()
}

/// Bounds are five standard errors of the estimate, for an independent chain resp. one of that burst length.
#[test]
fn losses_are_as_frequent_and_as_long_as_asked() {
    for (loss, burst_length, rate_error, length_error) in
        [(0.01, 1.0, 0.0012, 0.02), (0.3, 1.0, 0.006, 0.03), (0.05, 10.0, 0.012, 1.5), (0.5, 3.0, 0.018, 0.12)]
    {
        let arrived = arrivals(Network { loss, burst_length, ..Network::default() }, 5, 200_000);
        let bursts = bursts(&arrived);
        let lost = bursts.iter().sum::<usize>() as f64;
        let rate = lost / arrived.len() as f64;
        let length = lost / bursts.len() as f64;
        // Independent losses come in runs of 1 / (1 - loss).
        let expected = f64::max(burst_length, 1.0 / (1.0 - loss));
        assert!((rate - loss).abs() < rate_error, "loss {loss}, burst {burst_length}: {rate}");
        assert!((length - expected).abs() < length_error, "loss {loss}, burst {burst_length}: runs of {length}");
    }
    assert!(arrivals(Network { loss: 1.0, burst_length: 10.0, ..Network::default() }, 5, 100).iter().all(Option::is_none));
    assert!(arrivals(Network::default(), 5, 100).iter().all(|delay| *delay == Some(Duration::ZERO)));
}

#[test]
fn delays_have_the_median_and_the_99th_percentile_asked_for() {
    let (delay_median, delay_p99) = (Duration::from_millis(20), Duration::from_millis(200));
    let network = Network { delay_median, delay_p99, ..Network::default() };
    let mut delays: Vec<i64> = arrivals(network, 5, 100_000).into_iter().map(|delay| delay.unwrap().as_micros()).collect();
    delays.sort_unstable();
    assert!((19_500..=20_500).contains(&delays[50_000]), "median {}", delays[50_000]);
    assert!((190_000..=210_000).contains(&delays[99_000]), "p99 {}", delays[99_000]);
}

#[test]
fn duplicates_and_enforcement_are_as_frequent_as_asked() {
    let rule = Rule {
        id: "r".to_owned(),
        all: vec!["x".to_owned()],
        unless: Vec::new(),
        when: Condition::default(),
        action: Action::Mask,
        after: Duration::ZERO,
        enforcement: 0.25,
    };
    let network = Network { duplicate: 0.1, ..Network::default() };
    let policy = Policy { rules: vec![rule], network, ..Policy::default() };
    let (mut world, members) = world(&policy, 3, &["a", "b"]);
    let place = world.add_venue(VenueKind::Direct, &members);
    for _ in 0..100_000 {
        world.submit(START, members[0], place, &"x".into());
    }
    let mut out = Vec::new();
    world.deliver_due(START, &mut out);
    let masked = out.iter().filter(|delivery| delivery.text.as_deref() == Some("***")).count();
    // Five standard deviations; the masked ones are doubled as often as the others.
    assert!((109_525..=110_475).contains(&out.len()), "{}", out.len());
    assert!((26_500..=28_500).contains(&masked), "{masked}");
}

/// Everything that may happen to a message, and a rule that acts on a share.
fn eventful() -> Policy {
    let rule = Rule {
        id: "r".to_owned(),
        all: vec!["x".to_owned()],
        unless: Vec::new(),
        when: Condition::default(),
        action: Action::Retract,
        after: Duration::from_secs(1),
        enforcement: 0.5,
    };
    let network = Network {
        loss: 0.3,
        burst_length: 3.0,
        delay_median: Duration::from_millis(20),
        delay_p99: Duration::from_millis(200),
        duplicate: 0.2,
        reorder: 0.2,
    };
    Policy { rules: vec![rule], network, ..Policy::default() }
}

type Fates = BTreeMap<(String, String, Arc<str>), Vec<(Timestamp, ObservationKind)>>;

/// Sends as told by (channel, message number), and gives for each (sender and place, recipient, text) what arrived.
fn fates(names: &[&str], extra: bool, order: &[(usize, i64)]) -> Fates {
    let (mut world, members) = world(&eventful(), 11, names);
    let member = |name: &str| members[names.iter().position(|it| *it == name).unwrap()];
    if extra {
        // Venues that others use change nothing.
        world.add_venue(VenueKind::Direct, &[member("a"), member("d")]);
        world.add_venue(VenueKind::Group, &[member("a"), member("b")]);
    }
    let talk = world.add_venue(VenueKind::Direct, &[member("a"), member("b")]);
    let group = world.add_venue(VenueKind::Group, &[member("c"), member("b"), member("a"), member("d")]);
    let channels = [("a", talk), ("a", group), ("b", group)];
    for &(channel, n) in order {
        let (sender, place) = channels[channel];
        world.submit(START + Duration::from_millis(100 * n), member(sender), place, &format!("x{n}").into());
    }
    let mut out = Vec::new();
    world.deliver_due(Timestamp(i64::MAX), &mut out);
    let mut fates = Fates::new();
    let name = |member: Member| world.profile(member).id.to_string();
    let mut texts = BTreeMap::new();
    for Delivery { at, to, kind, message, sender, place, text, file: _ } in out {
        let text = texts.entry(message).or_insert_with(|| text.unwrap());
        let is_group = place != talk;
        let channel = format!("{} {}", name(sender), if is_group { "group" } else { "talk" });
        fates.entry((channel, name(to), Arc::clone(text))).or_default().push((at, kind));
    }
    fates
}

fn interleaving() -> impl Strategy<Value = Vec<(usize, i64)>> {
    let channels: Vec<usize> = (0..60).map(|n| n % 3).collect();
    Just(channels).prop_shuffle().prop_map(|channels| {
        let mut sent = [0; 3];
        let mut number = |channel: usize| {
            sent[channel] += 1;
            (channel, sent[channel])
        };
        channels.into_iter().map(&mut number).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_path_has_its_fate_whatever_happens_elsewhere(order in interleaving()) {
        let one_by_one: Vec<_> = (0..3).flat_map(|channel| (1..=20).map(move |n| (channel, n))).collect();
        let expected = fates(&["a", "b", "c", "d"], false, &one_by_one);
        prop_assert!(expected.len() > 60, "something arrives");
        prop_assert_eq!(fates(&["a", "b", "c", "d"], false, &order), expected.clone());
        prop_assert_eq!(fates(&["d", "b", "c", "a"], true, &order), expected);
    }
}

#[test]
fn the_seed_and_the_path_matter() {
    let fate = |seed| arrivals(Network { loss: 0.5, ..Network::default() }, seed, 64);
    assert_eq!(fate(1), fate(1));
    assert_ne!(fate(1), fate(2));

    let network = Network { loss: 0.5, ..Network::default() };
    let (mut world, members) = world(&Policy { network, ..Policy::default() }, 1, &["a", "b", "c"]);
    let group: Place = world.add_venue(VenueKind::Group, &members);
    let again = world.add_venue(VenueKind::Group, &members);
    let mut patterns = Vec::new();
    for (place, to) in [(group, members[1]), (group, members[2]), (again, members[1])] {
        let mut pattern = Vec::new();
        for _ in 0..64 {
            world.submit(START, members[0], place, &"x".into());
            let mut out = Vec::new();
            world.deliver_due(START, &mut out);
            pattern.push(out.iter().any(|delivery| delivery.to == to));
        }
        patterns.push(pattern);
    }
    assert!(patterns[0] != patterns[1] && patterns[0] != patterns[2]);
}
