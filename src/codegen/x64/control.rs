//! Terminators: links, the table of indirect targets, the return stack, exits.

use super::roles::{self, Home};
use super::thunks::state;
use super::{condition, ColdKind, Lower, Source};
use crate::asm::x64::reg::*;
use crate::asm::x64::{Assembler, Mem, Size};
use crate::asm::Label;
use crate::base::state::STATE_BIAS;
use crate::base::{GuestAddr, RegId};
use crate::codegen::{exit, LinkSite};
use crate::ir::Terminator;

/// Entries of the table of indirect targets, 16 bytes each: guest address, code address.
pub const TABLE_ENTRIES: usize = 1 << 12;

/// Leaves the offset in the table of the first place of the target in rax in rcx: entry (pc / 2) % TABLE_ENTRIES, 16 bytes
/// each. The target is even.
fn first_place(asm: &mut Assembler) {
    const MASK: i32 = (TABLE_ENTRIES as i32 - 1) * 2;
    asm.mov_rr(Size::S32, RCX, RAX);
    asm.and_ri(Size::S32, RCX, MASK);
    asm.shl_ri(Size::S32, RCX, 3);
}

/// Jumps to the code of the target in rax if the table has it in its second place: the other one of the pair.
pub(super) fn jump_by_second_place(asm: &mut Assembler) {
    let miss = asm.new_label();
    first_place(asm);
    asm.xor_ri(Size::S32, RCX, 16);
    asm.add_rm(Size::S64, RCX, state(roles::TABLE));
    asm.cmp_mr(Size::S64, Mem::base(RCX), RAX);
    asm.jcc_l8(Cond::Ne, miss);
    asm.jmp_m(Mem::base(RCX).disp(8));
    asm.bind(miss);
}

