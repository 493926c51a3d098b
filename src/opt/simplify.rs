//! Algebra on one operation: what it computes as another value, or as a cheaper operation. Constants are folded by the
//! functions of `ir::eval`, so that there is no second definition of what an operation does.
//!
//! Rule: what an operation comes to depends on all values that it depends on, whether they make a difference or not: `x ^ x`
//! stays. An address made with it orders a load behind that of `x` (RISC-V Unpriv. RVWMO, rule 9, "syntactic address
//! dependency"), and programs write it for that; see `passes::memory`.

use super::func::{Func, Value};
use crate::ir::ops::for_each_op;
use crate::ir::{eval, Cond, IROp};

/// What an operation came to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Simple {
    /// A value that is there already.
    Is(Value),
    /// This operation, on these.
    Op(IROp, [Value; 3]),
}

/// Expands to the constant folder.
macro_rules! folder {
    ($( $group:ident { $($name:ident $mnemonic:literal $eval:ident $c:tt $formula:literal;)* } )*) => {
        folder!(@fold $( $group { $($name $eval;)* } )*);
    };
    (@fold
        constant { $($con:ident $econ:ident;)* } unary { $($un:ident $eun:ident;)* }
        binary { $($bin:ident $ebin:ident;)* } immediate { $($imm:ident $eimm:ident;)* } $($rest:tt)*
    ) => {
        /// The result of an operation without effects on two numbers (or one, the first).
        fn fold(op: &IROp, a: u64, b: u64) -> Option<u64> {
            match *op {
                $(IROp::$con { imm, .. } => Some(eval::$econ(imm.cast_unsigned())),)*
                $(IROp::$un { .. } => Some(eval::$eun(a)),)*
                $(IROp::$bin { .. } => Some(eval::$ebin(a, b)),)*
                $(IROp::$imm { imm, .. } => Some(eval::$eimm(a, imm.cast_unsigned())),)*
                _ => None,
            }
        }
    };
}

for_each_op!(folder);

/// A constant.
pub(super) fn constant(value: u64) -> Simple {
    Simple::Op(IROp::Const { dst: 0, imm: value.cast_signed() }, [Value::NONE; 3])
}

/// Simplifies an operation until nothing more is found.
pub(super) fn simplify(func: &Func, op: IROp, args: [Value; 3]) -> Simple {
    let (mut op, mut args) = (op, args);
    // Each step makes the operation simpler; the bound is for safety only.
    for _ in 0..8 {
        match step(func, op, args) {
            Some(Simple::Op(next, with)) => (op, args) = (next, with),
            Some(is) => return is,
            None => break,
        }
    }
    Simple::Op(op, args)
}

fn step(func: &Func, op: IROp, args: [Value; 3]) -> Option<Simple> {
    let [a, b, _] = args;
    let (ka, kb) = (func.constant(a), func.constant(b));
    if let IROp::Const { .. } = op {
        return None;
    }
    let known = match (a, b) {
        (Value::NONE, _) => None,
        (_, Value::NONE) => ka.and_then(|ka| fold(&op, ka, 0)),
        _ => ka.zip(kb).and_then(|(ka, kb)| fold(&op, ka, kb)),
    };
    if let Some(known) = known {
        return Some(constant(known));
    }
    if let (Some(ka), None, true) = (ka, kb, adds_scaled(&op)) {
        let sum = fold(&op, ka, 0).map(u64::cast_signed).filter(|sum| i32::try_from(*sum).is_ok());
        return sum
            .map(|imm| Simple::Op(IROp::AddImm { dst: 0, src: 0, imm }, [b, Value::NONE, Value::NONE]));
    }
    if let (Some(ka), None, true) = (ka, kb, op.info().commutative && args[2] == Value::NONE) {
        if fold(&op, 0, 0).is_some() {
            let swapped = immediate(op, ka).map(|op| Simple::Op(op, [b, Value::NONE, Value::NONE]));
            return swapped.or_else(|| by_number(op, b, ka));
        }
    }
    if let Some(op) = kb.and_then(|kb| immediate(op, kb)) {
        return Some(Simple::Op(op, [a, Value::NONE, Value::NONE]));
    }
    if let Some(simple) = kb.filter(|_| b != Value::NONE).and_then(|kb| by_number(op, a, kb)) {
        return Some(simple);
    }
    address(func, op, args).or_else(|| unary(func, op, a)).or_else(|| binary(func, op, a, b))
}

