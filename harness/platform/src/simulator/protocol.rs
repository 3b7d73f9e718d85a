//! The bodies of the simulator's protocol, and the bounds within which they are believed.

use std::time::Duration;

use lacuna_model::Shown;
use serde::{Deserialize, Serialize};

/// The longest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// The longest text of an event that is kept, in bytes; the rest is cut off. More than four bytes for each of the
/// characters that a message may have, so that nothing of ours is ever cut.
pub const MAX_TEXT: usize = 64 * 1024;
/// The longest id or notice that is kept, in bytes.
pub const MAX_NAME: usize = 1024;
/// The longest file that is fetched, in bytes: more than a platform makes of the longest that is sent.
pub const MAX_FILE: usize = 64 * 1024 * 1024;
/// Events asked for in one answer.
pub const EVENTS_PER_ANSWER: u32 = 200;
/// How long the server may hold a poll without anything to say.
pub const POLL: Duration = Duration::from_secs(20);

/// `PUT /v1/accounts/{id}`
#[derive(Serialize)]
pub struct NewAccount<'a> {
    pub registered_in: &'a str,
    pub located_in: &'a str,
}

/// Its answer.
#[derive(Deserialize)]
pub struct Registered {
    pub token: String,
}

/// `PUT /v1/venues/{id}`
#[derive(Serialize)]
pub struct NewVenue<'a> {
    pub kind: &'static str,
    pub members: &'a [&'a str],
}

/// `POST /v1/messages`
#[derive(Serialize)]
pub struct NewMessage<'a> {
    pub venue: &'a str,
    pub client_ref: &'a str,
    pub text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<SentFile<'a>>,
}

/// A file that was uploaded, in a message.
#[derive(Serialize)]
pub struct SentFile<'a> {
    pub file: &'a str,
    pub name: &'a str,
    /// What the simulated filters find in it.
    pub shown: &'a Shown,
}

/// The answer to `POST /v1/files`.
#[derive(Deserialize)]
pub struct Uploaded {
    pub file: String,
}

/// 200: the message was taken.
#[derive(Deserialize)]
pub struct Taken {
    pub message_id: String,
}

/// 403: the message was refused.
#[derive(Deserialize)]
pub struct Refusal {
    pub notice: String,
    #[serde(default)]
    pub sanction: bool,
}

/// 429: too fast.
#[derive(Deserialize)]
pub struct TooFast {
    pub retry_after_ms: u64,
}

/// `GET /v1/events`
#[derive(Deserialize, Debug)]
pub struct Page {
    /// Changes when the server lost its memory.
    pub instance: String,
    pub events: Vec<Event>,
}

/// What an account saw.
#[derive(Deserialize, Debug)]
pub struct Event {
    pub cursor: u64,
    pub kind: EventKind,
    pub message_id: Option<String>,
    pub sender: Option<String>,
    pub venue: Option<String>,
    pub text: Option<String>,
    pub file: Option<EventFile>,
}

/// The file of an event.
#[derive(Deserialize, Debug)]
pub struct EventFile {
    /// SHA-256 of its bytes.
    pub file: String,
    pub name: String,
}

/// What kind of event.
#[derive(Clone, Copy, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    Message,
    Retraction,
    Notice,
}

/// Cuts a text of the server's down to a number of bytes, between two characters.
pub fn cut(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text
}
