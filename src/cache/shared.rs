//! Machine code that the harts of a process share.
//!
//! Code is made once, whoever needs it first, under the lock of its [`Generation`]; it is found without one. When code is
//! out of date, or the arena is full, nobody stops: a new generation begins, each hart goes over to it when it looks next,
//! and the last to leave an old one frees it.

use super::{CodeCache, Refusal, Replaced, Targets};
use crate::asm::x64::CpuFeatures;
use crate::base::error::Error;
use crate::base::state::HostSlots;
use crate::base::{lock, GuestAddr};
use crate::codegen::x64::unit::UnitObject;
use crate::codegen::x64::Thunks;
use crate::codegen::Memory;
use crate::sys::enter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// Code made since the last time that all was thrown away.
#[derive(Debug)]
pub struct Generation {
    /// Counts up from generation to generation, and when one begins again.
    number: AtomicU64,
    /// What it was made from: memory as of this epoch (`SoftMmu::code_epoch`), or later.
    epoch: AtomicU64,
    index: Arc<super::Index>,
    base: usize,
    gates: (usize, enter::Runnable),
    thunks: Thunks,
    cache: Mutex<CodeCache>,
}

impl Generation {
    fn new(settings: &Settings, number: u64, epoch: u64) -> Result<Arc<Generation>, Error> {
        let cache = CodeCache::new(settings.cap, settings.memory, settings.features)?;
        let (base, thunks) = cache.thunks();
        Ok(Arc::new(Generation {
            number: AtomicU64::new(number),
            epoch: AtomicU64::new(epoch),
            index: cache.index(),
            base,
            gates: cache.gates(),
            thunks,
            cache: Mutex::new(cache),
        }))
    }

    /// Host address of the code for `pc`. Takes no lock.
    #[inline]
    pub fn find(&self, pc: GuestAddr) -> Option<usize> {
        self.index.find(pc).map(|offset| self.base + offset as usize)
    }

    /// Changes whenever code was replaced ([`CodeCache::replace`]): targets that were remembered before are not the newest
    /// code any more.
    #[inline]
    pub fn replaced(&self) -> u64 {
        self.index.replaced()
    }

    /// The code itself, to add to it or to ask about it.
    pub fn cache(&self) -> MutexGuard<'_, CodeCache> {
        lock(&self.cache)
    }

    /// Adds code of a region that was made for the code with this number.
    ///
    /// # Errors
    /// As [`CodeCache::add_unit`]; [`Refusal::Stale`] if this is other code by now.
    pub fn add_unit(&self, number: u64, object: UnitObject) -> Result<Replaced, Refusal> {
        let mut cache = self.cache();
        if self.number() != number {
            return Err(Refusal::Stale);
        }
        cache.add_unit(object)
    }

    /// See [`CodeCache::gates`].
    pub fn gates(&self) -> (usize, enter::Runnable) {
        self.gates
    }

    /// Fills in what its code finds through the state of a hart that has these targets.
    pub fn set_slots(&self, slots: &mut HostSlots, targets: &Targets) {
        super::set_slots(self.base, &self.thunks, slots);
        slots.table = targets.address();
    }

    /// Its number; another one means other code.
    pub fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }
}

/// How every generation is made.
#[derive(Clone, Copy, Debug)]
struct Settings {
    cap: usize,
    memory: Memory,
    features: CpuFeatures,
}

/// The code of a process: the newest generation.
#[derive(Debug)]
pub struct SharedCode {
    settings: Settings,
    /// Number of the newest, to be looked at without the lock.
    number: AtomicU64,
    /// Blocks and regions that were thrown away because code may have changed.
    invalidated: [AtomicU64; 2],
    newest: Mutex<Arc<Generation>>,
}

