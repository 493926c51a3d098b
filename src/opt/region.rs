//! Which blocks are compiled together, chosen from a recording of what ran.
//!
//! The recording is walked for each block that may be the head: what follows the head is inside, with calls followed
//! into functions that are small, until a return that nobody inside waits for. What ran often enough of that and hangs
//! together is a region. It is then walked again to see how much of the recording would have run in it, and the head
//! whose region holds most is taken: of two loops that is the outer one, if it is not too large.
//!
//! A block is in a region once for each way of calls that leads to it, so that a return knows where it goes to. It is
//! an expectation only, as everything here: code for a region checks it, or proves it.

use super::contexts::{block_of, context_of, node, Contexts, Node, ROOT};
pub use super::recording::Recording;
use crate::base::{GuestAddr, PcMap};
use crate::ir::{IRBlock, Terminator};
use std::collections::BinaryHeap;

/// What a region may be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most guest instructions, and most blocks.
    pub instructions: u64,
    pub blocks: usize,
    /// Most calls that are followed into each other.
    pub frames: usize,
    /// How often a call of a function is followed inside of itself.
    pub recursion: usize,
    /// Most guest instructions of a function that is followed into, without those that it calls; twice as many if it is
    /// called from one place.
    pub callee: u64,
    /// How often the hottest block runs while an edge is taken once that is still inside.
    pub cold: u64,
    /// Most targets of an indirect jump, and how many percent of the jumps go to each at least.
    pub targets: usize,
    pub percent: u64,
    /// How often the head must have run.
    pub least: u64,
    /// Guest instructions that run inside each time the region is entered, or more: else entering costs more than it gains.
    pub stay: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            instructions: 600,
            blocks: 150,
            frames: 4,
            recursion: 2,
            callee: 120,
            cold: 64,
            targets: 3,
            percent: 20,
            least: 4,
            stay: 0,
        }
    }
}

/// Why there is no region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRegion {
    /// Code changed while it was recorded.
    Stale,
    /// The recording ended too soon.
    Short,
    /// Nothing in it ran again and again, or what did has a region.
    Cold,
    /// The first block of what did is beyond the limits.
    Large,
    /// The block that was recorded for is in a region that was chosen meanwhile.
    Overtaken,
}

impl NoRegion {
    /// All reasons; each has its own number as its place.
    pub const ALL: [NoRegion; 5] =
        [NoRegion::Stale, NoRegion::Short, NoRegion::Cold, NoRegion::Large, NoRegion::Overtaken];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            NoRegion::Stale => "stale",
            NoRegion::Short => "short",
            NoRegion::Cold => "cold",
            NoRegion::Large => "large",
            NoRegion::Overtaken => "overtaken",
        }
    }
}

/// How control goes along an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeKind {
    /// From the end of the one block to the other.
    Goes,
    /// From a call that leaves the region to where it comes back.
    Returns,
}

/// A way from a block to another one inside the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    pub kind: EdgeKind,
    /// Guest address of the other block, and its index in the region.
    pub pc: GuestAddr,
    pub to: usize,
    /// Times that it was taken.
    pub count: u64,
}

/// A block in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionBlock {
    /// Index into [`Recording::blocks`].
    pub block: usize,
    /// Hottest first. Whatever else the terminator can lead to is outside.
    pub edges: Vec<Edge>,
    /// Where the calls that were followed to get here are expected to return to, outermost first.
    pub frames: Vec<GuestAddr>,
    /// Times that it ran in the recording.
    pub count: u64,
    /// Whether control comes here from outside: the head, and what is behind a call that leaves the region.
    pub entry: bool,
}

/// Blocks that are compiled together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The head, then the rest in reverse postorder, hot successors first. All can be reached from the head.
    pub blocks: Vec<RegionBlock>,
    /// How much of the recording, from the head's first time on, would have run inside, less what it costs to enter: of
    /// [`WHOLE`].
    pub score: u64,
    /// Guest instructions that ran inside, and how often it was entered for that.
    pub covered: u64,
    pub entries: u64,
}

