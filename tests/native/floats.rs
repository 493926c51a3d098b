//! Floating-point state: modes and flags of the guest in machine code, and that of the host, which must not change.

use super::{loop_while, program, run_all, DATA};
use std::hint::black_box;
use vm_engine_jit::engine::dispatch::GuestExit;
use vm_engine_jit::guest::riscv::insn::Op;
use vm_engine_jit::testing::asm::{csr, Asm, DYNAMIC};
use vm_engine_jit::testing::oracle::{self, ENGINES};
use vm_engine_jit::Trap;

/// Loads the bits of a double into an f register; changes x7.
fn double(asm: &mut Asm, reg: u8, value: f64) {
    asm.li(7, value.to_bits()).r(Op::FmvDX, reg, 7, 0);
}

/// What the host's floating-point unit does: one result per rounding direction, a denormal number in and out.
fn host_behaviour() -> [u64; 6] {
    let (one, third, tiny) = (black_box(1.0f64), black_box(3.0f64), black_box(f64::MIN_POSITIVE));
    let sum = one + black_box(f64::EPSILON / 2.0);
    let single = black_box(1.0f32) / black_box(3.0f32);
    let results = [one / third, -one / third, sum, tiny / 2.0, (tiny / 4.0) * black_box(4.0)];
    let [a, b, c, d, e] = results.map(f64::to_bits);
    [a, b, c, d, e, u64::from(single.to_bits())]
}

/// Sets a mode, divides in a loop until machine code does it, and ends as `end` says.
fn dividing(mode: u8, end: &dyn Fn(&mut Asm)) -> Asm {
    let mut asm = Asm::new();
    asm.li(5, DATA).li(6, 200).i(Op::Csrrwi, 0, mode, csr::FRM);
    double(&mut asm, 11, 1.0);
    double(&mut asm, 12, 3.0);
    let start = asm.code.len();
    asm.f(Op::FdivD, 10, 11, 12, DYNAMIC).i(Op::Addi, 6, 6, -1);
    loop_while(&mut asm, 6, start);
    end(&mut asm);
    asm
}

/// Every way out of machine code: system call, trap, fault of an access, trap of a helper, new rounding mode, no fuel.
#[test]
fn all_engines_the_hosts_floating_point_unit_is_left_alone() {
    let before = host_behaviour();
    let ends: [&dyn Fn(&mut Asm); 6] = [
        &|asm| {
            asm.bare(Op::Ecall);
        },
        &|asm| {
            asm.bare(Op::Ebreak);
        },
        &|asm| {
            asm.i(Op::Ld, 10, 0, 8);
        },
        &|asm| {
            asm.i(Op::Addi, 5, 5, 1).r(Op::AmomaxD, 10, 5, 6);
        },
        &|asm| {
            asm.i(Op::Csrrwi, 0, 6, csr::FRM).f(Op::FaddD, 10, 10, 11, DYNAMIC);
        },
        &|asm| {
            asm.u(Op::Jal, 0, 0);
        },
    ];
    for end in ends {
        for mode in 0..5 {
            let image = program(&dividing(mode, end));
            for &(name, tier) in ENGINES {
                let (mut jit, mmu) = oracle::engine(tier, &image);
                jit.prepare_code(&mmu);
                jit.state_mut().set_fuel(10_000);
                let exit = jit.run_guest(&mmu);
                assert_eq!(host_behaviour(), before, "{name}, mode {mode}: after {exit:?}");
                let up = (1.0f64 / 3.0).to_bits() + u64::from(mode == 3);
                assert_eq!(jit.state().regs[42], up, "{name}, mode {mode}: {exit:?}");
            }
        }
    }
}

/// Operations that raise one flag or none, with their operands.
#[rustfmt::skip] // one row per operation
const RAISING: &[(Op, f64, f64)] = &[
    (Op::FaddD, 1.0, 2.0), (Op::FdivD, 1.0, 3.0), (Op::FdivD, 1.0, 0.0), (Op::FmulD, 1e300, 1e300),
    (Op::FmulD, 1e-300, 1e-300), (Op::FdivD, 0.0, 0.0), (Op::FsqrtD, -1.0, 0.0), (Op::FsubD, f64::INFINITY, f64::INFINITY),
    (Op::FltD, f64::NAN, 1.0), (Op::FeqD, f64::NAN, 1.0), (Op::FminD, f64::NAN, 1.0), (Op::FcvtWD, 1e10, 0.0),
    (Op::FcvtLuD, -1.0, 0.0), (Op::FcvtSD, 1e300, 0.0), (Op::FcvtSD, 0.1, 0.0), (Op::FaddD, 5e-324, 5e-324),
];

