//! Lifts RISC-V instructions to IR: integer, memory, atomics, control and CSRs. Floating point is in `float`.
//!
//! Each instruction begins with a `Mark` of its address, so that a fault names it. A write to `x0` vanishes if the
//! operation is pure and goes to a temporary that nobody reads if it is not (a load from a bad address traps even
//! when its result is thrown away).

use super::decode::decode;
use super::float;
use super::insn::{Insn, Op};
use super::memo::Memo;
use crate::base::{GuestAddr, RegId, FIRST_TEMP};
use crate::ir::ops::{Effect, Order};
use crate::ir::{Cond, IRBlock, IROp, Terminator};

/// Most instructions a block holds; longer straight code is cut. Bounds the fuel that one block takes at once.
pub const MAX_BLOCK_INSNS: usize = 64;
/// Bytes that always hold a whole block.
pub const MAX_BLOCK_BYTES: usize = MAX_BLOCK_INSNS * 4;

/// Where results go that nobody reads.
const SINK: RegId = FIRST_TEMP;
/// First temporary of an instruction's own.
const TEMP: RegId = FIRST_TEMP + 1;

/// Lifts the block that begins at `pc`; `code` holds the bytes from there (up to [`MAX_BLOCK_BYTES`] are used).
///
/// The block ends at the first instruction that ends one, after [`MAX_BLOCK_INSNS`], or where `code` ends. `None` if
/// `code` does not hold one whole instruction.
pub fn lift(pc: GuestAddr, code: &[u8]) -> Option<IRBlock> {
    lift_into(pc, code, Vec::with_capacity(32), &mut Memo::tiny())
}

/// As [`lift`], with the operations in memory that is given, and lost if there is no block, and with what was lifted
/// before at hand.
pub fn lift_into(pc: GuestAddr, code: &[u8], mut ops: Vec<IROp>, memo: &mut Memo) -> Option<IRBlock> {
    ops.clear();
    let mut lifter = Lifter { ops, pc, next: pc, memo };
    for _ in 0..MAX_BLOCK_INSNS {
        let at = (lifter.next - pc) as usize;
        let Some(word) = word_at(code, at) else { break };
        lifter.pc = lifter.next;
        if let Some(term) = lifter.instruction(word) {
            return Some(IRBlock { start_pc: pc, ops: lifter.ops, term });
        }
    }
    let next = lifter.next;
    (next != pc).then_some(IRBlock { start_pc: pc, ops: lifter.ops, term: Terminator::Jump { target: next } })
}

/// The instruction word at an offset, if all its bytes are there; a 16-bit instruction has zeroes above it.
fn word_at(code: &[u8], at: usize) -> Option<u32> {
    let low = u16::from_le_bytes([*code.get(at)?, *code.get(at + 1)?]);
    if low & 3 != 3 {
        return Some(u32::from(low));
    }
    let high = u16::from_le_bytes([*code.get(at + 2)?, *code.get(at + 3)?]);
    Some(u32::from(high) << 16 | u32::from(low))
}

/// A block under construction.
pub(super) struct Lifter<'a> {
    ops: Vec<IROp>,
    /// Address of the instruction being lifted.
    pc: GuestAddr,
    /// Address of the one after it.
    next: GuestAddr,
    /// What other instructions meant.
    memo: &'a mut Memo,
}

