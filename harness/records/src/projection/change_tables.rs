//! `changes.csv` and `lifetimes.csv`: what became of items from run to run, and how long rules live.

use lacuna_inference::comparison::{ChangeRecord, Facts, Lifetime, Observed, Snapshot};
use lacuna_model::{ChangeKind, ChangeReason, Verdict};

use super::cell::Cell;
use super::table::{Form, Table, column};

/// One unit, from one run to a later one.
pub(crate) struct ChangeRow<'a> {
    pub runs: &'a [Snapshot],
    pub record: &'a ChangeRecord,
}

impl<'a> ChangeRow<'a> {
    fn older(&self) -> Option<&'a Observed> {
        self.runs[self.record.old].units.get(&self.record.unit)
    }

    fn newer(&self) -> Option<&'a Observed> {
        self.runs[self.record.new].units.get(&self.record.unit)
    }

    fn item(&self) -> Option<&'a Facts> {
        let item = |run: usize| self.runs[run].items.get(&self.record.unit.item);
        item(self.record.new).or_else(|| item(self.record.old))
    }

    fn control_loss(&self, run: usize) -> Cell<'a> {
        self.runs[run].paths.get(&self.record.unit.path).and_then(|path| path.controls.rate()).into()
    }
}

fn words<W: Copy>(words: &[W], as_str: fn(W) -> &'static str) -> Form {
    Form::Word(words.iter().map(|word| as_str(*word)).collect())
}

fn verdict(verdict: Option<Verdict>) -> Cell<'static> {
    verdict.map_or(Cell::Missing, |verdict| Cell::word(verdict.as_str()))
}

/// `changes.csv`
pub(crate) fn changes<'a>() -> Table<ChangeRow<'a>> {
    let verdicts = || words(Verdict::ALL, Verdict::as_str);
    let columns = vec![
        column("item_id", Form::Text, "The item, with its corpus in front.", |row: &ChangeRow<'a>| {
            Cell::text(row.record.unit.item.as_str())
        }),
        column("arm_id", Form::Text, "The arm.", |row| Cell::text(row.record.unit.path.arm.as_str())),
        column("recipient_account", Form::Text, "The recipient.", |row| Cell::text(row.record.unit.path.recipient.as_str())),
        column(
            "old_run_id",
            Form::Text,
            "The run that it is compared with: the last one before whose verdict says something, or else the one before.",
            |row| Cell::text(row.runs[row.record.old].run.as_str()),
        ),
        column("new_run_id", Form::Text, "The newer run.", |row| Cell::text(row.runs[row.record.new].run.as_str())),
        column("old_verdict", verdicts(), "The older verdict; empty where that run did not have it.", |row| {
            verdict(row.record.old_verdict)
        }),
        column("new_verdict", verdicts(), "The newer verdict; empty where that run did not have it.", |row| {
            verdict(row.record.new_verdict)
        }),
        column("change", words(ChangeKind::ALL, ChangeKind::as_str), "What became of it.", |row| {
            Cell::word(row.record.change.as_str())
        }),
        column(
            "e_value",
            Form::Number,
            "Where the verdicts differ: the smaller of two e-values, of the older run's sends against the newer state and of the newer run's \
             against the older.",
            |row| row.record.e_value.into(),
        ),
        column(
            "q_value",
            Form::Number,
            "The smallest false discovery rate at which it would be called a change, over all units and runs compared.",
            |row| row.record.q_value.into(),
        ),
        column(
            "item_q_value",
            Form::Number,
            "The smallest false discovery rate at which the item would be said to have changed on some arm for some recipient, over all items \
             and runs compared; empty where every message goes one way.",
            |row| row.record.item_q_value.into(),
        ),
        column(
            "reason",
            words(ChangeReason::ALL, ChangeReason::as_str),
            "Why nothing is said, where change is not_comparable or undetermined.",
            |row| row.record.reason.map_or(Cell::Missing, |reason| Cell::word(reason.as_str())),
        ),
        column("category", Form::Text, "The item's category.", |row| {
            row.item().filter(|item| !item.category.is_empty()).map_or(Cell::Missing, |item| Cell::text(item.category.as_str()))
        }),
        column("text", Form::Text, "The message as it is sent.", |row| {
            row.item().filter(|item| !item.message.is_empty()).map_or(Cell::Missing, |item| Cell::text(&*item.message))
        }),
        column(
            "old_delivered",
            Form::Integer,
            "The older run's sends alone that arrived as sent, late ones among them.",
            |row| row.older().map(|it| it.delivered + it.late).into(),
        ),
        column("old_dropped", Form::Integer, "The older run's sends alone that are missing inside a bracket.", |row| {
            row.older().map(|it| it.dropped).into()
        }),
        column(
            "new_delivered",
            Form::Integer,
            "The newer run's sends alone that arrived as sent, late ones among them.",
            |row| row.newer().map(|it| it.delivered + it.late).into(),
        ),
        column("new_dropped", Form::Integer, "The newer run's sends alone that are missing inside a bracket.", |row| {
            row.newer().map(|it| it.dropped).into()
        }),
        column("old_control_loss_rate", Form::Number, "Controls lost in the older run, on the arm for the recipient.", |row| {
            row.control_loss(row.record.old)
        }),
        column("new_control_loss_rate", Form::Number, "Controls lost in the newer run.", |row| row.control_loss(row.record.new)),
        column("after", Form::Time, "The last send of the older run: what changed did so later.", |row| {
            row.older().and_then(|it| it.last_sent_at).into()
        }),
        column("before", Form::Time, "The first send of the newer run: what changed did so earlier.", |row| {
            row.newer().and_then(|it| it.first_sent_at).into()
        }),
    ];
    Table {
        name: "changes",
        meaning: "What became of each item, arm and recipient from run to run.",
        columns,
        primary_key: &["item_id", "arm_id", "recipient_account", "new_run_id"],
        foreign_keys: &[],
    }
}

