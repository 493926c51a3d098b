//! From a region to SSA form: the guest's registers become values, block by block in reverse postorder. Where ways meet
//! every register gets a phi; those that turn out to be one value are removed at the end (`passes::phis`).

use super::divides;
use super::func::{Block, BlockId, Class, Func, Inst, Node, Phi, State, StateId, Term, Value};
use super::passes::number::reverse_postorder;
use super::region::{EdgeKind, Recording, Region, RegionBlock};
use super::simplify::{condition, simplify, Simple};
use crate::base::{GuestAddr, RegId, FIRST_FLOAT, FIRST_TEMP, REGISTERS};
use crate::ir::ops::{Effect, Operand};
use crate::ir::{Cond, IRBlock, IROp, Terminator};

/// What the host says about building.
pub struct Host<'a> {
    /// Whether an operation has code of its own there.
    pub has_code: &'a mut dyn FnMut(&IROp) -> bool,
    /// Guest registers that are in a register of the host where units meet.
    pub mapped: &'a [RegId],
}

/// Why a region is not compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbuilt {
    /// It begins with an operation that has no code.
    NoCode,
    /// It has a block that no front end made.
    NoMarks,
}

/// A block before its terminator.
struct Open {
    id: BlockId,
    /// Values of the touched registers, at its end.
    regs: Vec<Value>,
}

struct Builder<'a> {
    func: Func,
    recording: &'a Recording,
    region: &'a Region,
    host: Host<'a>,
    /// Main block of every block of the region.
    main: Vec<BlockId>,
    /// Values at the start and at the end of each block so far.
    starts: Vec<Option<Vec<Value>>>,
    ends: Vec<Option<Vec<Value>>>,
    /// Place in `Func::touched` of each register.
    place: [u8; REGISTERS],
    zero: Value,
}

/// No place.
const UNTOUCHED: u8 = u8::MAX;

/// Builds the SSA form of a region.
///
/// # Errors
/// An [`Unbuilt`].
pub fn build<'a>(recording: &'a Recording, region: &'a Region, host: Host<'a>) -> Result<Func, Unbuilt> {
    let mut builder = Builder {
        func: Func::default(),
        recording,
        region,
        host,
        main: Vec::new(),
        starts: Vec::new(),
        ends: Vec::new(),
        place: [UNTOUCHED; REGISTERS],
        zero: Value::NONE,
    };
    builder.touch();
    builder.lay_out();
    for index in 0..region.blocks.len() {
        builder.block(index)?;
    }
    builder.fill_phis();
    builder.safepoints();
    let mut func = builder.func;
    super::passes::phis::run(&mut func);
    Ok(func)
}

