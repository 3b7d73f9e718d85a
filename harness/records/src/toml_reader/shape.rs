//! What a file may contain, declared once: for the check, for the reading code and for the JSON Schema.

use super::form::Form;

/// The keys of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) keys: Vec<Key>,
    /// Other keys are let pass: which ones belong here is not known, and that was reported already.
    pub(crate) open: bool,
}

/// One key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) need: Need,
    /// One sentence for the schema and for messages.
    pub(crate) help: &'static str,
}

/// What holds where a key is left out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// That is a problem.
    Required,
    /// That means something of its own.
    Optional,
    /// This value is taken, a text in TOML.
    Default(&'static str),
}

impl Shape {
    pub(crate) fn new(keys: Vec<Key>) -> Self {
        Self { keys, open: false }
    }

    pub(crate) fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The names that a person may use here.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + Clone + '_ {
        self.keys.iter().map(|key| key.name)
    }
}

impl Key {
    pub(crate) fn required(name: &'static str, form: Form, help: &'static str) -> Self {
        Self { name, form, need: Need::Required, help }
    }

    pub(crate) fn optional(name: &'static str, form: Form, help: &'static str) -> Self {
        Self { name, form, need: Need::Optional, help }
    }

    pub(crate) fn with_default(name: &'static str, form: Form, default: &'static str, help: &'static str) -> Self {
        Self { name, form, need: Need::Default(default), help }
    }
}
