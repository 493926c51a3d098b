//! Removes what nobody uses: operations without effects, and phis.

use crate::ir::ops::Effect;
use crate::opt::func::{Func, Inst, Node, Term, Value};

/// Whether an instruction stays although nobody uses its value.
pub fn has_effect(inst: &Inst) -> bool {
    match inst.node {
        // A load may fault, which is an effect.
        Node::Op(op) => op.info().effect != Effect::Pure,
        _ => false,
    }
}

/// Calls `visit` with every value that a state of the function's needs: those of instructions that are kept, and of
/// leaving.
fn roots(func: &Func, mark: &mut dyn FnMut(Value)) {
    for id in func.reached() {
        match &func.blocks[id.index()].term {
            Term::Goto(_) => {}
            Term::Branch { args, .. } => args.iter().for_each(|&arg| mark(arg)),
            Term::Leave { state, temps, .. } => {
                func.states[state.0 as usize].regs.iter().for_each(|&reg| mark(reg));
                temps.iter().for_each(|&(_, temp)| mark(temp));
            }
        }
        if let Some(state) = func.blocks[id.index()].safepoint {
            func.states[state.0 as usize].regs.iter().for_each(|&reg| mark(reg));
        }
        for &value in &func.blocks[id.index()].insts {
            if has_effect(func.inst(value)) {
                mark(value);
            }
        }
    }
}

/// Removes what is not used.
pub fn run(func: &mut Func) {
    let mut used = vec![false; func.insts.len()];
    let mut args_of_phi: Vec<&[Value]> = vec![&[]; func.insts.len()];
    for block in &func.blocks {
        for phi in &block.phis {
            args_of_phi[phi.value.index()] = &phi.args;
        }
    }
    let mut seen_states = vec![false; func.states.len()];
    let mut todo = Vec::new();
    let mut mark = |value: Value, todo: &mut Vec<Value>| {
        if value != Value::NONE && !std::mem::replace(&mut used[value.index()], true) {
            todo.push(value);
        }
    };
    roots(func, &mut |value| mark(value, &mut todo));
    while let Some(value) = todo.pop() {
        let inst = func.inst(value);
        inst.uses().for_each(|arg| mark(arg, &mut todo));
        args_of_phi[value.index()].iter().for_each(|&arg| mark(arg, &mut todo));
        if let Some(state) = inst.state {
            if !std::mem::replace(&mut seen_states[state.0 as usize], true) {
                func.states[state.0 as usize].regs.iter().for_each(|&reg| mark(reg, &mut todo));
            }
        }
    }
    for block in &mut func.blocks {
        block.phis.retain(|phi| used[phi.value.index()]);
        block.insts.retain(|value| used[value.index()] || block.entry);
    }
}
