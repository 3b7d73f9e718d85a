//! Makes a corpus of transformed pictures of another.

mod options;
mod originals;
mod run;
mod write;

pub use options::{Benign, LeftOut, TransformFailure, TransformOptions, TransformReport};
pub use run::transform;
