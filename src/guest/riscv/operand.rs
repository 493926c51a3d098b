//! Where the operands of a RISC-V instruction lie in its bits, and how assembly text shows them.
//!
//! Three tables: [`Imm`] (how immediates are scattered), the operand constants (which register field plays which
//! role), and [`Format`] (the operands of an instruction, in assembly order). Decoder, encoder, disassembler and
//! sample generator all read them; none of them knows a bit position of its own.
//!
//! Source: RISC-V Unprivileged ISA 20250508, 2.2 and 2.3 (base formats), 27.2 (compressed formats).

/// A run of immediate bits: `width` bits of the instruction from bit `from` upwards are the bits of the
/// immediate from bit `to` upwards.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Lowest bit in the instruction.
    pub from: u32,
    /// Number of bits.
    pub width: u32,
    /// Lowest bit in the immediate.
    pub to: u32,
}

impl Piece {
    const fn mask(self) -> u32 {
        (1 << self.width) - 1
    }
}

macro_rules! immediates {
    ($($(#[$doc:meta])* $name:ident $sign:ident [$(($from:literal, $width:literal => $to:literal)),*];)*) => {
        /// How the immediate of a format is stored. The value of each is in the units of the assembly text
        /// (bytes for offsets), except upper immediates, which are already shifted left by 12.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Imm { $($(#[$doc])* $name),* }

        impl Imm {
            /// The pieces of the immediate, lowest instruction bit first.
            pub const fn pieces(self) -> &'static [Piece] {
                match self { $(Imm::$name => &[$(Piece { from: $from, width: $width, to: $to }),*]),* }
            }

            /// True if the highest bit is a sign.
            pub const fn is_signed(self) -> bool {
                match self { $(Imm::$name => immediates!(@$sign)),* }
            }
        }
    };
    (@signed) => { true };
    (@unsigned) => { false };
}

// One immediate per line, as the manual's format diagrams are read: (instruction bit, width => immediate bit).
#[rustfmt::skip]
immediates! {
    /// No immediate; reads as 0.
    None unsigned [];
    /// I-type, 12 bits.
    I signed [(20, 12 => 0)];
    /// S-type, 12 bits.
    S signed [(7, 5 => 0), (25, 7 => 5)];
    /// B-type, 13 bits, even.
    B signed [(7, 1 => 11), (8, 4 => 1), (25, 6 => 5), (31, 1 => 12)];
    /// U-type, the upper 20 of 32 bits.
    U signed [(12, 20 => 12)];
    /// J-type, 21 bits, even.
    J signed [(12, 8 => 12), (20, 1 => 11), (21, 10 => 1), (31, 1 => 20)];
    /// Shift amount or bit number, 0-63.
    Shamt6 unsigned [(20, 6 => 0)];
    /// Shift amount of a 32-bit shift, 0-31.
    Shamt5 unsigned [(20, 5 => 0)];
    /// CSR number, 0-4095.
    Csr unsigned [(20, 12 => 0)];
    /// fm, predecessor and successor sets of a fence: bits 11:8, 7:4 and 3:0.
    Order unsigned [(20, 12 => 0)];
    /// CI: 6 bits.
    Ci signed [(2, 5 => 0), (12, 1 => 5)];
    /// CI of shifts: 0-63.
    CShamt unsigned [(2, 5 => 0), (12, 1 => 5)];
    /// CI of c.lui: 18 bits, a multiple of 4096.
    CLui signed [(2, 5 => 12), (12, 1 => 17)];
    /// CI of c.addi16sp: 10 bits, a multiple of 16.
    C16Sp signed [(2, 1 => 5), (3, 2 => 7), (5, 1 => 6), (6, 1 => 4), (12, 1 => 9)];
    /// CIW of c.addi4spn: 0-1020, a multiple of 4.
    C4Spn unsigned [(5, 1 => 3), (6, 1 => 2), (7, 4 => 6), (11, 2 => 4)];
    /// CI of c.lwsp: 0-252, a multiple of 4.
    CLwSp unsigned [(2, 2 => 6), (4, 3 => 2), (12, 1 => 5)];
    /// CI of c.ldsp and c.fldsp: 0-504, a multiple of 8.
    CLdSp unsigned [(2, 3 => 6), (5, 2 => 3), (12, 1 => 5)];
    /// CSS of c.swsp: 0-252, a multiple of 4.
    CSwSp unsigned [(7, 2 => 6), (9, 4 => 2)];
    /// CSS of c.sdsp and c.fsdsp: 0-504, a multiple of 8.
    CSdSp unsigned [(7, 3 => 6), (10, 3 => 3)];
    /// CL and CS of 32-bit accesses: 0-124, a multiple of 4.
    CWord unsigned [(5, 1 => 6), (6, 1 => 2), (10, 3 => 3)];
    /// CL and CS of 64-bit accesses: 0-248, a multiple of 8.
    CDouble unsigned [(5, 2 => 6), (10, 3 => 3)];
    /// CB: 9 bits, even.
    CBranch signed [(2, 1 => 5), (3, 2 => 1), (5, 2 => 6), (10, 2 => 3), (12, 1 => 8)];
    /// CJ: 12 bits, even.
    CJump signed [(2, 1 => 5), (3, 3 => 1), (6, 1 => 7), (7, 1 => 6), (8, 1 => 10), (9, 2 => 8), (11, 1 => 4), (12, 1 => 11)];
}

impl Imm {
    /// The instruction bits that store the low bits of `value`; bits that the format has no room for are lost.
    pub fn scatter(self, value: i64) -> u32 {
        self.pieces().iter().fold(0, |word, p| word | (low32(value >> p.to) & p.mask()) << p.from)
    }

    /// The instruction bits that belong to the immediate.
    pub fn field(self) -> u32 {
        self.scatter(-1)
    }
}

/// The most rotations that an immediate needs (`c.j`).
const MAX_ROTATIONS: usize = 6;

/// An immediate made ready for decoding without branches: pieces become a rotation and a mask; those that move
/// by the same distance share one.
#[derive(Clone, Copy, Debug)]
struct Gather {
    rotate: [u8; MAX_ROTATIONS],
    mask: [u32; MAX_ROTATIONS],
    /// Bits above the sign; 0 if there is no sign.
    unused: u8,
}

impl Gather {
    const fn new(imm: Imm) -> Gather {
        let pieces = imm.pieces();
        let mut out = Gather { rotate: [0; MAX_ROTATIONS], mask: [0; MAX_ROTATIONS], unused: 0 };
        let (mut i, mut top) = (0, 0);
        while i < pieces.len() {
            let piece = pieces[i];
            // Below 32.
            let rotate = ((32 + piece.from - piece.to) % 32) as u8;
            let mut slot = 0;
            while out.mask[slot] != 0 && out.rotate[slot] != rotate {
                slot += 1;
            }
            out.rotate[slot] = rotate;
            out.mask[slot] |= piece.mask() << piece.to;
            top = if piece.to + piece.width > top { piece.to + piece.width } else { top };
            i += 1;
        }
        if imm.is_signed() {
            out.unused = (32 - top) as u8;
        }
        out
    }

    /// The immediate stored in an instruction.
    #[inline(always)]
    fn get(&self, word: u32) -> i64 {
        let mut value = 0;
        for i in 0..MAX_ROTATIONS {
            value |= word.rotate_right(u32::from(self.rotate[i])) & self.mask[i];
        }
        // The shift back is arithmetic. Immediates without a sign are below 2^31.
        i64::from((value << self.unused) as i32 >> self.unused)
    }
}

/// The low 32 bits of a value.
fn low32(value: i64) -> u32 {
    (value & 0xffff_ffff) as u32
}

/// Which register of [`super::insn::Insn`] an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Destination.
    Rd,
    /// First source, or base address.
    Rs1,
    /// Second source, or data to store.
    Rs2,
    /// Third source.
    Rs3,
    /// Destination and first source are the same field (compressed instructions).
    RdRs1,
}

