//! A guest Linux process in this process: memory, one hart, and the kernel's side of it. The command is a thin user
//! of this; an embedder uses it the same way.

use super::hart::{Hart, Stop};
use super::process::HostProcess;
use super::{signal, Config, Outcome, Process};
use crate::base::error::{Access, Error, Fault, Trap};
use crate::base::state::{CpuState, InterruptHandle};
use crate::base::{GuestAddr, RegId};
use crate::engine::report::{Listener, RegionReport};
use crate::engine::{Jit, Stats, Tier};
use crate::mmu::{Placement, SoftMmu};
use crate::opt::passes::Without;
use crate::sys::{host, signal as host_signal};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a run of the guest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The guest exited with this status (0-255).
    Exited(i32),
    /// A signal with this number ended the guest.
    Signaled(i32),
    /// The fuel limit was reached; `run` goes on after more was granted.
    OutOfFuel,
    /// An [`InterruptHandle::interrupt`] took effect; `run` goes on.
    Interrupted,
}

/// What a [`Machine`] is made of. Every setting has a default.
#[derive(Clone, Debug, Default)]
pub struct MachineBuilder {
    config: Config,
    placement: Option<Placement>,
    memory_limit: Option<u64>,
    fuel: Option<u64>,
    tier: Tier,
    code_cache: Option<usize>,
    listener: Option<Listener>,
    without_passes: Without,
    background: bool,
    timed: bool,
}

impl MachineBuilder {
    /// Folder under which absolute guest paths are looked for first (qemu-user's `-L`). Default: none.
    pub fn sysroot(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.sysroot = Some(path.into());
        self
    }

    /// Adds or replaces one variable of the guest's environment, which starts as that of this process.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.config.set_env(name.as_ref(), value.as_ref());
        self
    }

    /// Removes one variable of the guest's environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.config.unset_env(name.as_ref());
        self
    }

    /// Starts the guest's environment empty.
    pub fn clear_env(mut self) -> Self {
        self.config.env.clear();
        self
    }

    /// Size of the guest's stack in bytes. Default: 8 MiB.
    pub fn stack_size(mut self, bytes: u64) -> Self {
        self.config.stack_size = bytes;
        self
    }

    /// Most bytes of memory that the guest may have mapped at once. Default: the whole space of 4 GiB.
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Guest instructions that may be executed. Default: without limit.
    pub fn fuel(mut self, instructions: u64) -> Self {
        self.fuel = Some(instructions);
        self
    }

    /// Which code may run the guest. Default: [`Tier::Auto`].
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    /// Most bytes of machine code that are kept; when they are full, all is thrown away. Default: 64 MiB.
    pub fn code_cache(mut self, bytes: usize) -> Self {
        self.code_cache = Some(bytes);
        self
    }

    /// Where the guest's memory lies in this process. Default: anywhere.
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = Some(placement);
        self
    }

    /// The name by which the program was executed (`AT_EXECFN`). Default: its path.
    pub fn exec_name(mut self, name: impl Into<OsString>) -> Self {
        self.config.exec_name = Some(name.into());
        self
    }

    /// Prints each system call to standard error.
    pub fn strace(mut self, on: bool) -> Self {
        self.config.strace = on;
        self
    }

    /// Prints each region that is compiled to standard error: its form after each pass, and its code.
    pub fn trace_regions(mut self, on: bool) -> Self {
        self.listener = on.then(|| {
            Listener::new(|region| {
                super::process::to_stderr(&format!("{}{}", region.forms, region.code));
            })
        });
        self
    }

    /// Has `tell` told of each region that is compiled, in the thread that compiles it.
    pub fn on_region(mut self, tell: impl Fn(&RegionReport) + Send + Sync + 'static) -> Self {
        self.listener = Some(Listener::new(tell));
        self
    }

    /// Leaves passes out of optimised code, to see what each is worth.
    pub fn without_passes(mut self, without: Without) -> Self {
        self.without_passes = without;
        self
    }

    /// Compiles optimised code in a thread of its own, while the guest runs on; see [`Jit::set_background`]. Default: no, in
    /// the thread of the guest that found it hot.
    pub fn background(mut self, on: bool) -> Self {
        self.background = on;
        self
    }

    /// Measures how long compiling single blocks takes, which costs a tenth of it; see [`Jit::set_timed`].
    pub fn timed(mut self, on: bool) -> Self {
        self.timed = on;
        self
    }

    /// Gives this whole process to the guest: its signals are the guest's, so are its children, and `execve` replaces it.
    /// `command` starts a guest program the same way, up to the program (the command's own name first); see
    /// `docs/command.md`. Without this a guest can have threads, but not processes of its own, and of signals it gets those
    /// that it sends itself and those of its faults.
    pub fn whole_process<S: Into<OsString>>(mut self, command: impl IntoIterator<Item = S>) -> Self {
        self.config.host = Some(HostProcess { command: command.into_iter().map(Into::into).collect() });
        self
    }

    /// Reserves the memory.
    ///
    /// # Errors
    /// `Error::NoMemory` if this process has no room for the guest's 4 GiB of addresses.
    pub fn build(self) -> Result<Machine, Error> {
        let mut mmu = SoftMmu::reserve(self.placement.unwrap_or(Placement::Based))?;
        if let Some(bytes) = self.memory_limit {
            mmu.set_limit(bytes);
        }
        let mut jit = Jit::new();
        jit.set_tier(self.tier);
        jit.set_background(self.background);
        jit.set_without_passes(self.without_passes);
        jit.set_timed(self.timed);
        if let Some(listener) = self.listener {
            jit.set_listener(listener);
        }
        if let Some(bytes) = self.code_cache {
            jit.set_code_cache(bytes);
        }
        if let Some(fuel) = self.fuel {
            jit.state_mut().set_fuel(fuel);
        }
        if self.config.host.is_some() {
            // Rust's own start ignores it, whatever it was.
            let was = match host_signal::was_ignored(libc::SIGPIPE) {
                true => host_signal::Disposition::Ignore,
                false => host_signal::Disposition::Default,
            };
            let _ = host_signal::set_disposition(libc::SIGPIPE, was, 0);
        }
        Ok(Machine { mmu: Arc::new(mmu), state: State::Empty(Box::new(jit)), config: self.config })
    }
}

