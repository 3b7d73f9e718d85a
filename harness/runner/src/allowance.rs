//! Messages of the day and files that were shown, kept across runs in the ledger of the results folder.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use lacuna_model::adapter::Setting;
use lacuna_model::{AccountIx, RunId, Timestamp, VenueKind};
use lacuna_records::experiment::Experiment;
use lacuna_records::ledger::{Ledger, LedgerError};
use lacuna_records::time_format::Day;

use crate::burnt::platform_name;
use crate::live::Allowance;

/// Messages are entered in the ledger so many at a time, before they are sent; what is left over is given back at the end.
const BLOCK: u64 = 50;

/// The ledger's name in the results folder.
pub(crate) const LEDGER: &str = "ledger.jsonl";

/// The ledger of a results folder, for the accounts of one study.
pub struct LedgerAllowance {
    ledger: Ledger,
    /// What names each account across experiments.
    names: Vec<String>,
    /// Per account: entered for this day and not yet sent.
    entered: Vec<(i64, u64)>,
    run: RunId,
    /// What names the platform across experiments; `None` where it lives as long as the run.
    platform: Option<String>,
    /// What this run has shown it, by MD5 and kind of venue.
    shown: HashSet<(Arc<str>, VenueKind)>,
}

impl LedgerAllowance {
    /// Opens (or makes) `results/ledger.jsonl` for a run of an experiment.
    pub fn open(results: &Path, experiment: &Experiment, run: RunId) -> Result<Self, LedgerError> {
        let names = names(experiment);
        Ok(Self {
            ledger: Ledger::open(&results.join(LEDGER))?,
            entered: vec![(0, 0); names.len()],
            names,
            run,
            platform: platform_name(experiment),
            shown: HashSet::new(),
        })
    }
}

/// What names each account across experiments.
fn names(experiment: &Experiment) -> Vec<String> {
    let adapter = &experiment.study.adapter;
    let name = |(account, settings): (&lacuna_model::Account, &lacuna_model::adapter::Settings)| match settings.get("address") {
        Some(Setting::Text(address)) => format!("{adapter}:{address}"),
        _ => format!("{adapter}:{}", account.id),
    };
    experiment.study.accounts.iter().zip(&experiment.accounts).map(name).collect()
}

/// What each account of an experiment has sent on a day, by the ledger of a results folder; nothing where there is no ledger.
/// Nothing is written.
pub fn sent_on(results: &Path, experiment: &Experiment, day: Day) -> Result<Vec<u64>, LedgerError> {
    if !results.join(LEDGER).is_file() {
        return Ok(vec![0; experiment.study.accounts.len()]);
    }
    let mut ledger = Ledger::open(&results.join(LEDGER))?;
    names(experiment).iter().map(|name| ledger.count_today(name, day)).collect()
}

impl Allowance for LedgerAllowance {
    fn sent_on(&mut self, day: i64) -> io::Result<Vec<u64>> {
        let Self { ledger, names, .. } = self;
        names.iter().map(|name| ledger.count_today(name, Day(day)).map_err(io::Error::other)).collect()
    }

    fn spend(&mut self, account: AccountIx, day: i64) -> io::Result<()> {
        let place = account.get();
        if self.entered[place].0 != day {
            self.give_back(place)?;
        }
        if self.entered[place].1 == 0 {
            self.ledger.record(&self.names[place], Day(day), i64::try_from(BLOCK).unwrap_or(0)).map_err(io::Error::other)?;
            self.entered[place] = (day, BLOCK);
        }
        self.entered[place].1 -= 1;
        Ok(())
    }

    fn expose(&mut self, at: Timestamp, files: &[(Arc<str>, VenueKind)]) -> io::Result<()> {
        let Some(platform) = &self.platform else { return Ok(()) };
        let fresh: Vec<_> = files.iter().filter(|file| !self.shown.contains(*file)).cloned().collect();
        if fresh.is_empty() {
            return Ok(());
        }
        self.ledger.expose(platform, &fresh, at, &self.run).map_err(io::Error::other)?;
        self.shown.extend(fresh);
        Ok(())
    }

    fn settle(&mut self) -> io::Result<()> {
        (0..self.entered.len()).try_for_each(|place| self.give_back(place))
    }
}

impl LedgerAllowance {
    fn give_back(&mut self, place: usize) -> io::Result<()> {
        let (day, left) = std::mem::take(&mut self.entered[place]);
        if left == 0 {
            return Ok(());
        }
        let back = -i64::try_from(left).unwrap_or(0);
        self.ledger.record(&self.names[place], Day(day), back).map_err(io::Error::other)
    }
}
