//! Sending: one request a message, and before it one for its file. While a file is uploaded nothing was sent to anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;
use lacuna_model::time::Duration;
use lacuna_model::{AccountCondition, PlatformMessageId, SendResult};
use reqwest::StatusCode;
use tokio_util::sync::CancellationToken;

use super::Link;
use super::client::{Answer, Failure};
use super::protocol::{MAX_NAME, NewMessage, Refusal, SentFile, Taken, TooFast, cut};
use crate::session::{MessageSender, Outgoing, OutgoingFile, SessionEvent};

/// The longest wait that is believed, in milliseconds: a day.
const MAX_RETRY_AFTER_MS: u64 = 24 * 60 * 60 * 1000;

/// The sending half of a session.
pub struct Sender {
    link: Arc<Link>,
    /// Whether the last answer said that the account is sanctioned; told once.
    sanctioned: AtomicBool,
}

impl Sender {
    pub fn new(link: Arc<Link>) -> Self {
        Self { link, sanctioned: AtomicBool::new(false) }
    }

    async fn upload(&self, file: &OutgoingFile) -> Result<(), String> {
        let uploaded = self.link.client.post_file(&self.link.token(), &file.bytes).await.map_err(Failure::into_detail)?;
        if uploaded == *file.sha256 { Ok(()) } else { Err("the platform has stored something else than the file".to_owned()) }
    }

    async fn submit(&self, message: &Outgoing) -> SendResult {
        let token = self.link.token();
        let venue = self.link.study.venue(message.venue).id.as_str();
        let file = message.file.as_ref().map(|file| SentFile { file: &file.sha256, name: &file.name, shown: &file.shown });
        let body = NewMessage { venue, client_ref: &message.client_ref, text: &message.text, file };
        match self.link.client.post_message(&token, &body).await {
            Ok(answer) => self.judge(answer).await,
            Err(Failure::NotConnected(error)) => SendResult::NotSent { error },
            Err(failure) => SendResult::Unknown { error: failure.into_detail() },
        }
    }

    async fn judge(&self, answer: Answer) -> SendResult {
        let result = match answer.status {
            StatusCode::OK => answer.read().map(|taken: Taken| {
                self.sanctioned.store(false, Ordering::Relaxed);
                let platform_id = Some(taken.message_id).filter(|id| id.len() <= MAX_NAME);
                SendResult::Accepted { platform_id: platform_id.map(|id| PlatformMessageId(id.into())) }
            }),
            StatusCode::FORBIDDEN => match answer.read() {
                Ok(Refusal { notice, sanction }) => {
                    let notice = cut(notice, MAX_NAME);
                    if sanction && !self.sanctioned.swap(true, Ordering::Relaxed) {
                        let condition = AccountCondition::Sanctioned;
                        // A session that nobody listens to any more needs not be told.
                        let _ = self.link.events.send(SessionEvent::Account { condition, detail: notice.clone() }).await;
                    }
                    // A suspension is about the account: it says nothing about the message, which was not looked at.
                    Ok(if sanction { SendResult::NotSent { error: notice } } else { SendResult::Refused { notice } })
                }
                Err(failure) => Err(failure),
            },
            StatusCode::TOO_MANY_REQUESTS => answer.read().map(|TooFast { retry_after_ms }| {
                let wait = i64::try_from(retry_after_ms.min(MAX_RETRY_AFTER_MS)).unwrap_or(i64::MAX);
                SendResult::RateLimited { retry_after: Duration::from_millis(wait) }
            }),
            // By the protocol each of these says that the message was not taken.
            StatusCode::UNAUTHORIZED
            | StatusCode::NOT_FOUND
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::SERVICE_UNAVAILABLE => Ok(SendResult::NotSent { error: answer.into_detail() }),
            _ => Ok(SendResult::Unknown { error: answer.into_detail() }),
        };
        result.unwrap_or_else(|failure| SendResult::Unknown { error: failure.into_detail() })
    }
}

impl MessageSender for Sender {
    fn send<'a>(&'a self, message: &'a Outgoing, cancel: &'a CancellationToken) -> BoxFuture<'a, SendResult> {
        Box::pin(async move {
            let cancelled = || SendResult::NotSent { error: "cancelled before it was sent".to_owned() };
            if cancel.is_cancelled() {
                return cancelled();
            }
            if let Some(file) = &message.file {
                tokio::select! {
                    biased;
                    uploaded = self.upload(file) => if let Err(error) = uploaded {
                        return SendResult::NotSent { error: format!("the file was not uploaded: {error}") };
                    },
                    () = cancel.cancelled() => return cancelled(),
                }
            }
            tokio::select! {
                biased;
                result = self.submit(message) => result,
                () = cancel.cancelled() => SendResult::Unknown { error: "cancelled while it was sent".to_owned() },
            }
        })
    }
}
