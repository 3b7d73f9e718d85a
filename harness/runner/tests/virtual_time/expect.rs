//! What a scenario expects, and how a run differs from it.

use std::collections::BTreeSet;

use lacuna_inference::verdicts::{self, VerdictRecord};
use lacuna_inference::{account_effects, rules};
use lacuna_model::{Outcome, Purpose, Reason, Role, Study, Unit, Verdict};
use lacuna_runner::truth::Triggers;
use serde::Deserialize;
use toml::{Table, Value};

use crate::run::Run;
use crate::{scenario, texts};

/// `[expect]`
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expect {
    /// `"item / arm / recipient" = "verdict"`; the last line that fits decides.
    #[serde(default)]
    verdicts: Table,
    /// Items that may not be called dropped for anybody.
    #[serde(default)]
    never_dropped: Vec<String>,
    /// Outcomes of candidates and canaries that must be seen in at least one of the runs.
    #[serde(default)]
    outcomes: Vec<String>,
    /// Reasons that must be given in at least one of the runs.
    #[serde(default)]
    reasons: Vec<String>,
    /// Purposes of sends that must be seen in at least one of the runs.
    #[serde(default)]
    purposes: Vec<String>,
    /// Why each run may stop; else `finished`.
    stopped: Option<Vec<String>>,
    /// `"event account"`: what must be inferred of accounts in each run, and nothing else may be.
    #[serde(default)]
    accounts: Vec<String>,
    /// `"item / arm / recipient" = ["a + b", "c > d unless e", …]`: what is found in each text, in any order. `>` wants an order, a rule
    /// that is not certified has `?` behind it, `…` stands for what is left open, and `*` for anything more or nothing.
    #[serde(default)]
    rules: Table,
    max_messages: Option<u64>,
    max_controls_per_candidate: Option<f64>,
    max_duration: Option<String>,
    /// At least one run must last that long.
    min_duration: Option<String>,
}

impl Expect {
    /// Everything in which a run differs, one line each.
    pub fn differences(&self, run: &Run) -> Result<Vec<String>, String> {
        let lines = self.lines(&run.study)?;
        let mut differences = Vec::new();
        for record in &run.verdicts {
            let expected = lines.iter().rev().find(|line| line.pattern.fits(&run.study, record));
            if expected.is_some_and(|line| !line.allowed.iter().any(|it| it.fits(record))) {
                let expected = expected.map_or("", |line| line.written.as_str());
                differences.push(format!("{}: expected {expected}, got {}", unit(&run.study, record), claim(record)));
            }
            if expected.is_none() && !lines.is_empty() {
                differences.push(format!("{}: no line says what is expected; got {}", unit(&run.study, record), claim(record)));
            }
        }
        for pattern in &self.never_dropped {
            let pattern = Pattern::read(pattern);
            let wrong = run.verdicts.iter().filter(|it| it.verdict == Verdict::Dropped && pattern.fits(&run.study, it));
            differences.extend(wrong.map(|it| format!("{}: called dropped: {}", unit(&run.study, it), claim(it))));
        }
        let expected = self.stopped.as_deref().map_or("finished".to_owned(), |reasons| reasons.join(" or "));
        let fits = expected.split(" or ").any(|reason| reason == run.stop_reason());
        if !fits {
            differences.push(format!("stopped: expected {expected}, got {}", run.stop_reason()));
        }
        let evidence = run.engine.evidence();
        let effects = account_effects::derive(evidence, &verdicts::tallies(evidence));
        let effects = effects.iter().map(|it| format!("{} {}", it.effect.as_str(), run.study.account(it.account).id));
        let effects: Vec<String> = effects.collect();
        if effects != self.accounts {
            differences.push(format!("inferred of accounts: expected {:?}, got {effects:?}", self.accounts));
        }
        differences.extend(self.differences_of_rules(run)?);
        let messages = run.engine.progress().sent;
        if self.max_messages.is_some_and(|most| messages > most) {
            differences.push(format!("{messages} messages were sent"));
        }
        let candidates = run.messages(&[Role::Candidate, Role::Canary]).max(1);
        let controls = run.messages(&[Role::Control]) as f64 / candidates as f64;
        if self.max_controls_per_candidate.is_some_and(|most| controls > most) {
            differences.push(format!("{controls:.2} controls were sent per candidate"));
        }
        if let Some(most) = &self.max_duration
            && run.duration() > scenario::duration(most)?
        {
            differences.push(format!("it lasted {} s", run.duration().as_secs_f64()));
        }
        Ok(differences)
    }

