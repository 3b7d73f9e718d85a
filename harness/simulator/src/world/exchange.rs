//! The platform at work: messages in, deliveries out.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use lacuna_model::policy::{Action, FileHandling, Policy, Rule, Sanctions};
use lacuna_model::{Duration, ObservationKind, Timestamp, VenueKind};

use super::draws::Key;
use super::files::{DeliveredFile, Exchange, FileRules, Upload};
use super::members::{AccountProfile, AccountRecord, Channel, Member, Place, Venue, VenueRecord};
use super::network::{Network, Path};
use super::outages::Outages;
use super::rules::{RuleIndex, Rules, Scratch};
use super::sanctions::Conduct;

/// What the sender of a refused message is told.
pub const NOTICE_REFUSED: &str = "the message could not be sent because its content is not allowed here";
/// What a suspended sender is told.
pub const NOTICE_SUSPENDED: &str = "this account is suspended";
/// What somebody is told who sends to a venue without being in it.
const NOTICE_NO_MEMBER: &str = "the account is no member of this venue";
/// What somebody is told who posts to another account's feed.
const NOTICE_NOT_OWNER: &str = "only the owner posts to this feed";

/// The platform's number of an accepted message, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageNumber(pub u64);

/// How a submission ended, as the sender sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Submission {
    /// The sender is told that all is well.
    Accepted {
        /// The message's name, the same for recipients.
        message: MessageNumber,
    },
    /// The sender is told that the message is not taken.
    Refused {
        /// In these words.
        notice: &'static str,
        /// The account is suspended; it is not about the message.
        sanction: bool,
    },
    /// The account sends too fast.
    RateLimited {
        /// After how long the next message will be taken.
        retry_after: Duration,
    },
    /// The platform is out of order.
    Down,
}

/// Something that a recipient sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// When.
    pub at: Timestamp,
    /// Who sees it.
    pub to: Member,
    /// A message or a retraction.
    pub kind: ObservationKind,
    /// The message, or the message that is taken away again.
    pub message: MessageNumber,
    /// Who sent it.
    pub sender: Member,
    /// Where.
    pub place: Place,
    /// The text as it arrives; `None` for a retraction.
    pub text: Option<Arc<str>>,
    /// The file that comes with it.
    pub file: Option<DeliveredFile>,
}

/// What a rule does to a message for one recipient.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Act {
    action: Action,
    after: Duration,
    /// The rule about texts that says it; a mask needs its components.
    rule: Option<RuleIndex>,
}

/// A delivery that is not due yet. The earliest is the greatest, as a [`BinaryHeap`] wants it.
struct Due {
    tie: u64,
    delivery: Delivery,
}

