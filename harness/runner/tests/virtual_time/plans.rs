//! Plans of experiments on any adapter, and what they warn of.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_model::adapter::Settings;
use lacuna_model::{CountryCode, Duration, Item, Role, Study};
use lacuna_platform::ADAPTERS;
use lacuna_records::experiment::{self, Experiment};
use lacuna_runner::generated::Generated;
use lacuna_runner::plan::{Plan, WarningKind, plan};

use crate::run::Run;

fn of(study: Study) -> Experiment {
    let accounts = vec![Settings::new(); study.accounts.len()];
    Experiment {
        study,
        platform: Settings::new(),
        accounts,
        policy: None,
        inputs: Vec::new(),
        files: Vec::new(),
        predecessor: None,
        overrides: Vec::new(),
    }
}

/// Two regions of two accounts, controls like the candidates, and a canary.
fn sound() -> Study {
    let (mut study, _) = Generated { senders: 2, recipients: 4, ..Generated::new(3, 40) }.make();
    let elsewhere: CountryCode = "DE".parse().unwrap();
    for account in study.accounts.iter_mut().rev().take(2) {
        account.registered_in = elsewhere;
    }
    let last = study.items.iter().rposition(|item| item.role == Role::Candidate).unwrap();
    study.items[last].role = Role::Canary;
    study
}

fn kinds(plan: &Plan) -> BTreeSet<String> {
    plan.warnings.iter().map(|it| format!("{:?}", it.kind)).collect()
}

fn warned(change: impl FnOnce(&mut Study)) -> Plan {
    let mut study = sound();
    change(&mut study);
    plan(&of(study), &[])
}

#[test]
fn a_plan_is_the_same_twice_and_comes_close_to_a_run() {
    let (study, policy) = Generated { prevalence: 0.05, ..Generated::new(5, 200) }.make();
    let experiment = Experiment { policy: Some(policy.clone()), ..of(study.clone()) };
    let planned = plan(&experiment, &[]);
    assert_eq!(planned, plan(&experiment, &[]));
    assert!(!planned.delays.assumed);
    assert_eq!((planned.candidates, planned.questions, planned.units), (200, 200, 200));
    let cell = planned.cells.iter().find(|cell| cell.blocked == 10 && cell.loss == 0.0).unwrap();
    let run = Run::drive(&Arc::new(study), &policy, &[]);
    let (sent, mean) = (run.engine.progress().sent as f64, cell.messages.mean.unwrap());
    assert!((sent / mean - 1.0).abs() < 0.3, "{sent} messages, planned {mean}");
    let (took, most) = (run.duration().as_secs_f64(), cell.longest_s);
    assert!(took < most * 1.5, "{took} s, planned at most {most}");
    assert!(planned.cells.iter().all(|cell| cell.false_discovery_rate.mean.unwrap() <= 0.01));
    assert_eq!(cell.power.mean, Some(1.0));
    assert!(cell.power.low.unwrap() > 0.9 && cell.power.standard_error.is_some());
}

#[test]
fn every_adapter_can_be_planned() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments/xmpp-regions.toml");
    let (loaded, problems) = experiment::load(&path, ADAPTERS, &[], &|_| Ok(()));
    let loaded = loaded.unwrap_or_else(|| panic!("{problems:#?}"));
    let planned = plan(&loaded, &[]);
    assert_eq!((planned.adapter.as_str(), planned.delays.assumed), ("xmpp", true));
    assert!(planned.expected().unwrap().messages.mean.unwrap() > 100.0);
    assert!(planned.cells.iter().all(|cell| cell.unfinished == 0), "{:#?}", planned.cells);
}

#[test]
fn a_long_list_is_sampled_and_scaled_up() {
    let (short, _) = Generated::new(7, 1_500).make();
    let (long, _) = Generated::new(7, 7_500).make();
    let (short, long) = (plan(&of(short), &[]), plan(&of(long), &[]));
    assert_eq!((short.simulated_candidates, long.simulated_candidates), (1_500, 2_000));
    let messages = |plan: &Plan| plan.expected().unwrap().messages.mean.unwrap();
    let ratio = messages(&long) / messages(&short);
    assert!((4.0..6.0).contains(&ratio), "five times the candidates need {ratio} times the messages");
    assert!(long.accounts[0].messages > 4.0 * short.accounts[0].messages);
}

/// What is done to a sound study.
type Flaw<'a> = &'a dyn Fn(&mut Study);

