//! Golden text tests: files that hold input and expected output. `BLESS=1 cargo test --test filetests` rewrites the
//! outputs; what changed is then read as a difference.
//!
//! - `codegen/x64/*.ir`: a comment, blocks of IR, a line `---`, and the code that they become. A comment line
//!   `# memory: segment` or `# features: none` sets what is not the default (low memory, all features). A block
//!   without marks gets one for each operation, so that the listing shows what each became.
//! - `opt/*.ir`: a comment with a line `# pass: name` (or `earlier, name`: those before it are run first), blocks of IR that are a region with the first as its head, a
//!   line `---`, and the function before the pass and after it, without what is not used.
//! - `guest/x64/*.txt`: the instructions of the file of the same name in `lift`; under each the x86-64 code that it
//!   becomes on each tier as a block of its own, moves between registers and their homes not counted: its length in
//!   bytes and its instructions, without those that lie behind for what is rare.
//! - `lift/*.txt`: RISC-V instructions (their words in hexadecimal, then their text); under each, indented, the IR
//!   that it becomes as a block of its own at 0x1000.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use vm_engine_jit::asm::x64::CpuFeatures;
use vm_engine_jit::codegen::listing::{in_place, Line};
use vm_engine_jit::codegen::x64::unit::{compile_unit, mapped, Probe};
use vm_engine_jit::codegen::x64::{compile, Request};
use vm_engine_jit::codegen::{CodeObject, Memory};
use vm_engine_jit::guest::riscv::compressed::COMPRESSED;
use vm_engine_jit::guest::riscv::decode::find;
use vm_engine_jit::guest::riscv::disasm::disassemble;
use vm_engine_jit::guest::riscv::insn::ROWS as INSTRUCTIONS;
use vm_engine_jit::guest::riscv::translate::lift;
use vm_engine_jit::ir::ops::ROWS;
use vm_engine_jit::ir::{text, verify};
use vm_engine_jit::opt::build::{build, Host};
use vm_engine_jit::opt::passes::{dead, run as run_passes, Level, PASSES};
use vm_engine_jit::opt::region::{Edge, EdgeKind, Recording, Region, RegionBlock};
use vm_engine_jit::opt::text::show;
use vm_engine_jit::opt::verify::verify as verify_func;
use vm_engine_jit::regalloc::Allocator;
use vm_engine_jit::{IRBlock, IROp, Terminator};

/// Between input and output of a codegen file.
const SEPARATOR: &str = "---\n";
/// Where a lifted instruction stands.
const PC: u64 = 0x1000;

/// All files of a stage, in the order of their names.
fn stage(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests").join(name);
    let entries = folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{}: no files", folder.display());
    files
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Compares a file with what it should be, or rewrites it.
fn check(file: &Path, is: &str, wanted: &str, failures: &mut Vec<String>) {
    if is == wanted {
        return;
    }
    if std::env::var_os("BLESS").is_some() {
        // Other tests read it at the same time, so it is replaced whole.
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let new = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/filetests/.{name}.new"));
        std::fs::write(&new, wanted).unwrap();
        std::fs::rename(&new, file).unwrap();
        return;
    }
    let line = is.lines().zip(wanted.lines()).take_while(|(is, wanted)| is == wanted).count();
    let at = |text: &str| text.lines().nth(line).unwrap_or("(end)").to_string();
    failures.push(format!("{}:{}:\n  is     {}\n  wanted {}", file.display(), line + 1, at(is), at(wanted)));
}

#[track_caller]
fn none(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{}\nBLESS=1 cargo test --test filetests rewrites them",
        failures.join("\n")
    );
}

/// The input of a codegen file and the blocks in it.
fn input(file: &Path) -> (String, Vec<IRBlock>) {
    let whole = read(file);
    let head = whole.split_once(SEPARATOR).map_or(whole.as_str(), |(head, _)| head).to_string();
    let mut blocks = text::parse(&head).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    for block in &mut blocks {
        verify::verify(block)
            .unwrap_or_else(|error| panic!("{}: {:#x}: {error}", file.display(), block.start_pc));
        add_marks(block);
    }
    (head, blocks)
}

