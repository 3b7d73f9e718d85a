//! Many runs under one kind of fault: nothing that is not censored may be called dropped.
//!
//! The rate of false positives that the runs ask for is one in a thousand per item. That none of many thousands is called
//! dropped is more than that; it holds because what these faults destroy lies outside of every bracket. Half of the runs of each
//! campaign share messages among items. `RUNS=1000` runs that many of each.

use std::sync::Arc;
use std::time::Instant;

use lacuna_model::{Duration, Outcome, Purpose, Role, Study, Verdict};

use crate::expect::{claim, unit};
use crate::invariants;
use crate::run::Run;
use crate::scenario::Scenario;

/// Runs of each campaign, unless `RUNS` says otherwise.
const RUNS: u64 = 200;

fn runs() -> u64 {
    std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS)
}

const SETTING: &str = r#"
about = "forty items, BLOCKED of them dropped"
[experiment]
account = [
  { id = "intl", registered-in = "CA", located-in = "CA" },
  { id = "cn-a", registered-in = "CN", located-in = "CN" },
  { id = "cn-b", registered-in = "CN", located-in = "CA" },
]
arm = [{ id = "to-cn", senders = ["intl"], recipients = ["cn-a", "cn-b"], venue = "VENUE" }]
decision = { false-positive-rate = 0.001, pooling = "POOLING" }
watch = { grace = "1s", late = "6s" }
[items]
candidates = { CANDIDATES }
neutral = NEUTRAL
[expect]
[policy]
rule = [{ id = "r1", all = ["bad words"], action = "drop" }]
"#;

/// What is added up over the runs of a campaign.
#[derive(Default)]
struct Sums {
    units: u64,
    messages: u64,
    controls: u64,
    sends: u64,
    voids: u64,
    drops: u64,
    retests: u64,
    inconclusive: u64,
    censored: u64,
    convicted: u64,
    runs: u64,
    seconds: f64,
    stopped_early: u64,
}

/// Runs a campaign with forty items, two of them dropped.
fn campaign(name: &str, faults: &str) {
    campaign_of(name, 2, faults);
}

