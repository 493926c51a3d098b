//! What each operation computes, written once. The interpreter, the constant folder, helper calls of generated code
//! and the tests all call these functions; there is no second definition.
//!
//! Integer functions take and return 64-bit values; a signed reading is a cast at the place that needs it.
//! Floating-point functions take registers as they are (NaN-boxed), a resolved rounding mode and the accrued flags.

use crate::ir::float::{self, Rounding, F32, F64};

/// Sign-extends the low 32 bits.
#[inline(always)]
pub fn sextw(a: u64) -> u64 {
    i64::from(a as i32).cast_unsigned()
}

/// The low 32 bits.
#[inline(always)]
fn low(a: u64) -> u32 {
    a as u32
}

/// A 32-bit result as a register value.
#[inline(always)]
fn wide(a: u32) -> u64 {
    i64::from(a.cast_signed()).cast_unsigned()
}

/// Functions of one operand.
macro_rules! unary {
    ($($name:ident = |$a:ident| $body:expr;)*) => { $(
        #[inline(always)]
        pub fn $name($a: u64) -> u64 { $body }
    )* };
}

/// Functions of two operands.
macro_rules! binary {
    ($($name:ident = |$a:ident, $b:ident| $body:expr;)*) => { $(
        #[inline(always)]
        pub fn $name($a: u64, $b: u64) -> u64 { $body }
    )* };
}

unary! {
    identity = |a| a;
    clz = |a| u64::from(a.leading_zeros());
    ctz = |a| u64::from(a.trailing_zeros());
    popcnt = |a| u64::from(a.count_ones());
    clzw = |a| u64::from(low(a).leading_zeros());
    ctzw = |a| u64::from(low(a).trailing_zeros());
    popcntw = |a| u64::from(low(a).count_ones());
    sextb = |a| i64::from(a as i8).cast_unsigned();
    sexth = |a| i64::from(a as i16).cast_unsigned();
    zexth = |a| a & 0xffff;
    bswap = |a| a.swap_bytes();
    orbytes = |a| u64::from_le_bytes(a.to_le_bytes().map(|byte| if byte == 0 { 0 } else { 0xff }));
    box_f32 = |a| float::box32(low(a));
    class_f32 = |a| float::classify::<F32>(float::unbox32(a));
    class_f64 = |a| float::classify::<F64>(a);
}

