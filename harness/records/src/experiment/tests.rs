#![allow(clippy::unwrap_used, clippy::format_push_string, reason = "a test fails by panicking, and its texts are short")]

use std::path::{Path, PathBuf};

use lacuna_model::adapter::{AdapterSpec, SecretReference, SettingForm, SettingSpec};
use lacuna_model::{Location, Pooling, Problem};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::load::{Experiment, load_with};
use crate::corpus::{Corpus, CorpusItem, CorpusKind};

const fn setting(key: &'static str, form: SettingForm, required: bool) -> SettingSpec {
    SettingSpec { key, form, required, help: "a key of the adapter" }
}

pub(crate) const ADAPTERS: &[AdapterSpec] = &[
    AdapterSpec {
        name: "simulator",
        platform: &[setting("policy", SettingForm::Path, false), setting("url", SettingForm::Text, false)],
        account: &[],
        one_of: &["policy", "url"],
        separator: " ",
        max_text: 4000,
        max_file: 1000,
        captions: true,
    },
    AdapterSpec {
        name: "xmpp",
        platform: &[
            setting("domain", SettingForm::Text, true),
            setting("insecure", SettingForm::Boolean, false),
            setting("certificate", SettingForm::Path, false),
        ],
        account: &[setting("address", SettingForm::Text, true), setting("secret", SettingForm::Secret, true)],
        one_of: &[],
        separator: "，",
        max_text: 12,
        max_file: 0,
        captions: true,
    },
];

pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn item(line: usize, kind: CorpusKind, components: &[&str]) -> CorpusItem {
    CorpusItem {
        id: format!("i{line}"),
        kind,
        text: components.join("+"),
        components: components.iter().map(|&component| component.to_owned()).collect(),
        file: None,
        language: if line == 2 { "zh-Hant".to_owned() } else { String::new() },
        category: "news".to_owned(),
        expected: None,
        source_url: String::new(),
        date_added: String::new(),
        notes: String::new(),
        text_in_file: String::new(),
        metadata_in_file: String::new(),
        base: String::new(),
        transform: String::new(),
        variant: 0,
        twin_of: String::new(),
        same_md5_as: String::new(),
        line,
    }
}

/// Corpora by the name of their folder.
fn corpus(folder: &Path) -> (Option<Corpus>, Vec<Problem>) {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let items = match name.as_str() {
        "quickstart" => vec![item(2, CorpusKind::Text, &["新疆", "集中营"]), item(3, CorpusKind::Text, &["weather"])],
        "controls-zh" => vec![item(2, CorpusKind::Text, &["天气"])],
        "canaries" => vec![item(2, CorpusKind::Text, &["法轮功"])],
        "mixed" => vec![
            item(2, CorpusKind::Image, &["x"]),
            item(3, CorpusKind::Text, &["天气"]),
            item(4, CorpusKind::Text, &["thirteen char", "acters"]),
        ],
        "long" => {
            vec![item(2, CorpusKind::Text, &[&"字".repeat(2000)]), item(3, CorpusKind::Text, &[&"字".repeat(2001)])]
        }
        "same-id" => vec![item(2, CorpusKind::Text, &["y"])],
        "empty" => Vec::new(),
        _ => {
            let location = Location { file: folder.join("corpus.toml"), line: 0, column: 0 };
            return (None, vec![Problem { location, key: String::new(), message: "cannot be read".into(), fix: String::new() }]);
        }
    };
    let corpus = Corpus {
        id: if name == "same-id" { "quickstart".to_owned() } else { name.clone() },
        title: name.clone(),
        version: "1".into(),
        licence: "CC0-1.0".into(),
        source: String::new(),
        citation: String::new(),
        language: "zh-Hans".into(),
        content_warning: String::new(),
        component_joiner: Some("+".into()),
        sha256: format!("sha256-of-{name}"),
        items,
    };
    (Some(corpus), Vec::new())
}

fn secret_exists(secret: &SecretReference) -> Result<(), String> {
    match secret {
        SecretReference::Environment(name) if name == "MISSING" => Err("the variable is not set".to_owned()),
        SecretReference::Environment(_) | SecretReference::File(_) => Ok(()),
    }
}

fn load(path: &Path, overrides: &[&str]) -> (Option<Experiment>, Vec<Problem>) {
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    load_with(path, ADAPTERS, &overrides, &secret_exists, &corpus)
}

