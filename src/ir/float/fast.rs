//! The host's FPU as a short cut, without ever looking at its flags or control word.
//!
//! Contract: a function here answers only if the host's result is the right one *and no flag would be raised that
//! is not raised already*; otherwise it returns `None` and the slow path decides. Why that is often enough:
//!
//! - The host rounds to nearest even, as programs do, so that is the only mode accepted (unless noted).
//! - A result that is finite and above the smallest normal number ([`is_ordinary`]) rules out, whatever the operands
//!   were, every special case: no NaN or infinity took part, nothing overflowed or was tiny, nothing was divided
//!   by zero. `NX` alone remains in doubt. Zero results are accepted where they must be exact.
//! - Flags are sticky and programs seldom clear them, so `NX` is soon set and then not in doubt either. Until then
//!   a cheap sufficient test for exactness serves programs that compute with small integers.

use super::{flags, Format, Rounding, F32, F64};
use std::ops::{Add, Div, Mul, Sub};

/// A host floating-point type: correctly rounded arithmetic to nearest even.
pub trait Host:
    Copy + PartialEq + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Positive zero.
    const ZERO: Self;
    /// The square root.
    fn square_root(self) -> Self;
    /// `self × b + c` rounded once.
    fn fused(self, b: Self, c: Self) -> Self;
    /// `v` rounded to nearest even.
    fn from_i64(v: i64) -> Self;
    /// Truncated, saturating; a NaN becomes zero.
    fn truncate(self) -> i64;
}

macro_rules! host {
    ($type:ident) => {
        impl Host for $type {
            const ZERO: $type = 0.0;
            #[inline]
            fn square_root(self) -> $type {
                self.sqrt()
            }
            #[inline]
            fn fused(self, b: $type, c: $type) -> $type {
                self.mul_add(b, c)
            }
            #[inline]
            fn from_i64(v: i64) -> $type {
                v as $type
            }
            #[inline]
            fn truncate(self) -> i64 {
                self as i64
            }
        }
    };
}

host!(f32);
host!(f64);

/// Whether the magnitude is finite and above, not at, the smallest normal number: at it, the exact value may have
/// been tiny.
#[inline]
fn is_ordinary<F: Format>(value: F::Host) -> bool {
    let magnitude = F::from_host(value).into() & !F::SIGN;
    magnitude.wrapping_sub(F::MIN_NORMAL + 1) < F::INFINITY - F::MIN_NORMAL - 1
}

/// Whether `NX` is set already, so that it does not matter whether a result is inexact.
#[inline]
fn may_be_inexact(flags: u8) -> bool {
    flags & flags::NX != 0
}

/// Whether `sum`, finite, is exactly `x + y`: Knuth's two-sum computes the rounding error. Should it overflow on
/// the way, it is not zero, and the answer is no.
#[inline]
fn is_exact_sum<H: Host>(x: H, y: H, sum: H) -> bool {
    let y_part = sum - x;
    let x_part = sum - y_part;
    (x - x_part) + (y - y_part) == H::ZERO
}

/// Whether the significands of `x` and `y` are so short that their product needs no rounding. Sufficient, not
/// necessary; a zero or subnormal operand is taken for a longer number than it is.
#[inline]
fn is_short_product<F: Format>(x: F::Host, y: F::Host) -> bool {
    let zeros = |v| (F::from_host(v).into() | F::MIN_NORMAL).trailing_zeros();
    zeros(x) + zeros(y) >= F::PRECISION
}

/// Whether `q`, ordinary, is exactly `x / y`. `x` must be ordinary too: near the smallest normal number the
/// product that proves it could itself have been rounded.
#[inline]
fn is_exact_quotient<F: Format>(x: F::Host, y: F::Host, q: F::Host) -> bool {
    is_ordinary::<F>(x) && is_short_product::<F>(q, y) && q * y == x
}

/// `a + b`.
#[inline]
pub(super) fn add<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: u8) -> Option<F::Bits> {
    if rm != Rounding::NearestEven {
        return None;
    }
    let (x, y) = (F::to_host(a)?, F::to_host(b)?);
    let sum = x + y;
    // A zero sum is exact: differences of representable numbers do not underflow.
    let settled = is_ordinary::<F>(sum) || sum == F::Host::ZERO;
    (settled && (may_be_inexact(flags) || is_exact_sum(x, y, sum))).then(|| F::from_host(sum))
}