binary! {
    second = |_a, b| b;
    add = |a, b| a.wrapping_add(b);
    sub = |a, b| a.wrapping_sub(b);
    and = |a, b| a & b;
    or = |a, b| a | b;
    xor = |a, b| a ^ b;
    andnot = |a, b| a & !b;
    ornot = |a, b| a | !b;
    xornot = |a, b| a ^ !b;
    shl = |a, b| a.wrapping_shl(low(b));
    shr = |a, b| a.wrapping_shr(low(b));
    sar = |a, b| a.cast_signed().wrapping_shr(low(b)).cast_unsigned();
    rotl = |a, b| a.rotate_left(low(b) & 63);
    rotr = |a, b| a.rotate_right(low(b) & 63);
    addw = |a, b| wide(low(a).wrapping_add(low(b)));
    subw = |a, b| wide(low(a).wrapping_sub(low(b)));
    shlw = |a, b| wide(low(a).wrapping_shl(low(b)));
    shrw = |a, b| wide(low(a).wrapping_shr(low(b)));
    sarw = |a, b| i64::from(low(a).cast_signed().wrapping_shr(low(b))).cast_unsigned();
    rotlw = |a, b| wide(low(a).rotate_left(low(b) & 31));
    rotrw = |a, b| wide(low(a).rotate_right(low(b) & 31));
    setlt = |a, b| u64::from(a.cast_signed() < b.cast_signed());
    setltu = |a, b| u64::from(a < b);
    min = |a, b| a.cast_signed().min(b.cast_signed()).cast_unsigned();
    minu = |a, b| a.min(b);
    max = |a, b| a.cast_signed().max(b.cast_signed()).cast_unsigned();
    maxu = |a, b| a.max(b);
    shladd1 = |a, b| (a << 1).wrapping_add(b);
    shladd2 = |a, b| (a << 2).wrapping_add(b);
    shladd3 = |a, b| (a << 3).wrapping_add(b);
    adduw = |a, b| u64::from(low(a)).wrapping_add(b);
    shladd1uw = |a, b| (u64::from(low(a)) << 1).wrapping_add(b);
    shladd2uw = |a, b| (u64::from(low(a)) << 2).wrapping_add(b);
    shladd3uw = |a, b| (u64::from(low(a)) << 3).wrapping_add(b);
    shluw = |a, b| u64::from(low(a)).wrapping_shl(low(b));
    bitclr = |a, b| a & !1u64.wrapping_shl(low(b));
    bitext = |a, b| a.wrapping_shr(low(b)) & 1;
    bitinv = |a, b| a ^ 1u64.wrapping_shl(low(b));
    bitset = |a, b| a | 1u64.wrapping_shl(low(b));
    zeroeqz = |a, b| if b == 0 { 0 } else { a };
    zeronez = |a, b| if b == 0 { a } else { 0 };
    mul = |a, b| a.wrapping_mul(b);
    mulw = |a, b| wide(low(a).wrapping_mul(low(b)));
    mulh = |a, b| high(i128::from(a.cast_signed()) * i128::from(b.cast_signed()));
    mulhu = |a, b| ((u128::from(a) * u128::from(b)) >> 64) as u64;
    mulhsu = |a, b| high(i128::from(a.cast_signed()).wrapping_mul(i128::from(b)));
    // Division by zero and overflow as RISC-V Unpriv. M, table "Semantics for division by zero and division overflow".
    div = |a, b| if b == 0 { u64::MAX } else { a.cast_signed().wrapping_div(b.cast_signed()).cast_unsigned() };
    divu = |a, b| a.checked_div(b).unwrap_or(u64::MAX);
    rem = |a, b| if b == 0 { a } else { a.cast_signed().wrapping_rem(b.cast_signed()).cast_unsigned() };
    remu = |a, b| a.checked_rem(b).unwrap_or(a);
    divw = |a, b| match (low(a).cast_signed(), low(b).cast_signed()) {
        (_, 0) => u64::MAX,
        (a, b) => wide(a.wrapping_div(b).cast_unsigned()),
    };
    divuw = |a, b| wide(low(a).checked_div(low(b)).unwrap_or(u32::MAX));
    remw = |a, b| match (low(a).cast_signed(), low(b).cast_signed()) {
        (a, 0) => wide(a.cast_unsigned()),
        (a, b) => wide(a.wrapping_rem(b).cast_unsigned()),
    };
    remuw = |a, b| wide(low(a).checked_rem(low(b)).unwrap_or(low(a)));
    sgnj_f32 = |a, b| float::box32(float::sgnj::<F32>(float::unbox32(a), float::unbox32(b)));
    sgnjn_f32 = |a, b| float::box32(float::sgnjn::<F32>(float::unbox32(a), float::unbox32(b)));
    sgnjx_f32 = |a, b| float::box32(float::sgnjx::<F32>(float::unbox32(a), float::unbox32(b)));
    sgnj_f64 = |a, b| float::sgnj::<F64>(a, b);
    sgnjn_f64 = |a, b| float::sgnjn::<F64>(a, b);
    sgnjx_f64 = |a, b| float::sgnjx::<F64>(a, b);
}

/// Bits 64-127 of a product.
#[inline(always)]
fn high(product: i128) -> u64 {
    (product >> 64) as u64
}

/// Floating-point functions: operands, rounding mode, accrued flags.
macro_rules! float_fns {
    ($($name:ident = |$($a:ident),*; $rm:ident, $flags:ident| $body:expr;)*) => { $(
        #[inline(always)]
        pub fn $name($($a: u64,)* $rm: Rounding, $flags: &mut u8) -> u64 { $body }
    )* };
}

