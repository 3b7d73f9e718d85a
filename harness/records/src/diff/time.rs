//! Times as people and their tools write them.

use jiff::civil::DateTime;
use lacuna_model::Timestamp;

/// Whether `03/04/2026` is a day in April or in March.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DateOrder {
    DayFirst,
    MonthFirst,
}

/// A time, as it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Written {
    pub at: Timestamp,
    /// It says its zone, or is a count from a moment.
    pub zoned: bool,
    /// It has no seconds.
    pub coarse: bool,
}

/// Why a time cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unreadable {
    /// It is a day and no moment.
    NoTimeOfDay,
    /// Day and month may be either way round, and nothing in the log says which.
    Ambiguous,
    /// It is none of the forms.
    Unknown,
}

/// Reads ISO 8601 with or without a zone, counts since 1970 in seconds, milliseconds or microseconds (told apart by their
/// size), day numbers of spreadsheets, and the forms `2026/1/31 9:05`, `31.1.2026 09:05:00` and `1/31/2026 9:05 PM`. Without
/// a zone the time is UTC.
pub(super) fn parse(text: &str, order: Option<DateOrder>) -> Result<Written, Unreadable> {
    let text = text.trim();
    if let Some(number) = parse_number(text) {
        return number;
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(Written { at: Timestamp(at.as_microsecond()), zoned: true, coarse: false });
    }
    let (date, time) = text.split_once(['T', 't', ' ', ',']).map_or((text, ""), |(date, time)| (date, time.trim()));
    let (year, month, day) = parse_date(date, order)?;
    if time.is_empty() {
        return Err(Unreadable::NoTimeOfDay);
    }
    let (hour, minute, second, micro, coarse) = parse_time(time).ok_or(Unreadable::Unknown)?;
    let civil = DateTime::new(year, month, day, hour, minute, second, 0).map_err(|_| Unreadable::Unknown)?;
    let at = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| Unreadable::Unknown)?.timestamp();
    Ok(Written { at: Timestamp(at.as_microsecond() + micro), zoned: false, coarse })
}

/// The order that this date proves, if it has the year last, between slashes, and a number above 12.
pub(super) fn proven_order(text: &str) -> Option<DateOrder> {
    let date = text.trim().split([' ', 'T', ',']).next()?;
    let parts: Vec<&str> = date.split('/').collect();
    let [first, second, _] = parts.as_slice() else {
        return None;
    };
    match (number(first)?, number(second)?) {
        (13..=31, _) => Some(DateOrder::DayFirst),
        (_, 13..=31) => Some(DateOrder::MonthFirst),
        _ => None,
    }
}

/// In microseconds.
const DAY: i64 = 86_400_000_000;

/// `None`: it is no number.
fn parse_number(text: &str) -> Option<Result<Written, Unreadable>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || whole.len() > 17 || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    // Nine places are more than any of these forms means; longer fractions are cut.
    let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let scaled = |unit_micros: i64| {
        whole * unit_micros + i64::try_from(i128::from(nanos) * i128::from(unit_micros) / 1_000_000_000).unwrap_or(0)
    };
    let micros = match whole {
        // Days since 1899-12-30, the years 1954 to 2173: a count of seconds as small would be of the first day of 1970.
        20_000..100_000 => scaled(DAY) - 25_569 * DAY,
        100_000_000..100_000_000_000 => scaled(1_000_000),
        100_000_000_000..100_000_000_000_000 => scaled(1_000),
        100_000_000_000_000..100_000_000_000_000_000 => whole,
        _ => return Some(Err(Unreadable::Unknown)),
    };
    let zoned = whole >= 100_000;
    // A day number has a fraction of a day: without one it is a day.
    let day_only = !zoned && nanos == 0;
    Some(if day_only { Err(Unreadable::NoTimeOfDay) } else { Ok(Written { at: Timestamp(micros), zoned, coarse: false }) })
}

fn parse_date(date: &str, order: Option<DateOrder>) -> Result<(i16, i8, i8), Unreadable> {
    let separator = ['-', '/', '.'].into_iter().find(|separator| date.contains(*separator)).ok_or(Unreadable::Unknown)?;
    let parts: Vec<&str> = date.split(separator).collect();
    let [first, second, third] = parts.as_slice() else {
        return Err(Unreadable::Unknown);
    };
    let (year, month, day) = if first.len() == 4 {
        (*first, *second, *third)
    } else if third.len() != 4 {
        return Err(Unreadable::Unknown);
    } else if separator == '/' {
        match proven_order(date).or(order).ok_or(Unreadable::Ambiguous)? {
            DateOrder::DayFirst => (*third, *second, *first),
            DateOrder::MonthFirst => (*third, *first, *second),
        }
    } else {
        (*third, *second, *first)
    };
    let part = |text: &str| number(text).ok_or(Unreadable::Unknown);
    let small = |text: &str| part(text).and_then(|value| i8::try_from(value).map_err(|_| Unreadable::Unknown));
    Ok((part(year)?, small(month)?, small(day)?))
}

