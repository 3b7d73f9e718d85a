//! Corpora: what is sent. A corpus is a folder with `corpus.toml`, `items.csv` and, where items have files, `files/`.

mod item;

use std::path::Path;

use lacuna_model::Problem;

pub use item::{COLUMNS, Corpus, CorpusItem, CorpusKind, Expected};

/// One key of `corpus.toml`. Every value is text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeySpec {
    /// The key.
    pub key: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether its text may be empty.
    pub may_be_empty: bool,
    /// One sentence for the schema and for error messages.
    pub help: &'static str,
}

const fn required(key: &'static str, may_be_empty: bool, help: &'static str) -> KeySpec {
    KeySpec { key, required: true, may_be_empty, help }
}

/// The keys of `corpus.toml`.
pub const KEYS: [KeySpec; 9] = [
    required("id", false, "the name of the corpus: small letters, digits and hyphens, at most 64"),
    required("title", false, "the title for people"),
    required("version", false, "the version, changed whenever an item is"),
    required("licence", false, "the licence, best as an SPDX expression"),
    required("source", true, "where the items come from"),
    required("citation", true, "how to cite the corpus"),
    required("language", false, "the language of items that state none: a BCP 47 tag, mul for several, und for unknown"),
    required("content-warning", true, "what a reader should know before opening it"),
    KeySpec {
        key: "component-joiner",
        required: false,
        may_be_empty: false,
        help: "what stands between the components of a keyword combination in the text column",
    },
];

/// Reads a corpus from its folder.
#[must_use]
pub fn load(_dir: &Path) -> (Option<Corpus>, Vec<Problem>) {
    (None, Vec::new())
}
