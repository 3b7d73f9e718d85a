//! `datapackage.json`: a Frictionless Data Package (version 1) that describes the tables of a run.

use serde_json::{Value, json};

use super::manifest::FileHash;
use super::table::Table;
use crate::journal::Header;
use crate::time_format::iso8601;

/// One resource: a table, where it stands and what its file hashes to.
pub(super) fn resource<R>(table: &Table<R>, file: &FileHash) -> Value {
    json!({
        "profile": "tabular-data-resource",
        // A name cannot be a path everywhere.
        "name": table.name.replace('/', "-"),
        "path": file.path,
        "description": table.meaning,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": { "delimiter": ",", "lineTerminator": "\n", "quoteChar": "\"", "doubleQuote": true, "header": true },
        "bytes": file.bytes,
        "hash": format!("sha256:{}", file.sha256),
        "schema": table.schema(),
    })
}

/// The whole description.
pub(super) fn package(header: &Header, resources: &[Value]) -> Value {
    // The specification allows lower case alone here.
    let name = header.run_id.as_str().chars().map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '-' });
    json!({
        "profile": "tabular-data-package",
        "name": name.collect::<String>(),
        "title": format!("{}, run {}", header.study.name, header.run_id),
        "description": header.study.question,
        "id": header.run_id.as_str(),
        "created": iso8601(header.opened_at),
        "resources": resources,
    })
}