impl Builder<'_> {
    /// Finds the registers that the region touches.
    fn touch(&mut self) {
        let mut seen = [false; REGISTERS];
        for block in &self.region.blocks {
            let ir = &self.recording.blocks[block.block];
            for op in &ir.ops {
                let mut op = *op;
                op.operands(&mut |operand| {
                    if let Operand::Def(reg) | Operand::Use(reg) = operand {
                        seen[usize::from(*reg)] = true;
                    }
                });
            }
            ir.term.uses().for_each(|reg| seen[usize::from(reg)] = true);
        }
        let float = seen[usize::from(FIRST_FLOAT)..usize::from(FIRST_TEMP)].contains(&true);
        for &reg in self.host.mapped {
            seen[usize::from(reg)] |= float || reg < FIRST_FLOAT;
        }
        self.func.touched = (1..FIRST_TEMP).filter(|&reg| seen[usize::from(reg)]).collect();
        for (place, &reg) in self.func.touched.iter().enumerate() {
            self.place[usize::from(reg)] = place as u8;
        }
    }

    /// Makes the blocks that are entered, and those of the region.
    fn lay_out(&mut self) {
        for block in &self.region.blocks {
            let pc = self.recording.blocks[block.block].start_pc;
            let mut empty = Block {
                pc,
                entry: false,
                back: None,
                phis: Vec::new(),
                insts: Vec::new(),
                preds: Vec::new(),
                term: Term::Goto(BlockId(0)),
                cost: 0,
                reserve: 0,
                count: block.count.max(1),
                frames: block.frames.clone(),
                safepoint: None,
            };
            if block.entry {
                let id = self.push(Block { entry: true, count: 1, ..empty.clone() });
                let main = BlockId(id.0 + 1);
                self.func.blocks[id.index()].term = Term::Goto(main);
                let regs = self.homes(id);
                if self.zero == Value::NONE {
                    let first = self.op(id, IROp::Const { dst: 0, imm: 0 }, [Value::NONE; 3], Class::Int);
                    (self.zero, self.func.zero) = (first, Some(first));
                }
                self.ends[id.index()] = Some(regs);
                empty.preds.push(id);
            }
            let main = self.push(empty);
            self.main.push(main);
        }
        for block in &self.region.blocks {
            for edge in block.edges.iter().filter(|edge| edge.kind == EdgeKind::Goes) {
                let to = self.main[edge.to].index();
                // Which block of the chain of guesses it comes from is known once that is made.
                self.func.blocks[to].preds.push(BlockId(u32::MAX));
            }
        }
    }

    fn push(&mut self, block: Block) -> BlockId {
        self.func.blocks.push(block);
        self.starts.push(None);
        self.ends.push(None);
        BlockId(self.func.blocks.len() as u32 - 1)
    }

    fn homes(&mut self, block: BlockId) -> Vec<Value> {
        let touched = self.func.touched.clone();
        touched
            .into_iter()
            .map(|reg| {
                let node = Node::Home(reg);
                let inst = Inst {
                    node,
                    args: [Value::NONE; 3],
                    class: Class::of(reg),
                    state: None,
                    sunk: false,
                    strict: false,
                };
                let value = self.func.add(inst);
                self.func.blocks[block.index()].insts.push(value);
                value
            })
            .collect()
    }

    /// Appends an operation as it is.
    fn op(&mut self, block: BlockId, mut op: IROp, args: [Value; 3], class: Class) -> Value {
        // What means nothing is the same in all, so that two that do the same are equal.
        op.operands(&mut |operand| {
            if let Operand::Def(reg) | Operand::Use(reg) = operand {
                *reg = 0;
            }
        });
        let value = self.func.add(Inst::op(op, args, class));
        self.func.blocks[block.index()].insts.push(value);
        value
    }

    /// Appends an operation without effects, simplified.
    fn pure(&mut self, block: BlockId, op: IROp, args: [Value; 3], class: Class) -> Value {
        match simplify(&self.func, op, args) {
            Simple::Is(value) => value,
            Simple::Op(IROp::Const { imm: 0, .. }, _) if class == Class::Int => self.zero,
            Simple::Op(op, args) => self.op(block, op, args, class),
        }
    }

    /// The values at the start of a block.
    fn start(&mut self, id: BlockId) -> Vec<Value> {
        let preds = &self.func.blocks[id.index()].preds;
        if let [only] = preds[..] {
            if let Some(regs) = self.ends.get(only.index()).and_then(|end| end.clone()) {
                return regs;
            }
        }
        let touched = self.func.touched.clone();
        touched
            .into_iter()
            .map(|reg| {
                let class = Class::of(reg);
                let inst = Inst {
                    node: Node::Phi,
                    args: [Value::NONE; 3],
                    class,
                    state: None,
                    sunk: false,
                    strict: false,
                };
                let value = self.func.add(inst);
                self.func.blocks[id.index()].phis.push(Phi { value, args: Vec::new() });
                value
            })
            .collect()
    }

    fn block(&mut self, index: usize) -> Result<(), Unbuilt> {
        let id = self.main[index];
        let regs = self.start(id);
        self.starts[id.index()] = Some(regs.clone());
        let (recording, region) = (self.recording, self.region);
        let block = &region.blocks[index];
        let ir = &recording.blocks[block.block];
        let mut current = [Value::NONE; REGISTERS];
        for (&reg, &value) in self.func.touched.iter().zip(&regs) {
            current[usize::from(reg)] = value;
        }
        current[0] = self.zero;
        let (mut begun, mut pc, mut state) = (0, ir.start_pc, None);
        // What begins in the middle of a block that ends for its length only would end elsewhere: other blocks than the
        // guest's would be left without fuel.
        let mut has_code = |op: &IROp| matches!(op, IROp::Mark { .. }) || (self.host.has_code)(op);
        let whole = ends_for_length(ir) && !ir.ops.iter().all(&mut has_code);
        // Only who is found by its address would be found again.
        let found = block.entry && block.frames.is_empty();
        if whole && found {
            return Err(Unbuilt::NoCode);
        }
        let (ops, mut cut) = if whole { (&[][..], Some(pc)) } else { (&ir.ops[..], None) };
        // What the guest instruction has overwritten so far.
        let mut undo: Vec<(RegId, Value)> = Vec::new();
        for op in ops {
            if let IROp::Mark { pc: at } = *op {
                (begun, pc, state) = (begun + 1, at, None);
                undo.clear();
                continue;
            }
            if begun == 0 {
                return Err(Unbuilt::NoMarks);
            }
            if !(self.host.has_code)(op) {
                if begun == 1 && found {
                    return Err(Unbuilt::NoCode);
                }
                cut = Some(pc);
                undo.iter().rev().for_each(|&(reg, value)| current[usize::from(reg)] = value);
                break;
            }
            undo.extend(op.def().map(|reg| (reg, current[usize::from(reg)])));
            self.operation(id, op, &mut current, &mut state, (pc, begun - 1));
        }
        // Nothing of an instruction that has no code is done.
        let cost = if cut.is_some() { u32::saturating_sub(begun, 1) } else { begun.max(1) };
        self.func.blocks[id.index()].cost = cost;
        self.func.blocks[id.index()].reserve = u32::try_from(ir.cost()).unwrap_or(u32::MAX).max(cost);
        let regs: Vec<Value> = self.func.touched.iter().map(|&reg| current[usize::from(reg)]).collect();
        let open = Open { id, regs };
        match cut {
            Some(pc) => self.leave(&open, Terminator::Jump { target: pc }, &current),
            None => self.terminator(open, block, ir, &current),
        }
        Ok(())
    }

    fn operation(
        &mut self,
        id: BlockId,
        op: &IROp,
        current: &mut [Value; REGISTERS],
        state: &mut Option<StateId>,
        (pc, begun): (GuestAddr, u32),
    ) {
        let (mut args, mut count) = ([Value::NONE; 3], 0);
        let mut copy = *op;
        copy.operands(&mut |operand| {
            if let Operand::Use(reg) = operand {
                args[count] = current[usize::from(*reg)];
                count += 1;
            }
        });
        let class = op.def().map_or(Class::Int, Class::of);
        if let IROp::Copy { dst, .. } = *op {
            if self.func.inst(args[0]).class == class {
                current[usize::from(dst)] = args[0];
                return;
            }
        }
        let value = if may_give_up(op) {
            let at = *state.get_or_insert_with(|| {
                let regs = self.func.touched.iter().map(|&reg| current[usize::from(reg)]).collect();
                self.func.states.push(State { pc, block: id, begun, regs });
                StateId(self.func.states.len() as u32 - 1)
            });
            let (op, args) = match simplify(&self.func, *op, args) {
                Simple::Op(op, args) => (op, args),
                Simple::Is(value) => {
                    if let Some(dst) = op.def() {
                        current[usize::from(dst)] = value;
                    }
                    return;
                }
            };
            let value = self.op(id, op, args, class);
            self.func.insts[value.index()].state = Some(at).filter(|_| may_give_up(&op));
            value
        } else {
            self.pure(id, *op, args, class)
        };
        if let Some(dst) = op.def() {
            current[usize::from(dst)] = value;
        }
    }

    fn terminator(&mut self, open: Open, block: &RegionBlock, ir: &IRBlock, current: &[Value; REGISTERS]) {
        let inside = |pc: GuestAddr| {
            block.edges.iter().find(|edge| edge.pc == pc && edge.kind == EdgeKind::Goes).map(|edge| edge.to)
        };
        let term = match ir.term {
            Terminator::Branch { taken, fallthrough, .. } if taken == fallthrough => {
                Terminator::Jump { target: taken }
            }
            term => term,
        };
        match term {
            Terminator::Jump { target } | Terminator::Call { target, .. } if inside(target).is_some() => {
                if let Some(to) = inside(target) {
                    self.goes(&open, &[to]);
                    self.set(open.id, Term::Goto(self.main[to]));
                }
                self.ends[open.id.index()] = Some(open.regs);
            }
            Terminator::Branch { cond, src1, src2, taken, fallthrough } => {
                let args = [current[usize::from(src1)], current[usize::from(src2)]];
                let id = open.id;
                let (to, or) = (inside(taken), inside(fallthrough));
                let taken = self.way(&open, to, taken, current);
                let fallthrough = self.way(&open, or, fallthrough, current);
                self.branch(id, cond, args, taken, fallthrough);
                self.ends[id.index()] = Some(open.regs);
            }
            Terminator::JumpIndirect { base, offset }
            | Terminator::CallIndirect { base, offset, .. }
            | Terminator::ReturnIndirect { base, offset } => {
                self.guesses(open, block, ir, (base, offset), current);
            }
            term => self.leave_by(&open, block, term, current),
        }
    }

    /// Leaves by the terminator of a block of the region.
    fn leave_by(&mut self, open: &Open, block: &RegionBlock, term: Terminator, current: &[Value; REGISTERS]) {
        self.leave(open, term, current);
        let (Terminator::Call { return_to, .. } | Terminator::CallIndirect { return_to, .. }) = term else {
            return;
        };
        let back = block.edges.iter().find(|edge| edge.kind == EdgeKind::Returns && edge.pc == return_to);
        // The entry stands before the block.
        let back = back.filter(|edge| self.region.blocks[edge.to].entry);
        self.func.blocks[open.id.index()].back = back.map(|edge| BlockId(self.main[edge.to].0 - 1));
    }

    /// Compares a computed target with those that it had, one after the other.
    fn guesses(
        &mut self,
        open: Open,
        block: &RegionBlock,
        ir: &IRBlock,
        (base, offset): (RegId, i64),
        current: &[Value; REGISTERS],
    ) {
        let targets: Vec<(GuestAddr, usize)> = block
            .edges
            .iter()
            .filter(|edge| edge.kind == EdgeKind::Goes)
            .map(|edge| (edge.pc, edge.to))
            .collect();
        if targets.is_empty() {
            return self.leave_by(&open, block, ir.term, current);
        }
        let base = current[usize::from(base)];
        // A target that is even as it stands is what it is compared with; an odd one leaves.
        let sum = IROp::AddImm { dst: 0, src: 0, imm: offset };
        let target = self.pure(open.id, sum, [base, Value::NONE, Value::NONE], Class::Int);
        let (mut open, count) = (open, block.count);
        for (number, &(pc, to)) in targets.iter().enumerate() {
            let id = open.id;
            let imm = pc.cast_signed();
            let wanted = self.pure(id, IROp::Const { dst: 0, imm }, [Value::NONE; 3], Class::Int);
            self.goes(&open, &[to]);
            let other = self.push(Block {
                pc: ir.start_pc,
                entry: false,
                back: None,
                phis: Vec::new(),
                insts: Vec::new(),
                preds: vec![id],
                term: Term::Goto(BlockId(0)),
                cost: 0,
                reserve: 0,
                count: count >> (number + 1),
                frames: block.frames.clone(),
                safepoint: None,
            });
            self.branch(id, Cond::Eq, [target, wanted], self.main[to], other);
            self.ends[id.index()] = Some(open.regs.clone());
            open.id = other;
        }
        self.leave_by(&open, block, ir.term, current);
    }

    fn set(&mut self, id: BlockId, term: Term) {
        self.func.blocks[id.index()].term = term;
    }

    fn branch(&mut self, id: BlockId, cond: Cond, args: [Value; 2], taken: BlockId, fallthrough: BlockId) {
        let (cond, args) = condition(&self.func, cond, args);
        self.set(id, Term::Branch { cond, args, taken, fallthrough });
    }

    /// Notes that the block goes on to blocks of the region.
    fn goes(&mut self, open: &Open, to: &[usize]) {
        for &to in to {
            let preds = &mut self.func.blocks[self.main[to].index()].preds;
            if let Some(free) = preds.iter_mut().find(|pred| pred.0 == u32::MAX) {
                *free = open.id;
            }
        }
    }

    /// The block of the region, or one that leaves to the address.
    fn way(
        &mut self,
        open: &Open,
        to: Option<usize>,
        target: GuestAddr,
        current: &[Value; REGISTERS],
    ) -> BlockId {
        if let Some(to) = to {
            self.goes(open, &[to]);
            return self.main[to];
        }
        let from = &self.func.blocks[open.id.index()];
        let out = Block {
            pc: target,
            entry: false,
            back: None,
            phis: Vec::new(),
            insts: Vec::new(),
            preds: vec![open.id],
            term: Term::Goto(BlockId(0)),
            cost: 0,
            reserve: 0,
            count: (from.count >> 6).max(1),
            frames: from.frames.clone(),
            safepoint: None,
        };
        let id = self.push(out);
        self.leave(&Open { id, regs: open.regs.clone() }, Terminator::Jump { target }, current);
        id
    }

    fn leave(&mut self, open: &Open, term: Terminator, current: &[Value; REGISTERS]) {
        let block = &self.func.blocks[open.id.index()];
        let (pc, begun) = (block.pc, block.cost);
        self.func.states.push(State { pc, block: open.id, begun, regs: open.regs.clone() });
        let state = StateId(self.func.states.len() as u32 - 1);
        let temps = term
            .uses()
            .filter(|&reg| reg >= FIRST_TEMP)
            .map(|reg| (reg, current[usize::from(reg)]))
            .collect();
        self.set(open.id, Term::Leave { term, state, temps });
        self.ends[open.id.index()] = Some(open.regs.clone());
    }

    fn fill_phis(&mut self) {
        // A block that was cut short goes to fewer than the recording says.
        self.func.blocks.iter_mut().for_each(|block| block.preds.retain(|pred| pred.0 != u32::MAX));
        self.drop_unreachable();
        let ends = &self.ends;
        for block in &mut self.func.blocks {
            let preds = &block.preds;
            for (place, phi) in block.phis.iter_mut().enumerate() {
                phi.args = preds
                    .iter()
                    .map(|pred| ends[pred.index()].as_ref().map_or(Value::NONE, |regs| regs[place]))
                    .collect();
            }
        }
    }
}

