//! Tables as Parquet: a file each, with the types of the Table Schema. A cell without a value is null.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::source::{FieldForm, Row, Source, Table};
use super::{ExportError, Exported};

/// Rows that are held in memory and written as one group.
const GROUP: usize = 1 << 16;

pub(super) fn write(source: &Source, out: &Path) -> Result<Exported, ExportError> {
    let mut exported = Exported::default();
    for table in &source.tables {
        let name = format!("{}.parquet", table.name);
        let path = out.join(&name);
        write_table(source, table, &path)?;
        exported.files.push(name);
    }
    exported.count = exported.files.len();
    Ok(exported)
}

fn write_table(source: &Source, table: &Table, path: &Path) -> Result<(), ExportError> {
    let failed = |error: ParquetError| ExportError::io(path)(io::Error::other(error));
    let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(ExportError::io(path))?;
    let schema = Arc::new(schema(table).map_err(failed)?);
    let properties = Arc::new(properties(source, table));
    let mut writer = SerializedFileWriter::new(BufWriter::new(file), schema, properties).map_err(failed)?;
    let mut rows = source.rows(table)?;
    loop {
        let group = rows.by_ref().take(GROUP).collect::<Result<Vec<Row<'_>>, _>>()?;
        if group.is_empty() {
            break;
        }
        write_group(&mut writer, table, &group, path)?;
    }
    let file = writer.into_inner().map_err(failed)?;
    let file: File = file.into_inner().map_err(|error| ExportError::io(path)(error.into_error()))?;
    file.sync_all().map_err(ExportError::io(path))
}

fn schema(table: &Table) -> Result<Type, ParquetError> {
    let fields = table.schema.fields.iter().map(|field| {
        let (physical, logical) = match field.form {
            FieldForm::String => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            FieldForm::Integer => (Physical::INT64, None),
            FieldForm::Number => (Physical::DOUBLE, None),
            FieldForm::Boolean => (Physical::BOOLEAN, None),
            FieldForm::Datetime => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
        };
        let field = Type::primitive_type_builder(&field.name, physical);
        field.with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build().map(Arc::new)
    });
    Type::group_type_builder("schema").with_fields(fields.collect::<Result<_, _>>()?).build()
}

/// What the file says of itself: the run, the table, and the CSV file that it was made of.
fn properties(source: &Source, table: &Table) -> WriterProperties {
    let mut about = vec![
        KeyValue::new("lacuna.run_id".to_owned(), source.header.run_id.as_str().to_owned()),
        KeyValue::new("lacuna.table".to_owned(), table.name.clone()),
        KeyValue::new("lacuna.description".to_owned(), table.description.clone()),
        KeyValue::new("lacuna.source".to_owned(), table.path.clone()),
        KeyValue::new("lacuna.source_hash".to_owned(), table.hash.clone()),
    ];
    let fields = table.schema.fields.iter();
    about.extend(fields.map(|field| KeyValue::new(format!("lacuna.column.{}", field.name), field.description.clone())));
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("lacuna {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(about))
        .build()
}

fn write_group(
    writer: &mut SerializedFileWriter<BufWriter<File>>,
    table: &Table,
    rows: &[Row<'_>],
    path: &Path,
) -> Result<(), ExportError> {
    let failed = |error: ParquetError| ExportError::io(path)(io::Error::other(error));
    let mut group = writer.next_row_group().map_err(failed)?;
    for (place, field) in table.schema.fields.iter().enumerate() {
        let cells = rows.iter().map(|row| row.cells.get(place).unwrap_or_default());
        let written = match field.form {
            FieldForm::String => {
                write_column::<ByteArrayType>(&mut group, cells, |cell| Some(ByteArray::from(cell.as_bytes().to_vec())))
            }
            FieldForm::Integer => write_column::<Int64Type>(&mut group, cells, |cell| cell.parse().ok()),
            FieldForm::Number => write_column::<DoubleType>(&mut group, cells, |cell| cell.parse().ok()),
            FieldForm::Boolean => write_column::<BoolType>(&mut group, cells, |cell| cell.parse().ok()),
            FieldForm::Datetime => write_column::<Int64Type>(&mut group, cells, |cell| {
                cell.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
            }),
        };
        let unreadable = written.map_err(failed)?;
        if let Some(cell) = unreadable {
            let problem = format!("{}: `{}` is no {:?}", field.name, cell.escape_debug(), field.form);
            return Err(ExportError::io(Path::new(&table.path))(io::Error::other(problem)));
        }
    }
    group.close().map(|_| ()).map_err(failed)
}

/// Writes the next column of a group. Gives the first cell that has not the column's type: nothing is left out in silence.
fn write_column<'c, T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, BufWriter<File>>,
    cells: impl Iterator<Item = &'c str>,
    read: impl Fn(&str) -> Option<T::T>,
) -> Result<Option<String>, ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        levels.push(i16::from(!cell.is_empty()));
        if cell.is_empty() {
            continue;
        }
        match read(cell) {
            Some(value) => values.push(value),
            None => return Ok(Some(cell.to_owned())),
        }
    }
    let missing = || ParquetError::General("the schema has fewer columns than the table".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()?;
    Ok(None)
}
