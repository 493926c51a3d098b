//! The reservation behind a guest space: 4 GiB of host addresses that nothing else can use.
//!
//! Invariants:
//! - `[base, base + 4 GiB)` (for the low placement: from 64 KiB) and a guard behind it belong to this `Space` from
//!   `reserve` to drop; whatever the guest unmaps becomes an inaccessible reservation again, never a hole.
//! - Every mapping call is given a range that was checked to be page-aligned and inside the space, so that none can
//!   touch the host's own memory.
#![allow(unsafe_code, reason = "mmap family on our own reservation")]

use crate::base::error::Error;
use crate::base::{GuestAddr, PAGE, SPACE};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

/// Where a guest space lies in the host's address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Host addresses 64 KiB to 4 GiB: guest and host addresses are equal. At most one per process.
    Low,
    /// Anywhere: a base is added to each guest address.
    Based,
}

/// Permissions of guest pages. Execution is the engine's business: the host never executes guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Prot {
    pub read: bool,
    pub write: bool,
    pub exec: bool,
}

impl Prot {
    pub const NONE: Prot = Prot { read: false, write: false, exec: false };
    pub const R: Prot = Prot { read: true, write: false, exec: false };
    pub const RW: Prot = Prot { read: true, write: true, exec: false };
    pub const RX: Prot = Prot { read: true, write: false, exec: true };
    pub const RWX: Prot = Prot { read: true, write: true, exec: true };

    /// The host's protection: what may be executed may be read (the engine reads it), what may be written may be
    /// read (RISC-V Privileged 4.3.1 reserves write-only pages; Linux gives them read).
    fn host(self) -> libc::c_int {
        let read = if self.read || self.exec || self.write { libc::PROT_READ } else { 0 };
        let write = if self.write { libc::PROT_WRITE } else { 0 };
        read | write
    }
}

/// What a mapping shows.
#[derive(Clone, Copy, Debug)]
pub enum Backing<'a> {
    /// Zeroed private memory.
    Anonymous,
    /// Zeroed memory shared with children.
    SharedAnonymous,
    /// A file from `offset` (page-aligned), private or shared.
    File { fd: BorrowedFd<'a>, offset: u64, shared: bool },
    /// As `File`, by a descriptor number that the guest gave: the kernel says whether it is one.
    Descriptor { fd: i32, offset: u64, shared: bool },
}

/// A call that changes mappings failed.
#[derive(Debug)]
pub struct Refused {
    pub error: Error,
    /// What was mapped there before it is so no longer: address and length.
    pub lost: Vec<(GuestAddr, u64)>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused { error, lost: Vec::new() }
    }
}

/// Lowest guest address that a low space can map: what the host kernel lets nobody map (`vm.mmap_min_addr`).
const LOW_START: u64 = 64 * 1024;
/// Behind the space, so that an access which starts in its last bytes and runs over the end faults.
const GUARD: u64 = 64 * 1024;

/// A reserved 4 GiB guest space. Dropping it gives all of it back to the host.
#[derive(Debug)]
pub struct Space {
    /// Host address of guest address 0 (0 for the low placement).
    base: usize,
    /// Bytes behind it that belong to it and are never mapped.
    guard: u64,
    /// Per guest page, one byte; a mapping of its own, so that untouched parts cost nothing.
    pages: *mut AtomicU8,
}

// SAFETY: `pages` points to memory that this Space owns and that is only accessed through atomics.
unsafe impl Send for Space {}
// SAFETY: as above; the mapping calls are the kernel's to order.
unsafe impl Sync for Space {}

const PAGES: usize = (SPACE / PAGE) as usize;

impl Space {
    /// Reserves a space. No memory is committed.
    ///
    /// # Errors
    /// `Error::NoMemory` if the host refuses the addresses (for `Low`: also if they are in use);
    /// `Error::Unsupported` if its pages are larger than the guest's.
    pub fn reserve(placement: Placement) -> Result<Space, Error> {
        Space::with(GUARD, || match placement {
            Placement::Low => reserve_at(LOW_START, SPACE + GUARD - LOW_START).map(|_| 0),
            Placement::Based => map_new(0, (SPACE + GUARD) as usize, libc::PROT_NONE, 0),
        })
    }

