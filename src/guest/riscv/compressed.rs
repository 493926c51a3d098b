//! THE table of 16-bit RISC-V instructions (C): one row per instruction, by quadrant.
//!
//! Each row names the 32-bit operation that it expands to; its format says where the operands of that operation
//! lie in the 16 bits. Operand bits under `nonzero` must not all be zero: those encodings are reserved, and with
//! them the all-zero halfword is illegal.
//!
//! HINTs are rows like all others and do what their expansion does, which is nothing (27.7): a destination of x0,
//! `c.addi` of 0 (`c.nop` is `c.addi` of x0), and shifts by 0, whose names in the table end in 64 because RV128
//! gives them that meaning.
//!
//! Order matters once: `c.addi16sp` stands before `c.lui`, whose encodings with rd = x2 it takes.
//!
//! Sections are those of the RISC-V Unprivileged ISA, document version 20250508.

use super::insn::{Extension, Op, Row};
use super::operand::Format;
use crate::base::text::Text;

macro_rules! rows {
    ($($name:literal $bits:literal $mask:literal $nonzero:literal $format:ident $op:ident $section:literal;)*) => {
        /// The rows of the 16-bit instructions. Their `op` is the operation they expand to.
        pub static COMPRESSED: &[Row] = &TABLE;

        /// A static of its own, so that each row has one address.
        static TABLE: [Row; [$(Op::$op),*].len()] = [$(Row {
            name: Text::new($name),
            bits: $bits,
            mask: $mask,
            nonzero: $nonzero,
            format: Format::$format,
            extension: Extension::C,
            ends_block: super::insn::ROWS[Op::$op as usize].ends_block,
            section: Text::new($section),
            op: Op::$op,
        }),*];
    };
}

// Rows never wrap: a row is held against the manual as one line.
#[rustfmt::skip]
rows! {
    // name         match  mask  nonzero format      op     section
    // Quadrant 0.
    "c.addi4spn"  0x0000 0xe003 0x1fe0 CAddi4Spn    Addi   "27.5.2";
    "c.fld"       0x2000 0xe003 0x0000 CFld         Fld    "27.3.2";
    "c.lw"        0x4000 0xe003 0x0000 CLw          Lw     "27.3.2";
    "c.ld"        0x6000 0xe003 0x0000 CLd          Ld     "27.3.2";
    "c.fsd"       0xa000 0xe003 0x0000 CFsd         Fsd    "27.3.2";
    "c.sw"        0xc000 0xe003 0x0000 CSw          Sw     "27.3.2";
    "c.sd"        0xe000 0xe003 0x0000 CSd          Sd     "27.3.2";
    // Quadrant 1.
    "c.addi"      0x0001 0xe003 0x0000 CAddi        Addi   "27.5.2";
    "c.addiw"     0x2001 0xe003 0x0f80 CAddi        Addiw  "27.5.2";
    "c.li"        0x4001 0xe003 0x0000 CLi          Addi   "27.5.1";
    "c.addi16sp"  0x6101 0xef83 0x107c CAddi16Sp    Addi   "27.5.2";
    "c.lui"       0x6001 0xe003 0x107c CLui         Lui    "27.5.1";
    "c.srli64"    0x8001 0xfc7f 0x0000 CShift0Short Srli   "27.5.2";
    "c.srli"      0x8001 0xec03 0x107c CShiftShort  Srli   "27.5.2";
    "c.srai64"    0x8401 0xfc7f 0x0000 CShift0Short Srai   "27.5.2";
    "c.srai"      0x8401 0xec03 0x107c CShiftShort  Srai   "27.5.2";
    "c.andi"      0x8801 0xec03 0x0000 CAndi        Andi   "27.5.2";
    "c.sub"       0x8c01 0xfc63 0x0000 CArith       Sub    "27.5.3";
    "c.xor"       0x8c21 0xfc63 0x0000 CArith       Xor    "27.5.3";
    "c.or"        0x8c41 0xfc63 0x0000 CArith       Or     "27.5.3";
    "c.and"       0x8c61 0xfc63 0x0000 CArith       And    "27.5.3";
    "c.subw"      0x9c01 0xfc63 0x0000 CArith       Subw   "27.5.3";
    "c.addw"      0x9c21 0xfc63 0x0000 CArith       Addw   "27.5.3";
    "c.j"         0xa001 0xe003 0x0000 CJ           Jal    "27.4";
    "c.beqz"      0xc001 0xe003 0x0000 CBranch      Beq    "27.4";
    "c.bnez"      0xe001 0xe003 0x0000 CBranch      Bne    "27.4";
    // Quadrant 2.
    "c.slli64"    0x0002 0xf07f 0x0000 CShift0      Slli   "27.5.2";
    "c.slli"      0x0002 0xe003 0x107c CShift       Slli   "27.5.2";
    "c.fldsp"     0x2002 0xe003 0x0000 CFldSp       Fld    "27.3.1";
    "c.lwsp"      0x4002 0xe003 0x0f80 CLwSp        Lw     "27.3.1";
    "c.ldsp"      0x6002 0xe003 0x0f80 CLdSp        Ld     "27.3.1";
    "c.jr"        0x8002 0xf07f 0x0f80 CJr          Jalr   "27.4";
    "c.mv"        0x8002 0xf003 0x007c CMv          Add    "27.5.3";
    "c.ebreak"    0x9002 0xffff 0x0000 None         Ebreak "27.5.6";
    "c.jalr"      0x9002 0xf07f 0x0f80 CJalr        Jalr   "27.4";
    "c.add"       0x9002 0xf003 0x007c CAdd         Add    "27.5.3";
    "c.fsdsp"     0xa002 0xe003 0x0000 CFsdSp       Fsd    "27.3.1";
    "c.swsp"      0xc002 0xe003 0x0000 CSwSp        Sw     "27.3.1";
    "c.sdsp"      0xe002 0xe003 0x0000 CSdSp        Sd     "27.3.1";
}
