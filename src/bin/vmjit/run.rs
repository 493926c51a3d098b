//! `vmjit run`: runs a program as qemu-user would, passing everything through.

use crate::flags::{RunOptions, StatsForm};
use crate::{Failure, FAILED};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;
use vm_engine_jit::engine::{GaveUp, Stats};
use vm_engine_jit::linux::machine::die_by_signal;
use vm_engine_jit::mmu::Placement;
use vm_engine_jit::opt::region::NoRegion;
use vm_engine_jit::{Error, Machine, Status};

pub fn run(options: RunOptions) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let mut machine = build(&options)?;
    let argv0 = options.argv0.clone().unwrap_or_else(|| options.program.clone().into());
    let args: Vec<OsString> = std::iter::once(argv0).chain(options.args.iter().cloned()).collect();
    machine.load(&options.program, &args).map_err(|error| Failure::of_program(&options.program, &error))?;
    let status = machine.run()?;
    if let Some(form) = options.stats {
        print_stats(&machine, form, started.elapsed().as_secs_f64())?;
    }
    let pc = machine.state().pc;
    // The process ends here, and what it has ends with it: faster at once than piece by piece.
    std::mem::forget(machine);
    match status {
        // Statuses are 0-255.
        Status::Exited(code) => Ok(ExitCode::from(code.to_le_bytes()[0])),
        // The guest's output is out already; nothing of ours is buffered.
        Status::Signaled(signal) => die_by_signal(signal),
        Status::OutOfFuel => Err(Failure { message: format!("out of fuel at {pc:#x}"), code: FAILED }),
        Status::Interrupted => Err(Failure { message: "interrupted".to_string(), code: FAILED }),
    }
}

/// The machine that the options describe: in the low space if that is free, which makes accesses cheapest.
fn build(options: &RunOptions) -> Result<Machine, Error> {
    let describe = |placement| {
        let mut builder = Machine::builder()
            .placement(placement)
            .tier(options.tier)
            .strace(options.strace)
            .trace_regions(options.trace_regions)
            .without_passes(options.without)
            .background(!options.foreground)
            .timed(options.stats.is_some())
            .whole_process(same_command(options));
        if let Some(name) = &options.exec_name {
            builder = builder.exec_name(name);
        }
        if let Some(sysroot) = &options.sysroot {
            builder = builder.sysroot(sysroot);
        }
        for (name, value) in &options.env {
            builder = match value {
                Some(value) => builder.env(name, value),
                None => builder.env_remove(name),
            };
        }
        builder = options.fuel.into_iter().fold(builder, |builder, fuel| builder.fuel(fuel));
        builder = options.memory.into_iter().fold(builder, |builder, bytes| builder.memory_limit(bytes));
        builder = options.stack.into_iter().fold(builder, |builder, bytes| builder.stack_size(bytes));
        // More bytes than this process can address are as good as no limit.
        let code_cache = options.code_cache.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        builder = code_cache.into_iter().fold(builder, |builder, bytes| builder.code_cache(bytes));
        builder.build()
    };
    describe(Placement::Low).or_else(|_| describe(Placement::Based))
}

/// The command that runs another guest program as this one is run, up to the program: with what was said of the engine,
/// not with what was said of this program alone (its environment, its name, counts at its end).
fn same_command(options: &RunOptions) -> Vec<OsString> {
    let mut command: Vec<OsString> = vec!["vmjit".into(), "run".into()];
    let number = |value: Option<u64>| value.map(|value| value.to_string().into());
    let valued: [(&str, Option<OsString>); 6] = [
        ("--sysroot", options.sysroot.clone().map(Into::into)),
        ("--tier", options.tier_name.clone()),
        ("--fuel", number(options.fuel)),
        ("--memory", number(options.memory)),
        ("--stack", number(options.stack)),
        ("--code-cache", number(options.code_cache)),
    ];
    for (flag, value) in valued {
        command.extend(value.into_iter().flat_map(|value| [flag.into(), value]));
    }
    command.extend(options.without_names.iter().flat_map(|name| ["--without".into(), name.clone()]));
    let switches = [
        ("--strace", options.strace),
        ("--trace-regions", options.trace_regions),
        ("--foreground", options.foreground),
    ];
    command.extend(switches.into_iter().filter(|switch| switch.1).map(|(flag, _)| flag.into()));
    command
}

fn print_stats(machine: &Machine, form: StatsForm, seconds: f64) -> Result<(), Failure> {
    let stats = machine.stats();
    let unknown = machine.process().map(|process| process.unknown_calls().clone()).unwrap_or_default();
    let mips = stats.instructions as f64 / seconds / 1e6;
    let text = match form {
        StatsForm::Json => {
            let value = serde_json::json!({
                "seconds": seconds, "million_instructions_per_second": mips, "engine": stats,
                "unknown_system_calls": unknown,
            });
            format!("{value}\n")
        }
        StatsForm::Text => {
            let mut text = format!(
                "instructions     {}\nseconds          {seconds:.3}\nmillion/second   {mips:.1}\n\
                 blocks           {} translated ({} instructions), {} cached\ninvalidations    {}\n",
                stats.instructions,
                stats.blocks_translated,
                stats.instructions_translated,
                stats.blocks_cached,
                stats.invalidations
            );
            text.push_str(&tiers(&stats));
            for (number, count) in &unknown {
                text.push_str(&format!("unknown call     {number} ({count} times)\n"));
            }
            text
        }
    };
    std::io::stderr().write_all(text.as_bytes())?;
    Ok(())
}

/// A table of the tiers, and what was not compiled.
fn tiers(stats: &Stats) -> String {
    let mut text = String::new();
    if stats.o0.units + stats.o1.units + stats.o2.units > 0 {
        text.push_str(
            "tier      units  instructions  bytes  bytes/insn      ms  ns/insn  replaced  invalidated\n",
        );
    }
    let tiers = [("o0", &stats.o0), ("o1", &stats.o1), ("o2", &stats.o2)];
    for (name, tier) in tiers.iter().filter(|(_, tier)| tier.units > 0) {
        let each = |amount: u64| amount as f64 / tier.instructions.max(1) as f64;
        let _ = writeln!(
            text,
            "{name}   {:10} {:13} {:6} {:11.1} {:7.1} {:8.0} {:9} {:12}",
            tier.units,
            tier.instructions,
            tier.code_bytes,
            each(tier.code_bytes),
            tier.nanoseconds as f64 / 1e6,
            each(tier.nanoseconds),
            tier.replaced,
            tier.invalidated
        );
    }
    for (name, tier) in tiers {
        for why in GaveUp::ALL.iter().filter(|why| tier.gave_up.of(**why) > 0) {
            let _ = writeln!(text, "{name} gave up       {}: {}", why.name(), tier.gave_up.of(*why));
        }
    }
    if stats.recorded_blocks > 0 {
        let _ = writeln!(
            text,
            "regions          {} chosen in {:.1} ms, from {} blocks recorded",
            stats.regions_formed,
            stats.forming_nanoseconds as f64 / 1e6,
            stats.recorded_blocks
        );
    }
    for why in NoRegion::ALL.iter().filter(|why| stats.regions_refused.of(**why) > 0) {
        let _ = writeln!(text, "no region        {}: {}", why.name(), stats.regions_refused.of(*why));
    }
    if stats.longest_queue > 0 {
        let waited = stats.waiting_nanoseconds as f64 / 1e6;
        let _ = writeln!(text, "queue            {} at most, {waited:.1} ms waited", stats.longest_queue);
    }
    text
}
