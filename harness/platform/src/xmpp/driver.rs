//! What goes on while an account is connected, and how the connection is got back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lacuna_model::{AccountCondition, Observation, ObservationKind, PlatformMessageId, SendResult, VenueIx};
use tokio::sync::{mpsc, oneshot};
use tokio_xmpp::jid::FullJid;
use xmpp_parsers::message::Message;
use xmpp_parsers::presence::Presence;
use xmpp_parsers::stanza::Stanza;

use super::Plan;
use super::connection::{Connection, Failure, Incoming};
use super::directory::Told;
use super::rooms;
use crate::session::SessionEvent;

const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LAST_BACKOFF: Duration = Duration::from_secs(2);

/// A message to be sent.
pub struct Command {
    /// The message.
    pub stanza: Message,
    /// Its id.
    pub id: String,
    /// Where the answer goes.
    pub answer: oneshot::Sender<SendResult>,
}

/// A message that was sent and not yet acknowledged.
struct Pending {
    number: u32,
    id: String,
    answer: oneshot::Sender<SendResult>,
}

/// Why the driver stops serving a connection.
enum End {
    /// Nobody listens to the session any more.
    Closed,
    /// The connection is gone.
    Lost(String),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Lost(failure.into_detail())
    }
}

/// Owns the connection of one account.
pub struct Driver {
    plan: Arc<Plan>,
    places: Vec<FullJid>,
    connection: Connection,
    early: Vec<Message>,
    pending: VecDeque<Pending>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<SessionEvent>,
}

impl Driver {
    /// Logs in and joins the rooms.
    pub async fn connect(
        plan: Plan,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<SessionEvent>,
    ) -> Result<Self, Failure> {
        let (connection, early) = establish(&plan).await?;
        let places = plan.directory.rooms();
        Ok(Self { plan: Arc::new(plan), places, connection, early, pending: VecDeque::new(), commands, events })
    }

