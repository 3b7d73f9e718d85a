//! What an import takes, tells and fails with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lacuna_model::Problem;

/// How components stand together in the list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum JoinerChoice {
    /// By `+`, with or without blanks around it; in rows that the list itself calls combinations (a column
    /// `Keyword Type` that says `combo`) by blanks, where there is no `+`.
    #[default]
    Auto,
    /// By this text; one or several blanks mean any white space.
    Given(String),
    /// There are no combinations: a `+` is a plus.
    None,
}

/// What the list itself does not say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ImportOptions {
    /// The id of the corpus: small letters, digits and hyphens.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The licence of the list.
    pub licence: String,
    /// Where the list comes from.
    pub source: String,
    /// The column that holds the keywords; `None`: found by its name.
    pub text_column: Option<String>,
    /// How components stand together.
    pub joiner: JoinerChoice,
    /// The language of rows that state none (BCP 47); `None`: `und`.
    pub language: Option<String>,
    /// The encoding by its WHATWG label, such as `gb18030` or `big5`; `None`: found.
    pub encoding: Option<String>,
}

/// What was done to a row, besides taking it. The row's notes hold what it was before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Change {
    /// Components stand together otherwise than the list had it: `a + b` or `a b` became `a+b`.
    JoinerRewritten,
    /// Blanks at the ends were removed.
    BlanksTrimmed,
    /// Tabs, line breaks and other control characters became blanks.
    ControlReplaced,
    /// Zero-width and direction characters were removed.
    InvisibleRemoved,
    /// `*X*` became `X`.
    WildcardStripped,
    /// The list calls the row a combination, and it has one component.
    SingleCombination,
    /// The list's word for the language is not known here.
    LanguageUnknown,
    /// The date names no day, or day and month cannot be told apart.
    DateUnclear,
}

impl Change {
    /// For the summary, in the plural.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JoinerRewritten => "joiners rewritten as `+`",
            Self::BlanksTrimmed => "blanks at the ends removed",
            Self::ControlReplaced => "control characters replaced by blanks",
            Self::InvisibleRemoved => "invisible characters removed",
            Self::WildcardStripped => "wildcards `*X*` stripped to `X`",
            Self::SingleCombination => "called a combination, taken as one component",
            Self::LanguageUnknown => "languages not known, left to the corpus",
            Self::DateUnclear => "dates without a certain day, kept in the notes",
        }
    }
}

/// What became of a list. `rows = items + merged + refused`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ImportReport {
    /// The encoding that the list was read in.
    pub encoding: String,
    /// Whether the list began with a byte order mark.
    pub byte_order_mark: bool,
    /// The column that the texts were taken from, as the list writes it; `None` for plain text.
    pub text_column: Option<String>,
    /// The rows of the list, without its header and empty lines.
    pub rows: usize,
    /// The items written.
    pub items: usize,
    /// How many taken rows (items and merged ones) have how many components.
    pub components: BTreeMap<usize, usize>,
    /// How many rows were changed in which way.
    pub changes: BTreeMap<Change, usize>,
    /// Rows whose text is that of an earlier row in normal form (NFKC, blanks). The notes of that item name them.
    pub merged: Vec<Problem>,
    /// Rows that could not be taken.
    pub refused: Vec<Problem>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The list cannot be read.
    #[error("{path}: {reason}", path = .path.display())]
    Unreadable {
        /// The list.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// An option has the wrong form.
    #[error("{option}: `{value}` is not possible ({fix})")]
    Option {
        /// Which.
        option: &'static str,
        /// What was given.
        value: String,
        /// What is possible.
        fix: String,
    },
    /// No column of the table looks like keywords.
    #[error("{path}: no column is known to hold keywords; name one of: {columns}", path = .path.display())]
    NoTextColumn {
        /// The list.
        path: PathBuf,
        /// Its columns.
        columns: String,
    },
    /// No row could be taken.
    #[error("{path}: none of {rows} rows can be taken; the first: {first}", path = .path.display())]
    NothingTaken {
        /// The list.
        path: PathBuf,
        /// How many there are.
        rows: usize,
        /// What is wrong with the first of them.
        first: String,
    },
    /// The folder to write is there already.
    #[error("{path} exists already; an import never overwrites (choose another folder)", path = .0.display())]
    OutExists(PathBuf),
    /// The corpus cannot be written.
    #[error("{path} cannot be written", path = .path.display())]
    Write {
        /// What was being written.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}
