//! Pictures to be told apart: phrases that differ in few characters, and what photographs are made of.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use lacuna_content::image::{Area, Lettering, Limits, STYLES, Typesetter, decode, render};
use lacuna_content::image::{Rgb, RgbImage};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// A picture and its set. Pictures of one family look alike and are never divided between the halves.
pub struct Sample {
    pub set: &'static str,
    pub family: usize,
    pub picture: RgbImage,
}

fn typesetter() -> Typesetter {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fonts");
    let fonts = ["han.otf", "arabic.ttf", "tibetan.ttf"].map(|name| (fs::read(folder.join(name)).unwrap(), 0));
    Typesetter::new(fonts.to_vec()).unwrap()
}

/// The characters of the test font.
fn characters(typesetter: &mut Typesetter) -> Vec<char> {
    let all = ('\u{4E00}'..='\u{9FA5}').collect::<String>();
    let missing: std::collections::HashSet<char> = typesetter.missing(&all).into_iter().collect();
    all.chars().filter(|character| !missing.contains(character)).collect()
}

/// A text and two more with one and with two characters changed.
fn texts(random: &mut ChaCha12Rng, characters: &[char], lengths: RangeInclusive<usize>) -> [String; 3] {
    let length = random.random_range(lengths);
    let mut text: Vec<char> = (0..length).map(|_| *characters.choose(random).unwrap()).collect();
    [0, 1, 1].map(|changes| {
        for _ in 0..changes {
            let place = random.random_range(0..length);
            let old = text[place];
            while text[place] == old {
                text[place] = *characters.choose(random).unwrap();
            }
        }
        text.iter().collect()
    })
}

/// A set of pictures: how many families, how long the texts, in how many styles. A family is a text in three wordings, or one scene.
struct Set {
    name: &'static str,
    families: usize,
    content: Content,
}

enum Content {
    Texts { lengths: RangeInclusive<usize>, styles: usize },
    Scene { captioned: bool },
}

const SETS: [Set; 5] = [
    Set { name: "phrases, one style", families: 600, content: Content::Texts { lengths: 2..=8, styles: 1 } },
    Set { name: "phrases, six styles", families: 400, content: Content::Texts { lengths: 2..=8, styles: STYLES.len() } },
    Set { name: "long texts, one style", families: 200, content: Content::Texts { lengths: 9..=30, styles: 1 } },
    Set { name: "scenes", families: 800, content: Content::Scene { captioned: false } },
    Set { name: "scenes with a caption", families: 400, content: Content::Scene { captioned: true } },
];

/// The families of all sets, by their numbers, from a seed. 4,800 pictures in all.
pub fn families() -> std::ops::Range<usize> {
    0..SETS.iter().map(|set| set.families).sum()
}

/// What pictures are drawn with.
pub struct Studio {
    typesetter: Typesetter,
    characters: Vec<char>,
}

impl Studio {
    pub fn new() -> Self {
        let mut typesetter = typesetter();
        let characters = characters(&mut typesetter);
        Self { typesetter, characters }
    }

    /// The pictures of a family, which follow from seed and number alone.
    pub fn family(&mut self, seed: u64, family: usize) -> Vec<Sample> {
        let mut first = 0;
        let set = SETS.iter().find(|set| {
            first += set.families;
            family < first
        });
        let set = set.unwrap();
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        random.set_stream(family as u64);
        let pictures = match &set.content {
            Content::Texts { lengths, styles } => {
                let style = *STYLES[..*styles].choose(&mut random).unwrap();
                let texts = texts(&mut random, &self.characters, lengths.clone());
                texts
                    .iter()
                    .map(|text| render(&mut self.typesetter, text, style, (600, 200), random.random()).unwrap().picture)
                    .collect()
            }
            Content::Scene { captioned } => vec![self.scene(&mut random, *captioned)],
        };
        pictures.into_iter().map(|picture| Sample { set: set.name, family, picture }).collect()
    }

    fn scene(&mut self, random: &mut ChaCha12Rng, captioned: bool) -> RgbImage {
        let sizes = [(600, 400), (400, 600), (480, 480), (800, 600), (300, 400), (1440, 1080)];
        let (width, height) = *sizes.choose(random).unwrap();
        let mut picture = scene(random, width, height);
        if captioned {
            let [text, ..] = texts(random, &self.characters, 4..=12);
            let area = Area { x: width / 10, y: height * 3 / 4, width: width * 8 / 10, height: height / 5 };
            let lettering = Lettering { ink: [255; 3], largest: height / 12 };
            self.typesetter.draw(&mut picture, area, &text, lettering).unwrap();
        }
        picture
    }
}

/// Soft ground, a few shapes, grain: what photographs are made of, roughly.
fn scene(random: &mut ChaCha12Rng, width: u32, height: u32) -> RgbImage {
    let mut colour = || -> [f32; 3] { std::array::from_fn(|_| random.random_range(0.0..255.0)) };
    let corners = [colour(), colour(), colour(), colour()];
    let shapes: Vec<([f32; 3], [f32; 4], bool, f32)> = (0..random.random_range(3..14))
        .map(|_| {
            let colour = std::array::from_fn(|_| random.random_range(0.0..255.0));
            let place = [
                random.random_range(0.0..1.0),
                random.random_range(0.0..1.0),
                random.random_range(0.03..0.35),
                random.random_range(0.03..0.35),
            ];
            (colour, place, random.random(), random.random_range(0.3..1.0))
        })
        .collect();
    let grain = *[0.0, 6.0, 16.0].choose(random).unwrap();
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let mut pixel: [f32; 3] = std::array::from_fn(|channel| {
            let line = |left: usize, right: usize| corners[left][channel] * (1.0 - u) + corners[right][channel] * u;
            line(0, 1) * (1.0 - v) + line(2, 3) * v
        });
        for (colour, [left, top, wide, high], round, opacity) in &shapes {
            let (across, down) = ((u - left) / wide, (v - top) / high);
            let inside = if *round { across * across + down * down < 1.0 } else { across.abs() < 1.0 && down.abs() < 1.0 };
            if inside {
                pixel = std::array::from_fn(|channel| pixel[channel] * (1.0 - opacity) + colour[channel] * opacity);
            }
        }
        let shift = if grain > 0.0 { random.random_range(-grain..grain) } else { 0.0 };
        Rgb(pixel.map(|value| (value + shift).clamp(0.0, 255.0) as u8))
    })
}

/// The pictures of a folder; what cannot be decoded is left out.
pub fn from_folder(folder: &Path, first_family: usize) -> Vec<Sample> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let decoded = paths.iter().filter_map(|path| {
        let bytes = fs::read(path).unwrap();
        match decode(&bytes, &Limits::default()) {
            Ok(decoded) => Some(decoded.picture),
            Err(error) => {
                println!("{}: {error}", path.display());
                None
            }
        }
    });
    let sample = |(offset, picture)| Sample { set: "filtered pictures", family: first_family + offset, picture };
    decoded.enumerate().map(sample).collect()
}
