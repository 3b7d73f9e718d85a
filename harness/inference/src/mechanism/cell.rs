//! What the sends of one file, and of its copies with hashes of their own, say together.
//!
//! A filter that looks into files as they pass drops a copy when it is sent for the first time; one that goes by an index of hashes
//! lets it pass, looks at it, and drops the same bytes later. So a copy is sent, and after the time that a platform is given to look at
//! it, sent again. A first drop is followed by another copy, not by the same: that one copy was lost says nothing of what is dropped at
//! first, and a second copy says that and the rest.

use lacuna_model::{Duration, ItemIx, Outcome, Timestamp};

use crate::sequential::{BlockDrops, STAKE_ON_PARTLY, ln_e_value};

/// The logarithm of the factor that first drops of all copies may fall short by.
const WANTING: f64 = 2.303;

/// The logarithm of the e-value from which on drops before an arrival are more than losses: 20.
const MIXED: f64 = 2.996;

/// Told by the platform: no loss explains it.
const TOLD: f64 = 0.001;

/// One send of one copy.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Showing {
    /// When it was handed over; when it was planned, while it is not.
    pub at: Timestamp,
    /// What became of it; `None` while that is open.
    pub outcome: Option<Outcome>,
    /// The upper bound on the loss there and then.
    pub loss_upper: f64,
}

/// A copy and its sends, in their order.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Copy {
    pub item: ItemIx,
    pub showings: Vec<Showing>,
}

/// What a cell says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum State {
    /// Nothing yet.
    Open(Next),
    /// Copies are dropped when they are sent for the first time; the logarithm of the e-value.
    DroppedAtFirst(f64),
    /// A copy passed, and was dropped later.
    DroppedLater(f64),
    /// It passes, however often it is sent.
    Delivered,
    /// It cannot be known with the copies that there are.
    Stuck,
}

/// What would say more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// Send this, from this time on. `doubtful`: it is likely to be dropped.
    Send { item: ItemIx, from: Timestamp, first: bool, doubtful: bool },
    /// What was sent is not answered yet.
    UnderWay,
}

/// What it takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Demands {
    /// The least logarithm of an e-value that convicts.
    pub ln_least: f64,
    /// How long a platform is given to look at a file.
    pub wait: Duration,
    /// A confirming send waits so long.
    pub confirm_after: Duration,
    /// So many arrivals show that it passes.
    pub arrivals: usize,
    /// A single drop leads on: nothing is claimed by it.
    pub lenient: bool,
    /// It matters whether it is dropped at first or only later, which a single file cannot say once its first send is missing.
    pub tells_when: bool,
}

/// What a send of a copy says.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Answer {
    Passed(Timestamp),
    Blocked(Timestamp, f64),
    /// The platform may have seen it, and nobody knows what it did.
    Spoiled(Timestamp),
}

fn answer(showing: &Showing) -> Option<Answer> {
    let at = showing.at;
    match showing.outcome? {
        Outcome::Delivered | Outcome::DeliveredLate | Outcome::Altered => Some(Answer::Passed(at)),
        Outcome::Dropped => Some(Answer::Blocked(at, showing.loss_upper)),
        Outcome::Refused | Outcome::Retracted => Some(Answer::Blocked(at, TOLD)),
        Outcome::Void | Outcome::UnknownSubmission => Some(Answer::Spoiled(at)),
        Outcome::SendFailed | Outcome::RateLimited => None,
    }
}

fn ln_e(blocked: impl Iterator<Item = f64> + Clone) -> f64 {
    let drops = blocked.map(|loss_upper| BlockDrops { drops: 1, loss_upper });
    ln_e_value(&drops, 0, 0.5, STAKE_ON_PARTLY)
}

/// What one copy says.
#[derive(Clone, Debug, Default)]
struct Told {
    /// The bound on the loss if the first send was blocked; `None` if it passed, or nobody knows.
    first_blocked: Option<f64>,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    spoiled: bool,
    passed: usize,
    last_passed: Option<Timestamp>,
    /// Blocked since it last passed.
    since: Vec<f64>,
    /// Blocked before that: by losses, or by a filter that lets some pass.
    before: Vec<f64>,
}

fn told(copy: &Copy) -> Told {
    let mut told = Told::default();
    for answer in copy.showings.iter().filter_map(answer) {
        let is_first = told.first_at.is_none();
        let (Answer::Passed(at) | Answer::Blocked(at, _) | Answer::Spoiled(at)) = answer;
        told.first_at.get_or_insert(at);
        told.last_at = Some(at);
        match answer {
            Answer::Passed(at) => {
                told.passed += 1;
                told.last_passed = Some(at);
                told.before.append(&mut told.since);
            }
            Answer::Blocked(_, loss_upper) => {
                if is_first {
                    told.first_blocked = Some(loss_upper);
                }
                told.since.push(loss_upper);
            }
            Answer::Spoiled(_) => told.spoiled |= is_first,
        }
    }
    told
}

