//! The optimising tiers' middle: regions of blocks in SSA form, and passes over them. It knows the IR and no host.
//!
//! ```text
//!   recording --form (region)--> region --build--> Func --passes--> Func --codegen--> machine code
//! ```

pub mod access;
pub mod build;
mod contexts;
pub mod eval;
pub mod func;
pub mod passes;
pub mod peel;
pub mod recording;
pub mod region;
mod simplify;
pub mod text;
mod unroll;
pub mod verify;

pub use simplify::base_of as address_of;

use crate::ir::ops::Effect;
use crate::ir::IROp;

/// Whether an operation accesses memory.
pub fn may_fault(op: &IROp) -> bool {
    matches!(op.info().effect, Effect::Reads | Effect::Writes)
}

/// Whether an operation is a division or a remainder.
pub fn divides(op: &IROp) -> bool {
    matches!(
        op,
        IROp::Div { .. }
            | IROp::DivU { .. }
            | IROp::Rem { .. }
            | IROp::RemU { .. }
            | IROp::DivW { .. }
            | IROp::DivUW { .. }
            | IROp::RemW { .. }
            | IROp::RemUW { .. }
    )
}
