//! The derivation itself: one pass over the journal, then the tables that need the whole of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use lacuna_inference::conclusion::{Conclusion, FileClaims, conclude};
use lacuna_inference::evidence::Evidence;
use lacuna_inference::rules::TextRecord;
use lacuna_inference::verdicts::VerdictRecord;
use lacuna_model::{AccountIx, ArmIx, Decision, Entry, EntrySequence, Fact, ItemIx, ObservationKind, RunId, Study, Timestamp};
use lacuna_report::Report;
use serde::Serialize;
use serde_json::Value;

use super::account_tables::{self, AccountRow};
use super::analyze::AnalyzeError;
use super::claim_tables::{self, ContrastRow, EnforcementRow};
use super::combination_tables::{self, CombinationRow};
use super::control_tables::{self, ControlRow};
use super::figure_tables::{self, FIGURES};
use super::manifest::{FileHash, JournalEnd, MANIFEST, Manifest};
use super::mechanism_tables::{self, ExposureRow, MechanismRow};
use super::outcome_tables::{self, OutcomeRow, VerdictRow};
use super::output::Output;
use super::package;
use super::registration::{Conduct, Registration};
use super::report_page::{self, Found, REPORT};
use super::rule_tables::{self, RuleRow, SearchedText};
use super::sent_tables::{self, Content, Contents, ProbeItemRow, ReceivedRow, SentRow};
use super::table::Table;
use super::thumbnails::{self, Thumbnails};
use super::writer::{Hashed, TableWriter, guarded_file};
use crate::journal::{Counts, Header, JournalError, Reader, Seal};
use crate::run_folder::JOURNAL;

/// The description of the tables.
pub(crate) const DATA_PACKAGE: &str = "datapackage.json";

const TABLES: [&str; 13] = [
    "sent",
    "probe_items",
    "received",
    "outcomes",
    "verdicts",
    "combinations",
    "rules",
    "mechanisms",
    "exposures",
    "contrasts",
    "enforcement",
    "controls",
    "accounts",
];

/// The files of the tables, those of the figures' numbers among them, and those of their guarded copies.
pub(crate) fn table_files() -> impl Iterator<Item = (String, String)> {
    let figures = lacuna_report::figures::NAMES.iter().map(|figure| format!("{FIGURES}/{figure}"));
    let tables = TABLES.iter().map(|table| (*table).to_owned()).chain(figures);
    tables.map(|table| (format!("{table}.csv"), guarded_file(&table)))
}

/// The files that a projection may consist of, by their paths in its folder.
pub(crate) fn is_derived(path: &str) -> bool {
    let picture = |path: &str| {
        let name = path.strip_prefix(FIGURES).and_then(|rest| rest.strip_prefix('/')).and_then(|name| name.strip_suffix(".svg"));
        name.is_some_and(|name| lacuna_report::figures::NAMES.contains(&name))
    };
    [MANIFEST, DATA_PACKAGE, REPORT].contains(&path)
        || picture(path)
        || table_files().any(|(table, guarded)| path == table || path == guarded)
}

/// How to derive.
pub(crate) struct Options<'a> {
    /// Write guarded copies beside the tables.
    pub spreadsheet_safe: bool,
    /// The contents in `files/`, for the manifest.
    pub contents: &'a [FileHash],
    /// Where they stand, for the pictures in the report.
    pub files: &'a Path,
    /// The report to be taken for right where pictures that stand in it are missing or damaged, so that it cannot be derived.
    pub stored_report: Option<&'a FileHash>,
}

/// What a derivation knows at its end.
pub(crate) struct Derived {
    pub header: Header,
    pub seal: Option<Seal>,
    pub counts: Counts,
    pub evidence: Evidence,
    pub verdicts: Vec<VerdictRecord>,
    pub texts: Vec<TextRecord>,
    pub claims: FileClaims,
    pub registration: Option<Registration>,
    pub files: Vec<FileHash>,
    /// The stored report was taken for right.
    pub trusts_report: bool,
}

