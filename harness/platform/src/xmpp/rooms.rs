//! Joining a room (XEP-0045).

use std::time::Duration;

use tokio::time::timeout;
use tokio_xmpp::jid::FullJid;
use tokio_xmpp::minidom::Element;
use xmpp_parsers::data_forms::{DataForm, DataFormType};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::Message;
use xmpp_parsers::muc::Muc;
use xmpp_parsers::muc::muc::History;
use xmpp_parsers::muc::user::{MucUser, Status};
use xmpp_parsers::ns;
use xmpp_parsers::presence::{Presence, Type};
use xmpp_parsers::stanza::Stanza;
use xmpp_parsers::stanza_error::StanzaError;

use super::connection::{Connection, Failure, Incoming, describe};

const JOIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How many messages may arrive while rooms are joined.
const MAX_EARLY: usize = 1024;
const MUC_OWNER: &str = "http://jabber.org/protocol/muc#owner";
const CONFIGURE: &str = "lacuna-configure-room";

/// Joins a room without its history. Messages that arrive meanwhile are appended to `early`.
pub async fn join(connection: &mut Connection, place: &FullJid, early: &mut Vec<Message>) -> Result<(), Failure> {
    let joined = timeout(JOIN_TIMEOUT, try_to_join(connection, place, early)).await;
    joined.unwrap_or_else(|_| Err(refused(place, "the server does not answer".to_owned())))
}

async fn try_to_join(connection: &mut Connection, place: &FullJid, early: &mut Vec<Message>) -> Result<(), Failure> {
    let muc = Muc::new().with_history(History::new().with_maxstanzas(0));
    let presence = Presence::available().with_to(place.clone()).with_payload(muc);
    connection.send(Stanza::Presence(presence)).await?;
    loop {
        match connection.next().await? {
            Incoming::Presence(presence) if is_from(&presence, place) => match presence.type_ {
                Type::Error => {
                    let error = presence.payloads.into_iter().find_map(|payload| StanzaError::try_from(payload).ok());
                    return Err(refused(place, error.as_ref().map_or_else(|| "an error".to_owned(), describe)));
                }
                Type::None => {
                    let statuses = statuses(&presence);
                    if statuses.contains(&Status::RoomHasBeenCreated) {
                        connection.send(Stanza::Iq(accept_defaults(place))).await?;
                    } else if statuses.contains(&Status::SelfPresence) {
                        return Ok(());
                    }
                }
                _ => {}
            },
            Incoming::Iq(iq) => match *iq {
                Iq::Result { id, .. } if id == CONFIGURE => return Ok(()),
                Iq::Error { id, error, .. } if id == CONFIGURE => return Err(refused(place, describe(&error))),
                _ => {}
            },
            Incoming::Message(_) if early.len() >= MAX_EARLY => {
                return Err(Failure::Broken("too many messages while rooms are joined".to_owned()));
            }
            Incoming::Message(message) => early.push(*message),
            Incoming::HowMany => connection.acknowledge().await?,
            _ => {}
        }
    }
}

/// What being put out of a room is called, if that is what a presence says of us.
pub fn put_out(presence: &Presence, places: &[FullJid]) -> Option<(String, bool)> {
    let place = places.iter().find(|place| is_from(presence, place))?;
    if presence.type_ != Type::Unavailable {
        return None;
    }
    let statuses = statuses(presence);
    let punished = statuses.contains(&Status::Banned) || statuses.contains(&Status::Kicked);
    let what = if punished { "was thrown out of" } else { "is no longer in" };
    Some((format!("the account {what} room {}", place.to_bare()), punished))
}

fn is_from(presence: &Presence, place: &FullJid) -> bool {
    let from = presence.from.as_ref();
    // An error may come from the room itself.
    from.is_some_and(|from| *from == *place || (presence.type_ == Type::Error && from.to_bare() == place.to_bare()))
}

fn statuses(presence: &Presence) -> Vec<Status> {
    let muc = presence.payloads.iter().find(|payload| payload.is("x", ns::MUC_USER));
    muc.and_then(|muc| MucUser::try_from(muc.clone()).ok()).map(|muc| muc.status).unwrap_or_default()
}

/// A new room may be locked until its owner has accepted how it is set up.
fn accept_defaults(place: &FullJid) -> Iq {
    let form = DataForm { type_: DataFormType::Submit, title: None, instructions: None, fields: Vec::new() };
    let query = Element::builder("query", MUC_OWNER).append(Element::from(form)).build();
    Iq::Set { from: None, to: Some(place.to_bare().into()), id: CONFIGURE.to_owned(), payload: query }
}

fn refused(place: &FullJid, error: String) -> Failure {
    Failure::Room { room: place.to_bare().to_string(), error }
}
