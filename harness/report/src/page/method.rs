//! How it was measured: the design, the error rates that were chosen, the numbers behind them, and where the run departs from its plan.

use lacuna_inference::checks::ArmChecks;
use lacuna_model::study::Pooling;
use lacuna_model::{Account, Build, Entry, Fact, Invocation, Role, Study, Timestamp};
use maud::{Markup, html};

use super::{Content, minute};
use crate::text::{name, sentence};
use crate::words::{self, count, counted, percent};

pub(super) fn section(content: Content<'_>) -> Markup {
    let study = content.evidence.study();
    html! {
        (prose(content))
        h3 { "Settings" }
        (settings(content))
        h3 { "Accounts" }
        div.scroll tabindex="0" role="region" aria-label="Accounts" {
            table {
                thead { tr { th scope="col" { "account" } th scope="col" { "registered in" } th scope="col" { "connects from" } th scope="col" { "client" } } }
                tbody { @for account in &study.accounts { (of_account(account)) } }
            }
        }
        (checks(content))
        h3 { "Deviations from the locked plan" }
        (deviations(content))
    }
}

fn of_account(account: &Account) -> Markup {
    html! {
        tr {
            th scope="row" { (name(account.id.as_str())) }
            td { (account.registered_in) }
            td { (account.located_in) }
            td { @match &account.client { Some(client) => (name(client)), None => "not stated" } }
        }
    }
}

fn prose(content: Content<'_>) -> Markup {
    let study = content.evidence.study();
    let (mut candidates, mut controls) = (0u64, 0u64);
    for record in content.evidence.probes().iter().filter(|record| record.started_at.is_some()) {
        if record.probe.role == Role::Control { controls += 1 } else { candidates += 1 }
    }
    // What was not due, or only made in case it were asked about, was not sent.
    let sent = content.evidence.items_sent();
    let items = |role: Role, things: &str| {
        let all = study.items_of(role).count();
        let number = sent.iter().filter(|item| study.item(**item).role == role).count();
        if number == all {
            format!("{} {things}", count(all as u64))
        } else {
            format!("{} of {} {things}", count(number as u64), count(all as u64))
        }
    };
    html! {
        p {
            (items(Role::Candidate, "candidates")) ", " (items(Role::Control, "controls")) " and " (items(Role::Canary, "canaries"))
            " were sent in "
            (counted(candidates + controls, "message")) " (" (count(candidates)) " of candidates and canaries, " (count(controls))
            " of controls) between accounts of the researcher, and what arrived was laid beside what was sent."
        }
        p {
            "A missing message counts as dropped only if, on the same path, one of the " (study.watch.bracket_messages) " messages sent just before \
             it and one of those just after it arrived; otherwise its outcome is void and counts for nothing. "
            @match study.decision.replicates {
                _ if study.mechanism.is_some() || study.exposure.is_some() => { (of_files(study)) }
                Some(times) => { "Each item was sent " (times) " times, whatever came of it. " }
                None => { "One arrival clears an item. A drop is asked again, alone and later, until the evidence suffices or "
                    (study.decision.max_probes_per_item) " sends are used up. " }
            }
            @if study.mechanism.is_none() && study.exposure.is_none() {
            "The evidence is an e-value: the probability of an item's own drops and arrivals if a filter acts on it, over that if they are \
             lost no more often than the controls, so that it may be looked at after every send. An item is called dropped from two drops on if its \
             e-value passes both error rates: an item that is not blocked is called dropped with a probability of at most "
            strong { (percent(study.decision.false_positive_rate)) } ", and of all that is called dropped over the run at most "
            strong { (percent(study.decision.false_discovery_rate)) } " is expected to be false (e-BH, Wang and Ramdas 2022)."
            }
        }
    }
}

/// How the designs about files conclude.
fn of_files(study: &Study) -> Markup {
    html! {
        @if let Some(rule) = &study.mechanism {
            "A file was sent, and " (rule.wait) " later again: an index of hashes lets new bytes pass and knows them later, a look at the content \
             drops them at once. No hash was sent on two paths. Of each original at most " (rule.max_messages_per_item) " messages were sent. "
        }
        @if let Some(rule) = &study.exposure {
            "Files were shown on one arm; after a delay a harmless file with the same MD5 was sent on the other, for the first time. Every trial took \
             a fresh pair, at most " (rule.max_pairs) ". "
        }
        "What is claimed to suffice was blocked at least twice, with an e-value of at least 1 / "
        strong { (percent(study.decision.false_positive_rate)) }
        ": the probability of the drops if a filter acts, over that if they are lost no more often than the controls, whenever one looks."
    }
}

