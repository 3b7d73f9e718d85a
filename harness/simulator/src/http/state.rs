//! The world behind the sockets, shared by all connections.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::body::Bytes;
use lacuna_model::policy::Policy;
use lacuna_model::{AccountId, Timestamp, VenueKind};
use sha2::{Digest, Sha256};
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, Semaphore};

use crate::world::{AccountProfile, Delivery, Member, MessageNumber, Place, Submission, World};

use super::files::{Files, Taken};
use super::inbox::Inbox;
use super::limits::Limits;
use super::ocr::{Ocr, Reader};
use super::wire::{AccountRequest, EventAnswer, EventsAnswer, FileAnswer, FileRequest, MessageRequest, VenueRequest};
use super::witness::{Line, Witness};

/// A world that many connections use, with its clock, its accounts' queues and its log. Clones are the same world. It
/// outlives its servers: [`serve`](super::serve) may be ended and called again, as in an outage.
#[derive(Clone)]
pub struct SharedWorld(Arc<Shared>);

struct Shared {
    seed: u64,
    /// Names this life of the platform.
    instance: u64,
    started_at: Timestamp,
    since: Instant,
    state: Mutex<State>,
    /// Pictures are encoded anew.
    reencodes: bool,
    /// What reads texts in pictures, in place of what senders declare.
    reader: Option<Reader>,
    /// Who may take in a file.
    uploads: Semaphore,
    /// Who may read one.
    readings: Semaphore,
    /// Woken when a delivery became due earlier than the deliverer had been told.
    earlier: Notify,
}

struct State {
    world: World,
    accounts: HashMap<String, Member>,
    /// By token.
    sessions: HashMap<String, Member>,
    venues: HashMap<String, Place>,
    /// What each venue was opened with, for repeated requests.
    opened: Vec<(Arc<str>, VenueKind, Vec<Member>)>,
    names: Vec<Arc<str>>,
    inboxes: Vec<Inbox>,
    files: Files,
    /// Ordered pairs of members, over all venues.
    paths: usize,
    witness: Option<Witness>,
    due: Vec<Delivery>,
    /// When the deliverer wakes by itself.
    wakes_at: Option<Timestamp>,
}