/// The operation with a number for its second operand.
#[rustfmt::skip] // one row per line
fn immediate(op: IROp, b: u64) -> Option<IROp> {
    let (dst, src) = (0, 0);
    let imm = b.cast_signed();
    let fits = i32::try_from(imm).is_ok();
    Some(match op {
        IROp::Sub { .. } if i32::try_from(imm.wrapping_neg()).is_ok() => IROp::AddImm { dst, src, imm: imm.wrapping_neg() },
        IROp::SubW { .. } => IROp::AddWImm { dst, src, imm: i64::from((imm as i32).wrapping_neg()) },
        IROp::AddW { .. } => IROp::AddWImm { dst, src, imm: i64::from(imm as i32) },
        IROp::Shl { .. } => IROp::ShlImm { dst, src, imm: imm & 63 },
        IROp::Shr { .. } => IROp::ShrImm { dst, src, imm: imm & 63 },
        IROp::Sar { .. } => IROp::SarImm { dst, src, imm: imm & 63 },
        IROp::Rotr { .. } => IROp::RotrImm { dst, src, imm: imm & 63 },
        IROp::Rotl { .. } => IROp::RotrImm { dst, src, imm: imm.wrapping_neg() & 63 },
        IROp::ShlW { .. } => IROp::ShlWImm { dst, src, imm: imm & 31 },
        IROp::ShrW { .. } => IROp::ShrWImm { dst, src, imm: imm & 31 },
        IROp::SarW { .. } => IROp::SarWImm { dst, src, imm: imm & 31 },
        IROp::RotrW { .. } => IROp::RotrWImm { dst, src, imm: imm & 31 },
        IROp::RotlW { .. } => IROp::RotrWImm { dst, src, imm: imm.wrapping_neg() & 31 },
        IROp::BitSet { .. } => IROp::BitSetImm { dst, src, imm: imm & 63 },
        IROp::BitClear { .. } => IROp::BitClearImm { dst, src, imm: imm & 63 },
        IROp::BitInvert { .. } => IROp::BitInvertImm { dst, src, imm: imm & 63 },
        IROp::BitExtract { .. } => IROp::BitExtractImm { dst, src, imm: imm & 63 },
        _ if !fits => return None,
        IROp::Add { .. } => IROp::AddImm { dst, src, imm },
        IROp::And { .. } => IROp::AndImm { dst, src, imm },
        IROp::Or { .. } => IROp::OrImm { dst, src, imm },
        IROp::Xor { .. } => IROp::XorImm { dst, src, imm },
        IROp::SetLt { .. } => IROp::SetLtImm { dst, src, imm },
        IROp::SetLtu { .. } => IROp::SetLtuImm { dst, src, imm },
        _ => return None,
    })
}

/// Whether an operation adds its first operand, changed, to its second.
fn adds_scaled(op: &IROp) -> bool {
    matches!(
        op,
        IROp::ShlAdd1 { .. }
            | IROp::ShlAdd2 { .. }
            | IROp::ShlAdd3 { .. }
            | IROp::AddUw { .. }
            | IROp::ShlAdd1Uw { .. }
            | IROp::ShlAdd2Uw { .. }
            | IROp::ShlAdd3Uw { .. }
    )
}

