//! Signals of the host that are meant for the guest: caught, put into the inbox of the thread they came to, and left for
//! its owner to act on at the next safepoint.
//!
//! Invariants:
//! - The handler touches only the inbox of its own thread, the poll word in it and the interrupted context, so it is
//!   async-signal-safe.
//! - Nothing interrupts the handler, so it has its inbox for itself.
//! - After a signal was caught all others stay blocked in the thread ([`KEPT`] excepted) until its owner has looked
//!   and sets a mask again, so the kernel keeps their order and their number, and the inbox cannot run over.
//! - A blocking system call of [`call`] begins only while no reason to stop is pending (`asm/x86_64.S`, vmjit_call).
#![allow(unsafe_code, reason = "signal handlers, masks and interrupted contexts")]

use super::enter::NOT_MADE;
use crate::base::state::poll;
use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;

/// The kernel's `siginfo_t` as it is, the same on all 64-bit machines.
pub type Info = [u8; 128];

/// The bit of a signal in a set.
pub const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// What wakes a thread out of a blocking call: a signal that does nothing where it is not expected.
const KICK: i32 = libc::SIGURG;
/// Distinguishes our kicks from others' urgent data.
const KICK_VALUE: u64 = 0x766d_6a69_746b_6963;

/// Signals that are never blocked on the host: faults of the guest's own accesses come as two of them, and kicks.
/// Whether the guest blocks them is its owner's business.
pub const KEPT: u64 = bit(libc::SIGSEGV) | bit(libc::SIGBUS) | bit(KICK);

/// Signals whose host handler is not the guest's to change.
pub fn is_kept(signal: i32) -> bool {
    KEPT & bit(signal) != 0
}

/// Signals that an inbox holds. Beside the one after which all others are blocked only those of [`KEPT`] can come.
const SLOTS: u32 = 16;

/// Signals that came to a thread and that its owner has not seen yet.
#[derive(Debug)]
pub struct Inbox {
    poll: Arc<AtomicU32>,
    /// Counts of signals taken out and put in; a slot is its count modulo `SLOTS`.
    taken: AtomicU32,
    put: AtomicU32,
    slots: [UnsafeCell<Info>; SLOTS as usize],
}

// SAFETY: the slots are written by the handler on the thread that has the inbox as its own, and read on the same thread
// (`take` is for it alone, see there), ordered by the counts.
unsafe impl Sync for Inbox {}
// SAFETY: it owns plain data.
unsafe impl Send for Inbox {}

thread_local! {
    /// The inbox of this thread; it lives as long as it stands here (`Seat`).
    static INBOX: Cell<*const Inbox> = const { Cell::new(std::ptr::null()) };
}

/// Makes an inbox that of the current thread until dropped.
#[derive(Debug)]
pub struct Seat {
    inbox: Arc<Inbox>,
    former: *const Inbox,
}

impl Seat {
    /// A new inbox for this thread; signals set a bit of `poll`.
    pub fn take(poll: &Arc<AtomicU32>) -> Seat {
        let inbox = Arc::new(Inbox {
            poll: Arc::clone(poll),
            taken: AtomicU32::new(0),
            put: AtomicU32::new(0),
            slots: [const { UnsafeCell::new([0; 128]) }; SLOTS as usize],
        });
        let former = INBOX.replace(Arc::as_ptr(&inbox));
        Seat { inbox, former }
    }

    /// Makes the inbox that of this thread once more, after code that shares the thread's variables took another.
    pub fn again(&self) {
        INBOX.set(Arc::as_ptr(&self.inbox));
    }

    /// Takes the oldest signal out.
    pub fn next(&self) -> Option<Info> {
        let inbox = &*self.inbox;
        let taken = inbox.taken.load(Ordering::Relaxed);
        if taken == inbox.put.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: the slot was filled (count) and is not written again before `taken` passes it. A seat is not `Send`,
        // so this is the thread whose handler fills it.
        let info = unsafe { *inbox.slots[(taken % SLOTS) as usize].get() };
        inbox.taken.store(taken.wrapping_add(1), Ordering::Release);
        Some(info)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        INBOX.set(self.former);
    }
}

