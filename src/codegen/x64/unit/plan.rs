//! What the register allocator is told about a region: operands, what states need, and what the allocator's numbers mean.

use crate::asm::x64::reg::{Cond, Gpr, RDX};
use crate::base::{RegId, FIRST_TEMP};
use crate::codegen::x64::condition;
use crate::codegen::x64::roles::{home, Home, FPR_ROLES, GPR_ROLES};
use crate::ir::ops::Effect;
use crate::ir::{self, IROp};
use crate::opt::func::{self, BlockId, Class, Func, Inst, Node, State, StateId, Term, Value};
use crate::opt::passes::facts::Facts;
use crate::opt::passes::sink::scale;
use crate::opt::{address_of, divides};
use crate::regalloc::{
    Block, Edge, Function, Instruction, Location, Operand, OperandKind, Register, RegisterSet, Target,
};
use std::collections::HashMap;

/// Temporaries of `CpuState` in which a value may be spilled that has no better place. Those below are temporaries of the
/// front end, and room for what is computed where a state is made.
pub(super) const FREE_SLOTS: std::ops::Range<u16> = 112..256;
/// The first of those in which values are computed where a state is made.
pub(super) const FIRST_RECIPE: RegId = 80;
pub(super) const LAST_RECIPE: RegId = 111;

/// What an instruction of the allocator's stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The values of an entry arrive.
    Entry,
    /// The safepoint of the block.
    Safepoint(StateId),
    Inst(Value),
    /// The end of the block.
    End,
}

/// A function for the allocator, and the way back.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub function: Function,
    /// The blocks in their order in the code, and what each instruction is.
    pub order: Vec<BlockId>,
    pub steps: Vec<Step>,
    /// The allocator's number of each value; `NONE` if it has no place.
    pub numbers: Vec<u32>,
}

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// The registers that may be used.
pub(super) fn target() -> Target {
    let mapped = GPR_ROLES.iter().map(|&(_, host)| host);
    let gprs = mapped.chain([RDX]).map(|host| Register { class: 0, number: host.number() }).collect();
    let xmms = FPR_ROLES.iter().map(|&(_, number)| Register { class: 1, number }).collect();
    Target {
        allocatable: [gprs, xmms],
        scratch: [
            Register { class: 0, number: crate::asm::x64::reg::RAX.number() },
            Register { class: 1, number: 0 },
        ],
        free_slots: FREE_SLOTS,
    }
}

/// Where a guest register is while units meet.
pub(super) fn home_location(reg: RegId) -> Location {
    match home(reg) {
        Home::Gpr(host) => Location::Register(Register { class: 0, number: host.number() }),
        Home::Xmm(xmm) => Location::Register(Register { class: 1, number: xmm.number() }),
        _ => Location::Slot(u16::from(reg)),
    }
}

/// The host register of that number.
pub(super) fn gpr(number: u8) -> Gpr {
    Gpr::ALL[usize::from(number & 15)]
}

/// How much is for a value's being in a home, in the order in which that was said first.
#[derive(Debug, Default)]
struct Votes {
    /// Index in `given` of each pair of value and home.
    index: HashMap<(u32, u16), usize>,
    given: Vec<(u32, u16, u64)>,
}

impl Votes {
    fn add(&mut self, number: u32, home: u16, weight: u64) {
        let next = self.given.len();
        let at = *self.index.entry((number, home)).or_insert(next);
        if at == next {
            self.given.push((number, home, 0));
        }
        self.given[at].2 += weight;
    }

    /// The home of each value that has most votes, the first of several.
    fn decide(&self, homes: &mut [Option<u16>]) {
        let mut most = vec![0; homes.len()];
        homes.fill(None);
        for &(number, home, weight) in &self.given {
            let number = number as usize;
            if homes[number].is_none() || weight > most[number] {
                (homes[number], most[number]) = (Some(home), weight);
            }
        }
    }
}

impl Plan {
    pub fn new(func: &Func, facts: &Facts) -> Plan {
        let mut plan = Plan { numbers: vec![NONE; func.insts.len()], ..Plan::default() };
        plan.order = order(func);
        plan.values(func);
        let mut index = vec![0; func.blocks.len()];
        plan.order.iter().enumerate().for_each(|(at, id)| index[id.index()] = at as u32);
        for at in 0..plan.order.len() {
            let id = plan.order[at];
            plan.block((func, facts), id, &index);
        }
        plan
    }

