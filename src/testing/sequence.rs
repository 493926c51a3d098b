//! Random sequences of instructions over every row of the RISC-V tables.
//!
//! A sequence always ends: jumps and branches lead forwards, but for one loop whose counter nothing else writes.
//! Memory instructions use pointers that nothing writes. Rows are dealt like cards, so that every row comes as often
//! as every other. An item of a sequence may be dropped and the rest still makes sense, which is what minimising needs.

use super::asm::{csr, insn, Asm};
use super::case::{Case, Registers, SCRATCH};
use super::rng::Rng;
use super::values::Operands;
use crate::guest::riscv::compressed::COMPRESSED;
use crate::guest::riscv::decode::decode;
use crate::guest::riscv::disasm::disassemble;
use crate::guest::riscv::insn::{Insn, Op, Row, ROWS};
use crate::guest::riscv::operand::{Imm, Operand};
use crate::guest::riscv::sample::{self, sample};

/// Rows that a sequence cannot hold because control would not come back; each has a test of its own.
pub const SPECIAL: [Op; 2] = [Op::Ecall, Op::Ebreak];

/// Most items that a compressed branch skips: its reach of 254 bytes divided by the longest item.
const SHORT_SKIP: usize = 12;
const SP: u8 = 2;

/// All rows: of 32-bit instructions, then of 16-bit ones. Rows are known by their index in here.
pub fn all_rows() -> impl Iterator<Item = &'static Row> + Clone {
    ROWS.iter().chain(COMPRESSED)
}

/// What the registers of one sequence are for. No role is `ra`, which `c.jalr` must be free to write.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Pointers that compressed instructions reach (x8-x15).
    short: [u8; 2],
    /// Another pointer, by which the case finds its block again.
    anchor: u8,
    /// Counts the loop down.
    counter: u8,
}

impl Plan {
    fn new(rng: &mut Rng) -> Plan {
        let mut free = !0b111;
        let mut take = |among: u32| {
            let reg = rng.register(free & among);
            free &= !(1 << reg);
            reg
        };
        let short = [take(0xff00), take(0xff00)];
        Plan { short, anchor: take(u32::MAX), counter: take(u32::MAX) }
    }

    fn bases(&self) -> u32 {
        1 << SP | self.short.iter().fold(1 << self.anchor, |mask, reg| mask | 1 << reg)
    }

    /// What may be written.
    fn writable(&self) -> u32 {
        !(self.bases() | 1 << self.counter)
    }
}

/// A piece of a sequence.
#[derive(Clone, Debug)]
enum Item {
    /// Instructions that stay where they are put.
    Code(Vec<u8>),
    /// A jump or branch of a row to the item `to`.
    Jump { row: &'static Row, rd: u8, rs1: u8, rs2: u8, to: usize, odd: bool },
    /// Counts down and goes back to the item `to` while the counter is positive.
    Loop { counter: u8, to: usize },
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Item::Code(code) => code.len(),
            Item::Jump { row, .. } => match (row.op, row.length()) {
                (Op::Jalr, 4) => 8,
                (Op::Jalr, _) => 10,
                (_, length) => usize::from(length),
            },
            Item::Loop { .. } => 8,
        }
    }

    /// Writes the item, `distance` bytes before its target.
    fn write(&self, asm: &mut Asm, distance: i64) {
        match *self {
            Item::Code(ref code) => asm.code.extend(code),
            Item::Loop { counter, .. } => {
                asm.i(Op::Addi, counter, counter, -1).s(Op::Blt, 0, counter, distance - 4);
            }
            Item::Jump { row, rd, rs1, rs2, odd, .. } => match (row.op, row.length()) {
                // The target is computed; bit 0 is ignored.
                (Op::Jalr, 4) => {
                    asm.u(Op::Auipc, rs1, 0).i(Op::Jalr, rd, rs1, distance | i64::from(odd));
                }
                (Op::Jalr, _) => {
                    asm.u(Op::Auipc, rs1, 0).i(Op::Addi, rs1, rs1, distance | i64::from(odd));
                    asm.half((row.bits | row.format.layout().rs1.put(rs1)) as u16);
                }
                (op, 4) => {
                    asm.insn(Insn { rd, rs1, rs2, imm: distance, ..insn(op) });
                }
                _ => {
                    let layout = row.format.layout();
                    asm.half((row.bits | layout.rs1.put(rs1) | layout.imm.scatter(distance)) as u16);
                }
            },
        }
    }
}

