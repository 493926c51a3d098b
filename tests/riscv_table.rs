//! The RISC-V tables against themselves, against GNU binutils, and against `docs/riscv.md`.
//!
//! Needs `riscv64-linux-gnu-{as,objcopy,objdump}` (Debian and Ubuntu: `apt-get install
//! binutils-riscv64-linux-gnu`); without them the tests fail rather than pass unseen. Where this crate and
//! binutils differ on purpose, [`DIFFERENCES`] says so and why; every other difference is a failure.
//!
//! `BLESS=1 cargo test --test riscv_table` rewrites `docs/riscv.md`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use vm_engine_jit::guest::riscv::compressed::COMPRESSED;
use vm_engine_jit::guest::riscv::decode::{decode, find};
use vm_engine_jit::guest::riscv::disasm::disassemble;
use vm_engine_jit::guest::riscv::encode::encode;
use vm_engine_jit::guest::riscv::insn::{Extension, Insn, Op, Row, ROWS};
use vm_engine_jit::guest::riscv::operand::{Class, Operand, Role};
use vm_engine_jit::guest::riscv::sample::{fuzz_decode, sample, Registers};

/// Samples of each row that are compared with binutils.
const SAMPLES: usize = 300;
/// Random words compared with binutils, besides all 16-bit ones.
const RANDOM_WORDS: usize = 1_200_000;
/// Where the code is said to lie, so that backward targets are printed as plain addresses.
const BASE: u64 = 0x4000_0000;
/// The extensions of the tables, as the assembler names them. Zicond is missing: binutils 2.40 has none.
const MARCH: &str = "-march=rv64imafdc_zicsr_zifencei_zba_zbb_zbs";

/// A way in which this crate and binutils differ on purpose.
struct Difference {
    name: &'static str,
    reason: &'static str,
    /// Whether it explains that `word` is `ours` here and `theirs` in binutils.
    explains: fn(word: u32, ours: &str, theirs: &str) -> bool,
}

/// All reviewed differences to binutils 2.40.
static DIFFERENCES: &[Difference] = &[
    Difference {
        name: "unimp",
        reason: "binutils shows its alias for a write to the read-only CSR `cycle` even with no-aliases",
        explains: |word, ours, theirs| {
            word == 0xc000_1073 && ours == "csrrw zero,cycle,zero" && theirs == "unimp"
        },
    },
    Difference {
        name: "c.unimp",
        reason: "the all-zero halfword is defined to be illegal (27.5.4); binutils has a name for it",
        explains: |word, ours, theirs| word == 0 && ours == ".2byte 0x0" && theirs == "c.unimp",
    },
    Difference {
        name: "c.addi16sp of 0",
        reason: "reserved (27.5.2); binutils lets it pass",
        explains: |word, ours, theirs| {
            word == 0x6101 && ours == ".2byte 0x6101" && theirs == "c.addi16sp sp,0"
        },
    },
    Difference {
        name: "fence fields",
        reason: "fm, rd and rs1 are reserved for finer fences and must be ignored (2.7, 5); binutils wants 0",
        explains: |word, ours, theirs| {
            ours.starts_with("fence") && theirs.starts_with('.') && matches!(word & 0x707f, 0x000f | 0x100f)
        },
    },
    Difference {
        name: "rounding mode of exact conversions",
        reason: "fcvt.d.{s,w,wu} have an rm field (21.5), of which binutils 2.40 knows only 0",
        explains: |word, ours, theirs| {
            ["fcvt.d.s ", "fcvt.d.w ", "fcvt.d.wu "].iter().any(|name| ours.starts_with(name))
                && theirs.starts_with('.')
                && !matches!(word >> 12 & 7, 0 | 5 | 6)
        },
    },
    Difference {
        name: "reserved rounding modes",
        reason: "5 and 6 are reserved (20.2) and illegal here, as in qemu; binutils prints `unknown`",
        explains: |word, ours, theirs| {
            matches!(word >> 12 & 7, 5 | 6) && ours.starts_with('.') && theirs.ends_with(",unknown")
        },
    },
    Difference {
        name: "Zicond",
        reason: "binutils 2.40 has no Zicond; see zicond_is_as_llvm_prints_it",
        explains: |word, ours, theirs| {
            ours.starts_with("czero.") && theirs.starts_with('.') && word & 0xfe00_507f == 0x0e00_5033
        },
    },
    Difference {
        name: "names of privileged CSRs",
        reason: "this crate names only the CSRs of user mode and prints the others as numbers",
        explains: |word, ours, theirs| {
            let number = format!(",{:#x},", word >> 20);
            let (Some((before, after)), true) = (ours.split_once(&number), word & 0x7f == 0x73) else {
                return false;
            };
            let name = theirs.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            name.is_some_and(|name| name.len() > 2 && name.starts_with(',') && name.ends_with(','))
        },
    },
    Difference {
        name: "privileged instructions",
        reason: "they are illegal in user mode, the only mode there is",
        explains: |_, ours, theirs| {
            let mnemonic = theirs.split(' ').next().unwrap_or_default();
            ours.starts_with('.') && ["sret", "mret", "dret", "uret", "wfi", "sfence.vma"].contains(&mnemonic)
        },
    },
];