/// A guest process. Dropping it ends the guest's threads and frees everything it had; descriptors that it opened are closed
/// by their own rules.
#[derive(Debug)]
pub struct Machine {
    mmu: Arc<SoftMmu>,
    state: State,
    config: Config,
}

/// An engine without a program, or with one.
#[derive(Debug)]
enum State {
    Empty(Box<Jit>),
    Loaded(Box<Hart>),
}

/// Where a function that the host called returns to: a page that nothing is ever mapped at.
const RETURN_HERE: GuestAddr = 0xffff_f000;

impl Machine {
    /// Starts describing a machine.
    pub fn builder() -> MachineBuilder {
        MachineBuilder::default()
    }

    /// Loads a program; `args` are its arguments, its own name first.
    ///
    /// # Errors
    /// `Error::File` or `Error::Elf` with the cause, `Error::NoMemory` if it does not fit.
    pub fn load<S: AsRef<OsStr>>(&mut self, program: impl AsRef<Path>, args: &[S]) -> Result<(), Error> {
        let args: Vec<OsString> = args.iter().map(|arg| arg.as_ref().to_os_string()).collect();
        if matches!(self.state, State::Loaded(_)) {
            // What an earlier program left goes first.
            self.end_threads();
            for region in self.mmu.regions() {
                self.mmu.unmap(region.start, region.end - region.start)?;
            }
        }
        let mut jit = match std::mem::replace(&mut self.state, State::Empty(Box::default())) {
            State::Empty(jit) => *jit,
            State::Loaded(hart) => hart.jit,
        };
        let presence = jit.presence().clone();
        let (mmu, path) = (&*self.mmu, program.as_ref());
        match Process::load(mmu, jit.state_mut(), path, &args, &self.config, &presence) {
            Ok(thread) => {
                let hart = Hart { jit, thread, mmu: Arc::clone(&self.mmu) };
                self.state = State::Loaded(Box::new(hart));
                Ok(())
            }
            Err(error) => {
                self.state = State::Empty(Box::new(jit));
                Err(error)
            }
        }
    }

