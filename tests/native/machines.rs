//! Several guests in one process, each with memory and code of its own.

use super::{loop_while, program, seen, Seen, DATA};
use vm_engine_jit::engine::dispatch::GuestExit;
use vm_engine_jit::guest::riscv::insn::Op;
use vm_engine_jit::mmu::{Backing, Placement, Prot};
use vm_engine_jit::testing::asm::Asm;
use vm_engine_jit::testing::image::Image;
use vm_engine_jit::testing::oracle::ENGINES;
use vm_engine_jit::{Jit, SoftMmu, Tier};

/// A guest that stores a sequence of its own, which depends on `seed`, at the same address as all others.
fn guest(seed: u64) -> Image {
    let mut asm = Asm::new();
    asm.li(5, DATA).li(6, 400).li(10, seed).li(11, 0x5851_f42d_4c95_7f2d);
    let start = asm.code.len();
    asm.r(Op::Mul, 10, 10, 11).i(Op::Addi, 10, 10, 1).s(Op::Sd, 5, 10, 0).i(Op::Ld, 12, 5, 0);
    asm.r(Op::Xor, 13, 13, 12).r(Op::AmoaddD, 14, 5, 12).r(Op::Add, 15, 15, 14).i(Op::Addi, 5, 5, 8);
    asm.i(Op::Addi, 6, 6, -1);
    loop_while(&mut asm, 6, start);
    asm.bare(Op::Ecall);
    program(&asm)
}

/// An engine at the start of an image that is loaded at the given place.
fn load(image: &Image, placement: Placement, tier: Tier) -> (Jit, SoftMmu) {
    let mmu = SoftMmu::reserve(placement).expect("there is room for a guest");
    for segment in &image.segments {
        let len = (segment.bytes.len() as u64).next_multiple_of(4096);
        mmu.map(segment.addr, len, Prot::RW, Backing::Anonymous).unwrap();
        mmu.write(segment.addr, &segment.bytes).unwrap();
        mmu.protect(segment.addr, len, segment.prot).unwrap();
    }
    let mut jit = Jit::new();
    jit.set_tier(tier);
    jit.prepare_code(&mmu);
    jit.state_mut().pc = image.entry;
    (jit, mmu)
}

/// Runs one guest after another for a portion of fuel each, until all are done.
fn interleave(guests: &mut [(Jit, SoftMmu)]) -> Vec<Seen> {
    let mut done: Vec<Option<Seen>> = vec![None; guests.len()];
    for round in 0.. {
        for ((jit, mmu), done) in guests.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            jit.state_mut().set_fuel(100 + round % 37);
            match jit.run_guest(mmu) {
                GuestExit::OutOfFuel => {}
                exit => {
                    jit.state_mut().set_fuel(0);
                    *done = Some(seen(jit, mmu, exit));
                }
            }
        }
        if done.iter().all(Option::is_some) {
            break;
        }
    }
    done.into_iter().flatten().collect()
}

#[track_caller]
fn check(places: &[Placement], tiers: &[Tier]) {
    let images: Vec<Image> = (1..).map(guest).take(places.len()).collect();
    let alone = images.iter().map(|image| interleave(&mut [load(image, Placement::Based, Tier::Interp)]));
    let alone: Vec<Seen> = alone.flatten().collect();
    assert!(alone.windows(2).all(|pair| pair[0].data != pair[1].data));
    let mut guests: Vec<(Jit, SoftMmu)> = images
        .iter()
        .zip(places)
        .zip(tiers.iter().cycle())
        .map(|((image, &place), &tier)| load(image, place, tier))
        .collect();
    let together = interleave(&mut guests);
    assert!(together == alone, "{places:?} {tiers:?}");
}

#[test]
fn all_engines_two_based_guests_take_turns() {
    for &(_, tier) in ENGINES {
        check(&[Placement::Based, Placement::Based], &[tier]);
        check(&[Placement::Based, Placement::Based, Placement::Based], &[tier, Tier::Interp]);
    }
}

/// The low space exists once per process, so this is the only test that takes it.
#[test]
fn all_engines_a_low_and_a_based_guest_take_turns() {
    for &(_, tier) in ENGINES {
        check(&[Placement::Low, Placement::Based], &[tier]);
        check(&[Placement::Based, Placement::Low, Placement::Based], &[tier, Tier::O0]);
    }
}

#[test]
fn all_engines_guests_move_between_threads() {
    let image = guest(5);
    let [expected] = &interleave(&mut [load(&image, Placement::Based, Tier::Interp)])[..] else {
        panic!("one guest")
    };
    for &(name, tier) in ENGINES {
        let (mut jit, mmu) = load(&image, Placement::Based, tier);
        let exit = loop {
            jit.state_mut().set_fuel(300);
            let exit =
                std::thread::scope(|scope| scope.spawn(|| jit.run_guest(&mmu)).join().expect("no panic"));
            if exit != GuestExit::OutOfFuel {
                break exit;
            }
        };
        jit.state_mut().set_fuel(0);
        assert!(seen(&jit, &mmu, exit) == *expected, "{name}");
    }
}

#[test]
fn all_engines_guests_run_in_threads_at_once() {
    let images: Vec<Image> = (1..=4).map(guest).collect();
    for &(name, tier) in ENGINES {
        std::thread::scope(|scope| {
            for image in &images {
                scope.spawn(move || {
                    let expected = interleave(&mut [load(image, Placement::Based, Tier::Interp)]);
                    for _ in 0..20 {
                        let found = interleave(&mut [load(image, Placement::Based, tier)]);
                        assert!(found == expected, "{name}");
                    }
                });
            }
        });
    }
}

