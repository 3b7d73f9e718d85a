//! Files on a platform that filters them by given mechanisms: what `design = "mechanism"` is measured on.
//!
//! There are no bytes: hashes follow from names, and what a filter finds is declared. Every original has all that a mechanism can go by: a
//! text, a look, metadata, a telling name, and a harmless file of the same MD5.

use std::sync::Arc;

use lacuna_content::{md5_hex, sha256_hex};
use lacuna_model::policy::{Action, Enforces, FileHandling, FileRule, Finds, Network, Policy};
use lacuna_model::study::MechanismRule;
use lacuna_model::{
    ContentKind, DesignKind, Duration, FileFacts, FileFormat, GrayFormula, Item, ItemFile, ItemIx, Origin, Role, Shown, Study,
};

use super::{Generated, item, only_censored};

/// What the texts of the originals have in common.
const TEXT: &str = "敏感";
/// What their metadata have.
const METADATA: &str = "keyword";
/// What their names have.
const NAME: &str = "leaflet";

/// One way in which a platform filters files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Planted {
    /// It knows the hashes of the originals.
    KnownHashes,
    /// It finds this in files, and learns their hashes or acts at once.
    Content(Part, Enforces),
}

/// A part of a file that gives it away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Its text, read in grey made by this formula, or in colour.
    Text(Option<GrayFormula>),
    /// What it looks like.
    Look,
    /// Its metadata.
    Metadata,
    /// Its name.
    Name,
}

/// Originals, everything made of them, and a platform.
#[derive(Clone, PartialEq, Debug)]
pub struct FilteredFiles {
    /// From which losses and delays follow.
    pub seed: u64,
    /// How many originals.
    pub originals: u32,
    /// Pictures or documents. Of documents there are fresh copies, and nothing else is made.
    pub kind: ContentKind,
    /// How the platform filters.
    pub planted: Vec<Planted>,
    /// How long the platform takes to learn a hash.
    pub learns_after: Duration,
    /// The network.
    pub network: Network,
}

impl FilteredFiles {
    /// A study of one sender and one recipient in a conversation, and the policy of its platform.
    #[must_use]
    pub fn make(&self) -> (Study, Policy) {
        let (mut study, mut policy) =
            Generated { senders: 1, prevalence: 0.0, network: self.network.clone(), ..Generated::new(self.seed, 0) }.make();
        study.items.clear();
        for number in 0..self.originals {
            self.original(number, &mut study.items);
        }
        twins(self.kind, &mut study.items);
        study.design = DesignKind::Mechanism;
        study.mechanism = Some(MechanismRule {
            wait: self.learns_after + self.learns_after + Duration::from_secs(60),
            max_messages_per_item: 40,
        });
        let bases = || study.items.iter().filter(|item| item.role == Role::Candidate).filter(|item| is_original(item));
        policy.file_rules =
            self.planted.iter().enumerate().map(|(number, planted)| self.rule(number, *planted, bases())).collect();
        policy.files = FileHandling::default();
        (study, policy)
    }

    fn original(&self, number: u32, items: &mut Vec<Item>) {
        let base = ItemIx(u32::try_from(items.len()).unwrap_or(u32::MAX));
        let id = format!("files/{}", number + 1);
        let whole = Shown {
            text: format!("{TEXT}{number}").into(),
            hidden_from: None,
            look: id.as_str().into(),
            metadata: format!("{METADATA} {number}").into(),
        };
        let telling = format!("{NAME}-{number}.png");
        let neutral = |label: &str| format!("{}.png", &sha256_hex(format!("{label} {number}").as_bytes())[..12]);
        let mut add = |label: String, name: String, shown: Shown, origin: Origin, md5: Option<Arc<str>>| {
            let mut made = item("files", 0, Role::Candidate, String::new(), "file");
            made.id = lacuna_model::ItemId::new(if label.is_empty() { id.clone() } else { format!("{id}-{label}") });
            made.kind = self.kind;
            made.file = Some(file(made.id.as_str(), name, shown, origin, md5));
            items.push(made);
        };
        let made_by =
            |transform: &str, variant| Origin { base: Some(base), transform: transform.into(), variant, ..Origin::default() };
        add(String::new(), telling.clone(), whole.clone(), Origin::default(), None);
        let md5: Arc<str> = md5_hex(id.as_bytes()).into();
        let collides = Origin { same_md5_as: Some(base), ..Origin::default() };
        add("same-md5".to_owned(), neutral("same-md5"), Shown::default(), collides, Some(md5));
        let copies = |transform: &str| {
            (1..=4)
                .map(|variant| (format!("{transform}-{variant}").replace(':', "-"), made_by(transform, variant)))
                .collect::<Vec<_>>()
        };
        for (label, origin) in copies("fresh") {
            add(label, telling.clone(), whole.clone(), origin, None);
        }
        if self.kind != ContentKind::Image {
            return;
        }
        let text = Shown { text: Arc::clone(&whole.text), ..Shown::default() };
        let look = Shown { look: Arc::clone(&whole.look), ..Shown::default() };
        let metadata = Shown { metadata: Arc::clone(&whole.metadata), ..Shown::default() };
        for (transform, shown) in [("only-text", text.clone()), ("only-look", look), ("only-metadata", metadata)] {
            for (label, origin) in copies(transform) {
                add(label.clone(), neutral(&label), shown.clone(), origin, None);
            }
        }
        for (label, origin) in copies("only-filename") {
            add(label, telling.clone(), Shown::default(), origin, None);
        }
        for formula in GrayFormula::ALL {
            for (label, origin) in copies(&format!("only-text:{}", formula.as_str())) {
                add(label.clone(), neutral(&label), Shown { hidden_from: Some(formula), ..text.clone() }, origin, None);
            }
        }
    }

