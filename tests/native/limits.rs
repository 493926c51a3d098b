//! Little fuel, interrupts, and little room for code.

use super::{jump, loop_while, program, run, run_all, seen, DATA};
use std::time::{Duration, Instant};
use vm_engine_jit::engine::dispatch::GuestExit;
use vm_engine_jit::guest::riscv::insn::Op;
use vm_engine_jit::testing::asm::Asm;
use vm_engine_jit::testing::oracle::{self, ENGINES};
use vm_engine_jit::Tier;

/// Loops, calls that return, a computed jump, a helper call and a store: 466 instructions.
fn varied() -> Asm {
    let mut asm = Asm::new();
    asm.li(5, DATA).li(10, 12).li(11, 7).li(8, 20);
    let start = asm.code.len();
    asm.r(Op::Add, 12, 12, 10).r(Op::Div, 13, 12, 11).s(Op::Sd, 5, 13, 8);
    // Over the function, and a call of it.
    asm.u(Op::Jal, 0, 20);
    let function = asm.code.len();
    asm.r(Op::Xor, 14, 14, 12).r(Op::OrcB, 15, 14, 0).i(Op::Addi, 28, 28, 1).i(Op::Jalr, 0, 1, 0);
    let distance = function as i64 - asm.code.len() as i64;
    asm.u(Op::Jal, 1, distance);
    // The same call by pointer, from one instruction further.
    asm.u(Op::Auipc, 6, 0).i(Op::Addi, 6, 6, distance - 4).i(Op::Jalr, 1, 6, 0);
    for _ in 0..3 {
        asm.r(Op::AmoaddW, 7, 5, 12);
    }
    asm.i(Op::Addi, 8, 8, -1);
    loop_while(&mut asm, 8, start);
    asm.bare(Op::Ecall);
    asm
}

#[test]
fn all_engines_every_amount_of_fuel() {
    let image = program(&varied());
    let whole = run_all(&image, 1_000_000, "all fuel");
    assert_eq!(whole.exit, GuestExit::Syscall);
    assert!((400..600).contains(&whole.retired), "{} instructions", whole.retired);
    for fuel in 0..=500 {
        let stopped = run_all(&image, fuel, &format!("fuel {fuel}"));
        assert_eq!(stopped.exit == GuestExit::Syscall, fuel >= whole.retired, "fuel {fuel}");
        assert_eq!(stopped.retired + stopped.fuel, fuel);
    }
}

#[test]
fn all_engines_go_on_after_every_amount_of_fuel() {
    let image = program(&varied());
    let whole = run(Tier::Interp, &image, 1_000_000);
    for &(name, tier) in ENGINES {
        for portion in [16, 17, 20, 33, 64, 100] {
            let (mut jit, mmu) = oracle::engine(tier, &image);
            let exit = loop {
                jit.state_mut().set_fuel(portion);
                match jit.run_guest(&mmu) {
                    GuestExit::OutOfFuel => assert!(jit.state().fuel < 64, "{name}: stopped too early"),
                    exit => break exit,
                }
            };
            let mut found = seen(&jit, &mmu, exit);
            found.fuel = whole.fuel;
            assert_eq!(found, whole, "{name}, portions of {portion}");
        }
    }
}

/// Programs that never end, by how they go round.
fn endless() -> Vec<(&'static str, Asm)> {
    let mut branch = Asm::new();
    branch.li(5, 1);
    let start = branch.code.len();
    branch.i(Op::Addi, 10, 10, 1);
    loop_while(&mut branch, 5, start);
    let mut blocks = Asm::new();
    blocks.i(Op::Addi, 10, 10, 1).u(Op::Jal, 0, 8).bare(Op::Ebreak).i(Op::Addi, 11, 11, 1);
    jump(&mut blocks, 0);
    let mut computed = Asm::new();
    computed.u(Op::Auipc, 5, 0).i(Op::Addi, 10, 10, 1).i(Op::Jalr, 0, 5, 4);
    let mut calls = Asm::new();
    calls.u(Op::Jal, 1, 12).i(Op::Addi, 11, 11, 1);
    jump(&mut calls, 0);
    calls.i(Op::Addi, 10, 10, 1).i(Op::Jalr, 0, 1, 0);
    let mut descent = Asm::new();
    descent.i(Op::Addi, 10, 10, 1).u(Op::Jal, 1, -4);
    let mut myself = Asm::new();
    jump(&mut myself, 0);
    vec![
        ("branch", branch),
        ("blocks", blocks),
        ("computed jump", computed),
        ("calls", calls),
        ("calls that never return", descent),
        ("jump to itself", myself),
    ]
}

