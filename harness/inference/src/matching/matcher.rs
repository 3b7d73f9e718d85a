//! Matching while a run goes on.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;
use lacuna_content::normal_form;
use lacuna_model::{MatchedBy, PlatformMessageId, ProbeId};

use super::by_content::{ByContent, Place};

/// So many observations may wait for an acknowledgement; a further one is judged at once. Far above what a path has in
/// flight; it bounds what a hostile peer can make a run keep.
const PENDING_LIMIT: usize = 1_024;

/// A received message, recognised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Match {
    /// The send that it is.
    pub probe: ProbeId,
    /// By what it was recognised; an altered text recognised by content is [`MatchedBy::Normalized`].
    pub matched_by: MatchedBy,
    /// It differs from what was sent, also in normal form.
    pub altered: bool,
    /// The send had arrived before.
    pub duplicate: bool,
}

/// What [`Matcher::observed`] can say at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recognition {
    /// It is this send.
    Matched(Match),
    /// Its name is not known yet, but an acknowledgement on its way may bring it: the answer comes as a [`Released`].
    Pending,
    /// It is none of the path's sends.
    Unexpected,
}

/// The late answer about an observation that had been [`Recognition::Pending`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Released<O> {
    /// What the caller had given [`Matcher::observed`] to know the observation again.
    pub observation: O,
    /// The send that it is; `None` if it is none of the path's.
    pub found: Option<Match>,
}

/// What is known of a send's name.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Name {
    /// It is being handed over.
    Awaited,
    /// The acknowledgement said it.
    Known(PlatformMessageId),
    /// The acknowledgement said none, or there was none. What an observation recognised by content was called.
    Unknown(Option<PlatformMessageId>),
}

#[derive(Debug)]
struct Send {
    ordinal: u64,
    text: Arc<str>,
    name: Name,
    arrived: bool,
}

#[derive(Debug)]
struct Pending<O> {
    observation: O,
    id: PlatformMessageId,
    text: Arc<str>,
    /// The sends before this ordinal had been started when it was seen.
    before: u64,
}

/// Recognises the messages of one path (sender, venue, recipient), in the order in which things happen. The caller has one
/// for each path and gives each observation to the one of its path.
///
/// The rules, in this order:
///
/// 1. An observation whose name an acknowledgement said is that send. Nothing else is looked at.
/// 2. An observation with another name waits ([`Recognition::Pending`]) while one of the sends started before it is neither
///    acknowledged nor given up, as receivers are often faster than acknowledgements. If then nobody has that name, it is
///    matched by content with those started before it whose name never became known, and with no others: a send whose name
///    is known would have arrived under it.
/// 3. An observation without a name is matched by content with every send of the path.
///
/// By content is, each over sends not yet arrived: the earliest with exactly this text; the earliest with the same normal
/// form. Then over the sends that have arrived: the latest of these with the same text or normal form, of which this is a
/// duplicate. Then the most similar of the latest 256 outstanding sends from which the text was
/// recognisably made ([`lacuna_content::alteration()`]); then the send for which the same altered text had been taken before,
/// as a duplicate. Where one text is sent repeatedly and nothing has a name, a duplicate of the first cannot be told from the
/// arrival of the second: it counts as that arrival.
///
/// The texts are indexed only from the first observation on that needs it, so that a path with names pays for two hash
/// maps. Memory is bounded by the sends that are not [retired](Self::retire).
///
/// `O` is whatever the caller wants back with a late answer.
#[derive(Debug)]
pub struct Matcher<O> {
    sends: HashMap<ProbeId, Send, RandomState>,
    by_id: HashMap<PlatformMessageId, ProbeId, RandomState>,
    by_content: Option<ByContent>,
    /// The ordinals of the sends being handed over, ascending.
    awaited: VecDeque<u64>,
    pending: VecDeque<Pending<O>>,
    next_ordinal: u64,
    /// How many sends have no known name and will get none.
    nameless: usize,
}

impl<O> Default for Matcher<O> {
    fn default() -> Self {
        Self {
            sends: HashMap::default(),
            by_id: HashMap::default(),
            by_content: None,
            awaited: VecDeque::new(),
            pending: VecDeque::new(),
            next_ordinal: 0,
            nameless: 0,
        }
    }
}

impl<O> Matcher<O> {
    /// A path on which nothing has been sent.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The message is being handed over. A probe is sent once; saying it again changes nothing.
    pub fn sent(&mut self, probe: ProbeId, text: &Arc<str>) {
        let ordinal = self.next_ordinal;
        if self.sends.contains_key(&probe) {
            return;
        }
        self.next_ordinal += 1;
        self.awaited.push_back(ordinal);
        if let Some(by_content) = &mut self.by_content {
            by_content.sent(Place { ordinal, probe }, text, false);
        }
        self.sends.insert(probe, Send { ordinal, text: Arc::clone(text), name: Name::Awaited, arrived: false });
    }

    /// The platform took the message, and told its name if it has one that recipients see too. What had waited for this is
    /// put into `released`. Of two sends that a platform gives one name, the first keeps it.
    pub fn accepted(&mut self, probe: ProbeId, id: Option<&PlatformMessageId>, released: &mut Vec<Released<O>>) {
        let Some(send) = self.sends.get_mut(&probe).filter(|send| send.name == Name::Awaited) else {
            return;
        };
        let ordinal = send.ordinal;
        if let Some(id) = id.filter(|id| !self.by_id.contains_key(*id)) {
            send.name = Name::Known(id.clone());
            self.by_id.insert(id.clone(), probe);
        } else {
            send.name = Name::Unknown(None);
            self.nameless += 1;
        }
        self.settled(ordinal, id, released);
    }

