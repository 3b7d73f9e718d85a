//! Which pictures are the same to whoever sees them.

use lacuna_content::image::{
    Appearance, Distance, Encoding, Limits, Rgb, RgbImage, decode, encode, perceptual_hash, recognise, too_near,
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
    assert_eq!(recognise(&[&other, &one], &received), Some(1));
    assert_eq!(recognise(&[&other], &received), None);
    assert_eq!(recognise(&[], &received), None);
    assert!(one.distance(&other) > Distance::APART);
    assert_eq!(too_near(&[&one, &other, &received, &other]), [(0, 2), (1, 3)]);
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

#[test]
fn the_distance_is_the_root_mean_squared_difference() {
    // Half of the cells 20 levels lighter: 10 levels from the mean on either side.
    let [flat, halves] =
        [100, 120].map(|right| Appearance::of(&RgbImage::from_fn(64, 64, |x, _| Rgb([if x < 32 { 100 } else { right }; 3]))));
    assert_eq!(flat.distance(&halves), Distance(1_000));
}

proptest! {
    #[test]
    fn distances_are_symmetric_and_zero_for_the_same(one in any::<u32>(), other in any::<u32>()) {
        let [one, other] = [one, other].map(|seed| Appearance::of(&squares(seed)));
        prop_assert_eq!(one.distance(&one), Distance(0));
        prop_assert_eq!(one.distance(&other), other.distance(&one));
    }
}
