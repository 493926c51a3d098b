//! Random legal encodings of a row, for tests and for generators of random programs; and the property that the
//! decoder is fuzzed for.
//!
//! Half of the immediates are boundary values: 0, all ones, the lowest bit, the sign bit, all but the sign bit.

use super::decode::{decode, find};
use super::disasm::{disassemble, USER_CSRS};
use super::encode::encode;
use super::insn::{Insn, Row};
use super::operand::{Class, Imm, Operand, Place, Role, AQ, RL};

/// The integer registers that a sample may use, bit n for register n. Floating-point registers are free.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    /// For destinations.
    pub dest: u32,
    /// For sources of data, and the target of `c.jr` and `c.jalr`.
    pub source: u32,
    /// For base addresses of loads, stores, atomics and `jalr`.
    pub base: u32,
}

impl Registers {
    /// All registers in every role.
    pub const ALL: Registers = Registers { dest: u32::MAX, source: u32::MAX, base: u32::MAX };
}

/// How often a sample is drawn before the row is given up. One draw fails in at most half of the cases (an
/// immediate of 0 that is reserved) unless the registers allow no encoding at all.
const TRIES: u32 = 64;

/// A random legal encoding of the row; of a 16-bit instruction, in the low 16 bits.
///
/// `random` returns uniformly distributed bits. `None` if the row has no encoding with these registers: a
/// 16-bit instruction reaches only some of them, and `c.lwsp x0` is reserved. With [`Registers::ALL`] there is
/// always one.
pub fn sample(row: &Row, registers: &Registers, random: &mut dyn FnMut() -> u64) -> Option<u32> {
    for _ in 0..TRIES {
        let mut word = row.bits;
        for operand in row.format.layout().operands {
            word |= sample_operand(operand, registers, random)?;
        }
        if find(word).is_some_and(|found| std::ptr::eq(found, row)) {
            return Some(word);
        }
    }
    None
}

/// The instruction bits of one operand.
fn sample_operand(operand: &Operand, registers: &Registers, random: &mut dyn FnMut() -> u64) -> Option<u32> {
    Some(match *operand {
        Operand::Reg(_, Class::F, place) => place.put(pick(place.registers(), random)?),
        Operand::Reg(role, Class::X, place) | Operand::Hidden(role, place) => {
            let allowed = match role {
                Role::Rd => registers.dest,
                Role::RdRs1 => registers.dest & registers.source,
                Role::Rs1 | Role::Rs2 | Role::Rs3 => registers.source,
            };
            place.put(pick(place.registers() & allowed, random)?)
        }
        Operand::Dec(imm) | Operand::Hex(imm) | Operand::Upper(imm) | Operand::Target(imm) => {
            sample_imm(imm, random)
        }
        Operand::Memory(imm, place) => sample_base(place, registers, random)? | sample_imm(imm, random),
        Operand::Address(place) => sample_base(place, registers, random)?,
        Operand::Csr => sample_csr(random),
        Operand::Zimm => Place::full(15).put(pick(u32::MAX, random)?),
        Operand::Order => Imm::Order.scatter(random_i64(random) & 0xff),
        // Encodings 5 and 6 are reserved.
        Operand::Rm | Operand::RmExact => u32::from(pick(0b1001_1111, random)?) << 12,
        Operand::AqRl => random_u32(random) & (AQ | RL),
    })
}

/// A base address register.
fn sample_base(place: Place, registers: &Registers, random: &mut dyn FnMut() -> u64) -> Option<u32> {
    Some(place.put(pick(place.registers() & registers.base, random)?))
}

/// The instruction bits of an immediate, every second time a boundary value.
fn sample_imm(imm: Imm, random: &mut dyn FnMut() -> u64) -> u32 {
    let value = random_i64(random);
    let field = imm.field();
    // The highest bit of the immediate; 0 if there is no immediate.
    let sign = imm.pieces().iter().max_by_key(|p| p.to).map_or(0, |p| imm.scatter(1 << (p.to + p.width - 1)));
    let lowest = imm.pieces().iter().min_by_key(|p| p.to).map_or(0, |p| imm.scatter(1 << p.to));
    match random() % 10 {
        0 => 0,
        1 => field,
        2 => lowest,
        3 => sign,
        4 => field & !sign,
        _ => imm.scatter(value),
    }
}

/// The instruction bits of a CSR number, every second time one that user programs can name.
fn sample_csr(random: &mut dyn FnMut() -> u64) -> u32 {
    let named = random_index(USER_CSRS.len(), random);
    let number = if random() & 1 == 0 { USER_CSRS[named].0 } else { random_i64(random) };
    Imm::Csr.scatter(number)
}

/// One of the set bits of `allowed`.
fn pick(allowed: u32, random: &mut dyn FnMut() -> u64) -> Option<u8> {
    let count = usize::try_from(allowed.count_ones()).ok().filter(|n| *n > 0)?;
    let index = random_index(count, random);
    (0..32).filter(|n| allowed >> n & 1 != 0).nth(index)
}

/// A number below `count`, which is small and not 0.
fn random_index(count: usize, random: &mut dyn FnMut() -> u64) -> usize {
    (random_u32(random) as usize) % count
}

fn random_u32(random: &mut dyn FnMut() -> u64) -> u32 {
    (random() >> 32) as u32
}

fn random_i64(random: &mut dyn FnMut() -> u64) -> i64 {
    random() as i64
}

/// Checks the decoder on arbitrary bytes, taken as little-endian words.
///
/// Every word must decode or not without a panic; have a text that agrees on whether it decodes; and if it
/// decodes, encode to a 32-bit word that decodes to the same instruction.
///
/// # Panics
/// If one of these does not hold: that is a bug found.
pub fn fuzz_decode(data: &[u8]) {
    for bytes in data.chunks_exact(4) {
        let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let text = disassemble(word, 0);
        let Some(insn) = decode(word) else {
            assert!(text.starts_with('.'), "{word:#010x} is illegal and printed as {text}");
            continue;
        };
        assert!(!text.starts_with('.'), "{word:#010x} is legal and printed as {text}");
        let again = encode(&insn).and_then(decode);
        assert_eq!(again, Some(Insn { len: 4, ..insn }), "{word:#010x} {text}");
    }
}
