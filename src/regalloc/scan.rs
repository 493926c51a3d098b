//! The scan: pieces in the order of their starts, each gets a register, a register for a while, or memory.
//!
//! Invariants: what is decided concerns positions from the current one on, but for pieces that go to memory earlier than
//! their register is needed, which only frees it. Every piece made here begins behind the current position, so the scan ends.

use super::live::{Live, CLOBBER, LATE, NONE, STEP};
use super::piece::{advance, intersection, next_use, split, Piece, Place};
use super::spill::Cut;
use super::{Function, Location, OperandKind, Register, Target, CLASSES, NUMBERS};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What is known of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueState {
    /// Its first piece, or `NONE` if it is never live.
    pub first: u32,
    /// The piece that was decided last.
    pub last: u32,
    /// The parameter that the value is passed to, or an argument of the parameter that it is, or `NONE`: in one register,
    /// they need no move on the edge.
    partner: u32,
    /// How often that edge is gone.
    weight: u32,
    /// Is in memory at some time.
    pub spilled: bool,
}

/// State of one register.
#[derive(Clone, Debug, Default)]
struct Occupancy {
    /// Pieces in it that have not ended; at most one is live at any position.
    pieces: Vec<u32>,
    /// Positions where it is destroyed, ascending, and how many of them are passed.
    clobbers: Vec<u32>,
    passed: usize,
}

/// What the current piece finds in a register.
#[derive(Clone, Copy, Debug)]
struct Vacancy {
    number: u8,
    /// Who is in it now, or `NONE`.
    occupant: u32,
    /// The register is free until here, or would be without the occupant.
    until: u32,
}

#[derive(Debug, Default)]
pub(super) struct Scan {
    pub pieces: Vec<Piece>,
    pub values: Vec<ValueState>,
    registers: Vec<Occupancy>,
    /// The last value of each home that got a register.
    residents: Vec<u32>,
    /// First pieces, the last one first.
    initial: Vec<(u32, u32)>,
    /// Later pieces.
    waiting: BinaryHeap<Reverse<(u32, u32)>>,
    vacancies: Vec<Vacancy>,
}

/// What does not change during a scan.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub function: &'a Function,
    pub target: &'a Target,
    pub live: &'a Live,
}

impl Scan {
    /// Decides on all pieces.
    pub fn run(&mut self, function: &Function, target: &Target, live: &Live) {
        let input = Input { function, target, live };
        self.begin(input);
        while let Some((position, piece)) = self.next_waiting() {
            self.place(input, piece, position);
        }
    }

    fn next_waiting(&mut self) -> Option<(u32, u32)> {
        match (self.initial.last().copied(), self.waiting.peek().map(|one| one.0)) {
            (Some(initial), later) if later.is_none_or(|later| initial.0 <= later.0) => self.initial.pop(),
            _ => self.waiting.pop().map(|one| one.0),
        }
    }

    fn begin(&mut self, input: Input<'_>) {
        let Input { function, live, .. } = input;
        self.pieces.clear();
        self.initial.clear();
        self.waiting.clear();
        self.values.clear();
        let state = ValueState { first: NONE, last: NONE, partner: NONE, weight: 0, spilled: false };
        self.values.resize(function.classes.len(), state);
        self.registers.resize(CLASSES * NUMBERS, Occupancy::default());
        for register in &mut self.registers {
            register.pieces.clear();
            register.clobbers.clear();
            register.passed = 0;
        }
        let homes = function.homes.iter().flatten().max().map_or(0, |&home| usize::from(home) + 1);
        self.residents.clear();
        self.residents.resize(homes, NONE);
        self.clobbers(function);
        self.partners(function);
        for value in 0..function.classes.len() {
            self.first_piece(input, value);
        }
        // At one position, those that arrive at fixed places come first: nobody else may take them.
        self.initial.sort_unstable_by_key(|&(start, piece)| {
            let value = self.pieces[piece as usize].value as usize;
            Reverse((start, live.definitions[value].fixed == Location::Nowhere, piece))
        });
    }