/// Operations on a value and a number that others do sooner: multiplication and division by powers of two, masks.
#[rustfmt::skip] // one row per line
fn by_number(op: IROp, a: Value, b: u64) -> Option<Simple> {
    let (dst, src, src1, src2) = (0, 0, 0, 0);
    let on = |op| Some(Simple::Op(op, [a, Value::NONE, Value::NONE]));
    let twice = |op| Some(Simple::Op(op, [a, a, Value::NONE]));
    let low = u64::from(b as u32);
    let (log, log_low) = (i64::from(b.trailing_zeros()), i64::from(low.trailing_zeros()));
    match op {
        IROp::And { .. } if b == u64::from(u32::MAX) => on(IROp::ShlUwImm { dst, src, imm: 0 }),
        IROp::Mul { .. } if b.is_power_of_two() => on(IROp::ShlImm { dst, src, imm: log }),
        IROp::Mul { .. } if b == 3 => twice(IROp::ShlAdd1 { dst, src1, src2 }),
        IROp::Mul { .. } if b == 5 => twice(IROp::ShlAdd2 { dst, src1, src2 }),
        IROp::Mul { .. } if b == 9 => twice(IROp::ShlAdd3 { dst, src1, src2 }),
        IROp::MulW { .. } if low.is_power_of_two() => on(IROp::ShlWImm { dst, src, imm: log_low }),
        IROp::DivU { .. } if b.is_power_of_two() => on(IROp::ShrImm { dst, src, imm: log }),
        IROp::DivUW { .. } if low.is_power_of_two() => on(IROp::ShrWImm { dst, src, imm: log_low }),
        IROp::RemU { .. } if b.is_power_of_two() && log < 32 => on(IROp::AndImm { dst, src, imm: b.cast_signed() - 1 }),
        IROp::RemUW { .. } if low.is_power_of_two() => on(IROp::AndImm { dst, src, imm: low.cast_signed() - 1 }),
        IROp::ShlAdd1 { .. } if b == 0 => on(IROp::ShlImm { dst, src, imm: 1 }),
        IROp::ShlAdd2 { .. } if b == 0 => on(IROp::ShlImm { dst, src, imm: 2 }),
        IROp::ShlAdd3 { .. } if b == 0 => on(IROp::ShlImm { dst, src, imm: 3 }),
        IROp::AddUw { .. } if b == 0 => on(IROp::ShlUwImm { dst, src, imm: 0 }),
        IROp::ShlAdd1Uw { .. } if b == 0 => on(IROp::ShlUwImm { dst, src, imm: 1 }),
        IROp::ShlAdd2Uw { .. } if b == 0 => on(IROp::ShlUwImm { dst, src, imm: 2 }),
        IROp::ShlAdd3Uw { .. } if b == 0 => on(IROp::ShlUwImm { dst, src, imm: 3 }),
        _ => None,
    }
}

/// Whether an operation has the low bits of its operand as its own, as many as said, and does nothing else to them.
fn keeps_low(op: IROp, bits: u32) -> bool {
    match op {
        IROp::AddWImm { imm: 0, .. } | IROp::ShlUwImm { imm: 0, .. } => bits <= 32,
        IROp::SextH { .. } | IROp::ZextH { .. } => bits <= 16,
        IROp::SextB { .. } => bits <= 8,
        IROp::AndImm { imm, .. } => imm.trailing_ones() >= bits,
        _ => false,
    }
}

/// How many low bits of its operand an operation on one value looks at, if not at all.
fn looks_at(op: IROp) -> Option<u32> {
    Some(match op {
        IROp::AddWImm { .. }
        | IROp::ShlWImm { .. }
        | IROp::ShrWImm { .. }
        | IROp::SarWImm { .. }
        | IROp::RotrWImm { .. }
        | IROp::ShlUwImm { .. } => 32,
        IROp::SextH { .. } | IROp::ZextH { .. } => 16,
        IROp::SextB { .. } => 8,
        IROp::AndImm { imm, .. } if imm >= 0 => 64 - imm.leading_zeros(),
        _ => return None,
    })
}

/// Of loads and stores: a sum of a value and a number in the address becomes part of the offset. Addresses count modulo
/// 2^32, so no carry is lost.
fn address(func: &Func, op: IROp, args: [Value; 3]) -> Option<Simple> {
    let at = base_of(&op)?;
    let (base, number) = match func.op(args[at])? {
        IROp::AddImm { imm, .. } => (func.inst(args[at]).args[0], imm),
        // An absolute address.
        IROp::Const { imm, .. } if imm != 0 => (func.zero?, imm),
        _ => return None,
    };
    let mut op = op;
    let offset = offset_of(&mut op)?;
    let sum = offset.checked_add(number).filter(|&sum| i32::try_from(sum).is_ok())?;
    *offset = sum;
    let mut args = args;
    args[at] = base;
    Some(Simple::Op(op, args))
}

