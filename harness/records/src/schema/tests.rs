#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use jsonschema::Validator;
use lacuna_model::Problem;
use lacuna_model::adapter::SettingForm;

use super::*;
use crate::experiment::tests::{ADAPTERS, data};
use crate::toml_reader::{Document, Problems};

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::meta::validate(schema).expect("the schema is no schema");
    jsonschema::draft202012::new(schema).unwrap()
}

/// A TOML text as JSON, and what the reader says of it.
fn json_of(text: &str) -> Value {
    let problems = Problems::default();
    let document = Document::parse("test.toml".as_ref(), text.as_bytes().to_vec(), &problems).unwrap();
    assert_eq!(problems.len(), 0, "{text}");
    plain(&toml_reader::Value::Table(document.root))
}

fn complaints(validator: &Validator, text: &str) -> Vec<String> {
    validator.iter_errors(&json_of(text)).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn read(name: &str) -> String {
    std::fs::read_to_string(data(name)).unwrap()
}

#[test]
fn the_schemas() {
    insta::assert_snapshot!("experiment", format!("{:#}", experiment(ADAPTERS)));
    insta::assert_snapshot!("policy", format!("{:#}", policy()));
    insta::assert_snapshot!("corpus", format!("{:#}", corpus()));
}

#[test]
fn good_files_are_valid_and_bad_ones_are_not() {
    let validator = self::validator(&experiment(ADAPTERS));
    for name in ["good/experiment.toml", "good/venues.toml"] {
        assert_eq!(complaints(&validator, &read(name)), Vec::<String>::new(), "{name}");
    }
    for name in ["bad/values.toml", "bad/references.toml", "bad/newer.toml", "bad/no-adapter.toml", "bad/policy-in-use.toml"] {
        assert_ne!(complaints(&validator, &read(name)), Vec::<String>::new(), "{name}");
    }
    let validator = self::validator(&policy());
    for name in ["good/policies/registration-keyed.toml", "good/policies/every-key.toml"] {
        assert_eq!(complaints(&validator, &read(name)), Vec::<String>::new(), "{name}");
    }
    assert_ne!(complaints(&validator, &read("bad/policy.toml")), Vec::<String>::new());
    let corpus = self::validator(&corpus());
    let head = KEYS.map(|key| format!("{} = \"x\"\n", key.key)).concat();
    assert_eq!(complaints(&corpus, &head), Vec::<String>::new());
    assert_ne!(complaints(&corpus, &format!("{head}colour = \"red\"")), Vec::<String>::new());
}

/// Every key of a schema, each as a TOML text that holds this key alone.
fn keys(schema: &Value, before: &str, table: &str, array: bool, found: &mut Vec<(String, String)>) {
    for (name, property) in schema["properties"].as_object().unwrap() {
        let path = if table.is_empty() { name.clone() } else { format!("{table}.{name}") };
        let header = match (table.is_empty(), array) {
            (true, _) => String::new(),
            (false, true) => format!("[[{table}]]\n"),
            (false, false) => format!("[{table}]\n"),
        };
        found.push((path.clone(), format!("{before}{header}{name} = 1\n")));
        if property.get("properties").is_some() {
            let before = if array { format!("{before}{header}") } else { before.to_owned() };
            keys(property, &before, &path, false, found);
        }
        if property["items"].get("properties").is_some() {
            keys(&property["items"], before, &path, true, found);
        }
    }
}

fn unknown(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.message == "unknown key")
}

/// The reader knows a key exactly if the schema does.
fn same_keys(schema: &Value, reader: impl Fn(&std::path::Path) -> Vec<Problem>, least: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.toml");
    let known_to_reader = |text: &str| {
        std::fs::write(&path, text).unwrap();
        !unknown(&reader(&path))
    };
    let validator = self::validator(schema);
    let known_to_schema = |text: &str| {
        let refused = |error: &String| error.contains("Additional properties") || error.contains("False schema");
        !complaints(&validator, text).iter().any(refused)
    };
    let mut found = Vec::new();
    keys(schema, "", "", false, &mut found);
    assert!(found.len() >= least, "only {} keys were found", found.len());
    for (key, text) in found {
        assert!(known_to_reader(&text), "the reader does not know `{key}`");
        assert!(known_to_schema(&text), "the schema does not know its `{key}`");
        let wrong = text.replace(" = 1\n", "-x = 1\n");
        assert!(!known_to_reader(&wrong), "the reader takes `{key}-x`");
        assert!(!known_to_schema(&wrong), "the schema takes `{key}-x`");
    }
}

#[test]
fn reader_and_schema_know_the_same_keys() {
    same_keys(&policy(), |path| policy::load(path).1, 30);
    for adapter in ADAPTERS {
        // The schema of one adapter alone, so that no other adapter's key is among its properties.
        let schema = experiment(std::slice::from_ref(adapter));
        let set = [format!("platform.adapter={}", adapter.name)];
        let reader = |path: &std::path::Path| {
            experiment::load_with(path, std::slice::from_ref(adapter), &set, &|_| Ok(()), &|_| (None, Vec::new())).1
        };
        same_keys(&schema, reader, 40);
    }
}

#[test]
fn an_adapter_does_not_take_the_keys_of_another() {
    let validator = self::validator(&experiment(ADAPTERS));
    let text = read("good/venues.toml");
    let one_more = |key: &str| text.replace("insecure = true", &format!("insecure = true, {key}"));
    assert_eq!(complaints(&validator, &text), Vec::<String>::new());
    assert_ne!(complaints(&validator, &one_more("policy = 'p.toml'")), Vec::<String>::new());
    assert_ne!(complaints(&validator, &text.replace("secret = \"env:B\"\n", "")), Vec::<String>::new());
    // The simulator is what is meant where nothing is said: it takes no address, and needs a policy.
    assert_ne!(complaints(&validator, &text.replace("adapter = \"xmpp\", ", "")), Vec::<String>::new());
    let text = read("good/experiment.toml");
    assert_eq!(complaints(&validator, &text.replace("adapter = \"simulator\"", "")), Vec::<String>::new());
    let without = text.replace("[platform]", "").replace("adapter = \"simulator\"", "").replace("policy = ", "# ");
    assert_ne!(complaints(&validator, &without), Vec::<String>::new());
}

#[test]
fn adapters_may_give_one_key_different_forms() {
    const fn taking(name: &'static str, platform: &'static [SettingSpec]) -> AdapterSpec {
        AdapterSpec { name, platform, account: &[], one_of: &[], separator: " ", max_text: 9, max_file: 0, captions: false }
    }
    const fn port(form: SettingForm) -> SettingSpec {
        SettingSpec { key: "port", form, required: false, help: "where to connect" }
    }
    const ADAPTERS: &[AdapterSpec] = &[taking("a", &[port(SettingForm::Text)]), taking("b", &[port(SettingForm::Boolean)])];
    let validator = self::validator(&experiment(ADAPTERS));
    let text = read("good/experiment.toml");
    for (adapter, value, right) in [("a", "'x'", true), ("a", "true", false), ("b", "true", true), ("b", "'x'", false)] {
        let text = text.replace("\"simulator\"", &format!("\"{adapter}\"")).replace("policy = ", &format!("port = {value} #"));
        assert_eq!(complaints(&validator, &text).is_empty(), right, "{adapter} {value}");
    }
}
