//! Debian programs that start others, run several threads or live on signals: each row of `tests/acceptance/rows.rs`
//! prints what its answer in `tests/programs/acceptance/answers` says, ends with 0, writes no error and leaves no
//! process behind, on every tier of the row. `tests/packages.sh` unpacks the programs.
//!
//! qemu-riscv64 cannot be asked while testing: it would start the host's programs where a guest starts another.
//! The answers are what the same programs, compiled for the host, print; under qemu-riscv64 with the kernel's help
//! they print the same. `tests/support/stand_in.sh` runs both ways in place of `vmjit`. After a change to a script:
//!
//! ```text
//! bash tests/packages.sh --native
//! export VMJIT_BIN=$PWD/tests/support/stand_in.sh
//! BLESS=1 VMJIT_STAND_IN=native cargo test --test acceptance -- --include-ignored
//! cargo test --test acceptance -- --include-ignored
//! ```

// Without the command there is nothing to run.
#![cfg(feature = "cli")]

#[macro_use]
#[path = "acceptance/rows.rs"]
mod rows;
#[path = "acceptance/run.rs"]
mod run;
mod support;

use rows::{Row, Tiers, ROWS};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{compile, run::shell};

/// Seconds for one run, unless VMJIT_LIMIT says otherwise; a guest that takes longer hangs.
const LIMIT: u64 = 120;

/// `#[ignore]`s the tests of rows that need not pass yet.
macro_rules! test {
    (Passes $name:ident) => {
        #[test]
        fn $name() {
            check(stringify!($name));
        }
    };
    (NotYet $name:ident) => {
        #[test]
        #[ignore = "not yet"]
        fn $name() {
            check(stringify!($name));
        }
    };
}

macro_rules! tests {
    ($($name:ident $state:ident $tiers:ident $package:literal $version:literal $command:tt $exercises:literal;)*) => {
        $(test!($state $name);)*
    };
}

rows!(tests);