    /// Serves until the session's receiver is dropped.
    pub async fn run(mut self) {
        loop {
            let Err(end) = self.serve().await;
            for pending in self.pending.drain(..) {
                // Whoever gave up waiting needs no answer.
                let _ = pending.answer.send(SendResult::Unknown { error: "the connection was lost".to_owned() });
            }
            let again = match end {
                End::Closed => break self.connection.close().await,
                End::Lost(detail) => self.reconnect(detail).await,
            };
            if again.is_err() {
                break;
            }
        }
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, End> {
        for message in std::mem::take(&mut self.early) {
            self.take(message).await?;
        }
        loop {
            tokio::select! {
                () = self.events.closed() => return Err(End::Closed),
                Some(command) = self.commands.recv() => self.send(command).await?,
                incoming = self.connection.next() => self.handle(incoming?).await?,
            }
        }
    }

    async fn send(&mut self, command: Command) -> Result<(), End> {
        let Command { stanza, id, answer } = command;
        match self.connection.send(Stanza::Message(stanza)).await {
            Ok(number) => {
                self.pending.push_back(Pending { number, id, answer });
                Ok(())
            }
            Err(failure) => {
                let error = failure.into_detail();
                // Whoever gave up waiting needs no answer.
                let _ = answer.send(SendResult::Unknown { error: error.clone() });
                Err(End::Lost(error))
            }
        }
    }

    async fn handle(&mut self, incoming: Incoming) -> Result<(), End> {
        match incoming {
            Incoming::Message(message) => self.take(*message).await?,
            Incoming::Presence(presence) => {
                if let Some((detail, punished)) = rooms::put_out(&presence, &self.places) {
                    if punished {
                        self.tell_condition(AccountCondition::Sanctioned, detail.clone()).await?;
                    }
                    return Err(End::Lost(detail));
                }
            }
            Incoming::Taken(taken) => {
                // Numbers are modulo 2^32: what lies less than half the circle behind was taken.
                while let Some(pending) = self.pending.pop_front_if(|first| taken.wrapping_sub(first.number) < u32::MAX / 2) {
                    let platform_id = Some(PlatformMessageId(pending.id.into()));
                    // Whoever gave up waiting needs no answer.
                    let _ = pending.answer.send(SendResult::Accepted { platform_id });
                }
            }
            Incoming::HowMany => self.connection.acknowledge().await?,
            Incoming::Silence => self.connection.probe().await?,
            Incoming::Unreadable(detail) => self.tell(SessionEvent::Gap { detail }).await?,
            // Requests are left unanswered: they may come from anybody, and only accounts of the experiment are written to.
            Incoming::Iq(_) | Incoming::Other => {}
        }
        Ok(())
    }

    async fn take(&mut self, message: Message) -> Result<(), End> {
        match self.plan.directory.read(&message) {
            Told::Observed(observation) => self.tell(SessionEvent::Observed(observation)).await,
            Told::Nothing => Ok(()),
            Told::Bounced { id, notice, venue } => {
                let waiting = self.pending.iter().position(|pending| pending.id == id);
                let waiting = waiting.and_then(|position| self.pending.remove(position));
                let refused = SendResult::Refused { notice: notice.clone() };
                if waiting.is_some_and(|pending| pending.answer.send(refused).is_ok()) {
                    return Ok(());
                }
                self.tell(SessionEvent::Observed(self.notice(id, notice, venue))).await
            }
        }
    }

    /// The refusal of a message that had been accepted.
    fn notice(&self, id: String, notice: String, venue: Option<VenueIx>) -> Observation {
        let own = self.plan.directory.own();
        Observation {
            recipient: own,
            sender: Some(own),
            venue,
            kind: ObservationKind::Notice,
            platform_id: Some(PlatformMessageId(id.into())),
            text: Some(notice.into()),
            file: None,
            cursor: None,
        }
    }

    /// Tries until the server answers again. Meanwhile nothing is sent.
    async fn reconnect(&mut self, detail: String) -> Result<(), End> {
        tracing::debug!(account = %self.plan.login.address, detail, "disconnected");
        self.tell_condition(AccountCondition::Disconnected, detail.clone()).await?;
        let mut attempts = Box::pin(keep_trying(Arc::clone(&self.plan), self.events.clone()));
        (self.connection, self.early) = loop {
            tokio::select! {
                connected = &mut attempts => break connected?,
                () = self.events.closed() => return Err(End::Closed),
                Some(command) = self.commands.recv() => {
                    // Whoever gave up waiting needs no answer.
                    let _ = command.answer.send(SendResult::NotSent { error: "the account is not connected".to_owned() });
                }
            }
        };
        self.tell_condition(AccountCondition::Connected, String::new()).await?;
        self.tell(SessionEvent::Gap { detail: format!("the connection was lost: {detail}") }).await
    }

    async fn tell_condition(&self, condition: AccountCondition, detail: String) -> Result<(), End> {
        self.tell(SessionEvent::Account { condition, detail }).await
    }

    async fn tell(&self, event: SessionEvent) -> Result<(), End> {
        self.events.send(event).await.map_err(|_| End::Closed)
    }
}

/// Connects, appears, and joins the rooms; also gives the messages that arrived on the way.
async fn establish(plan: &Plan) -> Result<(Connection, Vec<Message>), Failure> {
    let mut connection = Connection::open(plan.server, &plan.login).await?;
    // Only an account that is present gets the messages that are sent to its bare address.
    connection.send(Stanza::Presence(Presence::available())).await?;
    let mut early = Vec::new();
    for place in plan.directory.rooms() {
        rooms::join(&mut connection, &place, &mut early).await?;
    }
    Ok((connection, early))
}

async fn keep_trying(plan: Arc<Plan>, events: mpsc::Sender<SessionEvent>) -> Result<(Connection, Vec<Message>), End> {
    let mut backoff = FIRST_BACKOFF;
    let mut locked_out = false;
    loop {
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(LAST_BACKOFF);
        match establish(&plan).await {
            Ok(connected) => return Ok(connected),
            // The account could log in before.
            Err(Failure::Rejected(detail)) if !locked_out => {
                locked_out = true;
                let event = SessionEvent::Account { condition: AccountCondition::Sanctioned, detail };
                events.send(event).await.map_err(|_| End::Closed)?;
            }
            Err(_) => {}
        }
    }
}
