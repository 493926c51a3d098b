//! A guest without a program, for tests: registers and memory, from which single system calls are made.

use super::path::Paths;
use super::process::{Outcome, Process};
use super::signal::{self, Fatal};
use super::thread::Thread;
use super::TABLE;
use crate::base::state::{poll, CpuState};
use crate::base::GuestAddr;
use crate::mmu::{Backing, Neighbour, Placement, Prot, SoftMmu};
use crate::sys::signal as host;
use std::sync::{Arc, Weak};

/// Where the guest's memory is; the page behind its end is not mapped.
pub const SCRATCH: GuestAddr = 0x10_0000;
pub const SCRATCH_LEN: u64 = 0x1_0000;
/// An address that is never mapped.
pub const WILD: GuestAddr = 0xdead_0000;

/// The guest, inside another program (`Config::host` is `None`).
#[derive(Debug)]
pub struct Guest {
    pub mmu: SoftMmu,
    pub cpu: CpuState,
    pub(super) thread: Thread,
    pub outcome: Outcome,
}

impl Guest {
    /// Whose program is said to be `/opt/prog`.
    ///
    /// # Panics
    /// If the host has no memory.
    pub fn new() -> Guest {
        Guest::with_trace(false)
    }

    pub(super) fn with_trace(traced: bool) -> Guest {
        let mmu = SoftMmu::reserve(Placement::Based).unwrap_or_else(|error| panic!("{error}"));
        Guest::in_memory(mmu, traced)
    }

    /// As [`Guest::new`], between memory that shows whether the guest's was left: `len` bytes on each side.
    ///
    /// # Panics
    /// If the host has no memory.
    pub(crate) fn between(len: usize) -> (Guest, [Neighbour; 2]) {
        let (mmu, neighbours) = SoftMmu::reserve_between(len).unwrap_or_else(|error| panic!("{error}"));
        (Guest::in_memory(mmu, false), neighbours)
    }

    fn in_memory(mmu: SoftMmu, traced: bool) -> Guest {
        let (cpu, thread) = start(&mmu, "/opt/prog", traced);
        Guest { mmu, cpu, thread, outcome: Outcome::Continue }
    }

    /// Makes a new guest of it, in the same space: nothing mapped but its memory, which is zero.
    ///
    /// # Panics
    /// If the host has no memory.
    pub fn reset(&mut self, program: &str) {
        for region in self.mmu.regions() {
            let unmapped = self.mmu.unmap(region.start, region.end - region.start);
            unmapped.unwrap_or_else(|error| panic!("{error}"));
        }
        (self.cpu, self.thread) = start(&self.mmu, program, false);
        self.outcome = Outcome::Continue;
    }

    /// Makes a call; the result as the guest sees it in a0.
    ///
    /// # Panics
    /// If there is none of this name.
    pub fn call(&mut self, name: &str, args: &[u64]) -> i64 {
        let row = TABLE.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no call {name}"));
        let mut all = [0; 6];
        all.iter_mut().zip(args).for_each(|(to, from)| *to = *from);
        self.call_number(row.number, &all)
    }

    /// As [`Guest::call`]. A call that a signal ended leaves a0 as it was.
    pub fn call_number(&mut self, number: u64, args: &[u64; 6]) -> i64 {
        self.cpu.set_x(17, number);
        for (reg, &value) in (10..16).zip(args) {
            self.cpu.set_x(reg, value);
        }
        self.outcome = self.thread.syscall(&self.mmu, &mut self.cpu);
        let result = self.cpu.x(10) as i64;
        self.attend();
        result
    }

    /// Gives the guest the signals that wait, as its owner does between calls.
    fn attend(&mut self) {
        self.thread.collect(&host::Seat::take(&self.cpu.poll));
        let process = Arc::clone(&self.thread.process);
        let given = signal::deliver(&process, &mut self.thread, &self.mmu, &mut self.cpu);
        if let Err(Fatal(signal)) = given {
            self.outcome = Outcome::Die(signal);
        }
    }

    /// Writes into its memory; returns where.
    ///
    /// # Panics
    /// If it is not writable there.
    pub fn put(&self, offset: u64, bytes: &[u8]) -> GuestAddr {
        self.mmu.write(SCRATCH + offset, bytes).unwrap_or_else(|fault| panic!("{fault:?}"));
        SCRATCH + offset
    }

    /// Reads from its memory.
    ///
    /// # Panics
    /// If it is not readable there.
    pub fn get(&self, offset: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.mmu.read(SCRATCH + offset, &mut bytes).unwrap_or_else(|fault| panic!("{fault:?}"));
        bytes
    }

    /// What ends the call that the guest waits in, from another thread, as a signal would.
    pub fn waker(&self) -> Waker {
        Waker(Arc::downgrade(&self.thread.process))
    }
}

impl Default for Guest {
    fn default() -> Guest {
        Guest::new()
    }
}

/// Ends the call that a [`Guest`] waits in.
#[derive(Clone, Debug, Default)]
pub struct Waker(Weak<Process>);

impl Waker {
    /// Ends it, if it waits in one.
    pub fn wake(&self) {
        if let Some(process) = self.0.upgrade() {
            process.threads.stop_all(poll::SIGNAL);
        }
    }
}

fn start(mmu: &SoftMmu, program: &str, traced: bool) -> (CpuState, Thread) {
    let mapped = mmu.map(SCRATCH, SCRATCH_LEN, Prot::RW, Backing::Anonymous);
    mapped.unwrap_or_else(|error| panic!("{error}"));
    let cpu = CpuState::default();
    let paths = Paths { sysroot: None, exe: program.into() };
    let thread = Process::for_tests(paths, traced, &cpu.poll);
    thread.settle(mmu);
    (cpu, thread)
}