    /// The hand-over ended without a word from the platform: the message may arrive, under a name that nobody will tell.
    pub fn unacknowledged(&mut self, probe: ProbeId, released: &mut Vec<Released<O>>) {
        self.accepted(probe, None, released);
    }

    /// Nothing more is expected of the send: it was refused or never left, or everything about it is decided. It is forgotten;
    /// what still comes of it is unexpected.
    pub fn retire(&mut self, probe: ProbeId, released: &mut Vec<Released<O>>) {
        let Some(send) = self.sends.remove(&probe) else {
            return;
        };
        if let Some(by_content) = &mut self.by_content {
            by_content.retire(Place { ordinal: send.ordinal, probe }, &send.text);
        }
        if let Name::Unknown(_) = send.name {
            self.nameless -= 1;
        }
        match send.name {
            Name::Awaited => self.settled(send.ordinal, None, released),
            Name::Known(id) | Name::Unknown(Some(id)) => {
                self.by_id.remove(&id);
            }
            Name::Unknown(None) => {}
        }
    }

    /// A message of this path was seen.
    pub fn observed(&mut self, observation: O, id: Option<&PlatformMessageId>, text: &Arc<str>) -> Recognition {
        if let Some(id) = id {
            if let Some(found) = self.named(id, text) {
                return Recognition::Matched(found);
            }
            if !self.awaited.is_empty() && self.pending.len() < PENDING_LIMIT {
                let (id, text) = (id.clone(), Arc::clone(text));
                self.pending.push_back(Pending { observation, id, text, before: self.next_ordinal });
                return Recognition::Pending;
            }
        }
        self.like(id, text, self.next_ordinal).map_or(Recognition::Unexpected, Recognition::Matched)
    }

    /// The send that has this name: for edits and retractions, which name the message that they are about.
    #[must_use]
    pub fn named_send(&self, id: &PlatformMessageId) -> Option<ProbeId> {
        self.by_id.get(id).copied()
    }

    /// Answers everything that still waits as if every hand-over had ended: for the end of the records.
    pub fn finish(&mut self, released: &mut Vec<Released<O>>) {
        self.awaited.clear();
        for send in self.sends.values_mut().filter(|send| send.name == Name::Awaited) {
            send.name = Name::Unknown(None);
            self.nameless += 1;
        }
        self.release(released);
    }

    /// One hand-over less is awaited; `id` is the name that it brought.
    fn settled(&mut self, ordinal: u64, id: Option<&PlatformMessageId>, released: &mut Vec<Released<O>>) {
        if let Ok(index) = self.awaited.binary_search(&ordinal) {
            self.awaited.remove(index);
        }
        if let Some(id) = id {
            while let Some(index) = self.pending.iter().position(|waiting| waiting.id == *id)
                && let Some(Pending { observation, text, .. }) = self.pending.remove(index)
            {
                released.push(Released { observation, found: self.named(id, &text) });
            }
        }
        self.release(released);
    }

    /// Judges the waiting observations before which every send has ended.
    fn release(&mut self, released: &mut Vec<Released<O>>) {
        while let Some(first) = self.pending.front()
            && self.awaited.front().is_none_or(|awaited| *awaited >= first.before)
            && let Some(Pending { observation, id, text, before }) = self.pending.pop_front()
        {
            let found = self.named(&id, &text).or_else(|| self.like(Some(&id), &text, before));
            released.push(Released { observation, found });
        }
    }

    fn named(&mut self, id: &PlatformMessageId, text: &Arc<str>) -> Option<Match> {
        let probe = *self.by_id.get(id)?;
        let send = self.sends.get_mut(&probe)?;
        let altered = *send.text != **text && normal_form(&send.text) != normal_form(text);
        let duplicate = std::mem::replace(&mut send.arrived, true);
        if let (false, Some(by_content)) = (duplicate, &mut self.by_content) {
            by_content.arrived(Place { ordinal: send.ordinal, probe }, &send.text);
        }
        Some(Match { probe, matched_by: MatchedBy::PlatformId, altered, duplicate })
    }

    /// By content, among the sends started before the ordinal `before`.
    fn like(&mut self, id: Option<&PlatformMessageId>, text: &Arc<str>, before: u64) -> Option<Match> {
        if id.is_some() && self.nameless == 0 {
            return None;
        }
        let sends = &mut self.sends;
        let nameless = |probe| matches!(sends.get(&probe), Some(Send { name: Name::Unknown(_), .. }));
        let by_content = self.by_content.get_or_insert_with(|| indexed(sends));
        let like = by_content.find(text, |place| place.ordinal < before && (id.is_none() || nameless(place.probe)))?;
        let send = sends.get_mut(&like.place.probe)?;
        if !like.duplicate {
            send.arrived = true;
            by_content.arrived(like.place, &send.text);
            if like.altered {
                by_content.arrived_as(like.place, text);
            }
        }
        if let (Some(id), Name::Unknown(name @ None)) = (id, &mut send.name) {
            *name = Some(id.clone());
            self.by_id.insert(id.clone(), like.place.probe);
        }
        Some(Match { probe: like.place.probe, matched_by: like.matched_by, altered: like.altered, duplicate: like.duplicate })
    }
}

fn indexed(sends: &HashMap<ProbeId, Send, RandomState>) -> ByContent {
    let mut ordered: Vec<(&ProbeId, &Send)> = sends.iter().collect();
    ordered.sort_unstable_by_key(|(_, send)| send.ordinal);
    let mut by_content = ByContent::default();
    for (probe, send) in ordered {
        by_content.sent(Place { ordinal: send.ordinal, probe: *probe }, &send.text, send.arrived);
    }
    by_content
}
