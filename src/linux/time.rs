//! Reading clocks, and interval timers. Sleeping goes to the host as the table says.

use super::call::{Call, SysResult};
use crate::sys::host;

/// clock_gettime(clock, time): programs that measure themselves call this more often than anything else.
pub fn clock_gettime(call: &mut Call<'_>) -> SysResult {
    let (seconds, nanoseconds) = host::clock(call.int(0))?;
    call.write_words(call.args[1], &[seconds as u64, nanoseconds as u64])?;
    Ok(0)
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
