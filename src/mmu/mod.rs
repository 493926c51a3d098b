//! Guest memory: a 4 GiB space whose page permissions the host's hardware checks.
//!
//! A guest address is used modulo 2^32 and added to the base of a reservation of that size, so no access can leave
//! it and none needs a check; an access that the guest's permissions forbid faults on the host and comes back as a
//! [`Fault`]. Beside the host's tables one byte per page keeps what the host does not: execute permission and
//! whether code was translated from the page.
//!
//! Invariant: the page bytes of a range and the host's mapping of it change together, under one lock. Two threads that
//! map the same range at once get one of the two results, as on Linux.
#![allow(unsafe_code, reason = "accesses inside the reservation, whose addresses it computes itself")]

#[cfg(feature = "linux")]
mod call;
mod watch;

use crate::base::error::{Access, Error, Fault};
use crate::base::{lock, GuestAddr, PAGE, SPACE};
use crate::sys::access;
#[cfg(all(feature = "linux", any(test, feature = "testing")))]
pub(crate) use crate::sys::space::Neighbour;
pub use crate::sys::space::{Backing, Placement, Prot};
use crate::sys::space::{Refused, Space};
use crate::sys::trap::{self, HostFault};
#[cfg(feature = "linux")]
pub use call::CallArg;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Bits of a page's byte.
mod page {
    pub const MAPPED: u8 = 1;
    pub const READ: u8 = 2;
    pub const WRITE: u8 = 4;
    pub const EXEC: u8 = 8;
    /// Code was translated from this page.
    pub const CODE: u8 = 16;
    pub const SHARED: u8 = 32;
    /// The guest may write the page but the host's tables say no, so that a write to translated code is noticed.
    pub const WATCHED: u8 = 64;
    /// Code on the page writes to the page.
    pub const MIXED: u8 = 128;
}

/// Guest memory; also the memory of a host that runs blocks of its own.
///
/// Dropping it unmaps everything. It can be shared between threads: guest memory is shared memory, and every access
/// to it is one the guest could make.
#[derive(Debug)]
pub struct SoftMmu {
    space: Space,
    /// Counts the events after which translations may be out of date.
    code_epoch: AtomicU64,
    /// Code was translated from memory that can be written unseen.
    shared_code: AtomicBool,
    /// Some page may be watched.
    watches: AtomicBool,
    /// Pages mapped now, and how many may be.
    mapped: AtomicU64,
    limit: u64,
    /// Held while mappings and page bytes change, so that they change together.
    changes: Mutex<()>,
}

/// One entry of [`SoftMmu::regions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    pub start: GuestAddr,
    pub end: GuestAddr,
    pub prot: Prot,
    pub shared: bool,
}

/// The last epoch that any memory has had.
static LAST_EPOCH: AtomicU64 = AtomicU64::new(0);

/// An epoch that no memory has had, so that the translations of one are never taken for those of another.
fn next_epoch() -> u64 {
    LAST_EPOCH.fetch_add(1, Ordering::Relaxed) + 1
}

impl SoftMmu {
    /// Memory with `[0, size)` mapped readable and writable, zeroed. `huge_pages` asks the host for huge pages.
    ///
    /// # Panics
    /// If the host has no address space for it or `size` exceeds 4 GiB; [`SoftMmu::try_new`] returns the error.
    pub fn new(size: usize, huge_pages: bool) -> SoftMmu {
        match SoftMmu::try_new(size as u64, huge_pages) {
            Ok(mmu) => mmu,
            Err(error) => panic!("SoftMmu::new({size}): {error}"),
        }
    }

    /// As [`SoftMmu::new`]; `size` is rounded up to whole pages of 4 KiB. No memory is committed before its use.
    ///
    /// # Errors
    /// `Error::BadRange` if `size` exceeds 4 GiB, `Error::NoMemory` or `Error::Host` if the host refuses.
    pub fn try_new(size: u64, huge_pages: bool) -> Result<SoftMmu, Error> {
        if size > SPACE {
            return Err(Error::BadRange { addr: 0, len: size });
        }
        let mmu = SoftMmu::reserve(Placement::Based)?;
        if size > 0 {
            mmu.map_with(0, size.next_multiple_of(PAGE), Prot::RW, Backing::Anonymous, huge_pages)?;
        }
        Ok(mmu)
    }

