//! The XMPP adapter against a real server. Needs Prosody; see `experiments/servers/prosody`.
#![cfg(all(feature = "xmpp", feature = "servers"))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "support/prosody.rs"]
mod prosody;
mod support;

use std::net::SocketAddr;
use std::time::Duration;

use lacuna_model::{AccountCondition, AccountIx, Observation, ObservationKind, SendResult, Shown, VenueIx, VenueKind};
use lacuna_platform::{
    ConnectError, Outgoing, OutgoingFile, Platform, ResolvedSetting, ResolvedSettings, Session, SessionEvent, open,
};
use prosody::{Prosody, Wire};
use support::{next, study};
use tokio_util::sync::CancellationToken;

const RULES: &str = "
::preroute
KIND: message
INSPECT: body#/=dropped for everybody
DROP.

KIND: message
INSPECT: body#/=refused
BOUNCE=policy-violation (not with us)

::deliver
KIND: message
TO: <*>@cn.test
INSPECT: body#/=天安
DROP.
";

const CN_A: AccountIx = AccountIx(0);
const US_A: AccountIx = AccountIx(1);
const US_B: AccountIx = AccountIx(2);
const ADDRESSES: [&str; 4] = ["cn-a@cn.test", "us-a@us.test", "us-b@us.test", "stranger@us.test"];

const CN_A_US_A: VenueIx = VenueIx(0);
const GROUP: VenueIx = VenueIx(1);

fn platform_at(server: SocketAddr, rooms: &str, password: &str) -> Box<dyn Platform> {
    platform_with(server, rooms, password, None)
}

fn platform_with(server: SocketAddr, rooms: &str, password: &str, upload: Option<&(String, String)>) -> Box<dyn Platform> {
    let study = study(
        &[("cn-a", "CN"), ("us-a", "US"), ("us-b", "US")],
        &[("cn-a with us-a", VenueKind::Direct, &[0, 1]), ("任意 group/1", VenueKind::Group, &[0, 1, 2])],
    );
    let mut platform = ResolvedSettings::default();
    platform.set("server", ResolvedSetting::Text(server.to_string()));
    platform.set("rooms", ResolvedSetting::Text(rooms.to_owned()));
    if let Some((service, url)) = upload {
        platform.set("upload", ResolvedSetting::Text(service.clone()));
        platform.set("upload-url", ResolvedSetting::Text(url.clone()));
    }
    let account = |address: &&str| {
        let mut settings = ResolvedSettings::default();
        settings.set("address", ResolvedSetting::Text((*address).to_owned()));
        settings.set("secret", ResolvedSetting::Secret(password.to_owned().into()));
        settings
    };
    let accounts: Vec<_> = ADDRESSES.iter().take(3).map(account).collect();
    open("xmpp", study, &platform, &accounts).unwrap()
}

async fn send(session: &Session, venue: VenueIx, client_ref: &str, text: &str) -> SendResult {
    let message = Outgoing { venue, client_ref: client_ref.to_owned(), text: text.into(), file: None };
    session.sender.send(&message, &CancellationToken::new()).await
}

async fn observed(session: &mut Session) -> Observation {
    match next(session).await {
        SessionEvent::Observed(observation) => observation,
        other => panic!("an observation was expected, not {other:?}"),
    }
}

fn is_accepted(result: &SendResult, client_ref: &str) -> bool {
    matches!(result, SendResult::Accepted { platform_id: Some(id) } if &*id.0 == client_ref)
}

#[track_caller]
fn assert_message(observation: &Observation, sender: AccountIx, venue: VenueIx, id: &str) {
    let seen = (observation.sender, observation.venue, observation.platform_id.as_ref().map(|id| &*id.0), observation.kind);
    assert_eq!(seen, (Some(sender), Some(venue), Some(id), ObservationKind::Message));
}

