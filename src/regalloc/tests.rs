//! What good allocations look like, on small functions, and that the checker sees bad ones.

use super::check::{check, Flaw};
use super::OperandKind::{Def, DefAt, Use, UseAny};
use super::*;

/// A function in the making.
#[derive(Default)]
struct Builder {
    function: Function,
    edges: Vec<(usize, u32, Vec<Value>)>,
}

impl Builder {
    fn list(&mut self, values: &[Value]) -> Range<u32> {
        let first = self.function.lists.len() as u32;
        self.function.lists.extend(values);
        first..self.function.lists.len() as u32
    }

    /// Begins a block.
    fn block(&mut self, frequency: u32, params: &[Value]) {
        let params = self.list(params);
        let at = self.function.instructions.len() as u32;
        self.function.blocks.push(Block { instructions: at..at, params, edges: 0..0, frequency });
    }

    /// An instruction.
    fn op(&mut self, operands: &[(OperandKind, Value)]) {
        let first = self.function.operands.len() as u32;
        self.function.operands.extend(operands.iter().map(|&(kind, value)| Operand { value, kind }));
        let operands = first..self.function.operands.len() as u32;
        self.function.instructions.push(Instruction { operands, clobbers: RegisterSet::EMPTY });
        self.function.blocks.last_mut().unwrap().instructions.end += 1;
    }

    /// The last instruction destroys all integer registers.
    fn clobber(&mut self) {
        let clobbers = &mut self.function.instructions.last_mut().unwrap().clobbers;
        (0..30).for_each(|number| clobbers.insert(integer(number)));
    }

    fn edge(&mut self, from: usize, to: u32, args: &[Value]) {
        self.edges.push((from, to, args.to_vec()));
    }

    fn values<const N: usize>(&mut self) -> [Value; N] {
        std::array::from_fn(|_| self.function.value(0))
    }

    fn finish(mut self) -> Function {
        self.edges.sort_by_key(|edge| edge.0);
        for (from, to, args) in std::mem::take(&mut self.edges) {
            let args = self.list(&args);
            let first = self.function.edges.len() as u32;
            self.function.edges.push(Edge { to, args });
            let edges = &mut self.function.blocks[from].edges;
            *edges = if edges.start == edges.end { first } else { edges.start }..first + 1;
        }
        self.function
    }
}

fn integer(number: u8) -> Register {
    Register { class: 0, number }
}

fn register(number: u8) -> Location {
    Location::Register(integer(number))
}

/// A machine with some integer registers. Slots below 10 are homes.
fn machine(count: u8) -> Target {
    let scratch = [0, 1].map(|class| Register { class, number: 31 });
    Target { allocatable: [(0..count).map(integer).collect(), Vec::new()], scratch, free_slots: 10..20 }
}

fn allocate(function: &Function, registers: u8) -> Allocation {
    let target = machine(registers);
    let allocation = Allocator::new().allocate(function, &target).unwrap().clone();
    assert_eq!(check(function, &target, &allocation), Ok(()), "{allocation:?}");
    allocation
}

/// A counting loop: the value arrives in a register, is changed each time round, and read behind the loop. A second value
/// arrives in home 3 and is read in the loop.
fn counting() -> Function {
    let mut b = Builder::default();
    let [start, step, counter, next] = b.values();
    b.function.homes[step.0 as usize] = Some(3);
    b.block(1, &[]);
    b.op(&[(DefAt(register(1)), start), (DefAt(Location::Slot(3)), step)]);
    b.block(100, &[counter]);
    b.op(&[(Use, counter), (Use, step), (Def, next)]);
    b.op(&[(Use, next)]);
    b.block(1, &[]);
    b.op(&[(Use, next), (UseAny, step)]);
    b.edge(0, 1, &[start]);
    b.edge(1, 1, &[next]);
    b.edge(1, 2, &[]);
    b.finish()
}

#[test]
fn loop_runs_in_registers() {
    let allocation = allocate(&counting(), 4);
    assert_eq!(allocation.counts, Counts { spilled: 1, splits: 1, loads: 1, ..Counts::default() });
    // The load stands before the loop.
    let [edit] = &allocation.edits[..] else { panic!("{allocation:?}") };
    assert!(edit.point == Point::Edge(0), "{allocation:?}");
    // The counter stays where it arrived.
    assert_eq!(allocation.locations[2], register(1));
    assert_eq!(allocation.locations[4], register(1));
}

#[test]
fn value_in_memory_costs_nothing_until_it_is_read() {
    let mut b = Builder::default();
    let [value] = b.values();
    b.block(1, &[]);
    b.op(&[(DefAt(Location::Slot(3)), value)]);
    b.op(&[(UseAny, value)]);
    let allocation = allocate(&b.finish(), 4);
    assert!(allocation.moves.is_empty());
    assert_eq!(allocation.locations, [Location::Slot(3); 2]);
}

/// An exit that wants a value in its home needs no store, wherever else the value is.
#[test]
fn value_that_is_in_its_home_besides_is_there_for_exits() {
    let mut b = Builder::default();
    let [arrives, stored] = b.values();
    b.function.homes[stored.0 as usize] = Some(5);
    b.block(1, &[]);
    b.op(&[(DefAt(Location::Slot(3)), arrives)]);
    b.op(&[(Def, stored)]);
    (0..3).for_each(|_| b.op(&[(Use, arrives), (Use, stored)]));
    b.op(&[]);
    b.clobber();
    (0..3).for_each(|_| b.op(&[(Use, arrives), (Use, stored)]));
    b.op(&[(UseAny, arrives), (UseAny, stored)]);
    let allocation = allocate(&b.finish(), 4);
    let [.., x, y, p, q] = allocation.locations[..] else { panic!("{allocation:?}") };
    assert!(matches!((x, y), (Location::Register(_), Location::Register(_))), "{allocation:?}");
    assert_eq!((p, q), (Location::Slot(3), Location::Slot(5)));
}

