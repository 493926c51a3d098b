//! What the benches of whole processes share: the ways of running a program, medians and the rows of a table.

// Each bench uses its part of this.
#![allow(dead_code)]

use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One way of running a program of the Debian sysroots.
pub enum Contender {
    Native,
    Qemu,
    /// On this tier.
    Vmjit(String),
}

impl Contender {
    /// Native, qemu-riscv64, then `vmjit` on each tier.
    pub fn list(tiers: &[String]) -> Vec<Contender> {
        let mut list = vec![Contender::Native, Contender::Qemu];
        list.extend(tiers.iter().cloned().map(Contender::Vmjit));
        list
    }

    pub fn name(&self) -> &str {
        match self {
            Contender::Native => "native",
            Contender::Qemu => "qemu",
            Contender::Vmjit(tier) => tier,
        }
    }

    /// A program of `usr/bin` that starts no others.
    pub fn single(&self, program: &str) -> Command {
        match self {
            Contender::Native => {
                // The native twin runs on the loader and libraries of its own sysroot.
                let amd64 = tools().join("sysroot-amd64");
                let libraries = amd64.join("usr/lib/x86_64-linux-gnu");
                let mut command = Command::new(libraries.join("ld-linux-x86-64.so.2"));
                command.arg("--library-path").arg(&libraries).arg(amd64.join("usr/bin").join(program));
                command
            }
            _ => {
                let riscv64 = tools().join("sysroot-riscv64");
                self.guest(&riscv64.join("usr/bin").join(program), &riscv64)
            }
        }
    }

    /// A guest program whose libraries are below `sysroot`.
    ///
    /// # Panics
    ///
    /// Native processors run no guests.
    pub fn guest(&self, image: &Path, sysroot: &Path) -> Command {
        let mut command = match self {
            Contender::Native => panic!("{}: not for this processor", image.display()),
            Contender::Qemu => Command::new(tools().join("bin/qemu-riscv64")),
            Contender::Vmjit(tier) => {
                let mut command = Command::new(vmjit());
                command.args(["run", "--tier", tier]);
                command
            }
        };
        command.arg("-L").arg(sysroot).arg(image);
        command
    }
}

/// The folder of what `tests/setup.sh` and `tests/packages.sh` downloaded.
pub fn tools() -> PathBuf {
    std::env::var_os("VMJIT_TOOLS").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/vm-engine-jit"),
        PathBuf::from,
    )
}

/// The command under test: `VMJIT_BIN`, or the one just built.
pub fn vmjit() -> PathBuf {
    std::env::var_os("VMJIT_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_vmjit")), PathBuf::from)
}

/// The first two lines of a table whose rows are [`print_row`]'s; the first two contenders are what the others are
/// compared with.
pub fn print_heading(first: &str, contenders: &[Contender], unit: &str) {
    let mut titles = vec![first.to_owned()];
    titles.extend(contenders.iter().map(|contender| format!("{} {unit}", contender.name())));
    titles.extend(contenders[1..].iter().map(|contender| format!("{}/native", contender.name())));
    titles.extend(contenders[2..].iter().map(|contender| format!("{}/qemu", contender.name())));
    println!("| {} |\n|{}", titles.join(" | "), "---|".repeat(titles.len()));
}

/// Medians, then their ratios to the first and to the second.
pub fn print_row(name: &str, medians: &[f64], scale: f64) {
    let mut cells: Vec<String> = medians.iter().map(|median| format!("{:.1}", median * scale)).collect();
    cells.extend(medians[1..].iter().map(|median| format!("{:.2}", median / medians[0])));
    cells.extend(medians[2..].iter().map(|median| format!("{:.2}", median / medians[1])));
    println!("| {name} | {} |", cells.join(" | "));
}

/// The median (the mean of the two in the middle when there are as many below as above); sorts `values`.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

pub fn geometric_mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count() as f64;
    (values.map(f64::ln).sum::<f64>() / count).exp()
}

/// One line that is overwritten, on a terminal only.
pub fn progress(text: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[K{text}");
        let _ = stderr.flush();
    }
}
