//! Text into pictures: bidirectional order, shaping (Arabic joins, Tibetan stacks) and line breaks by `cosmic-text`, from font
//! files that are given. No font of the machine is looked at, so that the same files give the same pixels.

use std::collections::BTreeSet;
use std::sync::Arc;

use cosmic_text::fontdb::{Database, Family, ID, Source, Stretch, Style, Weight};
use cosmic_text::{
    Align, Attrs, Buffer, Fallback, FontSystem, LayoutRun, Metrics, Shaping, SwashCache, SwashContent, SwashImage,
};
use image::RgbImage;
use unicode_script::{Script, UnicodeScript as _};
use unicode_segmentation::UnicodeSegmentation as _;

use super::Area;
use crate::hash::sha256_hex;

/// The longest text, in characters.
pub const LONGEST_TEXT: usize = 2_000;
/// The smallest letters, in pixels: smaller ones nobody reads.
pub const SMALLEST_SIZE: u32 = 12;
/// A line is so many hundredths of the size of the letters high. Tibetan stacks need the room.
const LINE_HEIGHT: u32 = 140;
/// Glyphs that are kept drawn.
const MOST_CACHED: usize = 20_000;

/// Why a font cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FontError {
    /// Its bytes are no font.
    #[error("is no TrueType or OpenType font")]
    NotAFont,
    /// A collection without that face.
    #[error("has no face {face}, only 0 to {}", faces.saturating_sub(1))]
    NoSuchFace {
        /// The face asked for, from 0.
        face: u32,
        /// How many there are.
        faces: usize,
    },
}

/// Why a text cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypesetError {
    /// No font has these characters.
    #[error("no font given has {}", named(missing))]
    MissingGlyphs {
        /// They.
        missing: Vec<char>,
    },
    /// It would need letters smaller than [`SMALLEST_SIZE`].
    #[error("does not fit into {width} × {height} pixels in readable letters")]
    TooLong {
        /// Width of the area in pixels.
        width: u32,
        /// Height of the area in pixels.
        height: u32,
    },
    /// There is nothing to be seen.
    #[error("has nothing that can be seen")]
    Blank,
}

/// The characters with their code points, at most ten.
fn named(characters: &[char]) -> String {
    const MOST: usize = 10;
    let name = |character: &char| format!("{character} (U+{:04X})", u32::from(*character));
    let listed: Vec<String> = characters.iter().take(MOST).map(name).collect();
    let more = characters.len().saturating_sub(MOST);
    if more == 0 { listed.join(", ") } else { format!("{} and {more} more", listed.join(", ")) }
}

/// A font that is in use, for the record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FontIdentity {
    /// Its family name, as it calls itself.
    pub family: String,
    /// The face in a collection, from 0.
    pub face: u32,
    /// SHA-256 of its file, in hexadecimal.
    pub sha256: String,
}

/// How letters are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lettering {
    /// Their colour.
    pub ink: [u8; 3],
    /// Their size in pixels, where the text is short enough for it.
    pub largest: u32,
}

/// A line of shaped text.
pub(crate) struct Line {
    /// Its characters, in the order in which they are read.
    pub(crate) text: String,
    /// Whether some of it is read from the right.
    pub(crate) from_the_right: bool,
    /// Its glyphs, from the left.
    pub(crate) glyphs: Vec<Glyph>,
}

/// A glyph where it stands on its line, lengths in the unit of the size of the letters.
pub(crate) struct Glyph {
    /// The position of its font among those given.
    pub(crate) face: usize,
    /// Its number in the font.
    pub(crate) id: u16,
    /// From the left edge.
    pub(crate) x: f32,
    /// How far above the baseline.
    pub(crate) rise: f32,
    /// The characters that it draws; of several glyphs that draw some together the first from the left has all, the others none.
    pub(crate) cluster: String,
}

/// Fonts, ready to draw.
pub struct Typesetter {
    system: FontSystem,
    cache: SwashCache,
    faces: Vec<Face>,
}

struct Face {
    id: ID,
    /// The name by which the layout asks for it: no two are the same, whatever the fonts call themselves.
    handle: String,
    identity: FontIdentity,
}

/// Which font draws which characters is decided here, not there.
struct NoFallback;

