//! The sending half of a session.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use lacuna_model::SendResult;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::directory::Directory;
use super::driver::Command;
use super::text;
use crate::session::{MessageSender, Outgoing};

/// How long a server may take to acknowledge a message.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Hands messages to the connection's driver.
pub struct Sender {
    directory: Arc<Directory>,
    commands: mpsc::Sender<Command>,
}

impl Sender {
    pub fn new(directory: Arc<Directory>, commands: mpsc::Sender<Command>) -> Self {
        Self { directory, commands }
    }
}

impl MessageSender for Sender {
    fn send<'a>(&'a self, message: &'a Outgoing, cancel: &'a CancellationToken) -> BoxFuture<'a, SendResult> {
        Box::pin(async move {
            let not_sent = |error: &str| SendResult::NotSent { error: error.to_owned() };
            let unknown = |error: &str| SendResult::Unknown { error: error.to_owned() };
            if let Some(character) = text::forbidden(&message.text) {
                let code = u32::from(character);
                return SendResult::NotSent { error: format!("XML cannot carry the character U+{code:04X}") };
            }
            let Some(stanza) = self.directory.message(message.venue, &message.client_ref, &message.text) else {
                return not_sent("the account is not in this venue");
            };
            let (answer, answered) = oneshot::channel();
            let command = Command { stanza, id: message.client_ref.clone(), answer };
            tokio::select! {
                biased;
                () = cancel.cancelled() => return not_sent("cancelled before it was sent"),
                queued = self.commands.send(command) => if queued.is_err() {
                    return not_sent("the session has ended");
                }
            }
            tokio::select! {
                biased;
                answer = answered => answer.unwrap_or_else(|_| unknown("the session ended before the server answered")),
                () = cancel.cancelled() => unknown("cancelled before the server answered"),
                () = tokio::time::sleep(ANSWER_TIMEOUT) => unknown("the server does not acknowledge the message"),
            }
        })
    }
}