/// Negates a binary32 or binary64 operand by its sign bit; a NaN stays a NaN, whose sign nobody can see after an
/// arithmetic operation.
#[inline(always)]
fn neg32(a: u32) -> u32 {
    a ^ 1 << 31
}
#[inline(always)]
fn neg64(a: u64) -> u64 {
    a ^ 1 << 63
}

float_fns! {
    sqrt_f32 = |a; rm, flags| float::box32(float::sqrt::<F32>(float::unbox32(a), rm, flags));
    sqrt_f64 = |a; rm, flags| float::sqrt::<F64>(a, rm, flags);
    f64_to_f32 = |a; rm, flags| float::box32(float::narrow(a, rm, flags));
    f32_to_f64 = |a; _rm, flags| float::widen(float::unbox32(a), flags);
    f32_to_i32 = |a; rm, flags| wide(float::to_i32::<F32>(float::unbox32(a), rm, flags).cast_unsigned());
    f32_to_u32 = |a; rm, flags| wide(float::to_u32::<F32>(float::unbox32(a), rm, flags));
    f32_to_i64 = |a; rm, flags| float::to_i64::<F32>(float::unbox32(a), rm, flags).cast_unsigned();
    f32_to_u64 = |a; rm, flags| float::to_u64::<F32>(float::unbox32(a), rm, flags);
    f64_to_i32 = |a; rm, flags| wide(float::to_i32::<F64>(a, rm, flags).cast_unsigned());
    f64_to_u32 = |a; rm, flags| wide(float::to_u32::<F64>(a, rm, flags));
    f64_to_i64 = |a; rm, flags| float::to_i64::<F64>(a, rm, flags).cast_unsigned();
    f64_to_u64 = |a; rm, flags| float::to_u64::<F64>(a, rm, flags);
    i32_to_f32 = |a; rm, flags| float::box32(float::from_i32::<F32>(low(a).cast_signed(), rm, flags));
    u32_to_f32 = |a; rm, flags| float::box32(float::from_u32::<F32>(low(a), rm, flags));
    i64_to_f32 = |a; rm, flags| float::box32(float::from_i64::<F32>(a.cast_signed(), rm, flags));
    u64_to_f32 = |a; rm, flags| float::box32(float::from_u64::<F32>(a, rm, flags));
    i32_to_f64 = |a; rm, flags| float::from_i32::<F64>(low(a).cast_signed(), rm, flags);
    u32_to_f64 = |a; rm, flags| float::from_u32::<F64>(low(a), rm, flags);
    i64_to_f64 = |a; rm, flags| float::from_i64::<F64>(a.cast_signed(), rm, flags);
    u64_to_f64 = |a; rm, flags| float::from_u64::<F64>(a, rm, flags);
    add_f32 = |a, b; rm, flags| float::box32(float::add::<F32>(float::unbox32(a), float::unbox32(b), rm, flags));
    sub_f32 = |a, b; rm, flags| float::box32(float::sub::<F32>(float::unbox32(a), float::unbox32(b), rm, flags));
    mul_f32 = |a, b; rm, flags| float::box32(float::mul::<F32>(float::unbox32(a), float::unbox32(b), rm, flags));
    div_f32 = |a, b; rm, flags| float::box32(float::div::<F32>(float::unbox32(a), float::unbox32(b), rm, flags));
    add_f64 = |a, b; rm, flags| float::add::<F64>(a, b, rm, flags);
    sub_f64 = |a, b; rm, flags| float::sub::<F64>(a, b, rm, flags);
    mul_f64 = |a, b; rm, flags| float::mul::<F64>(a, b, rm, flags);
    div_f64 = |a, b; rm, flags| float::div::<F64>(a, b, rm, flags);
    muladd_f32 = |a, b, c; rm, flags| fused32(float::unbox32(a), b, float::unbox32(c), rm, flags);
    mulsub_f32 = |a, b, c; rm, flags| fused32(float::unbox32(a), b, neg32(float::unbox32(c)), rm, flags);
    nmulsub_f32 = |a, b, c; rm, flags| fused32(neg32(float::unbox32(a)), b, float::unbox32(c), rm, flags);
    nmuladd_f32 = |a, b, c; rm, flags| fused32(neg32(float::unbox32(a)), b, neg32(float::unbox32(c)), rm, flags);
    muladd_f64 = |a, b, c; rm, flags| float::mul_add::<F64>(a, b, c, rm, flags);
    mulsub_f64 = |a, b, c; rm, flags| float::mul_add::<F64>(a, b, neg64(c), rm, flags);
    nmulsub_f64 = |a, b, c; rm, flags| float::mul_add::<F64>(neg64(a), b, c, rm, flags);
    nmuladd_f64 = |a, b, c; rm, flags| float::mul_add::<F64>(neg64(a), b, neg64(c), rm, flags);
}