impl Region {
    /// Guest address of the head.
    pub fn head(&self, recording: &Recording) -> Option<GuestAddr> {
        let head = self.blocks.first()?;
        recording.blocks.get(head.block).map(|block| block.start_pc)
    }
}

/// Blocks below which a recording says nothing.
const SHORTEST: usize = 16;
/// Most heads of loops, and of functions, that are tried.
const LOOPS: usize = 10;
const FUNCTIONS: usize = 4;
/// What it costs to enter a region, in guest instructions of it: at the head, and behind a call.
const ENTRY_COST: u64 = 3;
const RETURN_COST: u64 = 1;
/// A score is this if all that was recorded ran inside.
pub const WHOLE: u64 = 1024;
/// Regions below this score are not worth having.
const WORTH: u64 = WHOLE / 32;

/// Chooses a region whose head is not `taken`. If the best one is taken, the region has the first block of the recording in
/// it, or there is none.
///
/// # Errors
/// The reason why there is none.
pub fn form(
    recording: &Recording,
    limits: &Limits,
    taken: &dyn Fn(GuestAddr) -> bool,
) -> Result<Region, NoRegion> {
    let known = |&block: &u32| (block as usize) < recording.blocks.len();
    if recording.sequence.len() < SHORTEST || !recording.sequence.iter().all(known) {
        return Err(NoRegion::Short);
    }
    let facts = Facts::new(recording, limits);
    let (heads, excluded) = heads(&facts, limits, taken);
    let first = recording.sequence[0] as usize;
    let (mut best, mut large): (Option<(Head, Region)>, bool) = (None, false);
    for head in heads {
        let Some(found) = try_head(&facts, limits, head.block) else {
            large = true;
            continue;
        };
        let has_first = || found.blocks.iter().any(|inside| inside.block == first);
        let stays = found.covered >= limits.stay * found.entries;
        if found.score < WORTH || !stays || excluded && !has_first() {
            continue;
        }
        if best.as_ref().is_none_or(|(than, old)| is_better((&head, found.score), (than, old.score))) {
            best = Some((head, found));
        }
    }
    let none = if large { NoRegion::Large } else { NoRegion::Cold };
    best.map(|(_, found)| found).ok_or(none)
}

/// A block that may be a head.
#[derive(Clone, Copy, Debug)]
struct Head {
    block: u32,
    count: u64,
    /// For a loop: addresses of its first block and of the last that jumps back to it.
    span: Option<(GuestAddr, GuestAddr)>,
}

/// Whether a head with its score is better than another. Where scores hardly differ, the outer loop is.
fn is_better((head, score): (&Head, u64), (than, other): (&Head, u64)) -> bool {
    if score.abs_diff(other) > score.max(other) / 64 {
        return score > other;
    }
    let contains = |a: &Head, b: &Head| match (a.span, b.span) {
        (Some(a), Some(b)) => a != b && a.0 <= b.0 && b.1 <= a.1,
        (is_loop, other) => is_loop.is_some() && other.is_none(),
    };
    match (contains(head, than), contains(than, head)) {
        (true, _) => true,
        (_, true) => false,
        _ => head.count > than.count,
    }
}

