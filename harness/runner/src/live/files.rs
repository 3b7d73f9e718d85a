//! The files of a live run: read for sending; received ones measured, recognised and kept.
//!
//! What is received is hostile. Its length was bounded by whoever fetched it; here a few are measured at a time, since a picture
//! takes memory, and away from the tasks that answer the network.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use lacuna_content::file::{Measured, measure, plain_name};
use lacuna_content::image::{Appearance, Recognition, recognise};
use lacuna_content::sha256_hex;
use lacuna_model::{AccountIx, ContentKind, FileFacts, ItemIx, Observation, ReceivedFile, Recognised, Study, VenueIx};
use lacuna_platform::{IncomingFile, OutgoingFile};
use lacuna_records::contents::{Contents, KeepError};
use tokio::sync::Semaphore;

/// So many files are read or measured at a time.
const AT_WORK: u32 = 2;

/// A channel as its recipients see it.
type Origin = (AccountIx, VenueIx);

pub(super) struct Files {
    study: Arc<Study>,
    contents: Contents,
    /// The items by the hash of their files.
    by_hash: HashMap<Arc<str>, ItemIx>,
    /// The pictures that were sent, by where from.
    /// In the order of their latest sends.
    sent: Mutex<HashMap<Origin, Vec<ItemIx>>>,
    /// What they look like, as far as anybody asked.
    looks: Mutex<HashMap<ItemIx, Option<Arc<Appearance>>>>,
    at_work: Arc<Semaphore>,
}

/// Why an observation cannot be completed.
#[derive(Debug)]
pub(super) enum Unkept {
    /// It is not to be had; the run goes on.
    NotHad(String),
    /// The disk says no.
    Disk(io::Error),
}

impl Files {
    pub fn new(study: Arc<Study>, contents: Contents) -> Arc<Self> {
        let files = (0u32..).map(ItemIx).zip(&study.items);
        let by_hash = files.filter_map(|(index, item)| Some((Arc::clone(&item.file.as_ref()?.facts.sha256), index))).collect();
        Arc::new(Self {
            by_hash,
            study,
            contents,
            sent: Mutex::default(),
            looks: Mutex::default(),
            at_work: Arc::new(Semaphore::new(AT_WORK as usize)),
        })
    }

    /// An item's file is about to be sent.
    pub fn sending(&self, item: ItemIx, sender: AccountIx, venue: VenueIx) {
        if self.study.item(item).kind == ContentKind::Image {
            let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = sent.entry((sender, venue)).or_default();
            sent.retain(|it| *it != item);
            sent.push(item);
        }
    }

    /// The file of an item, read and checked; or why it cannot be sent.
    pub async fn outgoing(self: &Arc<Self>, item: ItemIx) -> Result<Option<OutgoingFile>, String> {
        let Some(file) = &self.study.item(item).file else { return Ok(None) };
        let (facts, shown) = (file.facts.clone(), file.shown.clone());
        let files = Arc::clone(self);
        let read = self.work(move || files.contents.read(&facts.sha256, facts.bytes).map(|bytes| (bytes, facts))).await;
        let (bytes, facts) = read.and_then(|read| read).map_err(|error| error.to_string())?;
        let (name, sha256) = (facts.name, facts.sha256);
        Ok(Some(OutgoingFile { name, media_type: facts.format.media_type(), sha256, bytes: bytes.into(), shown }))
    }

    /// Completes an observation with the file that came with it, which is kept when this returns.
    pub async fn received(self: &Arc<Self>, mut observation: Observation, file: IncomingFile) -> Result<Observation, Unkept> {
        let origin = observation.sender.zip(observation.venue);
        let files = Arc::clone(self);
        let received = self.work(move || files.take(origin, &file)).await.map_err(Unkept::Disk)?;
        match received {
            Ok(file) => {
                observation.file = Some(file);
                Ok(observation)
            }
            Err(KeepError::Io { source, .. }) => Err(Unkept::Disk(source)),
            Err(error) => Err(Unkept::NotHad(error.to_string())),
        }
    }

    /// Waits until nothing is being written any more.
    pub async fn settle(&self) {
        // The semaphore is never closed.
        let _ = self.at_work.acquire_many(AT_WORK).await;
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        let permit = Arc::clone(&self.at_work).acquire_owned().await.map_err(io::Error::other)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also where nobody waits for it any more.
            let _permit = permit;
            work()
        });
        done.await.map_err(io::Error::other)
    }

    fn take(&self, origin: Option<Origin>, file: &IncomingFile) -> Result<ReceivedFile, KeepError> {
        let received = self.recognised(origin, file);
        self.contents.keep(&received.facts.sha256, &file.bytes)?;
        Ok(received)
    }

    fn recognised(&self, origin: Option<Origin>, file: &IncomingFile) -> ReceivedFile {
        // The same bytes need not be decoded again.
        let same = self.by_hash.get(sha256_hex(&file.bytes).as_str());
        if let Some((&item, sent)) = same.and_then(|item| Some((item, self.study.item(*item).file.as_ref()?))) {
            let facts = FileFacts { name: plain_name(&file.name).into(), ..sent.facts.clone() };
            return ReceivedFile { facts, recognised: Some(Recognised { item, distance: None }) };
        }
        let Measured { facts, appearance, .. } = measure(&file.name, &file.bytes);
        let recognised = appearance.zip(origin).and_then(|(look, origin)| self.alike(&look, origin));
        ReceivedFile { facts, recognised }
    }

    /// Which of the pictures that came this way a received one is.
    fn alike(&self, received: &Appearance, origin: Origin) -> Option<Recognised> {
        let sent: Vec<ItemIx> = {
            let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            sent.get(&origin)?.clone()
        };
        let looks: Vec<(ItemIx, Arc<Appearance>)> = sent.into_iter().filter_map(|item| Some((item, self.look(item)?))).collect();
        let appearances: Vec<&Appearance> = looks.iter().map(|(_, look)| &**look).collect();
        match recognise(&appearances, received) {
            Recognition::As { position, distance } => {
                Some(Recognised { item: looks.get(position)?.0, distance: Some(distance.0) })
            }
            // Copies of one picture look alike. Of those that came this way the latest is the likeliest, as messages come in order.
            Recognition::OneOf(positions) => {
                let latest = positions.into_iter().max()?;
                let (item, look) = looks.get(latest)?;
                Some(Recognised { item: *item, distance: Some(look.distance(received).0) })
            }
            Recognition::Nothing => None,
        }
    }

    /// What an item's picture looks like; `None` where its file is gone or no picture.
    fn look(&self, item: ItemIx) -> Option<Arc<Appearance>> {
        let known = |looks: &HashMap<ItemIx, Option<Arc<Appearance>>>| looks.get(&item).cloned();
        if let Some(look) = known(&self.looks.lock().unwrap_or_else(PoisonError::into_inner)) {
            return look;
        }
        let facts = &self.study.item(item).file.as_ref()?.facts;
        let bytes = self.contents.read(&facts.sha256, facts.bytes);
        let look = bytes.ok().and_then(|bytes| measure(&facts.name, &bytes).appearance).map(Arc::new);
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).insert(item, look.clone());
        look
    }
}
