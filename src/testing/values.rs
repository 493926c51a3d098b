//! Operands that have broken arithmetic before: boundaries of every width, and all kinds of floating-point numbers.

use super::rng::Rng;

/// Boundaries of 8, 12, 16, 31, 32, 52, 53, 63 and 64 bits, both signs, and what lies beside them.
pub fn integers() -> Vec<u64> {
    let mut values = vec![0, 1, 2, 3, 5, 10, 100, 0x5555_5555_5555_5555, 0x0123_4567_89ab_cdef];
    for bits in [7, 8, 11, 12, 15, 16, 24, 31, 32, 33, 52, 53, 54, 62, 63] {
        let power = 1u64 << bits;
        values.extend([power - 1, power, power + 1]);
    }
    // Dirty upper halves: what operations on 32 bits must ignore.
    values.extend([
        0x1234_5678_7fff_ffff,
        0xdead_beef_8000_0000,
        0x0000_0001_ffff_ffff,
        0xffff_ffff_0000_0000,
    ]);
    // Ties of conversions to binary32 and binary64.
    values.extend([
        0x0100_0001,
        0x0100_0003,
        0x0020_0000_0000_0003,
        0x7fff_ff40_0000_0000,
        0x7fff_ffff_ffff_fe00,
    ]);
    let negated: Vec<u64> = values.iter().map(|v| v.wrapping_neg()).collect();
    values.extend(negated);
    values.sort_unstable();
    values.dedup();
    values
}

/// Bits of binary32 numbers; the negative ones are made from them.
#[rustfmt::skip] // a few to a line
static SINGLES: [u32; 46] = [
    // 0; the smallest, a middle and the largest subnormal; around the smallest normal number.
    0x0000_0000, 0x0000_0001, 0x0000_0002, 0x0040_0000, 0x007f_ffff, 0x0080_0000, 0x0080_0001, 0x00ff_ffff,
    // Roots of the smallest and largest numbers: products that underflow and overflow.
    0x1a00_0000, 0x2000_0000, 0x1fb5_04f3, 0x5f35_04f3, 0x6000_0000, 0x7e80_0000, 0x7f00_0000,
    // Around 1, its neighbours' distances, small fractions and halves.
    0x3380_0000, 0x3400_0000, 0x3dcc_cccd, 0x3eff_ffff, 0x3f00_0000, 0x3f00_0001, 0x3f7f_ffff, 0x3f80_0000,
    0x3f80_0001, 0x3fc0_0000, 0x4000_0000, 0x4020_0000, 0x4040_0000, 0x4060_0000,
    // Around 2^23, 2^31, 2^32, 2^63 and 2^64: where conversions to integers round and saturate.
    0x4b00_0000, 0x4b00_0001, 0x4b7f_ffff, 0x4eff_ffff, 0x4f00_0000, 0x4f00_0001, 0x4f7f_ffff, 0x4f80_0000,
    0x5eff_ffff, 0x5f00_0000, 0x5f7f_ffff, 0x5f80_0000,
    // The largest number, infinity, NaNs: quiet, quiet with payload, signalling.
    0x7f7f_ffff, 0x7f80_0000, 0x7fc0_0000, 0x7fc1_2345, 0x7f80_0001,
];

