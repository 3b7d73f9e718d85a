//! Texts in pictures.

use std::fs;
use std::path::Path;

use lacuna_content::image::{
    Area, FontError, Lettering, Rgb, RgbImage, STYLES, Style, TypesetError, Typesetter, freshen, render,
};

fn font(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fonts").join(name)).unwrap()
}

fn typesetter() -> Typesetter {
    Typesetter::new(["han.otf", "arabic.ttf", "tibetan.ttf"].map(|name| (font(name), 0)).to_vec()).unwrap()
}

fn plain() -> Style {
    Style::named("plain").unwrap()
}

/// A text in black on white.
fn drawn(text: &str) -> (RgbImage, Area) {
    let mut picture = RgbImage::from_pixel(600, 200, Rgb([255; 3]));
    let area = Area::whole(600, 200).inset(20);
    let text_box = typesetter().draw(&mut picture, area, text, Lettering { ink: [0; 3], largest: 50 }).unwrap();
    (picture, text_box)
}

/// How much ink there is.
fn ink(picture: &RgbImage) -> u64 {
    picture.pixels().map(|pixel| u64::from(255 - pixel.0[0])).sum()
}

#[test]
fn the_same_arguments_give_the_same_pixels_and_another_nonce_gives_others_that_look_the_same() {
    for style in STYLES {
        let mut typesetter = typesetter();
        let mut make = |nonce| render(&mut typesetter, "新疆", style, (600, 200), nonce).unwrap();
        let (first, again, other) = (make(1), make(1), make(2));
        assert_eq!(first.picture, again.picture, "{}", style.name);
        assert_ne!(first.picture, other.picture, "{}", style.name);
        assert_eq!(first.text_box, other.text_box, "{}", style.name);
        let most = first.picture.as_raw().iter().zip(other.picture.as_raw()).map(|(one, other)| one.abs_diff(*other)).max();
        assert_eq!(most, Some(1), "{}", style.name);
    }
}

#[test]
fn styles_have_names_of_their_own() {
    let mut names: Vec<&str> = STYLES.iter().map(|style| style.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), STYLES.len());
}

#[test]
fn the_box_holds_all_letters_and_nothing_more() {
    let (picture, text_box) = drawn("新疆");
    let inked: Vec<(u32, u32)> =
        picture.enumerate_pixels().filter(|(.., pixel)| pixel.0 != [255; 3]).map(|(x, y, _)| (x, y)).collect();
    let (left, right) = (inked.iter().map(|at| at.0).min().unwrap(), inked.iter().map(|at| at.0).max().unwrap());
    let (top, bottom) = (inked.iter().map(|at| at.1).min().unwrap(), inked.iter().map(|at| at.1).max().unwrap());
    // A pixel whose ink is too thin to change white may lie in the box.
    assert!(text_box.x <= left && left <= text_box.x + 1 && text_box.y <= top && top <= text_box.y + 1);
    assert!(right < text_box.x + text_box.width && text_box.x + text_box.width <= right + 2);
    assert!(bottom < text_box.y + text_box.height && text_box.y + text_box.height <= bottom + 2);
}

#[test]
fn arabic_letters_join() {
    // Unjoined letters are set with gaps between them: each alone is wider than its form within a word.
    let (_, word) = drawn("سسس");
    let (_, torn) = drawn("س\u{200C}س\u{200C}س");
    assert!(word.width < torn.width, "{word} is not narrower than {torn}");
}

#[test]
fn right_to_left_stands_right_to_left() {
    // Alef is high, sin is low: the first letter of the line stands on the right.
    let (picture, text_box) = drawn("ا سس");
    let top = |columns: std::ops::Range<u32>| {
        columns
            .flat_map(|x| (0..200).map(move |y| (x, y)))
            .filter(|(x, y)| picture.get_pixel(*x, *y).0[0] < 128)
            .map(|at| at.1)
            .min()
    };
    let (left, right) = (text_box.x, text_box.x + text_box.width);
    let (high, low) = (top(right - text_box.width / 5..right).unwrap(), top(left..left + text_box.width / 2).unwrap());
    assert!(high + 5 < low, "{high} {low}");
}

#[test]
fn tibetan_stacks() {
    // Letters below each other are higher than the first alone, and narrower than letters beside each other.
    let (_, single) = drawn("ས");
    let (_, stack) = drawn("སྒྱ");
    let (_, row) = drawn("སགཡ");
    assert!(stack.height > single.height && 2 * stack.width < row.width, "{single}, {stack}, {row}");
}

#[test]
fn scripts_are_mixed_and_long_texts_are_broken_into_lines() {
    let (short, _) = drawn("新疆 ئا བོ");
    assert!(ink(&short) > 0);
    let (_, line) = drawn("新疆");
    let (_, lines) = drawn(&"新疆".repeat(20));
    assert!(lines.height > 2 * line.height / 2 && lines.width > line.width && lines.width <= 560);
}

#[test]
fn what_no_font_has_is_named() {
    let mut typesetter = typesetter();
    assert_eq!(typesetter.missing("新 Ωx疆अΩ\u{200D}"), ['Ω', 'अ']);
    let error = render(&mut typesetter, "新Ωअ", plain(), (600, 200), 0).unwrap_err();
    assert_eq!(error, TypesetError::MissingGlyphs { missing: vec!['Ω', 'अ'] });
    assert_eq!(error.to_string(), "no font given has Ω (U+03A9), अ (U+0905)");
}

#[test]
fn what_does_not_fit_or_shows_nothing_is_refused() {
    let mut typesetter = typesetter();
    let too_long = TypesetError::TooLong { width: 560, height: 160 };
    assert_eq!(render(&mut typesetter, &"新".repeat(1_999), plain(), (600, 200), 0).unwrap_err(), too_long);
    assert_eq!(render(&mut typesetter, &"新".repeat(1_000_000), plain(), (600, 200), 0).unwrap_err(), too_long);
    for blank in ["", " \n", "\u{200B}\u{FEFF}"] {
        assert_eq!(render(&mut typesetter, blank, plain(), (600, 200), 0).unwrap_err(), TypesetError::Blank);
    }
}

#[test]
fn what_is_no_font_is_refused() {
    assert_eq!(Typesetter::new(vec![(b"no font".to_vec(), 0)]).err(), Some((0, FontError::NotAFont)));
    let fonts = vec![(font("han.otf"), 0), (font("tibetan.ttf"), 3)];
    assert_eq!(Typesetter::new(fonts).err(), Some((1, FontError::NoSuchFace { face: 3, faces: 1 })));
    let whole = font("arabic.ttf");
    for end in (0..whole.len()).step_by(997) {
        // A damaged font may be taken; it must not panic, neither then nor when it draws.
        if let Ok(mut typesetter) = Typesetter::new(vec![(whole[..end].to_vec(), 0)]) {
            let _ = render(&mut typesetter, "سلام", plain(), (600, 200), 0);
        }
    }
}

#[test]
fn freshening_touches_last_bits_alone() {
    let before = RgbImage::from_pixel(100, 100, Rgb([128; 3]));
    let mut after = before.clone();
    freshen(&mut after, 7);
    assert_ne!(before, after);
    assert!(after.as_raw().iter().all(|value| value | 1 == 129));
    freshen(&mut RgbImage::new(0, 0), 7);
}
