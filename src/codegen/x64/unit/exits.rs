//! Leaving a region: every register goes to its home, then the terminator of any block is done.

use super::plan::{self, home_location, FIRST_RECIPE, LAST_RECIPE};
use super::recipe::set_registers;
use super::{cell, xmm, Emitter, Raw, Seats, Upper};
use crate::asm::x64::reg::*;
use crate::asm::x64::{Mem, Size};
use crate::base::{GuestAddr, RegId};
use crate::codegen::Bail;
use crate::ir::Terminator;
use crate::opt::func::{BlockId, Node, StateId, Value};
use crate::regalloc::{Location, Move};

impl Emitter<'_, '_> {
    /// Leaves by a terminator.
    pub(super) fn leave(
        &mut self,
        id: BlockId,
        step: u32,
        term: Terminator,
        state: StateId,
        temps: &[(RegId, Value)],
    ) -> Result<(), Bail> {
        self.go_home(step, state, temps)?;
        let block = &self.func.blocks[id.index()];
        self.give_back(self.longest[id.index()] - block.cost);
        self.lower.back = block.back.map(|back| (self.labels[back.index()], block.frames.len()));
        self.push_frames(&block.frames);
        let local = self.lower.local.take();
        (self.lower.upper, self.lower.raw, self.lower.boxed) = (Upper::UNKNOWN, Raw::default(), 0);
        let first = self.lower.cold.len();
        self.lower.terminator(&term);
        self.lower.back = None;
        // Its slow paths know the homes of units only.
        for cold in &mut self.lower.cold[first..] {
            cold.kept = u32::MAX;
        }
        self.lower.local = local;
        Ok(())
    }

    /// Moves the values of a state to the homes of their registers.
    pub(super) fn go_home(
        &mut self,
        step: u32,
        state: StateId,
        temps: &[(RegId, Value)],
    ) -> Result<(), Bail> {
        let func = self.func;
        let regs = &func.states[state.0 as usize].regs;
        let all = func.touched.iter().copied().zip(regs.iter().copied()).chain(temps.iter().copied());
        let all: Vec<(RegId, Value)> = all.collect();
        let mut computed: Vec<(Value, RegId)> = Vec::new();
        let mut moves = Vec::new();
        for &(reg, value) in &all {
            let from = match func.inst(value).sunk {
                true => Location::Slot(u16::from(self.compute(step, value, &mut computed)?)),
                false if func.constant(value).is_some() => continue,
                false => self.location(step, value).ok_or(Bail::State)?,
            };
            moves.push(Move { from, to: home_location(reg) });
        }
        let mut sequence = Vec::new();
        self.sequencer.sequence(&moves, plan::target().scratch, &mut sequence);
        sequence.into_iter().for_each(|one| self.one_move(one));
        for &(reg, value) in &all {
            match func.constant(value) {
                Some(number) => self.number_home(reg, number),
                None => self.mend_home(reg, value),
            }
        }
        Ok(())
    }

    fn number_home(&mut self, reg: RegId, number: u64) {
        let asm = &mut self.lower.asm;
        match (home_location(reg), i32::try_from(number.cast_signed())) {
            (Location::Register(register), _) if register.class == 0 => {
                asm.load_constant(plan::gpr(register.number), number);
            }
            (Location::Register(register), _) => {
                asm.load_constant(RAX, number);
                asm.movq_xr(xmm(register.number), RAX);
            }
            (Location::Slot(slot), Ok(small)) => asm.mov_mi(Size::S64, cell(slot), small),
            (Location::Slot(slot), Err(_)) => {
                asm.load_constant(RAX, number);
                asm.mov_mr(Size::S64, cell(slot), RAX);
            }
            (Location::Nowhere, _) => {}
        }
    }

