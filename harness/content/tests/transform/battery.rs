//! The whole battery on pictures of every format.

use std::collections::HashSet;
use std::fmt::Write as _;

use lacuna_content::image::{Appearance, Distance, Format, Limits, inspect};
use lacuna_content::transform::{Kept, MECHANISM, TransformError, battery, kept};
use lacuna_content::{md5_hex, sha256_hex};

use crate::{Pair, pixels, spec, typesetter};

#[test]
fn the_battery_as_it_is() {
    let pair = Pair::new("photo", Format::Png);
    let mut typesetter = typesetter();
    let mut listing = String::new();
    let sent = Appearance::of(&pair.rendered.picture);
    for entry in battery() {
        let made = pair.make(&entry.spec, &mut typesetter, 1, 1).unwrap();
        let seen = inspect(&made.bytes, &Limits::default()).unwrap();
        let Kept { pixels, text, look, metadata, file_name, .. } = entry.kept;
        let keeps: Vec<&str> = [("pixels", pixels), ("text", text), ("look", look), ("metadata", metadata), ("name", file_name)]
            .into_iter()
            .filter_map(|(name, kept)| kept.then_some(name))
            .collect();
        let (format, width, height) = (seen.format, seen.width, seen.height);
        let away = sent.distance(&seen.appearance).0 / 100;
        let hash = &sha256_hex(&made.bytes)[..8];
        writeln!(
            listing,
            "{:22} {format:4} {width:4} × {height:<4} {hash} {:16} {away:3} keeps {}",
            entry.spec.to_string(),
            made.file_name,
            keeps.join(", ")
        )
        .unwrap();
    }
    insta::assert_snapshot!(listing);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_every_hash_is_fresh() {
    let mut typesetter = typesetter();
    for format in Format::ALL {
        let pair = Pair::new("plain", format);
        let mut hashes = HashSet::from([md5_hex(&pair.original), md5_hex(&pair.benign)]);
        for entry in battery() {
            for (seed, variant) in [(1, 1), (1, 2), (2, 1)] {
                let made = match pair.make(&entry.spec, &mut typesetter, seed, variant) {
                    Ok(made) => made,
                    Err(TransformError::NoPlace { format: Format::Gif, .. }) => continue,
                    Err(error) => panic!("{} of a {format} {error}", entry.spec),
                };
                let again = pair.make(&entry.spec, &mut crate::typesetter(), seed, variant).unwrap();
                assert!(made == again, "{} of a {format}", entry.spec);
                assert!(hashes.insert(md5_hex(&made.bytes)), "{} of a {format}", entry.spec);
                assert_eq!(Format::of(&made.bytes), Some(made.format));
                let ending = made.file_name.rsplit_once('.').unwrap().1;
                assert_eq!(Format::of_extension(ending), Some(made.format), "{}", entry.spec);
                assert_eq!(made.file_name.starts_with("holiday."), entry.kept.file_name, "{}", entry.spec);
            }
        }
    }
}

#[test]
fn what_keeps_pixels_keeps_every_one() {
    let mut typesetter = typesetter();
    for format in Format::ALL {
        let pair = Pair::new("photo", format);
        let before = pixels(&pair.original);
        for entry in battery() {
            let Ok(made) = pair.make(&entry.spec, &mut typesetter, 3, 1) else { continue };
            let same = pixels(&made.bytes) == before;
            // A GIF has few enough colours to be written again as it is.
            assert!(same == entry.kept.pixels || same && format == Format::Gif, "{} of a {format}", entry.spec);
        }
    }
}

#[test]
fn what_keeps_the_look_is_recognised() {
    let mut typesetter = typesetter();
    let pair = Pair::new("photo", Format::Png);
    let sent = Appearance::of(&pair.rendered.picture);
    for entry in battery().iter().filter(|entry| entry.kept.look) {
        let made = pair.make(&entry.spec, &mut typesetter, 3, 1).unwrap();
        let distance = sent.distance(&Appearance::of(&pixels(&made.bytes)));
        // What lies where the text was is not part of the look.
        let is_blank = ["blank", "only-look"].contains(&entry.spec.to_string().as_str());
        assert!(distance <= Distance::SAME || is_blank, "{} {distance:?}", entry.spec);
    }
}

#[test]
fn several_steps_keep_what_all_of_them_keep() {
    let kept = |text: &str| kept(&spec(text));
    assert_eq!(kept("fresh+strip+rename"), Kept { bytes: false, metadata: false, file_name: false, ..Kept::ALL });
    assert!(kept("retypeset:luminosity").text && !kept("retypeset:luminosity").look);
    assert_eq!(kept("retypeset:luminosity+resize:0.9").hidden_from, [true, false, false]);
    // What is hidden from luminance is gone once only luminance is left.
    for gone in ["retypeset:luminosity+grayscale:luminosity", "retypeset:luminosity+threshold", "blank+invert"] {
        assert!(!kept(gone).text, "{gone}");
    }
    assert!(kept("retypeset:luminosity+grayscale:average").text);
    // Doses between two of the table, and beyond it.
    assert_eq!(kept("reencode:jpeg-80"), kept("reencode:jpeg-70"));
    assert_eq!(kept("resize:2"), kept("resize:0.75"));
    assert_eq!(kept("rotate:350"), kept("rotate:10"));
    assert_eq!(kept("rotate:270"), kept("rotate:90"));
    for beyond in ["reencode:jpeg-1", "resize:0.05", "blur:32", "noise:255", "crop:40", "rotate:45"] {
        assert!(!kept(beyond).text && !kept(beyond).look && kept(beyond).metadata, "{beyond}");
    }
    for (isolating, one) in MECHANISM.iter().skip(1).map(|name| (name, kept(name))) {
        let left = [one.pixels, one.text, one.look, one.metadata, one.file_name];
        assert_eq!(left.into_iter().filter(|kept| *kept).count(), 1, "{isolating}");
    }
}

#[test]
fn one_thing_is_kept_and_the_rest_is_of_the_harmless_picture() {
    let pair = Pair::new("photo", Format::Jpeg);
    let (named, described) = (pair.made("only-filename"), pair.made("only-metadata"));
    assert_eq!(pixels(&named.bytes).dimensions(), pixels(&pair.benign).dimensions());
    let benign = Appearance::of(&pixels(&pair.benign));
    for made in [named, described] {
        assert!(benign.distance(&Appearance::of(&pixels(&made.bytes))) < Distance(100));
        assert_eq!(made.format, Format::Jpeg);
    }
}

#[test]
fn steps_follow_each_other() {
    let pair = Pair::new("plain", Format::Png);
    let made = pair.made("resize:0.5+reencode:jpeg-30+reencode:png");
    let (halved, compressed) = (pair.made("resize:0.5"), pair.made("resize:0.5+reencode:jpeg-30"));
    assert_eq!(pixels(&made.bytes), pixels(&compressed.bytes));
    assert_ne!(pixels(&made.bytes), pixels(&halved.bytes));
    assert_eq!((made.format, compressed.format), (Format::Png, Format::Jpeg));
    for (steps, problem) in [
        ("blank+retypeset", "has no longer the text where `retypeset` needs it; put that in front of the steps before it"),
        ("resize:0.5+blank", "has no longer the text where `blank` needs it; put that in front of the steps before it"),
        ("resize:4+resize:4+resize:4+resize:4", "would become 19200 × 6400 pixels, which is too large"),
    ] {
        let error = pair.make(&spec(steps), &mut typesetter(), 1, 1).unwrap_err();
        assert_eq!(error.to_string(), problem, "{steps}");
    }
}
