//! Runs guest code: looks translations up, makes what is missing, drops what is out of date.

use super::Jit;
use crate::base::error::{Access, Fault, Trap};
use crate::guest::riscv::translate::{lift, MAX_BLOCK_BYTES};
use crate::interp::{self, Exit};
use crate::ir::IRBlock;
use crate::mmu::SoftMmu;

/// Why a guest program stopped running. The program counter says where it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestExit {
    /// A system call; the program counter is behind it.
    Syscall,
    /// The instruction at the program counter trapped.
    Trap(Trap),
    /// The next block costs more fuel than is left.
    OutOfFuel,
    /// The hart was asked to stop.
    Interrupted,
}

impl Jit {
    /// Runs RISC-V code from the program counter until its owner is needed.
    pub fn run_guest(&mut self, mmu: &SoftMmu) -> GuestExit {
        loop {
            self.drop_stale(mmu);
            match interp::run(&mut self.cpu, mmu, &mut self.cache) {
                Exit::Miss => {
                    if let Err(fault) = self.translate(mmu) {
                        return GuestExit::Trap(Trap::Memory(fault));
                    }
                }
                Exit::SyncCode => mmu.invalidate_code(),
                Exit::Syscall => return GuestExit::Syscall,
                Exit::Trap(trap) => return GuestExit::Trap(trap),
                Exit::OutOfFuel => return GuestExit::OutOfFuel,
                Exit::Interrupted => return GuestExit::Interrupted,
                // No RISC-V instruction lifts to `Return`.
                Exit::Return => return GuestExit::Trap(Trap::IllegalInstruction),
            }
        }
    }

    /// Throws translations away that the memory has declared out of date.
    fn drop_stale(&mut self, mmu: &SoftMmu) {
        let epoch = mmu.code_epoch();
        if self.epoch != epoch {
            self.epoch = epoch;
            if !self.cache.is_empty() {
                self.cache.clear();
                self.stats.invalidations += 1;
            }
        }
    }

    /// Translates the block at the program counter into the cache.
    fn translate(&mut self, mmu: &SoftMmu) -> Result<(), Fault> {
        let block = lift_at(mmu, self.cpu.pc)?;
        self.stats.blocks_translated += 1;
        self.stats.instructions_translated += block.cost();
        self.cache.insert(&block);
        Ok(())
    }
}

/// Fetches and lifts the block at `pc`.
///
/// # Errors
/// The fetch fault of its first instruction.
pub fn lift_at(mmu: &SoftMmu, pc: u64) -> Result<IRBlock, Fault> {
    let mut code = [0; MAX_BLOCK_BYTES];
    let len = mmu.fetch(pc, &mut code)?;
    lift(pc, &code[..len]).ok_or_else(|| {
        // The first half of an instruction is there and the second is not.
        let addr = pc.wrapping_add(len as u64);
        Fault { addr, access: Access::Fetch, mapped: mmu.prot(addr).is_some(), beyond_file: false }
    })
}
