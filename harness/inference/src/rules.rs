//! What the searches in a run's texts found, and how far it can be claimed.
//!
//! A rule is *certified* when its combination alone is blocked and each of its components is needed. That a component is needed is
//! shown by a delivery (see [`crate::isolation`]), which is proof. That the combination alone is blocked is shown by its own
//! sends, the messages that held it and nothing else: told by the platform, or dropped so often that their e-value passes the demands
//! on a unit, 1 / false-positive-rate and the e-BH procedure, here over all combinations that were ever sent alone. The loss that a
//! search assumed for its questions convicts nobody.
//!
//! A delivery is proof only where a filter acts on all that it matches. Where one is seen to let something of a text through, nothing is
//! certified in it, and where that happens again and again, nothing for that arm and recipient; a filter that lets so little through that none of it is seen cannot be told from one that does not.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use lacuna_model::{AccountIx, ArmIx, DesignKind, ItemIx, Outcome, Purpose, Role, SearchIx, Signal, Study, Unit, Verdict};
use libm::log;
use unicode_segmentation::UnicodeSegmentation;

use crate::baseline::hour_of;
use crate::evidence::Evidence;
use crate::isolation::{Findings, Found, Matching, Status};
use crate::loss::FEWEST_DROPS;
use crate::multiplicity;
use crate::pools::{DropsByHour, count_drop};
use crate::searches::TextSearch;
use crate::tally::Tallies;
use crate::verdicts::e_value;

/// Items of fewer graphemes are taken for keywords, of which a screen says all there is to say.
pub const SHORTEST_TEXT: usize = 16;

/// Where more than one text in so many shows a leak, it is not chance.
const LEAKS_OF_CHANCE: usize = 20;

/// What is known of one text, on one arm, for one recipient.
#[derive(Clone, PartialEq, Debug)]
pub struct TextRecord {
    /// The text: one item, or several that are blocked together.
    pub items: Vec<ItemIx>,
    /// The arm.
    pub arm: ArmIx,
    /// For whom.
    pub recipient: AccountIx,
    /// What it says.
    pub text: Arc<str>,
    /// How it is blocked.
    pub signal: Signal,
    /// How the search ended; `None` where none was begun.
    pub status: Option<Status>,
    /// The rules, in the order in which they were found.
    pub rules: Vec<RuleRecord>,
    /// Components of a rule that was not found to its end, byte ranges of the text.
    pub candidate: Vec<Range<usize>>,
    /// Where in the text something that blocks is left to be found, as a byte range; `None` where nothing is.
    pub window: Option<Range<usize>>,
    /// Something that was blocked passes inside a larger part of the text.
    pub non_monotone: bool,
    /// Messages that were sent about it, controls not counted.
    pub messages: u32,
    /// Answers that were waited for, one after the other.
    pub rounds: u32,
}

impl TextRecord {
    /// Whether every rule in the text is found and certified.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.window.is_none() && self.rules.iter().all(|rule| rule.certified)
    }
}

/// One rule in a text.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleRecord {
    /// Its components in the order of the text, byte ranges.
    pub components: Vec<Range<usize>>,
    /// Combinations whose presence lifts the block, byte ranges of the text.
    pub unless: Vec<Vec<Range<usize>>>,
    /// How the components must stand.
    pub matching: Matching,
    /// How a message that holds nothing else is blocked.
    pub signal: Signal,
    /// Sends of the combination alone that say something.
    pub alone: u32,
    /// Of these, those that did not arrive as they were sent.
    pub blocked_alone: u32,
    /// The evidence of these against "only lost"; `None` where the platform told that it blocks them.
    pub e_value: Option<f64>,
    /// Whether it is proved, to the error rates asked for.
    pub certified: bool,
    /// Answers that had been waited for when it was found.
    pub rounds: u32,
}

/// What became of one combination, sent alone.
#[derive(Clone, Debug, Default)]
struct Alone {
    drops: DropsByHour,
    arrivals: u32,
    told: BTreeMap<Signal, u32>,
}

impl Alone {
    fn dropped(&self) -> u32 {
        self.drops.iter().map(|(_, drops)| drops).sum()
    }

