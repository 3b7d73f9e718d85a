//! `accounts.csv`: what happened to the accounts, as it was told, and what is inferred of them.

use lacuna_inference::account_effects::{AccountEffect, Effect};
use lacuna_model::{Account, AccountCondition, Entry, Fact, Study, Timestamp};

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
const SUPPRESSED: &str = "suppressed";
const CARRY_OVER: &str = "carry_over";

impl<'a> AccountRow<'a> {
    /// What an entry says of an account, if it says anything.
    pub fn of(study: &'a Study, at: Timestamp, entry: &Entry) -> Option<Self> {
        let Entry::Fact(fact) = entry else { return None };
        let (account, event, detail) = match fact {
            Fact::AccountState { account, condition, detail } => (*account, condition.as_str(), detail),
            Fact::Gap { account, detail } => (*account, GAP, detail),
            _ => return None,
        };
        Some(Self { account: study.account(account), at, event, detail: detail.clone() })
    }

    /// What was inferred of an account.
    pub fn inferred(study: &'a Study, effect: &AccountEffect) -> Self {
        let chance = Cell::number(effect.chance);
        let (event, what) = match effect.effect {
            Effect::Suppressed { missing, longest_before, others } => (
                SUPPRESSED,
                format!(
                    "{missing} controls in a row are missing, to the end, and at most {longest_before} messages before, while \
                     messages of {others} other senders reached the same recipients"
                ),
            ),
            Effect::CarryOver { hits, missing, elsewhere, missing_elsewhere } => (
                CARRY_OVER,
                format!(
                    "the next neutral message is missing behind {missing} of {hits} hits, and {missing_elsewhere} of {elsewhere} \
                     elsewhere"
                ),
            ),
        };
        let detail = format!("{what}; chance by loss at most {}", chance.as_str());
        Self { account: study.account(effect.account), at: effect.at, event, detail }
    }
}

/// `accounts.csv`
pub(super) fn accounts<'a>() -> Table<AccountRow<'a>> {
    let conditions = [AccountCondition::Connected, AccountCondition::Disconnected, AccountCondition::Sanctioned];
    let events = conditions.map(AccountCondition::as_str).into_iter().chain([GAP, SUPPRESSED, CARRY_OVER]).collect();
    Table {
        name: "accounts",
        meaning: "What happened to the accounts: first the facts, in the order in which they were journaled, then what is inferred \
                  from what arrived and what did not (suppressed, carry_over).",
        columns: vec![
            column("account", Form::Text, "The account.", |row: &AccountRow<'a>| Cell::text(row.account.id.as_str())),
            column("registered_in", Form::Text, "Where it is registered.", |row| Cell::display(row.account.registered_in)),
            column("located_in", Form::Text, "Where it connects from.", |row| Cell::display(row.account.located_in)),
            column("client", Form::Text, "Its client, as far as it was stated.", |row| {
                row.account.client.as_deref().map_or(Cell::Missing, Cell::text)
            }),
            column(
                "event",
                Form::Word(events),
                "What happened; gap: it may have missed messages; suppressed: nothing that it sends arrives any more; carry_over: \
                 what it sends right behind a message that the platform acted on goes missing. The last two are inferred.",
                |row| Cell::word(row.event),
            ),
            column(
                "at",
                Form::Time,
                "When; for suppressed the first missing control, for carry_over the first such hit.",
                |row| Cell::time(row.at),
            ),
            column("detail", Form::Text, "In the platform's words; of what is inferred, the figures.", |row| {
                if row.detail.is_empty() { Cell::Missing } else { Cell::text(row.detail.as_str()) }
            }),
        ],
        primary_key: &[],
        foreign_keys: &[],
    }
}
