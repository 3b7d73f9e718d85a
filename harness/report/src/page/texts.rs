//! Marked texts: what in each text is blocked, and what it took to find it.

use std::ops::Range;

use lacuna_inference::isolation::{Matching, Status};
use lacuna_inference::rules::{RuleRecord, TextRecord};
use lacuna_model::Signal;
use maud::{Markup, html};

use super::Content;
use crate::marked::{Kind, Mark, marked};
use crate::text::{Foreign, excerpt, name};
use crate::words::{self, count, counted};

/// Texts that stand in the page.
const MOST: usize = 500;
/// How many bytes of texts stand in the page whole; of the others what is around their marks.
const WHOLE: usize = 1 << 20;
/// Around a mark, in characters.
const CONTEXT: usize = 160;

pub(super) fn section(content: Content<'_>) -> Option<Markup> {
    let texts = &content.conclusion.texts;
    content.evidence.study().isolation.as_ref()?;
    let rules = || texts.iter().flat_map(|text| &text.rules);
    let all: usize = texts.iter().map(|text| text.text.len()).sum();
    let around = if all <= WHOLE { usize::MAX } else { CONTEXT };
    let complete = texts.iter().filter(|text| text.is_complete()).count() as u64;
    let messages: u64 = texts.iter().map(|text| u64::from(text.messages)).sum();
    Some(html! {
        @if texts.is_empty() {
            p { "No text was kept from anybody, so that nothing was searched." }
        } @else {
            p.answer {
                "In " strong { (words::of(complete, texts.len() as u64)) } " of the texts that are kept, counted for each recipient, everything that \
                 blocks was found and certified: " (counted(rules().filter(|rule| rule.certified).count() as u64, "certified rule")) " of "
                (count(rules().count() as u64)) " found, in " (counted(messages, "message")) "."
            }
            p.note {
                "A number stands behind each component of the rule of that number; each rule has its own kind of line under it. "
                mark.lifts { "Lifts" } ": the rule does not act where this is present. "
                mark.candidate { "With a question mark" } ": believed to be a component, not certified. "
                mark.window { "Left open" } ": something in here blocks, and was not found. "
                a href="rules.csv" { "rules.csv" } " has all."
            }
            @for (number, text) in texts.iter().enumerate().take(MOST) { (article(content, number + 1, text, around)) }
            @if texts.len() > MOST { p.note { "and " (count((texts.len() - MOST) as u64)) " more texts: rules.csv has all." } }
        }
    })
}

fn article(content: Content<'_>, number: usize, text: &TextRecord, around: usize) -> Markup {
    let study = content.evidence.study();
    let recipient = study.account(text.recipient);
    html! {
        article.text aria-labelledby={ "text-" (number) } {
            h3 id={ "text-" (number) } {
                @for (place, item) in text.items.iter().enumerate() { @if place > 0 { " + " } (name(study.item(*item).id.as_str())) }
                " " span.path { (name(study.arm(text.arm).id.as_str())) " → " (name(recipient.id.as_str())) " (" (recipient.registered_in) ")" }
            }
            p.summary { (signal(text.signal)) ". " (standing(text)) " " (effort(text)) }
            blockquote { (marked(&text.text, &marks(text), around)) }
            @if !text.rules.is_empty() {
                ol { @for rule in &text.rules { li { (of_rule(text, rule)) } } }
            }
            (open(text))
        }
    }
}

fn signal(signal: Signal) -> &'static str {
    match signal {
        Signal::Dropped => "Silently dropped",
        Signal::Refused => "Refused",
        Signal::Altered => "Altered",
        Signal::Retracted => "Retracted",
    }
}

