//! Running machine code: what it is entered with, and what its exits mean.
#![allow(unsafe_code, reason = "enters generated code and serves its helper calls")]

use super::Tier;
use crate::asm::x64::CpuFeatures;
use crate::base::error::{Error, Trap};
use crate::base::state::CpuState;
use crate::base::{GuestAddr, FIRST_FLOAT};
use crate::cache::{CodeCache, Refusal};
use crate::codegen::{exit, Memory, CANONICAL_NAN};
use crate::interp;
use crate::interp::code::BlockCache;
use crate::ir::{IRBlock, IROp};
use crate::mmu::SoftMmu;
use crate::sys::enter::{self, ReturnStack};
use crate::sys::host;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Guest instructions that generated code may run before it comes back to poll: some tens of microseconds.
pub const SLICE: u64 = 1 << 16;

/// Default size of the code cache in bytes.
pub const CODE_CACHE_BYTES: usize = 64 << 20;

/// Machine code and what it needs to run.
#[derive(Debug)]
pub struct Native {
    pub(super) cache: CodeCache,
    stack: ReturnStack,
    /// Its stack pointer while no code runs. (Not kept in the state, which its owner may change or exchange.)
    stack_top: u64,
    /// How its code makes host addresses.
    memory: Memory,
    /// Blocks that the code generator refused.
    pub(super) bails: u64,
    /// Times that the cache was full and cleared.
    pub(super) evictions: u64,
}

/// What a helper call needs, behind `CpuState::host.memory`.
struct HelperContext<'a> {
    mmu: &'a SoftMmu,
    interp: &'a BlockCache,
    trap: Option<Trap>,
}

/// Why generated code came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// Go on at the program counter; there may be no code for it yet.
    Resume,
    /// Go on at the program counter; a link or the table would like to lead there from now on.
    Wanted(Wish),
    Syscall,
    SyncCode,
    Trap(Trap),
    /// Out of fuel, or at the end of a slice.
    Fuel,
    /// The host no longer lets code run; nothing was.
    Unavailable,
}

/// Who wants to lead to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Link(u64),
    Table,
}

impl Native {
    /// Prepares to run machine code on `mmu`'s memory.
    ///
    /// # Errors
    /// `Error::Host` or `Error::NoMemory` if the host gives no memory for code.
    pub fn new(mmu: &SoftMmu, cap: usize) -> Result<Native, Error> {
        let memory = memory_of(mmu);
        if memory == Memory::Segment && !host::set_segment_base(mmu.base()) {
            return Err(Error::Unsupported("it does not let threads set their gs base"));
        }
        let features = features();
        let (cache, stack) = (CodeCache::new(cap, memory, features)?, ReturnStack::new()?);
        let stack_top = stack.base() as u64;
        Ok(Native { cache, stack, stack_top, memory, bails: 0, evictions: 0 })
    }

    /// Whether the code is for a memory that lies where `mmu` does.
    pub fn serves(&self, mmu: &SoftMmu) -> bool {
        self.memory == memory_of(mmu)
    }

    /// Drops all code.
    pub fn clear(&mut self) {
        self.cache.clear();
        self.stack_top = self.stack.base() as u64;
    }

    /// The code of a block, made if need be. A full cache is cleared first.
    pub fn code_for(&mut self, block: &IRBlock) -> Option<usize> {
        if let Some(code) = self.cache.find(block.start_pc) {
            return Some(code);
        }
        match self.cache.add(block) {
            Ok(code) => Some(code),
            Err(Refusal::Bail(_)) => {
                self.bails += 1;
                None
            }
            Err(Refusal::Full) => {
                self.clear();
                self.evictions += 1;
                self.cache.add(block).ok()
            }
        }
    }

    /// Whether the hart's rounding mode is one that the hardware has; otherwise code must not be entered.
    pub fn can_run(cpu: &CpuState) -> bool {
        cpu.frm < 4
    }

    /// Runs code from `entry`, which is that of the block at the program counter.
    /// It comes back after at most `slice` guest instructions.
    pub fn run(
        &mut self,
        cpu: &mut CpuState,
        mmu: &SoftMmu,
        interp: &BlockCache,
        entry: usize,
        slice: u64,
    ) -> Back {
        if self.memory == Memory::Segment && !host::set_segment_base(mmu.base()) {
            return Back::Unavailable;
        }
        let slice = cpu.fuel.min(slice);
        cpu.fuel -= slice;
        cpu.host.fuel_left = slice;
        if let Err(trap) = self.enter(cpu, mmu, interp, entry) {
            return Back::Trap(trap);
        }
        self.back(cpu, mmu, interp)
    }

