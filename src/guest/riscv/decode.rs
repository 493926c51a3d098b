//! Decodes RISC-V instructions: an index over the rows, then the fields of the row's format.
//!
//! The index is made from the rows at compile time. A bucket holds the rows that agree with a word in the bits of
//! its key, in the order of the tables: opcode and funct3, with funct7 for the opcodes that have one; or bits 15:10,
//! 6:5 and 1:0 of 16-bit instructions. Decoding is on the way of every program start: nearly always the first row
//! of the bucket is the right one, and the fields are taken out without branches.

use super::compressed::COMPRESSED;
use super::insn::{length, Insn, Op, Row, ROWS};
use super::operand::{Fields, Format};

/// The opcodes (bits 6:2) whose rows differ in bits 31:25 besides 14:12: OP-IMM, OP-IMM-32, AMO, OP, OP-32 and
/// OP-FP (RISC-V Unpriv. 35, opcode map).
const WITH_FUNCT7: [u32; 6] = [0x04, 0x06, 0x0b, 0x0c, 0x0e, 0x14];
const FUNCT3: u32 = 7 << 12;
const FUNCT7: u32 = 0x7f << 25;
/// Bits 15:10, 6:5 and 1:0: what tells 16-bit instructions apart, but for the few that fix a register.
const COMPRESSED_KEY: u32 = 0xfc63;

/// The keys of words that have the same low seven bits, from `first` upwards.
#[derive(Clone, Copy)]
struct Group {
    first: u16,
    /// The low part of the key: the bits under `mask` after a shift to the right.
    shift: u8,
    mask: u8,
    /// The high part of the key: which of bits 31:25, placed from bit 3 upwards.
    high: u16,
}

const GROUPS: [Group; 128] = groups();
const KEYS: usize = GROUPS[127].first as usize + 8;
const ENTRIES: usize = bucket_starts()[KEYS] as usize;

static KEY_GROUPS: [Group; 128] = GROUPS;
/// Bucket k is `CANDIDATES[STARTS[k]..STARTS[k + 1]]`.
static STARTS: [u16; KEYS + 1] = bucket_starts();
/// Indices of `FIXED`.
static CANDIDATES: [u8; ENTRIES] = candidates();

/// What is compared to find the row of a word: of each row, 32-bit rows first.
static FIXED: [Fixed; ROW_COUNT] = fixed();
const ROW_COUNT: usize = ROWS.len() + COMPRESSED.len();

#[derive(Clone, Copy)]
struct Fixed {
    bits: u32,
    mask: u32,
    /// `nonzero` of the row, or all bits: then the condition holds for every word that is not 0.
    nonzero: u32,
    /// The rest of the row that decoding needs, so that it need not look there.
    op: Op,
    format: Format,
}

impl Fixed {
    #[inline(always)]
    fn matches(&self, word: u32) -> bool {
        // One condition, so that it is one branch. No row matches a word of 0, which is reserved.
        (word & self.mask == self.bits) & (word & self.nonzero != 0)
    }
}

/// Decodes the instruction in the low bits of `word`.
///
/// If the low two bits are not 11, only the low 16 bits count. `None` is an illegal instruction: a reserved
/// encoding, an extension that the tables do not have, a privileged instruction, a reserved rounding mode (5 or
/// 6), or an instruction longer than 32 bits. Whether a CSR exists is not decided here.
///
/// Source: RISC-V Unpriv. 20250508, 1.5 (lengths), 20.2 (rounding modes), 27 (16-bit instructions).
#[inline]
pub fn decode(word: u32) -> Option<Insn> {
    let Fixed { op, format, bits, .. } = FIXED[find_index(word)?];
    let Fields { rd, rs1, rs2, rs3, rm, aq, rl, imm } = format.layout().fields(word);
    if rm == 5 || rm == 6 {
        return None;
    }
    Some(Insn { op, rd, rs1, rs2, rs3, rm, aq, rl, imm, len: length(bits) })
}

/// The row of the instruction in the low bits of `word`. The word may still be illegal for its rounding mode.
pub fn find(word: u32) -> Option<&'static Row> {
    find_index(word).map(row)
}

