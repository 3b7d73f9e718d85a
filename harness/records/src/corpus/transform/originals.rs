//! The pictures that are transformed, each with its harmless twin.

use std::collections::HashMap;
use std::path::Path;

use lacuna_content::image::{Area, Encoding, Limits, STYLES, Typesetter, decode, encode, render};
use lacuna_content::transform::Original;
use lacuna_model::{Location, Problem};

use super::super::characters::shown;
use super::super::item::{Corpus, CorpusItem, CorpusKind};
use super::super::table::{Rows, read_at_most, read_bounded};
use super::options::{Benign, TransformFailure, TransformOptions};
use super::write::{hashed_id, nonce};

/// A picture and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    /// Its row, as it is copied. Of a twin that was drawn, one that was never written.
    pub(super) item: CorpusItem,
    pub(super) bytes: Vec<u8>,
    pub(super) file_name: String,
    pub(super) text_box: Option<Area>,
}

impl Picture {
    pub(super) fn original(&self) -> Original<'_> {
        let Self { item, bytes, file_name, text_box } = self;
        Original { bytes, file_name, text: &item.text_in_file, text_box: *text_box }
    }
}

/// A picture to transform.
pub(super) struct Pair {
    pub(super) original: Picture,
    pub(super) twin: Picture,
}

/// What `pictures.csv` tells of a picture, where a rendering wrote it.
#[derive(Clone, Default, Debug)]
struct Told {
    text: String,
    twin_of: String,
    text_box: Option<Area>,
}

/// Reads the pictures. Every item that cannot be used is a problem of its line.
pub(super) fn pairs(
    folder: &Path,
    corpus: &Corpus,
    options: &TransformOptions,
    mut typesetter: Option<&mut Typesetter>,
) -> Result<Vec<Pair>, TransformFailure> {
    let reader = Reader { folder, corpus, told: told(folder)? };
    let benign = match &options.benign {
        Benign::Item(id) => Some(reader.named("benign", id)?),
        _ => None,
    };
    let (mut pairs, mut problems) = (Vec::new(), Vec::new());
    for item in reader.chosen(&options.items)? {
        let own = corpus.items.iter().find(|other| reader.twin_of(other) == item.id && is_picture(other));
        let original = reader.picture(item);
        let twin = match (own.or(benign), &options.benign, &mut typesetter, &original) {
            (_, _, _, Err(_)) => continue_with(&original, &mut problems),
            (Some(twin), ..) => Some(reader.picture(twin)),
            (None, Benign::Text(text), Some(typesetter), Ok(original)) => {
                Some(drawn(original, text, options.seed, typesetter).map_err(|reason| reader.problem(item, reason)))
            }
            (None, Benign::Text(text), None, _) => {
                return Err(wrong("twin", text, "to draw it a font is needed; give one with --font"));
            }
            (None, ..) => {
                let fix = "name it in the column twin_of of a harmless picture, or give --benign ITEM or --twin TEXT";
                let key = "twin_of".to_owned();
                let problem = Problem { key, fix: fix.to_owned(), ..reader.problem(item, "has no benign twin".to_owned()) };
                Some(Err(problem))
            }
        };
        match (original, twin) {
            (Ok(original), Some(Ok(twin))) => pairs.push(Pair { original, twin }),
            (_, Some(Err(problem))) => problems.push(problem),
            _ => {}
        }
    }
    match (problems.is_empty(), pairs.is_empty()) {
        (false, _) => Err(TransformFailure::Corpus(problems)),
        (true, true) => Err(TransformFailure::Unreadable {
            path: folder.join("items.csv"),
            reason: "has no picture to transform, only twins and what was made from others".to_owned(),
        }),
        _ => Ok(pairs),
    }
}

/// Notes what is wrong with the original; there is no need of a twin then.
fn continue_with(original: &Result<Picture, Problem>, problems: &mut Vec<Problem>) -> Option<Result<Picture, Problem>> {
    problems.extend(original.as_ref().err().cloned());
    None
}

fn wrong(option: &'static str, value: &str, fix: &str) -> TransformFailure {
    TransformFailure::Option { option, value: value.to_owned(), fix: fix.to_owned() }
}

fn is_picture(item: &CorpusItem) -> bool {
    item.kind == CorpusKind::Image && item.file.is_some()
}

struct Reader<'a> {
    folder: &'a Path,
    corpus: &'a Corpus,
    told: HashMap<String, Told>,
}

