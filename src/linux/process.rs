//! A guest process: everything it is apart from registers and memory.

use super::call::{Call, SysResult};
use super::elf::Symbol;
use super::limits::Limits;
use super::load;
use super::mm::Memory;
use super::path::Paths;
use super::signal::{self, Signals, Thread};
use super::{args, find, strace, Handler, Row};
use crate::base::error::{Error, Trap};
use crate::base::state::CpuState;
use crate::base::GuestAddr;
use crate::mmu::SoftMmu;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// How a guest process starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where absolute guest paths are looked up first.
    pub sysroot: Option<PathBuf>,
    /// The whole environment, one `NAME=VALUE` each.
    pub env: Vec<Vec<u8>>,
    /// Size of the initial stack in bytes, and the guest's soft `RLIMIT_STACK`.
    pub stack_size: u64,
    /// Prints each system call to the standard error output.
    pub strace: bool,
}

impl Default for Config {
    /// No sysroot, the host's environment, 8 MiB of stack (Linux's default limit).
    fn default() -> Self {
        let env = std::env::vars_os().map(|(name, value)| assignment(&name, &value)).collect();
        Config { sysroot: None, env, stack_size: 8 << 20, strace: false }
    }
}

impl Config {
    /// Sets a variable of the environment, replacing one of that name.
    pub fn set_env(&mut self, name: &OsStr, value: &OsStr) {
        self.unset_env(name);
        self.env.push(assignment(name, value));
    }

    /// Removes a variable of the environment.
    pub fn unset_env(&mut self, name: &OsStr) {
        let prefix = assignment(name, OsStr::new(""));
        self.env.retain(|entry| !entry.starts_with(&prefix));
    }
}

fn assignment(name: &OsStr, value: &OsStr) -> Vec<u8> {
    let mut entry = name.to_os_string();
    entry.push("=");
    entry.push(value);
    entry.into_vec()
}

/// What a system call or a trap means for whoever runs the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The guest goes on.
    Continue,
    /// It ended with this status, 0-255.
    Exit(i32),
    /// This signal killed it.
    Die(i32),
}

/// What the start of the process left behind for `/proc/self`.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Arguments, each with its NUL.
    pub cmdline: Vec<u8>,
    /// Environment, each entry with its NUL.
    pub environ: Vec<u8>,
    /// The auxiliary vector as it lies in memory.
    pub auxv: Vec<u8>,
    /// Initial stack pointer.
    pub stack: GuestAddr,
    /// First and last address of the main program.
    pub code: (GuestAddr, GuestAddr),
    /// What was added to the addresses of the main program's file.
    pub bias: GuestAddr,
}

/// A guest process.
///
/// Its parts are separate values so that threads can share each behind a lock of its own; `thread` is what every
/// thread has for itself.
#[derive(Debug)]
pub struct Process {
    pub(super) paths: Paths,
    pub(super) memory: Memory,
    pub(super) signals: Signals,
    pub(super) limits: Limits,
    pub(super) start: Start,
    pub(super) thread: Thread,
    /// Where the trace goes, if there is one.
    trace: Option<fn(&str)>,
    unknown: BTreeMap<u64, u64>,
    /// Read from the program file when first asked for.
    symbols: OnceLock<Vec<Symbol>>,
}

impl Process {
    /// Loads the program at `path` and its interpreter into `mmu`, builds the initial stack, and sets pc and sp in
    /// `cpu`. `args` includes `argv[0]`.
    ///
    /// # Errors
    /// `Error::File` if the program cannot be opened, `Error::Elf` if it is not one this engine runs,
    /// `Error::NoMemory` if arguments and environment exceed a quarter of the stack, `Error::Host` if the host
    /// refuses memory.
    pub fn load(
        mmu: &SoftMmu,
        cpu: &mut CpuState,
        path: &Path,
        args: &[OsString],
        config: &Config,
    ) -> Result<Process, Error> {
        let exe = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let sysroot = config.sysroot.as_ref().map(|root| std::fs::canonicalize(root).unwrap_or(root.clone()));
        let paths = Paths { sysroot, exe, pid: std::process::id().to_string() };
        let loaded = load::program(mmu, cpu, &paths, path, args, config)?;
        Ok(Process {
            thread: Thread::new(&paths.exe),
            paths,
            memory: loaded.memory,
            signals: Signals::default(),
            limits: Limits::new(loaded.stack_size),
            start: loaded.start,
            trace: config.strace.then_some(to_stderr),
            unknown: BTreeMap::new(),
            symbols: OnceLock::new(),
        })
    }

