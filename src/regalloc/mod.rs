//! The register allocator: linear scan over the live intervals of a function in SSA form.
//!
//! ```text
//!   Function ─► live.rs    which value is live where: ranges with holes, uses with weights
//!            ─► scan.rs    one sweep over the starts: a register, a part of one, or memory
//!               spill.rs   who gives way, where intervals are split, where values come back
//!               piece.rs   the parts of intervals between splits
//!            ─► slots.rs   memory cells for the values that need one
//!            ─► resolve.rs where each operand is, moves at splits and on edges ─► Allocation
//!               moves.rs   parallel moves in an order that is right one after the other
//!   check.rs  re-derives from `Function` and `Allocation` alone what each location holds
//! ```
//!
//! Nothing here knows an instruction set. An operand never *requires* a register, so every function has an allocation
//! as long as there are slots. Intervals are split where blocks run seldom; a value that was evicted comes back to a
//! register at a later use if that pays, and then stays there until it is evicted again.
//!
//! Positions: instruction `i` reads its early operands at `4i`, destroys what it clobbers at `4i + 1`, writes its late
//! operands at `4i + 2`. Moves before it happen at `4i` too, earlier than its reads. A block begins at the `4i` of its
//! first instruction and ends where the next one begins.

pub mod check;
mod live;
pub mod moves;
mod piece;
mod resolve;
mod scan;
mod slots;
mod spill;
#[cfg(test)]
mod tests;

use std::ops::Range;

/// An SSA value: defined once, by an operand or as a parameter of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value(pub u32);

/// Number of register classes: 0 integer, 1 floating point.
pub const CLASSES: usize = 2;
/// Registers of a class have numbers below this.
pub const NUMBERS: usize = 32;

/// A register of the machine. `class` is below [`CLASSES`], `number` below [`NUMBERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Register {
    pub class: u8,
    pub number: u8,
}

impl Register {
    /// Index in tables of all registers.
    pub(crate) fn index(self) -> usize {
        usize::from(self.class) * NUMBERS + usize::from(self.number)
    }
}

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    Register(Register),
    /// A numbered memory cell of 8 bytes; cells serve both classes.
    Slot(u16),
    /// Where a definition that nobody reads is: the instruction may write a scratch register, or nothing.
    Nowhere,
}

/// A set of registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegisterSet([u32; CLASSES]);

impl RegisterSet {
    /// No register.
    pub const EMPTY: RegisterSet = RegisterSet([0; CLASSES]);

    pub fn insert(&mut self, register: Register) {
        self.0[usize::from(register.class)] |= 1 << register.number;
    }

    pub fn contains(self, register: Register) -> bool {
        self.0[usize::from(register.class)] >> register.number & 1 != 0
    }

    pub fn is_empty(self) -> bool {
        self == RegisterSet::EMPTY
    }

    /// The registers, ascending.
    pub fn iter(self) -> impl Iterator<Item = Register> {
        (0..CLASSES as u8).flat_map(move |class| {
            let mut rest = self.0[usize::from(class)];
            std::iter::from_fn(move || {
                let number = (rest != 0).then(|| rest.trailing_zeros() as u8)?;
                rest &= rest - 1;
                Some(Register { class, number })
            })
        })
    }
}

/// What the machine offers.
#[derive(Clone, Debug)]
pub struct Target {
    /// Registers that may hold values, per class, the preferred ones first.
    pub allocatable: [Vec<Register>; CLASSES],
    /// One register per class that no value is ever in: sequences of moves go through it.
    pub scratch: [Register; CLASSES],
    /// Slots for values without a home. All others are homes, or not the allocator's.
    pub free_slots: Range<u16>,
}

/// How an instruction uses a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperandKind {
    /// Read early. Any location will do; a register is better.
    Use,
    /// Read early, any location at no cost: exits and fault maps only need to know where the value is.
    UseAny,
    /// Written late. Any location will do; a register is better. May share the register of a `Use` of the same
    /// instruction that is the last; the first `Use` is preferred, that of another one avoided.
    Def,
    /// Written late at a fixed location that is not `Nowhere` and no scratch register: the value arrives there, and
    /// may be moved afterwards. All such locations of one instruction are distinct.
    DefAt(Location),
}

/// One operand of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    pub value: Value,
    pub kind: OperandKind,
}

/// One instruction: its operands as a range of [`Function::operands`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    pub operands: Range<u32>,
    /// Registers that it destroys after it has read its early operands and before it writes its late ones.
    pub clobbers: RegisterSet,
}

