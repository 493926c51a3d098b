//! Code that stands in nearly every block and is always the same: assembled once, then copied.

use super::roles;
use super::thunks::state;
use crate::asm::x64::reg::RAX;
use crate::asm::x64::{Assembler, Snippet};

/// The snippets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snippets {
    out_of_fuel: Snippet,
    stub: Snippet,
}

/// Where a stub has the link's number: behind the opcode.
pub(super) const STUB_NUMBER: usize = 1;

/// The return address says where.
fn out_of_fuel(asm: &mut Assembler) {
    asm.call_m(state(roles::FUEL_THUNK));
}

/// Leaves because a link is not made; returns where the code has the link's number.
fn stub(asm: &mut Assembler, link: u32) -> usize {
    asm.mov_ri32(RAX, link);
    let number = asm.offset() - 4;
    asm.jmp_m(state(roles::LINK_THUNK));
    number
}

impl Default for Snippets {
    fn default() -> Snippets {
        let (mut fuel, mut link) = (Assembler::new(), Assembler::new());
        out_of_fuel(&mut fuel);
        let number = stub(&mut link, 0);
        debug_assert_eq!(number, STUB_NUMBER);
        Snippets { out_of_fuel: Snippet::new(fuel, 0), stub: Snippet::new(link, number) }
    }
}

impl Snippets {
    /// Code that leaves because the fuel does not suffice.
    #[inline]
    pub fn put_out_of_fuel(&self, asm: &mut Assembler) {
        if !asm.put(&self.out_of_fuel, None) {
            out_of_fuel(asm);
        }
    }

    /// Code that leaves because the link with this number is not made.
    #[inline]
    pub fn put_stub(&self, asm: &mut Assembler, link: u32) {
        if !asm.put(&self.stub, Some(link)) {
            stub(asm, link);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_what_is_assembled() {
        let put = |mut asm: Assembler| {
            let snippets = Snippets::default();
            snippets.put_stub(&mut asm, 0x1234_5678);
            snippets.put_out_of_fuel(&mut asm);
            snippets.put_stub(&mut asm, u32::MAX);
            asm.finish().unwrap().into_bytes()
        };
        assert_eq!(put(Assembler::new()), put(Assembler::with_listing()));
    }
}
