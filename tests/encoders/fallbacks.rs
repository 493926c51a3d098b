//! The sequences that stand in for instructions a processor may not have, against what Rust computes.
//!
//! A small machine runs the decoded bytes: it knows only the instructions that the sequences consist of, and it
//! shares no code with the assembler.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind};
use vm_engine_jit::asm::x64::{Assembler, CpuFeatures, Gpr, Shift, Size, RCX};

/// Registers by number, and the zero flag after the last bit scan.
struct Machine<'a> {
    code: &'a [u8],
    registers: [u64; 16],
    zero: bool,
}

impl Machine<'_> {
    /// Operand `n`, cut to the width of the instruction.
    fn read(&self, decoded: &Instruction, n: u32) -> u64 {
        match decoded.op_kind(n) {
            OpKind::Register => {
                let register = decoded.op_register(n);
                let value = self.registers[register.number()];
                value & (u64::MAX >> (64 - 8 * register.size()))
            }
            OpKind::Memory => {
                let at = usize::try_from(decoded.ip_rel_memory_address()).unwrap();
                u64::from_le_bytes(self.code[at..at + 8].try_into().unwrap())
            }
            _ => decoded.immediate(n),
        }
    }

    /// Writes a register; 32 bits clear the rest.
    fn write(&mut self, decoded: &Instruction, n: u32, value: u64) {
        let register = decoded.op_register(n);
        let mask = u64::MAX >> (64 - 8 * register.size());
        assert!(register.size() >= 4);
        self.registers[register.number()] = value & mask;
    }

    fn step(&mut self, decoded: &Instruction) {
        let a = self.read(decoded, 0);
        let b = if decoded.op_count() > 1 { self.read(decoded, 1) } else { 0 };
        let wide = decoded.op0_register().size() == 8;
        let count = u32::try_from(b & if wide { 63 } else { 31 }).unwrap();
        // The low half, for rotations and arithmetic shifts of 32 bits.
        let low = u32::try_from(a & 0xffff_ffff).unwrap();
        let result = match decoded.mnemonic() {
            Mnemonic::Mov => b,
            Mnemonic::And => a & b,
            Mnemonic::Xor => a ^ b,
            Mnemonic::Add => a.wrapping_add(b),
            Mnemonic::Sub => a.wrapping_sub(b),
            Mnemonic::Not => !a,
            Mnemonic::Imul if decoded.op_count() == 3 => b.wrapping_mul(self.read(decoded, 2)),
            Mnemonic::Imul => a.wrapping_mul(b),
            Mnemonic::Shl => a << count,
            Mnemonic::Shr => a >> count,
            Mnemonic::Sar if wide => (a as i64 >> count) as u64,
            Mnemonic::Sar => u64::from((low as i32 >> count) as u32),
            Mnemonic::Rol if wide => a.rotate_left(count),
            Mnemonic::Rol => u64::from(low.rotate_left(count)),
            Mnemonic::Ror if wide => a.rotate_right(count),
            Mnemonic::Ror => u64::from(low.rotate_right(count)),
            Mnemonic::Bsf | Mnemonic::Bsr => {
                self.zero = b == 0;
                match (self.zero, decoded.mnemonic()) {
                    (true, _) => a,
                    (_, Mnemonic::Bsf) => u64::from(b.trailing_zeros()),
                    (_, _) => u64::from(63 - b.leading_zeros()),
                }
            }
            Mnemonic::Cmove => {
                if self.zero {
                    b
                } else {
                    a
                }
            }
            Mnemonic::Xchg => {
                self.write(decoded, 1, a);
                b
            }
            other => panic!("the machine has no {other:?}"),
        };
        self.write(decoded, 0, result);
    }
}

/// Assembles without any feature, runs with these registers, and returns the registers.
fn run(emit: impl FnOnce(&mut Assembler), registers: [u64; 16]) -> [u64; 16] {
    let mut asm = Assembler::new();
    emit(&mut asm);
    let code = asm.finish().unwrap();
    let mut machine = Machine { code: code.bytes(), registers, zero: false };
    let text = &code.bytes()[..code.text_len()];
    for decoded in Decoder::with_ip(64, text, 0, DecoderOptions::NONE) {
        machine.step(&decoded);
    }
    machine.registers
}

/// Values at the limits, and some others.
fn values() -> Vec<u64> {
    let mut random = super::generator(5);
    let mut values: Vec<u64> = (0..64).flat_map(|n| [1 << n, (1 << n) - 1, u64::MAX << n]).collect();
    values.extend((0..20).map(|n| random() >> n));
    values
}

