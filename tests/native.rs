//! Machine code where it is hard: faults in the middle of linked code, little fuel, little room for code, interrupts,
//! rounding modes, several machines in one process. Every engine must do what the interpreter does.

#[path = "native/blocks.rs"]
mod blocks;
#[path = "native/faults.rs"]
mod faults;
#[path = "native/floats.rs"]
mod floats;
#[path = "native/limits.rs"]
mod limits;
#[path = "native/machines.rs"]
mod machines;
#[path = "native/regions.rs"]
mod regions;
#[path = "native/targets.rs"]
mod targets;

use vm_engine_jit::engine::dispatch::GuestExit;
use vm_engine_jit::guest::riscv::insn::Op;
use vm_engine_jit::mmu::Prot;
use vm_engine_jit::testing::asm::Asm;
use vm_engine_jit::testing::image::{Image, Segment, CODE};
use vm_engine_jit::testing::oracle::{self, ENGINES};
use vm_engine_jit::{Jit, SoftMmu, Tier};

/// Data memory of the programs here: one page, nothing behind it.
const DATA: u64 = 0x1000_0000;
const DATA_BYTES: usize = 4096;

/// Code, and one page of data.
fn program(asm: &Asm) -> Image {
    let data = Segment { addr: DATA, bytes: vec![0; DATA_BYTES], prot: Prot::RW };
    let code = Segment { addr: CODE, bytes: asm.code.clone(), prot: Prot::RX };
    Image { segments: vec![code, data], entry: CODE }
}

/// All that a guest can tell about where it stands, and how it got there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    exit: GuestExit,
    pc: u64,
    /// Integer and floating-point registers.
    regs: Vec<u64>,
    fcsr: u64,
    retired: u64,
    fuel: u64,
    data: Vec<u8>,
}

fn seen(jit: &Jit, mmu: &SoftMmu, exit: GuestExit) -> Seen {
    let (cpu, mut data) = (jit.state(), vec![0; DATA_BYTES]);
    mmu.read(DATA, &mut data).expect("the data page is mapped");
    Seen {
        exit,
        pc: cpu.pc,
        regs: cpu.regs[..64].to_vec(),
        fcsr: cpu.fcsr(),
        retired: cpu.retired(),
        fuel: cpu.fuel,
        data,
    }
}

/// Runs until the guest needs its owner, or for `fuel` instructions.
fn run(tier: Tier, image: &Image, fuel: u64) -> Seen {
    let (mut jit, mmu) = oracle::engine(tier, image);
    jit.state_mut().set_fuel(fuel);
    let exit = jit.run_guest(&mmu);
    seen(&jit, &mmu, exit)
}

/// Runs on every engine, and on all of them in turn at random; all must see what the interpreter sees, which is
/// returned.
#[track_caller]
fn run_all(image: &Image, fuel: u64, context: &str) -> Seen {
    let expected = run(Tier::Interp, image, fuel);
    let random = Tier::Random { seed: context.len() as u64 };
    for (name, tier) in ENGINES.iter().copied().chain([("random", random)]) {
        let found = run(tier, image, fuel);
        assert!(found == expected, "{context}, {name}: {}", difference(&found, &expected));
    }
    expected
}

/// What differs, without the whole of the data.
fn difference(found: &Seen, expected: &Seen) -> String {
    let head = |seen: &Seen| {
        format!("{:?} at {:#x}, {} retired, fcsr {:#x}", seen.exit, seen.pc, seen.retired, seen.fcsr)
    };
    let regs = found.regs.iter().zip(&expected.regs).enumerate().filter(|(_, (a, b))| a != b);
    let regs: Vec<String> = regs.map(|(reg, (a, b))| format!("register {reg}: {a:#x}, not {b:#x}")).collect();
    let byte = found.data.iter().zip(&expected.data).position(|(a, b)| a != b);
    format!("{}; expected {}; {regs:?}; data differ at {byte:?}", head(found), head(expected))
}

/// Appends a jump from here to the offset `to` in the code.
fn jump(asm: &mut Asm, to: usize) {
    let distance = to as i64 - asm.code.len() as i64;
    asm.u(Op::Jal, 0, distance);
}

/// Appends a branch to the offset `to` that is taken while the register is not zero.
fn loop_while(asm: &mut Asm, reg: u8, to: usize) {
    let distance = to as i64 - asm.code.len() as i64;
    asm.s(Op::Bne, reg, 0, distance);
}
