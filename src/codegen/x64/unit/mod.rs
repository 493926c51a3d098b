//! Code of a region: the lowering of FastJit, each operation with its operands where the register allocator put them.
//!
//! ```text
//!   Func --plan--> regalloc::Function --allocate--> locations, moves
//!        --emit--> code; exits (every register goes home, then the terminator of any block); recipes of states
//! ```
//!
//! Layout: blocks in the order of the plan, moves of edges inline where control is likely, else behind; then exits, slow
//! paths and stubs.
//!
//! Fuel: a block with a safepoint takes what the longest way from it to the next safepoint costs. Where a shorter way is
//! taken, the difference is given back at once. If it does not suffice, nothing of the block is done.

mod exits;
mod packed;
mod plan;
mod probe;
mod recipe;
mod seat;

use super::snippets::{Snippets, STUB_NUMBER};
use super::{ColdKind, Lower, Raw, Request, Upper};
use crate::asm::x64::reg::*;
use crate::asm::x64::{Assembler, Mem, Size};
use crate::asm::Label;
use crate::base::{GuestAddr, RegId};
use crate::codegen::x64::roles::{self, slot, Home};
use crate::codegen::x64::rotate::PutOff;
use crate::codegen::x64::thunks::state as field;
use crate::codegen::{exit, Bail, LinkSite};
use crate::ir::ops::Operand;
use crate::ir::IROp;
use crate::opt::func::{BlockId, Class, Func, Inst, Node, StateId, Term, Value};
use crate::opt::passes::facts::{facts, Facts};
use crate::opt::passes::sink::scale;
use crate::regalloc::moves::Sequencer;
use crate::regalloc::{Allocation, Allocator, Location, Move, Point};
pub use packed::Recipes;
use plan::{Comparison, Plan, Step};
pub use probe::{mapped, Probe};
pub use recipe::{Place, Recipe};
use std::ops::Range;

/// Code of a region, not placed yet.
#[derive(Clone, Debug, Default)]
pub struct UnitObject {
    pub bytes: Vec<u8>,
    /// Guest addresses at which it can be entered, and where their code begins. Multiples of 16.
    pub entries: Vec<(GuestAddr, u32)>,
    /// Numbered from `first_link` of the request; see [`UnitObject::number_links`].
    pub links: Vec<LinkSite>,
    /// What the guest's state is if code at an offset faults.
    pub recipes: Recipes,
    pub listing: String,
    /// With a listing: which of the code that is likely to run is whose, in ascending order. Moves are nobody's.
    pub origins: Vec<(Origin, Range<u32>)>,
}

/// What some code was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Value(Value),
    End(BlockId),
}

impl UnitObject {
    /// Numbers the links from `first` on: how many there are before it is known only where the code is published.
    pub fn number_links(&mut self, first: u32) {
        for (number, link) in (first..).zip(&self.links) {
            // Until it is made, a link leads to its stub.
            let field = link.field as usize;
            let distance = self.bytes[field..].first_chunk().map_or(0, |bytes| i32::from_le_bytes(*bytes));
            let stub = (field + 4).wrapping_add_signed(distance as isize);
            self.bytes[stub + STUB_NUMBER..][..4].copy_from_slice(&number.to_le_bytes());
        }
    }
}

/// What is emitted behind the blocks.
#[derive(Clone, Copy, Debug)]
enum Behind {
    /// Moves of an edge, and back to the block.
    Edge { label: Label, edge: u32, fuel: u32, to: BlockId },
    /// Leaves since an operation gave up.
    GiveUp { label: Label, step: u32, state: StateId },
    /// Where a call that was followed is returned to from outside.
    Return { label: Label, return_to: GuestAddr },
    /// Leaves since the fuel does not suffice.
    NoFuel { label: Label, step: u32, state: StateId },
}

