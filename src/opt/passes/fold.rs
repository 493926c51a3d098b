//! Folding: the algebra of `simplify` once more, on what other passes have made of the operands; and branches whose way
//! is known.
//!
//! Requires: nothing. Ensures: no operation is one that `simplify` knows a simpler one for; no branch compares numbers.
//! Breaks: nothing. Cost: linear in the function, a few times.

use super::flow::{drop_unreached, goes_to};
use super::number::reverse_postorder;
use super::phis;
use super::subst::Subst;
use crate::ir::ops::Effect;
use crate::ir::{Cond, IROp};
use crate::opt::build::may_give_up;
use crate::opt::func::{BlockId, Func, Node, Term, Value};
use crate::opt::simplify::{condition, simplify, Simple};

/// Times that the function is gone over. What is left then is left.
const ROUNDS: usize = 4;

/// Folds until nothing changes.
pub fn run(func: &mut Func) {
    for _ in 0..ROUNDS {
        let folded = operations(func);
        let decided = branches(func);
        phis::run(func);
        if !folded && !decided {
            break;
        }
    }
}

fn operations(func: &mut Func) -> bool {
    let mut subst = Subst::new(func);
    let mut changed = false;
    for id in reverse_postorder(func) {
        for at in 0..func.blocks[id.index()].insts.len() {
            let value = func.blocks[id.index()].insts[at];
            let args = func.inst(value).args.map(|arg| subst.find(arg));
            func.insts[value.index()].args = args;
            let inst = *func.inst(value);
            let Node::Op(op) = inst.node else { continue };
            let simple = match op {
                IROp::Copy { .. } if func.inst(args[0]).class == inst.class => Simple::Is(args[0]),
                _ => simplify(func, op, args),
            };
            match simple {
                Simple::Is(same)
                    if func.inst(same).class == inst.class && op.info().effect == Effect::Pure =>
                {
                    subst.replace(value, same);
                    changed = true;
                }
                Simple::Is(_) => {}
                Simple::Op(new, args) if new != op || args != inst.args => {
                    let inst = &mut func.insts[value.index()];
                    (inst.node, inst.args) = (Node::Op(new), args);
                    inst.state = inst.state.filter(|_| may_give_up(&new));
                    changed = true;
                }
                Simple::Op(..) => {}
            }
        }
    }
    subst.apply(func);
    changed
}

fn branches(func: &mut Func) -> bool {
    let mut changed = false;
    let reached: Vec<BlockId> = func.reached().collect();
    for id in reached {
        let Term::Branch { cond, args, taken, fallthrough } = func.blocks[id.index()].term else { continue };
        let (cond, args) = condition(func, cond, args);
        func.blocks[id.index()].term = Term::Branch { cond, args, taken, fallthrough };
        let holds = if taken == fallthrough { Some(true) } else { decided(func, cond, args) };
        if let Some(holds) = holds {
            goes_to(func, id, if holds { taken } else { fallthrough });
            changed = true;
        }
    }
    if changed {
        drop_unreached(func);
    }
    changed
}

/// Whether a condition holds, if that is known.
fn decided(func: &Func, cond: Cond, [a, b]: [Value; 2]) -> Option<bool> {
    if a == b {
        return Some(cond.holds(0, 0));
    }
    let (a, b) = (func.constant(a), func.constant(b));
    match (cond, a, b) {
        (_, Some(a), Some(b)) => Some(cond.holds(a, b)),
        (Cond::Ltu, _, Some(0)) => Some(false),
        (Cond::Geu, _, Some(0)) => Some(true),
        _ => None,
    }
}
