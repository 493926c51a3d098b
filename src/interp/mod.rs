//! The interpreter: tier `Skip`, and the reference that every other tier is compared with.
//!
//! It walks prepared blocks and follows the links between them; what an operation computes comes from `ir::eval`,
//! what it accesses from `mmu`. It leaves its loop only for what the engine must decide.

mod atomic;
pub mod code;
mod execute;

use crate::base::error::Trap;
use crate::base::state::CpuState;
use crate::ir::IRBlock;
use crate::mmu::SoftMmu;
use code::{CodeCache, Place};
use execute::execute;

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

/// Runs from the program counter until something happens that the interpreter does not decide.
pub fn run(cpu: &mut CpuState, mmu: &SoftMmu, cache: &mut CodeCache) -> Exit {
    loop {
        let Some(place) = cache.find(cpu.pc) else { return Exit::Miss };
        cache.link(place);
        match execute(cpu, mmu, cache, place) {
            Left::Stub { place, taken } => match cache.stub_target(place, taken) {
                Some(target) => cpu.pc = target,
                None => return Exit::Trap(Trap::IllegalInstruction),
            },
            Left::Miss => return Exit::Miss,
            Left::Exit(exit) => {
                cache.drop_pending();
                return exit;
            }
        }
    }
}

/// Blocks that are run one at a time, each by its own place.
#[derive(Debug, Default)]
pub struct SingleBlocks(CodeCache);

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
        let exit = match execute(cpu, mmu, &self.0, block) {
            // Nothing is linked and nothing can be found by address, so every successor is left here.
            Left::Stub { place, taken } => {
                if let Some(target) = self.0.stub_target(place, taken) {
                    cpu.pc = target;
                }
                Exit::Miss
            }
            Left::Miss => Exit::Miss,
            Left::Exit(exit) => exit,
        };
        self.0.drop_pending();
        exit
    }
}

/// How [`execute`] ended.
enum Left {
    /// At a successor that is not linked yet.
    Stub { place: Place, taken: bool },
    /// At a computed target, now the program counter, where no block is known.
    Miss,
    /// Out of the engine's code.
    Exit(Exit),
}
