//! Two recipients of one group, one with a bad connection: each is judged by the loss of its own path.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use lacuna_inference::evidence::Evidence;
use lacuna_inference::tally::Tallies;
use lacuna_model::study::{Channel, DecisionRule, DesignKind, Pacing, Pooling, Prior, Safety, TextRules, Watch};
use lacuna_model::{
    Account, AccountIx, Arm, ArmIx, ChannelIx, ContentKind, Deadline, Decision, Duration, EntrySequence, Fact, Item, ItemIx,
    Observation, ObservationKind, PlatformMessageId, Probe, ProbeId, Purpose, Role, SendResult, Study, Timestamp, Venue, VenueIx,
    VenueKind,
};

const GOOD: AccountIx = AccountIx(1);
const BAD: AccountIx = AccountIx(2);

fn study() -> Arc<Study> {
    let account = |id: &str| Account {
        id: id.into(),
        registered_in: "CA".parse().unwrap(),
        located_in: "CA".parse().unwrap(),
        client: None,
    };
    let members = vec![AccountIx(0), GOOD, BAD];
    let item = |id: &str, role| Item {
        id: id.into(),
        role,
        kind: ContentKind::Text,
        file: None,
        message: id.into(),
        category: String::new(),
        language: String::new(),
        prior: Prior::default(),
    };
    Arc::new(Study {
        name: "loss".to_owned(),
        question: String::new(),
        design: DesignKind::Screen,
        seed: 1,
        adapter: "simulator".to_owned(),
        accounts: vec![account("sender"), account("good"), account("bad")],
        venues: vec![Venue { id: "group".into(), kind: VenueKind::Group, members, existing: None }],
        arms: vec![Arm {
            id: "arm".into(),
            venue: VenueKind::Group,
            senders: vec![AccountIx(0)],
            recipients: vec![GOOD, BAD],
            channels: vec![ChannelIx(0)],
        }],
        channels: vec![Channel { arm: ArmIx(0), sender: AccountIx(0), venue: VenueIx(0), recipients: vec![GOOD, BAD] }],
        items: vec![item("control", Role::Control), item("candidate", Role::Candidate)],
        text: TextRules::default(),
        decision: DecisionRule {
            false_positive_rate: 1e-3,
            false_discovery_rate: 1e-2,
            max_probes_per_item: 12,
            pooling: Pooling::Off,
            replicates: None,
        },
        watch: Watch { grace: Some(Duration::from_secs(1)), late: Duration::from_secs(1), bracket_messages: 4 },
        pacing: Pacing { min_gap: Duration::ZERO, in_flight: 1, confirm_after: Duration::ZERO, cool_off: Duration::ZERO },
        safety: Safety { max_messages: 1000, max_messages_per_account_per_day: 1000, stop_after_sanctions: 1 },
        isolation: None,
        mechanism: None,
        exposure: None,
        corpora: Vec::new(),
        earlier: None,
    })
}

#[test]
fn a_bad_connection_asks_for_more_drops_where_it_is() {
    let study = study();
    let (mut evidence, mut tallies) = (Evidence::new(Arc::clone(&study)), Tallies::new(Arc::clone(&study)));
    let mut entries = 0;
    let mut facts = vec![Fact::EpochOpened { epoch: 0, sent_today: vec![0; 3], resumed_by: None }];
    for number in 0..200u64 {
        let probe = ProbeId(number);
        let platform_id = Some(PlatformMessageId(format!("m{number}").into()));
        facts.push(Fact::SendStarted { probe, text: "control".into() });
        facts.push(Fact::SendResult { probe, result: SendResult::Accepted { platform_id: platform_id.clone() } });
        let recipients = if number % 4 == 2 { vec![GOOD] } else { vec![GOOD, BAD] };
        for recipient in recipients {
            facts.push(Fact::Observed(Observation {
                recipient,
                sender: Some(AccountIx(0)),
                venue: Some(VenueIx(0)),
                kind: ObservationKind::Message,
                platform_id: platform_id.clone(),
                text: Some("control".into()),
                file: None,
                cursor: None,
            }));
        }
    }
    facts.extend((0..200).map(|number| Fact::DeadlinePassed(Deadline::Grace { probe: ProbeId(number), recipient: BAD })));
    for fact in &facts {
        entries += 1;
        let at = Timestamp(entries * 1_000);
        if let Fact::SendStarted { probe, .. } = fact {
            let (role, purpose) = (Role::Control, Purpose::Bracket);
            let planned = Probe {
                id: *probe,
                channel: ChannelIx(0),
                role,
                purpose,
                attempt: 1,
                items: vec![ItemIx(0)],
                carrier: None,
                excerpt: None,
            };
            evidence.apply_decision(at, &Decision::ProbePlanned(planned));
        }
        let mut changes = Vec::new();
        evidence.apply_fact(EntrySequence(entries.unsigned_abs()), at, fact, &mut changes);
        for change in changes {
            tallies.apply(&evidence, change);
        }
    }

    let (good, bad) = (tallies.baseline(ArmIx(0), GOOD), tallies.baseline(ArmIx(0), BAD));
    assert_eq!((good.sends, good.losses, bad.sends, bad.losses), (200, 0, 200, 50));
    // A quarter lost, at most a third: ln 1000 / ln 3 drops. Over both recipients it would be an eighth, and too few drops.
    assert_eq!(tallies.required_drops(ArmIx(0), BAD), Some(7));
    // The good one is judged by the worse of its own bound and that over both.
    assert_eq!(tallies.required_drops(ArmIx(0), GOOD), Some(4));
}
