//! The code cache: machine code of blocks, published, found by guest address, linked, and dropped all at once. One thread
//! at a time changes it; `shared` has the lock, and what threads see without it.
//!
//! Invariants:
//! - A link leads to the entry of a block of this cache, or to its own stub.
//! - Operations that code points at live as long as the code.
//!
//! Nothing outside may keep an address of code across [`CodeCache::clear`]: its caller
//! empties the return stack and the targets of indirect jumps.

mod index;
mod notes;
pub mod shared;
mod targets;

use crate::asm::x64::CpuFeatures;
use crate::base::error::Error;
use crate::base::state::HostSlots;
use crate::base::GuestAddr;
use crate::codegen::x64::unit::{Recipe, Recipes, UnitObject};
use crate::codegen::x64::{Compiler, Request, Thunks, FUEL_REGISTER};
use crate::codegen::{Bail, Memory, Repair};
use crate::ir::{IRBlock, IROp};
use crate::sys::enter;
use crate::sys::exec_mem::CodeArena;
use index::Index;
use std::fs::File;
use std::sync::Arc;
pub use targets::Targets;

/// A block's code.
#[derive(Debug)]
struct Block {
    pc: GuestAddr,
    /// Bytes of code of the blocks before it. So the offset of a byte in the code of all blocks is a number in the order in
    /// which tables have it, wherever the two parts of a block are.
    start: u32,
    /// Places in the arena of what is likely to run and of the rest, and the lengths of both.
    places: [u32; 2],
    lengths: [u32; 2],
    cost: u32,
    /// Where its part of `CodeCache::notes` begins; it ends where the next block's begins.
    notes: u32,
}

impl Block {
    /// Where the code of the next one begins, in that of all.
    fn end(&self) -> u32 {
        self.start + self.lengths[0] + self.lengths[1]
    }
}

/// Where generated code stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Address of the guest instruction.
    pub pc: GuestAddr,
    /// Fuel that the block took at its entry and that is to be given back: the instruction itself and all behind it.
    pub unused: u64,
    /// `CodeObject::pending` there.
    pub pending: u64,
}

/// Why a block was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The arena is full; clear the cache and try again.
    Full,
    /// The code generator gave up.
    Bail(Bail),
    /// This is other code than what it was made for.
    Stale,
}

/// What a region's code stands for from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Entries where code of a block stood, and of a region.
    pub blocks: u64,
    pub units: u64,
}

/// Machine code of one memory.
#[derive(Debug)]
pub struct CodeCache {
    arena: CodeArena,
    thunks: Thunks,
    compiler: Compiler,
    memory: Memory,
    features: CpuFeatures,
    blocks: Vec<Block>,
    by_pc: Arc<Index>,
    /// Of every link: its displacement field in the arena, and its successor. (Apart, they take three quarters of the room.)
    link_fields: Vec<u32>,
    link_targets: Vec<GuestAddr>,
    /// Of all blocks: where in its code the guest instructions begin, packed.
    notes: Vec<u8>,
    /// Of all blocks: `CodeObject::pending`, by offset in the code of all; none at a block's entry.
    pending: Vec<(u32, u64)>,
    /// Of all blocks: `CodeObject::repairs`, with `Block::start`.
    repairs: Vec<(u32, Repair)>,
    /// Operations that code points at, in pieces that never grow beyond their capacity, so that none moves.
    ops: Vec<Vec<IROp>>,
    /// Code of regions, in the order of its place.
    units: Vec<Unit>,
}

/// Code of a region.
#[derive(Debug)]
struct Unit {
    /// Place in the arena.
    offset: u32,
    len: u32,
    /// See [`UnitObject::recipes`].
    recipes: Recipes,
}

/// Operations in one piece of `CodeCache::ops`.
const PIECE: usize = 512;

/// Keeps an operation; returns its address.
fn keep(pieces: &mut Vec<Vec<IROp>>, op: IROp) -> u64 {
    if pieces.last().is_none_or(|piece| piece.len() == piece.capacity()) {
        pieces.push(Vec::with_capacity(PIECE));
    }
    let Some(piece) = pieces.last_mut() else { return 0 };
    piece.push(op);
    piece.last().map_or(0, |op| std::ptr::from_ref(op).expose_provenance() as u64)
}

/// Fills in where generated code finds the routines that all blocks share, which begin at `base`.
fn set_slots(base: usize, thunks: &Thunks, slots: &mut HostSlots) {
    slots.leave_thunk = (base + thunks.leave) as u64;
    slots.link_thunk = (base + thunks.link) as u64;
    slots.miss_thunk = (base + thunks.miss) as u64;
    slots.fuel_thunk = (base + thunks.fuel) as u64;
    slots.illegal_thunk = (base + thunks.illegal) as u64;
    slots.breakpoint_thunk = (base + thunks.breakpoint) as u64;
    slots.helper_thunk = (base + thunks.helper) as u64;
    slots.leave_routine = enter::leave_routine() as u64;
    slots.helper_routine = enter::helper_routine() as u64;
}

