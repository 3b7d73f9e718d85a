//! Receiving: a long poll that survives outages and says when it may have missed something.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lacuna_model::{AccountCondition, Cursor, Observation, ObservationKind, PlatformMessageId};
use reqwest::StatusCode;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::Link;
use super::client::Failure;
use super::protocol::{Event, EventFile, EventKind, MAX_NAME, MAX_TEXT, POLL, Page, cut};
use crate::session::{ConnectError, FetchError, IncomingFile, SessionEvent};

const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LAST_BACKOFF: Duration = Duration::from_secs(2);
/// An empty answer that came before the wait was over, as only a faulty server gives it: rest a little.
const EMPTY_ANSWER_REST: Duration = Duration::from_millis(50);

/// How often a file is asked for.
const FETCHES: u32 = 3;

/// Nobody listens to the session any more.
struct Closed;

/// Reads an account's events.
pub struct Listener {
    link: Arc<Link>,
    acknowledged: watch::Receiver<Option<Cursor>>,
    /// The server's memory that `read` is about.
    instance: Arc<str>,
    /// Up to where events were read.
    read: u64,
    /// What the first poll brought.
    first: Page,
    /// Set when the session resumes and the server no longer knows what it was listening to.
    lost: Option<String>,
}

/// Registers the account and polls once, so that the listener knows the server's memory from the beginning.
pub async fn start(
    link: Arc<Link>,
    cursor: Option<&Cursor>,
    acknowledged: watch::Receiver<Option<Cursor>>,
) -> Result<Listener, ConnectError> {
    link.register().await?;
    let known = cursor.map(parse);
    let after = known.flatten().map_or(0, |(_, read)| read);
    let poll = async |after| {
        let page = link.client.get_events(&link.token(), after, 0, Duration::ZERO).await;
        page.map_err(|failure| link.connect_error(failure, None))
    };
    let mut page = poll(after).await?;
    let mut read = after;
    let mut lost = None;
    let remembered = known.is_none_or(|known| known.is_some_and(|(instance, _)| instance == page.instance));
    if !remembered {
        lost = Some(format!("the server started anew (instance {}) since the session was interrupted", page.instance));
        read = 0;
        page = poll(0).await?;
    }
    let instance = Arc::from(page.instance.as_str());
    Ok(Listener { link, acknowledged, instance, read, first: page, lost })
}

impl Listener {
    /// Listens until the session's receiver is dropped.
    pub async fn run(mut self) {
        let link = Arc::clone(&self.link);
        tokio::select! {
            () = link.events.closed() => {}
            Err(Closed) = self.listen() => {}
        }
    }

    async fn listen(&mut self) -> Result<std::convert::Infallible, Closed> {
        if let Some(detail) = self.lost.take() {
            self.tell(SessionEvent::Gap { detail }).await?;
        }
        let first = std::mem::take(&mut self.first.events);
        self.deliver(first).await?;
        loop {
            let asked = Instant::now();
            match self.poll(POLL).await {
                Ok(page) => {
                    let rest = page.events.is_empty() && asked.elapsed() < POLL / 2;
                    self.take(page).await?;
                    if rest {
                        tokio::time::sleep(EMPTY_ANSWER_REST).await;
                    }
                }
                Err(failure) => self.reconnect(failure.into_detail()).await?,
            }
        }
    }

    async fn poll(&self, wait: Duration) -> Result<Page, Failure> {
        let acknowledged = match &*self.acknowledged.borrow() {
            Some(cursor) => parse(cursor).filter(|(instance, _)| *instance == &*self.instance).map_or(0, |(_, read)| read),
            None => 0,
        };
        let token = self.link.token();
        self.link.client.get_events(&token, self.read, acknowledged.min(self.read), wait).await
    }

    /// Tries until the server answers again. Registering anew does no harm where it still knows the account.
    async fn reconnect(&mut self, detail: String) -> Result<(), Closed> {
        tracing::debug!(account = %self.link.study.account(self.link.account).id, detail, "disconnected");
        self.tell(SessionEvent::Account { condition: AccountCondition::Disconnected, detail }).await?;
        let mut backoff = FIRST_BACKOFF;
        loop {
            tokio::time::sleep(backoff).await;
            backoff = (backoff * 2).min(LAST_BACKOFF);
            if self.link.register().await.is_err() {
                continue;
            }
            if let Ok(page) = self.poll(Duration::ZERO).await {
                let condition = AccountCondition::Connected;
                self.tell(SessionEvent::Account { condition, detail: String::new() }).await?;
                return self.take(page).await;
            }
        }
    }