/// Heads to try, and whether some are not among them since they are taken.
fn heads(facts: &Facts<'_>, limits: &Limits, taken: &dyn Fn(GuestAddr) -> bool) -> (Vec<Head>, bool) {
    let sequence = &facts.recording.sequence;
    let mut loops: PcMap<(u32, GuestAddr)> = PcMap::default();
    for pair in sequence.windows(2) {
        let (from, to) = (facts.pc(pair[0]), facts.pc(pair[1]));
        let jumps = matches!(
            facts.block(pair[0]).term,
            Terminator::Jump { .. } | Terminator::Branch { .. } | Terminator::JumpIndirect { .. }
        );
        if jumps && to <= from {
            let known = loops.entry(to).or_insert((pair[1], from));
            known.1 = known.1.max(from);
        }
    }
    let head = |block: u32, end: Option<GuestAddr>| Head {
        block,
        count: facts.counts[block as usize],
        span: end.map(|end| (facts.pc(block), end)),
    };
    let hot = |head: &Head| head.count >= limits.least;
    let mut found: Vec<Head> =
        loops.values().map(|&(block, end)| head(block, Some(end))).filter(hot).collect();
    found.sort_by_key(|head| {
        (std::cmp::Reverse(facts.range(head.block)), std::cmp::Reverse(head.count), facts.pc(head.block))
    });
    found.truncate(LOOPS);
    let callees = (0..).zip(&facts.callees).filter(|(_, callee)| callee.is_some());
    let mut functions: Vec<Head> = callees.map(|(block, _)| head(block, None)).filter(hot).collect();
    functions.sort_by_key(|head| (std::cmp::Reverse(head.count), facts.pc(head.block)));
    functions.truncate(FUNCTIONS);
    functions.push(head(sequence[0], None));
    for one in functions {
        if hot(&one) && !found.iter().any(|other| other.block == one.block) {
            found.push(one);
        }
    }
    let all = found.len();
    found.retain(|head| !taken(facts.pc(head.block)));
    let excluded = found.len() < all;
    (found, excluded)
}

/// What is known of a function.
#[derive(Clone, Copy, Debug, Default)]
struct Callee {
    /// Guest instructions of the blocks that ran in it.
    instructions: u64,
    /// Places that it was called from.
    sites: u32,
    /// It was called while it ran.
    recursive: bool,
}

/// What the recording says without regard to any region.
struct Facts<'a> {
    recording: &'a Recording,
    /// Of each block: what it costs, how often it ran, where it ran first and last.
    costs: Vec<u64>,
    counts: Vec<u64>,
    ranges: Vec<(u32, u32)>,
    /// Cost of all that ran, and of that before each place in the sequence.
    before: Vec<u64>,
    total: u64,
    /// Of blocks with an indirect jump or call: the blocks that it is expected to lead to, hottest first.
    targets: Vec<Vec<u32>>,
    /// Functions, each at its first block.
    callees: Vec<Option<Callee>>,
    /// How the sequence went on from each place but the last. Each walk asks again, so it is found out once.
    ways: Vec<Way>,
}

/// How one block led to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By a jump or branch to where it is expected to go.
    Goes,
    Calls,
    Returns,
    /// In no way that a region follows.
    Leaves,
}

impl<'a> Facts<'a> {
    fn new(recording: &'a Recording, limits: &Limits) -> Facts<'a> {
        let costs: Vec<u64> = recording.blocks.iter().map(IRBlock::cost).collect();
        let mut counts = vec![0; costs.len()];
        let mut ranges = vec![(u32::MAX, 0); costs.len()];
        let (mut before, mut total) = (Vec::with_capacity(recording.sequence.len()), 0);
        for (&block, at) in recording.sequence.iter().zip(0..) {
            before.push(total);
            total += costs[block as usize];
            counts[block as usize] += 1;
            let range = &mut ranges[block as usize];
            *range = (range.0.min(at), at);
        }
        let (targets, callees) = (vec![Vec::new(); counts.len()], vec![None; counts.len()]);
        let ways = Vec::new();
        let mut facts = Facts { recording, costs, counts, ranges, before, total, targets, callees, ways };
        facts.find_targets(limits);
        facts.find_callees();
        facts.ways = recording.sequence.windows(2).map(|pair| facts.way(pair[0], pair[1])).collect();
        facts
    }

    fn block(&self, block: u32) -> &'a IRBlock {
        &self.recording.blocks[block as usize]
    }

    fn pc(&self, block: u32) -> GuestAddr {
        self.block(block).start_pc
    }

    /// How long after its first time a block ran last.
    fn range(&self, block: u32) -> u32 {
        let (first, last) = self.ranges[block as usize];
        last.saturating_sub(first)
    }

