//! Random programs that run for long: loops in loops, branches, functions, computed jumps, accesses that walk off their
//! pages now and then. They are what regions are made of.
//!
//! A program never ends by itself. Whoever runs it gives it fuel, and resolves its traps (`rounds.rs`); what both do
//! depends on the seed only. Any item may be dropped and the rest still is a program, which is what minimising needs.

use super::asm::{csr, insn, Asm};
use super::rng::Rng;
use super::sequence::{all_rows, with_offset};
use crate::asm::x64::CpuFeatures;
use crate::base::GuestAddr;
use crate::codegen::x64::unit::Probe;
use crate::guest::riscv::insn::{Extension, Insn, Op, Row};
use crate::guest::riscv::sample::{sample, Registers};
use crate::guest::riscv::translate::lift;
use crate::ir::IROp;

/// What programs use registers for.
pub mod roles {
    /// Pointers into data, which nothing but steps and their owner writes.
    pub const POINTERS: [u8; 3] = [2, 8, 9];
    /// A linear congruential generator, for branches that go this way and that.
    pub const NOISE: u8 = 18;
    /// Its factor.
    pub const FACTOR: u8 = 27;
    /// Counters of loops, by depth.
    pub const COUNTERS: [u8; 4] = [19, 20, 21, 22];
    /// Where functions keep their return addresses, by level.
    pub const SAVED: [u8; 3] = [24, 25, 26];
    /// Points at code that changes.
    pub const PATCH: u8 = 23;
}

/// Registers that any instruction may write.
const FREE: u32 = !(1 | 1 << 1 | 1 << 2 | 1 << 8 | 1 << 9 | 0x7f << 18 | 0x7 << 25);

/// A piece of a program.
#[derive(Clone, Debug)]
pub enum Item {
    /// Instructions that stay where they are put.
    Code(Vec<u8>),
    /// A place to go to.
    Label(u32),
    /// A branch.
    Branch { op: Op, rs1: u8, rs2: u8, to: u32 },
    /// `jal`.
    Jump { rd: u8, to: u32 },
    /// The address of a label, and a few bytes on.
    Address { rd: u8, to: u32, plus: i64 },
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Item::Code(code) => code.len(),
            Item::Label(_) => 0,
            Item::Branch { .. } | Item::Jump { .. } => 4,
            Item::Address { .. } => 8,
        }
    }
}

/// A program as items.
#[derive(Clone, Debug)]
pub struct Program {
    pub items: Vec<Item>,
    /// Whether it writes its own code.
    pub changes_code: bool,
}

impl Program {
    /// The code, without the items that are marked; and where the labels are. Jumps to a label that is dropped go to the
    /// end.
    pub fn assemble(&self, dropped: &[bool]) -> Vec<u8> {
        let kept = || self.items.iter().zip(dropped).filter(|(_, dropped)| !**dropped).map(|(item, _)| item);
        let mut labels = std::collections::HashMap::new();
        let mut at = 0;
        for item in kept() {
            if let Item::Label(label) = item {
                labels.insert(*label, at as i64);
            }
            at += item.len();
        }
        let (mut asm, end) = (Asm::new(), at as i64);
        for item in kept() {
            let here = asm.code.len() as i64;
            let place = |to: &u32| labels.get(to).copied().unwrap_or(end) - here;
            match item {
                Item::Code(code) => asm.code.extend(code),
                Item::Label(_) => {}
                // A branch that does not reach its label is none.
                Item::Branch { to, .. } if !(-4096..4096).contains(&place(to)) => {
                    _ = asm.i(Op::Addi, 0, 0, 0)
                }
                Item::Branch { op, rs1, rs2, to } => _ = asm.s(*op, *rs1, *rs2, place(to)),
                Item::Jump { rd, to } => _ = asm.u(Op::Jal, *rd, place(to)),
                Item::Address { rd, to, plus } => {
                    let distance = place(to) + plus;
                    let low = distance << 52 >> 52;
                    asm.u(Op::Auipc, *rd, distance - low).i(Op::Addi, *rd, *rd, low);
                }
            }
        }
        // Whatever runs off the end begins again.
        let back = -(asm.code.len() as i64);
        asm.u(Op::Jal, 0, back);
        asm.code
    }
}

/// Makes programs.
pub struct Maker {
    rng: Rng,
    rows: Vec<&'static Row>,
    probe: Probe,
    items: Vec<Item>,
    labels: u32,
    /// Guest instructions so far, roughly.
    size: usize,
    functions: Vec<u32>,
    changes_code: bool,
    in_function: bool,
    /// One in so many instructions may be one that regions have no code for.
    odd: usize,
}

