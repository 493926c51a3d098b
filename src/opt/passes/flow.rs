//! Changes of the control flow that keep predecessors and phis in step.

use crate::opt::func::{BlockId, Func, Term};

/// A block goes on to one other block only, from now on.
pub fn goes_to(func: &mut Func, id: BlockId, to: BlockId) {
    let before: Vec<BlockId> = func.blocks[id.index()].succs().collect();
    func.blocks[id.index()].term = Term::Goto(to);
    let mut kept = false;
    for target in before {
        // Both ways of a branch may lead to one block, which may have it as a predecessor twice.
        if target == to && !std::mem::replace(&mut kept, true) {
            continue;
        }
        let twice = func.blocks[target.index()].preds.iter().filter(|&&pred| pred == id).count() > 1;
        if target != to || twice {
            remove_pred(func, target, id);
        }
    }
}

/// Takes a predecessor away, once.
fn remove_pred(func: &mut Func, id: BlockId, pred: BlockId) {
    let block = &mut func.blocks[id.index()];
    if let Some(place) = block.preds.iter().position(|&other| other == pred) {
        block.preds.remove(place);
        block.phis.iter_mut().for_each(|phi| _ = phi.args.remove(place));
    }
}

/// Empties blocks that nothing leads to any more.
pub fn drop_unreached(func: &mut Func) {
    let mut reached = vec![false; func.blocks.len()];
    let mut todo: Vec<BlockId> = func.reached().filter(|id| func.blocks[id.index()].entry).collect();
    while let Some(id) = todo.pop() {
        if !std::mem::replace(&mut reached[id.index()], true) {
            todo.extend(func.blocks[id.index()].succs());
        }
    }
    let gone: Vec<BlockId> = func.reached().filter(|id| !reached[id.index()]).collect();
    for &id in &gone {
        let succs: Vec<BlockId> = func.blocks[id.index()].succs().collect();
        succs.into_iter().for_each(|to| remove_pred(func, to, id));
    }
    for id in gone {
        let block = &mut func.blocks[id.index()];
        block.phis.clear();
        block.insts.clear();
        block.preds.clear();
        block.safepoint = None;
    }
    func.reached = reached;
}
