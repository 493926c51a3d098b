//! Signals: what the guest asked to happen, and the default actions.
//!
//! Bookkeeping only: handlers of the guest are recorded but not run. A signal with a handler that the guest sends
//! itself stays pending.

use super::call::{Call, SysResult};
use super::process::Outcome;
use super::Row;
use crate::base::error::Trap;
use crate::base::GuestAddr;
use crate::mmu::CallArg;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Number of signals; they count from 1.
const SIGNALS: u64 = 64;
/// Size of the kernel's `sigset_t` in bytes.
const SET_SIZE: u64 = 8;
const SIG_DFL: u64 = 0;
const SIG_IGN: u64 = 1;
/// Least size of an alternate stack (Linux `asm-generic/signal.h`).
const MIN_ALT_STACK: u64 = 2048;
const SS_DISABLE: u32 = 2;
const SS_AUTODISARM: u32 = 1 << 31;
/// SIGKILL and SIGSTOP: never blocked, never caught.
const UNMASKABLE: u64 = bit(libc::SIGKILL) | bit(libc::SIGSTOP);

const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// The kernel's `struct sigaction` on riscv64: handler, flags, mask. There is no restorer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Action {
    handler: u64,
    flags: u64,
    mask: u64,
}

/// What the process does on each signal.
#[derive(Debug)]
pub struct Signals {
    /// Index 0 is signal 1.
    actions: [Action; SIGNALS as usize],
}

impl Default for Signals {
    fn default() -> Self {
        Signals { actions: [Action::default(); SIGNALS as usize] }
    }
}

impl Signals {
    fn action(&self, signal: i32) -> Action {
        usize::try_from(signal - 1)
            .ok()
            .and_then(|index| self.actions.get(index))
            .copied()
            .unwrap_or_default()
    }

    /// Whether the default action of `signal` is in force.
    pub fn is_default(&self, signal: i32) -> bool {
        self.action(signal).handler == SIG_DFL
    }
}

/// What every thread of a process has for itself.
#[derive(Debug)]
pub struct Thread {
    /// `set_tid_address`: cleared, and waiters woken, when the thread ends.
    pub clear_child_tid: GuestAddr,
    /// Head of the list of robust futexes.
    pub robust_list: GuestAddr,
    /// Blocked signals; bit 0 is signal 1.
    pub mask: u64,
    /// Signals that wait, because they are blocked or have a handler.
    pub pending: u64,
    /// Alternate stack: address, flags, size.
    alt_stack: (GuestAddr, u32, u64),
    /// As `PR_SET_PDEATHSIG` gives it.
    pub parent_death_signal: u32,
    /// As `PR_SET_NAME` gives it, with its NUL.
    pub name: [u8; 16],
}

impl Thread {
    /// The first thread of the program `exe`, by whose file name it is known.
    pub fn new(exe: &Path) -> Thread {
        let mut name = [0; 16];
        let file = exe.file_name().map_or(&[][..], |file| file.as_bytes());
        name.iter_mut().take(15).zip(file).for_each(|(to, from)| *to = *from);
        let alt_stack = (0, SS_DISABLE, 0);
        Thread {
            clear_child_tid: 0,
            robust_list: 0,
            mask: 0,
            pending: 0,
            alt_stack,
            parent_death_signal: 0,
            name,
        }
    }
}

/// The signal that a trap raises (Linux `arch/riscv/kernel/traps.c`).
pub fn of_trap(trap: &Trap) -> i32 {
    match trap {
        Trap::Memory(fault) if fault.beyond_file => libc::SIGBUS,
        Trap::Memory(_) => libc::SIGSEGV,
        Trap::IllegalInstruction => libc::SIGILL,
        Trap::Breakpoint => libc::SIGTRAP,
        Trap::Misaligned(_) => libc::SIGBUS,
    }
}

/// A default action.
enum Usual {
    Die,
    Stop,
    Ignore,
}

fn default_of(signal: i32) -> Usual {
    match signal {
        libc::SIGCHLD | libc::SIGURG | libc::SIGWINCH | libc::SIGCONT => Usual::Ignore,
        libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => Usual::Stop,
        _ => Usual::Die,
    }
}

