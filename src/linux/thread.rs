//! Threads of a guest process: what each has for itself, who they are, and how they end.

use super::call::{Call, SysResult};
use super::process::Process;
use super::robust;
use super::signal::{signal_of, Actions, AltStack, FIRST_QUEUED, UNMASKABLE};
use crate::base::state::poll;
use crate::base::{lock, GuestAddr};
use crate::engine::presence::Presence;
use crate::mmu::SoftMmu;
use crate::sys::process::{set_name, NextProgram};
use crate::sys::signal::{self as host, Info, Seat};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// What other threads of the process see of one.
#[derive(Debug)]
pub struct Peer {
    tid: AtomicI32,
    /// The host thread that runs it now, 0 if none does.
    runner: Mutex<i32>,
    poll: Arc<AtomicU32>,
    presence: Presence,
    /// Signals that other threads of the guest sent it, where the host's are not the guest's.
    mail: Mutex<Vec<Info>>,
    /// How many signals it has taken in and blocks.
    kept: AtomicUsize,
    /// Head of the list of robust futexes.
    robust_list: AtomicU64,
    /// It has nothing more to do with the guest.
    is_over: AtomicBool,
}

impl Peer {
    /// Head of the list of robust futexes, 0 if there is none.
    pub fn robust_list(&self) -> GuestAddr {
        self.robust_list.load(Ordering::Relaxed)
    }

    /// Has another list of robust futexes from now on.
    pub fn set_robust_list(&self, head: GuestAddr) {
        self.robust_list.store(head, Ordering::Relaxed);
    }

    /// Its thread id, which is the host's.
    pub fn tid(&self) -> i32 {
        self.tid.load(Ordering::Relaxed)
    }

    /// Asks it to stop for a reason of [`poll`], also if it waits in a call. Called with the list of threads locked, so that
    /// a child process finds nobody doing it.
    fn stop(&self, reason: u32) {
        self.stop_running(reason);
        self.wake();
    }

    /// Wakes it if it waits in a call.
    fn wake(&self) {
        let runner = lock(&self.runner);
        if *runner != 0 {
            host::kick(*runner);
        }
    }

    /// The thread that called [`Thread::settle`] runs it no longer: what it waits for from now on is its own affair.
    pub fn rest(&self) {
        *lock(&self.runner) = 0;
    }

    /// Whether it was asked to stop for one of these reasons.
    fn is_asked(&self, reasons: u32) -> bool {
        self.poll.load(Ordering::SeqCst) & reasons != 0
    }

    /// Asks it to stop for a reason of [`poll`]; it waits in no call.
    pub fn stop_running(&self, reason: u32) {
        self.poll.fetch_or(reason, Ordering::SeqCst);
    }
}

/// The threads of a process.
#[derive(Debug, Default)]
pub struct Threads {
    /// Those that run; the first one is the oldest.
    pub list: Mutex<Vec<Arc<Peer>>>,
    /// Signals for the process, where the host's are not the guest's, that no thread has taken: all block them.
    pub mail: Mutex<Vec<Info>>,
    /// All stand still, since the embedder asked for it. Changed with the list locked.
    paused: AtomicBool,
    /// The first one sleeps in the kernel until a child of vfork is done.
    pub first_is_away: AtomicBool,
    /// Told when one has ended, and when those that stand still may have something to do.
    changed: Condvar,
    /// The status of the one that ended last: that of the process, if none ends it as a whole.
    status: AtomicI32,
}

impl Threads {
    /// Puts a signal into the mail of a thread, of which at most `limit` may wait.
    ///
    /// # Errors
    /// ESRCH if there is none of this id, EAGAIN if too many wait.
    pub fn mail_thread(&self, tid: i32, info: &Info, limit: usize) -> Result<(), i32> {
        let list = lock(&self.list);
        let peer = list.iter().find(|peer| peer.tid() == tid).ok_or(libc::ESRCH)?;
        put(&peer.mail, info, limit.saturating_sub(peer.kept.load(Ordering::Relaxed)))?;
        peer.stop(poll::SIGNAL);
        Ok(())
    }