    /// Numbers the values that need a place, with hints.
    fn values(&mut self, func: &Func) {
        let mut args = vec![false; func.insts.len()];
        for phi in func.blocks.iter().flat_map(|block| &block.phis) {
            phi.args.iter().for_each(|arg| args[arg.index()] = true);
        }
        let read = read(func);
        for id in &self.order {
            let block = &func.blocks[id.index()];
            for &value in block.phis.iter().map(|phi| &phi.value).chain(&block.insts) {
                let inst = func.inst(value);
                let defines = match inst.node {
                    // Zero needs no place, unless it is what a phi may be.
                    Node::Op(IROp::Const { imm: 0, .. }) if inst.class == Class::Int => args[value.index()],
                    // Who makes a state makes its numbers.
                    Node::Op(IROp::Const { .. }) => read[value.index()] || args[value.index()],
                    Node::Op(op) => op.def().is_some() && !inst.sunk,
                    Node::Home(_) | Node::Phi => true,
                    Node::Gone => false,
                };
                if defines {
                    let class = match inst.class {
                        Class::Int => 0,
                        Class::Float => 1,
                    };
                    self.numbers[value.index()] = self.function.value(class).0;
                }
            }
        }
        self.wishes(func);
    }

    /// Where values would like to be: what a block leaves with where it is to be then, the arguments of a phi where the phi
    /// is, and what only other states have where the first of them has it.
    fn wishes(&mut self, func: &Func) {
        let mut votes = Votes::default();
        for state in &func.states {
            self.vote(func, state, 0, &mut votes);
        }
        for id in &self.order {
            let block = &func.blocks[id.index()];
            if let Term::Leave { state, .. } = block.term {
                self.vote(func, &func.states[state.0 as usize], block.count.max(1), &mut votes);
            }
        }
        votes.decide(&mut self.function.homes);
        for id in &self.order {
            let block = &func.blocks[id.index()];
            for phi in &block.phis {
                let Some(home) = self.function.homes[self.numbers[phi.value.index()] as usize] else {
                    continue;
                };
                for (arg, pred) in phi.args.iter().zip(&block.preds) {
                    let weight = func.blocks[pred.index()].count.min(block.count).max(1);
                    votes.add(self.numbers[arg.index()], home, weight);
                }
            }
        }
        votes.decide(&mut self.function.homes);
        for (number, home) in self.function.homes.iter().enumerate() {
            let Some(Location::Register(register)) = home.map(|home| home_location(home as RegId)) else {
                continue;
            };
            if register.class == self.function.classes[number] {
                self.function.hints[number] = Some(register);
            }
        }
    }

    /// Votes for the registers that a state has values in.
    fn vote(&self, func: &Func, state: &State, weight: u64, votes: &mut Votes) {
        for (&reg, &value) in func.touched.iter().zip(&state.regs) {
            let number = self.numbers.get(value.index()).copied().unwrap_or(NONE);
            if number != NONE {
                votes.add(number, u16::from(reg), weight);
            }
        }
    }

    fn operand(&mut self, value: Value, kind: OperandKind) {
        if let Some(&number) = self.numbers.get(value.index()) {
            if number != NONE {
                let value = crate::regalloc::Value(number);
                self.function.operands.push(Operand { value, kind });
            }
        }
    }

    fn state(&mut self, func: &Func, state: StateId) {
        for &value in &func.states[state.0 as usize].regs {
            self.wanted(func, value);
        }
    }

    /// A value that a state has: it, or what it is computed from.
    fn wanted(&mut self, func: &Func, value: Value) {
        let inst = func.inst(value);
        if inst.sunk {
            inst.uses().for_each(|arg| self.wanted(func, arg));
        } else {
            self.operand(value, OperandKind::UseAny);
        }
    }

    fn step(&mut self, step: Step, first_operand: usize) {
        self.steps.push(step);
        self.function.instructions.push(Instruction {
            operands: first_operand as u32..self.function.operands.len() as u32,
            clobbers: RegisterSet::EMPTY,
        });
    }

