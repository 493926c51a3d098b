//! What a row of the instruction table says, and the parser of its opcode column.
//!
//! The opcode column is the manual's own notation (Intel SDM 2A, 3.1.1.1 and 3.1.1.2), read by a `const fn`: a
//! column that cannot be read is a compile-time error. Three things are added to the notation:
//!
//! - `[REX.W]` and `[W1]` stand for two lines of the manual: the one without is taken for [`Size::S32`], the one
//!   with it for [`Size::S64`];
//! - `+cc` is a condition added to the opcode, which the manual writes as sixteen lines;
//! - `is` is a sign-extended immediate: 32 bits, or 8 bits with the opcode's bit 1 set if the value fits (the "s"
//!   bit, Intel SDM 2D B.1.4.3), which the manual writes as two lines.
//!
//! In the Op/En column the n-th letter is the place of the n-th operand, as in the manual's tables; `O` is the
//! register in the opcode, `D` a branch target, `C` the register cl (which is no parameter), `c` a condition.
//!
//! [`Size::S32`]: super::reg::Size::S32
//! [`Size::S64`]: super::reg::Size::S64

use super::features::Feature;
use super::insts::Op;
use super::reg::Gpr;

/// One row of the instruction table.
#[derive(Debug)]
pub struct Row {
    /// The operation.
    pub op: Op,
    /// `<mnemonic>_<form>`: the name of the emit method.
    pub name: &'static str,
    /// The manual's opcode column.
    pub opcode: &'static str,
    /// What a disassembler calls it; a condition is appended to it.
    pub mnemonic: &'static str,
    /// The operands, in the manual's order: destination first.
    pub operands: &'static [Operand],
    /// The manual's operand encoding.
    pub op_en: &'static str,
    /// Registers that are read or written without being operands.
    pub implicit: &'static [(Mark, Gpr)],
    /// What happens to the flags; `None` if nothing. "Written" means that one of them may be another one afterwards,
    /// or undefined; others may survive (`inc`), or all of them (a shift by 0).
    pub flags: Option<Mark>,
    /// The feature needed beyond the baseline.
    pub feature: Option<Feature>,
    /// Volume and instruction in the Intel Software Developer's Manual (order number 325462).
    pub manual: &'static str,
    /// True if the instruction takes a [`super::reg::Size`].
    pub sized: bool,
    /// The opcode column, read.
    pub(super) encoding: Encoding,
    /// The Op/En column, read.
    pub(super) places: [Place; 4],
    /// True if the operand in the ModRM byte's "reg" field is an 8-bit register.
    pub(super) byte_reg: bool,
    /// True if the operand in the ModRM byte's "r/m" field is an 8-bit register.
    pub(super) byte_rm: bool,
}

/// An operand of a row.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    pub name: &'static str,
    pub mark: Mark,
    pub kind: Kind,
}

/// How an operand is used. Of a memory operand it says what happens to the memory; the registers of the address
/// are always read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Read only, or a constant.
    R,
    /// Written; nothing of the old value is left that the operand's width covers.
    W,
    /// Read and written, or written under a condition.
    Rw,
    /// Not accessed: `lea` only names the address.
    N,
}

impl Mark {
    /// True if the old value matters.
    pub const fn reads(self) -> bool {
        matches!(self, Mark::R | Mark::Rw)
    }

    /// True if the value may be another one afterwards.
    pub const fn writes(self) -> bool {
        matches!(self, Mark::W | Mark::Rw)
    }
}

/// What an operand can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// General-purpose register of 8, 16, 32 or 64 bits; `Rv`: of the instruction's size.
    R8,
    R16,
    R32,
    R64,
    Rv,
    /// Memory of that many bits; `Mv`: of the instruction's size; `M`: of no size.
    M8,
    M16,
    M32,
    M64,
    M128,
    Mv,
    M,
    /// Vector register.
    X,
    /// Signed immediate of 8, 16 or 32 bits, sign-extended to the instruction's size.
    Ib,
    Iw,
    Id,
    /// Unsigned or untyped immediate of 8, 32 or 64 bits.
    Ub,
    Ud,
    Uq,
    /// Predicate of a floating-point comparison.
    P,
    /// Condition.
    Cc,
    /// Branch target.
    L,
}

/// Where an operand lies in the encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: there is no such operand.
    None,
    /// ModRM byte, "reg" field.
    Reg,
    /// ModRM byte, "r/m" field, and what belongs to it.
    Rm,
    /// VEX prefix, "vvvv" field.
    Vvvv,
    /// The low three bits of the opcode.
    Opcode,
    /// Immediate.
    Imm,
    /// Branch displacement.
    Target,
    /// The low four bits of the opcode.
    Cond,
    /// The register cl.
    Cl,
}

/// Reads the Op/En column.
pub(super) const fn places(op_en: &str) -> [Place; 4] {
    let mut places = [Place::None; 4];
    let letters = op_en.as_bytes();
    if equals(letters, b"ZO") {
        return places;
    }
    let mut index = 0;
    while index < letters.len() {
        places[index] = match letters[index] {
            b'R' => Place::Reg,
            b'M' => Place::Rm,
            b'V' => Place::Vvvv,
            b'O' => Place::Opcode,
            b'I' => Place::Imm,
            b'D' => Place::Target,
            b'C' => Place::Cl,
            b'c' => Place::Cond,
            _ => panic!("unknown letter in the Op/En column"),
        };
        index += 1;
    }
    places
}