impl Lifter<'_> {
    /// Lifts one instruction; returns the terminator if it ends the block.
    #[inline(always)]
    fn instruction(&mut self, word: u32) -> Option<Terminator> {
        if let Some(op) = self.memo.get(word) {
            self.ops.extend_from_slice(&[IROp::Mark { pc: self.pc }, *op]);
            self.next = self.pc.wrapping_add(if word & 3 == 3 { 4 } else { 2 });
            return None;
        }
        self.new_instruction(word)
    }

    /// Lifts one that is not remembered.
    fn new_instruction(&mut self, word: u32) -> Option<Terminator> {
        let Some(insn) = decode(word) else {
            self.mark();
            return Some(Terminator::Illegal);
        };
        if reads_retired(&insn) && !self.ops.is_empty() {
            // The count is that of the instructions before the block, so the block must begin here.
            return Some(Terminator::Jump { target: self.pc });
        }
        self.mark();
        self.next = self.pc.wrapping_add(u64::from(insn.len));
        if insn.op.row().ends_block {
            return Some(self.control(&insn));
        }
        if let Some(op) = integer(&insn).or_else(|| memory(&insn)).or_else(|| float::lift(&insn)) {
            if let Some(op) = self.push(op) {
                self.memo.put(word, op);
            }
            return None;
        }
        match insn.op {
            Op::Auipc => {
                let imm = self.pc.wrapping_add_signed(insn.imm).cast_signed();
                self.push(IROp::Const { dst: insn.rd, imm });
            }
            Op::Fence => self.ops.push(IROp::Fence {}),
            _ => return self.csr(&insn),
        }
        None
    }

    fn mark(&mut self) {
        self.ops.push(IROp::Mark { pc: self.pc });
    }

    /// Appends an operation whose destination may be `x0`; returns what was appended.
    fn push(&mut self, mut op: IROp) -> Option<IROp> {
        if op.def() == Some(0) {
            if op.info().effect == Effect::Pure {
                return None;
            }
            op.operands(&mut |operand| {
                if let crate::ir::ops::Operand::Def(reg) = operand {
                    *reg = SINK;
                }
            });
        }
        let op = simplify(op);
        self.ops.push(op);
        Some(op)
    }

    fn control(&mut self, insn: &Insn) -> Terminator {
        let target = self.pc.wrapping_add_signed(insn.imm);
        let branch = |cond| Terminator::Branch {
            cond,
            src1: insn.rs1,
            src2: insn.rs2,
            taken: target,
            fallthrough: self.next,
        };
        match insn.op {
            Op::Beq => branch(Cond::Eq),
            Op::Bne => branch(Cond::Ne),
            Op::Blt => branch(Cond::Lt),
            Op::Bge => branch(Cond::Ge),
            Op::Bltu => branch(Cond::Ltu),
            Op::Bgeu => branch(Cond::Geu),
            Op::Jal => self.jal(insn, target),
            Op::Jalr => self.jalr(insn),
            Op::Ecall => Terminator::Syscall { next: self.next },
            Op::Ebreak => Terminator::Breakpoint,
            Op::FenceI => Terminator::SyncCode { next: self.next },
            _ => Terminator::Illegal,
        }
    }

    fn jal(&mut self, insn: &Insn, target: GuestAddr) -> Terminator {
        self.link(insn.rd);
        if is_link(insn.rd) {
            return Terminator::Call { target, return_to: self.next };
        }
        Terminator::Jump { target }
    }

    /// Calls and returns are told apart by the registers (RISC-V Unpriv. 2.5.1, return-address stack hints).
    fn jalr(&mut self, insn: &Insn) -> Terminator {
        let (mut base, offset) = (insn.rs1, insn.imm);
        if insn.rd == insn.rs1 && insn.rd != 0 {
            // The target is computed before the link register is written.
            self.ops.push(IROp::Copy { dst: TEMP, src: base });
            base = TEMP;
        }
        self.link(insn.rd);
        if is_link(insn.rd) {
            Terminator::CallIndirect { base, offset, return_to: self.next }
        } else if is_link(insn.rs1) {
            Terminator::ReturnIndirect { base, offset }
        } else {
            Terminator::JumpIndirect { base, offset }
        }
    }

    fn link(&mut self, rd: RegId) {
        self.push(IROp::Const { dst: rd, imm: self.next.cast_signed() });
    }

    /// Zicsr: read the old value unless nobody sees it, write the new one unless nothing is written, in this order.
    fn csr(&mut self, insn: &Insn) -> Option<Terminator> {
        use Op::{Csrrc, Csrrci, Csrrs, Csrrsi, Csrrw, Csrrwi};
        let swaps = matches!(insn.op, Csrrw | Csrrwi);
        let immediate = matches!(insn.op, Csrrwi | Csrrsi | Csrrci);
        let reads = !swaps || insn.rd != 0;
        let writes = swaps || insn.rs1 != 0;
        let (old, operand, new) = (TEMP, TEMP + 1, TEMP + 2);
        let Some(csr) = Csr::of(insn.imm).filter(|csr| csr.is_writable() || !writes) else {
            return Some(Terminator::Illegal);
        };
        if reads {
            self.ops.push(csr.read(old));
        }
        if writes {
            match immediate {
                true => self.ops.push(IROp::Const { dst: operand, imm: i64::from(insn.rs1) }),
                false => self.ops.push(IROp::Copy { dst: operand, src: insn.rs1 }),
            }
            match insn.op {
                Csrrs | Csrrsi => self.ops.push(IROp::Or { dst: new, src1: old, src2: operand }),
                Csrrc | Csrrci => self.ops.push(IROp::AndNot { dst: new, src1: old, src2: operand }),
                _ => self.ops.push(IROp::Copy { dst: new, src: operand }),
            }
            self.ops.extend(csr.write(new));
        }
        if reads {
            self.push(IROp::Copy { dst: insn.rd, src: old });
        }
        None
    }
}

