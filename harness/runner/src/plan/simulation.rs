//! The experiment in virtual time, once and again for each assumption.

use std::collections::BTreeSet;
use std::sync::Arc;

use lacuna_design::generator;
use lacuna_model::policy::{Network, Policy};
use lacuna_model::study::Safety;
use lacuna_model::{Duration, Item, Prior, Role, StopReason, Study};
use serde::Serialize;

use super::routes;
use crate::assessment::{ArmAssessment, Assessment, Estimate, MEASURES, Over};
use crate::generated::{Assumption, assume};
use crate::repeats;
use crate::truth::Truth;

/// Shares of the candidates that are blocked.
const PREVALENCES: [f64; 4] = [0.003, 0.01, 0.05, 0.1];

/// Shares of the messages that are lost, and the mean length of a burst of losses.
const LOSSES: [(f64, f64); 4] = [(0.0, 1.0), (0.01, 1.0), (0.05, 1.0), (0.05, 10.0)];

/// The share of blocked candidates where nothing is known of it, and the loss.
const LIKELIEST: (f64, (f64, f64)) = (0.01, LOSSES[1]);

/// The delays of a platform that nothing is known of.
const ORDINARY: Delays = Delays { median_ms: 200, p99_ms: 1_000, assumed: true };

/// Questions of one simulated run, and of all of them together: a plan is a matter of seconds.
const MOST_QUESTIONS_OF_A_RUN: u64 = 2_000;
const MOST_QUESTIONS: u64 = 60_000;

/// Runs of a cell: fewer than two have no spread.
const REPEATS: (u64, u64) = (3, 40);

/// A simulated run that sends so many messages for each that its rules allow of items alone has no end.
const MOST_MESSAGES_A_SEND: u64 = 4;

/// And so many in any case.
const LEAST_BOUND: u64 = 10_000;

/// Delays of messages in the simulation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Delays {
    /// Their median.
    pub median_ms: i64,
    /// Their 99th percentile.
    pub p99_ms: i64,
    /// Whether they are a guess; otherwise the experiment's policy states them.
    pub assumed: bool,
}

/// A number over the runs of a cell.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Figure {
    /// The mean over the runs; `None` where no run has one.
    pub mean: Option<f64>,
    /// The standard error of that mean.
    pub standard_error: Option<f64>,
    /// Of a share: the lower end of the 95 % interval over all units of all runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Of a share: the upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// What the runs of one assumption gave.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Cell {
    /// So many candidates are blocked, on all arms and for all recipients.
    pub blocked: u64,
    /// The share of the candidates that this is.
    pub prevalence: f64,
    /// The share of the messages that are lost.
    pub loss: f64,
    /// The mean number of messages in a burst of losses; 1 for independent losses.
    pub burst_length: f64,
    /// Messages of all kinds.
    pub messages: Figure,
    /// Messages of the run that sent the most.
    pub most_messages: u64,
    /// Messages that carry candidates, for each candidate.
    pub candidate_messages_per_item: Figure,
    /// Controls for each message with candidates.
    pub controls_per_candidate_message: Figure,
    /// From the first message to the end of listening, in seconds.
    pub duration_s: Figure,
    /// The longest run.
    pub longest_s: f64,
    /// Called dropped, among the units that are.
    pub power: Figure,
    /// Called dropped, among the units that are not.
    pub false_positive_rate: Figure,
    /// Not true, among the units called dropped.
    pub false_discovery_rate: Figure,
    /// Units of which nothing can be said.
    pub inconclusive: Figure,
    /// Runs that stopped before everything was decided.
    pub unfinished: u64,
}

/// What an account sends.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Load {
    pub messages: f64,
    pub busiest_day: f64,
    pub worst_day: u64,
}

/// What was simulated.
pub(super) struct Simulated {
    pub cells: Vec<Cell>,
    /// Which of them is taken for the likeliest.
    pub expected: usize,
    /// By account, in the order of the study.
    pub loads: Vec<Load>,
}

/// One assumption of the grid.
#[derive(Clone, Copy, Debug)]
struct Assumed {
    /// Among the candidates that are simulated.
    blocked: u64,
    loss: f64,
    burst_length: f64,
}

/// An experiment, made ready to be simulated.
pub(super) struct Simulation {
    study: Study,
    delays: Delays,
    candidates: u64,
    /// So many candidates stand for one each of the simulation.
    scale: f64,
    grid: Vec<Assumed>,
    expected: usize,
    repeats: u64,
}

