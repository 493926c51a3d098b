//! The interpreter: tier `Skip`, and the reference that every other tier is compared with.
//!
//! It walks prepared blocks and follows the links between them; what an operation computes comes from `ir::eval`,
//! what it accesses from `mmu`. It leaves its loop only for what the engine must decide.

mod atomic;
pub mod code;
mod execute;

use crate::base::error::Trap;
use crate::base::state::CpuState;
use crate::ir::{IRBlock, IROp};
use crate::mmu::SoftMmu;
use code::{BlockCache, Inst, Place};
use execute::{execute, leave, refused, trapped};

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
    /// The block at the program counter was entered as often as [`BlockCache::set_hot`] says; it was not run.
    Hot,
}

/// Runs from the program counter until something happens that the interpreter does not decide.
pub fn run(cpu: &mut CpuState, mmu: &SoftMmu, cache: &mut BlockCache) -> Exit {
    loop {
        let Some(place) = cache.find(cpu.pc) else { return Exit::Miss };
        cache.link(cpu.pc, place);
        match execute(cpu, mmu, cache, &cache.stream, place) {
            Left::Stub { place } => match cache.stub_target(place) {
                Some(target) => cpu.pc = target,
                None => return Exit::Trap(Trap::IllegalInstruction),
            },
            left => return exit(cpu, cache, left),
        }
    }
}

/// What leaving the hot loop means; the state is made that of a boundary between instructions.
fn exit(cpu: &mut CpuState, cache: &BlockCache, left: Left) -> Exit {
    match left {
        Left::Miss | Left::Stub { .. } => Exit::Miss,
        Left::Trap { ip, trap } => trapped(cpu, cache, ip, trap),
        Left::Refused { ip } => refused(cpu, cache, ip),
        Left::Terminator { ip } => leave(cpu, cache, ip),
        Left::Hot { ip } => {
            cpu.pc = cache.code_at(ip as Place).map_or(cpu.pc, |code| code.start_pc);
            Exit::Hot
        }
    }
}

/// Executes one operation that is not of a block, for code of other tiers that has no own way to do it. Marks do
/// nothing. `ReadRetired` is not for this: it needs its block.
///
/// # Errors
/// The trap of the operation, which has then done nothing.
pub fn operation(cpu: &mut CpuState, mmu: &SoftMmu, cache: &BlockCache, op: IROp) -> Result<(), Trap> {
    let Some(inst) = Inst::of(op) else { return Ok(()) };
    match execute(cpu, mmu, cache, &[inst, Inst::Leave], 0) {
        Left::Trap { trap, .. } => Err(trap),
        _ => Ok(()),
    }
}

/// Blocks that are run one at a time, each by its own place.
#[derive(Debug, Default)]
pub struct SingleBlocks(BlockCache);

impl SingleBlocks {
    /// Adds a block; what it returns stands for the block.
    pub fn add(&mut self, block: &IRBlock) -> u32 {
        self.0.append(block)
    }

    /// Number of blocks that were added.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all blocks.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Runs one block. `Exit::Miss` means that it went on to the program counter.
    pub fn run(&mut self, cpu: &mut CpuState, mmu: &SoftMmu, block: u32) -> Exit {
        let left = execute(cpu, mmu, &self.0, &self.0.stream, block);
        // Nothing is linked and nothing can be found by address, so every successor is left here.
        if let Left::Stub { place } = left {
            if let Some(target) = self.0.stub_target(place) {
                cpu.pc = target;
            }
        }
        exit(cpu, &self.0, left)
    }
}

/// How [`execute`] ended.
enum Left {
    /// At a successor that is not linked yet.
    Stub { place: Place },
    /// At a computed target, now the program counter, where no block is known.
    Miss,
    /// An operation trapped.
    Trap { ip: usize, trap: Trap },
    /// The safepoint at a block's entry did not let it run.
    Refused { ip: usize },
    /// At a terminator that the loop does not do.
    Terminator { ip: usize },
    /// The block was entered as often as it was to be.
    Hot { ip: usize },
}
