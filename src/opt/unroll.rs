//! Unrolling: a small loop is there several times in a row, each copy going on to the next, the last to the first. One
//! safepoint does for all of them, and pointers that the loop moves are moved once: copies reach what they point to by
//! offsets.

use super::region::{Edge, EdgeKind, Recording, Region, RegionBlock};

/// Guest instructions that all copies of a loop have together, and most copies.
const LARGEST: u64 = 48;
const MOST: u64 = 4;

/// Blocks of a loop beyond which it is not small.
const BLOCKS: usize = 4;

/// Turns of a loop, each time that it is entered, for each copy.
const TURNS: u64 = 3;

/// A loop whose head ran less than the hottest block by this factor is not worth it.
const COLD: u64 = 8;

/// Unrolls all small loops that have no other loop inside.
pub fn unroll(recording: &Recording, region: Region) -> Region {
    let mut region = region;
    let hottest = region.blocks.iter().map(|block| block.count).max().unwrap_or(0);
    let mut preds = preds(&region);
    // From the last to the first, so that what is still to be done keeps its place.
    for head in (0..region.blocks.len()).rev() {
        if region.blocks[head].count < hottest / COLD {
            continue;
        }
        if let Some(body) = body(&region, &preds, head) {
            let copies = copies(recording, &region, &body);
            if copies > 1 {
                repeat(&mut region, &body, copies);
                preds = self::preds(&region);
            }
        }
    }
    region
}

/// Where control comes from to each block.
fn preds(region: &Region) -> Vec<Vec<usize>> {
    let mut preds = vec![Vec::new(); region.blocks.len()];
    for (from, block) in region.blocks.iter().enumerate() {
        let goes = block.edges.iter().filter(|edge| edge.kind == EdgeKind::Goes);
        goes.for_each(|edge| preds[edge.to].push(from));
    }
    preds
}

/// The blocks of a small loop that is entered at its head only, in ascending order. If several ways lead back to the head, it
/// is the loop of the hottest one: the others are of loops around it.
fn body(region: &Region, preds: &[Vec<usize>], head: usize) -> Option<Vec<usize>> {
    let mut body = vec![head];
    // No block behind the loop's last one leads back to the head, so all are behind it.
    let taken = |from: usize| {
        let back = region.blocks[from].edges.iter().filter(|edge| edge.to == head);
        back.map(|edge| edge.count).sum::<u64>()
    };
    let back = preds[head].iter().copied().filter(|&pred| pred >= head);
    let mut todo = vec![back.max_by_key(|&pred| taken(pred))?];
    while let Some(at) = todo.pop() {
        if body.contains(&at) {
            continue;
        }
        if at < head || region.blocks[at].entry || body.len() == BLOCKS {
            return None;
        }
        body.push(at);
        todo.extend(&preds[at]);
    }
    let calls = |at: &usize| region.blocks[*at].edges.iter().any(|edge| edge.kind != EdgeKind::Goes);
    // Within it, control goes forward but to the head.
    let again = |at: &usize| {
        let edges = region.blocks[*at].edges.iter();
        edges.into_iter().any(|edge| edge.to != head && edge.to <= *at && body.contains(&edge.to))
    };
    if body.iter().any(|at| calls(at) || again(at)) {
        return None;
    }
    body.sort_unstable();
    Some(body)
}

/// How many copies of a loop there should be.
fn copies(recording: &Recording, region: &Region, body: &[usize]) -> u64 {
    let cost: u64 = body.iter().map(|&at| recording.blocks[region.blocks[at].block].cost()).sum();
    let head = body[0];
    let back = body.iter().flat_map(|&at| &region.blocks[at].edges).filter(|edge| edge.to == head);
    let (again, all) = (back.map(|edge| edge.count).sum::<u64>(), region.blocks[head].count);
    let turns = all / all.saturating_sub(again).max(1);
    (LARGEST / cost.max(1)).min(turns / TURNS).min(MOST)
}

