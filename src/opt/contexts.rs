//! Contexts: the calls that led to a block while the recording of what ran is walked. A block is in a region once for each.

use crate::base::GuestAddr;

/// A block and its context.
pub(super) type Node = u64;
/// Index of a [`Context`]: the calls that led to a block.
pub(super) type ContextId = u32;
/// That of the head.
pub(super) const ROOT: ContextId = 0;

pub(super) fn node(block: u32, context: ContextId) -> Node {
    u64::from(context) << 32 | u64::from(block)
}

pub(super) fn block_of(node: Node) -> u32 {
    node as u32
}

pub(super) fn context_of(node: Node) -> ContextId {
    (node >> 32) as ContextId
}

/// A call that was followed, in the context of others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context {
    pub parent: ContextId,
    /// First block of the function that is called, or of one of them.
    pub function: u32,
    pub return_to: GuestAddr,
    pub depth: usize,
}

/// All contexts, and for each the calls that were followed in it.
pub(super) struct Contexts {
    all: Vec<Context>,
    inner: Vec<Vec<ContextId>>,
}

impl Contexts {
    pub fn new() -> Contexts {
        Contexts { all: vec![Context::default()], inner: vec![Vec::new()] }
    }

    /// Whether no call was followed.
    pub fn is_empty(&self) -> bool {
        self.all.len() == 1
    }

    pub fn get(&self, id: ContextId) -> Context {
        self.all[id as usize]
    }

    /// The context of a call to be followed in context `parent`.
    pub fn enter(&mut self, parent: ContextId, function: u32, return_to: GuestAddr) -> ContextId {
        let known = self.inner[parent as usize].iter().find(|&&id| self.get(id).return_to == return_to);
        if let Some(&known) = known {
            return known;
        }
        let (id, depth) = (self.all.len() as ContextId, self.get(parent).depth + 1);
        self.all.push(Context { parent, function, return_to, depth });
        self.inner.push(Vec::new());
        self.inner[parent as usize].push(id);
        id
    }

    /// How many of the calls that led to a context are of a function.
    pub fn calls(&self, mut id: ContextId, function: u32) -> usize {
        let mut calls = 0;
        while id != ROOT {
            calls += usize::from(self.get(id).function == function);
            id = self.get(id).parent;
        }
        calls
    }

    pub fn frames(&self, mut id: ContextId) -> Vec<GuestAddr> {
        let mut frames = Vec::with_capacity(self.get(id).depth);
        while id != ROOT {
            frames.push(self.get(id).return_to);
            id = self.get(id).parent;
        }
        frames.reverse();
        frames
    }
}
