//! Code as the interpreter runs it: one stream of instructions for all blocks, and the index that finds a block.
//!
//! A block becomes: `Enter`, its operations without marks, its terminator, and one stub per direct successor. A
//! terminator names its successors by their place in the stream; at first that is its own stub, whose execution
//! finds or makes the successor and puts its place into the terminator. So the hot loop follows links without
//! asking whether they are there.
//!
//! Invariants:
//! - Blocks are only appended, and all forgotten at once, so a place cannot come to mean another block.
//! - Every place that an instruction names is inside the stream: stubs are appended with their terminator, and
//!   [`BlockCache::link`] takes places from this cache only.

use crate::base::{GuestAddr, PcMap, RegId};
use crate::ir::ops::{for_each_op, RoundMode};
use crate::ir::{Cond, IRBlock, IROp, Terminator};
use std::cell::Cell;

/// A place in the stream.
pub(super) type Place = u32;

macro_rules! define_inst {
    (
        constant { $($con:ident $mcon:literal $econ:ident $ccon:tt $dcon:literal;)* }
        unary { $($un:ident $mun:literal $eun:ident $cun:tt $dun:literal;)* }
        binary { $($bin:ident $mbin:literal $ebin:ident $cbin:tt $dbin:literal;)* }
        immediate { $($imm:ident $mimm:literal $eimm:ident $cimm:tt $dimm:literal;)* }
        load { $($ld:ident $mld:literal $eld:ident $cld:tt $dld:literal;)* }
        store { $($st:ident $mst:literal $est:ident $cst:tt $dst:literal;)* }
        float_unary { $($fu:ident $mfu:literal $efu:ident $cfu:tt $dfu:literal;)* }
        float_binary { $($fb:ident $mfb:literal $efb:ident $cfb:tt $dfb:literal;)* }
        float_ternary { $($ft:ident $mft:literal $eft:ident $cft:tt $dft:literal;)* }
        float_compare { $($fc:ident $mfc:literal $efc:ident $cfc:tt $dfc:literal;)* }
        atomic32 { $($a32:ident $ma32:literal $ea32:ident $ca32:tt $da32:literal;)* }
        atomic64 { $($a64:ident $ma64:literal $ea64:ident $ca64:tt $da64:literal;)* }
        reserve { $($lr:ident $mlr:literal $elr:ident $clr:tt $dlr:literal;)* }
        conditional { $($sc:ident $msc:literal $esc:ident $csc:tt $dsc:literal;)* }
        state_read { $($sr:ident $msr:literal $esr:ident $csr:tt $dsr:literal;)* }
        state_write { $($sw:ident $msw:literal $esw:ident $csw:tt $dsw:literal;)* }
        fence { $($fe:ident $mfe:literal $efe:ident $cfe:tt $dfe:literal;)* }
        mark { $($mk:ident $mmk:literal $emk:ident $cmk:tt $dmk:literal;)* }
    ) => {
        /// One instruction of the stream: the operations of the IR as they are (orders apart: the interpreter is always
        /// sequentially consistent), so that one jump finds the arm of each, and what begins and ends blocks.
        #[derive(Clone, Debug)]
        pub(super) enum Inst {
            $($con { dst: RegId, imm: i64 },)*
            $($un { dst: RegId, src: RegId },)*
            $($bin { dst: RegId, src1: RegId, src2: RegId },)*
            $($imm { dst: RegId, src: RegId, imm: i64 },)*
            $($ld { dst: RegId, base: RegId, offset: i64 },)*
            $($st { src: RegId, base: RegId, offset: i64 },)*
            $($fu { dst: RegId, src: RegId, rm: RoundMode },)*
            $($fb { dst: RegId, src1: RegId, src2: RegId, rm: RoundMode },)*
            $($ft { dst: RegId, src1: RegId, src2: RegId, src3: RegId, rm: RoundMode },)*
            $($fc { dst: RegId, src1: RegId, src2: RegId },)*
            $($a32 { dst: RegId, src: RegId, base: RegId },)*
            $($a64 { dst: RegId, src: RegId, base: RegId },)*
            $($lr { dst: RegId, base: RegId },)*
            $($sc { dst: RegId, src: RegId, base: RegId },)*
            $($sr { dst: RegId },)*
            $($sw { src: RegId },)*
            $($fe {  },)*
            /// Entry of a block: its fuel, and after how many entries it is hot.
            Enter { cost: u32, entries: Cell<u32> },
            /// A direct jump or call.
            Jump { next: Cell<Place> },
            /// A two-way branch; so are the following five.
            Eq { src1: RegId, src2: RegId, taken: Cell<Place>, next: Cell<Place> },
            Ne { src1: RegId, src2: RegId, taken: Cell<Place>, next: Cell<Place> },
            Lt { src1: RegId, src2: RegId, taken: Cell<Place>, next: Cell<Place> },
            Ge { src1: RegId, src2: RegId, taken: Cell<Place>, next: Cell<Place> },
            Ltu { src1: RegId, src2: RegId, taken: Cell<Place>, next: Cell<Place> },
            Geu { src1: RegId, src2: RegId, taken: Cell<Place>, next: Cell<Place> },
            /// A jump to `(base + offset) & !1`.
            Indirect { base: RegId, offset: i64 },
            /// Any other terminator of the block.
            Leave,
            /// A direct successor, of the block with this index, that is not linked yet: `taken` of a branch, or the only or
            /// fall-through one.
            Stub { code: u32, taken: bool },
        }

        impl Inst {
            /// The instruction of an operation; none for a mark.
            pub(super) fn of(op: IROp) -> Option<Inst> {
                Some(match op {
                    $(IROp::$con { dst, imm } => Inst::$con { dst, imm },)*
                    $(IROp::$un { dst, src } => Inst::$un { dst, src },)*
                    $(IROp::$bin { dst, src1, src2 } => Inst::$bin { dst, src1, src2 },)*
                    $(IROp::$imm { dst, src, imm } => Inst::$imm { dst, src, imm },)*
                    $(IROp::$ld { dst, base, offset } => Inst::$ld { dst, base, offset },)*
                    $(IROp::$st { src, base, offset } => Inst::$st { src, base, offset },)*
                    $(IROp::$fu { dst, src, rm } => Inst::$fu { dst, src, rm },)*
                    $(IROp::$fb { dst, src1, src2, rm } => Inst::$fb { dst, src1, src2, rm },)*
                    $(IROp::$ft { dst, src1, src2, src3, rm } => Inst::$ft { dst, src1, src2, src3, rm },)*
                    $(IROp::$fc { dst, src1, src2 } => Inst::$fc { dst, src1, src2 },)*
                    $(IROp::$a32 { dst, src, base, .. } => Inst::$a32 { dst, src, base },)*
                    $(IROp::$a64 { dst, src, base, .. } => Inst::$a64 { dst, src, base },)*
                    $(IROp::$lr { dst, base, .. } => Inst::$lr { dst, base },)*
                    $(IROp::$sc { dst, src, base, .. } => Inst::$sc { dst, src, base },)*
                    $(IROp::$sr { dst } => Inst::$sr { dst },)*
                    $(IROp::$sw { src } => Inst::$sw { src },)*
                    $(IROp::$fe {  } => Inst::$fe {  },)*
                    $(IROp::$mk { .. } => return None,)*
                })
            }
        }
    };
}

