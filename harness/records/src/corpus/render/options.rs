//! What a rendering is told, and what it tells.

use std::path::PathBuf;

use lacuna_content::document;
use lacuna_content::image::{FontError, FontIdentity, Style};

/// A font file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenderFont {
    /// Where it is.
    pub path: PathBuf,
    /// The face to take of a collection, from 0; 0 for a file with one face.
    pub face: u32,
}

/// What is made of a phrase.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RenderAs {
    /// A PNG in each of these styles.
    Pictures(Vec<Style>),
    /// One document.
    Document(document::Format),
}

/// How files are made, and what the list does not say itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenderOptions {
    /// The id of the new corpus.
    pub id: String,
    /// The title of the new corpus.
    pub title: String,
    /// Its licence.
    pub licence: String,
    /// What is made.
    pub kind: RenderAs,
    /// The fonts; a character is drawn by the first that has it. For pictures and PDF; the other formats hold no letters.
    pub fonts: Vec<RenderFont>,
    /// Width and height of pictures in pixels.
    pub size: (u32, u32),
    /// From it follows what makes each file's hash its own. The same seed gives the same files.
    pub seed: u64,
    /// A harmless text, made a file of like each phrase whose row has none of its own.
    pub twin: Option<String>,
}

/// What was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenderReport {
    /// How many phrases were read.
    pub phrases: usize,
    /// How many files were made, twins not counted.
    pub files: usize,
    /// How many twins were made.
    pub twins: usize,
    /// The fonts that were given.
    pub fonts: Vec<FontIdentity>,
    /// Items, each with an earlier one that it looks too much like to be told apart once a platform has worked on them.
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
    /// Some phrases cannot be made files of; all of them are named.
    #[error("not every phrase can be rendered")]
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