/// `a × b`.
#[inline]
pub(super) fn mul<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: u8) -> Option<F::Bits> {
    if rm != Rounding::NearestEven {
        return None;
    }
    let (x, y) = (F::to_host(a)?, F::to_host(b)?);
    let product = x * y;
    let accepted = if is_ordinary::<F>(product) {
        may_be_inexact(flags) || is_short_product::<F>(x, y)
    } else {
        is_zero_product(x, y, product)
    };
    accepted.then(|| F::from_host(product))
}

/// Whether `product`, or its fused sum with a third number, is zero and a factor is: then it did not underflow.
#[inline]
fn is_zero_product<H: Host>(x: H, y: H, product: H) -> bool {
    product == H::ZERO && (x == H::ZERO || y == H::ZERO)
}

/// `a / b`.
#[inline]
pub(super) fn div<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: u8) -> Option<F::Bits> {
    if rm != Rounding::NearestEven {
        return None;
    }
    let (x, y) = (F::to_host(a)?, F::to_host(b)?);
    let quotient = x / y;
    let accepted =
        is_ordinary::<F>(quotient) && (may_be_inexact(flags) || is_exact_quotient::<F>(x, y, quotient));
    accepted.then(|| F::from_host(quotient))
}

/// The square root of `a`.
#[inline]
pub(super) fn sqrt<F: Format>(a: F::Bits, rm: Rounding, flags: u8) -> Option<F::Bits> {
    if rm != Rounding::NearestEven {
        return None;
    }
    let x = F::to_host(a)?;
    let root = x.square_root();
    let accepted = is_ordinary::<F>(root) && (may_be_inexact(flags) || is_exact_quotient::<F>(x, root, root));
    accepted.then(|| F::from_host(root))
}

/// `a × b + c`.
#[inline]
pub(super) fn mul_add<F: Format>(
    a: F::Bits,
    b: F::Bits,
    c: F::Bits,
    rm: Rounding,
    flags: u8,
) -> Option<F::Bits> {
    if rm != Rounding::NearestEven {
        return None;
    }
    let (x, y, z) = (F::to_host(a)?, F::to_host(b)?, F::to_host(c)?);
    if may_be_inexact(flags) {
        let result = x.fused(y, z);
        let accepted = is_ordinary::<F>(result) || is_zero_product(x, y, result);
        return accepted.then(|| F::from_host(result));
    }
    // If the product and then the sum need no rounding, two operations do as well as one.
    let product = x * y;
    let exact =
        if is_ordinary::<F>(product) { is_short_product::<F>(x, y) } else { is_zero_product(x, y, product) };
    let sum = product + z;
    let settled = is_ordinary::<F>(sum) || sum == F::Host::ZERO;
    (exact && settled && is_exact_sum(product, z, sum)).then(|| F::from_host(sum))
}

/// `v` as a floating-point number. If that is exact it is so in every mode.
#[inline]
pub(super) fn from_i64<F: Format>(v: i64, rm: Rounding, flags: u8) -> Option<F::Bits> {
    // Only a format with host arithmetic has a meaningful host value.
    F::to_host(F::from_raw(0))?;
    let exact = v.unsigned_abs() >> F::PRECISION == 0;
    (exact || (rm == Rounding::NearestEven && may_be_inexact(flags)))
        .then(|| F::from_host(F::Host::from_i64(v)))
}

/// `a` as an integer, if it is strictly within the range of `i64`. An integral `a` is accepted in every mode,
/// others if they are to be truncated, as conversions in C are.
#[inline]
pub(super) fn to_integer<F: Format>(a: F::Bits, rm: Rounding, flags: u8) -> Option<i64> {
    let x = F::to_host(a)?;
    let integer = x.truncate();
    if integer == i64::MIN || integer == i64::MAX {
        return None;
    }
    let integral = F::Host::from_i64(integer) == x;
    // `x == x` excludes NaNs.
    #[expect(clippy::eq_op, reason = "the trait has no other test for a NaN, and needs no other")]
    let truncated = rm == Rounding::TowardZero && may_be_inexact(flags) && x == x;
    (integral || truncated).then_some(integer)
}

/// binary64 to binary32.
#[inline]
pub(super) fn narrow(a: u64, rm: Rounding, flags: u8) -> Option<u32> {
    if rm != Rounding::NearestEven {
        return None;
    }
    let wide = f64::from_bits(a);
    let result = wide as f32;
    let accepted = if is_ordinary::<F32>(result) {
        may_be_inexact(flags) || f64::from(result) == wide
    } else {
        wide == 0.0
    };
    accepted.then(|| result.to_bits())
}

/// binary32 to binary64: exact for everything but a NaN.
#[inline]
pub(super) fn widen(a: u32) -> Option<u64> {
    let value = f32::from_bits(a);
    (!value.is_nan()).then(|| F64::from_host(f64::from(value)))
}
