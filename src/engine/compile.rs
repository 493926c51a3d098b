//! From a recording to code that runs: the steps, in whatever thread they are done.
//!
//! ```text
//!   Order ──choose──► Region ──build──► Func ──passes──► Func ──compile_unit──► UnitObject ──publish──► replaces the head's code
//! ```

use super::hot::limits;
use super::queue::Queue;
use super::report::{Listener, RegionReport};
use super::stats::GaveUp;
use super::Tier;
use crate::base::GuestAddr;
use crate::cache::shared::Generation;
use crate::cache::Refusal;
use crate::codegen::x64::unit::{compile_unit, mapped, Probe, UnitObject};
use crate::codegen::x64::Request;
use crate::codegen::Bail;
use crate::opt::build::{build, Host, Unbuilt};
use crate::opt::func::Func;
use crate::opt::passes::{run_with, Level, Without};
use crate::opt::peel::whole;
use crate::opt::region::{form, NoRegion, Recording, Region};
use crate::regalloc::Allocator;
use crate::sys::host;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

/// What choosing a region, and compiling one guest instruction of it, take, in guest instructions that FastJit's code could
/// run meanwhile.
pub(super) const FORMING: u64 = 2_000_000;
const COMPILING: u64 = 20_000;

/// A recording of which a region is to be made, with all that this needs.
#[derive(Debug)]
pub(super) struct Order {
    pub recording: Recording,
    /// How often the block that it begins with was sampled.
    pub samples: u32,
    /// It is recorded from once more, though it is in a region: for a larger one.
    pub again: bool,
    pub tier: Tier,
    /// For what the code is; units number their links from 0.
    pub request: Request,
    pub without: Without,
    /// Is told of the region: its form after each pass, and its code.
    pub listener: Option<Listener>,
    /// The code that it becomes part of, and its number: another one means other code.
    pub generation: Weak<Generation>,
    pub number: u64,
    /// What this took, in the unit of [`FORMING`], for the hart that asked for it.
    pub spent: Arc<Spent>,
}

/// What a hart's search for hot code took.
#[derive(Debug, Default)]
pub(super) struct Spent {
    instructions: AtomicU64,
    fruitless: AtomicU64,
}

impl Spent {
    /// In the unit of [`FORMING`], by estimate.
    pub fn instructions(&self) -> u64 {
        self.instructions.load(Ordering::Relaxed)
    }

    /// Recordings of late that no region was chosen from.
    pub fn fruitless(&self) -> u64 {
        self.fruitless.load(Ordering::Relaxed)
    }

    /// Adds to what it took.
    pub fn add(&self, instructions: u64) {
        self.instructions.fetch_add(instructions, Ordering::Relaxed);
    }

    /// Counts a recording.
    fn is_over(&self, has_region: bool) {
        let fruitless = if has_region { 0 } else { self.fruitless() + 1 };
        self.fruitless.store(fruitless, Ordering::Relaxed);
    }
}

impl Order {
    /// Address of the first block that was recorded.
    pub fn first(&self) -> Option<GuestAddr> {
        self.recording.blocks.first().map(|block| block.start_pc)
    }

    /// Chooses the region, or a better one than there is for the block.
    ///
    /// # Errors
    /// The reason why there is none.
    pub fn choose(&mut self, queue: &Queue) -> Result<Region, NoRegion> {
        let begun = thread_time();
        let chosen = self.form(queue);
        self.spent.is_over(chosen.is_ok());
        queue.count(|counts| {
            counts.forming_nanoseconds += thread_time() - begun;
            match &chosen {
                Ok(_) => counts.regions_formed += 1,
                Err(why) => counts.regions_refused.count(*why),
            }
        });
        chosen
    }

    fn form(&mut self, queue: &Queue) -> Result<Region, NoRegion> {
        let limits = limits(self.tier);
        let region = match queue.again(self.number, &self.recording) {
            None => {
                self.spent.add(FORMING);
                form(&self.recording, &limits, &|pc| queue.is_head(self.number, pc))?
            }
            Some(None) => return Err(NoRegion::Cold),
            // The guest does something else there now, or there is a larger region around that one.
            Some(Some(again)) => {
                self.spent.add(FORMING);
                let region = form(&again.recording, &limits, &|_| false)?;
                if !again.is_worse_than(&region) {
                    return Err(NoRegion::Cold);
                }
                self.recording = again.recording;
                region
            }
        };
        match queue.note(self.number, &region, &self.recording) {
            true => Ok(region),
            false => Err(NoRegion::Stale),
        }
    }

