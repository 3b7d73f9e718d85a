//! The files of items: measured, and what the corpus declares of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_content::file::measure;
use lacuna_model::adapter::AdapterSpec;
use lacuna_model::{FileFormat, Item, ItemFile, ItemIx, Location, Origin, Shown};

use crate::corpus::{CorpusItem, CorpusKind, kept, read_at_most};

/// A file of a study: where its bytes are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StudyFile {
    /// SHA-256 of its bytes.
    pub sha256: Arc<str>,
    /// Where they can be read.
    pub path: PathBuf,
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Files {
    pub(super) list: Vec<StudyFile>,
    /// By hash: the first item, and where it stands.
    seen: HashMap<Arc<str>, (String, Location)>,
}

/// What is wrong with an item's file: key, message, fix.
pub(super) type Wrong = (&'static str, String, &'static str);

impl Files {
    /// Reads and measures the file of an item. References to other items are filled in by [`refer`].
    pub(super) fn read(
        &mut self,
        folder: &Path,
        item: &CorpusItem,
        adapter: Option<&AdapterSpec>,
        location: &Location,
    ) -> Result<Box<ItemFile>, Wrong> {
        let Some(name) = &item.file else { return Err(("file", format!("`{}` has no file", item.id), "name one")) };
        let most = adapter.map_or(u64::MAX, |adapter| adapter.max_file);
        if let Some(adapter) = adapter.filter(|adapter| adapter.max_file == 0) {
            let message = format!("`{}` is a file, and `{}` sends text only", item.id, adapter.name);
            return Err(("kind", message, "take the item out, or list another corpus"));
        }
        if let Some(adapter) = adapter.filter(|adapter| !adapter.captions)
            && item.components.iter().any(|caption| !caption.is_empty())
        {
            let message = format!("`{}` has a caption, and `{}` sends files without one", item.id, adapter.name);
            return Err(("text", message, "leave `text` empty, or send the text as an item of its own"));
        }
        let path = folder.join(name);
        let bytes = read_at_most(&path, most).map_err(|error| ("file", format!("`{name}` {error}"), "use a smaller file"))?;
        let measured = measure(name, &bytes);
        if let Some(error) = measured.error {
            return Err(("file", format!("`{name}` {error}"), "use a whole picture, or take the item out"));
        }
        let facts = measured.facts;
        let fits = match item.kind {
            CorpusKind::Image => facts.width.is_some(),
            CorpusKind::Document => matches!(facts.format, FileFormat::Pdf | FileFormat::Docx | FileFormat::Txt),
            _ => false,
        };
        if !fits {
            let kind = item.kind.as_str();
            return Err((
                "file",
                format!("`{name}` is no {kind} but {}", facts.format.as_str()),
                "correct the kind, or take it out",
            ));
        }
        let sha256 = Arc::clone(&facts.sha256);
        if let Some((first, at)) = self.seen.get(&sha256) {
            let message = format!("`{name}` has the same bytes as the file of `{first}` in {at}");
            return Err(("file", message, "make a copy with a hash of its own: `lacuna corpus transform --transform fresh`"));
        }
        self.seen.insert(Arc::clone(&sha256), (item.id.clone(), location.clone()));
        self.list.push(StudyFile { sha256, path });
        Ok(Box::new(ItemFile { facts, shown: shown(item)?, origin: origin(item) }))
    }
}

fn origin(item: &CorpusItem) -> Origin {
    Origin { transform: item.transform.as_str().into(), variant: item.variant, ..Origin::default() }
}

/// What of its original a filter can still find in a file.
fn shown(item: &CorpusItem) -> Result<Shown, Wrong> {
    let original = if item.base.is_empty() { &item.id } else { &item.base };
    let kept = kept(&item.transform).ok_or_else(|| {
        let message = format!("`{}` is no transform", item.transform);
        ("transform", message, "write it as `lacuna corpus transform` does, or leave it empty")
    })?;
    // A twin is benign: it looks like itself.
    let look = if kept.look && item.twin_of.is_empty() { original.as_str() } else { "" };
    let text = if kept.text { item.text_in_file.as_str() } else { "" };
    let metadata = if kept.metadata { item.metadata_in_file.as_str() } else { "" };
    Ok(Shown {
        text: text.into(),
        hidden_from: kept.hidden_from.filter(|_| !text.is_empty()),
        look: look.into(),
        metadata: metadata.into(),
    })
}

/// Fills in what names other items of the same corpus; `items` are those that were read, `rows` what was written of them.
///
/// Gives the rows whose `same_md5_as` is not so.
pub(super) fn refer<'a>(list: &mut [Item], corpus: &str, rows: &'a [CorpusItem]) -> Vec<&'a CorpusItem> {
    let index: HashMap<String, ItemIx> =
        (0..).map(ItemIx).zip(&*list).map(|(ix, item)| (item.id.as_str().to_owned(), ix)).collect();
    let find = |id: &str| index.get(&format!("{corpus}/{id}")).copied();
    let mut untrue = Vec::new();
    for row in rows {
        let md5_of =
            |item: Option<ItemIx>| item.and_then(|ix| list[ix.get()].file.as_ref()).map(|file| Arc::clone(&file.facts.md5));
        if !row.same_md5_as.is_empty()
            && md5_of(find(&row.id)).is_some()
            && md5_of(find(&row.id)) != md5_of(find(&row.same_md5_as))
        {
            untrue.push(row);
        }
        let Some(file) = find(&row.id).and_then(|ix| list[ix.get()].file.as_mut()) else { continue };
        file.origin.base = find(&row.base);
        file.origin.twin_of = find(&row.twin_of);
        file.origin.same_md5_as = find(&row.same_md5_as);
        // Looks are compared over corpora: the id of an item with its corpus in front.
        if !file.shown.look.is_empty() {
            file.shown.look = format!("{corpus}/{}", file.shown.look).into();
        }
    }
    untrue
}
