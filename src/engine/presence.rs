//! Which translations a hart is running, so that a thread which changed code can wait until nobody runs the old one.

use crate::base::state::{poll, CpuState};
use crate::mmu::SoftMmu;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

/// Outside of translations. No epoch is 0.
const OUTSIDE: u64 = 0;

/// Shows the epoch ([`SoftMmu::code_epoch`]) of the translations that a hart runs. Clones show the same hart.
#[derive(Clone, Debug, Default)]
pub struct Presence(Arc<AtomicU64>);

impl Presence {
    /// Says that the hart is about to run translations of the epoch that is current, and returns it.
    pub(super) fn enter(&self, mmu: &SoftMmu, cpu: &CpuState) -> u64 {
        // Cleared before the epoch is read: a request that comes later is for an epoch that comes later.
        if cpu.must_stop() {
            cpu.poll.fetch_and(!poll::SYNC, Ordering::SeqCst);
        }
        loop {
            let epoch = mmu.code_epoch();
            if self.0.load(Ordering::Relaxed) == epoch {
                return epoch;
            }
            // Either a thread that makes translations out of date sees this store, or the load sees its new epoch.
            self.0.store(epoch, Ordering::SeqCst);
            if mmu.code_epoch() == epoch {
                return epoch;
            }
        }
    }

    /// Says that the hart runs none.
    pub(super) fn leave(&self) {
        self.0.store(OUTSIDE, Ordering::Release);
    }

    /// Waits until the hart no longer runs translations older than `epoch`. `poll` is its poll word.
    pub fn wait_for(&self, epoch: u64, poll: &AtomicU32) {
        let is_behind = || {
            let running = self.0.load(Ordering::SeqCst);
            running != OUTSIDE && running < epoch
        };
        if is_behind() {
            poll.fetch_or(poll::SYNC, Ordering::SeqCst);
        }
        while is_behind() {
            std::thread::yield_now();
        }
    }
}
