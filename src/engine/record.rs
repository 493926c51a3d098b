//! Recording: the interpreter runs the guest block by block, and what follows what is written down. To the guest it is
//! as any other way of running.

use super::dispatch::{lift_in, GuestExit};
use super::Jit;
use crate::base::error::{Fault, Trap};
use crate::base::PcMap;
use crate::interp::{Exit, SingleBlocks};
use crate::mmu::SoftMmu;
use crate::opt::region::Recording;

/// Why a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// As many blocks ran as were wanted.
    Full,
    /// The guest asked that instruction fetches see earlier stores.
    SyncCode,
    /// Code may have changed: what was recorded is void.
    Stale,
    /// As the interpreter would have ended.
    Exit(GuestExit),
}

/// A recording that goes on, and its blocks as the interpreter runs them.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub recording: Recording,
    /// Most blocks to run.
    pub most: usize,
    /// Most guest instructions of a block to run.
    longest: u64,
    single: SingleBlocks,
    /// For each block of the recording, what stands for it in `single`.
    codes: Vec<u32>,
    known: PcMap<u32>,
}

impl Recorder {
    /// A recording that has not begun.
    pub fn new(most: usize) -> Recorder {
        Recorder { most, longest: u64::MAX, ..Recorder::default() }
    }
}

impl Jit {
    /// Goes on with a recording from the program counter on.
    pub(super) fn record(&mut self, mmu: &SoftMmu, recorder: &mut Recorder) -> Ended {
        loop {
            // What was translated before is not run once it is out of date.
            if mmu.code_epoch() != self.epoch {
                return Ended::Stale;
            }
            if recorder.recording.sequence.len() >= recorder.most {
                return Ended::Full;
            }
            let block = match self.recorded_block(mmu, recorder) {
                Ok(block) => block,
                Err(fault) => return Ended::Exit(GuestExit::Trap(Trap::Memory(fault))),
            };
            let exit = recorder.single.run(&mut self.cpu, mmu, recorder.codes[block as usize]);
            if matches!(exit, Exit::Miss | Exit::Syscall | Exit::SyncCode) {
                recorder.recording.sequence.push(block);
                self.stats.recorded_blocks += 1;
            }
            return match exit {
                Exit::Miss | Exit::Hot => continue,
                Exit::SyncCode => {
                    mmu.sync_code();
                    Ended::SyncCode
                }
                Exit::Syscall => Ended::Exit(GuestExit::Syscall),
                Exit::Trap(trap) => Ended::Exit(GuestExit::Trap(trap)),
                Exit::OutOfFuel => Ended::Exit(GuestExit::OutOfFuel),
                Exit::Interrupted => Ended::Exit(GuestExit::Interrupted),
                // No RISC-V instruction lifts to `Return`.
                Exit::Return => Ended::Exit(GuestExit::Trap(Trap::IllegalInstruction)),
            };
        }
    }

    /// Runs one block in the interpreter, or its first `most` instructions; `None`: go on.
    pub(super) fn step(&mut self, mmu: &SoftMmu, most: u64) -> Option<GuestExit> {
        match self.record(mmu, &mut Recorder { longest: most, ..Recorder::new(1) }) {
            Ended::Exit(exit) => Some(exit),
            _ => None,
        }
    }

    /// Index of the block at the program counter, translated if it is new.
    fn recorded_block(&mut self, mmu: &SoftMmu, recorder: &mut Recorder) -> Result<u32, Fault> {
        let pc = self.cpu.pc;
        if let Some(&block) = recorder.known.get(&pc) {
            return Ok(block);
        }
        let mut block = lift_in(mmu, pc, Vec::new(), &mut self.memo)?;
        block.cut(recorder.longest);
        self.stats.blocks_translated += 1;
        self.stats.instructions_translated += block.cost();
        recorder.codes.push(recorder.single.add(&block));
        let index = recorder.recording.blocks.len() as u32;
        recorder.known.insert(pc, index);
        recorder.recording.blocks.push(block);
        Ok(index)
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
