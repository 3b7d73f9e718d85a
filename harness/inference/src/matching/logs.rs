//! Matching of two whole logs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;
use lacuna_content::normal_form;
use lacuna_model::{Duration, MatchedBy, Timestamp};

use super::altered::pair_altered;
use super::pairing::{Row, pair_causally, pair_in_order};

/// A row of the log of what was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SentRow<'a> {
    /// The message's name, if the log has one.
    pub id: Option<&'a str>,
    /// What was sent.
    pub text: &'a str,
    /// When.
    pub at: Option<Timestamp>,
    /// Only rows of equal channels are matched. The caller numbers what it can tell apart (sender, recipient, venue).
    pub channel: u32,
}

/// A row of the log of what was received.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReceivedRow<'a> {
    /// The message's name, if the log has one.
    pub id: Option<&'a str>,
    /// What was received.
    pub text: &'a str,
    /// When.
    pub at: Option<Timestamp>,
    /// Only rows of equal channels are matched.
    pub channel: u32,
}

/// What is said of one row or one pair of rows. Rows are named by their places in the two slices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pairing {
    /// The sent message is the received one.
    Pair {
        /// The sent row.
        sent: usize,
        /// The received row.
        received: usize,
        /// By what.
        matched_by: MatchedBy,
        /// The texts differ also in normal form.
        altered: bool,
    },
    /// The sent message did not arrive.
    Missing {
        /// The sent row.
        sent: usize,
    },
    /// The received message repeats one that is paired already.
    Duplicate {
        /// The sent row of the pair.
        sent: usize,
        /// The received row.
        received: usize,
        /// By what.
        matched_by: MatchedBy,
    },
    /// The received message is none of the sent ones.
    Unexpected {
        /// The received row.
        received: usize,
    },
}

/// What is known of a received row so far.
#[derive(Clone, Copy, Debug)]
struct Found {
    sent: usize,
    matched_by: MatchedBy,
    duplicate: bool,
}

/// Lays two logs beside each other. The answer has the sent rows in their order, each with what repeats it behind it, then
/// the unexpected received rows in theirs.
///
/// Rows are paired in passes; each takes only rows that the passes before it left, and only rows of equal channels:
///
/// 1. *By name*, whatever the texts and times say: rows with the same id, the first with the first and so on in the
///    order of the logs; what is left over of the received ones is a duplicate.
/// 2. *Exact*: rows with the same text.
/// 3. *Normalized*: rows with the same [`normal_form`].
/// 4. *Altered*: a received row with a sent one from which it was recognisably made ([`lacuna_content::alteration()`]).
///
/// In passes 2 to 4 a row is not paired with one sent more than `tolerance` after it was received (the clocks of two machines
/// differ; a row without a time is never too early); and where at least one id is in both logs, two rows that both have an
/// id are not paired, as these would be the same. Then, in each of these passes, rows without ids go first, after them
/// those where one has an id.
///
/// Passes 2 and 3 make as many pairs as their rule allows. Of all ways to do that, theirs has the most pairs in which both
/// rows have a time. Of these, it has a pair for every row that would have one if `tolerance` were zero, the number of pairs
/// were the greatest and their sum of latencies then the least; and within the same text it keeps the order: no pair overtakes
/// another one. Pass 4 makes as many pairs as its rule allows too, prefers the most similar ones, and compares a
/// received row with at most 256 sent ones (the last before it, or the nearest by rank where there is no time), of which the 16
/// most similar count.
///
/// Between passes 3 and 4 a received row that is left over and has the normal form of a sent row that is paired and not too
/// late for it is a duplicate of the last such one; after pass 4 so is one that has the normal form of a received row that
/// was paired there.
#[must_use]
pub fn match_logs(sent: &[SentRow<'_>], received: &[ReceivedRow<'_>], tolerance: Duration) -> Vec<Pairing> {
    let mut logs =
        Logs { sent, received, tolerance, partner: vec![None; sent.len()], found: vec![None; received.len()], ids_in_use: false };
    logs.pass_by_id();
    logs.pass_by_content();
    logs.answer()
}

/// Both logs and what is known so far.
struct Logs<'l, 'a> {
    sent: &'l [SentRow<'a>],
    received: &'l [ReceivedRow<'a>],
    tolerance: Duration,
    /// The received row that each sent one is paired with.
    partner: Vec<Option<usize>>,
    found: Vec<Option<Found>>,
    ids_in_use: bool,
}

/// Which rows a part of a pass is for, by whether they have an id: sent, received. `None`: either.
type WithIds = (Option<bool>, Option<bool>);

