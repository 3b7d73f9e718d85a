//! A run as JUnit XML, for CI services that show such files.
//!
//! A test suite for each arm, a test case for each item and recipient. A finding is no failure: it is a property of its test case, and
//! nothing here ever is a `failure`. A case about which nothing can be concluded is `skipped` and says why. What is wrong with the harness, or
//! with what it was given, is an `error` of the first suite, which is about the run itself.
//!
//! Attributes and their order follow what Apache Ant writes and what most readers take (times in seconds, moments in UTC without a
//! zone).

use std::collections::BTreeMap;

use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::evidence::Evidence;
use lacuna_inference::mechanism::MechanismRecord;
use lacuna_inference::verdicts::VerdictRecord;
use lacuna_model::time_format::iso8601;
use lacuna_model::{AccountIx, ArmIx, Duration, ItemIx, Study, Timestamp};
use maud::{Markup, PreEscaped, html};

use crate::ending::Ending;
use crate::path::paths;
use crate::run::Run;
use crate::step_summary::is_finding;
use crate::text;
use crate::words;

const DECLARATION: PreEscaped<&str> = PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
const NEW_LINE: PreEscaped<&str> = PreEscaped("\n");

/// What is known of one case: an item for a recipient, or the run itself.
struct Case {
    name: String,
    properties: Vec<(&'static str, String)>,
    result: CaseResult,
}

/// How a case ended.
enum CaseResult {
    Passed,
    Skipped(String),
    Error(Vec<String>),
}

/// A suite with its cases.
struct Suite {
    name: String,
    at: Option<Timestamp>,
    took: Option<Duration>,
    properties: Vec<(String, String)>,
    cases: Vec<Case>,
}

/// The file of a run that has a journal.
#[must_use]
pub fn of_run(run: &Run<'_>, evidence: &Evidence, conclusion: &Conclusion, ending: Ending<'_>) -> String {
    let study = evidence.study();
    let mut cases: BTreeMap<ArmIx, Vec<Case>> = BTreeMap::new();
    if let (Some((record, _)), Some(rule)) = (&conclusion.files.exposure, &study.exposure) {
        use lacuna_inference::exposure::Surveillance;
        let dropped = ("twins_dropped", words::of(record.blocked.into(), record.twins.into()));
        let (properties, result) = match record.claim {
            Surveillance::Surveilled => (vec![("surveilled", "true".to_owned()), dropped], CaseResult::Passed),
            Surveillance::NotSurveilled => (vec![("surveilled", "false".to_owned()), dropped], CaseResult::Passed),
            Surveillance::Inconclusive(reason) => (vec![dropped], CaseResult::Skipped(words::reason(reason).to_owned())),
        };
        let name = format!("what is shown on {}", text::name(study.arm(rule.outside).id.as_str()).line());
        cases.entry(rule.inside).or_default().push(Case { name, properties, result });
    } else if study.mechanism.is_some() {
        for record in &conclusion.files.mechanisms {
            cases.entry(record.arm).or_default().push(of_mechanism(study, record));
        }
    } else {
        for record in &conclusion.verdicts {
            cases.entry(record.unit.arm).or_default().push(of_verdict(study, record));
        }
    }
    let mut suites = vec![of_ending(run.id.as_str(), ending, Some(run))];
    for (arm, it) in (0u16..).map(ArmIx).zip(&study.arms) {
        let on_arm = paths(study).into_iter().filter(|path| path.arm == arm);
        let loss = on_arm.map(|path| {
            let controls = conclusion.tallies.controls(arm, path.recipient);
            let recipient = text::name(study.account(path.recipient).id.as_str()).line();
            (format!("controls_lost {recipient}"), words::of(controls.losses, controls.sends))
        });
        suites.push(Suite {
            name: text::name(it.id.as_str()).line(),
            at: Some(run.opened_at),
            took: None,
            properties: loss.collect(),
            cases: cases.remove(&arm).unwrap_or_default(),
        });
    }
    written(&text::name(&study.name).line(), &suites)
}

/// The file of a run that could not begin, or of which nothing could be read.
#[must_use]
pub fn of_failure(experiment: &str, ending: Ending<'_>) -> String {
    let name = text::name(experiment).line();
    written(&name, &[of_ending(&name, ending, None)])
}

/// The suite about the run itself.
fn of_ending(name: &str, ending: Ending<'_>, run: Option<&Run<'_>>) -> Suite {
    let why = || run.and_then(Run::stopped).map(|reason| format!(": {}", words::stop(reason))).unwrap_or_default();
    let result = match ending {
        Ending::Done => CaseResult::Passed,
        Ending::Inconclusive | Ending::Safety | Ending::Interrupted => CaseResult::Skipped(ending.in_words().to_owned() + &why()),
        Ending::Failed(sentences) => CaseResult::Error(sentences.iter().map(|it| text::sentence(it).line()).collect()),
    };
    let took = run.and_then(|run| Some(run.sealed_at? - run.opened_at));
    let properties = match run {
        Some(run) => vec![("lacuna_version", run.lacuna_version.to_owned()), ("journal_hash", run.journal_hash.to_owned())],
        None => Vec::new(),
    };
    let case = Case { name: text::name(name).line(), properties, result };
    Suite { name: "run".to_owned(), at: run.map(|run| run.opened_at), took, properties: Vec::new(), cases: vec![case] }
}

fn named(study: &Study, item: ItemIx, recipient: AccountIx) -> String {
    let (item, recipient) = (&study.item(item).id, &study.account(recipient).id);
    format!("{} → {}", text::name(item.as_str()).line(), text::name(recipient.as_str()).line())
}

fn of_verdict(study: &Study, record: &VerdictRecord) -> Case {
    let mut properties = Vec::new();
    if is_finding(record.verdict) {
        let tally = &record.tally;
        properties.push(("verdict", record.verdict.as_str().to_owned()));
        properties.push(("text", text::excerpt(&study.item(record.unit.item).message).line()));
        let counts = [
            ("delivered", tally.delivered),
            ("delivered_late", tally.delivered_late),
            ("dropped", tally.dropped),
            ("refused", tally.refused),
            ("altered", tally.altered),
            ("retracted", tally.retracted),
        ];
        properties.extend(counts.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name, count.to_string())));
        let rates = [("e_value", record.e_value), ("q_value", record.q_value)];
        properties.extend(rates.into_iter().filter_map(|(name, value)| Some((name, words::number(value?)))));
    }
    let result = match record.reason {
        Some(reason) => CaseResult::Skipped(words::reason(reason).to_owned()),
        None => CaseResult::Passed,
    };
    Case { name: named(study, record.unit.item, record.unit.recipient), properties, result }
}