/// The register file of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Integer.
    X,
    /// Floating point.
    F,
}

/// Where a register number is stored: `((word >> shift) & mask) + bias`. A fixed register has mask 0.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    shift: u8,
    mask: u8,
    bias: u8,
}

impl Place {
    /// A 5-bit field.
    pub const fn full(shift: u8) -> Place {
        Place { shift, mask: 31, bias: 0 }
    }

    /// A 3-bit field of the compressed formats: registers 8-15.
    pub const fn short(shift: u8) -> Place {
        Place { shift, mask: 7, bias: 8 }
    }

    /// No field: always this register.
    pub const fn fixed(register: u8) -> Place {
        Place { shift: 0, mask: 0, bias: register }
    }

    /// The register number stored in an instruction, 0-31.
    #[inline(always)]
    pub fn get(self, word: u32) -> u8 {
        // Masked to at most 5 bits: nothing is lost.
        ((word >> self.shift) as u8 & self.mask) + self.bias
    }

    /// The instruction bits that store `register`; numbers that the field has no room for come out wrong.
    pub fn put(self, register: u8) -> u32 {
        u32::from(register.wrapping_sub(self.bias) & self.mask) << self.shift
    }

    /// The registers that can be stored, bit n for register n.
    pub fn registers(self) -> u32 {
        let count = u32::from(self.mask) + 1;
        (u32::MAX >> (32 - count)) << self.bias
    }
}

