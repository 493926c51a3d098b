//! Regions that are compiled beside the guest: it runs on meanwhile, and whenever they come, it does the same.

use super::{loop_while, program, seen, Seen, DATA};
use std::time::{Duration, Instant};
use vm_engine_jit::engine::dispatch::GuestExit;
use vm_engine_jit::engine::{GaveUp, Stats};
use vm_engine_jit::guest::riscv::insn::Op;
use vm_engine_jit::mmu::Prot;
use vm_engine_jit::testing::asm::Asm;
use vm_engine_jit::testing::image::{Image, CODE};
use vm_engine_jit::testing::oracle;
use vm_engine_jit::{Jit, SoftMmu, Tier};

/// How long the thread may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A loop without an end.
fn endless() -> Image {
    let mut asm = Asm::new();
    asm.li(5, DATA).li(6, 1).li(10, 7).li(11, 0x5851_f42d_4c95_7f2d);
    let start = asm.code.len();
    asm.r(Op::Mul, 10, 10, 11).i(Op::Addi, 10, 10, 1).s(Op::Sd, 5, 10, 8).i(Op::Ld, 12, 5, 8);
    asm.r(Op::Xor, 13, 13, 12).i(Op::Srli, 14, 13, 7).r(Op::Add, 15, 15, 14);
    loop_while(&mut asm, 6, start);
    program(&asm)
}

fn beside(tier: Tier) -> (Jit, SoftMmu) {
    let (mut jit, mmu) = oracle::engine(tier, &endless());
    jit.set_background(true);
    (jit, mmu)
}

/// Runs so many guest instructions.
fn run(jit: &mut Jit, mmu: &SoftMmu, fuel: u64) {
    jit.state_mut().set_fuel(fuel);
    assert_eq!(jit.run_guest(mmu), GuestExit::OutOfFuel);
}

/// Runs until what is counted is as wanted.
fn run_until(jit: &mut Jit, mmu: &SoftMmu, wanted: impl Fn(&Stats) -> bool) {
    let begun = Instant::now();
    while !wanted(&jit.stats()) {
        run(jit, mmu, 100_000);
        assert!(begun.elapsed() < PATIENCE, "{:?}", jit.stats());
    }
}

fn everything(jit: &Jit, mmu: &SoftMmu) -> Seen {
    Seen { fuel: 0, ..seen(jit, mmu, GuestExit::OutOfFuel) }
}

#[test]
fn regions_that_are_compiled_beside_the_guest_are_run() {
    let (mut jit, mmu) = beside(Tier::O2);
    run_until(&mut jit, &mmu, |stats| stats.o2.units > 0);
    run(&mut jit, &mmu, 1_000_000);
    let stats = jit.stats();
    assert!(stats.o0.replaced > 0 && stats.o2.nanoseconds > 0 && stats.longest_queue > 0, "{stats:?}");
    let (mut other, memory) = oracle::engine(Tier::Interp, &endless());
    run(&mut other, &memory, jit.state().retired());
    assert!(everything(&jit, &mmu) == everything(&other, &memory));
}

/// Two harts of one guest share what is compiled, and what was found hot.
#[test]
fn regions_are_compiled_once_for_all_harts() {
    let (mut jit, mmu) = beside(Tier::O2);
    let mut sibling = jit.sibling(&mmu);
    run_until(&mut jit, &mmu, |stats| stats.o2.units > 0);
    // What was ordered meanwhile comes to its end.
    run_until(&mut jit, &mmu, |stats| stats.regions_formed == stats.o2.units + stats.o2.gave_up.all());
    let before = jit.stats();
    run(&mut sibling, &mmu, 1_000_000);
    assert_eq!(sibling.stats().o2.units, before.o2.units);
    drop(jit);
    run(&mut sibling, &mmu, 1_000_000);
}

/// Engines come and go while their threads are in the middle of something.
#[test]
fn regions_an_engine_ends_while_it_has_orders() {
    for slices in 1..40 {
        let (mut jit, mmu) = beside(Tier::O2);
        run(&mut jit, &mmu, 5000 * slices);
        if slices % 3 == 0 {
            jit.set_tier(if slices % 2 == 0 { Tier::O2 } else { Tier::O0 });
            run(&mut jit, &mmu, 100_000);
        }
    }
}

/// Code changes while regions of it are compiled: what is made of the old code is not run.
#[test]
fn regions_of_code_that_changed_meanwhile_are_dropped() {
    let (mut jit, mmu) = beside(Tier::O2);
    let (mut other, memory) = oracle::engine(Tier::Interp, &endless());
    let change = |mmu: &SoftMmu, code: &[u8]| {
        mmu.protect(CODE, 4096, Prot::RW).unwrap();
        mmu.write(CODE, code).unwrap();
        mmu.protect(CODE, 4096, Prot::RX).unwrap();
    };
    let image = endless();
    let code = &image.segments[0].bytes;
    let begun = Instant::now();
    let mut round = 0u64;
    while jit.stats().o2.gave_up.of(GaveUp::Stale) == 0 || round < 20 {
        for (jit, mmu) in [(&mut jit, &mmu), (&mut other, &memory)] {
            // A recording of this loop has 24,000; soon after it the code changes.
            run(jit, mmu, 40_000);
            // The shift's distance, in its bits 20 to 25.
            let mut code = code.clone();
            let at = code.len() - 12;
            code[at + 2] ^= ((round & 3) << 4) as u8;
            change(mmu, &code);
        }
        round += 1;
        assert!(everything(&jit, &mmu) == everything(&other, &memory), "round {round}");
        assert!(begun.elapsed() < PATIENCE, "{:?}", jit.stats());
    }
}
