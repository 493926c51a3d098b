//! Recipes, packed: each as what differs from the one before. Where an access stands, most registers are where they were at the
//! access before it.
//!
//! Each is a row of numbers (`base::leb128`):
//!
//! | number | meaning |
//! |---|---|
//! | `from` | how far its code begins behind that of the one before, in bytes |
//! | `len` | bytes of its code |
//! | `pc`, `unused` | differences, with a sign |
//! | `changed` | number of registers that are made otherwise; then for each of them |
//! | `reg`, `place` | the register, and where it comes from: 0 nowhere, it stays; else a code of [`Place`] (below) and its operand |
//! | `ops` | 0: none; 1: those of the last recipe that had some; `n + 1`: the next `n` of the list |

use super::recipe::{Place, Recipe};
use crate::base::leb128::{put, put_signed, take, take_signed};
use crate::base::{GuestAddr, RegId};
use crate::ir::IROp;

/// Registers that a recipe may make: those of the guest, and temporaries.
const MADE: usize = super::plan::LAST_RECIPE as usize + 1;

/// The recipes of a region, by the offsets of its code.
#[derive(Clone, Debug, Default)]
pub struct Recipes {
    bytes: Vec<u8>,
    ops: Vec<IROp>,
    /// See [`Recipe::floats_at_home`]: the same in all of a region.
    floats_at_home: bool,
    count: u32,
}

/// What a recipe is told relative to.
#[derive(Debug)]
struct Last {
    from: u32,
    pc: GuestAddr,
    unused: u32,
    places: [Option<Place>; MADE],
    /// The operations of the last recipe that had some.
    ops: std::ops::Range<usize>,
}

impl Default for Last {
    fn default() -> Last {
        Last { from: 0, pc: 0, unused: 0, places: [None; MADE], ops: 0..0 }
    }
}

/// Packs recipes.
#[derive(Debug, Default)]
pub(super) struct Packer {
    recipes: Recipes,
    last: Last,
}

impl Packer {
    /// Adds the recipe of the code from an offset, behind that of the one before, up to another one.
    pub fn push(&mut self, from: u32, to: u32, recipe: &Recipe) {
        let (Recipes { bytes, ops, .. }, last) = (&mut self.recipes, &mut self.last);
        put(bytes, u64::from(from - last.from));
        put(bytes, u64::from(to - from));
        put_signed(bytes, recipe.pc.wrapping_sub(last.pc).cast_signed());
        put_signed(bytes, i64::from(recipe.unused) - i64::from(last.unused));
        (last.from, last.pc, last.unused) = (from, recipe.pc, recipe.unused);
        let mut places = [None; MADE];
        for &(reg, place) in &recipe.moves {
            places[usize::from(reg)] = Some(place);
        }
        let changed = || (0..MADE).filter(|&reg| places[reg] != last.places[reg]);
        put(bytes, changed().count() as u64);
        for reg in changed() {
            put(bytes, reg as u64);
            match places[reg] {
                None => put(bytes, 0),
                Some(place) => put_place(bytes, place),
            }
        }
        last.places = places;
        match recipe.ops.len() {
            0 => put(bytes, 0),
            _ if recipe.ops == ops[last.ops.clone()] => put(bytes, 1),
            count => {
                put(bytes, count as u64 + 1);
                last.ops = ops.len()..ops.len() + count;
                ops.extend_from_slice(&recipe.ops);
            }
        }
        self.recipes.floats_at_home = recipe.floats_at_home;
        self.recipes.count += 1;
    }

    /// All of them.
    pub fn finish(self) -> Recipes {
        let mut recipes = self.recipes;
        recipes.bytes.shrink_to_fit();
        recipes.ops.shrink_to_fit();
        recipes
    }
}

impl Recipes {
    /// The recipe of the code at an offset.
    pub fn find(&self, at: u32) -> Option<Recipe> {
        let (mut bytes, mut last, mut ops) = (&self.bytes[..], Last::default(), 0);
        for _ in 0..self.count {
            last.from += take(&mut bytes) as u32;
            let len = take(&mut bytes) as u32;
            last.pc = last.pc.wrapping_add(take_signed(&mut bytes).cast_unsigned());
            last.unused = last.unused.wrapping_add(take_signed(&mut bytes) as u32);
            for _ in 0..take(&mut bytes) {
                let reg = take(&mut bytes) as usize;
                last.places[reg] = take_place(&mut bytes);
            }
            let own = match take(&mut bytes) {
                0 => 0..0,
                1 => last.ops.clone(),
                count => {
                    last.ops = ops..ops + count as usize - 1;
                    ops = last.ops.end;
                    last.ops.clone()
                }
            };
            if at < last.from {
                return None;
            }
            if at - last.from < len {
                let made = last.places.iter().enumerate();
                return Some(Recipe {
                    pc: last.pc,
                    unused: last.unused,
                    moves: made.filter_map(|(reg, place)| Some((reg as RegId, (*place)?))).collect(),
                    ops: self.ops[own].to_vec(),
                    floats_at_home: self.floats_at_home,
                });
            }
        }
        None
    }

    /// Number of recipes.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of memory that they take.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + size_of_val(&self.ops[..])
    }
}