struct Emitter<'a, 'b> {
    lower: Lower<'b>,
    func: &'a Func,
    facts: &'a Facts,
    plan: &'a Plan,
    allocation: &'a Allocation,
    /// Label of every block, by its number.
    labels: Vec<Label>,
    /// Fuel of the longest way from the start of each block to a safepoint or out.
    longest: Vec<u32>,
    /// The next edit.
    edit: usize,
    /// Edits of edges, by edge.
    edge_edits: Vec<Option<u32>>,
    behind: Vec<Behind>,
    entries: Vec<(GuestAddr, u32)>,
    recipes: packed::Packer,
    origins: Vec<(Origin, Range<u32>)>,
    sequencer: Sequencer,
    /// Step and state of the operation at hand.
    at: (u32, Option<StateId>),
}

/// Generates the code of a region.
///
/// # Errors
/// A [`Bail`]; the region has no code then.
pub fn compile_unit(func: &Func, allocator: &mut Allocator, request: &Request) -> Result<UnitObject, Bail> {
    let facts = facts(func);
    let plan = Plan::new(func, &facts);
    let target = plan::target();
    let allocation = allocator.allocate(&plan.function, &target).map_err(|_| Bail::Registers)?;
    debug_assert_eq!(crate::regalloc::check::check(&plan.function, &target, allocation), Ok(()));
    let mut asm = if request.listing { Assembler::with_listing() } else { Assembler::new() };
    let mut links = Vec::new();
    let (entries, recipes, origins) = {
        let (mut marks, mut pcs, mut pending, mut repairs, mut cold) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut failed = |_: IROp| 0;
        let snippets = Snippets::default();
        let lower = Lower {
            asm: &mut asm,
            request,
            keep: &mut failed,
            cost: 0,
            mark: 0,
            marks: &mut marks,
            pcs: &mut pcs,
            pending: &mut pending,
            repairs: &mut repairs,
            links: &mut links,
            cold: &mut cold,
            upper: Upper::UNKNOWN,
            put_off: PutOff::default(),
            raw: Raw::default(),
            boxed: 0,
            resync: false,
            local: Some([Home::Zero; 64]),
            kept: Vec::new(),
            failed: false,
            low: false,
            strict: false,
            back: None,
            free: false,
            snippets: &snippets,
        };
        let mut emitter = Emitter::new(lower, func, &facts, &plan, allocation);
        emitter.run()?;
        (emitter.entries, emitter.recipes.finish(), emitter.origins)
    };
    let code = asm.finish().map_err(Bail::Assembler)?;
    let listing = if request.listing { code.listing().to_string() } else { String::new() };
    Ok(UnitObject { bytes: code.into_bytes(), entries, links, recipes, listing, origins })
}

impl<'a, 'b> Emitter<'a, 'b> {
    fn new(
        lower: Lower<'b>,
        func: &'a Func,
        facts: &'a Facts,
        plan: &'a Plan,
        allocation: &'a Allocation,
    ) -> Emitter<'a, 'b> {
        let labels = func.blocks.iter().map(|_| lower.asm.new_label()).collect();
        let mut edge_edits = vec![None; plan.function.edges.len()];
        for (index, edit) in allocation.edits.iter().enumerate() {
            if let Point::Edge(edge) = edit.point {
                edge_edits[edge as usize] = Some(index as u32);
            }
        }
        Emitter {
            lower,
            func,
            facts,
            plan,
            allocation,
            labels,
            longest: longest(func),
            edit: 0,
            edge_edits,
            behind: Vec::new(),
            entries: Vec::new(),
            recipes: packed::Packer::default(),
            origins: Vec::new(),
            sequencer: Sequencer::default(),
            at: (0, None),
        }
    }