/// Whether of two signals without a queue the second is nothing while the first one waits: those for a thread and those for
/// its process wait apart, as far as they tell.
pub fn is_same(one: &Info, other: &Info) -> bool {
    one[0] == other[0] && is_for_thread(one) == is_for_thread(other)
}

fn is_for_thread(info: &Info) -> bool {
    info[8..12] == libc::SI_TKILL.to_le_bytes()
}

impl Inbox {
    /// Puts a signal in. Of one that may come although others are blocked a second one is dropped, as the kernel does while
    /// the first one waits; so there is always room.
    fn put(&self, info: &Info) {
        let (put, taken) = (self.put.load(Ordering::Relaxed), self.taken.load(Ordering::Acquire));
        let mut count = taken;
        while is_kept(i32::from(info[0])) && count != put {
            // SAFETY: the slots from `taken` to `put` are filled, and nobody writes them meanwhile.
            if is_same(unsafe { &*self.slots[(count % SLOTS) as usize].get() }, info) {
                return;
            }
            count = count.wrapping_add(1);
        }
        if put.wrapping_sub(taken) < SLOTS {
            // SAFETY: the slot is free (counts), and only handlers on this thread write slots; they do not nest
            // (header).
            unsafe { *self.slots[(put % SLOTS) as usize].get() = *info };
            self.put.store(put.wrapping_add(1), Ordering::Release);
        }
        self.poll.fetch_or(poll::SIGNAL, Ordering::SeqCst);
    }
}

/// A signal whose handler here is ours for another purpose (a fault) but which somebody sent: into the inbox. False if
/// this thread has none.
///
/// Async-signal-safe.
pub(super) fn deliver(info: &libc::siginfo_t) -> bool {
    // SAFETY: the inbox of this thread lives while it stands in the cell (`Seat`).
    let Some(inbox) = (unsafe { INBOX.get().as_ref() }) else { return false };
    // SAFETY: a siginfo_t has 128 bytes of plain data on Linux.
    inbox.put(unsafe { &*std::ptr::from_ref(info).cast::<Info>() });
    true
}

extern "C" {
    fn vmjit_call(poll: *const u32, number: u64, args: *const u64) -> i64;
    fn vmjit_call_look();
    fn vmjit_call_made();
    fn vmjit_call_off();
    fn vmjit_restore();
}

extern "C" fn on_signal(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo and a valid ucontext to an SA_SIGINFO handler.
    let (info, context) = unsafe { (&*info, &mut *context.cast::<libc::ucontext_t>()) };
    let pc = &mut context.uc_mcontext.gregs[libc::REG_RIP as usize];
    let at = *pc as usize;
    if vmjit_call_look as *const () as usize <= at && at < vmjit_call_made as *const () as usize {
        *pc = vmjit_call_off as *const () as i64;
    }
    super::trap::end_slice(context);
    // SAFETY: a queued signal carries a value (sigaction(2)).
    let is_marked = || unsafe { info.si_value() }.sival_ptr as u64 == KICK_VALUE;
    if signal == KICK && info.si_code == libc::SI_QUEUE && is_marked() {
        return;
    }
    if signal == KICK && call_former(signal, info, context) {
        return;
    }
    if deliver(info) && !is_kept(signal) {
        // SAFETY: the kernel's signal set is the first 64 bits of the C library's, which is aligned for them.
        unsafe { *std::ptr::from_mut(&mut context.uc_sigmask).cast::<u64>() = !KEPT };
    }
}

/// Makes a system call that blocks, unless the thread is to stop. Threads without an inbox just make it.
///
/// # Errors
/// The kernel's `errno`, or [`NOT_MADE`].
///
/// # Safety
/// As for the call itself.
pub(super) unsafe fn call(number: i64, args: &[u64; 6]) -> Result<u64, i32> {
    static NONE: AtomicU32 = AtomicU32::new(0);
    // SAFETY: as in `deliver`.
    let word = unsafe { INBOX.get().as_ref() }.map_or(&NONE, |inbox| &*inbox.poll);
    // SAFETY: the routine reads the word and the arguments and makes the call, for which the caller vouches.
    match unsafe { vmjit_call(word.as_ptr(), number as u64, args.as_ptr()) } {
        error @ -4095..=-1 => Err(-error as i32),
        value => Ok(value.cast_unsigned()),
    }
}

