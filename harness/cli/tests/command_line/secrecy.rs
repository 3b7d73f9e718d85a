//! Secrets stand nowhere: not in what is said, not in the log at its most talkative, not in any file.
#![cfg(feature = "xmpp")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Said, file, journal_with, lacuna, run};

const SECRET: &str = "correct horse battery staple";
/// How the tail of a login looks on the wire.
const SECRET_ON_THE_WIRE: &str = "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZ";

/// Takes a login and refuses it; gives what it heard.
fn refuse(mut stream: TcpStream) -> String {
    let mut heard = String::new();
    let mut buffer = [0; 4096];
    let mut hear = |what: &str, stream: &mut TcpStream| {
        while !heard.contains(what) {
            match stream.read(&mut buffer) {
                Ok(read @ 1..) => heard.push_str(&String::from_utf8_lossy(&buffer[..read])),
                _ => break,
            }
        }
        heard.clone()
    };
    hear("version", &mut stream);
    let mechanisms = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>";
    let _ = write!(
        stream,
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' \
         from='ca.test' version='1.0'><stream:features>{mechanisms}</stream:features>"
    );
    let heard = hear("</auth>", &mut stream);
    let _ = write!(stream, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure></stream:stream>");
    heard
}

fn assert_nowhere(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            assert_nowhere(&entry.path());
        } else {
            assert_not_in(&String::from_utf8_lossy(&fs::read(entry.path()).unwrap()));
        }
    }
}

fn assert_not_in(text: &str) {
    assert!(!text.contains("battery") && !text.contains("YmF0dGVyeS"), "{text}");
    assert!(!text.contains(&SECRET_ON_THE_WIRE[4..]), "{text}");
}

#[test]
fn a_password_is_sent_to_its_server_and_stands_nowhere_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("platform.server={}", listener.local_addr().unwrap());
    let heard = std::thread::spawn(move || refuse(listener.accept().unwrap().0));
    let results = tempfile::tempdir().unwrap();
    let path = results.path().display().to_string();
    let experiment = file("experiments/secret.toml");
    let mut command = lacuna(&["run", &experiment, "--results", &path, "--set", &server]);
    command.env("RUST_LOG", "trace").env("LACUNA_TEST_PASSWORD", SECRET);
    let said = Said::by(command);
    let heard = heard.join().unwrap();
    assert!(heard.contains("<auth"), "the login was not tried: {heard}\n{}", said.stderr);
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert_not_in(&said.stdout);
    assert_not_in(&said.stderr);
    assert!(results.path().join("secret").is_dir());
    assert_nowhere(results.path());
}

/// Overrides are kept with the results: there a secret stands as what it is taken from, and an address not at all.
#[test]
fn what_the_command_line_says_of_an_account_tells_nobody_who_it_is() {
    let results = tempfile::tempdir().unwrap();
    let reference = "account.a.secret=env:LACUNA_TEST_OTHER_PASSWORD";
    let address = "account.a.address=alice@somewhere.test";
    let path = results.path().display().to_string();
    let experiment = file("experiments/secret.toml");
    let run = |secrets: &[&str]| {
        let mut arguments = vec!["run", &experiment, "--results", &path, "--seed", "7", "--set", address];
        arguments.extend(secrets.iter().flat_map(|it| ["--set", it]));
        let mut command = lacuna(&arguments);
        command.env("LACUNA_TEST_PASSWORD", SECRET).env("LACUNA_TEST_OTHER_PASSWORD", SECRET);
        Said::by(command)
    };
    // Not even where another override takes its place.
    let literal = format!("account.a.secret={SECRET}");
    let said = run(&[&literal, reference]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("is no reference to a secret"), "{}", said.stderr);
    assert_not_in(&said.stderr);
    assert_eq!(results.path().read_dir().unwrap().count(), 0);

    // Nobody listens at the server's port.
    let said = run(&[reference]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    let journal = journal_with(results.path(), "secret", "\n");
    let text = fs::read_to_string(journal.join("journal.jsonl")).unwrap();
    let header: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(header["overrides"], json!(["account.a.address=…", reference, "seed=7"]));
    assert!(!text.contains("alice"), "{text}");
    assert_nowhere(results.path());
}

#[test]
fn a_missing_secret_is_named_before_anything_is_sent() {
    let results = tempfile::tempdir().unwrap();
    let said = run("experiments/secret.toml", results.path(), &[]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("LACUNA_TEST_PASSWORD"), "{}", said.stderr);
    assert_eq!(results.path().read_dir().unwrap().count(), 0);
}
