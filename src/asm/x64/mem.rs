//! Memory operands.
//!
//! Every value of [`Mem`] has an encoding, and the encoder takes the shortest. With [`Mem::addr32`] the address is
//! computed modulo 2^32 (prefix 67h, Intel SDM 2A 2.2.1.3 and Intel SDM 1, 3.3.7): guest addresses are used so.

use super::reg::{Gpr, Index, Scale};
use crate::asm::Label;
use std::fmt;

/// A memory operand: base + index * scale + displacement, where base and index may be missing, or label +
/// displacement.
///
/// Packed into two numbers, because the emit methods then hand it over in registers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mem {
    /// Registers, scale and prefixes at the positions below; the number of the label in the upper half.
    ///
    /// Invariant: the index is that of an [`Index`] or [`NO_INDEX`]; with [`IS_LABEL`] there are no registers.
    bits: u64,
    disp: i32,
}

// Positions in `Mem::bits`.
const BASE: u32 = 0;
const INDEX: u32 = 4;
const SCALE: u32 = 8;
const HAS_BASE: u64 = 1 << 10;
const IS_LABEL: u64 = 1 << 11;
const GS: u64 = 1 << 12;
const ADDR32: u64 = 1 << 13;
const LABEL: u32 = 32;

/// The number that as an index means none, as in the SIB byte.
pub(super) const NO_INDEX: u8 = 4;

impl Mem {
    #[inline(always)]
    fn new(bits: u64) -> Mem {
        Mem { bits, disp: 0 }
    }

    /// `[base]`
    #[inline(always)]
    pub fn base(base: Gpr) -> Mem {
        Mem::new(HAS_BASE | u64::from(base.number()) << BASE | u64::from(NO_INDEX) << INDEX)
    }

    /// `[base + index * scale]`
    #[inline(always)]
    pub fn sum(base: Gpr, index: Index, scale: Scale) -> Mem {
        Mem::new(HAS_BASE | u64::from(base.number()) << BASE | scaled(index, scale))
    }

    /// `[index * scale]`
    #[inline(always)]
    pub fn scaled(index: Index, scale: Scale) -> Mem {
        match scale {
            // The same address, and up to four bytes shorter.
            Scale::X1 => Mem::base(index.register()),
            _ => Mem::new(scaled(index, scale)),
        }
    }

    /// `[address]`, sign-extended to 64 bits; with [`Mem::addr32`] zero-extended.
    #[inline(always)]
    pub fn absolute(address: i32) -> Mem {
        Mem::new(u64::from(NO_INDEX) << INDEX).disp(address)
    }

    /// The bytes at the label.
    #[inline(always)]
    pub fn label(label: Label) -> Mem {
        Mem::new(IS_LABEL | u64::from(label.number()) << LABEL | u64::from(NO_INDEX) << INDEX)
    }

    /// The operand with this displacement instead of its own. Of an absolute one, it is the address.
    #[inline(always)]
    pub fn disp(self, disp: i32) -> Mem {
        Mem { disp, ..self }
    }

    /// The operand with the base of the gs segment added; it is added after any truncation to 32 bits.
    #[inline(always)]
    pub fn gs(self) -> Mem {
        Mem { bits: self.bits | GS, ..self }
    }

    /// The operand with its address computed modulo 2^32. A label stays as it is: code can lie above 4 GiB.
    #[inline(always)]
    pub fn addr32(self) -> Mem {
        Mem { bits: self.bits | if self.bits & IS_LABEL == 0 { ADDR32 } else { 0 }, ..self }
    }

    /// The registers that the address is computed from.
    pub fn registers(self) -> [Option<Gpr>; 2] {
        let base = if self.has_base() { Gpr::new(self.base_number()) } else { None };
        let index = if self.has_index() { Gpr::new(self.index_number()) } else { None };
        [base, index]
    }

    #[inline(always)]
    pub(super) fn has_base(self) -> bool {
        self.bits & HAS_BASE != 0
    }

    /// Number of the base; 0 if there is none.
    #[inline(always)]
    pub(super) fn base_number(self) -> u8 {
        self.byte(BASE) & 15
    }

    #[inline(always)]
    pub(super) fn has_index(self) -> bool {
        self.index_number() != NO_INDEX
    }

    /// Number of the index, or [`NO_INDEX`].
    #[inline(always)]
    pub(super) fn index_number(self) -> u8 {
        self.byte(INDEX) & 15
    }

    /// Logarithm of the scale.
    #[inline(always)]
    pub(super) fn scale_field(self) -> u8 {
        self.byte(SCALE) & 3
    }

    /// True if the address is relative to a label.
    #[inline(always)]
    pub(super) fn is_label(self) -> bool {
        self.bits & IS_LABEL != 0
    }

    /// The label, if the address is relative to one.
    #[inline(always)]
    pub(super) fn to_label(self) -> Option<Label> {
        let [_, _, _, _, number @ ..] = self.bits.to_le_bytes();
        self.is_label().then(|| Label::from_number(u32::from_le_bytes(number)))
    }

    /// The displacement.
    #[inline(always)]
    pub(super) fn displacement(self) -> i32 {
        self.disp
    }

    /// True if the base of the gs segment is added.
    #[inline(always)]
    pub(super) fn has_gs(self) -> bool {
        self.bits & GS != 0
    }

    /// True if the address is computed modulo 2^32.
    #[inline(always)]
    pub(super) fn has_addr32(self) -> bool {
        self.bits & ADDR32 != 0
    }

    /// The eight bits at a position.
    #[inline(always)]
    fn byte(self, position: u32) -> u8 {
        let [low, ..] = (self.bits >> position).to_le_bytes();
        low
    }
}

/// Index and scale at their positions.
#[inline(always)]
fn scaled(index: Index, scale: Scale) -> u64 {
    u64::from(index.register().number()) << INDEX | u64::from(scale.field()) << SCALE
}

impl fmt::Debug for Mem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::text::write_mem(f, *self, true)
    }
}
