//! Waiting for descriptors, with other signals blocked meanwhile if the guest asks for that.

use super::abi::{self, EPOLL_EVENT, HOST_EPOLL_EVENT};
use super::call::{Call, SysResult};
use super::signal::wait::masked;
use super::signal::SET_SIZE;
use super::time::given;
use crate::mmu::CallArg;

/// Most events taken from the host in one call; the guest asks again for the rest.
const MAX_EVENTS: usize = 1024;
/// Most descriptors in a set, so that its size in bytes is sane. (The kernel's own limit is lower.)
const MAX_FDS: i32 = 1 << 20;

/// ppoll(fds, count, timeout, mask, size).
pub fn ppoll(call: &mut Call<'_>) -> SysResult {
    let len = call.args[1].checked_mul(8).ok_or(libc::EINVAL)?;
    masked(call, call.args[3], call.args[4], |call, mask| {
        let args = &mut [call.guest(0, len), call.raw(1), call.guest(2, 16), mask, CallArg::Int(SET_SIZE)];
        call.host(libc::SYS_ppoll, args)
    })
}

/// pselect6(count, read, write, except, timeout, mask).
pub fn pselect6(call: &mut Call<'_>) -> SysResult {
    let count = call.int(0);
    if !(0..=MAX_FDS).contains(&count) {
        return Err(libc::EINVAL);
    }
    let len = u64::from(count.unsigned_abs()).div_ceil(64) * 8;
    // The sixth argument is the address of the mask's address and size.
    let [set, size] = if call.args[5] == 0 { [0, SET_SIZE] } else { call.words::<2>(call.args[5])? };
    masked(call, set, size, |call, mask| {
        let [read, write, except] = [1, 2, 3].map(|index| call.guest(index, len));
        let timeout = call.guest(4, 16);
        let mut last = [[0; 8], SET_SIZE.to_le_bytes()];
        // The mask lives as long as this call does.
        let mask = match &mask {
            CallArg::In(bytes) => {
                last[0] = (bytes.as_ptr() as u64).to_le_bytes();
                CallArg::In(last.as_flattened())
            }
            _ => CallArg::Int(0),
        };
        call.host(libc::SYS_pselect6, &mut [call.raw(0), read, write, except, timeout, mask])
    })
}

/// epoll_ctl(epoll, operation, fd, event).
pub fn epoll_ctl(call: &mut Call<'_>) -> SysResult {
    let mut event = [0; EPOLL_EVENT];
    if call.int(1) != libc::EPOLL_CTL_DEL {
        call.read(call.args[3], &mut event)?;
    }
    let host = abi::epoll_to_host(&event);
    call.host(libc::SYS_epoll_ctl, &mut [call.raw(0), call.raw(1), call.raw(2), CallArg::In(&host)])
}

/// epoll_pwait(epoll, events, max, timeout in ms, mask, size).
pub fn epoll_pwait(call: &mut Call<'_>) -> SysResult {
    let mut timeout = call.raw(3);
    if let Ok(given @ 1..) = u64::try_from(call.int(3)) {
        let rest = call.rest_of(libc::CLOCK_MONOTONIC, [given / 1000, given % 1000 * 1_000_000]);
        let in_ms = |[seconds, nanoseconds]: [u64; 2]| seconds * 1000 + nanoseconds.div_ceil(1_000_000);
        timeout = CallArg::Int(rest.map_or(given, in_ms));
    }
    wait(call, libc::SYS_epoll_pwait, timeout)
}

/// epoll_pwait2(epoll, events, max, timeout, mask, size).
pub fn epoll_pwait2(call: &mut Call<'_>) -> SysResult {
    let rest = call.rest_of_time(libc::CLOCK_MONOTONIC, 3);
    let timeout = given(&rest, call.guest(3, 16));
    wait(call, libc::SYS_epoll_pwait2, timeout)
}

fn wait(call: &mut Call<'_>, number: libc::c_long, timeout: CallArg<'_>) -> SysResult {
    let count = usize::try_from(call.int(2)).unwrap_or(0).min(MAX_EVENTS);
    if count == 0 {
        return Err(libc::EINVAL);
    }
    let mut events = vec![0; count * HOST_EPOLL_EVENT];
    let max = CallArg::Int(count as u64);
    let found = masked(call, call.args[4], call.args[5], |call, mask| {
        let size = CallArg::Int(SET_SIZE);
        call.host(number, &mut [call.raw(0), CallArg::Out(&mut events), max, timeout, mask, size])
    })?;
    let ready = events.chunks_exact(HOST_EPOLL_EVENT).take(found as usize);
    let bytes: Vec<u8> = ready.flat_map(abi::epoll_to_guest).collect();
    call.write(call.args[1], &bytes)?;
    Ok(found)
}
