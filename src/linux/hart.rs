//! A guest thread as the host runs it: a hart, the engine that runs it, and the kernel's side of it.

use super::process::Outcome;
use super::signal::{self, Fatal};
use super::spawn::{Birth, Spawn};
use super::thread::Thread;
use crate::base::error::Trap;
use crate::base::lock;
use crate::base::state::{poll, CpuState};
use crate::engine::dispatch::GuestExit;
use crate::engine::{Jit, Tier};
use crate::mmu::SoftMmu;
use crate::sys::process::{self as host, Side};
use crate::sys::signal::{self as signals, Seat};
use crate::sys::thread as threads;
use std::sync::atomic::Ordering;
use std::sync::{mpsc, Arc};

/// Stack of the host thread that runs a guest thread. The guest's own stack is guest memory.
const HOST_STACK: usize = 512 << 10;

/// A guest thread.
#[derive(Debug)]
pub struct Hart {
    pub jit: Jit,
    pub thread: Thread,
    pub mmu: Arc<SoftMmu>,
}

/// Why a hart stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The process ended.
    Ended(Outcome),
    /// This thread ended with a status, others go on.
    ThreadEnded(i32),
    /// An instruction trapped and the guest has no handler for that.
    Fault(Trap),
    OutOfFuel,
    /// By an `InterruptHandle`.
    Interrupted,
}

impl Hart {
    /// Runs until the owner is needed.
    pub fn run(&mut self) -> Stop {
        self.thread.process.threads.resume(&self.thread.peer);
        if let Some(status) = self.thread.ended {
            return Stop::ThreadEnded(status);
        }
        let seat = Seat::take(&self.jit.state().poll);
        self.thread.settle(&self.mmu);
        let stop = self.run_seated(&seat);
        self.thread.peer.rest();
        stop
    }

    fn run_seated(&mut self, seat: &Seat) -> Stop {
        loop {
            let stop = match self.jit.run_guest(&self.mmu) {
                GuestExit::Syscall => self.syscall(seat),
                GuestExit::Trap(trap) => self.trap(trap),
                GuestExit::OutOfFuel => Some(Stop::OutOfFuel),
                GuestExit::Interrupted => None,
            };
            let stop =
                stop.or_else(|| if self.jit.state().owner_wanted() { self.attend(seat) } else { None });
            if let Some(stop) = stop {
                self.thread.collect(seat);
                if matches!(stop, Stop::ThreadEnded(_)) {
                    self.thread.give_back(seat);
                }
                self.thread.look_again();
                // The owner may have the hart go on elsewhere.
                self.thread.interrupted = None;
                return stop;
            }
        }
    }

    fn syscall(&mut self, seat: &Seat) -> Option<Stop> {
        match self.thread.syscall(&self.mmu, self.jit.state_mut()) {
            Outcome::Continue => None,
            Outcome::EndThread(status) => Some(Stop::ThreadEnded(status)),
            Outcome::Spawn(spawn) => {
                let result = self.spawn(&spawn, seat);
                let value = result.unwrap_or_else(|errno| i64::from(-errno) as u64);
                self.jit.state_mut().set_x(10, value);
                None
            }
            end @ (Outcome::Exit(_) | Outcome::Die(_) | Outcome::OutOfFuel) => Some(Stop::Ended(end)),
        }
    }

    fn trap(&mut self, trap: Trap) -> Option<Stop> {
        let process = Arc::clone(&self.thread.process);
        let given = signal::fault(&process, &mut self.thread, &self.mmu, self.jit.state_mut(), &trap);
        given.err().map(|Fatal(signal)| match signal == signal::of_trap(&trap) {
            true => Stop::Fault(trap),
            // There was no room for the handler's frame.
            false => Stop::Ended(Outcome::Die(signal)),
        })
    }

