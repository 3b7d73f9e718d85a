//! `outcomes.csv` and `verdicts.csv`: what became of each send, and what is claimed of each item.

use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::enforcement::{Rate, Sends, of_unit};
use lacuna_inference::evidence::{OutcomeRecord, ProbeRecord};
use lacuna_inference::verdicts::VerdictRecord;
use lacuna_model::{Account, Arm, CountryCode, MatchedBy, Outcome, Reason, Study, Verdict};

use super::cell::Cell;
use super::mechanism_tables::{FILE_STATES, file_state};
use super::sent_tables::{role_words, venue_words};
use super::table::{Column, ForeignKey, Form, Table, column};

/// What became of one probe for one recipient.
pub(super) struct OutcomeRow<'a> {
    pub study: &'a Study,
    pub probe: &'a ProbeRecord,
    pub outcome: OutcomeRecord,
}

/// What is claimed of one item, on one arm, for one recipient.
pub(super) struct VerdictRow<'a> {
    study: &'a Study,
    verdict: &'a VerdictRecord,
    enforcement: Option<Rate>,
}

impl<'a> VerdictRow<'a> {
    pub fn new(conclusion: &Conclusion, study: &'a Study, verdict: &'a VerdictRecord) -> Self {
        let controls = conclusion.tallies.controls(verdict.unit.arm, verdict.unit.recipient);
        Self { study, verdict, enforcement: of_unit(&verdict.tally, controls, Sends::of(study)) }
    }
}

impl VerdictRow<'_> {
    fn arm(&self) -> &Arm {
        self.study.arm(self.verdict.unit.arm)
    }

    fn recipient(&self) -> &Account {
        self.study.account(self.verdict.unit.recipient)
    }

    /// What the arm's senders share; a cell has room for one country, so senders of several leave it empty.
    fn senders_country(&self, country: impl Fn(&Account) -> CountryCode) -> Cell<'static> {
        let mut countries = self.arm().senders.iter().map(|sender| country(self.study.account(*sender)));
        match countries.next() {
            Some(first) if countries.all(|other| other == first) => Cell::display(first),
            _ => Cell::Missing,
        }
    }
}

fn outcome_words() -> Form {
    Form::Word(Outcome::ALL.iter().map(|it| it.as_str()).collect())
}

