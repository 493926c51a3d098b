//! A NaN of arithmetic on doubles may be the host's where only more arithmetic reads it; whoever else wants the value makes
//! it the guest's. Who gets it by a phi cannot tell whether it is arithmetic's or another NaN, such as a boxed single, which
//! is to stay as it is. So it is made the guest's where control comes from.

use super::facts::raw;
use crate::ir::IROp;
use crate::opt::func::{Class, Func, Inst, Value};

/// Puts a copy, which has the guest's NaN, between arithmetic and each phi that may be something else.
pub fn run(func: &mut Func) {
    let raw = raw(func);
    for index in 0..func.blocks.len() {
        for at in 0..func.blocks[index].phis.len() {
            if raw[func.blocks[index].phis[at].value.index()] {
                continue;
            }
            for place in 0..func.blocks[index].phis[at].args.len() {
                let arg = func.blocks[index].phis[at].args[place];
                if !raw[arg.index()] {
                    continue;
                }
                let copy =
                    Inst::op(IROp::Copy { dst: 0, src: 0 }, [arg, Value::NONE, Value::NONE], Class::Float);
                let value = func.add(copy);
                let pred = func.blocks[index].preds[place];
                func.blocks[pred.index()].insts.push(value);
                func.blocks[index].phis[at].args[place] = value;
            }
        }
    }
}
