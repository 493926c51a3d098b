//! Regions where they are hard: their loops fault, give up, change their own code, are left by longjmp, and are entered
//! while they run.

use super::{jump, loop_while, program, seen, Seen, DATA};
use vm_engine_jit::engine::dispatch::GuestExit;
use vm_engine_jit::engine::Stats;
use vm_engine_jit::guest::riscv::insn::Op;
use vm_engine_jit::mmu::{Backing, Prot};
use vm_engine_jit::testing::asm::{Asm, DYNAMIC};
use vm_engine_jit::testing::image::{Image, CODE};
use vm_engine_jit::testing::oracle;
use vm_engine_jit::{Jit, SoftMmu, Tier, Trap};

/// Runs with an owner that deals with each exit and says whether the guest goes on.
fn run(
    tier: Tier,
    beside: bool,
    image: &Image,
    owner: &mut dyn FnMut(&mut Jit, &SoftMmu, GuestExit) -> bool,
) -> (Vec<Seen>, u64, Stats) {
    let (mut jit, mmu) = oracle::engine(tier, image);
    jit.set_background(beside);
    let mut stops = Vec::new();
    loop {
        jit.state_mut().set_fuel(20_000_000);
        let exit = jit.run_guest(&mmu);
        stops.push(seen(&jit, &mmu, exit));
        if !owner(&mut jit, &mmu, exit) {
            let stats = jit.stats();
            return (stops, stats.o1.units + stats.o2.units, stats);
        }
    }
}

/// On the tiers that make regions, as on the interpreter. O2 must have made some, unless they are made beside the guest: that
/// may be over before.
#[track_caller]
fn check(image: &Image, owner: &mut dyn FnMut(&mut Jit, &SoftMmu, GuestExit) -> bool) -> Vec<Seen> {
    let expected = run(Tier::Interp, false, image, owner).0;
    let random = [1, 2].map(|seed| (Tier::Random { seed }, false));
    for (tier, beside) in [(Tier::O1, false), (Tier::O2, false), (Tier::O2, true)].into_iter().chain(random) {
        let (found, regions, stats) = run(tier, beside, image, owner);
        assert!(regions > 0 || tier != Tier::O2 || beside, "no region was made: {stats:?}");
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!(found == expected, "{tier:?}, stop {at}: {}", super::difference(found, expected));
        }
        assert_eq!(found.len(), expected.len(), "{tier:?}");
    }
    expected
}

/// Nobody goes on after any exit.
fn end(_: &mut Jit, _: &SoftMmu, _: GuestExit) -> bool {
    false
}

/// A loop of integers becomes a region; then floating-point registers change, and the loop faults in its tenth round. What
/// the loop does not touch is as exact as what it does.
#[test]
fn regions_a_fault_in_a_loop_is_exact() {
    for value in [11, 6] {
        let mut asm = Asm::new();
        asm.li(10, DATA).li(9, 0).li(23, 100_000).li(5, 0x4008_0000_0000_0000).r(Op::FmvDX, 10, 0, 0);
        let start = asm.code.len();
        asm.s(Op::Sd, 10, value, 0).r(Op::Addw, 12, 12, value).i(Op::Slliw, 13, 12, 3);
        let at = asm.code.len() as u64 - 12;
        asm.i(Op::Addi, value, value, 1).r(Op::Add, 10, 10, 9).i(Op::Addi, 23, 23, -1);
        loop_while(&mut asm, 23, start);
        asm.r(Op::FmvDX, 10, 5, 0).r(Op::FmvDX, 20, 5, 0).f(Op::FaddD, 11, 10, 10, DYNAMIC);
        asm.li(10, DATA + 4096 - 72).li(9, 8).li(23, 1000);
        jump(&mut asm, start);
        let stops = check(&program(&asm), &mut end);
        let last = &stops[0];
        assert!(matches!(last.exit, GuestExit::Trap(Trap::Memory(_))), "{:?}", last.exit);
        assert_eq!((last.pc, last.regs[10], last.regs[23]), (CODE + at, DATA + 4096, 991));
        let three = 0x4008_0000_0000_0000;
        assert_eq!((last.regs[42], last.regs[52], last.regs[43]), (three, three, 0x4018_0000_0000_0000));
    }
}

