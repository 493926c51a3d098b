//! What is said when a signal kills the guest: the registers and where the program counter stood. Every line says who
//! speaks, so that it can be told from the guest's own.

use super::process::Process;
use crate::base::error::Trap;
use crate::base::state::CpuState;
use crate::mmu::SoftMmu;
use std::fmt::Write;

/// ABI names of x0 to x31 (RISC-V psABI, "Integer Register Convention").
const NAMES: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6",
    "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
];

/// The text, several lines.
pub fn fatal(process: &Process, mmu: &SoftMmu, cpu: &CpuState, signal: i32, trap: Option<&Trap>) -> String {
    let mut text = format!("vmjit: the guest is killed by signal {signal}");
    if let Some(trap) = trap {
        let _ = write!(text, ": {trap}");
    }
    let _ = write!(text, "\nvmjit:   pc   {:016x}", cpu.pc);
    if let Some((name, offset)) = process.symbol_at(cpu.pc) {
        let _ = write!(text, " {name}+{offset:#x}");
    }
    let mut code = [0; 4];
    if mmu.read(cpu.pc, &mut code).is_ok() {
        let _ = write!(text, " [{:08x}]", u32::from_le_bytes(code));
    }
    for (index, name) in NAMES.iter().enumerate() {
        text.push_str(if index % 4 == 0 { "\nvmjit:  " } else { " " });
        let _ = write!(text, " {name:<4} {:016x}", cpu.regs[index]);
    }
    text.push('\n');
    text
}
