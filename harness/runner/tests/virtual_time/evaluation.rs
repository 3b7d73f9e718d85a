//! What verdicts cost and how right they are, in generated studies: the table of `cargo bench --bench verdicts` with fewer items.

use std::num::NonZero;
use std::sync::Arc;

use lacuna_model::{Pooling, Study};
use lacuna_runner::assessment::Assessment;
use lacuna_runner::generated::Generated;
use lacuna_runner::repeats;
use lacuna_runner::truth::Truth;

const SEED: u64 = 20_161_130;

#[test]
fn the_number_of_threads_changes_nothing() {
    let (study, policy) = Generated { pooling: Pooling::Off, ..Generated::new(SEED, 200) }.make();
    let truth = Truth::new(&study, &policy);
    let assess = |repeat| {
        let study = Arc::new(Study { seed: repeats::seed_of(SEED, repeat), ..study.clone() });
        Assessment::of(&study, &policy, &truth)
    };
    let all = |threads| repeats::map(5, NonZero::new(threads).unwrap(), assess);
    assert_eq!(all(1), all(3));
}
