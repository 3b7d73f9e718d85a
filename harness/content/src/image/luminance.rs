//! From colours to one luminance, and from pictures to small maps of it. All in integers, so that every machine gives the same.

use image::RgbImage;
use lacuna_model::GrayFormula;

/// The picture in shades of grey.
#[must_use]
pub fn made_grey(picture: &RgbImage, formula: GrayFormula) -> RgbImage {
    let mut grey = picture.clone();
    grey.pixels_mut().for_each(|pixel| pixel.0 = [formula.shade(pixel.0); 3]);
    grey
}

/// The fractional bits of a cell of [`luminance_map`].
pub(super) const MAP_FRACTION: u32 = 8;

/// The mean luminance of each cell of a grid laid over the whole picture, rows from the top, in 1/256 of a level. Pixels that a
/// border divides count for each side with the area that lies in it.
#[must_use]
pub fn luminance_map(picture: &RgbImage, columns: u32, rows: u32) -> Vec<u32> {
    let (width, height) = picture.dimensions();
    let across = overlaps(width, columns);
    let down = overlaps(height, rows);
    let mut sums = vec![0_u64; across.len() * down.len()];
    // The rows of pixels under a row of cells overlap by at most one, so each row is summed at most twice.
    let stride = width as usize * 3;
    let mut line = vec![0_u64; across.len()];
    let mut shades = vec![0_u32; width as usize];
    let mut summed = None;
    for (row, span) in down.iter().enumerate() {
        for (y, weight) in span.weights() {
            if summed != Some(y) {
                let Some(pixels) = picture.as_raw().get(y * stride..(y + 1) * stride) else { continue };
                for (shade, pixel) in shades.iter_mut().zip(pixels.as_chunks::<3>().0) {
                    *shade = u32::from(GrayFormula::Luminosity.shade(*pixel));
                }
                for (sum, span) in line.iter_mut().zip(&across) {
                    *sum = span.weighted(&shades);
                }
                summed = Some(y);
            }
            let cells = &mut sums[row * across.len()..(row + 1) * across.len()];
            cells.iter_mut().zip(&line).for_each(|(cell, sum)| *cell += weight * sum);
        }
    }
    // In the units of the overlaps a cell is as large as the picture.
    let area = u64::from(width) * u64::from(height);
    sums.into_iter().map(|sum| u32::try_from(((sum << MAP_FRACTION) + area / 2) / area).unwrap_or(u32::MAX)).collect()
}

/// The pixels under one cell, along one axis.
struct Span {
    first: usize,
    last: usize,
    /// How much of the first and the last pixel lies in the cell; all of one between counts `whole`.
    first_weight: u64,
    last_weight: u64,
    whole: u64,
}

impl Span {
    fn weights(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        (self.first..=self.last).map(|pixel| {
            let weight = match pixel {
                pixel if pixel == self.first => self.first_weight,
                pixel if pixel == self.last => self.last_weight,
                _ => self.whole,
            };
            (pixel, weight)
        })
    }

    fn weighted(&self, shades: &[u32]) -> u64 {
        let first = u64::from(shades[self.first]) * self.first_weight;
        if self.first == self.last {
            return first;
        }
        let between: u64 = shades[self.first + 1..self.last].iter().copied().map(u64::from).sum();
        first + between * self.whole + u64::from(shades[self.last]) * self.last_weight
    }
}

/// Divides `pixels` into `cells`: in units of 1/`cells` of a pixel, a cell is `pixels` long.
fn overlaps(pixels: u32, cells: u32) -> Vec<Span> {
    let (length, whole) = (u64::from(pixels), u64::from(cells));
    (0..whole)
        .map(|cell| {
            let (start, end) = (cell * length, (cell + 1) * length);
            let (first, last) = (start / whole, (end - 1) / whole);
            let first_weight = ((first + 1) * whole).min(end) - start;
            Span {
                first: usize::try_from(first).unwrap_or_default(),
                last: usize::try_from(last).unwrap_or_default(),
                first_weight,
                last_weight: end - last * whole,
                whole,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use image::Rgb;

    use super::*;

    /// Each cell by its definition, pixel by pixel.
    fn by_definition(picture: &RgbImage, columns: u32, rows: u32) -> Vec<u32> {
        let (width, height) = (u64::from(picture.width()), u64::from(picture.height()));
        let overlap = |pixel: u64, cell: u64, length: u64, cells: u64| {
            ((pixel + 1) * cells).min((cell + 1) * length).saturating_sub((pixel * cells).max(cell * length))
        };
        let mut map = Vec::new();
        for row in 0..u64::from(rows) {
            for column in 0..u64::from(columns) {
                let mut sum = 0;
                for (x, y, pixel) in picture.enumerate_pixels() {
                    let weight = overlap(x.into(), column, width, columns.into()) * overlap(y.into(), row, height, rows.into());
                    sum += weight * u64::from(GrayFormula::Luminosity.shade(pixel.0));
                }
                map.push(u32::try_from(((sum << MAP_FRACTION) + width * height / 2) / (width * height)).unwrap());
            }
        }
        map
    }

    #[test]
    fn a_map_is_the_mean_over_areas_for_larger_and_smaller_pictures() {
        for (width, height) in [(1, 1), (7, 5), (8, 8), (30, 3), (33, 50), (64, 16)] {
            let picture = RgbImage::from_fn(width, height, |x, y| {
                let value = u8::try_from((x * 37 + y * 91 + x * y) % 256).unwrap();
                Rgb([value, value.wrapping_mul(3), 255 - value])
            });
            assert_eq!(luminance_map(&picture, 8, 6), by_definition(&picture, 8, 6), "{width} × {height}");
        }
    }
}
