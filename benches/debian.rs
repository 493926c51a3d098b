//! Debian's programs at work: lua, python, perl, sqlite, xz and the C compiler proper (cc1), each for about a fifth
//! of a second and for a second or more of native time. Natively, under qemu-riscv64 and under `vmjit`, in
//! interleaved rounds; medians of whole processes, and the largest memory of each.
//!
//! `cargo bench --bench debian -- [--rounds N] [--tiers a,b] [--only lua,xz]`, after `bash tests/setup.sh` and
//! `bash tests/packages.sh --native`. What a program prints has to be the same everywhere; cc1 alone compiles for its
//! own processor, so the native one does similar work, not the same, and is compared with no one.

use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

mod support;
use support::{geometric_mean, median, print_heading, print_row, progress, tools, Contender};

/// A program, its arguments (`{n}` stands for a length, `{bench}` for the folder of scripts, `{out}` for that of
/// generated input), and the lengths of the short and the long run.
struct Job {
    program: &'static str,
    arguments: &'static [&'static str],
    lengths: [usize; 2],
    /// Writes the input of a length, if there is any.
    input: Option<fn(usize) -> String>,
}

const SQL: &str = "create table t(a integer primary key, b integer, c text); \
    with recursive n(i) as (select 1 union all select i+1 from n where i<{n}) \
    insert into t select i, (i*7919)%100003, 'name '||((i*104729)%1009) from n; \
    create index k on t(b); \
    select count(*), sum(length(c)) from t where b between 100 and 50000; \
    select c, count(*) n from t group by c order by n desc, c limit 3; \
    select sum(x.b*y.b) from t x join t y on x.b=y.a;";

const JOBS: &[Job] = &[
    Job { program: "lua5.4", arguments: &["{bench}/mix.lua", "{n}"], lengths: [50, 300], input: None },
    Job {
        program: "python3",
        arguments: &["-E", "-S", "{bench}/mix.py", "{n}"],
        lengths: [80, 480],
        input: None,
    },
    Job { program: "perl", arguments: &["{bench}/mix.pl", "{n}"], lengths: [30, 180], input: None },
    Job { program: "sqlite3", arguments: &[":memory:", SQL], lengths: [110_000, 560_000], input: None },
    Job {
        program: "xz",
        arguments: &["-6", "-T1", "-c", "{out}"],
        lengths: [9_000, 32_000],
        input: Some(log),
    },
    Job {
        program: "cc1",
        arguments: &["-quiet", "-O2", "{out}", "-o", "/dev/null"],
        lengths: [8, 50],
        input: Some(source),
    },
];

fn main() {
    let (mut rounds, mut tiers, mut only) = (3, vec!["o0".to_owned(), "auto".to_owned()], Vec::new());
    let mut measuring = false;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let list = |text: Option<String>| text.unwrap_or_default().split(',').map(str::to_owned).collect();
        match word.as_str() {
            "--bench" => measuring = true,
            "--rounds" => rounds = words.next().and_then(|n| n.parse().ok()).unwrap_or(rounds),
            "--tiers" => tiers = list(words.next()),
            "--only" => only = list(words.next()),
            other => panic!("unknown option {other}"),
        }
    }
    if !measuring {
        // `cargo test --benches` runs this without `--bench`: there is nothing to test here.
        return;
    }
    let contenders = Contender::list(&tiers);
    let jobs: Vec<&Job> = JOBS
        .iter()
        .filter(|job| only.is_empty() || only.iter().any(|name| job.program.starts_with(name.as_str())))
        .collect();
    assert!(!jobs.is_empty(), "no program is named {only:?}");
    for length in 0..2 {
        print_heading(["a fifth of a second", "a second"][length], &contenders, "ms");
        let medians: Vec<Vec<f64>> =
            jobs.iter().map(|job| measure(job, job.lengths[length], &contenders, rounds)).collect();
        let mean = |of: usize, to: usize| geometric_mean(medians.iter().map(move |row| row[of] / row[to]));
        let means: Vec<String> = (1..contenders.len())
            .map(|column| mean(column, 0))
            .chain((2..contenders.len()).map(|column| mean(column, 1)))
            .map(|mean| format!("**{mean:.2}**"))
            .collect();
        println!("| **geometric mean** |{} {} |\n", " |".repeat(contenders.len()), means.join(" | "));
    }
}