for_each_op!(define_inst);

const _: () = assert!(size_of::<Inst>() == 16);

/// What belongs to a block but not into the stream.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) start_pc: GuestAddr,
    pub(super) term: Terminator,
    /// Fuel that the whole block takes.
    pub(super) cost: u64,
    /// Place of its `Enter`.
    enter: Place,
    /// Place of its terminator.
    end: Place,
    /// Where this block's entries in `BlockCache::marks` begin and end.
    marks: (u32, u32),
}

/// Entries of the direct-mapped table in front of the map; a power of two.
const TABLE: usize = 1 << 10;
/// A guest address that no block begins at.
const NOWHERE: GuestAddr = GuestAddr::MAX;

/// All code of one hart.
#[derive(Debug)]
pub struct BlockCache {
    pub(super) stream: Vec<Inst>,
    /// By ascending place.
    codes: Vec<Code>,
    /// Of all blocks: place of the first operation of a guest instruction, and the low half of its address.
    marks: Vec<(Place, u32)>,
    /// Places of those that are so far from their block's start that its address does not say the upper half; whole
    /// addresses.
    far_marks: Vec<(Place, GuestAddr)>,
    by_pc: PcMap<Place>,
    /// Not there before the first block that is found by its address: an engine may never need it.
    table: Box<[Cell<(GuestAddr, Place)>]>,
    /// The stub that was run last, and the guest address of the successor that it waits for.
    pending: Option<(Place, GuestAddr)>,
    /// Entries after which a block is hot.
    hot: u32,
}

