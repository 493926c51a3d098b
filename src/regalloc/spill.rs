//! Who goes to memory, from where on, and where it comes back.
//!
//! The measure of all decisions is what a register is worth to a piece: the cost of not having it until the next use,
//! per position until then. Costs are frequencies of blocks: one for a load or a use in memory, one for a store at the
//! definition unless the value is in memory anyway.

use super::live::{Wish, NONE, STEP};
use super::piece::{next_use, split, uses, Place};
use super::scan::{Input, Scan};
use super::Location;

/// Where a piece ends that has its register for a while only.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    /// The rest is decided on later.
    Wait(u32),
    /// The rest is in memory at first.
    Spill(u32),
}

/// How often a move runs that is made at `position`. Between two blocks it runs on the edges, about as often as the
/// less frequent of them.
fn weight_at(input: Input<'_>, position: u32) -> f32 {
    let block = input.live.block_at(position);
    let mut frequency = input.function.blocks[block].frequency;
    if block > 0 && input.live.begins_block(position) {
        frequency = frequency.min(input.function.blocks[block - 1].frequency);
    }
    frequency as f32
}

/// The position behind `low` and up to `high` where a split costs least, and its cost; the latest if several do.
fn best_split(input: Input<'_>, low: u32, high: u32) -> (u32, f32) {
    let mut best = (high, weight_at(input, high));
    let (first, last) = (input.live.block_at(low), input.live.block_at(high));
    for block in (first + 1..=last).rev() {
        let position = input.function.blocks[block].instructions.start * STEP;
        let weight = weight_at(input, position);
        if weight < best.1 {
            best = (position, weight);
        }
    }
    best
}

impl Scan {
    /// What its register is worth to a piece at `now`, if uses before `from` do not count.
    pub(super) fn value_of_register(&self, input: Input<'_>, index: u32, now: u32, from: u32) -> f32 {
        let piece = &self.pieces[index as usize];
        let definition = input.live.definitions[piece.value as usize];
        let in_memory =
            self.values[piece.value as usize].spilled || matches!(definition.fixed, Location::Slot(_));
        let store = if in_memory || definition.position == NONE {
            0.0
        } else {
            input.function.blocks[input.live.block_at(definition.position)].frequency as f32
        };
        match next_use(piece, from, input.live) {
            Some(point) => (store + point.weight) / (point.position - now).max(1) as f32,
            None => store / (piece.end - now).max(1) as f32,
        }
    }

    /// Whether loading a piece costs less than its reads in memory.
    pub(super) fn pays(&self, input: Input<'_>, current: u32) -> bool {
        let piece = &self.pieces[current as usize];
        let mut reads = uses(piece, input.live).filter(|point| point.wish == Wish::Read);
        reads.next().is_some_and(|first| first.reads > weight_at(input, piece.start))
    }

    /// Puts a piece into memory until it is worth a register again, behind `now`.
    pub(super) fn spill(&mut self, input: Input<'_>, index: u32, now: u32) {
        let piece = &mut self.pieces[index as usize];
        piece.place = Place::Memory;
        self.values[piece.value as usize].spilled = true;
        let low = now.max(piece.start);
        let mut back = None;
        for point in uses(piece, input.live).filter(|point| point.wish == Wish::Read) {
            let high = point.position / STEP * STEP;
            if high <= low {
                continue;
            }
            let (position, weight) = best_split(input, low, high);
            if point.reads > weight {
                back = Some(position);
                break;
            }
        }
        if let Some(position) = back {
            let later = split(&mut self.pieces, index, position, input.live);
            self.wait(later);
        }
    }

    /// Takes its register from a piece that is live at `now`: from the cheapest position after its last read on, or from
    /// its start if it has not been read.
    pub(super) fn evict(&mut self, input: Input<'_>, index: u32, now: u32) {
        let piece = self.pieces[index as usize];
        let read = piece.last_read != NONE && piece.last_read >= piece.start;
        if piece.start == now {
            return self.spill(input, index, now);
        }
        let low = if read { piece.last_read } else { piece.start };
        let (position, weight) = best_split(input, low, now);
        let whole = !self.defines(input.live, index) || weight_at(input, piece.start) <= weight;
        if !read && !piece.pinned && whole {
            return self.spill(input, index, now);
        }
        let later = split_behind(self, input, index, position);
        self.spill(input, later, now);
    }

    /// Where to cut a piece that has its register until `limit`.
    pub(super) fn cut(&self, input: Input<'_>, index: u32, limit: u32, now: u32) -> Cut {
        let piece = &self.pieces[index as usize];
        let reads = uses(piece, input.live).filter(|point| point.wish == Wish::Read);
        let last = reads.take_while(|point| point.position < limit).last();
        let (low, high) = (last.map_or(now, |point| point.position.max(now)), limit / STEP * STEP);
        if high <= low {
            return Cut::Spill(limit);
        }
        Cut::Wait(best_split(input, low, high).0)
    }
}

/// Splits a piece whose cursors may have passed the position. They only move forwards, so the later part starts with
/// those of the whole.
fn split_behind(scan: &mut Scan, input: Input<'_>, index: u32, position: u32) -> u32 {
    let piece = &mut scan.pieces[index as usize];
    let value = piece.value as usize;
    let mut range = input.live.first_range[value];
    while let Some(one) = input.live.ranges.get(range as usize).filter(|one| one.end <= piece.start) {
        range = one.next;
    }
    piece.range = range;
    split(&mut scan.pieces, index, position, input.live)
}