/// Why a request is not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the token is missing or unknown")]
    Unauthorized,
    #[error("there is no venue `{0}`; open it with PUT /v1/venues/{{id}}")]
    UnknownVenue(String),
    #[error("there is no file `{0}`; upload it with POST /v1/files")]
    UnknownFile(String),
    #[error("the text in the file cannot be read: {0}")]
    Unread(io::Error),
    #[error("the file did not come in time, or not as a whole")]
    Interrupted,
    #[error("there is no account `{0}`; make it with PUT /v1/accounts/{{id}}")]
    UnknownMember(String),
    #[error("{0} `{1}` exists with other data")]
    Conflict(&'static str, String),
    #[error("{0}")]
    Invalid(String),
    #[error("{0} has more than {1} {2}")]
    TooLong(&'static str, usize, &'static str),
    #[error("the platform is full: more than {0} {1}")]
    Full(usize, &'static str),
    #[error("the log cannot be written: {0}")]
    Witness(io::Error),
}

/// How a submission ended, with the message's name.
pub(super) struct Submitted {
    pub(super) submission: Submission,
    pub(super) message_id: Option<String>,
}

/// What a question for events finds.
pub(super) enum Found {
    /// Something, or nothing in spite of waiting.
    Events(EventsAnswer),
    /// Nothing yet; to be awaited.
    Nothing(OwnedNotified),
}

impl SharedWorld {
    /// A platform with this policy that starts now. `log` names the file to which submissions are appended.
    pub fn new(policy: &Policy, seed: u64, log: Option<&Path>) -> io::Result<Self> {
        Self::with_reader(policy, seed, log, None)
    }

    /// The same, with a program that reads the texts in pictures where there is one.
    pub fn with_reader(policy: &Policy, seed: u64, log: Option<&Path>, ocr: Option<Ocr>) -> io::Result<Self> {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let started_at = Timestamp(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX));
        let digest = Sha256::new()
            .chain_update(b"lacuna simulator instance 1")
            .chain_update(seed.to_le_bytes())
            .chain_update(started_at.0.to_le_bytes())
            .chain_update(std::process::id().to_le_bytes())
            .finalize();
        Ok(Self(Arc::new(Shared {
            seed,
            instance: digest.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte)),
            started_at,
            since: Instant::now(),
            state: Mutex::new(State {
                world: World::new(policy, seed, started_at),
                accounts: HashMap::new(),
                sessions: HashMap::new(),
                venues: HashMap::new(),
                opened: Vec::new(),
                names: Vec::new(),
                inboxes: Vec::new(),
                files: Files::default(),
                paths: 0,
                witness: log.map(Witness::open).transpose()?,
                due: Vec::new(),
                wakes_at: None,
            }),
            reencodes: policy.files.reencode,
            reader: ocr.map(|ocr| Reader::new(ocr, policy)),
            uploads: Semaphore::new(Limits::UPLOADS),
            readings: Semaphore::new(Limits::READINGS),
            earlier: Notify::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.0.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.0.started_at + lacuna_model::Duration(passed)
    }

    /// Makes an account, or finds it made; gives its token.
    pub(super) fn put_account(&self, id: String, request: &AccountRequest) -> Result<String, Fault> {
        check_name("the account's name", &id)?;
        let token = self.token(&id);
        let mut state = self.lock();
        if let Some(&member) = state.accounts.get(&id) {
            let profile = state.world.profile(member);
            let same = profile.registered_in == request.registered_in && profile.located_in == request.located_in;
            return if same { Ok(token) } else { Err(Fault::Conflict("account", id)) };
        }
        if state.accounts.len() >= Limits::ACCOUNTS {
            return Err(Fault::Full(Limits::ACCOUNTS, "accounts"));
        }
        let name: Arc<str> = id.as_str().into();
        let member = state.world.add_account(AccountProfile {
            id: AccountId::new(Arc::clone(&name)),
            registered_in: request.registered_in,
            located_in: request.located_in,
        });
        state.names.push(name);
        state.inboxes.push(Inbox::new(u64::try_from(self.0.started_at.0).unwrap_or(0)));
        state.accounts.insert(id, member);
        state.sessions.insert(token.clone(), member);
        Ok(token)
    }

    fn token(&self, id: &str) -> String {
        let digest = Sha256::new()
            .chain_update(b"lacuna simulator token 1")
            .chain_update(self.0.seed.to_le_bytes())
            .chain_update(id.as_bytes())
            .finalize();
        digest.iter().take(16).fold(String::with_capacity(32), |mut token, byte| {
            // Writing to a string cannot fail.
            let _ = write!(token, "{byte:02x}");
            token
        })
    }

    /// Opens a venue, or finds it open.
    pub(super) fn put_venue(&self, id: String, request: VenueRequest) -> Result<(), Fault> {
        check_name("the venue's name", &id)?;
        let mut state = self.lock();
        let mut members = Vec::new();
        for name in request.members {
            let Some(&member) = state.accounts.get(&name) else { return Err(Fault::UnknownMember(name)) };
            if members.contains(&member) {
                return Err(Fault::Invalid(format!("member `{name}` is named twice")));
            }
            members.push(member);
        }
        if members.len() < 2 || request.kind == VenueKind::Direct && members.len() > 2 {
            return Err(Fault::Invalid(format!("a {} venue cannot have {} members", request.kind.as_str(), members.len())));
        }
        // A feed belongs to its first member; besides, the order says nothing.
        members[usize::from(request.kind == VenueKind::Feed)..].sort_unstable();
        if let Some(place) = state.venues.get(&id) {
            let (_, kind, present) = &state.opened[place.get()];
            let same = *kind == request.kind && *present == members;
            return if same { Ok(()) } else { Err(Fault::Conflict("venue", id)) };
        }
        let paths = state.paths + members.len() * members.len();
        if paths > Limits::PATHS {
            return Err(Fault::Full(Limits::PATHS, "pairs of members in venues"));
        }
        state.paths = paths;
        let place = state.world.add_venue(request.kind, &members);
        state.opened.push((id.as_str().into(), request.kind, members));
        state.venues.insert(id, place);
        Ok(())
    }

    /// Takes in a file; `bytes` reads it once there is room for it. Gives its hash.
    pub(super) async fn upload(&self, token: &str, bytes: impl Future<Output = Result<Bytes, Fault>>) -> Result<Arc<str>, Fault> {
        if !self.lock().sessions.contains_key(token) {
            return Err(Fault::Unauthorized);
        }
        // The semaphore is never closed.
        let _permit = self.0.uploads.acquire().await.map_err(|_| Fault::Interrupted)?;
        let bytes = bytes.await?;
        let read = match &self.0.reader {
            Some(reader) => {
                let _permit = self.0.readings.acquire().await.map_err(|_| Fault::Interrupted)?;
                Some(reader.read(&bytes).await.map_err(Fault::Unread)?)
            }
            None => None,
        };
        let reencodes = self.0.reencodes;
        let file = tokio::task::spawn_blocking(move || Taken::new(bytes, reencodes)).await.map_err(|_| Fault::Interrupted)?;
        let sha256 = Arc::clone(&file.sha256);
        if self.lock().files.keep(file.with(read)) { Ok(sha256) } else { Err(Fault::Full(Limits::FILES, "bytes of files")) }
    }

    /// The bytes of a file.
    pub(super) fn download(&self, token: &str, sha256: &str) -> Result<Bytes, Fault> {
        let state = self.lock();
        if !state.sessions.contains_key(token) {
            return Err(Fault::Unauthorized);
        }
        state.files.bytes(sha256).ok_or_else(|| Fault::UnknownFile(sha256.chars().take(Limits::NAME).collect()))
    }

    /// Submits a message, and writes it to the log.
    pub(super) fn submit(&self, token: &str, request: &MessageRequest<'_>) -> Result<Submitted, Fault> {
        if request.text.chars().nth(Limits::TEXT).is_some() {
            return Err(Fault::TooLong("the text", Limits::TEXT, "Unicode scalar values"));
        }
        check_name("`client_ref`", &request.client_ref)?;
        let text: Arc<str> = (*request.text).into();
        if let Some(file) = &request.file {
            check_name("the file's name", &file.name)?;
            let shown = &file.shown;
            if [&shown.text, &shown.look, &shown.metadata].iter().any(|text| text.chars().nth(Limits::TEXT).is_some()) {
                return Err(Fault::TooLong("what the file shows", Limits::TEXT, "Unicode scalar values"));
            }
        }
        let mut guard = self.lock();
        let state = &mut *guard;
        let sender = *state.sessions.get(token).ok_or(Fault::Unauthorized)?;
        let Some(&place) = state.venues.get(&*request.venue) else {
            return Err(Fault::UnknownVenue(request.venue.chars().take(Limits::NAME).collect()));
        };
        let upload = |file: &FileRequest| {
            let upload = state.files.upload(&file.file, &file.name, &file.shown);
            upload.map(Arc::new).ok_or_else(|| Fault::UnknownFile(file.file.chars().take(Limits::NAME).collect()))
        };
        let file = request.file.as_ref().map(upload).transpose()?;
        let now = self.now();
        let submission = if state.world.in_transit() < Limits::IN_TRANSIT {
            state.world.submit_file(now, sender, place, &text, file.as_ref())
        } else {
            Submission::Down
        };
        let (message_id, result) = match submission {
            Submission::Accepted { message } => (Some(self.message_id(message)), "accepted"),
            Submission::Refused { .. } => (None, "refused"),
            Submission::RateLimited { .. } => (None, "rate_limited"),
            Submission::Down => (None, "down"),
        };
        if let Some(witness) = &mut state.witness {
            let line = Line {
                at_us: now,
                sender: &state.names[sender.get()],
                venue: &request.venue,
                client_ref: &request.client_ref,
                message_id: message_id.as_deref(),
                result,
            };
            witness.write(&line).map_err(Fault::Witness)?;
        }
        state.distribute(now);
        let next = state.world.next_delivery_at();
        if next.is_some_and(|next| state.wakes_at.is_none_or(|wakes_at| next < wakes_at)) {
            state.wakes_at = next;
            self.0.earlier.notify_one();
        }
        Ok(Submitted { submission, message_id })
    }

    /// The account's oldest events behind `after`; those up to `acknowledged` are forgotten. Without any, gives what to wait
    /// for unless `is_last` is set.
    pub(super) fn events(&self, token: &str, after: u64, acknowledged: u64, limit: usize, is_last: bool) -> Result<Found, Fault> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let member = *state.sessions.get(token).ok_or(Fault::Unauthorized)?;
        state.distribute(self.now());
        let inbox = &mut state.inboxes[member.get()];
        // A cursor from the future is not of this life of the platform: the client is told so without a wait.
        let is_foreign = after > inbox.last();
        if !is_foreign {
            inbox.acknowledge(acknowledged.min(after));
        }
        if inbox.is_read(after) && !is_foreign && !is_last {
            return Ok(Found::Nothing(Arc::clone(&inbox.arrivals).notified_owned()));
        }
        let events = inbox.behind(if is_foreign { 0 } else { after }, limit.clamp(1, Limits::EVENTS_PER_ANSWER));
        Ok(Found::Events(EventsAnswer {
            instance: format!("{:016x}{:04x}", self.0.instance, inbox.overflows()),
            cursor: events.last().map_or_else(|| inbox.last(), |event| event.cursor),
            events: events
                .into_iter()
                .map(|event| EventAnswer {
                    cursor: event.cursor,
                    kind: event.delivery.kind,
                    message_id: self.message_id(event.delivery.message),
                    sender: Arc::clone(&state.names[event.delivery.sender.get()]),
                    venue: Arc::clone(&state.opened[event.delivery.place.get()].0),
                    file: event
                        .delivery
                        .file
                        .as_ref()
                        .map(|file| FileAnswer { file: state.files.delivered(file), name: Arc::clone(&file.upload.name) }),
                    text: event.delivery.text,
                })
                .collect(),
        }))
    }

    /// Puts what is due into the queues, for ever.
    pub(super) async fn deliver(&self) {
        loop {
            let wait = {
                let mut state = self.lock();
                let now = self.now();
                state.distribute(now);
                state.wakes_at = state.world.next_delivery_at();
                state.wakes_at.map(|at| Duration::from(at - now))
            };
            let earlier = self.0.earlier.notified();
            match wait {
                // Whichever comes first: the loop looks again in either case.
                Some(wait) => drop(tokio::time::timeout(wait, earlier).await),
                None => earlier.await,
            }
        }
    }

    /// A message's name: no two lives of the platform share one.
    fn message_id(&self, message: MessageNumber) -> String {
        format!("{:016x}-{}", self.0.instance, message.0)
    }
}

impl State {
    /// Puts what is due into the queues.
    fn distribute(&mut self, now: Timestamp) {
        self.world.deliver_due(now, &mut self.due);
        for delivery in self.due.drain(..) {
            self.inboxes[delivery.to.get()].push(delivery);
        }
    }
}

fn check_name(what: &'static str, name: &str) -> Result<(), Fault> {
    match name.len() {
        0 => Err(Fault::Invalid(format!("{what} is empty"))),
        1..=Limits::NAME => Ok(()),
        _ => Err(Fault::TooLong(what, Limits::NAME, "bytes")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use lacuna_model::policy::Network;

    use super::*;

    fn world(delay: lacuna_model::Duration) -> SharedWorld {
        let network = Network { delay_median: delay, ..Network::default() };
        SharedWorld::new(&Policy { network, ..Policy::default() }, 1, None).unwrap()
    }

    fn put_account(world: &SharedWorld, id: &str) -> Result<String, Fault> {
        let region = "CN".parse().unwrap();
        world.put_account(id.to_owned(), &AccountRequest { registered_in: region, located_in: region })
    }

    fn put_group(world: &SharedWorld, id: &str, members: &[String]) -> Result<(), Fault> {
        world.put_venue(id.to_owned(), VenueRequest { kind: VenueKind::Group, members: members.to_vec() })
    }

    #[test]
    fn accounts_and_venues_are_bounded() {
        let world = world(lacuna_model::Duration::ZERO);
        let names: Vec<String> = (0..Limits::ACCOUNTS).map(|n| format!("account {n}")).collect();
        for name in &names {
            put_account(&world, name).unwrap();
        }
        assert!(put_account(&world, &names[0]).is_ok());
        assert!(matches!(put_account(&world, "one more"), Err(Fault::Full(Limits::ACCOUNTS, _))));
        put_group(&world, "most", &names[..2_000]).unwrap();
        put_group(&world, "most", &names[..2_000]).unwrap();
        assert!(matches!(put_group(&world, "one more", &names[..2]), Err(Fault::Full(Limits::PATHS, _))));
    }

    #[test]
    fn what_is_on_its_way_is_bounded() {
        let world = world(lacuna_model::Duration::from_secs(3_600));
        let members = ["a".to_owned(), "b".to_owned()];
        let token = members.each_ref().map(|id| put_account(&world, id).unwrap())[0].clone();
        put_group(&world, "v", &members).unwrap();
        let request = MessageRequest { venue: "v".into(), client_ref: "p".into(), text: "x".into(), file: None };
        for _ in 0..Limits::IN_TRANSIT {
            assert!(matches!(world.submit(&token, &request).unwrap().submission, Submission::Accepted { .. }));
        }
        assert_eq!(world.submit(&token, &request).unwrap().submission, Submission::Down);
    }
}