fn settings(content: Content<'_>) -> Markup {
    let study = content.evidence.study();
    let run = content.run;
    let design = study.design.as_str();
    let grace = study.watch.grace.map_or_else(|| "learned from the delays".to_owned(), |grace| grace.to_string());
    let mut rows: Vec<(&str, Markup)> = vec![
        ("design", html! { (design) }),
        ("adapter", html! { (name(&study.adapter)) }),
        ("seed", html! { (study.seed) }),
        (
            "several items in a message",
            html! { @match study.decision.pooling { Pooling::Auto => "where it saves messages", Pooling::Off => "no" } },
        ),
        ("grace after the closing evidence", html! { (grace) }),
        ("listening after the last send", html! { (study.watch.late) }),
        ("between two sends of an account", html! { (study.pacing.min_gap) }),
        ("a drop is confirmed after", html! { (study.pacing.confirm_after) }),
        ("unacknowledged sends of an account", html! { (study.pacing.in_flight) }),
        (
            "written by",
            html! { "Lacuna " (name(run.lacuna_version)) ", engine " (run.engine_version) ", projection " (run.projection_version) },
        ),
        ("built", html! { @match run.build { Some(build) => { (built(build)) } None => "the journal does not say how" } }),
        (
            "changed on the command line",
            html! { @match run.overrides { Some(overrides) => { (overridden(overrides)) } None => "the journal does not say what" } },
        ),
    ];
    rows.extend(run.events.iter().filter_map(|(at, entry)| match entry {
        Entry::Fact(Fact::EpochOpened { resumed_by: Some(by), .. }) => Some(("resumed by", resumed(*at, by))),
        _ => None,
    }));
    html! { dl.pairs { @for (term, value) in &rows { div { dt { (term) } dd { (value) } } } } }
}

/// From which sources, by which compiler.
fn built(build: &Build) -> Markup {
    html! {
        @match &build.source {
            Some(source) => {
                "from commit " code { (name(&source.commit)) } @if source.changed { ", with changes that are in no commit" }
            }
            None => "from sources of no known commit"
        }
        ", by rustc " (name(&build.rustc)) " for " (name(&build.target))
    }
}

/// `KEY=VALUE`, as it was given.
fn overridden(overrides: &[String]) -> Markup {
    html! {
        @if overrides.is_empty() { "nothing" }
        @for (index, it) in overrides.iter().enumerate() { @if index > 0 { ", " } code { (sentence(it)) } }
    }
}

/// Who goes on with a run may have another build.
fn resumed(at: Timestamp, by: &Invocation) -> Markup {
    html! {
        "Lacuna " (name(&by.lacuna_version)) " at " (minute(at))
        @if let Some(build) = &by.build { ", built " (built(build)) }
        @if !by.overrides.is_empty() { "; changed on the command line: " (overridden(&by.overrides)) }
    }
}

/// The checks of the screen, arm by arm.
fn checks(content: Content<'_>) -> Markup {
    let study = content.evidence.study();
    // The designs about files screen nothing.
    let screens = study.mechanism.is_none() && study.exposure.is_none();
    let said = |it: &ArmChecks| screens && (it.audits > 0 || it.spikes > 0 || it.lowest_enforcement.is_some());
    let checks: Vec<&ArmChecks> = content.conclusion.checks.iter().filter(|it| said(it)).collect();
    html! {
        @if !checks.is_empty() {
            h3 { "Checks of the screen" }
            div.scroll tabindex="0" role="region" aria-label="Checks of the screen" {
                table {
                    thead {
                        tr {
                            th scope="col" { "arm" }
                            th.number scope="col" { "audits" }
                            th.number scope="col" { "of them missed" }
                            th.number scope="col" { "spikes" }
                            th.number scope="col" { "of them let through" }
                            th.number scope="col" { "seen if the filter acts on" }
                        }
                    }
                    tbody {
                        @for it in checks {
                            tr {
                                th scope="row" { (name(study.arm(it.arm).id.as_str())) }
                                td.number { (count(it.audits)) }
                                td.number {
                                    (count(it.audit_misses))
                                    @if let Some((_, high)) = it.miss_rate { " (at most " (percent(high)) ")" }
                                }
                                td.number { (count(it.spikes)) }
                                td.number { (count(it.spikes_delivered)) }
                                td.number { @match it.lowest_enforcement { Some(share) => (percent(share)), None => "–" } }
                            }
                        }
                    }
                }
            }
            p.note {
                "Audits send items that passed in a pool again, alone; spikes put an item known to be dropped into a pool. The last column: the share of \
                 sends on which a filter must act for its item to be found with a probability of 95 %."
            }
        }
    }
}

fn deviations(content: Content<'_>) -> Markup {
    let Some(registration) = content.run.registration else {
        return html! { p { "No plan was locked before this run." } };
    };
    html! {
        p { "Locked in " (name(registration.lock)) ", SHA-256 " code { (name(registration.sha256)) } "." }
        @if let Some(reason) = registration.reason { p { "Run although something had changed: " (sentence(reason)) } }
        @if registration.deviations.is_empty() {
            p { "The run is what was locked." }
        } @else {
            ul {
                @for it in &registration.deviations { li { (words::sentence_case(it.kind)) ", " (name(it.subject)) ": " (sentence(it.detail)) } }
            }
        }
    }
}
