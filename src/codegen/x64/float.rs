//! Floating point on the host's unit.
//!
//! The unit runs with the guest's rounding mode (generated code is entered only while that is one the hardware has)
//! and its sticky flags are the guest's: x86-64 detects tininess after rounding, as RISC-V does (Intel SDM Vol. 1,
//! 4.9.1.5). Where it is not exact the helper does the operation again, from the same operands:
//!
//! - a NaN result of a fused operation (hardware misses the NV of inf * 0 + NaN); those of other arithmetic differ in
//!   their bits only, see `nan`,
//! - a conversion that gives the integer indefinite,
//! - a single that is not boxed,
//! - a static rounding mode, except toward zero in conversions to integers.
//!
//! The flags that hardware raised before the helper runs are a subset of those the helper raises.

use super::roles::{self, Home};
use super::thunks::state;
use super::{ColdKind, Lower};
use crate::asm::x64::reg::*;
use crate::asm::x64::{Assembler, Feature, Index, Mem, Scale, Size};
use crate::asm::Label;
use crate::base::RegId;
use crate::ir::float::Rounding;
use crate::ir::ops::RoundMode;
use crate::ir::IROp;

use Size::{S32, S64};

/// Scratch registers.
const X0: Xmm = Xmm::ALL[0];
const X1: Xmm = Xmm::ALL[1];

/// An operation of two operands: `dst = dst op src`, and what AVX has: `dst = a op b`. Each with a register and with memory
/// for the second operand.
struct Pair {
    commutes: bool,
    xx: fn(&mut Assembler, Xmm, Xmm),
    xm: fn(&mut Assembler, Xmm, Mem),
    xxx: fn(&mut Assembler, Xmm, Xmm, Xmm),
    xxm: fn(&mut Assembler, Xmm, Xmm, Mem),
}

/// A fused operation: `dst = a * dst + b`, with a register and with memory for `b`.
struct Fused {
    xxx: fn(&mut Assembler, Xmm, Xmm, Xmm),
    xxm: fn(&mut Assembler, Xmm, Xmm, Mem),
}

macro_rules! fused {
    ($xxx:ident, $xxm:ident) => {
        Fused { xxx: Assembler::$xxx, xxm: Assembler::$xxm }
    };
}

macro_rules! pair {
    ($commutes:literal, $xx:ident, $xm:ident, $xxx:ident, $xxm:ident) => {
        Pair {
            commutes: $commutes,
            xx: Assembler::$xx,
            xm: Assembler::$xm,
            xxx: Assembler::$xxx,
            xxm: Assembler::$xxm,
        }
    };
}