    fn told(&self) -> u32 {
        self.told.values().sum()
    }

    /// Whether the platform told that it blocks it, and it was blocked more than once.
    fn is_told(&self) -> bool {
        self.told() > 0 && self.told() + self.dropped() >= FEWEST_DROPS
    }

    fn ln_e(&self, tallies: &Tallies, arm: ArmIx, recipient: AccountIx) -> f64 {
        tallies.ln_e_of_drops(arm, recipient, &self.drops, self.arrivals)
    }
}

/// A combination: where its components begin and end, in order.
type Combination = Vec<(u32, u32)>;

/// Every combination of one text that was sent alone, and what became of it for the recipient of a search.
fn sent_alone(evidence: &Evidence, search: &TextSearch) -> BTreeMap<(Combination, bool), Alone> {
    let plan = search.plan();
    let mut combinations: BTreeMap<(Combination, bool), Alone> = BTreeMap::new();
    for probe in evidence.searches().probes_of(plan.arm, &plan.items) {
        let record = evidence.probe(*probe);
        let reversed = record.probe.purpose == Purpose::Order;
        let Some(excerpt) = record.probe.excerpt.as_ref().filter(|_| reversed || record.probe.purpose == Purpose::Confirm) else {
            continue;
        };
        let Some(outcome) = evidence.outcome(*probe, plan.recipient) else { continue };
        let mut combination: Combination = excerpt.fragments.iter().map(|range| (range.start, range.end)).collect();
        combination.sort_unstable();
        let alone = combinations.entry((combination, reversed)).or_default();
        match outcome {
            Outcome::Delivered | Outcome::DeliveredLate => alone.arrivals += 1,
            Outcome::Dropped => count_drop(&mut alone.drops, hour_of(record.started_at.unwrap_or(record.planned_at)), 1),
            _ => {
                if let Some(signal) = Signal::of(outcome) {
                    *alone.told.entry(signal).or_default() += 1;
                }
            }
        }
    }
    combinations
}

/// The own sends of a rule: its components alone, and in the reverse order too where the order makes no difference.
fn own_sends(found: &Found, sent: &BTreeMap<(Combination, bool), Alone>) -> Alone {
    let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let mut combination: Combination = found.components.iter().map(|range| (byte(range.start), byte(range.end))).collect();
    combination.sort_unstable();
    let mut own = sent.get(&(combination.clone(), false)).cloned().unwrap_or_default();
    let backwards = sent.get(&(combination, true)).filter(|it| found.matching != Matching::Ordered && it.arrivals == 0);
    if let Some(backwards) = backwards {
        for (hour, drops) in &backwards.drops {
            count_drop(&mut own.drops, *hour, i32::try_from(*drops).unwrap_or(i32::MAX));
        }
        for (signal, count) in &backwards.told {
            *own.told.entry(*signal).or_default() += count;
        }
    }
    own
}

/// One search, what it found, and the own sends of its rules.
struct Searched<'e> {
    search: &'e TextSearch,
    findings: Findings,
    own: Vec<Alone>,
    /// Combinations that were sent alone.
    tested: u64,
}

fn searched(evidence: &Evidence) -> Vec<Searched<'_>> {
    let all = evidence.searches().all().iter();
    all.map(|search| {
        let findings = search.findings();
        let sent = sent_alone(evidence, search);
        let own: Vec<Alone> = findings.rules.iter().map(|rule| own_sends(rule, &sent)).collect();
        let combinations: BTreeSet<&Combination> = sent.keys().map(|(combination, _)| combination).collect();
        Searched { search, findings, own, tested: combinations.len() as u64 }
    })
    .collect()
}

