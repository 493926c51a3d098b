//! Which operations have code in a region: those that the lowering does without the helper. It is asked itself, so that no
//! list has to agree with it.

use super::super::roles::{Home, FPR_ROLES, GPR_ROLES};
use super::super::snippets::Snippets;
use super::{Lower, PutOff, Raw, Request, Upper};
use crate::asm::x64::reg::*;
use crate::asm::x64::{Assembler, CpuFeatures};
use crate::base::RegId;
use crate::codegen::Memory;
use crate::ir::IROp;

/// Tries operations out.
#[derive(Debug)]
pub struct Probe {
    asm: Assembler,
    request: Request,
    snippets: Snippets,
}

/// The guest's registers that are in a host register while units meet.
pub fn mapped() -> Vec<RegId> {
    GPR_ROLES.iter().map(|role| role.0).chain(FPR_ROLES.iter().map(|role| role.0)).collect()
}

impl Probe {
    /// For a processor.
    pub fn new(features: CpuFeatures) -> Probe {
        let request = Request { memory: Memory::Low, features, first_link: 0, listing: false };
        Probe { asm: Assembler::new(), request, snippets: Snippets::default() }
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
        self.asm.clear();
        let mut homes = [Home::Gpr(RBX); 64];
        homes[0] = Home::Zero;
        homes[32..].fill(Home::Xmm(Xmm::ALL[2]));
        let (mut marks, mut pcs, mut pending, mut repairs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut links, mut cold) = (Vec::new(), Vec::new());
        let mut keep = |_: IROp| 0;
        let mut lower = Lower {
            asm: &mut self.asm,
            request: &self.request,
            keep: &mut keep,
            cost: 0,
            mark: 0,
            marks: &mut marks,
            pcs: &mut pcs,
            pending: &mut pending,
            repairs: &mut repairs,
            links: &mut links,
            cold: &mut cold,
            upper: Upper::UNKNOWN,
            put_off: PutOff::default(),
            raw: Raw::default(),
            boxed: 0,
            resync: false,
            local: Some(homes),
            kept: Vec::new(),
            failed: false,
            low: false,
            strict: false,
            back: None,
            free: false,
            snippets: &self.snippets,
        };
        lower.single_operation(op);
        !lower.failed
    }
}