/// A problem a line, the folder of the tests left out.
pub(crate) fn shown(problems: &[Problem]) -> String {
    let folder = data("").display().to_string();
    problems.iter().map(|problem| format!("{problem}\n").replace(&folder, "")).collect()
}

#[test]
fn the_experiment_of_the_contract() {
    let (experiment, problems) = load(&data("good/experiment.toml"), &[]);
    assert_eq!(shown(&problems), "");
    let mut experiment = experiment.unwrap();
    for setting in experiment.platform.values_mut() {
        if let lacuna_model::adapter::Setting::Path(path) = setting {
            *path = path.strip_prefix(data("")).unwrap().to_owned();
        }
    }
    for input in &mut experiment.inputs {
        if let Ok(path) = input.path.strip_prefix(data("")) {
            input.path = path.to_owned();
        }
    }
    insta::assert_debug_snapshot!(experiment);
}

#[test]
fn venues_and_channels() {
    let (experiment, problems) = load(&data("good/venues.toml"), &[]);
    assert_eq!(shown(&problems), "");
    let study = experiment.unwrap().study;
    let name = |account: &lacuna_model::AccountIx| study.account(*account).id.to_string();
    let names = |accounts: &[lacuna_model::AccountIx]| accounts.iter().map(name).collect::<Vec<_>>().join(",");
    let mut text = String::new();
    for venue in &study.venues {
        text += &format!(
            "venue {} {} members {} existing {:?}\n",
            venue.id,
            venue.kind.as_str(),
            names(&venue.members),
            venue.existing
        );
    }
    for (index, channel) in study.channels() {
        let (arm, venue) = (study.arm(channel.arm), study.venue(channel.venue));
        assert!(arm.channels.contains(&index));
        text += &format!("channel {} {} -> {} in {}\n", arm.id, name(&channel.sender), names(&channel.recipients), venue.id);
    }
    for item in &study.items {
        text += &format!("item {} {} {} {}\n", item.id, item.role.as_str(), item.message, item.language);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_problem_of_a_bad_file_at_once() {
    for name in ["values", "references", "syntax", "newer", "no-adapter", "policy-in-use", "isolate"] {
        let (experiment, problems) = load(&data(&format!("bad/{name}.toml")), &[]);
        assert!(experiment.is_none(), "{name}");
        insta::assert_snapshot!(name, shown(&problems));
    }
}

#[test]
fn what_an_experiment_isolates() {
    let isolate = |overrides: &[&str]| {
        let (experiment, problems) = load(&data("good/isolate.toml"), overrides);
        assert_eq!(shown(&problems), "");
        let study = experiment.unwrap().study;
        let rules =
            |rule: &lacuna_model::IsolationRule| rule.rules.iter().map(|rule| rule.join("+")).collect::<Vec<_>>().join(" ");
        let isolation = study.isolation.as_ref().map(|rule| format!("{} {}", rule.max_messages_per_text, rules(rule)));
        (study.design.as_str(), study.decision.pooling, isolation)
    };
    let known = "法轮功 新疆+集中营 weather";
    assert_eq!(isolate(&[]), ("isolate", Pooling::Off, Some(format!("150 {known}"))));
    assert_eq!(isolate(&["decision.pooling=off"]), isolate(&[]));
    let screen = ["design=screen", "then.isolate=true"];
    assert_eq!(isolate(&screen), ("screen", Pooling::Auto, Some(format!("150 {known}"))));
    assert_eq!(isolate(&["design=screen", "corpora.rules=[]"]), ("screen", Pooling::Auto, None));
}

/// Each contradiction on its own; all of one file at once are in `bad/isolate.toml`.
#[test]
fn contradictions_are_named_where_they_stand() {
    let said = |overrides: &[&str]| {
        let (experiment, problems) = load(&data("good/isolate.toml"), overrides);
        assert_eq!(experiment.is_some(), problems.is_empty());
        problems.iter().map(|problem| problem.key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(said(&["design=screen"]), ["corpora.rules"]);
    assert_eq!(said(&["design=screen", "then.isolate=false"]), ["corpora.rules"]);
    assert_eq!(said(&["then.isolate=false"]), ["then.isolate"]);
    assert_eq!(said(&["design=screen", "then.isolate=true", "decision.replicates=30"]), ["decision.replicates"]);
    assert_eq!(said(&["design=screen", "then.isolate=true", "decision.pooling=auto"]), [""; 0]);
    let long = ["corpora.candidates=[\"../corpora/long\"]"];
    assert_eq!(said(&long), ["text"]);
    assert_eq!(said(&[long[0], "design=screen", "then.isolate=true"]), ["text"]);
    assert_eq!(said(&[long[0], "design=screen", "corpora.rules=[]"]), [""; 0]);
    // Who only serves as a control is never taken apart.
    assert_eq!(said(&["corpora.controls=[\"../corpora/long\"]"]), [""; 0]);
}

#[test]
fn a_file_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let missing = load(&folder.path().join("none.toml"), &[]).1;
    assert!(missing[0].message.starts_with("cannot be read"), "{missing:?}");
    let large = folder.path().join("large.toml");
    std::fs::File::create(&large).unwrap().set_len(10_000_001).unwrap();
    assert_eq!(load(&large, &[]).1[0].message, "is larger than 10 MB");
    let binary = folder.path().join("binary.toml");
    std::fs::write(&binary, b"schema = 1\nname = \"\xff\"").unwrap();
    let problem = &load(&binary, &[]).1[0];
    assert_eq!((problem.message.as_str(), problem.location.line, problem.location.column), ("is not UTF-8 text", 2, 9));
}

#[test]
fn overrides_change_any_key() {
    let (experiment, problems) = load(
        &data("good/experiment.toml"),
        &[
            "decision.false-positive-rate=0.5",
            "decision.false-positive-rate = 0.01",
            "arm.intl-to-cn-group.venue=direct",
            "arm.intl-to-cn-group.recipients=[\"cn-a\"]",
            "account.intl-b.located-in=DE",
            "watch.grace=auto",
            "seed=7",
            "platform.policy=policies/every-key.toml",
        ],
    );
    assert_eq!(shown(&problems), "");
    let experiment = experiment.unwrap();
    let study = experiment.study;
    assert!((study.decision.false_positive_rate - 0.01).abs() < 1e-12);
    assert_eq!(study.venues[0].id.as_str(), "direct:cn-a+intl-a");
    assert_eq!(study.accounts[1].located_in.as_str(), "DE");
    assert_eq!((study.watch.grace, study.seed), (None, 7));
    assert_eq!(experiment.policy.unwrap().name, "every-key");
}

#[test]
fn an_override_may_name_another_adapter() {
    let path = data("good/experiment.toml");
    let problems = load(&path, &["platform.adapter=xmpp", "platform.domain=example.test"]).1;
    let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert!(keys.contains(&"platform.policy") && keys.contains(&"account.cn-a.secret"), "{keys:?}");
    assert!(!keys.contains(&"platform.domain"), "{keys:?}");
}

/// They are kept with the results, where nothing may stand that the experiment itself does not show.
#[test]
fn overrides_can_be_shown() {
    let path = data("good/venues.toml");
    let given = ["account.a.secret=env:TOKEN", "account.a.address = alice@example.test", " seed = 7", "account.b.located-in=DE"];
    let (experiment, problems) = load(&path, &given);
    assert_eq!(shown(&problems), "");
    let kept = experiment.unwrap().overrides;
    assert_eq!(kept, ["account.a.secret=env:TOKEN", "account.a.address=…", " seed = 7", "account.b.located-in=DE"]);
    // Not even for the moment until another override replaces it.
    for secret in ["hunter2", "\"hunter2\"", "[\"hunter2\"]", "2222"] {
        let (experiment, problems) = load(&path, &[&format!("account.a.secret={secret}"), "account.a.secret=env:TOKEN"]);
        assert!(experiment.is_none(), "{secret}");
        let said = shown(&problems);
        assert!(
            said.contains("--set") && said.contains("account.a.secret") && !said.contains("222") && !said.contains("hunter"),
            "{said}"
        );
    }
}

#[test]
fn wrong_overrides_are_reported_as_such() {
    let (experiment, problems) = load(
        &data("good/experiment.toml"),
        &[
            "seed",
            "sede=1",
            "decision=1",
            "decision.false_positive_rate=1",
            "decision.max-probes-per-item=many",
            "arm.intl-to-cn.venue=direct",
            "arm.intl-to-cn-group=direct",
            "arm=direct",
            "account.cn-a.registered-in=CH,",
            "account.cn-a.address=x",
            "name.first=x",
            "watch.grace=5",
            "=",
            "",
        ],
    );
    assert!(experiment.is_none());
    insta::assert_snapshot!(shown(&problems));
}

#[test]
fn more_problems_than_anybody_reads_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.toml");
    let mut text = "schema = 1\n".to_owned();
    for index in 0..50_000 {
        text += &format!("key-{index} = 1\n");
    }
    std::fs::write(&path, text).unwrap();
    let problems = load(&path, &[]).1;
    assert_eq!(problems.len(), 201);
    // 50,000 unknown keys, and seven things that are missing.
    assert_eq!(problems[200].message, "49807 more problems are not listed");
}

#[test]
fn arms_beyond_the_indices_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.toml");
    let mut text = std::fs::read_to_string(data("good/experiment.toml")).unwrap();
    let ids = |side: &str| (0..300).map(|index| format!("{side}{index}")).collect::<Vec<_>>();
    for id in ids("s").iter().chain(&ids("r")) {
        text += &format!("[[account]]\nid = \"{id}\"\nregistered-in = \"CN\"\nlocated-in = \"CN\"\n");
    }
    text += &format!("[[arm]]\nid = \"wide\"\nsenders = {:?}\nrecipients = {:?}\nvenue = \"direct\"\n", ids("s"), ids("r"));
    std::fs::write(&path, text).unwrap();
    let problems = load(&path, &["platform.policy=/nonexistent"]).1;
    assert_eq!(problems.iter().filter(|problem| problem.key == "arm.wide").count(), 1, "{}", shown(&problems));
}

#[test]
fn a_large_file_with_syntax_errors_has_one_problem() {
    let (experiment, problems) = load_text(&b"=".repeat(2_000_000), &[]);
    assert!(experiment.is_none());
    assert_eq!(problems.len(), 1, "{}", problems[0]);
}

#[test]
fn what_a_file_says_does_not_reach_the_terminal_raw() {
    let problems = load_text(b"\"\\u001b[2J\" = 1", &[]).1;
    assert!(problems.iter().any(|problem| problem.key == "\\u{1b}[2J"), "{}", shown(&problems));
}

#[test]
fn hostile_nesting_ends_in_problems() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.toml");
    let dotted = vec!["a"; 70].join(".");
    for text in [
        format!("{dotted} = 1"),
        format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("a = {}1{}", format!("{{ {dotted} = ").repeat(70), "}".repeat(70)),
        "[[account]]\n".repeat(70_000),
    ] {
        std::fs::write(&path, text).unwrap();
        assert!(!load(&path, &[]).1.is_empty());
    }
}

