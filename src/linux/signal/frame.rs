//! What a handler finds on its stack, and what `rt_sigreturn` takes from there.
//!
//! Source: Linux `arch/riscv/kernel/signal.c`, `arch/riscv/include/uapi/asm/{ucontext,sigcontext,ptrace}.h`.

use super::super::thread::Thread;
use super::{Action, AltStack, SS_AUTODISARM, UNMASKABLE};
use crate::base::state::CpuState;
use crate::base::{GuestAddr, FIRST_FLOAT};
use crate::mmu::SoftMmu;
use crate::sys::signal::Info;

/// `struct rt_sigframe`: `siginfo_t`, then `struct ucontext`.
const SIZE: usize = CONTEXT + 176 + 256 + 528;
const CONTEXT: usize = 128;
/// Fields of `struct ucontext`: `uc_stack`, `uc_sigmask`, and `uc_mcontext` with pc and x1-x31, f0-f31, fcsr. What
/// follows stays zero: no extensions with a state of their own (`END_MAGIC`).
const STACK: usize = CONTEXT + 16;
const MASK: usize = CONTEXT + 40;
const REGS: usize = CONTEXT + 176;
const FLOATS: usize = REGS + 256;
const FCSR: usize = FLOATS + 256;

const SA_ONSTACK: u64 = 0x0800_0000;

/// A frame in the guest's memory could not be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFrame;

fn put(frame: &mut [u8], at: usize, value: u64) {
    frame[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn word(frame: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&frame[at..at + 8]);
    u64::from_le_bytes(bytes)
}

/// Makes the hart call the handler of `action` for the signal of `info`; `saved_mask` is what its return restores.
/// The handler returns to `return_code`.
///
/// # Errors
/// [`BadFrame`] if there is no room; nothing has changed then.
pub fn push(
    mmu: &SoftMmu,
    cpu: &mut CpuState,
    thread: &mut Thread,
    action: &Action,
    info: &Info,
    saved_mask: u64,
    return_code: GuestAddr,
) -> Result<(), BadFrame> {
    let (sp, alt) = (cpu.x(2), thread.alt_stack);
    let top = match action.flags & SA_ONSTACK != 0 && alt.size != 0 && !alt.holds(sp) {
        true => alt.start.wrapping_add(alt.size),
        false => sp,
    };
    let at = top.wrapping_sub(SIZE as u64) & !15;
    // Running over the end of the alternate stack must not look like success.
    if alt.holds(sp) && !alt.holds(at) {
        return Err(BadFrame);
    }
    let mut frame = [0; SIZE];
    frame[..128].copy_from_slice(info);
    for (index, word) in alt.words(sp).into_iter().enumerate() {
        put(&mut frame, STACK + 8 * index, word);
    }
    put(&mut frame, MASK, saved_mask);
    put(&mut frame, REGS, cpu.pc);
    for reg in 1..32 {
        put(&mut frame, REGS + 8 * reg, cpu.regs[reg]);
        put(&mut frame, FLOATS + 8 * reg, cpu.regs[usize::from(FIRST_FLOAT) + reg]);
    }
    put(&mut frame, FLOATS, cpu.regs[usize::from(FIRST_FLOAT)]);
    put(&mut frame, FCSR, cpu.fcsr());
    mmu.write(at, &frame).map_err(|_| BadFrame)?;
    if alt.flags & SS_AUTODISARM != 0 {
        thread.alt_stack = AltStack::NONE;
    }
    cpu.pc = action.handler & !1;
    cpu.set_x(1, return_code);
    cpu.set_x(2, at);
    cpu.set_x(10, u64::from(info[0]));
    cpu.set_x(11, at);
    cpu.set_x(12, at + CONTEXT as u64);
    cpu.reserved = false;
    Ok(())
}

/// Makes the state of the hart that of the frame at its stack pointer; returns the mask to restore.
///
/// # Errors
/// [`BadFrame`] if it cannot be read; nothing has changed then.
pub fn pop(mmu: &SoftMmu, cpu: &mut CpuState, thread: &mut Thread) -> Result<u64, BadFrame> {
    let mut frame = [0; SIZE];
    let at = cpu.x(2);
    mmu.read(at, &mut frame).map_err(|_| BadFrame)?;
    // As `sepc` does, which has no lowest bit (RISC-V Privileged 4.1.7).
    cpu.pc = word(&frame, REGS) & !1;
    for reg in 1..32 {
        cpu.regs[reg] = word(&frame, REGS + 8 * reg);
        cpu.regs[usize::from(FIRST_FLOAT) + reg] = word(&frame, FLOATS + 8 * reg);
    }
    cpu.regs[usize::from(FIRST_FLOAT)] = word(&frame, FLOATS);
    cpu.set_fcsr(word(&frame, FCSR) & 0xff);
    cpu.reserved = false;
    if thread.alt_stack.holds(at) {
        // A stack in use is not exchanged, here as in sigaltstack: the handler has set the one it is on.
        return Ok(word(&frame, MASK) & !UNMASKABLE);
    }
    // As the kernel does, without complaint: the frame may be one that the guest made up.
    let [start, flags, size] = [0, 8, 16].map(|offset| word(&frame, STACK + offset));
    let flags = flags as u32;
    if flags & super::SS_DISABLE != 0 {
        thread.alt_stack = AltStack::NONE;
    } else if size >= super::MIN_ALT_STACK {
        thread.alt_stack = AltStack { start, flags: flags & SS_AUTODISARM, size };
    }
    Ok(word(&frame, MASK) & !UNMASKABLE)
}
