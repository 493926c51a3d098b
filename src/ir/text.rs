//! Text form of blocks; what is printed parses back to the same block.
//!
//! ```text
//! block 0x1000 {
//!   mark 0x1000
//!   load x1, x2, 0
//!   addf64 f3, f4, f5, dyn
//!   branch ne, x1, t0, 0x1010, 0x1004
//! }
//! ```
//! Operands stand in the order of the table's fields. Registers are `x0`-`x31`, `f0`-`f31`, `t0`-`t191`; a `#`
//! begins a comment.

use super::ops::{Operand, Order, RoundMode, ROWS};
use super::{Cond, IRBlock, IROp, Terminator};
use crate::base::error::Error;
use crate::base::{GuestAddr, RegId, FIRST_FLOAT, FIRST_TEMP};
use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

/// Name of a register in the text form.
pub fn register_name(reg: RegId) -> String {
    match reg {
        0..FIRST_FLOAT => format!("x{reg}"),
        FIRST_FLOAT..FIRST_TEMP => format!("f{}", reg - FIRST_FLOAT),
        FIRST_TEMP.. => format!("t{}", reg - FIRST_TEMP),
    }
}

impl fmt::Display for IROp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        let mut copy = *self;
        copy.operands(&mut |operand| {
            words.push(match operand {
                Operand::Def(reg) | Operand::Use(reg) => register_name(*reg),
                Operand::Imm(imm) => imm.to_string(),
                Operand::Addr(addr) => format!("{addr:#x}"),
                Operand::Mode(rm) => rm.name().to_string(),
                Operand::Sync(order) => order.name().to_string(),
            });
        });
        write_line(f, &self.info().mnemonic, &words)
    }
}

impl fmt::Display for Terminator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reg = register_name;
        let addr = |a: GuestAddr| format!("{a:#x}");
        let (name, words) = match *self {
            Terminator::Return => ("return", vec![]),
            Terminator::Jump { target } => ("jump", vec![addr(target)]),
            Terminator::Branch { cond, src1, src2, taken, fallthrough } => (
                "branch",
                vec![cond.name().to_string(), reg(src1), reg(src2), addr(taken), addr(fallthrough)],
            ),
            Terminator::JumpIndirect { base, offset } => ("jumpind", vec![reg(base), offset.to_string()]),
            Terminator::Call { target, return_to } => ("call", vec![addr(target), addr(return_to)]),
            Terminator::CallIndirect { base, offset, return_to } => {
                ("callind", vec![reg(base), offset.to_string(), addr(return_to)])
            }
            Terminator::ReturnIndirect { base, offset } => ("retind", vec![reg(base), offset.to_string()]),
            Terminator::Syscall { next } => ("syscall", vec![addr(next)]),
            Terminator::SyncCode { next } => ("synccode", vec![addr(next)]),
            Terminator::Breakpoint => ("breakpoint", vec![]),
            Terminator::Illegal => ("illegal", vec![]),
        };
        write_line(f, name, &words)
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, mnemonic: &str, words: &[String]) -> fmt::Result {
    match words {
        [] => write!(f, "{mnemonic}"),
        words => write!(f, "{mnemonic} {}", words.join(", ")),
    }
}

impl fmt::Display for IRBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "block {:#x} {{", self.start_pc)?;
        for op in &self.ops {
            writeln!(f, "  {op}")?;
        }
        writeln!(f, "  {}", self.term)?;
        writeln!(f, "}}")
    }
}