    fn block(&mut self, (func, facts): (&Func, &Facts), id: BlockId, index: &[u32]) {
        let block = &func.blocks[id.index()];
        let first = self.function.instructions.len() as u32;
        if block.entry {
            let at = self.function.operands.len();
            for &value in &block.insts {
                if let Node::Home(reg) = func.inst(value).node {
                    self.operand(value, OperandKind::DefAt(home_location(reg)));
                }
            }
            self.step(Step::Entry, at);
        }
        if let Some(state) = block.safepoint {
            let at = self.function.operands.len();
            self.state(func, state);
            self.step(Step::Safepoint(state), at);
        }
        for &value in &block.insts {
            let inst = func.inst(value);
            let unread =
                matches!(inst.node, Node::Op(IROp::Const { .. })) && self.numbers[value.index()] == NONE;
            if inst.sunk || unread || !matches!(inst.node, Node::Op(_)) {
                continue;
            }
            let at = self.function.operands.len();
            for arg in reads(func, inst) {
                self.operand(arg, OperandKind::Use);
            }
            if let Some(state) = inst.state.filter(|_| gives_up(facts, inst)) {
                self.state(func, state);
            }
            self.operand(value, OperandKind::Def);
            self.step(Step::Inst(value), at);
            if let (true, Some(last)) = (takes_rdx(inst), self.function.instructions.last_mut()) {
                last.clobbers.insert(Register { class: 0, number: RDX.number() });
            }
        }
        let at = self.function.operands.len();
        match &block.term {
            Term::Goto(_) => {}
            Term::Branch { cond, args, .. } => {
                let reads = Comparison::new(func, *cond, *args).reads();
                reads.for_each(|arg| self.operand(arg, OperandKind::Use));
            }
            Term::Leave { state, temps, .. } => {
                self.state(func, *state);
                for &(_, temp) in temps {
                    self.wanted(func, temp);
                }
            }
        }
        self.step(Step::End, at);
        let instructions = first..self.function.instructions.len() as u32;
        let params = self.list(block.phis.iter().map(|phi| phi.value));
        let edges = self.function.edges.len() as u32;
        for to in block.succs() {
            let target = &func.blocks[to.index()];
            let place = target.preds.iter().position(|&pred| pred == id).unwrap_or(0);
            let args = self.list(target.phis.iter().map(|phi| phi.args[place]));
            self.function.edges.push(Edge { to: index[to.index()], args });
        }
        let edges = edges..self.function.edges.len() as u32;
        let frequency = u32::try_from(count(func, block)).unwrap_or(u32::MAX).max(1);
        self.function.blocks.push(Block { instructions, params, edges, frequency });
    }

    fn list(&mut self, values: impl Iterator<Item = Value>) -> std::ops::Range<u32> {
        let first = self.function.lists.len() as u32;
        for value in values {
            self.function.lists.push(crate::regalloc::Value(self.numbers[value.index()]));
        }
        first..self.function.lists.len() as u32
    }
}

/// How often a block ran. What leads into the region ran as often as the block it leads to was not come to otherwise.
fn count(func: &Func, block: &func::Block) -> u64 {
    let Term::Goto(to) = block.term else { return block.count };
    if !block.entry {
        return block.count;
    }
    let to_block = &func.blocks[to.index()];
    let from = |pred: &BlockId| {
        let pred = &func.blocks[pred.index()];
        let all: u64 = pred.succs().map(|id| func.blocks[id.index()].count.max(1)).sum();
        if pred.entry {
            0
        } else {
            pred.count * to_block.count.max(1) / all.max(1)
        }
    };
    to_block.count.saturating_sub(to_block.preds.iter().map(from).sum()).max(block.count)
}

/// The values that the code of an instruction reads: its operands, but for an address that is a sunk sum its summands.
pub(super) fn reads(func: &Func, inst: &Inst) -> impl Iterator<Item = Value> {
    let [a, b, c] = inst.args;
    let mut reads = [a, b, c, Value::NONE];
    if let Some((at, sum)) = folded(func, inst) {
        let [x, y, _] = func.inst(sum).args;
        reads[at] = x;
        reads[3] = y;
    }
    reads.into_iter().filter(|&value| value != Value::NONE)
}

/// A comparison as it is made: of two numbers, or of one and a number that is part of the instruction.
pub(super) struct Comparison {
    pub cond: Cond,
    pub first: Value,
    pub second: Result<i32, Value>,
}

impl Comparison {
    pub fn new(func: &Func, cond: ir::Cond, [a, b]: [Value; 2]) -> Comparison {
        let number = |value| func.constant(value).and_then(|number| i32::try_from(number.cast_signed()).ok());
        let swapped = match cond {
            ir::Cond::Eq => Cond::E,
            ir::Cond::Ne => Cond::Ne,
            ir::Cond::Lt => Cond::G,
            ir::Cond::Ge => Cond::Le,
            ir::Cond::Ltu => Cond::A,
            ir::Cond::Geu => Cond::Be,
        };
        let cond = condition(cond);
        match (number(a), number(b)) {
            (_, Some(number)) => Comparison { cond, first: a, second: Ok(number) },
            (Some(number), None) => Comparison { cond: swapped, first: b, second: Ok(number) },
            (None, None) => Comparison { cond, first: a, second: Err(b) },
        }
    }

