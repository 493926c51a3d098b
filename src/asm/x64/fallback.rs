//! Instructions that not every x86-64 processor has, each with a sequence of baseline instructions that computes the
//! same.
//!
//! The methods take the processor's features and emit the instruction if it is there, else the sequence. Both give
//! the same result and read their sources before they write the destination, so any of these may be one register.
//! `tmp` is a register that is none of the others; its value is lost. So are the flags.
//!
//! The other rows that need a feature have no sequence here; who emits them asks [`CpuFeatures::has`] first:
//!
//! - `vaddsd` and the others with three operands: a move, and the instruction with two.
//! - `vfmadd...` and `roundss`/`roundsd`: one rounding, and all flags right, is not to be had with a few baseline
//!   instructions; the code generator calls a helper.
//! - `pextrd`, `pextrq`, `pinsrd`, `pinsrq`: `movd`, `movq`, `pshufd` and `punpckldq` do it.
//! - `mulx`: `mul`, which needs rax and rdx. `movbe`: `mov` and `bswap`.
//! - `bextr`, `bzhi`, `blsr`, `blsi`, `blsmsk`: shifts, `and`, `lea`, `neg`. `pdep`, `pext`: a helper.
//! - `cmpxchg16b`: every 64-bit processor but the first few has it; there is no substitute.

use super::features::{CpuFeatures, Feature};
use super::mem::Mem;
use super::reg::{Cond, Gpr, Size, RCX};
use super::Assembler;

/// A shift or rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shift {
    Shl,
    Shr,
    Sar,
    Rol,
    Ror,
}

impl Assembler {
    /// Copies a register if source and destination differ. With [`Size::S32`] the upper half of `dst` is then clear.
    fn copy(&mut self, size: Size, dst: Gpr, src: Gpr) {
        if dst != src {
            self.mov_rr(size, dst, src);
        }
    }

    /// `dst` = number of one bits of `src`.
    pub fn any_popcnt(&mut self, features: CpuFeatures, size: Size, dst: Gpr, src: Gpr, tmp: Gpr) {
        debug_assert!(tmp != dst && tmp != src);
        if features.has(Feature::Popcnt) {
            return self.popcnt_rr(size, dst, src);
        }
        // Sums of neighbouring fields of 1, 2 and 4 bits, then of all bytes at once in the highest one
        // (H. S. Warren, "Hacker's Delight", 2nd edition, figure 5-2).
        self.copy(size, dst, src);
        self.mov_rr(size, tmp, dst);
        self.shr_ri(size, tmp, 1);
        self.and_bytes(size, tmp, 0x55);
        self.sub_rr(size, dst, tmp);
        self.mov_rr(size, tmp, dst);
        self.shr_ri(size, tmp, 2);
        self.and_bytes(size, tmp, 0x33);
        self.and_bytes(size, dst, 0x33);
        self.add_rr(size, dst, tmp);
        self.mov_rr(size, tmp, dst);
        self.shr_ri(size, tmp, 4);
        self.add_rr(size, dst, tmp);
        self.and_bytes(size, dst, 0x0f);
        match size {
            Size::S32 => self.imul_rri(size, dst, dst, i32::from_ne_bytes([1; 4])),
            Size::S64 => {
                let ones = self.constant64(u64::from_ne_bytes([1; 8]));
                self.imul_rm(size, dst, Mem::label(ones));
            }
        }
        self.shr_ri(size, dst, if size == Size::S32 { 24 } else { 56 });
    }

    /// `dst` = `dst` and the same byte everywhere; the byte's highest bit is 0.
    fn and_bytes(&mut self, size: Size, dst: Gpr, byte: u8) {
        match size {
            Size::S32 => self.and_ri(size, dst, i32::from_ne_bytes([byte; 4])),
            Size::S64 => {
                let mask = self.constant64(u64::from_ne_bytes([byte; 8]));
                self.and_rm(size, dst, Mem::label(mask));
            }
        }
    }

