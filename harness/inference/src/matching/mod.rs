//! Which received message is which sent one.
//!
//! [`Matcher`] answers while a run goes on, message by message; [`match_logs`] answers for two whole logs at once. Both go
//! by the platform's own name for a message where both sides know it, else by content: exact, then in
//! [`normal_form`](lacuna_content::normal_form), then as a recognised [`alteration`](lacuna_content::alteration()). They
//! differ where one text is sent repeatedly and nothing has a name: the first, which does not know what comes, takes the
//! earliest send that is outstanding; the second the one that makes the latencies least.

use std::sync::Arc;

mod altered;
mod by_content;
mod logs;
mod matcher;
mod pairing;

pub use logs::{Pairing, ReceivedRow, SentRow, match_logs};
pub use matcher::{Match, Matcher, Recognition, Released};

/// What the content of a message with a file begins with. No text begins with a control character.
const FILE: char = '\u{1}';

/// The content of a message with a file, as something to be compared: equal where caption and file are.
pub(crate) fn with_file(caption: &str, sha256: &str) -> Arc<str> {
    format!("{FILE}{sha256} {caption}").into()
}

fn is_file(content: &str) -> bool {
    content.starts_with(FILE)
}
