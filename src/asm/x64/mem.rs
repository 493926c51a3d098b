//! Memory operands.
//!
//! Every value of [`Mem`] has an encoding, and the encoder takes the shortest. With [`Mem::addr32`] the address is
//! computed modulo 2^32 (prefix 67h, Intel SDM 2A 2.2.1.3 and Intel SDM 1, 3.3.7): guest addresses are used so.

use super::reg::{Gpr, Index, Scale};
use crate::asm::Label;

/// A memory operand: an address computation with a 32-bit displacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mem {
    pub(super) address: Address,
    pub(super) disp: i32,
    pub(super) gs: bool,
    pub(super) addr32: bool,
}

/// What is added to the displacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A register.
    Base(Gpr),
    /// A register and a scaled register.
    Sum(Gpr, Index, Scale),
    /// A scaled register alone; costs a 32-bit displacement (Intel SDM 2A, table 2-3, note 1).
    Scaled(Index, Scale),
    /// Nothing.
    Absolute,
    /// The label's address, reached relative to rip.
    Label(Label),
}

impl Mem {
    const fn new(address: Address, disp: i32) -> Mem {
        Mem { address, disp, gs: false, addr32: false }
    }

    /// `[base]`
    #[inline]
    pub const fn base(base: Gpr) -> Mem {
        Mem::new(Address::Base(base), 0)
    }

    /// `[base + index * scale]`
    #[inline]
    pub const fn sum(base: Gpr, index: Index, scale: Scale) -> Mem {
        Mem::new(Address::Sum(base, index, scale), 0)
    }

    /// `[index * scale]`
    #[inline]
    pub const fn scaled(index: Index, scale: Scale) -> Mem {
        match scale {
            // The same address, and up to four bytes shorter.
            Scale::X1 => Mem::base(index.register()),
            _ => Mem::new(Address::Scaled(index, scale), 0),
        }
    }

    /// `[address]`, sign-extended to 64 bits; with [`Mem::addr32`] zero-extended.
    #[inline]
    pub const fn absolute(address: i32) -> Mem {
        Mem::new(Address::Absolute, address)
    }

    /// The bytes at the label.
    #[inline]
    pub const fn label(label: Label) -> Mem {
        Mem::new(Address::Label(label), 0)
    }

    /// The operand with this displacement instead of its own. Of an absolute one, it is the address.
    #[inline]
    pub const fn disp(self, disp: i32) -> Mem {
        Mem { disp, ..self }
    }

    /// The operand with the base of the gs segment added; it is added after any truncation to 32 bits.
    #[inline]
    pub const fn gs(self) -> Mem {
        Mem { gs: true, ..self }
    }

    /// The operand with its address computed modulo 2^32. A label stays as it is: code can lie above 4 GiB.
    #[inline]
    pub const fn addr32(self) -> Mem {
        match self.address {
            Address::Label(_) => self,
            _ => Mem { addr32: true, ..self },
        }
    }

    /// The registers that the address is computed from.
    pub fn registers(&self) -> [Option<Gpr>; 2] {
        match self.address {
            Address::Base(base) => [Some(base), None],
            Address::Sum(base, index, _) => [Some(base), Some(index.register())],
            Address::Scaled(index, _) => [None, Some(index.register())],
            Address::Absolute | Address::Label(_) => [None, None],
        }
    }
}