/// Derives every file from the journal. Memory holds the evidence and each text that was sent once; rows of what was
/// received are written as they are read.
pub(crate) fn derive(journal: &Path, output: &dyn Output, options: &Options<'_>) -> Result<Derived, AnalyzeError> {
    let failed = |source| JournalError::Io { file: journal.to_owned(), source };
    let input = Hashed::new(File::open(journal).map_err(failed)?);
    let mut reader = Reader::new(journal, BufReader::with_capacity(1 << 16, input))?;
    let header = reader.header().clone();
    let mut fold = Fold::new(&header);
    let mut tables = Tables::new(&header.run_id, output, options.spreadsheet_safe);

    fold.stream(&mut reader, &mut tables)?;
    let (seal, counts, last_hash, version) = (reader.seal().copied(), reader.counts(), reader.last_hash(), reader.version());
    let (_, journal_file) = reader.into_input().into_inner().finish(JOURNAL);

    let conclusion = conclude(&fold.evidence);
    fold.conclude(&conclusion, &mut tables)?;

    let registration = fold.conduct.registration(&header, &fold.evidence, &conclusion.verdicts);
    let (seal_of, lock, events) = (seal.as_ref(), registration.as_ref(), fold.events.as_slice());
    let wanted = lacuna_report::pictures::wanted(&fold.evidence, &conclusion);
    let Thumbnails { pictures, damaged } = thumbnails::of(options.files, &wanted);
    let found = Found { evidence: &fold.evidence, conclusion: &conclusion, pictures: &pictures };
    let report = report_page::of_run(&header, seal_of, &last_hash, lock, events, &found);
    tables.write_figures(fold.evidence.study(), &report)?;

    let mut files = tables.files;
    let stored = options.stored_report.filter(|_| damaged);
    files.push(stored.map_or_else(|| write(output, REPORT, report.html.as_bytes()), |stored| Ok(stored.clone()))?);
    for (name, svg) in figure_tables::pictures(&report.figures) {
        files.push(write(output, &name, svg.as_bytes())?);
    }
    let package = package::package(&header, &tables.resources);
    files.push(write_json(output, DATA_PACKAGE, &package)?);
    files.extend_from_slice(options.contents);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let sent = fold.evidence.items_sent();
    let end = JournalEnd {
        file: &journal_file,
        version,
        last_hash,
        counts,
        seal: seal.as_ref(),
        registration: lock,
        events,
        sent: &sent,
    };
    write_json(output, MANIFEST, &Manifest::new(&header, &end, &conclusion, &files))?;
    let Conclusion { verdicts, texts, files: claims, .. } = conclusion;
    let trusts_report = stored.is_some();
    Ok(Derived { header, seal, counts, evidence: fold.evidence, verdicts, texts, claims, registration, files, trusts_report })
}

fn write(output: &dyn Output, name: &str, bytes: &[u8]) -> Result<FileHash, AnalyzeError> {
    let write = || -> io::Result<FileHash> {
        let mut hashed = Hashed::new(output.open(name)?);
        hashed.write_all(bytes)?;
        let (artifact, file) = hashed.finish(name);
        artifact.finish()?;
        Ok(file)
    };
    write().map_err(|source| AnalyzeError::write(name, source))
}

fn write_json(output: &dyn Output, name: &str, value: &impl Serialize) -> Result<FileHash, AnalyzeError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|source| AnalyzeError::write(name, source.into()))?;
    text.push(b'\n');
    write(output, name, &text)
}

/// The tables of one derivation.
struct Tables<'o> {
    run_id: RunId,
    output: &'o dyn Output,
    guarded: bool,
    files: Vec<FileHash>,
    resources: Vec<Value>,
}

impl<'o> Tables<'o> {
    fn new(run_id: &RunId, output: &'o dyn Output, guarded: bool) -> Self {
        Self { run_id: run_id.clone(), output, guarded, files: Vec::new(), resources: Vec::new() }
    }

    fn open<R>(&self, table: Table<R>) -> Result<TableWriter<R>, AnalyzeError> {
        let file = table.file();
        TableWriter::new(table, &self.run_id, self.output, self.guarded).map_err(|source| AnalyzeError::write(&file, source))
    }

