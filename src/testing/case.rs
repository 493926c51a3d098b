//! Many short pieces of code in one program: each with its own registers before, registers after, and memory.
//!
//! A case owns a block of data. The program loads all registers from the block, runs the case's code, and stores all
//! registers into the block; at its end it writes all blocks to standard output. So one run of an oracle answers for
//! hundreds of cases, and the answer is everything that instructions can change.
//!
//! ```text
//!   block   0      scratch: what memory instructions reach       CENTRE = 2304: where pointers point
//!           4608   INPUT:  x0-x31, f0-f31, fcsr before
//!           5440   OUTPUT: x0-x31, f0-f31, fcsr after
//!           6144   next block
//! ```

use super::asm::{csr, Asm};
use super::image::{Image, Segment, CODE};
use crate::base::GuestAddr;
use crate::guest::riscv::insn::Op;
use crate::mmu::Prot;

/// Size of a data block.
pub const BLOCK: usize = 6144;
/// Size of the scratch memory: what offsets of 12 bits reach from pointers near [`CENTRE`].
pub const SCRATCH: usize = 4608;
/// Where in its block pointers of a case point.
pub const CENTRE: i64 = 2304;
const INPUT: usize = SCRATCH;
const OUTPUT: usize = 5440;
/// Address of the first block. Below 2 GiB so that constants are short.
const DATA: GuestAddr = 0x1000_0000;

const F_OFFSET: i64 = 256;
const FCSR_OFFSET: i64 = 512;
const SYS_WRITE: u64 = 64;
const SYS_EXIT: u64 = 93;

/// All registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registers {
    /// Integer registers; `x[0]` is 0.
    pub x: [u64; 32],
    /// Floating-point registers.
    pub f: [u64; 32],
    /// Flags and rounding mode.
    pub fcsr: u64,
}

impl Registers {
    /// All zero.
    pub const ZERO: Registers = Registers { x: [0; 32], f: [0; 32], fcsr: 0 };

    fn to_bytes(&self) -> Vec<u8> {
        let all = self.x.iter().chain(&self.f).chain([&self.fcsr]);
        all.flat_map(|value| value.to_le_bytes()).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Registers {
        let value = |index: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[index * 8..index * 8 + 8]);
            u64::from_le_bytes(word)
        };
        Registers {
            x: std::array::from_fn(value),
            f: std::array::from_fn(|i| value(32 + i)),
            fcsr: value(64),
        }
    }
}

/// A piece of position-independent code with what it starts from.
#[derive(Clone, Debug)]
pub struct Case {
    /// The code. It must end by falling out of its end, with `anchor` unchanged.
    pub code: Vec<u8>,
    /// Registers before.
    pub input: Registers,
    /// Registers that are set to addresses instead: of [`CENTRE`] plus the number.
    pub pointers: Vec<(u8, i64)>,
    /// One of the pointers, not `x1`, which finds the block again after the code.
    pub anchor: u8,
    /// Scratch memory before; what is missing is zero.
    pub scratch: Vec<u8>,
}

impl Case {
    /// Code that starts with all registers 0, except that `s0` (x8, the anchor) points to the scratch memory.
    pub fn new(code: Vec<u8>) -> Case {
        Case { code, input: Registers::ZERO, pointers: vec![(8, 0)], anchor: 8, scratch: Vec::new() }
    }

    fn anchor_delta(&self) -> i64 {
        let delta = self.pointers.iter().find(|(reg, _)| *reg == self.anchor).map(|(_, delta)| *delta);
        delta.expect("the anchor is one of the pointers")
    }

    /// The block before the run.
    fn block(&self, addr: GuestAddr) -> Vec<u8> {
        let mut input = self.input.clone();
        for &(reg, delta) in &self.pointers {
            input.x[usize::from(reg)] = addr.wrapping_add_signed(CENTRE + delta);
        }
        input.x[0] = 0;
        let mut block = self.scratch.clone();
        block.resize(SCRATCH, 0);
        block.extend(input.to_bytes());
        block.resize(BLOCK, 0);
        block
    }