    fn find_targets(&mut self, limits: &Limits) {
        let mut taken: PcMap<Vec<(u64, u32)>> = PcMap::default();
        for pair in self.recording.sequence.windows(2) {
            let term = self.block(pair[0]).term;
            if matches!(term, Terminator::JumpIndirect { .. } | Terminator::CallIndirect { .. }) {
                let targets = taken.entry(u64::from(pair[0])).or_default();
                match targets.iter_mut().find(|target| target.1 == pair[1]) {
                    Some(target) => target.0 += 1,
                    None => targets.push((1, pair[1])),
                }
            }
        }
        for (block, mut targets) in taken {
            let all: u64 = targets.iter().map(|target| target.0).sum();
            targets.retain(|target| target.0 * 100 >= all * limits.percent);
            targets.sort_by_key(|&(count, to)| (std::cmp::Reverse(count), self.pc(to)));
            targets.truncate(limits.targets);
            self.targets[block as usize] = targets.into_iter().map(|target| target.1).collect();
        }
    }

    fn find_callees(&mut self) {
        // Functions that run, and where each returns to.
        let mut stack: Vec<(u32, GuestAddr)> = Vec::new();
        let (mut inside, mut sites) = (PcMap::default(), PcMap::default());
        let mut last = None;
        for &block in &self.recording.sequence {
            match last.map(|last| (last, self.block(last).term)) {
                Some((
                    site,
                    Terminator::Call { return_to, .. } | Terminator::CallIndirect { return_to, .. },
                )) => {
                    let recursive = stack.iter().rev().take(64).any(|&(function, _)| function == block);
                    let callee = self.callees[block as usize].get_or_insert_default();
                    callee.recursive |= recursive;
                    callee.sites += u32::from(sites.insert(node(block, site), ()).is_none());
                    stack.push((block, return_to));
                }
                Some((_, Terminator::ReturnIndirect { .. })) => {
                    let pc = self.pc(block);
                    let frame = stack.iter().rposition(|&(_, return_to)| return_to == pc);
                    stack.truncate(frame.unwrap_or(stack.len()));
                }
                _ => {}
            }
            if let Some(&(function, _)) = stack.last() {
                if inside.insert(node(block, function), ()).is_none() {
                    let cost = self.costs[block as usize];
                    self.callees[function as usize].get_or_insert_default().instructions += cost;
                }
            }
            last = Some(block);
        }
    }

    fn way(&self, from: u32, to: u32) -> Way {
        let pc = self.pc(to);
        match self.block(from).term {
            Terminator::Jump { target } if target == pc => Way::Goes,
            Terminator::Branch { taken, fallthrough, .. } if taken == pc || fallthrough == pc => Way::Goes,
            Terminator::JumpIndirect { .. } if self.expects(from, to) => Way::Goes,
            Terminator::Call { .. } | Terminator::CallIndirect { .. } => Way::Calls,
            Terminator::ReturnIndirect { .. } => Way::Returns,
            _ => Way::Leaves,
        }
    }

    /// Whether an indirect jump or call of `from` is expected to lead to `to`.
    fn expects(&self, from: u32, to: u32) -> bool {
        self.targets[from as usize].contains(&to)
    }
}

/// A call that has not returned.
struct Frame {
    return_to: GuestAddr,
    /// The call, if it was inside.
    site: Option<Node>,
    followed: bool,
}

/// A step of the recording to a block that may be inside.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// `None`: from outside to the head.
    from: Option<Node>,
    kind: EdgeKind,
    to: Node,
}

/// The recording as seen from a head.
struct Walk<'a> {
    facts: &'a Facts<'a>,
    head: u32,
    /// `Limits::frames` and `Limits::callee`.
    frames: usize,
    callee: u64,
    /// `Limits::recursion`, and whether a function was followed inside of itself.
    recursion: usize,
    recurses: bool,
    contexts: Contexts,
    stack: Vec<Frame>,
}

