//! What a rendering is told, and what it tells.

use std::path::PathBuf;

use lacuna_content::image::{FontError, FontIdentity, Style};

/// A font file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenderFont {
    /// Where it is.
    pub path: PathBuf,
    /// The face to take of a collection, from 0; 0 for a file with one face.
    pub face: u32,
}

/// How pictures are made, and what the list does not say itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenderOptions {
    /// The id of the new corpus.
    pub id: String,
    /// The title of the new corpus.
    pub title: String,
    /// Its licence.
    pub licence: String,
    /// The fonts; a character is drawn by the first that has it.
    pub fonts: Vec<RenderFont>,
    /// The styles; each phrase is drawn in each.
    pub styles: Vec<Style>,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// From it follows what makes each file's hash its own. The same seed gives the same files.
    pub seed: u64,
    /// A harmless text, drawn like each phrase whose row has none of its own.
    pub twin: Option<String>,
}

/// What was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenderReport {
    /// How many phrases were read.
    pub phrases: usize,
    /// How many pictures were made, twins not counted.
    pub pictures: usize,
    /// How many twins were made.
    pub twins: usize,
    /// The fonts that were given.
    pub fonts: Vec<FontIdentity>,
    /// Pairs of items that look too much alike to be told apart once a platform has worked on them.
    pub too_near: Vec<(String, String)>,
}

/// Why a list could not be rendered. Nothing is left behind but an incomplete folder, if writing failed.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
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
    /// Some phrases cannot be drawn; all of them are named.
    #[error("not every phrase can be drawn")]
    Phrases(Vec<lacuna_model::Problem>),
    /// A file cannot be written.
    #[error("{path} cannot be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
