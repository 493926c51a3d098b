//! The text of an instruction: Intel syntax, as the decoder that the tests compare with prints it.
//!
//! Numbers are hexadecimal; immediates and displacements are signed; the size of a memory operand is always given.

use super::inst::{Inst, Raw};
use super::mem::Mem;
use super::reg::Gpr;
use super::row::{Kind, Place};
use std::fmt::{self, Display, Formatter};

impl Display for Inst {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let row = self.row();
        f.write_str(&row.mnemonic)?;
        if row.places.contains(&Place::Cond) {
            f.write_str(self.cond().name())?;
        }
        let mut separator = " ";
        for (index, place) in row.places.into_iter().enumerate() {
            let Some(raw) = self.raw(place).filter(|_| place != Place::Cond) else { continue };
            f.write_str(separator)?;
            separator = ", ";
            // cl is in the list of places and not in that of operands.
            let kind = row.operands.get(index).map_or(Kind::R8, |operand| operand.kind);
            write_operand(f, self.bits(), kind, raw)?;
        }
        Ok(())
    }
}

/// Prints an operand of an instruction whose size is `bits`.
fn write_operand(f: &mut Formatter<'_>, bits: u16, kind: Kind, raw: Raw) -> fmt::Result {
    match raw {
        Raw::Reg(number) if kind == Kind::X => write!(f, "xmm{number}"),
        Raw::Reg(number) => f.write_str(Gpr::ALL[usize::from(number & 15)].name(width(kind, bits))),
        Raw::Mem(mem) => {
            f.write_str(match width(kind, bits) {
                8 => "byte ptr ",
                16 => "word ptr ",
                32 => "dword ptr ",
                64 => "qword ptr ",
                128 => "xmmword ptr ",
                _ => "",
            })?;
            // `lea` computes the address without the segment.
            write_mem(f, mem, kind != Kind::M)
        }
        Raw::Label(label) => label.fmt(f),
        Raw::Cond(cond) => f.write_str(cond.name()),
        Raw::Imm(value) => write_signed(f, "", wrap(kind, value)),
    }
}

/// Width of an operand in bits, 0 if it has none.
fn width(kind: Kind, bits: u16) -> u16 {
    match kind {
        Kind::Rv | Kind::Mv => bits,
        Kind::R8 | Kind::M8 => 8,
        Kind::R16 | Kind::M16 => 16,
        Kind::R32 | Kind::M32 => 32,
        Kind::R64 | Kind::M64 => 64,
        Kind::M128 => 128,
        _ => 0,
    }
}

/// An untyped immediate, taken as a signed one of its width.
fn wrap(kind: Kind, value: i64) -> i64 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    match kind {
        Kind::Ub => i64::from(i8::from_le_bytes([a])),
        Kind::Ud => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => value,
    }
}

/// Prints a memory operand without its size, and without its segment if that is not `used`.
pub(super) fn write_mem(f: &mut Formatter<'_>, mem: Mem, used: bool) -> fmt::Result {
    let bits = if mem.has_addr32() { 32 } else { 64 };
    let disp = i64::from(mem.displacement());
    f.write_str(if mem.has_gs() && used { "gs:[" } else { "[" })?;
    match (mem.to_label(), mem.registers()) {
        (Some(label), _) => write!(f, "rip+{label}")?,
        (None, [Some(base), None]) => f.write_str(base.name(bits))?,
        (None, [Some(base), Some(index)]) => {
            write!(f, "{}+{}*{}", base.name(bits), index.name(bits), 1 << mem.scale_field())?;
        }
        (None, [None, Some(index)]) => write!(f, "{}*{}", index.name(bits), 1 << mem.scale_field())?,
        (None, [None, None]) if mem.has_addr32() => return write!(f, "{:#x}]", mem.displacement()),
        (None, [None, None]) => return write!(f, "{disp:#x}]"),
    }
    if disp != 0 {
        write_signed(f, "+", disp)?;
    }
    f.write_str("]")
}

/// Prints a number with its sign; `plus` is that of positive numbers.
fn write_signed(f: &mut Formatter<'_>, plus: &str, value: i64) -> fmt::Result {
    let sign = if value < 0 { "-" } else { plus };
    write!(f, "{sign}{:#x}", value.unsigned_abs())
}