    fn run(&mut self) -> Result<(), Bail> {
        for at in 0..self.plan.order.len() {
            let id = self.plan.order[at];
            let steps = self.plan.function.blocks[at].instructions.clone();
            if self.func.blocks[id.index()].is_found() {
                self.align(16);
                self.entries.push((self.func.blocks[id.index()].pc, self.lower.here()));
            }
            self.lower.asm.bind(self.labels[id.index()]);
            for step in steps {
                self.step(id, at, step)?;
            }
        }
        let mut done = 0;
        loop {
            self.lower.cold_code();
            self.lower.cold.clear();
            // Slow paths set it as each needs it.
            self.lower.local = Some([Home::Zero; 64]);
            if done == self.behind.len() {
                break;
            }
            while done < self.behind.len() {
                let behind = self.behind[done];
                done += 1;
                self.behind(behind)?;
            }
        }
        match self.lower.failed {
            true => Err(Bail::Operation),
            false => Ok(()),
        }
    }

    fn align(&mut self, to: usize) {
        let over = self.lower.asm.offset() % to;
        if over != 0 {
            self.lower.asm.nop(to - over);
        }
    }

    /// Emits the moves before a step.
    fn edits(&mut self, step: u32) {
        while let Some(edit) = self.allocation.edits.get(self.edit) {
            match edit.point {
                Point::Before(at) if at <= step => self.moves(self.edit),
                Point::Before(_) => break,
                Point::Edge(_) => {}
            }
            self.edit += 1;
        }
    }

    fn moves(&mut self, edit: usize) {
        let range = self.allocation.edits[edit].moves.clone();
        for at in range {
            self.one_move(self.allocation.moves[at as usize]);
        }
    }

    /// A move of 8 bytes. Flags are not changed.
    fn one_move(&mut self, Move { from, to }: Move) {
        let asm = &mut self.lower.asm;
        match (from, to) {
            (Location::Register(from), Location::Register(to)) if from.class == 0 && to.class == 0 => {
                asm.mov_rr(Size::S64, plan::gpr(to.number), plan::gpr(from.number));
            }
            (Location::Register(from), Location::Register(to)) if from.class == 1 && to.class == 1 => {
                asm.movaps_xx(xmm(to.number), xmm(from.number));
            }
            (Location::Register(from), Location::Register(to)) if from.class == 0 => {
                asm.movq_xr(xmm(to.number), plan::gpr(from.number));
            }
            (Location::Register(from), Location::Register(to)) => {
                asm.movq_rx(plan::gpr(to.number), xmm(from.number));
            }
            (Location::Register(from), Location::Slot(to)) if from.class == 0 => {
                asm.mov_mr(Size::S64, cell(to), plan::gpr(from.number));
            }
            (Location::Register(from), Location::Slot(to)) => asm.movsd_mx(cell(to), xmm(from.number)),
            (Location::Slot(from), Location::Register(to)) if to.class == 0 => {
                asm.mov_rm(Size::S64, plan::gpr(to.number), cell(from));
            }
            (Location::Slot(from), Location::Register(to)) => asm.movsd_xm(xmm(to.number), cell(from)),
            (Location::Slot(from), Location::Slot(to)) => {
                asm.mov_rm(Size::S64, RAX, cell(from));
                asm.mov_mr(Size::S64, cell(to), RAX);
            }
            (Location::Nowhere, _) | (_, Location::Nowhere) => {}
        }
    }

    /// Location of a value among the operands of a step.
    fn location(&self, step: u32, value: Value) -> Option<Location> {
        let number = *self.plan.numbers.get(value.index())?;
        let operands = self.plan.function.instructions[step as usize].operands.clone();
        operands
            .map(|at| at as usize)
            .find(|&at| self.plan.function.operands[at].value.0 == number && number != plan::NONE)
            .map(|at| self.allocation.locations[at])
    }

    /// Whether no other value that a step reads, or its state has, is where its result goes.
    fn is_free(&self, step: u32, value: Value) -> bool {
        let operands = self.plan.function.instructions[step as usize].operands.clone();
        let Some(result) = self.location(step, value) else { return true };
        let own = self.plan.numbers[value.index()];
        operands.map(|at| at as usize).all(|at| {
            self.plan.function.operands[at].value.0 == own || self.allocation.locations[at] != result
        })
    }

