//! Linux user mode for riscv64: loads programs and serves their system calls.
//!
//! Most calls mean the same on every 64-bit Linux and go to the host kernel with their arguments converted as the
//! table says; pointers go there as they are, so that the kernel copies straight from and to guest memory and says
//! EFAULT itself. What differs - structures, flags, memory, signals, names - has a handler in the file of its family.
//!
//! Nothing here is `unsafe`, and no guest or file input may panic. It is not a sandbox: the guest acts on the host
//! with the rights of the process that runs it.

mod abi;
mod args;
mod call;
pub mod elf;
mod exec;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod folder;
mod fs;
mod futex;
mod hart;
mod hwprobe;
mod ids;
mod ioctl;
mod limits;
mod load;
pub mod machine;
mod maps;
mod mm;
mod mremap;
mod names;
mod path;
mod poll;
mod proc;
mod proc_status;
mod process;
mod report;
mod robust;
mod signal;
mod socket;
mod spawn;
mod stack;
mod stat;
mod strace;
mod thread;
mod time;

#[cfg(test)]
mod tests;

pub use process::{Config, HostProcess, Outcome, Process};

pub(crate) use args::Arg;
use args::Arg::{
    Array, Fd, Flags, Hex, InBuf, InVec, Int, Link, Long, Mode, Name, OutBuf, OutVec, Path, PathAt, Ptr,
    Signal, Struct, Text,
};
use call::{Call, SysResult};
use libc::{ENOSYS, EPERM};
use names::{ACCESS, AT, MAP, MSG, OPEN, PROT};
use Handler::{Host, Own, Refuse};