    /// Enters code and leaves its exit code in `exit_code`. An error is the trap of a helper.
    fn enter(
        &mut self,
        cpu: &mut CpuState,
        mmu: &SoftMmu,
        interp: &BlockCache,
        entry: usize,
    ) -> Result<(), Trap> {
        let mut context = HelperContext { mmu, interp, trap: None };
        self.cache.set_slots(&mut cpu.host);
        cpu.host.stack_base = self.stack.base() as u64;
        cpu.host.stack_limit = self.stack.limit() as u64;
        cpu.host.jit_rsp = self.stack_top;
        cpu.host.helper = helper as *const () as u64;
        cpu.host.memory = std::ptr::from_mut(&mut context).expose_provenance() as u64;
        cpu.host.flag_table = FLAGS.as_ptr().expose_provenance() as u64;
        cpu.host.guest_mxcsr = mxcsr(cpu.frm);
        cpu.host.entry = entry as u64;
        let (gate, landing) = self.cache.gates();
        // SAFETY: the cache published both gates and `entry`; all slots that code uses are set above, and everything
        // they point to (`context`, the table, the stack) outlives the call.
        let code = unsafe { enter::enter(cpu, gate, self.cache.range(), landing, mmu.host_range()) };
        self.stack_top = cpu.host.jit_rsp;
        cpu.host.memory = 0;
        // For want of fuel the code leaves with what it took below zero; `settle` gives that back.
        cpu.fuel = cpu.fuel.wrapping_add(cpu.host.fuel_left);
        cpu.host.exit_code = code;
        cpu.fflags |= flags_of(cpu.host.guest_mxcsr);
        context.trap.map_or(Ok(()), |trap| {
            // The return address is behind the call.
            self.settle(cpu, cpu.host.host_pc.wrapping_sub(1));
            Err(trap)
        })
    }

    /// Makes the program counter, fuel and registers those of the instruction at a place in the code.
    fn settle(&self, cpu: &mut CpuState, host_pc: u64) {
        if let Some(position) = self.cache.position(host_pc) {
            cpu.pc = position.pc;
            cpu.fuel = cpu.fuel.wrapping_add(position.unused);
            for (reg, value) in cpu.regs.iter_mut().enumerate().take(64) {
                match position.pending >> reg & 1 != 0 {
                    true if reg < usize::from(FIRST_FLOAT) => {
                        *value = i64::from(*value as i32).cast_unsigned()
                    }
                    true if f64::from_bits(*value).is_nan() => *value = CANONICAL_NAN,
                    _ => {}
                }
            }
        }
    }

    fn back(&self, cpu: &mut CpuState, mmu: &SoftMmu, interp: &BlockCache) -> Back {
        match cpu.host.exit_code {
            exit::LINK => {
                let link = cpu.host.exit_value & u64::from(u32::MAX);
                if let Some(target) = self.cache.link_target(link) {
                    cpu.pc = target;
                }
                Back::Wanted(Wish::Link(link))
            }
            exit::MISS => Back::Wanted(Wish::Table),
            exit::FUEL => {
                // The return address is behind the call.
                self.settle(cpu, cpu.host.host_pc.wrapping_sub(1));
                Back::Fuel
            }
            exit::SYSCALL => Back::Syscall,
            exit::SYNC_CODE => Back::SyncCode,
            exit::ILLEGAL => self.trapped(cpu, Trap::IllegalInstruction),
            exit::BREAKPOINT => self.trapped(cpu, Trap::Breakpoint),
            exit::FAULT => {
                let fault = mmu.last_fault();
                self.settle(cpu, cpu.host.host_pc);
                for op in self.cache.repairs(cpu.host.host_pc) {
                    // It has no side effect, so it cannot trap.
                    let _ = interp::operation(cpu, mmu, interp, op);
                }
                Back::Trap(Trap::Memory(fault))
            }
            _ => Back::Resume,
        }
    }

    fn trapped(&self, cpu: &mut CpuState, trap: Trap) -> Back {
        // The return address is behind the call.
        self.settle(cpu, cpu.host.host_pc.wrapping_sub(1));
        Back::Trap(trap)
    }

    /// Grants a wish to lead to the block at `pc`, if it has code.
    pub fn grant(&mut self, wish: Wish, pc: GuestAddr) {
        match (wish, self.cache.find(pc)) {
            (Wish::Link(link), Some(_)) if self.cache.link_target(link) == Some(pc) => {
                self.cache.link(link);
            }
            (Wish::Table, Some(code)) => self.cache.remember(pc, code),
            _ => {}
        }
    }
}

/// How the guest addresses of a memory become host addresses.
fn memory_of(mmu: &SoftMmu) -> Memory {
    match mmu.base() {
        0 => Memory::Low,
        _ => Memory::Segment,
    }
}

/// Entries after which `auto` makes code for a block. Whatever that code leads to is compiled as well, so the number
/// hardly matters beyond start-up code, which runs once or twice (`docs/adr/0004-counters.md`).
pub const HOT: u32 = 8;