/// One operand in assembly order.
#[derive(Clone, Copy, Debug)]
pub enum Operand {
    /// A register that the text shows.
    Reg(Role, Class, Place),
    /// An integer register that is used but not shown.
    Hidden(Role, Place),
    /// An immediate shown in decimal.
    Dec(Imm),
    /// An immediate shown in hexadecimal (shift amounts, bit numbers).
    Hex(Imm),
    /// An upper immediate, shown shifted right by 12 in hexadecimal.
    Upper(Imm),
    /// A code offset, shown as the address it leads to.
    Target(Imm),
    /// `imm(rs1)`.
    Memory(Imm, Place),
    /// `(rs1)`.
    Address(Place),
    /// A CSR number, shown as its name if it is one that user programs see.
    Csr,
    /// The 5-bit immediate of `csr*i`, kept in `rs1`.
    Zimm,
    /// The predecessor and successor sets of a fence.
    Order,
    /// A rounding mode; the dynamic one is not shown.
    Rm,
    /// A rounding mode of an operation that is always exact: only one other than rne is shown.
    RmExact,
    /// The aq and rl bits, shown as a suffix of the mnemonic.
    AqRl,
}

/// The fields of an instruction format, gathered from its operands so that decoding is a few shifts and masks.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Destination; always x0 where there is none, and so for all registers.
    pub rd: Place,
    /// First source.
    pub rs1: Place,
    /// Second source.
    pub rs2: Place,
    /// Third source.
    pub rs3: Place,
    /// The immediate.
    pub imm: Imm,
    /// The same, ready for decoding.
    gather: Gather,
    /// There is a rounding mode in bits 14:12.
    pub rm: bool,
    /// There are aq and rl bits (26 and 25).
    pub order: bool,
    /// The operands in assembly order.
    pub operands: &'static [Operand],
}

/// The operands of one instruction; the fields are those of [`super::insn::Insn`].
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "documented at Insn")]
pub struct Fields {
    pub rd: u8,
    pub rs1: u8,
    pub rs2: u8,
    pub rs3: u8,
    pub rm: u8,
    pub aq: bool,
    pub rl: bool,
    pub imm: i64,
}

/// The acquire bit of atomic operations (RISC-V Unpriv. 13.1).
pub const AQ: u32 = 1 << 26;
/// The release bit of atomic operations.
pub const RL: u32 = 1 << 25;

impl Layout {
    /// Takes the operands out of an instruction of the format.
    #[inline(always)]
    pub fn fields(&self, word: u32) -> Fields {
        Fields {
            rd: self.rd.get(word),
            rs1: self.rs1.get(word),
            rs2: self.rs2.get(word),
            rs3: self.rs3.get(word),
            // Three bits.
            rm: if self.rm { (word >> 12 & 7) as u8 } else { 0 },
            aq: self.order && word & AQ != 0,
            rl: self.order && word & RL != 0,
            imm: self.gather.get(word),
        }
    }
}

