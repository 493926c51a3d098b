//! New processes and new programs.
//!
//! Invariant: a child made by [`fork`] has one thread, in a copy of memory in which no lock is held: the caller holds them
//! all. A child made by [`vfork`] shares memory with its parent, whose thread sleeps until the child is done with it.
#![allow(unsafe_code, reason = "fork, clone and exec")]

use memmap2::MmapMut;
use std::ffi::{c_int, c_void, CStr, CString};
use std::io;

/// Which side of a fork this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Child,
    /// With the child's process id.
    Parent(i32),
}

/// Stack of a child of [`vfork`]; committed as it is used.
const CHILD_STACK: usize = 1 << 20;

/// `errno` as it is now.
fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)
}

/// Splits this process in two. In the child only the calling thread exists. `exit_signal` is what tells the parent of the
/// child's end; another one than SIGCHLD is heeded only if the caller is `alone`, this process's only thread.
///
/// The caller holds every lock of this crate that the child may need.
///
/// # Errors
/// The kernel's `errno`.
pub fn fork(exit_signal: i32, alone: bool) -> Result<Side, i32> {
    let forked = if exit_signal == libc::SIGCHLD || !alone {
        // SAFETY: the C library makes its own state usable in the child; what this crate has is under locks that the
        // caller holds (header).
        unsafe { libc::fork() }
    } else {
        fork_alone(exit_signal)
    };
    match forked {
        0 => Ok(Side::Child),
        pid if pid > 0 => Ok(Side::Parent(pid)),
        _ => Err(errno()),
    }
}

/// fork(2) without the C library, which knows no other signal than SIGCHLD. It has nothing to mend in the child of a single
/// thread but the thread's id.
fn fork_alone(exit_signal: i32) -> i32 {
    /// `prctl(2)`: where the C library has the thread's id.
    const PR_GET_TID_ADDRESS: libc::c_int = 40;
    let mut place = 0usize;
    // SAFETY: the pointer is to a local value.
    let known = unsafe { libc::prctl(PR_GET_TID_ADDRESS, &raw mut place) } == 0 && place != 0;
    let id = if known { libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID } else { 0 };
    // SAFETY: without CLONE_VM the child has a copy of everything, this frame included; the kernel writes the id, in the child,
    // where the C library has told it to (order of arguments: clone(2), x86-64).
    unsafe { libc::syscall(libc::SYS_clone, exit_signal & 0xff | id, 0, 0, place, 0) as i32 }
}

/// Runs `child` in a new process that shares this one's memory, and waits until it ends or becomes another program;
/// `child` returns the status it ends with. `exit_signal` is what tells the parent of the end.
///
/// # Errors
/// The kernel's `errno`.
pub fn vfork(exit_signal: i32, child: &mut dyn FnMut() -> i32) -> Result<i32, i32> {
    extern "C" fn enter(child: *mut c_void) -> c_int {
        // SAFETY: `vfork` passes its closure, and its thread sleeps meanwhile.
        let child = unsafe { &mut *child.cast::<&mut dyn FnMut() -> i32>() };
        // A panic must not run the parent's frames a second time.
        let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(125);
        // SAFETY: ends the process at once: what `exit` would do is the parent's to do.
        unsafe { libc::_exit(status) }
    }
    let mut stack = MmapMut::map_anon(CHILD_STACK).map_err(|_| libc::ENOMEM)?;
    let top = stack.as_mut_ptr().wrapping_add(CHILD_STACK);
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | exit_signal & 0xff;
    let mut child = child;
    let argument = std::ptr::from_mut(&mut child).cast();
    // SAFETY: the stack is the child's alone and lives until the call returns, which CLONE_VFORK puts off until the
    // child no longer uses this memory.
    match unsafe { libc::clone(enter, top.cast(), flags, argument) } {
        -1 => Err(errno()),
        pid => Ok(pid),
    }
}

/// A program to be executed, as the kernel wants to be told of it. A child of [`vfork`] keeps it where its parent finds it:
/// nothing that it has in its own frames is ever freed.
#[derive(Debug)]
pub struct NextProgram {
    path: CString,
    /// Arguments and environment, which only the kernel reads.
    _strings: [Vec<CString>; 2],
    /// The addresses of both lists' strings, and a null behind them.
    lists: [Vec<usize>; 2],
}

