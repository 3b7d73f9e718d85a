//! How fast pictures are transformed, on one core, from a fixed seed.
//!
//!     cargo bench -p lacuna-content --bench transforms
//!
//! Pictures of 600 × 200 pixels, one of each style, through every transform of the battery, from file to file.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use lacuna_content::image::{Encoding, STYLES, Typesetter, encode, render};
use lacuna_content::transform::{Freshness, Original, battery, transform};

const SEED: u64 = 20_261_122;
const VARIANTS: u32 = 5;

fn main() {
    let font = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fonts/han.otf");
    let mut typesetter = Typesetter::new(vec![(fs::read(font).unwrap(), 0)]).unwrap();
    let pictures: Vec<_> = STYLES
        .iter()
        .map(|style| {
            let rendered = render(&mut typesetter, "新疆集中营", *style, (600, 200), 1).unwrap();
            (encode(&rendered.picture, Encoding::Png).unwrap(), rendered.text_box)
        })
        .collect();
    let (mut all, mut count) = (Duration::ZERO, 0);
    println!("| transform | ms a picture |\n|---|---|");
    for entry in battery() {
        let start = Instant::now();
        for variant in 1..=VARIANTS {
            for (bytes, text_box) in &pictures {
                let original = Original { bytes, file_name: "a.png", text: "新疆集中营", text_box: Some(*text_box) };
                let freshness = Freshness { seed: SEED, item: "i1", variant };
                transform(&entry.spec, &original, &original, Some(&mut typesetter), freshness).unwrap();
            }
        }
        let (spent, made) = (start.elapsed(), pictures.len() * VARIANTS as usize);
        println!("| `{}` | {:.1} |", entry.spec, spent.as_secs_f64() * 1000.0 / made as f64);
        all += spent;
        count += made;
    }
    println!("\n{count} pictures in {all:.1?}: {:.0} a second", count as f64 / all.as_secs_f64());
}
