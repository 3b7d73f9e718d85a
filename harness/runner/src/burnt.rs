//! Files whose hashes are burnt: the platform was shown them before, and measuring changes the filter.

use std::path::Path;

use lacuna_model::adapter::Setting;
use lacuna_model::{DesignKind, Item, ItemFile, Location, Problem, Role, RunId, VenueKind};
use lacuna_records::experiment::Experiment;
use lacuna_records::ledger::{FirstExposure, Ledger, LedgerError};

use crate::allowance::LEDGER;

/// What names the platform of an experiment over all runs. `None` for a simulator or a server that is started for the run: it is
/// new each time and has learnt nothing, so nothing that it is shown is burnt.
pub(crate) fn platform_name(experiment: &Experiment) -> Option<String> {
    // Whoever writes `policy` or `launch` writes neither of these.
    let address = ["url", "server"].iter().find_map(|key| match experiment.platform.get(*key) {
        Some(Setting::Text(address)) => Some(address.trim_end_matches('/')),
        _ => None,
    })?;
    Some(format!("{} {address}", experiment.study.adapter))
}

/// The file of an item whose hash a filter may learn. A benign control has one that nobody lists, unless another file has the same MD5.
pub(crate) fn hash_that_burns(item: &Item) -> Option<&ItemFile> {
    let file = item.file.as_deref()?;
    (item.role != Role::Control || file.origin.same_md5_as.is_some()).then_some(file)
}

/// A problem for each file under test that the platform was shown before, by another run than `own`, in a kind of venue that
/// the experiment uses. Nothing is written.
pub(crate) fn burnt(results: &Path, experiment: &Experiment, own: Option<&RunId>) -> Result<Vec<Problem>, LedgerError> {
    let path = results.join(LEDGER);
    let Some(platform) = platform_name(experiment).filter(|_| path.is_file()) else { return Ok(Vec::new()) };
    let mut ledger = Ledger::open(&path)?;
    let mut venues: Vec<VenueKind> = experiment.study.arms.iter().map(|arm| arm.venue).collect();
    venues.sort_unstable();
    venues.dedup();
    let mut problems = Vec::new();
    for item in experiment.study.items.iter().filter(|item| item.role != Role::Canary) {
        let Some(file) = hash_that_burns(item) else { continue };
        let mut earliest: Option<FirstExposure> = None;
        for venue in &venues {
            let found = ledger.exposed(&platform, *venue, &file.facts.md5)?.filter(|found| Some(&found.run) != own);
            if let Some(found) = found.filter(|found| earliest.as_ref().is_none_or(|other| found.at < other.at)) {
                earliest = Some(found);
            }
        }
        let Some(FirstExposure { at, run }) = earliest else { continue };
        let path = experiment.files.iter().find(|it| it.sha256 == file.facts.sha256);
        let day = at.split('T').next().unwrap_or_default();
        let begin = if own.is_some() { "begin a new run with" } else { "make" };
        problems.push(Problem {
            location: Location { file: path.map(|it| it.path.clone()).unwrap_or_default(), line: 0, column: 0 },
            key: String::new(),
            message: format!("`{}` was shown on this platform on {day} in run {run}: its hash is burnt", item.id),
            fix: format!("{begin} fresh copies: `lacuna corpus transform --seed N` or `lacuna corpus collide --seed N`"),
        });
    }
    Ok(problems)
}

/// Whether what the design concludes rests on the platform not knowing the files.
pub(crate) const fn needs_fresh(design: DesignKind) -> bool {
    match design {
        DesignKind::Mechanism | DesignKind::Exposure => true,
        DesignKind::Screen | DesignKind::Isolate => false,
    }
}
