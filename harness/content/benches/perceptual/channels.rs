//! What platforms do to pictures.

use image::imageops::{FilterType, resize};
use image::{DynamicImage, RgbImage};
use lacuna_content::image::{Encoding, Limits, decode, encode};

pub struct Channel {
    pub name: &'static str,
    pub apply: fn(&RgbImage) -> RgbImage,
}

pub const CHANNELS: [Channel; 12] = [
    Channel { name: "JPEG q90", apply: |picture| jpeg(picture, 90) },
    Channel { name: "JPEG q70", apply: |picture| jpeg(picture, 70) },
    Channel { name: "JPEG q50", apply: |picture| jpeg(picture, 50) },
    Channel { name: "JPEG q30", apply: |picture| jpeg(picture, 30) },
    Channel { name: "1280 px, JPEG q70", apply: |picture| jpeg(&longest(picture, 1280), 70) },
    Channel { name: "half size, JPEG q50", apply: |picture| jpeg(&scaled(picture, 1, 2), 50) },
    Channel { name: "half size, WebP q75", apply: |picture| webp(&scaled(picture, 1, 2), 75.0) },
    Channel { name: "WebP q75", apply: |picture| webp(picture, 75.0) },
    Channel { name: "WebP q40", apply: |picture| webp(picture, 40.0) },
    Channel { name: "200 px, JPEG q60", apply: |picture| jpeg(&longest(picture, 200), 60) },
    Channel { name: "100 px, JPEG q50", apply: |picture| jpeg(&longest(picture, 100), 50) },
    Channel { name: "JPEG q70 thrice, 3/4 size", apply: |picture| jpeg(&jpeg(&jpeg(&scaled(picture, 3, 4), 70), 70), 70) },
];

fn jpeg(picture: &RgbImage, quality: u8) -> RgbImage {
    reopened(&encode(picture, Encoding::Jpeg(quality)).unwrap())
}

fn webp(picture: &RgbImage, quality: f32) -> RgbImage {
    reopened(&webp::Encoder::from_rgb(picture, picture.width(), picture.height()).encode(quality))
}

fn reopened(bytes: &[u8]) -> RgbImage {
    decode(bytes, &Limits::default()).unwrap().picture
}

fn scaled(picture: &RgbImage, times: u32, parts: u32) -> RgbImage {
    let side = |length: u32| (length * times / parts).max(1);
    resize(picture, side(picture.width()), side(picture.height()), FilterType::CatmullRom)
}

/// Shrunk until the longer side is at most `side` pixels long.
fn longest(picture: &RgbImage, side: u32) -> RgbImage {
    if picture.width().max(picture.height()) <= side {
        return picture.clone();
    }
    DynamicImage::ImageRgb8(picture.clone()).resize(side, side, FilterType::Triangle).into_rgb8()
}