/// Runs a campaign with forty items, some of them dropped; prints what it cost, and fails if anything is called dropped that is not.
fn campaign_of(name: &str, blocked: u64, faults: &str) {
    let began = Instant::now();
    let mut wrong = Vec::new();
    let mut sums = Sums::default();
    let candidates: Vec<String> = (0..blocked).map(|number| format!("bad{number} = \"{number} bad words\"")).collect();
    let setting = SETTING
        .replace("BLOCKED", &blocked.to_string())
        .replace("CANDIDATES", &candidates.join(", "))
        .replace("NEUTRAL", &(40 - blocked).to_string());
    for (venue, pooling) in [("direct", "off"), ("group", "off"), ("direct", "auto"), ("group", "auto")] {
        let text = setting.replace("VENUE", venue).replace("POOLING", pooling) + faults;
        let prepared = Scenario::parse(&text).and_then(|scenario| scenario.prepare()).unwrap_or_else(|error| panic!("{error}"));
        for seed in 0..runs() / 4 {
            let study = Arc::new(Study { seed, ..prepared.study.clone() });
            let run = Run::drive(&study, &prepared.policy, &[]);
            for record in &run.verdicts {
                let censored = study.item(record.unit.item).message.contains("bad words");
                sums.censored += u64::from(censored);
                sums.convicted += u64::from(censored && record.verdict == Verdict::Dropped);
                sums.inconclusive += u64::from(record.verdict == Verdict::Inconclusive);
                // What is void was asked again, or nothing is claimed.
                let truth = if censored { Verdict::Dropped } else { Verdict::Delivered };
                if record.verdict != truth && record.verdict != Verdict::Inconclusive {
                    wrong.push(format!("{venue}, pooling {pooling}, seed {seed}: {}: {}", unit(&study, record), claim(record)));
                }
            }
            let broken = invariants::broken(&run);
            wrong.extend(broken.into_iter().map(|broken| format!("{venue}, pooling {pooling}, seed {seed}: {broken}")));
            sums.add(&run);
        }
    }
    sums.print(name, began.elapsed().as_secs_f64());
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

impl Sums {
    fn add(&mut self, run: &Run) {
        self.runs += 1;
        self.units += run.verdicts.len() as u64;
        self.messages += run.engine.progress().sent;
        self.controls += run.messages(&[Role::Control]);
        self.sends += run.messages(&[Role::Candidate]);
        self.voids += run.outcomes(Outcome::Void);
        self.drops += run.outcomes(Outcome::Dropped);
        self.retests += run.sent_to(Purpose::Retest);
        self.seconds += run.duration().as_secs_f64();
        self.stopped_early += u64::from(run.stop_reason() != "finished");
    }

    fn print(&self, name: &str, seconds: f64) {
        let per = |count: u64, of: u64| count as f64 / of as f64;
        println!(
            "{name}: {} runs in {seconds:.1} s; {:.2} messages per unit, {:.2} controls per candidate sent, {} voids, {} \
             bracketed drops, {} retests, {:.2} % inconclusive, {} of {} censored units convicted, {:.1} s virtual time per run, {} \
             runs stopped early",
            self.runs,
            per(self.messages, self.units),
            per(self.controls, self.sends),
            self.voids,
            self.drops,
            self.retests,
            100.0 * per(self.inconclusive, self.units),
            self.convicted,
            self.censored,
            self.seconds / self.runs as f64,
            self.stopped_early,
        );
    }
}

const NETWORK: &str = "network = { delay-median = \"20ms\", delay-p99 = \"200ms\" }\n";

/// An outage of the platform or of a receiver.
fn outage(from: Duration, lasts: Duration, kind: &str) -> String {
    format!("{NETWORK}[[policy.outage]]\nfrom = \"{from}\"\nlasts = \"{lasts}\"\n{kind}\n")
}

const MIDDLE: Duration = Duration::from_millis(700);

#[test]
fn the_platform_is_down_for_five_seconds() {
    campaign("down for 5 s", &outage(MIDDLE, Duration::from_secs(5), "kind = \"down\""));
}

#[test]
fn the_platform_swallows_everything_for_five_seconds() {
    campaign("black hole for 5 s", &outage(MIDDLE, Duration::from_secs(5), "kind = \"black-hole\""));
}

#[test]
fn a_receiver_stops_listening_for_a_while() {
    campaign("one receiver deaf for 5 s", &outage(MIDDLE, Duration::from_secs(5), "kind = \"deaf\"\naccounts = [\"cn-b\"]"));
}

#[test]
fn a_receiver_stops_listening_for_good() {
    campaign(
        "one receiver deaf to the end",
        &outage(MIDDLE, Duration::from_secs(86_400), "kind = \"deaf\"\naccounts = [\"cn-b\"]"),
    );
}

#[test]
fn losses_come_in_bursts_of_ten() {
    let network = NETWORK.replace(" }", ", loss = 0.05, burst-length = 10 }");
    campaign("5 % loss in bursts of 10", &network);
}

#[test]
fn messages_come_twice_and_overtake_each_other() {
    let network = NETWORK.replace(" }", ", duplicate = 0.2, reorder = 0.2 }");
    campaign("20 % duplicates, 20 % reordered", &network);
}

#[test]
fn one_message_in_twenty_is_lost() {
    let network = NETWORK.replace(" }", ", loss = 0.05 }");
    campaign("5 % independent loss", &network);
}

#[test]
fn a_sender_is_silently_suppressed_after_thirty_hits() {
    campaign_of("suppressed after 30 hits", 12, &format!("{NETWORK}sanctions = {{ suppress-after-hits = 30 }}\n"));
}

#[test]
fn the_platform_takes_thirty_messages_a_minute() {
    campaign("30 messages a minute", &format!("{NETWORK}sanctions = {{ messages-per-minute = 30 }}\n"));
}
