//! Indices of a study and the names that stand for them in a journal.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lacuna_model::{AccountIx, ArmIx, ChannelIx, EarlierUnit, ItemIx, Study, VenueIx};

use super::error::LineProblem;

/// Text as JSON writes it, with its quotation marks.
pub(super) fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing to a vector cannot fail, and text is always representable.
    let _ = serde_json::to_writer(out, text);
}

fn quoted(text: &str) -> Box<[u8]> {
    let mut out = Vec::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out.into_boxed_slice()
}

/// The names of a study, ready to be written.
#[derive(Debug)]
pub(super) struct WrittenNames {
    pub(super) accounts: Vec<Box<[u8]>>,
    pub(super) venues: Vec<Box<[u8]>>,
    pub(super) items: Vec<Box<[u8]>>,
    pub(super) arms: Vec<Box<[u8]>>,
    /// `"channel":N,"arm":…,"sender":…,"venue":…`
    pub(super) channels: Vec<Box<[u8]>>,
}

impl WrittenNames {
    pub(super) fn new(study: &Study) -> Self {
        let channels = study.channels().map(|(index, channel)| {
            let mut out = format!("\"channel\":{},\"arm\":", index.0).into_bytes();
            push_string(&mut out, study.arm(channel.arm).id.as_str());
            out.extend_from_slice(b",\"sender\":");
            push_string(&mut out, study.account(channel.sender).id.as_str());
            out.extend_from_slice(b",\"venue\":");
            push_string(&mut out, study.venue(channel.venue).id.as_str());
            out.into_boxed_slice()
        });
        Self {
            accounts: study.accounts.iter().map(|account| quoted(account.id.as_str())).collect(),
            venues: study.venues.iter().map(|venue| quoted(venue.id.as_str())).collect(),
            items: study.items.iter().map(|item| quoted(item.id.as_str())).collect(),
            arms: study.arms.iter().map(|arm| quoted(arm.id.as_str())).collect(),
            channels: channels.collect(),
        }
    }
}

/// The names of a study, to be looked up.
#[derive(Debug)]
pub(super) struct NameLookup {
    study: Arc<Study>,
    accounts: HashMap<Box<str>, AccountIx>,
    venues: HashMap<Box<str>, VenueIx>,
    items: HashMap<Box<str>, ItemIx>,
    arms: HashMap<Box<str>, ArmIx>,
}

impl NameLookup {
    pub(super) fn new(study: &Arc<Study>) -> Self {
        Self {
            study: Arc::clone(study),
            accounts: (0..).map(AccountIx).zip(&study.accounts).map(|(ix, account)| (account.id.as_str().into(), ix)).collect(),
            venues: (0..).map(VenueIx).zip(&study.venues).map(|(ix, venue)| (venue.id.as_str().into(), ix)).collect(),
            arms: (0..).map(ArmIx).zip(&study.arms).map(|(ix, arm)| (arm.id.as_str().into(), ix)).collect(),
            items: (0..).map(ItemIx).zip(&study.items).map(|(ix, item)| (item.id.as_str().into(), ix)).collect(),
        }
    }

    /// How many accounts the study has.
    pub(super) fn accounts(&self) -> usize {
        self.study.accounts.len()
    }

    pub(super) fn account(&self, member: &'static str, name: &str) -> Result<AccountIx, LineProblem> {
        self.accounts.get(name).copied().ok_or_else(|| unknown(member, name))
    }

    /// A recipient of this arm.
    pub(super) fn recipient(&self, arm: ArmIx, name: &str) -> Result<AccountIx, LineProblem> {
        let account = self.account("recipient", name)?;
        let recipients = &self.study.arm(arm).recipients;
        if recipients.contains(&account) { Ok(account) } else { Err(unknown("recipient", name)) }
    }

    pub(super) fn venue(&self, name: &str) -> Result<VenueIx, LineProblem> {
        self.venues.get(name).copied().ok_or_else(|| unknown("venue", name))
    }

