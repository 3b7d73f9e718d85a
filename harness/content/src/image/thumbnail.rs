//! Small pictures, to look at many beside each other.

use image::RgbImage;
use image::imageops;

/// The picture made so small that it fits into a square of `side` pixels, each pixel the mean of those that it stands for. One that
/// fits already stays as it is.
#[must_use]
pub fn thumbnail(picture: &RgbImage, side: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    if longer <= side || longer == 0 {
        return picture.clone();
    }
    // Rounded down, and a hair's breadth remains a line.
    let smaller = |length: u32| u32::try_from(u64::from(length) * u64::from(side) / u64::from(longer)).unwrap_or(side).max(1);
    imageops::thumbnail(picture, smaller(width), smaller(height))
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_thumbnail_fits_and_keeps_its_proportions() {
        for (width, height, small) in
            [(640, 480, (160, 120)), (480, 640, (120, 160)), (160, 90, (160, 90)), (1, 1, (1, 1)), (30_000, 2, (160, 1))]
        {
            assert_eq!(thumbnail(&RgbImage::new(width, height), 160).dimensions(), small, "{width} × {height}");
        }
        assert_eq!(thumbnail(&RgbImage::new(0, 9), 160).dimensions(), (0, 9));
    }

    #[test]
    fn a_pixel_is_the_mean_of_those_it_stands_for() {
        let stripes = RgbImage::from_fn(400, 400, |x, _| if x % 2 == 0 { Rgb([0; 3]) } else { Rgb([200, 100, 50]) });
        let small = thumbnail(&stripes, 100);
        assert!(small.pixels().all(|pixel| pixel.0 == [100, 50, 25]), "{:?}", small.get_pixel(3, 3));
    }
}
