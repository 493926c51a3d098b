//! What the optimising tiers work on: regions of blocks that run together. It knows the IR and no guest.

pub mod region;
