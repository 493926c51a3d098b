//! Sign extension put off. A 32-bit operation of the guest extends its result to 64 bits; x86-64 zero-extends. Most
//! results are read by other 32-bit operations, so a result that has a host register stays as it is: its upper half is
//! *pending*. What reads only low halves takes the register as it stands, what reads all of it extends it first, what
//! overwrites it has nothing to do, and at the end of the block everything pending is extended.
//!
//! Helpers see registers through `CpuState`, so everything is extended before a call (in slow paths: there, which may
//! be after the operation's own code has extended some; it does no harm to do that twice). At an access that may fault
//! `Buffers::pending` says what is pending, and the engine extends it once the registers are saved.
//!
//! Besides, it is known of some registers that they hold a sign-extended 32-bit number, for which `and`, `or`, `xor`
//! and comparisons of the low halves say it all.

use super::roles::{self, Home};
use super::thunks::state;
use super::{Lower, Source};
use crate::asm::x64::reg::*;
use crate::asm::x64::Size;
use crate::base::{RegId, FIRST_FLOAT, FIRST_TEMP};

use Size::{S32, S64};

/// What is known of the guest's integer registers, a bit for each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upper {
    /// The value is the sign extension of its low half.
    narrow: u32,
    /// Narrow, and the upper half of the home may be anything. The homes are those of `GPR_ROLES`.
    pub(super) pending: u16,
}

impl Upper {
    /// At the entry of a block.
    pub(super) const UNKNOWN: Upper = Upper { narrow: 1, pending: 0 };
}

/// The bit of a register; 0 for one that is not the guest's integer register.
fn bit(reg: RegId) -> u32 {
    if reg < FIRST_FLOAT {
        1 << reg
    } else {
        0
    }
}

/// The bit in `Lower::boxed` of a register; 0 for one that is not the guest's floating-point register.
pub(super) fn float_bit(reg: RegId) -> u64 {
    match reg {
        FIRST_FLOAT..FIRST_TEMP => 1 << reg,
        _ => 0,
    }
}

// `Upper::pending` has a bit for every register that has a host register.
const _: () = {
    let mut i = 0;
    while i < roles::GPR_ROLES.len() {
        assert!(roles::GPR_ROLES[i].0 < 16);
        i += 1;
    }
};

impl Lower<'_> {
    pub(super) fn is_narrow(&self, reg: RegId) -> bool {
        self.upper.narrow & bit(reg) != 0
    }

    pub(super) fn is_pending(&self, reg: RegId) -> bool {
        u32::from(self.upper.pending) & bit(reg) != 0
    }

    /// Whether an operation on the low halves of two registers says what one on all of them does, and is cheaper.
    pub(super) fn low_halves_do(&self, a: RegId, b: RegId) -> bool {
        self.is_narrow(a) && self.is_narrow(b) && (self.is_pending(a) || self.is_pending(b))
    }

    /// The register is overwritten, with nobody knows what.
    pub(super) fn define(&mut self, reg: RegId) {
        if reg < FIRST_FLOAT {
            self.upper.narrow &= !bit(reg) | 1;
            self.upper.pending &= !(bit(reg) as u16);
        } else {
            self.raw.define(reg);
            self.boxed &= !float_bit(reg);
        }
    }

    /// The register holds a sign-extended number, in all 64 bits.
    pub(super) fn narrow(&mut self, reg: RegId) {
        self.upper.narrow |= bit(reg);
    }

    /// The low half of the register's home is that of its value, which is narrow.
    pub(super) fn pend(&mut self, reg: RegId) {
        self.upper.narrow |= bit(reg);
        self.upper.pending |= bit(reg) as u16;
    }

    /// Gives a register the upper half that is due. Flags are not changed.
    pub(super) fn extend_home(&mut self, reg: RegId) {
        if self.is_pending(reg) {
            if let Home::Gpr(host) = self.home(reg) {
                self.asm.movsxd_rr(host, host);
            }
            self.upper.pending &= !(bit(reg) as u16);
        }
    }

    /// Gives all registers the upper halves that are due. Flags are not changed.
    pub(super) fn extend_all(&mut self) {
        while self.upper.pending != 0 {
            self.extend_home(self.upper.pending.trailing_zeros() as RegId);
        }
    }

    /// Notes what is pending, or raw, at the code that follows, which may fault.
    pub(super) fn note_pending(&mut self) {
        let known = self.pending.last().map_or(0, |&(_, mask)| mask);
        let mask = u64::from(self.upper.pending) | u64::from(self.raw.regs) << FIRST_FLOAT;
        if mask != known {
            self.pending.push((self.here(), mask));
        }
    }

    /// The value of a register for an operation of a size: its host register, or `scratch` with the value loaded.
    pub(super) fn sized(&mut self, size: Size, reg: RegId, scratch: Gpr) -> Gpr {
        match (size, self.home(reg)) {
            (S32, Home::Gpr(host)) => host,
            (S32, Home::Slot(at)) => {
                self.asm.mov_rm(S32, scratch, state(at));
                scratch
            }
            _ => self.value(reg, scratch),
        }
    }

    /// As [`Lower::sized`], in `into` in any case.
    pub(super) fn load_sized(&mut self, size: Size, into: Gpr, reg: RegId) {
        let from = self.sized(size, reg, into);
        if from != into {
            self.asm.mov_rr(size, into, from);
        }
    }

    /// As [`Lower::sized`], or the slot.
    pub(super) fn operand_sized(&mut self, size: Size, reg: RegId, scratch: Gpr) -> Source {
        match self.home(reg) {
            Home::Slot(at) => Source::Mem(state(at)),
            _ => Source::Gpr(self.sized(size, reg, scratch)),
        }
    }

    /// Puts a result of the given size, which is in `from`, into its register.
    pub(super) fn put_sized(&mut self, size: Size, dst: RegId, from: Gpr) {
        if size == S64 {
            return self.put(dst, from);
        }
        match self.home(dst) {
            Home::Gpr(host) => {
                if host != from {
                    self.asm.mov_rr(S32, host, from);
                }
                self.pend(dst);
            }
            _ => {
                if !self.low {
                    self.asm.movsxd_rr(from, from);
                }
                self.put_narrow(dst, from);
            }
        }
    }

    /// Puts a value that is sign-extended already into its register.
    pub(super) fn put_narrow(&mut self, dst: RegId, from: Gpr) {
        self.put(dst, from);
        self.narrow(dst);
    }

    /// `dst` = the sign-extended low half of `src`.
    pub(super) fn sign_extend(&mut self, dst: RegId, src: RegId) {
        if self.is_narrow(src) {
            return if dst != src {
                self.copy(dst, src)
            };
        }
        if let Home::Gpr(host) = self.home(dst) {
            self.load_sized(S32, host, src);
            return self.pend(dst);
        }
        match self.operand_sized(S32, src, RAX) {
            Source::Gpr(from) => self.asm.movsxd_rr(RAX, from),
            Source::Mem(from) => self.asm.movsxd_rm(RAX, from),
        }
        self.put_narrow(dst, RAX);
    }
}