fn standing(text: &TextRecord) -> Markup {
    let certified = text.rules.iter().filter(|rule| rule.certified).count();
    html! {
        @match text.status {
            None => "No search was begun in it.",
            Some(_) if text.is_complete() && !text.rules.is_empty() => {
                (counted(text.rules.len() as u64, "rule")) ", certified: nothing else in it blocks."
            }
            Some(Status::Complete | Status::First) => {
                (counted(text.rules.len() as u64, "rule")) ", " (count(certified as u64)) " certified."
            }
            Some(Status::Nothing) => "Searched, and nothing was found that blocks.",
            Some(Status::Exhausted) => {
                strong { "Undecided: " } "the messages for it were used up, with " (counted(text.rules.len() as u64, "rule")) " found, "
                (count(certified as u64)) " certified."
            }
            Some(Status::Open) => {
                strong { "Undecided: " } "the run ended before the search, with " (counted(text.rules.len() as u64, "rule")) " found, "
                (count(certified as u64)) " certified."
            }
        }
    }
}

fn effort(text: &TextRecord) -> Markup {
    html! {
        @if text.messages > 0 { (counted(text.messages.into(), "message")) " in " (counted(text.rounds.into(), "round")) "." }
    }
}

fn marks(text: &TextRecord) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut add = |ranges: &[Range<usize>], kind| marks.extend(ranges.iter().map(|range| Mark { range: range.clone(), kind }));
    for (rule, number) in text.rules.iter().zip(1..) {
        add(&rule.components, Kind::Component(number));
        rule.unless.iter().for_each(|combination| add(combination, Kind::Lifts(number)));
    }
    add(&text.candidate, Kind::Candidate);
    // Where nothing is known, all of the text is open: to mark all of it shows nothing.
    let window = text.window.iter().filter(|window| **window != (0..text.text.len()));
    marks.extend(window.map(|range| Mark { range: range.clone(), kind: Kind::Window }));
    marks
}

fn part<'t>(text: &'t TextRecord, range: &Range<usize>) -> Foreign<'t> {
    excerpt(text.text.get(range.clone()).unwrap_or_default())
}

fn parts(text: &TextRecord, ranges: &[Range<usize>], joiner: &str) -> Markup {
    html! { @for (place, range) in ranges.iter().enumerate() { @if place > 0 { " " (joiner) " " } strong { (part(text, range)) } } }
}

fn of_rule(text: &TextRecord, rule: &RuleRecord) -> Markup {
    let (joiner, how) = match rule.matching {
        Matching::AnyOrder if rule.components.len() < 2 => ("+", None),
        Matching::AnyOrder => ("+", Some("in any order")),
        Matching::Ordered => ("then", Some("only in this order")),
        Matching::Adjacent => ("+", Some("only as written, the words side by side")),
        Matching::Unknown => ("+", Some("whether the order matters was not asked")),
    };
    html! {
        (parts(text, &rule.components, joiner))
        @if let Some(how) = how { ", " (how) }
        @for combination in &rule.unless { ", unless there is " (parts(text, combination, "+")) }
        ". "
        @if rule.certified { "Certified: " } @else { strong { "Not certified: " } }
        "alone it was " (blocked(rule.signal)) " " (count(rule.blocked_alone.into())) " of " (count(rule.alone.into())) " times"
        @if let Some(e_value) = rule.e_value { " (e-value " (words::number(e_value)) ")" }
        ", found after " (counted(rule.rounds.into(), "round")) "."
    }
}

fn blocked(signal: Signal) -> &'static str {
    match signal {
        Signal::Dropped => "dropped",
        Signal::Refused => "refused",
        Signal::Altered => "altered",
        Signal::Retracted => "retracted",
    }
}

/// What is left open.
fn open(text: &TextRecord) -> Markup {
    let whole = text.window.as_ref().is_some_and(|window| *window == (0..text.text.len()));
    html! {
        @if !text.candidate.is_empty() { p { "Left with, not certified: " (parts(text, &text.candidate, "+")) "." } }
        @if let Some(window) = &text.window {
            p {
                "Something that blocks is left to be found "
                @if whole { "somewhere in the text." } @else {
                    "between bytes " (count(window.start as u64)) " and " (count(window.end as u64)) "."
                }
            }
        }
        @if text.non_monotone {
            p { "Something that was blocked passes inside a larger part of the text: another part lifts a block." }
        }
    }
}
