//! Programs that run long enough for regions to be made of them, on the interpreter and on the tiers that make regions:
//! each time they stop, for whatever reason, registers, memory, flags and counts are the same.
//!
//! Deterministic. `VMJIT_SEED` is the seed of the first program, `VMJIT_COUNT` the number of programs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use vm_engine_jit::testing::rng::setting;
use vm_engine_jit::testing::rounds::{compare, Compared};
use vm_engine_jit::Tier;

/// Guest instructions of each program.
const LENGTH: u64 = 100_000;

#[test]
fn regions_random_programs() {
    let (first, count) = (setting("VMJIT_SEED", 1), setting("VMJIT_COUNT", 60));
    let (next, total) = (AtomicU64::new(first), Mutex::new((Compared::default(), Vec::new())));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get().min(4)) {
            scope.spawn(|| loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first.saturating_add(count) || !total.lock().unwrap().1.is_empty() {
                    break;
                }
                let first = if seed % 4 == 0 { Tier::O1 } else { Tier::O2 };
                let tiers = [first, Tier::Random { seed }];
                let result = compare(seed, LENGTH, &tiers);
                let mut total = total.lock().unwrap();
                match result {
                    Ok(one) => total.0.add(one),
                    Err(report) => total.1.push(report),
                }
            });
        }
    });
    let (sum, reports) = total.into_inner().unwrap();
    println!("VMJIT_SEED={first} VMJIT_COUNT={count}: {sum:?}");
    assert!(reports.is_empty(), "{}", reports.join("\n"));
    if count >= 60 {
        assert!(sum.instructions > 1_000_000 && sum.faults > 100 && sum.regions > count, "{sum:?}");
    }
}