impl Simulation {
    pub fn new(study: &Study, policy: Option<&Policy>) -> Self {
        let routes = routes(study).max(1);
        let all = study.items_of(Role::Candidate).count() as u64;
        let candidates = all.min((MOST_QUESTIONS_OF_A_RUN / routes).max(1));
        let known = known_share(study);
        let questions = (candidates + study.items_of(Role::Canary).count() as u64) * routes;
        let sends = u64::from(study.decision.replicates.unwrap_or(study.decision.max_probes_per_item));
        // Budgets are no part of what an experiment needs.
        let max_messages = questions.saturating_mul(sends).saturating_mul(MOST_MESSAGES_A_SEND).max(LEAST_BOUND);
        let safety = Safety { max_messages, max_messages_per_account_per_day: u64::MAX, ..study.safety.clone() };
        let drawn = sample(study, all, candidates);
        let study = Study { safety, items: drawn, ..study.clone() };
        let (grid, expected) = grid(candidates, known);
        let fits = MOST_QUESTIONS / (questions.max(1) * grid.len().max(1) as u64);
        Self {
            study,
            delays: policy.map_or(ORDINARY, |policy| Delays {
                median_ms: policy.network.delay_median.as_millis(),
                p99_ms: policy.network.delay_p99.as_millis(),
                assumed: false,
            }),
            candidates,
            scale: all.max(1) as f64 / candidates.max(1) as f64,
            grid,
            expected,
            repeats: fits.clamp(REPEATS.0, REPEATS.1),
        }
    }

    pub const fn delays(&self) -> Delays {
        self.delays
    }

    pub const fn candidates(&self) -> u64 {
        self.candidates
    }

    pub const fn repeats(&self) -> u64 {
        self.repeats
    }

    /// Runs every cell of the grid. The same repeat has the same seed in all of them.
    pub fn run(&self) -> Simulated {
        let one = |number: u64| {
            let assumed = usize::try_from(number / self.repeats).ok().and_then(|cell| self.grid.get(cell));
            assumed.map(|assumed| self.one(*assumed, number % self.repeats))
        };
        let runs: Vec<Assessment> =
            repeats::map(self.repeats * self.grid.len() as u64, repeats::all_cores(), one).into_iter().flatten().collect();
        let of_cell: Vec<&[Assessment]> = runs.chunks(usize::try_from(self.repeats).unwrap_or(usize::MAX)).collect();
        let cells = self.grid.iter().zip(&of_cell).map(|(assumed, runs)| self.cell(*assumed, runs)).collect();
        let likeliest = of_cell.get(self.expected).copied().unwrap_or_default();
        let loads = (0..self.study.accounts.len()).map(|account| self.load(account, likeliest, &runs)).collect();
        Simulated { cells, expected: self.expected, loads }
    }

    fn one(&self, assumed: Assumed, repeat: u64) -> Assessment {
        let seed = repeats::seed_of(self.study.seed, repeat);
        let study = Study { seed, ..self.study.clone() };
        let network = Network {
            loss: assumed.loss,
            burst_length: assumed.burst_length,
            delay_median: Duration::from_millis(self.delays.median_ms),
            delay_p99: Duration::from_millis(self.delays.p99_ms),
            ..Network::default()
        };
        let prevalence = assumed.blocked as f64 / self.candidates.max(1) as f64;
        let policy = assume(&study, &Assumption { prevalence, enforcement: 1.0, network }, seed);
        let truth = Truth::new(&study, &policy);
        Assessment::of(&Arc::new(study), &policy, &truth)
    }

    fn cell(&self, assumed: Assumed, runs: &[Assessment]) -> Cell {
        let arms: Vec<ArmAssessment> = runs.iter().map(Assessment::whole).collect();
        let messages: Vec<f64> = arms.iter().map(|arm| arm.messages.total() as f64 * self.scale).collect();
        let late = self.study.watch.late.as_secs_f64();
        let sending = runs.iter().map(|run| late + (run.duration.as_secs_f64() - late).max(0.0) * self.scale);
        let durations: Vec<f64> = sending.collect();
        let measure = |name| figure(name, &arms);
        Cell {
            blocked: rounded(assumed.blocked as f64 * self.scale),
            prevalence: assumed.blocked as f64 / self.candidates.max(1) as f64,
            loss: assumed.loss,
            burst_length: assumed.burst_length,
            messages: mean(&messages),
            most_messages: rounded(messages.iter().copied().fold(0.0, f64::max)),
            candidate_messages_per_item: measure("candidate_messages_per_item"),
            controls_per_candidate_message: measure("controls_per_candidate_message"),
            duration_s: mean(&durations),
            longest_s: durations.iter().copied().fold(0.0, f64::max),
            power: measure("power"),
            false_positive_rate: measure("false_positive_rate"),
            false_discovery_rate: measure("false_discovery_rate"),
            inconclusive: measure("inconclusive"),
            unfinished: runs.iter().filter(|run| run.stopped != Some(StopReason::Finished)).count() as u64,
        }
    }