/// Gives each operation, and the terminator, a mark of its own if the block has none.
fn add_marks(block: &mut IRBlock) {
    if !block.ops.iter().any(|op| matches!(op, IROp::Mark { .. })) {
        let marks = (block.start_pc..).step_by(4).map(|pc| IROp::Mark { pc });
        let ops = block.ops.iter().map(|op| Some(*op)).chain([None]);
        block.ops = marks.zip(ops).flat_map(|(mark, op)| [Some(mark), op]).flatten().collect();
    }
}

/// The setting `key` of a file.
fn setting<'a>(head: &'a str, key: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(": "))
}

fn request(head: &str) -> Request {
    let memory = match setting(head, "memory") {
        None => Memory::Low,
        Some("segment") => Memory::Segment,
        Some(other) => panic!("memory: {other}"),
    };
    let features = match setting(head, "features") {
        None => CpuFeatures::ALL,
        Some("none") => CpuFeatures::NONE,
        Some(other) => panic!("features: {other}"),
    };
    Request { memory, features, first_link: 0, listing: true }
}

/// What a block becomes, grouped by guest instruction.
fn code_of(block: &IRBlock, request: &Request) -> String {
    let object = compile(block, &mut in_place(&block.ops), request);
    let object = object.unwrap_or_else(|bail| panic!("{bail:?}\n{block}"));
    let mut out = String::new();
    let (count, bytes) = (object.instructions(), object.bytes.len());
    writeln!(out, "\nblock {:#x}: {count} instructions, {bytes} bytes", block.start_pc).unwrap();
    let sources = sources(block);
    let (mut cold, parts) = (false, object.parts(&block.ops));
    for part in parts {
        match (part.cold, part.begun) {
            (true, _) if !cold => out.push_str("; cold\n"),
            (true, _) => {}
            (false, 0) => out.push_str("; entry\n"),
            (false, begun) => writeln!(out, "; {}", sources[begun as usize - 1]).unwrap(),
        }
        cold = part.cold;
        for line in part.lines {
            let indent = if line.at.is_some() { "    " } else { "" };
            writeln!(out, "{indent}{}", line.text).unwrap();
        }
    }
    links(&object, &mut out);
    out
}

fn links(object: &CodeObject, out: &mut String) {
    for (number, link) in object.links.iter().enumerate() {
        assert!(link.field % 4 == 0, "link {number} is not aligned");
        writeln!(out, "; link {number}: to {:#x}", link.target).unwrap();
    }
}

/// The operations between two marks, and the terminator with the last.
fn sources(block: &IRBlock) -> Vec<String> {
    let mut sources: Vec<Vec<String>> = Vec::new();
    for op in &block.ops {
        match op {
            IROp::Mark { .. } => sources.push(Vec::new()),
            op => sources.last_mut().expect("blocks begin with a mark").push(op.to_string()),
        }
    }
    sources.last_mut().expect("blocks have a mark").push(block.term.to_string());
    sources.into_iter().map(|lines| lines.join("; ")).collect()
}

#[test]
fn codegen_x64() {
    let mut failures = Vec::new();
    for file in stage("codegen/x64") {
        let (head, blocks) = input(&file);
        let request = request(&head);
        let output: String = blocks.iter().map(|block| code_of(block, &request)).collect();
        assert!(
            !output.contains("[rbp+0x") && !output.contains("[rbp-"),
            "{}: a field of the state has no name",
            file.display()
        );
        check(&file, &read(&file), &format!("{head}{SEPARATOR}{}", output.trim_start()), &mut failures);
    }
    none(&failures);
}

#[test]
fn codegen_x64_files_have_every_operation() {
    let mut seen = BTreeSet::new();
    for file in stage("codegen/x64") {
        seen.extend(input(&file).1.iter().flat_map(|block| &block.ops).map(|op| &*op.info().name));
    }
    let missing: Vec<_> = ROWS.iter().map(|row| &*row.name).filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "no file of codegen/x64 has {missing:?}");
}

