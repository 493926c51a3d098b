//! Accesses to guest memory that may fault, for x86-64 hosts.
//!
//! Each access is one instruction of known address. Its address and that of its landing place go into the table
//! `__vmjit_fixups`; when the instruction faults, the handler of `sys::trap` looks it up there and goes on at the
//! landing place, so a fault costs nothing until it happens. The pairs are offsets relative to their own place,
//! as position-independent code needs.
//!
//! Guest and host are both little-endian and a naturally aligned access of up to 8 bytes is single-copy atomic
//! (Intel SDM Vol. 3A, 9.1.1), as RVWMO asks of the guest.
#![allow(unsafe_code, reason = "raw guest memory access; the caller vouches for the address")]

use super::trap::{self, HostFault};
use std::arch::asm;

/// One entry of the fixup table: the instruction that may fault and where to go on, both self-relative.
#[repr(C)]
pub(super) struct Fixup {
    pub(super) insn: i32,
    pub(super) landing: i32,
}

/// The row of the fixup table for the instruction at local label 2.
macro_rules! fixup {
    () => {
        concat!(
            ".pushsection __vmjit_fixups,\"aR\"\n",
            ".balign 4\n",
            ".long 2b - .\n",
            ".long {fault} - .\n",
            ".popsection"
        )
    };
}

/// A load: `$insn` reads `[{a}]` into `{t}`, which is then stored to `*dst`, a register slot of the caller.
///
/// Going through memory is what makes the landing place possible without outputs, and it is where the value of a
/// guest load belongs anyway.
macro_rules! load {
    ($name:ident, $insn:literal, $doc:literal) => {
        #[doc = $doc]
        ///
        /// # Safety
        /// `host` must lie in a guest space (mapped or not), so that a fault there is the guest's.
        #[inline(always)]
        pub unsafe fn $name(host: usize, dst: &mut u64) -> Result<(), HostFault> {
            // SAFETY: the instruction reads only `host`, which the caller vouches for, and writes only `*dst`.
            unsafe {
                asm!(
                    concat!("2: ", $insn),
                    "mov qword ptr [{d}], {t}",
                    fixup!(),
                    a = in(reg) host,
                    d = in(reg) std::ptr::from_mut(dst),
                    t = out(reg) _,
                    fault = label { return Err(trap::last_fault()) },
                    options(nostack, preserves_flags)
                );
            }
            Ok(())
        }
    };
}

load!(load_u8, "movzx {t:e}, byte ptr [{a}]", "Loads 8 bits, zero-extended.");
load!(load_s8, "movsx {t}, byte ptr [{a}]", "Loads 8 bits, sign-extended.");
load!(load_u16, "movzx {t:e}, word ptr [{a}]", "Loads 16 bits, zero-extended.");
load!(load_s16, "movsx {t}, word ptr [{a}]", "Loads 16 bits, sign-extended.");
load!(load_u32, "mov {t:e}, dword ptr [{a}]", "Loads 32 bits, zero-extended.");
load!(load_s32, "movsxd {t}, dword ptr [{a}]", "Loads 32 bits, sign-extended.");
load!(load_u64, "mov {t}, qword ptr [{a}]", "Loads 64 bits.");

/// A store of the low bits of `value`.
macro_rules! store {
    ($name:ident, $insn:literal, $class:ident, $doc:literal) => {
        #[doc = $doc]
        ///
        /// # Safety
        /// `host` must lie in a guest space (mapped or not), so that a fault there is the guest's and no memory of
        /// the host's own is written.
        #[inline(always)]
        pub unsafe fn $name(host: usize, value: u64) -> Result<(), HostFault> {
            // SAFETY: the instruction writes only to `host`, which the caller vouches for.
            unsafe {
                asm!(
                    concat!("2: ", $insn),
                    fixup!(),
                    a = in(reg) host,
                    v = in($class) value,
                    fault = label { return Err(trap::last_fault()) },
                    options(nostack, preserves_flags)
                );
            }
            Ok(())
        }
    };
}

store!(store_u8, "mov byte ptr [{a}], {v:l}", reg, "Stores 8 bits.");
store!(store_u16, "mov word ptr [{a}], {v:x}", reg, "Stores 16 bits.");
store!(store_u32, "mov dword ptr [{a}], {v:e}", reg, "Stores 32 bits.");
store!(store_u64, "mov qword ptr [{a}], {v}", reg, "Stores 64 bits.");

/// A compare-and-swap with sequential consistency: if the memory at `host` holds `expected`, `new` is stored.
/// `*seen` receives what memory held before (equal to `expected` on success).
macro_rules! compare_exchange {
    ($name:ident, $insn:literal, $doc:literal) => {
        #[doc = $doc]
        ///
        /// # Safety
        /// As for the stores; `host` must be naturally aligned.
        #[inline(always)]
        pub unsafe fn $name(host: usize, expected: u64, new: u64, seen: &mut u64) -> Result<(), HostFault> {
            // SAFETY: the instruction touches only `host`, which the caller vouches for, and writes only `*seen`.
            unsafe {
                asm!(
                    "mov rax, {e}",
                    concat!("2: lock cmpxchg ", $insn),
                    "mov qword ptr [{d}], rax",
                    fixup!(),
                    e = in(reg) expected,
                    a = in(reg) host,
                    n = in(reg) new,
                    d = in(reg) std::ptr::from_mut(seen),
                    out("rax") _,
                    fault = label { return Err(trap::last_fault()) },
                    options(nostack)
                );
            }
            Ok(())
        }
    };
}

compare_exchange!(
    compare_exchange_u32,
    "dword ptr [{a}], {n:e}",
    "Compare-and-swap of 32 bits; `*seen` is zero-extended if `expected` is."
);
compare_exchange!(compare_exchange_u64, "qword ptr [{a}], {n}", "Compare-and-swap of 64 bits.");

/// Copies `len` bytes; either side may be guest memory. On a fault the bytes before the faulting one are copied.
///
/// # Safety
/// `from..from+len` and `to..to+len` must each lie in a guest space or in memory of the caller's that is valid for
/// reading, respectively for writing.
#[inline(never)]
pub unsafe fn copy(from: usize, to: usize, len: usize) -> Result<(), HostFault> {
    // SAFETY: the caller vouches for both ranges; the direction flag is clear by the ABI (psABI 3.2.1).
    unsafe {
        asm!(
            "2: rep movsb",
            fixup!(),
            inout("rsi") from => _,
            inout("rdi") to => _,
            inout("rcx") len => _,
            fault = label { return Err(trap::last_fault()) },
            options(nostack, preserves_flags)
        );
    }
    Ok(())
}

/// Full memory barrier: the guest's `fence rw, rw`.
#[inline(always)]
pub fn fence() {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}
