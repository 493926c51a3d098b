//! The interpreter: tier `Skip`, and the reference that every other tier is compared with.
//!
//! It walks prepared blocks and follows the links between them; what an operation computes comes from `ir::eval`,
//! what it accesses from `mmu`. It leaves its loop only for what the engine must decide.

mod atomic;
pub mod code;
mod step;

use crate::base::error::Trap;
use crate::base::state::CpuState;
use crate::base::GuestAddr;
use crate::ir::Terminator;
use crate::mmu::SoftMmu;
use code::{Code, CodeCache, CodeIndex, Way};

/// Why execution stopped. The program counter in the state says where it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// No block is known at the program counter.
    Miss,
    /// A block ended with `Return`.
    Return,
    /// A system call; the program counter is behind it.
    Syscall,
    /// Instruction fetches must see earlier stores from here on.
    SyncCode,
    /// The guest trapped at the program counter.
    Trap(Trap),
    /// The next block costs more fuel than is left.
    OutOfFuel,
    /// Somebody asked to stop (`CpuState::poll`).
    Interrupted,
}

/// How a block was left.
enum Left {
    /// To a direct target.
    Direct(GuestAddr, Way),
    /// To a computed target.
    Indirect(GuestAddr),
    /// Out of the engine's code.
    Exit(Exit),
}

/// Runs from the program counter until something happens that the interpreter does not decide.
pub fn run(cpu: &mut CpuState, mmu: &SoftMmu, cache: &CodeCache) -> Exit {
    let Some(mut index) = cache.find(cpu.pc) else { return Exit::Miss };
    loop {
        let code = cache.get(index);
        if let Some(exit) = refuse(cpu, code) {
            return exit;
        }
        code.entries.set(code.entries.get() + 1);
        let next = match execute(cpu, mmu, code) {
            Left::Direct(pc, way) => match code.link(way) {
                Some(next) => Some(next),
                None => follow(cpu, cache, code, pc, way),
            },
            Left::Indirect(pc) => {
                cpu.pc = pc;
                cache.find(pc)
            }
            Left::Exit(exit) => return exit,
        };
        match next {
            Some(next) => index = next,
            None => return Exit::Miss,
        }
    }
}

/// Runs one block that need not be in a cache. `Exit::Miss` means that it went on to the program counter.
pub fn run_block(cpu: &mut CpuState, mmu: &SoftMmu, code: &Code) -> Exit {
    cpu.pc = code.start_pc;
    if let Some(exit) = refuse(cpu, code) {
        return exit;
    }
    match execute(cpu, mmu, code) {
        Left::Direct(pc, _) | Left::Indirect(pc) => {
            cpu.pc = pc;
            Exit::Miss
        }
        Left::Exit(exit) => exit,
    }
}

/// The safepoint at the entry of a block: why it may not run now, or pays for it.
#[inline(always)]
fn refuse(cpu: &mut CpuState, code: &Code) -> Option<Exit> {
    if cpu.fuel < code.cost || cpu.must_stop() {
        cpu.pc = code.start_pc;
        return Some(if cpu.must_stop() { Exit::Interrupted } else { Exit::OutOfFuel });
    }
    cpu.fuel -= code.cost;
    None
}

/// Finds a direct successor for the first time and links it.
#[cold]
#[inline(never)]
fn follow(cpu: &mut CpuState, cache: &CodeCache, code: &Code, pc: GuestAddr, way: Way) -> Option<CodeIndex> {
    cpu.pc = pc;
    let next = cache.find(pc)?;
    code.set_link(way, next);
    Some(next)
}

#[inline(always)]
fn execute(cpu: &mut CpuState, mmu: &SoftMmu, code: &Code) -> Left {
    for (index, op) in code.ops.iter().enumerate() {
        if let Err(trap) = step::step(cpu, mmu, code, op) {
            return Left::Exit(trapped(cpu, code, index, trap));
        }
    }
    let reg = |r: u8| cpu.regs[usize::from(r)];
    let indirect = |base, offset: i64| Left::Indirect(reg(base).wrapping_add_signed(offset) & !1);
    match code.term {
        Terminator::Jump { target } | Terminator::Call { target, .. } => Left::Direct(target, Way::Next),
        Terminator::Branch { cond, src1, src2, taken, fallthrough } => match cond.holds(reg(src1), reg(src2)) {
            true => Left::Direct(taken, Way::Taken),
            false => Left::Direct(fallthrough, Way::Next),
        },
        Terminator::JumpIndirect { base, offset }
        | Terminator::CallIndirect { base, offset, .. }
        | Terminator::ReturnIndirect { base, offset } => indirect(base, offset),
        _ => Left::Exit(leave(cpu, code)),
    }
}

/// The terminators that leave the loop.
#[cold]
#[inline(never)]
fn leave(cpu: &mut CpuState, code: &Code) -> Exit {
    let end = code.ops.len();
    match code.term {
        Terminator::Syscall { next } => {
            cpu.pc = next;
            Exit::Syscall
        }
        Terminator::SyncCode { next } => {
            cpu.pc = next;
            Exit::SyncCode
        }
        Terminator::Breakpoint => trapped(cpu, code, end, Trap::Breakpoint),
        Terminator::Illegal => trapped(cpu, code, end, Trap::IllegalInstruction),
        _ => {
            cpu.pc = code.start_pc;
            Exit::Return
        }
    }
}

/// Makes the state that of the instruction at fault: its address, and the fuel of what was not executed given back.
#[cold]
#[inline(never)]
fn trapped(cpu: &mut CpuState, code: &Code, op: usize, trap: Trap) -> Exit {
    let (pc, used) = code.position(op);
    cpu.pc = pc;
    cpu.fuel += code.cost - used;
    Exit::Trap(trap)
}