/// A small generator of random bits (xorshift64*), so that failures repeat.
fn generator(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

fn all_rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(COMPRESSED)
}

fn samples(row: &Row, count: usize, random: &mut dyn FnMut() -> u64) -> Vec<u32> {
    (0..count)
        .map(|_| sample(row, &Registers::ALL, random).unwrap_or_else(|| panic!("{}", row.name)))
        .collect()
}

/// Runs a program of binutils; a missing one fails the test.
fn run(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).output().unwrap_or_else(|error| {
        panic!("{tool}: {error}; install binutils-riscv64-linux-gnu, this test is never skipped")
    });
    assert!(output.status.success(), "{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A directory for one test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("riscv_table-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The text of each word as binutils prints it, in the form that `disassemble` has.
///
/// An object file names the extensions (a plain binary would mean those of binutils' choice); its code comes from
/// a file without the mapping symbols that the assembler would put there.
fn objdump(words: &[u32], name: &str) -> Vec<String> {
    let scratch = Scratch::new(name);
    let (source, object, code) = (scratch.file("empty.s"), scratch.file("code.o"), scratch.file("code.bin"));
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes().into_iter().take(length(*w))).collect();
    std::fs::write(&source, "").unwrap();
    std::fs::write(&code, bytes).unwrap();
    run("riscv64-linux-gnu-as", &[MARCH, "-o", &object, &source]);
    run("riscv64-linux-gnu-objcopy", &["--update-section", &format!(".text={code}"), &object]);
    let vma = format!("--adjust-vma={BASE:#x}");
    let listing = run("riscv64-linux-gnu-objdump", &["-d", "-z", "-M", "no-aliases", &vma, &object]);
    let mut lines = listing.lines().filter_map(|line| line.split_once(":\t"));
    let mut pc = BASE;
    let texts = words.iter().map(|word| {
        let (address, rest) = lines.next().unwrap_or_else(|| panic!("no line for {word:#x} at {pc:#x}"));
        assert_eq!(u64::from_str_radix(address.trim(), 16), Ok(pc), "objdump lost step at {rest}");
        pc += length(*word) as u64;
        plain(rest.split_once('\t').unwrap().1)
    });
    texts.collect()
}

/// The text without symbols and comments, one space after the mnemonic, and targets in this crate's form.
fn plain(text: &str) -> String {
    let text = text.split(" # ").next().unwrap_or_default();
    let Some((text, _)) = text.split_once(" <") else { return text.trim().replace('\t', " ") };
    let cut = text.rfind([',', '\t']).unwrap() + 1;
    format!("{}0x{}", &text[..cut], &text[cut..]).replace('\t', " ")
}

fn length(word: u32) -> usize {
    if word & 3 == 3 {
        4
    } else {
        2
    }
}