impl Fallback for NoFallback {
    fn common_fallback(&self) -> &[&'static str] {
        &[]
    }

    fn forbidden_fallback(&self) -> &[&'static str] {
        &[]
    }

    fn script_fallback(&self, _script: Script, _locale: &str) -> &[&'static str] {
        &[]
    }
}

impl Typesetter {
    /// From the bytes of font files, each with the face to take of a collection (0 otherwise). Earlier fonts go first; an error
    /// comes with the position of its font.
    pub fn new(fonts: Vec<(Vec<u8>, u32)>) -> Result<Self, (usize, FontError)> {
        let mut database = Database::new();
        let mut faces = Vec::new();
        for (position, (bytes, face)) in fonts.into_iter().enumerate() {
            let sha256 = sha256_hex(&bytes);
            let ids = database.load_font_source(Source::Binary(Arc::new(bytes)));
            let wanted = ids.iter().find_map(|id| database.face(*id).filter(|info| info.index == face)).cloned();
            let missing = if ids.is_empty() { FontError::NotAFont } else { FontError::NoSuchFace { face, faces: ids.len() } };
            let mut info = wanted.ok_or((position, missing))?;
            ids.iter().for_each(|id| database.remove_face(*id));
            let family = info.families.first().map_or_else(|| info.post_script_name.clone(), |(name, _)| name.clone());
            let handle = format!("font {position}");
            for (name, _) in &mut info.families {
                name.clone_from(&handle);
            }
            (info.weight, info.style, info.stretch) = (Weight::NORMAL, Style::Normal, Stretch::Normal);
            let id = database.push_face_info(info);
            faces.push(Face { id, handle, identity: FontIdentity { family, face, sha256 } });
        }
        let system = FontSystem::new_with_locale_and_db_and_fallback("und".to_owned(), database, NoFallback);
        let mut typesetter = Self { system, cache: SwashCache::new(), faces };
        match (0..typesetter.faces.len()).find(|face| typesetter.font(*face).is_none()) {
            Some(position) => Err((position, FontError::NotAFont)),
            None => Ok(typesetter),
        }
    }

    /// The fonts in the order in which they were given.
    pub fn fonts(&self) -> impl Iterator<Item = &FontIdentity> {
        self.faces.iter().map(|face| &face.identity)
    }

    /// The characters of a text that no font has, each once, in order of their code points.
    pub fn missing(&mut self, text: &str) -> Vec<char> {
        let characters: BTreeSet<char> = text.chars().filter(|character| !is_invisible(*character)).collect();
        let has = |typesetter: &mut Self, character| (0..typesetter.faces.len()).any(|face| typesetter.covers(face, character));
        characters.into_iter().filter(|character| !has(self, *character)).collect()
    }

    /// Draws a text into an area of a picture, centred, in the largest letters that fit. Gives the smallest area that holds all
    /// that was drawn.
    pub fn draw(&mut self, picture: &mut RgbImage, area: Area, text: &str, lettering: Lettering) -> Result<Area, TypesetError> {
        self.check(text)?;
        let too_long = TypesetError::TooLong { width: area.width, height: area.height };
        if text.chars().count() > LONGEST_TEXT || !area.is_within(picture.width(), picture.height()) {
            return Err(too_long);
        }
        let (buffer, height) = self.lay_out(area, text, lettering.largest).ok_or(too_long)?;
        self.paint(picture, area, &buffer, height, lettering.ink)
    }

    /// Whether a text has something to be seen, all of which the fonts have.
    fn check(&mut self, text: &str) -> Result<(), TypesetError> {
        if text.chars().all(|character| character.is_whitespace() || is_invisible(character)) {
            return Err(TypesetError::Blank);
        }
        let missing = self.missing(text);
        if missing.is_empty() { Ok(()) } else { Err(TypesetError::MissingGlyphs { missing }) }
    }

