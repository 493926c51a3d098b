//! Signals: what the guest asked to happen, what is blocked, and what waits.
//!
//! A guest that has this process for itself has the kernel's signals: its mask is the host thread's mask, what it ignores
//! the host ignores, what it leaves to the default the kernel does, and what it catches is caught by `sys::signal` and
//! given to its handler at the next safepoint. So order, queues, priorities, choice of thread, `signalfd` and children's
//! inheritance are the kernel's own. For a guest inside another program (`Config::host` is `None`) nothing of that
//! program changes: signals that the guest sends itself are kept here, others do not reach it.

mod deliver;
mod frame;
pub mod send;
pub mod wait;

use super::call::{Call, SysResult};
use super::thread::{watch_for_kicks, Thread};
use crate::base::error::Trap;
use crate::base::lock;
use crate::sys::signal::{self as host, bit, Disposition};
pub use deliver::{deliver, fault, rt_sigreturn, Fatal};

/// Number of signals; they count from 1.
pub const SIGNALS: u64 = 64;
/// The first signal of which several can wait (`SIGRTMIN` of the kernel).
pub const FIRST_QUEUED: i32 = 32;
/// Size of the kernel's `sigset_t` in bytes.
pub const SET_SIZE: u64 = 8;
const SIG_DFL: u64 = 0;
const SIG_IGN: u64 = 1;
/// Least size of an alternate stack (Linux `asm-generic/signal.h`).
const MIN_ALT_STACK: u64 = 2048;
const SS_ONSTACK: u32 = 1;
const SS_DISABLE: u32 = 2;
const SS_AUTODISARM: u32 = 1 << 31;
/// SIGKILL and SIGSTOP: never blocked, never caught.
pub const UNMASKABLE: u64 = bit(libc::SIGKILL) | bit(libc::SIGSTOP);

/// The kernel's `struct sigaction` on riscv64: handler, flags, mask. There is no restorer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Action {
    handler: u64,
    flags: u64,
    mask: u64,
}

impl Action {
    /// The guest's function for it, if it has one.
    fn function(&self) -> Option<u64> {
        Some(self.handler).filter(|&handler| handler != SIG_DFL && handler != SIG_IGN)
    }
}

/// What the process does on each signal.
#[derive(Clone, Debug)]
pub struct Actions {
    /// Index 0 is signal 1. `None`: as this process was started, which the host knows.
    actions: [Option<Action>; SIGNALS as usize],
    /// Whether the host's settings are the guest's.
    whole: bool,
}

impl Actions {
    /// Nothing set; `whole` if this process is the guest's alone.
    pub fn new(whole: bool) -> Actions {
        Actions { actions: [None; SIGNALS as usize], whole }
    }

    fn get(&self, signal: i32) -> Action {
        let known = usize::try_from(signal - 1).ok().and_then(|index| self.actions.get(index)).copied();
        match known.flatten() {
            Some(action) => action,
            None if self.whole && host::was_ignored(signal) => {
                Action { handler: SIG_IGN, ..Action::default() }
            }
            None => Action::default(),
        }
    }

    fn set(&mut self, signal: i32, action: Action) {
        let slot = usize::try_from(signal - 1).ok().and_then(|index| self.actions.get_mut(index));
        slot.into_iter().for_each(|slot| *slot = Some(action));
    }

    /// Sets every signal that is caught to its default action (`CLONE_CLEAR_SIGHAND`).
    pub fn clear_handlers(&mut self) {
        for signal in 1..=SIGNALS as i32 {
            if self.get(signal).function().is_some() {
                self.set(signal, Action::default());
                if self.whole {
                    let _ = host::set_disposition(signal, Disposition::Default, 0);
                }
            }
        }
    }

    /// Signals that are ignored, and those that have a handler.
    pub fn sets(&self) -> (u64, u64) {
        (1..=SIGNALS as i32).fold((0, 0), |(ignored, caught), signal| {
            let action = self.get(signal);
            let ignored = ignored | if action.handler == SIG_IGN { bit(signal) } else { 0 };
            (ignored, caught | action.function().map_or(0, |_| bit(signal)))
        })
    }