/// Instructions beyond which a program gets no further items: branches reach all of it.
const LARGEST: usize = 500;

impl Maker {
    /// A maker of one program; equal seeds give equal programs.
    pub fn new(seed: u64) -> Maker {
        let mut rng = Rng::new(seed);
        let plain = |row: &&Row| {
            !row.ends_block
                && !matches!(row.extension, Extension::Zicsr | Extension::Zifencei)
                && !matches!(row.op, Op::LrW | Op::LrD | Op::ScW | Op::ScD)
                && row.name != "c.addi16sp"
        };
        let rows = all_rows().filter(plain).collect();
        let changes_code = rng.chance(1, 8);
        let odd = rng.pick(&[0, 0, 500, 100, 20]);
        let probe = Probe::new(CpuFeatures::ALL);
        let (items, functions) = (Vec::new(), Vec::new());
        Maker {
            rng,
            rows,
            probe,
            items,
            labels: 0,
            size: 0,
            functions,
            changes_code,
            in_function: false,
            odd,
        }
    }

    /// The program.
    pub fn program(mut self) -> Program {
        let (start, main) = (self.label(), self.label());
        self.items.push(Item::Label(start));
        self.items.push(Item::Jump { rd: 0, to: main });
        for level in 0..self.rng.below(roles::SAVED.len() + 1) {
            let function = self.label();
            self.items.push(Item::Label(function));
            self.function(level);
            self.functions.push(function);
        }
        self.items.push(Item::Label(main));
        for _ in 0..1 + self.rng.below(3) {
            self.some(0, 2);
            self.counted(0);
        }
        self.items.push(Item::Jump { rd: 0, to: main });
        Program { items: self.items, changes_code: self.changes_code }
    }

    fn label(&mut self) -> u32 {
        self.labels += 1;
        self.labels
    }

    fn code(&mut self, fill: impl FnOnce(&mut Asm)) {
        let mut asm = Asm::new();
        fill(&mut asm);
        self.size += asm.code.len() / 4;
        self.items.push(Item::Code(asm.code));
    }

    fn free(&mut self) -> u8 {
        self.rng.register(FREE)
    }

    /// A function; it calls those before it only.
    fn function(&mut self, level: usize) {
        let saved = roles::SAVED[level];
        self.code(|asm| _ = asm.i(Op::Addi, saved, 1, 0));
        // Loops in functions have a counter of their own; those that call others have none.
        self.in_function = true;
        self.some(if level == 0 { 3 } else { 4 }, 2);
        self.in_function = false;
        let back = match self.rng.below(6) {
            // Bit 0 of the address is ignored.
            0 => 1,
            _ => 0,
        };
        let by_ra = self.rng.chance(3, 4);
        self.code(|asm| {
            match by_ra {
                true => asm.i(Op::Addi, 1, saved, 0).i(Op::Jalr, 0, 1, back),
                false => asm.i(Op::Jalr, 0, saved, 0),
            };
        });
    }

    /// A few pieces. `depth` is that of the loops around them, or the level of the function.
    fn some(&mut self, depth: usize, most: usize) {
        for _ in 0..1 + self.rng.below(most) {
            if self.size > LARGEST {
                return;
            }
            match self.rng.below(16) {
                0..=4 => self.straight(),
                5..=7 => self.choice(depth),
                8 | 9 => self.element(),
                10 => self.step(),
                11 | 12 => self.call(),
                13 => self.switch(depth),
                14 if depth < 3 || self.in_function && depth == 3 => self.counted(depth),
                15 => self.seldom(),
                _ => self.straight(),
            }
        }
    }

    /// A loop with a counter.
    fn counted(&mut self, depth: usize) {
        let (counter, top) = (roles::COUNTERS[depth], self.label());
        let rounds = if depth == 0 { 50 + self.rng.below(400) } else { 1 + self.rng.below(30) };
        self.code(|asm| _ = asm.li(counter, rounds as u64));
        self.items.push(Item::Label(top));
        self.noise();
        if self.rng.chance(2, 3) {
            self.step();
        }
        self.some(depth + 1, 5);
        let out = self.rng.chance(1, 3).then(|| self.label());
        if let Some(out) = out {
            self.question(30, out);
        }
        self.code(|asm| _ = asm.i(Op::Addi, counter, counter, -1));
        // Going on with a counter that is not positive ends the loop even if the counter was not set.
        self.items.push(Item::Branch { op: Op::Blt, rs1: 0, rs2: counter, to: top });
        self.items.extend(out.map(Item::Label));
    }

    fn noise(&mut self) {
        let add = self.rng.between(1, 2000) | 1;
        self.code(|asm| {
            asm.r(Op::Mul, roles::NOISE, roles::NOISE, roles::FACTOR).i(
                Op::Addi,
                roles::NOISE,
                roles::NOISE,
                add,
            );
        });
    }

