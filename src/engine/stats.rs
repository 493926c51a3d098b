//! What an engine counts: what ran, what was compiled, and why something was not.

use super::Tier;
use crate::opt::region::NoRegion;

/// What the engine counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Guest instructions retired.
    pub instructions: u64,
    /// Blocks translated, repeated ones counted again.
    pub blocks_translated: u64,
    /// Guest instructions in them.
    pub instructions_translated: u64,
    /// Blocks in the interpreter's cache now.
    pub blocks_cached: u64,
    /// Blocks that have machine code now, and the bytes of all machine code.
    pub blocks_compiled: u64,
    pub code_bytes: u64,
    /// Times that the code cache was full and was cleared.
    pub evictions: u64,
    /// Times that all translations were thrown away because code may have changed.
    pub invalidations: u64,
    /// Blocks that were run to see what follows what, repeated ones counted again.
    pub recorded_blocks: u64,
    /// Regions that were found to be worth code of their own, and the processor time that choosing took.
    pub regions_formed: u64,
    pub forming_nanoseconds: u64,
    /// Why there is no region.
    pub regions_refused: Refusals,
    /// What was compiled: blocks (O0) and regions (O1, O2).
    pub o0: TierStats,
    pub o1: TierStats,
    pub o2: TierStats,
    /// Most orders that waited for the thread that compiles, and how long all of them waited.
    pub longest_queue: u64,
    pub waiting_nanoseconds: u64,
}

/// What was compiled in one tier, by all threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierStats {
    /// Blocks or regions that got code.
    pub units: u64,
    /// Guest instructions in them: of a region, those of the blocks that were chosen, without the copies that peeling makes.
    pub instructions: u64,
    /// Bytes of their code.
    pub code_bytes: u64,
    /// Accesses with a recipe for what the guest's state is if they fault, and the bytes of all recipes; none at O0.
    pub recipes: u64,
    pub recipe_bytes: u64,
    /// Processor time that compiling took, of those that got no code too; of O0 lifting included, and only if it is asked for
    /// ([`Jit::set_timed`](super::Jit::set_timed)).
    pub nanoseconds: u64,
    /// Compilations that gave up, by reason.
    pub gave_up: Reasons,
    /// Blocks or regions whose code was replaced by that of a region.
    pub replaced: u64,
    /// Blocks or regions whose code was thrown away because code may have changed.
    pub invalidated: u64,
}

impl TierStats {
    pub(super) fn add(&mut self, other: &TierStats) {
        self.units += other.units;
        self.instructions += other.instructions;
        self.code_bytes += other.code_bytes;
        self.recipes += other.recipes;
        self.recipe_bytes += other.recipe_bytes;
        self.nanoseconds += other.nanoseconds;
        self.replaced += other.replaced;
        self.invalidated += other.invalidated;
        self.gave_up.0.iter_mut().zip(other.gave_up.0).for_each(|(count, more)| *count += more);
    }
}

/// What the threads of a process count together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub regions_formed: u64,
    pub forming_nanoseconds: u64,
    pub regions_refused: Refusals,
    pub o0: TierStats,
    pub o1: TierStats,
    pub o2: TierStats,
    pub longest_queue: u64,
    pub waiting_nanoseconds: u64,
}

impl Counts {
    /// The counts of the level that a tier compiles regions at.
    pub fn tier(&mut self, tier: Tier) -> &mut TierStats {
        match tier {
            Tier::O1 => &mut self.o1,
            _ => &mut self.o2,
        }
    }

    /// Fills in what is counted here.
    pub fn show(&self, stats: &mut Stats) {
        let Counts { regions_formed, forming_nanoseconds, regions_refused, .. } = *self;
        let Counts { o0, o1, o2, longest_queue, waiting_nanoseconds, .. } = *self;
        *stats = Stats {
            regions_formed,
            forming_nanoseconds,
            regions_refused,
            o0,
            o1,
            o2,
            longest_queue,
            waiting_nanoseconds,
            ..*stats
        };
    }
}

/// Declares the reasons why a compilation gave up.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $name:literal,)*) => {
        /// Why a compilation gave up; what it was of stays in the tier below.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum GaveUp {
            $($(#[$doc])* $variant,)*
        }

        impl GaveUp {
            /// All reasons; each has its own number as its place.
            pub const ALL: &[GaveUp] = &[$(GaveUp::$variant),*];

            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self {
                    $(GaveUp::$variant => $name,)*
                }
            }
        }
    };
}

reasons! {
    /// It begins with an operation that has no code.
    NoCode "no code",
    /// It has a block that no front end made.
    NoMarks "no marks",
    /// A pass left a function that is not well formed: a bug that costs only speed.
    Broken "broken",
    /// The allocator found no registers.
    Registers "registers",
    /// An operation turned out to have no code.
    Operation "operation",
    /// A state cannot be made where it is wanted.
    State "state",
    /// It is larger than code offsets or fuel immediates allow.
    TooLarge "too large",
    /// The assembler refused: a bug that costs only speed.
    Assembler "assembler",
    /// Code changed, or was thrown away, meanwhile.
    Stale "stale",
    /// The code cache is full.
    Full "full",
}

/// How often compilations gave up, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasons([u64; GaveUp::ALL.len()]);

impl Reasons {
    /// Counts one.
    pub fn count(&mut self, why: GaveUp) {
        self.0[why as usize] += 1;
    }

    /// Number of compilations that gave up for a reason.
    pub fn of(&self, why: GaveUp) -> u64 {
        self.0[why as usize]
    }

    /// Number of all that gave up.
    pub fn all(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// How often no region was chosen, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals([u64; NoRegion::ALL.len()]);

impl Refusals {
    /// Counts one.
    pub fn count(&mut self, why: NoRegion) {
        self.0[why as usize] += 1;
    }

    /// Number of refusals for a reason.
    pub fn of(&self, why: NoRegion) -> u64 {
        self.0[why as usize]
    }

    /// Number of all refusals.
    pub fn all(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// A map from the names of the reasons.
#[cfg(feature = "serde")]
impl serde::Serialize for Refusals {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(NoRegion::ALL.map(|why| (why.name(), self.of(why))))
    }
}

/// A map from the names of the reasons.
#[cfg(feature = "serde")]
impl serde::Serialize for Reasons {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(GaveUp::ALL.iter().map(|&why| (why.name(), self.of(why))))
    }
}

/// Maps from the names of fields; written out, since a derivation would be a procedural macro (`.cargo/config.toml`).
#[cfg(feature = "serde")]
macro_rules! serialize {
    ($type:ident: $($field:ident),*) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let $type { $($field),* } = self;
                let mut map = serializer.serialize_map(None)?;
                $(map.serialize_entry(stringify!($field), $field)?;)*
                map.end()
            }
        }
    };
}

#[cfg(feature = "serde")]
serialize!(
    Stats: instructions, blocks_translated, instructions_translated, blocks_cached, blocks_compiled, code_bytes, evictions,
    invalidations, recorded_blocks, regions_formed, forming_nanoseconds, regions_refused, o0, o1, o2, longest_queue,
    waiting_nanoseconds
);

#[cfg(feature = "serde")]
serialize!(
    TierStats: units, instructions, code_bytes, recipes, recipe_bytes, nanoseconds, gave_up, replaced, invalidated
);
