//! Isolation: which words of a blocked text did it.

mod borders;
mod breaking;
mod chain;
mod channel;
mod memo;
mod prior;
mod report;
mod rule;
mod search;
mod stage;
mod text;
mod weights;

pub use prior::Prior;
pub use report::{Answer, Findings, Found, Kind, Matching, Options, Question, Start, Status};
pub use search::Search;