/// Sends `signal` to the calling thread.
fn raise(call: &mut Call<'_>, signal: i32) {
    if call.process.signals.action(signal).handler != SIG_IGN || bit(signal) & UNMASKABLE != 0 {
        call.process.thread.pending |= bit(signal);
    }
    deliver(call);
}

/// Takes the default action of every signal that is pending and not blocked.
fn deliver(call: &mut Call<'_>) {
    for signal in 1..=SIGNALS as i32 {
        let thread = &mut call.process.thread;
        let due = thread.pending & (!thread.mask | UNMASKABLE) & bit(signal) != 0;
        if !due || !call.process.signals.is_default(signal) {
            continue;
        }
        call.process.thread.pending &= !bit(signal);
        match default_of(signal) {
            Usual::Ignore => {}
            Usual::Die => {
                call.outcome = Outcome::Die(signal);
                return;
            }
            Usual::Stop => {
                // The host process stops; whoever continues it continues the guest.
                let me = u64::from(std::process::id());
                let stop = &mut [CallArg::Int(me), CallArg::Int(signal as u64)];
                let _ = call.host(libc::SYS_kill, stop);
            }
        }
    }
}

/// After a call failed with EPIPE: SIGPIPE, if it is one that raises it. (The host process ignores SIGPIPE.)
pub fn broken_pipe(call: &mut Call<'_>, row: &Row) {
    let flags = match row.name {
        "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2" | "sendfile" | "splice" | "tee" => 0,
        "sendto" | "sendmmsg" => call.int(3),
        "sendmsg" => call.int(2),
        _ => return,
    };
    if flags & libc::MSG_NOSIGNAL == 0 {
        raise(call, libc::SIGPIPE);
    }
}

/// exit(status) and, with one thread, exit_group(status).
pub fn exit(call: &mut Call<'_>) -> SysResult {
    call.outcome = Outcome::Exit(call.int(0) & 0xff);
    Ok(0)
}

fn checked(signal: i32) -> Result<i32, i32> {
    if (0..=SIGNALS as i32).contains(&signal) {
        Ok(signal)
    } else {
        Err(libc::EINVAL)
    }
}

/// kill(pid, signal).
pub fn kill(call: &mut Call<'_>) -> SysResult {
    let (pid, signal) = (call.int(0), checked(call.int(1))?);
    if pid == std::process::id() as i32 && signal != 0 {
        raise(call, signal);
        return Ok(0);
    }
    call.host(libc::SYS_kill, &mut [call.raw(0), call.raw(1)])
}

/// tkill(tid, signal).
pub fn tkill(call: &mut Call<'_>) -> SysResult {
    let signal = checked(call.int(1))?;
    if is_me(call, call.int(0)) && signal != 0 {
        raise(call, signal);
        return Ok(0);
    }
    call.host(libc::SYS_tkill, &mut [call.raw(0), call.raw(1)])
}

/// tgkill(pid, tid, signal).
pub fn tgkill(call: &mut Call<'_>) -> SysResult {
    let signal = checked(call.int(2))?;
    if call.int(0) == std::process::id() as i32 && is_me(call, call.int(1)) && signal != 0 {
        raise(call, signal);
        return Ok(0);
    }
    call.host(libc::SYS_tgkill, &mut [call.raw(0), call.raw(1), call.raw(2)])
}

fn is_me(call: &Call<'_>, tid: i32) -> bool {
    call.host(libc::SYS_gettid, &mut []) == Ok(tid as u64)
}

/// rt_sigaction(signal, new, old, size).
pub fn rt_sigaction(call: &mut Call<'_>) -> SysResult {
    let [_, new, old, size, ..] = call.args;
    let signal = call.int(0);
    if size != SET_SIZE || signal < 1 || checked(signal).is_err() {
        return Err(libc::EINVAL);
    }
    let wanted = if new == 0 { None } else { Some(call.words::<3>(new)?) };
    if wanted.is_some() && bit(signal) & UNMASKABLE != 0 {
        return Err(libc::EINVAL);
    }
    let was = call.process.signals.action(signal);
    if let Some([handler, flags, mask]) = wanted {
        let mask = mask & !UNMASKABLE;
        call.process.signals.actions[(signal - 1) as usize] = Action { handler, flags, mask };
        let ignored =
            handler == SIG_IGN || (handler == SIG_DFL && matches!(default_of(signal), Usual::Ignore));
        if ignored {
            call.process.thread.pending &= !bit(signal);
        }
    }
    if old != 0 {
        call.write_words(old, &[was.handler, was.flags, was.mask])?;
    }
    Ok(0)
}