/// The logarithm of the least e-value that certifies a combination.
fn ln_threshold(searched: &[Searched<'_>], study: &Study, tallies: &Tallies) -> f64 {
    let least = -log(study.decision.false_positive_rate);
    let level = study.decision.false_discovery_rate;
    let total: u64 = searched.iter().map(|it| it.tested).sum();
    let mut ln_e: Vec<f64> = Vec::new();
    let mut told = 0;
    for it in searched {
        let plan = it.search.plan();
        for own in &it.own {
            match own.ln_e(tallies, plan.arm, plan.recipient) {
                _ if own.is_told() => told += 1,
                ln if ln >= least => ln_e.push(ln),
                _ => {}
            }
        }
    }
    // What the platform tells needs no evidence, and is true.
    let mut all = vec![f64::INFINITY; told];
    ln_e.sort_by(|a, b| b.total_cmp(a));
    all.extend(ln_e);
    multiplicity::ln_threshold(multiplicity::rejected(&all, total, level), total, level).max(least)
}

/// The combinations whose own sends do not suffice yet, although nothing else is missing: which search, and its components.
#[must_use]
pub fn wanting(evidence: &Evidence, tallies: &Tallies) -> Vec<(SearchIx, Vec<Range<usize>>)> {
    let searched = searched(evidence);
    let threshold = ln_threshold(&searched, evidence.study(), tallies);
    let mut wanting = Vec::new();
    for it in &searched {
        let plan = it.search.plan();
        for (rule, own) in it.findings.rules.iter().zip(&it.own) {
            let proved = own.is_told() || own.ln_e(tallies, plan.arm, plan.recipient) >= threshold.min(f64::MAX);
            if !proved && own.arrivals == 0 {
                wanting.push((plan.search, rule.components.clone()));
            }
        }
    }
    wanting
}

/// Whether an item is a text in which something is searched once it is blocked.
#[must_use]
pub fn is_text(study: &Study, item: ItemIx) -> bool {
    let it = study.item(item);
    it.role == Role::Candidate
        && study.isolation.is_some()
        && it.file.is_none()
        && (study.design == DesignKind::Isolate || it.message.graphemes(true).nth(SHORTEST_TEXT - 1).is_some())
}

/// How a unit is blocked by what its own sends showed so far; `None` if they do not show that it is. `drops`: how many it takes.
#[must_use]
pub fn signal_of(tallies: &Tallies, unit: Unit, drops: u32) -> Option<Signal> {
    let tally = tallies.of(unit);
    let told = [(tally.refused, Signal::Refused), (tally.altered, Signal::Altered), (tally.retracted, Signal::Retracted)];
    match told.into_iter().find(|(count, _)| *count > 0) {
        _ if tally.passed() > 0 => None,
        Some((_, signal)) => Some(signal),
        None => (tally.dropped >= drops).then_some(Signal::Dropped),
    }
}

fn signal_of_verdict(verdict: Option<Verdict>) -> Option<Signal> {
    match verdict? {
        Verdict::Dropped => Some(Signal::Dropped),
        Verdict::Refused => Some(Signal::Refused),
        Verdict::Altered => Some(Signal::Altered),
        Verdict::Retracted => Some(Signal::Retracted),
        Verdict::Delivered | Verdict::Delayed | Verdict::Inconsistent | Verdict::Inconclusive => None,
    }
}

/// What is known of every text that was searched or should have been, ordered by item, arm and recipient; combinations come last.
#[must_use]
pub fn derive(evidence: &Evidence, tallies: &Tallies) -> Vec<TextRecord> {
    let study = evidence.study();
    let searched = searched(evidence);
    let threshold = ln_threshold(&searched, study, tallies);
    let leaks = leaks(evidence, &searched, threshold, tallies);
    let mut records: Vec<TextRecord> =
        searched.iter().map(|it| record(it, threshold, leaks.contains(&it.search.plan().search), tallies)).collect();
    for unit in tallies.units().filter(|unit| is_text(study, unit.item)) {
        let Some(signal) = signal_of_verdict(tallies.final_verdict(unit)) else { continue };
        if evidence.searches().find(unit.arm, &[unit.item], unit.recipient).is_none() {
            let text = study.joined(&[unit.item]);
            records.push(TextRecord {
                items: vec![unit.item],
                arm: unit.arm,
                recipient: unit.recipient,
                signal,
                status: None,
                rules: Vec::new(),
                candidate: Vec::new(),
                window: Some(0..text.len()),
                text,
                non_monotone: false,
                messages: 0,
                rounds: 0,
            });
        }
    }
    only_smallest(&mut records);
    let place = |record: &TextRecord| study.arm(record.arm).recipients.iter().position(|it| *it == record.recipient);
    records.sort_by_key(|record| (record.items.len() > 1, record.items.clone(), record.arm, place(record)));
    // A text that turned out to pass, and in which nothing was proved, is none of those that are blocked.
    records.retain(|record| {
        let unit = |item: &ItemIx| Unit { item: *item, arm: record.arm, recipient: record.recipient };
        let passes = |item: &ItemIx| matches!(tallies.final_verdict(unit(item)), Some(Verdict::Delivered | Verdict::Delayed));
        let proved = record.rules.iter().any(|rule| rule.certified);
        proved || record.items.len() > 1 || !record.items.iter().all(passes)
    });
    records
}

/// The texts in which nothing is certified, because something arrived that is known to be blocked: there one delivery proves nothing.
///
/// A combination that losses made look blocked arrives as well, in a text here and there. So it is the text itself in which nothing is
/// certified, and where it happens in more than one text in twenty, every text of that arm for that recipient.
fn leaks(evidence: &Evidence, searched: &[Searched<'_>], threshold: f64, tallies: &Tallies) -> BTreeSet<SearchIx> {
    let leaking: BTreeSet<SearchIx> =
        searched.iter().filter(|it| leaks_in(it, evidence, threshold, tallies)).map(|it| it.search.plan().search).collect();
    let route = |it: &Searched<'_>| (it.search.plan().arm, it.search.plan().recipient);
    let mut of_route: BTreeMap<(ArmIx, AccountIx), (usize, usize)> = BTreeMap::new();
    for it in searched {
        let (all, leaks) = of_route.entry(route(it)).or_default();
        *all += 1;
        *leaks += usize::from(leaking.contains(&it.search.plan().search));
    }
    let is_leaking = |it: &&Searched<'_>| {
        let (all, leaks) = of_route.get(&route(it)).copied().unwrap_or_default();
        leaking.contains(&it.search.plan().search) || leaks * LEAKS_OF_CHANCE > all
    };
    searched.iter().filter(is_leaking).map(|it| it.search.plan().search).collect()
}

/// Whether something of this text arrived that is known to be blocked: the text or a combination alone that is proved to be, or a message
/// that holds such a combination and that nothing lifts.
fn leaks_in(it: &Searched<'_>, evidence: &Evidence, threshold: f64, tallies: &Tallies) -> bool {
    let plan = it.search.plan();
    let text_arrived = match plan.items.as_slice() {
        &[item] => tallies.of(Unit { item, arm: plan.arm, recipient: plan.recipient }).delivered > 0,
        _ => false,
    };
    let is_proved = |own: &Alone| own.is_told() || tallies.ln_e_of_drops(plan.arm, plan.recipient, &own.drops, 0) >= threshold;
    let proved: Vec<(&Found, &Alone)> = it.findings.rules.iter().zip(&it.own).filter(|(_, own)| is_proved(own)).collect();
    let alone_arrived = proved.iter().any(|(_, own)| own.arrivals > 0);
    let whole_arrived =
        proved.iter().filter(|(rule, _)| rule.unless.is_empty() && rule.matching != Matching::Ordered).any(|(rule, _)| {
            evidence.searches().probes_of(plan.arm, &plan.items).iter().any(|probe| {
                let arrived = evidence.outcome(*probe, plan.recipient) == Some(Outcome::Delivered);
                arrived && {
                    let message = evidence.study().text_of(&evidence.probe(*probe).probe);
                    let mut parts = rule.components.iter().map(|range| it.search.text().get(range.clone()));
                    parts.all(|part| part.is_some_and(|part| message.contains(part)))
                }
            })
        });
    said_both(it, evidence, tallies, threshold) || (text_arrived && !proved.is_empty()) || alone_arrived || whole_arrived
}

/// Whether one and the same message about this text was dropped more often than losses explain, and arrived as well.
fn said_both(it: &Searched<'_>, evidence: &Evidence, tallies: &Tallies, threshold: f64) -> bool {
    let plan = it.search.plan();
    let mut messages: BTreeMap<Vec<(u32, u32)>, (DropsByHour, u32)> = BTreeMap::new();
    for probe in evidence.searches().probes_of(plan.arm, &plan.items) {
        let record = evidence.probe(*probe);
        let Some(excerpt) = &record.probe.excerpt else { continue };
        let fragments = excerpt.fragments.iter().map(|range| (range.start, range.end)).collect();
        let (drops, arrivals) = messages.entry(fragments).or_default();
        match evidence.outcome(*probe, plan.recipient) {
            Some(Outcome::Delivered) => *arrivals += 1,
            Some(Outcome::Dropped) => count_drop(drops, hour_of(record.started_at.unwrap_or(record.planned_at)), 1),
            _ => {}
        }
    }
    // Of so many messages some are lost twice.
    let least = threshold - log(1e-6);
    let proved = |drops: &DropsByHour| tallies.ln_e_of_drops(plan.arm, plan.recipient, drops, 0) >= least;
    messages.values().any(|(drops, arrivals)| *arrivals > 0 && proved(drops))
}

/// Takes the certificate from rules that hold another certified rule of the same arm and recipient: they are no smallest ones, so something
/// was delivered that should not have been.
fn only_smallest(records: &mut [TextRecord]) {
    let parts = |record: &TextRecord, rule: &RuleRecord| -> Vec<String> {
        let parts: BTreeSet<&str> = rule.components.iter().filter_map(|range| record.text.get(range.clone())).collect();
        parts.into_iter().map(str::to_owned).collect()
    };
    let mut smallest: BTreeMap<(ArmIx, AccountIx), BTreeSet<Vec<String>>> = BTreeMap::new();
    for record in &*records {
        for rule in
            record.rules.iter().filter(|rule| rule.certified && rule.unless.is_empty() && rule.matching != Matching::Ordered)
        {
            smallest.entry((record.arm, record.recipient)).or_default().insert(parts(record, rule));
        }
    }
    for record in records.iter_mut() {
        let Some(others) = smallest.get(&(record.arm, record.recipient)) else { continue };
        let all: Vec<Vec<String>> = record.rules.iter().map(|rule| parts(record, rule)).collect();
        for (rule, own) in record.rules.iter_mut().zip(all) {
            let holds = |other: &Vec<String>| other.iter().all(|part| own.iter().any(|of| of.contains(part.as_str())));
            rule.certified &= !others.iter().any(|other| *other != own && holds(other));
        }
    }
}

fn record(it: &Searched<'_>, threshold: f64, leaks: bool, tallies: &Tallies) -> TextRecord {
    let plan = it.search.plan();
    let rules = it.findings.rules.iter().zip(&it.own).map(|(found, own)| {
        let ln_e = own.ln_e(tallies, plan.arm, plan.recipient);
        let told = own.told.iter().max_by_key(|(_, count)| **count).map(|(signal, _)| *signal);
        let blocked = own.is_told() || ln_e >= threshold;
        RuleRecord {
            components: found.components.clone(),
            unless: found.unless.clone(),
            matching: found.matching,
            signal: told.unwrap_or(Signal::Dropped),
            alone: own.dropped() + own.told() + own.arrivals,
            blocked_alone: own.dropped() + own.told(),
            e_value: told.is_none().then(|| e_value(ln_e)),
            certified: found.needed && blocked && own.arrivals == 0 && !leaks,
            rounds: found.messages,
        }
    });
    let whole = 0..it.search.text().len();
    let window = match it.findings.status {
        Status::Complete | Status::First => None,
        Status::Open | Status::Exhausted | Status::Nothing => Some(it.findings.window.clone().unwrap_or(whole)),
    };
    TextRecord {
        items: plan.items.clone(),
        arm: plan.arm,
        recipient: plan.recipient,
        text: Arc::clone(it.search.text()),
        signal: plan.signal,
        status: Some(it.findings.status),
        rules: rules.collect(),
        candidate: if window.is_some() { it.findings.candidate.clone() } else { Vec::new() },
        window,
        non_monotone: it.findings.non_monotone,
        messages: it.search.messages(),
        rounds: it.findings.messages,
    }
}
