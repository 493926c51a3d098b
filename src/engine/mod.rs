//! The engine: finds or makes code for where the guest stands, runs it, and hands on what only its owner can decide.
//!
//! [`Jit`] is the public face. It runs blocks that a host built ([`ExecutionEngine::run`]) and guest programs in
//! memory ([`Jit::run_guest`]); what a system call or a trap means is its owner's business.

mod compile;
pub mod dispatch;
mod hot;
mod made;
mod native;
pub mod presence;
mod queue;
mod record;
pub mod report;
mod stats;

use crate::base::error::{Error, Trap};
use crate::base::state::CpuState;
use crate::base::{GuestAddr, RegId};
use crate::guest::riscv::memo::Memo;
use crate::interp::code::BlockCache;
use crate::interp::{Exit, SingleBlocks};
use crate::ir::{verify, IRBlock, IROp};
use crate::mmu::SoftMmu;
use crate::opt::passes::Without;
use presence::Presence;
use report::Listener;
pub use stats::{GaveUp, Reasons, Refusals, Stats, TierStats};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How a block ended; part of [`ExecResult`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExecStatus {
    /// The block ended with `Terminator::Return`.
    Returned,
    /// The block went on to [`ExecResult::next_pc`].
    Continue,
    /// A system call; execution goes on at `next_pc` once the host has served it.
    Syscall,
    /// The block asked that instruction fetches see earlier stores.
    SyncCode,
    /// The operation at `next_pc` trapped.
    Trap(Trap),
    /// The block costs more fuel than was left; nothing of it was run.
    OutOfFuel,
    /// The hart was asked to stop; nothing of the block was run.
    Interrupted,
}

/// Result of running one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecResult {
    /// How it ended.
    pub status: ExecStatus,
    /// Guest address at which execution goes on, or of the instruction that trapped.
    pub next_pc: GuestAddr,
    /// Fuel that was used: guest instructions, or operations for a block without marks.
    pub fuel_used: u64,
}

/// Something that runs IR blocks.
pub trait ExecutionEngine {
    /// Runs one block from its first operation to its end.
    ///
    /// # Errors
    /// `Error::InvalidBlock` if the block breaks a rule of the IR. A trap is no error but a status.
    fn run(&mut self, mmu: &mut SoftMmu, block: &IRBlock) -> Result<ExecResult, Error>;

    /// The value of a virtual register.
    fn get_reg(&self, reg: RegId) -> u64;

    /// Sets a virtual register; register 0 stays 0.
    fn set_reg(&mut self, reg: RegId, value: u64);

    /// The program counter.
    fn get_pc(&self) -> GuestAddr;

    /// Sets the program counter.
    fn set_pc(&mut self, pc: GuestAddr);
}

/// Which code may run a guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tier {
    /// The interpreter only.
    Interp,
    /// Machine code of FastJit from the first execution on.
    O0,
    /// As `O0`, and what runs often is found, recorded and compiled as regions early on, with the passes that pay at once.
    O1,
    /// As `O1`, with all passes.
    O2,
    /// The interpreter first; machine code for what runs often; regions with all passes for what stays hot.
    #[default]
    Auto,
    /// Any tier at any time, at random: for tests, since which tier runs must not matter.
    Random { seed: u64 },
}

impl Tier {
    /// All tiers with their names on the command line (`random` takes a seed: `random:SEED`).
    pub const ALL: [(&'static str, Tier); 6] = [
        ("interp", Tier::Interp),
        ("o0", Tier::O0),
        ("o1", Tier::O1),
        ("o2", Tier::O2),
        ("auto", Tier::Auto),
        ("random", Tier::Random { seed: 1 }),
    ];

    /// The tier of this name.
    pub fn parse(name: &str) -> Option<Tier> {
        if let Some(seed) = name.strip_prefix("random:") {
            return Some(Tier::Random { seed: seed.parse().ok()? });
        }
        Tier::ALL.iter().find(|(known, _)| *known == name).map(|&(_, tier)| tier)
    }

    fn is_random(self) -> bool {
        matches!(self, Tier::Random { .. })
    }
}

/// A small generator of random numbers (xorshift64*), for [`Tier::Random`].
#[derive(Clone, Copy, Debug, Default)]
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        // Zero is the one state that the generator does not leave.
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).max(1))
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound.max(1)
    }
}

/// Prepared host blocks kept at once; beyond it all are forgotten, so that a host which makes ever new blocks does not
/// grow without bound.
const MAX_HOST_BLOCKS: usize = 65_536;