    /// Delivers an answer, unless it is of a server that has forgotten what was read: then all begins anew.
    async fn take(&mut self, page: Page) -> Result<(), Closed> {
        if page.instance == *self.instance {
            return self.deliver(page.events).await;
        }
        let detail = format!("the server started anew: instance {} after {}", page.instance, self.instance);
        self.instance = page.instance.into();
        self.read = 0;
        self.tell(SessionEvent::Gap { detail }).await?;
        if let Err(error) = self.link.register().await {
            return Box::pin(self.reconnect(error.to_string())).await;
        }
        Ok(())
    }

    async fn deliver(&mut self, events: Vec<Event>) -> Result<(), Closed> {
        for event in events {
            // An answer that repeats what was read is the server's fault, not a duplicate on the platform.
            if event.cursor > self.read {
                self.read = event.cursor;
                let mut event = event;
                let file = event.file.take();
                let observation = self.observation(event);
                // Of strangers nothing is fetched, and what the account itself sent is known.
                let file = file.filter(|_| observation.kind == ObservationKind::Message && observation.sender.is_some());
                self.tell(match file {
                    Some(file) => SessionEvent::ObservedFile(observation, self.fetch(file).await),
                    None => SessionEvent::Observed(observation),
                })
                .await?;
            }
        }
        Ok(())
    }

    async fn fetch(&self, file: EventFile) -> Result<IncomingFile, FetchError> {
        let mut wrong = String::new();
        for attempt in 0..FETCHES {
            if attempt > 0 {
                tokio::time::sleep(FIRST_BACKOFF * attempt).await;
            }
            match self.link.client.get_file(&self.link.token(), &file.file).await {
                Ok(Ok(bytes)) if sha256_hex(&bytes) == file.file => {
                    return Ok(IncomingFile { name: cut(file.name, MAX_NAME), bytes: bytes.into() });
                }
                Ok(Ok(_)) => "it is not what its name says".clone_into(&mut wrong),
                Ok(Err(answer)) if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN) => {
                    return Err(FetchError::Gone(answer.into_detail()));
                }
                Ok(Err(answer)) => wrong = answer.into_detail(),
                Err(failure) => wrong = failure.into_detail(),
            }
        }
        Err(FetchError::Failed(wrong))
    }

    fn observation(&self, event: Event) -> Observation {
        let cursor = Some(Cursor(format!("{}:{}", self.instance, event.cursor).into()));
        let recipient = self.link.account;
        let names = &self.link.names;
        let sender = event.sender.as_deref().and_then(|name| names.accounts.get(name).copied());
        let platform_id = event.message_id.filter(|id| id.len() <= MAX_NAME).map(|id| PlatformMessageId(id.into()));
        let kind = match event.kind {
            EventKind::Message if sender == Some(recipient) => ObservationKind::Echo,
            EventKind::Message => ObservationKind::Message,
            EventKind::Retraction => ObservationKind::Retraction,
            EventKind::Notice => ObservationKind::Notice,
        };
        // Of somebody who is not in the experiment nothing is kept; a notice has no sender but is about our own message.
        if sender.is_none() && kind != ObservationKind::Notice {
            return Observation { recipient, sender, venue: None, kind, platform_id: None, text: None, file: None, cursor };
        }
        let venue = event.venue.as_deref().and_then(|name| names.venues.get(name).copied());
        let text = event.text.map(|text| cut(text, MAX_TEXT).into());
        Observation { recipient, sender, venue, kind, platform_id, text, file: None, cursor }
    }

    async fn tell(&self, event: SessionEvent) -> Result<(), Closed> {
        self.link.events.send(event).await.map_err(|_| Closed)
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The server's memory and the position in it. Cursors come from the journal, so they may be anything.
fn parse(cursor: &Cursor) -> Option<(&str, u64)> {
    let (instance, read) = cursor.0.split_once(':')?;
    Some((instance, read.parse().ok()?))
}
