//! The answer in a sentence with its denominator, and the counts behind it.

use std::collections::BTreeMap;

use lacuna_inference::categories::is_kept;
use lacuna_inference::conclusion::Conclusion;
use lacuna_model::{ItemIx, Role, Study, Verdict};
use maud::{Markup, html};

use super::{Content, files};
use crate::path::{Path, paths};
use crate::text::name;
use crate::words::{self, count, counted, percent};

/// What is counted for one path.
struct Counts {
    path: Path,
    /// In the order of [`Verdict::ALL`].
    verdicts: [u64; Verdict::ALL.len()],
    filter_seen: bool,
}

pub(super) fn section(content: Content<'_>) -> Markup {
    let study = content.evidence.study();
    if let Some(of_files) = files::answer(study, content.conclusion) {
        return html! { (of_files) (files::note(study)) };
    }
    let counts = tally(content, Role::Candidate);
    html! {
        (sentence(study, content.conclusion))
        (table(study, &counts))
        p.note { "Candidates only. Each line adds up to all of them; verdicts that occur nowhere have no column." }
        (canaries(content))
    }
}

pub(super) fn sentence(study: &Study, conclusion: &Conclusion) -> Markup {
    let mut items: BTreeMap<ItemIx, (bool, bool)> = BTreeMap::new();
    let (mut cases, mut open) = (0u64, 0u64);
    for record in &conclusion.verdicts {
        if study.item(record.unit.item).role != Role::Candidate {
            continue;
        }
        let (kept, late) = items.entry(record.unit.item).or_default();
        *kept |= is_kept(record.verdict);
        *late |= record.verdict == Verdict::Delayed;
        cases += 1;
        open += u64::from(matches!(record.verdict, Verdict::Inconclusive | Verdict::Inconsistent));
    }
    let all = items.len() as u64;
    let kept = items.values().filter(|(kept, _)| *kept).count() as u64;
    let late = items.values().filter(|(kept, late)| !kept && *late).count() as u64;
    let share =
        |part: u64, whole: u64| if whole == 0 { String::new() } else { format!(" ({})", percent(part as f64 / whole as f64)) };
    html! {
        p.answer {
            @if all == 0 {
                "No candidate was part of this run."
            } @else if open == cases {
                "Nothing can be concluded about any of " strong { (counted(all, "candidate")) } "."
            } @else if kept == 0 {
                "None of " strong { (counted(all, "candidate")) } " is kept from anybody, as far as this run can tell."
            } @else {
                strong { (count(kept)) " of " (counted(all, "candidate")) (share(kept, all)) }
                " " (if kept == 1 { "is" } else { "are" }) " kept from at least one recipient."
            }
            @if late > 0 { " " (counted(late, "more candidate")) " " (if late == 1 { "arrives" } else { "arrive" }) " late." }
            @if open > 0 && open < cases {
                " There is no conclusion in " (count(open)) " of " (counted(cases, "case")) (share(open, cases))
                ", a case being an item on an arm for a recipient."
            }
        }
    }
}

fn tally(content: Content<'_>, role: Role) -> Vec<Counts> {
    let study = content.evidence.study();
    let counts = |path| Counts { path, verdicts: [0; Verdict::ALL.len()], filter_seen: false };
    let mut of_path: BTreeMap<Path, Counts> = paths(study).into_iter().map(|path| (path, counts(path))).collect();
    for record in &content.conclusion.verdicts {
        let path = Path { arm: record.unit.arm, recipient: record.unit.recipient };
        if let (true, Some(counts)) = (study.item(record.unit.item).role == role, of_path.get_mut(&path)) {
            counts.filter_seen |= record.filter_seen;
            if let Some(place) = Verdict::ALL.iter().position(|verdict| *verdict == record.verdict) {
                counts.verdicts[place] += 1;
            }
        }
    }
    paths(study).into_iter().filter_map(|path| of_path.remove(&path)).collect()
}

fn table(study: &Study, counts: &[Counts]) -> Markup {
    let occurs = |place: usize| counts.iter().any(|line| line.verdicts[place] > 0);
    let columns: Vec<usize> = (0..Verdict::ALL.len()).filter(|place| occurs(*place)).collect();
    html! {
        div.scroll tabindex="0" role="region" aria-label="Verdicts by arm and recipient" {
            table {
                thead {
                    tr {
                        th scope="col" { "arm" }
                        th scope="col" { "recipient" }
                        @for place in &columns { th.number scope="col" { (Verdict::ALL[*place]) } }
                        th scope="col" { "filter seen" }
                    }
                }
                tbody {
                    @for line in counts {
                        @let account = study.account(line.path.recipient);
                        tr {
                            th scope="row" { (name(study.arm(line.path.arm).id.as_str())) }
                            td { (name(account.id.as_str())) " (" (account.registered_in) ")" }
                            @for place in &columns { td.number { (count(line.verdicts[*place])) } }
                            td { (if line.filter_seen { "yes" } else { "no" }) }
                        }
                    }
                }
            }
        }
    }
}

/// What is known to be dropped: where it arrives, silence proves nothing.
fn canaries(content: Content<'_>) -> Markup {
    let study = content.evidence.study();
    let of_role = content.conclusion.verdicts.iter().filter(|it| study.item(it.unit.item).role == Role::Canary);
    let (mut all, mut kept) = (0, 0);
    for record in of_role {
        all += 1;
        kept += u64::from(is_kept(record.verdict));
    }
    html! {
        @if all > 0 {
            p { "Of the canaries, which are known to be dropped, " (words::of(kept, all)) " cases were found kept." }
        }
    }
}
