//! Random regions for the passes of the optimiser: what they do is what their blocks do, one after the other, before
//! every pass and after it.

use super::fuzz::Choices;
use crate::base::{RegId, FIRST_TEMP};
use crate::ir::ops::{Effect, Operand, RoundMode, ROWS};
use crate::ir::{Cond, IRBlock, IROp, Terminator};
use crate::opt::build::{build, Host};
use crate::opt::eval::{self, End, Event, Machine, Memory, Run, Seen, MAPPED, REGS};
use crate::opt::func::Func;
use crate::opt::passes::{Level, PASSES};
use crate::opt::peel::whole;
use crate::opt::region::{Edge, EdgeKind, Recording, Region, RegionBlock};
use crate::opt::text::show;
use crate::opt::verify::verify;

/// Registers in use: return address, stack pointer, others; floating-point ones.
const INTS: &[RegId] = &[1, 2, 5, 10, 11, 12, 13];
const FLOATS: &[RegId] = &[40, 41, 42];
/// Those that mostly hold addresses.
const BASES: &[RegId] = &[2, 2, 2, 10, 11];
const OFFSETS: &[i64] = &[0, 8, 16, 24, -8, 4, 12, 2, 1, 9];
const NUMBERS: &[i64] =
    &[0, 1, -1, 2, 3, 4, 8, 16, 24, 31, 32, 48, 56, 63, 255, 0xff00, 0xffff, -16, 2047, -2048];
/// Fuel of a run.
const LIMIT: u32 = 120;

/// Address of a block.
fn pc(block: usize) -> u64 {
    0x1_0000 + 0x100 * block as u64
}

struct Generator<'a, 'b> {
    choices: &'a mut Choices<'b>,
    pure: Vec<usize>,
}

