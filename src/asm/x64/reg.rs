//! Registers, sizes, scales, conditions: the operands that an instruction encodes as small numbers.
//!
//! Each has a type of its own whose values are exactly the legal ones, so a row of the table cannot be given an
//! operand that it cannot encode.

use std::fmt;

/// A general-purpose register, by its number (Intel SDM 2A, table 2-2 and 2.2.1.2). Its width is the instruction's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gpr(u8);

/// A general-purpose register that can be an index: any but rsp, whose number means "no index" in the SIB byte
/// (Intel SDM 2A, table 2-3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Index(Gpr);

macro_rules! registers {
    ($($name:ident $number:literal $r64:literal $r32:literal $r16:literal $r8:literal $index:ident;)*) => {
        impl Gpr {
            /// All registers, in the order of their numbers.
            pub const ALL: [Gpr; 16] = [$(Gpr($number)),*];

            /// Names by width in 64, 32, 16 and 8 bits.
            const NAMES: [[&'static str; 4]; 16] = [$([$r64, $r32, $r16, $r8]),*];
        }

        $(#[doc = concat!("`", $r64, "`")] pub const $name: Gpr = Gpr($number);)*

        impl Index {
            $(registers!(@$index $name $number $r64);)*
        }
    };
    (@yes $name:ident $number:literal $r64:literal) => {
        #[doc = concat!("`", $r64, "` as an index")]
        pub const $name: Index = Index(Gpr($number));
    };
    (@no $name:ident $number:literal $r64:literal) => {};
}

registers! {
    // Name number, names in 64, 32, 16, 8 bits, can be an index.
    RAX 0 "rax" "eax" "ax" "al" yes;
    RCX 1 "rcx" "ecx" "cx" "cl" yes;
    RDX 2 "rdx" "edx" "dx" "dl" yes;
    RBX 3 "rbx" "ebx" "bx" "bl" yes;
    RSP 4 "rsp" "esp" "sp" "spl" no;
    RBP 5 "rbp" "ebp" "bp" "bpl" yes;
    RSI 6 "rsi" "esi" "si" "sil" yes;
    RDI 7 "rdi" "edi" "di" "dil" yes;
    R8 8 "r8" "r8d" "r8w" "r8b" yes;
    R9 9 "r9" "r9d" "r9w" "r9b" yes;
    R10 10 "r10" "r10d" "r10w" "r10b" yes;
    R11 11 "r11" "r11d" "r11w" "r11b" yes;
    R12 12 "r12" "r12d" "r12w" "r12b" yes;
    R13 13 "r13" "r13d" "r13w" "r13b" yes;
    R14 14 "r14" "r14d" "r14w" "r14b" yes;
    R15 15 "r15" "r15d" "r15w" "r15b" yes;
}

impl Gpr {
    /// The register of this number, 0-15.
    pub const fn new(number: u8) -> Option<Gpr> {
        if number < 16 {
            Some(Gpr(number))
        } else {
            None
        }
    }

    /// Its number, 0-15.
    #[inline(always)]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Its name if `bits` of it are meant: 8, 16, 32 or 64.
    pub fn name(self, bits: u16) -> &'static str {
        let column = match bits {
            8 => 3,
            16 => 2,
            32 => 1,
            _ => 0,
        };
        Gpr::NAMES[usize::from(self.0)][column]
    }
}

impl fmt::Debug for Gpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name(64))
    }
}

impl Index {
    /// The register as an index; `None` for rsp.
    pub const fn new(register: Gpr) -> Option<Index> {
        if register.0 == RSP.0 {
            None
        } else {
            Some(Index(register))
        }
    }

    /// The register.
    #[inline(always)]
    pub const fn register(self) -> Gpr {
        self.0
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A vector register, by its number; here its low 32 or 64 bits hold a floating-point number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Xmm(u8);

impl Xmm {
    /// All registers, in the order of their numbers.
    #[rustfmt::skip] // one line per eight
    pub const ALL: [Xmm; 16] = [
        Xmm(0), Xmm(1), Xmm(2), Xmm(3), Xmm(4), Xmm(5), Xmm(6), Xmm(7),
        Xmm(8), Xmm(9), Xmm(10), Xmm(11), Xmm(12), Xmm(13), Xmm(14), Xmm(15),
    ];

    /// The register of this number, 0-15.
    pub const fn new(number: u8) -> Option<Xmm> {
        if number < 16 {
            Some(Xmm(number))
        } else {
            None
        }
    }

    /// Its number, 0-15.
    #[inline(always)]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for Xmm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "xmm{}", self.0)
    }
}

/// Operand size of an instruction that has both. A 32-bit result clears the upper half of its register (Intel SDM
/// 1, 3.4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    S32,
    S64,
}

