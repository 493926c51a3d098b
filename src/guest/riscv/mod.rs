//! The RISC-V guest: RV64GC with Zba, Zbb, Zbs, Zicond, Zicsr and Zifencei, user mode.

pub mod compressed;
pub mod decode;
pub mod disasm;
pub mod encode;
mod float;
pub mod insn;
pub mod memo;
pub mod operand;
pub mod sample;
pub mod translate;

/// ABI names of the integer registers (RISC-V psABI, "Integer Register Convention").
pub const X_NAMES: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6",
    "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
];
