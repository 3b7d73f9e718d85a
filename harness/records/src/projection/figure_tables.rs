//! `figures/*.csv`: the numbers of each figure, row by row as it is drawn.

use lacuna_inference::contrasts::{Factor, Scope};
use lacuna_model::{AccountIx, ArmIx, Study, Verdict};
use lacuna_report::figures::{Figures, contrasts, latency, shares, timeline, verdicts};

use super::cell::Cell;
use super::table::{Form, Table, column};

/// The folder of the figures.
pub(crate) const FIGURES: &str = "figures";

/// One row of a figure.
pub(super) struct FigureRow<'a, R> {
    study: &'a Study,
    row: &'a R,
}

/// The rows of a figure.
pub(super) fn rows<'a, R>(study: &'a Study, rows: &'a [R]) -> impl Iterator<Item = FigureRow<'a, R>> {
    rows.iter().map(move |row| FigureRow { study, row })
}

/// The picture of each figure, by the name of its file.
pub(super) fn pictures(figures: &Figures) -> [(String, &str); 5] {
    let picture = |name: &str, svg| (format!("{FIGURES}/{name}.svg"), svg);
    [
        picture(verdicts::NAME, figures.verdicts.svg.as_str()),
        picture(shares::NAME, figures.shares.svg.as_str()),
        picture(contrasts::NAME, figures.contrasts.svg.as_str()),
        picture(timeline::NAME, figures.timeline.svg.as_str()),
        picture(latency::NAME, figures.latency.svg.as_str()),
    ]
}

impl<R> FigureRow<'_, R> {
    fn arm(&self, arm: ArmIx) -> Cell<'_> {
        Cell::text(self.study.arm(arm).id.as_str())
    }

    fn account(&self, account: AccountIx) -> Cell<'_> {
        Cell::text(self.study.account(account).id.as_str())
    }
}

fn category(category: &str) -> Cell<'_> {
    if category.is_empty() { Cell::Missing } else { Cell::text(category) }
}

/// `figures/verdicts.csv`
pub(super) fn verdicts<'a>() -> Table<FigureRow<'a, verdicts::Row>> {
    let words = Form::Word(Verdict::ALL.iter().map(|it| it.as_str()).collect());
    let columns = vec![
        column(
            "line",
            Form::Integer,
            "The row of the matrix, from 1: items of a category with the same verdicts everywhere share one.",
            |it: &FigureRow<'a, verdicts::Row>| it.row.line.into(),
        ),
        column("category", Form::Text, "The item's category; empty for those without.", |it| {
            category(&it.study.item(it.row.unit.item).category)
        }),
        column("item_id", Form::Text, "The item, with its corpus in front.", |it| {
            Cell::text(it.study.item(it.row.unit.item).id.as_str())
        }),
        column("arm_id", Form::Text, "The arm.", |it| it.arm(it.row.unit.arm)),
        column("recipient_account", Form::Text, "The recipient.", |it| it.account(it.row.unit.recipient)),
        column("verdict", words, "What is claimed.", |it| Cell::word(it.row.verdict.as_str())),
    ];
    Table {
        name: "figures/verdicts",
        meaning: "The cells of the matrix of verdicts, in the order in which they are drawn.",
        columns,
        primary_key: &["item_id", "arm_id", "recipient_account"],
        foreign_keys: &[],
    }
}

/// `figures/drop-rates.csv`
pub(super) fn shares<'a>() -> Table<FigureRow<'a, shares::Row>> {
    let measures = Form::Word(shares::Measure::ALL.iter().map(|it| it.as_str()).collect());
    let columns = vec![
        column("category", Form::Text, "The category; empty for items without.", |it: &FigureRow<'a, shares::Row>| {
            category(&it.row.category)
        }),
        column("arm_id", Form::Text, "The arm.", |it| it.arm(it.row.arm)),
        column("recipient_account", Form::Text, "The recipient.", |it| it.account(it.row.recipient)),
        column(
            "measure",
            measures,
            "What is counted: items with a conclusion; or sends that count, where their number was fixed (replicates).",
            |it| Cell::word(it.row.measure.as_str()),
        ),
        column("whole", Form::Integer, "So many of them.", |it| it.row.whole.into()),
        column("part", Form::Integer, "Of the items, dropped, refused, altered or retracted; of the sends, dropped.", |it| {
            it.row.part.into()
        }),
        column("rate", Form::Number, "Of the items their share; of the sends the mean drop rate of the items.", |it| {
            it.row.rate.map(|rate| rate.estimate).into()
        }),
        column("rate_low", Form::Number, "Lower end of its 95 % interval.", |it| it.row.rate.map(|rate| rate.low).into()),
        column("rate_high", Form::Number, "Upper end of its 95 % interval.", |it| it.row.rate.map(|rate| rate.high).into()),
    ];
    Table {
        name: "figures/drop-rates",
        meaning: "How much of each category is kept from whom.",
        columns,
        primary_key: &["category", "arm_id", "recipient_account"],
        foreign_keys: &[],
    }
}

