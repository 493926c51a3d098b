//! Routines that every block shares, generated from the table of roles.

use super::control::jump_by_second_place;
use super::roles::{self, *};
use crate::asm::x64::reg::*;
use crate::asm::x64::{Assembler, Mem, Size};
use crate::asm::FinishError;
use crate::base::state::{CpuState, STATE_BIAS};
use crate::codegen::exit;

/// Code of the shared routines, and where each begins.
#[derive(Clone, Debug)]
pub struct Thunks {
    pub bytes: Vec<u8>,
    /// Loads all registers and jumps to `CpuState::host.entry`; what `vmjit_enter` is given.
    pub enter: usize,
    /// Saves all registers and leaves with the exit code in eax.
    pub leave: usize,
    /// Leaves with `exit::LINK`; the link is in eax.
    pub link: usize,
    /// Jumps to the target in rax if it is in its second place of the table, else leaves with `exit::MISS`.
    pub miss: usize,
    /// Called: leaves with `exit::FUEL`.
    pub fuel: usize,
    /// Called: leaves with `exit::ILLEGAL`.
    pub illegal: usize,
    /// Called: leaves with `exit::BREAKPOINT`.
    pub breakpoint: usize,
    /// Where faults land: saves the host's registers in `HostSlots::saved` and leaves with `exit::FAULT`.
    pub fault: usize,
    /// Called by blocks with the operation in rax: saves all registers, calls the helper, loads all registers.
    pub helper: usize,
}

impl Thunks {
    /// Generates them.
    ///
    /// # Errors
    /// What the assembler says; none is expected.
    pub fn new() -> Result<Thunks, FinishError> {
        let mut asm = Assembler::new();
        let enter = asm.offset();
        load_all(&mut asm);
        asm.jmp_m(state(ENTRY));
        let to_leave = asm.new_label();
        let link = asm.offset();
        asm.mov_mr(Size::S64, state(EXIT_VALUE), RAX);
        asm.mov_ri32(RAX, exit::LINK);
        asm.jmp(to_leave);
        let miss = asm.offset();
        jump_by_second_place(&mut asm);
        asm.mov_mr(Size::S64, state(PC), RAX);
        asm.mov_ri32(RAX, exit::MISS);
        asm.jmp(to_leave);
        let [fuel, illegal, breakpoint] = [exit::FUEL, exit::ILLEGAL, exit::BREAKPOINT].map(|code| {
            let called = asm.offset();
            asm.pop_r(RCX);
            asm.mov_mr(Size::S64, state(HOST_PC), RCX);
            asm.mov_ri32(RAX, code);
            asm.jmp(to_leave);
            called
        });
        asm.bind(to_leave);
        let leave = asm.offset();
        save_all(&mut asm);
        asm.jmp_m(state(LEAVE_ROUTINE));
        // Where an access faults, registers need not be in their homes.
        let fault = asm.offset();
        save_host(&mut asm);
        asm.mov_ri32(RAX, exit::FAULT);
        asm.jmp_m(state(LEAVE_ROUTINE));
        let helper = asm.offset();
        asm.mov_rm(Size::S64, RCX, Mem::base(RSP));
        asm.mov_mr(Size::S64, state(HOST_PC), RCX);
        save_all(&mut asm);
        asm.call_m(state(HELPER_ROUTINE));
        load_all(&mut asm);
        asm.ret();
        let bytes = asm.finish()?.into_bytes();
        Ok(Thunks { bytes, enter, leave, link, miss, fuel, illegal, breakpoint, fault, helper })
    }
}

/// A field of `CpuState`.
pub(super) fn state(offset: i32) -> Mem {
    Mem::base(STATE).disp(offset - STATE_BIAS)
}

fn load_all(asm: &mut Assembler) {
    for &(guest, host) in GPR_ROLES {
        asm.mov_rm(Size::S64, host, state(roles::slot(guest)));
    }
    for (guest, host) in FPR_ROLES.iter().filter_map(|&(guest, host)| Some((guest, Xmm::new(host)?))) {
        asm.movsd_xm(host, state(roles::slot(guest)));
    }
    asm.mov_rm(Size::S64, FUEL, state(FUEL_LEFT));
}

fn save_all(asm: &mut Assembler) {
    for &(guest, host) in GPR_ROLES {
        asm.mov_mr(Size::S64, state(roles::slot(guest)), host);
    }
    for (guest, host) in FPR_ROLES.iter().filter_map(|&(guest, host)| Some((guest, Xmm::new(host)?))) {
        asm.movsd_mx(state(roles::slot(guest)), host);
    }
    asm.mov_mr(Size::S64, state(FUEL_LEFT), FUEL);
}

fn save_host(asm: &mut Assembler) {
    for (number, host) in Gpr::ALL.into_iter().enumerate() {
        asm.mov_mr(Size::S64, state(SAVED + 8 * number as i32), host);
    }
    for (number, host) in Xmm::ALL.into_iter().enumerate() {
        asm.movsd_mx(state(SAVED + 8 * (16 + number as i32)), host);
    }
    asm.mov_mr(Size::S64, state(FUEL_LEFT), FUEL);
}

/// Puts the registers that a fault saved into the homes of the guest's, as between two operations of a block.
pub fn homes_from_saved(cpu: &mut CpuState) {
    let saved = cpu.host.saved;
    for &(guest, host) in GPR_ROLES {
        cpu.regs[usize::from(guest)] = saved[usize::from(host.number())];
    }
    for &(guest, host) in FPR_ROLES {
        cpu.regs[usize::from(guest)] = saved[16 + usize::from(host)];
    }
}
