//! Pieces: the parts that the live interval of a value is split into. Each has one place all its life.
//!
//! Invariants: the pieces of a value are in a list in ascending order, do not overlap, and together cover its ranges. A
//! piece that begins in a register without being the value's definition begins at the `4i` of an instruction, because
//! that is where moves are made. A piece in memory may begin anywhere: the slot has been written before.

use super::live::{Live, UsePoint, Wish, NONE};

/// The place of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Not yet decided.
    Waiting,
    /// A register of the value's class, by number.
    Register(u8),
    Memory,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub value: u32,
    /// First position, and the one behind the last.
    pub start: u32,
    pub end: u32,
    /// The first range that ends behind the position where the scan is. It may begin before `start` and end behind `end`.
    pub range: u32,
    /// The first use at or behind the position where the scan is.
    pub next_use: u32,
    /// Position of the read before `next_use`, or `NONE`.
    pub last_read: u32,
    /// Next piece of the value.
    pub next: u32,
    pub place: Place,
    /// Arrives in its register: the place must stay.
    pub pinned: bool,
}

/// The first position that two pieces share, or `NONE`.
pub(super) fn intersection(a: &Piece, b: &Piece, live: &Live) -> u32 {
    let (low, high) = (a.start.max(b.start), a.end.min(b.end));
    let (mut i, mut j) = (a.range, b.range);
    while let (Some(x), Some(y)) = (live.ranges.get(i as usize), live.ranges.get(j as usize)) {
        let start = x.start.max(y.start).max(low);
        if start >= high {
            break;
        }
        if start < x.end.min(y.end) {
            return start;
        }
        if x.end <= y.end {
            i = x.next;
        } else {
            j = y.next;
        }
    }
    NONE
}

/// Lets the cursors of a piece pass all that lies before `position`.
pub(super) fn advance(piece: &mut Piece, position: u32, live: &Live) {
    while let Some(range) = live.ranges.get(piece.range as usize).filter(|range| range.end <= position) {
        piece.range = range.next;
    }
    while let Some(point) = live.uses.get(piece.next_use as usize).filter(|point| point.position < position) {
        if point.wish == Wish::Read {
            piece.last_read = point.position;
        }
        piece.next_use = point.next;
    }
}

/// Splits a piece at a position inside it; returns the later part, which waits. If the value is dead at `position`, the
/// later part begins where it is live again.
pub(super) fn split(pieces: &mut Vec<Piece>, index: u32, position: u32, live: &Live) -> u32 {
    let new = pieces.len() as u32;
    let old = &mut pieces[index as usize];
    let mut later = Piece { start: position, place: Place::Waiting, pinned: false, ..*old };
    let mut end = old.start;
    let mut range = live.ranges[later.range as usize];
    while range.end <= position {
        end = range.end;
        later.range = range.next;
        range = live.ranges[later.range as usize];
    }
    later.start = position.max(range.start);
    old.end = if range.start < position { position } else { end };
    old.next = new;
    let start = later.start;
    advance(&mut later, start, live);
    pieces.push(later);
    new
}

/// The uses of a piece from its cursor on.
pub(super) fn uses<'a>(piece: &Piece, live: &'a Live) -> impl Iterator<Item = &'a UsePoint> + 'a {
    let end = piece.end;
    let mut next = piece.next_use;
    std::iter::from_fn(move || {
        let point = live.uses.get(next as usize).filter(|point| point.position < end)?;
        next = point.next;
        Some(point)
    })
}

/// The first use at or behind `from` that it would cost something not to have in a register. A jump back to a position
/// counts if the piece was in its register there already and has been read since.
pub(super) fn next_use<'a>(piece: &Piece, from: u32, live: &'a Live) -> Option<&'a UsePoint> {
    let mut last = piece.last_read;
    for point in uses(piece, live) {
        let counts = match point.wish {
            Wish::Read | Wish::Argument => true,
            Wish::Again(begin) => piece.start <= begin && last != NONE && last >= begin,
        };
        if counts && point.position >= from {
            return Some(point);
        }
        if point.wish == Wish::Read {
            last = point.position;
        }
    }
    None
}