impl CodeCache {
    /// A cache of at most `cap` bytes of code.
    ///
    /// # Errors
    /// `Error::Host` if the host gives no executable memory; `Error::NoMemory` if `cap` does not hold the thunks.
    pub fn new(cap: usize, memory: Memory, features: CpuFeatures) -> Result<CodeCache, Error> {
        let none = || Error::NoMemory { what: "the code cache", bytes: cap as u64 };
        let thunks = Thunks::new().map_err(|_| none())?;
        let mut cache = CodeCache {
            arena: CodeArena::new(cap)?,
            thunks,
            compiler: Compiler::default(),
            memory,
            features,
            blocks: Vec::with_capacity(1 << 10),
            by_pc: Arc::new(Index::new()),
            link_fields: Vec::with_capacity(1 << 12),
            link_targets: Vec::with_capacity(1 << 12),
            notes: Vec::with_capacity(1 << 14),
            pending: Vec::new(),
            repairs: Vec::new(),
            ops: Vec::new(),
            units: Vec::new(),
        };
        cache.publish_thunks().ok_or_else(none)?;
        Ok(cache)
    }

    /// The thunks stand at the start of the arena.
    fn publish_thunks(&mut self) -> Option<()> {
        let place = self.arena.reserve(self.thunks.bytes.len())?;
        self.arena.publish(place, &self.thunks.bytes);
        Some(())
    }

    /// The routines that all blocks share, and where the first of them is.
    fn thunks(&self) -> (usize, Thunks) {
        (self.arena.base(), self.thunks.clone())
    }

    /// Host address to enter code at (it goes on at `CpuState::host.entry`), and what the code is like.
    pub fn gates(&self) -> (usize, enter::Runnable) {
        let base = self.arena.base();
        let code = enter::Runnable {
            range: (base, base + self.arena.cap()),
            blocks: base + self.thunks.bytes.len(),
            landing: base + self.thunks.fault,
            fuel: FUEL_REGISTER,
        };
        (base + self.thunks.enter, code)
    }

    /// Where code is found without a lock.
    fn index(&self) -> Arc<Index> {
        Arc::clone(&self.by_pc)
    }

    /// Host address of the code for `pc`.
    pub fn find(&self, pc: GuestAddr) -> Option<usize> {
        self.by_pc.find(pc).map(|offset| self.arena.base() + offset as usize)
    }

    /// Generates and publishes code for a block that is not here yet.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing has changed then.
    pub fn add(&mut self, block: &IRBlock) -> Result<usize, Refusal> {
        let request = Request {
            memory: self.memory,
            features: self.features,
            first_link: self.link_fields.len() as u32,
            listing: false,
        };
        let kept = &mut self.ops;
        let mut object =
            self.compiler.compile(block, &mut |op| keep(kept, op), &request).map_err(Refusal::Bail)?;
        let [hot, rare] = object.lengths;
        let hot = self.arena.reserve(hot).ok_or(Refusal::Full)?;
        let rare = self.arena.reserve_rare(rare, hot.end()).ok_or(Refusal::Full)?;
        // Arenas are far below 2 GiB.
        let apart = rare.offset() as i64 - hot.end() as i64;
        let [hot_code, rare_code] = object.parts(apart).map_err(Refusal::Bail)?;
        let places = [self.arena.publish(rare, rare_code), self.arena.publish(hot, hot_code)];
        let [rare, hot] = places.map(|code| (code.offset as u32, code.len as u32));
        let Ok(notes) = u32::try_from(self.notes.len()) else { return Err(Refusal::Full) };
        let start = self.blocks.last().map_or(0, Block::end);
        self.blocks.push(Block {
            pc: block.start_pc,
            start,
            places: [hot.0, rare.0],
            lengths: [hot.1, rare.1],
            cost: object.cost,
            notes,
        });
        let offset = hot.0;
        notes::pack(&mut self.notes, block.start_pc, object.marks, object.pcs);
        self.pending.extend(object.pending.iter().map(|&(at, mask)| (start + at, mask)));
        self.repairs.extend(object.repairs.iter().map(|&repair| (start, repair)));
        self.link_fields.extend(object.links.iter().map(|link| offset + link.field));
        self.link_targets.extend(object.links.iter().map(|link| link.target));
        // Last: from here on other threads find it.
        self.by_pc.insert(block.start_pc, offset);
        Ok(self.arena.base() + offset as usize)
    }