/// `figures/contrasts.csv`
pub(super) fn contrasts<'a>() -> Table<FigureRow<'a, contrasts::Row>> {
    let factors = Form::Word(Factor::ALL.iter().map(|it| it.as_str()).collect());
    let scopes = Form::Word(vec![Scope::Region.as_str(), Scope::AccountPair.as_str()]);
    let columns = vec![
        column("factor", factors, "What differs between the two sides.", |it: &FigureRow<'a, contrasts::Row>| {
            Cell::word(it.row.factor.as_str())
        }),
        column("level_a", Form::Text, "The country or the kind of venue on side a.", |it| Cell::text(it.row.levels[0].as_str())),
        column("level_b", Form::Text, "The country or the kind of venue on side b.", |it| Cell::text(it.row.levels[1].as_str())),
        column("item_id", Form::Text, "The item, with its corpus in front.", |it| {
            Cell::text(it.study.item(it.row.item).id.as_str())
        }),
        column("difference", Form::Number, "The drop rate on side a less that on side b.", |it| it.row.difference.into()),
        column("difference_low", Form::Number, "Lower end of its 95 % interval.", |it| it.row.low.into()),
        column("difference_high", Form::Number, "Upper end of its 95 % interval.", |it| it.row.high.into()),
        column("q_value", Form::Number, "The e-BH value over all contrasts of the run.", |it| it.row.q_value.into()),
        column("scope", scopes, "region: two accounts or more on each side; account_pair: about these accounts only.", |it| {
            Cell::word(it.row.scope.as_str())
        }),
    ];
    Table {
        name: "figures/contrasts",
        meaning: "The differences that are claimed; contrasts.csv has all that were looked at.",
        columns,
        primary_key: &[],
        foreign_keys: &[],
    }
}

/// `figures/timeline.csv`
pub(super) fn timeline<'a>() -> Table<FigureRow<'a, timeline::Row>> {
    let columns = vec![
        column("recipient_account", Form::Text, "The recipient.", |it: &FigureRow<'a, timeline::Row>| {
            it.account(it.row.recipient)
        }),
        column("from", Form::Time, "Where this part of the run begins.", |it| Cell::time(it.row.from)),
        column("to", Form::Time, "Where it ends.", |it| Cell::time(it.row.to)),
        column(
            "candidates",
            Form::Integer,
            "Messages of candidates and canaries that the platform took for this recipient.",
            |it| it.row.candidates.into(),
        ),
        column("controls", Form::Integer, "Controls that the platform took for this recipient.", |it| it.row.controls.into()),
        column("controls_lost", Form::Integer, "Of the controls, missing on a path that was alive around them.", |it| {
            it.row.controls_lost.into()
        }),
        column("controls_void", Form::Integer, "Of the controls, missing without anything that shows the path alive.", |it| {
            it.row.controls_void.into()
        }),
    ];
    Table {
        name: "figures/timeline",
        meaning: "What was sent to each recipient in equal parts of the run, by when it was sent.",
        columns,
        primary_key: &[],
        foreign_keys: &[],
    }
}

/// `figures/latency.csv`
pub(super) fn latency<'a>() -> Table<FigureRow<'a, latency::Row>> {
    let columns = vec![
        column("arm_id", Form::Text, "The arm.", |it: &FigureRow<'a, latency::Row>| it.arm(it.row.arm)),
        column("recipient_account", Form::Text, "The recipient.", |it| it.account(it.row.recipient)),
        column("from_ms", Form::Number, "From so many milliseconds,", |it| it.row.from_ms.into()),
        column("to_ms", Form::Number, "to less than so many.", |it| it.row.to_ms.into()),
        column("messages", Form::Integer, "Messages that took so long to arrive.", |it| it.row.messages.into()),
    ];
    Table {
        name: "figures/latency",
        meaning: "How long messages took to arrive: one row for each bin of a histogram that is not empty.",
        columns,
        primary_key: &["arm_id", "recipient_account", "from_ms"],
        foreign_keys: &[],
    }
}
