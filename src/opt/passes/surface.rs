//! Surfacing: what is sunk and part of the state that a block leaves with is an operation of that block. The register
//! allocator then has a say in where it is computed, which is best where its register is to be.

use crate::opt::func::{BlockId, Func, Inst, Term, Value};

/// Gives each block that leaves its own copies of the sunk values it leaves with.
pub fn run(func: &mut Func) {
    for index in 0..func.blocks.len() {
        let Term::Leave { state, .. } = func.blocks[index].term else { continue };
        if !func.reached[index] {
            continue;
        }
        let mut copies = Vec::new();
        for at in 0..func.states[state.0 as usize].regs.len() {
            let value = func.states[state.0 as usize].regs[at];
            func.states[state.0 as usize].regs[at] =
                surfaced(func, BlockId(index as u32), value, &mut copies);
        }
    }
}

/// The value, or its copy in the block if it is sunk. `copies` has the pairs of those that were made.
fn surfaced(func: &mut Func, block: BlockId, value: Value, copies: &mut Vec<(Value, Value)>) -> Value {
    let inst = *func.inst(value);
    if !inst.sunk {
        return value;
    }
    if let Some(&(_, copy)) = copies.iter().find(|(known, _)| *known == value) {
        return copy;
    }
    let args = inst.args.map(|arg| match arg {
        Value::NONE => arg,
        arg => surfaced(func, block, arg, copies),
    });
    let copy = func.add(Inst { args, sunk: false, ..inst });
    func.blocks[block.index()].insts.push(copy);
    copies.push((value, copy));
    copy
}
