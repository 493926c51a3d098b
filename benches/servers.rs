//! Many processes and many requests: redis-server's throughput, and `make -j2` of the ten C files in
//! `tests/programs/acceptance/project` with Debian's gcc. Natively, under qemu-riscv64 and under `vmjit`, in
//! interleaved rounds; medians.
//!
//! `cargo bench --bench servers -- [--rounds N] [--tiers a,b] [--requests N]`, after `bash tests/setup.sh` and
//! `bash tests/packages.sh --native`.
//!
//! Redis: the load comes from the native redis-benchmark, or ("both") from one that runs like the server. `make`:
//! native is the gcc of the same version for this machine; qemu-riscv64 starts guests from guests only with the
//! kernel's help, which `tests/support/stand_in.sh` gets in a namespace of its own. Its mounts are not in the times,
//! which the guest's shell takes.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

mod support;
use support::{median, print_heading, print_row, tools, vmjit, Contender};

/// Arguments of redis-benchmark: the name shown, the command, requests at once in a connection.
const LOADS: &[(&str, &str, &str)] = &[
    ("SET", "set", "1"),
    ("GET", "get", "1"),
    ("SET, 16 at once", "set", "16"),
    ("GET, 16 at once", "get", "16"),
];

fn main() {
    let (mut rounds, mut tiers, mut requests, mut measuring) = (5, vec!["auto".to_owned()], 40_000, false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bench" => measuring = true,
            "--rounds" => rounds = words.next().and_then(|n| n.parse().ok()).unwrap_or(rounds),
            "--requests" => requests = words.next().and_then(|n| n.parse().ok()).unwrap_or(requests),
            // An empty list leaves native and qemu.
            "--tiers" => {
                let list = words.next().unwrap_or_default();
                tiers = list.split(',').filter(|tier| !tier.is_empty()).map(str::to_owned).collect();
            }
            other => panic!("unknown option {other}"),
        }
    }
    if !measuring {
        // `cargo test --benches` runs this without `--bench`: there is nothing to test here.
        return;
    }
    let contenders = Contender::list(&tiers);
    redis(&contenders, rounds, requests);
    println!();
    project(&contenders, rounds);
}

/// A program of the sysroot that starts others of its kind.
fn family(contender: &Contender, program: &str) -> Command {
    let riscv64 = tools().join("sysroot-riscv64");
    let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/stand_in.sh");
    let (launcher, tier, kind) = match contender {
        Contender::Native => (stand_in, "auto", "native"),
        Contender::Qemu => (stand_in, "auto", "qemu"),
        Contender::Vmjit(tier) => (vmjit(), tier.as_str(), "none"),
    };
    let mut command = Command::new(launcher);
    command.args(["run", "-L"]).arg(&riscv64).args(["--tier", tier]);
    command.arg(riscv64.join("usr/bin").join(program));
    command.env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
    command.env("VMJIT_TOOLS", tools()).env("VMJIT_STAND_IN", kind);
    command
}

/// A running server, which ends with this value.
struct Server {
    process: Child,
    port: String,
}

impl Server {
    fn start(contender: &Contender) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port().to_string();
        drop(listener);
        let mut command = contender.single("redis-server");
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let server = Server { process, port };
        for _ in 0..400 {
            let mut ping = Contender::Native.single("redis-cli");
            let answer = ping.args(["-p", &server.port, "ping"]).stderr(Stdio::null()).output();
            if answer.is_ok_and(|answer| answer.stdout.starts_with(b"PONG")) {
                return server;
            }
            sleep(Duration::from_millis(25));
        }
        panic!("redis-server does not answer under {}", contender.name());
    }

    /// Requests per second.
    fn measure(&self, from: &Contender, command: &str, at_once: &str, requests: usize) -> f64 {
        let mut load = from.single("redis-benchmark");
        load.args(["-p", &self.port, "-t", command, "-c", "20", "-P", at_once, "-r", "10000", "--csv", "-n"]);
        let output = load.arg(requests.to_string()).output().expect("redis-benchmark runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // "test","rps",…, then the figures in quotes.
        let value = text.lines().nth(1).and_then(|line| line.split('"').nth(3)?.parse().ok());
        value.unwrap_or_else(|| panic!("{load:?} printed {text:?}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn redis(contenders: &[Contender], rounds: usize, requests: usize) {
    let rows = LOADS.len() * 2;
    let mut values = vec![vec![Vec::new(); contenders.len()]; rows];
    for _ in 0..rounds {
        for (column, contender) in contenders.iter().enumerate() {
            let server = Server::start(contender);
            for (row, (_, command, at_once)) in LOADS.iter().enumerate() {
                values[row][column].push(server.measure(&Contender::Native, command, at_once, requests));
                values[row + LOADS.len()][column].push(server.measure(contender, command, at_once, requests));
            }
        }
    }
    print_heading("redis requests", contenders, "thousand/s");
    for (row, values) in values.iter_mut().enumerate() {
        let both = if row < LOADS.len() { "" } else { ", both" };
        let medians: Vec<f64> = values.iter_mut().map(|values| median(values)).collect();
        print_row(&format!("{}{both}", LOADS[row % LOADS.len()].0), &medians, 1e-3);
    }
}

fn project(contenders: &[Contender], rounds: usize) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/acceptance/project");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("servers");
    std::fs::create_dir_all(&folder).expect("a folder for the project");
    for entry in std::fs::read_dir(source).expect("the project").flatten() {
        std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy of the project");
    }
    let mut values = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for (contender, values) in contenders.iter().zip(&mut values) {
            let mut command = family(contender, "bash");
            command.args(["-c", "make clean >/dev/null; TIMEFORMAT=%3R; time make -j2 >/dev/null"]);
            let output = command.current_dir(&folder).stdin(Stdio::null()).output().expect("a shell");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let seconds = text.trim().parse::<f64>().ok().filter(|_| output.status.success());
            values.push(seconds.unwrap_or_else(|| panic!("{command:?} printed {text:?}")));
        }
    }
    print_heading("program", contenders, "ms");
    let medians: Vec<f64> = values.iter_mut().map(|values| median(values)).collect();
    print_row("make -j2, ten C files", &medians, 1e3);
}
