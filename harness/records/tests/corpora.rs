//! The corpora and the quickstart policy of this repository belong together.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lacuna_records::corpus::{self, Corpus, Expected};
use toml::de::{DeTable, DeValue};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(name: &str) -> Corpus {
    let folder = repository().join("corpora").join(name);
    assert_eq!(corpus::lint(&folder), [], "{name} has problems");
    corpus::load(&folder).0.expect("a corpus without problems loads")
}

struct Rule {
    id: String,
    all: Vec<String>,
    unless: Vec<String>,
    action: String,
}

fn rules() -> Vec<Rule> {
    let text = std::fs::read_to_string(repository().join("experiments/policies/registration-keyed.toml")).unwrap();
    let policy = DeTable::parse(&text).unwrap();
    let texts = |table: &DeTable<'_>, key: &str| -> Vec<String> {
        let list = table.get(key).and_then(|value| value.get_ref().as_array());
        list.into_iter().flat_map(|list| list.iter()).filter_map(|value| value.get_ref().as_str()).map(str::to_owned).collect()
    };
    let rule = |value: &toml::Spanned<DeValue<'_>>| {
        let table = value.get_ref().as_table().unwrap();
        let text = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str()).unwrap().to_owned();
        Rule { id: text("id"), all: texts(table, "all"), unless: texts(table, "unless"), action: text("action") }
    };
    policy.get_ref().get("rule").unwrap().get_ref().as_array().unwrap().iter().map(rule).collect()
}

fn holds(rule: &Rule, message: &str) -> bool {
    rule.all.iter().all(|component| message.contains(component)) && !rule.unless.iter().any(|word| message.contains(word))
}

#[test]
fn quickstart_and_its_controls_are_large_enough_and_of_the_same_scripts() {
    let (candidates, controls) = (read("quickstart"), read("controls-zh"));
    assert!(candidates.items.len() >= 60 && controls.items.len() >= 60);
    let languages = |corpus: &Corpus| corpus.items.iter().map(|item| item.language.clone()).collect::<BTreeSet<_>>();
    assert_eq!(languages(&candidates), ["bo", "en", "ug", "zh-Hans", "zh-Hant"].map(str::to_owned).into());
    assert_eq!(languages(&controls), languages(&candidates));
    let longest = |corpus: &Corpus| corpus.items.iter().map(|item| item.text.chars().count()).max().unwrap();
    assert!(longest(&controls).abs_diff(longest(&candidates)) <= 4);
    let combinations =
        |corpus: &Corpus| corpus.items.iter().filter(|item| item.components.len() > 1).count() * 10 / corpus.items.len();
    assert!(combinations(&controls).abs_diff(combinations(&candidates)) <= 2, "controls should look like candidates");
}

/// Each rule is met by a candidate, no candidate by two rules, and `expected` says what the action shows as.
#[test]
fn what_quickstart_expects_is_what_its_policy_does() {
    let rules = rules();
    let mut met = BTreeSet::new();
    let mut acted_on = 0;
    for item in &read("quickstart").items {
        let message = item.components.join(" ");
        let matching: Vec<&Rule> = rules.iter().filter(|rule| holds(rule, &message)).collect();
        assert!(matching.len() <= 1, "{} meets several rules", item.id);
        let expected = match matching.first().map(|rule| rule.action.as_str()) {
            None => Some(Expected::Delivered),
            Some("drop") => Some(Expected::Dropped),
            // Refused, masked, retracted and held are neither; the notes say which.
            Some(_) => None,
        };
        assert_eq!(item.expected, expected, "{} {}", item.id, item.text);
        if let Some(rule) = matching.first() {
            acted_on += 1;
            met.insert(rule.id.clone());
            assert!(
                item.notes.starts_with(&format!("{}:", rule.id)),
                "the notes of {} name another rule than {}",
                item.id,
                rule.id
            );
        }
    }
    assert_eq!(met, rules.iter().map(|rule| rule.id.clone()).collect());
    assert!((25..=35).contains(&acted_on), "{acted_on} candidates are acted on");
    let actions: BTreeSet<&str> = rules.iter().map(|rule| rule.action.as_str()).collect();
    assert_eq!(actions, ["drop", "hold", "mask", "refuse", "retract"].into());
}

/// A candidate meets all components of the rule with the `unless` and its disabling word, and another one lacks the word.
#[test]
fn the_unless_rule_has_a_candidate_on_either_side() {
    let rules = rules();
    let rule = rules.iter().find(|rule| !rule.unless.is_empty()).unwrap();
    let items = read("quickstart").items;
    let all = |text: &str| rule.all.iter().all(|component| text.contains(component));
    let disabled = |text: &str| rule.unless.iter().any(|word| text.contains(word));
    assert!(items.iter().any(|item| all(&item.text) && disabled(&item.text)));
    assert!(items.iter().any(|item| all(&item.text) && !disabled(&item.text)));
}

#[test]
fn no_control_holds_a_word_of_any_rule() {
    let rules = rules();
    for item in &read("controls-zh").items {
        assert_eq!(item.expected, Some(Expected::Delivered));
        for rule in &rules {
            for word in rule.all.iter().chain(&rule.unless) {
                assert!(!item.text.contains(word), "control {} `{}` holds `{word}` of {}", item.id, item.text, rule.id);
            }
        }
    }
}
