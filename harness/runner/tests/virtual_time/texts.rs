//! What was found in texts, as a scenario writes it.

use lacuna_inference::isolation::Matching;
use lacuna_inference::rules::TextRecord;
use lacuna_model::Study;
use lacuna_runner::truth::Triggers;

/// The rules of a text, and `…` where something is left open.
pub fn written(record: &TextRecord, study: &Study) -> Vec<String> {
    let text = study.joined(&record.items);
    let part = |range: &std::ops::Range<usize>| text[range.clone()].to_owned();
    let mut rules: Vec<String> = Vec::new();
    for rule in &record.rules {
        let joiner = if rule.matching == Matching::Ordered { " > " } else { " + " };
        let mut line = rule.components.iter().map(part).collect::<Vec<_>>().join(joiner);
        for combination in &rule.unless {
            line += " unless ";
            line += &combination.iter().map(part).collect::<Vec<_>>().join(" + ");
        }
        if !rule.certified {
            line += " ?";
        }
        rules.push(line);
    }
    if record.window.is_some() {
        rules.push("…".to_owned());
    }
    rules
}

/// How the search stands.
pub fn state(record: &TextRecord) -> String {
    let alone: Vec<String> = record.rules.iter().map(|rule| format!("{}/{} alone", rule.blocked_alone, rule.alone)).collect();
    format!("{:?} after {} messages: {}", record.status, record.messages, alone.join(", "))
}

/// The rules of a text that are certified and are none.
pub fn wrong(record: &TextRecord, triggers: &Triggers) -> Vec<String> {
    let part = |range: &std::ops::Range<usize>| &record.text[range.clone()];
    let is_wrong = |components: &[&str], unless: &[Vec<&str>]| {
        let lifted = |exception: &Vec<&str>| triggers.is_lifted_by(record.arm, record.recipient, components, exception);
        !triggers.is_minimal(record.arm, record.recipient, components) || !unless.iter().all(lifted)
    };
    let certified = record.rules.iter().filter(|rule| rule.certified);
    let wrong = certified.filter_map(|rule| {
        let components: Vec<&str> = rule.components.iter().map(part).collect();
        let unless: Vec<Vec<&str>> = rule.unless.iter().map(|it| it.iter().map(part).collect()).collect();
        is_wrong(&components, &unless).then(|| format!("{components:?} unless {unless:?} in {:?}", record.text))
    });
    wrong.collect()
}
