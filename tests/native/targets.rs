//! Indirect jumps and calls to more places than the table of targets has for them.

use super::{loop_while, program, run_all};
use vm_engine_jit::base::error::Trap;
use vm_engine_jit::engine::dispatch::GuestExit;
use vm_engine_jit::guest::riscv::insn::Op;
use vm_engine_jit::testing::asm::Asm;
use vm_engine_jit::testing::image::CODE;

/// Bytes of code after which places in the table repeat.
const APART: usize = 8192;
const PLACES: i64 = 4;
/// Where the first function is, and where the first place is that is jumped to.
const FUNCTION: usize = 256;
const PLACE: usize = 512;

#[test]
fn targets_that_share_a_place_are_all_found() {
    for used in 2..=PLACES {
        let mut asm = Asm::new();
        asm.li(8, 3000).li(9, CODE);
        let turn = asm.code.len();
        // x6: which one this turn.
        asm.i(Op::Addi, 7, 0, used).r(Op::Remu, 6, 8, 7).i(Op::Slli, 6, 6, 13).r(Op::Add, 6, 6, 9);
        asm.i(Op::Jalr, 1, 6, FUNCTION as i64).i(Op::Jalr, 0, 6, PLACE as i64);
        let back = asm.code.len();
        asm.i(Op::Addi, 8, 8, -1);
        loop_while(&mut asm, 8, turn);
        asm.bare(Op::Ebreak);
        for place in 0..PLACES as usize {
            asm.code.resize(FUNCTION + place * APART, 0);
            asm.i(Op::Addi, 10, 10, place as i64 + 1).i(Op::Jalr, 0, 1, 0);
            asm.code.resize(PLACE + place * APART, 0);
            asm.i(Op::Slli, 11, 11, 1).i(Op::Xori, 11, 11, place as i64);
            let distance = back as i64 - asm.code.len() as i64;
            asm.u(Op::Jal, 0, distance);
        }
        let seen = run_all(&program(&asm), u64::MAX, &format!("{used} places"));
        assert_eq!(seen.exit, GuestExit::Trap(Trap::Breakpoint));
    }
}
