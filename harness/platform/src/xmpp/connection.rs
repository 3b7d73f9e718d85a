//! One connection: logged in, a resource bound, acknowledgements (XEP-0198) switched on.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use sasl::common::Credentials;
use secrecy::ExposeSecret as _;
use tokio::io::BufStream;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_xmpp::client_login;
use tokio_xmpp::minidom::Element;
use tokio_xmpp::xmlstream::{
    FallibleStreamElement, ReadError, StreamElementError, StreamHeader, Timeouts, XmppStream, XmppStreamElement, initiate_stream,
};
use xmpp_parsers::bind::BindQuery;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::Message;
use xmpp_parsers::presence::Presence;
use xmpp_parsers::stanza::Stanza;
use xmpp_parsers::{ns, sm};

use super::Login;
use super::bounded::{Allowance, Bounded};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const LOGIN_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a write may be held up by a server that does not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may be silent before it is asked for an acknowledgement, and how long for the answer.
const SILENCE: Timeouts = Timeouts { read_timeout: Duration::from_secs(30), response_timeout: Duration::from_secs(15) };

/// Why there is no connection.
#[derive(Debug)]
pub enum Failure {
    /// Nobody listens there.
    Unreachable(String),
    /// The server does not accept the account.
    Rejected(String),
    /// A room cannot be joined.
    Room {
        /// Its address.
        room: String,
        /// In the server's words.
        error: String,
    },
    /// The connection broke, or the server does not speak the protocol as it should.
    Broken(String),
}