#[test]
fn a_sound_plan_warns_of_nothing_and_each_flaw_is_told() {
    assert_eq!(warned(|_| {}).warnings, []);
    let flaws: [(WarningKind, Flaw); 7] = [
        (WarningKind::MessageBudget, &|it| it.safety.max_messages = 20),
        (WarningKind::DailyBudget, &|it| it.safety.max_messages_per_account_per_day = 20),
        (WarningKind::LowPower, &|it| it.decision.max_probes_per_item = 1),
        (WarningKind::FewAccounts, &|it| it.accounts[5].registered_in = "JP".parse().unwrap()),
        (WarningKind::NoCanaries, &|it| it.items.retain(|item| item.role != Role::Canary)),
        (WarningKind::FewControls, &|it| {
            let mut kept = 0;
            it.items.retain(|item| {
                kept += u32::from(item.role == Role::Control);
                item.role != Role::Control || kept <= 5
            });
        }),
        (WarningKind::ControlScript, &|it| rewrite(it, |text| "я".repeat(text.chars().count()))),
    ];
    for (kind, flaw) in flaws {
        assert_eq!(kinds(&warned(flaw)), BTreeSet::from([format!("{kind:?}")]));
    }
    let long = kinds(&warned(|it| rewrite(it, |text| text.repeat(30))));
    assert_eq!(long, BTreeSet::from(["ControlLength".to_owned()]));
}

/// Rewrites the controls; each stays different from the others.
fn rewrite(study: &mut Study, text: impl Fn(&str) -> String) {
    for (number, item) in study.items.iter_mut().enumerate() {
        if item.role == Role::Control {
            let message = format!("{}{}", text(&item.message), "1".repeat(number % 2));
            *item = Item { message: message.into(), ..item.clone() };
        }
    }
}

#[test]
fn what_was_sent_today_counts_and_slow_sending_takes_its_time() {
    let mut study = sound();
    study.safety.max_messages_per_account_per_day = 400;
    let planned = plan(&of(study.clone()), &[]);
    assert_eq!(kinds(&planned), BTreeSet::new(), "{:?}", planned.accounts);
    let spent = plan(&of(study.clone()), &[350, 0]);
    assert_eq!(kinds(&spent), BTreeSet::from(["DailyBudget".to_owned()]));
    assert_eq!(spent.accounts.iter().map(|it| it.sent_today).collect::<Vec<_>>(), [350, 0]);
    assert!(spent.warnings[0].text.contains("`sender-1`"), "{}", spent.warnings[0].text);

    study.pacing.min_gap = Duration::from_secs(60);
    let slow = plan(&of(study), &[]);
    let time = |plan: &Plan| plan.expected().unwrap().duration_s.mean.unwrap();
    assert!(time(&slow) > 10.0 * time(&planned), "{} s, and {} s without a gap", time(&slow), time(&planned));
    assert!(time(&slow) > 59.0 * slow.accounts[0].messages, "{} s for {:?}", time(&slow), slow.accounts);
}

#[test]
fn assumed_shares_of_a_short_list_are_whole_items_and_what_is_known_is_one_of_them() {
    let mut study = sound();
    let shares = |plan: &Plan| plan.cells.iter().map(|cell| cell.blocked).collect::<BTreeSet<_>>();
    let planned = plan(&of(study.clone()), &[]);
    assert_eq!(shares(&planned), BTreeSet::from([1, 2, 4]));
    assert_eq!(planned.expected().unwrap().blocked, 1);
    for item in study.items.iter_mut().filter(|item| item.role == Role::Candidate).take(20) {
        item.prior.expected_dropped = Some(item.id.as_str().len() % 2 == 0);
    }
    let said = study.items.iter().filter(|item| item.prior.expected_dropped == Some(true)).count();
    let planned = plan(&of(study), &[]);
    let expected = planned.expected().unwrap();
    assert!((expected.prevalence - said as f64 / 20.0).abs() < 0.03, "{said} of 20 are said to be dropped: {expected:?}");
    assert_eq!((expected.loss, expected.burst_length), (0.01, 1.0));
}

#[test]
fn the_example_of_the_documentation_can_be_planned() {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments/quickstart.toml");
    let (loaded, problems) = experiment::load(&path, ADAPTERS, &[], &|_| Ok(()));
    let planned = plan(&loaded.unwrap_or_else(|| panic!("{problems:#?}")), &[]);
    assert!(planned.most_messages() < planned.bounds.max_messages);
    assert!(!kinds(&planned).contains("LowPower"), "{:?}", planned.warnings);
}
