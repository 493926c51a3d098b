//! THE table of 32-bit RISC-V instructions: one row per instruction, in the manual's order.
//!
//! The rows make the [`Op`] enum and [`ROWS`]; decoder, encoder, disassembler, sample generator and
//! `docs/riscv.md` are driven by them. Nothing lists the instructions a second time, so whoever has checked this
//! list against the manual has checked what the engine takes for an instruction. 16-bit instructions are the rows
//! of [`super::compressed`].
//!
//! A word whose bits under `mask` equal `match` is the instruction; all other bits are operands of the format
//! ([`super::operand::Format`]) or, for `fence` and `fence.i`, fields that the manual says to ignore. What no row
//! matches is reserved and an illegal instruction; so are `sret`, `mret` and `wfi` in user mode.
//!
//! Sections are those of the RISC-V Unprivileged ISA, document version 20250508.

use super::operand::Format;
use crate::base::text::Text;

/// One instruction, decoded. Fields that the operation does not have are 0, so that equal means the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insn {
    /// The operation.
    pub op: Op,
    /// Destination, 0-31: an x or an f register, as the operation says.
    pub rd: u8,
    /// First source, 0-31; the 5-bit immediate of `csrrwi`, `csrrsi`, `csrrci`.
    pub rs1: u8,
    /// Second source, 0-31.
    pub rs2: u8,
    /// Third source of the fused multiply-adds, 0-31.
    pub rs3: u8,
    /// Rounding mode of floating-point operations as encoded: 0-4, or 7 for the dynamic one.
    pub rm: u8,
    /// Acquire ordering of an atomic operation.
    pub aq: bool,
    /// Release ordering of an atomic operation.
    pub rl: bool,
    /// Sign-extended immediate; offset in bytes of loads, stores, branches and jumps; shift amount; CSR number;
    /// value already shifted left by 12 of `lui` and `auipc`; fm, predecessor and successor sets of a fence in
    /// bits 11:8, 7:4 and 3:0 (i, o, r, w from the highest).
    pub imm: i64,
    /// Length in bytes: 2 or 4.
    pub len: u8,
}

/// The extension that an instruction belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// RV32I and RV64I base instructions.
    I,
    /// Instruction-fetch fence.
    Zifencei,
    /// Access to control and status registers.
    Zicsr,
    /// Multiplication and division.
    M,
    /// Atomic operations.
    A,
    /// Single-precision floating point.
    F,
    /// Double-precision floating point.
    D,
    /// 16-bit instructions.
    C,
    /// Address generation.
    Zba,
    /// Basic bit manipulation.
    Zbb,
    /// Single-bit instructions.
    Zbs,
    /// Integer conditional operations.
    Zicond,
}

/// One row of an instruction table.
#[derive(Debug)]
pub struct Row {
    /// Assembler mnemonic.
    pub name: Text<12>,
    /// The value of the fixed bits ("match" in the manual's opcode tables).
    pub bits: u32,
    /// Which bits are fixed. Rows of 16-bit instructions fix none above bit 15.
    pub mask: u32,
    /// Operand bits that must not all be zero, or 0: how the manual reserves encodings of 16-bit instructions.
    pub nonzero: u32,
    /// The operands and where they lie.
    pub format: Format,
    /// The extension that defines the instruction.
    pub extension: Extension,
    /// True if control may not go on to the next instruction, or the next one may have to be fetched again.
    pub ends_block: bool,
    /// Section of the RISC-V Unprivileged ISA 20250508.
    pub section: Text<8>,
    /// The operation; of a 16-bit instruction, that of its expansion.
    pub op: Op,
}

impl Row {
    /// Length of the instruction in bytes: 2 or 4.
    pub const fn length(&self) -> u8 {
        length(self.bits)
    }
}

/// Length in bytes of an instruction with these low bits (RISC-V Unpriv. 1.5).
pub const fn length(bits: u32) -> u8 {
    if bits & 3 == 3 {
        4
    } else {
        2
    }
}

