//! The sends of one path by what they say: for observations that carry no name of use.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;
use lacuna_content::{Shape, normal_form};
use lacuna_model::{MatchedBy, ProbeId};

/// An altered text is compared with this many of the latest sends that are still outstanding. Comparing costs
/// microseconds a text, and what comes from a network is hostile; an alteration delays a message little, so that its send is
/// among the latest.
const ALTERED_REACH: usize = 256;

/// A send as content knows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    /// In the order of sending on this path.
    pub ordinal: u64,
    /// Which send.
    pub probe: ProbeId,
}

/// What content says about an observation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Likeness {
    pub place: Place,
    pub matched_by: MatchedBy,
    pub altered: bool,
    pub duplicate: bool,
}

/// The sends whose texts are equal in normal form.
#[derive(Debug, Default)]
struct Group {
    /// Not yet arrived, in the order of sending.
    outstanding: VecDeque<(Place, Arc<str>)>,
    /// Arrived, in the order of arrival.
    arrived: VecDeque<(Place, Arc<str>)>,
}

/// The sends of one path, by their texts.
#[derive(Debug, Default)]
pub(super) struct ByContent {
    groups: HashMap<Arc<str>, Group, RandomState>,
    /// Those not yet arrived, in the order of sending.
    outstanding: BTreeMap<Place, Arc<str>>,
    /// In normal form: altered texts that were recognised, and the send each was made from.
    altered: HashMap<Arc<str>, Place, RandomState>,
    /// The other way round.
    altered_of: HashMap<ProbeId, Arc<str>, RandomState>,
}

fn shared_normal_form(text: &Arc<str>) -> Arc<str> {
    match normal_form(text) {
        std::borrow::Cow::Borrowed(_) => Arc::clone(text),
        std::borrow::Cow::Owned(form) => form.into(),
    }
}

impl ByContent {
    /// Takes a send, in the order of sending.
    pub fn sent(&mut self, place: Place, text: &Arc<str>, arrived: bool) {
        let group = self.groups.entry(shared_normal_form(text)).or_default();
        if arrived {
            group.arrived.push_back((place, Arc::clone(text)));
        } else {
            group.outstanding.push_back((place, Arc::clone(text)));
            self.outstanding.insert(place, Arc::clone(text));
        }
    }

    /// The send arrived, by whatever it was recognised.
    pub fn arrived(&mut self, place: Place, text: &Arc<str>) {
        self.outstanding.remove(&place);
        if let Some(group) = self.groups.get_mut(&*normal_form(text)) {
            take(&mut group.outstanding, place);
            group.arrived.push_back((place, Arc::clone(text)));
        }
    }

    /// The altered text was recognised as this send.
    pub fn arrived_as(&mut self, place: Place, received: &Arc<str>) {
        let form = shared_normal_form(received);
        self.altered_of.insert(place.probe, Arc::clone(&form));
        self.altered.insert(form, place);
    }

    /// Nothing more is expected of the send.
    pub fn retire(&mut self, place: Place, text: &str) {
        self.outstanding.remove(&place);
        let form = normal_form(text);
        if let Some(group) = self.groups.get_mut(&*form) {
            take(&mut group.outstanding, place);
            take(&mut group.arrived, place);
            if group.outstanding.is_empty() && group.arrived.is_empty() {
                self.groups.remove(&*form);
            }
        }
        if let Some(form) = self.altered_of.remove(&place.probe)
            && self.altered.get(&form) == Some(&place)
        {
            self.altered.remove(&form);
        }
    }

    /// The send that `received` most likely is, among those that `eligible` lets through.
    pub fn find(&self, received: &Arc<str>, eligible: impl Fn(Place) -> bool) -> Option<Likeness> {
        let form = shared_normal_form(received);
        let allowed = |entry: &&(Place, Arc<str>)| eligible(entry.0);
        if let Some(group) = self.groups.get(&form) {
            let same = |entry: &&(Place, Arc<str>)| allowed(entry) && entry.1 == *received;
            let found = |entry: &(Place, Arc<str>), duplicate| Likeness {
                place: entry.0,
                matched_by: if entry.1 == *received { MatchedBy::Exact } else { MatchedBy::Normalized },
                altered: false,
                duplicate,
            };
            let waiting = &group.outstanding;
            if let Some(entry) = waiting.iter().find(same).or_else(|| waiting.iter().find(allowed)) {
                return Some(found(entry, false));
            }
            let arrived = &group.arrived;
            if let Some(entry) = arrived.iter().rev().find(same).or_else(|| arrived.iter().rev().find(allowed)) {
                return Some(found(entry, true));
            }
        }
        // Of a file nothing is left that its hash could be recognised by.
        if super::is_file(received) {
            return None;
        }
        let altered = |place, duplicate| Likeness { place, matched_by: MatchedBy::Normalized, altered: true, duplicate };
        if let Some(place) = self.find_altered(&form, &eligible) {
            return Some(altered(place, false));
        }
        self.altered.get(&form).filter(|place| eligible(**place)).map(|place| altered(*place, true))
    }

    /// The most similar of the latest outstanding sends from which `received` was recognisably made; the earliest of equals.
    fn find_altered(&self, received: &str, eligible: impl Fn(Place) -> bool) -> Option<Place> {
        let candidates = self.outstanding.iter().rev().take(ALTERED_REACH).filter(|(place, _)| eligible(**place));
        let received = Shape::of_normal_form(received);
        let mut best: Option<(f64, Place)> = None;
        for (place, text) in candidates {
            let text = normal_form(text);
            let sent = Shape::of_normal_form(&text);
            if sent.alteration_to(&received).is_some() {
                let similar = sent.similarity(&received);
                if best.is_none_or(|(most, _)| similar >= most) {
                    best = Some((similar, *place));
                }
            }
        }
        best.map(|(_, place)| place)
    }
}

fn take(entries: &mut VecDeque<(Place, Arc<str>)>, place: Place) {
    if let Some(index) = entries.iter().position(|entry| entry.0 == place) {
        entries.remove(index);
    }
}
