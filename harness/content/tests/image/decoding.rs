//! What decodes, what is refused, and that nothing panics.

use image::codecs::gif::GifEncoder;
use image::{Frame, ImageEncoder as _, Rgb, RgbImage, RgbaImage};
use lacuna_content::image::{DecodeError, Encoding, Format, Limits, decode, encode, inspect};
use proptest::prelude::*;

use crate::hostile::{chunk, claimed_png, exif_segment};

const ENCODINGS: [Encoding; 4] = [Encoding::Png, Encoding::Jpeg(80), Encoding::WebP, Encoding::Gif];

/// Letters, as far as a decoder cares: edges on a gradient.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let ground = u8::try_from((x * 200 / width + 30) % 256).unwrap();
        Rgb(if (x / 7 + y / 5) % 3 == 0 { [10, 20, 30] } else { [ground, 200, 255 - ground] })
    })
}

fn refusal(bytes: &[u8]) -> DecodeError {
    decode(bytes, &Limits::default()).expect_err("it is refused")
}

#[test]
fn every_format_is_read_by_its_bytes() {
    for encoding in ENCODINGS {
        let bytes = encode(&picture(60, 40), encoding).unwrap();
        let inspection = inspect(&bytes, &Limits::default()).unwrap();
        assert_eq!(inspection.format, encoding.format());
        assert_eq!((inspection.width, inspection.height, inspection.animated), (60, 40, false));
        assert_eq!(inspection.bytes, bytes.len() as u64);
        assert_eq!(inspection.md5, lacuna_content::md5_hex(&bytes));
        assert_eq!(inspection.sha256, lacuna_content::sha256_hex(&bytes));
    }
}

#[test]
fn what_is_lossless_keeps_its_pixels() {
    for encoding in [Encoding::Png, Encoding::WebP] {
        let original = picture(61, 43);
        let bytes = encode(&original, encoding).unwrap();
        assert_eq!(decode(&bytes, &Limits::default()).unwrap().picture, original);
        assert_eq!(encode(&original, encoding).unwrap(), bytes);
    }
}

#[test]
fn what_lies_behind_the_end_changes_nothing() {
    for encoding in ENCODINGS {
        let mut bytes = encode(&picture(60, 40), encoding).unwrap();
        let before = decode(&bytes, &Limits::default()).unwrap();
        bytes.extend_from_slice(b"\0and what somebody wrote behind it");
        assert_eq!(decode(&bytes, &Limits::default()).unwrap().picture, before.picture, "{}", encoding.format());
    }
}

#[test]
fn a_file_that_ends_anywhere_is_refused() {
    for encoding in ENCODINGS {
        let bytes = encode(&picture(60, 40), encoding).unwrap();
        // The last byte of a WebP file may be padding, and is not missed.
        let shortest = if encoding == Encoding::WebP { 2 } else { 1 };
        for end in 0..=bytes.len() - shortest {
            let error = refusal(&bytes[..end]);
            let format = encoding.format();
            let begun = Format::of(&bytes[..end]).is_some();
            assert_eq!(error == DecodeError::Truncated { format }, begun, "{format} cut at {end}: {error}");
        }
    }
}

#[test]
fn a_small_file_that_claims_to_be_huge_is_refused_before_decoding() {
    let bytes = claimed_png(30_000, 30_000);
    assert!(bytes.len() < 3_000);
    let expected = DecodeError::TooManyPixels { width: 30_000, height: 30_000, limit: 40_000_000 };
    assert_eq!(refusal(&bytes), expected);
    assert_eq!(refusal(&bytes).to_string(), "has 30000 × 30000 pixels, more than 40000000");
    // Sides whose product would not fit into 32 bits.
    let side = (1 << 31) - 1;
    assert!(!matches!(refusal(&claimed_png(side, side)), DecodeError::UnknownFormat { .. }));
}

#[test]
fn a_file_of_200_megabytes_is_not_looked_into() {
    let bytes = vec![0xFF; 200 << 20];
    assert_eq!(refusal(&bytes).to_string(), "has 209715200 bytes, more than 52428800");
}

#[test]
fn what_is_no_picture_is_named() {
    assert_eq!(refusal(b""), DecodeError::Empty);
    assert_eq!(refusal(b"%PDF-1.7\n").to_string(), "is no PNG, JPEG, WebP or GIF, but seems to be a PDF document");
    assert_eq!(refusal(b"hello").to_string(), "is no PNG, JPEG, WebP or GIF");
}

#[test]
fn a_name_says_nothing_and_is_compared() {
    let bytes = encode(&picture(8, 8), Encoding::Png).unwrap();
    assert_eq!(Format::of(&bytes), Some(Format::Png));
    assert_eq!(Format::of_extension("JPEG"), Some(Format::Jpeg));
    assert_eq!(Format::of_extension("txt"), None);
}

