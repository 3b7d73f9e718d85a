//! The simulator's client against a server that plays the protocol, with the faults that a real one has.
#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::{HashMap, VecDeque};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use lacuna_model::{AccountCondition, AccountIx, Cursor, Observation, ObservationKind, SendResult, Shown, VenueIx, VenueKind};
use lacuna_platform::{
    ConnectError, FetchError, OpenError, Outgoing, OutgoingFile, Platform, ResolvedSetting, ResolvedSettings, SessionEvent, open,
};
use serde_json::{Value, json};
use sha2::Digest as _;
use support::{next, study};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const VENUE: &str = "us-a/ü & cn-a";

/// How the server answers one request, if not as it should.
enum Answer {
    Json(u16, Value),
    Garbage,
    /// The connection breaks in the middle of the body.
    Cut,
    /// No answer at all.
    Silence,
    /// A body without an end.
    Endless,
}

#[derive(Default)]
struct Server {
    instance: Mutex<String>,
    events: Mutex<Vec<Value>>,
    came: Notify,
    /// `after` and `ack` of every poll.
    polls: Mutex<Vec<(u64, u64)>>,
    messages: Mutex<Vec<Value>>,
    registered: Mutex<Vec<String>>,
    to_message: Mutex<VecDeque<Answer>>,
    to_poll: Mutex<VecDeque<Answer>>,
    to_account: Mutex<VecDeque<Answer>>,
    to_upload: Mutex<VecDeque<Answer>>,
    to_fetch: Mutex<VecDeque<Answer>>,
    files: Mutex<HashMap<String, Vec<u8>>>,
    fetched: Mutex<Vec<String>>,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let chunk = |_| Ok::<_, std::io::Error>(vec![b'x'; 1 << 20]);
        match self {
            Self::Json(status, body) => (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response(),
            Self::Garbage => "<html>".into_response(),
            Self::Cut | Self::Silence => {
                let parts = [Ok("{\"message_id\":"), Err(std::io::Error::other("cut"))];
                Body::from_stream(futures::stream::iter(parts)).into_response()
            }
            Self::Endless => Body::from_stream(futures::stream::iter((0u64..).map(chunk))).into_response(),
        }
    }
}

impl Server {
    fn push(&self, event: Value) {
        self.events.lock().unwrap().push(event);
        self.came.notify_waiters();
    }

    /// Forgets everything, as a server that was started again.
    fn restart(&self, instance: &str) {
        instance.clone_into(&mut self.instance.lock().unwrap());
        self.events.lock().unwrap().clear();
        self.registered.lock().unwrap().clear();
        self.came.notify_waiters();
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let instance = self.instance.lock().unwrap().clone();
        let token = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let known = |id: &String| token == Some(format!("Bearer {instance}.{id}"));
        self.registered.lock().unwrap().iter().any(known)
    }
}

async fn put_account(State(server): State<Arc<Server>>, Path(id): Path<String>, body: axum::Json<Value>) -> Response {
    assert_eq!(body["registered_in"], body["located_in"]);
    if let Some(answer) = server.to_account.lock().unwrap().pop_front() {
        return answer.into_response();
    }
    let token = format!("{}.{id}", server.instance.lock().unwrap());
    server.registered.lock().unwrap().push(id);
    axum::Json(json!({ "token": token })).into_response()
}

async fn put_venue(Path(id): Path<String>, body: axum::Json<Value>) -> Response {
    assert_eq!(id, VENUE);
    assert_eq!(*body, json!({ "kind": "direct", "members": ["us-a", "cn-a"] }));
    axum::Json(json!({})).into_response()
}

async fn post_message(State(server): State<Arc<Server>>, headers: HeaderMap, body: axum::Json<Value>) -> Response {
    if !server.knows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    server.messages.lock().unwrap().push(body.0);
    let answer = server.to_message.lock().unwrap().pop_front();
    match answer {
        Some(Answer::Silence) => std::future::pending().await,
        Some(answer) => answer.into_response(),
        None => axum::Json(json!({ "message_id": "m1" })).into_response(),
    }
}