/// As good as never: a block that is entered so often without becoming hot has run for minutes.
pub const NEVER: u32 = u32::MAX;

/// The address nearest to `start` that has this low half.
fn whole(start: GuestAddr, low: u32) -> GuestAddr {
    let distance = low.wrapping_sub(start as u32).cast_signed();
    start.wrapping_add_signed(i64::from(distance))
}

impl Default for BlockCache {
    fn default() -> Self {
        BlockCache {
            stream: Vec::new(),
            codes: Vec::new(),
            marks: Vec::new(),
            far_marks: Vec::new(),
            by_pc: PcMap::default(),
            table: Box::default(),
            pending: None,
            hot: NEVER,
        }
    }
}

impl BlockCache {
    /// The place of the block that begins at `pc`.
    #[inline(always)]
    pub(super) fn find(&self, pc: GuestAddr) -> Option<Place> {
        // Instructions are at least two bytes apart.
        match self.table.get((pc >> 1) as usize % TABLE).map(Cell::get) {
            Some((at, place)) if at == pc => Some(place),
            _ => self.find_slowly(pc),
        }
    }

    #[cold]
    #[inline(never)]
    fn find_slowly(&self, pc: GuestAddr) -> Option<Place> {
        let place = *self.by_pc.get(&pc)?;
        self.table[(pc >> 1) as usize % TABLE].set((pc, place));
        Some(place)
    }

    /// Adds a block that [`BlockCache::find`] will find.
    pub fn insert(&mut self, block: &IRBlock) {
        if self.table.is_empty() {
            self.table = vec![const { Cell::new((NOWHERE, 0)) }; TABLE].into();
            // Growing to this piece by piece takes twice the memory, and touching memory is slow. What is not touched costs
            // nothing.
            self.stream.reserve(1 << 14);
            self.marks.reserve(1 << 13);
            self.codes.reserve(1 << 11);
            self.by_pc.reserve(800);
        }
        let place = self.append(block);
        self.by_pc.insert(block.start_pc, place);
    }

    /// Adds a block that only its place leads to.
    pub(super) fn append(&mut self, block: &IRBlock) -> Place {
        let (enter, first_mark) = (self.next_place(), self.marks.len() as u32);
        let cost = block.cost();
        self.stream.push(Inst::Enter {
            cost: u32::try_from(cost).unwrap_or(u32::MAX),
            entries: Cell::new(self.hot),
        });
        for op in &block.ops {
            match *op {
                IROp::Mark { pc } => self.mark(block.start_pc, pc),
                op => self.stream.extend(Inst::of(op)),
            }
        }
        let end = self.next_place();
        self.terminate(block.term, end);
        let marks = (first_mark, self.marks.len() as u32);
        self.codes.push(Code { start_pc: block.start_pc, term: block.term, cost, enter, end, marks });
        enter
    }

    /// A guest instruction begins here, at `pc`.
    fn mark(&mut self, start: GuestAddr, pc: GuestAddr) {
        let (place, low) = (self.next_place(), pc as u32);
        self.marks.push((place, low));
        if whole(start, low) != pc {
            self.far_marks.push((place, pc));
        }
    }