    /// Puts a signal into the mail of the process, for any thread that does not block it; at most `limit` may wait.
    ///
    /// # Errors
    /// EAGAIN if too many wait.
    pub fn mail_process(&self, info: &Info, limit: usize) -> Result<(), i32> {
        let list = lock(&self.list);
        put(&self.mail, info, limit)?;
        list.iter().for_each(|peer| peer.stop(poll::SIGNAL));
        Ok(())
    }

    /// Asks every thread to stop for a reason of [`poll`].
    #[cfg(any(test, feature = "testing"))]
    pub fn stop_all(&self, reason: u32) {
        lock(&self.list).iter().for_each(|peer| peer.stop(reason));
        self.changed.notify_all();
    }

    /// Asks every thread but one to stop for a reason of [`poll`].
    pub fn stop_others(&self, except: &Arc<Peer>, reason: u32) {
        lock(&self.list).iter().filter(|peer| !Arc::ptr_eq(peer, except)).for_each(|peer| peer.stop(reason));
        self.changed.notify_all();
    }

    /// Has every thread stand still until [`Threads::resume`]; the first one, which `first` belongs to, leaves instead.
    pub fn pause(&self, first: &AtomicU32) {
        let list = lock(&self.list);
        self.paused.store(true, Ordering::Relaxed);
        let (ones, others): (Vec<_>, Vec<_>) = list.iter().partition(|peer| std::ptr::eq(&*peer.poll, first));
        others.into_iter().for_each(|peer| peer.stop(poll::INTERRUPT));
        // It is asked once: it may have left, and be asked to go on, before this call ends.
        first.fetch_or(poll::INTERRUPT, Ordering::SeqCst);
        ones.into_iter().for_each(|peer| peer.wake());
        self.changed.notify_all();
    }

    /// Lets the others go on, unless the first thread is asked to stop again.
    pub fn resume(&self, first: &Peer) {
        let _list = lock(&self.list);
        if self.paused.load(Ordering::Relaxed) && !first.is_asked(poll::INTERRUPT) {
            self.paused.store(false, Ordering::Relaxed);
            self.changed.notify_all();
        }
    }

    /// Stands still while that is wanted, if the process does not end meanwhile.
    pub fn stand_still(&self, peer: &Peer) {
        let list = lock(&self.list);
        let wanted = |_: &mut Vec<_>| self.paused.load(Ordering::Relaxed) && !peer.is_asked(poll::END);
        let list = self.changed.wait_while(list, wanted);
        peer.poll.fetch_and(!poll::INTERRUPT, Ordering::SeqCst);
        drop(list);
    }

    /// Waits until no thread but `except` runs translations older than `epoch`.
    pub fn wait_for_translations(&self, epoch: u64, except: &Arc<Peer>) {
        let others: Vec<Arc<Peer>> =
            lock(&self.list).iter().filter(|peer| !Arc::ptr_eq(peer, except)).cloned().collect();
        others.iter().for_each(|peer| peer.presence.wait_for(epoch, &peer.poll));
    }

    /// Number of threads.
    pub fn count(&self) -> usize {
        lock(&self.list).iter().filter(|peer| !peer.is_over.load(Ordering::Relaxed)).count()
    }

    /// Waits until all have ended; returns the status of the last one. `None` if the first one, which has, is asked to stop
    /// waiting.
    pub fn wait_until_none(&self, first: &Peer) -> Option<i32> {
        self.wait_while(|list| !list.is_empty() && !first.is_asked(poll::INTERRUPT));
        let is_over = lock(&self.list).is_empty();
        is_over.then(|| self.status.load(Ordering::Relaxed))
    }

