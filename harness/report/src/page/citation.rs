//! How to cite a run, and the hashes by which it can be checked.

use lacuna_model::time_format::Day;
use maud::{Markup, html};

use super::Content;
use crate::text::name;

pub(super) fn section(content: Content<'_>) -> Markup {
    let run = content.run;
    let study = content.evidence.study();
    let (experiment, id) = (name(&study.name).line(), name(run.id.as_str()).line());
    html! {
        p { "Cite the run with its hash, on which every line of its journal hangs, and cite the corpora that you measured with." }
        pre {
            (experiment) ", run " (id) ", " (Day::of(run.opened_at)) ". Measured with Lacuna " (name(run.lacuna_version).line())
            ".\nJournal hash " (name(run.journal_hash).line()) "."
        }
        p {
            "Whoever has the folder of the run can derive this page and all tables again: " code { "lacuna verify RUN" }
            " compares every file with what follows from the journal. " a href="datapackage.json" { "datapackage.json" }
            " describes the tables, " a href="manifest.json" { "manifest.json" } " has the hash of every file."
        }
        h3 { "Made of" }
        div.scroll tabindex="0" role="region" aria-label="Files that the study was made of" {
            table {
                thead { tr { th scope="col" { "what" } th scope="col" { "file" } th scope="col" { "SHA-256" } } }
                tbody {
                    @for input in run.inputs {
                        tr { th scope="row" { (name(input.kind)) } td { (name(input.path)) } td { code { (name(input.sha256)) } } }
                    }
                }
            }
        }
    }
}
