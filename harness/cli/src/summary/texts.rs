//! Texts with what is blocked in them marked, for a terminal.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use console::style;
use lacuna_inference::isolation::Matching;
use lacuna_inference::rules::{RuleRecord, TextRecord};
use lacuna_model::Study;
use unicode_segmentation::UnicodeSegmentation;

use crate::visible::{shortened, visible};

/// Texts that are shown; `rules.csv` has all.
const MOST_TEXTS: usize = 20;
/// Graphemes shown on either side of a component.
const AROUND: usize = 12;

/// Every text with its rules, at most `width` columns wide.
pub fn texts(records: &[TextRecord], study: &Study, width: u16) -> String {
    if records.is_empty() {
        return String::new();
    }
    let mut out = "\nTexts, and what in them is blocked\n".to_owned();
    for record in records.iter().take(MOST_TEXTS) {
        out += &text(record, study, usize::from(width));
    }
    if let Some(more @ 1..) = records.len().checked_sub(MOST_TEXTS) {
        let _ = writeln!(out, "and {more} more: rules.csv has all");
    }
    out
}

fn text(record: &TextRecord, study: &Study, width: usize) -> String {
    let items: Vec<&str> = record.items.iter().map(|item| study.item(*item).id.as_str()).collect();
    let (arm, recipient) = (study.arm(record.arm).id.as_str(), study.account(record.recipient).id.as_str());
    // Writing to a string cannot fail.
    let mut out = format!("{}, {arm}, {recipient}: ", style(visible(&items.join(" + "))).bold());
    let _ = match (record.messages, record.rounds) {
        (0, _) => writeln!(out, "{}, not searched", record.signal),
        (1, _) => writeln!(out, "{}, searched with 1 message", record.signal),
        (messages, rounds) if messages == rounds => writeln!(out, "{}, searched with {messages} messages", record.signal),
        (messages, rounds) => writeln!(out, "{}, searched with {messages} messages for {rounds} answers", record.signal),
    };
    let _ = writeln!(out, "  {}", excerpt(record, width.saturating_sub(2)));
    for (number, rule) in (1..).zip(&record.rules) {
        let _ = writeln!(out, "  {number}  {}", shortened_line(&in_words(rule, record), width.saturating_sub(5)));
    }
    if let Some(window) = &record.window {
        let left = graphemes(&record.text[..window.start]);
        let long = record.text.get(window.clone()).map_or(0, graphemes);
        let believed: Vec<String> =
            record.candidate.iter().filter_map(|range| record.text.get(range.clone())).map(visible).collect();
        let company = if believed.is_empty() { String::new() } else { format!(", together with {}", believed.join(" + ")) };
        let line = format!("undecided: somewhere in the {long} characters from character {} on{company}", left + 1);
        let _ = writeln!(out, "  ?  {}", shortened_line(&line, width.saturating_sub(5)));
    }
    out
}

fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

/// A rule in words: its components, how they must stand, what lifts it, and whether it is proved.
fn in_words(rule: &RuleRecord, record: &TextRecord) -> String {
    let part = |range: &Range<usize>| visible(record.text.get(range.clone()).unwrap_or_default());
    let joiner = if rule.matching == Matching::Ordered { " … " } else { " + " };
    let mut line = rule.components.iter().map(part).collect::<Vec<_>>().join(joiner);
    if rule.matching == Matching::Ordered {
        line += ", in this order";
    }
    for combination in &rule.unless {
        line += ", unless with ";
        line += &combination.iter().map(part).collect::<Vec<_>>().join(" + ");
    }
    if rule.signal != record.signal {
        let _ = write!(line, ", {}", rule.signal);
    }
    let proof = if rule.certified { "certified" } else { "not certified" };
    let _ = write!(line, " ({proof}; alone {} of {} blocked)", rule.blocked_alone, rule.alone);
    line
}

/// The text around its components, each between brackets with the numbers of its rules behind it.
fn excerpt(record: &TextRecord, width: usize) -> String {
    let marks = marks(record);
    let clusters: Vec<(usize, &str)> = record.text.grapheme_indices(true).collect();
    let is_marked = |at: usize, mark: &Mark| mark.range.start <= at && at < mark.range.end;
    let is_near: Vec<bool> = (0..clusters.len())
        .map(|place| {
            let around = place.saturating_sub(AROUND)..(place + AROUND + 1).min(clusters.len());
            marks.is_empty() || clusters[around].iter().any(|(at, _)| marks.iter().any(|mark| is_marked(*at, mark)))
        })
        .collect();
    let mut out = String::new();
    let mut columns = 0;
    for (place, (at, cluster)) in clusters.iter().enumerate() {
        if !is_near[place] {
            if place == 0 || is_near[place - 1] {
                out.push('…');
                columns += 1;
            }
            continue;
        }
        for mark in marks.iter().filter(|mark| mark.range.start == *at) {
            out.push(mark.open());
            columns += 1;
        }
        let shown = visible(cluster);
        columns += console::measure_text_width(&shown);
        if marks.iter().any(|mark| is_marked(*at, mark)) {
            let _ = write!(out, "{}", style(shown).underlined());
        } else {
            out += &shown;
        }
        for mark in marks.iter().filter(|mark| mark.range.end == at + cluster.len()) {
            let close = mark.close();
            columns += console::measure_text_width(&close);
            out += &close;
        }
        // What does not fit on four lines is for the report.
        if columns >= width * 4 {
            out.push('…');
            break;
        }
    }
    out
}

/// A place in the text, and the rules that it is a component of.
struct Mark {
    range: Range<usize>,
    rules: BTreeSet<usize>,
    lifts: bool,
}

impl Mark {
    fn open(&self) -> char {
        if self.lifts { '‹' } else { '[' }
    }

    fn close(&self) -> String {
        let numbers: Vec<String> = self.rules.iter().map(ToString::to_string).collect();
        format!("{}{}", if self.lifts { '›' } else { ']' }, superscript(&numbers.join(",")))
    }
}

fn superscript(numbers: &str) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = |character: char| character.to_digit(10).and_then(|digit| DIGITS.get(digit as usize)).copied();
    numbers.chars().map(|character| digit(character).unwrap_or('˒')).collect()
}

fn marks(record: &TextRecord) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut add = |range: &Range<usize>, number: usize, lifts: bool| match marks.iter_mut().find(|mark| mark.range == *range) {
        Some(mark) => {
            mark.rules.insert(number);
        }
        None => marks.push(Mark { range: range.clone(), rules: BTreeSet::from([number]), lifts }),
    };
    for (number, rule) in (1..).zip(&record.rules) {
        for range in &rule.components {
            add(range, number, false);
        }
        for range in rule.unless.iter().flatten() {
            add(range, number, true);
        }
    }
    // Where one holds another, the longer opens first.
    marks.sort_by_key(|mark| (mark.range.start, std::cmp::Reverse(mark.range.end)));
    marks
}

fn shortened_line(line: &str, width: usize) -> String {
    shortened(line, width.max(20))
}
