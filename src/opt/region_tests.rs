//! Regions of small programs, and what holds of the regions of all.

use super::*;
use crate::ir::text::parse;
use crate::ir::{Cond, IROp};
use quickcheck::{quickcheck, TestResult};

/// A recording of blocks in text form, run in the order of their addresses.
fn recording(text: &str, pcs: impl IntoIterator<Item = GuestAddr>) -> Recording {
    let blocks = parse(text).unwrap();
    let place = |pc| blocks.iter().position(|block| block.start_pc == pc).unwrap() as u32;
    let sequence = pcs.into_iter().map(place).collect();
    Recording { blocks, sequence }
}

/// Blocks without operations, of their addresses and terminators.
fn text(blocks: &[(GuestAddr, &str)]) -> String {
    blocks.iter().map(|(pc, term)| format!("block {pc:#x} {{\n{term}\n}}\n")).collect()
}

fn formed(recording: &Recording) -> Region {
    let region = form(recording, &Limits::default(), &|_| false).unwrap();
    check(recording, &Limits::default(), &region);
    region
}

/// The blocks of a region: address and frames.
fn shape(recording: &Recording, region: &Region) -> Vec<(GuestAddr, Vec<GuestAddr>)> {
    let pc = |block: &RegionBlock| recording.blocks[block.block].start_pc;
    region.blocks.iter().map(|block| (pc(block), block.frames.clone())).collect()
}

fn pcs(recording: &Recording, region: &Region) -> Vec<GuestAddr> {
    shape(recording, region).into_iter().map(|(pc, _)| pc).collect()
}

/// What holds of every region.
fn check(recording: &Recording, limits: &Limits, region: &Region) {
    let blocks = &region.blocks;
    let block = |at: usize| &recording.blocks[blocks[at].block];
    assert!(blocks[0].frames.is_empty() && blocks[0].entry);
    assert!(blocks.len() <= limits.blocks);
    assert!((0..blocks.len()).map(|at| block(at).cost()).sum::<u64>() <= limits.instructions);
    let mut names: Vec<_> = blocks.iter().map(|block| (block.block, &block.frames)).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), blocks.len(), "each is there once");
    let (mut reached, mut back) = (vec![false; blocks.len()], vec![false; blocks.len()]);
    (reached[0], back[0]) = (true, true);
    for (at, from) in blocks.iter().enumerate() {
        assert!(from.frames.len() <= limits.frames && from.count > 0);
        assert!(from.edges.windows(2).all(|pair| pair[0].count >= pair[1].count));
        for edge in &from.edges {
            let to = &blocks[edge.to];
            assert_eq!(block(edge.to).start_pc, edge.pc);
            back[edge.to] |= edge.kind == EdgeKind::Returns;
            let mut frames = from.frames.clone();
            match (block(at).term, edge.kind) {
                (
                    Terminator::Call { return_to, .. } | Terminator::CallIndirect { return_to, .. },
                    EdgeKind::Returns,
                ) => assert_eq!(return_to, edge.pc),
                (Terminator::Call { target, return_to }, EdgeKind::Goes) => {
                    assert_eq!(target, edge.pc);
                    frames.push(return_to);
                }
                (Terminator::CallIndirect { return_to, .. }, EdgeKind::Goes) => frames.push(return_to),
                (Terminator::ReturnIndirect { .. }, EdgeKind::Goes) => {
                    assert_eq!(frames.pop(), Some(edge.pc))
                }
                (Terminator::Jump { target }, EdgeKind::Goes) => assert_eq!(target, edge.pc),
                (Terminator::Branch { taken, fallthrough, .. }, EdgeKind::Goes) => {
                    assert!(edge.pc == taken || edge.pc == fallthrough);
                }
                (Terminator::JumpIndirect { .. }, EdgeKind::Goes) => {}
                other => panic!("{other:?} leads nowhere"),
            }
            assert_eq!(frames, to.frames);
            // In reverse postorder an edge either goes on, or back to what was reached before.
            reached[edge.to] |= reached[at] && edge.to > at;
        }
        let indirect =
            matches!(block(at).term, Terminator::JumpIndirect { .. } | Terminator::CallIndirect { .. });
        let goes = from.edges.iter().filter(|edge| edge.kind == EdgeKind::Goes).count();
        assert!(goes <= if indirect { limits.targets } else { 2 });
    }
    assert!(reached.iter().all(|&reached| reached), "{region:?}");
    assert!(blocks.iter().zip(back).all(|(block, back)| block.entry == back));
}