    /// Breaks a text into lines of at most `width` and shapes them in letters of `size`, from the edge at which its script begins.
    pub(crate) fn lines(&mut self, text: &str, width: u32, size: u32) -> Result<Vec<Line>, TypesetError> {
        self.check(text)?;
        if text.chars().count() > LONGEST_TEXT {
            return Err(TypesetError::TooLong { width, height: u32::MAX });
        }
        let mut buffer = self.buffer(text, width, size, None);
        buffer.shape_until_scroll(&mut self.system, false);
        let line = |run: LayoutRun| {
            let (start, end) = (run.glyphs.iter().map(|glyph| glyph.start).min(), run.glyphs.iter().map(|glyph| glyph.end).max());
            let text = run.text.get(start.unwrap_or_default()..end.unwrap_or_default()).unwrap_or_default();
            let mut last = None;
            let glyphs = run.glyphs.iter().filter_map(|glyph| {
                let again = last.replace(glyph.start) == Some(glyph.start);
                let cluster = run.text.get(glyph.start..glyph.end).filter(|_| !again).unwrap_or_default();
                Some(Glyph {
                    face: self.faces.iter().position(|face| face.id == glyph.font_id)?,
                    id: glyph.glyph_id,
                    x: glyph.x + glyph.font_size * glyph.x_offset,
                    rise: glyph.font_size * glyph.y_offset - glyph.y,
                    cluster: cluster.to_owned(),
                })
            });
            let from_the_right = run.glyphs.iter().any(|glyph| glyph.level.is_rtl());
            Line { glyphs: glyphs.collect(), text: text.to_owned(), from_the_right }
        };
        Ok(buffer.layout_runs().map(line).collect())
    }

    /// A font of those given.
    pub(crate) fn font(&mut self, face: usize) -> Option<Arc<cosmic_text::Font>> {
        let id = self.faces.get(face)?.id;
        self.system.get_font(id, Weight::NORMAL)
    }

    /// The text, each part in its font, not yet shaped.
    fn buffer(&mut self, text: &str, width: u32, size: u32, align: Option<Align>) -> Buffer {
        let spans = self.spans(text);
        let mut buffer = Buffer::new(&mut self.system, metrics(size));
        buffer.set_size(Some(length(width)), None);
        let handles: Vec<&str> = self.faces.iter().map(|face| face.handle.as_str()).collect();
        let attributes = |face: usize| Attrs::new().family(Family::Name(handles.get(face).copied().unwrap_or_default()));
        let spans = spans.iter().map(|(face, part)| (*part, attributes(*face)));
        buffer.set_rich_text(spans, &attributes(0), Shaping::Advanced, align);
        buffer
    }

    /// The text in the largest letters that fit, and how high it is.
    fn lay_out(&mut self, area: Area, text: &str, largest: u32) -> Option<(Buffer, u32)> {
        let mut size = largest.max(SMALLEST_SIZE);
        let mut buffer = self.buffer(text, area.width, size, Some(Align::Center));
        loop {
            buffer.shape_until_scroll(&mut self.system, false);
            let lines = u32::try_from(buffer.layout_runs().count()).unwrap_or(u32::MAX);
            let widest = buffer.layout_runs().map(|run| run.line_w).fold(0.0, f32::max);
            let height = lines.saturating_mul(line_height(size));
            if height <= area.height && widest <= length(area.width) {
                return Some((buffer, height));
            }
            if size == SMALLEST_SIZE {
                return None;
            }
            size = (size * 9 / 10).max(SMALLEST_SIZE);
            buffer.set_metrics(metrics(size));
        }
    }

    fn paint(
        &mut self,
        picture: &mut RgbImage,
        area: Area,
        buffer: &Buffer,
        height: u32,
        ink: [u8; 3],
    ) -> Result<Area, TypesetError> {
        if self.cache.image_cache.len() > MOST_CACHED {
            self.cache.image_cache.clear();
        }
        let top = length(area.y + (area.height - height) / 2);
        let mut drawn: Option<[u32; 4]> = None;
        let mut missing = BTreeSet::new();
        for run in buffer.layout_runs() {
            for glyph in run.glyphs {
                let characters = run.text.get(glyph.start..glyph.end).unwrap_or_default();
                if glyph.glyph_id == 0 {
                    missing.extend(characters.chars().filter(|character| !is_invisible(*character)));
                }
                let physical = glyph.physical((length(area.x), top + run.line_y), 1.0);
                if let Some(image) = self.cache.get_image(&mut self.system, physical.cache_key) {
                    blend(picture, image, (physical.x, physical.y), ink, &mut drawn);
                }
            }
        }
        if !missing.is_empty() {
            return Err(TypesetError::MissingGlyphs { missing: missing.into_iter().collect() });
        }
        let [left, top, right, bottom] = drawn.ok_or(TypesetError::Blank)?;
        Ok(Area { x: left, y: top, width: right - left + 1, height: bottom - top + 1 })
    }

