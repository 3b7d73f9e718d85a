//! The sending half of a session.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use lacuna_model::SendResult;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::directory::Directory;
use super::driver::Command;
use super::store::Store;
use super::text;
use crate::session::{MessageSender, Outgoing, OutgoingFile};

/// How long a server may take to acknowledge a message.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Hands messages to the connection's driver.
pub struct Sender {
    directory: Arc<Directory>,
    store: Option<Arc<Store>>,
    commands: mpsc::Sender<Command>,
}

impl Sender {
    pub fn new(directory: Arc<Directory>, store: Option<Arc<Store>>, commands: mpsc::Sender<Command>) -> Self {
        Self { directory, store, commands }
    }

    /// Uploads a file and gives its address. Until this ends nothing was sent to anybody.
    async fn upload(&self, message: &Outgoing, file: &OutgoingFile) -> Result<String, String> {
        let store = self.store.as_ref().ok_or("no service that takes files is known")?;
        if !message.text.is_empty() {
            return Err("captions are not sent with files".to_owned());
        }
        if let Some(character) = text::forbidden(&file.name) {
            return Err(format!("XML cannot carry the character U+{:04X} of the file's name", u32::from(character)));
        }
        let id = format!("slot-{}", message.client_ref);
        let (answer, answered) = oneshot::channel();
        let request = store.request(id.clone(), file);
        let ended = "the session has ended";
        self.commands.send(Command::Slot { request, id, answer }).await.map_err(|_| ended)?;
        let slot = tokio::time::timeout(ANSWER_TIMEOUT, answered).await.map_err(|_| "the server gives no place for it")?;
        let slot = store.slot(slot.map_err(|_| "the connection was lost")??)?;
        store.put(&slot, file).await?;
        Ok(slot.get)
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
            let (venue, id) = (message.venue, message.client_ref.as_str());
            if !self.directory.has(venue) {
                return not_sent("the account is not in this venue");
            }
            let link = match &message.file {
                None => None,
                Some(file) => tokio::select! {
                    biased;
                    () = cancel.cancelled() => return not_sent("cancelled before it was sent"),
                    uploaded = self.upload(message, file) => match uploaded {
                        Ok(link) => Some(link),
                        Err(error) => return SendResult::NotSent { error: format!("the file was not uploaded: {error}") },
                    },
                },
            };
            let body = link.as_deref().unwrap_or(&message.text);
            let Some(stanza) = self.directory.message(venue, id, body, link.clone()) else {
                return not_sent("the account is not in this venue");
            };
            let (answer, answered) = oneshot::channel();
            let command = Command::Message { stanza, id: message.client_ref.clone(), answer };
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