/// The owner gives the guest page after page; each time the access is done again, in a loop that is a region.
#[test]
fn regions_go_on_after_faults_that_were_mended() {
    const FAR: u64 = 0x2000_0000;
    let mut asm = Asm::new();
    asm.li(10, FAR).li(23, 60 * 512).li(11, 1);
    let start = asm.code.len();
    asm.s(Op::Sd, 10, 11, 0).i(Op::Ld, 12, 10, 0).r(Op::Add, 13, 13, 12).r(Op::Mul, 11, 11, 13);
    asm.i(Op::Addi, 11, 11, 3).i(Op::Addi, 10, 10, 8).i(Op::Addi, 23, 23, -1);
    loop_while(&mut asm, 23, start);
    asm.bare(Op::Ecall);
    let stops = check(&program(&asm), &mut |_, mmu, exit| match exit {
        GuestExit::Trap(Trap::Memory(fault)) => {
            mmu.map(fault.addr & !0xfff, 0x1000, Prot::RW, Backing::Anonymous).unwrap();
            true
        }
        _ => false,
    });
    assert_eq!((stops.len(), stops[60].exit), (61, GuestExit::Syscall));
}

/// Calls in calls, of which the innermost now and then goes back to the loop past the others.
#[test]
fn regions_are_left_by_longjmp() {
    let mut asm = Asm::new();
    asm.li(8, 60_000).li(18, 12345).li(27, 0x5851_f42d_4c95_7f2d).u(Op::Jal, 0, 4 * 14);
    // The inner function: mostly returns.
    let inner = asm.code.len();
    asm.r(Op::Mul, 18, 18, 27).i(Op::Addi, 18, 18, 7).i(Op::Srli, 5, 18, 40).i(Op::Andi, 5, 5, 31);
    asm.s(Op::Bne, 5, 0, 8).i(Op::Jalr, 0, 9, 0).i(Op::Addi, 12, 12, 1).i(Op::Jalr, 0, 1, 0);
    // The outer one.
    let outer = asm.code.len();
    asm.i(Op::Addi, 24, 1, 0);
    let distance = inner as i64 - asm.code.len() as i64;
    asm.u(Op::Jal, 1, distance).i(Op::Addi, 13, 13, 1).i(Op::Addi, 1, 24, 0).i(Op::Jalr, 0, 1, 0);
    // The loop. x9 is where longjmp leads: behind the call.
    let start = asm.code.len();
    asm.u(Op::Auipc, 9, 0).i(Op::Addi, 9, 9, 16).i(Op::Addi, 14, 14, 1);
    let distance = outer as i64 - asm.code.len() as i64;
    asm.u(Op::Jal, 1, distance).i(Op::Addi, 8, 8, -1);
    loop_while(&mut asm, 8, start);
    asm.bare(Op::Ecall);
    let stops = check(&program(&asm), &mut end);
    let last = &stops[0];
    assert_eq!((last.exit, last.regs[14], last.regs[8]), (GuestExit::Syscall, 60_000, 0));
    assert!(last.regs[13] < 60_000 && last.regs[13] == last.regs[12], "{:?}", last.regs);
}

/// A loop that changes an instruction of its own every 4096 rounds.
#[test]
fn regions_see_that_their_code_changes() {
    let mut asm = Asm::new();
    asm.li(8, 40_000).li(19, 0xfff).u(Op::Lui, 20, 1 << 20).u(Op::Auipc, 9, 0);
    let base = asm.code.len() as i64 - 4;
    let start = asm.code.len();
    let place = asm.code.len() as i64;
    asm.i(Op::Addi, 10, 10, 1).r(Op::Xor, 11, 11, 10).i(Op::Addi, 8, 8, -1).r(Op::And, 5, 8, 19);
    asm.s(Op::Bne, 5, 0, 20);
    asm.i(Op::Lw, 6, 9, place - base).r(Op::Addw, 6, 6, 20).s(Op::Sw, 9, 6, place - base).bare(Op::FenceI);
    loop_while(&mut asm, 8, start);
    asm.bare(Op::Ecall);
    let mut image = program(&asm);
    image.segments[0].prot = Prot::RWX;
    let stops = check(&image, &mut end);
    // The number that is added grows by one at each multiple of 4096 that is left.
    let sum: u64 = (0..40_000u64).map(|left| 1 + (40_000 / 4096 - (left / 4096))).sum();
    assert_eq!((stops[0].exit, stops[0].regs[8]), (GuestExit::Syscall, 0));
    assert!(stops[0].regs[10].abs_diff(sum) < 40, "{} {sum}", stops[0].regs[10]);
}

