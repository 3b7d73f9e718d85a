//! Numbers, rates and lengths of time as a page says them, and the vocabulary of verdicts in plain words.

use lacuna_model::{Duration, Reason, StopReason, Verdict};

/// `1,234,567`
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

/// `1 item`, `12 items`
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `1,024 bytes`
pub(crate) fn bytes(number: usize) -> String {
    counted(number as u64, "byte")
}

/// `1.2 %`; whole from 10 % on, and never 0 or 100 % unless it is.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let text = if percent == 0.0 || percent >= 9.95 { format!("{percent:.0}") } else { format!("{percent:.1}") };
    match text.as_str() {
        "0.0" => "< 0.1 %".to_owned(),
        "100" if share < 1.0 => "> 99 %".to_owned(),
        _ => format!("{text} %"),
    }
}

/// `3 of 68 (4.4 %)`; without the share where there is nothing to share.
pub(crate) fn of(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "none sent".to_owned();
    }
    format!("{} of {} ({})", count(part), count(whole), percent(part as f64 / whole as f64))
}

/// A number with up to three significant digits; `1.2 × 10^-7` far from 1.
pub(crate) fn number(value: f64) -> String {
    let scientific = format!("{value:.2e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    if value == 0.0 {
        "0".to_owned()
    } else if (-4..6).contains(&exponent) {
        let decimals = usize::try_from(2 - exponent).unwrap_or(0);
        let plain = format!("{value:.decimals$}");
        if plain.contains('.') { plain.trim_end_matches('0').trim_end_matches('.').to_owned() } else { plain }
    } else {
        format!("{trimmed} × 10^{exponent}")
    }
}

/// `850 ms`, `12.3 s`, `4 min 5 s`, `3 h 12 min`, `2 d 3 h`
pub(crate) fn length(length: Duration) -> String {
    let us = length.as_micros().max(0);
    let ms = us / 1_000;
    let pair = |large: i64, large_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match ms / 1_000 {
        0 if ms == 0 && us > 0 => "< 1 ms".to_owned(),
        0 => format!("{ms} ms"),
        s if s < 60 => format!("{} s", number(ms as f64 / 1_000.0)),
        s if s < 3_600 => pair(s / 60, "min", s % 60, "s"),
        s if s < 86_400 => pair(s / 3_600, "h", s % 3_600 / 60, "min"),
        s => pair(s / 86_400, "d", s % 86_400 / 3_600, "h"),
    }
}

/// With a capital at the beginning.
pub(crate) fn sentence_case(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// What a verdict says, for a legend.
pub(crate) const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Delivered => "arrives as it was sent",
        Verdict::Delayed => "arrives, late",
        Verdict::Dropped => "silently does not arrive",
        Verdict::Refused => "the platform refuses it and says so",
        Verdict::Altered => "arrives changed",
        Verdict::Retracted => "arrives and is taken away again",
        Verdict::Inconsistent => "its sends exclude one another",
        Verdict::Inconclusive => "nothing can be said",
    }
}

/// Why nothing can be said.
pub(crate) const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::ControlFailed => "controls of the path did not arrive",
        Reason::ReceiverNotListening => "the receiving session was not listening",
        Reason::RateLimited => "the platform asked to slow down until the end",
        Reason::AccountSuspect => "an account was sanctioned, or is suspected to be",
        Reason::BudgetExhausted => "sends or time were used up before the evidence sufficed",
        Reason::UnknownSubmission => "only sends of unknown fate",
        Reason::NonMonotone => "arrived in a pool, and alone it is under suspicion",
        Reason::CanaryDelivered => "an item known to be dropped arrived on this arm",
        Reason::Reencoded => "the platform encodes files anew, so that no hash survives it",
        Reason::Deduplicated => "the platform delivered another file of the same MD5",
        Reason::NotDue => "known from an earlier run, and not to be asked again yet",
    }
}

/// Why nothing more was sent.
pub(crate) const fn stop(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Finished => "everything that could be decided was",
        StopReason::Requested => "the researcher stopped it",
        StopReason::MessageBudget => "the messages of the run were used up",
        StopReason::DailyBudget => "the messages of the day were used up",
        StopReason::Sanction => "accounts were sanctioned",
        StopReason::NoPathAlive => "no path was alive any more",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_like_this() {
        for (value, said) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(value), said);
        }
        for (share, said) in [
            (0.0, "0 %"),
            (0.000_1, "< 0.1 %"),
            (0.001, "0.1 %"),
            (0.012_34, "1.2 %"),
            (0.099_9, "10 %"),
            (0.5, "50 %"),
            (0.999, "> 99 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(share), said, "{share}");
        }
        for (value, said) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.001, "0.001"),
            (1234.5, "1234"),
            (123_456_789.0, "1.23 × 10^8"),
            (1e-7, "1 × 10^-7"),
            (2.5, "2.5"),
        ] {
            assert_eq!(number(value), said, "{value}");
        }
    }

    #[test]
    fn lengths_of_time_are_said_like_this() {
        for (us, said) in [
            (0, "0 ms"),
            (7, "< 1 ms"),
            (850_000, "850 ms"),
            (12_340_000, "12.3 s"),
            (245_000_000, "4 min 5 s"),
            (11_520_000_000, "3 h 12 min"),
            (172_800_000_000, "2 d"),
        ] {
            assert_eq!(length(Duration(us)), said);
        }
    }
}
