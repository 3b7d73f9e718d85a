//! Messages per correctly isolated rule, in virtual time.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::PathBuf;
use std::time::Instant;

use lacuna_inference::isolation::{Options, Prior, Search};

#[path = "../tests/planted/mod.rs"]
mod planted;
use planted::{Dice, Filter, Lists, Platform, Rule, Source, is_minimal, plant};

fn main() {
    let argument = |name: &str, default: usize| {
        std::env::args().find_map(|a| a.strip_prefix(&format!("--{name}=")).and_then(|v| v.parse().ok())).unwrap_or(default)
    };
    let texts = argument("texts", 1000);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/citizenlab");
    let folder = std::env::var_os("LACUNA_LISTS").map_or(folder, PathBuf::from);
    let lists = Lists::published(&folder).unwrap_or_else(|| Lists::synthetic(7));
    let source = std::env::var_os("LACUNA_NEUTRAL").map_or_else(Source::lexicon, |path| Source::running(&PathBuf::from(path)).unwrap());
    println!("rules: {} ({} earlier, {} later)", lists.origin, lists.earlier.len(), lists.later.len());
    let distractors = lists.components();
    if std::env::args().any(|a| a == "--fit") {
        fit(&lists, &source, &distractors);
        return;
    }
    let plain = Prior::without_borders();
    let borders = Prior::default();
    fn rules(r: &Rule) -> Vec<&str> { r.iter().map(String::as_str).collect() }
    let listed = Prior::default().with_rules(lists.earlier.iter().map(rules));
    let only = std::env::args().find_map(|a| a.strip_prefix("--only=").map(str::to_owned)).unwrap_or_default();
    for (loss, burst, told, length, ks) in [
        (0.0, 1.0, 0.0, 1000, vec![1, 2, 3, 4]),
        (0.0, 1.0, 0.001, 1000, vec![1, 2, 3]),
        (0.01, 1.0, 0.01, 1000, vec![1, 2, 3]),
        (0.05, 1.0, 0.05, 1000, vec![1, 2, 3]),
        (0.05, 10.0, 0.05, 1000, vec![1, 2, 3]),
        (0.0, 1.0, 0.0, 5000, vec![2]),
    ] {
        for k in ks {
            let pool: Vec<&Rule> = lists.later.iter().filter(|rule| rule.len() == k).collect();
            for (name, prior) in [("L", &plain), ("S", &borders), ("D", &listed)] {
                let cell = format!("{loss}/{burst}/{told}/{length}/{k}/{name}");
                if !cell.contains(&only) { continue; }
                let mut dice = Dice::new(20_261_122);
                let (mut messages, mut right, mut wrong, mut undecided) = (0_u64, 0_u32, 0_u32, 0_u32);
                let mut counts = Vec::new();
                let mut cpu = 0.0;
                for text_number in 0..texts {
                    let rule = *dice.pick(&pool);
                    let text = plant(&[rule], &distractors, length, &source, &mut dice);
                    let filters = vec![Filter::of(rule)];
                    let mut platform = Platform::new(filters, loss, burst, 77 + text_number as u64);
                    let started = Instant::now();
                    let mut search = Search::new(&text, prior, &Options { loss: told, all: false, order: std::env::var_os("ORDER").is_some(), ..Options::default() });
                    cpu += started.elapsed().as_secs_f64();
                    loop {
                        let started = Instant::now();
                        let question = search.next_question();
                        cpu += started.elapsed().as_secs_f64();
                        let Some(question) = question else { break };
                        let answer = platform.ask(&text, &question);
                        search.answer(&question, answer);
                    }
                    messages += u64::from(platform.messages);
                    counts.push(platform.messages);
                    match search.result().rules.first() {
                        Some(found) if found.certified => {
                            let parts: Vec<&str> = found.components.iter().map(|r| &text[r.clone()]).collect();
                            if is_minimal(&platform.filters, &parts) { right += 1 } else { wrong += 1; if std::env::var_os("SHOW").is_some() { println!("wrong {parts:?} {rule:?}"); } }
                        }
                        _ => { undecided += 1; if std::env::var_os("SHOW").is_some() { println!("undecided {rule:?} {}", text.chars().count()); } }
                    }
                }
                counts.sort_unstable();
                println!("{cell}: {:.2} per right, mean {:.2} p95 {} max {}, right {right} wrong {wrong} undecided {undecided}, cpu {:.3} ms/message",
                    messages as f64 / f64::from(right), messages as f64 / texts as f64, counts[counts.len() * 95 / 100], counts[counts.len()-1], cpu * 1e3 / messages as f64);
            }
        }
    }
}

/// Where the components of the earlier rules lie with respect to word borders, by length: the law in `weights.rs`.
fn fit(lists: &Lists, source: &Source, distractors: &[String]) {
    use icu_segmenter::WordSegmenter;
    let segmenter = WordSegmenter::new_dictionary(icu_segmenter::options::WordBreakInvariantOptions::default());
    let mut dice = Dice::new(1998);
    let mut counts = [[0_u32; 12]; 6];
    for _ in 0..8 {
        for rule in &lists.earlier {
            let text = plant(&[rule], distractors, 300, source, &mut dice);
            let borders: Vec<usize> = segmenter.segment_str(&text).collect();
            for part in rule {
                let length = part.chars().count();
                let Some(at) = text.rfind(part.as_str()) else { continue };
                let end = at + part.len();
                let inner = borders.iter().filter(|b| **b > at && **b < end).count().min(2);
                let side = 2 * usize::from(borders.contains(&at)) + usize::from(borders.contains(&end));
                counts[length.clamp(1, 6) - 1][3 * side + inner] += 1;
            }
        }
    }
    for row in counts {
        let total: f64 = row.iter().map(|c| f64::from(*c) + 0.3).sum();
        println!("    [{}],", row.map(|c| format!("{:.4}", (f64::from(c) + 0.3) / total)).join(", "));
    }
}