impl NextProgram {
    /// What is at `path`, with these arguments and this environment.
    pub fn new(path: CString, args: Vec<CString>, env: Vec<CString>) -> NextProgram {
        let list = |strings: &[CString]| {
            strings.iter().map(|string| string.as_ptr().expose_provenance()).chain([0]).collect()
        };
        let lists = [list(&args), list(&env)];
        NextProgram { path, _strings: [args, env], lists }
    }
}

/// Replaces this process's program; returns only if that fails, with the `errno`, or [`NOT_MADE`] if a signal for the guest
/// came first.
///
/// [`NOT_MADE`]: super::enter::NOT_MADE
pub fn exec(program: &NextProgram) -> i32 {
    let [args, env] = program.lists.each_ref().map(|list| list.as_ptr().expose_provenance() as u64);
    let raw = [program.path.as_ptr().expose_provenance() as u64, args, env, 0, 0, 0];
    // SAFETY: all pointers are to NUL-terminated strings, the lists end with null.
    unsafe { super::signal::call(libc::SYS_execve, &raw) }.err().unwrap_or(libc::EINVAL)
}

/// The name of the calling thread, as `/proc` shows it; ends with a NUL.
pub fn set_name(name: &[u8; 16]) {
    if name[15] == 0 {
        // SAFETY: the pointer is to 16 bytes that end with a NUL.
        unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
    }
}

/// A setting of `prctl(2)` that is a number and concerns what happens to this process from outside.
///
/// # Errors
/// The kernel's `errno`; EINVAL for another setting.
pub fn set_own(option: i32, value: u64) -> Result<u64, i32> {
    match option {
        libc::PR_SET_PDEATHSIG | libc::PR_SET_CHILD_SUBREAPER | libc::PR_SET_NO_NEW_PRIVS => {}
        _ => return Err(libc::EINVAL),
    }
    // SAFETY: these settings take a number, and zeros behind it.
    match unsafe { libc::prctl(option, value, 0u64, 0u64, 0u64) } {
        -1 => Err(errno()),
        result => Ok(result as u64),
    }
}

extern "C" {
    /// The environment as the C library has it.
    static environ: *const *const libc::c_char;
}

/// Whether the kernel started this program for another one, by a rule of binfmt_misc with flag P: then `argv[0]` is followed
/// by that program's path, its `argv[0]` and its arguments (Linux 5.12, `AT_FLAGS_PRESERVE_ARGV0`).
pub fn started_for_another() -> bool {
    const PRESERVE_ARGV0: u64 = 1;
    // SAFETY: reads a word of the auxiliary vector.
    let flags = unsafe { libc::getauxval(libc::AT_FLAGS) };
    flags & PRESERVE_ARGV0 != 0
}

/// The whole environment of this process, also what is no `NAME=VALUE`.
pub fn environment() -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    // SAFETY: the list ends with null and its strings with NUL; this crate never changes it, and the standard library,
    // by which others may, says that they must not while other threads run.
    unsafe {
        let mut at = environ;
        while !at.is_null() && !(*at).is_null() {
            entries.push(CStr::from_ptr(*at).to_bytes().to_vec());
            at = at.add(1);
        }
    }
    entries
}

/// Stops this process until somebody continues it.
pub fn stop() {
    // SAFETY: takes numbers.
    unsafe { libc::kill(libc::getpid(), libc::SIGSTOP) };
}

/// Ends this process at once, without the work that `exit` does.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: takes a number.
    unsafe { libc::_exit(status) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(pid: i32) -> i32 {
        let mut status = 0;
        // SAFETY: the pointer is to a local value.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        libc::WEXITSTATUS(status)
    }

    #[test]
    fn a_child_of_vfork_shares_memory_and_a_failed_exec_is_told() {
        let mut seen = 0;
        let missing = NextProgram::new(CString::new("/no/such/program").unwrap(), Vec::new(), Vec::new());
        let pid = vfork(libc::SIGCHLD, &mut || {
            seen = exec(&missing);
            7
        });
        assert_eq!((status_of(pid.unwrap()), seen), (7, libc::ENOENT));
    }
}
