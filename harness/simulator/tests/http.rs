//! The platform's face over the loopback.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lacuna_model::policy::{Action, Condition, Enforces, FileRule, Finds, Network, Outage, OutageKind, Policy, Rule, Sanctions};
use lacuna_simulator::http::{Limits, Ocr, Server};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn rule(id: &str, text: &str, action: Action) -> Rule {
    Rule {
        id: id.to_owned(),
        all: vec![text.to_owned()],
        unless: Vec::new(),
        when: Condition::default(),
        action,
        after: lacuna_model::Duration::ZERO,
        enforcement: 1.0,
    }
}

/// A client of one platform, with two accounts in one conversation.
struct Peer {
    client: Client,
    addr: SocketAddr,
    alice: String,
    bob: String,
}

impl Peer {
    async fn new(addr: SocketAddr) -> Self {
        // A second installation is refused, which is as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        let mut peer = Self { client, addr, alice: String::new(), bob: String::new() };
        peer.alice = peer.put_account("alice", "CA").await;
        peer.bob = peer.put_account("bob", "CN").await;
        let venue = json!({"kind": "direct", "members": ["alice", "bob"]});
        assert_eq!(peer.call(Method::PUT, "/v1/venues/alice%2Bbob", "", Some(venue)).await.0, StatusCode::OK);
        peer
    }

    async fn call(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.client.request(method, format!("http://{}{path}", self.addr)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap_or(Value::Null))
    }

    async fn put_account(&self, id: &str, region: &str) -> String {
        let body = json!({"registered_in": region, "located_in": region});
        let (status, body) = self.call(Method::PUT, &format!("/v1/accounts/{id}"), "", Some(body)).await;
        assert_eq!(status, StatusCode::OK);
        body["token"].as_str().unwrap().to_owned()
    }

    async fn send(&self, text: &str) -> (StatusCode, Value) {
        let body = json!({"venue": "alice+bob", "client_ref": "p0000001", "text": text});
        self.call(Method::POST, "/v1/messages", &self.alice, Some(body)).await
    }

    async fn events(&self, after: u64, wait_ms: u64) -> Value {
        let path = format!("/v1/events?after={after}&wait_ms={wait_ms}&limit=10");
        let (status, body) = self.call(Method::GET, &path, &self.bob, None).await;
        assert_eq!(status, StatusCode::OK);
        body
    }
}