/// What this processor has. Asked once per process and leaf: under a hypervisor each answer takes microseconds.
fn features() -> CpuFeatures {
    static FEATURES: OnceLock<CpuFeatures> = OnceLock::new();
    *FEATURES.get_or_init(|| {
        let answers = RefCell::new(HashMap::new());
        let cpuid = |leaf, sub_leaf| {
            *answers.borrow_mut().entry((leaf, sub_leaf)).or_insert_with(|| match leaf {
                // The highest extended leaf: the next is there wherever 64-bit code runs, since it reports that mode
                // (AMD64 APM Vol. 3, "Function 8000_0001h").
                0x8000_0000 => [0x8000_0001, 0, 0, 0],
                _ => host::cpuid(leaf, sub_leaf),
            })
        };
        CpuFeatures::from_cpuid(cpuid, host::xgetbv)
    })
}

/// Whether a tier runs machine code, and after how many entries.
pub fn entries_before_code(tier: Tier) -> Option<u32> {
    match tier {
        Tier::Interp => None,
        Tier::O0 => Some(0),
        Tier::Auto => Some(HOT),
        Tier::Random { .. } => Some(3),
    }
}

/// The control word for a guest rounding mode below 4: all exceptions masked, no flags (Intel SDM Vol. 1, 10.2.3).
fn mxcsr(frm: u8) -> u32 {
    // RISC-V: nearest, zero, down, up. MXCSR.RC: nearest, down, up, zero.
    const RC: [u32; 4] = [0, 3, 1, 2];
    0x1f80 | RC[usize::from(frm & 3)] << 13
}

/// The accrued exceptions of a control word as `fflags`.
fn flags_of(mxcsr: u32) -> u8 {
    FLAGS[(mxcsr & 0x3f) as usize]
}

/// `fflags` by the low six bits of a control word.
static FLAGS: [u8; 64] = {
    // MXCSR bits 0-5: IE DE ZE OE UE PE. fflags bits 0-4: NX UF OF DZ NV. A denormal operand is no exception there.
    const TO: [u8; 6] = [1 << 4, 0, 1 << 3, 1 << 2, 1 << 1, 1 << 0];
    let mut flags = [0; 64];
    let mut word = 0;
    while word < 64 {
        let mut bit = 0;
        while bit < 6 {
            if word >> bit & 1 != 0 {
                flags[word] |= TO[bit];
            }
            bit += 1;
        }
        word += 1;
    }
    flags
};

/// Does an operation for generated code. Returns 0, or the code to leave with.
extern "C" fn helper(cpu: *mut CpuState, op: *const IROp) -> u32 {
    // SAFETY: generated code passes its state, which `Native::enter` borrows exclusively, and an operation that the
    // cache keeps alive; `memory` points at the context in `Native::enter`'s frame.
    let (cpu, op, context) = unsafe {
        let cpu = &mut *cpu;
        let context = std::ptr::with_exposed_provenance_mut::<HelperContext<'_>>(cpu.host.memory as usize);
        (cpu, *op, &mut *context)
    };
    #[cfg(test)]
    tests::in_helper();
    cpu.fflags |= flags_of(cpu.host.guest_mxcsr);
    let result = interp::operation(cpu, context.mmu, context.interp, op);
    cpu.host.guest_mxcsr = mxcsr(cpu.frm);
    match result {
        Ok(()) => 0,
        Err(trap) => {
            context.trap = Some(trap);
            exit::HELPER_TRAP
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_words_have_the_guests_rounding_mode() {
        assert_eq!([0, 1, 2, 3].map(|frm| mxcsr(frm) >> 13 & 3), [0, 3, 1, 2]);
        assert_eq!(flags_of(0b11_1101), 0b1_1111);
        assert_eq!(flags_of(0b00_0010), 0);
    }

    thread_local! {
        /// The call stack that the helper saw last.
        static TRACE: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
    }

    pub(super) fn in_helper() {
        TRACE.set(std::backtrace::Backtrace::force_capture().to_string());
    }

    #[inline(never)]
    fn caller_of_run_guest(jit: &mut crate::engine::Jit, mmu: &SoftMmu) {
        assert_eq!(jit.run_guest(mmu), crate::engine::dispatch::GuestExit::Syscall);
    }

    #[test]
    fn an_unwinder_gets_from_a_helper_to_the_caller() {
        let mmu = SoftMmu::new(4096, false);
        // csrrs a0, time, zero, which a helper does; ecall.
        mmu.write(0, &[0xc010_2573u32, 0x0000_0073].map(u32::to_le_bytes).concat()).unwrap();
        mmu.protect(0, 4096, crate::mmu::Prot::RX).unwrap();
        let mut jit = crate::engine::Jit::new();
        jit.set_tier(Tier::O0);
        caller_of_run_guest(&mut jit, &mmu);
        let trace = TRACE.take();
        let at = |name: &str| trace.find(name).unwrap_or_else(|| panic!("no frame of {name} in\n{trace}"));
        assert!(
            at("vmjit_helper") < at("run_guest") && at("run_guest") < at("caller_of_run_guest"),
            "{trace}"
        );
        assert!(at("caller_of_run_guest") < at("an_unwinder_gets_from_a_helper_to_the_caller"), "{trace}");
    }
}
