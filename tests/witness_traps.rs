//! Where and how guests stop: traps, fuel, interrupts, system calls, and code that changes. On every engine, and on
//! `qemu-riscv64` as far as a user program can show it there (which signal kills it, what it writes).

use std::time::{Duration, Instant};
use vm_engine_jit::engine::dispatch::GuestExit;
use vm_engine_jit::guest::riscv::insn::Op;
use vm_engine_jit::mmu::{Backing, Prot};
use vm_engine_jit::testing::asm::{csr, Asm, DYNAMIC};
use vm_engine_jit::testing::image::{Image, Segment, CODE};
use vm_engine_jit::testing::oracle::{self, End, ENGINES};
use vm_engine_jit::{Access, Fault, Jit, SoftMmu, Tier, Trap};

/// Data memory of the programs here.
const DATA: u64 = 0x1000_0000;
const C_EBREAK: u16 = 0x9002;
const C_NOP: u16 = 0x0001;
/// An address that no program has mapped.
const NOWHERE: u64 = 0x40;

/// One page of code and one of data.
fn program(asm: &Asm, code: Prot) -> Image {
    let data = Segment { addr: DATA, bytes: vec![0; 64], prot: Prot::RW };
    let code = Segment { addr: CODE, bytes: asm.code.clone(), prot: code };
    Image { segments: vec![code, data], entry: CODE }
}

fn memory(addr: u64, access: Access, mapped: bool) -> Trap {
    Trap::Memory(Fault { addr, access, mapped, beyond_file: false })
}

