//! Finds the code of a block by its address: a hash table with linear probing that threads read without a lock, while one
//! of them, which holds the cache's, adds to it.
//!
//! An entry is one word, so it is there whole or not at all: an address in the guest's 4 GiB, and a place in the arena. A
//! table that is half full is replaced by one of twice the size; the old one stays for those who are still looking in it,
//! which costs as much again as the newest.
//!
//! The first access to memory that is in no cache costs as much as translating an instruction. So what is near each
//! other in the program is near each other here: only the number of its 256 bytes is hashed, to a group of lines of the
//! cache that follow each other, as they are fetched best, and the rest of the address says where in the group to begin.

use crate::base::GuestAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::OnceLock;

/// The table, and those that it replaced.
#[derive(Debug)]
pub(super) struct Index {
    /// Each with twice the entries of the one before.
    tables: [OnceLock<Box<[AtomicU64]>>; TABLES],
    newest: AtomicUsize,
    /// Entries in use.
    used: AtomicUsize,
    /// Times that an entry was replaced.
    replaced: AtomicU64,
}

/// More than 2^32 bytes of code have blocks.
const TABLES: usize = 24;

/// Entries of the first table; a power of two.
const FIRST: usize = 1 << 10;

/// Entries in a group: one for every 4 bytes of the program.
const GROUP: usize = 64;

/// No block. (Not zero: memory that comes as zeroes would be touched twice, to read and to write.)
const FREE: u64 = u64::MAX;

fn new_table(order: usize) -> Box<[AtomicU64]> {
    (0..FIRST << order).map(|_| AtomicU64::new(FREE)).collect()
}

/// Where to look first for an address in a table of `len` entries. Hashed by the high bits of a product (Knuth, TAOCP
/// vol. 3, 6.4).
fn home(pc: u32, len: usize) -> usize {
    let groups = len / GROUP;
    let product = u64::from(pc / 256).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let group = (product >> (64 - groups.trailing_zeros())) as usize;
    group * GROUP + (pc / 4) as usize % GROUP
}

fn place(table: &[AtomicU64], entry: u64) {
    let mut at = home((entry >> 32) as u32, table.len());
    while table[at].load(Ordering::Relaxed) != FREE {
        at = (at + 1) & (table.len() - 1);
    }
    // What the entry leads to was published before.
    table[at].store(entry, Ordering::Release);
}

impl Index {
    /// An empty table.
    pub fn new() -> Index {
        Index {
            tables: [const { OnceLock::new() }; TABLES],
            newest: AtomicUsize::new(0),
            used: AtomicUsize::new(0),
            replaced: AtomicU64::new(0),
        }
    }

    fn table(&self) -> &[AtomicU64] {
        let order = self.newest.load(Ordering::Acquire);
        self.tables[order].get_or_init(|| new_table(order))
    }

    /// The place in the arena of the code for `pc`.
    #[inline]
    pub fn find(&self, pc: GuestAddr) -> Option<u32> {
        let pc = u32::try_from(pc).ok()?;
        let table = self.table();
        let mut at = home(pc, table.len());
        loop {
            // A free entry comes, since half of them are free.
            match table[at].load(Ordering::Acquire) {
                FREE => return None,
                entry if (entry >> 32) as u32 == pc => return Some(entry as u32),
                _ => at = (at + 1) & (table.len() - 1),
            }
        }
    }

    /// Adds a block that is not in the table. One thread at a time. An address beyond the guest's space is not added,
    /// and not found: nothing can be executed there.
    pub fn insert(&self, pc: GuestAddr, offset: u32) {
        let Ok(pc) = u32::try_from(pc) else { return };
        if self.used.load(Ordering::Relaxed) * 2 >= self.table().len() {
            self.grow();
        }
        place(self.table(), u64::from(pc) << 32 | u64::from(offset));
        // Only who adds writes it. (An addition that is atomic would wait for the entry, which is in no cache.)
        self.used.store(self.used.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Leads to other code for `pc` from now on; false if there is none so far. One thread at a time. Whoever looks
    /// meanwhile finds the one or the other.
    pub fn replace(&self, pc: GuestAddr, offset: u32) -> bool {
        let Ok(pc) = u32::try_from(pc) else { return false };
        let table = self.table();
        let mut at = home(pc, table.len());
        loop {
            match table[at].load(Ordering::Relaxed) {
                FREE => return false,
                entry if (entry >> 32) as u32 == pc => break,
                _ => at = (at + 1) & (table.len() - 1),
            }
        }
        // What the entry leads to was published before.
        table[at].store(u64::from(pc) << 32 | u64::from(offset), Ordering::Release);
        self.replaced.fetch_add(1, Ordering::Release);
        true
    }

    /// How often something was replaced: who sees another number than last time may remember code that was.
    #[inline]
    pub fn replaced(&self) -> u64 {
        self.replaced.load(Ordering::Acquire)
    }

    /// Takes all blocks out. Nobody may be looking.
    pub fn clear(&self) {
        self.table().iter().for_each(|entry| entry.store(FREE, Ordering::Relaxed));
        self.used.store(0, Ordering::Relaxed);
    }

    #[cold]
    fn grow(&self) {
        let order = (self.newest.load(Ordering::Relaxed) + 1).min(TABLES - 1);
        let bigger = self.tables[order].get_or_init(|| new_table(order));
        let entries = self.table().iter().map(|entry| entry.load(Ordering::Relaxed));
        entries.filter(|&entry| entry != FREE).for_each(|entry| place(bigger, entry));
        self.newest.store(order, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_and_nothing_else() {
        let pcs: Vec<GuestAddr> = (0..5000).map(|n| n * n * 2).collect();
        let index = Index::new();
        for (number, &pc) in pcs.iter().enumerate() {
            assert_eq!(index.find(pc), None);
            index.insert(pc, number as u32);
        }
        assert!(pcs.iter().enumerate().all(|(number, &pc)| index.find(pc) == Some(number as u32)));
        assert_eq!(index.find(6), None);
        assert_eq!(index.find(pcs[1] + (1 << 32)), None);
    }

    #[test]
    fn what_was_replaced_is_found_after_the_table_grew_too() {
        let index = Index::new();
        (0..400).for_each(|n| index.insert(n * 2, n as u32));
        assert!((0..400).step_by(3).all(|n| index.replace(n * 2, n as u32 + 10_000)));
        assert!(!index.replace(801, 1) && !index.replace(1 << 32, 1));
        assert_eq!(index.replaced(), 134);
        (400..4000).for_each(|n| index.insert(n * 2, n as u32));
        let expected = |n: u64| n as u32 + if n < 400 && n.is_multiple_of(3) { 10_000 } else { 0 };
        assert!((0..4000).all(|n| index.find(n * 2) == Some(expected(n))));
    }

    #[test]
    fn readers_see_whole_entries_while_the_table_grows() {
        let index = Index::new();
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| loop {
                        let found = (0..20_000).filter_map(|n| index.find(n * 2).map(|at| (n, at)));
                        let mut count = 0;
                        for (n, at) in found {
                            assert_eq!(u64::from(at), n + 1);
                            count += 1;
                        }
                        if count == 20_000 {
                            return count;
                        }
                    })
                })
                .collect();
            (0..20_000).for_each(|n| index.insert(n * 2, n as u32 + 1));
            readers.into_iter().for_each(|reader| assert_eq!(reader.join().unwrap(), 20_000));
        });
    }
}
