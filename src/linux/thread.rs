//! Threads of a guest process: what each has for itself, who they are, and how they end.

use super::call::{Call, SysResult};
use super::process::Process;
use super::signal::{Actions, AltStack};
use crate::base::state::poll;
use crate::base::{lock, GuestAddr};
use crate::engine::presence::Presence;
use crate::mmu::{CallArg, SoftMmu};
use crate::sys::process::set_name;
use crate::sys::signal::{self as host, Info, Seat};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// What other threads of the process see of one.
#[derive(Debug)]
pub struct Peer {
    tid: AtomicI32,
    poll: Arc<AtomicU32>,
    presence: Presence,
    /// Signals that other threads of the guest sent it, where the host's are not the guest's.
    mail: Mutex<Vec<Info>>,
}

impl Peer {
    /// Its thread id, which is the host's.
    pub fn tid(&self) -> i32 {
        self.tid.load(Ordering::Relaxed)
    }

    /// Asks it to stop for a reason of [`poll`], also if it waits in a call.
    fn stop(&self, reason: u32) {
        self.poll.fetch_or(reason, Ordering::SeqCst);
        host::kick(self.tid());
    }
}

/// The threads of a process.
#[derive(Debug, Default)]
pub struct Threads {
    /// Those that run; the first one is the oldest.
    pub list: Mutex<Vec<Arc<Peer>>>,
    /// Told when one has ended.
    gone: Condvar,
}

impl Threads {
    /// Puts a signal into the mail of a thread; false if there is none of this id.
    pub fn mail(&self, tid: i32, info: Info) -> bool {
        let peer = lock(&self.list).iter().find(|peer| peer.tid() == tid).cloned();
        peer.is_some_and(|peer| {
            lock(&peer.mail).push(info);
            peer.stop(poll::SIGNAL);
            true
        })
    }

    /// Asks every thread to stop for a reason of [`poll`].
    pub fn stop_all(&self, reason: u32) {
        lock(&self.list).iter().for_each(|peer| peer.stop(reason));
    }

    /// Waits until no thread but `except` runs translations older than `epoch`.
    pub fn wait_for_translations(&self, epoch: u64, except: &Arc<Peer>) {
        let others: Vec<Arc<Peer>> =
            lock(&self.list).iter().filter(|peer| !Arc::ptr_eq(peer, except)).cloned().collect();
        others.iter().for_each(|peer| peer.presence.wait_for(epoch, &peer.poll));
    }

    /// Number of threads.
    pub fn count(&self) -> usize {
        lock(&self.list).len()
    }

    /// Waits until all have ended.
    pub fn wait_until_none(&self) {
        self.wait_while(|list| !list.is_empty());
    }

    /// Waits until all but one have ended.
    pub fn wait_until_only(&self, peer: &Arc<Peer>) {
        self.wait_while(|list| list.iter().any(|other| !Arc::ptr_eq(other, peer)));
    }

    fn wait_while(&self, condition: impl Fn(&Vec<Arc<Peer>>) -> bool) {
        let list = lock(&self.list);
        drop(self.gone.wait_while(list, |list| condition(list)));
    }

