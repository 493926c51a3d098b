//! The checker: follows an allocation through the function and proves that every read finds its value.
//!
//! State: the set of pairs (location, value) such that the location holds the value for sure. Where edges meet, the state
//! is the intersection; the greatest solution is found by iteration from the entries, which begin with nothing. Whatever
//! writes a location takes away what it held, and a definition takes away its value everywhere, because that was the one of
//! an earlier time round. On an edge, what holds an argument then holds the parameter as well.
//!
//! Nothing here knows how the allocation was made. It is not proved that moves are few.

use super::{Allocation, Function, Location, Move, OperandKind, Point, Register, Target, Value};
use std::collections::BTreeSet;

/// What is wrong with an allocation, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// There is not exactly one location per operand, or an edit is out of place.
    Form,
    /// An operand's location does not hold its value.
    Operand { instruction: u32, operand: u32 },
    /// A move that reads a location that holds nothing, or writes one that the value must not be in, or both are slots.
    Move { point: Point, index: u32 },
    /// A definition at a wrong place: not the fixed one, not the allocator's, or that of another definition.
    Definition { instruction: u32, operand: u32 },
}

type State = BTreeSet<(Location, Value)>;

/// Checks an allocation.
///
/// # Errors
/// The first flaw found. It is the same in every run.
pub fn check(function: &Function, target: &Target, allocation: &Allocation) -> Result<(), Flaw> {
    if allocation.locations.len() != function.operands.len() {
        return Err(Flaw::Form);
    }
    let checker = Checker { function, target, allocation, edits: edits_by_point(function, allocation)? };
    checker.run()
}

/// For each instruction, then for each edge, the index of its edit.
fn edits_by_point(function: &Function, allocation: &Allocation) -> Result<Vec<Option<usize>>, Flaw> {
    let instructions = function.instructions.len();
    let mut edits = vec![None; instructions + function.edges.len()];
    for (index, edit) in allocation.edits.iter().enumerate() {
        let at = match edit.point {
            Point::Before(instruction) => instruction as usize,
            Point::Edge(edge) => instructions + edge as usize,
        };
        let free = edits.get_mut(at).filter(|place| place.is_none()).ok_or(Flaw::Form)?;
        *free = Some(index);
        if edit.moves.start > edit.moves.end || edit.moves.end as usize > allocation.moves.len() {
            return Err(Flaw::Form);
        }
    }
    Ok(edits)
}

struct Checker<'a> {
    function: &'a Function,
    target: &'a Target,
    allocation: &'a Allocation,
    edits: Vec<Option<usize>>,
}

