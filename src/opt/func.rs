//! The optimiser's form of a region: blocks of operations on values that are defined once (SSA).
//!
//! The guest's registers are variables that the builder dissolves: an operation reads values. What the guest would see
//! if it were stopped is a *state*, a value for each register that the region touches; an operation that may fault or
//! give up has the state before its guest instruction, and a block that leaves has the state to leave with.

use crate::base::{GuestAddr, RegId, FIRST_FLOAT, FIRST_TEMP};
use crate::ir::{Cond, IROp, Terminator};

/// A value, and what computes it: an index in [`Func::insts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub u32);

impl Value {
    /// In the place of an operand that an instruction does not have.
    pub const NONE: Value = Value(u32::MAX);

    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An index in [`Func::blocks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub u32);

impl BlockId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An index in [`Func::states`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateId(pub u32);

/// Which registers of a host hold a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Int,
    Float,
}

impl Class {
    /// Of a register's values. Temporaries are integers.
    pub fn of(reg: RegId) -> Class {
        match reg {
            FIRST_FLOAT..FIRST_TEMP => Class::Float,
            _ => Class::Int,
        }
    }
}

/// What defines a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A guest register as it is where the region is entered.
    Home(RegId),
    /// One value for each predecessor of its block ([`Block::phis`] has them).
    Phi,
    /// An operation. The registers in it mean nothing: its operands are [`Inst::args`].
    Op(IROp),
    /// Nothing any more.
    Gone,
}

/// An instruction. It defines the value of its own index, unless it is a store or the like.
#[derive(Clone, Copy, Debug)]
pub struct Inst {
    pub node: Node,
    /// In the order in which `IROp::operands` visits them; [`Value::NONE`] behind the last.
    pub args: [Value; 3],
    pub class: Class,
    /// State before its guest instruction, if it may fault or give up.
    pub state: Option<StateId>,
    /// It is only computed where a state is wanted that has it.
    pub sunk: bool,
    /// A comparison that gives up if an operand is a NaN.
    pub strict: bool,
}

/// What the guest would see before an instruction of its own.
#[derive(Clone, Debug)]
pub struct State {
    /// The instruction.
    pub pc: GuestAddr,
    /// The block, and how many of its guest instructions come before.
    pub block: BlockId,
    pub begun: u32,
    /// Values of [`Func::touched`], in that order.
    pub regs: Vec<Value>,
}

/// A value that is one of several.
#[derive(Clone, Debug)]
pub struct Phi {
    pub value: Value,
    /// In the order of the block's predecessors.
    pub args: Vec<Value>,
}

/// How a block ends.
#[derive(Clone, Debug)]
pub enum Term {
    /// Goes on in the region.
    Goto(BlockId),
    /// Two ways in the region.
    Branch { cond: Cond, args: [Value; 2], taken: BlockId, fallthrough: BlockId },
    /// Leaves: every register goes to its home, and then the terminator is done on those.
    Leave { term: Terminator, state: StateId, temps: Vec<(RegId, Value)> },
}

/// A block of the region, or a way into it or out of it.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where it begins, for people and for entries.
    pub pc: GuestAddr,
    /// It can be entered from outside; it has no predecessors then, and its values are homes. If calls were followed to get
    /// there, only a call that the region itself left by leads there ([`Block::back`]).
    pub entry: bool,
    /// The entry that the call which it leaves by comes back to. The same calls were followed to get to both.
    pub back: Option<BlockId>,
    pub phis: Vec<Phi>,
    pub insts: Vec<Value>,
    pub preds: Vec<BlockId>,
    pub term: Term,
    /// Fuel that it costs.
    pub cost: u32,
    /// Fuel without which it does not begin: what the guest's whole block costs, also if less of it is here.
    pub reserve: u32,
    /// Times that it ran when it was recorded.
    pub count: u64,
    /// Return addresses of calls that were followed and not come back from, outermost first.
    pub frames: Vec<GuestAddr>,
    /// Control may come here again and again, or from outside, so there is a safepoint; with what to leave at it.
    pub safepoint: Option<StateId>,
}

impl Block {
    /// Whether it is an entry for everybody who goes to its address.
    pub fn is_found(&self) -> bool {
        self.entry && self.frames.is_empty()
    }

    /// The blocks that it goes on to.
    pub fn succs(&self) -> impl Iterator<Item = BlockId> {
        let (a, b) = match self.term {
            Term::Goto(to) => (Some(to), None),
            Term::Branch { taken, fallthrough, .. } => (Some(taken), Some(fallthrough)),
            Term::Leave { .. } => (None, None),
        };
        a.into_iter().chain(b)
    }
}

/// A region in SSA form. Blocks are in reverse postorder but for those that leave, which may be anywhere.
#[derive(Clone, Debug, Default)]
pub struct Func {
    pub insts: Vec<Inst>,
    pub blocks: Vec<Block>,
    pub states: Vec<State>,
    /// The guest registers that states have.
    pub touched: Vec<RegId>,
    /// The constant 0.
    pub zero: Option<Value>,
    /// Of each block, whether anything leads to it; the others mean nothing.
    pub reached: Vec<bool>,
}

impl Func {
    /// A new value.
    pub fn add(&mut self, inst: Inst) -> Value {
        self.insts.push(inst);
        Value(self.insts.len() as u32 - 1)
    }

    /// What defines a value.
    pub fn inst(&self, value: Value) -> &Inst {
        &self.insts[value.index()]
    }

    /// The number that a value is, if it is known.
    pub fn constant(&self, value: Value) -> Option<u64> {
        match self.insts.get(value.index())?.node {
            Node::Op(IROp::Const { imm, .. }) => Some(imm.cast_unsigned()),
            _ => None,
        }
    }

    /// The operation of a value.
    pub fn op(&self, value: Value) -> Option<IROp> {
        match self.insts.get(value.index())?.node {
            Node::Op(op) => Some(op),
            _ => None,
        }
    }

    /// Numbers of blocks, those that nothing leads to included.
    pub fn block_ids(&self) -> impl Iterator<Item = BlockId> {
        (0..self.blocks.len() as u32).map(BlockId)
    }

    /// Numbers of the blocks that mean something.
    pub fn reached(&self) -> impl Iterator<Item = BlockId> + '_ {
        self.block_ids().filter(|id| self.reached[id.index()])
    }

    /// Guest instructions in all blocks.
    pub fn cost(&self) -> u64 {
        self.blocks.iter().map(|block| u64::from(block.cost)).sum()
    }
}

impl Inst {
    /// An operation.
    pub fn op(op: IROp, args: [Value; 3], class: Class) -> Inst {
        Inst { node: Node::Op(op), args, class, state: None, sunk: false, strict: false }
    }

    /// The operands that it has.
    pub fn uses(&self) -> impl Iterator<Item = Value> {
        self.args.into_iter().filter(|&arg| arg != Value::NONE)
    }
}
