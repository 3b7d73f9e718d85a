//! What one run says of its units, by name: indices mean something inside one run only.

use std::collections::BTreeMap;
use std::sync::Arc;

use lacuna_model::{
    AccountId, AccountIx, ArmId, ArmIx, CountryCode, ItemId, Pooling, Role, RunId, Study, Timestamp, VenueKind, Verdict,
};

use super::observed::{Conditions, Observed};
use crate::conclusion::Conclusion;
use crate::loss::LossBaseline;

/// A unit by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UnitKey {
    /// The item.
    pub item: ItemId,
    /// The arm and the recipient.
    pub path: PathKey,
}

/// An arm and one of its recipients, by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PathKey {
    /// The arm.
    pub arm: ArmId,
    /// The recipient.
    pub recipient: AccountId,
}

/// What an item consists of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The message as it is sent.
    pub message: Arc<str>,
    /// SHA-256 of its file.
    pub file: Option<Arc<str>>,
    /// The category that the corpus gives; may be empty.
    pub category: String,
}

/// An account, as far as it matters to the comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Party {
    /// The pseudonym.
    pub id: AccountId,
    /// Where it was registered.
    pub registered_in: CountryCode,
    /// Where it connects from.
    pub located_in: CountryCode,
    /// The client it uses.
    pub client: Option<String>,
}

/// An arm, towards one recipient.
#[derive(Clone, PartialEq, Debug)]
pub struct ArmFacts {
    /// The kind of place.
    pub venue: VenueKind,
    /// Who sends, in the order of the experiment.
    pub senders: Vec<Party>,
    /// Who receives.
    pub recipient: Party,
    /// What became of its controls for this recipient.
    pub controls: LossBaseline,
    /// What the sends of this path are judged by.
    pub conditions: Conditions,
}

/// One run, as far as it is compared.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// Its name.
    pub run: RunId,
    /// The engine that decided what was asked.
    pub engine_version: u32,
    /// How the platform was reached.
    pub adapter: String,
    /// Whether items could share messages.
    pub pools: bool,
    /// When it began.
    pub opened_at: Timestamp,
    /// The false discovery rate that its experiment asks for.
    pub false_discovery_rate: f64,
    /// The items under test and the canaries.
    pub items: BTreeMap<ItemId, Facts>,
    /// Every arm and recipient.
    pub paths: BTreeMap<PathKey, ArmFacts>,
    /// Every unit.
    pub units: BTreeMap<UnitKey, Observed>,
}

impl Snapshot {
    /// What a run says. `conclusion` is of the evidence of this study.
    #[must_use]
    pub fn of(run: RunId, engine_version: u32, opened_at: Timestamp, study: &Study, conclusion: &Conclusion) -> Self {
        let tested = study.items.iter().filter(|item| item.role != Role::Control);
        let items = tested.map(|item| {
            let file = item.file.as_ref().map(|file| Arc::clone(&file.facts.sha256));
            (item.id.clone(), Facts { message: Arc::clone(&item.message), file, category: item.category.clone() })
        });
        let mut paths = BTreeMap::new();
        for (arm, it) in (0u16..).map(ArmIx).zip(&study.arms) {
            for recipient in &it.recipients {
                let facts = ArmFacts {
                    venue: it.venue,
                    senders: it.senders.iter().map(|sender| party(study, *sender)).collect(),
                    recipient: party(study, *recipient),
                    controls: conclusion.tallies.controls(arm, *recipient),
                    conditions: Conditions::of(conclusion, arm, *recipient),
                };
                paths.insert(path_key(study, arm, *recipient), facts);
            }
        }
        let companies = conclusion.tallies.companies();
        let units = conclusion.verdicts.iter().map(|record| {
            let path = path_key(study, record.unit.arm, record.unit.recipient);
            let key = UnitKey { item: study.item(record.unit.item).id.clone(), path };
            let company = conclusion.tallies.company(&companies, record.unit);
            (key, Observed::of(record, company, conclusion.tallies.ln_e_value(record.unit)))
        });
        Self {
            run,
            engine_version,
            adapter: study.adapter.clone(),
            pools: study.decision.pooling == Pooling::Auto,
            opened_at,
            false_discovery_rate: study.decision.false_discovery_rate,
            items: items.collect(),
            units: units.collect(),
            paths,
        }
    }

    /// Leaves only units of the same message or file, on the same arm, reached by the same adapter and clients as in `study`. Returns how
    /// many others there were.
    pub fn keep_comparable(&mut self, study: &Study) -> usize {
        let mut arms: BTreeMap<PathKey, (VenueKind, Vec<Party>, Party)> = BTreeMap::new();
        for (arm, it) in (0u16..).map(ArmIx).zip(&study.arms) {
            let senders: Vec<Party> = it.senders.iter().map(|sender| party(study, *sender)).collect();
            for recipient in &it.recipients {
                arms.insert(path_key(study, arm, *recipient), (it.venue, senders.clone(), party(study, *recipient)));
            }
        }
        let now =
            |item: &lacuna_model::Item| (Arc::clone(&item.message), item.file.as_ref().map(|it| Arc::clone(&it.facts.sha256)));
        let contents: BTreeMap<&ItemId, _> = study.items.iter().map(|item| (&item.id, now(item))).collect();
        let same_adapter = self.adapter == study.adapter;
        let before = self.units.len();
        let Self { units, items, paths, .. } = self;
        units.retain(|unit, _| {
            let content = items.get(&unit.item).map(|it| (Arc::clone(&it.message), it.file.clone()));
            let arm = paths.get(&unit.path).map(|it| (it.venue, it.senders.clone(), it.recipient.clone()));
            same_adapter && arm.as_ref() == arms.get(&unit.path) && content.as_ref() == contents.get(&unit.item)
        });
        before - self.units.len()
    }

    /// The verdict of a unit, where it says something.
    #[must_use]
    pub fn state(&self, unit: &UnitKey) -> Option<Verdict> {
        self.units.get(unit).and_then(Observed::state)
    }
}

fn party(study: &Study, account: AccountIx) -> Party {
    let account = study.account(account);
    Party {
        id: account.id.clone(),
        registered_in: account.registered_in,
        located_in: account.located_in,
        client: account.client.clone(),
    }
}

fn path_key(study: &Study, arm: ArmIx, recipient: AccountIx) -> PathKey {
    PathKey { arm: study.arm(arm).id.clone(), recipient: study.account(recipient).id.clone() }
}
