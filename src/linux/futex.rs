//! Futexes and what threads register with the kernel. The futex words are in guest memory, where the host kernel
//! can wait on them itself.

use super::call::{Call, SysResult};
use super::time::given;
use crate::mmu::CallArg;

/// Size of `struct robust_list_head`.
const ROBUST_HEAD: u64 = 24;

/// futex(word, operation, value, timeout or value, word2, value3).
pub fn futex(call: &mut Call<'_>) -> SysResult {
    // Without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME.
    let timed = match call.int(1) & 0x7f {
        // WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2
        0 | 6 | 9 | 11 | 13 => true,
        // WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, UNLOCK_PI, TRYLOCK_PI, WAKE_BITSET, CMP_REQUEUE_PI
        1 | 3 | 4 | 5 | 7 | 8 | 10 | 12 => false,
        _ => return Err(libc::ENOSYS),
    };
    // Of those with a time-out WAIT alone says how long; the others say until when.
    let is_relative = call.int(1) & 0x7f == 0;
    let rest = if is_relative { call.rest_of_time(libc::CLOCK_MONOTONIC, 3) } else { None };
    let fourth = if timed { given(&rest, call.guest(3, 16)) } else { call.raw(3) };
    // REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_REQUEUE_PI, CMP_REQUEUE_PI; for the others there may be anything.
    let has_second = matches!(call.int(1) & 0x7f, 3 | 4 | 5 | 11 | 12);
    let word2 = if has_second { call.guest(4, 4) } else { CallArg::Int(0) };
    let word = call.guest(0, 4);
    call.host(libc::SYS_futex, &mut [word, call.raw(1), call.raw(2), fourth, word2, call.raw(5)])
}

/// set_tid_address(address).
pub fn set_tid_address(call: &mut Call<'_>) -> SysResult {
    call.thread.clear_child_tid = call.args[0];
    call.host(libc::SYS_gettid, &mut [])
}

/// set_robust_list(head, size).
pub fn set_robust_list(call: &mut Call<'_>) -> SysResult {
    if call.args[1] != ROBUST_HEAD {
        return Err(libc::EINVAL);
    }
    call.thread.peer.set_robust_list(call.args[0]);
    Ok(0)
}

/// get_robust_list(thread, head, size).
pub fn get_robust_list(call: &mut Call<'_>) -> SysResult {
    let tid = call.args[0] & 0xffff_ffff;
    if tid != 0 && call.host(libc::SYS_gettid, &mut []) != Ok(tid) {
        return Err(libc::ESRCH);
    }
    call.write_words(call.args[2], &[ROBUST_HEAD])?;
    call.write_words(call.args[1], &[call.thread.peer.robust_list()])?;
    Ok(0)
}

/// membarrier(command, flags, cpu): the host's, whose threads are the guest's. (Barriers that also order instruction
/// fetches would have to reach translations; they are not offered.)
pub fn membarrier(call: &mut Call<'_>) -> SysResult {
    /// `MEMBARRIER_CMD_{,REGISTER_}PRIVATE_EXPEDITED_SYNC_CORE`, `..._RSEQ`.
    const NOT_OFFERED: u64 = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8;
    let command = call.args[0] & 0xffff_ffff;
    if command & NOT_OFFERED != 0 {
        return Err(libc::EINVAL);
    }
    let result = call.host(libc::SYS_membarrier, &mut [call.raw(0), call.raw(1), call.raw(2)])?;
    Ok(if command == 0 { result & !NOT_OFFERED } else { result })
}
