//! Files made to break whoever opens them.

use lacuna_content::image::Format;
use lacuna_content::transform::{Freshness, Original, battery, transform};
use proptest::prelude::*;

use crate::{Pair, spec, typesetter};

const CHEAP: [&str; 9] = [
    "fresh",
    "append",
    "strip",
    "metadata:exif",
    "metadata:xmp",
    "metadata:comment",
    "fresh+strip+metadata:xmp",
    "reencode:png",
    "only-metadata",
];

fn all_cheap(bytes: &[u8]) {
    let original = Original { bytes, file_name: "", text: "a", text_box: None };
    for name in CHEAP {
        let _ = transform(&spec(name), &original, &original, None, Freshness { seed: 0, item: "", variant: 0 });
    }
}

#[test]
fn files_cut_anywhere_are_refused_or_taken() {
    for format in Format::ALL {
        let pair = Pair::new("plain", format);
        let bytes = pair.made("metadata:comment+fresh").bytes;
        for end in (0..200).chain((200..bytes.len()).step_by(199)) {
            all_cheap(&bytes[..end.min(bytes.len())]);
        }
    }
}

#[test]
fn places_outside_a_picture_are_refused() {
    let pair = Pair::new("plain", Format::Png);
    let mut typesetter = typesetter();
    for area in ["0,0,0,0", "4294967295,4294967295,4294967295,4294967295", "299,99,2,2", "0,0,4000,4000"] {
        let original = Original { text_box: Some(area.parse().unwrap()), ..pair.original() };
        let freshness = Freshness { seed: 0, item: "i1", variant: 1 };
        let made = transform(&spec("blank"), &original, &pair.benign(), Some(&mut typesetter), freshness);
        assert_eq!(made.unwrap_err().to_string(), "has no text box that is known", "{area}");
    }
}

#[test]
fn the_smallest_picture_survives_everything() {
    let picture = lacuna_content::image::RgbImage::new(1, 1);
    let bytes = lacuna_content::image::encode(&picture, lacuna_content::image::Encoding::Png).unwrap();
    let original = Original { bytes: &bytes, file_name: "a.png", text: "新疆", text_box: None };
    let mut typesetter = typesetter();
    for entry in battery() {
        let _ = transform(&entry.spec, &original, &original, Some(&mut typesetter), Freshness { seed: 0, item: "a", variant: 1 });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damaged_files_are_refused_or_taken(format in 0..4_usize, places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let pair = Pair::new("plain", Format::ALL[format]);
        let mut bytes = pair.original.clone();
        // Most of the structure stands in the first bytes.
        let early = bytes.len().min(120);
        for (place, value) in places {
            let at = place.index(early);
            bytes[at] = value;
        }
        all_cheap(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_signature_are_refused_or_taken(format in 0..4_usize, tail in prop::collection::vec(any::<u8>(), 0..300)) {
        let signatures: [&[u8]; 4] = [b"\x89PNG\r\n\x1a\n", b"\xFF\xD8\xFF", b"RIFF\x20\0\0\0WEBP", b"GIF89a"];
        all_cheap(&[signatures[format], &tail].concat());
    }
}
