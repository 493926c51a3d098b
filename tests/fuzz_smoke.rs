//! Every fuzz target for a second: on random bytes, and on valid inputs with random changes. The targets themselves are
//! in `fuzz/` (`cargo +nightly fuzz run <target>`).
//!
//! The inputs of a seed (`VMJIT_SEED`) are always the same; how many of them fit into the time is not.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::{Duration, Instant};
use vm_engine_jit::guest::riscv::sample::{sample, Registers};
use vm_engine_jit::testing::fuzz;
use vm_engine_jit::testing::rng::{setting, Rng};
use vm_engine_jit::testing::sequence::all_rows;

/// Inputs that each target gets at least, however slow the host is.
const AT_LEAST: u64 = 200;

/// Runs a target; an input that it fails on is printed whole.
fn smoke(name: &str, target: fn(&[u8]), input: fn(&mut Rng) -> Vec<u8>) {
    let seed = setting("VMJIT_SEED", 1);
    let time = Duration::from_secs(setting("VMJIT_SECONDS", 1));
    let (mut rng, start, mut count) = (Rng::new(seed), Instant::now(), 0);
    while start.elapsed() < time || count < AT_LEAST {
        let data = match count % 4 {
            0 => {
                let len = rng.below(300);
                rng.bytes(len)
            }
            1 => input(&mut rng),
            _ => {
                let valid = input(&mut rng);
                mutate(&mut rng, valid)
            }
        };
        let result = catch_unwind(AssertUnwindSafe(|| target(&data)));
        assert!(result.is_ok(), "{name} fails, VMJIT_SEED={seed}, input {count}: {data:02x?}");
        count += 1;
    }
    println!("{name}: {count} inputs");
}

/// A few small changes, each of a kind that parsers have stumbled over.
fn mutate(rng: &mut Rng, mut data: Vec<u8>) -> Vec<u8> {
    for _ in 0..1 + rng.below(4) {
        if data.is_empty() {
            return data;
        }
        let at = rng.below(data.len());
        let end = (at + 1 + rng.below(16)).min(data.len());
        match rng.below(7) {
            0 => data[at] ^= 1 << rng.below(8),
            1 => data[at] = rng.bits() as u8,
            2 => data[at..end].fill(rng.pick(&[0, 0xff, 0x7f, 0x80])),
            3 => data.truncate(at),
            4 => drop(data.drain(at..end)),
            5 => data.splice(at..at, data[at..end].to_vec()).for_each(drop),
            _ => {
                let to = rng.below(data.len());
                data.swap(at, to);
            }
        }
    }
    data
}

/// A flag byte and instructions of all rows.
fn code(rng: &mut Rng) -> Vec<u8> {
    let rows: Vec<_> = all_rows().collect();
    let mut out = vec![rng.bits() as u8];
    for _ in 0..rng.below(60) {
        let row = rng.pick(&rows);
        if let Some(word) = sample(row, &Registers::ALL, &mut || rng.bits()) {
            out.extend(&word.to_le_bytes()[..usize::from(row.length())]);
        }
    }
    out
}

/// Instructions, all 32 bits long.
fn words(rng: &mut Rng) -> Vec<u8> {
    let len = 4 * rng.below(64);
    let mut bytes = rng.bytes(len);
    // Most random words are no instructions: half of them get a row's fixed bits.
    let rows: Vec<_> = all_rows().collect();
    for word in bytes.chunks_exact_mut(4) {
        let row = rng.pick(&rows);
        if rng.chance(1, 2) {
            let drawn = sample(row, &Registers::ALL, &mut || rng.bits()).unwrap_or(row.bits);
            word.copy_from_slice(&drawn.to_le_bytes());
        }
    }
    bytes
}

/// IR in its text form.
fn text(rng: &mut Rng) -> Vec<u8> {
    use vm_engine_jit::engine::dispatch::lift_at;
    use vm_engine_jit::mmu::Prot;
    let bytes = code(rng);
    let mmu = vm_engine_jit::SoftMmu::new(0x2000, false);
    let written = mmu.write(0x1000, &bytes).is_ok() && mmu.protect(0x1000, 0x1000, Prot::RX).is_ok();
    assert!(written, "a page of memory");
    lift_at(&mmu, 0x1000).map(|block| block.to_string()).unwrap_or_default().into_bytes()
}

#[test]
fn rv64_decode_for_a_second() {
    smoke("rv64_decode", fuzz::rv64_decode, words);
}

#[test]
fn ir_text_for_a_second() {
    smoke("ir_text", fuzz::ir_text, text);
}

#[test]
fn lift_run_for_a_second() {
    smoke("lift_run", fuzz::lift_run, code);
}

#[test]
fn regalloc_for_a_second() {
    smoke("regalloc", fuzz::regalloc, |rng| {
        let len = rng.below(3000);
        rng.bytes(len)
    });
}

#[test]
fn passes_for_a_second() {
    smoke("passes", fuzz::passes, |rng| {
        let len = rng.below(1500);
        rng.bytes(len)
    });
}

#[test]
fn moves_for_a_second() {
    smoke("moves", fuzz::moves, |rng| {
        let len = rng.below(300);
        rng.bytes(len)
    });
}

#[cfg(feature = "linux")]
#[test]
fn elf_for_a_second() {
    /// A small program of three segments, or a program of `asm/guest`.
    fn program(rng: &mut Rng) -> Vec<u8> {
        use vm_engine_jit::mmu::Prot;
        use vm_engine_jit::testing::image::{Image, Segment};
        if rng.chance(1, 2) {
            return include_bytes!("../asm/guest/bin/hello.elf").to_vec();
        }
        let segment = |addr, len: usize, prot| Segment { addr, bytes: vec![0x13; len], prot };
        let segments =
            [(0x1_0000, 0x200, Prot::RX), (0x1_2000, 0x100, Prot::R), (0x2_0000, 0x1001, Prot::RW)];
        let segments = segments.map(|(addr, len, prot)| segment(addr, len, prot)).to_vec();
        Image { segments, entry: 0x1_0000 }.to_elf()
    }
    /// The header and the program headers are where the decisions are made.
    fn headers(rng: &mut Rng) -> Vec<u8> {
        let mut file = program(rng);
        let head: Vec<u8> = file[..256].to_vec();
        let changed = mutate(rng, head);
        file.splice(..256, changed).for_each(drop);
        file
    }
    smoke("elf", fuzz::elf, program);
    smoke("elf headers", fuzz::elf, headers);
}

#[cfg(feature = "linux")]
#[test]
fn syscalls_for_a_second() {
    smoke("syscalls", fuzz::syscalls, |rng| {
        let len = 200 + rng.below(1000);
        rng.bytes(len)
    });
}
