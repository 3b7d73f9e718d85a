//! The figures of a report: for each the rows that it shows, one file of CSV, and how they are drawn.

pub mod contrasts;
pub mod latency;
pub mod shares;
pub mod timeline;
pub mod verdicts;

use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::evidence::Evidence;

use crate::chart::Chart;
use crate::run::Run;

/// The names of all figures. Every run has them all, so that a missing file is a missing file; one without rows says so.
pub const NAMES: [&str; 5] = [verdicts::NAME, shares::NAME, contrasts::NAME, timeline::NAME, latency::NAME];

/// A figure: its rows, and its picture.
pub struct Figure<R> {
    /// What is shown, row by row.
    pub rows: Vec<R>,
    /// The picture, a whole SVG document.
    pub svg: String,
}

/// All figures of a run.
pub struct Figures {
    /// Items by arms and recipients.
    pub verdicts: Figure<verdicts::Row>,
    /// How much of each category is kept from whom.
    pub shares: Figure<shares::Row>,
    /// Differences between regions, senders and venues.
    pub contrasts: Figure<contrasts::Row>,
    /// What happened when.
    pub timeline: Figure<timeline::Row>,
    /// How long messages took.
    pub latency: Figure<latency::Row>,
}

impl<R> Figure<R> {
    fn new(rows: Vec<R>, chart: &Chart) -> Self {
        Self { svg: chart.svg().into_string() + "\n", rows }
    }
}

impl Figures {
    pub(crate) fn of(run: &Run<'_>, evidence: &Evidence, conclusion: &Conclusion) -> Self {
        let study = evidence.study();
        Self {
            verdicts: verdicts::figure(study, &conclusion.verdicts),
            shares: shares::figure(study, conclusion),
            contrasts: contrasts::figure(study, &conclusion.contrasts),
            timeline: timeline::figure(run, evidence),
            latency: latency::figure(evidence),
        }
    }
}

/// How many small multiples stand side by side.
fn beside(panels: usize) -> usize {
    match panels {
        0..=2 => panels.max(1),
        4 => 2,
        _ => 3,
    }
}

/// A chart without anything on it.
fn nothing(name: &'static str, title: &str, why: &str) -> Chart {
    use crate::chart::{Axis, Mark, Panel, Scale, Ticks};
    let hidden = || Axis::new("", Scale::linear(0.0, 1.0, Ticks::Hidden));
    let words = Mark::Words { at: (0.0, 0.5), text: why.to_owned() };
    let panel = Panel { title: Vec::new(), x: hidden(), y: hidden(), height: 24.0, marks: vec![words] };
    Chart { name, title: title.to_owned(), description: why.to_owned(), legend: Vec::new(), columns: 1, panels: vec![panel] }
}
