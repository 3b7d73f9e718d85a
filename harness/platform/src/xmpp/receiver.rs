//! Between the connection and whoever listens: fetches what messages name, and keeps the order. The connection goes on meanwhile.

use std::sync::Arc;

use lacuna_model::Observation;
use tokio::sync::mpsc;

use super::store::Store;
use crate::session::SessionEvent;

/// What the connection tells.
pub enum Heard {
    /// As it is.
    Event(SessionEvent),
    /// A message that names a file.
    File(Observation, String),
}

/// Passes on what is heard, until one of the two sides ends.
pub async fn pass_on(mut heard: mpsc::Receiver<Heard>, to_runner: mpsc::Sender<SessionEvent>, store: Option<Arc<Store>>) {
    loop {
        let next = tokio::select! {
            () = to_runner.closed() => return,
            next = heard.recv() => next,
        };
        let event = match (next, &store) {
            (None, _) => return,
            (Some(Heard::Event(event)), _) => event,
            (Some(Heard::File(observation, link)), Some(store)) => tokio::select! {
                () = to_runner.closed() => return,
                fetched = store.get(&link) => SessionEvent::ObservedFile(observation, fetched),
            },
            // Without a store a link is a text like any other.
            (Some(Heard::File(observation, link)), None) => {
                SessionEvent::Observed(Observation { text: Some(link.into()), ..observation })
            }
        };
        if to_runner.send(event).await.is_err() {
            return;
        }
    }
}
