//! Properties that hold for arbitrary bytes. Each function is a fuzz target (`fuzz/`), and `tests/fuzz_smoke.rs` runs
//! it for a second. All panic if the property does not hold: that is a bug found.

use super::oracle::ENGINES;
pub use super::passes::passes;
pub use super::regalloc::{allocate as regalloc, moves};
#[cfg(feature = "linux")]
pub use super::syscalls::syscalls;
use crate::base::state::CpuState;
use crate::engine::dispatch::GuestExit;
use crate::engine::{ExecStatus, ExecutionEngine, Jit, Tier};
use crate::guest::riscv::decode::decode;
pub use crate::guest::riscv::sample::fuzz_decode as rv64_decode;
use crate::ir::ops::{Operand, Order, RoundMode, ROWS};
use crate::ir::text::parse;
use crate::ir::verify::verify;
use crate::ir::{Cond, IRBlock, IROp, Terminator};
use crate::mmu::{Backing, Prot, SoftMmu};

/// Bytes as a stream of choices; zeroes when they are used up.
pub(super) struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn word(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// Small, large or any.
    pub fn number(&mut self) -> u64 {
        match self.byte() % 4 {
            0 => u64::from(self.byte()),
            1 => u64::from(self.byte()).wrapping_neg(),
            2 => u64::from(self.byte()) << (self.byte() % 64),
            _ => self.word(),
        }
    }

    /// A register; few temporaries, so that blocks often read what they have written.
    fn register(&mut self) -> u8 {
        let byte = self.byte();
        if byte < 200 {
            byte % 64
        } else {
            64 + byte % 4
        }
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte()) % all.len()]
    }
}

/// Text: what parses prints back to itself; arbitrary text is parsed or refused. Blocks made from the bytes are what
/// they were after printing and parsing, and those that the verifier accepts run without a panic within their cost.
pub fn ir_text(data: &[u8]) {
    if let Ok(blocks) = parse(&String::from_utf8_lossy(data)) {
        round_trip(&blocks);
    }
    let mut choices = Choices(data);
    let mut blocks = Vec::new();
    while !choices.0.is_empty() && blocks.len() < 8 {
        blocks.push(random_block(&mut choices));
    }
    round_trip(&blocks);
    let mut valid = blocks.iter().filter(|block| verify(block).is_ok()).peekable();
    if valid.peek().is_some() {
        let mut mmu = SoftMmu::new(0x2000, false);
        valid.for_each(|block| run_block(&mut mmu, block));
    }
}

fn round_trip(blocks: &[IRBlock]) {
    let text: String = blocks.iter().map(IRBlock::to_string).collect();
    match parse(&text) {
        Ok(again) => assert_eq!(again, blocks, "{text}"),
        Err(error) => panic!("{error}\n{text}"),
    }
}

fn random_block(choices: &mut Choices<'_>) -> IRBlock {
    let start_pc = choices.number();
    let count = choices.byte() % 16;
    let ops = (0..count).map(|_| random_op(choices)).collect();
    IRBlock { start_pc, ops, term: random_terminator(choices) }
}

fn random_op(choices: &mut Choices<'_>) -> IROp {
    let index = usize::from(choices.byte()) % ROWS.len();
    let mut op = IROp::blank(index).unwrap_or(IROp::Fence {});
    op.operands(&mut |operand| match operand {
        // Register 0 is never written.
        Operand::Def(reg) => *reg = choices.register().max(1),
        Operand::Use(reg) => *reg = choices.register(),
        Operand::Imm(imm) => *imm = choices.number().cast_signed(),
        Operand::Addr(addr) => *addr = choices.number(),
        Operand::Mode(rm) => *rm = choices.pick(&RoundMode::ALL),
        Operand::Sync(order) => *order = choices.pick(&Order::ALL),
    });
    op
}

fn random_terminator(choices: &mut Choices<'_>) -> Terminator {
    let (base, offset) = (choices.register(), choices.number().cast_signed());
    let (target, next) = (choices.number(), choices.number());
    match choices.byte() % 11 {
        0 => Terminator::Return,
        1 => Terminator::Jump { target },
        2 => Terminator::Branch {
            cond: choices.pick(&Cond::ALL),
            src1: base,
            src2: choices.register(),
            taken: target,
            fallthrough: next,
        },
        3 => Terminator::JumpIndirect { base, offset },
        4 => Terminator::Call { target, return_to: next },
        5 => Terminator::CallIndirect { base, offset, return_to: next },
        6 => Terminator::ReturnIndirect { base, offset },
        7 => Terminator::Syscall { next },
        8 => Terminator::SyncCode { next },
        9 => Terminator::Breakpoint,
        _ => Terminator::Illegal,
    }
}

thread_local! {
    /// One space for all inputs, because reserving 4 GiB takes longer than running one.
    static SPACE: SoftMmu = SoftMmu::new(0, false);
}

/// Maps zeroed pages, replacing what was there.
fn map(mmu: &SoftMmu, addr: u64, len: u64, prot: Prot) {
    mmu.map(addr, len, prot, Backing::Anonymous).unwrap_or_else(|error| panic!("{error}"));
}