#[tokio::test]
async fn messages_vanish_as_the_rules_say() {
    let prosody = Prosody::start(RULES, &ADDRESSES);
    let platform = platform_at(prosody.server, &prosody.rooms, "pw");
    let mut cn_a = platform.connect(CN_A, None).await.unwrap();
    let mut us_a = platform.connect(US_A, None).await.unwrap();
    let mut us_b = platform.connect(US_B, None).await.unwrap();

    // A conversation: dropped for everybody, and dropped for the region of the recipient, both silently.
    for (id, text) in [("d1", "hello"), ("d2", "dropped for everybody"), ("d3", "天安"), ("d4", "hello again")] {
        let result = send(&us_a, CN_A_US_A, id, text).await;
        assert!(is_accepted(&result, id), "{result:?}");
    }
    assert_message(&observed(&mut cn_a).await, US_A, CN_A_US_A, "d1");
    assert_message(&observed(&mut cn_a).await, US_A, CN_A_US_A, "d4");
    assert!(is_accepted(&send(&cn_a, CN_A_US_A, "d5", "天安").await, "d5"));
    assert_message(&observed(&mut us_a).await, CN_A, CN_A_US_A, "d5");

    // A group: for the members of one region only; the sender sees its own message in every case but the first rule's.
    for (id, text) in [("g1", "hello"), ("g2", "dropped for everybody"), ("g3", "天安"), ("g4", "hello again")] {
        let result = send(&us_a, GROUP, id, text).await;
        assert!(is_accepted(&result, id), "{result:?}");
    }
    for id in ["g1", "g4"] {
        assert_message(&observed(&mut cn_a).await, US_A, GROUP, id);
    }
    for id in ["g1", "g3", "g4"] {
        assert_message(&observed(&mut us_b).await, US_A, GROUP, id);
        let echo = observed(&mut us_a).await;
        assert_eq!((echo.kind, echo.platform_id.as_ref().map(|id| &*id.0)), (ObservationKind::Echo, Some(id)));
    }

    // Aloud.
    let refused = SendResult::Refused { notice: "policy-violation: not with us".to_owned() };
    assert_eq!(send(&us_a, CN_A_US_A, "r1", "refused").await, refused);
    assert_eq!(send(&us_a, GROUP, "r2", "refused").await, refused);
    assert!(us_a.events.try_recv().is_err(), "a refusal is told once");

    // Nobody but members.
    assert!(matches!(send(&us_b, CN_A_US_A, "x", "hello").await, SendResult::NotSent { .. }));
}

#[tokio::test]
async fn files_arrive_as_they_were_sent() {
    let rules = "\n::deliver\nKIND: message\nTO: <*>@cn.test\nINSPECT: {jabber:x:oob}x/url#\nINSPECT: body#/=forbidden\nDROP.\n";
    let prosody = Prosody::start(rules, &ADDRESSES);
    let platform = platform_with(prosody.server, &prosody.rooms, "pw", Some(&prosody.upload));
    let mut cn_a = platform.connect(CN_A, None).await.unwrap();
    let mut us_a = platform.connect(US_A, None).await.unwrap();
    let mut us_b = platform.connect(US_B, None).await.unwrap();
    let file = |name: &str, bytes: Vec<u8>| {
        let (media_type, sha256) = ("image/png", "".into());
        OutgoingFile { name: name.into(), media_type, sha256, bytes: bytes.into(), shown: Shown::default() }
    };
    let message = |id: &str, venue, name: &str, bytes: Vec<u8>| Outgoing {
        venue,
        client_ref: id.to_owned(),
        text: "".into(),
        file: Some(file(name, bytes)),
    };
    let never = CancellationToken::new();
    // Names that mean something to XML, to addresses and to shells are names.
    let names = ["a.png", "\u{65b0}\u{7586} <&>'\".png", "100% #1?x=y;z.png", "forbidden.png"];
    for (number, name) in names.iter().enumerate() {
        let bytes: Vec<u8> = (0..=250).cycle().take(200 * number + 1).collect();
        for venue in [CN_A_US_A, GROUP] {
            let id = format!("{number}/{}", venue.0);
            let result = us_a.sender.send(&message(&id, venue, name, bytes.clone()), &never).await;
            assert!(is_accepted(&result, &id), "{name}: {result:?}");
            let mut recipients = vec![&mut us_b];
            if *name != "forbidden.png" {
                recipients.push(&mut cn_a);
            }
            if venue == CN_A_US_A {
                recipients.remove(0);
            } else {
                let echo = observed(&mut us_a).await;
                assert_eq!((echo.kind, echo.text), (ObservationKind::Echo, None));
            }
            for recipient in recipients {
                let SessionEvent::ObservedFile(observation, fetched) = next(recipient).await else { panic!("a file") };
                assert_message(&observation, US_A, venue, &id);
                assert_eq!(observation.text.as_deref(), Some(""), "an address is no caption");
                let fetched = fetched.unwrap();
                assert_eq!((fetched.name.as_str(), &*fetched.bytes), (*name, &*bytes));
            }
        }
    }
    for (id, message) in [
        ("too long", message("l", GROUP, "x.png", vec![0; (10 << 20) + 1])),
        ("a name that is a path", message("p", GROUP, "a/b.png", vec![1])),
        ("a name that is no name", message("n", GROUP, "..", vec![1])),
        ("a name that XML cannot carry", message("x", GROUP, "a\u{b}.png", vec![1])),
        ("a caption", Outgoing { text: "caption".into(), ..message("c", GROUP, "x.png", vec![1]) }),
        ("a venue of others", message("v", VenueIx(7), "x.png", vec![1])),
    ] {
        let result = us_a.sender.send(&message, &never).await;
        assert!(matches!(result, SendResult::NotSent { .. }), "{id}: {result:?}");
    }
    assert!(is_accepted(&send(&us_a, CN_A_US_A, "text", "hello").await, "text"));
    assert_message(&observed(&mut cn_a).await, US_A, CN_A_US_A, "text");
}

