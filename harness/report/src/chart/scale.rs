//! Scales: from the units of the data to a length, and where the ticks are.

use libm::{ceil, floor, log10, pow};

use crate::words;

/// One side of a panel.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    /// How.
    pub scale: Scale,
}

/// How values become lengths.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Scale {
    /// Evenly.
    Linear { from: f64, to: f64, ticks: Ticks },
    /// By the logarithm; in milliseconds.
    Log { from: f64, to: f64 },
    /// One band for each name.
    Bands(Vec<String>),
}

/// How ticks are chosen and named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ticks {
    /// Shares, in percent.
    Share,
    /// Differences of shares, in percentage points.
    Points,
    /// Counts.
    Count,
    /// Seconds since the beginning.
    Elapsed,
    /// None.
    Hidden,
}

/// Steps of a clock, in seconds.
const CLOCK: [f64; 19] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 10_800.0, 21_600.0, 43_200.0,
    86_400.0, 172_800.0,
];

impl Axis {
    pub(crate) fn new(label: &str, scale: Scale) -> Self {
        Self { label: label.to_owned(), scale }
    }
}

impl Scale {
    /// From one value to a greater one.
    pub(crate) fn linear(from: f64, to: f64, ticks: Ticks) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self::Linear { from, to, ticks }
    }

    /// From one positive value to a greater one.
    pub(crate) fn log(from: f64, to: f64) -> Self {
        let from = from.max(1e-3);
        Self::Log { from, to: if to > from { to } else { from * 10.0 } }
    }

    /// Where a value stands, from 0 to 1. What is outside stands at the edge.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let share = match self {
            Self::Linear { from, to, .. } => (value - from) / (to - from),
            Self::Log { from, to } => log10(value.max(*from) / from) / log10(to / from),
            Self::Bands(names) => value / names.len().max(1) as f64,
        };
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    /// Values with their names; about `most` of them.
    pub(crate) fn ticks(&self, most: f64) -> Vec<(f64, String)> {
        match self {
            Self::Bands(names) => names.iter().enumerate().map(|(place, name)| (place as f64 + 0.5, name.clone())).collect(),
            Self::Log { from, to } => decades(*from, *to, most),
            Self::Linear { ticks: Ticks::Hidden, .. } => Vec::new(),
            Self::Linear { from, to, ticks } => {
                let mut step = round_step((to - from) / most.max(1.0));
                match ticks {
                    Ticks::Elapsed => step = clock_step((to - from) / most.max(1.0)),
                    Ticks::Count => step = step.max(1.0),
                    Ticks::Share | Ticks::Points | Ticks::Hidden => {}
                }
                let (first, last) = (ceil(from / step - 1e-9), floor(to / step + 1e-9));
                let values = (0..=whole((last - first).clamp(0.0, 100.0))).map(|nth| (first + f64::from(nth)) * step);
                values.map(|value| (value, ticks.name(value, step))).collect()
            }
        }
    }
}

impl Ticks {
    fn name(self, value: f64, step: f64) -> String {
        let percent = |value: f64| {
            let decimals = usize::from(step < 0.009_99);
            format!("{:.decimals$}", value * 100.0)
        };
        match self {
            Self::Share => percent(value) + " %",
            Self::Points if value > step / 2.0 => format!("+{}", percent(value)),
            Self::Points if value < -step / 2.0 => format!("\u{2212}{}", percent(-value)),
            Self::Points => "0".to_owned(),
            Self::Count => words::count(u64::try_from(whole(value)).unwrap_or(0)),
            Self::Elapsed if value <= 0.0 => "0".to_owned(),
            Self::Elapsed => {
                let (unit, name) = match step {
                    it if it >= 86_400.0 => (86_400.0, "d"),
                    it if it >= 3_600.0 => (3_600.0, "h"),
                    it if it >= 60.0 => (60.0, "min"),
                    _ => (1.0, "s"),
                };
                format!("{} {name}", words::number(value / unit))
            }
            Self::Hidden => String::new(),
        }
    }
}

