//! Checks of the paths: whatever happens nothing but controls is sent, no more than was asked for, and every message is accounted for.

use std::collections::BTreeMap;

use lacuna_design::{Engine, harmless};
use lacuna_inference::paths::{PathRecord, PathState, paths};
use lacuna_model::policy::{FileHandling, Network, Policy};
use lacuna_model::{ContentKind, Duration, Entry, Fact, Role, StopReason, Study, Timestamp};
use lacuna_runner::generated::{ExposedFiles, FilteredFiles, Planted};
use lacuna_runner::virtual_time::{Fault, FaultKind, run_engine};

use crate::random::write_case;
use crate::scenario::{Prepared, Scenario};

/// So many random studies.
const CASES: u64 = 300;

/// Longer than patience and late listening together take in any of these studies, for a hundred messages.
const LONGEST: Duration = Duration::from_secs(4 * 3_600);

struct Checked {
    engine: Engine,
    entries: Vec<(Timestamp, Entry)>,
    paths: Vec<PathRecord>,
}

impl Checked {
    fn took(&self) -> Duration {
        self.entries[self.entries.len() - 1].0 - self.entries[0].0
    }

    fn path(&self, arm: &str, sender: &str, recipient: &str) -> &PathRecord {
        let study = self.engine.study();
        let is = |path: &&PathRecord| {
            let channel = study.channel(path.channel);
            study.arm(channel.arm).id.as_str() == arm
                && study.account(channel.sender).id.as_str() == sender
                && study.account(path.recipient).id.as_str() == recipient
        };
        self.paths.iter().find(is).unwrap()
    }
}

fn check(study: &Study, policy: &Policy, faults: &[Fault], messages: u32, listens: Vec<bool>) -> Checked {
    let mut entries: Vec<(Timestamp, Entry)> = Vec::new();
    let engine = run_engine(Engine::check(study, messages, listens), policy, faults, &mut |at, entry| {
        let began = entries.first().map_or(at, |(began, _)| *began);
        assert!(at - began < LONGEST, "the check does not end: {LONGEST} have passed at {entry:?}");
        entries.push((at, entry.clone()));
    });
    let paths = paths(engine.evidence(), engine.was_asked_to_stop());
    Checked { engine, entries, paths }
}

/// Two accounts and a third, in a conversation and in a group.
fn prepared(more: &str) -> Prepared {
    let account = |id: &str| format!("[[experiment.account]]\nid = \"{id}\"\nregistered-in = \"CA\"\nlocated-in = \"CA\"\n");
    let text = format!(
        "about = \"a check\"\n[experiment.watch]\ngrace = \"1s\"\nlate = \"20s\"\n{}{}{}\
         [[experiment.arm]]\nid = \"talk\"\nvenue = \"direct\"\nsenders = [\"a\"]\nrecipients = [\"b\", \"c\"]\n\
         [[experiment.arm]]\nid = \"group\"\nvenue = \"group\"\nsenders = [\"a\"]\nrecipients = [\"b\", \"c\"]\n\
         [policy.network]\ndelay-median = \"20ms\"\n[items]\nneutral = 9\n{more}\n[expect]\n",
        account("a"),
        account("b"),
        account("c")
    );
    Scenario::parse(&text).and_then(|scenario| scenario.prepare()).unwrap()
}

fn everybody(study: &Study) -> Vec<bool> {
    vec![true; study.accounts.len()]
}

fn counts(path: &PathRecord) -> [u64; 3] {
    [path.sent, path.arrived, path.lost]
}

#[test]
fn a_check_ends_when_the_last_control_has_arrived() {
    let Prepared { study, policy, .. } = prepared("");
    let checked = check(&study, &policy, &[], 5, everybody(&study));
    assert!(
        checked.paths.iter().all(|path| counts(path) == [5, 5, 0] && path.state() == PathState::Alive),
        "{:?}",
        checked.paths
    );
    assert_eq!(checked.engine.stopped(), Some(StopReason::Finished));
    assert_eq!(checked.engine.progress().answered, checked.engine.progress().questions);
    // Not when late listening is over.
    assert!(checked.took() < Duration::from_secs(5), "{}", checked.took());
    let delays = checked.paths.iter().map(|path| (path.median_delay.unwrap(), path.greatest_delay.unwrap()));
    assert!(delays.into_iter().all(|(median, greatest)| median > Duration::ZERO && median <= greatest));
}

