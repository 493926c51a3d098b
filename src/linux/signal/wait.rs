//! Waiting for signals, and for other things with other signals blocked meanwhile.

use super::super::call::{Call, SysResult};
use super::super::time::given;
use super::send::int;
use super::{signal_of, SET_SIZE, UNMASKABLE};
use crate::base::{lock, GuestAddr};
use crate::mmu::CallArg;
use crate::sys::signal::{bit, was_interrupted, Info, KEPT};

/// Makes a call that blocks other signals while it waits. `set` is where the guest says which (null: no change); `wait`
/// gets the argument to give to the host.
pub fn masked(
    call: &mut Call<'_>,
    set: GuestAddr,
    size: u64,
    wait: impl FnOnce(&mut Call<'_>, CallArg<'_>) -> SysResult,
) -> SysResult {
    if set == 0 {
        return wait(call, int(0));
    }
    if size != SET_SIZE {
        return Err(libc::EINVAL);
    }
    let [set] = call.words::<1>(set)?;
    masked_by(call, set, wait)
}

fn masked_by(
    call: &mut Call<'_>,
    set: u64,
    wait: impl FnOnce(&mut Call<'_>, CallArg<'_>) -> SysResult,
) -> SysResult {
    let set = set & !UNMASKABLE;
    call.thread.temporary_mask = Some(set);
    if call.thread.has_due(set) {
        call.thread.look_again();
        return Err(libc::EINTR);
    }
    let bytes = (set & !KEPT).to_le_bytes();
    let mask = if call.thread.whole { CallArg::In(&bytes) } else { int(0) };
    let result = wait(call, mask);
    if result != Err(libc::EINTR) {
        call.thread.temporary_mask = None;
        // What came meanwhile and had to wait for the end of this call.
        call.thread.look_again();
    }
    result
}

/// rt_sigsuspend(set, size).
pub fn rt_sigsuspend(call: &mut Call<'_>) -> SysResult {
    if call.args[1] != SET_SIZE {
        return Err(libc::EINVAL);
    }
    let [set] = call.words::<1>(call.args[0])?;
    masked_by(call, set, |call, mask| match mask {
        CallArg::In(_) => call.host(libc::SYS_rt_sigsuspend, &mut [mask, int(SET_SIZE)]),
        _ => call.host(libc::SYS_ppoll, &mut [int(0), int(0), int(0), int(0), int(SET_SIZE)]),
    })
}

/// rt_sigtimedwait(set, info, timeout, size): takes a pending signal of the set, or waits for one.
pub fn rt_sigtimedwait(call: &mut Call<'_>) -> SysResult {
    let [set, info, timeout, size, ..] = call.args;
    if size != SET_SIZE {
        return Err(libc::EINVAL);
    }
    let [wanted] = call.words::<1>(set)?;
    let take = |waiting: &mut Vec<Info>| {
        let is_wanted = |info: &Info| bit(signal_of(info)) & wanted & !UNMASKABLE != 0;
        waiting.iter().position(is_wanted).map(|index| waiting.remove(index))
    };
    let own = take(&mut call.thread.pending);
    if let Some(taken) = own.or_else(|| take(&mut lock(&call.process.threads.mail))) {
        call.write_opt(info, &taken)?;
        return Ok(signal_of(&taken) as u64);
    }
    let rest = call.rest_of_time(libc::CLOCK_MONOTONIC, 2);
    if call.thread.whole {
        let time = given(&rest, call.guest(2, 16));
        let args = &mut [call.guest(0, SET_SIZE), call.guest(1, 128), time, int(SET_SIZE)];
        return call.host(libc::SYS_rt_sigtimedwait, args);
    }
    // Read first: ppoll would write the rest of the time back.
    let mut time = [0; 16];
    let wait = if timeout == 0 {
        int(0)
    } else {
        call.read(timeout, &mut time)?;
        time = rest.unwrap_or(time);
        CallArg::Out(&mut time)
    };
    let result = call.host(libc::SYS_ppoll, &mut [int(0), int(0), wait, int(0), int(SET_SIZE)]);
    match was_interrupted(result) {
        true => result,
        false => Err(libc::EAGAIN),
    }
}

/// signalfd4(fd, set, size, flags).
pub fn signalfd4(call: &mut Call<'_>) -> SysResult {
    if !call.thread.whole {
        return Err(libc::ENOSYS);
    }
    let flags = super::super::abi::open_flags_to_host(call.int(3));
    let args = &mut [call.raw(0), call.guest(1, SET_SIZE), call.raw(2), int(flags as u64)];
    call.host(libc::SYS_signalfd4, args)
}
