//! Finds the number of a block by its address: a hash table of numbers only, with linear probing. The addresses are in
//! the blocks themselves, so an entry has four bytes; at least half of the entries are free, so few are looked at.
//!
//! The first access to memory that is in no cache costs as much as translating an instruction. So what is near each
//! other in the program is near each other here: only the number of its 256 bytes is hashed, to a group of lines of the
//! cache that follow each other, as they are fetched best, and the rest of the address says where in the group to begin.

use crate::base::GuestAddr;

/// The table. An entry is the number of a block, or [`FREE`].
#[derive(Debug)]
pub(super) struct Index {
    entries: Vec<u32>,
    /// Blocks in it.
    used: u32,
}

/// Entries of an empty table; a power of two.
const FIRST: usize = 1 << 10;

/// Entries in a group: one for every 4 bytes of the program.
const GROUP: usize = 64;

/// No block. (Not zero: memory that comes as zeroes would be touched twice, to read and to write.)
const FREE: u32 = u32::MAX;

impl Index {
    /// An empty table.
    pub fn new() -> Index {
        Index { entries: vec![FREE; FIRST], used: 0 }
    }

    /// Where to look first for an address. Hashed by the high bits of a product (Knuth, TAOCP vol. 3, 6.4).
    fn home(&self, pc: GuestAddr) -> usize {
        let groups = self.entries.len() / GROUP;
        let product = (pc / 256).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let group = (product >> (64 - groups.trailing_zeros())) as usize;
        group * GROUP + (pc / 4) as usize % GROUP
    }

    /// The number of the block at `pc`; `pc_of` says at which address a block is.
    #[inline]
    pub fn find(&self, pc: GuestAddr, pc_of: impl Fn(u32) -> GuestAddr) -> Option<u32> {
        let mut at = self.home(pc);
        loop {
            // A free entry comes, since half of them are free.
            match self.entries[at] {
                FREE => return None,
                number if pc_of(number) == pc => return Some(number),
                _ => at = (at + 1) & (self.entries.len() - 1),
            }
        }
    }

    /// Adds the next block, which is at `pc` and not in the table. Blocks are numbered as they are added.
    pub fn insert(&mut self, pc: GuestAddr, pc_of: impl Fn(u32) -> GuestAddr) {
        if self.used as usize * 2 >= self.entries.len() {
            self.grow(pc_of);
        }
        self.place(pc, self.used);
        self.used += 1;
    }

    fn place(&mut self, pc: GuestAddr, number: u32) {
        let mut at = self.home(pc);
        while self.entries[at] != FREE {
            at = (at + 1) & (self.entries.len() - 1);
        }
        self.entries[at] = number;
    }

    #[cold]
    fn grow(&mut self, pc_of: impl Fn(u32) -> GuestAddr) {
        self.entries = vec![FREE; self.entries.len() * 2];
        // In the order of the blocks, which are read one after the other.
        (0..self.used).for_each(|number| self.place(pc_of(number), number));
    }

    /// Takes all blocks out.
    pub fn clear(&mut self) {
        *self = Index::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_and_nothing_else() {
        let pcs: Vec<GuestAddr> = (0..5000).map(|n| n * n * 2).collect();
        let pc_of = |number: u32| pcs[number as usize];
        let mut index = Index::new();
        for &pc in &pcs {
            assert_eq!(index.find(pc, pc_of), None);
            index.insert(pc, pc_of);
        }
        assert!(pcs.iter().enumerate().all(|(number, &pc)| index.find(pc, pc_of) == Some(number as u32)));
        assert_eq!(index.find(6, pc_of), None);
        index.clear();
        assert_eq!(index.find(pcs[1], pc_of), None);
    }
}
