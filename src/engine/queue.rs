//! What is to be compiled as regions in a process, and the thread that does it while the guest runs on
//! (`docs/adr/0013-regions-are-compiled-beside-the-guest.md`).
//!
//! Invariants:
//! - The lock is not held while anything is compiled, nor while code is published.
//! - The thread ends before the last engine that may ask something of it is gone.

use super::compile::{nanoseconds, Order};
use super::made::{Again, Regions};
use super::stats::{Counts, GaveUp};
use crate::base::{lock, GuestAddr, PcMap};
use crate::opt::region::{NoRegion, Recording, Region};
use crate::regalloc::Allocator;
use crate::sys::thread::{start_beside, Beside};
use std::collections::HashSet;
use std::ops::Deref;
#[cfg(feature = "linux")]
use std::sync::MutexGuard;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// Orders that may wait; with more nothing is recorded, so that recordings do not pile up.
const ROOM: usize = 16;
/// Stack of the thread, as that of the threads that run guests.
const STACK: usize = 512 << 10;
/// Its name, as the host shows it.
const NAME: [u8; 16] = *b"vmjit-optimise\0\0";

/// What is to be compiled in a process.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Told when there is something to do.
    changed: Condvar,
}

/// The queue as the engines of a process have it. With the last of them the thread ends.
#[derive(Debug, Default)]
pub(super) struct Works(Arc<Queue>);

#[derive(Debug, Default)]
struct State {
    /// Number of the newest code that was asked about, and the blocks that are not recorded from again in it, and are not
    /// heads again: they have a region, will have one, or cannot have one.
    number: u64,
    done: HashSet<GuestAddr>,
    /// The blocks that are in regions by now, with the number of regions when the last of those was chosen.
    inside: PcMap<u64>,
    regions: u64,
    made: Regions,
    waiting: Vec<Waiting>,
    /// What the thread is at: the first block that was recorded, and the head, which is done.
    at_work: Vec<GuestAddr>,
    thread: Option<Beside>,
    /// The thread is to end.
    ending: bool,
    counts: Counts,
}

#[derive(Debug)]
struct Waiting {
    order: Order,
    /// Once it is chosen.
    region: Option<Region>,
    since: Instant,
    /// [`State::regions`] when it was ordered.
    regions: u64,
}

impl Waiting {
    /// What is done first: what compiling it gains for what that costs. How often it was sampled times the share of the
    /// recording that would have run inside is how much of all that runs is in it; of that every part gains the same, as far
    /// as is known; and compiling costs about the same for each guest instruction. Recordings come before regions: what
    /// those are worth has to be known.
    fn gain(&self) -> u64 {
        let Some(region) = &self.region else { return u64::MAX };
        let blocks = &self.order.recording.blocks;
        let cost: u64 = region.blocks.iter().map(|block| blocks[block.block].cost()).sum();
        (u64::from(self.order.samples).max(1) * region.score * 1024) / cost.max(1)
    }

    /// The blocks that are done on account of it.
    fn claimed(&self) -> impl Iterator<Item = GuestAddr> + '_ {
        let head = self.region.as_ref().and_then(|region| region.head(&self.order.recording));
        self.order.first().into_iter().chain(head)
    }
}

impl State {
    /// Goes over to the code of a number; false if there is newer already.
    fn follow(&mut self, number: u64) -> bool {
        if number > self.number {
            self.number = number;
            self.done.clear();
            self.inside.clear();
            self.made.clear();
        }
        number == self.number
    }

    /// Takes out what is to be done next.
    fn next(&mut self) -> Option<Waiting> {
        let number = self.number;
        let before = self.waiting.len();
        let mut dropped = Vec::new();
        self.waiting.retain(|waiting| {
            let good = waiting.order.number == number;
            if !good {
                dropped.push(waiting.order.tier);
            }
            good
        });
        debug_assert_eq!(before, self.waiting.len() + dropped.len());
        dropped.into_iter().for_each(|tier| self.counts.tier(tier).gave_up.count(GaveUp::Stale));
        // Of equals the first.
        let best = (0..self.waiting.len()).rev().max_by_key(|&at| self.waiting[at].gain())?;
        let next = self.waiting.remove(best);
        self.at_work = next.claimed().collect();
        self.counts.waiting_nanoseconds += nanoseconds(next.since);
        Some(next)
    }
}

impl Queue {
    /// Whether a block of the code with this number is not to be a head.
    pub fn is_done(&self, number: u64, pc: GuestAddr) -> bool {
        let mut state = lock(&self.state);
        !state.follow(number) || state.done.contains(&pc)
    }

    /// Has a block be done from now on; false if it was.
    pub fn take(&self, number: u64, pc: GuestAddr) -> bool {
        let mut state = lock(&self.state);
        let is_new = state.follow(number) && state.done.insert(pc);
        if is_new && !state.at_work.is_empty() {
            state.at_work.push(pc);
        }
        is_new
    }