#[test]
fn a_loop_is_a_region() {
    let recording = recording(&text(&[(0x100, "branch ne, x1, x0, 0x100, 0x104")]), [0x100; 40]);
    let region = formed(&recording);
    assert_eq!(region.head(&recording), Some(0x100));
    let edge = Edge { kind: EdgeKind::Goes, pc: 0x100, to: 0, count: 39 };
    assert_eq!(
        region.blocks,
        [RegionBlock { block: 0, edges: vec![edge], frames: vec![], count: 40, entry: true }]
    );
}

#[test]
fn of_nested_loops_the_outer_is_taken_unless_it_is_rare() {
    let text = text(&[
        (0x100, "jump 0x110"),
        (0x110, "branch ne, x1, x0, 0x110, 0x120"),
        (0x120, "branch ne, x2, x0, 0x100, 0x130"),
    ]);
    for (inner, expected) in [(10, vec![0x100, 0x110, 0x120]), (200, vec![0x110])] {
        let ran = (0..10).flat_map(|_| {
            let turns = std::iter::repeat_n(0x110, inner);
            [0x100].into_iter().chain(turns).chain([0x120])
        });
        // It begins in the middle.
        let recording = recording(&text, ran.skip(5));
        assert_eq!(pcs(&recording, &formed(&recording)), expected);
    }
}

#[test]
fn a_cold_path_stays_out() {
    let text =
        text(&[(0x100, "branch eq, x1, x0, 0x200, 0x110"), (0x110, "jump 0x100"), (0x200, "jump 0x110")]);
    let ran = |every| {
        (0..300).flat_map(move |turn| match turn % every {
            7 => vec![0x100, 0x200, 0x110],
            _ => vec![0x100, 0x110],
        })
    };
    let rare = recording(&text, ran(100));
    assert_eq!(pcs(&rare, &formed(&rare)), [0x100, 0x110]);
    let common = recording(&text, ran(10));
    assert_eq!(pcs(&common, &formed(&common)), [0x100, 0x200, 0x110]);
}

const CALLS: &[(GuestAddr, &str)] = &[
    (0x100, "call 0x400, 0x104"),
    (0x104, "call 0x400, 0x108"),
    (0x108, "branch ne, x1, x0, 0x100, 0x10c"),
    (0x400, "retind x1, 0"),
];

#[test]
fn a_function_is_there_once_for_each_call() {
    let ran = (0..50).flat_map(|_| [0x100, 0x400, 0x104, 0x400, 0x108]);
    let recording = recording(&text(CALLS), ran);
    let region = formed(&recording);
    assert_eq!(
        shape(&recording, &region),
        [(0x100, vec![]), (0x400, vec![0x104]), (0x104, vec![]), (0x400, vec![0x108]), (0x108, vec![]),]
    );
    assert!(region.blocks[1..].iter().all(|block| !block.entry));
    assert!(region.blocks.iter().flat_map(|block| &block.edges).all(|edge| edge.kind == EdgeKind::Goes));
}

#[test]
fn a_large_function_is_not_followed() {
    let ops: String = (0..200).map(|n| format!("mark {:#x}\n", 0x400 + n * 4)).collect();
    let large = text(CALLS).replace("retind", &format!("{ops}retind"));
    let ran = (0..50).flat_map(|_| [0x100, 0x400, 0x104, 0x400, 0x108]);
    let recording = recording(&large, ran);
    let limits = Limits { instructions: 150, ..Limits::default() };
    let region = form(&recording, &limits, &|_| false);
    // Nearly all runs in the function, and the rest is entered twice per turn.
    assert_eq!(region, Err(NoRegion::Large));
    let body: String = (0..30).map(|n| format!("mark {:#x}\n", 0x100 + n * 4)).collect();
    let both = large.replace("call", &format!("{body}call"));
    let recording = Recording { blocks: parse(&both).unwrap(), ..recording };
    let region = form(&recording, &limits, &|_| false).unwrap();
    check(&recording, &limits, &region);
    assert_eq!(pcs(&recording, &region), [0x100, 0x104, 0x108]);
    assert!(region.blocks.iter().all(|block| block.entry));
}