    /// Asks the guest's other threads to end and waits until they have.
    fn end_threads(&mut self) {
        if let State::Loaded(hart) = &mut self.state {
            hart.thread.process.end_others(&hart.thread.peer, Outcome::Exit(0));
        }
    }

    /// Runs the guest until it ends or a limit is reached.
    ///
    /// # Errors
    /// `Error::NotLoaded` if no program was loaded.
    pub fn run(&mut self) -> Result<Status, Error> {
        let step = self.step()?;
        Ok(match step {
            Step::Ended(status) => status,
            Step::Fault(trap) => {
                let signal = signal::of_trap(&trap);
                let hart = self.hart()?;
                hart.thread.process.report_fatal(&hart.mmu, hart.jit.state(), signal, Some(&trap));
                self.ended(Outcome::Die(signal))
            }
        })
    }

    fn hart(&mut self) -> Result<&mut Hart, Error> {
        match &mut self.state {
            State::Loaded(hart) => Ok(hart),
            State::Empty(_) => Err(Error::NotLoaded),
        }
    }

    /// The process is over, or at a limit: its other threads end.
    fn ended(&mut self, outcome: Outcome) -> Status {
        if let State::Loaded(hart) = &mut self.state {
            hart.thread.process.threads.release_robust_futexes(&hart.mmu);
            hart.finish_child(outcome);
            hart.thread.process.finish(&hart.thread.peer, outcome);
            // With a process of its own the guest's threads end with that.
            if !hart.thread.whole {
                hart.thread.process.end_others(&hart.thread.peer, outcome);
            }
        }
        match outcome {
            Outcome::Exit(status) => Status::Exited(status & 0xff),
            Outcome::Die(signal) => Status::Signaled(signal),
            _ => Status::OutOfFuel,
        }
    }

    /// Runs until the guest ends, a limit is reached, or something traps.
    fn step(&mut self) -> Result<Step, Error> {
        let hart = self.hart()?;
        Ok(match hart.run() {
            Stop::Fault(trap) => Step::Fault(trap),
            Stop::Interrupted => Step::Ended(Status::Interrupted),
            // Whoever gives more fuel can go on, if this is all there is of the guest.
            Stop::OutOfFuel if hart.thread.process.threads.count() == 1 => Step::Ended(Status::OutOfFuel),
            Stop::OutOfFuel => Step::Ended(self.ended(Outcome::OutOfFuel)),
            Stop::Ended(outcome) => Step::Ended(self.ended(outcome)),
            Stop::ThreadEnded(status) => match hart.wait_for_end(status) {
                Some(outcome) => Step::Ended(self.ended(outcome)),
                None => Step::Ended(Status::Interrupted),
            },
        })
    }

    /// Calls a function of the loaded program with up to eight integer arguments and returns its integer result
    /// (RISC-V psABI, "Integer Calling Convention"). The state before the call is restored after it, memory is not.
    ///
    /// A program that needs its C library set up must have run to a point where it is.
    ///
    /// # Errors
    /// `Error::NoSymbol`; `Error::Trap` if the function traps; `Error::Exited` or `Error::OutOfFuel` if it does not
    /// return; `Error::NotLoaded`.
    pub fn call(&mut self, symbol: &str, args: &[u64]) -> Result<u64, Error> {
        let hart = self.hart()?;
        let entry = hart.thread.process.symbol(symbol).ok_or_else(|| Error::NoSymbol(symbol.to_string()))?;
        let cpu = hart.jit.state_mut();
        let saved = (cpu.regs, cpu.pc);
        for (reg, &value) in (10..18).zip(args) {
            cpu.set_x(reg, value);
        }
        cpu.set_x(1, RETURN_HERE);
        cpu.set_x(2, cpu.x(2) & !15);
        cpu.pc = entry;
        let result = self.call_result();
        let cpu = self.state_mut();
        (cpu.regs, cpu.pc) = saved;
        result
    }