/// `outcomes.csv`
pub(super) fn outcomes<'a>() -> Table<OutcomeRow<'a>> {
    let matched_by = Form::Word(MatchedBy::ALL.iter().map(|it| it.as_str()).collect());
    let columns = vec![
        column("probe_id", Form::Text, "The send.", |row: &OutcomeRow<'a>| row.outcome.probe.into()),
        column("arm_id", Form::Text, "The arm.", |row| {
            Cell::text(row.study.arm(row.study.channel(row.probe.probe.channel).arm).id.as_str())
        }),
        column("role", role_words(), "Why its items were sent.", |row| Cell::word(row.probe.probe.role.as_str())),
        column("recipient_account", Form::Text, "The account that should have received it.", |row| {
            Cell::text(row.study.account(row.outcome.recipient).id.as_str())
        }),
        column("outcome", outcome_words(), "What became of it, late arrivals and retractions included.", |row| {
            Cell::word(row.outcome.outcome.as_str())
        }),
        column("first_outcome", outcome_words(), "What it was called before anything was revised.", |row| {
            Cell::word(row.outcome.first_outcome.as_str())
        }),
        column("revised_at", Form::Time, "When the outcome was last revised; empty if it never was.", |row| {
            row.outcome.revised_at.into()
        }),
        column("matched_by", matched_by, "By what the received message was recognised.", |row| {
            row.outcome.matched_by.map_or(Cell::Missing, |it| Cell::word(it.as_str()))
        }),
        column("received_sequence", Form::Integer, "The received message.", |row| {
            row.outcome.received_sequence.map(|it| it.0).into()
        }),
        column("bracket_before_probe_id", Form::Text, "The send before it that arrived and shows the path alive.", |row| {
            row.outcome.bracket_before.into()
        }),
        column("bracket_after_probe_id", Form::Text, "The send after it that arrived and shows the path alive.", |row| {
            row.outcome.bracket_after.into()
        }),
        column("sent_at", Form::Time, "When it was handed to the platform.", |row| row.outcome.sent_at.into()),
        column("observed_at", Form::Time, "When it arrived.", |row| row.outcome.observed_at.into()),
        column("listened_until", Form::Time, "Until when the recipient is known to have listened.", |row| {
            row.outcome.listened_until.into()
        }),
        column("latency_ms", Form::Number, "From hand-over to arrival, in milliseconds.", |row| {
            row.outcome.latency.map_or(Cell::Missing, Cell::millis)
        }),
        column(
            "file_state",
            Form::Word(FILE_STATES.to_vec()),
            "In what state its file arrived: its own bytes, re-encoded, those of another file, or unknown ones; empty without a file.",
            |row| row.outcome.file.map_or(Cell::Missing, |state| Cell::word(file_state(state))),
        ),
    ];
    Table {
        name: "outcomes",
        meaning: "What became of each send for each recipient, in the order of the sends and of the arm's recipients.",
        columns,
        primary_key: &["probe_id", "recipient_account"],
        foreign_keys: &[
            ForeignKey { column: "probe_id", table: "sent", key: "probe_id" },
            ForeignKey { column: "received_sequence", table: "received", key: "sequence" },
            ForeignKey { column: "bracket_before_probe_id", table: "sent", key: "probe_id" },
            ForeignKey { column: "bracket_after_probe_id", table: "sent", key: "probe_id" },
        ],
    }
}

/// How often the platform acts on the item.
fn enforcement_columns<'a>() -> Vec<Column<VerdictRow<'a>>> {
    vec![
        column(
            "enforcement",
            Form::Number,
            "The share of sends alone on which the platform acts (dropped, refused, altered, retracted), the loss of the controls \
             taken out.",
            |row: &VerdictRow<'a>| row.enforcement.map(|it| it.estimate).into(),
        ),
        column(
            "enforcement_low",
            Form::Number,
            "Lower end of its 95 % interval; without a fixed number of sends (replicates) a confidence sequence.",
            |row| row.enforcement.map(|it| it.low).into(),
        ),
        column(
            "enforcement_high",
            Form::Number,
            "Upper end of its interval: what acts more often would have been seen.",
            |row| row.enforcement.map(|it| it.high).into(),
        ),
    ]
}

/// `verdicts.csv`
pub(super) fn verdicts<'a>() -> Table<VerdictRow<'a>> {
    let verdicts = Form::Word(Verdict::ALL.iter().map(|it| it.as_str()).collect());
    let reasons = Form::Word(Reason::ALL.iter().map(|it| it.as_str()).collect());
    let mut columns = vec![
        column("item_id", Form::Text, "The item, with its corpus in front.", |row: &VerdictRow<'a>| {
            Cell::text(row.study.item(row.verdict.unit.item).id.as_str())
        }),
        column("arm_id", Form::Text, "The arm.", |row| Cell::text(row.arm().id.as_str())),
        column("recipient_account", Form::Text, "The recipient.", |row| Cell::text(row.recipient().id.as_str())),
        column("sender_registered_in", Form::Text, "Where the arm's senders are registered; empty if not all in one.", |row| {
            row.senders_country(|sender| sender.registered_in)
        }),
        column("sender_located_in", Form::Text, "Where the arm's senders connect from; empty if not all from one.", |row| {
            row.senders_country(|sender| sender.located_in)
        }),
        column("recipient_registered_in", Form::Text, "Where the recipient is registered.", |row| {
            Cell::display(row.recipient().registered_in)
        }),
        column("recipient_located_in", Form::Text, "Where the recipient connects from.", |row| {
            Cell::display(row.recipient().located_in)
        }),
        column("venue", venue_words(), "The kind of place.", |row| Cell::word(row.arm().venue.as_str())),
        column("verdict", verdicts, "What is claimed.", |row| Cell::word(row.verdict.verdict.as_str())),
        column("reason", reasons, "Why nothing is claimed.", |row| {
            row.verdict.reason.map_or(Cell::Missing, |it| Cell::word(it.as_str()))
        }),
        column("probes", Form::Integer, "Sends of the item alone; the counts up to void are of these.", |row| {
            row.verdict.tally.probes.into()
        }),
        column("delivered", Form::Integer, "Arrived as sent.", |row| row.verdict.tally.delivered.into()),
        column("delivered_late", Form::Integer, "Arrived after they had been counted as missing.", |row| {
            row.verdict.tally.delivered_late.into()
        }),
        column("dropped", Form::Integer, "Missing on a path that was alive around them.", |row| row.verdict.tally.dropped.into()),
        column("refused", Form::Integer, "Refused by the platform.", |row| row.verdict.tally.refused.into()),
        column("altered", Form::Integer, "Arrived changed.", |row| row.verdict.tally.altered.into()),
        column("retracted", Form::Integer, "Arrived and were taken away again.", |row| row.verdict.tally.retracted.into()),
        column("void", Form::Integer, "Missing where nothing shows that the path was alive.", |row| {
            row.verdict.tally.void.into()
        }),
        column(
            "pooled_delivered",
            Form::Integer,
            "Sends together with other items that arrived, checks of the filter apart.",
            |row| row.verdict.tally.pooled_delivered.into(),
        ),
        column(
            "pooled_dropped",
            Form::Integer,
            "Sends together with other items that are missing on a path that was alive, or were refused, altered or retracted.",
            |row| row.verdict.tally.pooled_dropped.into(),
        ),
        column("drop_rate", Form::Number, "Dropped among the sends that could have arrived.", |row| row.verdict.drop_rate.into()),
        column(
            "drop_rate_low",
            Form::Number,
            "Lower end of the 95 % interval of drop_rate: Clopper-Pearson with replicates, else a confidence sequence.",
            |row| row.verdict.drop_rate_interval.map(|(low, _)| low).into(),
        ),
        column("drop_rate_high", Form::Number, "Upper end of the 95 % interval of drop_rate.", |row| {
            row.verdict.drop_rate_interval.map(|(_, high)| high).into()
        }),
        column("control_loss_rate", Form::Number, "Missing among the arm's controls for this recipient.", |row| {
            row.verdict.control_loss_rate.into()
        }),
        column(
            "e_value",
            Form::Number,
            "Evidence of the item's own sends against its drops being losses: large values speak for a block. At most 1e300 is written.",
            |row| row.verdict.e_value.into(),
        ),
        column(
            "q_value",
            Form::Number,
            "The smallest false discovery rate at which e-BH over all items, arms and recipients counts it as blocked; 1 with fewer \
             than two drops or an e_value below 1 / false-positive-rate.",
            |row| row.verdict.q_value.into(),
        ),
        column(
            "filter_seen",
            Form::Boolean,
            "Whether any verdict on this arm shows a filter, of a canary or a candidate: without it, its silence means little.",
            |row| row.verdict.filter_seen.into(),
        ),
        column("listened_s", Form::Number, "The shortest time that was listened for a send of the item, in seconds.", |row| {
            row.verdict.listened.map_or(Cell::Missing, Cell::seconds)
        }),
        column("first_sent_at", Form::Time, "The first send, alone or with others.", |row| row.verdict.first_sent_at.into()),
        column("last_sent_at", Form::Time, "The last send, alone or with others.", |row| row.verdict.last_sent_at.into()),
    ];
    columns.extend(enforcement_columns());
    Table {
        name: "verdicts",
        meaning: "What is claimed of each item, on each arm, for each recipient.",
        columns,
        primary_key: &["item_id", "arm_id", "recipient_account"],
        foreign_keys: &[],
    }
}
