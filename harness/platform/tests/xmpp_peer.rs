//! The XMPP adapter against a scripted server, with what a real one does rarely and a hostile one would.
#![cfg(feature = "xmpp")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::net::SocketAddr;

use lacuna_model::{AccountCondition, AccountIx, ObservationKind, SendResult, VenueIx, VenueKind};
use lacuna_platform::{
    ConnectError, OpenError, Outgoing, Platform, ResolvedSetting, ResolvedSettings, Session, SessionEvent, open,
};
use support::{next, study};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const US_A: AccountIx = AccountIx(0);
const CN_A: AccountIx = AccountIx(1);

/// The server's side of one connection.
struct Peer {
    stream: TcpStream,
    heard: String,
}

impl Peer {
    /// Waits until the client has said this.
    async fn hear(&mut self, what: &str) {
        let mut buffer = [0; 4096];
        loop {
            if let Some(at) = self.heard.find(what) {
                self.heard.drain(..at + what.len());
                return;
            }
            let read = self.stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the client hung up instead of saying {what}");
            self.heard.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
    }

    async fn say(&mut self, what: &str) {
        // A client that hangs up on what it hears is what some of the tests want.
        let _ = self.stream.write_all(what.as_bytes()).await;
    }

    async fn say_features(&mut self, features: &str) {
        self.hear("stream").await;
        self.hear(">").await;
        self.say(&format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
             id='1' from='us.test' version='1.0'><stream:features>{features}</stream:features>"
        ))
        .await;
    }

    async fn log_in(&mut self, features: &str) {
        let plain = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>";
        self.say_features(plain).await;
        self.hear("</auth>").await;
        self.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").await;
        self.say_features(features).await;
    }

    async fn serve(&mut self) {
        self.log_in("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>").await;
        self.hear("</iq>").await;
        let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>us-a@us.test/r</jid></bind>";
        self.say(&format!("<iq type='result' id='bind'>{bind}</iq>")).await;
        self.hear("<enable").await;
        self.say("<enabled xmlns='urn:xmpp:sm:3'/>").await;
        self.hear("<presence").await;
        self.hear("<r").await;
        self.say("<a xmlns='urn:xmpp:sm:3' h='1'/>").await;
    }
}

struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    async fn accept(&self) -> Peer {
        Peer { stream: self.listener.accept().await.unwrap().0, heard: String::new() }
    }

    fn platform(&self) -> Box<dyn Platform> {
        opened(&self.address.to_string(), VenueKind::Direct, "us-a@us.test").unwrap()
    }

    /// A session, and the server's side of it.
    async fn session(&self) -> (Session, Peer) {
        let platform = self.platform();
        let served = async {
            let mut peer = self.accept().await;
            peer.serve().await;
            peer
        };
        let (session, peer) = tokio::join!(platform.connect(US_A, None), served);
        (session.unwrap(), peer)
    }
}

fn opened(server: &str, venue: VenueKind, address: &str) -> Result<Box<dyn Platform>, OpenError> {
    let study = study(&[("us-a", "US"), ("cn-a", "CN")], &[("us-a with cn-a", venue, &[0, 1])]);
    let mut platform = ResolvedSettings::default();
    platform.set("server", ResolvedSetting::Text(server.to_owned()));
    let account = |address: &str| {
        let mut settings = ResolvedSettings::default();
        settings.set("address", ResolvedSetting::Text(address.to_owned()));
        settings.set("secret", ResolvedSetting::Secret("pw".to_owned().into()));
        settings
    };
    open("xmpp", study, &platform, &[account(address), account("cn-a@cn.test")])
}

fn outgoing(client_ref: &str) -> Outgoing {
    Outgoing { venue: VenueIx(0), client_ref: client_ref.to_owned(), text: "a < b & \"c\"\r\n".into(), file: None }
}

fn error(id: &str) -> String {
    let condition = "<not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";
    format!("<message type='error' id='{id}' from='cn-a@cn.test'><error type='modify'>{condition}</error></message>")
}

#[tokio::test]
async fn an_error_before_the_acknowledgement_refuses_and_one_after_it_is_a_notice() {
    let server = Server::start().await;
    let (mut session, mut peer) = server.session().await;
    let never = CancellationToken::new();
    let first = outgoing("m1");
    let answer = async {
        peer.hear("id='m1'").await;
        peer.hear("a &lt; b &amp; \"c\"&#xd;\n<").await;
        peer.say(&error("m1")).await;
        peer.say("<a xmlns='urn:xmpp:sm:3' h='2'/>").await;
    };
    let (result, ()) = tokio::join!(session.sender.send(&first, &never), answer);
    assert_eq!(result, SendResult::Refused { notice: "not-acceptable".to_owned() });

    let second = outgoing("m2");
    let answer = async {
        peer.hear("id='m2'").await;
        peer.say("<a xmlns='urn:xmpp:sm:3' h='3'/>").await;
        peer.say(&error("m2")).await;
    };
    let (result, ()) = tokio::join!(session.sender.send(&second, &never), answer);
    assert!(matches!(result, SendResult::Accepted { platform_id: Some(id) } if &*id.0 == "m2"));
    let SessionEvent::Observed(notice) = next(&mut session).await else { panic!("a notice was expected") };
    assert_eq!((notice.kind, notice.recipient, notice.sender), (ObservationKind::Notice, US_A, Some(US_A)));
    assert_eq!(notice.platform_id.map(|id| id.0).as_deref(), Some("m2"));
    assert_eq!(notice.text.as_deref(), Some("not-acceptable"));
}