/// Parses all blocks of a text.
///
/// # Errors
/// `Error::Parse` with the line (from 1) and the first defect. Blocks are not verified (see `ir::verify`).
pub fn parse(text: &str) -> Result<Vec<IRBlock>, Error> {
    let mut blocks = Vec::new();
    let mut open: Option<(IRBlock, bool)> = None;
    let mut number = 0;
    for (index, line) in text.lines().enumerate() {
        number = index + 1;
        let line = line.split('#').next().unwrap_or("").trim();
        let fail = |why| Error::Parse { line: number, why };
        match (line, &mut open) {
            ("", _) => {}
            ("}", Some((_, true))) => blocks.extend(open.take().map(|(block, _)| block)),
            ("}", _) => return Err(fail("a block must end with a terminator")),
            (line, None) => {
                let start = line.strip_prefix("block ").and_then(|rest| rest.strip_suffix('{'));
                let start_pc =
                    start.and_then(|s| address(s.trim())).ok_or_else(|| fail("expected 'block PC {'"))?;
                open = Some((IRBlock { start_pc, ops: Vec::new(), term: Terminator::Return }, false));
            }
            (_, Some((_, true))) => return Err(fail("operation after the terminator")),
            (line, Some((block, ended))) => match parse_line(line).map_err(fail)? {
                Line::Op(op) => block.ops.push(op),
                Line::Term(term) => (block.term, *ended) = (term, true),
            },
        }
    }
    match open {
        Some(_) => Err(Error::Parse { line: number, why: "the block is not closed" }),
        None => Ok(blocks),
    }
}

enum Line {
    Op(IROp),
    Term(Terminator),
}

fn parse_line(line: &str) -> Result<Line, &'static str> {
    let (mnemonic, rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut words = Words(rest.split(',').map(str::trim).filter(|word| !word.is_empty()));
    let parsed = match mnemonics().get(mnemonic) {
        Some(&index) => Line::Op(parse_op(index, &mut words)?),
        None => Line::Term(parse_terminator(mnemonic, &mut words)?),
    };
    match words.0.next() {
        Some(_) => Err("too many operands"),
        None => Ok(parsed),
    }
}

fn parse_op<'a>(
    index: usize,
    words: &mut Words<impl Iterator<Item = &'a str>>,
) -> Result<IROp, &'static str> {
    let mut op = IROp::blank(index).ok_or("unknown operation")?;
    let mut result = Ok(());
    op.operands(&mut |operand| {
        let read = match operand {
            Operand::Def(reg) | Operand::Use(reg) => words.register().map(|value| *reg = value),
            Operand::Imm(imm) => words.integer().map(|value| *imm = value),
            Operand::Addr(addr) => words.address().map(|value| *addr = value),
            Operand::Mode(rm) => words.one_of(&RoundMode::ALL, RoundMode::name).map(|value| *rm = value),
            Operand::Sync(order) => words.one_of(&Order::ALL, Order::name).map(|value| *order = value),
        };
        if result.is_ok() {
            result = read;
        }
    });
    result.map(|()| op)
}

fn parse_terminator<'a>(
    mnemonic: &str,
    words: &mut Words<impl Iterator<Item = &'a str>>,
) -> Result<Terminator, &'static str> {
    Ok(match mnemonic {
        "return" => Terminator::Return,
        "jump" => Terminator::Jump { target: words.address()? },
        "branch" => Terminator::Branch {
            cond: words.one_of(&Cond::ALL, Cond::name)?,
            src1: words.register()?,
            src2: words.register()?,
            taken: words.address()?,
            fallthrough: words.address()?,
        },
        "jumpind" => Terminator::JumpIndirect { base: words.register()?, offset: words.integer()? },
        "call" => Terminator::Call { target: words.address()?, return_to: words.address()? },
        "callind" => Terminator::CallIndirect {
            base: words.register()?,
            offset: words.integer()?,
            return_to: words.address()?,
        },
        "retind" => Terminator::ReturnIndirect { base: words.register()?, offset: words.integer()? },
        "syscall" => Terminator::Syscall { next: words.address()? },
        "synccode" => Terminator::SyncCode { next: words.address()? },
        "breakpoint" => Terminator::Breakpoint,
        "illegal" => Terminator::Illegal,
        _ => return Err("unknown operation"),
    })
}

/// Row index by mnemonic.
fn mnemonics() -> &'static HashMap<&'static str, usize> {
    static MAP: OnceLock<HashMap<&'static str, usize>> = OnceLock::new();
    MAP.get_or_init(|| ROWS.iter().enumerate().map(|(index, row)| (&*row.mnemonic, index)).collect())
}

/// The operands of a line, read one by one.
struct Words<I>(I);

