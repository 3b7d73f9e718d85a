//! The keys of an experiment file.

use std::ops::Bound::{Excluded, Included};

use lacuna_model::DesignKind;
use lacuna_model::adapter::{AdapterSpec, SettingForm, SettingSpec};

use super::file_designs::{exposure_shape, mechanism_shape};
use crate::toml_reader::{Form, Key, Need, Shape};

const LARGEST_COUNT: i64 = u16::MAX as i64;

/// The whole file. With an adapter, `[platform]` and `[[account]]` take its keys; without one they take any key of any
/// adapter, and others too.
pub(crate) fn experiment(adapters: &[AdapterSpec], adapter: Option<&AdapterSpec>) -> Shape {
    let arms = Form::Tables { of: arm(), least: 1 };
    let accounts = Form::Tables { of: account(adapters, adapter), least: 1 };
    Shape::new(vec![
        Key::required("schema", Form::Version(1), "the version of the file format: 1"),
        Key::required("name", Form::Name, "names the folder of the runs"),
        Key::with_default("question", Form::Text, "''", "what the experiment asks, in the researcher's words"),
        Key::required(
            "design",
            Form::Choice { of: DesignKind::ALL.map(DesignKind::as_str).to_vec(), reserved: &[] },
            "screen: which items are dropped, for whom; isolate: which words of the texts that are dropped are to blame; mechanism: \
             what of a file a filter looks at, and when; exposure: whether files shown outside a region are dropped inside",
        ),
        Key::with_default("seed", Form::Integer { least: 0, most: i64::MAX }, "0", "every random choice is derived from it"),
        Key::with_default("platform", Form::Table(platform(adapters, adapter)), "{}", "where messages are sent"),
        Key::required("account", accounts, "the accounts of the researcher; nobody else is ever written to"),
        Key::required("arm", arms, "who sends to whom, and where"),
        Key::required("corpora", Form::Table(corpora()), "what is sent"),
        Key::with_default("decision", Form::Table(decision()), "{}", "what it takes to claim something"),
        Key::with_default("then", Form::Table(then()), "{}", "what follows a screen"),
        Key::with_default("mechanism", Form::Table(mechanism_shape()), "{}", "how design = \"mechanism\" asks"),
        Key::optional("exposure", Form::Table(exposure_shape()), "what design = \"exposure\" shows where"),
        Key::optional("predecessor", Form::Table(predecessor()), "the runs that this experiment goes on from"),
        Key::with_default("watch", Form::Table(watch()), "{}", "how long to look"),
        Key::with_default("pacing", Form::Table(pacing()), "{}", "how fast an account may be"),
        Key::with_default("safety", Form::Table(safety()), "{}", "when to stop"),
    ])
}

fn platform(adapters: &[AdapterSpec], adapter: Option<&AdapterSpec>) -> Shape {
    let names = Form::Choice { of: adapters.iter().map(|adapter| adapter.name).collect(), reserved: &[] };
    let mut keys = vec![Key::with_default("adapter", names, "'simulator'", "the kind of platform")];
    keys.extend(settings(adapters, adapter, |adapter| adapter.platform, true));
    Shape { keys, open: adapter.is_none() }
}

fn account(adapters: &[AdapterSpec], adapter: Option<&AdapterSpec>) -> Shape {
    let mut keys = vec![
        Key::required("id", Form::Name, "a pseudonym: results show nothing else of the account"),
        Key::required("registered-in", Form::Country, "where the account was registered: ISO 3166-1 alpha-2, in capitals"),
        Key::required("located-in", Form::Country, "where the account connects from: ISO 3166-1 alpha-2, in capitals"),
        Key::optional("client", Form::Words, "the client software that the account uses"),
    ];
    keys.extend(settings(adapters, adapter, |adapter| adapter.account, false));
    Shape { keys, open: adapter.is_none() }
}

/// The keys of one adapter, or those of all that do not contradict each other. What exactly one of must be given is not
/// required by itself.
fn settings(
    adapters: &[AdapterSpec],
    adapter: Option<&AdapterSpec>,
    of: fn(&AdapterSpec) -> &'static [SettingSpec],
    with_alternatives: bool,
) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for adapter in adapter.map_or(adapters, std::slice::from_ref) {
        for setting in of(adapter) {
            let alternative = with_alternatives && adapter.one_of.contains(&setting.key);
            if keys.iter().all(|key| key.name != setting.key) {
                keys.push(setting_key(setting, alternative));
            }
        }
    }
    if adapter.is_none() {
        for key in &mut keys {
            key.need = Need::Optional;
        }
    }
    keys
}

fn setting_key(setting: &SettingSpec, alternative: bool) -> Key {
    let form = match setting.form {
        SettingForm::Text => Form::Words,
        SettingForm::Path => Form::Path,
        SettingForm::Secret => Form::Secret,
        SettingForm::Boolean => Form::Boolean,
    };
    if setting.required && !alternative {
        Key::required(setting.key, form, setting.help)
    } else {
        Key::optional(setting.key, form, setting.help)
    }
}

