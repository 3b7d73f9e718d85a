//! Makes a corpus of a list that researchers already have: a table with a column of keywords, or plain text with one
//! rule a line.

mod columns;
mod decode;
mod options;
mod run;
mod values;
mod wording;
mod write;

pub use options::{Change, ImportError, ImportOptions, ImportReport, JoinerChoice};
pub use run::import;
pub(super) use write::{create, quoted};