    fn step(&mut self, id: BlockId, at: usize, step: u32) -> Result<(), Bail> {
        self.edits(step);
        match self.plan.steps[step as usize] {
            Step::Entry => Ok(()),
            Step::Safepoint(state) => {
                let label = self.lower.asm.new_label();
                self.lower.asm.sub_ri(Size::S64, roles::FUEL, self.longest[id.index()] as i32);
                self.lower.asm.jcc(Cond::B, label);
                self.behind.push(Behind::NoFuel { label, step, state });
                Ok(())
            }
            Step::Inst(value) => {
                let from = self.lower.here();
                self.inst(step, value)?;
                self.origin(Origin::Value(value), from);
                Ok(())
            }
            Step::End => {
                let from = self.lower.here();
                self.end(id, at, step)?;
                self.origin(Origin::End(id), from);
                Ok(())
            }
        }
    }

    /// Remembers what the code from an offset on was made from.
    fn origin(&mut self, origin: Origin, from: u32) {
        if self.lower.request.listing {
            self.origins.push((origin, from..self.lower.here()));
        }
    }

    fn inst(&mut self, step: u32, value: Value) -> Result<(), Bail> {
        let inst = self.func.inst(value);
        let Node::Op(op) = inst.node else { return Ok(()) };
        if let IROp::Fence {} = op {
            self.lower.asm.mfence();
            return Ok(());
        }
        let state = inst.state.filter(|_| plan::gives_up(self.facts, inst));
        self.at = (step, state);
        let mut seats = Seats::default();
        let op = self.seat(&mut seats, step, value, inst, op)?;
        let from = self.lower.here();
        let first_cold = self.lower.cold.len();
        self.lower.strict = inst.strict;
        self.lower.free = self.is_free(step, value);
        self.lower.low = self.facts.narrow[value.index()] && !self.facts.wanted[value.index()];
        match op {
            Seated::Plain(op @ IROp::Copy { src, .. }) => {
                // Also if it is its own destination.
                self.lower.mend_slots(&op);
                self.lower.mend(src);
                self.lower.unit_operation(&op);
            }
            Seated::Plain(op) => self.lower.unit_operation(&op),
            Seated::Indexed { scale, index, base, op } => {
                self.lower.unit_indexed(scale, index, base, &op);
            }
        }
        (self.lower.low, self.lower.strict) = (false, false);
        // What the next reader wants whole is made whole here.
        if self.facts.wanted.get(value.index()) == Some(&true) {
            self.lower.extend_all_defined(seats.dst);
        }
        let to = self.lower.here();
        if first_cold < self.lower.cold.len() {
            self.lower.kept.push(self.lower.local.unwrap_or([Home::Zero; 64]));
        }
        let kept = (self.lower.kept.len() as u32).wrapping_sub(1);
        for at in first_cold..self.lower.cold.len() {
            self.lower.cold[at].kept = kept;
            if let ColdKind::Helper { .. } = self.lower.cold[at].kind {
                let label = self.lower.cold[at].entry;
                self.lower.cold[at].kind = ColdKind::Elsewhere;
                match state {
                    Some(state) => self.behind.push(Behind::GiveUp { label, step, state }),
                    // Nothing leads there.
                    None => self.lower.asm.bind(label),
                }
            }
        }
        if let (Some(state), true) = (state, crate::opt::may_fault(&op_of(inst))) {
            let recipe = self.recipe(step, state)?;
            self.recipes.push(from, to, &recipe);
        }
        Ok(())
    }

