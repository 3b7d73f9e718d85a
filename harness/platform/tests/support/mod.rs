//! A study of a few accounts in a few venues, enough to open a platform.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use lacuna_model::study::{DecisionRule, DesignKind, Pacing, Pooling, Safety, TextRules, Watch};
use lacuna_model::time::Duration;
use lacuna_model::{Account, AccountIx, Study, Venue, VenueKind};
use lacuna_platform::{Session, SessionEvent};

/// How long a test waits for something that should come at once.
const PATIENCE: StdDuration = StdDuration::from_secs(20);

/// A study with these accounts (pseudonym, country) and venues (id, kind, members).
pub fn study(accounts: &[(&str, &str)], venues: &[(&str, VenueKind, &[u16])]) -> Arc<Study> {
    let account = |&(id, country): &(&str, &str)| Account {
        id: id.into(),
        registered_in: country.parse().unwrap(),
        located_in: country.parse().unwrap(),
        client: None,
    };
    let venue = |&(id, kind, members): &(&str, VenueKind, &[u16])| Venue {
        id: id.into(),
        kind,
        members: members.iter().copied().map(AccountIx).collect(),
        existing: None,
    };
    Arc::new(Study {
        name: "test".to_owned(),
        question: String::new(),
        design: DesignKind::Screen,
        seed: 1,
        adapter: String::new(),
        accounts: accounts.iter().map(account).collect(),
        venues: venues.iter().map(venue).collect(),
        arms: Vec::new(),
        channels: Vec::new(),
        items: Vec::new(),
        text: TextRules::default(),
        decision: DecisionRule {
            false_positive_rate: 0.001,
            false_discovery_rate: 0.01,
            max_probes_per_item: 12,
            pooling: Pooling::Off,
            replicates: None,
        },
        watch: Watch { grace: None, late: Duration::from_secs(1), bracket_messages: 4 },
        pacing: Pacing { min_gap: Duration::ZERO, in_flight: 1, confirm_after: Duration::ZERO, cool_off: Duration::ZERO },
        safety: Safety { max_messages: 1000, max_messages_per_account_per_day: 1000, stop_after_sanctions: 1 },
        isolation: None,
        mechanism: None,
        exposure: None,
        corpora: Vec::new(),
        earlier: None,
    })
}

/// The next event of a session; a test that waits in vain fails.
pub async fn next(session: &mut Session) -> SessionEvent {
    tokio::time::timeout(PATIENCE, session.events.recv()).await.expect("an event comes").expect("the session goes on")
}
