//! Giving signals to the guest: at safepoints those that came from outside, at once those that an instruction raises.

use super::super::call::{Call, SysResult};
use super::super::process::Process;
use super::super::thread::Thread;
use super::frame;
use super::{default_of, of_trap, signal_of, Usual, SIG_DFL, SIG_IGN, UNMASKABLE};
use crate::base::error::{Fault, Trap};
use crate::base::state::CpuState;
use crate::mmu::SoftMmu;
use crate::sys::signal::{self as host, bit, Info};

const SA_RESTART: u64 = 0x1000_0000;
const SA_NODEFER: u64 = 0x4000_0000;
const SA_RESETHAND: u64 = 0x8000_0000;

/// This signal ends the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fatal(pub i32);

/// Gives the guest every signal that waits and is not blocked.
///
/// # Errors
/// [`Fatal`] if one of them ends the process.
pub fn deliver(
    process: &Process,
    thread: &mut Thread,
    mmu: &SoftMmu,
    cpu: &mut CpuState,
) -> Result<(), Fatal> {
    loop {
        let blocked = thread.temporary_mask.unwrap_or(thread.mask) & !UNMASKABLE;
        let due = thread.pending.iter().enumerate().filter(|(_, info)| bit(signal_of(info)) & blocked == 0);
        let Some((index, _)) = due.min_by_key(|(_, info)| signal_of(info)) else { break };
        let info = thread.pending.remove(index);
        give(process, thread, mmu, cpu, &info)?;
    }
    thread.temporary_mask = None;
    if thread.whole {
        // Whatever was caught has blocked the rest; now they may come.
        host::set_mask(thread.mask);
    }
    Ok(())
}

/// Does what the guest wants done on one signal.
fn give(
    process: &Process,
    thread: &mut Thread,
    mmu: &SoftMmu,
    cpu: &mut CpuState,
    info: &Info,
) -> Result<(), Fatal> {
    let signal = signal_of(info);
    let action = thread.actions(process, |actions| {
        let action = actions.get(signal);
        if action.flags & SA_RESETHAND != 0 && action.function().is_some() {
            actions.set(signal, super::Action { handler: SIG_DFL, ..action });
            if actions.whole {
                let _ = host::set_disposition(signal, host::Disposition::Default, action.flags);
            }
        }
        action
    });
    match action.handler {
        SIG_IGN if bit(signal) & UNMASKABLE == 0 => return Ok(()),
        SIG_DFL | SIG_IGN => {
            return match default_of(signal) {
                Usual::Ignore => Ok(()),
                Usual::Stop => {
                    process.stop_host(thread.whole);
                    Ok(())
                }
                Usual::Die => Err(Fatal(signal)),
            }
        }
        _ => {}
    }
    if let Some(interrupted) = thread.interrupted.take() {
        // The program counter stands at the call, to make it again; unless it is one that ends with EINTR.
        if interrupted.was_made && (action.flags & SA_RESTART == 0 || !interrupted.restarts) {
            cpu.pc = cpu.pc.wrapping_add(4);
            cpu.set_x(10, i64::from(-libc::EINTR) as u64);
        }
    }
    thread.again = None;
    let saved = thread.mask;
    let code = process.return_code(mmu).map_err(|_| Fatal(libc::SIGSEGV))?;
    if frame::push(mmu, cpu, thread, &action, info, saved, code).is_err() {
        return match signal {
            libc::SIGSEGV => Err(Fatal(signal)),
            _ => bad_frame(process, thread, mmu, cpu),
        };
    }
    let own = if action.flags & SA_NODEFER == 0 { bit(signal) } else { 0 };
    thread.mask = (thread.temporary_mask.take().unwrap_or(saved) | action.mask | own) & !UNMASKABLE;
    Ok(())
}

/// Gives the guest the signal that a trap raises, with exact registers.
///
/// # Errors
/// [`Fatal`] if it has no handler for it, blocks it or ignores it (signal(7)): the process ends.
pub fn fault(
    process: &Process,
    thread: &mut Thread,
    mmu: &SoftMmu,
    cpu: &mut CpuState,
    trap: &Trap,
) -> Result<(), Fatal> {
    force(process, thread, mmu, cpu, &info_of(trap, cpu.pc))?;
    if thread.whole {
        host::set_mask(thread.mask);
    }
    Ok(())
}

/// Gives a signal that cannot wait.
fn force(
    process: &Process,
    thread: &mut Thread,
    mmu: &SoftMmu,
    cpu: &mut CpuState,
    info: &Info,
) -> Result<(), Fatal> {
    let signal = signal_of(info);
    let handled = thread.actions(process, |actions| actions.get(signal).function().is_some());
    if !handled || thread.mask & bit(signal) != 0 {
        return Err(Fatal(signal));
    }
    give(process, thread, mmu, cpu, info)
}

/// A frame could not be written or read: SIGSEGV, whose handler may have a stack of its own (Linux `force_sigsegv`).
fn bad_frame(process: &Process, thread: &mut Thread, mmu: &SoftMmu, cpu: &mut CpuState) -> Result<(), Fatal> {
    const SI_KERNEL: i32 = 0x80;
    let mut info = [0; 128];
    info[0..4].copy_from_slice(&libc::SIGSEGV.to_le_bytes());
    info[8..12].copy_from_slice(&SI_KERNEL.to_le_bytes());
    force(process, thread, mmu, cpu, &info)
}

/// The `siginfo_t` for a trap at `pc` (Linux `arch/riscv/kernel/traps.c`, `arch/riscv/mm/fault.c`).
fn info_of(trap: &Trap, pc: u64) -> Info {
    // ILL_ILLOPC, TRAP_BRKPT, BUS_ADRALN, BUS_ADRERR, SEGV_MAPERR, SEGV_ACCERR
    let (code, addr) = match *trap {
        Trap::IllegalInstruction => (1, pc),
        Trap::Breakpoint => (1, pc),
        Trap::Misaligned(addr) => (1, addr),
        Trap::Memory(Fault { addr, beyond_file: true, .. }) => (2, addr),
        Trap::Memory(Fault { addr, mapped, .. }) => (if mapped { 2 } else { 1 }, addr),
    };
    let mut info = [0; 128];
    info[0..4].copy_from_slice(&of_trap(trap).to_le_bytes());
    info[8..12].copy_from_slice(&i32::to_le_bytes(code));
    info[16..24].copy_from_slice(&addr.to_le_bytes());
    info
}

/// rt_sigreturn(): goes on where the handler's frame says. The registers are not this call's to set.
pub fn rt_sigreturn(call: &mut Call<'_>) -> SysResult {
    match frame::pop(call.mmu, call.cpu, call.thread) {
        Ok(mask) => {
            call.thread.mask = mask;
            if call.thread.whole {
                host::block_all();
                // What was caught meanwhile is given first; then nothing stays blocked but this.
                if !call.thread.signal_waits() {
                    host::set_mask(mask);
                }
            }
            call.thread.look_again();
            Ok(call.cpu.x(10))
        }
        Err(frame::BadFrame) => {
            let process = std::sync::Arc::clone(call.process);
            if let Err(Fatal(signal)) = bad_frame(&process, call.thread, call.mmu, call.cpu) {
                call.die(signal);
            } else if call.thread.whole {
                host::set_mask(call.thread.mask);
            }
            Ok(call.cpu.x(10))
        }
    }
}
