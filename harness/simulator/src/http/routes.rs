//! From requests to the world and back.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::world::Submission;

use super::limits::Limits;
use super::state::{Fault, Found, SharedWorld};
use super::wire::{self, AccountAnswer, AccountRequest, EventsRequest, MessageRequest, VenueAnswer, VenueRequest};

/// All routes over a world.
pub(super) fn router(world: SharedWorld) -> Router {
    Router::new()
        .route("/v1/accounts/{id}", put(put_account))
        .route("/v1/venues/{id}", put(put_venue))
        .route("/v1/messages", post(post_message))
        .route("/v1/events", get(get_events))
        .route("/v1/files", post(post_file))
        .route("/v1/files/{file}", get(get_file))
        .layer(DefaultBodyLimit::max(Limits::BODY))
        .with_state(world)
}

async fn put_account(State(world): State<SharedWorld>, Path(id): Path<String>, body: Bytes) -> Result<Response, Fault> {
    let request: AccountRequest = parse(&body)?;
    Ok(answer(StatusCode::OK, &AccountAnswer { token: world.put_account(id, &request)? }))
}

async fn put_venue(State(world): State<SharedWorld>, Path(id): Path<String>, body: Bytes) -> Result<Response, Fault> {
    let request: VenueRequest = parse(&body)?;
    world.put_venue(id, request)?;
    Ok(answer(StatusCode::OK, &VenueAnswer {}))
}

async fn post_message(State(world): State<SharedWorld>, headers: HeaderMap, body: Bytes) -> Result<Response, Fault> {
    let token = bearer(&headers)?;
    let request: MessageRequest<'_> = parse(&body)?;
    let submitted = world.submit(token, &request)?;
    Ok(match submitted.submission {
        Submission::Accepted { .. } => {
            answer(StatusCode::OK, &wire::Accepted { message_id: submitted.message_id.unwrap_or_default() })
        }
        Submission::Refused { notice, sanction } => answer(StatusCode::FORBIDDEN, &wire::Refused { notice, sanction }),
        Submission::RateLimited { retry_after } => {
            // Rounded up: a client that waits this long is not told to wait again.
            let retry_after_ms = retry_after.as_millis() + i64::from(retry_after.as_micros() % 1_000 != 0);
            answer(StatusCode::TOO_MANY_REQUESTS, &wire::RateLimited { retry_after_ms })
        }
        Submission::Down => answer(StatusCode::SERVICE_UNAVAILABLE, &wire::Fault { error: "the platform is out of order" }),
    })
}

async fn post_file(State(world): State<SharedWorld>, headers: HeaderMap, body: Body) -> Result<Response, Fault> {
    let token = bearer(&headers)?;
    let too_long = || Fault::TooLong("the file", Limits::FILE, "bytes");
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > Limits::FILE) {
        return Err(too_long());
    }
    let bytes = async {
        let read = tokio::time::timeout(Limits::UPLOAD, to_bytes(body, Limits::FILE)).await;
        // A body that says no length and does not come to its end is either too long or cut off.
        read.map_err(|_| Fault::Interrupted)?.map_err(|_| if length.is_none() { too_long() } else { Fault::Interrupted })
    };
    Ok(answer(StatusCode::OK, &wire::UploadAnswer { file: world.upload(token, bytes).await? }))
}

async fn get_file(State(world): State<SharedWorld>, headers: HeaderMap, Path(file): Path<String>) -> Result<Response, Fault> {
    Ok(Response::new(Body::from(world.download(bearer(&headers)?, &file)?)))
}

async fn get_events(
    State(world): State<SharedWorld>,
    headers: HeaderMap,
    Query(request): Query<EventsRequest>,
) -> Result<Response, Fault> {
    let token = bearer(&headers)?;
    let until = Instant::now() + Duration::from_millis(request.wait_ms).min(Limits::WAIT);
    loop {
        let is_last = Instant::now() >= until;
        match world.events(token, request.after, request.ack.unwrap_or(request.after), request.limit, is_last)? {
            Found::Events(events) => return Ok(answer(StatusCode::OK, &events)),
            // The notification was registered under the lock; nothing that comes meanwhile is missed.
            Found::Nothing(arrival) => drop(tokio::time::timeout_at(until, arrival).await),
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::Invalid(format!("the body is not what is expected here: {error}")))
}

fn bearer(headers: &HeaderMap) -> Result<&str, Fault> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Fault::Unauthorized)
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    // None of the answers holds a map with keys that are no strings, the only thing that cannot be written.
    let mut response = Response::new(Body::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::UnknownVenue(_) | Self::UnknownMember(_) | Self::UnknownFile(_) => StatusCode::NOT_FOUND,
            Self::Conflict(..) => StatusCode::CONFLICT,
            Self::Invalid(_) | Self::Interrupted => StatusCode::BAD_REQUEST,
            Self::TooLong(..) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Full(..) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Unread(error) => {
                tracing::error!(%error, "the text in a file cannot be read");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Witness(error) => {
                tracing::error!(%error, "the log of submissions cannot be written");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        answer(status, &wire::Fault { error: &self.to_string() })
    }
}
