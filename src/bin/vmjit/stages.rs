//! `vmjit dump --tier`: the regions that become of a place in a program, through all stages. What becomes a region is found by
//! running the program, so that is what this does first.

use crate::dump::{instruction, locate};
use crate::flags::DumpOptions;
use crate::{Failure, CANNOT_RUN};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use vm_engine_jit::engine::report::RegionReport;
use vm_engine_jit::mmu::Placement;
use vm_engine_jit::{Error, Machine, SoftMmu, Tier};

pub fn dump(options: &DumpOptions, tier: Tier) -> Result<ExitCode, Failure> {
    let failed = |error: Error| Failure::of_program(&options.program, &error);
    let file = File::open(&options.program)
        .map_err(|source| failed(Error::File { path: options.program.clone(), source }))?;
    let place = match options.place.as_str() {
        "all" => None,
        place => Some(locate(&file, place)?),
    };
    let regions: Arc<Mutex<Vec<RegionReport>>> = Arc::default();
    let to = Arc::clone(&regions);
    let mut builder = Machine::builder().placement(Placement::Based).tier(tier).on_region(move |region| {
        to.lock().unwrap_or_else(PoisonError::into_inner).push(region.clone());
    });
    if let Some(sysroot) = &options.sysroot {
        builder = builder.sysroot(sysroot);
    }
    builder = options.fuel.into_iter().fold(builder, |builder, fuel| builder.fuel(fuel));
    let mut machine = builder.build()?;
    let program = options.program.clone().into();
    let args: Vec<OsString> = std::iter::once(program).chain(options.args.iter().cloned()).collect();
    machine.load(&options.program, &args).map_err(failed)?;
    machine.run()?;
    let bias = machine.process().map_or(0, |process| process.bias());
    let regions = regions.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = regions.iter().filter(|region| {
        place.as_ref().is_none_or(|place| {
            let from = place.addr.wrapping_add(bias);
            region.touches(from, from.saturating_add(place.size.max(1)))
        })
    });
    let mut text = String::new();
    wanted.for_each(|region| print(&mut text, region, machine.memory(), bias, options));
    if text.is_empty() {
        let message = format!(
            "{}: no region has code at '{}': it did not run often enough",
            options.program.display(),
            options.place
        );
        return Err(Failure { message, code: CANNOT_RUN });
    }
    match std::io::stdout().write_all(text.as_bytes()) {
        // A reader that has seen enough (`| head`) is no failure.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => Ok(written.map(|()| ExitCode::SUCCESS)?),
    }
}

fn print(text: &mut String, region: &RegionReport, memory: &SoftMmu, bias: u64, options: &DumpOptions) {
    let _ = writeln!(text, "region at {:#x}, {} blocks", region.head.wrapping_sub(bias), region.blocks.len());
    if options.guest {
        for &(from, to) in &region.blocks {
            let _ = writeln!(text, "block {:#x}", from.wrapping_sub(bias));
            guest_code(text, memory, from, to, bias);
        }
    }
    if options.ir {
        text.push_str(&region.forms);
    }
    if options.asm {
        text.push_str("code\n");
        text.push_str(&region.code);
    }
}

/// The instructions of a block; its end may be some bytes behind that of the last one.
fn guest_code(text: &mut String, memory: &SoftMmu, from: u64, to: u64, bias: u64) {
    let mut code = vec![0; to.wrapping_sub(from) as usize];
    if memory.read(from, &mut code).is_err() {
        // It was unmapped since.
        return;
    }
    let (mut at, start) = (0, from.wrapping_sub(bias));
    while at + 4 <= code.len() {
        let length = if code[at] & 3 == 3 { 4 } else { 2 };
        instruction(text, &code, start + at as u64, start);
        at += length;
    }
}