    /// Loads all registers. Nothing reserved by an earlier case is left.
    fn prologue(&self, asm: &mut Asm, addr: GuestAddr) {
        let (base, temp) = (self.anchor, if self.anchor == 31 { 30 } else { 31 });
        asm.li(base, addr + INPUT as u64);
        for f in 0..32 {
            asm.i(Op::Fld, f, base, F_OFFSET + i64::from(f) * 8);
        }
        asm.r(Op::ScW, temp, base, temp);
        asm.i(Op::Ld, temp, base, FCSR_OFFSET);
        asm.i(Op::Csrrw, 0, temp, csr::FCSR);
        for x in (1..32).filter(|x| *x != base).chain([base]) {
            asm.i(Op::Ld, x, base, i64::from(x) * 8);
        }
    }

    /// Stores all registers. The anchor moves to the output on the way, so its value after is that plus a constant.
    fn epilogue(&self, asm: &mut Asm) {
        let (base, temp) = (self.anchor, if self.anchor == 31 { 30 } else { 31 });
        let distance = OUTPUT as i64 - CENTRE - self.anchor_delta();
        asm.i(Op::Addi, base, base, 2040);
        asm.i(Op::Addi, base, base, distance - 2040);
        for x in 0..32 {
            asm.s(Op::Sd, base, x, i64::from(x) * 8);
        }
        for f in 0..32 {
            asm.s(Op::Fsd, base, f, F_OFFSET + i64::from(f) * 8);
        }
        asm.i(Op::Csrrs, temp, 0, csr::FCSR);
        asm.s(Op::Sd, base, temp, FCSR_OFFSET);
    }
}

/// A program made of cases.
#[derive(Debug)]
pub struct Batch {
    /// The program.
    pub image: Image,
    /// Address of the code proper of each case.
    pub starts: Vec<GuestAddr>,
    /// Instructions that the program runs besides the cases' own.
    pub overhead: u64,
}

impl Batch {
    /// Puts cases into one program.
    pub fn new(cases: &[Case]) -> Batch {
        let (mut asm, mut data, mut starts, mut overhead) = (Asm::new(), Vec::new(), Vec::new(), 0);
        for case in cases {
            let (addr, before) = (DATA + data.len() as u64, asm.code.len());
            case.prologue(&mut asm, addr);
            starts.push(CODE + asm.code.len() as u64);
            asm.code.extend(&case.code);
            case.epilogue(&mut asm);
            data.extend(case.block(addr));
            overhead += (asm.code.len() - before - case.code.len()) as u64 / 4;
        }
        let before = asm.code.len();
        asm.syscall(SYS_WRITE, &[1, DATA, data.len() as u64]).syscall(SYS_EXIT, &[0]);
        overhead += (asm.code.len() - before) as u64 / 4;
        let code = Segment { addr: CODE, bytes: asm.code, prot: Prot::RX };
        let data = Segment { addr: DATA, bytes: data, prot: Prot::RW };
        Batch { image: Image { segments: vec![code, data], entry: CODE }, starts, overhead }
    }
}

/// What a case left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// Registers; the anchor's is not as the code left it.
    pub registers: Registers,
    /// Scratch memory.
    pub scratch: Vec<u8>,
}

impl After {
    /// Reads what the case at `index` left from the program's output, if it got there.
    pub fn of(output: &[u8], index: usize) -> Option<After> {
        let block = output.get(index * BLOCK..(index + 1) * BLOCK)?;
        Some(After { registers: Registers::from_bytes(&block[OUTPUT..]), scratch: block[..SCRATCH].to_vec() })
    }

    /// The block that a case at `index` of a batch has, as an address.
    pub fn address(index: usize) -> GuestAddr {
        DATA + (index * BLOCK) as u64
    }
}
