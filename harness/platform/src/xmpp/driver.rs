//! What goes on while an account is connected, and how the connection is got back.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use lacuna_model::{AccountCondition, Observation, ObservationKind, PlatformMessageId, SendResult, VenueIx};
use tokio::sync::{mpsc, oneshot};
use tokio_xmpp::jid::{FullJid, Jid};
use xmpp_parsers::http_upload::SlotResult;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::Message;
use xmpp_parsers::presence::Presence;
use xmpp_parsers::stanza::Stanza;

use super::Plan;
use super::connection::{Connection, Failure, Incoming, describe};
use super::directory::Told;
use super::receiver::Heard;
use super::rooms;
use crate::session::SessionEvent;

const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LAST_BACKOFF: Duration = Duration::from_secs(2);

/// What the sender wants.
pub enum Command {
    /// Send a message.
    Message {
        /// The message.
        stanza: Message,
        /// Its id.
        id: String,
        /// Where the answer goes.
        answer: oneshot::Sender<SendResult>,
    },
    /// Ask for a place for a file.
    Slot {
        /// The request.
        request: Iq,
        /// Its id.
        id: String,
        /// Where the answer goes; it is dropped where there is none.
        answer: oneshot::Sender<Result<SlotResult, String>>,
    },
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
    /// Who waits for a place for a file, by the id of the request.
    slots: HashMap<String, oneshot::Sender<Result<SlotResult, String>>>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Heard>,
}

impl Driver {
    /// Logs in and joins the rooms.
    pub async fn connect(plan: Plan, commands: mpsc::Receiver<Command>, events: mpsc::Sender<Heard>) -> Result<Self, Failure> {
        let (connection, early) = establish(&plan).await?;
        let places = plan.directory.rooms();
        let (pending, slots) = (VecDeque::new(), HashMap::new());
        Ok(Self { plan: Arc::new(plan), places, connection, early, pending, slots, commands, events })
    }

    /// Serves until the session's receiver is dropped.
    pub async fn run(mut self) {
        loop {
            let Err(end) = self.serve().await;
            self.slots.clear();
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
        match command {
            Command::Message { stanza, id, answer } => match self.connection.send(Stanza::Message(stanza)).await {
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
            },
            Command::Slot { request, id, answer } => {
                self.slots.retain(|_, answer| !answer.is_closed());
                self.slots.insert(id, answer);
                self.connection.send(Stanza::Iq(request)).await?;
                Ok(())
            }
        }
    }

    /// An answer of the service that takes files.
    fn slot(&mut self, iq: Iq) {
        let is_service =
            |from: &Option<Jid>| from.as_ref().zip(self.plan.store.as_ref()).is_some_and(|(from, it)| it.is_service(from));
        let (id, result) = match iq {
            Iq::Result { from, id, payload: Some(payload), .. } if is_service(&from) => {
                (id, SlotResult::try_from(payload).map_err(|error| error.to_string()))
            }
            Iq::Error { from, id, error, .. } if is_service(&from) => (id, Err(describe(&error))),
            // Requests are left unanswered: they may come from anybody, and only accounts of the experiment are written to.
            _ => return,
        };
        if let Some(answer) = self.slots.remove(&id) {
            // Whoever gave up waiting needs no answer.
            let _ = answer.send(result);
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
            Incoming::Iq(iq) => self.slot(*iq),
            Incoming::Other => {}
        }
        Ok(())
    }

    async fn take(&mut self, message: Message) -> Result<(), End> {
        match self.plan.directory.read(&message) {
            Told::Observed(observation) => self.tell(SessionEvent::Observed(observation)).await,
            Told::File(observation, link) => self.hear(Heard::File(observation, link)).await,
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
                    let error = "the account is not connected".to_owned();
                    // Whoever gave up waiting needs no answer.
                    let _ = match command {
                        Command::Message { answer, .. } => answer.send(SendResult::NotSent { error }).is_ok(),
                        Command::Slot { answer, .. } => answer.send(Err(error)).is_ok(),
                    };
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
        self.hear(Heard::Event(event)).await
    }

    async fn hear(&self, heard: Heard) -> Result<(), End> {
        self.events.send(heard).await.map_err(|_| End::Closed)
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

async fn keep_trying(plan: Arc<Plan>, events: mpsc::Sender<Heard>) -> Result<(Connection, Vec<Message>), End> {
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
                events.send(Heard::Event(event)).await.map_err(|_| End::Closed)?;
            }
            Err(_) => {}
        }
    }
}
