//! Guest instruction sets: from bytes to IR. Pure: nothing here reads memory or knows a host.

pub mod riscv;
