//! The page, section by section. Headings, tables and lists, no scripts, nothing from elsewhere.

mod answer;
mod citation;
mod contact;
mod figure;
mod files;
mod limits;
mod matrix;
mod method;
mod paths;
mod style;
mod texts;

use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::evidence::Evidence;
use lacuna_model::time_format::iso8601;
use lacuna_model::{StopReason, Study, Timestamp};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::figures::Figures;
use crate::pictures::Pictures;
use crate::run::Run;
use crate::text::{name, sentence};
use crate::words;

/// Nothing is loaded, nothing runs, nothing is sent. The empty icon keeps browsers from asking for one.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// What the sections of a page are made of.
#[derive(Clone, Copy)]
pub(crate) struct Content<'a> {
    pub run: &'a Run<'a>,
    pub evidence: &'a Evidence,
    pub conclusion: &'a Conclusion,
    pub figures: &'a Figures,
    pub pictures: &'a Pictures,
}

/// A section: what it is called in links, its heading, what stands in it.
struct Section {
    id: &'static str,
    heading: &'static str,
    body: Markup,
}

pub(crate) fn page(content: Content<'_>) -> Markup {
    let run = content.run;
    let study = content.evidence.study();
    let asks_files = study.mechanism.is_some() || study.exposure.is_some();
    let section = |id, heading, body: Option<Markup>| body.map(|body| Section { id, heading, body });
    let sections: Vec<Section> = [
        section("answer", "Answer", Some(answer::section(content))),
        section("files", "Files", files::section(content)),
        section("verdicts", "Verdicts", (!asks_files).then(|| matrix::section(content))),
        section("pictures", "Pictures", contact::section(content)),
        section("texts", "Marked texts", texts::section(content)),
        section("combinations", "Combinations", matrix::combinations(content)),
        section("drop-rates", "By category", figure::shares(content).filter(|_| !asks_files)),
        section("contrasts", "Between regions", figure::contrasts(content)),
        section("timeline", "Over time", Some(figure::timeline(content))),
        section("paths", "Paths", Some(paths::section(content))),
        section("latency", "Delays", figure::latency(content)),
        section("method", "Method", Some(method::section(content))),
        section("limits", "What this run cannot show", Some(limits::section(content))),
        section("cite", "How to cite, and what to check", Some(citation::section(content))),
    ]
    .into_iter()
    .flatten()
    .collect();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (name(&study.name).line()) ", run " (name(run.id.as_str()).line()) }
                link rel="icon" href="data:,";
                style { (PreEscaped(style::sheet())) }
            }
            body {
                a.skip href="#answer" { "To the answer" }
                header {
                    p.kicker { (name(&study.name)) ", run " (name(run.id.as_str())) }
                    h1 { @if study.question.is_empty() { (name(&study.name)) } @else { (sentence(&study.question)) } }
                    p.when { (when(run)) }
                    (standing(run))
                    nav aria-label="Sections" {
                        ul { @for section in &sections { li { a href={ "#" (section.id) } { (section.heading) } } } }
                    }
                }
                main {
                    @for section in &sections {
                        section id=(section.id) aria-labelledby={ "h-" (section.id) } {
                            h2 id={ "h-" (section.id) } { (section.heading) }
                            (section.body)
                        }
                    }
                }
                footer { p { "Derived from the journal of the run by Lacuna, projection " (run.projection_version) ". No scripts, nothing loaded from elsewhere." } }
            }
        }
    }
}

/// The answer of a run with its denominator, and nothing else.
pub(crate) fn answer(study: &Study, conclusion: &Conclusion) -> Markup {
    files::answer(study, conclusion).unwrap_or_else(|| answer::sentence(study, conclusion))
}

/// To the minute; seconds are in the tables.
fn minute(at: Timestamp) -> String {
    let text = iso8601(at);
    let minute = text.rsplit_once(':').map_or(text.as_str(), |(minute, _)| minute);
    minute.replace('T', " ") + " UTC"
}

fn when(run: &Run<'_>) -> Markup {
    html! {
        (minute(run.opened_at))
        @if let Some(sealed_at) = run.sealed_at { ", for " (words::length(sealed_at - run.opened_at)) }
    }
}

/// What a reader must know before the answer: that the run is not whole.
fn standing(run: &Run<'_>) -> Markup {
    let stopped = run.stopped();
    html! {
        @if run.sealed_at.is_none() {
            p.notice { strong { "Not at its end." } " The journal has no seal: the run is still going on, or was interrupted." }
        } @else if let Some(reason) = stopped.filter(|reason| *reason != StopReason::Finished) {
            p.notice { strong { "Stopped early:" } " " (words::stop(reason)) ". What follows is what was known by then." }
        }
    }
}
