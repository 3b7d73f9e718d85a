//! One value of a table, and how it is written.

use std::borrow::Cow;
use std::fmt::Display;

use lacuna_model::{Duration, Timestamp};

use crate::time_format::iso8601;

/// One value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Cell<'a> {
    /// There is no value.
    Missing,
    /// Text that may be anything.
    Text(Cow<'a, str>),
    /// A word of a vocabulary, a number, a moment: nothing that a spreadsheet could take for a formula.
    Plain(Cow<'a, str>),
}

impl<'a> Cell<'a> {
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    pub fn word(word: &'a str) -> Self {
        Self::Plain(word.into())
    }

    pub fn display(value: impl Display) -> Self {
        Self::Plain(value.to_string().into())
    }

    pub fn time(at: Timestamp) -> Self {
        Self::Plain(iso8601(at).into())
    }

    /// In milliseconds, exact to the microsecond.
    pub fn millis(length: Duration) -> Self {
        let us = length.as_micros().max(0);
        Self::display(format_args!("{}.{:03}", us / 1_000, us % 1_000))
    }

    /// In seconds, exact to the millisecond.
    pub fn seconds(length: Duration) -> Self {
        let ms = length.as_millis().max(0);
        Self::display(format_args!("{}.{:03}", ms / 1_000, ms % 1_000))
    }

    pub fn number(value: f64) -> Self {
        if value.is_finite() { Self::Plain(number(value).into()) } else { Self::Missing }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Missing => "",
            Self::Text(text) | Self::Plain(text) => text,
        }
    }

    /// As [`Cell::as_str`], but text that a spreadsheet would take for a formula gets an apostrophe in front.
    pub fn guarded(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}").into(),
            other => other.as_str().into(),
        }
    }
}

impl<T> From<Option<T>> for Cell<'_>
where
    Self: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Self::from)
    }
}

impl From<Timestamp> for Cell<'_> {
    fn from(at: Timestamp) -> Self {
        Self::time(at)
    }
}

impl From<f64> for Cell<'_> {
    fn from(value: f64) -> Self {
        Self::number(value)
    }
}

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::word(if value { "true" } else { "false" })
    }
}

impl From<u32> for Cell<'_> {
    fn from(value: u32) -> Self {
        Self::display(value)
    }
}

impl From<u64> for Cell<'_> {
    fn from(value: u64) -> Self {
        Self::display(value)
    }
}

impl From<lacuna_model::ProbeId> for Cell<'_> {
    fn from(probe: lacuna_model::ProbeId) -> Self {
        Self::display(probe)
    }
}

/// A number as all tables write it: up to six significant digits, plain from 0.0001 to 1e15.
#[must_use]
pub fn number(value: f64) -> String {
    let scientific = format!("{value:.5e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = mantissa.trim_end_matches('0').trim_end_matches('.');
    if value == 0.0 {
        "0".to_owned()
    } else if !(-4..15).contains(&exponent) {
        format!("{trimmed}e{exponent}")
    } else {
        let decimals = usize::try_from(5 - exponent).unwrap_or(0);
        // The rounded value is printed, so that digits beyond the sixth do not come back.
        let rounded: f64 = scientific.parse().unwrap_or(value);
        let plain = format!("{rounded:.decimals$}");
        if decimals == 0 { plain } else { plain.trim_end_matches('0').trim_end_matches('.').to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        for (value, written) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (0.5, "0.5"),
            (2.0 / 3.0, "0.666667"),
            (0.1 + 0.2, "0.3"),
            (123_456.0, "123456"),
            (123_456.7, "123457"),
            (99_999.96, "100000"),
            (1_234_567.0, "1234570"),
            (123_456_700_000_000.0, "123457000000000"),
            (1_234_567e9, "1.23457e15"),
            (1e300, "1e300"),
            (0.000_123_456_78, "0.000123457"),
            (0.000_099_999_99, "0.0001"),
            (0.000_012, "1.2e-5"),
            (1e-300, "1e-300"),
            (-2.5, "-2.5"),
        ] {
            assert_eq!(Cell::number(value).as_str(), written, "{value}");
        }
        assert_eq!(Cell::number(f64::NAN), Cell::Missing);
        assert_eq!(Cell::number(f64::INFINITY), Cell::Missing);
    }

    #[test]
    fn lengths_of_time_are_exact() {
        assert_eq!(Cell::millis(Duration(20_123)).as_str(), "20.123");
        assert_eq!(Cell::millis(Duration(7)).as_str(), "0.007");
        assert_eq!(Cell::seconds(Duration(10_250_999)).as_str(), "10.250");
    }

    #[test]
    fn only_text_that_looks_like_a_formula_is_guarded() {
        for (text, guarded) in [("=1", "'=1"), ("+", "'+"), ("-x", "'-x"), ("@a", "'@a"), ("\tx", "'\tx"), ("\rx", "'\rx")] {
            assert_eq!(Cell::text(text).guarded(), guarded);
        }
        assert_eq!(Cell::text("a=1").guarded(), "a=1");
        assert_eq!(Cell::text("").guarded(), "");
        assert_eq!(Cell::number(-1.0).guarded(), "-1");
    }
}
