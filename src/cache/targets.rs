//! The targets of a hart's indirect jumps: a table that generated code looks in first.

use crate::base::GuestAddr;
use crate::codegen::x64::TABLE_ENTRIES;

/// One entry, which generated code reads: guest address, code address. It is for the addresses with its index in their low
/// bits, or the index with the last bit flipped. So all zeroes is an empty entry of every index but 0 and 1, and memory that
/// nobody touched yet is an empty table.
type Target = [u64; 2];

/// The empty entry of indices 0 and 1: odd, so that no guest address equals it.
const NO_TARGET: Target = [u64::MAX, 0];

/// The table. It holds only addresses of code that its hart may run: whoever goes over to other code empties it.
#[derive(Debug)]
pub struct Targets(Box<[Target]>);

impl Targets {
    /// An empty table.
    pub fn new() -> Targets {
        let mut table = vec![[0; 2]; TABLE_ENTRIES];
        table[..2].fill(NO_TARGET);
        Targets(table.into())
    }

    /// Lets indirect jumps find the code of `pc`. What was there goes to the other place of the pair.
    pub fn remember(&mut self, pc: GuestAddr, code: usize) {
        let first = (pc >> 1) as usize % TABLE_ENTRIES;
        if self.0[first][0] != pc {
            self.0[first ^ 1] = self.0[first];
        }
        self.0[first] = [pc, code as u64];
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.fill([0; 2]);
        self.0[..2].fill(NO_TARGET);
    }

    /// Host address of the first entry.
    pub fn address(&self) -> u64 {
        self.0.as_ptr().expose_provenance() as u64
    }
}

impl Default for Targets {
    fn default() -> Targets {
        Targets::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_targets_share_a_place() {
        let mut targets = Targets::new();
        let pcs = [0x1000, 0x1000 + 2 * TABLE_ENTRIES as u64, 0x1000 + 4 * TABLE_ENTRIES as u64];
        let found = |targets: &Targets| pcs.map(|pc| targets.0.iter().position(|entry| entry[0] == pc));
        let first = 0x1000 / 2 % TABLE_ENTRIES;
        targets.remember(pcs[0], 1);
        targets.remember(pcs[0], 2);
        assert_eq!(found(&targets), [Some(first), None, None]);
        targets.remember(pcs[1], 3);
        assert_eq!(found(&targets), [Some(first ^ 1), Some(first), None]);
        targets.remember(pcs[2], 4);
        assert_eq!(found(&targets), [None, Some(first ^ 1), Some(first)]);
        targets.clear();
        assert!(targets.0[2..].iter().all(|entry| entry == &[0; 2]));
        assert_eq!(targets.0[..2], [NO_TARGET; 2]);
    }
}
