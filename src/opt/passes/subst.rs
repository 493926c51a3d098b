//! Values that turned out to be others.

use crate::opt::func::{Func, Node, Term, Value};

/// Which value stands for each value.
#[derive(Debug)]
pub struct Subst(Vec<Value>);

impl Subst {
    /// Every value stands for itself.
    pub fn new(func: &Func) -> Subst {
        Subst((0..func.insts.len() as u32).map(Value).collect())
    }

    /// What stands for a value.
    pub fn find(&mut self, value: Value) -> Value {
        if value == Value::NONE {
            return value;
        }
        let mut root = value;
        while self.0[root.index()] != root {
            root = self.0[root.index()];
        }
        let mut at = value;
        while at != root {
            at = std::mem::replace(&mut self.0[at.index()], root);
        }
        root
    }

    /// From now on `by` stands for `value`.
    pub fn replace(&mut self, value: Value, by: Value) {
        let (value, by) = (self.find(value), self.find(by));
        self.0[value.index()] = by;
    }

    /// Rewrites the function.
    pub fn apply(mut self, func: &mut Func) {
        for inst in &mut func.insts {
            inst.args.iter_mut().for_each(|arg| *arg = self.find(*arg));
        }
        for state in &mut func.states {
            state.regs.iter_mut().for_each(|reg| *reg = self.find(*reg));
        }
        for block in &mut func.blocks {
            block.phis.retain(|phi| self.0[phi.value.index()] == phi.value);
            for phi in &mut block.phis {
                phi.args.iter_mut().for_each(|arg| *arg = self.find(*arg));
            }
            block.insts.retain(|value| self.0[value.index()] == *value);
            match &mut block.term {
                Term::Goto(_) => {}
                Term::Branch { args, .. } => args.iter_mut().for_each(|arg| *arg = self.find(*arg)),
                Term::Leave { temps, .. } => temps.iter_mut().for_each(|(_, temp)| *temp = self.find(*temp)),
            }
        }
        for (index, inst) in func.insts.iter_mut().enumerate() {
            if self.0[index].index() != index {
                inst.node = Node::Gone;
            }
        }
    }
}
