//! A guest that is recorded does what it does in the interpreter.

use super::*;
use crate::base::state::poll;
use crate::engine::Tier;
use crate::guest::riscv::encode::encode;
use crate::guest::riscv::insn::{Insn, Op};
use crate::ir::Terminator;
use crate::mmu::Prot;
use std::sync::atomic::Ordering;

/// Counts from 50 down with a call in each turn and a system call after each 5; then a trap.
fn program() -> Vec<u8> {
    const NONE: Insn =
        Insn { op: Op::Ecall, rd: 0, rs1: 0, rs2: 0, rs3: 0, rm: 0, aq: false, rl: false, imm: 0, len: 4 };
    let i = |op, rd, rs1, imm| Insn { op, rd, rs1, imm, ..NONE };
    let r = |op, rd, rs1, rs2| Insn { op, rd, rs1, rs2, ..NONE };
    let b = |op, rs1, rs2, imm| Insn { op, rs1, rs2, imm, ..NONE };
    let code = [
        i(Op::Addi, 9, 0, 50),
        i(Op::Addi, 8, 0, 0),
        // Each turn begins here; then which instruction this is, so a block begins there as well.
        i(Op::Addi, 9, 9, -1),
        i(Op::Csrrs, 20, 0, 0xc02),
        i(Op::Jal, 1, 0, 16),
        b(Op::Bne, 18, 0, 8),
        NONE,
        i(Op::Jal, 0, 0, 24),
        // The function: sums up, and says which turn it is.
        r(Op::Add, 8, 8, 9),
        i(Op::Addi, 18, 9, 0),
        i(Op::Addi, 19, 0, 5),
        r(Op::Remu, 18, 18, 19),
        i(Op::Jalr, 0, 1, 0),
        b(Op::Bne, 9, 0, -44),
        Insn { op: Op::Ebreak, ..NONE },
    ];
    code.iter().flat_map(|insn| encode(insn).unwrap().to_le_bytes()).collect()
}

/// A hart at the beginning of that program, in the interpreter.
fn engine() -> (Jit, SoftMmu) {
    let mmu = SoftMmu::new(4096, false);
    mmu.write(0, &program()).unwrap();
    mmu.protect(0, 4096, Prot::RX).unwrap();
    let mut jit = Jit::new();
    jit.set_tier(Tier::Interp);
    (jit, mmu)
}

/// Records at most `most` blocks.
fn record(jit: &mut Jit, mmu: &SoftMmu, most: usize) -> (Recording, Ended) {
    let mut recorder = Recorder::new(most);
    let ended = jit.record(mmu, &mut recorder);
    (recorder.recording, ended)
}

/// What the guest can see of a hart: registers, program counter, fuel, instructions retired.
type Seen = (Vec<u64>, u64, u64, u64);

fn seen(jit: &Jit) -> Seen {
    let cpu = jit.state();
    (cpu.regs[..64].to_vec(), cpu.pc, cpu.fuel, cpu.retired())
}

/// All exits of a guest with this much fuel, and what was to be seen at each.
fn exits(fuel: u64, mut run: impl FnMut(&mut Jit, &SoftMmu) -> GuestExit) -> Vec<(GuestExit, Seen)> {
    let (mut jit, mmu) = engine();
    jit.state_mut().set_fuel(fuel);
    let mut exits = Vec::new();
    loop {
        let exit = run(&mut jit, &mmu);
        exits.push((exit, seen(&jit)));
        if exit != GuestExit::Syscall {
            return exits;
        }
    }
}

#[test]
fn recording_is_running() {
    for fuel in [10_000, 333, 334, 335, 7, 0] {
        let expected = exits(fuel, Jit::run_guest);
        for most in [1, 2, 7, 1000] {
            let found = exits(fuel, |jit, mmu| loop {
                jit.epoch = mmu.code_epoch();
                if let (_, Ended::Exit(exit)) = record(jit, mmu, most) {
                    return exit;
                }
            });
            assert_eq!(found, expected, "{fuel} instructions, {most} blocks at a time");
        }
    }
}

#[test]
fn what_ran_is_recorded() {
    let (mut jit, mmu) = engine();
    jit.epoch = mmu.code_epoch();
    let (first, ended) = record(&mut jit, &mmu, 1000);
    assert_eq!(ended, Ended::Exit(GuestExit::Syscall));
    let terms: Vec<Terminator> =
        first.sequence.iter().map(|&block| first.blocks[block as usize].term).collect();
    assert!(matches!(
        terms[..5],
        [
            Terminator::Jump { .. },
            Terminator::Call { .. },
            Terminator::ReturnIndirect { .. },
            Terminator::Branch { .. },
            Terminator::Jump { .. }
        ]
    ));
    assert!(matches!(terms.last(), Some(Terminator::Syscall { .. })));
    assert_eq!(first.blocks[0].start_pc, 0);
    let (second, ended) = record(&mut jit, &mmu, 4);
    assert_eq!((second.sequence.len(), ended), (4, Ended::Full));
    assert_eq!(jit.stats().recorded_blocks, first.sequence.len() as u64 + 4);
}

#[test]
fn a_recording_ends_when_asked_to_and_when_code_changes() {
    let (mut jit, mmu) = engine();
    jit.epoch = mmu.code_epoch();
    let before = seen(&jit);
    jit.state().poll.fetch_or(poll::INTERRUPT, Ordering::Relaxed);
    let (recording, ended) = record(&mut jit, &mmu, 100);
    assert_eq!((recording.sequence.len(), ended), (0, Ended::Exit(GuestExit::Interrupted)));
    jit.state().poll.store(0, Ordering::Relaxed);
    jit.epoch = 0;
    assert_eq!(record(&mut jit, &mmu, 100).1, Ended::Stale);
    assert_eq!(seen(&jit), before);
}

#[test]
fn a_recording_goes_on_behind_system_calls_and_becomes_a_region() {
    let expected = exits(10_000, Jit::run_guest);
    let mut regions = 0;
    let found = exits(10_000, |jit, mmu| {
        if jit.tier() == Tier::Interp {
            jit.set_tier(Tier::O2);
            jit.epoch = mmu.code_epoch();
            jit.begin_region(200);
        }
        let exit = jit.run_guest(mmu);
        regions = jit.stats().regions_formed;
        exit
    });
    assert_eq!(found, expected);
    assert_eq!(regions, 1);
}
