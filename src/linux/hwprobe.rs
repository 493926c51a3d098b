//! riscv_hwprobe(2): what the guest's processor can do.
//!
//! Source: Linux `Documentation/arch/riscv/hwprobe.rst`, `arch/riscv/include/uapi/asm/hwprobe.h`.

use super::call::{Call, SysResult};
use crate::base::SPACE;

/// F and D; C; Zba; Zbb; Zbs; Zicond, as bits of key `IMA_EXT_0`.
const EXTENSIONS: u64 = 1 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 35;
/// `RISCV_HWPROBE_MISALIGNED_FAST`: scalar accesses need not be aligned.
const MISALIGNED_FAST: u64 = 3;
/// `RISCV_HWPROBE_MISALIGNED_VECTOR_UNSUPPORTED`.
const NO_VECTOR: u64 = 4;
/// `RISCV_HWPROBE_WHICH_CPUS`.
const WHICH_CPUS: u64 = 1;

/// The value of a key, `None` if it is unknown.
fn value(key: u64) -> Option<u64> {
    Some(match key {
        // MVENDORID, MARCHID, MIMPID: not a particular processor.
        0..=2 => 0,
        // BASE_BEHAVIOR: I, M and A.
        3 => 1,
        // IMA_EXT_0.
        4 => EXTENSIONS,
        // CPUPERF_0 and MISALIGNED_SCALAR_PERF.
        5 | 9 => MISALIGNED_FAST,
        // ZICBOZ_BLOCK_SIZE: no Zicboz.
        6 => 0,
        // HIGHEST_VIRT_ADDRESS.
        7 => SPACE - 1,
        // MISALIGNED_VECTOR_PERF.
        10 => NO_VECTOR,
        _ => return None,
    })
}

/// riscv_hwprobe(pairs, count, set size, set, flags). All harts are alike, so the set of processors matters only
/// where it is the answer.
pub fn hwprobe(call: &mut Call<'_>) -> SysResult {
    let [pairs, count, set_size, set, flags, _] = call.args;
    if flags & !WHICH_CPUS != 0 {
        return Err(libc::EINVAL);
    }
    let which = flags & WHICH_CPUS != 0;
    if which && (set_size == 0 || set == 0) || (set_size == 0) != (set == 0) {
        return Err(libc::EINVAL);
    }
    let mut all_match = true;
    for index in 0..count {
        let at = pairs.wrapping_add(index.wrapping_mul(16));
        let [key, wanted] = call.words::<2>(at)?;
        match value(key) {
            Some(value) if which => all_match &= matches(key, value, wanted),
            Some(value) => call.write_words(at, &[key, value])?,
            None => {
                all_match = false;
                call.write_words(at, &[u64::MAX, 0])?;
            }
        }
    }
    if which && !all_match {
        clear(call, set, set_size)?;
    }
    Ok(0)
}

/// Whether a hart with `value` satisfies `wanted`: all bits of a bit mask, the same value of anything else.
fn matches(key: u64, value: u64, wanted: u64) -> bool {
    match key {
        3 | 4 => value & wanted == wanted,
        _ => value == wanted,
    }
}

/// No processor qualifies.
fn clear(call: &Call<'_>, set: u64, size: u64) -> Result<(), i32> {
    // More processors than Linux can have (NR_CPUS) need not be cleared.
    let zeros = vec![0; size.min(8192) as usize];
    call.write(set, &zeros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_kernel() {
        assert_eq!(value(4), Some(0x8_0000_003b));
        assert_eq!(value(8), None);
        assert_eq!(value(u64::MAX), None);
        assert!(matches(4, EXTENSIONS, 1) && !matches(4, EXTENSIONS, 4) && matches(5, 3, 3));
    }
}
