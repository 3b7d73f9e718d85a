//! A short fingerprint of how a picture looks, as other tools have them: to be read by people and compared with other collections.
//! It cannot tell pictures of texts apart ([`Appearance`](super::Appearance) can; docs/src/benchmarks.md has the figures).

use image::RgbImage;

use super::luminance::luminance_map;

/// Frequencies in each direction.
const LOW: usize = 16;
/// Cells of the luminance map in each direction.
const SIDE: usize = CELLS as usize;
const CELLS: u32 = 48;

/// 256 bits: for each of the 16 × 16 lowest frequencies of the discrete cosine transform (type II) of a luminance map of 48 × 48
/// cells, whether it is above their median. The constant part counts as zero. Comparable only with itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PerceptualHash([u8; LOW * LOW / 8]);

impl PerceptualHash {
    /// In how many bits two differ, from 0 to 256.
    #[must_use]
    pub fn distance(&self, other: &Self) -> u32 {
        self.0.iter().zip(&other.0).map(|(one, other)| (one ^ other).count_ones()).sum()
    }
}

impl std::fmt::Display for PerceptualHash {
    /// 64 hexadecimal digits: bits by rows of frequencies, the lowest first.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The fingerprint of a picture.
#[must_use]
pub fn perceptual_hash(picture: &RgbImage) -> PerceptualHash {
    let cells: Vec<f64> = luminance_map(picture, CELLS, CELLS).into_iter().map(f64::from).collect();
    let cosines: Vec<[f64; SIDE]> = (0..LOW)
        .map(|frequency| {
            let angle = |place: usize| std::f64::consts::PI * (frequency * (2 * place + 1)) as f64 / (2 * SIDE) as f64;
            std::array::from_fn(|place| libm::cos(angle(place)))
        })
        .collect();
    let product = |cells: &[f64], cosine: &[f64; SIDE]| -> f64 { cells.iter().zip(cosine).map(|(cell, cos)| cell * cos).sum() };
    // Rows first, kept by columns, so that the second pass reads them in order.
    let mut columns = vec![[0.0; SIDE]; LOW];
    for (y, row) in cells.chunks_exact(SIDE).enumerate() {
        for (column, cosine) in columns.iter_mut().zip(&cosines) {
            column[y] = product(row, cosine);
        }
    }
    let mut values: Vec<f64> = cosines.iter().flat_map(|down| columns.iter().map(move |column| product(column, down))).collect();
    values[0] = 0.0;
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    let mut bits = [0; LOW * LOW / 8];
    for (index, value) in values.iter().enumerate() {
        bits[index / 8] |= u8::from(*value > median) << (7 - index % 8);
    }
    PerceptualHash(bits)
}
