//! The distribution function of the beta distribution, and its inverse.
//!
//! By the continued fraction of Didonato and Morris, ACM Transactions on Mathematical Software 18 (1992), evaluated from the front
//! after Lentz, in the arithmetic of the `libm` crate alone, so that the same counts give the same digits everywhere. It holds for
//! the millions of sends of a long run as well as for three.

use libm::{exp, fabs, lgamma, log, log1p};

/// Where the continued fraction and the inverse stop.
const PRECISION: f64 = 1e-14;

/// Terms of the continued fraction at most; it needs about the square root of the greater parameter.
const TERMS: u32 = 100_000;

/// Steps of the inverse at most; about eight are usual.
const STEPS: u32 = 200;

/// Keeps the divisions of the continued fraction away from zero.
const TINY: f64 = 1e-300;

/// The logarithm of the beta function.
#[must_use]
pub fn ln_beta(a: f64, b: f64) -> f64 {
    lgamma(a) + lgamma(b) - lgamma(a + b)
}

/// The probability that a Beta(`a`, `b`) variable is at most `x`, for positive `a` and `b`.
#[must_use]
pub fn cumulative(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = exp(a * log(x) + b * log1p(-x) - ln_beta(a, b));
    // The fraction converges quickly on this side of the mean; the other follows by symmetry.
    if x < (a + 1.0) / (a + b + 2.0) { front * fraction(a, b, x) / a } else { 1.0 - front * fraction(b, a, 1.0 - x) / b }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let away = |value: f64| if fabs(value) < TINY { TINY } else { value };
    let mut above = 1.0;
    let mut below = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = below;
    for m in (1..TERMS).map(f64::from) {
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for term in [even, odd] {
            below = 1.0 / away(1.0 + term * below);
            above = away(1.0 + term / above);
            step = above * below;
            value *= step;
        }
        if fabs(step - 1.0) < PRECISION {
            break;
        }
    }
    value
}

/// The `x` at which [`cumulative`] is `p`.
#[must_use]
pub fn quantile(p: f64, a: f64, b: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let ln_norm = ln_beta(a, b);
    let (mut low, mut high) = (0.0, 1.0);
    let mut x = a / (a + b);
    for _ in 0..STEPS {
        let excess = cumulative(a, b, x) - p;
        if excess < 0.0 {
            low = x;
        } else {
            high = x;
        }
        let density = exp((a - 1.0) * log(x) + (b - 1.0) * log1p(-x) - ln_norm);
        let newton = x - excess / density;
        // Newton where it stays inside of what is known, else the middle.
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        let moved = fabs(next - x);
        x = next;
        if moved <= PRECISION * x || high - low <= PRECISION * high {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For whole parameters: at least `a` successes among `a + b - 1` trials.
    fn binomial_tail(a: u32, b: u32, x: f64) -> f64 {
        let n = a + b - 1;
        let term = |k: u32| {
            let ln_choose = lgamma(f64::from(n + 1)) - lgamma(f64::from(k + 1)) - lgamma(f64::from(n - k + 1));
            exp(ln_choose + f64::from(k) * log(x) + f64::from(n - k) * log1p(-x))
        };
        (a..=n).map(term).sum()
    }

    #[test]
    fn whole_parameters_are_binomial_tails() {
        for (a, b) in [(1, 1), (1, 30), (30, 1), (3, 5), (16, 16), (100, 900), (2_000, 3_000), (4_000, 4_000), (5_000, 60_000)] {
            for place in 1..20 {
                let mean = f64::from(a) / f64::from(a + b);
                let x = mean * f64::from(place) / 10.0;
                if x >= 1.0 {
                    continue;
                }
                let (got, expected) = (cumulative(f64::from(a), f64::from(b), x), binomial_tail(a, b, x));
                assert!(fabs(got - expected) < 1e-9, "{a} {b} {x}: {got} instead of {expected}");
            }
        }
    }

    #[test]
    fn the_quantile_is_the_inverse() {
        for a in [0.5, 1.0, 1.5, 7.0, 300.0, 5_000.0, 1e6] {
            for b in [0.5, 1.0, 2.5, 40.0, 3_000.0, 20_000.0, 1e7] {
                for p in [1e-9, 1e-4, 0.01, 0.3, 0.5, 0.975, 0.99, 0.999_999] {
                    let x = quantile(p, a, b);
                    // As near as neighbouring numbers can tell: close to 1 they are far apart.
                    let (below, above) = (cumulative(a, b, x * (1.0 - 1e-9) - 1e-15), cumulative(a, b, x * (1.0 + 1e-9) + 1e-15));
                    assert!(below <= p && p <= above, "{p} of {a} {b}: {x} is between {below} and {above}");
                }
            }
        }
        assert!(quantile(0.0, 2.0, 3.0) <= 0.0 && quantile(1.0, 2.0, 3.0) >= 1.0);
    }
}
