//! Well-formedness of a function; run after every pass in tests and debug builds. Cost: every use, times the depth of the
//! dominator tree.

use super::func::{BlockId, Class, Func, Node, StateId, Term, Value};
use super::passes::number::dominators;
use crate::ir::ops::Operand;
use crate::ir::IROp;

/// A rule of well-formedness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// An entry has no predecessors and no phis; homes are in entries.
    Entry,
    /// A block goes on to reached blocks that have it among their predecessors, and all predecessors lead to it.
    Edge,
    /// A phi has one operand for each predecessor.
    Arity,
    /// A value is defined once, by something that is in a block.
    Once,
    /// A definition is on every way to each use.
    Dominance,
    /// Operands of phis, branches and states are of the class that is wanted there.
    Class,
    /// An operation has the operands of its row.
    Operands,
    /// A state has a value for each touched register, and what may fault has a state.
    State,
}

/// A rule that is broken, where, and by which value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub rule: Rule,
    pub block: BlockId,
    pub value: Value,
}

/// Place of a definition or use in a block: phis, then instructions, then the end.
type At = (BlockId, usize);

struct Verifier<'a> {
    func: &'a Func,
    above: Vec<Option<BlockId>>,
    defined: Vec<Option<At>>,
}

/// Checks all rules.
///
/// # Errors
/// The first [`Flaw`].
pub fn verify(func: &Func) -> Result<(), Flaw> {
    edges(func)?;
    let mut verifier = Verifier { func, above: dominators(func), defined: vec![None; func.insts.len()] };
    for id in func.reached() {
        verifier.definitions(id)?;
    }
    for id in func.reached() {
        verifier.block(id)?;
    }
    Ok(())
}

fn ensure(holds: bool, rule: Rule, block: BlockId, value: Value) -> Result<(), Flaw> {
    if holds {
        Ok(())
    } else {
        Err(Flaw { rule, block, value })
    }
}

fn edges(func: &Func) -> Result<(), Flaw> {
    for id in func.reached() {
        let block = &func.blocks[id.index()];
        let none = Value::NONE;
        ensure(!block.entry || block.preds.is_empty() && block.phis.is_empty(), Rule::Entry, id, none)?;
        ensure(block.entry || !block.preds.is_empty(), Rule::Edge, id, none)?;
        if let Some(back) = block.back {
            let leaves = matches!(block.term, Term::Leave { .. });
            let known = func.reached.get(back.index()) == Some(&true);
            let fits =
                known && func.blocks[back.index()].entry && func.blocks[back.index()].frames == block.frames;
            ensure(leaves && fits, Rule::Entry, id, none)?;
        }
        for to in block.succs() {
            let known = func.reached.get(to.index()) == Some(&true);
            ensure(known && func.blocks[to.index()].preds.contains(&id), Rule::Edge, id, none)?;
        }
        for pred in &block.preds {
            let leads = func.reached.get(pred.index()) == Some(&true)
                && func.blocks[pred.index()].succs().any(|to| to == id);
            ensure(leads, Rule::Edge, id, none)?;
        }
    }
    Ok(())
}

