//! `mechanisms.csv` and `exposures.csv`: by what a file is filtered, and whether what is shown outside is enforced inside.

use lacuna_inference::exposure::{ExposureRecord, Surveillance, Trial};
use lacuna_inference::mechanism::{Claim, Layer, Mechanism, MechanismRecord};
use lacuna_inference::sequential;
use lacuna_model::study::ExposureRule;
use lacuna_model::{Reason, Study};

use super::cell::Cell;
use super::table::{ForeignKey, Form, Table, column};

/// What is claimed of one original, or of one platform.
pub(super) enum MechanismRow<'a> {
    /// Of one original.
    Of { study: &'a Study, record: &'a MechanismRecord, claim: &'a Claim },
    /// Of what is shown outside.
    Exposed { study: &'a Study, rule: &'a ExposureRule, record: &'a ExposureRecord },
}

impl<'a> MechanismRow<'a> {
    /// One row per claim.
    pub fn rows(study: &'a Study, records: &'a [MechanismRecord]) -> impl Iterator<Item = Self> + 'a {
        records.iter().flat_map(move |record| record.claims.iter().map(move |claim| Self::Of { study, record, claim }))
    }
}

/// A trial of an exposure.
pub(super) struct ExposureRow<'a> {
    pub study: &'a Study,
    pub rule: &'a ExposureRule,
    pub trial: &'a Trial,
}

fn e_value(ln_e: f64) -> Cell<'static> {
    Some(sequential::e_value(ln_e)).into()
}

const fn reason(record: &ExposureRecord) -> Option<Reason> {
    match record.claim {
        Surveillance::Inconclusive(reason) => Some(reason),
        Surveillance::Surveilled | Surveillance::NotSurveilled => None,
    }
}

fn supported(supported: Option<bool>) -> Cell<'static> {
    Cell::word(match supported {
        Some(true) => "true",
        Some(false) => "false",
        None => "undetermined",
    })
}

fn exposed_words(record: &ExposureRecord) -> String {
    let ExposureRecord { claim, twins, blocked, learning, .. } = record;
    let learned = match learning {
        Some((above, Some(at_most))) => format!("; learned between {above} and {at_most} after it was shown"),
        Some((above, None)) => format!("; learned later than {above} after it was shown"),
        None => String::new(),
    };
    let reason = reason(record).map_or_else(String::new, |reason| format!(" ({reason})"));
    format!(
        "{}{reason}: {blocked} of {twins} harmless twins of what was shown outside are dropped inside{learned}",
        claim.as_str()
    )
}

/// `mechanisms.csv`
pub(super) fn mechanisms<'a>() -> Table<MechanismRow<'a>> {
    let mut mechanisms = vec![Mechanism::HashIndex.as_str()];
    mechanisms.extend(Mechanism::OF_CONTENT.map(Mechanism::as_str));
    mechanisms.extend(["none", "undetermined"]);
    let layers = vec![Layer::Enforcement.as_str(), Layer::Analysis.as_str()];
    let columns = vec![
        column(
            "item_id",
            Form::Text,
            "The original, with its corpus in front; empty where the claim is about the platform.",
            |row: &MechanismRow<'a>| match row {
                MechanismRow::Of { study, record, .. } => Cell::text(study.item(record.base).id.as_str()),
                MechanismRow::Exposed { .. } => Cell::Missing,
            },
        ),
        column("arm_id", Form::Text, "The arm; of an exposure the one inside.", |row| match row {
            MechanismRow::Of { study, record, .. } => Cell::text(study.arm(record.arm).id.as_str()),
            MechanismRow::Exposed { study, rule, .. } => Cell::text(study.arm(rule.inside).id.as_str()),
        }),
        column(
            "recipient_account",
            Form::Text,
            "The recipient; empty where the claim is about all of the arm.",
            |row| match row {
                MechanismRow::Of { study, record, .. } => Cell::text(study.account(record.recipient).id.as_str()),
                MechanismRow::Exposed { .. } => Cell::Missing,
            },
        ),
        column(
            "layer",
            Form::Word(layers),
            "enforcement: what acts on a message; analysis: what finds a file sensitive and feeds the index of hashes.",
            |row| match row {
                MechanismRow::Of { claim, .. } => Cell::word(claim.layer.as_str()),
                MechanismRow::Exposed { .. } => Cell::word(Layer::Analysis.as_str()),
            },
        ),
        column(
            "mechanism",
            Form::Word(mechanisms),
            "By what; none: nothing acts. Of an exposure: the index of hashes, fed by what is shown outside.",
            |row| match row {
                MechanismRow::Of { claim, .. } => Cell::word(claim.mechanism.map_or("none", Mechanism::as_str)),
                MechanismRow::Exposed { .. } => Cell::word(Mechanism::HashIndex.as_str()),
            },
        ),
        column(
            "supported",
            Form::Word(vec!["true", "false", "undetermined"]),
            "Whether it suffices for a file to be filtered. That it is necessary is never claimed.",
            |row| match row {
                MechanismRow::Of { claim, .. } => supported(claim.supported),
                MechanismRow::Exposed { record, .. } => supported(match record.claim {
                    Surveillance::Surveilled => Some(true),
                    Surveillance::NotSurveilled => Some(false),
                    Surveillance::Inconclusive(_) => None,
                }),
            },
        ),
        column("e_value", Form::Number, "Evidence against the drops behind it being losses; at most 1e300 is written.", |row| {
            match row {
                MechanismRow::Of { claim, .. } => claim.ln_e.map_or(Cell::Missing, e_value),
                MechanismRow::Exposed { record, .. } => e_value(record.ln_e),
            }
        }),
        column("probes", Form::Integer, "Sends that count, of the files that say it.", |row| match row {
            MechanismRow::Of { claim, .. } => claim.probes.into(),
            MechanismRow::Exposed { record, .. } => record.twins.into(),
        }),
        column("evidence", Form::Text, "What was sent, what became of it, and why that says it.", |row| match row {
            MechanismRow::Of { claim, .. } => Cell::display(&claim.evidence),
            MechanismRow::Exposed { record, .. } => Cell::display(exposed_words(record)),
        }),
        column(
            "grayscale",
            Form::Word(lacuna_model::GrayFormula::ALL.map(lacuna_model::GrayFormula::as_str).to_vec()),
            "Where the text suffices: the formula by which the picture is made grey before it is read; empty where that is not known.",
            |row| match row {
                MechanismRow::Of { record, claim, .. } if claim.mechanism == Some(Mechanism::Text) => {
                    record.gray.map_or(Cell::Missing, |formula| Cell::word(formula.as_str()))
                }
                _ => Cell::Missing,
            },
        ),
        column(
            "reason",
            Form::Word(Reason::ALL.iter().map(|it| it.as_str()).collect()),
            "Why nothing is claimed of an exposure.",
            |row| match row {
                MechanismRow::Exposed { record, .. } => reason(record).map_or(Cell::Missing, |it| Cell::word(it.as_str())),
                MechanismRow::Of { .. } => Cell::Missing,
            },
        ),
    ];
    Table {
        name: "mechanisms",
        meaning: "By what files are filtered, as far as design = mechanism or exposure asked.",
        columns,
        primary_key: &[],
        foreign_keys: &[],
    }
}