    /// Appends the terminator at place `end` and its stubs.
    fn terminate(&mut self, term: Terminator, end: Place) {
        let next = Cell::new(end + 1);
        let inst = match term {
            Terminator::Jump { .. } | Terminator::Call { .. } => Inst::Jump { next },
            Terminator::Branch { cond, src1, src2, .. } => {
                let taken = Cell::new(end + 2);
                match cond {
                    Cond::Eq => Inst::Eq { src1, src2, taken, next },
                    Cond::Ne => Inst::Ne { src1, src2, taken, next },
                    Cond::Lt => Inst::Lt { src1, src2, taken, next },
                    Cond::Ge => Inst::Ge { src1, src2, taken, next },
                    Cond::Ltu => Inst::Ltu { src1, src2, taken, next },
                    Cond::Geu => Inst::Geu { src1, src2, taken, next },
                }
            }
            Terminator::JumpIndirect { base, offset }
            | Terminator::CallIndirect { base, offset, .. }
            | Terminator::ReturnIndirect { base, offset } => Inst::Indirect { base, offset },
            _ => Inst::Leave,
        };
        self.stream.push(inst);
        // There are fewer blocks than places.
        let code = self.codes.len() as u32;
        if matches!(term, Terminator::Jump { .. } | Terminator::Call { .. } | Terminator::Branch { .. }) {
            self.stream.push(Inst::Stub { code, taken: false });
        }
        if let Terminator::Branch { .. } = term {
            self.stream.push(Inst::Stub { code, taken: true });
        }
    }

    fn next_place(&self) -> Place {
        // A stream of 2^32 instructions would take 64 GiB; the guest's code is at most 4 GiB and is translated once.
        self.stream.len() as Place
    }

    /// The block that holds a place.
    pub(super) fn code_at(&self, place: Place) -> Option<&Code> {
        let after = self.codes.partition_point(|code| code.enter <= place);
        self.codes.get(after.checked_sub(1)?)
    }

    /// Where execution stands at a place inside `code`: the address of its guest instruction, and the fuel that was
    /// used before that instruction.
    pub(super) fn position(&self, code: &Code, place: Place) -> (GuestAddr, u64) {
        let marks = &self.marks[code.marks.0 as usize..code.marks.1 as usize];
        let after = marks.partition_point(|&(first, _)| first <= place);
        match after.checked_sub(1) {
            Some(index) => (self.address(code, marks[index]), index as u64),
            // Before the first instruction nothing was used.
            None if !marks.is_empty() => (code.start_pc, 0),
            None => (code.start_pc, u64::from(place.saturating_sub(code.enter + 1))),
        }
    }

    /// The guest address of a mark.
    fn address(&self, code: &Code, (place, low): (Place, u32)) -> GuestAddr {
        match self.far_marks.binary_search_by_key(&place, |mark| mark.0) {
            Ok(index) => self.far_marks[index].1,
            Err(_) => whole(code.start_pc, low),
        }
    }

    /// The block that the stub at a place is of, and whether it is for `taken`.
    fn stub(&self, place: Place) -> Option<(&Code, bool)> {
        match self.stream.get(place as usize)? {
            &Inst::Stub { code, taken } => Some((self.codes.get(code as usize)?, taken)),
            _ => None,
        }
    }

    /// The guest address that the stub at a place leads to. The stub waits for [`BlockCache::link`] from here on.
    pub(super) fn stub_target(&mut self, place: Place) -> Option<GuestAddr> {
        let (code, taken) = self.stub(place)?;
        let target = match (code.term, taken) {
            (Terminator::Jump { target } | Terminator::Call { target, .. }, _) => target,
            (Terminator::Branch { taken, .. }, true) => taken,
            (Terminator::Branch { fallthrough, .. }, false) => fallthrough,
            _ => return None,
        };
        self.pending = Some((place, target));
        Some(target)
    }

