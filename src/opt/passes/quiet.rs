//! Quiet comparisons. RISC-V has no quiet "less than", so compilers save the accrued flags, compare, and restore them. The
//! only flag that a comparison can raise is that of an unordered one. If such a comparison gives up when it is unordered,
//! the flags are what they were otherwise, and need not be restored.

use crate::ir::ops::Effect;
use crate::ir::IROp;
use crate::opt::func::{Func, Node, Value};

/// Comparisons that raise a flag if an operand is a quiet NaN.
fn signals(op: &IROp) -> bool {
    matches!(op, IROp::LtF64 { .. } | IROp::LeF64 { .. } | IROp::LtF32 { .. } | IROp::LeF32 { .. })
}

/// Removes writes of the flags that were read before, with nothing but comparisons between.
pub fn run(func: &mut Func) {
    for block in 0..func.blocks.len() {
        let mut read: Option<Value> = None;
        let mut compared: Vec<Value> = Vec::new();
        let mut kept = Vec::with_capacity(func.blocks[block].insts.len());
        for at in 0..func.blocks[block].insts.len() {
            let value = func.blocks[block].insts[at];
            let inst = func.inst(value);
            let Node::Op(op) = inst.node else {
                kept.push(value);
                continue;
            };
            match op {
                IROp::ReadFlags { .. } => {
                    read = Some(value);
                    compared.clear();
                }
                IROp::WriteFlags { .. } if read == Some(inst.args[0]) => {
                    compared.drain(..).for_each(|value| func.insts[value.index()].strict = true);
                    continue;
                }
                op if signals(&op) && inst.state.is_some() => compared.push(value),
                op if matches!(op.info().effect, Effect::Float | Effect::State) => read = None,
                _ => {}
            }
            kept.push(value);
        }
        func.blocks[block].insts = kept;
    }
}
