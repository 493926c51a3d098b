//! Writes guest code: a thin layer over the encoder.

use crate::guest::riscv::encode::encode;
use crate::guest::riscv::insn::{Insn, Op};

/// The dynamic rounding mode as encoded in an instruction (RISC-V Unpriv. 20.2).
pub const DYNAMIC: u8 = 7;

/// CSR numbers (RISC-V Unpriv. 20.2).
pub mod csr {
    pub const FFLAGS: i64 = 1;
    pub const FRM: i64 = 2;
    pub const FCSR: i64 = 3;
    pub const CYCLE: i64 = 0xc00;
    pub const TIME: i64 = 0xc01;
    pub const INSTRET: i64 = 0xc02;
}

/// An instruction whose operands are all 0.
pub fn insn(op: Op) -> Insn {
    Insn { op, rd: 0, rs1: 0, rs2: 0, rs3: 0, rm: 0, aq: false, rl: false, imm: 0, len: 4 }
}

/// Guest code under construction. All methods append.
///
/// # Panics
/// All methods panic if the instruction has no encoding: a mistake in a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asm {
    /// The code so far.
    pub code: Vec<u8>,
}

impl Asm {
    /// Empty code.
    pub fn new() -> Asm {
        Asm::default()
    }

    /// Any instruction.
    pub fn insn(&mut self, insn: Insn) -> &mut Asm {
        let word = encode(&insn).unwrap_or_else(|| panic!("{insn:?} has no encoding"));
        self.word(word)
    }

    /// A 32-bit word.
    pub fn word(&mut self, word: u32) -> &mut Asm {
        self.code.extend(word.to_le_bytes());
        self
    }

    /// A 16-bit word.
    pub fn half(&mut self, half: u16) -> &mut Asm {
        self.code.extend(half.to_le_bytes());
        self
    }

    /// Destination, source, immediate; also loads and `jalr` (source = base).
    pub fn i(&mut self, op: Op, rd: u8, rs1: u8, imm: i64) -> &mut Asm {
        self.insn(Insn { rd, rs1, imm, ..insn(op) })
    }

    /// Destination and two sources; also atomics (`rs1` = base).
    pub fn r(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8) -> &mut Asm {
        self.insn(Insn { rd, rs1, rs2, ..insn(op) })
    }

    /// Two sources and an offset: stores (`rs1` = base) and branches.
    pub fn s(&mut self, op: Op, rs1: u8, rs2: u8, imm: i64) -> &mut Asm {
        self.insn(Insn { rs1, rs2, imm, ..insn(op) })
    }

    /// Floating-point operation with a rounding mode.
    pub fn f(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8, rm: u8) -> &mut Asm {
        self.insn(Insn { rd, rs1, rs2, rm, ..insn(op) })
    }

    /// Destination and immediate: `lui`, `auipc`, `jal`.
    pub fn u(&mut self, op: Op, rd: u8, imm: i64) -> &mut Asm {
        self.insn(Insn { rd, imm, ..insn(op) })
    }

    /// An instruction without operands.
    pub fn bare(&mut self, op: Op) -> &mut Asm {
        self.insn(insn(op))
    }

    /// Loads a constant, in as few instructions as its size needs.
    pub fn li(&mut self, rd: u8, value: u64) -> &mut Asm {
        let value = value.cast_signed();
        // The low 12 bits as a signed number, and what is left.
        let low = value << 52 >> 52;
        let high = value.wrapping_sub(low);
        if high == 0 {
            return self.i(Op::Addi, rd, 0, low);
        }
        if i64::from(value as i32) == value {
            // An upper part of 2^31 wraps around, which addiw puts right.
            self.u(Op::Lui, rd, i64::from(high as i32));
            return self.i(Op::Addiw, rd, rd, low);
        }
        self.li(rd, (high >> 12).cast_unsigned());
        self.i(Op::Slli, rd, rd, 12);
        self.i(Op::Addi, rd, rd, low)
    }

    /// A system call with up to three arguments.
    pub fn syscall(&mut self, number: u64, args: &[u64]) -> &mut Asm {
        for (reg, &arg) in (10..).zip(args) {
            self.li(reg, arg);
        }
        self.li(17, number);
        self.bare(Op::Ecall)
    }
}
