//! By what files are filtered, and whether what is shown outside is enforced inside.

use std::collections::BTreeMap;

use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::exposure::{ExposureRecord, Surveillance, Trial};
use lacuna_inference::mechanism::{CellSays, Claim, Layer, Mechanism, MechanismRecord};
use lacuna_model::{ArmIx, Study};
use maud::{Markup, html};

use super::{Content, contact};
use crate::text::name;
use crate::words::{self, count, counted};

/// Originals that stand in the page.
const MOST: usize = 300;

/// The answer of a design that asks about files; `None` for another.
pub(super) fn answer(study: &Study, conclusion: &Conclusion) -> Option<Markup> {
    let claims = &conclusion.files;
    if let Some((record, _)) = &claims.exposure {
        return Some(exposed(study, record));
    }
    study.mechanism.as_ref()?;
    Some(mechanisms(&claims.mechanisms))
}

/// What stands below the answer: how to read it, and where the evidence is.
pub(super) fn note(study: &Study) -> Markup {
    html! {
        @if study.exposure.is_some() {
            p.note { a href="exposures.csv" { "exposures.csv" } " has every trial and control, " a href="mechanisms.csv" { "mechanisms.csv" } " the claim." }
        } @else {
            p.note {
                "Each line says what suffices: a file that has nothing else of the original is filtered as well. That something is necessary cannot be \
                 shown where several mechanisms are at work. " a href="mechanisms.csv" { "mechanisms.csv" } " has the evidence for and against."
            }
        }
    }
}

fn mechanisms(records: &[MechanismRecord]) -> Markup {
    let mut held: BTreeMap<(Layer, Option<Mechanism>), u64> = BTreeMap::new();
    for claim in records.iter().flat_map(|record| &record.claims).filter(|claim| claim.supported == Some(true)) {
        *held.entry((claim.layer, claim.mechanism)).or_default() += 1;
    }
    let filtered = records.iter().filter(|record| record.filtered == Some(true)).count() as u64;
    let open = records.iter().filter(|record| record.filtered.is_none()).count() as u64;
    html! {
        p.answer {
            strong { (words::of(filtered, records.len() as u64)) } " originals, counted for each recipient, are filtered."
            @if open > 0 { " Of " (count(open)) " that is not known." }
        }
        @if !held.is_empty() {
            ul {
                @for ((layer, mechanism), cases) in &held {
                    @if let Some(mechanism) = mechanism { li { (sentence(*layer, *mechanism)) ": " (words::of(*cases, records.len() as u64)) } }
                }
            }
        }
    }
}

const fn sentence(layer: Layer, mechanism: Mechanism) -> &'static str {
    match (layer, mechanism) {
        (Layer::Enforcement, Mechanism::HashIndex) => "an index of file hashes drops them",
        (Layer::Enforcement, Mechanism::Text) => "dropped at once for the text in them",
        (Layer::Enforcement, Mechanism::Visual) => "dropped at once for what they look like",
        (Layer::Enforcement, Mechanism::Metadata) => "dropped at once for their metadata",
        (Layer::Enforcement, Mechanism::Filename) => "dropped at once for their name",
        (Layer::Analysis, Mechanism::HashIndex) => "the index is fed by hashes",
        (Layer::Analysis, Mechanism::Text) => "the text in them feeds the index",
        (Layer::Analysis, Mechanism::Visual) => "what they look like feeds the index",
        (Layer::Analysis, Mechanism::Metadata) => "their metadata feed the index",
        (Layer::Analysis, Mechanism::Filename) => "their name feeds the index",
    }
}

fn exposed(study: &Study, record: &ExposureRecord) -> Markup {
    let arm = |arm: ArmIx| html! { (name(study.arm(arm).id.as_str())) };
    let (outside, inside) = study.exposure.as_ref().map_or((ArmIx(0), ArmIx(0)), |rule| (rule.outside, rule.inside));
    html! {
        p.answer {
            @match record.claim {
                Surveillance::Surveilled => { strong { "Surveilled." } " What is sent on " (arm(outside)) " is enforced on " (arm(inside)) ": " }
                Surveillance::NotSurveilled => { strong { "Not surveilled," } " as far as this run can tell: " }
                Surveillance::Inconclusive(reason) => { strong { "Inconclusive:" } " " (words::reason(reason)) ". " }
            }
            (words::of(record.blocked.into(), record.twins.into())) " harmless twins of what was shown on " (arm(outside))
            " were dropped on " (arm(inside)) " when they were sent there for the first time, after the longest delay."
        }
        @match record.learning {
            Some((above, Some(at_most))) => {
                p { "The platform takes more than " (words::length(above)) " and at most " (words::length(at_most)) " to learn a file (95 %)." }
            }
            Some((above, None)) => { p { "The platform takes more than " (words::length(above)) " to learn a file (95 %)." } }
            None => {}
        }
    }
}

