//! Which pictures are the same to whoever sees them.

use lacuna_content::image::{
    Appearance, Distance, Distinct, Encoding, Limits, Recognition, Rgb, RgbImage, decode, encode, perceptual_hash, recognise,
};
use proptest::prelude::*;

/// Squares on a gradient, by a seed.
fn squares(seed: u32) -> RgbImage {
    RgbImage::from_fn(320, 240, |x, y| {
        let cell = (x / 40).wrapping_mul(73) ^ (y / 30).wrapping_mul(151) ^ seed.wrapping_mul(2_654_435_761);
        let shade = u8::try_from(cell.wrapping_mul(2_246_822_519) >> 24).unwrap();
        Rgb([shade, shade / 2 + 60, 255 - shade])
    })
}

#[test]
fn a_picture_is_the_same_behind_compression_and_another_is_not() {
    let (one, other) = (squares(1), squares(2));
    let received = decode(&encode(&one, Encoding::Jpeg(30)).unwrap(), &Limits::default()).unwrap().picture;
    let [one, other, received] = [&one, &other, &received].map(Appearance::of);
    let distance = one.distance(&received);
    assert_eq!(recognise(&[&other, &one], &received), Recognition::As { position: 1, distance });
    assert_eq!(recognise(&[&other], &received), Recognition::Nothing);
    assert_eq!(recognise(&[], &received), Recognition::Nothing);
    // Two that look the same, with another between them.
    assert_eq!(recognise(&[&one, &other, &one], &received), Recognition::OneOf(vec![0, 2]));
    assert_eq!(recognise(&[&one, &other, &one], &one), Recognition::OneOf(vec![0, 2]));
    assert!(one.distance(&other) > Distance::APART);
    let mut distinct = Distinct::new();
    assert_eq!([&one, &other, &received, &other].map(|picture| distinct.add(picture)), [Ok(()), Ok(()), Err(0), Err(1)]);
}

#[test]
fn pictures_of_nothing_are_all_the_same() {
    let [black, white] = [0, 255].map(|shade| Appearance::of(&RgbImage::from_pixel(50, 50, Rgb([shade; 3]))));
    assert_eq!(black.distance(&white), Distance(0));
}

#[test]
fn the_fingerprint_is_pinned() {
    // Golden: another value makes old results incomparable.
    insta::assert_snapshot!(perceptual_hash(&squares(1)).to_string());
    assert_eq!(perceptual_hash(&squares(1)).distance(&perceptual_hash(&squares(1))), 0);
    assert!(perceptual_hash(&squares(1)).distance(&perceptual_hash(&squares(2))) > 80);
}

/// The distance between two grey pictures of 64 × 64 pixels by its definition.
fn by_definition(one: &RgbImage, other: &RgbImage) -> f64 {
    let grid = |picture: &RgbImage| -> Vec<f64> {
        let pixel = |x: u32, y: u32| f64::from(picture.get_pixel(x, y).0[0]);
        let cells: Vec<f64> = (0..1024)
            .map(|cell| (2 * (cell % 32), 2 * (cell / 32)))
            .map(|(x, y)| (pixel(x, y) + pixel(x + 1, y) + pixel(x, y + 1) + pixel(x + 1, y + 1)) / 4.0)
            .collect();
        let cell = |x: i32, y: i32| cells[usize::try_from(y.clamp(0, 31) * 32 + x.clamp(0, 31)).unwrap()];
        let across = |x: i32, y: i32| (cell(x - 1, y) + 4.0 * cell(x, y) + cell(x + 1, y)) / 6.0;
        let blurred = |x: i32, y: i32| (across(x, y - 1) + 4.0 * across(x, y) + across(x, y + 1)) / 6.0;
        (0..1024).map(|cell| blurred(cell % 32, cell / 32)).collect()
    };
    let differences: Vec<f64> = grid(one).iter().zip(grid(other)).map(|(one, other)| one - other).collect();
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / 1024.0;
    let shift = mean(&mut differences.iter().copied());
    mean(&mut differences.iter().map(|difference| (difference - shift).powi(2))).sqrt()
}

proptest! {
    #[test]
    fn distances_are_symmetric_and_zero_for_the_same(one in any::<u32>(), other in any::<u32>()) {
        let [one, other] = [one, other].map(|seed| Appearance::of(&squares(seed)));
        prop_assert_eq!(one.distance(&one), Distance(0));
        prop_assert_eq!(one.distance(&other), other.distance(&one));
    }

    #[test]
    fn pictures_are_distinct_as_far_as_their_distances_say(
        sizes in prop::collection::vec((40_u32..200, 40_u32..200, 0_u32..3, 0_u8..8), 1..12),
    ) {
        let picture = |(width, height, seed, shade): (u32, u32, u32, u8)| {
            let whole = squares(seed);
            Appearance::of(&RgbImage::from_fn(width, height, |x, y| {
                let pixel = whole.get_pixel(x * 319 / width, y * 239 / height).0;
                Rgb(if x * 8 < width { pixel.map(|value| value.saturating_add(shade)) } else { pixel })
            }))
        };
        let (mut distinct, mut kept): (_, Vec<Appearance>) = (Distinct::new(), Vec::new());
        for appearance in sizes.into_iter().map(picture) {
            let near = |one: &Appearance| one.distance(&appearance).min(appearance.distance(one)) < Distance::APART;
            let expected = kept.iter().position(near);
            prop_assert_eq!(distinct.add(&appearance).err(), expected);
            if expected.is_none() {
                kept.push(appearance);
            }
        }
    }

    #[test]
    fn the_distance_is_the_root_mean_squared_difference(one in any::<u64>(), other in any::<u64>(), sharp in any::<bool>()) {
        let noise = |seed: u64| RgbImage::from_fn(64, 64, |x, y| {
            let place = if sharp { x * 64 + y } else { x / 16 * 64 + y / 9 };
            let value = (seed ^ u64::from(place)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            Rgb([(value >> 56) as u8; 3])
        });
        let [one, other] = [one, other].map(noise);
        let distance = Appearance::of(&one).distance(&Appearance::of(&other)).0;
        prop_assert!((f64::from(distance) / 100.0 - by_definition(&one, &other)).abs() < 0.011);
    }
}