impl Logs<'_, '_> {
    fn pass_by_id(&mut self) {
        let sent = |place: usize| self.sent[place].id.map(|id| (self.sent[place].channel, id));
        let received = |place: usize| self.received[place].id.map(|id| (self.received[place].channel, id));
        let groups = Groups::of(self.sent.len(), self.received.len(), sent, received);
        let mut pairs = Vec::new();
        for (sents, receiveds) in groups.in_both() {
            self.ids_in_use = true;
            let sents: Vec<usize> = sents.collect();
            for (index, received) in receiveds.enumerate() {
                let (sent, duplicate) = sents.get(index).map_or((sents[sents.len() - 1], true), |sent| (*sent, false));
                pairs.push((received, Found { sent, matched_by: MatchedBy::PlatformId, duplicate }));
            }
        }
        self.take(pairs);
    }

    fn pass_by_content(&mut self) {
        let parts: &[WithIds] = if self.ids_in_use {
            &[(Some(false), Some(false)), (Some(true), Some(false)), (Some(false), Some(true))]
        } else {
            &[(None, None)]
        };
        let (sent, received) = (self.sent, self.received);
        for part in parts {
            let exact = self.groups(*part, |place| Cow::Borrowed(sent[place].text), |place| Cow::Borrowed(received[place].text));
            self.pair_groups(&exact, MatchedBy::Exact);
        }
        for part in parts {
            let equal = self.groups(*part, |place| normal_form(sent[place].text), |place| normal_form(received[place].text));
            self.pair_groups(&equal, MatchedBy::Normalized);
        }
        self.duplicates();
        for part in parts {
            let sents = self.sent_rows(self.open_sents(part.0));
            let receiveds = self.received_rows(self.open_receiveds(part.1));
            let text = (
                |row: Row| (sent[row.place].channel, sent[row.place].text),
                |row: Row| (received[row.place].channel, received[row.place].text),
            );
            let pairs = pair_altered(sents, receiveds, text.0, text.1, self.tolerance);
            self.take(
                pairs
                    .into_iter()
                    .map(|(to, row)| (row.place, Found { sent: to.place, matched_by: MatchedBy::Normalized, duplicate: false })),
            );
        }
        self.altered_duplicates();
    }