/// A whole number as an integer.
#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and no count or exponent here comes near the end")]
pub(crate) fn whole(value: f64) -> i32 {
    value as i32
}

/// 1, 2 or 5 times a power of ten, at least this much.
fn round_step(least: f64) -> f64 {
    let power = pow(10.0, floor(log10(least.max(1e-9))));
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

fn clock_step(least: f64) -> f64 {
    let days = || round_step(least / 86_400.0) * 86_400.0;
    if least < 1.0 { round_step(least) } else { CLOCK.into_iter().find(|step| *step >= least).unwrap_or_else(days) }
}

/// Powers of ten, and where there are few of them 2 and 5 times each.
fn decades(from: f64, to: f64, most: f64) -> Vec<(f64, String)> {
    let (first, last) = (whole(floor(log10(from))), whole(ceil(log10(to))));
    let spread = log10(to / from);
    let factors: &[f64] = if spread * 3.0 <= most { &[1.0, 2.0, 5.0] } else { &[1.0] };
    // Names of powers of ten are short.
    let every = whole(ceil(spread / (1.2 * most.max(1.0)))).max(1);
    let inside = |value: &f64| *value >= from * (1.0 - 1e-9) && *value <= to * (1.0 + 1e-9);
    (first..=last)
        .filter(|power| power % every == 0)
        .flat_map(|power| factors.iter().map(move |factor| factor * pow(10.0, f64::from(power))))
        .filter(inside)
        .map(|ms| {
            (ms, if ms >= 1_000.0 { format!("{} s", words::number(ms / 1_000.0)) } else { format!("{} ms", words::number(ms)) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(scale: &Scale, most: f64) -> String {
        scale.ticks(most).into_iter().map(|(_, name)| name).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn ticks_are_round() {
        for (scale, ticks) in [
            (Scale::linear(0.0, 1.0, Ticks::Share), "0 %|20 %|40 %|60 %|80 %|100 %"),
            (Scale::linear(0.0, 0.013, Ticks::Share), "0.0 %|0.5 %|1.0 %"),
            (Scale::linear(-1.0, 1.0, Ticks::Points), "\u{2212}100|\u{2212}50|0|+50|+100"),
            (Scale::linear(0.0, 3.0, Ticks::Count), "0|1|2|3"),
            (Scale::linear(0.0, 12_345.0, Ticks::Count), "0|5,000|10,000"),
            (Scale::linear(0.0, 47.0, Ticks::Elapsed), "0|10 s|20 s|30 s|40 s"),
            (Scale::linear(0.0, 4_000.0, Ticks::Elapsed), "0|15 min|30 min|45 min|60 min"),
            (Scale::linear(0.0, 40_000.0, Ticks::Elapsed), "0|3 h|6 h|9 h"),
            (Scale::linear(0.0, 0.4, Ticks::Elapsed), "0|0.1 s|0.2 s|0.3 s|0.4 s"),
            (Scale::log(3.0, 400.0), "10 ms|100 ms"),
            (Scale::log(10.0, 90.0), "10 ms|20 ms|50 ms"),
            (Scale::log(1.0, 1e7), "1 ms|100 ms|10 s|1000 s"),
        ] {
            assert_eq!(names(&scale, 5.0), ticks, "{scale:?}");
        }
    }

    #[test]
    fn what_is_outside_stands_at_the_edge() {
        let scale = Scale::linear(2.0, 4.0, Ticks::Count);
        for (value, place) in [(1.0, 0.0), (3.0, 0.5), (9.0, 1.0), (f64::NAN, 0.0)] {
            assert!((scale.place(value) - place).abs() < 1e-12, "{value}");
        }
        let scale = Scale::log(1.0, 100.0);
        assert!((scale.place(10.0) - 0.5).abs() < 1e-12 && scale.place(-3.0) < 1e-12);
    }
}
