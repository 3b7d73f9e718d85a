//! What results may show of the overrides on a command line.

use lacuna_model::adapter::{AdapterSpec, SettingForm};

/// The overrides as they were given, but for what accounts and the platform give to an adapter: an address tells who an account is, and
/// results know accounts by their pseudonyms alone; that of a server may hold a password. The key stays, the value is `…`. Secrets are
/// references here as in the file, and stay.
pub(super) fn to_be_shown(overrides: &[String], adapters: &[AdapterSpec]) -> Vec<String> {
    let shown = overrides.iter().map(|given| match given.split_once('=') {
        Some((key, _)) if is_of_the_adapter(key.trim(), adapters) => format!("{}=…", key.trim()),
        _ => given.clone(),
    });
    shown.collect()
}

fn is_of_the_adapter(key: &str, adapters: &[AdapterSpec]) -> bool {
    if key.strip_prefix("platform.").is_some_and(|name| name != "adapter") {
        return true;
    }
    let mut parts = key.splitn(3, '.');
    let (Some("account"), Some(_), Some(name)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let mut settings = adapters.iter().flat_map(|adapter| adapter.account);
    settings.any(|setting| setting.key == name && setting.form != SettingForm::Secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_a_platform_is_not_shown() {
        let given = ["platform.url=http://user:hunter2@127.0.0.1:1", "platform.adapter=simulator", "watch.late=30s", "seed=7"];
        let shown = to_be_shown(&given.map(str::to_owned), &[]);
        assert_eq!(shown, ["platform.url=…", "platform.adapter=simulator", "watch.late=30s", "seed=7"]);
    }
}
