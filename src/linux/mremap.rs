//! mremap(2): growing, shrinking and moving mappings.

use super::call::{Call, SysResult};
use super::mm::{choose, errno, whole_pages, MAP_FIXED, TASK_END};
use crate::base::{GuestAddr, PAGE};
use crate::mmu::{Backing, Prot, SoftMmu};

const MREMAP_MAYMOVE: u64 = 1;
const MREMAP_FIXED: u64 = 2;
const MREMAP_DONTUNMAP: u64 = 4;

/// mremap(old, old_len, new_len, flags, new).
pub fn mremap(call: &mut Call<'_>) -> SysResult {
    let [old, old_len, new_len, flags, new, _] = call.args;
    let lengths = (whole_pages(old_len), whole_pages(new_len));
    let fixed = flags & MREMAP_FIXED != 0;
    let keep = flags & MREMAP_DONTUNMAP != 0;
    let known = flags & !(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) == 0;
    let may_move = flags & MREMAP_MAYMOVE != 0;
    if old % PAGE != 0 || !known || new_len == 0 || ((fixed || keep) && !may_move) {
        return Err(libc::EINVAL);
    }
    let (Some(old_len), Some(new_len)) = lengths else { return Err(libc::ENOMEM) };
    // An old length of 0 would make a second view of shared pages; Linux has it for historical reasons only.
    if old_len == 0 || (keep && old_len != new_len) {
        return Err(libc::EINVAL);
    }
    if !uniform(call.mmu, old, old_len) {
        return Err(libc::EFAULT);
    }
    if fixed {
        let overlaps = new < old.saturating_add(old_len) && old < new.saturating_add(new_len);
        if overlaps {
            return Err(libc::EINVAL);
        }
        let to = choose(call, new, new_len, MAP_FIXED).map_err(|_| libc::EINVAL)?;
        return relocate(call, (old, old_len), (to, new_len), keep);
    }
    if !keep && new_len <= old_len {
        if new_len < old_len {
            call.memory().release(call.mmu, old + new_len, old_len - new_len)?;
        }
        return Ok(old);
    }
    if !keep && grow(call, old, old_len, new_len) {
        return Ok(old);
    }
    if !may_move {
        return Err(libc::ENOMEM);
    }
    let to = call.memory().find_free(call.mmu, new_len).ok_or(libc::ENOMEM)?;
    relocate(call, (old, old_len), (to, new_len), keep)
}

/// Whether a range is mapped with one set of permissions: what Linux can move in one call.
fn uniform(mmu: &SoftMmu, addr: GuestAddr, len: u64) -> bool {
    let first = mmu.prot(addr);
    let same = |page: u64| mmu.prot(addr + page * PAGE) == first;
    first.is_some() && mmu.is_mapped(addr, len) && (1..len / PAGE).all(same)
}

/// Grows an anonymous private mapping in place, if what follows is free.
fn grow(call: &mut Call<'_>, old: GuestAddr, old_len: u64, new_len: u64) -> bool {
    let (end, more) = (old + old_len, new_len - old_len);
    let fits = end + more <= TASK_END && call.mmu.is_free(end, more);
    if !fits || call.mmu.is_shared(old) || call.memory().files.overlaps(old, end) {
        return false;
    }
    let Some(prot) = call.mmu.prot(old) else { return false };
    call.mmu.map(end, more, prot, Backing::Anonymous).is_ok()
}

/// Moves pages. With `keep` the old range stays mapped, empty.
fn relocate(call: &mut Call<'_>, old: (GuestAddr, u64), new: (GuestAddr, u64), keep: bool) -> SysResult {
    let prot = call.mmu.prot(old.0).ok_or(libc::EFAULT)?;
    let shared = call.mmu.is_shared(old.0);
    if let Err(error) = call.mmu.remap(old.0, old.1, new.0, new.1) {
        // The host may hold what is one mapping to the guest as several, which it does not move in one call.
        let several =
            errno(error) == libc::EFAULT && !shared && !call.memory().files.overlaps(old.0, old.0 + old.1);
        if !several {
            return Err(libc::ENOMEM);
        }
        copy_pages(call, old, new, prot)?;
    }
    let memory = &mut *call.memory();
    memory.files.rename(old.0, old.1, new.0, new.1);
    if keep {
        call.mmu.map(old.0, old.1, prot, Backing::Anonymous).map_err(errno)?;
    } else {
        memory.next = memory.next.max(old.0 + old.1).min(memory.top);
    }
    Ok(new.0)
}

/// Moves anonymous pages by copying them. Pages of zeros are left untouched, so that they stay without memory.
fn copy_pages(call: &Call<'_>, old: (GuestAddr, u64), new: (GuestAddr, u64), prot: Prot) -> Result<(), i32> {
    let mmu = call.mmu;
    mmu.map(new.0, new.1, Prot::RW, Backing::Anonymous).map_err(errno)?;
    mmu.protect(old.0, old.1, Prot::R).map_err(errno)?;
    let mut bytes = [0; PAGE as usize];
    for offset in (0..old.1.min(new.1)).step_by(PAGE as usize) {
        mmu.read(old.0 + offset, &mut bytes).map_err(|_| libc::EFAULT)?;
        if bytes.iter().any(|&byte| byte != 0) {
            mmu.write(new.0 + offset, &bytes).map_err(|_| libc::EFAULT)?;
        }
    }
    mmu.protect(new.0, new.1, prot).map_err(errno)?;
    mmu.unmap(old.0, old.1).map_err(errno)
}
