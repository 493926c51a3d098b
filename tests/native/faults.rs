//! Faults in machine code: the program counter, all registers and the count of instructions are exact.

use super::{jump, loop_while, program, run_all, Seen, DATA, DATA_BYTES};
use vm_engine_jit::engine::dispatch::GuestExit;
use vm_engine_jit::guest::riscv::insn::{Insn, Op};
use vm_engine_jit::testing::asm::{insn, Asm, DYNAMIC};
use vm_engine_jit::testing::image::CODE;
use vm_engine_jit::{Access, Fault, Trap};

/// An address that nothing is mapped at.
const NOWHERE: u64 = 0x40;
/// The canonical NaN.
const NAN: u64 = 0x7ff8_0000_0000_0000;
/// Enough for every loop here; what goes on after the fault that is wanted does not stop.
const FUEL: u64 = 100_000;

#[test]
fn all_engines_a_store_loop_walks_off_its_page() {
    // x10 and x11 live in host registers, x5 and x6 do not.
    for (address, value, link) in [(10, 11, 1), (5, 6, 1), (10, 6, 5), (5, 11, 1)] {
        let mut asm = Asm::new();
        asm.li(address, DATA).li(value, 1);
        let start = asm.code.len();
        asm.s(Op::Sd, address, value, 0).i(Op::Addi, address, address, 8);
        // A call and its return are in the loop, so that several blocks are linked.
        asm.u(Op::Jal, link, 12).i(Op::Addi, value, value, 3);
        jump(&mut asm, start);
        asm.r(Op::Add, 28, 28, value).i(Op::Jalr, 0, link, 0);
        let seen = run_all(&program(&asm), FUEL, &format!("x{address}, x{value}"));
        let fault = Fault { addr: DATA + 4096, access: Access::Store, mapped: false, beyond_file: false };
        assert_eq!((seen.exit, seen.pc), (GuestExit::Trap(Trap::Memory(fault)), CODE + start as u64));
        // 512 doublewords, 7 instructions each.
        assert_eq!(seen.retired, start as u64 / 4 + 512 * 7);
        let sum: u64 = (0..512).map(|n| 1 + 3 * n).sum();
        let regs = [address, value, 28].map(|reg| seen.regs[usize::from(reg)]);
        assert_eq!(regs, [DATA + 4096, 1 + 3 * 512, sum]);
        assert_eq!(seen.data[4088..], (1 + 3 * 511u64).to_le_bytes());
    }
}

#[rustfmt::skip] // one group per line
const LOADS: &[Op] = &[Op::Lb, Op::Lh, Op::Lw, Op::Ld, Op::Lbu, Op::Lhu, Op::Lwu, Op::Flw, Op::Fld];
const STORES: &[Op] = &[Op::Sb, Op::Sh, Op::Sw, Op::Sd, Op::Fsw, Op::Fsd];
#[rustfmt::skip] // one group per line
const ATOMICS: &[Op] = &[
    Op::LrW, Op::ScW, Op::AmoswapW, Op::AmoaddW, Op::AmoxorW, Op::AmoandW, Op::AmoorW, Op::AmominW, Op::AmomaxW, Op::AmominuW, Op::AmomaxuW,
    Op::LrD, Op::ScD, Op::AmoswapD, Op::AmoaddD, Op::AmoxorD, Op::AmoandD, Op::AmoorD, Op::AmominD, Op::AmomaxD, Op::AmominuD, Op::AmomaxuD,
];

/// The accesses that the tests make: the operation with all registers 0, and whether it is atomic.
fn accesses() -> impl Iterator<Item = (Insn, bool)> {
    let plain = LOADS.iter().chain(STORES).map(|&op| (insn(op), false));
    plain.chain(ATOMICS.iter().map(|&op| (insn(op), true)))
}

/// Base and data registers, with and without a host register, equal, and x0. Number 37 is f5 and 43 is f11.
const REGISTERS: [(u8, u8); 7] = [(10, 11), (10, 6), (5, 11), (5, 6), (10, 10), (5, 5), (10, 0)];

