//! Loads, stores and atomics. A guest address is computed by the access itself, modulo 2^32: the address-size prefix
//! cuts base plus displacement exactly as the guest's space does.

use super::roles::{self, home, Home};
use super::thunks::state;
use super::Lower;
use crate::asm::x64::reg::*;
use crate::asm::x64::{Mem, Size};
use crate::base::RegId;
use crate::codegen::Memory;
use crate::ir::IROp;

use Size::{S32, S64};

/// Bits that NaN-box a single.
const BOX: u128 = 0xffff_ffff_0000_0000;

impl Lower<'_> {
    /// Lowers a memory operation; false if it is not one that has code here.
    pub(super) fn memory(&mut self, op: &IROp) -> bool {
        self.load_op(op) || self.store_op(op) || self.atomic(op)
    }

    /// The operand for `base + offset`; may use rdx.
    fn address(&mut self, base: RegId, offset: i64) -> Mem {
        let mem = match (home(base), i32::try_from(offset)) {
            (Home::Zero, Ok(offset)) => Mem::absolute(offset),
            // Only the low half matters.
            (_, Ok(offset)) => Mem::base(self.sized(S32, base, RDX)).disp(offset),
            (_, Err(_)) => {
                self.load_sized(S32, RDX, base);
                self.asm.load_constant(RAX, offset.cast_unsigned());
                self.asm.add_rr(S64, RDX, RAX);
                Mem::base(RDX)
            }
        };
        let mem = mem.addr32();
        match self.request.memory {
            Memory::Low => mem,
            Memory::Segment => mem.gs(),
        }
    }

    fn load_op(&mut self, op: &IROp) -> bool {
        let (IROp::Load { dst, base, offset }
        | IROp::LoadU32 { dst, base, offset }
        | IROp::LoadS32 { dst, base, offset }
        | IROp::LoadU16 { dst, base, offset }
        | IROp::LoadS16 { dst, base, offset }
        | IROp::LoadU8 { dst, base, offset }
        | IROp::LoadS8 { dst, base, offset }
        | IROp::LoadF32 { dst, base, offset }) = *op
        else {
            return false;
        };
        let mem = self.address(base, offset);
        if let Home::Xmm(xmm) = home(dst) {
            match op {
                IROp::LoadF32 { .. } => {
                    let boxing = self.asm.constant128(BOX);
                    self.asm.movss_xm(xmm, mem);
                    self.asm.orps_xm(xmm, Mem::label(boxing));
                    return true;
                }
                IROp::Load { .. } => {
                    self.asm.movsd_xm(xmm, mem);
                    return true;
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
                self.put(dst, RAX);
                return true;
            }
        }
        match op {
            IROp::Load { .. } | IROp::LoadU32 { .. } => self.put(dst, d),
            _ => self.put_narrow(dst, d),
        }
        true
    }

    fn store_op(&mut self, op: &IROp) -> bool {
        let (IROp::Store { src, base, offset }
        | IROp::Store32 { src, base, offset }
        | IROp::Store16 { src, base, offset }
        | IROp::Store8 { src, base, offset }) = *op
        else {
            return false;
        };
        let mem = self.address(base, offset);
        match (op, home(src)) {
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
        true
    }

    /// The frequent atomics. All are sequentially consistent, as a locked instruction is (Intel SDM Vol. 3A, 9.2.3.9).
    fn atomic(&mut self, op: &IROp) -> bool {
        match *op {
            IROp::AddAt32 { dst, src, base, .. } => self.exchange(op, S32, true, dst, src, base),
            IROp::AddAt64 { dst, src, base, .. } => self.exchange(op, S64, true, dst, src, base),
            IROp::SwapAt32 { dst, src, base, .. } => self.exchange(op, S32, false, dst, src, base),
            IROp::SwapAt64 { dst, src, base, .. } => self.exchange(op, S64, false, dst, src, base),
            IROp::Fence {} => self.asm.mfence(),
            IROp::ReadRetired { dst } => {
                self.asm.mov_rm(S64, RAX, state(roles::FUEL_BASE));
                self.asm.sub_rm(S64, RAX, state(roles::FUEL_REST));
                self.asm.sub_rr(S64, RAX, roles::FUEL);
                self.asm.sub_ri(S64, RAX, self.cost);
                self.put(dst, RAX);
            }
            _ => return false,
        }
        true
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
