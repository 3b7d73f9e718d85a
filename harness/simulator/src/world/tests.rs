#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use lacuna_model::policy::{Action, Condition, Network, Outage, OutageKind, Policy, Rule, Sanctions};
use lacuna_model::{AccountId, CountryCode, Duration, ObservationKind, Timestamp, VenueKind};

use super::*;

const START: Timestamp = Timestamp(1_700_000_000_000_000);

fn region(code: &str) -> CountryCode {
    code.parse().unwrap()
}

fn rule(id: &str, all: &[&str], action: Action) -> Rule {
    Rule {
        id: id.to_owned(),
        all: all.iter().map(|&text| text.to_owned()).collect(),
        unless: Vec::new(),
        when: Condition::default(),
        action,
        after: Duration::ZERO,
        enforcement: 1.0,
    }
}

fn for_china(rule: Rule) -> Rule {
    Rule { when: Condition { recipient_registered_in: vec![region("CN")], ..rule.when }, ..rule }
}

fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy { name: "test".to_owned(), rules: rules.into_iter().collect(), ..Policy::default() }
}

/// A world with the accounts a (CA), b (US), c and d (CN), a group of all four, and a conversation of a and c.
struct Town {
    world: World,
    a: Member,
    b: Member,
    c: Member,
    d: Member,
    group: Place,
    talk: Place,
}

impl Town {
    fn new(policy: &Policy) -> Self {
        let mut world = World::new(policy, 1, START);
        let [a, b, c, d] = [("a", "CA"), ("b", "US"), ("c", "CN"), ("d", "CN")].map(|(id, code)| {
            let code = region(code);
            world.add_account(AccountProfile { id: AccountId::new(id), registered_in: code, located_in: code })
        });
        let group = world.add_venue(VenueKind::Group, &[a, b, c, d]);
        let talk = world.add_venue(VenueKind::Direct, &[a, c]);
        Self { world, a, b, c, d, group, talk }
    }

    fn send(&mut self, sender: Member, place: Place, text: &str) -> Submission {
        self.world.submit(START, sender, place, &text.into())
    }

    /// Everything that is on its way, as (milliseconds from the start, recipient, kind, text).
    fn arrivals(&mut self) -> Vec<(i64, Member, ObservationKind, Option<Arc<str>>)> {
        let mut out = Vec::new();
        self.world.deliver_due(Timestamp(i64::MAX), &mut out);
        assert_eq!(self.world.next_delivery_at(), None);
        out.into_iter().map(|it| ((it.at - START).as_millis(), it.to, it.kind, it.text)).collect()
    }

    fn recipients(&mut self) -> Vec<Member> {
        self.arrivals().into_iter().map(|(_, to, _, _)| to).collect()
    }
}

fn message(number: u64) -> Submission {
    Submission::Accepted { message: MessageNumber(number) }
}

#[test]
fn without_rules_everybody_but_the_sender_gets_the_message_at_once() {
    let mut town = Town::new(&policy([]));
    assert_eq!(town.send(town.a, town.group, "你好"), message(0));
    assert_eq!(town.world.next_delivery_at(), Some(START));
    let text: Option<Arc<str>> = Some("你好".into());
    let expected = [town.b, town.c, town.d].map(|to| (0, to, ObservationKind::Message, text.clone()));
    assert_eq!(town.arrivals(), expected);
}

#[test]
fn a_drop_is_silent_and_concerns_the_region_alone() {
    let mut town = Town::new(&policy([for_china(rule("r", &["新疆", "集中营"], Action::Drop))]));
    assert_eq!(town.send(town.a, town.group, "集中营在新疆"), message(0));
    assert_eq!(town.recipients(), [town.b]);
    assert_eq!(town.send(town.a, town.group, "新疆"), message(1));
    assert_eq!(town.recipients(), [town.b, town.c, town.d]);
}

