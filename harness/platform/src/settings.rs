//! An adapter's settings with their secrets resolved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lacuna_model::adapter::{Setting, Settings};
use secrecy::SecretString;

use crate::secrets::{self, SecretError};

/// A value of a setting. `Debug` does not show secrets.
#[derive(Clone, Debug)]
pub enum ResolvedSetting {
    /// Text.
    Text(String),
    /// An absolute path.
    Path(PathBuf),
    /// A secret.
    Secret(SecretString),
    /// true or false.
    Boolean(bool),
}

/// The settings of one table (`[platform]` or one `[[account]]`), by key.
#[derive(Clone, Debug, Default)]
pub struct ResolvedSettings(BTreeMap<String, ResolvedSetting>);

impl ResolvedSettings {
    /// Resolves every secret of a table.
    pub fn resolve(settings: &Settings) -> Result<Self, SecretError> {
        let resolve = |setting: &Setting| {
            Ok(match setting {
                Setting::Text(text) => ResolvedSetting::Text(text.clone()),
                Setting::Path(path) => ResolvedSetting::Path(path.clone()),
                Setting::Secret(reference) => ResolvedSetting::Secret(secrets::resolve(reference)?),
                Setting::Boolean(value) => ResolvedSetting::Boolean(*value),
            })
        };
        settings.iter().map(|(key, setting)| Ok((key.clone(), resolve(setting)?))).collect::<Result<_, _>>().map(Self)
    }

    /// Sets a key, in place of what it was.
    pub fn set(&mut self, key: impl Into<String>, value: ResolvedSetting) {
        self.0.insert(key.into(), value);
    }

    /// The text of a key, if it is there and is text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key) {
            Some(ResolvedSetting::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The path of a key, if it is there and is a path.
    #[must_use]
    pub fn path(&self, key: &str) -> Option<&Path> {
        match self.0.get(key) {
            Some(ResolvedSetting::Path(path)) => Some(path),
            _ => None,
        }
    }

    /// The secret of a key, if it is there and is a secret.
    #[must_use]
    pub fn secret(&self, key: &str) -> Option<&SecretString> {
        match self.0.get(key) {
            Some(ResolvedSetting::Secret(secret)) => Some(secret),
            _ => None,
        }
    }

    /// Whether a key is there and true.
    #[must_use]
    pub fn is_true(&self, key: &str) -> bool {
        matches!(self.0.get(key), Some(ResolvedSetting::Boolean(true)))
    }
}
