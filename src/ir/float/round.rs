//! The two ends of every slow path: taking an operand apart, and rounding a result into a format.
//!
//! Between the two a non-zero finite number is a [`Finite`]: a significand with its leading one in bit 63 and an
//! exponent. 64 bits hold at least eleven more than any format keeps, so a result that was cut off below bit 0
//! rounds correctly as long as bit 0 is "sticky", that is, set if anything that was cut off was not zero.

use super::{flags, Format, Rounding};

/// What an operand is, apart from its sign. NaNs are dealt with before unpacking.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Zero,
    Finite(Finite),
    Infinite,
}

/// The magnitude `significand × 2^(exponent - 63)`. Invariant: bit 63 of the significand is set.
#[derive(Clone, Copy)]
pub(super) struct Finite {
    pub exponent: i32,
    pub significand: u64,
}

impl Finite {
    /// The magnitude `significand × 2^scale`; `significand` must not be zero.
    #[inline]
    pub fn normalise(significand: u64, scale: i32) -> Finite {
        let shift = significand.leading_zeros();
        Finite { exponent: scale + 63 - shift as i32, significand: significand << shift }
    }

    /// The magnitude `significand × 2^scale` with what does not fit made sticky; `significand` must not be zero.
    #[inline]
    pub fn normalise_wide(significand: u128, scale: i32) -> Finite {
        let shift = significand.leading_zeros();
        let shifted = significand << shift;
        let sticky = u64::from(shifted as u64 != 0);
        Finite { exponent: scale + 127 - shift as i32, significand: (shifted >> 64) as u64 | sticky }
    }

    /// The significand as an integer of `F::PRECISION` bits; loses nothing if `self` was unpacked from `F`.
    #[inline]
    pub fn integer<F: Format>(self) -> u64 {
        self.significand >> (64 - F::PRECISION)
    }
}

/// Sign and kind of `raw`, which must not be a NaN.
#[inline]
pub(super) fn unpack<F: Format>(raw: u64) -> (bool, Kind) {
    let magnitude = raw & !F::SIGN;
    let field = magnitude >> F::FRACTION;
    let fraction = magnitude & (F::MIN_NORMAL - 1);
    let kind = if magnitude == 0 {
        Kind::Zero
    } else if magnitude >= F::INFINITY {
        Kind::Infinite
    } else {
        // A subnormal has the smallest exponent, not one less, and no hidden bit (IEEE 754-2019 3.4).
        let hidden = if field == 0 { 0 } else { F::MIN_NORMAL };
        let scale = field.max(1) as i32 - F::BIAS - F::FRACTION as i32;
        Kind::Finite(Finite::normalise(fraction | hidden, scale))
    };
    (raw & F::SIGN != 0, kind)
}

/// The sign bit of `F` if `negative`.
#[inline]
pub(super) fn sign<F: Format>(negative: bool) -> u64 {
    if negative {
        F::SIGN
    } else {
        0
    }
}

/// Whether `raw` is a NaN of either sort.
#[inline]
pub(super) fn is_nan<F: Format>(raw: u64) -> bool {
    raw & !F::SIGN > F::INFINITY
}

/// Whether `raw` is a signalling NaN.
#[inline]
pub(super) fn is_signalling<F: Format>(raw: u64) -> bool {
    is_nan::<F>(raw) && raw & F::QUIET == 0
}

/// The canonical NaN as the result of an operation that has no other.
#[inline]
pub(super) fn invalid<F: Format>(flags: &mut u8) -> u64 {
    *flags |= flags::NV;
    F::NAN
}

/// The result that NaN operands force, if `a` or `b` is one.
#[inline]
pub(super) fn nan_operand<F: Format>(a: u64, b: u64, flags: &mut u8) -> Option<u64> {
    if is_signalling::<F>(a) || is_signalling::<F>(b) {
        *flags |= flags::NV;
    }
    (is_nan::<F>(a) || is_nan::<F>(b)).then_some(F::NAN)
}

impl Rounding {
    /// Whether the magnitude kept must grow by one unit, given the sign, whether the last bit kept is one, and
    /// what was cut off as a fraction of that unit scaled by 2^64.
    #[inline]
    pub(super) fn rounds_up(self, negative: bool, odd: bool, rest: u64) -> bool {
        const HALF: u64 = 1 << 63;
        match self {
            Rounding::NearestEven => rest > HALF || (rest == HALF && odd),
            Rounding::TowardZero => false,
            Rounding::Down => negative && rest != 0,
            Rounding::Up => !negative && rest != 0,
            Rounding::NearestMaxMagnitude => rest >= HALF,
        }
    }
}

/// Cuts `count` ≥ 1 bits off `significand`, which is not zero: what remains, and what was cut as in `rounds_up`.
#[inline]
pub(super) fn cut(significand: u64, count: u32) -> (u64, u64) {
    match count {
        0..=63 => (significand >> count, significand << (64 - count)),
        64 => (0, significand),
        // Below half a unit, and not zero: any such value rounds alike.
        _ => (0, 1),
    }
}

/// Rounds a non-zero number to `F`. This alone raises `NX`, `UF` and `OF`.
#[inline]
pub(super) fn round<F: Format>(negative: bool, value: Finite, rm: Rounding, flags: &mut u8) -> u64 {
    let field = value.exponent + F::BIAS;
    if field < 1 {
        return round_small::<F>(negative, value, rm, flags);
    }
    let (kept, rest) = cut(value.significand, 64 - F::PRECISION);
    let up = rm.rounds_up(negative, kept & 1 != 0, rest);
    // The leading one of `kept` adds one to the exponent field, and so does a carry out of the fraction.
    let magnitude = ((field as u64 - 1) << F::FRACTION) + kept + u64::from(up);
    if magnitude >= F::INFINITY {
        return overflow::<F>(negative, rm, flags);
    }
    if rest != 0 {
        *flags |= flags::NX;
    }
    sign::<F>(negative) | magnitude
}

/// The rounded result for a number too large for `F` (IEEE 754-2019 7.4): infinity or the largest finite number,
/// whichever lies on the side the mode rounds to.
#[cold]
fn overflow<F: Format>(negative: bool, rm: Rounding, flags: &mut u8) -> u64 {
    *flags |= flags::OF | flags::NX;
    let up = rm.rounds_up(negative, true, u64::MAX);
    sign::<F>(negative) | (F::INFINITY - u64::from(!up))
}

/// `round` for numbers below the smallest normal one.
#[cold]
fn round_small<F: Format>(negative: bool, value: Finite, rm: Rounding, flags: &mut u8) -> u64 {
    let field = value.exponent + F::BIAS;
    let (kept, rest) = cut(value.significand, 64 - F::PRECISION);
    let up = rm.rounds_up(negative, kept & 1 != 0, rest);
    // Tininess after rounding (IEEE 754-2019 7.5 a): with full precision and unbounded exponents the rounded
    // number would stay below the smallest normal one. Only a carry in the binade just below it gets there.
    let tiny = field < 0 || kept + u64::from(up) < 1 << F::PRECISION;
    let (kept, rest) = cut(value.significand, 64 - F::PRECISION + field.abs_diff(1));
    let up = rm.rounds_up(negative, kept & 1 != 0, rest);
    if rest != 0 {
        *flags |= if tiny { flags::UF | flags::NX } else { flags::NX };
    }
    sign::<F>(negative) | (kept + u64::from(up))
}