/// Bits of binary64 numbers; the negative ones are made from them.
#[rustfmt::skip] // a few to a line
static DOUBLES: [u64; 58] = [
    // 0; the smallest, a middle and the largest subnormal; around the smallest normal number.
    0x0000_0000_0000_0000, 0x0000_0000_0000_0001, 0x0000_0000_0000_0002, 0x0008_0000_0000_0000,
    0x000f_ffff_ffff_ffff, 0x0010_0000_0000_0000, 0x0010_0000_0000_0001, 0x001f_ffff_ffff_ffff,
    // Roots of the smallest and largest numbers.
    0x1e60_0000_0000_0000, 0x2000_0000_0000_0000, 0x5fe6_a09e_667f_3bcd, 0x6000_0000_0000_0000,
    0x7fd0_0000_0000_0000, 0x7fe0_0000_0000_0000,
    // Around binary32's smallest subnormal, smallest normal and largest number: where narrowing rounds.
    0x3690_0000_0000_0000, 0x3690_0000_0000_0001, 0x36a0_0000_0000_0000, 0x36a8_0000_0000_0000,
    0x380f_ffff_c000_0000, 0x380f_ffff_e000_0000, 0x380f_ffff_f000_0000, 0x3810_0000_0000_0000,
    0x47ef_ffff_e000_0000, 0x47ef_ffff_efff_ffff, 0x47ef_ffff_f000_0000, 0x47f0_0000_0000_0000,
    // Around 1, its neighbours' distances, small fractions and halves.
    0x3ca0_0000_0000_0000, 0x3cb0_0000_0000_0000, 0x3fb9_9999_9999_999a, 0x3fdf_ffff_ffff_ffff,
    0x3fe0_0000_0000_0000, 0x3fe0_0000_0000_0001, 0x3fef_ffff_ffff_ffff, 0x3ff0_0000_0000_0000,
    0x3ff0_0000_0000_0001, 0x3ff0_0000_1000_0000, 0x3ff0_0000_3000_0000, 0x3ff8_0000_0000_0000,
    0x4000_0000_0000_0000, 0x4004_0000_0000_0000, 0x4008_0000_0000_0000,
    // Around 2^31, 2^32, 2^52, 2^63 and 2^64.
    0x41df_ffff_ffc0_0000, 0x41df_ffff_ffe0_0000, 0x41e0_0000_0000_0000, 0x41e0_0000_0020_0000,
    0x41ef_ffff_ffe0_0000, 0x41ef_ffff_fff0_0000, 0x41f0_0000_0000_0000, 0x4330_0000_0000_0001,
    0x43df_ffff_ffff_ffff, 0x43e0_0000_0000_0000, 0x43ef_ffff_ffff_ffff, 0x43f0_0000_0000_0000,
    // The largest number, infinity, NaNs: quiet, quiet with payload, signalling.
    0x7fef_ffff_ffff_ffff, 0x7ff0_0000_0000_0000, 0x7ff8_0000_0000_0000, 0x7ff8_0000_dead_beef, 0x7ff0_0000_0000_0001,
];

/// Register values that are no NaN-boxed single: they read as the canonical NaN.
static UNBOXED: [u64; 5] = [
    0x0000_0000_3f80_0000,
    0xffff_fffe_3f80_0000,
    0x7fff_ffff_bf80_0000,
    0x0000_0000_7f80_0001,
    0x3ff0_0000_0000_0000,
];

/// Register values for single-precision operations, NaN-boxed and not.
pub fn singles() -> Vec<u64> {
    let boxed = |bits: u32| 0xffff_ffff_0000_0000 | u64::from(bits);
    let both = SINGLES.iter().flat_map(|&bits| [boxed(bits), boxed(bits | 1 << 31)]);
    both.chain(UNBOXED).collect()
}

/// Register values for double-precision operations.
pub fn doubles() -> Vec<u64> {
    DOUBLES.iter().flat_map(|&bits| [bits, bits | 1 << 63]).collect()
}

/// Draws operands: mostly hard ones, some random.
#[derive(Clone, Debug)]
pub struct Operands {
    integers: Vec<u64>,
    singles: Vec<u64>,
    doubles: Vec<u64>,
}

impl Default for Operands {
    fn default() -> Self {
        Operands { integers: integers(), singles: singles(), doubles: doubles() }
    }
}

impl Operands {
    /// A value for an integer register.
    pub fn integer(&self, rng: &mut Rng) -> u64 {
        match rng.below(8) {
            0 => rng.bits(),
            // Of random size.
            1 => rng.bits() >> rng.below(64),
            2 => rng.pick(&self.doubles),
            3 => rng.below(70) as u64,
            _ => rng.pick(&self.integers),
        }
    }

    /// A value for a floating-point register.
    pub fn float(&self, rng: &mut Rng) -> u64 {
        match rng.below(10) {
            0 => rng.bits(),
            1 => rng.bits() | 0xffff_ffff_0000_0000,
            2..=5 => rng.pick(&self.singles),
            _ => rng.pick(&self.doubles),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_many_values_of_each_kind() {
        assert!(integers().len() >= 60 && singles().len() >= 60 && doubles().len() >= 60);
        let nans =
            singles().iter().filter(|v| **v >> 32 == 0xffff_ffff && **v & 0x7fff_ffff > 0x7f80_0000).count();
        assert!(nans >= 6);
    }
}
