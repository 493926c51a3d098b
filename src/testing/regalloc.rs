//! Random functions on imaginary machines for the register allocator, and what must hold for its results.

use super::fuzz::Choices;
use crate::regalloc::check::check;
use crate::regalloc::moves::Sequencer;
use crate::regalloc::{
    Allocator, Block, Edge, Function, Instruction, Location, Move, Operand, OperandKind, Register,
    RegisterSet, Target, Value,
};
use std::collections::BTreeMap;
use std::ops::Range;

/// Slots below this are homes.
const HOMES: u16 = 6;
/// Numbers of registers of both classes.
const MACHINES: &[(u8, u8)] = &[(2, 0), (2, 1), (3, 2), (5, 3), (12, 14), (0, 2), (4, 4)];
/// Number of the scratch register of each class.
const SCRATCH: u8 = 31;

/// A machine with some registers of each class.
pub fn machine(integer: u8, float: u8) -> Target {
    let registers = |class, count| (0..count).map(|number| Register { class, number }).collect();
    Target {
        allocatable: [registers(0, integer), registers(1, float)],
        scratch: [0, 1].map(|class| Register { class, number: SCRATCH }),
        free_slots: HOMES..10_000,
    }
}

/// A value with its class, and the block and instruction that define it (a parameter: before the first).
#[derive(Clone, Copy)]
struct Defined {
    value: Value,
    block: usize,
    instruction: usize,
}

/// An instruction in the making.
#[derive(Default)]
struct Draft {
    operands: Vec<Operand>,
    clobbers: RegisterSet,
}

/// A block in the making.
#[derive(Default)]
struct DraftBlock {
    instructions: Vec<Draft>,
    params: Vec<Value>,
    succs: Vec<usize>,
    /// Blocks on every way to this one.
    dominators: Vec<bool>,
}

struct Generator<'a, 'b> {
    choices: &'a mut Choices<'b>,
    target: &'a Target,
    function: Function,
    blocks: Vec<DraftBlock>,
    defined: Vec<Defined>,
}

/// A valid function made from bytes: any control flow, irreducible loops and several entries included.
pub(super) fn function(choices: &mut Choices<'_>, target: &Target) -> Function {
    let mut generator =
        Generator { choices, target, function: Function::default(), blocks: Vec::new(), defined: Vec::new() };
    generator.graph();
    generator.definitions();
    generator.uses();
    generator.finish()
}

impl Generator<'_, '_> {
    fn below(&mut self, count: usize) -> usize {
        usize::from(self.choices.byte()) % count
    }

    /// Blocks, edges and dominators.
    fn graph(&mut self) {
        let count = 1 + self.below(16);
        let straight = self.below(3);
        for block in 0..count {
            let mut draft = DraftBlock::default();
            if block + 1 < count && self.below(4) != 0 {
                draft.succs.push(block + 1);
            }
            for _ in 0..self.below(3) {
                // Edges backwards are as likely as forwards; none leads to the first block.
                if count > 1 && self.below(2 + straight) == 0 {
                    draft.succs.push(1 + self.below(count - 1));
                }
            }
            self.blocks.push(draft);
        }
        let preds = |block: usize, blocks: &[DraftBlock]| -> Vec<usize> {
            (0..count).filter(|&pred| blocks[pred].succs.contains(&block)).collect()
        };
        self.blocks.iter_mut().for_each(|block| block.dominators = vec![true; count]);
        for _ in 0..count + 1 {
            for block in 0..count {
                let preds = preds(block, &self.blocks);
                for other in (0..count).filter(|&other| other != block) {
                    let all = preds.iter().all(|&pred| self.blocks[pred].dominators[other]);
                    self.blocks[block].dominators[other] = all && !preds.is_empty();
                }
            }
        }
    }

    fn value(&mut self) -> Value {
        let mut class = u8::from(self.below(4) == 0);
        if self.target.allocatable[0].is_empty() {
            class = u8::from(self.below(4) != 0);
        }
        let value = self.function.value(class);
        let index = value.0 as usize;
        if self.below(2) == 0 {
            self.function.homes[index] = Some(self.below(HOMES.into()) as u16);
        }
        if self.below(4) == 0 {
            self.function.hints[index] = Some(Register { class, number: self.below(4) as u8 });
        }
        value
    }

