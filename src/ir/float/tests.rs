//! Tests of the float module: random operands against the host's FPU and against [`reference`], the fast path
//! against the slow one, and vectors for every corner RISC-V defines.

use super::flags::{DZ, NV, NX, OF, UF};
use super::*;

const MODES: [Rounding; 5] = [
    Rounding::NearestEven,
    Rounding::TowardZero,
    Rounding::Down,
    Rounding::Up,
    Rounding::NearestMaxMagnitude,
];
const RNE: Rounding = Rounding::NearestEven;

/// A deterministic source of operands that are hard on rounding: Marsaglia's xorshift64* underneath.
struct Operands(u64);

impl Operands {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 32) % limit
    }

    /// A significand field: random, with long runs of zeros or ones, or with few bits set.
    fn fraction<F: Format>(&mut self) -> u64 {
        let (random, shift) = (self.next(), self.below(u64::from(F::FRACTION)));
        let field = match self.below(6) {
            0 | 1 => random,
            2 => random << shift,
            3 => !(random << shift),
            4 => random >> (shift + u64::from(64 - F::FRACTION)),
            _ => (1 << shift) | (self.next() & 1),
        };
        field & (F::MIN_NORMAL - 1)
    }

    /// Any bits of `F`, special values and limits included.
    fn any<F: Format>(&mut self) -> u64 {
        let sign = if self.next() & 1 == 0 { 0 } else { F::SIGN };
        let last = F::INFINITY >> F::FRACTION;
        let field = match self.below(10) {
            0 => 0,
            1 => self.below(4),
            2 => last - self.below(4),
            3..=6 => (F::BIAS as u64 + self.below(64)) - 32,
            _ => self.below(last + 1),
        };
        sign | (field << F::FRACTION) | self.fraction::<F>()
    }

    /// Finite bits whose exponent field is about `field`.
    fn about<F: Format>(&mut self, field: i64, spread: u64) -> u64 {
        let last = (F::INFINITY >> F::FRACTION) as i64 - 1;
        let field = (field + self.below(2 * spread + 1) as i64 - spread as i64).clamp(0, last);
        let sign = if self.next() & 1 == 0 { 0 } else { F::SIGN };
        sign | ((field as u64) << F::FRACTION) | self.fraction::<F>()
    }

    /// Three finite operands. The exponents of the second and third are often such that sums cancel, products and
    /// quotients come close to the limits of the format, and the third is close to the product of the others.
    fn triple<F: Format>(&mut self) -> [u64; 3] {
        let exponent = |raw: u64| ((raw & !F::SIGN) >> F::FRACTION) as i64;
        let bias = i64::from(F::BIAS);
        let a = loop {
            let a = self.any::<F>();
            if finite::<F>(a) {
                break a;
            }
        };
        let b = match self.below(4) {
            0 => self.about::<F>(exponent(a), 2),
            1 => self.about::<F>(exponent(a), u64::from(F::PRECISION) + 3),
            2 => self.about::<F>(bias - exponent(a), 3),
            _ => self.about::<F>(2 * bias - exponent(a), u64::from(F::PRECISION) + 3),
        };
        let product = exponent(a) + exponent(b) - bias;
        let c = match self.below(4) {
            0 => self.about::<F>(product, 2),
            1 | 2 => self.about::<F>(product, 2 * u64::from(F::PRECISION) + 3),
            _ => self.about::<F>(bias, bias as u64),
        };
        [a, b, c]
    }
}

fn finite<F: Format>(raw: u64) -> bool {
    raw & !F::SIGN < F::INFINITY
}

fn bits<F: Format>(raw: u64) -> F::Bits {
    F::from_raw(raw)
}

/// Runs an operation with clear flags.
fn run<R>(operation: impl FnOnce(&mut u8) -> R) -> (R, u8) {
    let mut flags = 0;
    let result = operation(&mut flags);
    (result, flags)
}

/// A rounded operation of the module under test, over raw bits; the operands are the first one, two or three.
type Op = fn([u64; 3], Rounding, &mut u8) -> u64;

