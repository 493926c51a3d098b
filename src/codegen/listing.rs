//! The listing of a block's code by guest instruction, for `vmjit dump` and the golden tests.

use super::CodeObject;
use crate::ir::IROp;

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Offset in the block's code; labels have none.
    pub at: Option<u32>,
    /// The instruction or label. Where it names an operation for the helper, the operation stands in place of its
    /// address, so that equal blocks have equal listings.
    pub text: String,
}

/// Consecutive code of one guest instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Guest instructions of the block that were begun: 0 for the block's entry.
    pub begun: u32,
    /// Whether the code lies behind the block and is rarely run.
    pub cold: bool,
    pub lines: Vec<Line>,
}

impl CodeObject {
    /// The listing, cut where the code of another guest instruction begins. `ops` are those that it was compiled from.
    pub fn parts(&self, ops: &[IROp]) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut marks = self.marks.iter().peekable();
        let mut labels = Vec::new();
        for text in self.listing.lines() {
            let Some((at, text)) = instruction(text) else {
                labels.push(Line { at: None, text: text.to_string() });
                continue;
            };
            while let Some(&(_, begun)) = marks.next_if(|(from, _)| *from <= at) {
                let cold = parts.last().is_some_and(|part| part.cold || part.begun >= begun);
                parts.push(Part { begun, cold, lines: Vec::new() });
            }
            let Some(part) = parts.last_mut() else { continue };
            part.lines.append(&mut labels);
            part.lines.push(Line { at: Some(at), text: name_operation(text, ops) });
        }
        parts
    }

    /// Number of instructions in the listing.
    pub fn instructions(&self) -> usize {
        self.listing.lines().filter(|line| instruction(line).is_some_and(|(_, text)| is_code(text))).count()
    }
}

/// Offset and text of a line of the assembler's listing, if it has bytes: offset, bytes, two spaces, text.
fn instruction(line: &str) -> Option<(u32, &str)> {
    let (at, rest) = line.trim_start().split_once("  ")?;
    let at = u32::from_str_radix(at, 16).ok()?;
    let text = rest.split_once("  ")?.1;
    Some((at, text.trim_start()))
}

/// Whether a line is an instruction and no constant.
fn is_code(text: &str) -> bool {
    !text.starts_with(';')
}

/// Puts the operation in place of its address.
fn name_operation(text: &str, ops: &[IROp]) -> String {
    let value = text.strip_prefix("mov rax, 0x").and_then(|hex| usize::from_str_radix(hex, 16).ok());
    match ops.iter().find(|op| Some(std::ptr::from_ref(*op).addr()) == value) {
        Some(op) => format!("mov rax, <{op}>"),
        None => text.to_string(),
    }
}