impl<'a> Walk<'a> {
    fn new(facts: &'a Facts<'a>, limits: &Limits, head: u32) -> Walk<'a> {
        let Limits { frames, callee, recursion, .. } = *limits;
        let (contexts, stack) = (Contexts::new(), Vec::new());
        Walk { facts, head, frames, callee, recursion, recurses: false, contexts, stack }
    }

    /// Shows all steps to `is_inside`, which says whether they stay inside.
    fn run(&mut self, mut is_inside: impl FnMut(Step) -> bool) {
        self.stack.clear();
        let (mut here, mut last) = (None, None);
        let first = self.facts.ranges[self.head as usize].0 as usize;
        // Before the head ran there is nothing inside.
        for (at, &block) in self.facts.recording.sequence.iter().enumerate().skip(first) {
            let step = last.and_then(|last| self.step(self.facts.ways[at - 1], here, last, block));
            here = step.filter(|&step| is_inside(step)).map(|step| step.to);
            if here.is_none() && block == self.head {
                let to = node(block, ROOT);
                here = is_inside(Step { from: None, kind: EdgeKind::Goes, to }).then_some(to);
            }
            last = Some(block);
        }
    }

    /// The step from `last`, which ran at node `here` or outside, to `block`.
    fn step(&mut self, way: Way, here: Option<Node>, last: u32, block: u32) -> Option<Step> {
        match way {
            Way::Goes => here.map(|here| Step {
                from: Some(here),
                kind: EdgeKind::Goes,
                to: node(block, context_of(here)),
            }),
            Way::Calls => {
                let (Terminator::Call { return_to, .. } | Terminator::CallIndirect { return_to, .. }) =
                    self.facts.block(last).term
                else {
                    return None;
                };
                let followed = here.filter(|&here| self.follows(here, block));
                self.stack.push(Frame { return_to, site: here, followed: followed.is_some() });
                let to = node(block, self.contexts.enter(context_of(followed?), block, return_to));
                Some(Step { from: followed, kind: EdgeKind::Goes, to })
            }
            Way::Returns => self.returns(here, block),
            Way::Leaves => None,
        }
    }

    /// Whether a call at `here` of the function that begins with `block` is followed.
    fn follows(&mut self, here: Node, block: u32) -> bool {
        let (site, callee) = (block_of(here), self.facts.callees[block as usize].unwrap_or_default());
        let expected = match self.facts.block(site).term {
            Terminator::Call { target, .. } => target == self.facts.pc(block),
            _ => self.facts.expects(site, block),
        };
        let most = if callee.sites == 1 { self.callee * 2 } else { self.callee };
        if !expected || callee.instructions > most || self.contexts.get(context_of(here)).depth >= self.frames
        {
            return false;
        }
        if block != self.head && !callee.recursive {
            return true;
        }
        let calls = self.contexts.calls(context_of(here), block) + usize::from(block == self.head);
        let follows = self.recursion > 0 && calls <= self.recursion;
        self.recurses |= follows;
        follows
    }

    /// The step of a return.
    fn returns(&mut self, here: Option<Node>, block: u32) -> Option<Step> {
        let pc = self.facts.pc(block);
        let at = self.stack.iter().rposition(|frame| frame.return_to == pc)?;
        let frame = self.stack.drain(at..).next()?;
        if !frame.followed {
            let site = frame.site?;
            return Some(Step {
                from: Some(site),
                kind: EdgeKind::Returns,
                to: node(block, context_of(site)),
            });
        }
        // Only who is inside still knows where it goes.
        let context = self.contexts.get(context_of(here?));
        let expected = context.depth > 0 && context.return_to == pc;
        expected.then(|| Step { from: here, kind: EdgeKind::Goes, to: node(block, context.parent) })
    }
}

/// How often something happened at a node.
#[derive(Clone, Debug, Default)]
struct Counted {
    node: Node,
    count: u64,
    edges: Vec<Edge>,
}

