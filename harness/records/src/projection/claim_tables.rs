//! `enforcement.csv` and `contrasts.csv`: how often the platform acts, and what makes the difference.

use lacuna_inference::contrasts::{Comparison, ContrastRecord, Factor, Scope, Side};
use lacuna_inference::enforcement::{EnforcementRecord, Rate};
use lacuna_model::{AccountIx, Study};

use super::cell::Cell;
use super::sent_tables::venue_words;
use super::table::{Form, Table, column};

/// One category, on one arm, for one recipient.
pub(super) struct EnforcementRow<'a> {
    pub study: &'a Study,
    pub record: &'a EnforcementRecord,
}

/// One item in one comparison.
pub(super) struct ContrastRow<'a> {
    pub study: &'a Study,
    pub comparison: &'a Comparison,
    pub record: &'a ContrastRecord,
}

impl ContrastRow<'_> {
    fn arm(&self, side: usize) -> Cell<'_> {
        self.comparison.sides[side].arm().map_or(Cell::Missing, |arm| Cell::text(self.study.arm(arm).id.as_str()))
    }

    /// The account, if the side has one only.
    fn only(&self, side: usize, accounts: impl Fn(&Side) -> Vec<AccountIx>) -> Cell<'_> {
        match accounts(&self.comparison.sides[side]).as_slice() {
            [one] => Cell::text(self.study.account(*one).id.as_str()),
            _ => Cell::Missing,
        }
    }

    fn recipient(&self, side: usize) -> Cell<'_> {
        self.only(side, |side| side.recipients.iter().copied().collect())
    }

    fn sender(&self, side: usize) -> Cell<'_> {
        self.only(side, |side| side.senders.iter().copied().collect())
    }
}

fn optional<T: std::fmt::Display>(value: Option<T>) -> Cell<'static> {
    value.map_or(Cell::Missing, Cell::display)
}

fn low(rate: Option<Rate>) -> Cell<'static> {
    rate.map(|it| it.low).into()
}

fn high(rate: Option<Rate>) -> Cell<'static> {
    rate.map(|it| it.high).into()
}

fn estimate(rate: Option<Rate>) -> Cell<'static> {
    rate.map(|it| it.estimate).into()
}

/// `enforcement.csv`
pub(super) fn enforcement<'a>() -> Table<EnforcementRow<'a>> {
    let columns = vec![
        column("category", Form::Text, "The candidates' category; empty for those without.", |row: &EnforcementRow<'a>| {
            if row.record.category.is_empty() { Cell::Missing } else { Cell::text(row.record.category.as_str()) }
        }),
        column("arm_id", Form::Text, "The arm.", |row| Cell::text(row.study.arm(row.record.arm).id.as_str())),
        column("recipient_account", Form::Text, "The recipient.", |row| {
            Cell::text(row.study.account(row.record.recipient).id.as_str())
        }),
        column("items", Form::Integer, "Items with a send that counts.", |row| row.record.items.into()),
        column("sends", Form::Integer, "Their sends alone that count: arrived, in whatever form, dropped or refused.", |row| {
            row.record.sends.into()
        }),
        column("dropped", Form::Integer, "Of these, dropped.", |row| row.record.dropped.into()),
        column("drop_rate", Form::Number, "Mean over the items of dropped among the sends that could have arrived.", |row| {
            estimate(row.record.drop_rate)
        }),
        column("drop_rate_low", Form::Number, "Lower end of its 95 % interval, clustered by item.", |row| {
            low(row.record.drop_rate)
        }),
        column("drop_rate_high", Form::Number, "Upper end of its 95 % interval, clustered by item.", |row| {
            high(row.record.drop_rate)
        }),
        column(
            "enforcement",
            Form::Number,
            "Mean over the items of the share of sends on which the platform acts (acted), the loss of the controls taken out.",
            |row| estimate(row.record.enforcement),
        ),
        column("enforcement_low", Form::Number, "Lower end of its 95 % interval, over items and loss.", |row| {
            low(row.record.enforcement)
        }),
        column("enforcement_high", Form::Number, "Upper end of its 95 % interval, over items and loss.", |row| {
            high(row.record.enforcement)
        }),
        column("acted", Form::Integer, "Of the sends, dropped, refused, altered or retracted.", |row| row.record.acted.into()),
    ];
    Table {
        name: "enforcement",
        meaning: "How often the platform acts, by category, arm and recipient; without a fixed number of sends (replicates) there \
                  are no rows.",
        columns,
        primary_key: &["category", "arm_id", "recipient_account"],
        foreign_keys: &[],
    }
}

