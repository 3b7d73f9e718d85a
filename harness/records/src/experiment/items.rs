//! `[corpora]`: the items of all corpora as messages for this platform.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lacuna_model::adapter::AdapterSpec;
use lacuna_model::{ContentKind, CorpusSource, Item, ItemId, Location, Prior, Problem, Role};

use super::files::{Files, refer};
use super::isolation::Isolates;
use super::load::{Input, InputKind};
use crate::corpus::{Corpus, CorpusItem, CorpusKind, Expected};
use crate::toml_reader::{Cursor, Found, Problems};

/// Reads a corpus from its folder.
pub(crate) type LoadCorpus<'a> = &'a dyn Fn(&Path) -> (Option<Corpus>, Vec<Problem>);

/// The items of all corpora.
pub(crate) struct Items<'a> {
    pub(crate) list: Vec<Item>,
    pub(crate) inputs: Vec<Input>,
    /// The corpora, in the order in which they are listed.
    pub(crate) sources: Vec<CorpusSource>,
    pub(crate) files: Files,
    /// Rules of earlier lists, each as its components.
    pub(crate) rules: Vec<Vec<Arc<str>>>,
    adapter: Option<&'a AdapterSpec>,
    isolates: Isolates,
    problems: &'a Problems,
    /// By the folder's real path: the key under which it is listed.
    folders: HashMap<PathBuf, String>,
    /// By the corpus's id: the folder.
    corpora: HashMap<String, PathBuf>,
    /// By the message: its first item, its role and where it stands.
    messages: HashMap<Arc<str>, (Role, Location)>,
}

const ROLES: [(&str, Role); 3] = [("controls", Role::Control), ("candidates", Role::Candidate), ("canaries", Role::Canary)];

impl<'a> Items<'a> {
    pub(crate) fn read(
        corpora: &Cursor<'_>,
        base: &Path,
        adapter: Option<&'a AdapterSpec>,
        isolates: Isolates,
        load: LoadCorpus<'_>,
        problems: &'a Problems,
    ) -> Self {
        let mut all = Self {
            list: Vec::new(),
            inputs: Vec::new(),
            sources: Vec::new(),
            files: Files::default(),
            rules: Vec::new(),
            adapter,
            isolates,
            problems,
            folders: HashMap::new(),
            corpora: HashMap::new(),
            messages: HashMap::new(),
        };
        for (key, role) in ROLES {
            for path in corpora.texts(key) {
                all.corpus(corpora, &path, role, base, load);
            }
        }
        for path in corpora.texts("rules") {
            all.rules_of(corpora, &path, base, load);
        }
        all
    }

    /// A corpus that can be read and holds something, and its folder.
    fn load(&mut self, file: &Cursor<'_>, path: &Found<String>, base: &Path, load: LoadCorpus<'_>) -> Option<(PathBuf, Corpus)> {
        let folder = base.join(&path.value);
        let (corpus, found) = load(&folder);
        if corpus.is_none() && !folder.is_dir() {
            // Where the name stands is what has to be mended.
            let message = format!("there is no folder {}", folder.display());
            file.report(path, &message, "name the folder of a corpus, relative to the experiment file", self.problems);
            return None;
        }
        if corpus.is_none() && found.is_empty() {
            file.report(path, "the corpus cannot be read", "give the folder of a corpus", self.problems);
        }
        self.problems.extend(found);
        let corpus = corpus?;
        if corpus.items.is_empty() {
            file.report(path, "the corpus has no items", "list a corpus that has some", self.problems);
        }
        self.inputs.push(Input { path: PathBuf::from(&path.value), sha256: corpus.sha256.clone(), kind: InputKind::Corpus });
        Some((folder, corpus))
    }

    /// What an earlier list says is no item: nothing of it is sent by itself, and the same list may be a corpus of the experiment.
    fn rules_of(&mut self, file: &Cursor<'_>, path: &Found<String>, base: &Path, load: LoadCorpus<'_>) {
        let Some((_, corpus)) = self.load(file, path, base, load) else { return };
        for item in corpus.items.iter().filter(|item| item.kind == CorpusKind::Text) {
            self.rules.push(item.components.iter().map(|component| Arc::from(component.as_str())).collect());
        }
    }

