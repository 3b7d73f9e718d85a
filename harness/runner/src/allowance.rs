//! Messages of the day, kept across runs in the ledger of the results folder.

use std::io;
use std::path::Path;

use lacuna_model::AccountIx;
use lacuna_model::adapter::Setting;
use lacuna_records::experiment::Experiment;
use lacuna_records::ledger::{Ledger, LedgerError};
use lacuna_records::time_format::Day;

use crate::live::Allowance;

/// Messages are entered in the ledger so many at a time, before they are sent; what is left over is given back at the end.
const BLOCK: u64 = 50;

/// The ledger's name in the results folder.
const LEDGER: &str = "ledger.jsonl";

/// The ledger of a results folder, for the accounts of one study.
pub struct LedgerAllowance {
    ledger: Ledger,
    /// What names each account across experiments.
    names: Vec<String>,
    /// Per account: entered for this day and not yet sent.
    entered: Vec<(i64, u64)>,
}

impl LedgerAllowance {
    /// Opens (or makes) `results/ledger.jsonl`.
    pub fn open(results: &Path, experiment: &Experiment) -> Result<Self, LedgerError> {
        let adapter = &experiment.study.adapter;
        let name = |(account, settings): (&lacuna_model::Account, &lacuna_model::adapter::Settings)| match settings.get("address")
        {
            Some(Setting::Text(address)) => format!("{adapter}:{address}"),
            _ => format!("{adapter}:{}", account.id),
        };
        let names: Vec<String> = experiment.study.accounts.iter().zip(&experiment.accounts).map(name).collect();
        Ok(Self { ledger: Ledger::open(&results.join(LEDGER))?, entered: vec![(0, 0); names.len()], names })
    }
}

/// What each account of an experiment has sent on a day, by the ledger of a results folder; nothing where there is no ledger.
/// Nothing is written.
pub fn sent_on(results: &Path, experiment: &Experiment, day: Day) -> Result<Vec<u64>, LedgerError> {
    if !results.join(LEDGER).is_file() {
        return Ok(vec![0; experiment.study.accounts.len()]);
    }
    let LedgerAllowance { mut ledger, names, .. } = LedgerAllowance::open(results, experiment)?;
    names.iter().map(|name| ledger.count_today(name, day)).collect()
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