/// A tiered engine with the state of one hart.
///
/// Dropping it frees its translations. It can be moved to another thread between runs.
#[derive(Debug)]
pub struct Jit {
    cpu: CpuState,
    /// Translations of guest code, good for `epoch` of the memory they came from.
    cache: BlockCache,
    epoch: u64,
    /// Blocks that the host passed in, by address; a block is prepared again only if it changed.
    host_blocks: HashMap<GuestAddr, (IRBlock, u32)>,
    single: SingleBlocks,
    tier: Tier,
    random: Random,
    /// Machine code, once it is first needed.
    native: Option<native::Native>,
    /// This host gives no machine code.
    without_native: bool,
    code_cache_bytes: Option<usize>,
    /// Blocks that the code generator refused.
    refused: HashSet<GuestAddr>,
    /// What runs often.
    profile: hot::Profile,
    /// What is compiled as regions in this process.
    works: Arc<queue::Works>,
    /// It is compiled by a thread of its own.
    background: bool,
    /// Compiling blocks is timed.
    timed: bool,
    /// Is told of every region.
    listener: Option<Listener>,
    without_passes: Without,
    /// Memory for the operations of the next block.
    ops: Vec<IROp>,
    /// Which translations are being run, for other threads to see.
    presence: Presence,
    /// What guest instructions mean.
    memo: Memo,
    stats: Stats,
}

impl Jit {
    /// An engine whose registers are all zero and whose fuel is unlimited.
    ///
    /// Guests run on [`Tier::Auto`], as everywhere by default. (Blocks of a host's own, [`ExecutionEngine::run`], are
    /// interpreted on every tier.)
    pub fn new() -> Jit {
        Jit {
            cpu: CpuState::default(),
            cache: new_cache(Tier::default()),
            epoch: 0,
            host_blocks: HashMap::new(),
            single: SingleBlocks::default(),
            tier: Tier::default(),
            random: Random::default(),
            native: None,
            without_native: false,
            code_cache_bytes: None,
            refused: HashSet::new(),
            profile: hot::Profile::default(),
            works: Arc::default(),
            background: false,
            timed: false,
            listener: None,
            without_passes: Without::default(),
            ops: Vec::new(),
            presence: Presence::default(),
            memo: Memo::default(),
            stats: Stats::default(),
        }
    }

    /// The hart's state.
    pub fn state(&self) -> &CpuState {
        &self.cpu
    }

    /// The hart's state, to change.
    pub fn state_mut(&mut self) -> &mut CpuState {
        &mut self.cpu
    }

    /// Which code may run the guest from now on.
    pub fn set_tier(&mut self, tier: Tier) {
        self.tier = tier;
        if let Tier::Random { seed } = tier {
            self.random = Random::new(seed);
        }
        // Code is made again where the new tier wants it; the interpreter alone must not find any.
        self.native = None;
        self.works = Arc::default();
        self.profile = hot::Profile::default();
        self.cache = new_cache(tier);
    }

    /// Has a listener told of every region that is compiled: its form after each pass, and its code.
    pub fn set_listener(&mut self, listener: Listener) {
        self.listener = Some(listener);
    }

    /// Leaves passes out of what is compiled from now on, to see what each is worth (default: none).
    pub fn set_without_passes(&mut self, without: Without) {
        self.without_passes = without;
    }

    /// Whether regions of [`Tier::O2`] and [`Tier::Auto`] are compiled by a thread beside the guest's, while the guest runs on
    /// (default: no). When a region is there then depends on the host; nothing else does. The thread is started when it is
    /// first needed, blocks all signals, and ends with the last engine that shares code with this one. A process that has
    /// it and forks, other than by its guest, must not go on with the engine in the child.
    pub fn set_background(&mut self, on: bool) {
        self.background = on;
    }

    /// Whether [`TierStats::nanoseconds`] of `o0` is measured (default: no, since looking at the clock costs a tenth of it).
    pub fn set_timed(&mut self, on: bool) {
        self.timed = on;
    }

    /// Limits machine code to this many bytes (default: 64 MiB). Takes effect before the first run.
    pub fn set_code_cache(&mut self, bytes: usize) {
        self.code_cache_bytes = Some(bytes);
    }

    /// Which code may run the guest.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// An engine for another hart on the same memory with the same settings and the same state, which shares the machine
    /// code.
    pub fn sibling(&mut self, mmu: &SoftMmu) -> Jit {
        // Code that is made later would not be shared.
        self.prepare_code(mmu);
        let mut jit = Jit { code_cache_bytes: self.code_cache_bytes, ..Jit::default() };
        jit.set_tier(self.tier);
        jit.native = self.native.as_ref().and_then(|native| native.sibling().ok());
        jit.without_native = self.without_native;
        jit.listener = self.listener.clone();
        jit.without_passes = self.without_passes;
        jit.works = Arc::clone(&self.works);
        (jit.background, jit.timed) = (self.background, self.timed);
        jit.cpu = self.cpu.copy();
        jit
    }

