//! What the messages that an item shared with others say of it.
//!
//! A message that holds something which is caught by itself (dropped, refused, altered or retracted) is handled for that one, whatever else
//! is in it: of the others it says nothing, missing or arrived. What is left speaks of each of its items as a send of the item alone
//! would: if the item is blocked, such a message arrives only if a filter lets it through, and if it passes, one is missing only if it was lost.

use std::collections::{HashMap, HashSet};
use std::ops::AddAssign;

use foldhash::fast::FixedState;
use lacuna_model::ArmIx;

use crate::pools::PoolTally;

/// The messages that a unit shared with nothing that is caught.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Company {
    /// Whether one of them arrived as sent, in time. Two count as one: what lets a message of several items through once may do so always.
    pub arrived: bool,
    /// How many were missing inside a bracket, or refused, altered or retracted.
    pub missing: u32,
}

impl From<&PoolTally> for Company {
    fn from(content: &PoolTally) -> Self {
        Self { arrived: content.in_time() > 0, missing: content.dropped() + content.signalled }
    }
}

impl AddAssign for Company {
    fn add_assign(&mut self, other: Self) {
        self.arrived |= other.arrived;
        self.missing += other.missing;
    }
}

/// A unit, as its arm and its place among the tallies of that.
pub(crate) type Place = (ArmIx, usize);

/// What is known of the company of units.
#[derive(Clone, Debug, Default)]
pub struct Companies(HashMap<Place, Company, FixedState>);

impl Companies {
    /// Of all units: `caught` are those that explain what became of a message; `messages` are the units in each for one recipient, and what
    /// became of it.
    pub(crate) fn new(caught: &HashSet<Place, FixedState>, messages: impl Iterator<Item = (Vec<Place>, Company)>) -> Self {
        let mut companies: HashMap<Place, Company, FixedState> = HashMap::default();
        for (units, company) in messages {
            let guilty = units.iter().filter(|unit| caught.contains(unit)).count();
            for unit in &units {
                if guilty == usize::from(caught.contains(unit)) {
                    *companies.entry(*unit).or_default() += company;
                }
            }
        }
        Self(companies)
    }

    pub(crate) fn of(&self, unit: Place) -> Company {
        self.0.get(&unit).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of three units, arrived or missing, against the definition.
    #[test]
    fn what_is_caught_explains_its_messages_and_no_others() {
        const UNITS: usize = 3;
        let unit = |index: usize| (ArmIx(0), index);
        let outcomes = [(true, 0), (false, 0), (false, 2), (true, 1)].map(|(arrived, missing)| Company { arrived, missing });
        let subsets: Vec<Vec<Place>> =
            (1..1 << UNITS).map(|set: u32| (0..UNITS).filter(|index| set & (1 << index) != 0).map(unit).collect()).collect();
        let messages: Vec<(Vec<Place>, Company)> =
            subsets.iter().flat_map(|units| outcomes.map(|outcome| (units.clone(), outcome))).collect();
        for guilty in 0..1u32 << UNITS {
            let is_guilty = |(_, index): Place| guilty & (1 << index) != 0;
            let caught = (0..UNITS).map(unit).filter(|unit| is_guilty(*unit)).collect();
            let companies = Companies::new(&caught, messages.iter().cloned());
            for index in 0..UNITS {
                let own = messages.iter().filter(|(units, _)| units.contains(&unit(index)));
                let innocent = own.filter(|(units, _)| !units.iter().any(|it| *it != unit(index) && is_guilty(*it)));
                let mut expected = Company::default();
                for (_, outcome) in innocent {
                    expected.arrived |= outcome.arrived;
                    expected.missing += outcome.missing;
                }
                assert_eq!(companies.of(unit(index)), expected, "{guilty:b} {index}");
            }
        }
        // One that is never in any company.
        assert_eq!(Companies::default().of(unit(9)), Company::default());
    }
}
