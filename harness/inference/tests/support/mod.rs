//! A study of one group with two recipients, and probes in it.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::ops::Range;
use std::sync::Arc;

use lacuna_inference::evidence::Evidence;
use lacuna_model::study::{Channel, DecisionRule, DesignKind, Pacing, Pooling, Prior, Safety, TextRules, Watch};
use lacuna_model::{
    Account, AccountIx, Arm, ArmIx, ChannelIx, ContentKind, Decision, Duration, Item, ItemIx, Probe, ProbeId, Purpose, Role,
    Study, Timestamp, Venue, VenueIx, VenueKind,
};

pub const RECIPIENTS: [AccountIx; 2] = [AccountIx(1), AccountIx(2)];
pub const CANDIDATES: Range<u32> = 0..6;
pub const CONTROLS: Range<u32> = 6..9;

pub fn study() -> Arc<Study> {
    study_of(CANDIDATES.len(), CONTROLS.len(), &RECIPIENTS)
}

/// So many candidates, then so many controls.
pub fn study_of(candidates: usize, controls: usize, recipients: &[AccountIx]) -> Arc<Study> {
    let account = |id: &str| Account {
        id: id.into(),
        registered_in: "CA".parse().unwrap(),
        located_in: "CA".parse().unwrap(),
        client: None,
    };
    let item = |number: usize| Item {
        id: format!("items/{number}").as_str().into(),
        role: if number < candidates { Role::Candidate } else { Role::Control },
        kind: ContentKind::Text,
        file: None,
        message: format!("item {number}").into(),
        category: String::new(),
        language: String::new(),
        prior: Prior::default(),
    };
    let members = vec![AccountIx(0), AccountIx(1), AccountIx(2)];
    Arc::new(Study {
        name: "tallies".to_owned(),
        question: String::new(),
        design: DesignKind::Screen,
        seed: 1,
        adapter: "simulator".to_owned(),
        accounts: vec![account("sender"), account("one"), account("two")],
        venues: vec![Venue { id: "group".into(), kind: VenueKind::Group, members, existing: None }],
        arms: vec![Arm {
            id: "arm".into(),
            venue: VenueKind::Group,
            senders: vec![AccountIx(0)],
            recipients: recipients.to_vec(),
            channels: vec![ChannelIx(0)],
        }],
        channels: vec![Channel { arm: ArmIx(0), sender: AccountIx(0), venue: VenueIx(0), recipients: recipients.to_vec() }],
        items: (0..candidates + controls).map(item).collect(),
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

pub fn at_minute(minute: i64) -> Timestamp {
    Timestamp(1_480_492_800_000_000 + minute * 60_000_000)
}

/// Plans a probe; its time is when it was planned.
pub fn plan(evidence: &mut Evidence, role: Role, purpose: Purpose, items: Vec<ItemIx>, at: Timestamp) -> ProbeId {
    let id = ProbeId(evidence.probes().len() as u64);
    let probe = Probe { id, channel: ChannelIx(0), role, purpose, attempt: 1, items, carrier: None, excerpt: None };
    evidence.apply_decision(at, &Decision::ProbePlanned(probe));
    id
}