/// rt_sigprocmask(how, set, old, size).
pub fn rt_sigprocmask(call: &mut Call<'_>) -> SysResult {
    let [_, set, old, size, ..] = call.args;
    if size != SET_SIZE {
        return Err(libc::EINVAL);
    }
    let was = call.process.thread.mask;
    if set != 0 {
        let [set] = call.words::<1>(set)?;
        let mask = match call.int(0) {
            0 => was | set,
            1 => was & !set,
            2 => set,
            _ => return Err(libc::EINVAL),
        };
        call.process.thread.mask = mask & !UNMASKABLE;
    }
    if old != 0 {
        call.write_words(old, &[was])?;
    }
    deliver(call);
    Ok(0)
}

/// rt_sigpending(set, size).
pub fn rt_sigpending(call: &mut Call<'_>) -> SysResult {
    let size = call.args[1];
    if size > SET_SIZE {
        return Err(libc::EINVAL);
    }
    let thread = &call.process.thread;
    let blocked = (thread.pending & thread.mask).to_le_bytes();
    call.write(call.args[0], &blocked[..size as usize])?;
    Ok(0)
}

/// rt_sigsuspend(set, size): sleeps until a signal ends the process, unless one that may act is pending.
pub fn rt_sigsuspend(call: &mut Call<'_>) -> SysResult {
    if call.args[1] != SET_SIZE {
        return Err(libc::EINVAL);
    }
    let [set] = call.words::<1>(call.args[0])?;
    let was = std::mem::replace(&mut call.process.thread.mask, set & !UNMASKABLE);
    deliver(call);
    call.process.thread.mask = was;
    if call.outcome == Outcome::Continue {
        call.host(libc::SYS_ppoll, &mut [const { CallArg::Int(0) }; 4])?;
    }
    Err(libc::EINTR)
}

/// rt_sigtimedwait(set, info, timeout, size): takes a pending signal of the set, or waits in vain.
pub fn rt_sigtimedwait(call: &mut Call<'_>) -> SysResult {
    let [set, info, timeout, size, ..] = call.args;
    if size != SET_SIZE {
        return Err(libc::EINVAL);
    }
    let [set] = call.words::<1>(set)?;
    let found = call.process.thread.pending & set & !UNMASKABLE;
    if found != 0 {
        let signal = u64::from(found.trailing_zeros()) + 1;
        call.process.thread.pending &= !(1 << (signal - 1));
        let mut siginfo = [0; 128];
        siginfo[0] = signal as u8;
        call.write_opt(info, &siginfo)?;
        return Ok(signal);
    }
    // Read first: ppoll would write the rest of the time back.
    let mut time = [0; 16];
    let wait = if timeout == 0 {
        CallArg::Int(0)
    } else {
        call.read(timeout, &mut time)?;
        CallArg::Out(&mut time)
    };
    call.host(libc::SYS_ppoll, &mut [CallArg::Int(0), CallArg::Int(0), wait, CallArg::Int(0)])?;
    Err(libc::EAGAIN)
}

/// sigaltstack(new, old); `stack_t` is address, flags, size at 0, 8 and 16.
pub fn sigaltstack(call: &mut Call<'_>) -> SysResult {
    let (new, old) = (call.args[0], call.args[1]);
    let was = call.process.thread.alt_stack;
    if new != 0 {
        let [sp, flags, size] = call.words::<3>(new)?;
        let flags = flags as u32;
        call.process.thread.alt_stack = match flags & !SS_AUTODISARM {
            SS_DISABLE => (0, SS_DISABLE, 0),
            // SS_ONSTACK means nothing on input, but old programs give it.
            0 | 1 if size < MIN_ALT_STACK => return Err(libc::ENOMEM),
            0 | 1 => (sp, flags & SS_AUTODISARM, size),
            _ => return Err(libc::EINVAL),
        };
    }
    if old != 0 {
        call.write_words(old, &[was.0, u64::from(was.1), was.2])?;
    }
    Ok(0)
}