    /// A space whose addresses, those of the guard included, `reserve` gets from the host.
    fn with(guard: u64, reserve: impl FnOnce() -> io::Result<usize>) -> Result<Space, Error> {
        // SAFETY: sysconf reads a constant of the system.
        if unsafe { libc::sysconf(libc::_SC_PAGESIZE) } != PAGE as libc::c_long {
            return Err(Error::Unsupported("its pages are not 4 KiB, the guest's are"));
        }
        let refused = || Error::NoMemory { what: "the 4 GiB guest address space", bytes: SPACE };
        let pages = map_new(0, PAGES, libc::PROT_READ | libc::PROT_WRITE, 0).map_err(|_| refused())?;
        match reserve() {
            Ok(base) => Ok(Space { base, guard, pages: ptr::with_exposed_provenance_mut(pages) }),
            Err(_) => {
                // SAFETY: the mapping was made above and nothing refers to it.
                unsafe { libc::munmap(ptr::with_exposed_provenance_mut(pages), PAGES) };
                Err(refused())
            }
        }
    }

    /// Host address of guest address 0.
    #[inline(always)]
    pub fn base(&self) -> usize {
        self.base
    }

    /// Distance from the base to the end of the guard.
    pub fn reach(&self) -> usize {
        (SPACE + self.guard) as usize
    }

    /// The lowest guest address that can be mapped: 0 for a based space, 64 KiB for a low one.
    pub fn lowest(&self) -> GuestAddr {
        if self.base == 0 {
            LOW_START
        } else {
            0
        }
    }

    /// One byte per guest page, for the owner's use; all zero at first.
    #[inline]
    pub fn pages(&self) -> &[AtomicU8] {
        // SAFETY: the mapping has PAGES zeroed bytes and lives as long as self.
        unsafe { std::slice::from_raw_parts(self.pages, PAGES) }
    }

    /// The first page from `index` on whose byte is not zero.
    pub fn next_used(&self, index: usize) -> Option<usize> {
        let pages = self.pages();
        let is_used = |index: &usize| pages[*index].load(Ordering::Relaxed) != 0;
        let start = index.next_multiple_of(8).min(PAGES);
        (index.min(PAGES)..start).find(is_used).or_else(|| {
            let words = (start..PAGES).step_by(8);
            // Most pages are free: eight bytes at a time.
            // SAFETY: the word lies in the mapping, which is aligned. What others change meanwhile is seen before or after.
            let mut used =
                words.filter(|&at| unsafe { self.pages.add(at).cast::<u64>().read_volatile() } != 0);
            used.find_map(|at| (at..at + 8).find(is_used))
        })
    }

    /// Checks that a range is page-aligned, not empty and inside the space; the guard of every call below.
    fn check(&self, addr: GuestAddr, len: u64) -> Result<*mut libc::c_void, Error> {
        let end = addr.checked_add(len);
        let inside = end.is_some_and(|end| end <= SPACE) && addr >= self.lowest();
        if !inside || len == 0 || !(addr | len).is_multiple_of(PAGE) {
            return Err(Error::BadRange { addr, len });
        }
        Ok(ptr::with_exposed_provenance_mut(self.base + addr as usize))
    }

