//! How a state is made out of the host's registers where an access faulted.

use super::plan::{FIRST_RECIPE, LAST_RECIPE};
use super::Emitter;
use crate::base::state::CpuState;
use crate::base::{GuestAddr, RegId, FIRST_TEMP, REGISTERS};
use crate::codegen::x64::roles::FPR_ROLES;
use crate::codegen::{Bail, CANONICAL_NAN, CANONICAL_SINGLE};
use crate::ir::ops::Operand;
use crate::ir::IROp;
use crate::opt::func::{Class, Node, StateId, Value};
use crate::regalloc::Location;

/// Where a value is when an access faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A host register.
    Gpr(u8),
    /// The same, of which the low half counts; its sign is to be extended.
    Low(u8),
    Xmm(u8),
    /// The same, whose NaN is to be made canonical.
    Raw(u8),
    /// The same, of a single.
    RawSingle(u8),
    /// A register of `CpuState`.
    Slot(u8),
    /// The same, of which the low half counts.
    LowSlot(u8),
    /// The same, whose NaN is to be made canonical.
    RawSlot(u8),
    /// The same, of a single.
    RawSingleSlot(u8),
    Number(i64),
}

/// What to do to have the guest's registers as they are before an instruction. Registers that are not named stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipe {
    pub pc: GuestAddr,
    /// Fuel to give back.
    pub unused: u32,
    /// All at once.
    pub moves: Vec<(RegId, Place)>,
    /// Then these, in order. They have no side effects.
    pub ops: Vec<IROp>,
    /// The region touches no floating-point register: they are in their homes.
    pub floats_at_home: bool,
}

impl Recipe {
    /// Does the moves; the host's registers are those that the landing place of faults saved.
    pub fn apply(&self, cpu: &mut CpuState) {
        let mut regs: [u64; REGISTERS] = cpu.regs;
        if self.floats_at_home {
            for &(reg, host) in FPR_ROLES {
                regs[usize::from(reg)] = cpu.host.saved[16 + usize::from(host)];
            }
        }
        for &(reg, place) in &self.moves {
            regs[usize::from(reg)] = value(cpu, place);
        }
        cpu.regs = regs;
        cpu.pc = self.pc;
        cpu.fuel = cpu.fuel.wrapping_add(u64::from(self.unused));
    }
}

fn value(cpu: &CpuState, place: Place) -> u64 {
    let low = |value: u64| i64::from(value as i32).cast_unsigned();
    let number = |value: u64| if f64::from_bits(value).is_nan() { CANONICAL_NAN } else { value };
    let single = |value: u64| if f32::from_bits(value as u32).is_nan() { CANONICAL_SINGLE } else { value };
    let gpr = |at: u8| cpu.host.saved[usize::from(at & 15)];
    let xmm = |at: u8| cpu.host.saved[16 + usize::from(at & 15)];
    match place {
        Place::Gpr(at) => gpr(at),
        Place::Low(at) => low(gpr(at)),
        Place::Xmm(at) => xmm(at),
        Place::Raw(at) => number(xmm(at)),
        Place::RawSingle(at) => single(xmm(at)),
        Place::Slot(at) => cpu.regs[usize::from(at)],
        Place::LowSlot(at) => low(cpu.regs[usize::from(at)]),
        Place::RawSlot(at) => number(cpu.regs[usize::from(at)]),
        Place::RawSingleSlot(at) => single(cpu.regs[usize::from(at)]),
        Place::Number(value) => value.cast_unsigned(),
    }
}

