//! `combinations.csv`: what is dropped together, though each part passes.

use lacuna_inference::combinations::CombinationRecord;
use lacuna_model::{ItemIx, Study};

use super::cell::Cell;
use super::table::{Form, Table, column};

/// One item of one combination.
pub(super) struct CombinationRow<'a> {
    pub study: &'a Study,
    pub number: u32,
    pub combination: &'a CombinationRecord,
    pub position: u32,
    pub item: ItemIx,
}

impl<'a> CombinationRow<'a> {
    /// One row an item.
    pub fn rows(study: &'a Study, number: u32, combination: &'a CombinationRecord) -> impl Iterator<Item = Self> {
        let items = (1..).zip(&combination.items);
        items.map(move |(position, item)| Self { study, number, combination, position, item: *item })
    }
}

/// `combinations.csv`
pub(super) fn combinations<'a>() -> Table<CombinationRow<'a>> {
    Table {
        name: "combinations",
        meaning: "Messages of several items that are dropped though each item passes: the smallest sets as they were sent, not the \
                  smallest that would be dropped.",
        columns: vec![
            column("combination_id", Form::Text, "The combination.", |row: &CombinationRow<'a>| {
                Cell::display(format_args!("c{:04}", row.number))
            }),
            column("arm_id", Form::Text, "The arm.", |row| Cell::text(row.study.arm(row.combination.arm).id.as_str())),
            column("recipient_account", Form::Text, "The account that does not receive it.", |row| {
                Cell::text(row.study.account(row.combination.recipient).id.as_str())
            }),
            column("position", Form::Integer, "The place of the item in the message, from 1.", |row| row.position.into()),
            column("item_id", Form::Text, "The item, with its corpus in front.", |row| {
                Cell::text(row.study.item(row.item).id.as_str())
            }),
            column("probes", Form::Integer, "Sends of these items together that say something.", |row| {
                row.combination.probes.into()
            }),
            column("dropped", Form::Integer, "Of these, missing on a path that was alive around them.", |row| {
                row.combination.dropped.into()
            }),
            column("e_value", Form::Number, "Evidence against the drops being losses. At most 1e300 is written.", |row| {
                row.combination.e_value.into()
            }),
        ],
        primary_key: &["combination_id", "position"],
        foreign_keys: &[],
    }
}
