//! What `design = "mechanism"` claims about files, through the whole engine in virtual time, from a fixed seed.
//!
//!     cargo bench -p lacuna-runner --bench mechanism [-- --images=200] [--loss=0.01] [--only=TEXT]
//!
//! Each mechanism alone, and each pair; every original has all that a mechanism can go by. A run is *right* if all that is claimed of the
//! original is, the grey formula included; *undetermined* if something that could be known is not claimed. Messages are those about
//! originals and what is made of them; benign twins serve all originals of a run and stand apart.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark ends loudly")]

use std::sync::Arc;
use std::time::Instant;

use lacuna_inference::mechanism::{self, Mechanism};
use lacuna_inference::verdicts;
use lacuna_model::policy::{Enforces, Network};
use lacuna_model::{ContentKind, Duration, GrayFormula, Role, StopReason};
use lacuna_runner::generated::{FilteredFiles, Part, Planted};
use lacuna_runner::truth::files::{Agreement, agreement};
use lacuna_runner::virtual_time;

const SEED: u64 = 20_261_122;

fn argument(name: &str) -> Option<String> {
    std::env::args().find_map(|argument| argument.strip_prefix(&format!("--{name}=")).map(str::to_owned))
}

#[derive(Default)]
struct Counts {
    originals: u64,
    right: u64,
    wrong: u64,
    undetermined: u64,
    messages: u64,
    twins: u64,
    seconds: f64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.originals += other.originals;
        self.right += other.right;
        self.wrong += other.wrong;
        self.undetermined += other.undetermined;
        self.messages += other.messages;
        self.twins += other.twins;
        self.seconds += other.seconds;
    }

    fn row(&self, name: &str) {
        let each = |count: u64| count as f64 / self.originals as f64;
        println!(
            "| {name} | {} | {} | {} | {} | {:.1} | {:.1} | {:.2} |",
            self.originals,
            self.right,
            self.wrong,
            self.undetermined,
            each(self.messages),
            each(self.twins),
            self.seconds
        );
    }
}

fn run(seed: u64, kind: ContentKind, planted: &[Planted], images: u32, loss: f64) -> Counts {
    let network =
        Network { loss, delay_median: Duration::from_millis(20), delay_p99: Duration::from_millis(200), ..Network::default() };
    let files = FilteredFiles {
        seed,
        originals: images,
        kind,
        planted: planted.to_vec(),
        learns_after: Duration::from_secs(30),
        network,
    };
    let (study, policy) = files.make();
    let study = Arc::new(study);
    let begun = Instant::now();
    let engine = virtual_time::run(&study, &policy, &[], &mut |_, _| {});
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(engine.stopped(), Some(StopReason::Finished));
    let evidence = engine.evidence();
    let tallies = verdicts::tallies(evidence);
    let mut counts = Counts { seconds, ..Counts::default() };
    for mut record in mechanism::derive(evidence, &tallies) {
        if kind == ContentKind::Document {
            // Of documents there are copies with other hashes, and nothing that would say what is looked at.
            record.claims.retain(|claim| claim.mechanism.is_none_or(|it| it == Mechanism::HashIndex));
        }
        counts.originals += 1;
        let agreement = agreement(&policy, &study, &record).unwrap();
        match agreement {
            Agreement::Right | Agreement::Hidden => counts.right += 1,
            Agreement::Wrong => counts.wrong += 1,
            Agreement::Undetermined => counts.undetermined += 1,
        }
        if agreement != Agreement::Right && argument("verbose").is_some() {
            println!("{agreement:?} {record:#?}");
        }
    }
    for record in evidence.probes() {
        match record.probe.role {
            Role::Control => counts.twins += 1,
            _ => counts.messages += 1,
        }
    }
    counts
}

fn main() {
    let images: u32 = argument("images").map_or(200, |images| images.parse().unwrap());
    let loss: f64 = argument("loss").map_or(0.01, |loss| loss.parse().unwrap());
    let only = argument("only").unwrap_or_default();
    let luminosity = Part::Text(Some(GrayFormula::Luminosity));
    let content = [("text", luminosity), ("look", Part::Look), ("metadata", Part::Metadata), ("name", Part::Name)];
    let mut singles = vec![("known hashes".to_owned(), Planted::KnownHashes)];
    for (how, enforces) in [("fed", Enforces::Index), ("at once", Enforces::AtOnce)] {
        singles.extend(content.iter().map(|(name, part)| (format!("{name} {how}"), Planted::Content(*part, enforces))));
    }
    let grays = [("average", Some(GrayFormula::Average)), ("lightness", Some(GrayFormula::Lightness)), ("colour", None)];
    let mut cells: Vec<(String, Vec<Planted>)> = vec![("nothing".to_owned(), Vec::new())];
    cells.extend(singles.iter().map(|(name, planted)| (name.clone(), vec![*planted])));
    for (name, gray) in grays {
        cells.push((format!("text fed, {name}"), vec![Planted::Content(Part::Text(gray), Enforces::Index)]));
    }
    for (index, (one, first)) in singles.iter().enumerate() {
        cells.extend(singles[index + 1..].iter().map(|(other, second)| (format!("{one} + {other}"), vec![*first, *second])));
    }
    println!("| mechanisms | originals | right | wrong | undetermined | messages each | twins each | CPU s |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut all = Counts::default();
    for (number, (name, planted)) in (0..).zip(&cells) {
        if !name.contains(&only) {
            continue;
        }
        let counts = run(SEED + number, ContentKind::Image, planted, images, loss);
        counts.row(name);
        all.add(&counts);
    }
    all.row("all");
    let mut documents = Counts::default();
    for (number, (name, planted)) in (0..).zip(&singles) {
        if name.contains(&only) && (name == "known hashes" || name.ends_with("fed")) {
            documents.add(&run(SEED + 1_000 + number, ContentKind::Document, &[*planted], images, loss));
        }
    }
    documents.row("documents, hashes alone");
}