/// Whether a result says that the call was ended, or never made, because of a signal.
pub fn was_interrupted(result: Result<u64, i32>) -> bool {
    matches!(result, Err(libc::EINTR | NOT_MADE))
}

/// What the host does on a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    Default,
    Ignore,
    /// It goes to the inbox of the thread it comes to.
    Catch,
}

/// The kernel's `struct sigaction` on x86-64.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct KernelAction {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

fn sigaction(signal: i32, new: Option<&KernelAction>) -> Result<KernelAction, i32> {
    let mut old = KernelAction::default();
    let new = new.map_or(std::ptr::null(), std::ptr::from_ref);
    // Not by the C library, which keeps two signals to itself that a guest's has for itself as well.
    // SAFETY: both pointers are null or to structures as the kernel has them; the handler is async-signal-safe (header).
    match unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new, &raw mut old, 8) } {
        0 => Ok(old),
        _ => Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)),
    }
}

/// Handles a signal by `handler` from now on, with all others blocked meanwhile; `flags` beside those that this needs.
fn handle(signal: i32, handler: usize, flags: u64) -> Result<(), i32> {
    const SA_RESTORER: u64 = 0x0400_0000;
    let own = (libc::SA_SIGINFO | libc::SA_ONSTACK) as u64 | SA_RESTORER;
    let restorer = vmjit_restore as *const () as usize;
    let action = KernelAction { handler, flags: flags | own, restorer, mask: u64::MAX };
    sigaction(signal, Some(&action)).map(|_| ())
}

/// Sets what this process does on a signal; of `flags` those that tell the kernel about children are passed on. Signals
/// that are not the guest's ([`KEPT`]) stay as they are, but for kicks, which are caught if the guest catches their signal.
///
/// # Errors
/// The kernel's `errno`.
pub fn set_disposition(signal: i32, disposition: Disposition, flags: u64) -> Result<(), i32> {
    if is_kept(signal) {
        return if signal == KICK && disposition == Disposition::Catch { expect_kicks() } else { Ok(()) };
    }
    let handler = match disposition {
        Disposition::Default => libc::SIG_DFL,
        Disposition::Ignore => libc::SIG_IGN,
        Disposition::Catch => on_signal as *const () as usize,
    };
    handle(signal, handler, flags & (libc::SA_NOCLDSTOP | libc::SA_NOCLDWAIT) as u64)
}

/// Signals whose dispositions change before `main`, or that this crate handles itself.
const OTHERWISE_USED: u64 = KEPT | bit(libc::SIGPIPE);

/// Those of [`OTHERWISE_USED`] that this process ignored when it was started.
static IGNORED_AT_START: AtomicU64 = AtomicU64::new(0);

/// Run before `main`, since Rust's start ignores SIGPIPE and handles SIGSEGV and SIGBUS.
#[used]
#[link_section = ".init_array"]
static AT_START: extern "C" fn() = look_at_start;

extern "C" fn look_at_start() {
    let used = (1..=64).filter(|&signal| OTHERWISE_USED & bit(signal) != 0);
    let ignored = used.filter(|&signal| ignores(signal)).fold(0, |set, signal| set | bit(signal));
    IGNORED_AT_START.store(ignored, Ordering::Relaxed);
}

fn ignores(signal: i32) -> bool {
    sigaction(signal, None).is_ok_and(|action| action.handler == libc::SIG_IGN)
}

/// Whether this process ignored a signal when it was started. To be asked of those only whose disposition the guest has not
/// set.
pub fn was_ignored(signal: i32) -> bool {
    // Named, so that the linker does not leave it out.
    std::hint::black_box(&AT_START);
    match OTHERWISE_USED & bit(signal) {
        0 => ignores(signal),
        set => IGNORED_AT_START.load(Ordering::Relaxed) & set != 0,
    }
}