    /// Lets other code stand for `pc`, whose code is here already: it was published at `offset` of the arena. Links to `pc`
    /// lead there from now on, also those that led nowhere yet; harts that remember the old code as the target of
    /// indirect jumps forget it when they see [`Index::replaced`] change. The old code stays, for those who are in it.
    /// False if there is no code for `pc`, or none at `offset`.
    pub fn replace(&mut self, pc: GuestAddr, offset: u32) -> bool {
        if !self.arena.has(offset as usize) || !self.by_pc.replace(pc, offset) {
            return false;
        }
        for (link, &target) in self.link_targets.iter().enumerate() {
            if target == pc {
                self.link(link as u64);
            }
        }
        true
    }

    /// Publishes code of a region and lets it stand for the blocks at its entries.
    ///
    /// # Errors
    /// [`Refusal::Full`]; nothing has changed then.
    pub fn add_unit(&mut self, mut object: UnitObject) -> Result<Replaced, Refusal> {
        object.number_links(self.link_fields.len() as u32);
        let place = self.arena.reserve(object.bytes.len()).ok_or(Refusal::Full)?;
        let code = self.arena.publish(place, &object.bytes);
        let offset = u32::try_from(code.offset).map_err(|_| Refusal::Full)?;
        let mut replaced = Replaced::default();
        for (pc, _) in &object.entries {
            match self.by_pc.find(*pc) {
                Some(at) if self.unit_at(at).is_some() => replaced.units += 1,
                Some(_) => replaced.blocks += 1,
                None => {}
            }
        }
        self.units.push(Unit { offset, len: code.len as u32, recipes: object.recipes });
        self.link_fields.extend(object.links.iter().map(|link| offset + link.field));
        self.link_targets.extend(object.links.iter().map(|link| link.target));
        for (pc, at) in object.entries {
            if !self.replace(pc, offset + at) {
                self.by_pc.insert(pc, offset + at);
            }
        }
        Ok(replaced)
    }

    /// The region whose code is at a place in the arena.
    fn unit_at(&self, at: u32) -> Option<&Unit> {
        let after = self.units.partition_point(|unit| unit.offset <= at);
        self.units[..after].last().filter(|unit| at - unit.offset < unit.len)
    }

    /// How to make the guest's state at a host address where an access of a region faulted.
    pub fn recipe(&self, host_pc: u64) -> Option<Recipe> {
        let at = usize::try_from(host_pc).ok()?.checked_sub(self.arena.base())?;
        let at = u32::try_from(at).ok()?;
        let unit = self.unit_at(at)?;
        unit.recipes.find(at - unit.offset)
    }

    /// The successor that a link wants.
    pub fn link_target(&self, link: u64) -> Option<GuestAddr> {
        self.link_targets.get(usize::try_from(link).ok()?).copied()
    }

    /// Leads a link to the code of its successor, if that is here; returns its address.
    pub fn link(&self, link: u64) -> Option<usize> {
        let field = *self.link_fields.get(usize::try_from(link).ok()?)? as usize;
        let code = self.find(self.link_target(link)?)?;
        let from = self.arena.base() + field + 4;
        // Both are in the arena, which is far below 2 GiB.
        let distance = i32::try_from(code.wrapping_sub(from).cast_signed()).ok()?;
        self.arena.patch_i32(field, distance);
        Some(code)
    }

    /// The block whose code is at a host address, and the offset in the code of all blocks.
    fn block_at(&self, host_pc: u64) -> Option<(usize, u32)> {
        let at = usize::try_from(host_pc).ok()?.checked_sub(self.arena.base())?;
        let rare = self.arena.has_rare(at);
        let at = u32::try_from(at).ok()?;
        // The one part grows upwards, the other downwards.
        let number = match rare {
            true => self.blocks.partition_point(|block| block.places[1] > at),
            false => self.blocks.partition_point(|block| block.places[0] <= at).checked_sub(1)?,
        };
        let block = self.blocks.get(number)?;
        let within = at - block.places[usize::from(rare)];
        let before = if rare { block.lengths[0] } else { 0 };
        (within < block.lengths[usize::from(rare)]).then_some((number, block.start + before + within))
    }

    /// Where the code at a host address stands, if it is a block's.
    pub fn position(&self, host_pc: u64) -> Option<Position> {
        let (number, at) = self.block_at(host_pc)?;
        let block = &self.blocks[number];
        let end = self.blocks.get(number + 1).map_or(self.notes.len(), |next| next.notes as usize);
        let notes = &self.notes[block.notes as usize..end];
        let (pc, index) = notes::find(notes, block.pc, at - block.start);
        let after = self.pending.partition_point(|&(offset, _)| offset <= at);
        let pending = self.pending[..after].last().map_or(0, |&(_, mask)| mask);
        Some(Position { pc, unused: u64::from(block.cost).saturating_sub(index), pending })
    }

