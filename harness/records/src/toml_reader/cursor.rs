//! Takes values out of a checked file.

use lacuna_model::Duration;

use super::check::{join, join_element};
use super::document::Document;
use super::duration;
use super::form::Form;
use super::problems::Problems;
use super::shape::{Need, Shape};
use super::tree::{Node, Place, Table, Value, parse_value};

/// A table of a file, with the shape that declares its keys. What is left out has its default; what was complained
/// about is `None`.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    document: &'a Document,
    shape: &'a Shape,
    table: Table,
    place: Place,
    path: String,
}

/// A value with its place and its key.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
    pub(crate) key: String,
}

impl<T> Found<T> {
    fn map<U>(self, to: impl FnOnce(T) -> Option<U>) -> Option<Found<U>> {
        Some(Found { value: to(self.value)?, place: self.place, key: self.key })
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn root(document: &'a Document, shape: &'a Shape) -> Self {
        Self { document, shape, table: document.root.clone(), place: Place::File, path: String::new() }
    }

    /// Where the table stands, and its path.
    pub(crate) fn here(&self) -> Found<()> {
        Found { value: (), place: self.place, key: self.path.clone() }
    }

    /// Whether a key stands in the file.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.table.get(name).is_some()
    }

    /// Where a key's value stands, right or wrong.
    pub(crate) fn key(&self, name: &str) -> Found<()> {
        Found { value: (), place: self.table.get(name).map_or(self.place, |node| node.place), key: join(&self.path, name) }
    }

    /// Reports that something is not in this table, unless the file could not be read whole.
    pub(crate) fn report_missing(&self, message: &str, fix: &str, problems: &Problems) {
        if !self.document.incomplete {
            self.report(&self.here(), message, fix, problems);
        }
    }

    /// Reports something about a value of this file.
    pub(crate) fn report<T>(&self, about: &Found<T>, message: &str, fix: &str, problems: &Problems) {
        problems.push_with(|| self.document.problem(about.place, &about.key, message, fix));
    }

    pub(crate) fn location<T>(&self, about: &Found<T>) -> lacuna_model::Location {
        self.document.location(about.place)
    }

    /// The value under a key, or its default. An undeclared key is a mistake in Lacuna, which the tests find.
    fn node(&self, name: &str) -> Option<(&'a Form, Found<Node>)> {
        let key = self.shape.key(name);
        debug_assert!(key.is_some(), "the key `{name}` is not declared in the shape of `{}`", self.path);
        let key = key?;
        let node = match (self.table.get(name), key.need) {
            (Some(node), _) => node.clone(),
            (None, Need::Default(default)) => parse_value(default, Place::File)?,
            (None, Need::Required | Need::Optional) => return None,
        };
        Some((&key.form, Found { place: node.place, key: join(&self.path, name), value: node }))
    }

    fn scalar(&self, name: &str) -> Option<Found<Value>> {
        let (form, found) = self.node(name)?;
        form.test(&found.value).ok()?;
        found.map(|node| Some(node.value))
    }

    pub(crate) fn text(&self, name: &str) -> Option<Found<String>> {
        self.scalar(name)?.map(|value| match value {
            Value::Text(text) => Some(text),
            _ => None,
        })
    }

    /// A whole number; the shape's range must lie inside that of `T`.
    pub(crate) fn whole<T: TryFrom<i64>>(&self, name: &str) -> Option<T> {
        match self.scalar(name)?.value {
            Value::Integer(number) => T::try_from(number).ok(),
            _ => None,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        match self.scalar(name)?.value {
            Value::Float(number) => Some(number),
            Value::Integer(number) => Some(number as f64),
            _ => None,
        }
    }

    pub(crate) fn boolean(&self, name: &str) -> Option<Found<bool>> {
        self.scalar(name)?.map(|value| match value {
            Value::Boolean(boolean) => Some(boolean),
            _ => None,
        })
    }

    /// A length of time; the value is `None` for `"auto"`.
    pub(crate) fn duration_or_auto(&self, name: &str) -> Option<Found<Option<Duration>>> {
        self.text(name)?.map(|text| if text == "auto" { Some(None) } else { duration::parse(&text).map(Some) })
    }

    pub(crate) fn duration(&self, name: &str) -> Option<Found<Duration>> {
        self.duration_or_auto(name)?.map(|duration| duration)
    }

    /// The texts of a list, without those that were complained about.
    pub(crate) fn texts(&self, name: &str) -> Vec<Found<String>> {
        let Some((Form::List { of, .. }, found)) = self.node(name) else { return Vec::new() };
        let Value::Array(elements) = found.value.value else { return Vec::new() };
        let texts = elements.into_iter().enumerate().filter_map(|(index, element)| {
            of.test(&element).ok()?;
            let Value::Text(text) = element.value else { return None };
            Some(Found { value: text, place: element.place, key: format!("{}[{}]", found.key, index + 1) })
        });
        texts.collect()
    }

    /// The lengths of time of a list, without those that were complained about.
    pub(crate) fn durations(&self, name: &str) -> Vec<Found<Duration>> {
        self.texts(name).into_iter().filter_map(|text| text.map(|text| duration::parse(&text))).collect()
    }

    /// The table under a key; empty where it is left out and has defaults.
    pub(crate) fn table(&self, name: &str) -> Option<Self> {
        let key = self.shape.key(name)?;
        let Form::Table(shape) = &key.form else { return None };
        let (table, place) = match (self.table.get(name), key.need) {
            (Some(Node { value: Value::Table(table), place }), _) => (table.clone(), *place),
            (Some(_), _) | (None, Need::Optional) => return None,
            (None, Need::Required | Need::Default(_)) => (Table::default(), self.place),
        };
        Some(Self { document: self.document, shape, table, place, path: join(&self.path, name) })
    }

    /// The tables of an array.
    pub(crate) fn tables(&self, name: &str) -> Vec<Self> {
        let Some(Form::Tables { of: shape, .. }) = self.shape.key(name).map(|key| &key.form) else { return Vec::new() };
        let Some(Node { value: Value::Array(elements), .. }) = self.table.get(name) else { return Vec::new() };
        let path = join(&self.path, name);
        let tables = elements.iter().enumerate().filter_map(|(index, element)| {
            let Value::Table(table) = &element.value else { return None };
            let path = join_element(&path, index, table);
            Some(Self { document: self.document, shape, table: table.clone(), place: element.place, path })
        });
        tables.collect()
    }
}
