//! `lacuna corpus collide`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lacuna_content::collide::Container;
use lacuna_records::corpus::{self, CollideError, CollideOptions, CollideReport, CollidingFile};
use serde_json::json;

use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::output::{print_json, print_lines};
use crate::visible::visible;

/// Which pictures, and what they become.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  lacuna corpus collide harmless.png sensitive.png --out pairs/1 --seed 1\n\n\
                  A platform that blocks files by their MD5 cannot tell the two apart: if only one was ever shown to it, and the \
                  other is dropped, it goes by the hash. Another seed gives other files with another MD5; nothing is overwritten. \
                  A platform that re-encodes what is sent gives each file a hash of its own; send as a file or in original \
                  quality, and look at the MD5 of what arrives.")]
pub struct Arguments {
    /// The first picture: PNG, JPEG, WebP or GIF
    first: PathBuf,
    /// The second picture
    second: PathBuf,
    /// The folder for the two files; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What the files are: jpeg, or pdf with one page
    #[arg(long, value_enum, default_value_t = Format::Jpeg, value_name = "jpeg|pdf")]
    #[arg(hide_possible_values = true)]
    format: Format,
    /// From it follows what gives the two files an MD5 of their own
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Search colliding blocks with this seed, for some seconds, instead of taking those that all such files share: for a
    /// platform that might know them
    #[arg(long)]
    new_block: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    Jpeg,
    Pdf,
}

impl Format {
    const fn container(self) -> Container {
        match self {
            Self::Jpeg => Container::Jpeg,
            Self::Pdf => Container::Pdf,
        }
    }
}

/// Makes two files of two pictures.
pub fn run(arguments: Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    let Arguments { first, second, out, format, seed, new_block } = arguments;
    let options = CollideOptions { container: format.container(), seed, new_block };
    let report = corpus::collide([&first, &second], &out, options, &mut || true).map_err(|error| match error {
        CollideError::NoCollision => Failure::fault(error),
        error => Failure::input(error),
    })?;
    match output {
        OutputFormat::Human => print_lines(&human(&report))?,
        OutputFormat::Json => print_json(&as_json(&report))?,
    }
    Ok(Exit::Done)
}

fn human(report: &CollideReport) -> Vec<String> {
    let CollideReport { md5, differing_bytes, files } = report;
    let mut lines = vec![format!("MD5 of both: {md5}; {differing_bytes} bytes differ")];
    for CollidingFile { path, sha256, bytes, width, height, quality } in files {
        lines.push(visible(&path.display().to_string()));
        lines.push(format!("  SHA-256 {sha256}"));
        lines.push(format!("  {bytes} bytes, {width} × {height} pixels, JPEG quality {quality}"));
    }
    lines
}

fn as_json(report: &CollideReport) -> serde_json::Value {
    let file = |file: &CollidingFile| {
        json!({
            "file": file.path.display().to_string(),
            "sha256": file.sha256,
            "bytes": file.bytes,
            "width": file.width,
            "height": file.height,
            "jpeg_quality": file.quality,
        })
    };
    json!({ "md5": report.md5, "differing_bytes": report.differing_bytes, "files": report.files.iter().map(file).collect::<Vec<_>>() })
}