/// A way to trap: name, the instruction at fault (x5 holds `base`), what it traps with, whether qemu must agree.
struct Trapping(&'static str, u64, fn(&mut Asm), Trap, bool);

const LOAD: Trap =
    Trap::Memory(Fault { addr: NOWHERE, access: Access::Load, mapped: false, beyond_file: false });
const STORE: Trap =
    Trap::Memory(Fault { access: Access::Store, addr: NOWHERE, mapped: false, beyond_file: false });
const READ_ONLY: Trap =
    Trap::Memory(Fault { access: Access::Store, addr: CODE, mapped: true, beyond_file: false });
const ILLEGAL: Trap = Trap::IllegalInstruction;

#[rustfmt::skip] // one row per case
static TRAPS: &[Trapping] = &[
    Trapping("load from nowhere", NOWHERE, |a| { a.i(Op::Ld, 6, 5, 0); }, LOAD, true),
    Trapping("load from nowhere to x0", NOWHERE, |a| { a.i(Op::Lb, 0, 5, 0); }, LOAD, true),
    Trapping("float load from nowhere", NOWHERE, |a| { a.i(Op::Flw, 6, 5, 0); }, LOAD, true),
    Trapping("store to nowhere", NOWHERE, |a| { a.s(Op::Sd, 5, 6, 0); }, STORE, true),
    Trapping("store to read-only memory", CODE, |a| { a.s(Op::Sb, 5, 6, 0); }, READ_ONLY, true),
    Trapping("amo to read-only memory", CODE, |a| { a.r(Op::AmoaddW, 0, 5, 0); }, READ_ONLY, true),
    Trapping("amo to nowhere", NOWHERE, |a| { a.r(Op::AmoorD, 6, 5, 6); }, STORE, true),
    Trapping("lr from nowhere", NOWHERE, |a| { a.r(Op::LrD, 0, 5, 0); }, LOAD, true),
    Trapping("misaligned lr.w", DATA + 2, |a| { a.r(Op::LrW, 6, 5, 0); }, Trap::Misaligned(DATA + 2), true),
    Trapping("misaligned lr.d", DATA + 4, |a| { a.r(Op::LrD, 6, 5, 0); }, Trap::Misaligned(DATA + 4), true),
    Trapping("misaligned sc.d", DATA + 4, |a| { a.r(Op::ScD, 6, 5, 6); }, Trap::Misaligned(DATA + 4), false),
    // qemu's `max` has Zama16b and carries misaligned AMOs out.
    Trapping("misaligned amo.w", DATA + 1, |a| { a.r(Op::AmoaddW, 6, 5, 6); }, Trap::Misaligned(DATA + 1), false),
    Trapping("misaligned amo.d", DATA + 12, |a| { a.r(Op::AmoaddD, 6, 5, 6); }, Trap::Misaligned(DATA + 12), false),
    Trapping("ebreak", 0, |a| { a.bare(Op::Ebreak); }, Trap::Breakpoint, true),
    Trapping("c.ebreak", 0, |a| { a.half(C_EBREAK); }, Trap::Breakpoint, true),
    Trapping("all zeroes", 0, |a| { a.half(0); }, ILLEGAL, true),
    Trapping("all ones", 0, |a| { a.word(u32::MAX); }, ILLEGAL, true),
    Trapping("mret", 0, |a| { a.word(0x3020_0073); }, ILLEGAL, true),
    Trapping("write to a read-only csr", 0, |a| { a.i(Op::Csrrw, 0, 5, csr::CYCLE); }, ILLEGAL, true),
    Trapping("read of a machine csr", 0, |a| { a.i(Op::Csrrs, 6, 0, 0x300); }, ILLEGAL, true),
    Trapping("reserved static rounding mode", 0, |a| { a.word(0x0200_0053 | 5 << 12); }, ILLEGAL, true),
    Trapping("reserved dynamic rounding mode", 0,
        |a| { a.f(Op::FaddD, 6, 5, 6, DYNAMIC); }, ILLEGAL, true),
    Trapping("reserved dynamic rounding mode of a conversion", 0,
        |a| { a.f(Op::FcvtLD, 0, 5, 0, DYNAMIC); }, ILLEGAL, true),
];

/// x28 is written before and x29 would be after; `frm` is reserved. Returns the offset of the instruction at fault and
/// how many instructions come before it.
fn trapping_code(case: &Trapping) -> (Asm, u64, u64) {
    let mut asm = Asm::new();
    asm.li(6, 77).li(5, case.1).i(Op::Csrrwi, 0, 5, csr::FRM).li(28, 42);
    let at = asm.code.len() as u64;
    case.2(&mut asm);
    asm.li(29, 43).bare(Op::Ebreak);
    (asm, at, at / 4)
}

#[test]
fn all_engines_traps_are_exact() {
    for case in TRAPS {
        let (asm, at, before) = trapping_code(case);
        let image = program(&asm, Prot::RX);
        if case.4 {
            let end = oracle::qemu(&image).end;
            assert_eq!(end, End::Killed(oracle::signal_of(case.3)), "qemu: {}", case.0);
        }
        for &(name, tier) in ENGINES {
            let (mut jit, mmu) = oracle::engine(tier, &image);
            let context = format!("{name}: {}", case.0);
            // A trap that is not resolved comes again, with the same state.
            for _ in 0..2 {
                assert_eq!(jit.run_guest(&mmu), GuestExit::Trap(case.3), "{context}");
                let cpu = jit.state();
                assert_eq!(cpu.pc, CODE + at, "{context}");
                assert_eq!((cpu.x(0), cpu.x(6), cpu.x(28), cpu.x(29)), (0, 77, 42, 0), "{context}");
                assert_eq!(cpu.retired(), before, "{context}");
            }
        }
    }
}

#[test]
fn all_engines_a_fault_in_the_middle_keeps_what_was_done() {
    let mut asm = Asm::new();
    asm.li(5, DATA).li(6, NOWHERE).li(7, 11);
    asm.s(Op::Sd, 5, 7, 0).r(Op::Add, 28, 7, 7).s(Op::Sd, 5, 28, 8);
    let at = asm.code.len() as u64;
    asm.i(Op::Ld, 7, 6, 0).s(Op::Sd, 5, 0, 0).li(28, 0).bare(Op::Ecall);
    for &(name, tier) in ENGINES {
        let (mut jit, mmu) = oracle::engine(tier, &program(&asm, Prot::RX));
        assert_eq!(jit.run_guest(&mmu), GuestExit::Trap(LOAD), "{name}");
        assert_eq!((jit.state().pc, jit.state().retired()), (CODE + at, at / 4), "{name}");
        assert_eq!((jit.state().x(7), jit.state().x(28)), (11, 22), "{name}");
        assert_eq!((mmu.read_u64(DATA), mmu.read_u64(DATA + 8)), (Ok(11), Ok(22)), "{name}");
        // The owner maps the page, and the guest goes on as if nothing had happened.
        mmu.map(0, 0x1000, Prot::RW, Backing::Anonymous).unwrap();
        assert_eq!(jit.run_guest(&mmu), GuestExit::Syscall, "{name}");
        assert_eq!((jit.state().x(7), jit.state().x(28), mmu.read_u64(DATA)), (0, 0, Ok(0)), "{name}");
        assert_eq!(jit.state().retired(), asm.code.len() as u64 / 4, "{name}");
    }
}

/// Runs code that ends at a page boundary, behind which lies a page with permission `next` or none.
fn run_off_the_page(tier: Tier, halves: &[u16], next: Option<Prot>) -> (Jit, SoftMmu, u64) {
    const PAGE: u64 = 0x1000;
    let start = CODE + PAGE - halves.len() as u64 * 2;
    let mut code = vec![0; (PAGE as usize) - halves.len() * 2];
    code.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
    let (mut jit, mmu) = oracle::engine(tier, &Image::of_code(&code, Prot::RX));
    if let Some(prot) = next {
        mmu.map(CODE + PAGE, PAGE, prot, Backing::Anonymous).unwrap();
    }
    jit.state_mut().pc = start;
    (jit, mmu, CODE + PAGE)
}

#[test]
fn all_engines_code_runs_off_its_page() {
    // addi x5, x5, 1: two halves.
    const ADD: [u16; 2] = [0x8293, 0x0012];
    for &(name, tier) in ENGINES {
        for next in [None, Some(Prot::RW), Some(Prot::R), Some(Prot::NONE)] {
            let context = format!("{name}, next page {next:?}");
            let (mut jit, mmu, end) = run_off_the_page(tier, &[C_NOP, ADD[0], ADD[1], C_NOP], next);
            let fault = memory(end, Access::Fetch, next.is_some());
            assert_eq!(jit.run_guest(&mmu), GuestExit::Trap(fault), "{context}");
            assert_eq!((jit.state().pc, jit.state().x(5), jit.state().retired()), (end, 1, 3), "{context}");
            // The second half of an instruction is missing.
            let (mut jit, mmu, end) = run_off_the_page(tier, &[ADD[0], ADD[1], ADD[0]], next);
            assert_eq!(jit.run_guest(&mmu), GuestExit::Trap(fault), "{context}");
            assert_eq!(
                (jit.state().pc, jit.state().x(5), jit.state().retired()),
                (end - 2, 1, 1),
                "{context}"
            );
        }
        // With an executable page behind it the same code goes on: into zeroes, which are illegal.
        let (mut jit, mmu, end) = run_off_the_page(tier, &[ADD[0], ADD[1], C_NOP], Some(Prot::RX));
        assert_eq!(jit.run_guest(&mmu), GuestExit::Trap(Trap::IllegalInstruction), "{name}");
        assert_eq!((jit.state().pc, jit.state().x(5)), (end, 1), "{name}");
    }
}

#[test]
fn all_engines_an_instruction_across_pages_is_one_instruction() {
    const ADD: [u16; 2] = [0x8293, 0x0012];
    for &(name, tier) in ENGINES {
        let (mut jit, mmu, end) = run_off_the_page(tier, &[C_NOP, ADD[0]], Some(Prot::RW));
        mmu.write(end, &ADD[1].to_le_bytes()).unwrap();
        mmu.write(end + 2, &C_EBREAK.to_le_bytes()).unwrap();
        mmu.protect(end, 0x1000, Prot::RX).unwrap();
        assert_eq!(jit.run_guest(&mmu), GuestExit::Trap(Trap::Breakpoint), "{name}");
        assert_eq!((jit.state().pc, jit.state().x(5), jit.state().retired()), (end + 2, 1, 2), "{name}");
    }
}

#[test]
fn all_engines_jumps_to_where_no_code_is() {
    for (target, mapped) in [(0, false), (DATA + 8, true), (0xffff_fffe, false)] {
        let mut asm = Asm::new();
        asm.li(5, target).i(Op::Jalr, 1, 5, 0);
        let image = program(&asm, Prot::RX);
        assert_eq!(oracle::qemu(&image).end, End::Killed(libc_sigsegv()), "qemu");
        for &(name, tier) in ENGINES {
            let (outcome, retired, trapped) = oracle::run(tier, &image);
            assert_eq!(trapped, Some((target, memory(target, Access::Fetch, mapped))), "{name}");
            assert_eq!(
                (outcome.end, retired),
                (End::Killed(libc_sigsegv()), asm.code.len() as u64 / 4),
                "{name}"
            );
        }
    }
}

fn libc_sigsegv() -> i32 {
    oracle::signal_of(LOAD)
}

/// A program with loops, calls and straight code longer than a block; it ends with a system call.
fn busy() -> Asm {
    let mut asm = Asm::new();
    asm.li(5, 20).li(6, DATA);
    let start = asm.code.len() as i64;
    for n in 0..70 {
        asm.i(Op::Addi, 7, 7, n);
    }
    asm.s(Op::Sd, 6, 7, 0).u(Op::Jal, 1, 8).i(Op::Addi, 28, 28, 1).i(Op::Addi, 5, 5, -1);
    let back = start - asm.code.len() as i64;
    asm.s(Op::Bne, 5, 0, back).bare(Op::Ecall);
    asm
}

/// Grants fuel of a block's size, which always gets on, until the system call.
fn finish_in_portions(jit: &mut Jit, mmu: &SoftMmu) {
    for portion in 0..1000 {
        jit.state_mut().set_fuel(64 + portion);
        match jit.run_guest(mmu) {
            GuestExit::OutOfFuel => {}
            exit => return assert_eq!(exit, GuestExit::Syscall),
        }
    }
    panic!("no progress: {:?}", jit.state().pc);
}

#[test]
fn all_engines_fuel_is_a_limit_and_can_be_refilled() {
    let image = program(&busy(), Prot::RX);
    for &(name, tier) in ENGINES {
        let (mut whole, mmu) = oracle::engine(tier, &image);
        assert_eq!(whole.run_guest(&mmu), GuestExit::Syscall, "{name}");
        let total = whole.state().retired();
        for fuel in [0, 1, 2, 3, 63, 64, 65, 127, 500, total - 1, total, total + 1] {
            let (mut jit, mmu) = oracle::engine(tier, &image);
            jit.state_mut().set_fuel(fuel);
            let exit = jit.run_guest(&mmu);
            let ran = jit.state().retired();
            assert!(ran <= fuel, "{name}: {ran} instructions with fuel {fuel}");
            assert_eq!(
                exit == GuestExit::Syscall,
                fuel >= total,
                "{name}: {exit:?} with fuel {fuel} of {total}"
            );
            assert_eq!(jit.state().fuel, fuel - ran, "{name}");
            if exit != GuestExit::Syscall {
                finish_in_portions(&mut jit, &mmu);
            }
            assert_eq!(jit.state().retired(), total, "{name}: in portions");
            let (a, b) = (jit.state(), whole.state());
            assert_eq!((a.pc, &a.regs[..64]), (b.pc, &b.regs[..64]), "{name}: in portions");
        }
    }
}

#[test]
fn all_engines_an_interrupt_stops_a_loop() {
    let mut asm = Asm::new();
    asm.i(Op::Addi, 5, 5, 1).u(Op::Jal, 0, -4);
    for &(name, tier) in ENGINES {
        let (mut jit, mmu) = oracle::engine(tier, &program(&asm, Prot::RX));
        let handle = jit.state().interrupt_handle();
        let start = Instant::now();
        let exit = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                handle.interrupt();
            });
            jit.run_guest(&mmu)
        });
        assert_eq!(exit, GuestExit::Interrupted, "{name}");
        assert!(start.elapsed() < Duration::from_secs(5), "{name}");
        let cpu = jit.state();
        assert!(cpu.x(5) > 0 && cpu.retired().div_ceil(2) == cpu.x(5), "{name}: {} loops", cpu.x(5));
    }
}

