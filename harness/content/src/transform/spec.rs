//! Transforms by name.
//!
//! A spec is one step or several with `+` between them, done from left to right: `resize:0.5+reencode:jpeg-70`. Its written form
//! is canonical: what is read and written again is the same, and takes part in what makes each file's hash its own.

use lacuna_model::GrayFormula;
use std::fmt;
use std::str::FromStr;

use crate::image::Encoding;

/// The most steps of a spec.
const MOST_STEPS: usize = 8;

/// One or several transforms, one after the other.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Spec(Vec<Step>);

impl Spec {
    /// The steps, in order; at least one.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

/// One transform.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// The same file with a nonce in a comment: another hash and nothing else.
    Fresh,
    /// The last bit of some colours drawn anew: other pixels that look the same.
    LastBits,
    /// Bytes behind the end of the picture.
    Append,
    /// The item's text as metadata.
    Metadata(MetadataKind),
    /// Without metadata.
    Strip,
    /// Under a file name that says nothing.
    Rename,
    /// Written anew.
    Reencode(Encoding),
    /// Scaled; in thousandths.
    Resize(u32),
    /// A margin at both ends of one direction, half as long as the picture each.
    Pad(Side),
    /// So many hundredths of width and height cut off at each side.
    Crop(u32),
    /// Left and right exchanged.
    Mirror,
    /// Turned clockwise, in degrees.
    Rotate(u32),
    /// Blurred with a normal distribution of that standard deviation, in pixels.
    Blur(u32),
    /// Grain of at most so many levels up or down.
    Noise(u32),
    /// Black and white, divided where the variance between the two is largest (Otsu 1979).
    Threshold,
    /// Shades of grey.
    Grayscale(GrayFormula),
    /// The negative.
    Invert,
    /// The text painted over.
    Blank,
    /// The text alone, drawn anew in other letters elsewhere on another ground; invisible under a formula, where one is named.
    Retypeset(Option<GrayFormula>),
    /// The text drawn anew, its strokes made of small figures.
    Blobs(Tile),
    /// That many copies side by side in one picture.
    Duplicates(u32),
    /// One half of the text, drawn anew.
    Split(Half),
    /// The text as a QR code (ISO/IEC 18004).
    Qr,
    /// Of the original only the text: [`Step::Retypeset`] without metadata, under a name that says nothing.
    OnlyText(Option<GrayFormula>),
    /// Of the original only its look: the text painted over, without metadata, under a name that says nothing.
    OnlyLook,
    /// Of the original only its metadata: a harmless picture with them.
    OnlyMetadata,
    /// Of the original only its file name: a harmless picture under it.
    OnlyFilename,
}

/// Where metadata stands in a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MetadataKind {
    /// `ImageDescription` and `UserComment` of Exif.
    Exif,
    /// `dc:description` and `dc:subject` of XMP.
    Xmp,
    /// The comment of the format.
    Comment,
}

/// A direction of a picture.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Along its long side.
    Long,
    /// Along its short side.
    Short,
}

/// What strokes are made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tile {
    /// Small squares.
    Squares,
    /// Small letters.
    Letters,
}

/// A half of a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Half {
    /// The first.
    First,
    /// The second.
    Second,
}

/// The forms in which transforms are written, with what they do.
pub const FORMS: [(&str, &str); 27] = [
    ("fresh", "the same file with a nonce in a comment"),
    ("last-bits", "last bits of colours drawn anew"),
    ("append", "bytes behind the end"),
    ("metadata:exif|xmp|comment", "the text added as metadata"),
    ("strip", "metadata taken out"),
    ("rename", "a file name that says nothing"),
    ("reencode:png|webp|gif|jpeg-QUALITY", "written anew"),
    ("resize:FACTOR", "scaled by 0.05 to 4"),
    ("pad:long|short", "a margin at both ends of a side"),
    ("crop:PERCENT", "1 to 45 % cut off at each side"),
    ("mirror", "left and right exchanged"),
    ("rotate:DEGREES", "turned clockwise by 1 to 359"),
    ("blur:PIXELS", "blurred with a deviation of 1 to 32"),
    ("noise:LEVELS", "grain of 1 to 255 levels"),
    ("threshold", "black and white"),
    ("grayscale:luminosity|average|lightness", "shades of grey"),
    ("invert", "the negative"),
    ("blank", "the text painted over"),
    ("retypeset[:luminosity|average|lightness]", "the text drawn anew, invisible under that formula"),
    ("blobs:squares|letters", "the text with strokes of small figures"),
    ("duplicates:COUNT", "2 to 16 copies in one picture"),
    ("split:1|2", "a half of the text"),
    ("qr", "the text as a QR code"),
    ("only-text[:luminosity|average|lightness]", "of the original its text alone"),
    ("only-look", "of the original its look alone"),
    ("only-metadata", "of the original its metadata alone"),
    ("only-filename", "of the original its file name alone"),
];

