//! What is known of values, and what is asked of them.
//!
//! RISC-V extends the sign of every 32-bit result; hosts clear the upper half, or leave anything there. A value is
//! *narrow* if it is the sign extension of its low half, and its upper half is *wanted* if a use looks at it. A narrow
//! value whose upper half nobody wants is never extended; states do not count, since who makes the guest's registers out
//! of a state can extend them then.

use super::subst::Subst;
use crate::ir::ops::Effect;
use crate::ir::IROp;
use crate::opt::address_of;
use crate::opt::func::{Class, Func, Node, Term, Value};

/// Facts about every value.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The value is the sign extension of its low half.
    pub narrow: Vec<bool>,
    /// Something looks at the upper half.
    pub wanted: Vec<bool>,
    /// It is a boxed single.
    pub boxed: Vec<bool>,
    /// Its register may hold another NaN than the canonical one.
    pub raw: Vec<bool>,
}

/// Computes all facts.
pub fn facts(func: &Func) -> Facts {
    let narrow = greatest(func, &|op, known| is_narrow(op, known));
    let wanted = wanted(func, &narrow);
    let boxed = greatest(func, &|op, known| is_boxed(op, known));
    let raw = raw(func);
    Facts { narrow, wanted, boxed, raw }
}

/// A fact that holds of a phi if it holds of all that it may be, as strong as possible. `holds` is told the operation and
/// what is known of its operands.
fn greatest(func: &Func, holds: &dyn Fn(&IROp, [bool; 3]) -> bool) -> Vec<bool> {
    let mut known: Vec<bool> =
        func.insts.iter().map(|inst| !matches!(inst.node, Node::Home(_) | Node::Gone)).collect();
    loop {
        let mut changed = false;
        for id in func.reached() {
            let block = &func.blocks[id.index()];
            for phi in &block.phis {
                if known[phi.value.index()] && phi.args.iter().any(|arg| !known[arg.index()]) {
                    known[phi.value.index()] = false;
                    changed = true;
                }
            }
            for &value in &block.insts {
                let inst = func.inst(value);
                let Node::Op(op) = inst.node else { continue };
                let args = inst.args.map(|arg| known.get(arg.index()).copied().unwrap_or(false));
                if known[value.index()] && !holds(&op, args) {
                    known[value.index()] = false;
                    changed = true;
                }
            }
        }
        if !changed {
            return known;
        }
    }
}

/// Whether the result of an operation is the sign extension of its low half.
fn is_narrow(op: &IROp, [a, b, _]: [bool; 3]) -> bool {
    match *op {
        IROp::Const { imm, .. } => i32::try_from(imm).is_ok(),
        IROp::And { .. } | IROp::Or { .. } | IROp::Xor { .. } => a && b,
        IROp::AndImm { imm, .. } => a || i32::try_from(imm).is_ok_and(|imm| imm >= 0),
        IROp::OrImm { .. } | IROp::XorImm { .. } => a,
        IROp::ShrImm { imm, .. } => imm & 63 > 32,
        IROp::SarImm { imm, .. } => imm & 63 >= 32 || a,
        IROp::LoadS32 { .. }
        | IROp::LoadU16 { .. }
        | IROp::LoadS16 { .. }
        | IROp::LoadU8 { .. }
        | IROp::LoadS8 { .. }
        | IROp::SetLt { .. }
        | IROp::SetLtu { .. }
        | IROp::SetLtImm { .. }
        | IROp::SetLtuImm { .. }
        | IROp::BitExtract { .. }
        | IROp::BitExtractImm { .. }
        | IROp::EqF32 { .. }
        | IROp::LtF32 { .. }
        | IROp::LeF32 { .. }
        | IROp::EqF64 { .. }
        | IROp::LtF64 { .. }
        | IROp::LeF64 { .. }
        | IROp::F32ToI32 { .. }
        | IROp::F64ToI32 { .. }
        | IROp::SextB { .. }
        | IROp::SextH { .. }
        | IROp::ZextH { .. }
        | IROp::Clz { .. }
        | IROp::Ctz { .. }
        | IROp::Popcnt { .. }
        | IROp::ClzW { .. }
        | IROp::CtzW { .. }
        | IROp::PopcntW { .. }
        | IROp::BitsF32 { .. }
        | IROp::AddAt32 { .. }
        | IROp::SwapAt32 { .. }
        | IROp::ReadFlags { .. }
        | IROp::ReadRound { .. } => true,
        _ => is_word(op),
    }
}