#[test]
fn components_may_overlap_and_unless_disables() {
    let mut overlapping = rule("r", &["天安门", "安门广场"], Action::Drop);
    overlapping.unless = vec!["群发机".to_owned()];
    let mut town = Town::new(&policy([overlapping]));
    town.send(town.a, town.talk, "天安门广场");
    assert_eq!(town.recipients(), []);
    town.send(town.a, town.talk, "天安门广场群发机");
    assert_eq!(town.recipients(), [town.c]);
}

#[test]
fn a_refusal_stops_the_message_for_everybody() {
    let mut town = Town::new(&policy([for_china(rule("r", &["法轮"], Action::Refuse))]));
    let refused = Submission::Refused { notice: NOTICE_REFUSED, sanction: false };
    assert_eq!(town.send(town.a, town.group, "法轮"), refused);
    assert_eq!(town.recipients(), []);
    let (a, b, group) = (town.a, town.b, town.group);
    assert_eq!(town.world.rule_for(a, b, group, "法轮").unwrap().id, "r");
}

#[test]
fn masking_replaces_each_run_of_occurrences() {
    let mut town = Town::new(&policy([for_china(rule("r", &["aba", "新疆"], Action::Mask))]));
    town.send(town.a, town.group, "x ababa 新疆新疆 y");
    let texts: Vec<_> = town.arrivals().into_iter().map(|(_, to, _, text)| (to, text.unwrap().to_string())).collect();
    let masked = "x *** ****** y".to_owned();
    let whole = "x ababa 新疆新疆 y".to_owned();
    assert_eq!(texts, [(town.b, whole), (town.c, masked.clone()), (town.d, masked)]);
}

#[test]
fn a_retraction_follows_and_a_hold_comes_later() {
    let after = Duration::from_secs(5);
    let retract = Rule { after, ..rule("r", &["one"], Action::Retract) };
    let hold = Rule { after, ..rule("h", &["two"], Action::Hold) };
    let mut town = Town::new(&policy([retract, hold]));
    town.send(town.a, town.talk, "one");
    town.send(town.a, town.talk, "two");
    let one: Option<Arc<str>> = Some("one".into());
    let two: Option<Arc<str>> = Some("two".into());
    let c = town.c;
    let expected = [
        (0, c, ObservationKind::Message, one),
        (5_000, c, ObservationKind::Retraction, None),
        (5_000, c, ObservationKind::Message, two),
    ];
    assert_eq!(town.arrivals(), expected);
}

#[test]
fn the_first_rule_that_acts_decides() {
    let never = Rule { enforcement: 0.0, ..rule("never", &["x"], Action::Refuse) };
    let mut town = Town::new(&policy([never, rule("mask", &["x"], Action::Mask), rule("drop", &["x"], Action::Drop)]));
    town.send(town.a, town.talk, "x");
    assert_eq!(town.arrivals()[0].3.as_deref(), Some("***"));
    assert_eq!(town.world.rule_for(town.a, town.c, town.talk, "x").unwrap().id, "mask");
}

#[test]
fn only_members_send_and_only_the_owner_posts_to_a_feed() {
    let mut town = Town::new(&policy([]));
    let feed = town.world.add_venue(VenueKind::Feed, &[town.c, town.a]);
    assert!(matches!(town.send(town.b, town.talk, "x"), Submission::Refused { sanction: false, .. }));
    assert!(matches!(town.send(town.a, feed, "x"), Submission::Refused { sanction: false, .. }));
    assert_eq!(town.send(town.c, feed, "x"), message(0));
    assert_eq!(town.recipients(), [town.a]);
}

#[test]
fn outages_refuse_swallow_or_deafen() {
    let at = |from, kind, accounts: &[&str]| Outage {
        from: Duration::from_secs(from),
        lasts: Duration::from_secs(1),
        kind,
        accounts: accounts.iter().map(|&id| AccountId::new(id)).collect(),
    };
    let outages = vec![
        at(0, OutageKind::Down, &[]),
        at(1, OutageKind::BlackHole, &[]),
        at(2, OutageKind::Deaf, &["c"]),
        at(3, OutageKind::Deaf, &[]),
    ];
    let mut town = Town::new(&Policy { outages, ..policy([]) });
    let mut results = Vec::new();
    for second in 0..5 {
        let now = START + Duration::from_secs(second);
        let submission = town.world.submit(now, town.a, town.group, &"x".into());
        results.push((submission, town.recipients()));
    }
    let (b, c, d) = (town.b, town.c, town.d);
    let expected = [
        (Submission::Down, vec![]),
        (message(0), vec![]),
        (message(1), vec![b, d]),
        (message(2), vec![]),
        (message(3), vec![b, c, d]),
    ];
    assert_eq!(results, expected);
}