fn load_text(text: &[u8], overrides: &[String]) -> (Option<Experiment>, Vec<Problem>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("experiment.toml");
    std::fs::write(&path, text).unwrap();
    load_with(&path, ADAPTERS, overrides, &secret_exists, &corpus)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (experiment, problems) = load_text(&bytes, &[]);
        prop_assert!(experiment.is_none() && !problems.is_empty());
    }

    /// A piece of the file is replaced by a piece of TOML: there is a result exactly if there is no problem, and a
    /// problem names a line of the file.
    #[test]
    fn no_mutation_panics(
        from in 0usize..3000,
        length in 0usize..40,
        to in prop_oneof![Just(""), Just("\n[["), Just("]]\n"), Just(" = {"), Just("}"), Just("\"\"\""), Just("1e999"), Just("中"), Just("id = 3\n")],
        key in "[a-z.=-]{0,12}",
        files in prop_oneof![Just("good/experiment.toml"), Just("good/venues.toml"), Just("bad/references.toml"), Just("bad/values.toml")],
    ) {
        let mut text: Vec<char> = std::fs::read_to_string(data(files)).unwrap().chars().collect();
        let from = from.min(text.len());
        let until = (from + length).min(text.len());
        text.splice(from..until, to.chars());
        let text: String = text.into_iter().collect();
        let overrides = if key.is_empty() { Vec::new() } else { vec![key] };
        let (experiment, problems) = load_text(text.as_bytes(), &overrides);
        prop_assert_eq!(experiment.is_some(), problems.is_empty());
        for problem in problems {
            prop_assert!(problem.location.line <= text.lines().count() + 1, "{}", problem);
        }
    }
}
