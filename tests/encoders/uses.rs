//! What the decoder says about the registers, memory and flags that an instruction uses, against the row's marks.
//!
//! The decoder knows more kinds of access than a row: a conditional access counts as an access, and a conditional
//! write as reading too, because the old value can survive. Where the two differ for a reason, [`check`] says so.

use super::oracle::Sample;
use iced_x86::{CpuidFeature, Instruction, InstructionInfoFactory, OpAccess, Register};
use std::collections::BTreeMap;
use vm_engine_jit::asm::x64::{Feature, Gpr, Inst, Kind, Mark, Reg, Row};

/// Read, written.
type Use = (bool, bool);

/// The decoder's access as reading and writing.
fn access(access: OpAccess) -> Use {
    match access {
        OpAccess::None | OpAccess::NoMemAccess => (false, false),
        OpAccess::Read | OpAccess::CondRead => (true, false),
        OpAccess::Write => (false, true),
        OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite => (true, true),
    }
}

fn mark(mark: Mark) -> Use {
    (mark.reads(), mark.writes())
}

/// Adds a use of a register.
fn add(uses: &mut BTreeMap<String, Use>, register: String, (read, write): Use) {
    let entry = uses.entry(register).or_default();
    *entry = (entry.0 | read, entry.1 | write);
}

/// The uses of registers according to the row.
fn ours(inst: &Inst) -> BTreeMap<String, Use> {
    let mut uses = BTreeMap::new();
    inst.visit_registers(&mut |register, how| {
        let name = match register {
            Reg::Gpr(register) => register.name(64).to_string(),
            Reg::Xmm(register) => format!("{register:?}"),
        };
        add(&mut uses, name, mark(how));
    });
    uses
}

/// The full register's name as the assembler prints it.
fn full_name(register: Register) -> String {
    let full = register.full_register();
    match full.is_gpr() {
        true => Gpr::ALL[full.number()].name(64).to_string(),
        false => format!("xmm{}", full.number()),
    }
}

/// True if the instruction has the same register twice, as in `xor eax, eax`. The decoder knows which of these give
/// a result that does not depend on the register and says that it is not read; a row says that it is.
fn is_idiom(decoded: &Instruction) -> bool {
    decoded.op_count() >= 2 && decoded.op0_register() != Register::None && {
        decoded.op0_register() == decoded.op1_register() || decoded.op1_register() == decoded.op2_register()
    }
}

/// The uses of registers according to the decoder.
fn theirs(decoded: &Instruction) -> BTreeMap<String, Use> {
    let mut factory = InstructionInfoFactory::new();
    let mut uses = BTreeMap::new();
    for used in factory.info(decoded).used_registers() {
        let register = used.register();
        if register.is_gpr() || register.is_vector_register() {
            add(&mut uses, full_name(register), access(used.access()));
        }
    }
    uses
}

/// The feature that the decoder says the instruction needs beyond the baseline (x86-64 with SSE2).
fn feature(decoded: &Instruction) -> Option<Feature> {
    decoded.cpuid_features().iter().find_map(|feature| match feature {
        CpuidFeature::FMA => Some(Feature::Fma),
        CpuidFeature::AVX => Some(Feature::Avx),
        CpuidFeature::CMPXCHG16B => Some(Feature::Cx16),
        CpuidFeature::SSE4_1 => Some(Feature::Sse41),
        CpuidFeature::MOVBE => Some(Feature::Movbe),
        CpuidFeature::POPCNT => Some(Feature::Popcnt),
        CpuidFeature::BMI1 => Some(Feature::Bmi1),
        CpuidFeature::BMI2 => Some(Feature::Bmi2),
        CpuidFeature::LZCNT => Some(Feature::Lzcnt),
        CpuidFeature::INTEL8086 | CpuidFeature::INTEL186 | CpuidFeature::INTEL286 => None,
        CpuidFeature::INTEL386 | CpuidFeature::INTEL486 | CpuidFeature::X64 | CpuidFeature::CMOV => None,
        CpuidFeature::SSE | CpuidFeature::SSE2 | CpuidFeature::TSC | CpuidFeature::PAUSE => None,
        // A no-operation on processors without it.
        CpuidFeature::CET_IBT => None,
        other => panic!("the features have no {other:?}"),
    })
}

/// Checks the marks of the row against what the decoder says of one of its instructions.
pub fn check(row: &Row, inst: &Inst, sample: &Sample, decoded: &Instruction) {
    let context = format!("{}: {}", row.name, sample.text);
    assert_eq!(row.feature, feature(decoded), "feature of {context}");
    if is_idiom(decoded) {
        return;
    }
    check_operands(row, decoded, &context);
    assert_eq!(ours(inst), theirs(decoded), "registers of {context}");
    let theirs = (decoded.rflags_read() != 0, decoded.rflags_modified() != 0);
    // A constant count of 0 shifts nothing and leaves the flags; the row says what counts in general do.
    if row.operands.last().is_some_and(|last| last.name == "count") && theirs == (false, false) {
        return;
    }
    assert_eq!(inst.flags().map_or((false, false), mark), theirs, "flags of {context}");
}

/// Checks the marks of operands one by one.
fn check_operands(row: &Row, decoded: &Instruction, context: &str) {
    let mut factory = InstructionInfoFactory::new();
    let info = factory.info(decoded);
    let operands = row.operands.iter().filter(|operand| operand.kind != Kind::Cc);
    for (n, operand) in (0..).zip(operands) {
        assert_eq!(mark(operand.mark), access(info.op_access(n)), "operand {} of {context}", operand.name);
    }
}