/// Compares the text of all words with binutils. Returns how often each reviewed difference occurred.
fn compare(words: &[u32], name: &str) -> BTreeMap<&'static str, usize> {
    let mut seen = BTreeMap::new();
    let mut failures = Vec::new();
    let mut pc = BASE;
    for (word, theirs) in words.iter().zip(objdump(words, name)) {
        let ours = disassemble(*word, pc);
        pc += length(*word) as u64;
        if ours == theirs {
            continue;
        }
        match DIFFERENCES.iter().find(|d| (d.explains)(*word, &ours, &theirs)) {
            Some(difference) => *seen.entry(difference.name).or_insert(0) += 1,
            None => failures.push(format!("{word:#010x}: here `{ours}`, binutils `{theirs}`")),
        }
    }
    let shown = &failures[..failures.len().min(40)];
    assert!(failures.is_empty(), "{} differences not reviewed:\n{}", failures.len(), shown.join("\n"));
    println!("{name}: {} words compared, reviewed differences {seen:?}", words.len());
    seen
}

#[test]
fn every_row_prints_as_in_binutils() {
    let mut random = generator(1);
    let words: Vec<u32> = all_rows().flat_map(|row| samples(row, SAMPLES, &mut random)).collect();
    compare(&words, "samples");
}

#[test]
fn every_halfword_prints_as_in_binutils() {
    let words: Vec<u32> = (0..=0xffff).filter(|word| word & 3 != 3).collect();
    let seen = compare(&words, "halfwords");
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [("c.addi16sp of 0", 1), ("c.unimp", 1)]);
}

#[test]
fn random_words_print_as_in_binutils() {
    let mut random = generator(2);
    let word = |_| {
        let bits = random();
        let uniform = (bits >> 32) as u32 | 3;
        let row = &ROWS[(bits & 0xffff) as usize % ROWS.len()];
        // One word of three is uniform; one is near a row (its fixed bits with one of them flipped); one has
        // random operands.
        match bits >> 16 & 0xff {
            0..85 => uniform,
            85..170 => (uniform & !row.mask | row.bits) ^ 1 << (2 + (bits >> 24 & 0xff) % 30),
            _ => uniform & !row.mask | row.bits,
        }
    };
    // Longer instructions than 32 bits (low five bits 11111) make objdump consume more than one word.
    let words: Vec<u32> = (0..RANDOM_WORDS).map(word).filter(|word| word & 0x1f != 0x1f).collect();
    assert!(words.len() > 1_000_000);
    let seen = compare(&words, "random");
    for difference in DIFFERENCES.iter().filter(|d| !["c.unimp", "unimp"].contains(&d.name)) {
        let count = seen.get(difference.name).unwrap_or(&0);
        println!("{}: {count} times: {}", difference.name, difference.reason);
    }
}

/// Produced by `llvm-mc --disassemble -triple riscv64 -mattr=+zicond -M no-aliases` of LLVM 19.1.7.
#[test]
fn zicond_is_as_llvm_prints_it() {
    let vectors = [
        (0x0eb5_5533, "czero.eqz a0,a0,a1"),
        (0x0eb5_7533, "czero.nez a0,a0,a1"),
        (0x0fff_dfb3, "czero.eqz t6,t6,t6"),
        (0x0e00_7033, "czero.nez zero,zero,zero"),
    ];
    for (word, text) in vectors {
        assert_eq!(disassemble(word, 0), text);
    }
}

#[test]
fn samples_survive_decoding_and_encoding() {
    let mut random = generator(3);
    for row in ROWS {
        for word in samples(row, SAMPLES, &mut random) {
            let insn = decode(word).unwrap_or_else(|| panic!("{} {word:#x}", row.name));
            assert_eq!((insn.op, insn.len), (row.op, 4));
            assert_eq!(encode(&insn), Some(word), "{}", disassemble(word, 0));
        }
    }
    for row in COMPRESSED {
        for word in samples(row, SAMPLES, &mut random) {
            let insn = decode(word | 0xdead_0000).unwrap_or_else(|| panic!("{} {word:#x}", row.name));
            assert_eq!((insn.op, insn.len, word >> 16), (row.op, 2, 0));
            let expansion = encode(&insn).and_then(decode);
            assert_eq!(expansion, Some(Insn { len: 4, ..insn }), "{}", disassemble(word, 0));
        }
    }
}

