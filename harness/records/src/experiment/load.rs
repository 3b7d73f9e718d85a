//! From an experiment file to a study.

use std::path::{Path, PathBuf};

use lacuna_model::adapter::{AdapterSpec, SecretReference, Setting, Settings};
use lacuna_model::policy::Policy;
use lacuna_model::study::{DecisionRule, DesignKind, Pacing, Safety, Watch};
use lacuna_model::{IsolationRule, Pooling, Problem, Study, TextRules};

use super::accounts::Accounts;
use super::arms::Arms;
use super::file_designs::{FileDesigns, check as check_files};
use super::files::StudyFile;
use super::isolation::Isolates;
use super::items::{Items, LoadCorpus};
use super::overrides::to_be_shown;
use super::settings::{SecretExists, Surroundings, folder_of, one_of};
use super::shape;
use crate::policy;
use crate::predecessor::Predecessor;
use crate::toml_reader::{Cursor, Document, Problems, Value, check};

/// An experiment, read and checked together with everything that it names.
#[derive(Clone, PartialEq, Debug)]
pub struct Experiment {
    /// What the engine needs.
    pub study: Study,
    /// What `[platform]` gives to the adapter.
    pub platform: Settings,
    /// What each account gives to the adapter, in the order of the study.
    pub accounts: Vec<Settings>,
    /// The policy of the platform that the experiment starts for itself, where it does.
    pub policy: Option<Policy>,
    /// The files that were read.
    pub inputs: Vec<Input>,
    /// Where the bytes of the study's files are, in the order of its items.
    pub files: Vec<StudyFile>,
    /// The runs that it goes on from.
    pub predecessor: Option<Predecessor>,
    /// What the command line changed of the file, `KEY=VALUE`, in the order in which it was applied, as results may show it.
    pub overrides: Vec<String>,
}

/// A file or folder that an experiment was read from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// As it was written; relative to the experiment file, except for that file itself.
    pub path: PathBuf,
    /// In lower-case hexadecimal digits.
    pub sha256: String,
    /// What it is.
    pub kind: InputKind,
}

/// What a file is to an experiment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputKind {
    /// The experiment file.
    Experiment,
    /// The policy of a platform that is started for the run.
    Policy,
    /// A corpus.
    Corpus,
}

impl InputKind {
    /// The kind that the manifest writes like this.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Experiment, Self::Policy, Self::Corpus].into_iter().find(|kind| kind.as_str() == name)
    }

    /// As the manifest writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Experiment => "experiment",
            Self::Policy => "policy",
            Self::Corpus => "corpus",
        }
    }
}

/// Reads an experiment file, its corpora and its policy, and reports all their problems at once. There is a result only
/// if there is no problem.
///
/// `overrides` are `KEY=VALUE`, later ones win; `secret_exists` says whether a secret can be resolved, and why not.
#[must_use]
pub fn load(
    path: &Path,
    adapters: &[AdapterSpec],
    overrides: &[String],
    secret_exists: &dyn Fn(&SecretReference) -> Result<(), String>,
) -> (Option<Experiment>, Vec<Problem>) {
    load_with(path, adapters, overrides, secret_exists, &crate::corpus::load)
}

/// As [`load`], with corpora from anywhere.
pub(crate) fn load_with(
    path: &Path,
    adapters: &[AdapterSpec],
    overrides: &[String],
    secret_exists: SecretExists<'_>,
    load_corpus: LoadCorpus<'_>,
) -> (Option<Experiment>, Vec<Problem>) {
    let problems = Problems::default();
    let surroundings = Surroundings { base: folder_of(path), secret_exists };
    let experiment = read(path, adapters, overrides, &surroundings, load_corpus, &problems);
    problems.finish(experiment)
}

