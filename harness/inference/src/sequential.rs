//! The evidence against "only lost": an e-value, which may be looked at after every send.
//!
//! An *e-value* is a number whose expectation is at most 1 if the hypothesis is true, so that it reaches 1/α with probability at
//! most α (Markov), whenever the looking ends and for whatever reason (Ville). The hypothesis here is that an item is not
//! blocked: each of its bracketed sends is missing with a probability of at most p⁺, the upper bound on the loss at the time.
//! The e-value is a product over the item's own sends of a bet on a filter that drops a share *q* of them (Wald's likelihood ratio):
//!
//! - a drop multiplies by *q* / p⁺ of its time block,
//! - an arrival by (1 - *q*) / (1 - p⁺), with the bound over the whole run, which is never above that of a block.
//!
//! For any loss p ≤ p⁺ the expectation of one factor is at most `p q / p⁺ + (1 - p)(1 - q) / (1 - p⁺) ≤ 1`, as it is linear in p, 1 at
//! p⁺ and at most 1 at 0. A bet on a *q* that is below p⁺ would have it the wrong way round, and is not placed.
//!
//! Which *q*? A blocked item is dropped always, as good as ([`ALWAYS`]): nineteen twentieths of the stake. One arrival then divides
//! by nearly a thousand and ends the matter. The last twentieth is spread over filters that act on a part of what they match
//! ([`PARTLY`]), so that an item that is sent a fixed number of times and arrives now and then can still be told from loss. A mixture
//! of e-values is an e-value (Vovk and Wang, Annals of Statistics 49, 2021).

use libm::{exp, log};

/// The share of drops of a filter that always acts. Not quite 1: an arrival is nearly proof, and not quite.
pub const ALWAYS: f64 = 0.999;

/// The shares of drops of filters that act on a part of what they match.
pub const PARTLY: [f64; 5] = [0.9, 0.7, 0.5, 0.3, 0.1];

/// The part of the stake that is on [`PARTLY`], in equal shares.
pub const STAKE_ON_PARTLY: f64 = 0.05;

/// And where every item is sent a fixed number of times, to see how large a part a filter acts on: then it is what the run is about.
pub const STAKE_WITH_REPLICATES: f64 = 0.5;

/// Drops of one unit in one time block.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BlockDrops {
    /// How many.
    pub drops: u32,
    /// The upper bound on the loss there and then.
    pub loss_upper: f64,
}

/// The logarithm of the e-value of a unit from its own bracketed sends: its drops by time block, how many of its sends arrived, and
/// the upper bound on the loss over the whole run, and which part of the stake is on filters that act on a part.
pub fn ln_e_value(drops: &(impl Iterator<Item = BlockDrops> + Clone), arrivals: u32, loss_upper: f64, on_partly: f64) -> f64 {
    let bet = |share: f64| {
        let on_drops: f64 =
            drops.clone().map(|block| f64::from(block.drops) * (log(share) - log(block.loss_upper)).max(0.0)).sum();
        on_drops + f64::from(arrivals) * (log(1.0 - share) - log(1.0 - loss_upper)).min(0.0)
    };
    let always = log(1.0 - on_partly) + bet(ALWAYS);
    let ln_stake = log(on_partly / PARTLY.len() as f64);
    let partly = PARTLY.map(|share| ln_stake + bet(share));
    let greatest = partly.iter().copied().fold(always, f64::max);
    greatest + log(exp(always - greatest) + partly.iter().map(|bet| exp(bet - greatest)).sum::<f64>())
}

/// The greatest logarithm of an e-value that is written as it is; what is above is written as this, about 1e300.
const GREATEST_LN_E: f64 = 690.775_5;

/// An e-value as it is written.
#[must_use]
pub fn e_value(ln_e: f64) -> f64 {
    exp(ln_e.min(GREATEST_LN_E))
}

/// The logarithm of the e-value of so many drops and no arrival at one bound on the loss.
#[must_use]
pub fn ln_e_of_drops(drops: u32, loss_upper: f64) -> f64 {
    ln_e_value(&std::iter::once(BlockDrops { drops, loss_upper }), 0, loss_upper, STAKE_ON_PARTLY)
}
