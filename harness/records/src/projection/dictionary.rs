//! The data dictionary: every table with its columns, keys and words, as Markdown. Made of the definitions by which the tables are
//! written, so that it cannot say anything else.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::table::Table;
use super::words::{Vocabulary, vocabulary};
use super::{
    SCHEMA_VERSION, account_tables, change_tables, claim_tables, combination_tables, control_tables, figure_tables,
    mechanism_tables, outcome_tables, rule_tables, sent_tables,
};

/// A table without its rows.
struct Described {
    name: &'static str,
    meaning: &'static str,
    schema: Value,
}

fn described<R>(table: &Table<R>) -> Described {
    Described { name: table.name, meaning: table.meaning, schema: table.schema() }
}

/// Every table of a run, in the order in which a reader meets them.
fn tables() -> Vec<Described> {
    vec![
        described(&outcome_tables::verdicts()),
        described(&outcome_tables::outcomes()),
        described(&sent_tables::sent()),
        described(&sent_tables::probe_items()),
        described(&sent_tables::received()),
        described(&combination_tables::combinations()),
        described(&rule_tables::rules()),
        described(&mechanism_tables::mechanisms()),
        described(&mechanism_tables::exposures()),
        described(&claim_tables::contrasts()),
        described(&claim_tables::enforcement()),
        described(&control_tables::controls()),
        described(&account_tables::accounts()),
        described(&figure_tables::verdicts()),
        described(&figure_tables::shares()),
        described(&figure_tables::contrasts()),
        described(&figure_tables::timeline()),
        described(&figure_tables::latency()),
        described(&change_tables::changes()),
        described(&change_tables::lifetimes()),
    ]
}

/// The whole dictionary, as Markdown.
#[must_use]
pub fn data_dictionary() -> String {
    let tables = tables();
    let mut vocabularies = BTreeMap::new();
    let mut out = String::from(INTRODUCTION);
    let _ = writeln!(
        out,
        "`schema_version` of every row is {SCHEMA_VERSION}. It and `run_id` stand before the columns listed here.\n"
    );
    for table in &tables {
        describe(&mut out, table, &mut vocabularies);
    }
    out.push_str("## Words\n");
    for (name, words) in vocabularies {
        let _ = write!(out, "\n### {name}\n\n| word | meaning |\n|---|---|\n");
        for (word, meaning) in words {
            let _ = writeln!(out, "| `{word}` | {} |", cell(meaning));
        }
    }
    out
}

const INTRODUCTION: &str = "\
<!-- Made by `lacuna schema tables`; change what it is made of, not this file. -->

# Data dictionary

Every table that is derived from a run, and those of `lacuna compare` (the last two), column by column. [A run's folder](file-formats.md#a-runs-folder) says which other files there are, and
[Reading verdicts](reading-verdicts.md) how the tables are read. `datapackage.json` in each run says the same for programs
([Table Schema](https://specs.frictionlessdata.io/table-schema/)).

CSV is RFC 4180 in UTF-8 without a byte order mark; lines end with LF. A missing value is an empty cell; any column may be empty, except
those of a key. Moments (`datetime`) are ISO 8601 in UTC with milliseconds and `Z`. `boolean` is `true` or `false`. Numbers that are no counts
have up to six significant digits. Columns are only ever appended to a table of a schema version: never renamed, moved or removed.
";

/// By name, the words of each vocabulary that was met so far.
type Vocabularies = BTreeMap<&'static str, Vec<(&'static str, &'static str)>>;

fn describe(out: &mut String, table: &Described, vocabularies: &mut Vocabularies) {
    let Described { name, meaning, schema } = table;
    let _ = write!(out, "## {name}.csv\n\n{meaning}\n\n");
    if let Some(keys) = schema["primaryKey"].as_array() {
        let keys: Vec<String> = keys.iter().filter_map(Value::as_str).map(|key| format!("`{key}`")).collect();
        let _ = writeln!(out, "Key: {}.\n", keys.join(", "));
    }
    let foreign = schema["foreignKeys"].as_array();
    if let Some(keys) = foreign {
        let keys: Vec<String> = keys.iter().map(reference).collect();
        let _ = writeln!(out, "References: {}.\n", keys.join("; "));
    }
    out.push_str("| column | type | meaning |\n|---|---|---|\n");
    // The first two are the same everywhere.
    for field in schema["fields"].as_array().into_iter().flatten().skip(2) {
        let text = |key: &str| field[key].as_str().unwrap_or_default();
        let column = text("name");
        let form = words(field, vocabulary(name, column), vocabularies).unwrap_or_else(|| text("type").to_owned());
        let _ = writeln!(out, "| `{column}` | {form} | {} |", cell(text("description")));
    }
    out.push('\n');
}

fn reference(key: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let table = text(&key["reference"]["resource"]);
    format!("`{}` → [{table}.csv](#{table}csv) `{}`", text(&key["fields"]), text(&key["reference"]["fields"]))
}

/// For a column of words, which ones; they are noted for the end.
fn words(field: &Value, known: Option<Vocabulary>, vocabularies: &mut Vocabularies) -> Option<String> {
    let words = field["constraints"]["enum"].as_array()?;
    let listed = |known: &Vocabulary| words.iter().all(|word| known.words.iter().any(|(name, _)| Some(*name) == word.as_str()));
    let Some(known) = known.filter(listed) else {
        // A test holds that this does not happen; the words themselves are right in any case.
        let words: Vec<String> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        return Some(words.join(", "));
    };
    let anchor = known.name.to_lowercase().replace(' ', "-");
    let all = words.len() == known.words.len();
    let link = format!("{}[{}](#{anchor})", if all { "" } else { "some of " }, known.name.to_lowercase());
    vocabularies.insert(known.name, known.words);
    Some(link)
}

/// Text in a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::projection::table_files;

    #[test]
    fn every_table_is_described() {
        let described: BTreeSet<String> = tables().iter().map(|table| format!("{}.csv", table.name)).collect();
        let compared = ["changes.csv", "lifetimes.csv"].map(str::to_owned);
        let written: BTreeSet<String> = table_files().map(|(table, _)| table).chain(compared).collect();
        assert_eq!(described, written);
    }

    #[test]
    fn every_word_of_every_column_has_a_meaning_and_no_other_has() {
        let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let mut known = Vocabularies::new();
        for table in tables() {
            for field in table.schema["fields"].as_array().unwrap() {
                let Some(words) = field["constraints"]["enum"].as_array() else { continue };
                let column = field["name"].as_str().unwrap();
                let vocabulary = vocabulary(table.name, column).unwrap_or_else(|| {
                    panic!("{}.csv: the words of `{column}` have no meaning in projection/words.rs", table.name)
                });
                let words: BTreeSet<String> = words.iter().map(|word| word.as_str().unwrap().to_owned()).collect();
                for word in &words {
                    let meaning = vocabulary.words.iter().find(|(known, _)| known == word);
                    assert!(meaning.is_some_and(|(_, meaning)| meaning.ends_with('.')), "{}.csv, {column}: {word}", table.name);
                }
                used.entry(vocabulary.name).or_default().extend(words);
                known.insert(vocabulary.name, vocabulary.words);
            }
        }
        for (name, words) in known {
            let words: BTreeSet<String> = words.iter().map(|(word, _)| (*word).to_owned()).collect();
            assert_eq!(words, used[name], "{name}");
        }
    }
}