macro_rules! rows {
    ($($op:ident $name:literal $bits:literal $mask:literal $format:ident $ext:ident $ends:ident $section:literal;)*) => {
        /// An operation: one variant per row of the 32-bit table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Op {
            $(#[doc = concat!("`", $name, "`, RISC-V Unpriv. ", $section)] $op,)*
        }

        /// The rows of the 32-bit instructions, in the order of [`Op`].
        pub static ROWS: &[Row] = &TABLE;

        /// A static of its own, so that each row has one address.
        static TABLE: [Row; [$(Op::$op),*].len()] = [$(Row {
            name: Text::new($name),
            bits: $bits,
            mask: $mask,
            nonzero: 0,
            format: Format::$format,
            extension: Extension::$ext,
            ends_block: rows!(@$ends),
            section: Text::new($section),
            op: Op::$op,
        }),*];
    };
    (@yes) => { true };
    (@no) => { false };
}

impl Op {
    /// The row of the operation.
    #[inline]
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The assembler mnemonic of the operation.
    pub fn name(self) -> &'static str {
        &self.row().name
    }
}

// Rows never wrap: a row is held against the manual as one line.
#[rustfmt::skip]
rows! {
    // Op      name            match       mask        format       extension ends section
    // RV32I and RV64I.
    Lui       "lui"         0x0000_0037 0x0000_007f U            I        no  "2.4.1";
    Auipc     "auipc"       0x0000_0017 0x0000_007f U            I        no  "2.4.1";
    Jal       "jal"         0x0000_006f 0x0000_007f J            I        yes "2.5.1";
    Jalr      "jalr"        0x0000_0067 0x0000_707f Jalr         I        yes "2.5.1";
    Beq       "beq"         0x0000_0063 0x0000_707f Branch       I        yes "2.5.2";
    Bne       "bne"         0x0000_1063 0x0000_707f Branch       I        yes "2.5.2";
    Blt       "blt"         0x0000_4063 0x0000_707f Branch       I        yes "2.5.2";
    Bge       "bge"         0x0000_5063 0x0000_707f Branch       I        yes "2.5.2";
    Bltu      "bltu"        0x0000_6063 0x0000_707f Branch       I        yes "2.5.2";
    Bgeu      "bgeu"        0x0000_7063 0x0000_707f Branch       I        yes "2.5.2";
    Lb        "lb"          0x0000_0003 0x0000_707f Load         I        no  "2.6";
    Lh        "lh"          0x0000_1003 0x0000_707f Load         I        no  "2.6";
    Lw        "lw"          0x0000_2003 0x0000_707f Load         I        no  "2.6";
    Lbu       "lbu"         0x0000_4003 0x0000_707f Load         I        no  "2.6";
    Lhu       "lhu"         0x0000_5003 0x0000_707f Load         I        no  "2.6";
    Lwu       "lwu"         0x0000_6003 0x0000_707f Load         I        no  "4.3";
    Ld        "ld"          0x0000_3003 0x0000_707f Load         I        no  "4.3";
    Sb        "sb"          0x0000_0023 0x0000_707f Store        I        no  "2.6";
    Sh        "sh"          0x0000_1023 0x0000_707f Store        I        no  "2.6";
    Sw        "sw"          0x0000_2023 0x0000_707f Store        I        no  "2.6";
    Sd        "sd"          0x0000_3023 0x0000_707f Store        I        no  "4.3";
    Addi      "addi"        0x0000_0013 0x0000_707f I            I        no  "2.4.1";
    Slti      "slti"        0x0000_2013 0x0000_707f I            I        no  "2.4.1";
    Sltiu     "sltiu"       0x0000_3013 0x0000_707f I            I        no  "2.4.1";
    Xori      "xori"        0x0000_4013 0x0000_707f I            I        no  "2.4.1";
    Ori       "ori"         0x0000_6013 0x0000_707f I            I        no  "2.4.1";
    Andi      "andi"        0x0000_7013 0x0000_707f I            I        no  "2.4.1";
    Slli      "slli"        0x0000_1013 0xfc00_707f Shift6       I        no  "4.2.1";
    Srli      "srli"        0x0000_5013 0xfc00_707f Shift6       I        no  "4.2.1";
    Srai      "srai"        0x4000_5013 0xfc00_707f Shift6       I        no  "4.2.1";
    Add       "add"         0x0000_0033 0xfe00_707f R            I        no  "2.4.2";
    Sub       "sub"         0x4000_0033 0xfe00_707f R            I        no  "2.4.2";
    Sll       "sll"         0x0000_1033 0xfe00_707f R            I        no  "2.4.2";
    Slt       "slt"         0x0000_2033 0xfe00_707f R            I        no  "2.4.2";
    Sltu      "sltu"        0x0000_3033 0xfe00_707f R            I        no  "2.4.2";
    Xor       "xor"         0x0000_4033 0xfe00_707f R            I        no  "2.4.2";
    Srl       "srl"         0x0000_5033 0xfe00_707f R            I        no  "2.4.2";
    Sra       "sra"         0x4000_5033 0xfe00_707f R            I        no  "2.4.2";
    Or        "or"          0x0000_6033 0xfe00_707f R            I        no  "2.4.2";
    And       "and"         0x0000_7033 0xfe00_707f R            I        no  "2.4.2";
    Addiw     "addiw"       0x0000_001b 0x0000_707f I            I        no  "4.2.1";
    Slliw     "slliw"       0x0000_101b 0xfe00_707f Shift5       I        no  "4.2.1";
    Srliw     "srliw"       0x0000_501b 0xfe00_707f Shift5       I        no  "4.2.1";
    Sraiw     "sraiw"       0x4000_501b 0xfe00_707f Shift5       I        no  "4.2.1";
    Addw      "addw"        0x0000_003b 0xfe00_707f R            I        no  "4.2.2";
    Subw      "subw"        0x4000_003b 0xfe00_707f R            I        no  "4.2.2";
    Sllw      "sllw"        0x0000_103b 0xfe00_707f R            I        no  "4.2.2";
    Srlw      "srlw"        0x0000_503b 0xfe00_707f R            I        no  "4.2.2";
    Sraw      "sraw"        0x4000_503b 0xfe00_707f R            I        no  "4.2.2";
    Fence     "fence"       0x0000_000f 0x0000_707f Fence        I        no  "2.7";
    Ecall     "ecall"       0x0000_0073 0xffff_ffff None         I        yes "2.8";
    Ebreak    "ebreak"      0x0010_0073 0xffff_ffff None         I        yes "2.8";
    // Zifencei.
    FenceI    "fence.i"     0x0000_100f 0x0000_707f None         Zifencei yes "5";
    // Zicsr.
    Csrrw     "csrrw"       0x0000_1073 0x0000_707f Csr          Zicsr    no  "6.1";
    Csrrs     "csrrs"       0x0000_2073 0x0000_707f Csr          Zicsr    no  "6.1";
    Csrrc     "csrrc"       0x0000_3073 0x0000_707f Csr          Zicsr    no  "6.1";
    Csrrwi    "csrrwi"      0x0000_5073 0x0000_707f CsrImm       Zicsr    no  "6.1";
    Csrrsi    "csrrsi"      0x0000_6073 0x0000_707f CsrImm       Zicsr    no  "6.1";
    Csrrci    "csrrci"      0x0000_7073 0x0000_707f CsrImm       Zicsr    no  "6.1";
    // M.
    Mul       "mul"         0x0200_0033 0xfe00_707f R            M        no  "12.1";
    Mulh      "mulh"        0x0200_1033 0xfe00_707f R            M        no  "12.1";
    Mulhsu    "mulhsu"      0x0200_2033 0xfe00_707f R            M        no  "12.1";
    Mulhu     "mulhu"       0x0200_3033 0xfe00_707f R            M        no  "12.1";
    Div       "div"         0x0200_4033 0xfe00_707f R            M        no  "12.2";
    Divu      "divu"        0x0200_5033 0xfe00_707f R            M        no  "12.2";
    Rem       "rem"         0x0200_6033 0xfe00_707f R            M        no  "12.2";
    Remu      "remu"        0x0200_7033 0xfe00_707f R            M        no  "12.2";
    Mulw      "mulw"        0x0200_003b 0xfe00_707f R            M        no  "12.1";
    Divw      "divw"        0x0200_403b 0xfe00_707f R            M        no  "12.2";
    Divuw     "divuw"       0x0200_503b 0xfe00_707f R            M        no  "12.2";
    Remw      "remw"        0x0200_603b 0xfe00_707f R            M        no  "12.2";
    Remuw     "remuw"       0x0200_703b 0xfe00_707f R            M        no  "12.2";
    // A.
    LrW       "lr.w"        0x1000_202f 0xf9f0_707f LoadReserved A        no  "13.2";
    ScW       "sc.w"        0x1800_202f 0xf800_707f Amo          A        no  "13.2";
    AmoswapW  "amoswap.w"   0x0800_202f 0xf800_707f Amo          A        no  "13.4";
    AmoaddW   "amoadd.w"    0x0000_202f 0xf800_707f Amo          A        no  "13.4";
    AmoxorW   "amoxor.w"    0x2000_202f 0xf800_707f Amo          A        no  "13.4";
    AmoandW   "amoand.w"    0x6000_202f 0xf800_707f Amo          A        no  "13.4";
    AmoorW    "amoor.w"     0x4000_202f 0xf800_707f Amo          A        no  "13.4";
    AmominW   "amomin.w"    0x8000_202f 0xf800_707f Amo          A        no  "13.4";
    AmomaxW   "amomax.w"    0xa000_202f 0xf800_707f Amo          A        no  "13.4";
    AmominuW  "amominu.w"   0xc000_202f 0xf800_707f Amo          A        no  "13.4";
    AmomaxuW  "amomaxu.w"   0xe000_202f 0xf800_707f Amo          A        no  "13.4";
    LrD       "lr.d"        0x1000_302f 0xf9f0_707f LoadReserved A        no  "13.2";
    ScD       "sc.d"        0x1800_302f 0xf800_707f Amo          A        no  "13.2";
    AmoswapD  "amoswap.d"   0x0800_302f 0xf800_707f Amo          A        no  "13.4";
    AmoaddD   "amoadd.d"    0x0000_302f 0xf800_707f Amo          A        no  "13.4";
    AmoxorD   "amoxor.d"    0x2000_302f 0xf800_707f Amo          A        no  "13.4";
    AmoandD   "amoand.d"    0x6000_302f 0xf800_707f Amo          A        no  "13.4";
    AmoorD    "amoor.d"     0x4000_302f 0xf800_707f Amo          A        no  "13.4";
    AmominD   "amomin.d"    0x8000_302f 0xf800_707f Amo          A        no  "13.4";
    AmomaxD   "amomax.d"    0xa000_302f 0xf800_707f Amo          A        no  "13.4";
    AmominuD  "amominu.d"   0xc000_302f 0xf800_707f Amo          A        no  "13.4";
    AmomaxuD  "amomaxu.d"   0xe000_302f 0xf800_707f Amo          A        no  "13.4";
    // F.
    Flw       "flw"         0x0000_2007 0x0000_707f FLoad        F        no  "20.5";
    Fsw       "fsw"         0x0000_2027 0x0000_707f FStore       F        no  "20.5";
    FmaddS    "fmadd.s"     0x0000_0043 0x0600_007f F3Rm         F        no  "20.6";
    FmsubS    "fmsub.s"     0x0000_0047 0x0600_007f F3Rm         F        no  "20.6";
    FnmsubS   "fnmsub.s"    0x0000_004b 0x0600_007f F3Rm         F        no  "20.6";
    FnmaddS   "fnmadd.s"    0x0000_004f 0x0600_007f F3Rm         F        no  "20.6";
    FaddS     "fadd.s"      0x0000_0053 0xfe00_007f F2Rm         F        no  "20.6";
    FsubS     "fsub.s"      0x0800_0053 0xfe00_007f F2Rm         F        no  "20.6";
    FmulS     "fmul.s"      0x1000_0053 0xfe00_007f F2Rm         F        no  "20.6";
    FdivS     "fdiv.s"      0x1800_0053 0xfe00_007f F2Rm         F        no  "20.6";
    FsqrtS    "fsqrt.s"     0x5800_0053 0xfff0_007f F1Rm         F        no  "20.6";
    FminS     "fmin.s"      0x2800_0053 0xfe00_707f F2           F        no  "20.6";
    FmaxS     "fmax.s"      0x2800_1053 0xfe00_707f F2           F        no  "20.6";
    FsgnjS    "fsgnj.s"     0x2000_0053 0xfe00_707f F2           F        no  "20.7";
    FsgnjnS   "fsgnjn.s"    0x2000_1053 0xfe00_707f F2           F        no  "20.7";
    FsgnjxS   "fsgnjx.s"    0x2000_2053 0xfe00_707f F2           F        no  "20.7";
    FcvtWS    "fcvt.w.s"    0xc000_0053 0xfff0_007f FToXRm       F        no  "20.7";
    FcvtWuS   "fcvt.wu.s"   0xc010_0053 0xfff0_007f FToXRm       F        no  "20.7";
    FcvtLS    "fcvt.l.s"    0xc020_0053 0xfff0_007f FToXRm       F        no  "20.7";
    FcvtLuS   "fcvt.lu.s"   0xc030_0053 0xfff0_007f FToXRm       F        no  "20.7";
    FcvtSW    "fcvt.s.w"    0xd000_0053 0xfff0_007f XToFRm       F        no  "20.7";
    FcvtSWu   "fcvt.s.wu"   0xd010_0053 0xfff0_007f XToFRm       F        no  "20.7";
    FcvtSL    "fcvt.s.l"    0xd020_0053 0xfff0_007f XToFRm       F        no  "20.7";
    FcvtSLu   "fcvt.s.lu"   0xd030_0053 0xfff0_007f XToFRm       F        no  "20.7";
    FmvXW     "fmv.x.w"     0xe000_0053 0xfff0_707f FToX         F        no  "20.7";
    FmvWX     "fmv.w.x"     0xf000_0053 0xfff0_707f XToF         F        no  "20.7";
    FleS      "fle.s"       0xa000_0053 0xfe00_707f FCompare     F        no  "20.8";
    FltS      "flt.s"       0xa000_1053 0xfe00_707f FCompare     F        no  "20.8";
    FeqS      "feq.s"       0xa000_2053 0xfe00_707f FCompare     F        no  "20.8";
    FclassS   "fclass.s"    0xe000_1053 0xfff0_707f FToX         F        no  "20.9";
    // D.
    Fld       "fld"         0x0000_3007 0x0000_707f FLoad        D        no  "21.3";
    Fsd       "fsd"         0x0000_3027 0x0000_707f FStore       D        no  "21.3";
    FmaddD    "fmadd.d"     0x0200_0043 0x0600_007f F3Rm         D        no  "21.4";
    FmsubD    "fmsub.d"     0x0200_0047 0x0600_007f F3Rm         D        no  "21.4";
    FnmsubD   "fnmsub.d"    0x0200_004b 0x0600_007f F3Rm         D        no  "21.4";
    FnmaddD   "fnmadd.d"    0x0200_004f 0x0600_007f F3Rm         D        no  "21.4";
    FaddD     "fadd.d"      0x0200_0053 0xfe00_007f F2Rm         D        no  "21.4";
    FsubD     "fsub.d"      0x0a00_0053 0xfe00_007f F2Rm         D        no  "21.4";
    FmulD     "fmul.d"      0x1200_0053 0xfe00_007f F2Rm         D        no  "21.4";
    FdivD     "fdiv.d"      0x1a00_0053 0xfe00_007f F2Rm         D        no  "21.4";
    FsqrtD    "fsqrt.d"     0x5a00_0053 0xfff0_007f F1Rm         D        no  "21.4";
    FminD     "fmin.d"      0x2a00_0053 0xfe00_707f F2           D        no  "21.4";
    FmaxD     "fmax.d"      0x2a00_1053 0xfe00_707f F2           D        no  "21.4";
    FsgnjD    "fsgnj.d"     0x2200_0053 0xfe00_707f F2           D        no  "21.5";
    FsgnjnD   "fsgnjn.d"    0x2200_1053 0xfe00_707f F2           D        no  "21.5";
    FsgnjxD   "fsgnjx.d"    0x2200_2053 0xfe00_707f F2           D        no  "21.5";
    FcvtSD    "fcvt.s.d"    0x4010_0053 0xfff0_007f F1Rm         D        no  "21.5";
    FcvtDS    "fcvt.d.s"    0x4200_0053 0xfff0_007f F1Exact      D        no  "21.5";
    FcvtWD    "fcvt.w.d"    0xc200_0053 0xfff0_007f FToXRm       D        no  "21.5";
    FcvtWuD   "fcvt.wu.d"   0xc210_0053 0xfff0_007f FToXRm       D        no  "21.5";
    FcvtLD    "fcvt.l.d"    0xc220_0053 0xfff0_007f FToXRm       D        no  "21.5";
    FcvtLuD   "fcvt.lu.d"   0xc230_0053 0xfff0_007f FToXRm       D        no  "21.5";
    FcvtDW    "fcvt.d.w"    0xd200_0053 0xfff0_007f XToFExact    D        no  "21.5";
    FcvtDWu   "fcvt.d.wu"   0xd210_0053 0xfff0_007f XToFExact    D        no  "21.5";
    FcvtDL    "fcvt.d.l"    0xd220_0053 0xfff0_007f XToFRm       D        no  "21.5";
    FcvtDLu   "fcvt.d.lu"   0xd230_0053 0xfff0_007f XToFRm       D        no  "21.5";
    FmvXD     "fmv.x.d"     0xe200_0053 0xfff0_707f FToX         D        no  "21.5";
    FmvDX     "fmv.d.x"     0xf200_0053 0xfff0_707f XToF         D        no  "21.5";
    FleD      "fle.d"       0xa200_0053 0xfe00_707f FCompare     D        no  "21.6";
    FltD      "flt.d"       0xa200_1053 0xfe00_707f FCompare     D        no  "21.6";
    FeqD      "feq.d"       0xa200_2053 0xfe00_707f FCompare     D        no  "21.6";
    FclassD   "fclass.d"    0xe200_1053 0xfff0_707f FToX         D        no  "21.7";
    // Zba.
    AddUw     "add.uw"      0x0800_003b 0xfe00_707f R            Zba      no  "29.4.1";
    Sh1add    "sh1add"      0x2000_2033 0xfe00_707f R            Zba      no  "29.4.1";
    Sh2add    "sh2add"      0x2000_4033 0xfe00_707f R            Zba      no  "29.4.1";
    Sh3add    "sh3add"      0x2000_6033 0xfe00_707f R            Zba      no  "29.4.1";
    Sh1addUw  "sh1add.uw"   0x2000_203b 0xfe00_707f R            Zba      no  "29.4.1";
    Sh2addUw  "sh2add.uw"   0x2000_403b 0xfe00_707f R            Zba      no  "29.4.1";
    Sh3addUw  "sh3add.uw"   0x2000_603b 0xfe00_707f R            Zba      no  "29.4.1";
    SlliUw    "slli.uw"     0x0800_101b 0xfc00_707f Shift6       Zba      no  "29.4.1";
    // Zbb.
    Andn      "andn"        0x4000_7033 0xfe00_707f R            Zbb      no  "29.4.2";
    Orn       "orn"         0x4000_6033 0xfe00_707f R            Zbb      no  "29.4.2";
    Xnor      "xnor"        0x4000_4033 0xfe00_707f R            Zbb      no  "29.4.2";
    Clz       "clz"         0x6000_1013 0xfff0_707f Unary        Zbb      no  "29.4.2";
    Ctz       "ctz"         0x6010_1013 0xfff0_707f Unary        Zbb      no  "29.4.2";
    Cpop      "cpop"        0x6020_1013 0xfff0_707f Unary        Zbb      no  "29.4.2";
    Clzw      "clzw"        0x6000_101b 0xfff0_707f Unary        Zbb      no  "29.4.2";
    Ctzw      "ctzw"        0x6010_101b 0xfff0_707f Unary        Zbb      no  "29.4.2";
    Cpopw     "cpopw"       0x6020_101b 0xfff0_707f Unary        Zbb      no  "29.4.2";
    Max       "max"         0x0a00_6033 0xfe00_707f R            Zbb      no  "29.4.2";
    Maxu      "maxu"        0x0a00_7033 0xfe00_707f R            Zbb      no  "29.4.2";
    Min       "min"         0x0a00_4033 0xfe00_707f R            Zbb      no  "29.4.2";
    Minu      "minu"        0x0a00_5033 0xfe00_707f R            Zbb      no  "29.4.2";
    SextB     "sext.b"      0x6040_1013 0xfff0_707f Unary        Zbb      no  "29.4.2";
    SextH     "sext.h"      0x6050_1013 0xfff0_707f Unary        Zbb      no  "29.4.2";
    ZextH     "zext.h"      0x0800_403b 0xfff0_707f Unary        Zbb      no  "29.4.2";
    Rol       "rol"         0x6000_1033 0xfe00_707f R            Zbb      no  "29.4.2";
    Ror       "ror"         0x6000_5033 0xfe00_707f R            Zbb      no  "29.4.2";
    Rori      "rori"        0x6000_5013 0xfc00_707f Shift6       Zbb      no  "29.4.2";
    Rolw      "rolw"        0x6000_103b 0xfe00_707f R            Zbb      no  "29.4.2";
    Rorw      "rorw"        0x6000_503b 0xfe00_707f R            Zbb      no  "29.4.2";
    Roriw     "roriw"       0x6000_501b 0xfe00_707f Shift5       Zbb      no  "29.4.2";
    OrcB      "orc.b"       0x2870_5013 0xfff0_707f Unary        Zbb      no  "29.4.2";
    Rev8      "rev8"        0x6b80_5013 0xfff0_707f Unary        Zbb      no  "29.4.2";
    // Zbs.
    Bclr      "bclr"        0x4800_1033 0xfe00_707f R            Zbs      no  "29.4.4";
    Bclri     "bclri"       0x4800_1013 0xfc00_707f Shift6       Zbs      no  "29.4.4";
    Bext      "bext"        0x4800_5033 0xfe00_707f R            Zbs      no  "29.4.4";
    Bexti     "bexti"       0x4800_5013 0xfc00_707f Shift6       Zbs      no  "29.4.4";
    Binv      "binv"        0x6800_1033 0xfe00_707f R            Zbs      no  "29.4.4";
    Binvi     "binvi"       0x6800_1013 0xfc00_707f Shift6       Zbs      no  "29.4.4";
    Bset      "bset"        0x2800_1033 0xfe00_707f R            Zbs      no  "29.4.4";
    Bseti     "bseti"       0x2800_1013 0xfc00_707f Shift6       Zbs      no  "29.4.4";
    // Zicond.
    CzeroEqz  "czero.eqz"   0x0e00_5033 0xfe00_707f R            Zicond   no  "11.3.1";
    CzeroNez  "czero.nez"   0x0e00_7033 0xfe00_707f R            Zicond   no  "11.3.2";
}
