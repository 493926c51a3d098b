//! Redundant phis: phis that are all one other value, or each other, whichever way control comes (Braun et al., "Simple
//! and Efficient Construction of Static Single Assignment Form", CC 2013, section 3.2). Phis of two loops that lead into
//! each other are such a set, of which none is redundant alone.
//!
//! Requires: nothing. Ensures: no set of phis has one operand only besides its own members. Breaks: nothing. Cost: linear
//! in the operands of phis, times the depth of loops.

use super::subst::Subst;
use crate::opt::func::{Func, Phi, Value};

/// No number.
const NONE: u32 = u32::MAX;

struct Solver<'a> {
    phis: Vec<&'a Phi>,
    /// Of each value, the number of the phi that it is.
    numbers: Vec<u32>,
    /// Of each phi, the set that it is looked at in.
    sets: Vec<u32>,
    last_set: u32,
    /// Of each phi, when the walk came to it, and the earliest that it leads back to.
    order: Vec<u32>,
    low: Vec<u32>,
    subst: Subst,
}

/// Removes them.
pub fn run(func: &mut Func) {
    let phis: Vec<&Phi> = func.blocks.iter().flat_map(|block| &block.phis).collect();
    let mut numbers = vec![NONE; func.insts.len()];
    phis.iter().zip(0..).for_each(|(phi, number)| numbers[phi.value.index()] = number);
    let all: Vec<u32> = (0..phis.len() as u32).collect();
    let (sets, order, low) = (vec![0; all.len()], vec![NONE; all.len()], vec![NONE; all.len()]);
    let mut solver = Solver { phis, numbers, sets, last_set: 0, order, low, subst: Subst::new(func) };
    solver.solve(&all);
    let subst = solver.subst;
    subst.apply(func);
}

impl Solver<'_> {
    /// Looks at each strongly connected part of a set, operands before who uses them.
    fn solve(&mut self, set: &[u32]) {
        for part in self.parts(set) {
            self.last_set += 1;
            let mark = self.last_set;
            part.iter().for_each(|&phi| self.sets[phi as usize] = mark);
            let mut outer: Option<Value> = None;
            let (mut several, mut inner) = (false, Vec::new());
            for &phi in &part {
                let mut inside = true;
                for &arg in &self.phis[phi as usize].args {
                    let arg = self.subst.find(arg);
                    let number = self.numbers[arg.index()];
                    if number != NONE && self.sets[number as usize] == mark {
                        continue;
                    }
                    inside = false;
                    several |= *outer.get_or_insert(arg) != arg;
                }
                if inside {
                    inner.push(phi);
                }
            }
            match outer {
                Some(only) if !several => {
                    part.iter().for_each(|&phi| self.subst.replace(self.phis[phi as usize].value, only));
                }
                Some(_) if !inner.is_empty() => self.solve(&inner),
                _ => {}
            }
        }
    }

    /// The strongly connected parts of a set, each after those that its operands are in. (Tarjan, "Depth-First Search and
    /// Linear Graph Algorithms".)
    fn parts(&mut self, set: &[u32]) -> Vec<Vec<u32>> {
        self.last_set += 1;
        let mark = self.last_set;
        for &phi in set {
            (self.sets[phi as usize], self.order[phi as usize]) = (mark, NONE);
        }
        let (mut parts, mut open, mut next) = (Vec::new(), Vec::new(), 0);
        let mut path: Vec<(u32, usize)> = Vec::new();
        for &root in set {
            if self.order[root as usize] != NONE {
                continue;
            }
            path.push((root, 0));
            while let Some(&mut (phi, ref mut place)) = path.last_mut() {
                let at = phi as usize;
                if *place == 0 {
                    (self.order[at], self.low[at]) = (next, next);
                    next += 1;
                    open.push(phi);
                }
                let arg = self.phis[at].args.get(*place).copied();
                *place += 1;
                let Some(arg) = arg else {
                    path.pop();
                    if let Some(&(above, _)) = path.last() {
                        self.low[above as usize] = self.low[above as usize].min(self.low[at]);
                    }
                    if self.low[at] == self.order[at] {
                        let first = open.iter().rposition(|&other| other == phi).unwrap_or(0);
                        let part = open.split_off(first);
                        // What is in a part that is done counts no more.
                        part.iter().for_each(|&done| self.sets[done as usize] = 0);
                        parts.push(part);
                    }
                    continue;
                };
                let arg = self.subst.find(arg);
                let number = self.numbers[arg.index()];
                if number == NONE || self.sets[number as usize] != mark {
                    continue;
                }
                if self.order[number as usize] == NONE {
                    path.push((number, 0));
                } else {
                    self.low[at] = self.low[at].min(self.order[number as usize]);
                }
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opt::func::{Block, BlockId, Class, Inst, Node, Term};

    /// A function of blocks with one phi each, values 2 and on, of these operands; values 0 and 1 are from outside.
    fn function(phis: &[&[u32]]) -> Func {
        let home = Inst {
            node: Node::Home(10),
            args: [Value::NONE; 3],
            class: Class::Int,
            state: None,
            sunk: false,
            strict: false,
        };
        let mut func = Func { insts: vec![home; 2], ..Func::default() };
        for args in phis {
            let value = func.add(Inst { node: Node::Phi, ..home });
            func.blocks.push(Block {
                pc: 0x1000,
                entry: false,
                back: None,
                phis: vec![Phi { value, args: args.iter().copied().map(Value).collect() }],
                insts: Vec::new(),
                preds: Vec::new(),
                term: Term::Goto(BlockId(0)),
                cost: 1,
                reserve: 1,
                count: 1,
                frames: Vec::new(),
                safepoint: None,
            });
        }
        func
    }

    fn left(phis: &[&[u32]]) -> Vec<u32> {
        let mut func = function(phis);
        run(&mut func);
        func.blocks.iter().flat_map(|block| &block.phis).map(|phi| phi.value.0).collect()
    }

    #[test]
    fn phis_of_each_other_are_redundant() {
        assert_eq!(left(&[&[0, 2]]), []);
        assert_eq!(left(&[&[0, 2, 3], &[0, 2, 3]]), []);
        // Not if something else comes in.
        assert_eq!(left(&[&[0, 2, 3], &[1, 2, 3]]), [2, 3]);
        // An inner loop keeps what the outer one changes: 3 is 2, which is 0 or 1.
        assert_eq!(left(&[&[0, 1, 3], &[2, 4, 3], &[3, 4, 2]]), [2]);
        // What is behind a loop, too.
        assert_eq!(left(&[&[0, 3], &[0, 2], &[2, 3]]), []);
        // Nothing leads there.
        assert_eq!(left(&[&[3], &[2]]), [2, 3]);
    }
}