/// A random program of a few dozen instructions with its operands.
#[derive(Clone, Debug)]
pub struct Sequence {
    items: Vec<Item>,
    /// Registers and memory; the code is put in by [`Sequence::case`].
    start: Case,
}

impl Sequence {
    /// Number of items that can be dropped.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is nothing left to drop.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The case with all items.
    pub fn case(&self) -> Case {
        self.case_without(&vec![false; self.len()])
    }

    /// The case without the items marked in `dropped`; jumps to one of them lead to what follows it.
    pub fn case_without(&self, dropped: &[bool]) -> Case {
        let mut offsets = vec![0];
        for (item, dropped) in self.items.iter().zip(dropped) {
            let end = offsets[offsets.len() - 1] + if *dropped { 0 } else { item.len() };
            offsets.push(end);
        }
        let mut asm = Asm::new();
        for (index, item) in self.items.iter().enumerate().filter(|(index, _)| !dropped[*index]) {
            let to = match item {
                Item::Code(_) => index,
                Item::Jump { to, .. } | Item::Loop { to, .. } => *to,
            };
            item.write(&mut asm, offsets[to] as i64 - offsets[index] as i64);
        }
        Case { code: asm.code, ..self.start.clone() }
    }
}

/// The code as text, one instruction per line, as if it lay at `pc`.
pub fn listing(code: &[u8], pc: u64) -> Vec<String> {
    let (mut lines, mut at) = (Vec::new(), 0);
    while at + 2 <= code.len() {
        let half = u32::from(u16::from_le_bytes([code[at], code[at + 1]]));
        let (word, len) = match code.get(at + 2..at + 4) {
            Some(high) if half & 3 == 3 => {
                (u32::from(u16::from_le_bytes([high[0], high[1]])) << 16 | half, 4)
            }
            _ => (half, 2),
        };
        let at_pc = pc + at as u64;
        let hex = if len == 4 { format!("{word:08x}") } else { format!("    {word:04x}") };
        lines.push(format!("{at_pc:#x}  {hex}  {}", disassemble(word, at_pc)));
        at += len;
    }
    lines
}

/// Makes sequences and counts how often it used each row.
#[derive(Debug)]
pub struct Generator {
    rng: Rng,
    operands: Operands,
    rows: Vec<&'static Row>,
    deck: Vec<usize>,
    /// How often each row of [`all_rows`] was used.
    pub counts: Vec<u64>,
}

impl Generator {
    /// A generator; equal seeds give equal sequences.
    pub fn new(seed: u64) -> Generator {
        let rows: Vec<_> = all_rows().collect();
        let counts = vec![0; rows.len()];
        Generator { rng: Rng::new(seed), operands: Operands::default(), rows, deck: Vec::new(), counts }
    }

    /// The next sequence.
    pub fn sequence(&mut self) -> Sequence {
        let plan = Plan::new(&mut self.rng);
        let count = 20 + self.rng.below(41);
        let mut items = Vec::new();
        while items.len() < count {
            self.deal(&plan, &mut items);
        }
        self.add_loop(&plan, &mut items);
        // Jumps were made before the number of items was known.
        let end = items.len();
        for item in &mut items {
            if let Item::Jump { to, .. } = item {
                *to = (*to).min(end);
            }
        }
        Sequence { items, start: self.start(&plan) }
    }

