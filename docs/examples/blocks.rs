//! Blocks that a host builds itself, with no guest instruction set involved: the sum of an array by a loop of two
//! blocks, between which the host goes by hand.
//!
//! Run it with `cargo run --example blocks`.

use vm_engine_jit::{Cond, Error, ExecStatus, ExecutionEngine, IRBlock, IROp, Jit, SoftMmu, Terminator};

/// The blocks, by their addresses. Registers: 1 sum, 2 pointer, 3 end of the array; 64 and up are temporaries.
fn blocks() -> [IRBlock; 2] {
    let sum_up = IRBlock {
        start_pc: 0x1000,
        ops: vec![
            IROp::Load { dst: 64, base: 2, offset: 0 },
            IROp::Add { dst: 1, src1: 1, src2: 64 },
            IROp::AddImm { dst: 2, src: 2, imm: 8 },
        ],
        term: Terminator::Branch { cond: Cond::Ltu, src1: 2, src2: 3, taken: 0x1000, fallthrough: 0x2000 },
    };
    let done = IRBlock { start_pc: 0x2000, ops: vec![], term: Terminator::Return };
    [sum_up, done]
}

fn main() -> Result<(), Error> {
    let (mut jit, mut mmu, blocks) = (Jit::new(), SoftMmu::new(64 << 10, false), blocks());
    for block in &blocks {
        print!("{block}");
    }

    let values = [3_u64, 1, 4, 1, 5, 9, 2, 6];
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let array = 0x4000;
    if let Err(fault) = mmu.write(array, &bytes) {
        return Err(Error::Trap { pc: 0, trap: fault.into() });
    }
    jit.set_reg(2, array);
    jit.set_reg(3, array + bytes.len() as u64);

    let (mut pc, mut fuel) = (blocks[0].start_pc, 0);
    while let Some(block) = blocks.iter().find(|block| block.start_pc == pc) {
        let result = jit.run(&mut mmu, block)?;
        (pc, fuel) = (result.next_pc, fuel + result.fuel_used);
        match result.status {
            ExecStatus::Continue => {}
            ExecStatus::Trap(trap) => return Err(Error::Trap { pc, trap }),
            _ => break,
        }
    }
    println!("sum = {}, after {fuel} operations", jit.get_reg(1));
    Ok(())
}
