//! Single operations with operands anywhere.

use super::xmm;
use crate::asm::x64::reg::*;
use crate::asm::x64::Size;
use crate::asm::x64::{Index, Mem, Scale};
use crate::base::{RegId, FIRST_FLOAT};
use crate::codegen::x64::roles::{slot, Home};
use crate::codegen::x64::upper::float_bit;
use crate::codegen::x64::{Lower, Source};
use crate::ir::IROp;
use crate::regalloc::Location;

impl Lower<'_> {
    /// From now on the register stands for what is there.
    pub(super) fn seat(&mut self, reg: RegId, location: Location) {
        let home = match location {
            Location::Register(register) if register.class == 0 => {
                Home::Gpr(super::plan::gpr(register.number))
            }
            Location::Register(register) => Home::Xmm(xmm(register.number)),
            Location::Slot(number) => Home::Slot(slot(number as RegId)),
            Location::Nowhere => Home::Zero,
        };
        if let Some(homes) = &mut self.local {
            homes[usize::from(reg & 63)] = home;
        }
    }

    /// Notes what is known of a floating-point number.
    pub(super) fn mark_float(&mut self, reg: RegId, raw: bool, boxed: bool) {
        if raw && reg >= FIRST_FLOAT {
            self.raw.compute(boxed, reg, &[]);
        }
        if boxed {
            self.boxed |= float_bit(reg);
        }
    }

    /// Makes a result whole.
    pub(super) fn extend_all_defined(&mut self, dst: Option<RegId>) {
        if let Some(dst) = dst {
            self.extend_home(dst);
        }
    }

    /// Lowers one operation by itself.
    pub(super) fn unit_operation(&mut self, op: &IROp) {
        self.mend_slots(op);
        self.single_operation(op);
    }

    /// A NaN in a slot is made canonical before anything looks at it.
    pub(super) fn mend_slots(&mut self, op: &IROp) {
        if self.raw.regs == 0 {
            return;
        }
        let mut op = *op;
        let mut uses = Vec::new();
        op.operands(&mut |operand| {
            if let crate::ir::ops::Operand::Use(reg) = operand {
                uses.push(*reg);
            }
        });
        for reg in uses {
            if let (Home::Slot(at), true) = (self.home(reg), self.is_raw(reg)) {
                let cell = crate::codegen::x64::thunks::state(at);
                self.asm.movsd_xm(Xmm::ALL[0], cell);
                self.mend_xmm(Xmm::ALL[0], self.is_raw_single(reg));
                self.asm.movsd_mx(cell, Xmm::ALL[0]);
                self.raw.define(reg);
            }
        }
    }

    /// A load or store that does a sum for its address: `index << scale + base`, or the other way round.
    pub(super) fn unit_indexed(&mut self, scale: u8, index: RegId, base: RegId, op: &IROp) {
        self.mend_slots(op);
        let offset = offset_of(op);
        let a = self.sized(Size::S32, index, RCX);
        let mem = match (self.operand_sized(Size::S32, base, RCX), Index::new(a)) {
            (Source::Gpr(b), Some(index)) if b != RCX => {
                Mem::sum(b, index, Scale::ALL[usize::from(scale & 3)])
            }
            (b, _) => {
                // One scratch register is all there is.
                self.load_sized(Size::S32, RCX, index);
                if scale > 0 {
                    self.asm.shl_ri(Size::S32, RCX, scale);
                }
                match b {
                    Source::Mem(b) => self.asm.add_rm(Size::S32, RCX, b),
                    Source::Gpr(_) => {}
                }
                Mem::base(RCX)
            }
        };
        let mem = self.guest(mem.disp(offset as i32));
        self.access(op, mem);
    }
}

fn offset_of(op: &IROp) -> i64 {
    let mut offset = 0;
    let mut op = *op;
    op.operands(&mut |operand| {
        if let crate::ir::ops::Operand::Imm(imm) = operand {
            offset = *imm;
        }
    });
    offset
}
