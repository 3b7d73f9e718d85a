//! Transforms: what they keep, and that they are what they say.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod battery;
mod hostile;
mod lettering;
mod metadata;
mod specs;

use std::fs;
use std::path::Path;

use lacuna_content::image::{Encoding, Format, Limits, Rendered, RgbImage, Style, Typesetter, decode, encode, render};
use lacuna_content::transform::{Freshness, Made, Original, Spec, TransformError, transform};

/// The size of the pictures.
const SIZE: (u32, u32) = (300, 100);
const TEXT: &str = "新疆集中营";
const BENIGN: &str = "天气很好";

fn typesetter() -> Typesetter {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fonts");
    let fonts = ["han.otf", "arabic.ttf", "tibetan.ttf"].map(|name| (fs::read(folder.join(name)).unwrap(), 0));
    Typesetter::new(fonts.to_vec()).unwrap()
}

fn spec(text: &str) -> Spec {
    text.parse().unwrap()
}

fn pixels(bytes: &[u8]) -> RgbImage {
    decode(bytes, &Limits::default()).unwrap().picture
}

/// An original and a harmless picture beside it.
struct Pair {
    original: Vec<u8>,
    benign: Vec<u8>,
    rendered: Rendered,
    name: String,
}

impl Pair {
    fn new(style: &str, format: Format) -> Self {
        let style = Style::named(style).unwrap();
        let draw = |text| render(&mut typesetter(), text, style, SIZE, 7).unwrap();
        let (rendered, benign) = (draw(TEXT), draw(BENIGN));
        let file = |picture| encode(picture, Encoding::usual(format)).unwrap();
        let name = format!("holiday.{}", format.extensions()[0]);
        Self { original: file(&rendered.picture), benign: file(&benign.picture), rendered, name }
    }

    fn original(&self) -> Original<'_> {
        Original { bytes: &self.original, file_name: &self.name, text: TEXT, text_box: Some(self.rendered.text_box) }
    }

    fn benign(&self) -> Original<'_> {
        Original { bytes: &self.benign, file_name: "benign.png", text: BENIGN, text_box: None }
    }

    fn make(&self, spec: &Spec, typesetter: &mut Typesetter, seed: u64, variant: u32) -> Result<Made, TransformError> {
        let freshness = Freshness { seed, item: "i1", variant };
        transform(spec, &self.original(), &self.benign(), Some(typesetter), freshness)
    }

    fn made(&self, text: &str) -> Made {
        self.make(&spec(text), &mut typesetter(), 1, 1).unwrap()
    }
}
