//! `vmjit dump`: one block as guest code, IR and machine code, by guest instruction. It is read from the program
//! file alone, so it is what runs before anything was relocated, and machine code for a processor with all features. With a tier
//! that makes regions: `stages`.

use crate::flags::DumpOptions;
use crate::{stages, Failure, CANNOT_RUN, FAILED};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::process::ExitCode;
use vm_engine_jit::asm::x64::CpuFeatures;
use vm_engine_jit::codegen::listing::{in_place, Line};
use vm_engine_jit::codegen::x64::{compile, Request};
use vm_engine_jit::codegen::{CodeObject, Memory};
use vm_engine_jit::guest::riscv::disasm::disassemble;
use vm_engine_jit::guest::riscv::translate::{lift, MAX_BLOCK_BYTES};
use vm_engine_jit::linux::elf::{parse_source, symbols, Source};
use vm_engine_jit::{Error, IRBlock, IROp};

pub fn dump(options: &DumpOptions) -> Result<ExitCode, Failure> {
    if let Some(tier) = options.tier {
        return stages::dump(options, tier);
    }
    let failed = |error: Error| Failure::of_program(&options.program, &error);
    let file = File::open(&options.program)
        .map_err(|source| failed(Error::File { path: options.program.clone(), source }))?;
    let image = parse_source(&file).map_err(|error| failed(error.into()))?;
    let Place { addr: pc, name, .. } = locate(&file, &options.place)?;
    let refuse = |what| Failure {
        message: format!("{}: {what} {pc:#x}", options.program.display()),
        code: CANNOT_RUN,
    };
    let inside = |from: u64, size: u64| from <= pc && pc - from < size;
    let segment = image.segments.iter().find(|s| s.prot.exec && inside(s.vaddr, s.file_size));
    let segment = segment.ok_or_else(|| refuse("no code at"))?;
    let at = pc - segment.vaddr;
    let len = (segment.file_size - at).min(MAX_BLOCK_BYTES as u64);
    let code = file.bytes(segment.offset + at, len).map_err(|error| failed(error.into()))?;
    let block = lift(pc, &code).ok_or_else(|| refuse("no whole instruction at"))?;
    let text = block_text(&block, &code, name.as_deref(), options).map_err(refuse)?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// What the user named.
pub struct Place {
    pub addr: u64,
    /// Of a symbol.
    pub size: u64,
    pub name: Option<String>,
}

/// The address that the user named, or that of the symbol.
pub fn locate(file: &File, place: &str) -> Result<Place, Failure> {
    if let Some(hex) = place.strip_prefix("0x") {
        let bad = |_| Failure::usage(format!("dump: '{place}' is no address"));
        return Ok(Place { addr: u64::from_str_radix(hex, 16).map_err(bad)?, size: 0, name: None });
    }
    let symbol = symbols(file).into_iter().find(|symbol| symbol.name == place);
    let unknown =
        || Failure { message: format!("no symbol '{place}' (addresses begin with 0x)"), code: FAILED };
    let place = symbol.map(|it| Place { addr: it.addr, size: it.size, name: Some(it.name) });
    place.ok_or_else(unknown)
}

/// The whole output. An error says why there is no machine code.
fn block_text(
    block: &IRBlock,
    code: &[u8],
    name: Option<&str>,
    options: &DumpOptions,
) -> Result<String, &'static str> {
    let request =
        Request { memory: Memory::Low, features: CpuFeatures::ALL, first_link: 0, listing: options.asm };
    let object = compile(block, &mut in_place(&block.ops), &request);
    let object = object.map_err(|_| "no machine code for the block at")?;
    let mut out = format!("block {:#x}", block.start_pc);
    out.push_str(&name.map_or(String::new(), |name| format!(" <{name}>")));
    let operations = block.ops.len() as u64 - block.cost() + 1;
    let _ = write!(out, ": {} guest instructions, {operations} operations", block.cost());
    if options.asm {
        let _ = write!(out, ", {} host instructions in {} bytes", object.instructions(), object.bytes.len());
    }
    out.push('\n');
    print(&mut out, block, &object, code, options);
    Ok(out)
}

fn print(out: &mut String, block: &IRBlock, object: &CodeObject, code: &[u8], options: &DumpOptions) {
    let parts = object.parts(&block.ops);
    let hot = |begun: u32| parts.iter().filter(move |part| !part.cold && part.begun == begun);
    hot(0).for_each(|part| lines(out, &part.lines));
    let mut begun = 0;
    let mut ops = block.ops.iter().peekable();
    while let Some(op) = ops.next() {
        if let IROp::Mark { pc } = *op {
            begun += 1;
            if options.guest {
                instruction(out, code, pc, block.start_pc);
            }
        } else if options.ir {
            let _ = writeln!(out, "{:12}{op}", "");
        }
        match ops.peek() {
            Some(IROp::Mark { .. }) => {}
            Some(_) => continue,
            None if options.ir => {
                let _ = writeln!(out, "{:12}{}", "", block.term);
            }
            None => {}
        }
        hot(begun).for_each(|part| lines(out, &part.lines));
    }
    if parts.iter().any(|part| part.cold) {
        out.push_str("cold:\n");
    }
    parts.iter().filter(|part| part.cold).for_each(|part| lines(out, &part.lines));
    if options.asm {
        for (number, link) in object.links.iter().enumerate() {
            let _ = writeln!(out, "link {number}: to {:#x}", link.target);
        }
    }
}

/// The guest instruction at `pc`, in the code of a block that begins at `start`.
pub fn instruction(out: &mut String, code: &[u8], pc: u64, start: u64) {
    let rest = code.get(pc.wrapping_sub(start) as usize..).unwrap_or_default();
    let mut bytes = [0; 4];
    let length = if rest.first().is_some_and(|low| low & 3 == 3) { 4 } else { 2 };
    bytes.iter_mut().zip(rest.iter().take(length)).for_each(|(byte, &from)| *byte = from);
    let word = u32::from_le_bytes(bytes);
    let _ = writeln!(
        out,
        "{pc:8x}:  {:8}  {}",
        format!("{word:0width$x}", width = length * 2),
        disassemble(word, pc)
    );
}

fn lines(out: &mut String, lines: &[Line]) {
    for line in lines {
        let _ = match line.at {
            Some(at) => writeln!(out, "{:20}{at:5x}  {}", "", line.text),
            None => writeln!(out, "{:20}{}", "", line.text),
        };
    }
}
