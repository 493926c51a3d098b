//! Every scalar floating-point operation on a grid of hard operands, in every rounding mode: result and flags of every
//! engine equal those of `qemu-riscv64`.
//!
//! The operations are the rows of the F and D extensions; nothing lists them a second time. For each row and mode the
//! program runs one loop over the operands in memory and writes each result (the whole register, so that NaN boxing
//! is seen) and the flags that it raised.

use vm_engine_jit::guest::riscv::disasm::disassemble;
use vm_engine_jit::guest::riscv::encode::encode;
use vm_engine_jit::guest::riscv::insn::{Extension, Insn, Op, Row, ROWS};
use vm_engine_jit::guest::riscv::operand::Format;
use vm_engine_jit::mmu::Prot;
use vm_engine_jit::testing::asm::{csr, insn, Asm, DYNAMIC};
use vm_engine_jit::testing::image::{Image, Segment, CODE};
use vm_engine_jit::testing::oracle::{self, End, ENGINES};
use vm_engine_jit::testing::values::{doubles, integers, singles};

/// Address of the operands; the results follow.
const DATA: u64 = 0x1000_0000;
/// Three values of 64 bits for each execution.
const OPERANDS: usize = 24;
/// A result and the flags, 64 bits each.
const RESULT: usize = 16;
/// Every how many values of a format the grid of the fused operations takes one.
const FUSED_STEP: usize = 7;

// Registers of the loop. The operation reads fa0-fa2 or a0 and writes fa3 or a3.
const A0: u8 = 10;
const A3: u8 = 13;
const A4: u8 = 14;
const S0: u8 = 8;
const S1: u8 = 9;
const S2: u8 = 18;
const FA0: u8 = 10;
const FA3: u8 = 13;

/// The operands of a set of rows.
struct Grid {
    name: &'static str,
    tuples: Vec<[u64; 3]>,
    /// Where they lie in memory.
    addr: u64,
}

/// One loop: an operation in one mode over one grid.
struct Run<'a> {
    word: u32,
    /// Value of `frm` while it runs.
    frm: u8,
    grid: &'a Grid,
}

/// What the operands of a row are; `None` if it is no operation on values in registers.
fn grid_name(row: &Row) -> Option<&'static str> {
    let name = |single, double| if row.extension == Extension::F { single } else { double };
    Some(match row.format {
        _ if !matches!(row.extension, Extension::F | Extension::D) => return None,
        Format::FLoad | Format::FStore => return None,
        Format::F3Rm => name("single triples", "double triples"),
        Format::F2 | Format::F2Rm | Format::FCompare => name("single pairs", "double pairs"),
        Format::XToF | Format::XToFRm | Format::XToFExact => "integers",
        // The one conversion from single among the rows of D.
        _ if row.op == Op::FcvtDS => "singles",
        _ if row.op == Op::FcvtSD => "doubles",
        _ => name("singles", "doubles"),
    })
}

fn grids() -> Vec<Grid> {
    let one = |values: Vec<u64>| values.into_iter().map(|a| [a, 0, 0]).collect::<Vec<_>>();
    let two = |values: &[u64]| {
        let pairs = values.iter().flat_map(|&a| values.iter().map(move |&b| [a, b, 0]));
        pairs.collect::<Vec<_>>()
    };
    let three = |values: Vec<u64>| {
        let few: Vec<u64> = values.iter().copied().step_by(FUSED_STEP).collect();
        let pairs = two(&few);
        pairs.iter().flat_map(|&[a, b, _]| few.iter().map(move |&c| [a, b, c])).collect::<Vec<_>>()
    };
    let mut grids = vec![
        ("singles", one(singles())),
        ("doubles", one(doubles())),
        ("integers", one(integers())),
        ("single pairs", two(&singles())),
        ("double pairs", two(&doubles())),
        ("single triples", three(singles())),
        ("double triples", three(doubles())),
    ];
    let mut addr = DATA;
    let place = |(name, tuples): (&'static str, Vec<[u64; 3]>)| {
        let grid = Grid { name, tuples, addr };
        addr += (grid.tuples.len() * OPERANDS) as u64;
        grid
    };
    grids.drain(..).map(place).collect()
}

/// The runs of a row: all modes if it rounds, else one.
fn runs<'a>(row: &Row, grids: &'a [Grid]) -> Vec<Run<'a>> {
    let Some(name) = grid_name(row) else { return Vec::new() };
    let grid = grids.iter().find(|grid| grid.name == name).expect("every name has a grid");
    let word = |rm| {
        let source = if name == "integers" { A0 } else { FA0 };
        let layout = row.format.layout();
        // Only the fields that the row has.
        let field = |place: vm_engine_jit::guest::riscv::operand::Place, reg| {
            if place.registers() == 1 {
                0
            } else {
                reg
            }
        };
        let insn = Insn {
            rd: FA3,
            rs1: source,
            rs2: field(layout.rs2, FA0 + 1),
            rs3: field(layout.rs3, FA0 + 2),
            rm,
            ..insn(row.op)
        };
        encode(&insn).unwrap_or_else(|| panic!("{} has no encoding", row.name))
    };
    if !row.format.layout().rm {
        return vec![Run { word: word(0), frm: 0, grid }];
    }
    // A fixed mode must not care for the dynamic one.
    let fixed = (0..5).map(|rm| Run { word: word(rm), frm: (rm + 2) % 5, grid });
    fixed.chain((0..5).map(|frm| Run { word: word(DYNAMIC), frm, grid })).collect()
}