/// Codes of places: the first of a host register has its number added, the others have their operand behind them.
mod code {
    pub const GPR: u64 = 1;
    pub const LOW: u64 = 17;
    pub const XMM: u64 = 33;
    pub const RAW: u64 = 49;
    pub const RAW_SINGLE: u64 = 65;
    pub const SLOT: u64 = 81;
    pub const LOW_SLOT: u64 = 82;
    pub const RAW_SLOT: u64 = 83;
    pub const RAW_SINGLE_SLOT: u64 = 84;
    pub const NUMBER: u64 = 85;
}

fn put_place(bytes: &mut Vec<u8>, place: Place) {
    match place {
        Place::Gpr(at) => put(bytes, code::GPR + u64::from(at & 15)),
        Place::Low(at) => put(bytes, code::LOW + u64::from(at & 15)),
        Place::Xmm(at) => put(bytes, code::XMM + u64::from(at & 15)),
        Place::Raw(at) => put(bytes, code::RAW + u64::from(at & 15)),
        Place::RawSingle(at) => put(bytes, code::RAW_SINGLE + u64::from(at & 15)),
        Place::Slot(slot) => bytes.extend([code::SLOT as u8, slot]),
        Place::LowSlot(slot) => bytes.extend([code::LOW_SLOT as u8, slot]),
        Place::RawSlot(slot) => bytes.extend([code::RAW_SLOT as u8, slot]),
        Place::RawSingleSlot(slot) => bytes.extend([code::RAW_SINGLE_SLOT as u8, slot]),
        Place::Number(number) => {
            put(bytes, code::NUMBER);
            put_signed(bytes, number);
        }
    }
}

fn take_place(bytes: &mut &[u8]) -> Option<Place> {
    let code = take(bytes);
    let mut slot = || {
        let (&first, rest) = bytes.split_first().unwrap_or((&0, &[]));
        *bytes = rest;
        first
    };
    Some(match code {
        0 => return None,
        code::SLOT => Place::Slot(slot()),
        code::LOW_SLOT => Place::LowSlot(slot()),
        code::RAW_SLOT => Place::RawSlot(slot()),
        code::RAW_SINGLE_SLOT => Place::RawSingleSlot(slot()),
        code::NUMBER => Place::Number(take_signed(bytes)),
        code::RAW_SINGLE.. => Place::RawSingle((code - code::RAW_SINGLE) as u8),
        code::RAW.. => Place::Raw((code - code::RAW) as u8),
        code::XMM.. => Place::Xmm((code - code::XMM) as u8),
        code::LOW.. => Place::Low((code - code::LOW) as u8),
        _ => Place::Gpr((code - code::GPR) as u8),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(pc: GuestAddr, unused: u32, moves: &[(RegId, Place)], ops: &[IROp]) -> Recipe {
        Recipe { pc, unused, moves: moves.to_vec(), ops: ops.to_vec(), floats_at_home: true }
    }

    #[test]
    fn every_recipe_is_found_again() {
        let copy = |dst, src| IROp::Copy { dst, src };
        let all = [
            Place::Gpr(0),
            Place::Gpr(15),
            Place::Low(3),
            Place::Xmm(15),
            Place::Raw(0),
            Place::Raw(15),
            Place::RawSingle(0),
            Place::RawSingle(15),
            Place::RawSingleSlot(42),
        ];
        let more = [
            Place::Slot(0),
            Place::LowSlot(255),
            Place::RawSlot(64),
            Place::Number(i64::MIN),
            Place::Number(-1),
            Place::Number(1 << 40),
        ];
        let places: Vec<(RegId, Place)> = (1..).zip(all.into_iter().chain(more)).collect();
        let recipes = [
            (3, 9, recipe(0x1000, 7, &places, &[])),
            (9, 12, recipe(0x1004, 6, &places[..5], &[copy(80, 1), copy(2, 80)])),
            (40, 41, recipe(0xfff0, 600, &places[3..], &[copy(80, 1), copy(2, 80)])),
            (41, 300, recipe(0x10, 0, &[(80, Place::Gpr(2)), (111, Place::Number(5))], &[copy(3, 80)])),
            (300, 301, recipe(0x14, 1, &[], &[])),
            (301, 302, recipe(0x18, 1, &[], &[copy(3, 80)])),
        ];
        let mut packer = Packer::default();
        recipes.iter().for_each(|(from, to, recipe)| packer.push(*from, *to, recipe));
        let packed = packer.finish();
        for at in 0..310 {
            let expected = recipes.iter().find(|(from, to, _)| (*from..*to).contains(&at));
            assert_eq!(packed.find(at).as_ref(), expected.map(|(.., recipe)| recipe), "offset {at}");
        }
        assert_eq!(packed.len(), recipes.len());
    }

    #[test]
    fn what_stays_takes_few_bytes() {
        let places: Vec<(RegId, Place)> = (1..30).map(|reg| (reg, Place::Gpr(reg & 15))).collect();
        let mut packer = Packer::default();
        packer.push(0, 4, &recipe(0x10000, 20, &places, &[]));
        let first = packer.recipes.bytes();
        packer.push(10, 14, &recipe(0x10008, 18, &places, &[]));
        assert!(first < 70 && packer.recipes.bytes() - first == 6);
    }
}