/// Runs `emit(dst, src1, src2, tmp)` with all ways in which the first three can be one register, and rcx in any
/// place; `expected(size, a, b)` is the value of `dst`. Other registers than `dst` and `tmp` must not change.
fn check(emit: impl Fn(&mut Assembler, Size, [Gpr; 4]), expected: impl Fn(Size, u64, u64) -> u64) {
    let [a, b, c, tmp] = [3, 6, 9, 12].map(|n| Gpr::new(n).unwrap());
    let mut places = Vec::new();
    for dst in [a, b, c, RCX] {
        for src1 in [a, b, c, RCX] {
            places.extend([a, b, c, RCX].map(|src2| [dst, src1, src2, tmp]));
        }
    }
    let values = values();
    for (n, value) in values.iter().enumerate() {
        for &[dst, src1, src2, tmp] in &places {
            for size in [Size::S32, Size::S64] {
                let mut registers: [u64; 16] = std::array::from_fn(|n| 0x0101_0101_0101_0101 * n as u64);
                registers[usize::from(src1.number())] = *value;
                registers[usize::from(src2.number())] = values[(n * 7) % values.len()];
                let mask = if size == Size::S32 { 0xffff_ffff } else { u64::MAX };
                let [first, second] = [src1, src2].map(|r| registers[usize::from(r.number())] & mask);
                let mut after = run(|asm| emit(asm, size, [dst, src1, src2, tmp]), registers);
                let result = after[usize::from(dst.number())];
                assert_eq!(result, expected(size, first, second) & mask, "{size:?} {first:#x} {second:#x}");
                for changed in [dst, tmp] {
                    after[usize::from(changed.number())] = registers[usize::from(changed.number())];
                }
                assert_eq!(after, registers, "{dst:?} {src1:?} {src2:?}");
            }
        }
    }
}

const NONE: CpuFeatures = CpuFeatures::NONE;

#[test]
fn popcnt_without_the_feature_counts_ones() {
    check(
        |asm, size, [dst, src, _, tmp]| asm.any_popcnt(NONE, size, dst, src, tmp),
        |_, a, _| u64::from(a.count_ones()),
    );
}

#[test]
fn lzcnt_without_the_feature_counts_leading_zeros() {
    check(
        |asm, size, [dst, src, _, tmp]| asm.any_lzcnt(NONE, size, dst, src, tmp),
        |size, a, _| u64::from(a.leading_zeros()) - if size == Size::S32 { 32 } else { 0 },
    );
}

#[test]
fn tzcnt_without_the_feature_counts_trailing_zeros() {
    check(
        |asm, size, [dst, src, _, tmp]| asm.any_tzcnt(NONE, size, dst, src, tmp),
        |size, a, _| u64::from(a.trailing_zeros()).min(u64::from(size.bits())),
    );
}

#[test]
fn andn_without_the_feature_clears_bits() {
    check(|asm, size, [dst, a, b, tmp]| asm.any_andn(NONE, size, dst, a, b, tmp), |_, a, b| b & !a);
}

#[test]
fn rorx_without_the_feature_rotates() {
    for count in [0, 1, 31, 32, 63] {
        check(
            |asm, size, [dst, src, ..]| asm.any_rorx(NONE, size, dst, src, count),
            |size, a, _| match size {
                Size::S32 => u64::from((a as u32).rotate_right(u32::from(count))),
                Size::S64 => a.rotate_right(u32::from(count)),
            },
        );
    }
}

#[test]
fn shifts_without_the_feature_shift() {
    for shift in [Shift::Shl, Shift::Shr, Shift::Sar, Shift::Rol, Shift::Ror] {
        let emit = |asm: &mut Assembler, size, [dst, src, count, tmp]: [Gpr; 4]| {
            asm.any_shift(NONE, shift, size, dst, src, count, tmp);
        };
        check(emit, |size, a, b| {
            let (narrow, by) = (a as u32, b as u32);
            match (size, shift) {
                (Size::S64, Shift::Shl) => a.wrapping_shl(by),
                (Size::S64, Shift::Shr) => a.wrapping_shr(by),
                (Size::S64, Shift::Sar) => (a as i64).wrapping_shr(by) as u64,
                (Size::S64, Shift::Rol) => a.rotate_left(by & 63),
                (Size::S64, Shift::Ror) => a.rotate_right(by & 63),
                (Size::S32, Shift::Shl) => u64::from(narrow.wrapping_shl(by)),
                (Size::S32, Shift::Shr) => u64::from(narrow.wrapping_shr(by)),
                (Size::S32, Shift::Sar) => (narrow as i32).wrapping_shr(by) as u64,
                (Size::S32, Shift::Rol) => u64::from(narrow.rotate_left(by & 31)),
                (Size::S32, Shift::Ror) => u64::from(narrow.rotate_right(by & 31)),
            }
        });
    }
}

#[test]
fn instructions_are_used_where_the_processor_has_them() {
    let length = |features| {
        let mut asm = Assembler::new();
        let [a, b, c, tmp] = [3, 6, 9, 12].map(|n| Gpr::new(n).unwrap());
        asm.any_popcnt(features, Size::S64, a, b, tmp);
        asm.any_lzcnt(features, Size::S64, a, b, tmp);
        asm.any_tzcnt(features, Size::S64, a, b, tmp);
        asm.any_andn(features, Size::S64, a, b, c, tmp);
        asm.any_rorx(features, Size::S64, a, b, 5);
        asm.any_shift(features, Shift::Sar, Size::S64, a, b, c, tmp);
        asm.offset()
    };
    assert_eq!(length(CpuFeatures::ALL), 3 * 5 + 5 + 6 + 5);
    assert!(length(CpuFeatures::NONE) > 100);
}
