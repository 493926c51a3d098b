//! Everything this crate asks of the host: memory, fault signals, system calls. The layer holds nearly all of
//! the crate's `unsafe`; each file states the invariant that its safe interface keeps.

#[path = "access_x86_64.rs"]
#[cfg(target_arch = "x86_64")]
pub mod access;
pub mod enter;
pub mod exec_mem;
pub mod host;
#[cfg(feature = "linux")]
pub mod process;
#[cfg(feature = "linux")]
pub mod signal;
pub mod space;
pub mod thread;
pub mod trap;
