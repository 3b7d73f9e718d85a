//! Lengths of time as the files write them: `2s`, `1500ms`, `5min`.

use lacuna_model::Duration;

/// The units with their length in microseconds. Those that end like another come first.
const UNITS: [(&str, i64); 6] =
    [("us", 1), ("ms", 1_000), ("min", 60_000_000), ("s", 1_000_000), ("h", 3_600_000_000), ("d", 86_400_000_000)];

/// The form as a regular expression, for the JSON Schema.
pub(crate) const PATTERN: &str = "^[0-9]+(us|ms|s|min|h|d)$";

/// Reads what `Duration`'s `Display` writes; `None` if the text is no length of time, or one beyond 64 bits.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (number, unit) = UNITS.iter().find_map(|&(unit, length)| Some((text.strip_suffix(unit)?, length)))?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<i64>().ok()?.checked_mul(unit).map(Duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms() {
        for (text, microseconds) in
            [("0s", 0), ("20us", 20), ("1500ms", 1_500_000), ("2s", 2_000_000), ("5min", 300_000_000), ("1d", 86_400_000_000)]
        {
            assert_eq!(parse(text), Some(Duration(microseconds)), "{text}");
        }
        for text in ["", "s", "2", "-2s", "+2s", "1.5s", "2 s", "2S", "99999999999999999999s", "9223372036854775807d", "２s"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(microseconds in 0i64..) {
            prop_assert_eq!(parse(&Duration(microseconds).to_string()), Some(Duration(microseconds)));
        }
    }
}
