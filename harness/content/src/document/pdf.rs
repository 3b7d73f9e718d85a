//! A text as PDF, with the glyphs that it needs of the fonts that are given inside, so that every reader shows the same. What a
//! reader copies or searches is the text itself (`ActualText`, ISO 32000-1, 14.9.4), for lines from the right what the glyphs stand for.

use std::collections::BTreeMap;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};
use subsetter::GlyphRemapper;

use crate::hash::sha256;
use crate::image::{Glyph, Line, TypesetError, Typesetter};

/// A4 in points of 1/72 inch.
const PAGE: (u32, u32) = (595, 842);
const MARGIN: u32 = 72;
const SIZE: u32 = 16;
/// From one baseline to the next.
const LEADING: u32 = 24;
const LINES_PER_PAGE: usize = ((PAGE.1 - 2 * MARGIN) / LEADING) as usize;
const IDENTITY: SystemInfo = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// Why a text cannot be made a PDF.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// It cannot be set.
    #[error(transparent)]
    Text(#[from] TypesetError),
    /// A font cannot be embedded.
    #[error("cannot embed the font {family}: {reason}")]
    Font {
        /// Its family name.
        family: String,
        /// Why.
        reason: String,
    },
}

/// A text as PDF. The nonce is its file identifier, which no reader shows.
pub fn pdf(typesetter: &mut Typesetter, text: &str, nonce: u64) -> Result<Vec<u8>, PdfError> {
    let lines = typesetter.lines(text, PAGE.0 - 2 * MARGIN, SIZE)?;
    let mut next = 0;
    let mut number = || {
        next += 1;
        Ref::new(next)
    };
    let mut document = Pdf::new();
    // Letters and digits: other bytes would be escaped, and the length would tell files apart.
    let identifier = format!("{nonce:016x}").into_bytes();
    document.set_file_id((identifier.clone(), identifier));
    let (catalog, tree) = (number(), number());
    document.catalog(catalog).pages(tree);

    let mut fonts: BTreeMap<usize, Embedded> = BTreeMap::new();
    for glyph in lines.iter().flat_map(|line| &line.glyphs) {
        let first = !fonts.contains_key(&glyph.face);
        let font = fonts.entry(glyph.face).or_default();
        if first {
            font.name = format!("F{}", glyph.face);
        }
        font.add(glyph);
    }
    let mut references = Vec::new();
    for (face, font) in &fonts {
        let numbers = [number(), number(), number(), number(), number()];
        font.write(&mut document, typesetter, *face, numbers)?;
        references.push((font.name.as_bytes(), numbers[0]));
    }
    let mut pages = Vec::new();
    for lines in lines.chunks(LINES_PER_PAGE) {
        let (page, content) = (number(), number());
        let mut writer = document.page(page);
        writer.media_box(Rect::new(0.0, 0.0, points(PAGE.0), points(PAGE.1))).parent(tree).contents(content);
        let mut resources = writer.resources();
        let mut dictionary = resources.fonts();
        for (name, font) in &references {
            dictionary.pair(Name(name), *font);
        }
        dictionary.finish();
        resources.finish();
        writer.finish();
        document.stream(content, &shown(lines, &fonts));
        pages.push(page);
    }
    document.pages(tree).count(i32::try_from(pages.len()).unwrap_or(i32::MAX)).kids(pages);
    Ok(document.finish())
}

/// The drawing operators of a page.
fn shown(lines: &[Line], fonts: &BTreeMap<usize, Embedded>) -> Vec<u8> {
    let mut content = Content::new();
    let mut baseline = points(PAGE.1 - MARGIN - SIZE);
    for line in lines {
        // Readers turn what is read from the right, letter by letter; a text that stands for the whole line they would turn as well.
        if !line.from_the_right {
            content.begin_marked_content_with_properties(Name(b"Span")).properties().actual_text(TextStr(&line.text));
        }
        content.begin_text();
        let mut current = None;
        for glyph in &line.glyphs {
            let Some(font) = fonts.get(&glyph.face) else { continue };
            if current.replace(glyph.face) != Some(glyph.face) {
                content.set_font(Name(font.name.as_bytes()), points(SIZE));
            }
            let (x, y) = (hundredths(points(MARGIN) + glyph.x), hundredths(baseline + glyph.rise));
            content.set_text_matrix([1.0, 0.0, 0.0, 1.0, x, y]);
            content.show(Str(&font.glyphs.get(glyph.id).unwrap_or_default().to_be_bytes()));
        }
        content.end_text();
        if !line.from_the_right {
            content.end_marked_content();
        }
        baseline -= points(LEADING);
    }
    content.finish().into_vec()
}