/// Name, public function and slow path of every rounded operation of `F`.
fn operations<F: Format>() -> [(&'static str, Op, Op); 5] {
    [
        (
            "add",
            |[a, b, _], rm, f| add::<F>(bits::<F>(a), bits::<F>(b), rm, f).into(),
            |[a, b, _], rm, f| arith::add_slow::<F>(a, b, rm, f),
        ),
        (
            "mul",
            |[a, b, _], rm, f| mul::<F>(bits::<F>(a), bits::<F>(b), rm, f).into(),
            |[a, b, _], rm, f| arith::mul_slow::<F>(a, b, rm, f),
        ),
        (
            "div",
            |[a, b, _], rm, f| div::<F>(bits::<F>(a), bits::<F>(b), rm, f).into(),
            |[a, b, _], rm, f| arith::div_slow::<F>(a, b, rm, f),
        ),
        (
            "sqrt",
            |[a, ..], rm, f| sqrt::<F>(bits::<F>(a), rm, f).into(),
            |[a, ..], rm, f| arith::sqrt_slow::<F>(a, rm, f),
        ),
        (
            "mul_add",
            |[a, b, c], rm, f| mul_add::<F>(bits::<F>(a), bits::<F>(b), bits::<F>(c), rm, f).into(),
            |operands, rm, f| fma::mul_add_slow::<F>(operands, rm, f),
        ),
    ]
}

/// What [`reference`] says; `None` if it has nothing to say about such operands.
fn expected<F: Format>(name: &str, [a, b, c]: [u64; 3], rm: Rounding) -> Option<(u64, u8)> {
    let zero = |x: bool, y: bool| if x && y || x != y && rm == Rounding::Down { F::SIGN } else { 0 };
    let negative = |raw: u64| raw & F::SIGN != 0;
    let product = negative(a) != negative(b);
    let is_zero = |raw: u64| raw & !F::SIGN == 0;
    let (place, exact_zero) = match name {
        "add" => (reference::add::<F>(a, b), zero(negative(a), negative(b))),
        "mul" => (reference::mul_add::<F>(a, b, 0), zero(product, product)),
        "div" if !is_zero(b) => (reference::div::<F>(a, b), zero(product, product)),
        "sqrt" if !negative(a) && !is_zero(a) => (Some(reference::sqrt::<F>(a)), 0),
        "mul_add" => (reference::mul_add::<F>(a, b, c), zero(product, negative(c))),
        _ => return None,
    };
    Some(place.map_or((exact_zero, 0), |place| place.round::<F>(rm)))
}

fn check_against_reference<F: Format>(seed: u64, count: u32) {
    let mut source = Operands(seed);
    for _ in 0..count {
        let operands = source.triple::<F>();
        for (name, public, _) in operations::<F>() {
            for rm in MODES {
                let Some(expected) = expected::<F>(name, operands, rm) else { continue };
                let actual = run(|f| public(operands, rm, f));
                assert_eq!(actual, expected, "{name} {operands:x?} {rm:?}");
            }
        }
    }
}

#[test]
fn f32_operations_match_reference_in_every_mode() {
    check_against_reference::<F32>(0x1234_5678_9abc_def1, 3000);
}

#[test]
fn f64_operations_match_reference_in_every_mode() {
    check_against_reference::<F64>(0x0fed_cba9_8765_4321, 1500);
}

#[test]
fn conversions_match_reference_in_every_mode() {
    let mut source = Operands(77);
    for _ in 0..2000 {
        let a = source.about::<F64>(1023, 160);
        let v = (source.next() >> source.below(64)).max(1);
        for rm in MODES {
            if let Some(place) = reference::convert::<F64, F32>(a) {
                let (result, flags) = run(|f| narrow(a, rm, f));
                assert_eq!((u64::from(result), flags), place.round::<F32>(rm), "{a:x} {rm:?}");
            }
            let single = run(|f| u64::from(from_u64::<F32>(v, rm, f)));
            assert_eq!(single, reference::from_integer::<F32>(false, v).round::<F32>(rm), "{v:x}");
            let v = v as i64;
            let double = run(|f| from_i64::<F64>(v, rm, f));
            let place = reference::from_integer::<F64>(v < 0, v.unsigned_abs());
            assert_eq!(double, place.round::<F64>(rm), "{v:x}");
        }
    }
}

/// The fast path may answer only what the slow path would, flags included, whether `NX` is set or not.
fn check_fast_path<F: Format>(seed: u64, count: u32) {
    let mut source = Operands(seed);
    for i in 0..count {
        let operands = match i % 2 {
            0 => source.triple::<F>(),
            _ => [source.any::<F>(), source.any::<F>(), source.any::<F>()],
        };
        for (name, public, slow) in operations::<F>() {
            for before in [0, NX, NX | OF] {
                let (mut public_flags, mut slow_flags) = (before, before);
                let result = public(operands, RNE, &mut public_flags);
                let expected = slow(operands, RNE, &mut slow_flags);
                assert_eq!((result, public_flags), (expected, slow_flags), "{name} {operands:x?} {before}");
            }
        }
    }
}

#[test]
fn fast_path_agrees_with_slow_path() {
    check_fast_path::<F32>(3, 100_000);
    check_fast_path::<F64>(4, 100_000);
}

/// There the host cannot tell a tiny result from one that is not, so it must not be asked even if `NX` is set.
#[test]
fn fast_path_declines_the_smallest_normal_number() {
    let (min, both) = (F64::MIN_NORMAL, NX | UF);
    let run = |operation: &dyn Fn(&mut u8) -> u64| {
        let mut flags = NX;
        (operation(&mut flags), flags)
    };
    assert_eq!(run(&|f| mul::<F64>(min, ONE - 1, RNE, f)), (min, both));
    assert_eq!(run(&|f| mul::<F64>(min + 1, ONE - 2, RNE, f)), (min, NX));
    assert_eq!(run(&|f| mul_add::<F64>(min, ONE - 1, MINUS, RNE, f)), (min, both));
    // (1 - 2^-26) × 2^-126 and (1 - 2^-25) × 2^-126, a tie: both round to the smallest normal single with 24 bits.
    // The double below the tie gets there only with the 23 bits that a subnormal has, so it is tiny.
    let single = |less: u64| ((1023 - 126) << 52) - less;
    let narrow = |a: u64| run(&|f| narrow(a, RNE, f).into());
    assert_eq!(narrow(single(1 << 27)), (F32::MIN_NORMAL, NX));
    assert_eq!(narrow(single(1 << 28)), (F32::MIN_NORMAL, NX));
    assert_eq!(narrow(single((1 << 28) + 1)), (F32::MIN_NORMAL, both));
}

#[test]
fn fast_conversions_agree_with_slow_path() {
    let mut source = Operands(5);
    for _ in 0..100_000 {
        let wide = if source.next() & 1 == 0 { source.any::<F64>() } else { source.about::<F64>(1055, 35) };
        let single = source.any::<F32>();
        let v = (source.next() as i64) >> source.below(64);
        for (before, rm) in [0, NX].into_iter().flat_map(|b| MODES.map(|rm| (b, rm))) {
            let both = |public: &dyn Fn(&mut u8) -> i128, slow: &dyn Fn(&mut u8) -> i128| {
                let (mut public_flags, mut slow_flags) = (before, before);
                let (result, expected) = (public(&mut public_flags), slow(&mut slow_flags));
                let context = format!("{wide:x} {single:x} {v:x} {rm:?} {before}");
                assert_eq!((result, public_flags), (expected, slow_flags), "{context}");
            };
            both(&|f| narrow(wide, rm, f).into(), &|f| convert::convert_slow::<F64, F32>(wide, rm, f).into());
            both(&|f| widen(single as u32, f).into(), &|f| {
                convert::convert_slow::<F32, F64>(single, rm, f).into()
            });
            both(&|f| from_i64::<F32>(v, rm, f).into(), &|f| {
                convert::from_integer_slow::<F32>(v < 0, v.unsigned_abs(), rm, f).into()
            });
            both(&|f| from_i64::<F64>(v, rm, f).into(), &|f| {
                convert::from_integer_slow::<F64>(v < 0, v.unsigned_abs(), rm, f).into()
            });
            both(&|f| to_i32::<F64>(wide, rm, f).into(), &|f| {
                convert::to_integer_slow::<F64>(wide, rm, f, i32::MIN.into(), i32::MAX.into())
            });
            both(&|f| to_u64::<F64>(wide, rm, f).into(), &|f| {
                convert::to_integer_slow::<F64>(wide, rm, f, 0, u64::MAX.into())
            });
            both(&|f| to_i64::<F32>(single as u32, rm, f).into(), &|f| {
                convert::to_integer_slow::<F32>(single, rm, f, i64::MIN.into(), i64::MAX.into())
            });
        }
    }
}

/// The slow path against the host's FPU, NaN payloads aside.
fn check_host<F: Format>(seed: u64, count: u32, host: fn(&str, [u64; 3]) -> u64) {
    let mut source = Operands(seed);
    for i in 0..count {
        let operands = match i % 3 {
            0 => [source.any::<F>(), source.any::<F>(), source.any::<F>()],
            1 => [source.next(), source.next(), source.next()].map(|x| x & (F::SIGN | (F::SIGN - 1))),
            _ => source.triple::<F>(),
        };
        for (name, _, slow) in operations::<F>() {
            let expected = host(name, operands);
            let expected = if expected & !F::SIGN > F::INFINITY { F::NAN } else { expected };
            assert_eq!(run(|f| slow(operands, RNE, f)).0, expected, "{name} {operands:x?}");
        }
    }
}

#[test]
fn slow_path_matches_host_fpu() {
    check_host::<F32>(6, 200_000, |name, operands| {
        let [a, b, c] = operands.map(|x| f32::from_bits(x as u32));
        let result = match name {
            "add" => a + b,
            "mul" => a * b,
            "div" => a / b,
            "sqrt" => a.sqrt(),
            _ => a.mul_add(b, c),
        };
        result.to_bits().into()
    });
    check_host::<F64>(7, 200_000, |name, operands| {
        let [a, b, c] = operands.map(f64::from_bits);
        let result = match name {
            "add" => a + b,
            "mul" => a * b,
            "div" => a / b,
            "sqrt" => a.sqrt(),
            _ => a.mul_add(b, c),
        };
        result.to_bits()
    });
}

#[test]
fn comparisons_match_host_fpu() {
    let mut source = Operands(8);
    for i in 0..200_000 {
        let a = source.any::<F64>();
        let b = match i % 4 {
            0 => a,
            1 => a ^ F64::SIGN,
            2 => a ^ 1,
            _ => source.any::<F64>(),
        };
        let (x, y) = (f64::from_bits(a), f64::from_bits(b));
        let nan = x.is_nan() || y.is_nan();
        let signalling = round::is_signalling::<F64>(a) || round::is_signalling::<F64>(b);
        let (quiet, loud) = (if signalling { NV } else { 0 }, if nan { NV } else { 0 });
        assert_eq!(run(|f| eq::<F64>(a, b, f)), (x == y, quiet));
        assert_eq!(run(|f| lt::<F64>(a, b, f)), (x < y, loud));
        assert_eq!(run(|f| le::<F64>(a, b, f)), (x <= y, loud));
        if !nan && x != y {
            assert_eq!(run(|f| min::<F64>(a, b, f)), (x.min(y).to_bits(), 0));
            assert_eq!(run(|f| max::<F64>(a, b, f)), (x.max(y).to_bits(), 0));
        }
    }
}

const INF: u64 = F64::INFINITY;
const MAX: u64 = F64::INFINITY - 1;
const QUIET: u64 = F64::NAN | F64::SIGN | 5;
const SIGNALLING: u64 = F64::INFINITY | 1;
const MINUS: u64 = F64::SIGN;
const ONE: u64 = 0x3ff0_0000_0000_0000;

#[test]
fn rounding_encodings() {
    assert_eq!(MODES.map(|rm| Rounding::from_bits(rm as u8)), MODES.map(Some));
    assert!((5..=255).all(|b| Rounding::from_bits(b).is_none()));
}

#[test]
fn overflow_in_every_mode() {
    let both = OF | NX;
    // In the order of MODES: the result of doubling the largest number, and of doubling its negative.
    let up = [INF, MAX, MAX, INF, INF];
    let down = [INF, MAX, INF, MAX, INF];
    for (i, rm) in MODES.into_iter().enumerate() {
        assert_eq!(run(|f| add::<F64>(MAX, MAX, rm, f)), (up[i], both));
        assert_eq!(run(|f| add::<F64>(MINUS | MAX, MINUS | MAX, rm, f)), (MINUS | down[i], both));
    }
    // Just beyond the largest number: only modes that round away overflow.
    let half_unit = (0x7fe - 53) << 52;
    assert_eq!(run(|f| add::<F64>(MAX, half_unit - 1, RNE, f)), (MAX, NX));
    assert_eq!(run(|f| add::<F64>(MAX, half_unit, RNE, f)), (INF, both));
    assert_eq!(run(|f| add::<F64>(MAX, half_unit, Rounding::TowardZero, f)), (MAX, NX));
    assert_eq!(run(|f| add::<F64>(MAX, 1, Rounding::Up, f)), (INF, both));
    assert_eq!(run(|f| add::<F64>(MAX, 1, Rounding::Down, f)), (MAX, NX));
}

#[test]
fn tininess_is_detected_after_rounding() {
    let min = F64::MIN_NORMAL;
    // (1 - 2^-53) × 2^-1022 fits 53 bits, so it is tiny although it rounds up to the smallest normal number.
    assert_eq!(run(|f| mul::<F64>(min, ONE - 1, RNE, f)), (min, NX | UF));
    assert_eq!(run(|f| mul_add::<F64>(min, ONE - 1, MINUS, RNE, f)), (min, NX | UF));
    // (1 + 2^-52)(1 - 2^-52) = 1 - 2^-104: with 53 bits that is one, so the product is not tiny.
    assert_eq!(run(|f| mul::<F64>(min + 1, ONE - 2, RNE, f)), (min, NX));
    assert_eq!(run(|f| mul::<F64>(min + 1, ONE - 2, Rounding::TowardZero, f)), (min - 1, NX | UF));
    assert_eq!(run(|f| mul::<F64>(min + 1, ONE - 2, Rounding::Up, f)), (min, NX));
    // Exact subnormal results do not underflow; half of the smallest number does.
    assert_eq!(run(|f| mul::<F64>(1 << 20, 0x3fe0_0000_0000_0000, RNE, f)), (1 << 19, 0));
    assert_eq!(run(|f| mul::<F64>(1, 0x3fe0_0000_0000_0000, RNE, f)), (0, NX | UF));
    assert_eq!(run(|f| mul::<F64>(1, 0x3fe0_0000_0000_0000, Rounding::Up, f)), (1, NX | UF));
    let away = Rounding::NearestMaxMagnitude;
    assert_eq!(run(|f| mul::<F64>(1, 0x3fe0_0000_0000_0000, away, f)), (1, NX | UF));
    assert_eq!(run(|f| div::<F64>(min, ONE + 1, RNE, f)), (min - 1, NX | UF));
}

#[test]
fn invalid_operations() {
    let nan = (F64::NAN, NV);
    assert_eq!(run(|f| sub::<F64>(INF, INF, RNE, f)), nan);
    assert_eq!(run(|f| mul::<F64>(INF, MINUS, RNE, f)), nan);
    assert_eq!(run(|f| div::<F64>(0, MINUS, RNE, f)), nan);
    assert_eq!(run(|f| div::<F64>(INF, INF, RNE, f)), nan);
    assert_eq!(run(|f| sqrt::<F64>(MINUS | ONE, RNE, f)), nan);
    assert_eq!(run(|f| add::<F64>(SIGNALLING, ONE, RNE, f)), nan);
    assert_eq!(run(|f| add::<F64>(QUIET, ONE, RNE, f)), (F64::NAN, 0));
    assert_eq!(run(|f| sub::<F64>(ONE, QUIET, RNE, f)), (F64::NAN, 0));
    assert_eq!(run(|f| sqrt::<F64>(QUIET, RNE, f)), (F64::NAN, 0));
    assert_eq!(run(|f| mul_add::<F64>(INF, 0, QUIET, RNE, f)), nan);
    assert_eq!(run(|f| mul_add::<F64>(INF, 0, ONE, RNE, f)), nan);
    assert_eq!(run(|f| mul_add::<F64>(INF, ONE, MINUS | INF, RNE, f)), nan);
    assert_eq!(run(|f| mul_add::<F64>(QUIET, 0, INF, RNE, f)), (F64::NAN, 0));
    assert_eq!(run(|f| narrow(QUIET, RNE, f)), (0x7fc0_0000, 0));
    assert_eq!(run(|f| narrow(SIGNALLING, RNE, f)), (0x7fc0_0000, NV));
    assert_eq!(run(|f| widen(0xff80_0001, f)), nan);
}

#[test]
fn zeros_and_infinities() {
    assert_eq!(run(|f| div::<F64>(ONE, MINUS, RNE, f)), (MINUS | INF, DZ));
    assert_eq!(run(|f| div::<F64>(INF, 0, RNE, f)), (INF, 0));
    assert_eq!(run(|f| div::<F64>(ONE, MINUS | INF, RNE, f)), (MINUS, 0));
    assert_eq!(run(|f| sqrt::<F64>(MINUS, RNE, f)), (MINUS, 0));
    for rm in MODES {
        let cancelled = if rm == Rounding::Down { MINUS } else { 0 };
        assert_eq!(run(|f| sub::<F64>(ONE, ONE, rm, f)), (cancelled, 0));
        assert_eq!(run(|f| add::<F64>(MINUS, 0, rm, f)), (cancelled, 0));
        assert_eq!(run(|f| add::<F64>(MINUS, MINUS, rm, f)), (MINUS, 0));
        assert_eq!(run(|f| mul_add::<F64>(ONE, ONE, MINUS | ONE, rm, f)), (cancelled, 0));
        assert_eq!(run(|f| mul_add::<F64>(MINUS, ONE, MINUS, rm, f)), (MINUS, 0));
    }
}

#[test]
fn fused_cancellation_keeps_the_rounding_error() {
    let x = ONE + 1;
    let square = run(|f| mul::<F64>(x, x, RNE, f)).0;
    // (1 + 2^-52)² - (1 + 2^-51) = 2^-104
    let error = run(|f| mul_add::<F64>(x, x, MINUS | square, RNE, f));
    assert_eq!(error, ((1023 - 104) << 52, 0));
}

#[test]
fn integer_conversions_saturate() {
    let of = |x: f64| x.to_bits();
    let two_63 = (1u64 << 63) as f64;
    let rtz = Rounding::TowardZero;
    for nan in [QUIET, SIGNALLING] {
        assert_eq!(run(|f| to_i32::<F64>(nan, rtz, f)), (i32::MAX, NV));
        assert_eq!(run(|f| to_u32::<F64>(nan, rtz, f)), (u32::MAX, NV));
        assert_eq!(run(|f| to_i64::<F64>(nan, rtz, f)), (i64::MAX, NV));
        assert_eq!(run(|f| to_u64::<F64>(nan, rtz, f)), (u64::MAX, NV));
    }
    assert_eq!(run(|f| to_i64::<F64>(MINUS | INF, rtz, f)), (i64::MIN, NV));
    assert_eq!(run(|f| to_u64::<F64>(MINUS | INF, rtz, f)), (0, NV));
    assert_eq!(run(|f| to_u64::<F64>(INF, rtz, f)), (u64::MAX, NV));
    assert_eq!(run(|f| to_i64::<F64>(of(-two_63), rtz, f)), (i64::MIN, 0));
    assert_eq!(run(|f| to_i64::<F64>(of(two_63), rtz, f)), (i64::MAX, NV));
    assert_eq!(run(|f| to_u64::<F64>(of(two_63), rtz, f)), (1 << 63, 0));
    assert_eq!(run(|f| to_u64::<F64>(of(2.0 * two_63), rtz, f)), (u64::MAX, NV));
    assert_eq!(run(|f| to_i32::<F64>(of(2147483647.5), rtz, f)), (i32::MAX, NX));
    assert_eq!(run(|f| to_i32::<F64>(of(2147483647.5), RNE, f)), (i32::MAX, NV));
    assert_eq!(run(|f| to_i32::<F64>(of(-2147483648.5), RNE, f)), (i32::MIN, NX));
    assert_eq!(run(|f| to_i32::<F64>(of(-2147483648.5), Rounding::Down, f)), (i32::MIN, NV));
    assert_eq!(run(|f| to_u32::<F64>(of(-0.5), rtz, f)), (0, NX));
    assert_eq!(run(|f| to_u32::<F64>(of(-0.5), Rounding::Down, f)), (0, NV));
    assert_eq!(run(|f| to_u32::<F64>(of(-0.5), RNE, f)), (0, NX));
    assert_eq!(run(|f| to_u32::<F64>(of(-0.5), Rounding::NearestMaxMagnitude, f)), (0, NV));
    assert_eq!(run(|f| to_u32::<F64>(of(-1.0), rtz, f)), (0, NV));
    assert_eq!(run(|f| to_i32::<F64>(of(2.5), RNE, f)), (2, NX));
    assert_eq!(run(|f| to_i32::<F64>(of(2.5), Rounding::NearestMaxMagnitude, f)), (3, NX));
    assert_eq!(run(|f| to_i32::<F64>(1, Rounding::Up, f)), (1, NX));
    assert_eq!(run(|f| to_i32::<F64>(MINUS, RNE, f)), (0, 0));
    assert_eq!(run(|f| from_u32::<F32>(u32::MAX, RNE, f)), (0x4f80_0000, NX));
    assert_eq!(run(|f| from_i32::<F32>(i32::MIN, RNE, f)), (0xcf00_0000, 0));
    assert_eq!(run(|f| from_u64::<F64>(u64::MAX, rtz, f)), (of(18446744073709549568.0), NX));
    assert_eq!(run(|f| from_i64::<F64>(0, Rounding::Down, f)), (0, 0));
}

#[test]
fn every_class() {
    let positive = [0, 1, F64::MIN_NORMAL, INF];
    for (distance, magnitude) in positive.into_iter().enumerate() {
        assert_eq!(classify::<F64>(magnitude), 1 << (4 + distance));
        assert_eq!(classify::<F64>(MINUS | magnitude), 1 << (3 - distance));
    }
    assert_eq!(classify::<F64>(MAX), 1 << 6);
    assert_eq!(classify::<F32>(0x007f_ffff), 1 << 5);
    assert_eq!(classify::<F64>(SIGNALLING), 1 << 8);
    assert_eq!(classify::<F64>(QUIET), 1 << 9);
}

#[test]
fn minimum_and_maximum() {
    assert_eq!(run(|f| min::<F64>(0, MINUS, f)), (MINUS, 0));
    assert_eq!(run(|f| max::<F64>(MINUS, 0, f)), (0, 0));
    assert_eq!(run(|f| min::<F64>(QUIET, ONE, f)), (ONE, 0));
    assert_eq!(run(|f| max::<F64>(ONE, SIGNALLING, f)), (ONE, NV));
    assert_eq!(run(|f| min::<F64>(QUIET, QUIET, f)), (F64::NAN, 0));
    assert_eq!(run(|f| max::<F64>(QUIET, SIGNALLING, f)), (F64::NAN, NV));
    assert_eq!(run(|f| lt::<F64>(MINUS, 0, f)), (false, 0));
    assert_eq!(run(|f| le::<F64>(0, MINUS, f)), (true, 0));
}

#[test]
fn signs_and_boxes() {
    assert_eq!(sgnj::<F64>(ONE, QUIET), MINUS | ONE);
    assert_eq!(sgnjn::<F64>(QUIET, QUIET), QUIET & !MINUS);
    assert_eq!(sgnjx::<F32>(0x8000_0001, 0xffff_ffff), 1);
    assert_eq!(unbox32(box32(0x3f80_0000)), 0x3f80_0000);
    assert_eq!(unbox32(0xffff_fffe_3f80_0000), 0x7fc0_0000);
    assert!(is_nan::<F32>(0xffc0_0001) && !is_nan::<F32>(0xff80_0000));
}
