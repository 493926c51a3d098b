//! Atomic operations of the interpreter, all built on the host's compare-and-swap (sequentially consistent, which is
//! stronger than any order the guest can ask for).
//!
//! A reservation is the address and value that LR read; SC succeeds if memory still holds that value. A value that
//! changed and changed back is not noticed, where RISC-V Unpriv. 13.2 wants the SC to fail; qemu's user mode does the
//! same.

use crate::base::error::{Access, Fault, Trap};
use crate::base::state::CpuState;
use crate::base::GuestAddr;
use crate::ir::eval::sextw;
use crate::mmu::SoftMmu;

/// Width in bits of a row by the name of its access function.
pub(super) const fn width(access: &str) -> u32 {
    // The names end in the width's digits: "load_s32", "store_u64".
    match access.as_bytes() {
        [.., b'3', b'2'] => 32,
        _ => 64,
    }
}

fn aligned(addr: GuestAddr, bytes: u64) -> Result<(), Trap> {
    if addr.is_multiple_of(bytes) {
        Ok(())
    } else {
        Err(Trap::Misaligned(addr))
    }
}

/// An atomic needs write permission, so its fault is a store's even when reading met it first.
fn as_store(fault: Fault) -> Trap {
    Trap::Memory(Fault { access: Access::Store, ..fault })
}

/// Replaces 32 bits by `f(old, src)`, both sign-extended; returns the old value, sign-extended.
#[inline]
pub(super) fn update32(
    mmu: &SoftMmu,
    addr: GuestAddr,
    src: u64,
    f: fn(u64, u64) -> u64,
) -> Result<u64, Trap> {
    aligned(addr, 4)?;
    let mut old = 0;
    mmu.load_u32(addr, &mut old).map_err(as_store)?;
    loop {
        let new = f(sextw(old), sextw(src));
        let mut seen = 0;
        mmu.swap_u32(addr, old as u32, new as u32, &mut seen).map_err(as_store)?;
        if seen as u32 == old as u32 {
            return Ok(sextw(old));
        }
        old = seen;
    }
}

/// Replaces 64 bits by `f(old, src)`; returns the old value.
#[inline]
pub(super) fn update64(
    mmu: &SoftMmu,
    addr: GuestAddr,
    src: u64,
    f: fn(u64, u64) -> u64,
) -> Result<u64, Trap> {
    aligned(addr, 8)?;
    let mut old = 0;
    mmu.load_u64(addr, &mut old).map_err(as_store)?;
    loop {
        let mut seen = 0;
        mmu.swap_u64(addr, old, f(old, src), &mut seen).map_err(as_store)?;
        if seen == old {
            return Ok(old);
        }
        old = seen;
    }
}

/// Reads 32 (sign-extended) or 64 bits and reserves them.
pub(super) fn load_reserved<const BITS: u32>(
    cpu: &mut CpuState,
    mmu: &SoftMmu,
    addr: GuestAddr,
) -> Result<u64, Trap> {
    aligned(addr, u64::from(BITS / 8))?;
    let mut value = 0;
    match BITS {
        32 => mmu.load_s32(addr, &mut value),
        _ => mmu.load_u64(addr, &mut value),
    }
    .map_err(Trap::Memory)?;
    // Orders the load before everything after it, whatever the instruction asked for.
    mmu.fence();
    (cpu.reserved, cpu.reserved_addr, cpu.reserved_value) = (true, addr, value);
    Ok(value)
}

/// Writes if the reservation of `addr` holds; returns 0 if it did and 1 if not. The reservation is gone either way.
pub(super) fn store_conditional<const BITS: u32>(
    cpu: &mut CpuState,
    mmu: &SoftMmu,
    addr: GuestAddr,
    value: u64,
) -> Result<u64, Trap> {
    aligned(addr, u64::from(BITS / 8))?;
    let held = cpu.reserved && cpu.reserved_addr == addr;
    cpu.reserved = false;
    if !held {
        return Ok(1);
    }
    let expected = cpu.reserved_value;
    let mut seen = 0;
    let same = match BITS {
        32 => {
            mmu.swap_u32(addr, expected as u32, value as u32, &mut seen).map_err(as_store)?;
            seen as u32 == expected as u32
        }
        _ => {
            mmu.swap_u64(addr, expected, value, &mut seen).map_err(as_store)?;
            seen == expected
        }
    };
    Ok(u64::from(!same))
}