/// The same engine goes from one guest's memory to another's, which may lie where the first one's did.
#[test]
fn all_engines_one_engine_serves_one_memory_after_another() {
    for &(name, tier) in ENGINES {
        for keep in [true, false] {
            let (mut jit, first) = load(&guest(1), Placement::Based, tier);
            assert_eq!(jit.run_guest(&first), GuestExit::Syscall);
            let first = keep.then_some(first);
            let (other, second) = load(&guest(2), Placement::Based, tier);
            let (pc, retired) = (other.state().pc, jit.state().retired());
            jit.state_mut().regs.fill(0);
            jit.state_mut().pc = pc;
            assert_eq!(jit.run_guest(&second), GuestExit::Syscall, "{name}");
            let [expected] = &interleave(&mut [load(&guest(2), Placement::Based, Tier::Interp)])[..] else {
                panic!("one guest")
            };
            let found = seen(&jit, &second, GuestExit::Syscall);
            assert!(found.regs == expected.regs && found.data == expected.data, "{name}, keep {keep}");
            assert_eq!(found.retired - retired, expected.retired, "{name}");
            drop(first);
        }
    }
}

/// A hart goes from one engine to another in the middle of calls, and the engine that it came from goes away.
#[test]
fn all_engines_a_state_moves_to_another_engine() {
    // f(n) = n == 0 ? 1 : f(n - 1) * 3 + n, with a frame on a stack in the data.
    let mut asm = Asm::new();
    asm.li(2, DATA + 4096).li(10, 200).u(Op::Jal, 1, 8).bare(Op::Ecall);
    asm.s(Op::Bne, 10, 0, 12).li(11, 1).i(Op::Jalr, 0, 1, 0);
    asm.i(Op::Addi, 2, 2, -16).s(Op::Sd, 2, 1, 0).s(Op::Sd, 2, 10, 8).i(Op::Addi, 10, 10, -1);
    asm.u(Op::Jal, 1, -28).i(Op::Ld, 1, 2, 0).i(Op::Ld, 10, 2, 8).i(Op::Addi, 2, 2, 16);
    asm.i(Op::Slli, 12, 11, 1).r(Op::Add, 11, 11, 12).r(Op::Add, 11, 11, 10).i(Op::Jalr, 0, 1, 0);
    let image = program(&asm);
    let [expected] = &interleave(&mut [load(&image, Placement::Based, Tier::Interp)])[..] else {
        panic!("one guest")
    };
    for &(name, tier) in ENGINES {
        let (mut jit, mmu) = load(&image, Placement::Based, tier);
        let exit = loop {
            jit.state_mut().set_fuel(150);
            let exit = jit.run_guest(&mmu);
            if exit != GuestExit::OutOfFuel {
                break exit;
            }
            let mut other = Jit::new();
            other.set_tier(tier);
            other.prepare_code(&mmu);
            std::mem::swap(other.state_mut(), jit.state_mut());
            jit = other;
        };
        jit.state_mut().set_fuel(0);
        assert!(seen(&jit, &mmu, exit) == *expected, "{name}");
    }
}

/// A page that is written by the code on it: the watch over translated code must not make the write start over forever.
#[test]
fn all_engines_code_that_writes_its_own_page_goes_on() {
    let (code, data) = (0x2_0000, 0x2_0800);
    let mut asm = Asm::new();
    asm.li(5, data).li(6, 50).li(10, 7);
    let start = asm.code.len();
    asm.s(Op::Sd, 5, 10, 0).i(Op::Ld, 11, 5, 0).r(Op::Add, 12, 12, 11).i(Op::Addi, 10, 10, 1);
    asm.i(Op::Addi, 6, 6, -1);
    loop_while(&mut asm, 6, start);
    asm.bare(Op::Ecall);
    for &(name, tier) in ENGINES {
        let mmu = SoftMmu::try_new(0, false).unwrap();
        mmu.map(code, 0x1000, Prot::RWX, Backing::Anonymous).unwrap();
        mmu.write(code, &asm.code).unwrap();
        let mut jit = Jit::new();
        jit.set_tier(tier);
        jit.prepare_code(&mmu);
        jit.state_mut().pc = code;
        jit.state_mut().set_fuel(10_000);
        assert_eq!(jit.run_guest(&mmu), GuestExit::Syscall, "{name}");
        assert_eq!(jit.state().x(12), (7..57).sum::<u64>(), "{name}");
    }
}

/// `auto` makes code once a program has run for a while, or when it is told to; for its siblings it is.
#[test]
fn auto_makes_no_code_for_programs_that_end_soon() {
    let compiled = |rounds: u64, start: fn(&mut Jit, &SoftMmu)| {
        let mut asm = Asm::new();
        asm.li(6, rounds);
        let begin = asm.code.len();
        asm.i(Op::Addi, 6, 6, -1);
        loop_while(&mut asm, 6, begin);
        asm.bare(Op::Ecall);
        let image = program(&asm);
        let mmu = image.to_mmu();
        // This is what an engine does if nothing else is said.
        let mut jit = Jit::new();
        assert_eq!(jit.tier(), Tier::Auto);
        start(&mut jit, &mmu);
        jit.state_mut().pc = image.entry;
        assert_eq!(jit.run_guest(&mmu), GuestExit::Syscall);
        jit.stats().blocks_compiled
    };
    assert_eq!(compiled(10_000, |_, _| {}), 0);
    assert_ne!(compiled(100_000, |_, _| {}), 0);
    assert_ne!(compiled(10_000, |jit, mmu| jit.prepare_code(mmu)), 0);
    assert_ne!(compiled(10_000, |jit, mmu| *jit = jit.sibling(mmu)), 0);
}