    /// What has to be somewhere.
    pub fn reads(&self) -> impl Iterator<Item = Value> {
        [Some(self.first), self.second.err()].into_iter().flatten()
    }
}

/// The operand that is the address, and the sum that the access does itself, if it does one.
pub(super) fn folded(func: &Func, inst: &Inst) -> Option<(usize, Value)> {
    let Node::Op(op) = inst.node else { return None };
    let at = address_of(&op)?;
    let base = inst.args[at];
    let sum = func.insts.get(base.index())?;
    let Node::Op(sum_op) = sum.node else { return None };
    (sum.sunk && scale(&sum_op).is_some()).then_some((at, base))
}

/// Whether the code of an instruction needs rdx for itself.
pub(super) fn takes_rdx(inst: &Inst) -> bool {
    let Node::Op(op) = inst.node else { return false };
    divides(&op) || matches!(op, IROp::MulH { .. } | IROp::MulHU { .. } | IROp::MulHSU { .. })
}

/// Which values operations and the ends of blocks read, in whatever way.
fn read(func: &Func) -> Vec<bool> {
    let mut read = vec![false; func.insts.len()];
    for id in func.reached() {
        let block = &func.blocks[id.index()];
        let args = block.insts.iter().flat_map(|&value| func.inst(value).uses());
        args.for_each(|arg| read[arg.index()] = true);
        match &block.term {
            Term::Goto(_) => {}
            Term::Branch { cond, args, .. } => {
                let reads = Comparison::new(func, *cond, *args).reads();
                reads.for_each(|arg| read[arg.index()] = true);
            }
            Term::Leave { temps, .. } => temps.iter().for_each(|(_, temp)| read[temp.index()] = true),
        }
    }
    read
}

/// Whether the code of an instruction may fault or give up, so that it needs its state.
pub(super) fn gives_up(facts: &Facts, inst: &Inst) -> bool {
    let Node::Op(op) = inst.node else { return false };
    // Of singles, operands that are not boxed are given up.
    let boxed = || inst.uses().all(|arg| facts.boxed[arg.index()]);
    match op {
        // These never do: what differs from the guest's result is a NaN, and mended.
        IROp::AddF64 { .. }
        | IROp::SubF64 { .. }
        | IROp::MulF64 { .. }
        | IROp::DivF64 { .. }
        | IROp::SqrtF64 { .. }
        | IROp::I32ToF64 { .. }
        | IROp::U32ToF64 { .. }
        | IROp::I64ToF64 { .. }
        | IROp::F64ToF32 { .. }
        | IROp::I32ToF32 { .. }
        | IROp::U32ToF32 { .. }
        | IROp::I64ToF32 { .. }
        | IROp::SignF64 { .. }
        | IROp::SignNotF64 { .. }
        | IROp::SignXorF64 { .. }
        | IROp::ReadFlags { .. }
        | IROp::WriteFlags { .. }
        | IROp::ReadRound { .. }
        | IROp::Fence {} => false,
        IROp::AddF32 { .. }
        | IROp::SubF32 { .. }
        | IROp::MulF32 { .. }
        | IROp::DivF32 { .. }
        | IROp::SqrtF32 { .. }
        | IROp::F32ToF64 { .. }
        | IROp::EqF32 { .. }
        | IROp::SignF32 { .. }
        | IROp::SignNotF32 { .. }
        | IROp::SignXorF32 { .. } => !boxed(),
        IROp::LtF32 { .. } | IROp::LeF32 { .. } => inst.strict || !boxed(),
        IROp::LtF64 { .. } | IROp::LeF64 { .. } => inst.strict,
        IROp::EqF64 { .. } => false,
        _ => op.info().effect != Effect::Pure || inst.state.is_some(),
    }
}

/// The order of blocks in the code: as they stand, but for those that leave, which come last.
fn order(func: &Func) -> Vec<BlockId> {
    let leaves = |id: &BlockId| {
        let block = &func.blocks[id.index()];
        matches!(block.term, Term::Leave { .. }) && block.cost == 0
    };
    let (mut inner, mut outer) = (Vec::new(), Vec::new());
    for id in func.reached() {
        if leaves(&id) {
            outer.push(id);
        } else {
            inner.push(id);
        }
    }
    inner.extend(outer);
    inner
}

const _: () = assert!(FIRST_RECIPE > FIRST_TEMP && (LAST_RECIPE as u16) < FREE_SLOTS.start);
