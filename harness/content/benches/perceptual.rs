//! How well pictures are told from each other behind a platform that re-encodes them, from a fixed seed.
//!
//!     cargo bench -p lacuna-content --bench perceptual [-- --half=odd|even --share=N --seed=N]
//!
//! 4,800 generated pictures in families (a text, and the same with one and with two characters changed; or a scene), divided into two
//! halves: thresholds are chosen on the even one and tested on the odd one. To the odd one come, where `LACUNA_SHARED` names a
//! folder with them, the pictures that were really filtered. `--share=N` takes one family in N.
//!
//! Pictures that are too near an earlier one are left out, as they would be from a run.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

#[path = "perceptual/channels.rs"]
mod channels;
#[path = "perceptual/pictures.rs"]
mod pictures;

use std::path::Path;
use std::time::Instant;

use channels::CHANNELS;
use lacuna_content::image::{Appearance, Distance, PerceptualHash, Recognition, perceptual_hash, recognise};
use pictures::{Sample, Studio};

const SEED: u64 = 5_202_611;
const THREADS: usize = 2;
/// The threshold of the fingerprint, in bits of 256, beside which the appearance is shown.
const BITS: u32 = 40;

struct Seen {
    appearance: Appearance,
    hash: PerceptualHash,
}

struct Picture {
    set: &'static str,
    family: usize,
    sent: Seen,
    received: Vec<Seen>,
}

fn seen(picture: &lacuna_content::image::RgbImage) -> Seen {
    Seen { appearance: Appearance::of(picture), hash: perceptual_hash(picture) }
}

fn work(samples: impl Iterator<Item = Sample>) -> Vec<Picture> {
    let through = |sample: Sample| Picture {
        set: sample.set,
        family: sample.family,
        sent: seen(&sample.picture),
        received: CHANNELS.iter().map(|channel| seen(&(channel.apply)(&sample.picture))).collect(),
    };
    samples.map(through).collect()
}

fn argument<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::args().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

fn main() {
    let (seed, share) = (argument("--seed").unwrap_or(SEED), argument("--share").unwrap_or(1));
    let half: String = argument("--half").unwrap_or_else(|| "odd".to_owned());
    let parity = usize::from(half != "even");
    let start = Instant::now();
    let families: Vec<usize> = pictures::families().filter(|family| family % 2 == parity && family / 2 % share == 0).collect();
    let generate = |thread: usize| {
        let mut studio = Studio::new();
        work(families.iter().skip(thread).step_by(THREADS).flat_map(move |family| studio.family(seed, *family)))
    };
    let mut pictures: Vec<Picture> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || generate(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    pictures.sort_by_key(|picture| picture.family);
    let generated = pictures.len();
    // Those that were really filtered are all kept for the test.
    if let Some(shared) = std::env::var_os("LACUNA_SHARED").filter(|_| parity == 1) {
        let folder = Path::new(&shared).join("data/citizenlab/images");
        pictures.extend(work(pictures::from_folder(&folder, pictures::families().end).into_iter()));
    }
    println!("seed {seed}, {half} half: {generated} generated pictures, {} that were filtered", pictures.len() - generated);
    println!("through {} channels in {:.0?}", CHANNELS.len(), start.elapsed());
    report(&pictures.iter().collect::<Vec<_>>());
}

fn report(pictures: &[&Picture]) {
    let mut sets: Vec<&str> = pictures.iter().map(|picture| picture.set).collect();
    sets.dedup();
    println!(
        "\n| set | pictures | nearest other, of 100 the nearest, median | {} |",
        CHANNELS.map(|channel| channel.name).join(" | ")
    );
    for set in sets {
        let own: Vec<&&Picture> = pictures.iter().filter(|picture| picture.set == set).collect();
        let mut nearest: Vec<u32> = own
            .iter()
            .map(|picture| {
                let others = pictures.iter().filter(|other| !std::ptr::eq(**other, **picture));
                others.map(|other| picture.sent.appearance.distance(&other.sent.appearance).0).min().unwrap_or(u32::MAX)
            })
            .collect();
        nearest.sort_unstable();
        let farthest: Vec<String> = (0..CHANNELS.len())
            .map(|channel| {
                let distances =
                    own.iter().map(|picture| picture.sent.appearance.distance(&picture.received[channel].appearance).0);
                let mut distances: Vec<u32> = distances.collect();
                distances.sort_unstable();
                format!("{} ({})", distances.last().unwrap(), distances[distances.len() * 99 / 100])
            })
            .collect();
        println!(
            "| {set} | {} | {}, {}, {} | {} |",
            own.len(),
            nearest[0],
            nearest[nearest.len() / 100],
            nearest[nearest.len() / 2],
            farthest.join(" | ")
        );
    }
    println!("\nby appearance, APART {}, SAME {}:", Distance::APART.0, Distance::SAME.0);
    by_appearance(pictures);
    println!("\nby fingerprint, the nearest, at most {BITS} bits of 256:");
    by_fingerprint(pictures);
}

/// What received pictures were taken for, by channel.
#[derive(Default)]
struct Counts {
    right: [u32; CHANNELS.len()],
    another: [u32; CHANNELS.len()],
    not_told_apart: [u32; CHANNELS.len()],
    nothing: [u32; CHANNELS.len()],
}

impl Counts {
    fn print(&self, left_out: usize) {
        let Self { right, another, not_told_apart, nothing } = self;
        println!("left out as too near another: {left_out}");
        for (name, counts) in
            [("right", right), ("taken for another", another), ("not told apart", not_told_apart), ("taken for none", nothing)]
        {
            println!("{name}: {} {counts:?}", counts.iter().sum::<u32>());
        }
    }
}

/// Of pictures that are too near each other the first alone is sent.
fn by_appearance(pictures: &[&Picture]) {
    let mut sent: Vec<&Picture> = Vec::new();
    let near = |one: &Picture, other: &Picture| {
        let (one, other) = (&one.sent.appearance, &other.sent.appearance);
        one.distance(other).min(other.distance(one)) < Distance::APART
    };
    for picture in pictures {
        if sent.iter().all(|other| !near(other, picture)) {
            sent.push(picture);
        }
    }
    let appearances: Vec<&Appearance> = sent.iter().map(|picture| &picture.sent.appearance).collect();
    let mut counts = Counts::default();
    for (own, picture) in sent.iter().enumerate() {
        for (channel, received) in picture.received.iter().enumerate() {
            let count = match recognise(&appearances, &received.appearance) {
                Recognition::As { position, .. } if position == own => &mut counts.right,
                Recognition::As { .. } => &mut counts.another,
                Recognition::OneOf(_) => &mut counts.not_told_apart,
                Recognition::Nothing => &mut counts.nothing,
            };
            count[channel] += 1;
        }
    }
    counts.print(pictures.len() - sent.len());
}

fn by_fingerprint(pictures: &[&Picture]) {
    let mut counts = Counts::default();
    for picture in pictures {
        for (channel, received) in picture.received.iter().enumerate() {
            let own = picture.sent.hash.distance(&received.hash);
            let others = pictures.iter().filter(|other| !std::ptr::eq(**other, *picture));
            let nearest = others.map(|other| other.sent.hash.distance(&received.hash)).min().unwrap_or(u32::MAX);
            // A tie goes to whoever comes first: counted as wrong.
            let count = match (own.min(nearest) <= BITS, nearest <= own) {
                (false, _) => &mut counts.nothing,
                (true, true) => &mut counts.another,
                (true, false) => &mut counts.right,
            };
            count[channel] += 1;
        }
    }
    counts.print(0);
}
