//! `lacuna diff`: two logs, made by hand or by any tool, laid beside each other.

mod by_id;
mod columns;
mod compare;
mod log;
mod output;
mod time;

pub use columns::{Column, ColumnNames};
pub use compare::{DiffError, Summary, diff};
pub use output::{Counts, DiffVerdict};
