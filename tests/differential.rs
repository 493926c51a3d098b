//! Every engine against `qemu-riscv64`: random sequences of instructions over every row of the RISC-V tables.
//!
//! Deterministic. `VMJIT_SEED` chooses another stream, `VMJIT_COUNT` another number of sequences (at least 200, or
//! not every row is covered often enough).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use vm_engine_jit::testing::report::compare;
use vm_engine_jit::testing::rng::setting;
use vm_engine_jit::testing::sequence::{all_rows, Generator, SPECIAL};

/// Sequences in one program.
const BATCH: usize = 500;
/// How often every row must come.
const AT_LEAST: u64 = 20;

/// What the workers found together.
#[derive(Default)]
struct Total {
    executed: u64,
    counts: Vec<u64>,
    failures: Vec<String>,
}

#[test]
fn all_engines_random_sequences() {
    let seed = setting("VMJIT_SEED", 1);
    let count = setting("VMJIT_COUNT", 12_000) as usize;
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Total::default()));
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| loop {
                let batch = next.fetch_add(1, Ordering::Relaxed);
                let first = batch * BATCH;
                if first >= count || !total.lock().unwrap().failures.is_empty() {
                    break;
                }
                run_batch(seed, batch, BATCH.min(count - first), &total);
            });
        }
    });
    let total = total.into_inner().unwrap();
    println!("VMJIT_SEED={seed} VMJIT_COUNT={count}: {} instructions executed", total.executed);
    assert!(total.failures.is_empty(), "{}", total.failures.join("\n"));
    check_coverage(&total);
}

/// Each batch has a stream of its own, so that it can be run alone.
fn run_batch(seed: u64, batch: usize, count: usize, total: &Mutex<Total>) {
    let mut generator = Generator::new(seed.wrapping_mul(1_000_003).wrapping_add(batch as u64));
    let sequences: Vec<_> = (0..count).map(|_| generator.sequence()).collect();
    let result = compare(&sequences, seed, (batch * BATCH) as u64);
    let mut total = total.lock().unwrap();
    match result {
        Ok(executed) => total.executed += executed,
        Err(report) => total.failures.push(report),
    }
    total.counts.resize(generator.counts.len(), 0);
    for (sum, count) in total.counts.iter_mut().zip(&generator.counts) {
        *sum += count;
    }
}

fn check_coverage(total: &Total) {
    let rows = all_rows().zip(&total.counts).filter(|(row, _)| !SPECIAL.contains(&row.op));
    let missing: Vec<_> =
        rows.clone().filter(|(_, count)| **count < AT_LEAST).map(|(row, _)| row.name).collect();
    println!("{} rows, the rarest {} times", rows.clone().count(), rows.map(|(_, n)| *n).min().unwrap_or(0));
    assert!(missing.is_empty(), "rows that came less than {AT_LEAST} times: {missing:?}");
    assert!(total.executed >= 500_000 || setting("VMJIT_COUNT", 12_000) < 12_000, "only {}", total.executed);
}
