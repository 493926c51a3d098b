//! Value numbering: an operation without effects that was done before, on every way here, is not done again. Walks the
//! dominator tree with a table that forgets what is not above.

use super::subst::Subst;
use crate::ir::ops::Effect;
use crate::ir::IROp;
use crate::opt::func::{BlockId, Func, Node, Value};
use std::collections::HashMap;

/// The immediate dominator of every block; entries have none. (Cooper, Harvey and Kennedy, "A Simple, Fast Dominance
/// Algorithm".) Blocks that several entries lead to may have none either.
pub fn dominators(func: &Func) -> Vec<Option<BlockId>> {
    let order = reverse_postorder(func);
    let mut number = vec![usize::MAX; func.blocks.len()];
    for (at, id) in order.iter().enumerate() {
        number[id.index()] = at + 1;
    }
    // Number 0 is a root above all entries.
    let mut above = vec![usize::MAX; order.len() + 1];
    above[0] = 0;
    let mut changed = true;
    while changed {
        changed = false;
        for (at, id) in order.iter().enumerate() {
            let block = &func.blocks[id.index()];
            let mut new = if block.entry { 0 } else { usize::MAX };
            for pred in &block.preds {
                let pred = number[pred.index()];
                if pred == usize::MAX || above[pred] == usize::MAX {
                    continue;
                }
                new = if new == usize::MAX { pred } else { meet(&above, new, pred) };
            }
            if above[at + 1] != new {
                above[at + 1] = new;
                changed = true;
            }
        }
    }
    let mut result = vec![None; func.blocks.len()];
    for (at, id) in order.iter().enumerate() {
        result[id.index()] = above[at + 1].checked_sub(1).and_then(|at| order.get(at).copied());
    }
    result
}

fn meet(above: &[usize], mut a: usize, mut b: usize) -> usize {
    while a != b {
        while a > b {
            a = above[a];
        }
        while b > a {
            b = above[b];
        }
    }
    a
}

/// Blocks in reverse postorder from all entries.
pub fn reverse_postorder(func: &Func) -> Vec<BlockId> {
    let mut seen = vec![false; func.blocks.len()];
    let mut order = Vec::new();
    for entry in func.reached().filter(|id| func.blocks[id.index()].entry) {
        let mut stack = vec![(entry, 0)];
        seen[entry.index()] = true;
        while let Some((id, next)) = stack.pop() {
            match func.blocks[id.index()].succs().nth(next) {
                Some(to) => {
                    stack.push((id, next + 1));
                    if !std::mem::replace(&mut seen[to.index()], true) {
                        stack.push((to, 0));
                    }
                }
                None => order.push(id),
            }
        }
    }
    order.reverse();
    order
}

/// Numbers the values.
pub fn run(func: &mut Func) {
    let above = dominators(func);
    let mut subst = Subst::new(func);
    let mut table: HashMap<Key, Vec<(BlockId, Value)>> = HashMap::new();
    let order = reverse_postorder(func);
    for &id in &order {
        for index in 0..func.blocks[id.index()].insts.len() {
            let value = func.blocks[id.index()].insts[index];
            let inst = func.inst(value);
            let Node::Op(op) = inst.node else { continue };
            // A number is made where it is needed: that is cheaper than to keep it.
            let local = matches!(op, IROp::Const { imm, .. } if imm != 0);
            if op.info().effect != Effect::Pure || inst.state.is_some() || local {
                continue;
            }
            let args = inst.args.map(|arg| subst.find(arg));
            let known = table.entry((IROpKey(op), args)).or_default();
            let class = inst.class;
            match known
                .iter()
                .find(|(from, other)| func.inst(*other).class == class && is_above(&above, *from, id))
            {
                Some(&(_, other)) => subst.replace(value, other),
                None => known.push((id, value)),
            }
        }
    }
    subst.apply(func);
}

/// Whether the first block is on every way to the second.
pub fn is_above(above: &[Option<BlockId>], upper: BlockId, lower: BlockId) -> bool {
    let mut at = Some(lower);
    while let Some(id) = at {
        if id == upper {
            return true;
        }
        at = above[id.index()];
    }
    false
}

/// What makes two operations the same.
type Key = (IROpKey, [Value; 3]);

/// An operation as a key: its row and its immediate.
#[derive(Clone, Copy, PartialEq, Eq)]
struct IROpKey(IROp);

impl std::hash::Hash for IROpKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.index().hash(state);
        let mut op = self.0;
        op.operands(&mut |operand| {
            if let crate::ir::ops::Operand::Imm(imm) = operand {
                imm.hash(state);
            }
        });
    }
}