    /// The region that has the first block of a recording: `None`: there is none. `Some(None)`: it holds what runs.
    pub fn again(&self, number: u64, recording: &Recording) -> Option<Option<Again>> {
        let mut state = lock(&self.state);
        match state.follow(number) {
            true => state.made.again(recording),
            false => None,
        }
    }

    /// Whether a block is the head of a region.
    pub fn is_head(&self, number: u64, pc: GuestAddr) -> bool {
        let mut state = lock(&self.state);
        state.follow(number) && state.made.has_head(pc)
    }

    /// Notes a region that was chosen; false if the code is out of date.
    pub fn note(&self, number: u64, region: &Region, recording: &Recording) -> bool {
        let is_new = region.head(recording).is_some_and(|head| {
            self.take(number, head);
            true
        });
        let mut state = lock(&self.state);
        if is_new && state.follow(number) {
            state.made.add(region, recording);
            return true;
        }
        false
    }

    /// Whether a recording is to begin at a block; `again`: even if it is done.
    pub fn wants(&self, number: u64, pc: GuestAddr, again: bool) -> bool {
        let mut state = lock(&self.state);
        let has_room = state.waiting.len() < ROOM;
        let is_known = |state: &State| {
            state.at_work.contains(&pc)
                || state.waiting.iter().any(|waiting| waiting.order.first() == Some(pc))
        };
        has_room && state.follow(number) && (again || !state.done.contains(&pc)) && !is_known(&state)
    }

