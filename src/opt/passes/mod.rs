//! Passes over a function, each a file and a row of [`PASSES`].

pub mod constants;
pub mod dead;
pub mod facts;
pub mod mend;
pub mod number;
pub mod sink;
pub mod subst;

use super::func::Func;

/// A pass: its name, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub name: &'static str,
    /// Only the highest tier has the time for it.
    pub only_o2: bool,
    pub run: fn(&mut Func),
}

/// All passes, in the order in which they run.
#[rustfmt::skip] // rows never wrap
pub const PASSES: &[Pass] = &[
    Pass { name: "number", only_o2: false, run: number::run },
    Pass { name: "narrow", only_o2: false, run: facts::narrow },
    Pass { name: "sink",   only_o2: false, run: sink::run },
    Pass { name: "dead",   only_o2: false, run: dead::run },
    Pass { name: "constants", only_o2: false, run: constants::run },
    Pass { name: "mend",   only_o2: false, run: mend::run },
];