    /// Waits until all but one have ended.
    pub fn wait_until_only(&self, peer: &Arc<Peer>) {
        self.wait_while(|list| list.iter().any(|other| !Arc::ptr_eq(other, peer)));
    }

    fn wait_while(&self, condition: impl Fn(&Vec<Arc<Peer>>) -> bool) {
        let list = lock(&self.list);
        drop(self.changed.wait_while(list, |list| condition(list)));
    }

    /// A thread that has ended with `status` leaves. It no longer needs anything of the process.
    pub fn remove(&self, peer: &Arc<Peer>, status: i32) {
        let mut list = lock(&self.list);
        list.retain(|other| !Arc::ptr_eq(other, peer));
        self.status.store(status, Ordering::Relaxed);
        drop(list);
        self.changed.notify_all();
    }
}

/// A call that a signal ended or kept from being made.
#[derive(Clone, Copy, Debug)]
pub struct Interrupted {
    /// The kernel had begun it.
    pub was_made: bool,
    /// It is one that `SA_RESTART` makes again.
    pub restarts: bool,
}

/// When a call that waits for a time must end, by a clock of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    pub clock: i32,
    pub seconds: i64,
    pub nanoseconds: i64,
}

/// A call that was interrupted; with the same program counter and arguments it is the same one, made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    pub pc: GuestAddr,
    pub number: u64,
    pub args: [u64; 6],
    /// The kernel had begun it.
    pub was_made: bool,
    pub deadline: Option<Deadline>,
}

/// What every thread of a process has for itself.
#[derive(Debug)]
pub struct Thread {
    pub process: Arc<Process>,
    pub peer: Arc<Peer>,
    /// `set_tid_address`: cleared, and waiters woken, when the thread ends.
    pub clear_child_tid: GuestAddr,
    /// Blocked signals; bit 0 is signal 1.
    pub mask: u64,
    /// What is blocked instead while the current call waits.
    pub temporary_mask: Option<u64>,
    /// Signals that came and wait, because they are blocked or were not looked at yet.
    pub pending: Vec<Info>,
    pub interrupted: Option<Interrupted>,
    /// What is known of the call that was interrupted last, in case that it is made again.
    pub again: Option<Again>,
    /// When the call that is under way must end, once that is known.
    pub deadline: Option<Deadline>,
    /// What it is about to become.
    pub next_program: Option<NextProgram>,
    /// It has ended with this status, and its process has not.
    pub ended: Option<i32>,
    pub alt_stack: AltStack,
    /// As `PR_SET_NAME` gives it, with its NUL.
    pub name: [u8; 16],
    /// As `PR_SET_PDEATHSIG` gives it.
    pub parent_death_signal: u32,
    /// What a child of `vfork` does on signals, which is no longer what its parent does.
    pub own_actions: Option<Box<Actions>>,
    /// The host's signals are the guest's.
    pub whole: bool,
    /// This is a child of the guest: when it ends, the host process does.
    pub is_child: bool,
    /// Its process began with it.
    pub is_first: bool,
}

impl Thread {
    /// The first thread of a process, known by the file name in `path`; `poll` is the hart's poll word.
    pub fn first(process: Arc<Process>, path: &Path, poll: &Arc<AtomicU32>, presence: &Presence) -> Thread {
        let whole = process.host.is_some();
        let mask = if whole { host::mask() } else { 0 };
        let name = name_of(path);
        *lock(&process.name) = name;
        let mut pending = Vec::new();
        if whole {
            set_name(&name);
            // Whoever started this process may have blocked what must not be. What came meanwhile waits here.
            pending = host::take_kept(mask);
            host::set_mask(mask);
            watch_for_kicks(mask);
        }
        // What an earlier program on the same hart was asked for is not this one's business.
        poll.fetch_and(!(poll::END | poll::SIGNAL), Ordering::SeqCst);
        let peer = new_peer(poll, presence);
        lock(&process.threads.list).push(Arc::clone(&peer));
        let mut first = Thread {
            process,
            peer,
            clear_child_tid: 0,
            mask,
            temporary_mask: None,
            pending,
            interrupted: None,
            again: None,
            deadline: None,
            next_program: None,
            ended: None,
            alt_stack: AltStack::NONE,
            name,
            parent_death_signal: 0,
            own_actions: None,
            whole,
            is_child: false,
            is_first: true,
        };
        first.look_again();
        first
    }