/// Which operand of a load or store is the address, if it has an offset.
pub fn base_of(op: &IROp) -> Option<usize> {
    match op {
        IROp::Load { .. }
        | IROp::LoadU32 { .. }
        | IROp::LoadS32 { .. }
        | IROp::LoadU16 { .. }
        | IROp::LoadS16 { .. }
        | IROp::LoadU8 { .. }
        | IROp::LoadS8 { .. }
        | IROp::LoadF32 { .. } => Some(0),
        IROp::Store { .. } | IROp::Store32 { .. } | IROp::Store16 { .. } | IROp::Store8 { .. } => Some(1),
        _ => None,
    }
}

/// The offset of a load or store, if it has one.
pub fn offset_of(op: &mut IROp) -> Option<&mut i64> {
    match op {
        IROp::Load { offset, .. }
        | IROp::LoadU32 { offset, .. }
        | IROp::LoadS32 { offset, .. }
        | IROp::LoadU16 { offset, .. }
        | IROp::LoadS16 { offset, .. }
        | IROp::LoadU8 { offset, .. }
        | IROp::LoadS8 { offset, .. }
        | IROp::LoadF32 { offset, .. }
        | IROp::Store { offset, .. }
        | IROp::Store32 { offset, .. }
        | IROp::Store16 { offset, .. }
        | IROp::Store8 { offset, .. } => Some(offset),
        _ => None,
    }
}

/// Operations on a value and, at most, a number.
fn unary(func: &Func, op: IROp, a: Value) -> Option<Simple> {
    let on = |op, a| Some(Simple::Op(op, [a, Value::NONE, Value::NONE]));
    let (dst, src) = (0, 0);
    let inner = func.op(a);
    let inside = || func.inst(a).args[0];
    match op {
        IROp::AddImm { imm: 0, .. }
        | IROp::OrImm { imm: 0, .. }
        | IROp::XorImm { imm: 0, .. }
        | IROp::AndImm { imm: -1, .. }
        | IROp::ShlImm { imm: 0, .. }
        | IROp::ShrImm { imm: 0, .. }
        | IROp::SarImm { imm: 0, .. }
        | IROp::RotrImm { imm: 0, .. } => return Some(Simple::Is(a)),
        // From here on distances are what they say.
        IROp::ShlImm { imm, .. } if imm & 63 != imm => {
            return on(IROp::ShlImm { dst, src, imm: imm & 63 }, a)
        }
        IROp::ShrImm { imm, .. } if imm & 63 != imm => {
            return on(IROp::ShrImm { dst, src, imm: imm & 63 }, a)
        }
        IROp::SarImm { imm, .. } if imm & 63 != imm => {
            return on(IROp::SarImm { dst, src, imm: imm & 63 }, a)
        }
        IROp::ShlWImm { imm, .. } if imm & 31 != imm => {
            return on(IROp::ShlWImm { dst, src, imm: imm & 31 }, a)
        }
        IROp::ShrWImm { imm, .. } if imm & 31 != imm => {
            return on(IROp::ShrWImm { dst, src, imm: imm & 31 }, a)
        }
        IROp::SarWImm { imm, .. } if imm & 31 != imm => {
            return on(IROp::SarWImm { dst, src, imm: imm & 31 }, a)
        }
        // All these are sign extensions.
        IROp::ShlWImm { imm: 0, .. }
        | IROp::ShrWImm { imm: 0, .. }
        | IROp::SarWImm { imm: 0, .. }
        | IROp::RotrWImm { imm: 0, .. } => return on(IROp::AddWImm { dst, src, imm: 0 }, a),
        _ => {}
    }
    if let Some(bits) = looks_at(op) {
        if keeps_low(inner?, bits) {
            return on(op, inside());
        }
    }
    two(op, inner?, inside())
}

