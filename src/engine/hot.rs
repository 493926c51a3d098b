//! Finding what is hot: where slices of machine code end is a sample of what runs. A block that was seen there often enough is
//! recorded from, and what the recording shows to run together becomes a region.

use super::compile::{Order, Spent, FORMING};
use super::dispatch::GuestExit;
use super::record::{Ended, Recorder};
use super::{native, Jit, Tier};
use crate::base::{GuestAddr, PcMap};
use crate::mmu::SoftMmu;
use crate::opt::region::{Limits, NoRegion, Recording};
use crate::regalloc::Allocator;
use std::sync::Arc;

/// Entries of the table of samples; a power of two.
const SAMPLES: usize = 1 << 10;
/// Samples after which all counts are halved.
const FADE: u32 = 1 << 10;
/// How much more often a block is seen before it is recorded from once more, and before the next time.
const AGAIN: u32 = 8;
const AND_AGAIN: u32 = 4;
/// What recording a guest instruction takes, in the unit of `compile::FORMING`.
const RECORDING: u64 = 15;
/// Most blocks in a recording.
const RECORDED: usize = 3000;

/// How a tier looks for hot code.
#[derive(Clone, Copy, Debug)]
struct Search {
    /// Guest instructions in the first slice; later ones are larger, up to `native::SLICE`.
    slice: u64,
    /// Samples after which a block is hot.
    hot_after: u32,
    /// Guest instructions that run for each that is recorded, or more.
    dilution: u64,
    /// The same for each that could have run while regions were made, less those of the first regions: what is hottest is
    /// found first.
    share: u64,
    head_start: u64,
    /// Guest instructions that run in a region each time it is entered, or more.
    stay: u64,
}