/// All nodes that a walk comes to, the head first; `Edge::to` is an index into them.
fn count(walk: &mut Walk<'_>) -> Vec<Counted> {
    let facts = walk.facts;
    let mut nodes: Vec<Counted> = Vec::new();
    let mut places: PcMap<usize> = PcMap::default();
    // Most steps go on from where the last one led, along an edge that is known: without a look into the map.
    let mut last: Option<(Node, usize)> = None;
    walk.run(|step| {
        let from = step.from.and_then(|from| match last {
            Some((node, at)) if node == from => Some(at),
            _ => places.get(&from).copied(),
        });
        let leads = |edge: &Edge| edge.kind == step.kind && nodes[edge.to].node == step.to;
        let known = from.and_then(|from| nodes[from].edges.iter().position(leads).map(|edge| (from, edge)));
        if let Some((from, edge)) = known {
            let edge = &mut nodes[from].edges[edge];
            edge.count += 1;
            let to = edge.to;
            nodes[to].count += 1;
            last = Some((step.to, to));
            return true;
        }
        let to = *places.entry(step.to).or_insert(nodes.len());
        last = Some((step.to, to));
        if to == nodes.len() {
            nodes.push(Counted { node: step.to, ..Counted::default() });
        }
        nodes[to].count += 1;
        if let Some(from) = from {
            let pc = facts.pc(block_of(step.to));
            nodes[from].edges.push(Edge { kind: step.kind, pc, to, count: 1 });
        }
        true
    });
    nodes
}

/// The best region with this head, if it fits the limits.
fn try_head(facts: &Facts<'_>, limits: &Limits, head: u32) -> Option<Region> {
    // Rather no rare paths than no calls, and rather no calls than a piece of it.
    let mut recurses = true;
    for (callee, recursion) in
        [(limits.callee, limits.recursion), (limits.callee, 0), (limits.callee / 3, 0), (0, 0)]
    {
        if recursion == 0 && callee == limits.callee && !recurses {
            continue;
        }
        let mut walk = Walk::new(facts, &Limits { callee, recursion, ..*limits }, head);
        let mut nodes = count(&mut walk);
        recurses = walk.recurses;
        let mut all = None;
        for rarer in [1, 4, 16] {
            keep_hot(&mut nodes, (limits.cold / rarer).max(1));
            let inside = reachable(&nodes);
            if fits(facts, limits, &nodes, &inside) {
                return score(&mut walk, &nodes, &inside);
            }
            all.get_or_insert_with(|| nodes.clone());
        }
        if callee == 0 || walk.contexts.is_empty() {
            let nodes = all.unwrap_or(nodes);
            let inside = grow(facts, limits, &nodes)?;
            // A piece leaves things as difficult as they were.
            return score(&mut walk, &nodes, &inside)
                .map(|found| Region { score: found.score * 3 / 4, ..found });
        }
    }
    None
}

/// Takes the edges away that are taken less than once while the hottest block runs `cold` times.
fn keep_hot(nodes: &mut [Counted], cold: u64) {
    let hottest = nodes.iter().map(|node| node.count).max().unwrap_or(0);
    for node in nodes {
        node.edges.retain(|edge| edge.count * cold >= hottest);
        node.edges.sort_by_key(|edge| (std::cmp::Reverse(edge.count), edge.pc, edge.to));
    }
}

/// Nodes that the head leads to, in reverse postorder. The hottest successor is visited last and so comes right behind.
fn reachable(nodes: &[Counted]) -> Vec<usize> {
    order(nodes, |_| true)
}

fn order(nodes: &[Counted], is_inside: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut seen = vec![false; nodes.len()];
    let mut order = Vec::with_capacity(nodes.len());
    // A node, and how many of its edges are still to be followed.
    let mut path: Vec<(usize, usize)> = Vec::new();
    if let Some(head) = nodes.first() {
        seen[0] = true;
        path.push((0, head.edges.len()));
    }
    while let Some((at, left)) = path.last_mut() {
        if *left == 0 {
            order.push(*at);
            path.pop();
            continue;
        }
        *left -= 1;
        let to = nodes[*at].edges[*left].to;
        if !seen[to] && is_inside(to) {
            seen[to] = true;
            path.push((to, nodes[to].edges.len()));
        }
    }
    order.reverse();
    order
}