/// The opcode column, read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoding {
    /// Prefix F0h.
    pub lock: bool,
    /// Prefix 66h, F2h or F3h, or 0.
    pub prefix: u8,
    pub wide: Wide,
    pub map: Map,
    pub vex: bool,
    pub opcode: u8,
    pub modrm: ModRm,
    pub imm: Imm,
}

/// REX.W or VEX.W.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wide {
    Zero,
    One,
    /// One for 64-bit operands.
    BySize,
}

/// Opcode map (Intel SDM 2A, 2.1.2), with the number of its VEX.mmmmm field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Map {
    Primary,
    M0f,
    M0f38,
    M0f3a,
}

/// What stands in the ModRM byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModRm {
    /// No such byte.
    None,
    /// `/r`
    Reg,
    /// `/0` to `/7`
    Digit(u8),
    /// The byte is a fixed one.
    Fixed(u8),
    /// There is none, but a register in the opcode: `+rd`.
    InOpcode,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Imm {
    None,
    Ib,
    Iw,
    Id,
    Io,
    /// See the header.
    Is,
    /// Branch displacements.
    Cb,
    Cd,
}

/// Reads the opcode column.
pub(super) const fn encoding(text: &str) -> Encoding {
    let text = text.as_bytes();
    let mut e = Encoding {
        lock: false,
        prefix: 0,
        wide: Wide::Zero,
        map: Map::Primary,
        vex: false,
        opcode: 0,
        modrm: ModRm::None,
        imm: Imm::None,
    };
    // True once the opcode was read.
    let mut done = false;
    let mut at = 0;
    while at < text.len() {
        let end = token_end(text, at);
        let (_, rest) = text.split_at(at);
        let (token, _) = rest.split_at(end - at);
        if !notation(&mut e, token) {
            done = byte(&mut e, token, done);
        }
        // The separator.
        at = end + 1;
    }
    assert!(done, "no opcode");
    e
}

/// The end of the token that begins at `at`.
const fn token_end(text: &[u8], at: usize) -> usize {
    let mut end = at;
    while end < text.len() && text[end] != b' ' && text[end] != b'.' {
        end += 1;
    }
    end
}

/// Takes a token that is not a byte; false if it is one.
const fn notation(e: &mut Encoding, token: &[u8]) -> bool {
    match token {
        b"NP" | b"REX" | b"[REX" | b"LZ" | b"LIG" | b"W0" => {}
        b"W" | b"W1" => e.wide = Wide::One,
        b"W]" | b"[W1]" => e.wide = Wide::BySize,
        b"VEX" => e.vex = true,
        b"0F38" => e.map = Map::M0f38,
        b"0F3A" => e.map = Map::M0f3a,
        // That there is a condition, and where, the Op/En column says as well.
        b"+cc" => {}
        b"/r" => e.modrm = ModRm::Reg,
        b"+rd" => e.modrm = ModRm::InOpcode,
        b"ib" => e.imm = Imm::Ib,
        b"iw" => e.imm = Imm::Iw,
        b"id" => e.imm = Imm::Id,
        b"io" => e.imm = Imm::Io,
        b"is" => e.imm = Imm::Is,
        b"cb" => e.imm = Imm::Cb,
        b"cd" => e.imm = Imm::Cd,
        [b'/', digit @ b'0'..=b'7'] => e.modrm = ModRm::Digit(*digit - b'0'),
        _ => return false,
    }
    true
}

/// Takes a byte: prefix, escape, opcode or fixed ModRM. Returns whether the opcode has been read.
const fn byte(e: &mut Encoding, token: &[u8], done: bool) -> bool {
    assert!(token.len() == 2, "not a token of the opcode column");
    let value = hex(token[0]) << 4 | hex(token[1]);
    let primary = matches!(e.map, Map::Primary);
    match value {
        _ if done => e.modrm = ModRm::Fixed(value),
        0xf0 if primary => e.lock = true,
        0x66 | 0xf2 | 0xf3 if primary => e.prefix = value,
        0x0f if primary => e.map = Map::M0f,
        0x38 if !e.vex && matches!(e.map, Map::M0f) => e.map = Map::M0f38,
        0x3a if !e.vex && matches!(e.map, Map::M0f) => e.map = Map::M0f3a,
        _ => {
            e.opcode = value;
            return true;
        }
    }
    done
}

/// The value of a digit.
const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'A'..=b'F' => digit - b'A' + 10,
        _ => panic!("not a digit of the opcode column"),
    }
}

const fn equals(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// True if the operand at this place of the row is an 8-bit register.
pub(super) const fn has_byte_at(operands: &[Operand], places: &[Place; 4], reg: bool) -> bool {
    let mut index = 0;
    while index < operands.len() {
        let here = match places[index] {
            Place::Reg => reg,
            Place::Rm => !reg,
            _ => false,
        };
        if here && matches!(operands[index].kind, Kind::R8) {
            return true;
        }
        index += 1;
    }
    false
}
