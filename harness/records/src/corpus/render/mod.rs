//! Makes a corpus of pictures of phrases.

mod list;
mod options;
mod run;
mod write;

pub use options::{RenderError, RenderFont, RenderOptions, RenderReport};
pub use run::render;
