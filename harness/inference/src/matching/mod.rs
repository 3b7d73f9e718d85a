//! Which received message is which sent one.
//!
//! [`Matcher`] answers while a run goes on, message by message. It goes
//! by the platform's own name for a message where both sides know it, else by content: exact, then in
//! [`normal_form`](lacuna_content::normal_form), then as a recognised [`alteration`](lacuna_content::alteration()).

mod by_content;
mod matcher;

pub use matcher::{Match, Matcher, Recognition, Released};