/// Puts copies of a loop's blocks behind it.
fn repeat(region: &mut Region, body: &[usize], copies: u64) {
    let (head, last) = (body[0], body[body.len() - 1]);
    let added = body.len() * (copies as usize - 1);
    for edge in region.blocks.iter_mut().flat_map(|block| &mut block.edges) {
        edge.to += if edge.to > last { added } else { 0 };
    }
    let mut new: Vec<RegionBlock> = Vec::with_capacity(added);
    for copy in 0..copies as usize {
        // The place of a block of the loop in a copy of it; the first copy is where the loop was.
        let place = |copy: usize, of: usize| match (copy, body.iter().position(|&at| at == of)) {
            (0, _) | (_, None) => of,
            (copy, Some(at)) => last + 1 + (copy - 1) * body.len() + at,
        };
        let next = (copy + 1) % copies as usize;
        let lead = |edge: &Edge| Edge {
            to: if edge.to == head { place(next, head) } else { place(copy, edge.to) },
            count: edge.count / copies,
            ..*edge
        };
        for &at in body {
            let block = &region.blocks[at];
            let edges = block.edges.iter().map(lead).collect();
            let count = (block.count / copies).max(1);
            new.push(RegionBlock { edges, count, entry: block.entry && copy == 0, ..block.clone() });
        }
    }
    let rest = new.split_off(body.len());
    body.iter().zip(new).for_each(|(&at, block)| region.blocks[at] = block);
    region.blocks.splice(last + 1..last + 1, rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::parse;

    /// A block's count, and for each edge where to and how often.
    type Shape<'a> = (u64, &'a [(usize, u64)]);

    /// A region of blocks of two guest instructions.
    fn region(blocks: &[Shape]) -> (Recording, Region) {
        let text = |at: usize| {
            let pc = 0x1000 + 16 * at;
            format!("block {pc:#x} {{\n  mark {pc:#x}\n  mark {:#x}\n  jump 0x9000\n}}\n", pc + 4)
        };
        let texts: String = (0..blocks.len()).map(text).collect();
        let recording = Recording { blocks: parse(&texts).unwrap(), sequence: Vec::new() };
        let pc = |at: usize| recording.blocks[at].start_pc;
        let edge = |&(to, count): &(usize, u64)| Edge { kind: EdgeKind::Goes, pc: pc(to), to, count };
        let block = |(at, &(count, edges)): (usize, &Shape)| RegionBlock {
            block: at,
            edges: edges.iter().map(edge).collect(),
            frames: Vec::new(),
            count,
            entry: at == 0,
        };
        let blocks = blocks.iter().enumerate().map(block).collect();
        (recording, Region { blocks, score: 0, covered: 0, entries: 0 })
    }

    /// Of each block of the unrolled region, which one it was and where it goes.
    fn unrolled(blocks: &[Shape]) -> Vec<(usize, Vec<usize>)> {
        let (recording, region) = region(blocks);
        let region = unroll(&recording, region);
        let to = |block: &RegionBlock| block.edges.iter().map(|edge| edge.to).collect();
        region.blocks.iter().map(|block| (block.block, to(block))).collect()
    }

    #[test]
    fn a_loop_of_one_block_goes_through_its_copies() {
        let after = unrolled(&[(10, &[(1, 10)]), (1000, &[(1, 990), (2, 10)]), (10, &[(0, 9)])]);
        let copy = |next| (1, vec![next, 5]);
        assert_eq!(after, [(0, vec![1]), copy(2), copy(3), copy(4), copy(1), (2, vec![0])]);
    }

    #[test]
    fn a_loop_of_several_blocks_is_copied_whole() {
        let after =
            unrolled(&[(9, &[(1, 9)]), (900, &[(2, 800), (3, 100)]), (800, &[(3, 800)]), (900, &[(1, 890)])]);
        assert_eq!(
            after[1..7],
            [(1, vec![2, 3]), (2, vec![3]), (3, vec![4]), (1, vec![5, 6]), (2, vec![6]), (3, vec![7])]
        );
        assert_eq!((after.len(), &after[12]), (13, &(3, vec![1])));
    }

    #[test]
    fn the_hottest_way_back_says_which_loop_it_is() {
        // The head of the region is in the inner loop; the outer one comes back to it as well.
        let after = unrolled(&[(1000, &[(0, 990), (1, 10)]), (10, &[(0, 10)])]);
        assert_eq!(after[..2], [(0, vec![1, 4]), (0, vec![2, 4])]);
        assert_eq!(after[4], (1, vec![0]));
    }

    #[test]
    fn short_and_cold_loops_stay() {
        let short: &[Shape] = &[(100, &[(1, 100)]), (300, &[(1, 200), (2, 100)]), (100, &[(0, 99)])];
        assert_eq!(unrolled(short).len(), 3);
        let cold: &[Shape] = &[(900, &[(1, 1), (0, 800)]), (99, &[(1, 98)])];
        assert_eq!(unrolled(cold).len(), 4);
    }
}
