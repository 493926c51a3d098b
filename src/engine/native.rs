//! Running machine code: what it is entered with, and what its exits mean.
#![allow(unsafe_code, reason = "enters generated code and serves its helper calls")]

use super::queue::Works;
use super::{GaveUp, Tier, TierStats};
use crate::asm::x64::CpuFeatures;
use crate::base::error::{Error, Trap};
use crate::base::state::CpuState;
use crate::base::{GuestAddr, FIRST_FLOAT};
use crate::cache::shared::{Generation, SharedCode};
use crate::cache::{Refusal, Targets};
use crate::codegen::x64::homes_from_saved;
use crate::codegen::x64::Request;
use crate::codegen::{exit, Memory, CANONICAL_NAN};
use crate::interp;
use crate::interp::code::BlockCache;
use crate::ir::{IRBlock, IROp};
use crate::mmu::SoftMmu;
use crate::sys::enter::{self, ReturnStack};
use crate::sys::host;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};

/// Guest instructions that generated code may run before it comes back to poll: some tens of microseconds.
pub const SLICE: u64 = 1 << 16;

/// Default size of the code cache in bytes.
pub const CODE_CACHE_BYTES: usize = 64 << 20;

/// Machine code that harts share, and what one of them needs to run it.
#[derive(Debug)]
pub struct Native {
    shared: Arc<SharedCode>,
    /// The code that this hart runs now.
    code: Arc<Generation>,
    targets: Targets,
    /// `Generation::replaced` when the targets were remembered.
    replaced: u64,
    stack: ReturnStack,
    /// Its stack pointer while no code runs. (Not kept in the state, which its owner may change or exchange.)
    stack_top: u64,
    /// How its code makes host addresses.
    memory: Memory,
    /// Blocks that this hart compiled, and where that is told in the end.
    pub(super) made: TierStats,
    works: Arc<Works>,
    /// Times that this hart found the cache full and threw all code away.
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
    /// The same, of a region, which costs more than its first block.
    Slice,
    /// So many instructions at the program counter, the rest of a block, are for the interpreter, this time.
    GaveUp(u64),
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
    pub(super) fn new(mmu: &SoftMmu, cap: usize, works: &Arc<Works>) -> Result<Native, Error> {
        let memory = memory_of(mmu);
        if memory == Memory::Segment && !host::set_segment_base(mmu.base()) {
            return Err(Error::Unsupported("it does not let threads set their gs base"));
        }
        let shared = SharedCode::new(cap, memory, features(), mmu.code_epoch())?;
        Native::with(Arc::new(shared), memory, Arc::clone(works))
    }

    /// For another hart on the same memory.
    ///
    /// # Errors
    /// `Error::Host` if the host gives no memory for its stack.
    pub fn sibling(&self) -> Result<Native, Error> {
        Native::with(Arc::clone(&self.shared), self.memory, Arc::clone(&self.works))
    }

    fn with(shared: Arc<SharedCode>, memory: Memory, works: Arc<Works>) -> Result<Native, Error> {
        let stack = ReturnStack::new()?;
        let (code, stack_top) = (shared.newest(), stack.base() as u64);
        let (targets, replaced, made) = (Targets::new(), code.replaced(), TierStats::default());
        let evictions = 0;
        Ok(Native { shared, code, targets, replaced, stack, stack_top, memory, made, works, evictions })
    }

    /// Whether the code is for a memory that lies where `mmu` does.
    pub fn serves(&self, mmu: &SoftMmu) -> bool {
        self.memory == memory_of(mmu)
    }

    /// Goes over to code that is good for memory as of `epoch`, if what this hart has is older or no longer shared. True
    /// if code was thrown away for that.
    ///
    /// # Errors
    /// `Error::Host` or `Error::NoMemory` if the host gives no memory for code.
    #[inline]
    pub fn follow(&mut self, epoch: u64) -> Result<bool, Error> {
        if self.shared.is_current(&self.code, epoch) {
            if self.replaced != self.code.replaced() {
                self.forget_targets();
            }
            return Ok(false);
        }
        let (code, cleared) = self.shared.follow(Arc::clone(&self.code), epoch)?;
        self.go_over(code);
        Ok(cleared)
    }

    /// Leaves the old code and everything that leads to it.
    fn go_over(&mut self, code: Arc<Generation>) {
        self.code = code;
        self.forget_targets();
        self.stack_top = self.stack.base() as u64;
    }

    #[cold]
    fn forget_targets(&mut self) {
        // What is replaced after this is seen next time.
        self.replaced = self.code.replaced();
        self.targets.clear();
    }

    /// What code of regions is generated for.
    pub fn unit_request(&self) -> Request {
        Request { memory: self.memory, features: features(), first_link: 0, listing: false }
    }

    /// The code that this hart runs; whoever has it like this does not keep it from being thrown away.
    pub fn generation(&self) -> Weak<Generation> {
        Arc::downgrade(&self.code)
    }

    /// Blocks and regions that were thrown away because code may have changed.
    pub fn invalidated(&self) -> [u64; 2] {
        self.shared.invalidated()
    }

    /// Number of the code that this hart runs: addresses and links of another one mean nothing.
    pub fn number(&self) -> u64 {
        self.code.number()
    }

    /// Host address of the code for `pc`.
    #[inline]
    pub fn find(&self, pc: GuestAddr) -> Option<usize> {
        self.code.find(pc)
    }

    /// Number of blocks that have code, and its bytes.
    pub fn size(&self) -> (usize, usize) {
        let cache = self.code.cache();
        (cache.len(), cache.bytes())
    }