/// How a system call is served.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// By the host's call of this number, with the arguments converted as the row says.
    Host(libc::c_long),
    /// By a function of this layer.
    Own(fn(&mut Call<'_>) -> SysResult),
    /// With this error: it needs rights that guests do not get, or is optional and programs do without.
    Refuse(i32),
}

/// One system call.
pub(crate) struct Row {
    pub number: u64,
    pub name: &'static str,
    pub handler: Handler,
    pub args: &'static [Arg],
}

const fn row(number: u64, name: &'static str, handler: Handler, args: &'static [Arg]) -> Row {
    Row { number, name, handler, args }
}

/// `fchmodat2` has this number on every machine, but not a name in every C library.
const SYS_FCHMODAT2: libc::c_long = 452;

/// THE system call table, ascending by number.
///
/// Source: Linux `include/uapi/asm-generic/unistd.h` (riscv64 uses its 64-bit numbers) and
/// `arch/riscv/include/uapi/asm/unistd.h` (258, 259); arguments: section 2 of the Linux man-pages.
#[rustfmt::skip]
static TABLE: &[Row] = &[
    row(5, "setxattr", Host(libc::SYS_setxattr), &[Path, Text, Array(3, 1), Long, Hex]),
    row(6, "lsetxattr", Host(libc::SYS_lsetxattr), &[Link, Text, Array(3, 1), Long, Hex]),
    row(7, "fsetxattr", Host(libc::SYS_fsetxattr), &[Fd, Text, Array(3, 1), Long, Hex]),
    row(8, "getxattr", Host(libc::SYS_getxattr), &[Path, Text, OutBuf(3), Long]),
    row(9, "lgetxattr", Host(libc::SYS_lgetxattr), &[Link, Text, OutBuf(3), Long]),
    row(10, "fgetxattr", Host(libc::SYS_fgetxattr), &[Fd, Text, OutBuf(3), Long]),
    row(11, "listxattr", Host(libc::SYS_listxattr), &[Path, OutBuf(2), Long]),
    row(12, "llistxattr", Host(libc::SYS_llistxattr), &[Link, OutBuf(2), Long]),
    row(13, "flistxattr", Host(libc::SYS_flistxattr), &[Fd, OutBuf(2), Long]),
    row(14, "removexattr", Host(libc::SYS_removexattr), &[Path, Text]),
    row(15, "lremovexattr", Host(libc::SYS_lremovexattr), &[Link, Text]),
    row(16, "fremovexattr", Host(libc::SYS_fremovexattr), &[Fd, Text]),
    row(17, "getcwd", Host(libc::SYS_getcwd), &[OutBuf(1), Long]),
    row(19, "eventfd2", Host(libc::SYS_eventfd2), &[Int, Flags(&OPEN)]),
    row(20, "epoll_create1", Host(libc::SYS_epoll_create1), &[Flags(&OPEN)]),
    row(21, "epoll_ctl", Own(poll::epoll_ctl), &[Fd, Int, Fd, Ptr]),
    row(22, "epoll_pwait", Own(poll::epoll_pwait), &[Fd, Ptr, Int, Int, Ptr, Long]),
    row(23, "dup", Host(libc::SYS_dup), &[Fd]),
    row(24, "dup3", Host(libc::SYS_dup3), &[Fd, Fd, Flags(&OPEN)]),
    row(25, "fcntl", Own(fs::fcntl), &[Fd, Int, Hex]),
    row(26, "inotify_init1", Host(libc::SYS_inotify_init1), &[Flags(&OPEN)]),
    row(27, "inotify_add_watch", Host(libc::SYS_inotify_add_watch), &[Fd, Path, Hex]),
    row(28, "inotify_rm_watch", Host(libc::SYS_inotify_rm_watch), &[Fd, Int]),
    row(29, "ioctl", Own(ioctl::ioctl), &[Fd, Hex, Hex]),
    row(30, "ioprio_set", Host(libc::SYS_ioprio_set), &[Int, Int, Int]),
    row(31, "ioprio_get", Host(libc::SYS_ioprio_get), &[Int, Int]),
    row(32, "flock", Host(libc::SYS_flock), &[Fd, Int]),
    row(33, "mknodat", Host(libc::SYS_mknodat), &[Fd, Name, Mode, Hex]),
    row(34, "mkdirat", Host(libc::SYS_mkdirat), &[Fd, Name, Mode]),
    row(35, "unlinkat", Host(libc::SYS_unlinkat), &[Fd, Name, Hex]),
    row(36, "symlinkat", Host(libc::SYS_symlinkat), &[Text, Fd, Name]),
    row(37, "linkat", Host(libc::SYS_linkat), &[Fd, Name, Fd, Name, Flags(&AT)]),
    row(39, "umount2", Refuse(EPERM), &[Path, Hex]),
    row(40, "mount", Refuse(EPERM), &[Ptr, Path, Ptr, Hex, Ptr]),
    row(41, "pivot_root", Refuse(EPERM), &[Path, Path]),
    row(43, "statfs", Host(libc::SYS_statfs), &[Path, Struct(120)]),
    row(44, "fstatfs", Host(libc::SYS_fstatfs), &[Fd, Struct(120)]),
    row(45, "truncate", Host(libc::SYS_truncate), &[Name, Long]),
    row(46, "ftruncate", Host(libc::SYS_ftruncate), &[Fd, Long]),
    row(47, "fallocate", Host(libc::SYS_fallocate), &[Fd, Hex, Long, Long]),
    row(48, "faccessat", Host(libc::SYS_faccessat), &[Fd, Path, Flags(&ACCESS)]),
    row(49, "chdir", Own(fs::chdir), &[Path]),
    row(50, "fchdir", Host(libc::SYS_fchdir), &[Fd]),
    row(51, "chroot", Refuse(EPERM), &[Path]),
    row(52, "fchmod", Host(libc::SYS_fchmod), &[Fd, Mode]),
    row(53, "fchmodat", Host(libc::SYS_fchmodat), &[Fd, Name, Mode]),
    row(54, "fchownat", Host(libc::SYS_fchownat), &[Fd, Name, Int, Int, Flags(&AT)]),
    row(55, "fchown", Host(libc::SYS_fchown), &[Fd, Int, Int]),
    row(56, "openat", Own(fs::openat), &[Fd, Path, Flags(&OPEN), Mode]),
    row(57, "close", Own(fs::close), &[Fd]),
    row(59, "pipe2", Own(fs::pipe2), &[Struct(8), Flags(&OPEN)]),
    row(61, "getdents64", Own(folder::getdents64), &[Fd, Array(2, 1), Long]),
    row(62, "lseek", Host(libc::SYS_lseek), &[Fd, Long, Int]),
    row(63, "read", Host(libc::SYS_read), &[Fd, OutBuf(2), Long]),
    row(64, "write", Host(libc::SYS_write), &[Fd, InBuf(2), Long]),
    row(65, "readv", Host(libc::SYS_readv), &[Fd, OutVec(2), Long]),
    row(66, "writev", Host(libc::SYS_writev), &[Fd, InVec(2), Long]),
    row(67, "pread64", Host(libc::SYS_pread64), &[Fd, OutBuf(2), Long, Long]),
    row(68, "pwrite64", Host(libc::SYS_pwrite64), &[Fd, InBuf(2), Long, Long]),
    row(69, "preadv", Host(libc::SYS_preadv), &[Fd, OutVec(2), Long, Long, Long]),
    row(70, "pwritev", Host(libc::SYS_pwritev), &[Fd, InVec(2), Long, Long, Long]),
    row(71, "sendfile", Host(libc::SYS_sendfile), &[Fd, Fd, Struct(8), Long]),
    row(72, "pselect6", Own(poll::pselect6), &[Int, Ptr, Ptr, Ptr, Struct(16), Ptr]),
    row(73, "ppoll", Own(poll::ppoll), &[Array(1, 8), Long, Struct(16), Ptr, Long]),
    row(74, "signalfd4", Own(signal::wait::signalfd4), &[Fd, Ptr, Long, Flags(&OPEN)]),
    row(75, "vmsplice", Host(libc::SYS_vmsplice), &[Fd, InVec(2), Long, Hex]),
    row(76, "splice", Host(libc::SYS_splice), &[Fd, Struct(8), Fd, Struct(8), Long, Hex]),
    row(77, "tee", Host(libc::SYS_tee), &[Fd, Fd, Long, Hex]),
    row(78, "readlinkat", Own(fs::readlinkat), &[Fd, Link, OutBuf(3), Long]),
    row(79, "newfstatat", Own(stat::newfstatat), &[Fd, PathAt(3), Struct(128), Flags(&AT)]),
    row(80, "fstat", Own(stat::fstat), &[Fd, Struct(128)]),
    row(81, "sync", Host(libc::SYS_sync), &[]),
    row(82, "fsync", Host(libc::SYS_fsync), &[Fd]),
    row(83, "fdatasync", Host(libc::SYS_fdatasync), &[Fd]),
    row(84, "sync_file_range", Own(fs::sync_file_range), &[Fd, Long, Long, Hex]),
    row(85, "timerfd_create", Host(libc::SYS_timerfd_create), &[Int, Flags(&OPEN)]),
    row(86, "timerfd_settime", Host(libc::SYS_timerfd_settime), &[Fd, Hex, Struct(32), Struct(32)]),
    row(87, "timerfd_gettime", Host(libc::SYS_timerfd_gettime), &[Fd, Struct(32)]),
    row(88, "utimensat", Host(libc::SYS_utimensat), &[Fd, PathAt(3), Struct(32), Flags(&AT)]),
    row(90, "capget", Host(libc::SYS_capget), &[Struct(8), Struct(24)]),
    row(91, "capset", Host(libc::SYS_capset), &[Struct(8), Struct(24)]),
    row(92, "personality", Own(ids::personality), &[Hex]),
    row(93, "exit", Own(thread::exit), &[Int]),
    row(94, "exit_group", Own(thread::exit_group), &[Int]),
    row(95, "waitid", Own(spawn::waitid), &[Int, Int, Struct(128), Hex, Struct(144)]),
    row(96, "set_tid_address", Own(futex::set_tid_address), &[Ptr]),
    row(97, "unshare", Refuse(EPERM), &[Hex]),
    row(98, "futex", Own(futex::futex), &[Ptr, Hex, Int, Ptr, Ptr, Int]),
    row(99, "set_robust_list", Own(futex::set_robust_list), &[Ptr, Long]),
    row(100, "get_robust_list", Own(futex::get_robust_list), &[Int, Ptr, Ptr]),
    row(101, "nanosleep", Own(time::nanosleep), &[Struct(16), Struct(16)]),
    row(102, "getitimer", Host(libc::SYS_getitimer), &[Int, Struct(32)]),
    row(103, "setitimer", Own(time::setitimer), &[Int, Struct(32), Struct(32)]),
    row(107, "timer_create", Own(time::timer_create), &[Int, Struct(64), Struct(4)]),
    row(108, "timer_gettime", Host(libc::SYS_timer_gettime), &[Int, Struct(32)]),
    row(109, "timer_getoverrun", Host(libc::SYS_timer_getoverrun), &[Int]),
    row(110, "timer_settime", Host(libc::SYS_timer_settime), &[Int, Hex, Struct(32), Struct(32)]),
    row(111, "timer_delete", Host(libc::SYS_timer_delete), &[Int]),
    row(112, "clock_settime", Refuse(EPERM), &[Int, Struct(16)]),
    row(113, "clock_gettime", Own(time::clock_gettime), &[Int, Struct(16)]),
    row(114, "clock_getres", Host(libc::SYS_clock_getres), &[Int, Struct(16)]),
    row(115, "clock_nanosleep", Own(time::clock_nanosleep), &[Int, Hex, Struct(16), Struct(16)]),
    row(117, "ptrace", Refuse(EPERM), &[Int, Int, Ptr, Ptr]),
    row(118, "sched_setparam", Host(libc::SYS_sched_setparam), &[Int, Struct(4)]),
    row(119, "sched_setscheduler", Host(libc::SYS_sched_setscheduler), &[Int, Int, Struct(4)]),
    row(120, "sched_getscheduler", Host(libc::SYS_sched_getscheduler), &[Int]),
    row(121, "sched_getparam", Host(libc::SYS_sched_getparam), &[Int, Struct(4)]),
    row(122, "sched_setaffinity", Host(libc::SYS_sched_setaffinity), &[Int, Long, Array(1, 1)]),
    row(123, "sched_getaffinity", Host(libc::SYS_sched_getaffinity), &[Int, Long, Array(1, 1)]),
    row(124, "sched_yield", Host(libc::SYS_sched_yield), &[]),
    row(125, "sched_get_priority_max", Host(libc::SYS_sched_get_priority_max), &[Int]),
    row(126, "sched_get_priority_min", Host(libc::SYS_sched_get_priority_min), &[Int]),
    row(127, "sched_rr_get_interval", Host(libc::SYS_sched_rr_get_interval), &[Int, Struct(16)]),
    row(129, "kill", Own(signal::send::kill), &[Int, Signal]),
    row(130, "tkill", Own(signal::send::tkill), &[Int, Signal]),
    row(131, "tgkill", Own(signal::send::tgkill), &[Int, Int, Signal]),
    row(132, "sigaltstack", Own(signal::sigaltstack), &[Ptr, Ptr]),
    row(133, "rt_sigsuspend", Own(signal::wait::rt_sigsuspend), &[Ptr, Long]),
    row(134, "rt_sigaction", Own(signal::rt_sigaction), &[Signal, Ptr, Ptr, Long]),
    row(135, "rt_sigprocmask", Own(signal::rt_sigprocmask), &[Int, Ptr, Ptr, Long]),
    row(136, "rt_sigpending", Own(signal::rt_sigpending), &[Ptr, Long]),
    row(137, "rt_sigtimedwait", Own(signal::wait::rt_sigtimedwait), &[Ptr, Ptr, Ptr, Long]),
    row(138, "rt_sigqueueinfo", Own(signal::send::rt_sigqueueinfo), &[Int, Signal, Ptr]),
    row(139, "rt_sigreturn", Own(signal::rt_sigreturn), &[]),
    row(140, "setpriority", Host(libc::SYS_setpriority), &[Int, Int, Int]),
    row(141, "getpriority", Host(libc::SYS_getpriority), &[Int, Int]),
    row(142, "reboot", Refuse(EPERM), &[Hex, Hex, Hex, Ptr]),
    row(143, "setregid", Host(libc::SYS_setregid), &[Int, Int]),
    row(144, "setgid", Host(libc::SYS_setgid), &[Int]),
    row(145, "setreuid", Host(libc::SYS_setreuid), &[Int, Int]),
    row(146, "setuid", Host(libc::SYS_setuid), &[Int]),
    row(147, "setresuid", Host(libc::SYS_setresuid), &[Int, Int, Int]),
    row(148, "getresuid", Host(libc::SYS_getresuid), &[Struct(4), Struct(4), Struct(4)]),
    row(149, "setresgid", Host(libc::SYS_setresgid), &[Int, Int, Int]),
    row(150, "getresgid", Host(libc::SYS_getresgid), &[Struct(4), Struct(4), Struct(4)]),
    row(151, "setfsuid", Host(libc::SYS_setfsuid), &[Int]),
    row(152, "setfsgid", Host(libc::SYS_setfsgid), &[Int]),
    row(153, "times", Host(libc::SYS_times), &[Struct(32)]),
    row(154, "setpgid", Host(libc::SYS_setpgid), &[Int, Int]),
    row(155, "getpgid", Host(libc::SYS_getpgid), &[Int]),
    row(156, "getsid", Host(libc::SYS_getsid), &[Int]),
    row(157, "setsid", Host(libc::SYS_setsid), &[]),
    row(158, "getgroups", Host(libc::SYS_getgroups), &[Int, Array(0, 4)]),
    row(159, "setgroups", Host(libc::SYS_setgroups), &[Int, Array(0, 4)]),
    row(160, "uname", Own(ids::uname), &[Ptr]),
    row(161, "sethostname", Refuse(EPERM), &[Text, Long]),
    row(162, "setdomainname", Refuse(EPERM), &[Text, Long]),
    row(163, "getrlimit", Own(limits::getrlimit), &[Int, Struct(16)]),
    row(164, "setrlimit", Own(limits::setrlimit), &[Int, Struct(16)]),
    row(165, "getrusage", Host(libc::SYS_getrusage), &[Int, Struct(144)]),
    row(166, "umask", Host(libc::SYS_umask), &[Mode]),
    row(167, "prctl", Own(ids::prctl), &[Int, Hex, Hex, Hex, Hex]),
    row(168, "getcpu", Host(libc::SYS_getcpu), &[Struct(4), Struct(4)]),
    row(169, "gettimeofday", Host(libc::SYS_gettimeofday), &[Struct(16), Struct(8)]),
    row(170, "settimeofday", Refuse(EPERM), &[Struct(16), Struct(8)]),
    row(171, "adjtimex", Host(libc::SYS_adjtimex), &[Struct(208)]),
    row(172, "getpid", Host(libc::SYS_getpid), &[]),
    row(173, "getppid", Host(libc::SYS_getppid), &[]),
    row(174, "getuid", Host(libc::SYS_getuid), &[]),
    row(175, "geteuid", Host(libc::SYS_geteuid), &[]),
    row(176, "getgid", Host(libc::SYS_getgid), &[]),
    row(177, "getegid", Host(libc::SYS_getegid), &[]),
    row(178, "gettid", Host(libc::SYS_gettid), &[]),
    row(179, "sysinfo", Host(libc::SYS_sysinfo), &[Struct(112)]),
    row(198, "socket", Host(libc::SYS_socket), &[Int, Hex, Int]),
    row(199, "socketpair", Host(libc::SYS_socketpair), &[Int, Hex, Int, Struct(8)]),
    row(200, "bind", Host(libc::SYS_bind), &[Fd, Array(2, 1), Int]),
    row(201, "listen", Host(libc::SYS_listen), &[Fd, Int]),
    row(202, "accept", Host(libc::SYS_accept), &[Fd, Struct(128), Struct(4)]),
    row(203, "connect", Host(libc::SYS_connect), &[Fd, Array(2, 1), Int]),
    row(204, "getsockname", Host(libc::SYS_getsockname), &[Fd, Struct(128), Struct(4)]),
    row(205, "getpeername", Host(libc::SYS_getpeername), &[Fd, Struct(128), Struct(4)]),
    row(206, "sendto", Host(libc::SYS_sendto), &[Fd, InBuf(2), Long, Flags(&MSG), Array(5, 1), Int]),
    row(207, "recvfrom", Host(libc::SYS_recvfrom), &[Fd, OutBuf(2), Long, Flags(&MSG), Struct(128), Struct(4)]),
    row(208, "setsockopt", Own(socket::setsockopt), &[Fd, Int, Int, Array(4, 1), Int]),
    row(209, "getsockopt", Own(socket::getsockopt), &[Fd, Int, Int, Ptr, Struct(4)]),
    row(210, "shutdown", Host(libc::SYS_shutdown), &[Fd, Int]),
    row(211, "sendmsg", Own(socket::sendmsg), &[Fd, Ptr, Flags(&MSG)]),
    row(212, "recvmsg", Own(socket::recvmsg), &[Fd, Ptr, Flags(&MSG)]),
    row(213, "readahead", Host(libc::SYS_readahead), &[Fd, Long, Long]),
    row(214, "brk", Own(mm::brk), &[Ptr]),
    row(215, "munmap", Own(mm::munmap), &[Ptr, Long]),
    row(216, "mremap", Own(mremap::mremap), &[Ptr, Long, Long, Hex, Ptr]),
    row(220, "clone", Own(spawn::clone), &[Hex, Ptr, Ptr, Ptr, Ptr]),
    row(221, "execve", Own(exec::execve), &[Path, Ptr, Ptr]),
    row(222, "mmap", Own(mm::mmap), &[Ptr, Long, Flags(&PROT), Flags(&MAP), Fd, Hex]),
    row(223, "fadvise64", Host(libc::SYS_fadvise64), &[Fd, Long, Long, Int]),
    row(226, "mprotect", Own(mm::mprotect), &[Ptr, Long, Flags(&PROT)]),
    row(227, "msync", Own(mm::msync), &[Ptr, Long, Hex]),
    row(228, "mlock", Own(mm::mlock), &[Ptr, Long]),
    row(229, "munlock", Own(mm::munlock), &[Ptr, Long]),
    row(230, "mlockall", Own(mm::mlockall), &[Hex]),
    row(231, "munlockall", Own(mm::munlockall), &[]),
    row(232, "mincore", Own(mm::mincore), &[Ptr, Long, Ptr]),
    row(233, "madvise", Own(mm::madvise), &[Ptr, Long, Int]),
    row(235, "mbind", Refuse(ENOSYS), &[Ptr, Long, Int, Ptr, Long, Hex]),
    row(236, "get_mempolicy", Refuse(ENOSYS), &[Ptr, Ptr, Long, Ptr, Hex]),
    row(237, "set_mempolicy", Refuse(ENOSYS), &[Int, Ptr, Long]),
    row(240, "rt_tgsigqueueinfo", Own(signal::send::rt_tgsigqueueinfo), &[Int, Int, Signal, Ptr]),
    row(242, "accept4", Host(libc::SYS_accept4), &[Fd, Struct(128), Struct(4), Flags(&OPEN)]),
    row(243, "recvmmsg", Own(socket::recvmmsg), &[Fd, Ptr, Int, Flags(&MSG), Ptr]),
    row(258, "riscv_hwprobe", Own(hwprobe::hwprobe), &[Ptr, Long, Long, Ptr, Hex]),
    row(259, "riscv_flush_icache", Own(mm::flush_icache), &[Ptr, Ptr, Hex]),
    row(260, "wait4", Own(spawn::wait4), &[Int, Struct(4), Hex, Struct(144)]),
    row(261, "prlimit64", Own(limits::prlimit64), &[Int, Int, Struct(16), Struct(16)]),
    row(267, "syncfs", Host(libc::SYS_syncfs), &[Fd]),
    row(269, "sendmmsg", Own(socket::sendmmsg), &[Fd, Ptr, Int, Flags(&MSG)]),
    row(274, "sched_setattr", Host(libc::SYS_sched_setattr), &[Int, Struct(56), Hex]),
    row(275, "sched_getattr", Host(libc::SYS_sched_getattr), &[Int, Array(2, 1), Int, Hex]),
    row(276, "renameat2", Host(libc::SYS_renameat2), &[Fd, Name, Fd, Name, Hex]),
    row(277, "seccomp", Refuse(ENOSYS), &[Int, Hex, Ptr]),
    row(278, "getrandom", Host(libc::SYS_getrandom), &[OutBuf(1), Long, Hex]),
    row(279, "memfd_create", Host(libc::SYS_memfd_create), &[Text, Hex]),
    row(281, "execveat", Own(exec::execveat), &[Fd, Path, Ptr, Ptr, Flags(&AT)]),
    row(283, "membarrier", Own(futex::membarrier), &[Int, Hex, Int]),
    row(284, "mlock2", Own(mm::mlock2), &[Ptr, Long, Hex]),
    row(285, "copy_file_range", Host(libc::SYS_copy_file_range), &[Fd, Struct(8), Fd, Struct(8), Long, Hex]),
    row(286, "preadv2", Host(libc::SYS_preadv2), &[Fd, OutVec(2), Long, Long, Long, Hex]),
    row(287, "pwritev2", Host(libc::SYS_pwritev2), &[Fd, InVec(2), Long, Long, Long, Hex]),
    row(288, "pkey_mprotect", Own(mm::pkey_mprotect), &[Ptr, Long, Flags(&PROT), Int]),
    row(289, "pkey_alloc", Refuse(ENOSYS), &[Hex, Hex]),
    row(290, "pkey_free", Refuse(ENOSYS), &[Int]),
    row(291, "statx", Host(libc::SYS_statx), &[Fd, PathAt(2), Flags(&AT), Hex, Struct(256)]),
    row(293, "rseq", Refuse(ENOSYS), &[Ptr, Int, Hex, Hex]),
    row(425, "io_uring_setup", Refuse(ENOSYS), &[Int, Ptr]),
    row(434, "pidfd_open", Host(libc::SYS_pidfd_open), &[Int, Hex]),
    row(435, "clone3", Own(spawn::clone3), &[Ptr, Long]),
    row(436, "close_range", Own(fs::close_range), &[Fd, Fd, Hex]),
    row(437, "openat2", Own(fs::openat2), &[Fd, Path, Ptr, Long]),
    row(439, "faccessat2", Host(libc::SYS_faccessat2), &[Fd, PathAt(3), Flags(&ACCESS), Flags(&AT)]),
    row(441, "epoll_pwait2", Own(poll::epoll_pwait2), &[Fd, Ptr, Int, Struct(16), Ptr, Long]),
    row(444, "landlock_create_ruleset", Refuse(ENOSYS), &[Ptr, Long, Hex]),
    row(449, "futex_waitv", Refuse(ENOSYS), &[Ptr, Int, Hex, Ptr, Int]),
    row(452, "fchmodat2", Host(SYS_FCHMODAT2), &[Fd, Name, Mode, Flags(&AT)]),
];

/// Room for every number of the table.
const NUMBERS: usize = 512;

/// For each number one more than the index of its row, 0 if it has none.
static INDEX: [u16; NUMBERS] = {
    let mut index = [0; NUMBERS];
    let mut at = 0;
    while at < TABLE.len() {
        index[TABLE[at].number as usize] = at as u16 + 1;
        at += 1;
    }
    index
};

/// The row of a system call.
pub(crate) fn find(number: u64) -> Option<&'static Row> {
    let index = usize::try_from(number).ok().and_then(|number| INDEX.get(number))?;
    TABLE.get(usize::from(*index).checked_sub(1)?)
}
