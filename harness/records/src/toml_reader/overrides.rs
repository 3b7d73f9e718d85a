//! `--set KEY=VALUE`: changes a file's tree before it is checked.

use lacuna_model::{Location, Problem};

use super::document::Document;
use super::form::{Complaint, Form, quoted};
use super::near::did_you_mean;
use super::problems::Problems;
use super::shape::Shape;
use super::tree::{Entry, Node, Place, Table, Value, parse_value};

/// What is wrong with an override: the message and the fix.
type Refusal = (String, String);

impl Document {
    /// Applies overrides in their order; the shape says which keys there are and which tables are addressed by id.
    pub(crate) fn apply(&mut self, overrides: &[String], shape: &Shape, problems: &Problems) {
        for text in overrides {
            let (key, value) = text.split_once('=').map_or((text.trim(), None), |(key, value)| (key.trim(), Some(value.trim())));
            let applied = value
                .ok_or_else(|| ("is no KEY=VALUE".to_owned(), "write `--set decision.max-probes-per-item=20`".to_owned()))
                .and_then(|value| set(&mut self.root, shape, key, value));
            if let Err((message, fix)) = applied {
                let location = Location { file: "--set".into(), line: 0, column: 0 };
                problems.push(Problem { location, key: key.to_owned(), message, fix });
            }
        }
    }
}

/// A value as TOML; what is not TOML is a text, so that nobody has to quote twice.
fn value_node(text: &str) -> Node {
    parse_value(text, Place::Override).unwrap_or_else(|| Node { place: Place::Override, value: Value::Text(text.to_owned()) })
}

fn set(table: &mut Table, shape: &Shape, path: &str, value: &str) -> Result<(), Refusal> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(key) = shape.key(name) else {
        return Err(("unknown key".to_owned(), did_you_mean(name, "keys here", shape.names())));
    };
    match (&key.form, rest) {
        (Form::Table(inner), Some(rest)) => {
            let table =
                table_under(table, name).ok_or_else(|| (format!("`{name}` is no table"), "mend the file first".to_owned()))?;
            set(table, inner, rest, value)
        }
        (Form::Tables { of, .. }, Some(rest)) => set_in_array(table, name, of, rest, value),
        (Form::Table(inner), None) => Err(("names a whole table".to_owned(), keys_of(name, inner))),
        (Form::Tables { of, .. }, None) => Err(("names a whole array of tables".to_owned(), keys_of(&format!("{name}.ID"), of))),
        (_, Some(_)) => Err(("unknown key".to_owned(), format!("`{name}` has no keys below it"))),
        (_, None) => {
            let node = value_node(value);
            // Also one that a later override replaces: overrides are kept with the results.
            if matches!(key.form, Form::Secret) {
                key.form.test(&node).map_err(|Complaint { message, fix }| (message, fix))?;
            }
            match table.entries.iter_mut().find(|entry| entry.name == name) {
                Some(entry) => entry.node = node,
                None => table.entries.push(Entry { name: name.to_owned(), place: Place::Override, node }),
            }
            Ok(())
        }
    }
}

fn set_in_array(table: &mut Table, name: &str, shape: &Shape, path: &str, value: &str) -> Result<(), Refusal> {
    let (id, rest) = path.split_once('.').map_or((path, None), |(id, rest)| (id, Some(rest)));
    let Some(rest) = rest else { return Err(("names a whole table".to_owned(), keys_of(&format!("{name}.{id}"), shape))) };
    let elements = match table.entries.iter_mut().find(|entry| entry.name == name).map(|entry| &mut entry.node.value) {
        Some(Value::Array(elements)) => elements.as_mut_slice(),
        _ => &mut [],
    };
    let mut tables: Vec<&mut Table> = elements.iter_mut().filter_map(|element| element.value.as_table_mut()).collect();
    let Some(index) = tables.iter().position(|table| table.id() == Some(id)) else {
        let ids: Vec<&str> = tables.iter().filter_map(|table| table.id()).collect();
        return Err((
            format!("no {name} has the id {}", quoted(id)),
            did_you_mean(id, &format!("ids of [[{name}]]"), ids.iter().copied()),
        ));
    };
    set(tables[index], shape, rest, value)
}

fn keys_of(path: &str, shape: &Shape) -> String {
    let example = shape.names().find(|name| *name != "id").unwrap_or("id");
    format!("name one of its keys: `{path}.{example}`")
}

/// The table under a name; it is made where there is nothing, and `None` where there is something else.
fn table_under<'a>(table: &'a mut Table, name: &str) -> Option<&'a mut Table> {
    let index = table.entries.iter().position(|entry| entry.name == name).unwrap_or_else(|| {
        let node = Node { place: Place::Override, value: Value::Table(Table::default()) };
        table.entries.push(Entry { name: name.to_owned(), place: Place::Override, node });
        table.entries.len() - 1
    });
    table.entries[index].node.value.as_table_mut()
}
