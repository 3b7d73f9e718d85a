//! The simulated platform, over its own HTTP protocol (`lacuna simulate`).
//!
//! Sending is one request. Receiving is a long poll with two positions: `after`, up to where events were read, and `ack`,
//! up to where they are safely in the journal. Only behind `ack` may the server forget, so a crash loses nothing, and
//! reading does not have to wait for the disk.

mod client;
mod listener;
mod protocol;
mod sender;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use lacuna_model::adapter::{AdapterSpec, SettingForm, SettingSpec};
use lacuna_model::{AccountIx, Cursor, Study, VenueIx};
use tokio::sync::{mpsc, watch};

use self::client::{Client, Failure};
use crate::adapters::OpenError;
use crate::session::{ConnectError, Platform, Session, SessionEvent};
use crate::settings::ResolvedSettings;

/// What the adapter declares. Whoever opens it with `policy` starts the server and passes its `url`.
pub const SPEC: AdapterSpec = AdapterSpec {
    name: "simulator",
    platform: &[
        SettingSpec {
            key: "policy",
            form: SettingForm::Path,
            required: false,
            help: "what the simulated platform filters; it is started for the run",
        },
        SettingSpec {
            key: "url",
            form: SettingForm::Text,
            required: false,
            help: "the address of a running `lacuna simulate`, such as http://127.0.0.1:8181",
        },
    ],
    account: &[],
    one_of: &["policy", "url"],
    separator: " ",
    max_text: 10_000,
    max_file: 20 << 20,
    captions: true,
};

/// How many events wait for the runner before the platform is read no further.
const WAITING_EVENTS: usize = 1024;

/// The client of a simulated platform. All accounts share one connection pool.
pub struct Simulator {
    study: Arc<Study>,
    client: Client,
    names: Arc<Names>,
}

/// Which index a name on the platform stands for.
struct Names {
    accounts: HashMap<Arc<str>, AccountIx>,
    venues: HashMap<Arc<str>, VenueIx>,
}

/// One account's link, shared by its sender and its listener.
struct Link {
    study: Arc<Study>,
    client: Client,
    names: Arc<Names>,
    account: AccountIx,
    /// Changes when the server was started again with another seed.
    token: Mutex<Arc<str>>,
    events: mpsc::Sender<SessionEvent>,
}

impl Simulator {
    /// Reads `url`.
    pub fn new(study: Arc<Study>, platform: &ResolvedSettings) -> Result<Self, OpenError> {
        let url = platform.text("url").ok_or(OpenError::MissingPlatformKey("url"))?;
        let client = Client::new(url)?;
        let accounts = (0u16..).zip(&study.accounts).map(|(index, account)| (account.id.as_str().into(), AccountIx(index)));
        let venues = (0u16..).zip(&study.venues).map(|(index, venue)| (venue.id.as_str().into(), VenueIx(index)));
        let names = Arc::new(Names { accounts: accounts.collect(), venues: venues.collect() });
        Ok(Self { study, client, names })
    }
}

impl Platform for Simulator {
    fn connect(&self, account: AccountIx, cursor: Option<Cursor>) -> BoxFuture<'_, Result<Session, ConnectError>> {
        Box::pin(async move {
            let (sender, events) = mpsc::channel(WAITING_EVENTS);
            let (acknowledged, acknowledged_seen) = watch::channel(cursor.clone());
            let link = Arc::new(Link {
                study: Arc::clone(&self.study),
                client: self.client.clone(),
                names: Arc::clone(&self.names),
                account,
                token: Mutex::new("".into()),
                events: sender,
            });
            let listener = listener::start(Arc::clone(&link), cursor.as_ref(), acknowledged_seen).await?;
            tokio::spawn(listener.run());
            Ok(Session { sender: Box::new(sender::Sender::new(link)), events, acknowledged })
        })
    }
}

impl Link {
    /// Makes sure that the platform knows the account, its venues, and everybody in them.
    async fn register(&self) -> Result<(), ConnectError> {
        let own = |index: &AccountIx| *index == self.account;
        let venues = self.study.venues.iter().filter(|venue| venue.members.iter().any(own));
        let mut members: Vec<AccountIx> = venues.clone().flat_map(|venue| venue.members.iter().copied()).collect();
        members.push(self.account);
        members.sort_unstable();
        members.dedup();
        for index in members {
            let account = self.study.account(index);
            let token = match self.client.put_account(account).await {
                Ok(token) => token,
                // Another account's own trouble, which its own session meets.
                Err(Failure::Status(_)) if index != self.account => continue,
                Err(failure) => return Err(self.connect_error(failure, None)),
            };
            if index == self.account {
                *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token.into();
            }
        }
        for venue in venues {
            let members: Vec<&str> = venue.members.iter().map(|&member| self.study.account(member).id.as_str()).collect();
            let made = self.client.put_venue(venue, &members).await;
            made.map_err(|failure| self.connect_error(failure, Some(venue.id.as_str())))?;
        }
        Ok(())
    }

    fn token(&self) -> Arc<str> {
        Arc::clone(&self.token.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn connect_error(&self, failure: Failure, venue: Option<&str>) -> ConnectError {
        let address = self.client.address().to_owned();
        let account = self.study.account(self.account).id.to_string();
        match (failure, venue) {
            (Failure::NotConnected(error), _) => ConnectError::Unreachable { address, error },
            (Failure::Broken(error) | Failure::Unexpected(error), _) => ConnectError::Protocol { address, error },
            (Failure::Status(error), Some(venue)) => ConnectError::Venue { account, venue: venue.to_owned(), error },
            (Failure::Status(error), None) => ConnectError::Rejected { address, account, error },
        }
    }
}