#[test]
fn samples_keep_to_the_allowed_registers() {
    let mut random = generator(4);
    let (dest, source, base) = (0x0000_0f02, 0x0000_f102, 0x0000_0204);
    let registers = Registers { dest, source, base };
    for row in all_rows() {
        for _ in 0..50 {
            let Some(word) = sample(row, &registers, &mut random) else { continue };
            let insn = decode(word).unwrap();
            for operand in row.format.layout().operands {
                let (allowed, number) = match *operand {
                    Operand::Reg(Role::Rd, Class::X, _) => (dest, insn.rd),
                    Operand::Reg(Role::RdRs1, Class::X, _) => (dest & source, insn.rd),
                    Operand::Reg(Role::Rs1, Class::X, _) => (source, insn.rs1),
                    Operand::Reg(Role::Rs2, Class::X, _) => (source, insn.rs2),
                    Operand::Memory(..) | Operand::Address(_) => (base, insn.rs1),
                    _ => continue,
                };
                assert!(allowed >> number & 1 != 0, "{}", disassemble(word, 0));
            }
        }
    }
}

/// The pairs of rows that overlap on purpose; the first stands before the second.
const OVERLAPS: &[(&str, &str)] = &[("c.addi16sp", "c.lui")];

#[test]
fn rows_do_not_overlap() {
    let rows: Vec<&Row> = all_rows().collect();
    for (i, a) in rows.iter().enumerate() {
        assert_eq!(a.bits & !a.mask, 0, "{}: fixed bits outside the mask", a.name);
        assert_eq!(a.nonzero & a.mask, 0, "{}: operand bits inside the mask", a.name);
        assert!(a.length() == 4 || a.mask >> 16 == 0, "{}: more than 16 bits", a.name);
        for b in &rows[i + 1..] {
            assert_ne!(a.name, b.name);
            let fixed_apart = (a.bits ^ b.bits) & a.mask & b.mask != 0;
            let excluded =
                |x: &Row, y: &Row| x.nonzero != 0 && x.nonzero & !y.mask == 0 && x.nonzero & y.bits == 0;
            let apart = fixed_apart || excluded(a, b) || excluded(b, a);
            assert!(apart || OVERLAPS.contains(&(&*a.name, &*b.name)), "{} and {}", a.name, b.name);
        }
    }
}

#[test]
fn rows_fix_or_use_every_bit() {
    for row in all_rows() {
        let used: u32 = row.format.layout().operands.iter().map(operand_bits).fold(0, |a, b| a | b);
        assert_eq!(used & row.mask, 0, "{}: an operand lies in fixed bits", row.name);
        let all = if row.length() == 4 { u32::MAX } else { 0xffff };
        let ignored = all & !(used | row.mask);
        // fence and fence.i have fields that are ignored (2.7 and 5).
        let expected = match row.op {
            Op::Fence => 0x000f_8f80,
            Op::FenceI => 0xffff_8f80,
            _ => 0,
        };
        assert_eq!(ignored, expected, "{}: bits that mean nothing", row.name);
    }
}

/// The instruction bits of an operand, as the table has them.
fn operand_bits(operand: &Operand) -> u32 {
    match *operand {
        Operand::Reg(_, _, place) | Operand::Hidden(_, place) | Operand::Address(place) => {
            (0..32).map(|n| place.put(n)).fold(0, |a, b| a | b)
        }
        Operand::Memory(imm, place) => imm.field() | operand_bits(&Operand::Address(place)),
        Operand::Dec(imm) | Operand::Hex(imm) | Operand::Upper(imm) | Operand::Target(imm) => imm.field(),
        Operand::Csr | Operand::Order => 0xfff0_0000,
        Operand::Zimm => 0x000f_8000,
        Operand::Rm | Operand::RmExact => 0x0000_7000,
        Operand::AqRl => 0x0600_0000,
    }
}