    /// Does what others have asked for through the poll word.
    fn attend(&mut self, seat: &Seat) -> Option<Stop> {
        let reasons = self.jit.state().poll.load(Ordering::SeqCst);
        if reasons & poll::END != 0 {
            let end = *lock(&self.thread.process.end);
            return end.map(Stop::Ended);
        }
        if reasons & poll::SIGNAL != 0 {
            self.thread.collect(seat);
            let process = Arc::clone(&self.thread.process);
            let cpu = self.jit.state_mut();
            if let Err(Fatal(signal)) = signal::deliver(&process, &mut self.thread, &self.mmu, cpu) {
                return Some(Stop::Ended(Outcome::Die(signal)));
            }
        }
        if reasons & poll::INTERRUPT != 0 {
            if !self.thread.is_first {
                let process = Arc::clone(&self.thread.process);
                process.threads.stand_still(&self.thread.peer);
                return None;
            }
            self.jit.state().poll.fetch_and(!poll::INTERRUPT, Ordering::SeqCst);
            return Some(Stop::Interrupted);
        }
        None
    }

    /// Makes a thread or a process; returns its id.
    fn spawn(&mut self, spawn: &Spawn, seat: &Seat) -> Result<u64, i32> {
        match spawn.birth {
            Birth::Thread => self.start_thread(spawn),
            Birth::Fork => self.fork(spawn, seat),
            Birth::Vfork => self.vfork(spawn, seat),
        }
    }

    /// A hart that goes on where this one is, as the new thread or process that `spawn` describes.
    fn child(&mut self, spawn: &Spawn) -> Hart {
        let mut jit = self.jit.sibling(&self.mmu);
        begin(jit.state_mut(), spawn);
        let mut thread = self.thread.child(&jit.state().poll, jit.presence());
        thread.clear_child_tid = spawn.clear_tid.unwrap_or(0);
        Hart { jit, thread, mmu: Arc::clone(&self.mmu) }
    }

    fn start_thread(&mut self, spawn: &Spawn) -> Result<u64, i32> {
        signals::expect_kicks()?;
        let mut hart = self.child(spawn);
        let spawn = *spawn;
        let (tell, told) = mpsc::channel();
        // The new thread must not be interrupted before it has an inbox.
        let mask = signals::block_all();
        let started = threads::start(HOST_STACK, move || {
            let seat = Seat::take(&hart.jit.state().poll);
            hart.thread.settle(&hart.mmu);
            hart.announce(&spawn);
            hart.thread.enlist();
            let _ = tell.send(hart.thread.tid());
            let status = hart.run_to_end(&seat);
            let Hart { jit, thread, mmu } = hart;
            drop((jit, mmu, seat));
            thread.process.threads.remove(&thread.peer, status);
        });
        signals::set_mask(mask);
        started?;
        told.recv().map(|tid| tid as u64).map_err(|_| libc::EAGAIN)
    }

    /// Writes the id of this new thread or process to where it is wanted.
    fn announce(&self, spawn: &Spawn) {
        let tid = self.thread.tid().to_le_bytes();
        for place in [spawn.parent_tid, spawn.child_tid].into_iter().flatten() {
            // As the kernel does, without complaint.
            let _ = self.mmu.write(place, &tid);
        }
    }

    /// Runs a thread that nobody waits for, to its end; returns its status.
    fn run_to_end(&mut self, seat: &Seat) -> i32 {
        if lock(&self.thread.process.end).is_some() {
            // It ended between the request and now; nobody has told this thread.
            self.thread.end(&self.mmu);
            return 0;
        }
        if self.thread.whole {
            signals::set_mask(self.thread.mask);
        }
        let stop = self.run_seated(seat);
        self.finish(stop);
        if let Stop::ThreadEnded(status) = stop {
            status
        } else {
            0
        }
    }

