//! THE table of register roles on x86-64: which guest register lives in which host register at every block boundary.
//!
//! | host | role |
//! |---|---|
//! | rbp | `&CpuState` plus `STATE_BIAS`; stores through it forward to loads at once |
//! | rsp | the return stack: pairs of guest and host return address |
//! | r15 | fuel that is left |
//! | rax, rcx, rdx | scratch; fixed operands of shifts, multiplication and division |
//! | rbx, rsi, rdi, r8-r14 | guest registers, see `GPR_ROLES` |
//! | xmm0, xmm1 | scratch |
//! | xmm2-xmm15 | guest registers, see `FPR_ROLES` |
//!
//! All other guest registers live in their slot of `CpuState`, which is also where "save all" puts the mapped ones.

use crate::asm::x64::reg::*;
use crate::base::state::{CpuState, HostSlots};
use crate::base::RegId;
use std::mem::offset_of;

/// Points into the hart's state.
pub(super) const STATE: Gpr = RBP;
/// Fuel that is left.
pub(super) const FUEL: Gpr = R15;
/// Its number, for those who look at interrupted code.
pub const FUEL_REGISTER: u8 = FUEL.number();

/// Guest integer register and its host register. The guest's are those that the RISC-V calling convention keeps busy.
#[rustfmt::skip] // rows never wrap
pub(super) const GPR_ROLES: &[(RegId, Gpr)] = &[
    (1, R13),  // ra (as a base, r13 needs a displacement; ra seldom is one)
    (2, RBX),  // sp
    (8, R12),  // s0
    (9, R14),  // s1
    (10, RDI), // a0
    (11, RSI), // a1
    (12, R8),  // a2
    (13, R9),  // a3
    (14, R10), // a4
    (15, R11), // a5
];

/// Guest floating-point register (as virtual register) and the number of its xmm register.
#[rustfmt::skip] // rows never wrap
pub(super) const FPR_ROLES: &[(RegId, u8)] = &[
    (42, 2), (43, 3), (44, 4), (45, 5), (46, 6), (47, 7), (48, 8), (49, 9), // fa0-fa7
    (32, 10), (33, 11), (34, 12), (35, 13),                                 // ft0-ft3
    (40, 14), (41, 15),                                                     // fs0, fs1
];

/// Where a virtual register lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    Gpr(Gpr),
    Xmm(Xmm),
    /// A slot in `CpuState`, at this offset.
    Slot(i32),
    /// Register 0.
    Zero,
}

/// The home of every virtual register.
static HOMES: [Home; 256] = homes();

const fn homes() -> [Home; 256] {
    let mut homes = [Home::Zero; 256];
    let mut i = 1;
    while i < homes.len() {
        homes[i] = Home::Slot(slot(i as RegId));
        i += 1;
    }
    i = 0;
    while i < GPR_ROLES.len() {
        homes[GPR_ROLES[i].0 as usize] = Home::Gpr(GPR_ROLES[i].1);
        i += 1;
    }
    i = 0;
    while i < FPR_ROLES.len() {
        if let Some(xmm) = Xmm::new(FPR_ROLES[i].1) {
            homes[FPR_ROLES[i].0 as usize] = Home::Xmm(xmm);
        }
        i += 1;
    }
    homes
}

/// Where a virtual register lives while units meet.
#[inline]
pub(super) fn home(reg: RegId) -> Home {
    HOMES[usize::from(reg)]
}

/// Offset in `CpuState` of a virtual register's slot.
pub(super) const fn slot(reg: RegId) -> i32 {
    reg as i32 * 8
}

const _: () = assert!(offset_of!(CpuState, regs) == 0 && size_of::<CpuState>() < 1 << 16);

/// Offsets in `CpuState` that generated code uses.
macro_rules! offsets {
    ($($name:ident = $offset:expr;)*) => { $(
        pub(super) const $name: i32 = {
            assert!($offset < 1 << 16);
            $offset as i32
        };
    )* };
}

offsets! {
    PC = offset_of!(CpuState, pc);
    FUEL_REST = offset_of!(CpuState, fuel);
    FUEL_BASE = offset_of!(CpuState, fuel_base);
    FUEL_LEFT = offset_of!(CpuState, host) + offset_of!(HostSlots, fuel_left);
    STACK_BASE = offset_of!(CpuState, host) + offset_of!(HostSlots, stack_base);
    STACK_LIMIT = offset_of!(CpuState, host) + offset_of!(HostSlots, stack_limit);
    TABLE = offset_of!(CpuState, host) + offset_of!(HostSlots, table);
    EXIT_VALUE = offset_of!(CpuState, host) + offset_of!(HostSlots, exit_value);
    HOST_PC = offset_of!(CpuState, host) + offset_of!(HostSlots, host_pc);
    SAVED = offset_of!(CpuState, host) + offset_of!(HostSlots, saved);
    RESERVED = offset_of!(CpuState, reserved);
    RESERVED_ADDR = offset_of!(CpuState, reserved_addr);
    RESERVED_VALUE = offset_of!(CpuState, reserved_value);
    FFLAGS = offset_of!(CpuState, fflags);
    FRM = offset_of!(CpuState, frm);
    FLAG_TABLE = offset_of!(CpuState, host) + offset_of!(HostSlots, flag_table);
    GUEST_MXCSR = offset_of!(CpuState, host) + offset_of!(HostSlots, guest_mxcsr);
    ENTRY = offset_of!(CpuState, host) + offset_of!(HostSlots, entry);
    LEAVE = offset_of!(CpuState, host) + offset_of!(HostSlots, leave_thunk);
    LINK_THUNK = offset_of!(CpuState, host) + offset_of!(HostSlots, link_thunk);
    MISS_THUNK = offset_of!(CpuState, host) + offset_of!(HostSlots, miss_thunk);
    FUEL_THUNK = offset_of!(CpuState, host) + offset_of!(HostSlots, fuel_thunk);
    ILLEGAL_THUNK = offset_of!(CpuState, host) + offset_of!(HostSlots, illegal_thunk);
    BREAKPOINT_THUNK = offset_of!(CpuState, host) + offset_of!(HostSlots, breakpoint_thunk);
    CALL_HELPER = offset_of!(CpuState, host) + offset_of!(HostSlots, helper_thunk);
    LEAVE_ROUTINE = offset_of!(CpuState, host) + offset_of!(HostSlots, leave_routine);
    HELPER_ROUTINE = offset_of!(CpuState, host) + offset_of!(HostSlots, helper_routine);
}
