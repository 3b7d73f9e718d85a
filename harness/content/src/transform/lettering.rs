//! The text of a picture, drawn anew.

use image::RgbImage;
use lacuna_model::GrayFormula;
use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;
use unicode_segmentation::UnicodeSegmentation as _;

use super::TransformError;
use super::pixels::canvas;
use super::spec::{Half, Tile};
use crate::image::{Area, Lettering, Rgb, Typesetter};

/// How far apart two shades are at least where a text is to be seen.
const FAR: u8 = 40;
/// How far apart two shades are at most where it is not.
const NEAR: u8 = 1;
/// How often colours are drawn before a pair that is known is taken. One in 2,000 to 30,000 fits.
const MOST_DRAWS: u32 = 200_000;

/// A text in other letters, elsewhere, on another ground than pictures usually have: a gradient or, if it is to be invisible under a
/// formula, one colour that is as grey under it as the letters. Gives where the text is.
pub(super) fn retypeset(
    typesetter: &mut Typesetter,
    text: &str,
    size: (u32, u32),
    hidden_from: Option<GrayFormula>,
    random: &mut ChaCha12Rng,
) -> Result<(RgbImage, Area), TransformError> {
    let (mut picture, ink) = match hidden_from {
        Some(formula) => {
            let Colors { ink, ground } = equal(formula, random);
            (canvas(size.0.into(), size.1.into(), ground)?, ink)
        }
        None => gradient(size, random)?,
    };
    let whole = Area::whole(size.0, size.1).inset(size.0.min(size.1) / 20);
    // Two thirds to nine tenths of the room, anywhere in it.
    let share = random.random_range(66..=90);
    let (width, height) = (whole.width * share / 100, whole.height * share / 100);
    let x = whole.x + random.random_range(0..=whole.width - width);
    let y = whole.y + random.random_range(0..=whole.height - height);
    let part = Area { x, y, width, height };
    let largest = size.1 / 4 + random.random_range(0..=size.1 / 8);
    let lettering = Lettering { ink, largest };
    let drawn = typesetter.draw(&mut picture, part, text, lettering);
    let text_box = drawn.or_else(|_| typesetter.draw(&mut picture, whole, text, lettering)).map_err(TransformError::Text)?;
    Ok((picture, text_box))
}

/// A ground between two dark or two light colours, from corner to corner, and an ink far from both.
fn gradient((width, height): (u32, u32), random: &mut ChaCha12Rng) -> Result<(RgbImage, [u8; 3]), TransformError> {
    let dark = random.random_bool(0.5);
    let mut color = |dark: bool, range: u8| {
        let shades: [u8; 3] = std::array::from_fn(|_| random.random_range(0..=range));
        if dark { shades } else { shades.map(|shade| 255 - shade) }
    };
    let (one, other, ink) = (color(dark, 90), color(dark, 90), color(!dark, 30));
    let mut picture = canvas(width.into(), height.into(), one)?;
    let length = u64::from(width) + u64::from(height);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let share = u64::from(x + y) * 256 / length;
        pixel.0 = std::array::from_fn(|channel| {
            let mixed = u64::from(one[channel]) * (256 - share) + u64::from(other[channel]) * share;
            u8::try_from(mixed / 256).unwrap_or(u8::MAX)
        });
    }
    Ok((picture, ink))
}

/// Colours of letters and of what is under them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Colors {
    ink: [u8; 3],
    ground: [u8; 3],
}

/// Colours of one shade under a formula, as far as the blends between them, and far apart under the two others.
fn equal(formula: GrayFormula, random: &mut ChaCha12Rng) -> Colors {
    let drawn = (0..MOST_DRAWS).find_map(|_| {
        let colors = Colors { ink: random.random(), ground: random.random() };
        is_hidden_only_from(formula, colors).then_some(colors)
    });
    drawn.unwrap_or(match formula {
        GrayFormula::Luminosity => Colors { ink: [255, 0, 200], ground: [0, 169, 0] },
        GrayFormula::Average => Colors { ink: [188, 161, 2], ground: [37, 62, 253] },
        GrayFormula::Lightness => Colors { ink: [0, 255, 255], ground: [0, 90, 255] },
    })
}

fn is_hidden_only_from(formula: GrayFormula, Colors { ink, ground }: Colors) -> bool {
    let apart = |formula: GrayFormula| formula.shade(ink).abs_diff(formula.shade(ground));
    let others = || GrayFormula::ALL.into_iter().filter(|other| *other != formula);
    // Blends of equal lightness are of another where the order of the channels changes between.
    let blends = || (0..=255_u16).map(|share| std::array::from_fn(|channel| blend(ink[channel], ground[channel], share)));
    apart(formula) == 0
        && others().all(|other| apart(other) >= FAR)
        && blends().all(|blend| formula.shade(blend).abs_diff(formula.shade(ground)) <= NEAR)
}

/// As letters are laid over their ground.
fn blend(over: u8, under: u8, share: u16) -> u8 {
    u8::try_from((u16::from(over) * share + u16::from(under) * (255 - share) + 127) / 255).unwrap_or(u8::MAX)
}