#[test]
fn all_engines_instret_counts_instructions() {
    let mut asm = Asm::new();
    asm.i(Op::Csrrs, 5, 0, csr::INSTRET).li(6, 3);
    // Three rounds of two instructions, then one of two bytes.
    asm.i(Op::Addi, 6, 6, -1).s(Op::Bne, 6, 0, -4).half(C_NOP);
    asm.i(Op::Csrrs, 7, 0, csr::INSTRET).i(Op::Csrrs, 28, 0, csr::CYCLE).bare(Op::Ecall);
    for &(name, tier) in ENGINES {
        let (mut jit, mmu) = oracle::engine(tier, &program(&asm, Prot::RX));
        assert_eq!(jit.run_guest(&mmu), GuestExit::Syscall, "{name}");
        let cpu = jit.state();
        assert_eq!((cpu.x(5), cpu.x(7), cpu.x(28)), (0, 9, 10), "{name}");
        assert_eq!(cpu.retired(), 12, "{name}");
    }
}

#[test]
fn all_engines_time_goes_on() {
    let mut asm = Asm::new();
    asm.i(Op::Csrrs, 5, 0, csr::TIME).bare(Op::Ecall).i(Op::Csrrs, 6, 0, csr::TIME).bare(Op::Ecall);
    for &(name, tier) in ENGINES {
        let (mut jit, mmu) = oracle::engine(tier, &program(&asm, Prot::RX));
        assert_eq!(jit.run_guest(&mmu), GuestExit::Syscall, "{name}");
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(jit.run_guest(&mmu), GuestExit::Syscall, "{name}");
        // Ticks of 100 ns.
        let ticks = jit.state().x(6) - jit.state().x(5);
        assert!((50_000..600_000_000).contains(&ticks), "{name}: {ticks} ticks in 5 ms");
    }
}

