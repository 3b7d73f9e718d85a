//! `lacuna corpus import`.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use lacuna_records::corpus::{self, ImportOptions, ImportReport, JoinerChoice};
use serde_json::json;

use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::output::{print_json, print_lines};
use crate::visible::visible;

/// Rows that were merged or refused are listed up to this many; the corpus's notes name the merged ones.
const MOST_LISTED: usize = 20;

/// What to import, and what the list does not say itself.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  lacuna corpus import keywords.csv --id my-list --title 'My list' \\\n    --licence CC-BY-4.0 --out corpora/my-list\n\n\
                  Nothing is overwritten. Encodings, joiners (`+`, ` + `, blanks), wildcards (`*X*`) and dates are recognised, and \
                  every change is counted in the report and kept in the item's notes."
)]
pub struct Arguments {
    /// The list
    list: PathBuf,
    /// The id of the corpus: small letters, digits and hyphens
    #[arg(long)]
    id: String,
    /// The title of the corpus
    #[arg(long)]
    title: String,
    /// The licence of the list, best as an SPDX expression
    #[arg(long)]
    licence: String,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where the list comes from, best a web address
    #[arg(long, default_value = "", hide_default_value = true)]
    source: String,
    /// The column that holds the keywords; by default found by its name
    #[arg(long, value_name = "HEADER")]
    text_column: Option<String>,
    /// How the components of a combination stand together: a text, `none` (there are no combinations), or `auto`: by `+`, and by
    /// blanks in rows that the list calls combinations
    #[arg(long, default_value = "auto")]
    joiner: String,
    /// The language (BCP 47) of rows that state none
    #[arg(long, default_value = "und", value_name = "TAG")]
    language: String,
    /// The encoding, such as gb18030 or big5; by default found
    #[arg(long, value_name = "LABEL")]
    encoding: Option<String>,
}

/// Makes a corpus of a list.
pub fn run(arguments: Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    let Arguments { list, id, title, licence, out, source, text_column, joiner, language, encoding } = arguments;
    let joiner = match joiner.as_str() {
        "auto" => JoinerChoice::Auto,
        "none" => JoinerChoice::None,
        _ => JoinerChoice::Given(joiner),
    };
    let options = ImportOptions { id, title, licence, source, text_column, joiner, language: Some(language), encoding };
    let report = corpus::import(&list, &out, &options).map_err(|error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Failure::input(format!("{error}{cause}"))
    })?;
    match output {
        OutputFormat::Human => print_lines(&human(&report, &out.display().to_string()))?,
        OutputFormat::Json => print_json(&as_json(&report))?,
    }
    Ok(Exit::Done)
}

fn human(report: &ImportReport, out: &str) -> Vec<String> {
    let mark = if report.byte_order_mark { " with a byte order mark" } else { "" };
    let column = report.text_column.as_ref().map(|column| format!(", texts from column `{}`", visible(column)));
    let (merged, refused) = (report.merged.len(), report.refused.len());
    let mut lines = vec![
        format!("read as {}{mark}{}", report.encoding, column.unwrap_or_default()),
        format!("{} rows: {} items in {out}, {merged} merged, {refused} refused", report.rows, report.items),
    ];
    for (components, rows) in &report.components {
        lines.push(format!("{rows:>8} of {components} {}", if *components == 1 { "component" } else { "components" }));
    }
    lines.extend(report.changes.iter().map(|(change, rows)| format!("{rows:>8} {}", change.as_str())));
    for (what, problems) in [("merged", &report.merged), ("refused", &report.refused)] {
        let listed = problems.iter().take(MOST_LISTED);
        lines.extend(listed.map(|problem| format!("{what}: {}", visible(&problem.to_string()))));
        if let Some(more @ 1..) = problems.len().checked_sub(MOST_LISTED) {
            lines.push(format!("{what}: and {more} more"));
        }
    }
    lines
}

fn as_json(report: &ImportReport) -> serde_json::Value {
    let problems = |problems: &[lacuna_model::Problem]| {
        let rows = problems.iter().map(|it| json!({ "line": it.location.line, "message": it.message, "fix": it.fix }));
        rows.collect::<Vec<_>>()
    };
    let changes = report.changes.iter().map(|(change, rows)| (change.as_str().to_owned(), json!(rows)));
    json!({
        "encoding": report.encoding,
        "byte_order_mark": report.byte_order_mark,
        "text_column": report.text_column,
        "rows": report.rows,
        "items": report.items,
        "components": report.components,
        "changes": changes.collect::<serde_json::Map<_, _>>(),
        "merged": problems(&report.merged),
        "refused": problems(&report.refused),
    })
}
