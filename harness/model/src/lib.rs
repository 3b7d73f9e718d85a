//! The vocabulary of censorship measurement on messaging platforms, as types.
//!
//! Nothing here does I/O, reads a clock or draws a random number. Every other room of the harness depends on this one,
//! and this one on none.
//!
//! The order in which to read it: [`ids`], [`study`] (what is measured, fully resolved), [`event`] (facts and decisions,
//! the lines of a journal), [`invocation`] (with what it was measured), [`outcome`] (what became of one probe, and what is claimed of one item), [`policy`] (what the
//! simulator filters), [`adapter`] (what a platform adapter declares about itself), [`problem`] (what a person is told).

pub mod adapter;
pub mod event;
pub mod file;
pub mod ids;
pub mod invocation;
pub mod outcome;
pub mod policy;
pub mod problem;
pub mod region;
pub mod study;
pub mod time;
pub mod time_format;

pub use event::{
    AccountCondition, Cursor, Deadline, Decision, Entry, Excerpt, Fact, Observation, ObservationKind, PlatformMessageId, Probe,
    SearchPlan, SendResult, StopReason,
};
pub use file::{FileFacts, FileFormat, GrayFormula, ItemFile, Origin, ReceivedFile, Recognised, Shown};
pub use ids::{
    AccountId, AccountIx, ArmId, ArmIx, ChannelIx, EntrySequence, ItemId, ItemIx, ProbeId, RunId, SearchIx, VenueId, VenueIx,
};
pub use invocation::{Build, Invocation, Source};
pub use outcome::{ChangeKind, ChangeReason, MatchedBy, Outcome, Purpose, Reason, SendState, Signal, Verdict};
pub use problem::{Location, Problem};
pub use region::CountryCode;
pub use study::{
    Account, Arm, Channel, ContentKind, CorpusSource, DesignKind, Earlier, EarlierUnit, ExposureRule, IsolationRule, Item,
    MechanismRule, Pooling, Prior, Role, Study, TextRules, Unit, Venue, VenueKind,
};
pub use time::{Duration, Timestamp};