impl<'a, I: Iterator<Item = &'a str>> Words<I> {
    fn next(&mut self) -> Result<&'a str, &'static str> {
        self.0.next().ok_or("missing operand")
    }

    fn register(&mut self) -> Result<RegId, &'static str> {
        let word = self.next()?;
        let bad = "expected a register";
        let (first, size, number) = match word.split_at_checked(1).ok_or(bad)? {
            ("x", number) => (0, FIRST_FLOAT, number),
            ("f", number) => (FIRST_FLOAT, FIRST_TEMP - FIRST_FLOAT, number),
            ("t", number) => (FIRST_TEMP, RegId::MAX - FIRST_TEMP + 1, number),
            _ => return Err(bad),
        };
        let number: RegId = number.parse().map_err(|_| bad)?;
        if number >= size {
            return Err("no such register");
        }
        Ok(first + number)
    }

    fn integer(&mut self) -> Result<i64, &'static str> {
        self.next()?.parse().map_err(|_| "expected an integer")
    }

    fn address(&mut self) -> Result<GuestAddr, &'static str> {
        address(self.next()?).ok_or("expected an address (0x…)")
    }

    fn one_of<T: Copy>(&mut self, all: &[T], name: fn(T) -> &'static str) -> Result<T, &'static str> {
        let word = self.next()?;
        all.iter().copied().find(|&item| name(item) == word).ok_or("unknown name")
    }
}

fn address(word: &str) -> Option<GuestAddr> {
    GuestAddr::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_round_trips() {
        let mut ops: Vec<IROp> = (0..ROWS.len()).filter_map(IROp::blank).collect();
        let mut next = 1u8;
        for op in &mut ops {
            op.operands(&mut |operand| {
                next = next.wrapping_mul(5).wrapping_add(1);
                match operand {
                    Operand::Def(reg) | Operand::Use(reg) => *reg = next,
                    Operand::Imm(imm) => *imm = i64::from(next) << 40 ^ i64::MIN,
                    Operand::Addr(addr) => *addr = u64::MAX - u64::from(next),
                    Operand::Mode(rm) => *rm = RoundMode::ALL[usize::from(next) % 6],
                    Operand::Sync(order) => *order = Order::ALL[usize::from(next) % 4],
                }
            });
        }
        let terms = [
            Terminator::Return,
            Terminator::Jump { target: 16 },
            Terminator::Branch { cond: Cond::Ltu, src1: 1, src2: 255, taken: 4, fallthrough: 8 },
            Terminator::JumpIndirect { base: 40, offset: -4 },
            Terminator::Call { target: 1 << 40, return_to: 3 },
            Terminator::CallIndirect { base: 5, offset: 2047, return_to: 99 },
            Terminator::ReturnIndirect { base: 1, offset: 0 },
            Terminator::Syscall { next: 8 },
            Terminator::SyncCode { next: 12 },
            Terminator::Breakpoint,
            Terminator::Illegal,
        ];
        let blocks: Vec<IRBlock> =
            terms.map(|term| IRBlock { start_pc: 0x1000, ops: ops.clone(), term }).into();
        let text: String = blocks.iter().map(IRBlock::to_string).collect();
        assert_eq!(parse(&text).unwrap(), blocks);
    }

    #[test]
    fn defects_are_named_with_their_line() {
        for (text, line, why) in [
            ("blok 0x0 {", 1, "expected 'block PC {'"),
            ("block 0x0 {\n nop\n}", 2, "unknown operation"),
            ("block 0x0 {\n\n add x1, x2\n}", 3, "missing operand"),
            ("block 0x0 {\n add x1, x2, x32\n}", 2, "no such register"),
            ("block 0x0 {\n add x1, x2, é1\n}", 2, "expected a register"),
            ("block 0x0 {\n return\n copy x1, x2\n}", 3, "operation after the terminator"),
            ("block 0x0 {\n}", 2, "a block must end with a terminator"),
            ("block 0x0 {\n return", 2, "the block is not closed"),
            ("block 0x0 {\n return 5\n}", 2, "too many operands"),
        ] {
            match parse(text) {
                Err(Error::Parse { line: l, why: w }) => assert_eq!((l, w), (line, why), "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