impl SharedCode {
    /// No code yet; generations have at most `cap` bytes.
    ///
    /// # Errors
    /// As [`CodeCache::new`].
    pub fn new(cap: usize, memory: Memory, features: CpuFeatures, epoch: u64) -> Result<SharedCode, Error> {
        let settings = Settings { cap, memory, features };
        let first = Generation::new(&settings, 1, epoch)?;
        let invalidated = [const { AtomicU64::new(0) }; 2];
        Ok(SharedCode { settings, number: AtomicU64::new(1), invalidated, newest: Mutex::new(first) })
    }

    /// The newest generation.
    pub fn newest(&self) -> Arc<Generation> {
        Arc::clone(&lock(&self.newest))
    }

    /// Whether code of `current` is good for memory as of `epoch`, and there is none newer.
    #[inline]
    pub fn is_current(&self, current: &Generation, epoch: u64) -> bool {
        self.number.load(Ordering::Acquire) == current.number() && current.epoch() == epoch
    }

    /// The generation for memory as of `epoch`, which the caller of a hart with `current` goes over to: the newest one,
    /// or a new one if that is older. True if this call threw code away.
    ///
    /// # Errors
    /// As [`CodeCache::new`].
    pub fn follow(&self, current: Arc<Generation>, epoch: u64) -> Result<(Arc<Generation>, bool), Error> {
        let newest = lock(&self.newest);
        if newest.epoch() >= epoch {
            return Ok((Arc::clone(&newest), false));
        }
        {
            let cache = newest.cache();
            self.invalidated[0].fetch_add(cache.len() as u64, Ordering::Relaxed);
            self.invalidated[1].fetch_add(cache.regions() as u64, Ordering::Relaxed);
        }
        self.begin(newest, current, epoch)
    }

    /// Blocks and regions that were thrown away because code may have changed.
    pub fn invalidated(&self) -> [u64; 2] {
        self.invalidated.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// A generation after `current`, which is full.
    ///
    /// # Errors
    /// As [`CodeCache::new`].
    pub fn after(&self, current: Arc<Generation>) -> Result<Arc<Generation>, Error> {
        let newest = lock(&self.newest);
        if !Arc::ptr_eq(&newest, &current) {
            return Ok(Arc::clone(&newest));
        }
        let epoch = newest.epoch();
        self.begin(newest, current, epoch).map(|(generation, _)| generation)
    }

    fn begin(
        &self,
        mut newest: MutexGuard<'_, Arc<Generation>>,
        current: Arc<Generation>,
        epoch: u64,
    ) -> Result<(Arc<Generation>, bool), Error> {
        let number = newest.number() + 1;
        let had_code = !newest.cache().is_empty();
        // Beside this call and its caller's hart nobody has it, nor can get it while the lock is held: it begins again
        // where it is.
        const OURS: usize = 3;
        if Arc::ptr_eq(&newest, &current) && Arc::strong_count(&newest) == OURS {
            // Who adds a region looks at the number with the cache locked (`Generation::add_unit`).
            let mut cache = newest.cache();
            cache.clear();
            newest.number.store(number, Ordering::Relaxed);
            newest.epoch.store(epoch, Ordering::Relaxed);
        } else {
            *newest = Generation::new(&self.settings, number, epoch)?;
        }
        self.number.store(number, Ordering::Release);
        Ok((Arc::clone(&newest), had_code))
    }

    /// Doubles the process while `current` is whole and nobody changes it. In the child (`is_child` of what `fork`
    /// returns) its code goes over to memory of its own; false if that is impossible, and the code must not be used.
    #[cfg(feature = "linux")]
    pub fn around_fork<R>(
        &self,
        current: &Arc<Generation>,
        fork: impl FnOnce() -> R,
        is_child: impl FnOnce(&R) -> bool,
    ) -> (R, bool) {
        let mut newest = lock(&self.newest);
        let mut cache = current.cache();
        let copy = cache.copy_code();
        let result = fork();
        if !is_child(&result) {
            return (result, true);
        }
        // No other generation has memory of its own; the harts that used them are not here.
        *newest = Arc::clone(current);
        self.number.store(current.number(), Ordering::Release);
        let whole = copy.is_ok_and(|copy| cache.become_copy(&copy).is_ok());
        (result, whole)
    }
}