impl Size {
    /// The size in bits.
    pub const fn bits(self) -> u16 {
        match self {
            Size::S32 => 32,
            Size::S64 => 64,
        }
    }
}

/// What an index is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    X1,
    X2,
    X4,
    X8,
}

impl Scale {
    /// All scales, in the order of their encodings.
    pub const ALL: [Scale; 4] = [Scale::X1, Scale::X2, Scale::X4, Scale::X8];

    /// The SIB byte's "scale" field: the logarithm of the factor.
    #[inline(always)]
    pub const fn field(self) -> u8 {
        match self {
            Scale::X1 => 0,
            Scale::X2 => 1,
            Scale::X4 => 2,
            Scale::X8 => 3,
        }
    }
}

macro_rules! numbered {
    ($(#[$doc:meta])* $type:ident: $($name:ident $number:literal $text:literal $what:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type {
            $(#[doc = $what] $name,)*
        }

        impl $type {
            /// All, in the order of their numbers.
            pub const ALL: &'static [$type] = &[$($type::$name),*];

            /// The number in the encoding.
            #[inline(always)]
            pub const fn number(self) -> u8 {
                match self { $($type::$name => $number),* }
            }

            /// The manual's abbreviation.
            pub const fn name(self) -> &'static str {
                match self { $($type::$name => $text),* }
            }
        }
    };
}

numbered! {
    /// A condition on the flags (Intel SDM 1, appendix B, "EFLAGS Condition Codes"). After `ucomisd` an unordered
    /// result sets ZF, PF and CF, so that B, BE, E and P hold.
    Cond:
    O  0  "o"  "overflow: OF";
    No 1  "no" "no overflow: not OF";
    B  2  "b"  "below (unsigned), carry: CF";
    Ae 3  "ae" "above or equal (unsigned), no carry: not CF";
    E  4  "e"  "equal: ZF";
    Ne 5  "ne" "not equal: not ZF";
    Be 6  "be" "below or equal (unsigned): CF or ZF";
    A  7  "a"  "above (unsigned): neither CF nor ZF";
    S  8  "s"  "negative: SF";
    Ns 9  "ns" "not negative: not SF";
    P  10 "p"  "parity even, unordered: PF";
    Np 11 "np" "parity odd, ordered: not PF";
    L  12 "l"  "less (signed): SF differs from OF";
    Ge 13 "ge" "greater or equal (signed): SF equals OF";
    Le 14 "le" "less or equal (signed): ZF, or SF differs from OF";
    G  15 "g"  "greater (signed): not ZF, and SF equals OF";
}

numbered! {
    /// Predicate of `cmpss` and `cmpsd` (Intel SDM 2A CMPPD, table 3-1).
    Predicate:
    Eq    0 "eq"    "equal (quiet)";
    Lt    1 "lt"    "less (signalling)";
    Le    2 "le"    "less or equal (signalling)";
    Unord 3 "unord" "unordered (quiet)";
    Neq   4 "neq"   "not equal or unordered (quiet)";
    Nlt   5 "nlt"   "not less (signalling)";
    Nle   6 "nle"   "not less or equal (signalling)";
    Ord   7 "ord"   "ordered (quiet)";
}

impl Cond {
    /// The opposite condition: the one whose number differs in bit 0.
    pub const fn inverted(self) -> Cond {
        match self {
            Cond::O => Cond::No,
            Cond::No => Cond::O,
            Cond::B => Cond::Ae,
            Cond::Ae => Cond::B,
            Cond::E => Cond::Ne,
            Cond::Ne => Cond::E,
            Cond::Be => Cond::A,
            Cond::A => Cond::Be,
            Cond::S => Cond::Ns,
            Cond::Ns => Cond::S,
            Cond::P => Cond::Np,
            Cond::Np => Cond::P,
            Cond::L => Cond::Ge,
            Cond::Ge => Cond::L,
            Cond::Le => Cond::G,
            Cond::G => Cond::Le,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverted_conditions_differ_in_bit_0() {
        for (number, cond) in (0..).zip(Cond::ALL) {
            assert_eq!(cond.number(), number);
            assert_eq!(cond.inverted().number(), number ^ 1);
        }
    }

    #[test]
    fn every_register_but_rsp_is_an_index() {
        let indexes: Vec<Gpr> = Gpr::ALL.into_iter().filter_map(Index::new).map(Index::register).collect();
        assert_eq!(indexes.len(), 15);
        assert!(!indexes.contains(&RSP));
        assert_eq!(Index::new(R13), Some(Index::R13));
    }
}