    /// Leaves in x30 whether something is that happens one time in `of`, or so.
    fn ask(&mut self, of: i64) {
        let shift = self.rng.between(20, 54);
        self.code(|asm| {
            asm.i(Op::Srli, 30, roles::NOISE, shift).i(Op::Andi, 30, 30, 1023);
            asm.i(Op::Sltiu, 30, 30, 1 + 1023 / of);
        });
    }

    /// A branch that is taken one time in `of`, or so.
    fn question(&mut self, of: i64, to: u32) {
        self.ask(of);
        self.items.push(Item::Branch { op: Op::Bne, rs1: 30, rs2: 0, to });
    }

    /// Instructions of any row, mostly such as regions have code for.
    fn straight(&mut self) {
        for _ in 0..1 + self.rng.below(10) {
            let word = self.drawn();
            self.size += 1;
            let bytes = word.to_le_bytes();
            let len = if word & 3 == 3 { 4 } else { 2 };
            self.items.push(Item::Code(bytes[..len].to_vec()));
        }
    }

    fn drawn(&mut self) -> u32 {
        let odd = self.odd > 0 && self.rng.chance(1, self.odd);
        loop {
            let row = self.rng.pick(&self.rows);
            let base = roles::POINTERS.iter().fold(0, |mask, reg| mask | 1 << reg);
            let registers = Registers { dest: FREE, source: u32::MAX, base };
            let Some(mut word) = sample(row, &registers, &mut || self.rng.bits()) else { continue };
            if row.length() == 4 && self.rng.chance(3, 4) {
                word = with_offset(row, word, self.rng.between(-20, 20));
            }
            if odd || self.has_code(word) {
                return word;
            }
        }
    }

    fn has_code(&mut self, word: u32) -> bool {
        let block = lift(0, &[word.to_le_bytes(), 0x0000_0073u32.to_le_bytes()].concat());
        let probe = &mut self.probe;
        let mut has = |op: &IROp| matches!(op, IROp::Mark { .. }) || probe.has_code(op);
        block.is_some_and(|block| block.ops.iter().all(&mut has))
    }

    /// One way or the other, by registers or by chance.
    fn choice(&mut self, depth: usize) {
        let (other, end) = (self.label(), self.label());
        if self.rng.chance(1, 2) {
            let of = self.rng.pick(&[2, 2, 4, 30, 300]);
            self.question(of, other);
        } else {
            let op = self.rng.pick(&[Op::Beq, Op::Bne, Op::Blt, Op::Bge, Op::Bltu, Op::Bgeu]);
            let (rs1, rs2) = (self.rng.register(u32::MAX), self.rng.register(u32::MAX));
            self.items.push(Item::Branch { op, rs1, rs2, to: other });
        }
        self.some(depth, 2);
        if self.rng.chance(1, 2) {
            self.items.push(Item::Jump { rd: 0, to: end });
            self.items.push(Item::Label(other));
            self.some(depth, 2);
        } else {
            self.items.push(Item::Label(other));
        }
        self.items.push(Item::Label(end));
    }

    /// An access to an element: the sum is in a register, or is made in pieces.
    fn element(&mut self) {
        let (index, sum, data) = (self.free(), self.free(), self.free());
        let (base, shift) = (self.rng.pick(&roles::POINTERS), self.rng.between(20, 50));
        let add = self.rng.pick(&[Op::Add, Op::Add, Op::Sh1add, Op::Sh2add, Op::Sh3add, Op::AddUw, Op::Addw]);
        let load =
            self.rng.pick(&[Op::Ld, Op::Lw, Op::Lwu, Op::Lh, Op::Lhu, Op::Lb, Op::Lbu, Op::Fld, Op::Flw]);
        let store = self.rng.pick(&[Op::Sd, Op::Sw, Op::Sh, Op::Sb, Op::Fsd, Op::Fsw]);
        let (is_store, offset) = (self.rng.chance(1, 2), self.rng.between(-64, 64));
        self.code(|asm| _ = asm.i(Op::Srli, index, roles::NOISE, shift));
        self.code(|asm| _ = asm.i(Op::Andi, index, index, 0xf8));
        self.code(|asm| _ = asm.r(add, sum, index, base));
        self.code(|asm| {
            match is_store {
                true => asm.s(store, sum, data, offset),
                false => asm.i(load, data, sum, offset),
            };
        });
    }

    /// Moves a pointer, which walks off its pages in the end.
    fn step(&mut self) {
        let pointer = self.rng.pick(&roles::POINTERS);
        let by = self.rng.pick(&[8, 8, 16, 64, -8, -16, -64, 1, 4]);
        self.code(|asm| _ = asm.i(Op::Addi, pointer, pointer, by));
    }

