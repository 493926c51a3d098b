//! From pieces to the result: where operands are, and the moves between the pieces of a value, on edges, and to slots.
//!
//! A value that leaves its register for memory has to be stored once. That is done either right behind its definition or
//! wherever it leaves, whichever runs less often.

use super::live::{members, Live, LATE, NONE, STEP};
use super::moves::Sequencer;
use super::piece::{Piece, Place};
use super::scan::ValueState;
use super::slots::arrived;
use super::{
    Allocation, Counts, Edit, Function, Location, Move, Operand, OperandKind, Point, Register, Target,
};

/// What was decided before.
pub(super) struct Parts<'a> {
    pub function: &'a Function,
    pub target: &'a Target,
    pub live: &'a Live,
    pub pieces: &'a [Piece],
    pub values: &'a [ValueState],
    pub slots: &'a [Option<u16>],
}

/// A move among those of its point.
#[derive(Clone, Copy, Debug)]
struct Raw {
    /// Order of the points, see [`before`] and [`edge`].
    key: u64,
    one: Move,
    /// The value that is stored because it leaves its register, or `NONE`.
    leaves: u32,
}

#[derive(Debug, Default)]
pub(super) struct Resolver {
    raw: Vec<Raw>,
    /// The piece of each value that the pass over the operands has come to.
    at: Vec<u32>,
    /// How often each value leaves its register.
    leaving: Vec<f32>,
    /// Values whose place is not the same everywhere, as a set.
    mobile: Vec<u64>,
    /// Those whose stores on leaving are needed.
    late: Vec<bool>,
    /// Those that are stored right behind their definition.
    stored: Vec<bool>,
    group: Vec<Move>,
    sequencer: Sequencer,
}

fn before(instruction: u32) -> u64 {
    u64::from(instruction) << 33
}

/// Behind the last instruction of the block that the edge leaves.
fn edge(last: u32, edge: u32) -> u64 {
    u64::from(last) << 33 | 1 << 32 | u64::from(edge)
}

fn point(key: u64) -> Point {
    if key >> 32 & 1 == 0 {
        Point::Before((key >> 33) as u32)
    } else {
        Point::Edge(key as u32)
    }
}

impl Parts<'_> {
    fn location(&self, piece: &Piece) -> Location {
        let value = piece.value as usize;
        match piece.place {
            Place::Register(number) => {
                Location::Register(Register { class: self.function.classes[value], number })
            }
            Place::Memory | Place::Waiting => self.slots[value].map_or(Location::Nowhere, Location::Slot),
        }
    }

    /// Where a value is at a position; `Nowhere` if it is not live there.
    fn at(&self, value: usize, position: u32) -> Location {
        let mut next = self.values[value].first;
        while let Some(piece) = self.pieces.get(next as usize).filter(|piece| piece.start <= position) {
            if position < piece.end {
                return self.location(piece);
            }
            next = piece.next;
        }
        Location::Nowhere
    }

    /// The slot where a value arrives, if it is not its own.
    fn arrival(&self, value: usize) -> Option<Location> {
        match self.live.definitions[value].fixed {
            Location::Slot(slot) => (self.slots[value]? != slot).then_some(Location::Slot(slot)),
            Location::Register(_) | Location::Nowhere => None,
        }
    }

    /// Where a move at position `to` finds the value that is at `location` right before.
    fn source(&self, value: usize, location: Location, to: u32) -> Location {
        let arrival = self.arrival(value).filter(|_| matches!(location, Location::Slot(_)));
        arrival.filter(|_| arrived(&self.live.definitions[value]) == to).unwrap_or(location)
    }

    fn weight(&self, position: u32) -> f32 {
        self.function.blocks[self.live.block_at(position)].frequency as f32
    }

    /// Whether a position is in the last instruction of its block.
    fn in_last(&self, position: u32) -> bool {
        let block = &self.function.blocks[self.live.block_at(position)];
        position / STEP + 1 == block.instructions.end
    }
}

