//! `lacuna corpus transform`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lacuna_content::transform::{MECHANISM, Spec, battery};
use lacuna_records::corpus::{self, Benign, LeftOut, RenderFont, TransformFailure, TransformOptions, TransformReport};
use serde_json::json;

use super::render::font;
use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::output::{print_json, print_lines};
use crate::visible::visible;

/// What was left out is listed up to this many.
const MOST_LISTED: usize = 20;

/// What to transform, and how.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  lacuna corpus transform corpora/my-pictures --id my-battery --out corpora/my-battery \\\n    \
                  --battery mechanism --transform resize:0.5+reencode:jpeg-70 \\\n    \
                  --font /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc#2\n\n\
                  The new corpus has the originals and their benign twins as they are, and of both what each transform gives. Every file has a \
                  hash of its own, which follows from the seed. What a transform keeps, and what it means if the result is dropped or \
                  delivered, harness/content/src/transform/battery.csv in the sources says. What cannot be done with an item is left out and listed. Nothing is overwritten."
)]
pub struct Arguments {
    /// The folder of a corpus with pictures
    corpus: PathBuf,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The id of the new corpus: small letters, digits and hyphens
    #[arg(long)]
    id: String,
    /// An item to transform. May be repeated. Without it, all pictures but twins and what was made from others
    #[arg(long = "item", value_name = "ITEM")]
    items: Vec<String>,
    /// A set of transforms: mechanism for what finds a mechanism (a file of another hash, and what keeps one thing each), full for every
    /// transform there is. Default: mechanism, if no --transform is given
    #[arg(long, value_enum, value_name = "mechanism|full", hide_possible_values = true)]
    battery: Option<Battery>,
    /// A transform, or several with + between them, such as resize:0.5+reencode:jpeg-70. May be repeated
    #[arg(long = "transform", value_name = "SPEC")]
    transforms: Vec<Spec>,
    /// How many files of each item and transform, each with a hash of its own
    #[arg(long, default_value_t = 1, value_name = "N")]
    variants: u32,
    /// From it follows what gives each file a hash of its own: the same seed gives the same files
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u64).range(..1 << 63))]
    seed: u64,
    /// A font file; of a collection, FILE#NUMBER takes the face of that number, from 0. May be repeated. Needed by what
    /// draws letters
    #[arg(long = "font", value_name = "FILE", value_parser = font)]
    fonts: Vec<RenderFont>,
    /// The harmless picture for items that have no twin of their own
    #[arg(long, value_name = "ITEM", conflicts_with = "twin")]
    benign: Option<String>,
    /// A harmless text, drawn as a picture for each item that has no twin of its own
    #[arg(long, value_name = "TEXT")]
    twin: Option<String>,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Battery {
    /// What finds a mechanism: a file of another hash, and what keeps one thing each
    Mechanism,
    /// Every transform there is
    Full,
}

/// Makes a corpus of transformed pictures.
pub fn run(arguments: Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    let Arguments { corpus, out, id, items, battery: set, transforms, variants, seed, fonts, benign, twin } = arguments;
    let mut specs: Vec<Spec> = match set {
        Some(Battery::Full) => battery().iter().map(|entry| entry.spec.clone()).collect(),
        None if !transforms.is_empty() => Vec::new(),
        Some(Battery::Mechanism) | None => MECHANISM.iter().filter_map(|name| name.parse().ok()).collect(),
    };
    for spec in transforms {
        if !specs.contains(&spec) {
            specs.push(spec);
        }
    }
    let benign = match (benign, twin) {
        (Some(item), _) => Benign::Item(item),
        (None, Some(text)) => Benign::Text(text),
        (None, None) => Benign::Twins,
    };
    let options = TransformOptions { id, items, specs, variants, seed, fonts, benign };
    let report = corpus::transform(&corpus, &out, &options).map_err(|error| match error {
        TransformFailure::Corpus(problems) => Failure::Problems(problems),
        TransformFailure::Write { path, source } => Failure::input(format!("{} cannot be written: {source}", path.display())),
        other => Failure::input(other.to_string()),
    })?;
    match output {
        OutputFormat::Human => print_lines(&human(&report, &out.display().to_string()))?,
        OutputFormat::Json => print_json(&as_json(&report))?,
    }
    Ok(Exit::Done)
}

fn human(report: &TransformReport, out: &str) -> Vec<String> {
    let TransformReport { originals, files, twins, fonts, left_out } = report;
    let mut lines = vec![format!(
        "{originals} {}: {files} files and {twins} of their twins in {out}",
        if *originals == 1 { "picture" } else { "pictures" }
    )];
    lines
        .extend(fonts.iter().map(|font| format!("font: {}, face {}, SHA-256 {}", visible(&font.family), font.face, font.sha256)));
    if !left_out.is_empty() {
        lines.push(format!("left out: {}", left_out.len()));
        let line = |left_out: &LeftOut| {
            let LeftOut { item, transform, reason } = left_out;
            format!("  {transform}: {item} {}", visible(reason))
        };
        lines.extend(left_out.iter().take(MOST_LISTED).map(line));
        if let Some(more @ 1..) = left_out.len().checked_sub(MOST_LISTED) {
            lines.push(format!("  and {more} more"));
        }
    }
    lines
}

fn as_json(report: &TransformReport) -> serde_json::Value {
    let font =
        |font: &lacuna_content::image::FontIdentity| json!({ "family": font.family, "face": font.face, "sha256": font.sha256 });
    let left_out =
        |left_out: &LeftOut| json!({ "item": left_out.item, "transform": left_out.transform, "reason": left_out.reason });
    json!({
        "originals": report.originals,
        "files": report.files,
        "twins": report.twins,
        "fonts": report.fonts.iter().map(font).collect::<Vec<_>>(),
        "left_out": report.left_out.iter().map(left_out).collect::<Vec<_>>(),
    })
}