/// Why a text is no spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Nothing stands between two `+`, or there is nothing at all.
    #[error("has an empty step; put names of transforms with + between them")]
    Empty,
    /// No transform has that name.
    #[error("`{name}` is no transform; they are {}", FORMS.map(|(form, _)| form).join(", "))]
    Unknown {
        /// The name.
        name: String,
    },
    /// A transform with a parameter that it does not take.
    #[error("`{step}` is not written as {form} ({help})")]
    Parameter {
        /// The step.
        step: String,
        /// How it is written.
        form: &'static str,
        /// What it does.
        help: &'static str,
    },
    /// More steps than are allowed.
    #[error("has more than {MOST_STEPS} steps")]
    TooMany,
}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let steps: Vec<Step> = text.split('+').take(MOST_STEPS + 1).map(step).collect::<Result<_, _>>()?;
        if steps.len() > MOST_STEPS { Err(SpecError::TooMany) } else { Ok(Self(steps)) }
    }
}

fn step(text: &str) -> Result<Step, SpecError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(SpecError::Empty);
    }
    let (name, parameter) = text.split_once(':').map_or((text, None), |(name, parameter)| (name, Some(parameter)));
    let short = || text.chars().take(80).collect::<String>();
    let known = FORMS.iter().find(|(form, _)| form.split([':', '[']).next() == Some(name));
    let (form, help) = *known.ok_or_else(|| SpecError::Unknown { name: short() })?;
    named(name, parameter).ok_or_else(|| SpecError::Parameter { step: short(), form, help })
}

fn named(name: &str, parameter: Option<&str>) -> Option<Step> {
    let number = |range: std::ops::RangeInclusive<u32>| whole(parameter?).filter(|number| range.contains(number));
    match (name, parameter) {
        ("fresh", None) => Some(Step::Fresh),
        ("last-bits", None) => Some(Step::LastBits),
        ("append", None) => Some(Step::Append),
        ("metadata", Some("exif")) => Some(Step::Metadata(MetadataKind::Exif)),
        ("metadata", Some("xmp")) => Some(Step::Metadata(MetadataKind::Xmp)),
        ("metadata", Some("comment")) => Some(Step::Metadata(MetadataKind::Comment)),
        ("strip", None) => Some(Step::Strip),
        ("rename", None) => Some(Step::Rename),
        ("reencode", Some("png")) => Some(Step::Reencode(Encoding::Png)),
        ("reencode", Some("webp")) => Some(Step::Reencode(Encoding::WebP)),
        ("reencode", Some("gif")) => Some(Step::Reencode(Encoding::Gif)),
        ("reencode", Some(other)) => {
            let quality = whole(other.strip_prefix("jpeg-")?).and_then(|quality| u8::try_from(quality).ok());
            quality.filter(|quality| (1..=100).contains(quality)).map(|quality| Step::Reencode(Encoding::Jpeg(quality)))
        }
        ("resize", Some(factor)) => thousandths(factor).filter(|factor| (50..=4000).contains(factor)).map(Step::Resize),
        ("pad", Some("long")) => Some(Step::Pad(Side::Long)),
        ("pad", Some("short")) => Some(Step::Pad(Side::Short)),
        ("crop", _) => number(1..=45).map(Step::Crop),
        ("mirror", None) => Some(Step::Mirror),
        ("rotate", _) => number(1..=359).map(Step::Rotate),
        ("blur", _) => number(1..=32).map(Step::Blur),
        ("noise", _) => number(1..=255).map(Step::Noise),
        ("threshold", None) => Some(Step::Threshold),
        ("grayscale", Some(formula)) => grayscale(formula).map(Step::Grayscale),
        ("invert", None) => Some(Step::Invert),
        ("blank", None) => Some(Step::Blank),
        ("retypeset", None) => Some(Step::Retypeset(None)),
        ("retypeset", Some(formula)) => grayscale(formula).map(|formula| Step::Retypeset(Some(formula))),
        ("blobs", Some("squares")) => Some(Step::Blobs(Tile::Squares)),
        ("blobs", Some("letters")) => Some(Step::Blobs(Tile::Letters)),
        ("duplicates", _) => number(2..=16).map(Step::Duplicates),
        ("split", Some("1")) => Some(Step::Split(Half::First)),
        ("split", Some("2")) => Some(Step::Split(Half::Second)),
        ("qr", None) => Some(Step::Qr),
        ("only-text", None) => Some(Step::OnlyText(None)),
        ("only-text", Some(formula)) => grayscale(formula).map(|formula| Step::OnlyText(Some(formula))),
        ("only-look", None) => Some(Step::OnlyLook),
        ("only-metadata", None) => Some(Step::OnlyMetadata),
        ("only-filename", None) => Some(Step::OnlyFilename),
        _ => None,
    }
}

