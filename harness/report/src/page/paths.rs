//! How each path behaved: the loss among the controls, the bound by which drops are judged, the checks of its screen.

use lacuna_model::{Outcome, Role};
use maud::{Markup, html};
use std::collections::BTreeMap;

use super::Content;
use crate::path::{Path, paths};
use crate::text::name;
use crate::words::{count, of, percent};

pub(super) fn section(content: Content<'_>) -> Markup {
    let study = content.evidence.study();
    let tallies = &content.conclusion.tallies;
    let mut sends: BTreeMap<Path, [u64; 2]> = BTreeMap::new();
    for row in content.evidence.outcomes() {
        let record = content.evidence.probe(row.probe);
        if record.probe.role != Role::Control && record.is_accepted() {
            let path = Path { arm: study.channel(record.probe.channel).arm, recipient: row.recipient };
            let [all, void] = sends.entry(path).or_default();
            *all += 1;
            *void += u64::from(row.outcome == Outcome::Void);
        }
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Loss and sends of each path" {
            table {
                thead {
                    tr {
                        th scope="col" { "arm" }
                        th scope="col" { "recipient" }
                        th scope="col" { "connects from" }
                        th.number scope="col" { "controls lost" }
                        th.number scope="col" { "loss, upper bound" }
                        th.number scope="col" { "sends of items" }
                        th.number scope="col" { "of them void" }
                    }
                }
                tbody {
                    @for path in paths(study) {
                        @let account = study.account(path.recipient);
                        @let controls = tallies.controls(path.arm, path.recipient);
                        @let [all, void] = sends.get(&path).copied().unwrap_or_default();
                        tr {
                            th scope="row" { (name(study.arm(path.arm).id.as_str())) }
                            td { (name(account.id.as_str())) " (" (account.registered_in) ")" }
                            td { (account.located_in) }
                            td.number { @if controls.sends == 0 { "none counted" } @else { (of(controls.losses, controls.sends)) } }
                            td.number { (percent(tallies.baseline(path.arm, path.recipient).upper_bound())) }
                            td.number { (count(all)) }
                            td.number { (count(void)) }
                        }
                    }
                }
            }
        }
        p.note {
            "Lost: missing although messages around it arrived. The bound, 99 % and one-sided, is over controls and everything else that cannot \
             have been blocked; drops are judged by it. Void: missing, and nothing shows that the path was alive."
        }
    }
}
