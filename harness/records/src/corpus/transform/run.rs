//! The transformation itself.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use lacuna_content::image::Typesetter;
use lacuna_content::transform::{Freshness, Made, Spec, TransformError, kept, metadata_text, transform as apply};

use super::super::head::is_corpus_id;
use super::super::item::{CorpusItem, Expected};
use super::super::load::load;
use super::super::render::RenderFont;
use super::super::table::read_at_most;
use super::options::{LeftOut, TransformFailure, TransformOptions, TransformReport};
use super::originals::{Pair, Picture, pairs};
use super::write::{Folder, hashed_id};

/// The largest font file, in bytes.
const MAX_FONT_BYTES: u64 = 200_000_000;
/// More files are a mistake, and fill a disk.
const MAX_FILES: usize = 100_000;

/// Makes a corpus folder `out` of the pictures of another: the originals and their harmless twins as they are, and of both whatever each
/// transform gives, in as many variants as are asked for. What cannot be done with an item is left out and told.
pub fn transform(folder: &Path, out: &Path, options: &TransformOptions) -> Result<TransformReport, TransformFailure> {
    check_options(options)?;
    if out.symlink_metadata().is_ok() {
        return Err(TransformFailure::OutExists(out.to_owned()));
    }
    let (corpus, problems) = load(folder);
    let corpus = corpus.ok_or(TransformFailure::Corpus(problems))?;
    let mut typesetter = typesetter(&options.fonts)?;
    let pairs = pairs(folder, &corpus, options, typesetter.as_mut())?;
    let each = options.specs.len().saturating_mul(options.variants as usize).saturating_mul(2);
    if pairs.len().saturating_mul(each) > MAX_FILES {
        let reason = format!("would give more than {MAX_FILES} files; take fewer items, transforms or variants");
        return Err(TransformFailure::Unreadable { path: folder.to_owned(), reason });
    }
    let fonts: Vec<_> = typesetter.iter().flat_map(Typesetter::fonts).cloned().collect();
    let report = TransformReport { originals: pairs.len(), files: 0, twins: 0, fonts, left_out: Vec::new() };
    let mut maker = Maker { options, typesetter, folder: Folder::make(out)?, ids: HashSet::new(), report };
    for pair in &pairs {
        maker.copy(&pair.original)?;
        maker.copy(&pair.twin)?;
    }
    for pair in &pairs {
        for spec in &options.specs {
            maker.make(pair, spec)?;
        }
    }
    let Maker { folder: made, report, .. } = maker;
    if let (0, Some(first)) = (report.files, report.left_out.first()) {
        // What was begun is not a corpus.
        fs::remove_dir_all(out).map_err(|source| TransformFailure::Write { path: out.to_owned(), source })?;
        return Err(TransformFailure::Nothing(Box::new(first.clone())));
    }
    made.finish(options, &corpus, &report.fonts)?;
    Ok(report)
}

fn check_options(options: &TransformOptions) -> Result<(), TransformFailure> {
    let wrong = |option, value: String, fix: &str| Err(TransformFailure::Option { option, value, fix: fix.to_owned() });
    if !is_corpus_id(&options.id) {
        return wrong("id", options.id.clone(), "use small letters, digits and hyphens, at most 64");
    }
    if !(1..=1000).contains(&options.variants) {
        return wrong("variants", options.variants.to_string(), "from 1 to 1000");
    }
    Ok(())
}

fn typesetter(given: &[RenderFont]) -> Result<Option<Typesetter>, TransformFailure> {
    let mut fonts = Vec::new();
    for font in given {
        let unreadable = |reason| TransformFailure::Unreadable { path: font.path.clone(), reason };
        fonts.push((read_at_most(&font.path, MAX_FONT_BYTES).map_err(unreadable)?, font.face));
    }
    if fonts.is_empty() {
        return Ok(None);
    }
    let typesetter = Typesetter::new(fonts).map_err(|(position, source)| {
        let path = given.get(position).map(|font| font.path.clone()).unwrap_or_default();
        TransformFailure::Font { path, source }
    })?;
    Ok(Some(typesetter))
}

