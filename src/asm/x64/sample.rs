//! Instructions for tests: random ones, and those at the limits of what their rows can encode.

use super::inst::{Builder, Inst, Raw};
use super::mem::Mem;
use super::reg::{Cond, Gpr, Index, Predicate, Scale, Size, Xmm};
use super::row::{Kind, Operand, Row};
use crate::asm::Label;

/// Displacements at which the encoding changes, and the limits.
const DISPS: [i32; 9] = [0, 1, -1, 0x7f, -0x80, 0x80, -0x81, i32::MAX, i32::MIN];

/// Immediates at which the encoding changes, and the limits of all widths.
const IMMS: [i64; 14] = [
    0,
    1,
    -1,
    0x7f,
    -0x80,
    0x80,
    -0x81,
    0x7fff,
    -0x8000,
    0x7fff_ffff,
    -0x8000_0000,
    0x1234_5678,
    i64::MAX,
    i64::MIN,
];

/// Random instruction of the row; each operand is at a limit in about every second case.
///
/// `random` returns uniformly distributed bits. `label` is the target of branches, and of some memory operands.
pub fn random(row: &Row, label: Label, random: &mut dyn FnMut() -> u64) -> Inst {
    let size = if row.sized && pick(2, random) == 1 { Size::S64 } else { Size::S32 };
    let start = Builder::new(row.op, size);
    let with = |inst: Builder, operand: &Operand| {
        inst.with(&row.places, random_operand(operand.kind, label, random))
    };
    row.operands.iter().fold(start, with).build()
}

/// Instructions of the row in which every operand takes all of `boundaries` in turn, in both sizes, while the
/// others are random.
pub fn exhaustive(row: &Row, label: Label, random: &mut dyn FnMut() -> u64) -> Vec<Inst> {
    let sizes: &[Size] = if row.sized { &[Size::S32, Size::S64] } else { &[Size::S32] };
    let mut insts = Vec::new();
    for &size in sizes {
        insts.extend(row.operands.is_empty().then(|| Builder::new(row.op, size).build()));
        for varied in 0..row.operands.len() {
            for value in boundaries(row.operands[varied].kind, label) {
                let inst =
                    row.operands.iter().enumerate().fold(Builder::new(row.op, size), |inst, (n, operand)| {
                        let other = random_operand(operand.kind, label, random);
                        inst.with(&row.places, if n == varied { value } else { other })
                    });
                insts.push(inst.build());
            }
        }
    }
    insts
}

/// Every value of an operand that could matter: all registers, conditions and forms of addresses, and the limits of
/// immediates.
fn boundaries(kind: Kind, label: Label) -> Vec<Raw> {
    match kind {
        Kind::R8 | Kind::R16 | Kind::R32 | Kind::R64 | Kind::Rv => Gpr::ALL.map(Raw::from).to_vec(),
        Kind::X => Xmm::ALL.map(Raw::from).to_vec(),
        Kind::Cc => Cond::ALL.iter().map(|cond| Raw::from(*cond)).collect(),
        Kind::P => Predicate::ALL.iter().map(|predicate| Raw::from(*predicate)).collect(),
        Kind::L => vec![Raw::from(label)],
        Kind::M | Kind::M8 | Kind::M16 | Kind::M32 | Kind::M64 | Kind::M128 | Kind::Mv => {
            addresses(label).into_iter().map(Raw::from).collect()
        }
        Kind::Ib | Kind::Iw | Kind::Id | Kind::Ub | Kind::Ud | Kind::Uq => {
            IMMS.iter().map(|value| immediate(kind, *value)).collect()
        }
    }
}