    /// `dst` = number of leading zero bits of `src`; the size if `src` is 0.
    pub fn any_lzcnt(&mut self, features: CpuFeatures, size: Size, dst: Gpr, src: Gpr, tmp: Gpr) {
        debug_assert!(tmp != dst && tmp != src);
        if features.has(Feature::Lzcnt) {
            return self.lzcnt_rr(size, dst, src);
        }
        // The index of the highest bit, subtracted from size - 1 by inverting its bits. For 0 it is set to what
        // gives the size.
        let highest: u8 = if size == Size::S32 { 31 } else { 63 };
        self.mov_ri32(tmp, 2 * u32::from(highest) + 1);
        self.bsr_rr(size, dst, src);
        self.cmovcc_rr(size, Cond::E, dst, tmp);
        self.xor_ri(size, dst, i32::from(highest));
    }

    /// `dst` = number of trailing zero bits of `src`; the size if `src` is 0.
    pub fn any_tzcnt(&mut self, features: CpuFeatures, size: Size, dst: Gpr, src: Gpr, tmp: Gpr) {
        debug_assert!(tmp != dst && tmp != src);
        if features.has(Feature::Bmi1) {
            return self.tzcnt_rr(size, dst, src);
        }
        self.mov_ri32(tmp, u32::from(size.bits()));
        self.bsf_rr(size, dst, src);
        self.cmovcc_rr(size, Cond::E, dst, tmp);
    }

    /// `dst` = `src` and not `inverted`.
    pub fn any_andn(
        &mut self,
        features: CpuFeatures,
        size: Size,
        dst: Gpr,
        inverted: Gpr,
        src: Gpr,
        tmp: Gpr,
    ) {
        debug_assert!(tmp != dst && tmp != src && tmp != inverted);
        if features.has(Feature::Bmi1) {
            return self.andn_rrr(size, dst, inverted, src);
        }
        let work = if dst == src { tmp } else { dst };
        self.copy(size, work, inverted);
        self.not_r(size, work);
        self.and_rr(size, work, src);
        self.copy(size, dst, work);
    }

    /// `dst` = `src` rotated right by a constant.
    pub fn any_rorx(&mut self, features: CpuFeatures, size: Size, dst: Gpr, src: Gpr, count: u8) {
        if features.has(Feature::Bmi2) && dst != src {
            return self.rorx_rri(size, dst, src, count);
        }
        self.copy(size, dst, src);
        self.ror_ri(size, dst, count);
    }

    /// `dst` = `src` shifted or rotated by `count` modulo the size. Any of the three may be rcx; `tmp` may not.
    #[allow(clippy::too_many_arguments, reason = "three operands, and what to do with them")]
    pub fn any_shift(
        &mut self,
        features: CpuFeatures,
        shift: Shift,
        size: Size,
        dst: Gpr,
        src: Gpr,
        count: Gpr,
        tmp: Gpr,
    ) {
        debug_assert!(tmp != dst && tmp != src && tmp != count && tmp != RCX);
        match shift {
            Shift::Shl if features.has(Feature::Bmi2) => return self.shlx_rrr(size, dst, src, count),
            Shift::Shr if features.has(Feature::Bmi2) => return self.shrx_rrr(size, dst, src, count),
            Shift::Sar if features.has(Feature::Bmi2) => return self.sarx_rrr(size, dst, src, count),
            _ => {}
        }
        // The count has to be in rcx while the value is somewhere else.
        let work = if dst == RCX || dst == count { tmp } else { dst };
        self.copy(size, work, src);
        if count != RCX {
            self.xchg_rr(Size::S64, RCX, count);
        }
        match shift {
            Shift::Shl => self.shl_rc(size, work),
            Shift::Shr => self.shr_rc(size, work),
            Shift::Sar => self.sar_rc(size, work),
            Shift::Rol => self.rol_rc(size, work),
            Shift::Ror => self.ror_rc(size, work),
        }
        if count != RCX {
            self.xchg_rr(Size::S64, RCX, count);
        }
        self.copy(size, dst, work);
    }
}
