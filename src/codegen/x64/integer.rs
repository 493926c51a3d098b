//! Integer operations: each a few instructions between the registers' homes.

use super::roles::Home;
use super::thunks::state;
use super::{Lower, Source};
use crate::asm::x64::reg::*;
use crate::asm::x64::{Feature, Index, Mem, Scale, Size};
use crate::base::RegId;
use crate::ir::IROp;

/// Two-operand instructions of one encoding family.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alu {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Imul,
}

/// Shifts and rotates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shift {
    Shl,
    Shr,
    Sar,
    Rol,
    Ror,
}

/// Operations on one bit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bit {
    Set,
    Clear,
    Invert,
}

use Size::{S32, S64};

impl Lower<'_> {
    /// Lowers an integer operation; false if it is not one that has code here.
    pub(super) fn integer(&mut self, op: &IROp) -> bool {
        if let IROp::Copy { dst, src } = *op {
            // The most frequent one.
            self.copy(dst, src);
            return true;
        }
        self.arithmetic(op) || self.shift_or_bit(op) || self.multiply_divide(op) || self.unary(op)
    }

    #[rustfmt::skip] // one row per line
    fn arithmetic(&mut self, op: &IROp) -> bool {
        match *op {
            IROp::Const { dst, imm } => self.constant(dst, imm),
            IROp::Add { dst, src1, src2 } => self.alu(Alu::Add, S64, dst, src1, src2),
            IROp::Sub { dst, src1, src2 } => self.alu(Alu::Sub, S64, dst, src1, src2),
            IROp::And { dst, src1, src2 } => self.alu(Alu::And, S64, dst, src1, src2),
            IROp::Or { dst, src1, src2 } => self.alu(Alu::Or, S64, dst, src1, src2),
            IROp::Xor { dst, src1, src2 } => self.alu(Alu::Xor, S64, dst, src1, src2),
            IROp::AddW { dst, src1, src2 } => self.alu(Alu::Add, S32, dst, src1, src2),
            IROp::SubW { dst, src1, src2 } => self.alu(Alu::Sub, S32, dst, src1, src2),
            IROp::AndNot { dst, src1, src2 } => self.alu_not(Alu::And, dst, src1, src2),
            IROp::OrNot { dst, src1, src2 } => self.alu_not(Alu::Or, dst, src1, src2),
            IROp::XorNot { dst, src1, src2 } => self.alu_not(Alu::Xor, dst, src1, src2),
            IROp::AddImm { dst, src, imm } => return self.add_imm(dst, src, imm),
            IROp::AndImm { dst, src, imm } => return self.alu_imm(Alu::And, S64, dst, src, imm),
            IROp::OrImm { dst, src, imm } => return self.alu_imm(Alu::Or, S64, dst, src, imm),
            IROp::XorImm { dst, src, imm } => return self.alu_imm(Alu::Xor, S64, dst, src, imm),
            IROp::AddWImm { dst, src, imm } => return self.alu_imm(Alu::Add, S32, dst, src, imm),
            IROp::SetLt { dst, src1, src2 } => self.set(Cond::L, dst, src1, src2),
            IROp::SetLtu { dst, src1, src2 } => self.set(Cond::B, dst, src1, src2),
            IROp::SetLtImm { dst, src, imm } => return self.set_imm(Cond::L, dst, src, imm),
            IROp::SetLtuImm { dst, src, imm } => return self.set_imm(Cond::B, dst, src, imm),
            IROp::Min { dst, src1, src2 } => self.choose(Cond::G, dst, src1, src2),
            IROp::Max { dst, src1, src2 } => self.choose(Cond::L, dst, src1, src2),
            IROp::MinU { dst, src1, src2 } => self.choose(Cond::A, dst, src1, src2),
            IROp::MaxU { dst, src1, src2 } => self.choose(Cond::B, dst, src1, src2),
            IROp::ZeroIfZero { dst, src1, src2 } => self.zero_if(Cond::E, dst, src1, src2),
            IROp::ZeroIfNot { dst, src1, src2 } => self.zero_if(Cond::Ne, dst, src1, src2),
            IROp::ShlAdd1 { dst, src1, src2 } => self.shift_add(Scale::X2, false, dst, src1, src2),
            IROp::ShlAdd2 { dst, src1, src2 } => self.shift_add(Scale::X4, false, dst, src1, src2),
            IROp::ShlAdd3 { dst, src1, src2 } => self.shift_add(Scale::X8, false, dst, src1, src2),
            IROp::AddUw { dst, src1, src2 } => self.shift_add(Scale::X1, true, dst, src1, src2),
            IROp::ShlAdd1Uw { dst, src1, src2 } => self.shift_add(Scale::X2, true, dst, src1, src2),
            IROp::ShlAdd2Uw { dst, src1, src2 } => self.shift_add(Scale::X4, true, dst, src1, src2),
            IROp::ShlAdd3Uw { dst, src1, src2 } => self.shift_add(Scale::X8, true, dst, src1, src2),
            _ => return false,
        }
        true
    }

    #[rustfmt::skip] // one row per line
    fn shift_or_bit(&mut self, op: &IROp) -> bool {
        match *op {
            IROp::Shl { dst, src1, src2 } => self.shift(Shift::Shl, S64, dst, src1, src2),
            IROp::Shr { dst, src1, src2 } => self.shift(Shift::Shr, S64, dst, src1, src2),
            IROp::Sar { dst, src1, src2 } => self.shift(Shift::Sar, S64, dst, src1, src2),
            IROp::Rotl { dst, src1, src2 } => self.shift(Shift::Rol, S64, dst, src1, src2),
            IROp::Rotr { dst, src1, src2 } => self.shift(Shift::Ror, S64, dst, src1, src2),
            IROp::ShlW { dst, src1, src2 } => self.shift(Shift::Shl, S32, dst, src1, src2),
            IROp::ShrW { dst, src1, src2 } => self.shift(Shift::Shr, S32, dst, src1, src2),
            IROp::SarW { dst, src1, src2 } => self.shift(Shift::Sar, S32, dst, src1, src2),
            IROp::RotlW { dst, src1, src2 } => self.shift(Shift::Rol, S32, dst, src1, src2),
            IROp::RotrW { dst, src1, src2 } => self.shift(Shift::Ror, S32, dst, src1, src2),
            IROp::ShlImm { dst, src, imm } => self.shift_imm(Shift::Shl, S64, dst, src, imm),
            IROp::ShrImm { dst, src, imm } => self.shift_imm(Shift::Shr, S64, dst, src, imm),
            IROp::SarImm { dst, src, imm } => self.shift_imm(Shift::Sar, S64, dst, src, imm),
            IROp::RotrImm { dst, src, imm } => self.shift_imm(Shift::Ror, S64, dst, src, imm),
            IROp::ShlWImm { dst, src, imm } => self.shift_imm(Shift::Shl, S32, dst, src, imm),
            IROp::ShrWImm { dst, src, imm } => self.shift_imm(Shift::Shr, S32, dst, src, imm),
            IROp::SarWImm { dst, src, imm } => self.shift_imm(Shift::Sar, S32, dst, src, imm),
            IROp::RotrWImm { dst, src, imm } => self.shift_imm(Shift::Ror, S32, dst, src, imm),
            IROp::ShlUwImm { dst, src, imm } => {
                let (a, d) = (self.sized(S32, src, RAX), self.target(dst, RAX));
                self.asm.mov_rr(S32, d, a);
                self.asm.shl_ri(S64, d, bits(imm, 63));
                self.put(dst, d);
            }
            IROp::BitSet { dst, src1, src2 } => self.bit(Bit::Set, dst, src1, src2),
            IROp::BitClear { dst, src1, src2 } => self.bit(Bit::Clear, dst, src1, src2),
            IROp::BitInvert { dst, src1, src2 } => self.bit(Bit::Invert, dst, src1, src2),
            IROp::BitExtract { dst, src1, src2 } => {
                self.load(RAX, src1);
                let b = self.value(src2, RCX);
                self.asm.bt_rr(S64, RAX, b);
                self.set_flag(Cond::B, dst);
            }
            IROp::BitSetImm { dst, src, imm } => self.bit_imm(Bit::Set, dst, src, imm),
            IROp::BitClearImm { dst, src, imm } => self.bit_imm(Bit::Clear, dst, src, imm),
            IROp::BitInvertImm { dst, src, imm } => self.bit_imm(Bit::Invert, dst, src, imm),
            IROp::BitExtractImm { dst, src, imm } => {
                self.load(RAX, src);
                self.asm.bt_ri(S64, RAX, bits(imm, 63));
                self.set_flag(Cond::B, dst);
            }
            _ => return false,
        }
        true
    }

    #[rustfmt::skip] // one row per line
    fn multiply_divide(&mut self, op: &IROp) -> bool {
        match *op {
            IROp::Mul { dst, src1, src2 } => self.alu(Alu::Imul, S64, dst, src1, src2),
            IROp::MulW { dst, src1, src2 } => self.alu(Alu::Imul, S32, dst, src1, src2),
            IROp::MulH { dst, src1, src2 } => {
                self.load(RAX, src1);
                let b = self.value(src2, RCX);
                self.asm.imul_r(S64, b);
                self.put(dst, RDX);
            }
            IROp::MulHU { dst, src1, src2 } => {
                self.load(RAX, src1);
                let b = self.value(src2, RCX);
                self.asm.mul_r(S64, b);
                self.put(dst, RDX);
            }
            IROp::MulHSU { dst, src1, src2 } => {
                // high(a as unsigned * b) - (a < 0 ? b : 0)
                self.load(RAX, src1);
                self.load(RCX, src2);
                self.asm.sar_ri(S64, RAX, 63);
                self.asm.and_rr(S64, RAX, RCX);
                // An operand may be in rdx, which the multiplication writes.
                self.asm.movq_xr(Xmm::ALL[0], RAX);
                self.load(RAX, src1);
                self.asm.mul_r(S64, RCX);
                self.asm.movq_rx(RAX, Xmm::ALL[0]);
                self.asm.sub_rr(S64, RDX, RAX);
                self.put(dst, RDX);
            }
            IROp::Div { dst, src1, src2 } => self.divide(op, S64, true, RAX, dst, src1, src2),
            IROp::Rem { dst, src1, src2 } => self.divide(op, S64, true, RDX, dst, src1, src2),
            IROp::DivU { dst, src1, src2 } => self.divide(op, S64, false, RAX, dst, src1, src2),
            IROp::RemU { dst, src1, src2 } => self.divide(op, S64, false, RDX, dst, src1, src2),
            IROp::DivW { dst, src1, src2 } => self.divide(op, S32, true, RAX, dst, src1, src2),
            IROp::RemW { dst, src1, src2 } => self.divide(op, S32, true, RDX, dst, src1, src2),
            IROp::DivUW { dst, src1, src2 } => self.divide(op, S32, false, RAX, dst, src1, src2),
            IROp::RemUW { dst, src1, src2 } => self.divide(op, S32, false, RDX, dst, src1, src2),
            _ => return false,
        }
        true
    }

    fn unary(&mut self, op: &IROp) -> bool {
        let has = |feature| self.request.features.has(feature);
        match *op {
            IROp::SextB { dst, src } => self.extend(S32, dst, src, |asm, d, a| asm.movsx_rr8(S64, d, a)),
            IROp::SextH { dst, src } => self.extend(S32, dst, src, |asm, d, a| asm.movsx_rr16(S64, d, a)),
            IROp::ZextH { dst, src } => self.extend(S32, dst, src, |asm, d, a| asm.movzx_rr16(S32, d, a)),
            IROp::BitsF32 { dst, src } => self.extend(S32, dst, src, |asm, d, a| asm.movsxd_rr(d, a)),
            IROp::BoxF32 { dst, src } => {
                let a = self.sized(S32, src, RAX);
                self.asm.load_constant(RCX, 0xffff_ffff_0000_0000);
                self.asm.mov_rr(S32, RAX, a);
                self.asm.or_rr(S64, RAX, RCX);
                self.put(dst, RAX);
            }
            IROp::ByteSwap { dst, src } => {
                self.load(RAX, src);
                self.asm.bswap_r(S64, RAX);
                self.put(dst, RAX);
            }
            IROp::Clz { dst, src } if has(Feature::Lzcnt) => {
                self.extend(S64, dst, src, |asm, d, a| asm.lzcnt_rr(S64, d, a))
            }
            IROp::ClzW { dst, src } if has(Feature::Lzcnt) => {
                self.extend(S32, dst, src, |asm, d, a| asm.lzcnt_rr(S32, d, a))
            }
            IROp::Ctz { dst, src } if has(Feature::Bmi1) => {
                self.extend(S64, dst, src, |asm, d, a| asm.tzcnt_rr(S64, d, a))
            }
            IROp::CtzW { dst, src } if has(Feature::Bmi1) => {
                self.extend(S32, dst, src, |asm, d, a| asm.tzcnt_rr(S32, d, a))
            }
            IROp::Popcnt { dst, src } if has(Feature::Popcnt) => {
                self.extend(S64, dst, src, |asm, d, a| asm.popcnt_rr(S64, d, a))
            }
            IROp::PopcntW { dst, src } if has(Feature::Popcnt) => {
                self.extend(S32, dst, src, |asm, d, a| asm.popcnt_rr(S32, d, a))
            }
            _ => return false,
        }
        true
    }

    fn constant(&mut self, dst: RegId, imm: i64) {
        match (self.home(dst), i32::try_from(imm)) {
            (Home::Slot(at), Ok(small)) => {
                self.asm.mov_mi(S64, state(at), small);
                self.narrow(dst);
            }
            _ => {
                let d = self.target(dst, RAX);
                self.asm.load_constant(d, imm.cast_unsigned());
                self.put(dst, d);
                if i32::try_from(imm).is_ok() {
                    self.narrow(dst);
                }
            }
        }
    }

    pub(super) fn copy(&mut self, dst: RegId, src: RegId) {
        if dst == src {
            return;
        }
        self.mend(src);
        let narrow = self.is_narrow(src);
        if let (true, Home::Gpr(d), Home::Gpr(s)) = (self.is_pending(src), self.home(dst), self.home(src)) {
            self.asm.mov_rr(S32, d, s);
            return self.pend(dst);
        }
        self.define(dst);
        match (self.home(dst), self.home(src)) {
            (Home::Xmm(d), Home::Xmm(s)) => self.asm.movaps_xx(d, s),
            (Home::Xmm(d), Home::Slot(at)) => self.asm.movsd_xm(d, state(at)),
            (Home::Slot(at), Home::Xmm(s)) => self.asm.movsd_mx(state(at), s),
            (Home::Gpr(d), _) => self.load(d, src),
            _ => {
                let from = self.value(src, RAX);
                self.put(dst, from);
            }
        }
        if narrow {
            self.narrow(dst);
        }
    }

    /// One instruction from a register, of which it reads `size`, into another, which it fills with a number that fits
    /// 32 bits; its source may not be memory.
    fn extend(
        &mut self,
        size: Size,
        dst: RegId,
        src: RegId,
        emit: impl Fn(&mut crate::asm::x64::Assembler, Gpr, Gpr),
    ) {
        let (a, d) = (self.sized(size, src, RAX), self.target(dst, RAX));
        emit(self.asm, d, a);
        self.put_narrow(dst, d);
    }

    fn emit_alu(&mut self, alu: Alu, size: Size, d: Gpr, b: Source) {
        match (alu, b) {
            (Alu::Add, Source::Gpr(b)) => self.asm.add_rr(size, d, b),
            (Alu::Sub, Source::Gpr(b)) => self.asm.sub_rr(size, d, b),
            (Alu::And, Source::Gpr(b)) => self.asm.and_rr(size, d, b),
            (Alu::Or, Source::Gpr(b)) => self.asm.or_rr(size, d, b),
            (Alu::Xor, Source::Gpr(b)) => self.asm.xor_rr(size, d, b),
            (Alu::Imul, Source::Gpr(b)) => self.asm.imul_rr(size, d, b),
            (Alu::Add, Source::Mem(b)) => self.asm.add_rm(size, d, b),
            (Alu::Sub, Source::Mem(b)) => self.asm.sub_rm(size, d, b),
            (Alu::And, Source::Mem(b)) => self.asm.and_rm(size, d, b),
            (Alu::Or, Source::Mem(b)) => self.asm.or_rm(size, d, b),
            (Alu::Xor, Source::Mem(b)) => self.asm.xor_rm(size, d, b),
            (Alu::Imul, Source::Mem(b)) => self.asm.imul_rm(size, d, b),
        }
    }

    /// `dst = src1 op src2`; a 32-bit result is sign-extended.
    fn alu(&mut self, alu: Alu, size: Size, dst: RegId, src1: RegId, src2: RegId) {
        // Of sign-extended numbers, what these give is the sign extension of what they give of the low halves.
        let bitwise = matches!(alu, Alu::And | Alu::Or | Alu::Xor);
        let narrow = bitwise && self.is_narrow(src1) && self.is_narrow(src2);
        let size = if bitwise && self.low_halves_do(src1, src2) { S32 } else { size };
        if size == S64 {
            self.extend_home(src1);
            self.extend_home(src2);
        }
        self.compute(alu, size, dst, src1, src2);
        if narrow {
            self.narrow(dst);
        }
    }

    /// As [`Lower::alu`], of registers that have nothing pending in that size.
    fn compute(&mut self, alu: Alu, size: Size, dst: RegId, src1: RegId, src2: RegId) {
        let commutes = alu != Alu::Sub;
        let d = self.target(dst, RAX);
        if let (Alu::Add, Home::Gpr(a), Home::Gpr(b)) = (alu, self.home(src1), self.home(src2)) {
            if d != a && d != b {
                let index = Index::new(b).map(|b| Mem::sum(a, b, Scale::X1));
                if let Some(sum) = index {
                    self.asm.lea_rm(size, d, sum);
                    return self.put_sized(size, dst, d);
                }
            }
        }
        if self.home(src2) == Home::Gpr(d) && self.home(src1) != Home::Gpr(d) {
            if commutes {
                let a = self.operand_sized(size, src1, RCX);
                self.emit_alu(alu, size, d, a);
                return self.put_sized(size, dst, d);
            }
            // The destination is the second operand: compute beside it.
            self.load_sized(size, RAX, src1);
            self.emit_alu(alu, size, RAX, Source::Gpr(d));
            return self.put_sized(size, dst, RAX);
        }
        self.load_sized(size, d, src1);
        let b = self.operand_sized(size, src2, RCX);
        self.emit_alu(alu, size, d, b);
        self.put_sized(size, dst, d);
    }

    /// `dst = src1 op ~src2`.
    fn alu_not(&mut self, alu: Alu, dst: RegId, src1: RegId, src2: RegId) {
        self.load(RAX, src2);
        self.asm.not_r(S64, RAX);
        let a = self.operand(src1, RCX);
        self.emit_alu(alu, S64, RAX, a);
        self.put(dst, RAX);
    }

    fn add_imm(&mut self, dst: RegId, src: RegId, imm: i64) -> bool {
        let Ok(small) = i32::try_from(imm) else { return false };
        if let (Home::Slot(at), true) = (self.home(dst), dst == src) {
            self.asm.add_mi(S64, state(at), small);
            self.define(dst);
            return true;
        }
        let (a, d) = (self.value(src, RAX), self.target(dst, RAX));
        match a == d {
            true => self.asm.add_ri(S64, d, small),
            false => self.asm.lea_rm(S64, d, Mem::base(a).disp(small)),
        }
        self.put(dst, d);
        true
    }

    fn alu_imm(&mut self, alu: Alu, size: Size, dst: RegId, src: RegId, imm: i64) -> bool {
        let Ok(small) = i32::try_from(imm) else { return false };
        let d = self.target(dst, RAX);
        if alu == Alu::Add && size == S32 {
            if small == 0 {
                self.sign_extend(dst, src);
                return true;
            }
            let a = self.sized(S32, src, RAX);
            match a == d {
                true => self.asm.add_ri(S32, d, small),
                false => self.asm.lea_rm(S32, d, Mem::base(a).disp(small)),
            }
            self.put_sized(size, dst, d);
            return true;
        }
        if alu == Alu::And && small >= 0 {
            // What the mask leaves is in the low half and not negative.
            self.load_sized(S32, d, src);
            self.asm.and_ri(S32, d, small);
            self.put_narrow(dst, d);
            return true;
        }
        let narrow = self.is_narrow(src);
        let size = if self.low_halves_do(src, 0) { S32 } else { size };
        self.load_sized(size, d, src);
        match alu {
            Alu::And => self.asm.and_ri(size, d, small),
            Alu::Or => self.asm.or_ri(size, d, small),
            Alu::Xor if small == -1 => self.asm.not_r(size, d),
            _ => self.asm.xor_ri(size, d, small),
        }
        self.put_sized(size, dst, d);
        if narrow {
            self.narrow(dst);
        }
        true
    }

    fn compare_values(&mut self, src1: RegId, src2: RegId) {
        // Sign extension keeps the order, signed and unsigned.
        let size = if self.low_halves_do(src1, src2) { S32 } else { S64 };
        let a = self.sized(size, src1, RAX);
        match self.operand_sized(size, src2, RCX) {
            Source::Gpr(b) => self.asm.cmp_rr(size, a, b),
            Source::Mem(b) => self.asm.cmp_rm(size, a, b),
        }
    }

    /// `dst` = 1 if the flags hold the condition, else 0.
    pub(super) fn set_flag(&mut self, cond: Cond, dst: RegId) {
        self.asm.setcc_r(cond, RAX);
        let d = self.target(dst, RAX);
        self.asm.movzx_rr8(S32, d, RAX);
        self.put_narrow(dst, d);
    }

    fn set(&mut self, cond: Cond, dst: RegId, src1: RegId, src2: RegId) {
        self.compare_values(src1, src2);
        self.set_flag(cond, dst);
    }

    fn set_imm(&mut self, cond: Cond, dst: RegId, src: RegId, imm: i64) -> bool {
        let Ok(small) = i32::try_from(imm) else { return false };
        let size = if self.low_halves_do(src, 0) { S32 } else { S64 };
        let a = self.sized(size, src, RAX);
        self.asm.cmp_ri(size, a, small);
        self.set_flag(cond, dst);
        true
    }

    /// `dst = src1`, or `src2` if the comparison of the two gives `cond`.
    fn choose(&mut self, cond: Cond, dst: RegId, src1: RegId, src2: RegId) {
        self.load(RAX, src1);
        let b = self.value(src2, RCX);
        self.asm.cmp_rr(S64, RAX, b);
        self.asm.cmovcc_rr(S64, cond, RAX, b);
        self.put(dst, RAX);
    }

    /// `dst = src1`, or 0 if comparing `src2` with 0 gives `cond`.
    fn zero_if(&mut self, cond: Cond, dst: RegId, src1: RegId, src2: RegId) {
        self.load(RAX, src1);
        let b = self.value(src2, RCX);
        self.asm.test_rr(S64, b, b);
        // Flags stay.
        self.asm.mov_ri32(RCX, 0);
        self.asm.cmovcc_rr(S64, cond, RAX, RCX);
        self.put(dst, RAX);
    }

    /// `dst = src1 * scale + src2`, with `src1` cut to 32 bits first if `word`.
    pub(super) fn shift_add(&mut self, scale: Scale, word: bool, dst: RegId, src1: RegId, src2: RegId) {
        let mut a = self.sized(if word { S32 } else { S64 }, src1, RAX);
        if word {
            self.asm.mov_rr(S32, RAX, a);
            a = RAX;
        }
        let b = self.value(src2, RCX);
        let d = self.target(dst, RAX);
        match Index::new(a) {
            // As a base, r13 needs a displacement (Intel SDM Vol. 2A, table 2-3), and three parts make `lea` slow.
            Some(index) if b != R13 => self.asm.lea_rm(S64, d, Mem::sum(b, index, scale)),
            _ => {
                let sum = if d == b { RAX } else { d };
                self.move_gpr(sum, a);
                self.asm.shl_ri(S64, sum, scale.field());
                self.asm.add_rr(S64, sum, b);
                self.move_gpr(d, sum);
            }
        }
        self.put(dst, d);
    }

    fn shift_imm(&mut self, shift: Shift, size: Size, dst: RegId, src: RegId, imm: i64) {
        let count = bits(imm, if size == S32 { 31 } else { 63 });
        let d = self.target(dst, RAX);
        self.load_sized(size, d, src);
        match shift {
            Shift::Shl => self.asm.shl_ri(size, d, count),
            Shift::Shr => self.asm.shr_ri(size, d, count),
            Shift::Sar => self.asm.sar_ri(size, d, count),
            Shift::Rol => self.asm.rol_ri(size, d, count),
            Shift::Ror => self.asm.ror_ri(size, d, count),
        }
        let narrow = match shift {
            // Bit 31 is 0, so the zero-extended result is the sign-extended one.
            Shift::Shr => size == S32 && count > 0 || count > 32,
            Shift::Sar => size == S64 && count >= 32,
            _ => false,
        };
        match narrow {
            true => self.put_narrow(dst, d),
            false => self.put_sized(size, dst, d),
        }
    }

    /// `dst = src[31:0] << left`: two shifts of a guest that has no instruction for it, as one or two moves here.
    pub(super) fn zero_extended(&mut self, dst: RegId, src: RegId, left: u8) {
        let (a, d) = (self.sized(S32, src, RAX), self.target(dst, RAX));
        self.asm.mov_rr(S32, d, a);
        if left > 0 {
            self.asm.shl_ri(S64, d, left);
        }
        self.put(dst, d);
    }

    fn shift(&mut self, shift: Shift, size: Size, dst: RegId, src1: RegId, src2: RegId) {
        let bmi2 = self.request.features.has(Feature::Bmi2);
        if bmi2 && matches!(shift, Shift::Shl | Shift::Shr | Shift::Sar) {
            let (a, b) = (self.sized(size, src1, RAX), self.sized(S32, src2, RCX));
            let d = self.target(dst, RAX);
            match shift {
                Shift::Shl => self.asm.shlx_rrr(size, d, a, b),
                Shift::Shr => self.asm.shrx_rrr(size, d, a, b),
                _ => self.asm.sarx_rrr(size, d, a, b),
            }
            return self.put_sized(size, dst, d);
        }
        self.load_sized(S32, RCX, src2);
        self.load_sized(size, RAX, src1);
        match shift {
            Shift::Shl => self.asm.shl_rc(size, RAX),
            Shift::Shr => self.asm.shr_rc(size, RAX),
            Shift::Sar => self.asm.sar_rc(size, RAX),
            Shift::Rol => self.asm.rol_rc(size, RAX),
            Shift::Ror => self.asm.ror_rc(size, RAX),
        }
        self.put_sized(size, dst, RAX);
    }

    fn bit(&mut self, bit: Bit, dst: RegId, src1: RegId, src2: RegId) {
        self.load(RAX, src1);
        let b = self.value(src2, RCX);
        match bit {
            Bit::Set => self.asm.bts_rr(S64, RAX, b),
            Bit::Clear => self.asm.btr_rr(S64, RAX, b),
            Bit::Invert => self.asm.btc_rr(S64, RAX, b),
        }
        self.put(dst, RAX);
    }

    fn bit_imm(&mut self, bit: Bit, dst: RegId, src: RegId, imm: i64) {
        let d = self.target(dst, RAX);
        self.load(d, src);
        let count = bits(imm, 63);
        match bit {
            Bit::Set => self.asm.bts_ri(S64, d, count),
            Bit::Clear => self.asm.btr_ri(S64, d, count),
            Bit::Invert => self.asm.btc_ri(S64, d, count),
        }
        self.put(dst, d);
    }

    /// Division and remainder; `result` is the register (rax: quotient, rdx: remainder) that is wanted. Zero and
    /// minus one as divisors, for which the processor traps or may, go to the helper.
    #[allow(clippy::too_many_arguments, reason = "the operands of the operation and how to do it")]
    fn divide(
        &mut self,
        op: &IROp,
        size: Size,
        signed: bool,
        result: Gpr,
        dst: RegId,
        src1: RegId,
        src2: RegId,
    ) {
        let (slow, back) = self.slow(op);
        self.load_sized(size, RCX, src2);
        self.asm.test_rr(size, RCX, RCX);
        self.asm.jcc(Cond::E, slow);
        if signed {
            self.asm.cmp_ri(size, RCX, -1);
            self.asm.jcc(Cond::E, slow);
        }
        self.load_sized(size, RAX, src1);
        match (signed, size) {
            (false, _) => {
                self.asm.xor_rr(S32, RDX, RDX);
                self.asm.div_r(size, RCX);
            }
            (true, S64) => {
                self.asm.cqo();
                self.asm.idiv_r(size, RCX);
            }
            (true, S32) => {
                self.asm.cdq();
                self.asm.idiv_r(size, RCX);
            }
        }
        self.put_sized(size, dst, result);
        self.asm.bind(back);
    }
}

/// A shift amount: the low bits of an immediate.
fn bits(imm: i64, mask: u8) -> u8 {
    imm.to_le_bytes()[0] & mask
}
