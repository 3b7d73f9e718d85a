//! The journal: what a run did and saw, in the order in which it did and saw it.
//!
//! A journal is a file of JSON Lines that is only ever appended to.
//!
//! * The first line is the [`Header`]: `{"journal":"lacuna","version":6,"run_id":…,"engine_version":…,"lacuna_version":…,
//!   "build":{"source":{"commit":…,"changed":…},"rustc":…,"target":…},"overrides":[…],"opened_at":…,"study":{…},"inputs":[…],
//!   "hash":"…"}`. It holds the whole study, so that a journal explains itself, and before `hash`, if a locked experiment had
//!   changed, `"deviation":{"reason":…,"changes":[…]}`. `build` is left out in virtual time, where a journal is the same on every machine.
//! * Each further line is one entry: `{"seq":N,"at":µs,"entry":"…",…,"hash":"…"}`. `seq` counts from 0, `at` is in
//!   microseconds since 1970-01-01T00:00:00Z. `seq`, `at` and `entry` come first and in this order, `hash` comes last.
//! * The last line of a run that came to its end is its [`Seal`]: `{"seq":N,"at":µs,"entry":"sealed","exit_code":N,
//!   "counts":{…},"hash":"…"}`. A resumed run appends behind the seal of the interrupted one; the last line decides.
//!
//! `hash` is a chain. It is the first 16 bytes, in hexadecimal, of SHA-256 over the hash before it (16 bytes; zeros for the
//! first line) and the line as it is without its hash: the bytes before `,"hash":` and then `}`. Whoever changes, removes or
//! inserts a line has to change every hash behind it, and with it the last one, which the manifest repeats.
//!
//! Accounts, venues, arms and items stand in it by their ids, channels by their place in the study and by arm, sender and
//! venue. A member that has no value is left out.
//!
//! A version has exactly the members that are written here: a reader refuses a member it does not know, because evidence
//! that is skipped in silence is lost. Version 2 added `carrier` to `probe_planned`. Version 3 added
//! `search_begun`, the deadline `settle`, what a search asks by `probe_planned` (`search`, and `fragments`, which are places in a
//! text in bytes), purposes for it, and `isolation` in the study. Version 4 added files: `file`, `recognised` and `distance` (in hundredths
//! of a grey level) of `observed`, `file` of an item, the purpose `exposure`, and `mechanism` and `exposure` in the study.
//! Version 5 added `corpora` and `earlier` to the study. Version 6 added `build` and `overrides` to the header, and `lacuna_version`, `build` and
//! `overrides` to an `epoch_opened` that goes on with a run: who resumes it may have another build.

/// The longest line that a journal may hold, in bytes: room for a study with a few hundred thousand items.
pub const MAX_LINE: usize = 64 << 20;

mod chain;
mod counts;
mod decoder;
mod encoder;
mod error;
mod header;
mod names;
mod reader;
mod registration;
mod repair;
mod storage;

pub use chain::ChainHash;
pub use counts::{Counts, Seal};
pub use encoder::Encoder;
pub use error::{JournalError, LineProblem};
pub use header::{Header, InputHash, JOURNAL_VERSION};
pub use reader::Reader;
pub use registration::{Change, Deviation};
pub use repair::{Recovered, Scan, recover, scan};
pub(crate) use storage::sync_directory;
pub use storage::{FileStorage, Storage, VolatileStorage};
