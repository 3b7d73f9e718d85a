//! Contact sheets: what the files of a run look like, beside what became of them.

use std::collections::BTreeMap;

use lacuna_inference::mechanism::MechanismRecord;
use lacuna_model::{ItemIx, Verdict};
use maud::{Markup, html};

use super::{Content, files, matrix};
use crate::pictures::{self, Picture, address, is_picture, of_verdicts};
use crate::text::{name, sentence};
use crate::words::{count, counted};

/// The pictures that were sent, each with its verdicts; `None` where there are none, or where a design about files shows them itself.
pub(super) fn section(content: Content<'_>) -> Option<Markup> {
    let study = content.evidence.study();
    if study.mechanism.is_some() || study.exposure.is_some() {
        return None;
    }
    let items = of_verdicts(study, content.conclusion);
    let mut verdicts: BTreeMap<ItemIx, BTreeMap<Verdict, u64>> = BTreeMap::new();
    for record in &content.conclusion.verdicts {
        *verdicts.entry(record.unit.item).or_default().entry(record.verdict).or_default() += 1;
    }
    (!items.is_empty()).then(|| {
        html! {
            p { "The pictures that were sent, those first of which something was found. Behind a verdict: on how many paths." }
            ul.contact {
                @for item in items.iter().take(pictures::MOST) {
                    li {
                        (picture(content, *item))
                        span.caption { (name(study.item(*item).id.as_str())) }
                        @for (verdict, paths) in verdicts.get(item).into_iter().flatten() {
                            span.says { (matrix::chip(*verdict)) " " (count(*paths)) }
                        }
                    }
                }
            }
            @if items.len() > pictures::MOST {
                p.note { "and " (counted((items.len() - pictures::MOST) as u64, "more picture")) ": verdicts.csv has all." }
            }
            (left_out(content, items.iter().take(pictures::MOST).copied()))
        }
    })
}

/// What was sent of an original, cell by cell.
pub(super) fn of_cells(content: Content<'_>, record: &MechanismRecord) -> Markup {
    html! {
        ul.contact {
            @for cell in &record.cells {
                li {
                    (picture(content, cell.file))
                    span.caption { strong { (cell.cell) } " " small { (cell.answers) } }
                    span.says { (files::chip(cell.says)) }
                }
            }
        }
    }
}

/// Whether a file could be looked at.
pub(super) fn can_be_seen(content: Content<'_>, item: ItemIx) -> bool {
    let file = content.evidence.study().item(item).file.as_deref();
    file.is_some_and(|file| is_picture(file.facts.format))
}

/// The file of an item as it looks; or in its place its name, and why it cannot be seen.
pub(super) fn picture(content: Content<'_>, item: ItemIx) -> Markup {
    let item = content.evidence.study().item(item);
    let Some(file) = item.file.as_deref() else { return html! {} };
    let (id, file_name) = (name(item.id.as_str()), name(&file.facts.name));
    let because = match content.pictures.get(&file.facts.sha256) {
        Some(Picture::Thumbnail { jpeg, width, height }) => {
            let words = format!("{}, sent as {}", id.line(), file_name.line());
            return html! { img src=(address(jpeg)) width=(width) height=(height) alt=(words) decoding="async"; };
        }
        Some(Picture::Unknown(because)) => because.as_str(),
        None if is_picture(file.facts.format) => "is left out here",
        None => "is no picture",
    };
    html! { span.unseen { (file_name) " " (sentence(because)) } }
}

/// How many pictures are left out to keep the page small.
pub(super) fn left_out(content: Content<'_>, items: impl Iterator<Item = ItemIx>) -> Markup {
    let study = content.evidence.study();
    let is_left_out = |item: &ItemIx| {
        let file = study.item(*item).file.as_deref().map(|file| &file.facts);
        file.is_some_and(|facts| is_picture(facts.format) && !content.pictures.contains_key(&facts.sha256))
    };
    let left = items.filter(is_left_out).count() as u64;
    html! {
        @if left > 0 {
            p.note {
                (counted(left, "picture")) " " (if left == 1 { "is" } else { "are" })
                " left out to keep this page small. All files stand in files/, each under the SHA-256 that sent.csv has."
            }
        }
    }
}
