//! Runs a guest that starts others, so that nothing of it outlives the test: it leads a process group of its own, has
//! a limit of time, and is looked for by its folder when it has ended.

use crate::support::run::Outcome;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How long processes that the guest leaves behind may take to end.
const GRACE: Duration = Duration::from_secs(3);

/// What a run did, and what else was wrong with it.
pub struct Run {
    pub outcome: Outcome,
    pub complaint: Option<String>,
}

/// Runs `command`, which starts a session of its own in `folder`, to its end or for at most `limit`.
pub fn run(mut command: Command, folder: &Path, limit: Duration) -> Run {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let stdout = collect(child.stdout.take().expect("stdout is a pipe"));
    let stderr = collect(child.stderr.take().expect("stderr is a pipe"));
    let mut complaint = wait(&mut child, limit);
    if complaint.is_none() {
        complaint = leftovers(folder, GRACE);
    }
    let mut victims = vec![format!("-{}", child.id())];
    victims.extend(processes(folder).iter().map(|(pid, _)| pid.clone()));
    kill(&victims);
    let status = child.wait().expect("a child can be waited for");
    // A process that left both the group and the folder could hold the pipes open for ever.
    let take = |pipe: Receiver<Vec<u8>>| pipe.recv_timeout(GRACE);
    let (stdout, stderr) = (take(stdout), take(stderr));
    if stdout.is_err() || stderr.is_err() {
        complaint.get_or_insert_with(|| "its output is still open".to_owned());
    }
    let stderr = String::from_utf8_lossy(&stderr.unwrap_or_default()).into_owned();
    Run { outcome: Outcome { stdout: stdout.unwrap_or_default(), stderr, status }, complaint }
}

fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

fn wait(child: &mut Child, limit: Duration) -> Option<String> {
    let start = Instant::now();
    while child.try_wait().expect("a child can be waited for").is_none() {
        if start.elapsed() > limit {
            return Some(format!("still running after {} s", limit.as_secs()));
        }
        thread::sleep(Duration::from_millis(5));
    }
    None
}

/// Waits for the processes in `folder` to end; names those that do not.
fn leftovers(folder: &Path, grace: Duration) -> Option<String> {
    let start = Instant::now();
    loop {
        let left = processes(folder);
        if left.is_empty() {
            return None;
        }
        if start.elapsed() > grace {
            let names: Vec<&str> = left.iter().map(|(_, name)| name.as_str()).collect();
            return Some(format!("left running: {}", names.join("; ")));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Number and command line of every process whose current folder is `folder` or below it.
fn processes(folder: &Path) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let pid = entry.file_name().to_string_lossy().into_owned();
        let inside = || fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        if pid.bytes().all(|byte| byte.is_ascii_digit()) && inside() {
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push((pid, String::from_utf8_lossy(&words).replace('\0', " ")));
        }
    }
    found
}

fn kill(victims: &[String]) {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "for victim; do kill -s KILL -- \"$victim\"; done", "sh"]).args(victims);
    let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
}
