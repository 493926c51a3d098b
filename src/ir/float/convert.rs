//! Conversions between formats and to and from integers (IEEE 754-2019 5.4.1, 5.4.2), and NaN boxing.

use super::round::{cut, is_nan, nan_operand, round, sign, unpack, Finite, Kind};
use super::{fast, flags, Format, Rounding, F32, F64};

/// `a` rounded to an integer (FCVT.W): below -2^31 becomes -2^31 and above 2^31 - 1, or a NaN, becomes 2^31 - 1,
/// with `NV` and without `NX`. The range is checked after rounding.
#[inline]
pub fn to_i32<F: Format>(a: F::Bits, rm: Rounding, flags: &mut u8) -> i32 {
    to_integer::<F>(a, rm, flags, i32::MIN.into(), i32::MAX.into()) as i32
}

/// `a` rounded to an integer (FCVT.WU), saturating at 0 and 2^32 - 1; else as [`to_i32`].
#[inline]
pub fn to_u32<F: Format>(a: F::Bits, rm: Rounding, flags: &mut u8) -> u32 {
    to_integer::<F>(a, rm, flags, u32::MIN.into(), u32::MAX.into()) as u32
}

/// `a` rounded to an integer (FCVT.L), saturating at -2^63 and 2^63 - 1; else as [`to_i32`].
#[inline]
pub fn to_i64<F: Format>(a: F::Bits, rm: Rounding, flags: &mut u8) -> i64 {
    to_integer::<F>(a, rm, flags, i64::MIN.into(), i64::MAX.into()) as i64
}

/// `a` rounded to an integer (FCVT.LU), saturating at 0 and 2^64 - 1; else as [`to_i32`].
#[inline]
pub fn to_u64<F: Format>(a: F::Bits, rm: Rounding, flags: &mut u8) -> u64 {
    to_integer::<F>(a, rm, flags, u64::MIN.into(), u64::MAX.into()) as u64
}

/// `a` rounded to an integer between `min` and `max`, the limits of an integer type of at most 64 bits.
#[inline]
fn to_integer<F: Format>(a: F::Bits, rm: Rounding, flags: &mut u8, min: i128, max: i128) -> i128 {
    match fast::to_integer::<F>(a, rm, *flags) {
        Some(integer) if (min..=max).contains(&integer.into()) => integer.into(),
        _ => to_integer_slow::<F>(a.into(), rm, flags, min, max),
    }
}

/// `to_integer` without the host.
#[cold]
#[inline(never)]
pub(super) fn to_integer_slow<F: Format>(a: u64, rm: Rounding, flags: &mut u8, min: i128, max: i128) -> i128 {
    if is_nan::<F>(a) {
        *flags |= flags::NV;
        return max;
    }
    let (negative, kind) = unpack::<F>(a);
    let (magnitude, inexact) = match kind {
        Kind::Zero => return 0,
        // 2^64 stands for everything from there on: it is out of range with either sign.
        Kind::Infinite => (1 << 64, false),
        Kind::Finite(x) if x.exponent > 63 => (1 << 64, false),
        Kind::Finite(x) => integer_magnitude(negative, x, rm),
    };
    let integer = if negative { -magnitude } else { magnitude };
    if integer < min || integer > max {
        *flags |= flags::NV;
        return integer.clamp(min, max);
    }
    if inexact {
        *flags |= flags::NX;
    }
    integer
}

/// The magnitude `x`, below 2^64, rounded to an integer, and whether that changed it.
fn integer_magnitude(negative: bool, x: Finite, rm: Rounding) -> (i128, bool) {
    let (kept, rest) = match x.exponent.abs_diff(63) {
        0 => (x.significand, 0),
        count => cut(x.significand, count),
    };
    (i128::from(kept) + i128::from(rm.rounds_up(negative, kept & 1 != 0, rest)), rest != 0)
}

/// `v` rounded to `F` (FCVT from W); exact for [`F64`].
#[inline]
pub fn from_i32<F: Format>(v: i32, rm: Rounding, flags: &mut u8) -> F::Bits {
    from_i64::<F>(v.into(), rm, flags)
}

/// `v` rounded to `F` (FCVT from WU); exact for [`F64`].
#[inline]
pub fn from_u32<F: Format>(v: u32, rm: Rounding, flags: &mut u8) -> F::Bits {
    from_i64::<F>(v.into(), rm, flags)
}

/// `v` rounded to `F` (FCVT from L).
#[inline]
pub fn from_i64<F: Format>(v: i64, rm: Rounding, flags: &mut u8) -> F::Bits {
    match fast::from_i64::<F>(v, rm, *flags) {
        Some(result) => result,
        None => F::from_raw(from_integer_slow::<F>(v < 0, v.unsigned_abs(), rm, flags)),
    }
}

/// `v` rounded to `F` (FCVT from LU).
#[inline]
pub fn from_u64<F: Format>(v: u64, rm: Rounding, flags: &mut u8) -> F::Bits {
    match i64::try_from(v) {
        Ok(v) => from_i64::<F>(v, rm, flags),
        Err(_) => F::from_raw(from_integer_slow::<F>(false, v, rm, flags)),
    }
}

/// The integer with this sign and magnitude, rounded to `F`, without the host. Zero is +0.
#[cold]
#[inline(never)]
pub(super) fn from_integer_slow<F: Format>(
    negative: bool,
    magnitude: u64,
    rm: Rounding,
    flags: &mut u8,
) -> u64 {
    if magnitude == 0 {
        return 0;
    }
    round::<F>(negative, Finite::normalise(magnitude, 0), rm, flags)
}

/// binary64 to binary32 (FCVT.S.D), rounded.
#[inline]
pub fn narrow(a: u64, rm: Rounding, flags: &mut u8) -> u32 {
    match fast::narrow(a, rm, *flags) {
        Some(result) => result,
        None => F32::from_raw(convert_slow::<F64, F32>(a, rm, flags)),
    }
}

/// binary32 to binary64 (FCVT.D.S): exact, so there is no rounding mode; a signalling NaN raises `NV`.
#[inline]
pub fn widen(a: u32, flags: &mut u8) -> u64 {
    match fast::widen(a) {
        Some(result) => result,
        None => convert_slow::<F32, F64>(a.into(), Rounding::NearestEven, flags),
    }
}

/// `a` of format `S` rounded to format `D`, without the host.
#[cold]
#[inline(never)]
pub(super) fn convert_slow<S: Format, D: Format>(a: u64, rm: Rounding, flags: &mut u8) -> u64 {
    if nan_operand::<S>(a, a, flags).is_some() {
        return D::NAN;
    }
    match unpack::<S>(a) {
        (negative, Kind::Zero) => sign::<D>(negative),
        (negative, Kind::Infinite) => sign::<D>(negative) | D::INFINITY,
        (negative, Kind::Finite(x)) => round::<D>(negative, x, rm, flags),
    }
}

/// The upper half of a register that holds a binary32 number.
const BOX: u64 = 0xffff_ffff << 32;

/// A 64-bit floating-point register that holds the binary32 number `v`: all ones above it (RISC-V Unpriv. D, "NaN
/// Boxing of Narrower Values").
#[inline]
pub fn box32(v: u32) -> u64 {
    BOX | u64::from(v)
}

/// The binary32 number in a 64-bit register; the canonical NaN if it is not properly boxed.
#[inline]
pub fn unbox32(v: u64) -> u32 {
    if v >= BOX {
        v as u32
    } else {
        F32::NAN as u32
    }
}
