//! What threads held when they ended: the robust futexes that nobody else would release.

use super::thread::{Peer, Threads};
use crate::base::{lock, GuestAddr};
use crate::mmu::SoftMmu;
use std::sync::Arc;

impl Threads {
    /// The process is about to end: what its threads hold, other processes may wait for.
    pub fn release_robust_futexes(&self, mmu: &SoftMmu) {
        let peers: Vec<Arc<Peer>> = lock(&self.list).clone();
        peers.iter().for_each(|peer| release_all(peer, mmu));
    }
}

/// Marks the robust futexes that a thread still holds (Linux `exit_robust_list`): the list leads from its head back to
/// it, and the head also has the distance from an entry to its futex and an entry that was being handled.
pub fn release_all(peer: &Peer, mmu: &SoftMmu) {
    /// `ROBUST_LIST_LIMIT`.
    const MOST: usize = 2048;
    let head = peer.robust_list();
    if head == 0 {
        return;
    }
    let (Ok(first), Ok(offset), Ok(handled)) =
        (mmu.read_u64(head), mmu.read_u64(head.wrapping_add(8)), mmu.read_u64(head.wrapping_add(16)))
    else {
        return;
    };
    // The lowest bit of an entry's address marks another kind of futex.
    let release_entry = |entry: u64| release(peer.tid(), mmu, (entry & !1).wrapping_add(offset));
    let mut entry = first;
    for _ in 0..MOST {
        if entry & !1 == head {
            break;
        }
        let Ok(next) = mmu.read_u64(entry & !1) else { break };
        if entry & !1 != handled & !1 {
            release_entry(entry);
        }
        entry = next;
    }
    if handled & !1 != 0 {
        release_entry(handled);
    }
}

/// Says in a futex that its owner `tid` is gone, and wakes one who waits for it.
fn release(tid: i32, mmu: &SoftMmu, word: GuestAddr) {
    const TID_MASK: u64 = 0x3fff_ffff;
    const OWNER_DIED: u64 = 0x4000_0000;
    const WAITERS: u64 = 0x8000_0000;
    if !word.is_multiple_of(4) {
        return;
    }
    let mut value = 0;
    while mmu.load_u32(word, &mut value).is_ok() && value & TID_MASK == u64::from(tid.unsigned_abs()) {
        let (wanted, mut seen) = (value & WAITERS | OWNER_DIED, 0);
        if mmu.swap_u32(word, value as u32, wanted as u32, &mut seen).is_err() {
            return;
        }
        if seen == value {
            if value & WAITERS != 0 {
                mmu.wake_futex(word);
            }
            return;
        }
    }
}
