//! The requests of the protocol.

use std::time::Duration;

use lacuna_model::{Account, Venue};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::{
    EVENTS_PER_ANSWER, MAX_ANSWER, MAX_FILE, MAX_NAME, NewAccount, NewMessage, NewVenue, Page, Registered, Uploaded, cut,
};
use crate::adapters::OpenError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take beyond the wait that was asked for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a file may take.
const FILE_TIMEOUT: Duration = Duration::from_mins(1);

/// Why a request has no good answer.
#[derive(Debug)]
pub enum Failure {
    /// No connection, so the request did not leave.
    NotConnected(String),
    /// The connection broke, or the answer did not come in time or in full: the request may have been acted upon.
    Broken(String),
    /// A full answer that is not what the protocol says.
    Unexpected(String),
    /// An answer that says no.
    Status(String),
}

impl Failure {
    /// What went wrong, in words.
    pub fn into_detail(self) -> String {
        match self {
            Self::NotConnected(detail) | Self::Broken(detail) | Self::Unexpected(detail) | Self::Status(detail) => detail,
        }
    }
}

/// A full answer, whatever it says.
pub struct Answer {
    pub status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    /// Reads the body.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| Failure::Unexpected(format!("{}: {error}", self.status)))
    }

    /// The answer as words for a person.
    pub fn into_detail(self) -> String {
        let body = cut(String::from_utf8_lossy(&self.body).into_owned(), MAX_NAME);
        format!("{} {body}", self.status).trim_end().to_owned()
    }

    fn read_ok<T: DeserializeOwned>(self) -> Result<T, Failure> {
        if self.status == StatusCode::OK { self.read() } else { Err(Failure::Status(self.into_detail())) }
    }
}

/// Where the simulator is, and the connections to it.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    messages: Url,
}

impl Client {
    pub fn new(url: &str) -> Result<Self, OpenError> {
        let bad = |error: String| OpenError::PlatformKey { key: "url", error };
        let base = Url::parse(url).map_err(|error| bad(format!("{error}: `{url}`")))?;
        if base.scheme() != "http" || !base.has_host() {
            return Err(bad(format!("`{url}` is no http:// address")));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(bad("a simulator knows no users and passwords: leave out what stands before the @".to_owned()));
        }
        crate::tls::install_provider();
        // A send must never be repeated in silence. What remains is that the pool takes another connection when an idle
        // one turns out to be closed before anything was written to it.
        let http = reqwest::Client::builder()
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| OpenError::Client(error.to_string()))?;
        let messages = path(&base, &["v1", "messages"]);
        Ok(Self { http, base, messages })
    }

    /// Where the simulator is.
    pub fn address(&self) -> &str {
        self.base.as_str()
    }

    /// Makes sure that an account exists, and gives its token.
    pub async fn put_account(&self, account: &Account) -> Result<String, Failure> {
        let body = NewAccount { registered_in: account.registered_in.as_str(), located_in: account.located_in.as_str() };
        let registered: Registered = self.put("accounts", account.id.as_str(), &body).await?.read_ok()?;
        Ok(registered.token)
    }

    /// Makes sure that a venue exists.
    pub async fn put_venue(&self, venue: &Venue, members: &[&str]) -> Result<(), Failure> {
        let body = NewVenue { kind: venue.kind.as_str(), members };
        let _: serde_json::Value = self.put("venues", venue.id.as_str(), &body).await?.read_ok()?;
        Ok(())
    }

    /// Submits a message.
    pub async fn post_message(&self, token: &str, message: &NewMessage<'_>) -> Result<Answer, Failure> {
        let request = self.http.post(self.messages.clone()).bearer_auth(token).json(message);
        answer(request.timeout(ANSWER_TIMEOUT)).await
    }

    /// Uploads a file; gives the platform's name of it.
    pub async fn post_file(&self, token: &str, bytes: &[u8]) -> Result<String, Failure> {
        let request = self.http.post(path(&self.base, &["v1", "files"])).bearer_auth(token).body(bytes.to_vec());
        let uploaded: Uploaded = answer(request.timeout(FILE_TIMEOUT)).await?.read_ok()?;
        Ok(uploaded.file)
    }

    /// Fetches a file: its bytes, or the answer that says no.
    pub async fn get_file(&self, token: &str, file: &str) -> Result<Result<Vec<u8>, Answer>, Failure> {
        let request = self.http.get(path(&self.base, &["v1", "files", file])).bearer_auth(token);
        let answer = answer_of(request.timeout(FILE_TIMEOUT), MAX_FILE).await?;
        Ok(if answer.status == StatusCode::OK { Ok(answer.body) } else { Err(answer) })
    }

    /// Asks for the events behind `after`, and lets those up to `acknowledged` be forgotten.
    pub async fn get_events(&self, token: &str, after: u64, acknowledged: u64, wait: Duration) -> Result<Page, Failure> {
        let mut url = path(&self.base, &["v1", "events"]);
        let wait_ms = wait.as_millis();
        url.set_query(Some(&format!("after={after}&ack={acknowledged}&wait_ms={wait_ms}&limit={EVENTS_PER_ANSWER}")));
        let request = self.http.request(Method::GET, url).bearer_auth(token).timeout(wait + ANSWER_TIMEOUT);
        let page: Page = answer(request).await?.read_ok()?;
        if page.instance.is_empty() || page.instance.len() > MAX_NAME || page.instance.contains(':') {
            return Err(Failure::Unexpected("`instance` is no hexadecimal name".to_owned()));
        }
        Ok(page)
    }

    async fn put(&self, collection: &str, id: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        let url = path(&self.base, &["v1", collection, id]);
        answer(self.http.request(Method::PUT, url).json(body).timeout(ANSWER_TIMEOUT)).await
    }
}

/// The base with further segments, percent-encoded.
fn path(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Only addresses without a host cannot have a path, and those were refused.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Sends a request and reads the whole answer, up to [`MAX_ANSWER`].
async fn answer(request: RequestBuilder) -> Result<Answer, Failure> {
    answer_of(request, MAX_ANSWER).await
}

async fn answer_of(request: RequestBuilder, most: usize) -> Result<Answer, Failure> {
    let response = request.send().await.map_err(failure)?;
    let status = response.status();
    Ok(Answer { status, body: body(response, most).await? })
}

async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > most {
            return Err(Failure::Unexpected(format!("the answer is longer than {most} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failure(error: reqwest::Error) -> Failure {
    let connecting = error.is_connect() || error.is_builder();
    // The address is known and says nothing new; the causes do.
    let error = error.without_url();
    let mut detail = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        detail.push_str(": ");
        detail.push_str(&error.to_string());
        cause = error.source();
    }
    if connecting { Failure::NotConnected(detail) } else { Failure::Broken(detail) }
}
