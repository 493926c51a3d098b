//! Compiles guest programs of `tests/programs` with the cross compiler.
//!
//! Comments at the top of a source say how: `build: FLAG…` adds flags, `link: static` or `link: dynamic` allows
//! only that (the default is both).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::SystemTime;

/// How a program is linked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    Static,
    Dynamic,
    /// Static, but at an address that the emulator chooses.
    StaticPie,
    /// For this machine, to be run without an emulator.
    Host,
}

impl Link {
    fn flag(self) -> &'static str {
        match self {
            Link::Static => "-static",
            Link::Dynamic => "-pie",
            Link::StaticPie => "-static-pie",
            Link::Host => "-pie",
        }
    }
}

/// Tests of one program (with other arguments) share its image: one of them compiles, the others wait.
static COMPILING: Mutex<()> = Mutex::new(());

/// The path of a source in `tests/programs`.
pub fn source(name: &str) -> PathBuf {
    super::project().join("tests/programs").join(name)
}

/// The ways in which `name` is to be linked.
pub fn links(name: &str) -> Vec<Link> {
    match directive(name, "link").as_deref() {
        None => vec![Link::Static, Link::Dynamic],
        Some("static") => vec![Link::Static],
        Some("static-pie") => vec![Link::StaticPie],
        Some("dynamic") => vec![Link::Dynamic],
        Some(other) => panic!("{name}: unknown way to link \"{other}\""),
    }
}

/// Compiles `name` unless that was done since it last changed; returns the image.
pub fn compile(name: &str, link: Link) -> PathBuf {
    let source = source(name);
    let folder = super::scratch("programs");
    let suffix = if link == Link::Host { "host" } else { link.flag().trim_start_matches('-') };
    let output = folder.join(format!("{}-{suffix}", name.replace('.', "-")));
    // A test that failed while compiling leaves nothing half done: the output is renamed into place.
    let _guard = COMPILING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if is_newer(&output, &source) && is_newer(&output, &source.with_file_name("check.h")) {
        return output;
    }
    let compiler = match (link, name.ends_with(".cpp")) {
        (Link::Host, false) => "gcc",
        (Link::Host, true) => "g++",
        (_, false) => "riscv64-linux-gnu-gcc",
        (_, true) => "riscv64-linux-gnu-g++",
    };
    let partial = output.with_extension("partial");
    let mut command = Command::new(compiler);
    command.args(["-O1", "-D_GNU_SOURCE", "-w", link.flag(), "-o"]).arg(&partial).arg(&source);
    command.args(directive(name, "build").unwrap_or_default().split_whitespace());
    let result =
        command.output().unwrap_or_else(|error| panic!("cannot run {compiler}: {error} (tests/setup.sh)"));
    assert!(result.status.success(), "{name} does not compile:\n{}", String::from_utf8_lossy(&result.stderr));
    fs::rename(&partial, &output).expect("the target folder is writable");
    output
}

/// Builds the Go program in the folder `acceptance/NAME` with the compiler that `tests/packages.sh` unpacks.
pub fn go(name: &str) -> PathBuf {
    let compiler = super::tools().join("go/root/bin/go");
    assert!(compiler.exists(), "missing {}: run tests/packages.sh first", compiler.display());
    let folder = source("acceptance").join(name);
    let output = super::scratch("programs").join(name);
    let _guard = COMPILING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if is_newer(&output, &folder.join("main.go")) {
        return output;
    }
    let partial = output.with_extension("partial");
    let mut command = Command::new(compiler);
    command.args(["build", "-trimpath", "-o"]).arg(&partial).arg(".").current_dir(&folder);
    // The cache lies beside the compiler: the first time, the standard library is compiled for half a minute.
    command.env("GOCACHE", super::tools().join("go/cache")).env("GOROOT", super::tools().join("go/root"));
    command.envs([("GOOS", "linux"), ("GOARCH", "riscv64"), ("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "local")]);
    command.envs([("GOPROXY", "off"), ("GOFLAGS", "-mod=mod"), ("GOENV", "off"), ("GOWORK", "off")]);
    let result = command.output().expect("the Go compiler can be run");
    assert!(result.status.success(), "{name} does not compile:\n{}", String::from_utf8_lossy(&result.stderr));
    fs::rename(&partial, &output).expect("the target folder is writable");
    output
}

/// The text after `key:` in the comments at the top of `name`.
fn directive(name: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(source(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let comments =
        text.lines().map_while(|line| line.strip_prefix("// ").or_else(|| line.strip_prefix("# ")));
    let prefix = format!("{key}: ");
    comments.into_iter().find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
}

fn is_newer(output: &Path, input: &Path) -> bool {
    let changed = |path: &Path| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    match (changed(output), changed(input)) {
        (Some(output), Some(input)) => output > input,
        _ => false,
    }
}
