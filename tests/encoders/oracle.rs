//! What an outside decoder (iced-x86) says about bytes, brought into the form of the assembler's own text.
//!
//! This is the one place where the two are made comparable. The decoder's formatter is set to the conventions of
//! the assembler (see [`formatter`]), and labels are given to it as symbols. No text is rewritten afterwards. The fuzz
//! target `x64_text` uses this file as well.

use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter};
use iced_x86::{MemorySizeOptions, OpKind, SymbolResolver, SymbolResult};
use vm_engine_jit::asm::x64::{sample, Assembler, Inst, Row, ROWS};
use vm_engine_jit::asm::Label;

/// Where a label is, for the formatter.
struct Labels {
    label: Label,
    at: u64,
}

impl SymbolResolver for Labels {
    fn symbol(
        &mut self,
        instruction: &Instruction,
        _operand: u32,
        instruction_operand: Option<u32>,
        _address: u64,
        _size: u32,
    ) -> Option<SymbolResult<'_>> {
        let place = match instruction.op_kind(instruction_operand?) {
            OpKind::NearBranch64 => true,
            OpKind::Memory => instruction.is_ip_rel_memory_operand(),
            _ => false,
        };
        place.then(|| SymbolResult::with_string(self.at, self.label.to_string()))
    }
}

/// A formatter with the conventions of `asm/x64/text.rs`.
fn formatter(label: Label, at: u64) -> IntelFormatter {
    let mut formatter = IntelFormatter::with_options(Some(Box::new(Labels { label, at })), None);
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_uppercase_hex(false);
    options.set_small_hex_numbers_in_decimal(false);
    options.set_space_after_operand_separator(true);
    options.set_signed_immediate_operands(true);
    options.set_memory_size_options(MemorySizeOptions::Always);
    options.set_always_show_scale(true);
    options.set_rip_relative_addresses(true);
    options.set_use_pseudo_ops(false);
    options.set_show_branch_size(false);
    options.set_branch_leading_zeros(false);
    options.set_leading_zeros(false);
    formatter
}

/// An instruction as it was assembled.
pub struct Sample {
    pub bytes: Vec<u8>,
    pub text: String,
    pub label: Label,
}

/// Room before the instruction, so that its label is not at 0 and not at its own start.
const BEFORE: usize = 5;

/// Assembles the instruction that `make` returns, which may refer to the label.
pub fn assemble(make: impl FnOnce(Label) -> Inst) -> (Inst, Sample) {
    let mut asm = Assembler::with_listing();
    asm.nop(BEFORE - 2);
    let label = asm.here();
    asm.nop(2);
    let inst = make(label);
    asm.replay(&inst);
    let code = asm.finish().expect("the label is bound and near");
    let listing = code.listing();
    let (at, bytes, text) = listing.lines().last().expect("there is an instruction");
    assert_eq!(at, BEFORE);
    (inst, Sample { bytes: bytes.to_vec(), text: text.to_string(), label })
}

/// The decoder's view of the sample.
pub fn decode(sample: &Sample) -> (Instruction, String) {
    let mut decoder = Decoder::with_ip(64, &sample.bytes, BEFORE as u64, DecoderOptions::NONE);
    let instruction = decoder.decode();
    let mut text = String::new();
    formatter(sample.label, BEFORE as u64 - 2).format(&instruction, &mut text);
    (instruction, text)
}

/// Assembles the instruction, and checks that the decoder reads the same back.
///
/// # Panics
/// If it does not.
pub fn check_text(row: &Row, make: impl FnOnce(Label) -> Inst) -> (Inst, Sample, Instruction) {
    let (inst, sample) = assemble(make);
    let (instruction, text) = decode(&sample);
    let hex: Vec<String> = sample.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sample.text, text, "{} {}: ours is left, the decoder's right", row.name, hex.join(" "));
    assert_eq!(instruction.len(), sample.bytes.len(), "{} {}: length of {text}", row.name, hex.join(" "));
    (inst, sample, instruction)
}

/// The oracle of the fuzz target `x64_text`: the bytes choose a row and its operands; what is missing is 0.
///
/// # Panics
/// If the decoder does not read back what was assembled.
pub fn check_bytes(data: &[u8]) {
    let mut chunks = data.chunks(8);
    let mut next = || {
        let mut bytes = [0; 8];
        let chunk = chunks.next().unwrap_or_default();
        bytes[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(bytes)
    };
    let row = &ROWS[usize::try_from(next() >> 40).expect("24 bits") % ROWS.len()];
    check_text(row, |label| sample::random(row, label, &mut next));
}

/// Assembles `count` random instructions of random rows one after the other, and checks that the decoder finds the
/// same instructions at the same places.
///
/// # Panics
/// If it does not.
pub fn check_sequence(random: &mut dyn FnMut() -> u64, count: usize) {
    let mut asm = Assembler::with_listing();
    asm.nop(2);
    let label = asm.here();
    for _ in 0..count {
        let row = &ROWS[usize::try_from(random() >> 40).expect("24 bits") % ROWS.len()];
        // A byte of displacement would not reach over the whole sequence.
        if !row.opcode.ends_with("cb") {
            asm.replay(&sample::random(row, label, random));
        }
    }
    let code = asm.finish().expect("the label is bound and near");
    let listing = code.listing();
    let mut decoder = Decoder::with_ip(64, code.bytes(), 0, DecoderOptions::NONE);
    let mut formatter = formatter(label, 2);
    for (at, bytes, text) in listing.lines().skip(2) {
        decoder.set_position(at).expect("within the code");
        decoder.set_ip(u64::try_from(at).expect("an offset"));
        let decoded = decoder.decode();
        let mut theirs = String::new();
        formatter.format(&decoded, &mut theirs);
        assert_eq!((text, bytes.len()), (theirs.as_str(), decoded.len()), "at {at:#x}: {bytes:02x?}");
    }
}
