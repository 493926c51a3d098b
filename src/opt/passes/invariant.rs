//! Loop invariants: what an operation without effects computes again and again from the same values is computed before the
//! loop. Loads are not: a loop that waits for another thread must load each time.
//!
//! Requires: reducible loops (others stay as they are); nothing sunk. Ensures: nothing more. Breaks: a block may be added
//! before a loop, at the end of the list of blocks. Cost: the loops' sizes, summed.

use super::number::{dominators, is_above, reverse_postorder};
use crate::ir::ops::Effect;
use crate::ir::IROp;
use crate::opt::func::{Block, BlockId, Class, Func, Node, Term, Value};

/// Values that a loop may have in registers all the time, what is moved out of it included. Half of the registers of a
/// host with 16: the others are for what the loop computes.
const KEPT: usize = 8;

/// A loop with one way in.
struct Loop {
    header: BlockId,
    /// Where control comes from, from outside.
    from: BlockId,
    /// By block.
    inside: Vec<bool>,
}

/// Moves invariants out of all loops, outer ones first.
pub fn run(func: &mut Func) {
    let order = reverse_postorder(func);
    let above = dominators(func);
    let mut number = vec![usize::MAX; func.blocks.len()];
    order.iter().enumerate().for_each(|(at, id)| number[id.index()] = at);
    let loops: Vec<Loop> = order.iter().filter_map(|&id| find(func, &above, &number, id)).collect();
    for one in loops {
        hoist(func, &order, one);
    }
}

/// The loop that a block is the header of.
fn find(func: &Func, above: &[Option<BlockId>], number: &[usize], header: BlockId) -> Option<Loop> {
    let block = &func.blocks[header.index()];
    let again = |pred: &&BlockId| number[pred.index()] >= number[header.index()];
    let back: Vec<BlockId> = block.preds.iter().filter(again).copied().collect();
    let mut outside = block.preds.iter().filter(|pred| !again(pred));
    let (Some(&from), None) = (outside.next(), outside.next()) else { return None };
    if back.is_empty() || !back.iter().all(|&pred| is_above(above, header, pred)) {
        return None;
    }
    let mut inside = vec![false; func.blocks.len()];
    inside[header.index()] = true;
    let mut todo = back;
    while let Some(id) = todo.pop() {
        if !std::mem::replace(&mut inside[id.index()], true) {
            todo.extend(&func.blocks[id.index()].preds);
        }
    }
    Some(Loop { header, from, inside })
}

fn hoist(func: &mut Func, order: &[BlockId], one: Loop) {
    let body: Vec<BlockId> = order.iter().copied().filter(|id| one.inside[id.index()]).collect();
    let mut varies = vec![false; func.insts.len()];
    for id in &body {
        let block = &func.blocks[id.index()];
        block.phis.iter().for_each(|phi| varies[phi.value.index()] = true);
        block.insts.iter().for_each(|value| varies[value.index()] = true);
    }
    let room = KEPT.saturating_sub(kept(func, &body, &varies));
    let often = func.blocks[one.header.index()].count / 2;
    let mut moved = Vec::new();
    for id in &body {
        if func.blocks[id.index()].count < often {
            continue;
        }
        let mut insts = std::mem::take(&mut func.blocks[id.index()].insts);
        insts.retain(|&value| {
            let apt = moved.len() < room && is_worth_it(func, value);
            if !apt || func.inst(value).uses().any(|arg| varies[arg.index()]) {
                return true;
            }
            varies[value.index()] = false;
            moved.push(value);
            false
        });
        func.blocks[id.index()].insts = insts;
    }
    if !moved.is_empty() {
        let before = before(func, &one);
        func.blocks[before.index()].insts.extend(moved);
    }
}

/// How many values the loop keeps: those from outside that its operations and branches use, and the phis of its header.
fn kept(func: &Func, body: &[BlockId], varies: &[bool]) -> usize {
    let mut kept = Vec::new();
    for id in body {
        let block = &func.blocks[id.index()];
        kept.extend(
            block.insts.iter().flat_map(|&value| func.inst(value).uses()).filter(|arg| !varies[arg.index()]),
        );
        if let Term::Branch { args, .. } = block.term {
            kept.extend(args.into_iter().filter(|arg| !varies[arg.index()]));
        }
    }
    kept.retain(|&value| func.constant(value).is_none());
    kept.sort_unstable();
    kept.dedup();
    let header = body.first().map_or(0, |id| func.blocks[id.index()].phis.len());
    kept.len() + header
}

/// Whether an operation may be moved, and costs something where it is: numbers are made where they are needed, and sums
/// are part of addresses or as cheap as a register that holds them.
fn is_worth_it(func: &Func, value: Value) -> bool {
    let inst = func.inst(value);
    let Node::Op(op) = inst.node else { return false };
    let cheap = matches!(
        op,
        IROp::Const { .. }
            | IROp::AddImm { .. }
            | IROp::AddWImm { .. }
            | IROp::Add { .. }
            | IROp::AddW { .. }
            | IROp::ShlAdd1 { .. }
            | IROp::ShlAdd2 { .. }
            | IROp::ShlAdd3 { .. }
    );
    let int = inst.class == Class::Int && inst.uses().all(|arg| func.inst(arg).class == Class::Int);
    op.info().effect == Effect::Pure && inst.state.is_none() && int && !cheap
}

/// The block right before the loop, which goes nowhere else.
fn before(func: &mut Func, one: &Loop) -> BlockId {
    let (header, from) = (one.header, one.from);
    if let Term::Goto(_) = func.blocks[from.index()].term {
        return from;
    }
    let new = BlockId(func.blocks.len() as u32);
    let block = &func.blocks[header.index()];
    let block = Block {
        pc: block.pc,
        entry: false,
        back: None,
        phis: Vec::new(),
        insts: Vec::new(),
        preds: vec![from],
        term: Term::Goto(header),
        cost: 0,
        reserve: 0,
        count: block.count.min(func.blocks[from.index()].count),
        frames: block.frames.clone(),
        safepoint: None,
    };
    func.blocks.push(block);
    func.reached.push(true);
    if let Term::Branch { taken, fallthrough, .. } = &mut func.blocks[from.index()].term {
        // One of them only: where both lead to one block, it has two predecessors outside.
        let way = if *taken == header { taken } else { fallthrough };
        *way = new;
    }
    for pred in func.blocks[header.index()].preds.iter_mut().filter(|pred| **pred == from) {
        *pred = new;
    }
    new
}
