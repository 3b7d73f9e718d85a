//! The definition of a table: its columns, what they mean, and how each is filled.

use serde_json::{Value, json};

use super::cell::Cell;

/// What a column holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// Any text.
    Text,
    /// One of these words.
    Word(Vec<&'static str>),
    /// A count or a number in a row.
    Integer,
    /// A number.
    Number,
    /// true or false.
    Boolean,
    /// A moment.
    Time,
}

/// One column of rows of type `R`.
pub(crate) struct Column<R> {
    pub name: &'static str,
    pub form: Form,
    pub meaning: &'static str,
    pub cell: for<'r> fn(&'r R) -> Cell<'r>,
}

/// A column of another table.
#[derive(Clone, Copy)]
pub(crate) struct ForeignKey {
    pub column: &'static str,
    pub table: &'static str,
    pub key: &'static str,
}

/// A table of rows of type `R`. Two columns come before its own: `schema_version` and `run_id`.
pub(crate) struct Table<R> {
    pub name: &'static str,
    pub meaning: &'static str,
    pub columns: Vec<Column<R>>,
    pub primary_key: &'static [&'static str],
    pub foreign_keys: &'static [ForeignKey],
}

/// The first two columns of every table.
const COMMON: [(&str, &str, &str); 2] =
    [("schema_version", "integer", "The version of this table's columns."), ("run_id", "string", "The run.")];

impl<R> Table<R> {
    pub fn header(&self) -> impl Iterator<Item = &'static str> + '_ {
        COMMON.iter().map(|(name, ..)| *name).chain(self.columns.iter().map(|column| column.name))
    }

    pub fn file(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// The Table Schema, as Frictionless defines it.
    pub fn schema(&self) -> Value {
        let common = COMMON.iter().map(|(name, form, meaning)| {
            json!({ "name": name, "type": form, "description": meaning, "constraints": { "required": true } })
        });
        let own = self.columns.iter().map(Column::schema);
        let mut schema = json!({ "fields": common.chain(own).collect::<Vec<_>>(), "missingValues": [""] });
        if !self.primary_key.is_empty() {
            schema["primaryKey"] = json!(self.primary_key);
        }
        if !self.foreign_keys.is_empty() {
            let keys = self
                .foreign_keys
                .iter()
                .map(|it| json!({ "fields": it.column, "reference": { "resource": it.table, "fields": it.key } }));
            schema["foreignKeys"] = keys.collect();
        }
        schema
    }
}

impl<R> Column<R> {
    fn schema(&self) -> Value {
        let form = match self.form {
            Form::Text | Form::Word(_) => "string",
            Form::Integer => "integer",
            Form::Number => "number",
            Form::Boolean => "boolean",
            Form::Time => "datetime",
        };
        let mut field = json!({ "name": self.name, "type": form, "description": self.meaning });
        match &self.form {
            Form::Word(words) => field["constraints"] = json!({ "enum": words }),
            Form::Time => field["format"] = "%Y-%m-%dT%H:%M:%S.%fZ".into(),
            Form::Text | Form::Integer | Form::Number | Form::Boolean => {}
        }
        field
    }
}

/// One column, in the order in which a definition reads best.
pub(crate) fn column<R>(name: &'static str, form: Form, meaning: &'static str, cell: for<'r> fn(&'r R) -> Cell<'r>) -> Column<R> {
    Column { name, form, meaning, cell }
}