/// All forms of addresses: every base with every displacement that matters, every base with every index, every
/// scale, absolute and relative ones; plain, and with each prefix in turn.
fn addresses(label: Label) -> Vec<Mem> {
    let indexes = || Gpr::ALL.into_iter().filter_map(Index::new);
    let mut plain = Vec::new();
    for disp in DISPS {
        plain.extend(Gpr::ALL.map(|base| Mem::base(base).disp(disp)));
        plain.push(Mem::absolute(disp));
        plain.push(Mem::label(label).disp(disp >> 8));
    }
    for (n, base) in Gpr::ALL.into_iter().enumerate() {
        let forms =
            indexes().zip(Scale::ALL.into_iter().cycle().skip(n)).zip(DISPS.into_iter().cycle().skip(n));
        plain.extend(forms.map(|((index, scale), disp)| Mem::sum(base, index, scale).disp(disp)));
    }
    for scale in Scale::ALL {
        plain.extend(
            indexes().zip(DISPS.into_iter().cycle()).map(|(i, disp)| Mem::scaled(i, scale).disp(disp)),
        );
    }
    let prefixed = |(n, mem): (usize, Mem)| match n % 4 {
        0 => mem,
        1 => mem.gs(),
        2 => mem.addr32(),
        _ => mem.gs().addr32(),
    };
    plain.into_iter().enumerate().map(prefixed).collect()
}

/// A random operand.
fn random_operand(kind: Kind, label: Label, random: &mut dyn FnMut() -> u64) -> Raw {
    match kind {
        Kind::M | Kind::M8 | Kind::M16 | Kind::M32 | Kind::M64 | Kind::M128 | Kind::Mv => {
            Raw::from(random_mem(label, random))
        }
        Kind::Ib | Kind::Iw | Kind::Id | Kind::Ub | Kind::Ud | Kind::Uq if pick(2, random) == 1 => {
            immediate(kind, i64::from_ne_bytes(random().to_ne_bytes()) >> pick(64, random))
        }
        _ => {
            let values = boundaries(kind, label);
            values[pick(values.len(), random)]
        }
    }
}

fn random_mem(label: Label, random: &mut dyn FnMut() -> u64) -> Mem {
    let disp = match pick(4, random) {
        0 => 0,
        1 => DISPS[pick(DISPS.len(), random)],
        2 => i32::from(i8::from_le_bytes(low_bytes(random()))),
        _ => i32::from_le_bytes(low_bytes(random())),
    };
    let base = Gpr::ALL[pick(16, random)];
    let index = Index::new(Gpr::ALL[pick(16, random)]).unwrap_or(Index::RAX);
    let scale = Scale::ALL[pick(4, random)];
    let mut mem = match pick(8, random) {
        0 => Mem::scaled(index, scale).disp(disp),
        1 => Mem::absolute(disp),
        // Far enough from the limits for any place of the label.
        2 => Mem::label(label).disp(disp >> 8),
        3 | 4 => Mem::base(base).disp(disp),
        _ => Mem::sum(base, index, scale).disp(disp),
    };
    let prefixes = pick(8, random);
    if prefixes & 3 == 1 {
        mem = mem.gs();
    }
    if prefixes >= 4 {
        mem = mem.addr32();
    }
    mem
}

/// The immediate of the kind with these low bits.
fn immediate(kind: Kind, value: i64) -> Raw {
    let bits = value.to_le_bytes();
    let bits = u64::from_le_bytes(bits);
    match kind {
        Kind::Ib => Raw::from(i8::from_le_bytes(low_bytes(bits))),
        Kind::Iw => Raw::from(i16::from_le_bytes(low_bytes(bits))),
        Kind::Id => Raw::from(i32::from_le_bytes(low_bytes(bits))),
        Kind::Ub => Raw::from(u8::from_le_bytes(low_bytes(bits))),
        Kind::Ud => Raw::from(u32::from_le_bytes(low_bytes(bits))),
        _ => Raw::from(bits),
    }
}

/// The low `N` bytes, `N` being at most 8.
fn low_bytes<const N: usize>(value: u64) -> [u8; N] {
    std::array::from_fn(|n| value.to_le_bytes()[n])
}

/// A number below `count`, which is small and not 0.
fn pick(count: usize, random: &mut dyn FnMut() -> u64) -> usize {
    // Below `count`.
    ((random() >> 33) as usize) % count
}