#[test]
fn a_deaf_recipient_is_found_and_waited_for() {
    let Prepared { study, policy, .. } =
        prepared("[[policy.outage]]\nfrom = \"0s\"\nlasts = \"1h\"\nkind = \"deaf\"\naccounts = [\"b\"]\n");
    let checked = check(&study, &policy, &[], 3, everybody(&study));
    for arm in ["talk", "group"] {
        assert_eq!(checked.path(arm, "a", "b").state(), PathState::Silent);
        assert_eq!(counts(checked.path(arm, "a", "b")), [3, 0, 3]);
        assert_eq!(counts(checked.path(arm, "a", "c")), [3, 3, 0]);
    }
    assert!(checked.took() >= Duration::from_secs(20), "{}", checked.took());
}

#[test]
fn who_is_not_logged_in_is_left_out() {
    let Prepared { study, policy, .. } = prepared("");
    let checked = check(&study, &policy, &[], 3, vec![true, false, true]);
    assert_eq!(checked.path("talk", "a", "b").state(), PathState::Unsent);
    // The others of a group are still checked, and nobody waits for the one that is missing.
    assert_eq!(counts(checked.path("group", "a", "c")), [3, 3, 0]);
    assert_eq!(counts(checked.path("talk", "a", "c")), [3, 3, 0]);
    let nobody = check(&study, &policy, &[], 3, vec![false; 3]);
    assert!(nobody.engine.evidence().probes().is_empty());
    assert_eq!(nobody.engine.stopped(), Some(StopReason::Finished));
}

#[test]
fn a_budget_is_spent_on_all_channels() {
    for (budget, reason) in
        [("max-messages", StopReason::MessageBudget), ("max-messages-per-account-per-day", StopReason::DailyBudget)]
    {
        let Prepared { study, policy, .. } = prepared(&format!("[experiment.safety]\n{budget} = 4"));
        let checked = check(&study, &policy, &[], 3, everybody(&study));
        assert_eq!(checked.engine.stopped(), Some(reason));
        assert_eq!(checked.engine.evidence().probes().len(), 4);
        assert!(checked.paths.iter().all(|path| path.sent >= 1 && path.lost == 0), "{:?}", checked.paths);
        // Where it suffices to the message, nothing was stopped.
        let Prepared { study, policy, .. } = prepared(&format!("[experiment.safety]\n{budget} = 9"));
        let checked = check(&study, &policy, &[], 3, everybody(&study));
        assert_eq!(checked.engine.stopped(), Some(StopReason::Finished));
    }
}

#[test]
fn what_the_platform_says_is_told() {
    let refusal = "[[policy.rule]]\nid = \"r\"\nall = [\"weather\"]\naction = \"refuse\"\nwhen = { recipient = [\"c\"] }\n";
    let Prepared { study, policy, .. } = prepared(refusal);
    let checked = check(&study, &policy, &[], 3, everybody(&study));
    let refused = checked.path("talk", "a", "c");
    assert_eq!((refused.refused, refused.state()), (3, PathState::Refused));
    assert!(refused.notice.is_some());

    let mask = "[[policy.rule]]\nid = \"r\"\nall = [\"weather\"]\naction = \"mask\"\nwhen = { recipient = [\"c\"] }\n";
    let Prepared { study, policy, .. } = prepared(mask);
    let checked = check(&study, &policy, &[], 3, everybody(&study));
    assert_eq!((checked.path("talk", "a", "c").altered, checked.path("talk", "a", "b").altered), (3, 0));

    let Prepared { study, policy, .. } = prepared("[policy.sanctions]\nmessages-per-minute = 4\n");
    let checked = check(&study, &policy, &[], 3, everybody(&study));
    assert!(checked.paths.iter().any(|path| path.rate_limited > 0), "{:?}", checked.paths);

    let Prepared { study, policy, .. } = prepared("");
    let account = lacuna_model::AccountIx(0);
    let fault = Fault { at: Duration::from_millis(15), kind: FaultKind::Sanction(account) };
    let checked = check(&study, &policy, &[fault], 3, everybody(&study));
    assert_eq!(checked.engine.stopped(), Some(StopReason::Sanction));
    assert!(checked.engine.evidence().sanctioned(account));
}