    /// Operations that have not been done yet at a host address where an access faulted, in the order to do them in.
    pub fn repairs(&self, host_pc: u64) -> impl Iterator<Item = IROp> + '_ {
        let at = self.block_at(host_pc).map_or(u32::MAX, |(_, at)| at);
        let after = self.repairs.partition_point(|(offset, repair)| offset + repair.to <= at);
        let here = move |(offset, repair): &&(u32, Repair)| offset + repair.from <= at;
        self.repairs[after..].iter().take_while(here).map(|(_, repair)| repair.op)
    }

    /// A copy of the code for a child process (`CodeArena::copy`).
    ///
    /// # Errors
    /// The host's reason.
    pub fn copy_code(&self) -> std::io::Result<File> {
        self.arena.copy()
    }

    /// In a child process: goes on with the copy (`CodeArena::become_copy`).
    ///
    /// # Errors
    /// The host's reason; the cache must not be used then.
    pub fn become_copy(&mut self, copy: &File) -> std::io::Result<()> {
        self.arena.become_copy(copy)
    }

    /// Drops all code.
    pub fn clear(&mut self) {
        self.arena.reset();
        self.blocks.clear();
        self.by_pc.clear();
        self.link_fields.clear();
        self.link_targets.clear();
        self.notes.clear();
        self.pending.clear();
        self.repairs.clear();
        self.ops.clear();
        self.units.clear();
        // They fitted before.
        self.publish_thunks();
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Number of regions.
    pub fn regions(&self) -> usize {
        self.units.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Bytes of code.
    pub fn bytes(&self) -> usize {
        self.arena.used()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::parse;
    use std::os::unix::fs::FileExt;

    const BLOCKS: &str = "
        block 0x1000 {
          branch ne, x10, x0, 0x2000, 0x3000
        }
        block 0x2000 {
          call 0x3000, 0x1000
        }
        block 0x3000 {
          jump 0x2000
        }
        block 0x9000 {
          jump 0x1000
        }";

    /// Where the links to `pc` lead: offsets in the arena.
    fn destinations(cache: &CodeCache, pc: GuestAddr) -> Vec<u32> {
        let copy = cache.copy_code().unwrap();
        let links = cache.link_targets.iter().zip(&cache.link_fields);
        let read = |&field: &u32| {
            let mut bytes = [0; 4];
            copy.read_exact_at(&mut bytes, u64::from(field)).unwrap();
            (field + 4).wrapping_add_signed(i32::from_le_bytes(bytes))
        };
        links.filter(|(&target, _)| target == pc).map(|(_, field)| read(field)).collect()
    }

    #[test]
    fn links_lead_to_what_replaces_a_block() {
        let features = CpuFeatures::from_cpuid(|_, _| [0; 4], || 0);
        let mut cache = CodeCache::new(1 << 20, Memory::Low, features).unwrap();
        let blocks = parse(BLOCKS).unwrap();
        let code: Vec<usize> = blocks.iter().map(|block| cache.add(block).unwrap()).collect();
        let offset = |code: usize| (code - cache.arena.base()) as u32;
        let [one, two, three, other] = [0, 1, 2, 3].map(|n| offset(code[n]));
        // The first link to 0x2000 is made, the second leads to its stub; so does that to 0x3000.
        assert_eq!(cache.link(0), Some(code[1]));
        let before = destinations(&cache, 0x2000);
        assert!(before[0] == two && before[1] != two && !destinations(&cache, 0x3000).contains(&three));

        let index = cache.index();
        assert!(cache.replace(0x2000, other));
        assert_eq!(cache.find(0x2000), Some(code[3]));
        assert_eq!(destinations(&cache, 0x2000), [other, other]);
        assert_eq!(index.replaced(), 1);
        // Nothing else has changed, and the old code is still known as the block's.
        assert_eq!(cache.find(0x1000), Some(code[0]));
        assert!(
            !destinations(&cache, 0x3000).contains(&three) && !destinations(&cache, 0x1000).contains(&one)
        );
        assert_eq!(cache.position(code[1] as u64).map(|at| at.pc), Some(0x2000));

        assert!(!cache.replace(0x4000, other) && !cache.replace(0x1000, 1 << 20));
        assert_eq!((cache.find(0x4000), cache.find(0x1000)), (None, Some(code[0])));
    }
}