/// What the copies of a file say together.
pub(super) fn judge(copies: &[Copy], demands: Demands) -> State {
    if copies.is_empty() {
        return State::Stuck;
    }
    if copies.iter().any(|copy| copy.showings.iter().any(|showing| showing.outcome.is_none())) {
        return State::Open(Next::UnderWay);
    }
    let told: Vec<Told> = copies.iter().map(told).collect();
    let least = if demands.lenient { 0.0 } else { demands.ln_least };
    let fewest = if demands.lenient { 1 } else { 2 };

    let later = told.iter().filter(|it| it.passed > 0 && it.since.len() >= fewest);
    let best = later.map(|it| ln_e(it.since.iter().copied())).fold(f64::NEG_INFINITY, f64::max);
    if best >= least {
        return State::DroppedLater(best);
    }
    let only = copies.len() == 1;
    let firsts = told.iter().filter(|it| !it.spoiled).filter_map(|it| it.first_blocked);
    // Of a single file a second drop says that it is blocked, not since when: the first may have been lost, and the second learned.
    if only
        && demands.tells_when
        && told[0].passed == 0
        && told[0].since.len() >= fewest
        && ln_e(told[0].since.iter().copied()) >= least
    {
        return State::Stuck;
    }
    let blocked: Vec<f64> = if only && told[0].passed == 0 { told[0].since.clone() } else { firsts.collect() };
    let is_known = !(only && demands.tells_when);
    if is_known && told.iter().all(|it| it.passed == 0) && blocked.len() >= fewest {
        let found = ln_e(blocked.iter().copied());
        let all = ln_e(told.iter().flat_map(|it| it.since.iter().copied()));
        // Where all copies were dropped at first, and were sent again, their repetitions make up for what little is wanting.
        if found >= least || found >= least - WANTING && all >= least {
            return State::DroppedAtFirst(found.max(all));
        }
    }
    let was_observed = |it: &Told| match (it.first_at, it.last_passed) {
        (Some(shown), Some(arrived)) => demands.arrivals == 1 || arrived - shown >= demands.wait,
        _ => false,
    };
    // More drops than losses explain, and arrivals behind them: a filter that lets some pass, or one that changed. Nothing is said.
    let is_mixed = |it: &Told| it.before.len() >= 3 || it.before.len() == 2 && ln_e(it.before.iter().copied()) >= MIXED;
    if told.iter().any(is_mixed) {
        return State::Stuck;
    }
    if told.iter().any(|it| it.passed >= demands.arrivals && it.since.is_empty() && was_observed(it)) {
        return State::Delivered;
    }
    next(copies, &told, demands, only)
}

fn next(copies: &[Copy], told: &[Told], demands: Demands, only: bool) -> State {
    let unused = copies.iter().zip(told).find(|(copy, it)| it.first_at.is_none() && copy.showings.is_empty());
    let failed = copies.iter().zip(told).find(|(_, it)| it.first_at.is_none());
    let fresh = unused.or(failed).map(|(copy, _)| copy.item);
    // The copy that goes on: one that passed and is watched.
    let watched = copies.iter().zip(told).rev().find(|(_, it)| it.passed > 0 && !it.spoiled);
    let send = |item, from, first, doubtful| State::Open(Next::Send { item, from, first, doubtful });
    if let Some((copy, it)) = watched {
        let from = match (it.since.len(), it.first_at, it.last_at) {
            (0, Some(first), _) => first + demands.wait,
            (_, _, Some(last)) => last + demands.confirm_after,
            _ => Timestamp(0),
        };
        return send(copy.item, from, false, true);
    }
    if let Some(item) = fresh {
        let blocked_before = told.iter().any(|it| it.first_blocked.is_some());
        return send(item, Timestamp(0), true, blocked_before);
    }
    if let (true, [it]) = (only, told) {
        // One file alone: again, until it is convicted or passes. One that was spoiled is asked like any other.
        let from = it.last_at.map_or(Timestamp(0), |last| last + demands.confirm_after);
        return send(copies[0].item, from, false, true);
    }
    // All copies are spoiled or were dropped at first: one that is asked again tells at least whether it is blocked.
    let firsts: Vec<f64> = told.iter().filter(|it| !it.spoiled).filter_map(|it| it.first_blocked).collect();
    if firsts.len() >= 2 && !demands.lenient && ln_e(firsts.iter().copied()) >= demands.ln_least - WANTING {
        let least_sent = copies.iter().zip(told).min_by_key(|(_, it)| it.since.len());
        if let Some((copy, it)) = least_sent {
            let from = it.last_at.map_or(Timestamp(0), |last| last + demands.confirm_after);
            return send(copy.item, from, false, true);
        }
    }
    let spoiled = copies.iter().zip(told).find(|(_, it)| it.spoiled);
    match spoiled {
        Some((copy, it)) if told.iter().all(|it| it.first_blocked.is_none()) => {
            let from = it.last_at.map_or(Timestamp(0), |last| last + demands.wait);
            send(copy.item, from, false, true)
        }
        _ => State::Stuck,
    }
}
