//! Small random studies, policies and faults: whatever happens, the invariants hold, the journal replays, and one seed gives
//! one journal.
//!
//! Each case is written as a scenario file. When one fails, the file is printed: put into `tests/scenarios/` it is a test.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use lacuna_design::{Command, generator};
use lacuna_inference::rules::{self, TextRecord};
use lacuna_inference::verdicts;
use lacuna_model::{Decision, Entry, EntrySequence, Fact, Outcome, Role, Unit, Verdict};
use lacuna_runner::truth::Triggers;
use rand::{Rng, RngExt};

use crate::invariants::{self, replay};
use crate::run::Run;
use crate::scenario::{Prepared, Scenario};
use crate::texts;

/// So many cases; another number and the first case can be given with `CASES` and `FIRST_CASE`.
const CASES: u64 = 600;

/// Each journal is cut at so many places.
const CUTS: usize = 4;

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn random_runs_keep_the_invariants() {
    let first = variable("FIRST_CASE", 0);
    let mut seen = Seen::default();
    for case in first..first + variable("CASES", CASES) {
        let text = write_case(case);
        // A panic inside a run shows the file as well.
        let broken = catch_unwind(AssertUnwindSafe(|| check(case, &text, &mut seen)))
            .unwrap_or_else(|panic| vec![panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".to_owned())]);
        let shown: Vec<String> = broken.into_iter().take(10).collect();
        assert!(shown.is_empty(), "case {case}:\n{text}\n{}", shown.join("\n"));
    }
    println!("{seen:?}");
    // Filters that act always: a claim may be wrong as often as the error rates say.
    assert!(seen.wrong as f64 <= 0.01 * seen.certified as f64, "{seen:?}");
}

/// What the cases held.
#[derive(Debug, Default)]
struct Seen {
    entries: usize,
    searches: usize,
    /// Rules that were certified where every rule acts always, and those of them that are none.
    certified: usize,
    wrong: usize,
    /// The same where rules act at times.
    certified_of_leaky: usize,
    wrong_of_leaky: usize,
}

impl Seen {
    /// Counts the rules of a run, and gives the texts that are blocked and have no row.
    fn rules(&mut self, run: &Run) -> Vec<String> {
        let evidence = run.engine.evidence();
        let records = rules::derive(evidence, &verdicts::tallies(evidence));
        let triggers = Triggers::new(&run.study, &run.policy);
        let leaky = run.policy.rules.iter().any(|rule| rule.enforcement < 1.0);
        self.searches += evidence.searches().all().len();
        for record in &records {
            let certified = record.rules.iter().filter(|rule| rule.certified).count();
            let wrong = texts::wrong(record, &triggers);
            let senders = run.study.arm(record.arm).senders.iter().map(|sender| run.study.account(*sender).registered_in);
            // Where senders are filtered differently, a rule acts at times as well.
            let at_times = leaky || senders.collect::<BTreeSet<_>>().len() > 1;
            if at_times {
                self.certified_of_leaky += certified;
                self.wrong_of_leaky += wrong.len();
            } else {
                self.certified += certified;
                self.wrong += wrong.len();
                for rule in &wrong {
                    println!("seed {}: certified, and no smallest trigger: {rule}", run.study.seed);
                }
            }
        }
        let caught = run.verdicts.iter().filter(|it| {
            let verdict = it.verdict;
            matches!(verdict, Verdict::Dropped | Verdict::Refused | Verdict::Altered | Verdict::Retracted)
                && rules::is_text(&run.study, it.unit.item)
        });
        let has_row = |unit: Unit| {
            let same = |it: &TextRecord| it.items == [unit.item] && (it.arm, it.recipient) == (unit.arm, unit.recipient);
            records.iter().any(same)
        };
        let without = caught.filter(|it| !has_row(it.unit));
        without.map(|it| format!("{} is blocked and has no row", run.study.item(it.unit.item).id)).collect()
    }
}

/// Everything that is wrong with one case.
fn check(case: u64, text: &str, seen: &mut Seen) -> Vec<String> {
    let Prepared { study, policy, faults } =
        Scenario::parse(text).and_then(|scenario| scenario.prepare()).unwrap_or_else(|error| panic!("{error}"));
    let study = Arc::new(study);
    let run = Run::drive(&study, &policy, &faults);
    seen.entries += run.entries.len();
    let mut broken = invariants::broken(&run);
    broken.extend(seen.rules(&run));
    if run.journal() != Run::drive(&study, &policy, &faults).journal() {
        broken.push("two runs with one seed differ".to_owned());
    }
    let mut random = generator(case, &["cuts"]);
    for _ in 0..CUTS {
        let length = random.random_range(1..=run.entries.len());
        broken.extend(resume(&run, length).into_iter().map(|broken| format!("cut behind {length} entries: {broken}")));
    }
    broken
}

/// Cuts the journal, replays what is left, and opens an epoch, as a resumed run does.
fn resume(run: &Run, length: usize) -> Vec<String> {
    let (mut one, torn) = match replay(run, length) {
        Ok(replayed) => replayed,
        Err(difference) => return vec![difference],
    };
    let Ok((mut other, _)) = replay(run, length) else { return Vec::new() };
    let at = run.entries[length - 1].0;
    let epochs = run.entries[..length].iter().filter(|(_, entry)| matches!(entry, Entry::Fact(Fact::EpochOpened { .. })));
    let epoch = u32::try_from(epochs.count()).unwrap();
    let opened = Fact::EpochOpened { epoch, sent_today: vec![0; run.study.accounts.len()], resumed_by: None };
    // The decisions that were torn off are journaled first, so the epoch comes behind them.
    let sequence = EntrySequence((length + torn.len()) as u64);
    let (mut commands, mut again) = (Vec::new(), Vec::new());
    one.handle(sequence, at, &opened, &mut commands);
    other.handle(sequence, at, &opened, &mut again);
    let mut broken = Vec::new();
    if commands != again {
        broken.push("two replays go on differently".to_owned());
    }
    for command in &commands {
        if let Command::Decide(Decision::ProbePlanned(probe)) = command
            && probe.role != Role::Control
        {
            broken.push(format!("the epoch begins with {}, a candidate", probe.id));
        }
    }
    let planned = commands.iter().filter(|it| matches!(it, Command::Decide(Decision::ProbePlanned(_)))).count();
    let evidence = one.evidence();
    let earlier = evidence.probes().len() - planned;
    for row in evidence.outcomes().filter(|row| row.probe.get() < earlier) {
        let outcome = evidence.outcome(row.probe, row.recipient);
        let record = evidence.probe(row.probe);
        let unanswered = record.resolved_at.is_none() && row.observed_at.is_none();
        let of_unknown_fate = matches!(outcome, Some(Outcome::UnknownSubmission | Outcome::SendFailed));
        if outcome.is_none() {
            broken.push(format!("{} is still open in the new epoch", row.probe));
        }
        if unanswered && !of_unknown_fate {
            broken.push(format!("{} was never answered and is {outcome:?}", row.probe));
        }
    }
    broken
}

/// Writes the scenario of a case.
pub fn write_case(case: u64) -> String {
    let mut random = generator(case, &["random scenario"]);
    let random = &mut random;
    let mut text = format!("about = \"random case {case}\"\n[experiment]\nseed = {case}\n");
    let accounts = ["a", "b", "c", "d"];
    for account in accounts {
        let region = pick(random, &["CA", "CN"]);
        let _ = writeln!(text, "[[experiment.account]]\nid = \"{account}\"\nregistered-in = \"{region}\"\nlocated-in = \"CA\"");
    }
    for arm in 0..random.random_range(1..=3) {
        let split = random.random_range(1..=3);
        let mut members = accounts.to_vec();
        for place in (1..members.len()).rev() {
            members.swap(place, random.random_range(0..=place));
        }
        let recipients = random.random_range(split + 1..=4);
        let (venue, senders) = match random.random_range(0..5) {
            0 | 1 => ("direct", &members[..split]),
            2 | 3 => ("group", &members[..split]),
            _ => ("feed", &members[..split]),
        };
        let recipients = &members[split..recipients.max(split + 1)];
        let _ = writeln!(text, "[[experiment.arm]]\nid = \"arm{arm}\"\nvenue = \"{venue}\"");
        let _ = writeln!(text, "senders = {senders:?}\nrecipients = {recipients:?}");
    }
    write_settings(random, &mut text);
    let isolates = write_isolation(&mut generator(case, &["isolation"]), &mut text);
    write_policy(random, &mut text);
    let _ = writeln!(text, "[items]\nneutral = {}\ncontrols = {}", pick(random, &[0, 3, 8, 40]), pick(random, &[1, 2, 60]));
    let texts = if isolates { TEXTS } else { "" };
    let _ = writeln!(
        text,
        "candidates = {{ {texts}bad1 = \"bad words 1\", bad2 = \"bad words 2\", ugly = \"ugly words\", two = \"one half\", three = \"other half\" }}"
    );
    if chance(random, 20) {
        text.push_str("canaries = { hit = \"bad words of a canary\" }\n");
    }
    for _ in 0..random.random_range(0..4) {
        let at = random.random_range(0..6_000);
        let account = pick(random, &accounts);
        let kind = match random.random_range(0..8) {
            0..3 => format!("gap\"\naccount = \"{account}"),
            3..6 => "crash".to_owned(),
            6 => format!("sanction\"\naccount = \"{account}"),
            _ => "stop-request".to_owned(),
        };
        let _ = writeln!(text, "[[fault]]\nat = \"{at}ms\"\nkind = \"{kind}\"");
    }
    text.push_str("[expect]\n");
    text
}

fn write_settings(random: &mut impl Rng, text: &mut String) {
    let most = pick(random, &[1, 2, 12]);
    let pooling = pick(random, &["off", "auto", "auto"]);
    let _ = writeln!(text, "[experiment.decision]\nmax-probes-per-item = {most}\npooling = \"{pooling}\"");
    if chance(random, 10) {
        let _ = writeln!(text, "replicates = {}", pick(random, &[2, 5]));
    }
    let (grace, late) = (pick(random, &["auto", "100ms", "1s"]), pick(random, &["0s", "1s", "10s"]));
    let bracket = pick(random, &[1, 2, 3, 4, 9]);
    let _ = writeln!(text, "[experiment.watch]\ngrace = \"{grace}\"\nlate = \"{late}\"\nbracket-messages = {bracket}");
    let _ = writeln!(text, "[experiment.pacing]\nin-flight = {}", pick(random, &[1, 1, 2, 4]));
    for (key, value) in [("min-gap", "300ms"), ("confirm-after", "5s"), ("cool-off", "2s")] {
        if chance(random, 20) {
            let _ = writeln!(text, "{key} = \"{value}\"");
        }
    }
    let _ = writeln!(text, "[experiment.safety]\nstop-after-sanctions = {}", pick(random, &[1, 2]));
    let _ = writeln!(text, "max-messages = {}", pick(random, &[1, 5, 30, 5_000, 5_000, 5_000]));
    let _ = writeln!(text, "max-messages-per-account-per-day = {}", pick(random, &[1, 3, 30, 5_000, 5_000, 5_000]));
}

/// Texts in which something is searched: one that holds a rule, one that holds three, and one that holds none.
const TEXTS: &str = "text1 = \"he said some bad words to the others and went home\", \
                     text2 = \"one half of the ugly words and the other half of the bad words 2 are here\", \
                     text3 = \"nothing is the matter with this text as far as anybody knows\", ";

/// A third of the cases isolate: half of these at once, half behind the screen. Whether this one does.
fn write_isolation(random: &mut impl Rng, text: &mut String) -> bool {
    // With replicates nothing is searched.
    if !chance(random, 33) || text.contains("replicates") {
        return false;
    }
    if chance(random, 50) {
        *text = text.replace("[experiment]\n", "[experiment]\ndesign = \"isolate\"\n");
        // Texts are not pooled.
        *text = text.replace("pooling = \"auto\"", "pooling = \"off\"");
    } else {
        text.push_str("[experiment.then]\nisolate = true\n");
    }
    let most = pick(random, &[1, 5, 40, 400]);
    *text = text.replace("[experiment.decision]\n", &format!("[experiment.decision]\nmax-messages-per-text = {most}\n"));
    true
}

fn write_policy(random: &mut impl Rng, text: &mut String) {
    for (rule, words) in ["bad words", "ugly words", "bad words 2", "one half\", \"other half"].into_iter().enumerate() {
        let action = pick(random, &["drop", "drop", "refuse", "mask", "retract", "hold"]);
        let after = pick(random, &["500ms", "5s", "60s"]);
        let enforcement = pick(random, &["1.0", "1.0", "0.5"]);
        let _ = writeln!(text, "[[policy.rule]]\nid = \"r{rule}\"\nall = [\"{words}\"]\naction = \"{action}\"");
        let _ = writeln!(text, "after = \"{after}\"\nenforcement = {enforcement}");
        if chance(random, 50) {
            text.push_str("when = { recipient-registered-in = [\"CN\"] }\n");
        }
    }
    let loss = pick(random, &["0.0", "0.0", "0.01", "0.05", "0.2", "0.9"]);
    let (burst, duplicate, reorder) =
        (pick(random, &["1.0", "10.0"]), pick(random, &["0.0", "0.3"]), pick(random, &["0.0", "0.3"]));
    let delay = pick(random, &["0s", "20ms", "400ms"]);
    let _ =
        writeln!(text, "[policy.network]\nloss = {loss}\nburst-length = {burst}\nduplicate = {duplicate}\nreorder = {reorder}");
    let _ = writeln!(text, "delay-median = \"{delay}\"\ndelay-p99 = \"2s\"");
    if chance(random, 30) {
        let limit = pick(random, &["suppress-after-hits = 2", "suspend-after-hits = 2", "messages-per-minute = 10"]);
        let _ = writeln!(text, "[policy.sanctions]\n{limit}");
    }
    for _ in 0..random.random_range(0..3) {
        let (from, lasts) = (random.random_range(0..4_000), pick(random, &[100, 1_000, 5_000, 3_600_000]));
        let kind =
            pick(random, &["kind = \"down\"", "kind = \"black-hole\"", "kind = \"deaf\"", "kind = \"deaf\"\naccounts = [\"b\"]"]);
        let _ = writeln!(text, "[[policy.outage]]\nfrom = \"{from}ms\"\nlasts = \"{lasts}ms\"\n{kind}");
    }
}

fn pick<T: Copy>(random: &mut impl Rng, choices: &[T]) -> T {
    choices[random.random_range(0..choices.len())]
}

fn chance(random: &mut impl Rng, percent: u32) -> bool {
    random.random_range(0..100) < percent
}