    fn rule<'a>(&self, number: usize, planted: Planted, bases: impl Iterator<Item = &'a Item> + Clone) -> FileRule {
        let mut finds = Finds::default();
        let mut enforces = Enforces::Index;
        match planted {
            Planted::KnownHashes => {
                finds.md5 = bases.filter_map(|base| base.file.as_ref()).map(|file| file.facts.md5.to_string()).collect();
            }
            Planted::Content(part, how) => {
                enforces = how;
                match part {
                    Part::Text(gray) => {
                        finds.text = vec![TEXT.to_owned()];
                        // Of documents there is nothing that would tell the formula.
                        finds.gray = gray.filter(|_| self.kind == ContentKind::Image);
                    }
                    Part::Look => finds.similar_to = bases.map(|base| base.id.as_str().to_owned()).collect(),
                    Part::Metadata => finds.metadata = vec![METADATA.to_owned()],
                    Part::Name => finds.filename = vec![NAME.to_owned()],
                }
            }
        }
        FileRule {
            id: format!("planted-{}", number + 1),
            finds,
            enforces,
            learns_after: self.learns_after,
            analyses: only_censored(),
            when: only_censored(),
            action: Action::Drop,
            after: Duration::ZERO,
            enforcement: 1.0,
        }
    }
}

fn is_original(item: &Item) -> bool {
    item.file.as_ref().is_some_and(|file| file.origin.base.is_none() && file.origin.same_md5_as.is_none())
}

/// Harmless files, some for each way in which files are made.
fn twins(kind: ContentKind, items: &mut Vec<Item>) {
    let grays = GrayFormula::ALL.map(|formula| format!("only-text:{}", formula.as_str()));
    let made = ["", "fresh", "only-text", "only-look", "only-metadata", "only-filename"].map(str::to_owned);
    for transform in made.into_iter().chain(grays) {
        for number in 1..=4 {
            let id = format!("benign/{}-{number}", if transform.is_empty() { "original" } else { &transform }).replace(':', "-");
            let mut twin = item("benign", 0, Role::Control, String::new(), "benign");
            twin.id = lacuna_model::ItemId::new(id.clone());
            twin.kind = kind;
            let origin = Origin { transform: transform.as_str().into(), variant: number, ..Origin::default() };
            let name = format!("{}.png", &sha256_hex(id.as_bytes())[..12]);
            let shown = Shown { text: "天气很好".into(), ..Shown::default() };
            twin.file = Some(file(&id, name, shown, origin, None));
            items.push(twin);
        }
    }
}

fn file(id: &str, name: String, shown: Shown, origin: Origin, md5: Option<Arc<str>>) -> Box<ItemFile> {
    let facts = FileFacts {
        name: name.into(),
        format: FileFormat::Png,
        bytes: 1,
        md5: md5.unwrap_or_else(|| md5_hex(id.as_bytes()).into()),
        sha256: sha256_hex(id.as_bytes()).into(),
        width: None,
        height: None,
        perceptual_hash: None,
    };
    Box::new(ItemFile { facts, shown, origin })
}
