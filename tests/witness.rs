//! Short cases that have broken emulators before: each on every engine, and on `qemu-riscv64` where a user program can
//! show the result there.
//!
//! Registers are numbers: x5-x7 and x28-x31 are temporaries, x8 points to scratch memory (see `testing::case`).

use vm_engine_jit::guest::riscv::insn::{Insn, Op};
use vm_engine_jit::testing::asm::{csr, insn, Asm, DYNAMIC};
use vm_engine_jit::testing::case::{After, Batch, Case, CENTRE};
use vm_engine_jit::testing::oracle::{self, End, ENGINES};

/// Where a result is looked for.
#[derive(Clone, Copy, Debug)]
enum At {
    X(u8),
    F(u8),
    Fcsr,
    /// 64 bits of memory at x8 plus the offset.
    Mem(i64),
}
use At::{Fcsr, Mem, F, X};

/// A case: name, code, results.
struct Witness(&'static str, fn(&mut Asm), &'static [(At, u64)]);

const ONES: u64 = u64::MAX;
const MIN32: u64 = 0xffff_ffff_8000_0000;
const NAN64: u64 = 0x7ff8_0000_0000_0000;
const NAN32: u64 = 0xffff_ffff_7fc0_0000;
const SNAN64: u64 = 0x7ff0_0000_0000_0001;
const ONE64: u64 = 0x3ff0_0000_0000_0000;
const ONE32: u64 = 0xffff_ffff_3f80_0000;
/// 1.0 as a single, but not NaN-boxed.
const UNBOXED: u64 = 0x0000_0000_3f80_0000;
const NEG_ZERO: u64 = 1 << 63;
const NX: u64 = 1;
const UF: u64 = 2;
const DZ: u64 = 8;
const NV: u64 = 16;
const RUP: u64 = 3;
/// `c.nop`, RISC-V Unpriv. 27.5.5.
const C_NOP: u16 = 0x0001;

/// Sets f register `reg` to a bit pattern, through x31.
fn lf(asm: &mut Asm, reg: u8, bits: u64) -> &mut Asm {
    asm.li(31, bits).i(Op::FmvDX, reg, 31, 0)
}

#[rustfmt::skip] // a case is a few lines that are read as a table
static CONTROL: &[Witness] = &[
    Witness("jalr clears bit 0 of the target",
        |a| { a.u(Op::Auipc, 5, 0).i(Op::Jalr, 6, 5, 13).li(7, 1).li(28, 7); },
        &[(X(7), 0), (X(28), 7)]),
    Witness("jalr whose destination is its base",
        |a| { a.u(Op::Auipc, 5, 0).i(Op::Addi, 6, 5, 0).i(Op::Jalr, 5, 5, 16).li(7, 1).r(Op::Sub, 5, 5, 6); },
        &[(X(5), 12), (X(7), 0)]),
    Witness("c.jalr links the address two bytes on",
        |a| { a.u(Op::Auipc, 5, 0).i(Op::Addi, 6, 5, 0).i(Op::Addi, 5, 5, 16)
            .half(0x9002 | 5 << 7).half(C_NOP).r(Op::Sub, 1, 1, 6); },
        &[(X(1), 14)]),
    Witness("c.jalr through its own link register",
        |a| { a.u(Op::Auipc, 1, 0).i(Op::Addi, 6, 1, 0).i(Op::Addi, 1, 1, 16)
            .half(0x9002 | 1 << 7).half(C_NOP).r(Op::Sub, 1, 1, 6); },
        &[(X(1), 14)]),
    Witness("a loop of backward branches",
        |a| { a.li(5, 1000).r(Op::Add, 6, 6, 5).i(Op::Addi, 5, 5, -1).s(Op::Bne, 5, 0, -8); },
        &[(X(5), 0), (X(6), 500_500)]),
    Witness("a branch on a register with itself",
        |a| { a.s(Op::Bltu, 8, 8, 8).li(5, 1).s(Op::Bgeu, 8, 8, 8).li(6, 1).li(7, 1); },
        &[(X(5), 1), (X(6), 0), (X(7), 1)]),
    Witness("jal x0 and results for x0 leave it 0",
        |a| { a.li(5, ONES).u(Op::Jal, 0, 4).i(Op::Slti, 0, 5, 0).i(Op::Addi, 0, 5, 5).i(Op::Ld, 0, 8, 0)
            .r(Op::AmoaddD, 0, 8, 5).i(Op::Csrrs, 0, 0, csr::FCSR).i(Op::Sltiu, 6, 0, 1).r(Op::Add, 7, 0, 0); },
        &[(X(6), 1), (X(7), 0), (Mem(0), ONES)]),
];

