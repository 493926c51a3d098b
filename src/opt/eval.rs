//! What a function does, on a small memory: the meaning that every pass keeps. Tests compare it before and after each.

use super::access::{access, Extend};
use super::func::{BlockId, Func, Node, StateId, Term, Value};
use crate::base::{GuestAddr, FIRST_TEMP};
use crate::ir::float::Rounding;
use crate::ir::ops::{for_each_op, RoundMode};
use crate::ir::{eval, IROp, Terminator};
use std::collections::BTreeMap;

/// Guest registers that a front end knows.
pub const REGS: usize = FIRST_TEMP as usize;

/// Two pages of memory; everything else faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(BTreeMap<u32, u8>);

/// First address, and size, of what is mapped.
pub const MAPPED: (u32, u32) = (0x1000, 0x200);

/// An access that faulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faulted;

impl Memory {
    fn read(&self, at: u32, bytes: u8) -> Result<u64, Faulted> {
        let mut value = 0;
        for byte in (0..u32::from(bytes)).rev() {
            let at = at.wrapping_add(byte);
            if at.wrapping_sub(MAPPED.0) >= MAPPED.1 {
                return Err(Faulted);
            }
            // What was never written differs from byte to byte.
            let content = self.0.get(&at).copied().unwrap_or((at.wrapping_mul(157) >> 3) as u8);
            value = value << 8 | u64::from(content);
        }
        Ok(value)
    }

    fn write(&mut self, at: u32, bytes: u8, value: u64) -> Result<(), Faulted> {
        self.read(at, bytes)?;
        for (byte, content) in value.to_le_bytes().into_iter().take(usize::from(bytes)).enumerate() {
            self.0.insert(at.wrapping_add(byte as u32), content);
        }
        Ok(())
    }
}

/// What the guest has besides its program counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    pub regs: [u64; REGS],
    pub memory: Memory,
    pub flags: u8,
}

/// The guest's registers at an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub pc: GuestAddr,
    pub regs: [u64; REGS],
}

/// Something that others can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A store, with the state before its instruction.
    Write {
        at: u32,
        bytes: u8,
        value: u64,
        before: Seen,
    },
    Safepoint(Seen),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By a terminator that goes on at an address, or (0) does not.
    Left(Box<Seen>),
    Faulted(Box<Seen>),
    /// It went on for too long.
    Stopped,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub end: End,
    pub events: Vec<Event>,
    pub cost: u32,
    /// As it is left, but for the registers.
    pub memory: Memory,
    pub flags: u8,
}

/// Expands to [`compute`].
macro_rules! computer {
    ($( $group:ident { $($name:ident $mnemonic:literal $eval:ident $c:tt $formula:literal;)* } )*) => {
        computer!(@compute $( $group { $($name $eval;)* } )*);
    };
    (@compute
        constant { $($con:ident $econ:ident;)* } unary { $($un:ident $eun:ident;)* }
        binary { $($bin:ident $ebin:ident;)* } immediate { $($imm:ident $eimm:ident;)* }
        load { $($ld:ident $eld:ident;)* } store { $($st:ident $est:ident;)* }
        float_unary { $($fu:ident $efu:ident;)* } float_binary { $($fb:ident $efb:ident;)* }
        float_ternary { $($ft:ident $eft:ident;)* } float_compare { $($fc:ident $efc:ident;)* } $($rest:tt)*
    ) => {
        /// The result of an operation that does not access memory.
        fn compute(op: &IROp, [a, b, c]: [u64; 3], flags: &mut u8) -> u64 {
            match *op {
                $(IROp::$con { imm, .. } => eval::$econ(imm.cast_unsigned()),)*
                $(IROp::$un { .. } => eval::$eun(a),)*
                $(IROp::$bin { .. } => eval::$ebin(a, b),)*
                $(IROp::$imm { imm, .. } => eval::$eimm(a, imm.cast_unsigned()),)*
                $(IROp::$fu { rm, .. } => eval::$efu(a, rounding(rm), flags),)*
                $(IROp::$fb { rm, .. } => eval::$efb(a, b, rounding(rm), flags),)*
                $(IROp::$ft { rm, .. } => eval::$eft(a, b, c, rounding(rm), flags),)*
                $(IROp::$fc { .. } => eval::$efc(a, b, flags),)*
                IROp::ReadFlags { .. } => u64::from(*flags),
                IROp::WriteFlags { .. } => {
                    *flags = a as u8 & 31;
                    0
                }
                _ => 0,
            }
        }
    };
}

for_each_op!(computer);

fn rounding(rm: RoundMode) -> Rounding {
    match rm {
        RoundMode::Static(rounding) => rounding,
        RoundMode::Dynamic => Rounding::NearestEven,
    }
}

/// What an operation did to memory: where, how many bytes, which value.
pub type Written = Option<(u32, u8, u64)>;

impl Machine {
    /// Does an operation. Of atomic operations it knows one of each size, and of those on the hart's state the flags.
    ///
    /// # Errors
    /// If it faults.
    pub fn perform(&mut self, op: &IROp, args: [u64; 3]) -> Result<(u64, Written), Faulted> {
        if let Some(access) = access(op) {
            let base = args[usize::from(access.extend.is_none())];
            let at = (base as u32).wrapping_add(access.offset as u32);
            let Some(extend) = access.extend else {
                self.memory.write(at, access.bytes, args[0])?;
                let value = args[0] & u64::MAX >> (64 - 8 * access.bytes);
                return Ok((0, Some((at, access.bytes, value))));
            };
            let value = self.memory.read(at, access.bytes)?;
            let unused = 64 - 8 * u32::from(access.bytes);
            return Ok(match extend {
                Extend::Whole | Extend::Zero => (value, None),
                Extend::Sign => (((value << unused).cast_signed() >> unused).cast_unsigned(), None),
                Extend::Box => (eval::box_f32(value), None),
            });
        }
        match *op {
            IROp::AddAt64 { .. } => self.atomic(args, 8, |old, src| old.wrapping_add(src)),
            IROp::SwapAt32 { .. } => self.atomic(args, 4, |_, src| src),
            _ => Ok((compute(op, args, &mut self.flags), None)),
        }
    }

