//! One system call under way: its arguments, and what a handler may do with them.

use super::mm::Memory;
use super::path::Follow;
use super::process::{Outcome, Process};
use super::signal::Actions;
use super::thread::{Deadline, Thread};
use crate::base::state::CpuState;
use crate::base::{lock, GuestAddr, SPACE};
use crate::mmu::{CallArg, SoftMmu};
use crate::sys::host;
use std::sync::{Arc, MutexGuard};

/// The value for a0, or the `errno` that a0 receives negated.
pub type SysResult = Result<u64, i32>;

/// Longest path including its NUL (`PATH_MAX`).
pub const PATH_MAX: usize = 4096;

/// A system call under way.
pub struct Call<'a> {
    pub process: &'a Arc<Process>,
    pub thread: &'a mut Thread,
    pub mmu: &'a SoftMmu,
    /// The hart, as it is behind the call.
    pub cpu: &'a mut CpuState,
    /// a0 to a5 as they were when the call was made.
    pub args: [u64; 6],
    /// Set by a call after which the guest does not go on.
    pub outcome: Outcome,
}

impl Call<'_> {
    /// What the process knows about its memory.
    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.process.memory)
    }

    /// Looks at, or changes, what the process does on signals.
    pub fn actions<R>(&mut self, look: impl FnOnce(&mut Actions) -> R) -> R {
        self.thread.actions(self.process, look)
    }

    /// Ends the process by a signal.
    pub fn die(&mut self, signal: i32) {
        self.outcome = Outcome::Die(signal);
    }

    /// Argument `index` as the C type `int`.
    pub fn int(&self, index: usize) -> i32 {
        self.args[index] as i32
    }

    /// Argument `index` as a host argument: the number itself.
    pub fn raw(&self, index: usize) -> CallArg<'static> {
        CallArg::Int(self.args[index])
    }

    /// Argument `index` as a pointer to `len` bytes.
    pub fn guest(&self, index: usize, len: u64) -> CallArg<'static> {
        CallArg::Guest { addr: self.args[index], len }
    }

    /// Makes a host call.
    pub fn host(&self, number: libc::c_long, args: &mut [CallArg<'_>]) -> SysResult {
        self.mmu.host_call(number, args)
    }

    /// A time to wait (seconds, nanoseconds) as it is to be given to the host, whose `clock` runs it down. `None`: as the
    /// guest gave it, since the call is made for the first time; otherwise what is left of it.
    pub fn rest_of(&mut self, clock: i32, time: [u64; 2]) -> Option<[u64; 2]> {
        const SECOND: i64 = 1_000_000_000;
        let now = host::clock(clock).ok()?;
        if let Some(deadline) = self.thread.deadline.filter(|deadline| deadline.clock == clock) {
            let rest = (deadline.seconds.saturating_sub(now.0), deadline.nanoseconds - now.1);
            let rest = if rest.1 < 0 { (rest.0.saturating_sub(1), rest.1 + SECOND) } else { rest };
            return Some(if rest.0 < 0 { [0, 0] } else { [rest.0, rest.1].map(i64::cast_unsigned) });
        }
        let [seconds, nanoseconds] = time.map(u64::cast_signed);
        if seconds >= 0 && (0..SECOND).contains(&nanoseconds) {
            let sum = now.1 + nanoseconds;
            let seconds = now.0.saturating_add(seconds).saturating_add(sum / SECOND);
            self.thread.deadline = Some(Deadline { clock, seconds, nanoseconds: sum % SECOND });
        }
        None
    }

    /// As [`Call::rest_of`], for the `struct timespec` that argument `index` points to: the bytes for the host, or `None` for
    /// the guest's own.
    pub fn rest_of_time(&mut self, clock: i32, index: usize) -> Option<[u8; 16]> {
        let time = self.words(self.args[index]).ok().filter(|_| self.args[index] != 0)?;
        let mut bytes = [0; 16];
        bytes.copy_from_slice(self.rest_of(clock, time)?.map(u64::to_le_bytes).as_flattened());
        Some(bytes)
    }

    /// Reads guest memory; EFAULT where the guest could not.
    pub fn read(&self, addr: GuestAddr, into: &mut [u8]) -> Result<(), i32> {
        in_space(addr)?;
        self.mmu.read(addr, into).map_err(|_| libc::EFAULT)
    }

    /// Writes guest memory; EFAULT where the guest could not.
    pub fn write(&self, addr: GuestAddr, from: &[u8]) -> Result<(), i32> {
        in_space(addr)?;
        self.mmu.write(addr, from).map_err(|_| libc::EFAULT)
    }

    /// Writes guest memory unless the address is null.
    pub fn write_opt(&self, addr: GuestAddr, from: &[u8]) -> Result<(), i32> {
        if addr == 0 {
            Ok(())
        } else {
            self.write(addr, from)
        }
    }

    /// Reads `N` 64-bit words.
    pub fn words<const N: usize>(&self, addr: GuestAddr) -> Result<[u64; N], i32> {
        let mut words = [[0; 8]; N];
        self.read(addr, words.as_flattened_mut())?;
        Ok(words.map(u64::from_le_bytes))
    }

    /// Writes 64-bit words.
    pub fn write_words<const N: usize>(&self, addr: GuestAddr, words: &[u64; N]) -> Result<(), i32> {
        self.write(addr, words.map(u64::to_le_bytes).as_flattened())
    }

    /// The string that argument `index` points to, with its NUL. EFAULT, or ENAMETOOLONG as for a path.
    pub fn string(&self, index: usize) -> Result<Vec<u8>, i32> {
        in_space(self.args[index])?;
        let string = self.mmu.read_string(self.args[index], PATH_MAX - 1).map_err(|_| libc::EFAULT)?;
        let mut string = string.ok_or(libc::ENAMETOOLONG)?;
        string.push(0);
        Ok(string)
    }

    /// The path that argument `index` points to as the host must see it, with its NUL.
    pub fn path(&self, index: usize, follow: Follow) -> Result<Vec<u8>, i32> {
        let mut path = self.string(index)?;
        path.pop();
        let mut path = self.process.paths.host(&path, follow).into_owned();
        path.push(0);
        Ok(path)
    }
}

/// EFAULT for an address that no guest page can have. (The access itself would take it modulo 2^32.)
fn in_space(addr: GuestAddr) -> Result<(), i32> {
    if addr < SPACE {
        Ok(())
    } else {
        Err(libc::EFAULT)
    }
}
