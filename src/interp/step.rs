//! One operation of the interpreter: an arm per row of the IR table, expanded from it.

use super::atomic;
use super::code::Code;
use crate::base::error::Trap;
use crate::base::state::CpuState;
use crate::ir::eval;
use crate::ir::float::Rounding;
use crate::ir::ops::{for_each_op, RoundMode};
use crate::ir::IROp;
use crate::mmu::SoftMmu;
use std::time::{SystemTime, UNIX_EPOCH};

/// The rounding mode an operation uses now.
#[inline(always)]
fn rounding(cpu: &CpuState, rm: RoundMode) -> Result<Rounding, Trap> {
    match rm {
        RoundMode::Static(rounding) => Ok(rounding),
        RoundMode::Dynamic => Rounding::from_bits(cpu.frm).ok_or(Trap::IllegalInstruction),
    }
}

/// Reads of the hart's state, named as in the IR table.
mod state {
    use super::{clock, Code, CpuState};

    pub(super) fn fflags(cpu: &CpuState, _code: &Code) -> u64 {
        u64::from(cpu.fflags)
    }
    pub(super) fn frm(cpu: &CpuState, _code: &Code) -> u64 {
        u64::from(cpu.frm)
    }
    pub(super) fn fcsr(cpu: &CpuState, _code: &Code) -> u64 {
        cpu.fcsr()
    }
    pub(super) fn time(_cpu: &CpuState, _code: &Code) -> u64 {
        clock()
    }
    /// The block's fuel is taken at its entry, so what it costs has to be taken back here.
    pub(super) fn retired(cpu: &CpuState, code: &Code) -> u64 {
        cpu.retired().wrapping_sub(code.cost)
    }
    pub(super) fn set_fflags(cpu: &mut CpuState, value: u64) {
        cpu.fflags = value.to_le_bytes()[0] & 31;
    }
    pub(super) fn set_frm(cpu: &mut CpuState, value: u64) {
        cpu.frm = value.to_le_bytes()[0] & 7;
    }
    pub(super) fn set_fcsr(cpu: &mut CpuState, value: u64) {
        cpu.set_fcsr(value);
    }
}

/// Real time in ticks of 100 ns (a time base of 10 MHz, as common boards have).
fn clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().wrapping_mul(10_000_000).wrapping_add(u64::from(since.subsec_nanos() / 100))
}

/// A NaN-boxed binary32 load.
#[inline(always)]
fn load_f32(mmu: &SoftMmu, addr: u64, dst: &mut u64) -> Result<(), crate::base::error::Fault> {
    mmu.load_u32(addr, dst)?;
    *dst = eval::box_f32(*dst);
    Ok(())
}

/// Calls a load by its name in the IR table: those of `mmu`, and the boxing one above.
macro_rules! load_fn {
    (load_f32, $mmu:expr, $addr:expr, $dst:expr) => {
        load_f32($mmu, $addr, $dst)
    };
    ($name:ident, $mmu:expr, $addr:expr, $dst:expr) => {
        $mmu.$name($addr, $dst)
    };
}

