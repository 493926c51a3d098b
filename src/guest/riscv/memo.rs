//! Instructions that were lifted lately. More than half of a program's instructions were there just before (moves of
//! arguments, saves and restores, stack adjustments), and most mean the same operation wherever they stand.
//!
//! An entry is found by a hash of the instruction word and replaced by the next word of the same hash. What it holds
//! does not depend on anything but the word, so it never goes out of date.

use crate::ir::IROp;

/// Entries of [`Memo::new`]: 24 KiB, to stay in the processor's first cache. Twice as many find 4 % more.
const ENTRIES: usize = 1 << 10;

/// No instruction word: those of 16 bits have zeroes above them.
const NONE: u32 = 0xffff_fffe;

#[derive(Clone, Copy, Debug)]
struct Entry {
    word: u32,
    op: IROp,
}

/// The table: no entry yet, or a power of two.
#[derive(Clone, Debug, Default)]
pub struct Memo(Vec<Entry>);

impl Memo {
    /// An empty table, to be used for many blocks. It takes no memory before the first.
    pub fn new() -> Memo {
        Memo::default()
    }

    /// A table that is hardly one, for a single block.
    pub fn tiny() -> Memo {
        Memo(empty(1))
    }

    /// Fibonacci hashing (Knuth, TAOCP 3, 6.4): the bits above the low ones of a product.
    #[inline(always)]
    fn index(&self, word: u32) -> usize {
        (word.wrapping_mul(0x9e37_79b9) >> 16) as usize & self.0.len().wrapping_sub(1)
    }

    /// The operation that the instruction means, if it was there lately.
    #[inline(always)]
    pub(super) fn get(&self, word: u32) -> Option<&IROp> {
        self.0.get(self.index(word)).filter(|entry| entry.word == word).map(|entry| &entry.op)
    }

    /// Notes an operation, all that an instruction means, whatever its address.
    #[inline(always)]
    pub(super) fn put(&mut self, word: u32, op: IROp) {
        let index = self.index(word);
        match self.0.get_mut(index) {
            Some(entry) => *entry = Entry { word, op },
            None => self.0 = empty(ENTRIES),
        }
    }
}

#[cold]
fn empty(count: usize) -> Vec<Entry> {
    vec![Entry { word: NONE, op: IROp::Fence {} }; count]
}

#[cfg(test)]
mod tests {
    use super::super::translate::{lift, lift_into};
    use super::*;

    /// `addi a0, a0, 1; lw a1, 4(a0); auipc a2, 0; add x0, a0, a0; lw x0, 0(a0); c.mv a3, a0; ret`, twice.
    const CODE: [u32; 6] = [0x0015_0513, 0x0045_2583, 0x0000_0617, 0x00a5_0033, 0x0005_2003, 0x8082_86aa];

    #[test]
    fn what_is_remembered_is_what_would_be_lifted() {
        let code: Vec<u8> = CODE.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut memo = Memo::new();
        lift_into(0, &code, vec![], &mut memo);
        for pc in [0x1000, 0x2000, 0x3000] {
            assert_eq!(lift_into(pc, &code, vec![], &mut memo), lift(pc, &code));
        }
        assert_eq!(memo.get(CODE[0]), Some(&IROp::AddImm { dst: 10, src: 10, imm: 1 }));
        assert_eq!(memo.get(CODE[2]), None, "the result depends on the address");
    }

    #[test]
    fn nothing_is_in_an_empty_table() {
        assert!([Memo::new(), Memo::tiny()]
            .iter()
            .all(|memo| memo.get(0).is_none() && memo.get(1).is_none()));
    }
}