impl Checker<'_> {
    /// Iterates to the solution, then goes through all blocks that can be reached once more and reports.
    fn run(&self) -> Result<(), Flaw> {
        let blocks = self.function.blocks.len();
        let mut entries: Vec<Option<State>> = vec![None; blocks];
        let mut entered = vec![false; blocks];
        self.function.edges.iter().for_each(|edge| entered[edge.to as usize] = true);
        let mut todo: Vec<usize> = (0..blocks).filter(|&block| block == 0 || !entered[block]).collect();
        todo.iter().for_each(|&block| entries[block] = Some(State::new()));
        while let Some(block) = todo.pop() {
            let Some(mut state) = entries[block].clone() else { continue };
            // Flaws are reported from the solution only: before, states may claim too much.
            let _ = self.block(block, &mut state);
            for edge in self.function.leaving(block) {
                let mut after = state.clone();
                let _ = self.edge(edge, &mut after);
                let to = self.function.edges[edge].to as usize;
                let met = match &entries[to] {
                    Some(known) => known.intersection(&after).copied().collect(),
                    None => after,
                };
                if entries[to].as_ref() != Some(&met) {
                    entries[to] = Some(met);
                    todo.push(to);
                }
            }
        }
        for (block, entry) in entries.into_iter().enumerate() {
            let Some(mut state) = entry else { continue };
            self.block(block, &mut state)?;
            self.function.leaving(block).try_for_each(|edge| self.edge(edge, &mut state.clone()))?;
        }
        Ok(())
    }

    /// The effect of a block. The first flaw is returned, but the state is always that of the end.
    fn block(&self, index: usize, state: &mut State) -> Result<(), Flaw> {
        let mut result = Ok(());
        for instruction in self.function.blocks[index].instructions.clone() {
            let edits = self.edit(instruction as usize, &[], state);
            result = result.and(edits).and(self.instruction(instruction, state));
        }
        result
    }

    /// The effect of an edge: its moves, then arguments become parameters.
    fn edge(&self, index: usize, state: &mut State) -> Result<(), Flaw> {
        let edge = &self.function.edges[index];
        let params = self.function.list(&self.function.blocks[edge.to as usize].params);
        let args = self.function.list(&edge.args);
        let pairs: Vec<(Value, Value)> = params.iter().copied().zip(args.iter().copied()).collect();
        let result = self.edit(self.function.instructions.len() + index, &pairs, state);
        let renamed = state.iter().flat_map(|&(location, value)| {
            pairs.iter().filter(move |(_, arg)| *arg == value).map(move |&(param, _)| (location, param))
        });
        let new: Vec<_> = renamed.collect();
        state.retain(|(_, value)| !params.contains(value));
        state.extend(new);
        if params.len() == args.len() {
            result
        } else {
            Err(Flaw::Form)
        }
    }

    /// The effect of the moves at a point. Of each of the pairs, the second becomes the first behind it.
    fn edit(&self, at: usize, pairs: &[(Value, Value)], state: &mut State) -> Result<(), Flaw> {
        let Some(edit) = self.edits[at].map(|index| &self.allocation.edits[index]) else { return Ok(()) };
        let mut result = Ok(());
        for index in edit.moves.clone() {
            let Move { from, to } = self.allocation.moves[index as usize];
            let held: Vec<Value> = values_in(state, from).collect();
            let memory = matches!((from, to), (Location::Slot(_), Location::Slot(_)));
            let allowed = held.iter().any(|&value| {
                let mut becomes = pairs.iter().filter(|(_, arg)| *arg == value);
                self.may_hold(to, value) || becomes.any(|&(param, _)| self.may_hold(to, param))
            });
            let scratch =
                matches!(to, Location::Register(register) if self.target.scratch.contains(&register));
            if held.is_empty() || memory || !(scratch || allowed) {
                result = result.and(Err(Flaw::Move { point: edit.point, index }));
            }
            erase(state, to);
            state.extend(held.into_iter().map(|value| (to, value)));
        }
        self.target.scratch.iter().for_each(|&register| erase(state, Location::Register(register)));
        result
    }

    fn instruction(&self, index: u32, state: &mut State) -> Result<(), Flaw> {
        let mut result = Ok(());
        let instruction = &self.function.instructions[index as usize];
        let operands = instruction.operands.clone().map(|number| {
            let operand = self.function.operands[number as usize];
            (number, operand, self.allocation.locations[number as usize])
        });
        for (number, operand, location) in operands.clone() {
            let reads = matches!(operand.kind, OperandKind::Use | OperandKind::UseAny);
            if reads && !state.contains(&(location, operand.value)) {
                result = result.and(Err(Flaw::Operand { instruction: index, operand: number }));
            }
        }
        instruction.clobbers.iter().for_each(|register| erase(state, Location::Register(register)));
        let mut written = Vec::new();
        for (number, operand, location) in operands {
            let right = match operand.kind {
                OperandKind::Use | OperandKind::UseAny => continue,
                OperandKind::Def => location == Location::Nowhere || self.may_hold(location, operand.value),
                OperandKind::DefAt(fixed) => location == fixed,
            };
            state.retain(|&(place, value)| place != location && value != operand.value);
            if !right || written.contains(&location) {
                result = result.and(Err(Flaw::Definition { instruction: index, operand: number }));
            }
            if location != Location::Nowhere {
                written.push(location);
                state.insert((location, operand.value));
            }
        }
        result
    }

    /// Whether the allocator may put the value there.
    fn may_hold(&self, location: Location, value: Value) -> bool {
        let value = value.0 as usize;
        match location {
            Location::Register(register) => self.is_allocatable(register, self.function.classes[value]),
            Location::Slot(slot) => {
                let arrives = |operand: &super::Operand| {
                    operand.value.0 as usize == value && operand.kind == OperandKind::DefAt(location)
                };
                self.target.free_slots.contains(&slot)
                    || self.function.homes[value] == Some(slot)
                    || self.function.operands.iter().any(arrives)
            }
            Location::Nowhere => false,
        }
    }

    fn is_allocatable(&self, register: Register, class: u8) -> bool {
        register.class == class && self.target.allocatable[usize::from(class)].contains(&register)
    }
}

fn values_in(state: &State, location: Location) -> impl Iterator<Item = Value> + '_ {
    let range = (location, Value(0))..=(location, Value(u32::MAX));
    state.range(range).map(|&(_, value)| value)
}

fn erase(state: &mut State, location: Location) {
    let held: Vec<Value> = values_in(state, location).collect();
    for value in held {
        state.remove(&(location, value));
    }
}
