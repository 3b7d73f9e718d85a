//! A corpus and its items, read and checked.

/// The columns of `items.csv`. Their order in the file is free; only `item_id`, `kind` and `text`
/// must be there, and a column that is left out is empty in every row.
pub const COLUMNS: [&str; 17] = [
    "item_id",
    "kind",
    "text",
    "file",
    "language",
    "category",
    "expected",
    "source_url",
    "date_added",
    "notes",
    "text_in_file",
    "metadata_in_file",
    "base",
    "transform",
    "variant",
    "twin_of",
    "same_md5_as",
];

/// Those of a corpus of texts.
pub(super) const TEXT_COLUMNS: [&str; 10] =
    ["item_id", "kind", "text", "file", "language", "category", "expected", "source_url", "date_added", "notes"];

/// The columns without which a row says nothing.
pub(super) const REQUIRED_COLUMNS: [&str; 3] = ["item_id", "kind", "text"];

/// A corpus: what `corpus.toml` says of it, and its items in the order of `items.csv`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Corpus {
    /// Its name: small letters, digits and hyphens.
    pub id: String,
    /// Its title for people.
    pub title: String,
    /// Its version, in whatever way its author counts.
    pub version: String,
    /// Its licence, best as an SPDX expression.
    pub licence: String,
    /// Where its items come from; may be empty.
    pub source: String,
    /// How to cite it; may be empty.
    pub citation: String,
    /// The language of items that state none, a BCP 47 tag (`mul` for several, `und` for unknown).
    pub language: String,
    /// What a reader should know before opening it; may be empty.
    pub content_warning: String,
    /// What stands between the components of a keyword combination in `text`; `None`: no text is a combination.
    pub component_joiner: Option<String>,
    /// SHA-256 over the bytes of `corpus.toml` followed by those of `items.csv`, in hexadecimal
    /// (`cat corpus.toml items.csv | sha256sum`).
    pub sha256: String,
    /// The items.
    pub items: Vec<CorpusItem>,
}

/// One row of `items.csv`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CorpusItem {
    /// Unique in the corpus, never reused: letters, digits, `.`, `_`, `-`, at most 64.
    pub id: String,
    /// What it consists of.
    pub kind: CorpusKind,
    /// The message or the caption, exactly as the file has it; empty only where there is a file.
    pub text: String,
    /// The components of a keyword combination, without the blanks around the joiner. One component, equal to `text`,
    /// for items that are no combination; none where `text` is empty.
    pub components: Vec<String>,
    /// The file to send, relative to the corpus folder and inside it.
    pub file: Option<String>,
    /// BCP 47 tag; the corpus's where the row states none.
    pub language: String,
    /// The category that the author gave it; may be empty.
    pub category: String,
    /// What the author expects to happen to it somewhere.
    pub expected: Option<Expected>,
    /// A page about it; may be empty.
    pub source_url: String,
    /// When it was added to the list, `YYYY-MM-DD`; may be empty.
    pub date_added: String,
    /// Remarks; may be empty.
    pub notes: String,
    /// The text that can be read in the file, as the author declares it; may be empty.
    pub text_in_file: String,
    /// The text in the file's metadata; may be empty.
    pub metadata_in_file: String,
    /// The item of this corpus that the file was made from; empty for an original.
    pub base: String,
    /// How it was made from that; empty for an original.
    pub transform: String,
    /// Which of the copies with a hash of their own; 0 where there is one.
    pub variant: u32,
    /// The item of this corpus whose benign twin it is; may be empty.
    pub twin_of: String,
    /// An item of this corpus with another file of the same MD5; may be empty.
    pub same_md5_as: String,
    /// The line of `items.csv` on which the row begins, from 1.
    pub line: usize,
}

/// What an item consists of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CorpusKind {
    /// Text alone.
    Text,
    /// A picture, with or without a caption.
    Image,
    /// A document, with or without a caption.
    Document,
    /// A web address.
    Link,
    /// A voice message.
    Voice,
}

impl CorpusKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Text, Self::Image, Self::Document, Self::Link, Self::Voice];

    /// As `items.csv` writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Document => "document",
            Self::Link => "link",
            Self::Voice => "voice",
        }
    }

    /// Whether an item of this kind is a file. The others are their text.
    #[must_use]
    pub const fn has_file(self) -> bool {
        matches!(self, Self::Image | Self::Document | Self::Voice)
    }
}

/// What the author of a corpus expects of an item.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Expected {
    /// It arrives everywhere.
    Delivered,
    /// It is dropped for somebody.
    Dropped,
}

impl Expected {
    /// Every expectation.
    pub const ALL: [Self; 2] = [Self::Delivered, Self::Dropped];

    /// As `items.csv` writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Dropped => "dropped",
        }
    }
}
