//! Generators and oracles of the differential tests, shared by `tests/` and `fuzz/` (feature `testing`).
//!
//! ```text
//!   sequence.rs  random instructions over every row of the RISC-V tables ─┐
//!   tests        hand-written cases, floating-point grids ────────────────┤
//!                                                                  case.rs: many cases, one program
//!                                                                  image.rs: as ELF file, as guest memory
//!                                                                  oracle.rs: qemu-riscv64, every engine
//!                                                                  report.rs: compare, minimise, explain
//! ```
//!
//! Everything is deterministic: the same seed gives the same programs on every host. Nothing here is used by the
//! engine itself, and nothing here is part of the stable interface.

pub mod asm;
pub mod case;
pub mod fuzz;
pub mod image;
pub mod oracle;
pub mod passes;
pub mod program;
pub mod regalloc;
pub mod report;
pub mod rng;
pub mod rounds;
pub mod sequence;
#[cfg(feature = "linux")]
mod syscalls;
pub mod values;