    /// What the end of a thread means for its process.
    fn finish(&mut self, stop: Stop) {
        let end = match stop {
            Stop::Ended(end) => Some(end),
            Stop::Fault(trap) => {
                let signal = signal::of_trap(&trap);
                self.thread.process.report_fatal(&self.mmu, self.jit.state(), signal, Some(&trap));
                Some(Outcome::Die(signal))
            }
            Stop::OutOfFuel => Some(Outcome::OutOfFuel),
            Stop::ThreadEnded(_) | Stop::Interrupted => None,
        };
        if self.thread.is_child && (self.thread.is_first || end.is_some()) {
            self.finish_process(stop, end);
        }
        if let Some(end) = end {
            let process = &self.thread.process;
            process.finish(&self.thread.peer, end);
            if self.thread.whole && process.threads.first_is_away.load(Ordering::SeqCst) {
                // It is its part to end the host process, but the kernel lets it sleep until its child is done.
                process.threads.release_robust_futexes(&self.mmu);
                end_host(end);
            }
        }
        self.thread.end(&self.mmu);
    }

    /// The end of a child process, or of the thread that it began with.
    fn finish_process(&mut self, stop: Stop, end: Option<Outcome>) {
        let end = end.unwrap_or_else(|| {
            let status = if let Stop::ThreadEnded(status) = stop { status } else { 0 };
            self.wait_for_end(status).unwrap_or(Outcome::Exit(status))
        });
        self.finish_child(end);
    }

    /// This thread, with which its process began, ends with `status`: waits for the end of the process. `None` if the
    /// embedder does not want to wait; to be called again then.
    pub fn wait_for_end(&mut self, status: i32) -> Option<Outcome> {
        let process = Arc::clone(&self.thread.process);
        if self.thread.ended.replace(status).is_none() {
            self.thread.end(&self.mmu);
            process.threads.remove(&self.thread.peer, status);
        }
        let mask = signals::block_all();
        let status = process.threads.wait_until_none(&self.thread.peer);
        if process.host.is_none() {
            signals::set_mask(mask);
        }
        if status.is_none() {
            self.jit.state().poll.fetch_and(!poll::INTERRUPT, Ordering::SeqCst);
        }
        status.map(|status| lock(&process.end).unwrap_or(Outcome::Exit(status)))
    }

    /// If this is a child process of the guest's: ends it. The frames above are those of its parent.
    pub fn finish_child(&self, end: Outcome) {
        if !self.thread.is_child {
            return;
        }
        self.thread.process.threads.release_robust_futexes(&self.mmu);
        end_host(end);
    }

    fn fork(&mut self, spawn: &Spawn, seat: &Seat) -> Result<u64, i32> {
        let process = Arc::clone(&self.thread.process);
        let mask = signals::block_all();
        let alone = process.threads.count() == 1;
        if alone && spawn.exit_signal != libc::SIGCHLD {
            // The C library has no part in that, and cannot mend what a thread of the engine holds.
            self.jit.be_single();
        }
        // All locks, so that none is held by a thread that the child does not have.
        let side = self.jit.around_fork(
            || {
                let _mapping = lock(&process.mapping);
                let _memory = lock(&process.memory);
                let _actions = lock(&process.actions);
                let _limits = lock(&process.limits);
                let _threads = lock(&process.threads.list);
                let _mail = lock(&process.threads.mail);
                let _name = lock(&process.name);
                let _end = lock(&process.end);
                let _code = lock(&process.return_code);
                let _unknown = lock(&process.unknown);
                // The trace's.
                let _stderr = std::io::stderr().lock();
                let _mmu = self.mmu.freeze();
                host::fork(spawn.exit_signal, alone)
            },
            |side| *side == Ok(Side::Child),
        );
        let result = match side {
            Err(errno) => Err(errno),
            Ok(Side::Parent(pid)) => {
                let pid = pid as u64;
                if let Some(place) = spawn.parent_tid {
                    let _ = self.mmu.write(place, &(pid as u32).to_le_bytes());
                }
                Ok(pid)
            }
            Ok(Side::Child) => {
                self.become_child(spawn, seat);
                self.thread.be_alone();
                // Not what was blocked before: that may have been for a signal which is the parent's.
                signals::set_mask(self.thread.mask);
                return Ok(0);
            }
        };
        signals::set_mask(mask);
        result
    }

