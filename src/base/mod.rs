//! Words that every layer shares: guest addresses, registers, errors, processor state, texts of tables.

pub mod error;
pub mod leb128;
pub mod state;
pub mod text;

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

/// Locks a mutex. What a thread that panicked left behind is used as it is: every update here is one step.
pub fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A map keyed by guest address, with a hash that is a multiplication: the keys are no attacker's choice that could
/// cost more than translating them does.
pub type PcMap<V> = std::collections::HashMap<GuestAddr, V, std::hash::BuildHasherDefault<PcHasher>>;

/// The hasher of [`PcMap`] (Fibonacci hashing: Knuth, TAOCP 3, 6.4).
#[derive(Clone, Copy, Debug, Default)]
pub struct PcHasher(u64);

impl std::hash::Hasher for PcHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        // The map takes its bucket from the low bits and a tag from the high ones; both must depend on all.
        let product = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ product >> 32;
    }
}
