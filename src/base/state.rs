//! The state of one guest hart (hardware thread), shared by every tier.

use super::{GuestAddr, REGISTERS};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

/// Reasons for which [`CpuState::poll`] asks running code to stop at its next safepoint.
pub mod poll {
    /// The embedder asked for it ([`super::InterruptHandle::interrupt`]).
    pub const INTERRUPT: u32 = 1;
    /// A signal for the guest has arrived.
    pub const SIGNAL: u32 = 2;
    /// The guest process ends.
    pub const END: u32 = 4;
    /// Translations are out of date: nothing to do but to look.
    pub const SYNC: u32 = 8;
    /// Reasons for which the owner of the hart must be told.
    pub const STOP: u32 = INTERRUPT | SIGNAL | END;
}

/// Architectural state of one hart, plus what running code needs at hand.
///
/// `repr(C)`: generated code addresses the fields by `offset_of!`; the assertions below pin what it relies on.
#[repr(C)]
#[derive(Debug)]
pub struct CpuState {
    /// Virtual registers: 0-31 integer (`regs[0]` is always 0), 32-63 floating point (NaN-boxed), 64- temporaries.
    pub regs: [u64; REGISTERS],
    /// Address of the next instruction, or of the one at fault after a trap.
    pub pc: GuestAddr,
    /// Guest instructions that may still be executed before `OutOfFuel`.
    pub fuel: u64,
    /// Non-zero asks running code to leave at the next safepoint; bits of [`poll`]. Shared with those who ask.
    pub poll: Arc<AtomicU32>,
    /// Accrued floating-point exceptions, bits 0-4 = NX UF OF DZ NV (RISC-V Unpriv. F, `fflags`).
    pub fflags: u8,
    /// Dynamic rounding mode, 0-7 (RISC-V Unpriv. F, `frm`); 5-7 are reserved and make dynamic operations illegal.
    pub frm: u8,
    /// True while an LR reservation is held.
    pub reserved: bool,
    /// Address of the reservation.
    pub reserved_addr: GuestAddr,
    /// Value that LR read; SC succeeds only if memory still holds it.
    pub reserved_value: u64,
    /// Fuel at the last [`CpuState::set_fuel`] plus instructions retired before: `instret = fuel_base - fuel`.
    pub fuel_base: u64,
    /// What generated code needs beside the guest's state.
    pub(crate) host: HostSlots,
}

/// How far behind the start of [`CpuState`] the pointer of generated code points: all integer registers are within the
/// reach of one signed byte then.
pub(crate) const STATE_BIAS: i32 = 128;

/// Slots of the engine in [`CpuState`], at hand for generated code. Addresses are those of the host.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct HostSlots {
    /// Stack pointer of the host while generated code runs.
    pub host_rsp: u64,
    /// Stack pointer of generated code while the host runs.
    pub jit_rsp: u64,
    /// Stack pointer of the empty return stack, and below which it is full.
    pub stack_base: u64,
    pub stack_limit: u64,
    /// The table that indirect jumps look in: pairs of guest address and code address.
    pub table: u64,
    /// Fuel that generated code has left of the slice it was given ([`CpuState::fuel`] is without the slice then).
    pub fuel_left: u64,
    /// Code that is entered next.
    pub entry: u64,
    /// Generated routines that save all registers and leave: with the exit code in eax; because a link (eax) is not
    /// made; because the table lacks a target (rax); for want of fuel, at an illegal instruction, at a breakpoint (these
    /// are called).
    pub leave_thunk: u64,
    pub link_thunk: u64,
    pub miss_thunk: u64,
    pub fuel_thunk: u64,
    pub illegal_thunk: u64,
    pub breakpoint_thunk: u64,
    /// A generated routine that calls a helper.
    pub helper_thunk: u64,
    /// Their counterparts in `asm/x86_64.S`.
    pub leave_routine: u64,
    pub helper_routine: u64,
    /// `extern "C" fn(&mut CpuState, &IROp) -> u32`: does an operation that has no code of its own.
    pub helper: u64,
    /// The guest's memory (`&SoftMmu`), for the helper.
    pub memory: u64,
    /// Where generated code was when it called a helper or faulted.
    pub host_pc: u64,
    /// 64 bytes: the accrued exceptions of the host's floating-point status word as `fflags`.
    pub flag_table: u64,
    /// What an exit has to say besides its code.
    pub exit_value: u64,
    /// The exit code that generated code left with.
    pub exit_code: u32,
    /// Floating-point control words of the host and of the guest.
    pub host_mxcsr: u32,
    pub guest_mxcsr: u32,
    /// The host's registers where an access faulted: 16 integer registers, then the low halves of 16 vector registers.
    pub saved: [u64; 32],
}

