//! Reading clocks, sleeping, and interval timers.

use super::call::{Call, SysResult};
use crate::mmu::CallArg;
use crate::sys::enter::NOT_MADE;
use crate::sys::host;

/// clock_gettime(clock, time): programs that measure themselves call this more often than anything else.
pub fn clock_gettime(call: &mut Call<'_>) -> SysResult {
    let (seconds, nanoseconds) = host::clock(call.int(0))?;
    call.write_words(call.args[1], &[seconds as u64, nanoseconds as u64])?;
    Ok(0)
}

/// nanosleep(time, rest).
pub fn nanosleep(call: &mut Call<'_>) -> SysResult {
    let rest = call.rest_of_time(libc::CLOCK_MONOTONIC, 0);
    let time = given(&rest, call.guest(0, 16));
    let result = call.host(libc::SYS_nanosleep, &mut [time, call.guest(1, 16)]);
    tell_rest(call, result, rest, 1)
}

/// clock_nanosleep(clock, flags, time, rest).
pub fn clock_nanosleep(call: &mut Call<'_>) -> SysResult {
    if call.int(1) & libc::TIMER_ABSTIME != 0 {
        let time = call.guest(2, 16);
        return call
            .host(libc::SYS_clock_nanosleep, &mut [call.raw(0), call.raw(1), time, call.guest(3, 16)]);
    }
    let clock = match call.int(0) {
        // To set the clock does not change how long somebody sleeps.
        libc::CLOCK_REALTIME | libc::CLOCK_TAI => libc::CLOCK_MONOTONIC,
        other => other,
    };
    let rest = call.rest_of_time(clock, 2);
    let time = given(&rest, call.guest(2, 16));
    let result =
        call.host(libc::SYS_clock_nanosleep, &mut [call.raw(0), call.raw(1), time, call.guest(3, 16)]);
    tell_rest(call, result, rest, 3)
}

/// The time for the host: what is left, or what the guest gave.
pub fn given<'a>(rest: &'a Option<[u8; 16]>, guest: CallArg<'a>) -> CallArg<'a> {
    match rest {
        Some(bytes) => CallArg::In(bytes),
        None => guest,
    }
}

/// The kernel tells the rest of a sleep that it has begun. One that a signal kept from being gone on with has one too.
fn tell_rest(call: &Call<'_>, result: SysResult, rest: Option<[u8; 16]>, index: usize) -> SysResult {
    if let (Err(NOT_MADE), Some(rest)) = (result, rest) {
        let _ = call.write_opt(call.args[index], &rest);
    }
    result
}

/// setitimer(which, new, old): the host's timer.
pub fn setitimer(call: &mut Call<'_>) -> SysResult {
    own_signals(call)?;
    call.host(libc::SYS_setitimer, &mut [call.raw(0), call.guest(1, 32), call.guest(2, 32)])
}

/// timer_create(clock, event, timer): the host's timer; `struct sigevent` and the ids of threads are the same.
pub fn timer_create(call: &mut Call<'_>) -> SysResult {
    own_signals(call)?;
    call.host(libc::SYS_timer_create, &mut [call.raw(0), call.guest(1, 64), call.guest(2, 4)])
}

/// The host's timers send the host's signals: ENOSYS where these are not the guest's.
fn own_signals(call: &Call<'_>) -> Result<(), i32> {
    if call.thread.whole {
        Ok(())
    } else {
        Err(libc::ENOSYS)
    }
}
