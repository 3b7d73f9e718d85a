//! Small corpora of pictures for tests that run whole experiments.

use std::fs;
use std::path::Path;

use lacuna_content::image::{Encoding, Rgb, RgbImage, encode};

/// A picture of grey squares, drawn from a number: a few hundred bytes, and far from every other.
pub fn picture(number: u64) -> Vec<u8> {
    let mut state = number;
    let mut shades = [0_u8; 64];
    for shade in &mut shades {
        // `SplitMix64`.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        *shade = (z >> 56) as u8;
    }
    let pixels = RgbImage::from_fn(96, 96, |x, y| Rgb([shades[(y / 12 * 8 + x / 12) as usize]; 3]));
    encode(&pixels, Encoding::Png).unwrap()
}

/// Adds pictures to a corpus of texts that was written into `folder` before: for each stem so many, `stem0.png`, `stem1.png`, … with the
/// text that can be read in them. The ids are `stem0`, `stem1`, …, or begin with `named` where the stem cannot stand in an id.
pub fn add_pictures(folder: &Path, id: &str, stems: &[(&str, usize, &str)]) {
    let corpus = folder.join(id);
    fs::create_dir(corpus.join("files")).unwrap();
    let mut rows = vec!["item_id,kind,text,file,text_in_file".to_owned()];
    for (number, (stem, count, text)) in stems.iter().enumerate() {
        let id_stem = if stem.bytes().all(|byte| byte.is_ascii_alphanumeric()) { stem } else { "named" };
        for row in 0..*count {
            let seed = (id.bytes().fold(number as u64, |sum, byte| sum * 31 + u64::from(byte)) << 16) + row as u64;
            fs::write(corpus.join(format!("files/{stem}{row}.png")), picture(seed)).unwrap();
            rows.push(format!("{id_stem}{row},image,,files/{stem}{row}.png,{text}"));
        }
    }
    fs::write(corpus.join("items.csv"), rows.join("\n")).unwrap();
}