#[rustfmt::skip] // as above
static INTEGER: &[Witness] = &[
    Witness("divw and remw overflow with dirty upper halves",
        |a| { a.li(5, 0x1234_5678_8000_0000).li(6, 0xabcd_ffff_ffff).r(Op::Divw, 7, 5, 6).r(Op::Remw, 28, 5, 6); },
        &[(X(7), MIN32), (X(28), 0)]),
    Witness("32-bit division by zero with dirty upper halves",
        |a| { a.li(5, 0x1234_5678_8000_0001).li(6, 0xdead_0000_0000).r(Op::Divw, 7, 5, 6).r(Op::Remw, 28, 5, 6)
            .r(Op::Divuw, 29, 5, 6).r(Op::Remuw, 30, 5, 6); },
        &[(X(7), ONES), (X(28), MIN32 + 1), (X(29), ONES), (X(30), MIN32 + 1)]),
    Witness("64-bit division overflow and division by zero",
        |a| { a.li(5, NEG_ZERO).li(6, ONES).r(Op::Div, 7, 5, 6).r(Op::Rem, 28, 5, 6).r(Op::Div, 29, 5, 0)
            .r(Op::Rem, 30, 5, 0); },
        &[(X(7), NEG_ZERO), (X(28), 0), (X(29), ONES), (X(30), NEG_ZERO)]),
    Witness("shift amounts are taken modulo the width",
        |a| { a.li(5, 1).li(6, 65).r(Op::Sll, 7, 5, 6).li(6, 33).r(Op::Sllw, 28, 5, 6).r(Op::Srlw, 29, 6, 6); },
        &[(X(7), 2), (X(28), 2), (X(29), 16)]),
    Witness("lui and addiw sign-extend",
        |a| { a.u(Op::Lui, 5, -0x8000_0000).i(Op::Addiw, 6, 5, -1).li(7, 0xffff_ffff).i(Op::Addiw, 28, 7, 1); },
        &[(X(5), MIN32), (X(6), 0x7fff_ffff), (X(28), 0)]),
    Witness("mulhsu of -1 and the largest number",
        |a| { a.li(5, ONES).r(Op::Mulhsu, 6, 5, 5).r(Op::Mulhu, 7, 5, 5).r(Op::Mulh, 28, 5, 5); },
        &[(X(6), ONES), (X(7), ONES - 1), (X(28), 0)]),
    Witness("misaligned loads and stores",
        |a| { a.li(5, 0x1122_3344_5566_7788).s(Op::Sd, 8, 5, 3).i(Op::Lw, 6, 8, 5).i(Op::Lhu, 7, 8, 9)
            .s(Op::Sh, 8, 5, 63).i(Op::Lh, 28, 8, 63); },
        &[(X(6), 0x3344_5566), (X(7), 0x1122), (X(28), 0x7788), (Mem(3), 0x1122_3344_5566_7788)]),
];