    /// Maps `[addr, addr + len)`, replacing what was there. With `huge` the host is asked for huge pages.
    ///
    /// # Errors
    /// `Error::BadRange`, or `Error::Host` with the host's reason.
    pub fn map(
        &self,
        addr: GuestAddr,
        len: u64,
        prot: Prot,
        backing: Backing<'_>,
        huge: bool,
    ) -> Result<(), Refused> {
        let at = self.check(addr, len)?;
        let (flags, fd, offset) = match backing {
            Backing::Anonymous => (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE, -1, 0),
            Backing::SharedAnonymous => (libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1, 0),
            Backing::File { fd, offset, shared: true } => (libc::MAP_SHARED, fd.as_raw_fd(), offset),
            Backing::File { fd, offset, shared: false } => (libc::MAP_PRIVATE, fd.as_raw_fd(), offset),
            Backing::Descriptor { fd, offset, shared: true } => (libc::MAP_SHARED, fd, offset),
            Backing::Descriptor { fd, offset, shared: false } => (libc::MAP_PRIVATE, fd, offset),
        };
        let offset = libc::off_t::try_from(offset).map_err(|_| Error::BadRange { addr, len })?;
        // SAFETY: the range is inside our reservation (check), so MAP_FIXED replaces only guest memory.
        let got = unsafe { libc::mmap(at, len as usize, prot.host(), flags | libc::MAP_FIXED, fd, offset) };
        if got == libc::MAP_FAILED {
            let error = host_error("mmap");
            return Err(Refused { error, lost: self.holes([(addr, len)]) });
        }
        if huge {
            // SAFETY: the range was mapped just now. Failure only means small pages.
            unsafe { libc::madvise(at, len as usize, libc::MADV_HUGEPAGE) };
        }
        Ok(())
    }

    /// Makes `[addr, addr + len)` inaccessible and gives its memory back.
    ///
    /// # Errors
    /// As [`Space::map`].
    pub fn unmap(&self, addr: GuestAddr, len: u64) -> Result<(), Error> {
        let at = self.check(addr, len)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
        // SAFETY: the range is inside our reservation (check) and stays reserved.
        let got = unsafe { libc::mmap(at, len as usize, libc::PROT_NONE, flags, -1, 0) };
        if got == libc::MAP_FAILED {
            return Err(host_error("munmap"));
        }
        Ok(())
    }

    /// Changes the host's protection of `[addr, addr + len)`.
    ///
    /// # Errors
    /// As [`Space::map`].
    pub fn protect(&self, addr: GuestAddr, len: u64, prot: Prot) -> Result<(), Error> {
        let at = self.check(addr, len)?;
        // SAFETY: the range is inside our reservation (check).
        match unsafe { libc::mprotect(at, len as usize, prot.host()) } {
            0 => Ok(()),
            _ => Err(host_error("mprotect")),
        }
    }

    /// Moves the pages of `[from, from + old_len)` to `[to, to + new_len)`, replacing what was there; the old range
    /// becomes a reservation again. The ranges must not overlap.
    ///
    /// # Errors
    /// As [`Space::map`].
    pub fn remap(&self, from: GuestAddr, old_len: u64, to: GuestAddr, new_len: u64) -> Result<(), Refused> {
        let (old, new) = (self.check(from, old_len)?, self.check(to, new_len)?);
        if from < to + new_len && to < from + old_len {
            return Err(Error::BadRange { addr: to, len: new_len }.into());
        }
        let common = old_len.min(new_len);
        let holes = || self.holes([(to, new_len), (from + common, old_len - common)]);
        let fixed = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
        // First out of the space, with the old range left as it is but empty. So there is at no time a hole in the space that
        // another mapping of the host could fall into.
        let kept = libc::MREMAP_MAYMOVE | libc::MREMAP_DONTUNMAP;
        // SAFETY: the range is inside our reservation (check), and the kernel picks addresses that nothing uses.
        let apart = unsafe { libc::mremap(old, common as usize, common as usize, kept) };
        if apart != libc::MAP_FAILED {
            // SAFETY: what was moved just now, and a range inside our reservation.
            let moved = unsafe { libc::mremap(apart, common as usize, new_len as usize, fixed, new) };
            if moved != libc::MAP_FAILED {
                return Ok(self.unmap(from, old_len)?);
            }
            let error = host_error("mremap");
            // SAFETY: back to where it was.
            unsafe { libc::mremap(apart, common as usize, common as usize, fixed, old) };
            return Err(Refused { error, lost: holes() });
        }
        if io::Error::last_os_error().raw_os_error() != Some(libc::EINVAL) {
            return Err(host_error("mremap").into());
        }
        // Linux before 5.7, or before 5.13 and no anonymous memory.
        // SAFETY: both ranges are inside our reservation (check).
        let got = unsafe { libc::mremap(old, old_len as usize, new_len as usize, fixed, new) };
        if got == libc::MAP_FAILED {
            let error = host_error("mremap");
            return Err(Refused { error, lost: holes() });
        }
        // What has fallen into the hole meanwhile is not the guest's to replace.
        let _ = reserve_at(old.expose_provenance() as u64, old_len);
        Ok(())
    }

