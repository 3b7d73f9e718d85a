//! What a report of 2,000 items on 6 arms costs: `cargo bench -p lacuna-report --bench page`. With `-- --out DIR` the pages are written
//! there, to be opened in a browser.
#![allow(missing_docs, clippy::unwrap_used, reason = "a program")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

fn main() {
    let out = std::env::args().skip_while(|argument| argument != "--out").nth(1).map(PathBuf::from);
    println!("| items | arms | recipients | verdicts | page, MB | figures, MB | ms |");
    println!("|---|---|---|---|---|---|---|");
    for (name, every) in [("one in twenty", 20), ("each in its own way", 2)] {
        let (items, arms) = (2_000, 6);
        // In the second case nearly every item has verdicts of its own, so that few share a row.
        let story = support::screened(support::items(items), arms, |nth, arm| {
            if every == 2 { ((nth * 31) >> arm) & 1 == 1 } else { nth % every == 0 }
        });
        let conclusion = story.conclude();
        let started = Instant::now();
        let report = story.report(&conclusion, "corpora/words");
        let ms = started.elapsed().as_secs_f64() * 1e3;
        if let Some(out) = &out {
            fs::create_dir_all(out).unwrap();
            fs::write(out.join(format!("every-{every}.html")), &report.html).unwrap();
        }
        let figures = &report.figures;
        let pictures =
            [&figures.verdicts.svg, &figures.shares.svg, &figures.contrasts.svg, &figures.timeline.svg, &figures.latency.svg];
        let megabytes = |bytes: usize| bytes as f64 / 1e6;
        println!(
            "| {items}, {name} dropped | {arms} | 2 | {} | {:.2} | {:.2} | {ms:.0} |",
            conclusion.verdicts.len(),
            megabytes(report.html.len()),
            megabytes(pictures.iter().map(|it| it.len()).sum()),
        );
    }
}
