//! The journal: its chain, its seal, and the contents that it names.

use std::collections::BTreeSet;
use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use lacuna_model::{Entry, Fact, Observation};

use super::{Check, FindingKind, RunFacts, VerifyReport, at, open_regular, unreadable};
use crate::contents::is_name;
use crate::journal::{JournalError, LineProblem, Reader};
use crate::projection::{MANIFEST, StoredManifest, hash_file};
use crate::run_folder::{FILES, JOURNAL};

/// Reads the journal to its end; says whether that was possible.
pub(super) fn check(run: &Path, stored: Option<&StoredManifest>, report: &mut VerifyReport) -> bool {
    report.check(JOURNAL, Check::Chain);
    let journal = run.join(JOURNAL);
    let mut named = BTreeSet::new();
    let mut read = || -> Result<_, JournalError> {
        let input = open_regular(&journal).map_err(|source| JournalError::Io { file: journal.clone(), source })?;
        let mut reader = Reader::new(&journal, BufReader::with_capacity(1 << 16, input))?;
        let header = reader.header();
        report.run = Some(RunFacts {
            run_id: header.run_id.clone(),
            lacuna_version: header.lacuna_version.clone(),
            engine_version: header.engine_version,
            journal_version: reader.version(),
            last_hash: reader.last_hash().to_string(),
            sealed: false,
        });
        let items = reader.header().study.items.iter().filter_map(|item| item.file.as_ref());
        named.extend(items.map(|file| Arc::clone(&file.facts.sha256)));
        for line in reader.by_ref() {
            if let (_, _, Entry::Fact(Fact::Observed(Observation { file: Some(file), .. }))) = line? {
                named.insert(file.facts.sha256);
            }
        }
        Ok((reader.seal().is_some(), reader.last_hash().to_string()))
    };
    let read = read();
    for sha256 in named {
        let file = at(FILES, &sha256);
        if !is_name(&sha256) {
            report.find(JOURNAL, FindingKind::Damaged, format!("names a file `{}`, which is no SHA-256", sha256.escape_debug()));
        } else if !fs::symlink_metadata(run.join(&file)).is_ok_and(|found| found.is_file()) {
            report.find(file, FindingKind::Missing, format!("is missing, but {JOURNAL} names it"));
        }
    }
    match read {
        Ok((sealed, last_hash)) => {
            if let Some(run) = &mut report.run {
                run.last_hash.clone_from(&last_hash);
                run.sealed = sealed;
            }
            if sealed {
                report.check(JOURNAL, Check::Seal);
            } else {
                report.find(
                    JOURNAL,
                    FindingKind::Damaged,
                    "ends without a seal: the run did not come to its end, or its end was cut off",
                );
            }
            // The manifest itself may be the one that was changed, but hardly in all three places at once.
            if let (Some(stored), Ok(found)) = (stored, hash_file(&journal, JOURNAL))
                && stored.journal.bytes != found.bytes
                && stored.journal.sha256 != found.sha256
                && stored.journal.last_hash != last_hash
            {
                report.find(JOURNAL, FindingKind::Damaged, format!("is not the journal from which {MANIFEST} was derived"));
            }
            true
        }
        Err(JournalError::Line { line, problem, .. }) => {
            let newer = matches!(problem, LineProblem::NewerVersion(_));
            let kind = if newer { FindingKind::Unverifiable } else { FindingKind::Damaged };
            report.find(JOURNAL, kind, format!("line {line}: {problem}"));
            false
        }
        Err(JournalError::Io { source, .. }) => {
            let (kind, problem) = unreadable(&source);
            report.find(JOURNAL, kind, problem);
            false
        }
    }
}