impl Generator<'_, '_> {
    fn below(&mut self, count: usize) -> usize {
        usize::from(self.choices.byte()) % count
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// A source; sometimes zero.
    fn source(&mut self) -> RegId {
        if self.below(8) == 0 {
            0
        } else {
            self.pick(INTS)
        }
    }

    /// An operation without effects on integers.
    fn pure(&mut self) -> IROp {
        let row = self.below(256) % self.pure.len();
        let mut op = IROp::blank(self.pure[row]).unwrap_or(IROp::Fence {});
        op.operands(&mut |operand| match operand {
            Operand::Def(reg) => *reg = self.pick(INTS),
            Operand::Use(reg) => *reg = self.source(),
            Operand::Imm(imm) => *imm = self.pick(NUMBERS),
            _ => {}
        });
        op
    }

    fn access(&mut self) -> IROp {
        let (dst, src, base, offset) = (self.pick(INTS), self.source(), self.pick(BASES), self.pick(OFFSETS));
        let float = self.pick(FLOATS);
        match self.below(16) {
            0 | 1 => IROp::Load { dst, base, offset },
            2 => IROp::LoadU32 { dst, base, offset },
            3 => IROp::LoadS32 { dst, base, offset },
            4 => IROp::LoadU16 { dst, base, offset },
            5 => IROp::LoadS16 { dst, base, offset },
            6 => IROp::LoadU8 { dst, base, offset },
            7 => IROp::LoadS8 { dst, base, offset },
            8 | 9 => IROp::Store { src, base, offset },
            10 => IROp::Store32 { src, base, offset },
            11 => IROp::Store16 { src, base, offset },
            12 => IROp::Store8 { src, base, offset },
            13 => IROp::Load { dst: float, base, offset },
            14 => IROp::Store { src: float, base, offset },
            _ => match self.below(2) {
                0 => IROp::LoadF32 { dst: float, base, offset },
                _ => IROp::Store32 { src: float, base, offset },
            },
        }
    }

    fn other(&mut self) -> IROp {
        let (dst, src, base) = (self.pick(FLOATS), self.pick(FLOATS), self.pick(BASES));
        let (int, from) = (self.pick(INTS), self.source());
        let rm = RoundMode::Dynamic;
        let order = crate::ir::ops::Order::Relaxed;
        match self.below(8) {
            0 => IROp::AddF64 { dst, src1: src, src2: self.pick(FLOATS), rm },
            1 => IROp::MulF32 { dst, src1: src, src2: self.pick(FLOATS), rm },
            2 => IROp::Copy { dst, src: from },
            3 => IROp::Copy { dst: int, src },
            4 => IROp::LtF64 { dst: int, src1: dst, src2: src },
            5 => IROp::AddAt64 { dst: int, src: from, base, order },
            6 => IROp::SwapAt32 { dst: int, src: from, base, order },
            _ => IROp::Fence {},
        }
    }

    /// A guest instruction.
    fn instruction(&mut self, ops: &mut Vec<IROp>) {
        let imm = self.pick(NUMBERS);
        match self.below(16) {
            0 => ops.push(IROp::Const { dst: self.pick(INTS), imm }),
            1 => ops.push(IROp::AddImm { dst: 2, src: 2, imm: self.pick(&[-16, 16]) }),
            2 => {
                let (dst, imm) = (self.pick(BASES), i64::from(MAPPED.0) + 8 * self.below(16) as i64);
                ops.push(IROp::Const { dst, imm });
            }
            3..=7 => ops.push(self.access()),
            8 => ops.push(self.other()),
            9 => {
                // Two operations, the first on a temporary.
                let temp = FIRST_TEMP;
                ops.push(IROp::AddImm { dst: temp, src: self.source(), imm });
                ops.push(IROp::Add { dst: self.pick(INTS), src1: temp, src2: self.source() });
            }
            _ => ops.push(self.pure()),
        }
    }

    fn terminator(&mut self, ops: &mut Vec<IROp>, count: usize) -> Terminator {
        let (to, or) = (self.below(count), self.below(count));
        match self.below(8) {
            0 => Terminator::Jump { target: pc(to) },
            1 | 2 => {
                ops.push(IROp::Const { dst: 1, imm: pc(or).cast_signed() });
                Terminator::Call { target: pc(to), return_to: pc(or) }
            }
            3 | 4 => Terminator::ReturnIndirect { base: 1, offset: 0 },
            _ => {
                let cond = self.pick(&Cond::ALL);
                let (src1, src2) = (self.source(), self.source());
                Terminator::Branch { cond, src1, src2, taken: pc(to), fallthrough: pc(or) }
            }
        }
    }

    fn block(&mut self, index: usize, count: usize) -> IRBlock {
        let mut ops = Vec::new();
        for at in 0..1 + self.below(9) as u64 {
            ops.push(IROp::Mark { pc: pc(index) + 4 * at });
            self.instruction(&mut ops);
        }
        ops.push(IROp::Mark { pc: pc(index) + 0x80 });
        let term = self.terminator(&mut ops, count);
        IRBlock { start_pc: pc(index), ops, term }
    }

    /// Blocks, and which of the ways between them are inside.
    fn region(&mut self) -> (Recording, Region) {
        let count = 1 + self.below(8);
        let blocks: Vec<IRBlock> = (0..count).map(|index| self.block(index, count)).collect();
        let mut edges: Vec<Vec<usize>> = Vec::new();
        for block in &blocks {
            let mut targets = match block.term {
                Terminator::Branch { taken, fallthrough, .. } => vec![taken, fallthrough],
                Terminator::Jump { target } | Terminator::Call { target, .. } => vec![target],
                _ => vec![pc(self.below(count)), pc(self.below(count))],
            };
            targets.sort_unstable();
            targets.dedup();
            let targets = targets.into_iter().filter(|_| self.below(8) != 0);
            let inside: Vec<usize> = targets.map(|target| ((target - pc(0)) / 0x100) as usize).collect();
            edges.push(inside);
        }
        let entries: Vec<usize> = (1..count).filter(|_| self.below(16) == 0).collect();
        let heads: Vec<usize> = std::iter::once(0).chain(entries).collect();
        let order = postorder(&heads, &edges);
        let place = |index: usize| order.iter().position(|&other| other == index);
        let region_block = |&index: &usize| {
            let edges = edges[index]
                .iter()
                .filter_map(|&to| Some(Edge { kind: EdgeKind::Goes, pc: pc(to), to: place(to)?, count: 2 }));
            RegionBlock {
                block: index,
                edges: edges.collect(),
                frames: Vec::new(),
                count: 1 + self.choices.byte() as u64,
                entry: heads.contains(&index),
            }
        };
        let region =
            Region { blocks: order.iter().map(region_block).collect(), score: 0, covered: 0, entries: 0 };
        (Recording { blocks, sequence: Vec::new() }, region)
    }

    fn machine(&mut self) -> Machine {
        let mut regs = [0; REGS];
        for &reg in INTS.iter().chain(FLOATS) {
            regs[usize::from(reg)] = self.choices.number();
        }
        regs[1] = pc(self.below(8));
        for &reg in BASES {
            let within = 8 * u64::from(self.choices.byte() % 80);
            regs[usize::from(reg)] =
                u64::from(MAPPED.0) + within + (u64::from(self.choices.byte() % 4) << 32);
        }
        Machine { regs, memory: Memory::default(), flags: 0 }
    }
}

/// Blocks that the heads lead to, in reverse postorder; the first head comes first.
fn postorder(heads: &[usize], edges: &[Vec<usize>]) -> Vec<usize> {
    fn visit(block: usize, edges: &[Vec<usize>], seen: &mut [bool], order: &mut Vec<usize>) {
        if !std::mem::replace(&mut seen[block], true) {
            edges[block].iter().for_each(|&to| visit(to, edges, seen, order));
            order.push(block);
        }
    }
    let (mut seen, mut order) = (vec![false; edges.len()], Vec::new());
    heads.iter().rev().for_each(|&head| visit(head, edges, &mut seen, &mut order));
    order.reverse();
    if let Some(first) = order.iter().position(|&block| block == 0) {
        order[..=first].rotate_right(1);
    }
    order
}

/// What the blocks of a region do, operation by operation.
fn reference(recording: &Recording, region: &Region, entry: usize, machine: &Machine) -> Run {
    let (mut machine, mut events, mut cost, mut at) = (machine.clone(), Vec::new(), 0, entry);
    let mut regs = [0; 256];
    regs[..REGS].copy_from_slice(&machine.regs);
    let end = 'run: loop {
        if cost >= LIMIT {
            break End::Stopped;
        }
        let inside = &region.blocks[at];
        let block = &recording.blocks[inside.block];
        cost += block.cost() as u32;
        let mut before = Seen { pc: 0, regs: machine.regs };
        for op in &block.ops {
            if let IROp::Mark { pc } = *op {
                before.pc = pc;
                before.regs.copy_from_slice(&regs[..REGS]);
                continue;
            }
            let (mut copy, mut args, mut count) = (*op, [0; 3], 0);
            copy.operands(&mut |operand| {
                if let Operand::Use(reg) = operand {
                    args[count] = regs[usize::from(*reg)];
                    count += 1;
                }
            });
            let Ok((result, written)) = machine.perform(op, args) else {
                break 'run End::Faulted(Box::new(before));
            };
            if let Some((at, bytes, value)) = written {
                events.push(Event::Write { at, bytes, value, before: before.clone() });
            }
            if let Some(dst) = op.def() {
                regs[usize::from(dst)] = result;
            }
        }
        let next = match block.term {
            Terminator::Branch { cond, src1, src2, taken, fallthrough } => {
                let holds = cond.holds(regs[usize::from(src1)], regs[usize::from(src2)]);
                if holds {
                    taken
                } else {
                    fallthrough
                }
            }
            ref term => eval::next_pc(term, term.uses().next().map_or(0, |reg| regs[usize::from(reg)])),
        };
        // An odd target leaves.
        let odd =
            matches!(block.term, Terminator::ReturnIndirect { base, .. } if regs[usize::from(base)] & 1 != 0);
        match inside.edges.iter().find(|edge| edge.kind == EdgeKind::Goes && edge.pc == next && !odd) {
            Some(edge) => at = edge.to,
            None => {
                before.pc = next;
                before.regs.copy_from_slice(&regs[..REGS]);
                break End::Left(Box::new(before));
            }
        }
    };
    Run { end, events, cost, memory: machine.memory, flags: machine.flags }
}

