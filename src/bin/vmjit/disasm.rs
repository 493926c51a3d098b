//! `vmjit disasm`: the executable segments of a program as instructions, and as what they are lifted to.

use crate::flags::DisasmOptions;
use crate::Failure;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::process::ExitCode;
use vm_engine_jit::guest::riscv::disasm::disassemble;
use vm_engine_jit::guest::riscv::translate::{lift, MAX_BLOCK_BYTES};
use vm_engine_jit::linux::elf::{parse_source, symbols, Segment, Source};
use vm_engine_jit::{Error, IROp};

pub fn disasm(options: &DisasmOptions) -> Result<ExitCode, Failure> {
    let failed = |error: Error| Failure::of_program(&options.program, &error);
    let file = File::open(&options.program)
        .map_err(|source| failed(Error::File { path: options.program.clone(), source }))?;
    let image = parse_source(&file).map_err(|error| failed(error.into()))?;
    let labels: BTreeMap<u64, String> = symbols(&file).into_iter().map(|s| (s.addr, s.name)).collect();
    let mut out = BufWriter::new(std::io::stdout().lock());
    for segment in image.segments.iter().filter(|segment| segment.prot.exec) {
        let code = file.bytes(segment.offset, segment.file_size).map_err(|error| failed(error.into()))?;
        let written = match options.ir {
            true => print_ir(&mut out, segment, &code, &labels),
            false => print_code(&mut out, segment, &code, &labels),
        };
        match written.and_then(|()| out.flush()) {
            // A reader that has seen enough (`| head`) is no failure.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            other => other?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn label(out: &mut impl Write, labels: &BTreeMap<u64, String>, pc: u64) -> std::io::Result<()> {
    match labels.get(&pc) {
        Some(name) if !name.is_empty() => writeln!(out, "\n{pc:016x} <{name}>:"),
        _ => Ok(()),
    }
}

/// The instruction word at an offset; what is behind the end reads as zero.
fn word_at(code: &[u8], at: usize) -> u32 {
    let mut bytes = [0; 4];
    let rest = &code[at.min(code.len())..];
    let len = rest.len().min(4);
    bytes[..len].copy_from_slice(&rest[..len]);
    u32::from_le_bytes(bytes)
}

fn print_insn(out: &mut impl Write, word: u32, pc: u64) -> std::io::Result<()> {
    let text = disassemble(word, pc);
    match word & 3 {
        3 => writeln!(out, "{pc:8x}:  {word:08x}  {text}"),
        _ => writeln!(out, "{pc:8x}:  {:04x}      {text}", word & 0xffff),
    }
}

fn print_code(
    out: &mut impl Write,
    segment: &Segment,
    code: &[u8],
    labels: &BTreeMap<u64, String>,
) -> std::io::Result<()> {
    let mut at = 0;
    while at < code.len() {
        let (pc, word) = (segment.vaddr + at as u64, word_at(code, at));
        label(out, labels, pc)?;
        print_insn(out, word, pc)?;
        at += if word & 3 == 3 { 4 } else { 2 };
    }
    Ok(())
}

/// Blocks from the start of the segment on: each block's instructions, then its operations.
fn print_ir(
    out: &mut impl Write,
    segment: &Segment,
    code: &[u8],
    labels: &BTreeMap<u64, String>,
) -> std::io::Result<()> {
    let mut at = 0;
    while at < code.len() {
        let pc = segment.vaddr + at as u64;
        let end = code.len().min(at + MAX_BLOCK_BYTES);
        // A block ends where a symbol begins, since something else leads there.
        let limit =
            labels.range(pc + 1..).next().map_or(end, |(&next, _)| end.min((next - segment.vaddr) as usize));
        let Some(block) = lift(pc, &code[at..limit]) else {
            at += 2;
            continue;
        };
        label(out, labels, pc)?;
        for op in &block.ops {
            match *op {
                IROp::Mark { pc } => {
                    at = (pc - segment.vaddr) as usize;
                    print_insn(out, word_at(code, at), pc)?;
                }
                op => writeln!(out, "{:24}{op}", "")?,
            }
        }
        writeln!(out, "{:24}{}", "", block.term)?;
        at += if word_at(code, at) & 3 == 3 { 4 } else { 2 };
    }
    Ok(())
}