/// Each operation runs often enough to become machine code; the flags are read, written and cleared around it.
#[test]
fn all_engines_flags_accrue_alike() {
    for &(op, a, b) in RAISING {
        for (fd, fs1, fs2) in [(10, 11, 12), (4, 5, 6), (10, 5, 12)] {
            let mut asm = Asm::new();
            asm.li(5, DATA).li(6, 100);
            double(&mut asm, fs1, a);
            double(&mut asm, fs2, b);
            let start = asm.code.len();
            let compares = matches!(op, Op::FltD | Op::FeqD | Op::FcvtWD | Op::FcvtLuD);
            let unary = matches!(op, Op::FsqrtD | Op::FcvtWD | Op::FcvtLuD | Op::FcvtSD);
            let rm = if matches!(op, Op::FltD | Op::FeqD | Op::FminD) { 0 } else { DYNAMIC };
            asm.f(op, if compares { 13 } else { fd }, fs1, if unary { 0 } else { fs2 }, rm);
            asm.i(Op::Csrrs, 10, 0, csr::FFLAGS).s(Op::Sd, 5, 10, 0).r(Op::Add, 14, 14, 10);
            // Now and then cleared, or others set beside.
            asm.i(Op::Andi, 11, 6, 3).i(Op::Sltiu, 12, 11, 1).i(Op::Andi, 28, 6, 7);
            asm.s(Op::Bne, 12, 0, 8).i(Op::Csrrw, 29, 28, csr::FFLAGS).r(Op::Add, 15, 15, 29);
            asm.i(Op::Addi, 5, 5, 8).i(Op::Addi, 6, 6, -1);
            loop_while(&mut asm, 6, start);
            asm.bare(Op::Ecall);
            let seen =
                run_all(&program(&asm), 100_000, &format!("{op:?} of {a} and {b} in f{fd}, f{fs1}, f{fs2}"));
            assert_eq!(seen.exit, GuestExit::Syscall);
        }
    }
}

/// One division in a loop in which the mode goes round through all eight values, with a handler of sorts: the owner
/// skips what is illegal.
#[test]
fn all_engines_modes_change_in_a_hot_loop() {
    let mut asm = Asm::new();
    asm.li(5, DATA).li(6, 400).li(8, 31);
    double(&mut asm, 11, 1.0);
    double(&mut asm, 12, -3.0);
    let start = asm.code.len();
    asm.i(Op::Andi, 9, 6, 7).i(Op::Csrrw, 0, 9, csr::FRM);
    asm.f(Op::FdivD, 10, 11, 12, DYNAMIC).r(Op::FmvXD, 13, 10, 0).r(Op::Mul, 14, 14, 8).r(
        Op::Add,
        14,
        14,
        13,
    );
    asm.f(Op::FcvtLD, 15, 10, 0, DYNAMIC).r(Op::Add, 14, 14, 15).i(Op::Addi, 6, 6, -1);
    loop_while(&mut asm, 6, start);
    asm.bare(Op::Ecall);
    let image = program(&asm);
    let mut results = Vec::new();
    for &(_, tier) in ENGINES {
        let (mut jit, mmu) = oracle::engine(tier, &image);
        jit.prepare_code(&mmu);
        let mut illegal = 0;
        loop {
            match jit.run_guest(&mmu) {
                GuestExit::Trap(Trap::IllegalInstruction) => {
                    illegal += 1;
                    jit.state_mut().pc += 4;
                }
                exit => break assert_eq!(exit, GuestExit::Syscall),
            }
        }
        results.push((illegal, jit.state().x(14), jit.state().fcsr(), jit.state().retired()));
    }
    // Modes 5, 6 and 7, two operations each, in 400 rounds.
    assert_eq!(results[0].0, 300);
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
}
