//! How long messages took to arrive, by arm and recipient.

use std::collections::BTreeMap;

use lacuna_inference::evidence::Evidence;
use lacuna_model::{AccountIx, ArmIx, Duration};
use libm::{floor, log10, pow};

use super::Figure;
use crate::chart::{Axis, Chart, Mark, Paint, Panel, Scale, Swatch, Ticks, whole};
use crate::colours::{BLACK, BLUE};
use crate::path::{Path, paths};
use crate::words;

/// The name of its files.
pub const NAME: &str = "latency";

/// Panels that are drawn; the CSV has all.
const MOST_PANELS: usize = 24;
/// Bins of a power of ten.
const BINS_A_DECADE: f64 = 8.0;
/// What took less counts as this; in milliseconds.
const LEAST: f64 = 0.1;

/// One bin of one histogram.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The arm.
    pub arm: ArmIx,
    /// The recipient.
    pub recipient: AccountIx,
    /// From so many milliseconds,
    pub from_ms: f64,
    /// up to so many.
    pub to_ms: f64,
    /// Messages that took so long.
    pub messages: u64,
}

/// What is said of a path's delays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Delays {
    pub messages: u64,
    pub median: Duration,
    pub p90: Duration,
    pub p99: Duration,
    pub longest: Duration,
}

/// All delays, by path, sorted.
pub(crate) fn delays(evidence: &Evidence) -> BTreeMap<Path, Vec<Duration>> {
    let mut delays: BTreeMap<Path, Vec<Duration>> = BTreeMap::new();
    for row in evidence.outcomes() {
        if let Some(latency) = row.latency {
            let arm = evidence.study().channel(evidence.probe(row.probe).probe.channel).arm;
            delays.entry(Path { arm, recipient: row.recipient }).or_default().push(latency);
        }
    }
    for of_path in delays.values_mut() {
        of_path.sort_unstable();
    }
    delays
}

/// The quantiles of sorted delays, each the smallest delay that so many do not exceed; `None` without one.
pub(crate) fn summary(sorted: &[Duration]) -> Option<Delays> {
    let quantile = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    Some(Delays {
        messages: sorted.len() as u64,
        median: quantile(50)?,
        p90: quantile(90)?,
        p99: quantile(99)?,
        longest: *sorted.last()?,
    })
}

pub(super) fn figure(evidence: &Evidence) -> Figure<Row> {
    let delays = delays(evidence);
    let ms = |delay: &Duration| (delay.as_micros() as f64 / 1e3).max(LEAST);
    let bin = |delay: &Duration| whole(floor(log10(ms(delay)) * BINS_A_DECADE));
    let edge = |bin: i32| pow(10.0, f64::from(bin) / BINS_A_DECADE);
    let all = || delays.values().flatten().map(bin);
    let (Some(first), Some(last)) = (all().min(), all().max()) else {
        return Figure::new(Vec::new(), &super::nothing(NAME, TITLE, "No message arrived"));
    };
    let mut rows = Vec::new();
    for (path, of_path) in &delays {
        let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
        for delay in of_path {
            *counts.entry(bin(delay)).or_default() += 1;
        }
        rows.extend(counts.into_iter().map(|(bin, messages)| Row {
            arm: path.arm,
            recipient: path.recipient,
            from_ms: edge(bin),
            to_ms: edge(bin + 1),
            messages,
        }));
    }
    let chart = chart(evidence, &delays, &rows, [edge(first), edge(last + 1)]);
    Figure::new(rows, &chart)
}

const TITLE: &str = "How long messages took to arrive";

fn chart(evidence: &Evidence, delays: &BTreeMap<Path, Vec<Duration>>, rows: &[Row], [from, to]: [f64; 2]) -> Chart {
    let study = evidence.study();
    let total = |path: &Path| delays.get(path).map_or(0, Vec::len).max(1) as f64;
    let of = |path: Path| rows.iter().filter(move |row| row.arm == path.arm && row.recipient == path.recipient);
    let paths: Vec<Path> = paths(study).into_iter().take(MOST_PANELS).collect();
    let highest = paths.iter().flat_map(|path| of(*path).map(|row| row.messages as f64 / total(path))).fold(0.0, f64::max);
    let panel = |path: &Path| {
        let sorted = delays.get(path).map_or(&[][..], Vec::as_slice);
        let bar = |row: &Row| Mark::Bar {
            from: (row.from_ms, 0.0),
            to: (row.to_ms, row.messages as f64 / total(path)),
            paint: Paint::Full(BLUE),
        };
        let mut marks: Vec<Mark> = of(*path).map(bar).collect();
        let said = summary(sorted).map_or_else(
            || "nothing arrived".to_owned(),
            |it| {
                marks.push(Mark::Rule { x: it.median.as_micros() as f64 / 1e3, colour: BLACK, dashed: false });
                format!("median {}, n = {}", words::length(it.median), words::count(it.messages))
            },
        );
        Panel {
            title: vec![path.arm_line(study), path.recipient_line(study), said],
            x: Axis::new("delay, logarithmic", Scale::log(from, to)),
            y: Axis::new("", Scale::linear(0.0, highest * 1.05, Ticks::Share)),
            height: 90.0,
            marks,
        }
    };
    let panels: Vec<Panel> = paths.iter().map(panel).collect();
    Chart {
        name: NAME,
        title: TITLE.to_owned(),
        description: format!(
            "A histogram of delays for each arm and recipient, on a logarithmic scale from {} to {} milliseconds; figures/{NAME}.csv has \
             the numbers.",
            words::number(from),
            words::number(to)
        ),
        legend: vec![
            (Swatch::Surface(Paint::Full(BLUE)), "share of the messages that arrived".to_owned()),
            (Swatch::Rule(BLACK, false), "median".to_owned()),
        ],
        columns: super::beside(panels.len()),
        panels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_delay_that_was_seen() {
        let sorted: Vec<Duration> = (1..=100).map(Duration).collect();
        let all = summary(&sorted).unwrap_or_else(|| panic!("there are delays"));
        assert_eq!((all.median, all.p90, all.p99, all.longest), (Duration(50), Duration(90), Duration(99), Duration(100)));
        assert_eq!(summary(&[Duration(7)]).map(|it| (it.median, it.p99)), Some((Duration(7), Duration(7))));
        assert_eq!(summary(&[]), None);
    }
}