    /// What a sequence starts from.
    fn start(&mut self, plan: &Plan) -> Case {
        let (rng, operands) = (&mut self.rng, &self.operands);
        let mut input = Registers::ZERO;
        for x in &mut input.x[1..] {
            *x = operands.integer(rng);
        }
        for f in &mut input.f {
            *f = operands.float(rng);
        }
        input.x[usize::from(plan.counter)] = 1 + rng.below(3) as u64;
        let flags = if rng.chance(1, 2) { 0 } else { rng.below(32) as u64 };
        input.fcsr = flags | (rng.below(5) as u64) << 5;
        // Near each other, so that accesses through different pointers meet; aligned for atomics.
        let pointers =
            [SP, plan.short[0], plan.short[1], plan.anchor].map(|reg| (reg, rng.between(-8, 8) * 8));
        let scratch = rng.bytes(SCRATCH);
        Case { code: Vec::new(), input, pointers: pointers.to_vec(), anchor: plan.anchor, scratch }
    }

    /// Adds items for the next row of the deck.
    fn deal(&mut self, plan: &Plan, items: &mut Vec<Item>) {
        let Some(index) = self.deck.pop() else { return self.shuffle() };
        self.counts[index] += 1;
        let row = self.rows[index];
        match row.op {
            Op::Jal | Op::Jalr | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => {
                let item = self.jump(plan, row, items.len());
                items.push(item);
            }
            Op::Csrrw | Op::Csrrs | Op::Csrrc | Op::Csrrwi | Op::Csrrsi | Op::Csrrci => {
                items.push(Item::Code(self.csr(plan, row.op)));
            }
            Op::LrW | Op::LrD => items.push(Item::Code(self.reserve(plan, row))),
            Op::ScW => items.push(Item::Code(self.unreserved(plan, row))),
            _ => items.push(Item::Code(self.plain(plan, row))),
        }
    }

    /// A new deck: every row once, in random order.
    fn shuffle(&mut self) {
        self.deck = (0..self.rows.len()).filter(|i| !SPECIAL.contains(&self.rows[*i].op)).collect();
        for last in (1..self.deck.len()).rev() {
            self.deck.swap(last, self.rng.below(last + 1));
        }
    }

    /// A random encoding of the row whose destinations and pointers are those of the plan.
    fn draw(&mut self, plan: &Plan, row: &Row) -> u32 {
        let writable = plan.writable() | if row.name == "c.addi16sp" { 1 << SP } else { 0 };
        let registers = sample::Registers { dest: writable, source: u32::MAX, base: plan.bases() };
        let drawn = sample(row, &registers, &mut || self.rng.bits());
        drawn.unwrap_or_else(|| panic!("{} has no encoding with {registers:x?}", row.name))
    }

    /// Instructions that neither jump nor touch a CSR.
    fn plain(&mut self, plan: &Plan, row: &Row) -> Vec<u8> {
        let mut word = self.draw(plan, row);
        let mut asm = Asm::new();
        if row.length() == 4 {
            if has_offset(row) && self.rng.chance(1, 2) {
                word = with_offset(row, word, self.rng.between(-20, 20));
            }
            return asm.word(word).code.clone();
        }
        asm.half(word as u16);
        if row.name == "c.addi16sp" {
            // Shows the value, and puts it back.
            let (seen, moved) =
                (self.rng.register(plan.writable() & !1), decode(word).map_or(0, |insn| insn.imm));
            asm.r(Op::Add, seen, SP, 0).i(Op::Addi, SP, SP, -moved);
        }
        asm.code
    }

    /// A load-reserved, mostly followed by a store-conditional: of the same width and to the same place, or not.
    fn reserve(&mut self, plan: &Plan, row: &Row) -> Vec<u8> {
        let word = self.draw(plan, row);
        let mut code = word.to_le_bytes().to_vec();
        let Some(reserved) = decode(word).filter(|_| self.rng.chance(4, 5)) else { return code };
        for _ in 0..self.rng.below(3) {
            let filler = self.rng.pick(&[Op::Add, Op::Xori, Op::Sd, Op::Sw]);
            code.extend(self.plain(plan, filler.row()));
        }
        let op = if row.op == Op::LrW && self.rng.chance(4, 5) { Op::ScW } else { Op::ScD };
        let drawn = self.draw(plan, op.row());
        let same_place = self.rng.chance(4, 5);
        match decode(drawn).filter(|_| same_place) {
            Some(conditional) => {
                code.extend(Asm::new().insn(Insn { rs1: reserved.rs1, ..conditional }).code.clone())
            }
            None => code.extend(drawn.to_le_bytes()),
        }
        code
    }

