//! Which sides can be compared: a question about the study alone.
//!
//! The accounts of a side are recipients, or for a factor of the sender, senders. Where one arm holds both levels, it is compared
//! within itself, because there everything else is the same indeed; the arms of a single level are compared with each other.

use std::collections::{BTreeMap, BTreeSet};

use lacuna_model::{AccountIx, ArmIx, ChannelIx, CountryCode, Study, VenueKind};

use super::venue_level;

/// What differs between two sides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Factor {
    /// Where the recipient was registered.
    RecipientRegisteredIn,
    /// Where the sender was registered.
    SenderRegisteredIn,
    /// Where the recipient connects from.
    RecipientLocatedIn,
    /// Where the sender connects from.
    SenderLocatedIn,
    /// The kind of venue.
    Venue,
}

impl Factor {
    /// All, in the order of the rows.
    pub const ALL: [Self; 5] =
        [Self::RecipientRegisteredIn, Self::SenderRegisteredIn, Self::RecipientLocatedIn, Self::SenderLocatedIn, Self::Venue];

    /// As the files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RecipientRegisteredIn => "recipient_registered_in",
            Self::SenderRegisteredIn => "sender_registered_in",
            Self::RecipientLocatedIn => "recipient_located_in",
            Self::SenderLocatedIn => "sender_located_in",
            Self::Venue => "venue",
        }
    }

    /// Whether the accounts of a side are senders.
    fn is_of_sender(self) -> bool {
        matches!(self, Self::SenderRegisteredIn | Self::SenderLocatedIn)
    }
}

/// How far a claim reaches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// Two accounts or more on each side.
    Region,
    /// These accounts, and nobody else.
    AccountPair,
}

/// What both sides share. A value is empty where the accounts of the arms differ in it, and for the factor itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Context {
    /// Where the senders were registered.
    pub sender_registered_in: Option<CountryCode>,
    /// Where the senders connect from.
    pub sender_located_in: Option<CountryCode>,
    /// Where the recipients were registered.
    pub recipient_registered_in: Option<CountryCode>,
    /// Where the recipients connect from.
    pub recipient_located_in: Option<CountryCode>,
    /// The kind of venue.
    pub venue: Option<VenueKind>,
    /// Senders of several regions take turns: every pair of regions among them.
    senders: BTreeSet<(CountryCode, CountryCode)>,
}

/// One account of a side, and where it is looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The account: a recipient, or a sender.
    pub account: AccountIx,
    /// The channels, each with the recipients whose outcomes count. One message is one observation.
    pub paths: Vec<(ChannelIx, Vec<AccountIx>)>,
}

/// One side.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Side {
    /// The accounts.
    pub members: Vec<Member>,
    /// The arms they are in.
    pub arms: Vec<ArmIx>,
    /// The recipients.
    pub recipients: BTreeSet<AccountIx>,
    /// The senders.
    pub senders: BTreeSet<AccountIx>,
}

/// Two sides that differ in one factor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comparison {
    /// What differs.
    pub factor: Factor,
    /// How far a claim reaches.
    pub scope: Scope,
    /// The two levels, in their alphabetical order.
    pub levels: [String; 2],
    /// The sides, as the levels.
    pub sides: [Side; 2],
    /// What is equal.
    pub context: Context,
}

/// An account in one arm, and what is known of it.
struct Place {
    arm: ArmIx,
    member: Member,
    level: String,
    context: Context,
}

/// Every comparison of a study.
#[must_use]
pub fn comparisons(study: &Study) -> Vec<Comparison> {
    let mut found = Vec::new();
    for factor in Factor::ALL {
        // Within one arm, if it is named; else between the arms that have one level only.
        let mut groups: BTreeMap<(Context, Option<ArmIx>), BTreeMap<String, Vec<Place>>> = BTreeMap::new();
        for arm in (0u16..).map(ArmIx).take(study.arms.len()) {
            let mut of_arm: BTreeMap<Context, BTreeMap<String, Vec<Place>>> = BTreeMap::new();
            for place in places(study, arm, factor) {
                of_arm.entry(place.context.clone()).or_default().entry(place.level.clone()).or_default().push(place);
            }
            for (context, levels) in of_arm {
                let within = (levels.len() > 1).then_some(arm);
                let group = groups.entry((context, within)).or_default();
                for (level, places) in levels {
                    group.entry(level).or_default().extend(places);
                }
            }
        }
        for ((context, _), levels) in groups {
            let levels: Vec<(String, Vec<Place>)> = levels.into_iter().collect();
            for (first, (level_a, a)) in levels.iter().enumerate() {
                for (level_b, b) in &levels[first + 1..] {
                    compare(study, factor, &context, [(level_a, a), (level_b, b)], &mut found);
                }
            }
        }
    }
    found
}