impl Due {
    fn key(&self) -> (Timestamp, u64) {
        (self.delivery.at, self.tie)
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

/// Deliveries on their way.
struct Transit {
    outages: Outages,
    due: BinaryHeap<Due>,
    scheduled: u64,
}

impl Transit {
    /// Lets a delivery happen, unless its recipient is deaf at that time.
    fn schedule(&mut self, accounts: &[AccountRecord], delivery: Delivery) {
        if !self.outages.is_deaf(delivery.at, &accounts[delivery.to.get()].profile.id) {
            self.due.push(Due { tie: self.scheduled, delivery });
            self.scheduled += 1;
        }
    }

    /// Schedules a message and, where there is one, its second copy.
    fn send(&mut self, accounts: &[AccountRecord], message: Delivery, second: Option<Timestamp>) {
        let copy = second.map(|at| Delivery { at, ..message.clone() });
        self.schedule(accounts, message);
        if let Some(copy) = copy {
            self.schedule(accounts, copy);
        }
    }
}

/// A censoring platform and its network. See the [module](super) for what decides over a message.
///
/// The indices that its methods take must come from the same world; they panic on others, as an index does.
pub struct World {
    seed: u64,
    rules: Rules,
    network: Network,
    sanctions: Option<Sanctions>,
    transit: Transit,
    accounts: Vec<AccountRecord>,
    conduct: Vec<Conduct>,
    venues: Vec<VenueRecord>,
    /// How many venues there are of one kind with the same members.
    alike: HashMap<(VenueKind, Vec<Member>), u32>,
    accepted: u64,
    scratch: Scratch,
    decisions: Vec<Option<Act>>,
    file_rules: FileRules,
    handling: FileHandling,
    /// By MD5: the first file, where each is stored once.
    stored: HashMap<Arc<str>, Arc<Upload>>,
}

impl World {
    /// An empty platform. The outages of the policy count from `started_at`.
    #[must_use]
    pub fn new(policy: &Policy, seed: u64, started_at: Timestamp) -> Self {
        Self {
            seed,
            rules: Rules::new(&policy.rules, seed),
            network: Network::new(&policy.network),
            sanctions: policy.sanctions.clone(),
            transit: Transit { outages: Outages::new(&policy.outages, started_at), due: BinaryHeap::new(), scheduled: 0 },
            accounts: Vec::new(),
            conduct: Vec::new(),
            venues: Vec::new(),
            alike: HashMap::new(),
            accepted: 0,
            scratch: Scratch::default(),
            decisions: Vec::new(),
            file_rules: FileRules::new(&policy.file_rules, policy.files.reencode, seed),
            handling: policy.files,
            stored: HashMap::new(),
        }
    }

    /// Registers an account.
    pub fn add_account(&mut self, profile: AccountProfile) -> Member {
        let member = Member(u32::try_from(self.accounts.len()).unwrap_or(u32::MAX));
        self.accounts.push(AccountRecord {
            as_sender: self.rules.for_sender(&profile),
            as_recipient: self.rules.for_recipient(&profile),
            profile,
        });
        self.conduct.push(Conduct::default());
        member
    }

    /// Opens a venue. The first member of a feed owns it. A member that is named twice is in it once.
    pub fn add_venue(&mut self, kind: VenueKind, members: &[Member]) -> Place {
        let place = Place(u32::try_from(self.venues.len()).unwrap_or(u32::MAX));
        let mut distinct: Vec<Member> = Vec::with_capacity(members.len());
        for &member in members {
            if !distinct.contains(&member) {
                distinct.push(member);
            }
        }
        let mut sorted = distinct.clone();
        sorted[usize::from(kind == VenueKind::Feed).min(distinct.len())..].sort_unstable();
        let count = self.alike.entry((kind, sorted)).or_default();
        let ordinal = *count;
        *count += 1;
        let profiles = distinct.iter().map(|member| &self.accounts[member.get()].profile);
        self.venues.push(VenueRecord {
            rules: self.rules.for_venue(kind, &profiles),
            channels: distinct.iter().map(|_| None).collect(),
            venue: Venue { kind, members: distinct, ordinal },
        });
        place
    }

    /// The account behind an index.
    #[must_use]
    pub fn profile(&self, member: Member) -> &AccountProfile {
        &self.accounts[member.get()].profile
    }

    /// Somebody sends a text. For one sender `now` must not go back: the rate limit and the order on a path count on it.
    pub fn submit(&mut self, now: Timestamp, sender: Member, place: Place, text: &Arc<str>) -> Submission {
        self.submit_file(now, sender, place, text, None)
    }

    /// Somebody sends a text, or a file with a caption.
    #[expect(
        clippy::too_many_lines,
        reason = "one message from its arrival to its fates, in the order in which they are decided"
    )]
    pub fn submit_file(
        &mut self,
        now: Timestamp,
        sender: Member,
        place: Place,
        text: &Arc<str>,
        file: Option<&Arc<Upload>>,
    ) -> Submission {
        if self.transit.outages.is_down(now) {
            return Submission::Down;
        }
        if let Some(sanctions) = &self.sanctions {
            let conduct = &mut self.conduct[sender.get()];
            if conduct.is_suspended(sanctions) {
                return Submission::Refused { notice: NOTICE_SUSPENDED, sanction: true };
            }
            if let Err(retry_after) = conduct.take(sanctions, now) {
                return Submission::RateLimited { retry_after };
            }
        }
        let VenueRecord { venue, channels, rules: venue_rules } = &mut self.venues[place.get()];
        let Some(position) = venue.members.iter().position(|&member| member == sender) else {
            return Submission::Refused { notice: NOTICE_NO_MEMBER, sanction: false };
        };
        if venue.kind == VenueKind::Feed && position != 0 {
            return Submission::Refused { notice: NOTICE_NOT_OWNER, sanction: false };
        }
        let channel = channels[position].get_or_insert_with(|| open_channel(self.seed, &self.accounts, venue, sender));
        let n = channel.sent;
        channel.sent += 1;

        self.rules.meet(text, &mut self.scratch);
        let as_sender = &self.accounts[sender.get()].as_sender;
        self.decisions.clear();
        let members: Vec<&AccountProfile> = match file {
            Some(_) => venue.members.iter().map(|member| &self.accounts[member.get()].profile).collect(),
            None => Vec::new(),
        };
        let exchange = |to: Member| Exchange {
            sender: &self.accounts[sender.get()].profile,
            recipient: &self.accounts[to.get()].profile,
            venue: venue.kind,
            members: &members,
        };
        self.decisions.extend(channel.paths.iter().map(|path| {
            let masks = [as_sender, &self.accounts[path.to.get()].as_recipient, &*venue_rules];
            let rule = Rules::decide(&self.scratch.met, masks, |rule| self.rules.acts(rule, channel.key, path.key, n));
            if let Some(index) = rule {
                let rule = self.rules.rule(index);
                return Some(Act { action: rule.action, after: rule.after, rule: Some(index) });
            }
            let rule = self.file_rules.decide(now, file?, exchange(path.to), channel.key, path.key, n)?;
            Some(Act { action: rule.action, after: rule.after, rule: None })
        }));
        if let Some(file) = file {
            self.file_rules.analyse(now, file, &channel.paths.iter().map(|path| exchange(path.to)));
        }
        let delivered = file.map(|file| {
            let stored = self.stored.entry(Arc::clone(&file.md5)).or_insert_with(|| Arc::clone(file));
            let upload = Arc::clone(if self.handling.deduplicate { stored } else { file });
            DeliveredFile { reencoded: self.handling.reencode && upload.is_picture, upload }
        });
        let is_refused = self.decisions.iter().flatten().any(|act| act.action == Action::Refuse);
        let is_hit = self.decisions.iter().any(Option::is_some);
        let is_suppressed = self.sanctions.as_ref().is_some_and(|limits| self.conduct[sender.get()].submit(limits, is_hit));

        let is_delivered = !is_suppressed && !is_refused && !self.transit.outages.swallows(now);
        let message = MessageNumber(self.accepted);
        let mut masked: Option<(RuleIndex, Arc<str>)> = None;
        for (path, decision) in channel.paths.iter_mut().zip(self.decisions.drain(..)) {
            // The chain moves for every message of the path, so that its state depends on their number alone.
            if self.network.loses(path, n) || !is_delivered {
                continue;
            }
            let arrival = self.network.arrival(path, n, now);
            let message = Delivery {
                at: arrival.first,
                to: path.to,
                kind: ObservationKind::Message,
                message,
                sender,
                place,
                text: Some(Arc::clone(text)),
                file: delivered.clone(),
            };
            match decision {
                None => self.transit.send(&self.accounts, message, arrival.second),
                Some(Act { action: Action::Drop | Action::Refuse, .. } | Act { action: Action::Mask, rule: None, .. }) => {}
                Some(Act { action: Action::Mask, rule: Some(index), .. }) => {
                    let text = match &masked {
                        Some((by, masked)) if *by == index => Arc::clone(masked),
                        _ => self.rules.mask(index, text).into(),
                    };
                    masked = Some((index, Arc::clone(&text)));
                    self.transit.send(&self.accounts, Delivery { text: Some(text), ..message }, arrival.second);
                }
                Some(Act { action: Action::Hold, after, .. }) => {
                    let held = Delivery { at: arrival.first + after, ..message };
                    self.transit.send(&self.accounts, held, arrival.second.map(|at| at + after));
                }
                Some(Act { action: Action::Retract, after, .. }) => {
                    let at = arrival.second.unwrap_or(arrival.first) + after;
                    let retraction = Delivery { at, kind: ObservationKind::Retraction, text: None, file: None, ..message };
                    self.transit.send(&self.accounts, message, arrival.second);
                    self.transit.schedule(&self.accounts, retraction);
                }
            }
        }

        if is_refused && !is_suppressed {
            return Submission::Refused { notice: NOTICE_REFUSED, sanction: false };
        }
        self.accepted += 1;
        Submission::Accepted { message }
    }