/// Hour, minute, second, microseconds, and whether there are no seconds.
fn parse_time(time: &str) -> Option<(i8, i8, i8, i64, bool)> {
    let lower = time.to_ascii_lowercase();
    let afternoon = lower.strip_suffix("pm").map(|rest| (rest, true));
    let (clock, half) = match afternoon.or_else(|| lower.strip_suffix("am").map(|rest| (rest, false))) {
        Some((rest, afternoon)) => (rest.trim_end(), Some(afternoon)),
        None => (lower.as_str(), None),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, seconds) = match parts.as_slice() {
        [hour, minute] => (*hour, *minute, None),
        [hour, minute, seconds] => (*hour, *minute, Some(*seconds)),
        _ => return None,
    };
    let small = |text: &str| number(text).and_then(|value| i8::try_from(value).ok());
    let hour = match (small(hour)?, half) {
        (hour @ 1..=12, Some(afternoon)) => hour % 12 + if afternoon { 12 } else { 0 },
        (_, Some(_)) => return None,
        (hour, None) => hour,
    };
    let (second, fraction) = seconds.map_or(("0", ""), |seconds| seconds.split_once(['.', ',']).unwrap_or((seconds, "")));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micro = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    Some((hour, small(minute)?, small(second)?, micro, seconds.is_none()))
}

/// A number of one to four digits.
fn number(text: &str) -> Option<i16> {
    ((1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_forms_are_read() {
        let moment = 1_769_850_305_000_000;
        for text in [
            "2026-01-31T09:05:05Z",
            "2026-01-31T17:05:05+08:00",
            "2026-01-31 17:05:05+0800",
            "2026-01-31 09:05:05",
            "2026-01-31T09:05:05",
            "2026-1-31 9:05:05",
            "2026/01/31 09:05:05.000",
            "2026/1/31 9:05:05",
            "31.01.2026 09:05:05",
            "31.1.2026, 9:05:05",
            "31/01/2026 09:05:05",
            "1/31/2026 9:05:05 AM",
            "01/31/2026 09:05:05",
            "1769850305",
            "1769850305.0",
            "1769850305000",
            "1769850305000000",
            "46053.378530092592",
        ] {
            let written = parse(text, None).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert!((written.at.0 - moment).abs() < 1_000, "{text}: {}", written.at.0 - moment);
        }
        let written = parse("1/31/2026 9:05 PM", None);
        assert_eq!(written, Ok(Written { at: Timestamp(moment - 5_000_000 + 12 * 3_600_000_000), zoned: false, coarse: true }));
        assert_eq!(parse("2026-01-31 09:05:05.25", None).map(|written| written.at.0 - moment), Ok(250_000));
        assert_eq!(parse("1769850305.25", None).map(|written| written.at.0 - moment), Ok(250_000));
        assert_eq!(parse("1/2/2026 9:05", Some(DateOrder::DayFirst)), parse("2026-02-01 9:05", None));
        assert_eq!(parse("1/2/2026 9:05", Some(DateOrder::MonthFirst)), parse("2026-01-02 9:05", None));
    }

    #[test]
    fn the_rest_is_refused() {
        for (text, why) in [
            ("1/2/2026 9:05", Unreadable::Ambiguous),
            ("2026-01-31", Unreadable::NoTimeOfDay),
            ("46053", Unreadable::NoTimeOfDay),
            ("yesterday", Unreadable::Unknown),
            ("12:30", Unreadable::Unknown),
            ("31.01.26 09:05", Unreadable::Unknown),
            ("2026-02-30 09:05", Unreadable::Unknown),
            ("2026-01-31 25:05", Unreadable::Unknown),
            ("2026-01-31 13:05 PM", Unreadable::Unknown),
            ("17", Unreadable::Unknown),
            ("", Unreadable::Unknown),
        ] {
            assert_eq!(parse(text, None), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,24}|[0-9TZ:+/., apm-]{0,26}") {
            let _ = parse(&text, Some(DateOrder::DayFirst));
            let _ = proven_order(&text);
        }
    }
}
