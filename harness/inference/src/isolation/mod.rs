//! Isolation: which words of a blocked text did it.

mod borders;
mod chain;
mod channel;
mod memo;
mod prior;
mod search;
mod stage;
mod text;
mod weights;

pub use prior::Prior;
pub use search::{Answer, Options, Question, Search};
pub use text::Span;
