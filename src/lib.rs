#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

pub mod asm;
pub mod base;
pub mod cache;
pub mod codegen;
pub mod engine;
pub mod guest;
pub mod interp;
pub mod ir;
#[cfg(feature = "linux")]
pub mod linux;
pub mod mmu;
pub mod regalloc;
mod sys;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use base::error::{Access, ElfError, Error, Fault, Trap};
pub use base::state::CpuState;
pub use base::{GuestAddr, RegId};
pub use engine::{ExecResult, ExecStatus, ExecutionEngine, Jit, Tier};
pub use ir::{Cond, IRBlock, IROp, Terminator};
#[cfg(feature = "linux")]
pub use linux::machine::{Machine, MachineBuilder, Status};
pub use mmu::SoftMmu;