/// An operation on what another one makes of a value, both with a number at most.
#[rustfmt::skip] // one row per line
fn two(op: IROp, inner: IROp, a: Value) -> Option<Simple> {
    let on = |op, a| Some(Simple::Op(op, [a, Value::NONE, Value::NONE]));
    let (dst, src) = (0, 0);
    match (op, inner) {
        (IROp::AddImm { imm, .. }, IROp::AddImm { imm: other, .. }) => {
            let imm = imm.checked_add(other).filter(|&sum| i32::try_from(sum).is_ok())?;
            on(IROp::AddImm { dst, src, imm }, a)
        }
        (IROp::AddWImm { imm, .. }, IROp::AddWImm { imm: other, .. } | IROp::AddImm { imm: other, .. }) => {
            let imm = i64::from((imm as i32).wrapping_add(other as i32));
            on(IROp::AddWImm { dst, src, imm }, a)
        }
        (IROp::AndImm { imm, .. }, IROp::AndImm { imm: other, .. }) => {
            on(IROp::AndImm { dst, src, imm: imm & other }, a)
        }
        (IROp::ShrImm { imm, .. }, IROp::ShlImm { imm: 32, .. }) if (1..=32).contains(&imm) => {
            on(IROp::ShlUwImm { dst, src, imm: 32 - imm }, a)
        }
        (IROp::SarImm { imm: 32, .. }, IROp::ShlImm { imm: 32, .. }) => {
            on(IROp::AddWImm { dst, src, imm: 0 }, a)
        }
        (IROp::ShrImm { imm, .. }, IROp::ShlImm { imm: 32, .. }) => {
            on(IROp::ShrWImm { dst, src, imm: imm - 32 }, a)
        }
        (IROp::SarImm { imm, .. }, IROp::ShlImm { imm: 32, .. }) if imm > 32 => {
            on(IROp::SarWImm { dst, src, imm: imm - 32 }, a)
        }
        (IROp::ShlImm { imm, .. }, IROp::ShlImm { imm: other, .. }) if imm + other < 64 => {
            on(IROp::ShlImm { dst, src, imm: imm + other }, a)
        }
        (IROp::ShrImm { imm, .. }, IROp::ShrImm { imm: other, .. }) if imm + other < 64 => {
            on(IROp::ShrImm { dst, src, imm: imm + other }, a)
        }
        (IROp::SarImm { imm, .. }, IROp::SarImm { imm: other, .. }) => {
            on(IROp::SarImm { dst, src, imm: (imm + other).min(63) }, a)
        }
        (IROp::XorImm { imm, .. }, IROp::XorImm { imm: other, .. }) => {
            on(IROp::XorImm { dst, src, imm: imm ^ other }, a)
        }
        (IROp::OrImm { imm, .. }, IROp::OrImm { imm: other, .. }) => {
            on(IROp::OrImm { dst, src, imm: imm | other }, a)
        }
        // Of words, a shift of all 64 bits will do: its low half is that of the word's shift.
        (IROp::SarWImm { imm: 24, .. }, IROp::ShlWImm { imm: 24, .. } | IROp::ShlImm { imm: 24, .. }) => {
            on(IROp::SextB { dst, src }, a)
        }
        (IROp::ShrWImm { imm: 16, .. }, IROp::ShlWImm { imm: 16, .. } | IROp::ShlImm { imm: 16, .. }) => {
            on(IROp::ZextH { dst, src }, a)
        }
        (IROp::SarWImm { imm: 16, .. }, IROp::ShlWImm { imm: 16, .. } | IROp::ShlImm { imm: 16, .. }) => {
            on(IROp::SextH { dst, src }, a)
        }
        (IROp::ShrImm { imm: 48, .. }, IROp::ShlImm { imm: 48, .. }) => {
            on(IROp::ZextH { dst, src }, a)
        }
        (IROp::SarImm { imm: 48, .. }, IROp::ShlImm { imm: 48, .. }) => {
            on(IROp::SextH { dst, src }, a)
        }
        (IROp::SarImm { imm: 56, .. }, IROp::ShlImm { imm: 56, .. }) => {
            on(IROp::SextB { dst, src }, a)
        }
        // There and back clears the bits that fall out: a mask, where it is a positive or negative number of 32 bits.
        (IROp::ShrImm { imm, .. }, IROp::ShlImm { imm: other, .. }) if imm == other && imm > 32 => {
            on(IROp::AndImm { dst, src, imm: (1 << (64 - imm)) - 1 }, a)
        }
        (IROp::ShlImm { imm, .. }, IROp::ShrImm { imm: other, .. } | IROp::SarImm { imm: other, .. })
            if imm == other && imm < 32 =>
        {
            on(IROp::AndImm { dst, src, imm: -1 << imm }, a)
        }
        (IROp::ShrWImm { imm, .. }, IROp::ShlWImm { imm: other, .. } | IROp::ShlImm { imm: other, .. })
            if imm == other && imm > 0 =>
        {
            on(IROp::AndImm { dst, src, imm: (1 << (32 - imm)) - 1 }, a)
        }
        _ => None,
    }
}