#[test]
fn rows_are_in_the_order_of_the_enum() {
    for row in ROWS {
        assert!(std::ptr::eq(row.op.row(), row));
        assert_eq!((row.op.name(), row.length()), (&*row.name, 4));
    }
    for row in COMPRESSED {
        assert_eq!((row.extension, row.ends_block), (Extension::C, row.op.row().ends_block));
    }
    println!("{} rows of 32 bits, {} of 16 bits: {:?}", ROWS.len(), COMPRESSED.len(), counts());
}

fn counts() -> Vec<(String, usize)> {
    let mut out: Vec<(String, usize)> = Vec::new();
    for row in all_rows() {
        let name = format!("{:?}", row.extension);
        match out.iter_mut().find(|(n, _)| *n == name) {
            Some((_, count)) => *count += 1,
            None => out.push((name, 1)),
        }
    }
    out
}

#[test]
fn reserved_encodings_are_illegal() {
    let illegal = [
        (0x0000_0000, "the all-zero halfword"),
        (0xffff_ffff, "all ones"),
        (0x0000_001f, "48 bits"),
        (0x0000_003f, "64 bits"),
        (0x0000_6001 | 10 << 7, "c.lui of 0"),
        (0x0000_6001, "c.lui x0 of 0"),
        (0x0000_6101, "c.addi16sp of 0"),
        (0x0000_4002, "c.lwsp to x0"),
        (0x0000_6002, "c.ldsp to x0"),
        (0x0000_8002, "c.jr x0"),
        (0x0000_2001, "c.addiw of x0"),
        (0x0000_8000, "quadrant 0, funct3 100"),
        (0x0000_9c41, "quadrant 1, reserved with c.subw"),
        (0x00c5_d553, "fadd.s with rounding mode 5"),
        (0x00c5_e553, "fadd.s with rounding mode 6"),
        (0x1015_a52f, "lr.w with rs2 = 1"),
        (0x2805_a52f, "amo with funct5 00101"),
        (0x0205_951b, "slliw by 32"),
        (0xc045_8553, "fcvt with rs2 = 4"),
        (0xe005_a553, "fmv.x.w with funct3 2"),
        (0x5825_f553, "fsqrt.s with rs2 = 2"),
        (0x1050_0073, "wfi"),
        (0x1020_0073, "sret"),
        (0x3020_0073, "mret"),
        (0x0000_4073, "SYSTEM with funct3 100"),
        (0x0000_200f, "cbo.inval"),
    ];
    for (word, what) in illegal {
        assert_eq!(decode(word), None, "{what}: {word:#010x}");
    }
}

#[test]
fn hints_do_nothing() {
    let hints = [
        (0x0001, "c.nop"),
        (0x0015, "c.nop 5"),
        (0x0501, "c.addi a0,0"),
        (0x4005, "c.li zero,1"),
        (0x6005, "c.lui zero,1"),
        (0x0016, "c.slli zero,5"),
        (0x0502, "c.slli64 a0"),
        (0x8101, "c.srli64 a0"),
        (0x8501, "c.srai64 a0"),
        (0x802e, "c.mv zero,a1"),
        (0x902e, "c.add zero,a1"),
        (0x0000_6013, "prefetch.i"),
        (0x0031_6013, "prefetch.w"),
        (0x0053_8033, "add zero,t2,t0"),
    ];
    for (word, what) in hints {
        let insn = decode(word).unwrap_or_else(|| panic!("{what}"));
        let shift_by_zero = matches!(insn.op, Op::Slli | Op::Srli | Op::Srai) && insn.imm == 0;
        let add_of_zero = insn.op == Op::Addi && insn.imm == 0;
        assert!(insn.rd == 0 || (insn.rd == insn.rs1 && (shift_by_zero || add_of_zero)), "{what}: {insn:?}");
    }
    let pause = decode(0x0100_000f).unwrap();
    assert_eq!((pause.op, pause.imm), (Op::Fence, 0x010));
    let tso = decode(0x8330_000f).unwrap();
    assert_eq!((tso.op, tso.imm), (Op::Fence, 0x833));
}

