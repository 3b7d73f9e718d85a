//! How many submissions a second one core carries, deliveries included: `cargo bench -p lacuna-simulator`.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use lacuna_model::policy::{Action, Condition, Network, Policy, Rule};
use lacuna_model::{AccountId, CountryCode, Duration, Timestamp, VenueKind};
use lacuna_simulator::world::{AccountProfile, Member, World};

const SUBMISSIONS: usize = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let rough = Network {
        loss: 0.01,
        burst_length: 10.0,
        delay_median: Duration::from_millis(20),
        delay_p99: Duration::from_millis(200),
        duplicate: 0.01,
        reorder: 0.01,
    };
    println!("{:<44} {:>15} {:>14}", "", "submissions/s", "deliveries/s");
    for (title, kind, accounts, rules, network) in [
        ("direct, 4 accounts, 100 rules", VenueKind::Direct, 4, 100, Network::default()),
        ("direct, 64 accounts, 100 rules", VenueKind::Direct, 64, 100, Network::default()),
        ("direct, 64 accounts, 10000 rules", VenueKind::Direct, 64, 10_000, Network::default()),
        ("direct, 64 accounts, 100 rules, rough network", VenueKind::Direct, 64, 100, rough.clone()),
        ("group of 4, 100 rules", VenueKind::Group, 4, 100, Network::default()),
        ("group of 4, 100 rules, rough network", VenueKind::Group, 4, 100, rough),
    ] {
        let policy = Policy { rules: self::rules(rules, "CN".parse()?), network, ..Policy::default() };
        let (submissions, deliveries) = measure(&policy, kind, accounts)?;
        println!("{title:<44} {submissions:>15.0} {deliveries:>14.0}");
    }
    Ok(())
}

/// Combinations of two keywords that concern half of the recipients.
fn rules(count: usize, region: CountryCode) -> Vec<Rule> {
    (0..count)
        .map(|n| Rule {
            id: format!("r{n}"),
            all: vec![format!("关键{n}词"), "组合".to_owned()],
            unless: Vec::new(),
            when: Condition { recipient_registered_in: vec![region], ..Condition::default() },
            action: Action::Drop,
            after: Duration::ZERO,
            enforcement: 1.0,
        })
        .collect()
}

/// One message in seven meets a rule's components. The clock moves on by 10 µs a message.
fn measure(policy: &Policy, kind: VenueKind, accounts: usize) -> Result<(f64, f64), Box<dyn Error>> {
    let mut world = World::new(policy, 1, Timestamp(0));
    let mut members = Vec::new();
    for n in 0..accounts {
        let region = if n % 2 == 0 { "CN" } else { "CA" }.parse()?;
        let id = AccountId::new(format!("account-{n}"));
        members.push(world.add_account(AccountProfile { id, registered_in: region, located_in: region }));
    }
    let size = if kind == VenueKind::Direct { 2 } else { 4 };
    let channels: Vec<(Member, _)> = members
        .chunks(size)
        .flat_map(|inside| {
            let place = world.add_venue(kind, inside);
            inside.iter().map(move |&sender| (sender, place)).collect::<Vec<_>>()
        })
        .collect();
    let texts: Vec<Arc<str>> = (0..1_000)
        .map(|n| {
            let text = if n % 7 == 0 {
                format!("今天关键{}词很好组合", n % 100)
            } else {
                format!("今天天气很好，我们去公园散步吧 {n}")
            };
            text.into()
        })
        .collect();

    let mut deliveries = 0;
    let mut out = Vec::new();
    let begin = Instant::now();
    for (n, (now, text)) in (0..).step_by(10).map(Timestamp).zip(texts.iter().cycle()).take(SUBMISSIONS).enumerate() {
        let (sender, place) = channels[n % channels.len()];
        world.submit(now, sender, place, text);
        world.deliver_due(now, &mut out);
        deliveries += out.len();
        out.clear();
    }
    world.deliver_due(Timestamp(i64::MAX), &mut out);
    deliveries += out.len();
    let seconds = begin.elapsed().as_secs_f64();
    Ok((SUBMISSIONS as f64 / seconds, deliveries as f64 / seconds))
}