/// Operations on two values.
fn binary(func: &Func, op: IROp, a: Value, b: Value) -> Option<Simple> {
    if b == Value::NONE {
        return None;
    }
    let (dst, src1, src2) = (0, 0, 0);
    if a == b {
        match op {
            IROp::And { .. } | IROp::Or { .. } => return Some(Simple::Is(a)),
            _ => {}
        }
    }
    if let Some(bits) = distance_bits(op) {
        let distance = low(func, b, bits);
        return (distance != b).then_some(Simple::Op(op, [a, distance, Value::NONE]));
    }
    if let Some(rotation) = rotation(func, op, a, b).or_else(|| rotation_by(func, op, a, b)) {
        return Some(rotation);
    }
    if let IROp::Add { .. } = op {
        for (a, b) in [(a, b), (b, a)] {
            let scaled = match func.op(a) {
                Some(IROp::ShlImm { imm: 1, .. }) => IROp::ShlAdd1 { dst, src1, src2 },
                Some(IROp::ShlImm { imm: 2, .. }) => IROp::ShlAdd2 { dst, src1, src2 },
                Some(IROp::ShlImm { imm: 3, .. }) => IROp::ShlAdd3 { dst, src1, src2 },
                Some(IROp::ShlUwImm { imm: 0, .. }) => IROp::AddUw { dst, src1, src2 },
                Some(IROp::ShlUwImm { imm: 1, .. }) => IROp::ShlAdd1Uw { dst, src1, src2 },
                Some(IROp::ShlUwImm { imm: 2, .. }) => IROp::ShlAdd2Uw { dst, src1, src2 },
                Some(IROp::ShlUwImm { imm: 3, .. }) => IROp::ShlAdd3Uw { dst, src1, src2 },
                _ => continue,
            };
            return Some(Simple::Op(scaled, [func.inst(a).args[0], b, Value::NONE]));
        }
    }
    None
}

/// How many low bits of its distance a shift or rotation looks at.
fn distance_bits(op: IROp) -> Option<u32> {
    Some(match op {
        IROp::Shl { .. } | IROp::Shr { .. } | IROp::Sar { .. } | IROp::Rotl { .. } | IROp::Rotr { .. } => 6,
        IROp::ShlW { .. }
        | IROp::ShrW { .. }
        | IROp::SarW { .. }
        | IROp::RotlW { .. }
        | IROp::RotrW { .. } => 5,
        _ => return None,
    })
}

/// The value that `value` has its low bits from, as many as said.
fn low(func: &Func, value: Value, bits: u32) -> Value {
    let mut value = value;
    while func.op(value).is_some_and(|op| keeps_low(op, bits)) {
        value = func.inst(value).args[0];
    }
    value
}

/// Two shifts by distances that make a rotation: by `n`, and by `-n` the other way.
fn rotation_by(func: &Func, op: IROp, a: Value, b: Value) -> Option<Simple> {
    // Where the distance is 0 both are the whole value: only `or` makes that of them.
    let IROp::Or { .. } = op else { return None };
    let [x, n, _] = func.inst(a).args;
    let [other, m, _] = func.inst(b).args;
    if x != other {
        return None;
    }
    let (dst, src1, src2) = (0, 0, 0);
    let (forth, back, bits) = match (func.op(a)?, func.op(b)?) {
        (IROp::Shl { .. }, IROp::Shr { .. }) => {
            (IROp::Rotl { dst, src1, src2 }, IROp::Rotr { dst, src1, src2 }, 6)
        }
        (IROp::Shr { .. }, IROp::Shl { .. }) => {
            (IROp::Rotr { dst, src1, src2 }, IROp::Rotl { dst, src1, src2 }, 6)
        }
        (IROp::ShlW { .. }, IROp::ShrW { .. }) => {
            (IROp::RotlW { dst, src1, src2 }, IROp::RotrW { dst, src1, src2 }, 5)
        }
        (IROp::ShrW { .. }, IROp::ShlW { .. }) => {
            (IROp::RotrW { dst, src1, src2 }, IROp::RotlW { dst, src1, src2 }, 5)
        }
        _ => return None,
    };
    // Modulo a power of two it makes no difference at what width the distance is negated.
    let negates = |minus: Value, n: Value| {
        let minus = low(func, minus, bits);
        let [zero, negated, _] = func.inst(minus).args;
        matches!(func.op(minus), Some(IROp::Sub { .. } | IROp::SubW { .. }))
            && func.constant(zero) == Some(0)
            && low(func, negated, bits) == low(func, n, bits)
    };
    if negates(m, n) {
        Some(Simple::Op(forth, [x, n, Value::NONE]))
    } else {
        negates(n, m).then_some(Simple::Op(back, [x, m, Value::NONE]))
    }
}