    pub(super) fn item(&self, name: &str) -> Result<ItemIx, LineProblem> {
        self.items.get(name).copied().ok_or_else(|| unknown("item", name))
    }

    pub(super) fn arm(&self, name: &str) -> Result<ArmIx, LineProblem> {
        self.arms.get(name).copied().ok_or_else(|| unknown("arm", name))
    }

    /// The index decides; the names beside it must be its own.
    pub(super) fn channel(&self, index: u16, arm: &str, sender: &str, venue: &str) -> Result<ChannelIx, LineProblem> {
        let study = &self.study;
        let Some(channel) = study.channels.get(usize::from(index)) else {
            return Err(unknown("channel", &index.to_string()));
        };
        let own = [
            ("arm", study.arm(channel.arm).id.as_str(), arm),
            ("sender", study.account(channel.sender).id.as_str(), sender),
            ("venue", study.venue(channel.venue).id.as_str(), venue),
        ];
        match own.iter().find(|(_, own, stated)| own != stated) {
            Some(&(member, _, stated)) => Err(unknown(member, stated)),
            None => Ok(ChannelIx(index)),
        }
    }
}

fn unknown(member: &'static str, name: &str) -> LineProblem {
    LineProblem::Name { member, name: name.to_owned() }
}

/// Whether a study that was read from a file can be used: every index points somewhere, every name is there once.
pub(super) fn check(study: &Study) -> Result<(), String> {
    let tables = [
        ("accounts", study.accounts.len(), usize::from(u16::MAX)),
        ("venues", study.venues.len(), usize::from(u16::MAX)),
        ("arms", study.arms.len(), usize::from(u16::MAX)),
        ("channels", study.channels.len(), usize::from(u16::MAX)),
        ("items", study.items.len(), u32::MAX as usize),
    ];
    if let Some((table, ..)) = tables.iter().find(|(_, length, limit)| length > limit) {
        return Err(format!("it has too many {table}"));
    }
    each_once("account", study.accounts.iter().map(|account| account.id.as_str()))?;
    each_once("venue", study.venues.iter().map(|venue| venue.id.as_str()))?;
    each_once("arm", study.arms.iter().map(|arm| arm.id.as_str()))?;
    each_once("item", study.items.iter().map(|item| item.id.as_str()))?;

    let account = |ix: &AccountIx| ix.get() < study.accounts.len();
    let whole = study.venues.iter().all(|venue| venue.members.iter().all(account))
        && study.arms.iter().all(|arm| {
            arm.senders.iter().all(account)
                && arm.recipients.iter().all(account)
                && arm.channels.iter().all(|channel| channel.get() < study.channels.len())
        })
        && study.channels.iter().all(|channel| {
            channel.arm.get() < study.arms.len()
                && account(&channel.sender)
                && channel.venue.get() < study.venues.len()
                && channel.recipients.iter().all(account)
        });
    if !whole {
        return Err("it refers to an account, venue, arm or channel that it does not have".to_owned());
    }
    check_earlier(study)
}

/// Whether what is known from earlier runs is about units of the study, in order.
fn check_earlier(study: &Study) -> Result<(), String> {
    let Some(earlier) = &study.earlier else { return Ok(()) };
    let is_item = |item: &ItemIx| item.get() < study.items.len();
    let is_unit = |(item, arm, recipient): &EarlierUnit| {
        is_item(item) && study.arms.get(arm.get()).is_some_and(|arm| arm.recipients.contains(recipient))
    };
    let whole = earlier.delivered.iter().chain(&earlier.blocked).all(is_unit)
        && earlier.not_due.iter().all(is_item)
        && earlier.delivered.is_sorted()
        && earlier.blocked.is_sorted()
        && earlier.not_due.is_sorted();
    if whole {
        Ok(())
    } else {
        Err("what it knows from earlier runs is about items, arms or recipients that it does not have".to_owned())
    }
}

fn each_once<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("it has the {what} `{name}` twice"));
        }
    }
    Ok(())
}
