//! Messages per correctly isolated rule, in virtual time, from a fixed seed.
//!
//!     cargo bench -p lacuna-inference --bench isolation [-- --texts=1000 --only=TEXT --neutral=FILE --lists=FOLDER]
//!
//! Rules come from published lists where their folder is there, else they are made up; the first line says which. Neutral text
//! is drawn from the project's own lexicon, or from a file of segmented running text. One in forty characters begins a distractor:
//! a component of any rule of any list. Counted is every message after the one that showed the text to be blocked:
//! voided ones too, and the certificates. `--dump=FILE` writes each text with its rule and what it took, a line each, so that other
//! methods can be run on the same texts. `--only` picks the cells whose name holds a text; `--fit` prints the law of places
//! that `weights.rs` holds.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use lacuna_inference::isolation::{Kind, Options, Prior, Search, Status};

#[path = "../tests/planted/mod.rs"]
mod planted;
use planted::{Dice, Filter, Lists, Platform, Rule, Source, is_minimal, plant};

const SEED: u64 = 20_261_122;

struct Setting {
    lists: Lists,
    source: Source,
    distractors: Vec<String>,
    texts: u32,
    only: String,
    dump: Option<PathBuf>,
}

/// One row of the table.
struct Cell {
    loss: f64,
    burst: f64,
    /// The bound on the loss that the search is told.
    told: f64,
    length: usize,
    components: usize,
    /// Share of blocked messages that arrive all the same, and what the search is told of it.
    leak: f64,
    /// At most, component-aware binary splitting (re-asking drops under loss), information bound under a uniform prior.
    reference: [f64; 3],
}

const NONE: f64 = f64::NAN;

const TABLE: [Cell; 23] = [
    cell(0.0, 1.0, 0.0, 1000, 1, [15.0, 16.5, 12.4]),
    cell(0.0, 1.0, 0.0, 1000, 2, [24.0, 27.1, 23.7]),
    cell(0.0, 1.0, 0.0, 1000, 3, [33.0, 41.6, 34.5]),
    cell(0.0, 1.0, 0.0, 1000, 4, [NONE, NONE, NONE]),
    cell(0.0, 1.0, 0.001, 1000, 1, [15.0, 16.5, 12.4]),
    cell(0.0, 1.0, 0.001, 1000, 2, [24.0, 27.1, 23.7]),
    cell(0.0, 1.0, 0.001, 1000, 3, [33.0, 41.6, 34.5]),
    cell(0.01, 1.0, 0.01, 1000, 1, [NONE, 24.0, 12.9]),
    cell(0.01, 1.0, 0.01, 1000, 2, [26.0, 39.1, 24.7]),
    cell(0.01, 1.0, 0.01, 1000, 3, [35.0, 59.6, 35.9]),
    cell(0.05, 1.0, 0.05, 1000, 1, [NONE, 31.6, 14.4]),
    cell(0.05, 1.0, 0.05, 1000, 2, [30.0, 51.8, 27.7]),
    cell(0.05, 1.0, 0.05, 1000, 3, [40.0, 84.8, 40.3]),
    cell(0.01, 10.0, 0.01, 1000, 2, [26.0, NONE, NONE]),
    cell(0.01, 10.0, 0.01, 1000, 3, [35.0, NONE, NONE]),
    cell(0.05, 10.0, 0.05, 1000, 2, [30.0, NONE, NONE]),
    cell(0.05, 10.0, 0.05, 1000, 3, [40.0, NONE, NONE]),
    cell(0.0, 1.0, 0.0, 5000, 2, [29.0, 31.3, 28.4]),
    cell(0.05, 1.0, 0.05, 5000, 2, [NONE, 62.1, 33.1]),
    cell(0.0, 1.0, 0.0, 10_000, 2, [NONE, NONE, NONE]),
    cell(0.0, 1.0, 0.0, 10_000, 3, [NONE, NONE, NONE]),
    Cell { leak: 0.02, ..cell(0.01, 1.0, 0.01, 1000, 2, [NONE, NONE, NONE]) },
    Cell { leak: 0.05, ..cell(0.05, 1.0, 0.05, 1000, 3, [NONE, NONE, NONE]) },
];

const fn cell(loss: f64, burst: f64, told: f64, length: usize, components: usize, reference: [f64; 3]) -> Cell {
    Cell { loss, burst, told, length, components, leak: 0.0, reference }
}

fn argument(name: &str) -> Option<String> {
    std::env::args().find_map(|argument| argument.strip_prefix(&format!("--{name}=")).map(str::to_owned))
}

fn strs(rule: &Rule) -> Vec<&str> {
    rule.iter().map(String::as_str).collect()
}

