//! An evaluation as tables for people.

use std::fmt::Write as _;

use console::style;
use lacuna_model::ArmIx;
use lacuna_runner::assessment::{Assessment, Estimate, MEASURES, Measure, Over};

use super::Told;
use crate::table::{align_numbers, table, width};
use crate::visible::visible;

/// The measures that stand beside each arm, and under which header.
const BY_ARM: [(&str, &str); 6] = [
    ("candidate_messages_per_item", "messages\nper item"),
    ("controls_per_candidate_message", "controls\nper message"),
    ("false_positive_rate", "false\npositives"),
    ("false_discovery_rate", "false\ndiscoveries"),
    ("power", "power"),
    ("inconclusive", "inconclusive"),
];

/// The text.
pub fn text(told: &Told<'_>) -> String {
    let mut text = headline(told);
    text += "\nAll arms together\n";
    text += &measures(told);
    if told.evaluation.study.arms.len() > 1 {
        text += "\nBy arm\n";
        text += &arms(told);
    }
    text += &course(told);
    for file in [told.rows, told.summary] {
        text += &visible(&file.display().to_string());
        text.push('\n');
    }
    text
}

fn headline(told: &Told<'_>) -> String {
    let study = &told.evaluation.study;
    let name = style(visible(&study.name)).bold();
    let runs = match told.evaluation.runs.len() {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    };
    let (policy, seed, took) = (visible(told.policy), study.seed, told.took.as_secs_f64());
    format!("{name} against the policy {policy}: {runs} in virtual time, seed {seed}, in {took:.1} s\n")
}

fn measures(told: &Told<'_>) -> String {
    let mut table = table(width());
    table.set_header(["measure", "mean", "standard error", "95 % interval", "counted"]);
    for measure in MEASURES {
        let estimate = told.evaluation.estimate(measure, None);
        let interval = estimate.interval.map(|(low, high)| format!("{} to {}", value(measure, low), value(measure, high)));
        table.add_row([
            measure.name.replace('_', " "),
            mean(measure, &estimate),
            estimate.standard_error.map_or_else(|| "–".to_owned(), |error| value(measure, error)),
            interval.unwrap_or_else(|| "–".to_owned()),
            format!("{} of {}", estimate.count, estimate.of),
        ]);
    }
    align_numbers(&mut table);
    table.trim_fmt() + "\n"
}

fn arms(told: &Told<'_>) -> String {
    let headed = |measure: &'static Measure| Some((measure, BY_ARM.iter().find(|(name, _)| *name == measure.name)?.1));
    let shown: Vec<(&Measure, &str)> = MEASURES.iter().filter_map(headed).collect();
    let mut table = table(width());
    table.set_header(std::iter::once("arm".to_owned()).chain(shown.iter().map(|(_, header)| (*header).to_owned())));
    for (index, arm) in (0u16..).zip(&told.evaluation.study.arms) {
        let cells = shown.iter().map(|(measure, _)| mean(measure, &told.evaluation.estimate(measure, Some(ArmIx(index)))));
        table.add_row(std::iter::once(arm.id.to_string()).chain(cells));
    }
    align_numbers(&mut table);
    table.trim_fmt() + "\n"
}

/// How the runs ended, how long they took on the clock of the platform, and what the busiest account sent.
fn course(told: &Told<'_>) -> String {
    let evaluation = told.evaluation;
    let ends = evaluation.ends();
    let ends: Vec<String> = ends.iter().map(|(reason, runs)| format!("{runs} {}", reason.replace('_', " "))).collect();
    let seconds = |run: &Assessment| run.duration.as_secs_f64();
    let mean = evaluation.runs.iter().map(seconds).sum::<f64>() / evaluation.runs.len().max(1) as f64;
    let longest = evaluation.runs.iter().map(seconds).fold(0.0, f64::max);
    let mut text = format!("\nRuns: {}. On the platform's clock they last {mean:.0} s in the mean", ends.join(", "));
    let loads = evaluation.runs.iter().flat_map(|run| evaluation.study.accounts.iter().zip(&run.loads));
    let busiest = loads.max_by_key(|(_, load)| load.busiest_day);
    let account =
        busiest.map(|(account, load)| format!("; on one day {} sends at most {} messages", account.id, load.busiest_day));
    // Writing to a string cannot fail.
    let _ = writeln!(text, ", {longest:.0} s at most{}.", account.unwrap_or_default());
    text
}

fn mean(measure: &Measure, estimate: &Estimate) -> String {
    estimate.mean.map_or_else(|| "–".to_owned(), |mean| value(measure, mean))
}

/// A share in per cent, all else as it is.
fn value(measure: &Measure, value: f64) -> String {
    match measure.over {
        Over::Each => format!("{value:.4}"),
        Over::Share | Over::Claims => format!("{:.3} %", value * 100.0),
    }
}
