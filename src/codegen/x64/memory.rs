//! Loads, stores and atomics. A guest address is computed by the access itself, modulo 2^32: the address-size prefix
//! cuts base plus displacement exactly as the guest's space does.

use super::roles::{self, Home};
use super::thunks::state;
use super::{Lower, Repair};
use crate::asm::x64::reg::*;
use crate::asm::x64::{Index, Mem, Scale, Size};
use crate::asm::Label;
use crate::base::{RegId, FIRST_FLOAT};
use crate::codegen::Memory;
use crate::ir::IROp;

use Size::{S32, S64};

/// Bits that NaN-box a single.
const BOX: u128 = 0xffff_ffff_0000_0000;

/// Loads and stores of integers and floating-point numbers, which are lowered here in all cases.
pub(super) fn is_plain(op: &IROp) -> bool {
    match op {
        IROp::Store { .. } | IROp::Store32 { .. } | IROp::Store16 { .. } | IROp::Store8 { .. } => true,
        _ => loaded(op).is_some(),
    }
}

/// Destination, base and offset of a load.
fn loaded(op: &IROp) -> Option<(RegId, RegId, i64)> {
    match *op {
        IROp::Load { dst, base, offset }
        | IROp::LoadU32 { dst, base, offset }
        | IROp::LoadS32 { dst, base, offset }
        | IROp::LoadU16 { dst, base, offset }
        | IROp::LoadS16 { dst, base, offset }
        | IROp::LoadU8 { dst, base, offset }
        | IROp::LoadS8 { dst, base, offset }
        | IROp::LoadF32 { dst, base, offset } => Some((dst, base, offset)),
        _ => None,
    }
}