/// `exposures.csv`
pub(super) fn exposures<'a>() -> Table<ExposureRow<'a>> {
    let kinds = vec!["exposed", "unexposed", "harmless", "learning"];
    let outcomes = Form::Word(lacuna_model::Outcome::ALL.iter().map(|it| it.as_str()).collect());
    let columns = vec![
        column("probe_id", Form::Text, "The send inside.", |row: &ExposureRow<'a>| row.trial.sent.probe.into()),
        column(
            "kind",
            Form::Word(kinds),
            "exposed: the harmless twin of what was shown outside; unexposed: of what was never shown; harmless: half of a harmless pair; \
             learning: a sensitive file of its own.",
            |row| Cell::word(row.trial.kind.as_str()),
        ),
        column("item_id", Form::Text, "What was sent inside.", |row| Cell::text(row.study.item(row.trial.item).id.as_str())),
        column("shown_item_id", Form::Text, "What was shown before; empty for nothing.", |row| {
            row.trial.shown.map_or(Cell::Missing, |(item, _)| Cell::text(row.study.item(item).id.as_str()))
        }),
        column("shown_probe_id", Form::Text, "By which send.", |row| row.trial.shown.map(|(_, shown)| shown.probe).into()),
        column("delay_s", Form::Number, "From that send to the one inside, in seconds.", |row| {
            row.trial.delay().map_or(Cell::Missing, Cell::seconds)
        }),
        column("outcome", outcomes, "What became of the send inside.", |row| {
            row.trial.sent.outcome.map_or(Cell::Missing, |outcome| Cell::word(outcome.as_str()))
        }),
        column(
            "file_state",
            Form::Word(FILE_STATES.to_vec()),
            "In what state its file arrived: its own bytes, re-encoded, those of another file, or unknown ones.",
            |row| row.trial.sent.state.map_or(Cell::Missing, |state| Cell::word(file_state(state))),
        ),
        column("arm_outside_id", Form::Text, "Where things are shown.", |row| {
            Cell::text(row.study.arm(row.rule.outside).id.as_str())
        }),
        column("arm_inside_id", Form::Text, "Where twins are sent.", |row| {
            Cell::text(row.study.arm(row.rule.inside).id.as_str())
        }),
    ];
    Table {
        name: "exposures",
        meaning: "The trials and controls of design = exposure.",
        columns,
        primary_key: &["probe_id"],
        foreign_keys: &[
            ForeignKey { column: "probe_id", table: "sent", key: "probe_id" },
            ForeignKey { column: "shown_probe_id", table: "sent", key: "probe_id" },
        ],
    }
}

/// In what states files arrive.
pub(super) const FILE_STATES: [&str; 4] = ["intact", "reencoded", "replaced", "unknown"];

/// The word for one.
pub(super) const fn file_state(state: lacuna_inference::evidence::FileState) -> &'static str {
    use lacuna_inference::evidence::FileState;
    match state {
        FileState::Intact => FILE_STATES[0],
        FileState::Reencoded => FILE_STATES[1],
        FileState::Replaced(_) => FILE_STATES[2],
        FileState::Unknown => FILE_STATES[3],
    }
}