/// `lifetimes.csv`
pub(crate) fn lifetimes() -> Table<Lifetime> {
    let columns = vec![
        column("arm_id", Form::Text, "The arm.", |row: &Lifetime| Cell::text(row.path.arm.as_str())),
        column("recipient_account", Form::Text, "The recipient.", |row| Cell::text(row.path.recipient.as_str())),
        column("category", Form::Text, "The items' category; empty for all items together.", |row| {
            row.category.as_deref().map_or(Cell::Missing, Cell::text)
        }),
        column(
            "ended_by",
            words(&[ChangeKind::Blocked, ChangeKind::Unblocked], ChangeKind::as_str),
            "What ends the state: unblocked for items that were blocked, blocked for those that were delivered.",
            |row| Cell::word(row.ended_by.as_str()),
        ),
        column("intervals", Form::Integer, "Intervals between two runs that began in the state.", |row| row.intervals.into()),
        column("ended", Form::Integer, "Of these, the ones in which it ended.", |row| row.ended.into()),
        column("days", Form::Number, "The sum of the intervals, in days.", |row| row.days.into()),
        column(
            "half_life_days",
            Form::Number,
            "After how many days half of the items have left the state, if they leave it at a constant rate; empty where none did, or all.",
            |row| row.half_life_days.into(),
        ),
        column("half_life_days_low", Form::Number, "Lower end of its 95 % interval; empty for 0.", |row| {
            row.half_life_days_low.into()
        }),
        column("half_life_days_high", Form::Number, "Upper end of its 95 % interval; empty where there is none.", |row| {
            row.half_life_days_high.into()
        }),
    ];
    Table {
        name: "lifetimes",
        meaning: "How long items stay blocked, and delivered.",
        columns,
        primary_key: &["arm_id", "recipient_account", "category", "ended_by"],
        foreign_keys: &[],
    }
}