macro_rules! define_step {
    (
        constant { $($con:ident $mcon:literal $econ:ident $ccon:tt $dcon:literal;)* }
        unary { $($un:ident $mun:literal $eun:ident $cun:tt $dun:literal;)* }
        binary { $($bin:ident $mbin:literal $ebin:ident $cbin:tt $dbin:literal;)* }
        immediate { $($imm:ident $mimm:literal $eimm:ident $cimm:tt $dimm:literal;)* }
        load { $($ld:ident $mld:literal $eld:ident $cld:tt $dld:literal;)* }
        store { $($st:ident $mst:literal $est:ident $cst:tt $dst_:literal;)* }
        float_unary { $($fu:ident $mfu:literal $efu:ident $cfu:tt $dfu:literal;)* }
        float_binary { $($fb:ident $mfb:literal $efb:ident $cfb:tt $dfb:literal;)* }
        float_ternary { $($ft:ident $mft:literal $eft:ident $cft:tt $dft:literal;)* }
        float_compare { $($fc:ident $mfc:literal $efc:ident $cfc:tt $dfc:literal;)* }
        atomic32 { $($a32:ident $ma32:literal $ea32:ident $ca32:tt $da32:literal;)* }
        atomic64 { $($a64:ident $ma64:literal $ea64:ident $ca64:tt $da64:literal;)* }
        reserve { $($lr:ident $mlr:literal $elr:ident $clr:tt $dlr:literal;)* }
        conditional { $($sc:ident $msc:literal $esc:ident $csc:tt $dsc:literal;)* }
        state_read { $($sr:ident $msr:literal $esr:ident $csr:tt $dsr:literal;)* }
        state_write { $($sw:ident $msw:literal $esw:ident $csw:tt $dsw:literal;)* }
        fence { $($fe:ident $mfe:literal $efe:ident $cfe:tt $dfe:literal;)* }
        mark { $($mk:ident $mmk:literal $emk:ident $cmk:tt $dmk:literal;)* }
    ) => {
        /// Executes one operation. On a trap nothing of it has happened.
        #[inline(always)]
        pub(super) fn step(cpu: &mut CpuState, mmu: &SoftMmu, code: &Code, op: &IROp) -> Result<(), Trap> {
            macro_rules! get { ($r:expr) => { cpu.regs[usize::from($r)] } }
            macro_rules! addr { ($base:expr, $offset:expr) => { get!($base).wrapping_add_signed($offset) } }
            match *op {
                $(IROp::$con { dst, imm } => get!(dst) = imm.cast_unsigned(),)*
                $(IROp::$un { dst, src } => get!(dst) = eval::$eun(get!(src)),)*
                $(IROp::$bin { dst, src1, src2 } => get!(dst) = eval::$ebin(get!(src1), get!(src2)),)*
                $(IROp::$imm { dst, src, imm } => get!(dst) = eval::$eimm(get!(src), imm.cast_unsigned()),)*
                $(IROp::$ld { dst, base, offset } => {
                    let addr = addr!(base, offset);
                    load_fn!($eld, mmu, addr, &mut get!(dst)).map_err(Trap::Memory)?;
                })*
                $(IROp::$st { src, base, offset } => {
                    mmu.$est(addr!(base, offset), get!(src)).map_err(Trap::Memory)?;
                })*
                $(IROp::$fu { dst, src, rm } => {
                    let rm = rounding(cpu, rm)?;
                    get!(dst) = eval::$efu(get!(src), rm, &mut cpu.fflags);
                })*
                $(IROp::$fb { dst, src1, src2, rm } => {
                    let rm = rounding(cpu, rm)?;
                    get!(dst) = eval::$efb(get!(src1), get!(src2), rm, &mut cpu.fflags);
                })*
                $(IROp::$ft { dst, src1, src2, src3, rm } => {
                    let rm = rounding(cpu, rm)?;
                    get!(dst) = eval::$eft(get!(src1), get!(src2), get!(src3), rm, &mut cpu.fflags);
                })*
                $(IROp::$fc { dst, src1, src2 } => {
                    get!(dst) = eval::$efc(get!(src1), get!(src2), &mut cpu.fflags);
                })*
                $(IROp::$a32 { dst, src, base, .. } => {
                    get!(dst) = atomic::update32(mmu, get!(base), get!(src), eval::$ea32)?;
                })*
                $(IROp::$a64 { dst, src, base, .. } => {
                    get!(dst) = atomic::update64(mmu, get!(base), get!(src), eval::$ea64)?;
                })*
                $(IROp::$lr { dst, base, .. } => {
                    get!(dst) = atomic::load_reserved::<{ atomic::width(stringify!($elr)) }>(cpu, mmu, get!(base))?;
                })*
                $(IROp::$sc { dst, src, base, .. } => {
                    let (addr, value) = (get!(base), get!(src));
                    get!(dst) = atomic::store_conditional::<{ atomic::width(stringify!($esc)) }>(cpu, mmu, addr, value)?;
                })*
                $(IROp::$sr { dst } => get!(dst) = state::$esr(cpu, code),)*
                $(IROp::$sw { src } => state::$esw(cpu, get!(src)),)*
                $(IROp::$fe {} => mmu.$efe(),)*
                $(IROp::$mk { .. } => {})*
            }
            Ok(())
        }
    };
}

for_each_op!(define_step);