#[test]
fn value_across_a_call_is_stored_once() {
    let mut b = Builder::default();
    let [value] = b.values();
    b.function.homes[0] = Some(5);
    b.block(1, &[]);
    b.op(&[(Def, value)]);
    for _ in 0..2 {
        b.op(&[(Use, value)]);
        b.op(&[]);
        b.clobber();
        b.op(&[(Use, value)]);
        b.op(&[(Use, value)]);
        b.op(&[(Use, value)]);
    }
    let function = b.finish();
    let allocation = allocate(&function, 4);
    let Counts { spilled, stores, loads, copies, .. } = allocation.counts;
    assert_eq!((spilled, stores, loads, copies), (1, 1, 2, 0), "{allocation:?}");
    assert!(allocation.moves.iter().any(|one| one.to == Location::Slot(5)));
    assert_eq!(allocation.slots, 0);
}

/// Values that only an exit wants to know about give way to those that are read.
#[test]
fn value_that_is_not_read_gives_way() {
    let mut b = Builder::default();
    let [idle, a, c] = b.values();
    b.block(1, &[]);
    b.op(&[(DefAt(register(0)), idle), (DefAt(register(1)), a)]);
    b.op(&[(Use, a), (Def, c)]);
    for _ in 0..3 {
        b.op(&[(Use, a), (Use, c)]);
    }
    b.op(&[(UseAny, idle)]);
    let allocation = allocate(&b.finish(), 2);
    assert_eq!(allocation.counts.stores, 1, "{allocation:?}");
    assert_eq!(allocation.counts.loads, 0);
    assert_eq!(allocation.locations.last(), Some(&Location::Slot(10)));
    assert!(allocation.locations[2..10].iter().all(|&one| matches!(one, Location::Register(_))));
}

#[test]
fn definition_shares_the_register_of_its_first_use() {
    let mut b = Builder::default();
    let [x, y, z] = b.values();
    b.block(1, &[]);
    b.op(&[(DefAt(register(2)), x), (DefAt(register(1)), y)]);
    b.op(&[(Use, x), (Use, y), (Def, z)]);
    b.op(&[(Use, z)]);
    let allocation = allocate(&b.finish(), 4);
    assert_eq!(allocation.locations[2..5], [register(2), register(1), register(2)]);
    assert!(allocation.moves.is_empty());
}

#[test]
fn values_of_one_home_share_it_only_in_turn() {
    let mut b = Builder::default();
    let [old, new] = b.values();
    b.function.homes = vec![Some(7), Some(7)];
    b.block(1, &[]);
    b.op(&[(DefAt(Location::Slot(7)), old)]);
    b.op(&[(Def, new)]);
    b.op(&[(UseAny, old), (UseAny, new)]);
    b.clobber();
    b.op(&[(UseAny, new), (UseAny, old)]);
    let function = b.finish();
    let allocation = allocate(&function, 1);
    let slots: Vec<_> = allocation.locations[2..].to_vec();
    assert!(slots[2..] == [Location::Slot(10), Location::Slot(7)], "{allocation:?}");
    let mut target = machine(1);
    target.free_slots = 10..10;
    assert_eq!(Allocator::new().allocate(&function, &target), Err(OutOfSlots));
}

#[test]
fn dead_definition_is_nowhere() {
    let mut b = Builder::default();
    let [value] = b.values();
    b.block(1, &[]);
    b.op(&[(Def, value)]);
    assert_eq!(allocate(&b.finish(), 1).locations, [Location::Nowhere]);
}

#[test]
fn checker_finds_what_is_wrong() {
    let (function, target) = (counting(), machine(4));
    let good = allocate(&function, 4);
    let flaw = |change: &dyn Fn(&mut Allocation)| {
        let mut bad = good.clone();
        change(&mut bad);
        check(&function, &target, &bad)
    };
    assert!(matches!(flaw(&|bad| bad.edits.clear()), Err(Flaw::Operand { .. })));
    assert!(matches!(flaw(&|bad| bad.moves[0].from = register(3)), Err(Flaw::Move { .. })));
    assert!(matches!(flaw(&|bad| bad.moves[0].to = Location::Slot(4)), Err(Flaw::Move { .. })));
    assert!(matches!(flaw(&|bad| bad.moves[0].to = register(1)), Err(Flaw::Operand { .. })));
    assert!(matches!(flaw(&|bad| bad.edits[0].point = Point::Edge(9)), Err(Flaw::Form)));
    assert!(matches!(flaw(&|bad| bad.locations.truncate(3)), Err(Flaw::Form)));
    for (index, operand) in function.operands.iter().enumerate() {
        let result = flaw(&|bad| bad.locations[index] = register(3));
        assert!(result.is_err(), "operand {index}: {operand:?}");
    }
    let mut calls = function.clone();
    calls.instructions[2].clobbers.insert(integer(1));
    assert!(matches!(check(&calls, &target, &good), Err(Flaw::Operand { .. })));
}