#[test]
fn sanctions_suppress_then_suspend() {
    let sanctions = Sanctions { suppress_after_hits: Some(1), suspend_after_hits: Some(2), ..Sanctions::default() };
    let mut town = Town::new(&Policy { sanctions: Some(sanctions), ..policy([rule("r", &["x"], Action::Refuse)]) });
    assert!(matches!(town.send(town.a, town.talk, "x"), Submission::Refused { sanction: false, .. }));
    assert_eq!(town.send(town.a, town.talk, "fine"), message(0));
    assert_eq!(town.send(town.a, town.talk, "x"), message(1), "suppressed: not even the refusal is shown");
    assert_eq!(town.recipients(), []);
    let suspended = Submission::Refused { notice: NOTICE_SUSPENDED, sanction: true };
    assert_eq!(town.send(town.a, town.talk, "fine"), suspended);
    assert_eq!(town.send(town.c, town.talk, "fine"), message(2), "others are not concerned");
}

#[test]
fn a_hit_carries_over_to_the_next_messages() {
    let sanctions = Sanctions { carry_over_messages: Some(2), ..Sanctions::default() };
    let mut town = Town::new(&Policy { sanctions: Some(sanctions), ..policy([rule("r", &["x"], Action::Drop)]) });
    for (nth, text) in (0..).zip(["before", "x", "one", "two", "behind", "x", "one", "x", "one", "two", "behind"]) {
        assert_eq!(town.send(town.a, town.talk, text), message(nth), "{text}");
    }
    town.send(town.c, town.talk, "others are not concerned");
    let texts: Vec<_> = town.arrivals().into_iter().filter_map(|it| it.3).collect();
    assert_eq!(texts.iter().map(|it| &**it).collect::<Vec<_>>(), ["before", "behind", "behind", "others are not concerned"]);
}

#[test]
fn a_rate_limit_says_how_long_to_wait() {
    let sanctions = Sanctions { messages_per_minute: Some(2), ..Sanctions::default() };
    let mut town = Town::new(&Policy { sanctions: Some(sanctions), ..policy([]) });
    let mut submit = |seconds| town.world.submit(START + Duration::from_secs(seconds), town.a, town.talk, &"x".into());
    assert_eq!(submit(0), message(0));
    assert_eq!(submit(10), message(1));
    assert_eq!(submit(20), Submission::RateLimited { retry_after: Duration::from_secs(40) });
    assert_eq!(submit(60), message(2));
}

#[test]
fn order_is_kept_on_a_path_and_reordering_breaks_it() {
    let network =
        Network { delay_median: Duration::from_millis(20), delay_p99: Duration::from_millis(200), ..Network::default() };
    let texts = |network: Network| {
        let mut town = Town::new(&Policy { network, ..policy([]) });
        for n in 0..500 {
            let now = START + Duration::from_millis(n);
            town.world.submit(now, town.a, town.talk, &n.to_string().into());
        }
        let mut numbers = town.arrivals().into_iter().map(|it| it.3.unwrap().parse::<u32>().unwrap()).collect::<Vec<_>>();
        let sorted = numbers.is_sorted();
        numbers.sort_unstable();
        numbers.dedup();
        (sorted, numbers.len())
    };
    assert_eq!(texts(network.clone()), (true, 500));
    assert_eq!(texts(Network { reorder: 0.05, ..network.clone() }), (false, 500));
    assert_eq!(texts(Network { duplicate: 0.05, ..network }), (false, 500));
}
