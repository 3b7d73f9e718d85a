//! How many pictures of 600 × 200 pixels and documents are made and looked at in a second, on one core.
//!
//!     cargo bench -p lacuna-content --bench pictures

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use lacuna_content::document::{docx, pdf};
use lacuna_content::file::measure;
use lacuna_content::image::{Appearance, Encoding, Recognition, STYLES, Typesetter, encode, recognise, render};

const ROUNDS: usize = 5;

/// Processor time of this thread in seconds (Linux), since others may use the machine; elsewhere the time that passed.
fn seconds(start: Instant) -> f64 {
    let used = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = used.and_then(|used| used.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// The rate in the best of several rounds.
fn rate(name: &str, things: usize, mut work: impl FnMut(usize)) {
    let start = Instant::now();
    let rounds = (0..ROUNDS).map(|_| {
        let before = seconds(start);
        (0..things).for_each(&mut work);
        seconds(start) - before
    });
    println!("| {name} | {:.0} |", things as f64 / rounds.fold(f64::INFINITY, f64::min));
}

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fonts");
    let fonts = ["han.otf", "arabic.ttf", "tibetan.ttf"].map(|name| (std::fs::read(folder.join(name)).unwrap(), 0));
    let mut typesetter = Typesetter::new(fonts.to_vec()).unwrap();
    let all: Vec<char> = ('\u{4E00}'..='\u{9FA5}').collect();
    let missing = typesetter.missing(&all.iter().collect::<String>());
    let known: Vec<char> = all.into_iter().filter(|character| !missing.contains(character)).collect();
    let texts: Vec<String> =
        (0..200).map(|text| (0..2 + text % 9).map(|place| known[(text * 37 + place * 101) % known.len()]).collect()).collect();
    println!("| what | a second |\n|---|---|");
    for style in STYLES {
        rate(&format!("drawn and written as PNG, {}", style.name), texts.len(), |text| {
            let picture = render(&mut typesetter, &texts[text], style, (600, 200), text as u64).unwrap().picture;
            black_box(encode(&picture, Encoding::Png).unwrap());
        });
    }
    let mut sent = Vec::new();
    for encoding in [Encoding::Png, Encoding::Jpeg(80), Encoding::WebP] {
        let files: Vec<Vec<u8>> = (0..texts.len())
            .map(|text| {
                let style = STYLES[text % STYLES.len()];
                encode(&render(&mut typesetter, &texts[text], style, (600, 200), 0).unwrap().picture, encoding).unwrap()
            })
            .collect();
        rate(&format!("read and measured, {} of six styles", encoding.format()), files.len(), |file| {
            black_box(measure("file", &files[file]));
        });
        sent = files.iter().map(|file| measure("file", file).appearance.unwrap()).collect::<Vec<Appearance>>();
    }
    let references: Vec<&Appearance> = sent.iter().cycle().take(1_000).collect();
    rate("recognised among 1,000", sent.len(), |received| {
        assert_ne!(black_box(recognise(&references, &sent[received])), Recognition::Nothing);
    });
    rate("made as PDF", 20 * texts.len(), |text| {
        black_box(pdf(&mut typesetter, &texts[text % texts.len()], 0).unwrap());
    });
    rate("made as DOCX", 500 * texts.len(), |text| {
        black_box(docx(&texts[text % texts.len()], 0).unwrap());
    });
}