#[test]
fn of_an_animation_the_first_frame_is_taken_and_it_is_said() {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for shade in [40, 200] {
        let frame = RgbaImage::from_pixel(20, 10, image::Rgba([shade, shade, shade, 255]));
        encoder.encode_frame(Frame::new(frame)).unwrap();
    }
    drop(encoder);
    let decoded = decode(&bytes, &Limits::default()).unwrap();
    assert!(decoded.animated);
    assert_eq!(decoded.picture.get_pixel(3, 3).0, [40, 40, 40]);
}

#[test]
fn metadata_turns_a_picture_and_its_text_does_nothing() {
    let upright = encode(&picture(60, 40), Encoding::Jpeg(90)).unwrap();
    let script = "<script>fetch('https://example.org')</script>'; DROP TABLE pictures; --".repeat(50);
    let mut turned = upright[..2].to_vec();
    turned.extend(exif_segment(6, &script));
    turned.extend_from_slice(&upright[2..]);
    let decoded = decode(&turned, &Limits::default()).unwrap();
    assert_eq!(decoded.picture.dimensions(), (40, 60));
    let expected = image::imageops::rotate90(&decode(&upright, &Limits::default()).unwrap().picture);
    assert_eq!(decoded.picture, expected);
}

#[test]
fn what_is_transparent_lies_over_white() {
    let mut picture = RgbaImage::from_pixel(4, 4, image::Rgba([0, 0, 0, 0]));
    picture.put_pixel(1, 1, image::Rgba([200, 0, 0, 255]));
    picture.put_pixel(2, 2, image::Rgba([0, 0, 0, 128]));
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.write_image(picture.as_raw(), 4, 4, image::ExtendedColorType::Rgba8).unwrap();
    let flat = decode(&bytes, &Limits::default()).unwrap().picture;
    assert_eq!([(0, 0), (1, 1), (2, 2)].map(|(x, y)| flat.get_pixel(x, y).0), [[255; 3], [200, 0, 0], [127; 3]]);
}

#[test]
fn a_progressive_jpeg_of_a_thousand_scans_is_refused() {
    let bytes = encode(&picture(16, 16), Encoding::Jpeg(80)).unwrap();
    let scan = bytes.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
    let length = usize::from(u16::from_be_bytes([bytes[scan + 2], bytes[scan + 3]]));
    let header = bytes[scan..scan + 2 + length].to_vec();
    let mut many = bytes[..scan].to_vec();
    many.extend(header.repeat(1_000));
    many.extend_from_slice(&[0xFF, 0xD9]);
    assert_eq!(refusal(&many), DecodeError::TooManyScans { scans: 1_000, limit: 100 });
}

#[test]
fn text_that_swells_is_not_unpacked() {
    // 16 MB of zeros, packed, as a PNG comment.
    let mut bytes = claimed_png(8, 8);
    let mut text = b"Comment\0\0".to_vec();
    text.extend_from_slice(&[0x78, 0x9C]);
    text.extend_from_slice(&vec![0; 65_000]);
    let comment = chunk(b"zTXt", &text);
    bytes.splice(33..33, comment);
    // Whether it decodes is all the same; that it ends is the test.
    let _ = decode(&bytes, &Limits::default());
}

/// A valid file with some bytes changed, removed, repeated or cut off.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let file = (0..ENCODINGS.len(), 1_u32..40, 1_u32..40);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..5), 1..12);
    (file, changes).prop_map(|((encoding, width, height), changes)| {
        let mut bytes = encode(&picture(width, height), ENCODINGS[encoding]).unwrap();
        for (index, value, change) in changes {
            if bytes.is_empty() {
                break;
            }
            let place = index.index(bytes.len());
            match change {
                0 | 1 => bytes[place] = value,
                2 => bytes[place] ^= 1 << (value & 7),
                3 => drop(bytes.drain(place..(place + usize::from(value)).min(bytes.len()))),
                _ => {
                    let end = (place + usize::from(value)).min(bytes.len());
                    let again = bytes[place..end].to_vec();
                    bytes.splice(place..place, again);
                }
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn no_damaged_file_panics(bytes in mutated()) {
        let limits = Limits { pixels: 1_000_000, ..Limits::default() };
        if let Ok(decoded) = decode(&bytes, &limits) {
            prop_assert!(u64::from(decoded.picture.width()) * u64::from(decoded.picture.height()) <= limits.pixels);
        }
    }

    #[test]
    fn no_bytes_behind_a_signature_panic(format in 0..4_usize, rest in prop::collection::vec(any::<u8>(), 0..400)) {
        let signature: &[u8] = [&b"\x89PNG\r\n\x1A\n"[..], b"\xFF\xD8\xFF\xE0", b"RIFF\x40\0\0\0WEBPVP8 ", b"GIF89a"][format];
        let _ = decode(&[signature, &rest].concat(), &Limits::default());
    }
}
