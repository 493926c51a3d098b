//! How fast is translation? Lifts and compiles every block of a program's executable segments, as FastJit would on
//! first execution, and prints nanoseconds per guest instruction and bytes per second, medians over rounds.
//!
//! `cargo bench --bench translate -- [--rounds N] [PROGRAM]...`; without programs, the built-in demo programs.

use std::time::Instant;
use vm_engine_jit::asm::x64::CpuFeatures;
use vm_engine_jit::cache::CodeCache;
use vm_engine_jit::codegen::Memory;
use vm_engine_jit::guest::riscv::memo::Memo;
use vm_engine_jit::guest::riscv::translate::{lift_into, MAX_BLOCK_BYTES};
use vm_engine_jit::linux::elf::{parse_source, Source};
use vm_engine_jit::{IRBlock, IROp};

/// Code cache for one round; larger programs are cut where it is full.
const CAP: usize = 512 << 20;

fn main() {
    let (mut rounds, mut programs) = (5, Vec::new());
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--rounds" => rounds = args.next().and_then(|n| n.parse().ok()).unwrap_or(rounds),
            _ => programs.push(arg),
        }
    }
    if programs.is_empty() {
        programs = ["nqueens", "sha256", "brainf"].map(|name| format!("asm/guest/bin/{name}.elf")).into();
    }
    println!("| program | guest instructions | ns/instruction | lift | compile | MB/s of guest code | code bytes/instruction |");
    println!("|---|---|---|---|---|---|---|");
    for program in &programs {
        let mut results: Vec<Round> = (0..rounds).map(|_| round(program)).collect();
        results.sort_by(|a, b| a.both.total_cmp(&b.both));
        let median = &results[results.len() / 2];
        let each = |seconds: f64| seconds * 1e9 / median.instructions as f64;
        println!(
            "| {program} | {} | {:.0} | {:.0} | {:.0} | {:.1} | {:.1} |",
            median.instructions,
            each(median.both),
            each(median.lift),
            each(median.both - median.lift),
            median.bytes as f64 / median.both / 1e6,
            median.code as f64 / median.instructions as f64,
        );
    }
}

struct Round {
    instructions: u64,
    bytes: usize,
    code: usize,
    lift: f64,
    both: f64,
}

fn round(program: &str) -> Round {
    let file = std::fs::File::open(program).unwrap_or_else(|error| panic!("{program}: {error}"));
    let image = parse_source(&file).unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut cache = CodeCache::new(CAP, Memory::Low, CpuFeatures::ALL).expect("executable memory");
    let mut round = Round { instructions: 0, bytes: 0, code: 0, lift: 0.0, both: 0.0 };
    for segment in image.segments.iter().filter(|segment| segment.prot.exec) {
        let code = file.bytes(segment.offset, segment.file_size).expect("the segment's bytes");
        // Once to time lifting alone, once with compilation.
        let started = Instant::now();
        each_block(segment.vaddr, &code, |_| ());
        round.lift += started.elapsed().as_secs_f64();
        let started = Instant::now();
        round.bytes += each_block(segment.vaddr, &code, |block| {
            round.instructions += block.cost();
            assert!(cache.add(block).is_ok(), "the code cache of this bench is too small");
        });
        round.both += started.elapsed().as_secs_f64();
    }
    round.code = cache.bytes();
    round
}

/// Lifts all blocks one after the other; returns how many bytes they have.
fn each_block(start: u64, code: &[u8], mut visit: impl FnMut(&IRBlock)) -> usize {
    let (mut at, mut ops, mut memo) = (0, Vec::new(), Memo::new());
    while at < code.len() {
        let end = code.len().min(at + MAX_BLOCK_BYTES);
        let Some(block) = lift_into(start + at as u64, &code[at..end], ops, &mut memo) else { break };
        let last =
            block.ops.iter().rev().find_map(|op| if let IROp::Mark { pc } = *op { Some(pc) } else { None });
        let last = (last.unwrap_or(block.start_pc) - start) as usize;
        at = last + if code[last] & 3 == 3 { 4 } else { 2 };
        visit(&block);
        ops = block.ops;
    }
    at
}
