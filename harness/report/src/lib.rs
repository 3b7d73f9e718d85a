//! What a run found, as one page with figures: `report.html`, `figures/*.svg`, and the numbers of each figure; and for CI services
//! as Markdown ([`step_summary`]) and as JUnit XML ([`junit`]).
//!
//! [`report`] is a pure function of the evidence, of what is concluded from it, of a few facts of the run, and of what its files look
//! like ([`pictures`]). It does no I/O and reads no clock, so that a report is one more derived file: written, re-derived and verified like the tables.
//!
//! The page needs no script and asks nobody for anything; its Content Security Policy forbids both. What others wrote (corpora,
//! platforms, experiments) comes through the one module that makes it fit to be shown, `text`, and is escaped by `maud`. Charts
//! are values of a small grammar, `chart`; what is drawn is chosen in [`figures`], and nothing is computed here that is a claim: that
//! is done in `lacuna_inference`.

pub mod change_summary;
mod chart;
mod colours;
mod ending;
pub mod figures;
pub mod junit;
pub mod markdown;
mod marked;
mod page;
mod path;
pub mod pictures;
mod run;
pub mod step_summary;
mod text;
mod words;

use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::evidence::Evidence;

pub use ending::Ending;
use figures::Figures;
use page::Content;
use pictures::Pictures;
pub use run::{Deviation, Input, Registration, Run};

/// A report: the page, and the figures that stand in it.
pub struct Report {
    /// The page.
    pub html: String,
    /// The figures.
    pub figures: Figures,
}

/// Writes the report of a run. `conclusion` is of the same evidence, `pictures` are what its files look like.
#[must_use]
pub fn report(run: &Run<'_>, evidence: &Evidence, conclusion: &Conclusion, pictures: &Pictures) -> Report {
    let figures = Figures::of(run, evidence, conclusion);
    let html = page::page(Content { run, evidence, conclusion, figures: &figures, pictures }).into_string();
    Report { html, figures }
}
