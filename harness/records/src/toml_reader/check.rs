//! Holds a file against its shape and reports everything that does not fit.

use std::collections::HashMap;

use super::document::Document;
use super::form::{Form, quoted};
use super::near::did_you_mean;
use super::problems::Problems;
use super::shape::{Need, Shape};
use super::tree::{Entry, Node, Place, Table, Value};

/// Reports every problem that can be seen in one file without knowing what it means. A file of another schema number
/// gets that one problem, since its keys may be other ones, and `false`: there is no use in reading on.
pub(crate) fn check(document: &Document, shape: &Shape, problems: &Problems) -> bool {
    for key in &shape.keys {
        if let (Form::Version(_), Some(node)) = (&key.form, document.root.get(key.name))
            && matches!(node.value, Value::Integer(_))
            && let Err(complaint) = key.form.test(node)
        {
            problems.push(document.problem(node.place, key.name, &complaint.message, &complaint.fix));
            return false;
        }
    }
    Check { document, problems }.table(shape, &document.root, Place::File, "");
    true
}

/// The path of a key inside the table at `path`.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The path of a table in an array: by its id, else by its number counted from 1.
pub(crate) fn join_element(path: &str, index: usize, table: &Table) -> String {
    table.id().map_or_else(|| format!("{path}[{}]", index + 1), |id| join(path, id))
}

struct Check<'a> {
    document: &'a Document,
    problems: &'a Problems,
}

impl Check<'_> {
    fn report(&self, place: Place, key: &str, message: &str, fix: &str) {
        self.problems.push_with(|| self.document.problem(place, key, message, fix));
    }

    fn unknown(&self, entry: &Entry, key: &str, shape: &Shape) {
        self.problems.push_with(|| {
            self.document.problem(entry.place, key, "unknown key", &did_you_mean(&entry.name, "keys here", shape.names()))
        });
    }

    fn taken(&self, place: Place, key: &str, first: Place) {
        self.problems.push_with(|| {
            let fix = format!("line {} has it: give each its own", self.document.location(first).line);
            self.document.problem(place, key, "the id is taken already", &fix)
        });
    }

    fn table(&self, shape: &Shape, table: &Table, place: Place, path: &str) {
        for entry in &table.entries {
            let key_path = join(path, &entry.name);
            match shape.key(&entry.name) {
                Some(key) => self.value(&key.form, &entry.node, entry.place, &key_path),
                None if shape.open => {}
                None => self.unknown(entry, &key_path, shape),
            }
        }
        if self.document.incomplete {
            return;
        }
        for key in shape.keys.iter().filter(|key| table.get(key.name).is_none()) {
            let key_path = join(path, key.name);
            match (key.need, &key.form) {
                (Need::Required, Form::Tables { .. }) => {
                    self.report(place, &key_path, "is missing", &format!("add [[{key_path}]]: {}", key.help));
                }
                // What is required inside is reported key by key.
                (Need::Required | Need::Default(_), Form::Table(inner)) => {
                    self.table(inner, &Table::default(), place, &key_path);
                }
                (Need::Required, _) => {
                    self.report(place, &key_path, "is missing", &format!("add `{} = …`: {}", key.name, key.help));
                }
                (Need::Optional | Need::Default(_), _) => {}
            }
        }
    }

    fn value(&self, form: &Form, node: &Node, key_place: Place, path: &str) {
        match (form, &node.value) {
            (Form::Table(shape), Value::Table(table)) => self.table(shape, table, node.place, path),
            (Form::Tables { of, least }, Value::Array(elements)) => self.tables(of, *least, elements, node.place, path),
            (Form::Tables { .. }, Value::Table(_)) => {
                self.report(key_place, path, "expected an array of tables, found a table", &format!("write [[{path}]]"));
            }
            (Form::List { of, least, unique }, Value::Array(elements)) => {
                if elements.len() < *least {
                    self.report(node.place, path, "is empty", "name at least one");
                }
                let mut seen = HashMap::new();
                for (index, element) in elements.iter().enumerate() {
                    let element_path = format!("{path}[{}]", index + 1);
                    if let Err(complaint) = of.test(element) {
                        self.report(element.place, &element_path, &complaint.message, &complaint.fix);
                    } else if let Value::Text(text) = &element.value
                        && *unique
                        && let Some(first) = seen.insert(text.as_str(), index)
                    {
                        let message = format!("{} stands twice in the list", quoted(text));
                        self.report(
                            element.place,
                            &element_path,
                            &message,
                            &format!("it is element {} already: leave one out", first + 1),
                        );
                    }
                }
            }
            _ => self.scalar(form, node, node.place, path),
        }
    }

    fn scalar(&self, form: &Form, node: &Node, place: Place, path: &str) {
        if let Err(complaint) = form.test(node) {
            self.report(place, path, &complaint.message, &complaint.fix);
        }
    }

    fn tables(&self, shape: &Shape, least: usize, elements: &[Node], place: Place, path: &str) {
        if elements.len() < least {
            self.report(place, path, "is empty", &format!("add [[{path}]]"));
        }
        let mut seen: HashMap<&str, Place> = HashMap::new();
        for (index, element) in elements.iter().enumerate() {
            let Value::Table(table) = &element.value else {
                let message = format!("expected a table, found {}", element.value.kind());
                self.report(element.place, &format!("{path}[{}]", index + 1), &message, &format!("write [[{path}]]"));
                continue;
            };
            let element_path = join_element(path, index, table);
            self.table(shape, table, element.place, &element_path);
            if let (Some(id), true) = (table.id(), shape.key("id").is_some())
                && let Some(first) = seen.insert(id, element.place)
            {
                self.taken(table.get("id").map_or(element.place, |node| node.place), &join(&element_path, "id"), first);
            }
        }
    }
}
