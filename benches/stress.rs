//! Threads, signals and processes all at once, for long: `tests/programs/stress.c` natively and on every tier. Prints how
//! much of each kind of work was done per second; fails if anything went wrong.
//!
//! `cargo bench --bench stress -- [--seconds N] [--tiers a,b]`, after `bash tests/setup.sh`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::{Command, ExitCode, Stdio};
use support::compile::{compile, Link};

/// What the program counts, in its order.
const WORK: [&str; 7] = ["computing", "locks", "threads", "processes", "messages", "faults", "signals"];

fn main() -> ExitCode {
    let (mut seconds, mut tiers, mut measuring) = ("60".to_owned(), support::TIERS.join(","), false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bench" => measuring = true,
            "--seconds" => seconds = words.next().unwrap_or(seconds),
            "--tiers" => tiers = words.next().unwrap_or(tiers),
            other => panic!("unknown option {other}"),
        }
    }
    if !measuring {
        // `cargo test --benches` runs this without `--bench`: there is nothing to test here.
        return ExitCode::SUCCESS;
    }
    let native = compile("stress.c", Link::Host);
    let guest = compile("stress.c", Link::Static);
    println!("| tier | {} | wrong |\n|{}", WORK.join(" | "), "---|".repeat(WORK.len() + 2));
    let mut good = row("native", Command::new(&native), &seconds);
    for tier in tiers.split(',').filter(|tier| !tier.is_empty()) {
        let mut command = Command::new(support::vmjit());
        command.args(["run", "--tier", tier]).arg(&guest);
        good &= row(tier, command, &seconds);
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// One run, as work per second; whether nothing went wrong.
fn row(name: &str, mut command: Command, seconds: &str) -> bool {
    let command = command.args([seconds, "counts"]).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let duration: f64 = seconds.parse().unwrap_or_else(|_| panic!("{seconds} is no number of seconds"));
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let Some((wrong, work)) = numbers.split_last().filter(|(_, work)| work.len() == WORK.len()) else {
        println!("| {name} | {} printed {text:?} |", output.status);
        return false;
    };
    let cells: Vec<String> = work.iter().map(|count| format!("{:.0}", count / duration)).collect();
    println!("| {name} | {} | {wrong} |", cells.join(" | "));
    *wrong == 0.0 && output.status.success()
}
