//! Passes over a function, each a file and a row of [`PASSES`].

pub mod constants;
pub mod dead;
pub mod facts;
pub mod flow;
pub mod fold;
pub mod invariant;
pub mod memory;
pub mod mend;
pub mod number;
pub mod phis;
pub mod pointer;
pub mod quiet;
pub mod sink;
pub mod subst;
pub mod surface;

use super::func::Func;
use super::verify::{verify, Flaw};

/// A pass: its name, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub name: &'static str,
    /// Only the highest tier has the time for it.
    pub only_o2: bool,
    pub run: fn(&mut Func),
}

/// How much is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What pays at once.
    O1,
    /// Everything.
    O2,
}

/// Passes that are left out, to see what each is worth, or which one is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Without(u32);

/// What code generation relies on: without these, code would be wrong. (All of a region shares one zero, which needs no place;
/// but a phi's argument has one, and with several entries none is on every way there.)
const NEEDED: &[&str] = &["constants", "mend"];

impl Without {
    /// Leaves a pass out, wherever it runs.
    ///
    /// # Errors
    /// The names that there are, if this is none of them or one that cannot be left out.
    pub fn add(&mut self, name: &str) -> Result<(), String> {
        let plain = |pass: &Pass| pass.name.trim_end_matches(" again");
        let rows = PASSES.iter().enumerate().filter(|(_, pass)| plain(pass) == name);
        let bits: u32 = rows.map(|(row, _)| 1 << row).sum();
        if bits == 0 || NEEDED.contains(&name) {
            let mut names: Vec<&str> =
                PASSES.iter().map(plain).filter(|name| !NEEDED.contains(name)).collect();
            names.dedup();
            return Err(names.join(", "));
        }
        self.0 |= bits;
        Ok(())
    }
}

/// All passes, in the order in which they run.
#[rustfmt::skip] // rows never wrap
pub const PASSES: &[Pass] = &[
    Pass { name: "fold", only_o2: false, run: fold::run },
    Pass { name: "number", only_o2: false, run: number::run },
    Pass { name: "memory", only_o2: true, run: memory::run },
    Pass { name: "fold again", only_o2: true, run: fold::run },
    Pass { name: "number again", only_o2: true, run: number::run },
    Pass { name: "quiet", only_o2: false, run: quiet::run },
    Pass { name: "invariant", only_o2: true, run: invariant::run },
    Pass { name: "pointer", only_o2: true, run: pointer::run },
    Pass { name: "narrow", only_o2: false, run: facts::narrow },
    Pass { name: "sink",   only_o2: false, run: sink::run },
    Pass { name: "surface", only_o2: false, run: surface::run },
    Pass { name: "dead",   only_o2: false, run: dead::run },
    Pass { name: "constants", only_o2: false, run: constants::run },
    Pass { name: "mend",   only_o2: false, run: mend::run },
];

/// A pass that left a function that is not well formed. No name: the function was not from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    pub pass: Option<&'static str>,
    pub flaw: Flaw,
}

/// Runs the passes of a level. With `check`, the verifier looks at what each leaves.
///
/// # Errors
/// The first pass that broke something; the function is of no use then.
pub fn run(func: &mut Func, level: Level, check: bool) -> Result<(), Broken> {
    run_with(func, level, Without::default(), check, &mut |_, _| {})
}

/// As [`run`], without some; `after` is shown what each pass left.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    func: &mut Func,
    level: Level,
    without: Without,
    check: bool,
    after: &mut dyn FnMut(&'static str, &Func),
) -> Result<(), Broken> {
    let look =
        |func: &Func, pass| if check { verify(func).map_err(|flaw| Broken { pass, flaw }) } else { Ok(()) };
    look(func, None)?;
    let rows = PASSES.iter().enumerate().filter(|(row, _)| without.0 >> row & 1 == 0);
    for (_, pass) in rows.filter(|(_, pass)| level == Level::O2 || !pass.only_o2) {
        (pass.run)(func);
        look(func, Some(pass.name))?;
        after(pass.name, func);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_are_left_out_by_name_but_for_what_code_relies_on() {
        let mut without = Without::default();
        assert!(PASSES.len() <= 32);
        without.add("fold").unwrap();
        let names = |without: Without| {
            let rows = PASSES.iter().enumerate().filter(move |(row, _)| without.0 >> row & 1 == 1);
            rows.map(|(_, pass)| pass.name).collect::<Vec<_>>()
        };
        assert_eq!(names(without), ["fold", "fold again"]);
        assert!(
            without.add("mend").is_err()
                && without.add("constants").is_err()
                && without.add("fold again").is_err()
        );
        assert!(without.add("nothing").unwrap_err().contains("memory"));
        assert_eq!(names(without), ["fold", "fold again"]);
    }
}