/// Operations on low halves with a sign-extended result.
fn is_word(op: &IROp) -> bool {
    matches!(
        op,
        IROp::AddW { .. }
            | IROp::SubW { .. }
            | IROp::ShlW { .. }
            | IROp::ShrW { .. }
            | IROp::SarW { .. }
            | IROp::RotlW { .. }
            | IROp::RotrW { .. }
            | IROp::MulW { .. }
            | IROp::DivW { .. }
            | IROp::DivUW { .. }
            | IROp::RemW { .. }
            | IROp::RemUW { .. }
            | IROp::AddWImm { .. }
            | IROp::ShlWImm { .. }
            | IROp::ShrWImm { .. }
            | IROp::SarWImm { .. }
            | IROp::RotrWImm { .. }
    )
}

/// Whether the result is a boxed single.
fn is_boxed(op: &IROp, _args: [bool; 3]) -> bool {
    op.boxes_single()
}

/// Whether an operation gives the host's NaN, made of its operands, where the guest's is canonical.
fn gives_raw(op: &IROp) -> bool {
    matches!(
        op,
        IROp::AddF64 { .. }
            | IROp::SubF64 { .. }
            | IROp::MulF64 { .. }
            | IROp::DivF64 { .. }
            | IROp::SqrtF64 { .. }
            | IROp::F32ToF64 { .. }
    )
}

/// The same of singles.
fn gives_raw_single(op: &IROp) -> bool {
    matches!(
        op,
        IROp::AddF32 { .. }
            | IROp::SubF32 { .. }
            | IROp::MulF32 { .. }
            | IROp::DivF32 { .. }
            | IROp::SqrtF32 { .. }
            | IROp::F64ToF32 { .. }
    )
}

/// Whether an operation gives a single that is a number or the canonical NaN.
fn gives_canonical_single(op: &IROp) -> bool {
    matches!(
        op,
        IROp::I32ToF32 { .. }
            | IROp::U32ToF32 { .. }
            | IROp::I64ToF32 { .. }
            | IROp::U64ToF32 { .. }
            | IROp::MulAddF32 { .. }
            | IROp::MulSubF32 { .. }
            | IROp::NegMulSubF32 { .. }
            | IROp::NegMulAddF32 { .. }
            | IROp::MinF32 { .. }
            | IROp::MaxF32 { .. }
    )
}

/// Whether an operation gives a number or the canonical NaN.
fn gives_canonical(op: &IROp) -> bool {
    matches!(
        op,
        IROp::I32ToF64 { .. }
            | IROp::U32ToF64 { .. }
            | IROp::I64ToF64 { .. }
            | IROp::U64ToF64 { .. }
            | IROp::MulAddF64 { .. }
            | IROp::MulSubF64 { .. }
            | IROp::NegMulSubF64 { .. }
            | IROp::NegMulAddF64 { .. }
            | IROp::MinF64 { .. }
            | IROp::MaxF64 { .. }
    )
}

/// Values that may be another NaN than the canonical one, which they stand for. A phi that may be a NaN of its own right
/// is none of them, whatever it may be besides.
pub fn raw(func: &Func) -> Vec<bool> {
    let double = greatest(func, &|op, _| gives_raw(op) || gives_canonical(op));
    let single = greatest(func, &|op, _| gives_raw_single(op) || gives_canonical_single(op));
    let made_raw = |op: &IROp| gives_raw(op) || gives_raw_single(op);
    let mut raw: Vec<bool> =
        func.insts.iter().map(|inst| matches!(inst.node, Node::Op(op) if made_raw(&op))).collect();
    loop {
        let mut changed = false;
        for phi in func.blocks.iter().flat_map(|block| &block.phis) {
            let at = phi.value.index();
            if !raw[at] && (double[at] || single[at]) && phi.args.iter().any(|arg| raw[arg.index()]) {
                raw[at] = true;
                changed = true;
            }
        }
        if !changed {
            return raw;
        }
    }
}

fn wanted(func: &Func, narrow: &[bool]) -> Vec<bool> {
    let mut wanted = vec![false; func.insts.len()];
    // What is not narrow must be whole where a state has it.
    let of_state = |value: Value, wanted: &mut Vec<bool>| {
        if value != Value::NONE && !narrow[value.index()] {
            wanted[value.index()] = true;
        }
    };
    for state in &func.states {
        state.regs.iter().for_each(|&reg| of_state(reg, &mut wanted));
    }
    for id in func.reached() {
        match &func.blocks[id.index()].term {
            Term::Branch { args: [a, b], .. } if !(narrow[a.index()] && narrow[b.index()]) => {
                wanted[a.index()] = true;
                wanted[b.index()] = true;
            }
            Term::Leave { temps, .. } => temps.iter().for_each(|&(_, temp)| wanted[temp.index()] = true),
            _ => {}
        }
    }
    loop {
        let mut changed = false;
        let mut want = |value: Value, wanted: &mut Vec<bool>| {
            if !std::mem::replace(&mut wanted[value.index()], true) {
                changed = true;
            }
        };
        for id in func.reached() {
            let block = &func.blocks[id.index()];
            for &value in block.insts.iter().rev() {
                let inst = func.inst(value);
                let Node::Op(op) = inst.node else { continue };
                let whole = wanted[value.index()];
                let small = [0, 1, 2].map(|at| narrow.get(inst.args[at].index()).copied().unwrap_or(true));
                for (at, arg) in inst.args.into_iter().enumerate().filter(|&(_, arg)| arg != Value::NONE) {
                    if wants(&op, at, whole, small) {
                        want(arg, &mut wanted);
                    }
                }
            }
            for phi in &block.phis {
                if wanted[phi.value.index()] {
                    phi.args.iter().for_each(|&arg| want(arg, &mut wanted));
                }
            }
        }
        if !changed {
            return wanted;
        }
    }
}