    /// Instructions with what they define and destroy, and parameters that every edge has an argument for.
    fn definitions(&mut self) {
        for block in 0..self.blocks.len() {
            let entry = !self.blocks.iter().any(|pred| pred.succs.contains(&block));
            for instruction in 0..1 + self.below(10) {
                let mut draft = Draft::default();
                let fixed = entry && instruction == 0 || self.below(16) == 0;
                for _ in 0..if fixed { self.below(8) } else { self.below(8) / 4 + self.below(2) } {
                    let value = self.value();
                    let kind = if fixed { self.fixed(value, &draft.operands) } else { OperandKind::Def };
                    draft.operands.push(Operand { value, kind });
                    self.defined.push(Defined { value, block, instruction });
                }
                if self.below(8) == 0 {
                    let number = |choices: &mut Choices<'_>| choices.byte() % 8;
                    for _ in 0..self.below(24) {
                        let class = self.choices.byte() & 1;
                        let number = number(self.choices);
                        draft.clobbers.insert(Register { class, number });
                    }
                }
                self.blocks[block].instructions.push(draft);
            }
        }
        for block in 1..self.blocks.len() {
            let preds: Vec<usize> =
                (0..self.blocks.len()).filter(|&pred| self.blocks[pred].succs.contains(&block)).collect();
            if preds.is_empty() {
                continue;
            }
            for _ in 0..self.below(4) {
                let value = self.value();
                if preds.iter().all(|&pred| !self.available(pred, usize::MAX, Some(value)).is_empty()) {
                    self.blocks[block].params.push(value);
                }
            }
        }
        let blocks = self.blocks.iter().enumerate();
        let params = blocks.flat_map(|(block, draft)| draft.params.iter().map(move |&value| (block, value)));
        self.defined.extend(params.map(|(block, value)| Defined { value, block, instruction: 0 }));
    }

    /// A place to arrive at that is not taken by others of the instruction; `Def` if the first choice is.
    fn fixed(&mut self, value: Value, others: &[Operand]) -> OperandKind {
        let class = self.function.classes[value.0 as usize];
        let number = self.below(6);
        let location = match self.below(2) {
            0 => Location::Slot(number as u16),
            _ => Location::Register(Register { class, number: number as u8 }),
        };
        if others.iter().any(|other| other.kind == OperandKind::DefAt(location)) {
            return OperandKind::Def;
        }
        if let (Location::Slot(slot), true) = (location, self.below(4) != 0) {
            self.function.homes[value.0 as usize] = Some(slot);
        }
        OperandKind::DefAt(location)
    }

    /// Values that are defined on every way to an instruction; only those of the class of `like`, if any.
    fn available(&self, block: usize, instruction: usize, like: Option<Value>) -> Vec<Value> {
        let params = &self.blocks[block].params;
        let reaches = |one: &&Defined| {
            let here = one.block == block && (one.instruction < instruction || params.contains(&one.value));
            here || one.block != block && self.blocks[block].dominators[one.block]
        };
        let class = |value: Value| self.function.classes[value.0 as usize];
        let apt = |value: &Value| like.is_none_or(|like| class(like) == class(*value));
        self.defined.iter().filter(reaches).map(|one| one.value).filter(apt).collect()
    }

    fn uses(&mut self) {
        for block in 0..self.blocks.len() {
            for instruction in 0..self.blocks[block].instructions.len() {
                let available = self.available(block, instruction, None);
                if available.is_empty() {
                    continue;
                }
                let mut operands = Vec::new();
                for _ in 0..self.below(4) {
                    let value = available[self.below(available.len())];
                    let kind = if self.below(4) == 0 { OperandKind::UseAny } else { OperandKind::Use };
                    operands.push(Operand { value, kind });
                }
                self.blocks[block].instructions[instruction].operands.splice(0..0, operands);
            }
        }
    }

    fn finish(mut self) -> Function {
        let blocks = std::mem::take(&mut self.blocks);
        for block in &blocks {
            let first = self.function.instructions.len() as u32;
            for draft in &block.instructions {
                let operands = append(&mut self.function.operands, draft.operands.iter().copied());
                self.function.instructions.push(Instruction { operands, clobbers: draft.clobbers });
            }
            let instructions = first..self.function.instructions.len() as u32;
            let params = append(&mut self.function.lists, block.params.iter().copied());
            let frequency = [1, 1, 10, 100][self.below(4)];
            self.function.blocks.push(Block { instructions, params, edges: 0..0, frequency });
        }
        self.blocks = blocks;
        for block in 0..self.blocks.len() {
            let first = self.function.edges.len() as u32;
            for to in self.blocks[block].succs.clone() {
                let mut args = Vec::new();
                for param in self.blocks[to].params.clone() {
                    let available = self.available(block, usize::MAX, Some(param));
                    args.push(available[self.below(available.len())]);
                }
                let args = append(&mut self.function.lists, args.into_iter());
                self.function.edges.push(Edge { to: to as u32, args });
            }
            self.function.blocks[block].edges = first..self.function.edges.len() as u32;
        }
        self.function
    }
}

fn append<T>(list: &mut Vec<T>, items: impl Iterator<Item = T>) -> Range<u32> {
    let first = list.len() as u32;
    list.extend(items);
    first..list.len() as u32
}

