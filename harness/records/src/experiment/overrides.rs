//! What results may show of the overrides on a command line.

use lacuna_model::adapter::{AdapterSpec, SettingForm};

/// The overrides as they were given, but for what an account gives to its adapter: its address tells who it is, and results know accounts by
/// their pseudonyms alone. The key stays, the value is `…`. Secrets are references here as in the file, and stay.
pub(super) fn to_be_shown(overrides: &[String], adapters: &[AdapterSpec]) -> Vec<String> {
    let shown = overrides.iter().map(|given| match given.split_once('=') {
        Some((key, _)) if names_an_account(key.trim(), adapters) => format!("{}=…", key.trim()),
        _ => given.clone(),
    });
    shown.collect()
}

fn names_an_account(key: &str, adapters: &[AdapterSpec]) -> bool {
    let mut parts = key.splitn(3, '.');
    let (Some("account"), Some(_), Some(name)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let mut settings = adapters.iter().flat_map(|adapter| adapter.account);
    settings.any(|setting| setting.key == name && setting.form != SettingForm::Secret)
}
