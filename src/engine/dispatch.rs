//! Runs guest code: looks translations up, makes what is missing, drops what is out of date.

use super::native::{self, Back, Native, Wish, CODE_CACHE_BYTES};
use super::{Jit, Tier};
use crate::base::error::{Access, Fault, Trap};
use crate::base::PAGE;
use crate::guest::riscv::memo::Memo;
use crate::guest::riscv::translate::{lift_into, MAX_BLOCK_BYTES, MAX_BLOCK_INSNS};
use crate::interp::{self, Exit};
use crate::ir::{IRBlock, IROp};
use crate::mmu::SoftMmu;

/// Why a guest program stopped running. The program counter says where it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestExit {
    /// A system call; the program counter is behind it.
    Syscall,
    /// The instruction at the program counter trapped.
    Trap(Trap),
    /// The next block costs more fuel than is left.
    OutOfFuel,
    /// The hart was asked to stop.
    Interrupted,
}

impl Jit {
    /// Runs RISC-V code from the program counter until its owner is needed.
    pub fn run_guest(&mut self, mmu: &SoftMmu) -> GuestExit {
        if !self.is_young() {
            self.prepare_code(mmu);
        }
        let exit = self.run_until_exit(mmu);
        self.presence.leave();
        exit
    }

    fn run_until_exit(&mut self, mmu: &SoftMmu) -> GuestExit {
        loop {
            self.drop_stale(mmu);
            let exit = match self.profile.is_recording() {
                true => self.record_region(mmu),
                false => self.run_some(mmu),
            };
            match exit {
                Some(GuestExit::Interrupted) if !self.cpu.owner_wanted() => {}
                // A write to translated code is tried again once the code is dropped.
                Some(GuestExit::Trap(Trap::Memory(fault))) if mmu.code_written(&fault, Some(self.cpu.pc)) => {
                }
                Some(exit) => return exit,
                None => {}
            }
        }
    }

    /// Runs whatever there is at the program counter; `None`: go on.
    fn run_some(&mut self, mmu: &SoftMmu) -> Option<GuestExit> {
        match self.code_at_pc(mmu) {
            Ok(Some(code)) => self.run_native(mmu, code),
            Ok(None) => self.run_interpreter(mmu),
            Err(fault) => Some(GuestExit::Trap(Trap::Memory(fault))),
        }
    }

    /// Whether the program has run for so short a time that making machine code for it would not pay.
    fn is_young(&self) -> bool {
        self.tier == Tier::Auto && self.native.is_none() && self.cpu.retired() < native::YOUTH
    }

    /// Gets ready to run machine code on this memory, if the tier wants to; [`Tier::Auto`] then makes code for what is hot
    /// from the start, and not only once the program has run for a while.
    pub fn prepare_code(&mut self, mmu: &SoftMmu) {
        if self.native.as_ref().is_some_and(|native| !native.serves(mmu)) {
            // Another memory than last time.
            self.native = None;
            self.without_native = false;
        }
        if self.native.is_none() && self.tier != Tier::Interp && !self.without_native {
            let bytes = self.code_cache_bytes.unwrap_or(CODE_CACHE_BYTES);
            // A host that gives no executable memory still has the interpreter.
            self.native = Native::new(mmu, bytes).ok();
            self.without_native = self.native.is_none();
        }
    }

    /// The machine code to run at the program counter, if the tier has some there.
    fn code_at_pc(&mut self, mmu: &SoftMmu) -> Result<Option<usize>, Fault> {
        let Some(native) = self.native.as_mut().filter(|_| Native::can_run(&self.cpu)) else {
            return Ok(None);
        };
        let pc = self.cpu.pc;
        if self.tier.is_random() && self.random.below(2) == 0 {
            return Ok(None);
        }
        if let Some(code) = native.find(pc) {
            return Ok(Some(code));
        }
        if self.tier == Tier::Auto || self.refused.contains(&pc) {
            return Ok(None);
        }
        self.compile(mmu)
    }