/// Stops a running hart from another thread. Cheap to clone; may outlive the hart.
#[derive(Clone)]
pub struct InterruptHandle {
    poll: Arc<AtomicU32>,
    /// Has those stop who would not look at the word: other harts, and those that wait in a call.
    others: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl InterruptHandle {
    /// Asks the hart to stop at its next safepoint: the next block in the interpreter, at most 65,536 guest instructions
    /// in machine code. If it does not run, its next run stops at once.
    pub fn interrupt(&self) {
        match &self.others {
            Some(stop) => stop(),
            None => _ = self.poll.fetch_or(poll::INTERRUPT, Ordering::SeqCst),
        }
    }

    /// One that calls `stop`, which asks this hart to stop, and others.
    #[cfg(feature = "linux")]
    pub(crate) fn and(self, stop: impl Fn() + Send + Sync + 'static) -> InterruptHandle {
        InterruptHandle { others: Some(Arc::new(stop)), ..self }
    }
}

impl std::fmt::Debug for InterruptHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InterruptHandle").field("poll", &self.poll).finish_non_exhaustive()
    }
}

impl Default for CpuState {
    fn default() -> Self {
        CpuState {
            regs: [0; REGISTERS],
            pc: 0,
            fuel: u64::MAX,
            poll: Arc::new(AtomicU32::new(0)),
            fflags: 0,
            frm: 0,
            reserved: false,
            reserved_addr: 0,
            reserved_value: 0,
            fuel_base: u64::MAX,
            host: HostSlots::default(),
        }
    }
}

impl CpuState {
    /// Integer register `x`, 0-31.
    pub fn x(&self, x: u8) -> u64 {
        self.regs[usize::from(x & 31)]
    }

    /// Writes integer register `x`, 1-31; a write to register 0 is discarded.
    pub fn set_x(&mut self, x: u8, value: u64) {
        if x & 31 != 0 {
            self.regs[usize::from(x & 31)] = value;
        }
    }

    /// Guest instructions retired since the state was made (modulo 2^64).
    pub fn retired(&self) -> u64 {
        self.fuel_base.wrapping_sub(self.fuel)
    }

    /// Grants `fuel` guest instructions from now on; `u64::MAX` is as good as unlimited.
    pub fn set_fuel(&mut self, fuel: u64) {
        self.fuel_base = self.retired().wrapping_add(fuel);
        self.fuel = fuel;
    }

    /// The `fcsr` register: flags in bits 0-4, rounding mode in bits 5-7 (RISC-V Unpriv. F, "fcsr").
    pub fn fcsr(&self) -> u64 {
        u64::from(self.fflags) | u64::from(self.frm) << 5
    }

    /// Writes `fcsr`; bits above 7 are ignored.
    pub fn set_fcsr(&mut self, value: u64) {
        let [low, ..] = value.to_le_bytes();
        self.fflags = low & 31;
        self.frm = low >> 5;
    }

    /// The state of a new hart that starts where this one is, with a poll word of its own and no reservation.
    pub fn copy(&self) -> CpuState {
        CpuState {
            regs: self.regs,
            pc: self.pc,
            fuel: self.fuel,
            poll: Arc::new(AtomicU32::new(0)),
            fflags: self.fflags,
            frm: self.frm,
            reserved: false,
            reserved_addr: 0,
            reserved_value: 0,
            fuel_base: self.fuel_base,
            host: HostSlots::default(),
        }
    }

    /// A handle that stops this hart.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        InterruptHandle { poll: Arc::clone(&self.poll), others: None }
    }

    /// Whether the owner of the hart must be told why it was asked to stop.
    pub fn owner_wanted(&self) -> bool {
        self.poll.load(Ordering::Relaxed) & poll::STOP != 0
    }

    /// Whether the hart was asked to stop at a safepoint.
    #[inline]
    pub fn must_stop(&self) -> bool {
        self.poll.load(Ordering::Relaxed) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuel_and_retired_agree_across_refills() {
        let mut cpu = CpuState::default();
        cpu.fuel -= 10;
        assert_eq!(cpu.retired(), 10);
        cpu.set_fuel(100);
        assert_eq!(cpu.retired(), 10);
        cpu.fuel -= 7;
        assert_eq!((cpu.fuel, cpu.retired()), (93, 17));
    }

    #[test]
    fn register_zero_stays_zero() {
        let mut cpu = CpuState::default();
        cpu.set_x(0, 5);
        cpu.set_x(1, 6);
        assert_eq!((cpu.x(0), cpu.x(1)), (0, 6));
    }
}
