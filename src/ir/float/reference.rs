//! A second, independent meaning of the rounded operations, for the tests: slow, and as close to the wording of
//! IEEE 754 as can be.
//!
//! No operation is ever carried out. Bit patterns of magnitudes are ordered like the magnitudes, so the two
//! representable neighbours of the exact result are found by binary search over the patterns, with a predicate
//! that says whether a candidate is below the exact result: `q ≤ a / b` as `q × b ≤ a`, `r ≤ √a` as `r² ≤ a`,
//! all in integers. The rounding mode then picks one of the two.

use super::{flags, Format, Rounding};
use std::cmp::Ordering;

/// A natural number, least significant limb first, without leading zero limbs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nat(Vec<u64>);

impl Nat {
    fn new(value: u64) -> Nat {
        Nat(vec![value]).trim()
    }

    fn trim(mut self) -> Nat {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    fn limb(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }

    pub fn shl(&self, count: u32) -> Nat {
        let (limbs, bits) = ((count / 64) as usize, count % 64);
        let mut out = vec![0; limbs + self.0.len() + 1];
        for (i, &limb) in self.0.iter().enumerate() {
            let shifted = u128::from(limb) << bits;
            out[limbs + i] |= shifted as u64;
            out[limbs + i + 1] |= (shifted >> 64) as u64;
        }
        Nat(out).trim()
    }

    pub fn add(&self, other: &Nat) -> Nat {
        let mut carry = 0u128;
        let count = self.0.len().max(other.0.len()) + 1;
        let mut out = Vec::with_capacity(count);
        for i in 0..count {
            carry += u128::from(self.limb(i)) + u128::from(other.limb(i));
            out.push(carry as u64);
            carry >>= 64;
        }
        Nat(out).trim()
    }

    /// `self - other`, which must not be negative.
    pub fn sub(&self, other: &Nat) -> Nat {
        let mut borrow = false;
        let mut out = Vec::with_capacity(self.0.len());
        for i in 0..self.0.len() {
            let (x, b1) = self.limb(i).overflowing_sub(other.limb(i));
            let (x, b2) = x.overflowing_sub(u64::from(borrow));
            out.push(x);
            borrow = b1 || b2;
        }
        assert!(!borrow);
        Nat(out).trim()
    }

    /// Half of an even number.
    fn half(&self) -> Nat {
        let next = |i| self.limb(i + 1) << 63;
        Nat((0..self.0.len()).map(|i| (self.limb(i) >> 1) | next(i)).collect()).trim()
    }

    pub fn mul(&self, other: &Nat) -> Nat {
        let mut out = vec![0u64; self.0.len() + other.0.len() + 1];
        for (i, &x) in self.0.iter().enumerate().filter(|(_, &x)| x != 0) {
            let mut carry = 0u128;
            for j in 0..=other.0.len() {
                carry += u128::from(x) * u128::from(other.limb(j)) + u128::from(out[i + j]);
                out[i + j] = carry as u64;
                carry >>= 64;
            }
        }
        Nat(out).trim()
    }

    pub fn cmp(&self, other: &Nat) -> Ordering {
        let length = self.0.len().cmp(&other.0.len());
        length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

/// The unit all magnitudes of `F` are counted in is `2^-unit::<F>()`: a quarter of the smallest subnormal number,
/// so that the middle between two neighbours is a whole number even one binade below.
fn unit<F: Format>() -> u32 {
    F::BIAS as u32 + F::FRACTION + 1
}

/// The magnitude with this pattern in units. Infinity counts as the power of two that would be next.
fn units<F: Format>(magnitude: u64) -> Nat {
    let field = (magnitude >> F::FRACTION) as u32;
    let fraction = magnitude & (F::MIN_NORMAL - 1);
    let significand = if field == 0 { fraction } else { fraction | F::MIN_NORMAL };
    Nat::new(significand).shl(field.max(1) + 1)
}

/// Where the exact magnitude of a result lies among those of a format, all that rounding can depend on.
#[derive(Clone, Copy)]
pub struct Place {
    negative: bool,
    /// The largest pattern not above the exact magnitude; at most infinity.
    below: u64,
    /// Whether `below` is the exact magnitude.
    exact: bool,
    /// How the exact magnitude compares to the middle between `below` and the next pattern.
    middle: Ordering,
    /// How it compares to the number that would come just before the smallest normal one if exponents were
    /// unbounded, and to the middle between those two.
    below_normal: (Ordering, Ordering),
}

impl Place {
    /// Finds the place of a magnitude known only by `compare`, which compares a number of units to it.
    fn find<F: Format>(negative: bool, compare: impl Fn(&Nat) -> Ordering) -> Place {
        let (mut low, mut high) = (0, F::INFINITY + 1);
        while high - low > 1 {
            let candidate = low + (high - low) / 2;
            if compare(&units::<F>(candidate)).is_le() {
                low = candidate;
            } else {
                high = candidate;
            }
        }
        let middle = if low == F::INFINITY {
            Ordering::Greater
        } else {
            // Even: units of patterns are multiples of four.
            let (x, y) = (units::<F>(low), units::<F>(low + 1));
            compare(&x.add(&y).half()).reverse()
        };
        let normal = units::<F>(F::MIN_NORMAL);
        let below_normal =
            (compare(&normal.sub(&Nat::new(2))).reverse(), compare(&normal.sub(&Nat::new(1))).reverse());
        Place { negative, below: low, exact: compare(&units::<F>(low)).is_eq(), middle, below_normal }
    }

    /// The pattern and flags of the rounded result.
    pub fn round<F: Format>(self, rm: Rounding) -> (u64, u8) {
        let sign = if self.negative { F::SIGN } else { 0 };
        if self.exact && self.below != F::INFINITY {
            return (sign | self.below, 0);
        }
        let away = match rm {
            Rounding::TowardZero => false,
            Rounding::Down => self.negative,
            Rounding::Up => !self.negative,
            Rounding::NearestEven => self.middle.is_gt() || (self.middle.is_eq() && self.below & 1 == 1),
            Rounding::NearestMaxMagnitude => self.middle.is_ge(),
        };
        if self.below == F::INFINITY {
            let nearest = matches!(rm, Rounding::NearestEven | Rounding::NearestMaxMagnitude);
            let result = if away || nearest { F::INFINITY } else { F::INFINITY - 1 };
            return (sign | result, flags::OF | flags::NX);
        }
        let result = self.below + u64::from(away);
        if result == F::INFINITY {
            return (sign | result, flags::OF | flags::NX);
        }
        let underflow = if self.is_tiny::<F>(rm) { flags::UF } else { 0 };
        (sign | result, underflow | flags::NX)
    }

    /// Whether, rounded with unbounded exponents, the inexact result would be below the smallest normal number.
    fn is_tiny<F: Format>(self, rm: Rounding) -> bool {
        let (neighbour, middle) = self.below_normal;
        let reaches_normal = match rm {
            Rounding::TowardZero => false,
            Rounding::Down => self.negative && neighbour.is_gt(),
            Rounding::Up => !self.negative && neighbour.is_gt(),
            // A tie goes to the normal number: it is a power of two, even, and larger.
            Rounding::NearestEven | Rounding::NearestMaxMagnitude => middle.is_ge(),
        };
        self.below < F::MIN_NORMAL && !reaches_normal
    }
}

/// A finite number of `F` as sign and units.
fn signed<F: Format>(raw: u64) -> (bool, Nat) {
    (raw & F::SIGN != 0, units::<F>(raw & !F::SIGN))
}

/// An exact sum of signed numbers in whatever unit; `None` for zero.
fn signed_sum(x: (bool, Nat), y: (bool, Nat)) -> Option<(bool, Nat)> {
    if x.0 == y.0 {
        return Some((x.0, x.1.add(&y.1))).filter(|s| !s.1 .0.is_empty());
    }
    match x.1.cmp(&y.1) {
        Ordering::Equal => None,
        Ordering::Greater => Some((x.0, x.1.sub(&y.1))),
        Ordering::Less => Some((y.0, y.1.sub(&x.1))),
    }
}

/// Place of `a × b + c`, all finite; `None` if it is exactly zero.
pub fn mul_add<F: Format>(a: u64, b: u64, c: u64) -> Option<Place> {
    let ((a_negative, a), (b_negative, b), (c_negative, c)) =
        (signed::<F>(a), signed::<F>(b), signed::<F>(c));
    let scaled = (c_negative, c.shl(unit::<F>()));
    let (negative, sum) = signed_sum((a_negative != b_negative, a.mul(&b)), scaled)?;
    Some(Place::find::<F>(negative, |candidate| candidate.shl(unit::<F>()).cmp(&sum)))
}

/// Place of `a + b`, both finite; `None` if it is exactly zero.
pub fn add<F: Format>(a: u64, b: u64) -> Option<Place> {
    let (negative, sum) = signed_sum(signed::<F>(a), signed::<F>(b))?;
    Some(Place::find::<F>(negative, |candidate| candidate.cmp(&sum)))
}

/// Place of `a / b`, both finite, `b` not zero; `None` if it is exactly zero.
pub fn div<F: Format>(a: u64, b: u64) -> Option<Place> {
    let ((a_negative, a), (b_negative, b)) = (signed::<F>(a), signed::<F>(b));
    let scaled = a.shl(unit::<F>());
    (!a.0.is_empty())
        .then(|| Place::find::<F>(a_negative != b_negative, |candidate| candidate.mul(&b).cmp(&scaled)))
}

/// Place of the square root of `a`, finite and positive.
pub fn sqrt<F: Format>(a: u64) -> Place {
    let scaled = signed::<F>(a).1.shl(unit::<F>());
    Place::find::<F>(false, |candidate| candidate.mul(candidate).cmp(&scaled))
}

/// Place in `D` of `a`, a finite number of the wider format `S`; `None` if it is zero.
pub fn convert<S: Format, D: Format>(a: u64) -> Option<Place> {
    let (negative, a) = signed::<S>(a);
    let scale = unit::<S>() - unit::<D>();
    (!a.0.is_empty()).then(|| Place::find::<D>(negative, |candidate| candidate.shl(scale).cmp(&a)))
}

/// Place in `F` of an integer other than zero.
pub fn from_integer<F: Format>(negative: bool, magnitude: u64) -> Place {
    let scaled = Nat::new(magnitude).shl(unit::<F>());
    Place::find::<F>(negative, |candidate| candidate.cmp(&scaled))
}
