//! IEEE 754 binary32 and binary64 arithmetic on raw bits, with RISC-V's choices wherever the standard leaves one.
//!
//! This is the only meaning of every floating-point IR operation: the interpreter, the constant folder and the
//! helper calls of generated code all come here, so all tiers agree bit for bit, flags included, on every host.
//!
//! ```text
//!   public function ── fast.rs: host FPU, answers only when provably no new flag is raised
//!                   └─ slow path: unpack ─ exact or sticky integer result ─ round and pack
//!                      round.rs            arith.rs fma.rs convert.rs       round.rs
//! ```
//!
//! RISC-V's choices (RISC-V Unpriv., chapters F and D):
//! - a NaN result is always the canonical NaN: positive, quiet, payload zero;
//! - a signalling NaN operand raises `NV`;
//! - tininess is detected after rounding, and `UF` is raised only together with `NX`;
//! - `inf * 0 + NaN` raises `NV` even if the NaN is quiet;
//! - minimum and maximum return the number if only one operand is a NaN, and order -0 below +0;
//! - conversions to integers saturate and raise `NV`; a NaN becomes the largest integer.
//!
//! Every function takes the flags as `&mut u8` and only ever sets bits in it; the bits are those of `fflags`.
//! The fast path relies on the host's default environment (round to nearest even, subnormals honoured): code that
//! changes the host's floating-point control word must restore it before it calls in here.

mod arith;
mod compare;
mod convert;
mod fast;
mod fma;
#[cfg(test)]
mod reference;
mod round;
#[cfg(test)]
mod tests;

pub use arith::{add, div, mul, sqrt, sub};
pub use compare::{classify, eq, is_nan, le, lt, max, min, sgnj, sgnjn, sgnjx};
pub use convert::{box32, narrow, unbox32, widen};
pub use convert::{from_i32, from_i64, from_u32, from_u64, to_i32, to_i64, to_u32, to_u64};
pub use fma::mul_add;

/// Bits of the accrued exception flags, as in `fflags` (RISC-V Unpriv. F, "Floating-Point Control and Status
/// Register").
pub mod flags {
    /// Inexact: the result differs from the exact value.
    pub const NX: u8 = 1;
    /// Underflow: the result is tiny after rounding, and inexact.
    pub const UF: u8 = 2;
    /// Overflow: the result, rounded as if exponents were unbounded, exceeds the largest finite number.
    pub const OF: u8 = 4;
    /// Divide by zero: an exact infinity from finite operands.
    pub const DZ: u8 = 8;
    /// Invalid operation: no useful result exists, or an operand is a signalling NaN.
    pub const NV: u8 = 16;
}

/// A rounding mode; the values are those of the `rm` instruction field and of `frm` (RISC-V Unpriv. F, table of
/// rounding mode encodings).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Rounding {
    /// `RNE`: to nearest, ties to even.
    NearestEven = 0,
    /// `RTZ`: towards zero.
    TowardZero = 1,
    /// `RDN`: towards minus infinity.
    Down = 2,
    /// `RUP`: towards plus infinity.
    Up = 3,
    /// `RMM`: to nearest, ties away from zero.
    NearestMaxMagnitude = 4,
}

impl Rounding {
    /// The mode with encoding `b`, or `None` for the reserved 5 and 6, for 7 (which stands for "use `frm`" in an
    /// instruction and is reserved in `frm`), and for anything wider than three bits.
    #[inline]
    pub fn from_bits(b: u8) -> Option<Rounding> {
        match b {
            0 => Some(Rounding::NearestEven),
            1 => Some(Rounding::TowardZero),
            2 => Some(Rounding::Down),
            3 => Some(Rounding::Up),
            4 => Some(Rounding::NearestMaxMagnitude),
            _ => None,
        }
    }
}

/// A binary interchange format (IEEE 754-2019 3.4): two field widths, from which all else follows.
///
/// Internally every value travels as raw bits in a `u64`, "raw" below; `Bits` is the same thing in the format's
/// own width, for callers. The algorithms need `PRECISION` ≤ 53 and `EXPONENT` ≤ 11.
pub trait Format: Copy {
    /// Unsigned integer as wide as the format.
    type Bits: Copy + Eq + std::fmt::Debug + Into<u64>;
    /// The host type that does this format's arithmetic natively.
    type Host: fast::Host;

    /// Bits in the fraction field.
    const FRACTION: u32;
    /// Bits in the exponent field.
    const EXPONENT: u32;

    /// Significant bits of a normal number: the fraction and the hidden one.
    const PRECISION: u32 = Self::FRACTION + 1;
    /// What the exponent field holds for the number 1.
    const BIAS: i32 = (1 << (Self::EXPONENT - 1)) - 1;
    /// The sign bit.
    const SIGN: u64 = 1 << (Self::FRACTION + Self::EXPONENT);
    /// The smallest positive normal number; also the weight of one in the exponent field.
    const MIN_NORMAL: u64 = 1 << Self::FRACTION;
    /// Positive infinity. A magnitude above it is a NaN.
    const INFINITY: u64 = ((1 << Self::EXPONENT) - 1) << Self::FRACTION;
    /// Set in quiet NaNs, clear in signalling ones (IEEE 754-2019 6.2.1).
    const QUIET: u64 = 1 << (Self::FRACTION - 1);
    /// The canonical NaN (RISC-V Unpriv. F, "NaN Generation and Propagation").
    const NAN: u64 = Self::INFINITY | Self::QUIET;

    /// The low bits of `raw` in the format's own width.
    fn from_raw(raw: u64) -> Self::Bits;
    /// The host's value with these bits, or `None` if the host cannot do this format's arithmetic, which leaves
    /// every operation to the slow path.
    fn to_host(bits: Self::Bits) -> Option<Self::Host>;
    /// The bits of a host value.
    fn from_host(value: Self::Host) -> Self::Bits;
}

/// IEEE 754 binary32, RISC-V's single precision.
#[derive(Clone, Copy, Debug)]
pub struct F32;

/// IEEE 754 binary64, RISC-V's double precision.
#[derive(Clone, Copy, Debug)]
pub struct F64;

impl Format for F32 {
    type Bits = u32;
    type Host = f32;
    const FRACTION: u32 = 23;
    const EXPONENT: u32 = 8;

    #[inline]
    fn from_raw(raw: u64) -> u32 {
        raw as u32
    }
    #[inline]
    fn to_host(bits: u32) -> Option<f32> {
        Some(f32::from_bits(bits))
    }
    #[inline]
    fn from_host(value: f32) -> u32 {
        value.to_bits()
    }
}

impl Format for F64 {
    type Bits = u64;
    type Host = f64;
    const FRACTION: u32 = 52;
    const EXPONENT: u32 = 11;

    #[inline]
    fn from_raw(raw: u64) -> u64 {
        raw
    }
    #[inline]
    fn to_host(bits: u64) -> Option<f64> {
        Some(f64::from_bits(bits))
    }
    #[inline]
    fn from_host(value: f64) -> u64 {
        value.to_bits()
    }
}