    /// When the next delivery is due; `None` if nothing is on its way.
    #[must_use]
    pub fn next_delivery_at(&self) -> Option<Timestamp> {
        self.transit.due.peek().map(|due| due.delivery.at)
    }

    /// How many deliveries are on their way.
    #[must_use]
    pub fn in_transit(&self) -> usize {
        self.transit.due.len()
    }

    /// Moves everything that is due to the end of `out`, the earliest first; what is due at the same time comes in the order
    /// of sending.
    pub fn deliver_due(&mut self, now: Timestamp, out: &mut Vec<Delivery>) {
        while self.next_delivery_at().is_some_and(|at| at <= now) {
            out.extend(self.transit.due.pop().map(|due| due.delivery));
        }
    }

    /// The policy's truth: the rule that decides over this text for this recipient. Chances are left aside: a rule counts
    /// if it ever acts. A refusal concerns everybody in the venue, also recipients for whom no rule holds.
    #[must_use]
    pub fn rule_for(&self, sender: Member, recipient: Member, place: Place, text: &str) -> Option<&Rule> {
        let mut scratch = Scratch::default();
        self.rules.meet(text, &mut scratch);
        let venue = &self.venues[place.get()];
        let decide = |to: Member| {
            let masks = [&self.accounts[sender.get()].as_sender, &self.accounts[to.get()].as_recipient, &venue.rules];
            Rules::decide(&scratch.met, masks, |rule| self.rules.rule(rule).enforcement > 0.0)
        };
        let others = venue.venue.members.iter().filter(|&&member| member != sender);
        let refusal = others.filter_map(|&to| decide(to)).filter(|&rule| self.rules.action(rule) == Action::Refuse).min();
        refusal.or_else(|| decide(recipient)).map(|rule| self.rules.rule(rule))
    }
}

/// What a sender sends on in a venue: its paths, each with a key made of names.
fn open_channel(seed: u64, accounts: &[AccountRecord], venue: &Venue, sender: Member) -> Channel {
    let name = |member: &Member| accounts[member.get()].profile.id.as_str();
    let mut members: Vec<&str> = venue.members.iter().map(name).collect();
    members[usize::from(venue.kind == VenueKind::Feed).min(venue.members.len())..].sort_unstable();
    let ordinal = venue.ordinal.to_string();
    let key = |label, last: &[&str]| {
        let names = [name(&sender), venue.kind.as_str(), ordinal.as_str()];
        Key::new(label, seed, names.into_iter().chain(last.iter().copied()).chain(members.iter().copied()))
    };
    Channel {
        key: key("lacuna simulator channel 1", &[]),
        sent: 0,
        paths: venue
            .members
            .iter()
            .filter(|&&member| member != sender)
            .map(|to| Path::new(*to, key("lacuna simulator path 1", &[name(to)])))
            .collect(),
    }
}
