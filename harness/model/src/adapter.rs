//! What a platform adapter declares about itself, so that the reader of experiment files can check its keys.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// The form of a setting's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SettingForm {
    /// Any text.
    Text,
    /// A path, relative to the experiment file.
    Path,
    /// A reference to a secret: `env:NAME` or `file:PATH`. The secret itself never stands in the file.
    Secret,
    /// true or false.
    Boolean,
}

/// One key that an adapter takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SettingSpec {
    /// The key, kebab-case.
    pub key: &'static str,
    /// The form of its value.
    pub form: SettingForm,
    /// Whether it must be there.
    pub required: bool,
    /// One sentence for the schema and for error messages.
    pub help: &'static str,
}

/// What an adapter declares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdapterSpec {
    /// Its name, the value of `adapter`.
    pub name: &'static str,
    /// The keys it takes in `[platform]` besides `adapter`.
    pub platform: &'static [SettingSpec],
    /// The keys it takes in `[[account]]` besides the common ones.
    pub account: &'static [SettingSpec],
    /// Of these keys of `[platform]` exactly one must be given; empty means no such rule.
    pub one_of: &'static [&'static str],
    /// What stands between the components of a keyword combination in one message.
    pub separator: &'static str,
    /// The longest text that the platform takes, in Unicode scalar values.
    pub max_text: usize,
    /// The longest file that a message may carry, in bytes; 0 where files cannot be sent.
    pub max_file: u64,
    /// Whether a file may have a caption.
    pub captions: bool,
}

/// A reference to a secret. Resolved in one place, just before the platform is connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretReference {
    /// `env:NAME`
    Environment(String),
    /// `file:PATH`, made absolute.
    File(PathBuf),
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// A value that an experiment gives to an adapter's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Setting {
    /// Text.
    Text(String),
    /// A path, made absolute.
    Path(PathBuf),
    /// A secret, not yet resolved.
    Secret(SecretReference),
    /// true or false.
    Boolean(bool),
}

/// The settings of one table, by key.
pub type Settings = BTreeMap<String, Setting>;
