//! Random pictures, and twins made of them.

use lacuna_content::collide::{CollidingBlocks, Container, Files};
use lacuna_content::image::{Rgb, RgbImage};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;

/// Two pictures: rectangles, or every fifth time noise, which compresses so badly that it takes more than one comment.
pub fn pictures(seed: u64) -> [RgbImage; 2] {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    [(); 2].map(|()| {
        let mut below = |most: u32| random.next_u32() % most;
        if seed % 5 == 4 {
            let mut picture = RgbImage::new(300 + below(200), 300 + below(200));
            random.fill_bytes(&mut picture);
            return picture;
        }
        let (width, height) = (1 + below(400), 1 + below(400));
        let mut picture = RgbImage::from_pixel(width, height, Rgb([255; 3]));
        for _ in 0..8 {
            let (left, top) = (below(width), below(height));
            let colour = Rgb([0; 3].map(|_: u8| u8::try_from(below(256)).unwrap()));
            for y in top..height.min(top + 1 + below(height)) {
                for x in left..width.min(left + 100) {
                    picture.put_pixel(x, y, colour);
                }
            }
        }
        picture
    })
}

/// The files that these pictures become.
pub fn joined(container: Container, seed: u64) -> Files {
    let [first, second] = pictures(seed);
    CollidingBlocks::kept(container).join(&first, &second, seed).unwrap()
}

/// The mean absolute difference of two pictures' channels; that of black and white if their sizes differ.
pub fn difference(one: &RgbImage, other: &RgbImage) -> f64 {
    if one.dimensions() != other.dimensions() {
        return 255.0;
    }
    let sum: u64 = one.as_raw().iter().zip(other.as_raw()).map(|(one, other)| u64::from(one.abs_diff(*other))).sum();
    sum as f64 / one.as_raw().len() as f64
}