    fn load(&self, account: usize, likeliest: &[Assessment], all: &[Assessment]) -> Load {
        let over = |of: fn(&crate::assessment::Load) -> u64| {
            let loads: Vec<f64> = likeliest.iter().map(|run| of(&run.loads[account]) as f64 * self.scale).collect();
            mean(&loads).mean.unwrap_or(0.0)
        };
        let worst = all.iter().map(|run| run.loads[account].busiest_day).max().unwrap_or(0);
        Load {
            messages: over(|load| load.sent),
            busiest_day: over(|load| load.busiest_day),
            worst_day: rounded(worst as f64 * self.scale),
        }
    }
}

/// The assumptions, and which of them is the likeliest. Shares of a short list that come to the same number of candidates are one
/// assumption, and none comes to nothing. What is known of the list is an assumption of its own.
fn grid(candidates: u64, known: Option<f64>) -> (Vec<Assumed>, usize) {
    let blocked = |share: f64| rounded(candidates as f64 * share).clamp(1, candidates.max(1));
    let likely = blocked(known.unwrap_or(LIKELIEST.0));
    let counts: BTreeSet<u64> = PREVALENCES.iter().map(|share| blocked(*share)).chain([likely]).collect();
    let cells = counts.into_iter().flat_map(|blocked| {
        LOSSES.iter().map(move |(loss, burst_length)| Assumed { blocked, loss: *loss, burst_length: *burst_length })
    });
    let cells: Vec<Assumed> = cells.collect();
    let is_likely = |it: &Assumed| it.blocked == likely && (it.loss, it.burst_length) == LIKELIEST.1;
    let expected = cells.iter().position(is_likely).unwrap_or(0);
    (cells, expected)
}

/// The share of the candidates that is said to be dropped, by earlier runs or else by the corpora; `None` where nothing is said.
fn known_share(study: &Study) -> Option<f64> {
    let share = |said: fn(&Prior) -> Option<bool>| {
        let said: Vec<bool> =
            study.items.iter().filter(|it| it.role == Role::Candidate).filter_map(|it| said(&it.prior)).collect();
        let dropped = said.iter().filter(|dropped| **dropped).count();
        (!said.is_empty()).then(|| dropped as f64 / said.len() as f64)
    };
    let before = |prior: &Prior| (prior.blocked_before + prior.passed_before > 0).then_some(prior.blocked_before > 0);
    share(before).or_else(|| share(|prior| prior.expected_dropped))
}

/// The items of the study with so many of all its candidates, drawn at random. What is known of them is forgotten: the simulated
/// platform blocks others.
fn sample(study: &Study, all: u64, candidates: u64) -> Vec<Item> {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let mut random = generator(study.seed, &["plan", "sample"]);
    let mut drawn = rand::seq::index::sample(&mut random, size(all), size(candidates)).into_vec();
    drawn.sort_unstable();
    let mut drawn = drawn.into_iter().peekable();
    let mut number = 0;
    let mut kept = |item: &&Item| {
        if item.role != Role::Candidate {
            return true;
        }
        number += 1;
        drawn.next_if_eq(&(number - 1)).is_some()
    };
    let forgotten = |item: &Item| Item { prior: Prior::default(), ..item.clone() };
    study.items.iter().filter(|item| kept(item)).map(forgotten).collect()
}

fn figure(name: &str, runs: &[ArmAssessment]) -> Figure {
    let Some(measure) = MEASURES.iter().find(|measure| measure.name == name) else { return Figure::default() };
    let Estimate { mean, standard_error, interval, .. } = measure.over(runs);
    let interval = interval.filter(|_| measure.over != Over::Each);
    Figure { mean, standard_error, low: interval.map(|it| it.0), high: interval.map(|it| it.1) }
}

/// The mean of some numbers, and its standard error.
fn mean(values: &[f64]) -> Figure {
    if values.is_empty() {
        return Figure::default();
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let standard_error = (values.len() > 1).then(|| libm::sqrt(squares / (count - 1.0) / count));
    Figure { mean: Some(mean), standard_error, ..Figure::default() }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of messages, and saturating")]
fn rounded(value: f64) -> u64 {
    libm::round(value) as u64
}
