//! Texts that look like keywords and mean nothing: Chinese characters drawn at random.
//!
//! No text occurs in another, nor across the seam of two that stand side by side, separator or not: the first character of a
//! text says how long it is, and stands in no other place of any text. So a rule on one text is met by that text alone.

use lacuna_design::generator;
use lacuna_model::{Item, Role};
use rand::RngExt;
use rand::seq::SliceRandom;

use super::item;

/// How many of a hundred texts have so many characters: most keywords of published lists have two to four.
const LENGTHS: [(u32, u32); 7] = [(2, 30), (3, 25), (4, 25), (5, 8), (6, 6), (7, 3), (8, 3)];

/// The first character of the CJK Unified Ideographs, a block of 20,992.
const FIRST_CHARACTER: u32 = 0x4E00;

/// So many characters begin texts of one length. The next so many begin texts of the next.
const BEGINNINGS: u32 = 700;

/// Where the characters start that stand in the other places, and how many they are.
const OTHERS_FROM: u32 = FIRST_CHARACTER + 8 * BEGINNINGS;
const OTHERS: u32 = 8_000;

/// First and second character together number the texts of one length: more than there can be items.
const PAIRS: u32 = BEGINNINGS * OTHERS;

/// A prime that divides no number of pairs, so that its multiples run through all of them before one comes twice.
const STEP: u64 = 2_750_159;

/// Neutral messages by which paths are known to be alive.
const CONTROLS: u32 = 60;

const CATEGORIES: [&str; 6] = ["events", "people", "places", "organisations", "slang", "other"];

/// So many candidates, of lengths and categories mixed at random.
pub(super) fn candidates(seed: u64, items: u32) -> Vec<Item> {
    let mut texts = Texts::new(seed);
    let mut random = generator(seed, &["categories"]);
    let candidate = |number: u32| {
        let category = CATEGORIES[random.random_range(0..CATEGORIES.len())];
        item("generated", number as usize + 1, Role::Candidate, texts.next(), category)
    };
    (0..items).map(candidate).collect()
}

/// The controls, alike in script and length. Their first characters begin no candidate.
pub(super) fn controls(seed: u64) -> Vec<Item> {
    let mut random = generator(seed, &["controls"]);
    let mut beginnings: Vec<u32> = (0..BEGINNINGS).collect();
    beginnings.shuffle(&mut random);
    let control = |(number, beginning): (u32, u32)| {
        let mut text = String::new();
        text.extend(char::from_u32(FIRST_CHARACTER + 7 * BEGINNINGS + beginning));
        let length = length_at(random.random_range(0..100)).1;
        text.extend((1..length).filter_map(|_| other(random.random_range(0..OTHERS))));
        item("controls", number as usize + 1, Role::Control, text, "neutral")
    };
    (0..CONTROLS).zip(beginnings).map(control).collect()
}

/// Texts, no two the same.
struct Texts {
    random: rand_chacha::ChaCha12Rng,
    offset: u64,
    /// How many there were of each length.
    made: [u64; LENGTHS.len()],
}

impl Texts {
    fn new(seed: u64) -> Self {
        let mut random = generator(seed, &["texts"]);
        let offset = random.random_range(0..u64::from(PAIRS));
        Self { random, offset, made: [0; LENGTHS.len()] }
    }

    fn next(&mut self) -> String {
        let (place, length) = length_at(self.random.random_range(0..100));
        let pair = (self.offset + self.made[place] * STEP) % u64::from(PAIRS);
        self.made[place] += 1;
        let pair = u32::try_from(pair).unwrap_or(0);
        let block = u32::try_from(place).unwrap_or(0) * BEGINNINGS;
        let mut text = String::new();
        text.extend(char::from_u32(FIRST_CHARACTER + block + pair % BEGINNINGS));
        text.extend(other(pair / BEGINNINGS));
        text.extend((2..length).filter_map(|_| other(self.random.random_range(0..OTHERS))));
        text
    }
}

/// The length that a number below 100 stands for, and its place in the table.
fn length_at(percent: u32) -> (usize, u32) {
    let mut sum = 0;
    for (place, (length, share)) in LENGTHS.iter().enumerate() {
        sum += share;
        if percent < sum {
            return (place, *length);
        }
    }
    (0, LENGTHS[0].0)
}

fn other(number: u32) -> Option<char> {
    char::from_u32(OTHERS_FROM + number)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_text_occurs_in_another_or_across_a_seam() {
        let items: Vec<Item> = candidates(7, 2_000).into_iter().chain(controls(7)).collect();
        let distinct: HashSet<&str> = items.iter().map(|item| &*item.message).collect();
        assert_eq!(distinct.len(), items.len());
        let joined: String = items.iter().map(|item| &*item.message).collect();
        for item in &items {
            assert_eq!(joined.matches(&*item.message).count(), 1, "{}", item.message);
            assert!((2..=8).contains(&item.message.chars().count()));
        }
    }

    #[test]
    fn a_million_texts_are_distinct() {
        let mut texts = Texts::new(3);
        let distinct: HashSet<String> = (0..1_000_000).map(|_| texts.next()).collect();
        assert_eq!(distinct.len(), 1_000_000);
    }

    #[test]
    fn lengths_are_a_hundred_per_cent_and_the_blocks_do_not_overlap() {
        assert_eq!(LENGTHS.iter().map(|(_, share)| share).sum::<u32>(), 100);
        const { assert!(OTHERS_FROM + OTHERS <= FIRST_CHARACTER + 20_992) };
        const { assert!(LENGTHS.len() < 8, "the eighth block is that of the controls") };
        assert_eq!((0..100).map(|percent| length_at(percent).1).filter(|length| *length == 8).count(), 3);
    }
}
