//! Values that turned out to be others.

use crate::opt::func::{Func, Node, Term, Value};

/// Which value stands for each value.
#[derive(Debug)]
pub struct Subst(Vec<Value>);

impl Subst {
    /// Every value stands for itself.
    pub fn new(func: &Func) -> Subst {
        Subst((0..func.insts.len() as u32).map(Value).collect())
    }

    /// What stands for a value.
    pub fn find(&mut self, value: Value) -> Value {
        if value == Value::NONE {
            return value;
        }
        let mut root = value;
        while self.0[root.index()] != root {
            root = self.0[root.index()];
        }
        let mut at = value;
        while at != root {
            at = std::mem::replace(&mut self.0[at.index()], root);
        }
        root
    }

    /// From now on `by` stands for `value`.
    pub fn replace(&mut self, value: Value, by: Value) {
        let (value, by) = (self.find(value), self.find(by));
        self.0[value.index()] = by;
    }

    /// Rewrites the function.
    pub fn apply(mut self, func: &mut Func) {
        for inst in &mut func.insts {
            inst.args.iter_mut().for_each(|arg| *arg = self.find(*arg));
        }
        for state in &mut func.states {
            state.regs.iter_mut().for_each(|reg| *reg = self.find(*reg));
        }
        for block in &mut func.blocks {
            block.phis.retain(|phi| self.0[phi.value.index()] == phi.value);
            for phi in &mut block.phis {
                phi.args.iter_mut().for_each(|arg| *arg = self.find(*arg));
            }
            block.insts.retain(|value| self.0[value.index()] == *value);
            match &mut block.term {
                Term::Goto(_) => {}
                Term::Branch { args, .. } => args.iter_mut().for_each(|arg| *arg = self.find(*arg)),
                Term::Leave { temps, .. } => temps.iter_mut().for_each(|(_, temp)| *temp = self.find(*temp)),
            }
        }
        for (index, inst) in func.insts.iter_mut().enumerate() {
            if self.0[index].index() != index {
                inst.node = Node::Gone;
            }
        }
    }
}

/// Removes phis that are one other value, or themselves, or such phis, whichever way control comes: also those that pass it
/// round between them, as loops with several ways in have it.
pub fn trivial_phis(func: &mut Func) {
    while merge(func) {}
}

/// Assumes that every phi is the one value that comes from outside, until another comes; true if some phis went.
fn merge(func: &mut Func) -> bool {
    // Nothing yet, or the value that the phi seems to be; itself if it is one of several.
    let mut seems: Vec<Value> = (0..func.insts.len() as u32).map(Value).collect();
    let phis = || func.blocks.iter().flat_map(|block| &block.phis);
    phis().for_each(|phi| seems[phi.value.index()] = Value::NONE);
    // That ends: a phi that changed for ever would do so after phis that do, and have no other arguments; but in what can
    // be reached, phis that pass values round get one of them from outside.
    let mut changed = true;
    while changed {
        changed = false;
        for phi in phis() {
            let at = phi.value.index();
            if seems[at] == phi.value {
                continue;
            }
            let others = phi.args.iter().filter(|&&arg| arg != phi.value).map(|arg| seems[arg.index()]);
            let mut others = others.filter(|&seems| seems != Value::NONE);
            let Some(first) = others.next() else { continue };
            let new = if others.all(|other| other == first) { first } else { phi.value };
            changed |= std::mem::replace(&mut seems[at], new) != new;
        }
    }
    let mut subst = Subst::new(func);
    let mut some = false;
    for phi in phis() {
        let one = seems[phi.value.index()];
        if one != Value::NONE && one != phi.value {
            subst.replace(phi.value, one);
            some = true;
        }
    }
    if some {
        subst.apply(func);
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Cond, Terminator};
    use crate::opt::func::{Block, BlockId, Class, Inst, Phi, State, StateId};
    use crate::opt::verify::verify;

    const NONE: Value = Value::NONE;

    fn block(term: Term, preds: &[u32], phis: &[(u32, [u32; 2])]) -> Block {
        let preds = preds.iter().copied().map(BlockId).collect::<Vec<_>>();
        let phi =
            |&(value, args): &(u32, [u32; 2])| Phi { value: Value(value), args: args.map(Value).to_vec() };
        let phis = phis.iter().map(phi).collect();
        Block {
            pc: 0x1000,
            entry: preds.is_empty(),
            phis,
            insts: Vec::new(),
            preds,
            term,
            cost: 1,
            reserve: 1,
            count: 1,
            frames: Vec::new(),
            safepoint: None,
        }
    }

    /// A loop of two blocks that is entered in both: `v0` goes round unchanged, `v1` swaps places with `v2`.
    #[test]
    fn what_goes_round_in_a_loop_with_two_ways_in_is_one_value() {
        let inst =
            |node| Inst { node, args: [NONE; 3], class: Class::Int, state: None, sunk: false, strict: false };
        let mut insts: Vec<Inst> = (10..13).map(|reg| inst(Node::Home(reg))).collect();
        insts.extend(vec![inst(Node::Phi); 6]);
        let branch = |taken, fallthrough| Term::Branch {
            cond: Cond::Ltu,
            args: [Value(0), Value(1)],
            taken: BlockId(taken),
            fallthrough: BlockId(fallthrough),
        };
        let leave = Term::Leave { term: Terminator::Return, state: StateId(0), temps: Vec::new() };
        let mut blocks = vec![
            block(branch(1, 2), &[], &[]),
            block(Term::Goto(BlockId(2)), &[0, 2], &[(3, [0, 6]), (4, [1, 8]), (5, [2, 7])]),
            block(branch(1, 3), &[0, 1], &[(6, [0, 3]), (7, [1, 4]), (8, [2, 5])]),
            block(leave, &[2], &[]),
        ];
        blocks[0].insts = vec![Value(0), Value(1), Value(2)];
        let state = State { pc: 0x1000, block: BlockId(3), begun: 0, regs: [6, 7, 8].map(Value).to_vec() };
        let touched = vec![10, 11, 12];
        let mut func =
            Func { insts, blocks, states: vec![state], touched, reached: vec![true; 4], ..Func::default() };
        assert_eq!(verify(&func), Ok(()));
        trivial_phis(&mut func);
        assert_eq!(verify(&func), Ok(()));
        assert_eq!(func.states[0].regs, [0, 7, 8].map(Value));
        assert_eq!(func.blocks.iter().map(|block| block.phis.len()).collect::<Vec<_>>(), [0, 2, 2, 0]);
    }
}