    fn groups<'t>(
        &self,
        part: WithIds,
        sent_text: impl Fn(usize) -> Cow<'t, str>,
        received_text: impl Fn(usize) -> Cow<'t, str>,
    ) -> Groups {
        let (sent, received) = (self.sent, self.received);
        let open_sent = |place: usize| self.partner[place].is_none() && fits(sent[place].id, part.0);
        let open_received = |place: usize| self.found[place].is_none() && fits(received[place].id, part.1);
        Groups::of(
            sent.len(),
            received.len(),
            |place| open_sent(place).then(|| (sent[place].channel, sent_text(place))),
            |place| open_received(place).then(|| (received[place].channel, received_text(place))),
        )
    }

    fn pair_groups(&mut self, groups: &Groups, matched_by: MatchedBy) {
        let mut pairs = Vec::new();
        for (sents, receiveds) in groups.in_both() {
            let (sents, receiveds) = (self.sent_rows(sents), self.received_rows(receiveds));
            pairs.clear();
            let (sents, receiveds) = pair_causally(sents, receiveds, self.tolerance, &mut pairs);
            pair_in_order(&sents, &receiveds, &mut pairs);
            let found = |(to, row): &(Row, Row)| (row.place, Found { sent: to.place, matched_by, duplicate: false });
            self.take(pairs.iter().map(found).collect::<Vec<_>>());
        }
    }

    /// Received rows left over that say what a paired sent row said.
    fn duplicates(&mut self) {
        let (sent, received) = (self.sent, self.received);
        let groups = Groups::of(
            sent.len(),
            received.len(),
            |place| self.partner[place].map(|_| (sent[place].channel, normal_form(sent[place].text))),
            |place| self.found[place].is_none().then(|| (received[place].channel, normal_form(received[place].text))),
        );
        let mut pairs = Vec::new();
        for (sents, receiveds) in groups.in_both() {
            let mut sents = self.sent_rows(sents);
            sents.sort_unstable();
            for row in self.received_rows(receiveds) {
                let possible = |to: &&Row| {
                    to.may_be(&row, self.tolerance)
                        && !(self.ids_in_use && sent[to.place].id.is_some() && received[row.place].id.is_some())
                };
                if let Some(to) = sents.iter().rev().find(possible) {
                    let same = sent[to.place].text == received[row.place].text;
                    let matched_by = if same { MatchedBy::Exact } else { MatchedBy::Normalized };
                    pairs.push((row.place, Found { sent: to.place, matched_by, duplicate: true }));
                }
            }
        }
        self.take(pairs);
    }

    /// Received rows left over that say what a row paired as altered said.
    fn altered_duplicates(&mut self) {
        let received = self.received;
        let key = |place: usize| (received[place].channel, normal_form(received[place].text));
        let mut first: HashMap<(u32, Cow<'_, str>), usize, RandomState> = HashMap::default();
        for (place, found) in self.found.iter().enumerate() {
            if let Some(found) = found
                && found.matched_by == MatchedBy::Normalized
                && normal_form(self.sent[found.sent].text) != normal_form(received[place].text)
            {
                first.insert(key(place), found.sent);
            }
        }
        if first.is_empty() {
            return;
        }
        let sent = self.sent;
        let mut pairs = Vec::new();
        for place in self.open_receiveds(None) {
            if let Some(&to) = first.get(&key(place))
                && !(self.ids_in_use && sent[to].id.is_some() && received[place].id.is_some())
            {
                pairs.push((place, Found { sent: to, matched_by: MatchedBy::Normalized, duplicate: true }));
            }
        }
        self.take(pairs);
    }

    fn take(&mut self, pairs: impl IntoIterator<Item = (usize, Found)>) {
        for (received, found) in pairs {
            self.found[received] = Some(found);
            if !found.duplicate {
                self.partner[found.sent] = Some(received);
            }
        }
    }

    fn open_sents(&self, with_id: Option<bool>) -> Vec<usize> {
        (0..self.sent.len()).filter(|&place| self.partner[place].is_none() && fits(self.sent[place].id, with_id)).collect()
    }

    fn open_receiveds(&self, with_id: Option<bool>) -> Vec<usize> {
        (0..self.received.len()).filter(|&place| self.found[place].is_none() && fits(self.received[place].id, with_id)).collect()
    }

    fn sent_rows(&self, places: impl IntoIterator<Item = usize>) -> Vec<Row> {
        places.into_iter().map(|place| Row { at: self.sent[place].at, place }).collect()
    }

    fn received_rows(&self, places: impl IntoIterator<Item = usize>) -> Vec<Row> {
        places.into_iter().map(|place| Row { at: self.received[place].at, place }).collect()
    }

    fn answer(&self) -> Vec<Pairing> {
        let mut duplicates: Vec<(usize, usize, MatchedBy)> = self
            .found
            .iter()
            .enumerate()
            .filter_map(|(received, found)| {
                found.filter(|found| found.duplicate).map(|found| (found.sent, received, found.matched_by))
            })
            .collect();
        duplicates.sort_unstable();
        let mut duplicates = duplicates.into_iter().peekable();
        let mut answer = Vec::with_capacity(self.sent.len());
        for (sent, partner) in self.partner.iter().enumerate() {
            let found = partner.and_then(|received| self.found[received].map(|found| (received, found.matched_by)));
            answer.push(found.map_or(Pairing::Missing { sent }, |(received, matched_by)| {
                let (one, other) = (self.sent[sent].text, self.received[received].text);
                let altered = one != other && normal_form(one) != normal_form(other);
                Pairing::Pair { sent, received, matched_by, altered }
            }));
            while let Some((sent, received, matched_by)) = duplicates.next_if(|(to, ..)| *to == sent) {
                answer.push(Pairing::Duplicate { sent, received, matched_by });
            }
        }
        let unexpected = self.found.iter().enumerate().filter(|(_, found)| found.is_none());
        answer.extend(unexpected.map(|(received, _)| Pairing::Unexpected { received }));
        answer
    }
}

fn fits(id: Option<&str>, with_id: Option<bool>) -> bool {
    with_id.is_none_or(|wanted| id.is_some() == wanted)
}

/// The rows of both logs that have a key, by their key.
struct Groups {
    /// Group and place, sorted.
    sent: Vec<(u32, usize)>,
    received: Vec<(u32, usize)>,
}

impl Groups {
    fn of<K: Eq + Hash>(
        sent: usize,
        received: usize,
        sent_key: impl Fn(usize) -> Option<K>,
        received_key: impl Fn(usize) -> Option<K>,
    ) -> Self {
        let mut numbers: HashMap<K, u32, RandomState> = HashMap::default();
        let mut number = |key: K| {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(key).or_insert(next)
        };
        let mut sent: Vec<(u32, usize)> = (0..sent).filter_map(|place| Some((number(sent_key(place)?), place))).collect();
        let mut received: Vec<(u32, usize)> =
            (0..received).filter_map(|place| Some((number(received_key(place)?), place))).collect();
        sent.sort_unstable();
        received.sort_unstable();
        Self { sent, received }
    }

    /// The groups that have rows of both logs, and the places of these in ascending order.
    fn in_both(&self) -> impl Iterator<Item = (impl Iterator<Item = usize>, impl Iterator<Item = usize>)> {
        fn places(group: &[(u32, usize)]) -> impl Iterator<Item = usize> {
            group.iter().map(|(_, place)| *place)
        }
        let mut received = self.received.as_slice();
        self.sent.chunk_by(|one, other| one.0 == other.0).filter_map(move |sents| {
            let group = sents[0].0;
            received = &received[received.partition_point(|row| row.0 < group)..];
            let (same, rest) = received.split_at(received.partition_point(|row| row.0 == group));
            received = rest;
            (!same.is_empty()).then(|| (places(sents), places(same)))
        })
    }
}