#[test]
fn what_was_still_awaited_is_not_lost() {
    let Prepared { study, policy, .. } =
        prepared("[[policy.outage]]\nfrom = \"0s\"\nlasts = \"1h\"\nkind = \"deaf\"\naccounts = [\"b\"]\n");
    let all_sent = check(&study, &policy, &[], 3, everybody(&study)).took();
    // All is sent, and receivers listen.
    let fault = Fault { at: Duration(all_sent.as_micros() - 15_000_000), kind: FaultKind::StopRequest };
    let checked = check(&study, &policy, &[fault], 3, everybody(&study));
    assert_eq!(checked.engine.stopped(), Some(StopReason::Finished));
    assert!(checked.engine.was_asked_to_stop());
    let deaf = checked.path("talk", "a", "b");
    assert_eq!((deaf.awaited, deaf.lost, deaf.state()), (3, 0, PathState::CutShort));
    assert!(deaf.listened.unwrap() < Duration::from_secs(20) && deaf.not_intact.is_empty(), "{deaf:?}");
    assert_eq!(checked.path("talk", "a", "c").state(), PathState::Alive);
}

#[test]
fn a_path_of_a_sanctioned_account_is_not_called_silent() {
    let Prepared { study, policy, .. } = prepared(
        "[experiment.safety]\nstop-after-sanctions = 2\n[[policy.outage]]\nfrom = \"0s\"\nlasts = \"1h\"\nkind = \"deaf\"\n",
    );
    let account = lacuna_model::AccountIx(0);
    let fault = Fault { at: Duration::from_secs(2), kind: FaultKind::Sanction(account) };
    let checked = check(&study, &policy, &[fault], 3, everybody(&study));
    assert_ne!(checked.engine.stopped(), Some(StopReason::Sanction));
    let is_told = |path: &PathRecord| (path.sanctioned, path.state()) == (Some(account), PathState::Sanctioned);
    assert!(checked.paths.iter().all(is_told), "{:?}", checked.paths);
}

#[test]
fn what_never_left_was_not_refused() {
    let down = "[[policy.outage]]\nfrom = \"0s\"\nlasts = \"10h\"\nkind = \"down\"\n";
    for (more, state) in [(down, PathState::Failed), ("[policy.sanctions]\nmessages-per-minute = 1\n", PathState::RateLimited)] {
        let Prepared { study, policy, .. } = prepared(more);
        let checked = check(&study, &policy, &[], 1, everybody(&study));
        assert!(checked.paths.iter().any(|path| path.state() == state), "{:?}", checked.paths);
        let allowed = |path: &PathRecord| [state, PathState::Alive, PathState::Unsent].contains(&path.state());
        assert!(checked.paths.iter().all(|path| allowed(path) && path.not_intact.is_empty()), "{:?}", checked.paths);
    }
}

#[test]
fn a_retraction_is_counted_where_it_is_seen() {
    let retract = "[[policy.rule]]\nid = \"r\"\nall = [\"weather\"]\naction = \"retract\"\nafter = \"5ms\"\n                   when = { recipient = [\"c\"] }\n";
    let Prepared { study, policy, .. } = prepared(retract);
    let checked = check(&study, &policy, &[], 3, everybody(&study));
    let path = checked.path("talk", "a", "c");
    // That of the last control may come after the end.
    assert!(path.arrived == 3 && path.retracted >= 2, "{path:?}");
    assert_eq!((path.not_intact.len() as u64, path.altered), (path.retracted, 0));
    assert_eq!(checked.path("talk", "a", "b").retracted, 0);
}

#[test]
fn every_control_is_tried_before_one_is_repeated_and_those_that_are_lost_are_named() {
    let drop = |word: &str| format!("[[policy.rule]]\nid = \"r\"\nall = [\"{word}\"]\naction = \"drop\"\n");
    let Prepared { study, policy, .. } = prepared("");
    let controls = harmless(&study).len();
    let checked = check(&study, &policy, &[], u32::try_from(controls).unwrap(), everybody(&study));
    let (studied, evidence) = (checked.engine.study(), checked.engine.evidence());
    for (channel, _) in studied.channels() {
        let sent: std::collections::BTreeSet<_> =
            evidence.sent_on(channel).iter().flat_map(|probe| evidence.probe(*probe).probe.items.clone()).collect();
        assert_eq!(sent.len(), controls);
    }
    // One of them holds a word of a rule.
    let guilty = studied.items_of(Role::Control).last().unwrap();
    let Prepared { study, policy, .. } = prepared(&drop(&studied.item(guilty).message));
    let checked = check(&study, &policy, &[], u32::try_from(controls).unwrap(), everybody(&study));
    for path in &checked.paths {
        assert_eq!((path.state(), path.lost, &path.not_intact[..]), (PathState::Alive, 1, &[guilty][..]));
    }
}

