//! The code buffer: bytes, labels, fixups, constant pool, listing. It knows no instruction set.
//!
//! Emitted code never moves: an offset that was read while emitting stays valid, so side tables (host pc to guest
//! pc, patch sites) can be written on the way. That is why jumps are not relaxed afterwards; the assemblers take
//! the short form where the distance is known when the jump is emitted.
//!
//! # Invariants
//! 1. `bytes.len() >= len`; the code is `bytes[..len]`, what follows is room to write.
//! 2. `len` never shrinks, and of the bytes below `len` only fields of fixups change, and only in
//!    [`CodeBuffer::finish`].
//! 3. A label is unbound ([`UNBOUND`]) or its offset is at most `len`. Once bound it stays where it is.
//! 4. The field of a fixup and the place that it is relative to lie within `bytes[..len]`.
//! 5. The label of a constant is bound by `finish` and by nothing else.
//! 6. No field of one byte refers from one side of `second` to the other.

use super::fixup::{FinishError, Fixup, FixupKind};
use super::listing::{Listing, Note};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

/// Room that [`CodeBuffer::window`] gives: more than the longest instruction of any host (15 bytes, Intel SDM 2A
/// 2.3.11), and a power of two above it so that index checks fold away.
pub(super) const WINDOW: usize = 32;

/// Offset of a label that is not bound.
const UNBOUND: usize = usize::MAX;

/// A place in the code, to be bound once and referred to from anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(u32);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ".L{}", self.0)
    }
}

impl Label {
    /// The number that stands for the label in an operand.
    #[inline(always)]
    pub(super) const fn number(self) -> u32 {
        self.0
    }

    /// The label of [`Label::number`].
    #[inline(always)]
    pub(super) const fn from_number(number: u32) -> Label {
        Label(number)
    }