    /// Calls a function, by its address or by a pointer.
    fn call(&mut self) {
        if self.functions.is_empty() {
            return self.straight();
        }
        let to = self.rng.pick(&self.functions);
        if self.rng.chance(2, 3) {
            return self.items.push(Item::Jump { rd: 1, to });
        }
        let (target, over, odd) = (29, self.label(), i64::from(self.rng.chance(1, 8)));
        let (of, second) = (self.rng.pick(&[2, 8]), self.rng.pick(&self.functions));
        self.items.push(Item::Address { rd: target, to, plus: odd });
        self.question(of, over);
        self.items.push(Item::Address { rd: target, to: second, plus: 0 });
        self.items.push(Item::Label(over));
        if self.rng.chance(1, 3) {
            // The register of the target is that of the link.
            self.code(|asm| _ = asm.i(Op::Addi, 1, target, 0).i(Op::Jalr, 1, 1, 0));
        } else {
            self.code(|asm| _ = asm.i(Op::Jalr, 1, target, 0));
        }
    }

    /// A computed jump to one of a few places.
    fn switch(&mut self, depth: usize) {
        let (end, table) = (self.label(), self.label());
        let (target, index, shift) = (29, 30, self.rng.between(20, 50));
        let ways = self.rng.pick(&[2usize, 4]);
        let odd = i64::from(self.rng.chance(1, 8));
        self.items.push(Item::Address { rd: target, to: table, plus: odd });
        self.code(|asm| {
            asm.i(Op::Srli, index, roles::NOISE, shift).i(Op::Andi, index, index, ways as i64 - 1);
            asm.r(Op::Sh2add, target, index, target).i(Op::Jalr, 0, target, 0);
        });
        let places: Vec<u32> = (0..ways).map(|_| self.label()).collect();
        self.items.push(Item::Label(table));
        self.items.extend(places.iter().map(|&to| Item::Jump { rd: 0, to }));
        for place in places {
            self.items.push(Item::Label(place));
            self.some(depth, 1);
            self.items.push(Item::Jump { rd: 0, to: end });
        }
        self.items.push(Item::Label(end));
    }

    /// What is not done often: system calls, counters, other rounding modes, traps, code that changes.
    fn seldom(&mut self) {
        let over = self.label();
        let of = self.rng.pick(&[20, 200]);
        // Most times it goes on behind.
        self.ask(of);
        self.items.push(Item::Branch { op: Op::Beq, rs1: 30, rs2: 0, to: over });
        let (rd, rs) = (self.free(), self.rng.register(u32::MAX));
        match self.rng.below(8) {
            0 | 1 => self.code(|asm| _ = asm.bare(Op::Ecall)),
            2 => self.code(|asm| _ = asm.i(Op::Csrrs, rd, 0, csr::INSTRET)),
            3 => {
                let mode = self.rng.below(4) as u8;
                self.code(|asm| _ = asm.i(Op::Csrrwi, rd, mode, csr::FRM));
            }
            4 => self.code(|asm| _ = asm.i(Op::Csrrw, rd, rs, csr::FFLAGS)),
            5 => self.code(|asm| _ = asm.bare(Op::Ebreak)),
            6 => self.code(|asm| _ = asm.i(Op::Csrrs, rd, 0, csr::FFLAGS)),
            _ if self.changes_code => self.change(),
            _ => self.code(|asm| _ = asm.bare(Op::FenceI)),
        }
        self.items.push(Item::Label(over));
    }

    /// Writes the instruction behind: an addition of a number that depends on chance.
    fn change(&mut self) {
        let (place, rd) = (self.label(), self.free());
        let (a, b) = (29, 30);
        let addi =
            crate::guest::riscv::encode::encode(&Insn { rd, rs1: rd, ..insn(Op::Addi) }).unwrap_or(0x13);
        self.items.push(Item::Address { rd: roles::PATCH, to: place, plus: 0 });
        self.code(|asm| {
            asm.i(Op::Srli, a, roles::NOISE, 40).i(Op::Slli, a, a, 20).li(b, u64::from(addi));
            asm.r(Op::Or, a, a, b).s(Op::Sw, roles::PATCH, a, 0).bare(Op::FenceI);
        });
        self.items.push(Item::Label(place));
        self.code(|asm| _ = asm.i(Op::Addi, rd, rd, 0));
    }
}

/// Where a program's data begin, and how many pages there are; behind them are some that come and go.
pub const DATA: GuestAddr = 0x1000_0000;
pub const PAGES: u64 = 3;