/// The index of the row in `FIXED`.
#[inline(always)]
fn find_index(word: u32) -> Option<usize> {
    let key = key(&KEY_GROUPS, word);
    let bucket = &CANDIDATES[usize::from(STARTS[key])..usize::from(STARTS[key + 1])];
    bucket.iter().map(|i| usize::from(*i)).find(|&i| FIXED[i].matches(word))
}

/// The key of a word; below `KEYS` for every word.
#[inline(always)]
const fn key(groups: &[Group; 128], word: u32) -> usize {
    let group = groups[(word & 0x7f) as usize];
    let low = word >> group.shift & group.mask as u32;
    let high = word >> 22 & group.high as u32;
    group.first as usize + (high | low) as usize
}

const fn groups() -> [Group; 128] {
    let mut groups = [Group { first: 0, shift: 10, mask: 63, high: 0 }; 128];
    let (mut i, mut next) = (0, 0);
    while i < 128 {
        // Bits 4:2 of 16-bit instructions are operands: eight values share the keys of the first.
        if i & 3 != 3 && i & 0x1c != 0 {
            groups[i] = groups[i & 0x63];
        } else if i & 3 != 3 {
            groups[i].first = next;
            next += 64;
        } else {
            let high = if has_funct7(i as u32 >> 2) { 0x3f8 } else { 0 };
            groups[i] = Group { first: next, shift: 12, mask: 7, high };
            next += high + 8;
        }
        i += 1;
    }
    groups
}

const fn has_funct7(opcode: u32) -> bool {
    let mut i = 0;
    while i < WITH_FUNCT7.len() {
        if WITH_FUNCT7[i] == opcode {
            return true;
        }
        i += 1;
    }
    false
}

/// The row with number `i`, counting 32-bit rows first.
const fn row(i: usize) -> &'static Row {
    if i < ROWS.len() {
        &ROWS[i]
    } else {
        &COMPRESSED[i - ROWS.len()]
    }
}

/// The key bits that the row leaves open. Its words fall into one bucket for each of their combinations.
const fn open_bits(row: &Row) -> u32 {
    let key_bits = match row.length() {
        2 => COMPRESSED_KEY,
        _ if has_funct7(row.bits >> 2 & 31) => FUNCT3 | FUNCT7,
        _ => FUNCT3,
    };
    key_bits & !row.mask
}

/// Where each bucket starts, and the end of the last.
const fn bucket_starts() -> [u16; KEYS + 1] {
    let mut starts = [0; KEYS + 1];
    let mut i = 0;
    while i < ROW_COUNT {
        let (bits, open) = (row(i).bits, open_bits(row(i)));
        let mut choice = open;
        // All subsets of the open bits, downwards from all of them to none.
        loop {
            starts[key(&GROUPS, bits | choice) + 1] += 1;
            if choice == 0 {
                break;
            }
            choice = (choice - 1) & open;
        }
        i += 1;
    }
    let mut key = 0;
    while key < KEYS {
        starts[key + 1] += starts[key];
        key += 1;
    }
    starts
}

/// The row numbers of all buckets; within a bucket they are in the order of the tables.
const fn candidates() -> [u8; ENTRIES] {
    let mut free = bucket_starts();
    let mut out = [0; ENTRIES];
    let mut i = 0;
    while i < ROW_COUNT {
        let (bits, open) = (row(i).bits, open_bits(row(i)));
        let mut choice = open;
        loop {
            let key = key(&GROUPS, bits | choice);
            out[free[key] as usize] = i as u8;
            free[key] += 1;
            if choice == 0 {
                break;
            }
            choice = (choice - 1) & open;
        }
        i += 1;
    }
    out
}

const fn fixed() -> [Fixed; ROW_COUNT] {
    let mut out = [Fixed { bits: 0, mask: 0, nonzero: 0, op: row(0).op, format: row(0).format }; ROW_COUNT];
    let mut i = 0;
    while i < ROW_COUNT {
        let row = row(i);
        let nonzero = if row.nonzero == 0 { u32::MAX } else { row.nonzero };
        out[i] = Fixed { bits: row.bits, mask: row.mask, nonzero, op: row.op, format: row.format };
        i += 1;
    }
    out
}

// Row numbers are stored in a byte.
const _: () = assert!(ROW_COUNT <= 256);