fn arm() -> Shape {
    Shape::new(vec![
        Key::required("id", Form::Name, "names the arm in the results"),
        Key::required("senders", Form::some(Form::Name), "ids of accounts; probes rotate over them"),
        Key::required("recipients", Form::some(Form::Name), "ids of accounts; the receiving of each is measured"),
        Key::required("venue", Form::choice(&["direct", "group", "feed"]), "the kind of place"),
        Key::optional("venue-id", Form::Words, "an existing group or feed, as the platform calls it; else one is made"),
    ])
}

fn corpora() -> Shape {
    Shape::new(vec![
        Key::required("candidates", Form::some(Form::Path), "folders of corpora: the items under test"),
        Key::required(
            "controls",
            Form::some(Form::Path),
            "folders of corpora: neutral items, by which a path is known to be alive",
        ),
        Key::with_default(
            "canaries",
            Form::list(Form::Path),
            "[]",
            "folders of corpora: items known to be dropped, by which a filter is known to act; sent last",
        ),
        Key::with_default(
            "rules",
            Form::list(Form::Path),
            "[]",
            "folders of corpora: rules of earlier lists, an item a keyword combination; where texts are isolated, those that one holds \
             are tried first, and all of them teach what rules look like",
        ),
    ])
}

fn decision() -> Shape {
    let rate = || Form::Number((Excluded(0.0), Excluded(1.0)));
    Shape::new(vec![
        Key::with_default(
            "false-positive-rate",
            rate(),
            "0.001",
            "per item, arm and recipient: how often one that is not blocked may be called dropped",
        ),
        Key::with_default(
            "false-discovery-rate",
            rate(),
            "0.01",
            "over the run: the expected share of false ones among all items × arms × recipients that are called dropped",
        ),
        Key::with_default(
            "max-probes-per-item",
            Form::Integer { least: 1, most: i64::from(u32::MAX) },
            "12",
            "how often an item is sent alone on an arm before it is given up as inconclusive",
        ),
        Key::with_default(
            "max-messages-per-text",
            Form::Integer { least: 1, most: i64::from(u32::MAX) },
            "400",
            "how many messages isolating one text may take for one recipient",
        ),
        Key::with_default(
            "pooling",
            Form::choice(&["auto", "off"]),
            "'auto'",
            "auto: several items may share a message, where that saves messages; off: every item is sent alone",
        ),
        Key::optional(
            "replicates",
            Form::Integer { least: 2, most: i64::from(u32::MAX) },
            "so many sends of every item, without an early stop and without pools: rates of enforcement instead of a screen",
        ),
    ])
}

fn predecessor() -> Shape {
    Shape::new(vec![
        Key::required(
            "runs",
            Form::Path,
            "a run's folder, or the folder of all runs of an experiment (its newest ten are read); where none is there yet, all is asked",
        ),
        Key::with_default(
            "retest-above",
            Form::Number((Included(0.0), Excluded(1.0))),
            "0.0",
            "blocked items are asked again once they have changed with this probability, by how often items did, delivered ones with a twentieth of it; 0: all in every run",
        ),
        Key::with_default(
            "retest-sample",
            Form::Number((Included(0.0), Included(1.0))),
            "0.1",
            "the share of the other known items that is asked nevertheless, drawn anew for every run",
        ),
    ])
}

fn then() -> Shape {
    Shape::new(vec![Key::with_default(
        "isolate",
        Form::Boolean,
        "false",
        "which words of the longer items and of the combinations that are dropped are to blame",
    )])
}

fn watch() -> Shape {
    Shape::new(vec![
        Key::with_default(
            "grace",
            Form::DurationOrAuto,
            "'2s'",
            "how long to wait after the closing evidence; auto learns it from the delays seen",
        ),
        Key::with_default("late", Form::Duration, "'10s'", "how long to keep listening after the last send"),
        Key::with_default(
            "bracket-messages",
            Form::Integer { least: 1, most: LARGEST_COUNT },
            "4",
            "a missing message counts only if one of so many before it and one of so many after it arrived",
        ),
    ])
}

fn pacing() -> Shape {
    Shape::new(vec![
        Key::with_default("min-gap", Form::Duration, "'0s'", "between two sends of an account"),
        Key::with_default(
            "in-flight",
            Form::Integer { least: 1, most: LARGEST_COUNT },
            "1",
            "unacknowledged sends of an account",
        ),
        Key::with_default("confirm-after", Form::Duration, "'0s'", "a confirming send waits at least this long"),
        Key::with_default("cool-off", Form::Duration, "'0s'", "the rest of an account after a drop"),
    ])
}

fn safety() -> Shape {
    let count = Form::Integer { least: 1, most: i64::MAX };
    Shape::new(vec![
        Key::with_default("max-messages", count.clone(), "5000", "messages of the whole run"),
        Key::with_default(
            "max-messages-per-account-per-day",
            count,
            "500",
            "messages of an account on one UTC day, over all runs that share a results folder",
        ),
        Key::with_default(
            "stop-after-sanctions",
            Form::Integer { least: 1, most: i64::from(u32::MAX) },
            "1",
            "accounts limited, suspended or logged out after which the run stops",
        ),
    ])
}
