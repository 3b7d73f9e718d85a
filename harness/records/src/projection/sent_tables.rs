//! `sent.csv`, `probe_items.csv` and `received.csv`: what left and what came in.

use std::collections::HashMap;
use std::sync::Arc;

use lacuna_content::{md5_hex, sha256_hex};
use lacuna_inference::evidence::ProbeRecord;
use lacuna_model::{
    Channel, ContentKind, EntrySequence, FileFacts, FileFormat, Item, ItemIx, Observation, ObservationKind, ProbeId, Purpose,
    Role, SendState, Study, Timestamp, VenueKind,
};

use super::cell::Cell;
use super::rule_tables::characters;
use super::table::{Column, ForeignKey, Form, Table, column};

/// A text and its hashes.
#[derive(Debug)]
pub(super) struct Content {
    text: Arc<str>,
    sha256: String,
    md5: String,
}

/// Every text of a run once: controls and retests repeat themselves, and hashing them once keeps memory flat.
#[derive(Debug, Default)]
pub(super) struct Contents {
    known: HashMap<Arc<str>, Arc<Content>>,
}

impl Contents {
    /// A text that was sent; it is kept.
    pub fn sent(&mut self, text: &Arc<str>) -> Arc<Content> {
        let known = self.known.entry(Arc::clone(text));
        Arc::clone(known.or_insert_with(|| Arc::new(Content::of(text))))
    }

    /// A text that was received; one that nobody sent is not kept.
    pub fn received(&self, text: &Arc<str>) -> Arc<Content> {
        self.known.get(text).map_or_else(|| Arc::new(Content::of(text)), Arc::clone)
    }
}

impl Content {
    fn of(text: &Arc<str>) -> Self {
        Self { text: Arc::clone(text), sha256: sha256_hex(text.as_bytes()), md5: md5_hex(text.as_bytes()) }
    }
}

/// One probe.
pub(super) struct SentRow<'a> {
    pub study: &'a Study,
    pub record: &'a ProbeRecord,
    /// What was handed over; `None` if it never was.
    pub content: Option<&'a Content>,
    /// The time block that it belongs to; `None` if it was never sent.
    pub time_block: Option<u32>,
}

impl SentRow<'_> {
    fn channel(&self) -> &Channel {
        self.study.channel(self.record.probe.channel)
    }

    /// The only item, or the first of several texts.
    fn item(&self) -> Option<&Item> {
        self.record.probe.items.first().map(|item| self.study.item(*item))
    }
}

/// One item of one probe.
pub(super) struct ProbeItemRow<'a> {
    pub study: &'a Study,
    pub probe: ProbeId,
    pub position: u32,
    pub item: ItemIx,
}

/// One observation.
pub(super) struct ReceivedRow<'a> {
    pub study: &'a Study,
    pub sequence: EntrySequence,
    pub at: Timestamp,
    pub observation: Observation,
    pub content: Option<Arc<Content>>,
}

pub(super) fn venue_words() -> Form {
    Form::Word([VenueKind::Direct, VenueKind::Group, VenueKind::Feed].map(VenueKind::as_str).to_vec())
}

pub(super) fn role_words() -> Form {
    Form::Word([Role::Control, Role::Candidate, Role::Canary].map(Role::as_str).to_vec())
}

/// What a message consists of: a text alone, or a file with a caption.
trait Carried {
    fn text(&self) -> Option<&Content>;
    fn file(&self) -> Option<&FileFacts>;
    fn kind(&self) -> Option<ContentKind>;
}

impl Carried for SentRow<'_> {
    fn text(&self) -> Option<&Content> {
        self.content
    }

    fn file(&self) -> Option<&FileFacts> {
        self.item().and_then(|item| item.file.as_ref()).map(|file| &file.facts)
    }

    fn kind(&self) -> Option<ContentKind> {
        self.item().map(|item| item.kind)
    }
}

impl Carried for ReceivedRow<'_> {
    fn text(&self) -> Option<&Content> {
        self.content.as_deref()
    }

    fn file(&self) -> Option<&FileFacts> {
        self.observation.file.as_ref().map(|file| &file.facts)
    }

    fn kind(&self) -> Option<ContentKind> {
        match self.file() {
            Some(file) if matches!(file.format, FileFormat::Pdf | FileFormat::Docx | FileFormat::Txt | FileFormat::Other) => {
                Some(ContentKind::Document)
            }
            Some(_) => Some(ContentKind::Image),
            None => self.text().map(|_| ContentKind::Text),
        }
    }
}

