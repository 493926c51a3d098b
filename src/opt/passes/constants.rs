//! Constants that a phi may be are made where control comes from, each for itself: a number in a register over a whole loop
//! costs more than to make it.

use crate::ir::IROp;
use crate::opt::func::{Func, Inst, Node, Value};

/// Makes them.
pub fn run(func: &mut Func) {
    for index in 0..func.blocks.len() {
        for at in 0..func.blocks[index].phis.len() {
            for place in 0..func.blocks[index].phis[at].args.len() {
                let arg = func.blocks[index].phis[at].args[place];
                let Inst { node: Node::Op(op @ IROp::Const { .. }), class, .. } = *func.inst(arg) else {
                    continue;
                };
                let value = func.add(Inst::op(op, [Value::NONE; 3], class));
                let pred = func.blocks[index].preds[place];
                func.blocks[pred.index()].insts.push(value);
                func.blocks[index].phis[at].args[place] = value;
            }
        }
    }
}
