//! Which operations have code in a region: those that the lowering does without the helper. It is asked itself, so that no
//! list has to agree with it.

use super::super::roles::{Home, FPR_ROLES, GPR_ROLES};
use super::{Buffers, Request};
use crate::asm::x64::reg::*;
use crate::asm::x64::CpuFeatures;
use crate::base::RegId;
use crate::codegen::Memory;
use crate::ir::IROp;

/// Tries operations out.
#[derive(Debug)]
pub struct Probe {
    buffers: Buffers,
    request: Request,
}

/// The guest's registers that are in a host register while units meet.
pub fn mapped() -> Vec<RegId> {
    GPR_ROLES.iter().map(|role| role.0).chain(FPR_ROLES.iter().map(|role| role.0)).collect()
}

impl Probe {
    /// For a processor.
    pub fn new(features: CpuFeatures) -> Probe {
        let request = Request { memory: Memory::Low, features, first_link: 0, listing: false };
        Probe { buffers: Buffers::new(&request), request }
    }

    /// Whether an operation has code.
    pub fn has_code(&mut self, op: &IROp) -> bool {
        // These need to know the block, or end it.
        if matches!(op, IROp::ReadRetired { .. } | IROp::WriteRound { .. } | IROp::WriteFcsr { .. }) {
            return false;
        }
        if matches!(op, IROp::Copy { .. } | IROp::Const { .. }) {
            return true;
        }
        let mut homes = [Home::Gpr(RBX); 64];
        homes[0] = Home::Zero;
        homes[32..].fill(Home::Xmm(Xmm::ALL[2]));
        let mut none = |_: IROp| 0;
        let mut lower = self.buffers.lower(&self.request, &mut none, Some(homes));
        lower.single_operation(op);
        !lower.failed
    }
}
