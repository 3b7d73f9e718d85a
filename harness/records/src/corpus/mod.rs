//! Corpora: what is sent. A corpus is a folder with `corpus.toml`, `items.csv` and, where items have files, `files/`.
//!
//! [`load`] reads a corpus for an experiment and refuses what cannot be sent as it stands; [`lint`] also reports what a
//! careful list should not have; [`import`] makes a corpus of a list that researchers already have, [`render()`]
//! pictures of its phrases, [`transform()`] files of pictures from which each keeps something else, [`collide()`] two files of one
//! MD5 of two pictures.

mod characters;
mod collector;
mod collide;
mod head;
mod import;
mod item;
mod kept;
mod lint;
mod load;
mod pictures;
mod render;
mod table;
mod transform;

pub use collide::{CollideError, CollideOptions, CollideReport, CollidingFile, collide};
pub use head::{KEYS, KeySpec};
pub use import::{Change, ImportError, ImportOptions, ImportReport, JoinerChoice, import};
pub use item::{COLUMNS, Corpus, CorpusItem, CorpusKind, Expected};
pub(crate) use kept::kept;
pub use lint::lint;
pub use load::load;
pub use render::{RenderError, RenderFont, RenderOptions, RenderReport, render};
pub(crate) use table::read_at_most;
pub use transform::{Benign, LeftOut, TransformFailure, TransformOptions, TransformReport, transform};
