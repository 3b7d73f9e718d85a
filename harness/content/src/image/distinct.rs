//! Pictures that can be told apart behind a platform that re-encodes them.

use super::appearance::{Appearance, COMPARED, Distance, Grid, SCALE, Shape, distance};

/// Pictures, each far enough from every other to be recognised. A hundred thousand can be compared: most pairs are seen to be far
/// apart from a few cells.
#[derive(Default)]
pub struct Distinct {
    pictures: Vec<Picture>,
}

struct Picture {
    shape: Shape,
    /// For each shape the grid, and its mean.
    grids: [(Box<Grid>, i64); 3],
}

impl Picture {
    fn of(appearance: &Appearance) -> Self {
        let with_mean = |shape| {
            let grid = appearance.grid(shape);
            let sum: i64 = grid.iter().map(|cell| i64::from(*cell)).sum();
            (grid, sum / i64::from(COMPARED))
        };
        Self { shape: appearance.shape(), grids: Shape::ALL.map(with_mean) }
    }

    /// Whether one of the two could be taken for the other, compared on the grid of either.
    fn is_near(&self, other: &Self) -> bool {
        let on = |shape: Shape| {
            let index = shape as usize;
            let ((one, one_mean), (other, other_mean)) = (&self.grids[index], &other.grids[index]);
            !is_far(one, other, one_mean - other_mean) && distance(one, other) < Distance::APART
        };
        on(self.shape) || (other.shape != self.shape && on(other.shape))
    }
}

/// Whether a part of the cells shows that the distance is at least [`Distance::APART`]. `shift` may be wrong by one, which
/// makes the sum of squares larger by one a cell.
fn is_far(one: &Grid, other: &Grid, shift: i64) -> bool {
    const APART: u64 = Distance::APART.0 as u64 * SCALE / 100 + 1;
    const ENOUGH: u64 = (APART * APART + 1) * COMPARED as u64;
    let mut sum = 0;
    for (one, other) in one.chunks_exact(32).zip(other.chunks_exact(32)) {
        let difference = |(one, other): (&u16, &u16)| (i64::from(*one) - i64::from(*other) - shift).unsigned_abs();
        sum += one.iter().zip(other).map(difference).map(|difference| difference * difference).sum::<u64>();
        if sum > ENOUGH {
            return true;
        }
    }
    false
}

impl Distinct {
    /// Without pictures.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a picture, unless it is too near one that was added before: then the position of that one, counted from 0.
    pub fn add(&mut self, appearance: &Appearance) -> Result<(), usize> {
        let picture = Picture::of(appearance);
        if let Some(position) = self.pictures.iter().position(|earlier| earlier.is_near(&picture)) {
            return Err(position);
        }
        self.pictures.push(picture);
        Ok(())
    }
}