    /// In a child process: what it does not inherit, and what it was asked to begin with.
    fn become_child(&mut self, spawn: &Spawn, seat: &Seat) {
        self.thread.settle(&self.mmu);
        self.thread.is_child = true;
        self.thread.collect(seat);
        self.thread.pending.clear();
        self.thread.peer.set_robust_list(0);
        self.thread.parent_death_signal = 0;
        self.thread.is_first = true;
        // What the parent was asked for, its end perhaps, is not the child's.
        self.jit.state().poll.fetch_and(!poll::STOP, Ordering::SeqCst);
        *lock(&self.thread.process.end) = None;
        self.thread.clear_child_tid = spawn.clear_tid.unwrap_or(0);
        if spawn.clear_handlers {
            lock(&self.thread.process.actions).clear_handlers();
        }
        let cpu = self.jit.state_mut();
        begin(cpu, spawn);
        if let Some(place) = spawn.child_tid {
            let _ = self.mmu.write(place, &self.thread.tid().to_le_bytes());
        }
    }

    /// The child runs on an engine of its own, so that whatever becomes of it, the parent's is as it was; in the
    /// interpreter, since it has a few calls to make before it is another program.
    fn vfork(&mut self, spawn: &Spawn, seat: &Seat) -> Result<u64, i32> {
        let mut hart = self.child(spawn);
        hart.jit.set_tier(Tier::Interp);
        hart.thread.is_child = true;
        let process = Arc::clone(&self.thread.process);
        let mut actions = self.thread.actions(&process, |actions| actions.clone());
        let mask = signals::block_all();
        // Nothing that the child has in its own frames is ever freed.
        let mut inbox = None;
        let process = Arc::clone(&self.thread.process);
        if self.thread.is_first {
            process.threads.first_is_away.store(true, Ordering::SeqCst);
            if lock(&process.end).is_some() {
                // Whoever ended the process may not have seen that this thread would be away.
                process.threads.first_is_away.store(false, Ordering::SeqCst);
                signals::set_mask(mask);
                return Err(libc::EAGAIN);
            }
        }
        let result = host::vfork(spawn.exit_signal, &mut || {
            let seat = &*inbox.insert(Seat::take(&hart.jit.state().poll));
            hart.thread.settle(&hart.mmu);
            if spawn.clear_handlers {
                actions.clear_handlers();
            }
            hart.thread.own_actions = Some(Box::new(actions.clone()));
            if let Some(place) = spawn.child_tid {
                let _ = hart.mmu.write(place, &hart.thread.tid().to_le_bytes());
            }
            signals::set_mask(hart.thread.mask);
            match hart.run_seated(seat) {
                Stop::Ended(Outcome::Exit(status)) | Stop::ThreadEnded(status) => status & 0xff,
                Stop::Ended(Outcome::Die(signal)) => crate::sys::host::die_by_signal(signal),
                Stop::Fault(trap) => {
                    let (signal, process) = (signal::of_trap(&trap), &hart.thread.process);
                    process.report_fatal(&hart.mmu, hart.jit.state(), signal, Some(&trap));
                    crate::sys::host::die_by_signal(signal)
                }
                _ => 125,
            }
        });
        process.threads.first_is_away.store(false, Ordering::SeqCst);
        // It had this thread's variables.
        drop(inbox);
        seat.again();
        signals::set_mask(mask);
        let pid = result? as u64;
        if let Some(place) = spawn.parent_tid {
            let _ = self.mmu.write(place, &(pid as u32).to_le_bytes());
        }
        Ok(pid)
    }
}

/// Ends the host process as the guest's has ended.
fn end_host(end: Outcome) -> ! {
    match end {
        Outcome::Exit(status) => host::exit_now(status & 0xff),
        Outcome::Die(signal) => crate::sys::host::die_by_signal(signal),
        _ => host::exit_now(125),
    }
}

/// The registers that a new thread or process begins with.
fn begin(cpu: &mut CpuState, spawn: &Spawn) {
    cpu.set_x(10, 0);
    cpu.reserved = false;
    if let Some(stack) = spawn.stack {
        cpu.set_x(2, stack);
    }
    if let Some(tls) = spawn.tls {
        cpu.set_x(4, tls);
    }
}
