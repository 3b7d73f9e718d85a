//! A run that was found intact, and its tables as its data package describes them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use lacuna_model::{Item, VenueKind};
use serde::Deserialize;
use serde_json::{Number, Value};

use super::ExportError;
use crate::history::newest_projection;
use crate::journal::{Header, Reader};
use crate::projection::{DATA_PACKAGE, MANIFEST, is_derived};
use crate::run_folder::JOURNAL;
use crate::verify::{FindingKind, VerifyReport, verify};

/// What an export is made of.
pub(super) struct Source {
    /// The run's folder.
    pub run: PathBuf,
    /// The newest projection: the run's folder, or one in it.
    pub folder: PathBuf,
    /// The first line of the journal.
    pub header: Header,
    /// `manifest.json`.
    pub manifest: Value,
    /// The tables.
    pub tables: Vec<Table>,
    /// What was checked.
    pub report: VerifyReport,
    items: BTreeMap<String, usize>,
}

/// A table of the data package.
#[derive(Deserialize)]
pub(super) struct Table {
    pub name: String,
    pub path: String,
    pub description: String,
    #[cfg(feature = "parquet")]
    pub hash: String,
    pub schema: Schema,
}

#[derive(Deserialize)]
pub(super) struct Schema {
    pub fields: Vec<Field>,
}

#[derive(Deserialize)]
pub(super) struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub form: FieldForm,
    #[cfg(feature = "parquet")]
    pub description: String,
}

/// The types of the Table Schema that tables use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FieldForm {
    String,
    Integer,
    Number,
    Boolean,
    Datetime,
}

#[derive(Deserialize)]
struct Package {
    resources: Vec<Table>,
}

/// A row of a table: cells by column.
pub(super) struct Row<'t> {
    pub table: &'t Table,
    pub cells: csv::StringRecord,
}

impl Row<'_> {
    /// The cell of a column; empty if it has no value, or if there is no such column.
    pub fn cell(&self, column: &str) -> &str {
        let place = self.table.schema.fields.iter().position(|field| field.name == column);
        place.and_then(|place| self.cells.get(place)).unwrap_or_default()
    }
}

impl Source {
    /// Checks the run and reads what describes it. A file that does not belong there is no part of an export, and no obstacle.
    pub fn open(run: &Path) -> Result<Self, ExportError> {
        let report = verify(run);
        if let Some(finding) = report.findings.iter().find(|it| it.kind != FindingKind::Foreign) {
            let (file, problem) = (finding.file.clone(), finding.problem.clone());
            return Err(ExportError::Damaged { run: run.to_owned(), file, problem });
        }
        let header = Reader::open(&run.join(JOURNAL))?.header().clone();
        let folder = newest_projection(run).unwrap_or_else(|| run.to_owned());
        let Package { resources } = parse(&folder.join(DATA_PACKAGE))?;
        let manifest = parse(&folder.join(MANIFEST))?;
        // What an older projection describes was checked by its own hashes alone; its paths must lead nowhere else.
        let tables = resources.into_iter().filter(|table| is_derived(&table.path)).collect();
        let items = header.study.items.iter().enumerate().map(|(index, item)| (item.id.as_str().to_owned(), index)).collect();
        Ok(Self { run: run.to_owned(), folder, header, manifest, tables, report, items })
    }

    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// The rows of a table, in their order.
    pub fn rows<'t>(
        &self,
        table: &'t Table,
    ) -> Result<impl Iterator<Item = Result<Row<'t>, ExportError>> + use<'t>, ExportError> {
        let path = self.folder.join(&table.path);
        let failed = |error: csv::Error| ExportError::Io { path: path.clone(), source: error.into() };
        let file = File::open(&path).map_err(ExportError::io(&path))?;
        let mut reader = csv::Reader::from_reader(BufReader::with_capacity(1 << 16, file));
        let header = reader.headers().map_err(failed)?;
        if header.iter().ne(table.schema.fields.iter().map(|field| field.name.as_str())) {
            let source = io::Error::other(format!("has not the columns of {DATA_PACKAGE}"));
            return Err(ExportError::Io { path, source });
        }
        Ok(reader.into_records().map(move |cells| match cells {
            Ok(cells) => Ok(Row { table, cells }),
            Err(error) => Err(ExportError::Io { path: path.clone(), source: error.into() }),
        }))
    }

    /// The item of this name.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.header.study.items.get(*self.items.get(id)?)
    }

    /// The venue of the arm of this name.
    pub fn venue(&self, arm: &str) -> Option<VenueKind> {
        self.header.study.arms.iter().find(|it| it.id.as_str() == arm).map(|arm| arm.venue)
    }
}

fn parse<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, ExportError> {
    let bytes = fs::read(path).map_err(ExportError::io(path))?;
    serde_json::from_slice(&bytes).map_err(|error| ExportError::io(path)(error.into()))
}

/// A cell as JSON: `null` if it has no value.
pub(super) fn json_of(form: FieldForm, cell: &str) -> Value {
    let number = || match form {
        FieldForm::Integer => cell.parse::<i64>().ok().map(Number::from),
        _ => cell.parse::<f64>().ok().and_then(Number::from_f64),
    };
    match form {
        _ if cell.is_empty() => Value::Null,
        FieldForm::String | FieldForm::Datetime => cell.into(),
        FieldForm::Boolean => (cell == "true").into(),
        FieldForm::Integer | FieldForm::Number => number().map_or_else(|| cell.into(), Value::Number),
    }
}