fn of_mechanism(study: &Study, record: &MechanismRecord) -> Case {
    let claims = record.claims.iter().filter(|claim| claim.supported == Some(true));
    let properties = claims.map(|claim| (claim.layer.as_str(), claim.mechanism.map_or("none", |it| it.as_str()).to_owned()));
    let properties: Vec<_> = properties.collect();
    let open = record.filtered.is_none() && properties.is_empty();
    let result = if open { CaseResult::Skipped("it is not known whether it is filtered".to_owned()) } else { CaseResult::Passed };
    Case { name: named(study, record.base, record.recipient), properties, result }
}

/// `1.5`, in seconds with milliseconds.
fn seconds(length: Duration) -> String {
    let ms = (length.as_micros() / 1_000).max(0);
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// To the second, without a zone.
fn moment(at: Timestamp) -> String {
    let text = iso8601(at);
    text.split('.').next().unwrap_or_default().to_owned()
}

impl Suite {
    fn count(&self, of: fn(&CaseResult) -> bool) -> usize {
        self.cases.iter().filter(|case| of(&case.result)).count()
    }

    fn errors(&self) -> usize {
        self.count(|it| matches!(it, CaseResult::Error(_)))
    }

    fn skipped(&self) -> usize {
        self.count(|it| matches!(it, CaseResult::Skipped(_)))
    }
}

fn written(experiment: &str, suites: &[Suite]) -> String {
    let sum = |count: fn(&Suite) -> usize| suites.iter().map(count).sum::<usize>();
    let document = html! {
        (DECLARATION)
        testsuites name={ "lacuna " (experiment) } tests=(sum(|it| it.cases.len())) failures="0" errors=(sum(Suite::errors)) skipped=(sum(Suite::skipped)) {
            (NEW_LINE)
            @for suite in suites { (suite_element(experiment, suite)) }
        }
        (NEW_LINE)
    };
    document.into_string()
}

fn suite_element(experiment: &str, suite: &Suite) -> Markup {
    html! {
        testsuite name=(suite.name) tests=(suite.cases.len()) failures="0" errors=(suite.errors()) skipped=(suite.skipped())
            timestamp=[suite.at.map(moment)] time=(suite.took.map_or_else(|| "0".to_owned(), seconds)) {
            (NEW_LINE)
            @if !suite.properties.is_empty() {
                properties { @for (name, value) in &suite.properties { property name=(name) value=(value) {} } } (NEW_LINE)
            }
            @for case in &suite.cases {
                testcase classname={ (experiment) "." (suite.name) } name=(case.name) time=(suite.took.map_or_else(|| "0".to_owned(), seconds)) {
                    @if !case.properties.is_empty() {
                        properties { @for (name, value) in &case.properties { property name=(name) value=(value) {} } }
                    }
                    @match &case.result {
                        CaseResult::Passed => {}
                        CaseResult::Skipped(why) => { skipped message=(why) {} }
                        CaseResult::Error(sentences) => {
                            error type="harness" message=(sentences.first().map_or("", String::as_str)) {
                                @for (place, sentence) in sentences.iter().enumerate() { @if place > 0 { (NEW_LINE) } (sentence) }
                            }
                        }
                    }
                }
                (NEW_LINE)
            }
        }
        (NEW_LINE)
    }
}