    /// A store-conditional of 32 bits that meets no reservation. After `lr.d` to the same address the manual leaves
    /// its outcome open (13.2), and qemu stores and reports failure.
    fn unreserved(&mut self, plan: &Plan, row: &Row) -> Vec<u8> {
        let mut code = self.draw(plan, Op::ScD.row()).to_le_bytes().to_vec();
        code.extend(self.draw(plan, row).to_le_bytes());
        code
    }

    /// An access to a floating-point CSR; a reserved rounding mode is seen but not left behind.
    fn csr(&mut self, plan: &Plan, op: Op) -> Vec<u8> {
        let number = self.rng.pick(&[csr::FFLAGS, csr::FRM, csr::FCSR]);
        let mut asm = Asm::new();
        let (rd, rs1) = (self.rng.register(plan.writable()), self.rng.register(u32::MAX));
        asm.i(op, rd, rs1, number);
        if self.rng.chance(1, 3) {
            asm.i(Op::Csrrs, self.rng.register(plan.writable()), 0, csr::FCSR);
        }
        if number != csr::FFLAGS {
            let old = if self.rng.chance(1, 2) { 0 } else { self.rng.register(plan.writable()) };
            asm.i(Op::Csrrwi, old, self.rng.below(5) as u8, csr::FRM);
        }
        asm.code
    }

    /// A jump or branch forwards.
    fn jump(&mut self, plan: &Plan, row: &'static Row, index: usize) -> Item {
        let far = if self.rng.chance(1, 8) { SHORT_SKIP } else { 4 };
        let to = index + 1 + self.rng.below(far);
        let places = row.format.layout();
        let (any, writable) = (u32::MAX, plan.writable());
        let mut rd = self.rng.register(writable & places.rd.registers());
        let rs1_mask = if row.op == Op::Jalr { writable & !1 } else { any };
        let rs1 = self.rng.register(rs1_mask & places.rs1.registers());
        let mut rs2 = self.rng.register(any & places.rs2.registers());
        if self.rng.chance(1, 4) && row.length() == 4 {
            rs2 = rs1;
        }
        if self.rng.chance(1, 4) && row.op == Op::Jalr && row.length() == 4 {
            rd = rs1;
        }
        Item::Jump { row, rd, rs1, rs2, to, odd: self.rng.chance(1, 2) }
    }

    /// Puts a loop around a few items. Jumps keep their targets: into the loop, out of it or inside.
    fn add_loop(&mut self, plan: &Plan, items: &mut Vec<Item>) {
        if self.rng.chance(1, 3) {
            return;
        }
        let to = self.rng.below(items.len() - 4);
        let at = to + 2 + self.rng.below((items.len() - to - 2).min(16));
        for item in items.iter_mut() {
            match item {
                Item::Jump { to, .. } if *to > at => *to += 1,
                _ => {}
            }
        }
        items.insert(at, Item::Loop { counter: plan.counter, to });
    }
}

/// Whether the row accesses memory at a pointer plus a 12-bit offset.
fn has_offset(row: &Row) -> bool {
    let operands = row.format.layout().operands;
    operands.iter().any(|operand| matches!(operand, Operand::Memory(Imm::I | Imm::S, _)))
}

/// The same access at another offset, close to the pointer, where other accesses are; or what is no such access.
pub(super) fn with_offset(row: &Row, word: u32, offset: i64) -> u32 {
    let moved = || {
        let insn = decode(word).filter(|_| has_offset(row))?;
        crate::guest::riscv::encode::encode(&Insn { imm: offset, ..insn })
    };
    moved().unwrap_or(word)
}
