//! What a transformation is told, and what it tells.

use std::path::PathBuf;

use lacuna_content::image::{FontError, FontIdentity};
use lacuna_content::transform::Spec;
use lacuna_model::Problem;

use super::super::render::RenderFont;

/// What is made, and of what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransformOptions {
    /// The id of the new corpus.
    pub id: String,
    /// The items to transform; none: every picture that is neither a twin nor made from another.
    pub items: Vec<String>,
    /// The transforms; each is done alone.
    pub specs: Vec<Spec>,
    /// How many files of each item and transform, each with a hash of its own.
    pub variants: u32,
    /// From it follows what makes each file's hash its own. The same seed gives the same files.
    pub seed: u64,
    /// The fonts; a character is drawn by the first that has it. Only what draws letters needs some.
    pub fonts: Vec<RenderFont>,
    /// The harmless pictures of items that have no twin of their own.
    pub benign: Benign,
}

/// Where harmless pictures come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Benign {
    /// Each item has a twin in its corpus.
    Twins,
    /// An item of the corpus is the twin of all.
    Item(String),
    /// A harmless text is drawn for each item, in the size of its picture.
    Text(String),
}

/// What was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransformReport {
    /// How many items were transformed.
    pub originals: usize,
    /// How many files were made of them.
    pub files: usize,
    /// How many files were made of their twins.
    pub twins: usize,
    /// The fonts that were given.
    pub fonts: Vec<FontIdentity>,
    /// What could not be made.
    pub left_out: Vec<LeftOut>,
}

/// A transform that cannot be done with an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// The item, or its twin.
    pub item: String,
    /// The transform.
    pub transform: String,
    /// Why: a fragment that follows the name of the item.
    pub reason: String,
}

/// Why a corpus could not be transformed. Nothing is left behind but an incomplete folder, if writing failed.
#[derive(Debug, thiserror::Error)]
pub enum TransformFailure {
    /// The folder to make is already there.
    #[error("{0} is already there; name another folder, or remove it")]
    OutExists(PathBuf),
    /// An option has a value that it cannot have.
    #[error("--{option} `{value}`: {fix}")]
    Option {
        /// The option without its hyphens.
        option: &'static str,
        /// The value.
        value: String,
        /// What to do.
        fix: String,
    },
    /// A file cannot be read or used.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// A file is no font.
    #[error("{path} {source}; give a .ttf, .otf or .ttc file, a collection's face as FILE#NUMBER")]
    Font {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FontError,
    },
    /// The corpus has faults, or pictures that cannot be used; all of them are named.
    #[error("the corpus cannot be transformed")]
    Corpus(Vec<Problem>),
    /// Nothing could be made.
    #[error("none of the transforms can be done: `{}` with {} {}", .0.transform, .0.item, .0.reason)]
    Nothing(Box<LeftOut>),
    /// A file cannot be written.
    #[error("{path} cannot be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
