//! Fixups: fields of emitted code whose value depends on where a label ends up.
//!
//! A kind says everything about a field: how wide it is, what values it can hold, how the value is written. A value
//! that does not fit is never truncated: [`super::CodeBuffer::finish`] fails.

use super::buffer::Label;
use std::num::TryFromIntError;

/// The kinds of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FixupKind {
    /// x86-64: signed byte, relative to the end of the instruction (`rel8`, Intel SDM 2A JMP).
    /// Out of range: an error; it is the caller who promised that the target is near.
    Rel8,
    /// x86-64: signed 32 bits, little-endian, relative to the end of the instruction (`rel32`, Intel SDM 2A JMP;
    /// rip-relative `disp32`, Intel SDM 2A 2.2.1.6).
    /// Out of range: an error; the code is larger than 2 GiB.
    Rel32,
}

impl FixupKind {
    /// Width of the field in bytes.
    pub const fn width(self) -> usize {
        match self {
            FixupKind::Rel8 => 1,
            FixupKind::Rel32 => 4,
        }
    }

    /// The lowest and the highest value of the field.
    pub const fn range(self) -> (i64, i64) {
        match self {
            FixupKind::Rel8 => (-0x80, 0x7f),
            FixupKind::Rel32 => (-0x8000_0000, 0x7fff_ffff),
        }
    }

    /// True if the field can hold the value.
    pub const fn holds(self, value: i64) -> bool {
        let (low, high) = self.range();
        low <= value && value <= high
    }

    /// Writes the value into the field; false, and nothing is written, if it does not fit.
    #[inline]
    pub fn patch(self, field: &mut [u8], value: i64) -> bool {
        // Each kind on its own, so that the widths are constants: this is on the way of every block.
        match self {
            FixupKind::Rel8 => store(field, i8::try_from(value).map(i8::to_le_bytes)),
            FixupKind::Rel32 => store(field, i32::try_from(value).map(i32::to_le_bytes)),
        }
    }
}

/// Fills the field; false if there is no value or the field has another width.
#[inline]
fn store<const N: usize>(field: &mut [u8], value: Result<[u8; N], TryFromIntError>) -> bool {
    match (<&mut [u8; N]>::try_from(field), value) {
        (Ok(field), Ok(value)) => {
            *field = value;
            true
        }
        _ => false,
    }
}

/// One field to be filled in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixup {
    /// Offset of the field.
    pub at: usize,
    /// The target.
    pub label: Label,
    /// Added to the target's offset.
    pub addend: i32,
    pub kind: FixupKind,
    /// Bytes from the field to what the value is relative to, the end of the instruction.
    pub tail: u8,
}

impl Fixup {
    /// The value of the field if the label is at `target`.
    ///
    /// Offsets are lengths of a `Vec` and so below 2^63; a difference of two of them cannot overflow.
    #[inline]
    pub fn value(&self, target: usize) -> i64 {
        (target.wrapping_sub(self.at + usize::from(self.tail)) as i64).saturating_add(i64::from(self.addend))
    }
}

/// Why code could not be completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishError {
    /// The label is referred to and was never bound (or belongs to another buffer).
    Unbound(Label),
    /// The label was bound at two places.
    BoundTwice(Label),
    /// The label is too far from the field at this offset.
    OutOfRange { kind: FixupKind, at: usize, label: Label, value: i64 },
}

impl std::fmt::Display for FinishError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FinishError::Unbound(label) => write!(f, "label {label} is used and not bound"),
            FinishError::BoundTwice(label) => write!(f, "label {label} is bound twice"),
            FinishError::OutOfRange { kind, at, label, value } => {
                write!(f, "label {label} is out of range: {kind:?} field at {at:#x} cannot hold {value:#x}")
            }
        }
    }
}

impl std::error::Error for FinishError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_accepts_exactly_the_range() {
        for kind in [FixupKind::Rel8, FixupKind::Rel32] {
            let (low, high) = kind.range();
            let mut field = vec![0x55; kind.width()];
            assert!(!kind.patch(&mut field, low - 1));
            assert!(!kind.patch(&mut field, high + 1));
            assert!(field.iter().all(|byte| *byte == 0x55), "nothing is written when out of range");
            assert!(kind.patch(&mut field, low));
            assert_eq!(field.last(), Some(&0x80));
            assert!(kind.patch(&mut field, high));
            assert_eq!(field.last(), Some(&0x7f));
        }
    }
}
