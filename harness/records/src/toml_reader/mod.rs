//! The one reader of TOML files: every problem of a file at once, each with line, column, key and fix.
//!
//! A file is described by a [`Shape`]: its keys, the form of their values, their defaults, a sentence of help. The same
//! shape checks a file, gives the reading code its values through a [`Cursor`], and is printed as JSON Schema, so that
//! the three cannot drift apart. The order of use: [`Document::open`], [`Document::apply`] for overrides, [`check`], then
//! a [`Cursor`]; a cursor gives `None` for what `check` has complained about, and never complains twice.

mod check;
mod cursor;
mod document;
mod duration;
mod form;
mod near;
mod overrides;
mod problems;
mod shape;
mod tree;

pub(crate) use check::check;
pub(crate) use cursor::{Cursor, Found};
pub(crate) use document::Document;
pub(crate) use duration::PATTERN as DURATION_PATTERN;
pub(crate) use form::{Form, NAME_PATTERN};
pub(crate) use near::did_you_mean;
pub(crate) use problems::Problems;
pub(crate) use shape::{Key, Need, Shape};
pub(crate) use tree::{Place, Value, parse_value};