#[test]
fn all_engines_exit_statuses() {
    for status in [0, 1, 42, 255, 256 + 7] {
        let mut asm = Asm::new();
        asm.syscall(93, &[status]);
        let image = program(&asm, Prot::RX);
        let expected = oracle::qemu(&image);
        assert_eq!(expected.end, End::Exited((status & 255) as i32), "qemu");
        for &(name, tier) in ENGINES {
            assert_eq!(oracle::run(tier, &image).0, expected, "{name}");
        }
    }
}

/// Calls a function, changes its first instruction, executes `fence.i`, and calls it again, five times; writes the
/// results as hexadecimal digits.
fn changing_code() -> Asm {
    let mut asm = Asm::new();
    // The function, and around it.
    asm.u(Op::Jal, 0, 12).i(Op::Addi, 10, 0, 3).i(Op::Jalr, 0, 1, 0);
    asm.u(Op::Auipc, 8, 0).i(Op::Addi, 8, 8, -8).li(9, 5).li(18, 0);
    // The lowest bit of the immediate of addi: the result grows by one.
    asm.u(Op::Lui, 19, 1 << 20);
    let start = asm.code.len() as i64;
    asm.i(Op::Jalr, 1, 8, 0).i(Op::Slli, 18, 18, 4).r(Op::Add, 18, 18, 10);
    asm.i(Op::Lw, 6, 8, 0).r(Op::Addw, 6, 6, 19).s(Op::Sw, 8, 6, 0).bare(Op::FenceI).i(Op::Addi, 9, 9, -1);
    let back = start - asm.code.len() as i64;
    asm.s(Op::Bne, 9, 0, back).li(5, DATA).s(Op::Sd, 5, 18, 0);
    asm.syscall(64, &[1, DATA, 4]).syscall(93, &[0]);
    asm
}

#[test]
fn all_engines_fence_i_makes_changed_code_visible() {
    let image = program(&changing_code(), Prot::RWX);
    let expected = oracle::qemu(&image);
    assert_eq!((expected.end, &expected.output[..]), (End::Exited(0), &0x34567u32.to_le_bytes()[..]), "qemu");
    for &(name, tier) in ENGINES {
        assert_eq!(oracle::run(tier, &image).0, expected, "{name}");
    }
}
