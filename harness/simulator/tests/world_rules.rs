//! The rules that a world applies, against a reading of the policy that is as plain as can be.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use lacuna_model::policy::{Action, Condition, Policy, Rule};
use lacuna_model::{AccountId, CountryCode, Duration, ObservationKind, Timestamp, VenueKind};
use lacuna_simulator::world::{AccountProfile, Member, Place, Submission, World};
use proptest::prelude::*;
use proptest::sample::subsequence;

const REGIONS: [&str; 3] = ["CN", "CA", "HK"];
const ACCOUNTS: [(&str, &str); 5] = [("a", "CN"), ("b", "CN"), ("c", "CA"), ("d", "HK"), ("e", "CA")];
const NOW: Timestamp = Timestamp(1_000_000);

fn region(code: &str) -> CountryCode {
    code.parse().unwrap()
}

fn regions() -> impl Strategy<Value = Vec<CountryCode>> {
    prop_oneof![
        3 => Just(Vec::new()),
        1 => subsequence(REGIONS.map(region).to_vec(), 1..=2),
    ]
}

fn accounts() -> impl Strategy<Value = Vec<AccountId>> {
    prop_oneof![
        5 => Just(Vec::new()),
        1 => subsequence(ACCOUNTS.map(|(id, _)| AccountId::new(id)).to_vec(), 1..=2),
    ]
}

fn venues() -> impl Strategy<Value = Vec<VenueKind>> {
    prop_oneof![
        2 => Just(Vec::new()),
        1 => subsequence(vec![VenueKind::Direct, VenueKind::Group, VenueKind::Feed], 1..=2),
    ]
}

fn components(size: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[xy新疆]{1,2}", size)
}

prop_compose! {
    fn condition()(
        sender_registered_in in regions(),
        recipient_registered_in in regions(),
        sender in accounts(),
        recipient in accounts(),
        venue in venues(),
        group_has_member_registered_in in regions(),
    ) -> Condition {
        Condition { sender_registered_in, recipient_registered_in, sender, recipient, venue, group_has_member_registered_in }
    }
}

prop_compose! {
    fn rule()(
        id in "[a-z]{8}",
        all in components(0..3),
        unless in components(0..2),
        when in condition(),
        action in prop::sample::select(vec![Action::Drop, Action::Refuse, Action::Mask, Action::Retract, Action::Hold]),
        enforcement in prop::sample::select(vec![0.0, 1.0, 1.0, 1.0]),
    ) -> Rule {
        Rule { id, all, unless, when, action, after: Duration::from_secs(5), enforcement }
    }
}

struct Town {
    world: World,
    members: Vec<Member>,
    places: Vec<(Place, VenueKind, Vec<usize>)>,
}

fn town(policy: &Policy) -> Town {
    let mut world = World::new(policy, 7, NOW);
    let members = ACCOUNTS
        .map(|(id, code)| {
            let profile = AccountProfile { id: AccountId::new(id), registered_in: region(code), located_in: region(code) };
            world.add_account(profile)
        })
        .to_vec();
    let venues = [
        (VenueKind::Direct, vec![0, 2]),
        (VenueKind::Direct, vec![2, 4]),
        (VenueKind::Group, vec![0, 1, 2, 3, 4]),
        (VenueKind::Group, vec![2, 3]),
        (VenueKind::Feed, vec![2, 0, 3]),
    ];
    let places = venues
        .map(|(kind, indices)| {
            let inside: Vec<_> = indices.iter().map(|&index| members[index]).collect();
            (world.add_venue(kind, &inside), kind, indices)
        })
        .to_vec();
    Town { world, members, places }
}

/// Whether a rule holds, word by word after the policy's definition.
fn holds(rule: &Rule, sender: usize, recipient: usize, kind: VenueKind, inside: &[usize], text: &str) -> bool {
    let when = &rule.when;
    let in_regions = |list: &[CountryCode], account: usize| list.is_empty() || list.contains(&region(ACCOUNTS[account].1));
    let in_accounts = |list: &[AccountId], account: usize| list.is_empty() || list.contains(&ACCOUNTS[account].0.into());
    rule.enforcement > 0.0
        && rule.all.iter().all(|component| text.contains(component))
        && !rule.unless.iter().any(|component| text.contains(component))
        && in_regions(&when.sender_registered_in, sender)
        && in_regions(&when.recipient_registered_in, recipient)
        && in_accounts(&when.sender, sender)
        && in_accounts(&when.recipient, recipient)
        && (when.venue.is_empty() || when.venue.contains(&kind))
        && (when.group_has_member_registered_in.is_empty()
            || kind == VenueKind::Group && inside.iter().any(|&member| in_regions(&when.group_has_member_registered_in, member)))
}

proptest! {
    #[test]
    fn the_rule_that_decides_is_the_policys(
        rules in prop::collection::vec(rule(), 0..6),
        texts in prop::collection::vec("[xy新疆]{0,6}", 1..6),
    ) {
        let policy = Policy { rules, ..Policy::default() };
        let Town { mut world, members, places } = town(&policy);
        for text in &texts {
            let text: Arc<str> = text.as_str().into();
            for (place, kind, inside) in &places {
                let senders = if *kind == VenueKind::Feed { &inside[..1] } else { &inside[..] };
                for &sender in senders {
                    let others: Vec<usize> = inside.iter().copied().filter(|&member| member != sender).collect();
                    let first = |recipient| {
                        policy.rules.iter().find(|rule| holds(rule, sender, recipient, *kind, inside, &text))
                    };
                    let refusal = policy.rules.iter().find(|rule| {
                        rule.action == Action::Refuse && others.iter().any(|&to| first(to).is_some_and(|by| by == *rule))
                    });
                    for &to in &others {
                        let expected = refusal.or_else(|| first(to));
                        prop_assert_eq!(world.rule_for(members[sender], members[to], *place, &text), expected);
                    }

                    let submission = world.submit(NOW, members[sender], *place, &text);
                    prop_assert_eq!(matches!(submission, Submission::Refused { sanction: false, .. }), refusal.is_some());
                    let mut seen = Vec::new();
                    world.deliver_due(NOW + Duration::from_secs(60), &mut seen);
                    for &to in &others {
                        let action = first(to).map(|rule| rule.action);
                        let events: Vec<_> = seen
                            .iter()
                            .filter(|delivery| delivery.to == members[to])
                            .map(|delivery| ((delivery.at - NOW).as_millis(), delivery.kind, delivery.text.clone()))
                            .collect();
                        let message = (0, ObservationKind::Message, Some(Arc::clone(&text)));
                        match action {
                            _ if refusal.is_some() => prop_assert!(events.is_empty()),
                            Some(Action::Drop | Action::Refuse) => prop_assert!(events.is_empty()),
                            None => prop_assert_eq!(events, [message]),
                            Some(Action::Hold) => prop_assert_eq!(events, [(5_000, message.1, message.2)]),
                            Some(Action::Retract) => {
                                prop_assert_eq!(events, [message, (5_000, ObservationKind::Retraction, None)]);
                            }
                            Some(Action::Mask) => {
                                prop_assert_eq!(events.len(), 1);
                                let masked = events[0].2.as_deref().unwrap();
                                let rule = first(to).unwrap();
                                prop_assert!(rule.all.iter().all(|component| !masked.contains(component)));
                                prop_assert_eq!(masked.contains("***"), !rule.all.is_empty());
                            }
                        }
                    }
                }
            }
        }
    }
}