impl Builder<'_> {
    /// Where control may come again and again there is a safepoint, and where it comes from outside.
    fn safepoints(&mut self) {
        let order = reverse_postorder(&self.func);
        let mut number = vec![0; self.func.blocks.len()];
        order.iter().enumerate().for_each(|(at, id)| number[id.index()] = at);
        for &id in &order {
            let block = &self.func.blocks[id.index()];
            let again = |pred: &BlockId| {
                number[pred.index()] >= number[id.index()] || self.func.blocks[pred.index()].entry
            };
            // A way that is seldom taken pays for itself, so that the others need not pay for it.
            let seldom = |pred: &BlockId| self.func.blocks[pred.index()].count > 4 * block.count;
            let leaves = matches!(block.term, Term::Leave { .. }) && block.insts.is_empty();
            if block.preds.iter().any(|pred| again(pred) || seldom(pred) && !leaves) {
                let Some(regs) = self.starts[id.index()].clone() else { continue };
                self.func.states.push(State { pc: block.pc, block: id, begun: 0, regs });
                self.func.blocks[id.index()].safepoint = Some(StateId(self.func.states.len() as u32 - 1));
            }
        }
    }

    /// Empties blocks that nothing leads to.
    fn drop_unreachable(&mut self) {
        let mut reached = vec![false; self.func.blocks.len()];
        let mut todo: Vec<BlockId> =
            self.func.block_ids().filter(|id| self.func.blocks[id.index()].is_found()).collect();
        while let Some(id) = todo.pop() {
            if !std::mem::replace(&mut reached[id.index()], true) {
                let block = &self.func.blocks[id.index()];
                todo.extend(block.succs().chain(block.back));
            }
        }
        for (block, _) in self.func.blocks.iter_mut().zip(&reached).filter(|(_, reached)| !**reached) {
            block.phis.clear();
            block.insts.clear();
            block.preds.clear();
        }
        for block in &mut self.func.blocks {
            block.preds.retain(|pred| reached[pred.index()]);
        }
        self.func.reached = reached;
    }
}

/// Whether a block goes on with the instruction behind it.
fn ends_for_length(ir: &IRBlock) -> bool {
    let last = ir.ops.iter().rev().find_map(|op| if let IROp::Mark { pc } = *op { Some(pc) } else { None });
    match (ir.term, last) {
        (Terminator::Jump { target }, Some(last)) => matches!(target.wrapping_sub(last), 2 | 4),
        _ => false,
    }
}

/// Whether code for an operation may fault, or leave the work to the interpreter.
pub(super) fn may_give_up(op: &IROp) -> bool {
    op.info().effect != Effect::Pure
        || divides(op)
        || matches!(op, IROp::SignF32 { .. } | IROp::SignNotF32 { .. } | IROp::SignXorF32 { .. })
}
