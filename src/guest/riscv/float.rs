//! Lifts the F and D extensions. A floating-point register `f` of the guest is virtual register `32 + f`.

use super::insn::{Insn, Op};
use crate::base::{RegId, FIRST_FLOAT};
use crate::ir::float::Rounding;
use crate::ir::ops::RoundMode;
use crate::ir::IROp;

/// Lifts one instruction of F or D; `None` for any other.
pub(super) fn lift(insn: &Insn) -> Option<IROp> {
    arithmetic(insn).or_else(|| convert(insn)).or_else(|| compare(insn)).or_else(|| transfer(insn))
}

/// The virtual register of floating-point register `f`.
fn f(reg: u8) -> RegId {
    FIRST_FLOAT + reg
}

/// The rounding mode of the instruction's `rm` field; the decoder lets only 0-4 and 7 through.
fn mode(rm: u8) -> RoundMode {
    Rounding::from_bits(rm).map_or(RoundMode::Dynamic, RoundMode::Static)
}

#[rustfmt::skip] // one row per line
fn arithmetic(insn: &Insn) -> Option<IROp> {
    let (dst, src1, src2, src3, rm) = (f(insn.rd), f(insn.rs1), f(insn.rs2), f(insn.rs3), mode(insn.rm));
    Some(match insn.op {
        Op::FmaddS => IROp::MulAddF32 { dst, src1, src2, src3, rm },
        Op::FmsubS => IROp::MulSubF32 { dst, src1, src2, src3, rm },
        Op::FnmsubS => IROp::NegMulSubF32 { dst, src1, src2, src3, rm },
        Op::FnmaddS => IROp::NegMulAddF32 { dst, src1, src2, src3, rm },
        Op::FaddS => IROp::AddF32 { dst, src1, src2, rm },
        Op::FsubS => IROp::SubF32 { dst, src1, src2, rm },
        Op::FmulS => IROp::MulF32 { dst, src1, src2, rm },
        Op::FdivS => IROp::DivF32 { dst, src1, src2, rm },
        Op::FsqrtS => IROp::SqrtF32 { dst, src: src1, rm },
        Op::FminS => IROp::MinF32 { dst, src1, src2 },
        Op::FmaxS => IROp::MaxF32 { dst, src1, src2 },
        Op::FsgnjS => IROp::SignF32 { dst, src1, src2 },
        Op::FsgnjnS => IROp::SignNotF32 { dst, src1, src2 },
        Op::FsgnjxS => IROp::SignXorF32 { dst, src1, src2 },
        Op::FmaddD => IROp::MulAddF64 { dst, src1, src2, src3, rm },
        Op::FmsubD => IROp::MulSubF64 { dst, src1, src2, src3, rm },
        Op::FnmsubD => IROp::NegMulSubF64 { dst, src1, src2, src3, rm },
        Op::FnmaddD => IROp::NegMulAddF64 { dst, src1, src2, src3, rm },
        Op::FaddD => IROp::AddF64 { dst, src1, src2, rm },
        Op::FsubD => IROp::SubF64 { dst, src1, src2, rm },
        Op::FmulD => IROp::MulF64 { dst, src1, src2, rm },
        Op::FdivD => IROp::DivF64 { dst, src1, src2, rm },
        Op::FsqrtD => IROp::SqrtF64 { dst, src: src1, rm },
        Op::FminD => IROp::MinF64 { dst, src1, src2 },
        Op::FmaxD => IROp::MaxF64 { dst, src1, src2 },
        Op::FsgnjD => IROp::SignF64 { dst, src1, src2 },
        Op::FsgnjnD => IROp::SignNotF64 { dst, src1, src2 },
        Op::FsgnjxD => IROp::SignXorF64 { dst, src1, src2 },
        _ => return None,
    })
}

