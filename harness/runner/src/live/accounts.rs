//! The tasks around each account's session: one that sends, one that listens.

use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use lacuna_model::{AccountCondition, AccountIx, Cursor, ItemIx, Observation, ProbeId, SendResult, Study};
use lacuna_platform::{ConnectError, FetchError, MessageSender, Outgoing, Platform, Session, SessionEvent};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::files::{Files, Unkept};

/// So many accounts are connected at a time.
const CONNECTING: usize = 8;

/// What comes back to the core.
#[derive(Debug)]
pub(super) enum Input {
    /// A hand-over ended.
    Answered(ProbeId, SendResult),
    /// A session saw something; what came with it is measured and kept.
    Observed(Observation),
    /// A session may have missed something.
    Gap(AccountIx, String),
    /// The condition of an account changed.
    Condition(AccountIx, AccountCondition, String),
    /// A session ended.
    Ended(AccountIx),
    /// What was received cannot be kept.
    Unkept(std::io::Error),
}

/// A message of the core's. Its file is read once it may leave.
#[derive(Debug)]
pub(super) struct Message {
    pub probe: ProbeId,
    pub outgoing: Outgoing,
    /// The item whose file goes with it.
    pub with: Option<ItemIx>,
}

/// Connects every account of the study, each from where its stream was last read.
pub(crate) async fn connect_each(
    platform: &dyn Platform,
    study: &Study,
    cursors: &[Option<Cursor>],
) -> Vec<Result<Session, ConnectError>> {
    futures::stream::iter(connecting(platform, study, cursors)).buffered(CONNECTING).collect().await
}

/// As [`connect_each`], until `stop` is cancelled: what was not known of an account by then is `None`.
pub(crate) async fn connect_each_until(
    stop: &CancellationToken,
    platform: &dyn Platform,
    study: &Study,
    cursors: &[Option<Cursor>],
) -> Vec<Option<Result<Session, ConnectError>>> {
    let connecting = connecting(platform, study, cursors).map(|connecting| stop.run_until_cancelled(connecting));
    futures::stream::iter(connecting).buffered(CONNECTING).collect().await
}

fn connecting<'a>(
    platform: &'a dyn Platform,
    study: &Study,
    cursors: &'a [Option<Cursor>],
) -> impl Iterator<Item = impl Future<Output = Result<Session, ConnectError>> + 'a> + 'a {
    let accounts = (0u16..).map(AccountIx).take(study.accounts.len());
    accounts.map(move |account| platform.connect(account, cursors.get(account.get()).cloned().flatten()))
}

/// Sends what the writer lets through, each message as soon as it comes: how many may be under way is the engine's decision.
pub(super) async fn send_all(
    sender: Box<dyn MessageSender>,
    mut messages: mpsc::UnboundedReceiver<Message>,
    files: Arc<Files>,
    inputs: mpsc::Sender<Input>,
    cancel: CancellationToken,
) {
    let sender: Arc<dyn MessageSender> = Arc::from(sender);
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            message = messages.recv() => {
                let Some(message) = message else { break };
                let (sender, files, cancel) = (Arc::clone(&sender), Arc::clone(&files), cancel.clone());
                under_way.push(async move { (message.probe, send(message, sender.as_ref(), &files, &cancel).await) });
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

async fn send(message: Message, sender: &dyn MessageSender, files: &Arc<Files>, cancel: &CancellationToken) -> SendResult {
    let Message { mut outgoing, with, .. } = message;
    if let Some(item) = with {
        match files.outgoing(item).await {
            Ok(file) => outgoing.file = file,
            Err(error) => return SendResult::NotSent { error },
        }
    }
    sender.send(&outgoing, cancel).await
}

/// Passes on what a session tells, in its order, until it ends.
pub(super) async fn listen(
    account: AccountIx,
    mut events: mpsc::Receiver<SessionEvent>,
    files: Arc<Files>,
    inputs: mpsc::Sender<Input>,
) {
    while let Some(event) = events.recv().await {
        let (input, gap) = match event {
            SessionEvent::Observed(observation) => (Input::Observed(observation), None),
            SessionEvent::Gap { detail } => (Input::Gap(account, detail), None),
            SessionEvent::Account { condition, detail } => (Input::Condition(account, condition, detail), None),
            SessionEvent::ObservedFile(observation, Ok(file)) => {
                let bare = without_content(&observation);
                match files.received(observation, file).await {
                    Ok(observation) => (Input::Observed(observation), None),
                    Err(Unkept::NotHad(detail)) => (Input::Observed(bare), Some(detail)),
                    Err(Unkept::Disk(error)) => (Input::Unkept(error), None),
                }
            }
            // A message without its file is no arrival of it; where the platform might have the file, nothing is known.
            SessionEvent::ObservedFile(observation, Err(FetchError::Gone(detail))) => {
                tracing::warn!(detail, "a message came without its file");
                (Input::Observed(without_content(&observation)), None)
            }
            SessionEvent::ObservedFile(observation, Err(error @ FetchError::Failed(_))) => {
                (Input::Observed(without_content(&observation)), Some(error.to_string()))
            }
        };
        for input in [Some(input), gap.map(|detail| Input::Gap(account, detail))].into_iter().flatten() {
            if inputs.send(input).await.is_err() {
                return;
            }
        }
    }
    let _ = inputs.send(Input::Ended(account)).await;
}

/// That something came. It is matched with nothing.
fn without_content(observation: &Observation) -> Observation {
    Observation { platform_id: None, text: None, file: None, ..observation.clone() }
}