#[test]
fn some_instructions_decode_field_by_field() {
    let zero =
        Insn { op: Op::Add, rd: 0, rs1: 0, rs2: 0, rs3: 0, rm: 0, aq: false, rl: false, imm: 0, len: 4 };
    let cases = [
        (0xfeb5_0ce3, Insn { op: Op::Beq, rs1: 10, rs2: 11, imm: -8, ..zero }),
        (0xffff_f537, Insn { op: Op::Lui, rd: 10, imm: -4096, ..zero }),
        (0x1605_a52f, Insn { op: Op::LrW, rd: 10, rs1: 11, aq: true, rl: true, ..zero }),
        (0x6ac5_f543, Insn { op: Op::FmaddD, rd: 10, rs1: 11, rs2: 12, rs3: 13, rm: 7, ..zero }),
        (0x002f_d573, Insn { op: Op::Csrrwi, rd: 10, rs1: 31, imm: 2, ..zero }),
        (0xc000_1073, Insn { op: Op::Csrrw, imm: 0xc00, ..zero }),
        (0x03f5_9513, Insn { op: Op::Slli, rd: 10, rs1: 11, imm: 63, ..zero }),
        (0x717d, Insn { op: Op::Addi, rd: 2, rs1: 2, imm: -16, len: 2, ..zero }),
        (0x9502, Insn { op: Op::Jalr, rd: 1, rs1: 10, len: 2, ..zero }),
        (0x852e, Insn { op: Op::Add, rd: 10, rs2: 11, len: 2, ..zero }),
        (0xe42a, Insn { op: Op::Sd, rs1: 2, rs2: 10, imm: 8, len: 2, ..zero }),
        (0x757d, Insn { op: Op::Lui, rd: 10, imm: -4096, len: 2, ..zero }),
    ];
    for (word, insn) in cases {
        assert_eq!(decode(word), Some(insn));
    }
}

#[test]
fn impossible_instructions_do_not_encode() {
    let add = decode(0x00b5_0533).unwrap();
    let addi = decode(0xffb5_8513).unwrap();
    let beq = decode(0xfeb5_0ce3).unwrap();
    let fadd = decode(0x00c5_f553).unwrap();
    assert_eq!(encode(&Insn { rd: 32, ..add }), None);
    assert_eq!(encode(&Insn { rs3: 1, ..add }), None);
    assert_eq!(encode(&Insn { imm: 1, ..add }), None);
    assert_eq!(encode(&Insn { aq: true, ..add }), None);
    assert_eq!(encode(&Insn { imm: 2048, ..addi }), None);
    assert_eq!(encode(&Insn { imm: -2049, ..addi }), None);
    assert_eq!(encode(&Insn { imm: 3, ..beq }), None);
    assert_eq!(encode(&Insn { imm: 4096, ..beq }), None);
    assert_eq!(encode(&Insn { rm: 5, ..fadd }), None);
    assert_eq!(encode(&Insn { rm: 8, ..fadd }), None);
}

#[test]
fn decoding_random_words_never_panics() {
    let mut random = generator(5);
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end {
        let bytes: Vec<u8> = (0..512).flat_map(|_| random().to_le_bytes()).collect();
        fuzz_decode(&bytes);
    }
}

/// The index gives what a search of the whole table would.
#[test]
fn index_agrees_with_the_table() {
    let mut random = generator(6);
    for _ in 0..100_000 {
        let bits = random();
        let row = &ROWS[(bits & 0xffff) as usize % ROWS.len()];
        let word = (bits >> 32) as u32 & !row.mask | row.bits;
        assert!(find(word).is_some_and(|found| std::ptr::eq(found, row)), "{word:#010x} is {}", row.name);
    }
    for word in (0..=0xffff_u32).filter(|word| word & 3 != 3) {
        let fits = |row: &&Row| word & row.mask == row.bits && (row.nonzero == 0 || word & row.nonzero != 0);
        assert_eq!(find(word).map(|row| row.name), COMPRESSED.iter().find(fits).map(|row| row.name));
    }
}