    /// Where each register is destroyed. A value that arrives in a register destroys it too, and takes it from others that
    /// the instruction defines.
    fn clobbers(&mut self, function: &Function) {
        for (index, instruction) in function.instructions.iter().enumerate() {
            let position = index as u32 * STEP + CLOBBER;
            if !instruction.clobbers.is_empty() {
                for register in instruction.clobbers.iter() {
                    self.registers[register.index()].clobbers.push(position);
                }
            }
            for operand in function.operands(index) {
                if let OperandKind::DefAt(Location::Register(register)) = operand.kind {
                    self.registers[register.index()].clobbers.extend([position, position - CLOBBER + LATE]);
                }
            }
        }
    }

    /// Parameters and arguments would like to share registers. Of several, the most frequent edge counts.
    fn partners(&mut self, function: &Function) {
        for (index, block) in function.blocks.iter().enumerate() {
            for edge in function.leaving(index) {
                let edge = &function.edges[edge];
                let to = &function.blocks[edge.to as usize];
                let weight = block.frequency.min(to.frequency).max(1);
                let pairs = function.list(&to.params).iter().zip(function.list(&edge.args));
                for (param, arg) in pairs {
                    let forward = edge.to as usize > index;
                    for (a, b, apt) in [(param.0, arg.0, forward), (arg.0, param.0, true)] {
                        let state = &mut self.values[a as usize];
                        if apt && weight > state.weight {
                            (state.partner, state.weight) = (b, weight);
                        }
                    }
                }
            }
        }
    }

    fn first_piece(&mut self, input: Input<'_>, value: usize) {
        let live = input.live;
        let range = live.first_range[value];
        let Some(first) = live.ranges.get(range as usize) else { return };
        let (start, mut end, mut next) = (first.start, first.end, first.next);
        while let Some(more) = live.ranges.get(next as usize) {
            (end, next) = (more.end, more.next);
        }
        let index = self.pieces.len() as u32;
        self.pieces.push(Piece {
            value: value as u32,
            start,
            end,
            range,
            next_use: live.first_use[value],
            last_read: NONE,
            next: NONE,
            place: Place::Waiting,
            pinned: false,
        });
        self.values[value].first = index;
        self.initial.push((start, index));
        // In an odd order of blocks a value can be live at lower positions than that of its definition.
        let definition = live.definitions[value];
        if definition.fixed != Location::Nowhere && definition.position > start {
            let later = split(&mut self.pieces, index, definition.position, live);
            self.initial.push((self.pieces[later as usize].start, later));
        }
    }

    /// Whether the piece begins with its value's definition.
    pub fn defines(&self, live: &Live, piece: u32) -> bool {
        let piece = &self.pieces[piece as usize];
        live.definitions[piece.value as usize].position == piece.start
    }

    /// Decides on one piece.
    fn place(&mut self, input: Input<'_>, current: u32, now: u32) {
        let Input { function, target, live } = input;
        let Piece { value, end, .. } = self.pieces[current as usize];
        self.values[value as usize].last = current;
        let defines = self.defines(live, current);
        let fixed = live.definitions[value as usize].fixed;
        let class = function.classes[value as usize];
        match fixed {
            Location::Slot(_) if defines => return self.spill(input, current, now),
            Location::Register(register) if defines => {
                self.pieces[current as usize].pinned = true;
                let outside = !target.allocatable[usize::from(class)].contains(&register);
                let vacancy = self.look(live, current, register, now);
                let until = if outside { now - LATE + STEP } else { vacancy.until };
                return self.take(input, current, Vacancy { until, ..vacancy }, now);
            }
            _ => {}
        }
        self.vacancies.clear();
        for &register in &target.allocatable[usize::from(class)] {
            let vacancy = self.look(live, current, register, now);
            self.vacancies.push(vacancy);
        }
        let moved = !defines && self.comes_in_register(current);
        if !defines && !moved && !self.pays(input, current) {
            return self.spill(input, current, now);
        }
        if let Some(vacancy) = self.free_to_the_end(input, current, end) {
            return self.take(input, current, vacancy, now);
        }
        // A register for a while is good if the value is used meanwhile.
        let from = if defines || moved { now } else { now + 1 };
        let needed =
            next_use(&self.pieces[current as usize], from, live).map_or(NONE, |point| point.position);
        let partly = self.vacancies.iter().filter(|one| one.occupant == NONE && one.until > needed);
        if let Some(&vacancy) = partly.max_by_key(|one| one.until) {
            return self.take(input, current, vacancy, now);
        }
        match self.victim(input, current, now, from, needed) {
            Some(vacancy) => {
                self.evict(input, vacancy.occupant, now);
                self.take(input, current, vacancy, now);
            }
            None => self.spill(input, current, now),
        }
    }