/// The CSRs of user mode (RISC-V Unpriv. F "fcsr"; Zicntr).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Csr {
    Fflags,
    Frm,
    Fcsr,
    Cycle,
    Time,
    Instret,
}

impl Csr {
    fn of(number: i64) -> Option<Csr> {
        Some(match number {
            0x001 => Csr::Fflags,
            0x002 => Csr::Frm,
            0x003 => Csr::Fcsr,
            0xc00 => Csr::Cycle,
            0xc01 => Csr::Time,
            0xc02 => Csr::Instret,
            _ => return None,
        })
    }

    fn is_writable(self) -> bool {
        matches!(self, Csr::Fflags | Csr::Frm | Csr::Fcsr)
    }

    fn read(self, dst: RegId) -> IROp {
        match self {
            Csr::Fflags => IROp::ReadFlags { dst },
            Csr::Frm => IROp::ReadRound { dst },
            Csr::Fcsr => IROp::ReadFcsr { dst },
            Csr::Time => IROp::ReadTime { dst },
            // An instruction takes one cycle here.
            Csr::Cycle | Csr::Instret => IROp::ReadRetired { dst },
        }
    }

    fn write(self, src: RegId) -> Option<IROp> {
        match self {
            Csr::Fflags => Some(IROp::WriteFlags { src }),
            Csr::Frm => Some(IROp::WriteRound { src }),
            Csr::Fcsr => Some(IROp::WriteFcsr { src }),
            Csr::Cycle | Csr::Time | Csr::Instret => None,
        }
    }
}

fn reads_retired(insn: &Insn) -> bool {
    let csr = matches!(insn.op, Op::Csrrs | Op::Csrrc | Op::Csrrsi | Op::Csrrci | Op::Csrrw | Op::Csrrwi);
    csr && matches!(Csr::of(insn.imm), Some(Csr::Cycle | Csr::Instret))
}

/// Whether a register is a link register (RISC-V Unpriv. 2.5.1: `x1` and `x5`).
fn is_link(reg: RegId) -> bool {
    reg == 1 || reg == 5
}

/// Moves and constants in the forms that compilers write them in.
fn simplify(op: IROp) -> IROp {
    match op {
        IROp::AddImm { dst, src: 0, imm } | IROp::OrImm { dst, src: 0, imm } => IROp::Const { dst, imm },
        IROp::AddWImm { dst, src: 0, imm } => IROp::Const { dst, imm },
        IROp::AddImm { dst, src, imm: 0 } => IROp::Copy { dst, src },
        IROp::Add { dst, src1: 0, src2: src } | IROp::Add { dst, src1: src, src2: 0 } => {
            IROp::Copy { dst, src }
        }
        IROp::SignF64 { dst, src1, src2 } if src1 == src2 => IROp::Copy { dst, src: src1 },
        op => op,
    }
}