    /// Makes machine code for the block at the program counter.
    fn compile(&mut self, mmu: &SoftMmu) -> Result<Option<usize>, Fault> {
        if !Native::can_run(&self.cpu) {
            return Ok(None);
        }
        let Some(native) = self.native.as_mut() else { return Ok(None) };
        if let Some(code) = native.find(self.cpu.pc) {
            return Ok(Some(code));
        }
        let block = lift_in(mmu, self.cpu.pc, std::mem::take(&mut self.ops), &mut self.memo)?;
        self.stats.blocks_translated += 1;
        self.stats.instructions_translated += block.cost();
        let code = native.code_for(&block);
        self.ops = block.ops;
        if code.is_none() {
            self.refused.insert(self.cpu.pc);
        }
        Ok(code)
    }

    /// Runs machine code; `None`: go on.
    fn run_native(&mut self, mmu: &SoftMmu, code: usize) -> Option<GuestExit> {
        if self.cpu.must_stop() {
            return Some(GuestExit::Interrupted);
        }
        // A slice holds at least one block, or there would be no progress.
        let slice = self.next_slice(MAX_BLOCK_INSNS as u64);
        let native = self.native.as_mut()?;
        let before = self.cpu.fuel;
        match native.run(&mut self.cpu, mmu, &self.cache, code, slice) {
            Back::Resume => None,
            Back::Wanted(wish) => {
                let granted = self.grant(mmu, wish);
                self.count_run(before.wrapping_sub(self.cpu.fuel));
                granted
            }
            Back::Syscall => Some(GuestExit::Syscall),
            Back::SyncCode => {
                mmu.sync_code();
                None
            }
            Back::Trap(trap) => Some(GuestExit::Trap(trap)),
            // A signal may have taken the fuel away.
            Back::Fuel if self.cpu.must_stop() => None,
            // The whole rest was given and nothing of it could be used.
            Back::Fuel if self.cpu.fuel == before && before <= slice => Some(GuestExit::OutOfFuel),
            Back::Fuel => {
                self.sample();
                None
            }
            // Less than the region needs is left; its first block may need less.
            Back::Slice if self.cpu.fuel == before => self.step(mmu, u64::MAX),
            Back::Slice => {
                self.sample();
                None
            }
            Back::GaveUp(rest) => self.step(mmu, rest),
            Back::Unavailable => {
                self.native = None;
                self.without_native = true;
                None
            }
        }
    }

    /// Makes what leads to the program counter lead there directly from now on.
    fn grant(&mut self, mmu: &SoftMmu, wish: Wish) -> Option<GuestExit> {
        // Code may be made for the successor, which may clear the cache; the wish is void then.
        let number = self.native.as_ref()?.number();
        let code = match self.code_at_pc(mmu) {
            // What hot code leads to is hot: it is not counted first.
            Ok(None) if self.tier == Tier::Auto && !self.refused.contains(&self.cpu.pc) => self.compile(mmu),
            code => code,
        };
        match code {
            Err(fault) => return Some(GuestExit::Trap(Trap::Memory(fault))),
            Ok(None) => return None,
            Ok(Some(_)) => {}
        }
        let native = self.native.as_mut()?;
        if native.number() == number {
            native.grant(wish, self.cpu.pc);
        }
        None
    }

    /// Runs the interpreter; `None`: go on.
    fn run_interpreter(&mut self, mmu: &SoftMmu) -> Option<GuestExit> {
        match interp::run(&mut self.cpu, mmu, &mut self.cache) {
            Exit::Miss => self.translate(mmu).err().map(|fault| GuestExit::Trap(Trap::Memory(fault))),
            Exit::Hot if self.tier.is_random() => {
                self.cache.cool(self.cpu.pc, 1 + self.random.below(8) as u32);
                None
            }
            Exit::Hot if self.is_young() => {
                self.cache.cool(self.cpu.pc, native::STILL_YOUNG);
                None
            }
            Exit::Hot => {
                self.prepare_code(mmu);
                let code = self.compile(mmu);
                let entries = match code {
                    // From now on the block goes on in its machine code.
                    Ok(Some(_)) | Err(_) => 1,
                    Ok(None) if self.refused.contains(&self.cpu.pc) => interp::code::NEVER,
                    // The rounding mode forbids it for now.
                    Ok(None) => native::HOT,
                };
                self.cache.cool(self.cpu.pc, entries);
                code.err().map(|fault| GuestExit::Trap(Trap::Memory(fault)))
            }
            Exit::SyncCode => {
                mmu.sync_code();
                None
            }
            Exit::Syscall => Some(GuestExit::Syscall),
            Exit::Trap(trap) => Some(GuestExit::Trap(trap)),
            Exit::OutOfFuel => Some(GuestExit::OutOfFuel),
            Exit::Interrupted => Some(GuestExit::Interrupted),
            // No RISC-V instruction lifts to `Return`.
            Exit::Return => Some(GuestExit::Trap(Trap::IllegalInstruction)),
        }
    }