    /// The text in parts, each with the font that draws it: the first that has all characters of a cluster. What belongs to no
    /// script stays with what stands before it, so that it does not tear a word.
    fn spans<'t>(&mut self, text: &'t str) -> Vec<(usize, &'t str)> {
        let mut parts: Vec<(usize, usize, usize)> = Vec::new();
        for (start, cluster) in text.grapheme_indices(true) {
            let shared = |script| matches!(script, Script::Common | Script::Inherited);
            let common = cluster.chars().all(|character| shared(character.script()));
            let before = parts.last().map(|(face, ..)| *face).filter(|_| common);
            let order: Vec<usize> = before.into_iter().chain(0..self.faces.len()).collect();
            let covers_all = |typesetter: &mut Self, face| {
                cluster.chars().all(|character| is_invisible(character) || typesetter.covers(face, character))
            };
            let face = order.into_iter().find(|face| covers_all(self, *face)).unwrap_or_default();
            match parts.last_mut() {
                Some((last, _, end)) if *last == face => *end = start + cluster.len(),
                _ => parts.push((face, start, start + cluster.len())),
            }
        }
        parts.into_iter().filter_map(|(face, start, end)| Some((face, text.get(start..end)?))).collect()
    }

    fn covers(&mut self, face: usize, character: char) -> bool {
        self.font(face).is_some_and(|font| font.as_swash().charmap().map(character) != 0)
    }
}

fn metrics(size: u32) -> Metrics {
    Metrics::new(length(size), length(line_height(size)))
}

fn line_height(size: u32) -> u32 {
    size.saturating_mul(LINE_HEIGHT).div_ceil(100)
}

/// Pixels as the layout counts them. Pictures are far smaller than 2²⁴ pixels wide.
fn length(pixels: u32) -> f32 {
    pixels as f32
}

/// Characters that no font draws: controls of line, direction, joining and variants.
fn is_invisible(character: char) -> bool {
    matches!(u32::from(character), 0x0A | 0x0D | 0xAD | 0x034F | 0x061C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E
        | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF | 0xE0000..=0xE0FFF)
}

/// Lays a glyph over the picture and widens the area that was drawn on.
fn blend(picture: &mut RgbImage, glyph: &SwashImage, (x, y): (i32, i32), ink: [u8; 3], drawn: &mut Option<[u32; 4]>) {
    let (left, top) = (x + glyph.placement.left, y - glyph.placement.top);
    let pixel_bytes = match glyph.content {
        SwashContent::Mask => 1,
        SwashContent::Color | SwashContent::SubpixelMask => 4,
    };
    let columns = glyph.placement.width as usize;
    for (row, line) in glyph.data.chunks_exact((columns * pixel_bytes).max(1)).enumerate() {
        for (column, bytes) in line.chunks_exact(pixel_bytes).enumerate() {
            let (color, alpha) = match *bytes {
                [alpha] => (ink, alpha),
                [red, green, blue, alpha] => ([red, green, blue], alpha),
                _ => continue,
            };
            let place = |start: i32, offset: usize| u32::try_from(i64::from(start) + i64::try_from(offset).ok()?).ok();
            let (Some(x), Some(y)) = (place(left, column), place(top, row)) else { continue };
            let Some(pixel) = picture.get_pixel_mut_checked(x, y).filter(|_| alpha > 0) else { continue };
            for (under, over) in pixel.0.iter_mut().zip(color) {
                let (opaque, clear) = (u16::from(alpha), u16::from(255 - alpha));
                let mixed = (u16::from(over) * opaque + u16::from(*under) * clear + 127) / 255;
                *under = u8::try_from(mixed).unwrap_or(u8::MAX);
            }
            let [left, top, right, bottom] = drawn.get_or_insert([x, y, x, y]);
            (*left, *top, *right, *bottom) = ((*left).min(x), (*top).min(y), (*right).max(x), (*bottom).max(y));
        }
    }
}
