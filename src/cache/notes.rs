//! Where the guest instructions of a block begin in its code: marks, packed.
//!
//! Of most instructions both the code and the guest's bytes are short, so one byte says where the next one begins. What
//! a translated program costs in memory, and in first touches of it, is largely its code and this.
//!
//! | byte | then | meaning |
//! |---|---|---|
//! | `2 * n`, below 252 | | `n` bytes of code further, the next instruction begins, 2 bytes behind the one before |
//! | `2 * n + 1`, below 252 | | the same, 4 bytes behind the one before |
//! | 254 | `n`, `count` | `n` bytes further, code that belongs to the `count`-th instruction |
//! | 255 | `n`, `distance` | `n` bytes further, the next instruction begins, that far behind the one before |
//!
//! The numbers that follow are LEB128 (`base::leb128`).

use crate::base::leb128::{put, take};
use crate::base::GuestAddr;

const MOVED: u8 = 254;
const FAR: u8 = 255;

/// What the first instruction's address is told relative to, so that it needs one byte as well.
fn before(start: GuestAddr) -> GuestAddr {
    start.wrapping_sub(2)
}

/// Appends the notes of a block that begins at `start`: its marks, as in `codegen::CodeObject`, and the addresses of its
/// guest instructions.
pub(super) fn pack(out: &mut Vec<u8>, start: GuestAddr, marks: &[(u32, u32)], pcs: &[GuestAddr]) {
    out.reserve(marks.len());
    // The instructions begun so far, and the one that the code belongs to.
    let (mut begun, mut current) = (0, 0);
    let (mut at, mut last) = (0, before(start));
    for &(offset, count) in marks {
        let further = offset - at;
        match pcs.get(begun as usize) {
            Some(&pc) if count == begun + 1 => {
                let distance = pc.wrapping_sub(last);
                (begun, last) = (count, pc);
                if further < 126 && (distance == 2 || distance == 4) {
                    // Both are small.
                    out.push((further << 1) as u8 | (distance >> 2) as u8);
                } else {
                    out.push(FAR);
                    put(out, u64::from(further));
                    put(out, distance);
                }
            }
            // It goes on as before.
            _ if count == current => continue,
            _ => {
                out.push(MOVED);
                put(out, u64::from(further));
                put(out, u64::from(count));
            }
        }
        (at, current) = (offset, count);
    }
}

/// The address of the instruction that the code at `offset` belongs to, and how many are before it in the block.
pub(super) fn find(notes: &[u8], start: GuestAddr, offset: u32) -> (GuestAddr, u64) {
    let (mut at, mut count, mut rest) = (0, 0, notes);
    let mut pcs = vec![];
    let mut last = before(start);
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        // A number is read after the one before it.
        let (further, step) = match first {
            MOVED | FAR => (take(&mut rest), take(&mut rest)),
            short => (u64::from(short >> 1), u64::from(short & 1) * 2 + 2),
        };
        at += further;
        if at > u64::from(offset) {
            break;
        }
        if first == MOVED {
            count = step;
        } else {
            last = last.wrapping_add(step);
            pcs.push(last);
            count = pcs.len() as u64;
        }
    }
    let index = count.saturating_sub(1);
    (pcs.get(index as usize).copied().unwrap_or(start), index)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`find`] must say, from the marks themselves.
    fn expected(marks: &[(u32, u32)], pcs: &[GuestAddr], start: GuestAddr, offset: u32) -> (GuestAddr, u64) {
        let begun = marks.iter().take_while(|mark| mark.0 <= offset).last().map_or(0, |mark| mark.1);
        let index = begun.saturating_sub(1);
        (pcs.get(index as usize).copied().unwrap_or(start), u64::from(index))
    }

    #[test]
    fn every_offset_is_found_again() {
        let pcs = [0x1000, 0x1002, 0x1006, 0x100a, 0x9000_0000_0000, 0x10];
        let marks =
            [(0, 0), (7, 1), (7, 2), (20, 3), (146, 4), (273, 5), (1000, 6), (1010, 0), (1016, 3), (1300, 1)];
        let mut notes = vec![];
        pack(&mut notes, 0x1000, &marks, &pcs);
        for offset in 0..1400 {
            assert_eq!(
                find(&notes, 0x1000, offset),
                expected(&marks, &pcs, 0x1000, offset),
                "offset {offset}"
            );
        }
    }

    #[test]
    fn ordinary_instructions_take_a_byte() {
        let mut notes = vec![];
        pack(&mut notes, 0x1000, &[(8, 1), (12, 2), (16, 3)], &[0x1000, 0x1004, 0x1006]);
        assert_eq!(notes.len(), 3);
    }

    #[test]
    fn a_block_without_instructions_is_at_its_start() {
        let mut notes = vec![];
        pack(&mut notes, 0x40, &[(0, 0), (30, 0)], &[]);
        assert_eq!((find(&notes, 0x40, 0), find(&notes, 0x40, 40)), ((0x40, 0), (0x40, 0)));
    }
}
