//! The arrows between the rooms, as `cargo tree` sees them: which crates each room is built on, directly or not.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// A room as it may be built.
struct Room {
    name: &'static str,
    features: &'static [&'static str],
    /// The rooms below it, at any depth.
    sees: &'static [&'static str],
    /// Crates of other projects that must not be below it, at any depth.
    never: &'static [&'static str],
}

const PURE: &[&str] =
    &["tokio", "reqwest", "hyper", "axum", "tokio-xmpp", "csv", "toml", "serde_json", "tracing", "jiff", "getrandom"];
const NO_RUNTIME: &[&str] = &["tokio", "reqwest", "hyper", "axum", "tokio-xmpp"];
const NO_ADAPTERS: &[&str] = &["--no-default-features"];

const ROOMS: &[Room] = &[
    Room { name: "model", features: &[], sees: &[], never: PURE },
    Room { name: "content", features: &[], sees: &["model"], never: PURE },
    Room { name: "inference", features: &[], sees: &["content", "model"], never: PURE },
    Room { name: "design", features: &[], sees: &["content", "inference", "model"], never: PURE },
    Room { name: "report", features: &[], sees: &["content", "inference", "model"], never: PURE },
    Room { name: "records", features: &[], sees: &["content", "inference", "model", "report"], never: NO_RUNTIME },
    Room { name: "simulator", features: NO_ADAPTERS, sees: &["model"], never: PURE },
    Room { name: "simulator", features: &[], sees: &["content", "model"], never: &["reqwest", "tokio-xmpp"] },
    Room { name: "platform", features: NO_ADAPTERS, sees: &["model"], never: &["reqwest", "hyper", "tokio-xmpp"] },
    Room { name: "platform", features: &[], sees: &["model"], never: &[] },
    Room {
        name: "runner",
        features: &[],
        sees: &["content", "design", "inference", "model", "platform", "records", "report", "simulator"],
        never: &["clap", "miette", "indicatif"],
    },
];

/// The names of all crates that go into a room, without those for its tests and builds.
fn crates_below(room: &Room) -> BTreeSet<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO"))
        .current_dir(workspace)
        .args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--package", &format!("lacuna-{}", room.name)])
        .args(room.features)
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn each_room_sees_only_the_rooms_below_it() {
    for room in ROOMS {
        let below = crates_below(room);
        let own = format!("lacuna-{}", room.name);
        assert!(below.contains(&own), "cargo tree says nothing of {own}");
        let rooms: BTreeSet<&str> =
            below.iter().filter(|name| **name != own).filter_map(|name| name.strip_prefix("lacuna-")).collect();
        let allowed: BTreeSet<&str> = room.sees.iter().copied().collect();
        let stranger: Vec<_> = rooms.difference(&allowed).collect();
        assert!(stranger.is_empty(), "{} must not depend on {stranger:?}", room.name);
        let never: Vec<_> = room.never.iter().filter(|name| below.contains(**name)).collect();
        assert!(never.is_empty(), "{} must not depend on {never:?}", room.name);
    }
}

#[test]
fn every_room_is_judged() {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut rooms: BTreeSet<String> = BTreeSet::new();
    for entry in std::fs::read_dir(harness).unwrap() {
        let entry = entry.unwrap();
        if entry.path().join("Cargo.toml").exists() {
            rooms.insert(entry.file_name().into_string().unwrap());
        }
    }
    // The binary stands above all others, and may see them all.
    rooms.remove("cli");
    assert_eq!(rooms, ROOMS.iter().map(|room| room.name.to_owned()).collect());
}
