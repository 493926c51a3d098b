//! Who runs programs: `qemu-riscv64`, and every engine of this crate.

use super::image::Image;
use crate::base::error::Trap;
use crate::engine::dispatch::GuestExit;
use crate::engine::{Jit, Tier};
use crate::mmu::SoftMmu;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// All engines that must agree. A new tier is one line here, and every test runs on it.
pub const ENGINES: &[(&str, Tier)] = &[
    ("interp", Tier::Interp),
    ("o0", Tier::O0),
    ("o2", Tier::O2),
    ("auto", Tier::Auto),
    ("random", Tier::Random { seed: 1 }),
];

/// Fuel of a whole program: far more than any test needs, so that a loop which does not end becomes an answer.
const FUEL: u64 = 2_000_000_000;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a status.
    Exited(i32),
    /// By a signal, which is what a trap becomes under Linux.
    Killed(i32),
    /// Not at all.
    Stuck,
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// What it wrote.
    pub output: Vec<u8>,
}

/// An engine standing at the first instruction of a program.
pub fn engine(tier: Tier, image: &Image) -> (Jit, SoftMmu) {
    let (mut jit, mmu) = (Jit::new(), image.to_mmu());
    jit.set_tier(tier);
    jit.state_mut().pc = image.entry;
    (jit, mmu)
}

/// Runs a program that makes no system calls but `write` and `exit`. Also returns the instructions retired, and
/// where it trapped if it did.
pub fn run(tier: Tier, image: &Image) -> (Outcome, u64, Option<(u64, Trap)>) {
    let (mut jit, mmu) = engine(tier, image);
    jit.prepare_code(&mmu);
    jit.state_mut().set_fuel(FUEL);
    let (mut output, mut trapped) = (Vec::new(), None);
    let end = loop {
        match jit.run_guest(&mmu) {
            GuestExit::Syscall => {
                if let Some(status) = serve(&mut jit, &mmu, &mut output) {
                    break End::Exited(status);
                }
            }
            GuestExit::Trap(trap) => {
                trapped = Some((jit.state().pc, trap));
                break End::Killed(signal_of(trap));
            }
            GuestExit::OutOfFuel | GuestExit::Interrupted => break End::Stuck,
        }
    };
    (Outcome { end, output }, jit.state().retired(), trapped)
}

/// Serves a system call; returns the status of `exit`.
fn serve(jit: &mut Jit, mmu: &SoftMmu, output: &mut Vec<u8>) -> Option<i32> {
    const ENOSYS: i64 = 38;
    let cpu = jit.state_mut();
    let result = match cpu.x(17) {
        64 => {
            let mut bytes = vec![0; usize::try_from(cpu.x(12)).unwrap_or(0)];
            mmu.read(cpu.x(11), &mut bytes).unwrap_or_else(|fault| panic!("write: {fault:?}"));
            output.extend(bytes);
            cpu.x(12)
        }
        // Linux keeps the low eight bits of the status.
        93 => return Some((cpu.x(10) & 0xff) as i32),
        _ => (-ENOSYS).cast_unsigned(),
    };
    cpu.set_x(10, result);
    None
}

/// The signal that Linux sends for a trap.
pub fn signal_of(trap: Trap) -> i32 {
    match trap {
        Trap::Memory(fault) if fault.beyond_file => libc::SIGBUS,
        Trap::Memory(_) => libc::SIGSEGV,
        Trap::IllegalInstruction => libc::SIGILL,
        Trap::Breakpoint => libc::SIGTRAP,
        Trap::Misaligned(_) => libc::SIGBUS,
    }
}

/// The newest `qemu-riscv64` there is: the project's own if it was fetched (`tests/setup.sh`), else that of the system.
fn qemu_path() -> PathBuf {
    let tools = std::env::var_os("VMJIT_TOOLS").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/vm-engine-jit"));
    let own = tools.or_else(home).map(|dir| dir.join("bin/qemu-riscv64"));
    own.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("qemu-riscv64"))
}

/// Runs a program in qemu, with every extension that it has.
///
/// # Panics
/// If there is no qemu, or one that does not know `-cpu max`: these tests mean nothing without it.
pub fn qemu(image: &Image) -> Outcome {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir();
    let path = dir.join(format!("vmjit-{}-{number}.elf", std::process::id()));
    let fail = |what: &str, error: std::io::Error| -> ! { panic!("{what} {}: {error}", path.display()) };
    std::fs::write(&path, image.to_elf()).unwrap_or_else(|e| fail("write", e));
    let executable = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(&path, executable).unwrap_or_else(|e| fail("chmod", e));
    let mut command = Command::new(qemu_path());
    command.args(["-cpu", "max"]).arg(&path).current_dir(&dir).stdin(Stdio::null());
    let result = command.output();
    std::fs::remove_file(&path).unwrap_or_else(|e| fail("remove", e));
    let done = result.unwrap_or_else(|error| {
        panic!("{} does not run ({error}); install qemu-user or run tests/setup.sh", qemu_path().display())
    });
    let end = match (done.status.code(), done.status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, Some(signal)) => End::Killed(signal),
        (None, None) => End::Stuck,
    };
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(errors.is_empty() || matches!(end, End::Killed(_)), "qemu-riscv64 -cpu max: {errors}");
    Outcome { end, output: done.stdout }
}