#[rustfmt::skip] // as above
static ATOMIC: &[Witness] = &[
    Witness("sc after lr succeeds once",
        |a| { a.li(5, 0x8000_0005).s(Op::Sd, 8, 5, 0).r(Op::LrW, 6, 8, 0).li(5, 9).r(Op::ScW, 7, 8, 5)
            .r(Op::ScW, 28, 8, 6); },
        &[(X(6), MIN32 + 5), (X(7), 0), (X(28), 1), (Mem(0), 9)]),
    Witness("sc without lr fails and stores nothing",
        |a| { a.li(5, 9).r(Op::ScW, 6, 8, 5).r(Op::ScD, 7, 8, 5); },
        &[(X(6), 1), (X(7), 1), (Mem(0), 0)]),
    Witness("sc to another address fails and ends the reservation",
        |a| { a.li(5, 9).i(Op::Addi, 6, 8, 64).r(Op::LrD, 7, 8, 0).r(Op::ScD, 28, 6, 5).r(Op::ScD, 29, 8, 5); },
        &[(X(28), 1), (X(29), 1), (Mem(0), 0), (Mem(64), 0)]),
    Witness("sc fails when the value has changed",
        |a| { a.li(5, 9).r(Op::LrD, 7, 8, 0).s(Op::Sb, 8, 5, 7).r(Op::ScD, 28, 8, 5); },
        &[(X(28), 1), (Mem(0), 9 << 56)]),
    Witness("a second lr moves the reservation",
        |a| { a.li(5, 9).i(Op::Addi, 6, 8, 64).r(Op::LrW, 7, 8, 0).r(Op::LrW, 7, 6, 0).r(Op::ScW, 28, 6, 5); },
        &[(X(28), 0), (Mem(0), 0), (Mem(64), 9)]),
    Witness("lr and amo whose destination is their base or source",
        |a| { a.i(Op::Addi, 5, 8, 0).li(6, 7).s(Op::Sd, 8, 6, 0).r(Op::LrD, 5, 5, 0).r(Op::ScD, 6, 8, 6)
            .i(Op::Addi, 7, 8, 0).r(Op::AmoaddD, 7, 7, 7).li(28, 3).r(Op::AmoswapD, 28, 8, 28); },
        &[(X(5), 7), (X(6), 0), (X(7), 7), (Mem(0), 3)]),
    Witness("signed amo of 32 bits ignores dirty upper halves",
        |a| { a.li(5, 0x8000_0000).s(Op::Sd, 8, 5, 0).li(6, 0x1_7fff_ffff).r(Op::AmominW, 7, 8, 6)
            .li(5, 1).s(Op::Sd, 8, 5, 64).i(Op::Addi, 29, 8, 64).li(6, 0x7fff_ffff_8000_0000).r(Op::AmomaxW, 28, 29, 6); },
        &[(X(7), MIN32), (Mem(0), 0x8000_0000), (X(28), 1), (Mem(64), 1)]),
    Witness("unsigned amo of 32 bits ignores dirty upper halves",
        |a| { a.li(5, 0x8000_0000).s(Op::Sd, 8, 5, 0).li(6, 0xff_0000_0001).r(Op::AmominuW, 7, 8, 6)
            .li(5, 1).s(Op::Sd, 8, 5, 64).i(Op::Addi, 29, 8, 64).li(6, 0x0_8000_0000).r(Op::AmomaxuW, 28, 29, 6); },
        &[(X(7), MIN32), (Mem(0), 1), (X(28), 1), (Mem(64), 0x8000_0000)]),
    Witness("amoadd.w wraps, sign-extends and leaves the neighbour alone",
        |a| { a.li(5, 0x5555_5555_7fff_ffff).s(Op::Sd, 8, 5, 0).li(6, 1).r(Op::AmoaddW, 7, 8, 6).r(Op::AmoaddW, 28, 8, 0); },
        &[(X(7), 0x7fff_ffff), (X(28), MIN32), (Mem(0), 0x5555_5555_8000_0000)]),
];

