//! Makes a corpus of pictures or documents of phrases.

mod list;
mod options;
mod run;
mod write;

pub use options::{RenderAs, RenderError, RenderFont, RenderOptions, RenderReport};
pub use run::render;
