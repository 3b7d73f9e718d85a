//! Moments as the files write them: ISO 8601, UTC, milliseconds and `Z`.

use crate::time::Timestamp;

const DAY: i64 = 86_400_000_000;

/// `2016-11-30T08:00:00.123Z`; what is finer than a millisecond is cut off.
///
/// Written by hand because it must hold for every moment that a damaged journal can state, and because a run has
/// hundreds of thousands of them.
#[must_use]
pub fn iso8601(at: Timestamp) -> String {
    let of_day = at.0.rem_euclid(DAY) / 1_000;
    let (hours, minutes, seconds, millis) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60, of_day % 1_000);
    format!("{}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z", Day::of(at))
}

/// A day in UTC, counted from 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(pub i64);

impl Day {
    /// The day on which a moment falls.
    #[must_use]
    pub const fn of(at: Timestamp) -> Self {
        Self(at.0.div_euclid(DAY))
    }
}

impl std::fmt::Display for Day {
    /// `2016-11-30`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Years that begin in March have their leap day at the end; 400 of them have 146,097 days.
        let shifted = self.0 + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ends_of_time_are_written_too() {
        assert_eq!(iso8601(Timestamp(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso8601(Timestamp(-1)), "1969-12-31T23:59:59.999Z");
        assert_eq!(iso8601(Timestamp(i64::MAX)), "294247-01-10T04:00:54.775Z");
        assert_eq!(iso8601(Timestamp(i64::MIN)), "-290308-12-21T19:59:05.224Z");
    }

    proptest! {
        #[test]
        fn the_calendar_is_that_of_everybody(us in -62_135_596_800_000_000i64..253_402_300_799_000_000) {
            let theirs = jiff::Timestamp::from_microsecond(us - us.rem_euclid(1_000)).unwrap();
            prop_assert_eq!(iso8601(Timestamp(us)), format!("{theirs:.3}"));
        }
    }
}