impl Lower<'_> {
    /// Lowers a floating-point operation; false if it is not one that has code here.
    pub(super) fn float(&mut self, op: &IROp) -> bool {
        self.float_arithmetic(op)
            || self.float_fused(op)
            || self.float_compare(op)
            || self.float_convert(op)
            || self.float_sign(op)
            || self.float_state(op)
    }

    /// Reads and writes of the accrued flags, which programs do around quiet comparisons. They are `CpuState::fflags` and
    /// what the unit has accrued since.
    fn float_state(&mut self, op: &IROp) -> bool {
        match *op {
            IROp::ReadFlags { dst } => {
                self.unit_flags();
                self.asm.or_rm8(RAX, state(roles::FFLAGS));
                let d = self.target(dst, RAX);
                self.asm.movzx_rr8(S32, d, RAX);
                self.put(dst, d);
            }
            IROp::WriteFlags { src } => {
                let covered = self.asm.new_label();
                self.unit_flags();
                self.load(RCX, src);
                self.asm.and_ri(S32, RCX, 31);
                self.asm.mov_mr8(state(roles::FFLAGS), RCX);
                // Loading the control word is slow, and not needed if the unit has nothing that is to be cleared.
                self.asm.not_r(S32, RCX);
                self.asm.test_rr(S32, RAX, RCX);
                self.asm.jcc(Cond::E, covered);
                self.asm.and_mi(S32, state(roles::GUEST_MXCSR), !0x3f);
                self.asm.ldmxcsr_m(state(roles::GUEST_MXCSR));
                self.asm.bind(covered);
            }
            IROp::ReadRound { dst } => {
                let d = self.target(dst, RAX);
                self.asm.movzx_rm8(S32, d, state(roles::FRM));
                self.put(dst, d);
            }
            _ => return false,
        }
        true
    }

    /// What the unit has accrued, as `fflags`, into eax. Clobbers rcx.
    fn unit_flags(&mut self) {
        self.asm.stmxcsr_m(state(roles::GUEST_MXCSR));
        self.asm.mov_rm(S32, RAX, state(roles::GUEST_MXCSR));
        self.asm.and_ri(S32, RAX, 0x3f);
        self.asm.mov_rm(S64, RCX, state(roles::FLAG_TABLE));
        self.asm.movzx_rm8(S32, RAX, Mem::sum(RCX, Index::RAX, Scale::X1));
    }

    #[rustfmt::skip] // one row per line
    fn float_arithmetic(&mut self, op: &IROp) -> bool {
        use RoundMode::Dynamic as D;
        match *op {
            IROp::AddF64 { dst, src1, src2, rm: D } => self.double(&pair!(true, addsd_xx, addsd_xm, vaddsd_xxx, vaddsd_xxm), dst, src1, src2),
            IROp::SubF64 { dst, src1, src2, rm: D } => self.double(&pair!(false, subsd_xx, subsd_xm, vsubsd_xxx, vsubsd_xxm), dst, src1, src2),
            IROp::MulF64 { dst, src1, src2, rm: D } => self.double(&pair!(true, mulsd_xx, mulsd_xm, vmulsd_xxx, vmulsd_xxm), dst, src1, src2),
            IROp::DivF64 { dst, src1, src2, rm: D } => self.double(&pair!(false, divsd_xx, divsd_xm, vdivsd_xxx, vdivsd_xxm), dst, src1, src2),
            IROp::AddF32 { dst, src1, src2, rm: D } => self.single(op, &pair!(true, addss_xx, addss_xm, vaddss_xxx, vaddss_xxm), dst, src1, src2),
            IROp::SubF32 { dst, src1, src2, rm: D } => self.single(op, &pair!(false, subss_xx, subss_xm, vsubss_xxx, vsubss_xxm), dst, src1, src2),
            IROp::MulF32 { dst, src1, src2, rm: D } => self.single(op, &pair!(true, mulss_xx, mulss_xm, vmulss_xxx, vmulss_xxm), dst, src1, src2),
            IROp::DivF32 { dst, src1, src2, rm: D } => self.single(op, &pair!(false, divss_xx, divss_xm, vdivss_xxx, vdivss_xxm), dst, src1, src2),
            IROp::SqrtF64 { dst, src, rm: D } => self.double_sqrt(dst, src),
            IROp::SqrtF32 { dst, src, rm: D } => self.single_sqrt(op, dst, src),
            _ => return false,
        }
        true
    }

    /// The value of a floating-point register in an xmm register: its own or `scratch`.
    fn xmm(&mut self, reg: RegId, scratch: Xmm) -> Xmm {
        match self.home(reg) {
            Home::Xmm(xmm) => return xmm,
            Home::Gpr(_) => {
                let host = self.value(reg, RAX);
                self.asm.movq_xr(scratch, host);
            }
            Home::Slot(at) => self.asm.movsd_xm(scratch, state(at)),
            Home::Zero => self.asm.xorps_xx(scratch, scratch),
        }
        scratch
    }

    fn load_xmm(&mut self, into: Xmm, reg: RegId) {
        let from = self.xmm(reg, into);
        if from != into {
            self.asm.movaps_xx(into, from);
        }
    }

    fn put_xmm(&mut self, reg: RegId, from: Xmm) {
        self.define(reg);
        match self.home(reg) {
            Home::Xmm(xmm) if xmm == from => {}
            Home::Xmm(xmm) => self.asm.movaps_xx(xmm, from),
            Home::Gpr(host) => self.asm.movq_rx(host, from),
            Home::Slot(at) => self.asm.movsd_mx(state(at), from),
            Home::Zero => {}
        }
    }

    /// Goes to `slow` unless the register certainly or actually holds a boxed single.
    fn check_boxed(&mut self, reg: RegId, slow: Label) {
        if reg < 64 && self.boxed >> reg & 1 != 0 {
            return;
        }
        match self.home(reg) {
            Home::Slot(at) => self.asm.cmp_mi(S32, state(at + 4), -1),
            _ => {
                self.load(RAX, reg);
                self.asm.sar_ri(S64, RAX, 32);
                self.asm.cmp_ri(S32, RAX, -1);
            }
        }
        self.asm.jcc(Cond::Ne, slow);
    }

    /// Goes to `slow` if a register holds a NaN. The comparison of a quiet NaN raises nothing.
    fn check_nan(&mut self, single: bool, xmm: Xmm, slow: Label) {
        match single {
            true => self.asm.ucomiss_xx(xmm, xmm),
            false => self.asm.ucomisd_xx(xmm, xmm),
        }
        self.asm.jcc(Cond::P, slow);
    }

    fn apply(&mut self, pair: &Pair, to: Xmm, operand: RegId) {
        match self.home(operand) {
            Home::Slot(at) => (pair.xm)(self.asm, to, state(at)),
            _ => {
                let b = self.xmm(operand, X1);
                (pair.xx)(self.asm, to, b);
            }
        }
    }

    /// `d = src1 op src2`, without a move if there is an instruction that needs none.
    fn compute_float(&mut self, pair: &Pair, d: Xmm, src1: RegId, src2: RegId) {
        let (first, second) = (self.home(src1), self.home(src2));
        let avx = self.request.features.has(Feature::Avx);
        match (first, second) {
            (Home::Xmm(a), _) if a == d => self.apply(pair, d, src2),
            (_, Home::Xmm(b)) if b == d && pair.commutes => self.apply(pair, d, src1),
            (Home::Xmm(a), Home::Xmm(b)) if avx => (pair.xxx)(self.asm, d, a, b),
            (Home::Xmm(a), Home::Slot(at)) if avx => (pair.xxm)(self.asm, d, a, state(at)),
            (Home::Slot(at), Home::Xmm(b)) if avx && pair.commutes => (pair.xxm)(self.asm, d, b, state(at)),
            (_, Home::Xmm(b)) if b == d => {
                self.load_xmm(X0, src1);
                self.apply(pair, X0, src2);
                self.asm.movaps_xx(d, X0);
            }
            _ => {
                self.load_xmm(d, src1);
                self.apply(pair, d, src2);
            }
        }
    }

    /// Where to compute the new value of a register: its own, or xmm0.
    fn xmm_target(&self, reg: RegId) -> Xmm {
        match self.home(reg) {
            Home::Xmm(xmm) => xmm,
            _ => X0,
        }
    }

    /// Arithmetic on doubles.
    fn double(&mut self, pair: &Pair, dst: RegId, src1: RegId, src2: RegId) {
        let d = self.xmm_target(dst);
        self.compute_float(pair, d, src1, src2);
        self.put_computed(false, dst, &[src1, src2]);
    }

    /// The register's home, or xmm0 if that is elsewhere, holds what arithmetic made of `sources`.
    fn put_computed(&mut self, single: bool, dst: RegId, sources: &[RegId]) {
        let d = self.xmm_target(dst);
        // What blocks leave behind where they may fault says of doubles only that they are raw.
        let raw = !single || self.local.is_some();
        if let (Home::Xmm(_), true) = (self.home(dst), raw) {
            return self.computed(single, dst, sources);
        }
        let back = self.asm.new_label();
        let nan = self.cold(ColdKind::Nan { xmm: d, single, back });
        self.check_nan(single, d, nan);
        self.asm.bind(back);
        self.put_xmm(dst, d);
    }

    fn double_sqrt(&mut self, dst: RegId, src: RegId) {
        let d = self.xmm_target(dst);
        self.load_xmm(d, src);
        self.asm.sqrtsd_xx(d, d);
        self.put_computed(false, dst, &[src]);
    }

    /// Arithmetic on singles. Above the result there is what is above its first operand, which boxes it.
    fn single(&mut self, op: &IROp, pair: &Pair, dst: RegId, src1: RegId, src2: RegId) {
        let back = self.boxed_operands(op, true, &[src1, src2]);
        let d = self.xmm_target(dst);
        self.compute_float(pair, d, src1, src2);
        self.put_computed(true, dst, &[src1, src2]);
        self.asm.bind(back);
    }

    fn single_sqrt(&mut self, op: &IROp, dst: RegId, src: RegId) {
        let back = self.boxed_operands(op, true, &[src]);
        let d = self.xmm_target(dst);
        self.load_xmm(d, src);
        self.asm.sqrtss_xx(d, d);
        self.put_computed(true, dst, &[src]);
        self.asm.bind(back);
    }

    #[rustfmt::skip] // one row per line
    fn float_fused(&mut self, op: &IROp) -> bool {
        use RoundMode::Dynamic as D;
        if !self.request.features.has(Feature::Fma) {
            return false;
        }
        let (single, emit, dst, regs): (bool, Fused, RegId, [RegId; 3]) = match *op {
            IROp::MulAddF64 { dst, src1, src2, src3, rm: D } => (false, fused!(vfmadd213sd_xxx, vfmadd213sd_xxm), dst, [src1, src2, src3]),
            IROp::MulAddF32 { dst, src1, src2, src3, rm: D } => (true, fused!(vfmadd213ss_xxx, vfmadd213ss_xxm), dst, [src1, src2, src3]),
            IROp::MulSubF64 { dst, src1, src2, src3, rm: D } => (false, fused!(vfmsub213sd_xxx, vfmsub213sd_xxm), dst, [src1, src2, src3]),
            IROp::MulSubF32 { dst, src1, src2, src3, rm: D } => (true, fused!(vfmsub213ss_xxx, vfmsub213ss_xxm), dst, [src1, src2, src3]),
            IROp::NegMulSubF64 { dst, src1, src2, src3, rm: D } => (false, fused!(vfnmadd213sd_xxx, vfnmadd213sd_xxm), dst, [src1, src2, src3]),
            IROp::NegMulSubF32 { dst, src1, src2, src3, rm: D } => (true, fused!(vfnmadd213ss_xxx, vfnmadd213ss_xxm), dst, [src1, src2, src3]),
            IROp::NegMulAddF64 { dst, src1, src2, src3, rm: D } => (false, fused!(vfnmsub213sd_xxx, vfnmsub213sd_xxm), dst, [src1, src2, src3]),
            IROp::NegMulAddF32 { dst, src1, src2, src3, rm: D } => (true, fused!(vfnmsub213ss_xxx, vfnmsub213ss_xxm), dst, [src1, src2, src3]),
            _ => return false,
        };
        if regs.iter().any(|&reg| !matches!(self.home(reg), Home::Xmm(_) | Home::Slot(_))) {
            // Integer registers as operands would need a second scratch register; no guest has them.
            return false;
        }
        let (slow, back) = self.slow(op);
        if single {
            regs.iter().for_each(|&reg| self.check_boxed(reg, slow));
        }
        // The slow path needs its operands, and a unit what its state has.
        let free = if self.local.is_some() { self.free } else { !regs.contains(&dst) };
        let d = if free { self.xmm_target(dst) } else { X0 };
        self.fuse(&emit, d, regs);
        self.check_nan(single, d, slow);
        self.put_xmm(dst, d);
        self.asm.bind(back);
        true
    }

    /// `d = a * b + c`. The factors may be exchanged.
    fn fuse(&mut self, emit: &Fused, d: Xmm, [a, b, c]: [RegId; 3]) {
        self.load_xmm(d, a);
        let factor = self.xmm(b, X1);
        match self.home(c) {
            Home::Slot(at) => (emit.xxm)(self.asm, d, factor, state(at)),
            _ => {
                let addend = self.xmm(c, X1);
                (emit.xxx)(self.asm, d, factor, addend);
            }
        }
    }

    #[rustfmt::skip] // one row per line
    fn float_compare(&mut self, op: &IROp) -> bool {
        match *op {
            IROp::EqF64 { dst, src1, src2 } => self.equal(op, false, dst, src1, src2),
            IROp::EqF32 { dst, src1, src2 } => self.equal(op, true, dst, src1, src2),
            // a < b is b above a: then an unordered result is false.
            IROp::LtF64 { dst, src1, src2 } => self.less(op, false, Cond::A, dst, src1, src2),
            IROp::LtF32 { dst, src1, src2 } => self.less(op, true, Cond::A, dst, src1, src2),
            IROp::LeF64 { dst, src1, src2 } => self.less(op, false, Cond::Ae, dst, src1, src2),
            IROp::LeF32 { dst, src1, src2 } => self.less(op, true, Cond::Ae, dst, src1, src2),
            IROp::MinF64 { dst, src1, src2 } => self.min_max(op, false, Assembler::minsd_xx, dst, src1, src2),
            IROp::MaxF64 { dst, src1, src2 } => self.min_max(op, false, Assembler::maxsd_xx, dst, src1, src2),
            IROp::MinF32 { dst, src1, src2 } => self.min_max(op, true, Assembler::minss_xx, dst, src1, src2),
            IROp::MaxF32 { dst, src1, src2 } => self.min_max(op, true, Assembler::maxss_xx, dst, src1, src2),
            _ => return false,
        }
        true
    }

    /// Leaves an operation on singles to the helper if an operand is not one; returns the label to come back to. There is
    /// no slow path if all certainly are.
    fn boxed_operands(&mut self, op: &IROp, single: bool, regs: &[RegId]) -> Label {
        let certain = |reg: &RegId| *reg < 64 && self.boxed >> reg & 1 != 0;
        if !single || regs.iter().all(certain) {
            return self.asm.new_label();
        }
        let (slow, back) = self.slow(op);
        regs.iter().for_each(|&reg| self.check_boxed(reg, slow));
        back
    }

    fn equal(&mut self, op: &IROp, single: bool, dst: RegId, src1: RegId, src2: RegId) {
        let back = self.boxed_operands(op, single, &[src1, src2]);
        let (a, b) = (self.xmm(src1, X0), self.xmm(src2, X1));
        match single {
            true => self.asm.ucomiss_xx(a, b),
            false => self.asm.ucomisd_xx(a, b),
        }
        // Equal and ordered.
        self.asm.setcc_r(Cond::Np, RAX);
        self.asm.setcc_r(Cond::E, RCX);
        self.asm.and_rr(S32, RAX, RCX);
        let d = self.target(dst, RAX);
        self.asm.movzx_rr8(S32, d, RAX);
        self.put(dst, d);
        self.asm.bind(back);
    }

    fn less(&mut self, op: &IROp, single: bool, cond: Cond, dst: RegId, src1: RegId, src2: RegId) {
        let back = self.boxed_operands(op, single, &[src1, src2]);
        let (a, b) = (self.xmm(src1, X0), self.xmm(src2, X1));
        match single {
            true => self.asm.comiss_xx(b, a),
            false => self.asm.comisd_xx(b, a),
        }
        if self.strict {
            let (slow, ordered) = self.slow(op);
            self.asm.jcc(Cond::P, slow);
            self.asm.bind(ordered);
        }
        self.set_flag(cond, dst);
        self.asm.bind(back);
    }

    /// Equal operands (zeroes of either sign) and NaNs go to the helper.
    fn min_max(
        &mut self,
        op: &IROp,
        single: bool,
        emit: fn(&mut Assembler, Xmm, Xmm),
        dst: RegId,
        src1: RegId,
        src2: RegId,
    ) {
        let (slow, back) = self.slow(op);
        if single {
            [src1, src2].into_iter().for_each(|reg| self.check_boxed(reg, slow));
        }
        self.load_xmm(X0, src1);
        let b = self.xmm(src2, X1);
        match single {
            true => self.asm.ucomiss_xx(X0, b),
            false => self.asm.ucomisd_xx(X0, b),
        }
        // Unordered sets ZF as well.
        self.asm.jcc(Cond::E, slow);
        emit(self.asm, X0, b);
        self.put_xmm(dst, X0);
        self.asm.bind(back);
    }

    #[rustfmt::skip] // one row per line
    fn float_convert(&mut self, op: &IROp) -> bool {
        use RoundMode::{Dynamic as D, Static};
        const TRUNC: RoundMode = Static(Rounding::TowardZero);
        match *op {
            IROp::F64ToI32 { dst, src, rm: TRUNC } => self.integer_of(op, false, S32, Assembler::cvttsd2si_rx, dst, src),
            IROp::F64ToI64 { dst, src, rm: TRUNC } => self.integer_of(op, false, S64, Assembler::cvttsd2si_rx, dst, src),
            IROp::F32ToI32 { dst, src, rm: TRUNC } => self.integer_of(op, true, S32, Assembler::cvttss2si_rx, dst, src),
            IROp::F32ToI64 { dst, src, rm: TRUNC } => self.integer_of(op, true, S64, Assembler::cvttss2si_rx, dst, src),
            IROp::F64ToI32 { dst, src, rm: D } => self.integer_of(op, false, S32, Assembler::cvtsd2si_rx, dst, src),
            IROp::F64ToI64 { dst, src, rm: D } => self.integer_of(op, false, S64, Assembler::cvtsd2si_rx, dst, src),
            IROp::F32ToI32 { dst, src, rm: D } => self.integer_of(op, true, S32, Assembler::cvtss2si_rx, dst, src),
            IROp::F32ToI64 { dst, src, rm: D } => self.integer_of(op, true, S64, Assembler::cvtss2si_rx, dst, src),
            // Exact, so the mode does not matter (a reserved dynamic mode never gets here).
            IROp::I32ToF64 { dst, src, .. } => self.float_of(false, S32, false, dst, src),
            IROp::U32ToF64 { dst, src, .. } => self.float_of(false, S64, true, dst, src),
            IROp::I64ToF64 { dst, src, rm: D } => self.float_of(false, S64, false, dst, src),
            IROp::I32ToF32 { dst, src, rm: D } => self.float_of(true, S32, false, dst, src),
            IROp::U32ToF32 { dst, src, rm: D } => self.float_of(true, S64, true, dst, src),
            IROp::I64ToF32 { dst, src, rm: D } => self.float_of(true, S64, false, dst, src),
            IROp::F32ToF64 { dst, src, .. } => {
                let back = self.boxed_operands(op, true, &[src]);
                let (a, d) = (self.xmm(src, X1), self.xmm_target(dst));
                if a != d {
                    self.asm.xorps_xx(d, d);
                }
                self.asm.cvtss2sd_xx(d, a);
                self.put_computed(false, dst, &[]);
                self.asm.bind(back);
            }
            IROp::F64ToF32 { dst, src, rm: D } => {
                let a = self.xmm(src, X1);
                let d = if self.xmm_target(dst) == a { X0 } else { self.xmm_target(dst) };
                // All ones above the result box it.
                self.asm.pcmpeqd_xx(d, d);
                self.asm.cvtsd2ss_xx(d, a);
                if let (Home::Xmm(xmm), X0) = (self.home(dst), d) {
                    self.asm.movaps_xx(xmm, X0);
                }
                self.put_computed(true, dst, &[]);
            }
            _ => return false,
        }
        true
    }

    fn integer_of(
        &mut self,
        op: &IROp,
        single: bool,
        size: Size,
        emit: fn(&mut Assembler, Size, Gpr, Xmm),
        dst: RegId,
        src: RegId,
    ) {
        let (slow, back) = self.slow(op);
        if single {
            self.check_boxed(src, slow);
        }
        let a = self.xmm(src, X0);
        emit(self.asm, size, RAX, a);
        // The integer indefinite is the smallest number: the only one that overflows when 1 is subtracted.
        self.asm.cmp_ri(size, RAX, 1);
        self.asm.jcc(Cond::O, slow);
        self.put_sized(size, dst, RAX);
        self.asm.bind(back);
    }

    fn float_of(&mut self, single: bool, size: Size, unsigned: bool, dst: RegId, src: RegId) {
        let mut a = self.sized(if unsigned { S32 } else { size }, src, RAX);
        if unsigned {
            // A 64-bit conversion of the zero-extended value.
            self.asm.mov_rr(S32, RAX, a);
            a = RAX;
        }
        let d = self.xmm_target(dst);
        match single {
            true => {
                self.asm.pcmpeqd_xx(d, d);
                self.asm.cvtsi2ss_xr(size, d, a);
            }
            false => {
                self.asm.xorps_xx(d, d);
                self.asm.cvtsi2sd_xr(size, d, a);
            }
        }
        self.put_xmm(dst, d);
    }

    /// Sign injection as bit operations in integer registers.
    fn float_sign(&mut self, op: &IROp) -> bool {
        match *op {
            IROp::SignNotF64 { dst, src1, src2 } if src1 == src2 => self.sign(op, false, dst, src1, true),
            IROp::SignXorF64 { dst, src1, src2 } if src1 == src2 => self.sign(op, false, dst, src1, false),
            IROp::SignNotF32 { dst, src1, src2 } if src1 == src2 => self.sign(op, true, dst, src1, true),
            IROp::SignXorF32 { dst, src1, src2 } if src1 == src2 => self.sign(op, true, dst, src1, false),
            IROp::SignF32 { dst, src1, src2 } if src1 == src2 => {
                let back = self.boxed_operands(op, true, &[src1]);
                self.copy(dst, src1);
                self.asm.bind(back);
            }
            IROp::SignF64 { dst, src1, src2 } => self.inject(dst, src1, src2, false),
            IROp::SignNotF64 { dst, src1, src2 } => self.inject(dst, src1, src2, true),
            _ => return false,
        }
        true
    }

    /// Negation (`btc`, or `xorps`) or absolute value (`btr`, or `andps`): one operation on the sign bit.
    fn sign(&mut self, op: &IROp, single: bool, dst: RegId, src: RegId, negate: bool) {
        let back = self.boxed_operands(op, single, &[src]);
        let bit = if single { 31 } else { 63 };
        if let Home::Xmm(d) = self.home(dst) {
            self.mend(src);
            self.load_xmm(d, src);
            let sign: u128 = 1 << bit;
            let mask = self.asm.constant128(if negate { sign } else { !sign });
            match negate {
                true => self.asm.xorps_xm(d, Mem::label(mask)),
                false => self.asm.andps_xm(d, Mem::label(mask)),
            }
            self.put_xmm(dst, d);
        } else {
            self.load(RAX, src);
            match negate {
                true => self.asm.btc_ri(S64, RAX, bit),
                false => self.asm.btr_ri(S64, RAX, bit),
            }
            self.put(dst, RAX);
        }
        self.asm.bind(back);
    }

    /// `dst` = `src1` with the sign of `src2`, or the opposite one.
    fn inject(&mut self, dst: RegId, src1: RegId, src2: RegId, negate: bool) {
        self.load(RAX, src1);
        self.load(RCX, src2);
        if negate {
            self.asm.not_r(S64, RCX);
        }
        // The sign of rcx shifted in from above the magnitude of rax.
        self.asm.shr_ri(S64, RCX, 63);
        self.asm.shl_ri(S64, RCX, 63);
        self.asm.btr_ri(S64, RAX, 63);
        self.asm.or_rr(S64, RAX, RCX);
        self.put(dst, RAX);
    }
}