impl Lower<'_> {
    pub(super) fn terminator(&mut self, term: &Terminator) {
        self.shift_all();
        self.extend_all();
        self.mend_all();
        match *term {
            Terminator::Jump { target } if self.resync => self.leave_at(target, exit::RESUME),
            Terminator::Jump { target } => self.jump(target),
            Terminator::Branch { cond, src1, src2, taken, fallthrough } => {
                let cond = self.compare(cond, src1, src2);
                self.link_jcc(cond, taken);
                self.jump(fallthrough);
            }
            Terminator::Call { target, return_to } => {
                self.push_return(return_to);
                self.link_call(target);
                self.returned(return_to);
            }
            Terminator::CallIndirect { base, offset, return_to } => {
                self.computed_target(base, offset);
                let back = self.asm.new_label();
                let has_room = self.back.is_some();
                let miss = self.cold(ColdKind::MissCall { return_to, back, has_room });
                self.look_up(miss);
                self.push_return(return_to);
                self.asm.call_m(Mem::base(RCX).disp(8));
                self.asm.bind(back);
                self.returned(return_to);
            }
            Terminator::JumpIndirect { base, offset } => {
                self.computed_target(base, offset);
                self.indirect_jump();
            }
            Terminator::ReturnIndirect { base, offset } => self.guest_return(base, offset),
            Terminator::Syscall { next } => self.leave_at(next, exit::SYSCALL),
            Terminator::SyncCode { next } => self.leave_at(next, exit::SYNC_CODE),
            // The engine finds the program counter and the fuel to give back by the return address.
            Terminator::Breakpoint => self.asm.call_m(state(roles::BREAKPOINT_THUNK)),
            Terminator::Illegal => self.asm.call_m(state(roles::ILLEGAL_THUNK)),
            Terminator::Return => self.leave(exit::RETURN),
        }
    }

    /// Compares two registers; returns the condition to test.
    fn compare(&mut self, cond: crate::ir::Cond, src1: RegId, src2: RegId) -> Cond {
        use crate::ir::Cond as Ir;
        if self.home(src2) == Home::Zero {
            let a = self.value(src1, RAX);
            self.pad_before_jcc(3);
            self.asm.test_rr(Size::S64, a, a);
            return match cond {
                // Against zero, the sign says it (test clears OF and CF).
                Ir::Lt => Cond::S,
                Ir::Ge => Cond::Ns,
                cond => condition(cond),
            };
        }
        let a = self.value(src1, RAX);
        match self.operand(src2, RCX) {
            Source::Gpr(b) => {
                self.pad_before_jcc(3);
                self.asm.cmp_rr(Size::S64, a, b);
            }
            Source::Mem(b) => {
                let short = matches!(self.home(src2), Home::Slot(at) if at - STATE_BIAS < 128);
                self.pad_before_jcc(if short { 4 } else { 7 });
                self.asm.cmp_rm(Size::S64, a, b);
            }
        }
        condition(cond)
    }

    /// Pads so that behind a comparison of `length` bytes a patchable jump needs no padding: the processor makes one
    /// operation of the two if nothing is between them.
    fn pad_before_jcc(&mut self, length: usize) {
        self.asm.nop((4 - (self.asm.offset() + length + 2) % 4) % 4);
    }

    /// A new link's stub, which stands in for the successor.
    fn link(&mut self) -> Label {
        let link = self.request.first_link.wrapping_add(self.links.len() as u32);
        self.cold(ColdKind::Stub { link })
    }

    fn linked(&mut self, field: usize, target: GuestAddr) {
        self.links.push(LinkSite { field: field as u32, target });
    }

    fn jump(&mut self, target: GuestAddr) {
        let stub = self.link();
        let site = self.asm.jmp_patchable(stub);
        self.linked(site.offset(), target);
    }

    fn link_jcc(&mut self, cond: Cond, target: GuestAddr) {
        let stub = self.link();
        let site = self.asm.jcc_patchable(cond, stub);
        self.linked(site.offset(), target);
    }

    fn link_call(&mut self, target: GuestAddr) {
        // The displacement begins behind the opcode and must be aligned, as for the patchable jumps.
        self.asm.nop((4 - (self.asm.offset() + 1) % 4) % 4);
        let stub = self.link();
        self.asm.call(stub);
        self.linked(self.asm.offset() - 4, target);
    }

    /// Puts the guest's return address on the return stack, which is emptied if it is full.
    pub(super) fn push_return(&mut self, return_to: GuestAddr) {
        if self.back.is_none() {
            self.make_room();
        }
        self.push_address(return_to);
    }

    /// Empties the return stack if it is full. Below the limit there is room for far more than the calls of a unit.
    pub(super) fn make_room(&mut self) {
        let back = self.asm.new_label();
        let full = self.cold(ColdKind::EmptyStack { back });
        self.asm.cmp_rm(Size::S64, RSP, state(roles::STACK_LIMIT));
        self.asm.jcc(Cond::B, full);
        self.asm.bind(back);
    }

    /// Pushes a guest address; may use rdx.
    pub(super) fn push_address(&mut self, pc: GuestAddr) {
        match i32::try_from(pc) {
            Ok(small) => self.asm.push_i(small),
            Err(_) => {
                self.asm.load_constant(RDX, pc);
                self.asm.push_r(RDX);
            }
        }
    }

    /// Where a host return comes: drops the guest's return address and goes on behind the call.
    pub(super) fn returned(&mut self, return_to: GuestAddr) {
        let Some((back, frames)) = self.back else {
            self.asm.lea_rm(Size::S64, RSP, Mem::base(RSP).disp(8));
            return self.jump(return_to);
        };
        // What was pushed before the call is there as it was: the stack is emptied as a whole, and then nobody returns here.
        self.asm.lea_rm(Size::S64, RSP, Mem::base(RSP).disp(8 + 16 * frames as i32));
        self.asm.jmp(back);
    }

    /// `(base + offset) & !1` into rax.
    fn computed_target(&mut self, base: RegId, offset: i64) {
        let from = self.value(base, RAX);
        match i32::try_from(offset) {
            Ok(0) => self.move_gpr(RAX, from),
            Ok(offset) => self.asm.lea_rm(Size::S64, RAX, Mem::base(from).disp(offset)),
            Err(_) => {
                self.asm.load_constant(RCX, offset.cast_unsigned());
                self.move_gpr(RAX, from);
                self.asm.add_rr(Size::S64, RAX, RCX);
            }
        }
        self.asm.and_ri(Size::S64, RAX, -2);
    }

    /// Jumps to the code of the target in rax by the table.
    fn indirect_jump(&mut self) {
        let miss = self.cold(ColdKind::Miss);
        self.table_jump(miss);
    }

    /// The same; where the table has no code for it, to `miss`.
    pub(super) fn table_jump(&mut self, miss: Label) {
        self.look_up(miss);
        self.asm.jmp_m(Mem::base(RCX).disp(8));
    }

    /// Leaves the address of the table's entry for the target in rax in rcx, or goes to `miss`.
    fn look_up(&mut self, miss: Label) {
        first_place(self.asm);
        self.asm.add_rm(Size::S64, RCX, state(roles::TABLE));
        self.asm.cmp_mr(Size::S64, Mem::base(RCX), RAX);
        self.asm.jcc(Cond::Ne, miss);
    }

    fn guest_return(&mut self, base: RegId, offset: i64) {
        self.computed_target(base, offset);
        // If it is not what the last call wants, the stack no longer says where returns go (longjmp, or it was emptied).
        let miss = self.cold(ColdKind::Miss);
        let other = self.cold(ColdKind::OtherReturn { miss });
        self.asm.cmp_mr(Size::S64, Mem::base(RSP).disp(8), RAX);
        self.asm.jcc(Cond::Ne, other);
        self.asm.ret();
    }

    /// Leaves; all of the block was executed.
    pub(super) fn leave(&mut self, code: u32) {
        self.asm.mov_ri32(RAX, code);
        self.asm.jmp_m(state(roles::LEAVE));
    }

    /// Leaves to `pc`.
    pub(super) fn leave_at(&mut self, pc: GuestAddr, code: u32) {
        self.asm.load_constant(RAX, pc);
        self.asm.mov_mr(Size::S64, state(roles::PC), RAX);
        self.leave(code);
    }

    /// Leaves before the guest instruction at `pc`; gives back the fuel of what was not executed.
    pub(super) fn leave_before(&mut self, pc: GuestAddr) {
        self.shift_all();
        self.extend_all();
        self.mend_all();
        let unused = self.cost - i32::try_from(self.mark).unwrap_or(0);
        self.asm.add_ri(Size::S64, roles::FUEL, unused);
        self.leave_at(pc, exit::RESUME);
    }
}
