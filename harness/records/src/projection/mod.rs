//! What is derived from a journal: the CSV tables, the data package that describes them, the report with its figures, the manifest.
//!
//! A projection is a pure function of the journal (and of the contents in `files/`, which the journal names by hash):
//! [`analyze`] writes it, [`verify`](crate::verify) compares it byte for byte with what stands in the folder.
//!
//! # How values are written
//!
//! RFC 4180, UTF-8 without a byte order mark, lines end with LF. A missing value is an empty cell. Moments are ISO 8601 in
//! UTC with milliseconds and `Z`. Lengths of time are decimal with three digits after the point, the unit stands in the
//! column's name. Other numbers that are no counts have up to six significant digits, plain from 0.0001 to 1e15, else in the
//! form `1.5e-7`. Each table is one definition of columns, each column with the function that fills it, so that header,
//! cells and Table Schema cannot drift apart.

mod account_tables;
mod analyze;
mod cell;
pub(crate) mod change_tables;
mod ci_reports;
mod claim_tables;
mod combination_tables;
mod control_tables;
mod derive;
mod dictionary;
mod figure_tables;
mod manifest;
mod mechanism_tables;
mod methods;
mod outcome_tables;
mod output;
mod package;
mod registration;
mod report_page;
mod rule_tables;
mod sent_tables;
mod table;
mod thumbnails;
mod words;
mod writer;

pub use analyze::{Analysis, AnalyzeError, AnalyzeOptions, analyze};
pub(crate) use analyze::{PROJECTION_FOLDER_PREFIX, hash_file};
pub use cell::number;
pub(crate) use change_tables::ChangeRow;
pub use ci_reports::{CiReports, JUNIT_PREFIX, ci_reports};
pub(crate) use derive::{DATA_PACKAGE, Options, derive, is_derived, table_files};
pub use dictionary::data_dictionary;
pub(crate) use figure_tables::FIGURES;
pub(crate) use manifest::StoredManifest;
pub use manifest::{FileHash, MANIFEST};
pub(crate) use output::{Artifact, Folder, Output};
pub use registration::{Deviating, DeviationKind, Registration};
pub use report_page::REPORT;
pub(crate) use rule_tables::rule_id;
pub(crate) use writer::TableWriter;

/// The version of what is derived. It grows whenever the same journal gives other files.
pub const PROJECTION_VERSION: u32 = 6;

/// The version of the tables, the first cell of every row. Columns are only appended to a table of a version.
pub const SCHEMA_VERSION: u32 = 1;
