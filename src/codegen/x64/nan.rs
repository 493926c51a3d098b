//! NaNs put off. RISC-V gives the canonical NaN, the host one made of its operands. Which one it is can be told only
//! where the bits of a register are looked at, and arithmetic does not: so the result of arithmetic on doubles that has
//! a host register is *raw* until then, and mended at the end of the block at the latest.
//!
//! NaNs come out of arithmetic that they go into. So if a result is a number, all that it was computed from were, and
//! of a whole expression one comparison is enough.
//!
//! Before a helper is called everything is mended (in slow paths: there, which may be after the operation's own code has
//! mended some). At an access that may fault `Buffers::pending` says what is raw.
//!
//! Singles are raw in units only, which say at accesses what each value is.

use super::roles::Home;
use super::upper::float_bit;
use super::{ColdKind, Lower};
use crate::asm::x64::reg::*;
use crate::asm::x64::Mem;
use crate::base::{RegId, FIRST_FLOAT, FIRST_TEMP};
use crate::codegen::{CANONICAL_NAN, CANONICAL_SINGLE};

/// Results of arithmetic. Bit `n` stands for floating-point register `n`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Raw {
    /// A NaN in these may be any quiet one.
    pub(super) regs: u32,
    /// Those of them that are singles.
    singles: u32,
    /// Of each of them: raw registers that hold numbers if it does.
    covers: [u32; 32],
}

/// The bit of a register; 0 for one that is not the guest's floating-point register.
fn bit(reg: RegId) -> u32 {
    match reg {
        FIRST_FLOAT..FIRST_TEMP => 1 << (reg - FIRST_FLOAT),
        _ => 0,
    }
}

/// The registers of a mask.
fn registers(mut mask: u32) -> impl Iterator<Item = RegId> {
    std::iter::from_fn(move || {
        let reg = FIRST_FLOAT + mask.trailing_zeros() as RegId;
        (mask != 0).then(|| mask &= mask - 1).map(|()| reg)
    })
}

impl Raw {
    /// The register is overwritten.
    pub(super) fn define(&mut self, reg: RegId) {
        let bit = bit(reg);
        if self.regs != 0 && bit != 0 {
            self.regs &= !bit;
            self.singles &= !bit;
            for other in registers(self.regs) {
                self.covers[usize::from(other - FIRST_FLOAT)] &= !bit;
            }
        }
    }

    /// The raw registers that hold numbers if this one does, with itself.
    fn implied(&self, reg: RegId) -> u32 {
        match self.regs & bit(reg) {
            0 => 0,
            bit => (bit | self.covers[usize::from(reg - FIRST_FLOAT)]) & self.regs,
        }
    }

    /// The register is overwritten with what arithmetic makes of others, which may include it.
    pub(super) fn compute(&mut self, single: bool, dst: RegId, sources: &[RegId]) {
        let covers = sources.iter().fold(0, |covers, &reg| covers | self.implied(reg));
        self.define(dst);
        self.regs |= bit(dst);
        self.singles |= if single { bit(dst) } else { 0 };
        if bit(dst) != 0 {
            self.covers[usize::from(dst - FIRST_FLOAT)] = covers & !bit(dst);
        }
    }
}

impl Lower<'_> {
    /// Whether a register's NaN may be another than the canonical one.
    pub(super) fn is_raw(&self, reg: RegId) -> bool {
        self.raw.regs & bit(reg) != 0
    }

    /// The register's home holds what arithmetic made of others.
    pub(super) fn computed(&mut self, single: bool, dst: RegId, sources: &[RegId]) {
        self.raw.compute(single, dst, sources);
        self.boxed &= !float_bit(dst);
    }

    /// Makes a register's NaN the canonical one. Flags change.
    #[inline(always)]
    pub(super) fn mend(&mut self, reg: RegId) {
        if self.raw.regs != 0 {
            self.mend_raw(reg);
        }
    }

    fn mend_raw(&mut self, reg: RegId) {
        let regs = self.raw.implied(reg);
        let Home::Xmm(xmm) = self.home(reg) else { return };
        if regs == 0 {
            return;
        }
        let back = self.asm.new_label();
        let mend = self.cold(ColdKind::Mend { regs, singles: self.raw.singles, back });
        match self.raw.singles & bit(reg) == 0 {
            true => self.asm.ucomisd_xx(xmm, xmm),
            false => self.asm.ucomiss_xx(xmm, xmm),
        }
        self.asm.jcc(Cond::P, mend);
        self.asm.bind(back);
        self.raw.regs &= !regs;
        self.raw.singles &= !regs;
    }

    /// Whether a raw register is a single.
    pub(super) fn is_raw_single(&self, reg: RegId) -> bool {
        self.raw.singles & bit(reg) != 0
    }

    /// Makes all NaNs canonical. Flags change.
    pub(super) fn mend_all(&mut self) {
        while self.raw.regs != 0 {
            let most = registers(self.raw.regs).max_by_key(|&reg| self.raw.implied(reg).count_ones());
            self.mend(most.unwrap_or(FIRST_FLOAT));
        }
    }

    /// As [`Lower::mend`], one by one: for code behind the block.
    pub(super) fn mend_each(&mut self, regs: u32, singles: u32) {
        for reg in registers(regs) {
            if let Home::Xmm(xmm) = self.home(reg) {
                self.mend_xmm(xmm, singles & bit(reg) != 0);
            }
        }
    }

    /// Makes a host register's NaN the canonical one.
    pub(super) fn mend_xmm(&mut self, xmm: Xmm, single: bool) {
        let number = self.asm.new_label();
        let nan = self.asm.constant64(if single { CANONICAL_SINGLE } else { CANONICAL_NAN });
        match single {
            true => self.asm.ucomiss_xx(xmm, xmm),
            false => self.asm.ucomisd_xx(xmm, xmm),
        }
        self.asm.jcc_l8(Cond::Np, number);
        self.asm.movsd_xm(xmm, Mem::label(nan));
        self.asm.bind(number);
    }
}
