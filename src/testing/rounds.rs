//! Runs programs of `program.rs` on two tiers, and compares all that the guest and its owner can see each time it stops:
//! for want of fuel, for a system call, for a trap. What the owner does then depends on the seed and on how often it was
//! asked, as little as a real one's: it moves pointers back, gives pages, skips an instruction, or begins anew.

use super::image::{Image, Segment, CODE};
use super::program::{roles, Maker, Program, DATA, PAGES};
use super::rng::Rng;
use super::sequence::listing;
use super::values::Operands;
use crate::base::error::Trap;
use crate::base::PAGE;
use crate::engine::dispatch::GuestExit;
use crate::engine::{Jit, Stats, Tier};
use crate::mmu::{Backing, Prot, SoftMmu};
use std::fmt::Write;

/// Pages behind the data that the owner gives and takes.
const MORE: u64 = 2;
/// Stops after which a run ends, with whatever it has done until then.
const MOST_STOPS: usize = 4000;

/// A program with all that decides how it runs.
#[derive(Clone, Debug)]
pub struct Round {
    pub seed: u64,
    pub program: Program,
    /// Guest instructions in all.
    pub length: u64,
}

/// What can be seen when a guest stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    exit: GuestExit,
    pc: u64,
    regs: Vec<u64>,
    fcsr: u64,
    retired: u64,
    fuel: u64,
    data: u64,
}

impl Round {
    /// The round of a seed.
    pub fn new(seed: u64, length: u64) -> Round {
        Round { seed, program: Maker::new(seed).program(), length }
    }

    /// Runs it on a tier. Also says what the engine counted.
    pub fn run(&self, tier: Tier, dropped: &[bool]) -> (Vec<Stop>, Stats) {
        let code = self.program.assemble(dropped);
        let (mut jit, mmu) = self.begin(tier, &code);
        let mut owner = Rng::new(self.seed ^ 0x517c_c1b7_2722_0a95);
        let portions = owner.pick(&[u64::MAX, u64::MAX, 20_000, 1000]);
        let mut stops = Vec::new();
        while stops.len() < MOST_STOPS {
            let left = self.length.saturating_sub(jit.state().retired());
            let portion = 64 + owner.bits() % portions;
            jit.state_mut().set_fuel(left.min(portion));
            let exit = jit.run_guest(&mmu);
            stops.push(seen(&jit, &mmu, exit));
            match exit {
                // What is left does not hold a block.
                GuestExit::OutOfFuel if left <= portion || left < 64 => break,
                GuestExit::OutOfFuel => {}
                GuestExit::Syscall => {
                    let answer = owner.bits() >> owner.below(64);
                    jit.state_mut().set_x(10, answer);
                    take(&mmu, Prot::NONE);
                }
                GuestExit::Trap(trap) => resolve(&mut jit, &mmu, trap, &mut owner),
                GuestExit::Interrupted => break,
            }
        }
        let stats = jit.stats();
        (stops, stats)
    }

    fn begin(&self, tier: Tier, code: &[u8]) -> (Jit, SoftMmu) {
        let prot = if self.program.changes_code { Prot::RWX } else { Prot::RX };
        let code = Segment { addr: CODE, bytes: code.to_vec(), prot };
        let mut rng = Rng::new(self.seed.wrapping_add(0x1234));
        let data = Segment { addr: DATA, bytes: rng.bytes((PAGES * PAGE) as usize), prot: Prot::RW };
        let image = Image { segments: vec![code, data], entry: CODE };
        let (mut jit, mmu) = super::oracle::engine(tier, &image);
        let (from, len) = (DATA + PAGES * PAGE, MORE * PAGE);
        let mapped = mmu.map(from, len, Prot::NONE, Backing::Anonymous);
        mapped.unwrap_or_else(|error| panic!("guest memory: {error}"));
        if rng.chance(1, 6) {
            jit.set_code_cache(rng.pick(&[32 << 10, 64 << 10, 256 << 10]));
        }
        let operands = Operands::default();
        let cpu = jit.state_mut();
        for reg in 1..32 {
            cpu.set_x(reg, operands.integer(&mut rng));
        }
        for reg in 32..64 {
            cpu.regs[reg] = operands.float(&mut rng);
        }
        cpu.set_fcsr((rng.below(4) as u64) << 5 | rng.below(32) as u64);
        cpu.set_x(roles::NOISE, rng.bits());
        cpu.set_x(roles::FACTOR, 0x5851_f42d_4c95_7f2d);
        point(&mut jit, &mut rng);
        (jit, mmu)
    }
}

/// Points the pointers at data.
fn point(jit: &mut Jit, rng: &mut Rng) {
    for reg in roles::POINTERS {
        let page = rng.pick(&[PAGE, PAGE + PAGE / 2, 2 * PAGE, 2 * PAGE + 1024]);
        jit.state_mut().set_x(reg, DATA + page + rng.below(64) as u64 * 8);
    }
}

fn take(mmu: &SoftMmu, prot: Prot) {
    let done = mmu.protect(DATA + PAGES * PAGE, MORE * PAGE, prot);
    done.unwrap_or_else(|error| panic!("guest memory: {error}"));
}

