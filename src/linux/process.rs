//! A guest process: everything it is apart from registers and memory.

use super::call::{Call, SysResult};
use super::elf::Symbol;
use super::limits::Limits;
use super::load;
use super::mm::Memory;
use super::path::Paths;
use super::signal::{send, Actions};
use super::spawn::Spawn;
use super::thread::{Again, Interrupted, Peer, Thread, Threads};
use super::{args, find, report, strace, Handler, Row};
use crate::base::error::{Error, Trap};
use crate::base::state::CpuState;
use crate::base::{lock, GuestAddr, PAGE};
use crate::engine::presence::Presence;
use crate::mmu::{Backing, CallArg, Prot, SoftMmu};
use crate::sys::enter::NOT_MADE;
use crate::sys::signal::was_interrupted;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

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
    /// The name by which the program was executed, if that is not its path: that of a script.
    pub exec_name: Option<OsString>,
    /// Set if this process is the guest's alone.
    pub host: Option<HostProcess>,
}

/// A process that runs nothing but a guest: its signals, its children and its program are the guest's.
#[derive(Clone, Debug)]
pub struct HostProcess {
    /// The command that runs a guest program the same way, up to the program: `execve` of a guest program becomes one of
    /// `/proc/self/exe` with these arguments (the first one its own name), `--argv0 NAME`, `--exec-name
    /// PATH`, the program and its arguments.
    pub command: Vec<OsString>,
}

