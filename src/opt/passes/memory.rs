//! Known memory: a load of what was loaded or stored before, on every way here, is that value.
//!
//! Requires: addresses with their numbers folded into offsets, equal values numbered alike. Ensures: nothing more.
//! Breaks: what was loaded is now an operation that may fold. Cost: linear, times the places known at once.
//!
//! What is known of a place ends with an access at another address that may overlap it, an atomic operation and a fence. It
//! also ends where a loop begins: a program that waits for another thread loads again and again, and must come to see the
//! other's store (RISC-V Unpriv. RVWMO, "Progress Axiom"). Without a loop, a load may give what an earlier access of its own
//! hart of the same bytes gave (ibid., "Load Value Axiom"); and it cannot fault, since that access did not.
//!
//! Between the two there may be a load of something else. Then the later one gives what was there before that, which is right
//! unless its address depends on it (ibid., preserved program order, rule 9). It does not: the address is the value that the
//! earlier access had, too, and no simplification makes an address of one that depends on less (`simplify`). A load at another
//! address may be of the same bytes, though, and give what is newer than what is known, which must not come after that (rule
//! 2, coherence): so what is known ends with it as with a store. Loads that are done stay in order on hosts that do not
//! reorder loads, as x86-64.

use super::number::reverse_postorder;
use super::subst::Subst;
use crate::ir::ops::Effect;
use crate::ir::IROp;
use crate::opt::access::{access, Access, Extend, Place};
use crate::opt::func::{BlockId, Class, Func, Node, Value};
use crate::opt::simplify::base_of;

/// Places known at once; the oldest are forgotten.
const MOST: usize = 48;

/// What is known of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    place: Place,
    value: Value,
    /// What the value is of the bytes; `None`: they are its low bytes.
    extend: Option<Extend>,
}

/// Removes loads of what is known.
pub fn run(func: &mut Func) {
    let order = reverse_postorder(func);
    let mut number = vec![usize::MAX; func.blocks.len()];
    order.iter().enumerate().for_each(|(at, id)| number[id.index()] = at);
    let mut subst = Subst::new(func);
    let mut ends: Vec<Vec<Known>> = vec![Vec::new(); func.blocks.len()];
    for &id in &order {
        let mut known = start(func, id, &number, &ends);
        for at in 0..func.blocks[id.index()].insts.len() {
            let value = func.blocks[id.index()].insts[at];
            func.insts[value.index()].args = func.inst(value).args.map(|arg| subst.find(arg));
            step(func, value, &mut known, &mut subst);
        }
        ends[id.index()] = known;
    }
    subst.apply(func);
}

/// What is known at the start of a block: what all its predecessors know.
fn start(func: &Func, id: BlockId, number: &[usize], ends: &[Vec<Known>]) -> Vec<Known> {
    let preds = &func.blocks[id.index()].preds;
    let Some((first, rest)) = preds.split_first() else { return Vec::new() };
    if preds.iter().any(|pred| number[pred.index()] >= number[id.index()]) {
        return Vec::new();
    }
    let mut known = ends[first.index()].clone();
    for pred in rest {
        known.retain(|one| ends[pred.index()].contains(one));
    }
    known
}

fn step(func: &mut Func, value: Value, known: &mut Vec<Known>, subst: &mut Subst) {
    let inst = *func.inst(value);
    let Node::Op(op) = inst.node else { return };
    let (Some(access), Some(base)) = (access(&op), base_of(&op)) else {
        let atomic = matches!(op.info().effect, Effect::Writes | Effect::Reads);
        if atomic || matches!(op, IROp::Fence {}) {
            known.clear();
        }
        return;
    };
    let place = Place::of(func, access, inst.args[base]);
    if access.extend.is_none() {
        known.retain(|other| !other.place.may_overlap(&place));
        note(known, Known { place, value: inst.args[0], extend: None });
        return;
    }
    let same = known.iter().find(|other| other.place == place).copied();
    match same.and_then(|same| forward(func, access, inst.class, &same)) {
        Some(Forward::Is(other)) => subst.replace(value, other),
        Some(Forward::Op(op, arg)) => {
            let inst = &mut func.insts[value.index()];
            (inst.node, inst.args, inst.state) = (Node::Op(op), [arg, Value::NONE, Value::NONE], None);
        }
        None => {
            known.retain(|other| !other.place.may_overlap(&place));
            note(known, Known { place, value, extend: access.extend });
        }
    }
}

fn note(known: &mut Vec<Known>, one: Known) {
    if known.len() >= MOST {
        known.remove(0);
    }
    known.push(one);
}

/// What a load came to.
enum Forward {
    Is(Value),
    Op(IROp, Value),
}

/// A load of a place of which something is known.
fn forward(func: &Func, load: Access, class: Class, known: &Known) -> Option<Forward> {
    let value = known.value;
    let from = func.inst(value).class;
    let extend = load.extend?;
    if from == class && (extend == Extend::Whole || known.extend == Some(extend)) {
        return Some(Forward::Is(value));
    }
    let (dst, src) = (0, 0);
    let op = match (from, extend, load.bytes) {
        (_, Extend::Whole, _) => IROp::Copy { dst, src },
        (Class::Float, Extend::Box, _) => {
            return func.op(value).filter(IROp::boxes_single).map(|_| Forward::Is(value));
        }
        (Class::Int, Extend::Box, _) => IROp::BoxF32 { dst, src },
        (Class::Float, Extend::Sign, 4) => IROp::BitsF32 { dst, src },
        (Class::Float, ..) => return None,
        (Class::Int, Extend::Sign, 4) => IROp::AddWImm { dst, src, imm: 0 },
        (Class::Int, Extend::Sign, 2) => IROp::SextH { dst, src },
        (Class::Int, Extend::Sign, _) => IROp::SextB { dst, src },
        (Class::Int, Extend::Zero, 4) => IROp::ShlUwImm { dst, src, imm: 0 },
        (Class::Int, Extend::Zero, 2) => IROp::ZextH { dst, src },
        (Class::Int, Extend::Zero, _) => IROp::AndImm { dst, src, imm: 255 },
    };
    Some(Forward::Op(op, value))
}