    /// Makes what is in a home what it should be.
    fn mend_home(&mut self, reg: RegId, value: Value) {
        let sunk = self.func.inst(value).sunk;
        let low = self.facts.narrow[value.index()] && !self.facts.wanted[value.index()] && !sunk;
        let (raw, single) = (self.facts.raw[value.index()], self.facts.boxed[value.index()]);
        match home_location(reg) {
            Location::Register(register) if register.class == 0 && low => {
                let host = plan::gpr(register.number);
                self.lower.asm.movsxd_rr(host, host);
            }
            Location::Slot(slot) if low => {
                self.lower.asm.movsxd_rm(RAX, cell(slot));
                self.lower.asm.mov_mr(Size::S64, cell(slot), RAX);
            }
            Location::Register(register) if register.class == 1 && raw => {
                self.lower.mend_xmm(xmm(register.number), single);
            }
            Location::Slot(slot) if raw => {
                self.lower.asm.movsd_xm(Xmm::ALL[0], cell(slot));
                self.lower.mend_xmm(Xmm::ALL[0], single);
                self.lower.asm.movsd_mx(cell(slot), Xmm::ALL[0]);
            }
            _ => {}
        }
    }

    /// Computes a sunk value into a temporary of the state; returns that.
    fn compute(
        &mut self,
        step: u32,
        value: Value,
        computed: &mut Vec<(Value, RegId)>,
    ) -> Result<RegId, Bail> {
        if let Some(&(_, known)) = computed.iter().find(|(known, _)| *known == value) {
            return Ok(known);
        }
        let inst = *self.func.inst(value);
        let Node::Op(mut op) = inst.node else { return Err(Bail::State) };
        for &arg in inst.args.iter().filter(|arg| **arg != Value::NONE) {
            if self.func.inst(arg).sunk {
                self.compute(step, arg, computed)?;
            }
        }
        (self.lower.upper, self.lower.raw, self.lower.boxed) = (Upper::UNKNOWN, Raw::default(), 0);
        let mut seats = Seats::default();
        let mut args = [0; 3];
        for (at, &arg) in inst.args.iter().enumerate().filter(|(_, arg)| **arg != Value::NONE) {
            args[at] = match computed.iter().find(|(known, _)| *known == arg) {
                Some(&(_, temp)) => {
                    let location = Location::Slot(u16::from(temp));
                    let reg = seats.of(location, inst.class);
                    self.lower.seat(reg, location);
                    // Computed temporaries are whole.
                    if self.facts.narrow[arg.index()] {
                        self.lower.narrow(reg);
                    }
                    reg
                }
                None => self.source(&mut seats, step, arg)?,
            };
        }
        let temp = FIRST_RECIPE + computed.len() as RegId;
        if temp >= LAST_RECIPE {
            return Err(Bail::State);
        }
        computed.push((value, temp));
        let location = Location::Slot(u16::from(temp));
        let dst = seats.of(location, inst.class);
        self.lower.seat(dst, location);
        set_registers(&mut op, dst, args);
        // Nobody knows that it is computed here, so what is in rdx stays there.
        let saved = Xmm::ALL[1];
        if plan::takes_rdx(&inst) {
            self.lower.asm.movq_xr(saved, RDX);
        }
        self.lower.unit_operation(&op);
        if plan::takes_rdx(&inst) {
            self.lower.asm.movq_rx(RDX, saved);
        }
        Ok(temp)
    }

    /// Puts the returns of calls that were followed on the return stack. A return to one of them goes on behind the call,
    /// as from any other.
    pub(super) fn push_frames(&mut self, frames: &[GuestAddr]) {
        if self.lower.back.is_some() {
            // All that is pushed from here on is dropped at once when the call comes back, so it must be there.
            self.lower.make_room();
        }
        for &return_to in frames {
            let back = self.lower.asm.new_label();
            self.behind.push(super::Behind::Return { label: back, return_to });
            self.lower.push_return(return_to);
            self.lower.asm.lea_rm(Size::S64, RDX, Mem::label(back));
            self.lower.asm.push_r(RDX);
        }
    }
}
