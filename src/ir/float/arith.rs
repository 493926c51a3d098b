//! Addition, subtraction, multiplication, division and square root (IEEE 754-2019 5.4.1).
//!
//! Addition works on 128-bit significands although 64 would do: so it is the same routine that ends a fused
//! multiply-add, whose product needs them.

use super::round::{invalid, nan_operand, round, sign, unpack, Finite, Kind};
use super::{fast, flags, Format, Rounding};

/// `a + b` (FADD).
#[inline]
pub fn add<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: &mut u8) -> F::Bits {
    match fast::add::<F>(a, b, rm, *flags) {
        Some(sum) => sum,
        None => F::from_raw(add_slow::<F>(a.into(), b.into(), rm, flags)),
    }
}

/// `a - b` (FSUB): the sum with the sign of `b` inverted, which for a NaN changes nothing that can be seen.
#[inline]
pub fn sub<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: &mut u8) -> F::Bits {
    add::<F>(a, F::from_raw(b.into() ^ F::SIGN), rm, flags)
}

/// `a × b` (FMUL).
#[inline]
pub fn mul<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: &mut u8) -> F::Bits {
    match fast::mul::<F>(a, b, rm, *flags) {
        Some(product) => product,
        None => F::from_raw(mul_slow::<F>(a.into(), b.into(), rm, flags)),
    }
}

/// `a / b` (FDIV). A finite non-zero number divided by zero is an infinity and raises `DZ`.
#[inline]
pub fn div<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: &mut u8) -> F::Bits {
    match fast::div::<F>(a, b, rm, *flags) {
        Some(quotient) => quotient,
        None => F::from_raw(div_slow::<F>(a.into(), b.into(), rm, flags)),
    }
}

/// The square root of `a` (FSQRT). That of -0 is -0; any other negative operand is invalid.
#[inline]
pub fn sqrt<F: Format>(a: F::Bits, rm: Rounding, flags: &mut u8) -> F::Bits {
    match fast::sqrt::<F>(a, rm, *flags) {
        Some(root) => root,
        None => F::from_raw(sqrt_slow::<F>(a.into(), rm, flags)),
    }
}

/// A signed number with a product's worth of significand: `± significand × 2^(exponent - 126)`.
/// Invariant: bit 126 is the highest set, which leaves room for the carry of a sum.
#[derive(Clone, Copy)]
pub(super) struct Wide {
    pub negative: bool,
    exponent: i32,
    significand: u128,
}

impl Wide {
    /// `value` with a sign.
    #[inline]
    pub fn new(negative: bool, value: Finite) -> Wide {
        Wide { negative, exponent: value.exponent, significand: u128::from(value.significand) << 63 }
    }

    /// The exact product of two unpacked operands.
    #[inline]
    pub fn product(negative: bool, x: Finite, y: Finite) -> Wide {
        let product = u128::from(x.significand) * u128::from(y.significand);
        // Two leading ones in bit 63 make one in bit 126 or 127. The bit shifted out is zero: operands have at
        // most 53 significant bits, so the lowest 22 of the product are.
        let carry = (product >> 127) as u32;
        Wide { negative, exponent: x.exponent + y.exponent + carry as i32, significand: product >> carry }
    }

    /// Rounds to `F`.
    #[inline]
    pub fn round<F: Format>(self, rm: Rounding, flags: &mut u8) -> u64 {
        let value = Finite::normalise_wide(self.significand, self.exponent - 126);
        round::<F>(self.negative, value, rm, flags)
    }

    /// The sum of two numbers of which at least one is an unpacked operand and the other may be a product,
    /// rounded to `F`.
    ///
    /// Aligning makes sticky what falls off the smaller number. That cannot spoil a cancellation: something falls
    /// off only if the exponents differ by more than 20 (the zero bits below a product), and then the difference
    /// is at most one bit shorter than the larger number, its sticky bit far below the last bit kept.
    #[inline]
    pub fn add<F: Format>(self, other: Wide, rm: Rounding, flags: &mut u8) -> u64 {
        let ordered = (self.exponent, self.significand) >= (other.exponent, other.significand);
        let (large, small) = if ordered { (self, other) } else { (other, self) };
        let aligned = shift_right_sticky(small.significand, large.exponent.abs_diff(small.exponent));
        let significand = if large.negative == small.negative {
            large.significand + aligned
        } else {
            large.significand - aligned
        };
        if significand == 0 {
            return zero_sum::<F>(large.negative, small.negative, rm);
        }
        Wide { significand, ..large }.round::<F>(rm, flags)
    }
}

/// `value / 2^count` with the lowest bit set if any bit was lost.
#[inline]
fn shift_right_sticky(value: u128, count: u32) -> u128 {
    if count > 127 {
        return u128::from(value != 0);
    }
    let shifted = value >> count;
    shifted | u128::from(shifted << count != value)
}

/// The zero that is the sum of two zeros, or of two opposite numbers, with these signs (IEEE 754-2019 6.3).
#[inline]
pub(super) fn zero_sum<F: Format>(x: bool, y: bool, rm: Rounding) -> u64 {
    sign::<F>(if x == y { x } else { rm == Rounding::Down })
}

