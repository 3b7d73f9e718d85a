//! Pictures of phrases, in named styles.

use image::{Rgb, RgbImage};
use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;

use super::typeset::{Lettering, TypesetError, Typesetter};
use super::{Area, generator};

/// What lies under a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ground {
    /// One colour.
    Plain([u8; 3]),
    /// One colour with a frame in another.
    Framed { fill: [u8; 3], frame: [u8; 3] },
    /// From one colour at the top to another at the bottom.
    Gradient([u8; 3], [u8; 3]),
    /// One colour with grain of that many levels, the same in every picture.
    Grained([u8; 3], u8),
    /// Soft patches, the same in every picture.
    Patches([u8; 3], [u8; 3]),
}

/// A way in which a picture of a text can look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Its name.
    pub name: &'static str,
    /// What it looks like, for people.
    pub help: &'static str,
    ground: Ground,
    ink: [u8; 3],
}

/// Every style.
pub const STYLES: [Style; 6] = [
    Style { name: "plain", help: "black on white", ground: Ground::Plain([255, 255, 255]), ink: [0, 0, 0] },
    Style { name: "night", help: "white on black", ground: Ground::Plain([0, 0, 0]), ink: [255, 255, 255] },
    Style {
        name: "notice",
        help: "dark blue on light yellow, framed",
        ground: Ground::Framed { fill: [255, 250, 214], frame: [148, 24, 24] },
        ink: [22, 38, 92],
    },
    Style {
        name: "banner",
        help: "white on a red gradient",
        ground: Ground::Gradient([206, 32, 41], [128, 8, 20]),
        ink: [255, 255, 255],
    },
    Style {
        name: "newsprint",
        help: "nearly black on grained grey",
        ground: Ground::Grained([214, 210, 200], 24),
        ink: [24, 24, 28],
    },
    Style {
        name: "photo",
        help: "white on soft patches of green and blue",
        ground: Ground::Patches([40, 92, 60], [36, 64, 120]),
        ink: [255, 255, 255],
    },
];

impl Style {
    /// The style of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        STYLES.into_iter().find(|style| style.name == name)
    }
}

/// A picture of a text.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Its pixels.
    pub picture: RgbImage,
    /// Where the letters are.
    pub text_box: Area,
}

/// Draws a text in a style. The same arguments and fonts give the same pixels; `nonce` changes the last bit of some colours, so
/// that the file has a hash of its own and looks the same.
pub fn render(
    typesetter: &mut Typesetter,
    text: &str,
    style: Style,
    (width, height): (u32, u32),
    nonce: u64,
) -> Result<Rendered, TypesetError> {
    let mut picture = ground(style, width, height);
    let area = Area::whole(width, height).inset(width.min(height) / 10);
    let lettering = Lettering { ink: style.ink, largest: height / 4 };
    let text_box = typesetter.draw(&mut picture, area, text, lettering)?;
    freshen(&mut picture, nonce);
    Ok(Rendered { picture, text_box })
}

/// The last bit of one colour of this many pixels is drawn anew.
const FRESHENED: u32 = 256;

/// Changes a picture so that nobody sees it and no file hash is what it was: 256 draws of a last bit, by the nonce.
pub fn freshen(picture: &mut RgbImage, nonce: u64) {
    let mut random = generator(nonce, &["image", "freshen"]);
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return;
    }
    for _ in 0..FRESHENED {
        let (x, y) = (random.random_range(0..width), random.random_range(0..height));
        let channel = random.random_range(0..3_usize);
        let bit = random.random_range(0..2_u8);
        let value = &mut picture.get_pixel_mut(x, y).0[channel];
        *value = *value & !1 | bit;
    }
}

fn ground(style: Style, width: u32, height: u32) -> RgbImage {
    match style.ground {
        Ground::Plain(fill) => RgbImage::from_pixel(width, height, Rgb(fill)),
        Ground::Framed { fill, frame } => {
            let thickness = (width.min(height) / 30).max(1);
            RgbImage::from_fn(width, height, |x, y| {
                let border = x < thickness || y < thickness || x + thickness >= width || y + thickness >= height;
                Rgb(if border { frame } else { fill })
            })
        }
        Ground::Gradient(top, bottom) => RgbImage::from_fn(width, height, |_, y| Rgb(mix(top, bottom, y * 256 / height.max(1)))),
        Ground::Grained(fill, amplitude) => {
            let mut random = ground_generator(style);
            let mut picture = RgbImage::from_pixel(width, height, Rgb(fill));
            for pixel in picture.pixels_mut() {
                let grain = random.random_range(0..=amplitude);
                pixel.0 = pixel.0.map(|channel| channel.saturating_sub(amplitude / 2).saturating_add(grain));
            }
            picture
        }
        Ground::Patches(one, other) => {
            let mut random = ground_generator(style);
            // A coarse grid of shades, with straight lines between them.
            let knots: Vec<u32> = (0..7 * 4).map(|_| random.random_range(0..=256)).collect();
            RgbImage::from_fn(width, height, |x, y| {
                let (across, down) = (x * 6 * 256 / width.max(1), y * 3 * 256 / height.max(1));
                let knot = |column: u32, row: u32| knots.get((row * 7 + column) as usize).copied().unwrap_or_default();
                let (column, row, right, below) = (across / 256, down / 256, across % 256, down % 256);
                let line = |row| knot(column, row) * (256 - right) + knot(column + 1, row) * right;
                Rgb(mix(one, other, (line(row) / 256 * (256 - below) + line(row + 1) / 256 * below) / 256))
            })
        }
    }
}

fn ground_generator(style: Style) -> ChaCha12Rng {
    let names = ["image", "ground", style.name];
    generator(0, &names)
}

/// `share` of 256 parts of the second colour.
fn mix(one: [u8; 3], other: [u8; 3], share: u32) -> [u8; 3] {
    let share = share.min(256);
    std::array::from_fn(|channel| {
        let mixed = (u32::from(one[channel]) * (256 - share) + u32::from(other[channel]) * share + 128) / 256;
        u8::try_from(mixed).unwrap_or(u8::MAX)
    })
}