/// One row; returns the medians in seconds, by contender.
fn measure(job: &Job, length: usize, contenders: &[Contender], rounds: usize) -> Vec<f64> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian");
    std::fs::create_dir_all(&folder).expect("a folder for input");
    let file =
        folder.join(format!("{}-{length}.{}", job.program, if job.program == "cc1" { "i" } else { "txt" }));
    if let Some(input) = job.input {
        std::fs::write(&file, input(length)).expect("the input is written");
    }
    let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/debian");
    let words = job.arguments.iter().map(|word| {
        word.replace("{n}", &length.to_string())
            .replace("{bench}", &bench.to_string_lossy())
            .replace("{out}", &file.to_string_lossy())
    });
    let words: Vec<String> = words.collect();
    let mut seconds = vec![Vec::new(); contenders.len()];
    let mut answer: Option<Vec<u8>> = None;
    for round in 0..rounds {
        for (contender, seconds) in contenders.iter().zip(&mut seconds) {
            progress(&format!(
                "{} {length}, round {}/{rounds}, {}",
                job.program,
                round + 1,
                contender.name()
            ));
            let mut command = start_of(job.program, contender);
            let started = Instant::now();
            let output = command.args(&words).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
            let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
            seconds.push(started.elapsed().as_secs_f64());
            assert!(output.status.success(), "{command:?}: {:?} {:?}", output.status, output.status.signal());
            let expected = answer.get_or_insert_with(|| output.stdout.clone());
            assert!(*expected == output.stdout, "{command:?}: other output than native");
        }
    }
    progress("");
    let medians: Vec<f64> = seconds.iter_mut().map(|seconds| median(seconds)).collect();
    print_row(job.program, &medians, 1e3);
    medians
}

fn start_of(program: &str, contender: &Contender) -> Command {
    if program != "cc1" {
        return contender.single(program);
    }
    // Not in usr/bin, and its path has the architecture in it.
    let compiler = |architecture: &str| -> PathBuf {
        PathBuf::from(format!("../libexec/gcc/{architecture}-linux-gnu/14/cc1"))
    };
    let folder = match contender {
        Contender::Native => compiler("x86_64"),
        _ => compiler("riscv64"),
    };
    let path = folder.to_string_lossy().into_owned();
    assert!(tools().join("sysroot-riscv64/usr/libexec/gcc").exists(), "run tests/packages.sh --native first");
    contender.single(&path)
}

/// A log of so many lines, always the same.
fn log(lines: usize) -> String {
    let mut state = 2_463_534_242_u32;
    let mut text = String::new();
    for line in 0..lines {
        let word = xorshift(&mut state);
        let _ = writeln!(
            text,
            "{:02}:{:02}:{:02} host{} {}[{}]: {} of {:x} took {} ms",
            line / 3600 % 24,
            line / 60 % 60,
            line % 60,
            word % 9,
            ["cron", "kernel", "daemon", "sshd"][(word >> 8) as usize % 4],
            1000 + word % 71,
            ["read", "write", "sync", "close", "open"][(word >> 16) as usize % 5],
            xorshift(&mut state),
            xorshift(&mut state) % 500,
        );
    }
    text
}

/// A C file of so many groups of functions, which includes nothing.
fn source(groups: usize) -> String {
    let mut text =
        String::from("typedef unsigned long word;\nstruct list { struct list *next; word key, value; };\n");
    for group in 0..groups {
        let _ = write!(
            text,
            "static word mix{group}(word a, word b) {{ return (a ^ b >> {shift}) * {factor}ul + (a << 5); }}\n\
             word sum{group}(const word *from, int count) {{\n  word sum = {group};\n\
             \x20 for (int i = 0; i < count; i++) sum = from[i] & 1 ? mix{group}(sum, from[i]) : sum + from[i] % {odd};\n\
             \x20 return sum;\n}}\n\
             struct list *find{group}(struct list *head, word key) {{\n\
             \x20 for (; head; head = head->next)\n    if (head->key == key && head->value != {group}) return head;\n\
             \x20 return 0;\n}}\n\
             void sort{group}(word *rows, int count) {{\n  for (int i = 1; i < count; i++) {{\n    word row = rows[i];\n\
             \x20   int at = i - 1;\n    while (at >= 0 && mix{group}(rows[at], {odd}) > mix{group}(row, {odd}))\n\
             \x20     rows[at + 1] = rows[at], at--;\n    rows[at + 1] = row;\n  }}\n}}\n\
             int kind{group}(const char *text) {{\n  int kind = 0;\n  for (; *text; text++)\n    switch (*text) {{\n\
             \x20   case '0' ... '9': kind |= 1; break;\n    case 'a': case 'e': case 'i': kind ^= {odd}; break;\n\
             \x20   case '+': case '-': kind += 3; break;\n    case '(': kind = kind{group}(text + 1) + 1; return kind;\n\
             \x20   default: kind <<= 1;\n    }}\n  return kind;\n}}\n",
            shift = group % 13 + 1,
            factor = 2_654_435_761_u64 + group as u64 * 2,
            odd = group * 2 + 3,
        );
    }
    text
}

fn xorshift(state: &mut u32) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    *state
}