    fn atomic(
        &mut self,
        [src, base, _]: [u64; 3],
        bytes: u8,
        new: impl Fn(u64, u64) -> u64,
    ) -> Result<(u64, Written), Faulted> {
        let at = base as u32;
        let old = self.memory.read(at, bytes)?;
        let new = new(old, src);
        self.memory.write(at, bytes, new)?;
        let old = if bytes == 4 { i64::from(old as i32).cast_unsigned() } else { old };
        Ok((old, Some((at, bytes, new & u64::MAX >> (64 - 8 * bytes)))))
    }
}

/// Where a terminator that does not branch goes on, given its register.
pub fn next_pc(term: &Terminator, base: u64) -> GuestAddr {
    match *term {
        Terminator::Jump { target } | Terminator::Call { target, .. } => target,
        Terminator::JumpIndirect { offset, .. }
        | Terminator::CallIndirect { offset, .. }
        | Terminator::ReturnIndirect { offset, .. } => base.wrapping_add_signed(offset) & !1,
        Terminator::Syscall { next } | Terminator::SyncCode { next } => next,
        _ => 0,
    }
}

struct Runner<'a> {
    func: &'a Func,
    machine: Machine,
    values: Vec<u64>,
    events: Vec<Event>,
    cost: u32,
}

/// Runs a function from an entry until it leaves, faults, or has cost `limit`.
pub fn run(func: &Func, entry: BlockId, machine: Machine, limit: u32) -> Run {
    let values = vec![0; func.insts.len()];
    let mut runner = Runner { func, machine, values, events: Vec::new(), cost: 0 };
    let (mut at, mut from) = (entry, entry);
    let end = loop {
        if runner.cost >= limit {
            break End::Stopped;
        }
        match runner.block(at, from) {
            Ok(next) => (from, at) = (at, next),
            Err(end) => break end,
        }
    };
    let Runner { machine: Machine { memory, flags, .. }, events, cost, .. } = runner;
    Run { end, events, cost, memory, flags }
}

impl Runner<'_> {
    fn get(&self, value: Value) -> u64 {
        // Zero needs not be defined.
        self.func.constant(value).unwrap_or_else(|| self.values.get(value.index()).copied().unwrap_or(0))
    }

    fn seen(&self, state: StateId) -> Seen {
        let state = &self.func.states[state.0 as usize];
        let mut regs = self.machine.regs;
        for (&reg, &value) in self.func.touched.iter().zip(&state.regs) {
            regs[usize::from(reg)] = self.get(value);
        }
        Seen { pc: state.pc, regs }
    }

    fn block(&mut self, id: BlockId, from: BlockId) -> Result<BlockId, End> {
        let block = &self.func.blocks[id.index()];
        let place = block.preds.iter().position(|&pred| pred == from).unwrap_or(0);
        let phis: Vec<u64> = block.phis.iter().map(|phi| self.get(phi.args[place])).collect();
        for (phi, value) in block.phis.iter().zip(phis) {
            self.values[phi.value.index()] = value;
        }
        self.cost += block.cost;
        if let Some(state) = block.safepoint {
            let seen = self.seen(state);
            self.events.push(Event::Safepoint(seen));
        }
        for &value in &block.insts {
            self.inst(value)?;
        }
        match &block.term {
            Term::Goto(to) => Ok(*to),
            Term::Branch { cond, args: [a, b], taken, fallthrough } => {
                let holds = cond.holds(self.get(*a), self.get(*b));
                Ok(if holds { *taken } else { *fallthrough })
            }
            Term::Leave { term, state, temps } => {
                let mut seen = self.seen(*state);
                let reg = term.uses().next();
                let temp = temps.iter().find(|temp| Some(temp.0) == reg).map(|temp| self.get(temp.1));
                let base = temp.or(reg.map(|reg| seen.regs[usize::from(reg)]));
                seen.pc = next_pc(term, base.unwrap_or(0));
                Err(End::Left(Box::new(seen)))
            }
        }
    }

    fn inst(&mut self, value: Value) -> Result<(), End> {
        let inst = self.func.inst(value);
        let op = match inst.node {
            Node::Home(reg) => {
                self.values[value.index()] = self.machine.regs[usize::from(reg)];
                return Ok(());
            }
            Node::Op(op) => op,
            Node::Phi | Node::Gone => return Ok(()),
        };
        let args = inst.args.map(|arg| self.get(arg));
        let before = inst.state.map(|state| self.seen(state));
        match (self.machine.perform(&op, args), before) {
            (Ok((result, written)), before) => {
                self.values[value.index()] = result;
                if let (Some((at, bytes, value)), Some(before)) = (written, before) {
                    self.events.push(Event::Write { at, bytes, value, before });
                }
                Ok(())
            }
            (Err(Faulted), before) => {
                let nowhere = Seen { pc: 0, regs: self.machine.regs };
                Err(End::Faulted(Box::new(before.unwrap_or(nowhere))))
            }
        }
    }
}
