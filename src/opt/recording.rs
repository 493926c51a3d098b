//! What ran: what regions are chosen from.

use crate::base::{GuestAddr, PcMap};
use crate::ir::IRBlock;

/// What ran: each block once, and the order in which they ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    pub blocks: Vec<IRBlock>,
    /// Indices into `blocks`. Where a block does not lead to the next one, its system call was served, or a signal came.
    pub sequence: Vec<u32>,
}

impl Recording {
    /// Goes on with another recording of the same guest code.
    pub fn append(&mut self, other: &Recording) {
        let mut known: PcMap<u32> =
            self.blocks.iter().zip(0..).map(|(block, index)| (block.start_pc, index)).collect();
        let place = |block: &IRBlock| {
            *known.entry(block.start_pc).or_insert_with(|| {
                self.blocks.push(block.clone());
                self.blocks.len() as u32 - 1
            })
        };
        let places: Vec<u32> = other.blocks.iter().map(place).collect();
        let known = other.sequence.iter().filter_map(|&block| places.get(block as usize));
        self.sequence.extend(known);
    }

    /// How many guest instructions of it ran in some blocks, and how often control came there from others. Their addresses are
    /// in ascending order.
    pub fn inside(&self, blocks: &[GuestAddr]) -> (u64, u64) {
        let is_in: Vec<bool> =
            self.blocks.iter().map(|block| blocks.binary_search(&block.start_pc).is_ok()).collect();
        let (mut instructions, mut entries, mut was_in) = (0, 0, false);
        for &block in &self.sequence {
            if is_in[block as usize] {
                instructions += self.blocks[block as usize].cost();
                entries += u64::from(!was_in);
            }
            was_in = is_in[block as usize];
        }
        (instructions, entries)
    }

    /// Some of it from everywhere, about `most` blocks of the sequence.
    #[must_use]
    pub fn thinned(&self, most: usize) -> Recording {
        let parts = self.sequence.len().div_ceil(most.max(1));
        let parts = self.sequence.chunks(PART).enumerate().filter(|(at, _)| at % parts.max(1) == 0);
        let sequence = parts.flat_map(|(_, part)| part).copied().collect();
        Recording { blocks: self.blocks.clone(), sequence }
    }
}

/// Blocks that stay together when a recording is thinned.
const PART: usize = 250;