/// The accounts of an arm that stand on a side for this factor.
fn places(study: &Study, arm: ArmIx, factor: Factor) -> Vec<Place> {
    let it = study.arm(arm);
    let region = |account: AccountIx| (study.account(account).registered_in, study.account(account).located_in);
    let all_senders: BTreeSet<_> = it.senders.iter().map(|sender| region(*sender)).collect();
    let context = |senders: BTreeSet<(CountryCode, CountryCode)>, recipient: (CountryCode, CountryCode)| {
        let alone = |get: fn(&(CountryCode, CountryCode)) -> CountryCode| super::only(senders.iter().map(get));
        let mut context = Context {
            sender_registered_in: alone(|it| it.0),
            sender_located_in: alone(|it| it.1),
            recipient_registered_in: Some(recipient.0),
            recipient_located_in: Some(recipient.1),
            venue: Some(it.venue),
            senders,
        };
        match factor {
            Factor::RecipientRegisteredIn => context.recipient_registered_in = None,
            Factor::RecipientLocatedIn => context.recipient_located_in = None,
            Factor::SenderRegisteredIn => context.sender_registered_in = None,
            Factor::SenderLocatedIn => context.sender_located_in = None,
            Factor::Venue => context.venue = None,
        }
        if factor.is_of_sender() {
            context.senders.clear();
        }
        context
    };
    if factor.is_of_sender() {
        let regions: BTreeSet<_> = it.recipients.iter().map(|recipient| region(*recipient)).collect();
        let mut places = Vec::new();
        for sender in &it.senders {
            for recipients in &regions {
                let channels = it.channels.iter().filter(|channel| study.channel(**channel).sender == *sender);
                let reached = channels.map(|channel| {
                    let all = study.channel(*channel).recipients.iter();
                    (*channel, all.copied().filter(|recipient| region(*recipient) == *recipients).collect::<Vec<_>>())
                });
                let paths: Vec<_> = reached.filter(|(_, recipients)| !recipients.is_empty()).collect();
                if paths.is_empty() {
                    continue;
                }
                let (registered, located) = region(*sender);
                let level = if factor == Factor::SenderRegisteredIn { registered } else { located };
                places.push(Place {
                    arm,
                    member: Member { account: *sender, paths },
                    level: level.to_string(),
                    context: context(BTreeSet::from([region(*sender)]), *recipients),
                });
            }
        }
        return places;
    }
    let place = |recipient: &AccountIx| {
        let reaching = it.channels.iter().filter(|channel| study.channel(**channel).recipients.contains(recipient));
        let (registered, located) = region(*recipient);
        let level = match factor {
            Factor::RecipientRegisteredIn => registered.to_string(),
            Factor::RecipientLocatedIn => located.to_string(),
            _ => venue_level(it.venue),
        };
        let paths = reaching.map(|channel| (*channel, vec![*recipient])).collect();
        Place {
            arm,
            member: Member { account: *recipient, paths },
            level,
            context: context(all_senders.clone(), region(*recipient)),
        }
    };
    it.recipients.iter().map(place).collect()
}

/// The comparison of two levels as regions, or else of their accounts in pairs.
fn compare(study: &Study, factor: Factor, context: &Context, levels: [(&String, &Vec<Place>); 2], found: &mut Vec<Comparison>) {
    let accounts = levels.map(|(_, places)| places.iter().map(|place| place.member.account).collect::<BTreeSet<_>>());
    let comparison = |scope, sides| Comparison {
        factor,
        scope,
        levels: levels.map(|(level, _)| level.clone()),
        sides,
        context: context.clone(),
    };
    if accounts.iter().all(|accounts| accounts.len() >= 2) {
        let sides = levels.map(|(_, places)| side(study, places.iter()));
        found.push(comparison(Scope::Region, sides));
        return;
    }
    let [of_a, of_b] = &accounts;
    for a in of_a {
        for b in of_b {
            // An account that is on both sides is best compared with itself.
            if a != b && (of_b.contains(a) || of_a.contains(b)) {
                continue;
            }
            let of = |nth: usize, account: AccountIx| {
                side(study, levels[nth].1.iter().filter(|place| place.member.account == account))
            };
            found.push(comparison(Scope::AccountPair, [of(0, *a), of(1, *b)]));
        }
    }
}

fn side<'a>(study: &Study, places: impl Iterator<Item = &'a Place>) -> Side {
    let mut side = Side::default();
    for place in places {
        for (channel, recipients) in &place.member.paths {
            side.senders.insert(study.channel(*channel).sender);
            side.recipients.extend(recipients);
        }
        match side.members.iter_mut().find(|member| member.account == place.member.account) {
            Some(member) => member.paths.extend(place.member.paths.iter().cloned()),
            None => side.members.push(place.member.clone()),
        }
        side.arms.push(place.arm);
    }
    side
}