pub(super) fn grayscale(name: &str) -> Option<GrayFormula> {
    GrayFormula::ALL.into_iter().find(|formula| formula.as_str() == name)
}

/// A whole number in its only form: digits, no zero in front.
fn whole(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !(text.len() > 1 && text.starts_with('0'));
    text.parse().ok().filter(|_| digits)
}

/// A decimal number with at most three decimals.
fn thousandths(text: &str) -> Option<u32> {
    let (whole_part, decimals) = text.split_once('.').unwrap_or((text, "0"));
    if decimals.is_empty() || decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u32 = format!("{decimals:0<3}").parse().ok()?;
    whole(whole_part)?.checked_mul(1000)?.checked_add(decimals)
}

impl Step {
    /// Its name, without a parameter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::LastBits => "last-bits",
            Self::Append => "append",
            Self::Metadata(_) => "metadata",
            Self::Strip => "strip",
            Self::Rename => "rename",
            Self::Reencode(_) => "reencode",
            Self::Resize(_) => "resize",
            Self::Pad(_) => "pad",
            Self::Crop(_) => "crop",
            Self::Mirror => "mirror",
            Self::Rotate(_) => "rotate",
            Self::Blur(_) => "blur",
            Self::Noise(_) => "noise",
            Self::Threshold => "threshold",
            Self::Grayscale(_) => "grayscale",
            Self::Invert => "invert",
            Self::Blank => "blank",
            Self::Retypeset(_) => "retypeset",
            Self::Blobs(_) => "blobs",
            Self::Duplicates(_) => "duplicates",
            Self::Split(_) => "split",
            Self::Qr => "qr",
            Self::OnlyText(_) => "only-text",
            Self::OnlyLook => "only-look",
            Self::OnlyMetadata => "only-metadata",
            Self::OnlyFilename => "only-filename",
        }
    }

    /// How strong it is among those of its kind, where there are doses: more is stronger.
    pub(super) fn dose(self) -> Option<u32> {
        match self {
            Self::Reencode(Encoding::Jpeg(quality)) => Some(100 - u32::from(quality.min(100))),
            // Enlarging takes nothing away.
            Self::Resize(factor) => Some(4000_u32.saturating_sub(factor)),
            Self::Rotate(degrees) if degrees % 90 != 0 => Some(degrees.min(360 - degrees.min(360))),
            Self::Crop(dose) | Self::Blur(dose) | Self::Noise(dose) | Self::Duplicates(dose) => Some(dose),
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match *self {
            Self::Metadata(MetadataKind::Exif) => f.write_str(":exif"),
            Self::Metadata(MetadataKind::Xmp) => f.write_str(":xmp"),
            Self::Metadata(MetadataKind::Comment) => f.write_str(":comment"),
            Self::Reencode(Encoding::Jpeg(quality)) => write!(f, ":jpeg-{quality}"),
            Self::Reencode(other) => write!(f, ":{}", other.format()),
            Self::Resize(factor) => {
                let (whole, rest) = (factor / 1000, format!("{:03}", factor % 1000));
                let rest = rest.trim_end_matches('0');
                if rest.is_empty() { write!(f, ":{whole}") } else { write!(f, ":{whole}.{rest}") }
            }
            Self::Pad(Side::Long) => f.write_str(":long"),
            Self::Pad(Side::Short) => f.write_str(":short"),
            Self::Crop(number) | Self::Rotate(number) | Self::Blur(number) | Self::Noise(number) | Self::Duplicates(number) => {
                write!(f, ":{number}")
            }
            Self::Grayscale(formula) | Self::Retypeset(Some(formula)) | Self::OnlyText(Some(formula)) => {
                write!(f, ":{}", formula.as_str())
            }
            Self::Blobs(Tile::Squares) => f.write_str(":squares"),
            Self::Blobs(Tile::Letters) => f.write_str(":letters"),
            Self::Split(Half::First) => f.write_str(":1"),
            Self::Split(Half::Second) => f.write_str(":2"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Spec {
    /// As it is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("+")?;
            }
            step.fmt(f)?;
        }
        Ok(())
    }
}
