//! What a run found, as the Markdown that a CI service shows beside a job.
//!
//! GitHub takes at most 1 MiB a step and shows nothing where there is more, so that the text is written within a budget of
//! bytes: tables are cut and say so, and the answer stands before them.

use lacuna_inference::conclusion::Conclusion;
use lacuna_inference::evidence::Evidence;
use lacuna_model::time_format::iso8601;
use lacuna_model::{AccountCondition, AccountIx, ArmIx, Entry, Fact, ItemIx, Role, StopReason, Study, Verdict};

use crate::ending::Ending;
use crate::markdown::{Align, Cell, Table, foreign, paragraph};
use crate::page;
use crate::path::{Path, paths};
use crate::run::Run;
use crate::text;
use crate::words::{self, counted, of};

/// The most sentences that are told of a failure, and events of a run.
const MOST_LINES: usize = 100;

/// The summary of a run that has a journal, in at most `budget` bytes.
#[must_use]
pub fn of_run(run: &Run<'_>, evidence: &Evidence, conclusion: &Conclusion, ending: Ending<'_>, budget: usize) -> String {
    let study = evidence.study();
    let mut summary = Summary { text: String::new(), budget };
    summary.paragraph(&format!("## {}: {}", foreign(text::name(&study.name)), ending.in_words()));
    summary.paragraph(&paragraph(text::sentence(&study.question)));
    summary.failures(ending);
    summary.paragraph(&page::answer(study, conclusion).into_string());
    if let Some(reason) = run.stopped().filter(|reason| *reason != StopReason::Finished) {
        summary.paragraph(&format!("**Stopped early:** {}. What is told here was known by then.", words::stop(reason)));
    }
    summary.paragraph(&facts(run, evidence));
    if study.mechanism.is_none() && study.exposure.is_none() {
        summary.table("Verdicts, by arm and recipient", &verdicts(study, conclusion), Part::Half, "verdicts.csv");
    } else {
        summary.table("Controls, by arm and recipient", &controls(study, conclusion), Part::Half, "controls.csv");
    }
    summary.table("Stops and deviations", &deviations(run, study), Part::Half, "accounts.csv, with manifest.json,");
    if study.mechanism.is_none() && study.exposure.is_none() {
        summary.table("Findings", &findings(study, conclusion), Part::Rest, "verdicts.csv");
    }
    summary.text
}

/// The summary of a run that could not begin, or of which nothing could be read.
#[must_use]
pub fn of_failure(experiment: &str, ending: Ending<'_>, budget: usize) -> String {
    let mut summary = Summary { text: String::new(), budget };
    summary.paragraph(&format!("## {}: {}", foreign(text::name(experiment)), ending.in_words()));
    summary.failures(ending);
    summary.text
}

/// How much of what is left a table may take.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Half,
    Rest,
}

/// A text that never is longer than its budget.
struct Summary {
    text: String,
    budget: usize,
}

impl Summary {
    fn left(&self) -> usize {
        self.budget.saturating_sub(self.text.len())
    }

    /// Adds a paragraph, if there is anything in it and room for it.
    fn paragraph(&mut self, paragraph: &str) {
        if !paragraph.is_empty() && paragraph.len() + 2 <= self.left() {
            self.text += paragraph;
            self.text += "\n\n";
        }
    }

    /// Adds a table under its heading; without rows neither.
    fn table(&mut self, heading: &str, table: &Table, part: Part, all_in: &str) {
        let heading = format!("### {heading}\n\n");
        let budget = if part == Part::Half { self.left() / 2 } else { self.left() };
        // What follows begins a paragraph of its own.
        let table = if table.is_empty() { String::new() } else { table.within(budget.saturating_sub(heading.len() + 1), all_in) };
        if !table.is_empty() {
            self.text += &heading;
            self.text += &table;
            self.text.push('\n');
        }
    }

    fn failures(&mut self, ending: Ending<'_>) {
        let Ending::Failed(sentences) = ending else { return };
        let mut table = Table::new(&[("what is wrong", Align::Left)]);
        for sentence in sentences {
            table.row([Cell::sentence(sentence)]);
        }
        self.paragraph(table.within(self.left() / 2, "the log of the job").trim_end());
    }
}

/// Which run it was, when, and how many messages.
fn facts(run: &Run<'_>, evidence: &Evidence) -> String {
    let sent = |controls: bool| {
        let of_role = evidence.probes().iter().filter(|it| (it.probe.role == Role::Control) == controls);
        of_role.filter(|it| it.started_at.is_some()).count() as u64
    };
    let (candidates, controls) = (sent(false), sent(true));
    let lasted = match run.sealed_at {
        Some(sealed_at) => format!(", for {}", words::length(sealed_at - run.opened_at)),
        None => ", **not at its end**".to_owned(),
    };
    format!(
        "Run {}, {}{lasted}. {}: {} of candidates, {}.",
        foreign(text::name(run.id.as_str())),
        iso8601(run.opened_at),
        counted(candidates + controls, "message"),
        words::count(candidates),
        counted(controls, "control"),
    )
}