    /// Seats the operands of an instruction in the registers that stand for them.
    fn seat(
        &mut self,
        seats: &mut Seats,
        step: u32,
        value: Value,
        inst: &Inst,
        mut op: IROp,
    ) -> Result<Seated, Bail> {
        let lower = &mut self.lower;
        (lower.upper, lower.raw, lower.boxed) = (Upper::UNKNOWN, Raw::default(), 0);
        lower.put_off = PutOff::default();
        let fold = plan::folded(self.func, inst);
        let mut regs = [0; 3];
        for (at, &arg) in inst.args.iter().enumerate().filter(|(_, arg)| **arg != Value::NONE) {
            if fold.is_some_and(|(place, _)| place == at) {
                continue;
            }
            regs[at] = self.source(seats, step, arg)?;
        }
        let mut indexed = None;
        if let Some((_, sum)) = fold {
            let sum = self.func.inst(sum);
            let Node::Op(sum_op) = sum.node else { return Err(Bail::Operation) };
            let index = self.source(seats, step, sum.args[0])?;
            let base = self.source(seats, step, sum.args[1])?;
            indexed = Some((scale(&sum_op).unwrap_or(0), index, base));
        }
        if op.def().is_some() {
            seats.dst = Some(self.destination(seats, step, value, inst.class)?);
        }
        let mut at = 0;
        op.operands(&mut |operand| match operand {
            Operand::Def(reg) => *reg = seats.dst.unwrap_or(0),
            Operand::Use(reg) => {
                *reg = regs[at];
                at += 1;
            }
            _ => {}
        });
        Ok(match indexed {
            None => Seated::Plain(op),
            Some((scale, index, base)) => Seated::Indexed { scale, index, base, op },
        })
    }

    /// The register that stands for a value that the step reads.
    fn source(&mut self, seats: &mut Seats, step: u32, value: Value) -> Result<RegId, Bail> {
        if self.func.constant(value) == Some(0) && self.func.inst(value).class == Class::Int {
            return Ok(0);
        }
        let location = self.location(step, value).ok_or(Bail::Operation)?;
        let class = self.func.inst(value).class;
        let reg = seats.of(location, class);
        self.lower.seat(reg, location);
        let (narrow, whole) = (self.facts.narrow[value.index()], self.facts.wanted[value.index()]);
        if class == Class::Int {
            if narrow {
                match whole {
                    true => self.lower.narrow(reg),
                    false => self.lower.pend(reg),
                }
            }
        } else {
            self.lower.mark_float(reg, self.facts.raw[value.index()], self.facts.boxed[value.index()]);
        }
        Ok(reg)
    }

    fn destination(
        &mut self,
        seats: &mut Seats,
        step: u32,
        value: Value,
        class: Class,
    ) -> Result<RegId, Bail> {
        let location = self.location(step, value).unwrap_or(Location::Nowhere);
        // What nobody reads goes to a scratch cell.
        let location = match location {
            Location::Nowhere => Location::Slot(u16::from(plan::LAST_RECIPE)),
            location => location,
        };
        let reg = seats.of(location, class);
        if !seats.was_known(reg) {
            self.lower.seat(reg, location);
        }
        Ok(reg)
    }

    fn end(&mut self, id: BlockId, at: usize, step: u32) -> Result<(), Bail> {
        let func = self.func;
        let block = &func.blocks[id.index()];
        let edges = self.plan.function.blocks[at].edges.clone();
        let next = self.plan.order.get(at + 1).copied();
        match &block.term {
            Term::Goto(to) => {
                self.edge_inline(id, edges.start, *to);
                self.go(*to, next);
                Ok(())
            }
            Term::Branch { cond, args, taken, fallthrough } => {
                let cond = self.compare(step, *cond, *args)?;
                let count = |id: &BlockId| func.blocks[id.index()].count;
                let work = |edge: u32, to: BlockId| {
                    self.edge_edits[edge as usize].is_some() || self.refund(id, to) > 0
                };
                let taken_is_hot = count(taken) >= count(fallthrough);
                let (hot, cold, to_hot) = match taken_is_hot {
                    true => ((edges.start, *taken), (edges.start + 1, *fallthrough), cond),
                    false => ((edges.start + 1, *fallthrough), (edges.start, *taken), cond.inverted()),
                };
                // The way that is jumped to, on a condition, and the one that follows.
                let ((away, far), (edge, near), cond) = match next == Some(hot.1) || work(hot.0, hot.1) {
                    true => (cold, hot, to_hot.inverted()),
                    false => (hot, cold, to_hot),
                };
                if work(away, far) {
                    let label = self.lower.asm.new_label();
                    self.lower.asm.jcc(cond, label);
                    let fuel = self.refund(id, far);
                    self.behind.push(Behind::Edge { label, edge: away, fuel, to: far });
                } else {
                    self.lower.asm.jcc(cond, self.labels[far.index()]);
                }
                self.edge_inline(id, edge, near);
                self.go(near, next);
                Ok(())
            }
            Term::Leave { term, state, temps } => self.leave(id, step, *term, *state, temps),
        }
    }

