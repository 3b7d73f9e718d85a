//! `lacuna corpus render`.

use std::path::PathBuf;

use clap::Args;
use lacuna_content::document;
use lacuna_content::image::{STYLES, Style};
use lacuna_records::corpus::{self, RenderAs, RenderError, RenderFont, RenderOptions, RenderReport};
use serde_json::json;

use crate::arguments::OutputFormat;
use crate::exit::{Exit, Failure};
use crate::output::{print_json, print_lines};
use crate::visible::visible;

/// Files that look too much like others are listed up to this many.
const MOST_LISTED: usize = 20;

/// What to draw, and how.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  lacuna corpus render corpora/my-list --out corpora/my-pictures --id my-pictures \\\n    \
                  --title 'My list, as pictures' --licence CC-BY-4.0 --twin 天气很好 \\\n    \
                  --font /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc#2\n\n\
                  The fonts of Debian's packages fonts-noto-cjk and fonts-noto-core have most scripts. No font of the machine is used \
                  unless it is named, so that the same files, list and seed give the same pictures. Nothing is overwritten.")]
pub struct Arguments {
    /// The phrases: a corpus's folder, a table (.csv) with a column `text` and perhaps `twin`, or plain text with one a line
    list: PathBuf,
    /// The id of the new corpus: small letters, digits and hyphens
    #[arg(long)]
    id: String,
    /// The title of the new corpus
    #[arg(long)]
    title: String,
    /// The licence of the new corpus, best as an SPDX expression
    #[arg(long)]
    licence: String,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What is made of each phrase: png for pictures, pdf or docx for documents, txt for plain text files
    #[arg(long = "as", value_enum, default_value_t = Kind::Png, value_name = "png|pdf|docx|txt", hide_possible_values = true)]
    kind: Kind,
    /// A font file, for pictures and PDF; of a collection, FILE#NUMBER takes the face of that number, from 0. May be
    /// repeated: a character is drawn by the first font that has it
    #[arg(long = "font", required_if_eq_any = [("kind", "png"), ("kind", "pdf")], value_name = "FILE", value_parser = font)]
    fonts: Vec<RenderFont>,
    /// How pictures look: plain, night, notice, banner, newsprint or photo. May be repeated
    #[arg(long = "style", default_value = "plain", value_name = "NAME", value_parser = style)]
    styles: Vec<Style>,
    /// Width and height of pictures in pixels
    #[arg(long, default_value = "600x200", value_name = "WxH", value_parser = size)]
    size: (u32, u32),
    /// A harmless text: beside each file a twin is made with it
    #[arg(long, value_name = "TEXT")]
    twin: Option<String>,
    /// From it follows what gives each file a hash of its own: another seed gives files that look the same and have other
    /// hashes
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u64).range(..1 << 63))]
    seed: u64,
}

/// The formats that can be made.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Pictures
    Png,
    /// PDF documents
    Pdf,
    /// A word processor's documents
    Docx,
    /// Plain text files
    Txt,
}

pub(super) fn font(text: &str) -> Result<RenderFont, String> {
    let Some((path, face)) = text.rsplit_once('#') else { return Ok(RenderFont { path: text.into(), face: 0 }) };
    let face = face.parse().map_err(|_| "behind # stands the number of a face".to_owned())?;
    Ok(RenderFont { path: path.into(), face })
}

fn style(name: &str) -> Result<Style, String> {
    let known = || STYLES.map(|style| format!("{} ({})", style.name, style.help)).join(", ");
    Style::named(name).ok_or_else(|| format!("the styles are {}", known()))
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.ok_or_else(|| "write it as 600x200".to_owned())
}

/// Makes pictures or documents of phrases.
pub fn run(arguments: Arguments, output: OutputFormat) -> Result<Exit, Failure> {
    let Arguments { list, id, title, licence, out, kind, fonts, mut styles, size, twin, seed } = arguments;
    let mut names = Vec::new();
    styles.retain(|style| {
        !names.contains(&style.name) && {
            names.push(style.name);
            true
        }
    });
    let kind = match kind {
        Kind::Png => RenderAs::Pictures(styles),
        Kind::Pdf => RenderAs::Document(document::Format::Pdf),
        Kind::Docx => RenderAs::Document(document::Format::Docx),
        Kind::Txt => RenderAs::Document(document::Format::Txt),
    };
    let options = RenderOptions { id, title, licence, kind, fonts, size, seed, twin };
    let report = corpus::render(&list, &out, &options).map_err(|error| match error {
        RenderError::Phrases(problems) => Failure::Problems(problems),
        RenderError::Write { path, source } => Failure::input(format!("{} cannot be written: {source}", path.display())),
        other => Failure::input(other.to_string()),
    })?;
    match output {
        OutputFormat::Human => print_lines(&human(&report, &out.display().to_string()))?,
        OutputFormat::Json => print_json(&as_json(&report))?,
    }
    Ok(Exit::Done)
}

fn human(report: &RenderReport, out: &str) -> Vec<String> {
    let RenderReport { phrases, files, twins, fonts, too_near } = report;
    let mut lines = vec![format!("{phrases} phrases: {files} files and {twins} twins in {out}")];
    lines
        .extend(fonts.iter().map(|font| format!("font: {}, face {}, SHA-256 {}", visible(&font.family), font.face, font.sha256)));
    if !too_near.is_empty() {
        let note = "look too much like an earlier one to be told apart behind a platform that re-encodes, as their notes say";
        lines.push(format!("{} {note}", too_near.len()));
        lines.extend(too_near.iter().take(MOST_LISTED).map(|(one, earlier)| format!("  {one}, like {earlier}")));
        if let Some(more @ 1..) = too_near.len().checked_sub(MOST_LISTED) {
            lines.push(format!("  and {more} more"));
        }
    }
    lines
}

fn as_json(report: &RenderReport) -> serde_json::Value {
    let font =
        |font: &lacuna_content::image::FontIdentity| json!({ "family": font.family, "face": font.face, "sha256": font.sha256 });
    json!({
        "phrases": report.phrases,
        "files": report.files,
        "twins": report.twins,
        "fonts": report.fonts.iter().map(font).collect::<Vec<_>>(),
        "too_near": report.too_near,
    })
}