#[rustfmt::skip] // one row per line
fn convert(insn: &Insn) -> Option<IROp> {
    let rm = mode(insn.rm);
    let (to_x, to_f) = ((insn.rd, f(insn.rs1)), (f(insn.rd), insn.rs1));
    let f_to_f = (f(insn.rd), f(insn.rs1));
    Some(match insn.op {
        Op::FcvtWS => { let (dst, src) = to_x; IROp::F32ToI32 { dst, src, rm } }
        Op::FcvtWuS => { let (dst, src) = to_x; IROp::F32ToU32 { dst, src, rm } }
        Op::FcvtLS => { let (dst, src) = to_x; IROp::F32ToI64 { dst, src, rm } }
        Op::FcvtLuS => { let (dst, src) = to_x; IROp::F32ToU64 { dst, src, rm } }
        Op::FcvtWD => { let (dst, src) = to_x; IROp::F64ToI32 { dst, src, rm } }
        Op::FcvtWuD => { let (dst, src) = to_x; IROp::F64ToU32 { dst, src, rm } }
        Op::FcvtLD => { let (dst, src) = to_x; IROp::F64ToI64 { dst, src, rm } }
        Op::FcvtLuD => { let (dst, src) = to_x; IROp::F64ToU64 { dst, src, rm } }
        Op::FcvtSW => { let (dst, src) = to_f; IROp::I32ToF32 { dst, src, rm } }
        Op::FcvtSWu => { let (dst, src) = to_f; IROp::U32ToF32 { dst, src, rm } }
        Op::FcvtSL => { let (dst, src) = to_f; IROp::I64ToF32 { dst, src, rm } }
        Op::FcvtSLu => { let (dst, src) = to_f; IROp::U64ToF32 { dst, src, rm } }
        Op::FcvtDW => { let (dst, src) = to_f; IROp::I32ToF64 { dst, src, rm } }
        Op::FcvtDWu => { let (dst, src) = to_f; IROp::U32ToF64 { dst, src, rm } }
        Op::FcvtDL => { let (dst, src) = to_f; IROp::I64ToF64 { dst, src, rm } }
        Op::FcvtDLu => { let (dst, src) = to_f; IROp::U64ToF64 { dst, src, rm } }
        Op::FcvtSD => { let (dst, src) = f_to_f; IROp::F64ToF32 { dst, src, rm } }
        Op::FcvtDS => { let (dst, src) = f_to_f; IROp::F32ToF64 { dst, src, rm } }
        _ => return None,
    })
}

#[rustfmt::skip] // one row per line
fn compare(insn: &Insn) -> Option<IROp> {
    let (dst, src1, src2) = (insn.rd, f(insn.rs1), f(insn.rs2));
    Some(match insn.op {
        Op::FeqS => IROp::EqF32 { dst, src1, src2 },
        Op::FltS => IROp::LtF32 { dst, src1, src2 },
        Op::FleS => IROp::LeF32 { dst, src1, src2 },
        Op::FeqD => IROp::EqF64 { dst, src1, src2 },
        Op::FltD => IROp::LtF64 { dst, src1, src2 },
        Op::FleD => IROp::LeF64 { dst, src1, src2 },
        Op::FclassS => IROp::ClassF32 { dst, src: src1 },
        Op::FclassD => IROp::ClassF64 { dst, src: src1 },
        _ => return None,
    })
}

#[rustfmt::skip] // one row per line
fn transfer(insn: &Insn) -> Option<IROp> {
    let (base, offset) = (insn.rs1, insn.imm);
    Some(match insn.op {
        Op::Flw => IROp::LoadF32 { dst: f(insn.rd), base, offset },
        Op::Fld => IROp::Load { dst: f(insn.rd), base, offset },
        Op::Fsw => IROp::Store32 { src: f(insn.rs2), base, offset },
        Op::Fsd => IROp::Store { src: f(insn.rs2), base, offset },
        Op::FmvXW => IROp::BitsF32 { dst: insn.rd, src: f(insn.rs1) },
        Op::FmvWX => IROp::BoxF32 { dst: f(insn.rd), src: insn.rs1 },
        Op::FmvXD => IROp::Copy { dst: insn.rd, src: f(insn.rs1) },
        Op::FmvDX => IROp::Copy { dst: f(insn.rd), src: insn.rs1 },
        _ => return None,
    })
}
