//! The experiment file.

pub(crate) mod accounts;
pub(crate) mod arms;
mod items;
mod load;
mod settings;
pub(crate) mod shape;
#[cfg(test)]
mod tests;

pub use load::{Experiment, Input, InputKind, load};
