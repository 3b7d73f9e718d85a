//! Metadata put in, carried along and taken out.

use lacuna_content::image::{Encoding, Format, Limits, Rgb, RgbImage, decode, encode};
use lacuna_content::transform::{Freshness, Original, TransformError, battery, transform};

use crate::{Pair, TEXT, pixels, spec, typesetter};

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[test]
fn a_text_is_put_in_and_taken_out() {
    for format in Format::ALL {
        let pair = Pair::new("plain", format);
        for kind in ["exif", "xmp", "comment"] {
            let made = pair.make(&spec(&format!("metadata:{kind}")), &mut typesetter(), 1, 1);
            if let (Format::Gif, true) = (format, kind != "comment") {
                assert!(matches!(made, Err(TransformError::NoPlace { .. })));
                continue;
            }
            let made = made.unwrap();
            assert!(holds(&made.bytes, TEXT.as_bytes()), "{kind} {format}");
            let stripped = pair.made(&format!("metadata:{kind}+strip"));
            assert!(!holds(&stripped.bytes, TEXT.as_bytes()), "{kind} {format}");
            // Put in twice, it is there once.
            let twice = pair.made(&format!("metadata:{kind}+metadata:{kind}"));
            assert!(kind == "comment" || twice.bytes.len() == made.bytes.len(), "{kind} {format}");
        }
    }
}

#[test]
fn metadata_are_carried_along_where_the_table_says_so() {
    let mut typesetter = typesetter();
    for format in [Format::Png, Format::Jpeg, Format::WebP] {
        let mut pair = Pair::new("plain", format);
        let marked = pair.made("metadata:exif+metadata:xmp+metadata:comment").bytes;
        pair.original = marked;
        // A text of its own, so that what is found is what was there.
        for entry in battery() {
            let freshness = Freshness { seed: 1, item: "i1", variant: 1 };
            let original = Original { text: "天气", ..pair.original() };
            let made = transform(&entry.spec, &original, &pair.benign(), Some(&mut typesetter), freshness).unwrap();
            let utf_16: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let is_exif_replaced = entry.spec.to_string() == "metadata:exif";
            let is_xmp_replaced = entry.spec.to_string() == "metadata:xmp";
            assert_eq!(holds(&made.bytes, &utf_16), entry.kept.metadata && !is_exif_replaced, "{} of a {format}", entry.spec);
            let subject = format!("<rdf:Bag><rdf:li>{TEXT}<");
            assert_eq!(
                holds(&made.bytes, subject.as_bytes()),
                entry.kept.metadata && !is_xmp_replaced,
                "{} of a {format}",
                entry.spec
            );
        }
    }
}

/// A picture that Exif turns by a quarter.
fn turned(format: Format) -> Vec<u8> {
    let picture = RgbImage::from_fn(64, 32, |x, y| Rgb([u8::try_from(x * 4).unwrap(), u8::try_from(y * 8).unwrap(), 0]));
    let plain = encode(&picture, Encoding::usual(format)).unwrap();
    let original = Original { bytes: &plain, file_name: "a", text: TEXT, text_box: None };
    let freshness = Freshness { seed: 1, item: "i1", variant: 1 };
    let mut bytes = transform(&spec("metadata:exif"), &original, &original, None, freshness).unwrap().bytes;
    // Tag 0x0112, SHORT, one of them: the value follows.
    let entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1];
    let at = bytes.windows(8).position(|window| window == entry).unwrap();
    bytes[at + 9] = 6;
    if format == Format::Png {
        // The checksum of the chunk that was changed.
        let start = bytes.windows(4).position(|window| window == b"eXIf").unwrap();
        let length = u32::from_be_bytes(bytes[start - 4..start].try_into().unwrap()) as usize;
        let checksum = crc32(&bytes[start..start + 4 + length]);
        bytes[start + 4 + length..start + 8 + length].copy_from_slice(&checksum.to_be_bytes());
    }
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[test]
fn what_exif_turns_stays_turned_and_is_not_turned_twice() {
    for format in [Format::Png, Format::Jpeg, Format::WebP] {
        let bytes = turned(format);
        let before = pixels(&bytes);
        assert_eq!(before.dimensions(), (32, 64), "{format}");
        let original = Original { bytes: &bytes, file_name: "a", text: "new", text_box: None };
        let freshness = Freshness { seed: 1, item: "i1", variant: 1 };
        let make = |name: &str| transform(&spec(name), &original, &original, None, freshness).unwrap();
        for name in
            ["fresh", "append", "strip", "metadata:exif", "metadata:xmp", "metadata:comment", "reencode:png", "reencode:webp"]
        {
            assert!(pixels(&make(name).bytes) == before, "{name} of a {format}");
        }
        assert_eq!(pixels(&make("resize:0.5").bytes).dimensions(), (16, 32), "{format}");
    }
}

#[test]
fn lossy_and_old_files_take_a_comment_too() {
    let picture = Pair::new("photo", Format::Png).rendered.picture;
    let lossy = webp::Encoder::from_rgb(picture.as_raw(), picture.width(), picture.height()).encode(60.0).to_vec();
    let mut gif = encode(&picture, Encoding::Gif).unwrap();
    gif[4] = b'7';
    for bytes in [lossy, gif] {
        let original = Original { bytes: &bytes, file_name: "a", text: TEXT, text_box: None };
        let freshness = Freshness { seed: 1, item: "i1", variant: 1 };
        let made = transform(&spec("fresh"), &original, &original, None, freshness).unwrap();
        assert!(decode(&made.bytes, &Limits::default()).unwrap().picture == pixels(&bytes));
        assert!(made.bytes != bytes && made.bytes.get(4) != Some(&b'7'));
    }
}
