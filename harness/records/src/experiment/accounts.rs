//! `[[account]]`: the accounts, and the names by which the rest of the file means them.

use std::collections::HashMap;

use lacuna_model::adapter::{AdapterSpec, Settings};
use lacuna_model::{Account, AccountId, AccountIx, CountryCode};

use super::settings::Surroundings;
use crate::toml_reader::{Cursor, Found, Problems, did_you_mean};

/// More accounts have no place in the indices of a study, which have 16 bits.
const MOST: u16 = 65_000;

/// The accounts of an experiment.
#[derive(Default)]
pub(crate) struct Accounts {
    /// In the order of the file; those that are wrong in some way are left out, and then there is a problem.
    pub(crate) list: Vec<Account>,
    /// What each gives to the adapter.
    pub(crate) settings: Vec<Settings>,
    indices: HashMap<String, AccountIx>,
    /// By index; empty for an account without a right id.
    names: Vec<String>,
}

impl Accounts {
    pub(crate) fn read(
        root: &Cursor<'_>,
        adapter: Option<&AdapterSpec>,
        surroundings: &Surroundings<'_>,
        problems: &Problems,
    ) -> Self {
        let mut all = Self::default();
        for (index, table) in root.tables("account").iter().enumerate() {
            if let Some(adapter) = adapter {
                all.settings.push(surroundings.settings(table, adapter.account, problems));
            }
            let id = table.text("id");
            all.names.push(id.as_ref().map(|id| id.value.clone()).unwrap_or_default());
            let Some(id) = id else { continue };
            let Some(index) = u16::try_from(index).ok().filter(|index| *index < MOST) else {
                table.report(&table.here(), "there are too many accounts", &format!("use at most {MOST}"), problems);
                break;
            };
            all.indices.entry(id.value.clone()).or_insert(AccountIx(index));
            if let Some(account) = account(table, &id.value) {
                all.list.push(account);
            }
        }
        all
    }

    /// The account that a text of the file means.
    pub(crate) fn find(&self, id: &str) -> Option<AccountIx> {
        self.indices.get(id).copied()
    }

    /// The id of an account.
    pub(crate) fn name(&self, account: AccountIx) -> &str {
        self.names.get(account.get()).map_or("", String::as_str)
    }

    /// The fix for a name that no account has.
    pub(crate) fn suggest(&self, id: &str) -> String {
        did_you_mean(id, "accounts", self.names.iter().map(String::as_str).filter(|name| !name.is_empty()))
    }

    /// Reports a name that no account has.
    pub(crate) fn report_unknown(&self, id: &Found<String>, file: &Cursor<'_>, problems: &Problems) {
        file.report(id, &format!("no account has the id `{}`", id.value), &self.suggest(&id.value), problems);
    }
}

fn account(table: &Cursor<'_>, id: &str) -> Option<Account> {
    let country = |name| table.text(name)?.value.parse::<CountryCode>().ok();
    Some(Account {
        id: AccountId::new(id),
        registered_in: country("registered-in")?,
        located_in: country("located-in")?,
        client: table.text("client").map(|client| client.value),
    })
}