/// Register-register, register-immediate and unary integer instructions.
#[rustfmt::skip] // one row per line
fn integer(insn: &Insn) -> Option<IROp> {
    let Insn { op, rd: dst, rs1, rs2, imm, .. } = *insn;
    let (src, src1, src2) = (rs1, rs1, rs2);
    Some(match op {
        Op::Lui => IROp::Const { dst, imm },
        Op::Add => IROp::Add { dst, src1, src2 },
        Op::Sub => IROp::Sub { dst, src1, src2 },
        Op::Sll => IROp::Shl { dst, src1, src2 },
        Op::Slt => IROp::SetLt { dst, src1, src2 },
        Op::Sltu => IROp::SetLtu { dst, src1, src2 },
        Op::Xor => IROp::Xor { dst, src1, src2 },
        Op::Srl => IROp::Shr { dst, src1, src2 },
        Op::Sra => IROp::Sar { dst, src1, src2 },
        Op::Or => IROp::Or { dst, src1, src2 },
        Op::And => IROp::And { dst, src1, src2 },
        Op::Addw => IROp::AddW { dst, src1, src2 },
        Op::Subw => IROp::SubW { dst, src1, src2 },
        Op::Sllw => IROp::ShlW { dst, src1, src2 },
        Op::Srlw => IROp::ShrW { dst, src1, src2 },
        Op::Sraw => IROp::SarW { dst, src1, src2 },
        Op::Addi => IROp::AddImm { dst, src, imm },
        Op::Slti => IROp::SetLtImm { dst, src, imm },
        Op::Sltiu => IROp::SetLtuImm { dst, src, imm },
        Op::Xori => IROp::XorImm { dst, src, imm },
        Op::Ori => IROp::OrImm { dst, src, imm },
        Op::Andi => IROp::AndImm { dst, src, imm },
        Op::Slli => IROp::ShlImm { dst, src, imm },
        Op::Srli => IROp::ShrImm { dst, src, imm },
        Op::Srai => IROp::SarImm { dst, src, imm },
        Op::Addiw => IROp::AddWImm { dst, src, imm },
        Op::Slliw => IROp::ShlWImm { dst, src, imm },
        Op::Srliw => IROp::ShrWImm { dst, src, imm },
        Op::Sraiw => IROp::SarWImm { dst, src, imm },
        Op::Mul => IROp::Mul { dst, src1, src2 },
        Op::Mulh => IROp::MulH { dst, src1, src2 },
        Op::Mulhsu => IROp::MulHSU { dst, src1, src2 },
        Op::Mulhu => IROp::MulHU { dst, src1, src2 },
        Op::Div => IROp::Div { dst, src1, src2 },
        Op::Divu => IROp::DivU { dst, src1, src2 },
        Op::Rem => IROp::Rem { dst, src1, src2 },
        Op::Remu => IROp::RemU { dst, src1, src2 },
        Op::Mulw => IROp::MulW { dst, src1, src2 },
        Op::Divw => IROp::DivW { dst, src1, src2 },
        Op::Divuw => IROp::DivUW { dst, src1, src2 },
        Op::Remw => IROp::RemW { dst, src1, src2 },
        Op::Remuw => IROp::RemUW { dst, src1, src2 },
        Op::AddUw => IROp::AddUw { dst, src1, src2 },
        Op::Sh1add => IROp::ShlAdd1 { dst, src1, src2 },
        Op::Sh2add => IROp::ShlAdd2 { dst, src1, src2 },
        Op::Sh3add => IROp::ShlAdd3 { dst, src1, src2 },
        Op::Sh1addUw => IROp::ShlAdd1Uw { dst, src1, src2 },
        Op::Sh2addUw => IROp::ShlAdd2Uw { dst, src1, src2 },
        Op::Sh3addUw => IROp::ShlAdd3Uw { dst, src1, src2 },
        Op::SlliUw => IROp::ShlUwImm { dst, src, imm },
        Op::Andn => IROp::AndNot { dst, src1, src2 },
        Op::Orn => IROp::OrNot { dst, src1, src2 },
        Op::Xnor => IROp::XorNot { dst, src1, src2 },
        Op::Clz => IROp::Clz { dst, src },
        Op::Ctz => IROp::Ctz { dst, src },
        Op::Cpop => IROp::Popcnt { dst, src },
        Op::Clzw => IROp::ClzW { dst, src },
        Op::Ctzw => IROp::CtzW { dst, src },
        Op::Cpopw => IROp::PopcntW { dst, src },
        Op::Max => IROp::Max { dst, src1, src2 },
        Op::Maxu => IROp::MaxU { dst, src1, src2 },
        Op::Min => IROp::Min { dst, src1, src2 },
        Op::Minu => IROp::MinU { dst, src1, src2 },
        Op::SextB => IROp::SextB { dst, src },
        Op::SextH => IROp::SextH { dst, src },
        Op::ZextH => IROp::ZextH { dst, src },
        Op::Rol => IROp::Rotl { dst, src1, src2 },
        Op::Ror => IROp::Rotr { dst, src1, src2 },
        Op::Rori => IROp::RotrImm { dst, src, imm },
        Op::Rolw => IROp::RotlW { dst, src1, src2 },
        Op::Rorw => IROp::RotrW { dst, src1, src2 },
        Op::Roriw => IROp::RotrWImm { dst, src, imm },
        Op::OrcB => IROp::OrBytes { dst, src },
        Op::Rev8 => IROp::ByteSwap { dst, src },
        Op::Bclr => IROp::BitClear { dst, src1, src2 },
        Op::Bclri => IROp::BitClearImm { dst, src, imm },
        Op::Bext => IROp::BitExtract { dst, src1, src2 },
        Op::Bexti => IROp::BitExtractImm { dst, src, imm },
        Op::Binv => IROp::BitInvert { dst, src1, src2 },
        Op::Binvi => IROp::BitInvertImm { dst, src, imm },
        Op::Bset => IROp::BitSet { dst, src1, src2 },
        Op::Bseti => IROp::BitSetImm { dst, src, imm },
        Op::CzeroEqz => IROp::ZeroIfZero { dst, src1, src2 },
        Op::CzeroNez => IROp::ZeroIfNot { dst, src1, src2 },
        _ => return None,
    })
}

