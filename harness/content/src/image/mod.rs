//! Pictures, bytes in and bytes out.
//!
//! [`decode()`] takes a file within [`Limits`], [`inspect`] says what is recorded of it; [`render()`] draws a text in a [`Style`] with the
//! fonts of a [`Typesetter`]; [`recognise`] finds which of the pictures that were sent a received one is.

mod appearance;
mod area;
pub(crate) mod container;
mod decode;
mod distinct;
mod encode;
mod format;
mod luminance;
mod perceptual;
pub(crate) mod random;
mod render;
mod thumbnail;
mod typeset;

pub use ::image::{Rgb, RgbImage};
pub use appearance::{Appearance, Distance, Recognition, recognise};
pub use area::{Area, AreaError};
pub use decode::{DecodeError, Decoded, Inspection, Limits, decode, inspect};
pub use distinct::Distinct;
pub use encode::{EncodeError, Encoding, encode};
pub use format::Format;
pub use luminance::{luminance_map, made_grey};
pub use perceptual::{PerceptualHash, perceptual_hash};
pub use render::{Rendered, STYLES, Style, freshen, render};
pub use thumbnail::thumbnail;
pub use typeset::{FontError, FontIdentity, LONGEST_TEXT, Lettering, SMALLEST_SIZE, TypesetError, Typesetter};

pub(crate) use typeset::{Glyph, Line};

use random::generator;