#[test]
fn all_engines_an_interrupt_stops_every_kind_of_loop_within_a_second() {
    for (kind, asm) in endless() {
        for &(name, tier) in ENGINES {
            let (mut jit, mmu) = oracle::engine(tier, &program(&asm));
            let handle = jit.state().interrupt_handle();
            let (exit, asked) = std::thread::scope(|scope| {
                let other = scope.spawn(move || {
                    std::thread::sleep(Duration::from_millis(10));
                    handle.interrupt();
                    Instant::now()
                });
                (jit.run_guest(&mmu), other.join().expect("the thread only sleeps"))
            });
            assert_eq!(exit, GuestExit::Interrupted, "{kind}, {name}");
            let late = asked.elapsed();
            assert!(late < Duration::from_secs(1), "{kind}, {name}: {late:?}");
            assert!(jit.state().retired() > 1000, "{kind}, {name}: {} retired", jit.state().retired());
        }
    }
}

/// More code than a small cache holds: blocks of a few instructions that lead to each other, forwards and by calls,
/// several times round.
fn large(blocks: i64) -> Asm {
    let mut asm = Asm::new();
    asm.li(8, 6).li(10, 1).li(6, 3);
    let start = asm.code.len();
    for n in 0..blocks {
        asm.i(Op::Addi, 10, 10, n % 100).r(Op::Mul, 10, 10, 6).i(Op::Rori, 11, 10, n % 60).r(
            Op::Xor,
            10,
            10,
            11,
        );
        match n % 3 {
            0 => asm.u(Op::Jal, 0, 4),
            // A call whose function is the rest, and which nobody returns from.
            1 => asm.u(Op::Jal, 1, 4),
            _ => asm.s(Op::Beq, 10, 0, 4),
        };
    }
    asm.i(Op::Addi, 8, 8, -1).s(Op::Beq, 8, 0, 8);
    jump(&mut asm, start);
    asm.bare(Op::Ecall);
    asm
}

#[test]
fn all_engines_a_small_code_cache_is_cleared_and_filled_again() {
    let image = program(&large(5000));
    let expected = run(Tier::Interp, &image, u64::MAX);
    assert_eq!(expected.exit, GuestExit::Syscall);
    for &(name, tier) in ENGINES {
        for (bytes, evicts) in [(256 << 10, true), (16 << 10, true), (64 << 20, false)] {
            let (mut jit, mmu) = oracle::engine(tier, &image);
            jit.set_code_cache(bytes);
            let exit = jit.run_guest(&mmu);
            assert!(seen(&jit, &mmu, exit) == expected, "{name}, {bytes} bytes of code");
            let stats = jit.stats();
            assert!(stats.code_bytes <= bytes as u64, "{name}: {stats:?}");
            if tier == Tier::O0 {
                assert_eq!(stats.evictions > 0, evicts, "{bytes} bytes of code: {stats:?}");
            }
        }
    }
}

/// With no room for a block, or not even for what blocks share, the interpreter does all.
#[test]
fn all_engines_a_code_cache_that_holds_nothing() {
    let image = program(&varied());
    let expected = run(Tier::Interp, &image, u64::MAX);
    for &(name, tier) in ENGINES {
        for bytes in [0, 1, 100, 512, 600, 700, 800, 1024] {
            let (mut jit, mmu) = oracle::engine(tier, &image);
            jit.set_code_cache(bytes);
            let exit = jit.run_guest(&mmu);
            assert!(seen(&jit, &mmu, exit) == expected, "{name}, {bytes} bytes of code");
        }
    }
}

/// A new tier counts from the next run on, in the middle of a program too.
#[test]
fn all_engines_the_tier_can_be_changed() {
    let image = program(&varied());
    let expected = run(Tier::Interp, &image, u64::MAX);
    for &(name, first) in ENGINES {
        for &(then, second) in ENGINES {
            let (mut jit, mmu) = oracle::engine(first, &image);
            jit.state_mut().set_fuel(200);
            assert_eq!(jit.run_guest(&mmu), GuestExit::OutOfFuel, "{name}");
            jit.set_tier(second);
            let left = u64::MAX - jit.state().retired();
            jit.state_mut().set_fuel(left);
            let exit = jit.run_guest(&mmu);
            assert!(seen(&jit, &mmu, exit) == expected, "{name}, then {then}");
            let compiled = jit.stats().blocks_compiled;
            assert!(
                second != Tier::Interp || compiled == 0,
                "{name}, then {then}: {compiled} blocks compiled"
            );
        }
    }
}