    fn close<R>(&mut self, writer: TableWriter<R>) -> Result<(), AnalyzeError> {
        let name = writer.file();
        let (table, file) = writer.finish().map_err(|source| AnalyzeError::write(&name, source))?;
        self.resources.push(package::resource(&table, &file));
        self.files.push(file);
        Ok(())
    }

    /// Writes a whole table.
    fn write<R>(&mut self, table: Table<R>, rows: impl Iterator<Item = R>) -> Result<(), AnalyzeError> {
        let mut writer = self.open(table)?;
        for row in rows {
            put(&mut writer, &row)?;
        }
        self.close(writer)
    }

    /// The numbers of the figures.
    fn write_figures(&mut self, study: &Study, report: &Report) -> Result<(), AnalyzeError> {
        let figures = &report.figures;
        self.write(figure_tables::verdicts(), figure_tables::rows(study, &figures.verdicts.rows))?;
        self.write(figure_tables::shares(), figure_tables::rows(study, &figures.shares.rows))?;
        self.write(figure_tables::contrasts(), figure_tables::rows(study, &figures.contrasts.rows))?;
        self.write(figure_tables::timeline(), figure_tables::rows(study, &figures.timeline.rows))?;
        self.write(figure_tables::latency(), figure_tables::rows(study, &figures.latency.rows))
    }
}

fn put<R>(writer: &mut TableWriter<R>, row: &R) -> Result<(), AnalyzeError> {
    writer.row(row).map_err(|source| AnalyzeError::write(&writer.file(), source))
}

/// Whether an entry is about the run or its accounts, and not about a message.
pub(super) fn is_event(entry: &Entry) -> bool {
    match entry {
        Entry::Fact(fact) => {
            matches!(fact, Fact::EpochOpened { .. } | Fact::AccountState { .. } | Fact::Gap { .. } | Fact::StopRequested)
        }
        Entry::Decision(decision) => matches!(decision, Decision::Stopped { .. }),
    }
}

/// What is known of the journal so far.
struct Fold {
    evidence: Evidence,
    contents: Contents,
    /// By probe: what was handed over.
    sent: Vec<Option<Arc<Content>>>,
    conduct: Conduct,
    /// What was journaled of accounts, and of the run as a whole.
    events: Vec<(Timestamp, Entry)>,
}

impl Fold {
    fn new(header: &Header) -> Self {
        Self {
            evidence: Evidence::new(Arc::clone(&header.study)),
            contents: Contents::default(),
            sent: Vec::new(),
            conduct: Conduct::default(),
            events: Vec::new(),
        }
    }

    /// Reads the journal to its end and writes what needs no more than one entry.
    fn stream<R: io::BufRead>(&mut self, reader: &mut Reader<R>, tables: &mut Tables<'_>) -> Result<(), AnalyzeError> {
        let study = Arc::clone(self.evidence.study());
        let mut received = tables.open(sent_tables::received())?;
        let mut changes = Vec::new();
        for line in reader {
            let (sequence, at, entry) = line?;
            self.take(sequence, at, &entry, &mut changes);
            let Entry::Fact(Fact::Observed(observation)) = entry else {
                if is_event(&entry) {
                    self.events.push((at, entry));
                }
                continue;
            };
            if observation.sender.is_none() && observation.kind == ObservationKind::Message {
                // A stranger's: counted by the evidence, kept nowhere.
                continue;
            }
            let content = observation.text.as_ref().map(|text| self.contents.received(text));
            put(&mut received, &ReceivedRow { study: &study, sequence, at, observation, content })?;
        }
        tables.close(received)
    }

    fn take(
        &mut self,
        sequence: EntrySequence,
        at: Timestamp,
        entry: &Entry,
        changes: &mut Vec<lacuna_inference::evidence::Change>,
    ) {
        if let Entry::Fact(Fact::SendStarted { probe, text }) = entry {
            if self.sent.len() <= probe.get() {
                // The reader has checked that the probe was planned, so this grows no further than the plan.
                self.sent.resize(probe.get() + 1, None);
            }
            self.sent[probe.get()] = Some(self.contents.sent(text));
        }
        self.conduct.take(entry);
        self.evidence.apply(sequence, at, entry, changes);
        changes.clear();
    }

