//! Files whose hashes are burnt: the platform was shown them before, and measuring changes the filter.

use std::collections::BTreeSet;
use std::path::Path;

use lacuna_design::harmless;
use lacuna_model::adapter::Setting;
use lacuna_model::{DesignKind, ItemIx, Location, Problem, Role, RunId, Study, VenueKind};
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

/// The items with files whose hashes a filter may learn: all but benign controls, which nobody lists unless another file has the same MD5.
pub(crate) fn that_burn(study: &Study) -> BTreeSet<ItemIx> {
    let harmless: BTreeSet<ItemIx> = harmless(study).into_iter().collect();
    let items = (0u32..).map(ItemIx).zip(&study.items);
    items.filter(|(index, item)| item.file.is_some() && !harmless.contains(index)).map(|(index, _)| index).collect()
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
    for item in that_burn(&experiment.study).into_iter().map(|item| experiment.study.item(item)) {
        let Some(file) = item.file.as_deref().filter(|_| item.role != Role::Canary) else { continue };
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use lacuna_model::Duration;
    use lacuna_model::policy::{FileHandling, Network};

    use super::*;
    use crate::generated::ExposedFiles;

    /// Whichever of two files of one MD5 names the other, neither is harmless.
    #[test]
    fn a_control_that_shares_its_md5_burns() {
        let (seed, pairs, surveilled, learns_after) = (1, 1, true, Duration::from_secs(30));
        let (handling, delays, network) = (FileHandling::default(), vec![Duration::from_secs(60)], Network::default());
        let (mut study, _) = ExposedFiles { seed, pairs, surveilled, learns_after, handling, delays, network }.make();
        let (control, candidate) = {
            let of = |role| study.items_of(role).find(|item| study.item(*item).file.is_some()).unwrap();
            (of(Role::Control), of(Role::Candidate))
        };
        assert!(!that_burn(&study).contains(&control));
        assert!(that_burn(&study).contains(&candidate));
        let md5 = study.item(control).file.as_ref().unwrap().facts.md5.clone();
        let file = study.items[candidate.get()].file.as_mut().unwrap();
        file.facts.md5 = md5;
        file.origin.same_md5_as = Some(control);
        assert!(that_burn(&study).contains(&control));
    }
}