/// The cells that name a path.
fn names(study: &Study, path: Path) -> [Cell; 2] {
    let account = study.account(path.recipient);
    [Cell::name(study.arm(path.arm).id.as_str()), Cell::name(&format!("{} ({})", account.id, account.registered_in))]
}

fn control_loss(conclusion: &Conclusion, path: Path) -> Cell {
    let controls = conclusion.tallies.controls(path.arm, path.recipient);
    Cell::words(&of(controls.losses, controls.sends))
}

fn verdicts(study: &Study, conclusion: &Conclusion) -> Table {
    let of_path = |path: Path| {
        let mut counts = [0u64; Verdict::ALL.len()];
        for record in conclusion.verdicts.iter().filter(|it| it.unit.arm == path.arm && it.unit.recipient == path.recipient) {
            if let Some(place) = Verdict::ALL.iter().position(|verdict| *verdict == record.verdict) {
                counts[place] += 1;
            }
        }
        (path, counts)
    };
    let lines: Vec<(Path, [u64; Verdict::ALL.len()])> = paths(study).into_iter().map(of_path).collect();
    let columns: Vec<usize> =
        (0..Verdict::ALL.len()).filter(|place| lines.iter().any(|(_, counts)| counts[*place] > 0)).collect();
    let mut header = vec![("arm", Align::Left), ("recipient", Align::Left)];
    header.extend(columns.iter().map(|place| (Verdict::ALL[*place].as_str(), Align::Right)));
    header.extend([("all", Align::Right), ("controls lost", Align::Right)]);
    let mut table = Table::new(&header);
    for (path, counts) in lines {
        let counted = columns.iter().map(|place| Cell::count(counts[*place]));
        let all = Cell::count(counts.iter().sum());
        table.row(names(study, path).into_iter().chain(counted).chain([all, control_loss(conclusion, path)]));
    }
    table
}

fn controls(study: &Study, conclusion: &Conclusion) -> Table {
    let mut table = Table::new(&[("arm", Align::Left), ("recipient", Align::Left), ("controls lost", Align::Right)]);
    for path in paths(study) {
        table.row(names(study, path).into_iter().chain([control_loss(conclusion, path)]));
    }
    table
}

/// What does not simply arrive; recipients for whom the same is found stand together.
fn findings(study: &Study, conclusion: &Conclusion) -> Table {
    let mut rows: Vec<(ItemIx, ArmIx, Verdict, Vec<AccountIx>)> = Vec::new();
    for record in conclusion.verdicts.iter().filter(|it| is_finding(it.verdict)) {
        let unit = record.unit;
        match rows.last_mut() {
            Some((item, arm, verdict, recipients)) if (*item, *arm, *verdict) == (unit.item, unit.arm, record.verdict) => {
                recipients.push(unit.recipient);
            }
            _ => rows.push((unit.item, unit.arm, record.verdict, vec![unit.recipient])),
        }
    }
    let header = ["verdict", "item", "text", "category", "arm", "recipients"].map(|name| (name, Align::Left));
    let mut table = Table::new(&header);
    for (item, arm, verdict, recipients) in rows {
        let item = study.item(item);
        let recipients: Vec<&str> = recipients.iter().map(|it| study.account(*it).id.as_str()).collect();
        table.row([
            Cell::words(verdict.as_str()),
            Cell::name(item.id.as_str()),
            Cell::excerpt(&item.message),
            Cell::name(&item.category),
            Cell::name(study.arm(arm).id.as_str()),
            Cell::sentence(&recipients.join(", ")),
        ]);
    }
    table
}

/// Whether a verdict is something to be told.
pub(crate) fn is_finding(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Delivered | Verdict::Inconclusive)
}

/// Where the run departs from what was locked, and what happened to it and its accounts.
fn deviations(run: &Run<'_>, study: &Study) -> Table {
    let mut table = Table::new(&["what", "of", "what is known"].map(|name| (name, Align::Left)));
    for deviation in run.registration.iter().flat_map(|it| &it.deviations) {
        table.row([Cell::words(deviation.kind), Cell::name(deviation.subject), Cell::sentence(deviation.detail)]);
    }
    if let Some(reason) = run.registration.and_then(|it| it.reason) {
        table.row([Cell::words("deviates from its lock"), Cell::words("run"), Cell::sentence(reason)]);
    }
    let mut told = 0;
    for (_, entry) in run.events {
        let row = match entry {
            Entry::Fact(Fact::EpochOpened { epoch: 1.., .. }) => [Cell::words("resumed"), Cell::words("run"), Cell::words("")],
            Entry::Fact(Fact::AccountState { account, condition: AccountCondition::Sanctioned, detail }) => {
                [Cell::words("sanctioned"), Cell::name(study.account(*account).id.as_str()), Cell::sentence(detail)]
            }
            Entry::Fact(Fact::Gap { account, detail }) => {
                [Cell::words("may have missed messages"), Cell::name(study.account(*account).id.as_str()), Cell::sentence(detail)]
            }
            _ => continue,
        };
        told += 1;
        if told <= MOST_LINES {
            table.row(row);
        }
    }
    if let Some(more @ 1..) = told.checked_sub(MOST_LINES) {
        table.row([Cell::words("and more of these"), Cell::count(more as u64), Cell::words("accounts.csv has all")]);
    }
    table
}