#[rustfmt::skip] // as above
static FLOAT: &[Witness] = &[
    Witness("conversions of NaN give the largest integer",
        |a| { lf(a, 10, NAN64).f(Op::FcvtWD, 5, 10, 0, 0).f(Op::FcvtWuD, 6, 10, 0, 0).f(Op::FcvtLD, 7, 10, 0, 0)
            .f(Op::FcvtLuD, 28, 10, 0, 0); },
        &[(X(5), 0x7fff_ffff), (X(6), ONES), (X(7), ONES >> 1), (X(28), ONES), (Fcsr, NV)]),
    Witness("conversion of -1 to unsigned is invalid, of -0.5 inexact",
        |a| { lf(a, 10, 0xbff0_0000_0000_0000).f(Op::FcvtWuD, 5, 10, 0, 1).i(Op::Csrrwi, 6, 0, csr::FFLAGS);
            lf(a, 10, 0xbfe0_0000_0000_0000).f(Op::FcvtWuD, 7, 10, 0, 1); },
        &[(X(5), 0), (X(6), NV), (X(7), 0), (Fcsr, NX)]),
    Witness("fcvt.wu sign-extends its 32 bits",
        |a| { lf(a, 10, 0x41ef_ffff_ffe0_0000).f(Op::FcvtWuD, 5, 10, 0, 0); },
        &[(X(5), ONES), (Fcsr, 0)]),
    Witness("fmin of a signalling NaN is the number and invalid",
        |a| { lf(a, 10, SNAN64); lf(a, 11, ONE64).r(Op::FminD, 12, 10, 11); },
        &[(F(12), ONE64), (Fcsr, NV)]),
    Witness("fmax of quiet NaNs is canonical and valid",
        |a| { lf(a, 10, NAN64 | 5); lf(a, 11, ONE64).r(Op::FmaxD, 12, 10, 11).r(Op::FmaxD, 13, 10, 10); },
        &[(F(12), ONE64), (F(13), NAN64), (Fcsr, 0)]),
    Witness("fmin and fmax order the zeroes",
        |a| { lf(a, 10, NEG_ZERO); lf(a, 11, 0).r(Op::FminD, 12, 11, 10).r(Op::FmaxD, 13, 10, 11); },
        &[(F(12), NEG_ZERO), (F(13), 0)]),
    Witness("a single that is not boxed is the canonical NaN",
        |a| { lf(a, 10, UNBOXED); lf(a, 11, ONE32).f(Op::FaddS, 12, 10, 11, 0).r(Op::FclassS, 5, 10, 0)
            .r(Op::FeqS, 6, 10, 10).f(Op::FcvtDS, 13, 10, 0, 0).f(Op::FcvtWS, 7, 10, 0, 0); },
        &[(F(12), NAN32), (X(5), 1 << 9), (X(6), 0), (F(13), NAN64), (X(7), 0x7fff_ffff), (Fcsr, NV)]),
    Witness("fmin with a single that is not boxed is the other",
        |a| { lf(a, 10, UNBOXED); lf(a, 11, ONE32).r(Op::FminS, 12, 10, 11).r(Op::FmaxS, 13, 10, 10); },
        &[(F(12), ONE32), (F(13), NAN32), (Fcsr, 0)]),
    Witness("sign injection on singles that are not boxed",
        |a| { lf(a, 10, UNBOXED | 1 << 31); lf(a, 11, ONE32 | 1 << 31).r(Op::FsgnjS, 12, 10, 11)
            .r(Op::FsgnjS, 13, 11, 10).r(Op::FsgnjxS, 14, 10, 10).r(Op::FsgnjnS, 15, 10, 10); },
        &[(F(12), NAN32 | 1 << 31), (F(13), ONE32), (F(14), NAN32), (F(15), NAN32 | 1 << 31)]),
    Witness("sign injection keeps a NaN's payload and raises nothing",
        |a| { lf(a, 10, SNAN64).r(Op::FsgnjnD, 12, 10, 10); },
        &[(F(12), SNAN64 | NEG_ZERO), (Fcsr, 0)]),
    Witness("moves and stores of singles take the low bits as they are",
        |a| { lf(a, 10, 0x1234_5678_8000_0001).r(Op::FmvXW, 5, 10, 0).s(Op::Fsw, 8, 10, 0).i(Op::Flw, 11, 8, 0)
            .r(Op::FmvWX, 12, 31, 0); },
        &[(X(5), MIN32 + 1), (Mem(0), 0x8000_0001), (F(11), MIN32 + 1), (F(12), MIN32 + 1)]),
    Witness("fcsr, frm and fflags keep only their bits",
        |a| { a.li(5, ONES).i(Op::Csrrw, 0, 5, csr::FCSR).i(Op::Csrrwi, 6, 0, csr::FCSR).i(Op::Csrrw, 0, 5, csr::FRM)
            .i(Op::Csrrwi, 7, 0, csr::FRM).i(Op::Csrrw, 0, 5, csr::FFLAGS).i(Op::Csrrs, 28, 0, csr::FCSR); },
        &[(X(6), 0xff), (X(7), 7), (X(28), 0x1f)]),
    Witness("a csr is exchanged with one register",
        |a| { a.li(5, 0x15).i(Op::Csrrwi, 0, 2, csr::FFLAGS).i(Op::Csrrw, 5, 5, csr::FFLAGS).li(6, 0x11)
            .i(Op::Csrrc, 6, 6, csr::FFLAGS); },
        &[(X(5), 2), (X(6), 0x15), (Fcsr, 4)]),
    Witness("static rounding ignores a reserved frm",
        |a| { a.i(Op::Csrrwi, 0, 5, csr::FRM); lf(a, 10, ONE64).f(Op::FaddD, 11, 10, 10, 0).i(Op::Csrrwi, 5, 0, csr::FRM); },
        &[(F(11), 0x4000_0000_0000_0000), (X(5), 5)]),
    Witness("dynamic rounding follows frm",
        |a| { lf(a, 10, ONE64); lf(a, 11, 1).i(Op::Csrrwi, 0, RUP as u8, csr::FRM).f(Op::FaddD, 12, 10, 11, DYNAMIC)
            .f(Op::FaddD, 13, 10, 11, 0); },
        &[(F(12), ONE64 + 1), (F(13), ONE64), (Fcsr, RUP << 5 | NX)]),
    Witness("inf * 0 + NaN is invalid even if the NaN is quiet",
        |a| { lf(a, 10, 0x7ff0_0000_0000_0000); lf(a, 11, 0); lf(a, 12, NAN64 | 1);
            a.insn(Insn { rd: 13, rs1: 10, rs2: 11, rs3: 12, ..insn(Op::FmaddD) }); },
        &[(F(13), NAN64), (Fcsr, NV)]),
    Witness("signs of zero of the negated fused operations",
        |a| { a.insn(Insn { rd: 12, ..insn(Op::FnmaddD) }).insn(Insn { rd: 13, ..insn(Op::FnmsubD) }); },
        &[(F(12), NEG_ZERO), (F(13), 0)]),
    Witness("division by zero, and the root of -0",
        |a| { lf(a, 10, ONE64); lf(a, 11, NEG_ZERO).f(Op::FdivD, 12, 10, 11, 0).f(Op::FsqrtD, 13, 11, 0, 0); },
        &[(F(12), 0xfff0_0000_0000_0000), (F(13), NEG_ZERO), (Fcsr, DZ)]),
    Witness("tininess is detected after rounding",
        |a| { lf(a, 10, 0x000f_ffff_ffff_ffff); lf(a, 11, ONE64 + 1).f(Op::FmulD, 12, 10, 11, 0)
            .i(Op::Csrrwi, 5, 0, csr::FFLAGS); lf(a, 10, 0x0010_0000_0000_0000); lf(a, 11, ONE64 - 1)
            .f(Op::FmulD, 13, 10, 11, 0); },
        &[(F(12), 0x0010_0000_0000_0000), (X(5), NX), (F(13), 0x0010_0000_0000_0000), (Fcsr, UF | NX)]),
    Witness("narrowing a signalling NaN",
        |a| { lf(a, 10, SNAN64).f(Op::FcvtSD, 11, 10, 0, 0); },
        &[(F(11), NAN32), (Fcsr, NV)]),
];

