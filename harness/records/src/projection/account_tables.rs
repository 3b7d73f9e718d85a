//! `accounts.csv`: what happened to the accounts.

use lacuna_model::{Account, AccountCondition, Fact, Study, Timestamp};

use super::cell::Cell;
use super::table::{Form, Table, column};

/// Something that happened to an account.
pub(super) struct AccountRow<'a> {
    pub account: &'a Account,
    pub at: Timestamp,
    pub event: &'static str,
    pub detail: String,
}

const GAP: &str = "gap";

impl<'a> AccountRow<'a> {
    /// What a fact says of an account, if it says anything.
    pub fn of(study: &'a Study, at: Timestamp, fact: &Fact) -> Option<Self> {
        let (account, event, detail) = match fact {
            Fact::AccountState { account, condition, detail } => (*account, condition.as_str(), detail),
            Fact::Gap { account, detail } => (*account, GAP, detail),
            _ => return None,
        };
        Some(Self { account: study.account(account), at, event, detail: detail.clone() })
    }
}

/// `accounts.csv`
pub(super) fn accounts<'a>() -> Table<AccountRow<'a>> {
    let conditions = [AccountCondition::Connected, AccountCondition::Disconnected, AccountCondition::Sanctioned];
    let events = conditions.map(AccountCondition::as_str).into_iter().chain([GAP]).collect();
    Table {
        name: "accounts",
        meaning: "What happened to the accounts, in the order in which it was journaled.",
        columns: vec![
            column("account", Form::Text, "The account.", |row: &AccountRow<'a>| Cell::text(row.account.id.as_str())),
            column("registered_in", Form::Text, "Where it is registered.", |row| Cell::display(row.account.registered_in)),
            column("located_in", Form::Text, "Where it connects from.", |row| Cell::display(row.account.located_in)),
            column("client", Form::Text, "Its client, as far as it was stated.", |row| {
                row.account.client.as_deref().map_or(Cell::Missing, Cell::text)
            }),
            column("event", Form::Word(events), "What happened; gap: it may have missed messages.", |row| Cell::word(row.event)),
            column("at", Form::Time, "When.", |row| Cell::time(row.at)),
            column("detail", Form::Text, "In the platform's words.", |row| {
                if row.detail.is_empty() { Cell::Missing } else { Cell::text(row.detail.as_str()) }
            }),
        ],
        primary_key: &[],
        foreign_keys: &[],
    }
}