struct Maker<'a> {
    options: &'a TransformOptions,
    typesetter: Option<Typesetter>,
    folder: Folder,
    ids: HashSet<String>,
    report: TransformReport,
}

impl Maker<'_> {
    /// An item as it is, once.
    fn copy(&mut self, picture: &Picture) -> Result<(), TransformFailure> {
        if self.ids.insert(picture.item.id.clone()) {
            self.folder.add(&picture.item, &picture.file_name, &picture.bytes)?;
        }
        Ok(())
    }

    /// The variants of an item by one transform, each with that of its twin.
    fn make(&mut self, pair: &Pair, spec: &Spec) -> Result<(), TransformFailure> {
        for variant in 1..=self.options.variants {
            let (original, twin) = (&pair.original, &pair.twin);
            // One harmless picture may be the twin of many items; each time it is to be another file.
            let as_twin = format!("{} twin of {}", twin.item.id, original.item.id);
            let made = [(original, original.item.id.as_str()), (twin, &as_twin)]
                .map(|(picture, item)| self.apply(picture, twin, spec, Freshness { seed: self.options.seed, item, variant }));
            let [made, made_of_twin] = match made {
                [Ok(made), Ok(of_twin)] => [made, of_twin],
                [Err(left_out), _] | [_, Err(left_out)] => {
                    self.report.left_out.push(left_out);
                    return Ok(());
                }
            };
            let id = self.id(&original.item.id, &format!("{spec}.{variant}"));
            let twin_id = self.id(&original.item.id, &format!("{spec}.{variant}.twin"));
            self.add(original, id.clone(), spec, variant, String::new(), &made)?;
            self.add(twin, twin_id, spec, variant, id, &made_of_twin)?;
            self.report.files += 1;
            self.report.twins += 1;
        }
        Ok(())
    }

    fn apply(&mut self, picture: &Picture, benign: &Picture, spec: &Spec, freshness: Freshness<'_>) -> Result<Made, LeftOut> {
        apply(spec, &picture.original(), &benign.original(), self.typesetter.as_mut(), freshness).map_err(|error| {
            let fix = match error {
                TransformError::NoFont => "; give one with --font",
                TransformError::NoText => "; write it into the column text_in_file",
                TransformError::NoTextBox => "; `lacuna corpus render` notes it in pictures.csv",
                _ => "",
            };
            LeftOut { item: picture.item.id.clone(), transform: spec.to_string(), reason: format!("{error}{fix}") }
        })
    }

    /// An id that says what the file is where that is short enough, and is not taken in any case.
    fn id(&mut self, base: &str, how: &str) -> String {
        let written = |character: char| if character.is_ascii_alphanumeric() || character == '.' { character } else { '-' };
        let readable: String = format!("{base}.{how}").chars().map(written).collect();
        let id =
            if readable.len() <= 64 && !self.ids.contains(&readable) { readable } else { hashed_id(&format!("{base} {how}")) };
        self.ids.insert(id.clone());
        id
    }

    fn add(
        &mut self,
        base: &Picture,
        id: String,
        spec: &Spec,
        variant: u32,
        twin_of: String,
        made: &Made,
    ) -> Result<(), TransformFailure> {
        let is_twin = !twin_of.is_empty();
        let text = &base.item.text_in_file;
        let item = CorpusItem {
            id,
            // A caption would be looked at, too.
            text: String::new(),
            components: Vec::new(),
            category: if is_twin { "twin".to_owned() } else { base.item.category.clone() },
            expected: is_twin.then_some(Expected::Delivered),
            notes: String::new(),
            text_in_file: if kept(spec).text { text.clone() } else { String::new() },
            metadata_in_file: metadata_text(spec, &base.item.metadata_in_file, text),
            base: base.item.id.clone(),
            transform: spec.to_string(),
            variant,
            twin_of,
            ..base.item.clone()
        };
        self.folder.add(&item, &made.file_name, &made.bytes)
    }
}