fn read(
    path: &Path,
    adapters: &[AdapterSpec],
    overrides: &[String],
    surroundings: &Surroundings<'_>,
    load_corpus: LoadCorpus<'_>,
    problems: &Problems,
) -> Option<Experiment> {
    let mut document = Document::open(path, problems)?;
    document.apply(overrides, &shape::experiment(adapters, None), problems);
    let name = adapter_name(&document);
    let adapter = adapters.iter().find(|adapter| adapter.name == name);
    let shape = shape::experiment(adapters, adapter);
    if !check(&document, &shape, problems) {
        return None;
    }
    let root = Cursor::root(&document, &shape);

    let mut inputs = vec![Input { path: path.to_owned(), sha256: document.sha256.clone(), kind: InputKind::Experiment }];
    let accounts = Accounts::read(&root, adapter, surroundings, problems);
    let arms = Arms::read(&root, &accounts, problems);
    let mut platform = Settings::new();
    let mut policy = None;
    if let (Some(adapter), Some(table)) = (adapter, root.table("platform")) {
        one_of(&table, adapter, problems);
        platform = surroundings.settings(&table, adapter.platform, problems);
        if let Some(Setting::Path(_)) = platform.get("policy")
            && let Some(written) = table.text("policy")
        {
            let file = surroundings.base.join(&written.value);
            if !file.exists() {
                let message = format!("there is no file {}", file.display());
                table.report(&written, &message, "name a policy file, relative to the experiment file", problems);
            } else if let Some(loaded) = policy::read(&file, problems) {
                loaded.check_accounts(&accounts, problems);
                inputs.push(Input { path: PathBuf::from(&written.value), sha256: loaded.sha256, kind: InputKind::Policy });
                policy = loaded.policy;
            }
        }
    }
    let isolates = Isolates::read(&root, problems);
    let designs = FileDesigns::read(&root, &accounts, &arms, problems);
    let corpora = root.table("corpora")?;
    let items = Items::read(&corpora, &surroundings.base, adapter, isolates, load_corpus, problems);
    inputs.extend(items.inputs);

    if problems.len() > 0 {
        return None;
    }
    let design = designs.kind().unwrap_or(isolates.design());
    let decision_table = root.table("decision")?;
    let max_messages_per_text = decision_table.whole("max-messages-per-text")?;
    let isolation = (isolates != Isolates::Nothing).then_some(IsolationRule { max_messages_per_text, rules: items.rules });
    let study = Study {
        name: root.text("name")?.value,
        question: root.text("question")?.value,
        design,
        seed: root.whole("seed")?,
        adapter: name,
        accounts: accounts.list,
        venues: arms.venues,
        arms: arms.list,
        channels: arms.channels,
        items: items.list,
        text: adapter.map_or_else(TextRules::default, |adapter| TextRules {
            separator: adapter.separator.into(),
            longest: adapter.max_text,
        }),
        decision: decision(&decision_table, design)?,
        watch: watch(&root.table("watch")?)?,
        pacing: pacing(&root.table("pacing")?)?,
        safety: safety(&root.table("safety")?)?,
        isolation,
        mechanism: designs.mechanism,
        exposure: designs.exposure,
        corpora: items.sources,
        earlier: None,
    };
    check_files(&study, &corpora, problems);
    let predecessor = root.table("predecessor").and_then(|table| predecessor(&table, surroundings));
    if predecessor.is_some() && !matches!(study.design, DesignKind::Screen | DesignKind::Isolate) {
        let table = root.key("predecessor");
        root.report(
            &table,
            "this design gives no verdicts that a later run could go on from",
            "leave it out, or use design = \"screen\"",
            problems,
        );
    }
    Some(Experiment {
        study,
        platform,
        accounts: accounts.settings,
        policy,
        inputs,
        files: items.files.list,
        predecessor,
        overrides: to_be_shown(overrides, adapters),
    })
}

fn predecessor(table: &Cursor<'_>, surroundings: &Surroundings<'_>) -> Option<Predecessor> {
    let written = table.text("runs")?.value;
    Some(Predecessor {
        runs: surroundings.absolute(&written),
        written: PathBuf::from(written),
        retest_above: table.number("retest-above")?,
        retest_sample: table.number("retest-sample")?,
    })
}

/// The adapter that comes with Lacuna.
const SIMULATOR: &str = "simulator";

/// Needed before the file can be checked, since the adapter declares some of the keys.
fn adapter_name(document: &Document) -> String {
    let written = match document.root.get("platform").map(|platform| &platform.value) {
        Some(Value::Table(platform)) => platform.get("adapter"),
        _ => None,
    };
    match written.map(|node| &node.value) {
        Some(Value::Text(name)) => name.clone(),
        Some(_) => String::new(),
        None => SIMULATOR.to_owned(),
    }
}

/// Texts are never pooled: what shares a message with one would be held against its words.
fn decision(table: &Cursor<'_>, design: DesignKind) -> Option<DecisionRule> {
    let pools = design == DesignKind::Screen && table.text("pooling")?.value == "auto";
    Some(DecisionRule {
        false_positive_rate: table.number("false-positive-rate")?,
        false_discovery_rate: table.number("false-discovery-rate")?,
        max_probes_per_item: table.whole("max-probes-per-item")?,
        pooling: if pools { Pooling::Auto } else { Pooling::Off },
        replicates: table.whole("replicates"),
    })
}

fn watch(table: &Cursor<'_>) -> Option<Watch> {
    Some(Watch {
        grace: table.duration_or_auto("grace")?.value,
        late: table.duration("late")?.value,
        bracket_messages: table.whole("bracket-messages")?,
    })
}

fn pacing(table: &Cursor<'_>) -> Option<Pacing> {
    Some(Pacing {
        min_gap: table.duration("min-gap")?.value,
        in_flight: table.whole("in-flight")?,
        confirm_after: table.duration("confirm-after")?.value,
        cool_off: table.duration("cool-off")?.value,
    })
}

fn safety(table: &Cursor<'_>) -> Option<Safety> {
    Some(Safety {
        max_messages: table.whole("max-messages")?,
        max_messages_per_account_per_day: table.whole("max-messages-per-account-per-day")?,
        stop_after_sanctions: table.whole("stop-after-sanctions")?,
    })
}
