//! The measurement engine, without I/O, clock or sockets: events in, commands out.
//!
//! [`Engine::handle`] takes one fact of the journal and answers with commands: a decision to be journaled and carried out, a
//! deadline to be watched, or the word that the run is over. The engine is a pure fold over the facts, so the same facts give
//! the same decisions, and resuming a run is replaying its journal.
//!
//! Around the designs (`screen`, `isolate`, `mechanism`, `exposure`), and around `check`, which only looks whether the paths are alive, stand the things that every design needs: `account` (pacing, budgets,
//! backing off), `channel` (is the path alive, may a candidate be sent, is a control due), `controls` (which controls are sent) and
//! `random` (named, seeded choices).

mod account;
mod channel;
mod check;
mod command;
mod controls;
mod engine;
mod exposure;
mod isolate;
mod mechanism;
mod random;
mod schedule;
mod screen;

pub use check::harmless;
pub use command::{Command, Progress};
pub use engine::Engine;
pub use random::generator;

/// The version of the engine's decisions. It changes whenever the same facts would lead to other decisions; a run is only
/// resumed by the version that began it.
pub const ENGINE_VERSION: u32 = 5;