    /// A thread that this one starts, or the one of a child process; not in the list yet.
    pub fn child(&self, poll: &Arc<AtomicU32>, presence: &Presence) -> Thread {
        Thread {
            process: Arc::clone(&self.process),
            peer: new_peer(poll, presence),
            clear_child_tid: 0,
            mask: self.mask,
            temporary_mask: None,
            pending: Vec::new(),
            interrupted: None,
            again: None,
            deadline: None,
            next_program: None,
            ended: None,
            alt_stack: AltStack::NONE,
            name: self.name,
            parent_death_signal: 0,
            own_actions: None,
            whole: self.whole,
            is_child: self.is_child,
            is_first: false,
        }
    }

    /// Its id, which is the host's.
    pub fn tid(&self) -> i32 {
        self.peer.tid()
    }

    /// Takes the id of the host thread that calls this.
    pub fn settle(&self, mmu: &SoftMmu) {
        let tid = mmu.host_call(libc::SYS_gettid, &mut []).unwrap_or(0);
        self.peer.tid.store(tid as i32, Ordering::Relaxed);
        *lock(&self.peer.runner) = tid as i32;
    }

    /// Joins the list of the process.
    pub fn enlist(&self) {
        let threads = &self.process.threads;
        let mut list = lock(&threads.list);
        list.push(Arc::clone(&self.peer));
        if threads.paused.load(Ordering::Relaxed) {
            self.peer.poll.fetch_or(poll::INTERRUPT, Ordering::SeqCst);
        }
    }

    /// The only thread left, after a fork.
    pub fn be_alone(&self) {
        *lock(&self.process.threads.list) = vec![Arc::clone(&self.peer)];
    }

    /// Looks at, or changes, what the process does on signals.
    pub fn actions<R>(&mut self, process: &Process, look: impl FnOnce(&mut Actions) -> R) -> R {
        match &mut self.own_actions {
            Some(actions) => look(actions),
            None => look(&mut lock(&process.actions)),
        }
    }

    /// Whether a signal has come that was not looked at.
    pub fn signal_waits(&self) -> bool {
        self.peer.poll.load(Ordering::SeqCst) & poll::SIGNAL != 0
    }

    /// Whether a signal waits that `blocked` does not keep from being given: the thread's, or one for the process.
    pub fn has_due(&self, blocked: u64) -> bool {
        let is_due = |info: &Info| host::bit(signal_of(info)) & blocked == 0;
        self.pending.iter().any(is_due) || lock(&self.process.threads.mail).iter().any(is_due)
    }

    /// Has the waiting signals looked at before the guest goes on, if there are any.
    pub fn look_again(&mut self) {
        if !self.pending.is_empty() || !lock(&self.process.threads.mail).is_empty() {
            self.peer.poll.fetch_or(poll::SIGNAL, Ordering::SeqCst);
        }
    }

    /// Takes in what came meanwhile.
    pub fn collect(&mut self, seat: &Seat) {
        self.peer.poll.fetch_and(!poll::SIGNAL, Ordering::SeqCst);
        let mut mail = std::mem::take(&mut *lock(&self.peer.mail));
        let blocked = self.temporary_mask.unwrap_or(self.mask) & !UNMASKABLE;
        let is_due = |info: &mut Info| host::bit(signal_of(info)) & blocked == 0;
        mail.extend(lock(&self.process.threads.mail).extract_if(.., is_due));
        mail.into_iter().chain(std::iter::from_fn(|| seat.next())).for_each(|info| {
            // Of a signal without a queue one waits at most (signal(7), "Queueing and delivery semantics").
            let is_known = |info: &Info| self.pending.iter().any(|other| host::is_same(other, info));
            if signal_of(&info) >= FIRST_QUEUED || !is_known(&info) {
                self.pending.push(info);
            }
        });
        self.peer.kept.store(self.pending.len(), Ordering::Relaxed);
    }

