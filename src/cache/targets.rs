//! The targets of a hart's indirect jumps: a table that generated code looks in first.

use crate::base::GuestAddr;
use crate::codegen::x64::TABLE_ENTRIES;

/// One entry, which generated code reads: guest address, code address. It is for the addresses with its index in their low
/// bits, so all zeroes is an empty entry of every index but 0, and memory that nobody touched yet is an empty table.
type Target = [u64; 2];

/// The empty entry of index 0: odd, so that no guest address equals it.
const NO_TARGET: Target = [u64::MAX, 0];

/// The table. It holds only addresses of code that its hart may run: whoever goes over to other code empties it.
#[derive(Debug)]
pub struct Targets(Box<[Target]>);

impl Targets {
    /// An empty table.
    pub fn new() -> Targets {
        let mut table = vec![[0; 2]; TABLE_ENTRIES];
        table[0] = NO_TARGET;
        Targets(table.into())
    }

    /// Lets indirect jumps find the code of `pc`.
    pub fn remember(&mut self, pc: GuestAddr, code: usize) {
        self.0[(pc >> 1) as usize % TABLE_ENTRIES] = [pc, code as u64];
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.fill([0; 2]);
        self.0[0] = NO_TARGET;
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
