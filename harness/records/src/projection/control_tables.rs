//! `controls.csv`: what became of each control.

use lacuna_inference::conclusion::ControlRecord;
use lacuna_model::Study;

use super::cell::Cell;
use super::table::{Form, Table, column};

/// One control on one arm for one recipient.
pub(super) struct ControlRow<'a> {
    pub study: &'a Study,
    pub control: &'a ControlRecord,
}

/// `controls.csv`
pub(super) fn controls<'a>() -> Table<ControlRow<'a>> {
    Table {
        name: "controls",
        meaning: "What became of each control on each arm for each recipient, sent as a control, alone or with others.",
        columns: vec![
            column("item_id", Form::Text, "The control, with its corpus in front.", |row: &ControlRow<'a>| {
                Cell::text(row.study.item(row.control.item).id.as_str())
            }),
            column("arm_id", Form::Text, "The arm.", |row| Cell::text(row.study.arm(row.control.arm).id.as_str())),
            column("recipient_account", Form::Text, "The account that should have received it.", |row| {
                Cell::text(row.study.account(row.control.recipient).id.as_str())
            }),
            column("probes", Form::Integer, "Sends that carried it.", |row| row.control.tally.probes.into()),
            column("delivered", Form::Integer, "Arrived, on time or late, changed or not.", |row| {
                row.control.tally.delivered.into()
            }),
            column("dropped", Form::Integer, "Missing on a path that was alive around them.", |row| {
                row.control.tally.dropped.into()
            }),
            column("void", Form::Integer, "Missing where nothing shows that the path was alive.", |row| {
                row.control.tally.void.into()
            }),
            column(
                "expelled",
                Form::Boolean,
                "Whether its latest sends, two at least, were dropped more often in a row than loss explains: it may be blocked itself.",
                |row| row.control.expelled.into(),
            ),
        ],
        primary_key: &["item_id", "arm_id", "recipient_account"],
        foreign_keys: &[],
    }
}