async fn post_file(State(server): State<Arc<Server>>, headers: HeaderMap, body: Bytes) -> Response {
    if !server.knows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let answer = server.to_upload.lock().unwrap().pop_front();
    match answer {
        Some(Answer::Silence) => std::future::pending().await,
        Some(answer) => answer.into_response(),
        None => {
            let hash = sha256_hex(&body);
            server.files.lock().unwrap().insert(hash.clone(), body.to_vec());
            axum::Json(json!({ "file": hash })).into_response()
        }
    }
}

async fn get_file(State(server): State<Arc<Server>>, Path(file): Path<String>, headers: HeaderMap) -> Response {
    if !server.knows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    server.fetched.lock().unwrap().push(file.clone());
    if let Some(answer) = server.to_fetch.lock().unwrap().pop_front() {
        return answer.into_response();
    }
    match server.files.lock().unwrap().get(&file) {
        Some(bytes) => bytes.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

async fn get_events(
    State(server): State<Arc<Server>>,
    Query(query): Query<HashMap<String, u64>>,
    headers: HeaderMap,
) -> Response {
    if let Some(answer) = server.to_poll.lock().unwrap().pop_front() {
        return answer.into_response();
    }
    server.polls.lock().unwrap().push((query["after"], query["ack"]));
    loop {
        let came = server.came.notified();
        if !server.knows(&headers) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let new = |event: &&Value| event["cursor"].as_u64() > Some(query["after"]);
        let events: Vec<Value> = server.events.lock().unwrap().iter().filter(new).cloned().collect();
        if !events.is_empty() || query["wait_ms"] == 0 {
            let cursor = events.last().map_or(json!(query["after"]), |event| event["cursor"].clone());
            let instance = server.instance.lock().unwrap().clone();
            return axum::Json(json!({ "instance": instance, "events": events, "cursor": cursor })).into_response();
        }
        came.await;
    }
}

/// A server that listens until it is dropped, in a runtime of its own, so that its connections end with it.
struct Running {
    server: Arc<Server>,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Running {
    fn start() -> Self {
        let server = Arc::new(Server { instance: Mutex::new("a1".to_owned()), ..Server::default() });
        Self::listen(server, "127.0.0.1:0".parse().unwrap())
    }

    fn listen(server: Arc<Server>, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/v1/accounts/{id}", put(put_account))
            .route("/v1/venues/{id}", put(put_venue))
            .route("/v1/messages", post(post_message))
            .route("/v1/events", get(get_events))
            .route("/v1/files", post(post_file))
            .route("/v1/files/{file}", get(get_file))
            .with_state(Arc::clone(&server));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await
        });
        Self { server, address, runtime: Some(runtime) }
    }

    fn platform(&self) -> Box<dyn Platform> {
        let study = study(&[("us-a", "US"), ("cn-a", "CN")], &[(VENUE, VenueKind::Direct, &[0, 1])]);
        open("simulator", study, &settings(&format!("http://{}", self.address)), &[]).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn settings(url: &str) -> ResolvedSettings {
    let mut settings = ResolvedSettings::default();
    settings.set("url", ResolvedSetting::Text(url.to_owned()));
    settings
}

fn outgoing(text: &str) -> Outgoing {
    Outgoing { venue: VenueIx(0), client_ref: "ref-1".to_owned(), text: text.into(), file: None }
}

fn message(cursor: u64, text: &str) -> Value {
    json!({ "cursor": cursor, "kind": "message", "message_id": format!("m{cursor}"), "sender": "us-a", "venue": VENUE, "text": text })
}

fn observed(event: SessionEvent) -> Observation {
    match event {
        SessionEvent::Observed(observation) => observation,
        other => panic!("an observation was expected, not {other:?}"),
    }
}

const SENDER: AccountIx = AccountIx(0);
const RECIPIENT: AccountIx = AccountIx(1);

#[tokio::test]
async fn every_answer_to_a_message_has_its_meaning() {
    let running = Running::start();
    let session = running.platform().connect(SENDER, None).await.unwrap();
    let never = CancellationToken::new();
    let send = async |answer| {
        running.server.to_message.lock().unwrap().push_back(answer);
        session.sender.send(&outgoing("新疆 \"'<&>\n"), &never).await
    };
    let accepted = send(Answer::Json(200, json!({ "message_id": "x7" }))).await;
    assert!(matches!(accepted, SendResult::Accepted { platform_id: Some(id) } if &*id.0 == "x7"));
    let refused = send(Answer::Json(403, json!({ "notice": "no" }))).await;
    assert_eq!(refused, SendResult::Refused { notice: "no".to_owned() });
    let limited = send(Answer::Json(429, json!({ "retry_after_ms": 1500 }))).await;
    assert_eq!(limited, SendResult::RateLimited { retry_after: lacuna_model::time::Duration::from_millis(1500) });
    for status in [401, 404, 413, 503] {
        let result = send(Answer::Json(status, json!({}))).await;
        assert!(matches!(result, SendResult::NotSent { .. }), "{status}: {result:?}");
    }
    for answer in [Answer::Json(500, json!({})), Answer::Json(302, json!({})), Answer::Garbage, Answer::Cut, Answer::Endless] {
        let result = send(answer).await;
        assert!(matches!(result, SendResult::Unknown { .. }), "{result:?}");
    }
    let submitted = running.server.messages.lock().unwrap();
    assert_eq!(submitted.len(), 12, "every message is submitted once");
    assert_eq!(submitted[0], json!({ "venue": VENUE, "client_ref": "ref-1", "text": "新疆 \"'<&>\n" }));
}

#[tokio::test]
async fn a_sanction_is_told_once_until_the_account_is_well_again() {
    let running = Running::start();
    let mut session = running.platform().connect(SENDER, None).await.unwrap();
    let never = CancellationToken::new();
    let sanction = || Answer::Json(403, json!({ "notice": "suspended", "sanction": true }));
    let well = || Answer::Json(200, json!({ "message_id": "x" }));
    running.server.to_message.lock().unwrap().extend([sanction(), sanction(), well(), sanction()]);
    for _ in 0..4 {
        session.sender.send(&outgoing("x"), &never).await;
    }
    let told = || SessionEvent::Account { condition: AccountCondition::Sanctioned, detail: "suspended".to_owned() };
    assert_eq!([next(&mut session).await, next(&mut session).await], [told(), told()]);
    assert!(session.events.try_recv().is_err());
}

#[tokio::test]
async fn a_cancelled_send_ends_and_says_how_much_is_known() {
    let running = Running::start();
    let session = running.platform().connect(SENDER, None).await.unwrap();
    running.server.to_message.lock().unwrap().push_back(Answer::Silence);
    let cancel = CancellationToken::new();
    let canceller = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(async { session.sender.send(&outgoing("x"), &cancel).await }, canceller);
    assert!(matches!(result, SendResult::Unknown { .. }), "{result:?}");
    let result = session.sender.send(&outgoing("x"), &cancel).await;
    assert!(matches!(result, SendResult::NotSent { .. }), "{result:?}");
    assert_eq!(running.server.messages.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn events_come_in_order_and_strangers_stay_unknown() {
    let running = Running::start();
    running.server.push(message(3, "一"));
    running
        .server
        .push(json!({ "cursor": 4, "kind": "message", "message_id": "s", "sender": "somebody", "venue": "x", "text": "hi" }));
    let mut session = running.platform().connect(RECIPIENT, None).await.unwrap();
    let first = observed(next(&mut session).await);
    assert_eq!((first.sender, first.venue, first.text.as_deref()), (Some(SENDER), Some(VenueIx(0)), Some("一")));
    assert_eq!(first.cursor, Some(Cursor("a1:3".into())));
    let stranger = observed(next(&mut session).await);
    assert_eq!((stranger.sender, stranger.venue, stranger.platform_id, stranger.text), (None, None, None, None));
    running.server.push(json!({ "cursor": 5, "kind": "retraction", "message_id": "m3", "sender": "us-a", "venue": VENUE }));
    let retraction = observed(next(&mut session).await);
    assert_eq!((retraction.kind, retraction.platform_id), (ObservationKind::Retraction, first.platform_id));
    // Far more than the channel holds: the listener waits, and nothing is lost.
    running.server.events.lock().unwrap().extend((6..3000).map(|cursor| message(cursor, "x")));
    running.server.push(message(3000, &"长".repeat(100_000)));
    for cursor in 6..3000 {
        let observation = observed(next(&mut session).await);
        assert_eq!(observation.cursor, Some(Cursor(format!("a1:{cursor}").into())));
    }
    let huge = observed(next(&mut session).await).text.unwrap();
    assert_eq!(huge.len(), 64 * 1024 / 3 * 3, "cut between two characters");
}

#[tokio::test]
async fn only_what_was_acknowledged_may_be_forgotten() {
    let running = Running::start();
    let mut session = running.platform().connect(RECIPIENT, Some(Cursor("a1:10".into()))).await.unwrap();
    running.server.push(message(11, "x"));
    let seen = observed(next(&mut session).await);
    running.server.push(message(12, "y"));
    next(&mut session).await;
    session.acknowledged.send_replace(seen.cursor);
    running.server.push(message(13, "z"));
    next(&mut session).await;
    running.server.push(message(14, "z"));
    next(&mut session).await;
    let polls = running.server.polls.lock().unwrap().clone();
    assert_eq!(polls[..3], [(10, 0), (10, 10), (11, 10)], "read on without an acknowledgement");
    assert!(polls.contains(&(13, 11)), "{polls:?}");
}

#[tokio::test]
async fn an_outage_loses_nothing() {
    let running = Running::start();
    let (server, address) = (Arc::clone(&running.server), running.address);
    let mut session = running.platform().connect(RECIPIENT, None).await.unwrap();
    drop(running);
    let gone = next(&mut session).await;
    assert!(matches!(gone, SessionEvent::Account { condition: AccountCondition::Disconnected, .. }), "{gone:?}");
    let result = session.sender.send(&outgoing("x"), &CancellationToken::new()).await;
    assert!(matches!(result, SendResult::NotSent { .. }), "{result:?}");
    server.push(message(1, "x"));
    let _running = Running::listen(server, address);
    let back = next(&mut session).await;
    assert!(matches!(back, SessionEvent::Account { condition: AccountCondition::Connected, .. }), "{back:?}");
    assert_eq!(observed(next(&mut session).await).text.as_deref(), Some("x"));
}

#[tokio::test]
async fn a_faulty_answer_to_a_poll_is_an_outage() {
    let running = Running::start();
    let mut session = running.platform().connect(RECIPIENT, None).await.unwrap();
    let mut faults: Vec<Answer> = vec![Answer::Garbage, Answer::Cut, Answer::Endless, Answer::Json(503, json!({}))];
    faults.push(Answer::Json(200, json!({ "instance": "", "events": [] })));
    for (cursor, fault) in (1..).zip(faults) {
        running.server.to_poll.lock().unwrap().push_back(fault);
        // Ends the poll that waits, if one does; then the next one meets the fault.
        running.server.push(message(cursor, "x"));
        let mut conditions = Vec::new();
        let mut observations = 0;
        for _ in 0..3 {
            match next(&mut session).await {
                SessionEvent::Account { condition, .. } => conditions.push(condition),
                SessionEvent::Observed(_) => observations += 1,
                SessionEvent::Gap { detail } => panic!("nothing was missed: {detail}"),
                SessionEvent::ObservedFile(..) => panic!("there are no files"),
            }
        }
        assert_eq!((conditions, observations), (vec![AccountCondition::Disconnected, AccountCondition::Connected], 1));
    }
}

#[tokio::test]
async fn a_server_without_memory_is_a_gap() {
    let running = Running::start();
    let platform = running.platform();
    let mut session = platform.connect(RECIPIENT, None).await.unwrap();
    running.server.push(message(7, "x"));
    let seen = observed(next(&mut session).await);
    running.server.restart("b2");
    let mut events = Vec::new();
    while !matches!(events.last(), Some(SessionEvent::Gap { .. })) {
        events.push(next(&mut session).await);
    }
    running.server.push(message(1, "y"));
    assert_eq!(observed(next(&mut session).await).cursor, Some(Cursor("b2:1".into())));
    // The same, noticed when a run is resumed; a cursor that is none is no better.
    for cursor in [seen.cursor.unwrap(), Cursor("damaged".into())] {
        let mut resumed = platform.connect(RECIPIENT, Some(cursor)).await.unwrap();
        assert!(matches!(next(&mut resumed).await, SessionEvent::Gap { .. }));
        assert_eq!(observed(next(&mut resumed).await).cursor, Some(Cursor("b2:1".into())));
    }
}

#[tokio::test]
async fn a_platform_that_does_not_want_the_account_says_so() {
    let running = Running::start();
    running.server.to_account.lock().unwrap().push_back(Answer::Json(409, json!("exists with other data")));
    let error = running.platform().connect(SENDER, None).await.err().unwrap();
    assert!(matches!(error, ConnectError::Rejected { .. }), "{error}");
    assert!(error.to_string().contains("exists with other data"), "{error}");
    let platform = running.platform();
    drop(running);
    // The listening socket closes a moment after its runtime is told to end.
    let error = loop {
        match platform.connect(SENDER, None).await.err() {
            Some(ConnectError::Protocol { .. }) | None => tokio::task::yield_now().await,
            Some(error) => break error,
        }
    };
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
}

#[test]
fn an_address_must_be_plain_http() {
    for url in ["", "127.0.0.1:80", "https://127.0.0.1", "file:///etc/passwd"] {
        let opened = open("simulator", study(&[], &[]), &settings(url), &[]);
        assert!(matches!(opened, Err(OpenError::PlatformKey { key: "url", .. })), "{url}");
    }
    let opened = open("carrier-pigeon", study(&[], &[]), &settings("http://127.0.0.1"), &[]);
    assert!(matches!(opened, Err(OpenError::UnknownAdapter(_))));
}

fn with_file(bytes: &[u8]) -> Outgoing {
    let shown = Shown { text: "\u{65b0}\u{7586}".into(), look: "c/1".into(), ..Shown::default() };
    let name = "a \"b\".png".into();
    let file = OutgoingFile { name, media_type: "image/png", sha256: sha256_hex(bytes).into(), bytes: bytes.into(), shown };
    Outgoing { file: Some(file), ..outgoing("caption") }
}

fn file_message(cursor: u64, sender: &str, file: &str) -> Value {
    let mut event = message(cursor, "caption");
    event["sender"] = json!(sender);
    event["file"] = json!({ "file": file, "name": "../x.png" });
    event
}

#[tokio::test]
async fn a_file_is_uploaded_first_and_without_it_nothing_is_sent() {
    let running = Running::start();
    let session = running.platform().connect(SENDER, None).await.unwrap();
    let never = CancellationToken::new();
    let sent = session.sender.send(&with_file(b"picture"), &never).await;
    assert!(matches!(sent, SendResult::Accepted { .. }), "{sent:?}");
    let body = running.server.messages.lock().unwrap().pop().unwrap();
    let shown = json!({ "text": "\u{65b0}\u{7586}", "look": "c/1", "metadata": "" });
    assert_eq!(body["file"], json!({ "file": sha256_hex(b"picture"), "name": "a \"b\".png", "shown": shown }));
    assert_eq!(body["text"], "caption");

    let faults = [
        Answer::Json(413, json!({ "error": "too long" })),
        Answer::Json(507, json!({ "error": "full" })),
        Answer::Json(200, json!({ "file": sha256_hex(b"something else") })),
        Answer::Garbage,
        Answer::Cut,
        Answer::Endless,
    ];
    for fault in faults {
        running.server.to_upload.lock().unwrap().push_back(fault);
        let sent = session.sender.send(&with_file(b"picture"), &never).await;
        assert!(matches!(sent, SendResult::NotSent { .. }), "{sent:?}");
    }
    running.server.to_upload.lock().unwrap().push_back(Answer::Silence);
    let cancel = CancellationToken::new();
    let later = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    };
    let message = with_file(b"picture");
    let (sent, ()) = tokio::join!(session.sender.send(&message, &cancel), later);
    assert!(matches!(sent, SendResult::NotSent { .. }), "{sent:?}");
    assert!(running.server.messages.lock().unwrap().is_empty(), "no message left");
    // A platform that has forgotten the file says so.
    running.server.to_message.lock().unwrap().push_back(Answer::Json(404, json!({ "error": "no file" })));
    let sent = session.sender.send(&with_file(b"picture"), &never).await;
    assert!(matches!(sent, SendResult::NotSent { .. }), "{sent:?}");
}

#[tokio::test]
async fn a_file_is_fetched_or_it_is_said_why_not() {
    let running = Running::start();
    let server = &running.server;
    let mut session = running.platform().connect(RECIPIENT, None).await.unwrap();
    let hash = sha256_hex(b"picture");
    server.files.lock().unwrap().insert(hash.clone(), b"picture".to_vec());
    server.push(file_message(1, "us-a", &hash));
    let SessionEvent::ObservedFile(observation, Ok(file)) = next(&mut session).await else { panic!("a file") };
    assert_eq!((&*file.bytes, file.name.as_str()), (&b"picture"[..], "../x.png"));
    assert_eq!(
        (observation.text.as_deref(), observation.file, observation.kind),
        (Some("caption"), None, ObservationKind::Message)
    );

    // A fault that passes is overcome, and the order of what is seen is kept.
    server.to_fetch.lock().unwrap().extend([Answer::Cut, Answer::Json(503, json!({}))]);
    server.push(file_message(2, "us-a", &hash));
    server.push(message(3, "x"));
    assert!(matches!(next(&mut session).await, SessionEvent::ObservedFile(_, Ok(_))));
    assert_eq!(observed(next(&mut session).await).text.as_deref(), Some("x"));

    let wrong = || Answer::Json(200, json!("other bytes"));
    server.to_fetch.lock().unwrap().extend([wrong(), wrong(), wrong()]);
    server.push(file_message(4, "us-a", &hash));
    assert!(matches!(next(&mut session).await, SessionEvent::ObservedFile(_, Err(FetchError::Failed(_)))));
    server.to_fetch.lock().unwrap().extend([Answer::Endless, Answer::Endless, Answer::Endless]);
    server.push(file_message(5, "us-a", &hash));
    assert!(matches!(next(&mut session).await, SessionEvent::ObservedFile(_, Err(FetchError::Failed(_)))));
    server.push(file_message(6, "us-a", &sha256_hex(b"unknown")));
    assert!(matches!(next(&mut session).await, SessionEvent::ObservedFile(_, Err(FetchError::Gone(_)))));

    // Of strangers nothing is fetched, and nothing of what the account itself sent.
    let before = server.fetched.lock().unwrap().len();
    server.push(file_message(7, "somebody else", &hash));
    server.push(file_message(8, "cn-a", &hash));
    let stranger = observed(next(&mut session).await);
    assert_eq!((stranger.sender, stranger.text), (None, None));
    assert_eq!(observed(next(&mut session).await).kind, ObservationKind::Echo);
    assert_eq!(server.fetched.lock().unwrap().len(), before);
}
