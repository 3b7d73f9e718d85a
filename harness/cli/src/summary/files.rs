//! By what files are filtered, for a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use console::style;
use lacuna_inference::conclusion::FileClaims;
use lacuna_inference::exposure::{ExposureRecord, Surveillance};
use lacuna_inference::mechanism::{Layer, Mechanism, MechanismRecord};
use lacuna_model::{AccountIx, ArmIx, Study};

use crate::table::table;
use crate::visible::visible;

/// What is claimed of files, at most `width` columns wide.
pub fn files(claims: &FileClaims, study: &Study, width: u16) -> String {
    let mut out = mechanisms(&claims.mechanisms, study, width);
    if let Some((record, _)) = &claims.exposure {
        out += &exposure(record, study);
    }
    out
}

/// How many originals each claim holds for: true, false, not known.
type Counts = [u64; 3];

/// The claims of one path.
type Claimed = BTreeMap<(Layer, Option<Mechanism>), Counts>;

fn mechanisms(records: &[MechanismRecord], study: &Study, width: u16) -> String {
    if records.is_empty() {
        return String::new();
    }
    let mut of_path: BTreeMap<(ArmIx, AccountIx), Claimed> = BTreeMap::new();
    for record in records {
        let path = of_path.entry((record.arm, record.recipient)).or_default();
        for claim in &record.claims {
            let counts = path.entry((claim.layer, claim.mechanism)).or_default();
            counts[match claim.supported {
                Some(true) => 0,
                Some(false) => 1,
                None => 2,
            }] += 1;
        }
    }
    let mut out = "\nBy what files are filtered: originals for which it suffices\n".to_owned();
    let mut table = table(width);
    table.set_header(["arm, recipient", "layer", "mechanism", "suffices", "does not", "not known"]);
    for ((arm, recipient), claims) in of_path {
        let path = format!("{}, {}", study.arm(arm).id.as_str(), study.account(recipient).id.as_str());
        for ((layer, mechanism), counts) in claims {
            let mechanism = mechanism.map_or("none", Mechanism::as_str).to_owned();
            let mut row = vec![path.clone(), layer.as_str().to_owned(), mechanism];
            row.extend(counts.map(|count| if count == 0 { "·".to_owned() } else { count.to_string() }));
            table.add_row(row);
        }
    }
    let _ = writeln!(out, "{}", table.trim_fmt());
    out += "mechanisms.csv has each original, and the answers behind each claim\n";
    out
}

fn exposure(record: &ExposureRecord, study: &Study) -> String {
    let Some(rule) = &study.exposure else { return String::new() };
    let arm = |arm: ArmIx| visible(study.arm(arm).id.as_str());
    let (outside, inside) = (arm(rule.outside), arm(rule.inside));
    let claim = match record.claim {
        Surveillance::Surveilled => style("surveilled".to_owned()).red().bold(),
        Surveillance::NotSurveilled => style("not surveilled".to_owned()).green(),
        Surveillance::Inconclusive(reason) => style(format!("inconclusive ({reason})")).yellow(),
    };
    let mut out = format!("\nWhat is shown on {outside}, for {inside}: {claim}\n");
    let _ = writeln!(out, "  {} of {} harmless twins are dropped after the longest delay", record.blocked, record.twins);
    let _ = match record.learning {
        Some((above, Some(at_most))) => writeln!(out, "  learned between {above} and {at_most} after it was shown (95 %)"),
        Some((above, None)) => writeln!(out, "  learned later than {above} after it was shown (95 %)"),
        None => Ok(()),
    };
    out
}
