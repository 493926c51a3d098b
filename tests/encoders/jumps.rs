//! Labels and jumps: random programs in which every jump must land on its label, and the limits of short jumps.

use super::program::{check, check_bytes, decode_at, Step};
use quickcheck::{quickcheck, Arbitrary, Gen};
use vm_engine_jit::asm::x64::{Assembler, Cond, Mem, PatchSite, Size};
use vm_engine_jit::asm::{FinishError, FixupKind};

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Step {
        let number = usize::from(u16::arbitrary(g));
        let cond = usize::from(u8::arbitrary(g)) % 16;
        match u8::arbitrary(g) % 12 {
            0 => Step::Jump(number),
            1 | 2 => Step::Branch(cond, number),
            3 => Step::Patchable(number),
            4 => Step::PatchableBranch(cond, number),
            5 => Step::Call(number),
            6 => Step::Load(number),
            7 => Step::Constant(u64::from(u8::arbitrary(g) % 4)),
            8 => Step::Room(number % 130),
            9 => Step::Align(1 << (number % 7)),
            _ => Step::Bind,
        }
    }
}

quickcheck! {
    fn random_programs_jump_to_their_labels(steps: Vec<Step>) -> bool {
        check(&steps);
        true
    }
}

#[test]
fn programs_made_of_bytes_jump_to_their_labels() {
    let mut random = super::generator(4);
    for _ in 0..500 {
        let data: Vec<u8> = (0..400).map(|_| random().to_le_bytes()[7]).collect();
        check_bytes(&data);
    }
}

/// A short jump forward over `room` bytes.
fn forward(room: usize) -> Result<Vec<u8>, FinishError> {
    let mut asm = Assembler::new();
    let label = asm.new_label();
    asm.jmp_l8(label);
    asm.nop(room);
    asm.bind(label);
    asm.finish().map(|code| code.into_bytes())
}

#[test]
fn short_jumps_forward_reach_127_bytes() {
    assert_eq!(forward(127).unwrap()[..2], [0xeb, 0x7f]);
    match forward(128) {
        Err(FinishError::OutOfRange { kind: FixupKind::Rel8, at: 1, value: 128, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn jumps_backward_take_the_short_form_while_it_reaches() {
    for (room, short, jcc) in
        [(0, 2, false), (126, 2, false), (127, 5, false), (126, 2, true), (127, 6, true)]
    {
        let mut asm = Assembler::new();
        let label = asm.here();
        asm.nop(room);
        let before = asm.offset();
        if jcc {
            asm.jcc(Cond::E, label);
        } else {
            asm.jmp(label);
        }
        assert_eq!(asm.offset() - before, short, "over {room} bytes");
        let code = asm.finish().unwrap();
        assert_eq!(decode_at(code.bytes(), before).near_branch_target(), 0);
    }
}

#[test]
fn jumps_to_a_label_that_is_never_bound_are_errors() {
    let mut asm = Assembler::new();
    let label = asm.new_label();
    asm.jmp(label);
    assert_eq!(asm.finish().unwrap_err(), FinishError::Unbound(label));
    assert_eq!(FinishError::Unbound(label).to_string(), "label .L0 is used and not bound");
}

#[test]
fn relative_operands_count_from_the_end_of_the_instruction() {
    // The immediate is behind the displacement.
    let mut asm = Assembler::new();
    let label = asm.here();
    asm.mov_mi(Size::S32, Mem::label(label).disp(8), 5);
    let code = asm.finish().unwrap();
    assert_eq!(decode_at(code.bytes(), 0).ip_rel_memory_address(), 8);
}

#[test]
fn patch_sites_say_the_displacement_to_store() {
    assert_eq!(PatchSite::displacement(0x1000, 0x1004), Some(0));
    assert_eq!(PatchSite::displacement(0x1000, 0x1000), Some(-4));
    assert_eq!(PatchSite::displacement(0, 0x8000_0003), Some(i32::MAX));
    assert_eq!(PatchSite::displacement(0, 0x8000_0004), None);
    assert_eq!(PatchSite::displacement(0x8000_0000, 4), Some(i32::MIN));
    assert_eq!(PatchSite::displacement(0x8000_0001, 4), None);
    assert_eq!(PatchSite::displacement(u64::MAX - 4, 0), Some(1));
}

#[test]
fn code_with_a_patch_site_must_be_aligned() {
    let mut asm = Assembler::new();
    let label = asm.here();
    asm.nop(2);
    let site = asm.jmp_patchable(label);
    let code = asm.finish().unwrap();
    assert_eq!((site.offset(), code.alignment()), (4, 4));
}