impl<'a> Reader<'a> {
    /// The items to transform, in the order of the table, or in that in which they are named.
    fn chosen(&self, named: &[String]) -> Result<Vec<&'a CorpusItem>, TransformFailure> {
        if named.is_empty() {
            let is_original = |item: &&CorpusItem| is_picture(item) && item.base.is_empty() && self.twin_of(item).is_empty();
            return Ok(self.corpus.items.iter().filter(is_original).collect());
        }
        let mut chosen: Vec<&CorpusItem> = Vec::new();
        for id in named {
            let item = self.named("item", id)?;
            if !item.base.is_empty() {
                return Err(wrong("item", id, "it was itself made from another item; name that one"));
            }
            if !chosen.iter().any(|known| known.id == item.id) {
                chosen.push(item);
            }
        }
        Ok(chosen)
    }

    fn named(&self, option: &'static str, id: &str) -> Result<&'a CorpusItem, TransformFailure> {
        let found = self.corpus.items.iter().find(|item| item.id == id);
        let item = found.ok_or_else(|| wrong(option, id, "the corpus has no such item"))?;
        if is_picture(item) { Ok(item) } else { Err(wrong(option, id, "it is no picture; name an item of kind image")) }
    }

    fn twin_of<'s>(&'s self, item: &'s CorpusItem) -> &'s str {
        let told = || self.told.get(&item.id).map_or("", |told| told.twin_of.as_str());
        if item.twin_of.is_empty() { told() } else { &item.twin_of }
    }

    fn picture(&self, item: &CorpusItem) -> Result<Picture, Problem> {
        let file = item.file.clone().unwrap_or_default();
        let limits = Limits::default();
        let bytes = read_at_most(&self.folder.join(&file), limits.bytes)
            .map_err(|reason| self.problem(item, format!("`{}` {reason}", shown(&file))))?;
        let decoded = decode(&bytes, &limits);
        decoded.map_err(|error| self.problem(item, format!("`{}` {error}", shown(&file))))?;
        let told = self.told.get(&item.id).cloned().unwrap_or_default();
        let mut item = item.clone();
        if item.text_in_file.is_empty() {
            item.text_in_file = told.text;
        }
        item.twin_of = self.twin_of(&item).to_owned();
        let file_name = file.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Picture { item, bytes, file_name, text_box: told.text_box })
    }

    fn problem(&self, item: &CorpusItem, message: String) -> Problem {
        let location = Location { file: self.folder.join("items.csv"), line: item.line, column: 0 };
        let fix = "use a whole PNG, JPEG, WebP or GIF, or name other items with --item";
        Problem { location, key: "file".to_owned(), message, fix: fix.to_owned() }
    }
}

/// A harmless text in the size of a picture.
fn drawn(original: &Picture, text: &str, seed: u64, typesetter: &mut Typesetter) -> Result<Picture, String> {
    let size = decode(&original.bytes, &Limits::default()).map_err(|error| error.to_string())?.picture.dimensions();
    let id = match format!("{}-twin", original.item.id) {
        id if id.len() <= 64 => id,
        long => hashed_id(&long),
    };
    let nonce = nonce(seed, &id);
    let rendered = render(typesetter, text, STYLES[0], size, nonce)
        .map_err(|error| format!("can have no twin of the text `{}`, which {error}", shown(text)))?;
    let bytes = encode(&rendered.picture, Encoding::Png).map_err(|error| error.to_string())?;
    let file_name = format!("img-{:08x}.png", nonce >> 32);
    let item = CorpusItem {
        id,
        text: String::new(),
        components: Vec::new(),
        category: "twin".to_owned(),
        expected: Some(super::super::item::Expected::Delivered),
        notes: String::new(),
        text_in_file: text.to_owned(),
        metadata_in_file: String::new(),
        twin_of: original.item.id.clone(),
        ..original.item.clone()
    };
    Ok(Picture { item, bytes, file_name, text_box: Some(rendered.text_box) })
}

/// Reads `pictures.csv`, if the corpus has one.
fn told(folder: &Path) -> Result<HashMap<String, Told>, TransformFailure> {
    let path = folder.join("pictures.csv");
    if path.symlink_metadata().is_err() {
        return Ok(HashMap::new());
    }
    let unreadable = |reason: String| TransformFailure::Unreadable { path: path.clone(), reason };
    let bytes = read_bounded(&path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable("is not UTF-8".to_owned()))?;
    let mut rows = Rows::new(&text, b',');
    let header = match rows.next() {
        Some(header) => header.map_err(|error| unreadable(error.to_string()))?,
        None => return Ok(HashMap::new()),
    };
    let column = |name: &str| header.cells.iter().position(|cell| cell == name);
    let columns = ["item_id", "text", "twin_of", "text_box"].map(column);
    let mut told = HashMap::new();
    for row in rows {
        let row = row.map_err(|error| unreadable(error.to_string()))?;
        let [id, text, twin_of, text_box] =
            columns.map(|column| column.and_then(|column| row.cells.get(column)).cloned().unwrap_or_default());
        let text_box = match text_box.as_str() {
            "" => None,
            written => Some(
                written
                    .parse()
                    .map_err(|error| unreadable(format!("line {}: text_box `{}` {error}", row.line, shown(written))))?,
            ),
        };
        told.insert(id, Told { text, twin_of, text_box });
    }
    Ok(told)
}
