//! `lacuna diff`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use lacuna_records::diff::{ColumnNames, DiffError, Summary, diff};
use serde_json::json;

use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::output::NewFile;
use crate::visible::visible;

/// What to compare.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  lacuna diff sent.csv received.csv --sent-columns text=body,at=time \\\n    --received-columns venue= -o pairs.csv\n\n\
                  Columns are text, at, id, sender, recipient and venue; only text is needed. `venue=` says that a log has no such \
                  column. The answer has a row for each pair and for each row without a partner; verdict is delivered, altered, \
                  missing, unexpected or duplicate, latency_ms is in milliseconds."
)]
pub struct Arguments {
    /// The log of what was sent (CSV with a header)
    sent: PathBuf,
    /// The log of what was received (CSV with a header)
    received: PathBuf,
    /// Which columns of the sent log mean what; what is not given is found by the usual names
    #[arg(long, value_name = "COLUMN=HEADER,…", default_value = "", hide_default_value = true, value_parser = ColumnNames::parse)]
    sent_columns: ColumnNames,
    /// Which columns of the received log mean what
    #[arg(long, value_name = "COLUMN=HEADER,…", default_value = "", hide_default_value = true, value_parser = ColumnNames::parse)]
    received_columns: ColumnNames,
    /// Where the answer goes (CSV). Without it the answer is on stdout and the counts are on stderr
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Compares two logs.
pub fn run(arguments: &Arguments, format: OutputFormat) -> Result<Exit, Failure> {
    let Arguments { sent, received, sent_columns, received_columns, output } = arguments;
    let compare = |out: &mut dyn Write| diff(sent, received, sent_columns, received_columns, out);
    let compared = match output {
        None => compare(&mut io::stdout().lock()),
        Some(path) => {
            let mut out = NewFile::create(path, &[sent, received])?;
            let compared = compare(&mut out);
            if compared.is_ok() {
                out.finish()?;
            }
            compared
        }
    };
    let summary = match compared {
        Ok(summary) => summary,
        // A reader that has seen enough (`| head`) is no failure.
        Err(DiffError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe && output.is_none() => return Ok(Exit::Done),
        Err(DiffError::Input(problems)) => return Err(Failure::Problems(problems)),
        Err(error @ DiffError::Output(_)) => return Err(Failure::fault(error)),
    };
    let told = match format {
        OutputFormat::Human => human(&summary),
        OutputFormat::Json => json(&summary),
    };
    // Stdout belongs to the answer where no file was named.
    if output.is_some() {
        crate::output::print(&told)?;
    } else {
        eprint!("{told}");
    }
    Ok(Exit::Done)
}

fn counts(summary: &Summary) -> [(&'static str, u64); 5] {
    let counts = &summary.counts;
    [
        ("delivered", counts.delivered),
        ("altered", counts.altered),
        ("missing", counts.missing),
        ("unexpected", counts.unexpected),
        ("duplicate", counts.duplicate),
    ]
}

fn human(summary: &Summary) -> String {
    let counts: Vec<String> = counts(summary).iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    let first = format!("{} sent, {} received: {}\n", summary.sent_rows, summary.received_rows, counts.join(", "));
    summary.notes.iter().fold(first, |text, note| text + "note: " + &visible(note) + "\n")
}

fn json(summary: &Summary) -> String {
    let columns = summary
        .columns
        .iter()
        .map(|(column, sent, received)| (column.as_str().to_owned(), json!({ "sent": sent, "received": received })));
    let value = json!({
        "sent_rows": summary.sent_rows,
        "received_rows": summary.received_rows,
        "counts": counts(summary).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "columns": columns.collect::<serde_json::Map<_, _>>(),
        "notes": summary.notes,
    });
    format!("{value}\n")
}
