//! The listing of a block's code by guest instruction, for `vmjit dump` and the golden tests.

use super::x64::unit::{Origin, UnitObject};
use super::CodeObject;
use crate::base::state::{CpuState, HostSlots, STATE_BIAS};
use crate::base::{RegId, REGISTERS};
use crate::ir::text::register_name;
use crate::ir::IROp;
use std::mem::offset_of;
use std::ops::Range;

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Offset in the block's code; labels have none.
    pub at: Option<u32>,
    /// Its bytes.
    pub length: u32,
    /// The instruction or label, with names for what has no address of its own: fields of the state instead of
    /// offsets, and operations for the helper instead of pointers. So equal blocks have equal listings.
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
            let Some((at, length, text)) = instruction(text) else {
                labels.push(Line { at: None, length: 0, text: text.to_string() });
                continue;
            };
            while let Some(&(_, begun)) = marks.next_if(|(from, _)| *from <= at) {
                let cold = parts.last().is_some_and(|part| part.cold || part.begun >= begun);
                parts.push(Part { begun, cold, lines: Vec::new() });
            }
            let Some(part) = parts.last_mut() else { continue };
            part.lines.append(&mut labels);
            let text = name_field(&name_operation(text, ops));
            part.lines.push(Line { at: Some(at), length, text });
        }
        parts
    }

    /// Number of instructions in the listing.
    pub fn instructions(&self) -> usize {
        self.listing
            .lines()
            .filter(|line| instruction(line).is_some_and(|(_, _, text)| is_code(text)))
            .count()
    }
}

impl UnitObject {
    /// The instructions of what has an origin, by origin.
    pub fn lines(&self) -> Vec<(Origin, Vec<Line>)> {
        let all = self.listing.lines().filter_map(instruction);
        let all: Vec<Line> =
            all.map(|(at, length, text)| Line { at: Some(at), length, text: name_field(text) }).collect();
        let of = |(origin, range): &(Origin, Range<u32>)| {
            let lines = all.iter().filter(|line| line.at.is_some_and(|at| range.contains(&at)));
            (*origin, lines.cloned().collect())
        };
        self.origins.iter().map(of).collect()
    }
}

/// Offset, number of bytes and text of a line of the assembler's listing, if it has bytes: offset, bytes, two spaces,
/// text.
fn instruction(line: &str) -> Option<(u32, u32, &str)> {
    let (at, rest) = line.trim_start().split_once("  ")?;
    let at = u32::from_str_radix(at, 16).ok()?;
    let (bytes, text) = rest.split_once("  ")?;
    Some((at, bytes.split(' ').count() as u32, text.trim_start()))
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

/// Names of the fields of the state that generated code uses.
macro_rules! fields {
    ($($name:ident)*) => {
        &[
            (offset_of!(CpuState, pc), "pc"),
            (offset_of!(CpuState, fuel), "fuel"),
            (offset_of!(CpuState, fuel_base), "fuel_base"),
            (offset_of!(CpuState, reserved), "reserved"),
            (offset_of!(CpuState, reserved_addr), "reserved_addr"),
            (offset_of!(CpuState, reserved_value), "reserved_value"),
            (offset_of!(CpuState, fflags), "fflags"),
            (offset_of!(CpuState, frm), "frm"),
            $((offset_of!(CpuState, host) + offset_of!(HostSlots, $name), stringify!($name)),)*
        ]
    };
}

static FIELDS: &[(usize, &str)] = fields! {
    host_rsp jit_rsp stack_base stack_limit table fuel_left entry leave_thunk link_thunk miss_thunk fuel_thunk
    illegal_thunk breakpoint_thunk helper_thunk leave_routine helper_routine helper memory host_pc flag_table
    exit_value exit_code host_mxcsr guest_mxcsr
};

/// Puts the name of a field of the state, or of a register's slot, in place of its offset.
fn name_field(text: &str) -> String {
    let named = text.split_once("[rbp").and_then(|(before, rest)| {
        let (distance, after) = rest.split_once(']')?;
        let hex = |text: &str| i32::from_str_radix(text.strip_prefix("0x")?, 16).ok();
        let distance = match distance.split_at_checked(1) {
            None => 0,
            Some(("+", distance)) => hex(distance)?,
            Some(("-", distance)) => -hex(distance)?,
            Some(_) => return None,
        };
        let offset = usize::try_from(distance + STATE_BIAS).ok()?;
        Some(format!("{before}[rbp+{}]{after}", field(offset)?))
    });
    named.unwrap_or_else(|| text.to_string())
}

fn field(offset: usize) -> Option<String> {
    let slots = offset_of!(CpuState, regs);
    let (index, part) = (offset.checked_sub(slots)? / 8, (offset - slots) % 8);
    if index >= REGISTERS {
        return FIELDS.iter().find(|(at, _)| *at == offset).map(|(_, name)| name.to_string());
    }
    let name = register_name(RegId::try_from(index).ok()?);
    Some(if part == 0 { name } else { format!("{name}.{part}") })
}

/// For [`super::x64::compile`] when the code will not be run: "keeps" an operation where it stands in the block.
pub fn in_place(ops: &[IROp]) -> impl FnMut(IROp) -> u64 + '_ {
    |op| {
        ops.iter()
            .find(|known| **known == op)
            .map_or(0, |op| std::ptr::from_ref(op).expose_provenance() as u64)
    }
}
