//! Files on the platform: which rule finds something in one, and the indexes of hashes that rules learn.
//!
//! A rule that enforces *at once* looks into every file as it passes. One that enforces by an *index* acts on a file whose MD5 it knows:
//! because the policy lists it, or because the rule's analysis found something in a file of that MD5 before, and the time that it
//! takes to learn is over. Every rule has an index of its own.

use std::collections::HashMap;
use std::sync::Arc;

use lacuna_model::policy::{Action, Condition, Enforces, FileRule, Finds};
use lacuna_model::{Shown, Timestamp, VenueKind};

use super::draws::{Key, Purpose};
use super::members::AccountProfile;

/// A file as the platform takes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upload {
    /// Whatever its sender wants to know it by.
    pub id: u32,
    /// MD5 of its bytes, in hexadecimal.
    pub md5: Arc<str>,
    /// The name under which it was sent.
    pub name: Arc<str>,
    /// A picture, which a platform may re-encode.
    pub is_picture: bool,
    /// What can be found in it.
    pub shown: Shown,
}

/// A file as a recipient gets it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveredFile {
    /// What was stored: of two files with one MD5, on a platform that stores each MD5 once, the first.
    pub upload: Arc<Upload>,
    /// Its bytes are not those that were sent.
    pub reencoded: bool,
}

/// Whether a rule finds something in a file: any one of its parts suffices.
#[must_use]
pub fn finds(what: &Finds, name: &str, shown: &Shown) -> bool {
    let can_read = shown.hidden_from.is_none() || shown.hidden_from != what.gray;
    let reads = !what.text.is_empty() && can_read && what.text.iter().all(|part| shown.text.contains(part.as_str()));
    let knows_look = !shown.look.is_empty() && what.similar_to.iter().any(|look| **look == *shown.look);
    let meets = |words: &[String], text: &str| words.iter().any(|word| text.contains(word.as_str()));
    reads || knows_look || meets(&what.metadata, &shown.metadata) || meets(&what.filename, name)
}

/// Who takes part in one message, as conditions ask for it.
#[derive(Clone, Copy)]
pub(super) struct Exchange<'a> {
    pub sender: &'a AccountProfile,
    pub recipient: &'a AccountProfile,
    pub venue: VenueKind,
    /// Whether the group has a member registered in one of the condition's countries.
    pub members: &'a [&'a AccountProfile],
}

fn concerns(condition: &Condition, exchange: Exchange<'_>) -> bool {
    let Exchange { sender, recipient, venue, members } = exchange;
    condition.admits_sender(&sender.id, sender.registered_in)
        && condition.admits_recipient(&recipient.id, recipient.registered_in)
        && condition.admits_venue(venue, members.iter().map(|member| member.registered_in))
}

/// The rules about files, and what they have learned.
pub(super) struct FileRules {
    rules: Vec<FileRule>,
    salts: Vec<u64>,
    /// Per rule: from when on it knows an MD5.
    learned: Vec<HashMap<Arc<str>, Timestamp>>,
    /// Pictures are encoded anew before anything else is done with them.
    reencodes: bool,
}

impl FileRules {
    pub fn new(rules: &[FileRule], reencodes: bool, seed: u64) -> Self {
        Self {
            salts: rules
                .iter()
                .map(|rule| Key::new("lacuna simulator file rule 1", seed, [rule.id.as_str()]).as_salt())
                .collect(),
            learned: vec![HashMap::new(); rules.len()],
            rules: rules.to_vec(),
            reencodes,
        }
    }

    /// The MD5 that the platform knows a file by. Encoded anew, two files have hashes of their own, whatever they shared before.
    fn hash_of(&self, file: &Upload) -> Arc<str> {
        if self.reencodes && file.is_picture { format!("{} {}", file.md5, file.id).into() } else { Arc::clone(&file.md5) }
    }

    /// The first rule that acts on the file for one recipient.
    pub fn decide(
        &self,
        now: Timestamp,
        file: &Upload,
        exchange: Exchange<'_>,
        channel: Key,
        path: Key,
        n: u64,
    ) -> Option<&FileRule> {
        let md5 = self.hash_of(file);
        let acts = |(index, rule): &(usize, &FileRule)| {
            let knows = match rule.enforces {
                Enforces::AtOnce => {
                    rule.finds.md5.iter().any(|known| **known == *md5) || finds(&rule.finds, &file.name, &file.shown)
                }
                Enforces::Index => {
                    rule.finds.md5.iter().any(|known| **known == *md5)
                        || self.learned[*index].get(&md5).is_some_and(|from| *from <= now)
                }
            };
            let key = if rule.action == Action::Refuse { channel } else { path };
            knows
                && concerns(&rule.when, exchange)
                && (rule.enforcement >= 1.0 || key.uniform(n, Purpose::Enforcement(self.salts[*index])) < rule.enforcement)
        };
        self.rules.iter().enumerate().find(acts).map(|(_, rule)| rule)
    }

    /// The platform has a file: what analyses it learns its hash, for whoever it is sent to.
    pub fn analyse<'a>(&mut self, now: Timestamp, file: &Upload, exchanges: &(impl Iterator<Item = Exchange<'a>> + Clone)) {
        let md5 = self.hash_of(file);
        for (rule, learned) in self.rules.iter().zip(&mut self.learned) {
            if rule.enforces == Enforces::Index
                && !learned.contains_key(&md5)
                && finds(&rule.finds, &file.name, &file.shown)
                && exchanges.clone().any(|exchange| concerns(&rule.analyses, exchange))
            {
                learned.insert(Arc::clone(&md5), now + rule.learns_after);
            }
        }
    }
}
