//! Encodes an instruction as its 32-bit form; for tests and for generators of random programs.

use super::decode::decode;
use super::insn::Insn;
use super::operand::{AQ, RL};

/// The 32-bit encoding of an instruction, whatever its `len` is.
///
/// `None` if there is no such encoding: an operand is out of range or not a multiple of what it must be, the
/// rounding mode is reserved, or a field that the operation does not have is not 0.
pub fn encode(insn: &Insn) -> Option<u32> {
    let row = insn.op.row();
    let layout = row.format.layout();
    let word = row.bits
        | layout.rd.put(insn.rd)
        | layout.rs1.put(insn.rs1)
        | layout.rs2.put(insn.rs2)
        | layout.rs3.put(insn.rs3)
        | layout.imm.scatter(insn.imm)
        | if layout.rm { u32::from(insn.rm & 7) << 12 } else { 0 }
        | if layout.order && insn.aq { AQ } else { 0 }
        | if layout.order && insn.rl { RL } else { 0 };
    // Whatever did not fit its field does not come back.
    (decode(word)? == Insn { len: 4, ..*insn }).then_some(word)
}