    /// What is known of each text.
    fn rules<'a>(&'a self, conclusion: &'a Conclusion) -> Vec<RuleRow<'a>> {
        let mut numbers: BTreeMap<(ArmIx, AccountIx, Vec<ItemIx>), u32> = BTreeMap::new();
        for (number, combination) in (1..).zip(&conclusion.combinations) {
            let mut items = combination.items.clone();
            items.sort_unstable();
            numbers.insert((combination.arm, combination.recipient, items), number);
        }
        let rows = conclusion.texts.iter().flat_map(|record| {
            RuleRow::rows(SearchedText {
                study: self.evidence.study(),
                record,
                combination: numbers.get(&(record.arm, record.recipient, record.items.clone())).copied(),
                first_probe: self.evidence.searches().probes_of(record.arm, &record.items).first().copied(),
            })
        });
        rows.collect()
    }

    /// What is known of files.
    fn write_files(&self, claims: &FileClaims, tables: &mut Tables<'_>) -> Result<(), AnalyzeError> {
        let study = self.evidence.study();
        let exposed = claims.exposure.as_ref().zip(study.exposure.as_ref());
        let claimed = exposed.map(|((record, _), rule)| MechanismRow::Exposed { study, rule, record });
        tables.write(mechanism_tables::mechanisms(), MechanismRow::rows(study, &claims.mechanisms).chain(claimed))?;
        let trials = exposed
            .into_iter()
            .flat_map(|((_, trials), rule)| trials.iter().map(move |trial| ExposureRow { study, rule, trial }));
        tables.write(mechanism_tables::exposures(), trials)
    }

    /// Writes what needs the whole journal.
    fn conclude(&self, conclusion: &Conclusion, tables: &mut Tables<'_>) -> Result<(), AnalyzeError> {
        let study = self.evidence.study();
        let probes = self.evidence.probes();
        let sent = probes.iter().enumerate().map(|(index, record)| SentRow {
            study,
            record,
            content: self.sent.get(index).and_then(Option::as_deref),
            time_block: record.started_at.map(|at| conclusion.tallies.time_block(study.channel(record.probe.channel).arm, at)),
        });
        tables.write(sent_tables::sent(), sent)?;
        tables.write(
            sent_tables::probe_items(),
            probes.iter().flat_map(|record| {
                let items = (1..).zip(&record.probe.items);
                items.map(|(position, item)| ProbeItemRow { study, probe: record.probe.id, position, item: *item })
            }),
        )?;
        tables.write(
            outcome_tables::outcomes(),
            self.evidence.outcomes().map(|outcome| OutcomeRow { study, probe: self.evidence.probe(outcome.probe), outcome }),
        )?;
        tables.write(
            outcome_tables::verdicts(),
            conclusion.verdicts.iter().map(|verdict| VerdictRow::new(conclusion, study, verdict)),
        )?;
        let combinations = (1..).zip(&conclusion.combinations);
        tables.write(
            combination_tables::combinations(),
            combinations.flat_map(|(number, combination)| CombinationRow::rows(study, number, combination)),
        )?;
        tables.write(rule_tables::rules(), self.rules(conclusion).into_iter())?;
        self.write_files(&conclusion.files, tables)?;
        tables.write(control_tables::controls(), conclusion.controls.iter().map(|control| ControlRow { study, control }))?;
        let contrasts = conclusion.contrasts.records.iter().map(|record| ContrastRow {
            study,
            comparison: &conclusion.contrasts.comparisons[record.comparison],
            record,
        });
        tables.write(claim_tables::contrasts(), contrasts)?;
        let enforcement = conclusion.enforcement.iter().map(|record| EnforcementRow { study, record });
        tables.write(claim_tables::enforcement(), enforcement)?;
        let told = self.events.iter().filter_map(|(at, entry)| AccountRow::of(study, *at, entry));
        let inferred = conclusion.account_effects.iter().map(|effect| AccountRow::inferred(study, effect));
        tables.write(account_tables::accounts(), told.chain(inferred))
    }
}