fn fits(facts: &Facts<'_>, limits: &Limits, nodes: &[Counted], inside: &[usize]) -> bool {
    let cost = |&at: &usize| facts.costs[block_of(nodes[at].node) as usize];
    inside.len() <= limits.blocks && inside.iter().map(cost).sum::<u64>() <= limits.instructions
}

/// As many nodes as the limits allow, along the hottest edges from the head.
fn grow(facts: &Facts<'_>, limits: &Limits, nodes: &[Counted]) -> Option<Vec<usize>> {
    let mut inside = vec![false; nodes.len()];
    let mut room = (limits.instructions, limits.blocks);
    let mut edges = BinaryHeap::from([(u64::MAX, std::cmp::Reverse(0))]);
    while let Some((_, std::cmp::Reverse(to))) = edges.pop() {
        let cost = facts.costs[block_of(nodes.get(to)?.node) as usize];
        if inside[to] || cost > room.0 || room.1 == 0 {
            continue;
        }
        room = (room.0 - cost, room.1 - 1);
        inside[to] = true;
        edges.extend(nodes[to].edges.iter().map(|edge| (edge.count, std::cmp::Reverse(edge.to))));
    }
    let order = order(nodes, |to| inside[to]);
    (inside.first() == Some(&true)).then_some(order)
}

/// Makes a region of some nodes, the head first, and sees how much of the recording runs in it.
fn score(walk: &mut Walk<'_>, nodes: &[Counted], inside: &[usize]) -> Option<Region> {
    let mut places = vec![None; nodes.len()];
    inside.iter().enumerate().for_each(|(place, &at)| places[at] = Some(place));
    let block = |&at: &usize| {
        let Counted { node, count, edges } = &nodes[at];
        let edges = edges.iter().filter_map(|edge| places[edge.to].map(|to| Edge { to, ..*edge }));
        RegionBlock {
            block: block_of(*node) as usize,
            edges: edges.collect(),
            frames: walk.contexts.frames(context_of(*node)),
            count: *count,
            entry: false,
        }
    };
    let mut blocks: Vec<RegionBlock> = inside.iter().map(block).collect();
    blocks.first_mut()?.entry = true;
    let edges = blocks.iter().flat_map(|block| &block.edges);
    let returns: Vec<usize> =
        edges.filter(|edge| edge.kind == EdgeKind::Returns).map(|edge| edge.to).collect();
    returns.into_iter().for_each(|to| blocks[to].entry = true);

    let by_node: PcMap<usize> =
        inside.iter().enumerate().map(|(place, &at)| (nodes[at].node, place)).collect();
    let (facts, mut covered, mut price, mut entries) = (walk.facts, 0, 0, 0);
    let mut last: Option<(Node, usize)> = None;
    walk.run(|step| {
        let to = match step.from {
            None => {
                let Some(&to) = by_node.get(&step.to) else { return false };
                price += ENTRY_COST;
                entries += 1;
                to
            }
            Some(from) => {
                let from = match last {
                    Some((node, at)) if node == from => Some(at),
                    _ => by_node.get(&from).copied(),
                };
                let leads = |edge: &&Edge| edge.kind == step.kind && nodes[inside[edge.to]].node == step.to;
                let Some(edge) = from.and_then(|from| blocks[from].edges.iter().find(leads)) else {
                    return false;
                };
                if step.kind == EdgeKind::Returns {
                    price += RETURN_COST;
                    entries += 1;
                }
                edge.to
            }
        };
        last = Some((step.to, to));
        covered += facts.costs[blocks[to].block];
        true
    });
    let since = facts.total - facts.before[facts.ranges[walk.head as usize].0 as usize];
    let score = u64::saturating_sub(covered, price) * WHOLE / since.max(facts.total / 2).max(1);
    Some(Region { blocks, score, covered, entries })
}

#[cfg(test)]
#[path = "region_tests.rs"]
mod tests;