/// `add` without the host.
#[cold]
#[inline(never)]
pub(super) fn add_slow<F: Format>(a: u64, b: u64, rm: Rounding, flags: &mut u8) -> u64 {
    if let Some(nan) = nan_operand::<F>(a, b, flags) {
        return nan;
    }
    let ((a_negative, x), (b_negative, y)) = (unpack::<F>(a), unpack::<F>(b));
    match (x, y) {
        (Kind::Finite(x), Kind::Finite(y)) => {
            Wide::new(a_negative, x).add::<F>(Wide::new(b_negative, y), rm, flags)
        }
        (Kind::Infinite, Kind::Infinite) if a_negative != b_negative => invalid::<F>(flags),
        (Kind::Zero, Kind::Zero) => zero_sum::<F>(a_negative, b_negative, rm),
        (Kind::Infinite, _) | (_, Kind::Zero) => a,
        (_, Kind::Infinite) | (Kind::Zero, _) => b,
    }
}

/// `mul` without the host.
#[cold]
#[inline(never)]
pub(super) fn mul_slow<F: Format>(a: u64, b: u64, rm: Rounding, flags: &mut u8) -> u64 {
    if let Some(nan) = nan_operand::<F>(a, b, flags) {
        return nan;
    }
    let ((a_negative, x), (b_negative, y)) = (unpack::<F>(a), unpack::<F>(b));
    let negative = a_negative != b_negative;
    match (x, y) {
        (Kind::Finite(x), Kind::Finite(y)) => Wide::product(negative, x, y).round::<F>(rm, flags),
        (Kind::Infinite, Kind::Zero) | (Kind::Zero, Kind::Infinite) => invalid::<F>(flags),
        (Kind::Infinite, _) | (_, Kind::Infinite) => sign::<F>(negative) | F::INFINITY,
        (Kind::Zero, _) | (_, Kind::Zero) => sign::<F>(negative),
    }
}

/// `div` without the host.
#[cold]
#[inline(never)]
pub(super) fn div_slow<F: Format>(a: u64, b: u64, rm: Rounding, flags: &mut u8) -> u64 {
    if let Some(nan) = nan_operand::<F>(a, b, flags) {
        return nan;
    }
    let ((a_negative, x), (b_negative, y)) = (unpack::<F>(a), unpack::<F>(b));
    let negative = a_negative != b_negative;
    match (x, y) {
        (Kind::Finite(x), Kind::Finite(y)) => round::<F>(negative, quotient::<F>(x, y), rm, flags),
        (Kind::Infinite, Kind::Infinite) | (Kind::Zero, Kind::Zero) => invalid::<F>(flags),
        (Kind::Finite(_), Kind::Zero) => {
            *flags |= flags::DZ;
            sign::<F>(negative) | F::INFINITY
        }
        (Kind::Infinite, _) => sign::<F>(negative) | F::INFINITY,
        (_, Kind::Infinite) | (Kind::Zero, _) => sign::<F>(negative),
    }
}

/// `x / y` to at least two bits more than `F` keeps, sticky.
#[inline]
fn quotient<F: Format>(x: Finite, y: Finite) -> Finite {
    let extra = F::PRECISION + 2;
    let dividend = u128::from(x.integer::<F>()) << extra;
    let divisor = u128::from(y.integer::<F>());
    let quotient = dividend / divisor;
    let sticky = u64::from(quotient * divisor != dividend);
    // At most PRECISION + 3 bits, because both integers have PRECISION.
    Finite::normalise(quotient as u64 | sticky, x.exponent - y.exponent - extra as i32)
}

/// `sqrt` without the host.
#[cold]
#[inline(never)]
pub(super) fn sqrt_slow<F: Format>(a: u64, rm: Rounding, flags: &mut u8) -> u64 {
    if let Some(nan) = nan_operand::<F>(a, a, flags) {
        return nan;
    }
    match unpack::<F>(a) {
        (_, Kind::Zero) => a,
        (true, _) => invalid::<F>(flags),
        (false, Kind::Infinite) => a,
        (false, Kind::Finite(x)) => round::<F>(false, root::<F>(x), rm, flags),
    }
}

/// The square root of `x` to two bits more than `F` keeps, sticky.
#[inline]
fn root<F: Format>(x: Finite) -> Finite {
    // x = integer × 2^scale. A radicand of 2 × PRECISION + 3 or 4 bits, whichever leaves an even scale, has a
    // root of PRECISION + 2.
    let scale = x.exponent + 1 - F::PRECISION as i32;
    let mut extra = F::PRECISION + 3;
    if (scale - extra as i32) % 2 != 0 {
        extra += 1;
    }
    let radicand = u128::from(x.integer::<F>()) << extra;
    let root = integer_root(radicand);
    let sticky = u64::from(root * root != radicand);
    Finite::normalise(root as u64 | sticky, (scale - extra as i32) / 2)
}

/// The square root of `radicand`, rounded down; at most 55 bits. Faster than `u128::isqrt`: the host's estimate is
/// off by a few units at most, and whatever it is, integer arithmetic alone decides.
#[inline]
fn integer_root(radicand: u128) -> u128 {
    let mut root = u128::from((radicand as f64).sqrt() as u64);
    while root * root > radicand {
        root -= 1;
    }
    while (root + 1) * (root + 1) <= radicand {
        root += 1;
    }
    root
}
