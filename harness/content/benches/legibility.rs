//! What a real reader of text still reads behind each transform, held against the table that says so.
//!
//!     cargo bench -p lacuna-content --bench legibility [-- --pictures=N] [--only=PREFIX]
//!
//! Needs the program `tesseract` with the language `chi_sim` (Debian packages tesseract-ocr and tesseract-ocr-chi-sim). Phrases of the
//! corpora in this repository, drawn in all styles in turn, go through every transform of the battery and are read. A text is
//! legible if it is read without a fault, blanks aside. Hidden texts are read in each of the three shades of grey, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use lacuna_model::GrayFormula;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use lacuna_content::image::{
    Appearance, Area, Encoding, Limits, RgbImage, STYLES, Typesetter, decode, encode, made_grey, render,
};
use lacuna_content::transform::{Entry, Freshness, Original, battery, transform};

const SEED: u64 = 20_261_122;

struct Sample {
    text: String,
    file: Vec<u8>,
    appearance: Appearance,
    text_box: Area,
}

fn main() {
    let option = |name: &str| std::env::args().find_map(|argument| argument.strip_prefix(name).map(str::to_owned));
    let pictures = option("--pictures=").and_then(|number| number.parse().ok()).unwrap_or(50);
    let prefix = option("--only=").unwrap_or_default();
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut typesetter = Typesetter::new(vec![(fs::read(home.join("tests/fonts/han.otf")).unwrap(), 0)]).unwrap();
    let phrases = phrases(&home.join("../../corpora"), &mut typesetter, pictures);
    let samples: Vec<Sample> = phrases
        .into_iter()
        .zip(STYLES.into_iter().cycle())
        .map(|(text, style)| {
            let drawn = render(&mut typesetter, &text, style, (600, 200), 1).unwrap();
            let file = encode(&drawn.picture, Encoding::Png).unwrap();
            Sample { text, file, appearance: Appearance::of(&drawn.picture), text_box: drawn.text_box }
        })
        .collect();
    println!("{} phrases, seed {SEED}\n", samples.len());
    println!(
        "| transform | legible | in luminosity, average, lightness | the table says | looks away, median | the table says |\n|---|---|---|---|---|---|"
    );
    for entry in battery().iter().filter(|entry| entry.spec.to_string().starts_with(&prefix)) {
        println!("{}", row(entry, &samples, &mut typesetter));
    }
}

fn row(entry: &Entry, samples: &[Sample], typesetter: &mut Typesetter) -> String {
    let (mut read, mut in_grey, mut away) = (0, [0; 3], Vec::new());
    let is_hidden = entry.kept.hidden_from.contains(&true);
    for (position, sample) in samples.iter().enumerate() {
        // The next sample serves as the harmless one.
        let benign = &samples[(position + 1) % samples.len()];

        let as_original =
            Original { bytes: &sample.file, file_name: "a.png", text: &sample.text, text_box: Some(sample.text_box) };
        let as_benign = Original { bytes: &benign.file, file_name: "b.png", text: &benign.text, text_box: None };
        let item = format!("i{position}");
        let freshness = Freshness { seed: SEED, item: &item, variant: 1 };
        let made = transform(&entry.spec, &as_original, &as_benign, Some(&mut *typesetter), freshness).unwrap();
        let picture = decode(&made.bytes, &Limits::default()).unwrap().picture;
        away.push(sample.appearance.distance(&Appearance::of(&picture)).0 / 100);
        read += u32::from(reads(&picture).contains(&sample.text));
        for (count, formula) in in_grey.iter_mut().zip(GrayFormula::ALL).filter(|_| is_hidden) {
            *count += u32::from(reads(&made_grey(&picture, formula)).contains(&sample.text));
        }
    }
    away.sort_unstable();
    let grey = if is_hidden { in_grey.map(|count| count.to_string()).join(", ") } else { String::new() };
    let hidden: Vec<&str> =
        GrayFormula::ALL.into_iter().filter(|formula| entry.kept.is_hidden_from(*formula)).map(GrayFormula::as_str).collect();
    let says = match (entry.kept.text, hidden.is_empty()) {
        (true, true) => "legible".to_owned(),
        (true, false) => format!("hidden from {}", hidden.join(", ")),
        _ => "not legible".to_owned(),
    };
    let look = if entry.kept.look { "kept" } else { "not kept" };
    format!("| `{}` | {read} of {} | {grey} | {says} | {} | {look} |", entry.spec, samples.len(), away[away.len() / 2])
}

/// Chinese phrases of two to six characters in the first column called text of the corpora's tables, each once.
fn phrases(corpora: &Path, typesetter: &mut Typesetter, most: usize) -> Vec<String> {
    let mut folders: Vec<_> = fs::read_dir(corpora).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut seen = BTreeSet::new();
    let mut phrases = Vec::new();
    for table in folders.iter().filter_map(|folder| fs::read_to_string(folder.join("items.csv")).ok()) {
        for text in table.lines().skip(1).filter_map(|line| line.split(',').nth(2)) {
            for phrase in
                text.split('+').filter(|phrase| phrase.chars().all(|character| ('\u{4E00}'..='\u{9FFF}').contains(&character)))
            {
                let fits = (2..=6).contains(&phrase.chars().count()) && typesetter.missing(phrase).is_empty();
                if fits && phrases.len() < most && seen.insert(phrase.to_owned()) {
                    phrases.push(phrase.to_owned());
                }
            }
        }
    }
    phrases
}

/// What is read in a picture, without blanks.
fn reads(picture: &RgbImage) -> String {
    let mut reader = Command::new("tesseract")
        .args(["stdin", "stdout", "-l", "chi_sim", "--psm", "6"])
        .env("OMP_THREAD_LIMIT", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program tesseract is needed");
    reader.stdin.take().unwrap().write_all(&encode(picture, Encoding::Png).unwrap()).unwrap();
    let output = reader.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).chars().filter(|character| !character.is_whitespace()).collect()
}