impl Verifier<'_> {
    fn definitions(&mut self, id: BlockId) -> Result<(), Flaw> {
        let block = &self.func.blocks[id.index()];
        let phis = block.phis.iter().map(|phi| (0, phi.value));
        let insts = block.insts.iter().zip(1..).map(|(&value, at)| (at, value));
        for (at, value) in phis.chain(insts) {
            let Some(inst) = self.func.insts.get(value.index()) else {
                return Err(Flaw { rule: Rule::Once, block: id, value });
            };
            let apt = match inst.node {
                Node::Phi => at == 0,
                Node::Op(_) => at > 0,
                Node::Home(_) => at > 0 && block.entry,
                Node::Gone => false,
            };
            let rule = if matches!(inst.node, Node::Home(_)) { Rule::Entry } else { Rule::Once };
            ensure(apt, rule, id, value)?;
            let before = self.defined[value.index()].replace((id, at));
            ensure(before.is_none(), Rule::Once, id, value)?;
        }
        Ok(())
    }

    fn block(&self, id: BlockId) -> Result<(), Flaw> {
        let block = &self.func.blocks[id.index()];
        for phi in &block.phis {
            ensure(phi.args.len() == block.preds.len(), Rule::Arity, id, phi.value)?;
            for (&arg, &pred) in phi.args.iter().zip(&block.preds) {
                self.used(arg, (pred, usize::MAX))?;
                let same = self.func.inst(arg).class == self.func.inst(phi.value).class;
                ensure(same, Rule::Class, id, phi.value)?;
            }
        }
        if let Some(state) = block.safepoint {
            self.state(state, (id, 1))?;
        }
        for (&value, at) in block.insts.iter().zip(1..) {
            let inst = self.func.inst(value);
            inst.uses().try_for_each(|arg| self.used(arg, (id, at)))?;
            if let Node::Op(op) = inst.node {
                ensure(operands(&op) == inst.uses().count(), Rule::Operands, id, value)?;
                ensure(inst.state.is_some() || !super::may_fault(&op), Rule::State, id, value)?;
            }
            if let Some(state) = inst.state {
                self.state(state, (id, at))?;
            }
        }
        let end = (id, usize::MAX);
        match &block.term {
            Term::Goto(_) => Ok(()),
            Term::Branch { args, .. } => args.iter().try_for_each(|&arg| {
                self.used(arg, end)?;
                ensure(self.func.inst(arg).class == Class::Int, Rule::Class, id, arg)
            }),
            Term::Leave { state, temps, .. } => {
                temps.iter().try_for_each(|&(_, temp)| self.used(temp, end))?;
                self.state(*state, end)
            }
        }
    }

    fn state(&self, state: StateId, at: At) -> Result<(), Flaw> {
        let known = self.func.states.get(state.0 as usize);
        let Some(state) = known.filter(|state| state.regs.len() == self.func.touched.len()) else {
            return Err(Flaw { rule: Rule::State, block: at.0, value: Value::NONE });
        };
        for (&reg, &value) in self.func.touched.iter().zip(&state.regs) {
            ensure(value != Value::NONE, Rule::State, at.0, value)?;
            self.used(value, at)?;
            ensure(self.func.inst(value).class == Class::of(reg), Rule::Class, at.0, value)?;
        }
        Ok(())
    }

    /// A value is defined on every way to a place. Zero is there everywhere.
    fn used(&self, value: Value, (id, at): At) -> Result<(), Flaw> {
        let Some(inst) = self.func.insts.get(value.index()) else {
            return Err(Flaw { rule: Rule::Once, block: id, value });
        };
        if let Node::Op(IROp::Const { imm: 0, .. }) = inst.node {
            return Ok(());
        }
        let Some((from, place)) = self.defined[value.index()] else {
            return Err(Flaw { rule: Rule::Once, block: id, value });
        };
        if from == id {
            return ensure(place < at, Rule::Dominance, id, value);
        }
        let mut above = self.above[id.index()];
        while let Some(upper) = above.filter(|&upper| upper != from) {
            above = self.above[upper.index()];
        }
        ensure(above.is_some(), Rule::Dominance, id, value)
    }
}

