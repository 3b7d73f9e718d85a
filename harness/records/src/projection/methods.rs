//! What a methods section tells of a run: how it asked, whom it asked through, about what, and what came of it in numbers.

use std::collections::{BTreeMap, BTreeSet};

use lacuna_inference::conclusion::Conclusion;
use lacuna_model::{AccountIx, Duration, ItemIx, Role, Study, Verdict};
use serde::Serialize;

use super::manifest::six_decimals;

/// How the run asked. Lengths of time are in seconds.
#[derive(Serialize)]
pub(super) struct Design {
    kind: &'static str,
    decision: DecisionRules,
    watch: WatchRules,
    pacing: PacingRules,
    safety: SafetyRules,
    #[serde(skip_serializing_if = "Option::is_none")]
    mechanism: Option<MechanismRules>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<ExposureRules>,
}

#[derive(Serialize)]
struct DecisionRules {
    false_positive_rate: f64,
    false_discovery_rate: f64,
    max_probes_per_item: u32,
    pooling: lacuna_model::study::Pooling,
    replicates: Option<u32>,
}

#[derive(Serialize)]
struct WatchRules {
    /// `None`: learned from the delays seen.
    grace_s: Option<f64>,
    late_s: f64,
    bracket_messages: u16,
}

#[derive(Serialize)]
struct PacingRules {
    min_gap_s: f64,
    in_flight: u16,
    confirm_after_s: f64,
    cool_off_s: f64,
}

#[derive(Serialize)]
struct SafetyRules {
    max_messages: u64,
    max_messages_per_account_per_day: u64,
    stop_after_sanctions: u32,
}

#[derive(Serialize)]
struct MechanismRules {
    wait_s: f64,
    max_messages_per_item: u32,
}

#[derive(Serialize)]
struct ExposureRules {
    outside: String,
    inside: String,
    delays_s: Vec<f64>,
    max_pairs: u32,
}

/// To the millisecond, as the tables write them.
fn seconds(length: Duration) -> f64 {
    length.as_millis() as f64 / 1e3
}

impl Design {
    pub fn of(study: &Study) -> Self {
        let Study { decision, watch, pacing, safety, .. } = study;
        Self {
            kind: study.design.as_str(),
            decision: DecisionRules {
                false_positive_rate: decision.false_positive_rate,
                false_discovery_rate: decision.false_discovery_rate,
                max_probes_per_item: decision.max_probes_per_item,
                pooling: decision.pooling,
                replicates: decision.replicates,
            },
            watch: WatchRules {
                grace_s: watch.grace.map(seconds),
                late_s: seconds(watch.late),
                bracket_messages: watch.bracket_messages,
            },
            pacing: PacingRules {
                min_gap_s: seconds(pacing.min_gap),
                in_flight: pacing.in_flight,
                confirm_after_s: seconds(pacing.confirm_after),
                cool_off_s: seconds(pacing.cool_off),
            },
            safety: SafetyRules {
                max_messages: safety.max_messages,
                max_messages_per_account_per_day: safety.max_messages_per_account_per_day,
                stop_after_sanctions: safety.stop_after_sanctions,
            },
            mechanism: study
                .mechanism
                .as_ref()
                .map(|rule| MechanismRules { wait_s: seconds(rule.wait), max_messages_per_item: rule.max_messages_per_item }),
            exposure: study.exposure.as_ref().map(|rule| ExposureRules {
                outside: study.arm(rule.outside).id.as_str().to_owned(),
                inside: study.arm(rule.inside).id.as_str().to_owned(),
                delays_s: rule.delays.iter().copied().map(seconds).collect(),
                max_pairs: rule.max_pairs,
            }),
        }
    }
}

/// An account of the experiment, under its pseudonym.
#[derive(Serialize)]
pub(super) struct AccountFacts<'a> {
    account: &'a str,
    registered_in: String,
    located_in: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
}

