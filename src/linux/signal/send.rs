//! Sending signals.

use super::super::call::{Call, SysResult};
use super::super::Row;
use super::{bit, checked};
use crate::mmu::CallArg;
use crate::sys::signal::Info;

/// `si_code` of kill and of tkill.
const SI_USER: i32 = 0;
const SI_TKILL: i32 = -6;

/// kill(pid, signal).
pub fn kill(call: &mut Call<'_>) -> SysResult {
    let (pid, signal) = (call.int(0), checked(call.int(1))?);
    if !call.thread.whole && signal != 0 && pid == std::process::id() as i32 {
        let info = info_from_here(call, signal, SI_USER)?;
        return to_process(call, info);
    }
    call.host(libc::SYS_kill, &mut [call.raw(0), call.raw(1)])
}

/// tkill(tid, signal).
pub fn tkill(call: &mut Call<'_>) -> SysResult {
    let (tid, signal) = (call.int(0), checked(call.int(1))?);
    match to_own_thread(call, tid, signal) {
        Some(result) => result,
        None => call.host(libc::SYS_tkill, &mut [call.raw(0), call.raw(1)]),
    }
}

/// tgkill(pid, tid, signal).
pub fn tgkill(call: &mut Call<'_>) -> SysResult {
    let (pid, tid, signal) = (call.int(0), call.int(1), checked(call.int(2))?);
    let own = if pid == std::process::id() as i32 { to_own_thread(call, tid, signal) } else { None };
    match own {
        Some(result) => result,
        None => call.host(libc::SYS_tgkill, &mut [call.raw(0), call.raw(1), call.raw(2)]),
    }
}

/// rt_sigqueueinfo(pid, signal, info).
pub fn rt_sigqueueinfo(call: &mut Call<'_>) -> SysResult {
    let (pid, signal) = (call.int(0), checked(call.int(1))?);
    if !call.thread.whole && signal != 0 && pid == std::process::id() as i32 {
        let info = info_given(call, 2, signal)?;
        return to_process(call, info);
    }
    call.host(libc::SYS_rt_sigqueueinfo, &mut [call.raw(0), call.raw(1), call.guest(2, 128)])
}

/// rt_tgsigqueueinfo(pid, tid, signal, info).
pub fn rt_tgsigqueueinfo(call: &mut Call<'_>) -> SysResult {
    let (pid, tid, signal) = (call.int(0), call.int(1), checked(call.int(2))?);
    if !call.thread.whole && signal != 0 && pid == std::process::id() as i32 {
        let info = info_given(call, 3, signal)?;
        let limit = most_waiting(call);
        return call.process.threads.mail_thread(tid, &info, limit).map(|()| 0);
    }
    let args = &mut [call.raw(0), call.raw(1), call.raw(2), call.guest(3, 128)];
    call.host(libc::SYS_rt_tgsigqueueinfo, args)
}

/// In a program that is not the guest's alone, a signal to one of the guest's threads. `None`: the host's business.
fn to_own_thread(call: &mut Call<'_>, tid: i32, signal: i32) -> Option<SysResult> {
    if call.thread.whole || signal == 0 {
        return None;
    }
    let info = match info_from_here(call, signal, SI_TKILL) {
        Ok(info) => info,
        Err(errno) => return Some(Err(errno)),
    };
    let limit = most_waiting(call);
    match call.process.threads.mail_thread(tid, &info, limit) {
        Err(libc::ESRCH) => None,
        result => Some(result.map(|()| 0)),
    }
}

/// To a thread that does not block it: the caller if it can, or else whoever comes first.
fn to_process(call: &mut Call<'_>, info: Info) -> SysResult {
    let (signal, limit) = (super::signal_of(&info), most_waiting(call));
    let threads = &call.process.threads;
    match call.thread.mask & bit(signal) {
        0 => threads.mail_thread(call.thread.tid(), &info, limit)?,
        _ => threads.mail_process(&info, limit)?,
    }
    Ok(0)
}

/// How many signals may wait (`RLIMIT_SIGPENDING`).
fn most_waiting(call: &Call<'_>) -> usize {
    const RLIMIT_SIGPENDING: u64 = 11;
    let mut limits = [0; 16];
    let args = &mut [int(0), int(RLIMIT_SIGPENDING), int(0), CallArg::Out(&mut limits)];
    let known = call.host(libc::SYS_prlimit64, args).is_ok();
    let soft = limits.iter().take(8).rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
    if known {
        usize::try_from(soft).unwrap_or(usize::MAX)
    } else {
        usize::MAX
    }
}

/// `siginfo_t` of a signal that this process sends.
fn info_from_here(call: &Call<'_>, signal: i32, code: i32) -> Result<Info, i32> {
    let uid = call.host(libc::SYS_getuid, &mut [])? as u32;
    let mut info = [0; 128];
    info[0..4].copy_from_slice(&signal.to_le_bytes());
    info[8..12].copy_from_slice(&code.to_le_bytes());
    info[16..20].copy_from_slice(&std::process::id().to_le_bytes());
    info[20..24].copy_from_slice(&uid.to_le_bytes());
    Ok(info)
}

fn info_given(call: &Call<'_>, index: usize, signal: i32) -> Result<Info, i32> {
    let mut info = [0; 128];
    call.read(call.args[index], &mut info)?;
    info[0..4].copy_from_slice(&signal.to_le_bytes());
    Ok(info)
}

/// After a call failed with EPIPE: SIGPIPE, if it is one that raises it and the host has not sent it itself.
pub fn broken_pipe(call: &mut Call<'_>, row: &Row) {
    let flags = match row.name {
        "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2" | "sendfile" | "splice" | "tee" => 0,
        "sendto" | "sendmmsg" => call.int(3),
        "sendmsg" => call.int(2),
        _ => return,
    };
    if !call.thread.whole && flags & libc::MSG_NOSIGNAL == 0 {
        if let Ok(info) = info_from_here(call, libc::SIGPIPE, SI_USER) {
            call.thread.pending.push(info);
            call.thread.look_again();
        }
    }
}

/// A number as a host argument.
pub(super) fn int(value: u64) -> CallArg<'static> {
    CallArg::Int(value)
}
