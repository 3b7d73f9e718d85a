//! Who and where: between the study's indices and XMPP addresses, as one account sees them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use lacuna_model::{AccountIx, Observation, ObservationKind, PlatformMessageId, Study, Venue, VenueIx, VenueKind};
use sha2::{Digest as _, Sha256};
use tokio_xmpp::jid::{BareJid, FullJid, Jid, ResourcePart, ResourceRef};
use xmpp_parsers::message::{Id, Lang, Message, MessageType};
use xmpp_parsers::oob::Oob;

use super::connection::describe;
use crate::adapters::OpenError;

/// The longest text that is kept, in bytes; more than any message of ours has.
const MAX_TEXT: usize = 64 * 1024;
/// The longest message id that is kept, in bytes.
const MAX_ID: usize = 1024;

/// Where a venue is.
#[derive(Clone, Debug)]
enum Place {
    /// A conversation with this account.
    Conversation(BareJid),
    /// A room, with our place in it.
    Room(FullJid),
}

/// The addresses of a study, as one account sees them.
pub struct Directory {
    own: AccountIx,
    accounts: HashMap<BareJid, AccountIx>,
    nicks: HashMap<ResourcePart, AccountIx>,
    /// The account's own venues.
    places: HashMap<VenueIx, Place>,
    /// The same from the other side: by the bare address that messages come from.
    venues: HashMap<BareJid, VenueIx>,
}

/// What a message tells.
#[derive(Debug)]
pub enum Told {
    /// The message was received.
    Observed(Observation),
    /// A message that is about a file was received: the observation has no text, the file is at this address.
    File(Observation, String),
    /// A message of our own came back with an error.
    Bounced {
        /// Our message.
        id: String,
        /// In the server's words.
        notice: String,
        /// Where it was sent.
        venue: Option<VenueIx>,
    },
    /// Nothing that anybody wrote: a room's subject, a typing notification.
    Nothing,
}

impl Directory {
    /// Works out the addresses of all accounts and of the venues of one.
    pub fn new(study: &Study, addresses: &[BareJid], rooms: Option<&str>, own: AccountIx) -> Result<Self, OpenError> {
        let mut directory = Self {
            own,
            accounts: (0u16..).map(AccountIx).zip(addresses).map(|(index, address)| (address.clone(), index)).collect(),
            nicks: HashMap::new(),
            places: HashMap::new(),
            venues: HashMap::new(),
        };
        for (index, account) in (0u16..).map(AccountIx).zip(&study.accounts) {
            let nick = ResourcePart::new(account.id.as_str()).map_err(|error| OpenError::AccountKey {
                account: account.id.to_string(),
                key: "id",
                error: format!("cannot be a nickname: {error}"),
            })?;
            directory.nicks.insert(nick.into_owned(), index);
        }
        let nick = study.account(own).id.as_str();
        for (index, venue) in (0u16..).map(VenueIx).zip(&study.venues) {
            if venue.members.contains(&own) {
                let bad = |error: String| OpenError::Venue { venue: venue.id.to_string(), error };
                let place = place(study, venue, addresses, rooms, own, nick).map_err(bad)?;
                let address = match &place {
                    Place::Conversation(address) => address.clone(),
                    Place::Room(address) => address.to_bare(),
                };
                directory.venues.insert(address, index);
                directory.places.insert(index, place);
            }
        }
        Ok(directory)
    }

    /// The account whose directory this is.
    pub fn own(&self) -> AccountIx {
        self.own
    }

    /// Our places in the rooms, in the order of the venues.
    pub fn rooms(&self) -> Vec<FullJid> {
        let mut rooms: Vec<_> = self.places.iter().collect();
        rooms.sort_by_key(|(venue, _)| **venue);
        let room = |(_, place): (_, &Place)| match place {
            Place::Room(room) => Some(room.clone()),
            Place::Conversation(_) => None,
        };
        rooms.into_iter().filter_map(room).collect()
    }

    /// Whether a venue is one of the account's.
    pub fn has(&self, venue: VenueIx) -> bool {
        self.places.contains_key(&venue)
    }