/// The operands that an operation reads.
fn operands(op: &IROp) -> usize {
    let (mut op, mut count) = (*op, 0);
    op.operands(&mut |operand| count += usize::from(matches!(operand, Operand::Use(_))));
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Cond, Terminator};
    use crate::opt::func::{Block, Inst, Phi, State};

    fn block(term: Term, preds: &[u32]) -> Block {
        Block {
            pc: 0x1000,
            back: None,
            entry: preds.is_empty(),
            phis: Vec::new(),
            insts: Vec::new(),
            preds: preds.iter().copied().map(BlockId).collect(),
            term,
            cost: 1,
            reserve: 1,
            count: 1,
            frames: Vec::new(),
            safepoint: None,
        }
    }

    /// `v0 = home a0; loop: v1 = phi v0, v2; v2 = v1 + 1; v3 = load v1; if v2 < v0 again, else leave with a0 = v2`.
    fn sample() -> Func {
        let none = Value::NONE;
        let (dst, src, base) = (0, 0, 0);
        let add = Inst::op(IROp::AddImm { dst, src, imm: 1 }, [Value(1), none, none], Class::Int);
        let load = Inst::op(IROp::Load { dst, base, offset: 0 }, [Value(1), none, none], Class::Int);
        let home = Inst {
            node: Node::Home(10),
            args: [none; 3],
            class: Class::Int,
            state: None,
            sunk: false,
            strict: false,
        };
        let insts =
            vec![home, Inst { node: Node::Phi, ..home }, add, Inst { state: Some(StateId(0)), ..load }];
        let state = |value| State { pc: 0x1000, block: BlockId(1), begun: 0, regs: vec![value] };
        let branch = Term::Branch {
            cond: Cond::Ltu,
            args: [Value(2), Value(0)],
            taken: BlockId(1),
            fallthrough: BlockId(2),
        };
        let leave = Term::Leave { term: Terminator::Return, state: StateId(1), temps: Vec::new() };
        let mut blocks = vec![block(Term::Goto(BlockId(1)), &[]), block(branch, &[0, 1]), block(leave, &[1])];
        blocks[0].insts = vec![Value(0)];
        blocks[1].insts = vec![Value(2), Value(3)];
        blocks[1].phis = vec![Phi { value: Value(1), args: vec![Value(0), Value(2)] }];
        let states = vec![state(Value(1)), state(Value(2))];
        Func { insts, blocks, states, touched: vec![10], reached: vec![true; 3], ..Func::default() }
    }

    fn broken(change: impl Fn(&mut Func)) -> Option<Rule> {
        let mut func = sample();
        assert_eq!(verify(&func), Ok(()));
        change(&mut func);
        verify(&func).err().map(|flaw| flaw.rule)
    }

    #[test]
    fn each_rule_finds_its_breach() {
        assert_eq!(broken(|func| func.blocks[1].entry = true), Some(Rule::Entry));
        assert_eq!(broken(|func| func.insts[3].node = Node::Home(10)), Some(Rule::Entry));
        assert_eq!(broken(|func| func.reached[2] = false), Some(Rule::Edge));
        assert_eq!(broken(|func| func.blocks[2].preds.push(BlockId(0))), Some(Rule::Edge));
        assert_eq!(broken(|func| func.blocks[2].preds.clear()), Some(Rule::Edge));
        assert_eq!(broken(|func| func.blocks[0].term = Term::Goto(BlockId(2))), Some(Rule::Edge));
        assert_eq!(broken(|func| func.blocks[1].phis[0].args.truncate(1)), Some(Rule::Arity));
        assert_eq!(broken(|func| func.blocks[2].insts.push(Value(2))), Some(Rule::Once));
        assert_eq!(broken(|func| func.insts[2].node = Node::Gone), Some(Rule::Once));
        assert_eq!(broken(|func| func.blocks[1].insts.truncate(0)), Some(Rule::Once));
        assert_eq!(broken(|func| func.insts[2].args[0] = Value(3)), Some(Rule::Dominance));
        assert_eq!(broken(|func| func.blocks[1].phis[0].args[0] = Value(2)), Some(Rule::Dominance));
        assert_eq!(broken(|func| func.states[0].regs[0] = Value(3)), Some(Rule::Dominance));
        assert_eq!(broken(|func| func.insts[0].class = Class::Float), Some(Rule::Class));
        assert_eq!(broken(|func| func.touched[0] = 40), Some(Rule::Class));
        assert_eq!(broken(|func| func.insts[2].args[1] = Value(0)), Some(Rule::Operands));
        assert_eq!(broken(|func| func.insts[3].state = None), Some(Rule::State));
        assert_eq!(broken(|func| func.states[1].regs.clear()), Some(Rule::State));
        assert_eq!(broken(|func| func.states[1].regs[0] = Value::NONE), Some(Rule::State));
    }
}