#[tokio::test]
async fn an_acknowledgement_of_something_else_accepts_nothing() {
    let server = Server::start().await;
    let (session, mut peer) = server.session().await;
    let cancel = CancellationToken::new();
    let message = outgoing("m1");
    let answer = async {
        peer.hear("id='m1'").await;
        peer.say("<a xmlns='urn:xmpp:sm:3' h='1'/><r xmlns='urn:xmpp:sm:3'/>").await;
        peer.hear("<a").await;
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(session.sender.send(&message, &cancel), answer);
    assert!(matches!(result, SendResult::Unknown { .. }), "{result:?}");
    let result = session.sender.send(&message, &cancel).await;
    assert!(matches!(result, SendResult::NotSent { .. }), "{result:?}");
}

#[tokio::test]
async fn only_what_somebody_wrote_is_observed() {
    let server = Server::start().await;
    let (mut session, mut peer) = server.session().await;
    for message in [
        "<message from='cn-a@cn.test/x' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
        "<message from='somebody@else.test' type='chat' id='s'><body>hello</body></message>",
        "<message from='cn-a@cn.test/x' type='groupchat' id='g'><body>not a room</body></message>",
        "<message type='error' id='x' from='somebody@else.test'><body>x</body></message>",
        "<message from='cn-a@cn.test/x' type='chat' id='old'><body>old</body>\
         <delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/></message>",
        "<message from='CN-A@cn.test' id='plain'><body>a &lt;b&gt; &amp;&#xd;&#10;</body></message>",
    ] {
        peer.say(message).await;
    }
    let mut seen = Vec::new();
    for _ in 0..4 {
        let SessionEvent::Observed(observation) = next(&mut session).await else { panic!("observations were expected") };
        seen.push((observation.sender, observation.platform_id.map(|id| id.0.to_string()), observation.text));
    }
    let known = |id: &str, text: &str| (Some(CN_A), Some(id.to_owned()), Some(text.into()));
    let stranger = || (None, None, None);
    assert_eq!(seen, [stranger(), stranger(), known("old", "old"), known("plain", "a <b> &\r\n")]);
}

#[tokio::test]
async fn what_cannot_be_read_is_a_gap_or_ends_the_connection() {
    let server = Server::start().await;
    let (mut session, mut peer) = server.session().await;
    peer.say("<message from='cn-a@cn.test/x' type='nonsense'><body>x</body></message>").await;
    assert!(matches!(next(&mut session).await, SessionEvent::Gap { .. }));
    for bad in [format!("<message><body>{}", "x".repeat(2 << 20)), "<message></iq>".to_owned(), "</stream:stream>".to_owned()] {
        let again = async {
            peer.say(&bad).await;
            let mut peer = server.accept().await;
            peer.serve().await;
            peer
        };
        peer = again.await;
        for expected in [AccountCondition::Disconnected, AccountCondition::Connected] {
            let event = next(&mut session).await;
            assert!(matches!(event, SessionEvent::Account { condition, .. } if condition == expected), "{event:?}");
        }
        assert!(matches!(next(&mut session).await, SessionEvent::Gap { .. }));
    }
}

#[tokio::test]
async fn a_server_that_acknowledges_nothing_is_of_no_use() {
    let server = Server::start().await;
    let platform = server.platform();
    let answering = async {
        let mut peer = server.accept().await;
        peer.log_in("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>").await;
        peer
    };
    let (connected, _peer) = tokio::join!(platform.connect(US_A, None), answering);
    let error = connected.err().unwrap();
    assert!(matches!(&error, ConnectError::Protocol { error, .. } if error.contains("XEP-0198")), "{error}");
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_connected() {
    let server = "127.0.0.1:5222";
    assert!(opened(server, VenueKind::Direct, "us-a@us.test").is_ok());
    assert!(matches!(opened("192.0.2.1:5222", VenueKind::Direct, "us-a@us.test"), Err(OpenError::PlatformKey { .. })));
    for address in ["us.test", "", "a@b@c", "us-a@us.test/resource"] {
        let opened = opened(server, VenueKind::Direct, address);
        assert!(matches!(opened, Err(OpenError::AccountKey { key: "address", .. })), "{address}");
    }
    // No service for rooms was named, and there are no feeds.
    for kind in [VenueKind::Group, VenueKind::Feed] {
        assert!(matches!(opened(server, kind, "us-a@us.test"), Err(OpenError::Venue { .. })), "{kind:?}");
    }
}
