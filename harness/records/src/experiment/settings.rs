//! What the experiment gives to the platform's adapter.

use std::path::{Path, PathBuf};

use lacuna_model::adapter::{AdapterSpec, SecretReference, Setting, SettingForm, SettingSpec, Settings};

use crate::toml_reader::{Cursor, Problems};

/// Whether a secret can be resolved; `Err` says why not.
pub(crate) type SecretExists<'a> = &'a dyn Fn(&SecretReference) -> Result<(), String>;

/// What the values of settings are relative to, and how secrets are looked for.
pub(crate) struct Surroundings<'a> {
    /// The folder of the experiment file.
    pub(crate) base: PathBuf,
    pub(crate) secret_exists: SecretExists<'a>,
}

impl Surroundings<'_> {
    /// A path of the file, absolute.
    pub(crate) fn absolute(&self, path: &str) -> PathBuf {
        let joined = self.base.join(path);
        // Fails only without a current folder; then the path is as good as any.
        std::path::absolute(&joined).unwrap_or(joined)
    }

    /// The values that a table gives to an adapter's keys.
    pub(crate) fn settings(&self, table: &Cursor<'_>, specs: &[SettingSpec], problems: &Problems) -> Settings {
        let mut settings = Settings::new();
        for spec in specs {
            let setting = match spec.form {
                SettingForm::Text => table.text(spec.key).map(|text| Setting::Text(text.value)),
                SettingForm::Path => table.text(spec.key).map(|path| Setting::Path(self.absolute(&path.value))),
                SettingForm::Boolean => table.boolean(spec.key).map(|boolean| Setting::Boolean(boolean.value)),
                SettingForm::Secret => self.secret(table, spec.key, problems).map(Setting::Secret),
            };
            if let Some(setting) = setting {
                settings.insert(spec.key.to_owned(), setting);
            }
        }
        settings
    }

    fn secret(&self, table: &Cursor<'_>, key: &str, problems: &Problems) -> Option<SecretReference> {
        let text = table.text(key)?;
        let reference = match text.value.split_once(':')? {
            ("env", name) => SecretReference::Environment(name.to_owned()),
            (_, path) => SecretReference::File(self.absolute(path)),
        };
        if let Err(why) = (self.secret_exists)(&reference) {
            let fix = match &reference {
                SecretReference::Environment(name) => format!("set the environment variable {name} before the run"),
                SecretReference::File(path) => format!("write the secret into {}", path.display()),
            };
            table.report(&text, &format!("the secret {reference} is missing: {why}"), &fix, problems);
        }
        Some(reference)
    }
}

/// Exactly one of the adapter's alternative keys must be given.
pub(crate) fn one_of(platform: &Cursor<'_>, adapter: &AdapterSpec, problems: &Problems) {
    if adapter.one_of.is_empty() {
        return;
    }
    let given: Vec<_> = adapter.one_of.iter().copied().filter(|key| platform.has(key)).collect();
    let names = adapter.one_of.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or ");
    match given.as_slice() {
        [_] => {}
        [] => platform.report_missing(
            &format!("{names} is missing"),
            &format!("the adapter `{}` needs one of them", adapter.name),
            problems,
        ),
        [_, second, ..] => {
            let message = format!("only one of {names} can be given");
            platform.report(&platform.key(second), &message, "leave one of them out", problems);
        }
    }
}

/// The folder of a file, in which its relative paths begin.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    file.parent().map(Path::to_owned).unwrap_or_default()
}