#[test]
fn files_are_checked_with_files_that_burn_no_hash() {
    let network = Network { delay_median: Duration::from_millis(20), ..Network::default() };
    let mechanism = FilteredFiles {
        seed: 3,
        originals: 4,
        kind: ContentKind::Image,
        planted: vec![Planted::KnownHashes],
        learns_after: Duration::from_secs(30),
        network: network.clone(),
    };
    let exposure = ExposedFiles {
        seed: 3,
        pairs: 4,
        surveilled: true,
        learns_after: Duration::from_secs(30),
        handling: FileHandling::default(),
        delays: vec![Duration::from_secs(60)],
        network,
    };
    for (study, policy) in [mechanism.make(), exposure.make()] {
        let checked = check(&study, &policy, &[], 3, everybody(&study));
        let studied = checked.engine.study();
        let candidates = study.items.iter().filter(|item| item.role != Role::Control).filter_map(|item| item.file.as_ref());
        let burnt: Vec<_> = candidates.map(|file| &file.facts.md5).collect();
        assert!(!burnt.is_empty());
        for record in checked.engine.evidence().probes() {
            let item = studied.item(record.probe.items[0]);
            let file = item.file.as_ref().expect("candidates are files, and so are controls");
            assert!(!burnt.contains(&&file.facts.md5), "{}", item.id);
        }
        assert!(checked.paths.iter().all(|path| path.arrived == 3), "{:?}", checked.paths);
    }
}

#[test]
fn a_control_that_shares_its_md5_with_a_candidate_is_not_sent() {
    let mechanism = FilteredFiles {
        seed: 3,
        originals: 4,
        kind: ContentKind::Image,
        planted: vec![Planted::KnownHashes],
        learns_after: Duration::from_secs(30),
        network: Network::default(),
    };
    let (mut study, _) = mechanism.make();
    let candidate = study.items_of(Role::Candidate).find_map(|item| study.item(item).file.clone()).unwrap();
    let (kept, taken) = (harmless(&study), harmless(&study)[0]);
    study.items[taken.get()].file.as_mut().unwrap().facts.md5 = candidate.facts.md5;
    assert_eq!(harmless(&study), kept[1..]);
}

#[test]
fn random_checks_send_controls_alone_and_account_for_every_message() {
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    for case in 0..CASES {
        let text = write_case(case);
        let Prepared { study, policy, faults } =
            Scenario::parse(&text).and_then(|scenario| scenario.prepare()).unwrap_or_else(|error| panic!("{error}"));
        // A check is not gone on with.
        let faults: Vec<Fault> = faults.into_iter().filter(|fault| fault.kind != FaultKind::Crash).collect();
        let messages = u32::try_from(case % 12 + 1).unwrap();
        let listens: Vec<bool> =
            (0..study.accounts.len() as u64).map(|account| case % 3 > 0 || (case + account) % 5 > 0).collect();
        let checked = check(&study, &policy, &faults, messages, listens.clone());
        let again = check(&study, &policy, &faults, messages, listens);
        assert_eq!(checked.entries, again.entries, "case {case}:\n{text}");
        let (studied, evidence) = (checked.engine.study(), checked.engine.evidence());
        assert!(studied.items.iter().all(|item| item.role == Role::Control), "case {case}");
        assert!(evidence.probes().len() as u64 <= study.safety.max_messages, "case {case}:\n{text}");
        let mut of_account: BTreeMap<_, u64> = BTreeMap::new();
        for (index, channel) in studied.channels() {
            let sent = evidence.sent_on(index).len() as u64;
            assert!(sent <= u64::from(messages), "case {case}:\n{text}");
            *of_account.entry(channel.sender).or_default() += sent;
        }
        let most = study.safety.max_messages_per_account_per_day;
        assert!(of_account.values().all(|sent| *sent <= most), "case {case}:\n{text}");
        for path in &checked.paths {
            let parts = path.arrived + path.lost + path.awaited + path.refused + path.rate_limited + path.failed + path.unknown;
            assert_eq!(path.sent, parts, "case {case}: {path:?}\n{text}");
            *states.entry(path.state().as_str()).or_default() += 1;
        }
        let started = checked.entries.iter().filter(|(_, entry)| matches!(entry, Entry::Fact(Fact::SendStarted { .. })));
        assert_eq!(started.count(), evidence.probes().len(), "case {case}");
    }
    println!("{states:?}");
    assert_eq!(states.len(), 6, "{states:?}");
}