    /// The code of a block, made if need be. If the cache is full, all code is thrown away first.
    pub fn code_for(&mut self, block: &IRBlock) -> Option<usize> {
        for _ in 0..2 {
            let added = {
                let mut cache = self.code.cache();
                // Another hart may have made it meanwhile.
                match self.code.find(block.start_pc) {
                    Some(code) => Ok(code),
                    None => {
                        let before = cache.bytes();
                        let added = cache.add(block);
                        if added.is_ok() {
                            self.made.units += 1;
                            self.made.instructions += block.cost();
                            self.made.code_bytes += (cache.bytes() - before) as u64;
                        }
                        added
                    }
                }
            };
            match added {
                Ok(code) => return Some(code),
                Err(why @ (Refusal::Bail(_) | Refusal::Stale)) => {
                    self.made.gave_up.count(GaveUp::from(why));
                    return None;
                }
                Err(Refusal::Full) => {
                    let code = self.shared.after(Arc::clone(&self.code)).ok()?;
                    self.go_over(code);
                    self.evictions += 1;
                }
            }
        }
        None
    }

    /// Doubles the process; see [`SharedCode::around_fork`].
    #[cfg(feature = "linux")]
    pub fn around_fork<R>(&self, fork: impl FnOnce() -> R, is_child: impl FnOnce(&R) -> bool) -> (R, bool) {
        self.shared.around_fork(&self.code, fork, is_child)
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
        self.code.set_slots(&mut cpu.host, &self.targets);
        cpu.host.stack_base = self.stack.base() as u64;
        cpu.host.stack_limit = self.stack.limit() as u64;
        cpu.host.jit_rsp = self.stack_top;
        cpu.host.helper = helper as *const () as u64;
        cpu.host.memory = std::ptr::from_mut(&mut context).expose_provenance() as u64;
        cpu.host.flag_table = FLAGS.as_ptr().expose_provenance() as u64;
        cpu.host.guest_mxcsr = mxcsr(cpu.frm);
        cpu.host.entry = entry as u64;
        let (gate, code) = self.code.gates();
        // SAFETY: the generation published both gates and `entry` and keeps them while this hart has it; all slots that
        // code uses are set above, and everything they point to (`context`, the table, the stack) outlives the call.
        let code = unsafe { enter::enter(cpu, gate, code, mmu.host_range()) };
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
        let position = self.code.cache().position(host_pc);
        if let Some(position) = position {
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
                let target = self.code.cache().link_target(link);
                if let Some(target) = target {
                    cpu.pc = target;
                }
                Back::Wanted(Wish::Link(link))
            }
            exit::MISS => Back::Wanted(Wish::Table),
            exit::GIVE_UP => Back::GaveUp(cpu.host.exit_value),
            exit::SLICE => Back::Slice,
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
                let recipe = self.code.cache().recipe(cpu.host.host_pc);
                if let Some(recipe) = recipe {
                    recipe.apply(cpu);
                    for op in recipe.ops {
                        // It has no side effect, so it cannot trap.
                        let _ = interp::operation(cpu, mmu, interp, op);
                    }
                    return Back::Trap(Trap::Memory(fault));
                }
                homes_from_saved(cpu);
                self.settle(cpu, cpu.host.host_pc);
                let repairs: Vec<IROp> = self.code.cache().repairs(cpu.host.host_pc).collect();
                for op in repairs {
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
        match (wish, self.find(pc)) {
            (Wish::Link(link), Some(_)) => {
                let cache = self.code.cache();
                if cache.link_target(link) == Some(pc) {
                    cache.link(link);
                }
            }
            (Wish::Table, Some(code)) => self.targets.remember(pc, code),
            _ => {}
        }
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        self.works.count(|counts| counts.o0.add(&self.made));
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

/// Guest instructions that `auto` runs in the interpreter before it makes any code: those of a program that does next to
/// nothing (`docs/adr/0004-counters.md`).
pub const YOUTH: u64 = 1 << 17;

/// Entries after which it looks again whether that is over.
pub const STILL_YOUNG: u32 = 64;

/// CPUID leaf 1, ecx: the processor has XSAVE. (Every 64-bit one has leaf 1.)
const XSAVE: u32 = 1 << 26;

/// What this processor has. Asked once per process and leaf: under a hypervisor each answer takes microseconds.
fn features() -> CpuFeatures {
    static FEATURES: OnceLock<CpuFeatures> = OnceLock::new();
    *FEATURES.get_or_init(|| {
        let answers = RefCell::new(HashMap::new());
        let ask = |leaf, sub_leaf| {
            *answers.borrow_mut().entry((leaf, sub_leaf)).or_insert_with(|| match leaf {
                // The highest extended leaf: the next is there wherever 64-bit code runs, since it reports that mode
                // (AMD64 APM Vol. 3, "Function 8000_0001h").
                0x8000_0000 => [0x8000_0001, 0, 0, 0],
                _ => host::cpuid(leaf, sub_leaf),
            })
        };
        // The highest leaf: where there is XSAVE, there is at least the one that describes it (Intel SDM 1, 13.2).
        let cpuid = |leaf, sub_leaf| match leaf {
            0 if ask(1, 0)[2] & XSAVE != 0 => [0xd, 0, 0, 0],
            _ => ask(leaf, sub_leaf),
        };
        CpuFeatures::from_cpuid(cpuid, host::xgetbv)
    })
}

/// Whether a tier runs machine code, and after how many entries.
pub fn entries_before_code(tier: Tier) -> Option<u32> {
    match tier {
        Tier::Interp => None,
        Tier::O0 | Tier::O1 | Tier::O2 => Some(0),
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
