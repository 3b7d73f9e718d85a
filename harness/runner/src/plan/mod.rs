//! What an experiment will cost and what it can find, before anything is sent.
//!
//! The production engine runs the experiment in virtual time, against platforms on which so many of its candidates are blocked and
//! so many messages are lost: once for each cell of a small grid, several times each. The simulation stands in for the platform
//! of every adapter. Budgets are left out of it, so that it says what the experiment needs; what it may use is compared with that.

mod advice;
mod simulation;

use lacuna_model::{Account, ItemIx, Role, Study};
use lacuna_records::experiment::Experiment;
use serde::Serialize;

pub use advice::{Warning, WarningKind};
pub use simulation::{Cell, Delays, Figure};

use simulation::Simulation;

/// The adapter whose network a policy describes.
const SIMULATOR: &str = "simulator";

/// What an experiment will cost and what it can find.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Plan {
    /// The experiment's name.
    pub experiment: String,
    /// The platform that the simulation stands in for.
    pub adapter: String,
    /// The seed of the experiment, from which the simulation's are derived.
    pub seed: u64,
    /// Items under test, those left out because of a predecessor not among them.
    pub candidates: u64,
    /// Neutral items.
    pub controls: u64,
    /// Items known to be dropped.
    pub canaries: u64,
    /// Verdicts: candidates and canaries, on each arm, for each of its recipients.
    pub units: u64,
    /// Questions: candidates and canaries, on each arm, for each set of recipients that a message reaches.
    pub questions: u64,
    /// The delays of messages in the simulation.
    pub delays: Delays,
    /// So many candidates were simulated, drawn at random; costs are scaled up from them.
    pub simulated_candidates: u64,
    /// So many runs of each cell.
    pub repeats: u64,
    /// Costs and rates by what is assumed.
    pub cells: Vec<Cell>,
    /// The cell that is taken for the likeliest: by what corpora and earlier runs say is blocked, else 1 %; 1 % of the messages lost.
    pub expected: usize,
    /// What the run may use at the most.
    pub bounds: Bounds,
    /// What each sending account has to carry.
    pub accounts: Vec<AccountPlan>,
    /// What the runs of a predecessor leave of the candidates; `None` without `[predecessor]`.
    pub predecessor: Option<Due>,
    /// What should be mended before it is run.
    pub warnings: Vec<Warning>,
}

/// What a run asks that goes on from others, if it is made now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Due {
    /// Earlier runs that were read.
    pub runs: u64,
    /// Candidates that are asked.
    pub due: u64,
    /// Candidates that are left out.
    pub left_out: u64,
}

/// What a run may use at the most, whatever the platform does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Bounds {
    /// `[safety] max-messages`.
    pub max_messages: u64,
    /// Questions times `[decision] max-probes-per-item`, or the replicates: sends of an item alone. Pools and controls come on top.
    pub sends_alone: u64,
}

/// What a sending account has to carry.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AccountPlan {
    /// Its pseudonym.
    pub account: String,
    /// Messages of the whole run, in the mean over the runs of the expected cell.
    pub messages: f64,
    /// Messages of its busiest UTC day, in the mean over the runs of the expected cell.
    pub busiest_day: f64,
    /// The same of the worst run of all cells.
    pub busiest_day_at_worst: u64,
    /// What it has sent today already, by the ledger.
    pub sent_today: u64,
    /// `[safety] max-messages-per-account-per-day`.
    pub daily_budget: u64,
}

impl Plan {
    /// The cell that is taken for the likeliest.
    #[must_use]
    pub fn expected(&self) -> Option<&Cell> {
        self.cells.get(self.expected)
    }

    /// The most messages of any run that was simulated.
    #[must_use]
    pub fn most_messages(&self) -> u64 {
        self.cells.iter().map(|cell| cell.most_messages).max().unwrap_or(0)
    }

    /// The longest of all runs that were simulated, in seconds.
    #[must_use]
    pub fn longest_s(&self) -> f64 {
        self.cells.iter().map(|cell| cell.longest_s).fold(0.0, f64::max)
    }
}

/// Plans an experiment. `sent_today` is what each account has sent today already. The same arguments give the same plan. Of a study that
/// knows earlier runs, what is not due is left out; that blocked items are asked alone, and changes until they are certain, is not simulated.
#[must_use]
pub fn plan(experiment: &Experiment, sent_today: &[u64]) -> Plan {
    let study = &due(&experiment.study);
    // A policy says how the simulator's network is; of a real server it says only what is filtered.
    let policy = experiment.policy.as_ref().filter(|_| study.adapter == SIMULATOR);
    let simulation = Simulation::new(study, policy);
    let simulated = simulation.run();
    let expected = simulated.expected;
    let count = |role| study.items_of(role).count() as u64;
    let items = count(Role::Candidate) + count(Role::Canary);
    let questions = items * routes(study);
    let sends = study.decision.replicates.unwrap_or(study.decision.max_probes_per_item);
    let sending =
        study.accounts.iter().enumerate().filter(|(index, _)| study.channels.iter().any(|it| it.sender.get() == *index));
    let account = |(index, account): (usize, &Account)| {
        let load = simulated.loads[index];
        AccountPlan {
            account: account.id.to_string(),
            messages: load.messages,
            busiest_day: load.busiest_day,
            busiest_day_at_worst: load.worst_day,
            sent_today: sent_today.get(index).copied().unwrap_or(0),
            daily_budget: study.safety.max_messages_per_account_per_day,
        }
    };
    let mut plan = Plan {
        experiment: study.name.clone(),
        adapter: study.adapter.clone(),
        seed: study.seed,
        candidates: count(Role::Candidate),
        controls: count(Role::Control),
        canaries: count(Role::Canary),
        units: items * study.arms.iter().map(|arm| arm.recipients.len() as u64).sum::<u64>(),
        questions,
        delays: simulation.delays(),
        simulated_candidates: simulation.candidates(),
        repeats: simulation.repeats(),
        cells: simulated.cells,
        expected,
        bounds: Bounds { max_messages: study.safety.max_messages, sends_alone: questions.saturating_mul(u64::from(sends)) },
        accounts: sending.map(account).collect(),
        predecessor: experiment.predecessor.is_some().then(|| Due {
            runs: experiment.study.earlier.as_ref().map_or(0, |earlier| earlier.runs.len() as u64),
            due: count(Role::Candidate),
            left_out: experiment.study.items_of(Role::Candidate).count() as u64 - count(Role::Candidate),
        }),
        warnings: Vec::new(),
    };
    // Of a run that asks nothing there is nothing to mend.
    if plan.candidates > 0 {
        plan.warnings = advice::warnings(study, &plan);
    }
    plan
}

/// The study without the items that are not due. What earlier runs found is forgotten: the simulated platform blocks other items, and each
/// difference would look like a change.
fn due(study: &Study) -> Study {
    let is_due = |index| study.earlier.as_ref().is_none_or(|earlier| !earlier.leaves_out(index));
    let items = (0u32..).map(ItemIx).zip(&study.items).filter(|(index, _)| is_due(*index)).map(|(_, item)| item.clone());
    Study { items: items.collect(), earlier: None, ..study.clone() }
}

/// How many messages it takes to reach all recipients of all arms with one item.
fn routes(study: &Study) -> u64 {
    let of_arm = |arm: &lacuna_model::Arm| {
        let mut routes: Vec<&[lacuna_model::AccountIx]> =
            arm.channels.iter().map(|channel| study.channel(*channel).recipients.as_slice()).collect();
        routes.sort_unstable();
        routes.dedup();
        routes.len() as u64
    };
    study.arms.iter().map(of_arm).sum()
}
