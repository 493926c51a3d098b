//! One guest program under two emulators, or under one and natively: same folder, arguments, input and environment;
//! then stdout, stderr and exit status must be the same.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A run that takes longer hangs. An interpreter built without optimisation is slow.
const TIMEOUT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 300 } else { 60 });

/// What to run.
#[derive(Clone, Default)]
pub struct Guest {
    /// Path of the program.
    pub program: PathBuf,
    /// Its arguments, without its name.
    pub args: Vec<OsString>,
    /// The value of `-L`.
    pub sysroot: PathBuf,
    /// Further options of the emulator (those that mean the same to both).
    pub options: Vec<OsString>,
    /// The whole environment.
    pub env: Vec<(&'static str, &'static str)>,
    /// What the guest reads from standard input.
    pub stdin: Vec<u8>,
    /// Files that lie in the guest's folder at the start.
    pub files: Vec<(&'static str, Vec<u8>)>,
}

/// What a run did.
pub struct Outcome {
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub status: ExitStatus,
}

impl Outcome {
    /// Exit code or signal, in words.
    pub fn ending(&self) -> String {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "unknown".to_owned(),
        }
    }

    /// The guest's own standard error: the emulators' remarks start with their names.
    fn guest_stderr(&self) -> String {
        let own = |line: &&str| !line.starts_with("qemu: ") && !line.starts_with("vmjit: ");
        self.stderr.lines().filter(own).map(|line| format!("{line}\n")).collect()
    }
}

impl Guest {
    /// A guest that uses the libraries of `sysroot`.
    pub fn new(program: PathBuf, sysroot: PathBuf) -> Self {
        Guest { program, sysroot, env: vec![("VARIABLE", "a value")], ..Guest::default() }
    }

    /// Adds arguments.
    pub fn args<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Runs under the reference and under `vmjit` on every tier, in a folder named after the test; panics with all
    /// differences; returns what the reference did.
    pub fn compare(&self, test: &str) -> Outcome {
        let folder = super::scratch(test).join("work");
        let expected = self.run_reference(&folder);
        self.compare_with(test, "qemu-riscv64", &folder, &expected);
        expected
    }

    /// The same, but the reference is `native`: the program as compiled for this machine.
    pub fn compare_with_kernel(&self, test: &str, native: PathBuf) -> Outcome {
        let folder = super::scratch(test).join("work");
        let guest = Guest { program: native, ..self.clone() };
        let expected = guest.finish(shell(Path::new("/usr/bin/env")), &folder);
        self.compare_with(test, "a native run", &folder, &expected);
        expected
    }

    fn compare_with(&self, test: &str, reference: &str, folder: &Path, expected: &Outcome) {
        let mut report = String::new();
        for tier in super::TIERS {
            for _ in 0..super::repetitions() {
                let actual = self.run_vmjit(folder, tier);
                let difference = describe(expected, &actual);
                if !difference.is_empty() {
                    report.push_str(&format!("{test}, tier {tier}:\n{difference}"));
                    break;
                }
            }
        }
        assert!(report.is_empty(), "differs from {reference}\n{report}");
    }

    fn run_reference(&self, folder: &Path) -> Outcome {
        let mut command = shell(&super::qemu());
        command.arg("-L").arg(&self.sysroot);
        self.finish(command, folder)
    }

    fn run_vmjit(&self, folder: &Path, tier: &str) -> Outcome {
        let mut command = shell(&super::vmjit());
        command.arg("run").arg("-L").arg(&self.sysroot).arg("--tier").arg(tier);
        self.finish(command, folder)
    }

    fn finish(&self, mut command: Command, folder: &Path) -> Outcome {
        // Both emulators start in the same, fresh folder: guests may print its path.
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).expect("the target folder is writable");
        for (name, bytes) in &self.files {
            fs::write(folder.join(name), bytes).expect("the target folder is writable");
        }
        command.args(&self.options).arg(&self.program).args(&self.args).current_dir(folder);
        command.env_clear().envs(self.env.iter().copied());
        // The stand-in of tests/support/reference.sh finds the reference by these.
        if std::env::var_os("VMJIT_BIN").is_some() {
            command.env("VMJIT_TOOLS", super::tools());
        }
        execute(command, &self.stdin)
    }
}

/// A command that runs `program` without core dumps.
pub fn shell(program: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg("ulimit -c 0; exec \"$0\" \"$@\"").arg(program);
    command
}

/// Runs `command` to its end, feeding `stdin`; panics when it takes too long.
pub fn execute(mut command: Command, stdin: &[u8]) -> Outcome {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that what hangs can be ended with all its children.
    command.process_group(0);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let mut input = child.stdin.take().expect("stdin is a pipe");
    let stdin = stdin.to_vec();
    // The guest may end without reading all of its input, so an error is no failure here.
    let feeder = thread::spawn(move || drop(input.write_all(&stdin)));
    let stdout = collect(child.stdout.take().expect("stdout is a pipe"));
    let stderr = collect(child.stderr.take().expect("stderr is a pipe"));
    let status = wait(&mut child, &command);
    feeder.join().expect("the feeding thread does not panic");
    let stdout = stdout.join().expect("the reading thread does not panic");
    let stderr = stderr.join().expect("the reading thread does not panic");
    Outcome { stdout, stderr: String::from_utf8_lossy(&stderr).into_owned(), status }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}

fn wait(child: &mut Child, command: &Command) -> ExitStatus {
    let start = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status;
        }
        if start.elapsed() > TIMEOUT {
            let _ = Command::new("/bin/sh")
                .args(["-c", "kill -s KILL -- \"-$0\""])
                .arg(child.id().to_string())
                .status();
            let _ = child.kill();
            let _ = child.wait();
            panic!("still running after {} s: {command:?}", TIMEOUT.as_secs());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// The differences in a few lines, empty when there are none.
fn describe(expected: &Outcome, actual: &Outcome) -> String {
    let mut report = String::new();
    if expected.ending() != actual.ending() {
        report.push_str(&format!("  ending: expected {}, got {}\n", expected.ending(), actual.ending()));
    }
    if expected.stdout != actual.stdout {
        let expected = String::from_utf8_lossy(&expected.stdout);
        report.push_str(&first_difference("stdout", &expected, &String::from_utf8_lossy(&actual.stdout)));
    }
    if expected.guest_stderr() != actual.guest_stderr() {
        report.push_str(&first_difference("stderr", &expected.guest_stderr(), &actual.guest_stderr()));
    }
    if !report.is_empty() {
        for line in actual.stderr.lines().rev().take(5).collect::<Vec<_>>().into_iter().rev() {
            report.push_str(&format!("  stderr was: {}\n", shorten(line, 0)));
        }
    }
    report
}

fn first_difference(what: &str, expected: &str, actual: &str) -> String {
    let mut left = expected.lines();
    let mut right = actual.lines();
    for number in 1.. {
        match (left.next(), right.next()) {
            (Some(a), Some(b)) if a == b => {}
            (None, None) => break,
            (a, b) => {
                let (a, b) = (a.unwrap_or("(end)"), b.unwrap_or("(end)"));
                // Long lines: from a little before the column where they part.
                let column = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
                return format!(
                    "  {what} line {number} column {column}:\n    expected {}\n    got      {}\n",
                    shorten(a, column),
                    shorten(b, column)
                );
            }
        }
    }
    format!("  {what}: differs in bytes that are not text, or in the last line feed\n")
}

fn shorten(line: &str, column: usize) -> String {
    line.chars().skip(column.saturating_sub(60)).take(160).collect()
}
