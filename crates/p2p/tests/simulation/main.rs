//! Peers over a network that loses, repeats, delays, reorders and cuts, with clocks that differ and processes that
//! end at any moment. Every seed is a history of its own, and the same each time:
//! `HOLDFAST_SEED=17 cargo test -p holdfast-p2p --test simulation` plays one again.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod peer;
mod retention;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use world::World;

const SEEDS: u64 = 1000;

#[expect(clippy::disallowed_methods, reason = "a test asks which seed to play again")]
fn seed_to_replay() -> Option<u64> {
    std::env::var("HOLDFAST_SEED").ok().map(|seed| seed.parse().unwrap())
}

fn play(seeds: impl Iterator<Item = u64>) {
    for seed in seed_to_replay().map_or_else(|| seeds.collect::<Vec<_>>(), |seed| vec![seed]) {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut world = World::new(seed);
            world.run();
            world.check();
        }));
        assert!(outcome.is_ok(), "seed {seed} failed; play it again with HOLDFAST_SEED={seed}");
    }
}

#[test]
fn peers_converge_and_lose_nothing_in_even_histories() {
    play((0..SEEDS).step_by(2));
}

#[test]
fn peers_converge_and_lose_nothing_in_odd_histories() {
    play((1..SEEDS).step_by(2));
}