#[test]
fn docs_match_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/riscv.md");
    let wanted = docs_table();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "docs/riscv.md is out of date: BLESS=1 cargo test --test riscv_table");
}

/// The text of `docs/riscv.md`.
fn docs_table() -> String {
    let mut out = String::from(
        "# RISC-V instructions\n\nGenerated from `src/guest/riscv/insn.rs` and `src/guest/riscv/compressed.rs` by \
         `BLESS=1 cargo test --test riscv_table`; not edited by hand.\n\nA word whose bits under *mask* equal \
         *match* is the instruction. Everything that no row matches is an illegal instruction, and so are the \
         rounding modes 5 and 6. An instruction *ends* its block if control may go elsewhere or the next \
         instruction may have to be fetched again. Sections are those of the RISC-V Unprivileged ISA, document \
         version 20250508.\n\n| extension | instructions |\n|---|---|\n",
    );
    for (name, count) in counts() {
        writeln!(out, "| {name} | {count} |").unwrap();
    }
    writeln!(out, "| all | {} |", all_rows().count()).unwrap();
    out.push_str(
        "\n## 32-bit instructions\n\n| name | operands | match | mask | extension | ends | section |\n",
    );
    out.push_str("|---|---|---|---|---|---|---|\n");
    for row in ROWS {
        let ends = if row.ends_block { "ends" } else { "" };
        let (name, bits, mask, section) = (row.name, row.bits, row.mask, row.section);
        let (operands, extension) = (operands(row), row.extension);
        writeln!(
            out,
            "| {name} | {operands} | {bits:08x} | {mask:08x} | {extension:?} | {ends} | {section} |"
        )
        .unwrap();
    }
    out.push_str("\n## 16-bit instructions\n\nThe bits under *not 0* must not all be zero.\n\n");
    out.push_str("| name | operands | match | mask | not 0 | is | ends | section |\n|---|---|---|---|---|---|---|---|\n");
    for row in COMPRESSED {
        let nonzero = if row.nonzero == 0 { String::new() } else { format!("{:04x}", row.nonzero) };
        let ends = if row.ends_block { "ends" } else { "" };
        let (name, bits, mask, section) = (row.name, row.bits, row.mask, row.section);
        let (operands, is) = (operands(row), row.op.name());
        writeln!(
            out,
            "| {name} | {operands} | {bits:04x} | {mask:04x} | {nonzero} | {is} | {ends} | {section} |"
        )
        .unwrap();
    }
    out
}

/// The operands of a row as the manual names them; registers of the 3-bit fields have a prime.
fn operands(row: &Row) -> String {
    let shown: Vec<String> = row.format.layout().operands.iter().filter_map(operand_name).collect();
    shown.join(", ")
}

fn operand_name(operand: &Operand) -> Option<String> {
    Some(match *operand {
        Operand::Reg(role, class, place) => {
            let field = match role {
                Role::Rd => "rd",
                Role::Rs1 => "rs1",
                Role::Rs2 => "rs2",
                Role::Rs3 => "rs3",
                Role::RdRs1 => "rd/rs1",
            };
            let file = if class == Class::F { "f:" } else { "" };
            match place.registers() {
                u32::MAX => format!("{file}{field}"),
                0x0000_ff00 => format!("{file}{field}'"),
                _ => "sp".to_string(),
            }
        }
        Operand::Hidden(..) => return None,
        Operand::Dec(_) | Operand::Upper(_) => "imm".to_string(),
        Operand::Hex(_) => "shamt".to_string(),
        Operand::Target(_) => "target".to_string(),
        Operand::Memory(_, place) => match place.registers() {
            u32::MAX => "imm(rs1)".to_string(),
            0x0000_ff00 => "imm(rs1')".to_string(),
            _ => "imm(sp)".to_string(),
        },
        Operand::Address(_) => "(rs1)".to_string(),
        Operand::Csr => "csr".to_string(),
        Operand::Zimm => "uimm".to_string(),
        Operand::Order => "pred, succ".to_string(),
        Operand::Rm | Operand::RmExact => "rm".to_string(),
        Operand::AqRl => "aq, rl".to_string(),
    })
}