    /// After a call failed that replaces these ranges: those that the kernel had unmapped before it found out, which are
    /// reserved again. If something is mapped there, the call changed nothing.
    fn holes<const N: usize>(&self, ranges: [(GuestAddr, u64); N]) -> Vec<(GuestAddr, u64)> {
        let is_hole =
            |&(addr, len): &(GuestAddr, u64)| len > 0 && reserve_at(self.base as u64 + addr, len).is_ok();
        ranges.into_iter().filter(is_hole).collect()
    }

    /// `madvise` on `[addr, addr + len)` with one of the host's advice numbers that do not unmap.
    ///
    /// # Errors
    /// As [`Space::map`].
    pub fn advise(&self, addr: GuestAddr, len: u64, advice: libc::c_int) -> Result<(), Error> {
        let at = self.check(addr, len)?;
        // SAFETY: the range is inside our reservation (check); advice changes contents only where the guest asked.
        match unsafe { libc::madvise(at, len as usize, advice) } {
            0 => Ok(()),
            _ => Err(host_error("madvise")),
        }
    }

    /// `msync` on `[addr, addr + len)`.
    ///
    /// # Errors
    /// As [`Space::map`].
    pub fn sync(&self, addr: GuestAddr, len: u64, flags: libc::c_int) -> Result<(), Error> {
        let at = self.check(addr, len)?;
        // SAFETY: the range is inside our reservation (check).
        match unsafe { libc::msync(at, len as usize, flags) } {
            0 => Ok(()),
            _ => Err(host_error("msync")),
        }
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let (start, len) = match self.base {
            0 => (LOW_START, SPACE + self.guard - LOW_START),
            base => (base as u64, SPACE + self.guard),
        };
        // SAFETY: both ranges are ours (header), and nothing can refer to them once self is gone.
        unsafe {
            libc::munmap(ptr::with_exposed_provenance_mut(start as usize), len as usize);
            libc::munmap(self.pages.cast(), PAGES);
        }
    }
}

/// Memory of the host's directly before a space or directly behind it. For tests: what somebody changes outside the space
/// is seen, and so is what he reads there, since nothing else looks like it.
#[cfg(all(feature = "linux", any(test, feature = "testing")))]
#[derive(Debug)]
pub struct Neighbour {
    start: usize,
    len: usize,
}

#[cfg(all(feature = "linux", any(test, feature = "testing")))]
impl Neighbour {
    /// What it consists of.
    pub const WORD: [u8; 8] = 0x9b1d_c4e7_86f5_a3d3_u64.to_le_bytes();

    fn new(start: usize, len: usize) -> Neighbour {
        // SAFETY: `reserve_between` has mapped the range for this, and nothing else knows of it.
        unsafe {
            libc::mprotect(ptr::with_exposed_provenance_mut(start), len, libc::PROT_READ | libc::PROT_WRITE);
            std::slice::from_raw_parts_mut(ptr::with_exposed_provenance_mut::<[u8; 8]>(start), len / 8)
                .fill(Neighbour::WORD);
        }
        Neighbour { start, len }
    }

    /// First host address and end.
    pub fn range(&self) -> (usize, usize) {
        (self.start, self.start + self.len)
    }

    /// Whether those of its bytes that are at most `distance` away from `at` are what they were.
    pub fn is_untouched(&self, at: usize, distance: usize) -> bool {
        let (start, end) = self.range();
        let (first, last) = (at.saturating_sub(distance).max(start), at.saturating_add(distance).min(end));
        (first.next_multiple_of(8)..last / 8 * 8).step_by(8).all(|word| {
            // SAFETY: the word lies in the mapping. The kernel may have written it, so nothing is taken for known.
            let bytes = unsafe { ptr::with_exposed_provenance::<[u8; 8]>(word).read_volatile() };
            bytes == Neighbour::WORD
        })
    }

