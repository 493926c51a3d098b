//! The regions that were made, and what each was made of: whether one still holds what runs, and what is known when it does not.

use crate::base::GuestAddr;
use crate::opt::region::{Recording, Region};

/// Most recordings that are kept, those of the newest regions.
const KEPT: usize = 16;
/// Most blocks of a kept recording.
const LONGEST: usize = 3000;
/// Guest instructions that run in a region each time it is entered, of one that needs no better.
const ENOUGH: u64 = 200;
/// What entering costs, in guest instructions.
const ENTRY: u64 = 8;

/// A region.
#[derive(Debug)]
struct Made {
    head: GuestAddr,
    /// The addresses of its blocks in ascending order.
    blocks: Vec<GuestAddr>,
    /// What it was chosen from; empty if that is forgotten.
    recording: Recording,
}

/// All regions, the newest last.
#[derive(Debug, Default)]
pub(super) struct Regions(Vec<Made>);

/// The region that has a block, seen in the light of a new recording that begins there.
pub(super) struct Again {
    at: usize,
    /// That recording behind the one which the region was chosen from: phases of the guest that follow each other.
    pub recording: Recording,
    /// What the region gains in both.
    gain: u64,
}

impl Regions {
    /// Whether the block is the head of one.
    pub fn has_head(&self, pc: GuestAddr) -> bool {
        self.0.iter().any(|made| made.head == pc)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// A region that has the recording's first block. `None`: there is none. `Some(None)`: it holds what runs.
    pub fn again(&self, recording: &Recording) -> Option<Option<Again>> {
        let first = recording.blocks.first()?.start_pc;
        let at = self.0.iter().rposition(|made| made.blocks.binary_search(&first).is_ok())?;
        let made = &self.0[at];
        let (inside, entries) = recording.inside(&made.blocks);
        if inside >= ENOUGH * entries {
            return Some(None);
        }
        let mut all = made.recording.clone();
        all.append(recording);
        let (inside, entries) = all.inside(&made.blocks);
        Some(Some(Again { at, recording: all, gain: inside.saturating_sub(entries * ENTRY) }))
    }

    /// Whether a region is better than the one that there was.
    pub fn is_better(&self, again: &Again, region: &Region) -> bool {
        let gain = region.covered.saturating_sub(region.entries * ENTRY);
        gain > again.gain + again.gain / 8
    }

    /// Remembers what was recorded anew.
    pub fn extend(&mut self, again: &Again) {
        if let Some(made) = self.0.get_mut(again.at) {
            made.recording = again.recording.thinned(LONGEST);
        }
    }

    /// Notes a region.
    pub fn add(&mut self, region: &Region, recording: &Recording) {
        let Some(head) = region.head(recording) else { return };
        let blocks = region.blocks.iter().filter_map(|block| recording.blocks.get(block.block));
        let mut blocks: Vec<GuestAddr> = blocks.map(|block| block.start_pc).collect();
        blocks.sort_unstable();
        self.0.retain(|made| made.head != head);
        self.0.push(Made { head, blocks, recording: recording.thinned(LONGEST) });
        if let Some(old) = self.0.len().checked_sub(KEPT + 1) {
            self.0[old].recording = Recording::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Cond, IRBlock, Terminator};
    use crate::opt::region::{form, Limits};

    /// A loop at 0x10 whose turns go by 0x20 or by 0x30.
    fn phase(by: u64) -> Recording {
        let block = |start_pc, term| IRBlock { start_pc, ops: Vec::new(), term };
        let head = Terminator::Branch { cond: Cond::Eq, src1: 10, src2: 0, taken: 0x30, fallthrough: 0x20 };
        let blocks = vec![block(0x10, head), block(by, Terminator::Jump { target: 0x10 })];
        Recording { blocks, sequence: [0, 1].repeat(400) }
    }

    #[test]
    fn phases_add_up_to_one_region() {
        let mut regions = Regions::default();
        let first = phase(0x20);
        assert!(regions.again(&first).is_none());
        let region = form(&first, &Limits::default(), &|_| false).unwrap();
        regions.add(&region, &first);
        assert!(regions.has_head(0x10) && !regions.has_head(0x20));
        // It holds all of what it was made of, and nothing of the second phase.
        assert!(matches!(regions.again(&first), Some(None)));
        let again = regions.again(&phase(0x30)).unwrap().unwrap();
        let both = form(&again.recording, &Limits::default(), &|_| false).unwrap();
        assert_eq!(both.blocks.len(), 3);
        assert!(regions.is_better(&again, &both));
        regions.extend(&again);
        regions.add(&both, &again.recording);
        assert!(matches!(regions.again(&phase(0x30)), Some(None)));
        regions.clear();
        assert!(!regions.has_head(0x10));
    }

    #[test]
    fn a_recording_is_thinned_evenly() {
        let mut all = phase(0x20);
        (0..4).for_each(|_| all.append(&phase(0x30)));
        assert_eq!((all.blocks.len(), all.sequence.len()), (3, 4000));
        let some = all.thinned(LONGEST);
        assert!(some.sequence.len() <= LONGEST && some.sequence.len() >= LONGEST / 2);
        assert!((0..3).all(|block| some.sequence.contains(&block)));
        assert_eq!(all.inside(&[0x10, 0x20]), (400 + 2000, 1600));
    }
}