/// Divisions that machine code leaves to the interpreter, and minima of equal numbers, every few rounds, with all fuel and
/// with little.
#[test]
fn regions_give_single_instructions_up() {
    let mut asm = Asm::new();
    asm.li(8, 30_000).li(12, 1000).li(13, -7i64 as u64).r(Op::FmvDX, 11, 0, 0);
    let start = asm.code.len();
    asm.i(Op::Andi, 9, 8, 7).r(Op::Div, 10, 12, 9).r(Op::Remw, 14, 13, 9).r(Op::Add, 15, 15, 10);
    asm.i(Op::Addi, 9, 9, -3).r(Op::Div, 10, 13, 9).r(Op::Xor, 15, 15, 14).r(Op::Sub, 15, 15, 10);
    asm.f(Op::FcvtDW, 10, 9, 0, 0).r(Op::FminD, 12, 10, 11).f(Op::FaddD, 13, 13, 12, DYNAMIC);
    asm.i(Op::Addi, 8, 8, -1);
    loop_while(&mut asm, 8, start);
    asm.bare(Op::Ecall);
    let image = program(&asm);
    let stops = check(&image, &mut end);
    assert_eq!(stops[0].exit, GuestExit::Syscall);
    let whole = stops[0].retired;
    for fuel in (whole - 40..=whole).chain([whole / 2, whole / 2 + 1, whole / 2 + 5, whole / 2 + 9]) {
        let expected = super::run(Tier::Interp, &image, fuel);
        for tier in [Tier::O2, Tier::Random { seed: fuel }] {
            let found = super::run(tier, &image, fuel);
            assert!(found == expected, "{tier:?}, fuel {fuel}: {}", super::difference(&found, &expected));
        }
    }
}

/// Straight code longer than a block, in which an instruction has no code in regions and another one gives up: without fuel
/// it stops between the same blocks everywhere.
#[test]
fn regions_stop_between_the_blocks_of_the_interpreter() {
    let mut asm = Asm::new();
    asm.li(8, 2000).li(5, DATA);
    let start = asm.code.len();
    for n in 0..150 {
        match n {
            70 => asm.r(Op::OrcB, 10, 10, 0),
            140 => asm.i(Op::Csrrs, 14, 0, vm_engine_jit::testing::asm::csr::INSTRET),
            30 => asm.i(Op::Andi, 9, 8, 3),
            31 => asm.r(Op::Div, 10, 11, 9),
            _ => asm.i(Op::Addi, 11, 11, n),
        };
    }
    asm.i(Op::Addi, 8, 8, -1);
    loop_while(&mut asm, 8, start);
    asm.bare(Op::Ecall);
    let image = program(&asm);
    let stops = check(&image, &mut end);
    let whole = stops[0].retired;
    for fuel in whole - 320..=whole {
        let expected = super::run(Tier::Interp, &image, fuel);
        let found = super::run(Tier::O2, &image, fuel);
        assert!(found == expected, "fuel {fuel}: {}", super::difference(&found, &expected));
    }
}

/// One loop from the beginning to the end: the region is entered in the middle of it.
#[test]
fn regions_are_entered_while_their_loop_runs() {
    let mut asm = Asm::new();
    asm.li(8, 1_000_000).li(11, 3);
    let start = asm.code.len();
    asm.r(Op::Mul, 11, 11, 11).r(Op::Add, 11, 11, 8).i(Op::Rori, 11, 11, 11).i(Op::Addi, 8, 8, -1);
    loop_while(&mut asm, 8, start);
    asm.bare(Op::Ecall);
    let stops = check(&program(&asm), &mut end);
    assert_eq!((stops[0].exit, stops[0].regs[8]), (GuestExit::Syscall, 0));
}