/// A straight piece of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Range of [`Function::instructions`], not empty; blocks follow each other without gaps.
    pub instructions: Range<u32>,
    /// Range of [`Function::lists`]: values defined at the block's begin, one per argument of each edge to it.
    pub params: Range<u32>,
    /// Range of [`Function::edges`] that leave the block, after its last instruction has written its operands.
    pub edges: Range<u32>,
    /// How often the block runs, relative to others; loops count by this alone.
    pub frequency: u32,
}

/// A way from one block to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    pub to: u32,
    /// Range of [`Function::lists`]: one value per parameter of `to`.
    pub args: Range<u32>,
}

/// A function in SSA form: every use is dominated by its value's definition. Any control flow is allowed. Block 0 is
/// an entry, and so is every other block without predecessors; entries have no parameters, and no edge leads to block 0.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// Class of each value.
    pub classes: Vec<u8>,
    /// Preferred slot of each value, outside of [`Target::free_slots`]. Values that share a home are typically versions
    /// of one variable; at any time at most one of them is in it.
    pub homes: Vec<Option<u16>>,
    /// A register of its class that each value would like to be in.
    pub hints: Vec<Option<Register>>,
    /// In the order of the code, reverse postorder for the best result.
    pub blocks: Vec<Block>,
    pub edges: Vec<Edge>,
    pub instructions: Vec<Instruction>,
    pub operands: Vec<Operand>,
    /// Storage of lists of parameters and arguments.
    pub lists: Vec<Value>,
}

impl Function {
    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.classes.clear();
        self.homes.clear();
        self.hints.clear();
        self.blocks.clear();
        self.edges.clear();
        self.instructions.clear();
        self.operands.clear();
        self.lists.clear();
    }

    /// A new value without home and hint.
    pub fn value(&mut self, class: u8) -> Value {
        self.classes.push(class);
        self.homes.push(None);
        self.hints.push(None);
        Value(self.classes.len() as u32 - 1)
    }

    /// Operands of an instruction.
    pub fn operands(&self, instruction: usize) -> &[Operand] {
        let range = &self.instructions[instruction].operands;
        &self.operands[range.start as usize..range.end as usize]
    }

    /// A list of parameters or arguments.
    pub fn list(&self, range: &Range<u32>) -> &[Value] {
        &self.lists[range.start as usize..range.end as usize]
    }

    /// Indices of the edges that leave a block.
    pub fn leaving(&self, block: usize) -> Range<usize> {
        let range = &self.blocks[block].edges;
        range.start as usize..range.end as usize
    }
}

/// A move of 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub from: Location,
    pub to: Location,
}

/// Where moves are to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before an instruction.
    Before(u32),
    /// On an edge, an index into [`Function::edges`].
    Edge(u32),
}

/// Moves to be made at one point, a range of [`Allocation::moves`]: one after the other, at most one side in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub point: Point,
    pub moves: Range<u32>,
}

/// What was decided, in numbers. Moves through a scratch register count once for each half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Values that are in memory at some time.
    pub spilled: u32,
    /// Splits of intervals.
    pub splits: u32,
    /// Moves from register to memory.
    pub stores: u32,
    /// Moves from memory to register.
    pub loads: u32,
    /// Moves from register to register.
    pub copies: u32,
}

/// The result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocation {
    /// Where each operand of [`Function::operands`] is read or written.
    pub locations: Vec<Location>,
    /// In the order of the code; those of a block's edges stand behind those of its instructions.
    pub edits: Vec<Edit>,
    pub moves: Vec<Move>,
    /// How many of [`Target::free_slots`] are in use, counted from the first.
    pub slots: u16,
    pub counts: Counts,
}

/// More values were in memory at once than there are slots: the only way in which an allocation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfSlots;

/// The allocator; it keeps its memory from one function to the next.
#[derive(Debug, Default)]
pub struct Allocator {
    live: live::Live,
    scan: scan::Scan,
    slots: slots::Slots,
    resolver: resolve::Resolver,
    allocation: Allocation,
}

impl Allocator {
    /// An allocator without memory.
    pub fn new() -> Allocator {
        Allocator::default()
    }

    /// Allocates registers and slots. Takes time nearly proportional to the number of instructions.
    ///
    /// # Errors
    /// If the free slots do not suffice.
    pub fn allocate(&mut self, function: &Function, target: &Target) -> Result<&Allocation, OutOfSlots> {
        self.live.build(function);
        self.scan.run(function, target, &self.live);
        self.slots.assign(function, target, &self.live, &self.scan.values)?;
        let parts = resolve::Parts {
            function,
            target,
            live: &self.live,
            pieces: &self.scan.pieces,
            values: &self.scan.values,
            slots: &self.slots.of,
        };
        self.allocation.slots = self.slots.used;
        self.resolver.run(&parts, &mut self.allocation);
        Ok(&self.allocation)
    }
}
