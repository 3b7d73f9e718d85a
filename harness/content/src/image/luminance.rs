//! From colours to one luminance, and from pictures to small maps of it. All in integers, so that every machine gives the same.

use image::RgbImage;

/// How colours become shades of grey. Programs that look for text differ in it, and a text can be coloured so that one of the
/// formulas makes it vanish.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Grayscale {
    /// 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), the usual one.
    Luminosity,
    /// (R + G + B) / 3.
    Average,
    /// (max + min) / 2, the L of HSL.
    Lightness,
}

impl Grayscale {
    /// Every formula.
    pub const ALL: [Self; 3] = [Self::Luminosity, Self::Average, Self::Lightness];

    /// As tables write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Luminosity => "luminosity",
            Self::Average => "average",
            Self::Lightness => "lightness",
        }
    }

    /// The shade of a colour, rounded to the nearest.
    #[must_use]
    pub fn shade(self, [red, green, blue]: [u8; 3]) -> u8 {
        let [r, g, b] = [red, green, blue].map(u32::from);
        let shade = match self {
            Self::Luminosity => (299 * r + 587 * g + 114 * b + 500) / 1000,
            Self::Average => (2 * (r + g + b) + 3) / 6,
            Self::Lightness => (r.max(g).max(b) + r.min(g).min(b)).div_ceil(2),
        };
        u8::try_from(shade).unwrap_or(u8::MAX)
    }
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
                    *shade = u32::from(Grayscale::Luminosity.shade(*pixel));
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
                    sum += weight * u64::from(Grayscale::Luminosity.shade(pixel.0));
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

    #[test]
    fn the_formulas_of_grey() {
        assert_eq!(Grayscale::ALL.map(|formula| formula.shade([255, 0, 0])), [76, 85, 128]);
        assert_eq!(Grayscale::ALL.map(|formula| formula.shade([255, 255, 255])), [255, 255, 255]);
        assert_eq!(Grayscale::ALL.map(|formula| formula.shade([10, 20, 40])), [19, 23, 25]);
    }
}