    /// The thread ends: signals for the process that came to it are for the others, if the host's are the guest's.
    pub fn give_back(&mut self, seat: &Seat) {
        if self.whole {
            host::block_all();
            self.collect(seat);
            self.pending.drain(..).filter(is_for_process).for_each(|info| host::send_again(&info));
        } else {
            self.collect(seat);
            let given_back: Vec<Info> = self.pending.drain(..).filter(is_for_process).collect();
            if !given_back.is_empty() {
                lock(&self.process.threads.mail).extend(given_back);
                self.process.threads.stop_others(&self.peer, poll::SIGNAL);
            }
        }
    }

    /// The end of the thread, as other threads of the guest see it (Linux `mm_release`).
    pub fn end(&self, mmu: &SoftMmu) {
        self.peer.is_over.store(true, Ordering::Relaxed);
        robust::release_all(&self.peer, mmu);
        if self.clear_child_tid != 0 && mmu.write(self.clear_child_tid, &[0; 4]).is_ok() {
            mmu.wake_futex(self.clear_child_tid);
        }
    }
}

/// While the guest blocks the signal that kicks have, one that comes must wait instead of being nothing.
pub fn watch_for_kicks(mask: u64) {
    if mask & host::bit(libc::SIGURG) != 0 {
        let _ = host::expect_kicks();
    }
}

/// Puts a signal into a mailbox with at most `limit` of them (Linux `__send_signal_locked`).
fn put(mail: &Mutex<Vec<Info>>, info: &Info, limit: usize) -> Result<(), i32> {
    const SI_USER: [u8; 4] = [0; 4];
    let mut mail = lock(mail);
    let is_known = || mail.iter().any(|other| signal_of(other) == signal_of(info));
    if signal_of(info) < FIRST_QUEUED || (mail.len() >= limit && info[8..12] == SI_USER) {
        if !is_known() {
            mail.push(*info);
        }
    } else if mail.len() >= limit {
        return Err(libc::EAGAIN);
    } else {
        mail.push(*info);
    }
    Ok(())
}

fn new_peer(poll: &Arc<AtomicU32>, presence: &Presence) -> Arc<Peer> {
    Arc::new(Peer {
        tid: AtomicI32::new(0),
        runner: Mutex::new(0),
        poll: Arc::clone(poll),
        presence: presence.clone(),
        mail: Mutex::default(),
        kept: AtomicUsize::new(0),
        robust_list: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
    })
}

/// Whether a signal that came to a thread was for its process, as far as it tells itself. (The kernel sends SIGPIPE to the
/// thread that wrote.)
fn is_for_process(info: &Info) -> bool {
    const SI_TKILL: i32 = -6;
    let code = i32::from_le_bytes([info[8], info[9], info[10], info[11]]);
    code != SI_TKILL && signal_of(info) != libc::SIGPIPE
}

/// The name by which a program's first thread is known.
fn name_of(path: &Path) -> [u8; 16] {
    let mut name = [0; 16];
    let file = path.file_name().map_or(&[][..], |file| file.as_bytes());
    name.iter_mut().take(15).zip(file).for_each(|(to, from)| *to = *from);
    name
}

/// exit(status): ends the thread.
pub fn exit(call: &mut Call<'_>) -> SysResult {
    call.outcome = super::Outcome::EndThread(call.int(0) & 0xff);
    Ok(0)
}

/// exit_group(status): ends the process.
pub fn exit_group(call: &mut Call<'_>) -> SysResult {
    call.outcome = super::Outcome::Exit(call.int(0) & 0xff);
    Ok(0)
}
