//! XMPP: conversations (RFC 6121) and group conversations (XEP-0045) over a server on this machine.
//!
//! A message is *accepted* when the server acknowledges its stanza (XEP-0198) and *refused* when the server answers it with
//! an error before that. Its name is the stanza's `id`, which both sides see. Nothing is resumed: a connection that was lost
//! is a gap, and what was not acknowledged on it is unknown. This is why the library's self-healing stream is not used: it
//! keeps stanzas over a reconnection and sends them again.
//!
//! A file is uploaded over HTTP (XEP-0363) and named in a message whose body is its address (XEP-0066), as clients do; they show
//! the file and not the address, so such a message has no text and cannot have a caption. Recipients fetch the file.
//!
//! There is no encryption, so only servers on the loopback interface are taken; another one can be reached through a local
//! TLS proxy.

mod bounded;
mod connection;
mod directory;
mod driver;
mod receiver;
mod rooms;
mod sender;
mod store;
mod text;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use lacuna_model::adapter::{AdapterSpec, SettingForm, SettingSpec};
use lacuna_model::{AccountIx, Cursor, Study};
use secrecy::SecretString;
use tokio::sync::{mpsc, watch};
use tokio_xmpp::jid::BareJid;

use self::connection::Failure;
use self::directory::Directory;
use self::driver::Driver;
use self::store::Store;
use crate::adapters::OpenError;
use crate::session::{ConnectError, Platform, Session};
use crate::settings::ResolvedSettings;

/// What the adapter declares. Whoever opens it with `launch` starts that program, passes the `server` and `rooms` that it
/// prints, and sets a `secret` of its own making for every account.
pub const SPEC: AdapterSpec = AdapterSpec {
    name: "xmpp",
    platform: &[
        SettingSpec {
            key: "server",
            form: SettingForm::Text,
            required: false,
            help: "address and port of the server, on the loopback interface, such as 127.0.0.1:5222",
        },
        SettingSpec {
            key: "launch",
            form: SettingForm::Path,
            required: false,
            help: "a program that starts a throw-away server for the run",
        },
        SettingSpec {
            key: "rooms",
            form: SettingForm::Text,
            required: false,
            help: "the domain of the service for group conversations, such as rooms.example.org",
        },
        SettingSpec {
            key: "upload",
            form: SettingForm::Text,
            required: false,
            help: "the address of the service that takes files, such as upload.example.org",
        },
        SettingSpec {
            key: "upload-url",
            form: SettingForm::Text,
            required: false,
            help: "what the addresses of all files on it begin with, on the loopback interface, such as http://127.0.0.1:5280/file_share/",
        },
        SettingSpec { key: "policy", form: SettingForm::Path, required: false, help: "what the throw-away server filters" },
    ],
    account: &[
        SettingSpec {
            key: "address",
            form: SettingForm::Text,
            required: true,
            help: "the account's address without a resource, such as name@example.org",
        },
        SettingSpec {
            key: "secret",
            form: SettingForm::Secret,
            required: false,
            help: "the account's password; needed unless the server is launched for the run",
        },
    ],
    one_of: &["server", "launch"],
    separator: " ",
    max_text: 10_000,
    max_file: 10 << 20,
    captions: false,
};

/// How many events wait for the runner before the connection is read no further.
const WAITING_EVENTS: usize = 1024;
/// How many messages wait for the connection.
const WAITING_MESSAGES: usize = 16;

/// A server, and the accounts of a study on it.
pub struct Xmpp {
    study: Arc<Study>,
    server: SocketAddr,
    accounts: Vec<Login>,
    /// One for each account.
    directories: Vec<Arc<Directory>>,
    store: Option<Arc<Store>>,
}

/// What it takes to log in.
#[derive(Clone)]
struct Login {
    address: BareJid,
    password: SecretString,
}

/// Everything that a connection is made of.
struct Plan {
    server: SocketAddr,
    login: Login,
    directory: Arc<Directory>,
    store: Option<Arc<Store>>,
}