/// Whether an operation looks at the upper half of an operand; `whole`: something looks at that of its result; `small`:
/// which operands are narrow.
fn wants(op: &IROp, at: usize, whole: bool, small: [bool; 3]) -> bool {
    if is_word(op) {
        return false;
    }
    match *op {
        IROp::Add { .. } | IROp::Sub { .. } | IROp::Mul { .. } | IROp::AddImm { .. } => whole,
        IROp::ShlAdd1 { .. } | IROp::ShlAdd2 { .. } | IROp::ShlAdd3 { .. } => whole,
        IROp::And { .. } | IROp::Or { .. } | IROp::Xor { .. } => whole && !(small[0] && small[1]),
        IROp::AndImm { imm, .. } => whole && !small[0] && !i32::try_from(imm).is_ok_and(|imm| imm >= 0),
        IROp::OrImm { .. } | IROp::XorImm { .. } => whole && !small[0],
        IROp::ShlImm { imm, .. } => whole && imm & 63 < 32,
        IROp::AddUw { .. } | IROp::ShlAdd1Uw { .. } | IROp::ShlAdd2Uw { .. } | IROp::ShlAdd3Uw { .. } => {
            at == 1 && whole
        }
        IROp::ShlUwImm { .. } | IROp::SextB { .. } | IROp::SextH { .. } | IROp::ZextH { .. } => false,
        IROp::ClzW { .. } | IROp::CtzW { .. } | IROp::PopcntW { .. } | IROp::BoxF32 { .. } => false,
        IROp::Shl { .. } | IROp::Shr { .. } | IROp::Sar { .. } => at == 0,
        IROp::SetLt { .. } | IROp::SetLtu { .. } => !(small[0] && small[1]),
        IROp::SetLtImm { .. } | IROp::SetLtuImm { .. } => !small[0],
        // Of an address the low half counts.
        _ if address_of(op) == Some(at) => false,
        IROp::Store { .. } => at == 0,
        IROp::Store32 { .. } | IROp::Store16 { .. } | IROp::Store8 { .. } => false,
        IROp::AddAt32 { .. } | IROp::SwapAt32 { .. } => false,
        IROp::AddAt64 { .. } | IROp::SwapAt64 { .. } => at == 0,
        IROp::I32ToF64 { .. } | IROp::U32ToF64 { .. } | IROp::I32ToF32 { .. } | IROp::U32ToF32 { .. } => {
            false
        }
        _ => true,
    }
}

/// Removes extensions of what is extended already.
fn extended(func: &mut Func) {
    let narrow = greatest(func, &|op, known| is_narrow(op, known));
    let mut subst = Subst::new(func);
    for (index, inst) in func.insts.iter().enumerate() {
        if let (Node::Op(IROp::AddWImm { imm: 0, .. }), [arg, ..]) = (inst.node, inst.args) {
            if narrow[arg.index()] && func.inst(arg).class == Class::Int {
                subst.replace(Value(index as u32), arg);
            }
        }
    }
    subst.apply(func);
}

/// Removes extensions of what is extended, and makes operations on whole registers of which only the low half is wanted operations on low halves: no sign of an
/// operand is extended for those.
pub fn narrow(func: &mut Func) {
    extended(func);
    let facts = facts(func);
    for id in 0..func.insts.len() {
        if facts.wanted[id] || facts.narrow[id] || func.insts[id].class == Class::Float {
            continue;
        }
        let inst = &mut func.insts[id];
        let Node::Op(op) = inst.node else { continue };
        if op.info().effect != Effect::Pure {
            continue;
        }
        let (dst, src, src1, src2) = (0, 0, 0, 0);
        inst.node = Node::Op(match op {
            IROp::Add { .. } => IROp::AddW { dst, src1, src2 },
            IROp::Sub { .. } => IROp::SubW { dst, src1, src2 },
            IROp::Mul { .. } => IROp::MulW { dst, src1, src2 },
            IROp::AddImm { imm, .. } => IROp::AddWImm { dst, src, imm: i64::from(imm as i32) },
            IROp::ShlImm { imm, .. } if imm & 63 < 32 => IROp::ShlWImm { dst, src, imm: imm & 63 },
            op => op,
        });
    }
}
