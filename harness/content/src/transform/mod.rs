//! Named, seeded transforms of picture files, each of which takes something from a filter and leaves it something else.
//!
//! A [`Spec`] such as `resize:0.5+reencode:jpeg-70` names what is done; [`transform`] does it, from bytes to bytes, and
//! reproduces every byte from the same seed. Whatever is done, the result has a hash of its own, by a nonce. [`kept`] says what a
//! filter would still see, and [`BATTERY`] what it means if the result is dropped or delivered.

mod apply;
mod battery;
mod lettering;
mod metadata;
mod pixels;
mod spec;

pub use apply::{Freshness, Made, Original, transform};
pub use battery::{BATTERY, Entry, Kept, MECHANISM, battery, kept, metadata_text};
pub use spec::{FORMS, Half, MetadataKind, Side, Spec, SpecError, Step, Tile};

use crate::image::{DecodeError, EncodeError, Format, TypesetError};

/// Why a transform cannot be done. Fragments that follow the name of a picture.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    /// The original is no picture that is read.
    #[error(transparent)]
    Picture(#[from] DecodeError),
    /// What was made cannot be written in its format.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The transform draws or writes the text, which is not known.
    #[error("has no text that is known")]
    NoText,
    /// The transform paints over the text, and where that stands is not known.
    #[error("has no text box that is known")]
    NoTextBox,
    /// An earlier step has taken away the text that the transform needs, or has moved it.
    #[error("has no longer the text where `{step}` needs it; put that in front of the steps before it")]
    Gone {
        /// The step that needs it.
        step: Step,
    },
    /// The transform draws letters, and there are no fonts.
    #[error("needs a font")]
    NoFont,
    /// The text cannot be drawn.
    #[error("has a text that {0}")]
    Text(TypesetError),
    /// The text has one character.
    #[error("has a text that cannot be divided")]
    Undivided,
    /// The text is too long for a QR code.
    #[error("has a text that is too long for a QR code")]
    LongCode,
    /// What would be made is larger than what is read.
    #[error("would become {width} × {height} pixels, which is too large")]
    TooLarge {
        /// Width in pixels.
        width: u64,
        /// Height in pixels.
        height: u64,
    },
    /// The metadata do not fit into the format.
    #[error("has {bytes} bytes of metadata, too many for a {format}")]
    LongMetadata {
        /// The format.
        format: Format,
        /// How long they are.
        bytes: usize,
    },
    /// The format has no place for such metadata.
    #[error("is a {format}, which has no place for {kind}")]
    NoPlace {
        /// The format.
        format: Format,
        /// What has no place.
        kind: &'static str,
    },
}