/// Signals that are ignored for a program that is about to replace this one. Dropping it, because there was none, handles
/// them as before.
#[derive(Debug)]
pub struct IgnoredForExec(Vec<(i32, KernelAction)>);

/// Ignores signals, which may be some of [`KEPT`].
pub fn ignore_for_exec(signals: impl Iterator<Item = i32>) -> IgnoredForExec {
    let ignore = KernelAction { handler: libc::SIG_IGN, ..KernelAction::default() };
    IgnoredForExec(
        signals.filter_map(|signal| Some((signal, sigaction(signal, Some(&ignore)).ok()?))).collect(),
    )
}

impl Drop for IgnoredForExec {
    fn drop(&mut self) {
        for (signal, action) in &self.0 {
            let _ = sigaction(*signal, Some(action));
        }
    }
}

/// What handled the signal of kicks before: the address of a function or a constant, and the flags.
static FORMER: (AtomicUsize, AtomicU64) = (AtomicUsize::new(libc::SIG_DFL), AtomicU64::new(0));

/// Catches kicks from now on. A handler that their signal had keeps getting those that are no kicks.
///
/// # Errors
/// The kernel's `errno`.
pub fn expect_kicks() -> Result<(), i32> {
    let (own, now) = (on_signal as *const () as usize, sigaction(KICK, None)?);
    if now.handler == own {
        return Ok(());
    }
    FORMER.1.store(now.flags, Ordering::Relaxed);
    FORMER.0.store(now.handler, Ordering::Release);
    handle(KICK, own, 0)
}

/// Calls the handler that the signal of kicks had before; false if there was none.
///
/// Async-signal-safe if that handler is.
fn call_former(signal: libc::c_int, info: &libc::siginfo_t, context: &mut libc::ucontext_t) -> bool {
    let address = FORMER.0.load(Ordering::Acquire);
    if address == libc::SIG_DFL || address == libc::SIG_IGN {
        return false;
    }
    super::trap::call_handler(address, FORMER.1.load(Ordering::Relaxed), signal, info, context);
    true
}

/// Blocks exactly these signals in this thread, which is about to become another program. Returns what was blocked before.
pub fn block_for_exec(mask: u64) -> u64 {
    exchange_mask(mask)
}

/// Takes in those of [`KEPT`] that have come while they were blocked, before this program began, by `mask`.
pub fn take_kept(mask: u64) -> Vec<Info> {
    let (set, at_once) = (mask & KEPT, [0u64; 2]);
    let mut taken = Vec::new();
    if set == 0 {
        return taken;
    }
    loop {
        let mut info: Info = [0; 128];
        // SAFETY: all pointers are to local values of the kernel's sizes.
        let signal = unsafe {
            libc::syscall(libc::SYS_rt_sigtimedwait, &raw const set, info.as_mut_ptr(), at_once.as_ptr(), 8)
        };
        if signal <= 0 {
            break;
        }
        taken.push(info);
    }
    taken
}

/// Wakes a thread of this process out of a blocking call, whose reason to stop stands in its poll word already.
pub fn kick(tid: i32) {
    let mut info: Info = [0; 128];
    info[0..4].copy_from_slice(&KICK.to_le_bytes());
    info[8..12].copy_from_slice(&libc::SI_QUEUE.to_le_bytes());
    info[24..32].copy_from_slice(&KICK_VALUE.to_le_bytes());
    let pid = std::process::id();
    // SAFETY: the pointer is to a local siginfo_t. A thread that is gone makes it ESRCH.
    unsafe { libc::syscall(libc::SYS_rt_tgsigqueueinfo, pid, tid, KICK, info.as_ptr()) };
}

/// Sends a signal once more that this thread got: to this process, or to the thread if it was for that.
pub fn send_again(info: &Info) {
    let (signal, pid) = (i32::from(info[0]), std::process::id());
    // SAFETY: the pointer is to a siginfo_t. To itself a process may send any.
    unsafe {
        match is_for_thread(info) {
            true => libc::syscall(libc::SYS_rt_tgsigqueueinfo, pid, libc::gettid(), signal, info.as_ptr()),
            false => libc::syscall(libc::SYS_rt_sigqueueinfo, pid, signal, info.as_ptr()),
        }
    };
}

