//! What an answer says about whether a question hit.

/// The probabilities of a positive answer. When the sought combination blocks, *positive* is "dropped": nearly certain where
/// the question holds the combination, and as likely as a lost message where it does not. When the sought combination lifts
/// a block, *positive* is "delivered", and the loss sits on the other side.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Channel {
    /// P(positive | the question holds the combination).
    pub(crate) hit: f64,
    /// P(positive | it does not).
    pub(crate) miss: f64,
}

impl Channel {
    pub(crate) fn blocking(loss: f64, leak: f64) -> Self {
        Self { hit: 1.0 - leak, miss: loss }
    }

    pub(crate) fn lifting(loss: f64, leak: f64) -> Self {
        Self { hit: 1.0 - loss, miss: leak }
    }

    /// Log-likelihoods of an answer: of a hit, of a miss.
    pub(crate) fn log_likelihoods(self, positive: bool) -> (f64, f64) {
        let log = |p: f64| libm::log(p.max(1e-300));
        if positive { (log(self.hit), log(self.miss)) } else { (log(1.0 - self.hit), log(1.0 - self.miss)) }
    }

    /// Mutual information in bits between answer and hit, where a hit has probability `x`.
    pub(crate) fn information(self, x: f64) -> f64 {
        let positive = x * self.hit + (1.0 - x) * self.miss;
        entropy(positive) - x * entropy(self.hit) - (1.0 - x) * entropy(self.miss)
    }

    /// The probability of a hit at which an answer says most.
    pub(crate) fn best(self) -> f64 {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let third = (high - low) / 3.0;
            if self.information(low + third) < self.information(high - third) { low += third } else { high -= third }
        }
        f64::midpoint(low, high)
    }
}

fn entropy(p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 { 0.0 } else { -(p * libm::log2(p) + (1.0 - p) * libm::log2(1.0 - p)) }
}