    fn differences_of_rules(&self, run: &Run) -> Result<Vec<String>, String> {
        let evidence = run.engine.evidence();
        let records = rules::derive(evidence, &verdicts::tallies(evidence));
        let triggers = Triggers::new(&run.study, &run.policy);
        let mut differences = Vec::new();
        let mut used = vec![false; self.rules.len()];
        for record in &records {
            let unit = Unit { item: record.items[0], arm: record.arm, recipient: record.recipient };
            let name = names(&run.study, unit).join(" / ");
            let wrong = texts::wrong(record, &triggers);
            differences.extend(wrong.into_iter().map(|rule| format!("{name}: certified, and no smallest trigger: {rule}")));
            let mut lines = self.rules.iter().enumerate();
            let found = texts::written(record, &run.study);
            match lines.rfind(|(_, (key, _))| Pattern::read(key).fits_names(names(&run.study, unit))) {
                None => differences.push(format!("{name}: no line says which rules are expected; got {found:?}")),
                Some((line, (key, value))) => {
                    used[line] = true;
                    let expected: Option<BTreeSet<&str>> =
                        value.as_array().and_then(|all| all.iter().map(Value::as_str).collect());
                    let expected = expected.ok_or_else(|| format!("`{key}`: write a list of rules"))?;
                    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
                    let fits = if expected.contains("*") {
                        expected.iter().all(|it| *it == "*" || found.contains(it))
                    } else {
                        found == expected
                    };
                    if !fits {
                        differences
                            .push(format!("{name}: expected the rules {expected:?}, got {found:?} ({})", texts::state(record)));
                    }
                }
            }
        }
        let missing = self.rules.keys().zip(used).filter(|(_, used)| !used);
        differences.extend(missing.map(|(key, _)| format!("{key}: no text was searched")));
        Ok(differences)
    }

    /// What none of the runs showed.
    pub fn missing(&self, runs: &Seen) -> Result<Vec<String>, String> {
        let mut missing = Vec::new();
        for outcome in &self.outcomes {
            let outcome =
                Outcome::ALL.iter().find(|it| it.as_str() == outcome).ok_or_else(|| format!("no outcome `{outcome}`"))?;
            if !runs.outcomes.contains(outcome) {
                missing.push(format!("the outcome `{outcome}` was never seen"));
            }
        }
        for reason in &self.reasons {
            let reason = find_reason(reason)?;
            if !runs.reasons.contains(&reason) {
                missing.push(format!("the reason `{reason}` was never given"));
            }
        }
        for purpose in &self.purposes {
            let purpose =
                Purpose::ALL.iter().find(|it| it.as_str() == purpose).ok_or_else(|| format!("no purpose `{purpose}`"))?;
            if !runs.purposes.contains(purpose) {
                missing.push(format!("nothing was sent for the purpose `{purpose}`"));
            }
        }
        if let Some(least) = &self.min_duration
            && runs.longest < scenario::duration(least)?
        {
            missing.push(format!("no run lasted longer than {} s", runs.longest.as_secs_f64()));
        }
        Ok(missing)
    }

    fn lines(&self, study: &Study) -> Result<Vec<Line>, String> {
        let lines: Vec<Line> = self.verdicts.iter().map(|(key, value)| Line::read(key, value)).collect::<Result<_, _>>()?;
        let unused = lines.iter().find(|line| !line.pattern.names_something(study));
        unused.map_or(Ok(()), |line| Err(format!("`{}` fits no item, arm and recipient", line.pattern.written)))?;
        Ok(lines)
    }
}

/// What was seen over all runs of a scenario.
#[derive(Default)]
pub struct Seen {
    outcomes: BTreeSet<Outcome>,
    reasons: BTreeSet<Reason>,
    purposes: BTreeSet<Purpose>,
    longest: lacuna_model::Duration,
}

