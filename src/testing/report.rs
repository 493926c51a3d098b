//! Compares the engines with qemu on sequences, and makes what differs small enough to read.

use super::case::{After, Batch, Case};
use super::oracle::{self, End, Outcome, ENGINES};
use super::sequence::{listing, Sequence};
use crate::engine::Tier;
use crate::guest::riscv::disasm::F_NAMES;
use crate::guest::riscv::X_NAMES;
use std::fmt::Write;

/// Most differences that a report lists.
const SHOWN: usize = 16;

/// Runs the sequences on qemu and on every engine. Returns how many instructions the sequences took on each engine.
///
/// # Errors
/// A report on the first sequence for which an engine differs from qemu; `first` is the number of the first sequence
/// in the stream of `seed`.
pub fn compare(sequences: &[Sequence], seed: u64, first: u64) -> Result<u64, String> {
    let batch = Batch::new(&sequences.iter().map(Sequence::case).collect::<Vec<_>>());
    let expected = oracle::qemu(&batch.image);
    let mut executed = 0;
    for &(name, tier) in ENGINES {
        let (found, retired, _) = oracle::run(tier, &batch.image);
        if found != expected || expected.end != End::Exited(0) {
            return Err(locate(sequences, &expected, &found, (name, tier), (seed, first)));
        }
        executed = retired - batch.overhead;
    }
    Ok(executed)
}

/// Finds the sequence that differs and reports it.
fn locate(
    sequences: &[Sequence],
    expected: &Outcome,
    found: &Outcome,
    (name, tier): (&str, Tier),
    (seed, first): (u64, u64),
) -> String {
    let by_output = (0..sequences.len()).find(|&index| {
        let after = After::of(&expected.output, index);
        after.is_some() && after != After::of(&found.output, index)
    });
    let index =
        by_output.or_else(|| sequences.iter().position(|sequence| differs(&sequence.case(), tier).is_some()));
    let mut report = format!("{name} differs from qemu: VMJIT_SEED={seed}");
    let Some(index) = index else {
        let _ = write!(report, " from sequence {first}; qemu {:?}, {name} {:?}", expected.end, found.end);
        report.push_str("; no sequence differs alone");
        return report;
    };
    let _ = writeln!(report, " sequence {}", first + index as u64);
    let sequence = &sequences[index];
    if differs(&sequence.case(), tier).is_some() {
        let case = minimise(sequence, tier);
        describe(&mut report, &case, &differs(&case, tier).unwrap_or_default());
    } else {
        let (a, b) = (After::of(&expected.output, index), After::of(&found.output, index));
        let lines = a.zip(b).map(|(a, b)| differences(&a, &b)).unwrap_or_default();
        report.push_str("(not when it runs alone)\n");
        describe(&mut report, &sequence.case(), &lines);
    }
    report
}

/// Drops items one by one, from the last to the first, while the difference stays, until none can be dropped.
pub fn minimise(sequence: &Sequence, tier: Tier) -> Case {
    let mut dropped = vec![false; sequence.len()];
    loop {
        let before = dropped.clone();
        for index in (0..sequence.len()).rev().filter(|index| !before[*index]) {
            dropped[index] = true;
            if differs(&sequence.case_without(&dropped), tier).is_none() {
                dropped[index] = false;
            }
        }
        if dropped == before {
            return sequence.case_without(&dropped);
        }
    }
}

/// What an engine does differently from qemu on one case alone; `None` if nothing.
pub fn differs(case: &Case, tier: Tier) -> Option<Vec<String>> {
    let batch = Batch::new(std::slice::from_ref(case));
    let expected = oracle::qemu(&batch.image);
    let (found, _, trapped) = oracle::run(tier, &batch.image);
    if expected == found {
        return None;
    }
    let mut lines = Vec::new();
    if expected.end != found.end {
        lines.push(format!("qemu {:?}, engine {:?}", expected.end, found.end));
    }
    if let Some((pc, trap)) = trapped {
        lines.push(format!(
            "engine trapped {} bytes into the code: {trap}",
            pc.wrapping_sub(batch.starts[0]) as i64
        ));
    }
    if let Some((a, b)) = After::of(&expected.output, 0).zip(After::of(&found.output, 0)) {
        lines.extend(differences(&a, &b));
    }
    Some(lines)
}

/// The registers and bytes in which two results differ.
pub fn differences(qemu: &After, engine: &After) -> Vec<String> {
    let (a, b) = (&qemu.registers, &engine.registers);
    let mut lines = Vec::new();
    let mut line = |name: &str, a: u64, b: u64| {
        if a != b {
            lines.push(format!("{name}: qemu {a:#018x}, engine {b:#018x}"));
        }
    };
    for index in 0..32 {
        line(X_NAMES[index], a.x[index], b.x[index]);
        line(F_NAMES[index], a.f[index], b.f[index]);
    }
    line("fcsr", a.fcsr, b.fcsr);
    for (at, (a, b)) in qemu.scratch.iter().zip(&engine.scratch).enumerate().filter(|(_, (a, b))| a != b) {
        lines.push(format!("scratch+{at}: qemu {a:#04x}, engine {b:#04x}"));
    }
    lines
}

/// Code, operands, differences.
fn describe(report: &mut String, case: &Case, differences: &[String]) {
    let code = listing(&case.code, 0);
    for line in &code {
        let _ = writeln!(report, "    {line}");
    }
    // Only the registers that the text names; the code changes no others.
    let named =
        |name: &str| code.iter().any(|line| line.split([' ', ',', '(', ')']).any(|word| word == name));
    let registers = &case.input;
    let _ = writeln!(report, "  before: fcsr = {:#x}", registers.fcsr);
    for index in 0..32 {
        let pointer = case.pointers.iter().find(|(reg, _)| usize::from(*reg) == index);
        match pointer {
            _ if !named(X_NAMES[index]) => {}
            Some((_, delta)) => {
                let _ = writeln!(report, "    {} = scratch+{}", X_NAMES[index], super::case::CENTRE + delta);
            }
            None => {
                let _ = writeln!(report, "    {} = {:#x}", X_NAMES[index], registers.x[index]);
            }
        }
        if named(F_NAMES[index]) {
            let _ = writeln!(report, "    {} = {:#x}", F_NAMES[index], registers.f[index]);
        }
    }
    report.push_str("  after:\n");
    for line in differences.iter().take(SHOWN) {
        let _ = writeln!(report, "    {line}");
    }
    if differences.len() > SHOWN {
        let _ = writeln!(report, "    and {} more", differences.len() - SHOWN);
    }
}
