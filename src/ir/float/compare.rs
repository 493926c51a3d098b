//! Everything that looks at operands without rounding: comparison, minimum and maximum, classification and the
//! sign operations. All of it works on the bits, which are sign and magnitude: no host FPU, no slow path.

use super::round::{is_signalling, nan_operand};
use super::{flags, round, Format};

/// Whether `a` is a NaN, quiet or signalling. Raises nothing.
#[inline]
pub fn is_nan<F: Format>(a: F::Bits) -> bool {
    round::is_nan::<F>(a.into())
}

/// A key whose order as an integer is the order of the numbers, with -0 just below +0. Not for NaNs.
#[inline]
fn order<F: Format>(raw: u64) -> i64 {
    let magnitude = (raw & !F::SIGN) as i64;
    if raw & F::SIGN != 0 {
        !magnitude
    } else {
        magnitude
    }
}

/// Whether both are zeros, of whatever sign.
#[inline]
fn both_zero<F: Format>(a: u64, b: u64) -> bool {
    (a | b) & !F::SIGN == 0
}

/// Raises `NV` and returns true if `a` or `b` is a NaN of any sort (IEEE 754-2019 5.6.1, signalling predicates).
#[inline]
fn unordered<F: Format>(a: u64, b: u64, flags: &mut u8) -> bool {
    let nan = round::is_nan::<F>(a) || round::is_nan::<F>(b);
    if nan {
        *flags |= flags::NV;
    }
    nan
}

/// `a == b` (FEQ): false if either is a NaN; only a signalling one raises `NV`.
#[inline]
pub fn eq<F: Format>(a: F::Bits, b: F::Bits, flags: &mut u8) -> bool {
    let (a, b) = (a.into(), b.into());
    nan_operand::<F>(a, b, flags).is_none() && (a == b || both_zero::<F>(a, b))
}

/// `a < b` (FLT): false if either is a NaN, which raises `NV`.
#[inline]
pub fn lt<F: Format>(a: F::Bits, b: F::Bits, flags: &mut u8) -> bool {
    let (a, b) = (a.into(), b.into());
    !unordered::<F>(a, b, flags) && order::<F>(a) < order::<F>(b) && !both_zero::<F>(a, b)
}

/// `a <= b` (FLE): false if either is a NaN, which raises `NV`.
#[inline]
pub fn le<F: Format>(a: F::Bits, b: F::Bits, flags: &mut u8) -> bool {
    let (a, b) = (a.into(), b.into());
    !unordered::<F>(a, b, flags) && (order::<F>(a) <= order::<F>(b) || both_zero::<F>(a, b))
}

/// The smaller operand (FMIN, RISC-V F 2.2; IEEE 754-2019 9.6 `minimumNumber`): -0 is below +0, one NaN yields
/// the other operand, two yield the canonical NaN, and a signalling one raises `NV`.
#[inline]
pub fn min<F: Format>(a: F::Bits, b: F::Bits, flags: &mut u8) -> F::Bits {
    select::<F>(a, b, order::<F>(a.into()) <= order::<F>(b.into()), flags)
}

/// The larger operand (FMAX, RISC-V F 2.2; IEEE 754-2019 9.6 `maximumNumber`); zeros and NaNs as for [`min`].
#[inline]
pub fn max<F: Format>(a: F::Bits, b: F::Bits, flags: &mut u8) -> F::Bits {
    select::<F>(a, b, order::<F>(a.into()) >= order::<F>(b.into()), flags)
}

/// `a` if `first`, else `b`, unless a NaN decides otherwise.
#[inline]
fn select<F: Format>(a: F::Bits, b: F::Bits, first: bool, flags: &mut u8) -> F::Bits {
    if nan_operand::<F>(a.into(), b.into(), flags).is_none() {
        return if first { a } else { b };
    }
    match (is_nan::<F>(a), is_nan::<F>(b)) {
        (true, true) => F::from_raw(F::NAN),
        (true, false) => b,
        _ => a,
    }
}

/// The class of `a` as a mask with one bit set (FCLASS): from bit 0 negative infinity, normal, subnormal, zero,
/// from bit 4 positive zero, subnormal, normal, infinity, then bit 8 signalling and bit 9 quiet NaN.
/// Source: RISC-V Unpriv. F, "Floating-Point Classify Instruction".
#[inline]
pub fn classify<F: Format>(a: F::Bits) -> u64 {
    let raw = a.into();
    let magnitude = raw & !F::SIGN;
    if magnitude > F::INFINITY {
        return if is_signalling::<F>(raw) { 1 << 8 } else { 1 << 9 };
    }
    // How far from zero, 0 to 3; the negative half of the mask mirrors the positive one.
    let distance = match magnitude {
        0 => 0,
        m if m < F::MIN_NORMAL => 1,
        m if m < F::INFINITY => 2,
        _ => 3,
    };
    if raw & F::SIGN != 0 {
        1 << (3 - distance)
    } else {
        1 << (4 + distance)
    }
}

/// `a` with the sign of `b` (FSGNJ). Like all sign operations it leaves NaNs as they are and raises nothing.
#[inline]
pub fn sgnj<F: Format>(a: F::Bits, b: F::Bits) -> F::Bits {
    F::from_raw((a.into() & !F::SIGN) | (b.into() & F::SIGN))
}

/// `a` with the opposite of the sign of `b` (FSGNJN); `sgnjn(a, a)` is `-a`.
#[inline]
pub fn sgnjn<F: Format>(a: F::Bits, b: F::Bits) -> F::Bits {
    F::from_raw((a.into() & !F::SIGN) | (!b.into() & F::SIGN))
}

/// `a` with its sign multiplied by that of `b` (FSGNJX); `sgnjx(a, a)` is `|a|`.
#[inline]
pub fn sgnjx<F: Format>(a: F::Bits, b: F::Bits) -> F::Bits {
    F::from_raw(a.into() ^ (b.into() & F::SIGN))
}