/// What a document needs of a font.
#[derive(Default)]
struct Embedded {
    name: String,
    glyphs: GlyphRemapper,
    /// By the new number of a glyph, the characters that it draws.
    characters: BTreeMap<u16, String>,
}

impl Embedded {
    fn add(&mut self, glyph: &Glyph) {
        let new = self.glyphs.remap(glyph.id);
        if !glyph.cluster.is_empty() {
            // Where one glyph draws this here and that there, the text of the line says what is meant.
            self.characters.entry(new).or_insert_with(|| glyph.cluster.clone());
        }
    }

    /// Writes the font as the objects of these numbers: font, descendant, descriptor, file, map to characters.
    fn write(&self, document: &mut Pdf, typesetter: &mut Typesetter, face: usize, numbers: [Ref; 5]) -> Result<(), PdfError> {
        let [font, descendant, descriptor, file, map] = numbers;
        let (family, index) =
            typesetter.fonts().nth(face).map(|identity| (identity.family.clone(), identity.face)).unwrap_or_default();
        let failed = |reason: String| PdfError::Font { family: family.clone(), reason };
        let source = typesetter.font(face).ok_or_else(|| failed("it cannot be read".to_owned()))?;
        let subset = subsetter::subset(source.data(), index, &self.glyphs).map_err(|error| failed(error.to_string()))?;
        let outlines = table(&subset, b"CFF ");
        let name = self.subset_name(&subset, &family);
        let name = Name(name.as_bytes());

        document
            .type0_font(font)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(descendant)
            .to_unicode(map);
        let mut cid = document.cid_font(descendant);
        cid.base_font(name).system_info(IDENTITY).font_descriptor(descriptor).default_width(0.0);
        if outlines.is_some() {
            cid.subtype(CidFontType::Type0);
        } else {
            cid.subtype(CidFontType::Type2).cid_to_gid_map_predefined(Name(b"Identity"));
        }
        let metrics = source.metrics();
        let scale = 1000.0 / f32::from(metrics.units_per_em.max(1));
        let advances = source.as_swash().glyph_metrics(&[]);
        let widths = self.glyphs.remapped_gids().map(|old| hundredths(advances.advance_width(old) * scale));
        cid.widths().consecutive(0, widths).finish();
        cid.finish();

        let bounds = metrics.bounds.unwrap_or_default();
        let [left, bottom, right, top] =
            [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(|length| hundredths(length * scale));
        let mut writer = document.font_descriptor(descriptor);
        writer
            .name(name)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(left, bottom, right, top))
            .italic_angle(0.0)
            .ascent(hundredths(metrics.ascent * scale))
            .descent(hundredths(metrics.descent * scale))
            .cap_height(hundredths(metrics.cap_height.unwrap_or(metrics.ascent) * scale))
            .stem_v(80.0);
        if outlines.is_some() {
            writer.font_file3(file);
        } else {
            writer.font_file2(file);
        }
        writer.finish();
        match outlines {
            Some(outlines) => document.stream(file, outlines).pair(Name(b"Subtype"), Name(b"CIDFontType0C")),
            None => document.stream(file, &subset).pair(Name(b"Length1"), i32::try_from(subset.len()).unwrap_or(i32::MAX)),
        };

        let mut cmap = UnicodeCmap::new(Name(b"Characters"), IDENTITY);
        for (glyph, characters) in &self.characters {
            cmap.pair_with_multiple(*glyph, characters.chars());
        }
        document.cmap(map, &cmap.finish()).name(Name(b"Characters")).system_info(IDENTITY);
        Ok(())
    }

    /// The name of a subset: six capitals that are its own, and the family (ISO 32000-1, 9.6.4).
    fn subset_name(&self, subset: &[u8], family: &str) -> String {
        let tag = sha256(subset).iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect::<String>();
        let family: String = family.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("{tag}+{}", if family.is_empty() { &self.name } else { &family })
    }
}

/// A table of a font file by its name (OpenType, the table directory).
fn table<'f>(font: &'f [u8], name: &[u8]) -> Option<&'f [u8]> {
    let u32_of = |bytes: &[u8]| bytes.first_chunk().and_then(|bytes| usize::try_from(u32::from_be_bytes(*bytes)).ok());
    let tables = usize::from(u16::from_be_bytes(*font.get(4..)?.first_chunk()?));
    let record = font.get(12..)?.chunks_exact(16).take(tables).find(|record| record.starts_with(name))?;
    let (start, length) = (u32_of(&record[8..])?, u32_of(&record[12..])?);
    font.get(start..start.checked_add(length)?)
}

/// Pixels, points and font units are far below 2²⁴.
fn points(length: u32) -> f32 {
    length as f32
}

/// Rounded, so that a number has few digits.
fn hundredths(length: f32) -> f32 {
    libm::roundf(length * 100.0) / 100.0
}