/// Runs an access a hundred times at a good address, so that every tier has made code for it, then at `bad`.
fn access_at(access: Insn, (base, data): (u8, u8), bad: u64) -> (Asm, u64) {
    let mut asm = Asm::new();
    asm.li(22, DATA + 64).li(23, 100).li(28, 5);
    let start = asm.code.len();
    asm.li(data, 77).i(Op::Addi, base, 22, 0).i(Op::Addi, 28, 28, 1);
    let at = asm.code.len() as u64;
    let reads = LOADS.contains(&access.op) || matches!(access.op, Op::LrW | Op::LrD);
    let (rd, rs2) = match STORES.contains(&access.op) {
        true => (0, data),
        false => (data, if reads { 0 } else { data }),
    };
    asm.insn(Insn { rd, rs1: base, rs2, ..access });
    asm.r(Op::Add, 29, 29, 28).i(Op::Addi, 23, 23, -1);
    loop_while(&mut asm, 23, start);
    asm.li(22, bad);
    jump(&mut asm, start);
    (asm, CODE + at)
}

/// The last round ran up to the access and no further.
#[track_caller]
fn check(seen: &Seen, at: u64, context: &str) {
    assert_eq!(seen.pc, at, "{context}: {:?}", seen.exit);
    let sum: u64 = (6..106).sum();
    assert_eq!((seen.regs[28], seen.regs[29], seen.regs[23]), (106, sum, 0), "{context}");
}

#[test]
fn all_engines_every_access_faults_exactly() {
    for (access, atomic) in accesses() {
        for registers in REGISTERS {
            // A page that is not there, and for stores one that is read-only.
            for bad in [NOWHERE, CODE] {
                let context = format!("{:?} {registers:?} at {bad:#x}", access.op);
                let (asm, at) = access_at(access, registers, bad);
                let seen = run_all(&program(&asm), FUEL, &context);
                let reads = LOADS.contains(&access.op) || matches!(access.op, Op::LrW | Op::LrD);
                // A store-conditional without its reservation may fail without looking at memory.
                let certain = bad == NOWHERE || !reads;
                if certain && !matches!(access.op, Op::ScW | Op::ScD) {
                    check(&seen, at, &context);
                    let kind = if reads { Access::Load } else { Access::Store };
                    let fault = Fault { addr: bad, access: kind, mapped: bad == CODE, beyond_file: false };
                    assert_eq!(
                        seen.exit,
                        GuestExit::Trap(Trap::Memory(fault)),
                        "{context}, atomic: {atomic}"
                    );
                }
            }
        }
    }
}

#[test]
fn all_engines_accesses_across_the_end_of_memory() {
    for (access, _) in accesses().filter(|(_, atomic)| !atomic) {
        for registers in REGISTERS {
            for before in [1, 2, 3, 4, 7] {
                let bad = DATA + DATA_BYTES as u64 - before;
                let context = format!("{:?} {registers:?} {before} bytes before the end", access.op);
                let (asm, at) = access_at(access, registers, bad);
                let seen = run_all(&program(&asm), FUEL, &context);
                if seen.exit != GuestExit::OutOfFuel {
                    check(&seen, at, &context);
                }
            }
        }
    }
}

#[test]
fn all_engines_misaligned_atomics_trap() {
    for (access, _) in accesses().filter(|(_, atomic)| *atomic) {
        let double = ATOMICS.iter().position(|&op| op == access.op) >= Some(11);
        for registers in REGISTERS {
            for offset in [1, 2, 3, 4, 6] {
                let bad = DATA + 64 + offset;
                let context = format!("{:?} {registers:?} at +{offset}", access.op);
                let (asm, at) = access_at(access, registers, bad);
                let seen = run_all(&program(&asm), FUEL, &context);
                if double || offset % 4 != 0 {
                    check(&seen, at, &context);
                    assert_eq!(seen.exit, GuestExit::Trap(Trap::Misaligned(bad)), "{context}");
                } else {
                    assert_eq!(seen.exit, GuestExit::OutOfFuel, "{context}");
                }
            }
        }
    }
}

/// Values at which divisions and multiplications have corners.
const CORNERS: [u64; 14] = [
    0,
    1,
    2,
    u64::MAX,
    u64::MAX - 1,
    1 << 63,
    (1 << 63) - 1,
    1 << 31,
    (1 << 31) - 1,
    u32::MAX as u64,
    0xffff_ffff_8000_0000,
    0xffff_ffff_7fff_ffff,
    1 << 32,
    0x8000_0000_0000_0001,
];

