//! Memory: brk and the mmap family (mremap has a file of its own).
//!
//! The guest's page tables are the host's (see `mmu`); what is kept here is only what the host does not tell: the
//! program break, where to look for free addresses, and the names of mapped files for `/proc/self/maps`.

use super::call::{Call, SysResult};
use super::maps::FileMaps;
use crate::base::error::Error;
use crate::base::{GuestAddr, PAGE, SPACE};
use crate::mmu::{Backing, CallArg, Prot, SoftMmu};

/// The lowest address that can be mapped: Linux's default `vm.mmap_min_addr`, and what a low space can give.
pub const LOWEST: GuestAddr = 0x1_0000;
/// End of what can be mapped. The rest up to 4 GiB stays empty, so that no structure the kernel is shown can run
/// over the end of the space.
pub const TASK_END: GuestAddr = SPACE - 0x1_0000;

// Flags of mmap (Linux `asm-generic/mman.h`, the same on riscv64 and on the hosts).
const MAP_TYPE: u64 = 0xf;
const MAP_SHARED: u64 = 1;
const MAP_PRIVATE: u64 = 2;
const MAP_SHARED_VALIDATE: u64 = 3;
pub(super) const MAP_FIXED: u64 = 0x10;
const MAP_ANONYMOUS: u64 = 0x20;
const MAP_HUGETLB: u64 = 0x4_0000;
const MAP_FIXED_NOREPLACE: u64 = 0x10_0000;

/// Bits of `prot` that mprotect takes besides read, write and execute: `PROT_SEM`.
const PROT_KNOWN: u64 = 7 | 8;

/// What the process knows about its memory.
#[derive(Debug)]
pub struct Memory {
    brk_start: GuestAddr,
    brk: GuestAddr,
    /// End of the mmap area.
    pub top: GuestAddr,
    /// Below this a search for free addresses begins: under the last mapping made, or at the end of the last hole.
    pub(super) next: GuestAddr,
    /// First address and end of the initial stack.
    pub stack: (GuestAddr, GuestAddr),
    pub files: FileMaps,
}

impl Memory {
    /// With the heap from `brk` (page-aligned) upwards and mappings from `top` downwards.
    pub fn new(brk: GuestAddr, top: GuestAddr) -> Memory {
        Memory { brk_start: brk, brk, top, next: top, stack: (0, 0), files: FileMaps::default() }
    }

    /// First address of the heap and its current end.
    pub fn heap(&self) -> (GuestAddr, GuestAddr) {
        (self.brk_start, self.brk)
    }

    /// Free addresses for `len` bytes, the highest below the last ones given out if possible.
    pub fn find_free(&mut self, mmu: &SoftMmu, len: u64) -> Option<GuestAddr> {
        if len > self.top {
            return None;
        }
        let found = mmu
            .find_free_below(len, LOWEST, self.next)
            .or_else(|| mmu.find_free_below(len, LOWEST, self.top))?;
        self.next = found;
        Some(found)
    }

    /// Unmaps a range and remembers that it is free.
    pub(super) fn release(&mut self, mmu: &SoftMmu, addr: GuestAddr, len: u64) -> Result<(), i32> {
        mmu.unmap(addr, len).map_err(errno)?;
        self.files.remove(addr, addr + len);
        self.next = self.next.max(addr + len).min(self.top);
        Ok(())
    }
}

/// The `errno` of a failed mapping call.
pub(super) fn errno(error: Error) -> i32 {
    match error {
        Error::Host { source, .. } => source.raw_os_error().unwrap_or(libc::EINVAL),
        Error::NoMemory { .. } => libc::ENOMEM,
        _ => libc::EINVAL,
    }
}

fn prot_of(bits: u64) -> Prot {
    Prot { read: bits & 1 != 0, write: bits & 2 != 0, exec: bits & 4 != 0 }
}

/// `len` in whole pages; `None` if that is more than any space has.
pub(super) fn whole_pages(len: u64) -> Option<u64> {
    len.checked_next_multiple_of(PAGE).filter(|&len| len <= SPACE)
}

/// brk(addr): moves the end of the heap; returns where it is afterwards.
pub fn brk(call: &mut Call<'_>) -> SysResult {
    let (mmu, memory, wanted) = (call.mmu, &mut *call.memory(), call.args[0]);
    let stays = Ok(memory.brk);
    if wanted < memory.brk_start || wanted > memory.top {
        return stays;
    }
    let (old_end, new_end) = (memory.brk.next_multiple_of(PAGE), wanted.next_multiple_of(PAGE));
    if new_end > old_end {
        let len = new_end - old_end;
        // One page stays free behind the heap, so that running over its end is noticed.
        let free = mmu.is_free(old_end, len + PAGE);
        if !free || mmu.map(old_end, len, Prot::RW, Backing::Anonymous).is_err() {
            return stays;
        }
    } else if new_end < old_end && memory.release(mmu, new_end, old_end - new_end).is_err() {
        return stays;
    }
    memory.brk = wanted;
    Ok(wanted)
}

