//! One run, and all that a test wants to know of it.

use std::sync::Arc;

use lacuna_design::{ENGINE_VERSION, Engine};
use lacuna_inference::verdicts::{self, VerdictRecord};
use lacuna_model::policy::Policy;
use lacuna_model::{Decision, Duration, Entry, Outcome, Purpose, Role, RunId, Study, Timestamp};
use lacuna_records::journal::{Encoder, Header};
use lacuna_runner::virtual_time::{self, Fault};

/// A run that journals more has no end.
const MOST_ENTRIES: usize = 200_000;

/// A run that goes on for longer has no end either.
const LONGEST: Duration = Duration::from_secs(4 * 86_400);

/// A run that came to its end.
pub struct Run {
    pub study: Arc<Study>,
    pub policy: Policy,
    pub entries: Vec<(Timestamp, Entry)>,
    pub engine: Engine,
    pub verdicts: Vec<VerdictRecord>,
}

impl Run {
    /// Drives a run to its end; one that has none fails the test.
    pub fn drive(study: &Arc<Study>, policy: &Policy, faults: &[Fault]) -> Self {
        let mut entries: Vec<(Timestamp, Entry)> = Vec::new();
        let engine = virtual_time::run(study, policy, faults, &mut |at, entry| {
            let began = entries.first().map_or(at, |(began, _)| *began);
            assert!(entries.len() < MOST_ENTRIES, "the run does not end: {MOST_ENTRIES} entries, the last {entry:?}");
            assert!(at - began < LONGEST, "the run does not end: {LONGEST} have passed at {entry:?}");
            entries.push((at, entry.clone()));
        });
        let verdicts = verdicts::derive(engine.evidence());
        Self { study: Arc::clone(study), policy: policy.clone(), entries, engine, verdicts }
    }

    /// The run's name, which begins with its opening.
    pub fn name(&self) -> RunId {
        RunId::new(format!("run-{}", self.entries[0].0.0))
    }

    /// The bytes of its journal, without a seal.
    pub fn journal(&self) -> Vec<u8> {
        self.encoded().1
    }

    /// The bytes of its journal, to the seal.
    pub fn sealed_journal(&self) -> Vec<u8> {
        let (mut encoder, mut bytes) = self.encoded();
        encoder.seal(self.entries[self.entries.len() - 1].0, 0, &mut bytes);
        bytes
    }

    fn encoded(&self) -> (Encoder, Vec<u8>) {
        let header = Header {
            run_id: self.name(),
            engine_version: ENGINE_VERSION,
            lacuna_version: "0".to_owned(),
            build: None,
            overrides: None,
            opened_at: self.entries[0].0,
            study: Arc::clone(&self.study),
            inputs: Vec::new(),
            deviation: None,
        };
        let (mut encoder, mut bytes) = Encoder::new(&header);
        for (at, entry) in &self.entries {
            encoder.append(*at, entry, &mut bytes);
        }
        (encoder, bytes)
    }

    /// From the first entry to the last.
    pub fn duration(&self) -> Duration {
        self.entries[self.entries.len() - 1].0 - self.entries[0].0
    }

    /// Messages of these roles.
    pub fn messages(&self, roles: &[Role]) -> u64 {
        self.engine.evidence().probes().iter().filter(|it| roles.contains(&it.probe.role)).count() as u64
    }

    /// Sends of candidates or canaries for this purpose.
    pub fn sent_to(&self, purpose: Purpose) -> u64 {
        self.engine.evidence().probes().iter().filter(|it| it.probe.purpose == purpose).count() as u64
    }

    /// Outcomes of candidates and canaries, revisions included.
    pub fn outcomes(&self, outcome: Outcome) -> u64 {
        let evidence = self.engine.evidence();
        let tested = |it: &lacuna_inference::evidence::OutcomeRecord| evidence.probe(it.probe).probe.role != Role::Control;
        evidence.outcomes().filter(|it| it.outcome == outcome && tested(it)).count() as u64
    }

    /// Why it stopped, as the journal says.
    pub fn stop_reason(&self) -> &'static str {
        let stopped = self.entries.iter().rev().find_map(|(_, entry)| match entry {
            Entry::Decision(Decision::Stopped { reason }) => Some(reason.as_str()),
            _ => None,
        });
        stopped.unwrap_or("never")
    }
}