    fn remove(&self, peer: &Arc<Peer>) {
        lock(&self.list).retain(|other| !Arc::ptr_eq(other, peer));
        self.gone.notify_all();
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

/// What every thread of a process has for itself.
#[derive(Debug)]
pub struct Thread {
    pub process: Arc<Process>,
    pub peer: Arc<Peer>,
    /// `set_tid_address`: cleared, and waiters woken, when the thread ends.
    pub clear_child_tid: GuestAddr,
    /// Head of the list of robust futexes.
    pub robust_list: GuestAddr,
    /// Blocked signals; bit 0 is signal 1.
    pub mask: u64,
    /// What is blocked instead while the current call waits.
    pub temporary_mask: Option<u64>,
    /// Signals that came and wait, because they are blocked or were not looked at yet.
    pub pending: Vec<Info>,
    pub interrupted: Option<Interrupted>,
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
}

impl Thread {
    /// The first thread of a process, known by the file name in `path`; `poll` is the hart's poll word.
    pub fn first(process: Arc<Process>, path: &Path, poll: &Arc<AtomicU32>, presence: &Presence) -> Thread {
        let whole = process.host.is_some();
        let mask = if whole { host::mask() } else { 0 };
        let name = name_of(path);
        if whole {
            set_name(&name);
        }
        let peer = new_peer(poll, presence);
        lock(&process.threads.list).push(Arc::clone(&peer));
        Thread {
            process,
            peer,
            clear_child_tid: 0,
            robust_list: 0,
            mask,
            temporary_mask: None,
            pending: Vec::new(),
            interrupted: None,
            alt_stack: AltStack::NONE,
            name,
            parent_death_signal: 0,
            own_actions: None,
            whole,
            is_child: false,
        }
    }

    /// A thread that this one starts, or the one of a child process; not in the list yet.
    pub fn child(&self, poll: &Arc<AtomicU32>, presence: &Presence) -> Thread {
        Thread {
            process: Arc::clone(&self.process),
            peer: new_peer(poll, presence),
            clear_child_tid: 0,
            robust_list: 0,
            mask: self.mask,
            temporary_mask: None,
            pending: Vec::new(),
            interrupted: None,
            alt_stack: AltStack::NONE,
            name: self.name,
            parent_death_signal: 0,
            own_actions: None,
            whole: self.whole,
            is_child: self.is_child,
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
    }

    /// Joins the list of the process.
    pub fn enlist(&self) {
        lock(&self.process.threads.list).push(Arc::clone(&self.peer));
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

    /// Has the waiting signals looked at before the guest goes on, if there are any.
    pub fn look_again(&mut self) {
        if !self.pending.is_empty() {
            self.peer.poll.fetch_or(poll::SIGNAL, Ordering::SeqCst);
        }
    }

    /// Takes in what came meanwhile.
    pub fn collect(&mut self, seat: &Seat) {
        self.peer.poll.fetch_and(!poll::SIGNAL, Ordering::SeqCst);
        self.pending.append(&mut lock(&self.peer.mail));
        self.pending.extend(std::iter::from_fn(|| seat.next()));
    }

    /// The end of the thread, as other threads of the guest see it (Linux `mm_release`).
    pub fn end(&self, mmu: &SoftMmu) {
        self.process.threads.remove(&self.peer);
        self.release_robust_futexes(mmu);
        if self.clear_child_tid != 0 && mmu.write(self.clear_child_tid, &[0; 4]).is_ok() {
            wake_one(mmu, self.clear_child_tid);
        }
    }

    /// Marks the robust futexes that the thread still holds (Linux `exit_robust_list`): the list leads from its head
    /// back to it, and the head also has the distance from an entry to its futex and an entry that was being handled.
    fn release_robust_futexes(&self, mmu: &SoftMmu) {
        /// `ROBUST_LIST_LIMIT`.
        const MOST: usize = 2048;
        let head = self.robust_list;
        if head == 0 {
            return;
        }
        let (Ok(first), Ok(offset), Ok(handled)) =
            (mmu.read_u64(head), mmu.read_u64(head.wrapping_add(8)), mmu.read_u64(head.wrapping_add(16)))
        else {
            return;
        };
        // The lowest bit of an entry's address marks another kind of futex.
        let release = |entry: u64| self.release_robust_futex(mmu, (entry & !1).wrapping_add(offset));
        let mut entry = first;
        for _ in 0..MOST {
            if entry & !1 == head {
                break;
            }
            let Ok(next) = mmu.read_u64(entry & !1) else { break };
            if entry & !1 != handled & !1 {
                release(entry);
            }
            entry = next;
        }
        if handled & !1 != 0 {
            release(handled);
        }
    }

    fn release_robust_futex(&self, mmu: &SoftMmu, word: GuestAddr) {
        const TID_MASK: u64 = 0x3fff_ffff;
        const OWNER_DIED: u64 = 0x4000_0000;
        const WAITERS: u64 = 0x8000_0000;
        let mut value = 0;
        while mmu.load_u32(word, &mut value).is_ok()
            && value & TID_MASK == u64::from(self.tid().unsigned_abs())
        {
            let (wanted, mut seen) = (value & WAITERS | OWNER_DIED, 0);
            if mmu.swap_u32(word, value as u32, wanted as u32, &mut seen).is_err() {
                return;
            }
            if seen == value {
                if value & WAITERS != 0 {
                    wake_one(mmu, word);
                }
                return;
            }
        }
    }
}

fn new_peer(poll: &Arc<AtomicU32>, presence: &Presence) -> Arc<Peer> {
    Arc::new(Peer {
        tid: AtomicI32::new(0),
        poll: Arc::clone(poll),
        presence: presence.clone(),
        mail: Mutex::default(),
    })
}

/// The name by which a program's first thread is known.
fn name_of(path: &Path) -> [u8; 16] {
    let mut name = [0; 16];
    let file = path.file_name().map_or(&[][..], |file| file.as_bytes());
    name.iter_mut().take(15).zip(file).for_each(|(to, from)| *to = *from);
    name
}

/// Wakes one thread, of this or another process, that waits for a futex.
fn wake_one(mmu: &SoftMmu, word: GuestAddr) {
    let word = CallArg::Guest { addr: word, len: 4 };
    let args = &mut [word, CallArg::Int(libc::FUTEX_WAKE as u64), CallArg::Int(1)];
    let _ = mmu.host_call(libc::SYS_futex, args);
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