/// Integer loads and stores, and atomics.
#[rustfmt::skip] // one row per line
fn memory(insn: &Insn) -> Option<IROp> {
    let Insn { op, rd: dst, rs1: base, rs2: src, imm: offset, .. } = *insn;
    let order = match (insn.aq, insn.rl) {
        (false, false) => Order::Relaxed,
        (true, false) => Order::Acquire,
        (false, true) => Order::Release,
        (true, true) => Order::AcquireRelease,
    };
    Some(match op {
        Op::Lb => IROp::LoadS8 { dst, base, offset },
        Op::Lh => IROp::LoadS16 { dst, base, offset },
        Op::Lw => IROp::LoadS32 { dst, base, offset },
        Op::Lbu => IROp::LoadU8 { dst, base, offset },
        Op::Lhu => IROp::LoadU16 { dst, base, offset },
        Op::Lwu => IROp::LoadU32 { dst, base, offset },
        Op::Ld => IROp::Load { dst, base, offset },
        Op::Sb => IROp::Store8 { src, base, offset },
        Op::Sh => IROp::Store16 { src, base, offset },
        Op::Sw => IROp::Store32 { src, base, offset },
        Op::Sd => IROp::Store { src, base, offset },
        Op::LrW => IROp::LoadReserved32 { dst, base, order },
        Op::LrD => IROp::LoadReserved64 { dst, base, order },
        Op::ScW => IROp::StoreConditional32 { dst, src, base, order },
        Op::ScD => IROp::StoreConditional64 { dst, src, base, order },
        Op::AmoswapW => IROp::SwapAt32 { dst, src, base, order },
        Op::AmoaddW => IROp::AddAt32 { dst, src, base, order },
        Op::AmoxorW => IROp::XorAt32 { dst, src, base, order },
        Op::AmoandW => IROp::AndAt32 { dst, src, base, order },
        Op::AmoorW => IROp::OrAt32 { dst, src, base, order },
        Op::AmominW => IROp::MinAt32 { dst, src, base, order },
        Op::AmomaxW => IROp::MaxAt32 { dst, src, base, order },
        Op::AmominuW => IROp::MinUAt32 { dst, src, base, order },
        Op::AmomaxuW => IROp::MaxUAt32 { dst, src, base, order },
        Op::AmoswapD => IROp::SwapAt64 { dst, src, base, order },
        Op::AmoaddD => IROp::AddAt64 { dst, src, base, order },
        Op::AmoxorD => IROp::XorAt64 { dst, src, base, order },
        Op::AmoandD => IROp::AndAt64 { dst, src, base, order },
        Op::AmoorD => IROp::OrAt64 { dst, src, base, order },
        Op::AmominD => IROp::MinAt64 { dst, src, base, order },
        Op::AmomaxD => IROp::MaxAt64 { dst, src, base, order },
        Op::AmominuD => IROp::MinUAt64 { dst, src, base, order },
        Op::AmomaxuD => IROp::MaxUAt64 { dst, src, base, order },
        _ => return None,
    })
}