/// What was sent of each original, and what became of it; or the trials.
pub(super) fn section(content: Content<'_>) -> Option<Markup> {
    let study = content.evidence.study();
    let claims = &content.conclusion.files;
    if let Some((_, trials)) = &claims.exposure {
        return Some(of_trials(content, trials));
    }
    study.mechanism.as_ref()?;
    let shown = claims.mechanisms.iter().take(MOST);
    let more = claims.mechanisms.len().saturating_sub(MOST);
    Some(html! {
        p {
            "A sheet for each original: what was sent of it, and what became of that. "
            (chip(CellSays::DroppedAtFirst)) " " (chip(CellSays::DroppedLater)) " " (chip(CellSays::Passes)) " " (chip(CellSays::Open))
        }
        @for (number, record) in shown.clone().enumerate() { (sheet(content, number + 1, record)) }
        @if more > 0 { p.note { "and " (counted(more as u64, "more original")) ": mechanisms.csv has all." } }
        (contact::left_out(content, shown.flat_map(|record| record.cells.iter().map(|cell| cell.file))))
    })
}

const fn class(says: CellSays) -> &'static str {
    match says {
        CellSays::DroppedAtFirst => "dropped",
        CellSays::DroppedLater => "refused",
        CellSays::Passes => "delivered",
        CellSays::Open => "inconclusive",
    }
}

pub(super) fn chip(says: CellSays) -> Markup {
    html! { span.chip.(class(says)) { (says.as_str()) } }
}

fn sheet(content: Content<'_>, number: usize, record: &MechanismRecord) -> Markup {
    let study = content.evidence.study();
    let recipient = study.account(record.recipient);
    let supported: Vec<&Claim> = record.claims.iter().filter(|claim| claim.supported == Some(true)).collect();
    html! {
        article.text aria-labelledby={ "file-" (number) } {
            h3 id={ "file-" (number) } {
                (name(study.item(record.base).id.as_str()))
                " " span.path { (name(study.arm(record.arm).id.as_str())) " → " (name(recipient.id.as_str())) " (" (recipient.registered_in) ")" }
            }
            p.summary {
                @if supported.is_empty() { "Nothing is claimed." }
                @for (place, claim) in supported.iter().enumerate() {
                    @if place > 0 { "; " }
                    @match claim.mechanism { Some(mechanism) => (sentence(claim.layer, mechanism)), None => "not filtered" }
                }
                @if let Some(gray) = record.gray { ", read in grey by " (gray.as_str()) }
                ". " (counted(record.probes.into(), "message")) "."
            }
            @if contact::can_be_seen(content, record.base) {
                (contact::of_cells(content, record))
            } @else {
                dl.legend {
                    @for cell in &record.cells { div { dt { (chip(cell.says)) } dd { (cell.cell) " " small { (cell.answers) } } } }
                }
            }
        }
    }
}

fn of_trials(content: Content<'_>, trials: &[Trial]) -> Markup {
    let study = content.evidence.study();
    let files = |trial: &Trial| trial.shown.map(|(item, _)| item).into_iter().chain([trial.item]).collect::<Vec<_>>();
    let with_pictures = |trial: &&Trial| files(trial).into_iter().any(|item| contact::can_be_seen(content, item));
    let drawn: Vec<&Trial> = trials.iter().take(MOST).filter(with_pictures).collect();
    html! {
        div.scroll tabindex="0" role="region" aria-label="Trials" {
            table {
                thead {
                    tr { th scope="col" { "trial" } th scope="col" { "shown before" } th.number scope="col" { "after" } th scope="col" { "sent inside" } th scope="col" { "outcome" } }
                }
                tbody {
                    @for trial in trials.iter().take(MOST) {
                        tr {
                            th scope="row" { (trial.kind.as_str()) }
                            td { @if let Some((item, _)) = trial.shown { (name(study.item(item).id.as_str())) } @else { "nothing" } }
                            td.number { @if let Some(delay) = trial.delay() { (words::length(delay)) } }
                            td { (name(study.item(trial.item).id.as_str())) }
                            td { @if let Some(outcome) = trial.sent.outcome { (outcome) } @else { "open" } }
                        }
                    }
                }
            }
        }
        @if trials.len() > MOST { p.note { "and " (count((trials.len() - MOST) as u64)) " more: exposures.csv has all." } }
        @if !drawn.is_empty() {
            h3 { "Contact sheet" }
            p.note { "For each trial what was shown before, and what was sent inside." }
            ul.contact.trials {
                @for trial in &drawn {
                    li {
                        @for item in files(trial) { (contact::picture(content, item)) }
                        span.caption {
                            (trial.kind.as_str()) ": " @if let Some(outcome) = trial.sent.outcome { (outcome) } @else { "open" }
                        }
                    }
                }
            }
            (contact::left_out(content, drawn.iter().flat_map(|trial| files(trial))))
        }
    }
}
