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

/// Splits this process in two. In the child only the calling thread exists.
///
/// The caller holds every lock of this crate that the child may need.
///
/// # Errors
/// The kernel's `errno`.
pub fn fork() -> Result<Side, i32> {
    // SAFETY: the C library makes its own state usable in the child; what this crate has is under locks that the
    // caller holds (header).
    match unsafe { libc::fork() } {
        0 => Ok(Side::Child),
        pid if pid > 0 => Ok(Side::Parent(pid)),
        _ => Err(errno()),
    }
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

/// Replaces this process's program; returns only if that fails, with the `errno`, or [`NOT_MADE`] if a signal for the guest
/// came first.
///
/// [`NOT_MADE`]: super::enter::NOT_MADE
pub fn exec(path: &CStr, args: &[CString], env: &[CString]) -> i32 {
    let list = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (args, env) = (list(args), list(env));
    let address = |list: &[*const libc::c_char]| list.as_ptr().expose_provenance() as u64;
    let raw = [path.as_ptr().expose_provenance() as u64, address(&args), address(&env), 0, 0, 0];
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
        let missing = CString::new("/no/such/program").unwrap();
        let pid = vfork(libc::SIGCHLD, &mut || {
            seen = exec(&missing, &[], &[]);
            7
        });
        assert_eq!((status_of(pid.unwrap()), seen), (7, libc::ENOENT));
    }
}