fn value(after: &After, at: At) -> u64 {
    match at {
        X(reg) => after.registers.x[usize::from(reg)],
        F(reg) => after.registers.f[usize::from(reg)],
        Fcsr => after.registers.fcsr,
        Mem(offset) => {
            let start = usize::try_from(CENTRE + offset).unwrap();
            u64::from_le_bytes(after.scratch[start..start + 8].try_into().unwrap())
        }
    }
}

fn check(witnesses: &[Witness]) {
    let case = |witness: &Witness| {
        let mut asm = Asm::new();
        witness.1(&mut asm);
        Case::new(asm.code)
    };
    let batch = Batch::new(&witnesses.iter().map(case).collect::<Vec<_>>());
    let mut runs = vec![("qemu", oracle::qemu(&batch.image))];
    runs.extend(ENGINES.iter().map(|&(name, tier)| (name, oracle::run(tier, &batch.image).0)));
    let mut wrong = Vec::new();
    for (runner, outcome) in &runs {
        assert_eq!(outcome.end, End::Exited(0), "{runner}");
        for (index, Witness(name, _, expected)) in witnesses.iter().enumerate() {
            let after = After::of(&outcome.output, index).unwrap();
            for &(at, expected) in *expected {
                let found = value(&after, at);
                if found != expected {
                    wrong.push(format!("{runner}: {name}: {at:?} is {found:#x}, not {expected:#x}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_engines_control_witnesses() {
    check(CONTROL);
}

#[test]
fn all_engines_integer_witnesses() {
    check(INTEGER);
}

#[test]
fn all_engines_atomic_witnesses() {
    check(ATOMIC);
}

#[test]
fn all_engines_float_witnesses() {
    check(FLOAT);
}

/// The manual leaves open whether a 32-bit store-conditional may follow a 64-bit load-reserved (13.2), but it must
/// not store and report failure, as qemu does.
#[test]
fn all_engines_narrow_sc_after_wide_lr_tells_the_truth() {
    let mut asm = Asm::new();
    asm.li(5, 0x1111_1111_8000_0000).s(Op::Sd, 8, 5, 0).li(6, 9).r(Op::LrD, 7, 8, 0).r(Op::ScW, 28, 8, 6);
    let batch = Batch::new(&[Case::new(asm.code)]);
    for &(name, tier) in ENGINES {
        let after = After::of(&oracle::run(tier, &batch.image).0.output, 0).unwrap();
        let stored = value(&after, Mem(0)) == 0x1111_1111_0000_0009;
        assert_eq!(value(&after, X(28)), u64::from(!stored), "{name}");
    }
}
