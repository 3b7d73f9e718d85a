//! What the run cannot show, each point with its number.

use std::collections::{BTreeMap, BTreeSet};

use lacuna_inference::contrasts::Scope;
use lacuna_inference::verdicts::VerdictRecord;
use lacuna_model::{ArmIx, Reason, Role, Verdict};
use maud::{Markup, html};

use super::Content;
use crate::text::name;
use crate::words::{self, count, counted, percent};

pub(super) fn section(content: Content<'_>) -> Markup {
    let study = content.evidence.study();
    let of_files = study.mechanism.is_some() || study.exposure.is_some();
    let of_items = |point: fn(Content<'_>) -> Option<Markup>| if of_files { None } else { point(content) };
    let points = [
        of_items(inconclusive),
        of_items(silent_arms),
        of_items(leaky_filters),
        of_items(late),
        mechanisms(content),
        exposures(content),
        regions(content),
        strangers(content),
        Some(html! {
            "It measured what reached these accounts, over this adapter, in this time. Other accounts, clients and days may be treated otherwise, \
             and measuring may itself change how an account is treated."
        }),
    ];
    html! { ul.limits { @for point in points.into_iter().flatten() { li { (point) } } } }
}

fn inconclusive(content: Content<'_>) -> Option<Markup> {
    let study = content.evidence.study();
    let candidates = || content.conclusion.verdicts.iter().filter(|it| study.item(it.unit.item).role == Role::Candidate);
    let mut reasons: BTreeMap<Reason, u64> = BTreeMap::new();
    for record in candidates() {
        if let (Verdict::Inconclusive, Some(reason)) = (record.verdict, record.reason) {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    let open: u64 = reasons.values().sum();
    let mut reasons: Vec<(Reason, u64)> = reasons.into_iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    (open > 0).then(|| {
        html! {
            "There is no conclusion in " (words::of(open, candidates().count() as u64)) " cases: "
            @for (place, (reason, cases)) in reasons.iter().enumerate() {
                @if place > 0 { "; " } (count(*cases)) " because " (words::reason(*reason))
            }
            "."
        }
    })
}

/// Where no filter was seen, silence says little.
fn silent_arms(content: Content<'_>) -> Option<Markup> {
    let study = content.evidence.study();
    let arms = |is: fn(&VerdictRecord) -> bool| -> BTreeSet<ArmIx> {
        content.conclusion.verdicts.iter().filter(|it| is(it)).map(|it| it.unit.arm).collect()
    };
    let (seen, arrived) = (arms(|it| it.filter_seen), arms(|it| it.verdict == Verdict::Delivered));
    let silent: Vec<ArmIx> = arrived.difference(&seen).copied().collect();
    (!silent.is_empty()).then(|| {
        html! {
            "No filter was seen on "
            @for (place, arm) in silent.iter().enumerate() { @if place > 0 { ", " } (name(study.arm(*arm).id.as_str())) }
            ": that items arrive there shows that these items pass, not that nothing is filtered."
        }
    })
}

fn leaky_filters(content: Content<'_>) -> Option<Markup> {
    let study = content.evidence.study();
    if study.decision.replicates.is_some() {
        return None;
    }
    let lowest = content.conclusion.checks.iter().map(|it| it.lowest_enforcement);
    let lowest: Option<Vec<f64>> = lowest.collect();
    let highest = lowest.map(|all| all.into_iter().fold(0.0, f64::max));
    Some(html! {
        @if let Some(share) = highest {
            "A filter that acts on only part of what it matches may be missed: a screen asks most items once. Items are found with a probability of 95 % \
             if it acts on at least " (percent(share)) " of their messages (on the arm where that is highest)."
        } @else {
            "On some arm more drops were needed than an item may be sent, because of the loss there: a blocked item could not have been called \
             dropped."
        }
    })
}

fn late(content: Content<'_>) -> Option<Markup> {
    let dropped = content.conclusion.verdicts.iter().filter(|it| it.verdict == Verdict::Dropped);
    let shortest = dropped.filter_map(|it| it.listened).min()?;
    Some(html! {
        "Dropped means: not arrived while it was listened for, which was at least " (words::length(shortest)) " for each. What is held back longer looks \
         the same."
    })
}

fn mechanisms(content: Content<'_>) -> Option<Markup> {
    let rule = content.evidence.study().mechanism.as_ref()?;
    let records = &content.conclusion.files.mechanisms;
    let unknown = records.iter().filter(|record| record.filtered.is_none()).count() as u64;
    Some(html! {
        "Files were given " (rule.wait) " to be looked at: a filter that takes longer to learn a file is taken for none. What is said to suffice need not be          necessary, and a mechanism for which no file was made could not be seen. "
        @if unknown > 0 {
            "Of " (words::of(unknown, records.len() as u64)) " originals, counted for each recipient, it is not known whether they are filtered."
        }
    })
}

fn exposures(content: Content<'_>) -> Option<Markup> {
    let study = content.evidence.study();
    let rule = study.exposure.as_ref()?;
    let longest = rule.delays.last().copied().unwrap_or_default();
    Some(html! {
        "Twins were sent at most " (longest) " after their files were shown: what a platform learns later was not seen. It was asked whether what is shown on "
        (name(study.arm(rule.outside).id.as_str())) " is enforced on " (name(study.arm(rule.inside).id.as_str()))
        " by the hash of a file; what else a platform does with what it sees was not."
    })
}

fn regions(content: Content<'_>) -> Option<Markup> {
    let comparisons = &content.conclusion.contrasts.comparisons;
    let pairs = comparisons.iter().filter(|it| it.scope == Scope::AccountPair).count() as u64;
    (pairs > 0).then(|| {
        html! {
            (counted(pairs, "comparison")) " of " (count(comparisons.len() as u64)) " " (if pairs == 1 { "has" } else { "have" })
            " a single account on a side: there a difference may be that of the accounts and not of their regions."
        }
    })
}

fn strangers(content: Content<'_>) -> Option<Markup> {
    let (strangers, unmatched) = (content.evidence.strangers(), content.evidence.unmatched());
    (strangers + unmatched > 0).then(|| {
        html! {
            (counted(unmatched, "received message")) " could not be matched with anything that was sent, and " (count(strangers))
            " came from strangers, of whom nothing is kept."
        }
    })
}
