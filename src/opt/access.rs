//! Plain loads and stores: how many bytes, and how they are extended.

use super::func::{Func, Value};
use crate::ir::IROp;

/// What a load makes of the bytes that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extend {
    /// All 64 bits, nothing to extend.
    Whole,
    Sign,
    Zero,
    /// A single, boxed.
    Box,
}

/// A plain load or store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// `None`: a store.
    pub extend: Option<Extend>,
    pub bytes: u8,
    pub offset: i64,
}

/// The operation as a load or store, if it is a plain one.
#[rustfmt::skip] // rows never wrap
pub fn access(op: &IROp) -> Option<Access> {
    let load = |bytes, extend, offset| Some(Access { extend: Some(extend), bytes, offset });
    let store = |bytes, offset| Some(Access { extend: None, bytes, offset });
    match *op {
        IROp::Load { offset, .. } => load(8, Extend::Whole, offset),
        IROp::LoadU32 { offset, .. } => load(4, Extend::Zero, offset),
        IROp::LoadS32 { offset, .. } => load(4, Extend::Sign, offset),
        IROp::LoadU16 { offset, .. } => load(2, Extend::Zero, offset),
        IROp::LoadS16 { offset, .. } => load(2, Extend::Sign, offset),
        IROp::LoadU8 { offset, .. } => load(1, Extend::Zero, offset),
        IROp::LoadS8 { offset, .. } => load(1, Extend::Sign, offset),
        IROp::LoadF32 { offset, .. } => load(4, Extend::Box, offset),
        IROp::Store { offset, .. } => store(8, offset),
        IROp::Store32 { offset, .. } => store(4, offset),
        IROp::Store16 { offset, .. } => store(2, offset),
        IROp::Store8 { offset, .. } => store(1, offset),
        _ => None,
    }
}

/// Where an access goes to: a value, if it is not known, and a distance from it. Addresses count modulo 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// [`Value::NONE`] if the address is a number.
    pub base: Value,
    pub offset: u32,
    pub bytes: u8,
}

/// Memory is mapped in multiples of this.
const PAGE: u32 = 4096;

impl Place {
    /// The place of an access of which `base` is the address operand.
    pub fn of(func: &Func, access: Access, base: Value) -> Place {
        let offset = access.offset as u32;
        match func.constant(base) {
            Some(number) => {
                Place { base: Value::NONE, offset: offset.wrapping_add(number as u32), bytes: access.bytes }
            }
            None => Place { base, offset, bytes: access.bytes },
        }
    }

    /// Whether both may have a byte in common. Two pages may be one (a file that is mapped twice), so places that are pages
    /// apart may.
    pub fn may_overlap(&self, other: &Place) -> bool {
        if self.base != other.base {
            return true;
        }
        let behind = other.offset.wrapping_sub(self.offset) % PAGE;
        behind < u32::from(self.bytes) || behind.wrapping_neg() % PAGE < u32::from(other.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_overlap_by_bytes() {
        let place = |offset, bytes| Place { base: Value(1), offset, bytes };
        assert!(place(8, 8).may_overlap(&place(15, 1)));
        assert!(!place(8, 8).may_overlap(&place(16, 8)));
        assert!(!place(16, 8).may_overlap(&place(8, 8)));
        assert!(place(u32::MAX, 4).may_overlap(&place(2, 1)));
        assert!(!place(u32::MAX, 4).may_overlap(&place(3, 1)));
        assert!(
            place(8, 8).may_overlap(&place(8 + 4096, 1)) && !place(8, 8).may_overlap(&place(16 + 4096, 8))
        );
        assert!(place(0, 1).may_overlap(&Place { base: Value(2), offset: 100, bytes: 1 }));
    }
}