impl Default for Config {
    /// No sysroot, the host's environment, 8 MiB of stack (Linux's default limit), inside another program.
    fn default() -> Self {
        let env = crate::sys::process::environment();
        Config { sysroot: None, env, stack_size: 8 << 20, strace: false, exec_name: None, host: None }
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
    /// The thread ended; the process does with the last one, and with the status of its first.
    EndThread(i32),
    /// A thread or a process is to be made; a0 is then the hart's owner's to set.
    Spawn(Spawn),
    /// A thread used up its fuel.
    OutOfFuel,
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
/// Its threads share it; what changes is behind a lock each. Who takes several takes them in the order of the fields.
#[derive(Debug)]
pub struct Process {
    pub(super) paths: Paths,
    /// Held by calls that change mappings, so that what they found free stays so until they have mapped it.
    pub(super) mapping: Mutex<()>,
    pub(super) memory: Mutex<Memory>,
    pub(super) actions: Mutex<Actions>,
    pub(super) limits: Mutex<Limits>,
    pub(super) start: Start,
    pub(super) threads: Threads,
    /// The name of its first thread, as `PR_SET_NAME` gives it.
    pub(super) name: Mutex<[u8; 16]>,
    /// How it ended, once it has.
    pub(super) end: Mutex<Option<Outcome>>,
    pub(super) host: Option<HostProcess>,
    /// Where handlers return to, once there are any.
    pub(super) return_code: Mutex<Option<GuestAddr>>,
    /// Where the trace goes, if there is one.
    trace: Option<fn(&str)>,
    pub(super) unknown: Mutex<BTreeMap<u64, u64>>,
    /// Read from the program file when first asked for.
    symbols: OnceLock<Vec<Symbol>>,
}

impl Process {
    /// Loads the program at `path` and its interpreter into `mmu`, builds the initial stack, and sets pc and sp in
    /// `cpu`. `args` includes `argv[0]`. Returns its first thread, which `presence` shows to others.
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
        presence: &Presence,
    ) -> Result<Thread, Error> {
        let exe = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let sysroot = config.sysroot.as_ref().map(|root| std::fs::canonicalize(root).unwrap_or(root.clone()));
        let paths = Paths { sysroot, exe };
        let loaded = load::program(mmu, cpu, &paths, path, args, config)?;
        let process = Process {
            paths,
            mapping: Mutex::default(),
            memory: Mutex::new(loaded.memory),
            actions: Mutex::new(Actions::new(config.host.is_some())),
            limits: Mutex::new(Limits::new(loaded.stack_size)),
            start: loaded.start,
            threads: Threads::default(),
            name: Mutex::default(),
            end: Mutex::new(None),
            host: config.host.clone(),
            return_code: Mutex::new(None),
            trace: config.strace.then_some(to_stderr),
            unknown: Mutex::default(),
            symbols: OnceLock::new(),
        };
        let name = config.exec_name.as_ref().map_or(path, Path::new);
        Ok(Thread::first(Arc::new(process), name, &cpu.poll, presence))
    }

    /// The end of the process, by the thread that calls this: every one is asked to stop. What came first counts.
    pub(super) fn finish(&self, by: &Arc<Peer>, outcome: Outcome) {
        lock(&self.end).get_or_insert(outcome);
        by.stop_running(crate::base::state::poll::END);
        self.threads.stop_others(by, crate::base::state::poll::END);
    }

    /// The end of the process for all threads but `except`; waits until they have ended.
    pub(super) fn end_others(&self, except: &Arc<Peer>, outcome: Outcome) {
        lock(&self.end).get_or_insert(outcome);
        self.threads.stop_others(except, crate::base::state::poll::END);
        self.threads.wait_until_only(except);
    }

    /// Writes to standard error what a fatal signal found, if this process is the guest's alone.
    pub(super) fn report_fatal(&self, mmu: &SoftMmu, cpu: &CpuState, signal: i32, trap: Option<&Trap>) {
        if self.host.is_some() {
            to_stderr(&report::fatal(self, mmu, cpu, signal, trap));
        }
    }

    /// Stops the host process, if it is the guest's; whoever continues it continues the guest.
    pub(super) fn stop_host(&self, whole: bool) {
        if whole {
            crate::sys::process::stop();
        }
    }

    /// Where handlers return to: the two instructions of Linux's `__vdso_rt_sigreturn` (`li a7, 139; ecall`), by which
    /// unwinders know the frame. They get a page of their own, above the mmap area, when first wanted.
    ///
    /// # Errors
    /// ENOMEM if the guest's space is full.
    pub(super) fn return_code(&self, mmu: &SoftMmu) -> Result<GuestAddr, i32> {
        const CODE: [u32; 2] = [0x08b0_0893, 0x0000_0073];
        let _mapping = lock(&self.mapping);
        let mut known = lock(&self.return_code);
        if let Some(addr) = *known {
            return Ok(addr);
        }
        // Not where free addresses are looked for: what the guest has unmapped must stay so.
        let addr = lock(&self.memory).top;
        mmu.map(addr, PAGE, Prot::RW, Backing::Anonymous).map_err(|_| libc::ENOMEM)?;
        mmu.write(addr, CODE.map(u32::to_le_bytes).as_flattened()).map_err(|_| libc::ENOMEM)?;
        mmu.protect(addr, PAGE, Prot::RX).map_err(|_| libc::ENOMEM)?;
        *known = Some(addr);
        Ok(addr)
    }

    /// Address of a function or object of the main program.
    pub fn symbol(&self, name: &str) -> Option<GuestAddr> {
        let symbol = self.symbols().iter().find(|symbol| symbol.name == name)?;
        Some(symbol.addr.wrapping_add(self.start.bias))
    }

    /// What was added to the addresses of the main program's file.
    pub fn bias(&self) -> GuestAddr {
        self.start.bias
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
    pub fn unknown_calls(&self) -> BTreeMap<u64, u64> {
        lock(&self.unknown).clone()
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

    /// A process without a program, for tests of single calls; its first thread.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn for_tests(paths: Paths, traced: bool, poll: &Arc<std::sync::atomic::AtomicU32>) -> Thread {
        let process = Process {
            paths,
            mapping: Mutex::default(),
            memory: Mutex::new(Memory::new(0x20_0000, 0xff00_0000)),
            actions: Mutex::new(Actions::new(false)),
            limits: Mutex::new(Limits::new(8 << 20)),
            start: Start::default(),
            threads: Threads::default(),
            name: Mutex::default(),
            end: Mutex::new(None),
            host: None,
            return_code: Mutex::new(None),
            trace: traced.then_some(|_| {}),
            unknown: Mutex::default(),
            symbols: OnceLock::new(),
        };
        let name = process.paths.exe.clone();
        Thread::first(Arc::new(process), &name, poll, &Presence::default())
    }
}

/// A guest that closed its standard error output runs on without the trace.
pub(super) fn to_stderr(line: &str) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}

impl Thread {
    /// Makes the system call whose number is in a7 and whose arguments are in a0 to a5. a0 receives the result, or
    /// the negated `errno`.
    ///
    /// A call that a signal ended, or kept from being made, leaves everything as it was with the program counter at the
    /// `ecall`, to be made again; `deliver` undoes that for calls that end with EINTR instead.
    pub fn syscall(&mut self, mmu: &SoftMmu, cpu: &mut CpuState) -> Outcome {
        // Of an earlier call, which was ended without a signal for the guest and made again.
        (self.interrupted, self.temporary_mask) = (None, None);
        let (number, pc) = (cpu.x(17), cpu.pc);
        let row = find(number);
        let args = std::array::from_fn(|index| cpu.x(10 + index as u8));
        let again = self.again.take().filter(|it| it.pc == pc && it.number == number && it.args == args);
        self.deadline = again.and_then(|it| it.deadline);
        let process = Arc::clone(&self.process);
        let trace = process.trace;
        let mut call = Call { process: &process, thread: self, mmu, cpu, args, outcome: Outcome::Continue };
        let line = trace.map(|to| (to, strace::TraceLine::new(&call, number, row)));
        let result = match row {
            Some(row) => dispatch(&mut call, row),
            None => missing(&mut call, number),
        };
        if let (Some(row), Err(libc::EPIPE)) = (row, result) {
            send::broken_pipe(&mut call, row);
        }
        if let Some((to, line)) = line {
            to(&line.finish(&call, result));
        }
        let outcome = call.outcome;
        if was_interrupted(result) {
            let restarts = row.is_some_and(|row| restarts(&call, row));
            let was_made = result != Err(NOT_MADE) || again.is_some_and(|it| it.was_made);
            self.interrupted = Some(Interrupted { was_made, restarts });
            self.again = Some(Again { pc, number, args, was_made, deadline: self.deadline.take() });
            // `ecall` has four bytes.
            cpu.pc = cpu.pc.wrapping_sub(4);
            return outcome;
        }
        let value = result.unwrap_or_else(|errno| i64::from(errno).wrapping_neg() as u64);
        cpu.set_x(10, value);
        outcome
    }
}

/// Whether the first argument is a socket with a limit on how long it waits.
fn has_socket_limit(call: &Call<'_>, option: i32) -> bool {
    let (mut time, mut len) = ([0; 16], 16u32.to_le_bytes());
    let level = CallArg::Int(libc::SOL_SOCKET as u64);
    let option = CallArg::Int(option as u64);
    let args = &mut [call.raw(0), level, option, CallArg::Out(&mut time), CallArg::Out(&mut len)];
    call.host(libc::SYS_getsockopt, args).is_ok() && time != [0; 16]
}

/// Whether a call that a signal ended is made again under `SA_RESTART` (signal(7), "Interruption of system calls").
fn restarts(call: &Call<'_>, row: &Row) -> bool {
    let has_limit = |option| has_socket_limit(call, option);
    match row.name {
        "ppoll" | "pselect6" | "epoll_pwait" | "epoll_pwait2" | "nanosleep" | "clock_nanosleep"
        | "rt_sigsuspend" | "rt_sigtimedwait" | "semop" | "semtimedop" | "msgrcv" | "msgsnd"
        | "io_getevents" => false,
        // With a time-out it would wait too long.
        "futex" => call.args[3] == 0,
        "read" | "readv" | "recvfrom" | "recvmsg" | "accept" | "accept4" => !has_limit(libc::SO_RCVTIMEO),
        "write" | "writev" | "sendto" | "sendmsg" | "connect" => !has_limit(libc::SO_SNDTIMEO),
        _ => true,
    }
}

/// brk, munmap, mremap, mmap, mprotect, madvise, pkey_mprotect.
const MAPPING_CALLS: [u64; 7] = [214, 215, 216, 222, 226, 233, 288];

fn dispatch(call: &mut Call<'_>, row: &Row) -> SysResult {
    let process = Arc::clone(call.process);
    let _mapping = MAPPING_CALLS.contains(&row.number).then(|| lock(&process.mapping));
    match row.handler {
        Handler::Host(number) => args::pass(call, number, row.args),
        Handler::Own(handler) => handler(call),
        Handler::Refuse(errno) => Err(errno),
    }
}

fn missing(call: &mut Call<'_>, number: u64) -> SysResult {
    *lock(&call.process.unknown).entry(number).or_default() += 1;
    Err(libc::ENOSYS)
}