    /// Makes code of a region, which replaces that of its entries, and counts that.
    pub fn finish(&self, region: &Region, queue: &Queue, allocator: &mut Allocator) {
        let begun = thread_time();
        let made = self.make(region, allocator).and_then(|object| {
            let sizes =
                [object.bytes.len(), object.recipes.len(), object.recipes.bytes()].map(|size| size as u64);
            let generation = self.generation.upgrade().ok_or(GaveUp::Stale)?;
            let replaced = generation.add_unit(self.number, object).map_err(GaveUp::from)?;
            Ok((sizes, replaced))
        });
        let instructions: u64 =
            region.blocks.iter().map(|block| self.recording.blocks[block.block].cost()).sum();
        queue.count(|counts| {
            let tier = counts.tier(self.tier);
            tier.nanoseconds += thread_time() - begun;
            match made {
                Ok(([bytes, recipes, recipe_bytes], replaced)) => {
                    tier.recipes += recipes;
                    tier.recipe_bytes += recipe_bytes;
                    tier.units += 1;
                    tier.instructions += instructions;
                    tier.code_bytes += bytes;
                    tier.replaced += replaced.units;
                    counts.o0.replaced += replaced.blocks;
                }
                Err(why) => tier.gave_up.count(why),
            }
        });
    }

    fn make(&self, region: &Region, allocator: &mut Allocator) -> Result<UnitObject, GaveUp> {
        let mut probe = Probe::new(self.request.features);
        let host = Host { has_code: &mut |op| probe.has_code(op), mapped: &mapped() };
        let region = whole(&self.recording, region.clone());
        let mut func = build(&self.recording, &region, host).map_err(GaveUp::from)?;
        self.spent.add(func.cost() * COMPILING);
        let level = if self.tier == Tier::O1 { Level::O1 } else { Level::O2 };
        let mut report = self.listener.is_some().then(|| RegionReport::new(&self.recording, &region));
        report.iter_mut().for_each(|report| report.built(&func));
        let mut after =
            |pass: &str, func: &Func| report.iter_mut().for_each(|report| report.after(pass, func));
        if let Err(broken) = run_with(&mut func, level, self.without, cfg!(debug_assertions), &mut after) {
            debug_assert!(false, "{broken:?}");
            return Err(GaveUp::Broken);
        }
        let request = Request { listing: self.listener.is_some(), ..self.request };
        let object = compile_unit(&func, allocator, &request);
        if let (Some(listener), Some(mut report)) = (&self.listener, report) {
            report.code = match &object {
                Ok(object) => object.listing.clone(),
                Err(why) => format!("no code: {why:?}\n"),
            };
            listener.tell(&report);
        }
        object.map_err(GaveUp::from)
    }
}

/// Nanoseconds of processor time that this thread has used.
fn thread_time() -> u64 {
    let (seconds, nanoseconds) = host::clock(libc::CLOCK_THREAD_CPUTIME_ID).unwrap_or_default();
    (seconds * 1_000_000_000 + nanoseconds).cast_unsigned()
}

/// Nanoseconds since then.
pub(super) fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

impl From<Unbuilt> for GaveUp {
    fn from(why: Unbuilt) -> GaveUp {
        match why {
            Unbuilt::NoCode => GaveUp::NoCode,
            Unbuilt::NoMarks => GaveUp::NoMarks,
        }
    }
}

impl From<Bail> for GaveUp {
    fn from(why: Bail) -> GaveUp {
        match why {
            Bail::Assembler(_) => GaveUp::Assembler,
            Bail::TooLarge => GaveUp::TooLarge,
            Bail::Registers => GaveUp::Registers,
            Bail::Operation => GaveUp::Operation,
            Bail::State => GaveUp::State,
        }
    }
}

impl From<Refusal> for GaveUp {
    fn from(why: Refusal) -> GaveUp {
        match why {
            Refusal::Bail(bail) => bail.into(),
            Refusal::Full => GaveUp::Full,
            Refusal::Stale => GaveUp::Stale,
        }
    }
}