/// The binary32 fused multiply-add behind the four sign variants.
#[inline(always)]
fn fused32(a: u32, b: u64, c: u32, rm: Rounding, flags: &mut u8) -> u64 {
    float::box32(float::mul_add::<F32>(a, float::unbox32(b), c, rm, flags))
}

/// Floating-point functions without a rounding mode: operands and accrued flags.
macro_rules! compare_fns {
    ($($name:ident = |$a:ident, $b:ident, $flags:ident| $body:expr;)*) => { $(
        #[inline(always)]
        pub fn $name($a: u64, $b: u64, $flags: &mut u8) -> u64 { $body }
    )* };
}

compare_fns! {
    min_f32 = |a, b, flags| float::box32(float::min::<F32>(float::unbox32(a), float::unbox32(b), flags));
    max_f32 = |a, b, flags| float::box32(float::max::<F32>(float::unbox32(a), float::unbox32(b), flags));
    eq_f32 = |a, b, flags| u64::from(float::eq::<F32>(float::unbox32(a), float::unbox32(b), flags));
    lt_f32 = |a, b, flags| u64::from(float::lt::<F32>(float::unbox32(a), float::unbox32(b), flags));
    le_f32 = |a, b, flags| u64::from(float::le::<F32>(float::unbox32(a), float::unbox32(b), flags));
    min_f64 = |a, b, flags| float::min::<F64>(a, b, flags);
    max_f64 = |a, b, flags| float::max::<F64>(a, b, flags);
    eq_f64 = |a, b, flags| u64::from(float::eq::<F64>(a, b, flags));
    lt_f64 = |a, b, flags| u64::from(float::lt::<F64>(a, b, flags));
    le_f64 = |a, b, flags| u64::from(float::le::<F64>(a, b, flags));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_has_its_corner_cases() {
        let min = i64::MIN.cast_unsigned();
        assert_eq!(div(min, u64::MAX), min);
        assert_eq!(rem(min, u64::MAX), 0);
        assert_eq!((div(7, 0), rem(7, 0)), (u64::MAX, 7));
        assert_eq!((divu(7, 0), remu(7, 0)), (u64::MAX, 7));
        assert_eq!((divw(0x8000_0000, u64::MAX), remw(0x8000_0000, u64::MAX)), (0xffff_ffff_8000_0000, 0));
        assert_eq!((divuw(5, 1 << 32), remuw(0xffff_ffff, 1 << 32)), (u64::MAX, u64::MAX));
    }

    #[test]
    fn high_products() {
        assert_eq!(mulh(u64::MAX, u64::MAX), 0);
        assert_eq!(mulhu(u64::MAX, u64::MAX), u64::MAX - 1);
        assert_eq!(mulhsu(u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(mulhsu(1 << 63, u64::MAX), 0x8000_0000_0000_0000);
    }
}