#[tokio::test]
async fn texts_arrive_as_they_were_sent() {
    let prosody = Prosody::start("", &ADDRESSES);
    let platform = platform_at(prosody.server, &prosody.rooms, "pw");
    let mut cn_a = platform.connect(CN_A, None).await.unwrap();
    let us_a = platform.connect(US_A, None).await.unwrap();
    let texts = [
        "新疆 集中营".to_owned(),
        "\"quoted\", 'single', “curly”, `back`".to_owned(),
        "one\ntwo\n\nfour\n".to_owned(),
        "<b>&amp;</b> ]]> <!-- x --> &#10;".to_owned(),
        " leading, trailing and  double  spaces \t".to_owned(),
        "🐻🇨🇳👩‍👩‍👧 e\u{301} é \u{200b}\u{202e}".to_owned(),
        "=1+1".to_owned(),
        "长".repeat(4000),
        "\u{10FFFF}".to_owned(),
    ];
    for (number, text) in texts.iter().enumerate() {
        for venue in [CN_A_US_A, GROUP] {
            let id = format!("{number}/{}", venue.0);
            let result = send(&us_a, venue, &id, text).await;
            assert!(is_accepted(&result, &id), "{result:?}");
            let observation = observed(&mut cn_a).await;
            assert_message(&observation, US_A, venue, &id);
            assert_eq!(observation.text.as_deref(), Some(text.as_str()));
        }
    }
    let result = send(&us_a, GROUP, "forbidden", "a\u{b}b").await;
    assert!(matches!(&result, SendResult::NotSent { error } if error.contains("U+000B")), "{result:?}");
}

#[tokio::test]
async fn a_lost_connection_is_a_gap() {
    let prosody = Prosody::start("", &ADDRESSES);
    let wire = Wire::to(prosody.server).await;
    let mut cn_a = platform_at(prosody.server, &prosody.rooms, "pw").connect(CN_A, None).await.unwrap();
    let mut us_a = platform_at(wire.address, &prosody.rooms, "pw").connect(US_A, None).await.unwrap();
    wire.swallow(true);
    let lost = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        wire.set_broken(true);
        wire.cut();
    };
    let (result, ()) = tokio::join!(send(&us_a, GROUP, "lost", "hello"), lost);
    assert!(matches!(result, SendResult::Unknown { .. }), "{result:?}");
    let event = next(&mut us_a).await;
    assert!(matches!(event, SessionEvent::Account { condition: AccountCondition::Disconnected, .. }), "{event:?}");
    let result = send(&us_a, GROUP, "unsent", "hello").await;
    assert!(matches!(result, SendResult::NotSent { .. }), "{result:?}");

    wire.swallow(false);
    wire.set_broken(false);
    let event = next(&mut us_a).await;
    assert!(matches!(event, SessionEvent::Account { condition: AccountCondition::Connected, .. }), "{event:?}");
    let event = next(&mut us_a).await;
    assert!(matches!(event, SessionEvent::Gap { .. }), "{event:?}");
    assert!(is_accepted(&send(&us_a, GROUP, "again", "hello").await, "again"));
    assert_message(&observed(&mut cn_a).await, US_A, GROUP, "again");
    assert_eq!(observed(&mut us_a).await.kind, ObservationKind::Echo);
}

#[tokio::test]
async fn nothing_is_kept_of_strangers() {
    let prosody = Prosody::start("", &ADDRESSES);
    let mut us_a = platform_at(prosody.server, &prosody.rooms, "pw").connect(US_A, None).await.unwrap();
    // A study in which the stranger takes part and thinks that it talks with somebody of ours.
    let study = study(&[("s", "US"), ("us-a", "US")], &[("s with us-a", VenueKind::Direct, &[0, 1])]);
    let mut platform = ResolvedSettings::default();
    platform.set("server", ResolvedSetting::Text(prosody.server.to_string()));
    let mut accounts = vec![ResolvedSettings::default(), ResolvedSettings::default()];
    for (settings, address) in accounts.iter_mut().zip([ADDRESSES[3], ADDRESSES[1]]) {
        settings.set("address", ResolvedSetting::Text(address.to_owned()));
        settings.set("secret", ResolvedSetting::Secret("pw".to_owned().into()));
    }
    let stranger = open("xmpp", study, &platform, &accounts).unwrap().connect(AccountIx(0), None).await.unwrap();
    assert!(is_accepted(&send(&stranger, VenueIx(0), "s1", "hello").await, "s1"));
    let observation = observed(&mut us_a).await;
    assert_eq!((observation.sender, observation.venue, observation.platform_id, observation.text), (None, None, None, None));
}

#[tokio::test]
async fn a_wrong_password_is_told_at_once() {
    let prosody = Prosody::start("", &ADDRESSES);
    let error = platform_at(prosody.server, &prosody.rooms, "wrong").connect(CN_A, None).await.err().unwrap();
    assert!(matches!(error, ConnectError::Rejected { .. }), "{error}");
    let error = platform_at(prosody.server, "nowhere.test", "pw").connect(CN_A, None).await.err().unwrap();
    assert!(matches!(error, ConnectError::Venue { .. }), "{error}");
    let server = prosody.server;
    drop(prosody);
    let error = platform_at(server, "rooms.test", "pw").connect(CN_A, None).await.err().unwrap();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
}