/// Appends the loop of a run, whose results go to where s1 points.
fn write_loop(asm: &mut Asm, run: &Run, to_float: bool) {
    asm.i(Op::Csrrwi, 0, run.frm, csr::FRM);
    asm.li(S0, run.grid.addr).li(S2, run.grid.tuples.len() as u64);
    let start = asm.code.len();
    for (reg, offset) in [(FA0, 0), (FA0 + 1, 8), (FA0 + 2, 16)] {
        asm.i(Op::Fld, reg, S0, offset);
    }
    asm.i(Op::Ld, A0, S0, 0).i(Op::Csrrwi, 0, 0, csr::FFLAGS);
    asm.word(run.word);
    asm.i(Op::Csrrs, A4, 0, csr::FFLAGS);
    match to_float {
        true => asm.s(Op::Fsd, S1, FA3, 0),
        false => asm.s(Op::Sd, S1, A3, 0),
    };
    asm.s(Op::Sd, S1, A4, 8);
    asm.i(Op::Addi, S0, S0, OPERANDS as i64).i(Op::Addi, S1, S1, RESULT as i64).i(Op::Addi, S2, S2, -1);
    let back = start as i64 - asm.code.len() as i64;
    asm.s(Op::Bne, S2, 0, back);
}

/// Whether the row writes an f register.
fn writes_float(row: &Row) -> bool {
    !matches!(row.format, Format::FCompare | Format::FToX | Format::FToXRm)
}

fn program(rows: &[&Row], grids: &[Grid]) -> (Image, Vec<(String, [u64; 3])>) {
    let (mut asm, mut meaning) = (Asm::new(), Vec::new());
    let operands: Vec<u8> =
        grids.iter().flat_map(|g| g.tuples.iter().flatten()).flat_map(|v| v.to_le_bytes()).collect();
    let results = DATA + operands.len() as u64;
    asm.li(S1, results);
    for row in rows {
        for run in runs(row, grids) {
            write_loop(&mut asm, &run, writes_float(row));
            let text = format!("{} with frm {}", disassemble(run.word, 0), run.frm);
            meaning.extend(run.grid.tuples.iter().map(|tuple| (text.clone(), *tuple)));
        }
    }
    let len = meaning.len() * RESULT;
    asm.syscall(64, &[1, results, len as u64]).syscall(93, &[0]);
    let mut data = operands;
    data.resize(data.len() + len, 0);
    let code = Segment { addr: CODE, bytes: asm.code, prot: Prot::RX };
    let data = Segment { addr: DATA, bytes: data, prot: Prot::RW };
    (Image { segments: vec![code, data], entry: CODE }, meaning)
}

/// Compares all engines with qemu on some rows; returns how many results were compared.
fn compare(rows: &[&Row]) -> usize {
    let grids = grids();
    let (image, meaning) = program(rows, &grids);
    let expected = oracle::qemu(&image);
    assert_eq!((expected.end, expected.output.len()), (End::Exited(0), meaning.len() * RESULT), "qemu");
    for &(name, tier) in ENGINES {
        let (found, _, trapped) = oracle::run(tier, &image);
        assert_eq!((found.end, trapped), (End::Exited(0), None), "{name}");
        let results = expected.output.chunks(RESULT).zip(found.output.chunks(RESULT));
        let bad: Vec<_> = results.zip(&meaning).filter(|((a, b), _)| a != b).collect();
        for ((qemu, engine), (text, operands)) in bad.iter().take(20) {
            println!("{text}: {operands:#018x?}\n  qemu   {:x?}\n  {name} {:x?}", words(qemu), words(engine));
        }
        assert!(bad.is_empty(), "{name}: {} of {} results differ from qemu", bad.len(), meaning.len());
    }
    meaning.len()
}

/// Result and flags.
fn words(bytes: &[u8]) -> Vec<u64> {
    let word = |chunk: &[u8]| chunk.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
    bytes.chunks(8).map(word).collect()
}

fn rows_of(extension: Extension, fused: bool) -> Vec<&'static Row> {
    let rows = ROWS.iter().filter(|row| row.extension == extension && grid_name(row).is_some());
    rows.filter(|row| (row.format == Format::F3Rm) == fused).collect()
}

#[test]
fn all_engines_single_precision() {
    println!("{} results", compare(&rows_of(Extension::F, false)));
}

#[test]
fn all_engines_double_precision() {
    println!("{} results", compare(&rows_of(Extension::D, false)));
}

#[test]
fn all_engines_fused_single_precision() {
    println!("{} results", compare(&rows_of(Extension::F, true)));
}

#[test]
fn all_engines_fused_double_precision() {
    println!("{} results", compare(&rows_of(Extension::D, true)));
}

#[test]
fn every_operation_has_a_grid() {
    let rows: Vec<_> = ROWS.iter().filter(|row| grid_name(row).is_some()).collect();
    // F has 26 instructions in RV32, 4 more in RV64; D has 26 and 6. Four of each side are loads and stores.
    assert_eq!(rows.len(), 26 + 4 + 26 + 6 - 4);
    assert!(singles().len() >= 30 && doubles().len() >= 30);
}