impl Xmpp {
    /// Reads and checks the settings.
    pub fn new(study: Arc<Study>, platform: &ResolvedSettings, accounts: &[ResolvedSettings]) -> Result<Self, OpenError> {
        let server = loopback(platform.text("server").ok_or(OpenError::MissingPlatformKey("server"))?)?;
        let mut logins = Vec::with_capacity(study.accounts.len());
        for (account, settings) in study.accounts.iter().zip(accounts) {
            let bad = |key, error: String| OpenError::AccountKey { account: account.id.to_string(), key, error };
            let address = settings.text("address").ok_or_else(|| bad("address", "is missing".to_owned()))?;
            let address = BareJid::new(address).map_err(|error| bad("address", format!("{error}: `{address}`")))?;
            if address.node().is_none() {
                return Err(bad("address", format!("`{address}` has no name before an `@`")));
            }
            let password = settings.secret("secret").ok_or_else(|| bad("secret", "is missing".to_owned()))?.clone();
            logins.push(Login { address, password });
        }
        let addresses: Vec<BareJid> = logins.iter().map(|login| login.address.clone()).collect();
        let directories = (0u16..)
            .map(AccountIx)
            .take(logins.len())
            .map(|own| Directory::new(&study, &addresses, platform.text("rooms"), own).map(Arc::new))
            .collect::<Result<_, _>>()?;
        let store = match (platform.text("upload"), platform.text("upload-url")) {
            (Some(service), Some(url)) => Some(Arc::new(Store::new(service, url)?)),
            (Some(_), None) => return Err(OpenError::MissingPlatformKey("upload-url")),
            (None, _) if study.items.iter().any(|item| item.file.is_some()) => {
                return Err(OpenError::MissingPlatformKey("upload"));
            }
            (None, _) => None,
        };
        Ok(Self { study, server, accounts: logins, directories, store })
    }

    fn connect_error(&self, account: AccountIx, failure: Failure) -> ConnectError {
        let address = self.server.to_string();
        let account = self.study.account(account).id.to_string();
        match failure {
            Failure::Unreachable(error) => ConnectError::Unreachable { address, error },
            Failure::Rejected(error) => ConnectError::Rejected { address, account, error },
            Failure::Room { room, error } => ConnectError::Venue { account, venue: room, error },
            Failure::Broken(error) => ConnectError::Protocol { address, error },
        }
    }
}

impl Platform for Xmpp {
    /// The server keeps no position for us, so `cursor` and acknowledgements mean nothing here.
    fn connect(&self, account: AccountIx, _cursor: Option<Cursor>) -> BoxFuture<'_, Result<Session, ConnectError>> {
        Box::pin(async move {
            let plan = Plan {
                server: self.server,
                login: self.accounts[account.get()].clone(),
                directory: Arc::clone(&self.directories[account.get()]),
                store: self.store.clone(),
            };
            let (to_runner, events) = mpsc::channel(WAITING_EVENTS);
            let (to_receiver, heard) = mpsc::channel(WAITING_EVENTS);
            let (to_driver, commands) = mpsc::channel(WAITING_MESSAGES);
            let directory = Arc::clone(&plan.directory);
            let driver = Driver::connect(plan, commands, to_receiver).await;
            let driver = driver.map_err(|failure| self.connect_error(account, failure))?;
            tokio::spawn(driver.run());
            tokio::spawn(receiver::pass_on(heard, to_runner, self.store.clone()));
            let sender = Box::new(sender::Sender::new(directory, self.store.clone(), to_driver));
            Ok(Session { sender, events, acknowledged: watch::channel(None).0 })
        })
    }
}

/// The server's address; a name other than `localhost` is not looked up, since it may lead anywhere.
fn loopback(server: &str) -> Result<SocketAddr, OpenError> {
    let bad = |error: &str| OpenError::PlatformKey { key: "server", error: format!("`{server}` {error}") };
    let address: Option<SocketAddr> = match server.strip_prefix("localhost:") {
        Some(port) => port.parse().ok().map(|port| (Ipv4Addr::LOCALHOST, port).into()),
        None => server.parse().ok(),
    };
    let address = address.ok_or_else(|| bad("is no address and port, such as 127.0.0.1:5222"))?;
    if !address.ip().is_loopback() {
        return Err(bad("is not on the loopback interface, and the connection would not be encrypted"));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_the_loopback_interface_is_taken() {
        for good in ["127.0.0.1:5222", "127.8.0.1:1", "[::1]:5222", "localhost:5222"] {
            assert!(loopback(good).unwrap().ip().is_loopback(), "{good}");
        }
        for bad in ["", "localhost", "127.0.0.1", "example.org:5222", "192.0.2.1:5222", "0.0.0.0:5222", "localhost:70000"] {
            assert!(loopback(bad).is_err(), "{bad}");
        }
    }
}
