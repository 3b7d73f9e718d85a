//! The experiment file.

pub(crate) mod accounts;
pub(crate) mod arms;
mod file_designs;
mod files;
mod isolation;
mod items;
mod load;
mod overrides;
mod settings;
pub(crate) mod shape;
#[cfg(test)]
pub(crate) mod tests;

pub use files::StudyFile;
#[cfg(test)]
pub(crate) use load::load_with;
pub use load::{Experiment, Input, InputKind, load};
