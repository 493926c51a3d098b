//! Entering generated code, the stack it runs on, and the place where its faults land.
//!
//! Invariant: what is entered was published by `sys::exec_mem` and follows the contract of `asm/x86_64.S`; the caller
//! of [`enter`] vouches for it.
#![allow(unsafe_code, reason = "calls generated code")]

use super::trap;
use crate::base::error::Error;
use crate::base::state::{poll, CpuState, HostSlots, STATE_BIAS};
use memmap2::MmapMut;
use std::mem::offset_of;

/// The `errno` of a system call that was not made because the thread is to stop. Linux has this number (ERESTARTSYS) for
/// itself and shows it to no process.
pub const NOT_MADE: i32 = 512;

/// Distance of a host slot from where rbp points in [`CpuState`].
const fn slot(offset: usize) -> usize {
    offset_of!(CpuState, host) + offset - STATE_BIAS as usize
}

const HOST_RSP: usize = slot(offset_of!(HostSlots, host_rsp));
// The unwind information writes it as a two-byte SLEB128.
const _: () = assert!(HOST_RSP >= 64 && HOST_RSP < 8192);

std::arch::global_asm!(
    include_str!("../../asm/x86_64.S"),
    HOST_RSP = const HOST_RSP,
    JIT_RSP = const slot(offset_of!(HostSlots, jit_rsp)),
    HOST_MXCSR = const slot(offset_of!(HostSlots, host_mxcsr)),
    GUEST_MXCSR = const slot(offset_of!(HostSlots, guest_mxcsr)),
    HELPER = const slot(offset_of!(HostSlots, helper)),
    BIAS = const STATE_BIAS,
    STOP = const poll::STOP,
    NOT_MADE = const NOT_MADE,
);

extern "C" {
    fn vmjit_enter(cpu: *mut std::ffi::c_void, code: usize) -> u32;
    fn vmjit_leave();
    fn vmjit_helper();
}

/// Address of the routine that generated code jumps to when it leaves.
pub fn leave_routine() -> usize {
    vmjit_leave as *const () as usize
}

/// Address of the routine that generated code calls to have an operation done by `CpuState::host.helper`.
pub fn helper_routine() -> usize {
    vmjit_helper as *const () as usize
}

pub use trap::Runnable;

/// Runs generated code until it leaves; returns its exit code. Faults of instructions in its code that accessed `space`
/// (from a first address to an end) go on at its landing place, with `CpuState::host.host_pc` set to where they happened.
///
/// # Safety
/// `entry` and what `code` describes must be published code that follows the contract of `asm/x86_64.S`, made for this layout of
/// `CpuState`; the slots `jit_rsp`, `helper` and those that the code itself uses must be set.
pub unsafe fn enter(cpu: &mut CpuState, entry: usize, code: Runnable, space: (usize, usize)) -> u32 {
    let cpu = std::ptr::from_mut(cpu);
    let _watch = trap::watch_code(trap::Watch { code, space, cpu: cpu.expose_provenance() });
    // SAFETY: the caller vouches for the code; `cpu` is exclusively borrowed while it runs.
    unsafe { vmjit_enter(cpu.cast(), entry) }
}

/// The stack of generated code: pairs of guest and host return addresses, nothing else.
#[derive(Debug)]
pub struct ReturnStack {
    memory: MmapMut,
}

/// Size of the stack in bytes.
const STACK_BYTES: usize = 1 << 20;
/// Room below the limit for what signal handlers without a stack of their own put there.
const STACK_ROOM: usize = 256 << 10;

impl ReturnStack {
    /// A stack without entries; memory is committed as it is used.
    ///
    /// # Errors
    /// `Error::Host` if the host gives no memory.
    pub fn new() -> Result<ReturnStack, Error> {
        let failed = |source| Error::Host { what: "cannot map the return stack", source };
        let mut memory = MmapMut::map_anon(STACK_BYTES).map_err(failed)?;
        // Odd, so that no guest address equals it.
        memory[STACK_BYTES - 16..].fill(0xff);
        Ok(ReturnStack { memory })
    }

    /// The stack pointer of the empty stack: at the pair that no return matches.
    pub fn base(&self) -> usize {
        self.memory.as_ptr() as usize + STACK_BYTES - 16
    }

    /// Below this the stack is full.
    pub fn limit(&self) -> usize {
        self.memory.as_ptr() as usize + STACK_ROOM
    }
}
