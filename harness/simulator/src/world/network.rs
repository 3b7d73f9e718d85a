//! The network between the platform and its recipients.
//!
//! - *Loss* is a Gilbert–Elliott chain of two states, one of which loses everything. Its stationary share is `loss`, and it
//!   stays in the losing state for `burst-length` messages in the mean. Independent losses already come in runs of
//!   1 / (1 - loss); a `burst-length` up to that means independent losses.
//! - *Delay* is log-normal, given by its median and its 99th percentile. A median of zero means no delay at all.
//! - *Order* is kept on a path: a delivery waits for those before it, as on a connection. Exempt are deliveries that
//!   `reorder` chooses: they are held back by twice the 99th percentile, at least 50 ms, and what is sent on the path
//!   meanwhile overtakes them. Between paths there is no order.
//! - *Duplicates* come a further delay, drawn anew, after the first copy.

use lacuna_model::policy;
use lacuna_model::{Duration, Timestamp};

use super::draws::{Key, Purpose};
use super::members::Member;

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_840_8;

/// The least time by which a reordered delivery is held back.
const LEAST_HOLD_BACK: Duration = Duration::from_millis(50);

/// A path: one recipient of one sender in one venue.
pub(super) struct Path {
    /// Who receives.
    pub(super) to: Member,
    /// What its chances are drawn from.
    pub(super) key: Key,
    /// Whether the loss chain is in the losing state.
    losing: bool,
    /// When the last delivery that keeps the order is due.
    last_due: Timestamp,
}

impl Path {
    /// A path on which nothing was sent yet.
    pub(super) const fn new(to: Member, key: Key) -> Self {
        Self { to, key, losing: false, last_due: Timestamp(i64::MIN) }
    }
}

/// When a message reaches its recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Arrival {
    pub(super) first: Timestamp,
    pub(super) second: Option<Timestamp>,
}

/// The network's parameters, worked out.
pub(super) struct Network {
    loss: f64,
    /// The chances to enter and to leave the losing state; `None` for independent losses.
    burst: Option<(f64, f64)>,
    median: Duration,
    /// The deviation of the delay's logarithm.
    sigma: f64,
    duplicate: f64,
    reorder: f64,
    hold_back: Duration,
}

impl Network {
    pub(super) fn new(network: &policy::Network) -> Self {
        let &policy::Network { loss, burst_length, delay_median, delay_p99, duplicate, reorder } = network;
        let bursty = loss > 0.0 && burst_length * (1.0 - loss) > 1.0;
        let spread = delay_median > Duration::ZERO && delay_p99 > delay_median;
        Self {
            loss,
            burst: bursty.then(|| (loss / (1.0 - loss) / burst_length, 1.0 / burst_length)),
            median: delay_median,
            sigma: if spread { libm::log(delay_p99.0 as f64 / delay_median.0 as f64) / Z99 } else { 0.0 },
            duplicate,
            reorder,
            hold_back: delay_p99.max(delay_median).times(2).max(LEAST_HOLD_BACK),
        }
    }

    /// Moves the path's loss chain on to its `n`-th message and says whether that is lost. To be called once for each
    /// message of the path, in order.
    pub(super) fn loses(&self, path: &mut Path, n: u64) -> bool {
        if self.loss <= 0.0 {
            return false;
        }
        let draw = path.key.uniform(n, Purpose::Loss);
        path.losing = match self.burst {
            Some((enter, leave)) if n > 0 => draw < if path.losing { 1.0 - leave } else { enter },
            _ => draw < self.loss,
        };
        path.losing
    }

    /// When the `n`-th message of a path, sent now, arrives.
    pub(super) fn arrival(&self, path: &mut Path, n: u64, now: Timestamp) -> Arrival {
        let key = path.key;
        let due = now + self.delay(key, n, Purpose::DelayRadius, Purpose::DelayAngle);
        let first = if happens(key, n, Purpose::Reorder, self.reorder) {
            due + self.hold_back
        } else {
            path.last_due = path.last_due.max(due);
            path.last_due
        };
        let second = happens(key, n, Purpose::Duplicate, self.duplicate)
            .then(|| first + self.delay(key, n, Purpose::DuplicateRadius, Purpose::DuplicateAngle));
        Arrival { first, second }
    }

    /// A log-normal delay, its normal deviate by Box and Muller.
    fn delay(&self, key: Key, n: u64, radius: Purpose, angle: Purpose) -> Duration {
        if self.sigma <= 0.0 {
            return self.median;
        }
        // 1 - u lies in (0, 1], whose logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - key.uniform(n, radius)));
        let deviate = radius * libm::cos(std::f64::consts::TAU * key.uniform(n, angle));
        let micros = self.median.0 as f64 * libm::exp(self.sigma * deviate);
        #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and the fraction of a microsecond is noise")]
        Duration(micros as i64)
    }
}

fn happens(key: Key, n: u64, purpose: Purpose, share: f64) -> bool {
    share > 0.0 && key.uniform(n, purpose) < share
}