fn of_file<R: Carried>(row: &R, cell: impl Fn(&FileFacts) -> Cell<'_>) -> Cell<'_> {
    row.file().map_or(Cell::Missing, cell)
}

/// The columns of a content, the same in both tables.
fn content_columns<R: Carried>() -> Vec<Column<R>> {
    let kinds = ContentKind::ALL.map(ContentKind::as_str).to_vec();
    vec![
        column("content_kind", Form::Word(kinds), "What the message consists of.", |row: &R| {
            row.kind().map_or(Cell::Missing, |kind| Cell::word(kind.as_str()))
        }),
        column("file_name", Form::Text, "The name of its file; empty for text.", |row| {
            of_file(row, |file| Cell::text(&*file.name))
        }),
        column(
            "content_sha256",
            Form::Text,
            "SHA-256 of the file, which lies in files/ under it, or of the text in UTF-8.",
            |row| match row.file() {
                Some(file) => Cell::word(&file.sha256),
                None => row.text().map_or(Cell::Missing, |it| Cell::word(&it.sha256)),
            },
        ),
        column("content_md5", Form::Text, "MD5 of the file, by which platforms block files, or of the text in UTF-8.", |row| {
            match row.file() {
                Some(file) => Cell::word(&file.md5),
                None => row.text().map_or(Cell::Missing, |it| Cell::word(&it.md5)),
            }
        }),
        column("content_bytes", Form::Integer, "The length of the file, or of the text in UTF-8.", |row| match row.file() {
            Some(file) => Cell::display(file.bytes),
            None => row.text().map_or(Cell::Missing, |it| Cell::display(it.text.len())),
        }),
        column("width", Form::Integer, "Width of a picture in pixels; empty for anything else.", |row| {
            row.file().and_then(|file| file.width).into()
        }),
        column("height", Form::Integer, "Height of a picture in pixels; empty for anything else.", |row| {
            row.file().and_then(|file| file.height).into()
        }),
        column("perceptual_hash", Form::Text, "Perceptual hash of a picture; empty for anything else.", |row| {
            of_file(row, |file| file.perceptual_hash.as_deref().map_or(Cell::Missing, Cell::word))
        }),
        column("text", Form::Text, "The text, or the caption of the file, exactly as it was handed over or received.", |row| {
            row.text().map_or(Cell::Missing, |it| Cell::text(&*it.text))
        }),
    ]
}

fn fragments<'r>(row: &'r SentRow<'_>) -> Cell<'r> {
    let Some(excerpt) = &row.record.probe.excerpt else { return Cell::Missing };
    let text = row.study.joined(&row.record.probe.items);
    // What is no part of the text is left out of the message too.
    let places = excerpt.fragments.iter().filter_map(|range| characters(&text, &(range.start as usize..range.end as usize)));
    let shown: Vec<String> = places.map(|place| format!("{}-{}", place.start, place.end)).collect();
    Cell::display(shown.join(";"))
}

/// `sent.csv`
pub(super) fn sent<'a>() -> Table<SentRow<'a>> {
    let purposes = Purpose::ALL.iter().map(|it| it.as_str()).collect();
    let states = SendState::ALL.iter().map(|it| it.as_str()).collect();
    let mut columns: Vec<Column<SentRow<'a>>> = vec![
        column("probe_id", Form::Text, "The send.", |row| row.record.probe.id.into()),
        column("sequence", Form::Integer, "Its place in the order in which the sends were planned, from 0.", |row| {
            row.record.probe.id.0.into()
        }),
        column("arm_id", Form::Text, "The arm.", |row| Cell::text(row.study.arm(row.channel().arm).id.as_str())),
        column("role", role_words(), "Why its items are sent.", |row| Cell::word(row.record.probe.role.as_str())),
        column("purpose", Form::Word(purposes), "What the send is for.", |row| Cell::word(row.record.probe.purpose.as_str())),
        column("attempt", Form::Integer, "The how-manieth send of the item on this arm, from 1.", |row| {
            row.record.probe.attempt.into()
        }),
        column(
            "time_block",
            Form::Integer,
            "The time block of the arm, from 0: the hours of UTC, taken together until a block can tell its loss from the rest.",
            |row| row.time_block.into(),
        ),
        column("sender_account", Form::Text, "The sending account.", |row| {
            Cell::text(row.study.account(row.channel().sender).id.as_str())
        }),
        column("client", Form::Text, "The client of the sending account, as far as it was stated.", |row| {
            row.study.account(row.channel().sender).client.as_deref().map_or(Cell::Missing, Cell::text)
        }),
        column("venue", venue_words(), "The kind of place.", |row| {
            Cell::word(row.study.venue(row.channel().venue).kind.as_str())
        }),
        column("venue_id", Form::Text, "The place.", |row| Cell::text(row.study.venue(row.channel().venue).id.as_str())),
    ];
    columns.extend(content_columns());
    columns.extend([
        column("sent_at", Form::Time, "When it was handed to the platform; empty if it never was.", |row: &SentRow<'a>| {
            row.record.started_at.into()
        }),
        column("accepted_at", Form::Time, "When the platform took it; empty if it did not.", |row| {
            row.record.resolved_at.filter(|_| row.record.is_accepted()).into()
        }),
        column("send_state", Form::Word(states), "How the hand-over ended; empty while it is under way.", |row| {
            row.record.send_state.map_or(Cell::Missing, |it| Cell::word(it.as_str()))
        }),
        column("platform_message_id", Form::Text, "The platform's name of the message.", |row| {
            row.record.platform_id.as_ref().map_or(Cell::Missing, |it| Cell::text(&*it.0))
        }),
        column("notice", Form::Text, "What the platform said, or why the hand-over failed.", |row| {
            row.record.notice.as_deref().map_or(Cell::Missing, Cell::text)
        }),
        column("epoch", Form::Integer, "0 until the run was first resumed, then 1, and so on.", |row| row.record.epoch.into()),
        column("carrier_item_id", Form::Text, "The control whose text stands before an item that is sent alone.", |row| {
            row.record.probe.carrier.map_or(Cell::Missing, |item| Cell::text(row.study.item(item).id.as_str()))
        }),
        column(
            "fragments",
            Form::Text,
            "Where only parts of the item's text are sent: from where to where each stands in it, in the order in which they are sent, \
             as `12-20;31-35`, counted from 0 in Unicode scalar values, the end not included. Several items are one text, in \
             their order, with the platform's separator between them. Empty for whole messages.",
            |row| fragments(row),
        ),
    ]);
    Table {
        name: "sent",
        meaning: "Every send that was planned, in the order in which it was planned.",
        columns,
        primary_key: &["probe_id"],
        foreign_keys: &[],
    }
}

