//! Random programs of which regions are made, on the interpreter and on other tiers, for as long as one likes: are they
//! still alike? Prints what was compared; fails with the first difference, made small.
//!
//! `cargo bench --bench rounds -- [--seconds N] [--seed N] [--tiers a,b]`

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use vm_engine_jit::testing::rounds::{compare, Compared};
use vm_engine_jit::Tier;

/// Guest instructions of a program, by its seed: short ones, and some that run for long.
const LENGTHS: [u64; 4] = [30_000, 100_000, 100_000, 600_000];

fn main() -> ExitCode {
    let (mut seconds, mut first, mut tiers, mut measuring) = (600, 1u64 << 32, "o2,random".to_owned(), false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = |old| words.next().map_or(old, |word| word.parse().expect("a number"));
        match word.as_str() {
            "--bench" => measuring = true,
            "--seconds" => seconds = number(seconds),
            "--seed" => first = number(first),
            "--tiers" => tiers = words.next().unwrap_or(tiers),
            other => panic!("unknown option {other}"),
        }
    }
    if !measuring {
        // `cargo test --benches` runs this without `--bench`: tests/rounds.rs has a few.
        return ExitCode::SUCCESS;
    }
    let tiers: Vec<Tier> = tiers.split(',').map(|name| Tier::parse(name).expect("a tier")).collect();
    let end = Instant::now() + Duration::from_secs(seconds);
    let (next, total) = (AtomicU64::new(first), Mutex::new((Compared::default(), Vec::new())));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
            scope.spawn(|| {
                while Instant::now() < end && total.lock().is_ok_and(|total| total.1.is_empty()) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let random = |tier: &Tier| match tier {
                        Tier::Random { .. } => Tier::Random { seed },
                        tier => *tier,
                    };
                    let length = LENGTHS[(seed % 4) as usize];
                    let result = compare(seed, length, &tiers.iter().map(random).collect::<Vec<_>>());
                    let mut total = total.lock().expect("no thread panics with it");
                    match result {
                        Ok(one) => total.0.add(one),
                        Err(report) => total.1.push(report),
                    }
                }
            });
        }
    });
    let (sum, reports) = total.into_inner().expect("no thread panics with it");
    println!("{} programs from seed {first} on: {sum:?}", next.into_inner() - first);
    reports.iter().for_each(|report| println!("{report}"));
    if reports.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