/// Functions on several machines: the checker accepts what the allocator makes, and it makes the same again.
pub fn allocate(data: &[u8]) {
    let mut choices = Choices(data);
    let mut allocator = Allocator::new();
    while !choices.0.is_empty() {
        let (integer, float) = MACHINES[usize::from(choices.byte()) % MACHINES.len()];
        let target = machine(integer, float);
        let function = function(&mut choices, &target);
        let Ok(allocation) = allocator.allocate(&function, &target).cloned() else {
            panic!("too few slots: {function:?}");
        };
        if let Err(flaw) = check(&function, &target, &allocation) {
            panic!("{flaw:?}\n{}", show(&function, &allocation));
        }
        assert_eq!(Allocator::new().allocate(&function, &target), Ok(&allocation));
    }
}

/// A function and its allocation as text.
pub fn show(function: &Function, allocation: &crate::regalloc::Allocation) -> String {
    use crate::regalloc::Point;
    use std::fmt::Write;
    let mut text = String::new();
    let edits = |text: &mut String, point| {
        for edit in allocation.edits.iter().filter(|edit| edit.point == point) {
            for one in &allocation.moves[edit.moves.start as usize..edit.moves.end as usize] {
                let _ = writeln!(text, "      {} = {}", name(one.to), name(one.from));
            }
        }
    };
    for (index, block) in function.blocks.iter().enumerate() {
        let params = function.list(&block.params);
        let _ = writeln!(text, "block {index} x{} {params:?}", block.frequency);
        for number in block.instructions.clone() {
            edits(&mut text, Point::Before(number));
            let _ = write!(text, "  {number}:");
            let first = function.instructions[number as usize].operands.start as usize;
            for (at, operand) in function.operands(number as usize).iter().enumerate() {
                let place = name(allocation.locations[first + at]);
                let _ = write!(text, " {:?} v{} {place},", operand.kind, operand.value.0);
            }
            let clobbers: Vec<_> = function.instructions[number as usize].clobbers.iter().collect();
            let clobbers: Vec<_> = clobbers.into_iter().map(|one| name(Location::Register(one))).collect();
            let _ = writeln!(text, " {}", clobbers.join(" "));
        }
        for edge in function.leaving(index) {
            let Edge { to, args } = &function.edges[edge];
            let _ = writeln!(text, "    edge {edge} to {to} {:?}", function.list(args));
            edits(&mut text, Point::Edge(edge as u32));
        }
    }
    text
}

fn name(location: Location) -> String {
    match location {
        Location::Register(Register { class, number }) => {
            format!("{}{number}", ["r", "f"][usize::from(class)])
        }
        Location::Slot(slot) => format!("[{slot}]"),
        Location::Nowhere => "-".to_string(),
    }
}

/// Parallel moves: their sequence has the effect of all of them at once, and uses nothing else but scratch registers.
pub fn moves(data: &[u8]) {
    let mut choices = Choices(data);
    let scratch = machine(0, 0).scratch;
    let mut sequencer = Sequencer::default();
    while !choices.0.is_empty() {
        let location = |byte: u8| match byte % 3 {
            0 => Location::Slot(u16::from(byte / 3 % 6)),
            class => Location::Register(Register { class: class - 1, number: byte / 3 % 6 }),
        };
        let mut set: Vec<Move> = Vec::new();
        for _ in 0..choices.byte() % 16 {
            let (from, to) = (location(choices.byte()), location(choices.byte()));
            if set.iter().all(|other| other.to != to) {
                set.push(Move { from, to });
            }
        }
        let mut sequence = Vec::new();
        sequencer.sequence(&set, scratch, &mut sequence);
        let mut held: BTreeMap<Location, Location> = BTreeMap::new();
        let read = |held: &BTreeMap<_, _>, place| held.get(&place).copied().unwrap_or(place);
        for one in &sequence {
            let slots = matches!((one.from, one.to), (Location::Slot(_), Location::Slot(_)));
            assert!(!slots, "{set:?} {sequence:?}");
            let value = read(&held, one.from);
            held.insert(one.to, value);
        }
        for byte in 0..=255 {
            let place = location(byte);
            let source = set.iter().find(|one| one.to == place).map_or(place, |one| one.from);
            assert_eq!(read(&held, place), source, "{place:?}: {set:?} {sequence:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rng::Rng;
    use quickcheck::QuickCheck;

    /// Random bytes, at most 4000.
    fn bytes(seed: u64, len: u16) -> Vec<u8> {
        Rng::new(seed).bytes(usize::from(len % 4000))
    }

    #[test]
    fn regalloc_random_functions() {
        fn holds(seed: u64, len: u16) -> bool {
            super::allocate(&bytes(seed, len));
            true
        }
        QuickCheck::new().tests(2000).quickcheck(holds as fn(u64, u16) -> bool);
    }

    #[test]
    fn regalloc_random_moves() {
        fn holds(seed: u64, len: u16) -> bool {
            super::moves(&bytes(seed, len));
            true
        }
        QuickCheck::new().tests(2000).quickcheck(holds as fn(u64, u16) -> bool);
    }
}