/// Two shifts that make a rotation.
fn rotation(func: &Func, op: IROp, a: Value, b: Value) -> Option<Simple> {
    let word = match op {
        // The bits are disjoint, so all of these do the same.
        IROp::Or { .. } | IROp::Xor { .. } | IROp::Add { .. } => false,
        IROp::AddW { .. } => true,
        _ => return None,
    };
    if func.inst(a).args[0] != func.inst(b).args[0] {
        return None;
    }
    let (dst, src) = (0, 0);
    let (left, right) = match (func.op(a)?, func.op(b)?) {
        (left @ (IROp::ShlImm { .. } | IROp::ShlWImm { .. }), right) => (left, right),
        (right, left) => (left, right),
    };
    let rotated = match (left, right) {
        (IROp::ShlWImm { imm: l, .. }, IROp::ShrWImm { imm: r, .. }) if l + r == 32 && r > 0 => {
            IROp::RotrWImm { dst, src, imm: r }
        }
        (IROp::ShlImm { imm: l, .. }, IROp::ShrImm { imm: r, .. }) if l + r == 64 && r > 0 && !word => {
            IROp::RotrImm { dst, src, imm: r }
        }
        _ => return None,
    };
    Some(Simple::Op(rotated, [func.inst(a).args[0], Value::NONE, Value::NONE]))
}

/// A condition in its simplest form: what it says about which values.
pub(super) fn condition(func: &Func, cond: Cond, args: [Value; 2]) -> (Cond, [Value; 2]) {
    let [a, b] = args;
    if func.constant(a) == Some(0) {
        // 0 < x: x is not 0.
        match cond {
            Cond::Ltu => return condition(func, Cond::Ne, [b, a]),
            Cond::Geu => return condition(func, Cond::Eq, [b, a]),
            Cond::Eq | Cond::Ne if func.constant(b).is_none() => return condition(func, cond, [b, a]),
            _ => {}
        }
    }
    if func.constant(b) != Some(0) || !matches!(cond, Cond::Eq | Cond::Ne) {
        return (cond, args);
    }
    let [x, y, _] = func.insts[a.index()].args;
    let opposite = if cond == Cond::Eq { Cond::Ne } else { Cond::Eq };
    let holds = |cond: Cond| if matches!(cond, Cond::Eq) { Cond::Ge } else { Cond::Lt };
    match func.op(a) {
        Some(IROp::SetLt { .. }) => (holds(cond), [x, y]),
        Some(IROp::SetLtu { .. }) => {
            condition(func, if cond == Cond::Eq { Cond::Geu } else { Cond::Ltu }, [x, y])
        }
        // x < 1: x is 0.
        Some(IROp::SetLtuImm { imm: 1, .. }) => condition(func, opposite, [x, b]),
        // A truth value, negated.
        Some(IROp::XorImm { imm: 1, .. }) if func.op(x).is_some_and(is_truth) => {
            condition(func, opposite, [x, b])
        }
        Some(IROp::Xor { .. } | IROp::Sub { .. }) => (cond, [x, y]),
        _ => (cond, args),
    }
}

/// Whether an operation makes 0 or 1.
fn is_truth(op: IROp) -> bool {
    matches!(op, IROp::SetLt { .. } | IROp::SetLtu { .. } | IROp::SetLtImm { .. } | IROp::SetLtuImm { .. })
}