    /// An empty space at the given place.
    ///
    /// # Errors
    /// `Error::NoMemory` if the host has no address space for it; `Error::Host` if its fault handler cannot be set.
    pub fn reserve(placement: Placement) -> Result<SoftMmu, Error> {
        trap::install()?;
        Ok(SoftMmu::of(Space::reserve(placement)?))
    }

    /// An empty space between memory of the host's that shows whether it was left ([`Space::reserve_between`]).
    #[cfg(all(feature = "linux", any(test, feature = "testing")))]
    pub(crate) fn reserve_between(len: usize) -> Result<(SoftMmu, [Neighbour; 2]), Error> {
        trap::install()?;
        let (space, neighbours) = Space::reserve_between(len)?;
        Ok((SoftMmu::of(space), neighbours))
    }

    fn of(space: Space) -> SoftMmu {
        SoftMmu {
            space,
            code_epoch: AtomicU64::new(next_epoch()),
            shared_code: AtomicBool::new(false),
            watches: AtomicBool::new(false),
            mapped: AtomicU64::new(0),
            limit: SPACE / PAGE,
            changes: Mutex::new(()),
        }
    }

    /// Keeps mappings as they are until the guard is dropped.
    pub(crate) fn freeze(&self) -> MutexGuard<'_, ()> {
        lock(&self.changes)
    }

    /// Limits how many bytes (rounded down to pages) may be mapped at once; what is mapped already stays.
    pub fn set_limit(&mut self, bytes: u64) {
        self.limit = bytes / PAGE;
    }

    /// Bytes mapped now.
    pub fn mapped_bytes(&self) -> u64 {
        self.mapped.load(Ordering::Relaxed) * PAGE
    }

    /// Whether `[addr, addr + len)` can be mapped without exceeding the limit.
    fn within_limit(&self, addr: GuestAddr, len: u64) -> Result<(), Error> {
        let mapped = self.mapped.load(Ordering::Relaxed);
        if mapped + len / PAGE <= self.limit {
            return Ok(());
        }
        let replaced =
            self.pages_of(addr, len).map_or(0, |pages| pages.filter(|byte| byte & page::MAPPED != 0).count());
        match mapped + len / PAGE <= self.limit + replaced as u64 {
            true => Ok(()),
            false => Err(Error::NoMemory { what: "guest memory within the machine's limit", bytes: len }),
        }
    }

    /// Host address of guest address 0.
    #[inline(always)]
    pub fn base(&self) -> usize {
        self.space.base()
    }

    /// First host address and end of the space, the guard behind it included.
    pub(crate) fn host_range(&self) -> (usize, usize) {
        (self.space.base(), self.space.base() + self.space.reach())
    }

    /// The lowest guest address that can be mapped.
    pub fn lowest(&self) -> GuestAddr {
        self.space.lowest()
    }

    /// Host address of a guest address: always inside the reservation.
    #[inline(always)]
    pub(crate) fn host(&self, addr: GuestAddr) -> usize {
        self.space.base().wrapping_add(addr as u32 as usize)
    }

    /// The guest's view of a host fault.
    #[cold]
    #[inline(never)]
    fn fault(&self, at: HostFault, access: Access) -> Fault {
        let addr = at.host.wrapping_sub(self.space.base()) as GuestAddr;
        Fault { addr, access, mapped: self.page_byte(addr) & page::MAPPED != 0, beyond_file: at.beyond_file }
    }

    /// The guest's view of the fault that generated code ran into last on this thread.
    pub(crate) fn last_fault(&self) -> Fault {
        let fault = trap::last_fault();
        self.fault(fault, if fault.write { Access::Store } else { Access::Load })
    }

    fn page_byte(&self, addr: GuestAddr) -> u8 {
        let index = usize::try_from(addr / PAGE).unwrap_or(usize::MAX);
        self.space.pages().get(index).map_or(0, |byte| byte.load(Ordering::Relaxed))
    }

    /// The bytes of the pages of a range that `Space` has accepted.
    fn set_pages(&self, addr: GuestAddr, len: u64, value: u8) {
        let (first, count) = ((addr / PAGE) as usize, (len / PAGE) as usize);
        let (mut had_code, mut were_mapped) = (false, 0);
        for byte in &self.space.pages()[first..first + count] {
            let old = byte.load(Ordering::Relaxed);
            if old != value {
                byte.store(value, Ordering::Relaxed);
            }
            had_code |= old & page::CODE != 0;
            were_mapped += u64::from(old & page::MAPPED);
        }
        let are_mapped = if value & page::MAPPED != 0 { count as u64 } else { 0 };
        self.mapped.fetch_add(are_mapped.wrapping_sub(were_mapped), Ordering::Relaxed);
        if had_code {
            self.invalidate_code();
        }
    }

    /// Maps `[addr, addr + len)`, replacing what was there. Both must be multiples of 4 KiB.
    ///
    /// # Errors
    /// `Error::BadRange` for a range that is not aligned or not in the space; `Error::Host` with the host's reason.
    pub fn map(&self, addr: GuestAddr, len: u64, prot: Prot, backing: Backing<'_>) -> Result<(), Error> {
        self.map_with(addr, len, prot, backing, false)
    }

    fn map_with(
        &self,
        addr: GuestAddr,
        len: u64,
        prot: Prot,
        backing: Backing<'_>,
        huge: bool,
    ) -> Result<(), Error> {
        let _changing = self.freeze();
        self.within_limit(addr, len)?;
        self.done(self.space.map(addr, len, prot, backing, huge))?;
        let shared = match backing {
            Backing::SharedAnonymous
            | Backing::File { shared: true, .. }
            | Backing::Descriptor { shared: true, .. } => page::SHARED,
            Backing::Anonymous
            | Backing::File { shared: false, .. }
            | Backing::Descriptor { shared: false, .. } => 0,
        };
        self.set_pages(addr, len, page_bits(prot) | shared);
        Ok(())
    }

    /// Gives the page bytes what a call of `Space` has really done, if it failed.
    fn done(&self, result: Result<(), Refused>) -> Result<(), Error> {
        result.map_err(|refused| {
            refused.lost.iter().for_each(|&(addr, len)| self.set_pages(addr, len, 0));
            refused.error
        })
    }

    /// Unmaps `[addr, addr + len)`; parts that are not mapped stay so.
    ///
    /// # Errors
    /// As [`SoftMmu::map`].
    pub fn unmap(&self, addr: GuestAddr, len: u64) -> Result<(), Error> {
        let _changing = self.freeze();
        self.space.unmap(addr, len)?;
        self.set_pages(addr, len, 0);
        Ok(())
    }

    /// Changes the permissions of `[addr, addr + len)`.
    ///
    /// # Errors
    /// As [`SoftMmu::map`]; `Error::Host` with ENOMEM if a page of the range is not mapped (nothing is changed then).
    pub fn protect(&self, addr: GuestAddr, len: u64, prot: Prot) -> Result<(), Error> {
        let _changing = self.freeze();
        if len > 0 && !self.is_mapped(addr, len) {
            let source = std::io::Error::from_raw_os_error(libc::ENOMEM);
            return Err(Error::Host { what: "mprotect", source });
        }
        if let Err(error) = self.space.protect(addr, len, prot) {
            // The host may have changed a part. Back to what the page bytes say; with several threads, pages at a time.
            for page in (addr..addr + len).step_by(PAGE as usize) {
                let bits = self.page_byte(page);
                let former = prot_of(bits).unwrap_or_default();
                let write = former.write && bits & page::WATCHED == 0;
                let _ = self.space.protect(page, PAGE, Prot { write, ..former });
            }
            return Err(error);
        }
        // Runs of pages that are shared, and that are not.
        let (mut start, end) = (addr, addr + len);
        while start < end {
            let shared = self.page_byte(start) & page::SHARED;
            let mut stop = start + PAGE;
            while stop < end && self.page_byte(stop) & page::SHARED == shared {
                stop += PAGE;
            }
            self.set_pages(start, stop - start, page_bits(prot) | shared);
            start = stop;
        }
        Ok(())
    }

    /// Moves a mapping of uniform permissions to `[to, to + new_len)`, which it replaces.
    ///
    /// # Errors
    /// As [`SoftMmu::map`]; also if the ranges overlap or the permissions are not uniform.
    pub fn remap(&self, from: GuestAddr, old_len: u64, to: GuestAddr, new_len: u64) -> Result<(), Error> {
        let _changing = self.freeze();
        self.within_limit(to, new_len.saturating_sub(old_len))?;
        self.end_watch(from, old_len);
        let lasting = !(page::CODE | page::MIXED);
        let bits = self.page_byte(from) & lasting;
        if !self.pages_of(from, old_len).is_some_and(|mut pages| pages.all(|byte| byte & lasting == bits)) {
            return Err(Error::BadRange { addr: from, len: old_len });
        }
        self.done(self.space.remap(from, old_len, to, new_len))?;
        self.set_pages(from, old_len, 0);
        self.set_pages(to, new_len, bits);
        Ok(())
    }

    /// Host `madvise` on a mapped range.
    ///
    /// # Errors
    /// As [`SoftMmu::map`].
    pub fn advise(&self, addr: GuestAddr, len: u64, advice: i32) -> Result<(), Error> {
        self.space.advise(addr, len, advice)
    }

    /// Host `msync` on a mapped range.
    ///
    /// # Errors
    /// As [`SoftMmu::map`].
    pub fn sync(&self, addr: GuestAddr, len: u64, flags: i32) -> Result<(), Error> {
        self.space.sync(addr, len, flags)
    }

    /// Whether every page that `[addr, addr + len)` touches is mapped.
    pub fn is_mapped(&self, addr: GuestAddr, len: u64) -> bool {
        self.pages_of(addr, len).is_some_and(|mut pages| pages.all(|byte| byte & page::MAPPED != 0))
    }

    /// Whether no page that `[addr, addr + len)` touches is mapped.
    pub fn is_free(&self, addr: GuestAddr, len: u64) -> bool {
        self.pages_of(addr, len).is_some_and(|mut pages| pages.all(|byte| byte & page::MAPPED == 0))
    }

    /// The highest page-aligned start in `[low, high - len]` of a free range of `len` bytes.
    pub fn find_free_below(&self, len: u64, low: GuestAddr, high: GuestAddr) -> Option<GuestAddr> {
        let need = len.div_ceil(PAGE);
        let (low, high) = (low.div_ceil(PAGE), high.min(SPACE) / PAGE);
        let mut run = 0;
        for index in (low..high).rev() {
            let free = self.page_byte(index * PAGE) & page::MAPPED == 0;
            run = if free { run + 1 } else { 0 };
            if run == need {
                return Some(index * PAGE);
            }
        }
        None
    }

    fn pages_of(&self, addr: GuestAddr, len: u64) -> Option<impl Iterator<Item = u8> + '_> {
        let end = addr.checked_add(len).filter(|&end| end <= SPACE)?;
        let (first, last) = ((addr / PAGE) as usize, end.div_ceil(PAGE) as usize);
        Some(self.space.pages()[first..last.max(first)].iter().map(|byte| byte.load(Ordering::Relaxed)))
    }

    /// The permissions of the page at `addr`, `None` if none is mapped.
    pub fn prot(&self, addr: GuestAddr) -> Option<Prot> {
        prot_of(self.page_byte(addr))
    }

    /// Whether the page at `addr` is mapped and shared.
    pub fn is_shared(&self, addr: GuestAddr) -> bool {
        self.page_byte(addr) & page::SHARED != 0
    }

    /// All mapped pages as maximal runs of equal permissions, in ascending order.
    pub fn regions(&self) -> Vec<Region> {
        let mut regions: Vec<Region> = Vec::new();
        let mut next = 0;
        while let Some(index) = self.space.next_used(next) {
            next = index + 1;
            let byte = self.space.pages()[index].load(Ordering::Relaxed);
            let Some(prot) = prot_of(byte) else { continue };
            let (start, shared) = (index as u64 * PAGE, byte & page::SHARED != 0);
            match regions.last_mut() {
                Some(last) if last.end == start && last.prot == prot && last.shared == shared => {
                    last.end += PAGE
                }
                _ => regions.push(Region { start, end: start + PAGE, prot, shared }),
            }
        }
        regions
    }

    /// Reads guest memory. On a fault, the bytes before the faulting one were read.
    ///
    /// # Errors
    /// The fault that the same access by the guest would raise.
    pub fn read(&self, addr: GuestAddr, into: &mut [u8]) -> Result<(), Fault> {
        let len = self.clip(addr, into.len());
        // SAFETY: the source is inside the reservation or its guard (clip), the destination is the slice.
        unsafe { access::copy(self.host(addr), into.as_mut_ptr() as usize, len) }
            .map_err(|at| self.fault(at, Access::Load))?;
        self.ran_over(addr, len, into.len(), Access::Load)
    }

    /// Writes guest memory. On a fault, the bytes before the faulting one were written.
    ///
    /// # Errors
    /// The fault that the same access by the guest would raise.
    pub fn write(&self, addr: GuestAddr, from: &[u8]) -> Result<(), Fault> {
        let len = self.clip(addr, from.len());
        // SAFETY: the destination is inside the reservation or its guard (clip), the source is the slice.
        while let Err(at) = unsafe { access::copy(from.as_ptr() as usize, self.host(addr), len) } {
            let fault = self.fault(at, Access::Store);
            if !self.code_written(&fault, None) {
                return Err(fault);
            }
        }
        self.ran_over(addr, len, from.len(), Access::Store)
    }

    /// How many of `len` bytes from `addr` lie before the end of the space.
    fn clip(&self, addr: GuestAddr, len: usize) -> usize {
        len.min((SPACE - u64::from(addr as u32)) as usize)
    }

    fn ran_over(&self, addr: GuestAddr, done: usize, asked: usize, access: Access) -> Result<(), Fault> {
        match done == asked {
            true => Ok(()),
            false => {
                Err(Fault { addr: addr.wrapping_add(done as u64), access, mapped: false, beyond_file: false })
            }
        }
    }

    /// Reads a little-endian 64-bit value.
    ///
    /// # Errors
    /// As [`SoftMmu::read`].
    pub fn read_u64(&self, addr: GuestAddr) -> Result<u64, Fault> {
        let mut bytes = [0; 8];
        self.read(addr, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Reads a little-endian 32-bit value.
    ///
    /// # Errors
    /// As [`SoftMmu::read`].
    pub fn read_u32(&self, addr: GuestAddr) -> Result<u32, Fault> {
        let mut bytes = [0; 4];
        self.read(addr, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// Reads a string up to its NUL byte, at most `limit` bytes long; `Ok(None)` if it is longer.
    ///
    /// # Errors
    /// As [`SoftMmu::read`].
    pub fn read_string(&self, addr: GuestAddr, limit: usize) -> Result<Option<Vec<u8>>, Fault> {
        let mut string = Vec::new();
        while string.len() <= limit {
            let at = addr.wrapping_add(string.len() as u64);
            // Never past the page, so that what follows the string need not be mapped.
            let mut chunk = [0; 256];
            let len = (PAGE - at % PAGE).min(256) as usize;
            self.read(at, &mut chunk[..len])?;
            match chunk[..len].iter().position(|&byte| byte == 0) {
                Some(end) => {
                    string.extend_from_slice(&chunk[..end]);
                    return Ok(Some(string).filter(|s| s.len() <= limit));
                }
                None => string.extend_from_slice(&chunk[..len]),
            }
        }
        Ok(None)
    }
}

/// A guest load: the value goes into `*dst`.
macro_rules! loads {
    ($($name:ident: $doc:literal;)*) => { impl SoftMmu { $(
        #[doc = $doc]
        #[inline(always)]
        pub(crate) fn $name(&self, addr: GuestAddr, dst: &mut u64) -> Result<(), Fault> {
            // SAFETY: `host` is inside the reservation, and an access that runs over its end meets the guard.
            unsafe { access::$name(self.host(addr), dst) }.map_err(|at| self.fault(at, Access::Load))
        }
    )* } };
}

/// A guest store of the low bits of `value`.
macro_rules! stores {
    ($($name:ident: $doc:literal;)*) => { impl SoftMmu { $(
        #[doc = $doc]
        #[inline(always)]
        pub(crate) fn $name(&self, addr: GuestAddr, value: u64) -> Result<(), Fault> {
            // SAFETY: `host` is inside the reservation, and an access that runs over its end meets the guard.
            unsafe { access::$name(self.host(addr), value) }.map_err(|at| self.fault(at, Access::Store))
        }
    )* } };
}

loads! {
    load_u8: "8 bits, zero-extended.";
    load_s8: "8 bits, sign-extended.";
    load_u16: "16 bits, zero-extended.";
    load_s16: "16 bits, sign-extended.";
    load_u32: "32 bits, zero-extended.";
    load_s32: "32 bits, sign-extended.";
    load_u64: "64 bits.";
}

stores! {
    store_u8: "8 bits.";
    store_u16: "16 bits.";
    store_u32: "32 bits.";
    store_u64: "64 bits.";
}

impl SoftMmu {
    /// Orders all guest accesses of this thread before against all after.
    #[inline(always)]
    pub(crate) fn fence(&self) {
        access::fence();
    }

    /// Compare-and-swap of 32 bits at an aligned address; `*seen` receives what memory held, zero-extended.
    #[inline]
    pub(crate) fn swap_u32(
        &self,
        addr: GuestAddr,
        expected: u32,
        new: u32,
        seen: &mut u64,
    ) -> Result<(), Fault> {
        // SAFETY: `host` is inside the reservation and aligned as the guest address is.
        unsafe { access::compare_exchange_u32(self.host(addr), u64::from(expected), u64::from(new), seen) }
            .map_err(|at| self.fault(at, Access::Store))
    }

    /// Compare-and-swap of 64 bits at an aligned address; `*seen` receives what memory held.
    #[inline]
    pub(crate) fn swap_u64(
        &self,
        addr: GuestAddr,
        expected: u64,
        new: u64,
        seen: &mut u64,
    ) -> Result<(), Fault> {
        // SAFETY: `host` is inside the reservation and aligned as the guest address is.
        unsafe { access::compare_exchange_u64(self.host(addr), expected, new, seen) }
            .map_err(|at| self.fault(at, Access::Store))
    }
}

fn page_bits(prot: Prot) -> u8 {
    let bit = |set: bool, bit: u8| if set { bit } else { 0 };
    page::MAPPED | bit(prot.read, page::READ) | bit(prot.write, page::WRITE) | bit(prot.exec, page::EXEC)
}

fn prot_of(bits: u8) -> Option<Prot> {
    let has = |bit: u8| bits & bit != 0;
    has(page::MAPPED).then(|| Prot { read: has(page::READ), write: has(page::WRITE), exec: has(page::EXEC) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_carry_the_guest_address() {
        let mmu = SoftMmu::new(0x3000, false);
        mmu.protect(0x1000, 0x1000, Prot::R).unwrap();
        let mut value = 7;
        mmu.store_u64(0xff8, 0x1122_3344_5566_7788).unwrap();
        mmu.load_s32(0xffc, &mut value).unwrap();
        assert_eq!(value, 0x1122_3344);
        let fault = mmu.store_u64(0xffc, 0).unwrap_err();
        assert_eq!((fault.addr, fault.access, fault.mapped), (0x1000, Access::Store, true));
        let fault = mmu.load_u8(0x3000, &mut value).unwrap_err();
        assert_eq!((fault.addr, fault.access, fault.mapped), (0x3000, Access::Load, false));
        assert_eq!(mmu.load_u8(0xffff_ffff, &mut value).unwrap_err().addr, 0xffff_ffff);
        let over = mmu.load_u64(0xffff_fffc, &mut value).unwrap_err();
        assert!(!over.mapped);
        // Addresses are used modulo 2^32.
        mmu.load_u32(0xabcd_0000_0000_0ffc, &mut value).unwrap();
        assert_eq!(value, 0x1122_3344);
    }

    #[test]
    fn copies_stop_at_the_fault() {
        let mmu = SoftMmu::new(0x2000, false);
        let fault = mmu.write(0x1ff0, &[1; 32]).unwrap_err();
        assert_eq!(fault.addr, 0x2000);
        let mut back = [0; 16];
        mmu.read(0x1ff0, &mut back).unwrap();
        assert_eq!(back, [1; 16]);
        let mut long = [0; 32];
        assert_eq!(mmu.read(0x1ff0, &mut long).unwrap_err().addr, 0x2000);
        assert_eq!(mmu.read(SPACE - 4, &mut long).unwrap_err().access, Access::Load);
    }

    #[test]
    fn strings_end_at_nul_or_limit() {
        let mmu = SoftMmu::new(0x2000, false);
        mmu.write(0x1ffb, b"abcd\0").unwrap();
        assert_eq!(mmu.read_string(0x1ffb, 100).unwrap().unwrap(), b"abcd");
        assert_eq!(mmu.read_string(0x1ffb, 3).unwrap(), None);
        mmu.write(0x1fff, b"e").unwrap();
        assert_eq!(mmu.read_string(0x1ffb, 100).unwrap_err().addr, 0x2000);
    }

    #[test]
    fn code_is_fetched_from_executable_pages_only() {
        let mmu = SoftMmu::new(0x3000, false);
        mmu.write(0x1ffe, &[1, 2, 3, 4]).unwrap();
        let mut code = [0; 4];
        assert_eq!(mmu.fetch(0x1ffe, &mut code).unwrap_err().access, Access::Fetch);
        mmu.protect(0x1000, 0x1000, Prot::RX).unwrap();
        assert_eq!(mmu.fetch(0x1ffe, &mut code).unwrap(), 2);
        mmu.watch_code(0x1ffe, 2);
        let epoch = mmu.code_epoch();
        mmu.unmap(0x2000, 0x1000).unwrap();
        assert_eq!(mmu.code_epoch(), epoch);
        mmu.protect(0x1000, 0x1000, Prot::RW).unwrap();
        assert!(mmu.code_epoch() > epoch);
    }

    #[test]
    fn a_write_to_translated_code_is_noticed_once() {
        let mmu = SoftMmu::new(0x3000, false);
        mmu.protect(0x1000, 0x1000, Prot::RWX).unwrap();
        mmu.watch_code(0x1800, 4);
        let epoch = mmu.code_epoch();
        let fault = mmu.store_u8(0x1004, 1).unwrap_err();
        assert!(mmu.code_written(&fault, None) && mmu.code_epoch() > epoch);
        mmu.store_u8(0x1004, 1).unwrap();
        // Another thread that faulted at the same time tries again as well, and nothing changes.
        let epoch = mmu.code_epoch();
        assert!(mmu.code_written(&fault, None) && mmu.code_epoch() == epoch);
        mmu.protect(0x1000, 0x1000, Prot::RX).unwrap();
        assert!(!mmu.code_written(&fault, None));
        mmu.protect(0x1000, 0x1000, Prot::RWX).unwrap();
        // Writes on the guest's behalf pass the watch.
        mmu.watch_code(0x1800, 4);
        mmu.write(0xff0, &[7; 32]).unwrap();
        let epoch = mmu.code_epoch();
        mmu.watch_code(0x1800, 4);
        let source = std::fs::File::open("/dev/zero").unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&source) as u64;
        let mut args = [CallArg::Int(fd), CallArg::Guest { addr: 0x1000, len: 16 }, CallArg::Int(16)];
        assert_eq!(mmu.host_call(libc::SYS_read, &mut args), Ok(16));
        assert!(mmu.code_epoch() > epoch);
        // So do those of hosts that run blocks of their own.
        mmu.watch_code(0x1800, 4);
        let epoch = mmu.code_epoch();
        mmu.release_all();
        mmu.store_u8(0x1004, 1).unwrap();
        assert!(mmu.code_epoch() > epoch);
        // A page that the guest may not write stays so.
        mmu.protect(0x1000, 0x1000, Prot::RX).unwrap();
        mmu.watch_code(0x1800, 4);
        let fault = mmu.store_u8(0x1004, 1).unwrap_err();
        assert!(fault.mapped && !mmu.code_written(&fault, None));
    }

    #[test]
    fn free_ranges_are_found_from_the_top() {
        let mmu = SoftMmu::try_new(0, false).unwrap();
        mmu.map(0x8000, 0x1000, Prot::R, Backing::Anonymous).unwrap();
        assert_eq!(mmu.find_free_below(0x2000, 0, 0xa000), Some(0x6000));
        assert_eq!(mmu.find_free_below(0x1000, 0, 0xa000), Some(0x9000));
        assert_eq!(mmu.find_free_below(0x9000, 0, 0xa000), None);
        assert_eq!(mmu.regions(), [Region { start: 0x8000, end: 0x9000, prot: Prot::R, shared: false }]);
    }

    #[test]
    fn moved_pages_keep_their_contents() {
        let mmu = SoftMmu::new(0x2000, false);
        mmu.write(0x1000, b"moved").unwrap();
        mmu.remap(0x1000, 0x1000, 0x8000, 0x2000).unwrap();
        let mut back = [0; 5];
        mmu.read(0x8000, &mut back).unwrap();
        assert_eq!(&back, b"moved");
        assert!(mmu.is_free(0x1000, 0x1000) && mmu.is_mapped(0x8000, 0x2000));
    }

    #[test]
    fn the_limit_counts_pages_that_are_mapped() {
        let mut mmu = SoftMmu::new(0x3000, false);
        assert_eq!(mmu.mapped_bytes(), 0x3000);
        mmu.set_limit(0x4000);
        mmu.map(0x8000, 0x1000, Prot::R, Backing::Anonymous).unwrap();
        assert!(matches!(mmu.map(0x9000, 0x1000, Prot::R, Backing::Anonymous), Err(Error::NoMemory { .. })));
        mmu.map(0x0, 0x3000, Prot::R, Backing::Anonymous).unwrap();
        mmu.unmap(0x8000, 0x4000).unwrap();
        mmu.map(0x9000, 0x1000, Prot::R, Backing::Anonymous).unwrap();
        assert_eq!(mmu.mapped_bytes(), 0x4000);
    }

    #[test]
    fn a_failed_comparison_changes_nothing() {
        let mmu = SoftMmu::new(0x1000, false);
        mmu.store_u32(0x10, 0x8000_0000).unwrap();
        let mut seen = 0;
        mmu.swap_u32(0x10, 5, 6, &mut seen).unwrap();
        assert_eq!(seen, 0x8000_0000);
        mmu.swap_u32(0x10, 0x8000_0000, 6, &mut seen).unwrap();
        mmu.load_u64(0x10, &mut seen).unwrap();
        assert_eq!(seen, 6);
    }
}