    /// Whether some of it has been copied to `bytes`.
    pub fn is_found_in(bytes: &[u8]) -> bool {
        // Compared after a multiplication, so that a fuzzer which watches comparisons does not learn the word.
        let product = |word: u64| word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (wanted, mut word) = (product(u64::from_le_bytes(Neighbour::WORD)), 0);
        bytes.iter().any(|&byte| {
            word = word >> 8 | u64::from(byte) << 56;
            product(word) == wanted
        })
    }
}

#[cfg(all(feature = "linux", any(test, feature = "testing")))]
impl Drop for Neighbour {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's alone (`reserve_between`).
        unsafe { libc::munmap(ptr::with_exposed_provenance_mut(self.start), self.len) };
    }
}

#[cfg(all(feature = "linux", any(test, feature = "testing")))]
impl Space {
    /// A based space with neighbours of `len` bytes (whole pages) on both sides, and without a guard between.
    ///
    /// # Errors
    /// As [`Space::reserve`].
    pub fn reserve_between(len: usize) -> Result<(Space, [Neighbour; 2]), Error> {
        let space = Space::with(0, || Ok(map_new(0, SPACE as usize + 2 * len, libc::PROT_NONE, 0)? + len))?;
        let (start, end) = (space.base, space.base + SPACE as usize);
        Ok((space, [Neighbour::new(start - len, len), Neighbour::new(end, len)]))
    }
}

fn host_error(what: &'static str) -> Error {
    Error::Host { what, source: io::Error::last_os_error() }
}

/// A new private anonymous mapping without commitment; returns its host address.
fn map_new(at: u64, len: usize, prot: libc::c_int, more_flags: libc::c_int) -> io::Result<usize> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | more_flags;
    // SAFETY: without MAP_FIXED the kernel picks addresses that nothing uses.
    let got = unsafe { libc::mmap(ptr::with_exposed_provenance_mut(at as usize), len, prot, flags, -1, 0) };
    match got {
        libc::MAP_FAILED => Err(io::Error::last_os_error()),
        got => Ok(got.expose_provenance()),
    }
}

/// Reserves exactly `[at, at + len)` or fails.
fn reserve_at(at: u64, len: u64) -> io::Result<usize> {
    let got = map_new(at, len as usize, libc::PROT_NONE, libc::MAP_FIXED_NOREPLACE)?;
    if got as u64 == at {
        return Ok(got);
    }
    // A kernel before 4.17 takes the flag for a hint and maps elsewhere.
    // SAFETY: the mapping was made just now and nothing refers to it.
    unsafe { libc::munmap(ptr::with_exposed_provenance_mut(got), len as usize) };
    Err(io::Error::from_raw_os_error(libc::EEXIST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_outside_the_space_are_refused() {
        let space = Space::reserve(Placement::Based).unwrap();
        let rw = Prot::RW;
        for (addr, len) in [
            (SPACE, PAGE),
            (SPACE - PAGE, 2 * PAGE),
            (0x10001, PAGE),
            (0x10000, 1),
            (0x10000, 0),
            (0x10000, !0xfff),
        ] {
            let mapped = space.map(addr, len, rw, Backing::Anonymous, false);
            let refused = mapped.map_err(|refused| refused.error);
            assert!(matches!(refused, Err(Error::BadRange { .. })), "{addr:#x}+{len:#x}");
        }
        space.map(SPACE - PAGE, PAGE, rw, Backing::Anonymous, false).unwrap();
    }

    #[test]
    fn two_based_spaces_live_side_by_side() {
        let a = Space::reserve(Placement::Based).unwrap();
        let b = Space::reserve(Placement::Based).unwrap();
        assert!(a.base().abs_diff(b.base()) as u64 >= SPACE);
    }
}