/// mmap(addr, len, prot, flags, fd, offset).
pub fn mmap(call: &mut Call<'_>) -> SysResult {
    let [addr, len, prot, flags, fd, offset] = call.args;
    if len == 0 || offset % PAGE != 0 {
        return Err(libc::EINVAL);
    }
    let len = whole_pages(len).ok_or(libc::ENOMEM)?;
    let shared = match flags & MAP_TYPE {
        MAP_PRIVATE => false,
        MAP_SHARED | MAP_SHARED_VALIDATE => true,
        _ => return Err(libc::EINVAL),
    };
    if flags & MAP_HUGETLB != 0 {
        return Err(libc::ENOMEM);
    }
    let fd = fd as i32;
    let anonymous = flags & MAP_ANONYMOUS != 0;
    if !anonymous && fd < 0 {
        return Err(libc::EBADF);
    }
    let at = choose(call, addr, len, flags)?;
    let backing = match (anonymous, shared) {
        (true, false) => Backing::Anonymous,
        (true, true) => Backing::SharedAnonymous,
        (false, shared) => Backing::Descriptor { fd, offset, shared },
    };
    if let Err(error) = call.mmu.map(at, len, prot_of(prot), backing) {
        if call.mmu.is_free(at, len) {
            // What was there is gone nevertheless.
            call.memory().files.remove(at, at + len);
        }
        return Err(errno(error));
    }
    let mut memory = call.memory();
    memory.files.remove(at, at + len);
    if !anonymous {
        let name = std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap_or_default();
        memory.files.insert(at, at + len, offset, name.as_os_str().as_encoded_bytes());
    }
    Ok(at)
}

/// Where a new mapping goes.
pub(super) fn choose(call: &mut Call<'_>, addr: GuestAddr, len: u64, flags: u64) -> SysResult {
    let fits = addr.checked_add(len).is_some_and(|end| end <= TASK_END);
    if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) != 0 {
        if !addr.is_multiple_of(PAGE) {
            return Err(libc::EINVAL);
        }
        if !fits {
            return Err(libc::ENOMEM);
        }
        if addr < LOWEST {
            return Err(libc::EPERM);
        }
        let taken = flags & MAP_FIXED_NOREPLACE != 0 && !call.mmu.is_free(addr, len);
        return if taken { Err(libc::EEXIST) } else { Ok(addr) };
    }
    let hint = addr / PAGE * PAGE;
    if hint >= LOWEST && fits && call.mmu.is_free(hint, len) {
        return Ok(hint);
    }
    call.memory().find_free(call.mmu, len).ok_or(libc::ENOMEM)
}

/// munmap(addr, len).
pub fn munmap(call: &mut Call<'_>) -> SysResult {
    let (addr, len) = (call.args[0], call.args[1]);
    let end = whole_pages(len).and_then(|len| addr.checked_add(len)).filter(|&end| end <= SPACE);
    let (Some(end), true) = (end, addr % PAGE == 0 && len > 0) else { return Err(libc::EINVAL) };
    // Nothing is ever mapped outside these bounds.
    let (start, end) = (addr.max(LOWEST), end.min(TASK_END));
    if start < end {
        call.memory().release(call.mmu, start, end - start)?;
    }
    Ok(0)
}

/// mprotect(addr, len, prot).
pub fn mprotect(call: &mut Call<'_>) -> SysResult {
    let [addr, len, prot, ..] = call.args;
    if addr % PAGE != 0 || prot & !PROT_KNOWN != 0 {
        return Err(libc::EINVAL);
    }
    let range = whole_pages(len).filter(|&len| len == 0 || call.mmu.is_mapped(addr, len));
    match range.ok_or(libc::ENOMEM)? {
        0 => Ok(0),
        len => call.mmu.protect(addr, len, prot_of(prot)).map(|()| 0).map_err(errno),
    }
}

/// pkey_mprotect(addr, len, prot, pkey): without protection keys only key -1 exists.
pub fn pkey_mprotect(call: &mut Call<'_>) -> SysResult {
    if call.int(3) == -1 {
        mprotect(call)
    } else {
        Err(libc::EINVAL)
    }
}