#[rustfmt::skip] // one group per line
const DIVISIONS: &[Op] = &[
    Op::Div, Op::Divu, Op::Rem, Op::Remu, Op::Divw, Op::Divuw, Op::Remw, Op::Remuw,
    Op::Mul, Op::Mulh, Op::Mulhu, Op::Mulhsu, Op::Mulw,
];

#[test]
fn all_engines_division_corners() {
    for (dst, src1, src2) in [(10, 11, 12), (5, 6, 7), (11, 11, 12), (12, 11, 12), (10, 11, 11), (6, 6, 12)] {
        for &op in DIVISIONS {
            // The operands are read from data, so that one piece of code sees all of them.
            let mut asm = Asm::new();
            asm.li(20, DATA).li(21, DATA + CORNERS.len() as u64 * 8).li(9, DATA + 2048);
            for (index, &corner) in CORNERS.iter().enumerate() {
                asm.li(15, corner).s(Op::Sd, 20, 15, index as i64 * 8);
            }
            let outer = asm.code.len();
            asm.li(22, DATA);
            let inner = asm.code.len();
            asm.i(Op::Ld, src1, 20, 0).i(Op::Ld, src2, 22, 0).r(op, dst, src1, src2);
            asm.r(Op::Xor, 24, 24, dst).i(Op::Rori, 24, 24, 7).s(Op::Sd, 9, dst, 0).i(Op::Addi, 9, 9, 8);
            asm.i(Op::Addi, 22, 22, 8).r(Op::Sub, 25, 21, 22);
            loop_while(&mut asm, 25, inner);
            asm.i(Op::Addi, 20, 20, 8).r(Op::Sub, 25, 21, 20);
            loop_while(&mut asm, 25, outer);
            asm.bare(Op::Ecall);
            let seen = run_all(&program(&asm), FUEL, &format!("{op:?} x{dst}, x{src1}, x{src2}"));
            assert_eq!(seen.exit, GuestExit::Syscall);
        }
    }
}

/// What a block has put off is done when an access faults: upper halves, shifts, an element's address, a NaN.
#[test]
fn all_engines_a_fault_amid_what_is_put_off() {
    // With and without host registers.
    for (base, wanted) in [(15, 14), (15, 6), (20, 14), (20, 6)] {
        let mut asm = Asm::new();
        asm.li(8, 0x7fff_ffff).li(9, 0x1234_5678_8000_0001).li(base, NOWHERE).li(5, 0x1_0000_0007);
        // A NaN with a payload, which arithmetic keeps on the host.
        asm.li(7, 0xfff8_0000_0000_1234).r(Op::FmvDX, 11, 7, 0);
        asm.r(Op::Addw, 10, 8, 8).i(Op::Addiw, 11, 8, 1).r(Op::Subw, 12, 9, 8).i(Op::Addiw, 9, 9, 0);
        asm.i(Op::Slliw, 13, 8, 4).i(Op::Srli, 6, 5, 28).i(Op::Slli, 16, 8, 33);
        asm.f(Op::FaddD, 10, 11, 11, DYNAMIC).f(Op::FmulD, 12, 10, 10, DYNAMIC);
        asm.i(Op::Slli, wanted, 10, 3).r(Op::Add, wanted, wanted, base);
        let at = asm.code.len();
        asm.i(Op::Ld, wanted, wanted, -8);
        let seen = run_all(&program(&asm), FUEL, &format!("x{base}, x{wanted}"));
        assert!(matches!(seen.exit, GuestExit::Trap(Trap::Memory(_))), "{:?}", seen.exit);
        let address = NOWHERE.wrapping_sub(16);
        assert_eq!((seen.pc, seen.regs[usize::from(wanted)]), (CODE + at as u64, address));
        let negative = 0xffff_ffff_8000_0000;
        let words = [0x7fff_ffff, negative + 1, -2i64 as u64, negative, 2, -16i64 as u64];
        assert_eq!(seen.regs[8..14], words);
        assert_eq!((seen.regs[16], seen.regs[42], seen.regs[44]), (0x7fff_ffff << 33, NAN, NAN));
    }
}
