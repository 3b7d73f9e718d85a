//! `[[arm]]`: who sends to whom, and the venues and channels that follow from it.

use std::collections::{HashMap, HashSet};

use lacuna_model::{AccountIx, Arm, ArmId, ArmIx, Channel, ChannelIx, Venue, VenueId, VenueIx, VenueKind};

use super::accounts::Accounts;
use crate::toml_reader::{Cursor, Found, Problems};

/// The arms with their venues and channels.
#[derive(Default)]
pub(crate) struct Arms {
    pub(crate) list: Vec<Arm>,
    pub(crate) venues: Vec<Venue>,
    pub(crate) channels: Vec<Channel>,
    by_id: HashMap<VenueId, VenueIx>,
    paths: usize,
}

/// More pairs of sender and recipient have no place in the indices of a study, which have 16 bits.
const MOST_PATHS: usize = 65_000;

/// One arm as the file has it.
struct Written<'a> {
    table: &'a Cursor<'a>,
    id: String,
    kind: VenueKind,
    senders: Vec<AccountIx>,
    recipients: Vec<AccountIx>,
    room: Option<Found<String>>,
}

impl Arms {
    pub(crate) fn read(root: &Cursor<'_>, accounts: &Accounts, problems: &Problems) -> Self {
        let mut all = Self::default();
        for table in &root.tables("arm") {
            let senders = side(table, "senders", accounts, problems);
            let recipients = side(table, "recipients", accounts, problems);
            let sending: HashSet<AccountIx> = senders.iter().map(|(account, _)| *account).collect();
            for (account, written) in &recipients {
                if sending.contains(account) {
                    let message = format!("`{}` stands on both sides of the arm", written.value);
                    table.report(written, &message, "take it out of `senders` or out of `recipients`", problems);
                }
            }
            let (Some(id), Some(kind)) = (table.text("id"), table.text("venue").and_then(|kind| venue_kind(&kind.value))) else {
                continue;
            };
            let written = Written {
                table,
                id: id.value,
                kind,
                senders: senders.into_iter().map(|(account, _)| account).collect(),
                recipients: recipients.into_iter().map(|(account, _)| account).collect(),
                room: table.text("venue-id"),
            };
            if !room_fits(&written, problems) {
                continue;
            }
            all.paths = all.paths.saturating_add(written.senders.len().saturating_mul(written.recipients.len()));
            if all.paths > MOST_PATHS || all.add(&written, accounts, problems).is_none() {
                let message = format!("the arms up to this one have more than {MOST_PATHS} pairs of sender and recipient");
                table.report(&table.here(), &message, "name fewer senders or recipients", problems);
                break;
            }
        }
        all
    }

    /// `None` if an index is used up.
    fn add(&mut self, written: &Written<'_>, accounts: &Accounts, problems: &Problems) -> Option<()> {
        let arm = ArmIx(u16::try_from(self.list.len()).ok()?);
        let mut channels = Vec::new();
        let mut add_channel = |all: &mut Self, sender, venue, recipients| {
            channels.push(ChannelIx(u16::try_from(all.channels.len()).ok()?));
            all.channels.push(Channel { arm, sender, venue, recipients });
            Some(())
        };
        let (senders, recipients) = (&written.senders, &written.recipients);
        let room = written.room.as_ref().map(|room| format!("room:{}", room.value));
        match written.kind {
            VenueKind::Direct => {
                for (sender, recipient) in
                    senders.iter().flat_map(|&sender| recipients.iter().map(move |&recipient| (sender, recipient)))
                {
                    let mut members = vec![sender, recipient];
                    members.sort_by_key(|&member| accounts.name(member));
                    let id = format!("direct:{}+{}", accounts.name(members[0]), accounts.name(members[1]));
                    let venue = self.venue(written, id, members, problems)?;
                    add_channel(self, sender, venue, vec![recipient])?;
                }
            }
            VenueKind::Group => {
                let members = senders.iter().chain(recipients).copied().collect();
                let venue = self.venue(written, room.unwrap_or_else(|| format!("group:{}", written.id)), members, problems)?;
                for &sender in senders {
                    add_channel(self, sender, venue, recipients.clone())?;
                }
            }
            VenueKind::Feed => {
                for &sender in senders {
                    let id = room.clone().unwrap_or_else(|| format!("feed:{}:{}", written.id, accounts.name(sender)));
                    let members = std::iter::once(sender).chain(recipients.iter().copied()).collect();
                    let venue = self.venue(written, id, members, problems)?;
                    add_channel(self, sender, venue, recipients.clone())?;
                }
            }
        }
        self.list.push(Arm {
            id: ArmId::new(written.id.as_str()),
            venue: written.kind,
            senders: senders.clone(),
            recipients: recipients.clone(),
            channels,
        });
        Some(())
    }

    /// The venue with this id; its members join an earlier one that is the same place.
    fn venue(&mut self, written: &Written<'_>, id: String, members: Vec<AccountIx>, problems: &Problems) -> Option<VenueIx> {
        let id = VenueId::new(id);
        if let Some(&index) = self.by_id.get(&id) {
            let venue = &mut self.venues[index.get()];
            let same_owner = venue.kind != VenueKind::Feed || venue.members.first() == members.first();
            if let Some(room) = &written.room {
                if venue.kind != written.kind {
                    let message = format!("another arm calls `{}` a {}", room.value, venue.kind.as_str());
                    written.table.report(room, &message, "give both arms the same `venue`", problems);
                } else if !same_owner {
                    let message = format!("another arm has another sender in the feed `{}`", room.value);
                    written.table.report(room, &message, "a feed has one owner: name that one as sender of both arms", problems);
                }
            }
            let known: HashSet<AccountIx> = venue.members.iter().copied().collect();
            venue.members.extend(members.into_iter().filter(|member| !known.contains(member)));
            return Some(index);
        }
        let index = VenueIx(u16::try_from(self.venues.len()).ok()?);
        let existing = written.room.as_ref().map(|room| room.value.clone());
        self.venues.push(Venue { id: id.clone(), kind: written.kind, members, existing });
        self.by_id.insert(id, index);
        Some(index)
    }
}

/// The accounts of one side that exist, each with its place in the file.
fn side(arm: &Cursor<'_>, key: &str, accounts: &Accounts, problems: &Problems) -> Vec<(AccountIx, Found<String>)> {
    let mut known: Vec<(AccountIx, Found<String>)> = Vec::new();
    let mut seen = HashSet::new();
    for name in arm.texts(key) {
        match accounts.find(&name.value) {
            // One that stands twice was reported.
            Some(account) if seen.insert(account) => known.push((account, name)),
            Some(_) => {}
            None => accounts.report_unknown(&name, arm, problems),
        }
    }
    known
}

/// Reports a room that an arm of this kind cannot have.
fn room_fits(written: &Written<'_>, problems: &Problems) -> bool {
    let Some(room) = &written.room else { return true };
    if written.kind == VenueKind::Direct {
        let fix = "leave `venue-id` out, or use venue = \"group\"";
        written.table.report(room, "a direct conversation has no `venue-id`", fix, problems);
        return false;
    }
    if written.kind == VenueKind::Feed && written.senders.len() > 1 {
        let fix = "give the arm one sender, or leave `venue-id` out";
        written.table.report(room, "an existing feed has one owner, and this arm has several senders", fix, problems);
        return false;
    }
    true
}

/// The kind of venue behind its name in a file.
pub(crate) fn venue_kind(name: &str) -> Option<VenueKind> {
    [VenueKind::Direct, VenueKind::Group, VenueKind::Feed].into_iter().find(|kind| kind.as_str() == name)
}