    /// Makes the system call whose number is in a7 and whose arguments are in a0 to a5. a0 receives the result, or
    /// the negated `errno`.
    pub fn syscall(&mut self, mmu: &SoftMmu, cpu: &mut CpuState) -> Outcome {
        let number = cpu.x(17);
        let row = find(number);
        let args = std::array::from_fn(|index| cpu.x(10 + index as u8));
        let trace = self.trace;
        let mut call = Call { process: self, mmu, args, outcome: Outcome::Continue };
        let line = trace.map(|to| (to, strace::TraceLine::new(&call, number, row)));
        let result = match row {
            Some(row) => dispatch(&mut call, row),
            None => missing(&mut call, number),
        };
        if let (Some(row), Err(libc::EPIPE)) = (row, result) {
            signal::broken_pipe(&mut call, row);
        }
        if let Some((to, line)) = line {
            to(&line.finish(&call, result));
        }
        let outcome = call.outcome;
        let value = result.unwrap_or_else(|errno| i64::from(errno).wrapping_neg() as u64);
        cpu.set_x(10, value);
        outcome
    }

    /// What a trap does to the process: the default action of the signal that it raises.
    pub fn trap(&mut self, _mmu: &SoftMmu, _cpu: &mut CpuState, trap: Trap) -> Outcome {
        // A signal that an instruction raises kills even where it is ignored or blocked (signal(7)).
        Outcome::Die(signal::of_trap(&trap))
    }

    /// Address of a function or object of the main program.
    pub fn symbol(&self, name: &str) -> Option<GuestAddr> {
        let symbol = self.symbols().iter().find(|symbol| symbol.name == name)?;
        Some(symbol.addr.wrapping_add(self.start.bias))
    }

    /// The symbol of the main program that `addr` lies in, and the distance from its start.
    pub fn symbol_at(&self, addr: GuestAddr) -> Option<(String, u64)> {
        let addr = addr.wrapping_sub(self.start.bias);
        let symbols = self.symbols();
        let after = symbols.partition_point(|symbol| symbol.addr <= addr);
        // Of several that start at one address, one that covers it; assembler labels have no size and cover up to
        // the next symbol.
        let nearest = symbols[..after].iter().rev().take(16);
        let symbol = nearest.clone().find(|symbol| addr - symbol.addr < symbol.size).or_else(|| {
            let (low, high) = self.start.code;
            let inside =
                addr.wrapping_add(self.start.bias) >= low && addr.wrapping_add(self.start.bias) < high;
            nearest.clone().find(|symbol| inside && symbol.size == 0)
        })?;
        Some((symbol.name.clone(), addr - symbol.addr))
    }

    /// System calls that were made but are not provided: number and how often.
    pub fn unknown_calls(&self) -> &BTreeMap<u64, u64> {
        &self.unknown
    }

    /// Ascending by address.
    fn symbols(&self) -> &[Symbol] {
        self.symbols.get_or_init(|| {
            let file = std::fs::File::open(&self.paths.exe);
            let mut symbols = file.map_or_else(|_| Vec::new(), |file| super::elf::symbols(&file));
            symbols.sort_by_key(|symbol| symbol.addr);
            symbols
        })
    }

    /// A process without a program, for tests of single calls.
    #[cfg(test)]
    pub(super) fn for_tests(paths: Paths) -> Process {
        Process {
            thread: Thread::new(&paths.exe),
            paths,
            memory: Memory::new(0x20_0000, 0xff00_0000),
            signals: Signals::default(),
            limits: Limits::new(8 << 20),
            start: Start::default(),
            trace: None,
            unknown: BTreeMap::new(),
            symbols: OnceLock::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn trace_for_tests(&mut self) {
        self.trace = Some(|_| {});
    }
}

/// A guest that closed its standard error output runs on without the trace.
fn to_stderr(line: &str) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn dispatch(call: &mut Call<'_>, row: &Row) -> SysResult {
    match row.handler {
        Handler::Host(number) => args::pass(call, number, row.args),
        Handler::Own(handler) => handler(call),
        Handler::Refuse(errno) => Err(errno),
        Handler::Missing => missing(call, row.number),
    }
}

fn missing(call: &mut Call<'_>, number: u64) -> SysResult {
    *call.process.unknown.entry(number).or_default() += 1;
    Err(libc::ENOSYS)
}
