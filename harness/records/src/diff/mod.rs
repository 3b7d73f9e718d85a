//! `lacuna diff`: two logs, made by hand or by any tool, laid beside each other.

mod columns;
mod time;

pub use columns::{Column, ColumnNames};