/// Addresses of the operations and the order of compilation leave no trace.
#[test]
fn codegen_x64_is_repeatable() {
    for file in stage("codegen/x64") {
        let (head, blocks) = input(&file);
        let (again, request) = (blocks.clone(), request(&head));
        for (one, other) in blocks.iter().zip(&again).rev() {
            assert_eq!(code_of(one, &request), code_of(other, &request), "{}", file.display());
        }
    }
}

/// What a file's blocks print as parses to the same blocks.
#[test]
fn text_form_round_trips() {
    for file in stage("codegen/x64") {
        let blocks = input(&file).1;
        let printed: String = blocks.iter().map(IRBlock::to_string).collect();
        assert_eq!(text::parse(&printed).unwrap(), blocks, "{}", file.display());
    }
}

/// All blocks as a region. A computed target is any address that a call returns to.
fn region(blocks: &[IRBlock]) -> Region {
    let returns = blocks.iter().filter_map(|block| match block.term {
        Terminator::Call { return_to, .. } => Some(return_to),
        _ => None,
    });
    let returns: Vec<u64> = returns.collect();
    let region_block = |(index, block): (usize, &IRBlock)| {
        let targets = match block.term {
            Terminator::Branch { taken, fallthrough, .. } => vec![taken, fallthrough],
            Terminator::Jump { target } | Terminator::Call { target, .. } => vec![target],
            _ => returns.clone(),
        };
        let edges = targets.into_iter().filter_map(|pc| {
            let to = blocks.iter().position(|block| block.start_pc == pc)?;
            Some(Edge { kind: EdgeKind::Goes, pc, to, count: 10 })
        });
        RegionBlock { block: index, edges: edges.collect(), frames: Vec::new(), count: 10, entry: index == 0 }
    };
    let blocks = blocks.iter().enumerate().map(region_block).collect();
    Region { blocks, score: 0, covered: 0, entries: 0 }
}

#[test]
fn opt() {
    let mut failures = Vec::new();
    for file in stage("opt") {
        let (head, blocks) = input(&file);
        let name = setting(&head, "pass").unwrap_or_else(|| panic!("{}: no pass", file.display()));
        let pass = |name: &str| {
            PASSES.iter().find(|pass| pass.name == name).unwrap_or_else(|| panic!("no pass {name}"))
        };
        let (earlier, name) = name.rsplit_once(", ").unwrap_or(("", name));
        let recording = Recording { blocks, sequence: Vec::new() };
        let host = Host { has_code: &mut |_| true, mapped: &[] };
        let mut func = build(&recording, &region(&recording.blocks), host).expect("it is built");
        earlier.split_terminator(", ").for_each(|name| (pass(name).run)(&mut func));
        let mut before = func.clone();
        dead::run(&mut before);
        (pass(name).run)(&mut func);
        if name != "sink" {
            dead::run(&mut func);
        }
        assert_eq!(verify_func(&func), Ok(()), "{}", file.display());
        let wanted = format!("{head}{SEPARATOR}before:\n{}\nafter:\n{}", show(&before), show(&func));
        check(&file, &read(&file), &wanted, &mut failures);
    }
    none(&failures);
}

#[test]
fn opt_files_have_every_pass() {
    let seen: BTreeSet<String> = stage("opt")
        .iter()
        .filter_map(|file| Some(setting(&read(file), "pass")?.split(", ").last()?.to_string()))
        .collect();
    let missing: Vec<_> = PASSES
        .iter()
        .map(|pass| pass.name.trim_end_matches(" again"))
        .filter(|name| !seen.contains(*name))
        .collect();
    assert!(missing.is_empty(), "no file of opt has {missing:?}");
}

/// Code of a guest instruction on a tier: bytes, then instructions.
fn summary(tier: &str, mut lines: Vec<Line>, goes_on: bool) -> String {
    // The jump to whatever comes next, and what aligns it, is the end of any block.
    if goes_on && lines.pop_if(|line| line.text.starts_with("jmp")).is_some() {
        lines.pop_if(|line| line.text.starts_with("nop"));
    }
    let bytes: u32 = lines.iter().map(|line| line.length).sum();
    let text: Vec<&str> =
        lines.iter().filter(|line| line.at.is_some()).map(|line| line.text.as_str()).collect();
    format!("    {tier} {bytes:>3}  {}\n", if text.is_empty() { "(nothing)".into() } else { text.join("; ") })
}

