//! Sinking: a value without effects that only states have is computed where a state is wanted, not where it was. So are
//! sums that are only addresses: loads and stores add for themselves. (Compilers of guests leave behind many values that
//! are overwritten before anybody reads them; a state must have them all the same, since a fault may show them.)

use super::number::reverse_postorder;
use crate::ir::ops::Effect;
use crate::ir::IROp;
use crate::opt::func::{Class, Func, Inst, Node, Term, Value};
use crate::opt::simplify::base_of;

/// Levels of sunk values below each other.
const DEPTH: u8 = 3;

/// The shift of the first operand of a sum that an access can do itself.
pub fn scale(op: &IROp) -> Option<u8> {
    match op {
        IROp::Add { .. } | IROp::AddW { .. } => Some(0),
        IROp::ShlAdd1 { .. } => Some(1),
        IROp::ShlAdd2 { .. } => Some(2),
        IROp::ShlAdd3 { .. } => Some(3),
        _ => None,
    }
}

/// The operand of a load or store that is a sum it can do itself.
fn sum_of(func: &Func, inst: &Inst) -> Option<Value> {
    let Node::Op(op) = inst.node else { return None };
    let base = inst.args[base_of(&op)?];
    scale(&func.op(base)?).map(|_| base)
}

/// Marks what is sunk.
pub fn run(func: &mut Func) {
    let mut needed = vec![false; func.insts.len()];
    for id in func.reached() {
        let block = &func.blocks[id.index()];
        for phi in &block.phis {
            phi.args.iter().for_each(|arg| needed[arg.index()] = true);
        }
        match &block.term {
            Term::Goto(_) => {}
            Term::Branch { args, .. } => args.iter().for_each(|arg| needed[arg.index()] = true),
            Term::Leave { temps, state, .. } => {
                temps.iter().for_each(|(_, temp)| needed[temp.index()] = true);
                // What a block leaves with is computed where it is: that costs no more.
                let regs = func.states[state.0 as usize].regs.iter();
                regs.filter(|reg| block.insts.contains(reg)).for_each(|reg| needed[reg.index()] = true);
            }
        }
    }
    // From the last to the first: definitions come after their uses then, since they dominate them.
    let mut sunk = vec![false; func.insts.len()];
    let mut depth = vec![0u8; func.insts.len()];
    let order = reverse_postorder(func);
    let order: Vec<Value> =
        order.iter().flat_map(|id| func.blocks[id.index()].insts.iter().copied()).collect();
    for &value in order.iter().rev() {
        let inst = func.inst(value);
        let address = sum_of(func, inst);
        if !needed[value.index()] && can_sink(func, inst) && depth[value.index()] < DEPTH {
            sunk[value.index()] = true;
            let below = depth[value.index()] + 1;
            for arg in inst.uses() {
                depth[arg.index()] = depth[arg.index()].max(below);
            }
            continue;
        }
        for arg in inst.uses().filter(|&arg| Some(arg) != address) {
            needed[arg.index()] = true;
        }
        if let Some(sum) = address {
            // The access has room for one sum.
            func.inst(sum).uses().for_each(|arg| needed[arg.index()] = true);
        }
        // An address that is also stored.
        if inst.uses().filter(|&arg| Some(arg) == address).count() > 1 {
            address.into_iter().for_each(|sum| needed[sum.index()] = true);
        }
    }
    for (inst, sunk) in func.insts.iter_mut().zip(sunk) {
        inst.sunk = sunk;
    }
}

fn can_sink(func: &Func, inst: &Inst) -> bool {
    let Node::Op(op) = inst.node else { return false };
    op.info().effect == Effect::Pure
        && inst.state.is_none()
        && inst.class == Class::Int
        // What the host does with registers of its own is not done where a state is made.
        && !matches!(op, IROp::Const { .. } | IROp::ZeroIfZero { .. } | IROp::ZeroIfNot { .. })
        && !matches!(op, IROp::MulH { .. } | IROp::MulHU { .. } | IROp::MulHSU { .. })
        && inst.uses().all(|arg| func.inst(arg).class == Class::Int)
}
