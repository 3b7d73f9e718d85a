//! Which of the pictures that were sent a received one is, to whoever sees them.
//!
//! Fingerprints of signs forget by how much pictures differ. Two texts of one style differ in few characters, which moves few signs, as
//! compression does; but it moves the luminance there by far more. So a small luminance map is kept, the distance is the root of the mean
//! squared difference, and a received picture is taken for the nearest of those that were sent, if that is near enough.

use image::RgbImage;

use super::luminance::{MAP_FRACTION, luminance_map};

/// Cells of the map that is kept, in each direction.
const SIDE: usize = 64;
/// Cells of the grid on which pictures are compared.
const COMPARED: usize = 1024;

/// How a picture looks: 64 × 64 cells of mean luminance, 8 bits each, 4,096 bytes, and its shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Appearance {
    cells: Box<[u8]>,
    shape: Shape,
}

/// How cells are put together, so that they are about as wide as high.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// At least twice as wide as high: 64 × 16 cells.
    Wide,
    /// 32 × 32 cells.
    Even,
    /// At least twice as high as wide: 16 × 64 cells.
    High,
}

/// How far a picture is from another: root mean squared difference of luminance, in hundredths of a level of 255.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Distance(pub u32);

impl Distance {
    /// What a platform makes of a picture is at most so far from it: the farthest of 7,392 was 11.9 levels away
    /// (docs/benchmarks.md).
    pub const SAME: Self = Self(1_500);
    /// Pictures that are nearer than this to each other are not to be sent in one run: what a platform makes of one could be
    /// taken for the other. Thumbnails of 200 pixels can be confused farther apart (docs/benchmarks.md).
    pub const APART: Self = Self(300);
}

impl Appearance {
    /// The appearance of a picture.
    #[must_use]
    pub fn of(picture: &RgbImage) -> Self {
        let (width, height) = picture.dimensions();
        let shape = match (width / 2 >= height, height / 2 >= width) {
            (true, _) => Shape::Wide,
            (_, true) => Shape::High,
            _ => Shape::Even,
        };
        let half = 1 << (MAP_FRACTION - 1);
        let map = luminance_map(picture, SIDE as u32, SIDE as u32);
        let cells = map.into_iter().map(|cell| u8::try_from((cell + half) >> MAP_FRACTION).unwrap_or(u8::MAX)).collect();
        Self { cells, shape }
    }

    /// How far a received picture is from this one, on the grid for the shape of this one. A change of brightness in the whole
    /// counts nothing.
    #[must_use]
    pub fn distance(&self, received: &Self) -> Distance {
        let (one, other) = (self.grid(self.shape), received.grid(self.shape));
        let difference = || one.iter().zip(&other).map(|(one, other)| i64::from(*one) - i64::from(*other));
        let (sum, squares) = difference().fold((0, 0), |(sum, squares), value| (sum + value, squares + value * value));
        // A cell is the sum of four; a variance times n² is n Σd² − (Σd)².
        let cells = COMPARED as i64;
        let scaled = u64::try_from(cells * squares - sum * sum).unwrap_or_default();
        let root = (scaled * 10_000 / 16).isqrt() / COMPARED as u64;
        Distance(u32::try_from(root).unwrap_or(u32::MAX))
    }

    /// Sums of four cells each.
    fn grid(&self, shape: Shape) -> [u16; COMPARED] {
        let (across, down) = match shape {
            Shape::Wide => (1, 4),
            Shape::Even => (2, 2),
            Shape::High => (4, 1),
        };
        let mut grid = [0; COMPARED];
        for (index, cell) in self.cells.iter().enumerate() {
            let (x, y) = (index % SIDE, index / SIDE);
            grid[y / down * (SIDE / across) + x / across] += u16::from(*cell);
        }
        grid
    }
}

/// The position of the sent picture that a received one is: the nearest, the first of those equally near, unless all are too far.
#[must_use]
pub fn recognise(sent: &[&Appearance], received: &Appearance) -> Option<usize> {
    let distances = sent.iter().map(|sent| sent.distance(received)).enumerate();
    distances
        .min_by_key(|(_, distance)| *distance)
        .filter(|(_, distance)| *distance <= Distance::SAME)
        .map(|(position, _)| position)
}

/// The pairs that are too near each other to be told apart behind a platform, by their positions, the smaller first.
#[must_use]
pub fn too_near(appearances: &[&Appearance]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (position, one) in appearances.iter().enumerate() {
        for (other_position, other) in appearances.iter().enumerate().skip(position + 1) {
            if one.distance(other).min(other.distance(one)) < Distance::APART {
                pairs.push((position, other_position));
            }
        }
    }
    pairs
}