/// `probe_items.csv`
pub(super) fn probe_items<'a>() -> Table<ProbeItemRow<'a>> {
    Table {
        name: "probe_items",
        meaning: "Which items each send carries.",
        columns: vec![
            column("probe_id", Form::Text, "The send.", |row: &ProbeItemRow<'a>| row.probe.into()),
            column("position", Form::Integer, "The place of the item in the send, from 1.", |row| row.position.into()),
            column("item_id", Form::Text, "The item, with its corpus in front.", |row| {
                Cell::text(row.study.item(row.item).id.as_str())
            }),
        ],
        primary_key: &["probe_id", "position"],
        foreign_keys: &[ForeignKey { column: "probe_id", table: "sent", key: "probe_id" }],
    }
}

/// `received.csv`
pub(super) fn received<'a>() -> Table<ReceivedRow<'a>> {
    let events = [
        ObservationKind::Message,
        ObservationKind::Edit,
        ObservationKind::Retraction,
        ObservationKind::Notice,
        ObservationKind::Echo,
    ];
    let mut columns: Vec<Column<ReceivedRow<'a>>> = vec![
        column("sequence", Form::Integer, "The number of the journal's entry.", |row| row.sequence.0.into()),
        column("recipient_account", Form::Text, "The account that saw it.", |row| {
            Cell::text(row.study.account(row.observation.recipient).id.as_str())
        }),
        column("sender_account", Form::Text, "Who sent it; empty for the platform itself.", |row| {
            row.observation.sender.map_or(Cell::Missing, |it| Cell::text(row.study.account(it).id.as_str()))
        }),
        column("venue", venue_words(), "The kind of place.", |row| {
            row.observation.venue.map_or(Cell::Missing, |it| Cell::word(row.study.venue(it).kind.as_str()))
        }),
        column("venue_id", Form::Text, "The place.", |row| {
            row.observation.venue.map_or(Cell::Missing, |it| Cell::text(row.study.venue(it).id.as_str()))
        }),
        column("event", Form::Word(events.map(ObservationKind::as_str).to_vec()), "What kind of event.", |row| {
            Cell::word(row.observation.kind.as_str())
        }),
    ];
    columns.extend(content_columns());
    columns.extend([
        column("observed_at", Form::Time, "When it was seen.", |row: &ReceivedRow<'a>| Cell::time(row.at)),
        column("platform_message_id", Form::Text, "The platform's name of the message that the event is about.", |row| {
            row.observation.platform_id.as_ref().map_or(Cell::Missing, |it| Cell::text(&*it.0))
        }),
    ]);
    Table {
        name: "received",
        meaning: "Everything that the accounts saw, in the order in which it was journaled. Messages of strangers are not kept.",
        columns,
        primary_key: &["sequence"],
        foreign_keys: &[],
    }
}