    /// Fuel to give back on the way from one block to another.
    fn refund(&self, from: BlockId, to: BlockId) -> u32 {
        let rest = self.longest[from.index()] - self.func.blocks[from.index()].cost;
        let target = &self.func.blocks[to.index()];
        match target.safepoint {
            Some(_) => rest,
            None => rest.saturating_sub(self.longest[to.index()]),
        }
    }

    fn edge_inline(&mut self, from: BlockId, edge: u32, to: BlockId) {
        // An entry has taken nothing.
        let fuel = if self.func.blocks[from.index()].entry { 0 } else { self.refund(from, to) };
        self.edge(edge, fuel);
    }

    fn edge(&mut self, edge: u32, fuel: u32) {
        if let Some(edit) = self.edge_edits[edge as usize] {
            self.moves(edit as usize);
        }
        self.give_back(fuel);
    }

    fn give_back(&mut self, fuel: u32) {
        if fuel > 0 {
            self.lower.asm.lea_rm(Size::S64, roles::FUEL, Mem::base(roles::FUEL).disp(fuel as i32));
        }
    }

    fn go(&mut self, to: BlockId, next: Option<BlockId>) {
        if next != Some(to) {
            self.lower.asm.jmp(self.labels[to.index()]);
        }
    }

    /// Compares two values; returns the condition to test.
    fn compare(&mut self, step: u32, cond: crate::ir::Cond, args: [Value; 2]) -> Result<Cond, Bail> {
        let lower = &mut self.lower;
        (lower.upper, lower.raw, lower.boxed) = (Upper::UNKNOWN, Raw::default(), 0);
        let narrow = |value: Value| self.facts.narrow[value.index()];
        let size = if args.into_iter().all(narrow) { Size::S32 } else { Size::S64 };
        let mut seats = Seats::default();
        let Comparison { cond, first, second } = Comparison::new(self.func, cond, args);
        let x = self.source(&mut seats, step, first)?;
        let y = match second {
            Ok(_) => 0,
            Err(second) => self.source(&mut seats, step, second)?,
        };
        // Whether upper halves are there is the size's business.
        self.lower.upper.pending = 0;
        let Ok(number) = second else {
            let x = self.lower.sized(size, x, RAX);
            match self.lower.operand_sized(size, y, RCX) {
                super::Source::Gpr(y) => self.lower.asm.cmp_rr(size, x, y),
                super::Source::Mem(y) => self.lower.asm.cmp_rm(size, x, y),
            }
            return Ok(cond);
        };
        if let Home::Slot(at) = self.lower.home(x) {
            self.lower.asm.cmp_mi(size, field(at), number);
            return Ok(cond);
        }
        let x = self.lower.sized(size, x, RAX);
        if number != 0 {
            self.lower.asm.cmp_ri(size, x, number);
            return Ok(cond);
        }
        self.lower.asm.test_rr(size, x, x);
        Ok(match cond {
            // Against zero, the sign says it (test clears OF and CF).
            Cond::L => Cond::S,
            Cond::Ge => Cond::Ns,
            cond => cond,
        })
    }

