//! Features of x86-64 processors beyond the baseline (SSE2), as data.
//!
//! Rows of the instruction table name the feature they need. Which features the processor has is asked elsewhere;
//! [`CpuFeatures::from_cpuid`] only says what the answer means.

use std::fmt;

macro_rules! features {
    ($($name:ident $text:literal $leaf:literal $register:ident $bit:literal $avx:ident $what:literal;)*) => {
        /// A processor feature that instructions depend on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Feature {
            $(#[doc = $what] $name,)*
        }

        impl Feature {
            /// All features, in the order of the table.
            pub const ALL: &'static [Feature] = &[$(Feature::$name),*];

            /// The usual name.
            pub const fn name(self) -> &'static str {
                match self { $(Feature::$name => $text),* }
            }

            /// Where CPUID reports it.
            const fn report(self) -> Report {
                match self {
                    $(Feature::$name => Report {
                        leaf: $leaf,
                        register: features!(@register $register),
                        bit: $bit,
                        avx: features!(@flag $avx),
                    }),*
                }
            }
        }
    };
    (@register ebx) => { 1 };
    (@register ecx) => { 2 };
    (@flag avx) => { true };
    (@flag gpr) => { false };
}

/// A bit of CPUID.
struct Report {
    /// Value of eax; the sub-leaf is 0.
    leaf: u32,
    /// Index in eax, ebx, ecx, edx.
    register: usize,
    bit: u32,
    /// True if the operating system must have enabled the AVX state as well.
    avx: bool,
}

#[rustfmt::skip] // rows never wrap
features! {
    // Name text      leaf        reg bit state, meaning. Source: Intel SDM 2A CPUID, tables 3-10 and "Information Returned".
    Fma     "fma"     1           ecx 12  avx "fused multiply-add of VEX-encoded vectors";
    Cx16    "cx16"    1           ecx 13  gpr "cmpxchg16b";
    Sse41   "sse4.1"  1           ecx 19  gpr "SSE4.1: roundss, pinsrd and others";
    Movbe   "movbe"   1           ecx 22  gpr "moves that reverse the bytes";
    Popcnt  "popcnt"  1           ecx 23  gpr "popcnt";
    Avx     "avx"     1           ecx 28  avx "AVX: instructions on vector registers with three operands";
    Bmi1    "bmi1"    7           ebx 3   gpr "andn, bextr, blsi, blsmsk, blsr, tzcnt";
    Bmi2    "bmi2"    7           ebx 8   gpr "bzhi, mulx, pdep, pext, rorx, sarx, shlx, shrx";
    Lzcnt   "lzcnt"   0x8000_0001 ecx 5   gpr "lzcnt";
}

/// CPUID leaf 1, ecx: the operating system has enabled XGETBV (Intel SDM 2A CPUID, "OSXSAVE").
const OSXSAVE: u32 = 1 << 27;

/// XCR0: the SSE and AVX state (Intel SDM 1, 14.3 "Detection of Intel AVX Instructions").
const AVX_STATE: u64 = 0b110;

/// A set of features.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CpuFeatures(u32);

impl CpuFeatures {
    /// Nothing beyond the baseline.
    pub const NONE: CpuFeatures = CpuFeatures(0);

    /// Every feature of the table.
    pub const ALL: CpuFeatures = {
        let mut all = CpuFeatures::NONE;
        let mut index = 0;
        while index < Feature::ALL.len() {
            all = all.with(Feature::ALL[index]);
            index += 1;
        }
        all
    };

    /// The bit of a feature in the set. The discriminant is its place in the table, which has fewer than 32 rows.
    const fn bit(feature: Feature) -> u32 {
        1 << (feature as u32)
    }

    /// The set with the feature.
    pub const fn with(self, feature: Feature) -> CpuFeatures {
        CpuFeatures(self.0 | CpuFeatures::bit(feature))
    }

    /// The set without the feature.
    pub const fn without(self, feature: Feature) -> CpuFeatures {
        CpuFeatures(self.0 & !CpuFeatures::bit(feature))
    }

    /// True if the feature is in the set.
    pub const fn has(self, feature: Feature) -> bool {
        self.0 & CpuFeatures::bit(feature) != 0
    }

    /// True if everything that the rows needs is in the set; the baseline always is.
    pub const fn allow(self, feature: Option<Feature>) -> bool {
        match feature {
            Some(feature) => self.has(feature),
            None => true,
        }
    }

    /// What a processor has that answers CPUID with `cpuid(leaf, sub_leaf)` = eax, ebx, ecx, edx.
    ///
    /// `xcr0` is the result of XGETBV with ecx = 0; it is asked only if the processor has that instruction.
    pub fn from_cpuid(cpuid: impl Fn(u32, u32) -> [u32; 4], xcr0: impl FnOnce() -> u64) -> CpuFeatures {
        // Leaves above the highest one repeat it (Intel SDM 2A CPUID, "INPUT EAX").
        let [highest, ..] = cpuid(0, 0);
        let [highest_extended, ..] = cpuid(0x8000_0000, 0);
        let exists = |leaf: u32| leaf <= highest || (0x8000_0000..=highest_extended).contains(&leaf);
        let avx = exists(1) && cpuid(1, 0)[2] & OSXSAVE != 0 && xcr0() & AVX_STATE == AVX_STATE;
        let mut features = CpuFeatures::NONE;
        for &feature in Feature::ALL {
            let report = feature.report();
            let reported =
                exists(report.leaf) && cpuid(report.leaf, 0)[report.register] >> report.bit & 1 != 0;
            if reported && (avx || !report.avx) {
                features = features.with(feature);
            }
        }
        features
    }
}

impl fmt::Debug for CpuFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Feature::ALL.iter().filter(|f| self.has(**f)).map(|f| f.name())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_with_every_bit_has_every_feature() {
        assert_eq!(CpuFeatures::from_cpuid(|_, _| [u32::MAX; 4], || 7), CpuFeatures::ALL);
    }

    #[test]
    fn vex_needs_the_operating_system() {
        let without = CpuFeatures::ALL.without(Feature::Fma).without(Feature::Avx);
        assert_eq!(CpuFeatures::from_cpuid(|_, _| [u32::MAX; 4], || 0b010), without);
        let no_xgetbv = |leaf, _| if leaf == 1 { [0, 0, !OSXSAVE, 0] } else { [u32::MAX; 4] };
        assert_eq!(CpuFeatures::from_cpuid(no_xgetbv, || panic!("there is no such instruction")), without);
    }

    #[test]
    fn leaves_that_do_not_exist_report_nothing() {
        let old = |leaf, _| if leaf == 1 { [0, 0, 1 << 23, 0] } else { [1, u32::MAX, u32::MAX, u32::MAX] };
        assert_eq!(CpuFeatures::from_cpuid(old, || 0), CpuFeatures::NONE.with(Feature::Popcnt));
        assert_eq!(format!("{:?}", CpuFeatures::from_cpuid(old, || 0)), "{\"popcnt\"}");
    }
}