fn main() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/citizenlab");
    let folder = argument("lists").map_or(folder, PathBuf::from);
    let lists = Lists::published(&folder).unwrap_or_else(|| Lists::synthetic(7));
    let source = argument("neutral").map_or_else(Source::lexicon, |path| Source::running(&PathBuf::from(path)).unwrap());
    let texts = argument("texts").and_then(|texts| texts.parse().ok()).unwrap_or(1000);
    let distractors = lists.components();
    let setting = Setting {
        lists,
        source,
        distractors,
        texts,
        only: argument("only").unwrap_or_default(),
        dump: argument("dump").map(PathBuf::from),
    };
    let neutral = if matches!(setting.source, Source::Lexicon { .. }) { "the lexicon" } else { "running text" };
    println!(
        "rules: {}, {} earlier ones known to the prior `lists`, {} later ones planted; neutral text from {neutral}; {texts} texts a cell; seed {SEED}",
        setting.lists.origin,
        setting.lists.earlier.len(),
        setting.lists.later.len()
    );
    if std::env::args().any(|argument| argument == "--fit") {
        fit(&setting);
        return;
    }
    println!(
        "{:>5} {:>5} {:>5} {:>5} {:>6} {:>4} {:>8} | {:>7} {:>4} {:>4} | {:>5} {:>5} {:>9} | {:>9} | {:>7} {:>5} {:>5}",
        "loss",
        "burst",
        "told",
        "leak",
        "length",
        "comp",
        "prior",
        "a rule",
        "p95",
        "max",
        "right",
        "wrong",
        "undecided",
        "ms/message",
        "at most",
        "CABS",
        "bound"
    );
    let priors = [
        ("lengths", Prior::without_borders()),
        ("borders", Prior::default()),
        ("lists", Prior::default().with_rules(setting.lists.earlier.iter().map(strs))),
    ];
    for cell in &TABLE {
        for (name, prior) in &priors {
            one_rule(&setting, cell, name, prior);
        }
    }
    several_rules(&setting, &priors[2].1);
}

/// A row of the table: one rule planted, one sought.
fn one_rule(setting: &Setting, cell: &Cell, name: &str, prior: &Prior) {
    let pool: Vec<&Rule> = setting.lists.later.iter().filter(|rule| rule.len() == cell.components).collect();
    let label = format!("{}/{}/{}/{}/{}/{}/{name}", cell.loss, cell.burst, cell.told, cell.leak, cell.length, cell.components);
    if pool.is_empty() || !label.contains(&setting.only) {
        return;
    }
    let texts = if cell.length >= 10_000 { setting.texts.div_ceil(10) } else { setting.texts };
    let mut dice = Dice::new(SEED);
    let (mut right, mut wrong, mut undecided, mut seconds, mut counts) = (0_u32, 0_u32, 0_u32, 0.0, Vec::new());
    for number in 0..texts {
        let rule = *dice.pick(&pool);
        let text = plant(&[rule], &setting.distractors, cell.length, &setting.source, &mut dice);
        let mut platform = Platform::new(vec![Filter::of(rule)], cell.loss, cell.burst, SEED + u64::from(number));
        platform.enforcement = 1.0 - cell.leak;
        let options = Options { loss: cell.told, leak: cell.leak.max(1e-4), all: false, order: false, ..Options::default() };
        let mut search = timed(&mut seconds, || Search::new(&text, prior, &options));
        while let Some(question) = timed(&mut seconds, || search.next_question()) {
            let answer = platform.ask(&text, &question);
            search.answer(&question, answer);
        }
        counts.push(platform.messages);
        if let Some(path) = &setting.dump {
            let line = format!("{label}\t{}\t{}\t{text}\n", platform.messages, rule.join("+"));
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(line.as_bytes()).unwrap();
        }
        match search.result().rules.first() {
            Some(found) if found.certified => {
                let parts: Vec<&str> = found.components.iter().map(|range| &text[range.clone()]).collect();
                if is_minimal(&platform.filters, &parts) { right += 1 } else { wrong += 1 }
            }
            _ => undecided += 1,
        }
    }
    counts.sort_unstable();
    let messages: u32 = counts.iter().sum();
    let shown = |value: f64| if value.is_nan() { String::new() } else { format!("{value:.1}") };
    println!(
        "{:>5} {:>5} {:>5} {:>5} {:>6} {:>4} {name:>8} | {:>7.2} {:>4} {:>4} | {right:>5} {wrong:>5} {undecided:>9} | {:>10.3} | {:>7} {:>5} {:>5}",
        cell.loss,
        cell.burst,
        cell.told,
        cell.leak,
        cell.length,
        cell.components,
        f64::from(messages) / f64::from(right),
        counts[counts.len() * 95 / 100],
        counts[counts.len() - 1],
        seconds * 1e3 / f64::from(messages),
        shown(cell.reference[0]),
        shown(cell.reference[1]),
        shown(cell.reference[2]),
    );
}

fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    *seconds += started.elapsed().as_secs_f64();
    done
}