    /// What the piece would find in a register.
    fn look(&mut self, live: &Live, current: u32, register: Register, now: u32) -> Vacancy {
        let Scan { pieces, registers, .. } = self;
        let occupancy = &mut registers[register.index()];
        let mut vacancy = Vacancy { number: register.number, occupant: NONE, until: NONE };
        let list = &mut occupancy.pieces;
        let mut at = 0;
        while at < list.len() {
            let index = list[at];
            let piece = &mut pieces[index as usize];
            advance(piece, now, live);
            let range = live.ranges.get(piece.range as usize).filter(|range| range.start < piece.end);
            // Who was evicted from its start on is in memory now.
            let stays = piece.end > now && piece.place != Place::Memory;
            let Some(range) = range.filter(|_| stays) else {
                list.swap_remove(at);
                continue;
            };
            if range.start <= now {
                vacancy.occupant = index;
            } else {
                let shared = intersection(&pieces[index as usize], &pieces[current as usize], live);
                vacancy.until = vacancy.until.min(shared);
            }
            at += 1;
        }
        let piece = &pieces[current as usize];
        while occupancy.clobbers.get(occupancy.passed).is_some_and(|&position| position < now) {
            occupancy.passed += 1;
        }
        let last = vacancy.until.min(piece.end);
        let mut range = piece.range;
        // Nothing is destroyed where a value arrives but by the value itself.
        let first = if piece.pinned { now + 1 } else { now };
        let clobbers = occupancy.clobbers[occupancy.passed..].iter().skip_while(|&&at| at < first);
        for &position in clobbers.take_while(|&&at| at < last) {
            while live.ranges.get(range as usize).is_some_and(|range| range.end <= position) {
                range = live.ranges[range as usize].next;
            }
            if live.ranges.get(range as usize).is_some_and(|range| range.start <= position) {
                vacancy.until = position;
                break;
            }
        }
        vacancy
    }

    /// Whether the value is in a register right before the piece, so that a move could take it on.
    fn comes_in_register(&self, current: u32) -> bool {
        let piece = &self.pieces[current as usize];
        let mut before = &self.pieces[self.values[piece.value as usize].first as usize];
        while before.next != current && before.next != NONE {
            before = &self.pieces[before.next as usize];
        }
        before.end == piece.start && matches!(before.place, Place::Register(_))
    }

    /// The best register that is free as long as the piece lives: one that saves a move, or else the one that is free
    /// for the shortest time, as others may need more. Moves on edges cost more than moves of two-address instructions,
    /// because an edge with moves may need a block of its own; so the registers of partners and homes come first.
    fn free_to_the_end(&self, input: Input<'_>, current: u32, end: u32) -> Option<Vacancy> {
        let free = || self.vacancies.iter().filter(|one| one.occupant == NONE && one.until >= end);
        free().next()?;
        let piece = &self.pieces[current as usize];
        let value = piece.value as usize;
        let class = input.function.classes[value];
        let partner = self.values[value].partner;
        let after = self.values.get(partner as usize).map_or(NONE, |state| state.partner);
        let (first, others) = self.read_registers(input, current, class);
        let hint = input.function.hints[value].filter(|hint| hint.class == class).map(|hint| hint.number);
        let resident = input.function.homes[value].map_or(NONE, |home| self.residents[usize::from(home)]);
        let resident = self.values.get(resident as usize).map_or(NONE, |state| state.last);
        let hints = [
            self.register_of(value as u32),
            self.register_of(partner),
            self.register_of(after),
            hint,
            self.register_in(resident),
            first,
        ];
        for hint in hints.into_iter().flatten() {
            if let Some(&vacancy) = free().find(|one| one.number == hint) {
                return Some(vacancy);
            }
        }
        free().min_by_key(|one| (others >> one.number & 1, one.until)).copied()
    }