fn search(tier: Tier) -> Option<Search> {
    match tier {
        Tier::Interp | Tier::O0 => None,
        Tier::O1 | Tier::O2 => {
            Some(Search { slice: 2000, hot_after: 1, dilution: 4, share: 2, head_start: 40_000_000, stay: 0 })
        }
        Tier::Auto => Some(Search {
            slice: native::SLICE,
            hot_after: 3,
            dilution: 1024,
            share: 8,
            head_start: 8_000_000,
            stay: 8,
        }),
        Tier::Random { .. } => {
            Some(Search { slice: 320, hot_after: 1, dilution: 0, share: 0, head_start: 0, stay: 0 })
        }
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Profile {
    /// By the low bits of the address: where slices ended, and how often.
    samples: Box<[(GuestAddr, u32)]>,
    /// Samples since all counts were halved.
    since: u32,
    /// Guest instructions in the next slice; 0: as the tier begins.
    slice: u64,
    /// Guest instructions that ran since the last sample.
    ran: u64,
    /// Guest instructions that were recorded.
    recorded: u64,
    /// Guest instructions that could have run meanwhile, and while regions were made, by estimate.
    spent: Arc<Spent>,
    /// How often the block was seen that is recorded from, and whether it is once more.
    seen: u32,
    again: bool,
    /// Of blocks that are done: how often each was seen, and how often it is before it is recorded from once more.
    seen_again: PcMap<(u32, u32)>,
    /// Recordings that chance began.
    begun: u64,
    /// A recording that is not complete.
    recorder: Option<Box<Recorder>>,
    allocator: Allocator,
}

impl Profile {
    /// Counts a sample; returns how often the block was seen lately.
    fn count(&mut self, pc: GuestAddr) -> u32 {
        if self.samples.is_empty() {
            self.samples = vec![(0, 0); SAMPLES].into();
        }
        self.since += 1;
        if self.since == FADE {
            self.since = 0;
            self.samples.iter_mut().for_each(|sample| sample.1 /= 2);
        }
        let sample = &mut self.samples[(pc >> 1) as usize % SAMPLES];
        if sample.0 == pc {
            sample.1 += 1;
        } else if sample.1 > 1 {
            // Another block's, which fades the sooner.
            sample.1 -= 1;
            return 0;
        } else {
            *sample = (pc, 1);
        }
        sample.1
    }

    /// Forgets all that depends on the guest's code.
    pub(super) fn clear(&mut self) {
        self.samples = Box::default();
        self.seen_again.clear();
        self.recorder = None;
    }

    /// Counts a sample at a block that is done. True if it is time to record from it once more.
    fn count_again(&mut self, pc: GuestAddr, first: u32) -> bool {
        let (seen, wanted) = self.seen_again.entry(pc).or_insert((0, first));
        *seen = seen.saturating_add(1);
        *seen >= *wanted
    }

    /// Whether a recording is to be gone on with.
    #[inline]
    pub(super) fn is_recording(&self) -> bool {
        self.recorder.is_some()
    }
}

impl Jit {
    /// Guest instructions in the next slice.
    pub(super) fn next_slice(&mut self, least: u64) -> u64 {
        if self.tier.is_random() {
            return least + self.random.below(256);
        }
        let first = search(self.tier).map_or(native::SLICE, |search| search.slice);
        let slice = self.profile.slice.max(first);
        self.profile.slice = (slice + slice / 16).min(native::SLICE);
        slice
    }

    /// Counts guest instructions that ran in machine code. Where they are a slice's without having come to its end, since
    /// indirect jumps miss, a sample is taken.
    pub(super) fn count_run(&mut self, instructions: u64) {
        self.profile.ran += instructions;
        if self.profile.ran >= native::SLICE && !self.tier.is_random() {
            self.sample();
        }
    }

    /// Takes a sample at the end of a slice. A recording may begin with it.
    pub(super) fn sample(&mut self) {
        let Some(search) = search(self.tier) else { return };
        if self.tier.is_random() {
            // The more there was, the rarer: a program of many threads would do nothing else.
            if self.random.below(8 + self.profile.begun) == 0 {
                self.profile.begun += 1;
                let most = 1 + self.random.below(400) as usize;
                self.begin_region(most);
            }
            return;
        }
        self.profile.ran = 0;
        let pc = self.cpu.pc;
        let seen = self.profile.count(pc);
        let Some(number) = self.native.as_ref().map(native::Native::number) else { return };
        // Where a region is entered again and again there may be a larger one around it, or the guest does something else
        // there now.
        let again = self.works.is_done(number, pc);
        let wanted = match again {
            true => self.profile.count_again(pc, search.hot_after * AGAIN),
            false => seen >= search.hot_after,
        };
        let retired = self.cpu.retired();
        let spent = (self.profile.spent.instructions() + FORMING).saturating_sub(search.head_start);
        let affordable = self.profile.recorded.saturating_mul(search.dilution) <= retired
            && spent.saturating_mul(search.share * (1 + self.profile.spent.fruitless())) <= retired;
        if wanted && affordable && self.works.wants(number, pc, again) {
            (self.profile.seen, self.profile.again) = (seen, again);
            if let Some((_, next)) = self.profile.seen_again.get_mut(&pc) {
                *next = next.saturating_mul(AND_AGAIN);
            }
            self.begin_region(RECORDED);
        }
    }

    /// Has what runs next recorded, at most `most` blocks of it, to make a region.
    pub(super) fn begin_region(&mut self, most: usize) {
        self.profile.recorder = Some(Box::new(Recorder::new(most)));
    }

    /// Goes on with the recording; once it is complete, makes a region of it. `None`: go on.
    pub(super) fn record_region(&mut self, mmu: &SoftMmu) -> Option<GuestExit> {
        let mut recorder = self.profile.recorder.take()?;
        let before = self.cpu.retired();
        let ended = self.record(mmu, &mut recorder);
        let recorded = self.cpu.retired().wrapping_sub(before);
        self.profile.recorded = self.profile.recorded.saturating_add(recorded);
        self.profile.spent.add(recorded.saturating_mul(RECORDING));
        match ended {
            Ended::Exit(exit @ (GuestExit::Syscall | GuestExit::Interrupted | GuestExit::OutOfFuel)) => {
                self.profile.recorder = Some(recorder);
                return Some(exit);
            }
            Ended::Stale => self.works.count(|counts| counts.regions_refused.count(NoRegion::Stale)),
            Ended::Full | Ended::SyncCode | Ended::Exit(_) => self.order_region(recorder.recording),
        }
        match ended {
            Ended::Exit(exit) => Some(exit),
            _ => None,
        }
    }

    /// Has a region made of a recording.
    fn order_region(&mut self, recording: Recording) {
        let Some(native) = self.native.as_ref() else { return };
        let order = Order {
            recording,
            samples: self.profile.seen,
            again: self.profile.again,
            tier: self.tier,
            request: native.unit_request(),
            without: self.without_passes,
            listener: self.listener.clone(),
            generation: native.generation(),
            number: native.number(),
            spent: Arc::clone(&self.profile.spent),
        };
        // Passes of O1 are few, and its code is wanted at once.
        let beside = self.background && matches!(self.tier, Tier::O2 | Tier::Auto);
        let here = if beside { self.works.put(order) } else { Some(Box::new(order)) };
        if let Some(order) = here {
            self.works.make_now(*order, &mut self.profile.allocator);
        }
    }
}

/// What a region must be like on a tier.
pub(super) fn limits(tier: Tier) -> Limits {
    let stay = search(tier).map_or(0, |search| search.stay);
    Limits { stay, ..Limits::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_add_up_and_fade() {
        let mut profile = Profile::default();
        assert_eq!([0x100, 0x100, 0x200, 0x100].map(|pc| profile.count(pc)), [1, 2, 1, 3]);
        // Of two blocks with one place, the one that is seen more often stays.
        let other = 0x100 + 2 * SAMPLES as u64;
        assert_eq!([other, other, 0x100, other].map(|pc| profile.count(pc)), [0, 0, 2, 0]);
        assert_eq!([other, other].map(|pc| profile.count(pc)), [1, 2]);
        (0..FADE).for_each(|n| _ = profile.count(u64::from(n) * 2));
        assert!(profile.count(0x200) <= 2);
        profile.clear();
        assert_eq!(profile.count(other), 1);
    }

    #[test]
    fn slices_grow_to_their_full_size() {
        let mut jit = Jit::new();
        jit.set_tier(Tier::O2);
        assert_eq!(jit.next_slice(64), 2000);
        assert!((0..100).map(|_| jit.next_slice(64)).all(|slice| slice <= native::SLICE));
        assert_eq!(jit.next_slice(64), native::SLICE);
        jit.set_tier(Tier::O0);
        assert_eq!(jit.next_slice(64), native::SLICE);
    }
}
