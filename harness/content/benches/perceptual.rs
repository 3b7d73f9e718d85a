//! How well pictures are told from each other behind a platform that re-encodes them, from a fixed seed.
//!
//!     cargo bench -p lacuna-content --bench perceptual [-- --share=N]
//!
//! 2,400 generated pictures and, where LACUNA_SHARED names a folder with them, those that were really filtered. Families of
//! pictures (a text, and the same with a character changed) are divided into two halves: what was chosen on
//! the even ones is to be tested on the odd ones. `--share=N` takes
//! one family in N.
//!
//! A received picture is taken for the nearest that was sent, if that is near enough. Pictures that are too near an earlier one are
//! left out, as they would be from a run.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

#[path = "perceptual/channels.rs"]
mod channels;
#[path = "perceptual/pictures.rs"]
mod pictures;

use std::path::Path;
use std::time::Instant;

use channels::CHANNELS;
use lacuna_content::image::{Appearance, Distance, PerceptualHash, perceptual_hash};
use pictures::Sample;

const SEED: u64 = 20_261_122;
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

fn work(samples: &[Sample]) -> Vec<Picture> {
    let through = |sample: &Sample| Picture {
        set: sample.set,
        family: sample.family,
        sent: seen(&sample.picture),
        received: CHANNELS.iter().map(|channel| seen(&(channel.apply)(&sample.picture))).collect(),
    };
    samples.iter().map(through).collect()
}

fn main() {
    let share = std::env::args().find_map(|argument| argument.strip_prefix("--share=")?.parse().ok()).unwrap_or(1);
    let mut samples = pictures::generated(SEED);
    let generated = samples.len();
    if let Some(shared) = std::env::var_os("LACUNA_SHARED") {
        let first = samples.last().unwrap().family + 1;
        samples.extend(pictures::from_folder(&Path::new(&shared).join("data/citizenlab/images"), first));
    }
    println!("{generated} generated pictures, {} that were filtered, seed {SEED}", samples.len() - generated);
    samples.retain(|sample| sample.family / 2 % share == 0);
    let start = Instant::now();
    let (one, other) = samples.split_at(samples.len() / 2);
    let pictures: Vec<Picture> = std::thread::scope(|scope| {
        let threads = [one, other].map(|part| scope.spawn(|| work(part)));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    println!("{} pictures through {} channels in {:.0?}", pictures.len(), CHANNELS.len(), start.elapsed());
    for (half, parity) in [("even", 0), ("odd", 1)] {
        let pictures: Vec<&Picture> = pictures.iter().filter(|picture| picture.family % 2 == parity).collect();
        report(half, &pictures);
    }
}

fn report(half: &str, pictures: &[&Picture]) {
    let mut sets: Vec<&str> = pictures.iter().map(|picture| picture.set).collect();
    sets.dedup();
    println!("\n## {half}, {} pictures", pictures.len());
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
    println!("\nappearance, the nearest, at most {} levels: {}", f64::from(Distance::SAME.0) / 100.0, by_appearance(pictures));
    println!("256-bit fingerprint, the nearest, at most {BITS} bits: {}", by_fingerprint(pictures));
}

fn by_appearance(pictures: &[&Picture]) -> String {
    let distance = |sent: &Picture, received: &Seen| sent.sent.appearance.distance(&received.appearance).0;
    let near = |one: &Picture, other: &Picture| one.sent.appearance.distance(&other.sent.appearance) < Distance::APART;
    count(pictures, Distance::SAME.0, distance, near)
}

fn by_fingerprint(pictures: &[&Picture]) -> String {
    count(pictures, BITS, |sent, received| sent.sent.hash.distance(&received.hash), |_, _| false)
}

/// What is taken for what, among pictures of which no two are too near: of such pairs the first alone is sent.
fn count(
    pictures: &[&Picture],
    most: u32,
    distance: impl Fn(&Picture, &Seen) -> u32,
    near: impl Fn(&Picture, &Picture) -> bool,
) -> String {
    let mut sent: Vec<&Picture> = Vec::new();
    for picture in pictures {
        if sent.iter().all(|other| !near(other, picture)) {
            sent.push(picture);
        }
    }
    let (mut wrong, mut missed) = (vec![0_u32; CHANNELS.len()], vec![0_u32; CHANNELS.len()]);
    let mut stranger = 0_u32;
    for picture in &sent {
        for (channel, received) in picture.received.iter().enumerate() {
            let own = distance(picture, received);
            let others = sent.iter().filter(|other| !std::ptr::eq(**other, *picture));
            let nearest = others.map(|other| distance(other, received)).min().unwrap_or(u32::MAX);
            // A tie goes to whoever comes first: counted as wrong.
            wrong[channel] += u32::from(nearest <= own && nearest <= most);
            missed[channel] += u32::from(own > most && nearest > most);
            stranger += u32::from(nearest <= most);
        }
    }
    format!(
        "{} pictures left out as too near another; of {} received pictures {} taken for another ({wrong:?}), {} for none ({missed:?}); \
         {stranger} would be taken for another if their own had not been sent",
        pictures.len() - sent.len(),
        sent.len() * CHANNELS.len(),
        wrong.iter().sum::<u32>(),
        missed.iter().sum::<u32>(),
    )
}