    fn call_result(&mut self) -> Result<u64, Error> {
        match self.step()? {
            Step::Fault(Trap::Memory(Fault { addr: RETURN_HERE, access: Access::Fetch, .. })) => {
                Ok(self.state().x(10))
            }
            Step::Fault(trap) => Err(Error::Trap { pc: self.state().pc, trap }),
            Step::Ended(Status::Exited(status)) => Err(Error::Exited(status)),
            Step::Ended(Status::Signaled(signal)) => Err(Error::Exited(128 + signal)),
            Step::Ended(Status::OutOfFuel) => Err(Error::OutOfFuel),
            Step::Ended(Status::Interrupted) => Err(Error::Interrupted),
        }
    }

    /// Stops the guest from another thread: `run` returns [`Status::Interrupted`] soon, also if the guest waits in a system
    /// call, and its other threads stand still until the next `run`. A call that was ended for this is made again then, with
    /// the rest of its time.
    ///
    /// A thread of the host that waits is woken by a signal, SIGURG. A handler that this process had for it when this was
    /// first called is still called for those that do not come from here.
    ///
    /// The handle is for the program that is loaded now.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        let handle = self.state().interrupt_handle();
        let State::Loaded(hart) = &self.state else { return handle };
        // If the host refuses, those that compute can still be stopped.
        let _ = host_signal::expect_kicks();
        let (process, poll) = (Arc::downgrade(&hart.thread.process), Arc::clone(&hart.jit.state().poll));
        handle.and(move || match process.upgrade() {
            Some(process) => process.threads.pause(&poll),
            // Its next run stops at once.
            None => {
                _ = poll.fetch_or(crate::base::state::poll::INTERRUPT, std::sync::atomic::Ordering::SeqCst)
            }
        })
    }

    /// Integer register `x` (0-31).
    pub fn register(&self, x: RegId) -> u64 {
        self.state().x(x)
    }

    /// Sets integer register `x` (1-31).
    pub fn set_register(&mut self, x: RegId, value: u64) {
        self.state_mut().set_x(x, value);
    }

    /// Program counter, floating-point state, fuel and the rest of the hart.
    pub fn state(&self) -> &CpuState {
        self.jit().state()
    }

    /// The hart's state, to change.
    pub fn state_mut(&mut self) -> &mut CpuState {
        match &mut self.state {
            State::Empty(jit) => jit.state_mut(),
            State::Loaded(hart) => hart.jit.state_mut(),
        }
    }

    /// The guest's memory; `read` and `write` on it give errors where the guest itself would fault.
    pub fn memory(&self) -> &SoftMmu {
        &self.mmu
    }

    /// The kernel's side of the guest, once a program is loaded.
    pub fn process(&self) -> Option<&Process> {
        match &self.state {
            State::Loaded(hart) => Some(&hart.thread.process),
            State::Empty(_) => None,
        }
    }

    fn jit(&self) -> &Jit {
        match &self.state {
            State::Empty(jit) => jit,
            State::Loaded(hart) => &hart.jit,
        }
    }

    /// What the engine counted.
    pub fn stats(&self) -> Stats {
        self.jit().stats()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.end_threads();
    }
}

/// Why [`Machine::step`] came back.
enum Step {
    Ended(Status),
    Fault(Trap),
}

/// Ends this process by a signal, as a launcher does whose child died of it. No core file of the host is written.
pub fn die_by_signal(signal: i32) -> ! {
    host::die_by_signal(signal)
}

/// Whether the kernel started this program to run another one, by a rule of binfmt_misc with flag P. Then the words after
/// the first are the other program's path, its `argv[0]` and its arguments.
pub fn started_for_another() -> bool {
    crate::sys::process::started_for_another()
}