    /// A message to a venue, if it is one of the account's. `link` is a file's address, which then is the text as well.
    pub fn message(&self, venue: VenueIx, id: &str, text: &str, link: Option<String>) -> Option<Message> {
        let message = match self.places.get(&venue)? {
            Place::Conversation(address) => Message::chat(Jid::from(address.clone())),
            Place::Room(address) => Message::groupchat(Jid::from(address.to_bare())),
        };
        let mut message = message.with_body(Lang::default(), text.to_owned());
        message.id = Some(Id(id.to_owned()));
        message.payloads.extend(link.map(|url| Oob { url, desc: None }.into()));
        Some(message)
    }

    /// What a message tells.
    pub fn read(&self, message: &Message) -> Told {
        let Some(from) = &message.from else {
            return Told::Nothing;
        };
        let bare = from.to_bare();
        let venue = self.venues.get(&bare).copied();
        let known_id = message.id.as_ref().map(|id| id.0.clone()).filter(|id| id.len() <= MAX_ID);
        if message.type_ == MessageType::Error {
            let error = message.payloads.iter().find(|payload| payload.is("error", xmpp_parsers::ns::DEFAULT_NS));
            let error = error.and_then(|error| error.clone().try_into().ok());
            let notice = error.as_ref().map_or_else(|| "an error".to_owned(), describe);
            return match (venue, known_id) {
                (Some(_), Some(id)) => Told::Bounced { id, notice, venue },
                _ => Told::Nothing,
            };
        }
        let Some((_, text)) = message.get_best_body(Vec::new()) else {
            return Told::Nothing;
        };
        let in_room = message.type_ == MessageType::Groupchat;
        let sender = match from.resource() {
            // In a room the resource is a nickname, which nobody else in the room can have.
            Some(nick) if in_room => venue.and_then(|_| self.by_nick(nick)),
            _ if in_room => None,
            _ => self.accounts.get(&bare).copied(),
        };
        let mut observation = Observation {
            recipient: self.own,
            sender,
            venue: None,
            kind: ObservationKind::Message,
            platform_id: None,
            text: None,
            file: None,
            cursor: None,
        };
        // Of somebody who is not in the experiment nothing else is kept.
        if sender.is_some() {
            if sender == Some(self.own) {
                observation.kind = ObservationKind::Echo;
            }
            observation.venue = venue;
            observation.platform_id = known_id.map(|id| PlatformMessageId(id.into()));
            // By convention a message is about a file if its text is nothing but the address of one.
            let oob = message.payloads.iter().find(|payload| payload.is("x", xmpp_parsers::ns::OOB));
            let link = oob.and_then(|oob| Oob::try_from(oob.clone()).ok()).map(|oob| oob.url).filter(|url| url == text);
            match link {
                Some(link) if observation.kind == ObservationKind::Message => {
                    observation.text = Some("".into());
                    return Told::File(observation, link);
                }
                // What the account itself sent is known.
                Some(_) => {}
                None => observation.text = Some(Arc::from(&text[..text.floor_char_boundary(MAX_TEXT)])),
            }
        }
        Told::Observed(observation)
    }

    fn by_nick(&self, nick: &ResourceRef) -> Option<AccountIx> {
        self.nicks.get(nick).copied()
    }
}

fn place(
    study: &Study,
    venue: &Venue,
    addresses: &[BareJid],
    rooms: Option<&str>,
    own: AccountIx,
    nick: &str,
) -> Result<Place, String> {
    match venue.kind {
        VenueKind::Direct => {
            let peer = venue.members.iter().find(|&&member| member != own).ok_or("a conversation needs two accounts")?;
            Ok(Place::Conversation(addresses[peer.get()].clone()))
        }
        VenueKind::Group => {
            let room = match (&venue.existing, rooms) {
                (Some(existing), _) => existing.clone(),
                (None, Some(rooms)) => format!("{}@{rooms}", room_name(&study.name, venue.id.as_str())),
                (None, None) => return Err("`[platform] rooms` is missing, so no room can be made".to_owned()),
            };
            let bad = |error| format!("{error}: `{room}`");
            let address = BareJid::new(&room).map_err(bad)?;
            address.with_resource_str(nick).map(Place::Room).map_err(bad)
        }
        VenueKind::Feed => Err("this adapter has no feeds, only conversations and groups".to_owned()),
    }
}

/// The name of a room of our making. Ids may hold anything, so it is made of their hash.
fn room_name(study: &str, venue: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(study);
    hash.update([0]);
    hash.update(venue);
    hash.finalize().iter().take(10).fold("lacuna-".to_owned(), |mut name, byte| {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}
