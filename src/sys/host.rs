//! System calls of the host with checked arguments.
//!
//! Invariant: the kernel is given only numbers, slices of the caller's, and ranges that the caller computed inside a
//! guest space. A call that maps memory, changes signal handling, starts threads or registers addresses for later
//! must not go this way: see the deny list of [`call`].
#![allow(unsafe_code, reason = "raw system calls")]

#[cfg(feature = "linux")]
use std::io;

/// An argument of a host system call.
#[cfg(feature = "linux")]
#[derive(Debug)]
pub enum HostArg<'a> {
    /// A plain number or descriptor.
    Int(u64),
    /// Host address of a range that lies wholly inside a guest space; 0 stands for a null pointer.
    Guest(usize),
    /// Bytes that the kernel reads.
    In(&'a [u8]),
    /// Bytes that the kernel writes.
    Out(&'a mut [u8]),
    /// Scatter/gather ranges (host address inside a guest space, length), passed as an array of `struct iovec`.
    Vector(&'a [(usize, usize)]),
}

/// Calls that would change this process's own memory or control flow.
#[cfg(feature = "linux")]
const DENIED: &[libc::c_long] = &[
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_arch_prctl,
    libc::SYS_madvise,
    libc::SYS_pkey_mprotect,
    libc::SYS_seccomp,
    libc::SYS_ptrace,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_prctl,
    libc::SYS_shmat,
    libc::SYS_process_vm_writev,
    libc::SYS_remap_file_pages,
];

/// Calls that may wait for something. A signal for the guest keeps them from being made (`sys::signal`).
#[cfg(feature = "linux")]
const BLOCKING: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_ioctl,
    libc::SYS_fcntl,
    libc::SYS_flock,
    libc::SYS_fsync,
    libc::SYS_sendfile,
    libc::SYS_splice,
    libc::SYS_tee,
    libc::SYS_vmsplice,
    libc::SYS_copy_file_range,
    libc::SYS_futex,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_pwait,
    SYS_EPOLL_PWAIT2,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_connect,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvmmsg,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_semtimedop,
    libc::SYS_mq_timedsend,
    libc::SYS_mq_timedreceive,
];

/// `epoll_pwait2` has this number on every machine, but not a name in every C library.
#[cfg(feature = "linux")]
const SYS_EPOLL_PWAIT2: libc::c_long = 441;

/// Whether a command of `fcntl` may wait: `F_SETLKW` and `F_OFD_SETLKW`. The others can be parts of something larger.
#[cfg(feature = "linux")]
fn waits_for_lock(command: u64) -> bool {
    matches!(command as i32, libc::F_SETLKW | libc::F_OFD_SETLKW)
}

/// Makes the host system call `number`.
///
/// # Errors
/// The kernel's `errno`; `NOT_MADE` for one that waits while the thread is to stop; ENOSYS for a call of the deny list; EINVAL for more than six arguments.
#[cfg(feature = "linux")]
pub fn call(number: libc::c_long, args: &mut [HostArg<'_>]) -> Result<u64, i32> {
    if DENIED.contains(&number) {
        return Err(libc::ENOSYS);
    }
    let mut vectors: Vec<libc::iovec> = Vec::new();
    if let Some(ranges) =
        args.iter().find_map(|arg| if let HostArg::Vector(v) = arg { Some(*v) } else { None })
    {
        vectors.extend(ranges.iter().map(|&(at, len)| libc::iovec {
            iov_base: std::ptr::with_exposed_provenance_mut(at),
            iov_len: len,
        }));
    }
    let mut raw = [0u64; 6];
    if args.len() > raw.len() {
        return Err(libc::EINVAL);
    }
    for (slot, arg) in raw.iter_mut().zip(args.iter_mut()) {
        *slot = match arg {
            HostArg::Int(value) => *value,
            HostArg::Guest(at) => *at as u64,
            HostArg::In(bytes) => bytes.as_ptr().expose_provenance() as u64,
            HostArg::Out(bytes) => bytes.as_mut_ptr().expose_provenance() as u64,
            HostArg::Vector(_) => vectors.as_ptr().expose_provenance() as u64,
        };
    }
    // Pointers are to live slices or into a guest space, whose contents any call may read and write; calls that would do
    // more than that to this process are denied above.
    if BLOCKING.contains(&number) && (number != libc::SYS_fcntl || waits_for_lock(raw[1])) {
        // SAFETY: as said above.
        return unsafe { super::signal::call(number, &raw) };
    }
    // SAFETY: as said above.
    let result = unsafe { libc::syscall(number, raw[0], raw[1], raw[2], raw[3], raw[4], raw[5]) };
    match result {
        -1 => Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)),
        value => Ok(value.cast_unsigned()),
    }
}

/// Wakes one thread, of this or another process, that waits for the futex at `word`, an address inside a guest space.
/// It never waits, and so is done whatever the thread was asked to stop for.
#[cfg(feature = "linux")]
pub fn wake_futex(word: usize) {
    // SAFETY: the kernel takes the address as the name of a futex and does not touch what is there.
    unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAKE, 1) };
}

/// CPUID of this processor: eax, ebx, ecx, edx.
pub fn cpuid(leaf: u32, sub_leaf: u32) -> [u32; 4] {
    let result = std::arch::x86_64::__cpuid_count(leaf, sub_leaf);
    [result.eax, result.ebx, result.ecx, result.edx]
}

/// XCR0; to be asked only if CPUID reports OSXSAVE.
pub fn xgetbv() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the caller has seen OSXSAVE, so the instruction exists; it reads a register (Intel SDM Vol. 2D, XGETBV).
    unsafe {
        std::arch::asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

thread_local! {
    /// The base that this thread's gs segment has, if it was set here.
    static SEGMENT_BASE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Sets the base of this thread's gs segment, which Linux programs on x86-64 have for their own use (psABI 3.3.3 uses fs).
/// False if the host refuses.
pub fn set_segment_base(base: usize) -> bool {
    /// `arch_prctl(2)`.
    const ARCH_SET_GS: u64 = 0x1001;
    if SEGMENT_BASE.get() == base {
        return true;
    }
    // SAFETY: the call changes only the gs base, which neither Rust nor the C library uses.
    let done = unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, base) } == 0;
    if done {
        SEGMENT_BASE.set(base);
    }
    done
}

/// Seconds and nanoseconds of a clock. The C library reads most clocks without entering the kernel.
///
/// # Errors
/// The kernel's `errno`: EINVAL for a clock that does not exist.
pub fn clock(clock: libc::clockid_t) -> Result<(i64, i64), i32> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local value.
    match unsafe { libc::clock_gettime(clock, &mut time) } {
        0 => Ok((time.tv_sec, time.tv_nsec)),
        _ => Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)),
    }
}

/// Ends this process by `signal` with its default action, without a core file.
#[cfg(feature = "linux")]
pub fn die_by_signal(signal: libc::c_int) -> ! {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the calls take plain numbers and pointers to local values; nothing runs after them.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        libc::signal(signal, libc::SIG_DFL);
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        libc::sigprocmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        libc::raise(signal);
        // Only a signal whose default action is not to end the process comes here.
        libc::_exit(128 + signal)
    }
}