impl Seen {
    pub fn add(&mut self, run: &Run) {
        self.outcomes.extend(Outcome::ALL.iter().filter(|outcome| run.outcomes(**outcome) > 0));
        self.purposes.extend(Purpose::ALL.iter().filter(|purpose| run.sent_to(**purpose) > 0));
        self.reasons.extend(run.verdicts.iter().filter_map(|record| record.reason));
        self.longest = self.longest.max(run.duration());
    }
}

/// One line of `[expect.verdicts]`.
struct Line {
    pattern: Pattern,
    written: String,
    allowed: Vec<Claim>,
}

impl Line {
    fn read(key: &str, value: &Value) -> Result<Self, String> {
        let written: Vec<&str> = match value {
            Value::String(one) => vec![one],
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            _ => return Err(format!("`{key}`: write a verdict, or a list of those allowed")),
        };
        let allowed = written.iter().map(|text| Claim::read(text)).collect::<Result<_, _>>()?;
        Ok(Self { pattern: Pattern::read(key), written: written.join(" or "), allowed })
    }
}

/// A verdict, and for `inconclusive: reason` its reason.
struct Claim {
    verdict: Verdict,
    reason: Option<Reason>,
}

impl Claim {
    fn read(text: &str) -> Result<Self, String> {
        let (verdict, reason) = text.split_once(": ").map_or((text, None), |(verdict, reason)| (verdict, Some(reason)));
        let verdict = Verdict::ALL.iter().find(|it| it.as_str() == verdict).ok_or_else(|| format!("no verdict `{verdict}`"))?;
        Ok(Self { verdict: *verdict, reason: reason.map(find_reason).transpose()? })
    }

    fn fits(&self, record: &VerdictRecord) -> bool {
        self.verdict == record.verdict && (self.reason.is_none() || self.reason == record.reason)
    }
}

fn find_reason(name: &str) -> Result<Reason, String> {
    Reason::ALL.iter().find(|it| it.as_str() == name).copied().ok_or_else(|| format!("no reason `{name}`"))
}

/// `item / arm / recipient`; what is left out, and `*`, fits everything, and `n*` what begins with n.
struct Pattern {
    written: String,
    parts: Vec<String>,
}

impl Pattern {
    fn read(text: &str) -> Self {
        Self { written: text.to_owned(), parts: text.split('/').map(|part| part.trim().to_owned()).collect() }
    }

    fn fits_names(&self, names: [&str; 3]) -> bool {
        self.parts.iter().zip(names).all(|(part, name)| match part.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => part == name,
        })
    }

    fn fits(&self, study: &Study, record: &VerdictRecord) -> bool {
        self.fits_names(names(study, record.unit))
    }

    fn names_something(&self, study: &Study) -> bool {
        let tallies = lacuna_inference::tally::Tallies::new(std::sync::Arc::new(study.clone()));
        self.parts.len() <= 3 && tallies.units().any(|unit| self.fits_names(names(study, unit)))
    }
}

/// Item (without its corpus), arm and recipient.
fn names(study: &Study, unit: lacuna_model::Unit) -> [&str; 3] {
    let item = study.item(unit.item).id.as_str();
    let item = item.split_once('/').map_or(item, |(_, item)| item);
    [item, study.arm(unit.arm).id.as_str(), study.account(unit.recipient).id.as_str()]
}

pub fn unit(study: &Study, record: &VerdictRecord) -> String {
    names(study, record.unit).join(" / ")
}

/// The verdict, its reason, and the counts that are not zero.
pub fn claim(record: &VerdictRecord) -> String {
    let tally = &record.tally;
    let counts = [
        ("delivered", tally.delivered),
        ("delivered late", tally.delivered_late),
        ("dropped", tally.dropped),
        ("refused", tally.refused),
        ("altered", tally.altered),
        ("retracted", tally.retracted),
        ("void", tally.void),
        ("rate-limited", tally.rate_limited),
        ("failed", tally.send_failed),
        ("unknown", tally.unknown_submission),
    ];
    let counts: Vec<String> =
        counts.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
    let reason = record.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}{reason} ({} probes: {})", record.verdict, tally.probes, counts.join(", "))
}