    fn corpus(&mut self, file: &Cursor<'_>, path: &Found<String>, role: Role, base: &Path, load: LoadCorpus<'_>) {
        let real = base.join(&path.value);
        let real = real.canonicalize().unwrap_or(real);
        if let Some(first) = self.folders.get(&real) {
            let message = format!("the corpus is listed already, as {first}");
            return file.report(path, &message, "an item has one role: list its corpus once", self.problems);
        }
        self.folders.insert(real, path.key.clone());
        let Some((folder, corpus)) = self.load(file, path, base, load) else { return };
        if let Some(first) = self.corpora.get(&corpus.id) {
            let message =
                format!("the corpus has the id `{}`, as {} has: their items could not be told apart", corpus.id, first.display());
            return file.report(path, &message, "give one of them another id in its corpus.toml", self.problems);
        }
        self.corpora.insert(corpus.id.clone(), folder.clone());
        let Corpus { id, title, version, licence, .. } = &corpus;
        self.sources.push(CorpusSource {
            id: id.clone(),
            title: title.clone(),
            version: version.clone(),
            licence: licence.clone(),
        });
        let table = folder.join("items.csv");
        for item in &corpus.items {
            self.item(&corpus, item, role, &folder, &table);
        }
        for row in refer(&mut self.list, &corpus.id, &corpus.items) {
            self.problems.push(Problem {
                location: Location { file: table.clone(), line: row.line, column: 0 },
                key: "same_md5_as".to_owned(),
                message: format!("the files of `{}` and `{}` have different MD5s", row.id, row.same_md5_as),
                fix: "make a pair with `lacuna corpus collide`, and do not change its files".to_owned(),
            });
        }
    }

    fn item(&mut self, corpus: &Corpus, item: &CorpusItem, role: Role, folder: &Path, table: &Path) {
        let location = Location { file: table.to_owned(), line: item.line, column: 0 };
        let report = |key: &str, message: String, fix: &str| {
            self.problems.push(Problem { location: location.clone(), key: key.to_owned(), message, fix: fix.to_owned() });
        };
        let kind = match item.kind {
            CorpusKind::Text => ContentKind::Text,
            CorpusKind::Image => ContentKind::Image,
            CorpusKind::Document => ContentKind::Document,
            CorpusKind::Link | CorpusKind::Voice => {
                let message = format!("`{}` is a {}, which this version does not send", item.id, item.kind.as_str());
                return report("kind", message, "take the item out, or list another corpus");
            }
        };
        let mut file = None;
        if kind != ContentKind::Text {
            match self.files.read(folder, item, self.adapter, &location) {
                Ok(read) => file = Some(read),
                Err((key, message, fix)) => return report(key, message, fix),
            }
        }
        // What is made to be harmless is a control wherever it is listed.
        let role = if item.twin_of.is_empty() { role } else { Role::Control };
        let separator = self.adapter.map_or("", |adapter| adapter.separator);
        let message: Arc<str> = item.components.join(separator).into();
        if let Some(adapter) = self.adapter {
            let length = message.chars().count();
            if length > adapter.max_text {
                let message = format!("`{}` has {length} characters, and `{}` takes {}", item.id, adapter.name, adapter.max_text);
                report("text", message, "shorten the text, or take the item out");
            } else if role == Role::Candidate && self.isolates != Isolates::Nothing && length > adapter.max_text / 2 {
                // Where a component is cut at both ends, what is left of it is sent twice.
                let message = format!(
                    "`{}` has {length} characters, and a question about it may have nearly twice as many, while `{}` takes {}",
                    item.id, adapter.name, adapter.max_text
                );
                let fix = format!("shorten the text to {} characters, or make several items of it", adapter.max_text / 2);
                report("text", message, &fix);
            }
        }
        // A text under test that also serves as a control would be its own witness.
        match self.messages.get(&message) {
            _ if file.is_some() => {}
            Some((other, at)) if *other != role && (*other == Role::Control || role == Role::Control) => {
                let message =
                    format!("the text of `{}` is a {} and a {}: it stands in {at} too", item.id, role.as_str(), other.as_str());
                report("text", message, "take one of them out");
            }
            Some(_) => {}
            None => {
                self.messages.insert(Arc::clone(&message), (role, location));
            }
        }
        let language = if item.language.is_empty() { &corpus.language } else { &item.language };
        self.list.push(Item {
            id: ItemId::new(format!("{}/{}", corpus.id, item.id)),
            role,
            kind,
            file,
            message,
            category: item.category.clone(),
            language: language.clone(),
            prior: Prior { expected_dropped: item.expected.map(|it| it == Expected::Dropped), ..Prior::default() },
        });
    }
}