/// Collects the fields of a format.
const fn layout(operands: &'static [Operand]) -> Layout {
    let none = Place::fixed(0);
    let (imm, gather) = (Imm::None, Gather::new(Imm::None));
    let mut out =
        Layout { rd: none, rs1: none, rs2: none, rs3: none, imm, gather, rm: false, order: false, operands };
    let mut i = 0;
    while i < operands.len() {
        match operands[i] {
            Operand::Reg(role, _, place) | Operand::Hidden(role, place) => match role {
                Role::Rd => out.rd = place,
                Role::Rs1 => out.rs1 = place,
                Role::Rs2 => out.rs2 = place,
                Role::Rs3 => out.rs3 = place,
                Role::RdRs1 => (out.rd, out.rs1) = (place, place),
            },
            Operand::Dec(imm) | Operand::Hex(imm) | Operand::Upper(imm) | Operand::Target(imm) => {
                out.imm = imm
            }
            Operand::Memory(imm, place) => (out.imm, out.rs1) = (imm, place),
            Operand::Address(place) => out.rs1 = place,
            Operand::Csr => out.imm = Imm::Csr,
            Operand::Zimm => out.rs1 = Place::full(15),
            Operand::Order => out.imm = Imm::Order,
            Operand::Rm | Operand::RmExact => out.rm = true,
            Operand::AqRl => out.order = true,
        }
        i += 1;
    }
    out.gather = Gather::new(out.imm);
    out
}

const XD: Operand = Operand::Reg(Role::Rd, Class::X, Place::full(7));
const XS1: Operand = Operand::Reg(Role::Rs1, Class::X, Place::full(15));
const XS2: Operand = Operand::Reg(Role::Rs2, Class::X, Place::full(20));
const FD: Operand = Operand::Reg(Role::Rd, Class::F, Place::full(7));
const FS1: Operand = Operand::Reg(Role::Rs1, Class::F, Place::full(15));
const FS2: Operand = Operand::Reg(Role::Rs2, Class::F, Place::full(20));
const FS3: Operand = Operand::Reg(Role::Rs3, Class::F, Place::full(27));
const BASE: Place = Place::full(15);

/// Integer rd and rs1 in one 5-bit field (C).
const CDS: Operand = Operand::Reg(Role::RdRs1, Class::X, Place::full(7));
/// rs1 in the field of rd (C).
const CS1: Operand = Operand::Reg(Role::Rs1, Class::X, Place::full(7));
const CS2: Operand = Operand::Reg(Role::Rs2, Class::X, Place::full(2));
const CFS2: Operand = Operand::Reg(Role::Rs2, Class::F, Place::full(2));
/// Registers 8-15 (C): destination, source, both in one.
const PD: Operand = Operand::Reg(Role::Rd, Class::X, Place::short(2));
const PFD: Operand = Operand::Reg(Role::Rd, Class::F, Place::short(2));
const PS2: Operand = Operand::Reg(Role::Rs2, Class::X, Place::short(2));
const PFS2: Operand = Operand::Reg(Role::Rs2, Class::F, Place::short(2));
const PS1: Operand = Operand::Reg(Role::Rs1, Class::X, Place::short(7));
const PDS: Operand = Operand::Reg(Role::RdRs1, Class::X, Place::short(7));
const PBASE: Place = Place::short(7);
/// The stack pointer, x2.
const SP: Place = Place::fixed(2);
/// The link register of calls, x1.
const RA: Place = Place::fixed(1);

macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident [$($operand:expr),*];)*) => {
        /// The operands of an instruction. Those of compressed instructions begin with C.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Format {
            $($(#[$doc])* #[doc = concat!("Operands: `", stringify!($($operand),*), "`.")] $name,)*
        }

        static LAYOUTS: [Layout; [$(Format::$name),*].len()] = [$(layout(&[$($operand),*])),*];
    };
}

impl Format {
    /// The layout of the format.
    #[inline(always)]
    pub fn layout(self) -> &'static Layout {
        &LAYOUTS[self as usize]
    }
}

