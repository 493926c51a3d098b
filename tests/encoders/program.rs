//! Programs of labels and jumps, and an independent check that every jump lands on its label.
//!
//! The checker knows nothing of fixups. Behind each label stands a `mov` with the label's number, so the decoder sees
//! whether a jump landed where it should. The fuzz target `fixups` uses this file as well.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, OpKind, Register};
use std::collections::BTreeMap;
use vm_engine_jit::asm::x64::{Assembler, Cond, Mem, Size, RAX, RCX, RDX};
use vm_engine_jit::asm::Label;

/// One step of a random program. A label's number is taken modulo how many there are.
#[derive(Clone, Debug)]
pub enum Step {
    Jump(usize),
    Branch(usize, usize),
    Patchable(usize),
    PatchableBranch(usize, usize),
    Call(usize),
    /// Loads from the label.
    Load(usize),
    /// Loads a constant.
    Constant(u64),
    /// Room in bytes.
    Room(usize),
    Align(usize),
    /// Binds the next label that is not bound yet.
    Bind,
}

/// What the checker expects of an instruction at an offset.
#[derive(Debug, PartialEq)]
enum Expected {
    /// Jumps to this label.
    Target(usize),
    /// Loads from this label.
    Address(usize),
    /// Loads this constant.
    Constant(u64),
}

/// Marks the place of a label for the checker: `mov edx, number` follows it.
fn bind(asm: &mut Assembler, label: Label, number: usize) {
    asm.bind(label);
    asm.mov_ri32(RDX, u32::try_from(number).expect("a small number"));
}

/// Assembles the program; returns the code and what is expected at which offset.
fn assemble(steps: &[Step]) -> (Vec<u8>, BTreeMap<usize, Expected>, usize) {
    let mut asm = Assembler::new();
    let count = steps.iter().filter(|step| matches!(step, Step::Bind)).count() + 1;
    let labels: Vec<Label> = (0..count).map(|_| asm.new_label()).collect();
    let mut expected = BTreeMap::new();
    let mut bound = 0;
    for step in steps {
        let mut at = asm.offset();
        let (label, number) = match step {
            Step::Jump(n) | Step::Branch(_, n) | Step::Patchable(n) | Step::PatchableBranch(_, n) => {
                (labels[n % count], n % count)
            }
            Step::Call(n) | Step::Load(n) => (labels[n % count], n % count),
            _ => (labels[0], 0),
        };
        let what = match *step {
            Step::Load(_) => Some(Expected::Address(number)),
            Step::Constant(value) => Some(Expected::Constant(value)),
            Step::Room(_) | Step::Align(_) | Step::Bind => None,
            _ => Some(Expected::Target(number)),
        };
        match *step {
            Step::Jump(_) => asm.jmp(label),
            Step::Branch(cond, _) => asm.jcc(Cond::ALL[cond], label),
            Step::Patchable(_) => {
                let site = asm.jmp_patchable(label);
                assert_eq!(site.offset() % 4, 0);
                at = site.offset() - 1;
            }
            Step::PatchableBranch(cond, _) => {
                let site = asm.jcc_patchable(Cond::ALL[cond], label);
                assert_eq!(site.offset() % 4, 0);
                at = site.offset() - 2;
            }
            Step::Call(_) => asm.call(label),
            Step::Load(_) => asm.mov_rm(Size::S64, RAX, Mem::label(label)),
            Step::Constant(value) => {
                let constant = asm.constant64(value);
                asm.add_rm(Size::S64, RCX, Mem::label(constant));
            }
            Step::Room(length) => asm.nop(length),
            Step::Align(alignment) => {
                asm.align(alignment);
                assert_eq!(asm.offset() % alignment, 0);
            }
            Step::Bind => {
                bind(&mut asm, labels[bound], bound);
                bound += 1;
            }
        }
        if let Some(what) = what {
            expected.insert(at, what);
        }
    }
    bind(&mut asm, labels[bound], bound);
    let code = asm.finish().expect("all labels are bound, and nothing is far");
    let text_len = code.text_len();
    (code.into_bytes(), expected, text_len)
}

pub fn decode_at(code: &[u8], at: usize) -> Instruction {
    let ip = u64::try_from(at).expect("an offset");
    Decoder::with_ip(64, &code[at..], ip, DecoderOptions::NONE).decode()
}

/// The number of the label that is bound at this offset.
fn label_at(code: &[u8], at: u64) -> usize {
    let marker = decode_at(code, usize::try_from(at).expect("within the code"));
    assert_eq!(marker.op0_register(), Register::EDX, "no label at {at:#x}");
    usize::try_from(marker.immediate32()).expect("a small number")
}

/// Checks every jump and every relative address of the program.
///
/// # Panics
/// If one leads elsewhere.
pub fn check(steps: &[Step]) {
    let (code, mut expected, text_len) = assemble(steps);
    let mut at = 0;
    while at < text_len {
        let decoded = decode_at(&code, at);
        assert!(!decoded.is_invalid(), "at {at:#x}");
        let found = if decoded.op_count() > 0 && decoded.op0_kind() == OpKind::NearBranch64 {
            Some(Expected::Target(label_at(&code, decoded.near_branch_target())))
        } else if decoded.is_ip_rel_memory_operand() {
            let address = decoded.ip_rel_memory_address();
            let start = usize::try_from(address).expect("within the code");
            if start >= text_len {
                assert_eq!(start % 8, 0, "constants are aligned");
                let bytes = code[start..start + 8].try_into().expect("eight bytes");
                Some(Expected::Constant(u64::from_le_bytes(bytes)))
            } else {
                Some(Expected::Address(label_at(&code, address)))
            }
        } else {
            assert_eq!(decoded.flow_control(), FlowControl::Next);
            None
        };
        assert_eq!(found, expected.remove(&at), "at {at:#x}");
        at += decoded.len();
    }
    assert_eq!(at, text_len);
    assert!(expected.is_empty(), "not found: {expected:?}");
}

/// The program of the fuzz target `fixups`: each pair of bytes is a step.
pub fn check_bytes(data: &[u8]) {
    let step = |pair: &[u8]| {
        let number = usize::from(pair[1]);
        match pair[0] % 10 {
            0 => Step::Jump(number),
            1 => Step::Branch(usize::from(pair[0] / 16), number),
            2 => Step::Patchable(number),
            3 => Step::PatchableBranch(usize::from(pair[0] / 16), number),
            4 => Step::Call(number),
            5 => Step::Load(number),
            6 => Step::Constant(u64::from(pair[1])),
            7 => Step::Room(number),
            8 => Step::Align(1 << (number % 7)),
            _ => Step::Bind,
        }
    };
    check(&data.chunks_exact(2).map(step).collect::<Vec<Step>>());
}
