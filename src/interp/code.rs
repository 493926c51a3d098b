//! Blocks as the interpreter runs them, and the cache that finds them.
//!
//! Preparing a block strips its marks into a side table, so that the hot loop meets only operations that do
//! something. Blocks are never freed one by one: invalidation clears the whole cache, so a link between blocks
//! (an index) cannot dangle.

use crate::base::GuestAddr;
use crate::ir::{IRBlock, IROp, Terminator};
use std::cell::Cell;
use std::collections::HashMap;

/// Index of a block in its [`CodeCache`].
pub type CodeIndex = u32;

/// A link that was not made yet.
const NO_LINK: CodeIndex = CodeIndex::MAX;

/// A prepared block.
#[derive(Debug)]
pub struct Code {
    /// Guest address of the block.
    pub start_pc: GuestAddr,
    /// The operations without marks.
    pub ops: Box<[IROp]>,
    /// How the block ends.
    pub term: Terminator,
    /// Fuel that the whole block takes.
    pub cost: u64,
    /// For each guest instruction, the index of its first operation and its address; ascending.
    marks: Box<[(u32, GuestAddr)]>,
    /// Successors found so far: of a jump or fall-through, and of a taken branch.
    links: [Cell<CodeIndex>; 2],
    /// How often the block was entered.
    pub entries: Cell<u64>,
}

/// Which way a block was left towards a direct target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The only or the fall-through successor.
    Next,
    /// The taken branch.
    Taken,
}

impl Code {
    /// Prepares a block.
    pub fn new(block: &IRBlock) -> Code {
        let (mut ops, mut marks) = (Vec::with_capacity(block.ops.len()), Vec::new());
        for op in &block.ops {
            match *op {
                IROp::Mark { pc } => marks.push((u32::try_from(ops.len()).unwrap_or(u32::MAX), pc)),
                op => ops.push(op),
            }
        }
        Code {
            start_pc: block.start_pc,
            ops: ops.into(),
            term: block.term,
            cost: block.cost(),
            marks: marks.into(),
            links: [Cell::new(NO_LINK), Cell::new(NO_LINK)],
            entries: Cell::new(0),
        }
    }

    /// Where execution stands at operation `op` (`ops.len()`: the terminator): the address of its guest instruction
    /// and the fuel that was used before that instruction.
    pub fn position(&self, op: usize) -> (GuestAddr, u64) {
        let after = self.marks.partition_point(|&(first, _)| first as usize <= op);
        match after.checked_sub(1) {
            Some(index) => (self.marks[index].1, index as u64),
            None => (self.start_pc, op as u64),
        }
    }

    /// The linked successor, if one was found already.
    #[inline(always)]
    pub fn link(&self, way: Way) -> Option<CodeIndex> {
        let index = self.links[way as usize].get();
        (index != NO_LINK).then_some(index)
    }

    /// Remembers a successor.
    pub fn set_link(&self, way: Way, to: CodeIndex) {
        self.links[way as usize].set(to);
    }
}

/// Entries of the direct-mapped table in front of the map; a power of two.
const TABLE: usize = 1 << 12;

/// All prepared blocks of one hart.
#[derive(Debug)]
pub struct CodeCache {
    codes: Vec<Code>,
    by_pc: HashMap<GuestAddr, CodeIndex>,
    table: Box<[Cell<(GuestAddr, CodeIndex)>]>,
}

impl Default for CodeCache {
    fn default() -> Self {
        CodeCache { codes: Vec::new(), by_pc: HashMap::new(), table: vec![Cell::new((0, NO_LINK)); TABLE].into() }
    }
}

impl CodeCache {
    /// The block at `index`, which this cache returned since it was last cleared.
    #[inline(always)]
    pub fn get(&self, index: CodeIndex) -> &Code {
        &self.codes[index as usize]
    }

    /// The block that begins at `pc`.
    #[inline(always)]
    pub fn find(&self, pc: GuestAddr) -> Option<CodeIndex> {
        // Instructions are at least two bytes apart.
        let slot = &self.table[(pc >> 1) as usize % TABLE];
        let (at, index) = slot.get();
        if at == pc && index != NO_LINK {
            return Some(index);
        }
        self.find_slowly(pc)
    }

    #[inline(never)]
    fn find_slowly(&self, pc: GuestAddr) -> Option<CodeIndex> {
        let index = *self.by_pc.get(&pc)?;
        self.table[(pc >> 1) as usize % TABLE].set((pc, index));
        Some(index)
    }

    /// Adds a block; replaces none: the caller has looked for it before.
    pub fn insert(&mut self, block: &IRBlock) -> CodeIndex {
        let index = CodeIndex::try_from(self.codes.len()).unwrap_or(NO_LINK);
        self.codes.push(Code::new(block));
        self.by_pc.insert(block.start_pc, index);
        index
    }

    /// Forgets all blocks.
    pub fn clear(&mut self) {
        self.codes.clear();
        self.by_pc.clear();
        self.table.fill(Cell::new((0, NO_LINK)));
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::parse;

    #[test]
    fn positions_come_from_the_marks() {
        let text = "block 0x10 {\nmark 0x10\ncopy x1, x2\nmark 0x12\nmark 0x16\ncopy x1, x2\ncopy x3, x2\nbreakpoint\n}";
        let code = Code::new(&parse(text).unwrap()[0]);
        assert_eq!(code.cost, 3);
        assert_eq!(code.position(0), (0x10, 0));
        assert_eq!(code.position(1), (0x16, 2));
        assert_eq!(code.position(3), (0x16, 2));
    }

    #[test]
    fn blocks_that_share_a_table_slot_are_both_found() {
        let mut cache = CodeCache::default();
        let block = |start_pc| IRBlock { start_pc, ops: vec![], term: Terminator::Return };
        let far = (TABLE as u64) * 2;
        let (a, b) = (cache.insert(&block(0x100)), cache.insert(&block(0x100 + far)));
        assert_eq!((cache.find(0x100), cache.find(0x100 + far), cache.find(0x100)), (Some(a), Some(b), Some(a)));
        cache.clear();
        assert_eq!(cache.find(0x100), None);
    }
}
