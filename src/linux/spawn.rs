//! Making threads and processes: clone in its forms. What is asked for is worked out here; `hart` does it, since it owns
//! the hart that is to be doubled.

use super::call::{Call, SysResult};
use super::process::Outcome;
use crate::base::GuestAddr;

const CLONE_VM: u64 = 0x100;
const CLONE_FS: u64 = 0x200;
const CLONE_FILES: u64 = 0x400;
const CLONE_SIGHAND: u64 = 0x800;
const CLONE_PIDFD: u64 = 0x1000;
const CLONE_VFORK: u64 = 0x4000;
const CLONE_THREAD: u64 = 0x1_0000;
const CLONE_SYSVSEM: u64 = 0x4_0000;
const CLONE_SETTLS: u64 = 0x8_0000;
const CLONE_PARENT_SETTID: u64 = 0x10_0000;
const CLONE_CHILD_CLEARTID: u64 = 0x20_0000;
const CLONE_DETACHED: u64 = 0x40_0000;
const CLONE_CHILD_SETTID: u64 = 0x100_0000;
const CLONE_CLEAR_SIGHAND: u64 = 1 << 32;

/// What a thread has in common with the one that made it: everything.
const OF_A_THREAD: u64 = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
/// What may be said of a thread besides. (`CLONE_DETACHED` means nothing any more.)
const WITH_A_THREAD: u64 = CLONE_SYSVSEM
    | CLONE_SETTLS
    | CLONE_PARENT_SETTID
    | CLONE_CHILD_CLEARTID
    | CLONE_CHILD_SETTID
    | CLONE_DETACHED;
/// What may be said of a process.
const OF_A_PROCESS: u64 = CLONE_VM
    | CLONE_VFORK
    | CLONE_SETTLS
    | CLONE_PARENT_SETTID
    | CLONE_CHILD_CLEARTID
    | CLONE_CHILD_SETTID
    | CLONE_CLEAR_SIGHAND;

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birth {
    Thread,
    /// A process with a copy of memory.
    Fork,
    /// A process in the same memory, whose parent waits until it ends or becomes another program.
    Vfork,
}

/// A thread or process to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spawn {
    pub birth: Birth,
    /// What tells the parent of the end of a process.
    pub exit_signal: i32,
    /// Its stack pointer, if it is not the parent's.
    pub stack: Option<GuestAddr>,
    /// Its thread pointer, if it is not the parent's.
    pub tls: Option<GuestAddr>,
    /// Where its id is written in the parent's memory, and in its own.
    pub parent_tid: Option<GuestAddr>,
    pub child_tid: Option<GuestAddr>,
    /// What is cleared when it ends.
    pub clear_tid: Option<GuestAddr>,
    /// It takes the default action for what the parent catches.
    pub clear_handlers: bool,
}

/// Arguments of clone and clone3 in one form.
struct Asked {
    flags: u64,
    exit_signal: u64,
    stack: GuestAddr,
    tls: GuestAddr,
    parent_tid: GuestAddr,
    child_tid: GuestAddr,
}

/// clone(flags and exit signal, stack, parent_tid, tls, child_tid): the order of riscv64 (`CLONE_BACKWARDS`).
pub fn clone(call: &mut Call<'_>) -> SysResult {
    let [flags, stack, parent_tid, tls, child_tid, _] = call.args;
    // The high half means nothing here.
    let flags = flags & 0xffff_ffff;
    spawn(call, &Asked { flags: flags & !0xff, exit_signal: flags & 0xff, stack, tls, parent_tid, child_tid })
}

/// clone3(arguments, size); `struct clone_args` is flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size,
/// tls, set_tid, set_tid_size, cgroup.
pub fn clone3(call: &mut Call<'_>) -> SysResult {
    const FIRST_VERSION: u64 = 64;
    const KNOWN: u64 = 88;
    let (at, size) = (call.args[0], call.args[1]);
    if !(FIRST_VERSION..=4096).contains(&size) {
        return Err(if size > 4096 { libc::E2BIG } else { libc::EINVAL });
    }
    let mut bytes = vec![0; size.max(KNOWN) as usize];
    call.read(at, &mut bytes[..size as usize])?;
    if bytes[KNOWN as usize..].iter().any(|&byte| byte != 0) {
        return Err(libc::E2BIG);
    }
    let word = |index: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[8 * index..8 * index + 8]);
        u64::from_le_bytes(word)
    };
    let (stack, stack_size) = (word(5), word(6));
    // Ids chosen by the caller and control groups are for those who manage containers.
    let strange = word(9) != 0 || word(4) > 64 || (stack == 0) != (stack_size == 0);
    if strange || word(0) & 0xff != 0 {
        return Err(libc::EINVAL);
    }
    let stack = stack.wrapping_add(stack_size);
    let asked = Asked {
        flags: word(0),
        exit_signal: word(4),
        stack,
        tls: word(7),
        parent_tid: word(3),
        child_tid: word(2),
    };
    spawn(call, &asked)
}

/// wait4(pid, status, options, usage).
pub fn wait4(call: &mut Call<'_>) -> SysResult {
    own_children(call)?;
    let args = &mut [call.raw(0), call.guest(1, 4), call.raw(2), call.guest(3, 144)];
    call.host(libc::SYS_wait4, args)
}

/// waitid(which, id, info, options, usage).
pub fn waitid(call: &mut Call<'_>) -> SysResult {
    own_children(call)?;
    let args = &mut [call.raw(0), call.raw(1), call.guest(2, 128), call.raw(3), call.guest(4, 144)];
    call.host(libc::SYS_waitid, args)
}

/// A guest inside another program has no children; those that there are belong to that program.
fn own_children(call: &Call<'_>) -> Result<(), i32> {
    if call.process.host.is_some() {
        Ok(())
    } else {
        Err(libc::ECHILD)
    }
}

/// Checks what was asked for and has it done.
fn spawn(call: &mut Call<'_>, asked: &Asked) -> SysResult {
    let flags = asked.flags;
    if flags & CLONE_PIDFD != 0 {
        // Optional since Linux 5.2; those who want it do without.
        return Err(libc::EINVAL);
    }
    let kind = match flags & OF_A_THREAD {
        OF_A_THREAD if flags & !(OF_A_THREAD | WITH_A_THREAD) == 0 => Birth::Thread,
        _ if flags & !OF_A_PROCESS != 0 => return Err(libc::EINVAL),
        CLONE_VM if flags & CLONE_VFORK != 0 => Birth::Vfork,
        // Two processes that go on in one memory.
        CLONE_VM => return Err(libc::EINVAL),
        _ => Birth::Fork,
    };
    if kind != Birth::Thread && call.process.host.is_none() {
        // The other program's process is not to be doubled.
        return Err(libc::ENOSYS);
    }
    if kind == Birth::Thread && call.thread.own_actions.is_some() {
        // A child of vfork is to become another program.
        return Err(libc::EAGAIN);
    }
    let given = |flag: u64, value: u64| (flags & flag != 0).then_some(value);
    call.outcome = Outcome::Spawn(Spawn {
        birth: kind,
        exit_signal: asked.exit_signal as i32,
        stack: Some(asked.stack).filter(|&stack| stack != 0),
        tls: given(CLONE_SETTLS, asked.tls),
        parent_tid: given(CLONE_PARENT_SETTID, asked.parent_tid),
        child_tid: given(CLONE_CHILD_SETTID, asked.child_tid),
        clear_tid: given(CLONE_CHILD_CLEARTID, asked.child_tid),
        clear_handlers: flags & CLONE_CLEAR_SIGHAND != 0,
    });
    Ok(0)
}