    /// Changes what is counted.
    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut lock(&self.state).counts);
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        lock(&self.state).counts
    }

    /// Does what is ordered, in this thread.
    pub fn make_now(&self, mut order: Order, allocator: &mut Allocator) {
        if let Ok(region) = order.choose(self) {
            order.finish(&region, self, allocator);
        }
        self.is_over(&order);
    }

    /// What was ordered is done, or cannot be.
    fn is_over(&self, order: &Order) {
        order.first().into_iter().for_each(|first| _ = self.take(order.number, first));
    }

    /// What the thread does: one thing after another, until it is to end.
    fn work(&self) {
        let mut allocator = Allocator::default();
        while let Some(Waiting { mut order, region, regions, .. }) = self.next() {
            match region {
                Some(region) => {
                    order.finish(&region, self, &mut allocator);
                    self.is_over(&order);
                }
                None if self.is_overtaken(&order, regions) => {
                    self.count(|counts| counts.regions_refused.count(NoRegion::Overtaken));
                }
                None => match order.choose(self) {
                    Ok(region) => self.put_back(order, region),
                    Err(_) => self.is_over(&order),
                },
            }
        }
    }

    /// Whether the block that was recorded for is in a region that was chosen since there were so many.
    fn is_overtaken(&self, order: &Order, regions: u64) -> bool {
        let state = lock(&self.state);
        let since = order.first().and_then(|first| state.inside.get(&first));
        !order.again && since.is_some_and(|&since| since > regions)
    }

    /// Lets a region wait to be compiled.
    fn put_back(&self, order: Order, region: Region) {
        let mut state = lock(&self.state);
        state.regions += 1;
        let regions = state.regions;
        for block in &region.blocks {
            state.inside.insert(order.recording.blocks[block.block].start_pc, regions);
        }
        state.waiting.push(Waiting { order, region: Some(region), since: Instant::now(), regions });
    }

    /// Waits for what is to be done next; `None`: nothing any more.
    fn next(&self) -> Option<Waiting> {
        let mut state = lock(&self.state);
        state.at_work.clear();
        loop {
            if state.ending {
                return None;
            }
            if let Some(next) = state.next() {
                return Some(next);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Works {
    /// Has what is ordered done by the thread, which is started if need be. `None` if it will be; the order, if the host
    /// gives no thread.
    pub fn put(&self, order: Order) -> Option<Box<Order>> {
        let mut state = lock(&self.state);
        if state.thread.is_none() {
            let queue = Arc::clone(&self.0);
            match start_beside(STACK, &NAME, move || queue.work()) {
                Ok(thread) => state.thread = Some(thread),
                Err(_) => return Some(Box::new(order)),
            }
        }
        let regions = state.regions;
        state.waiting.push(Waiting { order, region: None, since: Instant::now(), regions });
        let waiting = state.waiting.len() as u64;
        state.counts.longest_queue = state.counts.longest_queue.max(waiting);
        self.changed.notify_one();
        None
    }

    /// Ends the thread, once it is done with what it is at; the next order starts one again. Nobody may order meanwhile.
    pub fn end_thread(&self) {
        let thread = {
            let mut state = lock(&self.state);
            state.ending = true;
            state.thread.take()
        };
        self.changed.notify_one();
        if let Some(thread) = thread {
            thread.join();
        }
        lock(&self.state).ending = false;
    }

    /// Holds the queue still, for a fork.
    #[cfg(feature = "linux")]
    pub fn hold(&self) -> Held<'_> {
        Held(lock(&self.state))
    }
}

impl Deref for Works {
    type Target = Queue;

    fn deref(&self) -> &Queue {
        &self.0
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        self.end_thread();
    }
}

/// The queue, which nobody changes meanwhile.
#[cfg(feature = "linux")]
pub(super) struct Held<'a>(MutexGuard<'a, State>);

#[cfg(feature = "linux")]
impl Held<'_> {
    /// In a child process, which has no such thread: what it was at, and what waits, is left to be found hot again.
    pub fn forget_thread(mut self) {
        let state = &mut *self.0;
        if let Some(thread) = state.thread.take() {
            thread.forget();
        }
        let waiting = std::mem::take(&mut state.waiting);
        let claimed = waiting.iter().flat_map(Waiting::claimed).chain(std::mem::take(&mut state.at_work));
        claimed.for_each(|pc| _ = state.done.remove(&pc));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asm::x64::CpuFeatures;
    use crate::codegen::x64::Request;
    use crate::codegen::Memory;
    use crate::engine::Tier;
    use crate::ir::{IRBlock, Terminator};
    use crate::opt::region::RegionBlock;
    use std::sync::Weak;

    /// An order for code with this number, recorded for a block at `first`.
    fn order(number: u64, first: GuestAddr, samples: u32) -> Order {
        let block = IRBlock { start_pc: first, ops: Vec::new(), term: Terminator::Return };
        let recording = Recording { blocks: vec![block], sequence: vec![0] };
        let request =
            Request { memory: Memory::Low, features: CpuFeatures::ALL, first_link: 0, listing: false };
        let (generation, spent) = (Weak::new(), Arc::default());
        let (tier, again, listener) = (Tier::O2, false, None);
        let without = Default::default();
        Order { recording, samples, again, tier, request, without, listener, generation, number, spent }
    }

    fn region(score: u64) -> Region {
        let block = RegionBlock { block: 0, edges: Vec::new(), frames: Vec::new(), count: 1, entry: true };
        Region { blocks: vec![block], score, covered: 1, entries: 1 }
    }

    /// Puts an order into the queue as if there were a thread.
    fn wait(queue: &Queue, order: Order) {
        let mut state = lock(&queue.state);
        let regions = state.regions;
        state.waiting.push(Waiting { order, region: None, since: Instant::now(), regions });
    }

    fn next(queue: &Queue) -> Option<(GuestAddr, bool)> {
        let next = lock(&queue.state).next()?;
        Some((next.order.first()?, next.region.is_some()))
    }

    #[test]
    fn recordings_come_first_and_then_what_gains_most() {
        let queue = Queue::default();
        assert!(queue.wants(1, 0x100, false));
        queue.put_back(order(1, 0x100, 2), region(10));
        queue.put_back(order(1, 0x200, 1), region(30));
        queue.put_back(order(1, 0x300, 4), region(6));
        wait(&queue, order(1, 0x400, 1));
        wait(&queue, order(1, 0x500, 9));
        let taken: Vec<_> = std::iter::from_fn(|| next(&queue)).collect();
        assert_eq!(taken, [(0x400, false), (0x500, false), (0x200, true), (0x300, true), (0x100, true)]);
    }

    #[test]
    fn what_is_out_of_date_is_dropped() {
        let queue = Queue::default();
        wait(&queue, order(1, 0x100, 1));
        assert!(queue.take(1, 0x900) && !queue.take(1, 0x900));
        assert!(queue.take(2, 0x900), "other code");
        assert!(!queue.take(1, 0x800) && queue.is_done(1, 0x800), "code that nobody runs any more");
        assert_eq!(next(&queue), None);
        assert_eq!(queue.counts().o2.gave_up.of(GaveUp::Stale), 1);
    }

    #[test]
    fn a_block_is_recorded_once_at_a_time_and_not_if_it_was_overtaken() {
        let queue = Queue::default();
        assert!(queue.wants(1, 0x100, false));
        wait(&queue, order(1, 0x100, 1));
        assert!(!queue.wants(1, 0x100, false) && queue.wants(1, 0x200, false));
        assert!(queue.take(1, 0x200));
        assert!(!queue.wants(1, 0x200, false) && queue.wants(1, 0x200, true));
        assert!(!queue.is_overtaken(&order(1, 0x100, 1), 0));
        queue.put_back(order(1, 0x100, 1), region(1));
        assert!(queue.is_overtaken(&order(1, 0x100, 1), 0) && !queue.is_overtaken(&order(1, 0x100, 1), 1));
        (0..ROOM as u64).for_each(|at| wait(&queue, order(1, 0x1000 + at, 1)));
        assert!(!queue.wants(1, 0x800, false));
    }

    #[cfg(feature = "linux")]
    #[test]
    fn a_child_finds_hot_again_what_its_parent_was_at() {
        let works = Works::default();
        assert!(works.take(1, 0x100) && works.take(1, 0x200));
        works.put_back(order(1, 0x100, 1), region(1));
        wait(&works, order(1, 0x300, 1));
        assert_eq!(next(&works), Some((0x300, false)));
        assert!(works.take(1, 0x400), "the head that it gets");
        works.hold().forget_thread();
        assert!([0x100, 0x300, 0x400].iter().all(|&pc| !works.is_done(1, pc)) && works.is_done(1, 0x200));
        assert_eq!(next(&works), None);
    }
}
