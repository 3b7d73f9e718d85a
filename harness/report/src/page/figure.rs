//! Figures in the page, each with what it shows and where its numbers are.

use lacuna_inference::evidence::ProbeRecord;
use maud::{Markup, PreEscaped, html};

use super::Content;
use crate::figures::{contrasts, latency, shares, timeline};
use crate::text::name;
use crate::words::{self, count, counted};

/// Links to the files of a figure.
pub(super) fn files(figure: &str) -> Markup {
    html! { a href={ "figures/" (figure) ".svg" } { "picture" } ", " a href={ "figures/" (figure) ".csv" } { "numbers" } }
}

fn figure(id: &str, label: &str, svg: &str, caption: &Markup) -> Markup {
    html! {
        figure {
            // The picture was made by this crate from escaped text alone.
            div.scroll tabindex="0" role="region" aria-label=(label) { (PreEscaped(svg)) }
            figcaption { (caption) " (" (files(id)) ")" }
        }
    }
}

pub(super) fn shares(content: Content<'_>) -> Option<Markup> {
    let shown = &content.figures.shares;
    let measure = shown.rows.iter().find(|row| row.rate.is_some())?.measure;
    let caption = match measure {
        shares::Measure::Items => html! {
            "Of the items with a conclusion, how many are kept from the recipient (dropped, refused, altered or retracted). The intervals are \
             those of Clopper and Pearson, 95 %, as if these items were drawn from their category; for a list that is the whole category \
             they say nothing."
        },
        shares::Measure::Sends => html! {
            "Of the sends that could have arrived, how many were dropped: the mean over the items of a category, with a 95 % interval \
             clustered by item. What is lost on the way is part of it; enforcement.csv takes it out."
        },
    };
    Some(figure(shares::NAME, "How much of each category is kept from whom", &shown.svg, &caption))
}

pub(super) fn contrasts(content: Content<'_>) -> Option<Markup> {
    let contrasts = &content.conclusion.contrasts;
    if contrasts.comparisons.is_empty() {
        return None;
    }
    let shown = &content.figures.contrasts;
    let level = content.evidence.study().decision.false_discovery_rate;
    let caption = html! {
        "Only claimed differences are drawn, by item. Right of the middle more is dropped on the first side. The intervals assume nothing \
         about the filter, so after the few sends of a screen they are wide, and may hold 0 where the difference is claimed."
    };
    Some(html! {
        p {
            (counted(shown.rows.len() as u64, "difference")) " claimed among " (count(contrasts.records.len() as u64))
            " that were looked at (" (counted(contrasts.comparisons.len() as u64, "comparison")) ", each item in each), at most "
            (words::percent(level)) " of the claimed ones expected to be false. " a href="contrasts.csv" { "contrasts.csv" } " has all."
        }
        @if !shown.rows.is_empty() { (figure(contrasts::NAME, "Differences between sides", &shown.svg, &caption)) }
    })
}

pub(super) fn timeline(content: Content<'_>) -> Markup {
    let shown = &content.figures.timeline;
    let sent = content.evidence.probes().iter().any(ProbeRecord::is_accepted);
    let caption = html! {
        "The run cut into 60 equal parts. A control that did not arrive on a path that was alive around it was lost, and is what the loss \
         is learned from. Where nothing shows the path alive there was an outage or a gap, and sends of that time count for nothing. A bar \
         of full height: all controls of that part are missing."
    };
    html! {
        @if sent { (figure(timeline::NAME, "The run over time", &shown.svg, &caption)) } @else { p { "The platform took no message." } }
        (effects(content))
    }
}

/// What the platform seems to do to accounts.
fn effects(content: Content<'_>) -> Markup {
    use lacuna_inference::account_effects::Effect;
    let study = content.evidence.study();
    let effects = &content.conclusion.account_effects;
    html! {
        @if !effects.is_empty() {
            p { "Inferred of accounts:" }
            ul {
                @for effect in effects {
                    li {
                        strong { (name(study.account(effect.account).id.as_str())) } ", since " (super::minute(effect.at)) ": "
                        @match effect.effect {
                            Effect::Suppressed { missing, longest_before, others } => {
                                "nothing that it sends arrives any more. " (counted(missing.into(), "control")) " in a row are missing, to the end, \
                                 and at most " (longest_before) " before, while messages of " (counted(others.into(), "other sender"))
                                " reached the same recipients"
                            }
                            Effect::CarryOver { hits, missing, elsewhere, missing_elsewhere } => {
                                "what it sends right behind a message that the platform acted on goes missing. The next neutral message is missing \
                                 behind " (words::of(missing.into(), hits.into())) " hits, and " (words::of(missing_elsewhere.into(), elsewhere.into()))
                                " elsewhere"
                            }
                        }
                        "; chance by loss at most " (words::number(effect.chance)) "."
                    }
                }
            }
        }
    }
}

pub(super) fn latency(content: Content<'_>) -> Option<Markup> {
    let shown = &content.figures.latency;
    let study = content.evidence.study();
    let delays = latency::delays(content.evidence);
    let caption = html! { "From hand-over to arrival, of all messages that arrived, controls and late ones included. What never arrived has no delay." };
    (!shown.rows.is_empty()).then(|| {
        html! {
            (figure(latency::NAME, "How long messages took to arrive", &shown.svg, &caption))
            details {
                summary { "Quantiles" }
                div.scroll tabindex="0" role="region" aria-label="Quantiles of the delays" {
                    table {
                        thead {
                            tr {
                                th scope="col" { "arm" } th scope="col" { "recipient" } th.number scope="col" { "messages" } th.number scope="col" { "median" }
                                th.number scope="col" { "90 %" } th.number scope="col" { "99 %" } th.number scope="col" { "longest" }
                            }
                        }
                        tbody {
                            @for (path, sorted) in &delays {
                                @if let Some(it) = latency::summary(sorted) {
                                    tr {
                                        th scope="row" { (name(study.arm(path.arm).id.as_str())) }
                                        td { (name(study.account(path.recipient).id.as_str())) }
                                        td.number { (count(it.messages)) }
                                        @for delay in [it.median, it.p90, it.p99, it.longest] { td.number { (words::length(delay)) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    })
}
