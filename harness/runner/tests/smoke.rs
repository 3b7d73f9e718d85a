//! tmp
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
use lacuna_inference::verdicts;
use lacuna_model::policy::*;
use lacuna_model::study::*;
use lacuna_model::*;
use std::sync::Arc;

fn study(seed: u64, n: u32, accounts: u16) -> Study {
    let acc: Vec<Account> = (0..accounts)
        .map(|i| Account {
            id: AccountId::new(format!("a{i}")),
            registered_in: (if i % 2 == 0 { "CA" } else { "CN" }).parse().unwrap(),
            located_in: "CA".parse().unwrap(),
            client: None,
        })
        .collect();
    let mut venues = vec![];
    let mut channels = vec![];
    let mut arms = vec![];
    for i in (0..accounts).step_by(2) {
        let arm = ArmIx(arms.len() as u16);
        venues.push(Venue {
            id: VenueId::new(format!("d{i}")),
            kind: VenueKind::Direct,
            members: vec![AccountIx(i), AccountIx(i + 1)],
            existing: None,
        });
        channels.push(Channel {
            arm,
            sender: AccountIx(i),
            venue: VenueIx(venues.len() as u16 - 1),
            recipients: vec![AccountIx(i + 1)],
        });
        arms.push(Arm {
            id: ArmId::new(format!("arm{i}")),
            venue: VenueKind::Direct,
            senders: vec![AccountIx(i)],
            recipients: vec![AccountIx(i + 1)],
            channels: vec![ChannelIx(channels.len() as u16 - 1)],
        });
    }
    let mut items = vec![];
    for i in 0..n {
        items.push(Item {
            id: ItemId::new(format!("c/{i}")),
            role: Role::Candidate,
            kind: ContentKind::Text,
            message: if i % 10 == 0 { format!("bad {i}").into() } else { format!("good {i}").into() },
            category: String::new(),
            language: String::new(),
        });
    }
    for i in 0..60 {
        items.push(Item {
            id: ItemId::new(format!("k/{i}")),
            role: Role::Control,
            kind: ContentKind::Text,
            message: format!("weather {i}").into(),
            category: String::new(),
            language: String::new(),
        });
    }
    Study {
        name: "t".into(),
        question: String::new(),
        design: DesignKind::Screen,
        seed,
        adapter: "simulator".into(),
        accounts: acc,
        venues,
        arms,
        channels,
        items,
        decision: DecisionRule { false_positive_rate: 1e-6, false_discovery_rate: 0.01, max_probes_per_item: 24 },
        watch: Watch { grace: Some(Duration::from_secs(1)), late: Duration::from_secs(6), bracket_messages: 4 },
        pacing: Pacing { min_gap: Duration::ZERO, in_flight: 1, confirm_after: Duration::ZERO, cool_off: Duration::ZERO },
        safety: Safety { max_messages: 10_000_000, max_messages_per_account_per_day: 10_000_000, stop_after_sanctions: 1 },
    }
}
fn policy(loss: f64) -> Policy {
    Policy {
        name: "p".into(),
        rules: vec![Rule {
            id: "r".into(),
            all: vec!["bad".into()],
            unless: vec![],
            when: Condition::default(),
            action: Action::Drop,
            after: Duration::ZERO,
            enforcement: 1.0,
        }],
        network: Network {
            loss,
            delay_median: Duration::from_millis(20),
            delay_p99: Duration::from_millis(200),
            ..Network::default()
        },
        sanctions: None,
        outages: vec![],
    }
}
#[test]
fn smoke() {
    for (loss, seed) in [(0.0, 1), (0.01, 2), (0.05, 3)] {
        let s = Arc::new(study(seed, 200, 4));
        let mut n = 0u64;
        let mut last = Timestamp(0);
        let mut first = None;
        let t = std::time::Instant::now();
        let e = lacuna_runner::virtual_time::run(&s, &policy(loss), &[], &mut |at, _| {
            n += 1;
            last = at;
            first.get_or_insert(at);
        });
        println!(
            "loss {loss}: entries {n}, virtual {:?} s, stopped {:?} {:?} wall {:?}",
            (last - first.unwrap()).as_secs_f64(),
            e.stopped(),
            e.progress(),
            t.elapsed()
        );
        let v = verdicts::derive(e.evidence());
        let mut wrong = 0;
        for r in &v {
            let truth = if s.item(r.unit.item).message.starts_with("bad") { Verdict::Dropped } else { Verdict::Delivered };
            if r.verdict != truth {
                wrong += 1;
                println!("{:?}", r);
            }
        }
        println!("verdicts {} wrong {wrong}", v.len());
        assert_eq!(wrong, 0);
    }
}
