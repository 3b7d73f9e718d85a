//! Studies and policies that are made and not read: for measuring the design itself, and for planning.

mod assumed;
mod changing;
mod exposed;
mod filtered;
mod searched;
mod texts;

use std::sync::Arc;

use lacuna_design::generator;
use lacuna_model::policy::{Action, Condition, Network, Policy, Rule};
use lacuna_model::study::{DecisionRule, DesignKind, Pacing, Safety, Watch};
use lacuna_model::{
    Account, AccountId, AccountIx, Arm, ArmId, ArmIx, Channel, ChannelIx, ContentKind, CountryCode, Duration, Item, ItemId,
    Pooling, Prior, Role, Study, TextRules, Venue, VenueId, VenueIx, VenueKind,
};

pub use assumed::{Assumption, assume};
pub use changing::{Changing, ChangingRules};
pub use exposed::ExposedFiles;
pub use filtered::{FilteredFiles, Part, Planted};
pub use searched::Searched;

/// Where the recipients' accounts are registered, for whom the rules hold.
const CENSORED: &str = "CN";

/// Where the senders' accounts are registered.
const FREE: &str = "CA";

/// What a generated study consists of.
#[derive(Clone, PartialEq, Debug)]
pub struct Generated {
    /// From which everything else follows.
    pub seed: u64,
    /// Candidates.
    pub items: u32,
    /// The share of them that a rule drops, each by a rule of its own.
    pub prevalence: f64,
    /// The share of matching messages on which each rule acts.
    pub enforcement: f64,
    /// The network.
    pub network: Network,
    /// Accounts that send, in conversations with every recipient.
    pub senders: u16,
    /// Accounts that receive.
    pub recipients: u16,
    /// Whether several candidates may share a message.
    pub pooling: Pooling,
}

impl Generated {
    /// A list of which one in a hundred is dropped, and a network that delays and loses nothing.
    #[must_use]
    pub fn new(seed: u64, items: u32) -> Self {
        let network =
            Network { delay_median: Duration::from_millis(20), delay_p99: Duration::from_millis(200), ..Network::default() };
        Self { seed, items, prevalence: 0.01, enforcement: 1.0, network, senders: 2, recipients: 1, pooling: Pooling::Auto }
    }

    /// The study and the policy of its platform.
    #[must_use]
    pub fn make(&self) -> (Study, Policy) {
        let mut items = texts::candidates(self.seed, self.items);
        let policy = Policy {
            name: "generated".to_owned(),
            rules: rules(&items, &chosen(self.seed, items.len(), self.prevalence), self.enforcement, &only_censored()),
            network: self.network.clone(),
            sanctions: None,
            outages: Vec::new(),
            ..Policy::default()
        };
        items.extend(texts::controls(self.seed));
        let study = Study {
            name: "generated".to_owned(),
            question: String::new(),
            design: DesignKind::Screen,
            seed: self.seed,
            adapter: "simulator".to_owned(),
            accounts: self.accounts(),
            venues: self.venues(),
            arms: vec![Arm {
                id: ArmId::from("to-censored"),
                venue: VenueKind::Direct,
                senders: self.sending().collect(),
                recipients: self.receiving().collect(),
                channels: (0..self.senders * self.recipients).map(ChannelIx).collect(),
            }],
            channels: self.channels(),
            items,
            text: TextRules::default(),
            decision: DecisionRule {
                false_positive_rate: 0.001,
                false_discovery_rate: 0.01,
                max_probes_per_item: 12,
                pooling: self.pooling,
                replicates: None,
            },
            watch: Watch { grace: Some(Duration::from_secs(1)), late: Duration::from_secs(10), bracket_messages: 4 },
            pacing: Pacing { min_gap: Duration::ZERO, in_flight: 1, confirm_after: Duration::ZERO, cool_off: Duration::ZERO },
            safety: Safety { max_messages: u64::MAX, max_messages_per_account_per_day: u64::MAX, stop_after_sanctions: 1 },
            isolation: None,
            mechanism: None,
            exposure: None,
            corpora: Vec::new(),
            earlier: None,
        };
        (study, policy)
    }

    fn sending(&self) -> impl Iterator<Item = AccountIx> + use<> {
        (0..self.senders).map(AccountIx)
    }

    fn receiving(&self) -> impl Iterator<Item = AccountIx> + use<> {
        (self.senders..self.senders + self.recipients).map(AccountIx)
    }

    fn accounts(&self) -> Vec<Account> {
        let account = |kind: &str, number: u16, country: &str| {
            country.parse::<CountryCode>().ok().map(|country| Account {
                id: AccountId::new(format!("{kind}-{number}")),
                registered_in: country,
                located_in: country,
                client: None,
            })
        };
        let senders = (1..=self.senders).filter_map(|number| account("sender", number, FREE));
        senders.chain((1..=self.recipients).filter_map(|number| account("recipient", number, CENSORED))).collect()
    }

    fn pairs(&self) -> impl Iterator<Item = (AccountIx, AccountIx)> + '_ {
        self.sending().flat_map(|sender| self.receiving().map(move |recipient| (sender, recipient)))
    }

    fn venues(&self) -> Vec<Venue> {
        let venue = |(sender, recipient): (AccountIx, AccountIx)| Venue {
            id: VenueId::new(format!("direct:{}+{}", sender.0, recipient.0)),
            kind: VenueKind::Direct,
            members: vec![sender, recipient],
            existing: None,
        };
        self.pairs().map(venue).collect()
    }

    fn channels(&self) -> Vec<Channel> {
        let channel = |(venue, (sender, recipient)): (u16, (AccountIx, AccountIx))| Channel {
            arm: ArmIx(0),
            sender,
            venue: VenueIx(venue),
            recipients: vec![recipient],
        };
        (0..).zip(self.pairs()).map(channel).collect()
    }
}

fn only_censored() -> Condition {
    Condition { recipient_registered_in: CENSORED.parse().into_iter().collect(), ..Condition::default() }
}

/// Which of so many candidates are dropped: a share of them, rounded to a whole number, in order.
fn chosen(seed: u64, items: usize, prevalence: f64) -> Vec<usize> {
    let wanted = libm::round(items as f64 * prevalence.clamp(0.0, 1.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of items")]
    let wanted = (wanted as usize).min(items);
    let mut places = rand::seq::index::sample(&mut generator(seed, &["blocked"]), items, wanted).into_vec();
    places.sort_unstable();
    places
}

/// A rule for each of these items alone.
fn rules(items: &[Item], chosen: &[usize], enforcement: f64, when: &Condition) -> Vec<Rule> {
    let rule = |place: &usize| Rule {
        id: items[*place].id.as_str().to_owned(),
        all: vec![items[*place].message.as_ref().to_owned()],
        unless: Vec::new(),
        when: when.clone(),
        action: Action::Drop,
        after: Duration::ZERO,
        enforcement,
    };
    chosen.iter().map(rule).collect()
}

/// An item of a generated corpus.
fn item(corpus: &str, number: usize, role: Role, message: String, category: &str) -> Item {
    Item {
        id: ItemId::new(format!("{corpus}/{number}")),
        role,
        kind: ContentKind::Text,
        file: None,
        message: Arc::from(message),
        category: category.to_owned(),
        language: "zh".to_owned(),
        prior: Prior::default(),
    }
}