/// A function that calls itself twice.
fn fib(n: u32, ran: &mut Vec<GuestAddr>) {
    ran.push(0x100);
    if n < 2 {
        return ran.push(0x140);
    }
    ran.push(0x104);
    fib(n - 1, ran);
    ran.push(0x110);
    fib(n - 2, ran);
    ran.push(0x120);
}

#[test]
fn recursion_is_followed_twice() {
    let text = text(&[
        (0x100, "branch lt, x10, x11, 0x140, 0x104"),
        (0x104, "mark 0x104\nmark 0x106\nmark 0x108\nmark 0x10a\nmark 0x10c\ncall 0x100, 0x110"),
        (0x110, "mark 0x110\nmark 0x112\nmark 0x114\nmark 0x116\nmark 0x118\ncall 0x100, 0x120"),
        (0x120, "mark 0x120\nmark 0x122\nmark 0x124\nmark 0x126\nmark 0x128\nretind x1, 0"),
        (0x140, "mark 0x140\nmark 0x142\nretind x1, 0"),
    ]);
    let mut ran = Vec::new();
    fib(12, &mut ran);
    let recording = recording(&text, ran.into_iter().skip(100));
    // Each call that is not followed comes back to where it was.
    for (recursion, calls, frames) in [(0, 1, 0), (1, 3, 1), (2, 7, 2)] {
        let limits = Limits { recursion, ..Limits::default() };
        let region = form(&recording, &limits, &|_| false).unwrap();
        check(&recording, &limits, &region);
        assert_eq!(region.head(&recording), Some(0x100));
        assert_eq!(region.blocks.len(), 5 * calls);
        let back = region.blocks[1..].iter().filter(|block| block.entry);
        let back: Vec<usize> = back.map(|block| block.frames.len()).collect();
        assert_eq!(back, vec![frames; calls + 1]);
    }
}

#[test]
fn common_targets_of_an_indirect_jump_are_inside() {
    let text = text(&[
        (0x100, "jumpind x5, 0"),
        (0x200, "jump 0x100"),
        (0x300, "jump 0x100"),
        (0x400, "jump 0x100"),
    ]);
    let target =
        |turn: usize| [0x200, 0x300, 0x200, 0x200, 0x300, 0x200, 0x300, 0x200, 0x300, 0x400][turn % 10];
    let recording = recording(&text, (0..200).flat_map(|turn| [0x100, target(turn)]));
    assert_eq!(pcs(&recording, &formed(&recording)), [0x100, 0x200, 0x300]);
}

#[test]
fn an_interpreter_of_bytecode_is_followed_along_its_program() {
    // Each routine ends with the jump to the next one; two of them are used once in a turn, one twice.
    let text = text(&[
        (0x200, "jumpind x5, 0"),
        (0x300, "jumpind x5, 0"),
        (0x400, "jumpind x5, 0"),
        (0x500, "jumpind x5, 0"),
    ]);
    let program = [0x200, 0x300, 0x200, 0x400];
    let recording = recording(&text, (0..100).flat_map(|_| program));
    let mut inside = pcs(&recording, &formed(&recording));
    inside.sort_unstable();
    assert_eq!(inside, [0x200, 0x300, 0x400]);
}

#[test]
fn beyond_the_limits_there_is_a_piece_or_nothing() {
    let block = |n: u64| {
        let ops: String = (0..60).map(|op| format!("mark {:#x}\n", 0x1000 * n + 4 * op)).collect();
        format!("block {:#x} {{\n{ops}jump {:#x}\n}}\n", 0x1000 * n, 0x1000 * ((n + 1) % 20))
    };
    let text: String = (0..20).map(block).collect();
    let recording = recording(&text, (0..400).map(|n| 0x1000 * (n % 20)));
    let region = formed(&recording);
    assert_eq!(pcs(&recording, &region), (0..10).map(|n| 0x1000 * n).collect::<Vec<_>>());
    let limits = Limits { blocks: 3, ..Limits::default() };
    assert_eq!(form(&recording, &limits, &|_| false).unwrap().blocks.len(), 3);
    let limits = Limits { instructions: 59, ..Limits::default() };
    assert_eq!(form(&recording, &limits, &|_| false), Err(NoRegion::Large));
}

