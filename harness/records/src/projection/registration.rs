//! What a run that was locked beforehand departs from: what had changed when it began, and what can be seen of the run itself.

use std::collections::BTreeMap;

use lacuna_inference::evidence::Evidence;
use lacuna_inference::verdicts::VerdictRecord;
use lacuna_model::{AccountIx, ArmIx, Decision, Entry, Fact, Reason, StopReason};
use serde::Serialize;

use crate::journal::Header;
use crate::lock::LOCK_INPUT;

/// The lock of a run, and where the run departs from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Registration {
    /// The lock's file.
    pub lock: String,
    /// Its hash.
    pub sha256: String,
    /// Why it was run although something had changed, in the researcher's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the run departs from what was locked; empty if nowhere.
    pub deviations: Vec<Deviating>,
}

/// One thing in which a run departs from what was locked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Deviating {
    /// What kind.
    pub kind: DeviationKind,
    /// What it is about: a file, a rule, an account, a path.
    pub subject: String,
    /// What is known of it.
    pub detail: String,
}

/// In what a run can depart from its lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviationKind {
    /// A file or a rule was not the one that was locked.
    Changed,
    /// It was interrupted and resumed.
    Interrupted,
    /// It ended before everything was decided.
    StoppedEarly,
    /// An account was sanctioned.
    AccountSanctioned,
    /// Controls did not arrive, so that items are without a conclusion.
    PathGivenUp,
}

impl DeviationKind {
    /// In words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Changed => "changed since it was locked",
            Self::Interrupted => "interrupted",
            Self::StoppedEarly => "stopped early",
            Self::AccountSanctioned => "account sanctioned",
            Self::PathGivenUp => "path given up",
        }
    }
}

/// What is taken from the entries of a journal on the way.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Conduct {
    epochs: u32,
    stopped: Option<StopReason>,
}

impl Conduct {
    pub(super) fn take(&mut self, entry: &Entry) {
        match entry {
            Entry::Fact(Fact::EpochOpened { .. }) => {
                self.epochs += 1;
                self.stopped = None;
            }
            Entry::Decision(Decision::Stopped { reason }) => self.stopped = Some(*reason),
            _ => {}
        }
    }

    /// The registration of a run; `None` if nothing was locked.
    pub(super) fn registration(self, header: &Header, evidence: &Evidence, verdicts: &[VerdictRecord]) -> Option<Registration> {
        let lock = header.inputs.iter().find(|input| input.kind == LOCK_INPUT)?;
        let changed = header.deviation.iter().flat_map(|it| &it.changes).map(|change| Deviating {
            kind: DeviationKind::Changed,
            subject: change.what.clone(),
            detail: change.detail(),
        });
        let mut deviations: Vec<Deviating> = changed.collect();
        let mut add = |kind, subject: &str, detail| deviations.push(Deviating { kind, subject: subject.to_owned(), detail });
        if self.epochs > 1 {
            add(DeviationKind::Interrupted, "run", format!("resumed {} times", self.epochs - 1));
        }
        match self.stopped {
            Some(StopReason::Finished) => {}
            Some(reason) => add(DeviationKind::StoppedEarly, "run", reason.as_str().replace('_', " ")),
            None => add(DeviationKind::StoppedEarly, "run", "the journal does not come to an end".to_owned()),
        }
        let study = &header.study;
        for (index, account) in (0u16..).zip(&study.accounts) {
            if evidence.sanctioned(AccountIx(index)) {
                add(DeviationKind::AccountSanctioned, account.id.as_str(), "limited, suspended or logged out".to_owned());
            }
        }
        let mut silent: BTreeMap<(ArmIx, AccountIx), (u32, u32)> = BTreeMap::new();
        for verdict in verdicts {
            let (without, all) = silent.entry((verdict.unit.arm, verdict.unit.recipient)).or_default();
            *without += u32::from(verdict.reason == Some(Reason::ControlFailed));
            *all += 1;
        }
        for ((arm, recipient), (without, all)) in silent.into_iter().filter(|(_, (without, _))| *without > 0) {
            let path = format!("{} to {}", study.arm(arm).id, study.account(recipient).id);
            add(
                DeviationKind::PathGivenUp,
                &path,
                format!("{without} of {all} items without a conclusion, as controls did not arrive"),
            );
        }
        let reason = header.deviation.as_ref().map(|it| it.reason.clone());
        Some(Registration { lock: lock.path.clone(), sha256: lock.sha256.clone(), reason, deviations })
    }
}
