//! The same thing many times, on all cores, with a seed of its own each time: the result does not depend on how many cores there are.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use lacuna_design::generator;
use rand::Rng;

/// The greatest seed of an experiment.
const GREATEST_SEED: u64 = i64::MAX as u64;

/// The seed of a repeat, derived from the experiment's by name. The first repeat is number 0.
#[must_use]
pub fn seed_of(seed: u64, repeat: u64) -> u64 {
    generator(seed, &["repeat", &repeat.to_string()]).next_u64() & GREATEST_SEED
}

/// As many threads as the machine has cores.
#[must_use]
pub fn all_cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Calls `job` with 0, 1, … below `repeats`, on so many threads, and gives the results in that order.
pub fn map<T: Send>(repeats: u64, threads: NonZero<usize>, job: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        loop {
            let repeat = next.fetch_add(1, Ordering::Relaxed);
            if repeat >= repeats {
                return;
            }
            let result = job(repeat);
            // A thread that panicked takes the others with it at the end of the scope.
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((repeat, result));
        }
    };
    let helpers = u64::try_from(threads.get() - 1).unwrap_or(u64::MAX).min(repeats.saturating_sub(1));
    thread::scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_unstable_by_key(|(repeat, _)| *repeat);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        let expected: Vec<u64> = (0..100).map(|repeat| repeat * repeat).collect();
        for threads in [1, 2, 7] {
            let threads = NonZero::new(threads).unwrap_or(NonZero::<usize>::MIN);
            assert_eq!(map(100, threads, |repeat| repeat * repeat), expected);
            assert!(map(0, threads, |_| ()).is_empty());
        }
    }

    #[test]
    fn seeds_of_repeats_are_pinned_and_fit_an_experiment() {
        // Golden: a change here changes every evaluation ever made from a seed.
        let seeds = [0, 1, 2].map(|repeat| seed_of(20_161_130, repeat));
        assert_eq!(seeds, [4_993_485_267_890_356_418, 4_986_311_884_797_252_976, 3_090_863_552_138_347_190]);
        assert!((0..1000).all(|repeat| seed_of(u64::MAX, repeat) <= GREATEST_SEED));
    }
}
