//! The x86-64 assembler against an outside decoder (iced-x86): every row of the instruction table with operands at
//! all limits, random instructions, register uses, labels, and committed vectors for a run that trusts no decoder.
//!
//! `BLESS=1 cargo test --test encoders` rewrites `tests/vectors/x64.txt`; the other tests of the same run show that
//! the decoder agrees with what is written.

#[path = "encoders/fallbacks.rs"]
mod fallbacks;
#[path = "encoders/jumps.rs"]
mod jumps;
#[path = "encoders/oracle.rs"]
mod oracle;
#[path = "encoders/program.rs"]
mod program;
#[path = "encoders/uses.rs"]
mod uses;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use vm_engine_jit::asm::x64::{sample, Assembler, CpuFeatures, Inst, Mem, Row, Size, ROWS};
use vm_engine_jit::asm::x64::{R12, R8, R9, RAX, RBP, RCX, RSP};

/// Xorshift (G. Marsaglia, "Xorshift RNGs", 2003) with a final multiplication; the same samples in every run.
pub fn generator(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// Instructions of the row with every operand at all its limits.
fn limits(row: &Row) -> Vec<Inst> {
    let mut random = generator(1);
    // The label of the oracle is the same for all instructions.
    let (_, first) = oracle::assemble(|label| sample::random(row, label, &mut random));
    sample::exhaustive(row, first.label, &mut random)
}

#[test]
fn every_row_prints_what_the_decoder_prints_and_uses_what_it_says() {
    let mut count = 0;
    for row in ROWS {
        for inst in limits(row) {
            let (inst, sample, decoded) = oracle::check_text(row, |_| inst);
            uses::check(row, &inst, &sample, &decoded);
            count += 1;
        }
    }
    println!("{count} encodings of {} rows", ROWS.len());
    assert!(count >= 100_000, "only {count} encodings");
}

#[test]
fn random_instructions_print_what_the_decoder_prints() {
    let mut random = generator(2);
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < Duration::from_secs(1) {
        for row in ROWS {
            oracle::check_text(row, |label| sample::random(row, label, &mut random));
            count += 1;
        }
    }
    println!("{count} encodings");
}

#[test]
fn instructions_made_of_bytes_print_what_the_decoder_prints() {
    let mut random = generator(6);
    for _ in 0..1000 {
        let data: Vec<u8> = (0..100).map(|_| random().to_le_bytes()[7]).collect();
        oracle::check_bytes(&data);
    }
}

#[test]
fn sequences_decode_to_what_was_assembled() {
    let mut random = generator(3);
    for _ in 0..100 {
        oracle::check_sequence(&mut random, 200);
    }
}

#[test]
fn names_are_unique_and_begin_with_the_mnemonic() {
    let names: BTreeSet<&str> = ROWS.iter().map(|row| &*row.name).collect();
    assert_eq!(names.len(), ROWS.len());
    for row in ROWS {
        let mnemonic = row.mnemonic.replace(' ', "_");
        // `movabs` is the assembler's word for the `mov` with 64 bits of immediate.
        assert!(row.name.starts_with(&mnemonic), "{} is a {}", row.name, row.mnemonic);
    }
}

#[test]
fn sized_rows_are_those_whose_opcode_depends_on_the_size() {
    for row in ROWS {
        assert_eq!(row.sized, row.opcode.contains('['), "{}: {}", row.name, row.opcode);
        assert!(CpuFeatures::ALL.allow(row.feature));
    }
}

#[test]
fn no_operations_have_the_length_asked_for() {
    for length in 0..40 {
        let mut asm = Assembler::new();
        asm.nop(length);
        let bytes = asm.finish().unwrap().into_bytes();
        assert_eq!(bytes.len(), length);
        let decoder = iced_x86::Decoder::new(64, &bytes, 0);
        assert!(decoder.into_iter().all(|decoded| decoded.mnemonic() == iced_x86::Mnemonic::Nop));
    }
}

#[test]
fn addresses_take_the_shortest_form() {
    let length = |mem: Mem| {
        let mut asm = Assembler::new();
        asm.mov_rm(Size::S32, RAX, mem);
        asm.offset()
    };
    assert_eq!(length(Mem::base(RCX)), 2);
    assert_eq!(length(Mem::base(RCX).disp(-0x80)), 3);
    assert_eq!(length(Mem::base(RCX).disp(0x80)), 6);
    assert_eq!(length(Mem::base(RBP)), 3, "rbp as a base needs a displacement");
    assert_eq!(length(Mem::base(RSP)), 3, "rsp as a base needs a SIB byte");
    assert_eq!(length(Mem::base(R12)), 4, "r12 as a base needs a SIB byte");
    assert_eq!(length(Mem::absolute(0x1000)), 7);
    assert_eq!(length(Mem::base(R8).gs().addr32()), 5);
}

#[test]
fn immediates_take_the_shortest_form() {
    let length = |immediate: i32| {
        let mut asm = Assembler::new();
        asm.add_ri(Size::S64, RCX, immediate);
        asm.offset()
    };
    assert_eq!([-0x81, -0x80, 0, 0x7f, 0x80].map(length), [7, 4, 4, 4, 7]);
}

#[test]
fn constants_take_the_shortest_form() {
    let length = |value: u64| {
        let mut asm = Assembler::new();
        asm.load_constant(R9, value);
        asm.offset()
    };
    assert_eq!(length(0), 6);
    assert_eq!(length(0xffff_ffff), 6);
    assert_eq!(length(0xffff_ffff_8000_0000), 7);
    assert_eq!(length(0x1_0000_0000), 10);
}

/// A few samples of the row. The decoder has no part in this.
fn vectors_of(row: &Row) -> Vec<String> {
    let mut random = generator(u64::try_from(row.name.len()).unwrap());
    let mut lines = BTreeSet::new();
    for _ in 0..3 {
        let (_, sample) = oracle::assemble(|label| sample::random(row, label, &mut random));
        lines.insert(format!("{:<40} {}", hex(&sample.bytes), sample.text));
    }
    lines.into_iter().map(|line| format!("{:<20} {line}", row.name)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn vectors_are_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/x64.txt");
    let mut text = String::from(
        "# Row, bytes, text; .L0 is at offset 3 and the instruction at offset 5.\n\
         # Written by: BLESS=1 cargo test --test encoders vectors\n",
    );
    for line in ROWS.iter().flat_map(vectors_of) {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    for (ours, theirs) in text.lines().zip(committed.lines()) {
        assert_eq!(ours, theirs, "left: now; right: {path}");
    }
    assert_eq!(text.lines().count(), committed.lines().count());
}