/// Texts with repeated components and two to four rules that share some: all rules sought.
fn several_rules(setting: &Setting, prior: &Prior) {
    let rules: Vec<&Rule> = setting.lists.later.iter().filter(|rule| (2..=4).contains(&rule.len())).collect();
    for (loss, order) in [(0.0, false), (0.0, true), (0.05, true)] {
        if !format!("several/{loss}/{order}").contains(&setting.only) {
            continue;
        }
        let mut dice = Dice::new(SEED);
        let texts = setting.texts.div_ceil(5);
        let (mut messages, mut planted, mut found, mut wrong, mut incomplete) = (0, 0, 0, 0, 0);
        let mut kinds: BTreeMap<Kind, u32> = BTreeMap::new();
        for number in 0..texts {
            let count = 2 + dice.below(3);
            let mut chosen: Vec<&Rule> = vec![*dice.pick(&rules)];
            while chosen.len() < count {
                // Every other rule shares a component with the first, where there is such a rule.
                let sharing: Vec<&Rule> = rules
                    .iter()
                    .copied()
                    .filter(|rule| !chosen.contains(rule) && rule.iter().any(|part| chosen[0].contains(part)))
                    .collect();
                chosen.push(if sharing.is_empty() || dice.below(2) == 0 { *dice.pick(&rules) } else { *dice.pick(&sharing) });
            }
            let mut text = plant(&chosen, &setting.distractors, 700, &setting.source, &mut dice);
            // What is talked about is named again.
            let named: Vec<String> = chosen.iter().flat_map(|rule| rule.iter().cloned()).collect();
            text.push_str(&plant(&chosen[..1], &named, 300, &setting.source, &mut dice));
            let filters: Vec<Filter> = chosen.iter().map(|rule| Filter::of(rule)).collect();
            let mut platform = Platform::new(filters, loss, 1.0, SEED + u64::from(number));
            let options = Options { loss, order, ..Options::default() };
            let mut search = Search::new(&text, prior, &options);
            while let Some(question) = search.next_question() {
                *kinds.entry(question.kind).or_insert(0) += 1;
                let answer = platform.ask(&text, &question);
                search.answer(&question, answer);
            }
            let findings = search.result();
            messages += platform.messages;
            let mut got: BTreeSet<BTreeSet<&str>> = BTreeSet::new();
            for rule in findings.rules.iter().filter(|rule| rule.certified) {
                let parts: Vec<&str> = rule.components.iter().map(|range| &text[range.clone()]).collect();
                wrong += u32::from(!is_minimal(&platform.filters, &parts));
                got.insert(parts.into_iter().collect());
            }
            incomplete += u32::from(findings.status != Status::Complete);
            let truth = planted::minimal_rules(&platform.filters, &text);
            for rule in &truth {
                planted += 1;
                found += u32::from(got.contains(&rule.iter().map(String::as_str).collect::<BTreeSet<&str>>()));
            }
        }
        println!(
            "all rules of {texts} texts, 2 to 4 that share components and repeat, loss {loss}, order asked: {order}: {:.2} messages a rule, {found} of {planted} found, {wrong} wrong, {incomplete} texts not complete; {kinds:?}",
            f64::from(messages) / f64::from(found)
        );
    }
}

/// Where the components of the earlier rules lie with respect to word borders, by length: the law in `weights.rs`.
fn fit(setting: &Setting) {
    use icu_segmenter::WordSegmenter;
    let segmenter = WordSegmenter::new_dictionary(icu_segmenter::options::WordBreakInvariantOptions::default());
    let mut dice = Dice::new(1998);
    let mut counts = [[0_u32; 12]; 6];
    let (mut edges, mut parts) = (0_u32, 0_u32);
    for rule in setting.lists.earlier.iter().cycle().take(2 * setting.lists.earlier.len()) {
        let text = plant(&[rule], &setting.distractors, 1000, &setting.source, &mut dice);
        let borders: Vec<usize> = segmenter.segment_str(&text).collect();
        for part in rule {
            let length = part.chars().count();
            let Some(at) = text.rfind(part.as_str()) else { continue };
            let end = at + part.len();
            let inner = borders.iter().filter(|border| **border > at && **border < end).count().min(2);
            let side = 2 * usize::from(borders.contains(&at)) + usize::from(borders.contains(&end));
            counts[length.clamp(1, 6) - 1][3 * side + inner] += 1;
            let common = |from: usize, c: char| {
                let alone = borders.contains(&from) && borders.contains(&(from + c.len_utf8()));
                alone && text.chars().filter(|other| *other == c).count() * 125 >= text.chars().count()
            };
            let last = part.chars().next_back().unwrap();
            parts += 1;
            edges += u32::from(common(at, part.chars().next().unwrap()) || common(end - last.len_utf8(), last));
        }
    }
    println!("    common at an edge: {:.4}", f64::from(edges) / f64::from(parts));
    for row in counts {
        let total: f64 = row.iter().map(|count| f64::from(*count) + 0.3).sum();
        println!("    [{}],", row.map(|count| format!("{:.4}", (f64::from(count) + 0.3) / total)).join(", "));
    }
}
