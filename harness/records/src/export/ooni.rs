//! JSON Lines in the shape of OONI's base data format (`df-000-base`, data format version 0.2.0): a measurement for each item, arm
//! and recipient, with the row of `verdicts.csv` as its `test_keys`.

use std::io::Write;

use lacuna_content::sha256_hex;
use lacuna_model::VenueKind;
use serde_json::{Map, Value, json};

use super::source::{Row, Source, json_of};
use super::{ExportError, Exported};
use crate::time_format::iso8601;

/// What OONI calls the version of its format.
const DATA_FORMAT: &str = "0.2.0";
/// Country and network of a probe that does not share them.
const NO_COUNTRY: &str = "ZZ";
const NO_NETWORK: &str = "AS0";

pub(super) fn write(source: &Source, out: &mut impl Write) -> Result<Exported, ExportError> {
    let mut exported = Exported::default();
    let Some(table) = source.table("verdicts") else { return Ok(exported) };
    for row in source.rows(table)? {
        let failed = |error: std::io::Error| ExportError::io(&source.run)(error);
        serde_json::to_writer(&mut *out, &measurement(source, &row?)).map_err(|error| failed(error.into()))?;
        out.write_all(b"\n").map_err(failed)?;
        exported.count += 1;
    }
    if exported.count == 0 {
        exported.notes.push("the run has no verdicts on items, so there are no measurements".to_owned());
    }
    Ok(exported)
}

fn measurement(source: &Source, row: &Row<'_>) -> Value {
    let header = &source.header;
    let (item_id, arm, recipient) = (row.cell("item_id"), row.cell("arm_id"), row.cell("recipient_account"));
    let opened = iso8601(header.opened_at);
    let started = if row.cell("first_sent_at").is_empty() { opened.as_str() } else { row.cell("first_sent_at") };
    let input = source.item(item_id).map_or(item_id, |item| if item.message.is_empty() { item_id } else { &*item.message });
    let located = row.cell("recipient_located_in");
    let keys = row.table.schema.fields.iter().zip(&row.cells).filter(|(field, _)| !is_common(&field.name));
    let keys: Map<String, Value> = keys.map(|(field, cell)| (field.name.clone(), json_of(field.form, cell))).collect();
    json!({
        "annotations": {
            "engine_name": "lacuna",
            "engine_version": header.engine_version.to_string(),
            "experiment": header.study.name,
            "run_id": header.run_id.as_str(),
        },
        "data_format_version": DATA_FORMAT,
        "extensions": {},
        "id": identifier(&[header.run_id.as_str(), item_id, arm, recipient]),
        "input": input,
        "measurement_start_time": seconds(started),
        "options": [],
        "probe_asn": NO_NETWORK,
        "probe_cc": if located.is_empty() { NO_COUNTRY } else { located },
        "probe_ip": "127.0.0.1",
        "report_id": "",
        "software_name": "lacuna",
        "software_version": header.lacuna_version,
        "test_helpers": {},
        "test_keys": keys,
        "test_name": source.venue(arm).map_or("lacuna", test_name),
        "test_runtime": runtime(row),
        "test_start_time": seconds(&opened),
        // The major version of what the keys mean, and of what is derived.
        "test_version": format!("{}.{}.0", row.cell("schema_version"), source.manifest["projection_version"]),
    })
}

/// The columns that every table begins with.
fn is_common(column: &str) -> bool {
    matches!(column, "schema_version" | "run_id")
}

const fn test_name(venue: VenueKind) -> &'static str {
    match venue {
        VenueKind::Direct => "lacuna_direct",
        VenueKind::Group => "lacuna_group",
        VenueKind::Feed => "lacuna_feed",
    }
}

/// `2016-11-30T08:00:00.000Z` as OONI writes it: without fractions, in UTC.
fn seconds(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}

/// From the first send of the item to the last, and the time that was listened, in seconds.
fn runtime(row: &Row<'_>) -> f64 {
    let at = |column: &str| row.cell(column).parse::<jiff::Timestamp>().ok();
    let sending =
        at("first_sent_at").zip(at("last_sent_at")).map_or(0, |(first, last)| last.as_millisecond() - first.as_millisecond());
    let listened = row.cell("listened_s").parse::<f64>().unwrap_or_default();
    ((sending as f64 + listened * 1e3).round()) / 1e3
}

/// A UUID (version 8, RFC 9562) of these names: the same each time.
fn identifier(names: &[&str]) -> String {
    let hash = sha256_hex(names.join("\0").as_bytes());
    let part = |from: usize, to: usize| hash.get(from..to).unwrap_or_default();
    format!("{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_the_form_of_a_uuid_and_is_the_same_each_time() {
        let id = identifier(&["run", "a/1"]);
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(id, identifier(&["run", "a/1"]));
        assert_ne!(id, identifier(&["run", "a/2"]));
        assert_eq!((&id[14..15], &id[19..20]), ("8", "8"));
    }

    #[test]
    fn times_lose_their_fractions() {
        assert_eq!(seconds("2016-11-30T08:00:01.999Z"), "2016-11-30 08:00:01");
    }
}
