//! Peeling: what a region does before it comes back to its head is there twice, and the head is entered in the first copy.
//! Registers come from outside with values of which nothing is known; in the second copy they come from the region.

use super::region::{Edge, EdgeKind, Recording, Region, RegionBlock};
use super::unroll::unroll;
use crate::base::GuestAddr;
use crate::ir::Terminator;

/// Guest instructions beyond which a region is not peeled.
const LARGEST: u64 = 250;

/// A region as it is compiled: complete, peeled and unrolled if that is worth it.
pub fn whole(recording: &Recording, region: Region) -> Region {
    let mut region = region;
    complete(recording, &mut region);
    unroll(recording, peel(recording, region))
}

/// Makes a region complete: what leads from one of its blocks to another, however seldom, is an edge.
pub fn complete(recording: &Recording, region: &mut Region) {
    let known: Vec<(GuestAddr, Vec<GuestAddr>)> = region
        .blocks
        .iter()
        .map(|block| (recording.blocks[block.block].start_pc, block.frames.clone()))
        .collect();
    for block in &mut region.blocks {
        let (one, other) = match recording.blocks[block.block].term {
            Terminator::Jump { target } => (Some(target), None),
            Terminator::Branch { taken, fallthrough, .. } => (Some(taken), Some(fallthrough)),
            _ => (None, None),
        };
        for pc in one.into_iter().chain(other) {
            if block.edges.iter().any(|edge| edge.pc == pc) {
                continue;
            }
            let inside = known.iter().position(|(at, frames)| *at == pc && *frames == block.frames);
            block.edges.extend(inside.map(|to| Edge { kind: EdgeKind::Goes, pc, to, count: 0 }));
        }
    }
}

/// Peels a region if its head is in a loop and it is small.
fn peel(recording: &Recording, region: Region) -> Region {
    let goes_to_head =
        |block: &RegionBlock| block.edges.iter().any(|edge| edge.to == 0 && edge.kind == EdgeKind::Goes);
    let cost: u64 = region.blocks.iter().map(|block| recording.blocks[block.block].cost()).sum();
    if cost > LARGEST || !region.blocks.iter().any(goes_to_head) {
        return region;
    }
    let size = region.blocks.len();
    let mut blocks = Vec::with_capacity(2 * size);
    for (index, block) in region.blocks.iter().enumerate() {
        let mut copy = block.clone();
        // What is behind a call that leaves the region is entered in the second copy.
        copy.entry = index == 0;
        copy.count = (block.count >> 4).max(1);
        for edge in &mut copy.edges {
            match edge.kind {
                EdgeKind::Goes if edge.to == 0 => edge.to = size,
                EdgeKind::Returns if edge.to != 0 => edge.to += size,
                _ => {}
            }
        }
        blocks.push(copy);
    }
    let Region { score, covered, entries, .. } = region;
    for (index, block) in region.blocks.into_iter().enumerate() {
        let mut block = block;
        block.entry &= index != 0;
        let inside = block.edges.iter_mut().filter(|edge| edge.kind == EdgeKind::Goes || edge.to != 0);
        inside.for_each(|edge| edge.to += size);
        blocks.push(block);
    }
    Region { blocks, score, covered, entries }
}
