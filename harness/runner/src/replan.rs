//! Whether a run is what its experiment gives: the files, the study that is built from them, and each decision that a fresh engine
//! takes on the journal's facts.
//!
//! Resuming asks the same before it goes on. Whoever has the repository can ask it of any run, and needs no secret for it.

use std::path::Path;

use lacuna_design::ENGINE_VERSION;
use lacuna_model::Study;
use lacuna_records::experiment::{Experiment, InputKind};
use lacuna_records::history;
use lacuna_records::journal::{Change, Header, InputHash, JournalError, Reader};
use lacuna_records::lock;
use serde::Serialize;

use crate::replay::{ReplayError, Retraced, retrace};

/// What became of planning a run again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Replan {
    /// The answer in a word.
    pub status: ReplanStatus,
    /// The seed that was planned with.
    pub seed: u64,
    /// The version of the engine that decided in the run.
    pub run_engine_version: u32,
    /// The version of this engine.
    pub engine_version: u32,
    /// The files of the experiment that are not those of the run.
    pub inputs: Vec<OtherInput>,
    /// The part in which the study built from the files is not that of the run.
    pub study: Option<&'static str>,
    /// How many decisions were taken again, and how many facts they rest on; `None` where none could be.
    pub retraced: Option<Retraced>,
    /// Where a decision of the journal is not the one that follows from its facts.
    pub divergence: Option<String>,
}

/// A file of an experiment that is not the one of the run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OtherInput {
    /// What it is and its path: `corpus ../corpora/quickstart`.
    pub file: String,
    /// SHA-256 in the run; empty if it was no part of it.
    pub run: String,
    /// SHA-256 now; empty if it is not there.
    pub found: String,
}

/// Whether a run is what its experiment gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplanStatus {
    /// Files, study and every decision are the same.
    Same,
    /// The experiment is not the one that was run.
    OtherExperiment,
    /// Another version of the engine decided, and might have decided otherwise.
    OtherEngine,
    /// The journal holds a decision that does not follow from its facts.
    Diverged,
}

/// Plans a run again. The experiment must have been read with the seed of the run; see [`header_of`].
pub fn replan(journal: &Path, experiment: &mut Experiment) -> Result<Replan, JournalError> {
    let header = header_of(journal)?;
    let other = |change: Change| OtherInput { file: change.what, run: change.locked, found: change.found };
    let inputs = changed_inputs(&header, experiment).into_iter().map(other).collect();
    let study = differing_part(&header.study, experiment);
    let mut replan = Replan {
        status: ReplanStatus::Same,
        seed: experiment.study.seed,
        run_engine_version: header.engine_version,
        engine_version: ENGINE_VERSION,
        inputs,
        study,
        retraced: None,
        divergence: None,
    };
    // The decisions follow from the journal alone: they are looked at even where the experiment has changed since.
    match retrace(journal) {
        Ok(retraced) => replan.retraced = Some(retraced),
        Err(ReplayError::Journal(error)) => return Err(error),
        Err(ReplayError::Version { .. }) => replan.status = ReplanStatus::OtherEngine,
        Err(error @ (ReplayError::Divergence { .. } | ReplayError::Complete(_))) => {
            replan.divergence = Some(error.to_string());
        }
    }
    if replan.divergence.is_some() {
        replan.status = ReplanStatus::Diverged;
    } else if !replan.inputs.is_empty() || replan.study.is_some() {
        replan.status = ReplanStatus::OtherExperiment;
    }
    Ok(replan)
}

/// The first line of a journal.
pub fn header_of(journal: &Path) -> Result<Header, JournalError> {
    Ok(Reader::open(journal)?.header().clone())
}

/// The files of an experiment that are not those of a run.
pub(crate) fn changed_inputs(header: &Header, experiment: &Experiment) -> Vec<Change> {
    let of_experiment = |input: &&InputHash| InputKind::named(&input.kind).is_some();
    let began: Vec<InputHash> = header.inputs.iter().filter(of_experiment).cloned().collect();
    lock::changed_inputs(&began, &lock::inputs_of(experiment))
}

/// The part in which the study of an experiment is not the one that a run began with; `None` if they are the same. What earlier
/// runs had found when it began is in its journal and is taken from there: by now there may be more of them.
pub(crate) fn differing_part(began: &Study, experiment: &mut Experiment) -> Option<&'static str> {
    history::remember(began, &mut experiment.study);
    (*began != experiment.study).then(|| difference(began, &experiment.study))
}

/// Which part of two studies differs.
fn difference(began: &Study, now: &Study) -> &'static str {
    let parts = [
        ("name", began.name == now.name),
        ("seed", began.seed == now.seed),
        ("[platform]", began.adapter == now.adapter),
        ("an account", began.accounts == now.accounts),
        ("an arm", began.arms == now.arms && began.channels == now.channels && began.venues == now.venues),
        ("an item of a corpus", began.items == now.items),
        ("[decision]", began.decision == now.decision),
        ("[watch]", began.watch == now.watch),
        ("[pacing]", began.pacing == now.pacing),
        ("[safety]", began.safety == now.safety),
        (
            "what is asked",
            began.design == now.design
                && began.isolation == now.isolation
                && began.mechanism == now.mechanism
                && began.exposure == now.exposure,
        ),
    ];
    parts.iter().find(|(_, same)| !same).map_or("something", |(part, _)| part)
}
