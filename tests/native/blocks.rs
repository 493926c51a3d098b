//! Random blocks whose instructions fault now and then: wherever one stops, machine code must leave the registers that
//! the interpreter leaves, whatever it has put off until then. No loop, so a block is what was drawn, once.

use super::{difference, program, seen, Seen, DATA, DATA_BYTES};
use vm_engine_jit::engine::dispatch::GuestExit;
use vm_engine_jit::guest::riscv::insn::{Op, Row, ROWS};
use vm_engine_jit::guest::riscv::sample::{sample, Registers};
use vm_engine_jit::testing::asm::{csr, Asm};
use vm_engine_jit::testing::image::{Image, CODE};
use vm_engine_jit::testing::oracle;
use vm_engine_jit::testing::rng::{setting, Rng};
use vm_engine_jit::testing::values::Operands;
use vm_engine_jit::{Tier, Trap};

/// Registers of the blocks: x0, six with a host register, three without. Few, so that they meet.
const POOL: u32 = 1 | 1 << 1 | 1 << 8 | 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 5 | 1 << 16 | 1 << 28;
/// Pointers into the data, which nothing writes: with and without a host register.
const POINTERS: u32 = 1 << 9 | 1 << 18;

/// What compilers make rotations of.
const ROTATION: [(Op, Op, i64); 2] = [(Op::Slliw, Op::Srliw, 32), (Op::Slli, Op::Srli, 64)];

/// Whether the row is an operation on the low halves of registers, or one that reads or shows upper halves.
fn is_word(row: &Row) -> bool {
    row.name.ends_with('w')
        || row.name.contains(".uw")
        || matches!(row.op, Op::And | Op::Or | Op::Xor | Op::Andi)
}

/// Rows that a block cannot hold: they end it, or what they give is not the same twice.
fn is_plain(row: &Row) -> bool {
    !matches!(
        row.op,
        Op::Jal
            | Op::Jalr
            | Op::Beq
            | Op::Bne
            | Op::Blt
            | Op::Bge
            | Op::Bltu
            | Op::Bgeu
            | Op::Ecall
            | Op::Ebreak
    ) && !row.name.starts_with("csr")
        && !row.name.starts_with("fence")
}

struct Rows {
    words: Vec<&'static Row>,
    doubles: Vec<&'static Row>,
    all: Vec<&'static Row>,
}

fn block(rng: &mut Rng, rows: &Rows) -> Asm {
    let (mut asm, doubles) = (Asm::new(), rng.chance(1, 2));
    for _ in 0..4 + rng.below(24) {
        match rng.below(16) {
            0 => rotation(rng, &mut asm),
            1 => {
                let op = rng.pick(&[Op::Csrrs, Op::Csrrw, Op::Csrrc]);
                asm.i(op, rng.register(POOL), rng.register(POOL), csr::FFLAGS);
            }
            2 => {
                asm.i(Op::Slli, 10, rng.register(POOL), 32).i(Op::Srli, 10, 10, 29 + rng.below(5) as i64);
            }
            3 => element(rng, &mut asm),
            _ => {
                let row = match rng.below(10) {
                    0..5 => rng.pick(&rows.words),
                    // A block of one kind and one of several.
                    5..8 if doubles => rng.pick(&rows.doubles),
                    _ => rng.pick(&rows.all),
                };
                // A base that is any register faults mostly.
                let base = if rng.chance(9, 10) { POINTERS } else { POOL | POINTERS };
                let registers = Registers { dest: POOL, source: POOL | POINTERS, base };
                if let Some(word) = sample(row, &registers, &mut || rng.bits()) {
                    asm.word(word);
                }
            }
        }
    }
    let branch = rng.pick(&[Op::Beq, Op::Bne, Op::Blt, Op::Bge, Op::Bltu, Op::Bgeu]);
    match rng.below(4) {
        0 => asm.bare(Op::Ebreak),
        1 => asm.i(Op::Jalr, rng.register(POOL), rng.register(POOL), 8),
        // Over one instruction, so that registers tell where it went.
        _ => asm.s(branch, rng.register(POOL), rng.register(POOL), 8).i(Op::Addi, 17, 17, 1).bare(Op::Ecall),
    };
    asm
}