/// Checks the range of a call on mapped memory: (start, whole pages); EINVAL, or ENOMEM if it leaves the space.
fn checked_range(call: &Call<'_>) -> Result<(GuestAddr, u64), i32> {
    let (addr, len) = (call.args[0], call.args[1]);
    if addr % PAGE != 0 {
        return Err(libc::EINVAL);
    }
    let len = whole_pages(len).ok_or(libc::ENOMEM)?;
    match addr.checked_add(len) {
        Some(end) if end <= TASK_END && (addr >= LOWEST || len == 0) => Ok((addr, len)),
        _ => Err(libc::ENOMEM),
    }
}

/// madvise(addr, len, advice).
pub fn madvise(call: &mut Call<'_>) -> SysResult {
    let advice = call.int(2);
    // NORMAL..DONTNEED, FREE, REMOVE; MERGEABLE..WIPEONFORK, KEEPONFORK; COLD..POPULATE_WRITE; COLLAPSE. The rest
    // concerns the machine (HWPOISON) or makes pages that the page bytes would not show (GUARD_INSTALL).
    match advice {
        0..=4 | 8 | 9 | 12..=19 | 20..=23 | 25 => {}
        // DONTFORK, DOFORK: there is no fork yet.
        10 | 11 => return Ok(0),
        _ => return Err(libc::EINVAL),
    }
    let (addr, len) = checked_range(call)?;
    if len == 0 {
        return Ok(0);
    }
    call.mmu.advise(addr, len, advice).map_err(errno)?;
    // Linux applies the advice to what is mapped and then complains about the rest.
    if call.mmu.is_mapped(addr, len) {
        Ok(0)
    } else {
        Err(libc::ENOMEM)
    }
}

/// msync(addr, len, flags).
pub fn msync(call: &mut Call<'_>) -> SysResult {
    let (addr, len) = checked_range(call)?;
    if !call.mmu.is_mapped(addr, len) {
        return Err(libc::ENOMEM);
    }
    match len {
        0 => Ok(0),
        len => call.mmu.sync(addr, len, call.int(2)).map(|()| 0).map_err(errno),
    }
}

/// mincore(addr, len, vec).
pub fn mincore(call: &mut Call<'_>) -> SysResult {
    let (addr, len) = checked_range(call)?;
    if !call.mmu.is_mapped(addr, len) {
        return Err(libc::ENOMEM);
    }
    let pages = CallArg::Guest { addr, len };
    call.host(libc::SYS_mincore, &mut [pages, CallArg::Int(len), call.guest(2, len / PAGE)])
}

/// mlock(addr, len), munlock(addr, len), mlock2(addr, len, flags).
pub fn mlock(call: &mut Call<'_>) -> SysResult {
    lock(call, libc::SYS_mlock, 0)
}

pub fn munlock(call: &mut Call<'_>) -> SysResult {
    lock(call, libc::SYS_munlock, 0)
}

pub fn mlock2(call: &mut Call<'_>) -> SysResult {
    lock(call, libc::SYS_mlock2, call.args[2])
}

fn lock(call: &Call<'_>, number: libc::c_long, flags: u64) -> SysResult {
    let addr = call.args[0] / PAGE * PAGE;
    let len = call.args[1].checked_add(call.args[0] % PAGE).and_then(whole_pages).ok_or(libc::ENOMEM)?;
    if !call.mmu.is_mapped(addr, len) {
        return Err(libc::ENOMEM);
    }
    call.host(number, &mut [CallArg::Guest { addr, len }, CallArg::Int(len), CallArg::Int(flags)])
}

/// mlockall(flags): accepted without effect. The host's call would lock the whole process that runs the guest.
pub fn mlockall(call: &mut Call<'_>) -> SysResult {
    if matches!(call.args[0], 1..=3 | 5..=7) {
        Ok(0)
    } else {
        Err(libc::EINVAL)
    }
}

/// munlockall().
pub fn munlockall(_call: &mut Call<'_>) -> SysResult {
    Ok(0)
}

/// riscv_flush_icache(start, end, flags).
pub fn flush_icache(call: &mut Call<'_>) -> SysResult {
    // SYS_RISCV_FLUSH_ICACHE_LOCAL is the only flag.
    if call.args[2] & !1 != 0 {
        return Err(libc::EINVAL);
    }
    call.mmu.sync_code();
    // SYS_RISCV_FLUSH_ICACHE_LOCAL is for the calling thread alone.
    if call.args[2] == 0 {
        call.process.threads.wait_for_translations(call.mmu.code_epoch(), &call.thread.peer);
    }
    Ok(0)
}

#[cfg(test)]
#[path = "mm_tests.rs"]
mod tests;