#[test]
fn what_is_short_cold_or_taken_is_refused() {
    let text = text(&[(0x100, "branch ne, x1, x0, 0x100, 0x104"), (0x104, "jump 0x108"), (0x108, "return")]);
    let limits = Limits::default();
    let with = |turns, taken: &dyn Fn(GuestAddr) -> bool| {
        let recording = recording(&text, std::iter::repeat_n(0x100, turns).chain([0x104, 0x108]));
        form(&recording, &limits, taken).map(|region| region.blocks.len())
    };
    assert_eq!(with(3, &|_| false), Err(NoRegion::Short));
    assert_eq!(with(30, &|pc| pc == 0x100), Err(NoRegion::Cold));
    assert_eq!(with(100, &|_| false), Ok(1));
    let straight: String = (0..40).map(|n| format!("block {n:#x} {{\njump {:#x}\n}}\n", n + 1)).collect();
    let recording = super::tests::recording(&straight, 0..40);
    assert_eq!(form(&recording, &limits, &|_| false), Err(NoRegion::Cold));
    let wrong = Recording { blocks: Vec::new(), sequence: vec![0; 40] };
    assert_eq!(form(&wrong, &limits, &|_| false), Err(NoRegion::Short));
}

/// A program and a run of it, both at random.
fn random(graph: &[u8], choices: &[u8]) -> Recording {
    let count = (graph.len() / 3).clamp(1, 24) as u64;
    let byte = |at: u64| u64::from(graph.get(at as usize).copied().unwrap_or(0));
    let pc = |n: u64| 0x100 + n % count * 16;
    let block = |n: u64| {
        let (kind, a, b) = (byte(3 * n), pc(byte(3 * n + 1)), pc(byte(3 * n + 2)));
        let term = match kind % 8 {
            0 => Terminator::Jump { target: a },
            1..=3 => Terminator::Branch { cond: Cond::Eq, src1: 1, src2: 2, taken: a, fallthrough: b },
            4 => Terminator::Call { target: a, return_to: b },
            5 => Terminator::CallIndirect { base: 1, offset: 0, return_to: b },
            6 => Terminator::JumpIndirect { base: 1, offset: 0 },
            _ => Terminator::ReturnIndirect { base: 1, offset: 0 },
        };
        let ops = (0..kind / 8).map(|op| IROp::Mark { pc: pc(n) + op }).collect();
        IRBlock { start_pc: pc(n), ops, term }
    };
    let blocks: Vec<IRBlock> = (0..count).map(block).collect();
    let (mut at, mut stack, mut sequence) = (0x100, Vec::new(), Vec::new());
    for turn in 0..1500usize {
        let choice =
            choices.get(turn % choices.len().max(1)).copied().unwrap_or(0).wrapping_add((turn / 97) as u8);
        let index = (at - 0x100) / 16;
        sequence.push(index as u32);
        at = match blocks[index as usize].term {
            Terminator::Jump { target } => target,
            Terminator::Branch { taken, fallthrough, .. } => [taken, fallthrough][usize::from(choice % 2)],
            Terminator::Call { target, return_to } => {
                stack.push(return_to);
                target
            }
            Terminator::CallIndirect { return_to, .. } => {
                stack.push(return_to);
                pc(u64::from(choice % 5))
            }
            // Now and then to where no call expects it.
            Terminator::ReturnIndirect { .. } if choice % 16 != 0 => stack.pop().unwrap_or(pc(1)),
            _ => pc(u64::from(choice % 4)),
        };
    }
    Recording { blocks, sequence }
}

quickcheck! {
    fn regions_of_random_runs_are_sound(graph: Vec<u8>, choices: Vec<u8>, instructions: u8, blocks: u8) -> TestResult {
        let recording = random(&graph, &choices);
        let mut formed = false;
        for limits in [
            Limits::default(),
            Limits { instructions: u64::from(instructions), blocks: usize::from(blocks), ..Limits::default() },
            Limits { frames: 1, callee: 20, cold: 4, ..Limits::default() },
        ] {
            if let Ok(region) = form(&recording, &limits, &|pc| pc % 64 == 32) {
                check(&recording, &limits, &region);
                assert_ne!(region.head(&recording).unwrap() % 64, 32);
                formed = true;
            }
        }
        if formed { TestResult::passed() } else { TestResult::discard() }
    }
}