/// What one guest instruction becomes on the tiers that make code.
fn host_code(word: u32) -> String {
    let bytes = word.to_le_bytes();
    let length = if word & 3 == 3 { 4 } else { 2 };
    let block = lift(PC, &bytes[..length]).expect("a whole instruction");
    let request = Request { memory: Memory::Low, features: CpuFeatures::ALL, first_link: 0, listing: true };
    let object = compile(&block, &mut in_place(&block.ops), &request).expect("a block of one instruction");
    let parts = object.parts(&block.ops);
    let hot = parts.iter().filter(|part| part.begun == 1 && !part.cold).flat_map(|part| part.lines.clone());
    let mut out = format!("{word:0width$x}  {}\n", disassemble(word, PC), width = length * 2);
    let goes_on = block.term == Terminator::Jump { target: PC + length as u64 };
    out.push_str(&summary("o0", hot.collect(), goes_on));
    let recording = Recording { blocks: vec![block], sequence: Vec::new() };
    let mut probe = Probe::new(CpuFeatures::ALL);
    let host = Host { has_code: &mut |op| probe.has_code(op), mapped: &mapped() };
    match build(&recording, &region(&recording.blocks), host) {
        Err(why) => writeln!(out, "    o2      no region: {why:?}").unwrap(),
        Ok(mut func) => {
            run_passes(&mut func, Level::O2, true).expect("well formed");
            let unit = compile_unit(&func, &mut Allocator::default(), &request).expect("code");
            let lines = unit.lines().into_iter().flat_map(|(_, lines)| lines);
            out.push_str(&summary("o2", lines.collect(), goes_on));
        }
    }
    out
}

#[test]
fn guest_x64() {
    let mut failures = Vec::new();
    for file in stage("lift") {
        let name = file.file_name().expect("a name");
        let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests/guest/x64").join(name);
        let wanted: String = words(&read(&file)).map(host_code).collect();
        let is = std::fs::read_to_string(&output).unwrap_or_default();
        check(&output, &is, &wanted, &mut failures);
    }
    none(&failures);
}

/// The words of a lift file: lines that are neither comments nor indented.
fn words(content: &str) -> impl Iterator<Item = u32> + '_ {
    let lines = content.lines().filter(|line| !line.is_empty() && !line.starts_with([' ', '#']));
    lines.map(|line| {
        let hex = line.split(' ').next().unwrap_or("");
        u32::from_str_radix(hex, 16).unwrap_or_else(|error| panic!("{line}: {error}"))
    })
}

fn lifted(word: u32) -> String {
    let bytes = word.to_le_bytes();
    let length = if word & 3 == 3 { 4 } else { 2 };
    let block = lift(PC, &bytes[..length]).expect("a whole instruction");
    let mut out = format!("{word:0width$x}  {}\n", disassemble(word, PC), width = length * 2);
    for op in block.ops.iter().filter(|op| !matches!(op, IROp::Mark { .. })) {
        writeln!(out, "    {op}").unwrap();
    }
    let next = vm_engine_jit::Terminator::Jump { target: PC + length as u64 };
    if block.term != next {
        writeln!(out, "    {}", block.term).unwrap();
    } else if block.ops.len() == 1 {
        out.push_str("    (nothing)\n");
    }
    out
}

#[test]
fn lift_riscv() {
    let mut failures = Vec::new();
    for file in stage("lift") {
        let is = read(&file);
        let comment: String =
            is.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        let wanted: String = words(&is).map(lifted).collect();
        check(&file, &is, &format!("{comment}\n{wanted}"), &mut failures);
    }
    none(&failures);
}

#[test]
fn lift_files_have_every_instruction() {
    let files = stage("lift");
    let mut seen = BTreeSet::new();
    for word in files.iter().flat_map(|file| words(&read(file)).collect::<Vec<_>>()) {
        seen.extend(find(word).map(|row| row.name));
    }
    let rows = INSTRUCTIONS.iter().chain(COMPRESSED);
    let missing: Vec<_> = rows.map(|row| row.name).filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "no file of lift has {missing:?}");
}
