//! An evaluation as CSV: a row for each arm of each run, and a summary with a row for each measure.
//!
//! Written as the tables of a run are: RFC 4180, UTF-8, LF, a missing value is an empty cell. Columns are only appended.

use std::io::{self, Write};

use lacuna_model::{Arm, ArmIx, Verdict};
use lacuna_records::projection::number;

use super::{Evaluation, end_of};
use crate::assessment::{ArmAssessment, Assessment, Estimate, MEASURES, Measure};

/// The version of both tables, the first cell of every row.
const SCHEMA_VERSION: &str = "1";

/// What a row of the first table is made from.
struct Row<'a> {
    evaluation: &'a Evaluation,
    repeat: usize,
    run: &'a Assessment,
    arm: &'a Arm,
    counts: &'a ArmAssessment,
}

/// What a row of the summary is made from; without an arm it is about all of them together.
struct Line<'a> {
    evaluation: &'a Evaluation,
    arm: Option<&'a Arm>,
    measure: &'a Measure,
    estimate: Estimate,
}

/// A column: its name, and how its cells are filled.
type Column<R> = (&'static str, fn(&R) -> String);

/// Writes a row for each run and arm.
pub fn write_rows(evaluation: &Evaluation, out: impl Write) -> io::Result<()> {
    let columns: [Column<Row<'_>>; 25] = [
        ("schema_version", |_| SCHEMA_VERSION.to_owned()),
        ("experiment", |row| row.evaluation.study.name.clone()),
        ("repeat", |row| row.repeat.to_string()),
        ("seed", |row| row.run.seed.to_string()),
        ("arm_id", |row| row.arm.id.to_string()),
        ("stop_reason", |row| end_of(row.run).to_owned()),
        ("duration_s", |row| seconds(row.run.duration)),
        ("items", |row| row.counts.items.to_string()),
        ("candidate_messages", |row| row.counts.messages.candidates.to_string()),
        ("pools", |row| row.counts.messages.pools.to_string()),
        ("controls", |row| row.counts.messages.controls.to_string()),
        ("spikes", |row| row.counts.messages.spikes.to_string()),
        ("calibration", |row| row.counts.messages.calibration.to_string()),
        ("audits", |row| row.counts.messages.audits.to_string()),
        ("certificates", |row| row.counts.messages.certificates.to_string()),
        ("canaries", |row| row.counts.messages.canaries.to_string()),
        ("units", |row| row.counts.verdicts.units.to_string()),
        ("blocked", |row| row.counts.verdicts.blocked.to_string()),
        ("found", |row| row.counts.verdicts.found.to_string()),
        ("falsely_dropped", |row| row.counts.verdicts.falsely_dropped.to_string()),
        ("wrong", |row| row.counts.verdicts.wrong.to_string()),
        ("drop_rate_intervals", |row| row.counts.verdicts.rate_intervals.to_string()),
        ("drop_rates_covered", |row| row.counts.verdicts.rates_covered.to_string()),
        ("enforcement_intervals", |row| row.counts.verdicts.enforcement_intervals.to_string()),
        ("enforcements_covered", |row| row.counts.verdicts.enforcements_covered.to_string()),
    ];
    let verdicts = Verdict::ALL.iter().map(|verdict| format!("verdict_{verdict}"));
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
    csv.write_record(columns.iter().map(|(name, _)| (*name).to_owned()).chain(verdicts))?;
    for (repeat, run) in evaluation.runs.iter().enumerate() {
        for (arm, counts) in evaluation.study.arms.iter().zip(&run.arms) {
            let row = Row { evaluation, repeat, run, arm, counts };
            let verdicts = counts.verdicts.by_verdict.iter().map(u64::to_string);
            csv.write_record(columns.iter().map(|(_, cell)| cell(&row)).chain(verdicts))?;
        }
    }
    csv.flush()
}

/// Writes a row for each measure, of all arms together and of each.
pub fn write_summary(evaluation: &Evaluation, out: impl Write) -> io::Result<()> {
    let columns: [Column<Line<'_>>; 12] = [
        ("schema_version", |_| SCHEMA_VERSION.to_owned()),
        ("experiment", |line| line.evaluation.study.name.clone()),
        ("seed", |line| line.evaluation.study.seed.to_string()),
        ("repeats", |line| line.evaluation.runs.len().to_string()),
        ("arm_id", |line| line.arm.map(|arm| arm.id.to_string()).unwrap_or_default()),
        ("measure", |line| line.measure.name.to_owned()),
        ("mean", |line| line.estimate.mean.map(number).unwrap_or_default()),
        ("standard_error", |line| line.estimate.standard_error.map(number).unwrap_or_default()),
        ("low", |line| line.estimate.interval.map(|(low, _)| number(low)).unwrap_or_default()),
        ("high", |line| line.estimate.interval.map(|(_, high)| number(high)).unwrap_or_default()),
        ("count", |line| line.estimate.count.to_string()),
        ("of", |line| line.estimate.of.to_string()),
    ];
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
    csv.write_record(columns.iter().map(|(name, _)| name))?;
    let arms = (0u16..).map(ArmIx).zip(&evaluation.study.arms).map(|(index, arm)| (Some(index), Some(arm)));
    for (index, arm) in std::iter::once((None, None)).chain(arms) {
        for measure in MEASURES {
            let line = Line { evaluation, arm, measure, estimate: evaluation.estimate(measure, index) };
            csv.write_record(columns.iter().map(|(_, cell)| cell(&line)))?;
        }
    }
    csv.flush()
}

/// In seconds, exact to the millisecond.
fn seconds(length: lacuna_model::Duration) -> String {
    let milliseconds = length.as_millis();
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}
