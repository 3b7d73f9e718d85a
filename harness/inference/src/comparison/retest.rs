//! Which known items are due: where change is likely, messages are well spent.
//!
//! An item changes at some rate, known from how often it and the others in its state did so in earlier runs. The rate of a state (blocked,
//! delivered) is its changes over the time that was watched, with one change in [`USUAL_DAYS`] as what is expected before anything was watched;
//! the rate of an item is drawn towards that of its state in the same way (a gamma prior with the weight of one change), so that an item
//! that has changed often is asked often. The probability that it has changed since it was last asked is 1 - exp(-rate × days).

use std::collections::BTreeMap;

use lacuna_model::{ItemId, Timestamp, Verdict};
use libm::expm1;

use super::snapshot::{Snapshot, UnitKey};

const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// The mean time to a change that is expected of an item before anything was watched: of blocked ones weeks (of the 5,334 keywords of Citizen Lab's
/// list of 2020 for `WeChat`, 3,971 were no longer blocked when they were last retested, half a year after the first at most), of delivered ones
/// years, which is a guess.
pub const USUAL_DAYS: [(State, f64); 2] = [(State::Blocked, 60.0), (State::Delivered, 1_000.0)];

/// What asking a delivered item costs, in messages of a blocked one: it shares its messages with some twenty others.
pub const SHARE_OF_A_MESSAGE: f64 = 0.05;

/// The state of an item: blocked somewhere, or delivered everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// Some unit of it was not delivered.
    Blocked,
    /// All that were asked were.
    Delivered,
}

/// What is known of an item before a run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Retest {
    /// Its state when it was last asked.
    pub state: State,
    /// How long ago, in days: of its units the one that was asked least lately.
    pub days: f64,
    /// How often it changed.
    pub changes: u32,
    /// The probability that it has changed since.
    pub changed: f64,
}

impl Retest {
    /// Whether a change is so likely that asking is worth it: `above` is the probability from which a blocked item is asked.
    #[must_use]
    pub fn is_due(&self, above: f64) -> bool {
        match self.state {
            State::Blocked => self.changed >= above,
            State::Delivered => self.changed >= above * SHARE_OF_A_MESSAGE,
        }
    }
}

/// One item over the runs.
#[derive(Clone, Copy)]
struct Course {
    state: State,
    changes: u32,
    /// Days watched, in both states.
    days: f64,
    /// When each of its units had been asked.
    asked_at: Timestamp,
}

/// What is known of each item at `now`, from runs in the order of time. An item is listed if each of its units has a verdict that says something.
#[must_use]
pub fn retest(runs: &[Snapshot], now: Timestamp) -> BTreeMap<ItemId, Retest> {
    let mut units: BTreeMap<&UnitKey, Vec<(Timestamp, Verdict)>> = BTreeMap::new();
    for run in runs {
        for (key, observed) in &run.units {
            let seen = units.entry(key).or_default();
            if let (Some(state), Some(at)) = (observed.state(), observed.last_sent_at) {
                seen.push((at, state));
            }
        }
    }
    let mut courses: BTreeMap<&ItemId, Option<Course>> = BTreeMap::new();
    let mut watched: BTreeMap<State, (f64, f64)> = USUAL_DAYS.iter().map(|(state, days)| (*state, (1.0, *days))).collect();
    for (key, seen) in units {
        let course = Course::of(&seen, &mut watched);
        courses.entry(&key.item).and_modify(|it| *it = it.zip(course).map(|(a, b)| a.and(b))).or_insert(course);
    }
    let known = courses.into_iter().filter_map(|(item, course)| Some((item, course?)));
    known.map(|(item, course)| (item.clone(), course.at(now, &watched))).collect()
}

impl Course {
    /// The course of one unit; what it was watched for is added to its states'.
    fn of(seen: &[(Timestamp, Verdict)], watched: &mut BTreeMap<State, (f64, f64)>) -> Option<Self> {
        let state = |verdict: Verdict| if verdict == Verdict::Delivered { State::Delivered } else { State::Blocked };
        let (last_at, last) = *seen.last()?;
        let (mut changes, mut days) = (0, 0.0);
        for pair in seen.windows(2) {
            let [(from, was), (to, is)] = *pair else { continue };
            let length = days_between(from, to);
            let is_another = state(was) != state(is);
            changes += u32::from(is_another);
            days += length;
            if let Some((count, over)) = watched.get_mut(&state(was)) {
                *count += f64::from(u8::from(is_another));
                *over += length;
            }
        }
        Some(Self { state: state(last), changes, days, asked_at: last_at })
    }

    /// Two units of one item: the same rule may be behind both, so that changes are not added.
    fn and(self, other: Self) -> Self {
        Self {
            state: self.state.min(other.state),
            changes: self.changes.max(other.changes),
            days: self.days.max(other.days),
            asked_at: self.asked_at.min(other.asked_at),
        }
    }

    fn at(self, now: Timestamp, watched: &BTreeMap<State, (f64, f64)>) -> Retest {
        let (count, over) = watched.get(&self.state).copied().unwrap_or((1.0, 1.0));
        let rate = (f64::from(self.changes) + 1.0) / (self.days + over / count);
        let days = days_between(self.asked_at, now);
        Retest { state: self.state, days, changes: self.changes, changed: -expm1(-rate * days) }
    }
}

fn days_between(from: Timestamp, to: Timestamp) -> f64 {
    (to - from).as_secs_f64().max(0.0) / SECONDS_OF_A_DAY
}
