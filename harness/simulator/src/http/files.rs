//! The files that were uploaded, in memory, each under the SHA-256 of its bytes.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use lacuna_content::image::{self, Encoding, Limits as PictureLimits};
use lacuna_content::{md5_hex, sha256_hex};
use lacuna_model::{GrayFormula, Shown};

use crate::world::{DeliveredFile, Upload};

use super::limits::Limits;

/// The quality at which pictures are encoded anew, as platforms do.
const QUALITY: u8 = 70;

/// A file as it was taken in.
pub(super) struct Taken {
    pub(super) sha256: Arc<str>,
    md5: Arc<str>,
    bytes: Bytes,
    is_picture: bool,
    /// The same picture, encoded anew, under the hash of that.
    reencoded: Option<(Arc<str>, Bytes)>,
    /// What was read in it, where the platform reads.
    read: Option<Reading>,
}

/// The text that was read in a picture.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Reading {
    pub(super) text: Arc<str>,
    /// Nothing can be read once the picture is made grey by this formula.
    pub(super) hidden_from: Option<GrayFormula>,
}

impl Taken {
    /// Hashes a file, and encodes a picture anew where the platform does. Takes its time.
    pub(super) fn new(bytes: Bytes, reencode: bool) -> Self {
        // What cannot be decoded within the limits is no picture, and stays as it is.
        let picture = image::decode(&bytes, &PictureLimits::default()).ok();
        let reencoded = picture.as_ref().filter(|_| reencode).and_then(|decoded| {
            let bytes = image::encode(&decoded.picture, Encoding::Jpeg(QUALITY)).ok()?;
            Some((sha256_hex(&bytes).into(), Bytes::from(bytes)))
        });
        Self {
            sha256: sha256_hex(&bytes).into(),
            md5: md5_hex(&bytes).into(),
            is_picture: picture.is_some(),
            bytes,
            reencoded,
            read: None,
        }
    }

    /// With what was read in it.
    pub(super) fn with(self, read: Option<Reading>) -> Self {
        Self { read, ..self }
    }

    fn length(&self) -> usize {
        self.bytes.len() + self.reencoded.as_ref().map_or(0, |(_, bytes)| bytes.len())
    }
}

/// All files.
#[derive(Default)]
pub(super) struct Files {
    uploads: Vec<Taken>,
    by_hash: HashMap<Arc<str>, u32>,
    /// What pictures were encoded to, by its hash.
    reencoded: HashMap<Arc<str>, u32>,
    bytes: usize,
}

impl Files {
    /// Keeps a file; `false` if there is no room.
    pub(super) fn keep(&mut self, taken: Taken) -> bool {
        if self.by_hash.contains_key(&taken.sha256) {
            return true;
        }
        let bytes = self.bytes + taken.length();
        let Some(id) = u32::try_from(self.uploads.len()).ok().filter(|_| bytes <= Limits::FILES) else { return false };
        self.bytes = bytes;
        self.by_hash.insert(Arc::clone(&taken.sha256), id);
        if let Some((sha256, _)) = &taken.reencoded {
            self.reencoded.entry(Arc::clone(sha256)).or_insert(id);
        }
        self.uploads.push(taken);
        true
    }

    /// A file with this hash, as the world takes it.
    pub(super) fn upload(&self, sha256: &str, name: &str, declared: &Shown) -> Option<Upload> {
        let id = *self.by_hash.get(sha256)?;
        let taken = &self.uploads[id as usize];
        let mut shown = declared.clone();
        if let Some(read) = &taken.read {
            shown.text = Arc::clone(&read.text);
            shown.hidden_from = read.hidden_from;
        }
        Some(Upload { id, md5: Arc::clone(&taken.md5), name: name.into(), is_picture: taken.is_picture, shown })
    }

    /// The hash of what a recipient gets.
    pub(super) fn delivered(&self, file: &DeliveredFile) -> Arc<str> {
        let taken = &self.uploads[file.upload.id as usize];
        let reencoded = taken.reencoded.as_ref().filter(|_| file.reencoded);
        Arc::clone(reencoded.map_or(&taken.sha256, |(sha256, _)| sha256))
    }

    /// The bytes under a hash.
    pub(super) fn bytes(&self, sha256: &str) -> Option<Bytes> {
        let upload = |id: &u32| &self.uploads[*id as usize];
        let original = self.by_hash.get(sha256).map(|id| upload(id).bytes.clone());
        original.or_else(|| Some(upload(self.reencoded.get(sha256)?).reencoded.as_ref()?.1.clone()))
    }
}
