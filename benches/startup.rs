//! Programs whose start is most of their run: hello world, and Debian's interpreters importing or doing next to nothing.
//! Natively, under qemu-riscv64 and under `vmjit`, in interleaved rounds; medians of whole processes in milliseconds.
//!
//! `cargo bench --bench startup -- [--rounds N] [--tiers a,b]`, after `bash tests/setup.sh` and
//! `bash tests/packages.sh --native`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

mod support;
use support::{median, print_heading, print_row, Contender};

/// A program of the Debian sysroots and its arguments.
const DEBIAN: &[(&str, &[&str])] = &[
    ("python3", &["-c", "pass"]),
    ("python3", &["-c", "import json,re,decimal"]),
    ("perl", &["-e", "1"]),
    ("lua5.4", &["-e", "print(1)"]),
    ("sqlite3", &[":memory:", "select 1;"]),
    ("bash", &["-c", "true"]),
];

fn main() {
    let (mut rounds, mut tiers, mut measuring) = (11, vec!["o0".to_owned(), "auto".to_owned()], false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bench" => measuring = true,
            "--rounds" => rounds = words.next().and_then(|n| n.parse().ok()).unwrap_or(rounds),
            "--tiers" => tiers = words.next().unwrap_or_default().split(',').map(str::to_owned).collect(),
            other => panic!("unknown option {other}"),
        }
    }
    if !measuring {
        // `cargo test --benches` runs this without `--bench`: there is nothing to test here.
        return;
    }
    let contenders = Contender::list(&tiers);
    print_heading("program", &contenders, "ms");
    for (link, flags) in [("static", &["-static"][..]), ("dynamic", &[])] {
        let (native, guest) = (hello("gcc", link, flags), hello("riscv64-linux-gnu-gcc", link, flags));
        row(&format!("hello, {link}"), &contenders, rounds, |contender| match contender {
            Contender::Native => Command::new(&native),
            _ => contender.guest(&guest, Path::new("/usr/riscv64-linux-gnu")),
        });
    }
    for (program, arguments) in DEBIAN {
        row(&format!("{program} {}", arguments.join(" ")), &contenders, rounds, |contender| {
            let mut command = contender.single(program);
            command.args(*arguments);
            command
        });
    }
}

/// Builds the program that says hello.
fn hello(compiler: &str, link: &str, flags: &[&str]) -> PathBuf {
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("startup");
    std::fs::create_dir_all(&output).expect("a folder for programs");
    let source = output.join("hello.c");
    std::fs::write(&source, "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n")
        .expect("a source");
    let image = output.join(format!("hello-{link}-{compiler}"));
    let done = Command::new(compiler).arg("-O2").args(flags).arg(&source).arg("-o").arg(&image).status();
    assert!(done.is_ok_and(|status| status.success()), "{compiler} fails: run tests/setup.sh");
    image
}

fn row(name: &str, contenders: &[Contender], rounds: usize, command: impl Fn(&Contender) -> Command) {
    let mut seconds = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for (contender, seconds) in contenders.iter().zip(&mut seconds) {
            let mut process = command(contender);
            process.stdin(Stdio::null()).stdout(Stdio::null());
            let started = Instant::now();
            let status = process.status().unwrap_or_else(|error| panic!("{process:?}: {error}"));
            seconds.push(started.elapsed().as_secs_f64());
            assert!(status.success(), "{process:?}: {status}");
        }
    }
    let medians: Vec<f64> = seconds.iter_mut().map(|values| median(values)).collect();
    print_row(name, &medians, 1e3);
}
