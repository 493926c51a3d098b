//! Liveness: for each value the ranges of positions where it is live, its definition, and its weighted uses.
//!
//! Invariants: the ranges of a value are ascending, do not touch and do not overlap; the uses of a value are ascending.
//! Blocks are visited backwards, so both are lists that grow at their heads.

use super::{Function, Location, OperandKind, Value};

/// No index, no position.
pub(super) const NONE: u32 = u32::MAX;
/// Positions per instruction.
pub(super) const STEP: u32 = 4;
/// Offset of the position where an instruction destroys its clobbers.
pub(super) const CLOBBER: u32 = 1;
/// Offset of the position where an instruction writes its late operands.
pub(super) const LATE: u32 = 2;

/// Positions `start..end` where a value is live.
#[derive(Clone, Copy, Debug)]
pub(super) struct LiveRange {
    pub start: u32,
    pub end: u32,
    pub next: u32,
}

/// Why a value should be in a register at some position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// An instruction reads it.
    Read,
    /// An edge passes it on as an argument.
    Argument,
    /// The block jumps back to a position where it is live: there it should be where it was.
    Again(u32),
}

/// A wish at a position.
#[derive(Clone, Copy, Debug)]
pub(super) struct UsePoint {
    pub position: u32,
    pub next: u32,
    pub wish: Wish,
    /// How often it happens.
    pub weight: f32,
    /// Sum of the weights of this and all later reads.
    pub reads: f32,
}

/// Where a value begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Definition {
    /// `NONE` if there is none that is read.
    pub position: u32,
    /// Where it arrives, or `Nowhere` if that is free.
    pub fixed: Location,
    pub parameter: bool,
}

#[derive(Debug, Default)]
pub(super) struct Live {
    /// Words of a set of values.
    words: usize,
    /// One set per block.
    live_in: Vec<u64>,
    defined: Vec<u64>,
    /// A set that is being computed.
    row: Vec<u64>,
    /// Block of each instruction.
    pub block_of: Vec<u32>,
    pub ranges: Vec<LiveRange>,
    /// First range of each value.
    pub first_range: Vec<u32>,
    pub uses: Vec<UsePoint>,
    /// First use of each value.
    pub first_use: Vec<u32>,
    pub definitions: Vec<Definition>,
}

/// The values in a set.
pub(super) fn members(set: &[u64]) -> impl Iterator<Item = usize> + '_ {
    set.iter().enumerate().flat_map(|(index, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = rest.trailing_zeros() as usize;
            rest &= rest.wrapping_sub(1);
            (bit < 64).then_some(index * 64 + bit)
        })
    })
}

fn insert(set: &mut [u64], value: Value) {
    set[value.0 as usize / 64] |= 1 << (value.0 % 64);
}

fn contains(set: &[u64], value: Value) -> bool {
    set[value.0 as usize / 64] >> (value.0 % 64) & 1 != 0
}

impl Live {
    /// Computes everything.
    pub fn build(&mut self, function: &Function) {
        let (values, blocks) = (function.classes.len(), function.blocks.len());
        self.words = values.div_ceil(64);
        for sets in [&mut self.live_in, &mut self.defined] {
            sets.clear();
            sets.resize(self.words * blocks, 0);
        }
        self.row.clear();
        self.row.resize(self.words, 0);
        self.block_of.clear();
        self.ranges.clear();
        self.uses.clear();
        for firsts in [&mut self.first_range, &mut self.first_use] {
            firsts.clear();
            firsts.resize(values, NONE);
        }
        let none = Definition { position: NONE, fixed: Location::Nowhere, parameter: false };
        self.definitions.clear();
        self.definitions.resize(values, none);
        (0..blocks).for_each(|block| self.local(function, block));
        while self.flow(function) {}
        (0..blocks).rev().for_each(|block| self.ranges_of(function, block));
    }

    /// Values that are live where a block begins, its parameters excepted.
    pub fn live_in(&self, block: usize) -> &[u64] {
        &self.live_in[block * self.words..][..self.words]
    }

    /// Whether the position is where a block begins.
    pub fn begins_block(&self, position: u32) -> bool {
        let instruction = (position / STEP) as usize;
        position.is_multiple_of(STEP)
            && (instruction == 0 || self.block_of[instruction] != self.block_of[instruction - 1])
    }

    /// The block of a position.
    pub fn block_at(&self, position: u32) -> usize {
        self.block_of[(position / STEP) as usize] as usize
    }

