//! Interval timers. Clocks and sleeping go to the host as the table says.

use super::call::{Call, SysResult};

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
