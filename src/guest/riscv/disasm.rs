//! Prints instructions as GNU binutils does with `-M no-aliases`, ABI register names, and one space after the
//! mnemonic.
//!
//! 16-bit instructions keep their own names (`c.addi a0,1`). What [`super::decode`] does not know is printed as
//! `.2byte 0x…` or `.4byte 0x…`. Code addresses are absolute. CSRs have names if user programs can see them and
//! are numbers otherwise.

use super::decode::{decode, find};
use super::insn::{Insn, Op, Row};
use super::operand::{Class, Operand, Role};
use super::X_NAMES;
use std::fmt::Write;

/// ABI names of f0-f31 (RISC-V ELF psABI, "Register Convention").
#[rustfmt::skip] // eight to a line
pub static F_NAMES: [&str; 32] = [
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7",
    "fs0", "fs1", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5",
    "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7",
    "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
];

/// Names of rounding modes by encoding; 5 and 6 are reserved (RISC-V Unpriv. 20.2).
static ROUNDING: [&str; 8] = ["rne", "rtz", "rdn", "rup", "rmm", "unknown", "unknown", "dyn"];

/// The CSRs that user programs can name: number, name (RISC-V Unpriv. 20.2 and 7.1).
pub static USER_CSRS: [(i64, &str); 6] = [
    (0x001, "fflags"),
    (0x002, "frm"),
    (0x003, "fcsr"),
    (0xc00, "cycle"),
    (0xc01, "time"),
    (0xc02, "instret"),
];

/// fm, predecessor and successor sets of `fence.tso` (RISC-V Unpriv. 2.7).
const FENCE_TSO: i64 = 0x833;

/// The text of the instruction in the low bits of `word` (the low 16 if the low two bits are not 11), which lies
/// at address `pc`.
pub fn disassemble(word: u32, pc: u64) -> String {
    match (find(word), decode(word)) {
        (Some(row), Some(insn)) => text(row, &insn, pc),
        _ if word & 3 == 3 => format!(".4byte {word:#x}"),
        _ => format!(".2byte {:#x}", word & 0xffff),
    }
}

fn text(row: &Row, insn: &Insn, pc: u64) -> String {
    if insn.op == Op::Fence && insn.imm == FENCE_TSO {
        return "fence.tso".to_string();
    }
    let mut out = row.name.to_string();
    if row.format.layout().order {
        out.push_str(order_suffix(insn));
    }
    let mut separator = ' ';
    for operand in row.format.layout().operands {
        let shown = operand_text(operand, insn, pc);
        if !shown.is_empty() {
            out.push(separator);
            out.push_str(&shown);
            separator = ',';
        }
    }
    out
}

fn order_suffix(insn: &Insn) -> &'static str {
    match (insn.aq, insn.rl) {
        (false, false) => "",
        (true, false) => ".aq",
        (false, true) => ".rl",
        (true, true) => ".aqrl",
    }
}

/// The text of one operand; empty if it is not shown.
fn operand_text(operand: &Operand, insn: &Insn, pc: u64) -> String {
    match *operand {
        Operand::Reg(role, class, _) => register(role, class, insn).to_string(),
        Operand::Hidden(..) | Operand::AqRl => String::new(),
        Operand::Dec(_) => insn.imm.to_string(),
        Operand::Hex(_) => format!("{:#x}", insn.imm),
        Operand::Upper(_) => format!("{:#x}", insn.imm >> 12 & 0xf_ffff),
        Operand::Target(_) => format!("{:#x}", pc.wrapping_add_signed(insn.imm)),
        Operand::Memory(..) => format!("{}({})", insn.imm, register(Role::Rs1, Class::X, insn)),
        Operand::Address(_) => format!("({})", register(Role::Rs1, Class::X, insn)),
        Operand::Csr => csr(insn.imm),
        Operand::Zimm => insn.rs1.to_string(),
        Operand::Order => format!("{},{}", fence_set(insn.imm >> 4), fence_set(insn.imm)),
        Operand::Rm if insn.rm == 7 => String::new(),
        Operand::RmExact if insn.rm == 0 => String::new(),
        Operand::Rm | Operand::RmExact => ROUNDING[usize::from(insn.rm & 7)].to_string(),
    }
}

fn register(role: Role, class: Class, insn: &Insn) -> &'static str {
    let number = match role {
        Role::Rd | Role::RdRs1 => insn.rd,
        Role::Rs1 => insn.rs1,
        Role::Rs2 => insn.rs2,
        Role::Rs3 => insn.rs3,
    };
    let names = if class == Class::X { &X_NAMES } else { &F_NAMES };
    names[usize::from(number & 31)]
}

/// The name of a CSR, or its number. hpmcounter3 to hpmcounter31 are 0xc03 to 0xc1f (RISC-V Unpriv. 7.2).
fn csr(number: i64) -> String {
    match USER_CSRS.iter().find(|(n, _)| *n == number) {
        Some((_, name)) => (*name).to_string(),
        None if (0xc03..=0xc1f).contains(&number) => format!("hpmcounter{}", number - 0xc00),
        None => format!("{number:#x}"),
    }
}

/// The letters of a predecessor or successor set in bits 3:0; binutils calls the empty one `unknown`.
fn fence_set(bits: i64) -> String {
    let mut out = String::new();
    for (bit, letter) in [(8, 'i'), (4, 'o'), (2, 'r'), (1, 'w')] {
        if bits & bit != 0 {
            let _ = out.write_char(letter);
        }
    }
    if out.is_empty() {
        "unknown".to_string()
    } else {
        out
    }
}