    /// Gives the stub that waits its successor, if it waits for the block at `pc`, whose place is `to`.
    pub(super) fn link(&mut self, pc: GuestAddr, to: Place) {
        let Some((place, _)) = self.pending.take().filter(|&(_, target)| target == pc) else { return };
        let Some((code, is_taken)) = self.stub(place) else { return };
        match &self.stream[code.end as usize] {
            Inst::Jump { next } => next.set(to),
            Inst::Eq { taken, next, .. }
            | Inst::Ne { taken, next, .. }
            | Inst::Lt { taken, next, .. }
            | Inst::Ge { taken, next, .. }
            | Inst::Ltu { taken, next, .. }
            | Inst::Geu { taken, next, .. } => if is_taken { taken } else { next }.set(to),
            _ => {}
        }
    }

    /// Sets after how many entries a block that is added from now on is hot, at least 1.
    pub fn set_hot(&mut self, entries: u32) {
        self.hot = entries.max(1);
    }

    /// Lets the block at `pc`, which is hot, run `entries` times more before it is hot again.
    pub fn cool(&self, pc: GuestAddr, entries: u32) {
        if let Some(Inst::Enter { entries: left, .. }) =
            self.find(pc).map(|place| &self.stream[place as usize])
        {
            left.set(entries.max(1));
        }
    }

    /// Whether the block that begins at `pc` is here.
    pub fn contains(&self, pc: GuestAddr) -> bool {
        self.find(pc).is_some()
    }

    /// Forgets all blocks, but keeps the memory for others.
    pub fn clear(&mut self) {
        self.stream.clear();
        self.codes.clear();
        self.marks.clear();
        self.far_marks.clear();
        self.by_pc.clear();
        self.table.iter().for_each(|entry| entry.set((NOWHERE, 0)));
        self.pending = None;
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::parse;

    #[test]
    fn positions_come_from_the_marks() {
        let mut cache = BlockCache::default();
        cache.append(&IRBlock { start_pc: 8, ops: vec![], term: Terminator::Return });
        let text = "block 0x10 {\nmark 0x10\ncopy x1, x2\nmark 0x12\nmark 0x16\ncopy x1, x2\ncopy x3, x2\nbreakpoint\n}";
        let enter = cache.append(&parse(text).unwrap()[0]);
        let code = cache.code_at(enter + 2).unwrap();
        assert_eq!((code.start_pc, code.cost), (0x10, 3));
        assert_eq!(cache.position(code, enter + 1), (0x10, 0));
        assert_eq!(cache.position(code, enter + 2), (0x16, 2));
        assert_eq!(cache.position(code, enter + 4), (0x16, 2));
        // What stands before the first instruction costs nothing.
        let text = "block 0x20 {\ncopy x1, x2\ncopy x3, x2\ncopy x4, x2\nmark 0x20\nbreakpoint\n}";
        let enter = cache.append(&parse(text).unwrap()[0]);
        let code = cache.code_at(enter + 2).unwrap();
        assert_eq!((code.cost, cache.position(code, enter + 3)), (1, (0x20, 0)));
    }

    #[test]
    fn instructions_of_a_block_can_be_anywhere() {
        let mut cache = BlockCache::default();
        let pcs = [0x16, 0xffff_ffff_ffff_fff0, 0x7fff_0000, 0x8000_0016, 0x9000_0000_0000, 0x18];
        let ops = pcs.iter().flat_map(|&pc| [IROp::Mark { pc }, IROp::Copy { dst: 1, src: 2 }]).collect();
        let enter = cache.append(&IRBlock { start_pc: 0x16, ops, term: Terminator::Return });
        let code = cache.code_at(enter).unwrap();
        for (index, place) in (enter + 1..).take(pcs.len()).enumerate() {
            assert_eq!(cache.position(code, place), (pcs[index], index as u64));
        }
    }

    #[test]
    fn blocks_that_share_a_table_slot_are_both_found() {
        let mut cache = BlockCache::default();
        let block = |start_pc| IRBlock { start_pc, ops: vec![], term: Terminator::Return };
        let far = (TABLE as u64) * 2;
        cache.insert(&block(0x100));
        cache.insert(&block(0x100 + far));
        let (a, b) = (cache.find(0x100), cache.find(0x100 + far));
        assert!(a.is_some() && b.is_some() && a != b && cache.find(0x100) == a);
        cache.clear();
        assert_eq!(cache.find(0x100), None);
    }
}
