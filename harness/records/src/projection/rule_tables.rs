//! `rules.csv`: which words of the texts that are blocked are to blame.

use std::ops::Range;

use lacuna_content::sha256_hex;
use lacuna_inference::isolation::Matching;
use lacuna_inference::rules::{RuleRecord, TextRecord};
use lacuna_model::{ProbeId, Signal, Study};

use super::cell::Cell;
use super::table::{Column, ForeignKey, Form, Table, column};

/// Digits of a rule's id: 48 bits, far more than any list has rules.
const ID_DIGITS: usize = 12;
/// What stands between the components of a rule where they are hashed: a control character that no text has.
const UNIT_SEPARATOR: &str = "\u{1f}";

/// The id of a rule: the same components have the same one, in whatever order, in every text and every run.
pub(crate) fn rule_id<'t>(components: impl IntoIterator<Item = &'t str>) -> String {
    let mut components: Vec<&str> = components.into_iter().collect();
    components.sort_unstable();
    let mut digits = sha256_hex(components.join(UNIT_SEPARATOR).as_bytes());
    digits.truncate(ID_DIGITS);
    digits
}

/// A part of a text, in Unicode scalar values.
pub(super) fn characters(text: &str, bytes: &Range<usize>) -> Option<Range<usize>> {
    let start = text.get(..bytes.start)?.chars().count();
    Some(start..start + text.get(bytes.clone())?.chars().count())
}

/// A text that was searched, or should have been.
#[derive(Clone, Copy)]
pub(super) struct SearchedText<'a> {
    pub study: &'a Study,
    pub record: &'a TextRecord,
    /// The number of the combination that the text is; `None` for one item, and for what is not claimed to be one.
    pub combination: Option<u32>,
    /// The first send of a part of it.
    pub first_probe: Option<ProbeId>,
}

/// One component of one rule in one text, or what is left open there.
pub(super) struct RuleRow<'a> {
    of: SearchedText<'a>,
    /// `None` for what is left open.
    rule: Option<(&'a RuleRecord, String)>,
    /// For a component that lifts the block: of which combination it is, from 1.
    extenuating: Option<u32>,
    position: u32,
    component: Option<&'a str>,
    window: Option<Range<usize>>,
}

impl<'a> RuleRow<'a> {
    /// One row a component, required ones first; then what is left open.
    pub fn rows(of: SearchedText<'a>) -> Vec<Self> {
        let record = of.record;
        let text: &'a str = &record.text;
        let mut rows = Vec::new();
        for rule in &record.rules {
            let id = rule_id(rule.components.iter().filter_map(|range| text.get(range.clone())));
            let required = std::iter::once((None, &rule.components));
            let extenuating = (1..).zip(&rule.unless).map(|(set, components)| (Some(set), components));
            for (extenuating, components) in required.chain(extenuating) {
                rows.extend((1..).zip(components).map(|(position, range)| Self {
                    of,
                    rule: Some((rule, id.clone())),
                    extenuating,
                    position,
                    component: text.get(range.clone()),
                    window: characters(text, range),
                }));
            }
        }
        if let Some(window) = &record.window {
            let window = characters(text, window);
            let open =
                |position, component| Self { of, rule: None, extenuating: None, position, component, window: window.clone() };
            let believed = (1..).zip(&record.candidate).map(|(position, range)| open(position, text.get(range.clone())));
            rows.extend(believed);
            if record.candidate.is_empty() {
                rows.push(open(1, None));
            }
        }
        rows
    }

    fn is_certified(&self) -> bool {
        self.rule.as_ref().is_some_and(|(rule, _)| rule.certified)
    }

    fn of_rule<T>(&self, value: impl Fn(&RuleRecord) -> T) -> Cell<'_>
    where
        Cell<'static>: From<T>,
    {
        self.rule.as_ref().map_or(Cell::Missing, |(rule, _)| value(rule).into())
    }
}

/// As `rules.csv` writes it; empty where it was not asked about.
const fn matching(matching: Matching) -> Option<&'static str> {
    match matching {
        Matching::AnyOrder => Some("any_order"),
        Matching::Ordered => Some("ordered"),
        Matching::Adjacent => Some("adjacent"),
        Matching::Unknown => None,
    }
}

fn offset(at: Option<usize>) -> Cell<'static> {
    at.map_or(Cell::Missing, Cell::display)
}