// One format per line.
#[rustfmt::skip]
formats! {
    /// No operands.
    None [];
    R [XD, XS1, XS2];
    I [XD, XS1, Operand::Dec(Imm::I)];
    /// Shift or bit number by a 6-bit immediate.
    Shift6 [XD, XS1, Operand::Hex(Imm::Shamt6)];
    /// Shift by a 5-bit immediate.
    Shift5 [XD, XS1, Operand::Hex(Imm::Shamt5)];
    /// One source register.
    Unary [XD, XS1];
    Load [XD, Operand::Memory(Imm::I, BASE)];
    Store [XS2, Operand::Memory(Imm::S, BASE)];
    Branch [XS1, XS2, Operand::Target(Imm::B)];
    U [XD, Operand::Upper(Imm::U)];
    J [XD, Operand::Target(Imm::J)];
    Jalr [XD, Operand::Memory(Imm::I, BASE)];
    Fence [Operand::Order];
    Csr [XD, Operand::Csr, XS1];
    CsrImm [XD, Operand::Csr, Operand::Zimm];
    LoadReserved [XD, Operand::Address(BASE), Operand::AqRl];
    Amo [XD, XS2, Operand::Address(BASE), Operand::AqRl];
    FLoad [FD, Operand::Memory(Imm::I, BASE)];
    FStore [FS2, Operand::Memory(Imm::S, BASE)];
    /// Two sources, no rounding.
    F2 [FD, FS1, FS2];
    /// Two sources, rounded.
    F2Rm [FD, FS1, FS2, Operand::Rm];
    /// Three sources, rounded.
    F3Rm [FD, FS1, FS2, FS3, Operand::Rm];
    /// One source, rounded.
    F1Rm [FD, FS1, Operand::Rm];
    /// One source, exact.
    F1Exact [FD, FS1, Operand::RmExact];
    /// Comparison: integer result.
    FCompare [XD, FS1, FS2];
    /// Move or classify to an integer register.
    FToX [XD, FS1];
    FToXRm [XD, FS1, Operand::Rm];
    /// Move from an integer register.
    XToF [FD, XS1];
    XToFRm [FD, XS1, Operand::Rm];
    XToFExact [FD, XS1, Operand::RmExact];

    CAddi4Spn [PD, Operand::Reg(Role::Rs1, Class::X, SP), Operand::Dec(Imm::C4Spn)];
    CFld [PFD, Operand::Memory(Imm::CDouble, PBASE)];
    CLw [PD, Operand::Memory(Imm::CWord, PBASE)];
    CLd [PD, Operand::Memory(Imm::CDouble, PBASE)];
    CFsd [PFS2, Operand::Memory(Imm::CDouble, PBASE)];
    CSw [PS2, Operand::Memory(Imm::CWord, PBASE)];
    CSd [PS2, Operand::Memory(Imm::CDouble, PBASE)];
    CAddi [CDS, Operand::Dec(Imm::Ci)];
    CLi [XD, Operand::Dec(Imm::Ci)];
    CAddi16Sp [Operand::Reg(Role::RdRs1, Class::X, SP), Operand::Dec(Imm::C16Sp)];
    CLui [XD, Operand::Upper(Imm::CLui)];
    CShiftShort [PDS, Operand::Hex(Imm::CShamt)];
    CShift0Short [PDS];
    CAndi [PDS, Operand::Dec(Imm::Ci)];
    CArith [PDS, PS2];
    CJ [Operand::Target(Imm::CJump)];
    CBranch [PS1, Operand::Target(Imm::CBranch)];
    CShift [CDS, Operand::Hex(Imm::CShamt)];
    CShift0 [CDS];
    CFldSp [FD, Operand::Memory(Imm::CLdSp, SP)];
    CLwSp [XD, Operand::Memory(Imm::CLwSp, SP)];
    CLdSp [XD, Operand::Memory(Imm::CLdSp, SP)];
    CJr [CS1];
    CJalr [Operand::Hidden(Role::Rd, RA), CS1];
    CMv [XD, CS2];
    CAdd [CDS, CS2];
    CFsdSp [CFS2, Operand::Memory(Imm::CSdSp, SP)];
    CSwSp [CS2, Operand::Memory(Imm::CSwSp, SP)];
    CSdSp [CS2, Operand::Memory(Imm::CSdSp, SP)];
}
