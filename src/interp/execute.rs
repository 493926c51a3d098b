//! The hot loop of the interpreter: an arm per row of the IR table, expanded from it.

use super::code::{BlockCache, Inst, Place};
use super::{atomic, Exit, Left};
use crate::base::error::{Fault, Trap};
use crate::base::state::CpuState;
use crate::ir::float::Rounding;
use crate::ir::ops::{for_each_op, RoundMode};
use crate::ir::{eval, Cond, Terminator};
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
    use super::{clock, CpuState};

    pub(super) fn fflags(cpu: &CpuState, _cost: impl Fn() -> u64) -> u64 {
        u64::from(cpu.fflags)
    }
    pub(super) fn frm(cpu: &CpuState, _cost: impl Fn() -> u64) -> u64 {
        u64::from(cpu.frm)
    }
    pub(super) fn fcsr(cpu: &CpuState, _cost: impl Fn() -> u64) -> u64 {
        cpu.fcsr()
    }
    pub(super) fn time(_cpu: &CpuState, _cost: impl Fn() -> u64) -> u64 {
        clock()
    }
    /// The block's fuel is taken at its entry, so what it costs has to be taken back here.
    pub(super) fn retired(cpu: &CpuState, cost: impl Fn() -> u64) -> u64 {
        cpu.retired().wrapping_sub(cost())
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
fn load_f32(mmu: &SoftMmu, addr: u64, dst: &mut u64) -> Result<(), Fault> {
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

/// Expands to the hot loop: one `match` whose arms are the rows of the IR table and the ends of blocks.
macro_rules! define_execute {
    (
        constant { $($con:ident $mcon:literal $econ:ident $ccon:tt $dcon:literal;)* }
        unary { $($un:ident $mun:literal $eun:ident $cun:tt $dun:literal;)* }
        binary { $($bin:ident $mbin:literal $ebin:ident $cbin:tt $dbin:literal;)* }
        immediate { $($imm:ident $mimm:literal $eimm:ident $cimm:tt $dimm:literal;)* }
        load { $($ld:ident $mld:literal $eld:ident $cld:tt $dld:literal;)* }
        store { $($st:ident $mst:literal $est:ident $cst:tt $dst:literal;)* }
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
        /// The hot loop: runs the stream (that of `cache`, or one operation) from `place` until it has to be left. On a trap nothing of the operation at
        /// fault has happened.
        pub(super) fn execute(
            cpu: &mut CpuState,
            mmu: &SoftMmu,
            cache: &BlockCache,
            stream: &[Inst],
            place: Place,
        ) -> Left {
            let mut ip = place as usize;
            macro_rules! get { ($r:expr) => { cpu.regs[usize::from($r)] } }
            macro_rules! addr { ($base:expr, $offset:expr) => { get!($base).wrapping_add_signed($offset) } }
            macro_rules! check {
                ($result:expr) => {
                    match $result {
                        Ok(value) => value,
                        Err(trap) => return Left::Trap { ip, trap: trap.into() },
                    }
                };
            }
            // Goes to a place. Most lead to an `Enter`, which is done on the way, without another dispatch.
            macro_rules! go {
                ($place:expr) => {{
                    ip = $place as usize;
                    if let Inst::Enter { cost, ref entries } = stream[ip] {
                        enter!(cost, entries);
                        ip += 1;
                    }
                    continue;
                }};
            }
            macro_rules! enter {
                ($cost:expr, $entries:expr) => {{
                    let cost = u64::from($cost);
                    if cpu.fuel < cost || cpu.must_stop() {
                        return Left::Refused { ip };
                    }
                    let left = $entries.get().wrapping_sub(1);
                    if left == 0 {
                        return Left::Hot { ip };
                    }
                    $entries.set(left);
                    cpu.fuel -= cost;
                }};
            }
            macro_rules! branch {
                ($cond:ident, $src1:expr, $src2:expr, $taken:expr, $next:expr) => {{
                    if Cond::$cond.holds(get!($src1), get!($src2)) {
                        // A branch lets the processor run ahead; a conditional move would make every later
                        // instruction wait for the comparison.
                        std::hint::black_box(());
                        go!($taken.get());
                    } else {
                        go!($next.get());
                    }
                }};
            }
            loop {
                match stream[ip] {
                    $(Inst::$con { dst, imm } => get!(dst) = imm.cast_unsigned(),)*
                    $(Inst::$un { dst, src } => get!(dst) = eval::$eun(get!(src)),)*
                    $(Inst::$bin { dst, src1, src2 } => get!(dst) = eval::$ebin(get!(src1), get!(src2)),)*
                    $(Inst::$imm { dst, src, imm } => get!(dst) = eval::$eimm(get!(src), imm.cast_unsigned()),)*
                    $(Inst::$ld { dst, base, offset } => {
                        let addr = addr!(base, offset);
                        check!(load_fn!($eld, mmu, addr, &mut get!(dst)));
                    })*
                    $(Inst::$st { src, base, offset } => check!(mmu.$est(addr!(base, offset), get!(src))),)*
                    $(Inst::$fu { dst, src, rm } => {
                        let rm = check!(rounding(cpu, rm));
                        get!(dst) = eval::$efu(get!(src), rm, &mut cpu.fflags);
                    })*
                    $(Inst::$fb { dst, src1, src2, rm } => {
                        let rm = check!(rounding(cpu, rm));
                        get!(dst) = eval::$efb(get!(src1), get!(src2), rm, &mut cpu.fflags);
                    })*
                    $(Inst::$ft { dst, src1, src2, src3, rm } => {
                        let rm = check!(rounding(cpu, rm));
                        get!(dst) = eval::$eft(get!(src1), get!(src2), get!(src3), rm, &mut cpu.fflags);
                    })*
                    $(Inst::$fc { dst, src1, src2 } => {
                        get!(dst) = eval::$efc(get!(src1), get!(src2), &mut cpu.fflags);
                    })*
                    $(Inst::$a32 { dst, src, base } => {
                        get!(dst) = check!(atomic::update32(mmu, get!(base), get!(src), eval::$ea32));
                    })*
                    $(Inst::$a64 { dst, src, base } => {
                        get!(dst) = check!(atomic::update64(mmu, get!(base), get!(src), eval::$ea64));
                    })*
                    $(Inst::$lr { dst, base } => {
                        const BITS: u32 = atomic::width(stringify!($elr));
                        get!(dst) = check!(atomic::load_reserved::<BITS>(cpu, mmu, get!(base)));
                    })*
                    $(Inst::$sc { dst, src, base } => {
                        const BITS: u32 = atomic::width(stringify!($esc));
                        let (addr, value) = (get!(base), get!(src));
                        get!(dst) = check!(atomic::store_conditional::<BITS>(cpu, mmu, addr, value));
                    })*
                    $(Inst::$sr { dst } => get!(dst) = state::$esr(cpu, || cost_at(cache, ip)),)*
                    $(Inst::$sw { src } => state::$esw(cpu, get!(src)),)*
                    $(Inst::$fe {} => mmu.$efe(),)*
                    Inst::Enter { cost, ref entries } => enter!(cost, entries),
                    Inst::Jump { ref next } => go!(next.get()),
                    Inst::Eq { src1, src2, ref taken, ref next } => branch!(Eq, src1, src2, taken, next),
                    Inst::Ne { src1, src2, ref taken, ref next } => branch!(Ne, src1, src2, taken, next),
                    Inst::Lt { src1, src2, ref taken, ref next } => branch!(Lt, src1, src2, taken, next),
                    Inst::Ge { src1, src2, ref taken, ref next } => branch!(Ge, src1, src2, taken, next),
                    Inst::Ltu { src1, src2, ref taken, ref next } => branch!(Ltu, src1, src2, taken, next),
                    Inst::Geu { src1, src2, ref taken, ref next } => branch!(Geu, src1, src2, taken, next),
                    Inst::Indirect { base, offset } => {
                        let pc = addr!(base, offset) & !1;
                        let Some(place) = cache.find(pc) else {
                            cpu.pc = pc;
                            return Left::Miss;
                        };
                        go!(place);
                    }
                    Inst::Leave => return Left::Terminator { ip },
                    Inst::Stub { .. } => return Left::Stub { place: ip as Place },
                }
                ip += 1;
            }
        }
    };
}

for_each_op!(define_execute);

/// Fuel of the block that holds `ip`.
#[cold]
#[inline(never)]
fn cost_at(cache: &BlockCache, ip: usize) -> u64 {
    cache.code_at(ip as Place).map_or(0, |code| code.cost)
}

/// The safepoint at the entry of a block does not let it run now.
#[cold]
#[inline(never)]
pub(super) fn refused(cpu: &mut CpuState, cache: &BlockCache, ip: usize) -> Exit {
    if let Some(code) = cache.code_at(ip as Place) {
        cpu.pc = code.start_pc;
    }
    if cpu.must_stop() {
        Exit::Interrupted
    } else {
        Exit::OutOfFuel
    }
}

/// The terminators that leave the loop.
#[cold]
#[inline(never)]
pub(super) fn leave(cpu: &mut CpuState, cache: &BlockCache, ip: usize) -> Exit {
    match cache.code_at(ip as Place).map(|code| code.term) {
        Some(Terminator::Syscall { next }) => {
            cpu.pc = next;
            Exit::Syscall
        }
        Some(Terminator::SyncCode { next }) => {
            cpu.pc = next;
            Exit::SyncCode
        }
        Some(Terminator::Breakpoint) => trapped(cpu, cache, ip, Trap::Breakpoint),
        Some(
            Terminator::JumpIndirect { base, offset }
            | Terminator::CallIndirect { base, offset, .. }
            | Terminator::ReturnIndirect { base, offset },
        ) => {
            cpu.pc = cpu.regs[usize::from(base)].wrapping_add_signed(offset) & !1;
            Exit::Miss
        }
        Some(Terminator::Return) => {
            cpu.pc = cache.code_at(ip as Place).map_or(cpu.pc, |code| code.start_pc);
            Exit::Return
        }
        _ => trapped(cpu, cache, ip, Trap::IllegalInstruction),
    }
}

/// Makes the state that of the instruction at fault: its address, and the fuel of what was not executed given back.
#[cold]
#[inline(never)]
pub(super) fn trapped(cpu: &mut CpuState, cache: &BlockCache, ip: usize, trap: Trap) -> Exit {
    if let Some(code) = cache.code_at(ip as Place) {
        let (pc, used) = cache.position(code, ip as Place);
        cpu.pc = pc;
        cpu.fuel += code.cost - used;
    }
    Exit::Trap(trap)
}