fn texts(events: &Value) -> Vec<&str> {
    events["events"].as_array().unwrap().iter().map(|event| event["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_message_goes_through_and_is_acknowledged() {
    let server = Server::start(&Policy::default(), 1, LOOPBACK, None).await.unwrap();
    let peer = Peer::new(server.addr()).await;
    let (status, accepted) = peer.send("\u{feff}“新疆” <&> \u{1f600}\n").await;
    assert_eq!(status, StatusCode::OK);
    let events = peer.events(0, 0).await;
    let event = &events["events"][0];
    assert_eq!(event["message_id"], accepted["message_id"]);
    assert_eq!(
        (&event["kind"], &event["sender"], &event["venue"], &event["text"]),
        (&json!("message"), &json!("alice"), &json!("alice+bob"), &json!("\u{feff}“新疆” <&> \u{1f600}\n"))
    );
    assert_eq!(event["cursor"], events["cursor"]);
    assert_eq!(peer.events(0, 0).await, events, "what is not acknowledged comes again");
    let cursor = events["cursor"].as_u64().unwrap();
    let nothing = json!({"instance": events["instance"], "events": [], "cursor": cursor});
    assert_eq!(peer.events(cursor, 0).await, nothing);
    assert_eq!(peer.events(0, 0).await, nothing, "what was acknowledged is forgotten");
}

#[tokio::test]
async fn a_question_for_events_waits_for_one() {
    let network = Network {
        delay_median: lacuna_model::Duration::from_millis(50),
        delay_p99: lacuna_model::Duration::from_millis(50),
        ..Network::default()
    };
    let server = Server::start(&Policy { network, ..Policy::default() }, 1, LOOPBACK, None).await.unwrap();
    let peer = Peer::new(server.addr()).await;
    let begin = Instant::now();
    let (events, sent) = tokio::join!(peer.events(0, 20_000), peer.send("x"));
    assert_eq!((texts(&events), sent.0), (vec!["x"], StatusCode::OK));
    assert!((Duration::from_millis(50)..Duration::from_secs(10)).contains(&begin.elapsed()));
    let cursor = events["cursor"].as_u64().unwrap();
    assert_eq!(peer.events(cursor, 20).await["events"], json!([]), "the wait ends");
}

#[tokio::test]
async fn both_puts_may_be_repeated_but_not_changed() {
    let server = Server::start(&Policy::default(), 1, LOOPBACK, None).await.unwrap();
    let peer = Peer::new(server.addr()).await;
    assert_eq!(peer.put_account("alice", "CA").await, peer.alice);
    assert_ne!(peer.alice, peer.bob);
    let moved = json!({"registered_in": "CN", "located_in": "CA"});
    let cases = [
        ("/v1/accounts/alice", moved, StatusCode::CONFLICT),
        ("/v1/accounts/x", json!({"registered_in": "XX", "located_in": "CA"}), StatusCode::BAD_REQUEST),
        ("/v1/accounts/x", json!({"registered_in": "CA"}), StatusCode::BAD_REQUEST),
        ("/v1/venues/alice%2Bbob", json!({"kind": "direct", "members": ["bob", "alice"]}), StatusCode::OK),
        ("/v1/venues/alice%2Bbob", json!({"kind": "group", "members": ["alice", "bob"]}), StatusCode::CONFLICT),
        ("/v1/venues/y", json!({"kind": "group", "members": ["alice", "carol"]}), StatusCode::NOT_FOUND),
        ("/v1/venues/y", json!({"kind": "group", "members": ["alice", "alice"]}), StatusCode::BAD_REQUEST),
        ("/v1/venues/y", json!({"kind": "group", "members": ["alice"]}), StatusCode::BAD_REQUEST),
        ("/v1/venues/y", json!({"kind": "crowd", "members": ["alice", "bob"]}), StatusCode::BAD_REQUEST),
    ];
    for (path, body, expected) in cases {
        let (status, answer) = peer.call(Method::PUT, path, "", Some(body.clone())).await;
        assert_eq!(status, expected, "{path} {body}");
        assert_eq!(answer["error"].is_string(), status != StatusCode::OK, "{path} {body}");
    }
    let long = format!("/v1/accounts/{}", "x".repeat(Limits::NAME + 1));
    let body = json!({"registered_in": "CA", "located_in": "CA"});
    assert_eq!(peer.call(Method::PUT, &long, "", Some(body)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn messages_are_checked() {
    let server = Server::start(&Policy::default(), 1, LOOPBACK, None).await.unwrap();
    let peer = Peer::new(server.addr()).await;
    let message = |venue: &str, text: String| Some(json!({"venue": venue, "client_ref": "p", "text": text}));
    let longest = "\u{1f600}".repeat(Limits::TEXT);
    let cases = [
        (peer.alice.as_str(), message("alice+bob", longest.clone()), StatusCode::OK),
        (&peer.alice, message("alice+bob", longest + "!"), StatusCode::PAYLOAD_TOO_LARGE),
        (&peer.alice, message("alice+bob", "x".repeat(Limits::BODY)), StatusCode::PAYLOAD_TOO_LARGE),
        (&peer.alice, message("elsewhere", "x".to_owned()), StatusCode::NOT_FOUND),
        ("nobody", message("alice+bob", "x".to_owned()), StatusCode::UNAUTHORIZED),
        (&peer.alice, Some(json!({"text": 1})), StatusCode::BAD_REQUEST),
        (&peer.alice, None, StatusCode::BAD_REQUEST),
    ];
    for (token, body, expected) in cases {
        assert_eq!(peer.call(Method::POST, "/v1/messages", token, body).await.0, expected);
    }
    let stranger = peer.put_account("carol", "CN").await;
    let (status, answer) = peer.call(Method::POST, "/v1/messages", &stranger, message("alice+bob", "x".to_owned())).await;
    assert_eq!((status, answer["notice"].is_string()), (StatusCode::FORBIDDEN, true));
    assert_eq!(peer.call(Method::GET, "/v1/events", "nobody", None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(peer.call(Method::GET, "/v1/events?after=-1", &peer.alice, None).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn refusals_sanctions_limits_and_outages_are_shown() {
    let refusing = Policy {
        rules: vec![rule("r", "x", Action::Refuse)],
        sanctions: Some(Sanctions { suspend_after_hits: Some(1), ..Sanctions::default() }),
        ..Policy::default()
    };
    let server = Server::start(&refusing, 1, LOOPBACK, None).await.unwrap();
    let peer = Peer::new(server.addr()).await;
    let (status, answer) = peer.send("x").await;
    assert_eq!((status, answer["notice"].is_string(), answer.get("sanction")), (StatusCode::FORBIDDEN, true, None));
    let (status, answer) = peer.send("fine").await;
    assert_eq!((status, answer.get("sanction")), (StatusCode::FORBIDDEN, Some(&json!(true))));

    let limiting = Sanctions { messages_per_minute: Some(1), ..Sanctions::default() };
    let server = Server::start(&Policy { sanctions: Some(limiting), ..Policy::default() }, 1, LOOPBACK, None).await.unwrap();
    let peer = Peer::new(server.addr()).await;
    assert_eq!(peer.send("x").await.0, StatusCode::OK);
    let (status, answer) = peer.send("x").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert!((50_000..=60_000).contains(&answer["retry_after_ms"].as_u64().unwrap()));

    let outages = vec![Outage {
        from: lacuna_model::Duration::ZERO,
        lasts: lacuna_model::Duration::from_secs(3_600),
        kind: OutageKind::Down,
        accounts: Vec::new(),
    }];
    let server = Server::start(&Policy { outages, ..Policy::default() }, 1, LOOPBACK, None).await.unwrap();
    assert_eq!(Peer::new(server.addr()).await.send("x").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_world_outlives_its_server_and_a_new_world_is_told_apart() {
    let server = Server::start(&Policy::default(), 1, LOOPBACK, None).await.unwrap();
    let addr = server.addr();
    let peer = Peer::new(addr).await;
    peer.send("before").await;
    let before = peer.events(0, 0).await;
    let cursor = before["cursor"].as_u64().unwrap();
    let request = peer.client.get(format!("http://{addr}/v1/events?after={cursor}&wait_ms=20000")).bearer_auth(&peer.bob).send();
    let waiting = tokio::spawn(request);
    tokio::time::sleep(Duration::from_millis(50)).await;

    let world = server.stop().await;
    assert!(waiting.await.unwrap().is_err(), "a connection that waits is dropped");
    let error = peer.client.get(format!("http://{addr}/v1/events")).send().await.unwrap_err();
    assert!(error.is_connect());

    let server = Server::resume(world, addr).await.unwrap();
    peer.send("after").await;
    let after = peer.events(cursor, 0).await;
    assert_eq!((texts(&after), &after["instance"]), (vec!["after"], &before["instance"]));
    drop(server.stop().await);

    let server = Server::start(&Policy::default(), 1, addr, None).await.unwrap();
    let new = Peer::new(addr).await;
    assert_eq!(new.bob, peer.bob, "tokens outlive the world");
    new.send("new").await;
    let events = new.events(after["cursor"].as_u64().unwrap(), 0).await;
    assert_ne!(events["instance"], after["instance"]);
    assert_eq!(texts(&events), ["new"], "a cursor of an earlier life acknowledges nothing");
    let foreign = new.events(u64::MAX, 20_000).await;
    assert_eq!(foreign["instance"], events["instance"], "an impossible cursor is answered at once");
    drop(server);
}

#[tokio::test]
async fn the_log_is_a_witness_of_every_submission() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("submissions.jsonl");
    let policy = Policy { rules: vec![rule("r", "bad", Action::Refuse)], ..Policy::default() };
    let server = Server::start(&policy, 1, LOOPBACK, Some(&log)).await.unwrap();
    let peer = Peer::new(server.addr()).await;
    let (_, accepted) = peer.send("good").await;
    peer.send("bad").await;
    peer.send("good").await;
    let lines: Vec<Value> =
        std::fs::read_to_string(&log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| &line["result"]).collect::<Vec<_>>(), ["accepted", "refused", "accepted"]);
    assert_eq!(lines[0]["message_id"], accepted["message_id"]);
    assert_eq!(lines[1]["message_id"], Value::Null);
    assert_eq!(
        lines[0],
        json!({"at_us": lines[0]["at_us"], "sender": "alice", "venue": "alice+bob", "client_ref": "p0000001",
               "message_id": accepted["message_id"], "result": "accepted"})
    );
    let nowhere = Server::start(&policy, 1, LOOPBACK, Some(folder.path())).await;
    assert!(nowhere.is_err(), "a folder is no log");
}

/// A rule that drops what has this text in it.
fn finds_text(text: &str) -> FileRule {
    FileRule {
        id: "r".to_owned(),
        finds: Finds { text: vec![text.to_owned()], ..Finds::default() },
        enforces: Enforces::AtOnce,
        learns_after: lacuna_model::Duration::ZERO,
        analyses: Condition::default(),
        when: Condition::default(),
        action: Action::Drop,
        after: lacuna_model::Duration::ZERO,
        enforcement: 1.0,
    }
}

/// What a picture shows, as a sender declares it.
fn shown(text: &str) -> Value {
    json!({"text": text, "look": "", "metadata": ""})
}

/// A picture of 32 × 32 grey pixels, in PNG.
fn png(shade: u8) -> Vec<u8> {
    let picture = lacuna_content::image::RgbImage::from_pixel(32, 32, lacuna_content::image::Rgb([shade; 3]));
    lacuna_content::image::encode(&picture, lacuna_content::image::Encoding::Png).unwrap()
}

impl Peer {
    async fn upload(&self, token: &str, bytes: Vec<u8>) -> (StatusCode, Value) {
        let request = self.client.post(format!("http://{}/v1/files", self.addr)).bearer_auth(token).body(bytes);
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap_or(Value::Null))
    }

    async fn download(&self, token: &str, file: &str) -> (StatusCode, Vec<u8>) {
        let request = self.client.get(format!("http://{}/v1/files/{file}", self.addr)).bearer_auth(token);
        let response = request.send().await.unwrap();
        (response.status(), response.bytes().await.unwrap().to_vec())
    }

    async fn send_file(&self, file: Value) -> StatusCode {
        let body = json!({"venue": "alice+bob", "client_ref": "p", "text": "caption", "file": file});
        self.call(Method::POST, "/v1/messages", &self.alice, Some(body)).await.0
    }
}

#[tokio::test]
async fn a_file_is_uploaded_named_and_fetched() {
    let server = Server::start(&Policy::default(), 1, LOOPBACK, None).await.unwrap();
    let peer = Peer::new(server.addr()).await;
    let (status, uploaded) = peer.upload(&peer.alice, png(7)).await;
    let hash = lacuna_content::sha256_hex(&png(7));
    assert_eq!((status, &uploaded["file"]), (StatusCode::OK, &json!(hash)));
    assert_eq!(peer.upload(&peer.alice, png(7)).await.0, StatusCode::OK, "again is as well");
    assert_eq!(peer.send_file(json!({"file": hash, "name": "a b.png", "shown": shown("x")})).await, StatusCode::OK);
    let events = peer.events(0, 1_000).await;
    assert_eq!(events["events"][0]["file"], json!({"file": hash, "name": "a b.png"}));
    assert_eq!(events["events"][0]["text"], "caption");
    assert_eq!(peer.download(&peer.bob, &hash).await, (StatusCode::OK, png(7)));

    let known = |name: &str, text: &str| json!({"file": hash, "name": name, "shown": shown(text)});
    let cases = [
        (json!({"file": lacuna_content::sha256_hex(b"other"), "name": "x", "shown": shown("")}), StatusCode::NOT_FOUND),
        (json!({"file": "../accounts/alice", "name": "x", "shown": shown("")}), StatusCode::NOT_FOUND),
        (known("", ""), StatusCode::BAD_REQUEST),
        (known(&"x".repeat(Limits::NAME + 1), ""), StatusCode::PAYLOAD_TOO_LARGE),
        (known("x", &"x".repeat(Limits::TEXT + 1)), StatusCode::PAYLOAD_TOO_LARGE),
        (json!({"file": hash, "name": "x"}), StatusCode::BAD_REQUEST),
    ];
    for (file, expected) in cases {
        assert_eq!(peer.send_file(file.clone()).await, expected, "{file}");
    }
    assert_eq!(peer.upload("nobody", png(8)).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(peer.download("nobody", &hash).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(peer.download(&peer.bob, &lacuna_content::sha256_hex(&png(8))).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_that_is_too_long_or_does_not_come_is_not_taken() {
    let server = Server::start(&Policy::default(), 1, LOOPBACK, None).await.unwrap();
    let peer = Peer::new(server.addr()).await;
    assert_eq!(peer.upload(&peer.alice, vec![0; Limits::FILE + 1]).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    // Without a length, and broken off.
    for promised in ["Transfer-Encoding: chunked\r\n\r\n5\r\nhello", "Content-Length: 10\r\n\r\nhello"] {
        let mut stream = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
        let head = format!("POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n{promised}", peer.alice);
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    }
    let hello = lacuna_content::sha256_hex(b"hello");
    assert_eq!(peer.upload(&peer.alice, png(1)).await.0, StatusCode::OK, "others are served");
    assert_eq!(peer.download(&peer.bob, &hello).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn rules_find_what_is_declared_and_pictures_are_encoded_anew() {
    let mut policy = Policy::default();
    policy.files.reencode = true;
    policy.file_rules = vec![finds_text("secret")];
    let server = Server::start(&policy, 1, LOOPBACK, None).await.unwrap();
    let peer = Peer::new(server.addr()).await;
    for (bytes, name, text) in [(png(9), "secret.png", "a secret"), (png(200), "fine.png", ""), (b"words".to_vec(), "a.txt", "")]
    {
        let (_, uploaded) = peer.upload(&peer.alice, bytes).await;
        assert_eq!(peer.send_file(json!({"file": uploaded["file"], "name": name, "shown": shown(text)})).await, StatusCode::OK);
    }
    let events = peer.events(0, 1_000).await;
    let files: Vec<&Value> = events["events"].as_array().unwrap().iter().map(|event| &event["file"]).collect();
    let names: Vec<&Value> = files.iter().map(|file| &file["name"]).collect();
    assert_eq!(names, ["fine.png", "a.txt"]);
    let (status, picture) = peer.download(&peer.bob, files[0]["file"].as_str().unwrap()).await;
    assert_eq!((status, lacuna_content::file::format_of(&picture)), (StatusCode::OK, lacuna_model::FileFormat::Jpeg));
    assert_eq!(files[0]["file"], lacuna_content::sha256_hex(&picture));
    assert_eq!(peer.download(&peer.bob, files[1]["file"].as_str().unwrap()).await.1, b"words", "what is no picture stays");
}

/// A program that reads what a test wants, in place of one that can read.
fn reader(folder: &std::path::Path, script: &str) -> Ocr {
    use std::os::unix::fs::PermissionsExt as _;
    let program = folder.join("reader");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    Ocr { program, languages: "chi_sim+eng".to_owned() }
}

#[tokio::test]
async fn what_a_program_reads_counts_in_place_of_what_is_declared() {
    let folder = tempfile::tempdir().unwrap();
    let policy = Policy { file_rules: vec![finds_text("\u{65b0}\u{7586}")], ..Policy::default() };
    let says = "[ \"$*\" = 'stdin stdout -l chi_sim+eng' ] && cat >/dev/null && echo '\u{65b0} \u{7586}'";
    let ocr = reader(folder.path(), says);
    let server = Server::start_with_reader(&policy, 1, LOOPBACK, None, Some(ocr)).await.unwrap();
    let peer = Peer::new(server.addr()).await;
    // What is no picture is not read, and nothing is found in it whatever is declared.
    for (bytes, name) in [(png(9), "read.png"), (b"words".to_vec(), "words.txt")] {
        let (status, uploaded) = peer.upload(&peer.alice, bytes).await;
        assert_eq!(status, StatusCode::OK);
        let declared = if name == "words.txt" { "\u{65b0}\u{7586}" } else { "" };
        let file = json!({"file": uploaded["file"], "name": name, "shown": shown(declared)});
        assert_eq!(peer.send_file(file).await, StatusCode::OK);
    }
    let events = peer.events(0, 1_000).await;
    let names: Vec<&Value> = events["events"].as_array().unwrap().iter().map(|event| &event["file"]["name"]).collect();
    assert_eq!(names, ["words.txt"]);

    for broken in ["exit 1", "kill $$"] {
        let ocr = reader(folder.path(), broken);
        let server = Server::start_with_reader(&policy, 1, LOOPBACK, None, Some(ocr)).await.unwrap();
        let peer = Peer::new(server.addr()).await;
        assert_eq!(peer.upload(&peer.alice, png(9)).await.0, StatusCode::INTERNAL_SERVER_ERROR, "{broken}");
    }
}
