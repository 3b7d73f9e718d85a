//! Texts drawn anew, hidden, painted over, and as codes.

use lacuna_content::image::{Format, RgbImage};
use lacuna_model::GrayFormula;

use crate::{Pair, TEXT, pixels, spec, typesetter};

/// The largest difference of a shade from that of the ground, which the first pixel has.
fn contrast(picture: &RgbImage, formula: GrayFormula) -> u8 {
    let ground = formula.shade(picture.get_pixel(0, 0).0);
    picture.pixels().map(|pixel| formula.shade(pixel.0).abs_diff(ground)).max().unwrap()
}

#[test]
fn a_hidden_text_has_no_contrast_under_its_formula_and_much_under_the_others() {
    let mut typesetter = typesetter();
    for format in [Format::Png, Format::Jpeg] {
        let pair = Pair::new("plain", format);
        for hidden_from in GrayFormula::ALL {
            for kind in ["only-text", "retypeset"] {
                for variant in 1..10 {
                    let spec = spec(&format!("{kind}:{}", hidden_from.as_str()));
                    let made = pair.make(&spec, &mut typesetter, 5, variant).unwrap();
                    let picture = pixels(&made.bytes);
                    for formula in GrayFormula::ALL {
                        let contrast = contrast(&picture, formula);
                        let near = if formula == hidden_from { contrast <= 1 } else { contrast >= 40 };
                        assert!(near, "{spec} {variant}: {contrast} under {formula:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_box_of_a_text_painted_over_is_flat() {
    for style in ["plain", "photo", "newsprint"] {
        let pair = Pair::new(style, Format::Png);
        let area = pair.rendered.text_box;
        for kind in ["blank", "only-look"] {
            let picture = pixels(&pair.made(kind).bytes);
            let first = picture.get_pixel(area.x, area.y);
            let mut inside = picture
                .enumerate_pixels()
                .filter(|(x, y, _)| (area.x..area.x + area.width).contains(x) && (area.y..area.y + area.height).contains(y));
            assert!(inside.all(|(.., pixel)| pixel == first), "{kind} {style}");
            let outside = |x: u32, y: u32| picture.get_pixel(x, y) == pair.rendered.picture.get_pixel(x, y);
            assert!(outside(0, 0) && outside(area.x - 1, area.y), "{kind} {style}");
        }
    }
}

#[test]
fn variants_of_a_text_drawn_anew_look_different() {
    let pair = Pair::new("plain", Format::Png);
    let mut typesetter = typesetter();
    let mut make = |variant| {
        let made = pair.make(&spec("only-text"), &mut typesetter, 1, variant).unwrap();
        (pixels(&made.bytes), made.text_box.unwrap())
    };
    let (one, other) = (make(1), make(2));
    assert_ne!(one.0, other.0);
    assert_ne!(one.1, other.1);
}

#[test]
fn strokes_are_made_of_many_figures() {
    let pair = Pair::new("plain", Format::Png);
    for kind in ["blobs:squares", "blobs:letters"] {
        let picture = pixels(&pair.made(kind).bytes);
        assert_eq!(picture.dimensions(), (600, 200));
        let dark = |x: u32, y: u32| picture.get_pixel(x, y).0 == [0; 3];
        // No stroke is whole: nowhere are twelve pixels dark in a row.
        assert!((0..200).all(|y| (0..588).all(|x| !(x..x + 12).all(|x| dark(x, y)))), "{kind}");
        assert!(picture.pixels().filter(|pixel| pixel.0 == [0; 3]).count() > 1000, "{kind}");
    }
}

#[test]
fn a_code_is_read_as_the_text() {
    let pair = Pair::new("plain", Format::Png);
    let picture = pixels(&pair.made("qr").bytes);
    let grey = |x: usize, y: usize| picture.get_pixel(u32::try_from(x).unwrap(), u32::try_from(y).unwrap()).0[0];
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(picture.width() as usize, picture.height() as usize, grey);
    let (_, read) = prepared.detect_grids().remove(0).decode().unwrap();
    assert_eq!(read, TEXT);
}
