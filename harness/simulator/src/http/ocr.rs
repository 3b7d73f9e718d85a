//! Reading what stands in pictures with an external program, in place of what senders declare.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use axum::body::Bytes;
use lacuna_content::image::{self, Encoding, Limits as PictureLimits, RgbImage, made_grey};
use lacuna_model::GrayFormula;
use lacuna_model::policy::Policy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::files::Reading;

/// How long one reading may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most pixels that are given to the program: what is larger is not read.
const PIXELS: u64 = 4_000_000;
/// The longest text that is taken from it, in bytes.
const TEXT: u64 = 16_000;

/// A program that reads texts in pictures, called as `tesseract stdin stdout -l LANGUAGES`.
#[derive(Clone, Debug)]
pub struct Ocr {
    /// The program.
    pub program: PathBuf,
    /// The languages, such as `chi_sim+eng`.
    pub languages: String,
}

/// A program that reads, and how the policy's rules make pictures grey before they are read.
pub(super) struct Reader {
    ocr: Ocr,
    formulas: Vec<GrayFormula>,
}

impl Reader {
    pub(super) fn new(ocr: Ocr, policy: &Policy) -> Self {
        let used = |formula: &GrayFormula| policy.file_rules.iter().any(|rule| rule.finds.gray == Some(*formula));
        Self { ocr, formulas: GrayFormula::ALL.into_iter().filter(used).collect() }
    }

    /// What stands in a file; nothing in what is no picture of a bearable size.
    pub(super) async fn read(&self, bytes: &Bytes) -> io::Result<Reading> {
        let (bytes, formulas) = (bytes.clone(), self.formulas.clone());
        let views = tokio::task::spawn_blocking(move || views(&bytes, &formulas)).await.map_err(io::Error::other)?;
        let mut seen = Vec::with_capacity(views.len());
        for (formula, view) in views {
            let text = tokio::time::timeout(PATIENCE, self.recognise(&view)).await;
            seen.push((formula, text.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??));
        }
        let is_read = |text: &str| text.contains(char::is_alphanumeric);
        let Some((_, text)) = seen.iter().find(|(_, text)| is_read(text)) else { return Ok(Reading::default()) };
        let hidden_from = seen.iter().find_map(|(formula, text)| formula.filter(|_| !is_read(text)));
        // The program puts blanks between characters of scripts that have none.
        let joined: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        Ok(Reading { text: format!("{text}\n{joined}").into(), hidden_from })
    }

    async fn recognise(&self, picture: &[u8]) -> io::Result<String> {
        let mut child = Command::new(&self.ocr.program)
            .args(["stdin", "stdout", "-l", &self.ocr.languages])
            // It would take all processors for one picture.
            .env("OMP_THREAD_LIMIT", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no standard input or output"));
        };
        let give = async {
            // A program that has seen enough may close its input.
            let _ = input.write_all(picture).await;
            drop(input);
        };
        let mut text = Vec::new();
        let mut output = output.take(TEXT);
        let (read, ()) = tokio::join!(output.read_to_end(&mut text), give);
        read?;
        drop(output);
        let status = child.wait().await?;
        if !status.success() {
            return Err(io::Error::other(format!("{} ended with {status}", self.ocr.program.display())));
        }
        Ok(String::from_utf8_lossy(&text).trim().to_owned())
    }
}

/// The picture as it is, and grey by each formula, in PNG.
fn views(bytes: &[u8], formulas: &[GrayFormula]) -> Vec<(Option<GrayFormula>, Vec<u8>)> {
    let limits = PictureLimits { pixels: PIXELS, ..PictureLimits::default() };
    let Ok(decoded) = image::decode(bytes, &limits) else { return Vec::new() };
    let png = |picture: &RgbImage| image::encode(picture, Encoding::Png).ok();
    let plain = png(&decoded.picture).map(|bytes| (None, bytes));
    let grey = formulas.iter().filter_map(|formula| Some((Some(*formula), png(&made_grey(&decoded.picture, *formula))?)));
    plain.into_iter().chain(grey).collect()
}