/// Sets the signals that are blocked in this thread; those of [`KEPT`] are not. Returns what was blocked before.
pub fn set_mask(mask: u64) -> u64 {
    exchange_mask(mask & !KEPT)
}

fn exchange_mask(new: u64) -> u64 {
    let mut old = 0u64;
    // Not by the C library, see above.
    // SAFETY: both pointers are to local sets of the kernel's size.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const new, &raw mut old, 8) };
    old
}

/// The signals that are blocked in this thread.
pub fn mask() -> u64 {
    let mut mask = 0u64;
    // SAFETY: the pointer is to a local set of the kernel's size.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, 0, std::ptr::null::<u64>(), &raw mut mask, 8) };
    mask
}

/// Blocks all signals that can be in this thread; returns what was blocked before.
pub fn block_all() -> u64 {
    set_mask(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caught_signal_is_in_the_inbox_and_keeps_calls_from_being_made() {
        let word = Arc::new(AtomicU32::new(0));
        let seat = Seat::take(&word);
        set_disposition(libc::SIGUSR2, Disposition::Catch, 0).unwrap();
        let before = set_mask(0);
        // SAFETY: sends a signal to this thread.
        unsafe { libc::raise(libc::SIGUSR2) };
        assert_eq!(word.load(Ordering::SeqCst), poll::SIGNAL);
        let pause = || {
            // SAFETY: a sleep without pointers that are used.
            unsafe { call(libc::SYS_ppoll, &[0; 6]) }
        };
        assert_eq!(pause(), Err(NOT_MADE));
        // All others are blocked until the owner has looked.
        assert_eq!(set_mask(before), !KEPT & !bit(libc::SIGKILL) & !bit(libc::SIGSTOP));
        assert_eq!(seat.next().map(|info| info[0]), Some(libc::SIGUSR2 as u8));
        assert_eq!(seat.next(), None);
        set_disposition(libc::SIGUSR2, Disposition::Default, 0).unwrap();
    }

    #[test]
    fn a_handler_that_was_there_before_is_still_called() {
        static CALLED: AtomicU32 = AtomicU32::new(0);
        extern "C" fn count(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
            // SAFETY: the kernel passes a valid siginfo. (Other tests kick meanwhile.)
            if unsafe { (*info).si_code } == libc::SI_TKILL {
                CALLED.fetch_add(1, Ordering::SeqCst);
            }
        }
        // SAFETY: a handler that touches an atomic; signals to this thread.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = count as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO;
            assert_eq!(libc::sigaction(KICK, &action, std::ptr::null_mut()), 0);
            expect_kicks().unwrap();
            expect_kicks().unwrap();
            libc::raise(KICK);
            assert_eq!(CALLED.load(Ordering::SeqCst), 1);
            kick(libc::gettid());
            assert_eq!(CALLED.load(Ordering::SeqCst), 1);
        }
        FORMER.0.store(libc::SIG_DFL, Ordering::Release);
    }

    #[test]
    fn a_kick_ends_a_call_and_leaves_nothing_behind() {
        expect_kicks().unwrap();
        let word = Arc::new(AtomicU32::new(0));
        let (tell, told) = std::sync::mpsc::channel();
        let theirs = Arc::clone(&word);
        let thread = std::thread::spawn(move || {
            let seat = Seat::take(&theirs);
            // SAFETY: gettid has no arguments.
            tell.send(unsafe { libc::gettid() }).unwrap();
            // SAFETY: a sleep without pointers that are used.
            let result = unsafe { call(libc::SYS_ppoll, &[0; 6]) };
            (was_interrupted(result), seat.next())
        });
        let tid = told.recv().unwrap();
        word.fetch_or(poll::END, Ordering::SeqCst);
        while !thread.is_finished() {
            kick(tid);
            std::thread::yield_now();
        }
        assert_eq!(thread.join().unwrap(), (true, None));
    }
}
