//! Words that every layer shares: guest addresses, registers, errors, processor state.

pub mod error;
pub mod state;

/// A guest virtual address. The guest space is 4 GiB: addresses are used modulo 2^32.
pub type GuestAddr = u64;

/// A virtual register of an IR block: 0-31 are the guest's integer registers (0 reads as zero and is never
/// written), 32-63 its floating-point registers, 64-255 temporaries that live only inside one block.
pub type RegId = u8;

/// Number of virtual registers a block can name.
pub const REGISTERS: usize = 256;
/// The first floating-point register.
pub const FIRST_FLOAT: RegId = 32;
/// The first temporary.
pub const FIRST_TEMP: RegId = 64;

/// Size of a guest page in bytes (RISC-V Privileged 4.3: Sv39 base page).
pub const PAGE: u64 = 4096;
/// Size of the guest space in bytes.
pub const SPACE: u64 = 1 << 32;