    /// Throws translations away that the memory has declared out of date, and goes over to machine code that is newer.
    fn drop_stale(&mut self, mmu: &SoftMmu) {
        let epoch = self.presence.enter(mmu, &self.cpu);
        let cleared = match self.native.as_mut().map(|native| native.follow(epoch)) {
            Some(Ok(cleared)) => cleared,
            Some(Err(_)) => {
                // The host gives no more memory for code. The interpreter can do without.
                self.native = None;
                self.without_native = true;
                true
            }
            None => false,
        };
        if self.epoch == epoch {
            return;
        }
        self.epoch = epoch;
        self.refused.clear();
        self.profile.clear();
        if cleared || !self.cache.is_empty() {
            self.stats.invalidations += 1;
        }
        self.cache.clear();
    }

    /// Translates the block at the program counter into the interpreter's cache.
    fn translate(&mut self, mmu: &SoftMmu) -> Result<(), Fault> {
        if self.cache.contains(self.cpu.pc) {
            return Ok(());
        }
        let block = lift_in(mmu, self.cpu.pc, std::mem::take(&mut self.ops), &mut self.memo)?;
        self.stats.blocks_translated += 1;
        self.stats.instructions_translated += block.cost();
        self.cache.insert(&block);
        self.ops = block.ops;
        Ok(())
    }
}

/// Fetches and lifts the block at `pc`.
///
/// # Errors
/// The fetch fault of its first instruction.
pub fn lift_at(mmu: &SoftMmu, pc: u64) -> Result<IRBlock, Fault> {
    lift_in(mmu, pc, Vec::with_capacity(32), &mut Memo::tiny())
}

/// As [`lift_at`], with the operations in memory that is given, and with what was lifted before at hand.
pub(super) fn lift_in(mmu: &SoftMmu, pc: u64, ops: Vec<IROp>, memo: &mut Memo) -> Result<IRBlock, Fault> {
    let (mut code, mut again) = ([0; MAX_BLOCK_BYTES], [0; MAX_BLOCK_BYTES]);
    let mut ops = ops;
    loop {
        // Code on a page that is watched already is not written unseen from here on.
        let watched = mmu.is_code(pc);
        let (block, used) = lift_once(mmu, pc, ops, memo, &mut code)?;
        mmu.watch_code(pc, used as u64);
        if watched && pc % PAGE + used as u64 <= PAGE {
            return Ok(block);
        }
        // Another thread may have written between the fetch and the watch. What is the same now is seen by the watch
        // from now on.
        let now = mmu.fetch(pc, &mut again[..used])?;
        if again[..now] == code[..used] {
            return Ok(block);
        }
        ops = block.ops;
    }
}

/// Fetches into `code` and lifts; also returns how many bytes the block has.
fn lift_once(
    mmu: &SoftMmu,
    pc: u64,
    ops: Vec<IROp>,
    memo: &mut Memo,
    code: &mut [u8; MAX_BLOCK_BYTES],
) -> Result<(IRBlock, usize), Fault> {
    let len = mmu.fetch(pc, code)?;
    let block = lift_into(pc, &code[..len], ops, memo).ok_or_else(|| {
        // The first half of an instruction is there and the second is not.
        let addr = pc.wrapping_add(len as u64);
        Fault { addr, access: Access::Fetch, mapped: mmu.prot(addr).is_some(), beyond_file: false }
    })?;
    // An instruction is at most 4 bytes.
    let last =
        block.ops.iter().rev().find_map(|op| if let IROp::Mark { pc } = *op { Some(pc) } else { None });
    let end = last.unwrap_or(pc).wrapping_add(4);
    Ok((block, (end.wrapping_sub(pc) as usize).min(len)))
}
