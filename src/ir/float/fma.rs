//! Fused multiply-add (IEEE 754-2019 5.4.1): the product is exact and the sum is rounded once.

use super::arith::{zero_sum, Wide};
use super::round::{invalid, is_nan, is_signalling, sign, unpack, Kind};
use super::{fast, flags, Format, Rounding};

/// `a × b + c` (FMADD).
///
/// RISC-V's other three forms are this one with inverted signs, `c` for FMSUB, `a` for FNMSUB, both for FNMADD;
/// `sgnjn(x, x)` inverts one. `inf × 0` raises `NV` even if `c` is a quiet NaN.
#[inline]
pub fn mul_add<F: Format>(a: F::Bits, b: F::Bits, c: F::Bits, rm: Rounding, flags: &mut u8) -> F::Bits {
    match fast::mul_add::<F>(a, b, c, rm, *flags) {
        Some(result) => result,
        None => F::from_raw(mul_add_slow::<F>([a.into(), b.into(), c.into()], rm, flags)),
    }
}

/// `mul_add` without the host; the operands are `[a, b, c]`.
#[cold]
#[inline(never)]
pub(super) fn mul_add_slow<F: Format>(operands: [u64; 3], rm: Rounding, flags: &mut u8) -> u64 {
    let [a, b, c] = operands;
    if operands.iter().any(|&x| is_nan::<F>(x)) {
        return nan_result::<F>(operands, flags);
    }
    let ((a_negative, x), (b_negative, y), (c_negative, z)) =
        (unpack::<F>(a), unpack::<F>(b), unpack::<F>(c));
    let negative = a_negative != b_negative;
    match (x, y, z) {
        (Kind::Infinite, Kind::Zero, _) | (Kind::Zero, Kind::Infinite, _) => invalid::<F>(flags),
        (Kind::Infinite, _, Kind::Infinite) | (_, Kind::Infinite, Kind::Infinite)
            if negative != c_negative =>
        {
            invalid::<F>(flags)
        }
        (Kind::Infinite, _, _) | (_, Kind::Infinite, _) => sign::<F>(negative) | F::INFINITY,
        (_, _, Kind::Infinite) => c,
        (Kind::Zero, _, Kind::Zero) | (_, Kind::Zero, Kind::Zero) => zero_sum::<F>(negative, c_negative, rm),
        (Kind::Zero, _, _) | (_, Kind::Zero, _) => c,
        (Kind::Finite(x), Kind::Finite(y), Kind::Zero) => Wide::product(negative, x, y).round::<F>(rm, flags),
        (Kind::Finite(x), Kind::Finite(y), Kind::Finite(z)) => {
            Wide::product(negative, x, y).add::<F>(Wide::new(c_negative, z), rm, flags)
        }
    }
}

/// The result when an operand is a NaN: always the canonical one, but not always the same flags.
fn nan_result<F: Format>(operands: [u64; 3], flags: &mut u8) -> u64 {
    let magnitudes = (operands[0] & !F::SIGN, operands[1] & !F::SIGN);
    let undefined = magnitudes == (F::INFINITY, 0) || magnitudes == (0, F::INFINITY);
    if undefined || operands.iter().any(|&x| is_signalling::<F>(x)) {
        *flags |= flags::NV;
    }
    F::NAN
}