/// Runs from all entries on some machines.
fn runs(func: &Func, machines: &[Machine]) -> Vec<Run> {
    let entries = func.reached().filter(|id| func.blocks[id.index()].entry);
    entries
        .flat_map(|id| machines.iter().map(move |machine| eval::run(func, id, machine.clone(), LIMIT)))
        .collect()
}

/// Regions made from bytes: every pass leaves a well-formed function that does the same, and the first does what the
/// blocks do.
pub fn passes(data: &[u8]) {
    let mut choices = Choices(data);
    let has_class = |name: &str| !name.contains("F32") && !name.contains("F64");
    let apt = |index: &usize| ROWS[*index].effect == Effect::Pure && has_class(ROWS[*index].name.as_str());
    let pure = (0..ROWS.len()).filter(apt).collect();
    let mut generator = Generator { choices: &mut choices, pure };
    while !generator.choices.0.is_empty() {
        let (recording, region) = generator.region();
        let region = if generator.below(2) == 0 { region } else { whole(&recording, region, Level::O2) };
        let machines: Vec<Machine> = (0..3).map(|_| generator.machine()).collect();
        check(&recording, &region, &machines);
    }
}

fn check(recording: &Recording, region: &Region, machines: &[Machine]) {
    let mapped = [2, 10, 11, 40];
    let host = Host { has_code: &mut |_| true, mapped: &mapped };
    let mut func = build(recording, region, host).unwrap_or_else(|error| panic!("{error:?}"));
    let text = || recording.blocks.iter().map(IRBlock::to_string).collect::<String>();
    assert_eq!(verify(&func), Ok(()), "{}\n{}", text(), show(&func));
    let mut before = runs(&func, machines);
    let entries = (0..region.blocks.len()).filter(|&at| region.blocks[at].entry);
    let wanted = entries.flat_map(|at| machines.iter().map(move |machine| (at, machine)));
    for ((at, machine), run) in wanted.zip(&before) {
        let mut run = run.clone();
        run.events.retain(|event| !matches!(event, Event::Safepoint(_)));
        let reference = reference(recording, region, at, machine);
        assert!(
            run == reference,
            "build:\n{run:x?}\n{reference:x?}\n{}\n{region:?}\n{}",
            text(),
            show(&func)
        );
    }
    for pass in PASSES {
        let old = func.clone();
        (pass.run)(&mut func);
        let flaw = verify(&func);
        assert!(flaw == Ok(()), "{}: {flaw:?}\n{}\n{}", pass.name, show(&old), show(&func));
        let after = runs(&func, machines);
        for (before, after) in before.iter().zip(&after) {
            if before != after {
                panic!("{}:\n{before:x?}\n{after:x?}\n{}\n{}", pass.name, show(&old), show(&func));
            }
        }
        before = after;
    }
}

#[cfg(test)]
mod tests {
    use super::super::rng::Rng;
    use quickcheck::QuickCheck;

    #[test]
    fn passes_keep_what_random_regions_do() {
        fn holds(seed: u64, len: u16) -> bool {
            super::passes(&Rng::new(seed).bytes(usize::from(len % 1000)));
            true
        }
        QuickCheck::new().tests(1000).quickcheck(holds as fn(u64, u16) -> bool);
    }
}