    /// Position in the list of labels.
    fn index(self) -> usize {
        // A u32 fits a usize on every host that this crate runs on.
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Code being assembled.
#[derive(Debug, Default)]
pub struct CodeBuffer {
    bytes: Vec<u8>,
    len: usize,
    /// Offset of each label.
    labels: Vec<usize>,
    fixups: Vec<Fixup>,
    /// Constants by size in bytes (the largest first) and value; so each is kept once, and each is aligned to its
    /// size if the first one is.
    pool: BTreeMap<(Reverse<usize>, u128), Label>,
    /// What was emitted, if a listing is wanted.
    notes: Option<Vec<Note>>,
    /// The first label that was bound twice.
    twice: Option<Label>,
    /// What the address of the code must be a multiple of; 0 stands for 1.
    alignment: usize,
    /// Where the part begins that may be placed apart from the first.
    second: Option<usize>,
}

impl CodeBuffer {
    /// An empty buffer.
    pub fn new() -> CodeBuffer {
        CodeBuffer::default()
    }

    /// Records the text of everything emitted from now on, for [`Code::listing`].
    pub fn record_listing(&mut self) {
        self.notes.get_or_insert_with(Vec::new);
    }

    /// Offset of the next byte.
    #[inline]
    pub fn offset(&self) -> usize {
        self.len
    }

    /// A new label, not bound yet.
    pub fn new_label(&mut self) -> Label {
        // Invariant 3: the new label is unbound. More than 2^32 labels need 32 GiB for `labels` alone; the last
        // number would then be given out again, and binding it again is reported.
        let label = Label(u32::try_from(self.labels.len()).unwrap_or(u32::MAX));
        self.labels.push(UNBOUND);
        label
    }

    /// Binds the label to the next byte. Binding it a second time changes nothing and makes `finish` fail.
    pub fn bind(&mut self, label: Label) {
        let len = self.len;
        match self.labels.get_mut(label.index()) {
            // Invariant 3: an unbound label gets the current end.
            Some(offset) if *offset == UNBOUND => *offset = len,
            _ => self.twice = self.twice.or(Some(label)),
        }
        self.note(len, || format!("{label}:"));
    }

    /// Where the label is bound, if it is.
    #[inline]
    pub fn label_offset(&self, label: Label) -> Option<usize> {
        self.labels.get(label.index()).copied().filter(|offset| *offset != UNBOUND)
    }

    /// What follows, constants included, may be placed apart from what is there so far.
    pub fn begin_second(&mut self) {
        self.second = Some(self.len);
    }

    /// Where the second part begins, if there is one.
    #[inline]
    pub fn second(&self) -> Option<usize> {
        self.second
    }

    /// Room for one instruction after the code, or `None` before [`CodeBuffer::grow`]; [`CodeBuffer::advance`] makes what
    /// was written there code.
    #[inline(always)]
    pub(super) fn window(&mut self) -> Option<&mut [u8; WINDOW]> {
        self.bytes.get_mut(self.len..)?.first_chunk_mut()
    }

    /// Doubles the room.
    #[cold]
    pub(super) fn grow(&mut self) {
        // Invariants 1 and 2: only room after `len` is added.
        self.bytes.resize((2 * self.bytes.len()).max(self.len + 8 * WINDOW), 0);
    }

    /// Appends the first `count` bytes of the window to the code.
    #[inline]
    pub(super) fn advance(&mut self, count: usize) {
        // Invariants 1 and 2: `len` grows, at most to the end of the window that `window` made room for.
        debug_assert!(count <= WINDOW && self.len + count <= self.bytes.len());
        self.len += count;
    }

    /// Appends bytes.
    pub fn put(&mut self, data: &[u8]) {
        // Invariants 1 and 2: `len` grows by what is written behind it.
        let end = self.len + data.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[self.len..end].copy_from_slice(data);
        self.len = end;
    }

    /// Appends the first `count` of a few bytes.
    #[inline]
    pub(super) fn put_short<const N: usize>(&mut self, bytes: &[u8; N], count: usize) {
        const { assert!(N <= WINDOW) };
        if let Some(window) = self.window() {
            window[..N].copy_from_slice(bytes);
            self.advance(count.min(N));
        } else {
            self.put(&bytes[..count.min(N)]);
        }
    }

    /// Appends `byte` until the offset is a multiple of `alignment`, which is a power of two.
    pub fn pad(&mut self, alignment: usize, byte: u8) {
        let count = self.len.next_multiple_of(alignment.max(1)) - self.len;
        // Invariants 1 and 2, as in `put`.
        self.bytes.truncate(self.len);
        self.bytes.resize(self.len + count, byte);
        self.len = self.bytes.len();
    }

    /// Asks for code whose address is a multiple of `alignment`, which is a power of two.
    pub fn require_alignment(&mut self, alignment: usize) {
        self.alignment = self.alignment.max(alignment);
    }

    /// Has the field at offset `at` filled with the distance from `from` to the label plus `addend`.
    ///
    /// A field that is not within the code is ignored; the encoders make none.
    pub(super) fn fixup(&mut self, kind: FixupKind, at: usize, from: usize, label: Label, addend: i32) {
        debug_assert!(at + kind.width() <= from && from <= self.len);
        if at + kind.width() <= from && from <= self.len {
            // Invariant 4 was just tested, and `len` never shrinks.
            self.fixups.push(Fixup { at, label, addend, kind, tail: (from - at) as u8 });
        }
    }

    /// The label of a 32-bit constant in the pool behind the code, aligned to 4 bytes.
    pub fn constant32(&mut self, bits: u32) -> Label {
        self.constant(4, u128::from(bits))
    }

    /// The label of a 64-bit constant in the pool behind the code, aligned to 8 bytes.
    pub fn constant64(&mut self, bits: u64) -> Label {
        self.constant(8, u128::from(bits))
    }

    /// The label of a 128-bit constant in the pool behind the code, aligned to 16 bytes.
    pub fn constant128(&mut self, bits: u128) -> Label {
        self.constant(16, bits)
    }

    fn constant(&mut self, size: usize, bits: u128) -> Label {
        let key = (Reverse(size), bits);
        if let Some(label) = self.pool.get(&key) {
            return *label;
        }
        // Invariant 5: the label is known to the caller, who may bind it by mistake; `finish` reports that.
        let label = self.new_label();
        self.pool.insert(key, label);
        label
    }

    /// Whether a listing is wanted.
    #[inline(always)]
    pub(super) fn is_noted(&self) -> bool {
        self.notes.is_some()
    }

    /// Records what was emitted from offset `at`, if a listing is wanted.
    #[inline]
    pub(super) fn note(&mut self, at: usize, text: impl FnOnce() -> String) {
        if self.notes.is_some() {
            self.record(at, text());
        }
    }

    #[cold]
    fn record(&mut self, at: usize, text: String) {
        self.notes.get_or_insert_with(Vec::new).push(Note { at, text });
    }

    /// Places the constants, fills in all fixups and gives out the code.
    ///
    /// The room before the constants is filled with `filler`.
    ///
    /// # Errors
    /// If a label that is used was not bound, a label was bound twice, or a distance does not fit its field.
    pub fn finish(mut self, filler: u8) -> Result<Code, FinishError> {
        let text_len = self.len;
        self.place_constants(filler);
        self.resolve(0)?;
        self.bytes.truncate(self.len);
        let alignment = self.alignment.max(1);
        Ok(Code { bytes: self.bytes, labels: self.labels, text_len, alignment, notes: self.notes })
    }

    /// Places the constants; returns the lengths of both parts, between which there will be a distance to choose. Then
    /// [`CodeBuffer::finish_in_place`].
    pub fn complete(&mut self, filler: u8) -> [usize; 2] {
        let first = *self.second.get_or_insert(self.len);
        self.place_constants(filler);
        [first, self.len - first]
    }

    /// As [`CodeBuffer::finish`] for both parts, the second of which will stand so many bytes behind its place next to
    /// the first, a multiple of the alignment. The buffer keeps its memory for the next code: call
    /// [`CodeBuffer::clear`] before anything else is emitted.
    ///
    /// # Errors
    /// As [`CodeBuffer::finish`].
    pub fn finish_in_place(&mut self, apart: i64) -> Result<[&[u8]; 2], FinishError> {
        self.resolve(apart)?;
        let (first, second) = self.bytes[..self.len].split_at(self.second.unwrap_or(self.len));
        Ok([first, second])
    }

    /// Forgets everything but the memory, and whether a listing is recorded. Labels handed out before are void.
    pub fn clear(&mut self) {
        self.len = 0;
        self.labels.clear();
        self.fixups.clear();
        if !self.pool.is_empty() {
            self.pool.clear();
        }
        self.twice = None;
        self.alignment = 0;
        self.second = None;
        if let Some(notes) = &mut self.notes {
            notes.clear();
        }
    }

    /// Fills in the references to labels.
    fn resolve(&mut self, apart: i64) -> Result<(), FinishError> {
        let second = self.second.unwrap_or(self.len);
        if let Some(label) = self.twice {
            return Err(FinishError::BoundTwice(label));
        }
        for fixup in &self.fixups {
            let Some(target) = self.label_offset(fixup.label) else {
                return Err(FinishError::Unbound(fixup.label));
            };
            let Fixup { kind, at, label, .. } = *fixup;
            let farther = match (at >= second, target >= second) {
                (false, true) => apart,
                (true, false) => -apart,
                _ => 0,
            };
            let value = fixup.value(target) + farther;
            // Invariant 4: the field is within the code. Invariant 2: this is the only write to emitted bytes.
            if !kind.patch(&mut self.bytes[at..at + kind.width()], value) {
                return Err(FinishError::OutOfRange { kind, at, label, value });
            }
        }
        Ok(())
    }

    /// Appends the pool.
    fn place_constants(&mut self, filler: u8) {
        if self.pool.is_empty() {
            return;
        }
        let pool = std::mem::take(&mut self.pool);
        if let Some((Reverse(largest), _)) = pool.keys().next() {
            let at = self.len;
            self.require_alignment(*largest);
            self.pad(*largest, filler);
            if self.len != at {
                self.note(at, || "; padding".to_string());
            }
        }
        for ((Reverse(size), bits), label) in pool {
            // The sizes are powers of two and fall, so each constant is aligned. Invariant 5 is fulfilled here.
            self.bind(label);
            let at = self.len;
            self.put(&bits.to_le_bytes()[..size]);
            self.note(at, || format!("; constant {bits:#x}"));
        }
    }
}

/// Complete code. It can be run at any address that is a multiple of [`Code::alignment`].
#[derive(Debug)]
pub struct Code {
    bytes: Vec<u8>,
    labels: Vec<usize>,
    text_len: usize,
    alignment: usize,
    notes: Option<Vec<Note>>,
}

impl Code {
    /// The instructions and, behind them, the constants.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Length of the instructions in bytes; the rest are constants.
    pub fn text_len(&self) -> usize {
        self.text_len
    }

    /// What the address of the first byte must be a multiple of: a power of two.
    pub fn alignment(&self) -> usize {
        self.alignment
    }

    /// Offset of the label, if it was bound.
    pub fn label_offset(&self, label: Label) -> Option<usize> {
        self.labels.get(label.index()).copied().filter(|offset| *offset != UNBOUND)
    }

    /// Offset, bytes and text of every instruction; empty unless recording was switched on.
    pub fn listing(&self) -> Listing<'_> {
        Listing { bytes: &self.bytes, notes: self.notes.as_deref().unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A buffer with `count` bytes.
    fn filled(count: usize) -> CodeBuffer {
        let mut buffer = CodeBuffer::new();
        buffer.put(&vec![0x90; count]);
        buffer
    }

    #[test]
    fn finish_reports_an_unbound_label() {
        let mut buffer = filled(4);
        let label = buffer.new_label();
        buffer.fixup(FixupKind::Rel32, 0, 4, label, 0);
        assert_eq!(buffer.finish(0).unwrap_err(), FinishError::Unbound(label));
    }

    #[test]
    fn finish_ignores_an_unbound_label_that_nothing_uses() {
        let mut buffer = filled(4);
        let label = buffer.new_label();
        assert_eq!(buffer.finish(0).unwrap().label_offset(label), None);
    }

    #[test]
    fn finish_reports_a_label_bound_twice() {
        let mut buffer = filled(1);
        let label = buffer.new_label();
        buffer.bind(label);
        buffer.put(&[0]);
        buffer.bind(label);
        assert_eq!(buffer.label_offset(label), Some(1), "the first place stays");
        assert_eq!(buffer.finish(0).unwrap_err(), FinishError::BoundTwice(label));
    }

    #[test]
    fn finish_reports_a_constant_bound_by_the_caller() {
        let mut buffer = filled(1);
        let label = buffer.constant32(7);
        buffer.bind(label);
        assert_eq!(buffer.finish(0).unwrap_err(), FinishError::BoundTwice(label));
    }

    #[test]
    fn finish_reports_a_label_of_another_buffer() {
        let stranger = filled(0).new_label();
        let mut buffer = filled(1);
        buffer.fixup(FixupKind::Rel8, 0, 1, stranger, 0);
        assert_eq!(buffer.finish(0).unwrap_err(), FinishError::Unbound(stranger));
    }

    #[test]
    fn rel8_reaches_exactly_its_range() {
        for (distance, fits) in [(0x7f, true), (0x80, false)] {
            let mut buffer = filled(1);
            let label = buffer.new_label();
            buffer.fixup(FixupKind::Rel8, 0, 1, label, 0);
            buffer.put(&vec![0; distance]);
            buffer.bind(label);
            assert_eq!(buffer.finish(0).is_ok(), fits, "forward {distance:#x}");
        }
        for (distance, fits) in [(0x80, true), (0x81, false)] {
            let mut buffer = CodeBuffer::new();
            let label = buffer.new_label();
            buffer.bind(label);
            buffer.put(&vec![0; distance]);
            buffer.fixup(FixupKind::Rel8, distance - 1, distance, label, 0);
            let result = buffer.finish(0);
            assert_eq!(result.is_ok(), fits, "backward {distance:#x}");
            if let Ok(code) = result {
                assert_eq!(code.bytes().last(), Some(&0x80));
            }
        }
    }

    #[test]
    fn constants_are_kept_once_and_aligned() {
        let mut buffer = filled(5);
        let four = buffer.constant32(0x1122_3344);
        let sixteen = buffer.constant128(9);
        let eight = buffer.constant64(0x1122_3344);
        assert_eq!(buffer.constant32(0x1122_3344), four);
        assert_ne!(four, eight, "equal values of different size are different constants");
        let code = buffer.finish(0xcc).unwrap();
        assert_eq!(code.alignment(), 16);
        assert_eq!(code.text_len(), 5);
        assert_eq!(code.label_offset(sixteen), Some(16));
        assert_eq!(code.label_offset(eight), Some(32));
        assert_eq!(code.label_offset(four), Some(40));
        assert_eq!(code.bytes().len(), 44);
        assert!(code.bytes()[5..16].iter().all(|byte| *byte == 0xcc));
        assert_eq!(code.bytes()[40..], [0x44, 0x33, 0x22, 0x11]);
    }

    #[test]
    fn parts_that_stand_apart_refer_to_each_other() {
        let mut buffer = filled(4);
        let (first, second) = (buffer.new_label(), buffer.new_label());
        buffer.bind(first);
        buffer.put(&[0; 4]);
        // From the first part to the second, back, and within each.
        buffer.fixup(FixupKind::Rel32, 4, 8, second, 0);
        buffer.fixup(FixupKind::Rel32, 0, 4, first, 0);
        buffer.begin_second();
        buffer.bind(second);
        buffer.put(&[0; 8]);
        buffer.fixup(FixupKind::Rel32, 8, 12, first, 0);
        buffer.fixup(FixupKind::Rel32, 12, 16, second, 0);
        assert_eq!(buffer.complete(0), [8, 8]);
        let number = |bytes: &[u8], at: usize| i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let [one, two] = buffer.finish_in_place(1 << 20).unwrap();
        assert_eq!([number(one, 0), number(one, 4)], [0, 1 << 20]);
        assert_eq!([number(two, 0), number(two, 4)], [-8 - (1 << 20), -8]);
    }

    #[test]
    fn code_without_constants_is_not_padded() {
        let code = filled(5).finish(0xcc).unwrap();
        assert_eq!((code.bytes().len(), code.alignment()), (5, 1));
    }

    #[test]
    fn offsets_stay_while_the_buffer_grows() {
        let mut buffer = CodeBuffer::new();
        for index in 0..10_000_usize {
            assert_eq!(buffer.offset(), 3 * index);
            if buffer.window().is_none() {
                buffer.grow();
            }
            buffer.window().unwrap()[..3].copy_from_slice(&[1, 2, 3]);
            buffer.advance(3);
        }
        let code = buffer.finish(0).unwrap();
        assert!(code.bytes().chunks(3).all(|chunk| chunk == [1, 2, 3]));
        assert_eq!(code.bytes().len(), 30_000);
    }
}