    /// What a block defines, and what it reads before that.
    fn local(&mut self, function: &Function, index: usize) {
        let block = &function.blocks[index];
        let place = index * self.words..(index + 1) * self.words;
        let (read, defined) = (&mut self.live_in[place.clone()], &mut self.defined[place]);
        let definitions = &mut self.definitions;
        let mut define = |defined: &mut [u64], value: Value, position, fixed, parameter| {
            insert(defined, value);
            definitions[value.0 as usize] = Definition { position, fixed, parameter };
        };
        for &param in function.list(&block.params) {
            define(defined, param, block.instructions.start * STEP, Location::Nowhere, true);
        }
        for instruction in block.instructions.clone() {
            self.block_of.push(index as u32);
            let operands = function.operands(instruction as usize);
            for operand in operands {
                let reads = matches!(operand.kind, OperandKind::Use | OperandKind::UseAny);
                if reads && !contains(defined, operand.value) {
                    insert(read, operand.value);
                }
            }
            for operand in operands {
                let fixed = match operand.kind {
                    OperandKind::Def => Location::Nowhere,
                    OperandKind::DefAt(location) => location,
                    OperandKind::Use | OperandKind::UseAny => continue,
                };
                define(defined, operand.value, instruction * STEP + LATE, fixed, false);
            }
        }
        for edge in function.leaving(index) {
            for &arg in function.list(&function.edges[edge].args) {
                if !contains(defined, arg) {
                    insert(read, arg);
                }
            }
        }
    }

    /// One round of the backward data flow; true if something changed. Any control flow reaches the least solution.
    fn flow(&mut self, function: &Function) -> bool {
        let (words, mut changed, mut again) = (self.words, false, false);
        for block in (0..function.blocks.len()).rev() {
            for edge in function.leaving(block) {
                let to = function.edges[edge].to as usize;
                // A round without edges backwards, or in which their targets stay as they are, is the last.
                let (mut grown, target) = (false, block * words);
                for word in 0..words {
                    let new = self.live_in[to * words + word] & !self.defined[target + word];
                    grown |= new & !self.live_in[target + word] != 0;
                    self.live_in[target + word] |= new;
                }
                changed |= grown;
                again |= to <= block;
            }
        }
        changed && again
    }

    /// Adds ranges and uses of one block; later blocks have been visited.
    fn ranges_of(&mut self, function: &Function, index: usize) {
        let block = &function.blocks[index];
        let (start, end) = (block.instructions.start * STEP, block.instructions.end * STEP);
        let weight = block.frequency as f32;
        let mut row = std::mem::take(&mut self.row);
        row.fill(0);
        for edge in function.leaving(index) {
            let edge = &function.edges[edge];
            let to = edge.to as usize;
            row.iter_mut().zip(self.live_in(to)).for_each(|(word, more)| *word |= more);
            for &arg in function.list(&edge.args) {
                insert(&mut row, arg);
                self.wish(arg.0 as usize, end - 1, Wish::Argument, weight);
            }
            if to <= index {
                let begin = function.blocks[to].instructions.start * STEP;
                for word in 0..self.words {
                    for bit in members(&[self.live_in[to * self.words + word]]) {
                        self.wish(word * 64 + bit, end - 1, Wish::Again(begin), weight);
                    }
                }
            }
        }
        members(&row).for_each(|value| self.live(value, start, end));
        self.row = row;
        for instruction in block.instructions.clone().rev() {
            self.ranges_at(function, instruction, start, weight);
        }
        for param in function.list(&block.params) {
            let first = self.first_range[param.0 as usize];
            if self.ranges.get(first as usize).is_none_or(|range| range.start > start) {
                self.definitions[param.0 as usize].position = NONE;
            }
        }
    }

    /// Adds ranges and uses of one instruction of the block that begins at `start`.
    fn ranges_at(&mut self, function: &Function, instruction: u32, start: u32, weight: f32) {
        let (early, late) = (instruction * STEP, instruction * STEP + LATE);
        let operands = function.operands(instruction as usize);
        for operand in operands {
            let value = operand.value.0 as usize;
            let fixed = match operand.kind {
                OperandKind::Def => false,
                OperandKind::DefAt(_) => true,
                OperandKind::Use | OperandKind::UseAny => continue,
            };
            let first = self.first_range[value];
            if let Some(range) = self.ranges.get_mut(first as usize).filter(|range| range.start <= late) {
                range.start = late;
            } else if fixed {
                self.live(value, late, late + 1);
            } else {
                // Nobody reads it, at least not in code that can be reached.
                self.definitions[value].position = NONE;
            }
        }
        for operand in operands {
            let value = operand.value.0 as usize;
            if operand.kind == OperandKind::Use {
                self.wish(value, early, Wish::Read, weight);
            }
            if matches!(operand.kind, OperandKind::Use | OperandKind::UseAny) {
                self.live(value, start, early + 1);
            }
        }
    }

    /// Makes a value live at `start..end`, which begins no later than all its ranges.
    fn live(&mut self, value: usize, start: u32, end: u32) {
        let first = self.first_range[value];
        match self.ranges.get_mut(first as usize) {
            Some(range) if range.start <= end => range.start = start,
            _ => {
                self.first_range[value] = self.ranges.len() as u32;
                self.ranges.push(LiveRange { start, end, next: first });
            }
        }
    }

    /// Adds a use, which is no later than all others of the value.
    fn wish(&mut self, value: usize, position: u32, wish: Wish, weight: f32) {
        let next = self.first_use[value];
        let later = self.uses.get(next as usize).map_or(0.0, |later| later.reads);
        let reads = if wish == Wish::Read { later + weight } else { later };
        self.first_use[value] = self.uses.len() as u32;
        self.uses.push(UsePoint { position, next, wish, weight, reads });
    }
}
