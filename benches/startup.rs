//! Programs whose start is most of their run: hello world, and Debian's interpreters importing or doing next to nothing.
//! Natively, under qemu-riscv64 and under `vmjit`, in interleaved rounds; medians of whole processes in milliseconds.
//!
//! `cargo bench --bench startup -- [--rounds N] [--tiers a,b]`, after `bash tests/setup.sh` and
//! `bash tests/packages.sh --native`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A program of the Debian sysroots and its arguments.
const DEBIAN: &[(&str, &[&str])] = &[
    ("usr/bin/python3", &["-c", "pass"]),
    ("usr/bin/python3", &["-c", "import json,re,decimal"]),
    ("usr/bin/perl", &["-e", "1"]),
    ("usr/bin/lua5.4", &["-e", "print(1)"]),
    ("usr/bin/sqlite3", &[":memory:", "select 1;"]),
    ("usr/bin/bash", &["-c", "true"]),
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
    let tools = std::env::var_os("VMJIT_TOOLS").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/vm-engine-jit"),
        PathBuf::from,
    );
    let mut titles = vec!["program".to_owned(), "native ms".to_owned(), "qemu ms".to_owned()];
    titles.extend(tiers.iter().map(|tier| format!("{tier} ms")));
    titles.extend(tiers.iter().map(|tier| format!("{tier}/native")));
    titles.extend(tiers.iter().map(|tier| format!("{tier}/qemu")));
    println!("| {} |", titles.join(" | "));
    println!("|{}", "---|".repeat(titles.len()));
    for case in cases(&tools) {
        row(&case, &tools, &tiers, rounds);
    }
}

/// One program: its two images, and options that lead the guest to its libraries.
struct Case {
    name: String,
    native: Vec<PathBuf>,
    guest: PathBuf,
    sysroot: Option<PathBuf>,
    args: Vec<String>,
}

fn cases(tools: &Path) -> Vec<Case> {
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("startup");
    std::fs::create_dir_all(&output).expect("a folder for programs");
    let source = output.join("hello.c");
    std::fs::write(&source, "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n")
        .expect("a source");
    let mut cases = Vec::new();
    for (link, flags) in [("static", &["-static"][..]), ("dynamic", &[])] {
        let build = |compiler: &str| {
            let image = output.join(format!("hello-{link}-{compiler}"));
            let done =
                Command::new(compiler).arg("-O2").args(flags).arg(&source).arg("-o").arg(&image).status();
            assert!(done.is_ok_and(|status| status.success()), "{compiler} fails: run tests/setup.sh");
            image
        };
        let (native, guest) = (vec![build("gcc")], build("riscv64-linux-gnu-gcc"));
        let sysroot = Some(PathBuf::from("/usr/riscv64-linux-gnu"));
        cases.push(Case { name: format!("hello, {link}"), native, guest, sysroot, args: Vec::new() });
    }
    let (amd64, riscv64) = (tools.join("sysroot-amd64"), tools.join("sysroot-riscv64"));
    for (program, args) in DEBIAN {
        // The native twin runs on the loader and libraries of its own sysroot.
        let libraries = amd64.join("usr/lib/x86_64-linux-gnu");
        let loader = libraries.join("ld-linux-x86-64.so.2");
        let native = vec![loader, "--library-path".into(), libraries, amd64.join(program)];
        cases.push(Case {
            name: format!("{} {}", program.rsplit('/').next().unwrap_or(program), args.join(" ")),
            native,
            guest: riscv64.join(program),
            sysroot: Some(riscv64.clone()),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        });
    }
    cases
}

fn row(case: &Case, tools: &Path, tiers: &[String], rounds: usize) {
    let mut commands: Vec<Vec<PathBuf>> = vec![case.native.clone()];
    let sysroot = case.sysroot.iter().flat_map(|root| [PathBuf::from("-L"), root.clone()]);
    let launch = |launcher: Vec<PathBuf>| {
        launcher.into_iter().chain(sysroot.clone()).chain([case.guest.clone()]).collect::<Vec<_>>()
    };
    commands.push(launch(vec![tools.join("bin/qemu-riscv64")]));
    for tier in tiers {
        let vmjit = PathBuf::from(env!("CARGO_BIN_EXE_vmjit"));
        commands.push(launch(vec![vmjit, "run".into(), "--tier".into(), tier.into()]));
    }
    let mut seconds = vec![Vec::new(); commands.len()];
    for _ in 0..rounds {
        for (command, seconds) in commands.iter().zip(&mut seconds) {
            let started = Instant::now();
            let mut process = Command::new(&command[0]);
            process.args(&command[1..]).args(&case.args).stdin(Stdio::null()).stdout(Stdio::null());
            let status = process.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
            seconds.push(started.elapsed().as_secs_f64());
            assert!(status.success(), "{command:?}: {status}");
        }
    }
    let medians: Vec<f64> = seconds.iter_mut().map(|values| median(values)).collect();
    let mut cells: Vec<String> = medians.iter().map(|median| format!("{:.1}", median * 1e3)).collect();
    cells.extend(medians[2..].iter().map(|median| format!("{:.2}", median / medians[0])));
    cells.extend(medians[2..].iter().map(|median| format!("{:.2}", median / medians[1])));
    println!("| {} | {} |", case.name, cells.join(" | "));
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