/// Runs a row on its tiers and compares it with its answer.
fn check(name: &str) {
    let row = ROWS.iter().find(|row| row.name == name).expect("every test has a row");
    let stand_in = std::env::var_os("VMJIT_BIN").is_some();
    let tiers = match row.tiers {
        // A stand-in has no tiers.
        _ if stand_in => &["auto"],
        Tiers::Every => support::TIERS,
        Tiers::Two => &["auto", "o0", "o2"],
    };
    let answer = compile::source("acceptance/answers").join(format!("{name}.txt"));
    let mut report = String::new();
    for tier in tiers {
        let (stdout, problems) = run_row(row, tier);
        if std::env::var_os("BLESS").is_some() {
            let native = std::env::var_os("VMJIT_STAND_IN").is_some_and(|kind| kind == "native");
            assert!(
                stand_in && native,
                "answers come from native programs: see the top of tests/acceptance.rs"
            );
            assert!(problems.is_empty(), "{name}:\n{problems}");
            fs::write(&answer, &stdout).expect("the answers can be written");
        }
        let expected = fs::read_to_string(&answer).unwrap_or_default();
        let difference = difference(&expected, &stdout) + &problems;
        if !difference.is_empty() {
            report.push_str(&format!("{name}, tier {tier}:\n{difference}"));
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// Runs a row on one tier; returns what it printed and what was wrong otherwise.
fn run_row(row: &Row, tier: &str) -> (String, String) {
    let folder = support::scratch(&format!("acceptance-{}", row.name)).join("work");
    let _ = fs::remove_dir_all(&folder);
    copy(&compile::source("acceptance"), &folder);
    fs::write(folder.join("lines.txt"), support::sample_lines(5000)).expect("the target folder is writable");
    fs::write(folder.join("data"), support::sample_bytes(200_000)).expect("the target folder is writable");
    let sysroot = support::debian_sysroot();
    let program = match row.command[0] {
        "goroutines" => compile::go("goroutines"),
        name => sysroot.join("usr/bin").join(name),
    };
    // Away from the terminal, which shells with job control would take; and with no signal ignored, since shells
    // cannot catch what they were started to ignore.
    let mut command = shell(Path::new("setsid"));
    command
        .arg("env")
        .arg("--default-signal")
        .arg(support::vmjit())
        .args(["run", "-L"])
        .arg(&sysroot)
        .args(["--tier", tier])
        .arg(program)
        .args(&row.command[1..]);
    command.current_dir(&folder).env_clear().envs([
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/nonexistent"),
        ("LC_ALL", "C"),
        ("TZ", "UTC"),
        // The order of Python's and Perl's hash tables must not differ from run to run.
        ("PYTHONHASHSEED", "0"),
        ("PERL_HASH_SEED", "0"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ]);
    if std::env::var_os("VMJIT_BIN").is_some() {
        command.env("VMJIT_TOOLS", support::tools());
        command.envs(std::env::var_os("VMJIT_STAND_IN").map(|kind| ("VMJIT_STAND_IN", kind)));
    }
    let limit = std::env::var("VMJIT_LIMIT").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(LIMIT);
    let run = run::run(command, &folder, Duration::from_secs(limit));
    let mut problems = String::new();
    problems.extend(run.complaint.map(|complaint| format!("  {complaint}\n")));
    if !run.outcome.status.success() {
        problems.push_str(&format!("  {}\n", run.outcome.ending()));
    }
    let lines = run.outcome.stderr.lines();
    problems.extend(lines.take(10).map(|line| format!("  stderr: {}\n", shorten(line))));
    (String::from_utf8_lossy(&run.outcome.stdout).into_owned(), problems)
}

/// Copies the files below `from`, but not the answers.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the target folder is writable");
    for entry in fs::read_dir(from).expect("the folder of scripts can be read").flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_file() {
            fs::copy(&path, &target).expect("a file can be copied");
        } else if entry.file_name() != "answers" {
            copy(&path, &target);
        }
    }
}

/// The first line that differs, with the one before it; empty if none does.
fn difference(expected: &str, actual: &str) -> String {
    if expected == actual {
        return String::new();
    }
    let (expected, actual): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let number = expected.iter().zip(&actual).take_while(|(a, b)| a == b).count();
    let line = |lines: &[&str], number: usize| shorten(lines.get(number).copied().unwrap_or("(end)"));
    let before = number.checked_sub(1).map_or_else(|| "(start)".to_owned(), |before| line(&expected, before));
    let (expected, actual) = (line(&expected, number), line(&actual, number));
    format!("  line {}, after \"{before}\":\n    expected {expected}\n    got      {actual}\n", number + 1)
}

fn shorten(line: &str) -> String {
    line.chars().take(300).collect()
}

#[test]
fn every_answer_has_a_row() {
    let folder = compile::source("acceptance/answers");
    let mut answers: Vec<PathBuf> =
        fs::read_dir(&folder).expect("there are answers").flatten().map(|entry| entry.path()).collect();
    let mut wanted: Vec<PathBuf> = ROWS.iter().map(|row| folder.join(format!("{}.txt", row.name))).collect();
    answers.sort();
    wanted.sort();
    assert_eq!(answers, wanted);
}

/// The versions that `docs/compatibility.md` names are those of the packages.
#[test]
fn versions_are_those_of_the_packages() {
    let versions =
        fs::read_to_string(support::debian_sysroot().join("versions")).expect("a list of packages");
    let go = fs::read_to_string(support::tools().join("go/versions")).expect("run tests/packages.sh");
    for row in ROWS {
        let mut lines = versions.lines().chain(go.lines());
        let version = lines.find_map(|line| line.strip_prefix(row.package)?.strip_prefix(' '));
        assert!(
            version.is_some_and(|version| version.starts_with(row.version)),
            "{}: {} has version {version:?}, not {}",
            row.name,
            row.package,
            row.version
        );
    }
}
