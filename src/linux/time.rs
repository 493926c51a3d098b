//! Reading clocks, and interval timers. Sleeping goes to the host as the table says.

use super::call::{Call, SysResult};
use crate::sys::host;

/// clock_gettime(clock, time): programs that measure themselves call this more often than anything else.
pub fn clock_gettime(call: &mut Call<'_>) -> SysResult {
    let (seconds, nanoseconds) = host::clock(call.int(0))?;
    call.write_words(call.args[1], &[seconds as u64, nanoseconds as u64])?;
    Ok(0)
}

/// setitimer(which, new, old): the host's timer, while its signal has the default action.
pub fn setitimer(call: &mut Call<'_>) -> SysResult {
    let signal = match call.int(0) {
        libc::ITIMER_REAL => libc::SIGALRM,
        libc::ITIMER_VIRTUAL => libc::SIGVTALRM,
        libc::ITIMER_PROF => libc::SIGPROF,
        _ => return Err(libc::EINVAL),
    };
    if !call.process.signals.is_default(signal) {
        // The host would end the process, where the guest wants to be told.
        return Err(libc::ENOSYS);
    }
    call.host(libc::SYS_setitimer, &mut [call.raw(0), call.guest(1, 32), call.guest(2, 32)])
}