impl Resolver {
    /// Writes all of the result but the slots.
    pub fn run(&mut self, parts: &Parts<'_>, out: &mut Allocation) {
        let values = parts.values.len();
        self.raw.clear();
        self.leaving.clear();
        self.leaving.resize(values, 0.0);
        for set in [&mut self.late, &mut self.stored] {
            set.clear();
            set.resize(values, false);
        }
        self.mobile.clear();
        self.mobile.resize(values.div_ceil(64), 0);
        out.counts = Counts::default();
        self.operands(parts, &mut out.locations);
        for value in 0..values {
            self.splits(parts, value, &mut out.counts);
        }
        self.edges(parts);
        for value in 0..values {
            self.definition(parts, value);
        }
        self.kept(parts, &mut out.locations);
        self.emit(parts, out);
    }

    /// Where each operand is.
    fn operands(&mut self, parts: &Parts<'_>, out: &mut Vec<Location>) {
        out.clear();
        self.at.clear();
        self.at.extend(parts.values.iter().map(|state| state.first));
        for (index, instruction) in parts.function.instructions.iter().enumerate() {
            debug_assert_eq!(instruction.operands.start as usize, out.len(), "operands without gaps");
            for operand in parts.function.operands(index) {
                let late = match operand.kind {
                    OperandKind::DefAt(location) => {
                        out.push(location);
                        continue;
                    }
                    OperandKind::Def => LATE,
                    OperandKind::Use | OperandKind::UseAny => 0,
                };
                let position = index as u32 * STEP + late;
                let at = &mut self.at[operand.value.0 as usize];
                while parts.pieces.get(*at as usize).is_some_and(|piece| piece.end <= position) {
                    *at = parts.pieces[*at as usize].next;
                }
                let dead = late != 0 && parts.live.definitions[operand.value.0 as usize].position == NONE;
                let piece = parts.pieces.get(*at as usize).filter(|_| !dead);
                out.push(piece.map_or(Location::Nowhere, |piece| parts.location(piece)));
            }
        }
    }

    /// Moves between pieces that meet inside a block.
    fn splits(&mut self, parts: &Parts<'_>, value: usize, counts: &mut Counts) {
        let state = &parts.values[value];
        counts.spilled += u32::from(state.spilled);
        let Some(mut piece) = parts.pieces.get(state.first as usize) else { return };
        if piece.next != NONE || parts.arrival(value).is_some() {
            self.mobile[value / 64] |= 1 << (value % 64);
        }
        let mut earlier: Option<&Piece> = None;
        while let Some(next) = parts.pieces.get(piece.next as usize) {
            counts.splits += 1;
            if piece.end == next.start && !parts.live.begins_block(next.start) {
                self.split(parts, earlier, piece, next);
            }
            (earlier, piece) = (Some(piece), next);
        }
    }

    /// The move from `piece` to `next`, which meet inside a block.
    fn split(&mut self, parts: &Parts<'_>, earlier: Option<&Piece>, piece: &Piece, next: &Piece) {
        let value = piece.value as usize;
        let position = next.start / STEP * STEP;
        let mut from = piece;
        if next.place == Place::Memory && piece.start == position && !parts.live.begins_block(position) {
            // Moves of one point happen at once: the register of `piece` is being written there, too.
            match earlier.filter(|earlier| earlier.end == piece.start) {
                Some(earlier) => from = earlier,
                None => debug_assert!(false, "a piece that begins inside a block continues another"),
            }
        }
        let (from, to) = (parts.source(value, parts.location(from), position), parts.location(next));
        self.transfer(before(position / STEP), value, from, to, parts.weight(position));
    }

    /// A move of a value from one of its places to another; none between equal ones.
    fn transfer(&mut self, key: u64, value: usize, from: Location, to: Location, weight: f32) {
        if from == to {
            return;
        }
        let stores = matches!((from, to), (Location::Register(_), Location::Slot(_)));
        if stores {
            self.leaving[value] += weight;
        }
        let leaves = if stores { value as u32 } else { NONE };
        self.raw.push(Raw { key, one: Move { from, to }, leaves });
    }