impl Failure {
    /// What went wrong, in words.
    pub fn into_detail(self) -> String {
        match self {
            Self::Unreachable(detail) | Self::Rejected(detail) | Self::Broken(detail) => detail,
            Self::Room { room, error } => format!("room {room}: {error}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// What the server says.
pub enum Incoming {
    /// A message.
    Message(Box<Message>),
    /// A presence.
    Presence(Box<Presence>),
    /// An answer to a request, or a request.
    Iq(Box<Iq>),
    /// So many of our stanzas were taken, modulo 2^32.
    Taken(u32),
    /// The server wants to know how many stanzas arrived.
    HowMany,
    /// The server has been silent for long.
    Silence,
    /// A stanza that could not be read.
    Unreadable(String),
    /// Something that is not for us.
    Other,
}

/// A connection that is ready for stanzas.
pub struct Connection {
    stream: XmppStream<BufStream<Bounded>>,
    allowance: Allowance,
    /// Stanzas sent since acknowledgements were switched on, modulo 2^32.
    sent: u32,
    /// Stanzas that arrived since then, modulo 2^32.
    arrived: u32,
}

impl Connection {
    /// Connects and logs in.
    pub async fn open(server: SocketAddr, login: &Login) -> Result<Self, Failure> {
        let unreachable = |error: io::Error| Failure::Unreachable(error.to_string());
        let late = |_| unreachable(io::ErrorKind::TimedOut.into());
        let socket = timeout(CONNECT_TIMEOUT, TcpStream::connect(server)).await.map_err(late)?.map_err(unreachable)?;
        socket.set_nodelay(true)?;
        let logged_in = timeout(LOGIN_TIMEOUT, Self::log_in(socket, login)).await;
        logged_in.map_err(|_| Failure::Broken("the server does not finish the login".to_owned()))?
    }

    async fn log_in(socket: TcpStream, login: &Login) -> Result<Self, Failure> {
        let domain = login.address.domain().as_str();
        let header = || StreamHeader { to: Some(Cow::Borrowed(domain)), from: None, id: None };
        let broken = |error: tokio_xmpp::xmlstream::RecvFeaturesError| Failure::Broken(error.to_string());
        let (socket, allowance) = Bounded::new(socket);
        let stream = initiate_stream(BufStream::new(socket), ns::JABBER_CLIENT, header(), SILENCE).await?;
        let (features, stream) = stream.recv_features().await.map_err(broken)?;
        let name = login.address.node().map(|name| name.as_str().to_owned()).unwrap_or_default();
        let credentials = Credentials::default().with_username(name).with_password(login.password.expose_secret());
        allowance.renew();
        let stream = client_login(stream, features.sasl_mechanisms, credentials).await.map_err(|error| match error {
            tokio_xmpp::Error::Auth(error) => Failure::Rejected(error.to_string()),
            error => Failure::Broken(error.to_string()),
        })?;
        allowance.renew();
        let (features, stream) = stream.send_header(header()).await?.recv_features().await.map_err(broken)?;
        if features.stream_management.is_none() {
            let error = "the server offers no stream management (XEP-0198), so it would never say that a message was taken";
            return Err(Failure::Broken(error.to_owned()));
        }
        let mut connection = Self { stream, allowance, sent: 0, arrived: 0 };
        let bind = Iq::from_set("bind", BindQuery::new(None));
        connection.write(&XmppStreamElement::Stanza(Stanza::Iq(bind))).await?;
        loop {
            match connection.next().await? {
                Incoming::Iq(iq) if matches!(*iq, Iq::Result { .. }) => break,
                Incoming::Iq(iq) => {
                    if let Iq::Error { error, .. } = *iq {
                        return Err(Failure::Rejected(format!("no resource: {}", describe(&error))));
                    }
                }
                _ => {}
            }
        }
        connection.write(&XmppStreamElement::SM(sm::Nonza::Enable(sm::Enable::new()))).await?;
        loop {
            match connection.element().await? {
                Ok(XmppStreamElement::SM(sm::Nonza::Enabled(_))) => break,
                Ok(XmppStreamElement::SM(sm::Nonza::Failed(_))) => {
                    return Err(Failure::Broken("the server does not switch on stream management".to_owned()));
                }
                _ => {}
            }
        }
        (connection.sent, connection.arrived) = (0, 0);
        Ok(connection)
    }

    /// Sends a stanza and asks for its acknowledgement; gives its number.
    pub async fn send(&mut self, stanza: Stanza) -> Result<u32, Failure> {
        let stanza = XmppStreamElement::Stanza(stanza);
        let request = XmppStreamElement::SM(sm::Nonza::Req(sm::R));
        let both = async {
            self.stream.feed(&stanza).await?;
            self.stream.send(&request).await
        };
        within(both).await?;
        self.sent = self.sent.wrapping_add(1);
        Ok(self.sent)
    }

    /// Says how many stanzas arrived.
    pub async fn acknowledge(&mut self) -> Result<(), Failure> {
        self.write(&XmppStreamElement::SM(sm::Nonza::Ack(sm::A::new(self.arrived)))).await
    }

    /// Makes the server say something.
    pub async fn probe(&mut self) -> Result<(), Failure> {
        self.write(&XmppStreamElement::SM(sm::Nonza::Req(sm::R))).await
    }

    /// What the server says next. May be cancelled without losing anything.
    pub async fn next(&mut self) -> Result<Incoming, Failure> {
        Ok(match self.element().await? {
            Ok(XmppStreamElement::Stanza(stanza)) => {
                self.arrived = self.arrived.wrapping_add(1);
                match stanza {
                    Stanza::Message(message) => Incoming::Message(Box::new(message)),
                    Stanza::Presence(presence) => Incoming::Presence(Box::new(presence)),
                    Stanza::Iq(iq) => Incoming::Iq(Box::new(iq)),
                }
            }
            Ok(XmppStreamElement::SM(sm::Nonza::Ack(sm::A { h }))) => Incoming::Taken(h),
            Ok(XmppStreamElement::SM(sm::Nonza::Req(_))) => Incoming::HowMany,
            Ok(XmppStreamElement::StreamError(error)) => return Err(Failure::Broken(error.to_string())),
            Ok(_) => Incoming::Other,
            Err(Unread::Silence) => Incoming::Silence,
            Err(Unread::Stanza(detail)) => {
                self.arrived = self.arrived.wrapping_add(1);
                Incoming::Unreadable(detail)
            }
        })
    }

    /// Says goodbye, so that the server takes the account for gone.
    pub async fn close(mut self) {
        // The connection ends either way.
        let _ = within(self.stream.shutdown()).await;
    }

    async fn write(&mut self, element: &XmppStreamElement) -> Result<(), Failure> {
        within(self.stream.send(element)).await
    }

    async fn element(&mut self) -> Result<Result<XmppStreamElement, Unread>, Failure> {
        let element = self.stream.next().await;
        self.allowance.renew();
        match element {
            Some(Ok(FallibleStreamElement::Ok(element))) => Ok(Ok(element)),
            Some(Ok(FallibleStreamElement::Err(error @ StreamElementError::InvalidStanza { .. }))) => {
                Ok(Err(Unread::Stanza(error.to_string())))
            }
            Some(Err(ReadError::SoftTimeout)) => Ok(Err(Unread::Silence)),
            Some(Ok(FallibleStreamElement::Err(error))) => Err(Failure::Broken(error.to_string())),
            Some(Err(error)) => Err(Failure::Broken(error.to_string())),
            None => Err(Failure::Broken("the server closed the connection".to_owned())),
        }
    }
}

/// Why there is no element although the connection is well.
enum Unread {
    Silence,
    Stanza(String),
}

/// An error of the server's in words: the condition, and its text if it has one.
pub fn describe(error: &xmpp_parsers::stanza_error::StanzaError) -> String {
    let condition = Element::from(error.defined_condition.clone()).name().to_owned();
    match error.texts.values().next() {
        Some(text) => format!("{condition}: {}", &text[..text.floor_char_boundary(1024)]),
        None => condition,
    }
}

async fn within(write: impl Future<Output = io::Result<()>>) -> Result<(), Failure> {
    match timeout(WRITE_TIMEOUT, write).await {
        Ok(written) => written.map_err(Failure::from),
        Err(_) => Err(Failure::Broken("the server does not read what is sent".to_owned())),
    }
}
