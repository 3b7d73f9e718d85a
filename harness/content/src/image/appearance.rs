//! Which of the pictures that were sent a received one is, to whoever sees them.
//!
//! Fingerprints of signs forget by how much pictures differ. Two texts of one style differ in few characters, which moves few signs, as
//! compression does; but it moves the luminance there by far more. So a small luminance map is kept, the distance is the root of the mean
//! squared difference, and a received picture is taken for the nearest of those that were sent, if that is near enough and the next is not
//! about as near. The maps are blurred a little before: small thumbnails blur what is sent, and differences in sharpness would hide
//! differences in content.

use image::RgbImage;

use super::luminance::{MAP_FRACTION, luminance_map};

/// Cells of the map that is kept, in each direction.
const SIDE: u8 = 64;
/// Cells of the grid on which pictures are compared.
pub(super) const COMPARED: u16 = 1024;
/// What a cell of the grid counts itself in the blur, where each neighbour counts 1.
const CENTRE: u16 = 4;
/// A cell of the grid is a sum of four cells of the map, blurred in both directions.
pub(super) const SCALE: u64 = 4 * (CENTRE as u64 + 2) * (CENTRE as u64 + 2);
/// The nearest picture must be nearer than so many hundredths of the distance to any other.
const MARGIN: u64 = 97;

/// How a picture looks: 64 × 64 cells of mean luminance, 8 bits each, and the coarser grid made of them on which it is compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Appearance {
    cells: Box<[u8]>,
    shape: Shape,
    grid: Box<Grid>,
}

/// Sums of four cells of the map each, blurred.
pub(super) type Grid = [u16; COMPARED as usize];

/// How cells are put together, so that they are about as wide as high.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// At least twice as wide as high: 64 × 16 cells.
    Wide,
    /// 32 × 32 cells.
    Even,
    /// At least twice as high as wide: 16 × 64 cells.
    High,
}

impl Shape {
    /// In the order of their numbers.
    pub(super) const ALL: [Self; 3] = [Self::Wide, Self::Even, Self::High];

    /// How many cells of the map lie side by side in a cell of the grid, and how many one above the other.
    const fn cells(self) -> (usize, usize) {
        match self {
            Self::Wide => (1, 4),
            Self::Even => (2, 2),
            Self::High => (4, 1),
        }
    }
}

/// How far a picture is from another: root mean squared difference of luminance, in hundredths of a level of 255.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Distance(pub u32);

impl Distance {
    /// What a platform makes of a picture is at most so far from it: the farthest that was seen was 5.6 levels away
    /// (docs/src/benchmarks.md).
    pub const SAME: Self = Self(1_000);
    /// Pictures that are nearer than this to each other are not to be sent in one run: what a platform makes of one could be
    /// taken for the other.
    pub const APART: Self = Self(200);
}

/// What a received picture was recognised as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recognition {
    /// The picture at this position among those sent.
    As {
        /// Its position.
        position: usize,
        /// How far the received one is from it.
        distance: Distance,
    },
    /// One of the pictures at these positions, the nearest first, which cannot be told apart.
    OneOf(Vec<usize>),
    /// None of them.
    Nothing,
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
        let map = luminance_map(picture, SIDE.into(), SIDE.into());
        let cells: Box<[u8]> =
            map.into_iter().map(|cell| u8::try_from((cell + half) >> MAP_FRACTION).unwrap_or(u8::MAX)).collect();
        let grid = grid(&cells, shape);
        Self { cells, shape, grid }
    }

    pub(super) const fn shape(&self) -> Shape {
        self.shape
    }

    /// The grid for a shape, its own or another.
    pub(super) fn grid(&self, shape: Shape) -> Box<Grid> {
        if shape == self.shape { self.grid.clone() } else { grid(&self.cells, shape) }
    }

    /// How far a received picture is from this one, on the grid for the shape of this one. A change of brightness in the whole
    /// counts nothing.
    #[must_use]
    pub fn distance(&self, received: &Self) -> Distance {
        if received.shape == self.shape {
            distance(&self.grid, &received.grid)
        } else {
            distance(&self.grid, &received.grid(self.shape))
        }
    }
}

pub(super) fn distance(one: &Grid, other: &Grid) -> Distance {
    // A cell is below 2¹⁶, so that the square of a difference is below 2³¹: a blurred sum of four is at most 36,720.
    let differences = one.iter().zip(other).map(|(one, other)| i32::from(*one) - i32::from(*other));
    let (sum, squares) = differences
        .fold((0, 0), |(sum, squares), value| (sum + i64::from(value), squares + i64::from(value.wrapping_mul(value))));
    // A variance times n² is n Σd² − (Σd)², here below 2⁵⁰, which leaves room for hundredths squared.
    let scaled = u64::try_from(i64::from(COMPARED) * squares - sum * sum).unwrap_or_default();
    let root = (scaled * 10_000 / (SCALE * SCALE)).isqrt() / u64::from(COMPARED);
    Distance(u32::try_from(root).unwrap_or(u32::MAX))
}

/// The cells of a map put together for a shape, and blurred.
fn grid(cells: &[u8], shape: Shape) -> Box<Grid> {
    let (across, down) = shape.cells();
    let side = usize::from(SIDE);
    let columns = side / across;
    let mut sums = Box::new([0; COMPARED as usize]);
    for (index, cell) in cells.iter().enumerate() {
        let (x, y) = (index % side, index / side);
        sums[y / down * columns + x / across] += u16::from(*cell);
    }
    let rows = usize::from(COMPARED) / columns;
    // Beyond the edge lies what is at the edge.
    let blurred = |cells: &Grid, step: usize, place: fn(usize, usize) -> usize, places: usize| {
        let mut blurred = Box::new([0; COMPARED as usize]);
        for (index, (to, cell)) in blurred.iter_mut().zip(cells).enumerate() {
            let place = place(index, columns);
            let before = if place == 0 { *cell } else { cells[index - step] };
            let after = if place + 1 == places { *cell } else { cells[index + step] };
            *to = before + CENTRE * cell + after;
        }
        blurred
    };
    let sums = blurred(&sums, 1, |index, columns| index % columns, columns);
    blurred(&sums, columns, |index, columns| index / columns, rows)
}

/// Which of the pictures that were sent a received one is.
#[must_use]
pub fn recognise(sent: &[&Appearance], received: &Appearance) -> Recognition {
    let grids = Shape::ALL.map(|shape| received.grid(shape));
    let distances = sent.iter().map(|sent| distance(&sent.grid, &grids[sent.shape as usize]));
    let mut near: Vec<(Distance, usize)> = distances.zip(0..).collect();
    near.sort_unstable();
    let nearest = near.first().copied().filter(|(distance, _)| *distance <= Distance::SAME);
    let Some((distance, position)) = nearest else { return Recognition::Nothing };
    near.retain(|(other, _)| u64::from(other.0) * MARGIN <= u64::from(distance.0) * 100);
    match near.len() {
        0 | 1 => Recognition::As { position, distance },
        _ => Recognition::OneOf(near.into_iter().map(|(_, position)| position).collect()),
    }
}