    /// Signals that the guest ignores but the host does not, since it needs them itself.
    pub fn ignored_here_only(&self) -> impl Iterator<Item = i32> + '_ {
        let kept = (1..=SIGNALS as i32).filter(|&signal| host::is_kept(signal));
        kept.filter(|&signal| self.get(signal).handler == SIG_IGN)
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A signal number, or 0 for a mere question.
fn checked(signal: i32) -> Result<i32, i32> {
    if (0..=SIGNALS as i32).contains(&signal) {
        Ok(signal)
    } else {
        Err(libc::EINVAL)
    }
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
    let was = call.actions(|actions| actions.get(signal));
    if let Some([handler, flags, mask]) = wanted {
        let action = Action { handler, flags, mask: mask & !UNMASKABLE };
        if action.function().is_some() {
            call.process.return_code(call.mmu)?;
        }
        call.actions(|actions| -> Result<(), i32> {
            if actions.whole {
                let disposition = match handler {
                    SIG_DFL => Disposition::Default,
                    SIG_IGN => Disposition::Ignore,
                    _ => Disposition::Catch,
                };
                host::set_disposition(signal, disposition, flags)?;
            }
            actions.set(signal, action);
            Ok(())
        })?;
        if handler == SIG_IGN || (handler == SIG_DFL && default_of(signal) == Usual::Ignore) {
            call.thread.pending.retain(|info| signal_of(info) != signal);
            lock(&call.process.threads.mail).retain(|info| signal_of(info) != signal);
        }
    }
    if old != 0 {
        call.write_words(old, &[was.handler, was.flags, was.mask])?;
    }
    Ok(0)
}

/// Number of the signal that a `siginfo_t` tells of.
pub fn signal_of(info: &host::Info) -> i32 {
    i32::from(info[0])
}

/// rt_sigprocmask(how, set, old, size).
pub fn rt_sigprocmask(call: &mut Call<'_>) -> SysResult {
    let [_, set, old, size, ..] = call.args;
    if size != SET_SIZE {
        return Err(libc::EINVAL);
    }
    let was = call.thread.mask;
    if set != 0 {
        let [set] = call.words::<1>(set)?;
        let mask = match call.int(0) {
            0 => was | set,
            1 => was & !set,
            2 => set,
            _ => return Err(libc::EINVAL),
        };
        call.thread.set_mask(mask)?;
    }
    if old != 0 {
        call.write_words(old, &[was])?;
    }
    Ok(0)
}

impl Thread {
    /// Blocks these signals from now on. `NOT_MADE` if one has come already that the guest has not been given: it came
    /// before this call.
    fn set_mask(&mut self, mask: u64) -> Result<(), i32> {
        let mask = mask & !UNMASKABLE;
        if self.whole {
            let before = host::block_all();
            if self.signal_waits() {
                host::set_mask(before);
                return Err(crate::sys::enter::NOT_MADE);
            }
            host::set_mask(mask);
            watch_for_kicks(mask);
        }
        self.mask = mask;
        self.look_again();
        Ok(())
    }
}

/// rt_sigpending(set, size).
pub fn rt_sigpending(call: &mut Call<'_>) -> SysResult {
    let size = call.args[1];
    if size > SET_SIZE {
        return Err(libc::EINVAL);
    }
    let mut set = [0; 8];
    if call.thread.whole {
        call.host(
            libc::SYS_rt_sigpending,
            &mut [crate::mmu::CallArg::Out(&mut set), crate::mmu::CallArg::Int(8)],
        )?;
    }
    let mail = lock(&call.process.threads.mail);
    let here = call.thread.pending.iter().chain(&*mail).fold(0, |set, info| set | bit(signal_of(info)));
    drop(mail);
    let blocked = (u64::from_le_bytes(set) | here & call.thread.mask).to_le_bytes();
    call.write(call.args[0], &blocked[..size as usize])?;
    Ok(0)
}

/// The stack that handlers may ask for.
#[derive(Clone, Copy, Debug)]
pub struct AltStack {
    pub start: u64,
    pub flags: u32,
    pub size: u64,
}

impl AltStack {
    /// None.
    pub const NONE: AltStack = AltStack { start: 0, flags: SS_DISABLE, size: 0 };

    /// Whether `sp` is on it.
    fn holds(&self, sp: u64) -> bool {
        self.flags & SS_AUTODISARM == 0 && sp > self.start && sp - self.start <= self.size
    }

    /// `stack_t` as the guest sees it while its stack pointer is `sp`.
    fn words(&self, sp: u64) -> [u64; 3] {
        let state = if self.size == 0 {
            SS_DISABLE
        } else if self.holds(sp) {
            SS_ONSTACK
        } else {
            0
        };
        [self.start, u64::from(state | self.flags & SS_AUTODISARM), self.size]
    }
}

/// sigaltstack(new, old); `stack_t` is address, flags, size at 0, 8 and 16.
pub fn sigaltstack(call: &mut Call<'_>) -> SysResult {
    let (new, old) = (call.args[0], call.args[1]);
    let (was, sp) = (call.thread.alt_stack, call.cpu.x(2));
    if new != 0 {
        let [start, flags, size] = call.words::<3>(new)?;
        if was.holds(sp) {
            return Err(libc::EPERM);
        }
        let flags = flags as u32;
        call.thread.alt_stack = match flags & !SS_AUTODISARM {
            SS_DISABLE => AltStack::NONE,
            // SS_ONSTACK means nothing on input, but old programs give it.
            0 | SS_ONSTACK if size < MIN_ALT_STACK => return Err(libc::ENOMEM),
            0 | SS_ONSTACK => AltStack { start, flags: flags & SS_AUTODISARM, size },
            _ => return Err(libc::EINVAL),
        };
    }
    if old != 0 {
        call.write_words(old, &was.words(sp))?;
    }
    Ok(0)
}