    /// Moves on edges: of values that are not where the next block expects them, and of arguments to parameters.
    fn edges(&mut self, parts: &Parts<'_>) {
        let function = parts.function;
        for (index, block) in function.blocks.iter().enumerate() {
            let end = block.instructions.end * STEP;
            for number in function.leaving(index) {
                let leaving = &function.edges[number];
                let to = &function.blocks[leaving.to as usize];
                let start = to.instructions.start * STEP;
                let key = edge(block.instructions.end - 1, number as u32);
                let weight = block.frequency.min(to.frequency) as f32;
                let live_in = parts.live.live_in(leaving.to as usize);
                for (word, set) in live_in.iter().enumerate() {
                    for bit in members(&[set & self.mobile[word]]) {
                        let value = word * 64 + bit;
                        let from = parts.source(value, parts.at(value, end - 1), end);
                        self.transfer(key, value, from, parts.at(value, start), weight);
                    }
                }
                for (param, arg) in function.list(&to.params).iter().zip(function.list(&leaving.args)) {
                    let (param, arg) = (param.0 as usize, arg.0 as usize);
                    if parts.live.definitions[param].position == NONE {
                        continue;
                    }
                    let to = parts.at(param, start);
                    let from = parts.source(arg, parts.at(arg, end - 1), end);
                    if from != to {
                        self.raw.push(Raw { key, one: Move { from, to }, leaves: NONE });
                    }
                }
            }
        }
    }

    /// Moves behind a definition: from the slot of arrival, or the store of a value that is in memory later.
    fn definition(&mut self, parts: &Parts<'_>, value: usize) {
        let definition = &parts.live.definitions[value];
        if !parts.values[value].spilled || definition.position == NONE {
            return;
        }
        let Some(slot) = parts.slots[value].map(Location::Slot) else { return };
        let point = definition.position.div_ceil(STEP);
        let last = !definition.parameter && parts.in_last(definition.position);
        if let Some(from) = parts.arrival(value) {
            (self.late[value], self.stored[value]) = (last, !last);
            if !last {
                self.raw.push(Raw { key: before(point), one: Move { from, to: slot }, leaves: NONE });
            }
            return;
        }
        let from = parts.at(value, definition.position);
        self.stored[value] = from == slot;
        if !matches!(from, Location::Register(_)) || self.leaving[value] == 0.0 {
            return;
        }
        self.late[value] = last || self.leaving[value] < parts.weight(definition.position);
        if !self.late[value] {
            self.stored[value] = true;
            self.raw.push(Raw { key: before(point), one: Move { from, to: slot }, leaves: NONE });
        }
    }

    /// Who only needs to know where a value is gets told its home, if it is there as well: exits need no store then.
    fn kept(&self, parts: &Parts<'_>, out: &mut [Location]) {
        let function = parts.function;
        for (index, instruction) in function.instructions.iter().enumerate() {
            for at in instruction.operands.clone() {
                let Operand { value, kind } = function.operands[at as usize];
                let value = value.0 as usize;
                let (OperandKind::UseAny, Some(slot)) = (kind, parts.slots[value]) else { continue };
                let arrives = parts.live.definitions[value].fixed == Location::Slot(slot);
                let stored = self.stored[value] && function.homes[value] == Some(slot);
                if arrives || stored && index as u32 * STEP > parts.live.definitions[value].position {
                    out[at as usize] = Location::Slot(slot);
                }
            }
        }
    }

    /// Puts the moves of each point into an order.
    fn emit(&mut self, parts: &Parts<'_>, out: &mut Allocation) {
        out.edits.clear();
        out.moves.clear();
        let late = &self.late;
        self.raw.retain(|raw| late.get(raw.leaves as usize).copied().unwrap_or(true));
        self.raw.sort_unstable_by_key(|raw| raw.key);
        for raws in self.raw.chunk_by(|a, b| a.key == b.key) {
            self.group.clear();
            self.group.extend(raws.iter().map(|raw| raw.one));
            let start = out.moves.len();
            self.sequencer.sequence(&self.group, parts.target.scratch, &mut out.moves);
            let moves = start as u32..out.moves.len() as u32;
            out.edits.push(Edit { point: point(raws[0].key), moves });
            for one in &out.moves[start..] {
                match (one.from, one.to) {
                    (_, Location::Slot(_)) => out.counts.stores += 1,
                    (Location::Slot(_), _) => out.counts.loads += 1,
                    _ => out.counts.copies += 1,
                }
            }
        }
    }
}