/// A double from memory or a boxed single, and the result of arithmetic, are one register where ways meet.
#[test]
fn regions_keep_nans_that_are_singles() {
    let mut asm = Asm::new();
    asm.li(8, 40_000).li(18, 99).li(27, 0x5851_f42d_4c95_7f2d);
    asm.li(5, 0x7fc1_2345).r(Op::FmvWX, 11, 5, 0).li(6, 0x7ff8_0000_dead_beef).r(Op::FmvDX, 12, 6, 0);
    let start = asm.code.len();
    asm.r(Op::Mul, 18, 18, 27).i(Op::Addi, 18, 18, 3).i(Op::Srli, 5, 18, 50).i(Op::Andi, 5, 5, 3);
    // fa0 is a sum that may be a NaN, a single, or any double.
    asm.s(Op::Beq, 5, 0, 16).r(Op::FaddD, 10, 12, 12).r(Op::FsgnjS, 10, 11, 11).u(Op::Jal, 0, 8);
    asm.f(Op::FaddD, 10, 12, 12, DYNAMIC);
    asm.r(Op::FmvXD, 13, 10, 0).r(Op::Xor, 14, 14, 13).i(Op::Rori, 14, 14, 3).i(Op::Addi, 8, 8, -1);
    loop_while(&mut asm, 8, start);
    asm.bare(Op::Ecall);
    check(&program(&asm), &mut end);
    // Nobody reads it in the loop.
    let mut asm = Asm::new();
    asm.li(8, 40_000).li(18, 99).li(27, 0x5851_f42d_4c95_7f2d).li(9, -1i64 as u64).r(Op::FmvDX, 13, 9, 0);
    let start = asm.code.len();
    asm.r(Op::Mul, 18, 18, 27).i(Op::Addi, 18, 18, 3).i(Op::Srli, 5, 18, 50).i(Op::Andi, 5, 5, 3);
    asm.s(Op::Beq, 5, 0, 12).f(Op::FaddD, 10, 11, 12, DYNAMIC).u(Op::Jal, 0, 8).r(Op::FminS, 10, 13, 14);
    asm.i(Op::Addi, 8, 8, -1);
    loop_while(&mut asm, 8, start);
    asm.bare(Op::Ecall);
    check(&program(&asm), &mut end);
}

/// What nobody reads is computed where the loop is left; the host's fixed operands are not the loop's then.
#[test]
fn regions_compute_what_they_owe_when_they_are_left() {
    for (last, other) in [(31, 29), (7, 6), (28, 5), (17, 16)] {
        for op in [Op::CzeroEqz, Op::CzeroNez, Op::Mulhsu, Op::Mulhu, Op::Mulh, Op::Add, Op::Maxu] {
            let mut asm = Asm::new();
            asm.li(8, 100_000).li(last, 9).li(other, 0x8765_4321_1234_5678);
            let start = asm.code.len();
            // More values than there are registers.
            for reg in 10..28 {
                asm.r(Op::Xor, reg, reg, other).i(Op::Addi, reg, reg, i64::from(reg));
            }
            asm.r(op, last, 10, 27).r(op, other, other, 12).i(Op::Addi, 8, 8, -1);
            loop_while(&mut asm, 8, start);
            asm.bare(Op::Ecall);
            check(&program(&asm), &mut end);
        }
    }
}

/// A way that is seldom taken ends in a branch that is decided, and comes back to the loop where another way does.
#[test]
fn regions_count_on_ways_that_are_seldom_taken() {
    let mut asm = Asm::new();
    asm.li(18, 99).li(27, 0x5851_f42d_4c95_7f2d).li(8, 2000);
    let outer = asm.code.len();
    asm.li(20, 18);
    let start = asm.code.len();
    asm.r(Op::Mul, 18, 18, 27).i(Op::Addi, 18, 18, 549).i(Op::Srli, 30, 18, 39).i(Op::Andi, 30, 30, 1023);
    asm.i(Op::Sltiu, 30, 30, 35).s(Op::Bne, 30, 0, 8).u(Op::Jal, 0, 12);
    asm.s(Op::Bltu, 21, 0, 8).r(Op::Ror, 29, 17, 8);
    asm.i(Op::Addi, 20, 20, -1);
    loop_while(&mut asm, 20, start);
    asm.i(Op::Addi, 8, 8, -1);
    loop_while(&mut asm, 8, outer);
    asm.bare(Op::Ecall);
    check(&program(&asm), &mut end);
}
