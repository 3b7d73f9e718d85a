//! A TOML document as an owned tree in which every value knows where it was written.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Deeper values are cut off: no file of Lacuna is nested so deeply, and a hostile one must not exhaust the stack.
const DEEPEST: usize = 16;

/// Where a value was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// At this byte of the file.
    At(usize),
    /// On the command line, with `--set`.
    Override,
    /// Nowhere: it is a default, or the whole file is meant.
    File,
}

/// A value and its place.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// A value as TOML knows it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Array(Vec<Node>),
    Table(Table),
    /// What no key of ours takes; the text says what it is.
    Other(&'static str),
}

/// The entries of a table in the order of the file. No name occurs twice.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

/// One key of a table with its value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Where the key stands; the value's place is in the node.
    pub(crate) place: Place,
    pub(crate) node: Node,
}

impl Table {
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.entries.iter().find(|entry| entry.name == name).map(|entry| &entry.node)
    }

    /// The text under `id`, by which a table in an array is addressed.
    pub(crate) fn id(&self) -> Option<&str> {
        match self.get("id") {
            Some(Node { value: Value::Text(id), .. }) if !id.is_empty() => Some(id),
            _ => None,
        }
    }
}

impl Value {
    pub(crate) fn as_table_mut(&mut self) -> Option<&mut Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Boolean(_) => "true or false",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(what) => what,
        }
    }
}

/// Takes over what the TOML parser recovered.
pub(crate) fn table(from: &DeTable<'_>, depth: usize) -> Table {
    let entries = from
        .iter()
        .map(|(name, value)| Entry {
            name: name.get_ref().to_string(),
            place: Place::At(name.span().start),
            node: node(value, depth + 1),
        })
        .collect();
    Table { entries }
}

fn node(from: &Spanned<DeValue<'_>>, depth: usize) -> Node {
    let value = match from.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).map_or(Value::Other("a number beyond 64 bits"), Value::Integer)
        }
        DeValue::Float(float) => float.as_str().parse().map_or(Value::Other("a number beyond any range"), Value::Float),
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Array(_) | DeValue::Table(_) if depth >= DEEPEST => Value::Other("a value nested too deeply"),
        DeValue::Array(items) => Value::Array(array(items, depth)),
        DeValue::Table(inner) => Value::Table(table(inner, depth)),
    };
    Node { place: Place::At(from.span().start), value }
}

fn array(from: &DeArray<'_>, depth: usize) -> Vec<Node> {
    from.iter().map(|item| node(item, depth + 1)).collect()
}

/// A single TOML value that stands at `place`, `None` if the text is not one.
pub(crate) fn parse_value(text: &str, place: Place) -> Option<Node> {
    let parsed = DeValue::parse(text).ok()?;
    let mut parsed = node(&parsed, 0);
    parsed.move_to(place);
    Some(parsed)
}

impl Node {
    fn move_to(&mut self, place: Place) {
        self.place = place;
        match &mut self.value {
            Value::Array(items) => items.iter_mut().for_each(|item| item.move_to(place)),
            Value::Table(table) => {
                for entry in &mut table.entries {
                    entry.place = place;
                    entry.node.move_to(place);
                }
            }
            Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Other(_) => {}
        }
    }
}