impl<'a> AccountFacts<'a> {
    pub fn all(study: &'a Study) -> Vec<Self> {
        let facts = study.accounts.iter().map(|account| Self {
            account: account.id.as_str(),
            registered_in: account.registered_in.to_string(),
            located_in: account.located_in.to_string(),
            client: account.client.as_deref(),
        });
        facts.collect()
    }
}

/// An arm, and how reliable its paths were: of the controls that were sent, how many were lost, and the bound on the loss
/// by which items were judged at the end.
#[derive(Serialize)]
pub(super) struct ArmFacts<'a> {
    arm: &'a str,
    venue: &'static str,
    senders: Vec<&'a str>,
    recipients: Vec<&'a str>,
    control_loss: Vec<ControlLoss<'a>>,
}

#[derive(Serialize)]
struct ControlLoss<'a> {
    recipient: &'a str,
    controls: u64,
    lost: u64,
    rate: Option<f64>,
    /// The upper 99 % bound on the loss of whatever cannot have been blocked: the worse of those of the whole run and of its
    /// last time block.
    bound: f64,
}

impl<'a> ArmFacts<'a> {
    pub fn all(study: &'a Study, conclusion: &Conclusion) -> Vec<Self> {
        let name = |account: &AccountIx| study.account(*account).id.as_str();
        let facts = (0u16..).map(lacuna_model::ArmIx).zip(&study.arms).map(|(ix, arm)| Self {
            arm: arm.id.as_str(),
            venue: arm.venue.as_str(),
            senders: arm.senders.iter().map(name).collect(),
            recipients: arm.recipients.iter().map(name).collect(),
            control_loss: arm
                .recipients
                .iter()
                .map(|recipient| {
                    let controls = conclusion.tallies.controls(ix, *recipient);
                    ControlLoss {
                        recipient: name(recipient),
                        controls: controls.sends,
                        lost: controls.losses,
                        rate: controls.rate().map(six_decimals),
                        bound: six_decimals(conclusion.tallies.loss_bound(ix, *recipient)),
                    }
                })
                .collect(),
        });
        facts.collect()
    }
}

/// What a corpus gave to the run, and how much of it was sent. Its hash is among the `inputs`.
#[derive(Clone, Copy, Default, Serialize)]
pub(super) struct CorpusFacts<'a> {
    /// As `corpus.toml` states it; journals before version 5 do not hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    licence: Option<&'a str>,
    candidates: u32,
    controls: u32,
    canaries: u32,
    /// Items of it that a message carried. Others were not due, or made for a question that was not asked.
    sent: u32,
}

impl<'a> CorpusFacts<'a> {
    /// By the corpus that stands before the item's own name.
    pub fn all(study: &'a Study, sent: &BTreeSet<ItemIx>) -> BTreeMap<&'a str, Self> {
        let mut corpora: BTreeMap<&str, Self> = BTreeMap::new();
        for source in &study.corpora {
            let facts = corpora.entry(&source.id).or_default();
            facts.title = Some(&source.title);
            facts.version = Some(&source.version);
            facts.licence = Some(&source.licence);
        }
        for (index, item) in (0u32..).map(ItemIx).zip(&study.items) {
            let id = item.id.as_str();
            let facts = corpora.entry(id.split_once('/').map_or(id, |(corpus, _)| corpus)).or_default();
            facts.sent += u32::from(sent.contains(&index));
            match item.role {
                Role::Candidate => facts.candidates += 1,
                Role::Control => facts.controls += 1,
                Role::Canary => facts.canaries += 1,
            }
        }
        corpora
    }
}

/// How many units have which verdict. A unit is one item, on one arm, for one recipient; all of them are counted.
pub(super) fn verdicts(conclusion: &Conclusion) -> BTreeMap<&'static str, u64> {
    let mut counts: BTreeMap<&'static str, u64> = Verdict::ALL.iter().map(|verdict| (verdict.as_str(), 0)).collect();
    for record in &conclusion.verdicts {
        *counts.entry(record.verdict.as_str()).or_default() += 1;
    }
    counts
}