/// The width of a tile of strokes on a canvas of twice the size, in pixels per hundred of its height.
const TILE_SHARE: u32 = 2;
/// Letters that strokes are made of, five by five, a row in five bits.
const LETTERS: [[u8; 5]; 6] = [
    [0b10001, 0b10001, 0b11111, 0b10001, 0b10001], // H
    [0b11111, 0b00100, 0b00100, 0b00100, 0b11111], // I
    [0b01110, 0b10001, 0b10001, 0b10001, 0b01110], // O
    [0b11111, 0b10000, 0b11110, 0b10000, 0b11111], // E
    [0b10001, 0b01010, 0b00100, 0b01010, 0b10001], // X
    [0b11111, 0b00001, 0b01110, 0b10000, 0b11111], // Z
];
/// The side of a letter with a gap.
const LETTER: u32 = 6;

/// A text as large as it goes, on a canvas of twice the size, its strokes made of small squares or letters with gaps between them.
pub(super) fn blobs(
    typesetter: &mut Typesetter,
    text: &str,
    (width, height): (u32, u32),
    tile: Tile,
    random: &mut ChaCha12Rng,
) -> Result<(RgbImage, Area), TransformError> {
    let mut mask = canvas(u64::from(width) * 2, u64::from(height) * 2, [255; 3])?;
    let (width, height) = mask.dimensions();
    let room = Area::whole(width, height).inset(width.min(height) / 20);
    let lettering = Lettering { ink: [0; 3], largest: room.height * 2 / 3 };
    let text_box = typesetter.draw(&mut mask, room, text, lettering).map_err(TransformError::Text)?;
    let side = match tile {
        Tile::Squares => (height * TILE_SHARE / 100).max(4),
        Tile::Letters => LETTER,
    };
    let mut picture = canvas(width.into(), height.into(), [255; 3])?;
    for top in (0..height).step_by(side as usize) {
        for left in (0..width).step_by(side as usize) {
            let letter = LETTERS[random.random_range(0..LETTERS.len())];
            let middle = mask.get_pixel_checked(left + side / 2, top + side / 2);
            if middle.is_none_or(|pixel| pixel.0[0] > 127) {
                continue;
            }
            for y in 0..side {
                for x in 0..side {
                    let inked = match tile {
                        Tile::Squares => x + 1 < side && y + 1 < side,
                        Tile::Letters => letter.get(y as usize).is_some_and(|row| x < 5 && row >> (4 - x) & 1 == 1),
                    };
                    if let Some(pixel) = picture.get_pixel_mut_checked(left + x, top + y).filter(|_| inked) {
                        *pixel = Rgb([0; 3]);
                    }
                }
            }
        }
    }
    Ok((picture, text_box))
}

/// A half of a text, cut between two characters as readers see them.
pub(super) fn half(text: &str, half: Half) -> Result<String, TransformError> {
    let clusters: Vec<&str> = text.graphemes(true).collect();
    let (first, second) = clusters.split_at(clusters.len() / 2);
    if first.concat().trim().is_empty() || second.concat().trim().is_empty() {
        return Err(TransformError::Undivided);
    }
    Ok(match half {
        Half::First => first.concat(),
        Half::Second => second.concat(),
    })
}

/// A text as a QR code, black on white, on a canvas of a size or, if that is too small for cameras, a larger one.
pub(super) fn qr(text: &str, (width, height): (u32, u32)) -> Result<RgbImage, TransformError> {
    /// Light modules around the code.
    const MARGIN: u32 = 4;
    /// The least side of a module, in pixels.
    const MODULE: u32 = 3;
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).map_err(|_| TransformError::LongCode)?;
    let modules = u32::try_from(code.width()).unwrap_or_default();
    let needed = (modules + 2 * MARGIN) * MODULE;
    let mut picture = canvas(width.max(needed).into(), height.max(needed).into(), [255; 3])?;
    let (width, height) = picture.dimensions();
    let side = width.min(height) / (modules + 2 * MARGIN);
    let (left, top) = ((width - modules * side) / 2, (height - modules * side) / 2);
    let colors = code.to_colors();
    for (y, row) in (0..).zip(colors.chunks_exact(code.width().max(1))) {
        for (x, _) in (0..).zip(row).filter(|(_, color)| **color == qrcode::Color::Dark) {
            for place in 0..side * side {
                picture.put_pixel(left + x * side + place % side, top + y * side + place / side, Rgb([0; 3]));
            }
        }
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::image::random::generator;

    #[test]
    fn drawn_and_known_colours_are_hidden_under_one_formula_alone() {
        for formula in GrayFormula::ALL {
            for seed in 0..40 {
                let colors = equal(formula, &mut generator(seed, &["colours"]));
                assert!(is_hidden_only_from(formula, colors), "{formula:?} {seed} {colors:?}");
            }
        }
        let known = [([255, 0, 200], [0, 169, 0]), ([188, 161, 2], [37, 62, 253]), ([0, 255, 255], [0, 90, 255])];
        for (formula, (ink, ground)) in GrayFormula::ALL.into_iter().zip(known) {
            assert!(is_hidden_only_from(formula, Colors { ink, ground }), "{formula:?}");
        }
    }

    #[test]
    fn halves_make_the_whole() {
        for text in ["ab", "新疆", "re\u{301}sume\u{301}", "སྒྱ་བོ", "one two"] {
            let halves = [Half::First, Half::Second].map(|part| half(text, part).unwrap());
            assert_eq!(halves.concat(), text);
        }
        for text in ["", "a", "a ", "e\u{301}"] {
            assert_eq!(half(text, Half::First).unwrap_err().to_string(), "has a text that cannot be divided");
        }
    }
}
