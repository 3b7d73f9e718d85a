//! Published rules as the policy, and published keyword lists as the corpus: what a screen would have met on a real platform.
//!
//! The lists lie beside the repository, or where `LACUNA_SHARED` says. Their licence keeps them out of the repository, so
//! without them this test has nothing to do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_inference::conclusion::conclude;
use lacuna_model::policy::{Action, Condition, Policy, Rule};
use lacuna_model::{ContentKind, Duration, Item, Pooling, Prior, Role, Study, Verdict};
use lacuna_records::corpus::{self, ImportOptions};
use lacuna_runner::generated::Generated;
use lacuna_runner::truth::Truth;
use lacuna_runner::virtual_time;

/// Combinations that a messenger was found to drop.
const RULES: [&str; 4] = [
    "wechat/one_app_two_systems/wechat_blocked_keywords.csv",
    "wechat/709crackdown/all-keywords.csv",
    "wechat/lxb/liu_xiaobo_keywords_wechat.csv",
    "wechat/ncpc19/ncpc19_wechat.csv",
];

/// Keywords that search engines were found to filter.
const KEYWORDS: [&str; 3] = ["search/rules/baidu.txt", "search/rules/weibo.txt", "search/rules/sogou.txt"];

fn lists() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("LACUNA_SHARED").map_or_else(beside, PathBuf::from).join("data/citizenlab")
}

/// The distinct rows of some lists, each with its components.
fn rows(lists: &Path, files: &[&str]) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = BTreeSet::new();
    for (index, file) in files.iter().enumerate() {
        let options = ImportOptions {
            id: format!("list-{index}"),
            title: (*file).to_owned(),
            licence: "CC-BY-NC-SA-4.0".to_owned(),
            source: "https://github.com/citizenlab/chat-censorship".to_owned(),
            ..ImportOptions::default()
        };
        let out = folder.path().join(&options.id);
        corpus::import(&lists.join(file), &out, &options).unwrap();
        rows.extend(corpus::load(&out).0.expect("an import loads").items.into_iter().map(|item| item.components));
    }
    rows.into_iter().collect()
}

/// A study that asks about the keywords, on a platform that drops by the rules.
fn study(lists: &Path, loss: f64) -> (Arc<Study>, Policy) {
    let (mut study, mut policy) = Generated { pooling: Pooling::Auto, ..Generated::new(20_161_130, 1) }.make();
    let keywords = rows(lists, &KEYWORDS);
    let candidate = |(index, components): (usize, Vec<String>)| Item {
        id: format!("search/{index}").as_str().into(),
        role: Role::Candidate,
        kind: ContentKind::Text,
        file: None,
        message: components.join(&study.text.separator).into(),
        category: String::new(),
        language: String::new(),
        prior: Prior::default(),
    };
    let candidates: Vec<Item> = keywords.into_iter().enumerate().map(candidate).collect();
    study.items.retain(|item| item.role == Role::Control);
    study.items.splice(0..0, candidates);
    policy.rules = rows(lists, &RULES)
        .into_iter()
        .enumerate()
        .map(|(index, all)| Rule {
            id: format!("w{index}"),
            all,
            unless: Vec::new(),
            when: Condition::default(),
            action: Action::Drop,
            after: Duration::ZERO,
            enforcement: 1.0,
        })
        .collect();
    policy.network.loss = loss;
    (Arc::new(study), policy)
}

#[test]
fn no_keyword_is_called_dropped_that_the_published_rules_do_not_block_alone() {
    let lists = lists();
    if !lists.is_dir() {
        println!("left out: there are no lists at {}", lists.display());
        return;
    }
    for loss in [0.0, 0.01] {
        let (study, policy) = study(&lists, loss);
        let truth = Truth::new(&study, &policy);
        let engine = virtual_time::run(&study, &policy, &[], &mut |_, _| {});
        let concluded = conclude(engine.evidence());
        let mut by_claim: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        let mut wrong = Vec::new();
        for record in &concluded.verdicts {
            let handling = truth.of(record.unit);
            *by_claim.entry((handling.verdict.as_str(), record.verdict.as_str())).or_default() += 1;
            if !handling.admits(record.verdict) {
                wrong.push(format!("{}: {}", study.item(record.unit.item).id, record.verdict.as_str()));
            }
        }
        // Every combination that is reported is one: a rule is met by the whole, and by none of its items.
        for combination in &concluded.combinations {
            let texts: Vec<&str> = combination.items.iter().map(|item| &*study.item(*item).message).collect();
            let joined = texts.join(&study.text.separator);
            let meets = |text: &str| policy.rules.iter().any(|rule| rule.all.iter().all(|component| text.contains(component)));
            assert!(meets(&joined), "a combination meets no rule: {texts:?}");
            assert!(texts.iter().all(|text| !meets(text)), "a combination holds an item that is blocked alone: {texts:?}");
        }
        let sent = engine.progress();
        println!(
            "loss {loss}: {} keywords, {} rules; {} messages, {} of them controls; truth and claim {by_claim:?}; {} combinations",
            concluded.verdicts.len(),
            policy.rules.len(),
            sent.sent,
            sent.controls,
            concluded.combinations.len(),
        );
        assert!(wrong.is_empty(), "loss {loss}: {}", wrong.join(", "));
        assert!(concluded.verdicts.iter().all(|record| record.verdict != Verdict::Inconclusive), "loss {loss}");
        assert!(
            !concluded.combinations.is_empty(),
            "with so many rules of several words some pools are dropped for combinations"
        );
    }
}