impl Lower<'_> {
    /// Lowers a memory operation; false if it is not one that has code here.
    pub(super) fn memory(&mut self, op: &IROp) -> bool {
        self.load_op(op) || self.store_op(op) || self.atomic(op)
    }

    /// The operand for `base + offset`; may use rdx.
    fn address(&mut self, base: RegId, offset: i64) -> Mem {
        let mem = match (self.home(base), i32::try_from(offset)) {
            (Home::Zero, Ok(offset)) => Mem::absolute(offset),
            // Only the low half matters.
            (_, Ok(offset)) => Mem::base(self.sized(S32, base, RCX)).disp(offset),
            (_, Err(_)) => {
                // A unit may have a value in rdx.
                self.failed |= self.local.is_some();
                self.load_sized(S32, RDX, base);
                self.asm.load_constant(RAX, offset.cast_unsigned());
                self.asm.add_rr(S64, RDX, RAX);
                Mem::base(RDX)
            }
        };
        self.guest(mem)
    }

    /// The operand for a guest address.
    pub(super) fn guest(&self, mem: Mem) -> Mem {
        let mem = mem.addr32();
        match self.request.memory {
            Memory::Low => mem,
            Memory::Segment => mem.gs(),
        }
    }

    fn load_op(&mut self, op: &IROp) -> bool {
        let Some((dst, base, offset)) = loaded(op) else { return false };
        let mem = self.address(base, offset);
        self.load_from(op, dst, mem);
        true
    }

    /// Whether a load's address may be the sum that is computed for it: the register with the sum is overwritten, and
    /// it has two operands.
    pub(super) fn can_index(&self, sum: &IROp, load: &IROp) -> bool {
        let (IROp::Add { dst, src1, src2 }
        | IROp::ShlAdd1 { dst, src1, src2 }
        | IROp::ShlAdd2 { dst, src1, src2 }
        | IROp::ShlAdd3 { dst, src1, src2 }) = *sum
        else {
            return false;
        };
        let guest = |reg| (1..FIRST_FLOAT).contains(&reg);
        guest(dst)
            && guest(src1)
            && guest(src2)
            && !matches!(load, IROp::LoadF32 { .. })
            && loaded(load)
                .is_some_and(|(to, base, offset)| to == dst && base == dst && i32::try_from(offset).is_ok())
    }

    /// A load from `base + index * scale`, which is what `sum` computes. If it faults, the engine does that.
    pub(super) fn indexed_load(&mut self, sum: IROp, scale: Scale, index: RegId, base: RegId, load: &IROp) {
        let Some((dst, _, offset)) = loaded(load) else { return };
        self.note_pending();
        let from = self.here();
        let (a, b) = (self.sized(S32, index, RCX), self.sized(S32, base, RDX));
        // A stack pointer is no index, and it is no home.
        let mem = Mem::sum(b, Index::new(a).unwrap_or(Index::RAX), scale).disp(offset as i32);
        let mem = self.guest(mem);
        self.load_from(load, dst, mem);
        self.repairs.push(Repair { from, to: self.here(), op: sum });
        self.note_put_off(from, load);
    }

    fn load_from(&mut self, op: &IROp, dst: RegId, mem: Mem) {
        if let Home::Xmm(xmm) = self.home(dst) {
            self.define(dst);
            match op {
                IROp::LoadF32 { .. } => {
                    let boxing = self.asm.constant128(BOX);
                    self.asm.movss_xm(xmm, mem);
                    self.asm.orps_xm(xmm, Mem::label(boxing));
                    return;
                }
                IROp::Load { .. } => {
                    self.asm.movsd_xm(xmm, mem);
                    return;
                }
                _ => {}
            }
        }
        let d = self.target(dst, RAX);
        match op {
            IROp::Load { .. } => self.asm.mov_rm(S64, d, mem),
            IROp::LoadU32 { .. } => self.asm.mov_rm(S32, d, mem),
            IROp::LoadS32 { .. } => self.asm.movsxd_rm(d, mem),
            IROp::LoadU16 { .. } => self.asm.movzx_rm16(S32, d, mem),
            IROp::LoadS16 { .. } => self.asm.movsx_rm16(S64, d, mem),
            IROp::LoadU8 { .. } => self.asm.movzx_rm8(S32, d, mem),
            IROp::LoadS8 { .. } => self.asm.movsx_rm8(S64, d, mem),
            _ => {
                self.asm.mov_rm(S32, RAX, mem);
                self.asm.load_constant(RCX, BOX as u64);
                self.asm.or_rr(S64, RAX, RCX);
                return self.put(dst, RAX);
            }
        }
        match op {
            IROp::Load { .. } | IROp::LoadU32 { .. } => self.put(dst, d),
            _ => self.put_narrow(dst, d),
        }
    }

    fn store_op(&mut self, op: &IROp) -> bool {
        let (IROp::Store { src, base, offset }
        | IROp::Store32 { src, base, offset }
        | IROp::Store16 { src, base, offset }
        | IROp::Store8 { src, base, offset }) = *op
        else {
            return false;
        };
        self.mend(src);
        let mem = self.address(base, offset);
        self.store_to(op, src, mem);
        true
    }

    /// A load or store at an operand.
    pub(super) fn access(&mut self, op: &IROp, mem: Mem) {
        if let Some((dst, ..)) = loaded(op) {
            return self.load_from(op, dst, mem);
        }
        if let IROp::Store { src, .. }
        | IROp::Store32 { src, .. }
        | IROp::Store16 { src, .. }
        | IROp::Store8 { src, .. } = *op
        {
            self.mend(src);
            self.store_to(op, src, mem);
        }
    }

    fn store_to(&mut self, op: &IROp, src: RegId, mem: Mem) {
        match (op, self.home(src)) {
            (IROp::Store { .. }, Home::Xmm(xmm)) => self.asm.movsd_mx(mem, xmm),
            (IROp::Store32 { .. }, Home::Xmm(xmm)) => self.asm.movss_mx(mem, xmm),
            (IROp::Store { .. }, Home::Zero) => self.asm.mov_mi(S64, mem, 0),
            (IROp::Store32 { .. }, Home::Zero) => self.asm.mov_mi(S32, mem, 0),
            (op, _) => {
                let size = if matches!(op, IROp::Store { .. }) { S64 } else { S32 };
                let value = self.sized(size, src, RAX);
                match op {
                    IROp::Store { .. } => self.asm.mov_mr(S64, mem, value),
                    IROp::Store32 { .. } => self.asm.mov_mr(S32, mem, value),
                    IROp::Store16 { .. } => self.asm.mov_mr16(mem, value),
                    _ => self.asm.mov_mr8(mem, value),
                }
            }
        }
    }

    /// The frequent atomics. All are sequentially consistent, as a locked instruction is (Intel SDM Vol. 3A, 9.2.3.9).
    fn atomic(&mut self, op: &IROp) -> bool {
        match *op {
            IROp::AddAt32 { dst, src, base, .. } => self.exchange(op, S32, true, dst, src, base),
            IROp::AddAt64 { dst, src, base, .. } => self.exchange(op, S64, true, dst, src, base),
            IROp::SwapAt32 { dst, src, base, .. } => self.exchange(op, S32, false, dst, src, base),
            IROp::SwapAt64 { dst, src, base, .. } => self.exchange(op, S64, false, dst, src, base),
            IROp::LoadReserved32 { dst, base, .. } => self.load_reserved(op, S32, dst, base),
            IROp::LoadReserved64 { dst, base, .. } => self.load_reserved(op, S64, dst, base),
            IROp::StoreConditional32 { dst, src, base, .. } => {
                self.store_conditional(op, S32, dst, src, base);
            }
            IROp::StoreConditional64 { dst, src, base, .. } => {
                self.store_conditional(op, S64, dst, src, base);
            }
            IROp::Fence {} => self.asm.mfence(),
            IROp::ReadRetired { dst } => {
                // A signal may move fuel from the register to the state; then both are to be read again.
                let again = self.asm.new_label();
                self.asm.bind(again);
                self.asm.mov_rm(S64, RCX, state(roles::FUEL_REST));
                self.asm.mov_rr(S64, RAX, RCX);
                self.asm.add_rr(S64, RAX, roles::FUEL);
                self.asm.cmp_rm(S64, RCX, state(roles::FUEL_REST));
                self.asm.jcc_l8(Cond::Ne, again);
                self.asm.add_ri(S64, RAX, self.cost);
                self.asm.neg_r(S64, RAX);
                self.asm.add_rm(S64, RAX, state(roles::FUEL_BASE));
                self.put(dst, RAX);
            }
            _ => return false,
        }
        true
    }

    /// Goes to `slow` if the address is misaligned, which traps; returns a register with the address.
    fn aligned(&mut self, size: Size, base: RegId, slow: Label) -> Gpr {
        let address = self.value(base, RCX);
        self.asm.test_ri(S32, address, if size == S32 { 3 } else { 7 });
        self.asm.jcc(Cond::Ne, slow);
        address
    }

    /// `dst` = memory, which is reserved: address and value are noted. A load comes before all that follows it (Intel SDM
    /// Vol. 3A, 9.2.2).
    fn load_reserved(&mut self, op: &IROp, size: Size, dst: RegId, base: RegId) {
        let (slow, back) = self.slow(op);
        let address = self.aligned(size, base, slow);
        let mem = self.guest(Mem::base(address));
        match size {
            S32 => self.asm.movsxd_rm(RAX, mem),
            _ => self.asm.mov_rm(S64, RAX, mem),
        }
        self.asm.mov_mr(S64, state(roles::RESERVED_ADDR), address);
        self.asm.mov_mr(S64, state(roles::RESERVED_VALUE), RAX);
        self.asm.mov_mi8(state(roles::RESERVED), 1);
        self.put(dst, RAX);
        self.asm.bind(back);
    }

    /// Memory = `src` and `dst` = 0 if the reservation is of this address and memory holds its value; else `dst` = 1. The
    /// reservation is gone, also if the access faults.
    fn store_conditional(&mut self, op: &IROp, size: Size, dst: RegId, src: RegId, base: RegId) {
        let (slow, back) = self.slow(op);
        let address = self.aligned(size, base, slow);
        let value = match self.home(src) {
            Home::Gpr(_) => self.sized(size, src, RAX),
            _ => {
                let free = if address != RCX { RCX } else { RDX };
                if free == RDX && self.local.is_some() {
                    // A unit may have a value in rdx.
                    self.asm.jmp(slow);
                }
                self.load_sized(size, free, src);
                free
            }
        };
        let (lost, done) = (self.asm.new_label(), self.asm.new_label());
        self.asm.cmp_mi8(state(roles::RESERVED), 0);
        self.asm.mov_mi8(state(roles::RESERVED), 0);
        self.asm.jcc(Cond::E, lost);
        self.asm.cmp_mr(S64, state(roles::RESERVED_ADDR), address);
        self.asm.jcc(Cond::Ne, lost);
        self.asm.mov_rm(S64, RAX, state(roles::RESERVED_VALUE));
        let mem = self.guest(Mem::base(address));
        self.asm.lock_cmpxchg_mr(size, mem, value);
        self.asm.setcc_r(Cond::Ne, RAX);
        self.asm.movzx_rr8(S32, RAX, RAX);
        self.asm.jmp(done);
        self.asm.bind(lost);
        self.asm.mov_ri32(RAX, 1);
        self.asm.bind(done);
        self.put(dst, RAX);
        self.asm.bind(back);
    }

    /// `dst` = memory; memory += `src` (if `add`) or = `src`. A misaligned address traps, by the helper.
    fn exchange(&mut self, op: &IROp, size: Size, add: bool, dst: RegId, src: RegId, base: RegId) {
        let (slow, back) = self.slow(op);
        let mem = self.address(base, 0);
        let address = self.sized(S32, base, RCX);
        self.asm.test_ri(S32, address, if size == S32 { 3 } else { 7 });
        self.asm.jcc(Cond::Ne, slow);
        self.load_sized(size, RAX, src);
        match add {
            true => self.asm.lock_xadd_mr(size, mem, RAX),
            false => self.asm.xchg_mr(size, mem, RAX),
        }
        self.put_sized(size, dst, RAX);
        self.asm.bind(back);
    }
}