    /// Doubles the process by `fork`, of whose result `is_child` tells whether this is the child. There the machine code is
    /// in memory of its own then.
    #[cfg(feature = "linux")]
    pub(crate) fn around_fork<R>(
        &mut self,
        fork: impl FnOnce() -> R,
        is_child: impl FnOnce(&R) -> bool,
    ) -> R {
        let held = self.works.hold();
        let (result, in_child, whole) = match &self.native {
            None => {
                let result = fork();
                let in_child = is_child(&result);
                (result, in_child, true)
            }
            Some(native) => {
                let mut in_child = false;
                let (result, whole) = native.around_fork(fork, |result| {
                    in_child = is_child(result);
                    in_child
                });
                (result, in_child, whole)
            }
        };
        if in_child {
            held.forget_thread();
        } else {
            drop(held);
        }
        if !whole {
            self.native = None;
        }
        result
    }

    /// Ends the thread that compiles, for as long as nothing new is found hot.
    #[cfg(feature = "linux")]
    pub(crate) fn be_single(&self) {
        self.works.end_thread();
    }

    /// Where other threads see what this engine is running.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Checks and prepares a block that the host passed in.
    fn prepare(&mut self, block: &IRBlock) -> Result<u32, Error> {
        verify::verify(block)?;
        if self.single.len() >= MAX_HOST_BLOCKS {
            self.single.clear();
            self.host_blocks.clear();
        }
        let code = self.single.add(block);
        self.host_blocks.insert(block.start_pc, (block.clone(), code));
        Ok(code)
    }

    /// What was counted so far: of regions and of code in the whole process, else for this hart.
    pub fn stats(&self) -> Stats {
        let native = self.native.as_ref();
        let mut stats = Stats {
            instructions: self.cpu.retired(),
            blocks_cached: self.cache.len() as u64,
            blocks_compiled: native.map_or(0, |native| native.size().0 as u64),
            code_bytes: native.map_or(0, |native| native.size().1 as u64),
            evictions: native.map_or(0, |native| native.evictions),
            ..self.stats
        };
        self.works.counts().show(&mut stats);
        if let Some(native) = native {
            stats.o0.add(&native.made);
            let [blocks, regions] = native.invalidated();
            stats.o0.invalidated = blocks;
            let level = if self.tier == Tier::O1 { &mut stats.o1 } else { &mut stats.o2 };
            level.invalidated = regions;
        }
        stats
    }
}

impl Default for Jit {
    fn default() -> Jit {
        Jit::new()
    }
}

/// The interpreter's blocks, which become hot as the tier wants it.
fn new_cache(tier: Tier) -> BlockCache {
    let mut cache = BlockCache::default();
    cache.set_hot(native::entries_before_code(tier).unwrap_or(crate::interp::code::NEVER));
    cache
}

impl ExecutionEngine for Jit {
    fn run(&mut self, mmu: &mut SoftMmu, block: &IRBlock) -> Result<ExecResult, Error> {
        let known =
            self.host_blocks.get(&block.start_pc).filter(|(known, _)| known == block).map(|&(_, code)| code);
        let code = match known {
            Some(code) => code,
            None => self.prepare(block)?,
        };
        // A block that was stopped by the watch over translated code could not be gone on with.
        mmu.release_all();
        let before = self.cpu.retired();
        let status = match self.single.run(&mut self.cpu, mmu, code) {
            Exit::Miss | Exit::Hot => ExecStatus::Continue,
            Exit::Return => ExecStatus::Returned,
            Exit::Syscall => ExecStatus::Syscall,
            Exit::SyncCode => ExecStatus::SyncCode,
            Exit::Trap(trap) => ExecStatus::Trap(trap),
            Exit::OutOfFuel => ExecStatus::OutOfFuel,
            Exit::Interrupted => ExecStatus::Interrupted,
        };
        let fuel_used = self.cpu.retired().wrapping_sub(before);
        Ok(ExecResult { status, next_pc: self.cpu.pc, fuel_used })
    }

    fn get_reg(&self, reg: RegId) -> u64 {
        self.cpu.regs[usize::from(reg)]
    }

    fn set_reg(&mut self, reg: RegId, value: u64) {
        if reg != 0 {
            self.cpu.regs[usize::from(reg)] = value;
        }
    }

    fn get_pc(&self) -> GuestAddr {
        self.cpu.pc
    }

    fn set_pc(&mut self, pc: GuestAddr) {
        self.cpu.pc = pc;
    }
}
