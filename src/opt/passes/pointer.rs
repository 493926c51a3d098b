//! Pointers that move: behind `q = p + k`, an access at `p` is one at `q - k`. If that was all that `p` was still wanted for,
//! the two never live at the same time, and the sum is made in place.
//!
//! Requires: addresses with their numbers folded into offsets. Ensures: nothing more. Breaks: nothing; what is known of places
//! in memory by their base is not found any more. Cost: linear, and for each pointer that is moved the blocks behind.

use crate::ir::IROp;
use crate::opt::func::{BlockId, Func, Node, Term, Value};
use crate::opt::simplify::{base_of, offset_of};

/// Where a value is read: its block, and how many instructions of it come before.
type At = (BlockId, usize);

/// The end of a block.
const END: usize = usize::MAX;

/// What reads a value.
#[derive(Clone, Debug, Default)]
struct Uses {
    /// Plain accesses, of which it is the address only.
    accesses: Vec<(At, Value)>,
    /// Anything else.
    others: Vec<At>,
}

/// Rebases accesses.
pub fn run(func: &mut Func) {
    let moved: Vec<(At, Value, Value, i64)> = func.reached().flat_map(|id| sums(func, id)).collect();
    if moved.is_empty() {
        return;
    }
    let mut wanted = vec![false; func.insts.len()];
    moved.iter().for_each(|&(_, _, base, _)| wanted[base.index()] = true);
    let (mut uses, mut defined) = (vec![Uses::default(); func.insts.len()], vec![None; func.insts.len()]);
    for id in func.reached() {
        collect(func, id, &wanted, &mut uses);
        let block = &func.blocks[id.index()];
        let phis = block.phis.iter().map(|phi| phi.value);
        phis.chain(block.insts.iter().copied()).for_each(|value| defined[value.index()] = Some(id));
    }
    for ((id, at), sum, base, imm) in moved {
        let uses = &uses[base.index()];
        let behind = |&&((block, place), _): &&(At, Value)| block == id && place > at;
        let rebased: Vec<Value> = uses.accesses.iter().filter(behind).map(|&(_, access)| access).collect();
        let Some(home) = defined[base.index()].filter(|_| !rebased.is_empty()) else { continue };
        let last = uses.others.iter().all(|&(block, place)| block != id || place <= at);
        if last && !is_read_behind(func, id, home, uses) {
            rebased.into_iter().for_each(|access| rebase(func, access, sum, imm));
        }
    }
}

/// Sums of a value and a number in a block: where, the sum, the value and the number.
fn sums(func: &Func, id: BlockId) -> Vec<(At, Value, Value, i64)> {
    let insts = func.blocks[id.index()].insts.iter().enumerate();
    insts
        .filter_map(|(at, &value)| match func.op(value)? {
            IROp::AddImm { imm, .. } => Some(((id, at), value, func.inst(value).args[0], imm)),
            _ => None,
        })
        .collect()
}

/// Notes what a block reads of the values that are wanted.
fn collect(func: &Func, id: BlockId, wanted: &[bool], uses: &mut [Uses]) {
    let mut others: Vec<(Value, At)> = Vec::new();
    let mut read = |value: Value, at: At| others.extend(wanted[value.index()].then_some((value, at)));
    let block = &func.blocks[id.index()];
    let state = |state: crate::opt::func::StateId| func.states[state.0 as usize].regs.iter().copied();
    for to in block.succs() {
        let target = &func.blocks[to.index()];
        let places = target.preds.iter().enumerate().filter(|(_, pred)| **pred == id).map(|(place, _)| place);
        for place in places {
            target.phis.iter().for_each(|phi| read(phi.args[place], (id, END)));
        }
    }
    block.safepoint.into_iter().flat_map(state).for_each(|value| read(value, (id, 0)));
    match &block.term {
        Term::Goto(_) => {}
        Term::Branch { args, .. } => args.iter().for_each(|&arg| read(arg, (id, END))),
        Term::Leave { state: left, temps, .. } => {
            state(*left).for_each(|value| read(value, (id, END)));
            temps.iter().for_each(|&(_, temp)| read(temp, (id, END)));
        }
    }
    for (at, &value) in block.insts.iter().enumerate() {
        let inst = func.inst(value);
        inst.state.into_iter().flat_map(state).for_each(|value| read(value, (id, at)));
        let base = func.op(value).and_then(|op| base_of(&op)).map(|place| inst.args[place]);
        let only = base.filter(|&base| inst.uses().filter(|&arg| arg == base).count() == 1);
        inst.uses().filter(|&arg| Some(arg) != only).for_each(|arg| read(arg, (id, at)));
        if let Some(base) = only.filter(|base| wanted[base.index()]) {
            uses[base.index()].accesses.push(((id, at), value));
        }
    }
    others.into_iter().for_each(|(value, at)| uses[value.index()].others.push(at));
}

/// Whether a value that is defined in block `home` is read in a block that control comes to from the end of `from`, before it
/// is defined anew.
fn is_read_behind(func: &Func, from: BlockId, home: BlockId, uses: &Uses) -> bool {
    let mut seen = vec![false; func.blocks.len()];
    let mut todo: Vec<BlockId> = func.blocks[from.index()].succs().filter(|&to| to != home).collect();
    while let Some(id) = todo.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        let accesses = uses.accesses.iter().map(|(at, _)| at);
        if accesses.chain(&uses.others).any(|&(block, _)| block == id) {
            return true;
        }
        todo.extend(func.blocks[id.index()].succs().filter(|&to| to != home));
    }
    false
}

/// Makes an access one at another base, which is `moved` further.
fn rebase(func: &mut Func, access: Value, base: Value, moved: i64) {
    let inst = &mut func.insts[access.index()];
    let Node::Op(op) = &mut inst.node else { return };
    let Some(place) = base_of(op) else { return };
    if let Some(offset) = offset_of(op) {
        if let Some(sum) = offset.checked_sub(moved).filter(|&sum| i32::try_from(sum).is_ok()) {
            *offset = sum;
            inst.args[place] = base;
        }
    }
}