/// Runs a verified block on every engine.
fn run_block(mmu: &mut SoftMmu, block: &IRBlock) {
    for &(name, tier) in ENGINES {
        let mut jit = Jit::new();
        jit.set_tier(tier);
        let result = jit.run(mmu, block).unwrap_or_else(|error| panic!("{name}: {error}\n{block}"));
        let whole = !matches!(result.status, ExecStatus::Trap(_));
        assert!(result.fuel_used <= block.cost(), "{name}: {result:?}\n{block}");
        assert!(!whole || result.fuel_used == block.cost(), "{name}: {result:?}\n{block}");
        assert_eq!(jit.get_reg(0), 0, "{name}\n{block}");
    }
}

/// An ELF file, arbitrary or nearly valid: it is loaded or refused.
#[cfg(feature = "linux")]
pub fn elf(data: &[u8]) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let parsed = crate::linux::elf::parse(data).is_ok();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("vmjit-fuzz-{}-{number}.elf", std::process::id()));
    std::fs::write(&path, data).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // A program that nobody may execute is not even looked at.
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, executable).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let machine = crate::linux::machine::Machine::builder().clear_env().build();
    let mut machine = machine.unwrap_or_else(|error| panic!("{error}"));
    let loaded = machine.load(&path, &["program"]).is_ok();
    std::fs::remove_file(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(parsed || !loaded, "a file that does not parse was loaded");
}

/// Guest code of [`lift_run`] begins here, two pages of it; behind it lies a page of data, then nothing.
const CODE: u64 = 0x1000;
const CODE_SIZE: u64 = 0x2000;
const DATA: u64 = CODE + CODE_SIZE;
/// Instructions that one run may take.
const FUEL: u64 = 3000;

/// What a run came to.
#[derive(Debug, PartialEq)]
struct Run {
    exits: Vec<GuestExit>,
    pc: u64,
    regs: Vec<u64>,
    fcsr: u64,
    retired: u64,
    memory: Vec<u8>,
}

/// Arbitrary bytes as guest code: it never panics, never takes more instructions than it has fuel for, and does the
/// same on every engine, all at once or in portions.
pub fn lift_run(data: &[u8]) {
    let Some((&flags, code)) = data.split_first() else { return };
    let code = &code[..code.len().min(CODE_SIZE as usize)];
    // Code that changes itself need not do the same in portions: `fence.i` is its own duty.
    let prot = if flags & 1 == 0 { Prot::RX } else { Prot::RWX };
    let first = run_code(code, prot, ENGINES[0].1, FUEL);
    assert!(first.retired <= FUEL, "{first:?}");
    if prot == Prot::RWX || reads_time(code) {
        return;
    }
    for &(name, tier) in ENGINES {
        assert_eq!(run_code(code, prot, tier, FUEL), first, "{name} against {}", ENGINES[0].0);
        // Portions are checked where the limit did not decide the end.
        if first.exits.last() != Some(&GuestExit::OutOfFuel) {
            assert_eq!(run_code(code, prot, tier, 64), first, "{name} in portions");
        }
    }
}

/// Whether some word of the code could read the clock, which goes on by itself.
fn reads_time(code: &[u8]) -> bool {
    let words = code.windows(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    words.filter(|word| word & 3 == 3).filter_map(decode).any(|insn| insn.imm == super::asm::csr::TIME)
}

/// Runs code until it traps, has made a few system calls (which do nothing), or has used its fuel, granted in portions.
fn run_code(code: &[u8], prot: Prot, tier: Tier, portion: u64) -> Run {
    SPACE.with(|mmu| run_code_in(mmu, code, prot, tier, portion))
}

fn run_code_in(mmu: &SoftMmu, code: &[u8], prot: Prot, tier: Tier, portion: u64) -> Run {
    map(mmu, CODE, CODE_SIZE, Prot::RW);
    map(mmu, DATA, 0x1000, Prot::RW);
    mmu.write(CODE, code).unwrap_or_else(|fault| panic!("{fault:?}"));
    mmu.protect(CODE, CODE_SIZE, prot).unwrap_or_else(|error| panic!("{error}"));
    let mut jit = Jit::new();
    jit.set_tier(tier);
    jit.prepare_code(mmu);
    set_registers(jit.state_mut(), code);
    let mut exits = Vec::new();
    while exits.len() < 4 {
        let left = FUEL.saturating_sub(jit.state().retired());
        jit.state_mut().set_fuel(portion.min(left));
        match jit.run_guest(mmu) {
            GuestExit::OutOfFuel if portion < left => {}
            GuestExit::Syscall => exits.push(GuestExit::Syscall),
            exit => {
                exits.push(exit);
                break;
            }
        }
    }
    let mut memory = vec![0; (CODE_SIZE + 0x1000) as usize];
    mmu.read(CODE, &mut memory).unwrap_or_else(|fault| panic!("{fault:?}"));
    let cpu = jit.state();
    Run { exits, pc: cpu.pc, regs: cpu.regs[..64].to_vec(), fcsr: cpu.fcsr(), retired: cpu.retired(), memory }
}

/// Pointers into data and code, and numbers that depend on the code.
fn set_registers(cpu: &mut CpuState, code: &[u8]) {
    let mut choices = Choices(code);
    for x in 1..32 {
        let value = match x % 4 {
            0 => choices.number(),
            1 => CODE + u64::from(choices.byte()) * 2,
            _ => DATA + u64::from(choices.byte()) * 8,
        };
        cpu.set_x(x, value);
    }
    for f in &mut cpu.regs[32..64] {
        *f = choices.number();
    }
    cpu.pc = CODE;
}
