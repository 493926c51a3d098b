//! The public interface as the project's founding document shows it ("ML-guided JIT optimisation"): its examples line
//! by line, as far as what they use is there. What is not there yet is listed in [`MISSING`] and nowhere else.

// The document's other crates are this one.
extern crate vm_engine_jit as vm_core;
extern crate vm_engine_jit as vm_ir;
extern crate vm_engine_jit as vm_mem;

use std::fs;
use std::path::Path;
use vm_engine_jit::{Access, Error, ExecStatus, Fault, IROp, Terminator, Trap};

/// A section of the document, the names of its examples that do not exist yet, and what will bring them.
struct Missing {
    section: &'static str,
    names: &'static [&'static str],
    issue: &'static str,
}

/// Everything that the document promises and this version lacks. A name that appears in the crate must leave the list
/// (a test sees to that), and the example that uses it must come into this file.
const MISSING: &[Missing] = &[
    Missing {
        section: "Enabling guidance",
        names: &["enable_ml_guidance", "enable_pgo"],
        issue: "guidance issue",
    },
    Missing {
        section: "Compilation decisions",
        names: &["CompilationDecision", "get_ml_decision"],
        issue: "guidance issue",
    },
    Missing { section: "Training samples", names: &["record_ml_sample"], issue: "guidance issue" },
    Missing {
        section: "Performance report",
        names: &["get_ml_performance_report", "PerformanceReport"],
        issue: "guidance issue",
    },
    Missing {
        section: "Using a model directly",
        names: &["ml_model", "MLModel", "LinearRegressionModel", "FeatureExtractor", "ExecutionFeatures"],
        issue: "guidance issue",
    },
    Missing { section: "Online learner", names: &["OnlineLearner", "add_sample"], issue: "guidance issue" },
    Missing {
        section: "Validation of performance",
        names: &["PerformanceValidator", "record_baseline", "record_optimized", "get_performance_report"],
        issue: "guidance issue",
    },
    Missing {
        section: "Features from blocks and profiles",
        names: &["extract_from_ir_block", "extract_from_pgo_profile", "pgo", "ProfileData"],
        issue: "guidance issue",
    },
];

/// Section "Getting a decision": the engine and the empty block.
#[test]
#[rustfmt::skip] // the lines are the document's
fn decision_example() -> Result<(), Error> {
    use vm_core::ExecutionEngine;
    use vm_engine_jit::{IRBlock, Jit};
    use vm_mem::SoftMmu;

    let mut jit = Jit::new();

    let block = IRBlock {
        start_pc: 0x1000,
        ops: vec![],
        term: Terminator::Return,
    };

    let mut mmu = SoftMmu::new(4096, false);
    let result = jit.run(&mut mmu, &block)?;
    assert_eq!((result.status, result.next_pc, result.fuel_used), (ExecStatus::Returned, 0x1000, 1));
    Ok(())
}

/// Section "Features from IR blocks": the block that loads, adds and stores, and what it does when it is run.
#[test]
fn extraction_example() -> Result<(), Error> {
    use vm_core::ExecutionEngine;
    use vm_engine_jit::IRBlock;
    use vm_engine_jit::{Jit, SoftMmu};

    let block = IRBlock {
        start_pc: 0x1000,
        ops: vec![
            IROp::Load { dst: 1, base: 2, offset: 0 },
            IROp::Add { dst: 1, src1: 1, src2: 3 },
            IROp::Store { src: 1, base: 2, offset: 4 },
        ],
        term: Terminator::Return,
    };

    let mut mmu = SoftMmu::new(64 * 1024, false);
    let mut jit = Jit::new();
    for (loaded, added, sum) in [(40, 2, 42), (u64::MAX, 1, 0), (1 << 63, 1 << 62, 3 << 62)] {
        mmu.write(0x8000, &u64::to_le_bytes(loaded)).unwrap();
        jit.set_reg(2, 0x8000);
        jit.set_reg(3, added);
        let result = jit.run(&mut mmu, &block)?;
        assert_eq!((result.status, result.fuel_used), (ExecStatus::Returned, 4));
        assert_eq!((jit.get_reg(1), mmu.read_u64(0x8004)), (sum, Ok(sum)));
        assert_eq!(
            mmu.read_u32(0x8000),
            Ok(loaded.to_le_bytes()[..4].try_into().map(u32::from_le_bytes).unwrap())
        );
    }

    // The same block where there is no memory: the fault names the operation and nothing else has happened.
    jit.set_reg(1, 7);
    jit.set_reg(2, 0x10_0000);
    let result = jit.run(&mut mmu, &block)?;
    let fault = Fault { addr: 0x10_0000, access: Access::Load, mapped: false, beyond_file: false };
    assert_eq!(result.status, ExecStatus::Trap(Trap::Memory(fault)));
    assert_eq!(jit.get_reg(1), 7);
    Ok(())
}

/// Section "Complete workflow".
#[test]
#[rustfmt::skip] // the lines are the document's
fn workflow_example() -> Result<(), Box<dyn std::error::Error>> {
    use vm_core::ExecutionEngine;
    use vm_engine_jit::Jit;
    use vm_ir::IRBlock;
    use vm_mem::SoftMmu;

    let mut jit = Jit::new();

    let mut mmu = SoftMmu::new(1024 * 1024 * 1024, false);

    let block = IRBlock {
        start_pc: 0x1000,
        ops: vec![],
        term: Terminator::Return,
    };

    let start_time = std::time::Instant::now();
    let result = jit.run(&mut mmu, &block)?;
    let execution_time = start_time.elapsed().as_secs_f64();
    let performance = 1.0 / execution_time;

    assert_eq!(result.status, ExecStatus::Returned);
    assert!(performance > 0.0);
    // The whole of the memory is there, to its last byte and no further.
    let last = 1024 * 1024 * 1024 - 8;
    mmu.write(last, &[0xff; 8]).unwrap();
    assert_eq!(mmu.read_u64(last), Ok(u64::MAX));
    assert!(mmu.write(last + 1, &[0; 8]).is_err());
    Ok(())
}

/// The engine can be used behind its trait, and a block that breaks a rule is refused and not run.
#[test]
fn engine_refuses_bad_blocks() {
    use vm_engine_jit::{ExecutionEngine, IRBlock, Jit, SoftMmu};

    let mut engine: Box<dyn ExecutionEngine> = Box::new(Jit::new());
    let mut mmu = SoftMmu::new(4096, false);
    let block = IRBlock {
        start_pc: 0x1000,
        ops: vec![IROp::Add { dst: 1, src1: 2, src2: 64 }],
        term: Terminator::Return,
    };
    engine.set_reg(1, 5);
    assert!(matches!(engine.run(&mut mmu, &block), Err(Error::InvalidBlock { op: 0, .. })));
    assert_eq!(engine.get_reg(1), 5);
}

/// The list of what is missing names nothing that is there.
#[test]
fn missing_names_are_missing() {
    let mut code = String::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    let defined = |name: &str| {
        let kinds = ["fn", "struct", "enum", "trait", "mod", "type"];
        kinds.iter().any(|kind| {
            code.match_indices(&format!("pub {kind} {name}")).any(|(at, found)| {
                !code[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
            })
        })
    };
    assert!(defined("Jit") && defined("read_u64") && defined("mmu"), "the search finds what exists");
    for missing in MISSING {
        for name in missing.names {
            assert!(
                !defined(name),
                "{name} exists now: take it out of MISSING ({}, {}) and add its example",
                missing.section,
                missing.issue
            );
        }
    }
}

/// Appends the Rust files below a folder.
fn collect(folder: &Path, code: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, code);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            code.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