    fn behind(&mut self, behind: Behind) -> Result<(), Bail> {
        match behind {
            Behind::Return { label, return_to } => {
                self.lower.asm.bind(label);
                self.lower.returned(return_to);
                Ok(())
            }
            Behind::Edge { label, edge, fuel, to } => {
                self.lower.asm.bind(label);
                self.edge(edge, fuel);
                self.lower.asm.jmp(self.labels[to.index()]);
                Ok(())
            }
            Behind::GiveUp { label, step, state } => {
                self.lower.asm.bind(label);
                let at = &self.func.states[state.0 as usize];
                let (pc, fuel) = (at.pc, self.longest[at.block.index()] - at.begun);
                let block = &self.func.blocks[at.block.index()];
                self.go_home(step, state, &[])?;
                self.give_back(fuel);
                self.push_frames(&block.frames);
                // The interpreter does the rest of the guest's block.
                let rest = i32::try_from(block.reserve - at.begun).map_err(|_| Bail::TooLarge)?;
                self.lower.asm.mov_mi(Size::S64, field(roles::EXIT_VALUE), rest);
                self.lower.leave_at(pc, exit::GIVE_UP);
                Ok(())
            }
            Behind::NoFuel { label, step, state } => {
                self.lower.asm.bind(label);
                let at = &self.func.states[state.0 as usize];
                let (pc, fuel) = (at.pc, self.longest[at.block.index()]);
                let frames = &self.func.blocks[at.block.index()].frames;
                self.go_home(step, state, &[])?;
                self.give_back(fuel);
                self.push_frames(frames);
                self.lower.leave_at(pc, exit::SLICE);
                Ok(())
            }
        }
    }
}

/// The registers that stand for locations: who is where is who it is.
#[derive(Debug, Default)]
struct Seats {
    taken: Vec<(Location, RegId, bool)>,
    dst: Option<RegId>,
}

impl Seats {
    /// Integers are 1 to 8, floating-point numbers 33 to 40.
    fn of(&mut self, location: Location, class: Class) -> RegId {
        for known in &mut self.taken {
            if known.0 == location {
                known.2 = true;
                return known.1;
            }
        }
        let base = if class == Class::Int { 1 } else { 33 };
        let reg = base + self.taken.len() as RegId;
        self.taken.push((location, reg, false));
        reg
    }

    fn was_known(&self, reg: RegId) -> bool {
        self.taken.iter().any(|known| known.1 == reg && known.2)
    }
}

/// An operation on the registers that stand for its operands.
enum Seated {
    Plain(IROp),
    Indexed { scale: u8, index: RegId, base: RegId, op: IROp },
}

fn op_of(inst: &Inst) -> IROp {
    match inst.node {
        Node::Op(op) => op,
        _ => IROp::Fence {},
    }
}

fn xmm(number: u8) -> Xmm {
    Xmm::ALL[usize::from(number & 15)]
}

/// A spill slot.
fn cell(number: u16) -> Mem {
    field(slot(number as RegId))
}

/// Fuel of the longest way from each block to a safepoint or out of the region.
fn longest(func: &Func) -> Vec<u32> {
    let mut longest = vec![0; func.blocks.len()];
    let mut seen = vec![false; func.blocks.len()];
    let without = |to: &BlockId| func.blocks[to.index()].safepoint.is_none();
    for first in func.reached() {
        // What a block goes on to comes first. No way without a safepoint comes back to where it began, whatever order
        // the blocks are in.
        let mut path = if seen[first.index()] { Vec::new() } else { vec![(first, 0)] };
        seen[first.index()] = true;
        while let Some((id, next)) = path.pop() {
            let block = &func.blocks[id.index()];
            if let Some(to) = block.succs().filter(without).nth(next) {
                path.push((id, next + 1));
                if !std::mem::replace(&mut seen[to.index()], true) {
                    path.push((to, 0));
                }
                continue;
            }
            let after = block.succs().filter(without).map(|to| longest[to.index()]).max();
            longest[id.index()] = block.reserve.max(block.cost + after.unwrap_or(0));
        }
    }
    longest
}
