//! The tasks around each account's session: one that sends, one that listens.

use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use lacuna_model::{AccountIx, Cursor, ProbeId, SendResult, Study};
use lacuna_platform::{ConnectError, MessageSender, Outgoing, Platform, Session, SessionEvent};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// So many accounts are connected at a time.
const CONNECTING: usize = 8;

/// What comes back to the core.
#[derive(Debug)]
pub(super) enum Input {
    /// A hand-over ended.
    Answered(ProbeId, SendResult),
    /// A session told something.
    Told(AccountIx, SessionEvent),
    /// A session ended.
    Ended(AccountIx),
}

/// Connects every account of the study, each from where its stream was last read.
pub(super) async fn connect_all(
    platform: &dyn Platform,
    study: &Study,
    cursors: &[Option<Cursor>],
) -> Result<Vec<Session>, ConnectError> {
    let accounts = (0u16..).map(AccountIx).take(study.accounts.len());
    let connecting = accounts.map(|account| {
        let cursor = cursors.get(account.get()).cloned().flatten();
        async move { platform.connect(account, cursor).await }
    });
    let sessions: Vec<_> = futures::stream::iter(connecting).buffered(CONNECTING).collect().await;
    sessions.into_iter().collect()
}

/// Sends what the writer lets through, each message as soon as it comes: how many may be under way is the engine's decision.
pub(super) async fn send_all(
    sender: Box<dyn MessageSender>,
    mut messages: mpsc::UnboundedReceiver<(ProbeId, Outgoing)>,
    inputs: mpsc::Sender<Input>,
    cancel: CancellationToken,
) {
    let sender: Arc<dyn MessageSender> = Arc::from(sender);
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            message = messages.recv() => {
                let Some((probe, message)) = message else { break };
                let (sender, cancel) = (Arc::clone(&sender), cancel.clone());
                under_way.push(async move { (probe, sender.send(&message, &cancel).await) });
            }
            Some((probe, result)) = under_way.next() => {
                if inputs.send(Input::Answered(probe, result)).await.is_err() {
                    break;
                }
            }
        }
    }
    // A send is never dropped: it is waited for, or cancelled and waited for.
    while under_way.next().await.is_some() {}
}

/// Passes on what a session tells, until it ends.
pub(super) async fn listen(account: AccountIx, mut events: mpsc::Receiver<SessionEvent>, inputs: mpsc::Sender<Input>) {
    while let Some(event) = events.recv().await {
        if inputs.send(Input::Told(account, event)).await.is_err() {
            return;
        }
    }
    let _ = inputs.send(Input::Ended(account)).await;
}