    /// The register that a value was in first.
    fn register_of(&self, value: u32) -> Option<u8> {
        self.register_in(self.values.get(value as usize)?.first)
    }

    fn register_in(&self, piece: u32) -> Option<u8> {
        match self.pieces.get(piece as usize)?.place {
            Place::Register(number) => Some(number),
            Place::Waiting | Place::Memory => None,
        }
    }

    /// If the piece is defined by an instruction: the register of its first `Use`, and those of the others.
    fn read_registers(&self, input: Input<'_>, current: u32, class: u8) -> (Option<u8>, u32) {
        let (mut first, mut others, mut seen) = (None, 0, false);
        let start = self.pieces[current as usize].start;
        if start % STEP != LATE {
            return (first, others);
        }
        for operand in input.function.operands((start / STEP) as usize) {
            let value = operand.value.0 as usize;
            if operand.kind != OperandKind::Use || input.function.classes[value] != class {
                continue;
            }
            let place = self.pieces.get(self.values[value].last as usize).map(|piece| piece.place);
            if let Some(Place::Register(number)) = place {
                match seen {
                    false => first = Some(number),
                    true if first != Some(number) => others |= 1 << number,
                    true => {}
                }
            }
            seen = true;
        }
        (first, others)
    }

    /// The register whose occupant gives way for the current piece, if that costs less than leaving the piece in memory.
    fn victim(&self, input: Input<'_>, current: u32, now: u32, from: u32, needed: u32) -> Option<Vacancy> {
        let own = self.value_of_register(input, current, now, from);
        let mut best: Option<(f32, Vacancy)> = None;
        for &vacancy in self.vacancies.iter().filter(|one| one.occupant != NONE && one.until > needed) {
            let occupant = &self.pieces[vacancy.occupant as usize];
            if occupant.pinned && occupant.start == now {
                continue;
            }
            let cost = self.value_of_register(input, vacancy.occupant, now, now);
            if cost < best.map_or(own, |(least, _)| least) {
                best = Some((cost, vacancy));
            }
        }
        best.map(|(_, vacancy)| vacancy)
    }

    /// Gives the piece a register, for as long as it is free.
    fn take(&mut self, input: Input<'_>, current: u32, vacancy: Vacancy, now: u32) {
        let piece = &mut self.pieces[current as usize];
        let register =
            Register { class: input.function.classes[piece.value as usize], number: vacancy.number };
        piece.place = Place::Register(vacancy.number);
        if let Some(home) = input.function.homes[piece.value as usize] {
            self.residents[usize::from(home)] = piece.value;
        }
        let cut = (vacancy.until < piece.end).then(|| self.cut(input, current, vacancy.until, now));
        self.registers[register.index()].pieces.push(current);
        match cut {
            None => {}
            Some(Cut::Wait(position)) => {
                let later = split(&mut self.pieces, current, position, input.live);
                self.wait(later);
            }
            Some(Cut::Spill(position)) => {
                let later = split(&mut self.pieces, current, position, input.live);
                self.spill(input, later, position);
            }
        }
    }

    /// The piece is to be decided when the scan comes to its start.
    pub fn wait(&mut self, piece: u32) {
        self.waiting.push(Reverse((self.pieces[piece as usize].start, piece)));
    }
}
