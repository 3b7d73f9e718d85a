//! What new colliding blocks cost, and a pair of files behind kept ones.
//!
//!     cargo bench -p lacuna-content --bench collide [-- --seeds=20 | --keep]
//!
//! `--keep` searches the blocks that `src/collide/blocks.rs` keeps again, says whether they are the same, and prints them as they are
//! written there. Processor time is what the kernel counts (Linux); elsewhere it is the clock's.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_possible_truncation)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use image::{RgbImage, imageops};
use lacuna_content::collide::{CollidingBlocks, Container};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// A search is given up after this.
const LONGEST: Duration = Duration::from_mins(10);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|it| it == "--keep") {
        keep(Container::Jpeg);
        keep(Container::Pdf);
        return;
    }
    let seeds = arguments.iter().find_map(|it| it.strip_prefix("--seeds=")).map_or(20, |it| it.parse().unwrap());
    println!("| files | pictures | CPU ms a pair | kB a file |\n|---|---|---|---|");
    for (width, height) in [(600, 200), (1280, 960)] {
        files(width, height, false);
        files(width, height, true);
    }
    println!("\n| blocks for | seeds | found | least CPU s | median | mean | most |\n|---|---|---|---|---|---|---|");
    new_blocks(Container::Jpeg, seeds);
    new_blocks(Container::Pdf, seeds);
}

/// Processor time of this thread.
fn processor_time(start: Instant) -> Duration {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let counted = counted.and_then(|it| it.split_whitespace().next().and_then(|it| it.parse().ok()));
    counted.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

fn new_blocks(container: Container, seeds: u64) {
    let mut times: Vec<f64> = Vec::new();
    let mut found = 0;
    for seed in 1..=seeds {
        let clock = Instant::now();
        let start = processor_time(clock);
        let blocks = CollidingBlocks::search(container, seed, &mut || processor_time(clock).saturating_sub(start) < LONGEST);
        let time = processor_time(clock).saturating_sub(start).as_secs_f64();
        eprintln!("{container:?}, seed {seed}: {time:.2} CPU s{}", if blocks.is_some() { "" } else { ", given up" });
        found += u32::from(blocks.is_some());
        times.push(time);
    }
    times.sort_by(f64::total_cmp);
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    let median = f64::midpoint(times[(times.len() - 1) / 2], times[times.len() / 2]);
    println!("| {container:?} | {seeds} | {found} | {:.1} | {median:.1} | {mean:.1} | {:.1} |", times[0], times[times.len() - 1]);
}

/// Random pictures: smooth ones with a little noise, or noise alone, which compresses worst.
fn picture(width: u32, height: u32, noise: bool, seed: u64) -> RgbImage {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut coarse = RgbImage::new(width / 16, height / 16);
    random.fill_bytes(&mut coarse);
    let mut picture = imageops::resize(&coarse, width, height, imageops::FilterType::Triangle);
    if noise {
        random.fill_bytes(&mut picture);
    } else {
        picture.iter_mut().for_each(|value| *value = (*value & !7) | (random.next_u32() % 8) as u8);
    }
    picture
}

fn files(width: u32, height: u32, noise: bool) {
    const REPEATS: u64 = 10;
    let [first, second] = [1, 2].map(|seed| picture(width, height, noise, seed));
    for container in [Container::Jpeg, Container::Pdf] {
        let clock = Instant::now();
        let start = processor_time(clock);
        let mut bytes = 0;
        for nonce in 0..REPEATS {
            bytes = CollidingBlocks::kept(container).join(&first, &second, nonce).unwrap().first.len();
        }
        let each = processor_time(clock).saturating_sub(start).as_secs_f64() * 1e3 / REPEATS as f64;
        let kind = if noise { "noise" } else { "smooth" };
        println!("| {container:?} | {kind}, {width} × {height} | {each:.1} | {} |", bytes / 1000);
    }
}

fn keep(container: Container) {
    let seed = CollidingBlocks::kept_seed(container);
    let blocks = CollidingBlocks::search(container, seed, &mut || true).unwrap();
    let same = if blocks == CollidingBlocks::kept(container) { "as they are kept" } else { "not as they are kept" };
    let mut digits = String::new();
    for byte in &blocks.pair().first {
        write!(digits, "{byte:02x}").unwrap();
    }
    println!("{container:?}: seed {seed}, {same}");
    for line in digits.as_bytes().chunks(64) {
        println!("\"{}\",", String::from_utf8_lossy(line));
    }
}