/// What the owner does about a trap.
fn resolve(jit: &mut Jit, mmu: &SoftMmu, trap: Trap, owner: &mut Rng) {
    let (pc, choice) = (jit.state().pc, owner.below(5));
    let mut low = [0; 1];
    let len = match mmu.read(pc, &mut low) {
        Ok(()) if low[0] & 3 == 3 => 4,
        _ => 2,
    };
    let more = DATA + PAGES * PAGE..DATA + (PAGES + MORE) * PAGE;
    match (trap, choice) {
        (Trap::Memory(fault), 0 | 1) if more.contains(&fault.addr) => take(mmu, Prot::RW),
        (Trap::Memory(_), 0..=2) => {
            point(jit, owner);
            // Elements are where registers say that were computed before.
            if owner.chance(1, 2) {
                jit.state_mut().pc = pc.wrapping_add(len);
            }
        }
        (Trap::Memory(_), 3) => {
            point(jit, owner);
            jit.state_mut().pc = CODE;
        }
        (_, _) => {
            point(jit, owner);
            jit.state_mut().pc = pc.wrapping_add(len);
        }
    }
    if !(CODE..DATA).contains(&pc) {
        jit.state_mut().pc = CODE;
    }
}

fn seen(jit: &Jit, mmu: &SoftMmu, exit: GuestExit) -> Stop {
    let cpu = jit.state();
    let mut data = vec![0; (PAGES * PAGE) as usize];
    mmu.read(DATA, &mut data).unwrap_or_else(|fault| panic!("{fault:?}"));
    // FNV-1a, by words.
    let hash = data.chunks_exact(8).fold(0xcbf2_9ce4_8422_2325u64, |hash, word| {
        let word = word.iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
        (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
    });
    Stop {
        exit,
        pc: cpu.pc,
        regs: cpu.regs[..64].to_vec(),
        fcsr: cpu.fcsr(),
        retired: cpu.retired(),
        fuel: cpu.fuel,
        data: hash,
    }
}

/// What comparing came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// Guest instructions of the interpreter, and how often it stopped.
    pub instructions: u64,
    pub stops: u64,
    pub faults: u64,
    /// Regions that were made on the other tiers.
    pub regions: u64,
    pub refused: u64,
}

impl Compared {
    /// Adds another's numbers.
    pub fn add(&mut self, other: Compared) {
        self.instructions += other.instructions;
        self.stops += other.stops;
        self.faults += other.faults;
        self.regions += other.regions;
        self.refused += other.refused;
    }
}

/// Runs the round of a seed on the interpreter and on the tiers.
///
/// # Errors
/// A report on the first difference, with as small a program as has one.
pub fn compare(seed: u64, length: u64, tiers: &[Tier]) -> Result<Compared, String> {
    let round = Round::new(seed, length);
    let all = vec![false; round.program.items.len()];
    let (expected, stats) = round.run(Tier::Interp, &all);
    let faults = expected.iter().filter(|stop| matches!(stop.exit, GuestExit::Trap(Trap::Memory(_)))).count();
    let mut compared = Compared {
        instructions: stats.instructions,
        stops: expected.len() as u64,
        faults: faults as u64,
        ..Compared::default()
    };
    for &tier in tiers {
        let (found, stats) = round.run(tier, &all);
        if found != expected {
            return Err(report(&round, tier));
        }
        compared.regions += stats.regions_formed;
        compared.refused += stats.regions_refused.all();
    }
    Ok(compared)
}

fn differs(round: &Round, tier: Tier, dropped: &[bool]) -> bool {
    round.run(tier, dropped).0 != round.run(Tier::Interp, dropped).0
}

/// Drops as many items as can be dropped while the difference stays.
fn minimise(round: &Round, tier: Tier) -> Vec<bool> {
    let count = round.program.items.len();
    let mut dropped = vec![false; count];
    let mut piece = count.div_ceil(2);
    loop {
        let before = dropped.clone();
        for from in (0..count).step_by(piece).rev() {
            let to = (from + piece).min(count);
            let mut trial = dropped.clone();
            trial[from..to].fill(true);
            if trial != dropped && differs(round, tier, &trial) {
                dropped = trial;
            }
        }
        match piece {
            1 if dropped == before => return dropped,
            1 => {}
            _ => piece = piece.div_ceil(2),
        }
    }
}

fn report(round: &Round, tier: Tier) -> String {
    let mut short = round.clone();
    // As few instructions as show it.
    while short.length > 1000 {
        let half = Round { length: short.length / 2, ..short.clone() };
        if !differs(&half, tier, &vec![false; half.program.items.len()]) {
            break;
        }
        short = half;
    }
    let dropped = minimise(&short, tier);
    let mut text = format!(
        "{tier:?} differs from the interpreter: VMJIT_SEED={} with {} instructions\n",
        round.seed, short.length
    );
    let code = short.program.assemble(&dropped);
    listing(&code, CODE).iter().for_each(|line| _ = writeln!(text, "    {line}"));
    let (expected, found) = (short.run(Tier::Interp, &dropped).0, short.run(tier, &dropped).0);
    let at = expected.iter().zip(&found).position(|(a, b)| a != b);
    let Some(at) = at else {
        let _ = writeln!(text, "  {} stops, not {}", found.len(), expected.len());
        return text;
    };
    let head = |stop: &Stop| {
        format!(
            "{:?} at {:#x}, {} retired, fcsr {:#x}, data {:x}",
            stop.exit, stop.pc, stop.retired, stop.fcsr, stop.data
        )
    };
    let (a, b) = (&expected[at], &found[at]);
    let _ = writeln!(text, "  stop {at}: {}\n  expected:  {}", head(b), head(a));
    for (reg, (a, b)) in a.regs.iter().zip(&b.regs).enumerate().filter(|(_, (a, b))| a != b) {
        let _ = writeln!(text, "    register {reg}: {b:#x}, not {a:#x}");
    }
    text
}