/// `contrasts.csv`
pub(super) fn contrasts<'a>() -> Table<ContrastRow<'a>> {
    let factors = Form::Word(Factor::ALL.iter().map(|it| it.as_str()).collect());
    let scopes = Form::Word(vec![Scope::Region.as_str(), Scope::AccountPair.as_str()]);
    let columns = vec![
        column("item_id", Form::Text, "The item, with its corpus in front.", |row: &ContrastRow<'a>| {
            Cell::text(row.study.item(row.record.item).id.as_str())
        }),
        column("factor", factors, "What differs between the two sides.", |row| Cell::word(row.comparison.factor.as_str())),
        column("level_a", Form::Text, "The country or the kind of venue on side a.", |row| {
            Cell::text(row.comparison.levels[0].as_str())
        }),
        column("level_b", Form::Text, "The country or the kind of venue on side b.", |row| {
            Cell::text(row.comparison.levels[1].as_str())
        }),
        column("arm_a", Form::Text, "The arm of side a; empty if there are several.", |row| row.arm(0)),
        column("arm_b", Form::Text, "The arm of side b; empty if there are several.", |row| row.arm(1)),
        column("recipient_a", Form::Text, "The recipient on side a; empty if there are several.", |row| row.recipient(0)),
        column("recipient_b", Form::Text, "The recipient on side b; empty if there are several.", |row| row.recipient(1)),
        column("difference", Form::Number, "The mean drop rate of the accounts on side a less that on side b.", |row| {
            row.record.difference.map(|it| it.estimate).into()
        }),
        column(
            "difference_low",
            Form::Number,
            "Lower end of its 95 % interval, clustered by account, which assumes nothing about the filter.",
            |row| row.record.difference.map(|it| it.low).into(),
        ),
        column("difference_high", Form::Number, "Upper end of the interval.", |row| {
            row.record.difference.map(|it| it.high).into()
        }),
        column(
            "e_value",
            Form::Number,
            "Evidence against the item being treated alike: with scope region the smallest over the accounts.",
            |row| row.record.e_value().into(),
        ),
        column("q_value", Form::Number, "The e-BH value over all rows; claimed if at most false-discovery-rate.", |row| {
            row.record.q_value.into()
        }),
        column("scope", scopes, "region: two accounts or more on each side; account_pair: about these accounts only.", |row| {
            Cell::word(row.comparison.scope.as_str())
        }),
        column("sender_a", Form::Text, "The sender on side a; empty if there are several.", |row| row.sender(0)),
        column("sender_b", Form::Text, "The sender on side b; empty if there are several.", |row| row.sender(1)),
        column("accounts_a", Form::Integer, "Accounts on side a with a send that counts.", |row| {
            row.record.counted[0].accounts.into()
        }),
        column("sends_a", Form::Integer, "Their sends that count, alone or else in pools that arrived.", |row| {
            row.record.counted[0].sends.into()
        }),
        column("dropped_a", Form::Integer, "Of these, dropped.", |row| row.record.counted[0].dropped.into()),
        column("accounts_b", Form::Integer, "Accounts on side b with a send that counts.", |row| {
            row.record.counted[1].accounts.into()
        }),
        column("sends_b", Form::Integer, "Their sends that count, alone or else in pools that arrived.", |row| {
            row.record.counted[1].sends.into()
        }),
        column("dropped_b", Form::Integer, "Of these, dropped.", |row| row.record.counted[1].dropped.into()),
        column("sender_registered_in", Form::Text, "Where the senders of both sides are registered, if in one country.", |row| {
            optional(row.comparison.context.sender_registered_in)
        }),
        column("sender_located_in", Form::Text, "Where the senders of both sides connect from, if from one country.", |row| {
            optional(row.comparison.context.sender_located_in)
        }),
        column("recipient_registered_in", Form::Text, "Where the recipients of both sides are registered.", |row| {
            optional(row.comparison.context.recipient_registered_in)
        }),
        column("recipient_located_in", Form::Text, "Where the recipients of both sides connect from.", |row| {
            optional(row.comparison.context.recipient_located_in)
        }),
        column("venue", venue_words(), "The kind of place on both sides.", |row| {
            row.comparison.context.venue.map_or(Cell::Missing, |it| Cell::word(it.as_str()))
        }),
    ];
    Table {
        name: "contrasts",
        meaning: "For each item the difference between two sides that differ in one factor, claimed or not. Of the columns from \
                  sender_registered_in on, the factor's own is empty.",
        columns,
        primary_key: &[],
        foreign_keys: &[],
    }
}
