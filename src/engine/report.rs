//! What is told of each region that is compiled, to whoever asks.

use crate::base::GuestAddr;
use crate::ir::IROp;
use crate::opt::func::Func;
use crate::opt::region::{Recording, Region};
use crate::opt::text::show;
use std::fmt::{self, Write};
use std::sync::Arc;

/// A region through all stages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegionReport {
    /// Guest address of the block that its code replaces.
    pub head: GuestAddr,
    /// Where its blocks lie in the guest's memory: first address and end of each, ascending, those that are in it several times
    /// once.
    pub blocks: Vec<(GuestAddr, GuestAddr)>,
    /// Its SSA form as it was built and after each pass.
    pub forms: String,
    /// Its code, or why there is none.
    pub code: String,
}

/// An instruction has at most so many bytes.
const LONGEST: u64 = 4;

impl RegionReport {
    pub(super) fn new(recording: &Recording, region: &Region) -> RegionReport {
        let extent = |index: usize| {
            let block = &recording.blocks[index];
            let last =
                block
                    .ops
                    .iter()
                    .rev()
                    .find_map(|op| if let IROp::Mark { pc } = *op { Some(pc) } else { None });
            (block.start_pc, last.unwrap_or(block.start_pc).wrapping_add(LONGEST))
        };
        let mut blocks: Vec<_> = region.blocks.iter().map(|block| extent(block.block)).collect();
        blocks.sort_unstable();
        blocks.dedup();
        RegionReport { head: region.head(recording).unwrap_or(0), blocks, ..RegionReport::default() }
    }

    pub(super) fn built(&mut self, func: &Func) {
        let _ = write!(self.forms, "region {:#x}, as it was built\n{}", self.head, show(func));
    }

    pub(super) fn after(&mut self, pass: &str, func: &Func) {
        let _ = write!(self.forms, "after {pass}\n{}", show(func));
    }

    /// Whether one of its blocks touches the addresses from `from` up to `to`.
    pub fn touches(&self, from: GuestAddr, to: GuestAddr) -> bool {
        self.blocks.iter().any(|&(start, end)| start < to && from < end)
    }
}

/// Whoever is told.
#[derive(Clone)]
pub struct Listener(Arc<dyn Fn(&RegionReport) + Send + Sync>);

impl Listener {
    /// `tell` is called in the thread that compiles.
    pub fn new(tell: impl Fn(&RegionReport) + Send + Sync + 'static) -> Listener {
        Listener(Arc::new(tell))
    }

    /// Tells of a region.
    pub fn tell(&self, report: &RegionReport) {
        (self.0)(report);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}
