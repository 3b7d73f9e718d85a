//! Requests and answers as they are written.

use std::borrow::Cow;
use std::sync::Arc;

use lacuna_model::{CountryCode, ObservationKind, Shown, VenueKind};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountRequest {
    pub(super) registered_in: CountryCode,
    pub(super) located_in: CountryCode,
}

#[derive(Serialize)]
pub(super) struct AccountAnswer {
    pub(super) token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VenueRequest {
    pub(super) kind: VenueKind,
    pub(super) members: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct VenueAnswer {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageRequest<'a> {
    #[serde(borrow)]
    pub(super) venue: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) client_ref: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) text: Cow<'a, str>,
    pub(super) file: Option<FileRequest>,
}

/// A file that was uploaded, in a message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRequest {
    pub(super) file: String,
    pub(super) name: String,
    /// Stands in for optical character recognition and for an eye: the filters believe it.
    pub(super) shown: Shown,
}

#[derive(Serialize)]
pub(super) struct UploadAnswer {
    pub(super) file: Arc<str>,
}

#[derive(Serialize)]
pub(super) struct Accepted {
    pub(super) message_id: String,
}

#[derive(Serialize)]
pub(super) struct Refused {
    pub(super) notice: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) sanction: bool,
}

#[derive(Serialize)]
pub(super) struct RateLimited {
    pub(super) retry_after_ms: i64,
}

#[derive(Deserialize)]
pub(super) struct EventsRequest {
    #[serde(default)]
    pub(super) after: u64,
    /// Without it, `after` acknowledges.
    pub(super) ack: Option<u64>,
    #[serde(default)]
    pub(super) wait_ms: u64,
    #[serde(default = "default_limit")]
    pub(super) limit: usize,
}

const fn default_limit() -> usize {
    500
}

#[derive(Serialize)]
pub(super) struct EventsAnswer {
    pub(super) instance: String,
    pub(super) events: Vec<EventAnswer>,
    pub(super) cursor: u64,
}

#[derive(Serialize)]
pub(super) struct EventAnswer {
    pub(super) cursor: u64,
    pub(super) kind: ObservationKind,
    pub(super) message_id: String,
    pub(super) sender: Arc<str>,
    pub(super) venue: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<FileAnswer>,
}

#[derive(Serialize)]
pub(super) struct FileAnswer {
    pub(super) file: Arc<str>,
    pub(super) name: Arc<str>,
}

#[derive(Serialize)]
pub(super) struct Fault<'a> {
    pub(super) error: &'a str,
}
