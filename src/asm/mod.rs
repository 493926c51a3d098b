//! Macro assemblers: from instructions to bytes, and back to text for listings.
//!
//! The library stands alone: it knows nothing of guests, IR or memory that can be executed. [`CodeBuffer`] holds what
//! hosts have in common (bytes, labels, fixups, constants, listing); each host adds a folder with its registers and
//! THE table of its instructions, from which emit methods, encoder, text and tests come.
//!
//! ```
//! use vm_engine_jit::asm::x64::{Assembler, Cond, Index, Mem, Scale, Size, RAX, RCX, RDI};
//!
//! // The sum of the rcx doublewords that rdi points to.
//! let mut asm = Assembler::with_listing();
//! asm.xor_rr(Size::S32, RAX, RAX);
//! let done = asm.new_label();
//! asm.test_rr(Size::S64, RCX, RCX);
//! asm.jcc_l8(Cond::E, done);
//! let next = asm.here();
//! asm.add_rm(Size::S32, RAX, Mem::sum(RDI, Index::RCX, Scale::X4).disp(-4));
//! asm.dec_r(Size::S64, RCX);
//! asm.jcc(Cond::Ne, next);
//! asm.bind(done);
//! asm.ret();
//! let code = asm.finish()?;
//!
//! let expected = [
//!     0x31, 0xc0, // xor eax, eax
//!     0x48, 0x85, 0xc9, // test rcx, rcx
//!     0x74, 0x09, // je
//!     0x03, 0x44, 0x8f, 0xfc, // add eax, dword ptr [rdi+rcx*4-0x4]
//!     0x48, 0xff, 0xc9, // dec rcx
//!     0x75, 0xf7, // jne
//!     0xc3, // ret
//! ];
//! assert_eq!(code.bytes(), expected);
//! assert_eq!(
//!     code.listing().to_string(),
//!     "     0  31 c0                           xor eax, eax
//!      2  48 85 c9                        test rcx, rcx
//!      5  74 09                           je .L0
//! .L1:
//!      7  03 44 8f fc                     add eax, dword ptr [rdi+rcx*4-0x4]
//!      b  48 ff c9                        dec rcx
//!      e  75 f7                           jne .L1
//! .L0:
//!     10  c3                              ret
//! "
//! );
//! # Ok::<(), vm_engine_jit::asm::FinishError>(())
//! ```

pub mod x64;

mod buffer;
mod fixup;
mod listing;

pub use buffer::{Code, CodeBuffer, Label};
pub use fixup::{FinishError, FixupKind};
pub use listing::Listing;
