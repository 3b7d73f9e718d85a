//! What the simulator's policy says of a file: what a mechanism study should find.

use lacuna_inference::mechanism::{Claim, Layer, Mechanism, MechanismRecord};
use lacuna_model::policy::{Enforces, FileRule, Finds, Policy};
use lacuna_model::{Account, GrayFormula, ItemFile, Study};
use lacuna_simulator::world::finds;

/// How a claim compares with the policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Agreement {
    /// It is so.
    Right,
    /// It is not.
    Wrong,
    /// Nothing is claimed, though it could be known.
    Undetermined,
    /// Nothing is claimed, and nothing could be: what is acted upon at once hides what it would feed.
    Hidden,
}

/// What really filters one file between two accounts.
#[derive(Clone, Debug)]
pub struct FileTruth<'a> {
    rules: Vec<&'a FileRule>,
    file: &'a ItemFile,
}

/// Only this part of what a rule finds.
fn only(finds: &Finds, mechanism: Mechanism) -> Finds {
    let nothing = Finds { gray: finds.gray, ..Finds::default() };
    match mechanism {
        Mechanism::HashIndex => Finds { md5: finds.md5.clone(), ..nothing },
        Mechanism::Text => Finds { text: finds.text.clone(), ..nothing },
        Mechanism::Visual => Finds { similar_to: finds.similar_to.clone(), ..nothing },
        Mechanism::Metadata => Finds { metadata: finds.metadata.clone(), ..nothing },
        Mechanism::Filename => Finds { filename: finds.filename.clone(), ..nothing },
    }
}

impl<'a> FileTruth<'a> {
    /// The rules that concern these two accounts. Venues are left aside.
    #[must_use]
    pub fn new(policy: &'a Policy, file: &'a ItemFile, sender: &Account, recipient: &Account) -> Self {
        let rules = policy
            .file_rules
            .iter()
            .filter(|rule| {
                rule.when.admits_sender(&sender.id, sender.registered_in)
                    && rule.when.admits_recipient(&recipient.id, recipient.registered_in)
            })
            .collect();
        Self { rules, file }
    }

    fn suffices(&self, rule: &FileRule, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::HashIndex => rule.finds.md5.iter().any(|md5| **md5 == *self.file.facts.md5),
            other => finds(&only(&rule.finds, other), &self.file.facts.name, &self.file.shown),
        }
    }

    fn any(&self, enforces: Enforces, mechanism: Mechanism) -> bool {
        self.rules.iter().any(|rule| rule.enforces == enforces && self.suffices(rule, mechanism))
    }

    /// Whether anything acts on it.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.is_true(Layer::Enforcement, Mechanism::HashIndex)
            || Mechanism::OF_CONTENT.iter().any(|it| self.any(Enforces::AtOnce, *it))
    }

    fn is_true(&self, layer: Layer, mechanism: Mechanism) -> bool {
        match (layer, mechanism) {
            (Layer::Enforcement, Mechanism::HashIndex) => {
                let fed = Mechanism::OF_CONTENT.iter().any(|it| self.any(Enforces::Index, *it));
                fed || self.any(Enforces::Index, Mechanism::HashIndex) || self.any(Enforces::AtOnce, Mechanism::HashIndex)
            }
            (Layer::Enforcement, content) => self.any(Enforces::AtOnce, content),
            (Layer::Analysis, content) => self.any(Enforces::Index, content),
        }
    }

    /// How a claim compares.
    #[must_use]
    pub fn agrees(&self, claim: &Claim) -> Agreement {
        let truth = match claim.mechanism {
            None => !self.is_filtered(),
            Some(mechanism) => self.is_true(claim.layer, mechanism),
        };
        let hidden = claim.layer == Layer::Analysis && claim.mechanism.is_some_and(|it| self.any(Enforces::AtOnce, it));
        match claim.supported {
            Some(supported) if supported == truth => Agreement::Right,
            Some(_) => Agreement::Wrong,
            None if hidden => Agreement::Hidden,
            None => Agreement::Undetermined,
        }
    }

    /// How what is claimed of the grey formula compares; rules that read in different ways leave nothing to be found.
    #[must_use]
    pub fn agrees_on_gray(&self, record: &MechanismRecord) -> Agreement {
        let mut formulas: Vec<Option<GrayFormula>> =
            self.rules.iter().filter(|rule| self.suffices(rule, Mechanism::Text)).map(|rule| rule.finds.gray).collect();
        formulas.sort_unstable();
        formulas.dedup();
        let truth = if let [only] = *formulas { only } else { None };
        match (truth, record.gray) {
            (truth, found) if truth == found => Agreement::Right,
            (_, Some(_)) => Agreement::Wrong,
            (_, None) => Agreement::Undetermined,
        }
    }
}

/// How everything that is claimed of one original compares: the worst of its claims.
#[must_use]
pub fn agreement(policy: &Policy, study: &Study, record: &MechanismRecord) -> Option<Agreement> {
    let arm = study.arm(record.arm);
    let file = study.item(record.base).file.as_ref()?;
    let truth = FileTruth::new(policy, file, study.account(*arm.senders.first()?), study.account(record.recipient));
    let all = || record.claims.iter().map(|claim| truth.agrees(claim)).chain([truth.agrees_on_gray(record)]);
    Some(if all().any(|it| it == Agreement::Wrong) {
        Agreement::Wrong
    } else if record.claims.is_empty() || all().any(|it| it == Agreement::Undetermined) {
        Agreement::Undetermined
    } else {
        Agreement::Right
    })
}