/// A load of an element of an array, which faults mostly, or nearly that.
fn element(rng: &mut Rng, asm: &mut Asm) {
    let (index, sum) = (rng.register(POOL), rng.register(POOL));
    let (base, dst) =
        (rng.register(POINTERS | POOL), if rng.chance(4, 5) { sum } else { rng.register(POOL) });
    if rng.chance(1, 2) {
        // A small index, so that it is in the array.
        asm.i(Op::Andi, index, index, 63);
    }
    let scaled = rng.chance(2, 3);
    if scaled {
        asm.i(Op::Slli, sum, index, 1 + rng.below(3) as i64);
    }
    let index = if scaled { sum } else { index };
    let (a, b) = if rng.chance(1, 2) { (base, index) } else { (index, base) };
    asm.r(Op::Add, sum, a, b);
    asm.i(rng.pick(&[Op::Ld, Op::Lw, Op::Lwu, Op::Lbu, Op::Lb]), dst, sum, rng.between(-8, 8));
}

/// A rotation of a register in three instructions, perhaps with others between, and perhaps not quite one.
fn rotation(rng: &mut Rng, asm: &mut Asm) {
    let (left, right, bits) = rng.pick(&ROTATION);
    let (src, a, b) = (rng.register(POOL), rng.register(POOL), rng.register(POOL));
    let count = 1 + rng.below(bits as usize - 1) as i64;
    let rest = if rng.chance(9, 10) { bits - count } else { count };
    let other = |rng: &mut Rng, asm: &mut Asm| {
        if rng.chance(1, 2) {
            let op = rng.pick(&[Op::Addw, Op::Xor, Op::Add, Op::Subw]);
            asm.r(op, rng.register(POOL), rng.register(POOL), rng.register(POOL));
        }
    };
    asm.i(left, a, src, count);
    other(rng, asm);
    asm.i(right, b, src, rest);
    other(rng, asm);
    let (a, b) = if rng.chance(1, 2) { (a, b) } else { (b, a) };
    asm.r(rng.pick(&[Op::Or, Op::Or, Op::Xor, Op::Add]), rng.register(POOL), a, b);
}

fn run(tier: Tier, image: &Image, regs: &[u64; 64]) -> Seen {
    let (mut jit, mmu) = oracle::engine(tier, image);
    jit.prepare_code(&mmu);
    jit.state_mut().regs[..64].copy_from_slice(regs);
    jit.state_mut().set_fuel(1000);
    let exit = jit.run_guest(&mmu);
    seen(&jit, &mmu, exit)
}

#[test]
fn o0_random_blocks_that_fault() {
    let rows: Vec<&Row> = ROWS.iter().filter(|row| is_plain(row)).collect();
    let words = rows.iter().copied().filter(|row| is_word(row)).collect();
    let doubles = rows.iter().copied().filter(|row| row.name.ends_with(".d") || row.op == Op::Fsd).collect();
    let rows = Rows { words, doubles, all: rows };
    let seed = setting("VMJIT_SEED", 1);
    let (mut rng, operands) = (Rng::new(seed), Operands::default());
    let mut faults = 0;
    let count = setting("VMJIT_BLOCKS", 4000);
    for number in 0..count {
        let asm = block(&mut rng, &rows);
        let mut regs = [0; 64];
        for (reg, value) in regs.iter_mut().enumerate().skip(1) {
            *value = if reg < 32 { operands.integer(&mut rng) } else { operands.float(&mut rng) };
        }
        for reg in [9, 18] {
            regs[reg] = DATA + DATA_BYTES as u64 / 2 + 8 * rng.below(4) as u64;
        }
        let image = program(&asm);
        let expected = run(Tier::Interp, &image, &regs);
        let found = run(Tier::O0, &image, &regs);
        if found != expected {
            let code = vm_engine_jit::testing::sequence::listing(&asm.code, CODE).join("\n");
            panic!("VMJIT_SEED={seed}, block {number}: {}\n{code}", difference(&found, &expected));
        }
        let within = expected.pc < CODE + asm.code.len() as u64;
        faults += u64::from(
            within && matches!(expected.exit, GuestExit::Trap(Trap::Memory(_) | Trap::Misaligned(_))),
        );
    }
    assert!(faults > count / 10 && faults < count, "{faults} of {count} blocks ended with a fault in them");
}