impl Emitter<'_, '_> {
    /// The recipe of a state at a step.
    pub(super) fn recipe(&self, step: u32, state: StateId) -> Result<Recipe, Bail> {
        let at = &self.func.states[state.0 as usize];
        let unused = self.longest[at.block.index()] - at.begun;
        let floats_at_home = !self.func.touched.iter().any(|&reg| Class::of(reg) == Class::Float);
        let mut recipe = Recipe { pc: at.pc, unused, floats_at_home, ..Recipe::default() };
        let mut temps: Vec<(Value, RegId)> = Vec::new();
        for (&reg, &value) in self.func.touched.iter().zip(&at.regs) {
            match self.func.inst(value).sunk {
                true => {
                    let src = self.ingredient(step, value, &mut recipe, &mut temps)?;
                    recipe.ops.push(IROp::Copy { dst: reg, src });
                }
                false => self.ingredient_in(step, value, reg, &mut recipe)?,
            }
        }
        // Computed values are copied at the end, so that none overwrites what another is computed from.
        recipe.ops.sort_by_key(|op| matches!(op, IROp::Copy { .. }));
        Ok(recipe)
    }

    /// Puts a value that is somewhere into a register.
    fn ingredient_in(&self, step: u32, value: Value, reg: RegId, recipe: &mut Recipe) -> Result<(), Bail> {
        if let Some(number) = self.func.constant(value) {
            recipe.moves.push((reg, Place::Number(number.cast_signed())));
            return Ok(());
        }
        let low = self.facts.narrow[value.index()] && !self.facts.wanted[value.index()];
        let (raw, single) = (self.facts.raw[value.index()], self.facts.boxed[value.index()]);
        let place = match self.location(step, value).ok_or(Bail::State)? {
            Location::Register(register) if register.class == 0 && low => Place::Low(register.number),
            Location::Register(register) if register.class == 0 => Place::Gpr(register.number),
            Location::Register(register) if raw && single => Place::RawSingle(register.number),
            Location::Register(register) if raw => Place::Raw(register.number),
            Location::Register(register) => Place::Xmm(register.number),
            Location::Slot(slot) if low => Place::LowSlot(slot as u8),
            Location::Slot(slot) if raw && single => Place::RawSingleSlot(slot as u8),
            Location::Slot(slot) if raw => Place::RawSlot(slot as u8),
            // It is there already.
            Location::Slot(slot) if slot as RegId == reg => return Ok(()),
            Location::Slot(slot) => Place::Slot(slot as u8),
            Location::Nowhere => return Err(Bail::State),
        };
        recipe.moves.push((reg, place));
        Ok(())
    }

    /// Puts a value, computed if need be, into a temporary.
    fn ingredient(
        &self,
        step: u32,
        value: Value,
        recipe: &mut Recipe,
        temps: &mut Vec<(Value, RegId)>,
    ) -> Result<RegId, Bail> {
        if let Some(&(_, temp)) = temps.iter().find(|(known, _)| *known == value) {
            return Ok(temp);
        }
        let inst = self.func.inst(value);
        let mut op = IROp::Fence {};
        let mut args = [0; 3];
        if inst.sunk {
            let Node::Op(sunk) = inst.node else { return Err(Bail::State) };
            op = sunk;
            for (at, &arg) in inst.args.iter().enumerate().filter(|(_, arg)| **arg != Value::NONE) {
                args[at] = self.ingredient(step, arg, recipe, temps)?;
            }
        }
        let temp = FIRST_RECIPE + temps.len() as RegId;
        if !(FIRST_TEMP..LAST_RECIPE).contains(&temp) {
            return Err(Bail::State);
        }
        temps.push((value, temp));
        if !inst.sunk {
            self.ingredient_in(step, value, temp, recipe)?;
            return Ok(temp);
        }
        set_registers(&mut op, temp, args);
        recipe.ops.push(op);
        Ok(temp)
    }
}

/// Gives an operation registers.
pub(super) fn set_registers(op: &mut IROp, dst: RegId, args: [RegId; 3]) {
    let mut at = 0;
    op.operands(&mut |operand| match operand {
        Operand::Def(reg) => *reg = dst,
        Operand::Use(reg) => {
            *reg = args[at];
            at += 1;
        }
        _ => {}
    });
}