/// Which rule, which of its components, and where.
fn component_columns<'a>() -> Vec<Column<RuleRow<'a>>> {
    let signals = Signal::ALL.iter().map(|it| it.as_str()).collect();
    vec![
        column(
            "item_id",
            Form::Text,
            "The text, with its corpus in front; empty for a combination of items.",
            |row: &RuleRow<'a>| match row.of.record.items.as_slice() {
                [item] => Cell::text(row.of.study.item(*item).id.as_str()),
                _ => Cell::Missing,
            },
        ),
        column("arm_id", Form::Text, "The arm.", |row| Cell::text(row.of.study.arm(row.of.record.arm).id.as_str())),
        column("recipient_account", Form::Text, "The account for which the text is blocked.", |row| {
            Cell::text(row.of.study.account(row.of.record.recipient).id.as_str())
        }),
        column(
            "signal",
            Form::Word(signals),
            "How a message is blocked that holds the rule's required components alone; where something is left open, how the \
             whole text is.",
            |row| Cell::word(row.rule.as_ref().map_or(row.of.record.signal, |(rule, _)| rule.signal).as_str()),
        ),
        column(
            "rule_id",
            Form::Text,
            "The rule: the first 12 hexadecimal digits of the SHA-256 of its required components, sorted by their UTF-8 bytes and \
             joined by U+001F. The same in every text and every run; empty where something is left open.",
            |row| row.rule.as_ref().map_or(Cell::Missing, |(_, id)| Cell::word(id)),
        ),
        column(
            "component_position",
            Form::Integer,
            "The place of the component among the required ones, or in its extenuating combination, from 1.",
            |row| row.position.into(),
        ),
        column("component", Form::Text, "Its text; empty where something is left open and no part of it is known.", |row| {
            row.component.map_or(Cell::Missing, Cell::text)
        }),
        column(
            "component_role",
            Form::Word(vec!["required", "extenuating"]),
            "required: all of these together are blocked; extenuating: all of one combination together lift the block.",
            |row| match (row.component, row.extenuating) {
                (None, _) => Cell::Missing,
                (Some(_), None) => Cell::word("required"),
                (Some(_), Some(_)) => Cell::word("extenuating"),
            },
        ),
        column(
            "matching",
            Form::Word(vec!["any_order", "ordered", "adjacent"]),
            "How the required components must stand: in any order; in that of the text (reversed they arrived); one component of \
             several words, as written (apart they arrived). Empty where it was not asked.",
            |row| row.rule.as_ref().and_then(|(rule, _)| matching(rule.matching)).map_or(Cell::Missing, Cell::word),
        ),
        column(
            "status",
            Form::Word(vec!["certified", "candidate", "undecided"]),
            "certified: proved, to the error rates asked for; candidate: found, and not proved; undecided: something else in the \
             text is blocked, and was not found to its end. A text without undecided rows was searched to its end.",
            |row| match (row.is_certified(), &row.rule) {
                (true, _) => Cell::word("certified"),
                (false, Some(_)) => Cell::word("candidate"),
                (false, None) => Cell::word("undecided"),
            },
        ),
        column(
            "window_start",
            Form::Integer,
            "Where the component stands in the text; of an undecided row, where something that is blocked is left to be found: \
             the first character, counted from 0 in Unicode scalar values (as in slices of Python's strings).",
            |row| offset(row.window.as_ref().map(|window| window.start)),
        ),
        column("window_end", Form::Integer, "One past its last character, likewise.", |row| {
            offset(row.window.as_ref().map(|window| window.end))
        }),
    ]
}

/// What it took, and what it rests on.
fn evidence_columns<'a>() -> Vec<Column<RuleRow<'a>>> {
    vec![
        column(
            "messages",
            Form::Integer,
            "Messages of the whole search in the text for the recipient, controls and those that showed the text to be blocked not \
             counted; the same on each of its rows.",
            |row: &RuleRow<'a>| row.of.record.messages.into(),
        ),
        column(
            "rounds",
            Form::Integer,
            "Answers that the search waited for, one after the other; the same on each of its rows.",
            |row| row.of.record.rounds.into(),
        ),
        column(
            "certified",
            Form::Boolean,
            "Whether the required components alone are blocked, to the configured error rates, and a delivery shows of each that \
             it is needed.",
            |row| row.is_certified().into(),
        ),
        column(
            "combination_id",
            Form::Text,
            "The combination, where the text is one: its items in the order of probe_items.csv, with the platform's separator \
             between them.",
            |row| row.of.combination.map_or(Cell::Missing, |number| Cell::display(format_args!("c{number:04}"))),
        ),
        column(
            "extenuating_set",
            Form::Integer,
            "Of an extenuating component: which combination it belongs to, from 1.",
            |row| row.extenuating.into(),
        ),
        column(
            "sent_alone",
            Form::Integer,
            "Sends of the required components and nothing else that say something; in either order, where that makes no difference.",
            |row| row.of_rule(|rule| rule.alone),
        ),
        column("blocked_alone", Form::Integer, "Of these, the ones that did not arrive as they were sent.", |row| {
            row.of_rule(|rule| rule.blocked_alone)
        }),
        column(
            "e_value",
            Form::Number,
            "The evidence of these sends against their drops being losses; empty where the platform says what it blocks. At most \
             1e300 is written.",
            |row| row.of_rule(|rule| rule.e_value),
        ),
        column("first_probe_id", Form::Text, "The first send of a part of the text, for any recipient of the arm.", |row| {
            row.of.first_probe.into()
        }),
    ]
}

/// `rules.csv`
pub(super) fn rules<'a>() -> Table<RuleRow<'a>> {
    let mut columns = component_columns();
    columns.extend(evidence_columns());
    Table {
        name: "rules",
        meaning: "Which words of the texts that are blocked are to blame: one row a component of each rule in each text, for each \
                  arm and recipient, and what is left open.",
        columns,
        primary_key: &[],
        foreign_keys: &[
            ForeignKey { column: "combination_id", table: "combinations", key: "combination_id" },
            ForeignKey { column: "first_probe_id", table: "sent", key: "probe_id" },
        ],
    }
}

#[cfg(test)]
mod tests;
